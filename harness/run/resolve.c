/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/resolve_operand.h"

#include <string.h>

#include "exec/cpu-common.h"

const struct resolve_limits resolve_limits_fuzz = {
    .regions = 112, .paths = 320, .depth = 4, .per_region = 6,
    .block_bytes = UINT64_C(96) << 30,
};
const struct resolve_limits resolve_limits_wide = {
    .regions = TRACE_REGIONS, .paths = 100000, .depth = 64, .per_region = 64, .block_bytes = UINT64_MAX,
};

void resolver_reset(struct resolver *r, const struct model *model, const struct resolve_limits *limits)
{
    memset(r, 0, sizeof(*r));
    r->model = model;
    r->limits = *limits;
}

void resolver_played(struct resolver *r, const struct trace_step *played)
{
    if (played->op == TRACE_OP_DESTROY) {
        r->space_pending[played->a] = true;
    } else if (played->op == TRACE_OP_GRACE) {
        memset(r->space_pending, 0, sizeof(r->space_pending));
    }
}

/* --- picking --------------------------------------------------------------- */

static int pick(const uint16_t *slots, size_t count, unsigned name, const struct query *q, suits_fn suits)
{
    size_t suitable = 0;
    uint16_t which[TRACE_REGIONS];

    for (size_t i = 0; i < count; i++) {
        if (suits && !suits(q, slots[i])) {
            continue;
        }
        if (slots[i] == name) {
            return (int)name;
        }
        which[suitable++] = slots[i];
    }
    return suitable ? which[name % suitable] : OBSERVED_NONE;
}

int resolve_pick_region(const struct query *q, unsigned name, suits_fn suits)
{
    const struct model *m = q->r->model;
    struct model_region region;
    const uint16_t *slots;
    size_t count;

    if (model_region(m, name, &region) && (!suits || suits(q, name))) {
        return (int)name;
    }
    count = model_regions(m, &slots);
    return pick(slots, count, name, q, suits);
}

int resolve_pick_listed(const struct query *q, unsigned name, suits_fn suits,
                       size_t (*list)(const struct model *m, const uint16_t **slots))
{
    const uint16_t *slots;
    size_t count = list(q->r->model, &slots);

    return pick(slots, count, name, q, suits);
}

int resolve_next_free(unsigned name, unsigned slots, const struct query *q, suits_fn is_free)
{
    for (unsigned i = 0; i < slots; i++) {
        unsigned slot = (name + i) % slots;

        if (is_free(q, slot)) {
            return (int)slot;
        }
    }
    return OBSERVED_NONE;
}

/* --- what suits ------------------------------------------------------------ */

static bool region_free(const struct query *q, unsigned slot)
{
    struct model_region region;

    return !model_region(q->r->model, slot, &region);
}

static bool space_free(const struct query *q, unsigned slot)
{
    return !model_space_live(q->r->model, slot) && !q->r->space_pending[slot];
}

static bool listener_free(const struct query *q, unsigned slot)
{
    return model_listener_space(q->r->model, slot) == OBSERVED_NONE;
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

/* The VGA counter is 8 bits wide and guarded (R-TREE-10). */
static bool can_log(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) &&
           (q->step->n ? region.vga_log_count < 255 : region.vga_log_count > 0);
}

static bool takes_eventfd(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.eventfds < q->r->limits.per_region;
}

static bool has_eventfd(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.eventfds > 0;
}

static bool takes_coalesced(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.coalesced < q->r->limits.per_region;
}

static bool size_below_2_64(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && !(region.size >> 64);    /* R-COAL-5 */
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

static bool ordinary_listener(const struct query *q, unsigned slot)
{
    (void)q;
    return slot < TRACE_LISTENERS;
}

static bool can_be_armed(const struct query *q, unsigned slot)
{
    return slot < TRACE_LISTENERS && model_listener_armed(q->r->model, slot) == OBSERVED_NONE;
}

/* --- values ---------------------------------------------------------------- */

static uint64_t decoded_size(wide size)
{
    return size >> 64 ? UINT64_MAX : (uint64_t)size;    /* as memory_region_size, R-REG-2 */
}

static void resolve_value(const struct query *q, struct trace_value *value)
{
    struct model_region region;
    uint64_t absolute = value->absolute;

    if (value->mode != TRACE_VALUE_ABSOLUTE) {
        int slot = resolve_pick_region(q, value->region, NULL);

        absolute = 0;
        if (slot != OBSERVED_NONE && model_region(q->r->model, (unsigned)slot, &region)) {
            uint64_t size = (uint64_t)region.size;      /* 2^64 counts as 0: modulo 2^64 */

            absolute = value->mode == TRACE_VALUE_START ? region.address
                     : value->mode == TRACE_VALUE_END ? region.address + size
                     : decoded_size(region.size);
        }
        absolute += (uint64_t)(int64_t)value->delta;
    }
    *value = (struct trace_value){ .mode = TRACE_VALUE_ABSOLUTE, .absolute = absolute };
}

/* Edge values of allocated sizes may have left the type's range. */
void resolve_bound_value(struct trace_value *value, uint64_t lowest, uint64_t highest)
{
    if (value->absolute < lowest || value->absolute > highest) {
        value->absolute = lowest + (value->absolute - lowest) % (highest - lowest + 1);
    }
}

/* [v, v + w) is cut at 2^64: what a range past the end means is not specified. */
static void cut_length(struct trace_step *step)
{
    if (step->w.absolute > UINT64_MAX - step->v.absolute) {
        step->w.absolute = UINT64_MAX - step->v.absolute;
    }
}

/* --- steps ----------------------------------------------------------------- */

bool resolve_take(int picked, uint16_t *operand)
{
    *operand = (uint16_t)picked;
    return picked != OBSERVED_NONE;
}

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

static bool resolve_eventfd_del(struct query *q, struct trace_step *out, const char **reason)
{
    struct model_region region;
    struct trace_step entry;

    *reason = "no region with an ioeventfd";
    if (!resolve_take(resolve_pick_region(q, out->a, has_eventfd), &out->a)) {
        return false;
    }
    if (!model_eventfd_matches(q->r->model, out) && model_region(q->r->model, out->a, &region) &&
        model_eventfd(q->r->model, out->a, out->v.absolute % region.eventfds, &entry)) {
        out->b = entry.b;
        out->n = entry.n;
        out->v = entry.v;
        out->w = entry.w;
    }
    return true;
}

static bool resolve_log_flags(struct query *q, struct trace_step *out, const char **reason)
{
    if (!out->n) {
        out->n = 1;
    }
    if (out->op == TRACE_OP_LOG_STOP) {
        /* Flags that are not active would be misuse, at once or when the VM resumes (R-LOG-2, R-LOG-3). */
        *reason = "none of the flags is active";
        out->n &= (int32_t)model_log_flags(q->r->model);
        return out->n != 0;
    }
    return true;
}

enum { BOTH_SYNCS = 1 << EVENT_LOG_SYNC | 1 << EVENT_LOG_SYNC_GLOBAL };

static bool resolve_listen(struct query *q, struct trace_step *out, const char **reason)
{
    *reason = "no free listener";
    if (!resolve_take(resolve_next_free(out->a, TRACE_LISTENERS, q, listener_free), &out->a)) {
        return false;
    }
    if ((out->v.absolute & BOTH_SYNCS) == BOTH_SYNCS) {
        out->v.absolute &= ~(UINT64_C(1) << EVENT_LOG_SYNC_GLOBAL);     /* having both is misuse, R-LOG-4 */
    }
    *reason = "no address space";
    return resolve_take(resolve_pick_listed(q, out->b, NULL, model_spaces), &out->b);
}

static bool resolve_region_operand(struct query *q, struct trace_step *out, suits_fn suits, const char **reason,
                                   const char *why_not)
{
    *reason = why_not;
    return resolve_take(resolve_pick_region(q, out->a, suits), &out->a);
}

/* Groups with a function of their own. */
static bool resolve_by_group(struct query *q, struct trace_step *out, const char **reason)
{
    switch (trace_op_table[out->op].group) {
    case TRACE_GROUP_DIRTY:
        return resolve_dirty(q, out, reason);
    case TRACE_GROUP_BLOCK:
    case TRACE_GROUP_DISCARD:
    case TRACE_GROUP_FAULT:
        return resolve_blocks(q, out, reason);
    default:
        return resolve_access(q, out, reason);
    }
}

bool resolve_step(struct resolver *r, const struct trace_step *step, struct trace_step *out, const char **reason)
{
    const struct model *m = r->model;
    struct query q = { .r = r, .step = step, .other = OBSERVED_NONE };

    *out = *step;
    resolve_value(&q, &out->v);
    resolve_value(&q, &out->w);
    *reason = "";

    switch ((enum trace_op)step->op) {
    case TRACE_OP_CONTAINER:
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_ALIAS:
    case TRACE_OP_RAM:
    case TRACE_OP_RAM_PTR:
    case TRACE_OP_ROM_DEVICE:
        return resolve_init(&q, out, reason);

    case TRACE_OP_SPACE:
        *reason = "no free address space, or no region for its root";
        return resolve_take(resolve_next_free(out->a, TRACE_SPACES, &q, space_free), &out->a) &&
               resolve_take(resolve_pick_region(&q, out->b, NULL), &out->b);
    case TRACE_OP_ADD:
        return resolve_add(&q, out, reason);
    case TRACE_OP_DEL:
        return resolve_region_operand(&q, out, has_container, reason, "no region is in a container");
    case TRACE_OP_ALIAS_OFFSET:
        return resolve_region_operand(&q, out, is_alias, reason, "no alias");

    case TRACE_OP_LOG_CLEAR:
        cut_length(out);
        return resolve_region_operand(&q, out, NULL, reason, "no region");
    case TRACE_OP_ENABLED:
    case TRACE_OP_ADDRESS:
    case TRACE_OP_NONVOLATILE:
    case TRACE_OP_ROMD:
    case TRACE_OP_FIND:
    case TRACE_OP_PRESENT:
    case TRACE_OP_QUERY:
    case TRACE_OP_UNCOALESCE:
    case TRACE_OP_FLUSH_SET:
    case TRACE_OP_FLUSH_CLEAR:
        return resolve_region_operand(&q, out, NULL, reason, "no region");

    case TRACE_OP_SIZE:
    case TRACE_OP_READONLY:
        return resolve_region_operand(&q, out, can_be_set, reason, "no region");

    case TRACE_OP_DESTROY:
    case TRACE_OP_UNLISTEN_ALL:
        *reason = "no address space";
        return resolve_take(resolve_pick_listed(&q, out->a,
                                                step->op == TRACE_OP_DESTROY ? resolve_unmapped_space : NULL,
                                                model_spaces), &out->a);
    case TRACE_OP_BEGIN:
        *reason = "transactions are nested as deep as a trace may";
        return model_transaction_depth(m) < r->limits.depth;
    case TRACE_OP_COMMIT:
        *reason = "no transaction is open";
        return model_transaction_depth(m) > 0;

    case TRACE_OP_LISTEN:
        return resolve_listen(&q, out, reason);
    case TRACE_OP_UNLISTEN:
        *reason = "no listener";
        return resolve_take(resolve_pick_listed(&q, out->a, ordinary_listener, model_listeners), &out->a);
    case TRACE_OP_ARM:
        *reason = "no listener to arm, or no region";
        return resolve_take(resolve_pick_listed(&q, out->a, can_be_armed, model_listeners), &out->a) &&
               resolve_take(resolve_pick_region(&q, out->b, NULL), &out->b);

    case TRACE_OP_LOG:
        return resolve_region_operand(&q, out, can_log, reason, "no region whose log could be turned so");
    case TRACE_OP_LOG_START:
    case TRACE_OP_LOG_STOP:
        return resolve_log_flags(&q, out, reason);
    case TRACE_OP_LOG_SYNC:
    case TRACE_OP_AFTER_SYNC:
    case TRACE_OP_VM:
    case TRACE_OP_MTREE:
        return true;

    case TRACE_OP_EVENTFD:
        return resolve_region_operand(&q, out, takes_eventfd, reason, "no region with room for an ioeventfd");
    case TRACE_OP_EVENTFD_DEL:
        return resolve_eventfd_del(&q, out, reason);
    case TRACE_OP_COALESCE:
        cut_length(out);
        return resolve_region_operand(&q, out, takes_coalesced, reason, "no region with room for a coalesced range");
    case TRACE_OP_COALESCE_ALL:
        return resolve_region_operand(&q, out, size_below_2_64, reason, "no region below 2^64 bytes");

    case TRACE_OP_OWNER:
        *reason = "no free owner";
        return resolve_take(resolve_next_free(out->a, TRACE_OWNERS, &q, owner_free), &out->a);
    case TRACE_OP_RELEASE:
        *reason = "no owner that could be released";
        return resolve_take(resolve_pick_listed(&q, out->a, owner_releasable, model_owners), &out->a);
    case TRACE_OP_UNPARENT:
        return resolve_region_operand(&q, out, can_be_unparented, reason, "no region that nothing sees any more");
    case TRACE_OP_REF:
        return resolve_region_operand(&q, out, can_be_referenced, reason, "no region");
    case TRACE_OP_UNREF:
        return resolve_region_operand(&q, out, is_referenced, reason, "no referenced region");
    case TRACE_OP_COPY:
        *reason = "no free copy, or no region";
        return resolve_take(resolve_next_free(out->a, TRACE_COPIES, &q, copy_free), &out->a) &&
               resolve_take(resolve_pick_region(&q, out->b, NULL), &out->b);
    case TRACE_OP_FREE_COPY:
        *reason = "no section copy";
        return resolve_take(resolve_pick_listed(&q, out->a, NULL, model_copies), &out->a);

    case TRACE_OP_GRACE:
        *reason = "a reader is active: no grace period can end";
        return !model_reader_active(m);
    case TRACE_OP_READER:
        *reason = "a reader is active already, or there is no address space";
        return !model_reader_active(m) && resolve_take(resolve_pick_listed(&q, out->a, NULL, model_spaces), &out->a);
    case TRACE_OP_READER_END:
        *reason = "no reader";
        return model_reader_active(m);
    default:
        return resolve_by_group(&q, out, reason);
    }
}
