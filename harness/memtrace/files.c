/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Of the output that is open; both NULL when it is not a regular file. */
static struct {
    char *temporary;
    char *final;
} output;

static void output_forget(void)
{
    g_free(output.temporary);
    free(output.final);
    output.temporary = NULL;
    output.final = NULL;
}

static bool cannot_write(const char *path, const char *command)
{
    fprintf(stderr, "%s: cannot write %s: %s\n", command, strcmp(path, "-") == 0 ? "standard output" : path,
            g_strerror(errno ? errno : EIO));
    return false;
}

/* Next to the file it will be, with the mode that file has, or that a new one would have. */
static FILE *open_temporary(const char *path, const struct stat *existing)
{
    mode_t mask = umask(0);
    FILE *out = NULL;
    int file;

    umask(mask);
    /* The file a link leads to is replaced, not the link. */
    output.final = existing ? realpath(path, NULL) : strdup(path);
    if (!output.final) {
        return NULL;
    }
    output.temporary = g_strdup_printf("%s.XXXXXX", output.final);
    file = mkstemp(output.temporary);
    if (file >= 0 && fchmod(file, existing ? existing->st_mode & 0777 : 0666 & ~mask) == 0) {
        out = fdopen(file, "wb");
    }
    if (file >= 0 && !out) {
        int reason = errno;

        close(file);
        unlink(output.temporary);
        errno = reason;
    }
    return out;
}

FILE *output_open(const char *path, const char *command)
{
    struct stat existing;
    bool exists;
    FILE *out = NULL;

    g_assert(!output.temporary);
    if (strcmp(path, "-") == 0) {
        return stdout;
    }
    exists = stat(path, &existing) == 0;
    if (exists && S_ISDIR(existing.st_mode)) {
        errno = EISDIR;
    } else if (exists && !S_ISREG(existing.st_mode)) {
        out = fopen(path, "wb");        /* a device or a pipe */
    } else {
        out = open_temporary(path, exists ? &existing : NULL);
    }
    if (!out) {
        cannot_write(path, command);
        output_forget();
    }
    return out;
}

bool output_close(FILE *out, const char *path, const char *command)
{
    bool written;

    if (!ferror(out)) {     /* else the caller stopped at what failed, and errno says why */
        errno = 0;
    }
    /* A full disk shows when the buffer is written. */
    written = fflush(out) == 0 && !ferror(out);
    if (written && output.temporary) {
        written = rename(output.temporary, output.final) == 0;
    }
    if (!written) {
        cannot_write(path, command);
        if (output.temporary) {
            unlink(output.temporary);
        }
    }
    if (out != stdout) {
        fclose(out);
    }
    output_forget();
    return written;
}

bool output_check(const char *path, const char *command)
{
    struct stat existing;
    FILE *out;

    if (strcmp(path, "-") == 0 || (stat(path, &existing) == 0 && !S_ISREG(existing.st_mode) &&
                                   !S_ISDIR(existing.st_mode))) {
        return true;                    /* to open it would be noticed at the other end */
    }
    out = output_open(path, command);
    if (!out) {
        return false;
    }
    unlink(output.temporary);
    fclose(out);
    output_forget();
    return true;
}
