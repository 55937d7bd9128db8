/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapter 6: a destination up to where it listens, on the real kernel.
 *
 * Linked with --wrap for advice and memory locks, which sanitizers keep from the kernel, and for
 * the making of threads.
 */
#include "migration/postcopy-ram.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "postcopy_stage.h"

enum { PAGES = 8 };
/* --- system calls ------------------------------------------------------------------------- */

static struct {
    unsigned huge, no_huge, unlocked, locked;
    int huge_result, lock_result;
    bool no_thread;
    sigset_t blocked;           /* when a thread was begun */
} calls;

WRAPPED(int, madvise, void *start, size_t length, int advice)
{
    if (advice == MADV_HUGEPAGE || advice == MADV_NOHUGEPAGE) {
        *(advice == MADV_HUGEPAGE ? &calls.huge : &calls.no_huge) += 1;
        if (calls.huge_result) {
            return failed(EINVAL);
        }
    }
    return __real_madvise(start, length, advice);
}

WRAPPED(int, munlockall, void)
{
    calls.unlocked++;
    return 0;
}

WRAPPED(int, mlockall, int flags)
{
    (void)flags;
    calls.locked++;
    errno = ENOMEM;
    return calls.lock_result;
}

WRAPPED(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *opaque)
{
    pthread_sigmask(SIG_SETMASK, NULL, &calls.blocked);
    return calls.no_thread ? EAGAIN : __real_pthread_create(thread, attributes, start, opaque);
}

static void begin_with(RamKind kind)
{
    memset(&calls, 0, sizeof(calls));
    destination_begin(kind);
}

static void begin(void)
{
    begin_with(KIND_ANONYMOUS);
}

/* --- states --------------------------------------------------------------------------------- */

/* Which of four functions accepts which state; refused, it changes nothing. */
static void states(void)
{
    static const struct {
        const char *name;
        unsigned accepts;
    } functions[] = {
        { "incoming_init", 1 << POSTCOPY_INCOMING_NONE },
        { "prepare_discard", 1 << POSTCOPY_INCOMING_ADVISE },
        { "discard_range", 1 << POSTCOPY_INCOMING_ADVISE | 1 << POSTCOPY_INCOMING_DISCARD |
                           1 << POSTCOPY_INCOMING_LISTENING },
        { "enable_notify", 1 << POSTCOPY_INCOMING_ADVISE | 1 << POSTCOPY_INCOMING_DISCARD },
    };

    for (unsigned function = 0; function < G_N_ELEMENTS(functions); function++) {
        for (int state = POSTCOPY_INCOMING_NONE; state <= POSTCOPY_INCOMING_END; state++) {
            const bool accepts = functions[function].accepts >> state & 1;
            int result;

            begin();
            if (function > 0) {
                check_number(postcopy_ram_incoming_init(&mis, 0), 0);
            }
            check_number(postcopy_state_set((PostcopyState)state), function > 0 ? POSTCOPY_INCOMING_ADVISE
                                                                             : POSTCOPY_INCOMING_NONE);
            result = function == 0   ? postcopy_ram_incoming_init(&mis, 7)
                     : function == 1 ? postcopy_ram_prepare_discard(&mis)
                     : function == 2 ? postcopy_ram_discard_range(&mis, ram->host, host_page)
                                     : postcopy_ram_enable_notify(&mis);
            if (!check_number_at(G_STRLOC, functions[function].name, (uint64_t)result, accepts ? 0 : (uint64_t)-1)) {
                g_test_message("in state %s", postcopy_state_name((PostcopyState)state));
            }
            if (!accepts) {
                check_number(postcopy_state_get(), state);
                check_number(ram->host[0], function > 0 ? 0 : 0x11);
            }
            postcopy_state_set(POSTCOPY_INCOMING_END);
            mis.abandon = true;
            postcopy_ram_incoming_cleanup(&mis);
            postcopy_set_host(NULL);
            stage_release(ram->mr);
            memcore_drain();
        }
    }
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
}

static void names(void)
{
    check_text(postcopy_state_name(POSTCOPY_INCOMING_NONE), "none");
    check_text(postcopy_state_name(POSTCOPY_INCOMING_END), "end");
    check_number(POSTCOPY_INCOMING_END, 5);
    check_text(migration_status_name(MIGRATION_STATUS_NONE), "none");
    check_text(migration_status_name(MIGRATION_STATUS_POSTCOPY_ACTIVE), "postcopy-active");
    check_text(migration_status_name(MIGRATION_STATUS_CANCELLED), "cancelled");
}

static void one_active(void)
{
    MigrationIncomingState other = { .request_page = destination_ask };

    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    check_number(postcopy_ram_incoming_init(&other, 0), (uint64_t)-1);
    check_pointer(other.postcopy, NULL);
    destination_end();
}

/* --- the host -------------------------------------------------------------------------------- */

static void supported(void)
{
    begin();
    for (unsigned i = 0; i < 3; i++) {
        const unsigned descriptors = count_descriptors();

        check(postcopy_ram_supported_by_host());
        check_number(count_descriptors(), descriptors);
    }
    check_number(ram->host[0], 0x11);
    postcopy_set_host(NULL);
}

static void not_supported(void)
{
    begin();
    for (unsigned what = 0; what < 6; what++) {
        lying_host();
        lying.fail_at = what < 3 ? what + 1 : 0;        /* open, enroll, dismiss */
        lying.fail_with = -EPERM;
        lying.ioctls_without = what == 3 ? 1ull << 0x01 : 0;
        lying.range_without = what == 4 ? 1ull << 0x03 : what == 5 ? 1ull << 0x02 : 0;
        check(!postcopy_ram_supported_by_host());
        check_number(lying.opened, lying.closed);
    }
    lying_host();
    check(postcopy_ram_supported_by_host());
    postcopy_set_host(NULL);
}

static void files(void)
{
    char path[] = "ram-on-disk-XXXXXX";
    const int fd = mkstemp(path);
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    struct statfs file_system;

    begin_with(KIND_MEMFD_SHARED);
    check(postcopy_ram_supported_by_host());
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(fstatfs(fd, &file_system), ==, 0);
    unlink(path);
    memory_region_init_ram_from_fd(mr, NULL, "disk", host_page, RAM_SHARED, fd, 0, &error_fatal);
    stage_adopt(mr, NULL);
    check(postcopy_ram_supported_by_host());            /* it takes no part */
    stage_migratable(mr, "disk");
    check_number(postcopy_ram_supported_by_host(), file_system.f_type == 0x01021994);      /* a tmpfs after all */
    postcopy_set_host(NULL);
}

static void locked_memory(void)
{
    begin();
    check(postcopy_ram_supported_by_host());
    check_number(calls.unlocked, 1);
    for (unsigned lock = 0; lock < 3; lock++) {
        mis = (MigrationIncomingState){ .request_page = destination_ask, .lock_memory = lock > 0 };
        calls.locked = 0;
        calls.lock_result = lock == 2 ? -1 : 0;         /* only a message */
        check_number(postcopy_ram_incoming_init(&mis, 0), 0);
        check_number(postcopy_ram_incoming_cleanup(&mis), 0);
        check_number(calls.locked, lock > 0);
        postcopy_state_set(POSTCOPY_INCOMING_NONE);
    }
    postcopy_set_host(NULL);
}

/* --- emptying -------------------------------------------------------------------------------- */

static void init_empties(void)
{
    begin();
    RAMBlock *other = stage_block(KIND_ANONYMOUS, "other", host_page);
    MemoryRegion *apart = stage_ram("apart", host_page);

    memset(other->host, 0x22, host_page);
    memset(apart->ram_block->host, 0x33, host_page);
    ramblock_recv_bitmap_init(ram);
    ramblock_recv_bitmap_set(ram, ram->host);
    check_number(postcopy_ram_incoming_init(&mis, 12345), 0);
    check_number(ram->host[0] | ram->host[DESTINATION_PAGES * host_page - 1] | other->host[0], 0);
    check_number(apart->ram_block->host[0], 0x33);
    check(!ramblock_recv_bitmap_test(ram, ram->host));
    check_pointer(apart->ram_block->receivedmap, NULL);
    check_number(ram->postcopy_length, DESTINATION_PAGES * host_page);
    check_number(other->postcopy_length, host_page);
    destination_end();
    check_number(ram->postcopy_length, 0);
    check_pointer(ram->receivedmap, NULL);
}

static void init_fails(void)
{
    begin();
    RAMBlock *small = stage_block(KIND_ANONYMOUS, "small", host_page);

    memset(small->host, 0x22, host_page);
    host_refuses_nth(MEMCORE_FAULT_MADVISE, EIO, 1);
    check_number(postcopy_ram_incoming_init(&mis, 0), (uint64_t)-1);
    host_agrees();
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_NONE);
    check_number(ram->host[0], 0);              /* the larger block comes first, and stays empty */
    check_number(small->host[0], 0x22);
    check_pointer(ram->receivedmap, NULL);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    destination_end();
}

static void prepare(void)
{
    begin();
    stage_block(KIND_ANONYMOUS, "other", host_page);
    calls.huge_result = -1;                     /* failing is no trouble */
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(calls.no_huge, 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(calls.no_huge, 2);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_DISCARD);
    check_number(postcopy_ram_prepare_discard(&mis), (uint64_t)-1);
    check_number(calls.no_huge, 2);
    check_number(calls.huge, 0);
    destination_end();
    check_number(calls.huge, 2);
}

static void discard_range(void)
{
    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    memset(ram->host, 0x44, DESTINATION_PAGES * host_page);
    ramblock_recv_bitmap_set_range(ram, ram->host, DESTINATION_PAGES * host_page / TARGET_PAGE_SIZE);

    const struct {
        uint8_t *start;
        size_t length;
    } bad[] = {
        { destination_page(1) + TARGET_PAGE_SIZE / 2, host_page },
        { destination_page(1), host_page / 2 },
        { destination_page(DESTINATION_PAGES - 1), 2 * host_page },
        { destination_page(1), SIZE_MAX - host_page + 1 },
        { ram->host - host_page, host_page },
        { (uint8_t *)&mis, host_page },
        { NULL, 0 },
        { destination_page(DESTINATION_PAGES) + host_page, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (!check_number(postcopy_ram_discard_range(&mis, bad[i].start, bad[i].length), (uint64_t)-1)) {
            g_test_message("row %zu", i);
        }
    }
    check_number(postcopy_ram_discard_range(&mis, destination_page(2), 0), 0);
    for (unsigned page = 0; page < DESTINATION_PAGES; page++) {
        check(destination_received(page));
        check_number(*destination_page(page), 0x44);
    }
    check_number(postcopy_ram_discard_range(&mis, destination_page(2), 3 * host_page), 0);
    check_number(READ_COUNTER(mis.counters.discarded), 3 * host_page / TARGET_PAGE_SIZE);
    for (unsigned page = 0; page < DESTINATION_PAGES; page++) {
        check_number(destination_received(page), page < 2 || page >= 5);
        check_number(*destination_page(page), page < 2 || page >= 5 ? 0x44 : 0);
    }
    destination_end();
}

/* Bits go first: what the host cannot discard is not taken for received. */
static void discard_bits_first(void)
{
    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    ramblock_recv_bitmap_set_range(ram, ram->host, DESTINATION_PAGES * host_page / TARGET_PAGE_SIZE);
    host_refuses_nth(MEMCORE_FAULT_MADVISE, EIO, 0);
    check_number(postcopy_ram_discard_range(&mis, destination_page(1), host_page), (uint64_t)-1);
    host_agrees();
    check(!destination_received(1));
    destination_end();
}

/* Discarding empties shared memory too, or pages could not be placed. */
static void discard_shared(void)
{
    for (int kind = KIND_SHARED; kind <= KIND_MEMFD_SHARED; kind++) {
        begin_with((RamKind)kind);
        check_number(postcopy_ram_incoming_init(&mis, 0), 0);
        memset(ram->host, 0x44, DESTINATION_PAGES * host_page);
        check_number(postcopy_ram_discard_range(&mis, ram->host, DESTINATION_PAGES * host_page), 0);
        check_number(postcopy_ram_enable_notify(&mis), 0);
        check_number(destination_place(3, 0x55), 0);
        check_number(*destination_page(3), 0x55);
        destination_end();
        stage_release(ram->mr);
        memcore_drain();
    }
}

static void grows(void)
{
    RAMBlock *growing;

    begin();
    growing = stage_migratable(stage_resizeable("growing", 2 * host_page, 4 * host_page, NULL), "growing");
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(growing->postcopy_length, 2 * host_page);
    memset(growing->host + 2 * host_page, 0x66, host_page);
    check_number(qemu_ram_resize(growing, 3 * host_page, &error_fatal), 0);
    check_number(growing->postcopy_length, 3 * host_page);
    check_number(growing->host[2 * host_page], 0);      /* looking at it has put a page there */
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_discard_range(&mis, growing->host + 2 * host_page, host_page), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    postcopy_state_set(POSTCOPY_INCOMING_RUNNING);
    check_number(qemu_ram_resize(growing, 4 * host_page, &error_fatal), 0);
    check_number(growing->postcopy_length, 3 * host_page);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_NONE);
    check_number(postcopy_place_page_zero(&mis, growing->host + 2 * host_page), 0);
    check_number(postcopy_place_page_zero(&mis, growing->host + 3 * host_page), (uint64_t)-EINVAL);
    check(postcopy_ram_fault(&mis, growing->host + 3 * host_page) < 0);       /* the source has no such page */
    check_number(mis.status, MIGRATION_STATUS_FAILED);
    mis.status = MIGRATION_STATUS_NONE;
    postcopy_state_set(POSTCOPY_INCOMING_LISTENING);
    check_number(qemu_ram_resize(growing, 2 * host_page, &error_fatal), 0);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);
    destination_end();
}

/* --- listening -------------------------------------------------------------------------------- */

/* Each step of it fails once: descriptors, threads and registrations are as before, and it can be repeated. */
static void enable_notify_unwinds(void)
{
    unsigned step, failed = 0;

    begin();
    stage_block(KIND_SHARED, "other", host_page);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    for (step = 1; step < 16; step++) {
        const unsigned tasks = count_tasks(), descriptors = count_descriptors();

        lying_host();
        /* memcore's own calls, then the host's, then the thread */
        host_refuses_nth(ANYTHING, step <= 6 ? EMFILE : 0, step - 1);
        lying.fail_at = step > 6 && step < 15 ? step - 6 : 0;
        lying.fail_with = -EBUSY;
        calls.no_thread = step == 15;
        const int result = postcopy_ram_enable_notify(&mis);
        const unsigned asked = host_agrees();

        calls.no_thread = false;
        if (result == 0) {
            check(step <= 6 ? asked < step : lying.calls < step - 6);
            lying.fail_at = 0;
            mis.abandon = true;
            check_number(postcopy_ram_incoming_cleanup(&mis), 0);
            mis = (MigrationIncomingState){ .request_page = destination_ask };
            postcopy_state_set(POSTCOPY_INCOMING_NONE);
            check_number(postcopy_ram_incoming_init(&mis, 0), 0);
            check_number(postcopy_ram_prepare_discard(&mis), 0);
            continue;
        }
        failed++;
        check_number(result, (uint64_t)-1);
        check_number(postcopy_state_get(), POSTCOPY_INCOMING_DISCARD);
        check_number(lying.opened, lying.closed);
        check_number(count_tasks(), tasks);
        check_number(count_descriptors(), descriptors);
        check_number(ram->host[0], 0);                  /* nobody waits */
        check(!qemu_ram_is_uf_zeroable(ram));
    }
    /* memcore: a descriptor, an eventfd, two pages; host: two opens, two blocks; the thread. */
    check_number(failed, 9);
    check_number(postcopy_ram_discard_range(&mis, ram->host, host_page), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    destination_end();
}

/* Signals are the program's: its handlers may touch guest memory, and the fault thread cannot wait for itself. */
static void signals_elsewhere(void)
{
    sigset_t before;

    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    block_one_signal(&before);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_one_signal_blocked(&before);
    for (int number = 1; number < 32; number++) {
        check(sigismember(&calls.blocked, number) || number == SIGKILL || number == SIGSTOP);
    }
    destination_end();
    stage_release(ram->mr);
    /* and when there is no thread */
    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    block_one_signal(&before);
    calls.no_thread = true;
    check_number(postcopy_ram_enable_notify(&mis), (uint64_t)-1);
    calls.no_thread = false;
    check_one_signal_blocked(&before);
    destination_end();
}

static void wakes_or_says_why(void)
{
    const PostcopyHost *host = &postcopy_userfaultfd;
    PostcopyHostAbilities abilities;
    uint64_t ioctls;
    int fd;

    begin();
    fd = host->open(host->opaque, 0, &abilities);
    check(fd >= 0);
    check_number(host->enroll(host->opaque, fd, ram->host, host_page, &ioctls), 0);
    errno = EIO;
    check_number(host->wake(host->opaque, fd, ram->host, host_page), 0);
    check_number(host->wake(host->opaque, -1, ram->host, host_page), (uint64_t)-EBADF);
    check_number(host->dismiss(host->opaque, fd, ram->host, host_page), 0);
    host->close(host->opaque, fd);
    postcopy_set_host(NULL);
}

static void received_do_not_wait(void)
{
    GuestRead read;

    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    memset(destination_page(2), 0x77, host_page);
    ramblock_recv_bitmap_set_range(ram, destination_page(2), host_page / TARGET_PAGE_SIZE);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    guest_read(&read, destination_page(2));
    check_number(guest_read_end(&read), 0x77);
    check_number(READ_COUNTER(mis.counters.faults), 0);
    destination_complete();
}

/* Memory of the caller whose last page has bytes of somebody else's. */
static void caller_owns_part_of_a_page(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    uint8_t *memory = stage_storage(4 * host_page);

    begin();
    memory += host_page - (uintptr_t)memory % host_page;
    memory_region_init_ram_ptr(mr, NULL, "part", host_page + host_page / 2, memory);
    stage_adopt(mr, NULL);
    stage_migratable(mr, "part");
    check(!postcopy_ram_supported_by_host());
    qemu_ram_unset_migratable(mr->ram_block);
    check(postcopy_ram_supported_by_host());
    postcopy_set_host(NULL);
}
int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-1/states", states);
    postcopy_case("/R-PC-3/names", names);
    postcopy_case("/R-PC-4/resized", grows);
    postcopy_case("/R-PC-10/supported", supported);
    postcopy_case("/R-PC-10/not-supported", not_supported);
    postcopy_case("/R-PC-11/files", files);
    postcopy_case("/R-PC-12/locked-memory", locked_memory);
    postcopy_case("/R-PC-13/empties", init_empties);
    postcopy_case("/R-PC-13/fails", init_fails);
    postcopy_case("/R-PC-14/prepare", prepare);
    postcopy_case("/R-PC-15/range", discard_range);
    postcopy_case("/R-PC-15/bits-first", discard_bits_first);
    postcopy_case("/R-PC-16/shared", discard_shared);
    postcopy_case("/R-PC-20/unwinds", enable_notify_unwinds);
    postcopy_case("/R-PC-20/received", received_do_not_wait);
    postcopy_case("/R-PC-21/signals-elsewhere", signals_elsewhere);
    postcopy_case("/R-PC-22/wakes-or-says-why", wakes_or_says_why);
    postcopy_case("/R-PC-11/part-of-a-page", caller_owns_part_of_a_page);
    postcopy_case("/R-PC-51/one-active", one_active);
    return g_test_run();
}
