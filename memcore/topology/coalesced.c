/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses of which spaces are coalesced (R-COAL). */
#include <glib.h>

#include "base/state.h"
#include "topology/topology.h"

enum change { CAME, GONE };

/* One coalesced range where one range of a view shows it: cut to that, if it meets it at all (R-COAL-4). */
static void tell(AddressSpace *as, FlatView *view, const FlatRange *range,
                 const CoalescedMemoryRange *coalesced, enum change change)
{
    const Int128 first = flat_range_shift(range) + coalesced->offset;
    const Int128 start = int128_max(first, range->start);
    const Int128 end = int128_min(first + coalesced->size, (Int128)range->last + 1);
    MemoryRegionSection section;

    if (start >= end) {
        return;
    }
    section = flatview_section(view, range);
    if (change == CAME) {
        DELIVER_FORWARD(&as->listeners, link_as, coalesced_io_add, &section, (hwaddr)start,
                        (hwaddr)(end - start));
    } else {
        DELIVER_REVERSE(&as->listeners, link_as, coalesced_io_del, &section, (hwaddr)start,
                        (hwaddr)(end - start));
    }
}

static void tell_all_of(AddressSpace *as, FlatView *view, const FlatRange *range, enum change change)
{
    const CoalescedMemoryRange *coalesced;

    cds_list_for_each_entry(coalesced, &range->mr->coalesced, link) {
        tell(as, view, range, coalesced, change);
    }
}

void coalesced_range_gone(AddressSpace *as, FlatView *view, const FlatRange *range)
{
    tell_all_of(as, view, range, GONE);
}

void coalesced_range_came(AddressSpace *as, FlatView *view, const FlatRange *range)
{
    tell_all_of(as, view, range, CAME);
}

/* Outside commits: wherever the region is published now. */
static void tell_everywhere(const MemoryRegion *mr, const CoalescedMemoryRange *coalesced, enum change change)
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);
    AddressSpace *as;

    ADDRESS_SPACE_FOREACH(as) {
        FlatView *view = as->current_map;
        FlatCursor cursor;
        const FlatRange *range;

        if (mr->view_uses == 0 || list_is_empty(&as->listeners)) {
            continue;
        }
        FLATVIEW_FOREACH(range, &cursor, view) {
            if (range->mr == mr) {
                tell(as, view, range, coalesced, change);
            }
        }
    }
    callback_leave(outer);
}

static void add(MemoryRegion *mr, hwaddr offset, uint64_t size)
{
    if (size == 0) {
        return;         /* R-COAL-5 */
    }
    tell_everywhere(mr, region_coalesced_append(mr, offset, size), CAME);
    memory_region_set_flush_coalesced(mr);
    region_verify(mr);
}

static void clear(MemoryRegion *mr)
{
    CoalescedMemoryRange *coalesced;

    if (list_is_empty(&mr->coalesced)) {
        return;
    }
    memcore_flush_coalesced();
    mr->flush_coalesced_mmio = false;
    while ((coalesced = region_coalesced_take_first(mr)) != NULL) {
        tell_everywhere(mr, coalesced, GONE);
        g_free(coalesced);
    }
    region_verify(mr);
}

void memory_region_add_coalescing(MemoryRegion *mr, hwaddr offset, uint64_t size)
{
    transaction_require_change_allowed(mr);
    add(mr, offset, size);
}

void memory_region_set_coalescing(MemoryRegion *mr)
{
    transaction_require_change_allowed(mr);
    memcore_require(mr->size <= UINT64_MAX, "R-COAL-5",
                    "region '%s' has 2^64 bytes, which cannot be coalesced as a whole", region_label(mr));
    clear(mr);
    add(mr, 0, (uint64_t)mr->size);
}

void memory_region_clear_coalescing(MemoryRegion *mr)
{
    transaction_require_change_allowed(mr);
    clear(mr);
}
