/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   Devices of every shape (valid and impl sizes, alignment, byte order, filters,
 *   failures), ROM, RAM, RAM devices, holes and reservations in random trees,
 *   read and written by buffers, scalars and straight dispatch, at edges and
 *   across 2^64; callbacks that access memory again, change the map or fail.
 *
 * Invariants:
 *   - each access: the device callbacks in order with offset, size, value and
 *     attributes, the bytes, the result (R-DSP, R-ACC, R-SCL, R-TRN)
 *   - RAM holds what was written, also around it and at the end
 *   - ioeventfds are signalled instead of the device being called (R-EVM)
 *   - the big lock is held in callbacks and left as it was (R-LCK-1, R-LCK-2)
 *   - nothing outside of a buffer is written (INV-25)
 *   - with code tracking on, and only then, the hook hears of each written range with a page
 *     that has code, and only it marks such pages (R-CODE)
 *
 * Input: a binary trace (harness/trace/trace.h) that uses no other groups.
 */
#include "run/fuzz.h"
#include "target.h"
#include "trace/trace.h"

static const struct fuzz_options options = {
    .target = "access",
    .groups_allowed = 1u << TRACE_GROUP_TREE | 1u << TRACE_GROUP_MEMORY | 1u << TRACE_GROUP_EVENTFD |
                      1u << TRACE_GROUP_COALESCE | 1u << TRACE_GROUP_DEVICE | 1u << TRACE_GROUP_ACCESS |
                      1u << TRACE_GROUP_LIFETIME | 1u << TRACE_GROUP_TRANSACTION | 1u << TRACE_GROUP_LOGGING |
                      1u << TRACE_GROUP_DIRTY,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_trace(data, size, &options);
    return 0;
}
