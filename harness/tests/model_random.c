/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model against itself and against a second, even simpler way to the same
 * answer, in random worlds.
 *
 * Strategy:
 *   small worlds: sizes, addresses and offsets of a few bytes, so that
 *   everything overlaps.  After each commit every byte is asked for, and every
 *   tree is painted on a canvas as R-FV-4 says; both must give the view.
 *   whole traces: random steps of all kinds, resolved and applied.
 * Invariants: I-1, I-2, I-3, I-17, and that a reset model is like a new one.
 */
#include <glib.h>
#include <string.h>

#include "model/model.h"
#include "run/resolve.h"
#include "trace_random.h"

enum { CANVAS = 40 };           /* bytes 0 .. 39 of a space */
enum { WITNESSES = TRACE_LISTENERS };
enum { SPARE = TRACE_REGIONS - 1 };  /* a region in no tree, toggled to have a commit */

struct cell {
    int region;
    uint64_t offset;
    bool readonly, nonvolatile;
};

typedef __int128 place;

/* R-FV-4: first come, first painted; a terminating region fills what is left inside its clip. */
static void paint(const struct model *m, int slot, place base, place low, place high, struct cell flags,
                  struct cell *canvas)
{
    struct model_region r;

    g_assert_true(model_region(m, (unsigned)slot, &r));
    low = MAX(low, base);
    high = MIN(high, base + (place)r.size);
    if (!r.enabled || low >= high) {
        return;
    }
    flags.readonly |= r.readonly;
    flags.nonvolatile |= r.nonvolatile;
    if (r.target != OBSERVED_NONE) {
        paint(m, r.target, base - r.alias_offset, low, high, flags, canvas);
        return;
    }
    for (size_t i = 0; i < r.children; i++) {
        const int child = model_child(m, (unsigned)slot, i);
        struct model_region c;
        g_assert_true(model_region(m, (unsigned)child, &c));
        paint(m, child, base + c.address, low, high, flags, canvas);
    }
    for (place at = low; r.terminating && at < high; at++) {
        if (canvas[at].region == OBSERVED_NONE) {
            canvas[at] = flags;
            canvas[at].region = slot;
            canvas[at].offset = (uint64_t)(at - base);
        }
    }
}

/*
 * For memcore the tree is painted from the space's root: collapsing must not
 * show, but for the address of a root that is not collapsed (R-FV-2, R-FV-10).
 * For 7.2 from D, at its address.
 */
static void paint_space(const struct model *m, unsigned space, struct cell *canvas)
{
    const struct view *const v = model_view(m, space);
    const struct cell blank = { .region = OBSERVED_NONE };
    int top = model_space_root(m, space);
    struct model_region r;

    for (int i = 0; i < CANVAS; i++) {
        canvas[i] = blank;
    }
    if (model_profile(m) == MODEL_PROFILE_QEMU_7_2) {
        top = v->root;
    }
    if (top == OBSERVED_NONE) {
        return;
    }
    g_assert_true(model_region(m, (unsigned)top, &r));
    paint(m, top, v->root == top ? r.address : 0, 0, CANVAS, blank, canvas);
}

static const struct view_range *range_at(const struct view *v, uint64_t address)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct view_range *const r = &v->ranges[i];
        if (r->address <= address && (wide)address - r->address < r->size) {
            return r;
        }
    }
    return NULL;
}

/* I-2: what R-FV-3 says of any list. */
static void assert_canonical(const struct model *m, const struct view *v)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct view_range *const r = &v->ranges[i];
        struct model_region region;
        g_assert_true(model_region(m, (unsigned)r->region, &region));
        g_assert_true(region.terminating);
        g_assert_true(r->size > 0 && r->address + r->size <= (wide)1 << 64);
        if (i > 0) {
            const struct view_range *const p = &v->ranges[i - 1];
            g_assert_true(p->address + p->size <= r->address);
            g_assert_false(p->address + p->size == r->address && p->region == r->region &&
                           p->offset + p->size == r->offset && p->readonly == r->readonly &&
                           p->nonvolatile == r->nonvolatile);
        }
    }
}

/* I-1: the published view, which is that of the tree as it is, byte by byte. */
static void assert_bytes(const struct model *m, unsigned space)
{
    const struct view *const v = model_view(m, space);
    struct cell canvas[CANVAS];

    paint_space(m, space, canvas);
    for (unsigned i = 0; i < 2 * CANVAS; i++) {
        const uint64_t address = i < CANVAS ? i : (uint64_t)0 - (i - CANVAS + 1);
        const struct view_range *const r = range_at(v, address);
        struct view_range byte;
        g_assert_true(model_resolve(m, space, address, &byte) == (r != NULL));
        if (r) {
            g_assert_cmpint(byte.region, ==, r->region);
            g_assert_cmphex(byte.offset, ==, r->offset + (address - r->address));
            g_assert_true(byte.readonly == r->readonly && byte.nonvolatile == r->nonvolatile &&
                          byte.romd == r->romd && byte.dirty_log_mask == r->dirty_log_mask);
        }
        if (i < CANVAS) {
            g_assert_cmpint(canvas[i].region, ==, r ? r->region : OBSERVED_NONE);
            if (r) {
                g_assert_cmphex(canvas[i].offset, ==, byte.offset);
                g_assert_true(canvas[i].readonly == byte.readonly);
                g_assert_true(canvas[i].nonvolatile == byte.nonvolatile);
            }
        }
    }
}

static uint64_t small_number(void)
{
    const uint32_t x = random_32() % 32;

    return x == 0 ? UINT64_MAX : x == 1 ? UINT64_MAX - random_32() % 8 : random_32() % (x < 16 ? 9 : 33);
}

/* Containers often as large as the space, everything else a few bytes. */
static struct trace_step small_region(unsigned slot)
{
    const uint32_t kind = random_32() % 6;
    struct trace_step s = { .a = (uint16_t)slot, .v.absolute = small_number(), .w.absolute = small_number() };

    if (kind == 0 || slot < 3) {
        s.op = TRACE_OP_CONTAINER;
        s.b = TRACE_OWNERS;
        s.v.absolute = random_32() % 2 ? UINT64_MAX : s.v.absolute;
    } else if (kind == 1) {
        s.op = TRACE_OP_ALIAS;
        s.b = random_32() % 16;
        s.c = TRACE_OWNERS;
        s.v.absolute = random_32() % 2 ? 0 : s.v.absolute;
    } else {
        s.op = TRACE_OP_IO;
        s.b = TRACE_OWNERS;
    }
    return s;
}

static struct trace_step small_step(void)
{
    static const uint8_t ops[] = {
        TRACE_OP_ADD, TRACE_OP_ADD, TRACE_OP_ADD, TRACE_OP_DEL, TRACE_OP_ENABLED, TRACE_OP_ENABLED,
        TRACE_OP_ADDRESS, TRACE_OP_SIZE, TRACE_OP_ALIAS_OFFSET, TRACE_OP_READONLY, TRACE_OP_NONVOLATILE,
        TRACE_OP_ROMD, TRACE_OP_LOG,
    };
    struct trace_step s = {
        .op = ops[random_32() % G_N_ELEMENTS(ops)],
        .a = random_32() % 16,
        .b = random_32() % 16,
        .v.absolute = small_number(),
    };

    if (s.op == TRACE_OP_ADD) {
        s.a %= 6;
        s.n = (int32_t)(random_32() % 3) - 1;
    } else if (s.op == TRACE_OP_ENABLED) {
        s.n = random_32() % 6 != 0;
    } else {
        s.n = random_32() % 2;
    }
    return s;
}

static void apply(struct model *m, const struct trace_step *s, struct observation *seen)
{
    observation_clear(seen);
    model_apply(m, s, seen);
}

/* A commit for its own sake; it also shows what changed without one (R-TREE-7, R-TX-7). */
static void commit_everything(struct model *m, bool *on, struct observation *seen)
{
    *on = !*on;
    apply(m, &(struct trace_step) { .op = TRACE_OP_ENABLED, .a = SPARE, .n = *on }, seen);
}

static bool play_small(struct model *m, struct resolver *resolver, struct trace_step step,
                       struct observation *seen)
{
    struct trace_step resolved;
    const char *reason;

    if (!resolve_step(resolver, &step, &resolved, &reason) || resolved.a == SPARE || resolved.b == SPARE) {
        return false;
    }
    apply(m, &resolved, seen);
    return true;
}

static void small_worlds(enum model_profile profile)
{
    const struct resolve_limits limits = { .regions = 13, .paths = 100, .depth = 1, .per_region = 1 };
    struct model *const m = model_new(profile);
    struct observation seen = { 0 };
    unsigned ranges = 0, crowded = 0;

    for (int world = 0; world < 150; world++) {
        struct resolver resolver;
        bool on = true;
        model_reset(m);
        resolver_reset(&resolver, m, &limits);
        apply(m, &(struct trace_step) {
            .op = TRACE_OP_IO, .a = SPARE, .b = TRACE_OWNERS, .v.absolute = 1,
        }, &seen);
        for (unsigned slot = 0; slot < 12; slot++) {
            play_small(m, &resolver, small_region(slot), &seen);
        }
        for (unsigned slot = 1; slot < 12; slot++) {
            play_small(m, &resolver, (struct trace_step) {
                .op = TRACE_OP_ADD, .a = random_32() % 4, .b = slot, .v.absolute = small_number(),
            }, &seen);
        }
        for (unsigned slot = 0; slot < 3; slot++) {
            play_small(m, &resolver, (struct trace_step) {
                .op = TRACE_OP_SPACE, .a = slot, .b = slot,
            }, &seen);
        }
        for (int i = 0; i < 60; i++) {
            if (!play_small(m, &resolver, small_step(), &seen)) {
                continue;
            }
            commit_everything(m, &on, &seen);
            for (unsigned space = 0; space < 3 && model_space_live(m, space); space++) {
                assert_canonical(m, model_view(m, space));
                assert_bytes(m, space);
                ranges += (unsigned)model_view(m, space)->count;
                crowded += model_view(m, space)->count > 3;
            }
        }
    }
    g_test_message("%u ranges, %u views of more than three", ranges, crowded);
    g_assert_cmpuint(ranges, >, 10000);     /* or it would have tested nothing */
    g_assert_cmpuint(crowded, >, 500);
    observation_free(&seen);
    model_free(m);
}

static void test_small_worlds(void)
{
    small_worlds(MODEL_PROFILE_MEMCORE);
    small_worlds(MODEL_PROFILE_QEMU_7_2);
}

/* --- whole traces -------------------------------------------------------------- */

/* What a space's witness must believe from its callbacks alone. */
struct belief {
    struct view map;
    GArray *eventfds;           /* struct event, as added */
};

static bool same_section(const struct view_range *r, const struct observed_section *s)
{
    return r->address == s->address && r->size == s->size && r->region == s->region &&
           r->offset == s->offset && r->readonly == s->readonly && r->nonvolatile == s->nonvolatile;
}

static void believe_add(struct belief *b, const struct observed_section *s)
{
    if (b->map.count == b->map.capacity) {
        b->map.capacity = 2 * b->map.capacity + 8;
        b->map.ranges = g_realloc(b->map.ranges, b->map.capacity * sizeof(b->map.ranges[0]));
    }
    b->map.ranges[b->map.count++] = (struct view_range) {
        .address = s->address, .size = s->size, .region = s->region, .offset = s->offset,
        .readonly = s->readonly, .nonvolatile = s->nonvolatile,
    };
}

static void believe_event(struct belief *b, const struct event *e)
{
    size_t i = 0;

    switch (e->kind) {
    case EVENT_REGION_ADD:
        believe_add(b, &e->section);
        break;
    case EVENT_REGION_DEL:
        while (i < b->map.count && !same_section(&b->map.ranges[i], &e->section)) {
            i++;
        }
        g_assert_cmpuint(i, <, b->map.count);
        b->map.ranges[i] = b->map.ranges[--b->map.count];
        break;
    case EVENT_EVENTFD_ADD:
        g_array_append_vals(b->eventfds, e, 1);
        break;
    case EVENT_EVENTFD_DEL:
        for (; i < b->eventfds->len; i++) {
            struct event added = g_array_index(b->eventfds, struct event, i);
            added.kind = e->kind;
            if (!added.match_data && !e->match_data) {
                added.data = e->data;   /* does not count in the order of R-EFD-1 */
            }
            if (event_equal(&added, e)) {
                break;
            }
        }
        g_assert_cmpuint(i, <, b->eventfds->len);
        g_array_remove_index_fast(b->eventfds, i);
        break;
    default:
        break;
    }
}

/* I-3, I-17 */
static void assert_beliefs(const struct model *m, struct belief *beliefs)
{
    const uint16_t *spaces;
    const size_t count = model_spaces(m, &spaces);

    for (size_t i = 0; i < count; i++) {
        const struct belief *const b = &beliefs[spaces[i]];
        const struct view *const v = model_view(m, spaces[i]);
        const struct event *list;
        if (model_listener_space(m, WITNESSES + spaces[i]) == OBSERVED_NONE) {
            continue;
        }
        g_assert_cmpuint(b->map.count, ==, v->count);
        for (size_t k = 0; k < b->map.count; k++) {
            const struct view_range *const r = range_at(v, b->map.ranges[k].address);
            const struct observed_section s = {
                .region = b->map.ranges[k].region, .offset = b->map.ranges[k].offset,
                .address = b->map.ranges[k].address, .size = b->map.ranges[k].size,
                .readonly = b->map.ranges[k].readonly, .nonvolatile = b->map.ranges[k].nonvolatile,
            };
            g_assert_nonnull(r);
            g_assert_true(same_section(r, &s));
        }
        g_assert_cmpuint(model_space_eventfds(m, spaces[i], &list), ==, b->eventfds->len);
    }
}

/* A witness knows the eventfds that were there before it came (R-LST-4 does not replay them). */
static void witness_comes(const struct model *m, struct belief *b, unsigned space)
{
    const struct event *list;
    const size_t count = model_space_eventfds(m, space, &list);

    b->map.count = 0;
    g_array_set_size(b->eventfds, 0);
    for (size_t i = 0; i < count; i++) {
        struct event e = list[i];
        e.listener = (int)(WITNESSES + space);
        g_array_append_vals(b->eventfds, &e, 1);
    }
}

static void play_trace(struct model *m, const struct trace *t, struct belief *beliefs,
                       struct event_log *heard)
{
    struct resolver resolver;
    struct observation seen = { 0 };

    resolver_reset(&resolver, m, &resolve_limits_fuzz);
    for (size_t i = 0; i < t->count; i++) {
        struct trace_step step;
        const char *reason;
        if (!resolve_step(&resolver, &t->steps[i], &step, &reason)) {
            continue;
        }
        apply(m, &step, &seen);
        resolver_played(&resolver, &step);
        if (step.op == TRACE_OP_SPACE && step.n) {
            witness_comes(m, &beliefs[step.a], step.a);
        }
        for (size_t k = 0; k < seen.events.count; k++) {
            const struct event *const e = &seen.events.events[k];
            if (e->listener >= WITNESSES) {
                believe_event(&beliefs[e->listener - WITNESSES], e);
            }
            event_log_append(heard, e);
        }
        assert_beliefs(m, beliefs);
    }
    observation_free(&seen);
}

/* So that the random steps find a world where much is visible. */
static void append_prologue(struct trace *t)
{
    static const char text[] =
        "container r0 size 0xffffffffffffffff owner none named plain\n"
        "io r1 size 0x1000 owner none named plain endian big\n" "ram r2 size 0x4000 owner none kind ram\n"
        "io r3 size 0x10 owner none named plain endian native\n"
        "alias r4 of r2 offset 0x800 size 0x1800 owner none named plain\n"
        "add r0 r1 at 0x1000 priority 0\n" "add r0 r2 at 0x2000 priority 0\n"
        "add r2 r3 at 0x100 priority 0\n"
        "add r0 r4 at 0x8000 priority 0\n" "space as0 root r0 watched\n" "space as1 root r2 watched\n";
    struct trace_error error;
    struct trace prologue;

    trace_init(&prologue);
    g_assert_true(trace_parse(&prologue, text, strlen(text), &error));
    for (size_t i = 0; i < prologue.count; i++) {
        trace_append(t, &prologue.steps[i]);
    }
    trace_free(&prologue);
}

static void random_traces(enum model_profile profile)
{
    struct model *const m = model_new(profile);
    struct belief beliefs[TRACE_SPACES] = { 0 };
    struct trace t, steps;
    size_t callbacks = 0;

    trace_init(&t);
    trace_init(&steps);
    for (int i = 0; i < TRACE_SPACES; i++) {
        beliefs[i].eventfds = g_array_new(FALSE, FALSE, sizeof(struct event));
    }
    for (int round = 0; round < 150; round++) {
        struct event_log first = { 0 }, again = { 0 };
        random_trace(&steps, 300);
        trace_free(&t);
        append_prologue(&t);
        for (size_t i = 0; i < steps.count; i++) {
            trace_append(&t, &steps.steps[i]);
        }
        model_reset(m);
        play_trace(m, &t, beliefs, &first);
        struct model *const fresh = model_new(profile);
        play_trace(fresh, &t, beliefs, &again);
        model_free(fresh);
        g_assert_cmpuint(first.count, ==, again.count);
        for (size_t i = 0; i < first.count; i++) {
            g_assert_true(event_equal(&first.events[i], &again.events[i]));
        }
        callbacks += first.count;
        event_log_free(&first);
        event_log_free(&again);
    }
    g_test_message("%zu callbacks", callbacks);
    g_assert_cmpuint(callbacks, >, 10000);
    for (int i = 0; i < TRACE_SPACES; i++) {
        g_free(beliefs[i].map.ranges);
        g_array_free(beliefs[i].eventfds, TRUE);
    }
    trace_free(&t);
    trace_free(&steps);
    model_free(m);
}

static void test_random_traces(void)
{
    random_traces(MODEL_PROFILE_MEMCORE);
    random_traces(MODEL_PROFILE_QEMU_7_2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/I-1/small-worlds", test_small_worlds);
    g_test_add_func("/model/I-3/random-traces", test_random_traces);
    return g_test_run();
}
