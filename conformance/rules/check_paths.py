# SPDX-License-Identifier: GPL-2.0-or-later
"""check_paths.py PROGRAM...: -p of a case that is not there fails, in one line that says what is similar; -l, and -p of
what is there, do not."""
import pathlib
import subprocess
import sys


def run(program, *arguments):
    """Exit code, the cases that ran or were listed, what was said."""
    result = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    cases = [line.split(" ")[-1] for line in result.stdout.splitlines() if line.startswith(("/", "ok "))]
    return result.returncode, cases, result.stderr


def check(program):
    """What is wrong, as lines."""
    _, listed, _ = run(program, "-l")
    rule, case = listed[0].rsplit("/", 1)
    missing = f"{pathlib.Path(program).name}: no case has the path %s (-l lists all)"
    expected = [
        (["-p", "/no-such-rule"], 1, [], missing % "/no-such-rule" + "\n"),
        (["-p", "/no-such-rule", "-l"], 0, [], ""),
        (["-p=" + rule + "/"], 1, [], missing % f"{rule}/" + f"; similar: {rule}\n"),
        (["-p", rule[1:]], 1, [], missing % rule[1:] + f"; similar: {rule}\n"),
        (["-r", f"{rule}/x{case}"], 1, [], missing % f"{rule}/x{case}" + f"; similar: {rule}/{case}\n"),
        (["-p", listed[0]], 0, listed[:1], ""),
        (["-p", listed[0], "-p", "/no-such-rule"], 1, [], missing % "/no-such-rule" + "\n"),
        (["-p", rule], 0, [path for path in listed if path.startswith(rule + "/")], ""),
        (["--GTestSubprocess", "-p", "/no-such-rule"], 1, [], missing % "/no-such-rule" + "\n"),
        (["-p"], 1, [], f"{program}: -p: a path was expected (-l lists all)\n"),
    ]
    for arguments, *wanted in expected:
        found = list(run(program, *arguments))
        if found != wanted:
            yield f"{program} {' '.join(arguments)}:\n  expected {wanted}\n  found    {found}"


def main():
    problems = [problem for program in sys.argv[1:] for problem in check(program)]
    print("\n".join(problems) or f"{len(sys.argv) - 1} programs")
    sys.exit(bool(problems) or len(sys.argv) == 1)


if __name__ == "__main__":
    main()
