# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/mutants: would the tests notice?  Puts small mistakes into memcore, one at a time.  See --help."""
import collections
import json
import os
import pathlib
import queue
import random
import signal
import subprocess
import sys
import threading
import time

import common
import display
import mutant_tree
import mutate_c

FOLDER = mutant_tree.FOLDER
RESULTS, REPORT = FOLDER / "results.json", FOLDER / "report.md"
EQUIVALENT = common.ROOT / "ci/mutants.equivalent"
# Checks of memcore by itself, and what prints for people when one fails: no test can notice a missing check.
NOT_MUTATED = {"memcore/region/verify.c", "memcore/topology/verify.c"}
CHAPTERS = {"base": "regions-and-flatview", "region": "regions-and-flatview", "flatview": "regions-and-flatview",
            "topology": "regions-and-flatview", "access": "access-and-iommu", "iommu": "access-and-iommu",
            "ram": "ram-and-dirty", "migration": "migration"}
FUZZ_TARGETS_MAX = 3
JUDGED = ("killed", "fuzzed", "survived")
COLUMNS = (("", -34), ("mutants", 7), ("killed", 7), ("by fuzzing", 10), ("survived", 8), ("tests' score", 12))


def arguments():
    parser = common.parser(
        "ci/mutants",
        description="Puts small mistakes into memcore, one at a time: comparisons, bounds, constants, dropped "
                    "statements, negated conditions, arguments that are swapped or lost, missing locks and "
                    "references.  Each is run against the replays of the corpora and the conformance tests that "
                    "execute its line, or at least its function; what survives is fuzzed.  Mistakes that do not "
                    "compile, or of which the compiler makes the same code, do not count; nor do those of "
                    "ci/mutants.equivalent, which says why no test can notice them.",
        epilog="Interrupted, the same command goes on where it stopped.\n"
               "Results: build/mutants/results.json, report.md.\n"
               "Exit code: 0 done (and --min reached), 1 not, 2 wrong use, 130 interrupted.\n\n"
               "Example: ci/mutants --sample 200 --seed 1")
    parser.add_argument("--sample", metavar="N", help="judge N mutants, drawn at random (default: 200)")
    parser.add_argument("--seed", default="1", metavar="S", help="what the sample is drawn with (default: 1)")
    parser.add_argument("--all", action="store_true", help="judge all mutants (many hours)")
    parser.add_argument("--survivors", action="store_true",
                        help="judge again those that survived earlier: did the new tests kill them?")
    parser.add_argument("--file", action="append", default=[], metavar="PATH",
                        help="only mutants of memcore/.../NAME.c; repeatable")
    parser.add_argument("--kind", action="append", default=[], choices=mutate_c.KINDS, metavar="KIND",
                        help="only mistakes of this kind; repeatable: " + ", ".join(mutate_c.KINDS))
    parser.add_argument("--fuzz", default="30", metavar="SECONDS",
                        help="for each survivor; 0: not at all (default: 30)")
    parser.add_argument("--min", default="0", metavar="PERCENT", help="fail if the tests' score is less")
    parser.add_argument("--jobs", default=str(os.cpu_count() or 1), metavar="N",
                        help="mutants at a time (default: processors)")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--check", action="store_true", help="only: does ci/mutants.equivalent fit the sources?")
    parser.add_argument("--list", action="store_true",
                        help="only: print the mutants, in the order they would be judged")
    options = parser.parse_args()
    if options.all + options.survivors + (options.sample is not None) > 1:
        common.die("--all, --sample and --survivors exclude each other")
    if options.survivors and options.fresh:
        common.die("--fresh forgets the --survivors")
    options.sample = "200" if options.sample is None else options.sample
    for name, least in (("sample", 1), ("seed", 0), ("fuzz", 0), ("min", 0), ("jobs", 1)):
        value = getattr(options, name)
        if not value.isdigit() or not least <= int(value) < 2 ** 31:
            common.die(f"--{name} {value}: a number from {least} was expected")
        setattr(options, name, int(value))
    if options.check and (options.file or options.kind):
        common.die("--check looks at all mutants: give it without --file and --kind")
    for path in options.file:
        if not (common.ROOT / path).is_file() or not path.startswith("memcore/") or not path.endswith(".c"):
            common.die(f"--file {path}: a .c file of memcore was expected, like memcore/access/map.c")
    return options


def sources(options):
    """{path: text} of what is mutated."""
    paths = options.file or [str(p.relative_to(common.ROOT)) for p in sorted((common.ROOT / "memcore").rglob("*.c"))]
    return {path: (common.ROOT / path).read_text() for path in paths if path not in NOT_MUTATED}


def read_equivalent():
    """{(path, function, old line, new line): reason}"""
    entries, place, old, new = {}, None, None, None
    for number, line in enumerate(EQUIVALENT.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        mark, _, rest = line.partition(" ")
        if mark == "-":
            old = rest
        elif mark == "+":
            new = rest
        elif mark == "=" and place and old is not None and new is not None and rest.strip():
            entries[(*place, old, new)] = rest.strip()
            old = new = None
        elif line.startswith("memcore/") and len(line.split()) == 2:
            place = line.split()
        else:
            common.die(f"ci/mutants.equivalent:{number}: `memcore/PATH FUNCTION`, then `- line`, `+ line` and "
                       "`= reason` were expected", 1)
    return entries


def check_equivalent(mutants, entries):
    known = {(m.path, m.function, m.old, m.new) for m in mutants}
    stale = [key for key in entries if key not in known]
    for path, function, old, new in stale:
        print(f"ci/mutants.equivalent: {function} in {path} has no mutant any more of\n  - {old}\n  + {new}",
              file=sys.stderr)
    print(f"{len(mutants)} mutants, {len(entries)} listed as equivalent, {len(stale)} of them stale")
    return not stale


class Results:
    """What is known of each mutant, kept in a file that is always whole."""

    def __init__(self, fresh):
        self.headers = mutant_tree.digest("memcore", suffixes={".h", ".inc"})
        self.tests = mutant_tree.digest("conformance", "harness", "fuzzers", "corpora")
        self.entries, self.lock, self.saved = {}, threading.Lock(), 0.0
        if RESULTS.exists() and not fresh:
            try:
                self.entries = json.loads(RESULTS.read_text())["mutants"]
            except (ValueError, KeyError) as error:
                common.die(f"{common.shown(RESULTS)} cannot be read ({error}).  Fix: ci/mutants --fresh", 1)

    def source_of(self, text):
        return mutant_tree.hashlib.sha1((self.headers + text).encode()).hexdigest()[:16]

    def kept(self, mutant, text, fuzz):
        """An earlier result that still holds.  More tests cannot revive what was killed."""
        entry = self.entries.get(mutant.id)
        if not entry or entry["source"] != self.source_of(text):
            return None
        if entry["outcome"] in ("stillborn", "same", "killed"):
            return entry
        fresh = entry["tests"] == self.tests and (entry["outcome"] == "fuzzed" or entry["fuzz"] >= fuzz)
        return entry if fresh else None

    def put(self, mutant, text, fuzz, outcome, by, ran, seconds):
        with self.lock:
            self.entries[mutant.id] = {
                "path": mutant.path, "line": mutant.line, "kind": mutant.kind, "old": mutant.old, "new": mutant.new,
                "outcome": outcome, "by": by, "ran": len(ran), "seconds": round(seconds, 1), "fuzz": fuzz,
                "source": self.source_of(text), "tests": self.tests}
            if time.monotonic() > self.saved + 2:
                self.save()

    def save(self):
        self.saved = time.monotonic()
        part = RESULTS.with_suffix(".part")
        part.write_text(json.dumps({"mutants": self.entries}, indent=0) + "\n")
        part.replace(RESULTS)


class Run:
    """Workers take mutants until enough are judged."""

    def __init__(self, options, texts, order, equivalent):
        self.options, self.texts, self.equivalent = options, texts, equivalent
        self.results = Results(options.fresh)
        if options.survivors:
            order = [m for m in order if self.results.entries.get(m.id, {}).get("outcome") in ("survived", "fuzzed")]
        self.wanted = len(order) if options.all or options.survivors else options.sample
        self.runner = mutant_tree.Runner()
        self.left = collections.deque(order)
        self.judged, self.outcomes, self.started = [], collections.Counter(), time.monotonic()
        self.lock, self.troubles = threading.Lock(), []
        self.fuzz_tree, self.fuzz_lock = None, threading.Lock()
        self.next_line = 0.0

    def prepare(self):
        tree = common.build("dev", FOLDER / "tree", ("-DCMAKE_C_FLAGS_DEBUG=-O1", "-DMEMCORE_BENCHMARKS=OFF"))
        self.tree = mutant_tree.Tree(tree)
        self.tests = self.tree.tests()
        self.lines = mutant_tree.Lines(self.tree, self.runner, self.options.jobs)
        self.started = time.monotonic()

    def take(self):
        """The next mutant, or None when enough are judged or being judged."""
        with self.lock:
            while self.left and len(self.judged) + self.busy < self.wanted:
                mutant = self.left.popleft()
                if (mutant.path, mutant.function, mutant.old, mutant.new) in self.equivalent:
                    self.outcomes["equivalent"] += 1
                    continue
                entry = self.results.kept(mutant, self.texts[mutant.path], self.options.fuzz)
                if entry:
                    self.note(mutant, entry["outcome"])
                    continue
                self.busy += 1
                return mutant
            return None

    def note(self, mutant, outcome):
        self.outcomes[outcome] += 1
        if outcome in JUDGED:
            self.judged.append(mutant)

    def fuzz_targets(self, mutant):
        """Those whose corpora execute the line, or else its function; else those that play traces."""
        first, others = self.lines.tests_for(mutant.path, mutant.line)
        table = [name for name, target in common.targets().items() if target.finding == "never"]
        covering = [n for n in table if f"replay.{n}" in first] or [n for n in table if f"replay.{n}" in others]
        random.Random(int(mutant.id, 16)).shuffle(covering)
        return (covering or [n for n in ("access", "dirty_bitmap", "region_tree") if n in table])[:FUZZ_TARGETS_MAX]

    def fuzz(self, worker, mutant, text):
        with self.fuzz_lock:
            if self.fuzz_tree is None:
                common.install_packages("fuzz")
                self.fuzz_tree = mutant_tree.Tree(common.build("libfuzzer"))
        return worker.fuzzed(self.fuzz_tree, mutant, text, self.options.fuzz, self.fuzz_targets(mutant))

    def judge(self, worker, mutant):
        original = self.texts[mutant.path]
        text, started, ran, by = mutate_c.mutated(original, mutant), time.monotonic(), [], ""
        same = worker.is_same(mutant.path, original, text)
        if same is None:
            outcome = "stillborn"
        elif same:
            outcome = "same"
        else:
            killer, how, ran = worker.tested(mutant, text)
            outcome, by = ("killed", f"{killer}: {how}") if killer else ("survived", how)
            if how == "not linked":
                outcome = "stillborn"
            elif not killer and self.options.fuzz:
                target, trouble = self.fuzz(worker, mutant, text)
                outcome, by = ("fuzzed", target) if target else ("survived", trouble)
            if outcome == "survived" and not ran:
                by = "no test executes this file" + (f"; {by}" if by else "")
        self.results.put(mutant, original, self.options.fuzz, outcome, by, ran, time.monotonic() - started)
        return outcome

    def work(self, number):
        try:
            worker = mutant_tree.Worker(number, self.tree, self.tests, self.lines, self.runner)
            while (mutant := self.take()) is not None:
                outcome = self.judge(worker, mutant)
                with self.lock:
                    self.busy -= 1
                    self.note(mutant, outcome)
        except mutant_tree.Interrupted:
            pass
        except Exception as error:          # told by the main thread, which ends all
            self.troubles.append(error)
            self.runner.stopped.set()

    def go(self):
        self.busy = 0
        signal.signal(signal.SIGTERM, lambda *_: self.runner.stopped.set())
        threads = [threading.Thread(target=self.work, args=(n,)) for n in range(self.options.jobs)]
        for thread in threads:
            thread.start()
        try:
            while any(t.is_alive() for t in threads):
                time.sleep(0.5)
                self.progress()
        except KeyboardInterrupt:
            self.runner.stopped.set()
        except OSError:                 # nobody reads the progress any more
            self.runner.stopped.set()
            raise
        finally:
            for thread in threads:
                thread.join()
        self.results.save()
        self.progress(last=True)
        if self.troubles:
            raise self.troubles[0]
        return not self.runner.stopped.is_set()

    def progress(self, last=False):
        terminal = sys.stdout.isatty()
        now = time.monotonic()
        if not last and now < self.next_line:
            return
        self.next_line = now + (0.5 if terminal else 30)
        with self.lock:
            done, spent = len(self.judged), now - self.started
            left = spent / done * (self.wanted - done) if done and not last else 0
            line = (f"{done} of {self.wanted} judged: {self.outcomes['killed']} killed, "
                    f"{self.outcomes['fuzzed']} by fuzzing, {self.outcomes['survived']} survived; "
                    f"{self.outcomes['stillborn']} no C, {self.outcomes['same']} the same "
                    f"code, {self.outcomes['equivalent']} listed; {display.clock(spent)}"
                    + (f", {display.clock(left)} left" if left else ""))
        print(f"\r\x1b[K{line}" if terminal else line, end="\n" if last or not terminal else "", flush=True)


def score(outcomes):
    judged = sum(outcomes[o] for o in JUDGED)
    return 100.0 * outcomes["killed"] / judged if judged else None


def score_rows(groups):
    rows = []
    for name, outcomes in groups.items():
        value = score(outcomes)
        if value is not None:
            rows.append((name, sum(outcomes[o] for o in JUDGED), outcomes["killed"], outcomes["fuzzed"],
                         outcomes["survived"], f"{value:.1f} %"))
    return rows


def report(run, mutants):
    """The table, here and in report.md with each survivor."""
    entries = [run.results.entries[m.id] for m in mutants]
    chapters, files, kinds, total = (collections.defaultdict(collections.Counter) for _ in range(4))
    for entry in entries:
        chapter = CHAPTERS.get(entry["path"].split("/")[1], "other")
        for groups, name in ((chapters, chapter), (files, entry["path"]), (kinds, entry["kind"]), (total, "all")):
            groups[name][entry["outcome"]] += 1
    parts = [(title, score_rows(dict(sorted(groups.items())))) for title, groups in
             (("chapter", chapters), ("file", files), ("mistake", kinds), ("", total))]
    which = "--all" if run.options.all else "--survivors" if run.options.survivors else \
        f"--sample {run.options.sample} --seed {run.options.seed}"
    page = ["<!-- SPDX-License-Identifier: GPL-2.0-or-later -->", "# Mutants of memcore", "", f"`ci/mutants {which}`",
            ""]
    for title, rows in parts:
        head = (title or "all", *(name for name, _ in COLUMNS[1:]))
        page += ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1),
                 *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]
        if title != "file":
            print("\n" + display.row(head, COLUMNS))
            for row in rows:
                print(display.row(row, COLUMNS))
    survivors = sorted((e for e in entries if e["outcome"] in ("survived", "fuzzed")),
                       key=lambda e: (e["path"], e["line"]))
    page += [f"## Not noticed by tests and corpora ({len(survivors)})", ""]
    for e in survivors:
        how = f"found by fuzzing {e['by']}" if e["outcome"] == "fuzzed" else e["by"] or f"{e['ran']} tests tried"
        page += [f"{e['path']}:{e['line']}, {e['kind']} ({how})", "```diff", f"- {e['old']}", f"+ {e['new']}", "```"]
    REPORT.write_text("\n".join(page) + "\n")
    print(f"\nsurvivors with their diffs: {common.shown(REPORT)}")
    return score(total["all"])


def main():
    options = arguments()
    texts = sources(options)
    mutants = [m for path, text in texts.items() for m in mutate_c.mutants_of(path, text)
               if not options.kind or m.kind in options.kind]
    equivalent = read_equivalent()
    if options.check:
        sys.exit(not check_equivalent(mutants, equivalent))
    if not options.all:
        random.Random(options.seed).shuffle(mutants)
    if options.list:
        for m in mutants:
            print(f"{m.id} {m.path}:{m.line} {m.kind}\n- {m.old}\n+ {m.new}")
        return
    common.install_packages("build", "coverage")
    common.make_folder(FOLDER)
    run = Run(options, texts, mutants, equivalent)
    run.prepare()
    whole = run.go()
    if not run.judged:
        common.die("nothing was judged" if whole else "interrupted before the first mutant was judged",
                   1 if whole else 130)
    reached = report(run, run.judged)
    if not whole:
        common.die("interrupted; the same command goes on from here", 130)
    if reached < options.min:
        common.die(f"the tests' score is {reached:.1f} %, less than {options.min} %", 1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        common.die("interrupted; the same command goes on from here", 130)
    except OSError as error:        # a full disk; what was judged before is kept
        common.end_if_unread()
        common.die(f"{error}; the same command goes on from here", 1)
