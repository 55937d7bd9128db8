# SPDX-License-Identifier: GPL-2.0-or-later
"""targets.py TREE ENGINE: counts what fuzzers/targets.def promises, in the sources and in a built tree."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402


def main():
    tree, engine = pathlib.Path(sys.argv[1]), sys.argv[2]
    table = common.targets()
    wrong = []

    def require(condition, message):
        if not condition:
            wrong.append(message)

    require(len(table) >= 4, f"only {len(table)} targets")
    require([t for t in table.values() if t.finding == "must"], "no target that must fail")
    sources = {p.stem for p in (common.ROOT / "fuzzers").glob("*.c")
               if "LLVMFuzzerTestOneInput(const uint8_t *data" in p.read_text()}
    require(sources == set(table), f"sources {sorted(sources)}, table {sorted(table)}")
    folders = {p.name for p in (common.ROOT / "corpora").iterdir() if p.is_dir()}
    require(folders == set(table), f"corpora/ has {sorted(folders)}, the table {sorted(table)}")
    for name in table:
        text = (common.ROOT / f"fuzzers/{name}.c").read_text()
        head = text.split("#include")[0]
        require("Strategy:" in head and "Invariants:" in head, f"{name}.c does not open with Strategy and Invariants")
        require(len(text.splitlines()) < 100, f"{name}.c has 100 lines or more: it is to be a page")
        files = [f"replay_{name}", f"{name}.dict", f"{name}.options", f"{name}_seed_corpus.zip"]
        if engine != "none":
            files.append(name)
        for file in files:
            require((tree / "fuzzers" / file).is_file(), f"{tree}/fuzzers/{file} is missing")
        given = [p for kind in ("seeds", "regressions")
                 for p in (common.ROOT / "corpora" / name / kind).glob("*.trace")]
        packed = list((tree / "fuzzers/corpora" / name).iterdir())
        require(len(packed) >= max(1, len(given)), f"{name}: {len(given)} traces, {len(packed)} packed inputs")
    for line in wrong:
        print(line)
    print(f"{len(table)} targets, {len(wrong)} problems")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
