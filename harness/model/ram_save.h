/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A save of RAM as the specification has it, page by page (conformance/spec/migration.md, chapters 4
 * and 5): which pages are dirty, which the guest has written to since the last look, which are in
 * the file.  Plain arrays of flags; memory itself is the caller's, and read when a page is taken.
 */
#ifndef HARNESS_MODEL_RAM_SAVE_H
#define HARNESS_MODEL_RAM_SAVE_H

#include <stdbool.h>
#include <stdint.h>

enum { SAVE_MODEL_BLOCKS_MAX = 4, SAVE_MODEL_PAGES_MAX = 512 };

struct save_model_block {
    const uint8_t *memory;
    uint64_t length;                            /* of it; what is behind reads as zero (R-RAM-7) */
    unsigned pages;
    bool dirty[SAVE_MODEL_PAGES_MAX];           /* to be taken */
    bool written[SAVE_MODEL_PAGES_MAX];         /* and logged, but not looked for yet */
    bool present[SAVE_MODEL_PAGES_MAX];         /* in the file */
};

struct save_model {
    /* set before save_model_start() */
    struct save_model_block blocks[SAVE_MODEL_BLOCKS_MAX];     /* in the order of the block list */
    unsigned count;
    uint64_t page_size, enough;
    unsigned max_rounds;
    bool keep_zero_pages;
    /* what is to be seen; all in pages */
    uint64_t total, normal, zero, remaining, dirty_sync_count;
    /* where the scan goes on */
    unsigned block, page;
};

/* All is dirty and nothing in the file (R-ITER-1, R-ITER-2); the first look. */
void save_model_start(struct save_model *model);
/* A page that is not there is neither read nor in the file (R-ITER-1). */
void save_model_drop(struct save_model *model, unsigned block, unsigned page);
/* The guest wrote to pages [page, page + count) of a block. */
void save_model_write(struct save_model *model, unsigned block, unsigned page, unsigned count);
/* Takes up to `pages` (R-ITER-4, R-ITER-6), and looks again if few are left (R-ITER-7).  Whether more is dirty. */
bool save_model_iterate(struct save_model *model, uint64_t pages);
/* The last look, and everything (R-ITER-9). */
void save_model_complete(struct save_model *model);

#endif
