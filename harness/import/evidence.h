/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the importer: what is gathered while flat views are weighed.
 */
#ifndef HARNESS_IMPORT_EVIDENCE_H
#define HARNESS_IMPORT_EVIDENCE_H

#include "import/mtree.h"

typedef __int128 position;

enum {
    WAYS_MAX = 1 << 20,         /* in one view: aliases of aliases can multiply without end */
    DEPTH_MAX = 512,
    WORK_MAX = 200 * 1000 * 1000,
    PASSES_MAX = 4,
};

/* A step on the way from the root of a view to a region. */
struct way {
    int region;
    int up;                     /* index of the way to what contains or aliases it; root: IMPORT_NONE */
    int depth;
};

/* A region that could answer at [first, end), reached by a way; its byte 0 is at `base`. */
struct candidate {
    position first, end, base;
    int way;
};

struct evidence {
    struct import *im;
    const struct import_region *regions;
    struct way *ways;
    size_t way_count, way_capacity;
    struct candidate *candidates;
    size_t candidate_count, candidate_capacity;
    position *bounds;
    size_t bound_count, bound_capacity;
    int *active;
    size_t active_count, active_capacity;
    int *rank;                  /* of each region among its siblings */
    bool *known_before;         /* proved by an earlier text: needs no note */
    size_t work;
    bool moved;                 /* a sibling changed its rank in this pass */
    bool last_pass;
    bool gave_up;
};

static inline position end_of(position base, uint64_t size)
{
    return base + (size == UINT64_MAX ? (position)1 << 64 : (position)size);
}

static inline bool could_answer(const struct import_region *r)
{
    return r->target == IMPORT_NONE && (r->kind != IMPORT_IO || r->proved_terminating != IMPORT_NO);
}

static inline bool surely_answers(const struct import_region *r)
{
    return r->target == IMPORT_NONE && (r->kind != IMPORT_IO || r->proved_terminating == IMPORT_YES);
}

static inline void prove_terminating(struct evidence *e, int region, enum import_answer answer)
{
    struct import_region *r = &e->im->regions[region];

    if (r->target == IMPORT_NONE && r->kind == IMPORT_IO && r->proved_terminating == IMPORT_UNKNOWN) {
        r->proved_terminating = answer;
    }
}

/* Closed windows of bridges are aliases without bytes, so that is what is believed of them. */
static inline uint64_t believed_size(const struct evidence *e, const struct import_region *r)
{
    bool empty = r->maybe_empty && (r->proved_empty == IMPORT_YES ||
                                    (r->proved_empty == IMPORT_UNKNOWN && e->last_pass));

    return empty ? 0 : r->size;
}

/* Lists every region that could answer somewhere in [first, end), `region` being at `base`. */
void evidence_list(struct evidence *e, int region, position base, position first, position end, int up);

enum relation { BEFORE, AFTER, TIE };

/*
 * Does way x win over way y where both could answer?  *ancestor is where the two ways part.  For a TIE,
 * the two siblings of equal priority; at equal addresses the text tells which is newer (R-MT-7).
 */
enum relation evidence_compare(const struct evidence *e, int x, int y, int *ancestor, int *sibling_x,
                               int *sibling_y);

/* Weighs the listed candidates against the view, stretch by stretch. */
void evidence_weigh_all(struct evidence *e, const struct import_view *v);

/* Finds out which region is the view's root, lists and weighs. */
void evidence_study(struct evidence *e, const struct import_view *v);

/* Takes over what an earlier text of the machine proved. */
void evidence_recall(struct evidence *e, const struct import *earlier);

#endif
