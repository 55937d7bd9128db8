/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   A guest that writes while it is saved: to whole pages and a few bytes, between the steps
 *   of the save, in the middle of one, before each of its system calls, and last while
 *   its writers are being stopped.  Saves are cancelled, freed, meet blocks that come, go and
 *   change their length, a second save, and system calls that fail or are interrupted.
 *
 * Invariants:
 *   - a completed file has exactly what memory was when the writers stopped: for the
 *     model's plain parser and for a probe; a page is present if it was not zero
 *   - until then, and after a failure or a cancellation, no reader takes it for a file
 *   - after each step: remaining = pages whose bit in bmap is set = the model's dirty
 *     pages; counters, the present pages and the answer "more" are the model's (R-ITER-3, R-ITER-7)
 *   - whoever takes a page has told the listeners to clear its log before (R-CLR-3); what is not plugged is not read
 *   - whatever the end: no bitmaps, no dirty logging, writers run again unless all is saved
 *   - a failed call is the step's result, an interrupted one is made again (R-SAVE-5)
 *
 * Input: 4 bytes of parameters, then 4 a step; see harness/migrate/live.h.
 */
#include "migrate/live.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    live_warm_up();
    /* A save that fails and one that does not: what is made once is made now. */
    LLVMFuzzerTestOneInput((const uint8_t[]){ 0, 0, 0, 0, 7, 0, 0, 0, 4, 9, 0, 0, 12, 0, 0, 0 }, 16);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    live_play(data, size);
    return 0;
}
