/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mutate/mutate.h"

#include <string.h>

#include "mutate/needs.h"
#include "mutate/step.h"
#include "trace/table.h"

/* Reused from call to call: engines call millions of times. */
static struct trace subject, other;

enum {
    STEPS_BEFORE_SWARM = 8, /* shorter inputs have nothing to lose */
    BLOCK_MAX = 16,
    GAIN_ONE_IN = 16,
    LONG = 40,
    NEEDS_DEPTH = 4, /* a notification needs a notifier, that an IOMMU, that a space */
};

/* --- lists of steps -------------------------------------------------------------- */

static void open_gap(struct trace *t, size_t at, size_t count)
{
    trace_reserve(t, t->count + count);
    memmove(t->steps + at + count, t->steps + at, (t->count - at) * sizeof(*t->steps));
    t->count += count;
}

static void close_gap(struct trace *t, size_t at, size_t count)
{
    memmove(t->steps + at, t->steps + at + count, (t->count - at - count) * sizeof(*t->steps));
    t->count -= count;
}

/* Of the steps [*at, *at + result): short ones mostly. */
static size_t some_block(struct random *r, const struct trace *t, size_t *at)
{
    size_t count = 1 + (random_one_in(r, 2) ? 0 : random_below(r, BLOCK_MAX));

    *at = random_below(r, t->count);
    return count < t->count - *at ? count : t->count - *at;
}

/* What is built first is needed longest, so new steps come late more often than early. */
static size_t some_place(struct random *r, const struct trace *t)
{
    size_t x = random_below(r, t->count + 1), y = random_below(r, t->count + 1);

    return x > y ? x : y;
}

/* --- mutations ----------------------------------------------------------------- */

static void insert_at(struct trace *t, size_t at, const struct trace_step *step)
{
    open_gap(t, at, 1);
    t->steps[at] = *step;
}

/* A step that has nothing to work on would be skipped: mostly what it needs comes with it. */
static void insert_step(struct random *r, struct trace *t)
{
    size_t at = some_place(r, t);
    struct trace_step step;

    mutate_new_step(r, t, &step);
    insert_at(t, at, &step);
    for (int depth = 0; depth < NEEDS_DEPTH && !random_one_in(r, 8); depth++) {
        enum trace_op maker = mutate_needs(t, at, t->steps[at].op);

        if (maker == TRACE_OP_COUNT) {
            break;
        }
        mutate_new_step_of(r, t, maker, &step);
        insert_at(t, at, &step);
    }
}

static void repeat_block(struct random *r, struct trace *t)
{
    struct trace_step block[BLOCK_MAX + 1];
    size_t from, count = some_block(r, t, &from), at = some_place(r, t);

    memcpy(block, t->steps + from, count * sizeof(*block));
    open_gap(t, at, count);
    memcpy(t->steps + at, block, count * sizeof(*block));
    mutate_step(r, t, &t->steps[at + random_below(r, count)]);
}

static void remove_block(struct random *r, struct trace *t)
{
    size_t at, count = some_block(r, t, &at);

    close_gap(t, at, count);
}

static void move_step(struct random *r, struct trace *t)
{
    size_t from = random_below(r, t->count), to = random_below(r, t->count);
    struct trace_step step = t->steps[from];

    close_gap(t, from, 1);
    open_gap(t, to, 1);
    t->steps[to] = step;
}

static void change_step(struct random *r, struct trace *t)
{
    mutate_step(r, t, &t->steps[random_below(r, t->count)]);
}

/* Which of the operations of this group are gone. */
static void lose_group(struct random *r, struct trace *t)
{
    const uint32_t lost = TRACE_GROUP_BIT(1 + random_below(r, TRACE_GROUP_COUNT - 1));
    size_t kept = 0;

    if (t->count < STEPS_BEFORE_SWARM || !(t->groups & lost)) {
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        if (TRACE_GROUP_BIT(trace_op_table[t->steps[i].op].group) != lost) {
            t->steps[kept++] = t->steps[i];
        }
    }
    t->count = kept;
    t->groups &= ~lost;
}

/* Where there is nothing yet, a random half of what is allowed; later one more at a time. */
static void gain_groups(struct random *r, struct trace *t, uint32_t groups)
{
    const uint32_t bits = (uint32_t)random_bits(r);

    if (t->count == 0) {
        t->groups |= groups & bits;
    } else {
        t->groups |= groups & TRACE_GROUP_BIT(bits % TRACE_GROUP_COUNT);
    }
}

static void mutate_once(struct random *r, struct trace *t)
{
    /* Inputs would grow for ever, and long ones are slow to play: a bug needs a dozen steps. */
    if (t->count > LONG && random_one_in(r, 2)) {
        remove_block(r, t);
        return;
    }
    switch (t->count ? random_below(r, 32) : 0) {
    case 0 ... 7:
        insert_step(r, t);
        break;
    case 8 ... 22:
        change_step(r, t);
        break;
    case 23 ... 25:
        repeat_block(r, t);
        break;
    case 26 ... 28:
        remove_block(r, t);
        break;
    case 29 ... 30:
        move_step(r, t);
        break;
    default:
        lose_group(r, t);
        break;
    }
}

/* --- from bytes to bytes ------------------------------------------------------------ */

static size_t steps_that_fit(size_t max)
{
    return max < TRACE_HEADER_SIZE ? 0 : (max - TRACE_HEADER_SIZE) / TRACE_RECORD_SIZE;
}

static size_t encode(struct trace *t, uint8_t *out, size_t max)
{
    size_t fit = steps_that_fit(max), size;

    if (t->count > fit) {
        t->count = fit;
    }
    size = trace_encode(t, out, max);
    return size < max ? size : max;
}

size_t mutate_trace(uint8_t *data, size_t size, size_t max, uint32_t seed, uint32_t groups)
{
    struct random r = {.state = seed};

    trace_decode(&subject, data, size);
    if (subject.count == 0 || random_one_in(&r, GAIN_ONE_IN)) {
        gain_groups(&r, &subject, groups);
    }
    do {
        mutate_once(&r, &subject);
    } while (!random_one_in(&r, 3));
    return encode(&subject, data, max);
}

size_t mutate_splice(const uint8_t *first, size_t first_size, const uint8_t *second, size_t second_size,
                     uint8_t *out, size_t max, uint32_t seed)
{
    struct random r = {.state = seed};
    size_t from, count, at;

    trace_decode(&subject, first, first_size);
    trace_decode(&other, second, second_size);
    subject.groups |= other.groups;
    if (other.count) {
        /* Either an end for a beginning, or a piece in the middle. */
        if (random_one_in(&r, 2)) {
            subject.count = random_below(&r, subject.count + 1);
            from = random_below(&r, other.count);
            count = other.count - from;
            at = subject.count;
        } else {
            from = random_below(&r, other.count);
            count = 1 + random_below(&r, BLOCK_MAX);
            count = count < other.count - from ? count : other.count - from;
            at = some_place(&r, &subject);
        }
        open_gap(&subject, at, count);
        memcpy(subject.steps + at, other.steps + from, count * sizeof(*subject.steps));
    }
    return encode(&subject, out, max);
}

size_t mutate_steps(const uint8_t *data, size_t size)
{
    trace_decode(&subject, data, size);
    return subject.count;
}

size_t mutate_without(const uint8_t *data, size_t size, size_t from, size_t count, uint8_t *out)
{
    trace_decode(&subject, data, size);
    if (from < subject.count) {
        close_gap(&subject, from, count < subject.count - from ? count : subject.count - from);
    }
    return encode(&subject, out, size);
}
