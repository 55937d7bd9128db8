# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/coverage: what of memcore the tests and the committed corpora execute.  See --help."""
import collections
import concurrent.futures
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import common
import display
import unreached

FLOOR = common.ROOT / "ci/coverage.floor"
UNREACHED = common.ROOT / "ci/coverage.unreached"
KINDS = ("line", "function", "branch")
# Links memcore without what counts; says nothing about memcore; limits the size of files, those of counters too.
NOT_RUN = "^(install\\.|rules\\.|harness\\.memtrace_inputs$)"
COLUMNS = (("folder", -12), ("lines", 13), ("%", 6), ("functions", 13), ("%", 6), ("branches", 13), ("%", 6))
MCDC_COLUMNS = (("folder", -12), ("lines", 13), ("%", 6), ("branches", 13), ("%", 6), ("MC/DC", 13), ("%", 6))


def arguments():
    parser = common.parser(
        "ci/coverage",
        description="Runs the unit tests and replays the committed corpora in a tree that counts, and reports what of "
                    "memcore/ was executed: a table here, build/coverage/html/index.html with the functions that "
                    "nothing calls and the rules that have no case.  What no test can execute is listed by name in "
                    "ci/coverage.unreached and does not count; build/coverage/remaining.txt is what is left.",
        epilog="Exit code: 0 measured (and not below the floor), 1 below the floor, the list of what cannot be "
               "executed is wrong or a test failed, 2 wrong use.\n\n"
               "Example: ci/coverage --gate")
    parser.add_argument("--gate", action="store_true", help="fail if a figure is below ci/coverage.floor")
    parser.add_argument("--raise", action="store_true", dest="up", help="write better figures to ci/coverage.floor")
    parser.add_argument("--mcdc", action="store_true",
                        help="instead: lines, branches and MC/DC as clang-19 sees them, in build/coverage-mcdc/html")
    options = parser.parse_args()
    if options.mcdc and (options.gate or options.up):
        common.die("--mcdc has no floor: give it without --gate and --raise")
    if options.gate and options.up:
        common.die("--gate and --raise exclude each other")
    return options


def run(command, **named):
    """Output, or the end with what the command said."""
    result = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace", **named)
    if result.returncode != 0:
        print("\n".join(line[:400] for line in result.stdout.splitlines()[-40:]), file=sys.stderr)
        common.die(f"{command[0]} failed with exit code {result.returncode}", 1)
    return result.stdout


def run_tests(tree, **variables):
    """Everything with the label `unit`, replays of the corpora included.  Whether tests pass, ci/test judges; some wait
    for threads or other programs, and counting slows those, so here each may try again."""
    print("running unit tests and replays", flush=True)
    run(["ctest", "--test-dir", tree, "-L", "unit", "-E", NOT_RUN, "-j", os.cpu_count() or 1, "--output-on-failure",
         "--no-tests=error", "--repeat", "until-pass:3"], env={**os.environ, **variables})


def lcov_options():
    """1.16 and 2 name the same settings differently; 2 takes for an error what 1 does not notice."""
    version = run(["lcov", "--version"]).split()[-1]
    if int(version.split(".")[0].split("-")[0]) < 2:
        return ["--rc", "lcov_branch_coverage=1"], ["--rc", "genhtml_branch_coverage=1", "--branch-coverage"]
    both = ["--rc", "branch_coverage=1", "--ignore-errors", "inconsistent,mismatch,unused,negative"]
    return both, [*both, "--branch-coverage"]


def capture_all(tree, tracefile, options):
    """What was counted of memcore/, in all of the tree: inline functions of the public headers are executed in the
    programs that include them.  lcov keeps one processor busy, so each gets a share of the objects."""
    def captured(share):
        number, folders = share
        part = tree / f"part-{number}.info"
        run(["lcov", "--quiet", "--capture", *(word for folder in folders for word in ("--directory", folder)),
             "--base-directory", tree, "--output-file", part, *options])
        return part

    counts = collections.Counter(folder for path in tree.rglob("*.gcda") for folder in path.parents
                                 if folder.suffix == ".dir")
    shares = [[] for _ in range(min(os.cpu_count() or 1, len(counts)))]
    for folder, _ in counts.most_common():
        min(shares, key=lambda share: sum(counts[f] for f in share)).append(folder)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        parts = list(pool.map(captured, enumerate(shares)))
    whole = tree / "all.info"
    run(["lcov", "--quiet", *(word for part in parts for word in ("--add-tracefile", part)), "--output-file", whole,
         *options])
    run(["lcov", "--quiet", "--extract", whole, f"{common.ROOT}/memcore/*", "--output-file", tracefile, *options])
    for part in parts:
        part.unlink()


class File:
    """One source's counts: {line: count}, {function: count}, {branch: count}; {function: its first line}."""

    def __init__(self):
        self.line, self.function, self.branch, self.begin = {}, {}, {}, {}


def read_tracefile(path):
    """{name below memcore/: File}"""
    files = collections.defaultdict(File)
    for row in path.read_text().splitlines():
        kind, _, rest = row.partition(":")
        if kind == "SF":
            file = files[os.path.relpath(rest, common.ROOT / "memcore")]
        elif kind == "DA":
            line, count = rest.split(",")[:2]
            file.line[int(line)] = int(count)
        elif kind == "FN":
            words = rest.split(",")
            file.begin[words[-1]] = int(words[0])
        elif kind == "FNDA":
            count, name = rest.split(",", 1)
            file.function[name] = int(count)
        elif kind == "BRDA":
            place, count = rest.rsplit(",", 1)
            file.branch[place] = 0 if count == "-" else int(count)
    return dict(files)


def tally(files, kind):
    counts = [count for file in files for count in getattr(file, kind).values()]
    return sum(count > 0 for count in counts), len(counts)


def percent(hit, total):
    return 100.0 * hit / total if total else 100.0


def folder_of(name):
    return "/".join(name.split("/")[:-1])


def table(files):
    """Rows of (folder, {kind: (hit, total)}), the last for all."""
    folders = sorted({folder_of(name) for name in files})
    rows = [(folder, [file for name, file in files.items() if folder_of(name) == folder]) for folder in folders]
    rows.append(("memcore", list(files.values())))
    return [(name, {kind: tally(group, kind) for kind in KINDS}) for name, group in rows]


def cells(name, pairs):
    row = [name]
    for hit, total in pairs:
        row += [f"{hit} of {total}", f"{percent(hit, total):.1f}" if total else "-"]
    return row


def suites(tree):
    """The conformance programs, as the test that counts their cases names them."""
    listing = json.loads(run(["ctest", "--test-dir", tree, "--show-only=json-v1"]))
    command = next(t["command"] for t in listing["tests"] if t["name"] == "rules.every-rule-has-a-case")
    script = next(i for i, word in enumerate(command) if word.endswith("check_rules.py"))
    return command[:script + 1], command[script + 1:]


def rules_without_case(tree):
    """(number of rules, [(rule, reason), ...])"""
    checker, programs = suites(tree)
    rows = [line.split(None, 2) for line in run([*checker, "--list", *programs]).splitlines()]
    return len(rows), [(row[0], row[2] if len(row) > 2 else "NO REASON GIVEN") for row in rows if row[1] == "0"]


def source_of(name):
    return (common.ROOT / "memcore" / name).read_text().splitlines()


def front_page(path, rows, files, rules, without, listed):
    def line(tag, row):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in row) + "</tr>"

    never = [(name, function) for name, file in sorted(files.items())
             for function, count in sorted(file.function.items()) if count == 0]
    page = ["<!DOCTYPE html><meta charset='utf-8'><title>memcore: coverage</title>",
            "<style>body{font:15px sans-serif;margin:2em;max-width:70em}td,th{padding:.15em .8em;text-align:right}"
            "td:first-child,th:first-child{text-align:left}</style>",
            "<h1>Coverage of memcore</h1><p>By the unit tests (conformance and harness) and the replays of the "
            "committed corpora. <a href='lcov/index.html'>Every file, line by line</a></p>",
            "<table>", line("th", [c for c, _ in COLUMNS]),
            *(line("td", cells(name, [tallies[k] for k in KINDS])) for name, tallies in rows), "</table>",
            f"<h2>Functions that nothing calls ({len(never)})</h2><ul>",
            *(f"<li><code>{html.escape(function)}</code> in {html.escape(name)}" for name, function in never), "</ul>",
            f"<h2>Rules without a case ({len(without)} of {rules})</h2><ul>",
            *(f"<li>{html.escape(rule)}: {html.escape(reason)}" for rule, reason in without), "</ul>",
            f"<h2>What no test can execute ({len(listed)})</h2><p>The table above counts none of it.</p><ul>",
            *(f"<li>{html.escape(entry.file)}, <code>{html.escape(entry.function)}</code>: {html.escape(entry.reason)}"
              for entry in listed), "</ul>"]
    path.write_text("\n".join(page) + "\n")
    return never


def read_floor():
    if not FLOOR.exists():
        return {}
    return {words[0]: float(words[1]) for words in map(str.split, FLOOR.read_text().splitlines())
            if words and words[0] in KINDS}


def write_floor(figures):
    text = "".join(f"{kind} {figures[kind]:.1f}\n" for kind in KINDS)
    FLOOR.write_text("# SPDX-License-Identifier: GPL-2.0-or-later\n"
                     "# Per cent of memcore/ that tests and corpora execute at least; "
                     "only `ci/coverage --raise` writes it.\n"
                     + text)


def below_floor(figures):
    return [f"{kind}: {figures[kind]:.2f} % is below the floor of {floor} %" for kind, floor in read_floor().items()
            if figures[kind] < floor]


def measure_gcc(options):
    common.install_packages("build", "coverage")
    tree = common.build("coverage")
    for path in tree.rglob("*.gcda"):
        path.unlink()
    run_tests(tree)
    capture, render = lcov_options()
    tracefile, report = tree / "memcore.info", tree / "html"
    capture_all(tree, tracefile, capture)
    files = read_tracefile(tracefile)
    if not files:
        common.die("nothing of memcore/ was counted", 1)
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir()
    run(["genhtml", "--quiet", tracefile, "--prefix", common.ROOT, "--title", "memcore", "--output-directory",
         report / "lcov", *render])
    listed, troubles = unreached.read(UNREACHED)
    troubles += unreached.subtract(files, listed, source_of)
    remaining = unreached.remaining(files, source_of)
    (tree / "remaining.txt").write_text("".join(f"{row}\n" for row in remaining))
    rows = table(files)
    rules, without = rules_without_case(tree)
    never = front_page(report / "index.html", rows, files, rules, without, listed)
    figures = {kind: percent(*rows[-1][1][kind]) for kind in KINDS}
    (tree / "results.json").write_text(json.dumps(
        {"rows": rows, "never": never, "rules": rules, "without": without}, indent=1) + "\n")

    print("\n" + display.row([name for name, _ in COLUMNS], COLUMNS))
    for name, tallies in rows:
        print(display.row(cells(name, [tallies[k] for k in KINDS]), COLUMNS))
    print(f"less {len(listed)} places that no test can execute, each with its reason in {common.shown(UNREACHED)}")
    print("\n".join(row for row in remaining if ": line: " in row), end="\n" if figures["line"] < 100 else "")
    print(f"{len(remaining)} lines that are not executed, or not in every direction: "
          f"{common.shown(tree / 'remaining.txt')}")
    print(f"{len(never)} functions that nothing calls, {len(without)} of {rules} rules without a case: "
          f"{common.shown(report / 'index.html')}")
    if options.up and not troubles:
        old = read_floor()
        # What threads and samples by time execute differs by a few branches from run to run: hence a little less.
        new = {kind: max(old.get(kind, 0.0), int(figures[kind] * 10 - 1) / 10) for kind in KINDS}
        if new != old:
            write_floor(new)
        print(f"{common.shown(FLOOR)}: " + ", ".join(f"{kind} {new[kind]} %" for kind in KINDS))
    elif options.gate:
        troubles += below_floor(figures)
    for trouble in troubles:
        print(f"ci/coverage: {trouble}", file=sys.stderr)
    sys.exit(bool(troubles))


def measure_clang():
    common.install_packages("build", "mcdc")
    tree = common.build("coverage", common.BUILD / "coverage-mcdc",
                        ("-DCMAKE_C_COMPILER=clang-19", "-DMEMCORE_COVERAGE=MCDC"))
    profiles = common.clean_work(tree / "profiles")
    # %m: programs with the same code add up in one file; eight, so that tests need not wait for each other.
    run_tests(tree, LLVM_PROFILE_FILE=f"{profiles}/%8m.profraw")
    raw = sorted(profiles.glob("*.profraw"))
    if not raw:
        common.die("the tests wrote no profile", 1)
    run(["llvm-profdata-19", "merge", "--sparse", "--failure-mode=all", "-o", tree / "memcore.profdata", *raw])
    library, profile = tree / "memcore/libmemcore.a", f"--instr-profile={tree}/memcore.profdata"
    summary = json.loads(re.sub(r"^warning: .*\n", "",
                                run(["llvm-cov-19", "export", "--summary-only", library, profile]), flags=re.M))
    files = {os.path.relpath(f["filename"], common.ROOT / "memcore"): f["summary"] for f in summary["data"][0]["files"]}
    report = tree / "html"
    shutil.rmtree(report, ignore_errors=True)
    run(["llvm-cov-19", "show", "--format=html", "--show-mcdc", "--show-branches=count", f"--output-dir={report}",
         library, profile])
    kinds = ("lines", "branches", "mcdc")
    rows = []
    for folder in (*sorted({folder_of(name) for name in files}), None):
        group = [f for name, f in files.items() if folder in (None, folder_of(name))]
        pairs = [(sum(f[k]["covered"] for f in group), sum(f[k]["count"] for f in group)) for k in kinds]
        if any(total for _, total in pairs):
            rows.append((folder or "memcore", pairs))
    (tree / "results.json").write_text(json.dumps({"kinds": kinds, "rows": rows}, indent=1) + "\n")
    print("\n" + display.row([name for name, _ in MCDC_COLUMNS], MCDC_COLUMNS))
    for name, pairs in rows:
        print(display.row(cells(name, pairs), MCDC_COLUMNS))
    print(f"every decision and its conditions: {common.shown(report / 'index.html')}")


def main():
    options = arguments()
    if options.mcdc:
        measure_clang()
    else:
        measure_gcc(options)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        common.die("interrupted; nothing is left half-written that the next run would read", 130)
