/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an earlier text of the same machine proved is known from then on.
 */
#include <stdlib.h>
#include <string.h>

#include "import/evidence.h"

static const char *name_of(const struct import *im, int region)
{
    return region == IMPORT_NONE ? "" : import_shown_name(im->regions[region].name);
}

/* Regions of two texts are taken for the same if these agree; addresses change. */
static int compare_keys(const struct import *p, const struct import_region *x, const struct import *q,
                        const struct import_region *y)
{
    int order = strcmp(import_shown_name(x->name), import_shown_name(y->name));

    order = order ? order : strcmp(name_of(p, x->container), name_of(q, y->container));
    order = order ? order : strcmp(name_of(p, x->target), name_of(q, y->target));
    return order ? order : (x->target != IMPORT_NONE) - (y->target != IMPORT_NONE);
}

static int compare_indexes(const void *x, const void *y, void *import)
{
    const struct import *im = import;
    int i = *(const int *)x, j = *(const int *)y;
    int order = compare_keys(im, &im->regions[i], im, &im->regions[j]);

    return order ? order : (i > j) - (i < j);
}

static int *sort_by_key(const struct import *im)
{
    int *sorted = import_calloc(im->region_count, sizeof(*sorted));

    for (size_t i = 0; i < im->region_count; i++) {
        sorted[i] = (int)i;
    }
    qsort_r(sorted, im->region_count, sizeof(*sorted), compare_indexes, (void *)im);
    return sorted;
}

static void combine(enum import_answer *answer, enum import_answer other, bool first)
{
    *answer = first || *answer == other ? other : IMPORT_UNKNOWN;
}

/* Several regions of one key pass on only what was proved alike of all of them. */
void evidence_recall(struct evidence *e, const struct import *earlier)
{
    int *old = sort_by_key(earlier), *new = sort_by_key(e->im);
    size_t next = 0;

    for (size_t i = 0; i < e->im->region_count; i++) {
        struct import_region *r = &e->im->regions[new[i]];

        while (next < earlier->region_count &&
               compare_keys(earlier, &earlier->regions[old[next]], e->im, r) < 0) {
            next++;
        }
        for (size_t k = next; k < earlier->region_count &&
             compare_keys(earlier, &earlier->regions[old[k]], e->im, r) == 0; k++) {
            combine(&r->proved_terminating, earlier->regions[old[k]].proved_terminating, k == next);
            combine(&r->proved_readonly, earlier->regions[old[k]].proved_readonly, k == next);
        }
        e->known_before[new[i]] = r->proved_terminating != IMPORT_UNKNOWN;
    }
    free(old);
    free(new);
}
