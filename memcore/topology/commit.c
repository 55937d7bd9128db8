/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of the outermost transaction (R-TX-2): new views for all spaces,
 * and each space's listeners hear what became of the old one (R-LST-8).
 */
#include <glib.h>

#include "topology/topology.h"

/*
 * Spaces with the same collapsed root at the same place share a view
 * (R-FV-11).  `fresh` has the views built so far: as a rule very few.
 */
static FlatView *view_for(MemoryRegion *root, GPtrArray *fresh)
{
    hwaddr base = 0;
    MemoryRegion *collapsed = flatview_collapse(root, &base);
    FlatView *view;

    for (guint i = 0; collapsed && i < fresh->len; i++) {
        view = g_ptr_array_index(fresh, i);
        if (flatview_root(view) == collapsed && flatview_base(view) == base) {
            flatview_ref(view);
            return view;
        }
    }
    view = flatview_build(collapsed, base);
    if (collapsed) {
        g_ptr_array_add(fresh, view);
    }
    return view;
}

static void build_views(void)
{
    GPtrArray *fresh = g_ptr_array_new();
    AddressSpace *as;

    ADDRESS_SPACE_FOREACH(as) {
        memcore_assert(!as->next_map);
        as->next_map = view_for(as->root, fresh);
    }
    g_ptr_array_free(fresh, TRUE);
}

/*
 * The range of the other view that is the same as `range`, or NULL.  *at is
 * where the search stands: it only moves up, as the caller does.
 */
static const FlatRange *same_in(FlatCursor *cursor, const FlatRange **at, const FlatRange *range)
{
    while (*at && (*at)->start < range->start) {
        *at = flatview_next(cursor);
    }
    return *at && flat_range_identical(*at, range) ? *at : NULL;
}

static void announce_gone(AddressSpace *as, FlatView *old, const FlatView *new)
{
    FlatCursor cursor, other;
    const FlatRange *range, *at = flatview_seek(&other, new, 0);

    FLATVIEW_FOREACH(range, &cursor, old) {
        if (!same_in(&other, &at, range)) {
            MemoryRegionSection section = flatview_section(old, range);

            coalesced_range_gone(as, old, range);
            DELIVER_REVERSE(&as->listeners, link_as, region_del, &section);
        }
    }
}

static void announce_kept(AddressSpace *as, FlatView *old, const FlatRange *before, const FlatRange *now)
{
    const int was = before->dirty_log_mask, is = now->dirty_log_mask;
    MemoryRegionSection section = flatview_section(old, now);

    DELIVER_FORWARD(&as->listeners, link_as, region_nop, &section);
    if (is & ~was) {
        DELIVER_FORWARD(&as->listeners, link_as, log_start, &section, was, is);
    }
    if (was & ~is) {
        DELIVER_REVERSE(&as->listeners, link_as, log_stop, &section, was, is);
    }
}

static void announce_there(AddressSpace *as, FlatView *old, const FlatView *new)
{
    FlatCursor cursor, other;
    const FlatRange *range, *at = flatview_seek(&other, old, 0);

    FLATVIEW_FOREACH(range, &cursor, new) {
        const FlatRange *before = same_in(&other, &at, range);

        if (before) {
            announce_kept(as, old, before, range);
        } else {
            /* No log_start, whatever the mask: listeners ask for it in region_add (R-LST-10). */
            MemoryRegionSection section = flatview_section(old, range);

            DELIVER_FORWARD(&as->listeners, link_as, region_add, &section);
            coalesced_range_came(as, old, range);
        }
    }
}

/* Sections name the outgoing view, which is still published (R-LST-7). */
static void publish(AddressSpace *as)
{
    FlatView *old = as->current_map, *new = as->next_map;

    if (old != new && !list_is_empty(&as->listeners)) {
        announce_gone(as, old, new);
        announce_there(as, old, new);
    }
    as->next_map = NULL;
    qatomic_rcu_set(&as->current_map, new);
    flatview_unref(old);
    address_space_update_ioeventfds(as);
}

void topology_commit(bool topology)
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);
    AddressSpace *as;

    topology_verify();
    if (!topology) {
        ADDRESS_SPACE_FOREACH(as) {
            address_space_update_ioeventfds(as);
        }
        callback_leave(outer);
        return;
    }

    build_views();
    DELIVER_FORWARD(&memory_listeners, link, begin);
    ADDRESS_SPACE_FOREACH(as) {
        publish(as);
    }
    topology_verify();
    callback_enter(CALLBACK_COMMIT);
    DELIVER_FORWARD(&memory_listeners, link, commit);
    callback_leave(outer);
}
