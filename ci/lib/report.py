# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/report: one HTML page about all that was measured.  See --help."""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import common
import coverage as measured
import mutants as made
import page

SLOWEST = 12
STATES = {"done": "no finding", "found": "FOUND", "broken": "BROKEN", "running": "interrupted"}


def arguments():
    parser = argparse.ArgumentParser(
        prog="ci/report", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Writes one self-contained HTML page: speed and coverage of the targets, what their corpora do,\n"
                    "the museum, the mutants, coverage of memcore, slow inputs.",
        epilog="It shows what was measured last and says what was not: ci/fuzz, ci/museum, ci/mutants and ci/coverage\n"
               "leave their figures below build/.  Exit code: 0 written, 1 something is broken, 2 wrong use.\n\n"
               "Example: ci/fuzz --time 300; ci/report -o report.html")
    parser.add_argument("-o", "--output", metavar="FILE", help="default: build/report.html")
    return parser.parse_args()


def load(path):
    """Of a file that a command left; None where there is none."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        common.die(f"{common.shown(path)}: {error}\n  Fix: remove it and measure anew", 1)


def git(*words):
    result = subprocess.run(["git", *words], cwd=common.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True)
    return result.stdout.strip() if result.returncode == 0 else ""


# --- fuzzing -------------------------------------------------------------------------------------


def histories(targets):
    found = []
    for target in targets:
        for engine in ("libfuzzer", "afl"):
            record = load(common.BUILD / "history" / f"{engine}-{target}.json")
            if record:
                found.append(record)
    return found


def per_second(record, name):
    return record[name] / max(record["seconds"], 0.001) if record.get(name) is not None else None


def fuzzing(targets):
    records = histories(targets)
    if not records:
        return page.nothing("ci/fuzz")
    rows = []
    for r in records:
        skipped = f"{100 * r['skipped'] / r['steps']:.0f} %" if r.get("steps") else ""
        rows.append([r["target"], r["engine"], page.number(r["seconds"]), page.number(r["execs"]),
                     page.number(per_second(r, "execs")), page.number(per_second(r, "checked")), skipped,
                     page.number(r["edges"]), page.number(r["corpus"]), page.number(r["mb"]),
                     STATES.get(r["state"], r["state"]), time.strftime("%Y-%m-%d %H:%M", time.gmtime(r["ended"]))])
    table = page.table(["target", "engine", "seconds", "execs", "exec/s", "checked steps/s", "skipped", "edges",
                        "corpus", "MB", "result", "ended (UTC)"], rows, left=(0, 1, 10, 11))
    plots = []
    for target in targets:
        lines = [(r["engine"], [(p["seconds"], p["edges"]) for p in r["history"]]) for r in records
                 if r["target"] == target]
        if lines:
            plots.append(page.plot(f"{target}: edges", lines, "s"))
    return table + page.side_by_side(plots)


# --- corpora -------------------------------------------------------------------------------------


def operations(tree, target):
    """Operation, steps, skipped of a corpus, as `memtrace stats --played` counts them."""
    folder = common.ROOT / "corpora" / target
    if not folder.is_dir() or not any(p.suffix == ".trace" for p in folder.rglob("*")):
        return []
    result = subprocess.run([tree / "harness/memtrace", "stats", "--played", folder], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    rows = []
    for line in result.stdout.splitlines()[1:]:
        words = line.split()
        if len(words) >= 3 and words[0] != "total" and words[1].isdigit() and int(words[1]):
            rows.append((words[0], int(words[1]), int(words[2])))
    return rows


def slow_inputs(tree, target):
    folder = tree / "fuzzers/corpora" / target
    if not folder.is_dir():
        return []
    result = subprocess.run([tree / "fuzzers" / f"replay_{target}", "--repeat", "3", "--times", folder],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [(int(took), target, pathlib.Path(path).name) for took, path in
            (line.split("  ", 1) for line in result.stdout.splitlines())]


def corpora(tree, targets):
    parts, inputs = [], []
    for target in targets.values():
        rows = operations(tree, target.name) if target.input == "trace" else []
        if rows:
            parts.append(page.bars(f"{target.name}: operations of the committed corpus", rows))
        if target.finding == "never":
            inputs += slow_inputs(tree, target.name)
    inputs.sort(reverse=True)
    slow = page.table(["input", "target", "microseconds"], [[name, target, page.number(took)]
                                                           for took, target, name in inputs[:SLOWEST]], left=(0, 1))
    return page.side_by_side(parts), slow


# --- the other commands' results ------------------------------------------------------------------


def museum():
    results = load(common.BUILD / "museum/results.json")
    if not results:
        return page.nothing("ci/museum")
    rows, found = [], 0
    for r in results.values():
        found += r["state"] == "found"
        rows.append([r["entry"], r["hunter"].replace("^", "").replace("$", ""), r["engine"],
                     page.seconds(r.get("reached")), page.seconds(r.get("triggered")),
                     page.seconds(r.get("seconds")) if r["state"] == "found" else "NOT FOUND",
                     page.number(r.get("execs")), r.get("by") or "", r.get("said") or ""])
    return page.paragraph(f"{found} of {len(rows)} found.") + page.table(
        ["entry", "hunted by", "engine", "reached s", "triggered s", "found s", "execs", "by", "as"], rows,
        left=(0, 1, 2, 7, 8))


def score(row):
    judged = row.get("killed", 0) + row.get("survived", 0)
    return f"{100 * row.get('killed', 0) / judged:.1f} %" if judged else ""


def mutants():
    results = load(made.RESULTS)
    if not results:
        return page.nothing("ci/mutants")
    groups, survivors, total = {}, [], {}
    for m in results["mutants"].values():
        chapter = made.CHAPTERS.get(m["path"].split("/")[1], "other")
        for row in (groups.setdefault((chapter, m["path"]), {}), total):
            row[m["outcome"]] = row.get(m["outcome"], 0) + 1
        if m["outcome"] == "survived":
            survivors.append([f"{m['path']}:{m['line']}", m["kind"], m["old"], m["new"]])
    outcomes = sorted(total)
    rows = [[chapter, path] + [page.number(row.get(o, 0)) for o in outcomes] + [score(row)]
            for (chapter, path), row in sorted(groups.items())]
    rows.append(["all", ""] + [page.number(total[o]) for o in outcomes] + [score(total)])
    return (page.paragraph(f"{score(total)} killed by tests and corpora alone.") +
            page.folded(f"{len(survivors)} that nobody noticed",
                        page.table(["where", "mistake", "was", "is"], sorted(survivors), left=(0, 1, 2, 3))) +
            page.table(["chapter", "file"] + outcomes + ["score"], rows, left=(0, 1)))


def coverage():
    results = load(common.BUILD / "coverage/results.json")
    if not results:
        return page.nothing("ci/coverage")
    rows = [measured.cells(name, [tallies[kind] for kind in measured.KINDS]) for name, tallies in results["rows"]]
    return page.paragraph(f"{len(results['never'])} functions that nothing calls, {len(results['without'])} of "
                          f"{results['rules']} rules without a case: coverage/html/index.html beside this page names "
                          "them.") + \
        page.table([name for name, _ in measured.COLUMNS], rows, left=(0,))


def conditions():
    results = load(common.BUILD / "coverage-mcdc/results.json")
    if not results:
        return page.nothing("ci/coverage --mcdc")
    return page.table([name for name, _ in measured.MCDC_COLUMNS],
                      [measured.cells(name, pairs) for name, pairs in results["rows"]], left=(0,))


def main():
    options = arguments()
    output = pathlib.Path(options.output or common.BUILD / "report.html")
    if not output.parent.is_dir() and options.output:
        common.die(f"--output {options.output}: no such folder")
    common.install_packages("build")
    targets = common.targets()
    tree = common.build("dev")
    print("playing the corpora", flush=True)
    histograms, slow = corpora(tree, targets)
    name = git("describe", "--always", "--dirty") or "unknown version"
    sections = [("Fuzzing", fuzzing(targets)), ("Museum", museum()), ("Mutants", mutants()),
                ("Coverage of memcore", coverage()), ("Coverage of conditions", conditions()), ("Corpora", histograms),
                ("Slowest inputs of the corpora", slow)]
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        output.write_text(page.whole("memcore: what was measured",
                                     f"{name}, {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}", sections))
    except OSError as error:
        common.die(f"{output}: {error.strerror}", 1)
    print(f"written: {common.shown(output)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
