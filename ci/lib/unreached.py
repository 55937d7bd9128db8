# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/coverage.unreached: lines and branches of memcore that no test can execute, each by name and with its reason."""
import bisect
import collections
import re

HELP = "FILE | FUNCTION | lines N, branches N or function | beginning of the line | reason"
WHAT = re.compile(r"(rarely )?(lines|branches) ([1-9]\d*)$|function$")
Entry = collections.namedtuple("Entry", "row file function rarely kind number text reason")


def read(path):
    """The entries, and what is wrong with the others."""
    entries, troubles = [], []
    for row, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in re.split(r"\s\|(?=\s)", line)]
        match = WHAT.match(fields[2]) if len(fields) == 5 else None
        if not match or not all(fields[:2]) or not fields[4] or (match[0] != "function") != bool(fields[3]):
            troubles.append(f"{path.name}:{row}: expected: {HELP}")
            continue
        file, function, _, text, reason = fields
        entries.append(Entry(row, file, function, bool(match[1]), match[2] or "function", int(match[3] or 0), text,
                             reason))
    return entries, troubles


def function_of(file, line):
    """By where functions begin: a line belongs to the last that began."""
    starts = sorted((start, name) for name, start in file.begin.items())
    index = bisect.bisect_right([start for start, _ in starts], line)
    return starts[index - 1][1] if index else ""


def find(entry, file, source):
    """The counted lines that are meant, or what is wrong."""
    if entry.function not in file.function:
        return f"{entry.file} has no function {entry.function}"
    lines = sorted(file.line)
    own = [line for line in lines if function_of(file, line) == entry.function]
    if entry.kind == "function":
        return own
    places = [line for line in own if source[line - 1].strip().startswith(entry.text)]
    if len(places) != 1:
        return f"{entry.file}, {entry.function}: {len(places)} lines begin with \"{entry.text}\", not 1"
    count = entry.number if entry.kind == "lines" else 1
    index = lines.index(places[0])
    return lines[index:index + count]


def take(entry, file, lines):
    """Takes out of the counts what is listed, or tells what is executed in spite of it."""
    if entry.kind == "branches":
        missed = [place for place, count in file.branch.items() if int(place.split(",")[0]) == lines[0] and count == 0]
        if len(missed) < entry.number and not entry.rarely:
            return f"{entry.number} branches are listed, {len(missed)} are not executed"
        for place in missed[:entry.number]:
            del file.branch[place]
        return None
    executed = [line for line in lines if file.line[line]]
    if executed and not entry.rarely:
        return f"line {executed[0]} is listed, but executed"
    if entry.kind == "function":
        del file.function[entry.function]
    for line in lines:
        del file.line[line]
    for place in [place for place in file.branch if int(place.split(",")[0]) in lines]:
        del file.branch[place]
    return None


def subtract(files, entries, source_of):
    """Takes the entries out of {name: File}.  Returns what is wrong with them."""
    troubles = []
    for entry in entries:
        file = files.get(entry.file)
        lines = find(entry, file, source_of(entry.file)) if file else f"nothing of {entry.file} was counted"
        trouble = lines if isinstance(lines, str) else take(entry, file, lines)
        if trouble:
            troubles.append(f"coverage.unreached:{entry.row}: {entry.file}, {entry.function}: {trouble}: "
                            f"{entry.reason}")
    return troubles


def remaining(files, source_of):
    """What is neither executed nor listed, as text; lines first in each file."""
    rows = []
    for name, file in sorted(files.items()):
        missed = collections.Counter(int(place.split(",")[0]) for place, count in file.branch.items() if count == 0)
        for line in sorted({*missed, *(line for line, count in file.line.items() if count == 0)}):
            what = "line" if file.line.get(line) == 0 else f"{missed[line]} branches"
            rows.append(f"{name}:{line}: {function_of(file, line)}: {what}: {source_of(name)[line - 1].strip()}")
    return rows
