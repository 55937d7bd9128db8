# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/museum: real bugs of the past, put in again: which are found, by whom, and how soon?  See --help."""
import hashlib
import json
import os
import re
import shutil
import signal
import sys
import time

import common
import display
import engines
import hunt

SPECIFICATION = common.ROOT / "conformance/spec/bug-museum.md"
ABSENT = hunt.PLANTS / "absent.txt"
RESULTS = common.BUILD / "museum/results.json"
TESTS = "tests"                     # as an engine: conformance, by ctest
PLAIN_SECONDS = 10

EPILOG = """\
Each entry of conformance/spec/bug-museum.md is put into a copy of the sources (ci/plants), built, and hunted from the \
committed corpus by fuzzing, or by the conformance tests where no target reaches it.
  found       by a finding of the engine, or because a test fails
  triggered   what the mistake does differed from what is right, but nobody noticed
  reached     only the place of the mistake was

Exit code: 0 all found; 1 something was not, or an entry has neither patch nor reason; 2 wrong use; 130 interrupted.

Examples:
  ci/museum --list                       every entry, with its patches or why it has none
  ci/museum --time 30 mb-plen-on-null    one entry
  ci/museum --engine both                all; what build/museum/results.json has is not done again"""


# --- the map ------------------------------------------------------------------------

class Museum:
    def __init__(self):
        self.chapter = {}               # entry -> chapter, in the order of the specification
        chapter = None
        for line in SPECIFICATION.read_text().splitlines():
            chapter = line[3:] if line.startswith("## ") else chapter
            match = re.match(r"\*\*([\w-]+)\*\* D\d", line)
            if match:
                self.chapter[match[1]] = chapter
        self.plants = {entry: [] for entry in self.chapter}
        self.problems = []
        for plant in hunt.plants():
            for entry in plant.entries:
                if entry in self.plants:
                    self.plants[entry].append(plant)
                else:
                    self.problems.append(f"{plant.name}.patch: the museum has no entry \"{entry}\"")
        self.absent = {}
        for line in ABSENT.read_text().splitlines():
            if line.startswith("#") or not line:
                continue
            entry, _, reason = line.partition(" ")
            if entry not in self.chapter or not reason.strip():
                self.problems.append(f"{ABSENT.name}: \"{line}\" is not an entry of the museum and a reason")
            elif self.plants[entry]:
                self.problems.append(f"{ABSENT.name}: {entry} has a patch, {self.plants[entry][0].name}")
            self.absent[entry] = reason.strip()
        for entry in self.chapter:
            if not self.plants[entry] and entry not in self.absent:
                self.problems.append(f"{entry} has no patch (a line `# museum: {entry}`) and no reason in "
                                     f"{ABSENT.name}")

    def show(self):
        columns = (("entry", -31), ("hunted by", -26), ("patch, or why there is none", -10))
        print(display.row([name for name, _ in columns], columns))
        for entry in self.chapter:
            for plant in self.plants[entry]:
                print(display.row([entry, hunter(plant), plant.name], columns))
            if entry in self.absent:
                print(display.row([entry, "", self.absent[entry]], columns))
        planted = sum(1 for plants in self.plants.values() if plants)
        print(f"{len(self.chapter)} entries, {planted} of them in ci/plants, {len(self.absent)} with a reason why not")


def hunter(plant):
    return f"{plant.test.strip('^$')} ({plant.preset})" if plant.test else plant.target


# --- one hunt -----------------------------------------------------------------------

def fingerprint(folders):
    """Of what a result depends on besides the patch."""
    digest = hashlib.sha1()
    for folder in folders:
        for path in sorted((common.ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".md", ".pyc"):
                digest.update(path.relative_to(common.ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class Hunt:
    """A patch, and an engine or the tests."""

    def __init__(self, entry, plant, engine, seconds):
        self.entry, self.plant, self.engine, self.seconds = entry, plant, engine, seconds
        self.key = f"{entry} {plant.name} {engine}"
        self.notes = common.BUILD / "museum/notes" / f"{plant.name}-{engine}"
        self.campaign = None
        self.started = None

    def seen(self, what):
        """Seconds from the start until MUSEUM_REACHED or MUSEUM_TRIGGERED said so; None: never."""
        try:
            return max(0.0, os.stat(f"{self.notes}.{what}").st_mtime - self.started)
        except FileNotFoundError:
            return None

    def begin(self):
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        for what in ("reached", "triggered"):
            (self.notes.parent / f"{self.notes.name}.{what}").unlink(missing_ok=True)
        self.started = time.time()

    def result(self, found, **more):
        reached, triggered = self.seen("reached"), self.seen("triggered")
        state = ("found" if found else "triggered" if triggered is not None else "reached" if reached is not None
                 else "not reached")
        return {"entry": self.entry, "patch": self.plant.name, "engine": self.engine, "hunter": hunter(self.plant),
                "limit": self.seconds, "state": state, "reached": reached, "triggered": triggered, **more}

    def progress(self, line):
        seconds = time.time() - self.started
        c = self.campaign
        seen = [f"{what} after {self.seen(what):.1f} s" for what in ("reached", "triggered")
                if self.seen(what) is not None]
        line.update(", ".join([f"{self.entry}: {self.engine}, {self.plant.name}: {seconds:.0f} s",
                               *([f"{common.number(c.total('execs'))} executions"] if c and c.total("execs") else []),
                               *(seen or ["not reached yet"])]))

    def fuzz(self, copy, line):
        target = common.targets()[self.plant.target]
        tree = copy.build_target(self.engine, target)
        work = common.clean_work(copy.folder / "work" / f"{self.plant.name}-{self.engine}")
        environment = {**common.sanitizer_environment(self.engine), "MUSEUM_NOTES": str(self.notes)}
        self.campaign = c = engines.campaign(self.engine, target, tree, work, self.seconds, None, 1, 1, environment)
        self.begin()
        hunt.hunt(c, lambda: self.progress(line))
        if c.state == "broken":
            return {**self.result(False, seconds=c.elapsed(), execs=c.total("execs"), by="", said=c.trouble),
                    "state": "broken"}
        found = c.state == "found"
        return self.result(found, seconds=c.found_after if found else c.elapsed(), execs=c.total("execs"),
                           by=hunt.origin(c) if found else "", said=hunt.what_was_said(c) if found else "")

    def test(self, copy, line, limit):
        tree = copy.build_tests(self.plant)
        self.begin()
        passed, seconds, said = hunt.run_tests(tree, self.plant, limit, self.notes, lambda: self.progress(line))
        return self.result(not passed, seconds=seconds, execs=None, by="" if passed else "the tests",
                           said="" if passed else said)

    def run(self, copy, line):
        if self.plant.test:
            # They have to pass as long as nothing is wrong.
            tree = copy.build_tests(self.plant)
            self.begin()
            passed, usual, said = hunt.run_tests(tree, self.plant, hunt.TEST_SECONDS, None, lambda: self.progress(line))
            if not passed:
                return {**self.result(False, seconds=usual, execs=None, by="",
                                      said=f"fails without the bug too: {said}"),
                        "state": "broken"}
        elif self.engine not in copy.built:
            copy.build_target(self.engine, common.targets()[self.plant.target])
        applied, message = copy.patch(self.plant)
        if not applied:
            print(message, file=sys.stderr)
            return {**self.unbuilt("the patch does not apply; make it anew"), "spoilt": True}
        try:
            return self.test(copy, line, 5 + 3 * usual) if self.plant.test else self.fuzz(copy, line)
        except SystemExit:
            return self.unbuilt("it does not build with the bug; make the patch anew")
        finally:
            copy.patch(self.plant, "-R")

    def unbuilt(self, why):
        self.begin()
        return {**self.result(False, seconds=0.0, execs=None, by="", said=why), "state": "broken"}


# --- showing ------------------------------------------------------------------------

class Line:
    """On a terminal one line that is written again, else one now and then."""

    def __init__(self, out=sys.stdout):
        self.out, self.terminal, self.next = out, out.isatty(), 0.0

    def update(self, text):
        if self.terminal:
            self.out.write(f"\r\x1b[K{text[:shutil.get_terminal_size().columns - 1]}")
        elif not self.next:
            self.next = time.monotonic() + PLAIN_SECONDS
        elif time.monotonic() >= self.next:
            self.next = time.monotonic() + PLAIN_SECONDS
            self.out.write(text + "\n")
        self.out.flush()

    def end(self, text):
        self.out.write(f"\r\x1b[K{text}\n" if self.terminal else text + "\n")
        self.out.flush()
        self.next = 0.0


COLUMNS = (("entry", -31), ("hunted by", -25), ("with", -9), ("result", -11), ("reached", 7), ("triggered", 9),
           ("seconds", 7), ("executions", 11), ("by", -18), ("as", -10))


def seconds_of(value):
    return "-" if value is None else f"{value:.1f}"


def cells(result):
    return (result["entry"], result["hunter"], result["engine"], result["state"], seconds_of(result["reached"]),
            seconds_of(result["triggered"]), seconds_of(result["seconds"]), common.number(result["execs"]),
            result["by"], result["said"])


def summary(result):
    what = {"found": f"found after {result['seconds']:.1f} s by {result['by']}: {result['said']}",
            "triggered": f"NOT FOUND in {result['seconds']:.0f} s, "
                         f"although triggered after {seconds_of(result['triggered'])} s",
            "reached": f"NOT FOUND in {result['seconds']:.0f} s: "
                       f"reached after {seconds_of(result['reached'])} s, never triggered",
            "not reached": f"NOT FOUND in {result['seconds']:.0f} s: not reached",
            "broken": f"BROKEN: {result['said']}"}[result["state"]]
    return f"{result['entry']}: {result['engine']}: {what}"


def table(museum, entries, results):
    print("\n" + display.row([name for name, _ in COLUMNS], COLUMNS))
    for result in results:
        print(display.row(cells(result), COLUMNS))
    for result in results:
        if result["state"] == "found" and result["triggered"] is None:
            print(f"note: {result['entry']} was found, but {result['patch']}.patch never said so (MUSEUM_TRIGGERED)")
    tried = {result["entry"] for result in results}
    found = {e for e in tried if all(r["state"] == "found" for r in results if r["entry"] == e)}
    absent = [entry for entry in entries if entry in museum.absent]
    print(f"{len(found)} of {len(tried)} entries found"
          + (f"; {len(absent)} have no patch (ci/museum --list)" if absent else ""))
    for entry in (e for e in entries if e in tried - found):
        print(f"  not found: {entry}")
    return found == tried


# --- the command --------------------------------------------------------------------

def arguments(museum):
    parser = common.parser(
        "ci/museum",
        description="Puts real bugs of the past into a copy of memcore and measures whether, by whom and how soon "
                    "each is found.",
        epilog=EPILOG)
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="entries of the museum (default: all)")
    parser.add_argument("--time", default="60", metavar="SECONDS", help="for each patch and engine (default: 60)")
    parser.add_argument("--engine", default="libfuzzer", help="libfuzzer, afl or both (default: libfuzzer)")
    parser.add_argument("--fresh", action="store_true", help="do what has a result again")
    parser.add_argument("--list", action="store_true", help="print the map of entries and patches, and end")
    options = parser.parse_args()
    if options.engine not in (*engines.ENGINES, "both"):
        common.die(f"unknown engine \"{options.engine}\"; there are: libfuzzer, afl, both")
    options.engine = engines.ENGINES if options.engine == "both" else (options.engine,)
    if not options.time.isdigit() or not 1 <= int(options.time) < 2 ** 31:
        common.die(f"--time {options.time}: a number from 1 was expected")
    options.time = int(options.time)
    for entry in options.entries:
        if entry not in museum.chapter:
            common.die(f"the museum has no entry \"{entry}\"; ci/museum --list names them")
        if entry in museum.absent:
            common.die(f"{entry} has no patch: {museum.absent[entry]}")
    options.entries = list(dict.fromkeys(options.entries)) or list(museum.chapter)
    return options


def load_results():
    try:
        return json.loads(RESULTS.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}


def save_results(results):
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    new = RESULTS.with_suffix(".new")
    new.write_text(json.dumps(results, indent=1) + "\n")
    new.replace(RESULTS)


def hunts_of(museum, options):
    for entry in options.entries:
        for plant in museum.plants[entry]:
            for engine in (TESTS,) if plant.test else options.engine:
                yield Hunt(entry, plant, engine, options.time)


def main():
    museum = Museum()
    options = arguments(museum)
    if options.list:
        museum.show()
    if museum.problems:
        common.die("\n  ".join(museum.problems), 1)
    if options.list:
        return
    common.install_packages("fuzz", "test")
    kept = load_results()
    sources = {True: fingerprint(("memcore", "conformance")),
               False: fingerprint(("memcore", "harness", "fuzzers", "corpora"))}
    results, copy, line = [], None, Line()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        for one in hunts_of(museum, options):
            state = f"{sources[bool(one.plant.test)]} {hashlib.sha1(one.plant.path.read_bytes()).hexdigest()[:16]}"
            old = None if options.fresh else kept.get(one.key)
            if old and old["of"] == state and (
                    old["state"] == "found" or old["state"] != "broken" and old["limit"] >= one.seconds):
                results.append(old)
                continue
            copy = copy or hunt.Copy()
            result = one.run(copy, line)
            if result.pop("spoilt", False):
                copy.lock.close()
                copy = None
            kept[one.key] = {**result, "of": state}
            save_results(kept)
            results.append(result)
            line.end(summary(result))
    except KeyboardInterrupt:
        line.end("interrupted; the same command goes on from here")
        table(museum, options.entries, results)
        sys.exit(130)
    sys.exit(0 if table(museum, options.entries, results) else 1)


if __name__ == "__main__":
    main()
