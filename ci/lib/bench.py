# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/bench: figures for people, and as JSON for scripts.  Nothing is judged here.  See --help."""
import contextlib
import json
import os
import subprocess
import sys
import time

import common
import engines

# key of a figure -> what it is
MEANINGS = {
    "execs_per_s": "inputs/s while fuzzing (libFuzzer, ASan + UBSan + VERIFY, one core)",
    "checked_steps_per_s": "steps/s that were played on core and model and compared, in the same run",
    "peak_mb": "peak memory of that run",
    "replay_checked_steps_per_s": "the same for the committed corpus alone, without an engine",
}

# parts of membench
PARTS = ("access", "commit", "dirty", "postcopy", "migration", "probe")


def arguments():
    parser = common.parser(
        "ci/bench",
        description="Measures memcore and the fuzz targets.  Nothing is judged.",
        epilog="Exit code: 0 measured, 1 something is broken, 2 wrong use.\n\n"
               "Example: ci/bench --only memcore --json > figures.json")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")
    parser.add_argument("--time", default="20", metavar="SECONDS", help="of fuzzing for each target (default: 20)")
    parser.add_argument("--only", choices=("fuzz", "memcore", *PARTS), metavar="WHAT",
                        help=f"only the fuzz targets (fuzz), only memcore, or one part of that: {', '.join(PARTS)}")
    parser.add_argument("--ram", metavar="GIB",
                        help="RAM that is saved and loaded (default: 4 if there is room, else 2 or 1)")
    options = parser.parse_args()
    if not options.time.isdigit() or not 1 <= int(options.time) <= 100000:
        common.die(f"--time {options.time}: a number from 1 to 100000 was expected")
    if options.ram and (not options.ram.isdigit() or not 1 <= int(options.ram) <= 64):
        common.die(f"--ram {options.ram}: a number from 1 to 64 was expected")
    options.time = int(options.time)
    return options


def fuzz_figures(target, seconds):
    tree, environment = common.BUILD / "libfuzzer", common.sanitizer_environment("libfuzzer")
    work = common.clean_work(common.BUILD / f"bench/{target.name}")
    c = engines.campaign("libfuzzer", target, tree, work, seconds, None, 1, 1, environment)
    c.start()
    while c.state == "running":
        time.sleep(0.5)
        c.poll()
    if c.state != "done":
        common.die(f"{target.name}: {c.trouble or 'a finding; see ci/fuzz'}", 1)
    return {f"fuzz.{target.name}.execs_per_s": round(c.average("execs")),
            f"fuzz.{target.name}.checked_steps_per_s": round(c.average("checked") or 0),
            f"fuzz.{target.name}.peak_mb": round(c.peak_mb)}


def replay_figure(target, seconds):
    """As many repeats as take about that long; the harness counts the steps."""
    tree = common.BUILD / "libfuzzer"
    stats = common.BUILD / f"bench/{target.name}/replay.stats"
    repeat, took = 1, 0.0
    while took < seconds / 4:
        repeat *= 4 if took < 1 else 2
        command = [tree / f"fuzzers/replay_{target.name}", "--repeat", str(repeat),
                   tree / f"fuzzers/corpora/{target.name}"]
        stats.unlink(missing_ok=True)
        began = time.monotonic()
        subprocess.run(command, env={**common.sanitizer_environment("libfuzzer"), "HARNESS_STATS_FILE": str(stats)},
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        took = time.monotonic() - began
    checked = common.harness_stats(stats)["checked"]
    return {f"fuzz.{target.name}.replay_checked_steps_per_s": round(checked / took)}


def memcore_figures(options):
    command = [common.BUILD / "release/harness/membench", "--json"]
    if options.only in PARTS:
        command += ["--only", options.only]
    if options.ram:
        command += ["--ram", options.ram]
    environment = dict(os.environ)
    qemu_new = common.BUILD / "qemu-new/usr/bin/qemu-system-x86_64"      # from ci/qemu-new
    if qemu_new.exists():
        environment.setdefault("MEMCORE_QEMU", str(qemu_new))
    output = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            check=True).stdout
    return json.loads(output)


def main():
    options = arguments()
    common.install_packages("bench")
    figures = {}
    with contextlib.redirect_stdout(sys.stderr):
        if options.only in (None, "fuzz"):
            common.build("libfuzzer")
            for target in common.targets().values():
                if target.input == "trace" and target.finding == "never":
                    print(f"fuzzing {target.name} for {options.time} s", flush=True)
                    figures.update(fuzz_figures(target, options.time))
                    figures.update(replay_figure(target, options.time))
        if options.only != "fuzz":
            common.build("release")
            print("measuring memcore (release build)", flush=True)
            figures.update(memcore_figures(options))
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for key, value in figures.items():
        meaning = MEANINGS.get(key.rsplit(".", 1)[-1], "")
        print(f"{key:<48} {value:>14,}".replace(",", " ") + (f"   {meaning}" if meaning else ""))


if __name__ == "__main__":
    main()
