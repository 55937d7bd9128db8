/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who could answer, and who wins: every region that is reached, by every way.
 */
#include "import/evidence.h"

void evidence_list(struct evidence *e, int region, position base, position first, position end, int up)
{
    const struct import_region *r = &e->regions[region];
    int way = (int)e->way_count, depth = up == IMPORT_NONE ? 0 : e->ways[up].depth + 1;

    first = first > base ? first : base;
    end = end < end_of(base, believed_size(e, r)) ? end : end_of(base, believed_size(e, r));
    if (!r->enabled || first >= end) {
        return;
    }
    if (e->way_count == WAYS_MAX || depth == DEPTH_MAX) {
        e->gave_up = true;
        return;
    }
    e->ways = import_grow(e->ways, e->way_count, &e->way_capacity, sizeof(*e->ways));
    e->ways[e->way_count++] = (struct way){ region, up, depth };
    if (r->target != IMPORT_NONE) {
        evidence_list(e, r->target, base - r->alias_offset, first, end, way);
        return;
    }
    for (size_t i = 0; i < r->child_count; i++) {
        evidence_list(e, r->children[i], base + e->regions[r->children[i]].address, first, end, way);
    }
    if (could_answer(r)) {
        e->candidates = import_grow(e->candidates, e->candidate_count, &e->candidate_capacity,
                                    sizeof(*e->candidates));
        e->candidates[e->candidate_count++] = (struct candidate){ first, end, base, way };
    }
}

enum relation evidence_compare(const struct evidence *e, int x, int y, int *ancestor, int *sibling_x,
                               int *sibling_y)
{
    int from_x = x, from_y = y, below_x = IMPORT_NONE, below_y = IMPORT_NONE;
    const struct import_region *p, *q;

    while (from_x != from_y) {
        if (e->ways[from_x].depth >= e->ways[from_y].depth) {
            below_x = from_x;
            from_x = e->ways[from_x].up;
        } else {
            below_y = from_y;
            from_y = e->ways[from_y].up;
        }
    }
    *ancestor = from_x;
    if (below_x == IMPORT_NONE) {
        return AFTER;   /* y is inside x: subregions answer first */
    }
    if (below_y == IMPORT_NONE) {
        return BEFORE;
    }
    p = &e->regions[e->ways[below_x].region];
    q = &e->regions[e->ways[below_y].region];
    if (p->priority != q->priority) {
        return p->priority > q->priority ? BEFORE : AFTER;
    }
    *sibling_x = e->ways[below_x].region;
    *sibling_y = e->ways[below_y].region;
    if (p->address == q->address) {
        return e->rank[*sibling_x] < e->rank[*sibling_y] ? BEFORE : AFTER;
    }
    return TIE;
}
