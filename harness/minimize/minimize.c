/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "minimize/minimize.h"

#include <stdlib.h>
#include <string.h>

struct work {
    const struct minimize_options *options;
    struct trace *best;             /* the smallest that still fails the same way */
    struct failure_signature wanted;
    size_t steps_before;
    unsigned tries;
    const char *phase;
};

static void copy_trace(struct trace *to, const struct trace *from)
{
    trace_free(to);
    trace_init(to);
    to->groups = from->groups;
    for (size_t i = 0; i < from->count; i++) {
        trace_append(to, &from->steps[i]);
    }
}

static bool fails_the_same(struct work *w, const struct trace *candidate)
{
    struct failure_signature seen;

    w->tries++;
    if (w->options->progress) {
        struct minimize_progress progress = {
            .phase = w->phase, .steps = w->best->count, .steps_before = w->steps_before, .tries = w->tries,
        };

        w->options->progress(w->options->opaque, &progress);
    }
    failure_probe(candidate, &w->options->run, &seen, NULL);
    return !strcmp(seen.text, w->wanted.text);
}

static bool out_of_tries(const struct work *w)
{
    return w->tries >= w->options->tries_max;
}

static void keep_if_failing(struct work *w, struct trace *candidate, bool *kept)
{
    *kept = fails_the_same(w, candidate);
    if (*kept) {
        copy_trace(w->best, candidate);
    }
}

/* --- fewer steps ------------------------------------------------------------------ */

static bool try_without(struct work *w, size_t from, size_t count)
{
    struct trace candidate;
    bool kept;

    trace_init(&candidate);
    candidate.groups = w->best->groups;
    for (size_t i = 0; i < w->best->count; i++) {
        if (i < from || i >= from + count) {
            trace_append(&candidate, &w->best->steps[i]);
        }
    }
    keep_if_failing(w, &candidate, &kept);
    trace_free(&candidate);
    return kept;
}

/* From the back, as what is set up first is needed longest; ever smaller pieces. */
static bool fewer_steps(struct work *w)
{
    bool any = false;

    for (size_t piece = w->best->count / 2; piece >= 1; piece /= 2) {
        size_t end = w->best->count;

        while (end > 0 && !out_of_tries(w)) {
            size_t from = end > piece ? end - piece : 0;

            any |= try_without(w, from, end - from);
            end = from;
        }
    }
    return any;
}

/* --- simpler operands --------------------------------------------------------------- */

static bool same_step(const struct trace_step *x, const struct trace_step *y)
{
    struct trace one = { .count = 1, .steps = (struct trace_step *)x };
    struct trace other = { .count = 1, .steps = (struct trace_step *)y };

    return trace_equal(&one, &other);
}

static bool try_step(struct work *w, size_t index, const struct trace_step *step)
{
    struct trace candidate;
    struct trace_step canonical = *step;
    bool kept;

    trace_step_canonicalize(&canonical);
    if (out_of_tries(w) || same_step(&canonical, &w->best->steps[index])) {
        return false;
    }
    trace_init(&candidate);
    candidate.groups = w->best->groups;
    for (size_t i = 0; i < w->best->count; i++) {
        trace_append(&candidate, i == index ? &canonical : &w->best->steps[i]);
    }
    keep_if_failing(w, &candidate, &kept);
    trace_free(&candidate);
    return kept;
}

/* Rounder and smaller: zero, the page, then the number with its low bits gone, then halved. */
static bool simpler_value(struct work *w, size_t index, bool second)
{
    static const uint64_t nice[] = { 0, 1, 0x1000, 0x2000, 0x4000, UINT64_MAX };
    bool any = false;

    for (size_t i = 0; i < sizeof(nice) / sizeof(nice[0]); i++) {
        struct trace_step step = w->best->steps[index];
        struct trace_value *value = second ? &step.w : &step.v;

        if (value->mode != TRACE_VALUE_ABSOLUTE || value->absolute == nice[i]) {
            break;
        }
        value->absolute = nice[i];
        if (try_step(w, index, &step)) {
            return true;
        }
    }
    for (unsigned bits = 32; bits >= 4; bits /= 2) {
        struct trace_step step = w->best->steps[index];
        struct trace_value *value = second ? &step.w : &step.v;
        uint64_t round = value->absolute >> bits << bits;

        if (value->mode == TRACE_VALUE_ABSOLUTE && round && round != value->absolute) {
            value->absolute = round;
            any |= try_step(w, index, &step);
        }
    }
    return any;
}

static bool simpler_number(struct work *w, size_t index)
{
    static const int32_t nice[] = { 0, 1, -1 };

    for (size_t i = 0; i < sizeof(nice) / sizeof(nice[0]); i++) {
        struct trace_step step = w->best->steps[index];

        if (step.n == nice[i]) {
            break;
        }
        step.n = nice[i];
        if (try_step(w, index, &step)) {
            return true;
        }
    }
    return false;
}

/* The owner ("none" is the highest number) and the way of naming ("plain" is 0). */
static bool simpler_objects(struct work *w, size_t index)
{
    struct trace_step step = w->best->steps[index];
    bool any;

    if (!strstr(trace_op_table[step.op].pattern, "newregion")) {
        return false;
    }
    if (step.op == TRACE_OP_ALIAS) {
        step.c = TRACE_OWNERS;
    } else {
        step.b = TRACE_OWNERS;
    }
    any = try_step(w, index, &step);
    step = w->best->steps[index];
    if (step.op != TRACE_OP_ALIAS) {
        step.c = 0;
        any |= try_step(w, index, &step);
    }
    return any;
}

static bool simpler_operands(struct work *w)
{
    bool any = false;

    for (size_t i = 0; i < w->best->count && !out_of_tries(w); i++) {
        any |= simpler_objects(w, i);
        any |= simpler_number(w, i);
        any |= simpler_value(w, i, false);
        any |= simpler_value(w, i, true);
    }
    return any;
}

/* --- small names -------------------------------------------------------------------- */

/* r0, r1, ... in the order in which regions are made. */
static void renumber(struct work *w)
{
    uint16_t name[TRACE_REGIONS];
    struct trace candidate;
    unsigned next = 0;
    bool kept;

    for (unsigned i = 0; i < TRACE_REGIONS; i++) {
        name[i] = (uint16_t)i;
    }
    trace_init(&candidate);
    candidate.groups = w->best->groups;
    for (size_t i = 0; i < w->best->count; i++) {
        struct trace_step step = w->best->steps[i];
        const char *pattern = trace_op_table[step.op].pattern;

        if (strstr(pattern, "{a:newregion}")) {
            name[step.a] = (uint16_t)next++;
        }
        if (strstr(pattern, "{a:region}") || strstr(pattern, "{a:newregion}")) {
            step.a = name[step.a];
        }
        if (strstr(pattern, "{b:region}")) {
            step.b = name[step.b];
        }
        if (step.v.mode != TRACE_VALUE_ABSOLUTE) {
            step.v.region = name[step.v.region];
        }
        if (step.w.mode != TRACE_VALUE_ABSOLUTE) {
            step.w.region = name[step.w.region];
        }
        trace_append(&candidate, &step);
    }
    if (!trace_equal(&candidate, w->best)) {
        keep_if_failing(w, &candidate, &kept);
    }
    trace_free(&candidate);
}

/* --- all together --------------------------------------------------------------------- */

static void collect(void *opaque, size_t index, const struct trace_step *written,
                    const struct trace_step *resolved, const struct observation *expected,
                    const struct observation *seen, enum run_outcome outcome)
{
    (void)index;
    (void)written;
    (void)expected;
    (void)seen;
    (void)outcome;
    if (resolved) {
        trace_append(opaque, resolved);
    }
}

void minimize_resolve(struct trace *t, const struct run_options *options)
{
    struct run_options predict = *options;
    struct trace resolved;
    struct runner *r;

    trace_init(&resolved);
    predict.play = false;
    predict.on_step = collect;
    predict.opaque = &resolved;
    r = runner_new(&predict);
    runner_begin(r);
    for (size_t i = 0; i < t->count; i++) {
        runner_step(r, &t->steps[i]);
    }
    runner_free(r);
    for (size_t i = 0; i < resolved.count; i++) {
        trace_step_canonicalize(&resolved.steps[i]);
    }
    copy_trace(t, &resolved);
    trace_free(&resolved);
}

/*
 * What is written becomes what is played.  What comes after the failing step is
 * not needed, unless it fails while everything is undone.
 */
static void exact_names(struct work *w, size_t failing_step)
{
    struct trace exact;
    bool kept;

    trace_init(&exact);
    copy_trace(&exact, w->best);
    if (failing_step < exact.count) {
        exact.count = failing_step + 1;
    }
    minimize_resolve(&exact, &w->options->run);
    keep_if_failing(w, &exact, &kept);
    trace_free(&exact);
}

bool minimize_trace(struct trace *t, const struct minimize_options *options, struct failure_signature *signature,
                    unsigned *tries)
{
    struct work w = { .options = options, .best = t, .steps_before = t->count, .phase = "steps" };
    struct failure_signature again;

    failure_probe(t, &options->run, &w.wanted, NULL);
    *signature = w.wanted;
    if (!w.wanted.text[0]) {
        *tries = 1;
        return false;
    }
    failure_probe(t, &options->run, &again, NULL);
    w.tries = 2;
    if (strcmp(again.text, w.wanted.text) != 0) {
        *signature = again;
        *tries = w.tries;
        return false;
    }

    exact_names(&w, w.wanted.step);
    while (!out_of_tries(&w)) {
        bool any;

        w.phase = "steps";
        any = fewer_steps(&w);
        w.phase = "operands";
        any |= simpler_operands(&w);
        if (!any) {
            break;
        }
    }
    exact_names(&w, SIZE_MAX);      /* a step may have come to mean another object than it names */
    renumber(&w);
    t->groups = 0;      /* only the groups that are left */
    for (size_t i = 0; i < t->count; i++) {
        t->groups |= 1u << trace_op_table[t->steps[i].op].group;
    }
    failure_probe(t, &options->run, signature, NULL);
    *tries = w.tries;
    return true;
}
