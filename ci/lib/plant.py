# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/plant: puts a known bug into a copy of memcore and measures how long fuzzing takes to find it.  See --help."""
import fnmatch
import pathlib
import shutil
import sys

import common
import display
import engines
import hunt


def arguments():
    parser = common.parser(
        "ci/plant",
        description="Plants bugs in a copy of the sources and fuzzes from the committed corpus until each is found.",
        epilog="Exit code: 0 all found in time, 1 one was not, 2 wrong use.\n\n"
               "Examples:\n  ci/plant --time 30 equal-priority-order\n"
               "  ci/plant 'weak-*'     an atomic weakened: the threads programs under TSan are to find it")
    parser.add_argument("names", nargs="+", metavar="NAME",
                        help="a patch of ci/plants (without .patch), a pattern of such names, a patch file, `all` that "
                             "fuzzing is to find, or `rest`: those of them that are not in the museum (ci/museum)")
    parser.add_argument("--engine", default="libfuzzer", help="libfuzzer, afl or both (default: libfuzzer)")
    parser.add_argument("--time", default="60", metavar="SECONDS", help="for each bug and engine (default: 60)")
    parser.add_argument("--target", metavar="T", help="default: the `# target: T` line of the patch, else region_tree")
    parser.add_argument("--discover", action="store_true",
                        help="start without the committed inputs that fail by themselves: "
                             "how well do the engines search?")
    parser.add_argument("--no-corpus", action="store_true", help="start from nothing at all")
    parser.add_argument("--no-mutator", action="store_true",
                        help="with the engine's own mutations only (harness/mutate)")
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
    if options.no_corpus and options.discover:
        common.die("--no-corpus has no committed inputs for --discover to leave out")
    table = common.targets()
    if options.target and options.target not in table:
        common.die(f"unknown target \"{options.target}\"; there are: {', '.join(table)}")
    known = {plant.name: plant for plant in hunt.plants()}
    fuzzed = [plant for plant in known.values() if not plant.test]
    options.plants = []
    for name in options.names:
        if name == "all":
            options.plants += fuzzed
        elif name == "rest":
            options.plants += [plant for plant in fuzzed if not plant.entries]
        elif name in known or pathlib.Path(name).is_file():
            options.plants.append(known.get(name) or hunt.Plant(pathlib.Path(name).resolve()))
        elif fnmatch.filter(known, name):
            options.plants += [known[match] for match in fnmatch.filter(known, name)]
        else:
            common.die(f"no patch \"{name}\"; there are: {', '.join(known)}")
    return options


def target_of(plant, options):
    return common.targets()[options.target or plant.target or "region_tree"]


def hunt_once(copy, tree, name, engine, target, options, seed):
    """(seconds or None, by whom or "", what was said)"""
    environment = common.sanitizer_environment(engine)
    if options.no_mutator:
        environment["HARNESS_AFL_MUTATOR"] = "0"
    work = common.clean_work(copy.folder / "work" / f"{name}-{engine}")
    c = engines.campaign(engine, target, tree, work, options.time, None, 1, seed, environment)
    if options.no_corpus:
        hunt.leave_out_all(c, work / "seeds")
    elif options.discover:
        left_out = hunt.leave_out_failing(c, work / "seeds")
        print(f"{name}: {left_out} committed inputs fail by themselves and are left out", flush=True)
    hunt.hunt(c)
    if c.state != "found":
        trouble = f"NOT FOUND in {options.time} s" if c.state == "done" else c.trouble
        print(f"{name}: {engine}: {trouble}", flush=True)
        return None, "", trouble
    said, by = hunt.what_was_said(c), hunt.origin(c)
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


def by_tests(copy, plant, options):
    """A row of the table, for a bug that tests are to find: threads, or what no target reaches."""
    tree = copy.build_tests(plant)
    passed, seconds, said = hunt.run_tests(tree, plant, options.time)
    found = not passed and seconds < options.time
    print(f"{plant.name}: {f'the tests found it after {seconds:.1f} s: {said}' if found else 'NOT FOUND by the tests'}",
          flush=True)
    return (plant.name, "-", plant.preset, *((f"{seconds:.1f}", "the tests", said) if found else ("", "", "")))


def main():
    options = arguments()
    common.install_packages("fuzz")
    if not shutil.which("patch"):
        common.install_packages("test")
    copy = hunt.Copy()
    variant, settings = ("-no-mutator", ("-DHARNESS_MUTATOR=OFF",)) if options.no_mutator else ("", ())
    for engine in options.engine if any(not plant.test for plant in options.plants) else ():
        copy.configure_and_build(engine, engine + variant, settings, ())
    results, missed = [], 0
    for plant in options.plants:
        applied, message = copy.patch(plant)
        if not applied:
            print(f"{plant.name}: the patch does not apply; make it anew\n{message}", file=sys.stderr)
            results.append((plant.name, "-", "-", "", "", "NOT APPLIED"))
            missed += 1
            copy.lock.close()
            copy = hunt.Copy()
            continue
        if plant.test:
            results.append(by_tests(copy, plant, options))
            missed += not results[-1][3]
        for engine in () if plant.test else options.engine:
            target = target_of(plant, options)
            tree = copy.build_target(engine, target, engine + variant, settings)
            result = hunt_often(copy, tree, plant.name, engine, target, options)
            missed += not result[3]
            results.append(result)
        copy.patch(plant, "-R")
    columns = (("planted bug", -34), ("target", -15), ("engine", -9), ("seconds", 7), ("by", -22),
               ("as", -10))
    print("\n" + display.row([name for name, _ in columns], columns))
    for result in results:
        print(display.row(result, columns))
    found = len(results) - missed
    print(f"{found} of {len(results)} found within {options.time} s")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
