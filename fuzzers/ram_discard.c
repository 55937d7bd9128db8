/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   Discard managers on RAM of every kind, with granules of several sizes; parts are plugged and unplugged, one by
 *   one, all at once, from saved bits; by ranges that are whole, ragged, too long.  Listeners of overlapping
 *   sections come and go, and object at any call.  Counters of the discard policy go up and down beside it.
 *
 * Invariants:
 *   - a set of granules: every answer and every run that is replayed follows from it (R-RDM-8)
 *   - what listeners have heard is what is populated in their sections, after objections too (R-RDM-11)
 *   - inside of a callback the old state shows (R-RDM-12)
 *   - what was refused changed nothing; what is discarded reads as zero
 *   - the counters are never against each other (R-DISC-1)
 *
 * Input: a binary trace (harness/trace/trace.h) of the groups below.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "ram_discard",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_LIFETIME |
                      1u << TRACE_GROUP_RECLAIM | 1u << TRACE_GROUP_BLOCK | 1u << TRACE_GROUP_DISCARD,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
