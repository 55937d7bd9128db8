# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/distill: keeps what engines learned, as a few readable files.  See --help."""
import argparse
import hashlib
import heapq
import pathlib
import re
import shutil
import subprocess
import sys

import common
import display
import seed_form

COVERAGE = re.compile(r"INITED\s+cov: (\d+) ft: (\d+)")
TABLE = (("target", -15), ("files", 6), ("edges", 7), ("learned", 8), ("edges", 7), ("new", 5), ("edges", 7), ("", -10))
TRIALS_MAX = 400        # to cut one input down: what a long one costs


def arguments():
    table = common.targets()
    parser = argparse.ArgumentParser(
        prog="ci/distill", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Compares the committed corpora with what engines learned (build/corpus), and finds a small set of\n"
                    "learned inputs that reaches edges which no committed one does; those that reach most come first.",
        epilog="Without --keep it only tells.  What is kept is cut down to the steps that matter and written as text to\n"
               "corpora/TARGET/seeds/learned-HASH: a trace, or .hex with what each step is, or .txt.\n"
               "Exit code: 0 told or kept, 1 something is broken, 2 wrong use, 130 interrupted (what was written stays).\n\n"
               "Example: ci/fuzz --time 600; ci/distill --keep 8")
    parser.add_argument("--target", action="append", metavar="T",
                        help=f"one of {', '.join(t.name for t in table.values() if t.finding == 'never')} (default: all)")
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
    options.target = [t for t in table.values() if t.finding == "never" and (not options.target or t.name in options.target)]
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
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.forms = seed_form.forms(target, tree / "harness/memtrace", self.work)

    def run(self, *words):
        result = subprocess.run([self.program, f"-max_len={self.target.max_len}", *words], cwd=self.work,
                                env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        output = result.stdout.decode(errors="replace")
        if result.returncode:
            (self.work / "log").write_text(output)
            common.die(f"{self.target.name}: an input fails; see {common.shown(self.work / 'log')}\n"
                       "  Fix: triage it (memtrace triage) before corpora are made of it", 1)
        return output

    def edges(self, *folders):
        match = COVERAGE.search(self.run("-runs=0", *folders))
        return int(match[1]) if match else 0

    def edges_with(self, folder, data):
        """Of the folder's inputs and one more."""
        more = common.clean_work(self.work / "more")
        (more / "input").write_bytes(data)
        return self.edges(folder, more)

    def merged(self):
        """What is needed besides the committed ones."""
        folder = self.work / "merged"
        shutil.copytree(self.committed, folder)
        before = {path.name for path in folder.iterdir()}
        self.run("-merge=1", "-use_counters=0", folder, self.learned)       # edges alone, not how often
        return sorted(path for path in folder.iterdir() if path.name not in before)

    def useful(self, candidates, most):
        """[(path, edges that nobody before reaches)] of up to `most` of these, greedily; and the edges of all.
        What an input adds can only become less as others are taken, so most are not asked again."""
        folder = self.work / "kept"
        shutil.copytree(self.committed, folder)
        reached, kept, heap = self.edges(folder), [], []
        for i, path in enumerate(candidates):
            progress(f"{self.target.name}: candidate {i + 1} of {len(candidates)}")
            heap.append((reached - self.edges_with(folder, path.read_bytes()), len(kept), path))
        heapq.heapify(heap)
        while heap and len(kept) < most and heap[0][0] < 0:
            loss, asked, path = heapq.heappop(heap)
            if asked < len(kept):
                heapq.heappush(heap, (reached - self.edges_with(folder, path.read_bytes()), len(kept), path))
                continue
            shutil.copy(path, folder / path.name)
            kept.append((path, -loss))
            reached -= loss
            progress(f"{self.target.name}: {len(kept)} inputs taken, {reached} edges")
        progress("")
        return kept, reached

    def shrunk(self, data, wanted, others):
        """(form, parts): the input without what is not needed for so many edges; None if no text reaches them."""
        for form in self.forms:
            left = TRIALS_MAX

            def enough(parts):
                nonlocal left
                left -= 1
                progress(f"{self.target.name}: cutting down, {len(parts)} parts, {left} trials left")
                made = form.join(parts)
                return made is not None and self.edges_with(others, made) >= wanted

            parts = form.parts(data)
            if parts is None or not enough(parts):
                continue
            size = max(1, len(parts) // 2)
            while size and left > 0:
                at = form.fixed
                while at < len(parts) and left > 0:
                    fewer = parts[:at] + parts[at + size:]
                    if len(fewer) > form.fixed and enough(fewer):
                        parts = fewer
                    else:
                        at += size
                size //= 2
            for at, part in enumerate(parts):
                while part is not None and left > 0:
                    part = next((p for p in form.simpler(part) if enough(parts[:at] + [p] + parts[at + 1:])), None)
                    if part is not None:
                        parts[at] = part
            return form, parts
        return None


def keep(t, kept):
    """Writes them, each measured against the committed ones and what those before it became.  Returns the edges then."""
    seeds = common.ROOT / "corpora" / t.target.name / "seeds"
    folder = t.work / "written"
    shutil.copytree(t.committed, folder)
    reached = t.edges(folder)
    for path, _ in kept:
        data = path.read_bytes()
        wanted = t.edges_with(folder, data)
        found = t.shrunk(data, wanted, folder)
        progress("")
        if found is None:
            print(f"  {path.name} is left out: written as text it reaches less")
            continue
        form, parts = found
        text = form.text(parts, f"Learned by an engine; reaches {wanted - reached} edges that nobody before does.")
        name = "learned-" + hashlib.sha256(text.encode()).hexdigest()[:8]
        seeds.mkdir(parents=True, exist_ok=True)
        (seeds / (name + form.ending)).write_text(text)
        print(f"  corpora/{t.target.name}/seeds/{name}{form.ending}: {len(parts)} parts, {wanted - reached} edges", flush=True)
        (folder / name).write_bytes(form.join(parts))
        reached = wanted
    return reached


def main():
    options = arguments()
    common.install_packages("fuzz")
    tree = common.build("libfuzzer")
    work = common.clean_work(common.BUILD / "distill")
    print(display.row([name for name, _ in TABLE], TABLE), flush=True)
    for target in options.target:
        t = Target(target, tree, options.source, work)
        files, before = len(list(t.committed.iterdir())), t.edges(t.committed)
        if not t.learned.is_dir() or not any(t.learned.iterdir()):
            print(display.row([target.name, str(files), str(before), "", "", "", "", "nothing learned: ci/fuzz"], TABLE))
            continue
        learned = len(list(t.learned.iterdir()))
        together = t.edges(t.committed, t.learned)
        kept, reached = t.useful(t.merged(), options.keep or 1000)
        print(display.row([target.name, str(files), str(before), str(learned), str(together), str(len(kept)), str(reached),
                           ""], TABLE), flush=True)
        if options.keep:
            keep(t, kept)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        common.die("interrupted; what was written stays", 130)
