/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole text: sections of the tree, then flat views (R-MT, 10.1 and 10.2).
 */
#include "import/mtree.h"

#include <stdlib.h>
#include <string.h>

/* Where we are in the text. */
enum place {
    OUTSIDE,            /* between sections */
    SPACES,             /* after "address-space:" lines */
    TREE,               /* in the tree of a group or block */
    VIEW_SPACES,        /* after "FlatView" */
    VIEW_RANGES,        /* after "Root memory region" */
    DISPATCH,           /* skipped up to the blank line */
};

struct reader {
    struct mtree *t;
    struct mtree_cursor line;
    enum place place;
    bool owners;        /* the text was taken with -o */
    size_t space_capacity, range_capacity;
    /* Nodes on the way from the root to the last node read, by level. */
    int path[IMPORT_LEVELS_MAX + 1];
    unsigned depth;
};

void mtree_free(struct mtree *t)
{
    for (size_t i = 0; i < t->section_count; i++) {
        free(t->sections[i].spaces);
    }
    free(t->sections);
    free(t->nodes);
    memset(t, 0, sizeof(*t));
}

static struct mtree_section *section(struct mtree *t)
{
    return &t->sections[t->section_count - 1];
}

static struct mtree_section *new_section(struct reader *r)
{
    struct mtree *t = r->t;

    t->sections = import_grow(t->sections, t->section_count, &t->section_capacity, sizeof(*t->sections));
    t->section_count++;
    *section(t) = (struct mtree_section){ .line = r->line.line, .root = IMPORT_NONE };
    r->depth = 0;
    r->space_capacity = 0;
    return section(t);
}

static struct import_view *view(struct mtree *t)
{
    return &t->out->views[t->out->view_count - 1];
}

static struct mtree_node *append_node(struct reader *r, const struct mtree_node *node)
{
    struct mtree *t = r->t;

    t->nodes = import_grow(t->nodes, t->node_count, &t->node_capacity, sizeof(*t->nodes));
    t->nodes[t->node_count] = *node;
    r->path[node->level] = (int)t->node_count;
    r->depth = node->level;
    return &t->nodes[t->node_count++];
}

/*
 * Without -D, QEMU leaves disabled regions out but prints their children, one
 * level deeper than what came before (R-MT-8).  A level that is skipped thus
 * stands for a disabled parent, of which no more is known.
 */
static void add_hidden_parents(struct reader *r, const struct mtree_node *child)
{
    while (r->depth + 1 < child->level) {
        int parent = r->depth ? r->path[r->depth] : IMPORT_NONE;
        struct mtree_node hidden = {
            .name = "hidden",
            .owner = "",
            .kind = IMPORT_IO,
            .start = r->depth ? r->t->nodes[parent].start : 0,
            .size = UINT64_MAX,
            .hidden = true,
            .level = r->depth + 1,
            .line = child->line,
            .parent = parent,
            .region = IMPORT_NONE,
        };
        int index = (int)r->t->node_count;

        append_node(r, &hidden);
        if (hidden.level == 1) {
            section(r->t)->root = index;
        }
    }
}

static bool read_node(struct reader *r)
{
    struct mtree_cursor *c = &r->line;
    struct mtree_node node = { .line = c->line, .parent = IMPORT_NONE, .region = IMPORT_NONE };
    char *indent;

    mtree_accept(c, "[DETECTED OVERFLOW!] ");
    indent = c->at;
    while (mtree_accept(c, "  ")) {
        node.level++;
    }
    if (node.level == 0 || c->at[0] == ' ') {
        return mtree_fail(c, "expected a region line, indented by two spaces a level");
    }
    if (node.level > IMPORT_LEVELS_MAX) {
        c->at = indent;
        return mtree_fail(c, "expected at most 64 levels of regions");
    }
    if (node.level == 1 && section(r->t)->root != IMPORT_NONE) {
        c->at = indent;
        return mtree_fail(c, "expected a deeper line: an address space or block has one root region");
    }
    if (r->t->node_count + IMPORT_LEVELS_MAX >= IMPORT_LINES_MAX) {
        return mtree_fail(c, "expected at most 65000 region lines");
    }
    if (!mtree_parse_node(c, r->owners, &node)) {
        return false;
    }
    if (node.level == 1) {
        section(r->t)->root = (int)r->t->node_count;
        r->depth = 0;
    } else {
        r->depth = r->depth < node.level ? r->depth : node.level - 1;
        add_hidden_parents(r, &node);
        node.parent = r->path[node.level - 1];
    }
    node.address = node.start - (node.parent == IMPORT_NONE ? 0 : r->t->nodes[node.parent].start);
    r->t->shows_disabled |= !node.enabled;
    append_node(r, &node);
    r->place = TREE;
    return true;
}

static bool read_space(struct reader *r)
{
    struct mtree_section *s;

    if (r->place == TREE) {
        return mtree_fail(&r->line, "expected a blank line before the next address space");
    }
    s = r->place == SPACES ? section(r->t) : new_section(r);
    s->spaces = import_grow(s->spaces, s->space_count, &r->space_capacity, sizeof(*s->spaces));
    s->spaces[s->space_count++] = r->line.at;
    r->place = SPACES;
    return true;
}

static bool read_block(struct reader *r)
{
    if (r->place == TREE || r->place == SPACES) {
        return mtree_fail(&r->line, "expected a blank line before the next region");
    }
    new_section(r)->title = r->line.at;
    r->place = TREE;
    return true;
}

static bool read_view(struct reader *r)
{
    struct import *im = r->t->out;

    for (char *at = r->line.at; at < r->line.end; at++) {
        if (*at < '0' || *at > '9') {
            r->line.at = at;
            return mtree_fail(&r->line, "expected the number of a flat view");
        }
    }
    im->views = import_grow(im->views, im->view_count, &r->t->view_capacity, sizeof(*im->views));
    im->view_count++;
    *view(r->t) = (struct import_view){ .line = r->line.line };
    r->space_capacity = 0;
    r->range_capacity = 0;
    r->place = VIEW_SPACES;
    return true;
}

/* ` AS "NAME", root: ROOT[, alias TARGET]`: only the name is needed, the tree tells the rest. */
static bool read_view_space(struct reader *r)
{
    struct mtree_cursor *c = &r->line;
    struct import_view *v = view(r->t);
    char *name, *close = NULL, *next;

    if (!mtree_expect(c, " AS \"")) {
        return false;
    }
    name = next = c->at;
    while ((next = strstr(next, "\", root: ")) != NULL) {
        close = next++;
    }
    if (!close) {
        return mtree_fail(c, "expected the space's name and `\", root: `");
    }
    *close = '\0';
    v->spaces = import_grow(v->spaces, v->space_count, &r->space_capacity, sizeof(*v->spaces));
    v->spaces[v->space_count++] = name;
    return true;
}

static bool read_range(struct reader *r)
{
    struct mtree_cursor *c = &r->line;
    struct import_view *v = view(r->t);
    struct import_range range = { .line = c->line };

    if (!mtree_expect(c, "  ")) {
        return false;
    }
    if (mtree_accept(c, "No rendered FlatView")) {
        return c->at == c->end || mtree_fail(c, "expected the end of the line");
    }
    if (mtree_accept(c, "Dispatch")) {
        r->place = DISPATCH;
        return true;
    }
    if (!mtree_parse_range(c, r->owners, &range)) {
        return false;
    }
    if (v->range_count && range.first <= v->ranges[v->range_count - 1].last) {
        c->at = c->start;
        return mtree_fail(c, "expected a range behind the one before it: ranges ascend and do not overlap");
    }
    if (++r->t->range_total > IMPORT_LINES_MAX) {
        return mtree_fail(c, "expected at most 65536 ranges");
    }
    v->ranges = import_grow(v->ranges, v->range_count, &r->range_capacity, sizeof(*v->ranges));
    v->ranges[v->range_count++] = range;
    return true;
}

static bool read_view_line(struct reader *r)
{
    struct mtree_cursor *c = &r->line;

    if (r->place == VIEW_RANGES) {
        return read_range(r);
    }
    if (!mtree_accept(c, " Root memory region: ")) {
        return read_view_space(r);
    }
    view(r->t)->root = strcmp(c->at, "(none)") == 0 ? NULL : c->at;
    r->place = VIEW_RANGES;
    return true;
}

static bool end_section(struct reader *r)
{
    if (r->place == VIEW_SPACES) {
        return mtree_fail(&r->line, "expected `Root memory region: ` or a line of an address space");
    }
    if (r->place == TREE && section(r->t)->root == IMPORT_NONE && r->t->shows_disabled) {
        return mtree_fail(&r->line, "expected a region line: this address space or block has none");
    }
    r->place = OUTSIDE;
    return true;
}

static bool read_line(struct reader *r)
{
    struct mtree_cursor *c = &r->line;

    if (c->at == c->end) {
        return end_section(r);
    }
    if (r->place == DISPATCH) {
        return true;
    }
    /* What a monitor session on a terminal leaves in a log, and remarks of people. */
    if (mtree_accept(c, "(qemu)") || mtree_accept(c, "#")) {
        return true;
    }
    if (r->place == VIEW_SPACES || r->place == VIEW_RANGES) {
        return read_view_line(r);
    }
    if (mtree_accept(c, "address-space: ")) {
        return read_space(r);
    }
    if (mtree_accept(c, "memory-region: ")) {
        return read_block(r);
    }
    if (mtree_accept(c, "FlatView #")) {
        return r->place != TREE ? read_view(r) : mtree_fail(c, "expected a blank line before a flat view");
    }
    if (r->place == OUTSIDE) {
        return mtree_fail(c, "expected `address-space: NAME`, `memory-region: NAME` or `FlatView #N`");
    }
    return read_node(r);
}

/* Subtree ends and hashes, from the last node to the first: children come before their parent. */
static void measure_subtrees(struct mtree *t)
{
    for (size_t i = t->node_count; i-- > 0;) {
        struct mtree_node *n = &t->nodes[i];
        const char *text = n->alias ? n->alias : import_shown_name(n->name);
        uint64_t numbers[] = { (uint64_t)n->kind << 40 | (uint64_t)n->nonvolatile << 33 |
                               (uint64_t)n->enabled << 32 | (uint32_t)n->priority,
                               n->address, n->size, n->alias_offset };
        uint64_t hash = n->hash + UINT64_C(0xcbf29ce484222325);

        n->end = n->end ? n->end : i + 1;
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
            hash = (hash ^ numbers[k]) * UINT64_C(0x9e3779b97f4a7c15);
            hash ^= hash >> 29;
        }
        for (const char *s = text; *s; s++) {
            hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
        }
        n->hash = hash;
        if (n->parent != IMPORT_NONE) {
            struct mtree_node *parent = &t->nodes[n->parent];

            parent->end = parent->end > n->end ? parent->end : n->end;
            parent->hash = parent->hash * 31 + hash;
        }
    }
}

/*
 * A section without any line: its root is disabled and the text was taken without -D.  A stand-in
 * is the root, so that nothing else needs to know.
 */
static void add_missing_roots(struct reader *r)
{
    for (size_t i = 0; i < r->t->section_count; i++) {
        struct mtree_section *s = &r->t->sections[i];
        struct mtree_node hidden = {
            .name = s->title ? s->title : "hidden", .owner = "", .kind = IMPORT_IO, .size = UINT64_MAX,
            .hidden = true, .level = 1, .line = s->line, .parent = IMPORT_NONE, .region = IMPORT_NONE,
        };

        if (s->root == IMPORT_NONE) {
            s->root = (int)r->t->node_count;
            append_node(r, &hidden);
        }
    }
}

bool mtree_parse(struct mtree *t, struct import *im, struct import_error *error)
{
    struct reader r = { .t = t, .line = { .error = error } };
    char *next = im->text;

    t->out = im;
    r.owners = strstr(im->text, " owner:{") || strstr(im->text, " parent:{");
    while (*next) {
        char *start = next, *end = next + strcspn(next, "\n");

        next = *end ? end + 1 : end;
        if (end > start && end[-1] == '\r') {
            end--;
        }
        *end = '\0';
        r.line = (struct mtree_cursor){ start, start, end, r.line.line + 1, error };
        if (!read_line(&r)) {
            return false;
        }
    }
    r.line.line++;
    r.line.start = r.line.at = r.line.end = next;
    if (!end_section(&r)) {
        return false;
    }
    if (t->section_count == 0 || t->sections[0].space_count == 0) {
        return mtree_fail(&r.line, "expected `address-space: NAME`: there is no address space in this text");
    }
    if (t->section_count + t->node_count > IMPORT_LINES_MAX) {
        return mtree_fail(&r.line, "expected at most 65000 region lines");
    }
    add_missing_roots(&r);
    measure_subtrees(t);
    return true;
}
