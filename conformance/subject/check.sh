#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: check.sh BUILD_TREE CC OUTSIDE
# The harness against an implementation from outside: installs the built memcore into OUTSIDE (a folder that is
# not in the sources), puts a subject.c and subject.cmake beside it, builds the harness with -DHARNESS_SUBJECT
# and plays the committed traces.
set -eu
tree=$1
export CC="$2"
outside=$3
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
rm -rf "$outside"
mkdir -p "$outside/subject"
cmake --install "$tree" --prefix "$outside/prefix" >"$outside/install.log"
cp "$source/harness/run/subject.c" "$here/subject.cmake" "$outside/subject/"

if command -v ccache >/dev/null 2>&1; then
    export CMAKE_C_COMPILER_LAUNCHER="${CMAKE_C_COMPILER_LAUNCHER:-ccache}"
fi
cmake -S "$source" -B "$outside/build" -DHARNESS_SUBJECT="$outside/subject" -DCMAKE_PREFIX_PATH="$outside/prefix" \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DMEMCORE_WERROR=ON -DBUILD_TESTING=OFF --log-level=WARNING
cmake --build "$outside/build" -j "${JOBS:-2}"

# Nothing of memcore's sources may be compiled or included: the harness must see the outside only.
if grep -n "$source/memcore" "$outside/build/compile_commands.json"; then
    echo "the harness still knows where memcore's sources are" >&2
    exit 1
fi
memtrace=$outside/build/harness/memtrace
count=0
for trace in "$source"/corpora/region_tree/seeds/*.trace "$source"/corpora/transactions/seeds/*.trace; do
    "$memtrace" run "$trace" >"$outside/run.log" 2>&1 || {
        cat "$outside/run.log" >&2
        echo "$trace failed" >&2
        exit 1
    }
    count=$((count + 1))
done
echo "$count traces played on an implementation from outside"
[ "$count" -ge 10 ]
