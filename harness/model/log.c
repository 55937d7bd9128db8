/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty logging, as far as listeners hear of it: R-LOG, R-DLOG. */
#include "model/state.h"

static void commit_everything(struct model *m)
{
    transaction_begin(m);
    m->topology_pending = true;
    transaction_commit(m);
}

/* R-LOG-2; the callback comes after the commit, unless an outer transaction still holds that back. */
static void stop_now(struct model *m, unsigned flags)
{
    const unsigned before = m->log_flags;

    m->log_flags &= ~flags;
    if (before && !m->log_flags) {
        commit_everything(m);
        tell_all(m, EVENT_LOG_GLOBAL_STOP, REVERSE);
    }
}

/* R-LOG-1 */
void log_start(struct model *m, unsigned flags)
{
    /* R-LOG-3: what is started again need not stop; what else was postponed stops here and now. */
    const unsigned postponed = m->log_postponed & ~flags;
    m->log_postponed = 0;
    stop_now(m, postponed);

    const unsigned before = m->log_flags;
    m->log_flags |= flags;
    if (!before && m->log_flags) {
        tell_all(m, EVENT_LOG_GLOBAL_START, FORWARD);
        commit_everything(m);
    }
}

void log_stop(struct model *m, unsigned flags)
{
    if (m->vm_paused) {
        m->log_postponed |= flags;
    } else {
        stop_now(m, flags);
    }
}

void log_vm_state(struct model *m, bool running)
{
    m->vm_paused = !running;
    if (running) {
        const unsigned postponed = m->log_postponed;
        m->log_postponed = 0;
        stop_now(m, postponed);
    }
}

/* R-LOG-4, R-DLOG-10: listener by listener.  The masks are those recorded in the published views. */
void log_sync(struct model *m, int region)
{
    struct event e;

    for (size_t i = 0; i < m->listener_order.count; i++) {
        const unsigned slot = m->listener_order.slots[i];
        if (!hears(m, slot, EVENT_LOG_SYNC)) {
            event_init(&e, EVENT_LOG_SYNC_GLOBAL);
            tell_one(m, slot, &e);
            continue;
        }
        const unsigned space = (unsigned)m->listeners[slot].space;
        const struct view *const v = &m->spaces[space].view->view;
        for (size_t k = 0; k < v->count; k++) {
            if (v->ranges[k].dirty_log_mask && (region == NO_SLOT || v->ranges[k].region == region)) {
                event_for_range(&e, EVENT_LOG_SYNC, space, &v->ranges[k]);
                tell_one(m, slot, &e);
            }
        }
    }
}

/* R-LOG-5, R-DLOG-13: sections cut to [start, start + length) of the region. */
void log_clear(struct model *m, unsigned region, uint64_t start, uint64_t length)
{
    for (size_t i = 0; i < m->listener_order.count; i++) {
        const unsigned slot = m->listener_order.slots[i];
        const unsigned space = (unsigned)m->listeners[slot].space;
        const struct view *const v = &m->spaces[space].view->view;
        for (size_t k = 0; k < v->count; k++) {
            const struct view_range *const r = &v->ranges[k];
            const place first = r->offset > start ? r->offset : start;
            const place range_end = (place)r->offset + (place)r->size;
            const place wanted_end = (place)start + length;
            const place end = range_end < wanted_end ? range_end : wanted_end;
            if (r->region != (int)region || !r->dirty_log_mask || first >= end) {
                continue;
            }
            struct event e;
            event_for_range(&e, EVENT_LOG_CLEAR, space, r);
            e.section.offset = (uint64_t)first;
            e.section.address = r->address + ((uint64_t)first - r->offset);
            e.section.size = (wide)(end - first);
            tell_one(m, slot, &e);
        }
    }
}
