/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "run/resolve_operand.h"

const struct resolve_limits resolve_limits_fuzz = {
    .regions = 112, .paths = 320, .depth = 4, .per_region = 6,
    .block_bytes = UINT64_C(96) << 30,
};
const struct resolve_limits resolve_limits_wide = {
    .regions = TRACE_REGIONS, .paths = 100000, .depth = 64, .per_region = 64, .block_bytes = UINT64_MAX,
};

void resolver_reset(struct resolver *r, const struct model *model, const struct resolve_limits *limits)
{
    memset(r, 0, sizeof(*r));
    r->model = model;
    r->limits = *limits;
}

void resolver_played(struct resolver *r, const struct trace_step *played)
{
    if (played->op == TRACE_OP_DESTROY) {
        r->space_pending[played->a] = true;
    } else if (played->op == TRACE_OP_GRACE) {
        memset(r->space_pending, 0, sizeof(r->space_pending));
    }
}

/* --- picking --------------------------------------------------------------- */

bool resolve_take(int picked, uint16_t *operand)
{
    *operand = (uint16_t)picked;
    return picked != OBSERVED_NONE;
}

static int pick(const uint16_t *slots, size_t count, unsigned name, const struct query *q, suits_fn suits)
{
    size_t suitable = 0;
    uint16_t which[TRACE_REGIONS];

    for (size_t i = 0; i < count; i++) {
        if (suits && !suits(q, slots[i])) {
            continue;
        }
        if (slots[i] == name) {
            return (int)name;
        }
        which[suitable++] = slots[i];
    }
    return suitable ? which[name % suitable] : OBSERVED_NONE;
}

int resolve_pick_region(const struct query *q, unsigned name, suits_fn suits)
{
    const struct model *m = q->r->model;
    struct model_region region;
    const uint16_t *slots;
    size_t count;

    if (model_region(m, name, &region) && (!suits || suits(q, name))) {
        return (int)name;
    }
    count = model_regions(m, &slots);
    return pick(slots, count, name, q, suits);
}

int resolve_pick_listed(const struct query *q, unsigned name, suits_fn suits,
                       size_t (*list)(const struct model *m, const uint16_t **slots))
{
    const uint16_t *slots;
    size_t count = list(q->r->model, &slots);

    return pick(slots, count, name, q, suits);
}

int resolve_next_free(unsigned name, unsigned slots, const struct query *q, suits_fn is_free)
{
    for (unsigned i = 0; i < slots; i++) {
        unsigned slot = (name + i) % slots;

        if (is_free(q, slot)) {
            return (int)slot;
        }
    }
    return OBSERVED_NONE;
}

bool resolve_region_operand(struct query *q, struct trace_step *out, suits_fn suits, const char **reason,
                            const char *why_not)
{
    *reason = why_not;
    return resolve_take(resolve_pick_region(q, out->a, suits), &out->a);
}

/* --- values ---------------------------------------------------------------- */

static uint64_t decoded_size(wide size)
{
    return size >> 64 ? UINT64_MAX : (uint64_t)size;    /* as memory_region_size, R-REG-2 */
}

static void resolve_value(const struct query *q, struct trace_value *value)
{
    struct model_region region;
    uint64_t absolute = value->absolute;

    if (value->mode != TRACE_VALUE_ABSOLUTE) {
        int slot = resolve_pick_region(q, value->region, NULL);

        absolute = 0;
        if (slot != OBSERVED_NONE && model_region(q->r->model, (unsigned)slot, &region)) {
            uint64_t size = (uint64_t)region.size;      /* 2^64 counts as 0: modulo 2^64 */

            absolute = value->mode == TRACE_VALUE_START ? region.address
                     : value->mode == TRACE_VALUE_END ? region.address + size
                     : decoded_size(region.size);
        }
        absolute += (uint64_t)(int64_t)value->delta;
    }
    *value = (struct trace_value){ .mode = TRACE_VALUE_ABSOLUTE, .absolute = absolute };
}

/* Edge values of allocated sizes may have left the type's range. */
void resolve_bound_value(struct trace_value *value, uint64_t lowest, uint64_t highest)
{
    if (value->absolute < lowest || value->absolute > highest) {
        value->absolute = lowest + (value->absolute - lowest) % (highest - lowest + 1);
    }
}

/* --- steps ----------------------------------------------------------------- */

bool resolve_step(struct resolver *r, const struct trace_step *step, struct trace_step *out, const char **reason)
{
    struct query q = { .r = r, .step = step, .other = OBSERVED_NONE };

    *out = *step;
    resolve_value(&q, &out->v);
    resolve_value(&q, &out->w);
    *reason = "";
    switch (trace_op_table[step->op].group) {
    case TRACE_GROUP_TREE:
    case TRACE_GROUP_MEMORY:
    case TRACE_GROUP_QUERY:
    case TRACE_GROUP_LIFETIME:
        return resolve_regions(&q, out, reason);
    case TRACE_GROUP_SPACES:
    case TRACE_GROUP_TRANSACTION:
    case TRACE_GROUP_LISTENER:
    case TRACE_GROUP_LOGGING:
    case TRACE_GROUP_EVENTFD:
    case TRACE_GROUP_COALESCE:
    case TRACE_GROUP_RECLAIM:
        return resolve_spaces(&q, out, reason);
    case TRACE_GROUP_PRINT:
        return true;
    case TRACE_GROUP_DIRTY:
        return resolve_dirty(&q, out, reason);
    case TRACE_GROUP_DEVICE:
    case TRACE_GROUP_ACCESS:
    case TRACE_GROUP_MAP:
    case TRACE_GROUP_CACHE:
    case TRACE_GROUP_IOMMU:
        return resolve_access(&q, out, reason);
    case TRACE_GROUP_BLOCK:
    case TRACE_GROUP_DISCARD:
    case TRACE_GROUP_FAULT:
        return resolve_blocks(&q, out, reason);
    case TRACE_GROUP_COUNT:
        break;
    }
    abort();
}
