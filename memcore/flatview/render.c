/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a tree to runs.
 *
 * What a region shows is its subregions one over the other, and itself, if it
 * answers accesses, behind them all:
 *
 *   child 1 (front)        ====                        ====
 *   child 2            ------------    =>    ....------====--..........
 *   itself         ....................
 *
 * "over" is associative, so neighbours in sibling order may be combined in any
 * grouping.  They are combined like the digits of a binary counter: two lists
 * of equal rank make one of the next rank.  So no run takes part in more
 * combinations than the number of siblings has bits.
 */
#include "flatview/render.h"

#include <glib.h>
#include <string.h>

#include "region/region.h"

/* A list waiting for the next ones of its siblings. */
typedef struct {
    RunList runs;
    unsigned rank;              /* 2^rank siblings are combined in it */
} Pending;

/* Enough for whole machines; a checking build has few, so that small trees outgrow them. */
#ifdef MEMCORE_VERIFY
enum { PENDING_OWN = 4 };
#else
enum { PENDING_OWN = 48 };
#endif

typedef struct {
    RunPool *pool;
    Pending *pending;           /* front siblings first; of all regions under way, the innermost last */
    size_t pending_count;
    size_t pending_capacity;
    Pending own[PENDING_OWN];
} Renderer;

/* Where a region lies, and what may be seen of it: exact, so a base may be negative and an end 2^64. */
typedef struct {
    Int128 base;                /* address of byte 0 */
    Int128 start, end;          /* nothing outside is visible */
    bool readonly;
    bool nonvolatile;
} Place;

static Pending *pending_slot(Renderer *r)
{
    if (r->pending_count == r->pending_capacity) {
        r->pending_capacity *= 2;
        if (r->pending == r->own) {
            r->pending = g_new(Pending, r->pending_capacity);
            memcpy(r->pending, r->own, sizeof(r->own));
        } else {
            r->pending = g_renew(Pending, r->pending, r->pending_capacity);
        }
    }
    return &r->pending[r->pending_count++];
}

static RunList take_last(Renderer *r)
{
    return r->pending[--r->pending_count].runs;
}

/* Adds what the next sibling shows; `bottom` is where the pending lists of this family begin. */
static void push_behind(Renderer *r, size_t bottom, RunList runs)
{
    unsigned rank = 0;

    if (!runs.first) {
        return;
    }
    while (r->pending_count > bottom && r->pending[r->pending_count - 1].rank == rank) {
        runs = run_list_over(r->pool, take_last(r), runs);
        rank++;
    }
    *pending_slot(r) = (Pending) { .runs = runs, .rank = rank };
}

static RunList combine_all(Renderer *r, size_t bottom)
{
    RunList runs = { NULL, NULL };

    while (r->pending_count > bottom) {
        runs = run_list_over(r->pool, take_last(r), runs);
    }
    return runs;
}

static RunList whole_place(Renderer *r, MemoryRegion *mr, const Place *place)
{
    Run *run = run_new(r->pool);

    run->mr = mr;
    run->start = (hwaddr)place->start;
    run->last = (hwaddr)(place->end - 1);
    run->offset = (hwaddr)(place->start - place->base);
    run->readonly = place->readonly;
    run->nonvolatile = place->nonvolatile;
    return run_list_of(run);
}

/* Cuts the place to the region and adds its attributes; false: nothing of it is visible. */
static bool enter(const MemoryRegion *mr, Place *place)
{
    if (!mr->enabled) {
        return false;
    }
    place->start = int128_max(place->start, place->base);
    place->end = int128_min(place->end, place->base + mr->size);
    place->readonly |= mr->readonly;
    place->nonvolatile |= mr->nonvolatile;
    return place->start < place->end;
}

static RunList render_at(Renderer *r, MemoryRegion *mr, Place place)
{
    const size_t bottom = r->pending_count;
    MemoryRegion *child;

    if (!enter(mr, &place)) {
        return (RunList) { NULL, NULL };
    }
    while (mr->alias) {
        place.base -= mr->alias_offset;
        mr = mr->alias;
        if (!enter(mr, &place)) {
            return (RunList) { NULL, NULL };
        }
    }
    REGION_FOREACH_CHILD(child, mr) {
        Place inside = place;

        inside.base += child->addr;
        push_behind(r, bottom, render_at(r, child, inside));
    }
    if (mr->terminates) {
        if (r->pending_count == bottom) {
            return whole_place(r, mr, &place);
        }
        push_behind(r, bottom, whole_place(r, mr, &place));
    }
    return combine_all(r, bottom);
}

RunList render(RunPool *pool, MemoryRegion *root, hwaddr base)
{
    const Place everywhere = { .base = base, .start = 0, .end = int128_2_64() };
    Renderer r;
    RunList runs;

    r.pool = pool;
    r.pending = r.own;
    r.pending_count = 0;
    r.pending_capacity = G_N_ELEMENTS(r.own);
    runs = render_at(&r, root, everywhere);
    memcore_assert(r.pending_count == 0);
    if (r.pending != r.own) {
        g_free(r.pending);
    }
    return runs;
}
