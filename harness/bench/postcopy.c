/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a thread waits for a page of a postcopy migration, of which nothing else is under way: against two
 * threads that do nothing but that, with and without a socket between who asks and who has the page.  In turns,
 * and on one processor: on a virtual machine, waking a thread on another costs several times the rest.  Then as it
 * is outside of benchmarks, who has the page on a processor of his own, in the bare ping as in the migration, there
 * with both sides polling and with both sleeping at once.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "exec/memory.h"
#include "memcore/memcore.h"
#include "migration/postcopy-host.h"
#include "migration/postcopy-ram.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"

enum { TURNS = 5, WARM_UP = 50, PAGES = WARM_UP + (BENCH_SAMPLES_MAX - 1) / TURNS, PAGE = 4096 };

static const PostcopyHost *const host = &postcopy_userfaultfd;

static bool read_all(int fd, void *to, size_t length)
{
    return recv(fd, to, length, MSG_WAITALL) == (ssize_t)length;
}

static bool write_all(int fd, const void *from, size_t length)
{
    return send(fd, from, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void run_on(int processor)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((unsigned)processor, &one);
    pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

/* Touches the pages one after the other, and notes how long each took. */
static void touch(struct bench_series *series, const uint8_t *memory)
{
    for (unsigned page = 0; page < PAGES; page++) {
        const double start = bench_seconds();

        bench_keep(*(const volatile uint8_t *)(memory + (size_t)page * PAGE));
        if (page >= WARM_UP) {
            bench_series_add(series, bench_seconds() - start);
        }
    }
}

/* --- without memcore ---------------------------------------------------------------------------- */

typedef struct {
    int fd, quit_fd, socket;        /* socket -1: who hears of the fault has the page */
    int processor;                  /* of who hears of the fault; -1: that of the others */
    uint8_t *memory, page[PAGE];
} Bare;

static void *bare_faults(void *opaque)
{
    Bare *bare = opaque;
    void *address;

    if (bare->processor >= 0) {
        run_on(bare->processor);
    }
    while (host->wait(NULL, bare->fd, bare->quit_fd, &address) > 0) {
        if (bare->socket < 0) {
            host->copy(NULL, bare->fd, address, bare->page, PAGE);
        } else if (!write_all(bare->socket, &address, sizeof(address))) {
            break;
        }
    }
    return NULL;
}

static void *bare_peer(void *opaque)
{
    const int fd = *(int *)opaque;
    struct {
        void *address;
        uint8_t page[PAGE];
    } answer = { .page = { 1 } };

    while (read_all(fd, &answer.address, sizeof(answer.address)) && write_all(fd, &answer, sizeof(answer))) {
        continue;
    }
    return NULL;
}

static void *bare_receiver(void *opaque)
{
    Bare *bare = opaque;
    void *address;

    while (read_all(bare->socket, &address, sizeof(address)) && read_all(bare->socket, bare->page, PAGE)) {
        host->copy(NULL, bare->fd, address, bare->page, PAGE);
    }
    return NULL;
}

static void without_memcore(struct bench_series *series, int processor, bool over_socket)
{
    PostcopyHostAbilities abilities;
    Bare bare = { .socket = -1, .processor = processor, .page = { 1 } };
    int quit[2], sockets[2] = { -1, -1 };
    pthread_t faults, peer, receiver;
    uint64_t ioctls;

    if (pipe(quit) != 0 || (over_socket && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0)) {
        return;
    }
    bare.quit_fd = quit[0];
    bare.socket = sockets[0];
    bare.fd = host->open(NULL, 0, &abilities);
    bare.memory = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(bare.memory, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
    host->enroll(NULL, bare.fd, bare.memory, (size_t)PAGES * PAGE, &ioctls);
    pthread_create(&faults, NULL, bare_faults, &bare);
    if (over_socket) {
        pthread_create(&peer, NULL, bare_peer, &sockets[1]);
        pthread_create(&receiver, NULL, bare_receiver, &bare);
    }
    touch(series, bare.memory);
    close(quit[1]);
    pthread_join(faults, NULL);
    if (over_socket) {
        shutdown(sockets[0], SHUT_RDWR);
        pthread_join(peer, NULL);
        pthread_join(receiver, NULL);
        close(sockets[0]);
        close(sockets[1]);
    }
    close(quit[0]);
    host->close(NULL, bare.fd);
    munmap(bare.memory, (size_t)PAGES * PAGE);
}

/* --- memcore as the destination -------------------------------------------------------------------- */

/* What a source sends first: R-WIRE-6, with the list of one block and nothing precopied. */
static size_t setup_stream(uint8_t *stream)
{
    static const char head[] = "QEVM\0\0\0\3\7\0\0\0\4none\x8\0\1\0\0\x8\0\3\0\x10";
    static const char list[] = "\1\0\0\0\1\3ram\0\0\0\0\0\0\0\4";
    static const char tail[] = "\0\0\0\0\0\0\0\x10\x7e\0\0\0\1\x8\0\4\0\0\x8\0\5\0\0";
    uint8_t *at = stream;

    memcpy(at, head, sizeof(head) - 1);
    at += sizeof(head) - 1;
    stq_be_p(at, PAGE);
    stq_be_p(at + 8, TARGET_PAGE_SIZE);
    at += 16;
    memcpy(at, list, sizeof(list) - 1);
    at += sizeof(list) - 1;
    stq_be_p(at, (uint64_t)PAGES * PAGE | 4);
    memcpy(at + 8, "\3ram", 4);
    stq_be_p(at + 12, (uint64_t)PAGES * PAGE);
    at += 20;
    memcpy(at, tail, sizeof(tail) - 1);
    return (size_t)(at - stream) + sizeof(tail) - 1;
}

typedef struct {
    MigrationTransport transport;
    bool polls;
    int processor;              /* -1: that of the others */
} Source;

static bool source_receives(const Source *source, void *to, size_t length)
{
    return source->transport.recv(source->transport.opaque, to, length) == 0;
}

static bool source_sends(const Source *source, const void *from, size_t length)
{
    return source->transport.send(source->transport.opaque, from, length) == 0;
}

/* As often as memcore's source does (memcore/migration/poll_budget.h). */
static void look_for_request(const Source *source)
{
    for (unsigned i = 0; source->polls && i < 100; i++) {
        if (source->transport.ready(source->transport.opaque, true) < 0) {
            return;
        }
    }
}

/* A source that has nothing to do but answer. */
static void *answer_requests(void *opaque)
{
    const Source *source = opaque;
    uint8_t stream[256], request[64], answer[5 + 12 + PAGE + 13];

    if (source->processor >= 0) {
        run_on(source->processor);
    }
    if (!source_sends(source, stream, setup_stream(stream))) {
        return NULL;
    }
    memset(answer, 1, sizeof(answer));
    memcpy(answer, "\2\0\0\0\1", 5);
    memcpy(answer + 13, "\3ram", 4);
    memcpy(answer + sizeof(answer) - 13, "\0\0\0\0\0\0\0\x10\x7e\0\0\0\1", 13);
    while (source_receives(source, request, 4) && request[3] <= sizeof(request) - 4 &&
           source_receives(source, request + 4, request[3])) {
        if (request[1] == 3 || request[1] == 4) {
            stq_be_p(answer + 5, ldq_be_p(request + 4) | 8);
            if (!source_sends(source, answer, sizeof(answer))) {
                break;
            }
        }
        look_for_request(source);
    }
    return NULL;
}

static bool runs;

static void run(void *opaque, const void *devices, size_t length)
{
    (void)opaque;
    (void)devices;
    (void)length;
    __atomic_store_n(&runs, true, __ATOMIC_SEQ_CST);
}

static void *receiver(void *opaque)
{
    memcore_thread_register();
    ram_migrate_incoming(opaque);
    memcore_thread_unregister();
    return NULL;
}

static void with_memcore(struct bench_series *series, int processor, bool polls)
{
    static MemoryRegion ram;
    MigrationIncomingState mis = { .run = run, .never_poll = !polls };
    Source source = { .processor = processor, .polls = polls };
    int sockets[2];
    pthread_t peer, destination;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) {
        return;
    }
    memory_region_init_ram(&ram, NULL, "ram", (uint64_t)PAGES * PAGE, &error_fatal);
    mis.transport = migration_transport_socket(sockets[0]);
    source.transport = migration_transport_socket(sockets[1]);
    qemu_mutex_unlock_iothread();
    pthread_create(&peer, NULL, answer_requests, &source);
    pthread_create(&destination, NULL, receiver, &mis);
    while (!__atomic_exchange_n(&runs, false, __ATOMIC_SEQ_CST)) {
        usleep(100);
    }
    touch(series, memory_region_get_ram_ptr(&ram));
    shutdown(sockets[1], SHUT_RDWR);
    pthread_join(peer, NULL);
    pthread_join(destination, NULL);
    qemu_mutex_lock_iothread();
    mis.abandon = true;
    postcopy_ram_incoming_cleanup(&mis);
    error_free(mis.error);
    migration_transport_free(&mis.transport);
    migration_transport_free(&source.transport);
    close(sockets[0]);
    close(sockets[1]);
    object_unparent(OBJECT(&ram));
}

static void show(const char *name, struct bench_series *series, struct bench_series *bare)
{
    char key[80];

    snprintf(key, sizeof(key), "migration.postcopy_%s_us", name);
    bench_figure(key, bench_series_median(series) * 1e6, "us, the median");
    snprintf(key, sizeof(key), "migration.postcopy_%s_p99_us", name);
    bench_figure(key, bench_series_percentile(series, 99) * 1e6, "us, the 99th percentile");
    if (bare) {
        snprintf(key, sizeof(key), "migration.postcopy_%s_ratio", name);
        bench_figure(key, bench_series_median(series) / bench_series_median(bare), "times the bare one");
        snprintf(key, sizeof(key), "migration.postcopy_%s_p99_ratio", name);
        bench_figure(key, bench_series_percentile(series, 99) / bench_series_percentile(bare, 99),
                     "times the bare one");
    }
}

void bench_postcopy(void)
{
    static struct bench_series bare, bare_socket, bare_apart, fault, apart, apart_asleep;
    PostcopyHostAbilities abilities;
    const int fd = host->open(NULL, 0, &abilities);
    const int processor = sched_getcpu();
    cpu_set_t here;
    int other = -1;

    if (fd < 0 || TARGET_PAGE_SIZE != PAGE || sysconf(_SC_PAGESIZE) != PAGE) {
        fprintf(stderr, "membench: no postcopy figures: userfaultfd and pages of 4 KiB are needed\n");
        return;
    }
    host->close(NULL, fd);
    sched_getaffinity(0, sizeof(here), &here);
    for (int i = 0; i < CPU_SETSIZE && other < 0; i++) {
        other = i != processor && CPU_ISSET((unsigned)i, &here) ? i : -1;
    }
    for (unsigned turn = 0; turn < TURNS; turn++) {
        run_on(processor);
        without_memcore(&bare, -1, false);
        without_memcore(&bare_socket, -1, true);
        with_memcore(&fault, -1, false);
        if (other >= 0) {
            without_memcore(&bare_apart, other, false);
        }
        sched_setaffinity(0, sizeof(here), &here);
        if (other >= 0) {
            with_memcore(&apart, other, true);
            with_memcore(&apart_asleep, other, false);
        }
    }
    show("bare", &bare, NULL);
    show("bare_socket", &bare_socket, &bare);
    show("fault", &fault, &bare);
    if (other >= 0) {
        show("bare_apart", &bare_apart, NULL);
        show("fault_apart", &apart, &bare_apart);
        show("fault_apart_asleep", &apart_asleep, &bare_apart);
    }
}
