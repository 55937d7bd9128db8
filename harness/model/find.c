/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_region_find: R-FIND. */
#include "model/state.h"

/* R-FIND-1: the first space rooted at T, the topmost container, and the query's address there. */
static int space_of(const struct model *m, unsigned region, uint64_t *address)
{
    int at = (int)region;

    *address += m->regions[at].address;
    while (m->regions[at].container != NO_SLOT) {
        at = m->regions[at].container;
        *address += m->regions[at].address;     /* mod 2^64 */
    }
    for (size_t i = 0; i < m->space_order.count; i++) {
        if (m->spaces[m->space_order.slots[i]].root == at) {
            return m->space_order.slots[i];
        }
    }
    return NO_SLOT;
}

struct observed_section find(const struct model *m, unsigned region, uint64_t address, uint64_t size,
                             struct flat_view **view)
{
    const struct observed_section nothing = { .region = OBSERVED_NONE, .space = OBSERVED_NONE };
    const int space = space_of(m, region, &address);

    *view = NULL;
    if (space == NO_SLOT || (size == 0 && m->profile == MODEL_PROFILE_MEMCORE)) {   /* R-FIND-5 */
        return nothing;
    }
    const place start = address, end = start + size;    /* not wrapped */
    const struct view *const v = &m->spaces[space].view->view;
    for (size_t i = 0; i < v->count; i++) {
        const struct view_range *const r = &v->ranges[i];
        const place range_start = r->address, range_end = range_start + (place)r->size;
        /* An empty query counts strictly inside a range only (R-FIND-5). */
        if (!(start < range_end && range_start < end)) {
            continue;
        }
        const place first = start > range_start ? start : range_start;
        const place last = end < range_end ? end : range_end;
        *view = m->spaces[space].view;
        return (struct observed_section) {
            .region = r->region,
            .space = OBSERVED_NONE,
            .offset = r->offset + (uint64_t)(first - range_start),
            .address = (uint64_t)first,
            .size = (wide)(last - first),
            .readonly = r->readonly,
            .nonvolatile = r->nonvolatile,
        };
    }
    return nothing;
}
