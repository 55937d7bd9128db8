/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.4: what a source sends, and in which order. */
#include <string.h>

#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "postcopy_peer.h"
#include "qemu/main-loop.h"

/* --- pages --- */

static void ask_as_in_the_example(void)
{
    const uint64_t page = TARGET_PAGE_SIZE;

    check_number(peer_say(3, "pc.ram", 3000 * page, (uint32_t)host_page), 0);
    check_number(peer_say(4, NULL, 0, (uint32_t)host_page), 0);
    check_number(peer_say(3, "pc.ram", 2000 * page, (uint32_t)(2 * host_page)), 0);
}

/* First come first served; then the scan goes on behind what was asked for (R-PC-42's example). */
static void order(void)
{
    const unsigned whole = (unsigned)(host_page / TARGET_PAGE_SIZE);
    char *records, *text, *expected;
    GArray *pages;

    source_begin();
    for (unsigned page = 0; page < SOURCE_PAGES; page += 3) {
        source_ram->host[page * TARGET_PAGE_SIZE + page % 64] = 1;
    }
    peer.request_after = 96;
    peer.requests = ask_as_in_the_example;
    check_number(source_migrate(), 0);
    pages = source_pages_sent(&records);
    text = text_of_runs(pages);
    expected = whole == 1 ? g_strdup("0-95 3000 2000-2999 3001-4095 96-1999")
                          : g_strdup_printf("0-95 3000-%u 2000-2999 %u-4095 96-1999", 2999 + whole, 3000 + whole);
    check_text(text, expected);
    check(g_str_has_prefix(records, "C1C2C3SC6C2C7C4C5C2P"));
    check(g_str_has_suffix(records, "PEF"));
    check_number(pages->len, SOURCE_PAGES);
    check_number(source.counters.sent, SOURCE_PAGES);
    check_number(source.counters.requests, 3);
    check_number(source.counters.ignored, whole);
    check_number(source.counters.syncs, 2);
    check_number(peer.stopped, 1);
    check_number(peer.resumed, 0);
    g_free(records);
    g_free(text);
    g_free(expected);
    g_array_unref(pages);
    source_end();
}

/* Pages of the backing in each section: 64, as long as there are so many. */
static struct {
    StreamReading reading;
    size_t section;             /* where its letter is in the records */
    unsigned pages, longest, sections;
} parts;

static void count_page(void *opaque, const char *name, uint64_t offset, const uint8_t *data)
{
    (void)opaque;
    (void)name;
    (void)offset;
    (void)data;
    if (parts.reading.records->len != parts.section) {
        parts.section = parts.reading.records->len;
        parts.pages = 0;
        parts.sections++;
    }
    parts.pages++;
    parts.longest = MAX(parts.longest, parts.pages);
}

static void sections(void)
{
    const unsigned whole = (unsigned)(host_page / TARGET_PAGE_SIZE);

    source_begin();
    check_number(source_migrate(), 0);
    memset(&parts, 0, sizeof(parts));
    parts.reading = (StreamReading){ .records = g_string_new(NULL), .page = count_page };
    check(read_stream(peer.stream, &parts.reading));
    check_number(parts.longest, 64 * whole);
    check_number(parts.sections, SOURCE_PAGES / whole / 64);
    g_string_free(parts.reading.records, TRUE);
    source_end();
}

/* A peer that waits for a PONG knows by its number what has been read. */
static void pings(void)
{
    StreamReading reading = { .records = g_string_new(NULL), .pings = g_string_new(NULL) };

    source_begin();
    check_number(source_migrate(), 0);
    check(read_stream(peer.stream, &reading));
    check_text(reading.pings->str, "1 2 4 ");
    g_string_free(reading.records, TRUE);
    g_string_free(reading.pings, TRUE);
    source_end();
}

static void note_discard(void *opaque, const char *name, uint64_t start, uint64_t length)
{
    check_text(name, "pc.ram");
    g_string_append_printf(opaque, "%" PRIu64 "+%" PRIu64 " ", start >> TARGET_PAGE_BITS, length >> TARGET_PAGE_BITS);
}

/* Precopy, then the switch: what became dirty is announced in whole pages of the backing, and sent again. */
static void switch_over(void)
{
    const unsigned whole = (unsigned)(host_page / TARGET_PAGE_SIZE);
    GString *discards = g_string_new(NULL);
    StreamReading reading = { .records = g_string_new(NULL), .discard = note_discard, .opaque = discards };
    char *expected;

    source_begin();
    source.start_postcopy = false;
    peer.dirty_at_stop = 4 * whole + 1 + (whole > 1);
    check_number(source_migrate(), 0);
    check(read_stream(peer.stream, &reading));
    expected = g_strdup_printf("%u+%u ", 4 * whole, whole);
    check_text(discards->str, expected);
    g_free(expected);
    check_number(source.counters.syncs, 3);
    check_number(source.counters.sent, SOURCE_PAGES + whole);
    check_number(source.counters.discard_commands, 1);
    check_number(source.counters.discard_ranges, 1);
    check_number(peer.stopped, 1);
    g_string_free(discards, TRUE);
    g_string_free(reading.records, TRUE);
    source_end();
    /* Nothing dirty at all: a DISCARD has to go out all the same (R-PC-2). */
    source_begin();
    source.start_postcopy = false;
    check_number(source_migrate(), 0);
    check_number(source.counters.discard_commands, 1);
    check_number(source.counters.discard_ranges, 1);
    check_number(source.counters.sent, SOURCE_PAGES + whole);
    discards = g_string_new(NULL);
    reading = (StreamReading){ .records = g_string_new(NULL), .discard = note_discard, .opaque = discards };
    check(read_stream(peer.stream, &reading));
    expected = g_strdup_printf("0+%u ", whole);
    check_text(discards->str, expected);                /* and it is sent once more */
    g_free(expected);
    g_string_free(discards, TRUE);
    g_string_free(reading.records, TRUE);
    source_end();
}

/* Host pages are sent in one go, whatever is asked for meanwhile. */
static void ask_for_much(void)
{
    const uint64_t last = SOURCE_PAGES * TARGET_PAGE_SIZE / host_page - 1;

    for (unsigned i = 0; i < 32; i++) {
        check_number(peer_say(3, "pc.ram", (last - i * 7) * host_page, (uint32_t)host_page), 0);
    }
}

static void back_to_back(void)
{
    const unsigned whole = (unsigned)(host_page / TARGET_PAGE_SIZE);
    GArray *pages;

    source_begin();
    peer.request_after = 10 * whole;
    peer.requests = ask_for_much;
    check_number(source_migrate(), 0);
    pages = source_pages_sent(NULL);
    check_number(pages->len, SOURCE_PAGES);
    for (guint i = 0; i < pages->len; i++) {
        check_number(g_array_index(pages, uint32_t, i) % whole, i % whole);
    }
    g_array_unref(pages);
    source_end();
}

/* Dirty again as soon as it is clean: the rounds are counted. */
static void write_much(void)
{
    qemu_mutex_lock_iothread();
    memory_region_set_dirty(source_ram->mr, 0, 100 * TARGET_PAGE_SIZE);
    qemu_mutex_unlock_iothread();
}

static void rounds(void)
{
    source_begin();
    source.start_postcopy = false;
    source.max_rounds = 5;
    source.stop_writers = NULL;                     /* hooks are optional */
    peer.at_send = write_much;
    check_number(source_migrate(), 0);
    check_number(source.counters.syncs, 5 + 1);     /* and the last look */
    source_end();
}

static unsigned dirtied;

/* Once: found by the first look that follows. */
static void write_some(void)
{
    peer.at_send = NULL;
    qemu_mutex_lock_iothread();
    memory_region_set_dirty(source_ram->mr, 0, dirtied * TARGET_PAGE_SIZE);
    qemu_mutex_unlock_iothread();
}

/* Fewer than 64 pages are few enough to stop the guest for. */
static void convergence(void)
{
    for (dirtied = 63; dirtied <= 64; dirtied++) {
        source_begin();
        source.start_postcopy = false;
        peer.at_send = write_some;
        check_number(source_migrate(), 0);
        /* at the start, when all had been sent, perhaps once more, and when the writers had stopped */
        check_number(source.counters.syncs, dirtied < 64 ? 3 : 4);
        source_end();
    }
}

static unsigned syncs, after_syncs;

/* What an accelerator knew by itself until the writers had stopped. */
static void on_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    (void)listener;
    check_number(after_syncs, syncs++);
    if (peer.stopped) {
        memory_region_set_dirty(section->mr, 0, host_page);
    }
}

static void on_after_sync(MemoryListener *listener)
{
    (void)listener;
    check_number(++after_syncs, syncs);
}

/* Each look asks those who log, and tells them when it is over. */
static void asks_listeners(void)
{
    MemoryListener listener = { .name = "accelerator", .log_sync = on_sync, .log_global_after_sync = on_after_sync };
    const unsigned whole = (unsigned)(host_page / TARGET_PAGE_SIZE);
    MemoryRegion *root = stage_container("root", SOURCE_PAGES * TARGET_PAGE_SIZE);

    source_begin();
    stage_add(root, 0, source_ram->mr);
    syncs = after_syncs = 0;
    memory_listener_register(&listener, stage_space(root, "as"));
    source.start_postcopy = false;
    check_number(source_migrate(), 0);
    check_number(source.counters.syncs, 3);
    check_number(after_syncs, 3);
    check_number(source.counters.sent, SOURCE_PAGES + whole);
    memory_listener_unregister(&listener);
    stage_del(root, source_ram->mr);
    memcore_drain();
    source_end();
}

/* What a manager has discarded is neither read nor sent. */
static void managed(void)
{
    const unsigned whole = (unsigned)(host_page / TARGET_PAGE_SIZE);
    MemoryRegion *root = stage_container("root", SOURCE_PAGES * TARGET_PAGE_SIZE);
    BitmapDiscardManager *manager;
    GArray *pages;
    char *text, *expected;

    source_begin();
    manager = bitmap_discard_manager_new(source_ram->mr, host_page, NULL, &error_abort);
    stage_add(root, 0, source_ram->mr);
    check_number(bitmap_discard_manager_plug(manager, 16 * host_page, 4 * host_page), 0);
    check_number(source_migrate(), 0);
    pages = source_pages_sent(NULL);
    text = text_of_runs(pages);
    expected = g_strdup_printf("%u-%u", 16 * whole, 20 * whole - 1);
    check_text(text, expected);
    g_free(expected);
    g_free(text);
    g_array_unref(pages);
    stage_del(root, source_ram->mr);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
    source_end();
}

static void machine_names(void)
{
    char longest[257];

    memset(longest, 'm', sizeof(longest));
    longest[255] = 0;
    source_begin();
    source.machine = longest;
    check_number(source_migrate(), 0);
    source_end();
    longest[255] = 'm';
    longest[256] = 0;
    source_begin();
    source.machine = longest;
    check_number(source_migrate(), (uint64_t)-1);
    source_end();
    source_begin();
    source.machine = "";
    check_number(source_migrate(), (uint64_t)-1);
    source_end();
}

/* --- discard commands --- */

static void discard_commands(void)
{
    static const guint16 lengths[] = { 201, 201, 201, 201, 201, 73 };
    GString *discards = g_string_new(NULL);
    StreamReading reading = {
        .records = g_string_new(NULL), .discard = note_discard, .opaque = discards,
        .discard_lengths = g_array_new(FALSE, FALSE, sizeof(guint16)),
    };
    PostcopyDiscardState *pds;
    char name[] = "pc.ram";

    source_begin();
    put_begin(peer.stream, "none");
    pds = postcopy_discard_send_init(&source, 1000, name);
    name[0] = 'x';                              /* the name was copied */
    for (unsigned i = 0; i < 64; i++) {
        postcopy_discard_send_range(&source, pds, 1000 + 2 * i, 1);
        check_number(peer.sends, (i + 1) / 12);
    }
    postcopy_discard_send_finish(&source, pds);
    check_number(peer.sends, 6);
    check(read_stream(peer.stream, &reading));
    check_text(reading.records->str, "C6C6C6C6C6C6");
    check_number(reading.discard_lengths->len, 6);
    check(memcmp(reading.discard_lengths->data, lengths, sizeof(lengths)) == 0);
    check(g_str_has_prefix(discards->str, "0+1 2+1 4+1 "));
    check(g_str_has_suffix(discards->str, " 126+1 "));
    check_number(source.counters.discard_ranges, 64);
    check(!source.discard_error);
    pds = postcopy_discard_send_init(&source, 0, "pc.ram");
    postcopy_discard_send_finish(&source, pds);     /* nothing to say */
    check_number(peer.sends, 6);
    g_string_free(discards, TRUE);
    g_string_free(reading.records, TRUE);
    g_array_unref(reading.discard_lengths);
    source_end();
}

static void discard_misuse(void)
{
    static const struct {
        unsigned long start, length;
    } bad[] = { { 999, 1 }, { 1000, 0 }, { 1001, ULONG_MAX }, { ULONG_MAX, 2 }, { 1000, ULONG_MAX / 2 } };

    for (size_t i = 0; i <= G_N_ELEMENTS(bad); i++) {
        PostcopyDiscardState *pds;

        source_begin();
        pds = postcopy_discard_send_init(&source, 1000, "pc.ram");
        if (i < G_N_ELEMENTS(bad)) {
            postcopy_discard_send_range(&source, pds, bad[i].start, bad[i].length);
        } else {
            postcopy_discard_send_range(&source, NULL, 1000, 1);
        }
        check(source.discard_error);
        postcopy_discard_send_finish(&source, pds);
        check_number(peer.sends, 0);
        source_end();
    }
    source_begin();
    PostcopyDiscardState *far = postcopy_discard_send_init(&source, ULONG_MAX, "pc.ram");

    postcopy_discard_send_range(&source, far, 0, 1);
    check(source.discard_error);
    postcopy_discard_send_finish(&source, far);
    check_number(peer.sends, 0);
    source_end();
    source_begin();
    postcopy_discard_send_finish(&source, NULL);
    check(source.discard_error);
    source_end();
    /* The last page of all, and the one behind it. */
    for (unsigned behind = 0; behind < 2; behind++) {
        source_begin();
        far = postcopy_discard_send_init(&source, 0, "pc.ram");
        postcopy_discard_send_range(&source, far, (UINT64_MAX >> TARGET_PAGE_BITS) - 1 + behind, 1);
        check_number(source.discard_error, behind);
        postcopy_discard_send_finish(&source, far);
        check_number(peer.sends, !behind);
        source_end();
    }
    char *long_name = g_strnfill(256, 'x');
    const char *const names[] = { NULL, "", long_name };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        source_begin();
        check_pointer(postcopy_discard_send_init(&source, 0, names[i]), NULL);
        check(source.discard_error);
        source_end();
    }
    long_name[255] = '\0';      /* as long as a message can say */
    source_begin();
    postcopy_discard_send_finish(&source, postcopy_discard_send_init(&source, 0, long_name));
    check(!source.discard_error);
    source_end();
    g_free(long_name);
    /* Nor can one be sent where nobody listens; there need not be a migration for that. */
    source_begin();
    peer.fail_at = 1;
    far = postcopy_discard_send_init(&source, 0, "pc.ram");
    postcopy_discard_send_range(&source, far, 0, 1);
    postcopy_discard_send_finish(&source, far);
    check_number(source.status, MIGRATION_STATUS_FAILED);
    check(source.error && strstr(error_get_pretty(source.error), "cannot be sent"));
    source_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-40/switch", switch_over);
    postcopy_case("/R-PC-40/asks-listeners", asks_listeners);
    postcopy_case("/R-PC-40/rounds", rounds);
    postcopy_case("/R-PC-40/convergence", convergence);
    postcopy_case("/R-PC-41/commands", discard_commands);
    postcopy_case("/R-PC-41/misuse", discard_misuse);
    postcopy_case("/R-PC-42/order", order);
    postcopy_case("/R-PC-43/sections", sections);
    postcopy_case("/R-PC-43/back-to-back", back_to_back);
    postcopy_case("/R-PC-52/managed", managed);
    postcopy_case("/R-STRM-3/machine-names-sent", machine_names);
    postcopy_case("/R-WIRE-6/pings", pings);
    return g_test_run();
}
