# SPDX-License-Identifier: GPL-2.0-or-later
"""What the scripts share: where things are, the table of targets, builds, messages."""
import argparse
import atexit
import collections
import errno
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MEMCORE_BUILD_DIR", ROOT / "build")).resolve()

Target = collections.namedtuple("Target", "name input max_len finding")


def die(message, code=2):
    """A clear line and the end: 2 for what the caller did wrong, 1 for what went wrong."""
    print(f"ci/{pathlib.Path(sys.argv[0]).stem}: {message}", file=sys.stderr)
    sys.exit(code)


def end_if_unread():
    """Whoever reads the output has gone (`| head`): that is no trouble, and the end as quiet as that of every other
    command, by the signal."""
    unread = select.poll()
    unread.register(1, 0)
    if any(event & select.POLLERR for _, event in unread.poll(0)):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)


def flush_output():
    """The interpreter's own last flush would say "Exception ignored"."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:
        end_if_unread()
        print(f"ci/{pathlib.Path(sys.argv[0]).stem}: the output cannot be written: {error.strerror}", file=sys.stderr,
              flush=True)
        os._exit(1)


def say_end(kind, error, trace):
    """Ctrl-C is no defect, so there is no traceback.  The interpreter ends by the signal, which shells call 130."""
    if issubclass(kind, BrokenPipeError):
        end_if_unread()
    if issubclass(kind, KeyboardInterrupt):
        print("\r\x1b[K" * sys.stderr.isatty() + f"ci/{pathlib.Path(sys.argv[0]).stem}: interrupted", file=sys.stderr)
    elif issubclass(kind, OSError) and error.errno == errno.ENOSPC:
        print(f"ci/{pathlib.Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = say_end
atexit.register(flush_output)


class Help(argparse.HelpFormatter):
    """Each line of a description is a paragraph, folded to the terminal.  Below an indented line what follows its gap
    hangs: the words of a list."""

    def __init__(self, prog):
        super().__init__(prog, width=min(shutil.get_terminal_size().columns, 100) - 1)

    def _fill_text(self, text, width, indent):
        lines = []
        for line in text.splitlines():
            gap = re.match(r" +\S.*? {2,}(?=\S)", line)
            lines += textwrap.wrap(line, width, subsequent_indent=" " * (gap.end() if gap else 0)) or [""]
        return "\n".join(lines)


def parser(prog, **words):
    """Of a command's options, which cannot be abbreviated."""
    return argparse.ArgumentParser(prog=prog, allow_abbrev=False, formatter_class=Help, **words)


def targets():
    """fuzzers/targets.def: name -> Target, in the table's order."""
    table = {}
    for line in (ROOT / "fuzzers/targets.def").read_text().splitlines():
        if line and not line.startswith("#"):
            name, kind, max_len, finding = line.split()
            table[name] = Target(name, kind, int(max_len), finding)
    return table


def presets():
    return [p["name"] for p in json.loads((ROOT / "CMakePresets.json").read_text())["buildPresets"]]


def install_packages(*groups):
    if subprocess.run([ROOT / "ci/packages", *groups]).returncode != 0:
        sys.exit(1)


def shown(path):
    """The path as a person would type it here."""
    try:
        return os.path.relpath(path) if len(os.path.relpath(path)) < len(str(path)) else str(path)
    except ValueError:
        return str(path)


def make_folder(path):
    """With those above it; the first thing that a command writes, so a wrong place is told before any work."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        die(f"{shown(path)}: this folder cannot be made: {error.strerror}.  Fix: set MEMCORE_BUILD_DIR", 1)


def run_build(directory, command, folder, environment=None):
    """Quiet unless it fails."""
    log = directory / "build.log"
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    with open(log, "w") as out, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
            cwd=folder, text=True, errors="replace") as process:
        for line in process.stdout:
            out.write(line)
            if width and line.strip():
                print(f"\r\x1b[K  {line.strip()[:width - 4]}", end="", flush=True)
    if width:
        print("\r\x1b[K", end="", flush=True)
    if process.returncode != 0:
        lines = log.read_text(errors="replace").splitlines()
        print("\n".join(lines[-40:]), file=sys.stderr)
        die(f"the build failed; the whole log is {shown(log)}", 1)


def build(preset, directory=None, arguments=(), source=ROOT, programs=()):
    """Configure and build all, or only some programs.  Returns the folder."""
    directory = pathlib.Path(directory or BUILD / preset)
    make_folder(directory)
    print(f"building {shown(directory)} (log: {shown(directory / 'build.log')})", flush=True)
    run_build(directory, [source / "ci/build", preset, directory, *arguments], source,
              {**os.environ, "TARGETS": " ".join(programs)})
    return directory


def fuzzing_programs(engine, targets_wanted):
    """What of an engine's tree is needed to fuzz these targets and to report what is found; corpora are packed by
    memtrace, so it is always there."""
    programs = ["memtrace", *(["mutator_afl"] if engine == "afl" else [])]
    for target in targets_wanted:
        programs += [target.name, f"replay_{target.name}", f"corpus_{target.name}"]
        programs += [f"memtrace_{target.name}"] if target.finding == "must" else []
    return programs


def build_programs(directory, programs):
    """Only these of a folder that is configured already."""
    jobs = os.environ.get("JOBS") or str(os.cpu_count() or 1)
    run_build(directory, ["cmake", "--build", directory, "-j", jobs, "--target", *programs], directory)


def sanitizer_environment(engine):
    """os.environ plus what sanitizers and engines need."""
    environment = dict(os.environ)
    if "ASAN_SYMBOLIZER_PATH" not in environment:
        for path in ["/usr/bin/llvm-symbolizer-14",
                     *sorted(map(str, pathlib.Path("/usr/lib").glob("llvm-*/bin/llvm-symbolizer")))]:
            if os.access(path, os.X_OK):
                environment["ASAN_SYMBOLIZER_PATH"] = path
                break
    # glib before 2.76 hides use-after-free in its slices.
    environment["G_SLICE"] = "always-malloc"
    # The small quarantine is OSS-Fuzz's: a fifth faster, an eighth of the memory.
    asan = "quarantine_size_mb=10:detect_stack_use_after_return=1:allocator_may_return_null=1:dedup_token_length=3"
    if engine == "afl":
        # AFL++'s driver has no frame pointers: stacks of allocations would be garbage, each a new one to keep,
        # which costs nine tenths of the speed.  The replay has them.
        environment["ASAN_OPTIONS"] = asan + ":abort_on_error=1:symbolize=0:detect_leaks=0:malloc_context_size=0"
        environment["UBSAN_OPTIONS"] = "abort_on_error=1:halt_on_error=1:symbolize=0"
        environment.update(AFL_NO_UI="1", AFL_SKIP_CPUFREQ="1", AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1",
                           AFL_TRY_AFFINITY="1", AFL_BENCH_UNTIL_CRASH="1", AFL_FORKSRV_INIT_TMOUT="30000",
                           AFL_NO_COLOR="1", AFL_FAST_CAL="1")
    else:
        environment["ASAN_OPTIONS"] = asan + ":detect_leaks=1"
        environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return environment


def clean_work(path):
    """An empty folder below BUILD (never anything else)."""
    path = pathlib.Path(path)
    assert BUILD in path.resolve().parents, path
    if path.exists():
        shutil.rmtree(path)
    make_folder(path)
    return path


def session(leader):
    """The pids of a session: children that forked away are in it too."""
    pids = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if int(fields[3]) == leader:
                pids.append(int(entry))
    return pids


def number(value):
    """1234567 -> '1 234 567'; None -> '-'."""
    return "-" if value is None else f"{int(value):,}".replace(",", " ")


def harness_stats(path):
    """What targets have added to HARNESS_STATS_FILE so far; None if that is nothing yet."""
    totals = {}
    try:
        lines = pathlib.Path(path).read_text().split("\n")[:-1]
        for line in lines:
            words = line.split()
            for key, value in zip(words[0::2], words[1::2]):
                totals[key] = totals.get(key, 0) + int(value)
    except (OSError, ValueError):
        return None
    return totals if {"execs", "steps", "skipped", "checked"} <= totals.keys() else None
