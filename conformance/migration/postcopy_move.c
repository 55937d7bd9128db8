/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapter 6: a guest that keeps writing moves from one process to another, and
 * either of them dies.
 *
 * Pages check themselves: all words of one are equal, so that a mixture of two states is seen.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "postcopy_guest.h"
#include "qemu/main-loop.h"

enum { PAGES = 512, SMALL_PAGES = 33, DEADLINE = 100 };     /* seconds for a case */

static RAMBlock *blocks[2];
static AddressSpace *space;

/* What the two processes have in common. */
static struct {
    char digest[65];            /* of the source's memory when its guest stopped */
    uint64_t written;           /* pages */
    uint64_t faults;
} *common;

static char *digest(void)
{
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    char *text;

    for (unsigned i = 0; i < 2; i++) {
        g_checksum_update(checksum, blocks[i]->host, (gssize)blocks[i]->used_length);
    }
    text = g_strdup(g_checksum_get_string(checksum));
    g_checksum_free(checksum);
    return text;
}

/* A guest's stores, which the migration reads while they are made: for ThreadSanitizer they are not the program's. */
__attribute__((no_sanitize("thread"))) static void write_page(RAMBlock *block, unsigned page, uint64_t value)
{
    uint64_t *words = (uint64_t *)(void *)(block->host + page * host_page);

    for (size_t i = 0; i < host_page / sizeof(uint64_t); i++) {
        ((volatile uint64_t *)words)[i] = value;
    }
    memory_region_set_dirty(block->mr, page * host_page, host_page);
}

static void fill(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        if (page % 4 != 2) {
            write_page(blocks[0], page, page + 1);
        }
    }
}

static void begin(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(common != MAP_FAILED);
    blocks[0] = stage_block(KIND_ANONYMOUS, "ram", PAGES * host_page);
    blocks[1] = stage_block(KIND_POINTER, "vram", SMALL_PAGES * host_page);
    stage_add(root, 0, blocks[0]->mr);
    space = stage_space(root, "memory");
    fill();
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
}

static void end(void)
{
    munmap(common, sizeof(*common));
}

/* --- source ------------------------------------------------------------------------------------- */

static struct {
    pthread_t thread;
    bool stop;                  /* atomic */
    uint64_t wish;              /* it writes so many pages at least, after which postcopy is to start */
    MigrationState *ms;
    unsigned resumed;
} writer;

static void *keep_writing(void *opaque)
{
    uint64_t number = 0;
    unsigned page = 0;

    (void)opaque;
    memcore_thread_register();
    while (!__atomic_load_n(&writer.stop, __ATOMIC_SEQ_CST)) {
        page = page * 5 + 13;
        write_page(blocks[0], page % PAGES, number << 20 | page % PAGES);
        write_page(blocks[1], page % SMALL_PAGES, number << 20);
        __atomic_store_n(&common->written, ++number, __ATOMIC_SEQ_CST);
        if (number == writer.wish) {
            __atomic_store_n(&writer.ms->start_postcopy, true, __ATOMIC_SEQ_CST);
        }
        if (number % 64 == 0) {
            g_usleep(100);
        }
    }
    memcore_thread_unregister();
    return NULL;
}

static void stop_writing(void *opaque)
{
    char *text;

    (void)opaque;
    WAIT_FOR(READ_COUNTER(common->written) >= writer.wish);
    __atomic_store_n(&writer.stop, true, __ATOMIC_SEQ_CST);
    pthread_join(writer.thread, NULL);
    text = digest();
    g_strlcpy(common->digest, text, sizeof(common->digest));
    g_free(text);
}

static void resume_writing(void *opaque)
{
    (void)opaque;
    writer.resumed++;
}

static int be_source(MigrationTransport transport, uint64_t wish)
{
    MigrationState ms = {
        .transport = transport, .stop_writers = stop_writing, .resume_writers = resume_writing, .max_rounds = 1000,
    };
    int result;

    common->written = 0;
    memset(&writer, 0, sizeof(writer));
    writer.ms = &ms;
    writer.wish = wish;
    g_assert_cmpint(pthread_create(&writer.thread, NULL, keep_writing, NULL), ==, 0);
    result = ram_migrate_source(&ms);
    if (!__atomic_load_n(&writer.stop, __ATOMIC_SEQ_CST)) {
        stop_writing(NULL);
    }
    check_number(ms.error != NULL, result != 0);
    error_free(ms.error);
    return result;
}

/* --- destination ---------------------------------------------------------------------------------- */

static struct {
    pthread_t threads[2];
    bool runs;
    bool wait;                  /* until one of them has waited */
    bool stop;                  /* atomic: the migration has failed */
    unsigned torn;              /* atomic: pages that were no page */
} reader;

static void check_page(const uint64_t *words)
{
    for (size_t i = 1; i < host_page / sizeof(uint64_t); i++) {
        if (words[i] != words[0]) {
            __atomic_fetch_add(&reader.torn, 1, __ATOMIC_SEQ_CST);
            return;
        }
    }
}

/* Once over all pages, out of order, straight or through the address space (R-PC-53). */
static void *read_pages(void *opaque)
{
    const bool through_space = opaque != NULL;
    uint64_t *copy = g_malloc(host_page);

    memcore_thread_register();
    for (unsigned i = 0; i < PAGES && !__atomic_load_n(&reader.stop, __ATOMIC_SEQ_CST); i++) {
        const unsigned page = (i * 77 + 5) % PAGES;

        if (through_space) {
            address_space_read(space, page * host_page, MEMTXATTRS_UNSPECIFIED, copy, host_page);
            check_page(copy);
        } else {
            check_page((const uint64_t *)(const void *)(blocks[0]->host + page * host_page));
            check_page((const uint64_t *)(const void *)(blocks[1]->host + page % SMALL_PAGES * host_page));
        }
    }
    memcore_thread_unregister();
    g_free(copy);
    return NULL;
}

static void run(void *opaque, const void *devices, size_t length)
{
    const MigrationIncomingState *mis = opaque;

    check_number(length, 0);
    (void)devices;
    reader.runs = true;
    for (uintptr_t i = 0; i < 2; i++) {
        g_assert_cmpint(pthread_create(&reader.threads[i], NULL, read_pages, (void *)i), ==, 0);
    }
    if (reader.wait) {
        WAIT_FOR(READ_COUNTER(mis->counters.faults) > 0);
    }
}

static int be_destination(MigrationTransport transport)
{
    MigrationIncomingState mis = { .transport = transport, .run = run };
    int result;

    reader.runs = reader.stop = false;
    reader.torn = 0;
    mis.opaque = &mis;
    result = ram_migrate_incoming(&mis);
    if (result != 0) {
        check(mis.error != NULL);
        check_number(mis.status, MIGRATION_STATUS_FAILED);
        __atomic_store_n(&reader.stop, true, __ATOMIC_SEQ_CST);
        mis.abandon = true;
        qemu_mutex_lock_iothread();
        check_number(postcopy_ram_incoming_cleanup(&mis), 0);
        qemu_mutex_unlock_iothread();
    }
    for (unsigned i = 0; i < 2 && reader.runs; i++) {
        pthread_join(reader.threads[i], NULL);
    }
    if (result == 0) {
        check_number(reader.torn, 0);
        check(reader.runs);
        common->faults = mis.counters.faults;
        check_number(mis.counters.requests + mis.counters.suppressed <= mis.counters.faults, true);
    }
    error_free(mis.error);
    return result;
}

/* --- two processes ---------------------------------------------------------------------------------- */

/* A transport that kills its process after so many bytes in one direction. */
typedef struct {
    MigrationTransport inner;
    uint64_t left;              /* UINT64_MAX: it lives */
    bool counts_sent;           /* else what is received */
} Mortal;

static int mortal_send(void *opaque, const void *from, size_t length)
{
    Mortal *mortal = opaque;

    if (mortal->counts_sent && mortal->left < length) {
        mortal->inner.send(mortal->inner.opaque, from, mortal->left);
        raise(SIGKILL);
    }
    if (mortal->counts_sent && mortal->left != UINT64_MAX) {
        mortal->left -= length;
    }
    return mortal->inner.send(mortal->inner.opaque, from, length);
}

static int mortal_recv(void *opaque, void *to, size_t length)
{
    Mortal *mortal = opaque;

    if (!mortal->counts_sent && mortal->left < length) {
        raise(SIGKILL);
    }
    if (!mortal->counts_sent && mortal->left != UINT64_MAX) {
        mortal->left -= length;
    }
    return mortal->inner.recv(mortal->inner.opaque, to, length);
}

static void mortal_shutdown(void *opaque)
{
    const Mortal *mortal = opaque;

    mortal->inner.shutdown(mortal->inner.opaque);
}

static _Noreturn void be_child(int fd, bool is_source, uint64_t life, uint64_t wish)
{
    Mortal mortal = { .inner = migration_transport_socket(fd), .left = life, .counts_sent = is_source };
    const MigrationTransport transport = {
        .send = mortal_send, .recv = mortal_recv, .shutdown = mortal_shutdown, .opaque = &mortal,
    };
    int result;

    alarm(DEADLINE);
    result = is_source ? be_source(transport, wish) : be_destination(transport);
    if (result == 0 && !is_source) {
        char *text = digest();

        result = strcmp(text, common->digest) != 0 || reader.torn;
        g_free(text);
    }
    _exit(result != 0);
}

/*
 * Both drivers, in two processes.  With a `life` the child dies after so many bytes, which it sent as the source or
 * received as the destination, and the parent must get an Error, not hang.
 */
static void move(bool child_is_source, uint64_t life, uint64_t wish)
{
    int fds[2], status, result;
    MigrationTransport transport;
    pid_t child;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    qemu_mutex_unlock_iothread();
    child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        close(fds[0]);
        be_child(fds[1], child_is_source, life, wish);
    }
    close(fds[1]);
    alarm(DEADLINE);
    transport = migration_transport_socket(fds[0]);
    result = child_is_source ? be_destination(transport) : be_source(transport, wish);
    migration_transport_free(&transport);
    close(fds[0]);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    alarm(0);
    qemu_mutex_lock_iothread();
    if (life == UINT64_MAX) {
        check_number(result, 0);
        check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    } else {
        check_number(result, (uint64_t)-1);
        check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

static void to_child(void)
{
    begin();
    move(false, UINT64_MAX, 3000);
    end();
}

static void from_child(void)
{
    char *text;

    begin();
    move(true, UINT64_MAX, 3000);
    text = digest();
    check_text(text, common->digest);
    g_free(text);
    end();
}

/* Hardly anything is precopied. */
static void at_once(void)
{
    begin();
    reader.wait = true;
    move(false, UINT64_MAX, 1);
    reader.wait = false;
    check(common->faults > 0);
    g_test_message("%" PRIu64 " faults", common->faults);
    end();
}

/* In the setup, among the first pages, at the switch, among the last. */
static void peer_dies(bool child_is_source)
{
    const uint64_t all = (uint64_t)(PAGES + SMALL_PAGES) * host_page;
    const uint64_t lives[] = { 0, 7, 40, 100, 5000, all / 4, all / 2, all / 8 * 5 };

    begin();
    for (size_t i = 0; i < G_N_ELEMENTS(lives); i++) {
        fill();
        move(child_is_source, lives[i], 1);
        postcopy_state_set(POSTCOPY_INCOMING_NONE);
    }
    end();
}

static void source_dies(void)
{
    peer_dies(true);
}

static void destination_dies(void)
{
    peer_dies(false);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-52/to-child", to_child);
    postcopy_case("/R-PC-52/from-child", from_child);
    postcopy_case("/R-PC-52/at-once", at_once);
    postcopy_case("/R-PC-25/source-dies", source_dies);
    postcopy_case("/R-PC-52/destination-dies", destination_dies);
    return g_test_run();
}
