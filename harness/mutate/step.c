/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mutate/step.h"

#include <string.h>

#include "trace/operand.h"
#include "trace/table.h"

enum {
    OBJECTS_LIKELY = 8, /* small numbers name what exists; all count modulo what there is */
    TRIES = 4,
};

/* --- values ------------------------------------------------------------------ */

static int32_t little(struct random *r)
{
    static const int32_t deltas[] = {0, 0,  0, 0, 1,  -1,    1,      -1,    2,      -2,
                                     4, -4, 7, 8, -8, 0x100, -0x100, 0x800, 0x1000, -0x1000};

    return deltas[random_below(r, sizeof(deltas) / sizeof(deltas[0]))];
}

/* A number that code likes to treat specially, or the neighbour of one. */
static uint64_t special(struct random *r)
{
    switch (random_below(r, 5)) {
    case 0:
        return random_below(r, 97);
    case 1:
        return random_below(r, 64) * 0x100;
    case 2:
        return random_below(r, 16) * 0x1000 + (uint64_t)little(r);
    case 3:
        return (UINT64_C(1) << random_below(r, 64)) + (uint64_t)little(r);
    default:
        return trace_boundary_values[random_below(r, TRACE_BOUNDARY_COUNT)] + (uint64_t)little(r);
    }
}

/* A value of the same slot somewhere else in the trace: two things at one place collide. */
static bool borrow(struct random *r, const struct trace *t, enum trace_slot slot,
                   const struct trace_operand_type *type, struct trace_value *value)
{
    for (int i = 0; i < TRIES && t->count; i++) {
        struct trace_step other = t->steps[random_below(r, t->count)];
        const struct trace_operand_type *has = trace_operand_of(other.op, slot);

        if (has && has->kind == type->kind) {
            *value = *operand_value(&other, slot);
            return true;
        }
    }
    return false;
}

static void edge(struct random *r, struct trace_value *value)
{
    static const uint8_t modes[] = {TRACE_VALUE_START, TRACE_VALUE_END, TRACE_VALUE_SIZE};

    *value = (struct trace_value){
        .mode = modes[random_below(r, 3)],
        .region = (uint16_t)random_below(r, OBJECTS_LIKELY),
        .delta = little(r),
    };
}

static void new_value(struct random *r, const struct trace *t, enum trace_slot slot,
                      const struct trace_operand_type *type, struct trace_value *value)
{
    const struct trace_value before = *value;

    switch (random_below(r, 8)) {
    case 0:
    case 1:
        edge(r, value);
        break;
    case 2:
        if (borrow(r, t, slot, type, value)) {
            break;
        }
        /* fall through */
    case 3:
    case 4:
        *value = (struct trace_value){.mode = TRACE_VALUE_ABSOLUTE, .absolute = special(r)};
        break;
    case 5: /* a little aside */
        if (before.mode == TRACE_VALUE_ABSOLUTE) {
            value->absolute += (uint64_t)(int64_t)little(r);
        } else {
            value->delta += little(r);
        }
        break;
    case 6:
        if (before.mode == TRACE_VALUE_ABSOLUTE) {
            value->absolute ^= UINT64_C(1) << random_below(r, 64);
        } else {
            value->region = (uint16_t)random_below(r, OBJECTS_LIKELY);
        }
        break;
    default:
        *value = (struct trace_value){.mode = TRACE_VALUE_ABSOLUTE,
                                      .absolute = random_bits(r) >> random_below(r, 64)};
        break;
    }
}

/* --- operands ----------------------------------------------------------------- */

static uint64_t new_integer(struct random *r, uint64_t before)
{
    switch (random_below(r, 6)) {
    case 0:
        return before + (uint64_t)(int64_t)little(r);
    case 1:
        return random_bits(r);
    case 2:
        return (uint64_t)(int64_t)(random_one_in(r, 2) ? INT32_MAX : INT32_MIN);
    default:
        return (uint64_t)((int64_t)random_below(r, 5) - 2);
    }
}

static uint64_t new_flags(struct random *r, const struct trace_operand_type *type, uint64_t before)
{
    const uint64_t all = type->word_count < 64 ? (UINT64_C(1) << type->word_count) - 1 : UINT64_MAX;

    switch (random_below(r, 4)) {
    case 0:
        return all;
    case 1:
        return random_bits(r) & all;
    default:
        return before ^ UINT64_C(1) << random_below(r, type->word_count);
    }
}

static void new_operand(struct random *r, const struct trace *t, enum trace_slot slot,
                        const struct trace_operand_type *type, struct trace_step *step)
{
    const uint64_t before = operand_load(step, slot);

    switch (type->kind) {
    case TRACE_KIND_OBJECT:
        operand_store(step, slot, type, random_below(r, random_one_in(r, 8) ? type->slots : OBJECTS_LIKELY));
        break;
    case TRACE_KIND_OBJECT_OR_NONE:
        operand_store(step, slot, type, random_one_in(r, 2) ? type->slots : random_below(r, OBJECTS_LIKELY));
        break;
    case TRACE_KIND_VALUE:
        new_value(r, t, slot, type, operand_value(step, slot));
        operand_canonicalize_value(operand_value(step, slot), type);
        break;
    case TRACE_KIND_INTEGER:
        operand_store(step, slot, type, new_integer(r, before));
        break;
    case TRACE_KIND_WORDS:
        operand_store(step, slot, type, random_below(r, type->word_count));
        break;
    case TRACE_KIND_FLAGS:
        operand_store(step, slot, type, new_flags(r, type, before));
        break;
    }
}

/* The operation's operands, each as new. */
static void fill(struct random *r, const struct trace *t, struct trace_step *step)
{
    for (int slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
        const struct trace_operand_type *type = trace_operand_of(step->op, slot);

        if (type) {
            new_operand(r, t, slot, type, step);
        }
    }
}

static uint8_t new_op(struct random *r, const struct trace *t)
{
    uint8_t ops[TRACE_OP_COUNT];
    size_t count = trace_ops_of_groups(t->groups, ops);

    return ops[random_below(r, count)];
}

void mutate_new_step_of(struct random *r, const struct trace *t, enum trace_op op, struct trace_step *step)
{
    memset(step, 0, sizeof(*step));
    step->op = (uint8_t)op;
    fill(r, t, step);
    trace_step_canonicalize(step);
}

void mutate_new_step(struct random *r, const struct trace *t, struct trace_step *step)
{
    mutate_new_step_of(r, t, new_op(r, t), step);
}

/* Another operation with the same operands, as far as it has them. */
static void change_op(struct random *r, const struct trace *t, struct trace_step *step)
{
    struct trace_step changed = *step;

    changed.op = new_op(r, t);
    for (int slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
        const struct trace_operand_type *had = trace_operand_of(step->op, slot),
                                        *has = trace_operand_of(changed.op, slot);

        if (has && (!had || had->kind != has->kind)) {
            new_operand(r, t, slot, has, &changed);
        } else if (has && has->kind != TRACE_KIND_VALUE) {
            operand_store(&changed, slot, has, operand_load(step, slot));
        }
    }
    *step = changed;
}

void mutate_step(struct random *r, const struct trace *t, struct trace_step *step)
{
    if (random_one_in(r, 8)) {
        change_op(r, t, step);
    } else {
        const struct trace_operand_type *type = NULL;
        size_t slot = random_below(r, TRACE_SLOT_COUNT);

        /* From a random slot on, the first that is in use. */
        for (int i = 0; i < TRACE_SLOT_COUNT && !type; i++) {
            slot = (slot + 1) % TRACE_SLOT_COUNT;
            type = trace_operand_of(step->op, slot);
        }
        if (type) {
            new_operand(r, t, slot, type, step);
        }
    }
    trace_step_canonicalize(step);
}
