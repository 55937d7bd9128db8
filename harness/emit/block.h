/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of memtrace emit-c for RAM blocks, discard managers and failures of the host: model/block.h as C. */
#ifndef HARNESS_EMIT_BLOCK_H
#define HARNESS_EMIT_BLOCK_H

#include "run/run.h"

struct emit_block {
    bool used, discards, faults;    /* the trace has steps of these groups; of `discard`; of `fault` */
    bool managed[TRACE_REGIONS];    /* slots that need a `struct manager` */
};

/* How a program speaks of the blocks of regions; before the preludes of dirty pages, accesses and blocks. */
extern const char emit_ram_prelude[];

void emit_block_begin(struct emit_block *b, const struct trace *t);
/* Functions and variables that the calls use; after those of accesses. */
void emit_block_prelude(FILE *out, const struct emit_block *b);
/* What a region needs. */
void emit_block_declare(FILE *out, const struct emit_block *b, unsigned region);
/* The first lines of main. */
void emit_block_start(FILE *out, const struct emit_block *b);

/* Says what else was not given back. */
void emit_block_end(FILE *out, const struct emit_block *b);

/* `ram_file`; `owner` as C. */
void emit_block_file(FILE *out, const struct trace_step *s, const char *owner);
/* The call of any other step; its answer waits. */
void emit_block_call(FILE *out, struct emit_block *b, const struct trace_step *s);

/* Says the answer, and the pages around the end of what was resized. */
void emit_block_answer(FILE *out, const struct model *m, const struct trace_step *s,
                       const struct observation *expected);

/* The line of an event as the program says it; false: it is none of this part. */
bool emit_block_event(FILE *out, const struct event *e);

/* discard.c */
extern const char emit_discard_prelude[];
void emit_discard_call(FILE *out, struct emit_block *b, const struct trace_step *s);

#endif
