/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memtrace_tool.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char *program;
static char *folder;

void tool_start(const char *own_path)
{
    char *own_folder = g_path_get_dirname(own_path), *whole = g_canonicalize_filename(own_folder, NULL);

    program = g_getenv("MEMTRACE") ? g_strdup(g_getenv("MEMTRACE")) : g_build_filename(whole, "memtrace", NULL);
    folder = g_dir_make_tmp("memtrace-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_free(own_folder);
    g_free(whole);
}

void tool_stop(void)
{
    if (g_rmdir(folder) != 0) {
        g_warning("files are left in %s", folder);
    }
    g_free(program);
    g_free(folder);
}

static void fill_disk(gpointer unused)
{
    const struct rlimit none = { 0 };

    (void)unused;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
}

static void take_input(gpointer path)
{
    g_assert_nonnull(freopen(path, "rb", stdin));
}

static struct result run(const char *arguments, GSpawnFlags flags, GSpawnChildSetupFunc setup, char *path)
{
    char *line = g_strdup_printf("%s %s", program, arguments);
    char **argv = g_strsplit(line, " ", -1);
    struct result r = { 0 };
    GError *error = NULL;
    int wait_status;

    if (!g_spawn_sync(folder, argv, NULL, flags, setup, path, &r.out, &r.error, &wait_status, &error)) {
        g_error("%s (build memtrace first, or set $MEMTRACE)", error->message);
    }
    g_test_message("memtrace %s: %s", arguments, r.error);
    g_assert_true(WIFEXITED(wait_status));
    r.status = WEXITSTATUS(wait_status);
    g_strfreev(argv);
    g_free(line);
    return r;
}

struct result tool_run(const char *arguments)
{
    return run(arguments, G_SPAWN_DEFAULT, NULL, NULL);
}

struct result tool_run_full_disk(const char *arguments)
{
    return run(arguments, G_SPAWN_DEFAULT, fill_disk, NULL);
}

struct result tool_run_with(const char *arguments, const char *input)
{
    char *path = g_build_filename(folder, "standard-input", NULL);
    struct result r;

    g_assert_true(g_file_set_contents(path, input, -1, NULL));
    r = run(arguments, G_SPAWN_CHILD_INHERITS_STDIN, take_input, path);
    g_unlink(path);
    g_free(path);
    return r;
}

void result_free(struct result *r)
{
    g_free(r->out);
    g_free(r->error);
}

void assert_result(struct result r, int status, const char *out, const char *error)
{
    if (error) {
        g_assert_cmpstr(r.error, ==, error);
    } else {
        g_assert_cmpuint(strlen(r.error), >, 20);
        g_assert_true(strchr(r.error, '\n') == r.error + strlen(r.error) - 1);
    }
    if (out) {
        g_assert_cmpstr(r.out, ==, out);
    }
    g_assert_cmpint(r.status, ==, status);
    result_free(&r);
}

void assert_output(const char *arguments, int status, const char *out, const char *error)
{
    assert_result(tool_run(arguments), status, out, error);
}

static gint by_name(gconstpointer x, gconstpointer y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

void assert_files(const char *names)
{
    GDir *listing = g_dir_open(folder, 0, NULL);
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);
    const char *name;

    while ((name = g_dir_read_name(listing))) {
        g_ptr_array_add(found, g_strdup(name));
    }
    g_ptr_array_sort(found, by_name);
    for (guint i = 0; i < found->len; i++) {
        g_string_append_printf(text, "%s ", (char *)g_ptr_array_index(found, i));
    }
    g_assert_cmpstr(text->str, ==, names);
    g_string_free(text, TRUE);
    g_ptr_array_unref(found);
    g_dir_close(listing);
}

void put_file(const char *name, const void *content, size_t size)
{
    char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, content, (gssize)size, NULL));
    g_free(path);
}

char *get_file(const char *name, size_t *size)
{
    char *path = g_build_filename(folder, name, NULL), *content;

    g_assert_true(g_file_get_contents(path, &content, size, NULL));
    g_free(path);
    return content;
}

void remove_file(const char *name)
{
    char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
    g_free(path);
}

void make_folder(const char *name)
{
    char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
    g_free(path);
}
