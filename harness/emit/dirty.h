/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of memtrace emit-c for the group `dirty`. */
#ifndef HARNESS_EMIT_DIRTY_H
#define HARNESS_EMIT_DIRTY_H

#include "run/run.h"

/* Functions that the calls use; to be written once, before main. */
extern const char emit_dirty_prelude[];

/* The call; its answer waits. */
void emit_dirty_call(FILE *out, const struct model *m, const struct trace_step *s);

/* Says the answer, and the pages around. */
void emit_dirty_answer(FILE *out, const struct model *m, const struct trace_step *s);

#endif
