# SPDX-License-Identifier: GPL-2.0-or-later
"""From an engine's artifact to what a person needs: the step that failed, the replay command, a small trace."""
import hashlib
import re
import shutil
import subprocess

from common import BUILD, shown

REPLAY_SECONDS = 60
MINIMIZE_SECONDS = 300
REPORT_LINES = 60


def report_lines(text):
    """Of a replay's output: the harness's report, and of a sanitizer's the part that says what and where."""
    lines = []
    for line in text.splitlines():
        if re.search(r": running \S", line) or re.fullmatch(r"=+", line):
            continue
        if re.match(r"(SUMMARY: |==\d+==ABORTING|Shadow bytes around|==\d+==Register values)", line):
            lines.append(line) if line.startswith("SUMMARY") else None
            break
        lines.append(line)
    while lines and not lines[0].strip():
        lines.pop(0)
    if len(lines) > REPORT_LINES:
        lines[REPORT_LINES:] = [f"... ({len(lines) - REPORT_LINES} more lines)"]
    return lines


class Finding:
    def __init__(self, campaign):
        self.campaign = campaign
        data = campaign.finding.read_bytes()
        kind = campaign.finding.name.split("-")[0] if campaign.engine == "libfuzzer" else "crash"
        folder = BUILD / "findings"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{campaign.target.name}-{kind}-{hashlib.sha1(data).hexdigest()[:12]}"
        self.input = folder / name
        self.trace = folder / f"{name}.trace"
        self.log = folder / f"{name}.log"
        shutil.copyfile(campaign.finding, self.input)
        memtrace = campaign.tree / "fuzzers" / f"memtrace_{campaign.target.name}"
        self.memtrace = memtrace if memtrace.exists() else campaign.tree / "harness/memtrace"

    def run(self, command, seconds):
        try:
            result = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, env=self.campaign.environment, timeout=seconds)
            return result.returncode, result.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as expired:
            return None, (expired.stdout or b"").decode(errors="replace") + f"\nstopped after {seconds} s\n"

    def minimize(self):
        """The path of a small trace, or None."""
        if self.campaign.target.input != "trace":
            return None
        self.trace.unlink(missing_ok=True)
        code, output = self.run([self.memtrace, "minimize", "--binary", "-q", "-o", self.trace, self.input], MINIMIZE_SECONDS)
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
        small = self.minimize()
        lines += ["", f"  input     {shown(self.input)}", f"  replay    {shown(c.replayer)} {shown(self.input)}"]
        if small:
            lines += [f"  minimised {shown(small)}", f"  run it    {shown(self.memtrace)} run {shown(small)}"]
            text = small.read_text().splitlines()
            lines += ["    " + line for line in text[:30]]
        elif c.target.input == "trace":
            lines.append(f"  minimised (memtrace minimize gave none; see {shown(self.log)})")
        lines.append(f"  log       {shown(self.log)}")
        return "\n".join(lines)
