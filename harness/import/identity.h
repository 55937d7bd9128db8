/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the importer: from lines of text to regions.
 */
#ifndef HARNESS_IMPORT_IDENTITY_H
#define HARNESS_IMPORT_IDENTITY_H

#include "import/mtree.h"

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

static inline struct mtree_node *root_node(const struct mtree *t, const struct mtree_section *s)
{
    return &t->nodes[s->root];
}

int identity_new_region(struct identity *id, const struct mtree_node *node);

/* Finds the target of every alias; false with id->error filled if the text has none. */
bool identity_resolve_aliases(struct identity *id);

/* Lists children in sibling order. */
void identity_list_children(struct import *im);

/* Fills im->cycle. */
void identity_find_cycle(struct identity *id);

/* Renumbers the regions in the order of their first lines, except that a target comes before its alias. */
void identity_renumber(struct identity *id);

/* Gives regions that show a priority but no container one of their own. */
void identity_add_holders(struct identity *id);

#endif
