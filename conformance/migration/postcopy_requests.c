/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6.4: what comes back to a source is wrong. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "postcopy_peer.h"

/* --- requests --- */

typedef struct {
    uint16_t type;
    const char *name;
    uint64_t start;
    uint32_t length;
} Request;
static const Request *wrong;

static void ask_wrongly(void)
{
    check_number(peer_say(wrong->type, wrong->name, wrong->start, wrong->length), (uint64_t)-EINVAL);
}

static void bad_requests(void)
{
    const uint32_t page = (uint32_t)host_page;
    const uint64_t all = SOURCE_PAGES * TARGET_PAGE_SIZE;
    const Request bad[] = {
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
        { 1, NULL, 0, 9 },              /* SHUT: it has failed, and says how */
        { 1, NULL, 0, 0 },              /* SHUT: it has everything, long before the end */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        source_begin();
        wrong = &bad[i];
        peer.request_after = 10;
        peer.requests = ask_wrongly;
        peer.silent = true;
        if (!check_number(source_migrate(), (uint64_t)-1)) {
            g_test_message("row %zu", i);
        }
        check(bad[i].length != 9 || strstr(error_get_pretty(source.error), "the destination has failed (9)"));
        check_number(peer.resumed, 0);          /* the guest may run there */
        source_end();
    }
}

static void ask_for_too_much(void)
{
    unsigned accepted = 0;

    while (peer_say(3, "pc.ram", 0, (uint32_t)host_page) == 0) {
        accepted++;
    }
    check_number(accepted, SOURCE_PAGES + 1);
}

static void too_many_requests(void)
{
    source_begin();
    peer.request_after = 1;
    peer.requests = ask_for_too_much;
    check_number(source_migrate(), (uint64_t)-1);
    check(source.error && strstr(error_get_pretty(source.error), "more requests than there are pages"));
    source_end();
}

/* --- messages, byte by byte --- */

static void ask_in_wrong_frames(void)
{
    static const uint8_t message[] = { 0, 2, 0, 4, 0, 0, 0, 1, 0 };

    check_number(ram_migrate_return(&source, message, 3), (uint64_t)-EINVAL);
    check_number(ram_migrate_return(&source, message, 7), (uint64_t)-EINVAL);
    check_number(ram_migrate_return(&source, message, 9), (uint64_t)-EINVAL);
}

static void wrong_frames(void)
{
    source_begin();
    peer.request_after = 10;
    peer.requests = ask_in_wrong_frames;
    peer.silent = true;
    check_number(source_migrate(), (uint64_t)-1);
    check(source.error && strstr(error_get_pretty(source.error),
                                 "a message of 3 bytes on the return path has another length in it"));
    source_end();
}

static const char *bad_message;

static void say_nonsense(void)
{
    GByteArray *message = g_byte_array_new();

    put_hex(message, bad_message);
    check_number(ram_migrate_return(&source, message->data, message->len), (uint64_t)-EINVAL);
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
        { "00 03 00 0d 00 00 00 00 00 00 00 00 00 00 00 00 00", "has 13 bytes, not 14" },
        { "00 03 00 0e 00 00 00 00 00 00 00 00 00 00 00 00 02 61", "has 14 bytes, not 15" },
        { "00 03 02 00 00", "another length" },
        { "00 03 00 0f 00 00 00 00 00 00 00 00 00 00 00 00 02 61 00", "NUL byte" },
    };
    GByteArray *much = g_byte_array_new();
    char *longest = g_strnfill(2 * 512, '0'), *longer = g_strnfill(2 * 513, '0');

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        source_begin();
        bad_message = bad[i].hex;
        peer.request_after = 1;
        peer.requests = say_nonsense;
        check_number(source_migrate(), (uint64_t)-1);
        check(source.error && strstr(error_get_pretty(source.error), bad[i].text));
        source_end();
    }
    /* As long as a message may be, and longer; of zeroes there is a name of no byte in it. */
    const struct {
        const char *head, *zeroes, *text;
    } long_ones[] = {
        { "00 03 02 00", longest, "message 3 on the return path has 512 bytes, not 13" },
        { "00 03 02 01", longer, "another length" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(long_ones); i++) {
        char *hex = g_strconcat(long_ones[i].head, " ", long_ones[i].zeroes, NULL);

        source_begin();
        bad_message = hex;
        peer.request_after = 1;
        peer.requests = say_nonsense;
        check_number(source_migrate(), (uint64_t)-1);
        check(source.error && strstr(error_get_pretty(source.error), long_ones[i].text));
        source_end();
        g_free(hex);
    }
    g_free(longest);
    g_free(longer);
    source_begin();
    g_byte_array_set_size(much, 4 + 0x10000);
    memset(much->data, 0, much->len);
    check_number(ram_migrate_return(&source, much->data, much->len), (uint64_t)-EINVAL);    /* nobody migrates */
    check_pointer(source.error, NULL);
    g_byte_array_unref(much);
    /* Instead of SHUT: the end that is waited for does not come any more. */
    bad_message = "00 07 00 00";
    peer.at_end = say_nonsense;
    check_number(source_migrate(), (uint64_t)-1);
    source_end();
    /* Before there is a page: the first call has the setup. */
    source_begin();
    bad_message = "00 07 00 00";
    source.start_postcopy = false;
    peer.at_send = say_nonsense;
    check_number(source_migrate(), (uint64_t)-1);
    check_number(peer.sends + peer.stopped, 1);
    source_end();
}

/* --- over a socket --- */

/* A peer that says something and never reads: whoever waits in send must hear of it. */
static void peer_says(const void *message, size_t length, const char *text)
{
    int fds[2];

    source_begin();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    source.transport = migration_transport_socket(fds[0]);
    g_assert_cmpint(write(fds[1], message, length), ==, (ssize_t)length);
    memset(source_ram->host, 1, SOURCE_PAGES * TARGET_PAGE_SIZE);     /* more than a socket takes */
    check_number(source_migrate(), (uint64_t)-1);
    if (!strstr(error_get_pretty(source.error), text)) {
        check_text(error_get_pretty(source.error), text);
    }
    migration_transport_free(&source.transport);
    close(fds[0]);
    close(fds[1]);
    source_end();
}

static void peer_does_not_read(void)
{
    peer_says("\0\1\0\4\0\0\0\1", 8, "the destination has failed (1)");     /* SHUT 1 */
}

static void message_too_long(void)
{
    static uint8_t message[4 + 0xffff] = { 0, 3, 0xff, 0xff };

    peer_says(message, 4 + 513, "Message too long");
    message[2] = 2;
    message[3] = 1;
    peer_says(message, 4 + 513, "Message too long");
    message[3] = 0;
    peer_says(message, 4 + 512, "message 3 on the return path has 512 bytes");
    peer_says("\0\2\0", 4, "message 2 on the return path has 0 bytes");
}

/* --- the end ------------------------------------------------------------------------------------ */

/* What the destination says when all has been sent; then its side of the connection breaks. */
static struct {
    bool ended;                 /* atomic: all has been sent */
    uint8_t says[64];
    size_t length, at;
    unsigned shut_downs;        /* atomic */
    sigset_t blocked;           /* in the thread that reads */
} last_words;

static void note_end(void)
{
    __atomic_store_n(&last_words.ended, true, __ATOMIC_SEQ_CST);
}

static int hear_last_words(void *opaque, void *to, size_t length)
{
    (void)opaque;
    pthread_sigmask(SIG_SETMASK, NULL, &last_words.blocked);
    WAIT_FOR(__atomic_load_n(&last_words.ended, __ATOMIC_SEQ_CST));
    if (last_words.at == 0) {
        g_usleep(50000);        /* by then the source waits for it */
    }
    if (last_words.length - last_words.at < length) {
        return -ECONNRESET;
    }
    memcpy(to, last_words.says + last_words.at, length);
    last_words.at += length;
    return 0;
}

static void shut_down(void *opaque)
{
    (void)opaque;
    __atomic_fetch_add(&last_words.shut_downs, 1, __ATOMIC_SEQ_CST);
}

static int migrate_to_its_last_words(const uint8_t *says, size_t length)
{
    source_begin();
    memset(&last_words, 0, sizeof(last_words));
    memcpy(last_words.says, says, length);
    last_words.length = length;
    source.transport.recv = hear_last_words;
    source.transport.shutdown = shut_down;
    peer.at_end = note_end;
    return source_migrate();
}

/* Everything was sent, and nobody confirms it: the source does not wait for ever. */
static void gone_before_confirming(void)
{
    check_number(migrate_to_its_last_words((const uint8_t *)"", 0), (uint64_t)-1);
    check(source.error && strstr(error_get_pretty(source.error), "the destination's messages cannot be read"));
    check(last_words.shut_downs > 0);
    source_end();
}

/* The connection is the caller's, who may go on with it. */
static void confirmed(void)
{
    GByteArray *says = g_byte_array_new();
    sigset_t before;

    /* Without `ready` nobody can look whether there is more.  A request that is late does no harm. */
    put_hex(says, "00 03 00 13  00 00 00 00 00 00 00 00");
    put(says, host_page, 4);
    put_name(says, "pc.ram");
    put_hex(says, "00 01 00 04 00 00 00 00");
    block_one_signal(&before);
    check_number(migrate_to_its_last_words(says->data, says->len), 0);
    check_one_signal_blocked(&before);
    check(sigismember(&last_words.blocked, SIGUSR2));       /* signals are the program's */
    check_number(last_words.at, says->len);
    check_number(source.counters.requests, 1);
    check_number(last_words.shut_downs, 0);
    source_end();
    g_byte_array_unref(says);
}

static void refused_at_the_end(void)
{
    check_number(migrate_to_its_last_words((const uint8_t *)"\0\1\0\4\0\0\0\7", 8), (uint64_t)-1);
    check(source.error && strstr(error_get_pretty(source.error), "the destination has failed (7)"));
    source_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-44/bad-requests", bad_requests);
    postcopy_case("/R-PC-44/too-many-requests", too_many_requests);
    postcopy_case("/R-WIRE-2/bad-messages", bad_messages);
    postcopy_case("/R-WIRE-2/message-too-long", message_too_long);
    postcopy_case("/R-WIRE-2/wrong-frames", wrong_frames);
    postcopy_case("/R-PC-52/confirmed", confirmed);
    postcopy_case("/R-PC-52/gone-before-confirming", gone_before_confirming);
    postcopy_case("/R-PC-52/refused-at-the-end", refused_at_the_end);
    postcopy_case("/R-PC-52/peer-does-not-read", peer_does_not_read);
    return g_test_run();
}
