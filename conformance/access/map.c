/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host pointers to guest memory: how far they reach, and what they hold (R-MAP-1, 2, 7, 8, 12; INV-24). */
#include "common/access.h"

#include <string.h>

/* ---- R-MAP-1, R-MAP-2: what is mapped ---- */

static void wanted_and_mapped(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    hwaddr got;
    void *p;

    stage_add(bus.root, 0x1000, ram);
    p = bus_map(bus, 0x1010, 0x100, READ, &got);
    check_pointer(p, ram_bytes(ram) + 0x10);
    check_number(got, 0x100);
    address_space_unmap(bus.as, p, got, READ, got);
    p = bus_map(bus, 0x1010, 0x10000, WRITE, &got);
    check_pointer(p, ram_bytes(ram) + 0x10);
    check_number(got, 0x1ff0);
    address_space_unmap(bus.as, p, got, WRITE, 0);
    check_pointer(bus_map(bus, 0x1010, 0, WRITE, &got), NULL);
    check_number(got, 0);
    check_pointer(bus_map(bus, 0x9010, 0, READ, &got), NULL);
}

static void mapped_bytes_are_the_memory(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, ram);
    p = bus_map(bus, 0x100, 4, WRITE, &got);
    memcpy(p, "abcd", 4);
    check_read(bus.as, 0x100, 4, OK, "61 62 63 64");
    check_write(bus.as, 0x102, 1, 0x11, OK);
    check_number(p[2], 0x11);
    address_space_unmap(bus.as, p, got, WRITE, 4);
    check_read(bus.as, 0x100, 4, OK, "61 62 11 64");
}

static void what_ends_a_mapping(void)
{
    Bus bus = bus_new("as"), pages = bus_new("pages");
    MemoryRegion *a = stage_ram("a", 0x1000), *b = stage_ram("b", 0x1000), *c = stage_ram("c", 0x4000);
    MemoryRegion *firm = stage_alias("firm", c, 0x1000, 0x1000);
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    hwaddr got;
    void *p;

    stage_add(bus.root, 0, a);
    stage_add(bus.root, 0x1000, b);
    p = bus_map(bus, 0, 0x2000, READ, &got);
    check_pointer(p, ram_bytes(a));
    check_number(got, 0x1000);
    address_space_unmap(bus.as, p, got, READ, got);

    /* Three aliases side by side, the middle one with other attributes. */
    stage_add(bus.root, 0x10000, stage_alias("first", c, 0, 0x1000));
    stage_add(bus.root, 0x11000, firm);
    stage_add(bus.root, 0x12000, stage_alias("third", c, 0x2000, 0x2000));
    memory_region_set_nonvolatile(firm, true);
    memory_region_set_readonly(firm, true);
    check_view(bus.as, "a[0,0x1000), b[0x1000,0x2000), c[0x10000,0x11000), c[0x11000,0x12000)@0x1000 ro nv, "
               "c[0x12000,0x14000)@0x2000");
    p = bus_map(bus, 0x10010, 0x10000, WRITE, &got);
    check_pointer(p, ram_bytes(c) + 0x10);
    check_number(got, 0x3ff0);
    address_space_unmap(bus.as, p, got, WRITE, 0);

    /* The same region, but not its next byte. */
    stage_add(bus.root, 0x14000, stage_alias("again", c, 0x1000, 0x1000));
    p = bus_map(bus, 0x13000, 0x2000, READ, &got);
    check_number(got, 0x1000);
    address_space_unmap(bus.as, p, got, READ, got);

    stage_add(pages.root, 0x40000, table_region(t));
    table_map(t, 0, 0x4000, bus.as, 0x10000, 0xfff, IOMMU_RW);
    p = bus_map(pages, 0x40010, 0x3000, READ, &got);
    check_pointer(p, ram_bytes(c) + 0x10);
    check_number(got, 0x3000);
    address_space_unmap(pages.as, p, got, READ, got);
    t->entries[0].size = 0x2000;
    p = bus_map(pages, 0x40010, 0x3000, READ, &got);
    check_number(got, 0x1ff0);
    address_space_unmap(pages.as, p, got, READ, got);
}

static void rom_may_be_mapped_for_reading(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    hwaddr got;
    void *p;

    stage_add(bus.root, 0, rom);
    p = bus_map(bus, 0, 0x1000, READ, &got);
    check_pointer(p, ram_bytes(rom));
    address_space_unmap(bus.as, p, got, READ, got);
}

/* ---- R-MAP-7, R-MAP-8, R-MAP-12: what it holds ---- */

static void a_map_holds_the_owner(void)
{
    Bus bus = bus_new("as");
    Object *owner = stage_owner("owner");
    MemoryRegion *ram, *io;
    unsigned before;
    hwaddr got, second;
    void *p, *q;

    stage_set_owner(owner);
    ram = stage_ram("ram", 0x1000);
    io = stage_io("io", 0x1000);
    stage_add(bus.root, 0, ram);
    stage_add(bus.root, 0x1000, io);
    before = stage_owner_references(owner);
    p = bus_map(bus, 0, 0x10, READ, &got);
    check_number(stage_owner_references(owner), before + 1);
    q = bus_map(bus, 8, 0x10, READ, &second);
    check_number(stage_owner_references(owner), before + 2);
    address_space_unmap(bus.as, p, got, READ, got);
    address_space_unmap(bus.as, q, second, READ, second);
    check_number(stage_owner_references(owner), before);
    p = bus_map(bus, 0x1000, 0x10, WRITE, &got);
    check_number(stage_owner_references(owner), before + 1);
    address_space_unmap(bus.as, p, got, WRITE, 0);
    check_number(stage_owner_references(owner), before);
}

static void the_last_map_may_end_the_owner(void)
{
    Bus bus = bus_new("as");
    Object *owner = stage_owner("owner");
    MemoryRegion *ram;
    hwaddr got;
    uint8_t *p;

    stage_set_owner(owner);
    ram = ram_counting("ram", 0x1000, 0x20);
    stage_add(bus.root, 0, ram);
    p = bus_map(bus, 0, 0x10, WRITE, &got);
    stage_del(bus.root, ram);
    stage_owner_drop(owner);
    memcore_drain();
    check(!stage_owner_gone(owner));
    p[1] = 0x99;
    check_bytes(p, 2, "20 99");
    address_space_unmap(bus.as, p, got, WRITE, got);
    memcore_drain();
    check(stage_owner_gone(owner));
}

/* Two regions over one host memory: whichever the buffer is put down to, the counts come out right. */
static void two_regions_over_one_memory(void)
{
    Bus bus = bus_new("as");
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *one = stage_ram_ptr("one", 0x1000, host), *two = stage_ram_ptr("two", 0x1000, host);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, one);
    stage_add(bus.root, 0x1000, two);
    p = bus_map(bus, 0x1000, 0x10, WRITE, &got);
    check_pointer(p, host);
    p[0] = 0x42;
    address_space_unmap(bus.as, p, got, WRITE, 1);
    check_read(bus.as, 0, 1, OK, "42");
}

static void references_are_balanced(void)
{
    Object *owner = stage_owner("owner");
    Bus bus = bus_new("as");
    uint64_t state = 24;
    MemoryRegion *ram, *io;
    unsigned before;

    stage_set_owner(owner);
    ram = stage_ram("ram", 0x1000);
    io = stage_io("io", 0x1000);
    memcore_drain();
    before = stage_owner_references(owner);
    for (int round = 0; round < 100; round++) {
        MemoryRegionCache cache[2];
        hwaddr got[2], addr = random_below(&state, 0x2000);
        void *p[2];

        stage_add(bus.root, 0, ram);
        stage_add(bus.root, 0x1000, io);
        p[0] = bus_map(bus, addr, 0x10, WRITE, &got[0]);
        address_space_cache_init(&cache[0], bus.as, addr, 0x10, WRITE);
        p[1] = bus_map(bus, random_below(&state, 0x1000), 0x10, READ, &got[1]);
        address_space_cache_init(&cache[1], bus.as, random_below(&state, 0x2000), 0x10, READ);
        if (random_below(&state, 2)) {
            address_space_cache_destroy(&cache[1]);
            address_space_unmap(bus.as, p[1], got[1], READ, 0);
            stage_del(bus.root, ram);
            stage_del(bus.root, io);
        } else {
            stage_del(bus.root, io);
            stage_del(bus.root, ram);
            address_space_unmap(bus.as, p[1], got[1], READ, 0);
            memcore_drain();
            address_space_cache_destroy(&cache[1]);
        }
        memcore_drain();
        check(stage_owner_references(owner) > before);
        address_space_cache_destroy(&cache[0]);
        address_space_unmap(bus.as, p[0], got[0], WRITE, 0);
        memcore_drain();
        check_number(stage_owner_references(owner), before);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MAP-1/wanted-and-mapped", wanted_and_mapped);
    conformance_case("/R-MAP-2/the-memory-itself", mapped_bytes_are_the_memory);
    conformance_case("/R-MAP-2/what-ends-it", what_ends_a_mapping);
    conformance_case("/R-MAP-2/rom-for-reading", rom_may_be_mapped_for_reading);
    conformance_case("/R-MAP-7/holds-the-owner", a_map_holds_the_owner);
    conformance_case("/R-MAP-8/drops-the-reference", the_last_map_may_end_the_owner);
    conformance_case("/R-MAP-12/one-memory", two_regions_over_one_memory);
    conformance_case("/INV-24/references", references_are_balanced);
    return g_test_run();
}
