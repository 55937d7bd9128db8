# SPDX-License-Identifier: GPL-2.0-or-later
"""canary.py ENGINE: a finding goes all its way.

ci/fuzz has to find the canary's planted failure, exit with 1, print the step that failed, and leave an input
that the printed replay command fails on and a minimised trace that memtrace fails on.  So for what the model finds
(abort) and what sanitizers find: engines write their artifact in different places then.
"""
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402

STEPS_MAX = 8       # a container in a space, something readonly in it: five steps do


def run(command, kind):
    environment = common.sanitizer_environment("libfuzzer")
    if kind != "difference":
        environment["CANARY"] = kind
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            cwd=common.ROOT, env=environment)
    return result.returncode, result.stdout.decode(errors="replace")


def command_after(word, text):
    match = re.search(rf"^  {word} +(\S.*)$", text, re.M)
    if not match:
        sys.exit(f"no line \"{word}\" in the output")
    return match[1].split()


def require(condition, message):
    if not condition:
        sys.exit(message)


def check(engine, kind):
    code, text = run(["ci/fuzz", "--target", "canary", "--engine", engine, "--time", "60", "--fresh"], kind)
    print(text)
    require(code == 1, f"{kind}: ci/fuzz: exit code {code}, 1 was expected")
    require("canary-" + ("leak" if kind == "leak" else "crash") in text, f"{kind}: no artifact of that kind")
    require("readonly" in text, f"{kind}: the failing step is not printed")
    code, _ = run(command_after("replay", text), kind)
    require(code != 0, f"{kind}: the printed replay command does not fail")
    if kind == "leak":
        print("leak: found, replayed")      # memtrace does not minimise leaks
        return
    code, _ = run(command_after("run it", text), kind)
    require(code != 0, f"{kind}: the minimised trace does not fail")
    trace = pathlib.Path(common.ROOT, command_after("minimised", text)[0])
    steps = [line for line in trace.read_text().splitlines() if line and not line.startswith(("#", "uses"))]
    require(len(steps) <= STEPS_MAX,
            f"{kind}: the minimised trace has {len(steps)} steps, at most {STEPS_MAX} were expected")
    # The same trace does not fail where nothing is planted: the failure is the canary's, not the harness's.
    code, text = run([str(pathlib.Path(common.BUILD, engine, "harness/memtrace")), "run", str(trace)], kind)
    require(code == 0, f"{kind}: memtrace without the planted failure fails too:\n{text}")
    print(f"{kind}: found, replayed, minimised to {len(steps)} steps")


def main():
    engine = sys.argv[1]
    for kind in ["difference", "overflow"] + (["leak"] if engine == "libfuzzer" else []):
        check(engine, kind)


if __name__ == "__main__":
    main()
