/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapters 4 and 5: by whom a save is done, and past which cache: workers, direct I/O,
 * holes (R-ITER-4, R-SAVE-6 to 8).  Linked with --wrap for pwrite.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "memcore/memcore.h"
#include "migration/mapped-ram.h"
#include "save_stage.h"

enum { PAGES = 640 };                   /* ten words of a bitmap: whole words take the fast path (R-SYNC-2) */

static struct {
    unsigned calls, fail_at;            /* atomic */
    int fail_errno;
    unsigned direct;                    /* writes past the cache; atomic */
    bool late;                          /* the next one of pages reads at once and delivers later; atomic */
} writes;

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
        nanosleep(&moment, NULL);
        result = __real_pwrite(fd, copy, length, offset);
        g_free(copy);
        return result;
    }
    return __real_pwrite(fd, from, length, offset);
}

static void begin(void)
{
    memset(&writes, 0, sizeof(writes));
    save_begin(PAGES);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page % 3) {
            memset(save_block()->host + page * PAGE, (int)(page % 255 + 1), PAGE);
        }
    }
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

/* --- workers --- */

/* The file of a stopped guest does not depend on who wrote it. */
static void same_bytes(void)
{
    RamSaveParameters p;
    GBytes *alone;

    begin();
    p = parameters_to_fd();
    save_run(&p);
    alone = bytes_of(stage.fd);
    check_file(stage.fd, false);
    for (unsigned workers = 1; workers <= 16; workers += 5) {
        GBytes *together;

        p.workers = workers;
        save_run(&p);
        together = bytes_of(stage.fd);
        check(g_bytes_equal(alone, together));
        g_bytes_unref(together);
    }
    g_bytes_unref(alone);
    save_end();
}

/* One page is written to at each step: an old version must not land behind a newer one. */
static void newest_lands_last(void)
{
    begin();
    for (unsigned round = 0; round < 10; round++) {
        RamSaveParameters p = parameters_to_fd();
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
        check_file(stage.fd, false);
        ram_save_free(save);
    }
    save_end();
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

        memset(save_block()->host + page * PAGE, value % 5 ? (int)(value % 255 + 1) : 0, PAGE);
        memory_region_set_dirty(stage.ram, page * PAGE, PAGE);
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
    memcpy(stage.at_stop, save_block()->host, PAGES * PAGE);
}

static void guest_thread(void)
{
    begin();
    for (unsigned round = 0; round < 5; round++) {
        RamSaveParameters p = parameters_to_fd();
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
        check_file(stage.fd, false);
        ram_save_free(save);
    }
    save_end();
}

/* The first error of any worker is the step's; nothing stays behind, and the next save succeeds. */
static void a_worker_fails(void)
{
    begin();
    for (unsigned at = 3; at < 40; at += 6) {
        RamSaveParameters p = parameters_to_fd();
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
        check_pointer(save_block()->bmap, NULL);
        check_pointer(save_block()->clear_bmap, NULL);
        check(mapped_ram_probe(stage.fd, 0, 0, NULL, NULL) == NULL);
        ram_save_free(save);
        writes.fail_at = 0;
        save_run(&p);
        check_file(stage.fd, false);
    }
    save_end();
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
        RamSaveParameters p = parameters_to_fd();
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
        check_pointer(save_block()->bmap, NULL);
        ram_save_free(save);
    }
    save_end();
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
    p = parameters_to_fd();
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
    save_run(&p);
    file = open(path, O_RDONLY | O_CLOEXEC);
    other = open(plain, O_RDONLY | O_CLOEXEC);
    check_file(file, false);
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
    save_end();
}

/* The first write is refused: a warning, and all goes through the cache. */
static void direct_does_not_work(void)
{
    RamSaveCounters counters;
    RamSaveParameters p;
    RamSave *save;
    int flags;

    begin();
    p = parameters_to_fd();
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
    check_file(stage.fd, false);
    ram_save_free(save);
    save_end();
}

/* --- holes --- */

static void page_becomes_zero(bool punch)
{
    uint8_t *place = g_malloc(PAGE);
    RamSaveParameters p;
    MappedRamFile *file;
    RamSave *save;

    begin();
    p = parameters_to_fd();
    p.punch_holes = punch;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    guest_writes(64, 0);
    guest_writes(65, 7);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    check_file(stage.fd, false);
    file = mapped_ram_probe(stage.fd, 0, 0, NULL, &error_abort);
    check(!mapped_ram_page_present(&file->blocks[0], 64));
    g_assert_cmpint(pread(stage.fd, place, PAGE, (off_t)(file->blocks[0].pages_offset + 64 * PAGE)), ==, PAGE);
    /* What was in the page before it became zero. */
    check_number(place[0], punch ? 0 : 65);
    mapped_ram_free(file);
    g_free(place);
    save_end();
}

static void hole(void)
{
    page_becomes_zero(true);
}

static void no_hole(void)
{
    page_becomes_zero(false);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-ITER-4/guest-thread", guest_thread);
    conformance_case("/R-SAVE-2/a-worker-fails", a_worker_fails);
    conformance_case("/R-SAVE-2/cancelled-by-another-thread", cancelled_by_another_thread);
    conformance_case("/R-SAVE-6/same-bytes", same_bytes);
    conformance_case("/R-SAVE-6/newest-lands-last", newest_lands_last);
    conformance_case("/R-SAVE-7/direct", direct_where_it_works);
    conformance_case("/R-SAVE-7/does-not-work", direct_does_not_work);
    conformance_case("/R-SAVE-8/hole", hole);
    conformance_case("/R-SAVE-8/no-hole", no_hole);
    return g_test_run();
}
