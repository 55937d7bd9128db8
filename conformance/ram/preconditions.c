/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3, chapter 11: broken preconditions of RAM and its dirty bits.  Those of init
 * functions and of discard managers are with their rules' other cases (blocks,
 * backing, discard; part 1's logging and preconditions).
 */
#include "common/ram.h"

#include <stdlib.h>

static MemoryRegion *ram(void)
{
    return stage_ram("victim", PAGES(4));
}

#define CASE(name, ...) static void name(void) { __VA_ARGS__; }

CASE(set_idstr_twice, RAMBlock *b = block_of(ram()); qemu_ram_set_idstr(b, "one", NULL);
     qemu_ram_set_idstr(b, "two", NULL))
CASE(set_idstr_taken, RAMBlock *b = block_of(ram()); qemu_ram_set_idstr(b, "one", NULL);
     qemu_ram_set_idstr(block_of(stage_ram("other", PAGES(4))), "one", NULL))
CASE(set_idstr_null, qemu_ram_set_idstr(NULL, "one", NULL))
CASE(set_idstr_null_null, qemu_ram_set_idstr(NULL, NULL, NULL))
CASE(set_idstr_no_name, qemu_ram_set_idstr(block_of(ram()), NULL, NULL))
CASE(set_idstr_empty, qemu_ram_set_idstr(block_of(ram()), "", NULL))
CASE(host_offset_outside, MemoryRegion *mr = ram();
     qemu_ram_block_host_offset(block_of(mr), (uint8_t *)memory_region_get_ram_ptr(mr) + PAGES(4)))
CASE(addr_of_nowhere, int here; qemu_ram_addr_from_host_nofail(&here))
CASE(ptr_of_a_strange_name, memory_region_get_ram_ptr(stage_io("a\nb\x7f", PAGES(4))))
CASE(ptr_without_block, memory_region_get_ram_ptr(stage_io("victim", PAGES(4))))
CASE(ptr_far_behind, memory_region_get_ram_ptr(stage_alias(
         "victim", stage_alias("other", ram(), UINT64_MAX, PAGES(4)), UINT64_MAX, PAGES(4))))
CASE(map_nowhere, ram(); qemu_map_ram_ptr(NULL, BITMAP_SPAN * 64))
CASE(map_reserved, qemu_map_ram_ptr(block_of(stage_resizeable("victim", PAGES(4), PAGES(8), NULL)), PAGES(4)))
CASE(msync_behind, memory_region_msync(ram(), PAGES(3), PAGES(1) + 1))
CASE(msync_wraps, memory_region_msync(ram(), PAGES(3), UINT64_MAX - PAGES(1)))
CASE(msync_block_behind, qemu_ram_msync(block_of(ram()), PAGES(4), 1))
CASE(msync_start_behind, qemu_ram_msync(block_of(ram()), PAGES(5), 1))
CASE(no_room, ram(); stage_ram_ptr("victim", -4 * (uint64_t)host_page(), (void *)host_page()))
CASE(wraps_the_host, stage_ram_ptr("victim", 2 * host_page(), (void *)-host_page()))
CASE(set_dirty_behind, memory_region_set_dirty(ram(), PAGES(3), PAGES(1) + 1))
CASE(set_dirty_no_block, memory_region_set_dirty(stage_io("victim", PAGES(4)), 0, 1))
CASE(set_dirty_alias, memory_region_set_dirty(stage_alias("victim", ram(), 0, PAGES(4)), 0, 1))
CASE(reset_dirty_behind, memory_region_reset_dirty(ram(), PAGES(4) - 1, 2, DIRTY_MEMORY_VGA))
CASE(reset_dirty_client, memory_region_reset_dirty(ram(), 0, 1, 3))
CASE(reset_dirty_alias, memory_region_reset_dirty(stage_alias("victim", ram(), 0, PAGES(4)), 0, 1, 0))
CASE(get_client, cpu_physical_memory_get_dirty(ram_addr(ram(), 0), 1, 3))
CASE(all_client, cpu_physical_memory_all_dirty(ram_addr(ram(), 0), 1, 3))
CASE(flag_client, cpu_physical_memory_get_dirty_flag(ram_addr(ram(), 0), 3))
CASE(set_flag_client, cpu_physical_memory_set_dirty_flag(ram_addr(ram(), 0), 3))
CASE(test_client, cpu_physical_memory_test_and_clear_dirty(ram_addr(ram(), 0), 1, 3))
CASE(set_mask, cpu_physical_memory_set_dirty_range(ram_addr(ram(), 0), PAGES(1), 8))
CASE(clean_mask, cpu_physical_memory_range_includes_clean(ram_addr(ram(), 0), PAGES(1), 0x80))
CASE(get_wraps, cpu_physical_memory_get_dirty(ram_addr(ram(), PAGES(3)), UINT64_MAX, VGA))
CASE(set_flag_in_a_gap, cpu_physical_memory_set_dirty_flag(ram_addr(ram(), UNIT), VGA))
CASE(set_into_a_gap, cpu_physical_memory_set_dirty_range(ram_addr(ram(), PAGES(3)), UNIT, ON_VGA))
CASE(set_outside, ram(); cpu_physical_memory_set_dirty_range(BITMAP_SPAN * 64, PAGES(1), 1))
CASE(set_flag_outside, ram(); cpu_physical_memory_set_dirty_flag(BITMAP_SPAN * 64, 1))
CASE(set_over_the_end, cpu_physical_memory_set_dirty_range(ram_addr(ram(), PAGES(3)), BITMAP_SPAN * 64, 1))
CASE(leb_outside, unsigned long w = 1; ram(); cpu_physical_memory_set_dirty_lebitmap(&w, BITMAP_SPAN * 64, 1))
CASE(leb_too_many, unsigned long w[4] = { 1 };
     cpu_physical_memory_set_dirty_lebitmap(w, ram_addr(ram(), 0), UNIT / host_page()))
CASE(leb_one_too_many, unsigned long w[1] = { 1 }; MemoryRegion *mr = stage_ram("victim", 4 * host_page());
     cpu_physical_memory_set_dirty_lebitmap(w, ram_addr(mr, 0), 5))
CASE(test_beyond_named, cpu_physical_memory_test_and_clear_dirty(
         ram_addr(stage_ram_migratable("victim", PAGES(4)), PAGES(3)), PAGES(2), VGA))
CASE(test_nowhere, ram(); cpu_physical_memory_test_and_clear_dirty(BITMAP_SPAN * 64, PAGES(1), 0))
CASE(test_reserved, cpu_physical_memory_test_and_clear_dirty(
         ram_addr(stage_resizeable("victim", PAGES(4), PAGES(8), NULL), PAGES(4)), PAGES(1), 0))
CASE(test_two_blocks, stage_ram("a", UNIT); cpu_physical_memory_test_and_clear_dirty(
         ram_addr(stage_ram("b", UNIT), 0) - PAGES(1), PAGES(2), 0))
CASE(snap_behind, memory_region_snapshot_and_clear_dirty(ram(), PAGES(3), PAGES(1) + 1, 0))
CASE(snap_client, memory_region_snapshot_and_clear_dirty(ram(), 0, PAGES(1), 3))
CASE(snap_alias, memory_region_snapshot_and_clear_dirty(stage_alias("victim", ram(), 0, PAGES(4)), 0, PAGES(1), 0))
CASE(snap_query_outside, MemoryRegion *mr = stage_ram("victim", PAGES(200));
     memory_region_snapshot_get_dirty(mr, memory_region_snapshot_and_clear_dirty(mr, PAGES(64), PAGES(64), 0),
                                      PAGES(128), 1))
CASE(snap_query_foreign, MemoryRegion *mr = stage_ram("other", PAGES(64));
     memory_region_snapshot_get_dirty(ram(), memory_region_snapshot_and_clear_dirty(mr, 0, PAGES(64), 0), 0, 1))
CASE(snap_of_client, cpu_physical_memory_snapshot_and_clear_dirty(ram(), 0, PAGES(1), 3))
CASE(snap_of_io, cpu_physical_memory_snapshot_and_clear_dirty(stage_io("victim", PAGES(4)), 0, PAGES(1), VGA))
CASE(snap_of_unnamed, cpu_physical_memory_snapshot_and_clear_dirty(stage_io(NULL, PAGES(4)), 0, PAGES(1), VGA))
CASE(snap_of_too_much, cpu_physical_memory_snapshot_and_clear_dirty(ram(), PAGES(3), PAGES(2), VGA))

/* A snapshot of pages 64 to 127, as the region's pages. */
static void ask_snapshot(uint64_t page, ram_addr_t length)
{
    MemoryRegion *mr = stage_ram("victim", PAGES(200));

    cpu_physical_memory_snapshot_get_dirty(
        cpu_physical_memory_snapshot_and_clear_dirty(mr, PAGES(64), PAGES(64), VGA), ram_addr(mr, PAGES(page)), length);
}
CASE(snap_ask_before, ask_snapshot(63, PAGES(1)))
CASE(snap_ask_behind, ask_snapshot(129, PAGES(1)))
CASE(snap_ask_more, ask_snapshot(127, PAGES(1) + 1))

CASE(sync_parts, RAMBlock *b = block_of(ram()); b->bmap = bits_new(64);
     cpu_physical_memory_sync_dirty_bitmap(b, 0, PAGES(1) + 1))
CASE(sync_no_bmap, cpu_physical_memory_sync_dirty_bitmap(block_of(ram()), 0, PAGES(4)))
CASE(sync_behind, RAMBlock *b = block_of(stage_ram("victim", UNIT)); b->bmap = bits_new(256);
     cpu_physical_memory_sync_dirty_bitmap(b, 0, 2 * UNIT))
CASE(sync_unaligned, RAMBlock *b = block_of(ram()); b->bmap = bits_new(64);
     cpu_physical_memory_sync_dirty_bitmap(b, 1, PAGES(1)))
CASE(clear_none, clear_bmap_set(block_of(ram()), 0, 1))
CASE(clear_test_none, clear_bmap_test_and_clear(block_of(ram()), 0))

/* A block with a clear_bmap of a bit a page, which the bits have room behind. */
static RAMBlock *with_clear_bmap(void)
{
    RAMBlock *block = block_of(stage_ram("victim", 4 * MAX(PAGES(1), host_page())));

    block->clear_bmap = bits_new(1024);
    return block;
}

#define LAST_PAGE(block) ((block)->max_length / TARGET_PAGE_SIZE - 1)
CASE(clear_just_behind, RAMBlock *b = with_clear_bmap(); clear_bmap_set(b, 0, LAST_PAGE(b) + 2))
CASE(clear_nothing_behind, RAMBlock *b = with_clear_bmap(); clear_bmap_set(b, LAST_PAGE(b) + 2, 0))
CASE(clear_test_just_behind, RAMBlock *b = with_clear_bmap(); clear_bmap_test_and_clear(b, LAST_PAGE(b) + 1))

/* Up to the last page, and nothing just behind it. */
static void clear_to_the_end(void)
{
    RAMBlock *b = with_clear_bmap();

    clear_bmap_set(b, LAST_PAGE(b), 1);
    clear_bmap_set(b, LAST_PAGE(b) + 1, 0);
    clear_bmap_set(b, 0, 0);
    check(clear_bmap_test_and_clear(b, LAST_PAGE(b)));
    check(!clear_bmap_test_and_clear(b, LAST_PAGE(b)));
    clear_bmap_set(b, 0, LAST_PAGE(b) + 1);
    check(clear_bmap_test_and_clear(b, 0));
    check(clear_bmap_test_and_clear(b, LAST_PAGE(b)));
    check(!bit_is_set(b->clear_bmap, LAST_PAGE(b) + 1));
    b->clear_bmap = NULL;
}

/* So many pages as one bitmap has bits for. */
static MemoryRegion *full_bitmap(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_flags_nomigrate(mr, NULL, "victim", BITMAP_SPAN, RAM_NORESERVE, &error_fatal);
    return stage_adopt(mr, NULL);
}
CASE(get_just_behind, full_bitmap(); cpu_physical_memory_get_dirty(BITMAP_SPAN, 1, VGA))
CASE(get_to_just_behind, full_bitmap(); cpu_physical_memory_get_dirty(BITMAP_SPAN - PAGES(1), PAGES(1) + 1, VGA))

static void bits_to_the_end(void)
{
    full_bitmap();
    check(cpu_physical_memory_get_dirty(BITMAP_SPAN - PAGES(1), PAGES(1), VGA));
    check(cpu_physical_memory_get_dirty_flag(BITMAP_SPAN - 1, VGA));
}

/* R-SNAP-6: the last page of a snapshot, and nothing behind it. */
static void snapshot_to_the_end(void)
{
    MemoryRegion *mr = stage_ram("victim", PAGES(200));
    DirtyBitmapSnapshot *s = memory_region_snapshot_and_clear_dirty(mr, PAGES(128), PAGES(72), VGA);

    check(memory_region_snapshot_get_dirty(mr, s, PAGES(128), PAGES(72)));
    check(memory_region_snapshot_get_dirty(mr, s, PAGES(199), PAGES(1)));
    check(!memory_region_snapshot_get_dirty(mr, s, PAGES(200), 0));
    check(!cpu_physical_memory_snapshot_get_dirty(s, s->end, 0));
    check(cpu_physical_memory_snapshot_get_dirty(s, s->start, s->end - s->start));
    free(s);
}

CASE(clear_behind, RAMBlock *b = block_of(ram()); b->clear_bmap_shift = 6; b->clear_bmap = bits_new(64);
     clear_bmap_set(b, 0, 65))
CASE(clear_wraps, RAMBlock *b = block_of(ram()); b->clear_bmap_shift = 6; b->clear_bmap = bits_new(64);
     clear_bmap_set(b, 1, UINT64_MAX))
CASE(clear_test_behind, RAMBlock *b = block_of(ram()); b->clear_bmap_shift = 6; b->clear_bmap = bits_new(64);
     clear_bmap_test_and_clear(b, 64))
CASE(flush_no_romd, memory_region_flush_rom_device(ram(), 0, 1))
CASE(flush_behind, memory_region_flush_rom_device(stage_rom_device("victim", PAGES(4)), PAGES(4), 1))
CASE(count_down_d, ram_block_discard_disable(false))
CASE(count_down_u, ram_block_uncoordinated_discard_disable(false))
CASE(count_down_r, ram_block_discard_require(false))
CASE(count_down_c, ram_block_coordinated_discard_require(false))
CASE(stranger_leaves, RAMBlockNotifier n = { 0 }; ram_block_notifier_remove(&n))
CASE(notifier_twice, RAMBlockNotifier n = { 0 }; ram_block_notifier_add(&n); ram_block_notifier_add(&n))
CASE(remap_behind, qemu_ram_remap(ram_addr(ram(), 0), BITMAP_SPAN * 64))
CASE(remap_inside_a_page, qemu_ram_remap(ram_addr(stage_ram("victim", 4 * host_page()), 8), host_page()))
CASE(remap_a_part, qemu_ram_remap(ram_addr(ram(), 0), 8))
CASE(remap_nowhere, ram(); qemu_ram_remap(BITMAP_SPAN * 64, PAGES(1)))
CASE(recv_no_map, RAMBlock *b = block_of(ram()); ramblock_recv_bitmap_set(b, b->host))
CASE(recv_twice, RAMBlock *b = block_of(ram()); ramblock_recv_bitmap_init(b); ramblock_recv_bitmap_init(b))
CASE(recv_behind, RAMBlock *b = block_of(ram()); ramblock_recv_bitmap_init(b);
     ramblock_recv_bitmap_test_byte_offset(b, b->max_length))
CASE(recv_too_many, RAMBlock *b = block_of(ram()); ramblock_recv_bitmap_init(b);
     ramblock_recv_bitmap_set_range(b, b->host, b->max_length / TARGET_PAGE_SIZE + 1))
CASE(recv_over_the_end, RAMBlock *b = block_of(ram()); ramblock_recv_bitmap_init(b);
     ramblock_recv_bitmap_set_range(b, b->host + b->max_length - TARGET_PAGE_SIZE, 2))
CASE(log_off_too_often, memory_region_set_log(ram(), false, DIRTY_MEMORY_VGA))
CASE(log_of_migration, memory_region_set_log(ram(), true, DIRTY_MEMORY_MIGRATION))
CASE(start_nothing, memory_global_dirty_log_start(0))
CASE(start_unknown, memory_global_dirty_log_start(4))
CASE(stop_inactive, memory_global_dirty_log_stop(1))

static void log_on_too_often(void)
{
    MemoryRegion *mr = ram();

    for (unsigned i = 0; i < 256; i++) {
        memory_region_set_log(mr, true, DIRTY_MEMORY_VGA);
    }
}

static void resize_without_block(void)
{
    MemoryRegion *io = stage_io("io", PAGES(4));
    char *before = text_of_blocks();
    Error *error = NULL;

    memory_region_ram_resize(io, PAGES(2), &error);
    check_refused(error, before, "io", NULL);
    check_number(memory_region_size(io), PAGES(4));
    g_free(before);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    static const Misuse table[] = {
        { "/R-RAM-14/named-already", set_idstr_twice, "qemu_ram_set_idstr",
          "\"two\"*it is \"one\" already*(R-RAM-14)" },
        { "/R-RAM-14/taken", set_idstr_taken, "qemu_ram_set_idstr", "another block has the name \"one\"*(R-RAM-14)" },
        { "/R-RAM-14/no-block", set_idstr_null, "qemu_ram_set_idstr", "no block (NULL) to name \"one\" (R-RAM-14)" },
        { "/R-RAM-14/no-block-no-name", set_idstr_null_null, "qemu_ram_set_idstr",
          "no block (NULL) to name \"\" (R-RAM-14)" },
        { "/R-RAM-15/no-name", set_idstr_no_name, "qemu_ram_set_idstr", "cannot be named \"\" (R-RAM-15)" },
        { "/R-RAM-15/empty", set_idstr_empty, "qemu_ram_set_idstr", "cannot be named \"\" (R-RAM-15)" },
        { "/R-RAM-23/host-offset-outside", host_offset_outside, "qemu_ram_block_host_offset",
          "is not in block*(R-RAM-23)" },
        { "/R-RAM-23/addr-of-nowhere", addr_of_nowhere, "qemu_ram_addr_from_host_nofail",
          "no RAM block holds*(R-RAM-23)" },
        { "/R-RAM-24/strange-name", ptr_of_a_strange_name, "memory_region_get_ram_ptr", "a\\x0ab\\x7f*(R-RAM-24)" },
        { "/R-RAM-24/no-block", ptr_without_block, "memory_region_get_ram_ptr", "'victim' has no memory (R-RAM-24)" },
        { "/R-RAM-24/behind-2^64", ptr_far_behind, "memory_region_get_ram_ptr",
          "'victim' starts at 0x1fffffffffffffffe*(R-RAM-24)" },
        { "/R-RAM-25/nowhere", map_nowhere, "qemu_map_ram_ptr", "no RAM block holds*(R-RAM-25)" },
        { "/R-RAM-25/reserved", map_reserved, "qemu_map_ram_ptr", "byte 0x*of block*(R-RAM-25)" },
        { "/R-RAM-27/behind", msync_behind, "memory_region_msync", "'victim'*of its RAM, of which*(R-RAM-27)" },
        { "/R-RAM-27/wraps", msync_wraps, "memory_region_msync", "'victim'*of its RAM, of which*(R-RAM-27)" },
        { "/R-RAM-27/block-behind", msync_block_behind, "qemu_ram_msync", "0x1 bytes at*of which*(R-RAM-27)" },
        { "/R-RAM-27/block-start-behind", msync_start_behind, "qemu_ram_msync", "0x1 bytes at*of which*(R-RAM-27)" },
        { "/R-RAM-32/behind", remap_behind, "qemu_ram_remap", "no RAM block holds*(R-RAM-32)" },
        { "/R-RAM-32/inside-a-page", remap_inside_a_page, "qemu_ram_remap",
          "at 0x8 of block*not whole pages*(R-RAM-32)" },
        { "/R-RAM-32/part-of-a-page", remap_a_part, "qemu_ram_remap", "0x8 bytes at*not whole pages*(R-RAM-32)" },
        { "/R-RAM-32/nowhere", remap_nowhere, "qemu_ram_remap", "no RAM block holds*(R-RAM-32)" },
        { "/R-DIRTY-11/behind", set_dirty_behind, "memory_region_set_dirty",
          "'victim'*of its RAM, of which*(R-DIRTY-11)" },
        { "/R-DIRTY-11/no-block", set_dirty_no_block, "memory_region_set_dirty",
          "'victim' has no RAM of its own (R-DIRTY-11)" },
        { "/R-DIRTY-11/alias", set_dirty_alias, "memory_region_set_dirty",
          "'victim' has no RAM of its own (R-DIRTY-11)" },
        { "/R-DIRTY-12/behind", reset_dirty_behind, "memory_region_reset_dirty",
          "'victim': 0x2 bytes*of its RAM, of which*(R-DIRTY-12)" },
        { "/R-DIRTY-12/client", reset_dirty_client, "memory_region_reset_dirty",
          "'victim': there is no client 3*(R-DIRTY-2)" },
        { "/R-DIRTY-12/alias", reset_dirty_alias, "memory_region_reset_dirty",
          "'victim' has no RAM of its own (R-DIRTY-12)" },
        { "/R-DIRTY-2/get", get_client, "cpu_physical_memory_get_dirty", "there is no client 3*(R-DIRTY-2)" },
        { "/R-DIRTY-2/all", all_client, "cpu_physical_memory_all_dirty", "there is no client 3*(R-DIRTY-2)" },
        { "/R-DIRTY-2/flag", flag_client, "cpu_physical_memory_get_dirty_flag", "there is no client 3*(R-DIRTY-2)" },
        { "/R-DIRTY-2/set-flag", set_flag_client, "cpu_physical_memory_set_dirty_flag",
          "there is no client 3*(R-DIRTY-2)" },
        { "/R-DIRTY-2/test-and-clear", test_client, "cpu_physical_memory_test_and_clear_dirty",
          "there is no client 3*(R-DIRTY-2)" },
        { "/R-RAM-18/no-room", no_room, "memory_region_init_ram_ptr",
          "'victim'*no room in ram_addr space*(R-REG-5)" },
        { "/R-RAM-1/behind-the-host", wraps_the_host, "memory_region_init_ram_ptr",
          "'victim'*more than the host can address (R-REG-5)" },
        { "/R-DIRTY-2/mask-set", set_mask, "cpu_physical_memory_set_dirty_range", "mask 0x8 names*(R-DIRTY-2)" },
        { "/R-DIRTY-2/mask-clean", clean_mask, "cpu_physical_memory_range_includes_clean",
          "mask 0x80 names*(R-DIRTY-2)" },
        { "/R-DIRTY-7/gap", set_flag_in_a_gap, "cpu_physical_memory_set_dirty_flag",
          "no RAM block holds 0x1 bytes*(R-DIRTY-7)" },
        { "/R-DIRTY-7/into-a-gap", set_into_a_gap, "cpu_physical_memory_set_dirty_range",
          "no RAM block holds*(R-DIRTY-7)" },
        { "/R-DMB-6/wraps", get_wraps, "cpu_physical_memory_get_dirty",
          "0xffffffffffffffff bytes*there never was a block (R-DMB-6)" },
        { "/R-LEB-1/too-many", leb_too_many, "cpu_physical_memory_set_dirty_lebitmap",
          "no RAM block holds*host pages*(R-LEB-1)" },
        { "/R-LEB-1/one-too-many", leb_one_too_many, "cpu_physical_memory_set_dirty_lebitmap",
          "no RAM block holds 0x5 host pages*(R-LEB-1)" },
        { "/R-DIRTY-8/named", test_beyond_named, "cpu_physical_memory_test_and_clear_dirty",
          "of block \"victim\", of which*(R-DIRTY-8)" },
        { "/R-DMB-6/set-range", set_outside, "cpu_physical_memory_set_dirty_range",
          "there never was a block (R-DMB-6)" },
        { "/R-DMB-6/set-flag", set_flag_outside, "cpu_physical_memory_set_dirty_flag",
          "0x1 bytes*there never was a block (R-DMB-6)" },
        { "/R-DMB-6/over-the-end", set_over_the_end, "cpu_physical_memory_set_dirty_range",
          "there never was a block (R-DMB-6)" },
        { "/R-DMB-6/lebitmap", leb_outside, "cpu_physical_memory_set_dirty_lebitmap",
          "no RAM block holds 0x1 host pages*(R-LEB-1)" },
        { "/R-RAM-20/nowhere", test_nowhere, "cpu_physical_memory_test_and_clear_dirty",
          "no RAM block holds*(R-DIRTY-8)" },
        { "/R-DIRTY-8/reserved", test_reserved, "cpu_physical_memory_test_and_clear_dirty",
          "of block*of which*(R-DIRTY-8)" },
        { "/R-DIRTY-8/two-blocks", test_two_blocks, "cpu_physical_memory_test_and_clear_dirty",
          "of block*of which*(R-DIRTY-8)" },
        { "/R-SNAP-7/behind", snap_behind, "memory_region_snapshot_and_clear_dirty",
          "'victim'*of its RAM, of which*(R-SNAP-7)" },
        { "/R-SNAP-7/client", snap_client, "memory_region_snapshot_and_clear_dirty",
          "'victim': there is no client 3*(R-DIRTY-2)" },
        { "/R-SNAP-1/alias", snap_alias, "memory_region_snapshot_and_clear_dirty",
          "'victim' has no RAM of its own (R-SNAP-1)" },
        { "/R-SNAP-6/outside", snap_query_outside, "memory_region_snapshot_get_dirty",
          "'victim': 0x1 bytes*not in the snapshot*(R-SNAP-6)" },
        { "/R-SNAP-6/foreign", snap_query_foreign, "memory_region_snapshot_get_dirty",
          "'victim': 0x1 bytes at 0x0*not in the snapshot*(R-SNAP-6)" },
        { "/R-DIRTY-2/snapshot", snap_of_client, "cpu_physical_memory_snapshot_and_clear_dirty",
          "there is no client 3*(R-DIRTY-2)" },
        { "/R-SNAP-1/io", snap_of_io, "cpu_physical_memory_snapshot_and_clear_dirty",
          "'victim' has no RAM of its own (R-SNAP-1)" },
        { "/R-SNAP-1/unnamed", snap_of_unnamed, "cpu_physical_memory_snapshot_and_clear_dirty",
          "'(unnamed)' has no RAM of its own (R-SNAP-1)" },
        { "/R-SNAP-7/too-much", snap_of_too_much, "cpu_physical_memory_snapshot_and_clear_dirty",
          "of which*(R-SNAP-7)" },
        { "/R-SNAP-6/before", snap_ask_before, "cpu_physical_memory_snapshot_get_dirty",
          "not in the snapshot*(R-SNAP-6)" },
        { "/R-SNAP-6/behind", snap_ask_behind, "cpu_physical_memory_snapshot_get_dirty",
          "not in the snapshot*(R-SNAP-6)" },
        { "/R-SNAP-6/more", snap_ask_more, "cpu_physical_memory_snapshot_get_dirty",
          "not in the snapshot*(R-SNAP-6)" },
        { "/R-SYNC-4/parts-of-pages", sync_parts, "cpu_physical_memory_sync_dirty_bitmap",
          "at 0x0*not whole pages among*(R-SYNC-4)" },
        { "/R-SYNC-1/no-bmap", sync_no_bmap, "cpu_physical_memory_sync_dirty_bitmap", "has no bmap (R-SYNC-1)" },
        { "/R-SYNC-4/behind", sync_behind, "cpu_physical_memory_sync_dirty_bitmap",
          "not whole pages among*(R-SYNC-4)" },
        { "/R-SYNC-4/unaligned", sync_unaligned, "cpu_physical_memory_sync_dirty_bitmap",
          "at 0x1 of*not whole pages among*(R-SYNC-4)" },
        { "/R-CLR-2/none", clear_none, "clear_bmap_set", "has no clear_bmap (R-CLR-2)" },
        { "/R-CLR-2/just-behind", clear_just_behind, "clear_bmap_set", "pages from page 0x0 of block*(R-CLR-2)" },
        { "/R-CLR-2/nothing-behind", clear_nothing_behind, "clear_bmap_set", "0x0 pages from*(R-CLR-2)" },
        { "/R-CLR-3/just-behind", clear_test_just_behind, "clear_bmap_test_and_clear", "0x1 pages from*(R-CLR-3)" },
        { "/R-DMB-6/just-behind", get_just_behind, "cpu_physical_memory_get_dirty",
          "0x1 bytes*there never was a block (R-DMB-6)" },
        { "/R-DMB-6/to-just-behind", get_to_just_behind, "cpu_physical_memory_get_dirty",
          "there never was a block (R-DMB-6)" },
        { "/R-CLR-2/behind", clear_behind, "clear_bmap_set", "0x41 pages from page 0x0*(R-CLR-2)" },
        { "/R-CLR-2/passes-2-to-the-64", clear_wraps, "clear_bmap_set",
          "0xffffffffffffffff pages from page 0x1*(R-CLR-2)" },
        { "/R-CLR-3/none", clear_test_none, "clear_bmap_test_and_clear", "has no clear_bmap (R-CLR-3)" },
        { "/R-CLR-3/behind", clear_test_behind, "clear_bmap_test_and_clear", "0x1 pages from page 0x40*(R-CLR-3)" },
        { "/R-RECV-1/no-map", recv_no_map, "ramblock_recv_bitmap_set", "has no receivedmap (R-RECV-1)" },
        { "/R-RECV-1/twice", recv_twice, "ramblock_recv_bitmap_init", "has a receivedmap already (R-RECV-1)" },
        { "/R-RECV-1/behind", recv_behind, "ramblock_recv_bitmap_test_byte_offset", "1 pages from byte*(R-RECV-1)" },
        { "/R-RECV-1/too-many", recv_too_many, "ramblock_recv_bitmap_set_range", "pages from byte 0x0*(R-RECV-1)" },
        { "/R-RECV-1/over-the-end", recv_over_the_end, "ramblock_recv_bitmap_set_range",
          "2 pages from byte*(R-RECV-1)" },
        { "/R-NOTI-1/twice", notifier_twice, "ram_block_notifier_add", "is registered already (R-NOTI-1)" },
        { "/R-DIRTY-14/not-romd", flush_no_romd, "memory_region_flush_rom_device",
          "'victim' is not a ROM device in ROMD mode (R-DIRTY-14)" },
        { "/R-DIRTY-14/behind", flush_behind, "memory_region_flush_rom_device",
          "'victim' has*not 0x1 at*(R-DIRTY-14)" },
        { "/R-DISC-2/disable", count_down_d, "ram_block_discard_disable",
          "false more often than with true (R-DISC-2)" },
        { "/R-DISC-2/uncoordinated", count_down_u, "ram_block_uncoordinated_discard_disable",
          "false more often than with true (R-DISC-2)" },
        { "/R-DISC-2/require", count_down_r, "ram_block_discard_require",
          "false more often than with true (R-DISC-2)" },
        { "/R-DISC-2/coordinated", count_down_c, "ram_block_coordinated_discard_require",
          "false more often than with true (R-DISC-2)" },
        { "/R-NOTI-2/stranger", stranger_leaves, "ram_block_notifier_remove", "is not registered (R-NOTI-2)" },
        { "/R-DLOG-2/client", log_of_migration, "memory_region_set_log", "'victim': client 2*(R-DLOG-2)" },
        { "/R-DLOG-3/underflow", log_off_too_often, "memory_region_set_log",
          "'victim'*switched off more often than on (R-DLOG-3)" },
        { "/R-DLOG-3/overflow", log_on_too_often, "memory_region_set_log", "'victim'*on for 255 users*(R-DLOG-3)" },
        { "/R-DLOG-7/nothing", start_nothing, "memory_global_dirty_log_start",
          "flags 0x0*GLOBAL_DIRTY_MASK*(R-DLOG-7)" },
        { "/R-DLOG-7/unknown", start_unknown, "memory_global_dirty_log_start",
          "flags 0x4*GLOBAL_DIRTY_MASK*(R-DLOG-7)" },
        { "/R-DLOG-8/inactive", stop_inactive, "memory_global_dirty_log_stop", "flags 0x1 are not active*(R-LOG-2)" },
    };
    conformance_misuses(table);
    conformance_case("/R-RES-3/no-block", resize_without_block);
    conformance_case("/R-CLR-2/to-the-end", clear_to_the_end);
    conformance_case("/R-DMB-6/to-the-end", bits_to_the_end);
    conformance_case("/R-SNAP-6/to-the-end", snapshot_to_the_end);
    return ram_run();
}
