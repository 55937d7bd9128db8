# SPDX-License-Identifier: GPL-2.0-or-later
"""crash_to_test.py: the commands of the README that lead from a crash file to a test.

With a planted bug: a binary input becomes readable text, a trace of at most six steps, a picture, and a C program that
needs nothing but an installed memcore, builds under plain gcc without warnings, fails, and passes without the bug.
The C programs of bugs in accesses, maps, IOMMUs, dirty pages and RAM blocks likewise.  Without a bug: every committed
trace becomes a C program that compares after every step and passes.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import common  # noqa: E402
import hunt  # noqa: E402

BUG = "equal-priority-order"
SEED = "corpora/region_tree/seeds/equal-priority.trace"
STEPS_MAX = 6
# What only answers, the callbacks of devices, map clients and notifiers, dirty pages, files that stay open show; found
# by this seed, in so many steps.
MORE_BUGS = {
    "acc-store-marks-nothing": ("corpora/access/seeds/marks.trace", 8),
    "iommu-write-needs-read": ("corpora/iommu/seeds/chain.trace", 8),
    "map-clients-not-woken": ("corpora/map_cache/seeds/bounce.trace", 7),
    "blk-removal-not-replayed": ("corpora/ram_block/seeds/files.trace", 4),
    "dsc-state-before-callbacks": ("corpora/ram_discard/seeds/plug.trace", 6),
    "flt-file-not-closed": ("corpora/ram_faults/seeds/each.trace", 4),
}


# What is run and what is installed.
PROGRAMS = ("memtrace", "memcore")


def run(*command, code=0):
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, cwd=common.ROOT)
    text = result.stdout.decode(errors="replace")
    if result.returncode != code:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}, {code} was expected\n{text}")
    return text


class Installed:
    """A release build, and where it is installed."""

    def __init__(self, tree):
        self.memtrace = tree / "harness/memtrace"
        self.prefix = tree / "install"
        run("cmake", "--install", tree, "--prefix", self.prefix)
        pc = next(self.prefix.rglob("memcore.pc"))
        self.flags = run("env", f"PKG_CONFIG_PATH={pc.parent}", "pkg-config", "--cflags", "--libs", "memcore").split()

    def compile(self, source):
        program = source.with_suffix("")
        run("gcc", "-Wall", "-Wextra", "-Werror", source, "-o", program, *self.flags)
        return program


def planted(bug):
    copy = hunt.Copy()
    applied, message = copy.patch(hunt.Plant(hunt.PLANTS / f"{bug}.patch"))
    if not applied:
        sys.exit(message)
    broken = Installed(copy.configure_and_build("release", "crash_to_test", ["-DBUILD_TESTING=OFF"], PROGRAMS))
    copy.lock.close()       # the next one begins with the sources as they are
    return broken


def minimized(broken, crash, small, most):
    run(broken.memtrace, "minimize", crash, "-o", small)
    steps = [line for line in small.read_text().splitlines() if line and not line.startswith(("#", "uses"))]
    if len(steps) > most:
        sys.exit(f"{len(steps)} steps are left, at most {most} were expected:\n{small.read_text()}")
    return len(steps)


def passes(sound, source):
    """The core's warnings come first."""
    return run(sound.compile(source)).splitlines()[-1] == "passed"


def tell_apart(broken, sound, source):
    """The C program finds the bug, and nothing where there is none."""
    if "FAILED" not in run(broken.compile(source), code=1):
        sys.exit(f"{source}: the C program fails without saying what")
    if not passes(sound, source):
        sys.exit(f"{source}: the C program does not pass without the bug")


def with_the_bug(work, sound):
    broken = planted(BUG)
    crash, small, picture, source = (work / name for name in ("crash", "small.trace", "map.svg", "small.c"))
    run(broken.memtrace, "pack", "-o", crash, SEED)
    text = run(broken.memtrace, "show", crash)
    if "add r0 r1 at 0x0 priority 0" not in text:
        sys.exit(f"memtrace show does not show the steps:\n{text}")
    steps = minimized(broken, crash, small, STEPS_MAX)
    run(broken.memtrace, "run", small, code=1)
    run(broken.memtrace, "draw", small, "-o", picture)
    if "<svg" not in picture.read_text():
        sys.exit("memtrace draw wrote no SVG")
    run(broken.memtrace, "emit-c", small, "-o", source)
    tell_apart(broken, sound, source)
    print(f"{BUG}: {steps} steps, a picture, a C program that fails")
    with_one_command(broken, crash, work / "triage")


def with_one_command(broken, crash, output):
    """The same by memtrace triage."""
    text = run(broken.memtrace, "triage", crash, "-o", output, code=1)
    folders = [path for path in output.iterdir() if path.is_dir()]
    if len(folders) != 1 or "1 input: 1 fail" not in text:
        sys.exit(f"memtrace triage: one bug was expected\n{text}")
    report = (folders[0] / "report.md").read_text()
    for part in ("## What was expected\n\n> **R-LST-8**", "FAILED R-LST-8: callbacks", "  the core:", "add r0 r1 at",
                 "test.c", "map.svg"):
        if part not in report:
            sys.exit(f"{folders[0]}/report.md: \"{part}\" was expected\n{report}")
    if "<svg" not in (folders[0] / "map.svg").read_text():
        sys.exit("memtrace triage drew no picture")
    if "FAILED" not in run(broken.compile(folders[0] / "test.c"), code=1):
        sys.exit("triage: the C program fails without saying what")
    print("memtrace triage: the same at once")


def with_more_bugs(work, sound):
    for bug, (seed, most) in MORE_BUGS.items():
        broken = planted(bug)
        small, source = work / f"{bug}.trace", work / f"{bug}.c"
        steps = minimized(broken, seed, small, most)
        run(broken.memtrace, "emit-c", small, "-o", source)
        tell_apart(broken, sound, source)
        print(f"{bug}: {steps} steps, a C program that fails")


def without_a_bug(work, sound):
    def compares(trace):
        """Whether it was tried; the end of all where it does not pass."""
        source = work / ("-".join(trace.relative_to(common.ROOT / "corpora").with_suffix("").parts) + ".c")
        run(sound.memtrace, "emit-c", "--every-step", trace, "-o", source)
        if source.stat().st_size > 400_000:
            return False        # whole machines: minutes of compiling prove nothing more
        if not passes(sound, source):
            sys.exit(f"{trace}: its C program does not pass")
        return True

    folders = ("region_tree", "transactions", "dirty_bitmap", "access", "map_cache", "iommu", "ram_block",
               "ram_discard", "ram_faults")
    traces = [trace for folder in folders
              for trace in sorted((common.ROOT / "corpora" / folder).rglob("*.trace"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        count = sum(pool.map(compares, traces))
    print(f"{count} traces: their C programs pass")


def main():
    work = common.clean_work(common.BUILD / "crash_to_test")
    sound = Installed(common.build("release", arguments=["-DBUILD_TESTING=OFF"], programs=PROGRAMS))
    with_the_bug(work, sound)
    with_more_bugs(work, sound)
    without_a_bug(work, sound)


if __name__ == "__main__":
    main()
