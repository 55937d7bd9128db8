/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapters 3 and 5: blocks of every kind, into a file and back (R-MLD-*, R-SAVE-*). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "postcopy_guest.h"

#define PAGE TARGET_PAGE_SIZE
enum { PAGES = 80, OLD = 0x55, BEHIND = 0x77 };

/* Every fourth page is zero. */
static void fill(RAMBlock *block, uint64_t length)
{
    for (uint64_t i = 0; i < length; i++) {
        block->host[i] = i / PAGE % 4 ? (uint8_t)(i / PAGE + 1) : 0;
    }
}

static int save_to_file(void)
{
    const int fd = memfd_create("saved", MFD_CLOEXEC);
    RamSave *save = ram_save_new(&(RamSaveParameters){ .fd = fd, .machine = "none", .punch_holes = true },
                                 &error_abort);

    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);
    return fd;
}

static int load_from_file(int fd, Error **errp)
{
    MappedRamFile *file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    int result;

    memcore_set_vm_running(false);
    result = mapped_ram_load(file, 0, errp);
    memcore_set_vm_running(true);
    mapped_ram_free(file);
    close(fd);
    return result;
}

/* The last page of the file: what memcore does not own is zero in it, and makes no page (R-RAM-7). */
static void check_last_page(int fd, const uint8_t *expected, uint64_t length)
{
    const uint64_t page = (length - 1) / PAGE, own = length - page * PAGE;
    MappedRamFile *file = mapped_ram_probe(fd, 0, 0, NULL, &error_abort);
    uint8_t *bytes = g_malloc(PAGE), *wanted = g_malloc0(PAGE);
    bool zero = true;

    memcpy(wanted, expected + page * PAGE, own);
    for (uint64_t i = 0; i < own; i++) {
        zero = zero && wanted[i] == 0;
    }
    check(mapped_ram_page_present(&file->blocks[0], page) == !zero);
    check(mapped_ram_read_pages(file, &file->blocks[0], page, 1, bytes, &error_abort));
    check(memcmp(bytes, wanted, PAGE) == 0);
    g_free(bytes);
    g_free(wanted);
    mapped_ram_free(file);
}

/* The first `length` bytes are memcore's; what it does not own, up to `all`, stays as it is. */
static void there_and_back(RAMBlock *block, uint64_t length, uint64_t all)
{
    uint8_t *expected = g_malloc(length);
    int fd;

    fill(block, length);
    memset(block->host + length, BEHIND, all - length);
    memcpy(expected, block->host, length);
    fd = save_to_file();
    check_last_page(fd, expected, length);
    memset(block->host, OLD, length);
    check_number(load_from_file(fd, &error_abort), 0);
    check(memcmp(block->host, expected, length) == 0);
    for (uint64_t i = length; i < all; i++) {
        check_number(block->host[i], BEHIND);
    }
    check(cpu_physical_memory_all_dirty(block->offset, block->used_length, DIRTY_MEMORY_VGA));
    g_free(expected);
}

static void every_kind(void)
{
    for (RamKind kind = 0; kind < KIND_COUNT; kind++) {
        RAMBlock *block = stage_block(kind, "ram", PAGES * PAGE);

        there_and_back(block, PAGES * PAGE, PAGES * PAGE);
        stage_release(block->mr);
        memcore_drain();
    }
}

/* R-RAM-7: the caller's memory ends where the region does, in a page that is zero, in one that is not, pages before. */
static void callers_memory(void)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), unit = MAX(PAGE, page);
    /* Up to somewhere in the last host page of a target page: the blocks have whole ones of both. */
    const uint64_t lengths[] = { 5 * unit - page + 100, 6 * unit - page + 100, 6 * unit - page + 1 };

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        const uint64_t all = (lengths[i] + page - 1) / page * page;
        RAMBlock *block = stage_block(KIND_POINTER, "ram", lengths[i]);

        there_and_back(block, lengths[i], all);
        memory_region_set_size(block->mr, 2 * unit - page + 7);
        there_and_back(block, 2 * unit - page + 7, all);
        stage_release(block->mr);
        memcore_drain();
    }
}

/* A page of the caller's of which few bytes are memcore's, and the last of them is not zero. */
static void callers_last_byte(void)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), unit = MAX(PAGE, page);

    for (uint64_t bytes = 1; bytes < 20; bytes++) {
        const uint64_t length = 2 * unit - page + bytes;
        RAMBlock *block = stage_block(KIND_POINTER, "ram", length);
        int fd;

        memset(block->host, 0, length);
        block->host[length - 1] = 7;
        fd = save_to_file();
        memset(block->host, OLD, length);
        check_number(load_from_file(fd, &error_abort), 0);
        check_number(block->host[length - 1], 7);
        check_number(block->host[0], 0);
        stage_release(block->mr);
        memcore_drain();
    }
}

/* Memory that ends with the region's last byte: whoever reads on is seen by AddressSanitizer. */
static void nothing_behind_is_read(void)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), unit = MAX(PAGE, page);

    for (uint64_t bytes = 1; bytes < 20; bytes++) {
        const uint64_t length = 2 * unit - page + bytes;
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        void *memory = NULL;
        int fd;

        g_assert_cmpint(posix_memalign(&memory, page, length), ==, 0);
        memset(memory, 0, length);
        memory_region_init_ram_ptr(mr, NULL, "ram", length, memory);
        stage_adopt(mr, NULL);
        stage_migratable(mr, "ram");
        fd = save_to_file();
        ((uint8_t *)memory)[length - 1] = OLD;
        check_number(load_from_file(dup(fd), &error_abort), 0);         /* cleared */
        check_number(load_from_file(fd, &error_abort), 0);              /* clear already */
        check_number(((uint8_t *)memory)[length - 1], 0);
        stage_release(mr);
        memcore_drain();
        free(memory);
    }
}

/* What may not be discarded, or cannot be, is cleared. */
static void cleared(void)
{
    RAMBlock *block = stage_block(KIND_ANONYMOUS, "ram", PAGES * PAGE);

    check_number(ram_block_discard_disable(true), 0);
    there_and_back(block, PAGES * PAGE, PAGES * PAGE);
    ram_block_discard_disable(false);
    host_refuses(MEMCORE_FAULT_MADVISE, EINVAL);
    there_and_back(block, PAGES * PAGE, PAGES * PAGE);
    /* Zero target pages that are smaller than the host's have nothing that could be given back. */
    check((host_agrees() > 0) == (PAGE >= (uint64_t)sysconf(_SC_PAGESIZE)));
}

/* A private mapping's file is not memcore's to make holes in. */
static void private_file(void)
{
    RAMBlock *block = stage_block(KIND_MEMFD_PRIVATE, "ram", PAGES * PAGE);
    uint8_t byte = 0;

    g_assert_true(pwrite(block->fd, "x", 1, 0) == 1);
    there_and_back(block, PAGES * PAGE, PAGES * PAGE);
    check_number(block->host[0], 0);
    g_assert_true(pread(block->fd, &byte, 1, 0) == 1);
    check_number(byte, 'x');
}

static RAMBlock *file_block(int fd, uint32_t flags, bool readonly)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    char *path = g_strdup_printf("/proc/self/fd/%d", fd);

    memory_region_init_ram_from_file(mr, NULL, "ram", PAGES * PAGE, 0, flags, path, readonly, &error_fatal);
    stage_adopt(mr, NULL);
    g_free(path);
    stage_migratable(mr, "ram");
    return mr->ram_block;
}

/* Nothing can be written into it: only a file that says what is there anyway, nothing, loads. */
static void read_only(void)
{
    const int zero = memfd_create("zero", MFD_CLOEXEC), used = memfd_create("used", MFD_CLOEXEC);
    RAMBlock *block;
    int fd;

    g_assert_true(ftruncate(zero, PAGES * PAGE) == 0 && ftruncate(used, PAGES * PAGE) == 0);
    g_assert_true(pwrite(used, "x", 1, 5 * PAGE) == 1);
    block = file_block(zero, RAM_SHARED, true);
    fd = save_to_file();
    check_number(load_from_file(dup(fd), &error_abort), 0);
    stage_release(block->mr);
    memcore_drain();
    block = file_block(used, RAM_SHARED, true);
    for (unsigned present = 0; present < 2; present++) {
        Error *error = NULL;

        check_number(load_from_file(present ? save_to_file() : dup(fd), &error), -EINVAL);
        check(error && strstr(error_get_pretty(error), "mapped read-only"));
        error_free(error);
    }
    check_number(block->host[5 * PAGE], 'x');
    close(fd);
    close(zero);
    close(used);
}

/* What is loaded is in its file. */
static void persistent(void)
{
    const int fd = memfd_create("pmem", MFD_CLOEXEC);
    RAMBlock *block;

    g_assert_true(ftruncate(fd, PAGES * PAGE) == 0);
    block = file_block(fd, RAM_PMEM, false);
    host_refuses(MEMCORE_FAULT_MSYNC, 0);
    there_and_back(block, PAGES * PAGE, PAGES * PAGE);
    check_number(host_agrees(), 1);
    close(fd);
}

/* Absent pages of a part that is there are cleared, also with a manager. */
static void managed(void)
{
    RAMBlock *block = stage_block(KIND_ANONYMOUS, "ram", PAGES * PAGE);
    const uint64_t unit = MAX(PAGE, (uint64_t)sysconf(_SC_PAGESIZE));
    BitmapDiscardManager *manager = bitmap_discard_manager_new(block->mr, unit, NULL, &error_abort);
    MemoryRegion *root = stage_container("root", PAGES * PAGE);
    int fd;

    stage_add(root, 0, block->mr);
    check_number(bitmap_discard_manager_plug(manager, 0, PAGES / 2 * PAGE), 0);
    memset(block->host, 0, PAGES / 2 * PAGE);
    block->host[3 * PAGE] = 1;
    fd = save_to_file();
    memset(block->host, OLD, PAGES / 2 * PAGE);
    check_number(load_from_file(fd, &error_abort), 0);
    check_number(block->host[3 * PAGE], 1);
    for (uint64_t i = 0; i < PAGES / 2 * PAGE; i++) {
        check(block->host[i] == 0 || i == 3 * PAGE);
    }
    stage_del(root, block->mr);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MLD-5/every-kind", every_kind);
    conformance_case("/R-MLD-5/callers-memory", callers_memory);
    conformance_case("/R-SAVE-3/callers-memory", callers_memory);
    conformance_case("/R-SAVE-4/callers-last-byte", callers_last_byte);
    conformance_case("/R-MLD-5/nothing-behind-is-read", nothing_behind_is_read);
    conformance_case("/R-MLD-5/cleared", cleared);
    conformance_case("/R-MLD-5/private-file", private_file);
    conformance_case("/R-MLD-5/read-only", read_only);
    conformance_case("/R-MLD-6/persistent", persistent);
    conformance_case("/R-MLD-7/managed", managed);
    return g_test_run();
}
