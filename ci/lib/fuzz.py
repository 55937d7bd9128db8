# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/fuzz: fuzzes memcore.  See --help."""
import json
import os
import shutil
import signal
import sys
import time

import common
import display
import engines
import findings


def arguments():
    table = common.targets()
    parser = common.parser(
        "ci/fuzz",
        description="Fuzzes memcore against the model.  Builds what it needs, shows progress, ends with a table.",
        epilog="Exit code: 0 no finding (and the canary's was found); 1 a finding, or something is broken; "
               "2 wrong use.\n"
               "The canary has a planted failure: among all targets it has to be found, asked for by name it is "
               "reported like any other finding.  Findings are kept in build/findings, corpora in build/corpus.\n\n"
               "Example: ci/fuzz --target region_tree --engine both --time 600")
    parser.add_argument("--target", action="append", metavar="T", help=f"one of {', '.join(table)} (default: all)")
    parser.add_argument("--engine", default="libfuzzer", help="libfuzzer, afl or both (default: libfuzzer)")
    parser.add_argument("--time", default="60", metavar="SECONDS", help="for each target and engine (default: 60)")
    parser.add_argument("--jobs", metavar="N", help="processes at a time (default: the number of processors)")
    parser.add_argument("--seed", metavar="N", help="the engines' random seed")
    parser.add_argument("--fresh", action="store_true", help="start from the committed corpus only and keep nothing")
    options = parser.parse_args()

    def count(name, value, most):
        if not value.isdigit() or not 1 <= int(value) <= most:
            common.die(f"--{name} {value}: a number from 1 to {most} was expected")
        return int(value)

    options.named = bool(options.target)
    for name in options.target or []:
        if name not in table:
            common.die(f"unknown target \"{name}\"; there are: {', '.join(table)}")
    options.target = [table[name] for name in dict.fromkeys(options.target or table)]
    if options.engine not in (*engines.ENGINES, "both"):
        common.die(f"unknown engine \"{options.engine}\"; there are: libfuzzer, afl, both")
    options.engine = engines.ENGINES if options.engine == "both" else (options.engine,)
    options.time = count("time", options.time, 10 ** 7)
    options.jobs = count("jobs", options.jobs, 1024) if options.jobs is not None else os.cpu_count() or 1
    options.seed = count("seed", options.seed, 2 ** 31 - 1) if options.seed is not None else None
    return options


def warn_of_aslr():
    try:
        with open("/proc/sys/vm/mmap_rnd_bits") as bits:
            if int(bits.read()) > 28:
                print("note: vm.mmap_rnd_bits is above 28, with which sanitizers of clang before 18 now and then fail "
                      "to start\n  Fix: sysctl -w vm.mmap_rnd_bits=28", file=sys.stderr)
    except (OSError, ValueError):
        pass


def remove_old_work(folder):
    """Runs that ended well remove their own; the others' logs stay until the next run."""
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.name.isdigit() and not os.path.exists(f"/proc/{path.name}"):
            shutil.rmtree(path)


def prepare(options):
    remove_old_work(common.BUILD / "fuzz")
    work = common.clean_work(common.BUILD / f"fuzz/{os.getpid()}")
    campaigns = []
    pairs = [(engine, target) for engine in options.engine for target in options.target]
    workers = max(1, options.jobs // len(pairs))
    for engine in options.engine:
        tree = common.build(engine, programs=common.fuzzing_programs(engine, options.target))
        environment = common.sanitizer_environment(engine)
        for target in options.target:
            corpus = None if options.fresh else common.BUILD / "corpus" / target.name
            campaigns.append(engines.campaign(engine, target, tree, work / f"{engine}-{target.name}", options.time,
                                              corpus, workers, options.seed, environment))
    return campaigns


def keep_history(campaigns):
    """One file a target and engine, of the last run: what ci/report draws."""
    folder = common.BUILD / "history"
    folder.mkdir(parents=True, exist_ok=True)
    for c in campaigns:
        if c.started and c.history:
            record = {"target": c.target.name, "engine": c.engine, "state": c.state, "ended": int(time.time()),
                      "seconds": round(c.elapsed(), 1), "workers": c.workers, "execs": c.total("execs"),
                      "checked": c.total("checked"), "steps": c.total("steps"), "skipped": c.total("skipped"),
                      "edges": c.most("edges"), "corpus": c.most("corpus"), "mb": round(c.peak_mb),
                      "history": c.history}
            (folder / f"{c.engine}-{c.target.name}.json").write_text(json.dumps(record))


def run(campaigns, jobs):
    """All campaigns, as many at a time as there are jobs."""
    screen = display.Display(campaigns)
    try:
        while True:
            for c in campaigns:
                if c.state == "running":
                    c.poll()
            at_work = sum(c.workers for c in campaigns if c.state == "running")
            for c in campaigns:
                if c.state == "waiting" and (at_work == 0 or at_work + c.workers <= jobs):
                    c.start()
                    at_work += c.workers
            screen.update()
            if not any(c.state in ("running", "waiting") for c in campaigns):
                break
            time.sleep(0.5)
        screen.close()
        return True
    except KeyboardInterrupt:
        return False
    finally:
        for c in campaigns:
            for process in c.processes:
                process.end()


def main():
    options = arguments()
    common.install_packages("fuzz")
    warn_of_aslr()
    campaigns = prepare(options)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    finished = run(campaigns, options.jobs)
    keep_history(campaigns)
    print(display.table(campaigns))
    failed = False
    for c in campaigns:
        must = c.target.finding == "must"
        if c.state == "found" and (not must or options.named):
            failed = True
            print(findings.Finding(c).text())
        elif c.state == "broken":
            failed = True
            print(f"\n*** {c.target.name}, {c.engine}: {c.trouble}\n  in {common.shown(c.folder)}; the last lines:")
            print("\n".join("  " + line for line in c.last_lines()))
        elif c.state == "done" and must:
            failed = True
            print(f"\n*** {c.target.name}, {c.engine}: the planted failure was not found in {options.time} s: findings "
                  "are not reported, or no engine gets anywhere")
    sys.stdout.flush()
    if finished and not failed:
        shutil.rmtree(campaigns[0].folder.parent)
    sys.exit(130 if not finished else 1 if failed else 0)


if __name__ == "__main__":
    main()
