#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What ci/fuzz reads out of the fuzzer_stats of AFL++ 4.04c at each moment of a run."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from engines import afl_stability     # noqa: E402

FIRST = {"edges_found": "408", "var_byte_count": "0", "stability": "0.00%", "command_line": "afl-fuzz"}
CASES = (
    ("the first file says 0 % before it knows", FIRST, 100),
    ("no edge yet", {**FIRST, "edges_found": "0"}, 100),
    ("the row is older than the count", {**FIRST, "edges_found": "400", "var_byte_count": "6", "stability": "100.00%"},
     98.5),
    ("every edge varies", {**FIRST, "var_byte_count": "408"}, 0),
    ("half written", {"edges_found": "408", "var_byte_count": "1"}, None),
    ("empty", {}, None),
)

failed = [(name, afl_stability(row), want) for name, row, want in CASES if afl_stability(row) != want]
for name, got, want in failed:
    print(f"{name}: stability {got}, expected {want}")
print(f"{len(CASES) - len(failed)} of {len(CASES)} cases")
sys.exit(bool(failed))
