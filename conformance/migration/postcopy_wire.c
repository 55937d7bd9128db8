/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.5: the stream that a destination reads, valid and hostile. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "postcopy_guest.h"
#include "postcopy_stream.h"
#include "qemu/main-loop.h"

enum { PAGES = 4 };

static size_t host_page;
static RAMBlock *ram;
static MigrationIncomingState mis;
static Tape tape;

static struct {
    unsigned runs;
    char devices[64];
    size_t faults[4];           /* pages that a thread touches in `run`, plus 1; 0: none */
    unsigned char resident[PAGES];      /* in `run`: bit 0, nobody who touches the page has to wait */
} guest;

/* What a guest's first accesses do, without a guest that would wait. */
static void run(void *opaque, const void *devices, size_t length)
{
    (void)opaque;
    guest.runs++;
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
    check(!qemu_mutex_iothread_locked());
    memcpy(guest.devices, length ? devices : "", length);
    g_assert_cmpint(mincore(ram->host, PAGES * host_page, guest.resident), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(guest.faults) && guest.faults[i]; i++) {
        postcopy_ram_fault(&mis, ram->host + (guest.faults[i] - 1) * host_page);
    }
}

static void begin(void)
{
    host_page = (size_t)sysconf(_SC_PAGESIZE);
    ram = stage_block(KIND_ANONYMOUS, "ram", PAGES * host_page);
    memset(ram->host, 0x11, PAGES * host_page);
    memset(&guest, 0, sizeof(guest));
    tape_start(&tape);
    mis = (MigrationIncomingState){ .transport = tape_transport(&tape), .run = run };
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
}

static int receive(void)
{
    int result;

    qemu_mutex_unlock_iothread();
    result = ram_migrate_incoming(&mis);
    qemu_mutex_lock_iothread();
    return result;
}

/* Everything given back, whatever came of it. */
static void end(void)
{
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    error_free(mis.error);
    mis.error = NULL;
    tape_end(&tape);
    stage_release(ram->mr);
    memcore_drain();
}

/* The stream fails with a message that says `text`. */
static void refused(const char *text)
{
    check_number(receive(), (uint64_t)-1);
    check_number(mis.status, MIGRATION_STATUS_FAILED);
    if (!mis.error || !strstr(error_get_pretty(mis.error), text)) {
        check_text(mis.error ? error_get_pretty(mis.error) : "(no error)", text);
    }
    check(tape.shut);
    /* as long as the guest does not run here there is nothing to keep */
    check(postcopy_state_get() == POSTCOPY_INCOMING_RUNNING || !mis.postcopy);
}

/* A page of the backing, in target pages. */
static void put_whole(const char *name, unsigned page, int fill)
{
    for (size_t offset = 0; offset < host_page; offset += TARGET_PAGE_SIZE) {
        put_page(tape.in, offset ? NULL : name, page * host_page + offset, fill);
    }
}

static void put_setup(void)
{
    put_begin(tape.in, "none");
    put_command(tape.in, 1, NULL, 0);
    put_command_u32(tape.in, 2, 1);
    put_advise(tape.in, host_page, TARGET_PAGE_SIZE);
    put_start(tape.in, "ram", PAGES * host_page);
}

static void put_precopy(void)
{
    put_section(tape.in, 2);
    for (unsigned page = 0; page < PAGES - 1; page++) {
        put_whole(page ? NULL : "ram", page, page == 1 ? -1 : (int)(0x20 + page));
    }
    put_section_end(tape.in);
}

static void put_switch(void)
{
    put_discard(tape.in, "ram", 2 * host_page, 2 * host_page);
    put_command_u32(tape.in, 2, 2);
    put_package(tape.in, "devices");
    put_command_u32(tape.in, 2, 4);
}

static void put_postcopy(void)
{
    put_section(tape.in, 2);
    put_whole("ram", 3, 0x53);
    put_section_end(tape.in);
    put_section(tape.in, 2);
    put_whole(NULL, 2, -1);             /* CONTINUE, across sections */
    put_section_end(tape.in);
    put_section(tape.in, 3);
    put_section_end(tape.in);
    put(tape.in, 0, 1);
}

static void put_all(void)
{
    put_setup();
    put_precopy();
    put_switch();
    put_postcopy();
}

/* --- the whole dialogue ---------------------------------------------------------------------- */

static void dialogue(void)
{
    begin();
    put_all();
    guest.faults[0] = 4;
    check_number(receive(), 0);
    check_pointer(mis.error, NULL);
    check_number(mis.status, MIGRATION_STATUS_COMPLETED);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_END);
    check_number(guest.runs, 1);
    check_text(guest.devices, "devices");
    check_number(tape.at, tape.in->len);
    for (unsigned page = 0; page < PAGES; page++) {
        static const uint8_t values[] = { 0x20, 0, 0, 0x53 };

        check_number(ram->host[page * host_page], values[page]);
        check_number(ram->host[(page + 1) * host_page - 1], values[page]);
    }
    check_number(mis.counters.placed, 1);
    check_number(mis.counters.zero_placed, 1);
    check_number(mis.counters.requests, 1);
    check_number(mis.counters.discarded, 2 * host_page / TARGET_PAGE_SIZE);

    char *hex = hex_of(tape.out);
    char *expected = g_strdup_printf("00020004" "00000001" "00020004" "00000002" "00030010%016zx%08zx" "03" "72616d"
                                     "00020004" "00000004" "00010004" "00000000", 3 * host_page, host_page);

    check_text(hex, expected);
    g_free(hex);
    g_free(expected);
    end();
}

/* The connection breaks at every byte: an Error, no hang, and all is as it was or still waiting. */
static void cut(void)
{
    size_t length;

    begin();
    put_all();
    length = tape.in->len;
    end();
    /* The bytes of a page are alike: of those only some. */
    for (size_t at = 0; at < length; at += at % 7 == 3 && TARGET_PAGE_SIZE > 64 && at > 256 ? 61 : 1) {
        const unsigned descriptors = count_descriptors();

        begin();
        put_all();
        g_byte_array_set_size(tape.in, (guint)at);
        refused("");
        if (guest.runs == 0) {
            check_pointer(mis.postcopy, NULL);
        } else {
            check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
            check(mis.postcopy != NULL);
        }
        end();
        check_number(count_descriptors(), descriptors);
    }
}

/* Every message in every state: the table, or an error that names the state. */
static void messages(void)
{
    static const char *const names[] = { "ADVISE", "list", "DISCARD", "LISTEN", "RUN", "end" };
    static const struct {
        const char *state;
        unsigned accepts;       /* bits of the above */
    } states[] = {
        { "none", 1 << 0 | 1 << 1 },
        { "advise", 1 << 1 | 1 << 2 | 1 << 3 },
        { "discard", 1 << 2 | 1 << 3 },
        { "listening", 1 << 4 },
        { "running", 1 << 5 },
    };

    for (unsigned state = 0; state < G_N_ELEMENTS(states); state++) {
        for (unsigned message = 0; message < G_N_ELEMENTS(names); message++) {
            const bool accepts = states[state].accepts >> message & 1;

            begin();
            put_begin(tape.in, "none");
            put_command(tape.in, 1, NULL, 0);
            if (state >= 1) {
                put_advise(tape.in, host_page, TARGET_PAGE_SIZE);
            }
            if (message != 1) {
                put_start(tape.in, "ram", PAGES * host_page);
            }
            if (state >= 2) {
                put_discard(tape.in, "ram", 0, host_page);
            }
            if (state >= 3) {
                put_command(tape.in, 4, NULL, 0);
            }
            if (state >= 4) {
                put_command(tape.in, 5, NULL, 0);
                put_section(tape.in, 2);
                for (unsigned page = 0; page < PAGES; page++) {
                    put_whole("ram", page, 1);
                }
                put_section_end(tape.in);
            }
            if (message == 1 && state >= 3) {
                end();          /* there is no LISTEN without a list, and no second list */
                continue;
            }
            switch (message) {
            case 0:
                put_advise(tape.in, host_page, TARGET_PAGE_SIZE);
                break;
            case 1:
                put_start(tape.in, "ram", PAGES * host_page);
                break;
            case 2:
                put_discard(tape.in, "ram", 0, host_page);
                break;
            case 3:
            case 4:
                put_command(tape.in, message == 3 ? 4 : 5, NULL, 0);
                break;
            default:
                put_section(tape.in, 3);
                put_section_end(tape.in);
                put(tape.in, 0, 1);
            }
            if (accepts && message == 5) {
                check_number(receive(), 0);
            } else if (accepts) {
                refused("the connection to the source broke");
                check_number(tape.at, tape.in->len);
            } else {
                char *text = g_strdup_printf("state \"%s\"", states[state].state);

                refused(text);
                g_free(text);
            }
            g_test_message("%s in state %s", names[message], states[state].state);
            end();
        }
    }
}

/* LISTEN right after ADVISE: RUN must not be refused. */
static void listen_from_advise(void)
{
    begin();
    put_setup();
    put_package(tape.in, "");
    put_section(tape.in, 2);
    for (unsigned page = 0; page < PAGES; page++) {
        put_whole("ram", page, 1);
    }
    put_section_end(tape.in);
    put_section(tape.in, 3);
    put_section_end(tape.in);
    put(tape.in, 0, 1);
    check_number(receive(), 0);
    check_number(guest.runs, 1);
    end();
}

/* What came before the switch is there, zeroes too: nobody asks for what was received. */
static void zeroes_before_the_switch(void)
{
    begin();
    put_all();
    check_number(receive(), 0);
    check(guest.resident[0] & 1);
    check(guest.resident[1] & 1);
    check(!(guest.resident[2] & 1));
    check(!(guest.resident[3] & 1));
    end();
}

/* A page that the source leaves out: no end, however often it says so. */
static void page_left_out(void)
{
    begin();
    put_setup();
    put_precopy();
    put_switch();
    put_section(tape.in, 2);
    put_whole("ram", 3, 0x53);
    put_section_end(tape.in);
    put_section(tape.in, 3);
    put_section_end(tape.in);
    put(tape.in, 0, 1);
    refused("is missing");
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
    check(memcmp(tape.out->data + tape.out->len - 8, "\0\1\0\4\0\0\0\1", 8) == 0);     /* SHUT 1 */
    end();
}

/* --- hostile streams --------------------------------------------------------------------------- */

static void bad_stream(const char *hex, const char *text)
{
    begin();
    put_hex(tape.in, hex);
    refused(text);
    check_number(ram->host[0], 0x11);
    end();
}

static void beginnings(void)
{
    bad_stream("51 45 56 4e 00 00 00 03", "0x5145564e");
    bad_stream("51 45 56 4d 00 00 00 02", "version 2");
    bad_stream("51 45 56 4d 00 00 00 03 01", "configuration");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 00", "0 bytes");
    bad_stream("51 45 56 4d 00 00 00 03 07 ff ff ff ff", "4294967295 bytes");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 02 61 00", "NUL");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 05 01 78 00 00 00 01", "subsection \"x\"");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 04", "record 0x04");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 00", "ends before");
    bad_stream("51 45 56 4d 00 00 00 03 07 00 00 00 01 61 02 00 00 00 01", "was not started");
    begin();
    mis.machine = "none";
    put_begin(tape.in, "non");
    refused("\"non\", not \"none\"");
    end();
}

static void bad_command(uint16_t command, const char *payload, const char *text)
{
    GByteArray *bytes = g_byte_array_new();

    begin();
    put_setup();
    put_hex(bytes, payload);
    put_command(tape.in, command, bytes->data, bytes->len);
    refused(text);
    end();
    g_byte_array_unref(bytes);
}

static void commands(void)
{
    bad_command(0, "", "command 0 is not known");
    bad_command(8, "", "command 8 is not known");
    bad_command(12, "", "command 12 is not known");
    bad_command(0xffff, "", "command 65535 is not known");
    bad_command(1, "00", "command 1 has 1 bytes, not 0");
    bad_command(2, "00 00 00", "command 2 has 3 bytes, not 4");
    bad_command(4, "00", "command 4 has 1 bytes");
    bad_command(7, "00 00 00 09", "a package has 9 bytes");
    bad_command(7, "01 00 00 01", "a package has 16777217 bytes");
    bad_command(7, "00 ff ff ff", "package: the connection");
    begin();
    put_setup();
    put_command_u32(tape.in, 7, 10);
    put_hex(tape.in, "08 00 05 00 00 08 00 04 00 00");
    refused("does not start with LISTEN");
    check_number(guest.runs, 0);
    end();
    for (unsigned what = 0; what < 3; what++) {
        begin();
        put_begin(tape.in, "none");
        put_advise(tape.in, host_page * (what == 0 ? 2 : 1), TARGET_PAGE_SIZE * (what == 1 ? 2 : 1));
        if (what < 2) {
            refused("the source has pages");
            check_number(ram->host[0], 0x11);
        } else {
            put_start(tape.in, "ram", PAGES * host_page);
            put_command(tape.in, 4, NULL, 0);
            refused("before OPEN_RETURN_PATH");
        }
        end();
    }
    begin();
    put_setup();
    put_command(tape.in, 11, NULL, 0);
    refused("the connection");
    check_number(tape.at, tape.in->len);
    end();
}

static void recovery_is_refused(void)
{
    bad_command(9, "", "command 9 is not known");
    bad_command(10, "03 72 61 6d", "command 10 is not known");
}

static void discards(void)
{
    const char *range = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 10 00";
    static const struct {
        const char *head, *text;
    } bad[] = {
        { "00 03 72 61", "bytes, fewer than 20" },
        { "01 03 72 61 6d 00 %s", "has version 1" },
        { "00 00 00 %s 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "empty block name" },
        { "00 03 72 61 6d 01 %s", "ends with 0x01" },
        { "00 03 72 00 6d 00 %s", "NUL byte" },
        { "00 03 78 61 6d 00 %s", "\"xam\"" },
        { "00 03 72 61 6d 00 %s 00", "no whole number of ranges" },
        { "00 ff 72 61 6d 00 %s", "no whole number of ranges" },
        { "00 04 72 61 6d 00 00 %s", "NUL byte" },
        { "00 13 72 61 6d 00 %s", "no whole number of ranges" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *payload = g_strdup_printf(bad[i].head, range);

        bad_command(6, payload, bad[i].text);
        g_free(payload);
    }
    static const struct {
        uint64_t start, length;         /* in halves of a host page */
        const char *text;
    } ranges[] = {
        { 1, 2, "no whole pages" }, { 0, 1, "no whole pages" }, { 2 * PAGES, 2, "it has" }, { 0, 2 * PAGES + 2, "it has" },
        { 2, UINT64_MAX / 2, "it has" }, { UINT64_MAX / 2, 2, "it has" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        begin();
        put_setup();
        put_precopy();
        put_discard(tape.in, "ram", ranges[i].start * host_page / 2, ranges[i].length * host_page / 2);
        refused(ranges[i].text);
        check_number(mis.counters.discarded, 0);
        check_number(ram->host[0], 0x20);
        end();
    }
}

/* --- the list and pages ------------------------------------------------------------------------- */

static void lists(void)
{
    static const struct {
        unsigned total, length;         /* in pages */
        const char *name, *text;
    } bad[] = {
        { PAGES, PAGES, "rom", "\"rom\" is not here" },   { PAGES, PAGES, "ra", "\"ra\" is not here" },
        { 2 * PAGES, 2 * PAGES, "ram", "there, 0x" },     { PAGES, 2 * PAGES, "ram", "there, 0x" },
        { 2 * PAGES, PAGES, "ram", "listed twice" },        { 0, 0, "ram", "not in the list" },
        { PAGES - 1, PAGES, "ram", "that are left" },       { PAGES, 0, "ram", "there, 0x" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        begin();
        put_begin(tape.in, "none");
        put_section(tape.in, 1);
        put_hex(tape.in, "03 72 61 6d 00 00 00 00 00 00 00 04");
        put(tape.in, bad[i].total * host_page | 4, 8);
        for (unsigned n = 0; n < 2; n++) {
            put_name(tape.in, bad[i].name);
            put(tape.in, bad[i].length * host_page, 8);
        }
        refused(bad[i].text);
        check_number(ram->used_length, PAGES * host_page);
        end();
    }
    begin();
    put_setup();
    put_start(tape.in, "ram", PAGES * host_page);
    refused("started already");
    end();
}

static void bad_page(bool listening, const char *hex, const char *text)
{
    begin();
    put_setup();
    if (listening) {
        put_switch();
    }
    put_section(tape.in, 2);
    put_hex(tape.in, hex);
    refused(text);
    end();
}

static void pages(void)
{
    for (unsigned listening = 0; listening < 2; listening++) {
        bad_page(listening, "00 00 00 00 00 00 00 00", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 04", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 0a 03 72 61 6d", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 30", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 48", "is no page");
        bad_page(listening, "00 00 00 00 00 00 00 28", "there is none");
        bad_page(listening, "00 00 00 00 00 00 00 08 03 78 61 6d", "\"xam\" is not here");
        bad_page(listening, "00 00 00 00 00 00 00 08 00", "0 bytes");
        bad_page(listening, "00 00 00 00 00 10 00 08 03 72 61 6d", "a page at 0x100000");
        bad_page(listening, "ff ff ff ff ff ff 00 08 03 72 61 6d", "a page at 0xffffffffffff0000");
        bad_page(listening, "00 00 00 00 00 00 00 02 03 72 61 6d 01", "full of 0x01");
    }
    begin();
    put_setup();
    put_section(tape.in, 2);
    put_hex(tape.in, "00 00 00 00 00 00 00 10 7e 00 00 00 02");
    refused("footer");
    end();
    begin();
    put_setup();
    put_section(tape.in, 3);
    put_section_end(tape.in);
    put_section(tape.in, 2);
    refused("has ended");
    end();
}

/* Conflicting copies of a page: the first one stays. */
static void page_twice(void)
{
    begin();
    put_setup();
    put_precopy();
    put_switch();
    put_section(tape.in, 2);
    put_whole("ram", 3, 0x53);
    put_whole("ram", 3, 0x54);
    put_whole("ram", 0, 0x55);          /* precopied, and not discarded */
    put_section_end(tape.in);
    put_postcopy();
    check_number(receive(), 0);
    check_number(ram->host[3 * host_page], 0x53);
    check_number(ram->host[0], 0x20);
    check_number(mis.counters.duplicates, 3);
    check_number(mis.counters.placed + mis.counters.zero_placed, 2);
    end();
}

/* Where a page of the backing has several target pages: which of them came is what counts. */
static void parts(void)
{
    if (host_page == TARGET_PAGE_SIZE || sysconf(_SC_PAGESIZE) == (long)TARGET_PAGE_SIZE) {
        g_test_message("a target page is a page of the backing; builds with smaller ones run this");
        return;
    }
    begin();
    put_setup();
    put_switch();
    put_section(tape.in, 2);
    put_page(tape.in, "ram", 0, 1);
    put_page(tape.in, NULL, 0, 2);
    refused("comes twice");
    end();
    begin();
    put_setup();
    put_switch();
    put_section(tape.in, 2);
    put_page(tape.in, "ram", 0, 1);
    put_page(tape.in, NULL, host_page, 2);
    refused("is incomplete");
    end();
    begin();
    put_setup();
    put_switch();
    put_section(tape.in, 2);
    for (unsigned page = 0; page < PAGES; page++) {
        for (size_t offset = host_page; offset > 0; offset -= TARGET_PAGE_SIZE) {       /* backwards */
            put_page(tape.in, "ram", page * host_page + offset - TARGET_PAGE_SIZE, offset == host_page ? -1 : (int)page + 1);
        }
    }
    put_section_end(tape.in);
    put_section(tape.in, 3);
    put_section_end(tape.in);
    put(tape.in, 0, 1);
    check_number(receive(), 0);
    check_number(ram->host[host_page], 2);
    check_number(ram->host[2 * host_page - 1], 0);
    check_number(mis.counters.placed, PAGES);
    end();
}

/* --- requests and transport --------------------------------------------------------------------- */

/* The block's name goes with the first request only; what was asked for is not asked for again. */
static void requests(void)
{
    char *hex, *expected;

    begin();
    put_setup();
    put_switch();
    guest.faults[0] = 3;
    guest.faults[1] = 4;
    guest.faults[2] = 3;
    refused("the connection");
    hex = hex_of(tape.out);
    expected = g_strdup_printf("00020004" "00000001" "00020004" "00000002" "00030010%016zx%08zx" "03" "72616d"
                               "0004000c%016zx%08zx" "00020004" "00000004" "00010004" "00000001",
                               2 * host_page, host_page, 3 * host_page, host_page);
    check_text(hex, expected);
    check_number(mis.counters.faults, 3);
    check_number(mis.counters.requests, 2);
    check_number(mis.counters.suppressed, 1);
    g_free(hex);
    g_free(expected);
    end();
}

static void *send_much(void *opaque)
{
    MigrationTransport *transport = opaque;
    uint8_t *bytes = g_malloc(1 << 20);

    memset(bytes, 0xa5, 1 << 20);
    check_number(transport->send(transport->opaque, bytes, 1 << 20), 0);
    g_free(bytes);
    return NULL;
}

static void *receive_one(void *opaque)
{
    MigrationTransport *transport = opaque;
    uint8_t byte;

    check(transport->recv(transport->opaque, &byte, 1) < 0);
    return NULL;
}

static void socket_transport(void)
{
    MigrationTransport ends[2];
    uint8_t *bytes = g_malloc(1 << 20);
    pthread_t thread;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    ends[0] = migration_transport_socket(fds[0]);
    ends[1] = migration_transport_socket(fds[1]);
    pthread_create(&thread, NULL, send_much, &ends[0]);
    check_number(ends[1].recv(ends[1].opaque, bytes, 3), 0);
    check_number(ends[1].recv(ends[1].opaque, bytes, 0), 0);
    check_number(ends[1].recv(ends[1].opaque, bytes, (1 << 20) - 3), 0);
    check_number(bytes[(1 << 20) - 4], 0xa5);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, receive_one, &ends[1]);
    g_usleep(10000);
    ends[1].shutdown(ends[1].opaque);           /* wakes who waits */
    pthread_join(thread, NULL);
    check_number(ends[0].recv(ends[0].opaque, bytes, 1), (uint64_t)-EPIPE);
    check_number(ends[0].send(ends[0].opaque, bytes, 1), (uint64_t)-EPIPE);         /* and no signal */
    migration_transport_free(&ends[0]);
    migration_transport_free(&ends[1]);
    migration_transport_free(&ends[1]);
    close(fds[0]);
    close(fds[1]);
    g_free(bytes);
}

static void with_the_big_lock(void)
{
    MigrationIncomingState state = { .transport = tape_transport(&tape) };

    ram_migrate_incoming(&state);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-50/socket", socket_transport);
    conformance_misuse("/R-PC-53/big-lock", with_the_big_lock, "ram_migrate_incoming", NULL);
    postcopy_case("/R-PC-1/messages", messages);
    postcopy_case("/R-PC-2/listen-from-advise", listen_from_advise);
    postcopy_case("/R-PC-20/zeroes-before-the-switch", zeroes_before_the_switch);
    postcopy_case("/R-PC-25/left-out", page_left_out);
    postcopy_case("/R-PC-31/page-twice", page_twice);
    postcopy_case("/R-WIRE-1/beginnings", beginnings);
    postcopy_case("/R-WIRE-1/commands", commands);
    postcopy_case("/R-WIRE-2/requests", requests);
    postcopy_case("/R-WIRE-3/discards", discards);
    postcopy_case("/R-WIRE-4/lists", lists);
    postcopy_case("/R-WIRE-4/pages", pages);
    postcopy_case("/R-WIRE-5/parts", parts);
    postcopy_case("/R-WIRE-6/dialogue", dialogue);
    postcopy_case("/R-WIRE-6/cut", cut);
    postcopy_case("/R-WIRE-7/refused", recovery_is_refused);
    return g_test_run();
}
