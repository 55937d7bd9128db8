# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/report: one page of what ci/museum, ci/mutants and ci/coverage measured last.  See --help."""
import argparse
import collections
import html
import json
import time

import common
import coverage
import mutants

PAGE = common.BUILD / "report.html"
STYLE = """body{font:15px sans-serif;margin:2em auto;max-width:75em;padding:0 1em}h2{margin-top:2em}
td,th{padding:.15em .8em;text-align:right;vertical-align:top}td:first-child,th:first-child,td.t,th.t{text-align:left}
tr:nth-child(even){background:#8881}.bad{color:#b00}pre{margin:.2em 0 1em 1em}"""


def table(head, rows, bad=lambda row: False):
    def line(tag, row, mark=""):
        return f"<tr{mark}>" + "".join(
            f"<{tag}{' class=t' if isinstance(c, str) and not c[:1].isdigit() else ''}>{html.escape(str(c))}</{tag}>"
            for c in row) + "</tr>"
    return "<table>" + line("th", head) + "".join(line("td", row, " class=bad" if bad(row) else "") for row in rows) + "</table>"


def read(path, command):
    """(what the file has, a line about its age), or (None, how to make it)."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None, f"<p>Not measured yet: <code>{command}</code></p>"
    except ValueError:
        return None, f"<p class=bad>{html.escape(common.shown(path))} is no JSON; make it anew: <code>{command}</code></p>"
    return data, f"<p>{time.strftime('%F %H:%M', time.localtime(path.stat().st_mtime))}, <code>{command}</code></p>"


def museum_part():
    data, about = read(common.BUILD / "museum/results.json", "ci/museum")
    if data is None:
        return about
    rows = [(r["entry"], r["hunter"], r["engine"], r["state"], f"{r['seconds']:.1f}" if r["seconds"] is not None else "-",
             common.number(r["execs"]), r["said"]) for r in data.values()]
    found = sum(row[3] == "found" for row in rows)
    return about + f"<p>{found} of {len(rows)} hunts found their bug.</p>" + table(
        ("entry", "hunted by", "with", "result", "seconds", "executions", "as"), rows, lambda row: row[3] != "found")


def mutants_part():
    data, about = read(mutants.RESULTS, "ci/mutants")
    if data is None:
        return about
    groups, total = collections.defaultdict(collections.Counter), collections.Counter()
    for entry in data["mutants"].values():
        groups[mutants.CHAPTERS.get(entry["path"].split("/")[1], "other")][entry["outcome"]] += 1
        total[entry["outcome"]] += 1
    rows = mutants.score_rows({**dict(sorted(groups.items())), "all": total})
    survivors = [e for e in data["mutants"].values() if e["outcome"] == "survived"]
    return about + table(("chapter", *(name for name, _ in mutants.COLUMNS[1:])), rows) + \
        f"<details><summary>{len(survivors)} survived</summary>" + "".join(
            f"{html.escape(e['path'])}:{e['line']}, {e['kind']}<pre>- {html.escape(e['old'])}\n+ {html.escape(e['new'])}</pre>"
            for e in sorted(survivors, key=lambda e: (e["path"], e["line"]))) + "</details>"


def coverage_part():
    data, about = read(common.BUILD / "coverage/results.json", "ci/coverage")
    if data is None:
        return about
    rows = [coverage.cells(name, [tallies[kind] for kind in coverage.KINDS]) for name, tallies in data["rows"]]
    return about + table([name for name, _ in coverage.COLUMNS], rows) + \
        f"<p>{len(data['never'])} functions that nothing calls, {len(data['without'])} of {data['rules']} rules without a case: " \
        "<a href='coverage/html/index.html'>which</a></p>"


def mcdc_part():
    data, about = read(common.BUILD / "coverage-mcdc/results.json", "ci/coverage --mcdc")
    if data is None:
        return about
    return about + table([name for name, _ in coverage.MCDC_COLUMNS],
                         [coverage.cells(name, pairs) for name, pairs in data["rows"]])


PARTS = (("Museum: bugs of the past, put in again", museum_part), ("Mutants: small mistakes, put in one at a time", mutants_part),
         ("Coverage of memcore", coverage_part), ("Coverage of its conditions (MC/DC)", mcdc_part))


def main():
    argparse.ArgumentParser(
        prog="ci/report", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Gathers what ci/museum, ci/mutants and ci/coverage measured last in one page, build/report.html.\n"
                    "What was not measured is named with the command that does.",
        epilog="example: ci/coverage && ci/mutants --sample 200 && ci/report\nExit code: 0 written, 2 wrong use.").parse_args()
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text("<!DOCTYPE html><html lang=en><meta charset=utf-8><title>memcore: report</title>"
                    f"<style>{STYLE}</style><h1>Is the harness sharp?</h1>"
                    + "".join(f"<h2>{title}</h2>{part()}" for title, part in PARTS) + "</html>\n")
    print(common.shown(PAGE))


if __name__ == "__main__":
    main()
