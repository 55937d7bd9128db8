/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/trace.h"

#include <glib.h>
#include <string.h>

#include "trace/operand.h"
#include "trace/table.h"

void trace_init(struct trace *t)
{
    *t = (struct trace){ .groups = TRACE_GROUP_BIT(TRACE_GROUP_TREE) };
}

void trace_free(struct trace *t)
{
    g_free(t->steps);
    trace_init(t);
}

void trace_reserve(struct trace *t, size_t count)
{
    if (count > t->capacity) {
        t->capacity = MAX(count, MAX(t->capacity * 2, 64));
        t->steps = g_renew(struct trace_step, t->steps, t->capacity);
    }
}

void trace_append(struct trace *t, const struct trace_step *step)
{
    struct trace_step copy = *step;     /* it may be one of t's own, which the next line may move */

    trace_reserve(t, t->count + 1);
    t->groups |= TRACE_GROUP_BIT(trace_op_table[copy.op].group);
    t->steps[t->count++] = copy;
}

uint32_t trace_groups_needed(const struct trace *t)
{
    uint32_t groups = TRACE_GROUP_BIT(TRACE_GROUP_TREE);

    for (size_t i = 0; i < t->count; i++) {
        groups |= TRACE_GROUP_BIT(trace_op_table[t->steps[i].op].group);
    }
    return groups;
}

static bool value_equal(const struct trace_value *x, const struct trace_value *y)
{
    return x->mode == y->mode && x->region == y->region && x->delta == y->delta && x->absolute == y->absolute;
}

bool trace_equal(const struct trace *x, const struct trace *y)
{
    if (x->groups != y->groups || x->count != y->count) {
        return false;
    }
    for (size_t i = 0; i < x->count; i++) {
        const struct trace_step *p = &x->steps[i], *q = &y->steps[i];

        if (p->op != q->op || p->a != q->a || p->b != q->b || p->c != q->c || p->n != q->n ||
            !value_equal(&p->v, &q->v) || !value_equal(&p->w, &q->w)) {
            return false;
        }
    }
    return true;
}

void trace_step_canonicalize(struct trace_step *step)
{
    struct trace_step clean = { .op = step->op % TRACE_OP_COUNT, .line = step->line };

    for (enum trace_slot slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
        const struct trace_operand_type *type = trace_operand_of(clean.op, slot);

        if (!type) {
            continue;
        }
        if (type->kind == TRACE_KIND_VALUE) {
            struct trace_value *value = operand_value(&clean, slot);

            *value = *operand_value(step, slot);
            operand_canonicalize_value(value, type);
        } else {
            operand_store(&clean, slot, type, operand_load(step, slot));
        }
    }
    *step = clean;
}
