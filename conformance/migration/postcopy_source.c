/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.4: what a source sends, and in which order. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "postcopy_guest.h"
#include "postcopy_stream.h"
#include "qemu/main-loop.h"

enum { PAGES = 4096 };

static size_t host_page;
static RAMBlock *ram;
static MigrationState ms;

/* --- a destination that says what the case wants -------------------------------------------------- */

static struct {
    GByteArray *stream;
    uint64_t pages;                     /* target pages sent after the switch */
    unsigned sends, fail_at;            /* this call of send fails; 0: none */
    bool packaged;
    uint64_t request_after;             /* so many pages, `requests` are made; 0: never */
    void (*requests)(void);
    uint32_t shut;
    bool silent;                        /* does not say SHUT */
    unsigned stopped, resumed;
    uint64_t dirty_at_stop;             /* this page, plus 1, is written to when the writers stop; 0: none */
    void (*at_send)(void);              /* at each call of send, before anything else; or NULL */
    void (*at_stop)(void);
    void (*at_end)(void);               /* instead of SHUT */
} peer;

static int say(uint16_t type, const char *name, uint64_t start, uint32_t length)
{
    GByteArray *message = g_byte_array_new();
    int result;

    put(message, type, 2);
    put(message, type < 3 ? 4 : name ? 13 + strlen(name) : 12, 2);
    if (type >= 3) {
        put(message, start, 8);
    }
    put(message, length, 4);
    if (name) {
        put_name(message, name);
    }
    result = ram_migrate_return(&ms, message->data, message->len);
    g_byte_array_unref(message);
    return result;
}

/* Pages go out one by one, each in a call; the last call has the EOF. */
static int hear(void *opaque, const void *from, size_t length)
{
    const uint8_t *bytes = from;

    (void)opaque;
    check(!ms.source || !qemu_mutex_iothread_locked());
    if (peer.at_send) {
        peer.at_send();
    }
    if (++peer.sends == peer.fail_at) {
        return -EPIPE;
    }
    g_byte_array_append(peer.stream, bytes, (guint)length);
    if (ms.status == MIGRATION_STATUS_POSTCOPY_ACTIVE) {
        peer.packaged = true;
        if (peer.requests && READ_COUNTER(ms.counters.sent) >= peer.request_after) {
            void (*requests)(void) = peer.requests;

            peer.requests = NULL;
            requests();
        }
        if (bytes[length - 1] == 0 && bytes[length - 6] == 0x7e) {
            if (peer.at_end) {
                peer.at_end();
            } else if (!peer.silent) {
                say(1, NULL, 0, peer.shut);
            }
        }
    }
    return 0;
}

static void stop(void *opaque)
{
    (void)opaque;
    peer.stopped++;
    if (peer.at_stop) {
        peer.at_stop();
    }
    if (peer.dirty_at_stop) {
        ram->host[(peer.dirty_at_stop - 1) * TARGET_PAGE_SIZE] ^= 0xff;
        qemu_mutex_lock_iothread();
        memory_region_set_dirty(ram->mr, (peer.dirty_at_stop - 1) * TARGET_PAGE_SIZE, 1);
        qemu_mutex_unlock_iothread();
    }
}

static void resume(void *opaque)
{
    (void)opaque;
    peer.resumed++;
}

static void begin(void)
{
    host_page = (size_t)sysconf(_SC_PAGESIZE);
    memset(&peer, 0, sizeof(peer));
    peer.stream = g_byte_array_new();
    ram = stage_block(KIND_ANONYMOUS, "pc.ram", PAGES * TARGET_PAGE_SIZE);
    ms = (MigrationState){
        .transport = { .send = hear },
        .stop_writers = stop,
        .resume_writers = resume,
        .start_postcopy = true,
    };
}

static int migrate(void)
{
    int result;

    qemu_mutex_unlock_iothread();
    result = ram_migrate_source(&ms);
    qemu_mutex_lock_iothread();
    check_pointer(ms.source, NULL);
    check_pointer(ram->bmap, NULL);
    check_number(ms.status, result == 0 ? MIGRATION_STATUS_COMPLETED : MIGRATION_STATUS_FAILED);
    check_number(ms.error != NULL, result != 0);
    return result;
}

static void end(void)
{
    error_free(ms.error);
    ms.error = NULL;
    g_byte_array_unref(peer.stream);
    stage_release(ram->mr);
    memcore_drain();
}

/* --- what was sent ---------------------------------------------------------------------------------- */

static void note_page(void *opaque, const char *name, uint64_t offset, const uint8_t *data)
{
    static const uint8_t zeroes[1 << 16];
    const uint32_t page = (uint32_t)(offset / TARGET_PAGE_SIZE);

    check_text(name, "pc.ram");
    check(memcmp(data ? data : zeroes, ram->host + offset, TARGET_PAGE_SIZE) == 0);
    g_array_append_val((GArray *)opaque, page);
}

static GArray *pages_sent(char **records)
{
    GArray *pages = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    StreamReading reading = { .records = g_string_new(NULL), .page = note_page, .opaque = pages };

    check(read_stream(peer.stream, &reading));
    if (records) {
        *records = g_string_free(reading.records, FALSE);
    } else {
        g_string_free(reading.records, TRUE);
    }
    return pages;
}

/* "0-95 3000 2000-2999": ascending runs. */
static char *runs(const GArray *pages)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0, start = 0; i < pages->len; i++) {
        const uint32_t page = g_array_index(pages, uint32_t, i);

        if (i + 1 == pages->len || g_array_index(pages, uint32_t, i + 1) != page + 1) {
            const uint32_t first = g_array_index(pages, uint32_t, start);

            g_string_append_printf(text, first == page ? "%s%u" : "%s%u-%u", start ? " " : "", first, page);
            start = i + 1;
        }
    }
    return g_string_free(text, FALSE);
}

static void ask_as_in_the_example(void)
{
    const uint64_t page = TARGET_PAGE_SIZE;

    check_number(say(3, "pc.ram", 3000 * page, (uint32_t)host_page), 0);
    check_number(say(4, NULL, 0, (uint32_t)host_page), 0);
    check_number(say(3, "pc.ram", 2000 * page, (uint32_t)(2 * host_page)), 0);
}

/* First come first served; then the scan goes on behind what was asked for (R-PC-42's example). */
static void order(void)
{
    const unsigned whole = (unsigned)((size_t)sysconf(_SC_PAGESIZE) / TARGET_PAGE_SIZE);
    char *records, *text, *expected;
    GArray *pages;

    begin();
    for (unsigned page = 0; page < PAGES; page += 3) {
        ram->host[page * TARGET_PAGE_SIZE + page % 64] = 1;
    }
    peer.request_after = 96;
    peer.requests = ask_as_in_the_example;
    check_number(migrate(), 0);
    pages = pages_sent(&records);
    text = runs(pages);
    expected = whole == 1 ? g_strdup("0-95 3000 2000-2999 3001-4095 96-1999")
                          : g_strdup_printf("0-95 3000-%u 2000-2999 %u-4095 96-1999", 2999 + whole, 3000 + whole);
    check_text(text, expected);
    check(g_str_has_prefix(records, "C1C2C3SC6C2C7C4C5C2P"));
    check(g_str_has_suffix(records, "PEF"));
    check_number(pages->len, PAGES);
    check_number(ms.counters.sent, PAGES);
    check_number(ms.counters.requests, 3);
    check_number(ms.counters.ignored, whole);
    check_number(ms.counters.syncs, 2);
    check_number(peer.stopped, 1);
    check_number(peer.resumed, 0);
    g_free(records);
    g_free(text);
    g_free(expected);
    g_array_unref(pages);
    end();
}

static void note_discard(void *opaque, const char *name, uint64_t start, uint64_t length)
{
    check_text(name, "pc.ram");
    g_string_append_printf(opaque, "%" PRIu64 "+%" PRIu64 " ", start >> TARGET_PAGE_BITS, length >> TARGET_PAGE_BITS);
}

/* Precopy, then the switch: what became dirty is announced in whole pages of the backing, and sent again. */
static void switch_over(void)
{
    const unsigned whole = (unsigned)((size_t)sysconf(_SC_PAGESIZE) / TARGET_PAGE_SIZE);
    GString *discards = g_string_new(NULL);
    StreamReading reading = { .records = g_string_new(NULL), .discard = note_discard, .opaque = discards };
    char *expected;

    begin();
    ms.start_postcopy = false;
    peer.dirty_at_stop = 4 * whole + 1 + (whole > 1);
    check_number(migrate(), 0);
    check(read_stream(peer.stream, &reading));
    expected = g_strdup_printf("%u+%u ", 4 * whole, whole);
    check_text(discards->str, expected);
    g_free(expected);
    check_number(ms.counters.syncs, 3);
    check_number(ms.counters.sent, PAGES + whole);
    check_number(ms.counters.discard_commands, 1);
    check_number(ms.counters.discard_ranges, 1);
    check_number(peer.stopped, 1);
    g_string_free(discards, TRUE);
    g_string_free(reading.records, TRUE);
    end();
    /* Nothing dirty at all: a DISCARD has to go out all the same (R-PC-2). */
    begin();
    ms.start_postcopy = false;
    check_number(migrate(), 0);
    check_number(ms.counters.discard_commands, 1);
    check_number(ms.counters.discard_ranges, 1);
    check_number(ms.counters.sent, PAGES + whole);
    end();
}

/* Host pages are sent in one go, whatever is asked for meanwhile. */
static void ask_for_much(void)
{
    for (unsigned i = 0; i < 32; i++) {
        check_number(say(3, "pc.ram", (PAGES * TARGET_PAGE_SIZE / host_page - 1 - i * 7) * host_page, (uint32_t)host_page), 0);
    }
}

static void back_to_back(void)
{
    const unsigned whole = (unsigned)((size_t)sysconf(_SC_PAGESIZE) / TARGET_PAGE_SIZE);
    GArray *pages;

    begin();
    peer.request_after = 10 * whole;
    peer.requests = ask_for_much;
    check_number(migrate(), 0);
    pages = pages_sent(NULL);
    check_number(pages->len, PAGES);
    for (guint i = 0; i < pages->len; i++) {
        check_number(g_array_index(pages, uint32_t, i) % whole, i % whole);
    }
    g_array_unref(pages);
    end();
}

/* --- discard commands --------------------------------------------------------------------------------- */

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

    begin();
    put_begin(peer.stream, "none");
    pds = postcopy_discard_send_init(&ms, 1000, name);
    name[0] = 'x';                              /* the name was copied */
    for (unsigned i = 0; i < 64; i++) {
        postcopy_discard_send_range(&ms, pds, 1000 + 2 * i, 1);
        check_number(peer.sends, (i + 1) / 12);
    }
    postcopy_discard_send_finish(&ms, pds);
    check_number(peer.sends, 6);
    check(read_stream(peer.stream, &reading));
    check_text(reading.records->str, "C6C6C6C6C6C6");
    check_number(reading.discard_lengths->len, 6);
    check(memcmp(reading.discard_lengths->data, lengths, sizeof(lengths)) == 0);
    check(g_str_has_prefix(discards->str, "0+1 2+1 4+1 "));
    check(g_str_has_suffix(discards->str, " 126+1 "));
    check_number(ms.counters.discard_ranges, 64);
    check(!ms.discard_error);
    pds = postcopy_discard_send_init(&ms, 0, "pc.ram");
    postcopy_discard_send_finish(&ms, pds);     /* nothing to say */
    check_number(peer.sends, 6);
    g_string_free(discards, TRUE);
    g_string_free(reading.records, TRUE);
    g_array_unref(reading.discard_lengths);
    end();
}

static void discard_misuse(void)
{
    static const struct {
        unsigned long start, length;
    } bad[] = { { 999, 1 }, { 1000, 0 }, { 1001, ULONG_MAX }, { ULONG_MAX, 2 }, { 1000, ULONG_MAX / 2 } };

    for (size_t i = 0; i <= G_N_ELEMENTS(bad); i++) {
        PostcopyDiscardState *pds;

        begin();
        pds = postcopy_discard_send_init(&ms, 1000, "pc.ram");
        if (i < G_N_ELEMENTS(bad)) {
            postcopy_discard_send_range(&ms, pds, bad[i].start, bad[i].length);
        } else {
            postcopy_discard_send_range(&ms, NULL, 1000, 1);
        }
        check(ms.discard_error);
        postcopy_discard_send_finish(&ms, pds);
        check_number(peer.sends, 0);
        end();
    }
    begin();
    PostcopyDiscardState *far = postcopy_discard_send_init(&ms, ULONG_MAX, "pc.ram");

    postcopy_discard_send_range(&ms, far, 0, 1);
    check(ms.discard_error);
    postcopy_discard_send_finish(&ms, far);
    check_number(peer.sends, 0);
    end();
    begin();
    postcopy_discard_send_finish(&ms, NULL);
    check(ms.discard_error);
    end();
    char *long_name = g_strnfill(256, 'x');
    const char *const names[] = { NULL, "", long_name };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        begin();
        check_pointer(postcopy_discard_send_init(&ms, 0, names[i]), NULL);
        check(ms.discard_error);
        end();
    }
    g_free(long_name);
    /* Nor can one be sent where nobody listens; there need not be a migration for that. */
    begin();
    peer.fail_at = 1;
    far = postcopy_discard_send_init(&ms, 0, "pc.ram");
    postcopy_discard_send_range(&ms, far, 0, 1);
    postcopy_discard_send_finish(&ms, far);
    check_number(ms.status, MIGRATION_STATUS_FAILED);
    check(ms.error && strstr(error_get_pretty(ms.error), "cannot be sent"));
    end();
}

/* --- requests that are wrong ------------------------------------------------------------------------------ */

static struct {
    uint16_t type;
    const char *name;
    uint64_t start;
    uint32_t length;
} wrong;

static void ask_wrongly(void)
{
    check_number(say(wrong.type, wrong.name, wrong.start, wrong.length), (uint64_t)-EINVAL);
}

static void bad_requests(void)
{
    const uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
    const uint64_t all = PAGES * TARGET_PAGE_SIZE;
    const struct {
        uint16_t type;
        const char *name;
        uint64_t start;
        uint32_t length;
    } bad[] = {
        { 4, NULL, 0, page },           /* before any long form */
        { 3, "pc.rom", 0, page },
        { 3, "pc.ram", 0, 0 },
        { 3, "pc.ram", page / 2, page },
        { 3, "pc.ram", 0, page / 2 },
        { 3, "pc.ram", all, page },
        { 3, "pc.ram", all - page, 2 * page },
        { 3, "pc.ram", UINT64_MAX - page + 1, page },       /* wraps */
        { 3, "pc.ram", UINT64_MAX - page + 1, 2 * page },
        { 7, NULL, 0, 0 },
        { 1, NULL, 0, 1 },              /* SHUT: it has failed */
        { 1, NULL, 0, 0 },              /* SHUT: it has everything, long before the end */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        begin();
        wrong.type = bad[i].type;
        wrong.name = bad[i].name;
        wrong.start = bad[i].start;
        wrong.length = bad[i].length;
        peer.request_after = 10;
        peer.requests = ask_wrongly;
        peer.silent = true;
        if (!check_number(migrate(), (uint64_t)-1)) {
            g_test_message("row %zu", i);
        }
        check_number(peer.resumed, 0);          /* the guest may run there */
        end();
    }
}

static void ask_in_wrong_frames(void)
{
    static const uint8_t message[] = { 0, 2, 0, 4, 0, 0, 0, 1, 0 };

    check_number(ram_migrate_return(&ms, message, 3), (uint64_t)-EINVAL);
    check_number(ram_migrate_return(&ms, message, 7), (uint64_t)-EINVAL);
    check_number(ram_migrate_return(&ms, message, 9), (uint64_t)-EINVAL);
}

static void wrong_frames(void)
{
    begin();
    peer.request_after = 10;
    peer.requests = ask_in_wrong_frames;
    peer.silent = true;
    check_number(migrate(), (uint64_t)-1);
    check(ms.error && strstr(error_get_pretty(ms.error), "a message of 3 bytes on the return path has another length in it"));
    end();
}

/* The messages themselves, byte by byte. */
static const char *bad_message;

static void say_nonsense(void)
{
    GByteArray *message = g_byte_array_new();

    put_hex(message, bad_message);
    check_number(ram_migrate_return(&ms, message->data, message->len), (uint64_t)-EINVAL);
    g_byte_array_unref(message);
}

static void bad_messages(void)
{
    static const struct {
        const char *hex, *text;
    } bad[] = {
        { "00 01 00", "another length" },
        { "00 01 00 05 00 00 00 00", "another length" },
        { "00 01 00 00", "message 1 on the return path has 0 bytes, not 4" },
        { "00 04 00 04 00 00 00 00", "message 4 on the return path has 4 bytes, not 12" },
        { "00 03 00 0c 00 00 00 00 00 00 00 00 00 00 00 00", "has 12 bytes, not 14" },
        { "00 03 00 0e 00 00 00 00 00 00 00 00 00 00 00 00 02 61", "has 14 bytes, not 15" },
        { "00 03 00 0f 00 00 00 00 00 00 00 00 00 00 00 00 02 61 00", "NUL byte" },
    };
    GByteArray *much = g_byte_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        begin();
        bad_message = bad[i].hex;
        peer.request_after = 1;
        peer.requests = say_nonsense;
        check_number(migrate(), (uint64_t)-1);
        check(ms.error && strstr(error_get_pretty(ms.error), bad[i].text));
        end();
    }
    begin();
    g_byte_array_set_size(much, 4 + 0x10000);
    memset(much->data, 0, much->len);
    check_number(ram_migrate_return(&ms, much->data, much->len), (uint64_t)-EINVAL);    /* nobody migrates */
    check_pointer(ms.error, NULL);
    g_byte_array_unref(much);
    /* Instead of SHUT: the end that is waited for does not come any more. */
    bad_message = "00 07 00 00";
    peer.at_end = say_nonsense;
    check_number(migrate(), (uint64_t)-1);
    end();
    /* Before there is a page: the first call has the setup. */
    begin();
    bad_message = "00 07 00 00";
    ms.start_postcopy = false;
    peer.at_send = say_nonsense;
    check_number(migrate(), (uint64_t)-1);
    check_number(peer.sends + peer.stopped, 1);
    end();
}

static void ask_for_too_much(void)
{
    unsigned accepted = 0;

    while (say(3, "pc.ram", 0, (uint32_t)host_page) == 0) {
        accepted++;
    }
    check_number(accepted, PAGES + 1);
}

static void too_many_requests(void)
{
    begin();
    peer.request_after = 1;
    peer.requests = ask_for_too_much;
    check_number(migrate(), (uint64_t)-1);
    check(ms.error && strstr(error_get_pretty(ms.error), "more requests than there are pages"));
    end();
}

/* The connection breaks at each call: an Error; the guest goes on here if it cannot have started there. */
static void broken(void)
{
    unsigned calls, before = 0;

    begin();
    check_number(migrate(), 0);
    calls = peer.sends;
    end();
    for (unsigned call = 1; call <= calls; call += call < 8 || call > calls - 4 ? 1 : 97) {
        begin();
        peer.fail_at = call;
        check_number(migrate(), (uint64_t)-1);
        check_number(peer.resumed, call == 2);  /* call 1 has the setup, 2 the discards, 3 the package */
        check_number(peer.stopped, call > 1);
        before += !peer.packaged;
        end();
    }
    check_number(before, 3);
    begin();
    peer.silent = true;
    check_number(migrate(), (uint64_t)-1);      /* nobody has confirmed */
    end();
}

/* Before the switch nothing has been stopped yet, and nothing will be. */
static void broken_in_precopy(void)
{
    for (unsigned call = 1; call < 5; call++) {
        begin();
        ms.start_postcopy = false;
        ms.max_rounds = 2;
        peer.fail_at = call;
        check_number(migrate(), (uint64_t)-1);
        check_number(peer.sends, call);
        check_number(peer.stopped + peer.resumed, 0);
        end();
    }
}

/* A peer that says something and never reads: whoever waits in send must hear of it. */
static void peer_says(const void *message, size_t length)
{
    int fds[2];

    begin();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    ms.transport = migration_transport_socket(fds[0]);
    g_assert_cmpint(write(fds[1], message, length), ==, (ssize_t)length);
    memset(ram->host, 1, PAGES * TARGET_PAGE_SIZE);     /* more than a socket takes */
    check_number(migrate(), (uint64_t)-1);
    migration_transport_free(&ms.transport);
    close(fds[0]);
    close(fds[1]);
    end();
}

static void peer_does_not_read(void)
{
    peer_says("\0\1\0\4\0\0\0\1", 8);     /* SHUT 1 */
}

/* What the system takes of one send; 0: all. */
static size_t send_takes;

WRAPPED(ssize_t, send, int fd, const void *from, size_t length, int flags)
{
    return __real_send(fd, from, send_takes && send_takes < length ? send_takes : length, flags);
}

static void sent_in_parts(void)
{
    static const char message[] = "all of it, whatever the system takes at a time";
    MigrationTransport transport;
    char got[sizeof(message)] = "";
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    transport = migration_transport_socket(fds[0]);
    send_takes = 7;
    check_number(transport.send(transport.opaque, message, sizeof(message)), 0);
    send_takes = 0;
    check_number(read(fds[1], got, sizeof(got)), sizeof(message));
    check_number(memcmp(got, message, sizeof(message)), 0);
    migration_transport_free(&transport);
    close(fds[0]);
    close(fds[1]);
}

static void machine_names(void)
{
    char longest[257];

    memset(longest, 'm', sizeof(longest));
    longest[255] = 0;
    begin();
    ms.machine = longest;
    check_number(migrate(), 0);
    end();
    longest[255] = 'm';
    longest[256] = 0;
    begin();
    ms.machine = longest;
    check_number(migrate(), (uint64_t)-1);
    end();
    begin();
    ms.machine = "";
    check_number(migrate(), (uint64_t)-1);
    end();
}

static void message_too_long(void)
{
    static uint8_t message[4 + 0xffff] = { 0, 3, 0xff, 0xff };

    peer_says(message, 4 + 513);
    message[2] = 2;
    message[3] = 1;
    peer_says(message, 4 + 513);
    peer_says("\0\2\0", 4);               /* PONG of nothing */
}

/* Dirty again as soon as it is clean: the rounds are counted. */
static void write_much(void)
{
    qemu_mutex_lock_iothread();
    memory_region_set_dirty(ram->mr, 0, 100 * TARGET_PAGE_SIZE);
    qemu_mutex_unlock_iothread();
}

static void rounds(void)
{
    begin();
    ms.start_postcopy = false;
    ms.max_rounds = 5;
    ms.stop_writers = NULL;                     /* hooks are optional */
    peer.at_send = write_much;
    check_number(migrate(), 0);
    check_number(ms.counters.syncs, 5 + 1);     /* and the last look */
    end();
}

static void new_ram(void)
{
    qemu_mutex_lock_iothread();
    stage_ram("late", host_page);
    qemu_mutex_unlock_iothread();
}

static void longer_ram(void)
{
    RAMBlock *block = qemu_ram_block_by_name("flash");

    qemu_mutex_lock_iothread();
    check_number(qemu_ram_resize(block, 2 * host_page, &error_abort), 0);
    qemu_mutex_unlock_iothread();
}

static RAMBlock *resizeable(uint64_t size)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_resizeable_ram(mr, NULL, "flash", size, 4 * host_page, NULL, &error_fatal);
    stage_adopt(mr, NULL);
    qemu_ram_set_idstr(mr->ram_block, "flash", NULL);
    qemu_ram_set_migratable(mr->ram_block);
    return mr->ram_block;
}

/* Blocks must not come, go or change (R-PC-52): seen when the writers have stopped, who may then go on. */
static void blocks_change(void)
{
    for (unsigned what = 0; what < 3; what++) {
        RAMBlock *flash;

        begin();
        flash = resizeable(host_page);
        peer.at_stop = what ? longer_ram : new_ram;
        ms.resume_writers = what == 2 ? NULL : resume;
        check_number(migrate(), (uint64_t)-1);
        check(strstr(error_get_pretty(ms.error), "came, went or changed"));
        check_number(peer.resumed, what < 2);
        stage_release(flash->mr);
        end();
    }
}

static const void *devices(void *opaque, size_t *length)
{
    *length = (16 << 20) - 10 + 1;
    return opaque;
}

static void devices_too_long(void)
{
    begin();
    ms.save_devices = devices;
    check_number(migrate(), (uint64_t)-1);
    check(strstr(error_get_pretty(ms.error), "devices have 16777207 bytes"));
    check_number(peer.resumed, 1);
    end();
}

/* What a manager has discarded is neither read nor sent. */
static void managed(void)
{
    const unsigned whole = (unsigned)((size_t)sysconf(_SC_PAGESIZE) / TARGET_PAGE_SIZE);
    MemoryRegion *root = stage_container("root", PAGES * TARGET_PAGE_SIZE);
    BitmapDiscardManager *manager;
    GArray *pages;
    char *text, *expected;

    begin();
    manager = bitmap_discard_manager_new(ram->mr, host_page, NULL, &error_abort);
    stage_add(root, 0, ram->mr);
    check_number(bitmap_discard_manager_plug(manager, 16 * host_page, 4 * host_page), 0);
    check_number(migrate(), 0);
    pages = pages_sent(NULL);
    text = runs(pages);
    expected = g_strdup_printf("%u-%u", 16 * whole, 20 * whole - 1);
    check_text(text, expected);
    g_free(expected);
    g_free(text);
    g_array_unref(pages);
    stage_del(root, ram->mr);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
    end();
}

static void refused_ram(const char *text)
{
    check_number(migrate(), (uint64_t)-1);
    check(strstr(error_get_pretty(ms.error), text));
    check_number(peer.sends + peer.stopped, 0);
    error_free(ms.error);
    ms.error = NULL;
}

static void other_bad_ram(void)
{
    const int fd = memfd_create("pmem", MFD_CLOEXEC);
    MemoryRegion *pmem = stage_storage(sizeof(*pmem));
    unsigned long *foreign = g_new0(unsigned long, 1);
    RAMBlock *other;

    begin();
    qemu_ram_unset_migratable(ram);
    refused_ram("there is no RAM");
    other = resizeable(0);
    refused_ram("it is empty");
    stage_release(other->mr);
    memory_region_init_ram_from_fd(pmem, NULL, "pmem", host_page, RAM_PMEM, fd, 0, &error_fatal);
    stage_adopt(pmem, NULL);
    qemu_ram_set_idstr(pmem->ram_block, "pmem", NULL);
    qemu_ram_set_migratable(pmem->ram_block);
    refused_ram("persistent memory");
    qemu_ram_unset_migratable(pmem->ram_block);
    other = stage_block(KIND_SHARED, "other", host_page);
    other->bmap = foreign;
    refused_ram("being migrated");
    check_pointer(other->bmap, foreign);
    other->bmap = NULL;
    g_free(foreign);
    end();
}

static RAMBlock *growing;

static void stop_and_grow(void *opaque)
{
    stop(opaque);
    qemu_mutex_lock_iothread();
    check_number(qemu_ram_resize(growing, 2 * host_page, &error_abort), 0);
    qemu_mutex_unlock_iothread();
}

/* Each block's length counts, not the first's. */
static void another_block_grows(void)
{
    MemoryRegion *mr;

    begin();
    mr = stage_storage(sizeof(*mr));
    memory_region_init_resizeable_ram(mr, NULL, "growing", host_page, 4 * host_page, NULL, &error_fatal);
    stage_adopt(mr, NULL);
    growing = mr->ram_block;
    qemu_ram_set_idstr(growing, "growing", NULL);
    qemu_ram_set_migratable(growing);
    ms.stop_writers = stop_and_grow;
    check_number(migrate(), (uint64_t)-1);
    check(ms.error && strstr(error_get_pretty(ms.error), "RAM blocks came, went or changed their length"));
    check_number(peer.stopped, 1);
    check_number(peer.resumed, 1);
    check(!peer.packaged);
    end();
}

static void bad_ram(void)
{
    begin();
    RAMBlock *nameless = stage_block(KIND_SHARED, "nameless", host_page);

    qemu_ram_unset_idstr(nameless);
    check_number(migrate(), (uint64_t)-1);
    check_number(peer.sends + peer.stopped, 0);
    error_free(ms.error);
    ms.error = NULL;
    ms.machine = "";
    qemu_ram_unset_migratable(nameless);
    check_number(migrate(), (uint64_t)-1);
    error_free(ms.error);
    ms.error = NULL;
    ms.machine = "m";
    check_number(migrate(), 0);
    check(memcmp(peer.stream->data, "QEVM\0\0\0\3\7\0\0\0\1m", 14) == 0);
    end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-40/switch", switch_over);
    postcopy_case("/R-PC-41/commands", discard_commands);
    postcopy_case("/R-PC-41/misuse", discard_misuse);
    postcopy_case("/R-PC-42/order", order);
    postcopy_case("/R-PC-43/back-to-back", back_to_back);
    postcopy_case("/R-PC-44/bad-requests", bad_requests);
    postcopy_case("/R-PC-44/too-many-requests", too_many_requests);
    postcopy_case("/R-WIRE-2/bad-messages", bad_messages);
    postcopy_case("/R-PC-40/rounds", rounds);
    postcopy_case("/R-PC-52/blocks-change", blocks_change);
    postcopy_case("/R-PC-52/devices-too-long", devices_too_long);
    postcopy_case("/R-PC-52/managed", managed);
    postcopy_case("/R-PC-52/other-ram", other_bad_ram);
    postcopy_case("/R-PC-52/broken", broken);
    postcopy_case("/R-PC-52/broken-in-precopy", broken_in_precopy);
    postcopy_case("/R-PC-52/ram", bad_ram);
    postcopy_case("/R-PC-52/another-block-grows", another_block_grows);
    postcopy_case("/R-PC-52/peer-does-not-read", peer_does_not_read);
    postcopy_case("/R-PC-52/sent-in-parts", sent_in_parts);
    postcopy_case("/R-STRM-3/machine-names-sent", machine_names);
    postcopy_case("/R-WIRE-2/message-too-long", message_too_long);
    postcopy_case("/R-WIRE-2/wrong-frames", wrong_frames);
    return g_test_run();
}
