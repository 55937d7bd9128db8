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
                                          page.plot(hostile, [(hostile, [(0, 1), (1, 1)])], "s"))])
    return check("hostile text is escaped", "<script>" not in text and not read(text).trouble)


def main():
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "report.html"
        result = subprocess.run([common.ROOT / "ci/report", "-o", output], cwd=common.ROOT)
        text = output.read_text() if output.exists() else ""
    seen = read(text)
    fine = [pieces(), check("exit code 0", result.returncode == 0),
            check("all sections are there", seen.headings == ["fuzzing", "museum", "mutants", "coverage-of-memcore",
                                                              "coverage-of-conditions", "corpora",
                                                              "slowest-inputs-of-the-corpora"]),
            check("elements are nested", not seen.trouble and seen.open in ([], ["html"])),
            check("nothing comes from elsewhere", not re.search(r"https?://|src=|@import", text)),
            check("operations of a corpus are counted", "region_tree: operations" in text)]
    sys.exit(not all(fine))


if __name__ == "__main__":
    main()
