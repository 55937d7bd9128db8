/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the flat views prove of the properties that the tree does not show.
 *
 * For every stretch of addresses, all regions that could answer there are
 * listed.  The flat view names the one that does:
 *
 *     could answer, strongest first     the view says     so
 *     smram   (i/o, no children)                          smram does not answer: a container
 *     vga     (i/o, no children)        vga               vga answers: a device region
 *     pci     (i/o, has children)                         nothing: it would be hidden here anyway
 *
 * The same comparison tells the newer of two siblings of equal priority, and
 * RAM that the view calls rom must have something read-only on the way to it.
 * What stays open gets a default: with children a container, without a device.
 *
 * This is evidence of a few bits, not a rendering: a core that renders wrongly
 * is found because no choice of these bits explains the whole view.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "import/mtree.h"

#include <stdlib.h>
#include <string.h>

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
    int up;                     /* index of the way to what contains or aliases it, IMPORT_NONE for the root */
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

static position end_of(position base, uint64_t size)
{
    return base + (size == UINT64_MAX ? (position)1 << 64 : (position)size);
}

static bool could_answer(const struct import_region *r)
{
    return r->target == IMPORT_NONE && (r->kind != IMPORT_IO || r->proved_terminating != IMPORT_NO);
}

static bool surely_answers(const struct import_region *r)
{
    return r->target == IMPORT_NONE && (r->kind != IMPORT_IO || r->proved_terminating == IMPORT_YES);
}

static void prove_terminating(struct evidence *e, int region, enum import_answer answer)
{
    struct import_region *r = &e->im->regions[region];

    if (r->target == IMPORT_NONE && r->kind == IMPORT_IO && r->proved_terminating == IMPORT_UNKNOWN) {
        r->proved_terminating = answer;
    }
}

/* Closed windows of bridges are aliases without bytes, so that is what is believed of them. */
static uint64_t believed_size(const struct evidence *e, const struct import_region *r)
{
    bool empty = r->maybe_empty && (r->proved_empty == IMPORT_YES ||
                                    (r->proved_empty == IMPORT_UNKNOWN && e->last_pass));

    return empty ? 0 : r->size;
}

/* --- who could answer --------------------------------------------------------- */

static void list_candidates(struct evidence *e, int region, position base, position first, position end, int up)
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
        list_candidates(e, r->target, base - r->alias_offset, first, end, way);
        return;
    }
    for (size_t i = 0; i < r->child_count; i++) {
        list_candidates(e, r->children[i], base + e->regions[r->children[i]].address, first, end, way);
    }
    if (could_answer(r)) {
        e->candidates = import_grow(e->candidates, e->candidate_count, &e->candidate_capacity,
                                    sizeof(*e->candidates));
        e->candidates[e->candidate_count++] = (struct candidate){ first, end, base, way };
    }
}

enum relation { BEFORE, AFTER, TIE };

/*
 * Does x win over y where both could answer?  *ancestor is where the two ways part.  For a TIE, the
 * two siblings of equal priority; at equal addresses the text tells which is newer (R-MT-7).
 */
static enum relation compare_ways(const struct evidence *e, int x, int y, int *ancestor, int *sibling_x,
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

static bool wins(const struct evidence *e, int x, int y)
{
    int ancestor, p, q;
    enum relation relation = compare_ways(e, x, y, &ancestor, &p, &q);

    return relation == BEFORE || (relation == TIE && e->rank[p] < e->rank[q]);
}

/* --- what one stretch of addresses shows ----------------------------------------- */

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

/* `front` becomes the sibling directly before `back`. */
static void move_before(struct evidence *e, int front, int back)
{
    struct import_region *container = &e->im->regions[e->regions[front].container];
    int to = e->rank[back], from = e->rank[front];

    if (from < to) {
        return;
    }
    memmove(&container->children[to + 1], &container->children[to], (size_t)(from - to) * sizeof(int));
    container->children[to] = front;
    for (int i = to; i <= from; i++) {
        e->rank[container->children[i]] = i;
    }
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
        import_note(e->im, e->regions[best].line, "'%s' is taken to be read-only: a flat view shows rom (line %u)",
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
        switch (compare_ways(e, way, best, &ancestor, &strong, &weak)) {
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
static void sweep(struct evidence *e, const struct import_view *v)
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

/* --- views ------------------------------------------------------------------------ */

/* The next region on the way of the collapse (R-FV-9), or IMPORT_NONE; *empty: nothing is inside and maybe never was. */
static int collapse_step(struct evidence *e, const struct import_region *r, bool *empty)
{
    size_t enabled = 0;
    int only = IMPORT_NONE;

    *empty = false;
    if (r->target != IMPORT_NONE) {
        return r->alias_offset == 0 && r->size >= e->regions[r->target].size ? r->target : IMPORT_NONE;
    }
    if (surely_answers(r)) {
        return IMPORT_NONE;
    }
    e->work += r->child_count;
    for (size_t i = 0; i < r->child_count; i++) {
        if (e->regions[r->children[i]].enabled) {
            only = r->children[i];
            enabled++;
        }
    }
    *empty = enabled == 0;
    return enabled == 1 && e->regions[only].address == 0 && e->regions[only].size <= r->size ? only : IMPORT_NONE;
}

/*
 * Follows the collapse from a space's root to the region that the view says it
 * ends at.  Ending early proves a device region there; no root at all proves an
 * empty container.  Returns the view's root; *fits tells whether the text agrees.
 */
static int find_view_root(struct evidence *e, int region, const struct import_view *v, bool *fits)
{
    int best = IMPORT_NONE, last = IMPORT_NONE, empty_region = IMPORT_NONE;
    bool empty = false;

    for (size_t steps = 0; steps <= e->im->region_count && region != IMPORT_NONE; steps++) {
        if (!e->regions[region].enabled) {
            last = IMPORT_NONE;
            break;
        }
        if (v->root && strcmp(import_shown_name(e->regions[region].name), v->root) == 0) {
            best = region;
        }
        last = region;
        region = collapse_step(e, &e->regions[last], &empty);
        if (empty) {
            empty_region = last;
            last = IMPORT_NONE;
        }
    }
    if (!v->root) {
        *fits = last == IMPORT_NONE;
        if (*fits && empty_region != IMPORT_NONE) {
            prove_terminating(e, empty_region, IMPORT_NO);
        }
        return IMPORT_NONE;
    }
    *fits = best != IMPORT_NONE && (best == last || e->regions[best].target == IMPORT_NONE);
    if (*fits && best != last) {
        prove_terminating(e, best, IMPORT_YES);
    }
    return best;
}

static size_t count_spaces(const struct import *im, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < im->space_count; i++) {
        count += strcmp(im->spaces[i].name, name) == 0;
    }
    return count;
}

static size_t count_in_view(const struct import_view *v, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < v->space_count; i++) {
        count += strcmp(v->spaces[i], name) == 0;
    }
    return count;
}

/* The spaces of a view are known by name only: where one name is in several views, they prove nothing. */
static void study_view(struct evidence *e, const struct import_view *v)
{
    int root = IMPORT_NONE;
    bool fits;

    for (size_t i = 0; i < e->im->space_count; i++) {
        const struct import_space *s = &e->im->spaces[i];
        size_t here = count_in_view(v, s->name);

        e->work += v->space_count;
        if (here && here == count_spaces(e->im, s->name)) {
            int found = find_view_root(e, s->root, v, &fits);

            root = fits && root == IMPORT_NONE ? found : root;
        }
        e->work += here * e->im->space_count;
        if (e->work > WORK_MAX) {
            e->gave_up = true;
            return;
        }
    }
    if (root == IMPORT_NONE) {
        return;
    }
    e->way_count = 0;
    e->candidate_count = 0;
    /* R-FV-10b: QEMU's view is shifted by the address that its root has in some container. */
    list_candidates(e, root, e->regions[root].address, 0, (position)1 << 64, IMPORT_NONE);
    sweep(e, v);
}

/* --- what an earlier text proved ----------------------------------------------------- */

static const char *name_of(const struct import *im, int region)
{
    return region == IMPORT_NONE ? "" : import_shown_name(im->regions[region].name);
}

/* Regions of two texts are taken for the same if these agree; addresses change. */
static int compare_keys(const struct import *p, const struct import_region *x, const struct import *q,
                        const struct import_region *y)
{
    int order = strcmp(import_shown_name(x->name), import_shown_name(y->name));

    order = order ? order : strcmp(name_of(p, x->container), name_of(q, y->container));
    order = order ? order : strcmp(name_of(p, x->target), name_of(q, y->target));
    return order ? order : (x->target != IMPORT_NONE) - (y->target != IMPORT_NONE);
}

static int compare_indexes(const void *x, const void *y, void *import)
{
    const struct import *im = import;
    int i = *(const int *)x, j = *(const int *)y;
    int order = compare_keys(im, &im->regions[i], im, &im->regions[j]);

    return order ? order : (i > j) - (i < j);
}

static int *sort_by_key(const struct import *im)
{
    int *sorted = import_calloc(im->region_count, sizeof(*sorted));

    for (size_t i = 0; i < im->region_count; i++) {
        sorted[i] = (int)i;
    }
    qsort_r(sorted, im->region_count, sizeof(*sorted), compare_indexes, (void *)im);
    return sorted;
}

static void combine(enum import_answer *answer, enum import_answer other, bool first)
{
    *answer = first || *answer == other ? other : IMPORT_UNKNOWN;
}

/* Several regions of one key pass on only what was proved alike of all of them. */
static void recall(struct evidence *e, const struct import *earlier)
{
    int *old = sort_by_key(earlier), *new = sort_by_key(e->im);
    size_t next = 0;

    for (size_t i = 0; i < e->im->region_count; i++) {
        struct import_region *r = &e->im->regions[new[i]];

        while (next < earlier->region_count &&
               compare_keys(earlier, &earlier->regions[old[next]], e->im, r) < 0) {
            next++;
        }
        for (size_t k = next; k < earlier->region_count &&
             compare_keys(earlier, &earlier->regions[old[k]], e->im, r) == 0; k++) {
            combine(&r->proved_terminating, earlier->regions[old[k]].proved_terminating, k == next);
            combine(&r->proved_readonly, earlier->regions[old[k]].proved_readonly, k == next);
        }
        e->known_before[new[i]] = r->proved_terminating != IMPORT_UNKNOWN;
    }
    free(old);
    free(new);
}

/* --- conclusions --------------------------------------------------------------------- */

static void conclude(struct evidence *e)
{
    size_t unseen = 0;

    for (size_t i = 0; i < e->im->region_count; i++) {
        struct import_region *r = &e->im->regions[i];
        const char *name = import_shown_name(r->name);

        r->readonly |= r->proved_readonly == IMPORT_YES;
        if (r->maybe_empty && r->proved_empty != IMPORT_NO) {
            r->size = 0;
            import_note(e->im, r->line, "alias '%s' has no bytes or one, which prints alike: taken to be empty", name);
        }
        if (r->target != IMPORT_NONE || r->kind != IMPORT_IO || r->line == 0) {
            continue;
        }
        r->terminating = r->proved_terminating == IMPORT_YES ||
                         (r->proved_terminating == IMPORT_UNKNOWN && !r->child_count);
        if (e->known_before[i]) {
            continue;
        }
        if (r->child_count && r->proved_terminating == IMPORT_YES) {
            import_note(e->im, r->line, "'%s' has children, but a flat view shows it: a device region", name);
        } else if (r->child_count) {
            import_note(e->im, r->line, r->proved_terminating == IMPORT_NO
                        ? "'%s' has children and no flat view shows it: a container"
                        : "'%s' has children, taken as a container", name);
        } else if (r->proved_terminating == IMPORT_NO) {
            import_note(e->im, r->line, "'%s' is not in the flat views where it would answer: an empty container",
                        name);
        } else if (r->proved_terminating == IMPORT_UNKNOWN) {
            unseen++;
        }
    }
    if (unseen) {
        import_note(e->im, 0, "%zu i/o regions without children are in no flat view, taken as device regions",
                    unseen);
    }
}

static int compare_addresses(const void *x, const void *y, void *regions)
{
    const struct import_region *r = regions;
    int i = *(const int *)x, j = *(const int *)y;

    return r[i].address != r[j].address ? (r[i].address < r[j].address ? -1 : 1) : (i > j) - (i < j);
}

/* Lines of equal address are in sibling order (R-MT-7); the order of others matters where they overlap. */
static void note_overlaps(struct evidence *e, const struct import_region *container)
{
    size_t count = container->child_count;
    int *sorted = import_calloc(count, sizeof(*sorted));

    for (size_t i = 0; i < count; i++) {
        sorted[i] = container->children[i];
    }
    qsort_r(sorted, count, sizeof(*sorted), compare_addresses, e->im->regions);
    for (size_t i = 0; i < count; i++) {
        const struct import_region *low = &e->regions[sorted[i]];

        for (size_t k = i + 1; k < count && e->im->notes_left_out == 0; k++) {
            const struct import_region *high = &e->regions[sorted[k]];
            bool low_wins = e->rank[sorted[i]] < e->rank[sorted[k]];

            if ((position)high->address >= end_of(low->address, low->size)) {
                break;
            }
            e->gave_up |= ++e->work > WORK_MAX;
            if (e->gave_up) {
                break;
            }
            if (high->address != low->address && high->priority == low->priority && high->enabled && low->enabled) {
                import_note(e->im, high->line, "'%s' and '%s' (line %u) overlap at equal priority; the %s taken as "
                            "the newer", import_shown_name(high->name), import_shown_name(low->name), low->line,
                            low_wins ? "latter" : "former");
            }
        }
    }
    free(sorted);
}

static void rank_siblings(struct evidence *e)
{
    for (size_t i = 0; i < e->im->region_count; i++) {
        for (size_t k = 0; k < e->regions[i].child_count; k++) {
            e->rank[e->regions[i].children[k]] = (int)k;
        }
    }
}

void import_explain(struct import *im, const struct import *earlier)
{
    struct evidence e = { .im = im, .regions = im->regions };

    e.rank = import_calloc(im->region_count, sizeof(*e.rank));
    e.known_before = import_calloc(im->region_count, sizeof(*e.known_before));
    rank_siblings(&e);
    if (earlier) {
        recall(&e, earlier);
    }
    /* The order found for one pair can undo that of another: repeat until nothing moves. */
    for (int pass = 0; pass < PASSES_MAX && !e.gave_up && !e.last_pass; pass++) {
        e.last_pass = pass > 0 && (!e.moved || pass == PASSES_MAX - 1);
        e.moved = false;
        for (size_t i = 0; i < im->view_count && !e.gave_up; i++) {
            study_view(&e, &im->views[i]);
        }
    }
    if (e.gave_up) {
        import_note(im, 0, "too many ways to the same addresses: not everything in the flat views was weighed");
    }
    conclude(&e);
    for (size_t i = 0; i < im->region_count; i++) {
        note_overlaps(&e, &im->regions[i]);
    }
    free(e.known_before);
    free(e.rank);
    free(e.active);
    free(e.bounds);
    free(e.candidates);
    free(e.ways);
}
