# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutants of a C source: small mistakes that people make, one at a time, found by tokens alone.

Tokens suffice because a mutant that is not C, or means the same, is told by the compiler afterwards.  Only function
bodies and macros of several lines are mutated.  What checks memcore (its assertions, its VERIFY code) is left alone:
a check that is missing is no mistake of the core, and no test can notice it."""
import collections
import hashlib
import re

# function is "macro" in a macro; start and end are offsets into the text; line counts from 1.
Mutant = collections.namedtuple("Mutant", "id path function line kind start end text old new")
Token = collections.namedtuple("Token", "kind text start end line")

KINDS = ("arguments", "arithmetic", "comparison", "condition", "constant", "lifetime", "lost", "negation", "statement")

TOKEN = re.compile(r"""
    (?P<space>\s+|\\\n) | (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*) | (?P<word>[A-Za-z_]\w*)
  | (?P<mark><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[^\s\w])
""", re.X | re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.M | re.S)

SWAPS = {
    "comparison": {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",),
                   "!=": ("==",)},
    "condition": {"&&": ("||",), "||": ("&&",)},
    "arithmetic": {"+": ("-",), "-": ("+",), "&": ("|",), "|": ("&",), "<<": (">>",), ">>": ("<<",), "+=": ("-=",),
                   "-=": ("+=",), "|=": ("&=",), "&=": ("|=",), "++": ("--",), "--": ("++",)},
}
# What a function hands on, and what a caller who forgot it would say.
LOST = {"attrs": "MEMTXATTRS_UNSPECIFIED", "is_write": "!is_write", "errp": "NULL", "flags": "0", "opaque": "NULL",
        "index": "0"}
UNARY_TOO = {"+", "-", "&"}
NO_CALL = {"if", "while", "for", "switch", "return", "sizeof", "defined", "case", "do", "else", "__attribute__",
           "typeof", "__typeof__"}
NOT_DROPPED = {"if", "for", "while", "switch", "do", "else", "case", "default", "return", "typedef", "static", "const",
               "struct", "union", "enum", "extern", "register", "volatile", "unsigned", "signed", "{", "}", ";"}
# Their arguments are words for people, or checks.
LEFT_ALONE = {"memcore_misuse", "memcore_misuse_at", "memcore_assert", "memcore_verify", "error_setg",
              "error_setg_errno", "error_append_hint",
              "error_prepend", "_Static_assert", "static_assert", "G_STATIC_ASSERT", "__builtin_expect"}
DROPPED_WHOLE = {"memcore_misuse", "memcore_misuse_at", "error_setg", "error_setg_errno"}
# Most of theirs are words for people too.
NOT_SWAPPED = re.compile(r"require|printf|append_")
# Their arguments mean the same in any order; the latter's where only equality is asked for.
SYMMETRIC = {"MIN", "MAX"}
COMPARES = {"strcmp", "memcmp"}
# Calls whose absence shows only between threads, or when something is let go.
LIFETIME = re.compile(r"(?i)(lock|unlock|_ref|_unref|rcu|_free|_get|_put)$|RCU|LOCK|ref\b")


def tokens_of(text):
    """Without white space and comments.  A directive of one line is none; the body of a longer #define is tokens."""
    skipped = []
    for match in DIRECTIVE.finditer(text):
        body = re.match(r"[ \t]*#[ \t]*define[ \t]+\w+(\([^)]*\))?", match[0])
        skipped.append((match.start(), match.start() + body.end() if body and "\\\n" in match[0] else match.end()))
    tokens, position, line, macros = [], 0, 1, []
    for match in DIRECTIVE.finditer(text):
        if re.match(r"[ \t]*#[ \t]*define", match[0]) and "\\\n" in match[0]:
            macros.append((match.start(), match.end()))
    skipped.sort()
    while position < len(text):
        if skipped and position >= skipped[0][0]:
            end = skipped.pop(0)[1]
            line += text.count("\n", position, end)
            position = max(position, end)
            continue
        match = TOKEN.match(text, position)
        if match is None:
            position += 1
            continue
        if match.lastgroup not in ("space", "comment"):
            tokens.append(Token(match.lastgroup, match[0], match.start(), match.end(), line))
        line += match[0].count("\n")
        position = match.end()
    return tokens, macros


def verify_blocks(text):
    """Ranges of #ifdef MEMCORE_VERIFY up to its #else or #endif."""
    ranges, depth, start = [], 0, None
    for match in DIRECTIVE.finditer(text):
        word = re.match(r"[ \t]*#[ \t]*(\w+)", match[0])
        word = word[1] if word else ""
        if start is not None:
            if word.startswith("if"):
                depth += 1
            elif word == "endif" and depth:
                depth -= 1
            elif word in ("endif", "else", "elif") and not depth:
                ranges.append((start, match.start()))
                start = None
        elif word.startswith("if") and "MEMCORE_VERIFY" in match[0] and word != "ifndef" and "!" not in match[0]:
            start = match.end()
    return ranges


def pairs_of(tokens):
    """{index of an opening bracket: index of its closing one}"""
    pairs, stack = {}, []
    for i, token in enumerate(tokens):
        if token.kind == "mark" and token.text in "([{":
            stack.append(i)
        elif token.kind == "mark" and token.text in ")]}" and stack:
            pairs[stack.pop()] = i
    return pairs


def bodies_of(tokens, pairs, macros):
    """Index ranges of function bodies (with the name) and of macros."""
    ranges, i = [], 0
    while i < len(tokens):
        if tokens[i].text == "{" and i in pairs:
            name = ""
            if i and tokens[i - 1].text == ")":
                opening = next((o for o, c in pairs.items() if c == i - 1), 0)
                name = tokens[opening - 1].text if opening else ""
            macro = next((m for m in macros if m[0] <= tokens[i].start < m[1]), None)
            if name and not macro:
                ranges.append((i + 1, pairs[i], name))
            i = pairs[i] if not macro else i
        i += 1
    for start, end in macros:
        inside = [k for k, t in enumerate(tokens) if start <= t.start < end]
        if inside:
            ranges.append((inside[0], inside[-1] + 1, "macro"))
    return sorted(ranges)


class Source:
    def __init__(self, path, text):
        self.path, self.text = path, text
        self.tokens, macros = tokens_of(text)
        self.pairs = pairs_of(self.tokens)
        self.left_alone = verify_blocks(text)
        self.mutants, self.seen = [], collections.Counter()
        for i, token in enumerate(self.tokens[:-1]):
            if token.text in LEFT_ALONE and i + 1 in self.pairs:
                self.left_alone.append((token.end, self.tokens[self.pairs[i + 1]].end))
        for first, last, name in bodies_of(self.tokens, self.pairs, macros):
            self.function = name
            if "verify" not in name:
                self.body(first, last)

    def add(self, kind, line, start, end, text):
        if any(a <= start < b for a, b in self.left_alone):
            return
        whole = self.text[:start] + text + self.text[end:]
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", end)
        old = " ".join(self.text[first:last].split())
        new = " ".join(whole[first:last + len(whole) - len(self.text)].split())
        if old == new:
            return
        ordinal = self.seen[kind, old, new]
        self.seen[kind, old, new] += 1
        name = hashlib.sha1(f"{self.path}|{kind}|{old}|{new}|{ordinal}".encode()).hexdigest()[:12]
        self.mutants.append(Mutant(name, self.path, self.function, line, kind, start, end, text, old, new))

    def body(self, first, last):
        starts = True           # does a statement start here?
        closing_header = set()  # indices of the ) of if (...), while (...), for (...), switch (...)
        for i in range(first, last):
            token = self.tokens[i]
            before = self.tokens[i - 1] if i > first else None
            if starts:
                self.statement(i, last)
            self.operator(token, before)
            self.constant(token)
            if token.text in ("if", "while", "for", "switch") and i + 1 in self.pairs:
                closing_header.add(self.pairs[i + 1])
                if token.text in ("if", "while"):
                    self.negate(i + 1, self.pairs[i + 1])
            elif token.kind == "word" and token.text not in NO_CALL and i + 1 in self.pairs and \
                    self.tokens[i + 1].text == "(" and not NOT_SWAPPED.search(token.text):
                self.lose_arguments(i + 1, self.pairs[i + 1])
                if not self.is_symmetric(i + 1, self.pairs[i + 1]):
                    self.swap_arguments(i + 1, self.pairs[i + 1])
            starts = token.text in (";", "{", "}", "else", "do") or i in closing_header or \
                (token.text == ":" and before is not None and self.is_label(i))

    def is_label(self, i):
        while i > 0 and self.tokens[i].text not in (";", "{", "}", "?"):
            if self.tokens[i].text in ("case", "default"):
                return True
            i -= 1
        return False

    def operator(self, token, before):
        if token.kind != "mark":
            return
        for kind, swaps in SWAPS.items():
            for other in swaps.get(token.text, ()):
                operand = before and (before.kind in ("word", "number", "string") or before.text in (")", "]"))
                binary = operand and before.text not in NO_CALL
                if token.text not in UNARY_TOO or binary:
                    self.add(kind, token.line, token.start, token.end, other)
        if token.text == "!":
            self.add("negation", token.line, token.start, token.end, "")

    def constant(self, token):
        if token.kind == "word" and token.text in ("true", "false"):
            self.add("constant", token.line, token.start, token.end, "false" if token.text == "true" else "true")
        match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)", token.text) if token.kind == "number" else None
        if match:
            value = int(match[1], 8 if re.fullmatch(r"0\d+", match[1]) else 0)
            for other in (value + 1, value - 1):
                if other >= 0:
                    self.add("constant", token.line, token.start, token.end, f"{other}{match[2]}")

    def negate(self, opening, closing):
        start, end = self.tokens[opening].end, self.tokens[closing].start
        self.add("negation", self.tokens[opening].line, start, end, f"!({self.text[start:end]})")

    def is_symmetric(self, opening, closing):
        name, after = self.tokens[opening - 1].text, [token.text for token in self.tokens[closing + 1:closing + 3]]
        return name in SYMMETRIC or (name in COMPARES and after in (["==", "0"], ["!=", "0"]))

    def arguments(self, opening, closing):
        """Offsets of each."""
        parts, start, i = [], opening + 1, opening + 1
        while i <= closing:
            if i == closing or self.tokens[i].text == ",":
                if i > start:
                    parts.append((self.tokens[start].start, self.tokens[i - 1].end))
                start = i + 1
            elif i in self.pairs:
                i = self.pairs[i]
            i += 1
        return parts

    def lose_arguments(self, opening, closing):
        for start, end in self.arguments(opening, closing):
            if self.text[start:end] in LOST:
                self.add("lost", self.tokens[opening].line, start, end, LOST[self.text[start:end]])

    def swap_arguments(self, opening, closing):
        parts = self.arguments(opening, closing)
        for (a, b), (c, d) in zip(parts, parts[1:]):
            left, right = self.text[a:b], self.text[c:d]
            if left != right:
                self.add("arguments", self.tokens[opening].line, a, d, right + self.text[b:c] + left)

    def statement(self, i, last):
        token = self.tokens[i]
        if "verify" in token.text:
            return
        if token.kind not in ("word", "mark") or token.text in NOT_DROPPED or token.text in LEFT_ALONE - DROPPED_WHOLE:
            if not (token.text == "return" and self.tokens[i + 1].text == ";"):
                return
        # Two words, or a word, stars and a word: a declaration.
        k = i + 1
        while k < last and self.tokens[k].text == "*":
            k += 1
        if token.kind == "word" and self.tokens[k].kind == "word" and token.text != "goto":
            return
        end = i
        while end < last and self.tokens[end].text != ";":
            if self.tokens[end].text in ("{", "}"):
                return
            end = self.pairs.get(end, end) + 1
        if end >= last or (i and self.tokens[i - 1].text == ":" and self.tokens[end].text != ";"):
            return
        text = self.text[token.start:self.tokens[end].start]
        callee = token.text if i + 1 in self.pairs else ""
        kind = "lifetime" if callee and LIFETIME.search(callee) else "statement"
        self.add(kind, token.line, token.start, self.tokens[end].start, "\n" * text.count("\n"))


def mutants_of(path, text):
    """All mutants of a file, in the order of its text."""
    return sorted(Source(path, text).mutants, key=lambda m: (m.start, m.end, m.text))


def mutated(text, mutant):
    return text[:mutant.start] + mutant.text + text[mutant.end:]
