/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 7: ioeventfds. */
#include "model/state.h"

/* R-EFD-1: does x come before y?  Neither before the other: equal, though unmatched data may differ. */
static bool before(const struct eventfd *x, const struct eventfd *y)
{
    if (x->address != y->address) {
        return x->address < y->address;
    }
    if (x->size != y->size) {
        return x->size < y->size;
    }
    if (x->match_data != y->match_data) {
        return y->match_data;
    }
    if (x->match_data && x->data != y->data) {
        return x->data < y->data;
    }
    return x->notifier < y->notifier;   /* notifiers lie in memory in slot order */
}

static void list_insert(struct eventfd_list *l, size_t index, const struct eventfd *e)
{
    l->entries = array_reserve(l->entries, &l->capacity, l->count + 1, sizeof(l->entries[0]));
    for (size_t i = l->count++; i > index; i--) {
        l->entries[i] = l->entries[i - 1];
    }
    l->entries[index] = *e;
}

/* Behind equal ones. */
static void list_insert_sorted(struct eventfd_list *l, const struct eventfd *e)
{
    size_t i = 0;

    while (i < l->count && !before(e, &l->entries[i])) {
        i++;
    }
    list_insert(l, i, e);
}

/* R-EFD-2.  The target is little-endian, so only big-endian ops differ. */
uint64_t eventfd_data(const struct region *r, unsigned size, uint64_t data)
{
    uint64_t swapped = 0;

    if (size == 0 || !r->big_endian) {
        return data;
    }
    for (unsigned i = 0; i < size; i++) {
        swapped = swapped << 8 | (data >> (8 * i) & 0xff);
    }
    return swapped;
}

struct eventfd eventfd_from_step(const struct trace_step *step)
{
    static const unsigned widths[] = { 0, 1, 2, 4, 8 };

    return (struct eventfd) {
        .address = step->v.absolute,
        .size = widths[step->n % 5],
        .match_data = step->n >= 5,
        .data = step->w.absolute,
        .notifier = step->b,
    };
}

static void entries_changed(struct model *m, unsigned region)
{
    transaction_begin(m);
    m->eventfds_pending |= m->regions[region].enabled;  /* R-EFD-1 */
    transaction_commit(m);
}

void eventfd_add(struct model *m, unsigned region, struct eventfd e)
{
    struct region *const r = &m->regions[region];

    e.data = eventfd_data(r, e.size, e.data);
    list_insert_sorted(&r->eventfds, &e);
    entries_changed(m, region);
}

/* R-EFD-3 */
int eventfd_index(const struct model *m, unsigned region, struct eventfd e)
{
    const struct region *const r = &m->regions[region];
    int wildcard = -1, exact = -1;

    e.data = eventfd_data(r, e.size, e.data);
    for (int i = (int)r->eventfds.count - 1; i >= 0; i--) {
        const struct eventfd *const entry = &r->eventfds.entries[i];
        const bool same = !before(entry, &e) && !before(&e, entry);
        if (same) {
            exact = i;
        }
        if (entry->address == e.address && (same || entry->size == 0 || e.size == 0)) {
            wildcard = i;
        }
    }
    return m->profile == MODEL_PROFILE_MEMCORE && exact >= 0 ? exact : wildcard;
}

void eventfd_del(struct model *m, unsigned region, struct eventfd e)
{
    struct eventfd_list *const l = &m->regions[region].eventfds;
    const int index = eventfd_index(m, region, e);

    l->count--;
    for (size_t i = (size_t)index; i < l->count; i++) {
        l->entries[i] = l->entries[i + 1];
    }
    entries_changed(m, region);
}

static place shift_of(const struct view_range *r)
{
    return (place)r->address - r->offset;
}

/* R-EFD-4: whether [start, start + size) of the space counts as touching the range. */
bool windows_meet(place start, wide size, const struct view_range *r)
{
    const place range_start = r->address, range_end = range_start + (place)r->size;

    return (start >= range_start && start < range_end) ||
           (range_start >= start && range_start < start + (place)size);
}

/* R-EFD-5: the entry was met already, in another piece of the same mapping of its region. */
static bool met_before(const struct view *v, size_t index, place start, wide size)
{
    const struct view_range *const r = &v->ranges[index];

    for (size_t i = 0; i < index; i++) {
        const struct view_range *const s = &v->ranges[i];
        if (s->region == r->region && shift_of(s) == shift_of(r) && windows_meet(start, size, s)) {
            return true;
        }
    }
    return false;
}

/* R-EFD-4 */
static void resolve_list(struct model *m, const struct view *v, struct eventfd_list *out)
{
    const bool improved = m->profile == MODEL_PROFILE_MEMCORE;

    out->count = 0;
    for (size_t i = 0; i < v->count; i++) {
        const struct view_range *const r = &v->ranges[i];
        const struct eventfd_list *const l = &m->regions[r->region].eventfds;
        for (size_t k = 0; k < l->count; k++) {
            struct eventfd e = l->entries[k];
            const place start = shift_of(r) + e.address;
            if (!windows_meet(start, e.size, r) || start < 0) {     /* negative: R-EFD-6 */
                continue;
            }
            e.address = (uint64_t)start;
            if (!improved) {
                list_insert(out, out->count, &e);
            } else if (!met_before(v, i, start, e.size)) {
                list_insert_sorted(out, &e);
            }
        }
    }
}

void event_for_eventfd(struct event *e, enum event_kind kind, unsigned space, const struct eventfd *entry)
{
    event_init(e, kind);
    e->section.space = (int)space;      /* R-LST-7: no region, offset 0 */
    e->section.address = entry->address;
    e->section.size = entry->size;
    e->view_published = true;
    e->match_data = entry->match_data;
    e->data = entry->data;
    e->notifier = entry->notifier;
}

/* Old and new list side by side in R-EFD-1 order; del goes forward and add in reverse (R-LST-2). */
void eventfds_resolve(struct model *m, unsigned space)
{
    struct eventfd_list *const old = &m->spaces[space].eventfds;
    struct eventfd_list *const new = &m->resolved;
    struct event e;

    resolve_list(m, &m->spaces[space].view->view, new);
    for (size_t i = 0, k = 0; i < old->count || k < new->count;) {
        const struct eventfd *const gone = i < old->count ? &old->entries[i] : NULL;
        const struct eventfd *const come = k < new->count ? &new->entries[k] : NULL;
        if (gone && (!come || before(gone, come))) {
            event_for_eventfd(&e, EVENT_EVENTFD_DEL, space, gone);
            tell_space(m, space, &e, FORWARD);
            i++;
        } else if (come && (!gone || before(come, gone))) {
            event_for_eventfd(&e, EVENT_EVENTFD_ADD, space, come);
            tell_space(m, space, &e, REVERSE);
            k++;
        } else {
            i++;
            k++;
        }
    }
    const struct eventfd_list swap = *old;
    *old = *new;
    *new = swap;
}
