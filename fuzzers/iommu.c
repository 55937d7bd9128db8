/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   IOMMUs with several tables, granules and permissions, behind each other,
 *   on themselves and behind aliases, are mapped, unmapped and accessed through;
 *   notifiers come, are refused, hear events and replays, and go.  Some IOMMUs end
 *   at 2^64; logging of dirty pages starts and stops; regions are asked what they are.
 *
 * Invariants:
 *   - every translation ends where the tables say, with the least mask (R-TRN-5)
 *   - each notifier hears exactly the events of its index, range and type, newest
 *     first, cropped where it asked for that (R-IOM-8, R-IOM-9, R-IOM-10)
 *   - the class hears of changed flags, and may refuse (R-IOM-4)
 *   - while dirty pages are logged, IOMMUs are too, and aliases of them (R-REG-7)
 *   - a loop of translations ends at nothing (R-TRN-9)
 *
 * Input: a binary trace (harness/trace/trace.h) that uses no other groups.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "iommu",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_DEVICE |
                      1u << TRACE_GROUP_ACCESS | 1u << TRACE_GROUP_IOMMU | 1u << TRACE_GROUP_SPACES |
                      1u << TRACE_GROUP_LIFETIME | 1u << TRACE_GROUP_LOGGING | 1u << TRACE_GROUP_QUERY,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
