# SPDX-License-Identifier: GPL-2.0-or-later
"""Where mutants are compiled, linked and tested.  The trees are built once and never change: a mutant is one object
that is linked in front of libmemcore.a, whose own member is then not taken.  The sources are never touched."""
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

import common
import engines

FOLDER = common.BUILD / "mutants"
LIBRARY = "memcore/libmemcore.a"
# Start QEMU; or the memtrace that lies beside them: there is none beside a mutant, and it would not be one.
NOT_RUN = re.compile(r"install\.|rules\.|migration\.qemu|harness\.memtrace")
COMPILE_SECONDS = 120
LEFT_OUT_MAX = 3        # tests that do not pass as it is; one that waits for threads may be too slow on a busy machine
# A mistake that makes for endless allocation must not take the machine's memory.
RSS_LIMIT = "hard_rss_limit_mb=2000"
# What would be undefined behaviour of the mutant's own making is no mistake that a person gets past the compiler.
STRICT = ("-Werror=incompatible-pointer-types", "-Werror=int-conversion", "-Werror=implicit-function-declaration",
          "-Werror=uninitialized", "-Werror=int-to-pointer-cast")

Test = collections.namedtuple("Test", "name program arguments environment folder")


def digest(*folders, suffixes=None):
    """One hash of all files below folders."""
    total = hashlib.sha1()
    for folder in folders:
        for path in sorted((common.ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and (suffixes is None or path.suffix in suffixes):
                total.update(f"{path.relative_to(common.ROOT)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:16]


class Interrupted(Exception):
    pass


class Runner:
    """Runs commands that all end when it is told to stop."""

    def __init__(self):
        self.stopped = threading.Event()

    def run(self, command, seconds, folder, environment=None, output=subprocess.DEVNULL):
        """Exit code, or None for one that did not end in time."""
        if self.stopped.is_set():
            raise Interrupted
        with subprocess.Popen([str(c) for c in command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                              stdout=output, stderr=subprocess.STDOUT, start_new_session=True) as process:
            end = time.monotonic() + seconds
            while True:
                try:
                    code = process.wait(0.25)
                    break
                except subprocess.TimeoutExpired:
                    if self.stopped.is_set() or time.monotonic() > end:
                        code = None
                        break
            try:
                os.killpg(process.pid, signal.SIGKILL)      # children that it left, too
            except ProcessLookupError:
                pass
        if self.stopped.is_set():
            raise Interrupted
        return code


class Tree:
    """A built preset: how its sources are compiled, its programs linked, its tests run."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.commands = collections.defaultdict(list)       # source -> [(object, words)]
        for entry in json.loads((self.folder / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            if words[0].endswith("ccache"):
                words = words[1:]
            path = os.path.relpath(entry["file"], common.ROOT)
            self.commands[path].append((words[words.index("-o") + 1], words))
        self.commands.default_factory = None
        self.links, self.lock = {}, threading.Lock()

    def link_command(self, program):
        with self.lock:
            if program not in self.links:
                text = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", program], check=True,
                                      stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
                words = next((shlex.split(part) for part in text.split(" && ") if f"-o {program} " in part), None)
                self.links[program] = words
            return self.links[program]

    def tests(self):
        """What ctest runs with the label `unit` and links memcore, in ctest's order."""
        listing = json.loads(subprocess.run(["ctest", "--test-dir", self.folder, "--show-only=json-v1", "-L", "unit"],
                                            check=True, stdout=subprocess.PIPE, text=True).stdout)
        tests = []
        for entry in listing["tests"]:
            properties = {p["name"]: p["value"] for p in entry["properties"]}
            program = os.path.relpath(entry["command"][0], self.folder)
            if NOT_RUN.match(entry["name"]) or properties.get("DISABLED") or program.startswith(".."):
                continue
            link = self.link_command(program)
            if link and any(word.endswith(("libmemcore.a", "buffer.c.o")) for word in link):
                environment = dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
                tests.append(Test(entry["name"], program, entry["command"][1:], environment,
                                  properties["WORKING_DIRECTORY"]))
        return tests


def environment_of(test, scratch):
    environment = {**os.environ, **test.environment, "TMPDIR": str(scratch)}
    if "ASAN_OPTIONS" in test.environment:
        environment["ASAN_OPTIONS"] += f":{RSS_LIMIT}"
    return environment


class Reach:
    """Which tests a mutant is tried against, from what gcov counted.

    Lines alone would miss some: gcov knows no line whose code the compiler folded into another (`return true;` becomes
    a value on an edge), and a child that is killed writes no counters.  So they only say who comes first."""

    def __init__(self, executed, functions):
        """executed: {test: {path: lines}}, functions: {path: [(first line, last line)]}"""
        self.functions = functions
        self.tests_of = collections.defaultdict(set)
        for test, files in executed.items():
            for path, lines in files.items():
                for line in lines:
                    self.tests_of[path, line].add(test)

    def within(self, path, first, last):
        return set().union(*(self.tests_of.get((path, line), ()) for line in range(first, last + 1)))

    def tests_for(self, path, line):
        """Tests that execute the line; and the others, to be tried after them: those that execute its function, or,
        where no function is (a macro) or nobody seems to call it, anything of the file."""
        first = self.within(path, line, line)
        others = set().union(*(self.within(path, *span) for span in self.functions.get(path, ())
                               if span[0] <= line <= span[1]))
        if not others:
            others = set().union(*(tests for (file, _), tests in self.tests_of.items() if file == path))
        return first, others - first


class Lines(Reach):
    """Which test executes which line of memcore, and how long each takes: measured once, kept for the same sources."""

    def __init__(self, tree, runner, jobs):
        self.path = FOLDER / "lines.json"
        fingerprint = digest("memcore", "conformance", "harness", "fuzzers", "corpora", suffixes=None)
        try:
            kept = json.loads(self.path.read_text())
        except (OSError, ValueError):
            kept = {}
        if kept.get("fingerprint") != fingerprint or "functions" not in kept:
            kept = {"fingerprint": fingerprint, **self.measure(tree, runner, jobs)}
            self.path.write_text(json.dumps(kept) + "\n")
        self.seconds = kept["seconds"]
        super().__init__(kept["executed"], kept["functions"])

    def measure(self, tree, runner, jobs):
        counting = Tree(common.build("coverage"))
        print("measuring which test executes which lines", flush=True)
        seconds, executed, functions = {}, {}, collections.defaultdict(set)

        def one(test):
            scratch = common.clean_work(FOLDER / "lines" / test.name)
            environment = {**environment_of(test, scratch), "GCOV_PREFIX": str(scratch)}
            runner.run([counting.folder / test.program, *test.arguments], 300, test.folder, environment)
            return test.name, self.count(counting.folder, scratch)

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for name, (lines, spans) in pool.map(one, counting.tests()):
                executed[name] = lines
                for path, several in spans.items():
                    functions[path] |= several

        def usual(test):
            """Seconds, and whether it passes."""
            started = time.monotonic()
            scratch = common.clean_work(FOLDER / "lines" / test.name)
            code = runner.run([tree.folder / test.program, *test.arguments], 300, test.folder,
                              environment_of(test, scratch))
            return test.name, round(time.monotonic() - started, 3), code == 0

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for name, took, passed in pool.map(usual, tree.tests()):
                if passed:
                    seconds[name] = took
                else:
                    print(f"{name} fails without any mutant and is left out: "
                          f"ctest --test-dir {common.shown(tree.folder)} -R '^{name}$' --output-on-failure",
                          file=sys.stderr)
        shutil.rmtree(FOLDER / "lines")
        if len(executed) - len(seconds) > LEFT_OUT_MAX:
            common.die("too many tests fail without any mutant", 1)
        return {"seconds": seconds, "executed": executed,
                "functions": {p: sorted(spans) for p, spans in functions.items()}}

    @staticmethod
    def count(tree, scratch):
        """({path: lines executed}, {path: first and last lines of functions}) of a program of the folder `tree` that
        ran with GCOV_PREFIX=scratch."""
        inside = pathlib.Path(f"{scratch}{tree}")
        data = [p for p in inside.rglob("*.gcda") if "/memcore/" in str(p)[len(str(inside)):]]
        for path in data:
            note = path.with_suffix(".gcno")
            note.symlink_to(tree / note.relative_to(inside))
        if not data:
            return {}, {}
        text = subprocess.run(["gcov", "--stdout", "--json-format", *data], cwd=tree, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=True).stdout
        executed, functions = collections.defaultdict(set), collections.defaultdict(set)
        for row in text.splitlines():
            for file in json.loads(row)["files"]:
                path = os.path.relpath(os.path.join(tree, file["file"]), common.ROOT)
                if path.startswith("memcore/") and path.endswith(".c"):
                    executed[path] |= {line["line_number"] for line in file["lines"] if line["count"]}
                    functions[path] |= {(f["start_line"], f["end_line"]) for f in file["functions"]}
        return {path: sorted(lines) for path, lines in executed.items()}, functions


class Worker:
    """One place to make mutants in."""

    def __init__(self, number, tree, tests, lines, runner):
        self.folder = common.clean_work(FOLDER / f"worker-{number}")
        self.tree, self.tests, self.lines, self.runner = tree, tests, lines, runner
        self.originals = {}

    def compile(self, tree, path, text, output, words, *more):
        """Whether it compiles.  The copy has the same name in another folder; quoted includes look beside the
        original."""
        source = self.folder / "source" / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        words = [w for w in words if not w.startswith("-W") and w not in ("-g", "-gline-tables-only")]
        words[words.index("-o") + 1] = str(output)
        words[words.index("-c") + 1] = str(source)
        beside = (common.ROOT / path).parent
        code = self.runner.run([*words, "-iquote", beside, *STRICT, *more], COMPILE_SECONDS, tree.folder)
        return code == 0

    def optimised(self, path, text, name):
        """What an optimiser makes of it, as bytes, or None."""
        words = [w for w in self.tree.commands[path][0][1] if not w.startswith(("-fsanitize", "-fno-sanitize", "-O"))]
        output = self.folder / name
        return output.read_bytes() if self.compile(self.tree, path, text, output, words, "-O2", "-g0") else None

    def is_same(self, path, original, text):
        """None: no C.  True: the compiler makes the same of both."""
        if path not in self.originals:
            self.originals[path] = self.optimised(path, original, "original.o")
        code = self.optimised(path, text, "same.o")
        return None if code is None else code == self.originals[path]

    def link(self, tree, program, path, text, made):
        """The program with the mutant in it, or None.  `made`: objects of this mutant, by the original's name."""
        words = list(tree.link_command(program))
        own = {name: command for name, command in tree.commands[path]}
        wanted = next((name for name in own if name in words), None)
        if wanted is None:
            wanted = next(name for name in own if name.startswith("memcore/"))
        if wanted not in made:
            made[wanted] = self.folder / f"mutant-{len(made)}.o"
            if not self.compile(tree, path, text, made[wanted], own[wanted]):
                return None
        if wanted in words:
            words[words.index(wanted)] = str(made[wanted])
        else:
            words.insert(words.index(LIBRARY), str(made[wanted]))
        output = self.folder / "bin" / os.path.basename(program)
        output.parent.mkdir(exist_ok=True)
        words[words.index("-o") + 1] = str(output)
        return output if self.runner.run(words, COMPILE_SECONDS, tree.folder) == 0 else None

    def tested(self, mutant, text):
        """(name of the test that fails or None, how, names of the tests that ran)"""
        first, others = self.lines.tests_for(mutant.path, mutant.line)
        tests = [t for t in self.tests if t.name in self.lines.seconds and t.name in first | others]
        tests.sort(key=lambda t: (t.name not in first, self.lines.seconds[t.name]))
        made, ran = {}, []
        for test in tests:
            program = self.link(self.tree, test.program, mutant.path, text, made)
            if program is None:
                return None, "not linked", ran
            scratch = self.folder / "tmp"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            limit = max(10.0, 10 * self.lines.seconds[test.name])
            for _ in range(2):      # once may be chance, with threads
                code = self.runner.run([program, *test.arguments], limit, test.folder, environment_of(test, scratch))
                if code in (0, None):
                    break
            ran.append(test.name)
            if code != 0:
                return test.name, "did not end" if code is None else f"exit code {code}", ran
        return None, "", ran

    def fuzzed(self, fuzz_tree, mutant, text, seconds, targets):
        """(target that finds it or None, what engines could not do)"""
        table = common.targets()
        made, trouble = {}, ""
        for name in targets:
            home = self.folder / "fuzz"
            shutil.rmtree(home, ignore_errors=True)
            (home / "fuzzers/corpora").mkdir(parents=True)
            (home / "fuzzers/corpora" / name).symlink_to(fuzz_tree.folder / "fuzzers/corpora" / name)
            (home / "fuzzers" / f"{name}.dict").symlink_to(fuzz_tree.folder / "fuzzers" / f"{name}.dict")
            program = self.link(fuzz_tree, f"fuzzers/{name}", mutant.path, text, made)
            if program is None:
                return None, "clang does not link it"
            program.rename(home / "fuzzers" / name)
            campaign = engines.campaign("libfuzzer", table[name], home, home / "work", max(5, seconds // len(targets)),
                                        None, 1, 1, common.sanitizer_environment("libfuzzer"))
            campaign.start()
            while campaign.state == "running" and not self.runner.stopped.is_set():
                time.sleep(0.2)
                campaign.poll()
            if self.runner.stopped.is_set():
                campaign.finish("done")
                raise Interrupted
            if campaign.state == "found":
                return name, ""
            if campaign.state == "broken":
                trouble = campaign.trouble
        return None, trouble
