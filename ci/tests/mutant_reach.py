# SPDX-License-Identifier: GPL-2.0-or-later
"""mutant_tree.Reach: which tests a mutant is tried against, from real counts of a small program.

An optimising compiler leaves no code on the line of a folded `return true;`, and a child that is killed counts nothing:
in both places the test that would notice has to be tried all the same."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common           # noqa: E402
import mutant_tree      # noqa: E402

SOURCE = r'''#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>
#define SET(x) do { \
        level = (x); \
    } while (0)
static volatile int level;
__attribute__((noinline)) static bool allowed(int policy)
{
    if (policy < 0) {
        return false;
    }
    if (policy == 2) {
        level++;
        return false;
    }
    return true;
}
__attribute__((noinline)) static void end(void)
{
    level = 3;
    raise(SIGKILL);
}
int main(int argc, char **argv)
{
    (void)argv;
    SET(argc);
    if (argc > 2) {
        if (!fork()) {
            end();
        }
        wait(NULL);
    }
    return !allowed(argc == 2 ? 2 : 0);
}
'''
TESTS = {"zero": [], "two": ["x"], "child": ["x", "x"]}
# Text of a line; who executes it, as far as gcov knows; who has to be tried after them.
EXPECTED = [
    ("if (policy < 0) {", {"zero", "two", "child"}, set()),
    ("level++;", {"two"}, {"zero", "child"}),
    ("return true;", set(), {"zero", "two", "child"}),
    ("level = 3;", set(), {"zero", "two", "child"}),
    ("level = (x);", set(), {"zero", "two", "child"}),
    ("if (argc > 2) {", {"zero", "two", "child"}, set()),
]


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        common.ROOT = pathlib.Path(name).resolve()
        tree = common.ROOT / "build"
        (common.ROOT / "memcore").mkdir()
        (tree / "memcore").mkdir(parents=True)
        (common.ROOT / "memcore/small.c").write_text(SOURCE)
        compiler = ["gcc", "-O1", "-fno-inline", "-g", "--coverage"]        # as the preset "coverage"
        subprocess.run([*compiler, "-c", "../memcore/small.c", "-o", "memcore/small.c.o"], cwd=tree, check=True)
        subprocess.run([*compiler, "memcore/small.c.o", "-o", "small"], cwd=tree, check=True)
        executed, functions = {}, {}
        for test, arguments in TESTS.items():
            scratch = common.ROOT / "scratch" / test
            scratch.mkdir(parents=True)
            subprocess.run([tree / "small", *arguments], env={**os.environ, "GCOV_PREFIX": str(scratch)})
            executed[test], functions = mutant_tree.Lines.count(tree, scratch)
        reach = mutant_tree.Reach(executed, functions)
        lines = [line.strip(" \\") for line in SOURCE.splitlines()]
        for text, *expected in EXPECTED:
            found = reach.tests_for("memcore/small.c", lines.index(text) + 1)
            if list(found) != expected:
                failures += 1
                print(f"FAILED: {text}: {found}, {expected} was expected")
        if any(reach.tests_for("memcore/other.c", 1)):
            failures += 1
            print("FAILED: tests for a file that none executes")
    print(f"{len(EXPECTED) + 1} cases, {failures} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
