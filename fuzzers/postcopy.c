/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   A destination whose stream is made of right messages in any order, wrong ones, and changed
 *   bytes; between them threads touch pages, the same pages come on another channel, also in the
 *   middle of placing one, calls of the kernel fail, and messages to the source.  Or a source that is asked for pages,
 *   rightly and not, while its guest writes, and whose connection breaks.  The kernel is played
 *   by a table: no userfaultfd, no threads.
 *
 * Invariants:
 *   - a message is accepted in the states of R-PC-1, and refused with an Error elsewhere
 *   - while threads may wait, a page is there if and only if it was received; its bytes are the
 *     model's; it is placed once, and asked for once (R-PC-22, R-PC-31)
 *   - what was discarded is not there: no stale page is ever read (R-PC-15)
 *   - the stream ends well if and only if nothing is missing (R-PC-25); after a failure while the guest ran
 *     nothing is let go of, after any other everything is
 *   - a source announces the dirty pages and no others, and sends each once, in the order of
 *     R-PC-42, with the bytes that memory has; wrong requests end it with an Error (R-PC-44)
 *   - counters are the model's
 *
 * Input: 4 bytes of parameters, then 4 a step; see postcopy_play.h.
 */
#include <string.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "postcopy_play.h"
#include "qapi/error.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static bool able;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    Error *first = NULL;

    (void)argc;
    (void)argv;
    error_setg(&first, "names the domain of all");
    error_free(first);
    able = postcopy_warm_up();
    /* One of each: what is made once is made now. */
    LLVMFuzzerTestOneInput((const uint8_t[]){ 2, 0, 0, 0, 15, 0, 0, 0 }, 8);
    LLVMFuzzerTestOneInput((const uint8_t[]){ 1, 0, 0, 0, 4, 0, 3, 0 }, 8);
    return 0;
}

/* What the core keeps from input to input is the same before each: dirty pages, and which block was found last. */
static void leave_no_trace(void)
{
    for (unsigned b = BLOCKS; b-- > 0;) {
        cpu_physical_memory_clear_dirty_range(machine.block[b]->offset, machine.block[b]->used_length);
    }
    (void)qemu_map_ram_ptr(NULL, machine.block[0]->offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Steps steps = { .at = data + 4, .left = size < 4 ? 0 : MIN((size - 4) / 4, STEPS_MAX) };

    if (!able || size < 4) {
        return 0;
    }
    fuzz_hash_begin();
    memcpy(steps.parameters, data, 4);
    if (steps.parameters[0] & 1) {
        postcopy_play_source(&steps);
    } else {
        postcopy_play_destination(&steps);
    }
    leave_no_trace();
    return 0;
}
