# SPDX-License-Identifier: GPL-2.0-or-later
"""plants.py: every planted bug still applies to memcore, and says what it breaks and who is to find it; none of the
museum's entries is forgotten."""
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402
import hunt  # noqa: E402
import museum  # noqa: E402


def problem(plant, targets):
    text = [line for line in plant.comments if line.split(":")[0] not in hunt.KEYS]
    if not any("R-" in line for line in text):
        return "the lines before the diff have to say what it breaks, with the rule"
    if (plant.target is None) == (plant.test is None) or plant.target not in (None, *targets):
        return f"one line `# target: NAME` was expected, NAME one of {', '.join(targets)}; or `# test: REGEX`"
    if plant.entries and "MUSEUM_TRIGGERED(" not in plant.path.read_text():
        return "a piece of the museum has to say MUSEUM_TRIGGERED(condition) where it makes a difference " \
               "(ci/lib/museum.h)"
    result = subprocess.run(["patch", "-p1", "--dry-run", "-s", "-f", "-i", plant.path], cwd=common.ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return f"does not apply; make it anew\n{result.stdout}" if result.returncode else None


def main():
    targets = list(common.targets())
    plants = hunt.plants()
    problems = [f"{plant.path.relative_to(common.ROOT)}: {what}" for plant in plants
                if (what := problem(plant, targets))]
    problems += museum.Museum().problems
    print("\n".join([*problems, f"{len(plants)} planted bugs, {len(problems)} problems"]))
    sys.exit(len(plants) < 10 or bool(problems))


if __name__ == "__main__":
    main()
