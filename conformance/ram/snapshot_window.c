/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, R-SNAP-6: which bytes of a region a snapshot can be asked for; and R-FILE-6: what cannot become writable. */
#include "common/ram.h"

#define CASE(name, ...) static void name(void) { __VA_ARGS__; }

static DirtyBitmapSnapshot *take(MemoryRegion *mr, unsigned page, unsigned count)
{
    return memory_region_snapshot_and_clear_dirty(mr, PAGES(page), PAGES(count), VGA);
}

static MemoryRegion *ram(unsigned pages)
{
    return stage_ram("victim", PAGES(pages));
}

CASE(no_block, memory_region_snapshot_get_dirty(stage_io("victim", PAGES(4)), take(ram(4), 0, 4), 0, 1))
CASE(nothing_behind_the_end, MemoryRegion *mr = ram(4);
     memory_region_snapshot_get_dirty(mr, take(mr, 0, 4), PAGES(4) + 1, 0))
CASE(over_the_end, MemoryRegion *mr = ram(4);
     memory_region_snapshot_get_dirty(mr, take(mr, 0, 4), PAGES(3), PAGES(1) + 1))
CASE(over_all_addresses, MemoryRegion *mr = ram(4);
     memory_region_snapshot_get_dirty(mr, take(mr, 0, 4), PAGES(3), UINT64_MAX - PAGES(1)))
CASE(before_the_window, MemoryRegion *mr = ram(200);
     memory_region_snapshot_get_dirty(mr, take(mr, WORD, WORD), PAGES(WORD) - 1, 1))

/* The ends of the window are in it; between them any number of bytes is fine. */
static void ends_of_the_window(void)
{
    MemoryRegion *mr = stage_ram("ram", PAGES(200));
    DirtyBitmapSnapshot *snap;

    clean(mr);
    dirty(mr, 64, 64, ON_VGA);
    dirty(mr, 127, 127, ON_VGA);
    snap = take(mr, 64, 64);
    check(memory_region_snapshot_get_dirty(mr, snap, PAGES(64), 1));
    check(memory_region_snapshot_get_dirty(mr, snap, PAGES(128) - 1, 1));
    check(memory_region_snapshot_get_dirty(mr, snap, PAGES(64), PAGES(64)));
    check(!memory_region_snapshot_get_dirty(mr, snap, PAGES(65), PAGES(62)));
    g_free(snap);
    snap = take(mr, 192, 8);
    check(!memory_region_snapshot_get_dirty(mr, snap, PAGES(200), 0));
    check(!memory_region_snapshot_get_dirty(mr, snap, PAGES(192), PAGES(8)));
    g_free(snap);
}

static void writable_again(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_from_file(mr, NULL, "the file", PAGES(4), 0, RAM_SHARED, file_made("file", PAGES(4)), true,
                                     &error_fatal);
    stage_adopt(mr, NULL);
    memory_region_set_readonly(mr, true);
    memory_region_set_readonly(mr, false);
}

int main(int argc, char **argv)
{
    static const char function[] = "memory_region_snapshot_get_dirty";

    ram_start(&argc, &argv);
    conformance_case("/R-SNAP-6/window/ends", ends_of_the_window);
    conformance_misuse("/R-SNAP-6/window/no-block", no_block, function, "victim*(R-SNAP-6)");
    conformance_misuse("/R-SNAP-6/window/nothing-behind-the-end", nothing_behind_the_end, function,
                       "victim*(R-SNAP-6)");
    conformance_misuse("/R-SNAP-6/window/over-the-end", over_the_end, function, "victim*(R-SNAP-6)");
    conformance_misuse("/R-SNAP-6/window/over-all-addresses", over_all_addresses, function, "victim*(R-SNAP-6)");
    conformance_misuse("/R-SNAP-6/window/before", before_the_window, function, "victim*(R-SNAP-6)");
    conformance_misuse("/R-FILE-6/writable-again", writable_again,
                       "memory_region_set_readonly", "the file*(R-FILE-6)");
    return ram_run();
}
