/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace_random.h"

#include <glib.h>
#include <stdlib.h>

#include "trace/table.h"

uint32_t random_32(void)
{
    return (uint32_t)g_test_rand_int();
}

/* Half of the numbers are small or near an end: that is where ranges are decided. */
uint64_t random_64(void)
{
    uint64_t number = (uint64_t)random_32() << 32 | random_32();

    switch (random_32() % 8) {
    case 0:
        return number % 16;
    case 1:
        return UINT64_MAX - number % 16;
    case 2:
        return number % 0x10000;
    case 3:
        return trace_boundary_values[number % TRACE_BOUNDARY_COUNT];
    default:
        return number;
    }
}

void random_bytes(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)random_32();
    }
}

static struct trace_value random_value(void)
{
    return (struct trace_value){
        .mode = (uint8_t)(random_32() % 8),
        .region = (uint16_t)random_32(),
        .delta = (int32_t)random_64(),
        .absolute = random_64(),
    };
}

struct trace_step random_step(void)
{
    return (struct trace_step){
        .op = (uint8_t)(random_32() % TRACE_OP_COUNT),
        .a = (uint16_t)random_64(),
        .b = (uint16_t)random_64(),
        .c = (uint16_t)random_64(),
        .n = (int32_t)random_64(),
        .v = random_value(),
        .w = random_value(),
        .line = random_32(),
    };
}

void random_trace(struct trace *t, size_t longest)
{
    size_t count = random_32() % (longest + 1);

    trace_free(t);
    for (size_t i = 0; i < count; i++) {
        struct trace_step step = random_step();

        trace_step_canonicalize(&step);
        trace_append(t, &step);
    }
    if (random_32() % 2) {
        t->groups |= random_32() & TRACE_GROUPS_ALL;
    }
}

char *trace_text(const struct trace *t, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    g_assert_nonnull(out);
    trace_print(t, out);
    fclose(out);
    return text;
}
