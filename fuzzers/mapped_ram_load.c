/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategy:
 *   Hostile snapshot files.  An input that begins with 'Q' is such a file; anything else is
 *   a recipe (harness/snapshot/recipe.h) of which one is made: a sound file of a few pages,
 *   cut, shifted, with numbers at their limits, overlapping pieces, foreign records, a
 *   hole behind it, shrinking while it is read, or no regular file at all.  It is probed
 *   and loaded into four RAM blocks: fixed, read-only for the guest, resizeable, not migratable.
 *
 * Invariants:
 *   - the probe accepts what the model's plain parser accepts, and finds the same in it
 *   - otherwise there is an Error of one line, and nothing has changed
 *   - a probe takes no more memory than the file has bytes, and a constant
 *   - a load that says so leaves all blocks with the file's bytes, of its lengths, all dirty
 *   - a load that does not fit changes nothing and names the block (R-MLD-8); one that cannot read says -EIO, and
 *     what it has written is dirty
 *   - what is discarded here stays so (R-MLD-7), what is pinned stays where it is (R-MLD-5)
 *   - blocks that are not in the file are never touched
 *
 * Input: any bytes.
 */
#include "migrate/load.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    load_warm_up();
    /* A pipe, refused; a file without blocks and without an end.  What is made once is made now. */
    LLVMFuzzerTestOneInput((const uint8_t[]){ 0 }, 1);
    LLVMFuzzerTestOneInput((const uint8_t[]){ 0, 0, 0, 3 }, 4);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    load_play(data, size);
    return 0;
}
