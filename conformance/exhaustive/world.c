/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbering the structures of the small world. */
#include "world.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

enum { PLACES = 5, SIZES = 5, OFFSETS = 5, FLAGS_ALONE = 8, FLAGS = 3 };

static bool attached(const struct world_structure *s, unsigned i)
{
    return s->region[i].parent != WORLD_DETACHED;
}

/* Is `goal` below `from`, through containers and aliases?  `depth` ends the search where there is a cycle. */
static bool reaches(const struct world_structure *s, unsigned from, unsigned goal, unsigned depth)
{
    if (from == goal) {
        return true;
    }
    if (depth == 0) {
        return false;
    }
    if (s->region[from].target != WORLD_NO_TARGET &&
        reaches(s, (unsigned)s->region[from].target, goal, depth - 1)) {
        return true;
    }
    for (unsigned i = 1; i <= s->regions; i++) {
        if (s->region[i].parent == (int)from && reaches(s, i, goal, depth - 1)) {
            return true;
        }
    }
    return false;
}

static bool below_itself(const struct world_structure *s, unsigned i)
{
    const struct world_region *r = &s->region[i];

    if (r->target != WORLD_NO_TARGET && reaches(s, (unsigned)r->target, i, WORLD_REGIONS)) {
        return true;
    }
    for (unsigned child = 1; child <= s->regions; child++) {
        if (s->region[child].parent == (int)i && reaches(s, child, i, WORLD_REGIONS)) {
            return true;
        }
    }
    return false;
}

/* Priorities of siblings are 0, 1, ... without gaps: every order of them, ties included, once. */
static bool priorities_dense(const struct world_structure *s, int parent)
{
    unsigned used = 0;

    for (unsigned i = 1; i <= s->regions; i++) {
        if (s->region[i].parent == parent) {
            used |= 1u << s->region[i].priority;
        }
    }
    return (used & (used + 1)) == 0;
}

static bool counts(const struct world_structure *s)
{
    for (unsigned i = 1; i <= s->regions; i++) {
        const struct world_region *r = &s->region[i];

        if (!reaches(s, 0, i, WORLD_REGIONS) || below_itself(s, i)) {
            return false;
        }
        if (r->parent > 0 && s->region[r->parent].kind == WORLD_ALIAS) {
            return false;
        }
        if (!attached(s, i) && r->priority != 0) {
            return false;
        }
        /* Detached regions come last, in the order aliases lead to them: else a tree has two numbers. */
        if (i > 1 && attached(s, i) && !attached(s, i - 1)) {
            return false;
        }
        if (!attached(s, i) && r->target != WORLD_NO_TARGET && r->target < (int)i &&
            !attached(s, (unsigned)r->target)) {
            return false;
        }
    }
    for (int parent = 0; parent <= (int)s->regions; parent++) {
        if (!priorities_dense(s, parent)) {
            return false;
        }
    }
    return true;
}

static uint64_t geometries(const struct world_structure *s)
{
    uint64_t product = 1;

    for (unsigned i = 1; i <= s->regions; i++) {
        product *= (attached(s, i) ? PLACES : 1) * SIZES * (s->regions == 1 ? FLAGS_ALONE : FLAGS) *
                   (s->region[i].kind == WORLD_ALIAS ? OFFSETS : 1);
    }
    return product;
}

/* Fill in region `i` in every way, and those behind it. */
static void fill(GArray *list, struct world_structure *s, unsigned i)
{
    if (i > s->regions) {
        if (counts(s)) {
            s->geometries = geometries(s);
            g_array_append_val(list, *s);
        }
        return;
    }
    for (int kind = 0; kind < (s->regions == 1 ? WORLD_KINDS : WORLD_RESERVATION); kind++) {
        bool alias = kind == WORLD_ALIAS;
        int first_target = alias ? 1 : WORLD_NO_TARGET;
        int last_target = alias ? (int)s->regions : WORLD_NO_TARGET;

        for (int parent = WORLD_DETACHED; parent <= (int)s->regions; parent++) {
            for (int target = first_target; target <= last_target; target++) {
                for (int priority = 0; priority < (int)s->regions; priority++) {
                    if (parent == (int)i || target == (int)i) {
                        continue;
                    }
                    s->region[i] = (struct world_region){ (enum world_kind)kind, parent, target, priority };
                    fill(list, s, i + 1);
                }
            }
        }
    }
}

size_t world_structures(unsigned regions, struct world_structure **out)
{
    struct world_structure s = {
        .regions = regions,
        .region = { [0] = { .kind = WORLD_CONTAINER, .parent = WORLD_DETACHED, .target = WORLD_NO_TARGET } },
    };
    GArray *list = g_array_new(FALSE, FALSE, sizeof(s));
    size_t count;

    fill(list, &s, 1);
    count = list->len;
    *out = (struct world_structure *)(void *)g_array_free(list, FALSE);
    return count;
}

void world_structure_print(const struct world_structure *s, char *buffer, size_t capacity)
{
    static const char *const kinds[WORLD_KINDS] = {
        "container", "device", "alias", "reservation", "ram", "ram_nomigrate", "rom", "ram_ptr", "ram_device",
        "rom_device",
    };
    GString *text = g_string_new(NULL);

    for (unsigned i = 1; i <= s->regions; i++) {
        const struct world_region *r = &s->region[i];

        g_string_append_printf(text, "%sr%u %s", i > 1 ? ", " : "", i, kinds[r->kind]);
        if (r->target != WORLD_NO_TARGET) {
            g_string_append_printf(text, " of r%d", r->target);
        }
        if (attached(s, i)) {
            g_string_append_printf(text, " in r%d priority %d", r->parent, r->priority);
        } else {
            g_string_append(text, " detached");
        }
    }
    snprintf(buffer, capacity, "%s", text->str);
    g_string_free(text, TRUE);
}
