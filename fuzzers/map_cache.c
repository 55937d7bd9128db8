/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   Maps, bounce buffers, map clients and region caches of random trees, with the
 *   topology changing, owners dying and accesses happening in between.
 *
 * Invariants:
 *   - a map is as long as one region goes on, a bounce buffer a page at most
 *   - one bounce buffer at a time; clients hear of its release once (INV-12)
 *   - the same when another thread releases it, waits or leaves in the middle of a call:
 *     played there, by `meanwhile` and `map_meanwhile`
 *   - a cache reads and writes what it was made for, whatever the map is now
 *   - what was written through them is marked, and nothing else (R-MAP-8, R-CCH-9)
 *   - maps and caches keep owners and views alive, exactly (R-OBJ-6, INV-24)
 *
 * Input: a binary trace (harness/trace/trace.h) that uses no other groups.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "map_cache",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_DEVICE |
                      1u << TRACE_GROUP_ACCESS | 1u << TRACE_GROUP_MAP | 1u << TRACE_GROUP_CACHE |
                      1u << TRACE_GROUP_IOMMU | 1u << TRACE_GROUP_LOGGING | 1u << TRACE_GROUP_DIRTY |
                      1u << TRACE_GROUP_SPACES | 1u << TRACE_GROUP_LIFETIME | 1u << TRACE_GROUP_RECLAIM,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
