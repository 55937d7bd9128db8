# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts.py: wrong use of every command: a clear line, the right exit code, nothing written; and what --help says."""
import concurrent.futures
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402
import display  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]

# command, environment, exit code, what the output must contain
CASES = [
    ("ci/fuzz --target nonsense", {}, 2, 'unknown target "nonsense"; there are: region_tree'),
    ("ci/fuzz --engine honggfuzz", {}, 2, 'unknown engine "honggfuzz"; there are: libfuzzer, afl, both'),
    ("ci/fuzz --time 0", {}, 2, "--time 0: a number from 1"),
    ("ci/fuzz --time soon", {}, 2, "--time soon: a number from 1"),
    ("ci/fuzz --time", {}, 2, "expected one argument"),
    ("ci/fuzz --jobs -1", {}, 2, "jobs"),
    ("ci/fuzz --jobs 0", {}, 2, "--jobs 0: a number from 1"),
    ("ci/fuzz --frobnicate", {}, 2, "--frobnicate"),
    ("ci/fuzz region_tree", {}, 2, "region_tree"),
    ("ci/test --frobnicate", {}, 2, 'unknown option "--frobnicate"'),
    ("ci/test --only", {}, 2, "--only: a pattern was expected"),
    ("ci/test --jobs none", {}, 2, "--jobs none: a number was expected"),
    ("ci/bench --frobnicate", {}, 2, "--frobnicate"),
    ("ci/coverage --frobnicate", {}, 2, "--frobnicate"),
    ("ci/coverage --gate --raise", {}, 2, "exclude each other"),
    ("ci/coverage --mcdc --gate", {}, 2, "--mcdc has no floor"),
    ("ci/mutants --frobnicate", {}, 2, "--frobnicate"),
    ("ci/mutants --sample 0", {}, 2, "--sample 0: a number from 1"),
    ("ci/mutants --all --sample 3", {}, 2, "--all, --sample and --survivors exclude each other"),
    ("ci/mutants --seed x", {}, 2, "--seed x: a number from 0"),
    ("ci/mutants --file memcore/none.c", {}, 2, "a .c file of memcore was expected"),
    ("ci/mutants --check", {}, 0, "0 of them stale"),
    ("ci/report now", {}, 2, "unrecognized arguments: now"),
    ("ci/qemu-new now", {}, 2, "usage: ci/qemu-new"),
    ("ci/plant --engine none all", {}, 2, 'unknown engine "none"'),
    ("ci/plant --time x all", {}, 2, "--time x: a number from 1"),
    ("ci/plant --no-corpus --discover all", {}, 2, "--no-corpus"),
    ("ci/plant --runs 0 all", {}, 2, "--runs 0: a number from 1"),
    ("ci/plant no-such-bug", {}, 2, 'no patch "no-such-bug"'),
    ("ci/plant", {}, 2, "NAME"),
    ("ci/distill --target nonsense", {}, 2, 'unknown target "nonsense"; there are: region_tree'),
    ("ci/distill --target canary", {}, 2, "canary has a planted failure"),
    ("ci/distill --from ci", {}, 2, "a folder of inputs of one --target"),
    ("ci/distill --keep x", {}, 2, "--keep x: a number from 0"),
    ("ci/distill --from /no/such", {}, 2, "a folder of inputs of one --target"),
    ("ci/report --output /no/such/report.html", {}, 2, "no such folder"),
    ("ci/report --output ci", {}, 2, "--output ci: a folder; a file was expected"),
    ("ci/museum --engine none", {}, 2, 'unknown engine "none"; there are: libfuzzer, afl, both'),
    ("ci/museum --time 0", {}, 2, "--time 0: a number from 1"),
    ("ci/museum --time", {}, 2, "expected one argument"),
    ("ci/museum --frobnicate", {}, 2, "--frobnicate"),
    ("ci/museum no-such-entry", {}, 2, 'the museum has no entry "no-such-entry"; ci/museum --list'),
    ("ci/museum mc-empty-test", {}, 2, "mc-empty-test has no patch: chapter not in memcore: map cache"),
    ("ci/museum --list", {}, 0, "98 entries, "),
    ("ci/build", {}, 2, "usage: ci/build PRESET"),
    ("ci/build nonsense", {}, 2, 'unknown preset "nonsense"; there are: dev release libfuzzer afl coverage tsan'),
    ("ci/packages", {}, 2, "usage: ci/packages"),
    ("ci/packages nonsense", {}, 2, 'unknown group "nonsense"'),
    ("ci/oss-fuzz-build", {"OUT": ""}, 1, "OUT is not set. Fix:"),
    ("ci/oss-fuzz-build surplus", {}, 1, 'unexpected argument "surplus"'),
    ("ci/oss-fuzz-build", {"OUT": "{tmp}/out", "SANITIZER": "memory"}, 1, "SANITIZER=memory: address, undefined"),
    ("ci/oss-fuzz-build", {"OUT": "{tmp}/out", "ARCHITECTURE": "i386"}, 1, "ARCHITECTURE=i386: x86_64"),
    ("ci/oss-fuzz-build", {"OUT": "{tmp}/out", "FUZZING_ENGINE": "honggfuzz"}, 1, "LIB_FUZZING_ENGINE is not set"),
    ("ci/oss-fuzz-build", {"OUT": "{tmp}/out", "CC": "no-such-cc"}, 1, "CC=no-such-cc was not found. Fix:"),
    ("ci/check-build", {}, 2, "usage: ci/check-build OUT"),
    ("ci/check-build {tmp}/nothing", {}, 2, "not a folder"),
    ("ci/check-build {tmp}", {}, 1, "region_tree: is missing"),
    *((f"ci/{command}", {"MEMCORE_BUILD_DIR": "/dev/null/b"}, 1,
       "this folder cannot be made: Not a directory.  Fix: set MEMCORE_BUILD_DIR")
      for command in ("fuzz", "bench", "distill", "report", "plant equal-priority-order", "coverage", "museum",
                      "mutants --sample 1")),
    # What CMake says has to contain the fix.
    ("cmake --preset libfuzzer -B {tmp}/b", {"CC": "gcc"}, 1, "Fix: unset CC"),
    ("cmake --preset afl -B {tmp}/b", {"CC": "gcc"}, 1, "Fix: unset CC"),
    ("cmake --preset dev -B {tmp}/b -DFUZZ_ENGINE=libfuzzer", {"CC": "gcc"}, 1, "Fix: cmake --preset libfuzzer"),
    ("cmake --preset dev -B {tmp}/b -DFUZZ_ENGINE=afl", {"CC": "gcc"}, 1, "Fix: cmake --preset afl"),
    ("cmake --preset dev -B {tmp}/b -DFUZZ_ENGINE=other", {}, 1, "none, libfuzzer, afl or external was expected"),
    ("cmake --preset dev -B {tmp}/b -DFUZZ_ENGINE=external", {"LIB_FUZZING_ENGINE": ""}, 1,
     "Fix: export LIB_FUZZING_ENGINE"),
    ("cmake --preset dev -B {tmp}/b -DMEMCORE_SANITIZERS=address,thread", {}, 1, "thread excludes address"),
    ("cmake --preset dev -B {tmp}/b -DMEMCORE_TARGET_PAGE_BITS=9", {}, 1, "10 to 16 was expected"),
    ("cmake --preset dev -B {tmp}/b -DHARNESS_SUBJECT={tmp}", {}, 1, "has no subject.c or no subject.cmake"),
]

# Commands that find nothing of what they need: an empty machine without apt.
BARE = [
    ("ci/packages build", 1, "missing: cmake gcc libc6-dev libglib2.0-dev liburcu-dev ninja-build pkg-config python3"),
    ("ci/packages fuzz", 1, "afl++"),
    ("ci/packages test", 1, "qemu-system-x86"),
    ("ci/packages --check fuzz", 1, "clang-14"),
    ("ci/build dev", 1, "missing: cmake"),
    ("ci/fuzz", 1, "missing: cmake"),
    ("ci/bench", 1, "missing: cmake"),
    ("ci/museum", 1, "missing: "),
    ("ci/coverage", 1, "missing: cmake"),
    ("ci/mutants", 1, "missing: cmake"),
    ("ci/packages --check coverage mcdc", 1, "clang-19"),
]
# Commands whose output somebody stops reading: more than a pipe takes, and what is written when they end.
UNREAD = ["ci/mutants --list", "ci/museum --list"]
BARE_TOOLS = ["sh", "dirname", "sort", "tr", "head", "sed", "id", "uname", "cat", "ls", "env", "test", "grep"]


def run(command, environment):
    result = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=120)
    return result.returncode, result.stdout.decode(errors="replace")


def run_unread(command):
    """What `command | true` prints."""
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(command.split(), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
                            timeout=120)
    os.close(writer)
    return result.returncode, result.stderr.decode(errors="replace")


def told(shown, code, text, expected_code, expected_text):
    """What is wrong, as a list of texts."""
    # CMake folds long lines.
    if code == expected_code and " ".join(expected_text.split()) in " ".join(text.split()):
        return []
    return [f"{shown}\n  exit code {code}, {expected_code} was expected; \"{expected_text}\" was expected in:\n{text}"]


def check_case(tmp, command, extra, expected_code, expected_text):
    with tempfile.TemporaryDirectory(dir=tmp) as scratch:
        builds = os.path.join(scratch, "builds")
        os.mkdir(builds)
        environment = {**os.environ, "MEMCORE_BUILD_DIR": builds}
        for name in ("CC", "CXX", "CFLAGS", "CXXFLAGS", "LIB_FUZZING_ENGINE"):
            environment.pop(name, None)
        environment.update({k: v.format(tmp=scratch) for k, v in extra.items()})
        code, text = run(command.format(tmp=scratch).split(), environment)
        failures = told(command, code, text, expected_code, expected_text)
        if os.listdir(builds):
            failures.append(f"{command}: wrote {os.listdir(builds)}")
        return failures


def check_help(command):
    """Every command says what it does, how it ends, and shows a call."""
    code, text = run([command, "--help"], {**os.environ, "COLUMNS": "80"})
    long = [line for line in text.splitlines() if len(line) > 80]
    failures = [f"ci/{command.name} --help: wider than 80 columns:\n" + "\n".join(long)] if long else []
    for expected_text in ("usage: ", f"ci/{command.name}", "Exit code: 0", "xample"):
        failures += told(f"ci/{command.name} --help", code, text, 0, expected_text)
    return failures


def check_bare(path, command, expected_code, expected_text):
    code, text = run(command.split(), {"PATH": path})
    return told(f"{command} (without tools)", code, text, expected_code, expected_text)


def check_unread(command):
    code, text = run_unread(command)
    if code != -signal.SIGPIPE or text:
        return [f"{command} | true: exit code {code}, an end by SIGPIPE was expected; it says:\n{text}"]
    return []


def check_table():
    """The table of ci/fuzz fits the terminal, by columns left out; names do not push it apart."""
    name = max(common.targets(), key=len)
    rows = [[column for column, _ in display.TABLE],
            [name, "libfuzzer", "3600", "123 456 789", "123 456", "12 345 678", "12 %", "12 345", "1 234", "345",
             "no finding"]]
    failures = []
    for width, names in ((125, rows[0]), (100, ("edges", "checked steps/s")), (80, ("seconds", "execs", "exec/s"))):
        lines = display.narrowed(rows, width)
        if max(map(len, lines)) > width or not all(column in lines[0] for column in names) or \
                lines[0].index("result") != lines[1].index("no finding"):
            failures.append(f"the table of ci/fuzz in {width} columns:\n" + "\n".join(lines))
    return failures


def main():
    before = set(os.listdir(ROOT))
    with tempfile.TemporaryDirectory() as tmp, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bare = os.path.join(tmp, "bin")
        os.mkdir(bare)
        for tool in BARE_TOOLS:
            os.symlink(f"/usr/bin/{tool}" if os.path.exists(f"/usr/bin/{tool}") else f"/bin/{tool}",
                       os.path.join(bare, tool))
        commands = sorted(p for p in (ROOT / "ci").iterdir() if p.is_file() and os.access(p, os.X_OK))
        checks = [*(pool.submit(check_case, tmp, *case) for case in CASES),
                  *(pool.submit(check_help, command) for command in commands),
                  *(pool.submit(check_bare, bare, *case) for case in BARE),
                  *(pool.submit(check_unread, command) for command in UNREAD),
                  pool.submit(check_table)]
        failures = [failure for check in checks for failure in check.result()]
    new = set(os.listdir(ROOT)) - before
    if new:
        failures.append(f"new files in the sources: {sorted(new)}")
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{len(checks)} cases, {len(failures)} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
