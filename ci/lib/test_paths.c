/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked into every test program in front of g_test_run().  glib's runner is content
 * with -p PATH where no case has that path: it runs nothing and reports success, so a
 * misspelt rule looks tested.  Here that is an error, with the nearest path there is.
 *
 * Which cases a path selects is glib's to say: the program asks itself, with -l.
 */
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "trace/spelling.h"

int __real_g_test_run(void);
int __wrap_g_test_run(void);

/* What `program -l [-p path]` prints, as lines; NULL if it cannot be run. */
static char **listing(char *program, char *path)
{
    char *arguments[] = { program, (char *)"-l", path ? (char *)"-p" : NULL, path, NULL };
    char *text = NULL;
    char **lines = NULL;

    if (g_spawn_sync(NULL, arguments, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &text, NULL, NULL, NULL)) {
        lines = g_strsplit(text, "\n", -1);
    }
    g_free(text);
    return lines;
}

/* Cases are the lines that begin with a slash. */
static bool has_case(char **lines)
{
    for (char **line = lines; *line; line++) {
        if (**line == '/') {
            return true;
        }
    }
    return false;
}

/*
 * The path that differs least, NULL if none is near.  Part by part: the rule first, and the
 * case only among those of that rule.  A part more or less is as likely as a wrong letter.
 */
static char *nearest_path(char **lines, const char *path)
{
    char **wanted = g_strsplit(path + (*path == '/'), "/", -1);
    GString *found = g_string_new("/");

    for (char **part = wanted; *part && **part; part++) {
        struct spelling spelling;
        GPtrArray *candidates = g_ptr_array_new_with_free_func(g_free);

        spelling_start(&spelling, *part, strlen(*part));
        for (char **line = lines; *line; line++) {
            if (g_str_has_prefix(*line, found->str)) {
                char *candidate = g_strndup(*line + found->len, strcspn(*line + found->len, "/"));

                g_ptr_array_add(candidates, candidate);
                spelling_try(&spelling, candidate);
            }
        }
        const char *best = spelling_nearest(&spelling);
        if (best) {
            g_string_append_printf(found, "%s/", best);
        }
        g_ptr_array_unref(candidates);
        if (!best) {
            break;
        }
    }
    g_strfreev(wanted);
    g_string_truncate(found, found->len - 1);
    return g_string_free(found, found->len == 0);
}

/* Whether a case has this path; else says so. */
static bool is_known(char *program, char *path)
{
    char **lines = listing(program, path);
    bool known = !lines || has_case(lines);

    g_strfreev(lines);
    if (!known) {
        char *name = g_path_get_basename(program);
        char **all = listing(program, NULL);
        char *nearest = all ? nearest_path(all, path) : NULL;

        fprintf(stderr, "%s: no case has the path %s (-l lists all)%s%s\n", name, path, nearest ? "; similar: " : "",
                nearest ? nearest : "");
        g_free(nearest);
        g_strfreev(all);
        g_free(name);
    }
    return known;
}

/* The command line as it was: g_test_init() takes its options out of main's. */
static char **command_line(void)
{
    GPtrArray *words = g_ptr_array_new();
    char *text = NULL;
    size_t size = 0;

    if (g_file_get_contents("/proc/self/cmdline", &text, &size, NULL)) {
        for (char *word = text; word < text + size; word += strlen(word) + 1) {
            g_ptr_array_add(words, g_strdup(word));
        }
    }
    g_free(text);
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static bool all_known(void)
{
    char **words = command_line();
    bool known = true, lists = g_strv_contains((const char *const *)words, "-l");      /* it runs nothing anyway */

    for (size_t i = 1; words[0] && words[i] && !lists; i++) {
        if (g_str_has_prefix(words[i], "-p=") || g_str_has_prefix(words[i], "-r=")) {
            known &= is_known(words[0], words[i] + 3);
        } else if (g_str_equal(words[i], "-p") || g_str_equal(words[i], "-r") ||
                   g_str_equal(words[i], "--run-prefix")) {
            if (words[i + 1]) {
                known &= is_known(words[0], words[++i]);
            } else {
                fprintf(stderr, "%s: %s: a path was expected (-l lists all)\n", words[0], words[i]);
                known = false;
            }
        }
    }
    g_strfreev(words);
    return known;
}

int __wrap_g_test_run(void)
{
    if (g_test_subprocess()) {      /* of a death test: thousands, and those that run their case do not return */
        int status = __real_g_test_run();

        return status == 0 && !all_known() ? 1 : status;
    }
    return all_known() ? __real_g_test_run() : 1;
}
