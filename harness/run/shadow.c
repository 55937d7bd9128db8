/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I-3: a listener that rebuilds the map from region_add and region_del alone.
 * One set of sections for each witness, sorted by address.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run/check.h"

struct set {
    struct observed_section *sections;
    size_t count, capacity;
};

struct shadow {
    struct set sets[TRACE_SPACES];
};

struct shadow *shadow_new(void)
{
    struct shadow *s = calloc(1, sizeof(*s));

    if (!s) {
        abort();
    }
    return s;
}

void shadow_free(struct shadow *s)
{
    for (unsigned i = 0; s && i < TRACE_SPACES; i++) {
        free(s->sets[i].sections);
    }
    free(s);
}

void shadow_reset(struct shadow *s)
{
    for (unsigned i = 0; i < TRACE_SPACES; i++) {
        s->sets[i].count = 0;
    }
}

/* The first section that does not end before the address. */
static size_t position(const struct set *set, uint64_t address)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (set->sections[middle].address < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool same(const struct observed_section *x, const struct observed_section *y)
{
    return x->region == y->region && x->offset == y->offset && x->address == y->address && x->size == y->size &&
           x->readonly == y->readonly && x->nonvolatile == y->nonvolatile;
}

static bool broken(struct run_failure *failure, const struct event *e, const char *why)
{
    char line[256];

    event_print(e, line, sizeof(line));
    check_fail(failure, "I-3", "shadow map", "%s", line);
    check_model_says(failure, "%s", why);
    return false;
}

static void insert(struct set *set, size_t at, const struct observed_section *section)
{
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? 2 * set->capacity : 16;
        set->sections = realloc(set->sections, set->capacity * sizeof(*set->sections));
        if (!set->sections) {
            abort();
        }
    }
    memmove(&set->sections[at + 1], &set->sections[at], (set->count - at) * sizeof(*set->sections));
    set->sections[at] = *section;
    set->count++;
}

static bool follow_event(struct set *set, const struct event *e, struct run_failure *failure)
{
    const struct observed_section *s = &e->section;
    size_t at = position(set, s->address);
    bool exact = at < set->count && same(&set->sections[at], s);

    if (e->kind == EVENT_REGION_ADD) {
        const struct observed_section *before = at > 0 ? &set->sections[at - 1] : NULL;

        if ((before && before->address + before->size > s->address) ||
            (at < set->count && s->address + s->size > set->sections[at].address)) {
            return broken(failure, e, "no section overlaps one that was added before");
        }
        insert(set, at, s);
    } else if (!exact) {
        return broken(failure, e, "only sections that were added are named");
    } else if (e->kind == EVENT_REGION_DEL) {
        set->count--;
        memmove(&set->sections[at], &set->sections[at + 1], (set->count - at) * sizeof(*set->sections));
    }
    return true;
}

bool shadow_follow(struct shadow *s, const struct event_log *seen, struct run_failure *failure)
{
    for (size_t i = 0; i < seen->count; i++) {
        const struct event *e = &seen->events[i];

        if (e->listener >= TRACE_LISTENERS &&
            (e->kind == EVENT_REGION_ADD || e->kind == EVENT_REGION_DEL || e->kind == EVENT_REGION_NOP) &&
            !follow_event(&s->sets[e->listener - TRACE_LISTENERS], e, failure)) {
            return false;
        }
    }
    return true;
}

bool shadow_check(const struct shadow *s, const struct model *m, struct run_failure *failure)
{
    for (unsigned space = 0; space < TRACE_SPACES; space++) {
        const struct set *set = &s->sets[space];
        const struct view *view;
        bool equal;

        if (model_listener_space(m, TRACE_LISTENERS + space) == OBSERVED_NONE) {
            if (set->count) {
                check_fail(failure, "I-4", "shadow map", "%zu sections left after unregistering", set->count);
                check_model_says(failure, "a listener that leaves is told of every range");
                return false;
            }
            continue;
        }
        view = model_view(m, space);
        equal = view->count == set->count;
        for (size_t i = 0; equal && i < set->count; i++) {
            const struct view_range *range = &view->ranges[i];
            const struct observed_section *x = &set->sections[i];

            equal = x->address == range->address && x->size == range->size && x->region == range->region &&
                    x->offset == range->offset && x->readonly == range->readonly &&
                    x->nonvolatile == range->nonvolatile;
        }
        if (!equal) {
            check_fail(failure, "I-3", "shadow map", "the sections as%u's witness heard of are not the view", space);
            check_model_says(failure, "adds minus dels equal the published view");
            return false;
        }
    }
    return true;
}
