/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A long fixed walk through trees, flags, eventfds, coalesced ranges and dirty
 * logging in a space of about a hundred bytes.  Every listener keeps a shadow of
 * what it was told; after each step the shadows must be what the published views
 * and the lists of the regions say (I-3 to I-6, I-17 to I-19).
 *
 * The shadows work on text, so that a difference can be read.  They use none of
 * the core's rules for what to tell; what eventfds and coalesced ranges should
 * be there is computed from the walk's own lists.
 */
#include "../common/conformance.h"

#include <inttypes.h>
#include <string.h>

enum {
    SPACES = 3, BOXES = 4, LEAVES = 8, ALIASES = 6, REGIONS = SPACES + BOXES + LEAVES + ALIASES,
    WATCHERS = 5, NOTIFIERS = 3, STEPS = 4000, EXTENT = 96,
};

typedef struct {
    uint64_t at;
    unsigned size;
    bool match;
    uint64_t data;
    unsigned notifier;
} Entry;

typedef struct {
    uint64_t at, size;
} Span;

typedef struct {
    MemoryRegion *mr;
    int container;              /* index, -1: in none */
    bool enabled, readonly, nonvolatile;
    uint64_t address, size;
    unsigned log_users;
    GArray *entries, *spans;
} Region;

typedef struct {
    MemoryListener listener;
    unsigned space;
    GHashTable *ranges;         /* text -> mask + 1 */
    GHashTable *eventfds, *coalesced;   /* text -> how many */
    GHashTable *gone;           /* ranges deleted in the cycle that runs */
    bool in_cycle, told_new;
    Int128 last;                /* end of the last range deleted, then of the last one added or kept */
    char *logged;               /* the range of the log_start just heard, and its old mask */
    int logged_old;
} Watcher;

typedef struct {
    char *text;
    unsigned watcher;
    char direction;             /* F, R */
    bool to_all;
} Event;

/* One walk at a time: callbacks have no other way to it. */
static struct {
    GRand *random;
    Region regions[REGIONS];    /* spaces' roots, boxes, leaves, aliases */
    AddressSpace *spaces[SPACES];
    Watcher watchers[WATCHERS];
    GArray *events;
    EventNotifier *notifiers[NOTIFIERS];
    unsigned depth, tracking;
} walk;

/* F order: 0 and 3 hear space 0 and 1 first; equal priorities in order of registration. */
static const struct { unsigned space, priority; } posts[WATCHERS] = { { 0, 1 }, { 0, 5 }, { 0, 5 }, { 1, 3 }, { 1, 9 } };

static uint32_t below(uint32_t limit)
{
    return (uint32_t)g_rand_int_range(walk.random, 0, (gint32)limit);
}

/* ---- what a watcher hears ---- */

static void heard(MemoryListener *listener, char direction, bool to_all, char *text)
{
    Event e = { text, (unsigned)((Watcher *)listener - walk.watchers), direction, to_all };

    g_array_append_val(walk.events, e);
}

static Int128 end_of(const MemoryRegionSection *s)
{
    return int128_add(int128_make64(s->offset_within_address_space), s->size);
}

static void on_begin(MemoryListener *listener)
{
    Watcher *w = (Watcher *)listener;

    check(!w->in_cycle);
    w->in_cycle = true;
    w->told_new = false;
    w->last = int128_zero();
    g_hash_table_remove_all(w->gone);
    g_clear_pointer(&w->logged, g_free);
    heard(listener, 'F', true, g_strdup("begin"));
}

static void check_shadow_ranges(Watcher *w)
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
    Watcher *w = (Watcher *)listener;

    check(w->in_cycle);
    w->in_cycle = false;
    heard(listener, 'F', true, g_strdup("commit"));
}

/* Adds and nops of a cycle: ascending, each range one that was not deleted in this cycle. */
static void check_new_range(Watcher *w, MemoryRegionSection *s, const char *text)
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
    Watcher *w = (Watcher *)listener;
    char *text = text_of_section(s);

    check_new_range(w, s, text);
    check(!g_hash_table_contains(w->ranges, text));
    heard(listener, 'F', false, g_strconcat("add ", text, NULL));
    g_hash_table_insert(w->ranges, text, GUINT_TO_POINTER(memory_region_get_dirty_log_mask(s->mr) + 1u));
}

static void on_region_del(MemoryListener *listener, MemoryRegionSection *s)
{
    Watcher *w = (Watcher *)listener;
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
    Watcher *w = (Watcher *)listener;
    char *text = text_of_section(s);

    check_new_range(w, s, text);
    check(g_hash_table_contains(w->ranges, text));
    heard(listener, 'F', false, g_strconcat("nop ", text, NULL));
    g_free(text);
}

/* I-19: `old` is the mask known; where both are heard, the one before the first of them. */
static void on_log_start(MemoryListener *listener, MemoryRegionSection *s, int old, int new)
{
    Watcher *w = (Watcher *)listener;
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
    Watcher *w = (Watcher *)listener;
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

    while (notifier < NOTIFIERS && walk.notifiers[notifier] != e) {
        notifier++;
    }
    text = g_strdup_printf("%s+%u %s 0x%" PRIx64 " e%u", start, size, match ? "match" : "any", data, notifier);
    g_free(start);
    return text;
}

static void on_eventfd(MemoryListener *listener, MemoryRegionSection *s, bool match, uint64_t data,
                       EventNotifier *e, int change)
{
    char *text = eventfd_text(int128_make64(s->offset_within_address_space), (unsigned)int128_get64(s->size), match,
                              data, e);

    count(((Watcher *)listener)->eventfds, text, change);
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

    count(((Watcher *)listener)->coalesced, text, change);
    heard(listener, change > 0 ? 'F' : 'R', false, g_strconcat(change > 0 ? "coalesced " : "uncoalesced ", text, NULL));
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

static unsigned hearers(const Event *first, unsigned *list)
{
    unsigned n = 0;

    for (unsigned i = 0; i < WATCHERS; i++) {
        /* All: by priority over all spaces; the posts of one space stand in that order already. */
        static const unsigned everybody[WATCHERS] = { 0, 3, 1, 2, 4 };
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
static unsigned check_order_of_events(void)
{
    Event *events = (Event *)(void *)walk.events->data;
    unsigned cycles = 0, i = 0;
    bool inside = false;

    while (i < walk.events->len) {
        unsigned list[WATCHERS], n = hearers(&events[i], list);

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
    for (i = 0; i < walk.events->len; i++) {
        g_free(events[i].text);
    }
    g_array_set_size(walk.events, 0);
    return cycles;
}

/* ---- I-17, I-18: what eventfds and coalesced ranges there should be ---- */

typedef struct {
    GHashTable *eventfds, *coalesced;
    GHashTable *shifts;         /* "region shift entry" seen: another piece is not another eventfd (R-EFD-5) */
} Expected;

static Region *region_of(const MemoryRegion *mr)
{
    for (unsigned i = 0; i < REGIONS; i++) {
        if (walk.regions[i].mr == mr) {
            return &walk.regions[i];
        }
    }
    g_error("a view shows a region that is not of this walk");
}

/* Small numbers only, so 64 bits do; an entry that starts below 0 is dropped (R-EFD-6). */
static bool expect_range(Int128 start_wide, Int128 len_wide, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    Expected *expected = opaque;
    Region *r = region_of(mr);
    int64_t start = (int64_t)int128_get64(start_wide), len = (int64_t)int128_get64(len_wide);
    int64_t shift = start - (int64_t)offset;

    for (guint i = 0; i < r->entries->len; i++) {
        Entry *e = &g_array_index(r->entries, Entry, i);
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
        Span *s = &g_array_index(r->spans, Span, i);
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

static char *text_of_counts(GHashTable *table)
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

static GHashTable *texts(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void check_shadow_lists(Watcher *w, bool committed)
{
    Expected expected = { texts(), texts(), texts() };
    char *should, *is;

    flatview_for_each_range(address_space_to_flatview(walk.spaces[w->space]), expect_range, &expected);
    should = text_of_counts(expected.coalesced);
    is = text_of_counts(w->coalesced);
    check_text(is, should);
    g_free(should);
    g_free(is);
    if (committed) {            /* eventfds wait for the commit, coalesced ranges do not */
        should = text_of_counts(expected.eventfds);
        is = text_of_counts(w->eventfds);
        check_text(is, should);
        g_free(should);
        g_free(is);
    }
    g_hash_table_destroy(expected.eventfds);
    g_hash_table_destroy(expected.coalesced);
    g_hash_table_destroy(expected.shifts);
}

/* ---- the walk ---- */

static void walk_new(guint32 seed, bool watched)
{
    memset(&walk, 0, sizeof(walk));
    walk.random = g_rand_new_with_seed(seed);
    walk.events = g_array_new(FALSE, FALSE, sizeof(Event));
    for (int i = 0; i < NOTIFIERS; i++) {
        walk.notifiers[i] = stage_notifier("e");
    }
    for (int i = 0; i < REGIONS; i++) {
        Region *r = &walk.regions[i];
        char name[8];

        g_snprintf(name, sizeof(name), "r%d", i);
        *r = (Region) { .container = -1, .enabled = true, .size = 1 + below(EXTENT) };
        r->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
        r->spans = g_array_new(FALSE, FALSE, sizeof(Span));
        if (i < SPACES) {
            r->size = EXTENT;
            r->mr = stage_container(name, r->size);
        } else if (i < SPACES + BOXES) {
            r->mr = i % 2 ? stage_container(name, r->size) : stage_io(name, r->size);
        } else if (i < SPACES + BOXES + LEAVES) {
            r->mr = i % 4 == 0 ? stage_ram_migratable(name, r->size) :
                    i % 4 == 1 ? stage_ram(name, r->size) : stage_io(name, r->size);
        } else {
            /* Aliases show boxes and leaves only, and sit in roots only: no cycles. */
            MemoryRegion *target = walk.regions[SPACES + below(BOXES + LEAVES)].mr;

            r->mr = stage_alias(name, target, below(EXTENT / 2), r->size);
        }
    }
    for (int i = 0; i < SPACES; i++) {
        walk.spaces[i] = stage_space(walk.regions[i].mr, "as");
    }
    for (int i = 0; watched && i < WATCHERS; i++) {
        Watcher *w = &walk.watchers[i];

        *w = (Watcher) {
            .listener = {
                .begin = on_begin, .commit = on_commit, .region_add = on_region_add, .region_del = on_region_del,
                .region_nop = on_region_nop, .log_start = on_log_start, .log_stop = on_log_stop,
                .log_global_start = on_log_global_start, .log_global_stop = on_log_global_stop,
                .eventfd_add = on_eventfd_add, .eventfd_del = on_eventfd_del,
                .coalesced_io_add = on_coalesced_add, .coalesced_io_del = on_coalesced_del,
                .priority = posts[i].priority, .name = "watcher",
            },
            .space = posts[i].space, .ranges = texts(), .eventfds = texts(), .coalesced = texts(), .gone = texts(),
        };
        memory_listener_register(&w->listener, walk.spaces[w->space]);
    }
    for (guint i = 0; i < walk.events->len; i++) {
        g_free(g_array_index(walk.events, Event, i).text);
    }
    g_array_set_size(walk.events, 0);
}

static void set_tracking(unsigned flags)
{
    unsigned start = flags & ~walk.tracking, stop = walk.tracking & ~flags;

    if (start) {
        memory_global_dirty_log_start(start);
    }
    if (stop) {
        memory_global_dirty_log_stop(stop);
    }
    walk.tracking = flags;
}

static void walk_end(void)
{
    for (; walk.depth; walk.depth--) {
        memory_region_transaction_commit();
    }
    set_tracking(0);
    for (int i = 0; i < WATCHERS; i++) {
        Watcher *w = &walk.watchers[i];

        if (w->ranges) {
            memory_listener_unregister(&w->listener);
            check_number(g_hash_table_size(w->ranges), 0);      /* I-4 */
            g_hash_table_destroy(w->ranges);
            g_hash_table_destroy(w->eventfds);
            g_hash_table_destroy(w->coalesced);
            g_hash_table_destroy(w->gone);
            g_free(w->logged);
        }
    }
    for (int i = 0; i < REGIONS; i++) {
        g_array_free(walk.regions[i].entries, TRUE);
        g_array_free(walk.regions[i].spans, TRUE);
    }
    for (guint i = 0; i < walk.events->len; i++) {
        g_free(g_array_index(walk.events, Event, i).text);
    }
    g_array_free(walk.events, TRUE);
    g_rand_free(walk.random);
    for (int i = 0; i < SPACES; i++) {
        stage_space_destroy(walk.spaces[i]);
    }
    memcore_drain();
    /* The next walk of the case uses the same names; aliases are the last regions, so they go first (R-OBJ-10). */
    for (int i = REGIONS - 1; i >= 0; i--) {
        Region *r = &walk.regions[i];

        if (r->container >= 0) {
            stage_del(walk.regions[r->container].mr, r->mr);
        }
        stage_release(r->mr);
    }
}

/* Not a root. */
static int any_region(void)
{
    return SPACES + (int)below(REGIONS - SPACES);
}

static void step_move(void)
{
    int i = any_region();
    Region *r = &walk.regions[i];

    if (r->container >= 0) {
        stage_del(walk.regions[r->container].mr, r->mr);
        r->container = -1;
    } else {
        bool leaf = i >= SPACES + BOXES && i < SPACES + BOXES + LEAVES;

        r->container = (int)(leaf && below(2) ? SPACES + below(BOXES) : below(SPACES));
        r->address = below(EXTENT);
        stage_add_overlap(walk.regions[r->container].mr, r->address, r->mr, (int)below(3) - 1);
    }
}

static void step_set(void)
{
    int i = any_region();
    Region *r = &walk.regions[i];

    switch (below(6)) {
    case 0:
        memory_region_set_enabled(r->mr, r->enabled = !r->enabled);
        break;
    case 1:
        memory_region_set_readonly(r->mr, r->readonly = !r->readonly);
        break;
    case 2:
        memory_region_set_nonvolatile(r->mr, r->nonvolatile = !r->nonvolatile);
        break;
    case 3:
        memory_region_set_size(r->mr, r->size = below(EXTENT));
        break;
    case 4:
        memory_region_set_address(r->mr, r->address = below(EXTENT));
        break;
    default:
        if (i >= REGIONS - ALIASES) {
            memory_region_set_alias_offset(r->mr, below(EXTENT / 2));
        }
        break;
    }
}

static void step_log(void)
{
    Region *r = &walk.regions[SPACES + BOXES + below(LEAVES)];

    if (below(2)) {
        set_tracking(below(4));
    } else if (r->log_users && below(2)) {
        r->log_users--;
        memory_region_set_log(r->mr, false, DIRTY_MEMORY_VGA);
    } else if (r->log_users < 3) {
        r->log_users++;
        memory_region_set_log(r->mr, true, DIRTY_MEMORY_VGA);
    }
}

static void step_eventfd(void)
{
    static const unsigned sizes[] = { 1, 2, 4, 8 };
    Region *r = &walk.regions[any_region()];

    if (r->entries->len > 3 || (r->entries->len && below(2))) {
        guint i = below(r->entries->len);
        Entry e = g_array_index(r->entries, Entry, i);

        g_array_remove_index(r->entries, i);
        memory_region_del_eventfd(r->mr, e.at, e.size, e.match, e.data, walk.notifiers[e.notifier]);
    } else {
        Entry e = { below(EXTENT), sizes[below(4)], below(2), 0, below(NOTIFIERS) };

        /* Without match data would not tell entries apart, so a del could take another one. */
        e.data = e.match ? below(3) : 0;
        g_array_append_val(r->entries, e);
        memory_region_add_eventfd(r->mr, e.at, e.size, e.match, e.data, walk.notifiers[e.notifier]);
    }
}

static void step_coalesce(void)
{
    Region *r = &walk.regions[any_region()];

    if (r->spans->len > 2 || (r->spans->len && below(2))) {
        g_array_set_size(r->spans, 0);
        memory_region_clear_coalescing(r->mr);
    } else {
        Span s = { below(EXTENT), 1 + below(EXTENT) };

        g_array_append_val(r->spans, s);
        memory_region_add_coalescing(r->mr, s.at, s.size);
    }
}

static void step_mutator(void)
{
    switch (below(8)) {
    case 0:
    case 1:
    case 2:
        step_move();
        break;
    case 3:
    case 4:
        step_set();
        break;
    case 5:
        step_log();
        break;
    case 6:
        step_eventfd();
        break;
    default:
        step_coalesce();
        break;
    }
}

/* ---- cases ---- */

static void shadows_follow_the_views(void)
{
    unsigned cycles = 0;

    walk_new(2026, true);
    for (int step = 0; step < STEPS && !g_test_failed(); step++) {
        if (below(12) == 0 && walk.depth < 2) {
            memory_region_transaction_begin();
            walk.depth++;
        } else if (walk.depth && below(4) == 0) {
            memory_region_transaction_commit();
            walk.depth--;
        } else {
            step_mutator();
        }
        cycles += check_order_of_events();
        for (int i = 0; i < WATCHERS; i++) {
            check_shadow_ranges(&walk.watchers[i]);
            check_shadow_lists(&walk.watchers[i], walk.depth == 0);
        }
        /* I-4: text_of_view joined late, saw the same (check_shadow_ranges), and nobody else heard of it. */
        check_number(walk.events->len, 0);
        if (g_test_failed()) {
            g_printerr("  after step %d\n", step);
        }
        if (step % 64 == 0) {
            memcore_drain();
        }
    }
    check(cycles > STEPS / 8);
    walk_end();
}

/* I-6: the tree, the views and the eventfds at the end, in one text. */
static char *end_state(void)
{
    char *tree = stage_mtree(false, false, false, true);
    GString *text = g_string_new(tree);

    for (int i = 0; i < SPACES; i++) {
        char *view = text_of_view(walk.spaces[i]);

        g_string_append_printf(text, "%s\n", view);
        g_free(view);
    }
    for (int i = 0; i < WATCHERS; i++) {
        char *eventfds = text_of_counts(walk.watchers[i].eventfds);

        g_string_append(text, eventfds);
        g_free(eventfds);
    }
    g_free(tree);
    return g_string_free(text, FALSE);
}

static void grouping_does_not_matter(void)
{
    char *apart = NULL;

    for (int together = 0; together < 2; together++) {
        walk_new(6, true);
        if (together) {
            memory_region_transaction_begin();
        }
        for (int step = 0; step < 300; step++) {
            step_mutator();
            if (together && step % 10 == 0) {
                memory_region_transaction_begin();      /* nested and empty */
                memory_region_transaction_commit();
            }
        }
        if (together) {
            check_order_of_events();
            memory_region_transaction_commit();
            check_number(check_order_of_events(), 1);
            check_text_taken(end_state(), apart);
        } else {
            apart = end_state();
            check(strlen(apart) > 1000);
        }
        walk_end();
    }
    g_free(apart);
}

static void empty_transactions_are_silent(void)
{
    walk_new(66, true);
    for (int step = 0; step < 50; step++) {
        step_mutator();
    }
    check_order_of_events();
    memory_region_transaction_begin();
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    memory_region_transaction_commit();
    check_number(walk.events->len, 0);
    walk_end();
}

/* I-7: the same value again is no event at all. */
static void setting_again_is_silent(void)
{
    walk_new(7, true);
    for (int step = 0; step < 200; step++) {
        step_mutator();
        check_order_of_events();
        for (int i = SPACES; i < REGIONS; i += 5) {
            Region *r = &walk.regions[i];

            memory_region_set_enabled(r->mr, r->enabled);
            memory_region_set_readonly(r->mr, r->readonly);
            memory_region_set_nonvolatile(r->mr, r->nonvolatile);
            memory_region_set_size(r->mr, r->size);
            memory_region_set_address(r->mr, r->address);
        }
        check_number(walk.events->len, 0);
    }
    walk_end();
}

/* I-7: a forced commit without changes: begin, nops, commit. */
static void forced_commits_say_nop(void)
{
    MemoryRegion *spare = stage_io("spare", 1);
    char *before, *after;

    walk_new(77, true);
    for (int step = 0; step < 200; step++) {
        step_mutator();
        check_order_of_events();
        before = end_state();
        memory_region_set_enabled(spare, step % 2);
        for (guint i = 0; i < walk.events->len; i++) {
            const char *text = g_array_index(walk.events, Event, i).text;

            check(g_str_has_prefix(text, "nop ") || g_str_equal(text, "begin") || g_str_equal(text, "commit"));
        }
        check_number(check_order_of_events(), 1);
        after = end_state();
        check_text(after, before);
        g_free(before);
        g_free(after);
    }
    walk_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/I-3/regions-shadows-follow-the-views", shadows_follow_the_views);
    conformance_case("/I-6/regions-grouping-does-not-matter", grouping_does_not_matter);
    conformance_case("/I-6/regions-empty-transactions", empty_transactions_are_silent);
    conformance_case("/I-7/regions-setting-again", setting_again_is_silent);
    conformance_case("/I-7/regions-forced-commit", forced_commits_say_nop);
    return g_test_run();
}
