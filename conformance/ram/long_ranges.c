/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3, chapters 3 to 5, over ranges so long that bits are moved by many words at a time: runs of pages that are all
 * clean, all dirty and both, so many that every way of moving them is taken several times.  The small cases are in
 * dirty_bits and taking.
 */
#include "common/ram.h"

#include <stdlib.h>
#include <string.h>

/* A run is eight words of bits: a cache line. */
enum { RUN = 8 * WORD, RUNS = 64, PAGE_COUNT = RUN * RUNS };

/*
 * Clean, full, and two that are both, so that behind each that is both comes a clean one, or one more.  The last is
 * clean but for one page, or dirty but for one, in each of its words in turn.
 */
static bool is_dirty(unsigned page)
{
    const unsigned turn = page / RUN / 4;
    const bool odd = page % RUN == turn % 8 * WORD + 5;

    switch (page / RUN % 4) {
    case 0:
        return false;
    case 1:
        return true;
    case 2:
        return page % 7 == 3;
    default:
        return odd == (turn < 8);
    }
}

static void make_dirty(MemoryRegion *mr)
{
    clean(mr);
    for (unsigned run = 1; run < RUNS; run += 4) {
        cpu_physical_memory_set_dirty_range(ram_addr(mr, PAGES(run * RUN)), PAGES(RUN), EVERYBODY);
    }
    for (unsigned page = 0; page < PAGE_COUNT; page++) {
        if (is_dirty(page) && page / RUN % 4 >= 2) {
            cpu_physical_memory_set_dirty_range(ram_addr(mr, PAGES(page)), PAGES(1), EVERYBODY);
        }
    }
}

/* The client is clean in [first, end) and as it was made outside; the other clients are as they were made. */
static void check_taken(MemoryRegion *mr, unsigned client, unsigned first, unsigned end)
{
    for (unsigned page = 0; page < PAGE_COUNT; page++) {
        for (unsigned c = 0; c < DIRTY_MEMORY_NUM; c++) {
            const bool expected = is_dirty(page) && !(c == client && page >= first && page < end);

            if (cpu_physical_memory_get_dirty_flag(ram_addr(mr, PAGES(page)), c) != expected) {
                g_printerr("client %u page %u, after taking %u to %u\n", c, page, first, end);
                check(false);
                return;
            }
        }
    }
}

static void test_and_clear(void)
{
    static const unsigned ranges[][2] = {
        { 0, PAGE_COUNT }, { 3 * WORD, PAGE_COUNT - 5 }, { 0, RUN }, { RUN, 2 * RUN }, { 2 * RUN, 3 * RUN },
        { 3 * RUN, 4 * RUN }, { 5, 3 * RUN }, { 5 * RUN, 5 * RUN + 3 }, { 5 * RUN + 4, 6 * RUN + 1 },
        { 6 * RUN, 7 * RUN }, { 6 * RUN + WORD, 7 * RUN + 1 },
    };
    MemoryRegion *mr = stage_ram("ram", PAGES(PAGE_COUNT));

    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        const unsigned first = ranges[i][0], end = ranges[i][1];
        bool any = false;

        for (unsigned page = first; page < end; page++) {
            any |= is_dirty(page);
        }
        make_dirty(mr);
        check_number(cpu_physical_memory_test_and_clear_dirty(ram_addr(mr, PAGES(first)), PAGES(end - first), VGA),
                     any);
        check_taken(mr, VGA, first, end);
        check_number(cpu_physical_memory_test_and_clear_dirty(ram_addr(mr, PAGES(first)), PAGES(end - first), VGA),
                     false);
    }
}

/* Whole words of pages; what is behind some of them is dirty, too. */
static const unsigned whole_words[][2] = {
    { 0, PAGE_COUNT }, { 3 * WORD, PAGE_COUNT }, { 0, 3 * RUN }, { 2 * RUN, 7 * RUN }, { 3 * WORD, 6 * RUN - WORD },
};

static void snapshot(void)
{
    MemoryRegion *mr = stage_ram("ram", PAGES(PAGE_COUNT));

    for (size_t i = 0; i < G_N_ELEMENTS(whole_words); i++) {
        const unsigned first = whole_words[i][0], end = whole_words[i][1];
        DirtyBitmapSnapshot *taken;

        make_dirty(mr);
        taken = memory_region_snapshot_and_clear_dirty(mr, PAGES(first), PAGES(end - first), VGA);
        check_taken(mr, VGA, first, end);
        for (unsigned page = first; page < end; page++) {
            if (memory_region_snapshot_get_dirty(mr, taken, PAGES(page), 1) != is_dirty(page)) {
                g_printerr("page %u of the snapshot\n", page);
                check(false);
                break;
            }
        }
        free(taken);
    }
}

static void drain(void)
{
    MemoryRegion *mr = stage_ram("ram", PAGES(PAGE_COUNT));
    RAMBlock *block = block_of(mr);

    for (size_t i = 0; i < G_N_ELEMENTS(whole_words); i++) {
        const unsigned first = whole_words[i][0], end = whole_words[i][1];
        uint64_t new = 0;

        make_dirty(mr);
        block->bmap = bits_new(PAGE_COUNT);
        for (unsigned page = 0; page < PAGE_COUNT; page++) {
            if (page % 5 == 0) {
                bit_set(block->bmap, page);
            } else {
                new += page >= first && page < end && is_dirty(page);
            }
        }
        check_number(cpu_physical_memory_sync_dirty_bitmap(block, PAGES(first), PAGES(end - first)), new);
        check_taken(mr, MIGRATION, first, end);
        for (unsigned page = 0; page < PAGE_COUNT; page++) {
            const bool moved = page >= first && page < end && is_dirty(page);

            if (bit_is_set(block->bmap, page) != (page % 5 == 0 || moved)) {
                g_printerr("page %u of bmap\n", page);
                check(false);
                break;
            }
        }
        check_number(cpu_physical_memory_sync_dirty_bitmap(block, PAGES(first), PAGES(end - first)), 0);
        block->bmap = NULL;
    }
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case_4k("/R-DIRTY-8/long-ranges", test_and_clear);
    conformance_case_4k("/R-SNAP-4/long-ranges", snapshot);
    conformance_case_4k("/R-SYNC-2/long-ranges", drain);
    return ram_run();
}
