/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The view as a sorted array with an index. */
#include <glib.h>

#include "base/defer.h"
#include "base/state.h"
#include "exec/ramblock.h"
#include "flatview/flatview.h"
#include "flatview/render.h"
#include "region/region.h"

/* Behind the last range: no address is behind it, and for quick code it is what answers in holes (R-LKP-2). */
#define SENTINEL { \
        .start = HWADDR_MAX, .last = HWADDR_MAX, .offset = HWADDR_MAX, .mr = &region_unassigned, \
        .quick = FLAT_RANGE_DEVICE, \
    }

/* Ends before it begins: no address lies in it. */
static const FlatRange no_memory = { .start = 1, .last = 0 };

static FlatView empty_view = {
    .references = 1, .recent_memory = &no_memory, .hole = empty_view.ranges, .ranges = { SENTINEL },
};

bool flat_range_identical(const FlatRange *left, const FlatRange *right)
{
    return left->start == right->start && left->last == right->last && left->mr == right->mr &&
           left->offset == right->offset && left->romd_mode == right->romd_mode &&
           left->readonly == right->readonly && left->nonvolatile == right->nonvolatile;
}

#ifdef MEMCORE_VERIFY
static uint64_t digest(const FlatView *view)
{
    uint64_t sum = view->count;

    for (size_t i = 0; i < view->count; i++) {
        const FlatRange *range = &view->ranges[i];
        const uint64_t words[] = {
            range->start, range->last, range->offset, (uintptr_t)range->mr,
            (uint64_t)range->readonly | (uint64_t)range->nonvolatile << 8 | (uint64_t)range->romd_mode << 16 |
            (uint64_t)range->dirty_log_mask << 24,
        };

        for (size_t k = 0; k < G_N_ELEMENTS(words); k++) {
            sum = (sum ^ words[k]) * 0x100000001b3;
        }
    }
    return sum;
}

static bool joinable(const FlatRange *low, const FlatRange *high)
{
    return low->last + 1 == high->start && low->mr == high->mr &&
           flat_range_shift(low) == flat_range_shift(high) && low->readonly == high->readonly &&
           low->nonvolatile == high->nonvolatile && low->romd_mode == high->romd_mode &&
           low->dirty_log_mask == high->dirty_log_mask;
}

/* The index may not know. */
static bool indexed(const FlatView *view, hwaddr address, const FlatRange *range)
{
    const FlatRange *found;

    return !flatview_indexed(view, address, &found) || found == range;
}

void flatview_verify(const FlatView *view)
{
    memcore_verify(view->root || view == &empty_view);
    memcore_verify(view->count == 0 || view->root);
    memcore_verify(view->digest == digest(view) || view == &empty_view);
    for (size_t i = 0; i < view->count; i++) {
        const FlatRange *range = &view->ranges[i];

        memcore_verify(range->start <= range->last);
        memcore_verify(i == 0 || view->ranges[i - 1].last < range->start);
        memcore_verify(i == 0 || !joinable(&view->ranges[i - 1], range));
        memcore_verify(range_index_seek(&view->index, view->ranges, range->start) == i);
        memcore_verify(range_index_seek(&view->index, view->ranges, range->last) == i);
        memcore_verify(indexed(view, range->start, range) && indexed(view, range->last, range));
        if (i == 0 ? range->start > 0 : view->ranges[i - 1].last + 1 < range->start) {
            memcore_verify(range_index_seek(&view->index, view->ranges, range->start - 1) == i);
            memcore_verify(indexed(view, range->start - 1, view->hole));
        }
        memcore_verify(range->last == HWADDR_MAX ||
                       range_index_seek(&view->index, view->ranges, range->last + 1) == i + 1);
    }
}

/* Only when built: a region may change its size afterwards, its kind never. */
static void verify_new(const FlatView *view)
{
    flatview_verify(view);
    for (size_t i = 0; i < view->count; i++) {
        const FlatRange *range = &view->ranges[i];

        memcore_verify(range->mr->terminates && range->mr->enabled);
        memcore_verify(range->offset + flat_range_size(range) <= range->mr->size);
        memcore_verify(range->readonly || !range->mr->readonly);
        memcore_verify(range->nonvolatile || !range->mr->nonvolatile);
    }
}
#endif

/* A region's kind and its block never change; its size may, beyond what the block has (R-TREE-9). */
static uint8_t *host_of(const Run *run)
{
    const RAMBlock *block = run->mr->ram_block;

    if (!run->mr->ram || run->mr->ram_device ||
        (Int128)run->offset + (run->last - run->start) >= block->max_length) {
        return NULL;
    }
    return block->host + run->offset;
}

static enum flat_range_quick quick_of(const FlatRange *range)
{
    const MemoryRegion *mr = range->mr;

    if (range->host) {
        return FLAT_RANGE_MEMORY;
    }
    return mr->ram || mr->rom_device || mr->is_iommu ? FLAT_RANGE_OTHER : FLAT_RANGE_DEVICE;
}

FlatView *flatview_build(MemoryRegion *root, hwaddr base)
{
    RunPool pool;
    RunList runs;
    FlatView *view;
    FlatRange *range;
    size_t count;

    if (!root) {
        flatview_ref(&empty_view);
        return &empty_view;
    }
    run_pool_init(&pool);
    runs = render(&pool, root, base);
    count = run_list_join(&runs);

    view = g_malloc(sizeof(*view) + (count + 1) * sizeof(view->ranges[0]) +
                    range_index_entries(count) * sizeof(uint32_t));
    view->references = 1;
    view->root = root;
    view->base = base;
    view->recent = NULL;
    view->recent_memory = &no_memory;
    view->count = count;
    region_use_in_view(root);
    range = view->ranges;
    for (const Run *run = runs.first; run; run = run->next) {
        *range = (FlatRange) {
            .start = run->start,
            .last = run->last,
            .offset = run->offset,
            .mr = run->mr,
            .host = host_of(run),
            .readonly = run->readonly,
            .nonvolatile = run->nonvolatile,
            .romd_mode = run->mr->romd_mode,
            .dirty_log_mask = memory_region_get_dirty_log_mask(run->mr),
        };
        range->quick = quick_of(range);
        range++;
        region_use_in_view(run->mr);
    }
    run_pool_release(&pool);
    *range = (FlatRange) SENTINEL;
    view->hole = range;
    range_index_build(&view->index, (uint32_t *)(void *)&view->ranges[count + 1], view->ranges, count);
    memcore_count_up(&memcore_state.statistics.flat_views);
#ifdef MEMCORE_VERIFY
    view->digest = digest(view);
    verify_new(view);
#endif
    return view;
}

static void release(struct rcu_head *head)
{
    FlatView *view = caa_container_of(head, FlatView, rcu);

    flatview_verify(view);
    for (size_t i = 0; i < view->count; i++) {
        region_unuse_in_view(view->ranges[i].mr);
    }
    region_unuse_in_view(view->root);
    range_index_destroy(&view->index);
    g_free(view);
    memcore_count_down(&memcore_state.statistics.flat_views);
}

void flatview_ref(FlatView *view)
{
    unsigned before = __atomic_fetch_add(&view->references, 1, __ATOMIC_RELAXED);

    memcore_assert(before > 0);
}

bool flatview_try_ref(FlatView *view)
{
    unsigned references = __atomic_load_n(&view->references, __ATOMIC_RELAXED);

    while (references > 0) {
        if (__atomic_compare_exchange_n(&view->references, &references, references + 1, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

void flatview_unref(FlatView *view)
{
    unsigned before = __atomic_fetch_sub(&view->references, 1, __ATOMIC_ACQ_REL);

    memcore_assert(before > 0);
    if (before == 1) {
        memcore_assert(view != &empty_view);
        memcore_defer(&view->rcu, release);
    }
}

FlatView *flatview_get(AddressSpace *as)
{
    FlatView *view;

    rcu_read_lock();
    do {
        view = address_space_to_flatview(as);
    } while (!flatview_try_ref(view));      /* it was replaced meanwhile: take the new one */
    rcu_read_unlock();
    return view;
}

MemoryRegion *flatview_root(const FlatView *view)
{
    return view->root;
}

hwaddr flatview_base(const FlatView *view)
{
    return view->base;
}

size_t flatview_count(const FlatView *view)
{
    return view->count;
}

/*
 * A hole is found as NULL without a branch: addresses that alternate between
 * ranges and holes would be mispredicted here and again in the caller.
 */
const FlatRange *flatview_search(FlatView *view, hwaddr address)
{
    const size_t place = range_index_seek(&view->index, view->ranges, address);
    const FlatRange *range = &view->ranges[place];

    if (place == view->count) {
        return NULL;
    }
    __atomic_store_n(&view->recent, range, __ATOMIC_RELAXED);
    return address >= range->start ? range : NULL;
}

const FlatRange *flatview_seek(FlatCursor *cursor, const FlatView *view, hwaddr address)
{
    cursor->view = view;
    cursor->next = range_index_seek(&view->index, view->ranges, address);
    return flatview_next(cursor);
}

const FlatRange *flatview_next(FlatCursor *cursor)
{
    return cursor->next < cursor->view->count ? &cursor->view->ranges[cursor->next++] : NULL;
}

MemoryRegionSection flatview_section(FlatView *view, const FlatRange *range)
{
    return (MemoryRegionSection) {
        .size = flat_range_size(range),
        .mr = range->mr,
        .fv = view,
        .offset_within_region = range->offset,
        .offset_within_address_space = range->start,
        .readonly = range->readonly,
        .nonvolatile = range->nonvolatile,
    };
}
