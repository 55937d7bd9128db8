/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty logging as listeners hear of it (R-LOG). */
#include "base/state.h"
#include "topology/topology.h"

/* What was stopped while the machine was paused (R-LOG-3). */
static unsigned postponed;

static void tell_global_start(void)
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);

    DELIVER_FORWARD(&memory_listeners, link, log_global_start);
    callback_leave(outer);
}

static void tell_global_stop(void)
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);

    DELIVER_REVERSE(&memory_listeners, link, log_global_stop);
    callback_leave(outer);
}

/* New masks for all ranges, although no region changed. */
static void refresh_views(void)
{
    memory_region_transaction_begin();
    transaction_topology_changed();
    memory_region_transaction_commit();
}

/* R-LOG-2.  Flags of a postponed stop were not looked at before (R-LOG-3). */
static void stop_now(unsigned flags)
{
    const unsigned inactive = flags & ~global_dirty_tracking;

    if (inactive) {
        memcore_misuse_at("memory_global_dirty_log_stop", "R-LOG-2", "flags 0x%x are not active, 0x%x are",
                          inactive, global_dirty_tracking);
    }
    if (!flags) {
        return;
    }
    __atomic_store_n(&global_dirty_tracking, global_dirty_tracking & ~flags, __ATOMIC_RELAXED);
    if (!global_dirty_tracking) {
        refresh_views();
        tell_global_stop();
    }
}

/* Ends the waiting; what had been postponed is the caller's now. */
static unsigned take_postponed(void)
{
    const unsigned flags = postponed;

    postponed = 0;
    memcore_set_vm_change_hook(NULL);
    return flags;
}

/* Waited for while the machine is paused, so this is its start. */
static void machine_changed(bool running)
{
    memcore_assert(running);
    stop_now(take_postponed());
}

/* Misuse of start and stop alike. */
static void require_flags(const char *function, const char *rule, unsigned flags)
{
    if (callback_context == CALLBACK_OTHER) {
        memcore_misuse_at(function, "R-LST-13",
                          "flags 0x%x: logging must not be started or stopped from a listener's callback "
                          "other than commit", flags);
    }
    if (flags == 0 || (flags & ~(unsigned)GLOBAL_DIRTY_MASK)) {
        memcore_misuse_at(function, rule,
                          "flags 0x%x are not a non-empty part of GLOBAL_DIRTY_MASK, 0x%x", flags,
                          GLOBAL_DIRTY_MASK);
    }
}

void memory_global_dirty_log_start(unsigned int flags)
{
    memcore_require_big_lock("R-TX-1");
    require_flags(__func__, "R-DLOG-7", flags);
    stop_now(take_postponed() & ~flags);

    const bool first = global_dirty_tracking == 0;

    __atomic_store_n(&global_dirty_tracking, global_dirty_tracking | flags, __ATOMIC_RELAXED);
    if (first) {
        tell_global_start();
        refresh_views();
    }
}

void memory_global_dirty_log_stop(unsigned int flags)
{
    memcore_require_big_lock("R-TX-1");
    require_flags(__func__, "R-DLOG-8", flags);
    if (!memcore_vm_running()) {
        postponed |= flags;
        memcore_set_vm_change_hook(machine_changed);
        return;
    }
    stop_now(flags);
}

static void sync_ranges(MemoryListener *listener, const MemoryRegion *mr)
{
    FlatView *view = flatview_get(listener->address_space);
    FlatCursor cursor;
    const FlatRange *range;

    FLATVIEW_FOREACH(range, &cursor, view) {
        if (range->dirty_log_mask && (!mr || range->mr == mr)) {
            MemoryRegionSection section = flatview_section(view, range);

            listener->log_sync(listener, &section);
        }
    }
    flatview_unref(view);
}

void listeners_sync_dirty_log(MemoryRegion *mr)
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);
    MemoryListener *listener;

    cds_list_for_each_entry(listener, &memory_listeners, link) {
        if (listener->log_sync) {
            sync_ranges(listener, mr);
        } else {
            DELIVER_TO(listener, log_sync_global);
        }
    }
    callback_leave(outer);
}

void memory_global_dirty_log_sync(void)
{
    memcore_ensure_init();
    listeners_sync_dirty_log(NULL);
}

void memory_global_after_dirty_log_sync(void)
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);

    memcore_ensure_init();
    DELIVER_FORWARD(&memory_listeners, link, log_global_after_sync);
    callback_leave(outer);
}

static void clear_ranges(MemoryListener *listener, const MemoryRegion *mr, hwaddr start, hwaddr len)
{
    FlatView *view = flatview_get(listener->address_space);
    FlatCursor cursor;
    const FlatRange *range;

    FLATVIEW_FOREACH(range, &cursor, view) {
        if (range->mr == mr && range->dirty_log_mask) {
            MemoryRegionSection section = flatview_section(view, range);

            if (section_cut(&section, start, (Int128)start + len)) {
                listener->log_clear(listener, &section);
            }
        }
    }
    flatview_unref(view);
}

void memory_region_clear_dirty_bitmap(MemoryRegion *mr, hwaddr start, hwaddr len)
{
    CallbackContext outer = callback_enter(CALLBACK_OTHER);
    MemoryListener *listener;

    memcore_ensure_init();
    cds_list_for_each_entry(listener, &memory_listeners, link) {
        if (listener->log_clear) {
            clear_ranges(listener, mr, start, len);
        }
    }
    callback_leave(outer);
}
