/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The view of an address space: which bytes of which region answer at which
 * address.  Immutable once built; what it looks like inside is known to
 * flatview/ alone, and here only so that finding can be inline.
 *
 * A view is counted.  When the last reference goes, it waits for a grace
 * period and then drops what it holds: one reference to the owner of its
 * root, and one to the owner of each range's region (R-OBJ-6).
 */
#ifndef MEMCORE_FLATVIEW_FLATVIEW_H
#define MEMCORE_FLATVIEW_FLATVIEW_H

#include "base/misuse.h"
#include "exec/memory.h"
#include "flatview/range_index.h"

/* Same addresses of the same bytes, seen in the same way; the dirty mask is not part of it (R-LST-8). */
bool flat_range_identical(const FlatRange *left, const FlatRange *right);

static inline Int128 flat_range_size(const FlatRange *range)
{
    return (Int128)range->last - range->start + 1;
}

static inline bool flat_range_has(const FlatRange *range, hwaddr address)
{
    return address - range->start <= range->last - range->start;
}

/* Where byte 0 of the region would lie: may be negative. */
static inline Int128 flat_range_shift(const FlatRange *range)
{
    return (Int128)range->start - range->offset;
}

/*
 * The collapsed root D of an address space rooted at `root` (R-FV-9, R-FV-10):
 * views are built from it.  NULL: nothing can be visible.  *base is the
 * address of D's byte 0.
 */
MemoryRegion *flatview_collapse(MemoryRegion *root, hwaddr *base);

/*
 * Renders the tree below `root`, whose byte 0 lies at `base`; NULL gives the
 * permanent empty view (R-FV-12).  The caller gets a reference.
 */
FlatView *flatview_build(MemoryRegion *root, hwaddr base);

MemoryRegion *flatview_root(const FlatView *view);
hwaddr flatview_base(const FlatView *view);

/* Any thread.  try_ref fails if the last reference is gone, which a reader under RCU can meet. */
void flatview_ref(FlatView *view);
bool flatview_try_ref(FlatView *view);
void flatview_unref(FlatView *view);

/* A reference to the published view of a space; any thread. */
FlatView *flatview_get(AddressSpace *as);

struct FlatView {
    const FlatRange *recent;    /* what was found last, atomic; NULL: nothing yet (R-LKP-1) */
    const FlatRange *recent_memory;     /* likewise, FLAT_RANGE_MEMORY; never NULL: nothing yet is without bytes */
    RangeIndex index;
    const FlatRange *hole;      /* the sentinel behind the ranges */
    size_t count;
    struct rcu_head rcu;
    unsigned references;        /* atomic; 0: waits for its grace period */
    MemoryRegion *root;         /* NULL: the permanent empty view */
    hwaddr base;
#ifdef MEMCORE_VERIFY
    uint64_t digest;            /* of the ranges when the view was built */
#endif
    FlatRange ranges[];         /* and behind them a sentinel, and the entries of the index */
};

/* The range found last, if `address` lies in it; else NULL, which says nothing. */
static inline const FlatRange *flatview_recent(FlatView *view, hwaddr address)
{
    const FlatRange *range = __atomic_load_n(&view->recent, __ATOMIC_RELAXED);

    return range && flat_range_has(range, address) ? range : NULL;
}

/* The part of flatview_find() that searches. */
const FlatRange *flatview_search(FlatView *view, hwaddr address);

/*
 * The range that `address` lies in; NULL: a hole.  Under RCU or with a
 * reference, any thread.  Finding the same range again is the fast case.
 */
static inline const FlatRange *flatview_find(FlatView *view, hwaddr address)
{
    const FlatRange *range = flatview_recent(view, address);

    return range ? range : flatview_search(view, address);
}

/*
 * Where the index leads without a search: *range is the one that `address`
 * lies in; in a hole the sentinel, a device that nobody answers for.  False:
 * nowhere.
 */
static inline bool flatview_indexed(const FlatView *view, hwaddr address, const FlatRange **range)
{
    const RangeBuckets *in;
    const uint32_t entry = range_index_entry(&view->index, address, &in);
    const FlatRange *hole = view->hole, *found;

    if (__builtin_expect(entry & RANGE_INDEX_NESTED, 0)) {
        return false;
    }
    found = range_index_step(&view->ranges[entry], address);
    *range = address < found->start ? hole : found;
    return true;
}

/*
 * The same for those who are quick with what is quick, device or memory; NULL:
 * ask flatview_find().  Of what was found last it remembers memory: a pointer
 * that went from one of many devices to the next would be mispredicted each
 * time, and threads would take its cache line from each other.
 */
static inline const FlatRange *flatview_quick(FlatView *view, hwaddr address)
{
    const FlatRange *range = __atomic_load_n(&view->recent_memory, __ATOMIC_RELAXED);

    if (address >= range->start && address <= range->last) {
        return range;
    }
    if (!flatview_indexed(view, address, &range)) {
        return NULL;
    }
    if (range->quick == FLAT_RANGE_DEVICE) {
        return range;
    }
    if (range->quick == FLAT_RANGE_OTHER) {
        return NULL;
    }
    __atomic_store_n(&view->recent_memory, range, __ATOMIC_RELAXED);
    return range;
}

/* --- walking ----------------------------------------------------------------- */

/* Where a walk stands; the ranges it gives live as long as the view. */
typedef struct {
    const FlatView *view;       /* private */
    size_t next;
} FlatCursor;

/* The lowest range whose last byte is not below `address`; NULL: none.  O(log n). */
const FlatRange *flatview_seek(FlatCursor *cursor, const FlatView *view, hwaddr address);
/* The next one up. */
const FlatRange *flatview_next(FlatCursor *cursor);

#define FLATVIEW_FOREACH_FROM(range, cursor, view, address) \
    for (range = flatview_seek(cursor, view, address); range; range = flatview_next(cursor))
#define FLATVIEW_FOREACH(range, cursor, view) FLATVIEW_FOREACH_FROM(range, cursor, view, 0)

size_t flatview_count(const FlatView *view);

/* The range as listeners see it, with `view` as its fv. */
MemoryRegionSection flatview_section(FlatView *view, const FlatRange *range);

#ifdef MEMCORE_VERIFY
/* I-2: ascending, disjoint, inside their regions, maximal; and not changed since the view was built. */
void flatview_verify(const FlatView *view);
#else
static inline void flatview_verify(const FlatView *view)
{
    (void)view;
}
#endif

#endif
