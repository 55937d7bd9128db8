# SPDX-License-Identifier: GPL-2.0-or-later
"""oss_fuzz.py FOLDER ENGINE SANITIZER: ci/oss-fuzz-build with the environment of a service, then ci/check-build."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402

BASE = "-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
SANITIZE = {
    "address": "-fsanitize=address -fsanitize-address-use-after-scope",
    "undefined": "-fsanitize=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,"
                 "returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound "
                 "-fno-sanitize-recover=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,"
                 "returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound",
}


def main():
    folder, engine, sanitizer = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    compiler = "afl-clang-fast" if engine == "afl" else shutil.which("clang") or shutil.which("clang-14")
    flags = f"{BASE} {SANITIZE[sanitizer]}" + ("" if engine == "afl" else " -fsanitize=fuzzer-no-link")
    environment = {**os.environ, "OUT": str(out), "WORK": str(folder / "work"), "SRC": str(common.ROOT.parent),
                   "CC": compiler,
                   "CXX": "afl-clang-fast++" if engine == "afl" else compiler.replace("clang", "clang++"),
                   "CFLAGS": flags, "CXXFLAGS": flags, "LIB_FUZZING_ENGINE": "-fsanitize=fuzzer",
                   "SANITIZER": sanitizer, "FUZZING_ENGINE": engine, "ARCHITECTURE": "x86_64"}
    if shutil.which("ccache") and engine != "afl":      # for AFL's compiler see ci/build
        environment.setdefault("CMAKE_C_COMPILER_LAUNCHER", "ccache")
    subprocess.run([common.ROOT / "ci/oss-fuzz-build"], env=environment, check=True)
    sys.exit(subprocess.run([common.ROOT / "ci/check-build", out, engine, sanitizer]).returncode)


if __name__ == "__main__":
    main()
