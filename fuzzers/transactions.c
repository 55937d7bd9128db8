/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   Everything that decides who is told what, when: nested transactions,
 *   several address spaces that share and unshare views, listeners of all
 *   priorities that come and go in mid-stream (also while a transaction is
 *   open), dirty logging, ioeventfds, coalesced MMIO, owners that die with
 *   their regions still in use, and grace periods that end when the input
 *   says so.
 *
 * Invariants:
 *   - nothing is published before the outermost commit, everything after it
 *   - every callback, in order, with its arguments, is the model's
 *   - a listener that knows only add and del holds the view at every commit
 *   - resolved ioeventfds are the model's, before and after every move
 *   - a reader's view stays as it was until the reader has left
 *   - reference counts of owners are exact (R-OBJ-6) after every step
 *
 * Input: a binary trace (harness/trace/trace.h); all groups but those of accesses.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "transactions",
    .groups_allowed = (1u << TRACE_GROUP_DEVICE) - 1,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
