/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <string.h>

#include "base/misuse.h"
#include "flatview/range_index.h"

enum {
    BUCKETS_PER_RANGE = 2,
    NESTED_PER_RANGE = 4,       /* it is for them that addresses come here often */
    LEVELS_MAX = 4,
};

size_t range_index_entries(size_t count)
{
    return BUCKETS_PER_RANGE * count;
}

/*
 * From `start`, or a little below it, to the last byte of the last range, in at most `most` buckets.  Their edges are
 * multiples of their size, as those of most ranges are: the smaller the buckets, the more of them lie in one range.
 */
static void cut(RangeBuckets *in, const FlatRange *ranges, hwaddr start, size_t most)
{
    const hwaddr last = ranges[in->high - 1].last;

    while ((last >> in->shift) - (start >> in->shift) >= most) {
        in->shift++;
    }
    in->start = start >> in->shift << in->shift;
    in->buckets = (uint32_t)((last - in->start) >> in->shift) + 1;
}

static hwaddr bucket_start(const RangeBuckets *in, uint32_t bucket)
{
    return in->start + ((hwaddr)bucket << in->shift);
}

static void fill(const RangeBuckets *in, const FlatRange *ranges, uint32_t *first)
{
    uint32_t next = in->low;

    for (uint32_t bucket = 0; bucket < in->buckets; bucket++) {
        const hwaddr start = bucket_start(in, bucket);

        while (ranges[next].last < start) {
            next++;     /* stays below `high`: the last bucket begins within the span */
        }
        first[bucket] = next;
    }
}

/* While it is being built: both arrays may still move, so entries are counted from their start. */
typedef struct {
    GArray *nested, *entries;
} Builder;

/* Buckets in which too many ranges end get buckets of their own, appended to those that are still to be filled. */
static void nest(Builder *b, const RangeBuckets *in, const FlatRange *ranges, uint32_t *first)
{
    for (uint32_t bucket = 0; bucket < in->buckets; bucket++) {
        const uint32_t low = first[bucket], high = bucket + 1 < in->buckets ? first[bucket + 1] : in->high;
        const hwaddr start = bucket_start(in, bucket);
        RangeBuckets finer = { .low = low, .high = high };

        if (high - low <= RANGE_INDEX_STEPS) {
            continue;
        }
        if (!b->nested) {
            b->nested = g_array_new(FALSE, FALSE, sizeof(RangeBuckets));
            b->entries = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        }
        first[bucket] = RANGE_INDEX_NESTED | b->nested->len;
        cut(&finer, ranges, ranges[low].start > start ? ranges[low].start : start,
            (size_t)NESTED_PER_RANGE * (high - low));
        g_array_append_val(b->nested, finer);
    }
}

/* Level by level: those of one lie behind those of the level above. */
static void fill_nested(Builder *b, const FlatRange *ranges)
{
    size_t done = 0;

    for (unsigned level = 1; done < b->nested->len; level++) {
        const size_t end = b->nested->len;

        for (; done < end; done++) {
            RangeBuckets in = g_array_index(b->nested, RangeBuckets, done);
            const size_t at = b->entries->len;
            uint32_t *first;

            if (level == LEVELS_MAX) {
                g_array_index(b->nested, RangeBuckets, done).buckets = 0;
                continue;
            }
            g_array_set_size(b->entries, (guint)(at + in.buckets));
            first = &g_array_index(b->entries, uint32_t, at);
            fill(&in, ranges, first);
            nest(b, &in, ranges, first);        /* which may move what `in` is a copy of, but not the entries */
        }
    }
}

/* In one piece of memory. */
static void finish(RangeIndex *index, Builder *b)
{
    const size_t nodes = b->nested->len * sizeof(RangeBuckets);
    uint32_t *entries;

    index->nested = g_malloc(nodes + b->entries->len * sizeof(uint32_t));
    entries = (uint32_t *)(void *)((char *)index->nested + nodes);
    memcpy(index->nested, b->nested->data, nodes);
    memcpy(entries, b->entries->data, b->entries->len * sizeof(uint32_t));
    for (guint i = 0; i < b->nested->len; i++) {
        index->nested[i].first = entries;
        entries += index->nested[i].buckets;
    }
    g_array_free(b->nested, TRUE);
    g_array_free(b->entries, TRUE);
}

void range_index_build(RangeIndex *index, uint32_t *first, const FlatRange *ranges, size_t count)
{
    Builder builder = { .nested = NULL };

    memcore_assert(count < RANGE_INDEX_NESTED);
    *index = (RangeIndex) { .all = { .high = (uint32_t)count, .first = first } };
    if (count == 0) {
        return;
    }
    cut(&index->all, ranges, ranges[0].start, BUCKETS_PER_RANGE * count);
    fill(&index->all, ranges, first);
    nest(&builder, &index->all, ranges, first);
    if (builder.nested) {
        fill_nested(&builder, ranges);
        finish(index, &builder);
    }
}

void range_index_destroy(RangeIndex *index)
{
    g_free(index->nested);
}

/* The lowest of ranges[low] to ranges[high - 1] whose last byte is not below `address`; high: none. */
static size_t range_search(const FlatRange *ranges, size_t low, size_t high, hwaddr address)
{
    size_t left = high - low;

    while (left > 0) {
        const size_t half = (left + 1) / 2;

        low += half & -(size_t)(ranges[low + half - 1].last < address);
        left -= half;
    }
    return low;
}

/* The same where range_index_entry() knows nothing. */
static size_t seek_outside(const RangeBuckets *in, const FlatRange *ranges, hwaddr address)
{
    if (in->buckets == 0) {
        return range_search(ranges, in->low, in->high, address);
    }
    return address < in->start ? in->low : in->high;
}

size_t range_index_seek(const RangeIndex *index, const FlatRange *ranges, hwaddr address)
{
    const RangeBuckets *in;
    const uint32_t entry = range_index_entry(index, address, &in);

    if (__builtin_expect(entry & RANGE_INDEX_NESTED, 0)) {
        return seek_outside(in, ranges, address);
    }
    return (size_t)(range_index_step(&ranges[entry], address) - ranges);
}
