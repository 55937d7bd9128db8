#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: check.sh BUILD_TREE CC SCRATCH
# Installs a built tree below SCRATCH, moves the installation, and builds this project against it in both ways.
set -eu
tree=$1
export CC="$2"
scratch=$3
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$scratch"
mkdir -p "$scratch"
cmake --install "$tree" --prefix "$scratch/installed" >"$scratch/install.log"
# What is installed must not know where it was installed.
mv "$scratch/installed" "$scratch/prefix"
prefix=$scratch/prefix

echo "-- find_package"
cmake -S "$here" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$prefix" --log-level=WARNING
cmake --build "$scratch/build"
for program in "$scratch/build/consumer"*; do
    case $program in
    *consumer | *consumer_shared) "$program" ;;
    esac
done

echo "-- pkg-config"
pc=$(dirname "$(find "$prefix" -name memcore.pc)")
export PKG_CONFIG_PATH="$pc"
# shellcheck disable=SC2046 -- words are what pkg-config gives
$CC -Wall -Werror "$here/main.c" -o "$scratch/consumer-pc" $(pkg-config --cflags --libs memcore)
LD_LIBRARY_PATH=$(pkg-config --variable=libdir memcore) "$scratch/consumer-pc" | tee "$scratch/output"
grep -q "memcore $(pkg-config --modversion memcore): a region of 4096 bytes" "$scratch/output"

# Each C program of the top README, and what it prints there.
echo "-- README"
count=0
awk -v to="$scratch/readme" '
    /^```c$/ { n++; file = to n ".c"; program = n; next }
    /^```$/ && !file && program { file = to program ".expected"; program = 0; printf "" > file; next }
    /^```/ { if (file) close(file); file = ""; next }
    file { print > file }
    !file && NF && !/^```/ { program = 0 }' "$here/../../README.md"
for source in "$scratch"/readme*.c; do
    # shellcheck disable=SC2046
    $CC -Wall -Werror "$source" -o "${source%.c}" $(pkg-config --cflags --libs memcore)
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir memcore) "${source%.c}" >"${source%.c}.output"
    diff -u "${source%.c}.expected" "${source%.c}.output"
    count=$((count + 1))
done
[ "$count" -ge 2 ] || { echo "README.md: a device and an IOMMU were expected, $count programs are there" >&2; exit 1; }
echo "$count programs of README.md print what it says"

# Every public header compiles by itself.
for header in $(cd "$prefix/include/memcore" && find . -name '*.h' | sort); do
    printf '#include "%s"\n' "${header#./}" | $CC -Wall -Wextra -Werror -std=gnu11 -fsyntax-only -x c - $(pkg-config --cflags memcore)
done
# Its names: those that the headers declare, and no others, which could meet names of a program.
echo "-- symbols"
(cd "$prefix/include/memcore" && find . -name '*.h' | sort | sed 's/.*/#include "&"/') >"$scratch/all.c"
# shellcheck disable=SC2046
$CC -E -std=gnu11 $(pkg-config --cflags --libs-only-other memcore) "$scratch/all.c" |
    awk -v HEADERS="include/memcore" -f "$here/declared.awk" | grep -v '^urcu_' | sort -u >"$scratch/declared"
compare() {     # what begins with _ is the compiler's
    sed -n 's/^[0-9a-f]* [A-Z] //p' | sed 's/@.*//' | grep -v '^_' | sort -u >"$scratch/exported"
    if ! diff "$scratch/declared" "$scratch/exported" >"$scratch/symbols.diff"; then
        sed -n "s/^> /$1 exports a name that no public header declares: /p
                s/^< /a public header declares what $1 does not have: /p" "$scratch/symbols.diff" >&2
        exit 1
    fi
    echo "$1: $(wc -l <"$scratch/exported") names, all declared"
}
libraries=$(dirname "$pc")
nm -g --defined-only "$libraries/libmemcore.a" | compare libmemcore.a
if [ -e "$libraries/libmemcore.so" ]; then
    nm -D --defined-only "$libraries/libmemcore.so" | compare libmemcore.so
fi
echo "installed, moved and used"
