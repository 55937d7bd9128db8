/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace/files.h"

#include <errno.h>
#include <string.h>

static gint by_name(gconstpointer x, gconstpointer y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool add_folder(GPtrArray *files, const char *path, const char *command)
{
    GError *error = NULL;
    GDir *folder = g_dir_open(path, 0, &error);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    bool added = true;

    if (!folder) {
        fprintf(stderr, "%s: %s\n", command, error->message);
        g_error_free(error);
        g_ptr_array_unref(names);
        return false;
    }
    while ((name = g_dir_read_name(folder))) {
        if (*name != '.') {
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
        }
    }
    g_dir_close(folder);
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len && added; i++) {
        const char *entry = g_ptr_array_index(names, i);

        if (g_file_test(entry, G_FILE_TEST_IS_DIR)) {
            added = add_folder(files, entry, command);
        } else {
            g_ptr_array_add(files, g_strdup(entry));
        }
    }
    g_ptr_array_unref(names);
    return added;
}

bool files_add(GPtrArray *files, const char *path, const char *command)
{
    guint before = files->len;

    if (strcmp(path, "-") != 0 && g_file_test(path, G_FILE_TEST_IS_DIR)) {
        if (!add_folder(files, path, command)) {
            return false;
        }
        if (files->len == before) {
            fprintf(stderr, "%s: %s: no files in this folder\n", command, path);
            return false;
        }
        return true;
    }
    if (strcmp(path, "-") != 0 && !g_file_test(path, G_FILE_TEST_EXISTS)) {
        fprintf(stderr, "%s: %s: no such file or folder\n", command, path);
        return false;
    }
    g_ptr_array_add(files, g_strdup(path));
    return true;
}

FILE *output_open(const char *path, const char *command)
{
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");

    if (!out) {
        fprintf(stderr, "%s: cannot write %s: %s\n", command, path, g_strerror(errno));
    }
    return out;
}

bool output_close(FILE *out, const char *path, const char *command)
{
    /* A full disk shows when the buffer is written. */
    bool written = fflush(out) == 0 && !ferror(out);

    if (!written) {
        fprintf(stderr, "%s: cannot write %s: %s\n", command, path, g_strerror(errno));
    }
    if (out != stdout) {
        fclose(out);
    }
    return written;
}
