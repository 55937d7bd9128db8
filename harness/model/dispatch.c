/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One access of one region: R-DSP, R-EVM, and what the test devices of access.h answer. */
#include "model/access_state.h"

static uint64_t swapped(uint64_t value, unsigned size)
{
    uint64_t out = 0;

    for (unsigned i = 0; i < size; i++) {
        out = out << 8 | (value >> 8 * i & 0xff);
    }
    return out;
}

static struct event *tell(struct model *m, enum event_kind kind, unsigned region)
{
    struct event e;

    event_init(&e, kind);
    e.region = (int)region;
    event_log_append(m->out, &e);
    return &m->out->events[m->out->count - 1];
}

/* --- the test device ------------------------------------------------------------- */

static uint64_t stored_value(const struct region *r, uint64_t offset, unsigned width)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++) {
        const uint64_t byte = r->store[(offset + i) % DEVICE_STORE];

        value |= byte << 8 * (r->shape.traits & DEVICE_BIG ? width - 1 - i : i);
    }
    return value;
}

static void keep_value(struct region *r, uint64_t offset, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        r->store[(offset + i) % DEVICE_STORE] =
            (uint8_t)(value >> 8 * (r->shape.traits & DEVICE_BIG ? width - 1 - i : i));
    }
}

/* Taken away before it runs: what it does may come back to the same device.  Returns whether the callback fails. */
static bool run_script(struct model *m, unsigned region, uint32_t *result)
{
    struct region *const r = &m->regions[region];
    const struct script s = r->script;
    struct event *e;
    uint64_t value = 0;
    uint8_t bytes[8];
    uint32_t nested;

    r->script.kind = SCRIPT_NONE;
    switch (s.kind) {
    case SCRIPT_READ:
    case SCRIPT_WRITE:
        if (!m->spaces[s.space].live) {
            return false;
        }
        for (unsigned i = 0; i < 8; i++) {
            bytes[i] = s.kind == SCRIPT_WRITE ? access_data_byte(0, i) : ACCESS_UNTOUCHED;
        }
        nested = access_buffer(m, s.space, s.address, ATTRS_UNSPECIFIED, bytes, 8, s.kind == SCRIPT_WRITE);
        for (unsigned i = 0; i < 8 && s.kind == SCRIPT_READ; i++) {
            value |= (uint64_t)bytes[i] << 8 * i;
        }
        e = tell(m, EVENT_NESTED, region);
        e->result = nested;
        e->data = value;
        return false;
    case SCRIPT_TOGGLE:
        if (m->regions[s.region].live) {
            region_set_enabled(m, s.region, !m->regions[s.region].enabled);
        }
        return false;
    case SCRIPT_FAIL:
        *result = (uint32_t)s.address;
        return true;
    default:
        return false;
    }
}

/* One call of a data callback.  *value is read or written. */
static uint32_t call_device(struct model *m, unsigned region, uint64_t offset, unsigned width, uint32_t attrs,
                            bool write, uint64_t *value)
{
    struct region *const r = &m->regions[region];
    const uint32_t traits = r->shape.traits;
    /* R-DSP-5: the plain callback wins where both are. */
    const bool with_attrs = write ? (traits & DEVICE_ATTRS_WRITE) && !(traits & DEVICE_BOTH_WRITE)
                                  : (traits & DEVICE_ATTRS_READ) && !(traits & DEVICE_BOTH_READ);
    struct event *const e = tell(m, write ? EVENT_DEVICE_WRITE : EVENT_DEVICE_READ, region);
    uint32_t result;

    e->offset = offset;
    e->size = width;
    e->attrs = with_attrs ? attrs : 0;
    e->data = write ? access_cut(*value, width) : 0;
    const uint64_t counter = r->counter++;
    result = device_result(traits, counter);
    run_script(m, region, &result);
    if (write && traits & DEVICE_BYTES) {
        keep_value(r, offset, width, *value);
    } else if (!write) {
        *value = traits & DEVICE_BYTES ? stored_value(r, offset, width) : device_value(region, offset, width, counter);
    }
    return with_attrs ? result : 0;
}

/* --- dispatch ------------------------------------------------------------------------ */

/* R-DSP-2, in its order. */
bool dispatch_valid(struct model *m, unsigned region, uint64_t offset, unsigned size, uint32_t attrs, bool write)
{
    const struct region *const r = &m->regions[region];
    const struct device_shape *const s = &r->shape;

    if (s->traits & DEVICE_PICKY) {
        struct event *const e = tell(m, EVENT_DEVICE_ACCEPTS, region);

        e->offset = offset;
        e->size = size;
        e->attrs = attrs;
        e->number = write;
        if (!device_accepts(offset, size, write, attrs)) {
            return false;
        }
    }
    if (!(s->traits & DEVICE_UNALIGNED) && offset % size != 0) {
        return false;
    }
    return s->valid_max == 0 || (size <= s->valid_max && size >= s->valid_min);
}

/* R-EVM: `value` is in the device's order. */
static bool signal_eventfd(struct model *m, unsigned region, uint64_t offset, unsigned size, uint64_t value)
{
    const struct eventfd_list *const l = &m->regions[region].eventfds;

    for (size_t i = 0; i < l->count; i++) {
        const struct eventfd *const e = &l->entries[i];
        const uint64_t data = m->profile == MODEL_PROFILE_MEMCORE ? access_cut(e->data, size) : e->data; /* R-EVM-4 */

        if (e->address == offset && (e->size == 0 || (e->size == size && (!e->match_data || data == value)))) {
            m->signals[e->notifier]++;
            return true;
        }
    }
    return false;
}

/* R-DSP-7: bits of piece i of width w within a value of s bytes. */
static uint64_t shifted(uint64_t value, int by)
{
    return by >= 64 || by <= -64 ? 0 : by >= 0 ? value << by : value >> -by;
}

static uint32_t pieces(struct model *m, unsigned region, uint64_t offset, unsigned size, uint32_t attrs, bool write,
                       uint64_t *value)
{
    const struct device_shape s = m->regions[region].shape;
    const unsigned least = s.impl_min ? s.impl_min : 1, most = s.impl_max ? s.impl_max : 4;
    unsigned width = size < most ? size : most;
    uint64_t whole = 0;
    uint32_t result = 0;

    width = width > least ? width : least;      /* R-DSP-6: the minimum wins */
    for (unsigned i = 0; i < size; i += width) {
        const int by = s.traits & DEVICE_BIG ? 8 * ((int)size - (int)width - (int)i) : 8 * (int)i;
        uint64_t piece = access_cut(shifted(*value, -by), width);

        result |= call_device(m, region, offset + i, width, attrs, write, &piece);
        if (!write) {
            whole |= shifted(access_cut(piece, width), by);
        }
    }
    if (!write) {
        *value = m->profile == MODEL_PROFILE_MEMCORE ? access_cut(whole, size) : whole;     /* R-DSP-9 */
    }
    return result;
}

bool ram_device_serves(const struct region *r, uint64_t offset, uint64_t size)
{
    const uint64_t end = r->size < r->block_length ? (uint64_t)r->size : r->block_length;

    return offset <= end && size <= end - offset;
}

static uint32_t dispatch_memory(struct model *m, unsigned region, uint64_t offset, unsigned size, bool swap, bool write,
                                uint64_t *value)
{
    const struct region *const r = &m->regions[region];

    if (!ram_device_serves(r, offset, size)) {
        *value = write ? *value : 0;
        return DECODE_ERROR;
    }
    if (write) {
        const uint64_t data = access_cut(swap ? swapped(*value, size) : *value, size);

        if (signal_eventfd(m, region, offset, size, data)) {
            return 0;
        }
        for (unsigned i = 0; i < size; i++) {
            memory_store(m, region, offset + i, (uint8_t)(data >> 8 * i));
        }
        observation_touch(m->expected, (int)region, offset, size);
        return 0;
    }
    *value = 0;
    for (unsigned i = 0; i < size; i++) {
        *value |= (uint64_t)memory_byte(m, region, offset + i) << 8 * i;
    }
    *value = swap ? swapped(*value, size) : *value;
    return 0;
}

uint32_t dispatch(struct model *m, int region, uint64_t offset, unsigned size, bool swap, uint32_t attrs, bool write,
                  uint64_t *value)
{
    const struct region *r;
    bool fix;

    while (region != NO_SLOT && m->regions[region].kind == KIND_ALIAS) {        /* R-DSP-1 */
        offset += m->regions[region].alias_offset;
        region = m->regions[region].target;
    }
    r = region == NO_SLOT ? NULL : &m->regions[region];
    if (r && r->kind == KIND_RAM_DEVICE) {
        return dispatch_memory(m, (unsigned)region, offset, size, swap, write, value);
    }
    if (!r || (r->kind != KIND_IO && r->kind != KIND_ROM_DEVICE) ||
        !dispatch_valid(m, (unsigned)region, offset, size, attrs, write)) {
        *value = write ? *value : 0;
        return DECODE_ERROR;                    /* R-DSP-3 */
    }
    fix = swap != ((r->shape.traits & DEVICE_BIG) != 0);        /* R-DSP-12 */
    if (write) {
        uint64_t data = access_cut(*value, size);

        data = fix ? swapped(data, size) : data;
        return signal_eventfd(m, (unsigned)region, offset, size, data)
                   ? 0 : pieces(m, (unsigned)region, offset, size, attrs, true, &data);
    }
    *value = 0;
    const uint32_t result = pieces(m, (unsigned)region, offset, size, attrs, false, value);

    *value = fix ? swapped(*value, size) : *value;
    return result;
}
