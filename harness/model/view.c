/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 4, the list: views as maximal runs of the pointwise answer, and how long they live. */
#include "model/state.h"

#include <stdlib.h>
#include <string.h>

/* Keeps the array ascending, without doubles. */
static void add_breakpoint(struct model *m, place at)
{
    if (at == SPACE_END) {
        return;
    }
    size_t low = 0, high = m->breakpoint_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (m->breakpoints[middle] < (uint64_t)at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < m->breakpoint_count && m->breakpoints[low] == (uint64_t)at) {
        return;
    }
    m->breakpoints = array_reserve(m->breakpoints, &m->breakpoint_capacity, m->breakpoint_count + 1,
                                   sizeof(m->breakpoints[0]));
    memmove(&m->breakpoints[low + 1], &m->breakpoints[low],
            (m->breakpoint_count - low) * sizeof(m->breakpoints[0]));
    m->breakpoints[low] = (uint64_t)at;
    m->breakpoint_count++;
}

/*
 * Both edges of the region whose byte 0 is at `base`, and of all that is below
 * it, over every path.  Outside of [low, high), the windows of the levels above,
 * nobody asks the region, so its edges do not matter there.
 */
static void add_edges(struct model *m, unsigned slot, place base, place low, place high)
{
    const struct region *const r = &m->regions[slot];

    low = base > low ? base : low;
    high = base + (place)r->size < high ? base + (place)r->size : high;
    if (!r->enabled || low >= high) {
        return;
    }
    add_breakpoint(m, low);
    add_breakpoint(m, high);
    if (r->kind == KIND_ALIAS) {
        add_edges(m, (unsigned)r->target, base - r->alias_offset, low, high);
        return;
    }
    for (size_t i = 0; i < r->children.count; i++) {
        add_edges(m, r->children.slots[i], base + m->regions[r->children.slots[i]].address, low, high);
    }
}

static bool continues(const struct view_range *last, uint64_t address, const struct answer *a)
{
    return last->address + last->size == address && last->region == (int)a->region &&
           last->offset + last->size == a->offset && last->readonly == a->readonly &&
           last->nonvolatile == a->nonvolatile;
}

/*
 * R-FV-3.  Between two neighbouring edges no region begins or ends, so the
 * same region answers on the whole piece, its offset growing with the address:
 *
 *   region   a a a a a a a . . . .      one question at each |, then equal
 *   region   . . . b b b b b b . .      neighbours are glued together
 *            |     |       |   |
 */
static void collect_runs(struct model *m, struct view *v, unsigned root, uint64_t base)
{
    m->breakpoint_count = 0;
    add_breakpoint(m, 0);
    add_edges(m, root, base, 0, SPACE_END);
    for (size_t i = 0; i < m->breakpoint_count; i++) {
        const uint64_t from = m->breakpoints[i];
        const place to = i + 1 < m->breakpoint_count ? (place)m->breakpoints[i + 1] : SPACE_END;
        struct answer a;
        if (!resolve(m, root, (place)from - base, false, false, &a)) {
            continue;
        }
        if (v->count && continues(&v->ranges[v->count - 1], from, &a)) {
            v->ranges[v->count - 1].size += (wide)(to - from);
            continue;
        }
        v->ranges = array_reserve(v->ranges, &v->capacity, v->count + 1, sizeof(v->ranges[0]));
        v->ranges[v->count++] = (struct view_range) {      /* R-FV-8 */
            .address = from,
            .size = (wide)(to - from),
            .region = (int)a.region,
            .offset = a.offset,
            .readonly = a.readonly,
            .nonvolatile = a.nonvolatile,
            .romd = m->regions[a.region].romd,
            .dirty_log_mask = region_dirty_log_mask(m, a.region),
        };
    }
}

static size_t unused_view(struct model *m)
{
    for (size_t i = 0; i < m->view_count; i++) {
        if (!m->views[i]->used) {
            return i;
        }
    }
    m->views = array_reserve(m->views, &m->view_capacity, m->view_count + 1, sizeof(m->views[0]));
    m->views[m->view_count] = calloc(1, sizeof(*m->views[0]));
    if (!m->views[m->view_count]) {
        abort();
    }
    return m->view_count++;
}

/* The tree as it is now: always a new object, except for the permanent empty view (R-FV-12, R-FV-13). */
struct flat_view *view_render(struct model *m, struct collapsed d)
{
    if (d.root == NO_SLOT) {
        return &m->empty_view;
    }
    const size_t index = unused_view(m);
    struct flat_view *const f = m->views[index];
    f->used = true;
    f->base = d.base;
    f->view.count = 0;
    f->view.root = d.root;
    f->view.identity = ++m->view_serial;
    collect_runs(m, &f->view, (unsigned)d.root, d.base);
    if (m->profile == MODEL_PROFILE_QEMU_7_2) {
        slot_list_append(&m->cache, (unsigned)index);
    }
    return f;
}

/*
 * R-TX-7.  7.2 looks in its cache, by D alone; the cache holds what was made
 * since the last topology commit.  memcore looks at what live spaces show now;
 * since one D can have two bases there (R-FV-10), both must agree.
 */
struct flat_view *view_for_new_space(struct model *m, struct collapsed d)
{
    if (m->profile == MODEL_PROFILE_QEMU_7_2) {
        for (size_t i = 0; i < m->cache.count; i++) {
            struct flat_view *const f = m->views[m->cache.slots[i]];
            if (f->view.root == d.root) {
                return f;
            }
        }
        return view_render(m, d);
    }
    for (size_t i = 0; i < m->space_order.count; i++) {
        struct flat_view *const f = m->spaces[m->space_order.slots[i]].view;
        if (f->view.root == d.root && f->base == d.base) {
            return f;
        }
    }
    return view_render(m, d);
}

/* Nothing can take a reference again; all that matters until the grace period is whom it keeps alive. */
static void retire(struct model *m, struct flat_view *f)
{
    f->used = false;
    m->waiting_views++;
    m->regions[f->view.root].waiting++;
    for (size_t i = 0; i < f->view.count; i++) {
        m->regions[f->view.ranges[i].region].waiting++;
    }
}

void views_let_go(struct model *m)
{
    for (size_t i = 0; i < m->view_count; i++) {
        m->views[i]->marked = false;
    }
    for (size_t i = 0; i < m->live_spaces.count; i++) {
        m->spaces[m->live_spaces.slots[i]].view->marked = true;
    }
    for (size_t i = 0; i < m->live_copies.count; i++) {
        m->copies[m->live_copies.slots[i]].view->marked = true;
    }
    for (size_t i = 0; i < m->live_caches.count; i++) {
        m->caches[m->live_caches.slots[i]].view->marked = true;         /* R-CCH-3 */
    }
    for (size_t i = 0; i < m->cache.count; i++) {
        m->views[m->cache.slots[i]]->marked = true;
    }
    for (size_t i = 0; i < m->view_count; i++) {
        if (m->views[i]->used && !m->views[i]->marked) {
            retire(m, m->views[i]);
        }
    }
}

void views_grace(struct model *m)
{
    m->waiting_views = 0;
    for (size_t i = 0; i < m->live_regions.count; i++) {
        m->regions[m->live_regions.slots[i]].waiting = 0;
    }
}

/* How often the region is a range or the root. */
unsigned view_mentions(const struct view *v, unsigned slot)
{
    unsigned n = v->root == (int)slot;

    for (size_t i = 0; i < v->count; i++) {
        n += v->ranges[i].region == (int)slot;
    }
    return n;
}

/* R-LST-8: the same range in another view; the dirty mask does not count. */
const struct view_range *view_find_same(const struct view *v, const struct view_range *r)
{
    for (size_t i = 0; i < v->count && v->ranges[i].address <= r->address; i++) {
        const struct view_range *const s = &v->ranges[i];
        if (s->address == r->address && s->size == r->size && s->region == r->region &&
            s->offset == r->offset && s->romd == r->romd && s->readonly == r->readonly &&
            s->nonvolatile == r->nonvolatile) {
            return s;
        }
    }
    return NULL;
}
