/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a step as written to a step that can be played: exact live objects,
 * absolute values, every precondition of the API met.
 *
 * The rule of the language is that any operation means something in any state.
 * An operand names an object; if that object does not suit, the
 * (name modulo count)-th of those that do takes its place, in ascending order
 * of slots.  A slot to be filled is the named one, or the next free one after
 * it.  Only when nothing suits is the step skipped.
 *
 * Decisions are made from the model's state alone: a bug of the core cannot
 * change which program is being played.
 */
#ifndef HARNESS_RUN_RESOLVE_H
#define HARNESS_RUN_RESOLVE_H

#include "model/model.h"
#include "trace/trace.h"

/* Limits on what one trace may build: they bound the cost of a step, not what can be said. */
struct resolve_limits {
    unsigned regions;           /* live regions */
    unsigned paths;             /* ways from any one region down through containers and aliases */
    unsigned depth;             /* nested transactions */
    unsigned per_region;        /* ioeventfds, and coalesced ranges, of one region */
    uint64_t block_bytes;       /* of all blocks together: each page has dirty bits */
};
extern const struct resolve_limits resolve_limits_fuzz;     /* for fuzzing */
extern const struct resolve_limits resolve_limits_wide;     /* for traces of whole machines */

struct resolver {
    const struct model *model;
    struct resolve_limits limits;
    bool space_pending[TRACE_SPACES];   /* destroyed, but its struct is still in use until a grace period */
};

void resolver_reset(struct resolver *r, const struct model *model, const struct resolve_limits *limits);

/* False: nothing suits, the step is skipped; *reason then says why. */
bool resolve_step(struct resolver *r, const struct trace_step *step, struct trace_step *out, const char **reason);

/* To be called with every resolved step after it was played. */
void resolver_played(struct resolver *r, const struct trace_step *played);

#endif
