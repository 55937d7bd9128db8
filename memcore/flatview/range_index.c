/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/misuse.h"
#include "flatview/range_index.h"

/* Below this a search has three steps, and buckets would not pay. */
enum { RANGES_WORTH_BUCKETS = 8, BUCKETS_PER_RANGE = 2 };

size_t range_index_entries(size_t count)
{
    return count < RANGES_WORTH_BUCKETS ? 0 : BUCKETS_PER_RANGE * count + 1;
}

void range_index_build(RangeIndex *index, uint32_t *first, const FlatRange *ranges, size_t count)
{
    hwaddr span;
    size_t next = 0;

    *index = (RangeIndex) { .first = first };
    if (range_index_entries(count) == 0) {
        return;
    }
    memcore_assert(count < UINT32_MAX);
    index->start = ranges[0].start;
    span = ranges[count - 1].last - index->start;
    while (span >> index->shift >= BUCKETS_PER_RANGE * count) {
        index->shift++;
    }
    index->buckets = (uint32_t)(span >> index->shift) + 1;
    for (uint32_t bucket = 0; bucket < index->buckets; bucket++) {
        const hwaddr start = index->start + ((hwaddr)bucket << index->shift);

        while (ranges[next].last < start) {
            next++;     /* stays in the array: the last bucket begins within the span */
        }
        first[bucket] = (uint32_t)next;
    }
    first[index->buckets] = (uint32_t)count;    /* for addresses behind the last range */
}
