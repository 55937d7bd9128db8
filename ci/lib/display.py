# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress of campaigns: on a terminal one block that is drawn again, else a plain line now and then."""
import shutil
import sys
import time

from common import number

PLAIN_SECONDS = 10
COLUMNS = (("target", -15), ("engine", -9), ("left", 6), ("exec/s", 9), ("checked steps/s", 15), ("edges", 7),
           ("corpus", 7), ("", -10))


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def row(cells, columns=COLUMNS):
    return "  ".join(f"{c:<{-w}}" if w < 0 else f"{c:>{w}}" for c, (_, w) in zip(cells, columns)).rstrip()


def cells(c):
    if c.state == "waiting":
        return c.target.name, c.engine, clock(c.seconds), "", "", "", "", "waiting"
    running = c.state == "running"
    rate = c.rate if running else c.average("execs")
    checked = c.checked_rate if running else c.average("checked")
    state = {"running": "fuzzing", "done": "done", "broken": "BROKEN",
             "found": "as planted" if c.target.finding == "must" else "FOUND"}[c.state]
    return (c.target.name, c.engine, clock(c.left()) if running else "", number(rate), number(checked),
            number(c.most("edges")), number(c.most("corpus")), state)


class Display:
    def __init__(self, campaigns, out=sys.stdout):
        self.campaigns, self.out = campaigns, out
        self.terminal = out.isatty()
        self.drawn = 0              # lines of the block that stand on the terminal
        self.next_plain = {}

    def update(self):
        if self.terminal:
            self.draw()
        else:
            self.plain()

    def draw(self):
        width, height = shutil.get_terminal_size()
        shown = self.campaigns
        if len(shown) + 2 > height:     # a block taller than the terminal cannot be drawn over
            shown = [c for c in shown if c.state == "running"][:max(1, height - 3)]
        lines = [row([name for name, _ in COLUMNS])] + [row(cells(c)) for c in shown]
        text = f"\x1b[{self.drawn}A" if self.drawn else ""
        text += "".join(f"\r{line[:width - 1]}\x1b[K\n" for line in lines) + "\x1b[J"
        self.drawn = len(lines)
        self.out.write(text)
        self.out.flush()

    def plain(self):
        now = time.monotonic()
        for c in self.campaigns:
            key = (c.target.name, c.engine)
            due = self.next_plain.get(key, now + 2 if c.state == "running" else now)
            if c.state == "waiting" or due is None:
                continue
            if c.state != "running":
                self.next_plain[key] = None
            elif key not in self.next_plain or now < due:
                self.next_plain.setdefault(key, due)
                continue
            else:
                self.next_plain[key] = now + PLAIN_SECONDS
            name, engine, left, rate, checked, edges, corpus, state = cells(c)
            left = f"{left} left, " if left else ""
            self.out.write(f"{name} {engine}: {state}, {left}{rate} exec/s, {checked} checked steps/s, "
                           f"{edges} edges, corpus {corpus}\n")
            self.out.flush()

    def close(self):
        if self.terminal:
            self.draw()


TABLE = (("target", -15), ("engine", -9), ("seconds", 7), ("execs", 12), ("exec/s", 9), ("checked steps/s", 15),
         ("skipped", 7), ("edges", 7), ("corpus", 7), ("MB", 5), ("result", -10))


# What a narrow terminal can do without, the first first.
DISPENSABLE = ("skipped", "MB", "corpus", "checked steps/s", "engine")


def narrowed(rows, width):
    """Rows of TABLE, the heads first, as text that fits but for a long result, if that can be."""
    columns = list(range(len(TABLE)))
    left_out = list(DISPENSABLE)

    def lines():
        return [row([cells[i] for i in columns], [TABLE[i] for i in columns]) for cells in rows]

    while left_out and len(lines()[0]) + len("no finding") - len("result") > width:
        columns = [i for i in columns if TABLE[i][0] != left_out[0]]
        left_out.pop(0)
    return lines()


def table(campaigns):
    """The end: averages over the whole run.  MB is the peak."""
    rows = [[name for name, _ in TABLE]]
    for c in campaigns:
        if not c.started:
            rows.append([c.target.name, c.engine] + [""] * 8 + ["not run"])
            continue
        steps, skipped = c.total("steps"), c.total("skipped")
        result = {"done": "no finding", "broken": f"BROKEN: {c.trouble}", "running": "interrupted",
                  "found": "found, as planted" if c.target.finding == "must" else "FOUND"}[c.state]
        if c.state == "done" and c.target.finding == "must":
            result = "NOT FOUND: a failure is planted in it"
        rows.append([c.target.name, c.engine, f"{c.elapsed():.0f}", number(c.total("execs")),
                     number(c.average("execs")), number(c.average("checked")),
                     f"{100 * skipped / steps:.0f} %" if steps else "-", number(c.most("edges")),
                     number(c.most("corpus")), number(c.peak_mb), result])
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10 ** 6
    return "\n".join(["", *narrowed(rows, width)])
