/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3 on hosts that are not this one: without membarrier or overcommit, with persistent memory, huge pages, or
 * calls that fail.  Each case says what the host is like; the calls of the core go through here (--wrap).
 */
#include "common/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/wrapped.h"

#define H host_page()

/* What differs from this host; all zero: nothing. */
static struct {
    bool membarrier;                /* there is one; of one thread, which needs none */
    mode_t kind;                    /* of every file that fstat looks at */
    int fstat_fails;                /* errno, for as many calls */
    unsigned fstat_failures;
    const char *subsystem;          /* of the character device; "": there is no such link */
    const char *dax_size, *dax_align;
    bool no_end;                    /* lseek fails */
    const char *overcommit;         /* the policy's file; "": it is empty, "-": it cannot be opened */
    int fstatfs_interrupted;        /* so many times */
    bool no_fstatfs, hugetlbfs;
    bool map_sync;                  /* the file system knows it */
    int map_sync_fails;             /* errno */
    unsigned synchronous;           /* mappings that were asked for */
    size_t mapped_of_file;          /* the last one's length */
    void *huge_start;               /* where huge pages were advised last */
    size_t huge_length;
    void *synced;                   /* what was written back last */
    size_t synced_length;
    int msync_fails, madvise_fails, fallocate_fails, ftruncate_to_0_fails;     /* errno */
} host;
static unsigned registrations, barriers;

WRAPPED_SYSCALL
{
    if (number != __NR_membarrier) {
        return real_syscall(number, a);
    }
    (a[0] == MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED ? &registrations : &barriers)[0]++;
    return host.membarrier && a[1] == 0 && a[2] == 0 ? 0 : failed(ENOSYS);
}

WRAPPED_OPEN
{
    int fd;

    if (!host.overcommit || strcmp(path, "/proc/sys/vm/overcommit_memory") != 0) {
        return __real_open(path, flags, mode);
    }
    if (strcmp(host.overcommit, "-") == 0) {
        return failed(EACCES);
    }
    fd = memfd_create("overcommit", MFD_CLOEXEC);
    g_assert_true(write(fd, host.overcommit, strlen(host.overcommit)) >= 0);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

WRAPPED(int, fstat, int fd, struct stat *status)
{
    if (host.fstat_failures > 0) {
        host.fstat_failures--;
        return failed(host.fstat_fails);
    }
    const int result = __real_fstat(fd, status);

    if (result == 0 && host.kind) {
        status->st_mode = (status->st_mode & ~(mode_t)S_IFMT) | host.kind;
    }
    return result;
}

WRAPPED(int, fstatfs, int fd, struct statfs *status)
{
    if (host.fstatfs_interrupted > 0) {
        host.fstatfs_interrupted--;
        return failed(EINTR);
    }
    if (host.no_fstatfs) {
        return failed(ENOSYS);
    }
    const int result = __real_fstatfs(fd, status);

    if (host.hugetlbfs) {
        status->f_type = HUGETLBFS_MAGIC;
        status->f_bsize = (long)(2 * H);
    }
    return result;
}

WRAPPED(off_t, lseek, int fd, off_t offset, int whence)
{
    return host.no_end ? failed(ESPIPE) : __real_lseek(fd, offset, whence);
}

WRAPPED(char *, realpath, const char *path, char *resolved)
{
    if (!host.subsystem) {
        return __real_realpath(path, resolved);
    }
    return *host.subsystem ? strdup(host.subsystem) : NULL;
}

WRAPPED(FILE *, fopen, const char *path, const char *mode)
{
    const char *text = g_str_has_suffix(path, "/size") ? host.dax_size : host.dax_align;

    if (!host.subsystem) {
        return __real_fopen(path, mode);
    }
    return text ? fmemopen((char *)text, strlen(text), "r") : NULL;
}

WRAPPED(void *, mmap, void *place, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (flags & MAP_SYNC) {
        host.synchronous++;
        if (!host.map_sync) {
            errno = host.map_sync_fails;
            return MAP_FAILED;
        }
        flags = (flags & ~(MAP_SYNC | MAP_SHARED_VALIDATE)) | MAP_SHARED;
    }
    if (!(flags & MAP_ANONYMOUS)) {
        host.mapped_of_file = length;
    }
    return __real_mmap(place, length, protection, flags, fd, offset);
}

WRAPPED(int, msync, void *start, size_t length, int flags)
{
    host.synced = start;
    host.synced_length = length;
    return host.msync_fails ? failed(host.msync_fails) : __real_msync(start, length, flags);
}

WRAPPED(int, madvise, void *start, size_t length, int advice)
{
    const bool discards = advice == MADV_DONTNEED || advice == MADV_REMOVE;

    if (advice == MADV_HUGEPAGE) {
        host.huge_start = start;
        host.huge_length = length;
    }
    return discards && host.madvise_fails ? failed(host.madvise_fails) : __real_madvise(start, length, advice);
}

WRAPPED(int, fallocate, int fd, int mode, off_t offset, off_t length)
{
    return host.fallocate_fails ? failed(host.fallocate_fails) : __real_fallocate(fd, mode, offset, length);
}

WRAPPED(int, ftruncate, int fd, off_t length)
{
    return length == 0 && host.ftruncate_to_0_fails ? failed(host.ftruncate_to_0_fails) : __real_ftruncate(fd, length);
}

/* ---- what is asked of it ---- */

typedef struct {
    uint64_t size, align;
    uint32_t flags;
    bool readonly;
} Wish;

static MemoryRegion *from_file(const char *path, Wish w, Error **errp)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_from_file(mr, NULL, "file", w.size, w.align, w.flags, path, w.readonly, errp);
    return mr;
}

static MemoryRegion *file_of(const char *path, Wish w)
{
    return stage_adopt(from_file(path, w, &error_fatal), NULL);
}

static void refuse(const char *path, Wish w, const char *first, const char *second)
{
    char *before = text_of_blocks();
    Error *error = NULL;
    MemoryRegion *mr = from_file(path, w, &error);

    check_init_refused(mr, error, before, first, second);
    g_free(before);
}

/* What is written to stderr until told_end(). */
static int told_to, told_before;

static void told_begin(void)
{
    fflush(stderr);
    told_before = dup(STDERR_FILENO);
    told_to = memfd_create("stderr", MFD_CLOEXEC);
    dup2(told_to, STDERR_FILENO);
}

static char *told_end(void)
{
    char text[1000] = "";

    fflush(stderr);
    dup2(told_before, STDERR_FILENO);
    close(told_before);
    g_assert_true(pread(told_to, text, sizeof(text) - 1, 0) >= 0);
    close(told_to);
    return g_strdup(text);
}

/* One line with the word, or (NULL) none. */
static void check_told(const char *word)
{
    char *text = told_end();

    check_number(strlen(text) > 0, word != NULL);
    check(!word || (strstr(text, word) && strchr(text, '\n') == text + strlen(text) - 1));
    g_free(text);
}

static void as_here(void)
{
    memset(&host, 0, sizeof(host));
}

/* ---- files ---- */

static void dax_device(void)
{
    const char *path = file_made("dax", 8 * H);
    char *size = g_strdup_printf("%zu\n", 8 * H), *align = g_strdup_printf("%zu\n", 4 * H);

    host.kind = S_IFCHR;
    host.subsystem = "/sys/bus/dax";
    host.dax_size = size;
    host.dax_align = align;
    refuse(path, (Wish) { 9 * H, 4 * H, RAM_SHARED, false }, "has", "RAM needs");
    refuse(path, (Wish) { 4 * H, 2 * H, RAM_SHARED, false }, "device wants alignment", NULL);
    check_number(block_of(file_of(path, (Wish) { 8 * H, 4 * H, RAM_SHARED, false }))->used_length, 8 * H);
    /* What the host does not tell is not checked. */
    host.dax_size = host.dax_align = NULL;
    file_of(path, (Wish) { 9 * H, 2 * H, RAM_SHARED, false });
    host.dax_size = "no number";
    file_of(path, (Wish) { 9 * H, 2 * H, RAM_SHARED, false });
    host.subsystem = "";
    file_of(path, (Wish) { 9 * H, 2 * H, RAM_SHARED, false });
    host.subsystem = "/sys/class/mem";
    host.dax_size = size;
    file_of(path, (Wish) { 9 * H, 2 * H, RAM_SHARED, false });
    as_here();
    g_free(size);
    g_free(align);
}

static void block_device(void)
{
    const char *path = file_made("disk", 8 * H), *empty = file_made("empty disk", 0);

    host.kind = S_IFBLK;
    refuse(path, (Wish) { 9 * H, 0, RAM_SHARED, false }, "has", "RAM needs");
    file_of(path, (Wish) { 8 * H, 0, RAM_SHARED, false });
    file_of(empty, (Wish) { H, 0, RAM_SHARED, false });
    check_number((uint64_t)file_size(empty), 0);        /* only files are extended */
    host.no_end = true;
    file_of(path, (Wish) { 9 * H, 0, RAM_SHARED, false });
    as_here();
}

static void unknown_file(void)
{
    const char *path = file_made("file", 4 * H), *made = file_path("made");

    host.fstat_fails = EIO;
    host.fstat_failures = 2;
    refuse(path, (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(EIO), "file");
    host.fstat_failures = 2;
    refuse(made, (Wish) { 4 * H, 0, RAM_SHARED, false }, strerror(EIO), "made");
    check_number((uint64_t)file_size(made), (uint64_t)-1);
    as_here();
    refuse(path, (Wish) { (uint64_t)INT64_MAX, 0, RAM_SHARED, false }, "more than a file can have", NULL);
}

static void in_a_directory(void)
{
    const char *folder = file_path("folder");
    char *long_name = g_strnfill(300, 'x');
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    Error *error = NULL;

    g_assert_true(mkdir(folder, 0700) == 0);
    memory_region_init_ram_from_file(mr, NULL, "pci/vga", H, 0, RAM_SHARED, folder, false, &error_fatal);
    stage_adopt(mr, NULL);
    mr = stage_storage(sizeof(*mr));
    memory_region_init_ram_from_file(mr, NULL, NULL, H, 0, RAM_SHARED, folder, false, &error_fatal);
    stage_adopt(mr, NULL);
    mr = stage_storage(sizeof(*mr));
    memory_region_init_ram_from_file(mr, NULL, long_name, H, 0, RAM_SHARED, folder, false, &error);
    check(error && strstr(error_get_pretty(error), strerror(ENAMETOOLONG)));
    error_free(error);
    g_free(long_name);
}

static void not_empty_again(void)
{
    const char *path = file_made("empty", 0);

    host.kind = 0;
    host.overcommit = "2\n";
    host.ftruncate_to_0_fails = EIO;
    told_begin();
    refuse(path, (Wish) { 4 * H, 0, RAM_NORESERVE, false }, "overcommit", NULL);
    check_told("cannot be made empty again");
    as_here();
}

static void huge_pages(void)
{
    const char *path = file_made("huge", 8 * H);
    MemoryRegion *mr;

    host.hugetlbfs = true;
    host.fstatfs_interrupted = 3;
    refuse(path, (Wish) { H, 0, RAM_SHARED, false }, "less than its page size", NULL);
    check_number((uint64_t)host.fstatfs_interrupted, 0);
    mr = file_of(path, (Wish) { 8 * H, 0, RAM_SHARED, false });
    check_number(qemu_ram_pagesize(block_of(mr)), 2 * H);
    check_number(memory_region_get_alignment(mr), 2 * H);
    /* R-RAM-4: huge pages are reserved apart. */
    host.overcommit = "2\n";
    check(qemu_ram_is_noreserve(block_of(file_of(path, (Wish) { 8 * H, 0, RAM_NORESERVE, false }))));
    /* R-DISC-5: the hole is all; the kernel would not take back one of its small pages. */
    host.madvise_fails = EINVAL;
    check_number((uint64_t)ram_block_discard_range(block_of(mr), 2 * H, 2 * H), 0);
    check_number((uint64_t)file_byte(path, (off_t)(2 * H)), 0);
    as_here();
    host.no_fstatfs = true;
    check_number(qemu_ram_pagesize(block_of(file_of(path, (Wish) { 8 * H, 0, RAM_SHARED, false }))), H);
    as_here();
}

/* R-FILE-4: what is used may end inside a huge page; all of that is mapped. */
static void last_huge_page(void)
{
    const char *path = file_made("huge", 10 * H);
    MemoryRegion *mr;

    host.hugetlbfs = true;
    mr = file_of(path, (Wish) { 9 * H, 0, RAM_SHARED, false });
    check_number(host.mapped_of_file, 10 * H);
    check_number(block_of(mr)->used_length, 9 * H);
    mr = file_of(path, (Wish) { 8 * H, 0, RAM_SHARED, false });
    check_number(host.mapped_of_file, 8 * H);
    as_here();
    file_of(path, (Wish) { 9 * H, 0, RAM_SHARED, false });
    check_number(host.mapped_of_file, 9 * H);
    as_here();
}

/* R-RAM-8 (8): huge pages are advised for memory that can have one, all of it, and for no other. */
static void huge_pages_are_advised(void)
{
    const uint64_t huge = memory_region_get_alignment(stage_ram("any", H));
    MemoryRegion *ram;

    as_here();
    stage_ram("small", huge - H);
    file_of(file_made("file", huge), (Wish) { huge, 0, RAM_SHARED, false });
    check_pointer(host.huge_start, NULL);
    ram = stage_ram("large", huge);
    check_pointer(host.huge_start, memory_region_get_ram_ptr(ram));
    check_number(host.huge_length, huge);
    ram = stage_ram("larger", huge + H);
    check_pointer(host.huge_start, memory_region_get_ram_ptr(ram));
    check_number(host.huge_length, huge + H);
    as_here();
}

/* ---- promises ---- */

/* The policy is read from whatever descriptor comes, and that is closed again. */
static void policy_in_descriptor_0(void)
{
    const int input = dup(STDIN_FILENO);
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    close(STDIN_FILENO);
    host.overcommit = "0\n";
    memory_region_init_ram_flags_nomigrate(mr, NULL, "ram", H, RAM_NORESERVE, &error_fatal);
    stage_adopt(mr, NULL);
    check(fcntl(STDIN_FILENO, F_GETFD) < 0);
    dup2(input, STDIN_FILENO);
    close(input);
    as_here();
}

static void without_reservation(void)
{
    static const char *const policies[] = { "2\n", "", "-" };
    const char *path = file_made("rom", 4 * H);

    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        char *before = text_of_blocks();
        Error *error = NULL;

        host.overcommit = policies[i];
        memory_region_init_ram_flags_nomigrate(mr, NULL, "ram", H, RAM_NORESERVE, &error);
        check_init_refused(mr, error, before, "reservation", i == 0 ? "never" : "cannot read");
        g_free(before);
        /* What the kernel does not account needs no reservation. */
        file_of(path, (Wish) { 4 * H, 0, RAM_NORESERVE, true });
        file_of(path, (Wish) { 4 * H, 0, RAM_NORESERVE | RAM_SHARED, false });
    }
    host.overcommit = "0\n";
    file_of(path, (Wish) { 4 * H, 0, RAM_NORESERVE, false });
    as_here();
}

static void persistent(void)
{
    const char *path = file_made("pmem", 4 * H);
    static const int lacking[] = { EOPNOTSUPP, EINVAL };

    host.map_sync = true;
    file_of(path, (Wish) { 4 * H, 0, RAM_PMEM | RAM_SHARED, false });
    check_number(host.synchronous, 1);
    file_of(path, (Wish) { 4 * H, 0, RAM_PMEM, false });
    check_number(host.synchronous, 1);
    host.map_sync = false;
    for (size_t i = 0; i < G_N_ELEMENTS(lacking); i++) {
        host.map_sync_fails = lacking[i];
        told_begin();
        check(memory_region_get_ram_ptr(file_of(path, (Wish) { 4 * H, 0, RAM_PMEM | RAM_SHARED, false })) != NULL);
        check_told("MAP_SYNC");
    }
    host.map_sync_fails = ENOMEM;
    refuse(path, (Wish) { 4 * H, 0, RAM_PMEM | RAM_SHARED, false }, strerror(ENOMEM), NULL);
    as_here();
}

/* ---- later ---- */

static void not_written_back(void)
{
    MemoryRegion *file = file_of(file_made("file", 4 * H), (Wish) { 4 * H, 0, RAM_SHARED, false });

    host.msync_fails = EIO;
    told_begin();
    qemu_ram_msync(block_of(file), H, 1);
    check_told("not known to be in its file");
    told_begin();
    qemu_ram_msync(block_of(file), H, 0);           /* R-RAM-29 */
    check_told(NULL);
    as_here();
}

/* R-RAM-28: grown outwards to whole pages of the host, and no further. */
static void whole_pages_are_written_back(void)
{
    MemoryRegion *file = file_of(file_made("file", 4 * H), (Wish) { 4 * H, 0, RAM_SHARED, false });
    uint8_t *const memory = memory_region_get_ram_ptr(file);
    const struct {
        ram_addr_t start, length;
        unsigned first, count;
    } cases[] = {
        { 0, 1, 0, 1 }, { H - 1, 1, 0, 1 }, { H, H, 1, 1 }, { H - 1, 2, 0, 2 }, { 1, H, 0, 2 }, { 0, 4 * H, 0, 4 },
        { 4 * H - 1, 1, 3, 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        qemu_ram_msync(block_of(file), cases[i].start, cases[i].length);
        check_pointer(host.synced, memory + cases[i].first * H);
        check_number(host.synced_length, cases[i].count * H);
    }
    as_here();
}

static void warns_of_holes_once(void)
{
    MemoryRegion *private = file_of(file_made("file", 4 * H), (Wish) { 4 * H, 0, 0, false });

    told_begin();
    check_number((uint64_t)ram_block_discard_range(block_of(private), 0, H), 0);
    check_told("holes");
    told_begin();
    check_number((uint64_t)ram_block_discard_range(block_of(private), H, H), 0);
    check_told(NULL);
}

static void cannot_discard(void)
{
    MemoryRegion *file = file_of(file_made("file", 4 * H), (Wish) { 4 * H, 0, RAM_SHARED, false });
    MemoryRegion *ram = stage_ram("ram", 4 * H);

    host.fallocate_fails = EOPNOTSUPP;
    check_number((uint64_t)ram_block_discard_range(block_of(file), 0, H), (uint64_t)-EOPNOTSUPP);
    host.fallocate_fails = 0;
    host_refuses(MEMCORE_FAULT_FALLOCATE, ENOSPC);
    check_number((uint64_t)ram_block_discard_range(block_of(file), 0, H), (uint64_t)-ENOSPC);
    host_agrees();
    host.madvise_fails = EINVAL;
    check_number((uint64_t)ram_block_discard_range(block_of(ram), 0, H), (uint64_t)-EINVAL);
    as_here();
}

static void cannot_map_again(void)
{
    if (g_test_subprocess()) {
        const ram_addr_t addr = ram_addr(stage_ram("ram", 4 * H), 0);

        qemu_ram_remap(addr, 0);        /* nothing to be mapped */
        host_refuses(MEMCORE_FAULT_MMAP, ENOSPC);
        qemu_ram_remap(addr, H);
        _exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*cannot map 0x* again*");
}

/* Without the barrier that reaches all threads, writers pay for one each; bits are as ever. */
static void without_membarrier(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(8));

    check_number(registrations, 1);
    memory_region_set_log(ram, true, VGA);
    clean(ram);
    memory_region_set_dirty(ram, PAGES(2), PAGES(2));
    check_dirty(ram, VGA, "2-3");
    check(cpu_physical_memory_test_and_clear_dirty(ram_addr(ram, PAGES(2)), PAGES(1), VGA));
    check_dirty(ram, VGA, "3");
    check_number(barriers, 0);
    memory_region_set_log(ram, false, VGA);
}

/*
 * A host that gets it later: asked for when the bitmaps grow, and never again.  From then on writers do without a
 * fence, so whoever takes a bit off its bitmap makes them pass one; who finds none, or only looks, does not.
 */
static void with_membarrier(void)
{
    MemoryRegion *ram = stage_ram_migratable("ram", PAGES(128)), *large = stage_storage(sizeof(*large));
    RAMBlock *block = block_of(ram);
    const unsigned asked = registrations;
    DirtyBitmapSnapshot *snapshot;

    host.membarrier = true;
    memory_region_init_ram_flags_nomigrate(large, NULL, "large", 2 * BITMAP_SPAN, RAM_NORESERVE, &error_fatal);
    stage_adopt(large, NULL);
    check_number(registrations, asked + 1);
    large = stage_storage(sizeof(*large));
    memory_region_init_ram_flags_nomigrate(large, NULL, "larger", 3 * BITMAP_SPAN, RAM_NORESERVE, &error_fatal);
    stage_adopt(large, NULL);
    check_number(registrations, asked + 1);

    clean(ram);
    barriers = 0;
    dirty(ram, 2, 3, EVERYBODY);
    check(cpu_physical_memory_get_dirty(ram_addr(ram, 0), PAGES(8), VGA));
    check_number(barriers, 0);
    check(cpu_physical_memory_test_and_clear_dirty(ram_addr(ram, 0), PAGES(8), VGA));
    check_number(barriers, 1);
    check(!cpu_physical_memory_test_and_clear_dirty(ram_addr(ram, 0), PAGES(8), VGA));
    check_number(barriers, 1);
    snapshot = cpu_physical_memory_snapshot_and_clear_dirty(ram, 0, PAGES(8), CODE);
    check_number(barriers, 2);
    free(snapshot);
    block->bmap = bits_new(block->max_length / TARGET_PAGE_SIZE);
    check_number(cpu_physical_memory_sync_dirty_bitmap(block, 0, PAGES(128)), 2);
    check_number(barriers, 3);
    check_number(cpu_physical_memory_sync_dirty_bitmap(block, 0, PAGES(128)), 0);
    check_number(barriers, 3);
    block->bmap = NULL;
    as_here();
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-FILE-2/dax", dax_device);
    conformance_case("/R-FILE-2/block-device", block_device);
    conformance_case("/R-FILE-2/unknown", unknown_file);
    conformance_case("/R-FILE-1/names-in-a-directory", in_a_directory);
    conformance_case("/R-FILE-5/not-empty-again", not_empty_again);
    conformance_case("/R-RAM-5/huge-pages", huge_pages);
    conformance_case("/R-FILE-4/last-huge-page", last_huge_page);
    conformance_case("/R-RAM-8/huge-pages-are-advised", huge_pages_are_advised);
    conformance_case("/R-RAM-4/policy-in-descriptor-0", policy_in_descriptor_0);
    conformance_case("/R-RAM-4/no-reservation", without_reservation);
    conformance_case("/R-RAM-4/persistent", persistent);
    conformance_case("/R-RAM-28/warns", not_written_back);
    conformance_case("/R-RAM-28/whole-pages", whole_pages_are_written_back);
    conformance_case("/R-DISC-7/warns-once", warns_of_holes_once);
    conformance_case("/R-DISC-5/refused", cannot_discard);
    conformance_case("/R-RAM-32/terminates", cannot_map_again);
    conformance_case("/R-DMB-9/no-membarrier", without_membarrier);
    conformance_case("/R-DMB-9/membarrier", with_membarrier);
    return ram_run();
}
