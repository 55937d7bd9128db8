# SPDX-License-Identifier: GPL-2.0-or-later
"""seed_form.py TREE: what ci/distill writes is packed by the build into the very input that was measured, with at least
one line for each step; and each target's committed seeds can be taken apart and put together."""
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common       # noqa: E402
import seed_form    # noqa: E402

ODD = [b"\0", b"\0" * 7, b"\0" * 8, b"\"#\" \\ words and # more\n", b"aaaaaaaaaaaaaaaa", bytes(range(256)),
       b"Q" + b"\0" * 4000 + b"end of it", b"\x01\x00\x00\x00\x0d", b"\x00\xff\x00\x03\x00" + bytes(range(64))]
# Target, an input, and lines that have to be in its text.
WRITTEN = [
    ("mapped_ram_live", b"\0\0\0\0\x14\x09\0\0\x0c",
     ["00 00 00 00   # parameters", "14 09 00 00   # iterate", "0c   # complete"]),
    ("postcopy", b"\0\0\0\0\x05\0\1\2", ["05 00 01 02   # DISCARD"]),
    ("postcopy", b"\1\0\0\0\x1c\1\0\0", ["1c 01 00 00   # SHUT"]),
    ("mapped_ram_load", b"\0\x09\0\3\0\0\4\1\0\6\2\1\1\1",
     ["00 04 01 00   # block: name, pages, present, gap", "06   # records",
      "02 01 01 01   # change: what, where, how, how much"]),
    ("trace_codec", b"uses memory\n", ["uses memory"]),
    ("trace_codec", b"uses\xff", ["75 73 65 73 ff   # header"]),
]


def main():
    tree, failures, cases = pathlib.Path(sys.argv[1]).resolve(), 0, 0
    chance = random.Random(1)
    table = [t for t in common.targets().values() if t.finding == "never"]
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)

        def packed(form, text):
            if form.ending == ".txt":
                return text.encode()
            (work / "seed.hex").write_text(text)
            subprocess.run([tree / "fuzzers/fuzz_pack_hex", work, work / "seed.hex"], check=True)
            return (work / "seed").read_bytes()

        def check(ok, message):
            nonlocal failures, cases
            cases += 1
            if not ok:
                failures += 1
                print(f"FAILED: {message}")

        for target in table:
            forms = seed_form.forms(target, tree / "harness/memtrace", work)
            for path in sorted((tree / "fuzzers/corpora" / target.name).iterdir()):
                data = path.read_bytes()
                form = next(f for f in forms if f.parts(data) is not None)
                joined = form.packed(form.parts(data))
                check(joined == data or form.ending == ".txt" and joined.endswith(data),
                      f"{target.name}: {path.name} becomes another")
            if target.input == "trace":
                continue
            mess = [bytes(chance.choices([0, 0, 1, 34, 35, 65, 65, 255], k=chance.randrange(1, 90))) for _ in range(20)]
            for data in ODD + mess:
                for form in forms:
                    parts = form.parts(data)
                    if parts is not None:
                        got = packed(form, form.text(parts, "learned" if form.ending == ".txt" else "A note."))
                        check(got == form.join(parts), f"{target.name}: {data!r} is packed as {got!r}")
        for target, data, lines in WRITTEN:
            form = next(f for f in seed_form.forms(common.targets()[target], None, work) if f.parts(data) is not None)
            text = form.text(form.parts(data), "A note.").splitlines()
            check(text[1] == "# A note." and all(line in text for line in lines),
                  f"{target}: {lines} was expected in {text}")
    print(f"{cases} cases, {failures} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
