/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.5: the stream that a destination reads, and what it answers. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "postcopy_reader.h"

/* --- the whole dialogue ---------------------------------------------------------------------- */

static void dialogue(void)
{
    reader_begin();
    put_all();
    reader.guest.faults[0] = 4;
    check_number(reader_receive(), 0);
    check_pointer(reader.mis.error, NULL);
    check(!reader.tape.shut);           /* the connection is the caller's, who may go on with it */
    check_number(reader.mis.status, MIGRATION_STATUS_COMPLETED);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_END);
    check_number(reader.guest.runs, 1);
    check_text(reader.guest.devices, "devices");
    check_number(reader.tape.at, reader.tape.in->len);
    for (unsigned page = 0; page < READER_PAGES; page++) {
        static const uint8_t values[] = { 0x20, 0, 0, 0x53 };

        check_number(reader.ram->host[page * reader.host_page], values[page]);
        check_number(reader.ram->host[(page + 1) * reader.host_page - 1], values[page]);
    }
    check_number(reader.mis.counters.placed, 1);
    check_number(reader.mis.counters.zero_placed, 1);
    check_number(reader.mis.counters.requests, 1);
    check_number(reader.mis.counters.discarded, 2 * reader.host_page / TARGET_PAGE_SIZE);

    char *hex = hex_of(reader.tape.out);
    char *expected = g_strdup_printf("00020004" "00000001" "00020004" "00000002" "00030010%016zx%08zx" "03" "72616d"
                                     "00020004" "00000004" "00010004" "00000000", 3 * reader.host_page,
                                     reader.host_page);

    check_text(hex, expected);
    g_free(hex);
    g_free(expected);
    reader_end();
}

/* The bytes of a page are alike: of those only some. */
static size_t next_cut(const GByteArray *bytes, size_t at)
{
    enum { ALIKE = 61 };

    for (size_t i = 0; i < ALIKE; i++) {
        if (at + i + 1 >= bytes->len || bytes->data[at + i] != bytes->data[at + i + 1]) {
            return at + 1;
        }
    }
    return at + ALIKE;
}

/* The connection breaks at every byte: an Error, no hang, and all is as it was or still waiting. */
static void cut(void)
{
    GByteArray *whole;

    reader_begin();
    put_all();
    whole = g_byte_array_append(g_byte_array_new(), reader.tape.in->data, reader.tape.in->len);
    reader_end();
    for (size_t at = 0; at < whole->len; at = next_cut(whole, at)) {
        const unsigned descriptors = count_descriptors();

        reader_begin();
        put_all();
        g_byte_array_set_size(reader.tape.in, (guint)at);
        reader_refused("");
        if (reader.guest.runs == 0) {
            check_pointer(reader.mis.postcopy, NULL);
        } else {
            check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
            check(reader.mis.postcopy != NULL);
        }
        reader_end();
        check_number(count_descriptors(), descriptors);
    }
    g_byte_array_unref(whole);
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

            reader_begin();
            put_begin(reader.tape.in, "none");
            put_command(reader.tape.in, 1, NULL, 0);
            if (state >= 1) {
                put_advise(reader.tape.in, reader.host_page, TARGET_PAGE_SIZE);
            }
            if (message != 1) {
                put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
            }
            if (state >= 2) {
                put_discard(reader.tape.in, "ram", 0, reader.host_page);
            }
            if (state >= 3) {
                put_command(reader.tape.in, 4, NULL, 0);
            }
            if (state >= 4) {
                put_command(reader.tape.in, 5, NULL, 0);
                put_section(reader.tape.in, 2);
                for (unsigned page = 0; page < READER_PAGES; page++) {
                    put_whole("ram", page, 1);
                }
                put_section_end(reader.tape.in);
            }
            if (message == 1 && state >= 3) {
                reader_end();          /* there is no LISTEN without a list, and no second list */
                continue;
            }
            switch (message) {
            case 0:
                put_advise(reader.tape.in, reader.host_page, TARGET_PAGE_SIZE);
                break;
            case 1:
                put_start(reader.tape.in, "ram", READER_PAGES * reader.host_page);
                break;
            case 2:
                put_discard(reader.tape.in, "ram", 0, reader.host_page);
                break;
            case 3:
            case 4:
                put_command(reader.tape.in, message == 3 ? 4 : 5, NULL, 0);
                break;
            default:
                put_section(reader.tape.in, 3);
                put_section_end(reader.tape.in);
                put(reader.tape.in, 0, 1);
            }
            if (accepts && message == 5) {
                check_number(reader_receive(), 0);
            } else if (accepts) {
                reader_refused("the connection to the source broke");
                check_number(reader.tape.at, reader.tape.in->len);
            } else {
                char *text = g_strdup_printf("state \"%s\"", states[state].state);

                reader_refused(text);
                g_free(text);
            }
            g_test_message("%s in state %s", names[message], states[state].state);
            reader_end();
        }
    }
}

/* Who has not opened the return path is not answered; nor is that an error. */
static void ping_without_return_path(void)
{
    reader_begin();
    put_begin(reader.tape.in, "none");
    put_command_u32(reader.tape.in, 2, 7);
    put_command(reader.tape.in, 1, NULL, 0);
    put_command_u32(reader.tape.in, 2, 8);
    reader_refused("record: the connection");
    check_number(reader.tape.at, reader.tape.in->len);
    char *hex = hex_of(reader.tape.out);

    check_text(hex, "00020004" "00000008" "00010004" "00000001");
    g_free(hex);
    reader_end();
}

/* LISTEN right after ADVISE: RUN must not be refused. */
static void listen_from_advise(void)
{
    reader_begin();
    put_setup();
    put_package(reader.tape.in, "");
    put_section(reader.tape.in, 2);
    for (unsigned page = 0; page < READER_PAGES; page++) {
        put_whole("ram", page, 1);
    }
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 3);
    put_section_end(reader.tape.in);
    put(reader.tape.in, 0, 1);
    check_number(reader_receive(), 0);
    check_number(reader.guest.runs, 1);
    reader_end();
}

/* What came before the switch is there, zeroes too: nobody asks for what was received. */
static void zeroes_before_the_switch(void)
{
    reader_begin();
    put_all();
    check_number(reader_receive(), 0);
    check(reader.guest.resident[0] & 1);
    check(reader.guest.resident[1] & 1);
    check(!(reader.guest.resident[2] & 1));
    check(!(reader.guest.resident[3] & 1));
    reader_end();
}

/* A page that the source leaves out: no end, however often it says so. */
static void page_left_out(void)
{
    reader_begin();
    put_setup();
    put_precopy();
    put_switch();
    put_section(reader.tape.in, 2);
    put_whole("ram", 3, 0x53);
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 3);
    put_section_end(reader.tape.in);
    put(reader.tape.in, 0, 1);
    reader_refused("is missing");
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
    check(memcmp(reader.tape.out->data + reader.tape.out->len - 8, "\0\1\0\4\0\0\0\1", 8) == 0);     /* SHUT 1 */
    reader_end();
}

/* --- pages -------------------------------------------------------------------------------------- */

/* Conflicting copies of a page: the first one stays. */
static void page_twice(void)
{
    reader_begin();
    put_setup();
    put_precopy();
    put_switch();
    put_section(reader.tape.in, 2);
    put_whole("ram", 3, 0x53);
    put_whole("ram", 3, 0x54);
    put_whole("ram", 0, 0x55);          /* precopied, and not discarded */
    put_section_end(reader.tape.in);
    put_postcopy();
    check_number(reader_receive(), 0);
    check_number(reader.ram->host[3 * reader.host_page], 0x53);
    check_number(reader.ram->host[0], 0x20);
    check_number(reader.mis.counters.duplicates, 3);
    check_number(reader.mis.counters.placed + reader.mis.counters.zero_placed, 2);
    reader_end();
}

/* Where a page of the backing has several target pages: which of them came is what counts. */
static void parts(void)
{
    if (reader.host_page == TARGET_PAGE_SIZE || sysconf(_SC_PAGESIZE) == (long)TARGET_PAGE_SIZE) {
        g_test_message("a target page is a page of the backing; builds with smaller ones run this");
        return;
    }
    reader_begin();
    put_setup();
    put_switch();
    put_section(reader.tape.in, 2);
    put_page(reader.tape.in, "ram", 0, 1);
    put_page(reader.tape.in, NULL, 0, 2);
    reader_refused("comes twice");
    reader_end();
    reader_begin();
    put_setup();
    put_switch();
    put_section(reader.tape.in, 2);
    put_page(reader.tape.in, "ram", 0, 1);
    put_page(reader.tape.in, NULL, reader.host_page, 2);
    reader_refused("is incomplete");
    reader_end();
    reader_begin();
    put_setup();
    put_switch();
    put_section(reader.tape.in, 2);
    for (unsigned page = 0; page < READER_PAGES; page++) {
        for (size_t offset = reader.host_page; offset > 0; offset -= TARGET_PAGE_SIZE) {       /* backwards */
            put_page(reader.tape.in, "ram", page * reader.host_page + offset - TARGET_PAGE_SIZE,
                     offset == reader.host_page ? -1 : (int)page + 1);
        }
    }
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 3);
    put_section_end(reader.tape.in);
    put(reader.tape.in, 0, 1);
    check_number(reader_receive(), 0);
    check_number(reader.ram->host[reader.host_page], 2);
    check_number(reader.ram->host[2 * reader.host_page - 1], 0);
    check_number(reader.mis.counters.placed, READER_PAGES);
    reader_end();
}

/* --- requests and transport --------------------------------------------------------------------- */

/* The block's name goes with the first request only; what was asked for is not asked for again. */
static void requests(void)
{
    char *hex, *expected;

    reader_begin();
    put_setup();
    put_switch();
    reader.guest.faults[0] = 3;
    reader.guest.faults[1] = 4;
    reader.guest.faults[2] = 3;
    reader_refused("the connection");
    hex = hex_of(reader.tape.out);
    expected = g_strdup_printf("00020004" "00000001" "00020004" "00000002" "00030010%016zx%08zx" "03" "72616d"
                               "0004000c%016zx%08zx" "00020004" "00000004" "00010004" "00000001",
                               2 * reader.host_page, reader.host_page, 3 * reader.host_page, reader.host_page);
    check_text(hex, expected);
    check_number(reader.mis.counters.faults, 3);
    check_number(reader.mis.counters.requests, 2);
    check_number(reader.mis.counters.suppressed, 1);
    g_free(hex);
    g_free(expected);
    reader_end();
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
    MigrationIncomingState state = { .transport = tape_transport(&reader.tape) };

    ram_migrate_incoming(&state);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-50/socket", socket_transport);
    conformance_misuse("/R-PC-53/big-lock", with_the_big_lock, "ram_migrate_incoming",
                       "called with the big lock*(R-PC-53)");
    postcopy_case("/R-PC-1/messages", messages);
    postcopy_case("/R-PC-2/listen-from-advise", listen_from_advise);
    postcopy_case("/R-PC-20/zeroes-before-the-switch", zeroes_before_the_switch);
    postcopy_case("/R-PC-25/left-out", page_left_out);
    postcopy_case("/R-PC-31/page-twice", page_twice);
    postcopy_case("/R-WIRE-2/ping-without-return-path", ping_without_return_path);
    postcopy_case("/R-WIRE-2/requests", requests);
    postcopy_case("/R-WIRE-5/parts", parts);
    postcopy_case("/R-WIRE-6/dialogue", dialogue);
    postcopy_case("/R-WIRE-6/cut", cut);
    return g_test_run();
}
