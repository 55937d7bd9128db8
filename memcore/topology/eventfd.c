/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses of a space the ioeventfds of its regions end up at (R-EFD-4..7). */
#include <glib.h>

#include "topology/topology.h"

/*
 * Whether an entry of `size` bytes at `start` belongs to the range: it begins
 * inside, or reaches into it from below.  An empty one can only begin inside.
 */
static bool touches(Int128 start, unsigned size, const FlatRange *range)
{
    return (start >= range->start && start <= range->last) ||
           (start < range->start && start + size > range->start);
}

/*
 * An entry that reaches into the range from below may have been met there, in
 * another piece of the same mapping of its region (R-EFD-5):
 *
 *   entry          ####
 *   view       mmmmm.mmmmm      one entry, two pieces
 */
static bool met_below(const FlatView *view, const FlatRange *range, hwaddr start)
{
    FlatCursor cursor;
    const FlatRange *below;

    /* Which ends at the range itself, for that is in the view too. */
    for (below = flatview_seek(&cursor, view, start); below->start < range->start; below = flatview_next(&cursor)) {
        if (below->mr == range->mr && flat_range_shift(below) == flat_range_shift(range)) {
            return true;
        }
    }
    return false;
}

/* Ranges ascend, so the place is nearly always the end. */
static void insert_behind_equals(GArray *list, const MemoryRegionIoeventfd *entry)
{
    guint place = list->len;

    while (place > 0 &&
           region_ioeventfd_compare(entry, &g_array_index(list, MemoryRegionIoeventfd, place - 1)) < 0) {
        place--;
    }
    g_array_insert_val(list, place, *entry);
}

static GArray *resolve(const FlatView *view)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(MemoryRegionIoeventfd));
    FlatCursor cursor;
    const FlatRange *range;

    if (region_ioeventfd_total == 0) {
        return list;
    }
    FLATVIEW_FOREACH(range, &cursor, view) {
        for (unsigned i = 0; i < range->mr->ioeventfd_nb; i++) {
            MemoryRegionIoeventfd entry = range->mr->ioeventfds[i];
            const Int128 start = flat_range_shift(range) + entry.addr;

            /* Below address 0 nobody can write: such an entry is left out (R-EFD-6). */
            if (start < 0 || !touches(start, entry.size, range)) {
                continue;
            }
            entry.addr = (hwaddr)start;
            if (entry.addr >= range->start || !met_below(view, range, entry.addr)) {
                insert_behind_equals(list, &entry);
            }
        }
    }
    return list;
}

static MemoryRegionSection section_of(FlatView *view, const MemoryRegionIoeventfd *entry)
{
    return (MemoryRegionSection) {
        .size = entry->size,
        .fv = view,
        .offset_within_address_space = entry->addr,
    };
}

static void tell_gone(AddressSpace *as, const MemoryRegionIoeventfd *entry)
{
    MemoryRegionSection section = section_of(as->current_map, entry);

    DELIVER_FORWARD(&as->listeners, link_as, eventfd_del, &section, entry->match_data, entry->data, entry->e);
}

static void tell_came(AddressSpace *as, const MemoryRegionIoeventfd *entry)
{
    MemoryRegionSection section = section_of(as->current_map, entry);

    DELIVER_REVERSE(&as->listeners, link_as, eventfd_add, &section, entry->match_data, entry->data, entry->e);
}

/* Both lists are sorted, so the difference comes in the order of R-EFD-1, gone and new ones mixed. */
static void announce_difference(AddressSpace *as, const GArray *new)
{
    const guint old_count = (guint)as->ioeventfd_nb;
    guint i = 0, k = 0;

    while (i < old_count || k < new->len) {
        const int order = k == new->len ? -1 : i == old_count ? 1
            : region_ioeventfd_compare(&as->ioeventfds[i], &g_array_index(new, MemoryRegionIoeventfd, k));

        if (order < 0) {
            tell_gone(as, &as->ioeventfds[i]);
        } else if (order > 0) {
            tell_came(as, &g_array_index(new, MemoryRegionIoeventfd, k));
        }
        i += order <= 0;
        k += order >= 0;
    }
}

void address_space_update_ioeventfds(AddressSpace *as)
{
    CallbackContext outer;
    GArray *list;

    if (region_ioeventfd_total == 0 && as->ioeventfd_nb == 0) {
        return;
    }
    outer = callback_enter(CALLBACK_OTHER);
    list = resolve(as->current_map);
    announce_difference(as, list);
    g_free(as->ioeventfds);
    as->ioeventfd_nb = (int)list->len;
    as->ioeventfds = (MemoryRegionIoeventfd *)(void *)g_array_free(list, FALSE);
    callback_leave(outer);
}
