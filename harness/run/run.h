/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner: plays a trace on the core and on the model and compares what is
 * seen, after every step.
 *
 *   trace step --resolve--> resolved step --+--> model_apply --> expected
 *                                           +--> player_apply -> seen
 *                                                  check: expected == seen, views, references
 *
 * At the end of a trace everything is undone, by steps that are compared like
 * all others, and the core must have given everything back.
 *
 * A process has one core, so one runner that plays (`play` true) at a time; a
 * runner that does not play only predicts, for tools that print programs.
 */
#ifndef HARNESS_RUN_RUN_H
#define HARNESS_RUN_RUN_H

#include "model/model.h"
#include "run/resolve.h"
#include "trace/trace.h"

struct runner;

enum run_outcome {
    RUN_OK,
    RUN_SKIPPED,                /* nothing suited an operand */
    RUN_FAILED,                 /* core and model disagree: see runner_failure() */
};

struct run_failure {
    char rule[24];              /* "R-LST-8": what was violated */
    char what[48];              /* "callbacks", "view of as0": what differs.  rule + what: the failure's kind */
    size_t step;                /* index in the trace; trace->count and above: while everything is undone */
    struct trace_step written;  /* as in the trace (the resolved step again, for undoing) */
    struct trace_step resolved;
    char *core, *model;         /* what each says, several lines; owned by the runner */
};

struct run_options {
    enum model_profile profile;
    struct resolve_limits limits;
    bool play;                  /* false: the model alone */
    /* Called with every resolved step after it was played and compared; may be NULL. */
    void (*on_step)(void *opaque, size_t index, const struct trace_step *written,
                    const struct trace_step *resolved, const struct observation *expected,
                    const struct observation *seen, enum run_outcome outcome);
    /* Without `play`: whether the host refused that step, which then came to nothing.  NULL: it refuses none. */
    bool (*refused)(void *opaque, size_t index);
    void *opaque;
};

struct run_totals {
    uint64_t steps;             /* of the trace, and those that undo it */
    uint64_t skipped;
    uint64_t checked;           /* played and compared */
    uint64_t hash;              /* over everything seen: equal for equal runs */
    uint64_t op_steps[TRACE_OP_COUNT], op_skipped[TRACE_OP_COUNT];  /* steps of the trace only */
};

/* The profile subject_default_profile() names, fuzzing limits, playing. */
void run_options_default(struct run_options *options);
bool run_profile_parse(const char *name, enum model_profile *profile);
const char *run_profile_name(enum model_profile profile);

struct runner *runner_new(const struct run_options *options);
void runner_free(struct runner *r);

/* The whole trace, undoing included.  RUN_OK or RUN_FAILED; totals (may be NULL) are added to. */
enum run_outcome runner_run(struct runner *r, const struct trace *t, struct run_totals *totals);

/* Step by step, for tools: begin, steps, end.  After RUN_FAILED only runner_abandon is allowed. */
void runner_begin(struct runner *r);
enum run_outcome runner_step(struct runner *r, const struct trace_step *step);
enum run_outcome runner_end(struct runner *r, struct run_totals *totals);

/*
 * After a failure the core's state is not known to be sound: this drops what
 * the harness holds without calling the core again.  The process should not
 * play another trace.
 */
void runner_abandon(struct runner *r);

const struct run_failure *runner_failure(const struct runner *r);
const struct model *runner_model(const struct runner *r);
/* The core's view of a space now: ranges and offsets.  Free with free(out->ranges). */
void runner_core_view(struct runner *r, unsigned space, struct view *out);
/* Steps done so far, for crash handlers: the last ones, oldest first. */
size_t runner_recent(const struct runner *r, struct trace_step *steps, size_t capacity, size_t *first_index);

/* Print the failure for people: rule, step, both views, the steps before it.  `replay` may be NULL. */
void run_report(FILE *out, const struct runner *r, const char *replay);
/* Print where a crash inside the core happened: async-signal-unsafe, but the process is ending. */
void run_report_crash(FILE *out, const struct runner *r, const char *replay);

#endif
