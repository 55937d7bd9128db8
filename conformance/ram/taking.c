/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapters 4.1 to 6: snapshots, hardware logs, draining into bmap, the bitmaps of migration. */
#include "common/ram.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    MemoryRegion *pad;      /* so that ram_addrs and offsets differ */
    MemoryRegion *ram;
    RAMBlock *block;
    GString *log;
    Recorder *recorder;
} Bench;

static Bench bench_new(unsigned pages)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    Bench b = { .pad = stage_ram("pad", PAGES(3)), .ram = stage_ram_migratable("ram", PAGES(pages)),
                .log = stage_log() };

    b.block = block_of(b.ram);
    stage_add(root, PAGES(0x1000), b.ram);
    memory_region_set_log(b.ram, true, DIRTY_MEMORY_VGA);
    b.recorder = recorder_watch(stage_space(root, "as"), NULL, 0, b.log);
    clean(b.ram);
    clean(b.pad);
    g_string_truncate(b.log, 0);
    return b;
}

/* ---- R-SNAP ---- */

static DirtyBitmapSnapshot *snap(Bench *b, hwaddr addr, hwaddr size)
{
    return memory_region_snapshot_and_clear_dirty(b->ram, addr, size, DIRTY_MEMORY_VGA);
}

static void snapshot_order(void)
{
    Bench b = bench_new(200);

    dirty(b.ram, 70, 70, EVERYBODY);
    free(snap(&b, 0x46005, 3));
    check_log(b.log,
              "log_sync ram[0x1000000,0x10c8000)\n"
              "log_clear ram[0x1046005,0x1046008)@0x46005\n"
              "log_global_after_sync\n");
    check_dirty(b.ram, VGA, "");
    check_dirty(b.ram, MIGRATION, "70");
}

static void snapshot_window(void)
{
    Bench b = bench_new(200);
    DirtyBitmapSnapshot *s;

    dirty(b.ram, 0, 199, EVERYBODY);
    dirty(b.pad, 0, 2, EVERYBODY);
    s = snap(&b, PAGES(70) + 5, 3);
    check_number(s->start, ram_addr(b.ram, PAGES(64)));
    check_number(s->end, ram_addr(b.ram, PAGES(128)));
    check_number(s->dirty[0], ~0UL);
    check_dirty(b.ram, VGA, "0-63 128-199");
    check_dirty(b.ram, CODE, "0-199");
    check_dirty_all(b.pad, "0-2");
    for (unsigned page = 64; page < 128; page++) {
        check(memory_region_snapshot_get_dirty(b.ram, s, PAGES(page), 1));
    }
    free(s);
}

static void snapshot_of_nothing(void)
{
    Bench b = bench_new(200);
    DirtyBitmapSnapshot *s = snap(&b, PAGES(64), 0);

    check_number(s->end, s->start);
    free(s);
    dirty(b.ram, 0, 199, ON_VGA);
    s = snap(&b, PAGES(70), 0);
    check_number(s->end - s->start, PAGES(64));
    check_dirty(b.ram, VGA, "0-63 128-199");
    free(s);
}

/* The last window sticks out of a block whose end is no word's; nothing of a neighbour goes with it. */
static void snapshot_at_the_end(void)
{
    Bench b = bench_new(72);
    MemoryRegion *behind = stage_ram("behind", PAGES(72));
    DirtyBitmapSnapshot *s;

    dirty(b.ram, 0, 71, ON_VGA);
    dirty(behind, 0, 71, ON_VGA);
    s = snap(&b, PAGES(71), PAGES(1));
    check_dirty(b.ram, VGA, "0-63");
    check_dirty(behind, VGA, "0-71");
    check_number(s->dirty[0], 0xff);
    free(s);
}

static void snapshot_layout(void)
{
    Bench b = bench_new(200);
    DirtyBitmapSnapshot *s;

    dirty(b.ram, 1, 1, ON_VGA);
    dirty(b.ram, 64, 65, ON_VGA);
    dirty(b.ram, 127, 128, ON_VGA);
    s = snap(&b, 0, PAGES(200));
    check_bits(s->dirty, 256, "1 64-65 127-128");
    free(s);
}

/* Two in a row: what the first took, the second has not; what came in between it has. */
static void snapshot_moves(void)
{
    Bench b = bench_new(200);
    DirtyBitmapSnapshot *first, *second;

    dirty(b.ram, 5, 150, ON_VGA);
    first = snap(&b, 0, PAGES(200));
    dirty(b.ram, 9, 9, ON_VGA);
    second = snap(&b, 0, PAGES(200));
    check_bits(first->dirty, 256, "5-150");
    check_bits(second->dirty, 256, "9");
    check_dirty(b.ram, VGA, "");
    free(first);
    free(second);
}

static void snapshot_queries(void)
{
    Bench b = bench_new(200);
    DirtyBitmapSnapshot *s;

    dirty(b.ram, 70, 70, ON_VGA);
    s = snap(&b, PAGES(70), PAGES(1));
    dirty(b.ram, 100, 100, ON_VGA);     /* later: not in the snapshot */
    check(memory_region_snapshot_get_dirty(b.ram, s, PAGES(64), PAGES(64)));
    check(!memory_region_snapshot_get_dirty(b.ram, s, PAGES(71), PAGES(57)));
    check(!memory_region_snapshot_get_dirty(b.ram, s, PAGES(64), PAGES(6)));
    check(memory_region_snapshot_get_dirty(b.ram, s, PAGES(64), PAGES(6) + 1));
    check(memory_region_snapshot_get_dirty(b.ram, s, PAGES(71) - 1, 1));
    check(!memory_region_snapshot_get_dirty(b.ram, s, PAGES(71), 1));
    check(memory_region_snapshot_get_dirty(b.ram, s, PAGES(70), 1));
    check(!memory_region_snapshot_get_dirty(b.ram, s, PAGES(70), 0));
    free(s);
}

/* Of many pages, of which one is dirty, or all. */
static void long_snapshot(void)
{
    Bench b = bench_new(4096);
    DirtyBitmapSnapshot *s;

    dirty(b.ram, 4000, 4000, ON_VGA);
    s = snap(&b, 0, PAGES(4096));
    for (unsigned page = 0; page < 4096; page += 500) {
        check_number(memory_region_snapshot_get_dirty(b.ram, s, PAGES(page), PAGES(4096 - page)), true);
        check_number(memory_region_snapshot_get_dirty(b.ram, s, 0, PAGES(page)), false);
    }
    free(s);
    dirty(b.ram, 0, 4095, ON_VGA);
    s = snap(&b, 0, PAGES(4096));
    for (unsigned page = 0; page < 4096; page += 100) {
        check(memory_region_snapshot_get_dirty(b.ram, s, PAGES(page), PAGES(1)));
        check(memory_region_snapshot_get_dirty(b.ram, s, PAGES(page), PAGES(4096 - page)));
    }
    free(s);
}

static void snapshot_of_each_client(void)
{
    Bench b = bench_new(64);

    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        DirtyBitmapSnapshot *s;

        clean(b.ram);
        dirty(b.ram, 2, 3, EVERYBODY);
        s = memory_region_snapshot_and_clear_dirty(b.ram, 0, PAGES(64), client);
        check_bits(s->dirty, 64, "2-3");
        for (unsigned other = 0; other < DIRTY_MEMORY_NUM; other++) {
            check_dirty(b.ram, other, other == client ? "" : "2-3");
        }
        free(s);
    }
}

/* ---- R-LEB ---- */

static void lebitmap_pages(void)
{
    Bench b = bench_new(200);
    unsigned long words[2] = { 1UL << 63 | 1, 2 };

    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(b.ram, 0), 128);
    check_dirty(b.ram, VGA, "0 63 65");
    check_dirty(b.ram, MIGRATION, "");
    check_dirty(b.ram, CODE, "");
    check_number(words[0], 1UL << 63 | 1);
}

static void lebitmap_clients(void)
{
    MemoryRegion *ram = stage_ram("not migratable, not logged", PAGES(8));
    unsigned long word = 4;

    clean(ram);
    memory_global_dirty_log_start(GLOBAL_DIRTY_DIRTY_RATE);
    memcore_set_code_tracking(true);
    cpu_physical_memory_set_dirty_lebitmap(&word, ram_addr(ram, 0), 8);
    check_dirty_all(ram, "2");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_DIRTY_RATE);
    memcore_set_code_tracking(false);
    clean(ram);
    cpu_physical_memory_set_dirty_lebitmap(&word, ram_addr(ram, 0), 8);
    check_dirty(ram, VGA, "2");
    check_dirty(ram, MIGRATION, "");
    check_dirty(ram, CODE, "");
}

static void lebitmap_padding(void)
{
    Bench b = bench_new(200);
    unsigned long words[2] = { 0, ~0UL };

    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(b.ram, 0), 66);
    check_dirty(b.ram, VGA, "64-127");
}

/* Padding would reach into ram_addr space of nobody, or of a neighbour whose block begins there. */
static void lebitmap_padding_outside(void)
{
    MemoryRegion *sweep = stage_ram("sweep", PAGES(512));
    MemoryRegion *behind;
    Bench b;
    unsigned long words[2] = { 0, ~0UL };

    /* No bits of earlier cases are to lie about (R-DMB-8). */
    clean(sweep);
    stage_release(sweep);
    memcore_drain();
    b = bench_new(66);
    behind = stage_ram("behind", PAGES(66));
    clean(behind);
    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(b.ram, 0), 66);
    check_dirty(b.ram, VGA, "64-65");
    check_dirty(behind, VGA, "");
    check(!cpu_physical_memory_get_dirty(ram_addr(b.ram, PAGES(64)) + PAGES(2), PAGES(62), VGA));
}

/* The two ways of R-LEB-4 agree: the same words, one page further. */
static void lebitmap_shifted(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(300));
    unsigned long words[4];

    srandom(7);
    for (unsigned round = 0; round < 20; round++) {
        for (size_t i = 0; i < 4; i++) {
            words[i] = (unsigned long)random() << 33 ^ (unsigned long)random() << 11;
        }
        for (unsigned shift = 0; shift <= 3; shift++) {
            clean(ram);
            cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(ram, PAGES(shift)), 256);
            for (unsigned page = 0; page < 300; page++) {
                check_number(cpu_physical_memory_get_dirty_flag(ram_addr(ram, PAGES(page)), VGA),
                             page >= shift && page - shift < 256 && bit_is_set(words, page - shift));
            }
        }
    }
}

/* With target pages that are not the host's, each bit stands for what one host page holds or is in. */
static void lebitmap_host_pages(void)
{
    MemoryRegion *ram = stage_ram("ram", 64 * MAX(host_page(), PAGES(1)));
    unsigned long word = 1UL << 5;
    const ram_addr_t first = 5 * host_page();

    clean(ram);
    cpu_physical_memory_set_dirty_lebitmap(&word, ram_addr(ram, 0), 64);
    check(cpu_physical_memory_all_dirty(ram_addr(ram, first), host_page(), VGA));
    for (ram_addr_t at = 0; at < memory_region_size(ram); at += PAGES(1)) {
        check_number(cpu_physical_memory_get_dirty_flag(ram_addr(ram, at), VGA),
                     at + PAGES(1) > first && at < first + host_page());
    }
}

static void lebitmap_counts(void)
{
    Bench b = bench_new(200);
    unsigned long words[2] = { 5, ~0UL };
    uint64_t before = total_dirty_pages;

    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(b.ram, 0), 66);
    check_number(total_dirty_pages - before, 0);
    memory_global_dirty_log_start(GLOBAL_DIRTY_DIRTY_RATE);
    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(b.ram, 0), 66);
    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(b.ram, 0), 66);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_DIRTY_RATE);
    check_number(total_dirty_pages - before, 132);
}

/* ---- R-SYNC, R-CLR ---- */

static void sync_example(void)
{
    Bench b = bench_new(128);

    b.block->bmap = bits_new(128);
    bit_set(b.block->bmap, 4);
    dirty(b.ram, 3, 4, EVERYBODY);
    check_number(cpu_physical_memory_sync_dirty_bitmap(b.block, 0, PAGES(128)), 1);
    check_bits(b.block->bmap, 128, "3-4");
    check_dirty(b.ram, MIGRATION, "");
    check_dirty(b.ram, VGA, "3-4");
    check_dirty(b.ram, CODE, "3-4");
    check_number(cpu_physical_memory_sync_dirty_bitmap(b.block, 0, PAGES(128)), 0);
    check_bits(b.block->bmap, 128, "3-4");
    b.block->bmap = NULL;
}

static void sync_fast(void)
{
    Bench b = bench_new(128);

    b.block->bmap = bits_new(128);
    check_number(cpu_physical_memory_sync_dirty_bitmap(b.block, 0, PAGES(128)), 0);
    check_log(b.log, "log_clear ram[0x1000000,0x1080000)\n");
    b.block->clear_bmap_shift = 6;
    b.block->clear_bmap = bits_new(clear_bmap_size(128, 6));
    check_number(cpu_physical_memory_sync_dirty_bitmap(b.block, PAGES(64), PAGES(64)), 0);
    check_log(b.log, "");
    check_bits(b.block->clear_bmap, 2, "1");
    b.block->bmap = b.block->clear_bmap = NULL;
}

/* Where target pages are larger than the host's, the last may be a part of one: what is in use of it is the rest. */
static void sync_of_the_last_page(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(1) + host_page());
    RAMBlock *block = block_of(ram);
    const ram_addr_t last = (block->used_length - 1) & TARGET_PAGE_MASK;

    block->bmap = bits_new(64);
    clean(ram);
    cpu_physical_memory_set_dirty_flag(ram_addr(ram, last), MIGRATION);
    check_number(cpu_physical_memory_sync_dirty_bitmap(block, last, block->used_length - last), 1);
    check(bit_is_set(block->bmap, last >> TARGET_PAGE_BITS));
    check(!cpu_physical_memory_get_dirty_flag(ram_addr(ram, last), MIGRATION));
    block->bmap = NULL;
}

/* Page by page or merged, in any case all of the range and nothing else; clear_bmap is left alone. */
static void sync_slow(void)
{
    Bench b = bench_new(128);
    GString *pages = g_string_new(NULL);

    b.block->bmap = bits_new(128);
    b.block->clear_bmap_shift = 6;
    b.block->clear_bmap = bits_new(clear_bmap_size(128, 6));
    dirty(b.ram, 62, 66, ON_MIGRATION);
    check_number(cpu_physical_memory_sync_dirty_bitmap(b.block, PAGES(63), PAGES(3)), 3);
    check_bits(b.block->bmap, 128, "63-65");
    check_bits(b.block->clear_bmap, 2, "");
    check_dirty(b.ram, MIGRATION, "62 66");
    for (unsigned page = 63; page < 66; page++) {
        g_string_append_printf(pages, "log_clear ram[0x%x,0x%x)@0x%x\n", 0x1000000 + page * 0x1000,
                               0x1000000 + page * 0x1000 + 0x1000, page * 0x1000);
    }
    check(g_str_equal(b.log->str, pages->str) ||
          g_str_equal(b.log->str, "log_clear ram[0x103f000,0x1042000)@0x3f000\n"));
    g_string_free(pages, TRUE);
    b.block->bmap = b.block->clear_bmap = NULL;
}

/* Any partition into ranges leaves the same bitmap, and the counts add up. */
static void sync_partitions(void)
{
    Bench b = bench_new(200);
    static const unsigned cuts[] = { 0, 1, 63, 64, 65, 128, 190, 200 };

    for (unsigned which = 0; which < 64; which++) {
        uint64_t sum = 0;
        unsigned from = 0;

        b.block->bmap = bits_new(200);
        bit_set(b.block->bmap, 64);
        dirty(b.ram, 60, 70, ON_MIGRATION);
        dirty(b.ram, 199, 199, ON_MIGRATION);
        for (size_t i = 1; i < G_N_ELEMENTS(cuts); i++) {
            if (cuts[i] == 200 || which & 1u << (i - 1)) {
                sum += cpu_physical_memory_sync_dirty_bitmap(b.block, PAGES(from), PAGES(cuts[i] - from));
                from = cuts[i];
            }
        }
        check_number(sum, 11);
        check_bits(b.block->bmap, 200, "60-70 199");
        check_dirty(b.ram, MIGRATION, "");
    }
    b.block->bmap = NULL;
}

/* The whole round of R-SYNC-5: what a hardware log reports in log_sync is in the same round's bmap. */
static void hardware_reports(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    unsigned long *log = recorder->opaque;

    if (g_str_equal(event, "log_sync")) {
        cpu_physical_memory_set_dirty_lebitmap(log, ram_addr(section->mr, 0), 64);
        *log = 0;
    }
}

static void sync_round(void)
{
    Bench b = bench_new(64);
    unsigned long log = host_page() == TARGET_PAGE_SIZE ? 0x30 : 0;

    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    b.recorder->hook = hardware_reports;
    b.recorder->opaque = &log;
    b.block->bmap = bits_new(64);
    memory_global_dirty_log_sync();
    rcu_read_lock();
    check_number(cpu_physical_memory_sync_dirty_bitmap(b.block, 0, PAGES(64)), 2);
    rcu_read_unlock();
    memory_global_after_dirty_log_sync();
    check_bits(b.block->bmap, 64, "4-5");
    b.recorder->hook = NULL;
    b.block->bmap = NULL;
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
}

static void clear_sizes(void)
{
    check_number(clear_bmap_size(64, 6), 1);
    check_number(clear_bmap_size(65, 6), 2);
    check_number(clear_bmap_size(1, 31), 1);
    check_number(CLEAR_BITMAP_SHIFT_MIN, 6);
    check_number(CLEAR_BITMAP_SHIFT_MAX, 31);
    check_number(CLEAR_BITMAP_SHIFT_DEFAULT, 18);
    check_pointer(block_of(stage_ram("ram", PAGES(1)))->clear_bmap, NULL);
}

static void clear_all_touched_chunks(void)
{
    Bench b = bench_new(320);

    b.block->clear_bmap_shift = 6;
    b.block->clear_bmap = bits_new(clear_bmap_size(320, 6));
    clear_bmap_set(b.block, 96, 64);        /* half of chunk 1, half of chunk 2 */
    check_bits(b.block->clear_bmap, 5, "1-2");
    clear_bmap_set(b.block, 256, 64);
    check_bits(b.block->clear_bmap, 5, "1-2 4");
    clear_bmap_set(b.block, 0, 0);
    check_bits(b.block->clear_bmap, 5, "1-2 4");
    b.block->clear_bmap = NULL;
}

static void clear_is_taken_once(void)
{
    Bench b = bench_new(320);

    b.block->clear_bmap_shift = 6;
    b.block->clear_bmap = bits_new(clear_bmap_size(320, 6));
    clear_bmap_set(b.block, 64, 64);
    check(!clear_bmap_test_and_clear(b.block, 63));
    check(clear_bmap_test_and_clear(b.block, 127));
    check(!clear_bmap_test_and_clear(b.block, 64));
    check(!clear_bmap_test_and_clear(b.block, 128));
    b.block->clear_bmap = NULL;
}

/* ---- R-RECV and the fields of migration ---- */

static void received(void)
{
    Bench b = bench_new(200);

    check_pointer(b.block->receivedmap, NULL);
    ramblock_recv_bitmap_init(b.block);
    check_bits(b.block->receivedmap, 200, "");
    ramblock_recv_bitmap_set(b.block, b.block->host + PAGES(199));
    ramblock_recv_bitmap_set_range(b.block, b.block->host + PAGES(60), 10);
    check_bits(b.block->receivedmap, 200, "60-69 199");
    check(ramblock_recv_bitmap_test(b.block, b.block->host + PAGES(60)));
    check(!ramblock_recv_bitmap_test(b.block, b.block->host + PAGES(59)));
    check(ramblock_recv_bitmap_test_byte_offset(b.block, PAGES(199)));
    ramblock_recv_bitmap_clear_range(b.block, b.block->host + PAGES(62), 3);
    ramblock_recv_bitmap_set_range(b.block, b.block->host + PAGES(70), 0);
    ramblock_recv_bitmap_clear_range(b.block, b.block->host + PAGES(66), 0);
    check_bits(b.block->receivedmap, 200, "60-61 65-69 199");
    ramblock_recv_bitmap_free(b.block);
    check_pointer(b.block->receivedmap, NULL);
    ramblock_recv_bitmap_free(b.block);
}

/* What migration owns is nothing until there is one. */
static void fields_start_empty(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(4));

    check_pointer(block_of(ram)->bmap, NULL);
    check_pointer(block_of(ram)->file_bmap, NULL);
    check_number(block_of(ram)->postcopy_length, 0);
    check_number(block_of(ram)->pages_offset, 0);
    check(cds_list_empty(&block_of(ram)->ramblock_notifiers));
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case_4k("/R-SNAP-1/order", snapshot_order);
    conformance_case("/R-SNAP-2/worked-example", snapshot_window);
    conformance_case("/R-SNAP-2/nothing-asked", snapshot_of_nothing);
    conformance_case("/R-SNAP-2/end-of-a-block", snapshot_at_the_end);
    conformance_case("/R-SNAP-3/layout", snapshot_layout);
    conformance_case("/R-SNAP-4/moves", snapshot_moves);
    conformance_case_4k("/R-SNAP-5/not-widened", snapshot_order);
    conformance_case("/R-SNAP-6/queries", snapshot_queries);
    conformance_case("/R-SNAP-6/many-pages", long_snapshot);
    conformance_case("/R-SNAP-7/each-client", snapshot_of_each_client);
    conformance_case_4k("/R-LEB-1/pages", lebitmap_pages);
    conformance_case_4k("/R-LEB-2/clients", lebitmap_clients);
    conformance_case_4k("/R-LEB-3/padding", lebitmap_padding);
    conformance_case_4k("/R-LEB-3/padding-outside", lebitmap_padding_outside);
    conformance_case_4k("/R-LEB-4/both-ways", lebitmap_shifted);
    conformance_case("/R-LEB-5/host-pages", lebitmap_host_pages);
    conformance_case_4k("/R-LEB-6/counter", lebitmap_counts);
    conformance_case("/R-SYNC-4/last-page", sync_of_the_last_page);
    conformance_case("/R-SYNC-1/worked-example", sync_example);
    conformance_case_4k("/R-SYNC-2/fast", sync_fast);
    conformance_case_4k("/R-SYNC-3/slow", sync_slow);
    conformance_case("/R-SYNC-3/partitions", sync_partitions);
    conformance_case_4k("/R-SYNC-5/round", sync_round);
    conformance_case("/R-CLR-1/sizes", clear_sizes);
    conformance_case("/R-CLR-2/all-touched-chunks", clear_all_touched_chunks);
    conformance_case("/R-CLR-3/once", clear_is_taken_once);
    conformance_case("/R-RECV-1/received", received);
    conformance_case("/R-BMAP-1/none-without-migration", fields_start_empty);
    return ram_run();
}
