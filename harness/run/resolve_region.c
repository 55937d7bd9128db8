/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions, owners and section copies: which of them suit a step. */
#include <stdlib.h>

#include "run/resolve_operand.h"

/* --- what suits ------------------------------------------------------------ */

static bool region_free(const struct query *q, unsigned slot)
{
    struct model_region region;

    return !model_region(q->r->model, slot, &region);
}

static bool listed(const struct query *q, unsigned slot,
                   size_t (*list)(const struct model *m, const uint16_t **slots))
{
    const uint16_t *slots;
    size_t count = list(q->r->model, &slots);

    for (size_t i = 0; i < count; i++) {
        if (slots[i] == slot) {
            return true;
        }
    }
    return false;
}

static bool owner_free(const struct query *q, unsigned slot)
{
    return !listed(q, slot, model_owners);
}

static bool copy_free(const struct query *q, unsigned slot)
{
    return !listed(q, slot, model_copies);
}

static bool owner_held(const struct query *q, unsigned slot)
{
    return !model_owner_released(q->r->model, slot);
}

/* An alias of another owner must not outlive its target (section 11, init_alias). */
static bool owner_releasable(const struct query *q, unsigned slot)
{
    const struct model *m = q->r->model;
    const uint16_t *slots;
    size_t count = model_regions(m, &slots);

    if (model_owner_released(m, slot) || resolve_owner_has_notifiers(m, slot) ||
        resolve_owner_has_managers(m, slot)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct model_region alias, target;

        if (model_region(m, slots[i], &alias) && alias.target != OBSERVED_NONE && alias.owner != (int)slot &&
            model_region(m, (unsigned)alias.target, &target) && target.owner == (int)slot) {
            return false;
        }
    }
    return true;
}

bool resolve_stays_alive(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) &&
           (region.owner == OBSERVED_NONE || !model_owner_released(q->r->model, (unsigned)region.owner));
}

static bool can_contain(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.kind != KIND_ALIAS;
}

/* Is `goal` below `from`, through containers and aliases? */
static bool reaches(const struct model *m, unsigned from, unsigned goal)
{
    struct model_region region;

    if (from == goal) {
        return true;
    }
    if (!model_region(m, from, &region)) {
        return false;
    }
    if (region.target != OBSERVED_NONE && reaches(m, (unsigned)region.target, goal)) {
        return true;
    }
    for (size_t i = 0; i < region.children; i++) {
        if (reaches(m, (unsigned)model_child(m, from, i), goal)) {
            return true;
        }
    }
    return false;
}

/* Ways down from a region, stopping the count at `limit`. */
static unsigned paths_below(const struct model *m, unsigned slot, unsigned limit)
{
    struct model_region region;
    unsigned paths = 1;

    if (!model_region(m, slot, &region)) {
        return 0;
    }
    if (region.target != OBSERVED_NONE) {
        paths += paths_below(m, (unsigned)region.target, limit);
    }
    for (size_t i = 0; i < region.children && paths < limit; i++) {
        paths += paths_below(m, (unsigned)model_child(m, slot, i), limit);
    }
    return paths;
}

static bool can_be_added(const struct query *q, unsigned slot)
{
    const struct model *m = q->r->model;
    struct model_region region;

    return model_region(m, slot, &region) && region.container == OBSERVED_NONE &&
           !reaches(m, slot, (unsigned)q->other);
}

static bool has_container(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.container != OBSERVED_NONE;
}

static bool is_alias(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.kind == KIND_ALIAS;
}

static bool is_alias_target(const struct model *m, unsigned slot)
{
    const uint16_t *slots;
    size_t count = model_regions(m, &slots);

    for (size_t i = 0; i < count; i++) {
        struct model_region region;

        if (model_region(m, slots[i], &region) && region.target == (int)slot) {
            return true;
        }
    }
    return false;
}

/* R-OBJ-8: with a living owner only containers and aliases; R-OBJ-9, R-OBJ-10: nothing may still see it. */
static bool can_be_unparented(const struct query *q, unsigned slot)
{
    const struct model *m = q->r->model;
    struct model_region region;

    return model_region(m, slot, &region) && region.container == OBSERVED_NONE &&
           (region.owner == OBSERVED_NONE || region.kind == KIND_CONTAINER || region.kind == KIND_ALIAS) &&
           region.references == 0 && !region.granule && !model_is_space_root(m, slot) && !model_in_live_view(m, slot) &&
           !is_alias_target(m, slot) && !resolve_is_mapped(m, slot) && !resolve_has_notifiers(m, slot);
}

/* What the host cannot write to stays read-only; a region with a manager keeps its size. */
static bool can_be_set(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && (q->step->op != TRACE_OP_READONLY || !region.mapped_readonly) &&
           (q->step->op != TRACE_OP_SIZE || !region.granule);
}

static bool can_be_referenced(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.references < 16;
}

static bool is_referenced(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.references > 0;
}

/* --- steps ----------------------------------------------------------------- */

uint16_t resolve_owner(const struct query *q, unsigned name)
{
    int owner = name >= TRACE_OWNERS ? OBSERVED_NONE : resolve_pick_listed(q, name, owner_held, model_owners);

    return owner == OBSERVED_NONE ? TRACE_OWNERS : (uint16_t)owner;
}

bool resolve_new_region(const struct query *q, struct trace_step *out, const char **reason)
{
    const uint16_t *slots;

    if (model_regions(q->r->model, &slots) >= q->r->limits.regions) {
        *reason = "as many regions live as a trace may have";
        return false;
    }
    *reason = "no free region slot";
    return resolve_take(resolve_next_free(out->a, TRACE_REGIONS, q, region_free), &out->a);
}

enum { NAMING_UNNAMED = 3 };

static uint64_t block_bytes(const struct query *q)
{
    const uint16_t *slots;
    const size_t count = model_regions(q->r->model, &slots);
    struct model_region region;
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        model_region(q->r->model, slots[i], &region);
        bytes += region.block_length;
    }
    return bytes;
}

static bool resolve_init(struct query *q, struct trace_step *out, const char **reason)
{
    if (!resolve_new_region(q, out, reason)) {
        return false;
    }
    switch (out->op) {
    case TRACE_OP_ALIAS:
        *reason = "no region an alias could name";
        if (!resolve_take(resolve_pick_region(q, out->b, resolve_stays_alive), &out->b)) {
            return false;
        }
        if (paths_below(q->r->model, out->b, q->r->limits.paths) >= q->r->limits.paths) {
            *reason = "too many paths through aliases";
            return false;
        }
        /* An unnamed region does not die with its owner (R-OBJ-3): it gets none. */
        out->c = out->n == NAMING_UNNAMED ? TRACE_OWNERS : resolve_owner(q, out->c);
        return true;
    case TRACE_OP_RAM:
    case TRACE_OP_ROM_DEVICE:
        resolve_bound_value(&out->v, 1, TRACE_RAM_SIZE_MAX);
        out->b = resolve_owner(q, out->b);
        return true;
    case TRACE_OP_RAM_PTR:
        resolve_bound_value(&out->v, 1, TRACE_PTR_SIZE_MAX);
        out->b = resolve_owner(q, out->b);
        *reason = "as much memory as a trace may have is there";
        return out->v.absolute <= q->r->limits.block_bytes - block_bytes(q);
    default:
        out->b = out->c == NAMING_UNNAMED ? TRACE_OWNERS : resolve_owner(q, out->b);
        return true;
    }
}

static bool resolve_add(struct query *q, struct trace_step *out, const char **reason)
{
    const struct model *m = q->r->model;

    *reason = "no region that could contain another";
    if (!resolve_take(resolve_pick_region(q, out->a, can_contain), &out->a)) {
        return false;
    }
    q->other = out->a;
    *reason = "no region without a container that would not close a cycle";
    if (!resolve_take(resolve_pick_region(q, out->b, can_be_added), &out->b)) {
        return false;
    }
    *reason = "too many paths through aliases";
    {
        /* The whole forest must stay small: any region may be or become visible through any other. */
        const uint16_t *slots;
        size_t count = model_regions(m, &slots);
        unsigned limit = q->r->limits.paths, added = paths_below(m, out->b, limit);

        for (size_t i = 0; i < count; i++) {
            if (reaches(m, slots[i], out->a) && paths_below(m, slots[i], limit) + added >= limit) {
                return false;
            }
        }
    }
    return true;
}

bool resolve_regions(struct query *q, struct trace_step *out, const char **reason)
{
    switch ((enum trace_op)out->op) {
    case TRACE_OP_CONTAINER:
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_ALIAS:
    case TRACE_OP_RAM:
    case TRACE_OP_RAM_PTR:
    case TRACE_OP_ROM_DEVICE:
        return resolve_init(q, out, reason);
    case TRACE_OP_ADD:
        return resolve_add(q, out, reason);
    case TRACE_OP_DEL:
        return resolve_region_operand(q, out, has_container, reason, "no region is in a container");
    case TRACE_OP_ALIAS_OFFSET:
        return resolve_region_operand(q, out, is_alias, reason, "no alias");
    case TRACE_OP_SIZE:
    case TRACE_OP_READONLY:
        return resolve_region_operand(q, out, can_be_set, reason, "no region");
    case TRACE_OP_ENABLED:
    case TRACE_OP_ADDRESS:
    case TRACE_OP_NONVOLATILE:
    case TRACE_OP_ROMD:
    case TRACE_OP_FIND:
    case TRACE_OP_PRESENT:
    case TRACE_OP_QUERY:
        return resolve_region_operand(q, out, NULL, reason, "no region");
    case TRACE_OP_OWNER:
        *reason = "no free owner";
        return resolve_take(resolve_next_free(out->a, TRACE_OWNERS, q, owner_free), &out->a);
    case TRACE_OP_RELEASE:
        *reason = "no owner that could be released";
        return resolve_take(resolve_pick_listed(q, out->a, owner_releasable, model_owners), &out->a);
    case TRACE_OP_UNPARENT:
        return resolve_region_operand(q, out, can_be_unparented, reason, "no region that nothing sees any more");
    case TRACE_OP_REF:
        return resolve_region_operand(q, out, can_be_referenced, reason, "no region");
    case TRACE_OP_UNREF:
        return resolve_region_operand(q, out, is_referenced, reason, "no referenced region");
    case TRACE_OP_COPY:
        *reason = "no free copy, or no region";
        return resolve_take(resolve_next_free(out->a, TRACE_COPIES, q, copy_free), &out->a) &&
               resolve_take(resolve_pick_region(q, out->b, NULL), &out->b);
    case TRACE_OP_FREE_COPY:
        *reason = "no section copy";
        return resolve_take(resolve_pick_listed(q, out->a, NULL, model_copies), &out->a);
    case TRACE_OP_SPACE:        /* of this group, as every trace needs one */
        return resolve_spaces(q, out, reason);
    default:
        abort();
    }
}
