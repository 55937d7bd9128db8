/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the flat views prove of the properties that the tree does not show.
 *
 * For every stretch of addresses, all regions that could answer there are
 * listed.  The flat view names the one that does:
 *
 *     could answer, strongest first     the view says     so
 *     smram   (i/o, no children)                          smram does not answer: a container
 *     vga     (i/o, no children)        vga               vga answers: a device region
 *     pci     (i/o, has children)                         nothing: it would be hidden here anyway
 *
 * The same comparison tells the newer of two siblings of equal priority, and
 * RAM that the view calls rom must have something read-only on the way to it.
 * What stays open gets a default: with children a container, without a device.
 *
 * This is evidence of a few bits, not a rendering: a core that renders wrongly
 * is found because no choice of these bits explains the whole view.
 */
#include <stdlib.h>

#include "import/evidence.h"

static void conclude(struct evidence *e)
{
    size_t unseen = 0;

    for (size_t i = 0; i < e->im->region_count; i++) {
        struct import_region *r = &e->im->regions[i];
        const char *name = import_shown_name(r->name);

        r->readonly |= r->proved_readonly == IMPORT_YES;
        if (r->maybe_empty && r->proved_empty != IMPORT_NO) {
            r->size = 0;
            import_note(e->im, r->line,
                        "alias '%s' has no bytes or one, which prints alike: taken to be empty", name);
        }
        if (r->target != IMPORT_NONE || r->kind != IMPORT_IO || r->line == 0) {
            continue;
        }
        r->terminating = r->proved_terminating == IMPORT_YES ||
                         (r->proved_terminating == IMPORT_UNKNOWN && !r->child_count);
        if (e->known_before[i]) {
            continue;
        }
        if (r->child_count && r->proved_terminating == IMPORT_YES) {
            import_note(e->im, r->line, "'%s' has children, but a flat view shows it: a device region", name);
        } else if (r->child_count) {
            import_note(e->im, r->line, r->proved_terminating == IMPORT_NO
                        ? "'%s' has children and no flat view shows it: a container"
                        : "'%s' has children, taken as a container", name);
        } else if (r->proved_terminating == IMPORT_NO) {
            import_note(e->im, r->line,
                        "'%s' is not in the flat views where it would answer: an empty container", name);
        } else if (r->proved_terminating == IMPORT_UNKNOWN) {
            unseen++;
        }
    }
    if (unseen) {
        import_note(e->im, 0, "%zu i/o regions without children are in no flat view, taken as device regions",
                    unseen);
    }
}

static int compare_addresses(const void *x, const void *y, void *regions)
{
    const struct import_region *r = regions;
    int i = *(const int *)x, j = *(const int *)y;

    return r[i].address != r[j].address ? (r[i].address < r[j].address ? -1 : 1) : (i > j) - (i < j);
}

/* Lines of equal address are in sibling order (R-MT-7); the order of others matters where they overlap. */
static void note_overlaps(struct evidence *e, const struct import_region *container)
{
    size_t count = container->child_count;
    int *sorted = import_calloc(count, sizeof(*sorted));

    for (size_t i = 0; i < count; i++) {
        sorted[i] = container->children[i];
    }
    qsort_r(sorted, count, sizeof(*sorted), compare_addresses, e->im->regions);
    for (size_t i = 0; i < count; i++) {
        const struct import_region *low = &e->regions[sorted[i]];

        for (size_t k = i + 1; k < count && e->im->notes_left_out == 0; k++) {
            const struct import_region *high = &e->regions[sorted[k]];
            bool low_wins = e->rank[sorted[i]] < e->rank[sorted[k]];

            if ((position)high->address >= end_of(low->address, low->size)) {
                break;
            }
            e->gave_up |= ++e->work > WORK_MAX;
            if (e->gave_up) {
                break;
            }
            if (high->address != low->address && high->priority == low->priority && high->enabled &&
                low->enabled) {
                import_note(e->im, high->line,
                            "'%s' and '%s' (line %u) overlap at equal priority; the %s taken as the newer",
                            import_shown_name(high->name), import_shown_name(low->name), low->line,
                            low_wins ? "latter" : "former");
            }
        }
    }
    free(sorted);
}

static void rank_siblings(struct evidence *e)
{
    for (size_t i = 0; i < e->im->region_count; i++) {
        for (size_t k = 0; k < e->regions[i].child_count; k++) {
            e->rank[e->regions[i].children[k]] = (int)k;
        }
    }
}

void import_explain(struct import *im, const struct import *earlier)
{
    struct evidence e = { .im = im, .regions = im->regions };

    e.rank = import_calloc(im->region_count, sizeof(*e.rank));
    e.known_before = import_calloc(im->region_count, sizeof(*e.known_before));
    rank_siblings(&e);
    if (earlier) {
        evidence_recall(&e, earlier);
    }
    /* The order found for one pair can undo that of another: repeat until nothing moves. */
    for (int pass = 0; pass < PASSES_MAX && !e.gave_up && !e.last_pass; pass++) {
        e.last_pass = pass > 0 && (!e.moved || pass == PASSES_MAX - 1);
        e.moved = false;
        for (size_t i = 0; i < im->view_count && !e.gave_up; i++) {
            evidence_study(&e, &im->views[i]);
        }
    }
    if (e.gave_up) {
        import_note(im, 0,
                    "too many ways to the same addresses: not everything in the flat views was weighed");
    }
    conclude(&e);
    for (size_t i = 0; i < im->region_count; i++) {
        note_overlaps(&e, &im->regions[i]);
    }
    free(e.known_before);
    free(e.rank);
    free(e.active);
    free(e.bounds);
    free(e.candidates);
    free(e.ways);
}
