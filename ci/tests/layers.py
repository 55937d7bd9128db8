# SPDX-License-Identifier: GPL-2.0-or-later
"""layers.py TREE: who calls whom in a built tree, by the symbols of its objects; calls go down only.

tidy.py looks at includes.  Public headers are above nobody, so a call up through one of them is seen only here.
"""
import collections
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# bottom to top: each may call those before it
MEMCORE = ["base", "ram", "region", "flatview", "topology", "iommu", "access", "migration"]
# which folders each may call
HARNESS = {
    "trace": (),
    "snapshot": (),
    "model": ("trace",),
    "run": ("model", "trace"),
    "mutate": ("model", "trace"),
    "draw": ("model", "trace"),
    "import": ("run", "trace"),
    "emit": ("run", "model", "trace"),
    "minimize": ("run", "model", "trace"),
    "migrate": ("run", "model", "snapshot"),
    "examples": ("run",),
    "memtrace": ("draw", "emit", "import", "minimize", "run", "model", "trace"),
}


def symbols(program, tree, targets):
    """({symbol: file that defines it}, {file: symbols that it needs}), files relative to ROOT/program."""
    defines, needs = {}, collections.defaultdict(set)
    for target in targets:
        folder = tree / program / "CMakeFiles" / f"{target}.dir"
        objects = {path: path.relative_to(folder).as_posix()[:-len(".o")] for path in sorted(folder.rglob("*.o"))}
        # Some are left over from a file that has moved.
        objects = {str(path): name for path, name in objects.items() if (ROOT / program / name).exists()}
        if not objects:
            continue
        for line in subprocess.run(["nm", "--print-file-name", *objects], check=True, stdout=subprocess.PIPE,
                                   text=True).stdout.splitlines():
            path, _, rest = line.rpartition(":")
            words = rest.split()
            if words[-2] in "TDBRVWC":
                defines.setdefault(words[-1], objects[path])
            elif words[-2] == "U":
                needs[objects[path]].add(words[-1])
    return defines, needs


def check(program, tree, targets, may_call):
    """Lines about calls that go elsewhere than they may, and the number of files and calls between folders."""
    defines, needs = symbols(program, tree, targets)
    wrong, calls = [], 0
    for name, wanted in sorted(needs.items()):
        for symbol in sorted(wanted & defines.keys()):
            caller, callee = name.split("/")[0], defines[symbol].split("/")[0]
            calls += caller != callee
            if caller != callee and callee not in may_call(caller):
                wrong.append(f"{program}/{name} calls {symbol} of {program}/{defines[symbol]}: {caller}/ must not know "
                             f"{callee}/; let {callee}/ install a hook, or move the function down")
    return wrong, len(needs), calls


def main():
    tree = pathlib.Path(sys.argv[1])
    wrong, files, calls = check("memcore", tree, ["memcore"], lambda layer: MEMCORE[:MEMCORE.index(layer)])
    more = check("harness", tree, ["harness", "harness_migrate", "memtrace_main"], lambda folder: HARNESS[folder])
    for line in wrong + more[0]:
        print(line)
    print(f"{files + more[1]} files, {calls + more[2]} calls between folders, {len(wrong + more[0])} problems")
    if files < 50 or more[1] < 100:
        sys.exit(f"{tree} has only these objects: build it first (ci/build dev)")
    sys.exit(bool(wrong + more[0]))


if __name__ == "__main__":
    main()
