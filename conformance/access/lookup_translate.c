/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which range an address falls into (R-LKP), and what is behind it (R-TRN). */
#include "common/access.h"

#include <string.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

/* ---- R-LKP ---- */

/* What is at `address` has that name and begins there; nothing is one byte before and behind. */
static void check_lonely_byte(AddressSpace *as, MemoryRegion *mr, hwaddr address)
{
    hwaddr offset, length = 1;

    g_assert_true(address_space_translate(as, address, &offset, &length, false, PLAIN) == mr);
    g_assert_cmphex(offset, ==, 0);
    g_assert_true(address_space_translate(as, address - 1, &offset, &length, false, PLAIN) != mr);
    g_assert_cmphex(offset, ==, address - 1);
    g_assert_true(address_space_translate(as, address + 1, &offset, &length, false, PLAIN) != mr);
    g_assert_cmphex(offset, ==, address + 1);
}

/*
 * However ranges are spread, each is found: some far apart, and the closer to
 * zero, the closer together; many in a row at one place.
 *
 *   2^2 2^3  2^4     2^5            2^6                            2^7 ...  2^63
 */
static void ranges_crowd_at_every_scale(void)
{
    enum { POWERS = 62, ROW = 200 };
    Bus bus = bus_new("as");
    MemoryRegion *regions[POWERS + ROW];
    hwaddr addresses[POWERS + ROW];

    memory_region_transaction_begin();
    for (unsigned i = 0; i < POWERS + ROW; i++) {
        addresses[i] = i < POWERS ? UINT64_C(4) << i : UINT64_C(0x5000000001) + 2 * i;
        regions[i] = stage_io("one byte", 1);
        stage_add(bus.root, addresses[i], regions[i]);
    }
    memory_region_transaction_commit();
    for (unsigned i = 0; i < POWERS + ROW; i++) {
        check_lonely_byte(bus.as, regions[i], addresses[i]);
    }
    for (unsigned i = POWERS + ROW; i-- > 0;) {
        check_lonely_byte(bus.as, regions[i * 97 % (POWERS + ROW)], addresses[i * 97 % (POWERS + ROW)]);
    }
}

/* An order of queries in which a cached answer would be wrong each time. */
static void queries_do_not_influence_each_other(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0x1000, ram_counting("a", 0x1000, 1));
    stage_add(bus.root, 0x3000, ram_counting("b", 0x1000, 2));
    for (int i = 0; i < 3; i++) {
        check_read(bus.as, 0x1000, 1, OK, "01");
        check_read(bus.as, 0x2000, 1, DECODE, "00");
        check_read(bus.as, 0x3000, 1, OK, "02");
        check_read(bus.as, 0x2fff, 1, DECODE, "00");
        check_read(bus.as, 0x1fff, 1, OK, "00");
        check_read(bus.as, 0, 1, DECODE, "00");
        check_read(bus.as, 0x3fff, 1, OK, "01");
        check_read(bus.as, 0x4000, 1, DECODE, "00");
    }
}

static void lookups_follow_the_map(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *a = ram_counting("a", 0x1000, 1), *b = ram_counting("b", 0x1000, 2);

    check_read(bus.as, 0x1000, 1, DECODE, "00");
    stage_add(bus.root, 0x1000, a);
    check_read(bus.as, 0x1000, 1, OK, "01");
    stage_add_overlap(bus.root, 0x1000, b, 1);
    check_read(bus.as, 0x1000, 1, OK, "02");
    memory_region_set_enabled(b, false);
    check_read(bus.as, 0x1000, 1, OK, "01");
    stage_del(bus.root, a);
    check_read(bus.as, 0x1000, 1, DECODE, "00");
}

static void holes_are_one_range(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    check_translate(bus.as, 0x900, 0x10000, READ, "U@0x900+0x10000");
    check_translate(bus.as, 0x2000, 1, WRITE, "U@0x2000+0x1");
    check_translate(bus.as, UINT64_MAX, UINT64_MAX, READ, "U@0xffffffffffffffff+0xffffffffffffffff");
}

static void region_of_everything(void)
{
    Device *d = device("dev", UINT64_MAX, LITTLE);
    AddressSpace *as = stage_space(d->mr, "as");

    d->bytes[0xfff] = 0x77;
    check_read(as, UINT64_MAX, 1, OK, "77");
    check_calls(d, "read 0xffffffffffffffff+1\n");
    check_load(address_space_ldub, as, 0, 0, OK);
    check_translate(as, UINT64_MAX, 1, READ, "dev@0xffffffffffffffff+0x1");
}

static void accesses_go_on_at_zero(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *hi = ram_counting("hi", 0x1000, 0x80), *lo = ram_counting("lo", 0x1000, 0);

    stage_add(bus.root, -(hwaddr)0x1000, hi);
    stage_add(bus.root, 0, lo);
    check_read(bus.as, -(hwaddr)4, 8, OK, "7c 7d 7e 7f 00 01 02 03");
    check_write(bus.as, -(hwaddr)2, 4, 0xa0, OK);
    check_bytes(ram_bytes(hi) + 0xffc, 4, "7c 7d a0 a1");
    check_bytes(ram_bytes(lo), 4, "a2 a3 02 03");
    check(address_space_access_valid(bus.as, -(hwaddr)4, 8, WRITE, PLAIN));
    check_number(address_space_write_rom(bus.as, -(hwaddr)1, PLAIN, "xy", 2), OK);
    check_number(ram_bytes(lo)[0], 'y');
}

static void length_zero(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE, .accepts = true);
    TableIommu *t = table_new("iommu", 0x1000, TABLE_PLAIN);
    const hwaddr places[] = { 0, 0x1000, 0x2000 };
    hwaddr plen;

    stage_add(bus.root, 0, d->mr);
    stage_add(bus.root, 0x1000, table_region(t));
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        check_number(address_space_rw(bus.as, places[i], PLAIN, NULL, 0, READ), OK);
        check_number(address_space_rw(bus.as, places[i], PLAIN, NULL, 0, WRITE), OK);
        check_number(address_space_write(bus.as, places[i], PLAIN, NULL, 0), OK);
        check_number(address_space_read_full(bus.as, places[i], PLAIN, NULL, 0), OK);
        check_number(address_space_read(bus.as, places[i], PLAIN, NULL, 0), OK);
        check_number(address_space_write_rom(bus.as, places[i], PLAIN, NULL, 0), OK);
        check_number(address_space_set(bus.as, places[i], 0, 0, PLAIN), OK);
        check(address_space_access_valid(bus.as, places[i], 0, WRITE, PLAIN));
        plen = 0;
        check_pointer(address_space_map(bus.as, places[i], &plen, WRITE, PLAIN), NULL);
        check_number(plen, 0);
    }
    check_calls(d, "");
    check_number(t->translations, 0);
}

static void more_sections_than_a_page(void)
{
    enum { REGIONS = 4200 };
    Bus bus = bus_new("as");
    Device *d = device("dev", 8, LITTLE);
    MemoryRegion *last = NULL;

    memory_region_transaction_begin();
    for (unsigned i = 0; i < REGIONS; i++) {
        last = stage_io_ops("dev", 8, &d->ops, d);
        stage_add(bus.root, i * 0x20 + 4, last);
    }
    memory_region_transaction_commit();
    check_read(bus.as, 4, 1, OK, "00");
    check_read(bus.as, 4095 * 0x20 + 5, 1, OK, "01");
    check_read(bus.as, (REGIONS - 1) * 0x20 + 6, 1, OK, "02");
    check_read(bus.as, (REGIONS - 1) * 0x20 + 12, 1, DECODE, "00");
    check_translate(bus.as, 4096 * 0x20 + 4, 4, READ, "dev@0x0+0x4");
}

/* ---- R-TRN-1 to R-TRN-4 ---- */

static void translation_sees_through_aliases(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x4000);
    Device *d = device("dev", 0x1000, LITTLE, .accepts = true);
    hwaddr xlat = 0;

    stage_add(bus.root, 0x8000, stage_alias("window", stage_alias("inner", ram, 0x1000, 0x3000), 0x800,
                                            0x1000));
    stage_add(bus.root, 0x10000, d->mr);
    check_translate(bus.as, 0x8004, 0x10, READ, "ram@0x1804+0x10");
    check_translate(bus.as, 0x10010, 0x10, WRITE, "dev@0x10+0x10");
    check_calls(d, "");
    check_pointer(address_space_translate(bus.as, 0x8010, &xlat, NULL, READ, PLAIN), ram);
    check_number(xlat, 0x1810);
    check_pointer(flatview_translate(address_space_to_flatview(bus.as), 0x8010, &xlat, NULL, WRITE, PLAIN),
                  ram);
}

static void offsets_count_from_the_region(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x4000);

    stage_add(bus.root, 0x1000, ram);
    stage_add_overlap(bus.root, 0x2000, stage_io("cover", 0x1000), 1);
    check_translate(bus.as, 0x1234, 1, READ, "ram@0x234+0x1");
    check_translate(bus.as, 0x3234, 1, READ, "ram@0x2234+0x1");
}

/*
 *   0x1000 ram   0x2000 dev   0x3000 rom   0x4000 mine   0x5000 flash   0x6000 bar   0x7000 -
 */
static void only_memory_clamps(void)
{
    Bus bus = bus_new("as");
    Device *flash = device_rom("flash", 0x1000, (DeviceOptions) { LITTLE });
    MemoryRegion *bar = stage_storage(sizeof(*bar));

    memory_region_init_ram_device_ptr(bar, NULL, "bar", 0x1000, stage_storage(0x1000));
    stage_adopt(bar, NULL);
    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    stage_add(bus.root, 0x2000, device("dev", 0x1000, LITTLE)->mr);
    stage_add(bus.root, 0x3000, stage_rom("rom", 0x1000));
    stage_add(bus.root, 0x4000, stage_io_ops("mine", 0x1000, NULL, NULL));
    stage_add(bus.root, 0x5000, flash->mr);
    stage_add(bus.root, 0x6000, bar);
    check_translate(bus.as, 0x1ff0, 0x10000, READ, "ram@0xff0+0x10");
    check_translate(bus.as, 0x1ff0, 0x10000, WRITE, "ram@0xff0+0x10");
    check_translate(bus.as, 0x1ff0, 8, READ, "ram@0xff0+0x8");
    check_translate(bus.as, 0x2ff0, 0x10000, READ, "dev@0xff0+0x10000");
    check_translate(bus.as, 0x3ff0, 0x10000, READ, "rom@0xff0+0x10");
    check_translate(bus.as, 0x3ff0, 0x10000, WRITE, "rom@0xff0+0x10");
    check_translate(bus.as, 0x4ff0, 0x10000, READ, "mine@0xff0+0x10000");
    check_translate(bus.as, 0x5ff0, 0x10000, READ, "flash@0xff0+0x10");
    check_translate(bus.as, 0x6ff0, 0x10000, READ, "bar@0xff0+0x10");
    check_translate(bus.as, 0x7ff0, 0x10000, READ, "U@0x7ff0+0x10000");
    memory_region_rom_device_set_romd(flash->mr, false);
    check_translate(bus.as, 0x5ff0, 0x10000, READ, "flash@0xff0+0x10000");
}

static void hole_before_ram_is_not_clamped(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, stage_ram("low", 0x800));
    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    check_translate(bus.as, 0x900, 0x10000, READ, "U@0x900+0x10000");
}

/* Cut at page boundaries as 7.2 does, or at the end of the range. */
static void ranges_with_unaligned_ends(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x3000, 0);
    hwaddr xlat, plen = 0x10000;
    MemTxResult result = OK;
    uint32_t value;

    stage_add(bus.root, 0x800, ram);
    address_space_translate(bus.as, 0x800, &xlat, &plen, READ, PLAIN);
    check(plen == 0x800 || plen == 0x3000);
    plen = 0x10000;
    address_space_translate(bus.as, 0x3000, &xlat, &plen, READ, PLAIN);
    check_number(plen, 0x800);
    value = address_space_ldl_le(bus.as, 0xffe, PLAIN, &result);
    check((value == 0 && result == DECODE) || (value == (uint32_t)ldl_le_p(ram_bytes(ram) + 0x7fe) &&
                                               result == OK));
    check_read(bus.as, 0xffe, 4, OK, "fe ff 00 01");
    plen = 0x3000;
    void *mapped = address_space_map(bus.as, 0x800, &plen, READ, PLAIN);
    check_pointer(mapped, ram_bytes(ram));
    check_number(plen, 0x3000);
    address_space_unmap(bus.as, mapped, plen, READ, plen);
}

/* ---- R-TRN-5 to R-TRN-10: through IOMMUs ---- */

/* bus: an IOMMU of 0x10000 bytes at 0x40000; target: RAM at 0 */
typedef struct {
    Bus bus, target;
    TableIommu *t;
    MemoryRegion *ram;
} Translated;

static Translated translated_new(TableKind kind)
{
    Translated w = {
        bus_new("as"), bus_new("target"), table_new("iommu", 0x10000, kind), stage_ram("ram", 0x200000),
    };

    fill_counting(ram_bytes(w.ram), 0x20000, 0);
    for (unsigned page = 0; page < 0x20; page++) {
        ram_bytes(w.ram)[page * 0x1000] = (uint8_t)(0x80 + page);
    }
    stage_add(w.bus.root, 0x40000, table_region(w.t));
    stage_add(w.target.root, 0, w.ram);
    return w;
}

static void iommu_step(void)
{
    Translated w = translated_new(TABLE_PLAIN);

    table_map(w.t, 0, 0x2000, w.target.as, 0x5000, 0xfff, IOMMU_RW);
    w.t->log_translate = true;
    check_translate(w.bus.as, 0x40010, 0x10000, READ, "ram@0x5010+0xff0");
    check_translate(w.bus.as, 0x41010, 4, WRITE, "ram@0x6010+0x4");
    check_log(w.t->log, "translate 0x10 r 0\ntranslate 0x1010 w 0\n");
}

/* iova of the entry and low bits of its address mean nothing. */
static void iommu_entry_is_masked(void)
{
    Translated w = translated_new(TABLE_PLAIN);

    table_map(w.t, 0x2000, 0x2000, w.target.as, 0x8000, 0xfff, IOMMU_RW);
    w.t->sloppy = true;
    check_translate(w.bus.as, 0x42010, 4, READ, "ram@0x8010+0x4");
}

static void iommu_permissions(void)
{
    Translated w = translated_new(TABLE_PLAIN);

    table_map(w.t, 0, 0x1000, w.target.as, 0x1000, 0xfff, IOMMU_RO);
    table_map(w.t, 0x1000, 0x1000, w.target.as, 0x2000, 0xfff, IOMMU_WO);
    check_translate(w.bus.as, 0x40000, 4, READ, "ram@0x1000+0x4");
    check_translate(w.bus.as, 0x40000, 4, WRITE, "U@0x0+0x4");
    check_translate(w.bus.as, 0x41004, 4, WRITE, "ram@0x2004+0x4");
    check_translate(w.bus.as, 0x41004, 4, READ, "U@0x1004+0x4");
    check_read(w.bus.as, 0x41000, 4, DECODE, "00 00 00 00");
    check_write(w.bus.as, 0x40000, 4, 0, DECODE);
    check_read(w.bus.as, 0x40000, 1, OK, "81");
}

/* An IOMMU may be seen through an alias, in part: offsets are its own. */
static void iommu_offset_not_address(void)
{
    Translated w = translated_new(TABLE_PLAIN);

    table_map(w.t, 0x3000, 0x1000, w.target.as, 0x7000, 0xfff, IOMMU_RW);
    stage_add(w.bus.root, 0x80000, stage_alias("window", table_region(w.t), 0x2000, 0x4000));
    w.t->log_translate = true;
    check_translate(w.bus.as, 0x81008, 0x10000, READ, "ram@0x7008+0xff8");
    check_log(w.t->log, "translate 0x3008 r 0\n");
}

static void iommu_chain(void)
{
    Translated w = translated_new(TABLE_PLAIN);
    Bus middle = bus_new("middle");
    TableIommu *second = table_new("second", 0x20000, TABLE_PLAIN);

    stage_add(middle.root, 0x100000, table_region(second));
    table_map(w.t, 0, 0x10000, middle.as, 0x100000, 0x1fff, IOMMU_RW);
    table_map(second, 0, 0x20000, w.target.as, 0x100000, 0x3fff, IOMMU_RW);
    check_translate(w.bus.as, 0x42010, 0x10000, READ, "ram@0x102010+0x1ff0");
    second->entries[0].perm = IOMMU_RO;
    check_translate(w.bus.as, 0x42010, 0x10000, WRITE, "U@0x2010+0x1ff0");
    check_translate(w.bus.as, 0x42010, 0x10000, READ, "ram@0x102010+0x1ff0");
}

static void iommu_extent_does_not_clamp(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x800, TABLE_PLAIN);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, stage_ram("ram", 0x10000));
    table_map(t, 0, 0x10000, target.as, 0, 0x3fff, IOMMU_RW);
    check_translate(bus.as, 0x7f0, 0x10000, READ, "ram@0x7f0+0x3810");
}

static void refusal(void)
{
    Translated w = translated_new(TABLE_PLAIN);

    table_map(w.t, 0, 0x1000, w.target.as, 0, 0xfff, IOMMU_RW);
    table_map(w.t, 0x2000, 0x1000, w.target.as, 0x2000, 0xfff, IOMMU_RW);
    check_translate(w.bus.as, 0x41010, 0x3000, READ, "U@0x1010+0x3000");
    check_load(address_space_ldl_le, w.bus.as, 0x41010, 0, DECODE);
    check_store(address_space_stl_le, w.bus.as, 0x41010, 1, DECODE);
}

static void mask_of_everything(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", UINT64_MAX, TABLE_PLAIN);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, ram_counting("ram", 0x1000, 0));
    table_map(t, 0, UINT64_MAX, target.as, 0, UINT64_MAX, IOMMU_RW);
    check_translate(bus.as, 0, 0x10000, READ, "ram@0x0+0x1000");
    check_translate(bus.as, 0, 4, READ, "ram@0x0+0x4");
    check_read(bus.as, 0, 4, OK, "00 01 02 03");
    check_load(address_space_ldl_le, bus.as, 0, 0x03020100, OK);
    check_write(bus.as, 0, 2, 0x30, OK);
    check_translate(bus.as, 1, UINT64_MAX, READ, "ram@0x1+0xfff");
}

/* memcore: a loop ends at nothing. */
static void cycles_end(void)
{
    Bus bus = bus_new("as");
    TableIommu *t = table_new("iommu", UINT64_MAX, TABLE_PLAIN);
    hwaddr xlat, plen = 4;

    stage_add(bus.root, 0, table_region(t));
    table_map(t, 0, UINT64_MAX, bus.as, 0, 0xfff, IOMMU_RW);
    check(is_unassigned(address_space_translate(bus.as, 0x1000, &xlat, &plen, READ, PLAIN)));
    check_read(bus.as, 0x1000, 4, DECODE, "00 00 00 00");
    check_load(address_space_ldl_le, bus.as, 0x1000, 0, DECODE);
    check(!address_space_access_valid(bus.as, 0, 4, WRITE, PLAIN));
}

static void one_translation_a_level_and_chunk(void)
{
    Translated w = translated_new(TABLE_PLAIN);
    Device *d = device("dev", 0x1000, LITTLE);

    stage_add_overlap(w.target.root, 0x5000, d->mr, 1);
    table_map(w.t, 0, 0x10000, w.target.as, 0, 0xfff, IOMMU_RW);
    w.t->log_translate = true;
    check_read(w.bus.as, 0x40ffe, 4, OK, "fe ff 81 01");
    check_log(w.t->log, "translate 0xffe r 0\ntranslate 0x1000 r 0\n");
    check_read(w.bus.as, 0x45000, 10, OK, "00 01 02 03 04 05 06 07 08 09");
    check_log(w.t->log, "translate 0x5000 r 0\ntranslate 0x5004 r 0\ntranslate 0x5008 r 0\n");
    check_store(address_space_stl_le, w.bus.as, 0x40000, 0, OK);
    check_log(w.t->log, "translate 0x0 w 0\n");
}

/* ---- R-TRN-11 to R-TRN-15: entries ---- */

static void check_entry(AddressSpace *as, hwaddr addr, bool is_write, AddressSpace *target,
                        const char *expected)
{
    IOMMUTLBEntry e;

    rcu_read_lock();
    e = address_space_get_iotlb_entry(as, addr, is_write, PLAIN);
    rcu_read_unlock();
    check_text_taken_at("entry", "the entry", text_of_entry(&e, target, "target"), expected);
}

static void no_entry(void)
{
    Translated w = translated_new(TABLE_PLAIN);

    table_map(w.t, 0x1000, 0x1000, w.target.as, 0, 0xfff, IOMMU_RO);
    table_map(w.t, 0x2000, 0x1000, w.target.as, 0x1000000, 0xfff, IOMMU_RW);
    check_entry(w.bus.as, 0x1000, READ, w.target.as, "NULL 0x0 -> 0x0 mask 0x0 -");
    check_entry(w.bus.as, 0x40000, READ, w.target.as, "NULL 0x0 -> 0x0 mask 0x0 -");
    check_entry(w.bus.as, 0x41000, WRITE, w.target.as, "NULL 0x0 -> 0x0 mask 0x0 -");
    check_entry(w.bus.as, 0x42000, READ, w.target.as, "NULL 0x0 -> 0x0 mask 0x0 -");
}

static void entries(void)
{
    Translated w = translated_new(TABLE_PLAIN);
    Bus middle = bus_new("middle"), outer = bus_new("outer");
    TableIommu *first = table_new("first", 0x10000, TABLE_PLAIN);

    stage_add(outer.root, 0x50000, table_region(first));
    stage_add(middle.root, 0x40000, stage_alias("window", table_region(w.t), 0, 0x10000));
    table_map(first, 0, 0x10000, middle.as, 0x40000, 0x1fff, IOMMU_RW);
    table_map(w.t, 0, 0x10000, w.target.as, 0x100000, 0x3fff, IOMMU_RW);
    check_entry(outer.as, 0x52010, READ, w.target.as, "target 0x52000 -> 0x102000 mask 0x1fff rw");
    check_entry(w.bus.as, 0x42010, READ, w.target.as, "target 0x40000 -> 0x100000 mask 0x3fff rw");
    /* No IOMMU: a page of its own. */
    check_entry(w.target.as, 0x5010, WRITE, w.target.as, "target 0x5000 -> 0x5000 mask 0xfff rw");
}

static void entries_are_read_write(void)
{
    Translated w = translated_new(TABLE_PLAIN);
    Device *d = device("dev", 0x1000, LITTLE);

    stage_add_overlap(w.target.root, 0x5000, d->mr, 1);
    stage_add_overlap(w.target.root, 0x6000, stage_rom("rom", 0x1000), 1);
    stage_add_overlap(w.target.root, 0x7000, stage_io_ops("mine", 0x1000, NULL, NULL), 1);
    table_map(w.t, 0x1000, 0x1000, w.target.as, 0x1000, 0xfff, IOMMU_RO);
    table_map(w.t, 0x2000, 0x1000, w.target.as, 0x2000, 0xfff, IOMMU_WO);
    table_map(w.t, 0x4000, 0x4000, w.target.as, 0x4000, 0x3fff, IOMMU_RW);
    check_entry(w.bus.as, 0x41000, READ, w.target.as, "target 0x41000 -> 0x1000 mask 0xfff rw");
    check_entry(w.bus.as, 0x42000, WRITE, w.target.as, "target 0x42000 -> 0x2000 mask 0xfff rw");
    check_entry(w.bus.as, 0x42000, READ, w.target.as, "NULL 0x0 -> 0x0 mask 0x0 -");
    /* Devices, ROM and reservations succeed, with a mask beyond them. */
    check_entry(w.bus.as, 0x45000, READ, w.target.as, "target 0x44000 -> 0x4000 mask 0x3fff rw");
    check_entry(w.bus.as, 0x46000, WRITE, w.target.as, "target 0x44000 -> 0x4000 mask 0x3fff rw");
    check_entry(w.bus.as, 0x47000, READ, w.target.as, "target 0x44000 -> 0x4000 mask 0x3fff rw");
    check_entry(w.target.as, 0x6000, WRITE, w.target.as, "target 0x6000 -> 0x6000 mask 0xfff rw");
}

static void entry_of_a_page_in_parts(void)
{
    Bus bus = bus_new("as");
    IOMMUTLBEntry hole;

    stage_add(bus.root, 0x1000, stage_ram("ram", 0x800));
    check_entry(bus.as, 0x1100, READ, bus.as, "target 0x1000 -> 0x1000 mask 0xfff rw");
    hole = address_space_get_iotlb_entry(bus.as, 0x1900, READ, PLAIN);
    check(!hole.target_as ? hole.perm == IOMMU_NONE && hole.addr_mask == 0 && hole.iova == 0
                          : hole.target_as == bus.as && hole.iova == 0x1000 &&
                              hole.translated_addr == 0x1000 &&
                            hole.addr_mask == 0xfff && hole.perm == IOMMU_RW);
}

/* Base not aligned to the mask: the frames of 7.2, or a mask for which they agree. */
static void entry_of_an_unaligned_iommu(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    IOMMUTLBEntry e;

    stage_add(bus.root, 0x41000, table_region(t));
    stage_add(target.root, 0, stage_ram("ram", 0x20000));
    table_map(t, 0, 0x10000, target.as, 0x8000, 0x1fff, IOMMU_RW);
    e = address_space_get_iotlb_entry(bus.as, 0x42010, READ, PLAIN);
    check_pointer(e.target_as, target.as);
    check((e.iova == 0x42000 && e.translated_addr == 0x8000 && e.addr_mask == 0x1fff) ||
          (e.iova == (0x42010 & ~e.addr_mask) && e.translated_addr == (0x9010 & ~e.addr_mask) &&
           e.addr_mask <= 0xfff));
}

/* ---- INV-8, INV-9, INV-10 ---- */

static void translations_are_consistent(void)
{
    Bus bus = bus_new("as");
    uint64_t state = 8;
    hwaddr base = 0;

    for (unsigned i = 0; i < 24; i++) {
        uint64_t size = 1 + random_below(&state, 0x1800);
        MemoryRegion *mr = random_below(&state, 3) ? stage_ram("ram", size)
                                                   : stage_io_ops("dev", size, &stage_ops, NULL);

        base += random_below(&state, 3) * random_below(&state, 0x900);
        stage_add_overlap(bus.root, base, mr, (int)random_below(&state, 3));
        base += size - random_below(&state, size / 2 + 1);
    }
    for (int i = 0; i < 4000; i++) {
        hwaddr addr = random_below(&state, base + 0x1000), wanted = 1 + random_below(&state, 0x3000);
        hwaddr xlat, plen = wanted, again_xlat, again = wanted;
        MemoryRegion *mr = address_space_translate(bus.as, addr, &xlat, &plen, i & 1, PLAIN);

        check(plen >= 1 && plen <= wanted);
        check_pointer(address_space_translate(bus.as, addr, &again_xlat, &again, i & 1, PLAIN), mr);
        check(again == plen && again_xlat == xlat);
        if (memory_region_is_ram(mr)) {
            const hwaddr steps[] = { plen - 1, plen / 2 };

            for (size_t s = 0; s < G_N_ELEMENTS(steps); s++) {
                hwaddr one = 1, there;

                check_pointer(address_space_translate(bus.as, addr + steps[s], &there, &one, i & 1, PLAIN),
                              mr);
                check_number(there, xlat + steps[s]);
            }
        }
    }
}

static void identity_is_invisible(void)
{
    Translated w = translated_new(TABLE_PLAIN);
    uint64_t state = 9;

    w.t->count = 0;
    table_map(w.t, 0, 0x10000, w.target.as, 0, 0x3ff, IOMMU_RW);
    for (int i = 0; i < 300; i++) {
        uint8_t through[0x1000], straight[0x1000];
        hwaddr addr = random_below(&state, 0xf000), size = 1 + random_below(&state, 0xfff);

        check_number(address_space_rw(w.bus.as, 0x40000 + addr, PLAIN, through, size, READ), OK);
        check_number(address_space_rw(w.target.as, addr, PLAIN, straight, size, READ), OK);
        check(memcmp(through, straight, size) == 0);
        fill_counting(through, size, (unsigned)i);
        check_number(address_space_write(w.bus.as, 0x40000 + addr, PLAIN, through, size), OK);
        check(memcmp(ram_bytes(w.ram) + addr, through, size) == 0);
        check_load(address_space_ldl_le, w.bus.as, 0x40000 + addr,
                   (addr & 0x3ff) > 0x3fc ? 0 : (uint32_t)ldl_le_p(ram_bytes(w.ram) + addr),
                   (addr & 0x3ff) > 0x3fc ? DECODE : OK);
    }
}

static void denied_reads_do_not_touch_writes(void)
{
    Translated w = translated_new(TABLE_PLAIN);

    table_map(w.t, 0, 0x10000, w.target.as, 0, 0xfff, IOMMU_WO);
    check_write(w.bus.as, 0x40ff8, 0x10, 0x40, OK);
    check_bytes(ram_bytes(w.ram) + 0xff8, 4, "40 41 42 43");
    check_read(w.bus.as, 0x40ff8, 2, DECODE, "00 00");
    w.t->entries[0].perm = IOMMU_RO;
    check_read(w.bus.as, 0x40ff8, 2, OK, "40 41");
    check_write(w.bus.as, 0x40ff8, 2, 0, DECODE);
}

static void entries_agree_with_translations(void)
{
    Translated w = translated_new(TABLE_PLAIN);
    uint64_t state = 10;

    table_map(w.t, 0, 0x4000, w.target.as, 0x8000, 0x3fff, IOMMU_RW);
    table_map(w.t, 0x4000, 0x2000, w.target.as, 0x1e000, 0x1fff, IOMMU_RW);
    table_map(w.t, 0x8000, 0x1000, w.target.as, 0, 0x3ff, IOMMU_RW);
    for (int i = 0; i < 500; i++) {
        hwaddr addr = 0x40000 + random_below(&state, 0x10000), x, there, expected, one = 1;
        IOMMUTLBEntry e = address_space_get_iotlb_entry(w.bus.as, addr, READ, PLAIN);
        MemoryRegion *mr;

        if (!e.target_as) {
            check(is_unassigned(address_space_translate(w.bus.as, addr, &x, &one, READ, PLAIN)));
            continue;
        }
        x = (addr & ~e.addr_mask) | random_below(&state, e.addr_mask + 1);
        mr = address_space_translate(w.bus.as, x, &there, &one, READ, PLAIN);
        check_pointer(address_space_translate(e.target_as, e.translated_addr | (x & e.addr_mask), &expected,
                                              &one,
                                              READ, PLAIN), mr);
        check_number(there, expected);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-LKP-1/queries-are-independent", queries_do_not_influence_each_other);
    conformance_case("/R-LKP-1/follows-the-map", lookups_follow_the_map);
    conformance_case("/R-LKP-1/ranges-crowd", ranges_crowd_at_every_scale);
    conformance_case("/R-LKP-2/holes-are-one-range", holes_are_one_range);
    conformance_case("/R-LKP-3/region-of-everything", region_of_everything);
    conformance_case("/R-LKP-4/goes-on-at-zero", accesses_go_on_at_zero);
    conformance_case("/R-LKP-5/length-zero", length_zero);
    conformance_case("/R-LKP-6/more-sections-than-a-page", more_sections_than_a_page);
    conformance_case("/R-TRN-1/through-aliases", translation_sees_through_aliases);
    conformance_case("/R-TRN-2/offsets-of-the-region", offsets_count_from_the_region);
    conformance_case("/R-TRN-3/only-memory-clamps", only_memory_clamps);
    conformance_case("/R-TRN-3/hole-before-ram", hole_before_ram_is_not_clamped);
    conformance_case("/R-TRN-4/unaligned-ends", ranges_with_unaligned_ends);
    conformance_case("/R-TRN-5/step", iommu_step);
    conformance_case("/R-TRN-5/entry-is-masked", iommu_entry_is_masked);
    conformance_case("/R-TRN-5/permissions", iommu_permissions);
    conformance_case("/R-TRN-5/offset-not-address", iommu_offset_not_address);
    conformance_case("/R-TRN-6/chain", iommu_chain);
    conformance_case("/R-TRN-6/extent-does-not-clamp", iommu_extent_does_not_clamp);
    conformance_case("/R-TRN-7/refusal", refusal);
    conformance_case("/R-TRN-8/mask-of-everything", mask_of_everything);
    conformance_case("/R-TRN-9/cycles-end", cycles_end);
    conformance_case("/R-TRN-10/one-a-level-and-chunk", one_translation_a_level_and_chunk);
    conformance_case("/R-TRN-11/no-entry", no_entry);
    conformance_case_4k("/R-TRN-12/entries", entries);
    conformance_case_4k("/R-TRN-13/always-read-write", entries_are_read_write);
    conformance_case_4k("/R-TRN-14/page-in-parts", entry_of_a_page_in_parts);
    conformance_case("/R-TRN-15/unaligned-iommu", entry_of_an_unaligned_iommu);
    conformance_case("/INV-8/translations-are-consistent", translations_are_consistent);
    conformance_case("/INV-9/identity-is-invisible", identity_is_invisible);
    conformance_case("/INV-9/permissions-are-independent", denied_reads_do_not_touch_writes);
    conformance_case("/INV-10/entries-agree", entries_agree_with_translations);
    return g_test_run();
}
