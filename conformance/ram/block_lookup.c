/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapter 1.5: the list of blocks, and who is found in it by what; its dump. */
#include "common/ram.h"

static void list_order(void)
{
    stage_ram("b", PAGES(8));
    stage_ram("a", PAGES(16));
    stage_ram("c", PAGES(8));
    stage_ram("d", PAGES(4));
    stage_resizeable("r", PAGES(4), PAGES(32), NULL);
    check_text_taken(text_of_block_order(), "r a b c d");
}

static void by_address(void)
{
    MemoryRegion *r = stage_resizeable("r", PAGES(4), PAGES(16), NULL), *other = stage_ram("other", PAGES(16));
    uint8_t *host = memory_region_get_ram_ptr(r);
    ram_addr_t offset = 77;
    RAMBlock *mru;

    check_pointer(qemu_ram_block_from_host(host + PAGES(4) + 5, false, &offset), block_of(r));
    check_number(offset, PAGES(4) + 5);
    check_pointer(qemu_ram_block_from_host(host + PAGES(15) + 5, true, &offset), block_of(r));
    check_number(offset, PAGES(15));
    mru = ram_list.mru_block;
    memory_region_from_host(memory_region_get_ram_ptr(other), &offset);
    check_pointer(ram_list.mru_block, mru);
    offset = 77;
    check_pointer(qemu_ram_block_from_host(&offset, false, &offset), NULL);
    check_pointer(memory_region_from_host(host + PAGES(16), &offset), NULL);
    check_number(offset, 77);
    check_number(qemu_ram_addr_from_host(host + 9), ram_addr(r, 9));
    check_number(qemu_ram_addr_from_host(&offset), RAM_ADDR_INVALID);
    check_number(qemu_ram_block_host_offset(block_of(r), host + 9), 9);
}

static void by_ram_addr(void)
{
    MemoryRegion *r = stage_resizeable("r", PAGES(4), PAGES(80), NULL), *other = stage_ram("other", PAGES(16));

    check(!cpu_physical_memory_test_and_clear_dirty(ram_addr(other, 0), 0, VGA));
    cpu_physical_memory_test_and_clear_dirty(ram_addr(other, PAGES(15)), 1, VGA);
    check(!ram_list.mru_block || ram_list.mru_block == block_of(other));
    /* Whoever holds the list's mutex keeps nobody from finding blocks; he only is not remembered. */
    ram_list.mru_block = NULL;
    qemu_mutex_lock_ramlist();
    check(!cpu_physical_memory_test_and_clear_dirty(ram_addr(other, PAGES(15)), 1, VGA));
    check_pointer(ram_list.mru_block, NULL);
    qemu_mutex_unlock_ramlist();
    /* Reserved space is the block's as well. */
    cpu_physical_memory_set_dirty_flag(ram_addr(r, PAGES(79)), CODE);
    check(cpu_physical_memory_get_dirty_flag(ram_addr(r, PAGES(79)), CODE));
}

static void by_host_address(void)
{
    MemoryRegion *a = stage_ram("a", PAGES(4)), *b = stage_ram("b", PAGES(4));

    check_number(qemu_ram_addr_from_host_nofail((uint8_t *)memory_region_get_ram_ptr(b) + 5), ram_addr(b, 5));
    check_number(qemu_ram_addr_from_host(memory_region_get_ram_ptr(a)), ram_addr(a, 0));
    check_number(qemu_ram_addr_from_host(&a), RAM_ADDR_INVALID);
}

static int stop_at_third(RAMBlock *block, void *opaque)
{
    unsigned *seen = opaque;

    (void)block;
    return ++*seen == 3 ? -7 : 0;
}

static void walking(void)
{
    unsigned seen = 0;

    check_number(qemu_ram_foreach_block(stop_at_third, &seen), 0);
    check_number(qemu_ram_pagesize_largest(), 0);
    for (unsigned i = 0; i < 5; i++) {
        stage_ram("ram", PAGES(4));
    }
    check_number((uint64_t)qemu_ram_foreach_block(stop_at_third, &seen), (uint64_t)-7);
    check_number(seen, 3);
    check_number(qemu_ram_pagesize_largest(), host_page());
}

static void through_aliases(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(16));
    MemoryRegion *al1 = stage_alias("al1", ram, PAGES(5), PAGES(4)), *al2 = stage_alias("al2", al1, PAGES(2), PAGES(1));
    ram_addr_t offset;

    check_pointer(memory_region_get_ram_ptr(al2), (uint8_t *)memory_region_get_ram_ptr(ram) + PAGES(7));
    check_pointer(memory_region_from_host(memory_region_get_ram_ptr(al2), &offset), ram);
    check_number(offset, PAGES(7));
    check_number(memory_region_get_ram_addr(al2), RAM_ADDR_INVALID);
    check_number((uint64_t)memory_region_get_fd(al2), (uint64_t)-1);
    check_number((uint64_t)memory_region_get_fd(stage_container("c", 1)), (uint64_t)-1);
    check_number((uint64_t)memory_region_get_fd(stage_io("io", 1)), (uint64_t)-1);
}

static void mapping(void)
{
    MemoryRegion *pad = stage_ram("pad", PAGES(4)), *ram = stage_ram("ram", PAGES(16));
    uint8_t *host = memory_region_get_ram_ptr(ram);

    check_pointer(qemu_map_ram_ptr(NULL, ram_addr(ram, 5)), host + 5);
    check_pointer(qemu_map_ram_ptr(block_of(ram), 5), host + 5);
    check_pointer(qemu_map_ram_ptr(block_of(pad), 0), memory_region_get_ram_ptr(pad));
}

static void append(void *opaque, const char *text)
{
    g_string_append(opaque, text);
}

static void dump(void)
{
    GString *text = stage_log();

    stage_ram_migratable("small", 0x4000);
    stage_ram_migratable("large", 0x20000);
    memcore_set_print(append, text);
    ram_block_dump(NULL);
    memcore_set_print(NULL, NULL);
    char *expected = g_strdup_printf(
        "%24s %8s %18s %18s %18s\n%24s %8s 0x%016x 0x%016x 0x%016x\n%24s %8s 0x%016x 0x%016x 0x%016x\n",
        "Block Name", "PSize", "Offset", "Used", "Total", "large", "4 KiB", 0x40000, 0x20000, 0x20000, "small",
        "4 KiB", 0, 0x4000, 0x4000);
    check_text(text->str, expected);
    g_free(expected);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-RAM-19/order", list_order);
    conformance_case("/R-RAM-20/reserved-space", by_ram_addr);
    conformance_case("/R-RAM-21/from-host", by_address);
    conformance_case("/R-RAM-23/by-host-address", by_host_address);
    conformance_case("/R-RAM-23/walking", walking);
    conformance_case("/R-RAM-24/aliases", through_aliases);
    conformance_case("/R-RAM-25/mapping", mapping);
    conformance_case("/R-RAM-26/aliases", through_aliases);
    conformance_case_4k("/R-RAM-33/dump", dump);
    return ram_run();
}
