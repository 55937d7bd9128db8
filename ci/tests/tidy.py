# SPDX-License-Identifier: GPL-2.0-or-later
"""tidy.py [FOLDER]: the rules of the sources that a machine can check; each message says what to do instead."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
CODE = {".c", ".h", ".def", ".inc"}
NO_LICENCE_LINE = {"LICENSE", "CMakePresets.json"}      # a licence; JSON has no comments (it is in "vendor")
# Captured, specified, broken: as it came.
DATA = ("conformance/qemu/captures/", "conformance/spec/", "corpora/trace_codec/seeds/")
# .clang-format aims at 110; a table or prototype that reads better on one line may be longer.
COLUMNS_MAX, LINES_MAX = 120, 1000
LAYERS = ["base", "ram", "region", "flatview", "topology", "iommu", "access", "migration"]

problems = []


def problem(path, line, message):
    problems.append(f"{path}:{line}: {message}")


def files():
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and name != ".git" and not name.startswith((".git/", "build/")) and "__pycache__" not in name:
            yield name, path


def check_text(name, path, text):
    lines = text.split("\n")
    head = "\n".join(lines[:2])
    if path.name not in NO_LICENCE_LINE and not name.startswith(DATA) and path.suffix not in (".md", ".svg", ".png") \
            and "SPDX-License-Identifier: GPL-2.0-or-later" not in head:
        problem(name, 1, "begin with SPDX-License-Identifier: GPL-2.0-or-later in a comment")
    if name.startswith(DATA) or path.name == "LICENSE" or path.suffix == ".patch":
        return
    if text and not text.endswith("\n"):
        problem(name, len(lines), "end the last line with a newline")
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            problem(name, number, "remove the white space at the end of the line")
        if "\t" in line and path.suffix in CODE:
            problem(name, number, "indent with 4 spaces, not a tab")
        if path.suffix in CODE | {".py"} and len(line) > COLUMNS_MAX:
            problem(name, number, f"{len(line)} columns: break the line before {COLUMNS_MAX}")
    if path.suffix in (".c", ".h") and len(lines) > LINES_MAX:
        problem(name, len(lines), f"{len(lines)} lines: split the file by what its parts do (at most {LINES_MAX})")


def check_paths(name, path, text):
    """What a reader is sent to is there: links of .md files, inputs in examples."""
    for number, line in enumerate(text.split("\n"), 1):
        links = re.findall(r"\]\(([^)#:]+)\)", line) if path.suffix == ".md" else []
        inputs = re.findall(r"corpora/[a-z_]+/(?:seeds|regressions)/[a-z0-9_-]+\.(?:trace|hex)\b", line)
        for target, folder in [(link, path.parent) for link in links] + [(given, ROOT) for given in inputs]:
            if not (folder / target).exists():
                problem(name, number, f"{target} is not there: name what is")


def includes(text):
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match:
            yield number, match[1]


def check_layers(name, text):
    """memcore: calls go down only, so includes do too."""
    own = name.split("/")[1]
    if own not in LAYERS:
        return
    for number, included in includes(text):
        folder = included.split("/")[0]
        private = folder in LAYERS and not (ROOT / "memcore/include" / included).exists()
        if private and LAYERS.index(folder) > LAYERS.index(own):
            problem(name, number, f"{own}/ is below {folder}/ and must not know \"{included}\": let {folder}/ install "
                                  "a hook, or move the declaration down")


def check_wall(name, text):
    """harness, fuzzers, conformance: the core by its public headers; subject.c alone may know more than the API."""
    for number, included in includes(text):
        folder = included.split("/")[0]
        if folder in LAYERS or included.startswith("../memcore"):
            if not any((ROOT / home / included).exists() for home in ("harness", "conformance", "memcore/include")):
                problem(name, number, f"\"{included}\" is private to memcore: use the public API")
        elif included == "memcore/memcore.h" and name.startswith(("harness/", "fuzzers/")) and \
                not name.startswith("harness/bench/") and name != "harness/run/subject.c":
            problem(name, number, "what memcore offers beyond the API is used through harness/run/subject.h only")


def check_model(name, text):
    """The model must not share code with the core, nor run it."""
    for number, included in includes(text):
        if included == "exec/cpu-common.h":
            continue            # constants: how large a target's page is
        if included.startswith(("exec/", "qemu/", "qom/", "qapi/", "memcore/", "run/")):
            problem(name, number, f"the model includes \"{included}\": it knows slots and numbers only")


def main():
    count = 0
    for name, path in files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        count += 1
        check_text(name, path, text)
        if not name.startswith(DATA):
            check_paths(name, path, text)
        if path.suffix in CODE:
            if name.startswith("memcore/") and not name.startswith("memcore/include/"):
                check_layers(name, text)
            elif name.startswith(("harness/", "fuzzers/", "conformance/")):
                check_wall(name, text)
                if name.startswith("harness/model/"):
                    check_model(name, text)
    for folder in [p for p in ROOT.rglob("*") if p.is_dir()]:
        name = folder.relative_to(ROOT).as_posix()
        own = [p for p in folder.iterdir() if p.suffix in (".c", ".py", ".sh")]
        home = folder.parent if folder.name == "lib" else folder      # its user explains a lib/
        if own and not name.startswith((".", "build")) and not (home / "README.md").exists():
            problem(name, 1, "write a README.md of half a page: what the folder is for, where to start reading")
    print("\n".join(problems))
    print(f"{count} files, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
