/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the halves of the player of postcopy.h have in common: the machine, the kernel's part, the steps. */
#ifndef HARNESS_MIGRATE_POSTCOPY_PARTS_H
#define HARNESS_MIGRATE_POSTCOPY_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exec/ramblock.h"
#include "model/postcopy.h"
#define FUZZ_TARGET "postcopy"
#include "run/fuzz_check.h"

enum { BLOCKS = POSTCOPY_MODEL_BLOCKS, PLUGGED = 1 };

/* --- the machine (postcopy.c) --------------------------------------------------------------------- */

extern struct postcopy_machine {
    RAMBlock *block[BLOCKS];
    unsigned pages[BLOCKS];     /* that take part */
    size_t page_size;           /* the host's */
    struct subject_manager *manager;    /* of block PLUGGED */
    uint32_t absent[BLOCKS];    /* what is discarded, one bit a page */
} guest;
extern const char *const postcopy_names[BLOCKS];

/* Which pages of PLUGGED are discarded, one bit each. */
void postcopy_plug(uint32_t absent);
/* The first block gets another length.  Without the big lock. */
void postcopy_resize(unsigned pages);
/* The block and the page of an address; false: none of the machine's. */
bool postcopy_place_of(const void *address, int *block, unsigned *page);

/* --- the input (postcopy.c) ----------------------------------------------------------------------- */

typedef struct {
    uint8_t parameters[4];
    const uint8_t *at;          /* 4 bytes each */
    size_t left;
} PostcopySteps;

/* The next one, 4 bytes; NULL: none. */
const uint8_t *postcopy_next_step(PostcopySteps *steps);

/* Each plays all steps (destination.c, source.c). */
void postcopy_play_destination(PostcopySteps *steps);
void postcopy_play_source(PostcopySteps *steps);

/* --- the kernel (kernel.c) ------------------------------------------------------------------------ */

extern struct postcopy_kernel {
    bool enrolled[BLOCKS];
    bool there[BLOCKS][POSTCOPY_MODEL_PAGES_MAX];       /* of enrolled blocks: who touches it does not wait */
    unsigned open;              /* descriptors */
    bool again, half, no_memory;        /* the next call that places */
    uint8_t *rest;              /* where a page goes on of which the first half is there; NULL: none */
    const uint8_t *rest_from;
    bool no_enroll, no_open;
    bool no_zeroes[BLOCKS];     /* a page of zeroes has to be copied */
    unsigned woken;             /* pages */
    void (*meanwhile)(void);    /* called before a page is placed, once */
} kernel;

/* In use from now on; nothing is enrolled. */
void postcopy_kernel_start(void);

#endif
