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
 *   - who waits for a page that is there is woken, whoever brought it; what a manager has discarded is neither
 *     sent nor asked for (R-PC-21, R-PC-25)
 *   - counters are the model's
 *
 * Input: 4 bytes of parameters, then 4 a step; see harness/migrate/postcopy.h.
 */
#include "migrate/postcopy.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (able) {
        postcopy_play(data, size);
    }
    return 0;
}
