# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/report: one HTML page about all that was measured.  See --help."""
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
    parser = common.parser(
        "ci/report",
        description="Writes one self-contained HTML page: speed and coverage of the targets, what their corpora do, "
                    "the museum, the mutants, coverage of memcore, slow inputs.",
        epilog="It shows what was measured last and says what was not: ci/fuzz, ci/museum, ci/mutants and ci/coverage "
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


# Each section is HTML, and cards for the summary: (figure, what it is, heading of the section, whether it is bad).


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
        return page.nothing("ci/fuzz"), [("\u2013", "findings", "Fuzzing", False)]
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
    bad = sum(r["state"] in ("found", "broken") and targets[r["target"]].finding == "never" for r in records)
    missed = sum(r["state"] != "found" and targets[r["target"]].finding == "must" for r in records)
    hours = sum(r["seconds"] for r in records) / 3600
    return table + page.side_by_side(plots), [
        (page.number(bad + missed), f"findings or broken runs, in {len(records)} runs", "Fuzzing", bad + missed > 0),
        (f"{page.number(sum(r['execs'] or 0 for r in records))}", f"inputs in {hours:.1f} hours", "Fuzzing", False)]


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
    parts, inputs, figures = [], [], []
    for target in targets.values():
        if target.finding != "never":
            continue
        rows = operations(tree, target.name) if target.input == "trace" else []
        steps, skipped = sum(row[1] for row in rows), sum(row[2] for row in rows)
        files = [p for p in (common.ROOT / "corpora" / target.name).rglob("*") if p.is_file()]
        played = [page.number(steps), page.number(len(rows)), f"{100 * skipped / steps:.0f} %"] if steps else [""] * 3
        kibibytes = f"{sum(p.stat().st_size for p in files) / 1024:.0f}"
        figures.append([target.name, page.number(len(files)), kibibytes, *played])
        if rows:
            parts.append(page.bars(f"{target.name}: operations of the committed corpus", rows))
        inputs += slow_inputs(tree, target.name)
    inputs.sort(reverse=True)
    slow = page.table(["input", "target", "microseconds"], [[name, target, page.number(took)]
                                                           for took, target, name in inputs[:SLOWEST]], left=(0, 1))
    table = page.table(["target", "files", "KiB", "steps", "different operations", "skipped"], figures, left=(0,))
    return table + page.folded("Operations of each corpus (orange: skipped)", page.side_by_side(parts)), slow


# --- the other commands' results ------------------------------------------------------------------


def museum():
    results = load(common.BUILD / "museum/results.json")
    if not results:
        return page.nothing("ci/museum"), [("\u2013", "bugs of the museum found", "Museum", False)]
    rows, found = [], 0
    for r in results.values():
        found += r["state"] == "found"
        rows.append([r["entry"], r["hunter"].replace("^", "").replace("$", ""), r["engine"],
                     page.seconds(r.get("reached")), page.seconds(r.get("triggered")),
                     page.seconds(r.get("seconds")) if r["state"] == "found" else "NOT FOUND",
                     page.number(r.get("execs")), r.get("by") or "", r.get("said") or ""])
    return page.paragraph(f"{found} of {len(rows)} found.") + page.table(
        ["entry", "hunted by", "engine", "reached s", "triggered s", "found s", "execs", "by", "as"], rows,
        left=(0, 1, 2, 7, 8)), [(f"{found} of {len(rows)}", "bugs of the museum found", "Museum", found < len(rows))]


def score(row):
    judged = sum(row.get(outcome, 0) for outcome in made.JUDGED)
    return f"{100 * row.get('killed', 0) / judged:.1f} %" if judged else ""


def mutants():
    results = load(made.RESULTS)
    if not results:
        return page.nothing("ci/mutants"), [("\u2013", "mutants killed", "Mutants", False)]
    listed = {(path, old, new) for path, _, old, new in made.read_equivalent()}
    chapters, files, survivors, total = {}, {}, [], {}
    for m in results["mutants"].values():
        if m["outcome"] not in made.JUDGED or (m["path"], m["old"], m["new"]) in listed:
            continue
        chapter = made.CHAPTERS.get(m["path"].split("/")[1], "other")
        for row in (chapters.setdefault(chapter, {}), files.setdefault(m["path"], {}), total):
            row[m["outcome"]] = row.get(m["outcome"], 0) + 1
        if m["outcome"] != "killed":
            survivors.append([f"{m['path']}:{m['line']}", m["kind"], m["old"], m["new"],
                              m["by"] if m["outcome"] == "fuzzed" else ""])

    def table(title, groups):
        rows = [[name] + [page.number(row.get(o, 0)) for o in made.JUDGED] + [score(row)] for name, row in groups]
        return page.table([title, "killed", "by fuzzing only", "survived", "score"], rows, left=(0,))

    worst = sorted(files.items(), key=lambda item: (-item[1].get("survived", 0) - item[1].get("fuzzed", 0), item[0]))
    return (page.paragraph(f"{score(total)} of {sum(total.values())} killed by tests and corpora alone; mistakes that "
                           "are none are not counted (ci/mutants.equivalent).") +
            table("chapter", [*sorted(chapters.items()), ("all", total)]) +
            page.folded(f"{len(survivors)} that no test noticed",
                        page.table(["where", "mistake", "was", "is", "fuzzing found it"], sorted(survivors),
                                   left=(0, 1, 2, 3, 4))) +
            page.folded(f"{len(files)} files, worst first", table("file", worst)),
            [(score(total), f"of {sum(total.values())} mutants killed by tests", "Mutants", False)])


def coverage():
    results = load(common.BUILD / "coverage/results.json")
    if not results:
        return page.nothing("ci/coverage"), [("\u2013", "of lines executed", "Coverage of memcore", False)]
    rows = [measured.cells(name, [tallies[kind] for kind in measured.KINDS]) for name, tallies in results["rows"]]
    return page.paragraph(f"{len(results['never'])} functions that nothing calls, {len(results['without'])} of "
                          f"{results['rules']} rules without a case: coverage/html/index.html beside this page names "
                          "them.") + \
        page.table([name for name, _ in measured.COLUMNS], rows, left=(0,)), [
            (f"{measured.percent(*results['rows'][-1][1][kind]):.1f} %", f"of {what} executed", "Coverage of memcore",
             False) for kind, what in (("line", "lines"), ("branch", "branches"))]


def conditions():
    results = load(common.BUILD / "coverage-mcdc/results.json")
    if not results:
        return page.nothing("ci/coverage --mcdc"), []
    return page.table([name for name, _ in measured.MCDC_COLUMNS],
                      [measured.cells(name, pairs) for name, pairs in results["rows"]], left=(0,)), [
        (f"{measured.percent(*results['rows'][-1][1][-1]):.1f} %", "of conditions (MC/DC)", "Coverage of conditions",
         False)]


def main():
    options = arguments()
    output = pathlib.Path(options.output or common.BUILD / "report.html")
    if not output.parent.is_dir() and options.output:
        common.die(f"--output {options.output}: no such folder")
    if output.is_dir():
        common.die(f"--output {options.output}: a folder; a file was expected")
    common.install_packages("build")
    targets = common.targets()
    tree = common.build("dev")
    print("playing the corpora", flush=True)
    histograms, slow = corpora(tree, targets)
    name = git("describe", "--always", "--dirty") or "unknown version"
    measured_last = [("Fuzzing", *fuzzing(targets)), ("Museum", *museum()), ("Mutants", *mutants()),
                     ("Coverage of memcore", *coverage()), ("Coverage of conditions", *conditions())]
    sections = [(heading, text) for heading, text, _ in measured_last] + [
        ("Corpora", histograms), ("Slowest inputs of the corpora", slow)]
    summary = page.cards([card for _, _, several in measured_last for card in several])
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        output.write_text(page.whole("memcore: what was measured", f"{name}, {now}", sections, summary))
    except OSError as error:
        common.die(f"{output}: {error.strerror}", 1)
    print(f"written: {common.shown(output)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
