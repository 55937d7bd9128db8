/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recording listeners, and sections and views as text. */
#include "conformance.h"

#include <inttypes.h>
#include <string.h>

/* ---- text ---- */

char *text_of_int128(Int128 value)
{
    bool negative = int128_nz(value) && !int128_nonneg(value);
    Int128 magnitude = negative ? int128_neg(value) : value;
    uint64_t high = int128_getlo(int128_rshift(magnitude, 64));
    uint64_t low = int128_getlo(magnitude);
    const char *sign = negative ? "-" : "";

    if (high) {
        return g_strdup_printf("%s0x%" PRIx64 "%016" PRIx64, sign, high, low);
    }
    return low ? g_strdup_printf("%s0x%" PRIx64, sign, low) : g_strdup("0");
}

static void append_int128(GString *text, Int128 value)
{
    char *number = text_of_int128(value);

    g_string_append(text, number);
    g_free(number);
}

static void append_range(GString *text, const MemoryRegion *mr, Int128 start, Int128 size, hwaddr offset)
{
    const char *name = mr ? memory_region_name(mr) : "-";

    g_string_append(text, name ? name : "(null)");
    g_string_append_c(text, '[');
    append_int128(text, start);
    g_string_append_c(text, ',');
    append_int128(text, int128_add(start, size));
    g_string_append_c(text, ')');
    if (offset) {
        g_string_append_printf(text, "@0x%" PRIx64, (uint64_t)offset);
    }
}

static void append_section(GString *text, const MemoryRegionSection *section)
{
    append_range(text, section->mr, int128_make64(section->offset_within_address_space), section->size,
                 section->offset_within_region);
    g_string_append(text, section->readonly ? " ro" : "");
    g_string_append(text, section->nonvolatile ? " nv" : "");
}

char *text_of_section(const MemoryRegionSection *section)
{
    GString *text = g_string_new(NULL);

    append_section(text, section);
    return g_string_free(text, FALSE);
}

static void separate(GString *text)
{
    if (text->len) {
        g_string_append(text, ", ");
    }
}

static bool append_walked_range(Int128 start, Int128 size, const MemoryRegion *mr, hwaddr offset,
                                void *opaque)
{
    GString *text = opaque;

    separate(text);
    append_range(text, mr, start, size, offset);
    return false;
}

char *text_of_flatview(FlatView *fv)
{
    GString *text = g_string_new(NULL);

    flatview_for_each_range(fv, append_walked_range, text);
    return g_string_free(text, FALSE);
}

typedef struct {
    MemoryListener listener;
    GString *text;
} ViewReader;

static void view_region_add(MemoryListener *listener, MemoryRegionSection *section)
{
    ViewReader *reader = (ViewReader *)listener;

    separate(reader->text);
    append_section(reader->text, section);
}

static void view_log_start(MemoryListener *listener, MemoryRegionSection *section, int old, int new)
{
    ViewReader *reader = (ViewReader *)listener;

    (void)section;
    (void)old;
    g_string_append_printf(reader->text, " log=%d", new);
}

/* Only a listener hears of a range's flags and mask: one that joins now is told the whole view (R-LST-4). */
char *text_of_view(AddressSpace *as)
{
    ViewReader reader = {
        .listener = { .region_add = view_region_add, .log_start = view_log_start, .name = "view reader" },
        .text = g_string_new(NULL),
    };

    memory_listener_register(&reader.listener, as);
    memory_listener_unregister(&reader.listener);
    return g_string_free(reader.text, FALSE);
}

char *text_of_find(MemoryRegion *mr, hwaddr addr, uint64_t size)
{
    MemoryRegionSection section = memory_region_find(mr, addr, size);
    char *text;

    if (section.mr) {
        text = text_of_section(&section);
        memory_region_unref(section.mr);
        return text;
    }
    /* R-FIND-2: everything is zero then, not only mr. */
    check(!section.fv);
    check(!int128_nz(section.size));
    check_number(section.offset_within_region, 0);
    check_number(section.offset_within_address_space, 0);
    check(!section.readonly && !section.nonvolatile);
    return g_strdup("-");
}

/* ---- recorders ---- */

/* The last line of `log` is about this event; does it end in a list of names that ours can join? */
static bool join_last_line(GString *log, const char *event, const char *name)
{
    size_t length = strlen(event);
    char *head = g_strdup_printf("%s : ", event);
    bool joined = false;

    if (log->len && log->str[log->len - 1] == '\n') {
        const char *line = log->str + log->len - 1;

        while (line > log->str && line[-1] != '\n') {
            line--;
        }
        if (g_str_has_prefix(line, head)) {
            char *names = g_strndup(line + length + 3, strcspn(line + length + 3, "\n"));
            char **list = g_strsplit(names, " ", -1);

            /* The same listener twice is two events. */
            joined = !g_strv_contains((const char *const *)list, name);
            g_strfreev(list);
            g_free(names);
        }
    }
    g_free(head);
    if (joined) {
        g_string_truncate(log, log->len - 1);
        g_string_append_printf(log, " %s\n", name);
    }
    return joined;
}

static void record(MemoryListener *listener, const char *event, MemoryRegionSection *section, GString *detail)
{
    Recorder *recorder = (Recorder *)listener;

    if (!recorder->quiet) {
        GString *line = g_string_new(event);

        if (detail) {
            g_string_append_printf(line, " %s", detail->str);
        }
        if (!recorder->name) {
            g_string_append_printf(recorder->log, "%s\n", line->str);
        } else if (!join_last_line(recorder->log, line->str, recorder->name)) {
            g_string_append_printf(recorder->log, "%s : %s\n", line->str, recorder->name);
        }
        g_string_free(line, TRUE);
    }
    if (detail) {
        g_string_free(detail, TRUE);
    }
    if (recorder->hook) {
        recorder->hook(recorder, event, section);
    }
}

static GString *section_detail(const MemoryRegionSection *section)
{
    GString *detail = g_string_new(NULL);

    append_section(detail, section);
    return detail;
}

#define RECORD_PLAIN(event) \
    static void record_##event(MemoryListener *listener) \
    { \
        record(listener, #event, NULL, NULL); \
    }
#define RECORD_SECTION(event) \
    static void record_##event(MemoryListener *listener, MemoryRegionSection *section) \
    { \
        record(listener, #event, section, section_detail(section)); \
    }
#define RECORD_LOG(event) \
    static void record_##event(MemoryListener *listener, MemoryRegionSection *section, int old, int new) \
    { \
        GString *detail = section_detail(section); \
        g_string_append_printf(detail, " %d->%d", old, new); \
        record(listener, #event, section, detail); \
    }
#define RECORD_EVENTFD(event) \
    static void record_##event(MemoryListener *listener, MemoryRegionSection *section, bool match_data, \
                               uint64_t data, EventNotifier *e) \
    { \
        record(listener, #event, section, eventfd_detail(section, match_data, data, e)); \
    }
#define RECORD_COALESCED(event) \
    static void record_##event(MemoryListener *listener, MemoryRegionSection *section, hwaddr addr, \
                               hwaddr len) \
    { \
        GString *detail = g_string_new(NULL); \
        g_string_append_printf(detail, "0x%" PRIx64 "+0x%" PRIx64 " in ", (uint64_t)addr, (uint64_t)len); \
        append_section(detail, section); \
        record(listener, #event, section, detail); \
    }

/* R-LST-7: an eventfd's section names no region, has no offset and no flags; if it does, that is written. */
static GString *eventfd_detail(const MemoryRegionSection *section, bool match_data, uint64_t data,
                               EventNotifier *e)
{
    GString *detail = g_string_new(NULL);

    append_int128(detail, int128_make64(section->offset_within_address_space));
    g_string_append_c(detail, '+');
    append_int128(detail, section->size);
    g_string_append_printf(detail, " data 0x%" PRIx64 "%s %s", data, match_data ? " match" : "",
                           stage_notifier_name(e));
    if (section->mr || section->offset_within_region || section->readonly || section->nonvolatile) {
        g_string_append(detail, " SECTION ");
        append_section(detail, section);
    }
    return detail;
}

RECORD_PLAIN(begin)
RECORD_PLAIN(commit)
RECORD_SECTION(region_add)
RECORD_SECTION(region_del)
RECORD_SECTION(region_nop)
RECORD_LOG(log_start)
RECORD_LOG(log_stop)
RECORD_SECTION(log_sync)
RECORD_SECTION(log_clear)
RECORD_PLAIN(log_global_start)
RECORD_PLAIN(log_global_stop)
RECORD_PLAIN(log_global_after_sync)
RECORD_EVENTFD(eventfd_add)
RECORD_EVENTFD(eventfd_del)
RECORD_COALESCED(coalesced_io_add)
RECORD_COALESCED(coalesced_io_del)

void recorder_fill(Recorder *recorder, const char *name, unsigned priority, GString *log)
{
    *recorder = (Recorder) {
        .listener = {
            .begin = record_begin,
            .commit = record_commit,
            .region_add = record_region_add,
            .region_del = record_region_del,
            .region_nop = record_region_nop,
            .log_start = record_log_start,
            .log_stop = record_log_stop,
            .log_sync = record_log_sync,
            .log_clear = record_log_clear,
            .log_global_start = record_log_global_start,
            .log_global_stop = record_log_global_stop,
            .log_global_after_sync = record_log_global_after_sync,
            .eventfd_add = record_eventfd_add,
            .eventfd_del = record_eventfd_del,
            .coalesced_io_add = record_coalesced_io_add,
            .coalesced_io_del = record_coalesced_io_del,
            .priority = priority,
            .name = name ? name : "recorder",
        },
        .name = name,
        .log = log,
    };
}

Recorder *recorder_watch(AddressSpace *as, const char *name, unsigned priority, GString *log)
{
    Recorder *recorder = recorder_new(name, priority, log);

    recorder->quiet = true;
    recorder_register(recorder, as);
    recorder->quiet = false;
    return recorder;
}
