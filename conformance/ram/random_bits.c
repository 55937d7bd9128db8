/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3, chapter 10, invariants 6 to 13: dirty operations in random order, against a model of plain sets: one boolean
 * for each page and client.  After each step every page of every client is compared.
 *
 * The blocks lie around an edge of the bitmaps (page 2^21), at no multiple of a cache line.
 */
#include "common/ram.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 3, MOST = 600, STEPS = 6000 };

typedef struct {
    MemoryRegion *mr;
    unsigned pages;
    bool set[DIRTY_MEMORY_NUM][MOST];
    bool bmap[MOST];
} Model;

static Model models[BLOCKS];
static GRand *random_numbers;

static unsigned below(unsigned end)
{
    return (unsigned)g_rand_int_range(random_numbers, 0, (gint32)end);
}

/* Ends and starts at words, next to them, or anywhere; in bytes, mostly not at pages. */
static void pick_range(const Model *m, ram_addr_t *start, ram_addr_t *length)
{
    const ram_addr_t size = PAGES(m->pages);
    ram_addr_t ends[2];

    for (unsigned i = 0; i < 2; i++) {
        switch (below(3)) {
        case 0:
            ends[i] = UNIT * below((unsigned)(size / UNIT) + 1);
            break;
        case 1:
            ends[i] = PAGES(below(m->pages + 1));
            break;
        default:
            ends[i] = (ram_addr_t)(g_rand_double(random_numbers) * (double)size);
            break;
        }
    }
    *start = MIN(ends[0], ends[1]);
    *length = MAX(ends[0], ends[1]) - *start;
}

static bool covers(ram_addr_t start, ram_addr_t length, unsigned page)
{
    return length > 0 && PAGES(page) < start + length && PAGES(page + 1) > start;
}

static void compare(unsigned step)
{
    for (unsigned b = 0; b < BLOCKS; b++) {
        for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
            for (unsigned page = 0; page < models[b].pages; page++) {
                const bool is = cpu_physical_memory_get_dirty_flag(ram_addr(models[b].mr, PAGES(page)), client);

                if (is != models[b].set[client][page]) {
                    g_printerr("step %u: block %u client %u page %u is %s\n", step, b, client, page,
                               is ? "dirty" : "clean");
                    g_test_fail();
                    return;
                }
            }
        }
    }
}

static bool any_and_all(const Model *m, unsigned client, ram_addr_t start, ram_addr_t length, bool *all)
{
    bool any = false;

    *all = true;
    for (unsigned page = 0; page < m->pages; page++) {
        if (covers(start, length, page)) {
            any |= m->set[client][page];
            *all &= m->set[client][page];
        }
    }
    return any;
}

static void ask(const Model *m, ram_addr_t start, ram_addr_t length)
{
    const ram_addr_t addr = ram_addr(m->mr, start);
    uint8_t clean_ones = 0;

    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        bool all, any = any_and_all(m, client, start, length, &all);

        check_number(cpu_physical_memory_get_dirty(addr, length, client), any);
        check_number(cpu_physical_memory_all_dirty(addr, length, client), all);
        clean_ones |= (uint8_t)(!all << client);
    }
    for (uint8_t mask = 0; mask <= EVERYBODY; mask++) {
        check_number(cpu_physical_memory_range_includes_clean(addr, length, mask), clean_ones & mask);
    }
}

static void set(Model *m, ram_addr_t start, ram_addr_t length, uint8_t mask)
{
    cpu_physical_memory_set_dirty_range(ram_addr(m->mr, start), length, mask);
    for (unsigned page = 0; page < m->pages; page++) {
        for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
            m->set[client][page] |= covers(start, length, page) && mask >> client & 1;
        }
    }
}

static void take(Model *m, ram_addr_t start, ram_addr_t length, unsigned client)
{
    bool all, any = any_and_all(m, client, start, length, &all);

    check_number(cpu_physical_memory_test_and_clear_dirty(ram_addr(m->mr, start), length, client), any);
    for (unsigned page = 0; page < m->pages; page++) {
        m->set[client][page] &= !covers(start, length, page);
    }
}

/* Invariant 11: before = snapshot and after, disjoint, in the window; untouched outside. */
static void snapshot(Model *m, ram_addr_t start, ram_addr_t length, unsigned client)
{
    const ram_addr_t first = start / UNIT * UNIT, end = (start + length + UNIT - 1) / UNIT * UNIT;
    DirtyBitmapSnapshot *snap = memory_region_snapshot_and_clear_dirty(m->mr, start, length, client);

    for (unsigned page = 0; page < m->pages; page++) {
        if (PAGES(page) >= first && PAGES(page) < end) {
            check_number(memory_region_snapshot_get_dirty(m->mr, snap, PAGES(page), 1), m->set[client][page]);
            m->set[client][page] = false;
        }
    }
    free(snap);
}

/* Invariant 12. */
static void drain(Model *m, ram_addr_t start, ram_addr_t length)
{
    const unsigned first = (unsigned)(start >> TARGET_PAGE_BITS);
    const unsigned end = (unsigned)((start + length) >> TARGET_PAGE_BITS);
    uint64_t expected = 0;
    RAMBlock *block = block_of(m->mr);

    for (unsigned page = first; page < end; page++) {
        expected += m->set[MIGRATION][page] && !m->bmap[page];
        m->bmap[page] |= m->set[MIGRATION][page];
        m->set[MIGRATION][page] = false;
    }
    check_number(cpu_physical_memory_sync_dirty_bitmap(block, PAGES(first), PAGES(end - first)), expected);
    for (unsigned page = 0; page < m->pages; page++) {
        check_number(bit_is_set(block->bmap, page), m->bmap[page]);
    }
    if (below(3) == 0) {
        memset(block->bmap, 0, MOST / 8 + 8);
        memset(m->bmap, 0, sizeof(m->bmap));
    }
}

static void import(Model *m, ram_addr_t start)
{
    unsigned long words[3] = { 0 };
    const unsigned first = (unsigned)(start >> TARGET_PAGE_BITS), count = MIN(m->pages - first, 3 * WORD);

    for (unsigned bit = 0; bit < count; bit++) {
        if (below(3) == 0) {
            bit_set(words, bit);
            m->set[VGA][first + bit] = true;
        }
    }
    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(m->mr, PAGES(first)), count);
}

static void against_sets(void)
{
    static const unsigned pages[BLOCKS] = { 600, 130, 67 };
    const uint64_t before_the_edge = BITMAP_SPAN - 5 * UNIT;
    MemoryRegion *filler = stage_storage(sizeof(*filler));

    memory_region_init_ram_flags_nomigrate(filler, NULL, "filler", before_the_edge, RAM_NORESERVE, &error_fatal);
    stage_adopt(filler, NULL);
    random_numbers = g_rand_new_with_seed(11);
    memset(models, 0, sizeof(models));
    for (unsigned b = 0; b < BLOCKS; b++) {
        Model *m = &models[b];

        m->pages = pages[b];
        m->mr = stage_ram(NULL, PAGES(pages[b]));
        memset(m->set, 1, sizeof(m->set));
        block_of(m->mr)->bmap = bits_new(MOST + 64);
    }
    check_number(ram_addr(models[0].mr, 0), before_the_edge);
    for (unsigned step = 0; step < STEPS && !g_test_failed(); step++) {
        Model *m = &models[below(BLOCKS)];
        const unsigned client = below(DIRTY_MEMORY_NUM), page = below(m->pages);
        ram_addr_t start, length;

        pick_range(m, &start, &length);
        switch (below(8)) {
        case 0:
        case 1:
            set(m, start, length, (uint8_t)below(8));
            break;
        case 2:
            take(m, start, length, client);
            break;
        case 3:
            snapshot(m, start, length, client);
            break;
        case 4:
            drain(m, start, length);
            break;
        case 5:
            if (TARGET_PAGE_SIZE == host_page() && start < PAGES(m->pages)) {
                import(m, start);
            }
            break;
        case 6:
            cpu_physical_memory_set_dirty_flag(ram_addr(m->mr, PAGES(page)), client);
            m->set[client][page] = true;
            break;
        default:
            for (unsigned c = 0; c < DIRTY_MEMORY_NUM && length > 0; c++) {
                for (unsigned p = 0; p < m->pages; p++) {
                    m->set[c][p] &= !covers(start, length, p);
                }
            }
            cpu_physical_memory_clear_dirty_range(ram_addr(m->mr, start), length);
            break;
        }
        ask(m, start, length);
        compare(step);
    }
    for (unsigned b = 0; b < BLOCKS; b++) {
        block_of(models[b].mr)->bmap = NULL;
    }
    g_rand_free(random_numbers);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case_4k("/R-DIRTY-3/against-sets", against_sets);
    return ram_run();
}
