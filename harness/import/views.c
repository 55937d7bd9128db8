/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which region a flat view starts from.
 */
#include <string.h>

#include "import/evidence.h"

/* The next region on the way of the collapse (R-FV-9), or IMPORT_NONE.  *empty: nothing enabled is inside. */
static int collapse_step(struct evidence *e, const struct import_region *r, bool *empty)
{
    size_t enabled = 0;
    int only = IMPORT_NONE;

    *empty = false;
    if (r->target != IMPORT_NONE) {
        return r->alias_offset == 0 && r->size >= e->regions[r->target].size ? r->target : IMPORT_NONE;
    }
    if (surely_answers(r)) {
        return IMPORT_NONE;
    }
    e->work += r->child_count;
    for (size_t i = 0; i < r->child_count; i++) {
        if (e->regions[r->children[i]].enabled) {
            only = r->children[i];
            enabled++;
        }
    }
    *empty = enabled == 0;
    if (enabled != 1 || e->regions[only].address != 0 || e->regions[only].size > r->size) {
        return IMPORT_NONE;
    }
    return only;
}

/*
 * Follows the collapse from a space's root to the region that the view says it
 * ends at.  Ending early proves a device region there; no root at all proves an
 * empty container.  Returns the view's root; *fits tells whether the text agrees.
 */
static int find_view_root(struct evidence *e, int region, const struct import_view *v, bool *fits)
{
    int best = IMPORT_NONE, last = IMPORT_NONE, empty_region = IMPORT_NONE;
    bool empty = false;

    for (size_t steps = 0; steps <= e->im->region_count && region != IMPORT_NONE; steps++) {
        if (!e->regions[region].enabled) {
            last = IMPORT_NONE;
            break;
        }
        if (v->root && strcmp(import_shown_name(e->regions[region].name), v->root) == 0) {
            best = region;
        }
        last = region;
        region = collapse_step(e, &e->regions[last], &empty);
        if (empty) {
            empty_region = last;
            last = IMPORT_NONE;
        }
    }
    if (!v->root) {
        *fits = last == IMPORT_NONE;
        if (*fits && empty_region != IMPORT_NONE) {
            prove_terminating(e, empty_region, IMPORT_NO);
        }
        return IMPORT_NONE;
    }
    *fits = best != IMPORT_NONE && (best == last || e->regions[best].target == IMPORT_NONE);
    if (*fits && best != last) {
        prove_terminating(e, best, IMPORT_YES);
    }
    return best;
}

static size_t count_spaces(const struct import *im, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < im->space_count; i++) {
        count += strcmp(im->spaces[i].name, name) == 0;
    }
    return count;
}

static size_t count_in_view(const struct import_view *v, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < v->space_count; i++) {
        count += strcmp(v->spaces[i], name) == 0;
    }
    return count;
}

/* The spaces of a view are known by name only: where one name is in several views, they prove nothing. */
void evidence_study(struct evidence *e, const struct import_view *v)
{
    int root = IMPORT_NONE;
    bool fits;

    for (size_t i = 0; i < e->im->space_count; i++) {
        const struct import_space *s = &e->im->spaces[i];
        size_t here = count_in_view(v, s->name);

        e->work += v->space_count;
        if (here && here == count_spaces(e->im, s->name)) {
            int found = find_view_root(e, s->root, v, &fits);

            root = fits && root == IMPORT_NONE ? found : root;
        }
        e->work += here * e->im->space_count;
        if (e->work > WORK_MAX) {
            e->gave_up = true;
            return;
        }
    }
    if (root == IMPORT_NONE) {
        return;
    }
    e->way_count = 0;
    e->candidate_count = 0;
    /* R-FV-10b: QEMU's view is shifted by the address that its root has in some container. */
    evidence_list(e, root, e->regions[root].address, 0, (position)1 << 64, IMPORT_NONE);
    evidence_weigh_all(e, v);
}
