# SPDX-License-Identifier: GPL-2.0-or-later
"""determinism.py TREE TARGET: every input of the packed corpus does the same, always.

Each file runs twice in one process that runs them all, and once in a process of its own; the three trace
hashes must be equal, and so must the edges that the first two take.  So state that leaks from one input into the
next is seen, and so is what depends on addresses or hash order.
"""
import collections
import concurrent.futures
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402


def hashes(command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=common.sanitizer_environment("libfuzzer"))
    if result.returncode != 0:
        print(result.stderr.decode(errors="replace")[-4000:], file=sys.stderr)
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}")
    lines = result.stdout.decode().splitlines()
    return {path: value for value, path in (line.split("  ", 1) for line in lines)}


def main():
    tree, target = pathlib.Path(sys.argv[1]), sys.argv[2]
    program, corpus = tree / f"fuzzers/replay_{target}", tree / f"fuzzers/corpora/{target}"
    files = sorted(corpus.iterdir())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        whole = pool.submit(hashes, [program, "--repeat", "2", "--edges", "--hashes", corpus])
        alone = {}
        for answer in pool.map(lambda path: hashes([program, "--hashes", path]), files):
            alone.update(answer)
        together = whole.result()
    if len(together) != len(files):
        sys.exit(f"{corpus} has {len(files)} files, {len(together)} gave a hash")
    different = [path for path in together if together[path] != alone[path]]
    for path in different:
        print(f"{path}: {together[path]} among others, {alone[path]} alone")
    rejected = [path for path, value in together.items() if int(value, 16) == 0]
    for path in rejected:
        print(f"{path}: rejected: it uses groups of operations that this target does not allow")
    # A hash that says the same of everything would pass all of the above.
    kinds = collections.Counter(together.values())
    if len(files) > 4 and len(kinds) < len(files) / 2:
        sys.exit(f"{target}: {len(files)} files give only {len(kinds)} different hashes: does the hash see anything?")
    print(f"{target}: {len(files)} files, {len(kinds)} different hashes, {len(different)} not deterministic")
    sys.exit(bool(different or rejected))


if __name__ == "__main__":
    main()
