/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps of the groups `block` and `discard` mean, as player and model have to agree on it: the files behind
 * RAM, the names of blocks, what listeners answer.  What the core makes of it is the model's to predict.
 *
 * Files.  `ram_file` makes a file of block_file_length() bytes, whose first BLOCK_FILE_MARKS pages begin with a byte
 * block_file_mark() each, and gives it to the core; `path_new` makes none and names a path where nothing is,
 * `directory` names a folder, `pipe` is a descriptor that is no file.  memory_region_get_fd is compared as 0 for any
 * descriptor and -1 for none.
 *
 * Notifiers.  `once` ones remove themselves when a block comes, but not while existing ones are reported to them.
 * Blocks over a caller's pointer overlap, so who hears of one does not know whose it is (R-RAM-22): region none.
 *
 * Discard.  A section of a listener lies at DISCARD_SECTION_ADDRESS + its offset in an address space that there is
 * none of.  A listener that objects returns -EBUSY.
 *
 * Failures.  After `fail` the first step of block_may_fail() with at least n + 1 failing calls has the n-th refused.
 * The count begins anew behind that step until it has struck block_how_often() times or another `fail` follows.
 * If the core says that the step failed, then it must have had no effect, and what block_is_repeated() is done once
 * more, without a failure, since it may have been half done (R-DISC-5); `load_bits` reaches its listeners both times
 * (R-BDM-5).  `plug` asks the host only to give back what a listener did not want: where that fails its answer is the
 * same, and the player gives it back (R-BDM-2).
 */
#ifndef HARNESS_MODEL_BLOCK_H
#define HARNESS_MODEL_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/trace.h"

/* Indices of operand.def's words. */
enum ram_file {
    FILE_EMPTY, FILE_EXACT, FILE_LONGER, FILE_SHORT, FILE_PATH_EMPTY, FILE_PATH_EXACT, FILE_PATH_LONGER,
    FILE_PATH_SHORT, FILE_PATH_NEW, FILE_DIRECTORY, FILE_PIPE,
};
struct file_flags {
    bool shared, noreserve, protected, readonly, unknown;
    uint64_t alignment;
};
enum ram_kind {
    KIND_WORD_RAM, KIND_WORD_NOMIGRATE, KIND_WORD_ROM, KIND_WORD_ROM_NOMIGRATE, KIND_WORD_SHARED, KIND_WORD_NORESERVE,
    KIND_WORD_RESIZEABLE, KIND_WORD_EMPTY, KIND_WORD_FULL,
};
enum { RESIZE_REGION, RESIZE_BLOCK };
enum id_name { ID_NONE, ID_A, ID_A_B, ID_TOO_LONG, ID_LONGER_STILL, ID_R1, ID_O1_R1,
               ID_OWN };  /* OWN: the region's name, no word */
enum { BLOCK_MIGRATABLE, BLOCK_NOT_MIGRATABLE, BLOCK_UF_ZEROABLE };
enum { MSYNC_REGION, MSYNC_WRITEBACK, MSYNC_BLOCK, MSYNC_WHOLE_BLOCK };
enum { NOTIFIER_SEED, NOTIFIER_EXTENDED, NOTIFIER_SEED_ONCE, NOTIFIER_EXTENDED_ONCE };
enum { HOOKS_WILLING, HOOKS_BUSY, HOOKS_NO_MEMORY };
enum { DISCARD_SINGLE, DISCARD_DOUBLE };
enum { POLICY_DISABLE, POLICY_UNCOORDINATED, POLICY_REQUIRE, POLICY_COORDINATED, POLICIES };
enum { ROUNDING_WHOLE, ROUNDING_RAW };

/* Dirty pages of larger blocks are nobody's business. */
#define MODELLED_PAGES_MAX (UINT64_C(128) << 20)

enum { BLOCK_FILE_MARKS = 8 };
uint8_t block_file_mark(unsigned page);
bool block_file_has_path(unsigned kind);
/* Of the file before the core sees it; 0 for what is no file, or not there. */
uint64_t block_file_length(unsigned kind, uint64_t offset, uint64_t size);
struct file_flags block_file_flags(unsigned word);

/*
 * What a `ram` step makes of its size: `empty` uses none of it at first, `full` has a maximum that is smaller than it,
 * but in the same page (R-RAM-2).  max 0: it cannot be resized.
 */
struct ram_sizes {
    uint64_t used, max;
};
struct ram_sizes block_ram_sizes(unsigned kind, uint64_t size);

/* What qemu_ram_set_idstr is called with; ID_NONE: NULL. */
const char *block_id_given(enum id_name name);

uint64_t block_granule(unsigned word);
enum { DISCARD_SECTION_ADDRESS = 0x10000000 };

bool block_may_fail(unsigned op);
bool block_is_repeated(unsigned op);
int block_host_error(unsigned word);
unsigned block_how_often(unsigned word);

#endif
