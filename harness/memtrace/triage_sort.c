/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which inputs show the same bug? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memtrace/input.h"
#include "memtrace/triage.h"

enum { REPLAYS = 3, FRAMES = 3 };

bool triage_is_binary(const char *path)
{
    return !g_str_has_suffix(path, ".trace");
}

/* --- replaying --------------------------------------------------------------- */

static void replay(struct triage *t, guint index)
{
    const char *path = g_ptr_array_index(t->paths, index);
    struct triage_input *input = &t->inputs[index];
    struct input in;

    if (!input_load(&in, path, triage_is_binary(path) ? INPUT_BINARY | INPUT_ANY_SIZE : 0)) {
        input->state = TRIAGE_UNREADABLE;
        return;
    }
    input->steps = in.trace.count;
    /* Once is enough to know that it fails; that it does not is only believed after a while. */
    for (int i = 0; i < REPLAYS && !input->signature.text[0]; i++) {
        failure_probe(&in.trace, &t->run, &input->signature, NULL);
        if (input->signature.text[0]) {
            input->state = i == 0 ? TRIAGE_FAILS : TRIAGE_UNSTABLE;
        }
    }
    if (!input->signature.text[0]) {
        input->state = TRIAGE_PASSES;
    }
    input_free(&in);
}

void triage_replay(struct triage *t)
{
    triage_each(t, t->paths->len, "replaying", replay);
}

/* --- grouping by what was seen ------------------------------------------------- */

static bool is_report(const struct failure_signature *s)
{
    return g_str_has_prefix(s->summary, "AddressSanitizer") || g_str_has_prefix(s->summary, "UBSan");
}

/* Each number before `end` becomes one #: UBSan's messages name values, which differ from input to input. */
static void hide_numbers(char *text, const char *end)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (from >= end || !g_ascii_isdigit(*from)) {
            *to++ = *from;
        } else if (to == text || to[-1] != '#') {
            *to++ = '#';
        }
    }
    *to = '\0';
}

/* "view of as1" is as good as "view of as0". */
static void hide_objects(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (!g_ascii_isdigit(*from) || from == text || !g_ascii_isalpha(from[-1])) {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void first_key(const struct failure_signature *s, char *key, size_t capacity)
{
    const char *frames;

    g_strlcpy(key, s->text, capacity);
    frames = strstr(key, " +0x");
    if (is_report(s)) {
        hide_numbers(key, frames ? frames : key + strlen(key));
    } else if (strchr(key, ' ')) {
        hide_objects(strchr(key, ' '));
    }
}

static guint find_group(struct triage *t, const char *key)
{
    for (guint i = 0; i < t->group_count; i++) {
        if (strcmp(t->groups[i].key, key) == 0) {
            return i;
        }
    }
    return t->group_count;
}

static void add_member(struct triage *t, guint group, guint index)
{
    struct triage_group *g = &t->groups[group];

    if (!g->count || t->inputs[index].steps < t->inputs[g->smallest].steps) {
        g->smallest = index;
    }
    g->count++;
    t->group_of[index] = group;
}

static void group_by_signature(struct triage *t)
{
    for (guint i = 0; i < t->paths->len; i++) {
        const struct failure_signature *s = &t->inputs[i].signature;
        char key[sizeof(t->groups->key)];
        guint group;

        if (t->inputs[i].state != TRIAGE_FAILS && t->inputs[i].state != TRIAGE_UNSTABLE) {
            continue;
        }
        first_key(s, key, sizeof(key));
        group = find_group(t, key);
        if (group == t->group_count) {
            t->group_count++;
            g_strlcpy(t->groups[group].key, key, sizeof(key));
            g_strlcpy(t->groups[group].title, s->summary, sizeof(t->groups[group].title));
        }
        add_member(t, group, i);
    }
}

/* --- grouping by where in the project it happened -------------------------------- */

/* "    #3 0x55d in flatview_find /there/memcore/flatview/view.c:12:3": the function, if it is one of ours. */
static char *project_function(const char *line)
{
    const char *name = strstr(line, " in "), *path;

    if (!name || line[strspn(line, " ")] != '#') {
        return NULL;
    }
    name += strlen(" in ");
    path = name + strcspn(name, " ");
    if ((!strstr(path, "memcore/") && !strstr(path, "fuzzers/")) || g_str_has_prefix(name, "__asan") ||
        strstr(path, "compiler-rt")) {
        return NULL;
    }
    return g_strndup(name, (gsize)(path - name));
}

/* The first stack of the report is the one that failed; others say who allocated and freed. */
static void add_frames(GString *key, const char *text)
{
    char **lines = g_strsplit(text, "\n", -1);
    int found = 0;
    bool inside = false;

    for (char **line = lines; *line && found < FRAMES; line++) {
        char *name = project_function(*line);

        if (inside && !g_strrstr(*line, "#")) {
            break;
        }
        inside |= strstr(*line, "#0 ") != NULL;
        if (name) {
            g_string_append_printf(key, "%s%s", found++ ? " < " : " in ", name);
        }
        g_free(name);
    }
    g_strfreev(lines);
}

static void name_frames(struct triage *t, guint index)
{
    struct triage_group *g = &t->groups[index];
    const char *path = g_ptr_array_index(t->paths, g->smallest);
    const char *arguments[] = {"run", path, t->profile ? "--profile" : NULL, t->profile, NULL, NULL};
    char kind[sizeof(g->title)];
    GString *key;
    char *text;

    if (!is_report(&t->inputs[g->smallest].signature)) {
        return;
    }
    if (triage_is_binary(path)) {
        arguments[t->profile ? 4 : 2] = "--binary";
    }
    triage_run_self(arguments, &text);
    g_strlcpy(kind, g->title, sizeof(kind));
    hide_numbers(kind, kind + strlen(kind));
    key = g_string_new(kind);
    add_frames(key, text);
    g_strlcpy(g->key, key->str, sizeof(g->key));
    g_strlcpy(g->title, key->str, sizeof(g->title));
    g_string_free(key, TRUE);
    g_free(text);
}

/* Groups that got the same key become one. */
static void merge_groups(struct triage *t)
{
    struct triage_group *old = g_memdup2(t->groups, t->group_count * sizeof(*old));
    guint old_count = t->group_count;
    guint *renamed = g_new(guint, old_count);

    t->group_count = 0;
    for (guint i = 0; i < old_count; i++) {
        renamed[i] = find_group(t, old[i].key);
        if (renamed[i] == t->group_count) {
            struct triage_group *g = &t->groups[t->group_count++];

            *g = old[i];
            g->count = 0;
            g->id = renamed[i];
        }
    }
    for (guint i = 0; i < t->paths->len; i++) {
        if (t->inputs[i].signature.text[0]) {
            add_member(t, renamed[t->group_of[i]], i);
        }
    }
    g_free(renamed);
    g_free(old);
}

/* --- order and names ------------------------------------------------------------- */

static int by_frequency(const void *left, const void *right)
{
    const struct triage_group *x = left, *y = right;

    return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->key, y->key);
}

/* Letters, digits and hyphens of the key. */
static void name_folder(struct triage_group *g)
{
    size_t at = 0;

    for (const char *c = g->key; *c && at < 60; c++) {
        if (g_ascii_isalnum(*c) || *c == '_') {
            g->folder[at++] = *c;
        } else if (at && g->folder[at - 1] != '-') {
            g->folder[at++] = '-';
        }
    }
    while (at && g->folder[at - 1] == '-') {
        at--;
    }
    g->folder[at] = '\0';
}

static void find_rule(struct triage_group *g)
{
    const char *rule = strstr(g->key, "R-");
    size_t length;

    if (!rule && g_str_has_prefix(g->key, "I-")) {
        rule = g->key;
    }
    if (rule) {
        length = strcspn(rule, " ,:)");
        g_strlcpy(g->rule, rule, MIN(length + 1, sizeof(g->rule)));
    }
}

void triage_sort(struct triage *t)
{
    group_by_signature(t);
    triage_each(t, t->group_count, "locating", name_frames);
    merge_groups(t);
    qsort(t->groups, t->group_count, sizeof(*t->groups), by_frequency);
    for (guint i = 0; i < t->group_count; i++) {
        struct triage_group *g = &t->groups[i];
        unsigned twin = 1;

        name_folder(g);
        find_rule(g);
        for (guint k = 0; k < i; k++) {
            twin += g_str_has_prefix(t->groups[k].folder, g->folder);
        }
        if (twin > 1) {
            size_t used = strlen(g->folder);

            snprintf(g->folder + used, sizeof(g->folder) - used, "-%u", twin);
        }
    }
}
