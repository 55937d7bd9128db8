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
 * Where ranges are spread evenly an address is found at once; where they
 * crowd, the rest is a binary search in one bucket.  Both are written without
 * branches that depend on the address: addresses that jump about would be
 * mispredicted in every step, at three times the cost.
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
};

typedef struct {
    hwaddr start;               /* of bucket 0 */
    unsigned shift;             /* log2 of a bucket's size */
    uint32_t buckets;           /* 0: none, the array is too short to need them */
    uint32_t *first;            /* buckets + 1 entries */
} RangeIndex;

/* How many entries `first` needs for so many ranges, at most. */
size_t range_index_entries(size_t count);

/* `first` has at least that many. */
void range_index_build(RangeIndex *index, uint32_t *first, const FlatRange *ranges, size_t count);

/* The lowest of ranges[low] to ranges[high - 1] whose last byte is not below `address`; high: none. */
static inline size_t range_search(const FlatRange *ranges, size_t low, size_t high, hwaddr address)
{
    size_t left = high - low;

    while (left > 0) {
        const size_t half = (left + 1) / 2;

        low += half & -(size_t)(ranges[low + half - 1].last < address);
        left -= half;
    }
    return low;
}

/* The lowest range whose last byte is not below `address`; count: none. */
static inline size_t range_index_seek(const RangeIndex *index, const FlatRange *ranges, size_t count,
                                      hwaddr address)
{
    const hwaddr bucket = (address - index->start) >> index->shift;
    size_t low, high;

    if (index->buckets == 0) {
        return range_search(ranges, 0, count, address);
    }
    if (address < index->start) {
        return 0;
    }
    if (bucket >= index->buckets) {
        return count;
    }
    low = index->first[bucket];
    high = index->first[bucket + 1];
    if (__builtin_expect(high - low > 1, 0)) {
        return range_search(ranges, low, high, address);
    }
    return low + (ranges[low].last < address);      /* 0 is added where low == high */
}

#endif
