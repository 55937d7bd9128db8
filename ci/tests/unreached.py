# SPDX-License-Identifier: GPL-2.0-or-later
"""unreached.py: what ci/coverage takes out of its figures is what is listed, and a list that is wrong is told."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import coverage
import unreached

SOURCE = ["int early(void)", "{", "    if (never) {", "        fail();", "        return 1;", "    }", "    return 0;",
          "}", "void late(void)", "{", "    fail();", "    fail();", "}"]


def counted():
    file = coverage.File()
    file.line = {3: 7, 4: 0, 5: 0, 7: 7, 9: 0, 11: 0, 12: 0}
    file.branch = {"3,0,0": 0, "3,0,1": 7, "4,0,0": 0}
    file.function = {"early": 7, "late": 0}
    file.begin = {"early": 1, "late": 9}
    return {"a/b.c": file}


def subtract(text):
    """(what is wrong, what is left of the counts)"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "list"
        path.write_text(text)
        entries, troubles = unreached.read(path)
    files = counted()
    troubles += unreached.subtract(files, entries, lambda name: SOURCE)
    return "\n".join(troubles), files["a/b.c"], unreached.remaining(files, lambda name: SOURCE)


def expect(what, condition):
    if not condition:
        sys.exit(f"unreached.py: {what}")


trouble, file, left = subtract("# nothing\n\n")
expect("an empty list takes nothing", not trouble and file.line == counted()["a/b.c"].line)
expect("what is missed is told with its function", left[0] == "a/b.c:3: early: 1 branches: if (never) {" and
       left[1] == "a/b.c:4: early: line: fail();" and len(left) == 6)
trouble, file, left = subtract("a/b.c | early | branches 1 | if (never | why\na/b.c | early | lines 2 | fail( | why\n"
                               "a/b.c | late | function | | why\n")
expect("all of it is taken", not trouble and not left and file.line == {3: 7, 7: 7} and file.branch == {"3,0,1": 7})
expect("the function too", file.function == {"early": 7})
for line, said in (
        ("a/b.c | early | lines 2 | fail(\n", "expected: FILE"),
        ("a/b.c | early | lines 2 | fail( | \n", "expected: FILE"),
        ("a/b.c | early | some | fail( | why\n", "expected: FILE"),
        ("a/b.c | early | function | fail( | why\n", "expected: FILE"),
        ("a/c.c | early | function | | why\n", "nothing of a/c.c was counted"),
        ("a/b.c | later | function | | why\n", "has no function later"),
        ("a/b.c | early | function | | why\n", "line 3 is listed, but executed"),
        ("a/b.c | early | lines 3 | fail( | why\n", "line 7 is listed, but executed"),
        ("a/b.c | early | branches 2 | if (never | why\n", "2 branches are listed, 1 are not executed"),
        ("a/b.c | early | lines 1 | gone( | why\n", "0 lines begin with"),
        ("a/b.c | late | lines 1 | fail( | why\n", "2 lines begin with")):
    trouble, file, _ = subtract(line)
    expect(f"{line.strip()}: {said}", said in trouble and file.line == counted()["a/b.c"].line)
trouble, file, _ = subtract("a/b.c | early | rarely lines 3 | fail( | why\n"
                            "a/b.c | early | rarely branches 2 | if ( | why\n")
expect("what is rare may be executed", not trouble and 7 not in file.line and file.branch == {"3,0,1": 7})
