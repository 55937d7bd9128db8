/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nodes of the text are one region.
 *
 * A region appears in the tree of its container, again in every block that
 * shows the container, and once as the root of a block of its own if an alias
 * names it:
 *
 *     address-space: memory             memory-region: pci
 *       ...: system                       ...: pci        <- the same region
 *         ...: pci                          ...: vga
 *           ...: vga
 *
 * Roots are compared with everything that was printed inside larger trees: the
 * same lines at the same place in the container are taken to be one region.
 */
#include <stdlib.h>
#include <string.h>

#include "import/identity.h"

/* --- one region, several nodes ------------------------------------------------ */

/* The name; of an alias, whose two names are told apart later, both. */
static const char *shown(const struct mtree_node *n)
{
    return n->alias ? n->alias : import_shown_name(n->name);
}

static bool same_line(const struct mtree_node *x, const struct mtree_node *y)
{
    return x->address == y->address && x->size == y->size && x->alias_offset == y->alias_offset &&
           x->kind == y->kind && x->priority == y->priority && x->nonvolatile == y->nonvolatile &&
           x->enabled == y->enabled && x->hidden == y->hidden && !x->alias == !y->alias &&
           strcmp(shown(x), shown(y)) == 0 && strcmp(x->owner, y->owner) == 0;
}

static bool same_subtree(struct identity *id, size_t x, size_t y)
{
    const struct mtree_node *nodes = id->t->nodes;

    if (nodes[x].hash != nodes[y].hash || nodes[x].end - x != nodes[y].end - y) {
        return false;
    }
    for (size_t i = 0; x + i < nodes[x].end; i++) {
        const struct mtree_node *m = &nodes[x + i], *n = &nodes[y + i];

        id->work++;
        if (!same_line(m, n) || m->level - nodes[x].level != n->level - nodes[y].level) {
            return false;
        }
    }
    return true;
}

static int compare_hashes(const void *x, const void *y, void *tree)
{
    const struct mtree *t = tree;
    int i = *(const int *)x, j = *(const int *)y;
    uint64_t p = t->nodes[i].hash, q = t->nodes[j].hash;

    return p != q ? (p < q ? -1 : 1) : (i > j) - (i < j);
}

/* Larger trees first, groups before blocks: what a root may be found in comes before it. */
static int compare_extents(const void *x, const void *y, void *tree)
{
    const struct mtree *t = tree;
    int i = *(const int *)x, j = *(const int *)y;
    size_t s = (size_t)t->sections[i].root, u = (size_t)t->sections[j].root;
    size_t p = t->nodes[s].end - s, q = t->nodes[u].end - u;

    return p != q ? (p > q ? -1 : 1) : (i > j) - (i < j);
}

int identity_new_region(struct identity *id, const struct mtree_node *node)
{
    struct import *im = id->im;
    int index = (int)im->region_count;

    im->regions = import_grow(im->regions, im->region_count, &id->region_capacity, sizeof(*im->regions));
    im->regions[im->region_count++] = (struct import_region){
        .name = node->name,
        .kind = node->kind,
        .size = node->size,
        .maybe_empty = node->alias && node->size == 1,
        .address = node->address,
        .alias_offset = node->alias_offset,
        .priority = node->priority,
        .container = IMPORT_NONE,
        .target = IMPORT_NONE,
        .line = node->line,
        .enabled = node->enabled && !node->hidden,
        .nonvolatile = node->nonvolatile,
        .terminating = node->kind != IMPORT_IO && !node->alias,
        .readonly = node->kind == IMPORT_ROM && !node->alias,
    };
    return index;
}

/* The node, printed in a tree read before, that the root of s repeats; IMPORT_NONE if there is none. */
static int find_same(struct identity *id, const struct mtree_section *s, size_t *choices)
{
    const struct mtree_node *nodes = id->t->nodes, *root = &nodes[s->root];
    const bool *taken = s->space_count ? id->has_group : id->has_block;
    size_t low = 0, high = id->t->node_count;
    int found = IMPORT_NONE, last_region = IMPORT_NONE;

    *choices = 0;
    if (root->hidden) {
        return IMPORT_NONE;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (nodes[id->by_hash[middle]].hash < root->hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < id->t->node_count && nodes[id->by_hash[low]].hash == root->hash; low++) {
        int other = id->by_hash[low], region = nodes[other].region;

        if (++id->work > COMPARISONS_MAX) {
            break;
        }
        if (region != IMPORT_NONE && !taken[region] && region != last_region &&
            same_subtree(id, (size_t)s->root, (size_t)other)) {
            found = found == IMPORT_NONE ? other : found;
            last_region = region;
            ++*choices;
        }
    }
    return found;
}

static void place_section(struct identity *id, struct mtree_section *s)
{
    struct mtree_node *nodes = id->t->nodes;
    size_t root = (size_t)s->root, choices;
    int same = find_same(id, s, &choices);
    int region;

    for (size_t i = root; i < nodes[root].end; i++) {
        struct mtree_node *n = &nodes[i];

        if (same != IMPORT_NONE) {
            n->region = nodes[(size_t)same + (i - root)].region;
            continue;
        }
        n->region = identity_new_region(id, n);
        if (i > root) {
            id->im->regions[n->region].container = nodes[n->parent].region;
        }
    }
    region = nodes[root].region;
    (s->space_count ? id->has_group : id->has_block)[region] = true;
    if (choices > 1) {
        import_note(id->im, nodes[root].line, "'%s' reads like %zu regions; taken to be that of line %u",
                    shown(&nodes[root]), choices, nodes[same].line);
    } else if (same != IMPORT_NONE) {
        import_note(id->im, nodes[root].line, "'%s' reads like line %u, taken to be that region",
                    shown(&nodes[root]), nodes[same].line);
    }
    if (nodes[root].hidden) {
        import_note(id->im, s->line, "no region is shown here; a disabled container stands for the root");
    }
}

/* --- putting it together --------------------------------------------------------- */

static void list_spaces(struct identity *id)
{
    struct import *im = id->im;
    size_t capacity = 0;

    for (size_t i = 0; i < id->t->section_count; i++) {
        const struct mtree_section *s = &id->t->sections[i];

        for (size_t k = 0; k < s->space_count; k++) {
            im->spaces = import_grow(im->spaces, im->space_count, &capacity, sizeof(*im->spaces));
            im->spaces[im->space_count++] = (struct import_space){
                .name = s->spaces[k], .root = root_node(id->t, s)->region, .line = s->line + (unsigned)k,
            };
        }
    }
}

static void note_hidden(struct identity *id)
{
    for (size_t i = 0; i < id->t->node_count; i++) {
        if (id->t->nodes[i].hidden && id->t->nodes[i].level > 1) {
            import_note(id->im, id->t->nodes[i].line,
                        "the line is two levels deeper: a disabled container is put between");
        }
    }
    if (id->work > COMPARISONS_MAX) {
        import_note(id->im, 0, "too many lines are alike: some that are one region may have become several");
    }
    if (!id->t->shows_disabled) {
        import_note(id->im, 0,
                    "no region is [disabled]: if the text was taken without -D, disabled regions are "
                    "missing and their children appear in the region above");
    }
}

static void sort_indexes(struct identity *id, int *sections)
{
    struct mtree *t = id->t;

    for (size_t i = 0; i < t->node_count; i++) {
        id->by_hash[i] = (int)i;
    }
    for (size_t i = 0; i < t->section_count; i++) {
        sections[i] = (int)i;
    }
    qsort_r(id->by_hash, t->node_count, sizeof(int), compare_hashes, t);
    qsort_r(sections, t->section_count, sizeof(int), compare_extents, t);
}

bool mtree_identify(struct mtree *t, struct import *im, struct import_error *error)
{
    struct identity id = { .t = t, .im = im, .error = error };
    int *sections = import_calloc(t->section_count, sizeof(int));
    bool good;

    id.has_group = import_calloc(t->node_count, sizeof(bool));
    id.has_block = import_calloc(t->node_count, sizeof(bool));
    id.by_hash = import_calloc(t->node_count, sizeof(int));
    sort_indexes(&id, sections);
    for (size_t i = 0; i < t->section_count; i++) {
        place_section(&id, &t->sections[sections[i]]);
    }
    list_spaces(&id);
    note_hidden(&id);
    identity_list_children(im);
    good = identity_resolve_aliases(&id);
    if (good) {
        identity_find_cycle(&id);
        identity_renumber(&id);
        identity_add_holders(&id);
    }
    free(id.by_hash);
    free(id.has_block);
    free(id.has_group);
    free(sections);
    return good;
}
