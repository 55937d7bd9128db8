/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   Random region trees, changed one step at a time outside of transactions:
 *   every region kind that part 1 of the specification knows, containers
 *   within containers, aliases of aliases, priorities that tie, sizes up to
 *   2^64, positions at the edges of other regions.  After each change the
 *   core's view of every address space is compared with the model, which asks
 *   "who serves address a?" one address at a time.
 *
 * Invariants:
 *   - every view equals the model's, range by range (R-FV-1, I-1, I-2)
 *   - an untold change is a bug: what the witness listener of a space built
 *     from region_add and region_del alone equals the view (I-3)
 *   - every getter, memory_region_find and what mtree_info prints agree with
 *     the model
 *   - nothing outlives the input: owners, views, blocks, deferred work
 *
 * Input: a binary trace (harness/trace/trace.h) that uses no other groups.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "region_tree",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_QUERY |
                      1u << TRACE_GROUP_PRINT,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
