/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/compare.h"

#include <stdlib.h>
#include <string.h>

#include "memcore/memcore.h"
#include "run/subject.h"

enum { DIFFERENCES_MAX = 40, CONTEXT = 2 };

static bool starts_with(const char *line, const char *start)
{
    return line && strncmp(line, start, strlen(start)) == 0;
}

/* R-MT-3: what -o adds to a line.  QEMU's object paths are its own, so only the rest is compared. */
static size_t without_owner(const char *line, size_t length)
{
    static const char *const openings[] = { " owner:{", " parent:{" };

    if (length && line[length - 1] == '}') {
        for (size_t i = 0; i < G_N_ELEMENTS(openings); i++) {
            const char *found = g_strstr_len(line, (gssize)length, openings[i]);

            if (found) {
                return (size_t)(found - line);
            }
        }
    }
    return length;
}

/* Lines of a text without carriage returns, owners, and blank lines at the end. */
static GPtrArray *split_lines(const char *text)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    while (*text) {
        size_t length = strcspn(text, "\n");
        size_t kept = length && text[length - 1] == '\r' ? length - 1 : length;

        kept = without_owner(text, kept);
        g_ptr_array_add(lines, g_strndup(text, kept));
        text += length + (text[length] == '\n');
    }
    while (lines->len && !*(char *)g_ptr_array_index(lines, lines->len - 1)) {
        g_ptr_array_remove_index(lines, lines->len - 1);
    }
    return lines;
}

static const char *line_at(const GPtrArray *lines, guint i)
{
    return i < lines->len ? g_ptr_array_index(lines, i) : NULL;
}

/* --- showing a difference -------------------------------------------------------- */

static guint common_lines(const GPtrArray *x, const GPtrArray *y, bool from_end)
{
    guint shorter = MIN(x->len, y->len), same = 0;

    while (same < shorter &&
           strcmp(from_end ? line_at(x, x->len - 1 - same) : line_at(x, same),
                  from_end ? line_at(y, y->len - 1 - same) : line_at(y, same)) == 0) {
        same++;
    }
    return same;
}

static void append_lines(GString *out, const char *mark, const GPtrArray *lines, guint first, guint end)
{
    for (guint i = first; i < end; i++) {
        if (i - first == DIFFERENCES_MAX) {
            g_string_append_printf(out, "%s ... %u more lines\n", mark, end - i);
            return;
        }
        g_string_append_printf(out, "%s %s\n", mark, line_at(lines, i));
    }
}

/* What is between the common beginning and the common end: `-` is QEMU's, `+` the core's. */
static void append_difference(GString *out, const char *what, const GPtrArray *qemu, const GPtrArray *core)
{
    guint before = common_lines(qemu, core, false), after = common_lines(qemu, core, true);
    guint shorter = MIN(qemu->len, core->len);

    after = MIN(after, shorter - MIN(before, shorter));
    g_string_append_printf(out, "%s: - QEMU's, + the core's; line %u of %u and of %u\n", what, before + 1,
                           qemu->len, core->len);
    append_lines(out, " ", qemu, before - MIN(before, (guint)CONTEXT), before);
    append_lines(out, "-", qemu, before, qemu->len - after);
    append_lines(out, "+", core, before, core->len - after);
    append_lines(out, " ", qemu, qemu->len - after, qemu->len - after + MIN(after, (guint)CONTEXT));
}

/* --- flat views -------------------------------------------------------------------- */

static gint compare_strings(gconstpointer x, gconstpointer y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* A view as one text: sorted lines of its spaces, then the rest as printed, without its number. */
static char *read_view(const GPtrArray *lines, guint *next)
{
    GPtrArray *spaces = g_ptr_array_new();
    GString *text = g_string_new(NULL);
    guint i = *next;

    while (starts_with(line_at(lines, i), " AS \"")) {
        g_ptr_array_add(spaces, g_ptr_array_index(lines, i++));
    }
    g_ptr_array_sort(spaces, compare_strings);
    for (guint k = 0; k < spaces->len; k++) {
        g_string_append_printf(text, "%s\n", line_at(spaces, k));
    }
    for (; i < lines->len && *line_at(lines, i); i++) {
        g_string_append_printf(text, "%s\n", line_at(lines, i));
    }
    g_ptr_array_free(spaces, TRUE);
    *next = i;
    return g_string_free(text, FALSE);
}

static GPtrArray *read_views(const char *text)
{
    GPtrArray *lines = split_lines(text), *views = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < lines->len;) {
        if (starts_with(line_at(lines, i), "FlatView #")) {
            i++;
            g_ptr_array_add(views, read_view(lines, &i));
        } else {
            i++;
        }
    }
    g_ptr_array_sort(views, compare_strings);
    g_ptr_array_free(lines, TRUE);
    return views;
}

/* Removes from both what is in both. */
static void drop_equal_views(GPtrArray *qemu, GPtrArray *core)
{
    for (guint i = 0; i < qemu->len;) {
        guint k = 0;

        while (k < core->len && strcmp(line_at(qemu, i), line_at(core, k)) != 0) {
            k++;
        }
        if (k < core->len) {
            g_ptr_array_remove_index(core, k);
            g_ptr_array_remove_index(qemu, i);
        } else {
            i++;
        }
    }
}

/* The view that begins with the same line, or any. */
static guint most_alike(const GPtrArray *views, const char *view)
{
    size_t first_line = strcspn(view, "\n");

    for (guint i = 0; i < views->len; i++) {
        if (strncmp(line_at(views, i), view, first_line + 1) == 0) {
            return i;
        }
    }
    return 0;
}

static bool compare_views(const char *qemu_text, const char *core_text, GString *out)
{
    GPtrArray *qemu = read_views(qemu_text), *core = read_views(core_text);
    bool equal;

    drop_equal_views(qemu, core);
    equal = qemu->len == 0 && core->len == 0;
    while (qemu->len || core->len) {
        guint other = qemu->len && core->len ? most_alike(core, line_at(qemu, 0)) : 0;
        GPtrArray *x = split_lines(qemu->len ? line_at(qemu, 0) : "");
        GPtrArray *y = split_lines(core->len ? line_at(core, other) : "");

        append_difference(out, "flat view", x, y);
        g_ptr_array_free(x, TRUE);
        g_ptr_array_free(y, TRUE);
        if (qemu->len) {
            g_ptr_array_remove_index(qemu, 0);
        }
        if (core->len) {
            g_ptr_array_remove_index(core, other);
        }
    }
    g_ptr_array_free(qemu, TRUE);
    g_ptr_array_free(core, TRUE);
    return equal;
}

static bool compare_trees(const char *qemu_text, const char *core_text, GString *out)
{
    GPtrArray *qemu = split_lines(qemu_text), *core = split_lines(core_text);
    bool equal = qemu->len == core->len && common_lines(qemu, core, false) == qemu->len;

    if (!equal) {
        append_difference(out, "tree", qemu, core);
    }
    g_ptr_array_free(qemu, TRUE);
    g_ptr_array_free(core, TRUE);
    return equal;
}

/* --- where R-FV-10 can matter -------------------------------------------------------- */

/* The next region of the collapse, R-FV-9 as it is written; IMPORT_NONE: it ends here. */
static int collapse_once(const struct import *im, const struct import_region *r)
{
    int only = IMPORT_NONE;

    if (r->target != IMPORT_NONE) {
        return r->alias_offset == 0 && r->size >= im->regions[r->target].size ? r->target : IMPORT_NONE;
    }
    for (size_t i = 0; i < r->child_count && !r->terminating; i++) {
        const struct import_region *child = &im->regions[r->children[i]];

        if (child->enabled && (only != IMPORT_NONE || child->address != 0 || child->size > r->size)) {
            return IMPORT_NONE;
        }
        only = child->enabled ? r->children[i] : only;
    }
    return only;
}

/* Does the collapse of some space skip a flag, or go through an alias to a region with an address? */
static bool quirk_is_possible(const struct import *im)
{
    for (size_t i = 0; i < im->space_count; i++) {
        bool through_alias = false, skipped_flag = false;
        int region = im->spaces[i].root, next;

        while (im->regions[region].enabled &&
               (next = collapse_once(im, &im->regions[region])) != IMPORT_NONE) {
            through_alias |= im->regions[region].target != IMPORT_NONE;
            skipped_flag |= im->regions[region].readonly || im->regions[region].nonvolatile;
            region = next;
        }
        if (skipped_flag || (through_alias && im->regions[region].address != 0)) {
            return true;
        }
    }
    return false;
}

/* --- both ---------------------------------------------------------------------------- */

static void count(struct comparison_report *report, const struct import *im)
{
    report->regions = im->region_count;
    report->views = im->view_count;
    report->inferences = im->note_count + im->notes_left_out;
    report->ranges = 0;
    for (size_t i = 0; i < im->view_count; i++) {
        report->ranges += im->views[i].range_count;
    }
}

/* The text up to the first flat view; remarks at its head are no part of it. */
static char *tree_part(const char *text)
{
    const char *flat;

    while (*text == '#') {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    flat = strstr(text, "\nFlatView #");
    return flat ? g_strndup(text, (gsize)(flat - text)) : g_strdup(text);
}

/* Builds, prints, takes down; false with *why if it cannot be built. */
static bool print_with_core(const struct import *im, enum import_build_order order, char **tree, char **views,
                            char **why)
{
    struct import_machine *machine = import_build(im, order, why);

    if (!machine) {
        return false;
    }
    *tree = subject_mtree(false, false, false, true);
    *views = subject_mtree(true, false, false, false);
    import_unbuild(machine);
    return true;
}

static enum comparison compare_once(const char *text, const struct import *im, enum import_build_order order,
                                    GString *out)
{
    char *why = NULL, *core_tree, *core_views, *tree;
    bool equal;

    g_string_truncate(out, 0);
    if (!print_with_core(im, order, &core_tree, &core_views, &why)) {
        g_string_append_printf(out, "%s\n", why);
        free(why);
        return COMPARED_SKIPPED;
    }
    tree = tree_part(text);
    equal = compare_trees(tree, core_tree, out);
    equal &= compare_views(text, core_views, out);
    g_free(tree);
    free(core_tree);
    free(core_views);
    return equal ? COMPARED_EQUAL : COMPARED_DIFFERENT;
}

enum comparison compare_with_core(const char *text, const struct import *earlier,
                                  enum import_build_order order, struct comparison_report *report,
                                  struct import **import)
{
    struct import_error error;
    enum comparison result;

    *import = import_read(text, strlen(text), earlier, &error);
    if (!*import) {
        g_string_printf(report->text, "line %u, column %u: %s\n", error.line, error.column, error.message);
        return COMPARED_BROKEN;
    }
    count(report, *import);
    result = compare_once(text, *import, order, report->text);
    if (result == COMPARED_DIFFERENT && quirk_is_possible(*import)) {
        GString *again = g_string_new(NULL);

        memcore_set_collapse_compat(true);
        report->quirk = compare_once(text, *import, order, again) == COMPARED_EQUAL;
        memcore_set_collapse_compat(false);
        result = report->quirk ? COMPARED_EQUAL : COMPARED_DIFFERENT;
        g_string_free(again, TRUE);
    }
    return result;
}
