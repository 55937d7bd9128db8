/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mutate/needs.h"

#include <string.h>

#include "model/block.h"
#include "trace/table.h"

enum { NEEDS_MAX = 4 };

/* operand.def: what an operation makes is named "new" and what others name. */
static bool makes(enum trace_op op, const char *name)
{
    for (int slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
        const struct trace_operand_type *type = trace_operand_of(op, slot);

        if (type && !strncmp(type->name, "new", 3) && !strcmp(type->name + 3, name)) {
            return true;
        }
    }
    return false;
}

static enum trace_op maker_of(const struct trace_operand_type *type)
{
    if (!type || type->kind != TRACE_KIND_OBJECT || !strcmp(type->name, "region")) {
        return TRACE_OP_COUNT;          /* regions are everywhere */
    }
    for (int op = 0; op < TRACE_OP_COUNT; op++) {
        if (makes(op, type->name)) {
            return op;
        }
    }
    return TRACE_OP_COUNT;
}

struct needs {
    uint8_t makers[NEEDS_MAX];
    uint8_t count;
};

/* All needs of all operations, found out once: engines ask millions of times. */
static const struct needs *needs_of(enum trace_op op)
{
    static struct needs table[TRACE_OP_COUNT];
    static bool filled;

    for (int each = 0; !filled && each < TRACE_OP_COUNT; each++) {
        struct needs *n = &table[each];

        for (int slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
            const enum trace_op maker = maker_of(trace_operand_of(each, slot));

            if (maker != TRACE_OP_COUNT && n->count < NEEDS_MAX) {
                n->makers[n->count++] = (uint8_t)maker;
            }
        }
        /* A region like others to the language, but no other will do. */
        if (trace_op_table[each].group == TRACE_GROUP_IOMMU && each != TRACE_OP_IOMMU && n->count < NEEDS_MAX) {
            n->makers[n->count++] = TRACE_OP_IOMMU;
        }
        if (trace_op_table[each].group == TRACE_GROUP_DISCARD && each != TRACE_OP_MANAGE &&
            each != TRACE_OP_DISCARD_POLICY && n->count < NEEDS_MAX) {
            n->makers[n->count++] = TRACE_OP_MANAGE;
        }
        /* RAM begins dirty (R-DIRTY-10): until pages are cleaned nobody has code in them, nor sees what is marked. */
        if ((each == TRACE_OP_CODE_TRACKING || each == TRACE_OP_LOG) && n->count < NEEDS_MAX) {
            n->makers[n->count++] = TRACE_OP_DIRTY_CLEAR;
        }
        if (block_may_fail((unsigned)each) && n->count < NEEDS_MAX) {
            n->makers[n->count++] = TRACE_OP_FAIL;
        }
    }
    filled = true;
    return &table[op];
}

static bool stands_before(const struct trace *t, size_t at, enum trace_op op)
{
    for (size_t i = 0; i < at; i++) {
        if (t->steps[i].op == op) {
            return true;
        }
    }
    return false;
}

enum trace_op mutate_needs(const struct trace *t, size_t at, enum trace_op op)
{
    const struct needs *n = needs_of(op);

    for (unsigned i = 0; i < n->count; i++) {
        const enum trace_op maker = n->makers[i];

        if (t->groups & TRACE_GROUP_BIT(trace_op_table[maker].group) && !stands_before(t, at, maker)) {
            return maker;
        }
    }
    return TRACE_OP_COUNT;
}
