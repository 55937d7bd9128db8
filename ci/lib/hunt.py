# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs that are put into a copy of the sources, and the hunt for them there: what ci/plant and ci/museum share."""
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time

import common
import findings

PLANTS = common.ROOT / "ci/plants"
TRACKED = ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "ci", "conformance", "corpora", "fuzzers", "harness",
           "memcore")
KEYS = ("museum", "target", "test", "preset", "build", "environment")
TEST_SECONDS = 300      # for tests without a bug; what takes longer hangs
POLL_SECONDS = 0.1
FAILS = re.compile(r"^(\d+: )?(not ok |.*(ERROR|WARNING): \w+Sanitizer)", re.M)


class Plant:
    """A patch of ci/plants and what the lines before its diff say (ci/plants/README.md)."""

    def __init__(self, path):
        text = path.read_text()
        lines = text.splitlines()
        self.path, self.name = path, path.stem
        self.comments = [line[2:] for line in lines[:lines.index(next(x for x in lines if x.startswith("--- ")))]]
        self.entries = self.all("museum")
        self.target, self.test = self.one("target"), self.one("test")
        self.preset = self.one("preset") or "dev"
        self.arguments = (self.one("build") or "").split()
        self.environment = dict(word.split("=", 1) for word in (self.one("environment") or "").split())

    def all(self, key):
        return [line[len(key) + 1:].strip() for line in self.comments if line.startswith(key + ":")]

    def one(self, key):
        return next(iter(self.all(key)), None)


def plants():
    return [Plant(path) for path in sorted(PLANTS.glob("*.patch"))]


class Copy:
    """The sources again, where bugs come and go; each tree is built there once and then incrementally."""

    def __init__(self):
        self.folder = common.BUILD / "plant"
        common.make_folder(self.folder)
        self.lock = open(self.folder / "lock", "w")     # until it is closed, or the process ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            common.die(f"another ci/plant or ci/museum is at work in {common.shown(self.folder)}", 1)
        self.source = self.folder / "source"
        self.built = set()
        wanted = set()
        for name in TRACKED:
            for path in [common.ROOT / name, *(common.ROOT / name).rglob("*")]:
                if path.is_file() and "__pycache__" not in path.parts:
                    wanted.add(path.relative_to(common.ROOT))
        for path in [p for p in self.source.rglob("*") if p.is_file() and p.relative_to(self.source) not in wanted]:
            path.unlink()
        for name in wanted:
            # Equal files keep their times: little is compiled again, but always what the last run's patch had changed.
            copy = self.source / name
            if not copy.is_file() or copy.read_bytes() != (common.ROOT / name).read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(common.ROOT / name, copy)

    def patch(self, plant, *flags):
        """(worked, what patch says)"""
        result = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-s", *flags, "-i", plant.path],
                                cwd=self.source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return result.returncode == 0, result.stdout

    def configure_and_build(self, preset, name, arguments, programs):
        # So that patches may say MUSEUM_TRIGGERED(...), and normal builds know nothing of it.
        hook = f"-DCMAKE_PROJECT_INCLUDE={self.source}/ci/cmake/museum.cmake"
        tree = common.build(preset, self.folder / name, (hook, *arguments), self.source, programs)
        self.built.add(name)
        return tree

    def build_target(self, engine, target, name=None, arguments=()):
        """The engine's tree build/plant/NAME: all of it the first time, then the target only."""
        name = name or engine
        if name not in self.built:
            self.configure_and_build(engine, name, arguments, ())
        common.build_programs(self.folder / name, (target.name, f"replay_{target.name}"))
        return self.folder / name

    def build_tests(self, plant):
        """The tree where a plant's tests can run.  But for replays, programs are called like their tests."""
        name = "-".join([plant.preset, *(re.sub(r"\W", "", argument) for argument in plant.arguments)])
        if name not in self.built:
            self.configure_and_build(plant.preset, name, plant.arguments, ("memcore",))
        listed = subprocess.run(["ctest", "--test-dir", self.folder / name, "--show-only=json-v1", "-R", plant.test],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        programs = []
        for test in json.loads(listed)["tests"]:
            kind, _, what = test["name"].partition(".")
            programs += [f"replay_{what}", f"corpus_{what}"] if kind == "replay" else [test["name"]]
        if not programs:
            common.die(f"{plant.name}: no test is called {plant.test}", 1)
        common.build_programs(self.folder / name, programs)
        return self.folder / name


# --- fuzzing ----------------------------------------------------------------------

def leave_out_failing(campaign, folder):
    """Only the seeds that pass; returns how many do not."""
    folder.mkdir()
    failing = 0
    for path in campaign.seeds.iterdir():
        result = subprocess.run([campaign.replayer, path], env=campaign.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if result.returncode == 0:
            shutil.copyfile(path, folder / path.name)
        failing += result.returncode != 0
    campaign.seeds = folder
    return failing


def leave_out_all(campaign, folder):
    """No corpus.  AFL++ has to start from something: one empty step, with the groups that the committed inputs use."""
    folder.mkdir()
    if campaign.engine == "afl":
        groups = 0
        for path in campaign.seeds.iterdir():
            groups |= int.from_bytes(path.read_bytes()[:4], "little")
        (folder / "nothing").write_bytes(groups.to_bytes(4, "little") + bytes(4 + 28))
    campaign.seeds = folder


def origin(campaign):
    """A committed input, or one that the engine made."""
    if not campaign.finding:
        return "the warm-up"
    found = campaign.finding.read_bytes()
    return next((f"seed {path.name}" for path in campaign.seeds.iterdir() if path.read_bytes() == found), "the engine")


def fails_at_once(campaign):
    """Before it takes an input: in the trace that warms it up."""
    try:
        return subprocess.run([campaign.replayer, campaign.seeds], env=campaign.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=findings.REPLAY_SECONDS).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def hunt(campaign, progress=lambda: None):
    try:
        campaign.start()
        while campaign.state == "running":
            time.sleep(POLL_SECONDS)
            campaign.poll()
            progress()
    finally:
        for process in campaign.processes:
            process.end()
    if campaign.state == "broken" and fails_at_once(campaign):
        campaign.state, campaign.finding, campaign.found_after = "found", None, campaign.elapsed()
    return campaign


def telling_line(output, otherwise):
    """The line that names the rule, for the table."""
    lines = [line.strip() for line in findings.report_lines(output) if line.strip()]
    telling = [line for line in lines if line.startswith(("FAILED", "memcore: ")) or "ERROR: " in line
               or "runtime error: " in line]
    return (telling or lines or [otherwise])[0][:90]


def what_was_said(campaign):
    if not campaign.finding:
        return telling_line("\n".join(campaign.last_lines(1000)), "it fails when it starts")
    finding = findings.Finding(campaign)
    _, output = finding.run([campaign.replayer, finding.input], findings.REPLAY_SECONDS)
    finding.input.unlink()
    return telling_line(output, "(the replay says nothing)")


# --- tests ------------------------------------------------------------------------

def run_tests(tree, plant, limit, notes=None, progress=lambda: None):
    """(passed, seconds, what was said).  The first case that fails ends it; what takes longer than the limit hangs,
    which is a failure."""
    environment = {**os.environ, **plant.environment}
    if notes:
        environment["MUSEUM_NOTES"] = str(notes)
    log = tree / "plant-tests.log"
    started = time.monotonic()
    hangs = failed = False
    with open(log, "w") as out, subprocess.Popen(
            ["ctest", "--test-dir", tree, "--verbose", "--no-tests=error", "-R", plant.test],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True) as process:
        try:
            while process.poll() is None and not failed and not hangs:
                time.sleep(POLL_SECONDS)
                progress()
                failed = FAILS.search(log.read_text(errors="replace"))
                hangs = not failed and time.monotonic() - started > limit
        finally:
            for pid in common.session(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    seconds = time.monotonic() - started
    if hangs:
        return False, seconds, f"hangs: no end after {seconds:.0f} s"
    text = log.read_text(errors="replace")
    cases = re.findall(r"not ok \S+ (/\S+)", text)
    said = re.search(r"(FAILED R-|(ERROR|WARNING): \w+Sanitizer|runtime error: |Bail out! |"
                     r"memcore: (?!warning: )|\*\*\*Timeout).*$", text, re.M)
    return not failed and process.returncode == 0, seconds, " ".join([*cases[:1], *([said[0]] if said else [])])[:90]
