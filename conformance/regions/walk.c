/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "walk.h"

#include <string.h>

struct walk walk;

uint32_t walk_below(uint32_t limit)
{
    return (uint32_t)g_rand_int_range(walk.random, 0, (gint32)limit);
}

void walk_new(guint32 seed)
{
    memset(&walk, 0, sizeof(walk));
    walk.random = g_rand_new_with_seed(seed);
    walk.events = g_array_new(FALSE, FALSE, sizeof(WalkEvent));
    for (int i = 0; i < WALK_NOTIFIERS; i++) {
        walk.notifiers[i] = stage_notifier("e");
    }
    for (int i = 0; i < WALK_REGIONS; i++) {
        WalkRegion *r = &walk.regions[i];
        char name[8];

        g_snprintf(name, sizeof(name), "r%d", i);
        *r = (WalkRegion) { .container = -1, .enabled = true, .size = 1 + walk_below(WALK_EXTENT) };
        r->entries = g_array_new(FALSE, FALSE, sizeof(WalkEntry));
        r->spans = g_array_new(FALSE, FALSE, sizeof(WalkSpan));
        if (i < WALK_SPACES) {
            r->size = WALK_EXTENT;
            r->mr = stage_container(name, r->size);
        } else if (i < WALK_SPACES + WALK_BOXES) {
            r->mr = i % 2 ? stage_container(name, r->size) : stage_io(name, r->size);
        } else if (i < WALK_SPACES + WALK_BOXES + WALK_LEAVES) {
            r->mr = i % 4 == 0 ? stage_ram_migratable(name, r->size) :
                    i % 4 == 1 ? stage_ram(name, r->size) : stage_io(name, r->size);
        } else {
            /* Aliases show boxes and leaves only, and sit in roots only: no cycles. */
            MemoryRegion *target = walk.regions[WALK_SPACES + walk_below(WALK_BOXES + WALK_LEAVES)].mr;

            r->mr = stage_alias(name, target, walk_below(WALK_EXTENT / 2), r->size);
        }
    }
    for (int i = 0; i < WALK_SPACES; i++) {
        walk.spaces[i] = stage_space(walk.regions[i].mr, "as");
    }
    walk_watch();
}

static void set_tracking(unsigned flags)
{
    unsigned start = flags & ~walk.tracking, stop = walk.tracking & ~flags;

    if (start) {
        memory_global_dirty_log_start(start);
    }
    if (stop) {
        memory_global_dirty_log_stop(stop);
    }
    walk.tracking = flags;
}

void walk_end(void)
{
    for (; walk.depth; walk.depth--) {
        memory_region_transaction_commit();
    }
    set_tracking(0);
    walk_unwatch();
    for (int i = 0; i < WALK_REGIONS; i++) {
        g_array_free(walk.regions[i].entries, TRUE);
        g_array_free(walk.regions[i].spans, TRUE);
    }
    g_array_free(walk.events, TRUE);
    g_rand_free(walk.random);
    for (int i = 0; i < WALK_SPACES; i++) {
        stage_space_destroy(walk.spaces[i]);
    }
    memcore_drain();
    /* The next walk uses the same names.  Aliases are the last regions, so they go first (R-OBJ-10). */
    for (int i = WALK_REGIONS - 1; i >= 0; i--) {
        WalkRegion *r = &walk.regions[i];

        if (r->container >= 0) {
            stage_del(walk.regions[r->container].mr, r->mr);
        }
        stage_release(r->mr);
    }
}

/* Not a root. */
static int any_region(void)
{
    return WALK_SPACES + (int)walk_below(WALK_REGIONS - WALK_SPACES);
}

static void step_move(void)
{
    int i = any_region();
    WalkRegion *r = &walk.regions[i];

    if (r->container >= 0) {
        stage_del(walk.regions[r->container].mr, r->mr);
        r->container = -1;
    } else {
        bool leaf = i >= WALK_SPACES + WALK_BOXES && i < WALK_SPACES + WALK_BOXES + WALK_LEAVES;
        bool boxed = leaf && walk_below(2);

        r->container = (int)(boxed ? WALK_SPACES + walk_below(WALK_BOXES) : walk_below(WALK_SPACES));
        r->address = walk_below(WALK_EXTENT);
        stage_add_overlap(walk.regions[r->container].mr, r->address, r->mr, (int)walk_below(3) - 1);
    }
}

static void step_set(void)
{
    int i = any_region();
    WalkRegion *r = &walk.regions[i];

    switch (walk_below(6)) {
    case 0:
        memory_region_set_enabled(r->mr, r->enabled = !r->enabled);
        break;
    case 1:
        memory_region_set_readonly(r->mr, r->readonly = !r->readonly);
        break;
    case 2:
        memory_region_set_nonvolatile(r->mr, r->nonvolatile = !r->nonvolatile);
        break;
    case 3:
        memory_region_set_size(r->mr, r->size = walk_below(WALK_EXTENT));
        break;
    case 4:
        memory_region_set_address(r->mr, r->address = walk_below(WALK_EXTENT));
        break;
    default:
        if (i >= WALK_REGIONS - WALK_ALIASES) {
            memory_region_set_alias_offset(r->mr, walk_below(WALK_EXTENT / 2));
        }
        break;
    }
}

static void step_log(void)
{
    WalkRegion *r = &walk.regions[WALK_SPACES + WALK_BOXES + walk_below(WALK_LEAVES)];

    if (walk_below(2)) {
        set_tracking(walk_below(4));
    } else if (r->log_users && walk_below(2)) {
        r->log_users--;
        memory_region_set_log(r->mr, false, DIRTY_MEMORY_VGA);
    } else if (r->log_users < 3) {
        r->log_users++;
        memory_region_set_log(r->mr, true, DIRTY_MEMORY_VGA);
    }
}

static void step_eventfd(void)
{
    static const unsigned sizes[] = { 1, 2, 4, 8 };
    WalkRegion *r = &walk.regions[any_region()];

    if (r->entries->len > 3 || (r->entries->len && walk_below(2))) {
        guint i = walk_below(r->entries->len);
        WalkEntry e = g_array_index(r->entries, WalkEntry, i);

        g_array_remove_index(r->entries, i);
        memory_region_del_eventfd(r->mr, e.at, e.size, e.match, e.data, walk.notifiers[e.notifier]);
    } else {
        /* One by one: the order of initialisers is the compiler's. */
        WalkEntry e = { .at = walk_below(WALK_EXTENT) };

        e.size = sizes[walk_below(4)];
        e.match = walk_below(2);
        e.notifier = walk_below(WALK_NOTIFIERS);
        /* Without match data would not tell entries apart, so a del could take another one. */
        e.data = e.match ? walk_below(3) : 0;
        g_array_append_val(r->entries, e);
        memory_region_add_eventfd(r->mr, e.at, e.size, e.match, e.data, walk.notifiers[e.notifier]);
    }
}

static void step_coalesce(void)
{
    WalkRegion *r = &walk.regions[any_region()];

    if (r->spans->len > 2 || (r->spans->len && walk_below(2))) {
        g_array_set_size(r->spans, 0);
        memory_region_clear_coalescing(r->mr);
    } else {
        WalkSpan s = { .at = walk_below(WALK_EXTENT) };

        s.size = 1 + walk_below(WALK_EXTENT);
        g_array_append_val(r->spans, s);
        memory_region_add_coalescing(r->mr, s.at, s.size);
    }
}

void walk_step(void)
{
    switch (walk_below(8)) {
    case 0:
    case 1:
    case 2:
        step_move();
        break;
    case 3:
    case 4:
        step_set();
        break;
    case 5:
        step_log();
        break;
    case 6:
        step_eventfd();
        break;
    default:
        step_coalesce();
        break;
    }
}
