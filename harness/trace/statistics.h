/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a set of traces is made of: which operations, how often, and how their values are given. */
#ifndef HARNESS_TRACE_STATISTICS_H
#define HARNESS_TRACE_STATISTICS_H

#include "trace/trace.h"

struct trace_statistics {
    uint64_t traces;
    uint64_t steps, steps_most;                 /* altogether, and in the longest trace */
    uint64_t op_steps[TRACE_OP_COUNT];          /* how often the operation occurs */
    uint64_t op_traces[TRACE_OP_COUNT];         /* in how many traces it does */
    uint64_t group_traces[TRACE_GROUP_COUNT];   /* in how many traces the group is in use */
    uint64_t value_modes[TRACE_VALUE_SIZE + 1]; /* values given as absolute, start, end, size */
};

/* Start with a zeroed struct. */
void trace_statistics_add(struct trace_statistics *statistics, const struct trace *t);

/* A table for people: operations by group, those that never occur included. */
void trace_statistics_print(const struct trace_statistics *statistics, FILE *out);

#endif
