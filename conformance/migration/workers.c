/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapters 4 and 5: how fast a save goes and by whom it is done:
 * workers, direct I/O, limits and measurements, listeners' logs (R-ITER-*, R-SAVE-6 to 8, R-SAVE-12).
 *
 * Linked with --wrap for the clock, which these cases move on themselves, and for pwrite.
 */
#include "migration/ram-save.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/conformance.h"
#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "migration/mapped-ram.h"

#define PAGE TARGET_PAGE_SIZE
enum { PAGES = 640 };                   /* ten words of a bitmap: whole words take the fast path (R-SYNC-2) */

/* --- the clock and pwrite --- */

static uint64_t clock_ms;               /* 0: the real one */
static struct {
    unsigned calls, fail_at;            /* atomic */
    int fail_errno;
    unsigned direct;                    /* writes past the cache; atomic */
    bool late;                          /* the next one of pages reads at once and delivers later; atomic */
} writes;

WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *time)
{
    if (!clock_ms) {
        return __real_clock_gettime(clock, time);
    }
    *time = (struct timespec){ .tv_sec = (time_t)(clock_ms / 1000), .tv_nsec = (long)(clock_ms % 1000 * 1000000) };
    return 0;
}

WRAPPED(int, nanosleep, const struct timespec *time, struct timespec *left)
{
    if (!clock_ms) {
        return __real_nanosleep(time, left);
    }
    clock_ms += (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_nsec / 1000000;
    return 0;
}

WRAPPED(ssize_t, pwrite, int fd, const void *from, size_t length, off_t offset)
{
    const int flags = fcntl(fd, F_GETFL);
    unsigned call;

    if (flags >= 0 && (flags & O_DIRECT)) {
        __atomic_fetch_add(&writes.direct, 1, __ATOMIC_RELAXED);
    }
    call = __atomic_add_fetch(&writes.calls, 1, __ATOMIC_RELAXED);
    if (call == writes.fail_at) {
        errno = writes.fail_errno;
        return -1;
    }
    if (length >= PAGE && __atomic_load_n(&writes.late, __ATOMIC_ACQUIRE)) {
        const struct timespec moment = { .tv_nsec = 3000000 };
        void *copy = g_memdup2(from, length);
        ssize_t result;

        __atomic_store_n(&writes.late, false, __ATOMIC_RELEASE);
        __real_nanosleep(&moment, NULL);
        result = __real_pwrite(fd, copy, length, offset);
        g_free(copy);
        return result;
    }
    return __real_pwrite(fd, from, length, offset);
}

/* --- a machine with one block --- */

static MemoryRegion *ram;
static uint8_t *at_stop;
static int fd;

static RAMBlock *block(void)
{
    return qemu_ram_block_by_name("ram");
}

static void guest_writes(uint64_t page, uint8_t value)
{
    memset(block()->host + page * PAGE, value, PAGE);
    memory_region_set_dirty(ram, page * PAGE, PAGE);
}

static void stop_writers(void *opaque)
{
    (void)opaque;
    memcpy(at_stop, block()->host, PAGES * PAGE);
}

static void begin(void)
{
    memset(&writes, 0, sizeof(writes));
    clock_ms = 0;
    ram = stage_ram_migratable("ram", PAGES * PAGE);
    at_stop = g_malloc(PAGES * PAGE);
    fd = memfd_create("save", MFD_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page % 3) {
            memset(block()->host + page * PAGE, (int)(page % 255 + 1), PAGE);
        }
    }
}

static void end(void)
{
    clock_ms = 0;
    close(fd);
    g_free(at_stop);
}

static RamSaveParameters parameters(void)
{
    return (RamSaveParameters){ .fd = fd, .machine = "none", .alignment = MAX(PAGE, 4096),
                               .stop_writers = stop_writers };
}

static RamSave *save_new(const RamSaveParameters *p)
{
    return ram_save_new(p, &error_abort);
}

static void run(const RamSaveParameters *p)
{
    RamSave *save = save_new(p);

    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);
}

static GBytes *bytes_of(int from)
{
    struct stat status;
    guint8 *bytes;

    g_assert_cmpint(fstat(from, &status), ==, 0);
    bytes = g_malloc((gsize)status.st_size);
    g_assert_cmpint(pread(from, bytes, (size_t)status.st_size, 0), ==, status.st_size);
    return g_bytes_new_take(bytes, (gsize)status.st_size);
}

static void check_file(int from)
{
    MappedRamFile *file = mapped_ram_probe(from, 0, 0, "none", &error_abort);
    uint8_t *bytes = g_malloc(PAGES * PAGE);

    check(mapped_ram_read_pages(file, &file->blocks[0], 0, PAGES, bytes, &error_abort));
    check(memcmp(bytes, at_stop, PAGES * PAGE) == 0);
    for (uint64_t page = 0; page < PAGES; page++) {
        check(mapped_ram_page_present(&file->blocks[0], page) == (at_stop[page * PAGE] != 0));
    }
    g_free(bytes);
    mapped_ram_free(file);
}

/* --- workers --- */

/* The file of a stopped guest does not depend on who wrote it. */
static void same_bytes(void)
{
    RamSaveParameters p;
    GBytes *alone;

    begin();
    p = parameters();
    run(&p);
    alone = bytes_of(fd);
    check_file(fd);
    for (unsigned workers = 1; workers <= 16; workers += 5) {
        GBytes *together;

        p.workers = workers;
        run(&p);
        together = bytes_of(fd);
        check(g_bytes_equal(alone, together));
        g_bytes_unref(together);
    }
    g_bytes_unref(alone);
    end();
}

/* One page is written to at each step: an old version must not land behind a newer one. */
static void newest_lands_last(void)
{
    begin();
    for (unsigned round = 0; round < 10; round++) {
        RamSaveParameters p = parameters();
        RamSave *save;

        p.workers = 4;
        p.enough = 2;
        save = save_new(&p);
        check_number(ram_save_setup(save, &error_abort), 0);
        check(ram_save_iterate(save, PAGES, &error_abort) >= 0);
        for (unsigned step = 0; step < 2; step++) {
            guest_writes(300, (uint8_t)(1 + step + round));
            check(ram_save_iterate(save, 0, &error_abort) >= 0);        /* looks */
            __atomic_store_n(&writes.late, step == 0, __ATOMIC_RELEASE);
            check(ram_save_iterate(save, 1, &error_abort) >= 0);        /* writes */
            while (__atomic_load_n(&writes.late, __ATOMIC_ACQUIRE)) {
                sched_yield();          /* it will read its bytes in a moment */
            }
        }
        check_number(ram_save_complete(save, &error_abort), 0);
        check_file(fd);
        ram_save_free(save);
    }
    end();
}

typedef struct {
    bool stop;              /* atomic */
    bool stopped;
    pthread_t thread;
} Guest;

static void *guest_runs(void *opaque)
{
    Guest *guest = opaque;
    uint64_t value = 1;

    memcore_thread_register();
    while (!__atomic_load_n(&guest->stop, __ATOMIC_ACQUIRE)) {
        const uint64_t page = value * 2654435761u % PAGES;

        memset(block()->host + page * PAGE, value % 5 ? (int)(value % 255 + 1) : 0, PAGE);
        memory_region_set_dirty(ram, page * PAGE, PAGE);
        value++;
    }
    memcore_thread_unregister();
    return NULL;
}

static void guest_stops(void *opaque)
{
    Guest *guest = opaque;

    __atomic_store_n(&guest->stop, true, __ATOMIC_RELEASE);
    pthread_join(guest->thread, NULL);
    guest->stopped = true;
    stop_writers(NULL);
}

static void guest_thread(void)
{
    begin();
    for (unsigned round = 0; round < 5; round++) {
        RamSaveParameters p = parameters();
        Guest guest = { .stop = false };
        RamSave *save;

        p.workers = 3;
        p.enough = 10;
        p.max_rounds = 20;
        p.stop_writers = guest_stops;
        p.opaque = &guest;
        save = save_new(&p);
        check_number(pthread_create(&guest.thread, NULL, guest_runs, &guest), 0);
        check_number(ram_save_run(save, &error_abort), 0);
        check(guest.stopped);
        check_file(fd);
        ram_save_free(save);
    }
    end();
}

/* The first error of any worker is the step's; nothing stays behind, and the next save succeeds. */
static void a_worker_fails(void)
{
    begin();
    for (unsigned at = 3; at < 40; at += 6) {
        RamSaveParameters p = parameters();
        Error *error = NULL;
        RamSave *save;

        memset(&writes, 0, sizeof(writes));
        writes.fail_at = at;
        writes.fail_errno = ENOSPC;
        p.workers = 4;
        save = save_new(&p);
        check_number(ram_save_run(save, &error), -ENOSPC);
        check(error != NULL);
        error_free(error);
        check_pointer(block()->bmap, NULL);
        check_pointer(block()->clear_bmap, NULL);
        check(mapped_ram_probe(fd, 0, 0, NULL, NULL) == NULL);
        ram_save_free(save);
        writes.fail_at = 0;
        run(&p);
        check_file(fd);
    }
    end();
}

static void *cancel(void *save)
{
    ram_save_cancel(save);
    return NULL;
}

static void cancelled_by_another_thread(void)
{
    begin();
    for (unsigned round = 0; round < 20; round++) {
        RamSaveParameters p = parameters();
        pthread_t thread;
        RamSave *save;
        int result = 1;

        p.workers = 2;
        p.enough = PAGES * 2;           /* never converges by itself */
        save = save_new(&p);
        check_number(ram_save_setup(save, &error_abort), 0);
        check_number(pthread_create(&thread, NULL, cancel, save), 0);
        while (result >= 0) {
            guest_writes(round, (uint8_t)round);
            result = ram_save_iterate(save, 7, NULL);
        }
        check_number(result, -ECANCELED);
        pthread_join(thread, NULL);
        check_pointer(block()->bmap, NULL);
        ram_save_free(save);
    }
    end();
}

/* --- direct I/O --- */

static void direct_where_it_works(void)
{
    /* Beside the program: a build folder is on a disk more often than /tmp. */
    char *folder = g_strdup("memcore-direct-XXXXXX"), *path, *plain;
    RamSaveParameters p;
    RamSaveCounters counters;
    RamSave *save;
    int probe, file, other;

    begin();
    g_assert_nonnull(g_mkdtemp(folder));
    path = g_build_filename(folder, "ram.mig", NULL);
    plain = g_build_filename(folder, "plain.mig", NULL);
    probe = open(path, O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    p = parameters();
    p.path = path;
    p.direct_io = true;
    p.workers = 2;
    save = save_new(&p);
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    ram_save_free(save);
    check(PAGE < 4096 || counters.direct_io == (writes.direct > 0));
    if (probe < 0) {
        check_number(writes.direct, 0);
        g_test_message("no direct I/O on this file system");
    } else {
        close(probe);
        check(writes.direct > 0 || PAGE < 4096);
    }
    p.path = plain;
    p.direct_io = false;
    p.workers = 0;
    run(&p);
    file = open(path, O_RDONLY | O_CLOEXEC);
    other = open(plain, O_RDONLY | O_CLOEXEC);
    check_file(file);
    {
        GBytes *one = bytes_of(file), *two = bytes_of(other);

        check(g_bytes_equal(one, two));
        g_bytes_unref(one);
        g_bytes_unref(two);
    }
    close(file);
    close(other);
    unlink(path);
    unlink(plain);
    rmdir(folder);
    g_free(path);
    g_free(plain);
    g_free(folder);
    end();
}

/* The first write is refused: a warning, and all goes through the cache. */
static void direct_does_not_work(void)
{
    RamSaveCounters counters;
    RamSaveParameters p;
    RamSave *save;
    int flags;

    begin();
    p = parameters();
    p.direct_io = true;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    flags = counters.direct_io;
    writes.fail_at = writes.calls + 1;          /* of pages: the first */
    writes.fail_errno = EINVAL;
    if (!flags || PAGE < 4096) {
        writes.fail_at = 0;                     /* tmpfs before Linux 6.6: refused when it was opened */
    }
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    check(!counters.direct_io || PAGE < 4096);
    check_file(fd);
    ram_save_free(save);
    end();
}

/* --- holes --- */

static void page_becomes_zero(bool punch)
{
    uint8_t *place = g_malloc(PAGE);
    RamSaveParameters p;
    MappedRamFile *file;
    RamSave *save;

    begin();
    p = parameters();
    p.punch_holes = punch;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    guest_writes(64, 0);
    guest_writes(65, 7);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    check_file(fd);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    check(!mapped_ram_page_present(&file->blocks[0], 64));
    g_assert_cmpint(pread(fd, place, PAGE, (off_t)(file->blocks[0].pages_offset + 64 * PAGE)), ==, PAGE);
    /* What was in the page before it became zero. */
    check_number(place[0], punch ? 0 : 65);
    mapped_ram_free(file);
    g_free(place);
    end();
}

static void hole(void)
{
    page_becomes_zero(true);
}

static void no_hole(void)
{
    page_becomes_zero(false);
}

/* --- limits and measurements: with a clock that stands still between the lines --- */

static void bandwidth_limit(void)
{
    RamSaveParameters p;
    RamSaveCounters counters;
    RamSave *save;
    uint64_t windows = 0;
    int more = 1;

    begin();
    clock_ms = 5000;
    memset(block()->host, 1, PAGES * PAGE);
    p = parameters();
    p.bandwidth = 10 * 40 * PAGE;               /* 40 pages in 100 ms */
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    for (; more > 0; windows++) {
        check_number(ram_save_wait_ms(save), 0);
        more = ram_save_iterate(save, PAGES, &error_abort);
        ram_save_counters(save, &counters);
        check_number(counters.normal, 40 * (windows + 1));
        check_number(counters.transferred, 40 * (windows + 1) * PAGE);
        if (more > 0) {
            check_number(ram_save_iterate(save, PAGES, &error_abort), 1);       /* too early: nothing */
            check_number(ram_save_wait_ms(save), 100);
            clock_ms += 30;
            check_number(ram_save_wait_ms(save), 70);
            clock_ms += 70;
        }
    }
    check_number(windows, PAGES / 40);
    check_number(counters.bandwidth, 10 * 40 * PAGE);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_file(fd);
    ram_save_free(save);

    /* ram_save_run sleeps through it. */
    clock_ms = 5000;
    run(&p);
    check_number(clock_ms, 5000 + 100 * (PAGES / 40 - 1));
    end();
}

/* Zero pages cost nothing. */
static void zero_pages_are_free(void)
{
    RamSaveParameters p;
    RamSave *save;

    begin();
    clock_ms = 5000;
    memset(block()->host, 0, PAGES * PAGE);
    p = parameters();
    p.bandwidth = 10 * 40 * PAGE;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    ram_save_free(save);
    end();
}

/* What takes no longer than the downtime limit to write is little enough. */
static void downtime_limit(void)
{
    RamSaveParameters p;
    RamSave *save;

    begin();
    clock_ms = 5000;
    memset(block()->host, 1, PAGES * PAGE);
    p = parameters();
    p.downtime_limit_ms = 300;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, 100, &error_abort), 1);         /* bandwidth is not known yet */
    clock_ms += 100;                                                    /* 1000 pages/s */
    check_number(ram_save_iterate(save, 239, &error_abort), 1);         /* 301 left: 301 ms */
    check_number(ram_save_iterate(save, 1, &error_abort), 1);           /* 300: not less */
    check_number(ram_save_iterate(save, 1, &error_abort), 0);
    guest_writes(0, 5);
    guest_writes(1, 5);
    check_number(ram_save_iterate(save, 1, &error_abort), 1);           /* a look found two more: 300 again */
    check_number(ram_save_iterate(save, 1, &error_abort), 0);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_file(fd);
    ram_save_free(save);
    end();
}

static unsigned throttled[32], throttle_calls;

static void throttle(void *opaque, unsigned percent)
{
    (void)opaque;
    g_assert_cmpuint(throttle_calls, <, G_N_ELEMENTS(throttled));
    throttled[throttle_calls++] = percent;
}

/* Twice more than half of what was sent: 20 %, then 10 % more each time, to 99 %. */
static void throttle_grows(void)
{
    RamSaveParameters p;
    RamSaveCounters counters;
    RamSave *save;

    begin();
    throttle_calls = 0;
    clock_ms = 5000;
    memset(block()->host, 1, PAGES * PAGE);
    p = parameters();
    p.throttle = throttle;
    p.enough = PAGES + 1;               /* a look at each step */
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    /* First what the guest may do: half of what is sent in the same second, which it wrote in the last one. */
    for (uint64_t count = PAGES / 2; count >= PAGES / 16; count /= 2) {
        for (uint64_t page = 0; page < count; page++) {
            guest_writes(page, 2);
        }
        clock_ms += 1000;
        check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    }
    check_number(throttle_calls, 0);
    for (unsigned second = 0; second < 22; second++) {
        for (uint64_t page = 0; page < 60; page++) {
            guest_writes(page, 2);
        }
        clock_ms += 1000;
        check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
        check_number(throttle_calls, MIN((second + 1) / 2, 9));
    }
    for (unsigned i = 0; i < throttle_calls; i++) {
        check_number(throttled[i], i == 8 ? 99 : 20 + 10 * i);
    }
    ram_save_counters(save, &counters);
    check_number(counters.throttle_percent, 99);
    check_number(counters.dirty_pages_rate, 60);
    check_number(counters.total_ms, 26000);
    ram_save_free(save);
    end();
}

static unsigned progress_calls, progress_limit;

static bool progress(void *opaque, const RamSaveCounters *counters)
{
    (void)opaque;
    check_number(counters->total, PAGES * PAGE);
    check_number(counters->normal + counters->zero + counters->remaining, PAGES);
    return ++progress_calls != progress_limit;
}

static void progress_is_told(void)
{
    RamSaveParameters p;
    Error *error = NULL;
    RamSave *save;

    begin();
    p = parameters();
    p.progress = progress;
    progress_calls = progress_limit = 0;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, 100, &error_abort), 1);
    check_number(progress_calls, 1);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    check_number(progress_calls, 2);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);

    progress_calls = 0;
    progress_limit = 2;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, 100, &error_abort), 1);
    check_number(ram_save_iterate(save, 100, &error), -ECANCELED);
    check_text(error_get_pretty(error), "the save was cancelled");
    error_free(error);
    check(mapped_ram_probe(fd, 0, 0, NULL, NULL) == NULL);
    ram_save_free(save);
    end();
}

/* --- listeners' logs --- */

enum { CHUNK = 64, CHUNKS = PAGES / CHUNK };

static unsigned cleared[CHUNKS];
static bool too_late;

/* The accelerator protects the chunk again: whatever is written from now on is seen at the next sync. */
static void log_clear(MemoryListener *listener, MemoryRegionSection *section)
{
    const uint64_t first = section->offset_within_region / PAGE;
    const uint64_t count = int128_get64(section->size) / PAGE;

    (void)listener;
    check_number(first % CHUNK, 0);
    check_number(count, CHUNK);
    cleared[first / CHUNK]++;
    for (uint64_t page = first; page < first + count && block()->bmap; page++) {
        /* All was dirty, so a page of the chunk that is clean was taken before its log was cleared. */
        too_late |= !(block()->bmap[page / 64] >> page % 64 & 1);
    }
}

static void check_cleared(unsigned first, unsigned times)
{
    for (unsigned chunk = 0; chunk < CHUNKS; chunk++) {
        check_number(cleared[chunk], chunk < first ? times : 0);
    }
}

static void remote_logs(void)
{
    MemoryListener listener = { .name = "accelerator", .log_clear = log_clear };
    RamSaveParameters p;
    MemoryRegion *root;
    AddressSpace *as;
    RamSave *save;

    begin();
    root = stage_container("root", UINT64_MAX);
    memory_region_add_subregion(root, 0, ram);
    as = stage_space(root, "as");
    memory_listener_register(&listener, as);
    memset(cleared, 0, sizeof(cleared));
    too_late = false;
    p = parameters();
    p.clear_bmap_shift = 6;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check(block()->clear_bmap != NULL);
    check_cleared(0, 0);                        /* a look tells nobody */
    check_number(ram_save_iterate(save, CHUNK + 1, &error_abort), 1);
    check_cleared(2, 1);                        /* once a chunk, when its first page is taken */
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    check_cleared(CHUNKS, 1);
    check(!too_late);
    memset(cleared, 0, sizeof(cleared));
    guest_writes(1, 1);
    guest_writes(2, 1);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_cleared(1, 1);                        /* of a chunk in which nothing is dirty nobody need be told */
    check_pointer(block()->clear_bmap, NULL);
    check_file(fd);
    ram_save_free(save);
    memory_listener_unregister(&listener);
    end();
}

static void wrong_parameters(void)
{
    begin();
    for (unsigned wrong = 0; wrong < 3; wrong++) {
        RamSaveParameters p = parameters();
        Error *error = NULL;

        p.workers = wrong == 0 ? 17 : 16;
        p.clear_bmap_shift = wrong == 1 ? 5 : wrong == 2 ? 32 : 6;
        check_pointer(ram_save_new(&p, &error), NULL);
        check(error != NULL);
        error_free(error);
    }
    end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-ITER-1/remote-logs", remote_logs);
    conformance_case("/R-ITER-4/remote-logs", remote_logs);
    conformance_case("/R-ITER-4/guest-thread", guest_thread);
    conformance_case("/R-ITER-7/downtime-limit", downtime_limit);
    conformance_case("/R-ITER-8/bandwidth-limit", bandwidth_limit);
    conformance_case("/R-ITER-8/zero-pages-are-free", zero_pages_are_free);
    conformance_case("/R-ITER-10/throttle", throttle_grows);
    conformance_case("/R-SAVE-1/wrong-parameters", wrong_parameters);
    conformance_case("/R-SAVE-2/a-worker-fails", a_worker_fails);
    conformance_case("/R-SAVE-2/cancelled-by-another-thread", cancelled_by_another_thread);
    conformance_case("/R-SAVE-2/progress", progress_is_told);
    conformance_case("/R-SAVE-6/same-bytes", same_bytes);
    conformance_case("/R-SAVE-6/newest-lands-last", newest_lands_last);
    conformance_case("/R-SAVE-7/direct", direct_where_it_works);
    conformance_case("/R-SAVE-7/does-not-work", direct_does_not_work);
    conformance_case("/R-SAVE-8/hole", hole);
    conformance_case("/R-SAVE-8/no-hole", no_hole);
    conformance_case("/R-SAVE-12/throttle", throttle_grows);
    return g_test_run();
}
