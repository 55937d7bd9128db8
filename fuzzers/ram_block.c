/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   RAM from the host and from files of every kind, good and bad, at offsets of theirs; blocks that come, go and are
 *   resized in between, named and renamed, while notifiers of both kinds listen.  The host writes to them, gives
 *   parts back, maps them afresh; the guest reads and writes them, and ROM is written past whoever would refuse.
 *   Regions are mapped, logged and owned by devices that die.
 *
 * Invariants:
 *   - what an initialiser or a resize refuses changes nothing: no region, no block, no file, nobody hears of it
 *   - where blocks lie, their order and their names are the model's (R-RAM-16, R-RAM-19)
 *   - each notifier hears of each block that comes and goes, in order (R-NOTI)
 *   - a resize keeps the bytes and makes all of the used part dirty (R-RES)
 *   - what is given back reads as zero, in memory and file; everything else is as it was (R-DISC)
 *   - what is mapped for reading only is never written (R-ACC-14)
 *   - each file that was opened is closed
 *
 * Input: a binary trace (harness/trace/trace.h) of the groups below.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "ram_block",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_QUERY |
                      1u << TRACE_GROUP_TRANSACTION | 1u << TRACE_GROUP_LISTENER | 1u << TRACE_GROUP_LOGGING |
                      1u << TRACE_GROUP_LIFETIME | 1u << TRACE_GROUP_RECLAIM | 1u << TRACE_GROUP_DIRTY |
                      1u << TRACE_GROUP_BLOCK | 1u << TRACE_GROUP_ACCESS,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
