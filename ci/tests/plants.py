# SPDX-License-Identifier: GPL-2.0-or-later
"""plants.py: every planted bug still applies to memcore, and says what it breaks and who is to find it."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def problem(patch, targets):
    lines = patch.read_text().splitlines()
    comments = [line for line in lines if line.startswith("# ")]
    target = [line.split(":")[1].strip() for line in comments if line.startswith("# target:")]
    if len(comments) < 3 or "R-" not in comments[1]:
        return "the lines before the diff have to say what it breaks, with the rule"
    if len(target) != 1 or target[0] not in targets:
        return f"one line `# target: NAME` was expected, NAME one of {', '.join(sorted(targets))}"
    result = subprocess.run(["patch", "-p1", "--dry-run", "-s", "-f", "-i", patch], cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    return f"does not apply; make it anew\n{result.stdout}" if result.returncode else None


def main():
    targets = {line.split()[0] for line in (ROOT / "fuzzers/targets.def").read_text().splitlines()
               if line and not line.startswith("#")}
    patches = sorted((ROOT / "ci/plants").glob("*.patch"))
    problems = [(patch, problem(patch, targets)) for patch in patches]
    for patch, what in problems:
        if what:
            print(f"{patch.relative_to(ROOT)}: {what}")
    print(f"{len(patches)} planted bugs, {sum(1 for _, what in problems if what)} problems")
    sys.exit(len(patches) < 10 or any(what for _, what in problems))


if __name__ == "__main__":
    main()
