# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/plant: puts a known bug into a copy of memcore and measures how long fuzzing takes to find it.  See --help."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import time

import common
import display
import engines
import findings

TRACKED = ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "ci", "conformance", "corpora", "fuzzers", "harness", "memcore")


def arguments():
    parser = argparse.ArgumentParser(
        prog="ci/plant", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Plants bugs in a copy of the sources and fuzzes from the committed corpus until each is found.",
        epilog="Exit code: 0 all found in time, 1 one was not, 2 wrong use.")
    parser.add_argument("names", nargs="+", metavar="NAME",
                        help="a patch of ci/plants (without .patch), a patch file, or `all`")
    parser.add_argument("--engine", default="libfuzzer", help="libfuzzer, afl or both (default: libfuzzer)")
    parser.add_argument("--time", default="60", metavar="SECONDS", help="for each bug and engine (default: 60)")
    parser.add_argument("--target", metavar="T", help="default: the `# target: T` line of the patch, else region_tree")
    parser.add_argument("--discover", action="store_true",
                        help="start without the committed inputs that fail by themselves: how well do the engines search?")
    parser.add_argument("--no-corpus", action="store_true", help="start from nothing at all")
    parser.add_argument("--no-mutator", action="store_true", help="with the engine's own mutations only (harness/mutate)")
    parser.add_argument("--mutator", action="store_true", help="harness/mutate for AFL++ too, where it is off")
    parser.add_argument("--runs", default="1", metavar="N",
                        help="for each bug and engine, with seeds counting up; prints the median (default: 1)")
    parser.add_argument("--seed", default="1", metavar="N", help="the engines' random seed (default: 1)")
    options = parser.parse_args()
    if options.engine not in (*engines.ENGINES, "both"):
        common.die(f"unknown engine \"{options.engine}\"; there are: libfuzzer, afl, both")
    options.engine = engines.ENGINES if options.engine == "both" else (options.engine,)
    for name in ("time", "seed", "runs"):
        value = getattr(options, name)
        if not value.isdigit() or not 1 <= int(value) < 2 ** 31:
            common.die(f"--{name} {value}: a number from 1 was expected")
        setattr(options, name, int(value))
    if options.mutator and options.no_mutator:
        common.die("--mutator and --no-mutator exclude each other")
    if options.no_corpus and options.discover:
        common.die("--no-corpus has no committed inputs for --discover to leave out")
    table = common.targets()
    if options.target and options.target not in table:
        common.die(f"unknown target \"{options.target}\"; there are: {', '.join(table)}")
    options.patches = []
    for name in options.names:
        known = sorted((common.ROOT / "ci/plants").glob("*.patch"))
        if name == "all":
            options.patches += known
        elif (common.ROOT / f"ci/plants/{name}.patch").is_file():
            options.patches.append(common.ROOT / f"ci/plants/{name}.patch")
        elif pathlib.Path(name).is_file():
            options.patches.append(pathlib.Path(name).resolve())
        else:
            common.die(f"no patch \"{name}\"; there are: {', '.join(p.stem for p in known)}")
    if not options.patches:
        common.die("ci/plants has no patches", 1)
    return options


def target_of(patch, options):
    table = common.targets()
    for line in patch.read_text().splitlines():
        if line.startswith("# target:"):
            return table[options.target or line.split(":")[1].strip()]
    return table[options.target or "region_tree"]


class Copy:
    """The sources again, where bugs come and go; each engine's tree is built there once and then incrementally."""

    def __init__(self):
        self.folder = common.BUILD / "plant"
        self.source = self.folder / "source"
        wanted = set()
        for name in TRACKED:
            for path in [common.ROOT / name, *(common.ROOT / name).rglob("*")]:
                if path.is_file() and "__pycache__" not in path.parts:
                    wanted.add(path.relative_to(common.ROOT))
        for path in [p for p in self.source.rglob("*") if p.is_file() and p.relative_to(self.source) not in wanted]:
            path.unlink()
        for name in wanted:
            # Equal files keep their times: so little is compiled again, but always what the last run's patch had changed.
            copy = self.source / name
            if not copy.is_file() or copy.read_bytes() != (common.ROOT / name).read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(common.ROOT / name, copy)

    def patch(self, patch, *flags):
        result = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-s", *flags, "-i", patch], cwd=self.source,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return result.returncode == 0, result.stdout

    def build(self, engine, mutator=True):
        # A tree for each: to switch would build all of it anew.
        return common.build(engine, self.folder / (engine if mutator else f"{engine}-no-mutator"),
                            () if mutator else ("-DHARNESS_MUTATOR=OFF",), source=self.source)


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
    found = campaign.finding.read_bytes()
    return next((f"seed {path.name}" for path in campaign.seeds.iterdir() if path.read_bytes() == found), "the engine")


def hunt(campaign):
    campaign.start()
    while campaign.state == "running":
        time.sleep(0.1)
        campaign.poll()
    return campaign


def what_was_said(campaign):
    """The line that names the rule, for the table."""
    finding = findings.Finding(campaign)
    _, output = finding.run([campaign.replayer, finding.input], findings.REPLAY_SECONDS)
    finding.input.unlink()
    lines = [line.strip() for line in findings.report_lines(output) if line.strip()]
    telling = [line for line in lines if line.startswith(("FAILED", "memcore: ")) or "ERROR: " in line
               or "runtime error: " in line]
    return (telling or lines or ["(the replay says nothing)"])[0][:90]


def hunt_once(copy, tree, name, engine, target, options, seed):
    """(seconds or None, by whom or "", what was said)"""
    environment = common.sanitizer_environment(engine)
    if options.mutator:
        environment["HARNESS_AFL_MUTATOR"] = "1"
    elif options.no_mutator:
        environment.pop("HARNESS_AFL_MUTATOR", None)
    work = common.clean_work(copy.folder / "work" / f"{name}-{engine}")
    c = engines.campaign(engine, target, tree, work, options.time, None, 1, seed, environment)
    if options.no_corpus:
        leave_out_all(c, work / "seeds")
    elif options.discover:
        left_out = leave_out_failing(c, work / "seeds")
        print(f"{name}: {left_out} committed inputs fail by themselves and are left out", flush=True)
    hunt(c)
    if c.state != "found":
        trouble = f"NOT FOUND in {options.time} s" if c.state == "done" else c.trouble
        print(f"{name}: {engine}: {trouble}", flush=True)
        return None, "", trouble
    said, by = what_was_said(c), origin(c)
    print(f"{name}: {engine} found it after {c.found_after:.1f} s, by {by}: {said}", flush=True)
    return c.found_after, by, said


def hunt_often(copy, tree, name, engine, target, options):
    """A row of the table.  The median counts a run that found nothing as the longest."""
    runs = [hunt_once(copy, tree, name, engine, target, options, options.seed + i) for i in range(options.runs)]
    times = sorted(float("inf") if run[0] is None else run[0] for run in runs)
    median = times[(len(times) - 1) // 2]
    telling = next((run for run in runs if run[0] is not None), runs[0])
    by = telling[1] if options.runs == 1 else f"{sum(t < float('inf') for t in times)} of {options.runs} runs"
    return name, target.name, engine, f"{median:.1f}" if median < float("inf") else "", by, telling[2]


def main():
    options = arguments()
    common.install_packages("fuzz")
    if not shutil.which("patch"):
        common.install_packages("test")
    copy = Copy()
    results, missed = [], 0
    for patch in options.patches:
        applied, message = copy.patch(patch)
        if not applied:
            print(f"{patch.stem}: the patch does not apply; make it anew\n{message}", file=sys.stderr)
            results.append((patch.stem, "-", "-", "", "", "NOT APPLIED"))
            missed += 1
            shutil.rmtree(copy.source)
            copy = Copy()
            continue
        target = target_of(patch, options)
        for engine in options.engine:
            tree = copy.build(engine, not options.no_mutator)
            result = hunt_often(copy, tree, patch.stem, engine, target, options)
            missed += not result[3]
            results.append(result)
        copy.patch(patch, "-R")
    columns = (("planted bug", -34), ("target", -12), ("engine", -9), ("seconds", 7), ("by", -22),
               ("as", -10))
    print("\n" + display.row([name for name, _ in columns], columns))
    for result in results:
        print(display.row(result, columns))
    found = len(results) - missed
    print(f"{found} of {len(results)} found within {options.time} s")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
