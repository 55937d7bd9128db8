/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The coalesced ranges of a region, and whether accesses flush.  Who is told is decided in topology/. */
#include <glib.h>

#include "base/state.h"
#include "region/internal.h"

CoalescedMemoryRange *region_coalesced_append(MemoryRegion *mr, hwaddr offset, uint64_t size)
{
    CoalescedMemoryRange *range = g_new(CoalescedMemoryRange, 1);

    memcore_assert(size > 0);
    range->offset = offset;
    range->size = size;
    cds_list_add_tail(&range->link, &mr->coalesced);
    return range;
}

CoalescedMemoryRange *region_coalesced_take_first(MemoryRegion *mr)
{
    CoalescedMemoryRange *range;

    if (list_is_empty(&mr->coalesced)) {
        return NULL;
    }
    range = cds_list_entry(mr->coalesced.next, CoalescedMemoryRange, link);
    cds_list_del(&range->link);
    return range;
}

void memory_region_set_flush_coalesced(MemoryRegion *mr)
{
    mr->flush_coalesced_mmio = true;
}

void memory_region_clear_flush_coalesced(MemoryRegion *mr)
{
    memcore_ensure_init();
    memcore_flush_coalesced();
    if (list_is_empty(&mr->coalesced)) {
        mr->flush_coalesced_mmio = false;
    }
}
