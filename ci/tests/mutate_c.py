# SPDX-License-Identifier: GPL-2.0-or-later
"""mutate_c.py: which mistakes are made in a small source, and which are not."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import mutate_c     # noqa: E402

SOURCE = r'''/* a < b */
#define LIMIT 3 + 4
static const int table[] = { 1, 2 };
int f(int a, int b)
{
    int i = a - LIMIT;
    char *s = "x < 1";

    memcore_assert(a < b);
    if (a <= b) {
        swap(a, b);     // a == b
        return;
    }
    mutex_lock(
        &lock);
    g(*s, -a);
    memcore_misuse("R-X-1", "%d < %d", a, b);
    i = !i;
    b = MAX(a, b);
    flush(flags, flags + 1);
    b = strcmp(s, *s) == 0;
    b = strcmp(s, *s) < 0;
    return i;
}
static void f_verify(int a)
{
    g(a + 1);
}
#ifdef MEMCORE_VERIFY
void check(void) { g(1 == 1); }
#endif
#define BODY(x) \
    do { \
        h(x, true); \
    } while (0)
'''
# kind, old, new; each exactly once.
EXPECTED = {
    ("arithmetic", "int i = a - LIMIT;", "int i = a + LIMIT;"),
    ("comparison", "if (a <= b) {", "if (a < b) {"),
    ("comparison", "if (a <= b) {", "if (a > b) {"),
    ("negation", "if (a <= b) {", "if (!(a <= b)) {"),
    ("arguments", "swap(a, b); // a == b", "swap(b, a); // a == b"),
    ("statement", "swap(a, b); // a == b", "; // a == b"),
    ("statement", "return;", ";"),
    ("lifetime", "mutex_lock( &lock);", ";"),
    ("arguments", "g(*s, -a);", "g(-a, *s);"),
    ("statement", "g(*s, -a);", ";"),
    ("statement", 'memcore_misuse("R-X-1", "%d < %d", a, b);', ";"),
    ("negation", "i = !i;", "i = i;"),
    ("statement", "i = !i;", ";"),
    ("statement", "b = MAX(a, b);", ";"),
    ("lost", "flush(flags, flags + 1);", "flush(0, flags + 1);"),
    ("arguments", "flush(flags, flags + 1);", "flush(flags + 1, flags);"),
    ("arithmetic", "flush(flags, flags + 1);", "flush(flags, flags - 1);"),
    ("constant", "flush(flags, flags + 1);", "flush(flags, flags + 2);"),
    ("constant", "flush(flags, flags + 1);", "flush(flags, flags + 0);"),
    ("statement", "flush(flags, flags + 1);", ";"),
    ("statement", "b = strcmp(s, *s) == 0;", ";"),
    ("comparison", "b = strcmp(s, *s) == 0;", "b = strcmp(s, *s) != 0;"),
    ("constant", "b = strcmp(s, *s) == 0;", "b = strcmp(s, *s) == 1;"),
    ("statement", "b = strcmp(s, *s) < 0;", ";"),
    ("arguments", "b = strcmp(s, *s) < 0;", "b = strcmp(*s, s) < 0;"),
    ("comparison", "b = strcmp(s, *s) < 0;", "b = strcmp(s, *s) <= 0;"),
    ("comparison", "b = strcmp(s, *s) < 0;", "b = strcmp(s, *s) >= 0;"),
    ("constant", "b = strcmp(s, *s) < 0;", "b = strcmp(s, *s) < 1;"),
    ("arguments", "h(x, true); \\", "h(true, x); \\"),
    ("constant", "h(x, true); \\", "h(x, false); \\"),
    ("statement", "h(x, true); \\", "; \\"),
    ("constant", "} while (0)", "} while (1)"),
    ("negation", "} while (0)", "} while (!(0))"),
}


def main():
    mutants = mutate_c.mutants_of("memcore/x.c", SOURCE)
    made = [(m.kind, m.old, m.new) for m in mutants]
    problems = [f"not made: {m}" for m in sorted(EXPECTED - set(made))]
    problems += [f"made although it must not be: {m}" for m in sorted(set(made) - EXPECTED)]
    problems += [f"made {made.count(m)} times: {m}" for m in sorted(EXPECTED) if made.count(m) > 1]
    problems += [f"--kind does not know: {kind}" for kind in {m.kind for m in mutants} - set(mutate_c.KINDS)]
    if len({m.id for m in mutants}) != len(mutants):
        problems.append("two mutants have one id")
    for m in mutants:
        text = mutate_c.mutated(SOURCE, m)
        if text.count("\n") != SOURCE.count("\n"):
            problems.append(f"{m.old}: lines moved")
    # What is added above must not change what mutants are called.
    if [m.id for m in mutate_c.mutants_of("memcore/x.c", "\nint before;\n" + SOURCE)] != [m.id for m in mutants]:
        problems.append("ids depend on the line")
    print("\n".join(problems))
    print(f"{len(mutants)} mutants, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
