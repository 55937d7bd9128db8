/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One stretch of addresses after the other: all regions that could answer there
 * against the one that the flat view shows.
 */
#include <stdlib.h>
#include <string.h>

#include "import/evidence.h"

static bool wins(const struct evidence *e, int x, int y)
{
    int ancestor, p, q;
    enum relation relation = evidence_compare(e, x, y, &ancestor, &p, &q);

    return relation == BEFORE || (relation == TIE && e->rank[p] < e->rank[q]);
}

static bool matches(const struct evidence *e, const struct candidate *c, const struct import_range *seen)
{
    const struct import_region *r = &e->regions[e->ways[c->way].region];
    bool nonvolatile = false;

    if (r->priority != seen->priority || (r->kind != seen->kind && seen->kind != IMPORT_ROM) ||
        (position)seen->first - c->base != (position)seen->offset ||
        strcmp(import_shown_name(r->name), import_shown_name(seen->name)) != 0) {
        return false;
    }
    for (int way = c->way; way != IMPORT_NONE; way = e->ways[way].up) {
        nonvolatile |= e->regions[e->ways[way].region].nonvolatile;
    }
    return nonvolatile == seen->nonvolatile;
}

/*
 * `front` becomes the sibling directly before `back`.  Siblings at its own address
 * that were in front of it go with it, since the text tells the order among these.
 */
static void move_before(struct evidence *e, int front, int back)
{
    struct import_region *container = &e->im->regions[e->regions[front].container];
    int to = e->rank[back], from = e->rank[front], next = to;
    uint64_t address = e->regions[front].address;

    if (from < to) {
        return;
    }
    for (int i = to; i <= from; i++) {
        int sibling = container->children[i];

        if (e->regions[sibling].address == address) {
            memmove(&container->children[next + 1], &container->children[next],
                    (size_t)(i - next) * sizeof(int));
            container->children[next++] = sibling;
            e->work += (size_t)(i - next + 1);
        }
    }
    for (int i = to; i <= from; i++) {
        e->rank[container->children[i]] = i;
    }
    e->work += (size_t)(from - to);
    e->moved = true;
}

/*
 * RAM that is rom in the view: something on the way is read-only.  An alias
 * is the likeliest (chipsets switch those), the one nearest to the RAM first.
 */
static void weigh_readonly(struct evidence *e, int way, const struct import_range *seen)
{
    bool rom = seen->kind == IMPORT_ROM;
    int best = IMPORT_NONE;

    if (rom && e->regions[e->ways[way].region].kind == IMPORT_ROM) {
        return;
    }
    for (; way != IMPORT_NONE; way = e->ways[way].up) {
        struct import_region *r = &e->im->regions[e->ways[way].region];

        if (!rom && r->proved_readonly == IMPORT_UNKNOWN) {
            r->proved_readonly = IMPORT_NO;
        }
        if (r->proved_readonly == IMPORT_YES) {
            return;
        }
        if (r->proved_readonly == IMPORT_UNKNOWN &&
            (best == IMPORT_NONE ||
             (r->target != IMPORT_NONE && e->regions[best].target == IMPORT_NONE))) {
            best = e->ways[way].region;
        }
    }
    /* Only when all that is not read-only has been seen to be so. */
    if (rom && e->last_pass && best != IMPORT_NONE) {
        e->im->regions[best].proved_readonly = IMPORT_YES;
        import_note(e->im, e->regions[best].line,
                    "'%s' is taken to be read-only: a flat view shows rom (line %u)",
                    import_shown_name(e->regions[best].name), seen->line);
    }
}

/*
 * The region at the end of `way` would answer, but does not: an alias on the way
 * up to `ancestor` is empty, or else the region is a container.
 */
static void blame(struct evidence *e, int way, int ancestor)
{
    for (int w = way; w != ancestor; w = e->ways[w].up) {
        struct import_region *r = &e->im->regions[e->ways[w].region];

        if (r->maybe_empty && r->proved_empty != IMPORT_NO) {
            r->proved_empty = IMPORT_YES;
            return;
        }
    }
    prove_terminating(e, e->ways[way].region, IMPORT_NO);
}

/* All candidates in `active` could answer here; the view says `seen` does (NULL: nobody). */
static void weigh(struct evidence *e, const struct import_range *seen)
{
    int best = IMPORT_NONE;

    for (size_t i = 0; i < e->active_count; i++) {
        const struct candidate *c = &e->candidates[e->active[i]];

        if (!seen) {
            blame(e, c->way, IMPORT_NONE);
        } else if (matches(e, c, seen) && (best == IMPORT_NONE || wins(e, c->way, best))) {
            best = c->way;
        }
    }
    if (best == IMPORT_NONE) {
        return;
    }
    prove_terminating(e, e->ways[best].region, IMPORT_YES);
    for (int way = best; way != IMPORT_NONE; way = e->ways[way].up) {
        struct import_region *r = &e->im->regions[e->ways[way].region];

        if (r->maybe_empty && r->proved_empty == IMPORT_UNKNOWN) {
            r->proved_empty = IMPORT_NO;
        }
    }
    weigh_readonly(e, best, seen);
    for (size_t i = 0; i < e->active_count; i++) {
        int way = e->candidates[e->active[i]].way, region = e->ways[way].region, ancestor, strong, weak;

        if (region == e->ways[best].region) {
            continue;
        }
        switch (evidence_compare(e, way, best, &ancestor, &strong, &weak)) {
        case BEFORE:
            blame(e, way, ancestor);
            break;
        case TIE:
            /* In the last pass only defaults are left: those without children answer. */
            if (surely_answers(&e->regions[region]) ||
                (e->last_pass && could_answer(&e->regions[region]) && !e->regions[region].child_count)) {
                move_before(e, weak, strong);
            }
            break;
        case AFTER:
            break;
        }
    }
}

static int compare_positions(const void *x, const void *y)
{
    position p = *(const position *)x, q = *(const position *)y;

    return (p > q) - (p < q);
}

static int compare_candidates(const void *x, const void *y)
{
    const struct candidate *p = x, *q = y;

    return p->first != q->first ? (p->first > q->first) - (p->first < q->first) : p->way - q->way;
}

static void add_bound(struct evidence *e, position at)
{
    e->bounds = import_grow(e->bounds, e->bound_count, &e->bound_capacity, sizeof(*e->bounds));
    e->bounds[e->bound_count++] = at;
}

static void list_bounds(struct evidence *e, const struct import_view *v)
{
    size_t kept = 0;

    e->bound_count = 0;
    for (size_t i = 0; i < e->candidate_count; i++) {
        add_bound(e, e->candidates[i].first);
        add_bound(e, e->candidates[i].end);
    }
    for (size_t i = 0; i < v->range_count; i++) {
        add_bound(e, v->ranges[i].first);
        add_bound(e, (position)v->ranges[i].last + 1);
    }
    if (e->bound_count) {
        qsort(e->bounds, e->bound_count, sizeof(*e->bounds), compare_positions);
    }
    for (size_t i = 0; i < e->bound_count; i++) {
        if (i == 0 || e->bounds[i] != e->bounds[kept - 1]) {
            e->bounds[kept++] = e->bounds[i];
        }
    }
    e->bound_count = kept;
}

/* Between two neighbouring bounds everything is constant: weigh each such stretch once. */
void evidence_weigh_all(struct evidence *e, const struct import_view *v)
{
    size_t next = 0, range = 0;

    if (e->candidate_count) {
        qsort(e->candidates, e->candidate_count, sizeof(*e->candidates), compare_candidates);
    }
    list_bounds(e, v);
    e->active_count = 0;
    for (size_t b = 0; b < e->bound_count && !e->gave_up; b++) {
        position at = e->bounds[b];
        size_t kept = 0;

        for (size_t i = 0; i < e->active_count; i++) {
            if (e->candidates[e->active[i]].end > at) {
                e->active[kept++] = e->active[i];
            }
        }
        e->active_count = kept;
        for (; next < e->candidate_count && e->candidates[next].first == at; next++) {
            e->active = import_grow(e->active, e->active_count, &e->active_capacity, sizeof(*e->active));
            e->active[e->active_count++] = (int)next;
        }
        while (range < v->range_count && (position)v->ranges[range].last < at) {
            range++;
        }
        weigh(e, range < v->range_count && (position)v->ranges[range].first <= at ? &v->ranges[range] : NULL);
        e->work += e->active_count * 8 + 1;
        e->gave_up |= e->work > WORK_MAX;
    }
}
