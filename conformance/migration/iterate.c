/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 4: which pages count, when they are looked for, in which order they go. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "save_stage.h"

#define UNIT (64 * PAGE)                /* whole words of a bitmap, whole host pages */

static int fd;

static bool in_bitmap(const unsigned long *bitmap, uint64_t page)
{
    return bitmap[page / 64] >> page % 64 & 1;
}

static RamSave *begin(uint64_t enough)
{
    RamSaveParameters parameters = { .machine = "none", .alignment = PAGE, .enough = enough, .keep_zero_pages = true };
    RamSave *save;

    fd = memfd_create("save", MFD_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    parameters.fd = fd;
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    return save;
}

static void end(RamSave *save)
{
    ram_save_free(save);
    close(fd);
}

/* Bits behind used_length stay, and count for nothing. */
static void bits_behind_the_end(void)
{
    RAMBlock *block = stage_migratable(stage_resizeable("flash", 2 * UNIT, 4 * UNIT, NULL), "flash");
    RamSaveCounters counters;
    RamSave *save;

    save = begin(0);
    ram_save_counters(save, &counters);
    check_number(counters.total, 2 * UNIT);
    check_number(counters.remaining, 128);
    check_number(ram_save_iterate(save, 1000, &error_abort), 0);
    ram_save_counters(save, &counters);
    check_number(counters.normal, 128);
    check_number(counters.remaining, 0);
    for (uint64_t page = 0; page < 256; page++) {
        check(in_bitmap(block->bmap, page) == (page >= 128));
        check(in_bitmap(block->file_bmap, page) == (page < 128));
    }
    end(save);
}

/* --- a look --- */

static MemoryRegion *watched;
static unsigned syncs, after_syncs;

/* What an accelerator knew by itself until now. */
static void on_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    (void)listener;
    check_pointer(section->mr, watched);
    check_number(after_syncs, syncs);
    syncs++;
    memory_region_set_dirty(watched, 7 * PAGE, PAGE);
}

static void on_after_sync(MemoryListener *listener)
{
    (void)listener;
    after_syncs++;
    check_number(after_syncs, syncs);
    /* The page that the sync brought is in bmap already. */
    check(in_bitmap(watched->ram_block->bmap, 7));
}

static void a_look(void)
{
    MemoryListener listener = { .name = "accelerator", .log_sync = on_sync, .log_global_after_sync = on_after_sync };
    RamSaveCounters counters;
    MemoryRegion *root;
    AddressSpace *as;
    RamSave *save;

    watched = stage_ram_migratable("ram", UNIT);
    root = stage_container("root", UINT64_MAX);
    memory_region_add_subregion(root, 0, watched);
    as = stage_space(root, "as");
    syncs = after_syncs = 0;
    memory_listener_register(&listener, as);
    save = begin(1);
    check_number(syncs, 1);
    check_number(ram_save_iterate(save, 63, &error_abort), 1);          /* one is left, not less: no look */
    check_number(syncs, 1);
    check_number(ram_save_iterate(save, 1, &error_abort), 1);           /* the look finds page 7 */
    check_number(syncs, 2);
    check_number(after_syncs, 2);
    ram_save_counters(save, &counters);
    check_number(counters.dirty_sync_count, 2);
    check_number(counters.remaining, 1);
    memory_listener_unregister(&listener);
    end(save);
}

/* A guest that dirties all again and again: enough is when it was looked for that often after the first time. */
static void rounds(void)
{
    enum { COUNT = 64 };

    for (unsigned most = 1; most <= 3; most++) {
        RamSaveParameters p;
        RamSaveCounters counters;
        RamSave *save;

        save_begin(COUNT);
        p = parameters_to_fd();
        p.enough = 1;
        p.max_rounds = most;
        save = save_new(&p);
        check_number(ram_save_setup(save, &error_abort), 0);
        for (unsigned round = 1; round <= most; round++) {
            for (unsigned page = 0; page < COUNT; page++) {
                guest_writes(page, (uint8_t)(round + page));
            }
            check_number(ram_save_iterate(save, COUNT, &error_abort), round < most);
            ram_save_counters(save, &counters);
            check_number(counters.dirty_sync_count, 1 + round);
            check_number(counters.remaining, COUNT);
        }
        check_number(ram_save_complete(save, &error_abort), 0);
        check_file(stage.fd, false);
        ram_save_free(save);
        save_end();
        stage_release(stage.ram);
        memcore_drain();
    }
}

/* --- order --- */

static void check_taken(MemoryRegion *mr, uint64_t first, uint64_t end_page)
{
    for (uint64_t page = 0; page < 64; page++) {
        check(in_bitmap(mr->ram_block->bmap, page) == !(page >= first && page < end_page));
    }
}

/* In the order of the block list, ascending, and on from where the last step ended. */
static void order(void)
{
    MemoryRegion *first = stage_ram_migratable("first", UNIT), *second = stage_ram_migratable("second", UNIT);
    RamSave *save = begin(100);

    check_number(ram_save_iterate(save, 10, &error_abort), 1);
    check_taken(first, 0, 10);
    check_taken(second, 0, 0);
    check_number(ram_save_iterate(save, 60, &error_abort), 0);          /* fewer than `enough`; looked, found nothing */
    check_taken(first, 0, 64);
    check_taken(second, 0, 6);
    memory_region_set_dirty(first, 3 * PAGE, PAGE);
    memory_region_set_dirty(second, 2 * PAGE, PAGE);
    check_number(ram_save_iterate(save, 57, &error_abort), 0);          /* to page 62; then the look finds the two */
    check_number(ram_save_iterate(save, 1, &error_abort), 0);
    check(!in_bitmap(second->ram_block->bmap, 63));
    check(in_bitmap(first->ram_block->bmap, 3));
    check_number(ram_save_iterate(save, 1, &error_abort), 0);           /* around */
    check(!in_bitmap(first->ram_block->bmap, 3));
    check(in_bitmap(second->ram_block->bmap, 2));
    check_number(ram_save_iterate(save, 5, &error_abort), 0);           /* a full circle ends by itself */
    check(!in_bitmap(second->ram_block->bmap, 2));
    end(save);
}

/* --- listeners' logs --- */

enum { PAGES = 640, CHUNK = 64, CHUNKS = PAGES / CHUNK };

static unsigned cleared[CHUNKS];
static bool too_late, few;

/* At first all, then a few. */
static bool was_dirty(uint64_t page)
{
    return !few || page == 1 || page == 2 || page == 3 * CHUNK + 5;
}

/* The accelerator protects the chunk again: whatever is written from now on is seen at the next sync. */
static void log_clear(MemoryListener *listener, MemoryRegionSection *section)
{
    const uint64_t first = section->offset_within_region / PAGE;
    const uint64_t count = int128_get64(section->size) / PAGE;

    (void)listener;
    check_number(first % CHUNK, 0);
    check_number(count, CHUNK);
    cleared[first / CHUNK]++;
    for (uint64_t page = first; page < first + count && save_block()->bmap; page++) {
        /* What was dirty and is not any more was taken before its log was cleared. */
        too_late |= was_dirty(page) && !(save_block()->bmap[page / 64] >> page % 64 & 1);
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

    save_begin(PAGES);
    root = stage_container("root", UINT64_MAX);
    memory_region_add_subregion(root, 0, stage.ram);
    as = stage_space(root, "as");
    memory_listener_register(&listener, as);
    memset(cleared, 0, sizeof(cleared));
    too_late = few = false;
    p = parameters_to_fd();
    p.clear_bmap_shift = 6;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check(save_block()->clear_bmap != NULL);
    check_cleared(0, 0);                        /* a look tells nobody */
    check_number(ram_save_iterate(save, CHUNK + 1, &error_abort), 1);
    check_cleared(2, 1);                        /* once a chunk, when its first page is taken */
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    check_cleared(CHUNKS, 1);
    check(!too_late);
    memset(cleared, 0, sizeof(cleared));
    few = true;
    guest_writes(1, 1);
    guest_writes(2, 1);
    guest_writes(3 * CHUNK + 5, 1);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_number(cleared[3], 1);
    cleared[3] = 0;
    check_cleared(1, 1);                        /* of a chunk in which nothing is dirty nobody need be told */
    check(!too_late);
    check_pointer(save_block()->clear_bmap, NULL);
    check_file(stage.fd, false);
    ram_save_free(save);
    memory_listener_unregister(&listener);
    save_end();
}

/* Nor may the log of what is discarded stay as it is: its pages are taken, if only to be left out. */
static void remote_logs_of_discarded(void)
{
    const uint64_t granule = MAX(2 * CHUNK * PAGE, 4096);
    MemoryListener listener = { .name = "accelerator", .log_clear = log_clear };
    BitmapDiscardManager *manager;
    RamSaveParameters p;
    MemoryRegion *root;
    RamSave *save;

    save_begin(PAGES);
    manager = bitmap_discard_manager_new(stage.ram, granule, NULL, &error_abort);
    root = stage_container("root", UINT64_MAX);
    stage_add(root, 0, stage.ram);
    memory_listener_register(&listener, stage_space(root, "as"));
    check_number(bitmap_discard_manager_plug(manager, PAGES * PAGE - granule, granule), 0);
    memset(cleared, 0, sizeof(cleared));
    too_late = few = false;
    p = parameters_to_fd();
    p.clear_bmap_shift = 6;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_cleared(CHUNKS - 2, 1);
    check(!too_late);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    check_cleared(CHUNKS, 1);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    memory_listener_unregister(&listener);
    stage_del(root, stage.ram);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
    save_end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-ITER-1/remote-logs", remote_logs);
    conformance_case("/R-ITER-3/remote-logs-of-discarded", remote_logs_of_discarded);
    conformance_case("/R-ITER-4/remote-logs", remote_logs);
    conformance_case("/R-ITER-2/bits-behind-the-end", bits_behind_the_end);
    conformance_case("/R-ITER-5/a-look", a_look);
    conformance_case("/R-ITER-6/order", order);
    conformance_case("/R-ITER-7/rounds", rounds);
    return g_test_run();
}
