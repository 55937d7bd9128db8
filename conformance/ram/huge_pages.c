/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3, chapters 1.1, 1.7 and 8: blocks on the host's huge pages (hugetlbfs).  A host has them only if somebody set
 * them apart: "echo 16 > /proc/sys/vm/nr_hugepages".  Without, what needs them is skipped; that RAM is then refused,
 * and nothing left behind, is tested everywhere.
 */
#include "common/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { WANTED = 6 };    /* huge pages that a case takes at most */

/* A file of huge pages; -1 and skipped, if the host knows none. */
static int huge_file(off_t length, size_t *page)
{
    const int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
    struct statfs status;

    if (fd < 0) {
        g_test_skip("the host has no file system of huge pages");
        return -1;
    }
    g_assert_true(fstatfs(fd, &status) == 0 && (unsigned long)status.f_type == HUGETLBFS_MAGIC);
    *page = (size_t)status.f_bsize;
    g_assert_true(ftruncate(fd, length) == 0);
    return fd;
}

static long free_pages(size_t page)
{
    char *path = g_strdup_printf("/sys/kernel/mm/hugepages/hugepages-%zukB/free_hugepages", page / 1024), *text = NULL;
    const long count = g_file_get_contents(path, &text, NULL, NULL) ? strtol(text, NULL, 10) : 0;

    g_free(text);
    g_free(path);
    return count;
}

static bool enough(size_t page, int fd)
{
    if (free_pages(page) < WANTED) {
        g_test_skip("the host has no huge pages to spare: echo 16 > /proc/sys/vm/nr_hugepages");
        close(fd);
        return false;
    }
    return true;
}

static MemoryRegion *from_fd(int fd, uint64_t size, uint32_t flags, ram_addr_t offset)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_from_fd(mr, NULL, "huge", size, flags, fd, offset, &error_fatal);
    return stage_adopt(mr, NULL);
}

static bool is_mapped(const uint8_t *place)
{
    unsigned char resident;

    return mincore((void *)((uintptr_t)place & ~((uintptr_t)host_page() - 1)), host_page(), &resident) == 0;
}

/* R-RAM-5; an empty file grows to whole pages of its own (R-FILE-3); all are mapped and unmapped (R-FILE-4). */
static void whole_pages(void)
{
    size_t page;
    const int fd = huge_file(0, &page);
    MemoryRegion *mr;
    struct stat status;
    const uint8_t *place;

    if (fd < 0 || !enough(page, fd)) {
        return;
    }
    const long before = free_pages(page);

    mr = from_fd(fd, page + host_page(), RAM_SHARED, 0);
    check_number(qemu_ram_pagesize(block_of(mr)), page);
    check_number(qemu_ram_pagesize_largest(), page);
    check_number(memory_region_get_alignment(mr), page);
    check_number(block_of(mr)->used_length, page + host_page());
    check_number(block_of(mr)->max_length, page + host_page());
    g_assert_true(fstat(fd, &status) == 0);
    check_number((uint64_t)status.st_size, 2 * page);
    place = memory_region_get_ram_ptr(mr);
    check_number((uintptr_t)place % page, 0);
    memset((void *)place, 7, page + host_page());
    check_number((uint64_t)(before - free_pages(page)), 2);
    check(is_mapped(place + 2 * page - 1));
    stage_release(mr);
    memcore_drain();
    check(!is_mapped(place + page));
    check(!is_mapped(place + 2 * page - 1));
    check_number((uint64_t)free_pages(page), (uint64_t)before);
}

static void refused(void)
{
    static const struct { uint64_t pages, more; ram_addr_t offset; } table[] = {
        { 0, 0x1000, 0 },       /* less than a page */
        { 5, 0, 0 },            /* more than the file has */
        { 1, 0, 0x1000 },       /* no page starts there */
    };
    size_t page;
    const int fd = huge_file(0, &page);
    char *before = text_of_blocks();

    if (fd < 0) {
        g_free(before);
        return;
    }
    g_assert_true(ftruncate(fd, (off_t)(4 * page)) == 0);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        memory_region_init_ram_from_fd(mr, NULL, "huge", table[i].pages * page + table[i].more, RAM_SHARED, fd,
                                       table[i].offset, &error);
        check_init_refused(mr, error, before, NULL, NULL);
    }
    close(fd);
    g_free(before);
}

/* More than the host has: the kernel refuses to map it. */
static void not_enough(void)
{
    size_t page;
    const int fd = huge_file(0, &page);
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    char *before = text_of_blocks();
    Error *error = NULL;
    struct stat status;

    if (fd >= 0) {
        const long free_before = free_pages(page);

        memory_region_init_ram_from_fd(mr, NULL, "huge", (uint64_t)(free_before + 1000) * page, RAM_SHARED, fd, 0,
                                       &error);
        check_init_refused(mr, error, before, strerror(ENOMEM), NULL);
        check_number((uint64_t)free_pages(page), (uint64_t)free_before);
        g_assert_true(fstat(fd, &status) == 0);
        check_number((uint64_t)status.st_size, 0);
        close(fd);
    }
    g_free(before);
}

/* R-DISC-4, R-DISC-5: whole huge pages only; a hole in the file, so what a private mapping has copied stays. */
static void discards(void)
{
    for (unsigned shared = 0; shared < 2; shared++) {
        size_t page;
        const int fd = huge_file(0, &page);
        MemoryRegion *mr;
        uint8_t *place;

        if (fd < 0 || !enough(page, fd)) {
            return;
        }
        g_assert_true(ftruncate(fd, (off_t)(3 * page)) == 0);
        mr = from_fd(fd, 2 * page, shared ? RAM_SHARED : 0, page);
        place = memset(memory_region_get_ram_ptr(mr), 7, 2 * page);
        clean(mr);
        check_number((uint64_t)ram_block_discard_range(block_of(mr), 0, host_page()), (uint64_t)-1);
        check_number((uint64_t)ram_block_discard_range(block_of(mr), host_page(), page), (uint64_t)-1);
        check_number(place[0], 7);
        check_number((uint64_t)ram_block_discard_range(block_of(mr), page, page), 0);
        check_number(place[page - 1], 7);
        if (shared) {
            check_number(place[page], 0);
            check_number(place[2 * page - 1], 0);
        }
        check(!cpu_physical_memory_get_dirty(ram_addr(mr, 0), 2 * page, MIGRATION));
        stage_release(mr);
        memcore_drain();
    }
}

/* In place, and the file's page is back. */
static void remaps(void)
{
    size_t page;
    const int fd = huge_file(0, &page);
    MemoryRegion *mr;
    uint8_t *place;

    if (fd < 0 || !enough(page, fd)) {
        return;
    }
    mr = from_fd(fd, 2 * page, RAM_SHARED, 0);
    place = memset(memory_region_get_ram_ptr(mr), 7, 2 * page);
    qemu_ram_remap(ram_addr(mr, page), page);
    check_pointer(memory_region_get_ram_ptr(mr), place);
    check_number(place[page], 7);
    place[page] = 8;
    check_number(place[0], 7);
}

/* By path and by folder, in a child of its own. */
static void in_a_file_system(void)
{
    MemoryRegion *named = stage_storage(sizeof(*named)), *unnamed = stage_storage(sizeof(*unnamed));
    const char *folder = file_path("mounted");
    char *path = g_build_filename(folder, "file", NULL);
    size_t page;
    const int fd = huge_file(0, &page);

    g_assert_true(mkdir(folder, 0700) == 0 && fd >= 0);
    close(fd);
    g_assert_true(file_system_mount(folder, "hugetlbfs", NULL));
    memory_region_init_ram_from_file(named, NULL, "named", page, 0, RAM_SHARED, path, false, &error_fatal);
    stage_adopt(named, NULL);
    memory_region_init_ram_from_file(unnamed, NULL, "unnamed", page, 2 * page, RAM_SHARED, folder, false, &error_fatal);
    stage_adopt(unnamed, NULL);
    check_number(qemu_ram_pagesize(block_of(named)), page);
    check_number(qemu_ram_pagesize(block_of(unnamed)), page);
    check_number(memory_region_get_alignment(unnamed), 2 * page);
    check_number((uintptr_t)memory_region_get_ram_ptr(unnamed) % (2 * page), 0);
    memset(memory_region_get_ram_ptr(named), 7, page);
    memset(memory_region_get_ram_ptr(unnamed), 7, page);
    check_number((uint64_t)file_size(path), page);
    stage_release(named);
    stage_release(unnamed);
    memcore_drain();
    g_assert_true(unlink(path) == 0 && umount(folder) == 0);
    g_free(path);
}

static void by_path(void)
{
    size_t page;
    int fd;

    if (g_test_subprocess()) {
        in_a_file_system();
        return;
    }
    fd = huge_file(0, &page);
    if (fd < 0 || !enough(page, fd)) {
        return;
    }
    close(fd);
    if (!file_system_possible("hugetlbfs", NULL)) {
        g_test_skip("no permission to mount a file system");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-FILE-4/whole-pages", whole_pages);
    conformance_case("/R-FILE-2/huge-pages", refused);
    conformance_case("/R-RAM-10/not-enough-huge-pages", not_enough);
    conformance_case("/R-DISC-5/huge-pages", discards);
    conformance_case("/R-RAM-32/huge-pages", remaps);
    conformance_case("/R-RAM-5/hugetlbfs", by_path);
    return ram_run();
}
