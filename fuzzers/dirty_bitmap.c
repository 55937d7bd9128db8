/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   Blocks whose sizes end before, on and behind words of the bitmaps, and every
 *   operation on dirty pages: setting, asking, taking, snapshots, logs imported
 *   from hardware, moving bits into a migration bitmap with and without a
 *   clear_bmap; for each client, at the edges of pages, words and blocks.  In between
 *   the map changes, logging and code tracking start and stop, listeners come and go.
 *
 * Invariants:
 *   - the set of pages that are dirty for each client is the model's, a plain set
 *   - an operation that names one client changes no other's pages
 *   - no page outside of the range and no other block is touched, but for the words
 *     that a snapshot takes whole
 *   - what is taken is told to listeners, trimmed to what they see (R-DLOG-13)
 *
 * Input: a binary trace (harness/trace/trace.h) of the groups below.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "dirty_bitmap",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_TRANSACTION |
                      1u << TRACE_GROUP_LISTENER | 1u << TRACE_GROUP_LOGGING | 1u << TRACE_GROUP_LIFETIME |
                      1u << TRACE_GROUP_RECLAIM | 1u << TRACE_GROUP_DIRTY,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
