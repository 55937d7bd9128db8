# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/distill: keeps what engines learned, as a few readable files.  See --help."""
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

import common
import display
import seed_form

COUNTERS = re.compile(r"Loaded 1 modules +\((\d+) inline 8-bit counters\)")
TABLE = (("target", -15), ("files", 6), ("edges", 7), ("learned", 8), ("edges", 7), ("new", 5), ("edges", 7), ("", -10))
PIECES_MAX = 256        # an input is cut into so many at most: what a long one costs


def arguments():
    table = common.targets()
    parser = common.parser(
        "ci/distill",
        description="Compares the committed corpora with what engines learned (build/corpus), and finds a small set "
                    "of learned inputs that reaches edges which no committed one does; those that reach most come "
                    "first.",
        epilog="Without --keep it only tells.  What is kept is cut down to the steps that matter and written as "
               "text to corpora/TARGET/seeds/learned-HASH: a trace, or .hex with what each step is, or .txt.\n"
               "Exit code: 0 told or kept, 1 something is broken, 2 wrong use, 130 interrupted (what was written "
               "stays).\n\n"
               "Example: ci/fuzz --time 600; ci/distill --keep 8")
    able = [target for target in table.values() if target.finding == "never"]
    parser.add_argument("--target", action="append", metavar="T",
                        help=f"one of {', '.join(target.name for target in able)} (default: all)")
    parser.add_argument("--from", dest="source", metavar="DIR", help="learned inputs (default: build/corpus/TARGET)")
    parser.add_argument("--keep", default="0", metavar="N", help="write at most N new files for each target")
    options = parser.parse_args()
    if not options.keep.isdigit() or int(options.keep) > 1000:
        common.die(f"--keep {options.keep}: a number from 0 to 1000 was expected")
    options.keep = int(options.keep)
    for name in options.target or []:
        if name not in table:
            common.die(f"unknown target \"{name}\"; there are: {', '.join(table)}")
        if table[name].finding != "never":
            common.die(f"{name} has a planted failure: there is nothing to learn from it")
    if options.source and (len(options.target or []) != 1 or not pathlib.Path(options.source).is_dir()):
        common.die("--from DIR: a folder of inputs of one --target was expected")
    options.target = [target for target in able if not options.target or target.name in options.target]
    return options


def progress(text):
    """One line that is drawn again, for people who wait."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)


class Target:
    """One target's program, with the folders it reads."""

    def __init__(self, target, tree, source, work):
        self.target, self.work = target, work / target.name
        self.program = tree / "fuzzers" / target.name
        self.committed = tree / "fuzzers/corpora" / target.name
        self.learned = pathlib.Path(source).resolve() if source else common.BUILD / "corpus" / target.name
        self.environment = common.sanitizer_environment("libfuzzer")
        common.clean_work(self.work)
        self.forms = seed_form.forms(target, tree / "harness/memtrace", self.work)

    def reached(self, paths):
        """The edges of each of these files, as sets.  What the engine does in a process of its own when it merges
        corpora with -set_cover_merge=1: plays the listed files and writes behind the list what each one reaches."""
        control = self.work / "control"
        control.write_text("\n".join([str(len(paths)), "0", *map(str, paths)]) + "\n")
        result = subprocess.run([self.program, f"-max_len={self.target.max_len}", "-merge_inner=2", "-use_counters=0",
                                 f"-merge_control_file={control}"], cwd=self.work, env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = result.stdout.decode(errors="replace")
        sets = [set() for _ in paths]
        loaded = COUNTERS.search(output)
        rows = [line.split() for line in control.read_text().splitlines() if line.startswith("FT ")]
        if result.returncode or not loaded or len(rows) != len(paths):
            (self.work / "log").write_text(output)
            common.die(f"{self.target.name}: an input fails; see {common.shown(self.work / 'log')}\n"
                       "  Fix: triage it (memtrace triage) before corpora are made of it", 1)
        for _, number, *features in rows:
            # Below eight times the counters: an edge each.  Behind them is how deep the stack was.
            sets[int(number)] = {f for f in map(int, features) if f < 8 * int(loaded[1])}
        return sets

    def edges_of(self, inputs):
        """Of each of these inputs, all played by one process: starting one costs more than playing many."""
        folder = common.clean_work(self.work / "trials")
        paths = [folder / str(number) for number in range(len(inputs))]
        for path, data in zip(paths, inputs):
            path.write_bytes(data)
        return self.reached(paths) if paths else []

    def useful(self, edges, most):
        """[(path, edges that nobody before reaches)] of up to `most` learned inputs, greedily."""
        paths = sorted(self.learned.iterdir())
        left = dict(zip(paths, self.reached(paths)))
        together, kept, edges = edges.union(*left.values()), [], set(edges)
        while left and len(kept) < most:
            # The shortest of those that add most; names decide what is left.
            best = min(left, key=lambda path: (-len(left[path] - edges), path.stat().st_size, path.name))
            new = left.pop(best) - edges
            if not new:
                break
            kept.append((best, new))
            edges |= new
        return kept, together

    def improved(self, form, parts, edits, wanted):
        """The parts with as many of the edits as leave all wanted edges.  An edit is {number of a part: what it
        becomes, or None: it goes}."""
        def after(*several):
            new = {number: part for edit in several for number, part in edit.items()}
            return [part for part in (new.get(number, old) for number, old in enumerate(parts)) if part is not None]

        def enough(trials):
            return [wanted <= edges for edges in self.edges_of([form.join(parts) for parts in trials])]

        good = [edit for edit, ok in zip(edits, enough([after(edit) for edit in edits])) if ok]
        taken = []
        while good:     # each alone does no harm: as many as go together, then without the one that does not
            several = enough([after(*taken, *good[:count + 1]) for count in range(len(good))])
            together = [*several, False].index(False)
            taken += good[:together]
            good = good[together + 1:]
        return after(*taken)

    def shrunk(self, data, wanted):
        """(form, parts): the input without what is not needed for these edges; None if no text reaches them."""
        for form in self.forms:
            parts = form.parts(data)
            if parts is None or not wanted <= self.edges_of([form.packed(parts)])[0]:
                continue
            parts = form.parts(data if form.ending == ".txt" else form.packed(parts))
            size, before = max(1, len(parts) // 2), None
            while size > len(parts) // PIECES_MAX and parts != before:
                progress(f"{self.target.name}: cutting down, {len(parts)} parts, {size} at a time")
                before = parts if size == 1 else None           # single ones until that changes nothing
                pieces = [range(at, min(at + size, len(parts))) for at in range(form.fixed, len(parts), size)]
                parts = self.improved(form, parts, [dict.fromkeys(piece) for piece in pieces], wanted)
                size = max(1, size // 2)
            for which in range(max(map(form.ways, parts)) if len(parts) <= PIECES_MAX else 0):
                simpler = ((at, form.simpler(part, which)) for at, part in enumerate(parts) if which < form.ways(part))
                parts = self.improved(form, parts, [{at: part} for at, part in simpler if part is not None], wanted)
            return (form, parts) if wanted <= self.edges_of([form.packed(parts)])[0] else None
        return None


def keep(t, kept, edges):
    """Writes them.  What one still reaches besides, cut down, the next need not."""
    seeds, edges = common.ROOT / "corpora" / t.target.name / "seeds", set(edges)
    for path, new in kept:
        wanted = new - edges
        found = t.shrunk(path.read_bytes(), wanted) if wanted else None
        progress("")
        if found is None:
            if wanted:
                print(f"  {path.name} is left out: written as text it reaches less")
            continue
        form, parts = found
        now = t.edges_of([form.packed(parts)])[0]
        gain = len(now - edges)
        text = form.text(parts, f"Learned by an engine; reaches {gain} edges that nobody before does.")
        name = "learned-" + hashlib.sha256(text.encode()).hexdigest()[:8] + form.ending
        seeds.mkdir(parents=True, exist_ok=True)
        (seeds / name).write_text(text)
        print(f"  corpora/{t.target.name}/seeds/{name}: {len(parts)} parts, {gain} edges", flush=True)
        edges |= now


def main():
    options = arguments()
    common.install_packages("fuzz")
    tree = common.build("libfuzzer", programs=common.fuzzing_programs("libfuzzer", options.target))
    work = common.BUILD / "distill"
    print(display.row([name for name, _ in TABLE], TABLE), flush=True)
    for target in options.target:
        t = Target(target, tree, options.source, work)
        committed = sorted(t.committed.iterdir())
        edges = set().union(*t.reached(committed))
        if not t.learned.is_dir() or not any(t.learned.iterdir()):
            print(display.row([target.name, str(len(committed)), str(len(edges)), "", "", "", "",
                               f"nothing learned: ci/fuzz --target {target.name}"], TABLE))
            continue
        kept, together = t.useful(edges, options.keep or 1000)
        reached = edges.union(*(new for _, new in kept))
        figures = (len(committed), len(edges), len(list(t.learned.iterdir())), len(together), len(kept), len(reached))
        print(display.row([target.name, *map(str, figures), ""], TABLE), flush=True)
        if options.keep:
            keep(t, kept, edges)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        common.die("interrupted; what was written stays", 130)
