/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapter 6: a destination, function by function, on the real kernel.
 *
 * Linked with --wrap for advice and memory locks, which sanitizers keep from the kernel, and for
 * the making of threads.
 */
#include "migration/postcopy-ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "postcopy_guest.h"

enum { PAGES = 8 };

static size_t host_page;                        /* H */
static MigrationIncomingState mis;
static RAMBlock *ram;

/* --- system calls ------------------------------------------------------------------------- */

static struct {
    unsigned huge, no_huge, unlocked, locked;
    int huge_result, lock_result;
    bool no_thread;
} calls;

int __real_madvise(void *start, size_t length, int advice);
int __wrap_madvise(void *start, size_t length, int advice);
int __wrap_munlockall(void);
int __wrap_mlockall(int flags);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *opaque);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *opaque);

int __wrap_madvise(void *start, size_t length, int advice)
{
    if (advice == MADV_HUGEPAGE || advice == MADV_NOHUGEPAGE) {
        *(advice == MADV_HUGEPAGE ? &calls.huge : &calls.no_huge) += 1;
        if (calls.huge_result) {
            errno = EINVAL;
            return -1;
        }
    }
    return __real_madvise(start, length, advice);
}

int __wrap_munlockall(void)
{
    calls.unlocked++;
    return 0;
}

int __wrap_mlockall(int flags)
{
    (void)flags;
    calls.locked++;
    errno = ENOMEM;
    return calls.lock_result;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *opaque)
{
    return calls.no_thread ? EAGAIN : __real_pthread_create(thread, attributes, start, opaque);
}

/* --- a destination with one block --------------------------------------------------------------- */

static struct {
    int64_t pages[64];                          /* asked for, in order */
    unsigned count;                             /* atomic */
    int result;
} asked;

static int ask(void *opaque, RAMBlock *block, uint64_t start, uint64_t length)
{
    const unsigned number = READ_COUNTER(asked.count);

    (void)opaque;
    check_number(length, block->page_size);
    if (number < G_N_ELEMENTS(asked.pages)) {
        asked.pages[number] = (int64_t)(start / length);
    }
    __atomic_store_n(&asked.count, number + 1, __ATOMIC_SEQ_CST);
    return READ_COUNTER(asked.result);
}

static void begin_with(RamKind kind)
{
    host_page = (size_t)sysconf(_SC_PAGESIZE);
    memset(&calls, 0, sizeof(calls));
    memset(&asked, 0, sizeof(asked));
    mis = (MigrationIncomingState){ .request_page = ask };
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    lying_host();
    ram = stage_block(kind, "ram", PAGES * host_page);
    memset(ram->host, 0x11, PAGES * host_page);
}

static void begin(void)
{
    begin_with(KIND_ANONYMOUS);
}

/* All missing, and somebody would wait for it. */
static void listen_to(RamKind kind)
{
    begin_with(kind);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_LISTENING);
}

static uint8_t *page_at(unsigned page)
{
    return ram->host + page * host_page;
}

static int place(unsigned page, uint8_t value)
{
    void *from = postcopy_get_tmp_page(&mis);

    memset(from, value, host_page);
    return postcopy_place_page(&mis, page_at(page), from);
}

static bool received(unsigned page)
{
    for (size_t offset = 0; offset < host_page; offset += TARGET_PAGE_SIZE) {
        if (!ramblock_recv_bitmap_test_byte_offset(ram, page * host_page + offset)) {
            return false;
        }
    }
    return true;
}

/* Gives all up: whoever still waits reads zeroes. */
static void end(void)
{
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    check_pointer(mis.postcopy, NULL);
    check_number(postcopy_state_set(POSTCOPY_INCOMING_NONE), POSTCOPY_INCOMING_END);
    check_number(lying.opened, lying.closed);
    error_free(mis.error);
    mis.error = NULL;
    postcopy_set_host(NULL);
}

/* Places all pages that are not there, and ends as it should. */
static void complete(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        if (!received(page)) {
            check_number(postcopy_place_page_zero(&mis, page_at(page)), 0);
        }
    }
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    end();
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
    MigrationIncomingState other = { .request_page = ask };

    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    check_number(postcopy_ram_incoming_init(&other, 0), (uint64_t)-1);
    check_pointer(other.postcopy, NULL);
    end();
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
    qemu_ram_set_idstr(mr->ram_block, "disk", NULL);
    qemu_ram_set_migratable(mr->ram_block);
    check_number(postcopy_ram_supported_by_host(), file_system.f_type == 0x01021994);      /* a tmpfs after all */
    postcopy_set_host(NULL);
}

static void locked_memory(void)
{
    begin();
    check(postcopy_ram_supported_by_host());
    check_number(calls.unlocked, 1);
    for (unsigned lock = 0; lock < 3; lock++) {
        mis = (MigrationIncomingState){ .request_page = ask, .lock_memory = lock > 0 };
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
    check_number(ram->host[0] | ram->host[PAGES * host_page - 1] | other->host[0], 0);
    check_number(apart->ram_block->host[0], 0x33);
    check(!ramblock_recv_bitmap_test(ram, ram->host));
    check_pointer(apart->ram_block->receivedmap, NULL);
    check_number(ram->postcopy_length, PAGES * host_page);
    check_number(other->postcopy_length, host_page);
    end();
    check_number(ram->postcopy_length, 0);
    check_pointer(ram->receivedmap, NULL);
}

static unsigned refusals;

static int refuse_second_discard(void *opaque, MemcoreFault kind)
{
    (void)opaque;
    return kind == MEMCORE_FAULT_MADVISE && refusals++ == 1 ? EIO : 0;
}

static void init_fails(void)
{
    begin();
    RAMBlock *small = stage_block(KIND_ANONYMOUS, "small", host_page);

    memset(small->host, 0x22, host_page);
    refusals = 0;
    memcore_set_fault(refuse_second_discard, NULL);
    check_number(postcopy_ram_incoming_init(&mis, 0), (uint64_t)-1);
    memcore_set_fault(NULL, NULL);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_NONE);
    check_number(ram->host[0], 0);              /* the larger block comes first, and stays empty */
    check_number(small->host[0], 0x22);
    check_pointer(ram->receivedmap, NULL);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    end();
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
    end();
    check_number(calls.huge, 2);
}

static void discard_range(void)
{
    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    memset(ram->host, 0x44, PAGES * host_page);
    ramblock_recv_bitmap_set_range(ram, ram->host, PAGES * host_page / TARGET_PAGE_SIZE);

    const struct {
        uint8_t *start;
        size_t length;
    } bad[] = {
        { page_at(1) + TARGET_PAGE_SIZE / 2, host_page },   { page_at(1), host_page / 2 },
        { page_at(PAGES - 1), 2 * host_page },              { page_at(1), SIZE_MAX - host_page + 1 },
        { ram->host - host_page, host_page },               { (uint8_t *)&mis, host_page },
        { NULL, 0 },                                        { page_at(PAGES) + host_page, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (!check_number(postcopy_ram_discard_range(&mis, bad[i].start, bad[i].length), (uint64_t)-1)) {
            g_test_message("row %zu", i);
        }
    }
    check_number(postcopy_ram_discard_range(&mis, page_at(2), 0), 0);
    for (unsigned page = 0; page < PAGES; page++) {
        check(received(page));
        check_number(*page_at(page), 0x44);
    }
    check_number(postcopy_ram_discard_range(&mis, page_at(2), 3 * host_page), 0);
    check_number(READ_COUNTER(mis.counters.discarded), 3 * host_page / TARGET_PAGE_SIZE);
    for (unsigned page = 0; page < PAGES; page++) {
        check_number(received(page), page < 2 || page >= 5);
        check_number(*page_at(page), page < 2 || page >= 5 ? 0x44 : 0);
    }
    end();
}

/* Bits go first: what the host cannot discard is not taken for received. */
static void discard_bits_first(void)
{
    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    ramblock_recv_bitmap_set_range(ram, ram->host, PAGES * host_page / TARGET_PAGE_SIZE);
    refusals = 1;
    memcore_set_fault(refuse_second_discard, NULL);
    check_number(postcopy_ram_discard_range(&mis, page_at(1), host_page), (uint64_t)-1);
    memcore_set_fault(NULL, NULL);
    check(!received(1));
    end();
}

/* Discarding empties shared memory too, or pages could not be placed. */
static void discard_shared(void)
{
    for (int kind = KIND_SHARED; kind <= KIND_MEMFD_SHARED; kind++) {
        begin_with((RamKind)kind);
        check_number(postcopy_ram_incoming_init(&mis, 0), 0);
        memset(ram->host, 0x44, PAGES * host_page);
        check_number(postcopy_ram_discard_range(&mis, ram->host, PAGES * host_page), 0);
        check_number(postcopy_ram_enable_notify(&mis), 0);
        check_number(place(3, 0x55), 0);
        check_number(*page_at(3), 0x55);
        end();
        stage_release(ram->mr);
        memcore_drain();
    }
}

static void grows(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    begin();
    memory_region_init_resizeable_ram(mr, NULL, "growing", 2 * host_page, 4 * host_page, NULL, &error_fatal);
    stage_adopt(mr, NULL);
    RAMBlock *growing = mr->ram_block;

    qemu_ram_set_idstr(growing, "growing", NULL);
    qemu_ram_set_migratable(growing);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
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
    postcopy_state_set(POSTCOPY_INCOMING_LISTENING);
    check_number(qemu_ram_resize(growing, 2 * host_page, &error_fatal), 0);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);
    end();
}

/* --- listening -------------------------------------------------------------------------------- */

static struct {
    unsigned calls, fail_at;
} planned;

static int fail_planned(void *opaque, MemcoreFault kind)
{
    (void)opaque;
    (void)kind;
    return ++planned.calls == planned.fail_at ? EMFILE : 0;
}

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
        planned.calls = 0;
        planned.fail_at = step <= 6 ? step : 0;         /* memcore's own calls, then the host's, then the thread */
        lying.fail_at = step > 6 && step < 15 ? step - 6 : 0;
        lying.fail_with = -EBUSY;
        calls.no_thread = step == 15;
        memcore_set_fault(fail_planned, NULL);
        const int result = postcopy_ram_enable_notify(&mis);
        memcore_set_fault(NULL, NULL);
        calls.no_thread = false;
        if (result == 0) {
            check(step <= 6 ? planned.calls < step : lying.calls < step - 6);
            lying.fail_at = 0;
            mis.abandon = true;
            check_number(postcopy_ram_incoming_cleanup(&mis), 0);
            mis = (MigrationIncomingState){ .request_page = ask };
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
    end();
}

static void received_do_not_wait(void)
{
    GuestRead read;

    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    memset(page_at(2), 0x77, host_page);
    ramblock_recv_bitmap_set_range(ram, page_at(2), host_page / TARGET_PAGE_SIZE);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    guest_read(&read, page_at(2));
    check_number(guest_read_end(&read), 0x77);
    check_number(READ_COUNTER(mis.counters.faults), 0);
    complete();
}

/* --- faults ------------------------------------------------------------------------------------- */

static void fault_is_served(void)
{
    GuestRead read;

    listen_to(KIND_ANONYMOUS);
    guest_read(&read, page_at(5) + host_page - 1);
    WAIT_FOR(READ_COUNTER(asked.count) == 1);
    check_number(asked.pages[0], 5);
    g_usleep(20000);
    check(!guest_has_read(&read));
    check_number(place(5, 0x5a), 0);
    check_number(guest_read_end(&read), 0x5a);
    check_number(READ_COUNTER(mis.counters.faults), 1);
    check_number(READ_COUNTER(mis.counters.requests), 1);
    complete();
}

static void fault_is_asked_once(void)
{
    GuestRead reads[3];

    listen_to(KIND_ANONYMOUS);
    for (unsigned i = 0; i < 3; i++) {
        guest_read(&reads[i], page_at(1) + i);
    }
    WAIT_FOR(READ_COUNTER(mis.counters.faults) == 3);
    check_number(READ_COUNTER(asked.count), 1);
    check_number(READ_COUNTER(mis.counters.suppressed), 2);
    check_number(place(1, 1), 0);
    for (unsigned i = 0; i < 3; i++) {
        check_number(guest_read_end(&reads[i]), 1);
    }
    /* What is here is not asked for: whoever still waits is woken. */
    lying.wakes = 0;
    check_number(postcopy_ram_fault(&mis, page_at(1)), 0);
    check_number(READ_COUNTER(asked.count), 1);
    check_number(lying.wakes, 1);
    complete();
}

static void cannot_be_asked_for(void)
{
    GuestRead read;

    listen_to(KIND_ANONYMOUS);
    __atomic_store_n(&asked.result, -EPIPE, __ATOMIC_SEQ_CST);
    guest_read(&read, page_at(1));
    WAIT_FOR(__atomic_load_n(&mis.status, __ATOMIC_SEQ_CST) == MIGRATION_STATUS_FAILED);
    g_usleep(20000);
    check(!guest_has_read(&read));              /* no silent zero */
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check(!guest_has_read(&read));
    check(strstr(error_get_pretty(mis.error), "\"ram\"") != NULL);
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    check_number(guest_read_end(&read), 0);
    end();
}

static void fault_outside(void)
{
    listen_to(KIND_ANONYMOUS);
    check(postcopy_ram_fault(&mis, page_at(PAGES)) < 0);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);
    check_number(READ_COUNTER(asked.count), 0);
    end();
    stage_release(ram->mr);
    memcore_drain();
    listen_to(KIND_ANONYMOUS);
    check(postcopy_ram_fault(&mis, &mis) < 0);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);
    end();
}

static void discarded_by_manager(void)
{
    BitmapDiscardManager *manager;
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    GuestRead read;

    begin();
    manager = bitmap_discard_manager_new(ram->mr, host_page, NULL, &error_fatal);
    stage_add(root, 0, ram->mr);
    check_number(bitmap_discard_manager_plug(manager, 0, host_page), 0);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    guest_read(&read, page_at(3));
    check_number(guest_read_end(&read), 0);
    check_number(READ_COUNTER(asked.count), 0);
    /* The thread that placed the page counts it after the guest has gone on. */
    WAIT_FOR(READ_COUNTER(mis.counters.zero_placed) == 1);
    check(received(3));
    /* Only what is populated has to come. */
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check_number(place(0, 7), 0);
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    end();
    stage_del(root, ram->mr);
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
}

/* --- placing ----------------------------------------------------------------------------------- */

static void tmp_page(void)
{
    begin();
    check_pointer(postcopy_get_tmp_page(&mis), NULL);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    planned.calls = 0;
    planned.fail_at = 1;
    memcore_set_fault(fail_planned, NULL);
    check_pointer(postcopy_get_tmp_page(&mis), NULL);
    memcore_set_fault(NULL, NULL);

    uint8_t *page = postcopy_get_tmp_page(&mis);

    check(page != NULL);
    page[0] = 1;
    page[host_page - 1] = 2;
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_pointer(postcopy_get_tmp_page(&mis), page);
    check_number(postcopy_place_page(&mis, page_at(0), page), 0);
    check_number(page[0], 1);                   /* it is copied, not moved */
    page[0] = 3;
    check_number(*page_at(0), 1);
    check_number(*(page_at(1) - 1), 2);
    complete();
}

static void place_refused(void)
{
    static uint8_t from[1 << 16];

    listen_to(KIND_ANONYMOUS);
    check_number(postcopy_place_page(&mis, page_at(1) + TARGET_PAGE_SIZE / 2, from), (uint64_t)-EINVAL);
    check_number(postcopy_place_page(&mis, page_at(PAGES), from), (uint64_t)-EINVAL);
    check_number(postcopy_place_page(&mis, from, from), (uint64_t)-EINVAL);
    check_number(postcopy_place_page(&mis, page_at(1), NULL), (uint64_t)-EINVAL);
    check_number(postcopy_place_page_zero(&mis, page_at(1) + 1), (uint64_t)-EINVAL);
    check_number(mis.counters.placed + mis.counters.zero_placed + mis.counters.duplicates, 0);
    check_number(lying.copies + lying.zeroes, 0);
    end();
    stage_release(ram->mr);
    memcore_drain();
    begin();
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_place_page(&mis, page_at(1), from), (uint64_t)-EINVAL);      /* nobody listens */
    end();
}

/* The host stops half-way, or is busy: the rest is tried again. */
static void place_again(void)
{
    listen_to(KIND_ANONYMOUS);
    lying.script[0] = lying.script[1] = -EAGAIN;
    check_number(place(1, 0x1c), 0);
    check_number(lying.copies, 3);
    check_number(*page_at(1), 0x1c);
    memset(lying.script, 0, sizeof(lying.script));
    lying.script_at = 0;
    lying.script[0] = -EAGAIN;
    check_number(postcopy_place_page_zero(&mis, page_at(2)), 0);
    check_number(lying.zeroes, 2);
    lying.script_at = 0;
    lying.script[0] = -ENOSPC;
    check_number(place(3, 3), (uint64_t)-ENOSPC);
    check(!received(3));
    check_number(place(3, 3), 0);               /* it was not lost */
    check(received(3));
    complete();
}

static void duplicates(void)
{
    listen_to(KIND_ANONYMOUS);
    check_number(place(1, 0x1d), 0);
    lying.wakes = 0;
    check_number(place(1, 0x2d), 0);
    check_number(postcopy_place_page_zero(&mis, page_at(1)), 0);
    check_number(*page_at(1), 0x1d);
    check_number(READ_COUNTER(mis.counters.placed), 1);
    check_number(READ_COUNTER(mis.counters.zero_placed), 0);
    check_number(READ_COUNTER(mis.counters.duplicates), 2);
    check_number(lying.wakes, 2);
    complete();
}

static void written_past_us(void)
{
    listen_to(KIND_ANONYMOUS);
    lying.script[0] = -EEXIST;
    lying.wakes = 0;
    check_number(place(1, 0x1d), (uint64_t)-EEXIST);
    check(!received(1));
    check_number(lying.wakes, 1);
    check_number(READ_COUNTER(mis.counters.duplicates), 0);
    end();
}

static void *place_all(void *opaque)
{
    const uint8_t *from = opaque;

    for (unsigned page = 0; page < PAGES; page++) {
        check_number(*from ? postcopy_place_page(&mis, page_at(page), opaque)
                           : postcopy_place_page_zero(&mis, page_at(page)), 0);
    }
    return NULL;
}

static void placed_by_many(void)
{
    for (unsigned round = 0; round < 50; round++) {
        static uint8_t from[3][1 << 16];
        pthread_t threads[3];

        listen_to(KIND_ANONYMOUS);
        for (unsigned i = 0; i < 3; i++) {
            memset(from[i], (int)i, sizeof(from[i]));
            g_assert_cmpint(pthread_create(&threads[i], NULL, place_all, from[i]), ==, 0);
        }
        for (unsigned i = 0; i < 3; i++) {
            pthread_join(threads[i], NULL);
        }
        check_number(mis.counters.placed + mis.counters.zero_placed, PAGES);
        check_number(READ_COUNTER(mis.counters.duplicates), 2 * PAGES);
        complete();
        stage_release(ram->mr);
        memcore_drain();
    }
}

static void zero_pages(void)
{
    listen_to(KIND_ANONYMOUS);
    check(qemu_ram_is_uf_zeroable(ram));
    check_number(postcopy_place_page_zero(&mis, page_at(1)), 0);
    check_number(lying.zeroes, 1);
    check_number(lying.copies, 0);
    check_number(READ_COUNTER(mis.counters.zero_placed), 1);
    end();
    check(!qemu_ram_is_uf_zeroable(ram));
    stage_release(ram->mr);
    memcore_drain();
    /* As on hugetlb memory: zeroes are copied. */
    begin();
    lying.range_without = 1ull << 0x04;
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check(!qemu_ram_is_uf_zeroable(ram));
    check_number(postcopy_place_page_zero(&mis, page_at(1)), 0);
    check_number(lying.zeroes, 0);
    check_number(lying.copies, 1);
    check_number(*page_at(1), 0);
    check_number(READ_COUNTER(mis.counters.zero_placed), 1);
    complete();
}

static void kinds(void)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        GuestRead data, zero;

        g_test_message("%s", ram_kinds[kind]);
        listen_to((RamKind)kind);
        guest_read(&data, page_at(2) + 3);
        guest_read(&zero, page_at(6));
        WAIT_FOR(READ_COUNTER(asked.count) == 2);
        check_number(place(2, 0x99), 0);
        check_number(postcopy_place_page_zero(&mis, page_at(6)), 0);
        check_number(guest_read_end(&data), 0x99);
        check_number(guest_read_end(&zero), 0);
        complete();
        check_number(*page_at(2), 0x99);
        stage_release(ram->mr);
        memcore_drain();
    }
}

/* --- the end ------------------------------------------------------------------------------------ */

static void cleanup_nothing(void)
{
    MigrationIncomingState nothing = { 0 };

    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    check_number(postcopy_ram_incoming_cleanup(&nothing), 0);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_NONE);
}

static void cleanup_gives_back(void)
{
    const unsigned descriptors = count_descriptors(), tasks = count_tasks();

    listen_to(KIND_ANONYMOUS);
    check_number(count_tasks(), tasks + 1);
    complete();
    check_number(count_descriptors(), descriptors);
    check_number(count_tasks(), tasks);
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);       /* again */
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
}

/* A range that the host does not let go of: the others go all the same. */
static void cleanup_cannot_unregister(void)
{
    begin();
    stage_block(KIND_ANONYMOUS, "other", host_page);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    lying.calls = 0;
    lying.fail_at = 1;
    lying.fail_with = -EIO;
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check_number(lying.calls, 2);
    check_number(lying.opened, lying.closed);
    end();
}

static void missing_page(void)
{
    GuestRead read;

    listen_to(KIND_ANONYMOUS);
    postcopy_state_set(POSTCOPY_INCOMING_RUNNING);
    for (unsigned page = 0; page < PAGES; page++) {
        if (page != 4 && page != 6) {
            check_number(place(page, 9), 0);
        }
    }
    guest_read(&read, page_at(4));
    WAIT_FOR(READ_COUNTER(asked.count) == 1);
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);

    char *where = g_strdup_printf("block \"ram\": page at 0x%zx is missing", 4 * host_page);

    check_text(error_get_pretty(mis.error), where);
    g_free(where);
    g_usleep(20000);
    check(!guest_has_read(&read));
    check_number(place(4, 0x4c), 0);            /* it may still come */
    check_number(guest_read_end(&read), 0x4c);
    check_number(place(6, 0x6c), 0);
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    end();
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
    postcopy_case("/R-PC-21/served", fault_is_served);
    postcopy_case("/R-PC-21/outside", fault_outside);
    postcopy_case("/R-PC-21/discarded-by-manager", discarded_by_manager);
    postcopy_case("/R-PC-22/once", fault_is_asked_once);
    postcopy_case("/R-PC-22/cannot-be-asked-for", cannot_be_asked_for);
    postcopy_case("/R-PC-23/tmp-page", tmp_page);
    postcopy_case("/R-PC-24/nothing", cleanup_nothing);
    postcopy_case("/R-PC-24/gives-back", cleanup_gives_back);
    postcopy_case("/R-PC-24/cannot-unregister", cleanup_cannot_unregister);
    postcopy_case("/R-PC-25/missing-page", missing_page);
    postcopy_case("/R-PC-30/refused", place_refused);
    postcopy_case("/R-PC-30/again", place_again);
    postcopy_case("/R-PC-31/duplicates", duplicates);
    postcopy_case("/R-PC-31/written-past-us", written_past_us);
    postcopy_case("/R-PC-31/many-threads", placed_by_many);
    postcopy_case("/R-PC-32/zero", zero_pages);
    postcopy_case("/R-PC-33/kinds", kinds);
    postcopy_case("/R-PC-51/one-active", one_active);
    return g_test_run();
}
