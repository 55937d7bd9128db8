#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""report.py: ci/report writes a page of what is there, says what is not, and asks nobody else for anything."""
import html.parser
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402
import page  # noqa: E402
import report  # noqa: E402

VOID = {"meta"}


class Nesting(html.parser.HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.trouble = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        if tag == "h2":
            self.headings.append(dict(attrs)["id"])

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.trouble.append(f"</{tag}> closes something else")


def check(what, truth):
    print(("ok: " if truth else "FAILED: ") + what)
    return truth


def read(text):
    parser = Nesting()
    parser.feed(text)
    return parser


def pieces():
    """What a name or a message contains is shown, not obeyed."""
    hostile = "<script>&\"'"
    text = page.whole(hostile, hostile, [(hostile, page.table([hostile], [[hostile]], left=(0,)) +
                                          page.bars(hostile, [(hostile, 4, 1)]) +
                                          page.plot(hostile, [(hostile, [(0, 1), (1, 1)])], "s"))],
                      page.cards([(hostile, hostile, hostile, True)]))
    return check("hostile text is escaped", "<script>" not in text and not read(text).trouble)


def sections():
    """Of what commands leave: the figures, and that what is bad is told at the top."""
    outcomes = ("killed", "killed", "killed", "survived", "same", "stillborn")
    left = {"museum": {"a": {"entry": "a", "hunter": "t", "engine": "e", "state": "found", "seconds": 1.0},
                       "b": {"entry": "b", "hunter": "t", "engine": "e", "state": "not found"}},
            "mutants": {"mutants": {str(n): {"path": "memcore/ram/x.c", "line": n, "kind": "k", "old": "o",
                                             "new": str(n), "by": "", "outcome": outcome}
                                    for n, outcome in enumerate(outcomes)}},
            "coverage": {"rows": [["all", {"line": [3, 4], "function": [1, 1], "branch": [1, 2]}]], "never": [],
                         "without": [], "rules": 5},
            "coverage-mcdc": {"rows": [["all", [[1, 1], [1, 1], [1, 4]]]]},
            "history": {"target": "access", "engine": "libfuzzer", "state": "found", "seconds": 2.0, "execs": 10,
                        "checked": 4, "steps": 10, "skipped": 1, "edges": 5, "corpus": 1, "mb": 9, "ended": 0,
                        "history": [{"seconds": 1, "edges": 4}, {"seconds": 2, "edges": 5}]}}
    report.load = lambda path: left.get(path.parent.name)
    several = (report.museum, report.mutants, report.coverage, report.conditions)
    found = [card for section in several for card in section()[1]]
    found += report.fuzzing({"access": common.targets()["access"]})[1]
    wanted = [("1 of 2", True), ("75.0 %", False), ("75.0 %", False), ("50.0 %", False), ("25.0 %", False), ("2", True),
              ("20", False)]
    return check(f"figures of the summary: {found}", [(figure, bad) for figure, _, _, bad in found] == wanted)


def main():
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "report.html"
        result = subprocess.run([common.ROOT / "ci/report", "-o", output], cwd=common.ROOT)
        text = output.read_text() if output.exists() else ""
    seen = read(text)
    fine = [pieces(), sections(), check("exit code 0", result.returncode == 0),
            check("all sections are there", seen.headings == ["fuzzing", "museum", "mutants", "coverage-of-memcore",
                                                              "coverage-of-conditions", "corpora",
                                                              "slowest-inputs-of-the-corpora"]),
            check("elements are nested", not seen.trouble and seen.open in ([], ["html"])),
            check("nothing comes from elsewhere", not re.search(r"https?://|src=|@import", text)),
            check("operations of a corpus are counted", "region_tree: operations" in text)]
    sys.exit(not all(fine))


if __name__ == "__main__":
    main()
