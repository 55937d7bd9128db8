# SPDX-License-Identifier: GPL-2.0-or-later
"""One fuzzing campaign: a target, an engine, some processes.  Started, asked for figures, ended."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import common

ENGINES = ("libfuzzer", "afl")
ARTIFACT = re.compile(r"(crash|leak|timeout|oom)-[0-9a-f]{6,}$")     # libFuzzer's slow-unit- is only a remark
LIBFUZZER_LINE = re.compile(r"#(\d+)\s+(\w+)\s+cov: (\d+) ft: \d+ corp: (\d+)/\S+.*?exec/s: (\d+) rss: (\d+)Mb")
SEEDS_SECONDS = 60      # for all of a target's seeds together; they take a second or two
HISTORY_POINTS = 200
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def lines_since(path, position):
    """New whole lines of a log that is being written, and where to go on."""
    try:
        with open(path, "rb") as log:
            log.seek(position)
            data = log.read()
    except FileNotFoundError:
        return [], position
    end = data.rfind(b"\n") + 1
    return data[:end].decode(errors="replace").splitlines(), position + end


class Process:
    """One engine process with its log and its harness's statistics."""

    def __init__(self, command, environment, folder, name):
        self.log = folder / f"{name}.log"
        self.stats_file = folder / f"{name}.stats"
        self.stats_file.unlink(missing_ok=True)
        self.log_position = 0
        self.execs = self.steps = self.skipped = self.edges = self.corpus = self.checked = None
        self.rss_mb = 0.0
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env={**environment, "HARNESS_STATS_FILE": str(self.stats_file)}, cwd=folder, start_new_session=True)

    def running(self):
        return self.process.poll() is None

    def read_harness_stats(self):
        figures = common.harness_stats(self.stats_file)
        if figures:
            self.execs = max(self.execs or 0, figures["execs"])
            self.steps, self.skipped, self.checked = (figures[k] for k in ("steps", "skipped", "checked"))

    def read_rss(self):
        """Resident size of the target: of the whole session, because AFL++'s target is a grandchild."""
        total = 0.0
        for pid in self.session():
            try:
                total = max(total, int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MB)
            except (OSError, IndexError):
                pass
        self.rss_mb = total

    def session(self):
        return common.session(self.process.pid)

    def end(self, patience=5):
        """Ask first; the session so that no forked target is left behind."""
        for number in (signal.SIGINT, signal.SIGKILL):
            if self.running():
                try:
                    os.killpg(self.process.pid, number)
                    self.process.wait(patience)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass
        for pid in self.session():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Campaign:
    """Base of both engines.  `state` is waiting, running, done, found or broken (then `trouble` says why)."""
    engine = None

    def __init__(self, target, tree, folder, seconds, corpus, workers=1, seed=None, environment=None):
        self.target, self.tree, self.folder = target, pathlib.Path(tree), pathlib.Path(folder)
        self.seconds, self.workers, self.seed = seconds, workers, seed
        self.corpus_kept = corpus           # grows from run to run; None: only the committed corpus
        self.environment = environment
        self.program = self.tree / "fuzzers" / target.name
        self.replayer = self.tree / "fuzzers" / f"replay_{target.name}"
        self.seeds = self.tree / "fuzzers/corpora" / target.name
        self.dictionary = self.tree / "fuzzers" / f"{target.name}.dict"
        self.state, self.trouble = "waiting", None
        self.finding, self.kind = None, "crash"     # the input's path; crash, leak, timeout or oom
        self.processes = []
        self.started = self.ended = self.found_after = None
        self.samples = []                   # (time, execs, checked) of the last seconds
        self.history = []                   # of the whole run, thinned out as it grows; for ci/report
        self.rate = self.checked_rate = None
        self.peak_mb, self.peak_late_mb = 0.0, 0.0     # whole run; second half
        self.stability, self.mode = None, ""

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
        self.state = "running"
        self.launch()

    def left(self):
        return max(0.0, self.seconds - (time.monotonic() - self.started)) if self.started else float(self.seconds)

    def elapsed(self):
        return (self.ended or time.monotonic()) - self.started

    def total(self, name):
        values = [getattr(p, name) for p in self.processes if getattr(p, name) is not None]
        return sum(values) if values else None

    def most(self, name):
        return max((getattr(p, name) for p in self.processes if getattr(p, name) is not None), default=None)

    def average(self, name):
        total = self.total(name)
        return None if total is None or not self.started else total / max(self.elapsed(), 0.001)

    def poll(self):
        if self.state != "running":
            return
        for process in self.processes:
            self.read(process)
            process.read_harness_stats()
            process.read_rss()
        memory = max((p.rss_mb for p in self.processes), default=0.0)
        self.peak_mb = max(self.peak_mb, memory)
        if self.elapsed() > self.seconds / 2:
            self.peak_late_mb = max(self.peak_late_mb, memory)
        self.measure()
        self.remember()
        self.finding = self.finding or self.find_artifact()
        if self.finding:
            self.finish("found")
        elif not any(p.running() for p in self.processes):
            self.check_end()
        elif self.elapsed() > self.seconds + 60:
            self.trouble = "did not end by itself"
            self.finish("broken")

    def measure(self):
        """Rates over the last few seconds: what people want to see move."""
        now = time.monotonic()
        self.samples.append((now, self.total("execs"), self.total("checked")))
        while self.samples[0][0] < now - 10 and len(self.samples) > 2:
            self.samples.pop(0)
        first, last = self.samples[0], self.samples[-1]
        span = last[0] - first[0]
        if span > 0.5:
            for index, name in ((1, "rate"), (2, "checked_rate")):
                if last[index] is not None:
                    setattr(self, name, (last[index] - (first[index] or 0)) / span)

    def remember(self):
        row = {"seconds": round(self.elapsed(), 1), "execs": self.total("execs"), "checked": self.total("checked"),
               "edges": self.most("edges"), "corpus": self.most("corpus"), "mb": round(self.peak_mb)}
        step = self.seconds / HISTORY_POINTS
        if row["edges"] is not None and (not self.history or row["seconds"] >= self.history[-1]["seconds"] + step):
            self.history.append(row)

    def finish(self, state):
        self.ended = time.monotonic()
        if state == "found":
            self.found_after = self.ended - self.started
        for process in self.processes:
            process.end()
            self.read(process)
            process.read_harness_stats()
        self.state = state

    def check_end(self):
        codes = [p.process.returncode for p in self.processes]
        if any(codes):
            self.trouble = f"exit code {next(c for c in codes if c)} without a finding"
            self.finish("broken")
        elif not self.total("execs"):
            self.trouble = "nothing was executed"
            self.finish("broken")
        else:
            self.finish("done")
            self.check_done()

    def check_done(self):
        pass

    def last_lines(self, count=15):
        lines = []
        for process in self.processes:
            try:
                lines += process.log.read_text(errors="replace").splitlines()[-count:]
            except OSError:
                pass
        return lines


class LibFuzzer(Campaign):
    engine = "libfuzzer"

    def launch(self):
        artifacts = self.folder / "artifacts"
        artifacts.mkdir(exist_ok=True)
        corpus = self.corpus_kept or self.folder / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for worker in range(self.workers):
            command = [self.program, f"-max_total_time={self.seconds}", f"-max_len={self.target.max_len}",
                       "-timeout=10",
                       "-rss_limit_mb=2560", f"-artifact_prefix={artifacts}/", f"-dict={self.dictionary}",
                       "-print_final_stats=1", "-reload=1"]
            if self.seed is not None:
                command.append(f"-seed={self.seed + worker}")
            self.processes.append(Process(command + [corpus, self.seeds], self.environment, self.folder,
                                          f"libfuzzer-{worker}"))

    def read(self, process):
        lines, process.log_position = lines_since(process.log, process.log_position)
        for line in lines:
            match = LIBFUZZER_LINE.match(line)
            if match:
                process.execs = max(process.execs or 0, int(match[1]))
                process.edges, process.corpus = int(match[3]), int(match[4])
            elif line.startswith("stat::number_of_executed_units:"):
                process.execs = int(line.split()[-1])
            elif line.startswith("stat::peak_rss_mb:"):
                self.peak_mb = max(self.peak_mb, float(line.split()[-1]))

    def find_artifact(self):
        found = [p for p in (self.folder / "artifacts").iterdir() if ARTIFACT.match(p.name)]
        # libFuzzer writes the file and then its report; wait for the end of the process that found it.
        if found and any(not p.running() for p in self.processes):
            self.kind = sorted(found)[0].name.split("-")[0]
            return sorted(found)[0]
        return None


def afl_stability(row):
    """The share in percent of AFL++'s edges that behave the same in every run of an input, from the rows of
    a fuzzer_stats; None when that was read half written.

    Not from its row "stability": that is 0.00 % in the first file of a run, whose figures nobody has computed
    yet, and an old one in the last.  The counts are those of the moment of writing."""
    varying, edges = row.get("var_byte_count", ""), row.get("edges_found", "")
    if not varying.isdigit() or not edges.isdigit() or "command_line" not in row:
        return None
    return 100 * (1 - int(varying) / max(int(edges), int(varying), 1))


class Afl(Campaign):
    engine = "afl"

    def launch(self):
        # AFL++ skips a seed that crashes and goes on; to us that is a finding.  Its own binary must not
        # replay: it takes file names that start with a digit for a number of runs.
        inputs = self.folder / "in"
        inputs.mkdir(exist_ok=True)
        for folder in (self.seeds, self.corpus_kept):
            if folder and folder.is_dir():
                for path in folder.iterdir():
                    if path.stat().st_size:
                        shutil.copyfile(path, inputs / path.name)
        with open(self.folder / "seeds.log", "wb") as log:
            try:
                code = subprocess.run([self.replayer, inputs], stdout=log, stderr=log, env=self.environment,
                                      stdin=subprocess.DEVNULL, timeout=SEEDS_SECONDS).returncode
            except subprocess.TimeoutExpired:
                code, self.kind = None, "timeout"
        if code != 0:
            running = [line.split(": running ")[1]
                       for line in (self.folder / "seeds.log").read_text(errors="replace").splitlines()
                       if ": running " in line]
            self.finding = pathlib.Path(running[-1]) if running else None
            self.trouble = None if running else "the committed corpus cannot be replayed, see seeds.log"
            return
        for worker in range(self.workers):
            # Only secondaries: a main one spends its first hours on walking bits.
            command = ["afl-fuzz", "-i", inputs, "-o", self.folder / "out", "-S", f"w{worker}", "-V", self.seconds,
                       "-t", "5000+", "-G", self.target.max_len, "-x", self.dictionary]
            if self.seed is not None:
                command += ["-s", self.seed + worker]
            # Its files are written once a minute; its metrics, once a second.
            metrics = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            metrics.bind(("127.0.0.1", 0))
            metrics.setblocking(False)
            environment = {**self.environment, "AFL_STATSD": "1", "AFL_STATSD_PORT": str(metrics.getsockname()[1])}
            mutator = self.tree / "fuzzers/libmutator_afl.so"
            # Measured: AFL++ finds planted bugs sooner with it (harness/mutate).
            if self.target.input == "trace" and self.environment.get("HARNESS_AFL_MUTATOR") != "0" and mutator.exists():
                environment |= {"AFL_CUSTOM_MUTATOR_LIBRARY": str(mutator), "HARNESS_MAX_LEN": str(self.target.max_len)}
            process = Process(command + ["--", self.program], environment, self.folder, f"afl-{worker}")
            process.output, process.metrics = self.folder / "out" / f"w{worker}", metrics
            self.processes.append(process)

    def poll(self):
        if self.state == "running" and not self.processes:
            self.finish("found" if self.finding else "broken")
        super().poll()

    def read(self, process):
        row = {}
        try:
            while True:
                row.update(re.findall(r"fuzzing\.(\w+):(\d+)\|g",
                                      process.metrics.recv(1 << 16).decode(errors="replace")))
        except OSError:
            pass                # nothing new
        self.take(process, row)
        try:
            text = (process.output / "fuzzer_stats").read_text()
        except OSError:
            return
        row = dict(line.replace(" ", "").split(":", 1) for line in text.splitlines() if ":" in line)
        self.take(process, row)
        stability = afl_stability(row)
        if stability is not None:
            self.stability = stability if self.stability is None else min(stability, self.stability)
            self.mode = row.get("target_mode", "")

    @staticmethod
    def take(process, row):
        if all(row.get(key, "").isdigit() for key in ("execs_done", "edges_found", "corpus_count")):
            process.execs = max(process.execs or 0, int(row["execs_done"]))
            process.edges = max(process.edges or 0, int(row["edges_found"]))
            process.corpus = max(process.corpus or 0, int(row["corpus_count"]))

    def find_artifact(self):
        for process in self.processes:
            for kind in ("crashes", "hangs"):
                folder = process.output / kind
                found = sorted(p for p in folder.iterdir() if p.name.startswith("id:")) if folder.is_dir() else []
                if found:
                    self.kind = "timeout" if kind == "hangs" else "crash"
                    return found[0]
        return None

    def check_done(self):
        """Anything below 100 % means that an input does not always do the same."""
        if not all(word in self.mode for word in ("persistent", "shmem_testcase", "deferred")):
            self.trouble = f"AFL++ runs the target as \"{self.mode}\": " \
                           "persistent, shmem_testcase, deferred were expected"
            self.state = "broken"
        if self.stability is not None and self.stability < 100:
            self.trouble = f"stability {self.stability:.1f} %: inputs are not deterministic"
            self.state = "broken"


def campaign(engine, *arguments, **named):
    return {"libfuzzer": LibFuzzer, "afl": Afl}[engine](*arguments, **named)
