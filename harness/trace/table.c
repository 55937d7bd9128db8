/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ops.def and operand.def as arrays; the patterns are cut up once, when the program starts. */
#include "trace/table.h"

#include <stdlib.h>
#include <string.h>

const struct trace_op_info trace_op_table[TRACE_OP_COUNT] = {
#define OP(name, mnemonic, group, pattern, summary) \
    [TRACE_OP_##name] = { #name, mnemonic, TRACE_GROUP_##group, pattern, summary },
#include "trace/ops.def"
#undef OP
};

const char *const trace_group_names[TRACE_GROUP_COUNT] = {
    [TRACE_GROUP_TREE] = "tree",
    [TRACE_GROUP_MEMORY] = "memory",
    [TRACE_GROUP_QUERY] = "query",
    [TRACE_GROUP_SPACES] = "spaces",
    [TRACE_GROUP_TRANSACTION] = "transaction",
    [TRACE_GROUP_LISTENER] = "listener",
    [TRACE_GROUP_LOGGING] = "logging",
    [TRACE_GROUP_EVENTFD] = "eventfd",
    [TRACE_GROUP_COALESCE] = "coalesce",
    [TRACE_GROUP_LIFETIME] = "lifetime",
    [TRACE_GROUP_RECLAIM] = "reclaim",
    [TRACE_GROUP_PRINT] = "print",
    [TRACE_GROUP_DIRTY] = "dirty",
    [TRACE_GROUP_DEVICE] = "device",
    [TRACE_GROUP_ACCESS] = "access",
    [TRACE_GROUP_MAP] = "map",
    [TRACE_GROUP_CACHE] = "cache",
    [TRACE_GROUP_IOMMU] = "iommu",
    [TRACE_GROUP_BLOCK] = "block",
    [TRACE_GROUP_DISCARD] = "discard",
    [TRACE_GROUP_FAULT] = "fault",
};

/* First pass over operand.def: the word lists; the second pass points at them. */
#define OBJECT(type, letter, slots)
#define OBJECT_OR_NONE(type, letter, slots)
#define VALUE(type, lowest, highest)
#define INTEGER(type, lowest, highest)
#define WORDS(type, ...) static const char *const words_of_##type[] = { __VA_ARGS__ };
#define FLAGS(type, ...) static const char *const words_of_##type[] = { __VA_ARGS__ };
#include "trace/operand.def"
#undef OBJECT
#undef OBJECT_OR_NONE
#undef VALUE
#undef INTEGER
#undef WORDS
#undef FLAGS

#define ENTRY(type_, kind_, ...) \
    [TRACE_TYPE_##type_] = { \
        .name = #type_, .type = TRACE_TYPE_##type_, .kind = TRACE_KIND_##kind_, __VA_ARGS__ \
    },
#define WORD_LIST(type) .words = words_of_##type, .word_count = sizeof(words_of_##type) / sizeof(char *)

const struct trace_operand_type trace_operand_types[TRACE_TYPE_COUNT] = {
#define OBJECT(type, letter_, slots_) ENTRY(type, OBJECT, .letter = letter_, .slots = slots_)
#define OBJECT_OR_NONE(type, letter_, slots_) ENTRY(type, OBJECT_OR_NONE, .letter = letter_, .slots = slots_)
#define VALUE(type, lowest_, highest_) ENTRY(type, VALUE, .lowest = lowest_, .highest = highest_)
#define INTEGER(type, lowest_, highest_) \
    ENTRY(type, INTEGER, .lowest = (uint64_t)(int64_t)(lowest_), .highest = (uint64_t)(int64_t)(highest_))
#define WORDS(type, ...) ENTRY(type, WORDS, WORD_LIST(type))
#define FLAGS(type, ...) ENTRY(type, FLAGS, WORD_LIST(type))
#include "trace/operand.def"
#undef OBJECT
#undef OBJECT_OR_NONE
#undef VALUE
#undef INTEGER
#undef WORDS
#undef FLAGS
};

const uint64_t trace_boundary_values[TRACE_BOUNDARY_COUNT] = {
    0,
    1,
    0xfff,
    0x1000,
    UINT64_C(0xffffffff),
    UINT64_C(0x100000000),
    UINT64_C(0x100000001),
    UINT64_C(1) << 63,
    UINT64_MAX - 0xfff,     /* 2^64 - 0x1000 */
    UINT64_MAX,             /* as a size: 2^64 */
};

enum { PIECES_MAX = 12 };

static struct {
    size_t count;
    struct trace_piece pieces[PIECES_MAX];
    const struct trace_operand_type *by_slot[TRACE_SLOT_COUNT];
} patterns[TRACE_OP_COUNT];

/* A mistake in ops.def: every program that links the table says so at once. */
static _Noreturn void bad_pattern(const struct trace_op_info *info, const char *problem)
{
    fprintf(stderr, "ops.def: operation %s: %s in pattern \"%s\"\n", info->name, problem, info->pattern);
    abort();
}

static const struct trace_operand_type *type_by_name(const char *name, size_t length)
{
    for (size_t i = 0; i < TRACE_TYPE_COUNT; i++) {
        const char *candidate = trace_operand_types[i].name;

        if (strlen(candidate) == length && memcmp(candidate, name, length) == 0) {
            return &trace_operand_types[i];
        }
    }
    return NULL;
}

/* Would every value of the type fit into the slot? */
static bool slot_holds(enum trace_slot slot, const struct trace_operand_type *type)
{
    switch (slot) {
    case TRACE_SLOT_A:
    case TRACE_SLOT_B:
    case TRACE_SLOT_C:
        return type->kind == TRACE_KIND_OBJECT || type->kind == TRACE_KIND_OBJECT_OR_NONE ||
               type->kind == TRACE_KIND_WORDS || (type->kind == TRACE_KIND_FLAGS && type->word_count <= 16);
    case TRACE_SLOT_N:
        return type->kind == TRACE_KIND_INTEGER || type->kind == TRACE_KIND_WORDS ||
               (type->kind == TRACE_KIND_FLAGS && type->word_count < 32);
    default:
        return type->kind == TRACE_KIND_VALUE || type->kind == TRACE_KIND_WORDS ||
               (type->kind == TRACE_KIND_FLAGS && type->word_count < 64);
    }
}

/* "{a:region}" */
static void parse_field(enum trace_op op, const char *text, size_t length)
{
    const struct trace_op_info *info = &trace_op_table[op];
    static const char slot_letters[] = "abcnvw";
    const char *letter = length > 4 ? memchr(slot_letters, text[1], TRACE_SLOT_COUNT) : NULL;
    struct trace_piece *piece = &patterns[op].pieces[patterns[op].count];

    if (!letter || text[2] != ':' || text[length - 1] != '}') {
        bad_pattern(info, "malformed field");
    }
    piece->slot = (enum trace_slot)(letter - slot_letters);
    piece->type = type_by_name(text + 3, length - 4);
    if (!piece->type) {
        bad_pattern(info, "unknown operand type");
    }
    if (patterns[op].by_slot[piece->slot]) {
        bad_pattern(info, "slot used twice");
    }
    if (!slot_holds(piece->slot, piece->type)) {
        bad_pattern(info, "operand type that does not fit its slot");
    }
    patterns[op].by_slot[piece->slot] = piece->type;
}

__attribute__((constructor)) static void cut_patterns(void)
{
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        const char *text = trace_op_table[op].pattern;

        while (*text) {
            size_t length = strcspn(text, " ");

            if (patterns[op].count == PIECES_MAX) {
                bad_pattern(&trace_op_table[op], "too many pieces");
            }
            if (*text == '{') {
                parse_field(op, text, length);
            } else {
                patterns[op].pieces[patterns[op].count].word = text;
                patterns[op].pieces[patterns[op].count].length = length;
            }
            patterns[op].count++;
            text += length;
            text += strspn(text, " ");
        }
    }
}

const struct trace_operand_type *trace_operand_of(enum trace_op op, enum trace_slot slot)
{
    return patterns[op].by_slot[slot];
}

const struct trace_piece *trace_pattern_of(enum trace_op op, size_t *count)
{
    *count = patterns[op].count;
    return patterns[op].pieces;
}

enum trace_op trace_op_by_mnemonic(const char *word, size_t length)
{
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        const char *mnemonic = trace_op_table[op].mnemonic;

        if (strlen(mnemonic) == length && memcmp(mnemonic, word, length) == 0) {
            return op;
        }
    }
    return TRACE_OP_COUNT;
}

size_t trace_ops_of_groups(uint32_t groups, uint8_t ops[TRACE_OP_COUNT])
{
    size_t count = 0;

    _Static_assert(TRACE_OP_COUNT <= 256, "an operation is a byte in the binary form");
    groups |= TRACE_GROUP_BIT(TRACE_GROUP_TREE);
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        if (groups & TRACE_GROUP_BIT(trace_op_table[op].group)) {
            ops[count++] = (uint8_t)op;
        }
    }
    return count;
}
