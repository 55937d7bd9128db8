/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is at an address, asked relative to a region (R-FIND). */
#include "topology/topology.h"

/* The space that shows the tree mr stands in, and *addr as an address in it: modulo 2^64 (R-FIND-1). */
static AddressSpace *space_of(const MemoryRegion *mr, hwaddr *addr)
{
    AddressSpace *as;

    *addr += mr->addr;
    while (mr->container) {
        mr = mr->container;
        *addr += mr->addr;
    }
    ADDRESS_SPACE_FOREACH(as) {
        if (as->root == mr) {
            return as;
        }
    }
    return NULL;
}

/* Takes no reference: to be called under RCU. */
static MemoryRegionSection find(const MemoryRegion *mr, hwaddr addr, uint64_t size)
{
    const MemoryRegionSection nothing = { .mr = NULL };
    AddressSpace *as = space_of(mr, &addr);
    const Int128 end = (Int128)addr + size;
    MemoryRegionSection section;
    FlatCursor cursor;
    const FlatRange *range;
    FlatView *view;
    hwaddr skipped;

    if (!as) {
        return nothing;
    }
    view = address_space_to_flatview(as);
    range = flatview_seek(&cursor, view, addr);
    if (!range || range->start >= end || size == 0) {
        return nothing;
    }
    section = flatview_section(view, range);
    skipped = addr > range->start ? addr - range->start : 0;
    section.offset_within_address_space += skipped;
    section.offset_within_region += skipped;
    section.size = int128_min((Int128)range->last + 1, end) - section.offset_within_address_space;
    return section;
}

MemoryRegionSection memory_region_find(MemoryRegion *mr, hwaddr addr, uint64_t size)
{
    MemoryRegionSection section;

    rcu_read_lock();
    section = find(mr, addr, size);
    memory_region_ref(section.mr);
    rcu_read_unlock();
    return section;
}

bool memory_region_present(MemoryRegion *container, hwaddr addr)
{
    const MemoryRegion *hit;

    rcu_read_lock();
    hit = find(container, addr, 1).mr;
    rcu_read_unlock();
    return hit && hit != container;
}
