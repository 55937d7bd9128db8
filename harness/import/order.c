/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of siblings, and that of all regions.
 */
#include <stdlib.h>

#include "import/identity.h"

static int compare_siblings(const void *x, const void *y, void *regions)
{
    const struct import_region *r = regions;
    int i = *(const int *)x, j = *(const int *)y;

    return r[i].priority != r[j].priority ? (r[i].priority > r[j].priority ? -1 : 1) : (i > j) - (i < j);
}

void identity_list_children(struct import *im)
{
    /* Lines of one container are in the order of R-MT-7; stable sorting by priority makes R-TREE-2's. */
    for (size_t i = 0; i < im->region_count; i++) {
        if (im->regions[i].container != IMPORT_NONE) {
            im->regions[im->regions[i].container].child_count++;
        }
    }
    for (size_t i = 0; i < im->region_count; i++) {
        struct import_region *r = &im->regions[i];

        r->children = r->child_count ? import_calloc(r->child_count, sizeof(int)) : NULL;
        r->child_count = 0;
    }
    for (size_t i = 0; i < im->region_count; i++) {
        if (im->regions[i].container != IMPORT_NONE) {
            struct import_region *container = &im->regions[im->regions[i].container];

            container->children[container->child_count++] = (int)i;
        }
    }
    for (size_t i = 0; i < im->region_count; i++) {
        struct import_region *r = &im->regions[i];

        if (r->child_count) {
            qsort_r(r->children, r->child_count, sizeof(int), compare_siblings, im->regions);
        }
    }
}


/*
 * Depth first along containers' children and aliases' targets: an alias that shows
 * a window of a container it is inside of.  Real boards do this (the window does not
 * contain the alias, so it ends), but the advice of R-TREE-5 is to refuse it.
 */
void identity_find_cycle(struct identity *id)
{
    struct import *im = id->im;
    size_t count = im->region_count;
    enum { NEW, OPEN, DONE };
    unsigned char *state = import_calloc(count, 1);
    size_t *position = import_calloc(count, sizeof(*position));
    int *stack = import_calloc(count, sizeof(*stack));

    im->cycle = IMPORT_NONE;
    for (size_t start = 0; start < count && im->cycle == IMPORT_NONE; start++) {
        size_t depth = 0;

        if (state[start] == NEW) {
            state[start] = OPEN;
            stack[depth++] = (int)start;
        }
        while (depth && im->cycle == IMPORT_NONE) {
            int i = stack[depth - 1], next;
            const struct import_region *r = &im->regions[i];

            if (position[i] == r->child_count + (r->target != IMPORT_NONE)) {
                state[i] = DONE;
                depth--;
                continue;
            }
            next = position[i] < r->child_count ? r->children[position[i]] : r->target;
            position[i]++;
            if (state[next] == OPEN) {
                im->cycle = i;
                import_note(im, r->line,
                            "alias '%s' shows a region that it is inside of; R-TREE-5 advises to refuse it",
                            import_shown_name(r->name));
            } else if (state[next] == NEW) {
                state[next] = OPEN;
                stack[depth++] = next;
            }
        }
    }
    free(stack);
    free(position);
    free(state);
}

static int compare_lines(const void *x, const void *y, void *regions)
{
    const struct import_region *r = regions;
    int i = *(const int *)x, j = *(const int *)y;

    return r[i].line != r[j].line ? (r[i].line < r[j].line ? -1 : 1) : (i > j) - (i < j);
}

void identity_renumber(struct identity *id)
{
    struct import *im = id->im;
    size_t count = im->region_count, done = 0;
    int *order = import_calloc(count, sizeof(*order)), *number = import_calloc(count, sizeof(*number));
    struct import_region *sorted = import_calloc(count, sizeof(*sorted));

    for (size_t i = 0; i < id->t->node_count; i++) {
        struct import_region *r = &im->regions[id->t->nodes[i].region];

        r->line = r->line < id->t->nodes[i].line ? r->line : id->t->nodes[i].line;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (int)i;
        number[i] = IMPORT_NONE;
    }
    qsort_r(order, count, sizeof(*order), compare_lines, im->regions);
    for (size_t i = 0; i < count; i++) {
        size_t chain = 0;

        for (int r = order[i]; r != IMPORT_NONE && number[r] == IMPORT_NONE; r = im->regions[r].target) {
            number[r] = -2;     /* on the chain of targets */
            chain++;
        }
        done += chain;
        chain = done;
        for (int r = order[i]; r != IMPORT_NONE && number[r] == -2; r = im->regions[r].target) {
            number[r] = (int)--chain;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct import_region *r = &sorted[number[i]];

        *r = im->regions[i];
        r->container = r->container == IMPORT_NONE ? IMPORT_NONE : number[r->container];
        r->target = r->target == IMPORT_NONE ? IMPORT_NONE : number[r->target];
        for (size_t k = 0; k < r->child_count; k++) {
            r->children[k] = number[r->children[k]];
        }
    }
    for (size_t i = 0; i < im->space_count; i++) {
        im->spaces[i].root = number[im->spaces[i].root];
    }
    im->cycle = im->cycle == IMPORT_NONE ? IMPORT_NONE : number[im->cycle];
    free(im->regions);
    im->regions = sorted;
    id->region_capacity = count;
    free(number);
    free(order);
}

/*
 * A region gets its priority by being added to a container.  Where the text
 * shows a priority but no container, one is made that nothing else uses.
 */
void identity_add_holders(struct identity *id)
{
    struct import *im = id->im;
    size_t count = im->region_count;

    for (size_t i = 0; i < count; i++) {
        struct mtree_node node = { .name = "holder", .kind = IMPORT_IO, .size = UINT64_MAX, .enabled = true };
        int holder;

        if (im->regions[i].container != IMPORT_NONE || im->regions[i].priority == 0) {
            continue;
        }
        holder = identity_new_region(id, &node);
        im->regions[i].container = holder;
        im->regions[holder].children = import_calloc(1, sizeof(int));
        im->regions[holder].children[0] = (int)i;
        im->regions[holder].child_count = 1;
        import_note(im, im->regions[i].line,
                    "'%s' has priority %d but no container is shown; a container of its own is made for it",
                    import_shown_name(im->regions[i].name), im->regions[i].priority);
    }
}
