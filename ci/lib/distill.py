# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/distill: keeps what engines learned, as a few readable files.  See --help."""
import argparse
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys

import common
import display

COVERAGE = re.compile(r"INITED\s+cov: (\d+) ft: (\d+)")
TABLE = (("target", -15), ("files", 6), ("edges", 7), ("learned", 8), ("edges", 7), ("new", 5), ("edges", 7), ("", -10))


def arguments():
    table = common.targets()
    parser = argparse.ArgumentParser(
        prog="ci/distill", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Compares the committed corpora with what engines learned (build/corpus), and finds the smallest set of\n"
                    "learned inputs that reaches edges which no committed one does.",
        epilog="Without --keep it only tells.  What is kept is cut down to the steps that matter and written as text to\n"
               "corpora/TARGET/seeds/learned-HASH.trace.\n"
               "Exit code: 0 told or kept, 1 something is broken, 2 wrong use.\n\nExample: ci/fuzz --time 600; ci/distill --keep 8")
    parser.add_argument("--target", action="append", metavar="T",
                        help=f"one of {', '.join(t.name for t in table.values() if t.input == 'trace')} (default: all)")
    parser.add_argument("--from", dest="source", metavar="DIR", help="learned inputs (default: build/corpus/TARGET)")
    parser.add_argument("--keep", default="0", metavar="N", help="write at most N new files for each target")
    options = parser.parse_args()
    if not options.keep.isdigit() or int(options.keep) > 1000:
        common.die(f"--keep {options.keep}: a number from 0 to 1000 was expected")
    options.keep = int(options.keep)
    for name in options.target or []:
        if name not in table or table[name].input != "trace":
            common.die(f"no target \"{name}\" whose inputs are traces")
    if options.source and (len(options.target or []) != 1 or not pathlib.Path(options.source).is_dir()):
        common.die("--from DIR: a folder of inputs of one --target was expected")
    options.target = [t for t in table.values() if t.input == "trace" and t.finding == "never" and
                      (not options.target or t.name in options.target)]
    return options


class Target:
    """One target's program, with the folders it reads."""

    def __init__(self, target, tree, source, work):
        self.target, self.work = target, work / target.name
        self.program = tree / "fuzzers" / target.name
        self.memtrace = tree / "harness/memtrace"
        self.committed = tree / "fuzzers/corpora" / target.name
        self.learned = pathlib.Path(source) if source else common.BUILD / "corpus" / target.name
        self.environment = common.sanitizer_environment("libfuzzer")
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)

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

    def merged(self):
        """Committed ones first, then what is needed besides: those only, the largest first, which reach most."""
        folder = self.work / "merged"
        shutil.copytree(self.committed, folder)
        before = {path.name for path in folder.iterdir()}
        self.run("-merge=1", "-use_counters=0", folder, self.learned)       # edges alone, not how often
        return sorted((p for p in folder.iterdir() if p.name not in before), key=lambda p: (-p.stat().st_size, p.name))

    def useful(self, candidates, most):
        """Of these, in this order, the ones that reach edges which nobody before does."""
        folder = self.work / "kept"
        shutil.copytree(self.committed, folder)
        reached, kept = self.edges(folder), []
        for path in candidates:
            shutil.copy(path, folder / path.name)
            now = self.edges(folder)
            if now > reached:
                kept.append((path, now - reached))
                reached = now
            else:
                (folder / path.name).unlink()
            if len(kept) == most:
                break
        return kept, reached

    def shrunk(self, path, gain, others):
        """The trace without the steps that are not needed for the edges it adds: halves, quarters, ... single steps."""
        text = subprocess.run([self.memtrace, "show", "--binary", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        uses, steps = [], text.splitlines()
        if steps and steps[0].startswith("uses "):
            uses, steps = steps[:1], steps[1:]
        alone = self.edges(others)
        trial, packed = self.work / "trial.trace", self.work / "trial"

        def enough(lines):
            trial.write_text("\n".join(uses + lines) + "\n")
            shutil.rmtree(packed, ignore_errors=True)
            packed.mkdir()
            if subprocess.run([self.memtrace, "pack", "-d", packed, trial], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode:
                return False
            return self.edges(others, packed) >= alone + gain

        size = max(1, len(steps) // 2)
        while True:
            at = 0
            while at < len(steps):
                fewer = steps[:at] + steps[at + size:]
                if fewer and enough(fewer):
                    steps = fewer
                else:
                    at += size
            if size == 1:
                return uses + steps
            size //= 2


def keep(t, kept):
    seeds = common.ROOT / "corpora" / t.target.name / "seeds"
    for path, gain in kept:
        others = t.work / "others"
        shutil.rmtree(others, ignore_errors=True)
        shutil.copytree(t.work / "kept", others)
        (others / path.name).unlink()
        lines = t.shrunk(path, gain, others)
        text = "\n".join(lines) + "\n"
        name = "learned-" + hashlib.sha256(text.encode()).hexdigest()[:8]
        seeds.mkdir(parents=True, exist_ok=True)
        (seeds / f"{name}.trace").write_text("# SPDX-License-Identifier: GPL-2.0-or-later\n"
                                             f"# Learned by an engine; reaches {gain} edges that nobody before does.\n" + text)
        print(f"  corpora/{t.target.name}/seeds/{name}.trace: {len(lines)} steps, {gain} edges", flush=True)


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
    sys.exit(main())
