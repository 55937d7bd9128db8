#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""triage.py TREE: memtrace triage sorts many inputs by bug, with the canary's planted bugs.

TREE is a build with sanitizers.  Inputs of one bug become one report, whatever kind of bug it is; what does not fail
is counted; a flaky failure is called so and nothing loops; an interrupted triage goes on; a full disk is told.
"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402

FAILING, SOUND = 60, 20
# One line an input: a region, perhaps others around it, and the bug's trigger.
START = "container r0 size 0x10000 owner none named plain\nspace as0 root r0 watched\n"
MORE = ["io r{n} size 0x{s:x} owner none named plain endian native\n", "ram r{n} size 0x{s:x} owner none kind ram\n"]


def require(condition, message):
    if not condition:
        sys.exit(message)


class Tool:
    def __init__(self, tree, work):
        self.memtrace = tree / "fuzzers/memtrace_canary"
        self.work = work

    def run(self, *arguments, kind=None, **more):
        environment = common.sanitizer_environment("libfuzzer")
        if kind:
            environment["CANARY"] = kind
        result = subprocess.run([str(a) for a in (self.memtrace, *arguments)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, cwd=common.ROOT, env=environment, timeout=300, **more)
        return result.returncode, result.stdout.decode(errors="replace")

    def pack(self, name, text):
        trace = self.work / "one.trace"
        trace.write_text(text)
        path = self.work / "inputs" / name
        path.parent.mkdir(exist_ok=True)
        code, output = self.run("pack", trace, "-o", path)
        require(code == 0, output)


def make_inputs(tool):
    choice = random.Random(1)
    for i in range(FAILING + SOUND):
        text = START
        for n in range(1, choice.randrange(2, 6)):
            text += choice.choice(MORE).format(n=n, s=0x1000 * choice.randrange(1, 4))
            text += f"add r0 r{n} at 0x{0x1000 * n:x} priority {n % 3}\n"
        if i < FAILING:
            text += "readonly r1 on\n"
        tool.pack(f"canary-crash-{i:03d}", text)


def folders(output):
    return sorted(path for path in output.iterdir() if path.is_dir())


def check_kind(tool, kind, key):
    output = tool.work / f"triage-{kind}"
    code, text = tool.run("triage", tool.work / "inputs", "-o", output, kind=kind)
    print(text)
    require(code == 1, f"{kind}: exit code {code}, 1 was expected")
    require(f"{FAILING + SOUND} inputs: {FAILING} fail, {SOUND} do not fail" in text, f"{kind}: wrong counts")
    require(len(folders(output)) == 1, f"{kind}: {len(folders(output))} groups, one was expected")
    report = (folders(output)[0] / "report.md").read_text()
    require(key in report.splitlines()[1], f"{kind}: the report's title is {report.splitlines()[1]}")
    steps = [line for line in (folders(output)[0] / "minimized.trace").read_text().splitlines()
             if line and not line.startswith(("#", "uses"))]
    require(len(steps) <= 5, f"{kind}: {len(steps)} steps are left")
    require(len((folders(output)[0] / "inputs.txt").read_text().split()) == FAILING,
            f"{kind}: inputs.txt is not complete")
    return output


def check_again(tool, output):
    code, text = tool.run("triage", tool.work / "inputs", "-o", output)
    require(code == 1 and "written earlier" in text, f"a second run does everything again:\n{text}")


def check_adopt(tool, output):
    corpora = tool.work / "corpora"
    (corpora / "canary").mkdir(parents=True)
    code, text = tool.run("triage", tool.work / "inputs", "-o", output, "--adopt", "--corpora", corpora)
    adopted = list((corpora / "canary/regressions").glob("*.trace"))
    require(code == 1 and len(adopted) == 1 and adopted[0].name in text, f"--adopt: {text}")
    code, _ = tool.run("run", adopted[0])
    require(code == 1, "--adopt: what was adopted does not fail")
    shutil.copy(tool.work / "inputs/canary-crash-000", tool.work / "nameless")
    code, text = tool.run("triage", tool.work / "nameless", "-o", tool.work / "nameless.out", "--adopt", "--corpora",
                          corpora)
    require(code == 2 and "give --target TARGET" in text, f"--adopt without a target: {text}")


def check_flaky(tool):
    output = tool.work / "triage-flaky"
    code, text = tool.run("triage", tool.work / "inputs", "-o", output, kind="flaky")
    require(code == 1 and FAILING > 0 and folders(output), f"flaky: {text}")
    report = (folders(output)[0] / "report.md").read_text()
    # By luck it may fail each time that it is tried; then it is no report of a flaky one, but a report.
    require("**flaky**" in report or "FAILED" in report, report)


def check_sound(tool):
    """With a core that has no bug, and with files that are no inputs."""
    sound = Tool(pathlib.Path(sys.argv[1]), tool.work)
    sound.memtrace = pathlib.Path(sys.argv[1]) / "harness/memtrace"
    code, text = sound.run("triage", tool.work / "inputs", "-o", tool.work / "sound")
    require(code == 0 and f"0 fail, {FAILING + SOUND} do not fail (any more)" in text, f"sound core: {code} {text}")
    strange = tool.work / "strange"
    strange.mkdir()
    (strange / "empty").write_bytes(b"")
    (strange / "short").write_bytes(b"\xff" * 7)
    (strange / "cut").write_bytes((tool.work / "inputs/canary-crash-000").read_bytes()[:-5])
    (strange / "foreign.trace").write_text("this is no trace\n")
    (strange / "noise").write_bytes(random.Random(2).randbytes(5000))
    code, text = sound.run("triage", strange, "-o", tool.work / "strange.out")
    require(code == 2 and "3 do not fail" in text and "2 could not be replayed" in text
            and "foreign.trace:1:1: " in text, f"strange files: {code} {text}")


def check_full_disk(tool):
    code, text = tool.run("triage", tool.work / "inputs", "-o", "/dev/full")
    require(code == 2, f"output that is no folder: {code} {text}")

    def no_space():
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    code, text = tool.run("triage", tool.work / "inputs/canary-crash-000", "-o", tool.work / "full",
                          preexec_fn=no_space)
    require(code == 2 and "cannot write" in text, f"full disk: {code} {text}")
    require(not [p for p in (tool.work / "full").rglob("*") if p.is_file()], "full disk: half-written files are left")


def check_interrupt(tool):
    output = tool.work / "interrupted"
    process = subprocess.Popen([str(tool.memtrace), "triage", str(tool.work / "inputs"), "-o", str(output)],
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=common.sanitizer_environment("libfuzzer"),
                               start_new_session=True, cwd=common.ROOT)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    code, text = tool.run("triage", tool.work / "inputs", "-o", output)
    require(code == 1 and len(folders(output)) == 1 and (folders(output)[0] / "report.md").exists(),
            f"after Ctrl-C: {text}")


def main():
    work = common.clean_work(common.BUILD / "triage")
    tool = Tool(pathlib.Path(sys.argv[1]), work)
    make_inputs(tool)
    output = check_kind(tool, None, "R-COAL-3")
    check_kind(tool, "overflow", "heap-buffer-overflow")
    check_again(tool, output)
    check_adopt(tool, output)
    check_flaky(tool)
    check_sound(tool)
    check_full_disk(tool)
    check_interrupt(tool)


if __name__ == "__main__":
    main()
