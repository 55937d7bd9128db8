/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Caches of a piece of an address space: R-CCH. */
#include <stdlib.h>

#include "model/access_state.h"

/* R-CCH-2: the end of the range counts for every kind; of a hole there is none. */
static uint64_t range_left(const struct view *v, uint64_t address, uint64_t length)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct view_range *const range = &v->ranges[i];
        const wide into = (wide)address - range->address;

        if (address >= range->address && into < range->size) {
            return range->size - into < length ? (uint64_t)(range->size - into) : length;
        }
    }
    return length;
}

static void make(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct flat_view *const f = m->spaces[s->b].view;
    const bool write = s->n == DIRECTION_WRITING;
    const uint64_t address = s->v.absolute;
    const uint64_t wanted = s->w.absolute < INT64_MAX ? s->w.absolute : INT64_MAX;      /* R-CCH-1: L is an int64 */
    struct place_found p = place_before(m, &f->view, address, range_left(&f->view, address, wanted),
                                        write ? TO_WRITE : TO_READ);
    const bool direct = is_direct(m, p.region, write);

    if (direct) {
        p.length = place_whole(m, &f->view, p, address, wanted, write, ATTRS_UNSPECIFIED);
    }
    m->caches[s->a] = (struct cache){
        .live = true, .is_write = write, .has_pointer = direct, .region = p.region, .offset = p.offset,
        .length = p.length, .view = f,
    };
    slot_list_insert_sorted(&m->live_caches, s->a);
    expected->value = p.length;
}

/* R-CCH-6: from the cached region on, whatever its space shows by now. */
static struct place_found place_in_cache(const struct model *m, const struct cache *k, uint64_t offset, uint64_t length,
                                         enum purpose purpose, uint32_t attrs)
{
    const struct place_found p = {
        .region = k->region, .offset = k->offset + offset, .length = length, .space = NO_SLOT, .mask = UINT64_MAX,
    };

    return place_behind(m, p, purpose, attrs);
}

/* R-CCH-7: later pieces through the cache, too. */
static uint32_t move_slow(struct model *m, const struct cache *k, uint64_t offset, uint8_t *bytes, uint64_t count,
                          bool write)
{
    uint32_t result = 0;

    for (uint64_t done = 0; done < count;) {
        const struct place_found p =
            place_in_cache(m, k, offset + done, count - done, write ? TO_WRITE : TO_READ, ATTRS_UNSPECIFIED);
        uint64_t size = p.length;

        if (!is_direct(m, p.region, write)) {
            size = piece_size(m, p.region, p.offset, p.length);
            result |= one_chunk(m, &p, ATTRS_UNSPECIFIED, bytes + done, size, write);
        } else if (write) {
            write_memory(m, (unsigned)p.region, p.offset, bytes + done, size);
        } else {
            for (uint64_t i = 0; i < size; i++) {
                bytes[done + i] = memory_byte(m, (unsigned)p.region, p.offset + i);
            }
        }
        done += size;
    }
    return result;
}

/* R-CCH-4: nobody is told. */
static void move_fast(struct model *m, const struct cache *k, uint64_t offset, uint8_t *bytes, uint64_t count,
                      bool write)
{
    for (uint64_t i = 0; i < count; i++) {
        if (write) {
            memory_store(m, (unsigned)k->region, k->offset + offset + i, bytes[i]);
        } else {
            bytes[i] = memory_byte(m, (unsigned)k->region, k->offset + offset + i);
        }
    }
    if (write) {
        observation_touch(m->expected, k->region, k->offset + offset, count);
    }
}

static uint32_t move(struct model *m, const struct cache *k, uint64_t offset, uint8_t *bytes, uint64_t count, bool slow,
                     bool write)
{
    if (!k->has_pointer || slow) {
        return move_slow(m, k, offset, bytes, count, write);
    }
    move_fast(m, k, offset, bytes, count, write);
    return 0;
}

static uint32_t scalar(struct model *m, const struct trace_step *s, bool write, uint64_t *value)
{
    const struct cache *const k = &m->caches[s->a];
    const struct scalar how = access_scalar((unsigned)s->n);
    const uint32_t attrs = access_attrs(s->c);
    uint8_t bytes[8];

    if (!k->has_pointer || s->b == CACHE_SLOW) {
        const struct place_found p =
            place_in_cache(m, k, s->v.absolute, how.size, write ? TO_STORE : TO_READ, attrs);

        return access_scalar_at(m, &p, how, attrs, write, value);
    }
    for (unsigned i = 0; i < how.size && write; i++) {
        bytes[i] = (uint8_t)(*value >> 8 * (how.order == SCALAR_BIG ? how.size - 1 - i : i));
    }
    move_fast(m, k, s->v.absolute, bytes, how.size, write);
    if (!write) {
        *value = 0;
    }
    for (unsigned i = 0; i < how.size && !write; i++) {
        *value |= (uint64_t)bytes[i] << 8 * (how.order == SCALAR_BIG ? how.size - 1 - i : i);
    }
    return 0;           /* R-CCH-5 */
}

static uint32_t write_data(struct model *m, const struct trace_step *s)
{
    uint8_t *const bytes = access_data(s->n, s->w.absolute);
    const uint32_t result =
        move(m, &m->caches[s->a], s->v.absolute, bytes, s->w.absolute, s->b == CACHE_SLOW, true);

    free(bytes);
    return result;
}

/* R-CCH-10 */
static void destroy(struct model *m, unsigned slot)
{
    m->caches[slot].live = false;
    slot_list_remove(&m->live_caches, slot);
    views_let_go(m);
    owners_bury(m);
}

void cache_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    const struct cache *const k = &m->caches[s->a];
    uint64_t value = s->w.absolute;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_CACHE:
        make(m, s, expected);
        break;
    case TRACE_OP_CACHE_READ:
        expected->result = move(m, k, s->v.absolute, observation_bytes(expected, s->w.absolute), s->w.absolute,
                                s->n == CACHE_SLOW, false);
        break;
    case TRACE_OP_CACHE_WRITE:
        expected->result = write_data(m, s);
        break;
    case TRACE_OP_CACHE_LOAD:
        expected->result = scalar(m, s, false, &expected->value);
        break;
    case TRACE_OP_CACHE_STORE:
        expected->result = scalar(m, s, true, &value);
        break;
    case TRACE_OP_CACHE_INVALIDATE:
        if (k->has_pointer) {           /* R-CCH-9 */
            dirty_written(m, (unsigned)k->region, k->offset + s->v.absolute, s->w.absolute);
        }
        break;
    case TRACE_OP_CACHE_DESTROY:
        destroy(m, s->a);
        break;
    default:
        abort();
    }
}

size_t model_caches(const struct model *m, const uint16_t **slots)
{
    *slots = m->live_caches.slots;
    return m->live_caches.count;
}

bool model_cache(const struct model *m, unsigned slot, struct model_cache *out)
{
    const struct cache *const k = slot < TRACE_CACHES ? &m->caches[slot] : NULL;

    if (!k || !k->live) {
        return false;
    }
    *out = (struct model_cache){
        .length = k->length, .region = k->region, .offset = k->offset, .is_write = k->is_write,
    };
    return true;
}
