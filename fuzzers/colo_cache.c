/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   A second copy of RAM: a guest that writes, pages that come into the cache, checkpoints of both kinds; caches
 *   that come and go; blocks that come, go and change their length; a host that has no memory for a cache.
 *
 * Invariants:
 *   - after each step memory and caches are, byte for byte, what two arrays and two sets of pages make them
 *   - a checkpoint copies the pages it has to, and says how many; those a flush copied are marked, no others
 *   - after a change of the blocks nothing happens any more but the release (R-COLO-5)
 *   - whoever fails has an Error, and nothing is left behind: no cache, no bitmap, no logging
 *   - what is behind the caller's memory in its last page stays as it is (R-RAM-7)
 *
 * Input: 4 bytes of parameters, then 4 a step; see harness/migrate/colo.h.
 */
#include "migrate/colo.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    colo_warm_up();
    /* What is made once is made now: an Error, a cache, another block. */
    LLVMFuzzerTestOneInput((const uint8_t[]){ 0, 0, 0, 0, 13, 0, 0, 0, 12, 0, 0, 0, 15, 0, 0, 0, 10, 0, 0, 0 }, 20);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    colo_play(data, size);
    return 0;
}
