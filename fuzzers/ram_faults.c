/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   The host refuses: the n-th call that maps memory, opens, extends or punches a file, or allocates, fails while RAM
 *   is made, resized, given back, or put under a discard manager.
 *
 * Invariants:
 *   - a step that fails so has no effect: the model does nothing, and everything still agrees (R-RAM-10): blocks and
 *     their order, dirty pages, listeners, bytes, references to owners, files and their lengths, open descriptors
 *   - what may have been half done can be done again, and then is as if nothing had failed (R-DISC-5)
 *
 * Input: a binary trace (harness/trace/trace.h) of the groups below.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "ram_faults",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_TRANSACTION |
                      1u << TRACE_GROUP_LISTENER | 1u << TRACE_GROUP_LIFETIME | 1u << TRACE_GROUP_RECLAIM |
                      1u << TRACE_GROUP_DIRTY | 1u << TRACE_GROUP_BLOCK | 1u << TRACE_GROUP_DISCARD |
                      1u << TRACE_GROUP_FAULT,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
