#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that every rule of the specification has a conformance case.

Usage: check_rules.py [--list] [PROGRAM...]

A case belongs to the rule that is the first part of its path: "/R-FV-3/merge-aliases".
With PROGRAMs (the built suites) the cases are those that they register: each is run with
-l.  Without, they are the path literals in the sources beside this folder.

Fails, naming them, for
  - rules of an implemented chapter without a case and without exemption
  - cases whose first part is no rule (and no invariant, I-n or INV-n) of the specification
  - exemptions of rules that do not exist, or that have a case by now
--list prints each rule of the implemented chapters with its number of cases instead.

Exit status: 0 nothing is missing, 1 something is, 2 usage or a file cannot be read.
"""
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

CONFORMANCE = Path(__file__).resolve().parent.parent
SPEC = CONFORMANCE / "spec"

# Chapters of the specification: does memcore implement them, so that each of their rules needs a case?
CHAPTERS = {
    "regions-and-flatview.md": True,
    "access-and-iommu.md": True,
    "ram-and-dirty.md": True,
    "migration.md": True,
}

# Rules of implemented chapters that need no case: rule -> why.
EXEMPT = {
    "R-EFD-8": "what a write does to an eventfd is access dispatch: part 2, R-EVM-*",
    "R-RGN-9": "no init function makes protected RAM",
    "R-DSP-15": "says that logging is not part of the contract",
    "R-LCK-6": "says what may happen between threads, so nothing can contradict it",
    "R-RAM-22": "leaves the answer open: callers must not depend on it",
    "R-NOTI-4": "describes QEMU 7.2; memcore's sizes are R-NOTI-5 to -7",
    "R-RECV-2": "the wire form belongs to migration streams, part 4",
    "R-POST-1": "the field is migration's; what it does is in part 4",
    "R-FBM-1": "the field is migration's; what it does is in part 4",
    "R-RDM-15": "a duty of migration, part 4",
    "R-LOCK-3": "a demand on callers that the core cannot notice",
    "R-SCL-9": "memcore leaves stl_notdirty out, as the rule allows",
    "R-MRAM-4": "no big-endian host is built",
}

# Families of rules that wait for code.  Rules that have a case by now are taken as built.
NOT_BUILT = {
}

# Where a rule is defined: "- **R-OBJ-1** [COMPAT] ..." or "* **R-DSP-2 [API]** ..."
DEFINITION = re.compile(r"^\s*[-*]\s+\*\*(R-[A-Z]+-\d+)\b", re.M)
INVARIANT = re.compile(r"\*\*((?:I|INV)-\d+)\*\*")
PATH = re.compile(r'"/([A-Z]+(?:-[A-Z]+)*-\d+)/')


def fail_usage(message):
    print(f"check_rules.py: {message}", file=sys.stderr)
    sys.exit(2)


def read(path):
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        fail_usage(f"cannot read {path}: {error.strerror}")


def rules_of_chapters():
    """{chapter: [rule, ...]} in the order of the text, and the set of invariants."""
    unlisted = {p.name for p in SPEC.glob("*.md")} - set(CHAPTERS) - {"README.md", "bug-museum.md"}
    if unlisted:
        fail_usage(f"not in the table of chapters: {', '.join(sorted(unlisted))}")
    rules, invariants = {}, set()
    for chapter in CHAPTERS:
        text = read(SPEC / chapter)
        rules[chapter] = list(dict.fromkeys(DEFINITION.findall(text)))
        if not rules[chapter]:
            fail_usage(f"no rule found in {chapter}: has its notation changed?")
        invariants.update(INVARIANT.findall(text))
    return rules, invariants


def cases_of_programs(programs):
    cases = Counter()
    for program in programs:
        try:
            listing = subprocess.run([program, "-l"], capture_output=True, text=True, timeout=60,
                                     check=True).stdout
        except (OSError, subprocess.SubprocessError) as error:
            fail_usage(f"{program} -l: {error}")
        paths = [line for line in listing.splitlines() if line.startswith("/")]
        if not paths:
            fail_usage(f"{program} has no case")
        cases.update(path.split("/")[1] for path in paths)
    return cases


def cases_of_sources():
    cases = Counter()
    for source in sorted(CONFORMANCE.rglob("*.c")):
        cases.update(PATH.findall(read(source)))
    return cases


def not_built(rule):
    """Why the rule may be without a case for now, or None."""
    return next((why for family, why in NOT_BUILT.items()
                 if rule == family or family.endswith("-") and rule.startswith(family)), None)


def main(arguments):
    listing = "--list" in arguments
    programs = [a for a in arguments if a != "--list"]
    unknown = [a for a in programs if a.startswith("-")]
    if unknown:
        fail_usage(f"unknown option {unknown[0]}; --list is the only one")

    rules, invariants = rules_of_chapters()
    every_rule = {rule for chapter in rules.values() for rule in chapter}
    required = [rule for chapter, implemented in CHAPTERS.items() if implemented for rule in rules[chapter]]
    cases = cases_of_programs(programs) if programs else cases_of_sources()

    if listing:
        for rule in required:
            why = EXEMPT.get(rule) or not cases[rule] and not_built(rule) or ""
            print(f"{rule:10} {cases[rule]:4}  {why}".rstrip())
        return 0

    problems = []
    for rule in required:
        if not cases[rule] and rule not in EXEMPT and not not_built(rule):
            problems.append(f"{rule} has no case")
    for name in sorted(set(cases) - every_rule - invariants):
        problems.append(f"cases are named after {name}, which the specification does not have")
    for rule in EXEMPT:
        if rule not in every_rule:
            problems.append(f"{rule} is exempted, but the specification does not have it")
        elif cases[rule]:
            problems.append(f"{rule} is exempted, but it has a case now: take it off the list")
    waiting = [rule for rule in required if not cases[rule] and not_built(rule)]
    for family in NOT_BUILT:
        if not any(rule in waiting and not_built(rule) == NOT_BUILT[family] and rule.startswith(family)
                   for rule in required):
            problems.append(f"nothing of {family} waits any more: take it off the list")
    for problem in problems:
        print(f"check_rules.py: {problem}", file=sys.stderr)
    if not problems:
        print(f"{len(required)} rules, {sum(cases.values())} cases, {len(EXEMPT)} exemptions, "
              f"{len(waiting)} not built yet")
    return 1 if problems else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)       # --list | head
    sys.exit(main(sys.argv[1:]))
