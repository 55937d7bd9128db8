/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the importer: the text as read, line by line, before anything is
 * concluded from it.
 */
#ifndef HARNESS_IMPORT_MTREE_H
#define HARNESS_IMPORT_MTREE_H

#include "import/import.h"

/* A region line.  One region usually has several: in its tree and under each block that shows it. */
struct mtree_node {
    const char *name;               /* of an alias: NULL until the target is found, then its own name */
    char *alias;                    /* "NAME @TARGET" of an alias, to be split; else NULL */
    enum import_kind kind;
    uint64_t start;                 /* in the space or block */
    uint64_t size;                  /* UINT64_MAX: 2^64 */
    uint64_t address;               /* relative to the parent */
    uint64_t alias_offset;
    const char *owner;              /* R-MT-3, as printed; "" when the text was taken without -o */
    int32_t priority;
    bool nonvolatile, enabled;
    bool hidden;                    /* not in the text: a disabled parent whose children were printed */
    unsigned level, line;
    int parent;                     /* index of a node, IMPORT_NONE for a root */
    size_t end;                     /* index after the subtree's last node */
    uint64_t hash;                  /* of the subtree's text */
    int region;                     /* what it turned out to be */
};

/* A group ("address-space:" lines and a tree) or a block ("memory-region:" and a tree). */
struct mtree_section {
    const char **spaces;            /* of a group, in text order */
    size_t space_count;             /* 0 for a block */
    const char *title;              /* of a block */
    unsigned line;
    int root;                       /* index of its root's node */
};

struct mtree {
    struct mtree_node *nodes;
    size_t node_count, node_capacity;
    struct mtree_section *sections; /* groups first, as QEMU prints them */
    size_t section_count, section_capacity;
    bool shows_disabled;            /* some line says [disabled]: the text was taken with -D */
    struct import *out;             /* views are read straight into it */
    size_t range_total, view_capacity;
};

/* Position in one line, for messages. */
struct mtree_cursor {
    char *start, *at, *end;         /* *end is '\0' */
    unsigned line;
    struct import_error *error;
};

bool mtree_expect(struct mtree_cursor *c, const char *literal);             /* consumes it or reports */
bool mtree_accept(struct mtree_cursor *c, const char *literal);             /* consumes it if there */
bool mtree_fail(struct mtree_cursor *c, const char *expected);              /* reports; always false */
bool mtree_parse_node(struct mtree_cursor *c, bool owners, struct mtree_node *out);
bool mtree_parse_range(struct mtree_cursor *c, bool owners, struct import_range *out);

/* Reads im->text, which it cuts into names. */
bool mtree_parse(struct mtree *t, struct import *im, struct import_error *error);
void mtree_free(struct mtree *t);

/* Finds out which nodes are one region and what aliases mean; fills regions and spaces. */
bool mtree_identify(struct mtree *t, struct import *im, struct import_error *error);

/* Concludes hidden properties and sibling order from the flat views, or takes defaults. */
void import_explain(struct import *im, const struct import *earlier);

void import_note(struct import *im, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *import_shown_name(const char *name);    /* "(null)" for a region without one, as QEMU prints it */

/* Memory: never NULL, the program ends when there is none. */
void *import_calloc(size_t count, size_t size);
/* Room for one more in an array that doubles. */
void *import_grow(void *array, size_t count, size_t *capacity, size_t size);

#endif
