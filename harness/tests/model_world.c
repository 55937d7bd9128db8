/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model_world.h"

#include <glib.h>
#include <string.h>

#include "trace/trace.h"

void world_begin(struct world *w, enum model_profile profile)
{
    memset(w, 0, sizeof(*w));
    w->model = model_new(profile);
    observation_clear(&w->last);
}

void world_end(struct world *w)
{
    model_free(w->model);
    observation_free(&w->last);
}

void play(struct world *w, const char *text)
{
    struct trace t;
    struct trace_error error;
    struct event_log heard = { 0 };

    trace_init(&t);
    if (!trace_parse(&t, text, strlen(text), &error)) {
        g_error("%u:%u: %s", error.line, error.column, error.message);
    }
    for (size_t i = 0; i < t.count; i++) {
        observation_clear(&w->last);
        model_apply(w->model, &t.steps[i], &w->last);
        for (size_t k = 0; k < w->last.events.count; k++) {
            event_log_append(&heard, &w->last.events.events[k]);
        }
    }
    trace_free(&t);
    event_log_free(&w->last.events);
    w->last.events = heard;
}

void assert_heard(const struct world *w, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char line[512];

    for (size_t i = 0; i < w->last.events.count; i++) {
        if (w->last.events.events[i].kind != EVENT_COALESCED_FLUSH) {
            g_assert_cmpuint(event_print(&w->last.events.events[i], line, sizeof(line)), <, sizeof(line));
            g_string_append_printf(text, "%s\n", line);
        }
    }
    g_assert_cmpstr(text->str, ==, expected);
}

unsigned flushes(const struct world *w)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->last.events.count; i++) {
        n += w->last.events.events[i].kind == EVENT_COALESCED_FLUSH;
    }
    return n;
}

void assert_view(const struct world *w, unsigned space, const char *expected)
{
    const struct view *const v = model_view(w->model, space);
    g_autoptr(GString) text = g_string_new(NULL);
    char line[512];

    g_assert_nonnull(v);
    for (size_t i = 0; i < v->count; i++) {
        g_assert_cmpuint(view_range_print(&v->ranges[i], line, sizeof(line)), <, sizeof(line));
        g_string_append_printf(text, "%s\n", line);
    }
    g_assert_cmpstr(text->str, ==, expected);
}

void assert_found(const struct world *w, const char *expected)
{
    const struct observed_section *const s = &w->last.section;
    struct event e;
    char line[512];

    g_assert_true(w->last.view_published == (s->region != OBSERVED_NONE));
    if (s->region == OBSERVED_NONE) {
        g_assert_cmpstr("nothing", ==, expected);
        return;
    }
    event_init(&e, EVENT_REGION_ADD);
    e.section = *s;
    e.view_published = true;
    event_print(&e, line, sizeof(line));
    g_assert_cmpstr(line + strlen("region_add "), ==, expected);
}

void assert_text(const struct world *w, const char *expected)
{
    g_assert_cmpstr(w->last.text, ==, expected);
}
