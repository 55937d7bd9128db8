/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a number to a trace: the tree, then group after group a change and its undoing. */
#include <glib.h>
#include <string.h>

#include "model/observation.h"
#include "world.h"

enum { OFF = 1, READONLY = 2, NONVOLATILE = 4 };
enum { WIDTH_2 = 2, EVENT_WIDTHS = 5, DIRTY_MIGRATION = 1 };    /* as operand.def numbers its words */

struct shape {
    unsigned place, size, offset, flags;
};

struct builder {
    struct world_case *c;
    const struct world_structure *s;
    struct shape shape[WORLD_REGIONS + 1];
    bool dressed;
    size_t open;                /* first step of the group being written */
};

/* ---- steps ---- */

static void put(struct builder *b, enum trace_op op, unsigned x, unsigned y, unsigned z, int n, uint64_t v,
                uint64_t w)
{
    struct trace_step step = {
        .op = (uint8_t)op, .a = (uint16_t)x, .b = (uint16_t)y, .c = (uint16_t)z, .n = n,
        .v = { .mode = TRACE_VALUE_ABSOLUTE, .absolute = v },
        .w = { .mode = TRACE_VALUE_ABSOLUTE, .absolute = w },
    };

    trace_step_canonicalize(&step);
    trace_append(&b->c->trace, &step);
}

static void put_alone(struct builder *b, enum trace_op op)
{
    put(b, op, 0, 0, 0, 0, 0, 0);
}

static void put_value(struct builder *b, enum trace_op op, unsigned region, uint64_t value)
{
    put(b, op, region, 0, 0, 0, value, 0);
}

static void put_switch(struct builder *b, enum trace_op op, unsigned region, int n)
{
    put(b, op, region, 0, 0, n, 0, 0);
}

static void put_span(struct builder *b, enum trace_op op, unsigned region, uint64_t at, uint64_t size)
{
    put(b, op, region, 0, 0, 0, at, size);
}

static void put_eventfd(struct builder *b, enum trace_op op, unsigned region, uint64_t at, int width)
{
    put(b, op, region, 0, 0, width, at, 0);
}

static void put_add(struct builder *b, int parent, unsigned region, uint64_t place, int priority)
{
    put(b, TRACE_OP_ADD, (unsigned)parent, region, 0, priority, place, 0);
}

static void put_own_add(struct builder *b, unsigned region)
{
    const struct world_region *r = &b->s->region[region];

    put_add(b, r->parent, region, b->shape[region].place, r->priority);
}

static void end_group(struct builder *b)
{
    struct world_case *c = b->c;

    if (c->trace.count > c->group_capacity) {
        c->group_capacity = c->trace.count * 2;
        c->group = g_renew(size_t, c->group, c->group_capacity);
    }
    for (size_t i = b->open; i < c->trace.count; i++) {
        c->group[i] = b->open;
    }
    b->open = c->trace.count;
    c->changes++;
}

/* ---- the tree ---- */

/* The inverse of geometries() in world.c: a digit of each base that a region has. */
static void read_shapes(struct builder *b, uint64_t geometry)
{
    static const unsigned few_flags[] = { 0, OFF, READONLY };

    for (unsigned i = 1; i <= b->s->regions; i++) {
        const struct world_region *r = &b->s->region[i];
        struct shape *shape = &b->shape[i];

        *shape = (struct shape){ 0 };
        if (r->parent != WORLD_DETACHED) {
            shape->place = geometry % 5;
            geometry /= 5;
        }
        shape->size = geometry % 5;
        geometry /= 5;
        if (r->kind == WORLD_ALIAS) {
            shape->offset = geometry % 5;
            geometry /= 5;
        }
        shape->flags = b->s->regions == 1 ? geometry % 8 : few_flags[geometry % 3];
        geometry /= b->s->regions == 1 ? 8 : 3;
        if (r->kind == WORLD_ROM) {
            shape->flags |= READONLY;
        }
    }
}

static void put_region(struct builder *b, unsigned i)
{
    const struct world_region *r = &b->s->region[i];
    unsigned owner = b->dressed ? 0 : TRACE_OWNERS;
    unsigned size = b->shape[i].size;
    unsigned memory = WORLD_SIZE;       /* what is allocated cannot be 0; what is shown may be */

    switch (r->kind) {
    case WORLD_CONTAINER:
        put(b, TRACE_OP_CONTAINER, i, owner, 0, 0, size, 0);
        return;
    case WORLD_DEVICE:
        put(b, TRACE_OP_IO, i, owner, 0, 0, size, 0);
        return;
    case WORLD_RESERVATION:
        put(b, TRACE_OP_RESERVATION, i, owner, 0, 0, size, 0);
        return;
    case WORLD_ALIAS:
        put(b, TRACE_OP_ALIAS, i, (unsigned)r->target, owner, 0, b->shape[i].offset, size);
        return;
    case WORLD_RAM:
    case WORLD_RAM_NOMIGRATE:
    case WORLD_ROM:
        put(b, TRACE_OP_RAM, i, owner, 0, (int)(r->kind - WORLD_RAM), memory, 0);
        break;
    case WORLD_RAM_PTR:
    case WORLD_RAM_DEVICE:
        put(b, TRACE_OP_RAM_PTR, i, owner, 0, r->kind == WORLD_RAM_DEVICE, memory, 0);
        break;
    case WORLD_ROM_DEVICE:
    case WORLD_KINDS:
        put(b, TRACE_OP_ROM_DEVICE, i, owner, 0, 0, memory, 0);
        break;
    }
    put_value(b, TRACE_OP_SIZE, i, size);
}

/* Aliases after what they name. */
static void put_regions(struct builder *b)
{
    unsigned made = 0;

    while (made != (2u << b->s->regions) - 2) {
        for (unsigned i = 1; i <= b->s->regions; i++) {
            int target = b->s->region[i].target;

            if (!(made & 1u << i) && (target == WORLD_NO_TARGET || made & 1u << target)) {
                put_region(b, i);
                made |= 1u << i;
            }
        }
    }
}

static void put_flags(struct builder *b, unsigned i)
{
    unsigned flags = b->shape[i].flags;

    if (flags & OFF) {
        put_switch(b, TRACE_OP_ENABLED, i, false);
    }
    if (flags & READONLY) {
        put_switch(b, TRACE_OP_READONLY, i, true);
    }
    if (flags & NONVOLATILE) {
        put_switch(b, TRACE_OP_NONVOLATILE, i, true);
    }
}

static bool has_bells(const struct builder *b, unsigned i)
{
    return b->dressed && b->s->region[i].kind != WORLD_CONTAINER && b->s->region[i].kind != WORLD_ALIAS;
}

static void put_bells(struct builder *b, unsigned i)
{
    put_eventfd(b, TRACE_OP_EVENTFD, i, 1, WIDTH_2);
    put_span(b, TRACE_OP_COALESCE, i, 1, 2);
}

static void put_tree(struct builder *b)
{
    if (b->dressed) {
        put_alone(b, TRACE_OP_OWNER);
    }
    put(b, TRACE_OP_CONTAINER, 0, b->dressed ? 0 : TRACE_OWNERS, 0, 0, WORLD_SIZE, 0);
    put_regions(b);
    for (unsigned i = 1; i <= b->s->regions; i++) {
        put_flags(b, i);
        if (has_bells(b, i)) {
            put_bells(b, i);
        }
    }
    put(b, TRACE_OP_SPACE, 0, 0, 0, 1, 0, 0);
    for (unsigned i = 1; i <= b->s->regions; i++) {
        if (b->s->region[i].parent != WORLD_DETACHED) {
            put_own_add(b, i);
        }
    }
    if (b->dressed) {
        put(b, TRACE_OP_SPACE, 1, 1, 0, 1, 0, 0);
    }
}

/* ---- changes ---- */

static void change_switch(struct builder *b, enum trace_op op, unsigned i, bool now)
{
    put_switch(b, op, i, !now);
    put_switch(b, op, i, now);
    end_group(b);
}

static const uint64_t values[] = { 0, 1, 2, 3, 4, UINT64_MAX };

/* To every other value and back. */
static void change_value(struct builder *b, enum trace_op op, unsigned i, unsigned now)
{
    for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
        if (values[k] != now) {
            put_value(b, op, i, values[k]);
            put_value(b, op, i, now);
            end_group(b);
        }
    }
}

/* Is a sibling of its priority newer?  Then coming back puts it in front of that one (R-TREE-2). */
static bool has_newer_equal(const struct builder *b, unsigned i)
{
    const struct world_region *r = b->s->region;

    for (unsigned k = i + 1; k <= b->s->regions; k++) {
        if (r[k].parent == r[i].parent && r[k].priority == r[i].priority) {
            return true;
        }
    }
    return false;
}

/* Everything out and in again, in the order of the tree: `i` and its siblings get their places back. */
static void put_reordering(struct builder *b)
{
    for (int in = 0; in < 2; in++) {
        for (unsigned i = 1; i <= b->s->regions; i++) {
            if (b->s->region[i].parent == WORLD_DETACHED) {
                continue;
            }
            if (in) {
                put_own_add(b, i);
            } else {
                put_value(b, TRACE_OP_DEL, i, 0);
            }
        }
    }
}

static void change_place(struct builder *b, unsigned i)
{
    for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
        if (values[k] == b->shape[i].place) {
            continue;
        }
        put_value(b, TRACE_OP_ADDRESS, i, values[k]);
        if (has_newer_equal(b, i)) {
            put_alone(b, TRACE_OP_BEGIN);
            put_reordering(b);
            put_alone(b, TRACE_OP_COMMIT);
        } else {
            put_value(b, TRACE_OP_ADDRESS, i, b->shape[i].place);
        }
        end_group(b);
    }
}

static void change_membership(struct builder *b, unsigned i)
{
    const struct world_region *r = &b->s->region[i];

    put_value(b, TRACE_OP_DEL, i, 0);
    if (has_newer_equal(b, i)) {
        put_own_add(b, i);              /* now in front of its equals: a state of its own */
        put_alone(b, TRACE_OP_BEGIN);
        put_reordering(b);
        put_alone(b, TRACE_OP_COMMIT);
    } else {
        put_own_add(b, i);
    }
    end_group(b);
    for (int priority = -1; priority <= (int)b->s->regions; priority++) {
        if (priority == r->priority) {
            continue;
        }
        put_alone(b, TRACE_OP_BEGIN);
        put_value(b, TRACE_OP_DEL, i, 0);
        put_add(b, r->parent, i, b->shape[i].place, priority);
        put_alone(b, TRACE_OP_COMMIT);
        put_alone(b, TRACE_OP_BEGIN);
        put_reordering(b);
        put_alone(b, TRACE_OP_COMMIT);
        end_group(b);
    }
}

/* Does a way lead from `from` down to `to`? */
static bool leads_to(const struct world_structure *s, int from, int to)
{
    if (from == to) {
        return true;
    }
    if (s->region[from].target != WORLD_NO_TARGET && leads_to(s, s->region[from].target, to)) {
        return true;
    }
    for (unsigned i = 1; i <= s->regions; i++) {
        if (s->region[i].parent == from && leads_to(s, (int)i, to)) {
            return true;
        }
    }
    return false;
}

/* Into every other container that would not close a circle. */
static void change_container(struct builder *b, unsigned i)
{
    bool detached = b->s->region[i].parent == WORLD_DETACHED;

    for (int parent = 0; parent <= (int)b->s->regions; parent++) {
        if (parent == b->s->region[i].parent || b->s->region[parent].kind == WORLD_ALIAS ||
            leads_to(b->s, (int)i, parent)) {
            continue;
        }
        if (!detached) {
            put_value(b, TRACE_OP_DEL, i, 0);
        }
        put_add(b, parent, i, 1, 0);
        if (detached) {
            put_value(b, TRACE_OP_DEL, i, 0);
            put_value(b, TRACE_OP_ADDRESS, i, 0);
        } else {
            put_alone(b, TRACE_OP_BEGIN);
            put_reordering(b);
            put_alone(b, TRACE_OP_COMMIT);
        }
        end_group(b);
    }
}

static void change_bells(struct builder *b, unsigned i)
{
    if (has_bells(b, i)) {
        put_eventfd(b, TRACE_OP_EVENTFD_DEL, i, 1, WIDTH_2);
        put_value(b, TRACE_OP_UNCOALESCE, i, 0);
        put_bells(b, i);
        end_group(b);
    } else {
        put_eventfd(b, TRACE_OP_EVENTFD, i, 1, WIDTH_2);
        put_eventfd(b, TRACE_OP_EVENTFD_DEL, i, 1, WIDTH_2);
        put_value(b, TRACE_OP_COALESCE_ALL, i, 0);
        put_value(b, TRACE_OP_UNCOALESCE, i, 0);
        end_group(b);
    }
}

/* Trees of one region can afford more: every eventfd, every coalesced range, every question, logging. */
static void change_details(struct builder *b, unsigned i)
{
    for (unsigned at = 0; at <= WORLD_SIZE; at++) {
        for (int width = 0; width < EVENT_WIDTHS; width++) {
            put_eventfd(b, TRACE_OP_EVENTFD, i, at, width);
            put_eventfd(b, TRACE_OP_EVENTFD_DEL, i, at, width);
            end_group(b);
        }
        if (!b->dressed) {
            for (unsigned size = 0; size <= WORLD_SIZE; size++) {
                put_span(b, TRACE_OP_COALESCE, i, at, size);
                put_value(b, TRACE_OP_UNCOALESCE, i, 0);
                end_group(b);
            }
        }
        for (unsigned size = 0; size <= WORLD_SIZE; size++) {
            put_span(b, TRACE_OP_FIND, 0, at, size);
            put_span(b, TRACE_OP_FIND, i, at, size);
        }
        put_value(b, TRACE_OP_PRESENT, i, at);
        put_span(b, TRACE_OP_LOG_CLEAR, i, at, 2);
        end_group(b);
    }
    put_switch(b, TRACE_OP_LOG_START, 0, DIRTY_MIGRATION);
    put_switch(b, TRACE_OP_LOG_STOP, 0, DIRTY_MIGRATION);
    put_value(b, TRACE_OP_QUERY, i, 0);
    end_group(b);
}

static void change_region(struct builder *b, unsigned i)
{
    const struct shape *shape = &b->shape[i];
    const struct world_region *r = &b->s->region[i];

    change_switch(b, TRACE_OP_ENABLED, i, !(shape->flags & OFF));
    change_switch(b, TRACE_OP_READONLY, i, (shape->flags & READONLY) != 0);
    change_switch(b, TRACE_OP_NONVOLATILE, i, (shape->flags & NONVOLATILE) != 0);
    change_switch(b, TRACE_OP_ROMD, i, true);
    change_switch(b, TRACE_OP_LOG, i, false);
    change_value(b, TRACE_OP_SIZE, i, shape->size);
    if (r->kind == WORLD_ALIAS) {
        change_value(b, TRACE_OP_ALIAS_OFFSET, i, shape->offset);
    }
    if (r->parent != WORLD_DETACHED) {
        change_place(b, i);
        change_membership(b, i);
    }
    change_container(b, i);
    change_bells(b, i);
    if (b->s->regions == 1) {
        change_details(b, i);
    }
    /* What is so already: nothing happens (I-7). */
    put_switch(b, TRACE_OP_ENABLED, i, !(shape->flags & OFF));
    put_switch(b, TRACE_OP_READONLY, i, (shape->flags & READONLY) != 0);
    put_value(b, TRACE_OP_SIZE, i, shape->size);
    put_value(b, TRACE_OP_ADDRESS, i, shape->place);
    end_group(b);
}

static void change_root(struct builder *b, uint64_t geometry)
{
    /* Everything except the dispatch part, which is the core's own (R-MT-13). */
    static const int printing[] = { 0, 1, 4, 5, 8, 9, 12, 13 };
    static const uint64_t all_callbacks =
        (UINT64_C(1) << EVENT_LISTENER_KINDS) - 1 - (1 << EVENT_LOG_SYNC_GLOBAL);

    change_switch(b, TRACE_OP_ENABLED, 0, true);
    change_switch(b, TRACE_OP_READONLY, 0, false);
    change_switch(b, TRACE_OP_NONVOLATILE, 0, false);
    change_value(b, TRACE_OP_SIZE, 0, WORLD_SIZE);
    /* Outside a container only the field changes; the next commit sees it (R-TREE-7). */
    put_value(b, TRACE_OP_ADDRESS, 0, 1);
    put_switch(b, TRACE_OP_READONLY, 0, true);
    put_value(b, TRACE_OP_ADDRESS, 0, 0);
    put_switch(b, TRACE_OP_READONLY, 0, false);
    end_group(b);
    put(b, TRACE_OP_LISTEN, 0, 0, 0, 0, all_callbacks, 0);
    put(b, TRACE_OP_UNLISTEN, 0, 0, 0, 0, 0, 0);
    put_switch(b, TRACE_OP_MTREE, 0, printing[geometry % 8]);
    for (unsigned at = 0; at < WORLD_SIZE; at++) {
        put_span(b, TRACE_OP_FIND, 0, at, 1);
    }
    put_alone(b, TRACE_OP_GRACE);
    end_group(b);
}

/* ---- the case ---- */

void world_case_init(struct world_case *c)
{
    memset(c, 0, sizeof(*c));
    trace_init(&c->trace);
}

void world_case_free(struct world_case *c)
{
    trace_free(&c->trace);
    g_free(c->group);
}

void world_case_build(struct world_case *c, const struct world_structure *s, uint64_t geometry, bool dressed)
{
    struct builder b = { .c = c, .s = s, .dressed = dressed };

    c->trace.count = 0;
    c->changes = 0;
    read_shapes(&b, geometry);
    put_tree(&b);
    c->base = b.open = c->trace.count;
    for (unsigned i = 1; i <= s->regions; i++) {
        change_region(&b, i);
    }
    change_root(&b, geometry);
}

void world_case_excerpt(const struct world_case *c, size_t at, struct trace *out)
{
    trace_free(out);
    for (size_t i = 0; i <= at && i < c->base; i++) {
        trace_append(out, &c->trace.steps[i]);
    }
    for (size_t i = at < c->base ? at + 1 : c->group[at]; i <= at; i++) {
        trace_append(out, &c->trace.steps[i]);
    }
}
