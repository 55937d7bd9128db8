/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapter 5, on hosts that refuse: each call that a save asks about fails once, and
 * those that are not asked about (--wrap) fail or do less than they should.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/conformance.h"
#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "postcopy_guest.h"

#define PAGE TARGET_PAGE_SIZE

static struct {
    unsigned threads;               /* that can be made, plus 1; 0: any number */
    bool no_direct;                 /* O_DIRECT: EINVAL at open */
    bool direct_fails;              /* ... and at each write */
    bool writes_nothing;            /* pwrite says 0 */
    bool no_holes;
    unsigned holes;                 /* asked for */
    unsigned direct_writes;
    sigset_t blocked;               /* when a thread was begun */
} host;
static int direct_fd = -1;

WRAPPED(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *opaque)
{
    pthread_sigmask(SIG_SETMASK, NULL, &host.blocked);
    if (host.threads == 1) {
        return EAGAIN;
    }
    host.threads -= host.threads > 0;
    return __real_pthread_create(thread, attributes, start, opaque);
}

WRAPPED_OPEN
{
    if (!(flags & O_DIRECT)) {
        return __real_open(path, flags, mode);
    }
    if (host.no_direct) {
        return failed(EINVAL);
    }
    /* Whatever the file system can do: what is written is what counts. */
    direct_fd = __real_open(path, flags & ~O_DIRECT, mode);
    return direct_fd;
}

WRAPPED(ssize_t, pwrite, int fd, const void *from, size_t length, off_t offset)
{
    if (host.writes_nothing) {
        return 0;
    }
    if (fd == direct_fd) {
        host.direct_writes++;
        if (host.direct_fails) {
            return failed(EINVAL);
        }
    }
    return __real_pwrite(fd, from, length, offset);
}

WRAPPED(int, fallocate, int fd, int mode, off_t offset, off_t length)
{
    host.holes++;
    if (host.no_holes) {
        return failed(EOPNOTSUPP);
    }
    return __real_fallocate(fd, mode, offset, length);
}

/* --- saves ------------------------------------------------------------------------------------- */

static char *folder, *path;
static MemoryRegion *blocks[2];
static unsigned stopped, resumed;

static void stop(void *opaque)
{
    (void)opaque;
    stopped++;
}

static void resume(void *opaque)
{
    (void)opaque;
    resumed++;
}

static MemoryRegion *ram_of(const char *name, unsigned pages)
{
    MemoryRegion *mr = stage_ram_migratable(name, pages * PAGE);
    uint8_t *bytes = memory_region_get_ram_ptr(mr);

    for (unsigned page = 0; page < pages; page++) {
        memset(bytes + page * PAGE, page % 3, PAGE);
    }
    return mr;
}

static void begin(void)
{
    memset(&host, 0, sizeof(host));
    stopped = resumed = 0;
    folder = g_mkdtemp(g_strdup("/dev/shm/save-host-XXXXXX"));     /* memory: renaming need not wait for a disk */
    folder = folder ? folder : g_dir_make_tmp("save-host-XXXXXX", NULL);
    path = g_build_filename(folder, "ram.mig", NULL);
    blocks[0] = ram_of("first", 48);
    blocks[1] = ram_of("second", 16);
}

static unsigned files(void)
{
    GDir *listing = g_dir_open(folder, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(listing)) {
        count++;
    }
    g_dir_close(listing);
    return count;
}

static void end(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++) {
        stage_release(blocks[i]);
    }
    memcore_drain();
    g_remove(path);
    check_number(files(), 0);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    direct_fd = -1;
}

static int save_with(RamSaveParameters parameters, Error **errp)
{
    RamSave *save;
    int result;

    parameters.machine = "none";
    parameters.path = parameters.fd ? NULL : path;
    parameters.stop_writers = stop;
    save = ram_save_new(&parameters, &error_abort);
    result = ram_save_run(save, errp);
    ram_save_free(save);
    check_pointer(qemu_ram_block_by_name("first")->bmap, NULL);
    return result;
}

/* The file has what is in memory; closes it. */
static void check_saved(int fd)
{
    MappedRamFile *file = mapped_ram_probe(fd, 0, 0, "none", &error_abort);

    for (size_t i = 0; i < file->block_count; i++) {
        const MappedRamBlock *block = &file->blocks[i];
        uint8_t *bytes = g_malloc(block->used_length);

        check(mapped_ram_read_pages(file, block, 0, block->pages, bytes, &error_abort));
        check(memcmp(bytes, qemu_ram_block_by_name(block->idstr)->host, block->used_length) == 0);
        g_free(bytes);
    }
    mapped_ram_free(file);
    close(fd);
}

static void check_file(void)
{
    check_saved(open(path, O_RDONLY | O_CLOEXEC));
}

/* Each of them: an Error and no file, the guest goes on; or, where it is only about speed, a file all the same. */
static void each_call_fails(void)
{
    static const struct {
        MemcoreFault kind;
        unsigned calls;             /* that are asked about in a good save */
        unsigned harmless;          /* the number of one whose failure is none, plus 1 */
        unsigned published;         /* from this one on the file is there */
    } kinds[] = {
        { MEMCORE_FAULT_OPEN, 3, 2, 2 },        /* the file, past the cache, its folder */
        { MEMCORE_FAULT_FTRUNCATE, 2, 0, UINT_MAX },
        { MEMCORE_FAULT_FSYNC, 3, 0, 2 },       /* the pages, the magic, the folder */
        { MEMCORE_FAULT_RENAME, 1, 0, UINT_MAX },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (unsigned nth = 0; nth <= kinds[i].calls; nth++) {
            const bool fine = nth == kinds[i].calls || nth + 1 == kinds[i].harmless;
            Error *error = NULL;

            begin();
            host_refuses_nth(kinds[i].kind, EIO, nth);
            check_number(save_with((RamSaveParameters){ .direct_io = true, .resume_writers = resume }, &error),
                         fine ? 0 : -EIO);
            check_number(host_agrees(), fine ? kinds[i].calls : nth + 1);
            check(fine == !error);
            error_free(error);
            check_number(files(), fine || nth >= kinds[i].published);
            check_number(resumed, fine ? 0 : stopped);
            if (fine) {
                check_file();
            }
            end();
        }
    }
}

/* Layout, pages, bitmaps, tail: wherever writing fails, there is no file that loads; an interruption is no failure. */
static void each_write_fails(void)
{
    for (unsigned interrupted = 0; interrupted < 2; interrupted++) {
        unsigned nth = 0;
        bool asked = true;

        for (; asked; nth++) {
            const int fd = memfd_create("save", MFD_CLOEXEC);
            Error *error = NULL;
            int result;

            begin();
            host_refuses_nth(MEMCORE_FAULT_PWRITE, interrupted ? EINTR : ENOSPC, nth);
            result = save_with((RamSaveParameters){ .workers = nth % 2, .fd = fd }, &error);
            asked = host_agrees() > nth;
            check_number(result, asked && !interrupted ? -ENOSPC : 0);
            error_free(error);
            if (result == 0) {
                check_saved(fd);
            } else {
                check_pointer(mapped_ram_probe(fd, 0, 0, "none", NULL), NULL);
                close(fd);
            }
            end();
        }
        check(nth > 8);
    }
    Error *error = NULL;

    begin();
    host.writes_nothing = true;
    check_number(save_with((RamSaveParameters){ 0 }, &error), -EIO);
    host.writes_nothing = false;
    error_free(error);
    end();
}

static void no_threads(void)
{
    for (unsigned threads = 0; threads < 3; threads++) {
        Error *error = NULL;

        begin();
        host.threads = threads + 1;
        check_number(save_with((RamSaveParameters){ .workers = 3 }, &error), -EAGAIN);
        check(error != NULL);
        error_free(error);
        check_number(files(), 0);
        check_number(stopped, 0);
        end();
    }
}

/* Signals are the program's: workers take none, and who made them, or could not, takes what it took before. */
static void signals_elsewhere(void)
{
    for (unsigned can = 0; can < 2; can++) {
        Error *error = NULL;
        sigset_t before;

        begin();
        host.threads = can ? 0 : 2;
        block_one_signal(&before);
        check_number(save_with((RamSaveParameters){ .workers = 2 }, &error), can ? 0 : -EAGAIN);
        check_one_signal_blocked(&before);
        check(sigismember(&host.blocked, SIGUSR2));
        error_free(error);
        end();
    }
}

/* Past the cache as far as it goes: else through it, with one warning. */
static void not_direct(void)
{
    uint8_t *memory = stage_storage(20 * PAGE);
    MemoryRegion *odd;

    begin();
    host.no_direct = true;
    check_number(save_with((RamSaveParameters){ .direct_io = true }, &error_abort), 0);
    check_number(host.direct_writes, 0);
    check_file();
    end();
    begin();
    host.direct_fails = true;
    check_number(save_with((RamSaveParameters){ .direct_io = true, .workers = 2 }, &error_abort), 0);
    /* Target pages that are smaller than the host's lie where direct I/O may not begin. */
    check((host.direct_writes > 0) == (PAGE >= (uint64_t)sysconf(_SC_PAGESIZE)));
    check_file();
    end();
    /* The caller's memory is where it is. */
    begin();
    memset(memory, 0x33, 20 * PAGE);
    odd = stage_ram_ptr("odd", 16 * PAGE, memory + 8 - (uintptr_t)memory % 8);
    stage_migratable(odd, "odd");
    qemu_ram_unset_migratable(qemu_ram_block_by_name("first"));
    qemu_ram_unset_migratable(qemu_ram_block_by_name("second"));
    check_number(save_with((RamSaveParameters){ .direct_io = true }, &error_abort), 0);
    check_number(host.direct_writes, 0);
    check_file();
    end();
}

/* 0 is a descriptor, too. */
static void direct_descriptor_is_0(void)
{
    const int input = dup(STDIN_FILENO), fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters parameters = { .machine = "none", .fd = fd, .direct_io = true };
    RamSaveCounters counters;
    RamSave *save;

    begin();
    close(STDIN_FILENO);
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(direct_fd, STDIN_FILENO);
    ram_save_counters(save, &counters);
    check(counters.direct_io);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    check(counters.direct_io);
    check((host.direct_writes > 0) == (PAGE >= (uint64_t)sysconf(_SC_PAGESIZE)));
    ram_save_free(save);
    check_number(fcntl(STDIN_FILENO, F_GETFD), -1);     /* closed */
    dup2(input, STDIN_FILENO);
    close(input);
    check_saved(fd);
    end();
}

static RAMBlock *first;

static void clear_pages(void *opaque)
{
    (void)opaque;
    memset(first->host, 0, 8 * PAGE);
    memory_region_set_dirty(first->mr, 0, 8 * PAGE);
}

/* Old bytes may stay in the file where it has no holes. */
static void no_holes(void)
{
    for (unsigned none = 0; none < 2; none++) {
        RamSaveParameters parameters = { .machine = "none", .punch_holes = true, .stop_writers = clear_pages };
        RamSave *save;

        begin();
        host.no_holes = none;
        parameters.path = path;
        first = qemu_ram_block_by_name("first");
        save = ram_save_new(&parameters, &error_abort);
        check_number(ram_save_setup(save, &error_abort), 0);
        while (ram_save_iterate(save, 100, &error_abort) == 1) {
        }
        check_number(ram_save_complete(save, &error_abort), 0);
        ram_save_free(save);
        check_number(host.holes, 5);    /* where pages 1, 2, 4, 5, 7 were */
        check_file();
        end();
    }
}

/* --- parameters and steps ---------------------------------------------------------------------- */

static bool until_zeroes(void *opaque, const RamSaveCounters *counters)
{
    (void)opaque;
    return counters->zero < 100;
}

/* Progress is asked for within a long step, too. */
static void long_step(void)
{
    enum { MANY = 3 * 256 * 64 };
    RamSaveParameters parameters = { .machine = "none", .progress = until_zeroes };
    Error *error = NULL;
    RamSave *save;
    RamSaveCounters counters;

    begin();
    stage_ram_migratable("long", (uint64_t)MANY * PAGE);
    parameters.path = path;
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_wait_ms(save), 0);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, UINT64_MAX, &error), -ECANCELED);
    error_free(error);
    ram_save_counters(save, &counters);
    check(counters.zero < MANY);
    check_number(ram_save_wait_ms(save), 0);
    ram_save_free(save);
    end();
}

/* A limit so low that a tenth of a second has no room for a byte: one page at a time goes all the same. */
static void lowest_bandwidth(void)
{
    RamSaveParameters parameters = { .machine = "none", .bandwidth = 1 };
    RamSave *save;

    begin();
    parameters.path = path;
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, 100, &error_abort), 1);
    check(ram_save_wait_ms(save) > 0);
    ram_save_free(save);
    end();
}

static void refused(void)
{
    RamSaveParameters parameters = { .machine = "none", .alignment = (uint64_t)1 << 62 };
    Error *error = NULL;
    RAMBlock *nameless;

    check_pointer(ram_save_new(&parameters, &error), NULL);
    check(error && strstr(error_get_pretty(error), "alignment"));
    error_free(error);
    error = NULL;
    begin();
    nameless = qemu_ram_block_by_name("second");
    qemu_ram_unset_idstr(nameless);
    check_number(save_with((RamSaveParameters){ 0 }, &error), -EINVAL);
    check(error && strstr(error_get_pretty(error), "no name"));
    error_free(error);
    end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-SAVE-9/each-call-fails", each_call_fails);
    conformance_case("/R-SAVE-9/each-write-fails", each_write_fails);
    conformance_case("/R-SAVE-6/no-threads", no_threads);
    conformance_case("/R-SAVE-6/signals-elsewhere", signals_elsewhere);
    conformance_case("/R-SAVE-7/not-direct", not_direct);
    conformance_case("/R-SAVE-7/descriptor-is-0", direct_descriptor_is_0);
    conformance_case("/R-SAVE-8/no-holes", no_holes);
    conformance_case("/R-SAVE-2/long-step", long_step);
    conformance_case("/R-ITER-8/lowest-bandwidth", lowest_bandwidth);
    conformance_case("/R-SAVE-1/refused", refused);
    return g_test_run();
}
