/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of an address space prepared for being accessed often (R-CCH). */
#include "common/access.h"

#include <string.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

/* Slow accesses need RCU; fast ones do not mind. */
static int64_t cache_of(MemoryRegionCache *cache, Bus bus, hwaddr addr, hwaddr size, bool is_write)
{
    memset(cache, 0x5a, sizeof(*cache));
    return address_space_cache_init(cache, bus.as, addr, size, is_write);
}

static void check_cached(MemoryRegionCache *cache, hwaddr addr, size_t size, MemTxResult result,
                         const char *expected)
{
    uint8_t *buffer = g_malloc(size);

    memset(buffer, 0xcc, size);
    check_number(address_space_read_cached(cache, addr, buffer, size), result);
    check_bytes(buffer, size, expected);
    g_free(buffer);
}

/* ---- R-CCH-1, R-CCH-2: how much ---- */

static void usable_lengths(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x1000), *split = stage_ram("split", 0x2000);
    TableIommu *t = table_new("iommu", 0x1000, TABLE_PLAIN);
    static const struct {
        hwaddr addr, size;
        int64_t usable;
    } cases[] = {
        { 0x4000, 0x5000, 0x1000 },         /* a device */
        { 0x4ff0, 8, 8 },
        { 0x1ff0, 0x2020, 0x2020 },         /* a hole */
        { 0x5ff0, 0x20, 0x10 },             /* the end of RAM */
        { 0x5000, 1, 1 },
        { 0x8000, 0x10000, 0x2000 },        /* RAM in two ranges */
        { 0x8ff0, 0x10000, 0x1010 },
        { 0xc010, 0x10000, 0xff0 },         /* an IOMMU */
        { 0xd000, 0x10000, 0x1000 },        /* ROM */
    };

    stage_add(bus.root, 0x4000, device("dev", 0x1000, LITTLE)->mr);
    stage_add(bus.root, 0x5000, ram);
    stage_add(bus.root, 0x8000, stage_alias("first", split, 0, 0x1000));
    stage_add(bus.root, 0x9000, stage_alias("second", split, 0x1000, 0x1000));
    stage_add(bus.root, 0xc000, table_region(t));
    stage_add(bus.root, 0xd000, stage_rom("rom", 0x1000));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MemoryRegionCache cache;

        if (!check_number(cache_of(&cache, bus, cases[i].addr, cases[i].size, READ), cases[i].usable)) {
            g_printerr("  case %zu\n", i);
        }
        address_space_cache_destroy(&cache);
    }
    check_number(t->translations, 0);
}

static void attributes_do_not_end_a_fast_cache(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x2000), *window = stage_alias("window", ram, 0x1000, 0x1000);
    MemoryRegionCache cache;

    stage_add(bus.root, 0, stage_alias("first", ram, 0, 0x1000));
    stage_add(bus.root, 0x1000, window);
    memory_region_set_readonly(window, true);
    check_number(cache_of(&cache, bus, 0x800, 0x10000, WRITE), 0x1800);
    check_number(address_space_write_cached(&cache, 0x7ff, "ab", 2), OK);
    check_bytes(ram_bytes(ram) + 0xfff, 2, "61 62");
    address_space_cache_destroy(&cache);
}

static void offsets_count_from_the_start(void)
{
    Bus bus = bus_new("as");
    MemoryRegionCache cache;

    stage_add(bus.root, 0x1000, ram_counting("ram", 0x1000, 0));
    check_number(cache_of(&cache, bus, 0x1010, 0x10, READ), 0x10);
    check_cached(&cache, 0, 4, OK, "10 11 12 13");
    check_load(address_space_ldub_cached, &cache, 0xf, 0x1f, OK);
    address_space_cache_destroy(&cache);
}

/* ---- R-CCH-3: what it holds ---- */

static void topology_does_not_move_it(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0), *cover = ram_counting("cover", 0x1000, 0x80);
    Device *d = device("dev", 0x1000, LITTLE);
    MemoryRegionCache cache, slow;

    stage_add(bus.root, 0, ram);
    stage_add(bus.root, 0x1000, d->mr);
    check_number(cache_of(&cache, bus, 0, 0x100, WRITE), 0x100);
    check_number(cache_of(&slow, bus, 0x1000, 0x100, WRITE), 0x100);
    stage_add_overlap(bus.root, 0, cover, 1);
    stage_add_overlap(bus.root, 0x1000, stage_ram("more", 0x1000), 1);
    memcore_drain();
    check_read(bus.as, 0, 2, OK, "80 81");
    check_cached(&cache, 0, 2, OK, "00 01");
    check_number(address_space_write_cached(&cache, 0, "x", 1), OK);
    check_bytes(ram_bytes(ram), 2, "78 01");
    check_bytes(ram_bytes(cover), 2, "80 81");
    check_load(address_space_ldl_le_cached, &slow, 4, 0x07060504, OK);
    check_calls(d, "read 0x4+4\n");
    stage_del(bus.root, ram);
    stage_del(bus.root, d->mr);
    memcore_drain();
    check_cached(&cache, 1, 2, OK, "01 02");
    check_store(address_space_stb_cached, &slow, 4, 1, OK);
    check_calls(d, "write 0x4+1=0x1\n");
    address_space_cache_destroy(&cache);
    address_space_cache_destroy(&slow);
}

static void it_keeps_the_owner_alive(void)
{
    Bus bus = bus_new("as");
    Object *owner = stage_owner("owner");
    MemoryRegion *ram;
    MemoryRegionCache cache;

    stage_set_owner(owner);
    ram = ram_counting("ram", 0x1000, 0);
    stage_add(bus.root, 0, ram);
    check_number(cache_of(&cache, bus, 0, 0x100, READ), 0x100);
    stage_del(bus.root, ram);
    stage_owner_drop(owner);
    memcore_drain();
    check(!stage_owner_gone(owner));
    check_cached(&cache, 4, 2, OK, "04 05");
    address_space_cache_destroy(&cache);
    memcore_drain();
    check(stage_owner_gone(owner));
}

static void note_the_lock(void *opaque)
{
    *(bool *)opaque = qemu_mutex_iothread_locked();
}

/* An owner ends with the big lock held, whoever lets go of it last. */
static void the_last_one_takes_the_lock(void)
{
    Bus bus = bus_new("as");
    bool locked = false;
    Object *owner = stage_owner_watched("owner", note_the_lock, &locked);
    MemoryRegion *ram;
    MemoryRegionCache cache;

    stage_set_owner(owner);
    ram = ram_counting("ram", 0x1000, 0);
    stage_add(bus.root, 0, ram);
    check_number(cache_of(&cache, bus, 0, 0x100, READ), 0x100);
    stage_del(bus.root, ram);
    memcore_drain();
    stage_owner_drop(owner);
    qemu_mutex_unlock_iothread();
    address_space_cache_destroy(&cache);
    check(!qemu_mutex_iothread_locked());
    qemu_mutex_lock_iothread();
    memcore_drain();
    check(stage_owner_gone(owner));
    check(locked);
}

static void it_holds_the_view(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegionCache cache;
    size_t with;

    stage_add(bus.root, 0, ram);
    memcore_drain();
    check_number(cache_of(&cache, bus, 0, 0x100, READ), 0x100);
    stage_add(bus.root, 0x1000, stage_ram("more", 0x1000));
    memcore_drain();
    with = stage_statistics().flat_views;
    address_space_cache_destroy(&cache);
    memcore_drain();
    check_number(stage_statistics().flat_views + 1, with);
}

static void iommu_changes_are_seen(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x4000, TABLE_PLAIN);
    MemoryRegionCache cache;

    stage_add(bus.root, 0x10000, table_region(t));
    stage_add(target.root, 0, ram_counting("ram", 0x1000, 0));
    stage_add(target.root, 0x1000, ram_counting("other", 0x1000, 0x80));
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RW);
    check_number(cache_of(&cache, bus, 0x10010, 0x100, WRITE), 0x100);
    check_number(t->translations, 0);
    check_load(address_space_ldl_le_cached, &cache, 0, 0x13121110, OK);
    t->entries[0].to = 0x1000;
    check_load(address_space_ldl_le_cached, &cache, 0, 0x93929190, OK);
    check_cached(&cache, 2, 2, OK, "92 93");
    t->entries[0].perm = IOMMU_RO;
    check_store(address_space_stl_le_cached, &cache, 0, 0, DECODE);
    t->entries[0].perm = IOMMU_NONE;
    check_load(address_space_ldl_le_cached, &cache, 0, 0, DECODE);
    check_number(t->translations, 5);
    address_space_cache_destroy(&cache);
}

/* ---- R-CCH-4, R-CCH-5, R-CCH-11: fast ---- */

static void fast_accesses(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0);
    MemoryRegionCache c;

    stage_add(bus.root, 0, ram);
    check_number(cache_of(&c, bus, 0, 0x100, WRITE), 0x100);
    qemu_mutex_unlock_iothread();
    check_number(ldub_phys_cached(&c, 1), 0x01);
    check_number(lduw_le_phys_cached(&c, 1), 0x0201);
    check_number(ldl_le_phys_cached(&c, 1), 0x04030201);
    check_number(ldl_be_phys_cached(&c, 1), 0x01020304);
    check_number(ldq_phys_cached(&c, 1), 0x0807060504030201);
    check_number(address_space_lduw_be_cached(&c, 1, PLAIN, NULL), 0x0102);
    check_number(address_space_lduw_cached(&c, 1, PLAIN, NULL), 0x0201);
    check_number(address_space_ldl_cached(&c, 1, PLAIN, NULL), 0x04030201);
    check_number(address_space_ldq_be_cached(&c, 1, PLAIN, NULL), 0x0102030405060708);
    check_number(address_space_ldl_le_cached_slow(&c, 1, PLAIN, NULL), 0x04030201);
    stb_phys_cached(&c, 0, 0xa0);
    stw_be_phys_cached(&c, 1, 0xa1a2);
    address_space_stl_le_cached(&c, 3, 0xa6a5a4a3, PLAIN, NULL);
    address_space_stq_be_cached(&c, 7, 0xa7a8a9aaabacadae, PLAIN, NULL);
    check_number(address_space_write_cached(&c, 15, "\xaf\xb0", 2), OK);
    /* up to the last byte */
    check_number(ldub_phys_cached(&c, 0xff), 0xff);
    check_number(lduw_le_phys_cached(&c, 0xfe), 0xfffe);
    check_number(ldl_le_phys_cached(&c, 0xfc), 0xfffefdfc);
    check_number(address_space_ldq_be_cached(&c, 0xf8, PLAIN, NULL), 0xf8f9fafbfcfdfeff);
    address_space_stq_be_cached(&c, 0xf8, 0xb0b1b2b3b4b5b6b7, PLAIN, NULL);
    address_space_stl_be_cached(&c, 0xfc, 0xc4c5c6c7, PLAIN, NULL);
    address_space_stw_be_cached(&c, 0xfe, 0xd6d7, PLAIN, NULL);
    stb_phys_cached(&c, 0xff, 0xe7);
    check(!qemu_mutex_iothread_locked());
    qemu_mutex_lock_iothread();
    check_bytes(ram_bytes(ram), 18, "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af b0 11");
    check_cached(&c, 0xfc, 4, OK, "c4 c5 d6 e7");
    check_bytes(ram_bytes(ram) + 0xf8, 9, "b0 b1 b2 b3 c4 c5 d6 e7 00");
    address_space_cache_destroy(&c);
}

/* memcore says OK. */
static void fast_results(void)
{
    Bus bus = bus_new("as");
    MemoryRegionCache c;

    stage_add(bus.root, 0, ram_counting("ram", 0x1000, 0));
    check_number(cache_of(&c, bus, 0, 0x100, WRITE), 0x100);
    check_load(address_space_ldub_cached, &c, 1, 1, OK);
    check_load(address_space_lduw_le_cached, &c, 1, 0x0201, OK);
    check_load(address_space_ldq_be_cached, &c, 1, 0x0102030405060708, OK);
    check_store(address_space_stb_cached, &c, 1, 1, OK);
    check_store(address_space_stl_be_cached, &c, 1, 1, OK);
    address_space_cache_destroy(&c);
}

/* ---- R-CCH-6 to R-CCH-8, R-CCH-12: slow ---- */

static void slow_accesses_of_devices(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x100, LITTLE, .with_attrs = true);
    MemoryRegionCache c;
    MemTxResult result = 0x55;

    stage_add(bus.root, 0x1000, d->mr);
    d->show_attrs = d->show_lock = true;
    check_number(cache_of(&c, bus, 0x1010, 0x20, WRITE), 0x20);
    check_number(address_space_ldl_be_cached(&c, 4, (MemTxAttrs) { .secure = 1 }, &result), 0x14151617);
    check_number(result, OK);
    check_calls(d, "read 0x14+4 attrs(secure 0) locked\n");
    check_cached(&c, 1, 2, OK, "11 12");
    check_calls(d, "read 0x11+1 attrs(unspecified 0) locked\nread 0x12+1 attrs(unspecified 0) locked\n");
    d->result = FAILED;
    qemu_mutex_unlock_iothread();
    rcu_read_lock();
    check_number(address_space_write_cached(&c, 8, "\1", 1), FAILED);
    rcu_read_unlock();
    check(!qemu_mutex_iothread_locked());
    qemu_mutex_lock_iothread();
    check_calls(d, "write 0x18+1=0x1 attrs(unspecified 0) locked\n");
    d->show_attrs = d->show_lock = false;
    check_load(address_space_ldl_le_cached, &c, 1, 0, DECODE);
    check_load(address_space_ldl_le_cached_slow, &c, 4, 0x17161514, FAILED);
    check_store(address_space_stw_be_cached, &c, 4, 0x1234, FAILED);
    check_calls(d, "read 0x14+4\nwrite 0x14+2=0x3412\n");
    address_space_cache_destroy(&c);
}

static void slow_rom_and_holes(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    MemoryRegionCache c;

    fill_counting(ram_bytes(rom), 0x1000, 0x20);
    stage_add(bus.root, 0, rom);
    check_number(cache_of(&c, bus, 0, 0x10, WRITE), 0x10);
    check_cached(&c, 1, 4, OK, "21 22 23 24");
    check_load(address_space_ldl_le_cached, &c, 1, 0x24232221, OK);
    check_store(address_space_stb_cached, &c, 1, 9, DECODE);
    check_number(address_space_write_cached(&c, 1, "abcd", 4), DECODE);
    check_bytes(ram_bytes(rom), 4, "20 21 22 23");
    address_space_cache_destroy(&c);
    check_number(cache_of(&c, bus, 0x2000, 0x10, WRITE), 0x10);
    check_cached(&c, 0, 12, DECODE, "00 00 00 00 00 00 00 00 00 00 00 00");
    check_load(address_space_ldub_cached, &c, 0, 0, DECODE);
    check_number(address_space_write_cached(&c, 0, "ab", 2), DECODE);
    address_space_cache_destroy(&c);
}

static void slow_transfers_stay_in_the_cache(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE);
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0x40);
    MemoryRegionCache c;

    stage_add(bus.root, 0, ram);
    stage_add(bus.root, 0x4000, d->mr);
    check_number(cache_of(&c, bus, 0x4000, 0x100, WRITE), 0x100);
    check_cached(&c, 0, 12, OK, "00 01 02 03 04 05 06 07 08 09 0a 0b");
    check_calls(d, "read 0x0+4\nread 0x4+4\nread 0x8+4\n");
    check_number(address_space_write_cached(&c, 0, "abcdefghijkl", 12), OK);
    check_calls(d, "write 0x0+4=0x64636261\nwrite 0x4+4=0x68676665\nwrite 0x8+4=0x6c6b6a69\n");
    check_bytes(ram_bytes(ram), 12, "40 41 42 43 44 45 46 47 48 49 4a 4b");
    address_space_cache_destroy(&c);
}

static void slow_transfers_through_an_iommu(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x4000, TABLE_PLAIN);
    MemoryRegion *near = ram_counting("near", 0x10000, 0x40);
    MemoryRegionCache c;

    stage_add(bus.root, 0, near);
    stage_add(bus.root, 0x10000, table_region(t));
    stage_add(target.root, 0, ram_counting("far", 0x4000, 0x80));
    table_map(t, 0, 0x1000, target.as, 0x2000, 0xfff, IOMMU_RW);
    table_map(t, 0x1000, 0x1000, target.as, 0x1000, 0xfff, IOMMU_RW);
    check_number(cache_of(&c, bus, 0x10ff0, 0x100, WRITE), 0x100);
    check_cached(&c, 0xe, 4, OK, "7e 7f 80 81");
    check_number(address_space_write_cached(&c, 0xf, "ab", 2), OK);
    check_cached(&c, 0xe, 4, OK, "7e 61 62 81");
    check_bytes(ram_bytes(near), 2, "40 41");
    address_space_cache_destroy(&c);
}

/* Which table counts is a matter of the attributes. */
static void scalars_by_attributes(void)
{
    const MemTxAttrs secure = { .secure = 1 };
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x1000, TABLE_FULL);
    MemTxResult result = MEMTX_ERROR;
    MemoryRegionCache c;

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, ram_counting("all", 0x1000, 0x10));
    stage_add(target.root, 0x1000, ram_counting("secure", 0x1000, 0x80));
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RW);
    table_map(t, 0, 0x1000, target.as, 0x1000, 0xfff, IOMMU_RW);
    t->entries[1].index = 1;
    check_number(cache_of(&c, bus, 0, 0x1000, WRITE), 0x1000);
    check_number(address_space_ldl_le_cached(&c, 4, secure, &result), 0x87868584);
    check_number(result, OK);
    address_space_stl_le_cached(&c, 8, 1, secure, &result);
    check_number(result, OK);
    check_number(address_space_ldl_le_cached(&c, 8, secure, NULL), 1);
    check_number(address_space_ldl_le_cached(&c, 8, PLAIN, NULL), 0x1b1a1918);
    address_space_cache_destroy(&c);
}

/* ROM behind an IOMMU, and pages for one direction: each access asks for its own. */
static void slow_directions(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x3000, TABLE_PLAIN);
    MemoryRegion *rom = stage_rom("rom", 0x1000), *ram = ram_counting("ram", 0x1000, 0x40);
    MemoryRegionCache c;

    fill_counting(ram_bytes(rom), 0x1000, 0x20);
    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, rom);
    stage_add(target.root, 0x1000, ram);
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RW);
    table_map(t, 0x1000, 0x1000, target.as, 0x1000, 0xfff, IOMMU_RO);
    table_map(t, 0x2000, 0x1000, target.as, 0x1000, 0xfff, IOMMU_WO);
    check_number(cache_of(&c, bus, 0, 0x3000, WRITE), 0x3000);
    check_load(address_space_ldl_le_cached, &c, 0, 0x23222120, OK);
    check_load(address_space_ldub_cached, &c, 1, 0x21, OK);
    check_cached(&c, 0, 2, OK, "20 21");
    check_store(address_space_stl_be_cached, &c, 0, 0, DECODE);
    check_number(address_space_write_cached(&c, 0, "ab", 2), DECODE);
    check_load(address_space_lduw_be_cached, &c, 0x1000, 0x4041, OK);
    check_cached(&c, 0x1000, 2, OK, "40 41");
    check_store(address_space_stb_cached, &c, 0x1000, 0, DECODE);
    check_number(address_space_write_cached(&c, 0x1000, "ab", 2), DECODE);
    check_load(address_space_ldq_le_cached, &c, 0x2000, 0, DECODE);
    check_cached(&c, 0x2000, 2, DECODE, "00 00");
    check_store(address_space_stb_cached, &c, 0x2000, 0x99, OK);
    check_number(address_space_write_cached(&c, 0x2001, "ab", 2), OK);
    check_bytes(ram_bytes(ram), 4, "99 61 62 43");
    address_space_cache_destroy(&c);
}

/* R-ACC-19, with a length that no compiler knows: it would move a few bytes through registers whatever it is told. */
static void from_the_memory_itself(void)
{
    volatile hwaddr unknown = 0x400;
    const hwaddr length = unknown;
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0);
    uint8_t *host = memory_region_get_ram_ptr(ram), expected[0x480];
    MemoryRegionCache cache;

    stage_add(bus.root, 0, ram);
    check_number(cache_of(&cache, bus, 0, 0x1000, WRITE), 0x1000);
    memcpy(expected, host, sizeof(expected));
    check_number(address_space_write_cached(&cache, 0x40, host, length), OK);
    memmove(expected + 0x40, expected, length);
    check(memcmp(host, expected, sizeof(expected)) == 0);
    check_number(address_space_read_cached(&cache, 0x41, host, length), OK);
    memmove(expected, expected + 0x41, length);
    check(memcmp(host, expected, sizeof(expected)) == 0);
    check_number(address_space_write_cached_slow(&cache, 1, host, length), OK);
    memmove(expected + 1, expected, length);
    check(memcmp(host, expected, sizeof(expected)) == 0);
    check_number(address_space_read_cached_slow(&cache, 7, host, length), OK);
    memmove(expected, expected + 7, length);
    check(memcmp(host, expected, sizeof(expected)) == 0);
    address_space_cache_destroy(&cache);
}

static void length_zero(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE, .accepts = true);
    MemoryRegionCache slow, fast;

    stage_add(bus.root, 0, d->mr);
    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    check_number(cache_of(&slow, bus, 0, 0x10, WRITE), 0x10);
    check_number(cache_of(&fast, bus, 0x1000, 0x10, WRITE), 0x10);
    check_number(address_space_read_cached(&slow, 0xf, NULL, 0), OK);
    check_number(address_space_write_cached(&slow, 0, NULL, 0), OK);
    check_number(address_space_read_cached(&fast, 0xf, (uint8_t[1]) { 0 }, 0), OK);
    check_number(address_space_read_cached_slow(&slow, 4, NULL, 0), OK);
    check_calls(d, "");
    address_space_cache_destroy(&slow);
    address_space_cache_destroy(&fast);
}

static void slow_scalars_over_a_page(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x4000, TABLE_PLAIN);
    Device *d = device("dev", 0x1000, LITTLE, .valid_unaligned = true);
    MemoryRegionCache c;

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, ram_counting("far", 0x4000, 0x80));
    stage_add(target.root, 0x4000, d->mr);
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RW);
    table_map(t, 0x1000, 0x1000, target.as, 0x4000, 0xfff, IOMMU_RW);
    table_map(t, 0x2000, 0x2000, target.as, 0x2000, 0xfff, IOMMU_RW);
    check_number(cache_of(&c, bus, 0, 0x4000, WRITE), 0x4000);
    check_load(address_space_ldl_le_cached, &c, 0xffe, 0, DECODE);
    check_store(address_space_stl_le_cached, &c, 0xffe, 0, DECODE);
    check_load(address_space_ldl_le_cached, &c, 0xffc, 0x7f7e7d7c, OK);
    check_load(address_space_ldl_le_cached, &c, 0x1ffe, 0x0100fffe, OK);
    check_calls(d, "read 0xffe+4\n");
    address_space_cache_destroy(&c);
}

/* ---- R-CCH-9, R-CCH-10: invalidate and destroy ---- */

static void invalidate_of_a_slow_cache(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE, .accepts = true);
    MemoryRegionCache c;

    stage_add(bus.root, 0, d->mr);
    check_number(cache_of(&c, bus, 0, 0x10, WRITE), 0x10);
    address_space_cache_invalidate(&c, 0, 0x10);
    check_calls(d, "");
    address_space_cache_destroy(&c);
}

static void destroying_what_is_empty(void)
{
    Bus bus = bus_new("as");
    MemoryRegionCache empty = MEMORY_REGION_CACHE_INVALID, c;
    Object *owner = stage_owner("owner");
    unsigned before;

    stage_set_owner(owner);
    stage_add(bus.root, 0, stage_ram("ram", 0x1000));
    address_space_cache_destroy(&empty);
    address_space_cache_destroy(&empty);
    before = stage_owner_references(owner);
    check_number(cache_of(&c, bus, 0, 0x10, READ), 0x10);
    check(stage_owner_references(owner) > before);
    address_space_cache_destroy(&c);
    check_number(stage_owner_references(owner), before);
    address_space_cache_destroy(&c);
    check_number(stage_owner_references(owner), before);
    check_number(cache_of(&c, bus, 0x100, 0x10, READ), 0x10);
    address_space_cache_destroy(&c);
}

/* ---- INV-13 ---- */

static void caches_are_the_address_space(void)
{
    uint64_t state = 13;

    for (int round = 0; round < 60; round++) {
        Bus bus = bus_new("as");
        Device *d = device("dev", 0x100, .order = (enum device_endian)random_below(&state, 3),
                           .with_attrs = true, .valid_max = 1u << random_below(&state, 4),
                           .impl_max = 1u << random_below(&state, 4));
        MemoryRegion *rom = stage_rom("rom", 0x100);
        hwaddr base, size;
        MemoryRegionCache c;

        fill_counting(ram_bytes(rom), 0x100, 0x33);
        stage_add(bus.root, 0, ram_counting("ram", 0x100, 0x11));
        stage_add(bus.root, 0x100, d->mr);
        stage_add(bus.root, 0x200, rom);
        d->result = random_below(&state, 2) ? FAILED : OK;
        base = random_below(&state, 3) * 0x100 + random_below(&state, 0x40);
        size = (hwaddr)cache_of(&c, bus, base, 1 + random_below(&state, 0x80), WRITE);
        for (int i = 0; i < 30; i++) {
            /* Devices: no chunk that runs over the end of the cache. */
            hwaddr offset = random_below(&state, size), n = 1 + random_below(&state, size - offset);
            uint8_t cached[0x100], straight[0x100];
            MemTxResult one = 0x55, other = 0x55;
            char *calls;

            check_number(address_space_read_cached(&c, offset, cached, n),
                         address_space_rw(bus.as, base + offset, PLAIN, straight, n, READ));
            check(memcmp(cached, straight, n) == 0);
            g_string_truncate(d->log, 0);
            address_space_read_cached(&c, offset, cached, n);
            calls = g_strdup(d->log->str);
            g_string_truncate(d->log, 0);
            address_space_rw(bus.as, base + offset, PLAIN, straight, n, READ);
            check_calls(d, calls);
            g_free(calls);
            fill_counting(cached, n, (unsigned)random_next(&state));
            check_number(address_space_write_cached(&c, offset, cached, n),
                         address_space_write(bus.as, base + offset, PLAIN, cached, n));
            if (n >= 4) {
                check_number(address_space_ldl_be_cached(&c, offset, PLAIN, &one),
                             address_space_ldl_be(bus.as, base + offset, PLAIN, &other));
                check_number(one, other);
            }
            g_string_truncate(d->log, 0);
        }
        address_space_cache_destroy(&c);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-CCH-1/offsets-count-from-the-start", offsets_count_from_the_start);
    conformance_case("/R-CCH-2/usable-lengths", usable_lengths);
    conformance_case("/R-CCH-2/attributes-do-not-end-it", attributes_do_not_end_a_fast_cache);
    conformance_case("/R-CCH-3/topology-does-not-move-it", topology_does_not_move_it);
    conformance_case("/R-CCH-3/keeps-the-owner", it_keeps_the_owner_alive);
    conformance_case("/R-CCH-3/the-last-one-takes-the-lock", the_last_one_takes_the_lock);
    conformance_case("/R-CCH-3/holds-the-view", it_holds_the_view);
    conformance_case("/R-CCH-3/iommu-changes-are-seen", iommu_changes_are_seen);
    conformance_case("/R-CCH-4/fast-accesses", fast_accesses);
    conformance_case("/R-CCH-11/names", fast_accesses);
    conformance_case("/R-CCH-5/fast-results", fast_results);
    conformance_case("/R-CCH-6/devices", slow_accesses_of_devices);
    conformance_case("/R-CCH-6/rom-and-holes", slow_rom_and_holes);
    conformance_case("/R-CCH-6/directions", slow_directions);
    conformance_case("/R-CCH-6/scalars-by-attributes", scalars_by_attributes);
    conformance_case("/R-CCH-7/stay-in-the-cache", slow_transfers_stay_in_the_cache);
    conformance_case("/R-CCH-7/through-an-iommu", slow_transfers_through_an_iommu);
    conformance_case("/R-ACC-19/caches-from-the-memory-itself", from_the_memory_itself);
    conformance_case("/R-CCH-8/length-zero", length_zero);
    conformance_case("/R-CCH-9/slow-cache", invalidate_of_a_slow_cache);
    conformance_case("/R-CCH-10/empty-ones", destroying_what_is_empty);
    conformance_case("/R-CCH-12/over-a-page", slow_scalars_over_a_page);
    conformance_case("/INV-13/caches-are-the-address-space", caches_are_the_address_space);
    return g_test_run();
}
