/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HARNESS_MUTATE_STEP_H
#define HARNESS_MUTATE_STEP_H

#include "mutate/random.h"
#include "trace/trace.h"

/* A new step of the trace's groups; what it names and where it is likes to be what `t` has already. */
void mutate_new_step(struct random *r, const struct trace *t, struct trace_step *step);
void mutate_new_step_of(struct random *r, const struct trace *t, enum trace_op op, struct trace_step *step);

/* Changes one operand of the step, or its operation. */
void mutate_step(struct random *r, const struct trace *t, struct trace_step *step);

#endif
