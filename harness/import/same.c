/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nodes of the text are one region, and which region an alias means.
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
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "import/mtree.h"

#include <stdlib.h>
#include <string.h>

/* Comparisons of lines that one text may cost; hostile texts could ask for the square of their length. */
enum { COMPARISONS_MAX = 20 * 1000 * 1000 };

struct identity {
    struct mtree *t;
    struct import *im;
    struct import_error *error;
    size_t region_capacity;
    bool *has_group, *has_block;    /* per region: it is the root of a group, of a block */
    size_t work;
    /* Nodes by hash, then by index. */
    int *by_hash;
    /* Blocks by title, then by index. */
    int *by_title;
    size_t block_count;
};

static struct mtree_node *root_node(const struct mtree *t, const struct mtree_section *s)
{
    return &t->nodes[s->root];
}

/* --- one region, several nodes ------------------------------------------------ */

static bool same_line(const struct mtree_node *x, const struct mtree_node *y)
{
    const char *text_x = x->alias ? x->alias : import_shown_name(x->name);
    const char *text_y = y->alias ? y->alias : import_shown_name(y->name);

    return x->address == y->address && x->size == y->size && x->alias_offset == y->alias_offset &&
           x->kind == y->kind && x->priority == y->priority && x->nonvolatile == y->nonvolatile &&
           x->enabled == y->enabled && x->hidden == y->hidden && !x->alias == !y->alias &&
           strcmp(text_x, text_y) == 0 && strcmp(x->owner, y->owner) == 0;
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

static int compare_titles(const void *x, const void *y, void *tree)
{
    const struct mtree *t = tree;
    int i = *(const int *)x, j = *(const int *)y;
    int order = strcmp(t->sections[i].title, t->sections[j].title);

    return order ? order : (i > j) - (i < j);
}

static int new_region(struct identity *id, const struct mtree_node *node)
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
        n->region = new_region(id, n);
        if (i > root) {
            id->im->regions[n->region].container = nodes[n->parent].region;
        }
    }
    region = nodes[root].region;
    (s->space_count ? id->has_group : id->has_block)[region] = true;
    if (choices > 1) {
        import_note(id->im, nodes[root].line, "'%s' reads like %zu regions; taken to be that of line %u",
                    import_shown_name(nodes[root].name), choices, nodes[same].line);
    } else if (same != IMPORT_NONE) {
        import_note(id->im, nodes[root].line, "'%s' reads like line %u, taken to be that region",
                    import_shown_name(nodes[root].name), nodes[same].line);
    }
    if (nodes[root].hidden) {
        import_note(id->im, s->line, "no region is shown here; a disabled container stands for the root");
    }
}

/* --- what an alias means -------------------------------------------------------- */

/* The first block of that title in by_title, or block_count. */
static size_t first_titled(const struct identity *id, const char *title)
{
    size_t low = 0, high = id->block_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(id->t->sections[id->by_title[middle]].title, title) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool titled(const struct identity *id, size_t position, const char *title)
{
    return position < id->block_count &&
           strcmp(id->t->sections[id->by_title[position]].title, title) == 0;
}

/* An alias prints its target's kind (R-MT-2).  `owned`: the two also have one owner, as the windows of a bridge do. */
static bool fits(const struct identity *id, int block, const struct mtree_node *alias, bool owned)
{
    const struct mtree_node *root = root_node(id->t, &id->t->sections[block]);

    return (root->kind == alias->kind || root->hidden) &&
           (!owned || (*alias->owner && strcmp(root->owner, alias->owner) == 0));
}

/* NAME @TARGET: cut where TARGET is a block's title.  Names with " @" in them make this a search. */
static char *split_alias(struct identity *id, struct mtree_node *n)
{
    for (char *at = n->alias; (at = strstr(at, " @")) != NULL; at++) {
        if (titled(id, first_titled(id, at + 2), at + 2)) {
            *at = '\0';
            n->name = strcmp(n->alias, "(null)") == 0 ? NULL : n->alias;
            return at + 2;
        }
    }
    return NULL;
}

/*
 * Blocks are printed in the order in which aliases first name them (R-MT-9), so
 * the next block of that title not yet met is meant, if there is one; else one
 * that was met.  *next is the first block that no alias has named so far.
 */
static int choose_target(struct identity *id, const struct mtree_node *n, const char *title, bool owned, bool *met,
                         int *next, size_t *choices)
{
    int first_new = IMPORT_NONE, last_met = IMPORT_NONE;

    *choices = 0;
    for (size_t i = first_titled(id, title); titled(id, i, title); i++) {
        int block = id->by_title[i];

        if (++id->work > COMPARISONS_MAX || !fits(id, block, n, owned)) {
            continue;
        }
        if (met[block]) {
            last_met = block;
            ++*choices;
        } else if (first_new == IMPORT_NONE) {
            first_new = block;
            ++*choices;
        }
    }
    /* A block further down is not new unless hidden regions named those before it. */
    if (first_new != IMPORT_NONE && last_met != IMPORT_NONE && first_new != *next) {
        first_new = IMPORT_NONE;
        --*choices;
    }
    if (first_new == IMPORT_NONE) {
        return last_met;
    }
    met[first_new] = true;
    while (*next < (int)id->t->section_count && met[*next]) {
        ++*next;
    }
    return first_new;
}

static bool report(struct identity *id, unsigned line, const char *format, const char *name)
{
    id->error->line = line;
    id->error->column = 1;
    snprintf(id->error->message, sizeof(id->error->message), format, name);
    return false;
}

static bool resolve_alias(struct identity *id, struct mtree_node *n, bool *met, int *next)
{
    struct import_region *r = &id->im->regions[n->region];
    const char *title;
    size_t choices;
    int block;

    if (r->target != IMPORT_NONE) {
        return true;
    }
    title = split_alias(id, n);
    if (!title) {
        return report(id, n->line, "expected a block `memory-region: ...` for the target of alias '%.120s'",
                      n->alias);
    }
    block = choose_target(id, n, title, true, met, next, &choices);
    if (block == IMPORT_NONE) {
        block = choose_target(id, n, title, false, met, next, &choices);
    }
    if (block == IMPORT_NONE) {
        return report(id, n->line, "expected the kind of the alias's target '%.120s'", title);
    }
    r->name = n->name;
    r->target = root_node(id->t, &id->t->sections[block])->region;
    if (choices > 1) {
        import_note(id->im, n->line, "alias '%s' may mean %zu regions named '%s'; taken to be that of line %u",
                    import_shown_name(r->name), choices, title, id->t->sections[block].line);
    }
    return true;
}

static bool resolve_aliases(struct identity *id)
{
    struct mtree *t = id->t;
    bool *met = import_calloc(t->section_count, sizeof(*met));
    int next = 0;
    bool good = true;

    for (size_t i = 0; i < t->section_count; i++) {
        met[i] = t->sections[i].space_count > 0;
    }
    while (next < (int)t->section_count && met[next]) {
        next++;
    }
    for (size_t i = 0; i < t->node_count && good; i++) {
        struct mtree_node *n = &t->nodes[i];

        if (n->alias && n->end > i + 1) {
            good = report(id, t->nodes[i + 1].line, "expected no region inside an alias%s", "");
        } else if (n->alias) {
            good = resolve_alias(id, n, met, &next);
        }
    }
    free(met);
    return good;
}

/* --- putting it together --------------------------------------------------------- */

static int compare_siblings(const void *x, const void *y, void *regions)
{
    const struct import_region *r = regions;
    int i = *(const int *)x, j = *(const int *)y;

    return r[i].priority != r[j].priority ? (r[i].priority > r[j].priority ? -1 : 1) : (i > j) - (i < j);
}

static void list_children(struct import *im)
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
static void find_cycle(struct identity *id)
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
                import_note(im, r->line, "alias '%s' shows a region that it is inside of: refused by cores that "
                            "follow the advice of R-TREE-5", import_shown_name(r->name));
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

/* Renumbers the regions in the order of their first lines, except that a target comes before its alias. */
static void renumber(struct identity *id)
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
static void add_holders(struct identity *id)
{
    struct import *im = id->im;
    size_t count = im->region_count;

    for (size_t i = 0; i < count; i++) {
        struct mtree_node node = { .name = "holder", .kind = IMPORT_IO, .size = UINT64_MAX, .enabled = true };
        int holder;

        if (im->regions[i].container != IMPORT_NONE || im->regions[i].priority == 0) {
            continue;
        }
        holder = new_region(id, &node);
        im->regions[i].container = holder;
        im->regions[holder].children = import_calloc(1, sizeof(int));
        im->regions[holder].children[0] = (int)i;
        im->regions[holder].child_count = 1;
        import_note(im, im->regions[i].line,
                    "'%s' has priority %d but no container is shown; a container of its own is made for it",
                    import_shown_name(im->regions[i].name), im->regions[i].priority);
    }
}

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
                        "the line is two levels deeper: a disabled container that is not shown is put between");
        }
    }
    if (id->work > COMPARISONS_MAX) {
        import_note(id->im, 0, "too many lines are alike: some that are one region may have become several");
    }
    if (!id->t->shows_disabled) {
        import_note(id->im, 0, "no region is [disabled]: if the text was taken without -D, disabled regions are "
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
        if (!t->sections[i].space_count) {
            id->by_title[id->block_count++] = (int)i;
        }
    }
    qsort_r(id->by_hash, t->node_count, sizeof(int), compare_hashes, t);
    qsort_r(id->by_title, id->block_count, sizeof(int), compare_titles, t);
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
    id.by_title = import_calloc(t->section_count, sizeof(int));
    sort_indexes(&id, sections);
    for (size_t i = 0; i < t->section_count; i++) {
        place_section(&id, &t->sections[sections[i]]);
    }
    list_spaces(&id);
    note_hidden(&id);
    list_children(im);
    good = resolve_aliases(&id);
    if (good) {
        find_cycle(&id);
        renumber(&id);
        add_holders(&id);
    }
    free(id.by_title);
    free(id.by_hash);
    free(id.has_block);
    free(id.has_group);
    free(sections);
    return good;
}
