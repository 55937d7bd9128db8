/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * R-DMB-9 without chance: after each instruction of an operation on dirty bits somebody else marks one page and takes
 * another.  What is marked is reported: to who takes it here, or to the operation, or it is still there after it.
 * Nobody else sets these pages' bits, so they do not come back either.
 *
 * There are eight such pages in one word, clear for one instruction each, one after the other: when an operation looks
 * at the word one is clear, and is marked with the next instruction.  Then for eight instructions nothing happens,
 * since what compares and exchanges must succeed in the end; so all is done twice, with the pauses elsewhere.
 */
#include "threads.h"

#include <stdlib.h>
#include <string.h>

#include "exec/ram_addr.h"
#include "single_step.h"

enum {
    WORD = 64,
    TOTAL = 24 * WORD + 6,      /* pages: two chunks in one go (ram/bitmap.c), and not whole words */
    SOME = 5,                   /* every so many of the others are dirty */
    MOVING = 8,
};

#define PAGES(n) ((ram_addr_t)(n) << TARGET_PAGE_BITS)

static struct {
    MemoryRegion *ram;
    RAMBlock *block;
    AddressSpace *as;
    ram_addr_t start;
    unsigned long log[TOTAL / WORD + 1];
} field;

/* The operation's pages [first, first + count), and the first of the eight that come and go. */
typedef struct {
    unsigned first, count, moving;
    bool full;                          /* all others are dirty, not SOME */
} Place;

static const Place places[] = {
    { 3, 37, 16, false },               /* a part of a word */
    { 3, 37, 48, false },               /* ... and neighbours of it */
    { 64, 64, 96, true },
    { 16, 288, 0, false },              /* a word's end, words, a word's beginning: before, in each, behind */
    { 16, 288, 128, false },
    { 16, 288, 296, false },
    { 16, 288, 304, false },
    { 0, TOTAL, 9 * WORD + 8, false },  /* chunks */
    { 0, TOTAL, 9 * WORD + 8, true },
    { 77, 1, 72, false },
    { 77, 1, 80, false },
};

static struct {
    const Place *place;
    uint64_t step, pause;
    unsigned clear;
    unsigned missed[MOVING], returned[MOVING];
    bool reported[MOVING];              /* to the operation */
} now;

static ram_addr_t address_of(unsigned page)
{
    return field.start + PAGES(page);
}

static bool is_dirty(unsigned page)
{
    return cpu_physical_memory_get_dirty_flag(address_of(page), DIRTY_MEMORY_MIGRATION);
}

static bool in_range(unsigned page)
{
    return page >= now.place->first && page - now.place->first < now.place->count;
}

static bool is_moving(unsigned page)
{
    return page - now.place->moving < MOVING;
}

static void mark(unsigned i)
{
    now.returned[i] += is_dirty(now.place->moving + i);
    cpu_physical_memory_set_dirty_flag(address_of(now.place->moving + i), DIRTY_MEMORY_MIGRATION);
}

static void take(unsigned i)
{
    now.missed[i] += !cpu_physical_memory_test_and_clear_dirty(address_of(now.place->moving + i), 1,
                                                               DIRTY_MEMORY_MIGRATION);
}

static void mark_and_take(void)
{
    if (now.step++ / MOVING % 2 == now.pause) {
        return;
    }
    mark(now.clear);
    now.clear = (now.clear + 1) % MOVING;
    take(now.clear);
}

/* ---- operations ---- */

static void sync_bitmap(void)
{
    rcu_read_lock();
    cpu_physical_memory_sync_dirty_bitmap(field.block, PAGES(now.place->first), PAGES(now.place->count));
    rcu_read_unlock();
}

static void what_sync_reports(void)
{
    for (unsigned i = 0, page = now.place->moving; i < MOVING; i++, page++) {
        now.reported[i] = field.block->bmap[page / WORD] >> page % WORD & 1;
    }
}

static DirtyBitmapSnapshot *taken;

static void snapshot(void)
{
    taken = memory_region_snapshot_and_clear_dirty(field.ram, PAGES(now.place->first), PAGES(now.place->count),
                                                   DIRTY_MEMORY_MIGRATION);
}

static void what_the_snapshot_reports(void)
{
    for (unsigned i = 0; i < MOVING; i++) {
        now.reported[i] = memory_region_snapshot_get_dirty(field.ram, taken, PAGES(now.place->moving + i), 1);
    }
    free(taken);
}

static bool any;

static void test_and_clear(void)
{
    any = cpu_physical_memory_test_and_clear_dirty(address_of(now.place->first), PAGES(now.place->count),
                                                   DIRTY_MEMORY_MIGRATION);
}

static void what_any_reports(void)
{
    for (unsigned i = 0; i < MOVING; i++) {
        now.reported[i] = any && in_range(now.place->moving + i);
    }
}

static void set_range(void)
{
    cpu_physical_memory_set_dirty_range(address_of(now.place->first), PAGES(now.place->count),
                                        1 << DIRTY_MEMORY_MIGRATION);
}

static void set_flag(void)
{
    cpu_physical_memory_set_dirty_flag(address_of(now.place->first), DIRTY_MEMORY_MIGRATION);
}

static void import_log(void)
{
    cpu_physical_memory_set_dirty_lebitmap(field.log, field.start, TOTAL);
}

static void store(void)
{
    address_space_stl_le(field.as, PAGES(now.place->first), 1, MEMTXATTRS_UNSPECIFIED, NULL);
}

/* ---- cases ---- */

typedef struct {
    void (*run)(void);
    void (*report)(void);               /* NULL: it sets */
    bool one_page;                      /* it knows of nothing but `first` */
} Operation;

static void build(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    field.ram = stage_ram_migratable("field", PAGES(TOTAL));
    stage_add(root, 0, field.ram);
    field.as = stage_space(root, "as");
    field.block = qemu_ram_block_by_name("field");
    field.start = memory_region_get_ram_addr(field.ram);
    field.block->bmap = g_new0(unsigned long, G_N_ELEMENTS(field.log));
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
}

static void prepare(const Place *place, bool sets, unsigned pause)
{
    cpu_physical_memory_clear_dirty_range(field.start, PAGES(TOTAL));
    memset(field.block->bmap, 0, sizeof(field.log));
    memset(field.log, 0, sizeof(field.log));
    memset(&now, 0, sizeof(now));
    now.place = place;
    now.pause = pause;
    for (unsigned page = 0; page < TOTAL; page++) {
        if (!is_moving(page) && in_range(page)) {
            field.log[page / WORD] |= 1ul << page % WORD;
        }
        if (is_moving(page) ? page > place->moving : page % SOME == 0 || (place->full && !sets)) {
            cpu_physical_memory_set_dirty_flag(address_of(page), DIRTY_MEMORY_MIGRATION);
        }
    }
}

static void verdict(const Place *place, bool sets)
{
    unsigned wrong = 0;

    mark(now.clear);
    for (unsigned i = 0; i < MOVING; i++) {
        take(i);
        if (now.missed[i] > now.reported[i] || now.returned[i] > 0) {
            g_printerr("%s: [%u,%u) in %" G_GINT64_MODIFIER "u instructions: page %u was marked and not found "
                       "%u times, %s the operation, and came back %u times\n", g_test_get_path(), place->first,
                       place->first + place->count, now.step, place->moving + i, now.missed[i],
                       now.reported[i] ? "once by" : "nor by", now.returned[i]);
            g_test_fail();
        }
    }
    for (unsigned page = place->first; page < place->first + place->count; page++) {
        wrong += !is_moving(page) && is_dirty(page) != sets;
    }
    check_number(wrong, 0);
}

static void each_place(Operation operation)
{
    const bool sets = !operation.report;

    if (single_step_missing()) {
        g_test_skip(single_step_missing());
        return;
    }
    build();
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        const Place *place = &places[i];
        const bool inside = place->moving < place->first + place->count && place->first < place->moving + MOVING;

        if (operation.one_page ? inside || place->count > 1 : sets && inside && operation.run != import_log) {
            continue;           /* pages would be marked by both */
        }
        for (unsigned pause = 0; pause < 2; pause++) {
            prepare(place, sets, pause);
            check(single_step(operation.run, mark_and_take) > 10 * MOVING);
            if (operation.report) {
                operation.report();
            }
            verdict(place, sets);
        }
    }
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    g_free(field.block->bmap);
    field.block->bmap = NULL;
}

static void while_taken_by_sync(void)
{
    each_place((Operation) { sync_bitmap, what_sync_reports, false });
}

static void while_taken_by_snapshot(void)
{
    each_place((Operation) { snapshot, what_the_snapshot_reports, false });
}

static void while_taken_one_by_one(void)
{
    each_place((Operation) { test_and_clear, what_any_reports, false });
}

static void while_a_range_is_set(void)
{
    each_place((Operation) { set_range, NULL, false });
}

static void while_a_flag_is_set(void)
{
    each_place((Operation) { set_flag, NULL, true });
}

static void while_a_log_is_imported(void)
{
    each_place((Operation) { import_log, NULL, false });
}

static void while_memory_is_written(void)
{
    each_place((Operation) { store, NULL, true });
}

int main(int argc, char **argv)
{
    threads_start(&argc, &argv, MEMCORE_RECLAIM_MANUAL);
    threads_case("/R-DMB-9/while-taken-by-sync", while_taken_by_sync);
    threads_case("/R-DMB-9/while-taken-by-snapshot", while_taken_by_snapshot);
    threads_case("/R-DMB-9/while-taken-one-by-one", while_taken_one_by_one);
    threads_case("/R-DMB-9/while-a-range-is-set", while_a_range_is_set);
    threads_case("/R-DMB-9/while-a-flag-is-set", while_a_flag_is_set);
    conformance_case_4k("/R-DMB-9/while-a-log-is-imported", while_a_log_is_imported);
    threads_case("/R-DMB-9/while-memory-is-written", while_memory_is_written);
    return g_test_run();
}
