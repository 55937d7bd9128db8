/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Who listens where; equal priorities are registered in this order. */
static const struct {
    unsigned space, priority;
} posts[WALK_WATCHERS] = { { 0, 1 }, { 0, 5 }, { 0, 5 }, { 1, 3 }, { 1, 9 } };

static GHashTable *texts(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* ---- what a watcher hears ---- */

static void heard(MemoryListener *listener, char direction, bool to_all, char *text)
{
    WalkEvent e = { text, (unsigned)((WalkWatcher *)listener - walk.watchers), direction, to_all };

    g_array_append_val(walk.events, e);
}

static Int128 end_of(const MemoryRegionSection *s)
{
    return int128_add(int128_make64(s->offset_within_address_space), s->size);
}

static void on_begin(MemoryListener *listener)
{
    WalkWatcher *w = (WalkWatcher *)listener;

    check(!w->in_cycle);
    w->in_cycle = true;
    w->told_new = false;
    w->last = int128_zero();
    g_hash_table_remove_all(w->gone);
    g_clear_pointer(&w->logged, g_free);
    heard(listener, 'F', true, g_strdup("begin"));
}

void walk_check_ranges(WalkWatcher *w)
{
    char *view = text_of_view(walk.spaces[w->space]);
    char **told = g_strsplit(view, ", ", -1);
    guint expected = g_strv_length(told);

    check_number(g_hash_table_size(w->ranges), expected);
    for (guint i = 0; i < expected; i++) {
        char *word = strstr(told[i], " log=");
        unsigned mask = 0;

        if (word) {
            mask = (unsigned)strtoul(word + strlen(" log="), NULL, 10);
            *word = '\0';
        }
        /* I-3, and the mask that log_start and log_stop led to (I-19). */
        check_number(GPOINTER_TO_UINT(g_hash_table_lookup(w->ranges, told[i])), mask + 1);
    }
    g_strfreev(told);
    g_free(view);
}

static void on_commit(MemoryListener *listener)
{
    WalkWatcher *w = (WalkWatcher *)listener;

    check(w->in_cycle);
    w->in_cycle = false;
    heard(listener, 'F', true, g_strdup("commit"));
}

/* Adds and nops of a cycle: ascending, each range one that was not deleted in this cycle. */
static void check_new_range(WalkWatcher *w, MemoryRegionSection *s, const char *text)
{
    if (!w->told_new) {
        w->told_new = true;
        w->last = int128_zero();
    }
    check(int128_ge(int128_make64(s->offset_within_address_space), w->last));
    w->last = end_of(s);
    check(!g_hash_table_contains(w->gone, text));
}

static void on_region_add(MemoryListener *listener, MemoryRegionSection *s)
{
    WalkWatcher *w = (WalkWatcher *)listener;
    char *text = text_of_section(s);

    check_new_range(w, s, text);
    check(!g_hash_table_contains(w->ranges, text));
    heard(listener, 'F', false, g_strconcat("add ", text, NULL));
    g_hash_table_insert(w->ranges, text, GUINT_TO_POINTER(memory_region_get_dirty_log_mask(s->mr) + 1u));
}

static void on_region_del(MemoryListener *listener, MemoryRegionSection *s)
{
    WalkWatcher *w = (WalkWatcher *)listener;
    char *text = text_of_section(s);

    check(!w->told_new);
    check(int128_ge(int128_make64(s->offset_within_address_space), w->last));
    w->last = end_of(s);
    check(g_hash_table_remove(w->ranges, text));
    heard(listener, 'R', false, g_strconcat("del ", text, NULL));
    g_hash_table_add(w->gone, text);
}

static void on_region_nop(MemoryListener *listener, MemoryRegionSection *s)
{
    WalkWatcher *w = (WalkWatcher *)listener;
    char *text = text_of_section(s);

    check_new_range(w, s, text);
    check(g_hash_table_contains(w->ranges, text));
    heard(listener, 'F', false, g_strconcat("nop ", text, NULL));
    g_free(text);
}

/* I-19: `old` is the mask known; where both are heard, the one before the first of them. */
static void on_log_start(MemoryListener *listener, MemoryRegionSection *s, int old, int new)
{
    WalkWatcher *w = (WalkWatcher *)listener;
    char *text = text_of_section(s);

    check_number(GPOINTER_TO_UINT(g_hash_table_lookup(w->ranges, text)), (unsigned)old + 1);
    check((new & ~old) != 0);
    heard(listener, 'F', false, g_strdup_printf("start %s %d %d", text, old, new));
    g_hash_table_insert(w->ranges, g_strdup(text), GUINT_TO_POINTER((unsigned)new + 1));
    g_free(w->logged);
    w->logged = text;
    w->logged_old = old;
}

static void on_log_stop(MemoryListener *listener, MemoryRegionSection *s, int old, int new)
{
    WalkWatcher *w = (WalkWatcher *)listener;
    char *text = text_of_section(s);

    if (g_strcmp0(text, w->logged) == 0) {
        check_number(old, w->logged_old);
    } else {
        check_number(GPOINTER_TO_UINT(g_hash_table_lookup(w->ranges, text)), (unsigned)old + 1);
    }
    check((old & ~new) != 0);
    heard(listener, 'R', false, g_strdup_printf("stop %s %d %d", text, old, new));
    g_hash_table_insert(w->ranges, text, GUINT_TO_POINTER((unsigned)new + 1));
    g_clear_pointer(&w->logged, g_free);
}

static void on_log_global_start(MemoryListener *listener)
{
    heard(listener, 'F', true, g_strdup("global start"));
}

static void on_log_global_stop(MemoryListener *listener)
{
    heard(listener, 'R', true, g_strdup("global stop"));
}

static void count(GHashTable *table, const char *text, int change)
{
    int now = GPOINTER_TO_INT(g_hash_table_lookup(table, text)) + change;

    check(now >= 0);
    if (now) {
        g_hash_table_insert(table, g_strdup(text), GINT_TO_POINTER(now));
    } else {
        g_hash_table_remove(table, text);
    }
}

static char *eventfd_text(Int128 at, unsigned size, bool match, uint64_t data, const EventNotifier *e)
{
    char *start = text_of_int128(at);
    unsigned notifier = 0;
    char *text;

    while (notifier < WALK_NOTIFIERS && walk.notifiers[notifier] != e) {
        notifier++;
    }
    text = g_strdup_printf("%s+%u %s 0x%" PRIx64 " e%u", start, size, match ? "match" : "any", data,
                           notifier);
    g_free(start);
    return text;
}

static void on_eventfd(MemoryListener *listener, MemoryRegionSection *s, bool match, uint64_t data,
                       EventNotifier *e, int change)
{
    unsigned size = (unsigned)int128_get64(s->size);
    char *text = eventfd_text(int128_make64(s->offset_within_address_space), size, match, data, e);

    count(((WalkWatcher *)listener)->eventfds, text, change);
    heard(listener, change > 0 ? 'R' : 'F', false, g_strconcat(change > 0 ? "+" : "-", text, NULL));
    g_free(text);
}

static void on_eventfd_add(MemoryListener *listener, MemoryRegionSection *s, bool match, uint64_t data,
                           EventNotifier *e)
{
    on_eventfd(listener, s, match, data, e, 1);
}

static void on_eventfd_del(MemoryListener *listener, MemoryRegionSection *s, bool match, uint64_t data,
                           EventNotifier *e)
{
    on_eventfd(listener, s, match, data, e, -1);
}

static void on_coalesced(MemoryListener *listener, MemoryRegionSection *s, hwaddr at, hwaddr size, int change)
{
    char *text = g_strdup_printf("%s %" PRIu64 "+%" PRIu64, memory_region_name(s->mr), at, size);

    count(((WalkWatcher *)listener)->coalesced, text, change);
    heard(listener, change > 0 ? 'F' : 'R', false,
          g_strconcat(change > 0 ? "coalesced " : "uncoalesced ", text, NULL));
    g_free(text);
}

static void on_coalesced_add(MemoryListener *listener, MemoryRegionSection *s, hwaddr at, hwaddr size)
{
    on_coalesced(listener, s, at, size, 1);
}

static void on_coalesced_del(MemoryListener *listener, MemoryRegionSection *s, hwaddr at, hwaddr size)
{
    on_coalesced(listener, s, at, size, -1);
}

/* ---- I-5, I-6: who hears it, in which order ---- */

static unsigned hearers(const WalkEvent *first, unsigned *list)
{
    unsigned n = 0;

    for (unsigned i = 0; i < WALK_WATCHERS; i++) {
        /* All: by priority over all spaces; the posts of one space stand in that order already. */
        static const unsigned everybody[WALK_WATCHERS] = { 0, 3, 1, 2, 4 };
        unsigned w = first->to_all ? everybody[i] : i;

        if (first->to_all || posts[w].space == posts[first->watcher].space) {
            list[n++] = w;
        }
    }
    if (first->direction == 'R') {
        for (unsigned i = 0; i < n / 2; i++) {
            unsigned swap = list[i];

            list[i] = list[n - 1 - i];
            list[n - 1 - i] = swap;
        }
    }
    return n;
}

/* Empties the list of events; the number of complete cycles among them. */
unsigned walk_check_order(void)
{
    WalkEvent *events = (WalkEvent *)(void *)walk.events->data;
    unsigned cycles = 0, i = 0;
    bool inside = false;

    while (i < walk.events->len) {
        unsigned list[WALK_WATCHERS], n = hearers(&events[i], list);

        if (!check(i + n <= walk.events->len)) {
            break;
        }
        for (unsigned k = 0; k < n; k++) {
            check_text(events[i + k].text, events[i].text);
            check_number(events[i + k].watcher, list[k]);
        }
        if (g_str_equal(events[i].text, "begin")) {
            check(!inside);
            inside = true;
        } else if (g_str_equal(events[i].text, "commit")) {
            check(inside);
            inside = false;
            cycles++;
        }
        i += n;
    }
    check(!inside);
    walk_forget_events();
    return cycles;
}

/* ---- I-17, I-18: what eventfds and coalesced ranges there should be ---- */

typedef struct {
    GHashTable *eventfds, *coalesced;
    GHashTable *shifts;         /* "region shift entry": another piece is not another eventfd (R-EFD-5) */
} Expected;

static WalkRegion *region_of(const MemoryRegion *mr)
{
    for (unsigned i = 0; i < WALK_REGIONS; i++) {
        if (walk.regions[i].mr == mr) {
            return &walk.regions[i];
        }
    }
    g_error("a view shows a region that is not of this walk");
}

/* Small numbers only, so 64 bits do; an entry that starts walk_below 0 is dropped (R-EFD-6). */
static bool expect_range(Int128 start_wide, Int128 len_wide, const MemoryRegion *mr, hwaddr offset,
                         void *opaque)
{
    Expected *expected = opaque;
    WalkRegion *r = region_of(mr);
    int64_t start = (int64_t)int128_get64(start_wide), len = (int64_t)int128_get64(len_wide);
    int64_t shift = start - (int64_t)offset;

    for (guint i = 0; i < r->entries->len; i++) {
        WalkEntry *e = &g_array_index(r->entries, WalkEntry, i);
        int64_t at = (int64_t)e->at + shift;
        bool meets = (at >= start && at < start + len) || (start >= at && start < at + (int64_t)e->size);
        char *piece = g_strdup_printf("%s %" PRId64 " %u", memory_region_name(mr), shift, i);

        if (meets && at >= 0 && g_hash_table_add(expected->shifts, piece)) {
            char *text = eventfd_text(int128_make64((uint64_t)at), e->size, e->match, e->data,
                                      walk.notifiers[e->notifier]);
            count(expected->eventfds, text, 1);
            g_free(text);
        } else if (!(meets && at >= 0)) {
            g_free(piece);
        }
    }
    for (guint i = 0; i < r->spans->len; i++) {
        WalkSpan *s = &g_array_index(r->spans, WalkSpan, i);
        int64_t from = MAX(start, (int64_t)s->at + shift);
        int64_t to = MIN(start + len, (int64_t)(s->at + s->size) + shift);

        if (from < to) {
            char *text = g_strdup_printf("%s %" PRId64 "+%" PRId64, memory_region_name(mr), from, to - from);

            count(expected->coalesced, text, 1);
            g_free(text);
        }
    }
    return false;
}

char *walk_text_of_counts(GHashTable *table)
{
    GList *keys = g_list_sort(g_hash_table_get_keys(table), (GCompareFunc)(void (*)(void))strcmp);
    GString *text = g_string_new(NULL);

    for (GList *k = keys; k; k = k->next) {
        g_string_append_printf(text, "%s x%d\n", (char *)k->data,
                               GPOINTER_TO_INT(g_hash_table_lookup(table, k->data)));
    }
    g_list_free(keys);
    return g_string_free(text, FALSE);
}

void walk_check_lists(WalkWatcher *w, bool committed)
{
    Expected expected = { texts(), texts(), texts() };
    char *should, *is;

    flatview_for_each_range(address_space_to_flatview(walk.spaces[w->space]), expect_range, &expected);
    should = walk_text_of_counts(expected.coalesced);
    is = walk_text_of_counts(w->coalesced);
    check_text(is, should);
    g_free(should);
    g_free(is);
    if (committed) {            /* eventfds wait for the commit, coalesced ranges do not */
        should = walk_text_of_counts(expected.eventfds);
        is = walk_text_of_counts(w->eventfds);
        check_text(is, should);
        g_free(should);
        g_free(is);
    }
    g_hash_table_destroy(expected.eventfds);
    g_hash_table_destroy(expected.coalesced);
    g_hash_table_destroy(expected.shifts);
}

/* ---- joining and leaving ---- */

void walk_forget_events(void)
{
    for (guint i = 0; i < walk.events->len; i++) {
        g_free(g_array_index(walk.events, WalkEvent, i).text);
    }
    g_array_set_size(walk.events, 0);
}

void walk_watch(void)
{
    for (int i = 0; i < WALK_WATCHERS; i++) {
        WalkWatcher *w = &walk.watchers[i];

        *w = (WalkWatcher) {
            .listener = {
                .begin = on_begin,
                .commit = on_commit,
                .region_add = on_region_add,
                .region_del = on_region_del,
                .region_nop = on_region_nop,
                .log_start = on_log_start,
                .log_stop = on_log_stop,
                .log_global_start = on_log_global_start,
                .log_global_stop = on_log_global_stop,
                .eventfd_add = on_eventfd_add,
                .eventfd_del = on_eventfd_del,
                .coalesced_io_add = on_coalesced_add,
                .coalesced_io_del = on_coalesced_del,
                .priority = posts[i].priority,
                .name = "watcher",
            },
            .space = posts[i].space,
            .ranges = texts(),
            .eventfds = texts(),
            .coalesced = texts(),
            .gone = texts(),
        };
        memory_listener_register(&w->listener, walk.spaces[w->space]);
    }
    walk_forget_events();
}

void walk_unwatch(void)
{
    for (int i = 0; i < WALK_WATCHERS; i++) {
        WalkWatcher *w = &walk.watchers[i];

        memory_listener_unregister(&w->listener);
        check_number(g_hash_table_size(w->ranges), 0);
        g_hash_table_destroy(w->ranges);
        g_hash_table_destroy(w->eventfds);
        g_hash_table_destroy(w->coalesced);
        g_hash_table_destroy(w->gone);
        g_free(w->logged);
    }
    walk_forget_events();
}
