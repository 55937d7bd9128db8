/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A receiver that looks for faults itself, as its transport can be polled: no thread does it (R-PC-21). */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/wrapped.h"
#include "memcore/memcore.h"
#include "postcopy_reader.h"
#include "qemu/main-loop.h"

/* The host fails the next call, once. */
static struct {
    int poll, pthread_create;       /* the error; atomic */
} fails;

WRAPPED(int, poll, struct pollfd *waits, nfds_t count, int timeout)
{
    const int error = __atomic_exchange_n(&fails.poll, 0, __ATOMIC_SEQ_CST);

    return error ? failed(error) : __real_poll(waits, count, timeout);
}

WRAPPED(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *opaque)
{
    const int error = __atomic_exchange_n(&fails.pthread_create, 0, __ATOMIC_SEQ_CST);

    return error ? error : __real_pthread_create(thread, attributes, start, opaque);
}

static struct {
    int fds[2];                 /* the destination's, the source's */
    pthread_t receiver;
    int result;
    bool runs;                  /* atomic: the guest */
    unsigned tasks;             /* without a receiver */
    bool socket_is_0;           /* the destination's, which closes standard input */
    int (*ready)(void *opaque, bool look);
    unsigned looks;             /* atomic: calls of it */
} world;

static void run(void *opaque, const void *devices, size_t length)
{
    (void)opaque;
    (void)devices;
    (void)length;
    check_number(count_tasks(), world.tasks + 1);
    __atomic_store_n(&world.runs, true, __ATOMIC_SEQ_CST);
}

static void *receive(void *opaque)
{
    (void)opaque;
    memcore_thread_register();
    world.result = ram_migrate_incoming(&reader.mis);
    memcore_thread_unregister();
    return NULL;
}

/* Until the guest runs. */
static void receiver_starts(bool never_poll)
{
    reader.mis.run = run;
    reader.mis.never_poll = never_poll;
    world.runs = false;
    world.tasks = count_tasks();
    qemu_mutex_unlock_iothread();
    g_assert_cmpint(pthread_create(&world.receiver, NULL, receive, NULL), ==, 0);
    WAIT_FOR(__atomic_load_n(&world.runs, __ATOMIC_SEQ_CST));
}

static void receiver_ends(int result)
{
    pthread_join(world.receiver, NULL);
    qemu_mutex_lock_iothread();
    check_number(world.result, (uint64_t)result);
}

/* All up to the switch, and page 0. */
static void put_begin_with_page(void)
{
    put_setup();
    put_switch();
    put_section(reader.tape.in, 2);
    put_whole("ram", 0, 0x60);
}

static void put_end(void)
{
    put_section_end(reader.tape.in);
    put_section(reader.tape.in, 3);
    put_section_end(reader.tape.in);
    put(reader.tape.in, 0, 1);
}

/* --- over a socket ------------------------------------------------------------------------------ */

/* Sends what the tape has, and takes it off. */
static void source_sends(void)
{
    GByteArray *in = reader.tape.in;

    g_assert_cmpint(send(world.fds[1], in->data, in->len, MSG_NOSIGNAL), ==, (ssize_t)in->len);
    g_byte_array_set_size(in, 0);
}

/* Reads what comes until it is a request for the page; false: none comes. */
static bool source_is_asked(unsigned page)
{
    uint8_t message[256];

    while (recv(world.fds[1], message, 4, MSG_WAITALL) == 4) {
        uint64_t start = 0;

        g_assert_cmpint(recv(world.fds[1], message + 4, message[3], MSG_WAITALL), ==, message[3]);
        for (unsigned i = 0; i < 8; i++) {
            start = start << 8 | message[4 + i];
        }
        if ((message[1] == 3 || message[1] == 4) && start == page * reader.host_page) {
            return true;
        }
    }
    return false;
}

static int ready_counted(void *opaque, bool look)
{
    __atomic_fetch_add(&world.looks, 1, __ATOMIC_SEQ_CST);
    return world.ready(opaque, look);
}

static void begin(bool never_poll)
{
    const struct timeval patience = { .tv_sec = 10 };

    reader_begin();
    if (world.socket_is_0) {
        close(STDIN_FILENO);
    }
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, world.fds), ==, 0);
    setsockopt(world.fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    reader.mis.transport = migration_transport_socket(world.fds[0]);
    world.ready = reader.mis.transport.ready;
    world.looks = 0;
    reader.mis.transport.ready = ready_counted;
    put_begin_with_page();
    source_sends();
    receiver_starts(never_poll);
}

static void end(void)
{
    close(world.fds[1]);
    reader_end();
    migration_transport_free(&reader.mis.transport);
    close(world.fds[0]);
}

/* One fault after the other, while nothing else comes. */
static void serves(bool never_poll)
{
    begin(never_poll);
    for (unsigned page = 1; page < READER_PAGES; page++) {
        GuestRead reading;

        guest_read(&reading, reader.ram->host + page * reader.host_page);
        check(source_is_asked(page));
        check(!guest_has_read(&reading));
        put_whole(NULL, page, (int)(0x60 + page));
        source_sends();
        check_number(guest_read_end(&reading), 0x60 + page);
    }
    put_end();
    source_sends();
    receiver_ends(0);
    check_number(reader.mis.counters.faults, READER_PAGES - 1);
    check_number(reader.mis.counters.requests, READER_PAGES - 1);
    check_number(reader.mis.counters.placed, READER_PAGES);
    end();
}

static void polls(void)
{
    serves(false);
}

static void sleeps(void)
{
    serves(true);
}

/* Waits until it has looked so often, and then until it does not look any more; how often that is. */
static unsigned looks_until_it_sleeps(unsigned least)
{
    unsigned before, looks = 0, tries = 0;

    WAIT_FOR(READ_COUNTER(world.looks) >= least);
    do {
        before = looks;
        g_usleep(20000);
        looks = READ_COUNTER(world.looks);
    } while (looks != before && ++tries < 100);
    check_number(looks, before);
    return looks;
}

/* With one processor nobody polls, as it could be the one that the other side needs. */
static bool may_poll(void)
{
    cpu_set_t processors;

    return sched_getaffinity(0, sizeof(processors), &processors) != 0 || CPU_COUNT(&processors) > 1;
}

/*
 * The answer does not come: the receiver looks for it a bounded number of times, and half as often after the next
 * fault; then it sleeps.  Meanwhile it hears of faults all the same.
 */
static void gives_up(bool never_poll)
{
    enum { FIRST = 100, AGAIN = 50, OTHER_LOOKS = 30 };
    const bool polls = !never_poll && may_poll();
    GuestRead readings[2];
    unsigned before, looks, looks_again;

    begin(never_poll);
    before = looks_until_it_sleeps(0);
    guest_read(&readings[0], reader.ram->host + reader.host_page);
    check(source_is_asked(1));
    looks = looks_until_it_sleeps(before + (polls ? FIRST : 0) + 1);        /* the last look says where to sleep */
    check(looks - before <= (polls ? FIRST : 0) + OTHER_LOOKS);
    guest_read(&readings[1], reader.ram->host + 2 * reader.host_page);
    check(source_is_asked(2));
    looks_again = looks_until_it_sleeps(looks + (polls ? AGAIN : 0) + 1);
    check(looks_again - looks <= (polls ? AGAIN : 0) + OTHER_LOOKS);
    for (unsigned page = 1; page < READER_PAGES; page++) {
        put_whole(NULL, page, (int)(0x60 + page));
    }
    put_end();
    source_sends();
    check_number(guest_read_end(&readings[0]), 0x61);
    check_number(guest_read_end(&readings[1]), 0x62);
    receiver_ends(0);
    end();
}

static void stops_polling(void)
{
    gives_up(false);
}

static void never_polls(void)
{
    gives_up(true);
}

/* 0 is a descriptor, too. */
static void serves_on_0(void)
{
    const int input = dup(STDIN_FILENO);

    world.socket_is_0 = true;
    serves(false);
    serves(true);
    stops_polling();
    never_polls();
    check_number(world.fds[0], STDIN_FILENO);
    world.socket_is_0 = false;
    dup2(input, STDIN_FILENO);
    close(input);
}

/* The connection breaks: now there is a thread, which goes on hearing of faults, and who waits goes on waiting. */
static void breaks(void)
{
    GuestRead before, after;

    begin(false);
    guest_read(&before, reader.ram->host + reader.host_page);
    check(source_is_asked(1));
    shutdown(world.fds[1], SHUT_RDWR);
    receiver_ends(-1);
    guest_read(&after, reader.ram->host + 2 * reader.host_page);
    WAIT_FOR(READ_COUNTER(reader.mis.counters.faults) == 2);
    check(!guest_has_read(&before) && !guest_has_read(&after));
    reader.mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&reader.mis), 0);
    check_number(guest_read_end(&before), 0);
    check_number(guest_read_end(&after), 0);
    end();
}

/* The host does not tell the receiver of faults any more: a thread tries it. */
static void look_fails(void)
{
    GuestRead reading;

    begin(false);
    __atomic_store_n(&fails.poll, ENOMEM, __ATOMIC_SEQ_CST);
    guest_read(&reading, reader.ram->host + reader.host_page);
    receiver_ends(-1);
    check(strstr(error_get_pretty(reader.mis.error), "the host does not tell which pages are missing any more"));
    WAIT_FOR(READ_COUNTER(reader.mis.counters.faults) == 1);
    check(!guest_has_read(&reading));
    reader.mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&reader.mis), 0);
    check_number(guest_read_end(&reading), 0);
    end();
}

/* There is no thread for it: the first error is the one that is told, and cleanup has nobody to stop. */
static void nobody_takes_over(void)
{
    begin(false);
    __atomic_store_n(&fails.pthread_create, EAGAIN, __ATOMIC_SEQ_CST);
    shutdown(world.fds[1], SHUT_RDWR);
    receiver_ends(-1);
    check_number((uint64_t)fails.pthread_create, 0);
    check_number(count_tasks(), world.tasks);
    check(!strstr(error_get_pretty(reader.mis.error), "fault thread"));
    reader.mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&reader.mis), 0);
    end();
}

/* What `ready` says, and that recv takes what it has read ahead. */
static void ready(void)
{
    MigrationTransport transport;
    char text[8] = { 0 };
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    transport = migration_transport_socket(fds[0]);
    check_number(transport.ready(transport.opaque, true), fds[0]);
    check_number(send(fds[1], "abcdef", 6, 0), 6);
    check_number(transport.ready(transport.opaque, false), fds[0]);
    check_number(transport.ready(transport.opaque, true), (uint64_t)-1);
    check_number(transport.recv(transport.opaque, text, 4), 0);
    check_text(text, "abcd");
    check_number(transport.ready(transport.opaque, false), (uint64_t)-1);
    check_number(transport.recv(transport.opaque, text, 2), 0);
    check_text(text, "efcd");
    check_number(transport.ready(transport.opaque, true), fds[0]);
    close(fds[1]);
    check_number(transport.ready(transport.opaque, true), fds[0]);
    check_number(transport.recv(transport.opaque, text, 1), (uint64_t)-EPIPE);
    migration_transport_free(&transport);
    close(fds[0]);
}

/* --- a stream that never pauses ----------------------------------------------------------------- */

/*
 * The source sends page 0, which is there, until it is asked for another one: so the receiver always has more to
 * read, and must look for faults all the same.
 */
static struct {
    bool asked;
    gint64 deadline;
} busy;

static int busy_send(void *opaque, const void *from, size_t length)
{
    const uint8_t *message = from;

    (void)opaque;
    busy.asked = busy.asked || (length > 4 && (message[1] == 3 || message[1] == 4));
    return 0;
}

static int busy_recv(void *opaque, void *to, size_t length)
{
    Tape *tape = opaque;

    if (tape->at == tape->in->len) {
        g_byte_array_set_size(tape->in, 0);
        tape->at = 0;
        if (g_get_monotonic_time() > busy.deadline) {
            return -ETIMEDOUT;
        }
        if (!busy.asked) {
            put_whole(NULL, 0, 0x70);
        } else {
            for (unsigned page = 1; page < READER_PAGES; page++) {
                put_whole(NULL, page, (int)(0x60 + page));
            }
            put_end();
        }
    }
    return tape_transport(tape).recv(tape, to, length);
}

static int always_ready(void *opaque, bool look)
{
    (void)opaque;
    (void)look;
    return -1;
}

static void never_pauses(void)
{
    GuestRead reading;

    reader_begin();
    reader.mis.transport.send = busy_send;
    reader.mis.transport.recv = busy_recv;
    reader.mis.transport.ready = always_ready;
    busy.asked = false;
    busy.deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    put_begin_with_page();
    receiver_starts(false);
    guest_read(&reading, reader.ram->host + reader.host_page);
    receiver_ends(0);
    check(busy.asked);
    reader.mis.abandon = true;          /* where it failed: so that nobody waits for ever */
    postcopy_ram_incoming_cleanup(&reader.mis);
    check_number(guest_read_end(&reading), 0x61);
    check_number(reader.ram->host[0], 0x60);
    reader_end();
}

int main(int argc, char **argv)
{
    GuestRead first;

    conformance_start(&argc, &argv);
    /* ThreadSanitizer starts a thread of its own with the first one: not while they are counted. */
    guest_read(&first, &(uint8_t){ 0 });
    guest_read_end(&first);
    postcopy_case("/R-PC-21/receiver-polls", polls);
    postcopy_case("/R-PC-21/serves-on-0", serves_on_0);
    postcopy_case("/R-PC-21/receiver-sleeps", sleeps);
    postcopy_case("/R-PC-21/receiver-stops-polling", stops_polling);
    postcopy_case("/R-PC-21/receiver-never-polls", never_polls);
    postcopy_case("/R-PC-21/receiver-never-pauses", never_pauses);
    postcopy_case("/R-PC-25/receiver-ends", breaks);
    postcopy_case("/R-PC-25/look-fails", look_fails);
    postcopy_case("/R-PC-25/nobody-takes-over", nobody_takes_over);
    postcopy_case("/R-PC-50/ready", ready);
    return g_test_run();
}
