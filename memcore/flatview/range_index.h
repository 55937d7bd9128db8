/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where to look in a sorted array of ranges.  The addresses it covers are cut
 * into equal buckets, about two for each range; a bucket knows the first range
 * that does not end below it:
 *
 *   ranges     aaaaaa  bbb ccccccc           dd e
 *   buckets   |     |     |     |     |     |     |
 *   first      a     a     b     c     d     d     -
 *
 * Where ranges are spread evenly an address is found at once.  Where they
 * crowd, as devices do between gigabytes of RAM, a bucket is cut into finer
 * buckets of its own, and those again, a few times; then the rest is a binary
 * search.  All is written without branches that depend on the address within a
 * bucket: addresses that jump about would be mispredicted in every step, at
 * three times the cost.
 */
#ifndef MEMCORE_FLATVIEW_RANGE_INDEX_H
#define MEMCORE_FLATVIEW_RANGE_INDEX_H

#include "exec/memory.h"

/* One range.  `last` is its last address: an end of 2^64 would not fit. */
struct FlatRange {
    hwaddr start;
    hwaddr last;
    hwaddr offset;              /* in mr, of the byte at start */
    MemoryRegion *mr;
    uint8_t *host;              /* the byte at start, if all of it is RAM or ROM with memory; else NULL */
    bool readonly;              /* or of anything on the path to mr (R-FV-1) */
    bool nonvolatile;
    bool romd_mode;             /* of mr, when the view was built; likewise the mask (R-FV-8) */
    uint8_t dirty_log_mask;
    uint8_t quick;              /* enum flat_range_quick */
};

/* What needs no look at the region, because it never changes: where an access to the range goes. */
enum flat_range_quick {
    FLAT_RANGE_OTHER,           /* ask the region */
    FLAT_RANGE_DEVICE,          /* callbacks or nothing: what is there has no length (R-TRN-3); also the sentinel */
    FLAT_RANGE_MEMORY,          /* has `host` */
};

/* The ranges [low, high), by buckets from `start` on. */
typedef struct {
    hwaddr start;               /* a multiple of a bucket's size: what is below it counts as beyond the last bucket */
    unsigned shift;             /* log2 of that size */
    uint32_t buckets;           /* 0: none, to be searched */
    uint32_t low, high;
    const uint32_t *first;      /* an entry a bucket: its first range, or RANGE_INDEX_NESTED and which of `nested` */
} RangeBuckets;

typedef struct {
    RangeBuckets all;
    RangeBuckets *nested;       /* the index's own, entries included; NULL: no bucket is crowded */
} RangeIndex;

enum {
    RANGE_INDEX_STEPS = 2,      /* so many ranges may end in a bucket that has no finer ones */
};
#define RANGE_INDEX_NESTED (UINT32_C(1) << 31)

/* How many entries `first` needs for so many ranges, at most. */
size_t range_index_entries(size_t count);

/*
 * `first` has at least that many, and outlives the index.  Behind the ranges
 * is one more, a sentinel whose last is the highest address.
 */
void range_index_build(RangeIndex *index, uint32_t *first, const FlatRange *ranges, size_t count);
void range_index_destroy(RangeIndex *index);

/*
 * The one walk.  Down to the buckets that know more about `address`, which are *in, and the entry it has there;
 * RANGE_INDEX_NESTED: none, it lies outside of their span, or they are to be searched.
 */
static inline uint32_t range_index_entry(const RangeIndex *index, hwaddr address, const RangeBuckets **in)
{
    for (*in = &index->all;;) {
        const hwaddr bucket = (address - (*in)->start) >> (*in)->shift;
        uint32_t entry;

        if (__builtin_expect(bucket >= (*in)->buckets, 0)) {
            return RANGE_INDEX_NESTED;
        }
        entry = (*in)->first[bucket];
        if (!(entry & RANGE_INDEX_NESTED)) {
            return entry;
        }
        *in = &index->nested[entry & ~RANGE_INDEX_NESTED];
    }
}

/*
 * From the range of an entry to the lowest one whose last byte is not below `address`.  A sum, because compilers turn
 * steps from range to range into branches.
 */
static inline const FlatRange *range_index_step(const FlatRange *range, hwaddr address)
{
    size_t below = 0;

    for (int step = 0; step < RANGE_INDEX_STEPS; step++) {
        below += range[step].last < address;
    }
    return range + below;
}

/* The lowest range whose last byte is not below `address`; their number: none. */
size_t range_index_seek(const RangeIndex *index, const FlatRange *ranges, hwaddr address);

#endif
