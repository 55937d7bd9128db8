/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 6: who is called, in which order; joining and leaving. */
#include "model/state.h"

bool hears(const struct model *m, unsigned listener, enum event_kind kind)
{
    return m->listeners[listener].hears >> kind & 1;
}

void event_for_range(struct event *e, enum event_kind kind, unsigned space, const struct view_range *r)
{
    event_init(e, kind);
    e->section = (struct observed_section) {
        .region = r->region,
        .space = (int)space,
        .offset = r->offset,
        .address = r->address,
        .size = r->size,
        .readonly = r->readonly,
        .nonvolatile = r->nonvolatile,
    };
    e->view_published = true;   /* R-LST-7 */
}

void tell_one(struct model *m, unsigned listener, const struct event *e)
{
    if (hears(m, listener, e->kind)) {
        struct event copy = *e;
        copy.listener = (int)listener;
        event_log_append(m->out, &copy);
    }
}

/* space: OBSERVED_NONE for the listeners of all spaces. */
static void tell(struct model *m, int space, const struct event *e, enum direction direction)
{
    const size_t count = m->listener_order.count;

    for (size_t i = 0; i < count; i++) {
        const unsigned slot = m->listener_order.slots[direction == FORWARD ? i : count - 1 - i];
        if (space == OBSERVED_NONE || m->listeners[slot].space == space) {
            tell_one(m, slot, e);
        }
    }
}

void tell_all(struct model *m, enum event_kind kind, enum direction direction)
{
    struct event e;

    event_init(&e, kind);
    tell(m, OBSERVED_NONE, &e, direction);
}

void tell_space(struct model *m, unsigned space, const struct event *e, enum direction direction)
{
    tell(m, (int)space, e, direction);
}

bool space_has_listeners(const struct model *m, unsigned space)
{
    for (size_t i = 0; i < m->live_listeners.count; i++) {
        if (m->listeners[m->live_listeners.slots[i]].space == (int)space) {
            return true;
        }
    }
    return false;
}

/*
 * R-LST-4.  What is published counts, also inside a transaction; eventfds and
 * coalesced ranges are not replayed.
 */
void listener_register(struct model *m, unsigned slot, unsigned space, unsigned priority, uint32_t hears_mask)
{
    const struct view *const v = &m->spaces[space].view->view;
    struct event e;
    size_t i = 0;

    m->listeners[slot] = (struct listener) {
        .registered = true,
        .space = (int)space,
        .priority = priority,
        .hears = hears_mask,
        .armed = NO_SLOT,
    };
    /* R-LST-1: behind all of the same priority. */
    while (i < m->listener_order.count && m->listeners[m->listener_order.slots[i]].priority <= priority) {
        i++;
    }
    slot_list_insert(&m->listener_order, i, slot);
    slot_list_insert_sorted(&m->live_listeners, slot);

    event_init(&e, EVENT_BEGIN);
    tell_one(m, slot, &e);
    if (m->log_flags) {
        event_init(&e, EVENT_LOG_GLOBAL_START);
        tell_one(m, slot, &e);
    }
    for (i = 0; i < v->count; i++) {
        event_for_range(&e, EVENT_REGION_ADD, space, &v->ranges[i]);
        tell_one(m, slot, &e);
        if (v->ranges[i].dirty_log_mask) {
            e.kind = EVENT_LOG_START;
            e.new_mask = v->ranges[i].dirty_log_mask;
            tell_one(m, slot, &e);
        }
    }
    event_init(&e, EVENT_COMMIT);
    tell_one(m, slot, &e);
}

/*
 * R-LST-5; no log_global_stop, eventfd_del or coalesced_io_del.  An arming goes
 * with the registration: the commit heard here toggles nothing.
 */
void listener_unregister(struct model *m, unsigned slot)
{
    struct listener *const l = &m->listeners[slot];

    if (!l->registered) {
        return;
    }
    const unsigned space = (unsigned)l->space;
    const struct view *const v = &m->spaces[space].view->view;
    struct event e;

    event_init(&e, EVENT_BEGIN);
    tell_one(m, slot, &e);
    for (size_t i = 0; i < v->count; i++) {
        if (v->ranges[i].dirty_log_mask) {
            event_for_range(&e, EVENT_LOG_STOP, space, &v->ranges[i]);
            e.old_mask = v->ranges[i].dirty_log_mask;
            tell_one(m, slot, &e);
        }
        event_for_range(&e, EVENT_REGION_DEL, space, &v->ranges[i]);
        tell_one(m, slot, &e);
    }
    event_init(&e, EVENT_COMMIT);
    tell_one(m, slot, &e);

    l->registered = false;
    slot_list_remove(&m->listener_order, slot);
    slot_list_remove(&m->live_listeners, slot);
}

/* R-LST-6: all listeners of the space, from the lowest priority up. */
void listeners_remove(struct model *m, unsigned space)
{
    for (size_t i = 0; i < m->listener_order.count;) {
        const unsigned slot = m->listener_order.slots[i];
        if (m->listeners[slot].space == (int)space) {
            listener_unregister(m, slot);
        } else {
            i++;
        }
    }
}

void listeners_disarm(struct model *m, unsigned region)
{
    for (size_t i = 0; i < m->live_listeners.count; i++) {
        struct listener *const l = &m->listeners[m->live_listeners.slots[i]];
        if (l->armed == (int)region) {
            l->armed = NO_SLOT;
        }
    }
}
