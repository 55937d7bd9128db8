# SPDX-License-Identifier: GPL-2.0-or-later
"""Pieces of a self-contained HTML page: tables, plots, bars.  No scripts, nothing from elsewhere."""
import html
import re

STYLE = """
:root { --ink: #1f2937; --soft: #6b7280; --line: #e5e7eb; --paper: #ffffff; --band: #f8fafc; --one: #2563eb;
        --two: #d97706; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5e7eb; --soft: #9ca3af; --line: #374151; --paper: #111827; --band: #1f2937; --one: #60a5fa;
          --two: #fbbf24; --bad: #f87171; } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       margin: 2rem auto; max-width: 96rem; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
h2 + p, .soft { color: var(--soft) }
nav a { margin-right: 1rem; color: var(--one) }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0 }
.cards a { color: inherit; text-decoration: none; border: 1px solid var(--line); border-radius: 6px; min-width: 8.5rem;
           padding: .6rem 1rem }
.cards b { display: block; font-size: 1.35rem; font-weight: 600 } .cards span { color: var(--soft) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
th { color: var(--soft); font-weight: 500 } td.left, th.left { text-align: left }
td.said { white-space: normal; min-width: 18rem; font-family: ui-monospace, monospace; font-size: 12px }
tr:nth-child(even) td { background: var(--band) } .bad { color: var(--bad); font-weight: 600 }
.plots { display: flex; flex-wrap: wrap; gap: 1.2rem; margin-top: 1rem; align-items: flex-start }
figure { margin: 0 } figcaption { color: var(--soft); margin-bottom: .2rem }
svg text { font: 10px ui-monospace, monospace; fill: var(--soft) }
summary { cursor: pointer; margin: .8rem 0 }
"""

COLOURS = ("var(--one)", "var(--two)")
WIDTH, HEIGHT, LEFT, BOTTOM = 340, 150, 46, 18      # of a plot, and of the room for its numbers


def number(value):
    """1234567 as people read it; nothing for None."""
    return "" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def seconds(value):
    return "" if value is None else f"{value:.2f}" if value < 1 else f"{value:.1f}"


def paragraph(text):
    return f"<p>{html.escape(text)}</p>\n"


def nothing(command):
    return f"<p class=\"soft\">Not measured here: <code>{html.escape(command)}</code> does it.</p>\n"


def cell(text, tag, left):
    classes = ["left"] if left else []
    if tag == "td" and any(word in text for word in ("FOUND", "BROKEN")):
        classes.append("bad")
    if left and len(text) > 60:
        classes.append("said")
    mark = f" class=\"{' '.join(classes)}\"" if classes else ""
    return f"<{tag}{mark}>{html.escape(text)}</{tag}>"


def anchor(name):
    return re.sub(r"[^a-z]+", "-", name.lower())


def cards(rows):
    """rows: (figure, what it is, section, whether it is bad).  What matters, at a glance."""
    return "<div class=\"cards\">" + "".join(
        f"<a href=\"#{anchor(section)}\"><b{' class=bad' if bad else ''}>{html.escape(figure)}</b>"
        f"<span>{html.escape(what)}</span></a>" for figure, what, section, bad in rows) + "</div>\n"


def table(names, rows, left=()):
    """Columns whose numbers are in `left` are text."""
    head = "".join(cell(n, "th", i in left) for i, n in enumerate(names))
    out = [f"<div class=\"scroll\"><table>\n<tr>{head}</tr>\n"]
    out += ["<tr>" + "".join(cell(str(c), "td", i in left) for i, c in enumerate(row)) + "</tr>\n" for row in rows]
    return "".join(out) + "</table></div>\n"


def folded(title, text):
    return f"<details><summary>{html.escape(title)}</summary>{text}</details>\n"


def side_by_side(parts):
    return f"<div class=\"plots\">{''.join(parts)}</div>\n" if parts else ""


def plot(title, lines, unit):
    """lines: (name, [(x, y)...]).  From zero on the left, to the largest y."""
    points = [p for _, line in lines for p in line]
    right, top = max(x for x, _ in points) or 1, max(y for _, y in points) or 1
    bottom = min(y for _, y in points) * 0.95
    out = [f"<figure><figcaption>{html.escape(title)}</figcaption><svg width=\"{WIDTH}\" height=\"{HEIGHT}\" "
           "role=\"img\">"]

    def place(x, y):
        share = (y - bottom) / (top - bottom) if top > bottom else 1
        return f"{LEFT + x / right * (WIDTH - LEFT - 8):.1f},{HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - 14):.1f}"

    for share in (0, 0.5, 1):
        y = bottom + share * (top - bottom)
        at = place(0, y).split(",")[1]
        out.append(f"<line x1=\"{LEFT}\" x2=\"{WIDTH - 8}\" y1=\"{at}\" y2=\"{at}\" stroke=\"var(--line)\"/>"
                   f"<text x=\"{LEFT - 5}\" y=\"{at}\" text-anchor=\"end\" dy=\"3\">{number(y)}</text>")
    out.append(f"<text x=\"{WIDTH - 8}\" y=\"{HEIGHT - 4}\" text-anchor=\"end\">{number(right)} {unit}</text>")
    for i, (name, line) in enumerate(lines):
        colour = COLOURS[i % len(COLOURS)]
        points = " ".join(place(*p) for p in line)
        out.append(f"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" points=\"{points}\"/>"
                   f"<text x=\"{LEFT + 6 + 80 * i}\" y=\"10\" style=\"fill: {colour}\">{html.escape(name)}</text>")
    return "".join(out) + "</svg></figure>"


def bars(title, rows):
    """rows: (name, how many, how many of them skipped).  Wide differences, so the scale is the square root."""
    rows = sorted(rows, key=lambda row: (-row[1], row[0]))
    most = max(count for _, count, _ in rows)
    height = 14
    out = [f"<figure><figcaption>{html.escape(title)}</figcaption>"
           f"<svg width=\"{WIDTH + 130}\" height=\"{height * len(rows) + 4}\">"]
    for i, (name, count, skipped) in enumerate(rows):
        y, width = i * height, max(1.0, (count / most) ** 0.5 * 200)
        out.append(f"<text x=\"112\" y=\"{y + 10}\" text-anchor=\"end\">{html.escape(name)}</text>"
                   f"<rect x=\"118\" y=\"{y + 2}\" width=\"{width:.1f}\" height=\"9\" fill=\"var(--one)\"/>")
        if skipped:
            out.append(f"<rect x=\"118\" y=\"{y + 2}\" width=\"{width * skipped / count:.1f}\" height=\"9\" "
                       "fill=\"var(--two)\"/>")
        note = f"{number(count)}" + (f", {100 * skipped / count:.0f} % skipped" if skipped else "")
        out.append(f"<text x=\"{124 + width:.1f}\" y=\"{y + 10}\">{note}</text>")
    return "".join(out) + "</svg></figure>"


def whole(title, subtitle, sections, summary=""):
    """sections: (heading, HTML); the summary stands before them."""
    links = "".join(f"<a href=\"#{anchor(name)}\">{html.escape(name)}</a>" for name, _ in sections)
    body = "".join(f"<h2 id=\"{anchor(name)}\">{html.escape(name)}</h2>\n{text}" for name, text in sections)
    return (f"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
            "content=\"width=device-width\">"
            f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n<h1>{html.escape(title)}</h1>\n"
            f"<p class=\"soft\">{html.escape(subtitle)}</p><nav>{links}</nav>\n{summary}{body}</html>\n")
