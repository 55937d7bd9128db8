/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binary form of traces: lossless, total, canonical. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "trace/table.h"
#include "trace_random.h"

enum { ROUNDS = 3000 };

/* On the heap in its exact size, so that AddressSanitizer sees a byte read too far. */
static uint8_t *encode(const struct trace *t, size_t *size)
{
    uint8_t *data;

    *size = trace_encode(t, NULL, 0);
    data = g_malloc(*size);
    g_assert_cmpuint(trace_encode(t, data, *size), ==, *size);
    return data;
}

static void decode(struct trace *t, const uint8_t *data, size_t size)
{
    uint8_t *copy = g_memdup2(data, size);

    trace_decode(t, copy, size);
    g_free(copy);
}

static void assert_canonical(const struct trace *t)
{
    struct trace copy;

    g_assert_cmpuint(t->groups & TRACE_GROUPS_ALL, ==, t->groups);
    g_assert_cmpuint(t->groups & trace_groups_needed(t), ==, trace_groups_needed(t));
    trace_init(&copy);
    for (size_t i = 0; i < t->count; i++) {
        struct trace_step step = t->steps[i];

        trace_step_canonicalize(&step);
        trace_append(&copy, &step);
    }
    copy.groups = t->groups;
    g_assert_true(trace_equal(t, &copy));
    trace_free(&copy);
}

static void test_round_trip(void)
{
    struct trace written, read;

    trace_init(&written);
    trace_init(&read);
    for (int i = 0; i < ROUNDS; i++) {
        size_t size;
        uint8_t *data;

        random_trace(&written, 40);
        data = encode(&written, &size);
        g_assert_cmpuint(size, ==, TRACE_HEADER_SIZE + written.count * TRACE_RECORD_SIZE);
        decode(&read, data, size);
        g_assert_true(trace_equal(&written, &read));
        g_free(data);
    }
    trace_free(&written);
    trace_free(&read);
}

static void test_any_bytes(void)
{
    struct trace first, second;

    trace_init(&first);
    trace_init(&second);
    for (int i = 0; i < ROUNDS; i++) {
        size_t size = random_32() % 600, encoded_size, again_size;
        uint8_t *data = g_malloc(size), *encoded, *again;

        random_bytes(data, size);
        decode(&first, data, size);
        assert_canonical(&first);
        encoded = encode(&first, &encoded_size);
        decode(&second, encoded, encoded_size);
        g_assert_true(trace_equal(&first, &second));
        again = encode(&second, &again_size);
        g_assert_cmpmem(encoded, encoded_size, again, again_size);
        g_free(data);
        g_free(encoded);
        g_free(again);
    }
    trace_free(&first);
    trace_free(&second);
}

static void test_no_bytes(void)
{
    struct trace t;

    trace_init(&t);
    trace_decode(&t, NULL, 0);
    g_assert_cmpuint(t.count, ==, 0);
    g_assert_cmpuint(t.groups, ==, TRACE_GROUP_BIT(TRACE_GROUP_TREE));
    trace_free(&t);
}

static void test_one_byte(void)
{
    struct trace t;

    trace_init(&t);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t data = (uint8_t)byte;

        decode(&t, &data, 1);
        g_assert_cmpuint(t.count, ==, 0);
        g_assert_cmpuint(t.groups, ==, byte | TRACE_GROUP_BIT(TRACE_GROUP_TREE));
    }
    trace_free(&t);
}

/* Every prefix is the trace of its whole records. */
static void test_truncated(void)
{
    struct trace whole, part;
    uint8_t *data;
    size_t size;

    trace_init(&whole);
    trace_init(&part);
    for (int i = 0; i < 20; i++) {
        struct trace_step step = random_step();

        trace_step_canonicalize(&step);
        trace_append(&whole, &step);
    }
    data = encode(&whole, &size);
    for (size_t length = 0; length < size; length++) {
        size_t records = length < TRACE_HEADER_SIZE ? 0 : (length - TRACE_HEADER_SIZE) / TRACE_RECORD_SIZE;
        struct trace expected = { .groups = whole.groups, .count = records, .steps = whole.steps };

        decode(&part, data, length);
        if (length >= 4) {
            g_assert_true(trace_equal(&part, &expected));
        }
        g_assert_cmpuint(part.count, ==, records);
    }
    g_free(data);
    trace_free(&whole);
    trace_free(&part);
}

static void test_too_long(void)
{
    size_t size = TRACE_HEADER_SIZE + (size_t)(TRACE_STEPS_MAX + 3) * TRACE_RECORD_SIZE;
    uint8_t *data = g_malloc0(size);
    struct trace t;

    trace_init(&t);
    trace_decode(&t, data, size);
    g_assert_cmpuint(t.count, ==, TRACE_STEPS_MAX);
    g_free(data);
    trace_free(&t);
}

static void test_header(void)
{
    struct trace t;
    uint8_t data[TRACE_HEADER_SIZE];

    trace_init(&t);
    memset(data, 0xff, sizeof(data));
    trace_decode(&t, data, sizeof(data));
    g_assert_cmphex(t.groups, ==, TRACE_GROUPS_ALL);
    g_assert_cmpuint(trace_encode(&t, data, sizeof(data)), ==, sizeof(data));
    g_assert_cmpmem(data, sizeof(data), "\xff\xff\x1f\0\0\0\0\0", 8);
    trace_free(&t);
}

/* op counts modulo the operations of the groups in use. */
static void test_op_numbers(void)
{
    struct trace t;

    trace_init(&t);
    for (uint32_t groups = 0; groups <= TRACE_GROUPS_ALL; groups += 307) {
        uint8_t data[TRACE_HEADER_SIZE + TRACE_RECORD_SIZE] = {
            (uint8_t)groups, (uint8_t)(groups >> 8), (uint8_t)(groups >> 16),
        };
        uint8_t ops[TRACE_OP_COUNT];
        size_t count = trace_ops_of_groups(groups, ops);

        for (unsigned number = 0; number < 256; number++) {
            data[TRACE_HEADER_SIZE] = (uint8_t)number;
            trace_decode(&t, data, sizeof(data));
            g_assert_cmpuint(t.steps[0].op, ==, ops[number % count]);
        }
        for (size_t i = 0; i < count; i++) {
            enum trace_group group = trace_op_table[ops[i]].group;

            g_assert_true(group == TRACE_GROUP_TREE || (groups & TRACE_GROUP_BIT(group)));
            g_assert_true(i == 0 || ops[i - 1] < ops[i]);
        }
    }
    trace_free(&t);
}

/* A record of one operation with everything else given. */
static struct trace_step decode_one(enum trace_op op, uint8_t mode, uint32_t n, uint64_t v, uint64_t w)
{
    uint8_t data[TRACE_HEADER_SIZE + TRACE_RECORD_SIZE] = { 0xff, 0xff, 0xff, 0xff };
    uint8_t *record = data + TRACE_HEADER_SIZE;
    struct trace_step step;
    struct trace t;

    record[0] = (uint8_t)op;    /* all groups are in use */
    record[1] = mode;
    for (size_t i = 0; i < 8; i++) {
        if (i < 4) {
            record[8 + i] = (uint8_t)(n >> (8 * i));
        }
        record[12 + i] = (uint8_t)(v >> (8 * i));
        record[20 + i] = (uint8_t)(w >> (8 * i));
    }
    trace_init(&t);
    decode(&t, data, sizeof(data));
    g_assert_cmpuint(t.count, ==, 1);
    step = t.steps[0];
    g_assert_cmpuint(step.op, ==, op);
    trace_free(&t);
    return step;
}

static void test_value_modes(void)
{
    static const struct {
        unsigned mode;
        uint64_t bits;
        struct trace_value expected;
    } cases[] = {
        { TRACE_VALUE_ABSOLUTE, 0x123456789abcdef0, { .absolute = 0x123456789abcdef0 } },
        { TRACE_VALUE_ABSOLUTE, UINT64_MAX, { .absolute = UINT64_MAX } },
        { TRACE_VALUE_START, 5, { .mode = TRACE_VALUE_START, .region = 5 } },
        { TRACE_VALUE_END, 0x7fff0405, { .mode = TRACE_VALUE_END, .region = 5, .delta = 0x7fff } },
        { TRACE_VALUE_SIZE, 0x80000001, { .mode = TRACE_VALUE_SIZE, .region = 1, .delta = -0x8000 } },
        { TRACE_VALUE_START, 0xffff03ff, { .mode = TRACE_VALUE_START, .region = 1023, .delta = -1 } },
        { TRACE_VALUE_START, 0x100000000, { .mode = TRACE_VALUE_START, .delta = -2 } },
        { TRACE_VALUE_START, 0x100030000, { .mode = TRACE_VALUE_START, .delta = 1 } },
        { TRACE_VALUE_START, 0x200000000, { .mode = TRACE_VALUE_START, .delta = -0x800 } },
        { TRACE_VALUE_START, 0x200100000, { .mode = TRACE_VALUE_START, .delta = 0x800 } },
        { TRACE_VALUE_START, 0x3ffff0000, { .mode = TRACE_VALUE_START } },
        { TRACE_VALUE_START, 0xfffffffc00010002, { .mode = TRACE_VALUE_START, .region = 2, .delta = 1 } },
        { TRACE_VALUE_TINY, 96, { .absolute = 96 } },
        { TRACE_VALUE_TINY, 97, { .absolute = 0 } },
        { TRACE_VALUE_GRID, 0x0001, { .absolute = 0x1000 } },
        { TRACE_VALUE_GRID, 0x0103, { .absolute = 0x300 } },
        { TRACE_VALUE_GRID, 0x0220, { .absolute = 0x10000 } },
        { TRACE_VALUE_BOUNDARY, 0, { .absolute = 0 } },
        { TRACE_VALUE_BOUNDARY, 3, { .absolute = 0x1000 } },
        { TRACE_VALUE_BOUNDARY, 0x0703, { .absolute = 0xffe } },
        { TRACE_VALUE_BOUNDARY, 0x0502, { .absolute = 0xffe } },
        { TRACE_VALUE_BOUNDARY, 0x0409, { .absolute = 0 } },
        { TRACE_VALUE_BOUNDARY, 8, { .absolute = UINT64_MAX - 0xfff } },
        { TRACE_VALUE_POWER, 0, { .absolute = 1 } },
        { TRACE_VALUE_POWER, 63, { .absolute = UINT64_C(1) << 63 } },
        { TRACE_VALUE_POWER, 0x0540, { .absolute = 0 } },
        { TRACE_VALUE_POWER, 0x060c, { .absolute = 0x1002 } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct trace_value *expected = &cases[i].expected;
        struct trace_step in_v = decode_one(TRACE_OP_FIND, (uint8_t)cases[i].mode, 0, cases[i].bits, 0);
        struct trace_step in_w =
            decode_one(TRACE_OP_FIND, (uint8_t)(cases[i].mode << 3), 0, 0, cases[i].bits);

        g_test_message("mode %u bits 0x%" PRIx64, cases[i].mode, cases[i].bits);
        for (int w = 0; w < 2; w++) {
            const struct trace_value *value = w ? &in_w.w : &in_v.v;
            const struct trace_value *other = w ? &in_w.v : &in_v.w;

            g_assert_cmpuint(value->mode, ==, expected->mode);
            g_assert_cmpuint(value->region, ==, expected->region);
            g_assert_cmpint(value->delta, ==, expected->delta);
            g_assert_cmphex(value->absolute, ==, expected->absolute);
            g_assert_cmpuint(other->mode, ==, TRACE_VALUE_ABSOLUTE);
            g_assert_cmphex(other->absolute, ==, 0);
        }
    }
}

/* The values of the binary-only modes meet the boundary set of I-23 in full. */
static void test_boundary_set(void)
{
    static const uint64_t expected[] = {
        0,
        1,
        0xfff,
        0x1000,
        0xffffffff,
        0x100000000,
        0x100000001,
        UINT64_C(1) << 63,
        UINT64_MAX - 0xfff,
        UINT64_MAX,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        bool found = false;

        for (unsigned bits = 0; bits < 256 && !found; bits++) {
            found = decode_one(TRACE_OP_FIND, TRACE_VALUE_BOUNDARY, 0, bits, 0).v.absolute == expected[i];
        }
        g_assert_true(found);
    }
}

static void test_number_modes(void)
{
    static const int32_t small[] = { -2, -1, 0, 1, 2 };

    for (uint32_t n = 0; n < 40; n++) {
        for (unsigned mode = 0; mode < 3; mode++) {
            g_assert_cmpint(decode_one(TRACE_OP_ADD, (uint8_t)(mode << 6), n, 0, 0).n, ==, small[n % 5]);
        }
    }
    g_assert_cmpint(decode_one(TRACE_OP_ADD, 3 << 6, 0x80000000, 0, 0).n, ==, INT32_MIN);
    g_assert_cmpint(decode_one(TRACE_OP_ADD, 3 << 6, 0x7fffffff, 0, 0).n, ==, INT32_MAX);
    g_assert_cmpint(decode_one(TRACE_OP_ADD, 3 << 6, UINT32_MAX, 0, 0).n, ==, -1);
    /* words and sets of words count modulo what there is, whatever the mode */
    for (unsigned mode = 0; mode < 4; mode++) {
        g_assert_cmpint(decode_one(TRACE_OP_RAM, (uint8_t)(mode << 6), 13, 1, 0).n, ==, 13 % 9);
        g_assert_cmpint(decode_one(TRACE_OP_RAM, (uint8_t)(mode << 6), UINT32_MAX, 1, 0).n, ==,
                        UINT32_MAX % 9);
        g_assert_cmpint(decode_one(TRACE_OP_MTREE, (uint8_t)(mode << 6), 0xfffffff5, 0, 0).n, ==, 5);
    }
}

/* A set of words in v is not subject to v's mode. */
static void test_callbacks(void)
{
    for (unsigned mode = 0; mode < 8; mode++) {
        struct trace_step step = decode_one(TRACE_OP_LISTEN, (uint8_t)mode, 0, 0xffffffffffff0003, 0);

        g_assert_cmpuint(step.v.mode, ==, TRACE_VALUE_ABSOLUTE);
        g_assert_cmphex(step.v.absolute, ==, 0x10003);
    }
}

/* Writing stops at the capacity, and the full size is still returned. */
static void test_capacity(void)
{
    struct trace t;
    uint8_t *data;
    size_t size;

    trace_init(&t);
    for (int i = 0; i < 5; i++) {
        struct trace_step step = random_step();

        trace_step_canonicalize(&step);
        trace_append(&t, &step);
    }
    data = encode(&t, &size);
    for (size_t capacity = 0; capacity <= size; capacity++) {
        uint8_t *part = g_malloc(capacity);

        g_assert_cmpuint(trace_encode(&t, part, capacity), ==, size);
        g_assert_cmpmem(part, capacity, data, capacity);
        g_free(part);
    }
    g_free(data);
    trace_free(&t);
}

/* The fuzz loop decodes into one trace again and again. */
static void test_memory_is_reused(void)
{
    uint8_t data[TRACE_HEADER_SIZE + 100 * TRACE_RECORD_SIZE] = { 0 };
    struct trace t;
    const struct trace_step *steps;

    trace_init(&t);
    trace_decode(&t, data, sizeof(data));
    steps = t.steps;
    for (size_t size = 0; size <= sizeof(data); size += 17) {
        trace_decode(&t, data, size);
        g_assert_true(t.steps == steps);
    }
    trace_free(&t);
}

static void test_canonicalize_each_operand(void)
{
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        for (int i = 0; i < 200; i++) {
            struct trace_step step = random_step(), again;
            const uint16_t *objects[] = { &step.a, &step.b, &step.c };
            const struct trace_value *values[] = { &step.v, &step.w };

            step.op = (uint8_t)op;
            trace_step_canonicalize(&step);
            again = step;
            trace_step_canonicalize(&again);
            g_assert_true(trace_equal(&(struct trace){ .count = 1, .steps = &step },
                                      &(struct trace){ .count = 1, .steps = &again }));
            g_assert_cmpuint(step.op, ==, op);
            for (size_t k = 0; k < 3; k++) {
                const struct trace_operand_type *type =
                    trace_operand_of(op, (enum trace_slot)(TRACE_SLOT_A + k));

                if (type && type->kind == TRACE_KIND_FLAGS) {
                    g_assert_cmphex((unsigned)*objects[k] >> type->word_count, ==, 0);
                    continue;
                }
                g_assert_cmpuint(*objects[k], <=, type ? type->slots + type->word_count : 0);
                if (type && type->kind != TRACE_KIND_OBJECT_OR_NONE) {
                    g_assert_cmpuint(*objects[k], <, type->slots + type->word_count);
                }
            }
            if (!trace_operand_of(op, TRACE_SLOT_N)) {
                g_assert_cmpint(step.n, ==, 0);
            }
            for (size_t k = 0; k < 2; k++) {
                const struct trace_operand_type *type =
                    trace_operand_of(op, (enum trace_slot)(TRACE_SLOT_V + k));

                g_assert_cmpuint(values[k]->mode, <=, type ? TRACE_VALUE_SIZE : 0);
                g_assert_cmpuint(values[k]->region, <, values[k]->mode ? TRACE_REGIONS : 1);
                g_assert_cmpint(values[k]->delta, >=, values[k]->mode ? -0x8000 : 0);
                g_assert_cmpint(values[k]->delta, <=, values[k]->mode ? 0x7fff : 0);
                if (!type || values[k]->mode) {
                    g_assert_cmphex(values[k]->absolute, ==, 0);
                } else if (type->kind == TRACE_KIND_VALUE) {
                    g_assert_cmphex(values[k]->absolute, >=, type->lowest);
                    g_assert_cmphex(values[k]->absolute, <=, type->highest);
                } else {
                    g_assert_cmphex(values[k]->absolute >> type->word_count, ==, 0);
                }
            }
        }
    }
}

static void test_canonicalize_ends(void)
{
    struct trace_step step = { .op = TRACE_OP_RAM, .b = TRACE_OWNERS };

    trace_step_canonicalize(&step);
    g_assert_cmphex(step.v.absolute, ==, 1);
    g_assert_cmpuint(step.b, ==, TRACE_OWNERS);
    step.v.absolute = TRACE_RAM_SIZE_MAX;
    step.b = TRACE_OWNERS + 1;
    step.n = -1;
    step.line = 77;
    trace_step_canonicalize(&step);
    g_assert_cmphex(step.v.absolute, ==, TRACE_RAM_SIZE_MAX);
    g_assert_cmpuint(step.b, ==, 0);
    g_assert_cmpint(step.n, ==, UINT32_MAX % 9);
    g_assert_cmpuint(step.line, ==, 77);
    step.v.absolute = TRACE_RAM_SIZE_MAX + 1;
    trace_step_canonicalize(&step);
    g_assert_cmphex(step.v.absolute, ==, 2);
    step = (struct trace_step){ .op = TRACE_OP_COUNT, .v = { .mode = TRACE_VALUE_TINY, .absolute = 98 } };
    trace_step_canonicalize(&step);
    g_assert_cmpuint(step.op, ==, 0);
    g_assert_cmpuint(step.v.mode, ==, TRACE_VALUE_ABSOLUTE);
    g_assert_cmphex(step.v.absolute, ==, 1);
}

static void test_equal(void)
{
    struct trace x, y;

    trace_init(&x);
    trace_init(&y);
    random_trace(&x, 5);
    trace_append(&x, &(struct trace_step){ .op = TRACE_OP_ADD, .v = { .absolute = 7 }, .n = 3 });
    for (size_t i = 0; i < x.count; i++) {
        trace_append(&y, &x.steps[i]);
    }
    y.groups = x.groups;
    g_assert_true(trace_equal(&x, &y));
#define DIFFERS(field) \
    do { \
        y.steps[y.count - 1].field ^= 1; \
        g_assert_false(trace_equal(&x, &y)); \
        y.steps[y.count - 1].field ^= 1; \
    } while (0)
    DIFFERS(op);
    DIFFERS(a);
    DIFFERS(b);
    DIFFERS(c);
    DIFFERS(n);
    DIFFERS(v.mode);
    DIFFERS(v.region);
    DIFFERS(v.delta);
    DIFFERS(v.absolute);
    DIFFERS(w.mode);
    DIFFERS(w.region);
    DIFFERS(w.delta);
    DIFFERS(w.absolute);
#undef DIFFERS
    y.steps[0].line ^= 1;
    g_assert_true(trace_equal(&x, &y));
    y.groups ^= TRACE_GROUP_BIT(TRACE_GROUP_PRINT);
    g_assert_false(trace_equal(&x, &y));
    y.groups = x.groups;
    y.count--;
    g_assert_false(trace_equal(&x, &y));
    trace_free(&x);
    trace_free(&y);
}

/* The step that is appended may be the trace's own, which then moves. */
static void test_append_own_step(void)
{
    struct trace t;

    trace_init(&t);
    trace_append(&t, &(struct trace_step){ .op = TRACE_OP_GRACE });
    g_assert_cmpuint(t.groups, ==, TRACE_GROUP_BIT(TRACE_GROUP_TREE) | TRACE_GROUP_BIT(TRACE_GROUP_RECLAIM));
    for (int i = 0; i < 1000; i++) {
        trace_append(&t, &t.steps[0]);
    }
    g_assert_cmpuint(t.steps[1000].op, ==, TRACE_OP_GRACE);
    trace_free(&t);
    g_assert_cmpuint(t.count, ==, 0);
    g_assert_null(t.steps);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/binary/round-trip", test_round_trip);
    g_test_add_func("/trace/binary/any-bytes", test_any_bytes);
    g_test_add_func("/trace/binary/no-bytes", test_no_bytes);
    g_test_add_func("/trace/binary/one-byte", test_one_byte);
    g_test_add_func("/trace/binary/truncated", test_truncated);
    g_test_add_func("/trace/binary/too-long", test_too_long);
    g_test_add_func("/trace/binary/header", test_header);
    g_test_add_func("/trace/binary/op-numbers", test_op_numbers);
    g_test_add_func("/trace/binary/value-modes", test_value_modes);
    g_test_add_func("/trace/binary/boundary-set", test_boundary_set);
    g_test_add_func("/trace/binary/number-modes", test_number_modes);
    g_test_add_func("/trace/binary/callbacks", test_callbacks);
    g_test_add_func("/trace/binary/capacity", test_capacity);
    g_test_add_func("/trace/binary/memory-is-reused", test_memory_is_reused);
    g_test_add_func("/trace/canonicalize/each-operand", test_canonicalize_each_operand);
    g_test_add_func("/trace/canonicalize/ends", test_canonicalize_ends);
    g_test_add_func("/trace/equal", test_equal);
    g_test_add_func("/trace/append-own-step", test_append_own_step);
    return g_test_run();
}
