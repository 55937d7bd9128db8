/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers moved piece by piece: R-ACC, R-VAL. */
#include "model/access_state.h"

enum { UNASSIGNED_MAX = 4, RAM_DEVICE_MAX = 8 };

void flush_before(struct model *m, int region)
{
    struct event e;

    if (region != NO_SLOT && m->regions[region].flushes) {
        event_init(&e, EVENT_COALESCED_FLUSH);
        event_log_append(m->out, &e);
    }
}

/* R-ACC-9: the bytes, then the pages of whoever logs. */
void write_memory(struct model *m, unsigned region, uint64_t offset, const uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        memory_store(m, region, offset + i, bytes[i]);
    }
    dirty_written(m, region, offset, count);
    observation_touch(m->expected, (int)region, offset, count);
}

/* R-ACC-3 */
uint64_t piece_size(const struct model *m, int region, uint64_t offset, uint64_t length)
{
    const struct region *const r = region == NO_SLOT ? NULL : &m->regions[region];
    const bool device = r && (r->kind == KIND_IO || r->kind == KIND_ROM_DEVICE);
    uint64_t most = UNASSIGNED_MAX, size = 1;
    bool unaligned = false;

    if (r && r->kind == KIND_RAM_DEVICE) {      /* R-RGN-6 */
        most = RAM_DEVICE_MAX;
        unaligned = true;
    } else if (device) {
        most = r->shape.valid_max ? r->shape.valid_max : UNASSIGNED_MAX;
        unaligned = r->shape.traits & DEVICE_IMPL_UNALIGNED;
    }
    if (!unaligned && offset != 0 && (offset & -offset) < most) {
        most = offset & -offset;
    }
    most = length < most ? length : most;
    while (size * 2 <= most) {
        size *= 2;
    }
    return size;
}

uint32_t one_chunk(struct model *m, const struct place_found *p, uint32_t attrs, uint8_t *bytes, uint64_t count,
                          bool write)
{
    uint64_t value = 0;
    uint32_t result;

    for (uint64_t i = 0; i < count && write; i++) {
        value |= (uint64_t)bytes[i] << 8 * i;
    }
    flush_before(m, p->region);
    result = dispatch(m, p->region, p->offset, (unsigned)count, false, attrs, write, &value);
    for (uint64_t i = 0; i < count && !write; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);   /* R-ACC-6, R-ACC-7 */
    }
    return result;
}

/* R-ACC-12 */
static bool forbidden(const struct model *m, int region, uint32_t attrs)
{
    return attrs & ATTRS_MEMORY && !(region != NO_SLOT && region_is_ram(&m->regions[region]));
}

/* A caller's buffer.  One that is guest memory changes with that, and that with it (R-ACC-19). */
struct buffer {
    uint8_t *bytes;
    uint64_t count;
    int region;                 /* whose memory it is, from `offset` on; NO_SLOT: nobody's */
    uint64_t offset;
    bool translated;            /* the first piece was found by the caller, so that it cannot end all (R-ACC-18) */
};

static void buffer_fetch(struct model *m, const struct buffer *b, uint64_t from, uint64_t count)
{
    for (uint64_t i = from; b->region != NO_SLOT && i < from + count; i++) {
        b->bytes[i] = memory_byte(m, (unsigned)b->region, b->offset + i);
    }
}

/* The memory is that of a buffer: nobody marks it. */
static void buffer_keep(struct model *m, const struct buffer *b, uint64_t from, uint64_t count)
{
    if (b->region == NO_SLOT) {
        return;
    }
    for (uint64_t i = from; i < from + count; i++) {
        memory_store(m, (unsigned)b->region, b->offset + i, b->bytes[i]);
    }
    observation_touch(m->expected, b->region, b->offset + from, count);
}

static uint32_t one_piece(struct model *m, const struct place_found *p, uint32_t attrs, const struct buffer *b,
                          uint64_t from, uint64_t count, bool write)
{
    uint8_t *const bytes = b->bytes + from;
    uint32_t result = 0;

    if (write) {
        buffer_fetch(m, b, from, count);
    }
    if (!is_direct(m, p->region, write)) {
        result = one_chunk(m, p, attrs, bytes, count, write);
    } else if (write) {
        write_memory(m, (unsigned)p->region, p->offset, bytes, count);
    } else {
        for (uint64_t i = 0; i < count; i++) {
            bytes[i] = memory_byte(m, (unsigned)p->region, p->offset + i);
        }
    }
    if (!write) {
        buffer_keep(m, b, from, count);
    }
    return result;
}

static uint32_t move_buffer(struct model *m, unsigned space, uint64_t address, uint32_t attrs, const struct buffer *b,
                            bool write)
{
    /* R-LCK-4: the view it began with, whatever callbacks do to the map. */
    const struct view *const v = &m->spaces[space].view->view;
    uint32_t result = 0;

    for (uint64_t done = 0; done < b->count;) {
        const struct place_found p =
            place_find(m, v, address + done, b->count - done, write ? TO_WRITE : TO_READ, attrs);
        uint64_t size = p.length;

        if (!forbidden(m, p.region, attrs)) {
            size = is_direct(m, p.region, write) ? size : piece_size(m, p.region, p.offset, size);
            result |= one_piece(m, &p, attrs, b, done, size, write);
        } else if (done == 0 && !b->translated) {
            return ACCESS_ERROR;
        } else {
            result |= ACCESS_ERROR;
        }
        done += size;
    }
    return result;
}

/* R-ACC-14, R-ACC-15: past anybody who would refuse, except for a host that cannot write there itself. */
static void move_past_rom(struct model *m, unsigned space, uint64_t address, uint32_t attrs, const struct buffer *b)
{
    for (uint64_t done = 0; done < b->count;) {
        const struct place_found p =
            place_find(m, &m->spaces[space].view->view, address + done, b->count - done, TO_WRITE, attrs);
        uint64_t size = p.length;

        if (!is_memory(m, p.region)) {
            size = piece_size(m, p.region, p.offset, p.length);
        } else if (!m->regions[p.region].mapped_readonly) {
            buffer_fetch(m, b, done, size);
            write_memory(m, (unsigned)p.region, p.offset, b->bytes + done, size);
        }
        done += size;
    }
}

uint32_t access_buffer(struct model *m, unsigned space, uint64_t address, uint32_t attrs, uint8_t *bytes,
                       uint64_t count, bool write)
{
    const struct buffer b = { .bytes = bytes, .count = count, .region = NO_SLOT };

    return move_buffer(m, space, address, attrs, &b, write);
}

uint32_t access_read_translated(struct model *m, unsigned space, uint64_t address, uint32_t attrs, uint8_t *bytes,
                                uint64_t count)
{
    const struct buffer b = { .bytes = bytes, .count = count, .region = NO_SLOT, .translated = true };

    return move_buffer(m, space, address, attrs, &b, false);
}

void access_write_rom(struct model *m, unsigned space, uint64_t address, uint32_t attrs, uint8_t *bytes, uint64_t count)
{
    const struct buffer b = { .bytes = bytes, .count = count, .region = NO_SLOT };

    move_past_rom(m, space, address, attrs, &b);
}

uint32_t access_move(struct model *m, const struct trace_step *s)
{
    uint8_t bytes[TRACE_BUFFER_MAX];
    const struct buffer b = { .bytes = bytes, .count = (uint64_t)s->n, .region = s->b, .offset = s->w.absolute };

    if (s->c != MOVE_WRITE_ROM) {
        return move_buffer(m, s->a, s->v.absolute, 0, &b, s->c == MOVE_WRITE || s->c == MOVE_WRITE_RW);
    }
    move_past_rom(m, s->a, s->v.absolute, 0, &b);
    return 0;
}

/* R-VAL, with the chunks of the access itself (R-VAL-3). */
bool access_valid(struct model *m, unsigned space, uint64_t address, uint64_t count, bool write, uint32_t attrs)
{
    const struct view *const v = &m->spaces[space].view->view;

    for (uint64_t done = 0; done < count;) {
        const struct place_found p = place_find(m, v, address + done, count - done, write ? TO_WRITE : TO_READ, attrs);
        const struct region *const r = p.region == NO_SLOT ? NULL : &m->regions[p.region];
        uint64_t size = p.length;

        if (!is_direct(m, p.region, write)) {
            const bool device = r && (r->kind == KIND_IO || r->kind == KIND_ROM_DEVICE);

            size = piece_size(m, p.region, p.offset, p.length);
            if (!(r && r->kind == KIND_RAM_DEVICE && ram_device_serves(r, p.offset, size)) &&
                !(device && dispatch_valid(m, (unsigned)p.region, p.offset, (unsigned)size, attrs, write))) {
                return false;
            }
        }
        done += size;
    }
    return true;
}
