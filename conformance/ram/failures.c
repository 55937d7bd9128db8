/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3, chapter 1: each way of making RAM on a host that refuses its first call, its second, ... until it refuses
 * none.  The numbers of calls stand in the table: a call that is not asked about cannot be refused.
 */
#include "common/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wrapped.h"

#define H host_page()

/* Linked with --wrap: bytes of address space that memcore has. */
static int64_t mapped;

WRAPPED(void *, mmap, void *place, size_t length, int protection, int flags, int fd, off_t offset)
{
    mapped += flags & MAP_FIXED ? 0 : (int64_t)length;
    return __real_mmap(place, length, protection, flags, fd, offset);
}

WRAPPED(int, munmap, void *place, size_t length)
{
    mapped -= (int64_t)length;
    return __real_munmap(place, length);
}

/* ---- the ways ---- */

typedef enum { NO_FILE, ABSENT, EMPTY, FILLED, FOLDER, EMPTY_FD, FILLED_FD } Stock;

/* What there is before, and has to be there after a failure. */
typedef struct {
    const char *path;
    int fd;
} Given;

static Given given(Stock stock)
{
    Given g = { .path = NULL, .fd = -1 };

    switch (stock) {
    case ABSENT:
        g.path = file_path("file");
        break;
    case EMPTY:
    case FILLED:
        g.path = file_made("file", stock == EMPTY ? 0 : 8 * H);
        break;
    case FOLDER:
        g.path = file_path("folder");
        g_assert_true(mkdir(g.path, 0700) == 0);
        break;
    case EMPTY_FD:
    case FILLED_FD:
        g.fd = open(file_made("file", stock == EMPTY_FD ? 0 : 8 * H), O_RDWR | O_CLOEXEC);
        g_assert_true(g.fd >= 0);
        break;
    case NO_FILE:
        break;
    }
    return g;
}

static Object *owner;

static void ram(MemoryRegion *mr, const Given *g, Error **errp)
{
    (void)g;
    memory_region_init_ram(mr, owner, "new", 4 * H, errp);
}

static void ram_nomigrate(MemoryRegion *mr, const Given *g, Error **errp)
{
    (void)g;
    memory_region_init_ram_nomigrate(mr, owner, "new", 4 * H, errp);
}

static void ram_shared(MemoryRegion *mr, const Given *g, Error **errp)
{
    (void)g;
    memory_region_init_ram_flags_nomigrate(mr, owner, "new", 4 * H, RAM_SHARED, errp);
}

static void ram_unreserved(MemoryRegion *mr, const Given *g, Error **errp)
{
    (void)g;
    memory_region_init_ram_flags_nomigrate(mr, owner, "new", 4 * H, RAM_NORESERVE, errp);
}

static void ram_resizeable(MemoryRegion *mr, const Given *g, Error **errp)
{
    (void)g;
    memory_region_init_resizeable_ram(mr, owner, "new", 4 * H, 8 * H, NULL, errp);
}

static void rom(MemoryRegion *mr, const Given *g, Error **errp)
{
    (void)g;
    memory_region_init_rom(mr, owner, "new", 4 * H, errp);
}

static void rom_device(MemoryRegion *mr, const Given *g, Error **errp)
{
    (void)g;
    memory_region_init_rom_device(mr, owner, &stage_ops, mr, "new", 4 * H, errp);
}

static void file(MemoryRegion *mr, const Given *g, Error **errp)
{
    memory_region_init_ram_from_file(mr, owner, "new", 4 * H, 0, RAM_SHARED, g->path, false, errp);
}

static void file_readonly(MemoryRegion *mr, const Given *g, Error **errp)
{
    memory_region_init_ram_from_file(mr, owner, "new", 4 * H, 0, 0, g->path, true, errp);
}

static void file_persistent(MemoryRegion *mr, const Given *g, Error **errp)
{
    memory_region_init_ram_from_file(mr, owner, "new", 4 * H, 0, RAM_SHARED | RAM_PMEM, g->path, false, errp);
}

static void file_private_unreserved(MemoryRegion *mr, const Given *g, Error **errp)
{
    memory_region_init_ram_from_file(mr, owner, "new", 4 * H, 0, RAM_NORESERVE, g->path, false, errp);
}

static void fd(MemoryRegion *mr, const Given *g, Error **errp)
{
    memory_region_init_ram_from_fd(mr, owner, "new", 4 * H, RAM_SHARED, g->fd, H, errp);
}

/* Calls: a place and the memory in it (mmap twice), the bitmaps, and what the file needs before. */
static const struct {
    const char *name;
    void (*init)(MemoryRegion *mr, const Given *g, Error **errp);
    Stock stock;
    unsigned calls;
} ways[] = {
    { "ram", ram, NO_FILE, 3 },
    { "ram_nomigrate", ram_nomigrate, NO_FILE, 3 },
    { "shared", ram_shared, NO_FILE, 3 },
    { "without reservation", ram_unreserved, NO_FILE, 4 },             /* the host's policy is read */
    { "resizeable", ram_resizeable, NO_FILE, 3 },
    { "rom", rom, NO_FILE, 3 },
    { "rom device", rom_device, NO_FILE, 3 },
    { "new file", file, ABSENT, 6 },                                    /* open, create, extend */
    { "empty file", file, EMPTY, 5 },
    { "file", file, FILLED, 4 },
    { "folder", file, FOLDER, 6 },
    { "read-only file", file_readonly, FILLED, 4 },
    { "persistent file", file_persistent, FILLED, 4 },
    { "private file without reservation", file_private_unreserved, FILLED, 5 },
    { "empty fd", fd, EMPTY_FD, 4 },
    { "fd", fd, FILLED_FD, 3 },
};

/* ---- nothing has changed ---- */

static unsigned heard;

static void on_added(RAMBlockNotifier *notifier, void *place, size_t size)
{
    (void)notifier;
    (void)place;
    (void)size;
    heard++;
}

static void on_added_extended(RAMBlockNotifierExtended *notifier, void *place, size_t used, size_t max)
{
    (void)notifier;
    (void)place;
    (void)used;
    (void)max;
    heard++;
}

static unsigned open_fds(void)
{
    unsigned count = 0;

    for (int each = 0; each < 256; each++) {
        count += fcntl(each, F_GETFD) >= 0;
    }
    return count;
}

typedef struct {
    char *blocks;
    unsigned open, references, heard;
    int64_t mapped, file_size;
    const DirtyMemoryBlocks *bits[DIRTY_MEMORY_NUM];
} World;

static World look(const Given *g)
{
    World w = { .blocks = text_of_blocks(), .open = open_fds(), .references = stage_owner_references(owner),
                .heard = heard, .mapped = mapped };
    struct stat status;

    w.file_size = g->path ? file_size(g->path) : g->fd >= 0 && !fstat(g->fd, &status) ? status.st_size : 0;
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        w.bits[client] = ram_list.dirty_memory[client];
    }
    return w;
}

static void check_unchanged(const World *before, const Given *g)
{
    World now = look(g);

    check_text(now.blocks, before->blocks);
    check_number(now.open, before->open);
    check_number(now.references, before->references);
    check_number(now.heard, before->heard);
    check_number((uint64_t)now.mapped, (uint64_t)before->mapped);
    check_number((uint64_t)now.file_size, (uint64_t)before->file_size);
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        check_pointer(now.bits[client], before->bits[client]);
    }
    g_free(now.blocks);
}

/* Up to a bitmap's edge, and further than there ever was a block: the next one needs new bitmaps. */
static MemoryRegion *ground(void)
{
    static unsigned bitmaps = 1;
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    const int sparse = memfd_create("ground", MFD_CLOEXEC);

    g_assert_true(sparse >= 0);
    memory_region_init_ram_from_fd(mr, NULL, "ground", bitmaps * BITMAP_SPAN, RAM_SHARED | RAM_NORESERVE, sparse, 0,
                                   &error_fatal);
    bitmaps += 2;
    return stage_adopt(mr, NULL);
}

static void each_call(void)
{
    RAMBlockNotifier seed = { .ram_block_added = on_added };
    RAMBlockNotifierExtended extended = { .ram_block_added = on_added_extended };

    owner = stage_owner("owner");
    ram_block_notifier_add(&seed);
    ram_block_notifier_add_extended(&extended);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        MemoryRegion *floor = ground(), *mr;
        const Given g = given(ways[i].stock);
        World before;

        g_test_message("%s", ways[i].name);
        clean(floor);
        before = look(&g);
        for (unsigned nth = 0; nth < ways[i].calls; nth++) {
            static const int numbers[] = { ENOMEM, ENOSPC, EMFILE, EIO };
            const int number = numbers[nth % G_N_ELEMENTS(numbers)];
            Error *error = NULL;

            mr = stage_storage(sizeof(*mr));
            host_refuses_nth(ANYTHING, number, nth);
            ways[i].init(mr, &g, &error);
            check_number(host_agrees(), nth + 1);
            check_init_refused(mr, error, before.blocks, strerror(number), NULL);
            check_unchanged(&before, &g);
            check(!cpu_physical_memory_get_dirty(ram_addr(floor, 0), block_of(floor)->used_length, MIGRATION));
        }
        /* And then it works as if nothing had been. */
        mr = stage_storage(sizeof(*mr));
        host_refuses_nth(ANYTHING, EIO, ways[i].calls);
        ways[i].init(mr, &g, &error_fatal);
        check_number(host_agrees(), ways[i].calls);
        stage_adopt(mr, owner);
        check_number(heard - before.heard, 2);
        check_number(block_of(mr)->offset, block_of(floor)->max_length);
        stage_release(mr);
        stage_release(floor);
        memcore_drain();
        g_free(before.blocks);
    }
    ram_block_notifier_remove(&seed);
    ram_block_notifier_remove_extended(&extended);
}

/* ---- what makes no Error ---- */

static void pointer_without_bits(void)
{
    void *memory = stage_storage(4 * H);

    ground();
    host_refuses_nth(ANYTHING, ENOMEM, 0);
    memory_region_init_ram_ptr(stage_storage(sizeof(MemoryRegion)), NULL, "victim", 4 * H, memory);
}

/* Where memory cannot be mapped again its old content is lost already: the program ends. */
static void remap_refused(void)
{
    if (g_test_subprocess()) {
        MemoryRegion *mr = stage_ram("victim", 4 * H);

        host_refuses_nth(ANYTHING, ENOMEM, 0);
        qemu_ram_remap(ram_addr(mr, 0), H);
        return;         /* it would pass */
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*cannot map 0x* bytes at 0x0 again*");
}

/* A warning, nothing else. */
static void msync_refused(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    const char *path = file_made("file", 8 * H);
    char *before;

    memory_region_init_ram_from_file(mr, NULL, "file", 8 * H, 0, RAM_SHARED, path, false, &error_fatal);
    stage_adopt(mr, NULL);
    clean(mr);
    before = text_of_blocks();
    host_refuses_nth(ANYTHING, EIO, 0);
    memory_region_msync(mr, 0, H);
    check_number(host_agrees(), 1);
    check_text_taken(text_of_blocks(), before);
    check_dirty_all(mr, "");
    check_number(((uint8_t *)memory_region_get_ram_ptr(mr))[0], 1);
    g_free(before);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-RAM-10/each-call", each_call);
    conformance_case("/R-RAM-28/refused", msync_refused);
    conformance_case("/R-RAM-32/refused", remap_refused);
    conformance_misuse("/R-RAM-7/no-memory-for-bits", pointer_without_bits, "memory_region_init_ram_ptr",
                       "victim*(R-REG-5)");
    return ram_run();
}
