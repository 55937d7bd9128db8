/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captured texts of real machines against the core, without QEMU.
 *
 *   qemu.replay             all of captures/, a g_test case each
 *   qemu.replay FILE...     those files: says what was inferred and what differs
 *
 * Invariants: as in qemu.live.c, for each order in which the same tree can be built (I-6).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/lib/captures.h"
#include "qemu/lib/compare.h"
#include "qemu/lib/machines.h"
#include "run/subject.h"

#ifndef QEMU_CAPTURES
#define QEMU_CAPTURES "conformance/qemu/captures"
#endif

enum { CAPTURES_MIN = 20, ARCHITECTURES_MIN = 6 };

static void test_capture(gconstpointer path)
{
    struct comparison_report report = { .text = g_string_new(NULL) };
    GError *error = NULL;
    char *text;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    for (int order = 0; order < IMPORT_BUILD_ORDERS; order++) {
        struct import *im;
        enum comparison result = compare_with_core(text, NULL, (enum import_build_order)order, &report, &im);

        if (result == COMPARED_SKIPPED) {
            g_test_skip(report.text->str);
        } else if (result != COMPARED_EQUAL) {
            g_test_message("%s\nagain, with what was inferred: qemu.replay %s", report.text->str,
                           (const char *)path);
            g_test_fail();
        } else {
            g_assert_cmpuint(report.views, >, 0);
        }
        import_free(im);
    }
    g_string_free(report.text, TRUE);
    g_free(text);
}

/* A folder that lost its files must not pass. */
static void test_all_there(gconstpointer captured)
{
    GHashTable *architectures = g_hash_table_new(g_str_hash, g_str_equal);
    const GPtrArray *names = captured;

    for (size_t i = 0; i < capture_count; i++) {
        char *name = g_strdup_printf("%s-%s.mtree", captures[i].architecture, captures[i].name);
        bool found = false;

        for (guint k = 0; k < names->len; k++) {
            found |= strcmp(g_ptr_array_index(names, k), name) == 0;
        }
        if (!found) {
            g_test_message("%s is missing: qemu.capture makes it", name);
            g_test_fail();
        }
        g_hash_table_add(architectures, (gpointer)captures[i].architecture);
        g_free(name);
    }
    g_assert_cmpuint(names->len, >=, CAPTURES_MIN);
    g_assert_cmpuint(g_hash_table_size(architectures), >=, ARCHITECTURES_MIN);
    g_hash_table_destroy(architectures);
}

static int by_name(gconstpointer x, gconstpointer y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static GPtrArray *list_captures(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".mtree")) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
    g_ptr_array_sort(names, by_name);
    return names;
}

static int replay_all(void)
{
    const char *folder = g_getenv("QEMU_CAPTURES") ? g_getenv("QEMU_CAPTURES") : QEMU_CAPTURES;
    GPtrArray *names = list_captures(folder), *paths = g_ptr_array_new_with_free_func(g_free);
    int status;

    g_test_add_data_func("/R-MT/captures/all-there", names, test_all_there);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        char *test = g_strdup_printf("/R-FV/captures/%s", name);

        g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
        g_test_add_data_func(test, g_ptr_array_index(paths, i), test_capture);
        g_free(test);
    }
    status = g_test_run();
    g_ptr_array_free(paths, TRUE);
    g_ptr_array_free(names, TRUE);
    return status;
}

static int replay_file(const char *path)
{
    static const char *const results[] = { "equal", "different", "skipped", "broken" };
    struct comparison_report report = { .text = g_string_new(NULL) };
    GError *error = NULL;
    struct import *im;
    enum comparison result;
    char *text;

    if (!g_file_get_contents(path, &text, NULL, &error)) {
        fprintf(stderr, "qemu.replay: %s\n", error->message);
        g_error_free(error);
        g_string_free(report.text, TRUE);
        return 2;
    }
    result = compare_with_core(text, NULL, IMPORT_TREE_FIRST, &report, &im);
    printf("%s: %s: %zu regions, %zu views, %zu ranges, %zu inferences%s\n%s", path, results[result],
           report.regions, report.views, report.ranges, report.inferences,
           report.quirk ? ", only with 7.2's collapse (R-FV-10)" : "", report.text->str);
    for (size_t i = 0; im && i < im->note_count; i++) {
        printf("  line %u: %s\n", im->notes[i].line, im->notes[i].text);
    }
    import_free(im);
    g_free(text);
    g_string_free(report.text, TRUE);
    return result == COMPARED_EQUAL ? 0 : result == COMPARED_SKIPPED ? 77 : 1;
}

int main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    subject_start();
    if (argc == 1) {
        return replay_all();
    }
    for (int i = 1; i < argc; i++) {
        int one = replay_file(argv[i]);

        status = one > status ? one : status;
    }
    return status;
}
