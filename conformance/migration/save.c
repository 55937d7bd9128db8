/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapters 4 and 5: saving RAM while it changes (R-ITER-*, R-SAVE-*).
 *
 * Linked with --wrap for the system calls that write, so that cases can cut them short and let them
 * fail.
 */
#include "migration/ram-save.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/mman.h>
#include <string.h>
#include <unistd.h>

#include "common/conformance.h"
#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "qemu/main-loop.h"
#include "memcore/bitmap_discard_manager.h"
#include "migration/mapped-ram.h"

#define PAGE TARGET_PAGE_SIZE
enum { PAGES = 72 };

/* --- system calls ------------------------------------------------------------------------- */

static struct {
    unsigned calls, fail_at;            /* the call with this number fails; 0: none */
    int fail_errno;
    size_t longest;                     /* bytes a write takes at most; 0: no limit */
    bool interrupted;                   /* every second write is */
} system_calls;

static bool refuse(void)
{
    if (++system_calls.calls == system_calls.fail_at) {
        errno = system_calls.fail_errno;
        return true;
    }
    return false;
}

WRAPPED(ssize_t, pwrite, int fd, const void *from, size_t length, off_t offset)
{
    static unsigned writes;

    if (refuse()) {
        return -1;
    }
    if (system_calls.interrupted && writes++ % 2) {
        return failed(EINTR);
    }
    return __real_pwrite(fd, from, system_calls.longest ? MIN(system_calls.longest, length) : length, offset);
}

WRAPPED(int, ftruncate, int fd, off_t length)
{
    return refuse() ? -1 : __real_ftruncate(fd, length);
}

WRAPPED(int, fsync, int fd)
{
    return refuse() ? -1 : __real_fsync(fd);
}

WRAPPED(int, rename, const char *from, const char *to)
{
    return refuse() ? -1 : __real_rename(from, to);
}

WRAPPED(int, mkostemp, char *name, int flags)
{
    return refuse() ? -1 : __real_mkostemp(name, flags);
}

/* --- a machine with one block, and a folder ------------------------------------------------- */

static char *folder, *path;
static MemoryRegion *ram;
static uint8_t at_stop[PAGES * (1 << 16)];      /* memory when the writers were stopped */
static unsigned stopped, resumed;

static RAMBlock *block(void)
{
    return qemu_ram_block_by_name("ram");
}

static void stop_writers(void *opaque)
{
    (void)opaque;
    stopped++;
    memcpy(at_stop, block()->host, PAGES * PAGE);
}

static void resume_writers(void *opaque)
{
    (void)opaque;
    resumed++;
}

/* What a store of the guest does. */
static void guest_writes(uint64_t page, uint8_t value)
{
    memset(block()->host + page * PAGE, value, PAGE);
    memory_region_set_dirty(ram, page * PAGE, PAGE);
}

static void begin(void)
{
    memset(&system_calls, 0, sizeof(system_calls));
    stopped = resumed = 0;
    folder = g_dir_make_tmp("memcore-save-XXXXXX", NULL);
    g_assert_nonnull(folder);
    path = g_build_filename(folder, "ram.mig", NULL);
    ram = stage_ram_migratable("ram", PAGES * PAGE);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page % 3 == 0 || page == PAGES - 1) {
            memset(block()->host + page * PAGE, (int)(page + 1), PAGE);
        }
    }
}

static unsigned files_in_folder(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(dir)) {
        count++;
    }
    g_dir_close(dir);
    return count;
}

static void end(void)
{
    memset(&system_calls, 0, sizeof(system_calls));
    unlink(path);
    check_number(files_in_folder(), 0);
    rmdir(folder);
    g_free(path);
    g_free(folder);
}

static RamSaveParameters parameters(void)
{
    return (RamSaveParameters){
        .path = path,
        .machine = "none",
        .alignment = PAGE,
        .stop_writers = stop_writers,
        .resume_writers = resume_writers,
    };
}

static RamSave *save_new(void)
{
    RamSaveParameters p = parameters();

    return ram_save_new(&p, &error_abort);
}

/* The file at `name` holds exactly `memory`; all of it, if `all_present`, or its non-zero pages only. */
static void check_file(const char *name, const uint8_t *memory, bool all_present)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes = g_malloc(PAGES * PAGE);
    Error *error = NULL;
    MappedRamFile *file = mapped_ram_probe(fd, 0, 0, "none", &error);

    if (check(file != NULL) && check(file->block_count == 1 && file->blocks[0].pages == PAGES)) {
        const MappedRamBlock *saved = &file->blocks[0];

        check(mapped_ram_read_pages(file, saved, 0, PAGES, bytes, &error_abort));
        check(memcmp(bytes, memory, PAGES * PAGE) == 0);
        for (uint64_t page = 0; page < PAGES; page++) {
            const bool zero = memory[page * PAGE] == 0;

            check(mapped_ram_page_present(saved, page) == (all_present || !zero));
        }
    }
    error_free(error);
    mapped_ram_free(file);
    g_free(bytes);
    close(fd);
}

/* R-ITER-3. */
static void check_remaining(const RamSave *save)
{
    RamSaveCounters counters;
    uint64_t dirty = 0;

    for (uint64_t page = 0; page < PAGES; page++) {
        dirty += block()->bmap[page / 64] >> page % 64 & 1;
    }
    ram_save_counters(save, &counters);
    check_number(counters.remaining, dirty);
}

static void check_left(void)
{
    check_pointer(block()->bmap, NULL);
    check_pointer(block()->file_bmap, NULL);
    check_number(block()->pages_offset, 0);
}

/* --- cases ------------------------------------------------------------------------------------ */

static void saved_and_loaded(void)
{
    RamSave *save;
    MappedRamFile *file;
    int fd;

    begin();
    save = save_new();
    check_number(ram_save_run(save, &error_abort), 0);
    check_left();
    check_number(stopped, 1);
    check_number(resumed, 0);
    check_file(path, at_stop, false);
    check_number(files_in_folder(), 1);
    ram_save_free(save);

    memset(block()->host, 0x55, PAGES * PAGE);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    memcore_set_vm_running(true);
    check(memcmp(block()->host, at_stop, PAGES * PAGE) == 0);
    mapped_ram_free(file);
    close(fd);
    end();
}

/* Interleavings of the guest with the save: what is in the file is memory at the stop, nothing older. */
static void live(void)
{
    GRand *random = g_rand_new_with_seed(1);

    begin();
    for (unsigned round = 0; round < 100; round++) {
        RamSaveParameters p = parameters();
        RamSave *save;
        int more = 1;

        p.enough = 3;
        p.max_rounds = 8;
        save = ram_save_new(&p, &error_abort);
        check_number(ram_save_setup(save, &error_abort), 0);
        check_remaining(save);
        while (more > 0) {
            for (unsigned i = g_rand_int_range(random, 0, 4); i > 0; i--) {
                guest_writes((uint64_t)g_rand_int_range(random, 0, PAGES), (uint8_t)g_rand_int_range(random, 0, 3));
            }
            more = ram_save_iterate(save, (uint64_t)g_rand_int_range(random, 1, 40), &error_abort);
            check_remaining(save);
        }
        guest_writes((uint64_t)g_rand_int_range(random, 0, PAGES), (uint8_t)round);
        check_number(ram_save_complete(save, &error_abort), 0);
        check_left();
        check_file(path, at_stop, false);
        ram_save_free(save);
    }
    g_rand_free(random);
    end();
}

/* A page that was written to the file and is zero later is absent. */
static void page_becomes_zero(void)
{
    RamSave *save;

    begin();
    save = save_new();
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    check(block()->file_bmap[0] & 1);
    guest_writes(0, 0);
    guest_writes(1, 9);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_number(at_stop[0], 0);
    check_file(path, at_stop, false);
    ram_save_free(save);
    end();
}

static void all_pages_kept(void)
{
    RamSaveParameters p;
    RamSave *save;

    begin();
    p = parameters();
    p.keep_zero_pages = true;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_run(save, &error_abort), 0);
    check_file(path, at_stop, true);
    ram_save_free(save);
    end();
}

static uint64_t pages_saved(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters p = parameters();
    MappedRamFile *file;
    RamSave *save;
    uint64_t present;

    p.path = NULL;
    p.fd = fd;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    present = file->blocks[0].present;
    mapped_ram_free(file);
    close(fd);
    return present;
}

/*
 * A page with one byte that is not zero is not a zero page, wherever the byte and whichever bit it is; with vectors of
 * each width that the processor has, and without.
 */
static void one_byte_with(size_t most)
{
    if (most > 0 && memcore_limit_vectors(most) != most) {
        g_test_message("no vectors of %zu bytes here", most);
        return;
    }
    check_number(memcore_limit_vectors(most), most);
    begin();
    for (uint64_t round = 0; round < 4096 / PAGES + 1; round++) {
        memset(block()->host, 0, PAGES * PAGE);
        for (uint64_t page = 0; page < PAGES; page++) {
            block()->host[page * PAGE + PAGE - 1 - (round * PAGES + page) % PAGE] = (uint8_t)(1 << page % 8);
        }
        check_number(pages_saved(), PAGES);
    }
    memset(block()->host, 0, PAGES * PAGE);
    check_number(pages_saved(), 0);
    end();
    stage_release(ram);
    memcore_limit_vectors(SIZE_MAX);
}

static void one_byte(void)
{
    one_byte_with(0);
    one_byte_with(16);
    one_byte_with(32);
    one_byte_with(64);
}

static void layout(void)
{
    const uint64_t mebibyte = 1 << 20;
    RamSaveParameters p;
    MappedRamFile *file;
    RamSave *save;
    int fd;

    begin();
    p = parameters();
    p.alignment = 0;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(block()->bitmap_offset, 0x81);
    check_number(block()->pages_offset, mebibyte);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    check_number(file->blocks[0].bitmap_offset, 0x81);
    check_number(file->blocks[0].pages_offset, mebibyte);
    mapped_ram_free(file);
    close(fd);
    end();
}

/* A bitmap that ends where pages may begin: they do, without a gap. */
static void layout_without_gap(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters p;
    RamSave *save;

    begin();
    p = parameters();
    p.path = NULL;
    p.fd = fd;
    p.base = PAGE - 0x81 - (PAGES + 63) / 64 * 8;
    save = ram_save_new(&p, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(block()->bitmap_offset, p.base + 0x81);
    check_number(block()->pages_offset, PAGE);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    close(fd);
    end();
}

static void counters(void)
{
    RamSaveCounters c;
    RamSave *save;

    begin();
    memset(block()->host, 0, PAGES * PAGE);
    memset(block()->host + 5 * PAGE, 1, 2 * PAGE);
    save = save_new();
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.total, PAGES * PAGE);
    check_number(c.normal, 2);
    check_number(c.zero, PAGES - 2);
    check_number(c.remaining, 0);
    check_number(c.dirty_sync_count, 2);
    ram_save_free(save);
    end();
}

/* What is discarded is neither looked at nor saved, however often dirty pages are looked for. */
static void discarded_pages_stay_out(void)
{
    const uint64_t granule = MAX(8 * PAGE, 4096), there = granule / PAGE;
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    BitmapDiscardManager *manager;
    RamSaveCounters c;
    RamSave *save;

    begin();
    manager = bitmap_discard_manager_new(ram, granule, NULL, &error_abort);
    stage_add(root, 0, ram);    /* before that it has no manager, to those who ask (R-RDM-5) */
    check_number(bitmap_discard_manager_plug(manager, granule, granule), 0);
    memset(block()->host + granule, 0x77, granule);
    save = save_new();
    check_number(ram_save_setup(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.remaining, there);
    check_remaining(save);
    guest_writes(there, 0x78);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.normal, there);
    check_number(c.zero, 0);
    check_file(path, at_stop, false);
    ram_save_free(save);
    stage_del(root, ram);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
    end();
}

/* What is left counts pages of blocks, not of the space they stand in. */
static void gaps_are_not_counted(void)
{
    MemoryRegion *gone = stage_ram("gone", 1000 * PAGE);
    RamSaveCounters c;
    RamSave *save;

    begin();
    stage_release(gone);
    memcore_drain();
    check(block()->offset >= 1000 * PAGE);
    save = save_new();
    check_number(ram_save_setup(save, &error_abort), 0);
    ram_save_counters(save, &c);
    check_number(c.remaining, PAGES);
    while (ram_save_iterate(save, 16, &error_abort) > 0) {
        check_remaining(save);
    }
    check_number(ram_save_complete(save, &error_abort), 0);
    check_file(path, at_stop, false);
    ram_save_free(save);
    end();
}

static void cancelled(void)
{
    begin();
    for (unsigned steps = 0; steps < 3; steps++) {
        RamSave *save = save_new();
        Error *error = NULL;

        check_number(ram_save_setup(save, &error_abort), 0);
        if (steps == 1) {
            check_number(ram_save_iterate(save, 10, &error_abort), 1);
        }
        ram_save_cancel(save);
        check_number(steps == 2 ? ram_save_complete(save, &error) : ram_save_iterate(save, 1, &error), -ECANCELED);
        check_text(error_get_pretty(error), "the save was cancelled");
        error_free(error);
        check_left();
        check_number(files_in_folder(), 0);
        check_number(stopped, 0);
        ram_save_free(save);
    }
    {
        RamSave *save = save_new();

        check_number(ram_save_run(save, &error_abort), 0);
        ram_save_free(save);
    }
    end();
}

static void one_at_a_time(void)
{
    RamSave *first, *second;
    Error *error = NULL;

    begin();
    first = save_new();
    second = save_new();
    check_number(ram_save_setup(first, &error_abort), 0);
    check_number(ram_save_setup(second, &error), -EBUSY);
    error_free(error);
    ram_save_free(first);       /* in the middle */
    check_left();
    check_number(files_in_folder(), 0);
    check_number(ram_save_run(second, &error_abort), 0);
    ram_save_free(second);
    end();
}

static void blocks_change(void)
{
    Error *error = NULL;
    MemoryRegion *other;
    RamSave *save;

    begin();
    save = save_new();
    check_number(ram_save_setup(save, &error_abort), 0);
    other = stage_ram_migratable("other", PAGES * PAGE);
    check_number(ram_save_iterate(save, 1, &error), -EBUSY);
    error_free(error);
    check_left();
    ram_save_free(save);

    save = save_new();
    check_number(ram_save_setup(save, &error_abort), 0);
    stage_release(other);
    memcore_drain();            /* its memory is gone */
    error = NULL;
    check_number(ram_save_complete(save, &error), -EBUSY);
    error_free(error);
    check_left();
    check_number(files_in_folder(), 0);
    ram_save_free(save);
    end();
}

static void short_and_interrupted_writes(void)
{
    RamSave *save;

    begin();
    system_calls.longest = 1000;
    system_calls.interrupted = true;
    save = save_new();
    check_number(ram_save_run(save, &error_abort), 0);
    check(system_calls.calls > 2 * (PAGES / 3) * PAGE / 1000);
    check_file(path, at_stop, false);
    ram_save_free(save);
    end();
}

/* --- each system call of a save fails once (crashes: crash.c) ---------------------------------------- */

static void fails_anywhere(void)
{
    const int numbers[] = { EIO, ENOSPC, EINTR };
    unsigned calls, rows = 0;
    RamSave *save;

    begin();
    save = save_new();
    check_number(ram_save_run(save, &error_abort), 0);
    calls = system_calls.calls;
    ram_save_free(save);
    unlink(path);
    for (unsigned at = 1; at <= calls; at++) {
        for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
            Error *error = NULL;
            int result;

            memset(&system_calls, 0, sizeof(system_calls));
            system_calls.fail_at = at;
            system_calls.fail_errno = numbers[i];
            stopped = resumed = 0;
            save = save_new();
            result = ram_save_run(save, &error);
            if (numbers[i] == EINTR && at > 1 && at != calls - 1) {
                /* Made again, but for the creation of the file and rename(). */
                check_number(result, 0);
                resumed = stopped;
            } else {
                check_number(result, -numbers[i]);
            }
            check_number(resumed, stopped);
            error_free(error);
            check_left();
            if (at == calls || result == 0) {           /* the folder's fsync: renamed already */
                check_file(path, at_stop, false);
                unlink(path);
            }
            check_number(files_in_folder(), 0);
            ram_save_free(save);
            rows++;
        }
    }
    check(rows > 20);
    end();
}

/* A descriptor of the caller's: nothing older survives behind the base, and after a failure there is no magic. */
static void descriptor_of_the_caller(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters p;
    MappedRamFile *file;
    Error *error = NULL;
    RamSave *save;
    char old[0x3000], start[9] = { 0 };

    begin();
    memset(old, 'x', sizeof(old));
    p = parameters();
    p.path = NULL;
    p.fd = fd;
    p.base = 0x234;
    for (unsigned fails = 0; fails < 2; fails++) {
        g_assert_cmpint(__real_pwrite(fd, old, sizeof(old), 0), ==, sizeof(old));
        memset(&system_calls, 0, sizeof(system_calls));
        save = ram_save_new(&p, &error_abort);
        check_number(ram_save_setup(save, &error_abort), 0);
        if (fails) {
            system_calls.fail_at = 1 + system_calls.calls;
            system_calls.fail_errno = ENOSPC;
            check_number(ram_save_complete(save, &error), -ENOSPC);
            error_free(error);
            g_assert_cmpint(pread(fd, start, 9, 0x233), ==, 9);
            check(memcmp(start, "x\0\0\0\0\0\0\0\0", 9) == 0);
            check(mapped_ram_probe(fd, 0x234, 0, NULL, NULL) == NULL);
        } else {
            check_number(ram_save_complete(save, &error_abort), 0);
            file = mapped_ram_probe(fd, 0x234, 0, NULL, &error_abort);
            check(file->complete);
            mapped_ram_free(file);
        }
        ram_save_free(save);
    }
    close(fd);
    end();
}

static unsigned descriptors(void)
{
    GDir *open_ones = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(open_ones)) {
        count++;
    }
    g_dir_close(open_ones);
    return count;
}

static void closes_what_it_opened(void)
{
    const int input = dup(STDIN_FILENO);
    const unsigned before = descriptors() - 1;

    /* So that one of them is 0. */
    close(STDIN_FILENO);
    begin();
    for (unsigned cancel = 0; cancel < 2; cancel++) {
        RamSave *save = save_new();

        check_number(ram_save_setup(save, &error_abort), 0);
        if (!cancel) {
            check_number(ram_save_complete(save, &error_abort), 0);
        }
        ram_save_free(save);
        check_number(descriptors(), before);
    }
    end();
    dup2(input, STDIN_FILENO);
    close(input);
}

static void wrong_parameters(void)
{
    RamSaveParameters p;
    char name[257];

    begin();
    for (unsigned wrong = 0; wrong < 8; wrong++) {
        Error *error = NULL;

        memset(name, 'x', sizeof(name));
        name[256] = '\0';
        p = parameters();
        p.machine = wrong == 0 ? NULL : wrong == 1 ? "" : wrong == 2 ? name : "none";
        p.alignment = wrong == 3 ? PAGE / 2 : wrong == 4 ? 3 * PAGE : PAGE;
        p.base = wrong == 5 ? PAGE : 0;     /* with a path: a new file starts at 0 */
        p.clear_bmap_shift = wrong == 6 ? CLEAR_BITMAP_SHIFT_MIN - 1 : wrong == 7 ? CLEAR_BITMAP_SHIFT_MAX + 1 : 0;
        check(ram_save_new(&p, &error) == NULL);
        check(error != NULL);
        error_free(error);
    }
    p = parameters();
    for (unsigned right = 0; right < 2; right++) {
        p.clear_bmap_shift = right ? CLEAR_BITMAP_SHIFT_MAX : CLEAR_BITMAP_SHIFT_MIN;
        ram_save_free(ram_save_new(&p, &error_abort));
    }
    end();
}

static void completed_without_the_lock(void)
{
    RamSave *save;

    begin();
    save = save_new();
    check_number(ram_save_setup(save, &error_abort), 0);
    qemu_mutex_unlock_iothread();
    ram_save_complete(save, NULL);
}

static void completed_twice(void)
{
    RamSave *save;

    begin();
    save = save_new();
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_complete(save, NULL);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-ITER-1/discarded-pages-stay-out", discarded_pages_stay_out);
    conformance_case("/R-ITER-1/gaps-are-not-counted", gaps_are_not_counted);
    conformance_case("/R-ITER-3/live", live);
    conformance_case("/R-ITER-4/becomes-zero", page_becomes_zero);
    conformance_case("/R-ITER-9/saved-and-loaded", saved_and_loaded);
    conformance_misuse("/R-ITER-9/completed-without-the-lock", completed_without_the_lock, "ram_save_complete",
                       "R-ITER-9");
    conformance_misuse("/R-SAVE-2/completed-twice", completed_twice, "ram_save_complete", "R-SAVE-2");
    conformance_case("/R-ITER-11/blocks-change", blocks_change);
    conformance_case("/R-SAVE-1/saved-and-loaded", saved_and_loaded);
    conformance_case("/R-SAVE-1/wrong-parameters", wrong_parameters);
    conformance_case("/R-SAVE-9/closes-what-it-opened", closes_what_it_opened);
    conformance_case("/R-SAVE-2/cancelled", cancelled);
    conformance_case("/R-SAVE-2/one-at-a-time", one_at_a_time);
    conformance_case("/R-SAVE-3/layout", layout);
    conformance_case("/R-SAVE-3/layout-without-gap", layout_without_gap);
    conformance_case("/R-SAVE-4/becomes-zero", page_becomes_zero);
    conformance_case("/R-SAVE-4/one-byte", one_byte);
    conformance_case("/R-SAVE-4/zero-pages-kept", all_pages_kept);
    conformance_case("/R-SAVE-5/short-and-interrupted", short_and_interrupted_writes);
    conformance_case("/R-SAVE-9/fails-anywhere", fails_anywhere);
    conformance_case("/R-SAVE-9/descriptor", descriptor_of_the_caller);
    conformance_case("/R-SAVE-12/counters", counters);
    return g_test_run();
}
