/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How operands are resolved: what the files resolve*.c share. */
#ifndef HARNESS_RUN_RESOLVE_OPERAND_H
#define HARNESS_RUN_RESOLVE_OPERAND_H

#include "run/resolve.h"

/* One question about one candidate; `in` carries the step and what is resolved so far. */
struct query {
    const struct resolver *r;
    const struct trace_step *step;
    int other;                  /* an object resolved before, or OBSERVED_NONE */
};
typedef bool (*suits_fn)(const struct query *q, unsigned slot);

/* The named one if it suits, else the (name modulo count)-th that does, or OBSERVED_NONE. */
int resolve_pick_region(const struct query *q, unsigned name, suits_fn suits);
int resolve_pick_listed(const struct query *q, unsigned name, suits_fn suits,
                        size_t (*list)(const struct model *m, const uint16_t **slots));
/* The named slot, or the next free one after it. */
int resolve_next_free(unsigned name, unsigned slots, const struct query *q, suits_fn is_free);
bool resolve_take(int picked, uint16_t *operand);      /* false: nothing was picked */
void resolve_bound_value(struct trace_value *value, uint64_t lowest, uint64_t highest);
bool resolve_new_region(const struct query *q, struct trace_step *out, const char **reason);
uint16_t resolve_owner(const struct query *q, unsigned name);
bool resolve_stays_alive(const struct query *q, unsigned slot);

/* out->a becomes a region that suits; false, and the reason: none does. */
bool resolve_region_operand(struct query *q, struct trace_step *out, suits_fn suits, const char **reason,
                            const char *why_not);

/*
 * Each resolves the operands of the steps of its groups; values of *out are resolved before.  False: nothing suits,
 * and *reason says what.
 */
bool resolve_regions(struct query *q, struct trace_step *out, const char **reason);
bool resolve_spaces(struct query *q, struct trace_step *out, const char **reason);
bool resolve_dirty(struct query *q, struct trace_step *out, const char **reason);
bool resolve_access(struct query *q, struct trace_step *out, const char **reason);
bool resolve_blocks(struct query *q, struct trace_step *out, const char **reason);

/* --- what others ask, too ---------------------------------------------------- */

/* Nothing may die that a mapping or notifier is on. */
bool resolve_unmapped_space(const struct query *q, unsigned slot);
bool resolve_is_mapped(const struct model *m, unsigned region);
bool resolve_has_notifiers(const struct model *m, unsigned region);
bool resolve_owner_has_notifiers(const struct model *m, unsigned owner);

/* A region with a discard manager keeps its size and its life, one that is mapped its size. */
bool resolve_is_managed(const struct query *q, unsigned slot);
bool resolve_keeps_size(const struct query *q, unsigned slot);
bool resolve_owner_has_managers(const struct model *m, unsigned owner);

#endif
