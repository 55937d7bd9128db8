/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 5: transactions and publication; the life of address spaces. */
#include "model/state.h"

/* R-TX-1: every begin, at every depth, asks the accelerator to flush. */
void transaction_begin(struct model *m)
{
    coalesced_flush(m);
    m->depth++;
}

/* R-LST-8, for one space: what its listeners hear of the change from one view to the next. */
static void tell_difference(struct model *m, unsigned space, const struct view *before,
                            const struct view *after)
{
    struct event e;

    for (size_t i = 0; i < before->count; i++) {
        const struct view_range *const r = &before->ranges[i];
        if (!view_find_same(after, r)) {
            coalesced_range_disappears(m, space, r);
            event_for_range(&e, EVENT_REGION_DEL, space, r);
            tell_space(m, space, &e, REVERSE);
        }
    }
    for (size_t i = 0; i < after->count; i++) {
        const struct view_range *const r = &after->ranges[i];
        const struct view_range *const was = view_find_same(before, r);
        if (!was) {
            /* No log_start, whatever the mask (R-LST-10). */
            event_for_range(&e, EVENT_REGION_ADD, space, r);
            tell_space(m, space, &e, FORWARD);
            coalesced_range_appears(m, space, r);
            continue;
        }
        event_for_range(&e, EVENT_REGION_NOP, space, r);
        tell_space(m, space, &e, FORWARD);
        if (r->dirty_log_mask & ~was->dirty_log_mask) {
            event_for_range(&e, EVENT_LOG_START, space, r);
            e.old_mask = was->dirty_log_mask;
            e.new_mask = r->dirty_log_mask;
            tell_space(m, space, &e, FORWARD);
        }
        if (was->dirty_log_mask & ~r->dirty_log_mask) {
            event_for_range(&e, EVENT_LOG_STOP, space, r);
            e.old_mask = was->dirty_log_mask;
            e.new_mask = r->dirty_log_mask;
            tell_space(m, space, &e, REVERSE);
        }
    }
}

/*
 * R-LST-13: an armed listener changes the tree from inside its commit callback.
 * The complete nested cycle comes there and then, before the listeners behind
 * it hear the outer commit.
 */
static void tell_commit(struct model *m)
{
    for (size_t i = 0; i < m->listener_order.count; i++) {
        const unsigned slot = m->listener_order.slots[i];
        const int armed = m->listeners[slot].armed;
        if (!hears(m, slot, EVENT_COMMIT)) {
            continue;
        }
        struct event e;
        event_init(&e, EVENT_COMMIT);
        tell_one(m, slot, &e);
        if (armed != NO_SLOT) {
            m->listeners[slot].armed = NO_SLOT;
            region_set_enabled(m, (unsigned)armed, !m->regions[armed].enabled);
        }
    }
}

/* The steps of R-TX-2. */
static void commit_topology(struct model *m)
{
    struct collapsed roots[TRACE_SPACES];
    struct flat_view *next[TRACE_SPACES];
    const size_t spaces = m->space_order.count;

    m->cache.count = 0;
    for (size_t i = 0; i < spaces; i++) {
        roots[i] = collapse(m, (unsigned)m->spaces[m->space_order.slots[i]].root);
        next[i] = NULL;
        for (size_t j = 0; j < i && !next[i]; j++) {
            /* R-FV-11; in memcore one D can lie at two bases (R-FV-10). */
            if (roots[j].root == roots[i].root && roots[j].base == roots[i].base) {
                next[i] = next[j];
            }
        }
        if (!next[i]) {
            next[i] = view_render(m, roots[i]);
        }
    }
    tell_all(m, EVENT_BEGIN, FORWARD);
    for (size_t i = 0; i < spaces; i++) {
        const unsigned slot = m->space_order.slots[i];
        struct space *const s = &m->spaces[slot];
        /* Sections carry the outgoing view, still published (R-LST-7). */
        if (s->view != next[i] && space_has_listeners(m, slot)) {
            tell_difference(m, slot, &s->view->view, &next[i]->view);
        }
        s->view = next[i];
        eventfds_resolve(m, slot);
    }
    m->topology_pending = false;
    m->eventfds_pending = false;
    views_let_go(m);
    tell_commit(m);
}

void transaction_commit(struct model *m)
{
    if (--m->depth > 0) {
        return;
    }
    if (m->topology_pending) {
        commit_topology(m);
    } else if (m->eventfds_pending) {
        /* Without begin and commit callbacks. */
        m->eventfds_pending = false;
        for (size_t i = 0; i < m->space_order.count; i++) {
            eventfds_resolve(m, m->space_order.slots[i]);
        }
    }
}

/* R-TX-7: published at once, whatever the depth; nobody is told. */
void space_new(struct model *m, unsigned slot, unsigned root)
{
    struct space *const s = &m->spaces[slot];

    s->live = true;
    s->root = (int)root;
    s->eventfds.count = 0;
    s->view = view_for_new_space(m, collapse(m, root));
    slot_list_insert_sorted(&m->live_spaces, slot);
    slot_list_append(&m->space_order, slot);
    eventfds_resolve(m, slot);
}

/* R-TX-9.  Its view lives until the grace period: as long as any other that nobody uses. */
void space_destroy(struct model *m, unsigned slot)
{
    struct space *const s = &m->spaces[slot];

    listeners_remove(m, slot);
    transaction_begin(m);
    s->live = false;
    slot_list_remove(&m->live_spaces, slot);
    slot_list_remove(&m->space_order, slot);
    slot_list_append(&m->doomed_roots, (unsigned)s->root);
    views_let_go(m);
    transaction_commit(m);
}
