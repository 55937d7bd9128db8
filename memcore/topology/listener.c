/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listeners join and leave (R-LST-1, R-LST-4..6). */
#include "base/state.h"
#include "ram/ram_dirty.h"
#include "topology/topology.h"

struct cds_list_head memory_listeners = CDS_LIST_HEAD_INIT(memory_listeners);

static const char *label(const MemoryListener *listener)
{
    return name_label(listener->name);
}

static void require_outside_callbacks(const char *function, const MemoryListener *listener)
{
    if (callback_context != CALLBACK_NONE) {
        memcore_misuse_at(function, "R-LST-13",
                          "listener '%s': listeners must not be registered or unregistered from a "
                          "listener's callback", label(listener));
    }
}

/* Behind all of its priority, in both lists (R-LST-1). */
static void link_listener(MemoryListener *listener)
{
    struct cds_list_head *behind = &memory_listeners, *behind_in_space = &listener->address_space->listeners;
    MemoryListener *other;

    cds_list_for_each_entry_reverse(other, &memory_listeners, link) {
        if (other->priority <= listener->priority) {
            behind = &other->link;
            break;
        }
    }
    cds_list_for_each_entry_reverse(other, &listener->address_space->listeners, link_as) {
        if (other->priority <= listener->priority) {
            behind_in_space = &other->link_as;
            break;
        }
    }
    cds_list_add(&listener->link, behind);
    cds_list_add(&listener->link_as, behind_in_space);
}

/* A commit of its own, in which everything is new. */
static void show_everything(MemoryListener *listener, FlatView *view)
{
    FlatCursor cursor;
    const FlatRange *range;

    DELIVER_TO(listener, begin);
    if (global_dirty_tracking) {
        DELIVER_TO(listener, log_global_start);
    }
    FLATVIEW_FOREACH(range, &cursor, view) {
        MemoryRegionSection section = flatview_section(view, range);

        DELIVER_TO(listener, region_add, &section);
        if (range->dirty_log_mask) {
            DELIVER_TO(listener, log_start, &section, 0, range->dirty_log_mask);
        }
    }
    callback_enter(CALLBACK_COMMIT);
    DELIVER_TO(listener, commit);
}

/* And one in which everything goes, ascending like the other (R-LST-5). */
static void take_everything_away(MemoryListener *listener, FlatView *view)
{
    FlatCursor cursor;
    const FlatRange *range;

    DELIVER_TO(listener, begin);
    FLATVIEW_FOREACH(range, &cursor, view) {
        MemoryRegionSection section = flatview_section(view, range);

        if (range->dirty_log_mask) {
            DELIVER_TO(listener, log_stop, &section, range->dirty_log_mask, 0);
        }
        DELIVER_TO(listener, region_del, &section);
    }
    callback_enter(CALLBACK_COMMIT);
    DELIVER_TO(listener, commit);
}

static void replay(MemoryListener *listener, void (*function)(MemoryListener *listener, FlatView *view))
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);
    FlatView *view = flatview_get(listener->address_space);

    function(listener, view);
    flatview_unref(view);
    callback_leave(outer);
}

void memory_listener_register(MemoryListener *listener, AddressSpace *filter)
{
    memcore_require_big_lock("R-TX-1");
    require_outside_callbacks(__func__, listener);
    memcore_require(filter, "R-LST-6",
                    "listener '%s': no address space given (NULL); one listener hears one of them",
                    label(listener));
    address_space_require_live(filter, __func__, "R-LST-6");
    memcore_require(!listener->address_space, "R-LST-4",
                    "listener '%s' is registered already, with address space '%s'",
                    label(listener), listener->address_space->name);
    memcore_require(!listener->log_sync || !listener->log_sync_global, "R-LOG-4",
                    "listener '%s' has both log_sync and log_sync_global", label(listener));
    topology_verify();

    listener->address_space = filter;
    link_listener(listener);
    memcore_count_up(&memcore_state.statistics.listeners);
    if (listener->log_clear) {
        ram_set_log_clear(memory_region_clear_dirty_bitmap);
    }
    topology_verify();
    replay(listener, show_everything);
}

void memory_listener_unregister(MemoryListener *listener)
{
    if (!listener->address_space) {
        return;
    }
    memcore_require_big_lock("R-TX-1");
    require_outside_callbacks(__func__, listener);
    topology_verify();

    replay(listener, take_everything_away);
    cds_list_del(&listener->link);
    cds_list_del(&listener->link_as);
    listener->address_space = NULL;
    memcore_count_down(&memcore_state.statistics.listeners);
    topology_verify();
}

void address_space_remove_listeners(AddressSpace *as)
{
    while (!list_is_empty(&as->listeners)) {
        memory_listener_unregister(cds_list_entry(as->listeners.next, MemoryListener, link_as));
    }
}
