/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of memtrace emit-c for RAM blocks and discard managers.  What `fail` asks for is not written: no call fails. */
#ifndef HARNESS_MEMTRACE_EMIT_C_BLOCK_H
#define HARNESS_MEMTRACE_EMIT_C_BLOCK_H

#include "run/run.h"

/* Functions that the calls use, in C; wants those of dirty pages and accesses before it. */
extern const char emit_block_prelude[];

/* The trace has steps that need them. */
bool emit_block_used(const struct trace *t);

/* The callback that a resizeable block is made with. */
extern const char emit_block_resized[];

/* The call, an init included; `owner` in C. */
void emit_block_call(FILE *out, const struct trace_step *s, const char *owner);
/* Says what the call answered, which is observation.text then. */
void emit_block_answer(FILE *out, const struct model *m, const struct trace_step *s, const struct observation *expected);
/* Blocks die together, in an order that is not specified. */
bool emit_block_many_die(const struct trace_step *s, const struct event_log *log);
/* False: not an event of these. */
bool emit_block_event(FILE *out, const struct event *e);

#endif
