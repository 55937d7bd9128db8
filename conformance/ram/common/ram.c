/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ram.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

static char *folder;
static GPtrArray *paths;

size_t host_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- blocks ---- */

RAMBlock *block_of(MemoryRegion *mr)
{
    RAMBlock *block;

    RAMBLOCK_FOREACH(block) {
        if (block->mr == mr) {
            return block;
        }
    }
    return NULL;
}

static const char *block_name(RAMBlock *block)
{
    const char *name = memory_region_name(block->mr);

    return name ? name : "(null)";
}

char *text_of_blocks(void)
{
    GString *text = g_string_new(NULL);
    RAMBlock *block;

    g_string_append_printf(text, "version %u:", ram_list.version);
    RAMBLOCK_FOREACH(block) {
        g_string_append_printf(text, " %s[0x%" PRIx64 ",+0x%" PRIx64 "/0x%" PRIx64 ") \"%s\" flags 0x%x,",
                               block_name(block), block->offset, block->used_length, block->max_length,
                               block->idstr, block->flags);
    }
    return g_string_free(text, FALSE);
}

char *text_of_block_order(void)
{
    GString *text = g_string_new(NULL);
    RAMBlock *block;

    RAMBLOCK_FOREACH(block) {
        g_string_append_printf(text, "%s%s", text->len ? " " : "", block_name(block));
    }
    return g_string_free(text, FALSE);
}

bool check_refused_at(const char *where, Error *error, const char *blocks, const char *first,
                      const char *second)
{
    bool good = check_condition_at(where, "an error", error != NULL);
    const char *parts[] = { first, second };

    for (size_t i = 0; error && i < G_N_ELEMENTS(parts); i++) {
        if (parts[i] && !strstr(error_get_pretty(error), parts[i])) {
            g_printerr("\n%s: %s: the error does not say \"%s\": %s\n", where, g_test_get_path(), parts[i],
                       error_get_pretty(error));
            g_test_fail();
            good = false;
        }
    }
    error_free(error);
    return check_text_taken_at(where, "the list of blocks", text_of_blocks(), blocks) && good;
}

bool check_init_refused_at(const char *where, MemoryRegion *mr, Error *error, const char *blocks,
                           const char *first, const char *second)
{
    if (!check_init_failed_at(where, mr, NULL, error) && !error) {
        return false;
    }
    check_pointer_at(where, "block of the region", block_of(mr), NULL);
    return check_refused_at(where, error, blocks, first, second);
}

/* ---- dirty pages ---- */

ram_addr_t ram_addr(MemoryRegion *mr, hwaddr offset)
{
    return memory_region_get_ram_addr(mr) + offset;
}

void clean(MemoryRegion *mr)
{
    RAMBlock *block = block_of(mr);

    if (block->used_length > 0) {
        cpu_physical_memory_clear_dirty_range(block->offset, block->used_length);
    }
}

void dirty(MemoryRegion *mr, unsigned first, unsigned last, uint8_t mask)
{
    cpu_physical_memory_set_dirty_range(ram_addr(mr, PAGES(first)), PAGES(last - first + 1), mask);
}

typedef bool (*BitTest)(const void *opaque, size_t bit, unsigned client);

static char *text_of_runs(BitTest test, const void *opaque, unsigned client, size_t count)
{
    GString *text = g_string_new(NULL);

    for (size_t bit = 0; bit < count; bit++) {
        const size_t first = bit;

        if (!test(opaque, bit, client)) {
            continue;
        }
        while (bit + 1 < count && test(opaque, bit + 1, client)) {
            bit++;
        }
        g_string_append_printf(text, "%s%zu", text->len ? " " : "", first);
        if (bit > first) {
            g_string_append_printf(text, "-%zu", bit);
        }
    }
    return g_string_free(text, FALSE);
}

static bool page_is_dirty(const void *opaque, size_t page, unsigned client)
{
    const RAMBlock *block = opaque;

    return cpu_physical_memory_get_dirty_flag(block->offset + PAGES(page), client);
}

char *text_of_dirty(MemoryRegion *mr, unsigned client)
{
    const RAMBlock *block = block_of(mr);

    return text_of_runs(page_is_dirty, block, client, block->max_length >> TARGET_PAGE_BITS);
}

bool bit_is_set(const unsigned long *bits, size_t bit)
{
    return bits[bit / WORD] >> bit % WORD & 1;
}

void bit_set(unsigned long *bits, size_t bit)
{
    bits[bit / WORD] |= 1UL << bit % WORD;
}

static bool is_set(const void *opaque, size_t bit, unsigned client)
{
    (void)client;
    return bit_is_set(opaque, bit);
}

char *text_of_bits(const unsigned long *bits, size_t count)
{
    return text_of_runs(is_set, bits, 0, count);
}

unsigned long *bits_new(size_t count)
{
    const size_t bytes = (count + WORD - 1) / WORD * sizeof(unsigned long);

    return memset(stage_storage(bytes), 0, bytes);
}

/* ---- files ---- */

const char *file_path(const char *name)
{
    char *path;

    if (!folder) {
        folder = g_dir_make_tmp("conformance-XXXXXX", NULL);
        g_assert_nonnull(folder);
        paths = g_ptr_array_new();
    }
    path = g_build_filename(folder, name, NULL);
    g_ptr_array_add(paths, path);
    if (unlink(path) != 0) {
        rmdir(path);
    }
    return path;
}

const char *file_made(const char *name, size_t size)
{
    const char *path = file_path(name);
    g_autofree uint8_t *bytes = g_malloc(size);

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i / host_page() + 1);
    }
    g_assert_true(g_file_set_contents(path, (const char *)bytes, (gssize)size, NULL));
    return path;
}

int64_t file_size(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 ? s.st_size : -1;
}

int file_byte(const char *path, off_t at)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t byte;
    ssize_t got = fd < 0 ? -1 : pread(fd, &byte, 1, at);

    if (fd >= 0) {
        close(fd);
    }
    return got == 1 ? byte : -1;
}

/* ---- programs ---- */

/* ---- file systems ---- */

bool file_system_mount(const char *on, const char *type, const char *options)
{
    /* What is mounted here must not appear elsewhere, as it would where "/" is shared. */
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", on, type, 0, options) == 0;
}

bool file_system_possible(const char *type, const char *options)
{
    const char *on = file_path("possible");
    int status = -1;
    pid_t child;

    g_assert_true(mkdir(on, 0700) == 0);
    child = fork();
    g_assert_true(child >= 0);
    if (child == 0) {
        _exit(file_system_mount(on, type, options) ? 0 : 1);
    }
    g_assert_true(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void ram_start(int *argc, char ***argv)
{
    conformance_start(argc, argv);
}

int ram_run(void)
{
    int status = g_test_run();

    for (guint i = 0; paths && i < paths->len; i++) {
        char *path = g_ptr_array_index(paths, i);

        if (unlink(path) != 0) {
            rmdir(path);
        }
        g_free(path);
    }
    if (folder) {
        rmdir(folder);
        g_ptr_array_free(paths, TRUE);
        g_free(folder);
    }
    return status;
}
