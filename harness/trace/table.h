/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace language's tables, for everything that handles steps without
 * knowing each operation: codec, text form, mutator, minimiser, emitters.
 *
 * A step's fields are addressed by slot, and the table says for every operation
 * which slots it uses and what type of operand each holds.  What a type *means*
 * (its range, its text) is known to operand.c alone.
 */
#ifndef HARNESS_TRACE_TABLE_H
#define HARNESS_TRACE_TABLE_H

#include "trace/trace.h"

enum trace_operand_kind {
    TRACE_KIND_OBJECT,
    TRACE_KIND_OBJECT_OR_NONE,
    TRACE_KIND_VALUE,
    TRACE_KIND_INTEGER,
    TRACE_KIND_WORDS,
    TRACE_KIND_FLAGS,
};

enum trace_type {
#define OBJECT(type, letter, slots) TRACE_TYPE_##type,
#define OBJECT_OR_NONE(type, letter, slots) TRACE_TYPE_##type,
#define VALUE(type, lowest, highest) TRACE_TYPE_##type,
#define INTEGER(type, lowest, highest) TRACE_TYPE_##type,
#define WORDS(type, ...) TRACE_TYPE_##type,
#define FLAGS(type, ...) TRACE_TYPE_##type,
#include "trace/operand.def"
#undef OBJECT
#undef OBJECT_OR_NONE
#undef VALUE
#undef INTEGER
#undef WORDS
#undef FLAGS
    TRACE_TYPE_COUNT,
};

/* One line of operand.def.  Members that a kind does not use are zero. */
struct trace_operand_type {
    const char *name;               /* "newregion" */
    enum trace_type type;
    enum trace_operand_kind kind;
    const char *letter;             /* objects: "r" */
    uint32_t slots;                 /* objects: how many there are; also what "none" is stored as */
    uint64_t lowest, highest;       /* values, and integers as two's complement; both ends are allowed */
    const char *const *words;       /* words and flags: word i stands for i, or for bit i */
    uint32_t word_count;
};
extern const struct trace_operand_type trace_operand_types[TRACE_TYPE_COUNT];

/* The part of a step that an operand is stored in. */
enum trace_slot {
    TRACE_SLOT_A,
    TRACE_SLOT_B,
    TRACE_SLOT_C,
    TRACE_SLOT_N,
    TRACE_SLOT_V,
    TRACE_SLOT_W,
    TRACE_SLOT_COUNT,
};

/* What operation `op` keeps in `slot`; NULL if it does not use the slot. */
const struct trace_operand_type *trace_operand_of(enum trace_op op, enum trace_slot slot);

/* A pattern, cut up: a literal word, or (word == NULL) an operand. */
struct trace_piece {
    const char *word;
    size_t length;
    enum trace_slot slot;
    const struct trace_operand_type *type;
};
/* The pieces of op's pattern in text order. */
const struct trace_piece *trace_pattern_of(enum trace_op op, size_t *count);

/* Operation of that mnemonic, or TRACE_OP_COUNT. */
enum trace_op trace_op_by_mnemonic(const char *word, size_t length);

/* The operations of a set of groups in table order: what a record's op byte counts.  Returns how many. */
size_t trace_ops_of_groups(uint32_t groups, uint8_t ops[TRACE_OP_COUNT]);

#define TRACE_GROUP_BIT(group) (UINT32_C(1) << (group))
#define TRACE_GROUPS_ALL (TRACE_GROUP_BIT(TRACE_GROUP_COUNT) - 1)

/* The groups of the operations in the trace, and the tree. */
uint32_t trace_groups_needed(const struct trace *t);

/* Room for `count` steps, contents kept up to t->count. */
void trace_reserve(struct trace *t, size_t count);

/* The set of I-23: what TRACE_VALUE_BOUNDARY counts through. */
enum { TRACE_BOUNDARY_COUNT = 10 };
extern const uint64_t trace_boundary_values[TRACE_BOUNDARY_COUNT];

#endif
