/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delta debugging of traces: fewer steps, then simpler operands, while the
 * same failure remains, not just any.
 *
 * Every attempt is played in a child process: a failing core is not sound
 * afterwards.  What makes two failures the same is their signature:
 *   a difference   rule, what differs and how ("R-LST-8 callbacks: region_nop for region_del")
 *   misuse         the core's line up to the object ("memcore: memory_region_init")
 *   a sanitizer    its kind and the three top frames' code addresses
 *   a signal, a hang   their names
 */
#ifndef HARNESS_MINIMIZE_MINIMIZE_H
#define HARNESS_MINIMIZE_MINIMIZE_H

#include "run/run.h"

struct failure_signature {
    char text[400];             /* empty: the trace does not fail */
    char summary[160];          /* for people */
    size_t step;                /* index of the failing step; trace->count and above: while everything is undone */
};

enum { MINIMIZE_SECONDS_PER_TRY = 20 };

/*
 * Play in a child process and say how it fails; and, if `refused` is not NULL, which of the trace's steps came to
 * nothing because of a planted failure: an element a step, all false before.
 */
void failure_probe(const struct trace *t, const struct run_options *options, struct failure_signature *out,
                   bool *refused);

struct minimize_progress {
    const char *phase;          /* "steps", "operands" */
    size_t steps, steps_before;
    unsigned tries;
};

struct minimize_options {
    struct run_options run;
    unsigned tries_max;
    void (*progress)(void *opaque, const struct minimize_progress *progress);  /* may be NULL */
    void *opaque;
};

/*
 * Shrinks *t in place.  Returns false if it does not fail, or fails differently
 * when played again (then *signature says what was seen last).
 */
bool minimize_trace(struct trace *t, const struct minimize_options *options, struct failure_signature *signature,
                    unsigned *tries);

/* The steps as they are played: exact objects and numbers, skipped steps gone. */
void minimize_resolve(struct trace *t, const struct run_options *options);

#endif
