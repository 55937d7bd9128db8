/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which region an alias means.  The text names the target; its block, printed
 * once for each target, tells what it is.
 */
#include <stdlib.h>
#include <string.h>

#include "import/identity.h"

static int compare_titles(const void *x, const void *y, void *tree)
{
    const struct mtree *t = tree;
    int i = *(const int *)x, j = *(const int *)y;
    int order = strcmp(t->sections[i].title, t->sections[j].title);

    return order ? order : (i > j) - (i < j);
}

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

/* An alias prints its target's kind (R-MT-2).  `owned`: the two also have one owner, as bridge windows do. */
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
static int choose_target(struct identity *id, const struct mtree_node *n, const char *title, bool owned,
                         bool *met, int *next, size_t *choices)
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
        import_note(id->im, n->line,
                    "alias '%s' may mean %zu regions named '%s'; taken to be that of line %u",
                    import_shown_name(r->name), choices, title, id->t->sections[block].line);
    }
    return true;
}

bool identity_resolve_aliases(struct identity *id)
{
    struct mtree *t = id->t;
    bool *met = import_calloc(t->section_count, sizeof(*met));
    int next = 0;
    bool good = true;

    id->by_title = import_calloc(t->section_count, sizeof(*id->by_title));
    for (size_t i = 0; i < t->section_count; i++) {
        met[i] = t->sections[i].space_count > 0;
        if (!met[i]) {
            id->by_title[id->block_count++] = (int)i;
        }
    }
    qsort_r(id->by_title, id->block_count, sizeof(*id->by_title), compare_titles, t);
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
    free(id->by_title);
    return good;
}
