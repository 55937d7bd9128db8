/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/operand.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "trace/spelling.h"

/* --- fields of a step by slot ---------------------------------------------- */

struct trace_value *operand_value(struct trace_step *step, enum trace_slot slot)
{
    assert(slot == TRACE_SLOT_V || slot == TRACE_SLOT_W);
    return slot == TRACE_SLOT_V ? &step->v : &step->w;
}

uint64_t operand_load(const struct trace_step *step, enum trace_slot slot)
{
    switch (slot) {
    case TRACE_SLOT_A:
        return step->a;
    case TRACE_SLOT_B:
        return step->b;
    case TRACE_SLOT_C:
        return step->c;
    case TRACE_SLOT_N:
        return (uint64_t)(int64_t)step->n;
    case TRACE_SLOT_V:
        return step->v.absolute;
    default:
        return step->w.absolute;
    }
}

static void slot_write(struct trace_step *step, enum trace_slot slot, uint64_t number)
{
    switch (slot) {
    case TRACE_SLOT_A:
        step->a = (uint16_t)number;
        break;
    case TRACE_SLOT_B:
        step->b = (uint16_t)number;
        break;
    case TRACE_SLOT_C:
        step->c = (uint16_t)number;
        break;
    case TRACE_SLOT_N:
        step->n = (int32_t)number;
        break;
    default:
        *operand_value(step, slot) = (struct trace_value){ .mode = TRACE_VALUE_ABSOLUTE, .absolute = number };
        break;
    }
}

/* --- canonical form -------------------------------------------------------- */

/* Numbers outside lowest..highest start again at the low end. */
static uint64_t wrap(uint64_t number, uint64_t lowest, uint64_t highest)
{
    uint64_t last = highest - lowest;   /* of the offsets from lowest */

    return number - lowest <= last ? number : lowest + number % (last + 1);
}

void operand_store(struct trace_step *step, enum trace_slot slot, const struct trace_operand_type *type,
                   uint64_t raw)
{
    switch (type->kind) {
    case TRACE_KIND_OBJECT:
        raw = (uint32_t)raw % type->slots;
        break;
    case TRACE_KIND_OBJECT_OR_NONE:
        raw = (uint32_t)raw % (type->slots + 1);
        break;
    case TRACE_KIND_WORDS:
        raw = (uint32_t)raw % type->word_count;
        break;
    case TRACE_KIND_FLAGS:
        raw &= (UINT64_C(1) << type->word_count) - 1;
        break;
    case TRACE_KIND_INTEGER:
    case TRACE_KIND_VALUE:
        raw = wrap(raw, type->lowest, type->highest);
        break;
    }
    slot_write(step, slot, raw);
}

void operand_canonicalize_value(struct trace_value *value, const struct trace_operand_type *type)
{
    if (value->mode > TRACE_VALUE_SIZE) {
        *value = operand_value_from_bits(value->mode, value->absolute);
    }
    if (value->mode == TRACE_VALUE_ABSOLUTE) {
        value->region = 0;
        value->delta = 0;
        value->absolute = wrap(value->absolute, type->lowest, type->highest);
    } else {
        value->region %= TRACE_REGIONS;
        value->delta = (int16_t)(uint16_t)value->delta;
        value->absolute = 0;
    }
}

/* --- eight bytes of a record ----------------------------------------------- */

/* What is added to boundary values and powers of two: mostly nothing. */
static uint64_t a_little(uint64_t bits)
{
    static const int8_t amounts[8] = { 0, 0, 0, 0, 1, -1, 2, -2 };

    return (uint64_t)(int64_t)amounts[bits % 8];
}

static int32_t edge_delta(uint64_t bits)
{
    uint32_t delta = (uint16_t)(bits >> 16);

    switch ((bits >> 32) & 3) {
    case 0:
        return (int16_t)delta;
    case 1:
        return (int32_t)(delta % 5) - 2;
    case 2:
        return ((int32_t)(delta % 17) - 8) * 0x100;
    default:
        return 0;
    }
}

struct trace_value operand_value_from_bits(unsigned mode, uint64_t bits)
{
    static const uint64_t grids[] = { 0x1000, 0x100, 0x800 };
    struct trace_value value = { 0 };

    switch (mode & 7) {
    case TRACE_VALUE_ABSOLUTE:
        value.absolute = bits;
        break;
    case TRACE_VALUE_START:
    case TRACE_VALUE_END:
    case TRACE_VALUE_SIZE:
        value.mode = mode & 7;
        value.region = (uint16_t)bits % TRACE_REGIONS;
        value.delta = edge_delta(bits);
        break;
    case TRACE_VALUE_TINY:
        value.absolute = (uint32_t)bits % 97;
        break;
    case TRACE_VALUE_GRID:
        value.absolute = grids[(uint8_t)(bits >> 8) % 3] * ((uint8_t)bits % 33);
        break;
    case TRACE_VALUE_BOUNDARY:
        value.absolute = trace_boundary_values[(uint8_t)bits % TRACE_BOUNDARY_COUNT] + a_little(bits >> 8);
        break;
    case TRACE_VALUE_POWER:
        value.absolute = (UINT64_C(1) << (bits & 63)) + a_little(bits >> 8);
        break;
    }
    return value;
}

uint64_t operand_value_to_bits(const struct trace_value *value)
{
    if (value->mode == TRACE_VALUE_ABSOLUTE) {
        return value->absolute;
    }
    return (uint64_t)value->region | (uint64_t)(uint16_t)value->delta << 16;
}

/* --- printing -------------------------------------------------------------- */

static const char *const edge_names[] = {
    [TRACE_VALUE_START] = "start",
    [TRACE_VALUE_END] = "end",
    [TRACE_VALUE_SIZE] = "size",
};

static size_t print_value(const struct trace_value *value, char *buffer)
{
    size_t used;

    if (value->mode == TRACE_VALUE_ABSOLUTE) {
        return (size_t)snprintf(buffer, OPERAND_TEXT_MAX, "0x%" PRIx64, value->absolute);
    }
    used = (size_t)snprintf(buffer, OPERAND_TEXT_MAX, "%s(r%u)", edge_names[value->mode], value->region);
    if (value->delta != 0) {
        bool negative = value->delta < 0;
        unsigned distance = negative ? 0u - (unsigned)value->delta : (unsigned)value->delta;

        used += (size_t)snprintf(buffer + used, OPERAND_TEXT_MAX - used, "%c0x%x", negative ? '-' : '+',
                                 distance);
    }
    return used;
}

static size_t print_flags(const struct trace_operand_type *type, uint64_t bits, char *buffer)
{
    size_t used = 0;

    if (bits == 0) {
        return (size_t)snprintf(buffer, OPERAND_TEXT_MAX, "none");
    }
    for (uint32_t i = 0; i < type->word_count; i++) {
        if (bits >> i & 1) {
            used += (size_t)snprintf(buffer + used, OPERAND_TEXT_MAX - used, "%s%s", used ? "+" : "",
                                     type->words[i]);
        }
    }
    return used;
}

size_t operand_print(const struct trace_step *step, enum trace_slot slot,
                     const struct trace_operand_type *type, char *buffer)
{
    uint64_t number = operand_load(step, slot);

    switch (type->kind) {
    case TRACE_KIND_OBJECT_OR_NONE:
        if (number == type->slots) {
            return (size_t)snprintf(buffer, OPERAND_TEXT_MAX, "none");
        }
        /* fall through */
    case TRACE_KIND_OBJECT:
        return (size_t)snprintf(buffer, OPERAND_TEXT_MAX, "%s%" PRIu64, type->letter, number);
    case TRACE_KIND_WORDS:
        return (size_t)snprintf(buffer, OPERAND_TEXT_MAX, "%s", type->words[number % type->word_count]);
    case TRACE_KIND_FLAGS:
        return print_flags(type, number, buffer);
    case TRACE_KIND_INTEGER:
        return (size_t)snprintf(buffer, OPERAND_TEXT_MAX, "%" PRId64, (int64_t)number);
    case TRACE_KIND_VALUE:
        break;
    }
    return print_value(slot == TRACE_SLOT_V ? &step->v : &step->w, buffer);
}

static void join(char *buffer, size_t capacity, const char *between, const struct trace_operand_type *type)
{
    size_t used = 0;

    for (uint32_t i = 0; i < type->word_count && used < capacity; i++) {
        used += (size_t)snprintf(buffer + used, capacity - used, "%s%s", i ? between : "", type->words[i]);
    }
}

void operand_describe(const struct trace_operand_type *type, char *buffer, size_t capacity)
{
    char words[OPERAND_TEXT_MAX];
    int length = 0;

    switch (type->kind) {
    case TRACE_KIND_OBJECT:
        length = snprintf(buffer, capacity, "%s0 to %s%u", type->letter, type->letter, type->slots - 1);
        break;
    case TRACE_KIND_OBJECT_OR_NONE:
        length = snprintf(buffer, capacity, "%s0 to %s%u or none", type->letter, type->letter,
                          type->slots - 1);
        break;
    case TRACE_KIND_VALUE:
        if (type->lowest == 0 && type->highest == UINT64_MAX) {
            length = snprintf(buffer, capacity, "a number or an edge such as end(r1)-0x1");
        } else {
            length = snprintf(buffer, capacity, "a number from 0x%" PRIx64 " to 0x%" PRIx64
                              " or an edge such as end(r1)-0x1", type->lowest, type->highest);
        }
        break;
    case TRACE_KIND_INTEGER:
        length = snprintf(buffer, capacity, "a number from %" PRId64 " to %" PRId64, (int64_t)type->lowest,
                          (int64_t)type->highest);
        break;
    case TRACE_KIND_WORDS:
        join(words, sizeof(words), type->word_count == 2 ? " or " : ", ", type);
        length = snprintf(buffer, capacity, "%s", words);
        break;
    case TRACE_KIND_FLAGS:
        join(words, sizeof(words), "+", type);
        length = snprintf(buffer, capacity, "none or some of %s", words);
        break;
    }
    if ((size_t)length >= capacity && capacity > 3) {
        memcpy(buffer + capacity - 4, "...", 4);
    }
}
