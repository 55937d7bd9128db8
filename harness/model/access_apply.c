/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of the groups `device` and `access`: R-SCL, R-TRN-12, and what the other files of the chapter do. */
#include <stdlib.h>
#include <string.h>

#include "exec/cpu-common.h"
#include "model/access_state.h"

enum { SET_PIECE = 512, IOMMU_READ_WRITE = 3 };

uint8_t *access_data(int64_t seed, uint64_t count)
{
    uint8_t *const bytes = malloc(count ? count : 1);

    if (!bytes) {
        abort();
    }
    for (uint64_t i = 0; i < count; i++) {
        bytes[i] = access_data_byte(seed, i);
    }
    return bytes;
}

static void apply_device(struct model *m, const struct trace_step *s)
{
    struct region *const r = region_new(m, s->a, KIND_IO, s->v.absolute, s->b, NAMING_PLAIN);

    r->shape = device_shape((unsigned)s->n, s->c, s->w.absolute);
    r->big_endian = r->shape.traits & DEVICE_BIG;
}

static uint32_t write_data(struct model *m, const struct trace_step *s)
{
    uint8_t *const bytes = access_data(s->n, s->w.absolute);
    uint32_t result = 0;

    if (s->op == TRACE_OP_WRITE_ROM) {
        access_write_rom(m, s->a, s->v.absolute, access_attrs(s->c), bytes, s->w.absolute);
    } else {
        result = access_buffer(m, s->a, s->v.absolute, access_attrs(s->c), bytes, s->w.absolute, true);
    }
    free(bytes);
    return result;
}

/* R-ACC-17 */
static uint32_t set_bytes(struct model *m, const struct trace_step *s)
{
    uint8_t piece[SET_PIECE];
    uint32_t result = 0;

    memset(piece, (uint8_t)s->n, sizeof(piece));
    for (uint64_t done = 0; done < s->w.absolute; done += SET_PIECE) {
        const uint64_t rest = s->w.absolute - done;

        result |= access_buffer(m, s->a, s->v.absolute + done, access_attrs(s->c), piece,
                                rest < SET_PIECE ? rest : SET_PIECE, true);
    }
    return result;
}

/* R-SCL, where the address is already translated for how.size bytes. */
uint32_t access_scalar_at(struct model *m, const struct place_found *p, struct scalar how, uint32_t attrs, bool write,
                          uint64_t *value)
{
    const bool big = how.order == SCALAR_BIG;
    uint8_t bytes[8];

    if (is_memory(m, p->region) && p->length < how.size) {      /* R-SCL-3; others are not cut: R-SCL-4 */
        flush_before(m, p->region);
        *value = write ? *value : 0;
        return DECODE_ERROR;
    }
    if (!is_direct(m, p->region, write)) {
        flush_before(m, p->region);
        return dispatch(m, p->region, p->offset, how.size, big, attrs, write, value);
    }
    if (!write) {
        *value = 0;
    }
    for (unsigned i = 0; i < how.size; i++) {
        const unsigned by = 8 * (big ? how.size - 1 - i : i);

        bytes[i] = (uint8_t)(*value >> by);
        if (!write) {
            *value |= (uint64_t)memory_byte(m, (unsigned)p->region, p->offset + i) << by;
        }
    }
    if (write) {
        write_memory(m, (unsigned)p->region, p->offset, bytes, how.size);
    }
    return 0;
}

static uint32_t scalar(struct model *m, const struct trace_step *s, bool write, uint64_t *value)
{
    const struct scalar how = access_scalar((unsigned)s->n);
    const uint32_t attrs = s->b == SCALAR_PHYS ? ATTRS_UNSPECIFIED : access_attrs(s->c);
    const struct place_found p = place_find(m, &m->spaces[s->a].view->view, s->v.absolute, how.size,
                                            write ? TO_STORE : TO_READ, attrs);

    return access_scalar_at(m, &p, how, attrs, write, value);
}

/* R-TRN-11, R-TRN-12, by exact bytes (R-TRN-14). */
static void iotlb(struct model *m, const struct trace_step *s, struct observation *expected)
{
    const struct place_found p = place_find(m, &m->spaces[s->a].view->view, s->v.absolute, UINT64_MAX,
                                            s->n == DIRECTION_WRITING ? TO_WRITE : TO_READ, access_attrs(s->c));
    const uint64_t mask = p.space == NO_SLOT ? TARGET_PAGE_SIZE - 1 : p.mask;

    if (p.region == NO_SLOT) {
        return;
    }
    expected->target_space = p.space == NO_SLOT ? s->a : p.space;
    expected->value = mask;
    expected->numbers[0] = s->v.absolute & ~mask;
    expected->numbers[1] = p.address & ~mask;
    expected->numbers[2] = IOMMU_READ_WRITE;
}

static void apply_other(struct model *m, const struct trace_step *s, struct observation *expected)
{
    switch (trace_op_table[s->op].group) {
    case TRACE_GROUP_MAP:
        mapping_apply(m, s, expected);
        break;
    case TRACE_GROUP_CACHE:
        cache_apply(m, s, expected);
        break;
    case TRACE_GROUP_IOMMU:
        iommu_apply(m, s, expected);
        break;
    default:
        abort();
    }
}

static void apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    const uint32_t attrs = access_attrs(s->c);
    struct scalar memop;
    uint8_t *bytes;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_DEVICE:
        apply_device(m, s);
        break;
    case TRACE_OP_SCRIPT:
        m->regions[s->a].script =
            (struct script){ .kind = (enum script_kind)s->n, .region = s->b, .space = s->c, .address = s->v.absolute };
        break;
    case TRACE_OP_FLUSH_ROM:
        dirty_written(m, s->a, s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_READ:
        bytes = observation_bytes(expected, s->w.absolute);
        expected->result = s->n == READ_TRANSLATED
                               ? access_read_translated(m, s->a, s->v.absolute, attrs, bytes, s->w.absolute)
                               : access_buffer(m, s->a, s->v.absolute, attrs, bytes, s->w.absolute, false);
        break;
    case TRACE_OP_WRITE:
    case TRACE_OP_WRITE_ROM:
        expected->result = write_data(m, s);
        break;
    case TRACE_OP_SET:
        expected->result = set_bytes(m, s);
        break;
    case TRACE_OP_LOAD:
        expected->result = scalar(m, s, false, &expected->value);
        break;
    case TRACE_OP_STORE: {
        uint64_t value = s->w.absolute;

        expected->result = scalar(m, s, true, &value);
        break;
    }
    case TRACE_OP_VALID:
        expected->truth = access_valid(m, s->a, s->v.absolute, s->w.absolute, s->n == DIRECTION_WRITING, attrs);
        break;
    case TRACE_OP_TRANSLATE: {
        const struct place_found p = place_find(m, &m->spaces[s->a].view->view, s->v.absolute, s->w.absolute,
                                                s->n == DIRECTION_WRITING ? TO_WRITE : TO_READ, attrs);

        expected->loop = p.loop;
        expected->place_region = p.region;
        expected->place_offset = p.offset;
        expected->place_length = p.length;
        break;
    }
    case TRACE_OP_IOTLB:
        iotlb(m, s, expected);
        break;
    case TRACE_OP_DISPATCH_READ:
        memop = access_memop((unsigned)s->n);
        expected->result = dispatch(m, s->a, s->v.absolute, memop.size, memop.order == SCALAR_BIG, attrs, false,
                                    &expected->value);
        break;
    case TRACE_OP_DISPATCH_WRITE: {
        uint64_t value = s->w.absolute;

        memop = access_memop((unsigned)s->n);
        expected->result = dispatch(m, s->a, s->v.absolute, memop.size, memop.order == SCALAR_BIG, attrs, true, &value);
        break;
    }
    case TRACE_OP_MOVE:
        expected->result = access_move(m, s);
        break;
    default:
        apply_other(m, s, expected);
        break;
    }
    if (s->b == SCALAR_PHYS && (s->op == TRACE_OP_LOAD || s->op == TRACE_OP_STORE)) {
        expected->result = 0;           /* R-SCL-7: nobody gets it */
    }
}

void access_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    m->expected = expected;
    memset(m->signals, 0, sizeof(m->signals));
    apply(m, s, expected);
    for (unsigned i = 0; i < TRACE_NOTIFIERS; i++) {
        if (m->signals[i]) {
            struct event e;

            event_init(&e, EVENT_EVENTFD_SIGNAL);
            e.notifier = (int)i;
            e.number = (int)m->signals[i];
            event_log_append(m->out, &e);
        }
    }
    clients_run(m);
    m->expected = NULL;
}
