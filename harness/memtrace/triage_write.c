/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder for each bug: the input, a small trace, a C test, a picture, and a report for a bug tracker. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "memtrace/files.h"
#include "memtrace/input.h"
#include "memtrace/triage.h"
#include "run/subject.h"

#define COMMAND "memtrace triage"

enum { OUTPUT_LINES = 120 };

static char *file_in(const struct triage *t, const struct triage_group *g, const char *name)
{
    return g_build_filename(t->output, g->folder, name, NULL);
}

static bool put(const char *path, const char *data, gssize size)
{
    FILE *out = output_open(path, COMMAND);

    if (!out) {
        return false;
    }
    fwrite(data, 1, size < 0 ? strlen(data) : (size_t)size, out);
    return output_close(out, path, COMMAND);
}

static void print_quoted(FILE *out, const char *text)
{
    char **lines = g_strsplit(text, "\n", -1);
    guint count = g_strv_length(lines);

    fputs("```\n", out);
    for (guint i = 0; i < count && i < OUTPUT_LINES; i++) {
        bool hint = g_str_has_prefix(lines[i], "  replay:") || g_str_has_prefix(lines[i], "  minimize:") ||
                    g_str_has_prefix(lines[i], "  C test:");

        if (!hint && (lines[i][0] || (i && i + 1 < count))) {
            fprintf(out, "%s\n", lines[i]);
        }
    }
    if (count > OUTPUT_LINES) {
        fprintf(out, "... (%u more lines)\n", count - OUTPUT_LINES);
    }
    fputs("```\n", out);
    g_strfreev(lines);
}

/* The line of the specification that defines the rule, "" if there is none to be found. */
static char *rule_text(const struct triage *t, const char *rule)
{
    GDir *folder = rule[0] ? g_dir_open(t->spec, 0, NULL) : NULL;
    char *mark = g_strdup_printf("**%s", rule), *found = NULL;
    const char *name;

    while (folder && !found && (name = g_dir_read_name(folder))) {
        char *path = g_build_filename(t->spec, name, NULL), *text = NULL;

        if (g_str_has_suffix(name, ".md") && g_file_get_contents(path, &text, NULL, NULL)) {
            const char *at = text;

            while (!found && (at = strstr(at, mark))) {
                at += strlen(mark);
                if (!g_ascii_isdigit(*at)) {
                    const char *start = at;

                    while (start > text && start[-1] != '\n') {
                        start--;
                    }
                    found = g_strndup(start, strcspn(start, "\n"));
                }
            }
        }
        g_free(text);
        g_free(path);
    }
    if (folder) {
        g_dir_close(folder);
    }
    g_free(mark);
    return found ? found : g_strdup("");
}

static const char *compiler(void)
{
#if defined(__clang__)
    return __VERSION__;
#else
    return "gcc " __VERSION__;
#endif
}

static void print_expected(FILE *out, const struct triage *t, const struct triage_group *g)
{
    char *text = rule_text(t, g->rule);

    fputs("\n## What was expected\n\n", out);
    if (text[0]) {
        fprintf(out, "> %s\n", text + strspn(text, "- "));
    } else if (g->rule[0]) {
        fprintf(out, "Rule %s of the specification.\n", g->rule);
    } else {
        fputs("No crash and no sanitizer report, whatever the input.\n", out);
    }
}

static bool write_report(const struct triage *t, const struct triage_group *g, const char *trace)
{
    const char *input = g_ptr_array_index(t->paths, g->smallest);
    const char *run[] = {"run", trace, NULL}, *show[] = {"show", trace, NULL};
    char *path = file_in(t, g, "report.md"), *shown, *played;
    FILE *out = output_open(path, COMMAND);
    bool written = false;

    if (out) {
        triage_run_self(run, &played);
        triage_run_self(show, &shown);
        fprintf(out, "<!-- %s: %s -->\n# %s\n\n", COMMAND, g->key, g->title);
        fprintf(out, "- seen in %u input%s, the shortest %s (%zu steps)\n", g->count,
                g->count == 1 ? "" : "s", input_base_name(input), t->inputs[g->smallest].steps);
        fprintf(out, "- core: %s; built by %s\n- model: profile %s\n", subject_name(), compiler(),
                run_profile_name(t->run.profile));
        if (g->outcome == TRIAGE_FLAKY) {
            fputs("- **flaky**: it does not fail in the same way each time, so it was not minimized\n", out);
        }
        print_expected(out, t, g);
        fputs("\n## What happened\n\n", out);
        print_quoted(out, played);
        fprintf(out, "\n## The steps\n\n");
        print_quoted(out, shown);
        fprintf(out,
                "\n## Replay\n\n```sh\nmemtrace run %s\ncc test.c $(pkg-config --cflags --libs memcore) -o "
                "test && ./test"
                "\n```\n",
                input_base_name(trace));
        if (g->outcome != TRIAGE_FLAKY) {
            fputs("\n![the memory map at the failing step](map.svg)\n", out);
        }
        written = output_close(out, path, COMMAND);
        g_free(played);
        g_free(shown);
    }
    g_free(path);
    return written;
}

/* The report is written last: a folder that has one for the same bug is complete. */
static bool is_complete(const struct triage *t, const struct triage_group *g)
{
    char *path = file_in(t, g, "report.md"), *text = NULL;
    char *mark = g_strdup_printf("<!-- %s: %s -->\n", COMMAND, g->key);
    bool complete = g_file_get_contents(path, &text, NULL, NULL) && g_str_has_prefix(text, mark) &&
                    !strstr(text, "- **flaky**");

    g_free(mark);
    g_free(text);
    g_free(path);
    return complete;
}

static bool write_inputs(const struct triage *t, const struct triage_group *g)
{
    char *path = file_in(t, g, "inputs.txt");
    FILE *out = output_open(path, COMMAND);
    bool written = out != NULL;

    for (guint i = 0; out && i < t->paths->len; i++) {
        if (t->inputs[i].signature.text[0] && t->group_of[i] == g->id) {
            fprintf(out, "%s\n", (const char *)g_ptr_array_index(t->paths, i));
        }
    }
    written = written && output_close(out, path, COMMAND);
    g_free(path);
    return written;
}

/* The trace in text, for reading and for the regressions. */
static bool minimize(const struct triage *t, struct triage_group *g, const char *input, const char *trace)
{
    const char *arguments[] = {"minimize", "--quiet", "--output", trace, input, NULL, NULL, NULL, NULL, NULL};
    size_t at = 5;
    struct input in;

    if (triage_is_binary(input)) {
        arguments[at++] = "--binary";
    }
    if (t->wide) {
        arguments[at++] = "--wide";
    }
    if (t->profile) {
        arguments[at++] = "--profile";
        arguments[at++] = t->profile;
    }
    if (strcmp(g->key, "hang") == 0 || triage_run_self(arguments, NULL) != 0 || !input_load(&in, trace, 0)) {
        return false;
    }
    g->steps = in.trace.count;
    input_free(&in);
    return true;
}

static bool run_to(const struct triage *t, const char *command, const char *option, const char *input,
                   const char *output)
{
    const char *arguments[] = {command, input, "--output", output, NULL, NULL, NULL, NULL, NULL};
    size_t at = 4;

    if (option) {
        arguments[at++] = option;
    }
    if (t->wide) {
        arguments[at++] = "--wide";
    }
    if (t->profile) {
        arguments[at++] = "--profile";
        arguments[at++] = t->profile;
    }

    return triage_run_self(arguments, NULL) == 0;
}

static bool copy_as_text(const char *input, const char *trace)
{
    const char *arguments[] = {"show", input, triage_is_binary(input) ? "--binary" : NULL, NULL};
    char *text;
    bool written = triage_run_self(arguments, &text) == 0 && put(trace, text, -1);

    g_free(text);
    return written;
}

static bool write_group(struct triage *t, struct triage_group *g)
{
    const char *input = g_ptr_array_index(t->paths, g->smallest);
    char *trace = file_in(t, g, "minimized.trace"), *copy = file_in(t, g, "input"),
         *test = file_in(t, g, "test.c");
    char *map = file_in(t, g, "map.svg"), *data = NULL;
    gsize size = 0;
    bool written =
        g_file_get_contents(input, &data, &size, NULL) && put(copy, data, (gssize)size) && write_inputs(t, g);

    if (written && !minimize(t, g, input, trace)) {
        g->outcome = TRIAGE_FLAKY;
        g->steps = t->inputs[g->smallest].steps;
        written = copy_as_text(input, trace);
    }
    written = written && run_to(t, "emit-c", NULL, trace, test) &&
              (run_to(t, "draw", NULL, trace, map) || run_to(t, "draw", "--model", trace, map)) &&
              write_report(t, g, trace);
    g_free(trace);
    g_free(copy);
    g_free(test);
    g_free(map);
    g_free(data);
    return written;
}

static void write_one(struct triage *t, guint index)
{
    struct triage_group *g = &t->groups[index];
    char *folder = g_build_filename(t->output, g->folder, NULL), *trace = file_in(t, g, "minimized.trace");
    struct input in;

    if (g_mkdir_with_parents(folder, 0777) != 0) {
        fprintf(stderr, COMMAND ": cannot make the folder %s: %s\n", folder, g_strerror(errno));
        g->outcome = TRIAGE_FAILED;
    } else if (is_complete(t, g) && write_inputs(t, g) && input_load(&in, trace, 0)) {
        g->outcome = TRIAGE_KEPT;
        g->steps = in.trace.count;
        input_free(&in);
    } else if (!write_group(t, g)) {
        g->outcome = TRIAGE_FAILED;
    } else if (g->outcome == TRIAGE_OPEN) {
        g->outcome = TRIAGE_WRITTEN;
    }
    g_free(folder);
    g_free(trace);
}

/* --- adopting ---------------------------------------------------------------- */

/* ci/fuzz calls its findings TARGET-crash-...: NULL if neither that nor --target says whose input it is. */
static char *target_of(const struct triage *t, const char *input)
{
    static const char *const kinds[] = {"-crash-", "-leak-", "-timeout-", "-oom-"};
    const char *name = input_base_name(input);

    if (t->target) {
        return g_strdup(t->target);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const char *end = strstr(name, kinds[i]);

        if (end) {
            return g_strndup(name, (gsize)(end - name));
        }
    }
    return NULL;
}

static bool adopt(const struct triage *t, struct triage_group *g)
{
    const char *input = g_ptr_array_index(t->paths, g->smallest);
    char *target = target_of(t, input), *corpus = g_build_filename(t->corpora, target ? target : "", NULL);
    char *trace = file_in(t, g, "minimized.trace"), *text = NULL, *digest, *whole, *path;
    char *folder = g_build_filename(corpus, "regressions", NULL);
    bool adopted = false;

    if (!target || !g_file_test(corpus, G_FILE_TEST_IS_DIR)) {
        fprintf(stderr, COMMAND ": cannot adopt %s: %s%s%s\n", g->folder,
                target ? "there is no folder "
                       : "its input's name does not begin with a target's (TARGET-crash-...)",
                target ? corpus : "",
                target ? "; --corpora says where targets' folders are" : "; give --target TARGET");
    } else if (g_file_get_contents(trace, &text, NULL, NULL) && g_mkdir_with_parents(folder, 0777) == 0) {
        digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, text, -1);
        path = g_strdup_printf("%s/%s-%.8s.trace", folder, g->folder, digest);
        whole = g_strdup_printf("# Found by fuzzing %s.  What was wrong: (a sentence, once it is fixed)\n%s",
                                target, text);
        adopted = put(path, whole, -1);
        g_strlcpy(g->adopted, adopted ? path : "", sizeof(g->adopted));
        g_free(digest);
        g_free(path);
        g_free(whole);
    }
    g_free(target);
    g_free(corpus);
    g_free(folder);
    g_free(trace);
    g_free(text);
    return adopted;
}

/* --- the index ------------------------------------------------------------------ */

static bool write_index(const struct triage *t)
{
    char *path = g_build_filename(t->output, "index.md", NULL);
    FILE *out = output_open(path, COMMAND);
    bool written = false;

    if (out) {
        fputs("# Bugs, by how many inputs show them\n\n| inputs | steps | bug | report |\n| ---: | ---: | "
              "--- | --- |\n",
              out);
        for (guint i = 0; i < t->group_count; i++) {
            const struct triage_group *g = &t->groups[i];

            fprintf(out, "| %u | %zu | %s%s | [%s](%s/report.md) |\n", g->count, g->steps, g->title,
                    g->outcome == TRIAGE_FLAKY ? " (flaky)" : "", g->folder, g->folder);
        }
        written = output_close(out, path, COMMAND);
    }
    g_free(path);
    return written;
}

bool triage_write(struct triage *t)
{
    bool good = true;

    triage_each(t, t->group_count, "minimizing", write_one);
    for (guint i = 0; i < t->group_count; i++) {
        struct triage_group *g = &t->groups[i];

        good &= g->outcome == TRIAGE_WRITTEN || g->outcome == TRIAGE_KEPT || g->outcome == TRIAGE_FLAKY;
        if (t->adopt && (g->outcome == TRIAGE_WRITTEN || g->outcome == TRIAGE_KEPT)) {
            good &= adopt(t, g);
        }
    }
    return write_index(t) && good;
}
