/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 8: coalesced MMIO. */
#include "model/state.h"

/* How often an implementation flushes in a row is its own affair: one event stands for all. */
void coalesced_flush(struct model *m)
{
    struct event e;

    if (m->out->count > 0 && m->out->events[m->out->count - 1].kind == EVENT_COALESCED_FLUSH) {
        return;
    }
    event_init(&e, EVENT_COALESCED_FLUSH);
    event_log_append(m->out, &e);
}

/* R-COAL-4: one coalesced range in one flat range. */
static void notify(struct model *m, unsigned space, enum event_kind kind, const struct coalesced_range *c,
                   const struct view_range *r)
{
    const place start = (place)r->address - r->offset + c->offset, end = start + c->size;
    const place range_start = r->address, range_end = range_start + (place)r->size;
    struct event e;

    if (!windows_meet(start, c->size, r)) {
        return;
    }
    const place first = start > range_start ? start : range_start;
    const place last = end < range_end ? end : range_end;
    event_for_range(&e, kind, space, r);
    e.address = (uint64_t)first;
    e.length = (uint64_t)(last - first);
    tell_space(m, space, &e, kind == EVENT_COALESCED_ADD ? FORWARD : REVERSE);
}

static void notify_all(struct model *m, unsigned space, enum event_kind kind, const struct view_range *r)
{
    const struct coalesced_list *const l = &m->regions[r->region].coalesced;

    for (size_t i = 0; i < l->count; i++) {
        notify(m, space, kind, &l->ranges[i], r);
    }
}

void coalesced_range_appears(struct model *m, unsigned space, const struct view_range *r)
{
    notify_all(m, space, EVENT_COALESCED_ADD, r);
}

void coalesced_range_disappears(struct model *m, unsigned space, const struct view_range *r)
{
    notify_all(m, space, EVENT_COALESCED_DEL, r);
}

/* Wherever the region is published now. */
static void notify_published(struct model *m, unsigned region, enum event_kind kind,
                             const struct coalesced_range *c)
{
    for (size_t i = 0; i < m->space_order.count; i++) {
        const unsigned space = m->space_order.slots[i];
        const struct view *const v = &m->spaces[space].view->view;
        for (size_t k = 0; k < v->count; k++) {
            if (v->ranges[k].region == (int)region) {
                notify(m, space, kind, c, &v->ranges[k]);
            }
        }
    }
}

/* R-COAL-1.  R-COAL-5: 7.2 takes an empty range like any other, memcore ignores it. */
void coalesced_add(struct model *m, unsigned region, uint64_t offset, uint64_t size)
{
    struct coalesced_list *const l = &m->regions[region].coalesced;
    const struct coalesced_range c = { .offset = offset, .size = size };

    if (size == 0 && m->profile == MODEL_PROFILE_MEMCORE) {
        return;
    }
    l->ranges = array_reserve(l->ranges, &l->capacity, l->count + 1, sizeof(l->ranges[0]));
    l->ranges[l->count++] = c;
    m->regions[region].flushes = true;
    notify_published(m, region, EVENT_COALESCED_ADD, &c);
}

void coalesced_set_all(struct model *m, unsigned region)
{
    coalesced_clear(m, region);
    coalesced_add(m, region, 0, (uint64_t)m->regions[region].size);
}

/* R-COAL-2: front to back, each with its notification. */
void coalesced_clear(struct model *m, unsigned region)
{
    struct coalesced_list *const l = &m->regions[region].coalesced;

    if (l->count == 0) {
        return;
    }
    coalesced_flush(m);
    m->regions[region].flushes = false;
    for (size_t i = 0; i < l->count; i++) {
        notify_published(m, region, EVENT_COALESCED_DEL, &l->ranges[i]);
    }
    l->count = 0;
}
