/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Postcopy as the specification has it (conformance/spec/migration.md, chapter 6): what a destination may be told in
 * which state, which pages are there, which were asked for; and which page a source sends next.  Plain
 * sets of pages of the target; a page has one value in all its bytes.
 */
#ifndef HARNESS_MODEL_POSTCOPY_H
#define HARNESS_MODEL_POSTCOPY_H

#include <stdbool.h>
#include <stdint.h>

enum { POSTCOPY_MODEL_BLOCKS = 2, POSTCOPY_MODEL_PAGES_MAX = 32, POSTCOPY_MODEL_REQUESTS_MAX = 256 };

/* --- destination ------------------------------------------------------------------------------ */

enum postcopy_model_state {     /* R-PC-1 */
    POSTCOPY_MODEL_NONE,
    POSTCOPY_MODEL_ADVISE,
    POSTCOPY_MODEL_DISCARD,
    POSTCOPY_MODEL_LISTENING,
    POSTCOPY_MODEL_RUNNING,
    POSTCOPY_MODEL_END,
};

struct postcopy_model_page {
    bool received, requested;
    uint8_t value;              /* what the guest reads, once it is received */
    bool known;                 /* the value: also where nobody notes what came */
};

struct postcopy_model {
    unsigned pages[POSTCOPY_MODEL_BLOCKS];
    uint32_t absent[POSTCOPY_MODEL_BLOCKS];     /* pages a RamDiscardManager has discarded, one bit each */
    struct postcopy_model_page page[POSTCOPY_MODEL_BLOCKS][POSTCOPY_MODEL_PAGES_MAX];
    enum postcopy_model_state state;
    bool started, ended;        /* the ram section */
    bool return_path;
    int last_block;             /* of the page before; -1: none (R-WIRE-4) */
    uint64_t faults, requests, suppressed, placed, zero_placed, duplicates, discarded;
};

/* `pages` and `absent` of each block are set before. */
void postcopy_model_start(struct postcopy_model *model);

/* Each: whether it is accepted; if not, nothing changes.  A block that does not exist is -1. */
bool postcopy_model_advise(struct postcopy_model *model, bool sizes_match);
bool postcopy_model_list(struct postcopy_model *model, bool lengths_match);
bool postcopy_model_discard(struct postcopy_model *model, int block, unsigned start, unsigned count);
/* R-POST-1; not before the list, behind which lengths are equal.  False: no migration can go on. */
bool postcopy_model_resize(struct postcopy_model *model, int block, unsigned pages);
bool postcopy_model_listen(struct postcopy_model *model);
bool postcopy_model_run(struct postcopy_model *model);
bool postcopy_model_end_of_stream(struct postcopy_model *model);
/* A page in a section; `named`: it names its block.  value 0: it comes as a zero page. */
bool postcopy_model_page(struct postcopy_model *model, bool named, int block, unsigned page, uint8_t value);

/* A page that is placed, by whomever, while the destination listens: the first one counts (R-PC-31). */
void postcopy_model_place(struct postcopy_model *model, int block, unsigned page, uint8_t value);

/* What comes of a thread that touches a page, while the destination listens (R-PC-22). */
enum postcopy_model_touch {
    POSTCOPY_MODEL_GOES_ON,     /* it is there, or discarded: then a page of zeroes is placed */
    POSTCOPY_MODEL_ASKS,
    POSTCOPY_MODEL_HAS_ASKED,
};
enum postcopy_model_touch postcopy_model_touch(struct postcopy_model *model, int block, unsigned page);

bool postcopy_model_complete(const struct postcopy_model *model);

/* --- source ----------------------------------------------------------------------------------------- */

struct postcopy_source_model {
    unsigned pages[POSTCOPY_MODEL_BLOCKS];
    bool dirty[POSTCOPY_MODEL_BLOCKS][POSTCOPY_MODEL_PAGES_MAX];
    struct {
        int block;
        unsigned page;
    } requests[POSTCOPY_MODEL_REQUESTS_MAX];    /* first come first served */
    unsigned first, count;
    int last_requested;         /* the block that the short form means; -1: none */
    int block;                  /* where the scan goes on */
    unsigned page;
    uint64_t ignored;
};

void postcopy_source_model_start(struct postcopy_source_model *model);
/* Whether it is a right one (R-PC-44).  `named`: the long form; `block` -1: no such block. */
bool postcopy_source_model_request(struct postcopy_source_model *model, bool named, int block, uint64_t start,
                                   uint64_t length, uint64_t page_size);
/* The page that goes next (R-PC-42); false: none is left. */
bool postcopy_source_model_next(struct postcopy_source_model *model, int *block, unsigned *page);

#endif
