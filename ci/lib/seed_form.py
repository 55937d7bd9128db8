# SPDX-License-Identifier: GPL-2.0-or-later
"""How a target's inputs are taken apart, put together again, and written as the text that corpora/ holds.

A form has   ending               of the files
             fixed                how many parts, at the start, stay whatever happens
             parts(data)          what an input consists of, to be left out one by one; None: this form does not fit
             join(parts)          the input
             simpler(part, which) what may stand in a part's place; None: nothing, or it is that already
             ways(part)           how many `which` there are
             text(parts, note)    the file; `note` says in one sentence what the input is for
             packed(parts)        what the build makes of the file"""
import re
import shutil
import subprocess

LICENCE = "# SPDX-License-Identifier: GPL-2.0-or-later\n"
LINE_BYTES, REPEATED_MIN, WORD_MIN = 16, 8, 5

# What a step's first byte means, modulo 16: harness/migrate/live.h, postcopy.h and colo.h.
LIVE = ["the guest writes pages"] * 3 + ["the guest writes 8 bytes"] + ["iterate"] * 3 + [
    "a call fails", "cancel", "the block is resized", "a block comes, or goes", "another save is set up", "complete",
    "free", "before a call the guest writes", "before a call: cancel"]
DESTINATION = ["page"] * 3 + ["a thread touches a page"] * 2 + [
    "DISCARD", "ADVISE", "the list of blocks", "a command", "END", "end of the stream", "page on another channel",
    "meanwhile a page on another channel", "the next call fails", "the next message is changed", "setup, or PING"]
COLO = ["the guest writes pages"] * 4 + ["the guest writes 8 bytes"] + ["put"] * 4 + ["write-through"] + [
    "flush"] * 2 + ["init, or release", "init on a host that refuses", "the block is resized", "a block comes, or goes"]
SOURCE = ["the guest writes"] * 4 + ["pages are asked for"] * 4 + ["bytes are asked for"] * 2 + [
    "postcopy is to start", "the message fails", "SHUT", "bytes of the return path"] + ["the message goes"] * 2


class Bytes:
    """`head` bytes, then steps of `size`; written as harness/snapshot/hex.h says."""
    ending = ".hex"

    def __init__(self, head, size, rows):
        self.head, self.size, self.rows, self.fixed = head, size, rows, int(head > 0)

    def parts(self, data):
        head = [data[:self.head]] if self.head else []
        return head + [data[at:at + self.size] for at in range(self.head, len(data), self.size)] if data else None

    def join(self, parts):
        return b"".join(parts)

    def ways(self, part):
        return 2 * len(part)

    def simpler(self, part, which):
        """A byte less: 0, or what means the same where only its low bits count."""
        at = which // 2
        less = part[at] % 16 if which % 2 else 0
        return part[:at] + bytes([less]) + part[at + 1:] if less != part[at] else None

    def text(self, parts, note):
        lines = [LICENCE + f"# {note}"]
        for data, comment in self.rows(self.join(parts)):
            line = hex_words(data)
            lines += line[:-1] + [f"{line[-1]}   # {comment}" if comment else line[-1]]
        return "\n".join(lines) + "\n"

    def packed(self, parts):
        return self.join(parts)


class Trace(Bytes):
    """The binary form's header and records; written as memtrace prints them."""
    ending = ".trace"

    def __init__(self, memtrace, work):
        super().__init__(8, 28, None)
        self.memtrace, self.work = memtrace, work

    def ways(self, _part):
        return 0

    def lines(self, parts):
        binary = self.work / "shown"
        binary.write_bytes(self.join(parts))
        return subprocess.run([self.memtrace, "show", "--binary", binary], stdout=subprocess.PIPE, check=True,
                              text=True).stdout

    def text(self, parts, note):
        return LICENCE + f"# {note}\n" + self.lines(parts)

    def packed(self, parts):
        source, folder = self.work / "seed.trace", self.work / "packed"
        source.write_text(self.lines(parts))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        subprocess.run([self.memtrace, "pack", "-d", folder, source], stdout=subprocess.DEVNULL, check=True)
        return (folder / "seed").read_bytes()


class Text(Bytes):
    """As it is; the note in front is a comment to the reader of such an input, too."""
    ending = ".txt"

    def __init__(self):
        super().__init__(0, 1, None)

    def parts(self, data):
        return super().parts(data) if re.fullmatch(rb"[#A-Za-z\s][\t\n\r -~]*", data) else None

    def join(self, parts):
        return (LICENCE + "# learned\n").encode() + b"".join(parts)

    def ways(self, _part):
        return 0

    def text(self, parts, note):
        return LICENCE + f"# {note}\n" + b"".join(parts).decode()


def hex_words(data):
    """Lines of it: XX*N for a byte many times, "..." for words, two digits a byte."""
    lines, line, plain = [], [], 0
    piece = re.compile(rb"(?P<same>(.)\2{%d,})|(?P<word>[ !#-~]{%d,})|." % (REPEATED_MIN - 1, WORD_MIN), re.S)
    for match in piece.finditer(data):
        plain += 1
        if match["same"]:
            line.append(f"{match[0][0]:02x}*{len(match[0])}")
        elif match["word"]:
            line.append(f"\"{match[0].decode()}\"")
        else:
            line.append(f"{match[0][0]:02x}")
        if match["same"] or match["word"] or plain == LINE_BYTES:
            lines, line, plain = lines + [" ".join(line)], [], 0
    return lines + [" ".join(line)] if line or not lines else lines


def plain_rows(data):
    return [(data, "")]


def record_rows(data):
    """harness/trace/trace.h: the binary form."""
    yield data[:8], "header"
    for at in range(8, len(data), 28):
        yield data[at:at + 28], ""


def step_rows(names_of):
    """Rows of an input of 4 bytes of parameters and 4 a step."""
    def rows(data):
        names = names_of(data[0])
        yield data[:4], "parameters"
        for at in range(4, len(data), 4):
            yield data[at:at + 4], names[data[at] % 16]
    return rows


def recipe_rows(data):
    """harness/snapshot/recipe.h; what begins with Q is a file."""
    if data[:1] == b"Q":
        yield data, ""
        return
    at, counts = 5, data[1] if len(data) > 1 else 0
    yield data[:at], "configuration, counts, start, kind of file, reader's flags"
    for size, many, name in ((4, counts & 7, "block: name, pages, present, gap"), (counts >> 3, 1, "records"),
                             (4, len(data), "change: what, where, how, how much")):
        for _ in range(many):
            if at < len(data) and size:
                yield data[at:at + size], name
                at += size


def forms(target, memtrace, work):
    """Those of a target, the most readable first."""
    if target.input == "trace":
        return [Trace(memtrace, work)]
    return {
        "mapped_ram_live": [Bytes(4, 4, step_rows(lambda _: LIVE))],
        "colo_cache": [Bytes(4, 4, step_rows(lambda _: COLO))],
        "postcopy": [Bytes(4, 4, step_rows(lambda first: SOURCE if first & 1 else DESTINATION))],
        "mapped_ram_load": [Bytes(0, 1, recipe_rows)],
        "trace_codec": [Text(), Bytes(8, 28, record_rows)],
    }.get(target.name, [Bytes(0, 1, plain_rows)])
