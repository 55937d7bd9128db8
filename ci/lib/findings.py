# SPDX-License-Identifier: GPL-2.0-or-later
"""From an engine's artifact to what a person needs: the step that failed, the replay command, a small trace."""
import hashlib
import re
import shutil
import signal
import subprocess

from common import BUILD, sanitizer_environment, shown

REPLAY_SECONDS = 30
MINIMIZE_SECONDS = 300
REPORT_LINES = 60
TRACE_LINES = 40


def report_lines(text):
    """Of a replay's output: the harness's report first, then of a sanitizer's what says what and where."""
    harness, sanitizer, into = [], [], None
    for line in text.splitlines():
        if re.search(r": running \S", line) or re.match(r"replay_\w+: \d+ files?", line) or re.fullmatch(r"=+", line):
            continue
        if re.match(r"==\d+==ERROR|.*: runtime error: ", line):
            into = sanitizer
        elif re.match(r"Shadow bytes around|==\d+==Register values", line):
            into = []               # for those who debug the sanitizer; it is in the log
        elif re.match(r"==\d+==ABORTING|\s*$", line) and into is not sanitizer or line.startswith("DEDUP_TOKEN"):
            continue
        elif re.match(r"CRASHED|FAILED", line):
            into = harness
        (harness if into is None else into).append(line)
    lines = harness + ([""] if harness and sanitizer else []) + sanitizer
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) > REPORT_LINES:
        lines[REPORT_LINES:] = [f"... ({len(lines) - REPORT_LINES} more lines, see the log)"]
    return lines


class Finding:
    def __init__(self, campaign):
        self.campaign = campaign
        data = campaign.finding.read_bytes()
        self.kind = campaign.kind
        folder = BUILD / "findings"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{campaign.target.name}-{self.kind}-{hashlib.sha1(data).hexdigest()[:12]}"
        self.input = folder / name
        self.trace = folder / f"{name}.trace"
        self.log = folder / f"{name}.log"
        shutil.copyfile(campaign.finding, self.input)
        memtrace = campaign.tree / "fuzzers" / f"memtrace_{campaign.target.name}"
        self.memtrace = memtrace if memtrace.exists() else campaign.tree / "harness/memtrace"

    def run(self, command, seconds):
        """Exit code and output.  What does not end is aborted: then the harness says which step it was in."""
        with subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=sanitizer_environment("libfuzzer")) as process:
            for number in (None, signal.SIGABRT, signal.SIGKILL):
                try:
                    if number:
                        process.send_signal(number)
                    output = process.communicate(timeout=5 if number else seconds)[0].decode(errors="replace")
                    break
                except subprocess.TimeoutExpired:
                    output = ""
        return process.returncode, output + (f"aborted after {seconds} s\n" if number else "")

    def minimize(self):
        """The path of a small trace, or None."""
        if self.campaign.target.input != "trace" or self.kind not in ("crash", "leak"):
            return None
        self.trace.unlink(missing_ok=True)
        code, output = self.run([self.memtrace, "minimize", "--binary", "-q", "-o", self.trace, self.input],
                                MINIMIZE_SECONDS)
        with open(self.log, "a") as log:
            log.write(f"\n--- memtrace minimize: {code}\n{output}")
        return self.trace if code == 0 and self.trace.exists() else None

    def text(self):
        """All of it, as printed at the end of ci/fuzz."""
        c = self.campaign
        code, output = self.run([c.replayer, self.input], REPLAY_SECONDS)
        self.log.write_text(output)
        lines = ["", f"*** {c.target.name}: {c.engine} found a failure after {c.found_after:.0f} s"]
        if code == 0:
            lines.append("The replay does not fail: the failure depends on what ran before it in the same process.")
            lines.append("What the engine said last:")
            lines += ["  " + line for line in c.last_lines(20)]
        else:
            lines += ["  " + line for line in report_lines(output)]
            if "the last steps" not in output and c.target.input == "trace":
                shown_trace = self.run([self.memtrace, "show", self.input], REPLAY_SECONDS)[1].splitlines()
                lines += ["", "  the trace:"] + ["    " + line for line in shown_trace[:TRACE_LINES]]
        small = self.minimize()
        lines += ["", f"  input     {shown(self.input)}", f"  replay    {shown(c.replayer)} {shown(self.input)}"]
        if small:
            lines += [f"  minimised {shown(small)}", f"  run it    {shown(self.memtrace)} run {shown(small)}",
                      f"  as C      {shown(self.memtrace)} emit-c {shown(small)} -o test.c"]
            text = small.read_text().splitlines()
            lines += ["    " + line for line in text[:30]]
        elif c.target.input == "bytes":
            # trace_codec reads text as well as binary; the others' bytes are kept as .hex (corpora/README.md)
            as_text = f"{shown(self.memtrace)} show" if c.target.name == "trace_codec" else "od -An -v -tx1"
            lines.append(f"  as text   {as_text} {shown(self.input)}")
        else:
            tried = self.kind in ("crash", "leak")
            why = "memtrace minimize gave none; see the log" if tried else f"not tried for a {self.kind}"
            lines.append(f"  minimised ({why})")
        lines.append(f"  log       {shown(self.log)}")
        return "\n".join(lines)
