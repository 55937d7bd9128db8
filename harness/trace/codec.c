/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binary form.  Decoding is on every fuzz input's path: no allocation a step, one pass. */
#include <endian.h>
#include <string.h>

#include "trace/operand.h"
#include "trace/table.h"

/* Where a record keeps each part; the picture is in trace.h. */
enum {
    AT_OP = 0,
    AT_MODE = 1,
    AT_A = 2,
    AT_B = 4,
    AT_C = 6,
    AT_N = 8,
    AT_V = 12,
    AT_W = 20,
};
enum { NUMBER_AS_IT_IS = 3 };   /* bits 6-7 of mode */

static uint16_t read_16(const uint8_t *data)
{
    uint16_t number;

    memcpy(&number, data, sizeof(number));
    return le16toh(number);
}

static uint32_t read_32(const uint8_t *data)
{
    uint32_t number;

    memcpy(&number, data, sizeof(number));
    return le32toh(number);
}

static uint64_t read_64(const uint8_t *data)
{
    uint64_t number;

    memcpy(&number, data, sizeof(number));
    return le64toh(number);
}

static void write_16(uint8_t *data, uint16_t number)
{
    number = htole16(number);
    memcpy(data, &number, sizeof(number));
}

static void write_32(uint8_t *data, uint32_t number)
{
    number = htole32(number);
    memcpy(data, &number, sizeof(number));
}

static void write_64(uint8_t *data, uint64_t number)
{
    number = htole64(number);
    memcpy(data, &number, sizeof(number));
}

static void decode_object(struct trace_step *step, enum trace_slot slot, uint16_t raw)
{
    const struct trace_operand_type *type = trace_operand_of(step->op, slot);

    if (type) {
        operand_store(step, slot, type, raw);
    }
}

static void decode_number(struct trace_step *step, unsigned mode, uint32_t raw)
{
    const struct trace_operand_type *type = trace_operand_of(step->op, TRACE_SLOT_N);

    if (!type) {
        return;
    }
    if (type->kind == TRACE_KIND_INTEGER) {
        int32_t number = mode == NUMBER_AS_IT_IS ? (int32_t)raw : (int32_t)(raw % 5) - 2;

        operand_store(step, TRACE_SLOT_N, type, (uint64_t)(int64_t)number);
    } else {
        operand_store(step, TRACE_SLOT_N, type, raw);
    }
}

static void decode_value(struct trace_step *step, enum trace_slot slot, unsigned mode, uint64_t raw)
{
    const struct trace_operand_type *type = trace_operand_of(step->op, slot);

    if (!type) {
        return;
    }
    if (type->kind == TRACE_KIND_VALUE) {
        struct trace_value *value = operand_value(step, slot);

        *value = operand_value_from_bits(mode, raw);
        operand_canonicalize_value(value, type);
    } else {
        operand_store(step, slot, type, raw);
    }
}

static void decode_record(struct trace_step *step, enum trace_op op, const uint8_t *record)
{
    unsigned mode = record[AT_MODE];

    memset(step, 0, sizeof(*step));
    step->op = (uint8_t)op;
    decode_object(step, TRACE_SLOT_A, read_16(record + AT_A));
    decode_object(step, TRACE_SLOT_B, read_16(record + AT_B));
    decode_object(step, TRACE_SLOT_C, read_16(record + AT_C));
    decode_number(step, mode >> 6, read_32(record + AT_N));
    decode_value(step, TRACE_SLOT_V, mode & 7, read_64(record + AT_V));
    decode_value(step, TRACE_SLOT_W, mode >> 3 & 7, read_64(record + AT_W));
}

void trace_decode(struct trace *t, const uint8_t *data, size_t size)
{
    uint8_t ops[TRACE_OP_COUNT];
    uint8_t header[sizeof(uint32_t)] = { 0 };
    size_t op_count, records;

    if (size > 0) {
        memcpy(header, data, size < sizeof(header) ? size : sizeof(header));
    }
    t->groups = (read_32(header) & TRACE_GROUPS_ALL) | TRACE_GROUP_BIT(TRACE_GROUP_TREE);
    op_count = trace_ops_of_groups(t->groups, ops);

    records = size < TRACE_HEADER_SIZE ? 0 : (size - TRACE_HEADER_SIZE) / TRACE_RECORD_SIZE;
    t->count = records < TRACE_STEPS_MAX ? records : TRACE_STEPS_MAX;
    trace_reserve(t, t->count);
    for (size_t i = 0; i < t->count; i++) {
        const uint8_t *record = data + TRACE_HEADER_SIZE + i * TRACE_RECORD_SIZE;

        decode_record(&t->steps[i], ops[record[AT_OP] % op_count], record);
    }
}

static unsigned encode_value(const struct trace_step *step, enum trace_slot slot, uint8_t *data)
{
    const struct trace_operand_type *type = trace_operand_of(step->op, slot);

    if (type && type->kind == TRACE_KIND_VALUE) {
        const struct trace_value *value = slot == TRACE_SLOT_V ? &step->v : &step->w;

        write_64(data, operand_value_to_bits(value));
        return value->mode;
    }
    write_64(data, operand_load(step, slot));
    return 0;
}

static void encode_record(const struct trace_step *step, uint8_t number, uint8_t *record)
{
    const struct trace_operand_type *n_type = trace_operand_of(step->op, TRACE_SLOT_N);
    unsigned mode = n_type && n_type->kind == TRACE_KIND_INTEGER ? NUMBER_AS_IT_IS << 6 : 0;

    record[AT_OP] = number;
    write_16(record + AT_A, step->a);
    write_16(record + AT_B, step->b);
    write_16(record + AT_C, step->c);
    write_32(record + AT_N, (uint32_t)step->n);
    mode |= encode_value(step, TRACE_SLOT_V, record + AT_V);
    mode |= encode_value(step, TRACE_SLOT_W, record + AT_W) << 3;
    record[AT_MODE] = (uint8_t)mode;
}

/* Write as much of a piece as there is room for. */
static size_t emit(uint8_t *data, size_t capacity, size_t at, const uint8_t *piece, size_t size)
{
    if (at < capacity) {
        memcpy(data + at, piece, size < capacity - at ? size : capacity - at);
    }
    return at + size;
}

size_t trace_encode(const struct trace *t, uint8_t *data, size_t capacity)
{
    uint8_t header[TRACE_HEADER_SIZE] = { 0 };
    uint8_t ops[TRACE_OP_COUNT];
    uint8_t numbers[TRACE_OP_COUNT];
    uint32_t groups = t->groups | trace_groups_needed(t);
    size_t op_count = trace_ops_of_groups(groups, ops);
    size_t used;

    for (size_t i = 0; i < op_count; i++) {
        numbers[ops[i]] = (uint8_t)i;
    }
    write_32(header, groups);
    used = emit(data, capacity, 0, header, sizeof(header));
    for (size_t i = 0; i < t->count; i++) {
        uint8_t record[TRACE_RECORD_SIZE];

        encode_record(&t->steps[i], numbers[t->steps[i].op], record);
        used = emit(data, capacity, used, record, sizeof(record));
    }
    return used;
}
