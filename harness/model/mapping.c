/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps, the one bounce buffer and who waits for it: R-MAP. */
#include <stdlib.h>
#include <string.h>

#include "exec/cpu-common.h"
#include "model/access_state.h"

static bool bounce_taken(const struct model *m)
{
    for (size_t i = 0; i < m->live_mappings.count; i++) {
        if (m->mappings[m->live_mappings.slots[i]].bounced) {
            return true;
        }
    }
    return false;
}

/*
 * R-MAP-6: 7.2 forgets the attributes between translating and moving the bytes.  R-ACC-13: a map is not restricted to
 * memory, so its bytes are not either.
 */
static uint32_t bounce_attrs(const struct model *m, uint32_t attrs)
{
    return m->profile == MODEL_PROFILE_MEMCORE ? attrs & ~(uint32_t)ATTRS_MEMORY : ATTRS_UNSPECIFIED;
}

/* The bytes of a map for writing are anybody's (R-MAP-5). */
static void fill_bounce(struct model *m, const struct mapping *map, struct observation *expected)
{
    if (!map->is_write) {
        uint8_t *const bytes = observation_bytes(expected, map->length);

        memset(bytes, 0, map->length);
        access_buffer(m, (unsigned)map->space, map->address, bounce_attrs(m, map->attrs), bytes, map->length, false);
    }
}

static void map(struct model *m, const struct trace_step *s, struct observation *expected)
{
    const struct view *const v = &m->spaces[s->b].view->view;
    struct mapping map = {
        .live = true, .space = s->b, .address = s->v.absolute, .attrs = access_attrs(s->c),
        .is_write = s->n == DIRECTION_WRITING,
    };
    struct place_found p;

    if (s->w.absolute == 0) {           /* R-MAP-1 */
        return;
    }
    p = place_find(m, v, map.address, s->w.absolute, map.is_write ? TO_WRITE : TO_READ, map.attrs);
    map.region = p.region;
    map.bounced = !is_direct(m, p.region, map.is_write);
    if (map.bounced && bounce_taken(m)) {
        return;                         /* R-MAP-4 */
    }
    if (map.bounced) {
        map.length = p.length < TARGET_PAGE_SIZE ? p.length : TARGET_PAGE_SIZE;     /* R-MAP-3 */
    } else {
        map.length = place_whole(m, v, p, map.address, s->w.absolute, map.is_write, map.attrs);
        map.offset = p.offset;
        expected->place_region = p.region;
        expected->place_offset = p.offset;
    }
    map.number = m->mappings_made++;
    m->mappings[s->a] = map;
    slot_list_insert_sorted(&m->live_mappings, s->a);
    expected->value = map.length;
    expected->bounced = map.bounced;
    if (map.bounced) {
        fill_bounce(m, &map, expected);
    }
}

/* R-MAP-11: one release wakes all, each once, however often it waits. */
static void wake_all(struct model *m)
{
    for (unsigned i = 0; i < TRACE_CLIENTS; i++) {
        m->clients_due[i] |= m->clients_waiting[i] > 0;
        m->clients_waiting[i] = 0;
    }
}

/* Regions over one memory: whether unmap is told the same of both. */
static bool look_the_same(struct model *m, const struct mapping *a, const struct mapping *b)
{
    return !a->bounced && !b->bounced && a->space == b->space && a->length == b->length && a->offset == b->offset &&
           memory_of(m, (unsigned)a->region) == memory_of(m, (unsigned)b->region);
}

/* R-MAP-12: of maps that look the same the newest ends; the others keep the slots. */
static void put_newest_into(struct model *m, unsigned slot)
{
    struct mapping *const ends = &m->mappings[slot];

    for (size_t i = 0; i < m->live_mappings.count; i++) {
        struct mapping *const other = &m->mappings[m->live_mappings.slots[i]];

        if (other->number > ends->number && look_the_same(m, ends, other)) {
            const struct mapping newer = *other;

            *other = *ends;
            *ends = newer;
        }
    }
}

static void unmap(struct model *m, const struct trace_step *s)
{
    put_newest_into(m, s->a);
    const struct mapping map = m->mappings[s->a];
    const bool dirty = s->n == DIRECTION_WRITING;       /* R-MAP-10 */
    const unsigned space = s->op == TRACE_OP_UNMAP_INTO ? s->b : (unsigned)map.space;
    uint8_t *const bytes = access_data((int64_t)s->v.absolute, s->w.absolute);

    if (dirty && map.bounced) {         /* R-MAP-9: wherever the address leads now, in the space that unmap is told */
        access_buffer(m, space, map.address, bounce_attrs(m, map.attrs), bytes, s->w.absolute, true);
    } else if (dirty) {
        write_memory(m, (unsigned)map.region, map.offset, bytes, s->w.absolute);    /* R-MAP-8 */
    }
    free(bytes);
    m->mappings[s->a].live = false;
    slot_list_remove(&m->live_mappings, s->a);
    if (map.bounced) {
        wake_all(m);
    }
    owners_bury(m);
}

void mapping_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_MAP:
        map(m, s, expected);
        break;
    case TRACE_OP_UNMAP:
    case TRACE_OP_UNMAP_INTO:
        unmap(m, s);
        break;
    case TRACE_OP_MAP_CLIENT:
        m->clients_waiting[s->a]++;
        if (!bounce_taken(m)) {
            wake_all(m);
        }
        break;
    case TRACE_OP_MAP_CLIENT_CANCEL:
        m->clients_waiting[s->a] -= m->clients_waiting[s->a] > 0;
        break;
    case TRACE_OP_MEANWHILE:
    case TRACE_OP_MAP_MEANWHILE: {
        struct trace_step steps[2];

        access_meanwhile(s, steps);
        mapping_apply(m, &steps[0], expected);
        mapping_apply(m, &steps[1], expected);
        break;
    }
    default:
        abort();
    }
}

void clients_run(struct model *m)
{
    for (unsigned i = 0; i < TRACE_CLIENTS; i++) {
        if (m->clients_due[i]) {
            struct event e;

            event_init(&e, EVENT_MAP_CLIENT);
            e.number = (int)i;
            event_log_append(m->out, &e);
            m->clients_due[i] = false;
        }
    }
}

size_t model_mappings(const struct model *m, const uint16_t **slots)
{
    *slots = m->live_mappings.slots;
    return m->live_mappings.count;
}

bool model_mapping(const struct model *m, unsigned slot, struct model_mapping *out)
{
    const struct mapping *const map = slot < TRACE_MAPPINGS ? &m->mappings[slot] : NULL;

    if (!map || !map->live) {
        return false;
    }
    *out = (struct model_mapping){
        .space = map->space, .region = map->region, .length = map->length, .bounced = map->bounced,
        .is_write = map->is_write,
    };
    return true;
}

bool model_client_waits(const struct model *m, unsigned slot)
{
    return m->clients_waiting[slot] > 0;
}
