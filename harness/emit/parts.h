/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of memtrace emit-c share: its state, and who writes the call of which step. */
#ifndef HARNESS_EMIT_PARTS_H
#define HARNESS_EMIT_PARTS_H

#include <stdio.h>

#include "emit/access.h"
#include "emit/block.h"
#include "emit/emit_c.h"
#include "emit/text.h"

struct emitter {
    FILE *body;
    const struct emit_options *options;
    const struct runner *runner;
    size_t count;                           /* steps of the trace */
    bool region_used[TRACE_REGIONS];
    bool region_named[TRACE_REGIONS];
    int region_container[TRACE_REGIONS];
    bool armed[TRACE_LISTENERS];
    struct emit_access access;
    struct emit_block block;
    bool done, cut;                         /* the failing step was emitted; it was not the last */
    bool undoing;
};

/* --- callbacks (event.c) ------------------------------------------------------------------------- */

extern const char *const emit_callback_names[EVENT_LISTENER_KINDS];
/* The line of an event as the program says it. */
void emit_event(FILE *out, const struct event *e);

/* --- calls, by groups of steps; `check`: the answer is compared --------------------------------- */

/* region.c: regions and owners. */
void emit_region_call(struct emitter *e, const struct trace_step *s, bool check, const struct observation *expected);
/* space.c: spaces, transactions, listeners and what they are told of. */
void emit_space_call(struct emitter *e, const struct trace_step *s);
/* query.c: questions, section copies, readers. */
void emit_query_call(struct emitter *e, const struct trace_step *s, bool check, const struct observation *expected);

#endif
