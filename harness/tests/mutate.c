/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mutator: pure, within its limits, canonical; and it does what it is for. */
#include <glib.h>
#include <string.h>

#include "mutate/mutate.h"
#include "trace/table.h"
#include "trace_random.h"

enum { INPUTS = 40, SEEDS = 100, LONGEST = 40 };

struct bytes {
    uint8_t *data;
    size_t size;
};

static uint32_t allowed;

static struct bytes random_input(size_t longest)
{
    struct bytes b;
    struct trace t;

    trace_init(&t);
    random_trace(&t, longest);
    b.size = trace_encode(&t, NULL, 0);
    b.data = g_malloc(b.size);
    trace_encode(&t, b.data, b.size);
    trace_free(&t);
    return b;
}

/* In a buffer of exactly `max` bytes, so that AddressSanitizer sees one too many. */
static struct bytes mutated(struct bytes in, size_t max, uint32_t seed)
{
    struct bytes out = {.data = g_malloc(max)};

    if (in.size) {
        memcpy(out.data, in.data, MIN(in.size, max));
    }
    out.size = mutate_trace(out.data, MIN(in.size, max), max, seed, allowed);
    g_assert_cmpuint(out.size, <=, max);
    return out;
}

static void assert_canonical(struct bytes b)
{
    uint8_t *again = g_malloc(b.size);
    struct trace t;

    trace_init(&t);
    trace_decode(&t, b.data, b.size);
    g_assert_cmpuint(trace_encode(&t, again, b.size), ==, b.size);
    g_assert_cmpmem(again, b.size, b.data, b.size);
    trace_free(&t);
    g_free(again);
}

static void test_pure(void)
{
    for (int i = 0; i < INPUTS; i++) {
        struct bytes in = random_input(LONGEST);
        const size_t max = TRACE_HEADER_SIZE + (LONGEST + 20) * TRACE_RECORD_SIZE;

        for (uint32_t seed = 0; seed < SEEDS; seed++) {
            struct bytes once = mutated(in, max, seed), other = mutated(in, max, seed + SEEDS),
                         again = mutated(in, max, seed);

            g_assert_cmpmem(once.data, once.size, again.data, again.size);
            assert_canonical(once);
            g_free(once.data);
            g_free(other.data);
            g_free(again.data);
        }
        g_free(in.data);
    }
}

/* Whatever the bytes and whatever the room. */
static void test_limits(void)
{
    for (uint32_t seed = 0; seed < 4000; seed++) {
        size_t size = 1 + random_32() % 300, max = 1 + random_32() % 300;
        struct bytes in = {g_malloc(size), size}, out;

        random_bytes(in.data, size);
        out = mutated(in, max, seed);
        if (out.size >= TRACE_HEADER_SIZE) {
            assert_canonical(out);
        }
        g_free(out.data);
        g_free(in.data);
    }
}

/* Swarm masks only shrink: a target refuses inputs with groups that it does not allow. */
static void test_groups(void)
{
    struct trace before, after;
    uint32_t gained = 0;
    unsigned lost = 0;

    trace_init(&before);
    trace_init(&after);
    for (uint32_t seed = 0; seed < 4000; seed++) {
        struct bytes in = random_input(LONGEST), out = mutated(in, in.size + 10 * TRACE_RECORD_SIZE, seed);

        trace_decode(&before, in.data, in.size);
        trace_decode(&after, out.data, out.size);
        g_assert_cmpuint(after.groups & ~before.groups, ==, 0);
        lost += after.groups != before.groups;
        g_free(in.data);
        g_free(out.data);
    }
    g_assert_cmpuint(lost, >, 40);
    /* With nothing to start from, all that is allowed comes up, and nothing else. */
    allowed = TRACE_GROUP_BIT(2) | TRACE_GROUP_BIT(5);
    for (uint32_t seed = 0; seed < 100; seed++) {
        struct bytes out = mutated((struct bytes){NULL, 0}, 1000, seed);

        trace_decode(&after, out.data, out.size);
        g_assert_cmpuint(after.groups & ~(allowed | TRACE_GROUP_BIT(TRACE_GROUP_TREE)), ==, 0);
        gained |= after.groups;
        g_free(out.data);
    }
    g_assert_cmpuint(gained & allowed, ==, allowed);
    allowed = 0;
    trace_free(&before);
    trace_free(&after);
}

static void count_steps(struct bytes in, uint32_t seeds, unsigned *fewer, unsigned *same, unsigned *more,
                        unsigned *equal)
{
    for (uint32_t seed = 0; seed < seeds; seed++) {
        struct bytes out = mutated(in, in.size + 20 * TRACE_RECORD_SIZE, seed);

        *fewer += out.size < in.size;
        *same += out.size == in.size;
        *more += out.size > in.size;
        *equal += out.size == in.size && !memcmp(out.data, in.data, in.size);
        g_free(out.data);
    }
}

/* All kinds of mutation happen, and few do nothing. */
static void test_variety(void)
{
    unsigned fewer = 0, same = 0, more = 0, equal = 0;

    for (int i = 0; i < INPUTS; i++) {
        struct bytes in = random_input(LONGEST);

        count_steps(in, SEEDS, &fewer, &same, &more, &equal);
        g_free(in.data);
    }
    g_assert_cmpuint(fewer, >, INPUTS * SEEDS / 20);
    g_assert_cmpuint(same, >, INPUTS * SEEDS / 10);
    g_assert_cmpuint(more, >, INPUTS * SEEDS / 5);
    g_assert_cmpuint(equal, <, INPUTS * SEEDS / 10);
}

static void test_splice(void)
{
    unsigned from_both = 0;

    for (uint32_t seed = 0; seed < 2000; seed++) {
        struct bytes x = random_input(LONGEST), y = random_input(LONGEST), out = {.data = NULL};
        size_t max = TRACE_HEADER_SIZE + (random_32() % (2 * LONGEST)) * TRACE_RECORD_SIZE;

        out.data = g_malloc(max);
        out.size = mutate_splice(x.data, x.size, y.data, y.size, out.data, max, seed);
        g_assert_cmpuint(out.size, <=, max);
        assert_canonical(out);
        from_both += out.size > TRACE_HEADER_SIZE && out.size != x.size;
        g_free(x.data);
        g_free(y.data);
        g_free(out.data);
    }
    g_assert_cmpuint(from_both, >, 1000);
}

static void test_without(void)
{
    for (int i = 0; i < INPUTS; i++) {
        struct bytes in = random_input(LONGEST);
        size_t steps = mutate_steps(in.data, in.size), from = random_32() % (steps + 2),
               count = 1 + random_32() % 8;
        size_t expected = steps - (from < steps ? MIN(count, steps - from) : 0);
        struct bytes out = {.data = g_malloc(in.size)};

        out.size = mutate_without(in.data, in.size, from, count, out.data);
        g_assert_cmpuint(mutate_steps(out.data, out.size), ==, expected);
        assert_canonical(out);
        g_free(in.data);
        g_free(out.data);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mutate/pure", test_pure);
    g_test_add_func("/mutate/limits", test_limits);
    g_test_add_func("/mutate/groups", test_groups);
    g_test_add_func("/mutate/variety", test_variety);
    g_test_add_func("/mutate/splice", test_splice);
    g_test_add_func("/mutate/without", test_without);
    return g_test_run();
}
