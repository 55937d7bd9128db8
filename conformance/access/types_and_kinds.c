/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results, attributes and MemOps (R-TYP), and what each kind of region does (R-RGN). */
#include "common/access.h"

#include <string.h>

/* ---- R-TYP: types ---- */

G_STATIC_ASSERT(MEMTX_OK == 0 && MEMTX_ERROR == 1 && MEMTX_DECODE_ERROR == 2 && MEMTX_ACCESS_ERROR == 4);
G_STATIC_ASSERT(sizeof(MemTxResult) == 4);
G_STATIC_ASSERT(DEVICE_NATIVE_ENDIAN == 0 && DEVICE_BIG_ENDIAN == 1 && DEVICE_LITTLE_ENDIAN == 2);
G_STATIC_ASSERT(MO_8 == 0 && MO_16 == 1 && MO_32 == 2 && MO_64 == 3 && MO_SIGN == 8 && MO_BSWAP == 0x10);

/* RAM, a device that fails, a hole. */
static void results_are_united(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 4, .with_attrs = true);

    stage_add(bus.root, 0x1000, ram_counting("ram", 0x1000, 0));
    stage_add(bus.root, 0x2000, d->mr);
    d->result = FAILED;
    check_read(bus.as, 0x1ffc, 12, 3, "fc fd fe ff 00 01 02 03 00 00 00 00");
    check_write(bus.as, 0x1ffc, 12, 0, 3);
    d->result = OK;
    check_read(bus.as, 0x1ffc, 12, 2, "00 01 02 03 04 05 06 07 00 00 00 00");
    check_read(bus.as, 0x1ffc, 8, 0, "00 01 02 03 04 05 06 07");
}

static void results_of_devices_pass_unchanged(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, .with_attrs = true);

    stage_add(bus.root, 0, d->mr);
    device_answer(d, 1, 0x80000000u);
    device_answer(d, 2, FORBIDDEN);
    device_answer(d, 3, DECODE);
    check_read(bus.as, 0, 12, 0x80000006u, "01 00 00 00 02 00 00 00 03 00 00 00");
    device_answer(d, 4, 0x100);
    check_load(address_space_ldl_le, bus.as, 0, 4, 0x100);
}

static void core_never_says_error(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, .valid_max = 2);

    stage_add(bus.root, 0, d->mr);
    stage_add(bus.root, 0x1000, stage_rom("rom", 0x1000));
    check_load(address_space_ldl_le, bus.as, 0, 0, DECODE);
    check_load(address_space_ldl_le, bus.as, 0x100, 0, DECODE);
    check_write(bus.as, 0x1000, 4, 0, DECODE);
    check_read_attrs(bus.as, 0, ((MemTxAttrs) { .memory = 1 }), 2, FORBIDDEN, "cc cc");
}

static void plain_callbacks_cannot_fail(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10);

    stage_add(bus.root, 0, d->mr);
    d->result = FAILED;
    check_load(address_space_ldl_le, bus.as, 4, 0x07060504, OK);
    check_store(address_space_stl_le, bus.as, 4, 1, OK);
    check_read(bus.as, 0, 4, OK, "00 01 02 03");
}

static void attributes_travel_unchanged(void)
{
    static const struct {
        MemTxAttrs attrs;
        const char *text;
    } cases[] = {
        { { .unspecified = 1 }, "unspecified 0" },
        { { .secure = 1, .requester_id = 0xffff }, "secure ffff" },
        { { .user = 1, .requester_id = 0x8001 }, "user 8001" },
        { { .byte_swap = 1 }, "0 byte_swap" },
        { { .target_tlb_bit0 = 1, .target_tlb_bit2 = 1 }, "0 bit0 bit2" },
        { { .target_tlb_bit1 = 1 }, "0 bit1" },
        { { 0 }, "0" },
    };
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, .with_attrs = true, .accepts = true);

    stage_add(bus.root, 0, d->mr);
    d->show_attrs = true;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *t = cases[i].text;
        char *reads = g_strdup_printf("accepts read 0x0+4 attrs(%s)\nread 0x0+4 attrs(%s)\n", t, t);
        char *writes = g_strdup_printf("accepts write 0x0+4 attrs(%s)\nwrite 0x0+4=0x1 attrs(%s)\n", t, t);
        uint32_t word = 0;

        address_space_rw(bus.as, 0, cases[i].attrs, &word, 4, READ);
        check_calls(d, reads);
        address_space_ldl_le(bus.as, 0, cases[i].attrs, NULL);
        check_calls(d, reads);
        address_space_stl_le(bus.as, 0, 1, cases[i].attrs, NULL);
        check_calls(d, writes);
        word = cpu_to_le32(1);
        address_space_write(bus.as, 0, cases[i].attrs, &word, 4);
        check_calls(d, writes);
        g_free(reads);
        g_free(writes);
    }
}

static void attributes_choose_the_table(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x1000, TABLE_FULL);
    MemoryRegion *ram = ram_counting("ram", 0x2000, 0);

    stage_add(target.root, 0, ram);
    stage_add(bus.root, 0, table_region(t));
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RW);
    table_map(t, 0, 0x1000, target.as, 0x1000, 0xfff, IOMMU_RW);
    t->entries[1].index = 1;
    ram_bytes(ram)[0x1000] = 0xee;
    check_read_attrs(bus.as, 0, ((MemTxAttrs) { .secure = 1 }), 1, OK, "ee");
    check_read(bus.as, 0, 1, OK, "00");
}

static void unspecified_is_one_bit(void)
{
    const MemTxAttrs a = MEMTXATTRS_UNSPECIFIED;

    check_number(a.unspecified, 1);
    check_number(a.secure | a.user | a.memory | a.requester_id | a.byte_swap | a.target_tlb_bit0 |
                 a.target_tlb_bit1 | a.target_tlb_bit2, 0);
}

static void sign_and_alignment_are_ignored(void)
{
    Device *d = device("dev", 0x10, .valid_unaligned = true);
    uint64_t value = 0;

    d->bytes[3] = 0xff;
    d->bytes[4] = 0xfe;
    check_number(memory_region_dispatch_read(d->mr, 3, &value, MO_SB, PLAIN), OK);
    check_number(value, 0xff);
    check_number(memory_region_dispatch_read(d->mr, 3, &value, MO_LE | MO_SW, PLAIN), OK);
    check_number(value, 0xfeff);
    check_number(memory_region_dispatch_read(d->mr, 3, &value, MO_LE | MO_32 | 2 << MO_ASHIFT, PLAIN), OK);
    check_number(value, 0x0605feff);
    check_number(memory_region_dispatch_write(d->mr, 1, 0x1234, MO_LE | MO_SW | MO_AMASK, PLAIN), OK);
    check_calls(d, "read 0x3+1\nread 0x3+2\nread 0x3+4\nwrite 0x1+2=0x1234\n");
}

static void orders_of_memop(void)
{
    check_number(MO_TE, MO_LE);
    check_number(MO_LE ^ MO_BE, MO_BSWAP);
    check_number(DEVICE_HOST_ENDIAN == DEVICE_LITTLE_ENDIAN ? MO_LE : MO_BE, 0);
}

static void sizes_of_memop(void)
{
    static const unsigned sizes[] = { 1, 2, 4, 8 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_number(size_memop(sizes[i]), i);
        check_number(memop_size((MemOp)i), sizes[i]);
        check_number(memop_size((MemOp)(i | MO_SIGN | MO_BSWAP | MO_AMASK)), sizes[i]);
    }
}

static void orders_of_devices(void)
{
    check_number(devend_memop(DEVICE_LITTLE_ENDIAN), MO_LE);
    check_number(devend_memop(DEVICE_BIG_ENDIAN), MO_BE);
    check_number(devend_memop(DEVICE_NATIVE_ENDIAN), MO_LE);
}

static void silent_tables_are_native(void)
{
    Device *d = device("dev", 0x10), *little = device("little", 0x10, .order = DEVICE_LITTLE_ENDIAN);
    uint64_t value = 0, same = 1;

    device_answer(d, 0x03020100, OK);
    device_answer(little, 0x03020100, OK);
    memory_region_dispatch_read(d->mr, 0, &value, MO_BE | MO_32, PLAIN);
    memory_region_dispatch_read(little->mr, 0, &same, MO_BE | MO_32, PLAIN);
    check_number(value, 0x00010203);
    check_number(same, 0x00010203);
}

/* ---- R-RGN: kinds ---- */

static void rom_refuses_writes(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    uint32_t word = 0;

    fill_counting(ram_bytes(rom), 0x1000, 0x10);
    stage_add(bus.root, 0, rom);
    check_store(address_space_stl_le, bus.as, 0, 0xdeadbeef, DECODE);
    check_store(address_space_stb, bus.as, 0, 0xef, DECODE);
    check_write(bus.as, 0, 8, 0x80, DECODE);
    check_number(address_space_rw(bus.as, 0, PLAIN, &word, 4, WRITE), DECODE);
    check_read(bus.as, 0, 8, OK, "10 11 12 13 14 15 16 17");
    check_load(address_space_ldl_le, bus.as, 0, 0x13121110, OK);
}

/* The section says read-only, the region does not: writes go through. */
static void inherited_readonly_stops_nothing(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *box = stage_container("box", 0x1000), *ram = stage_ram("ram", 0x1000);
    MemoryRegion *window = stage_alias("window", ram, 0, 0x1000);
    MemoryRegionCache cache;
    hwaddr plen = 0x1000;
    void *mapped;

    stage_add(box, 0, ram);
    stage_add(bus.root, 0, box);
    stage_add(bus.root, 0x1000, window);
    memory_region_set_readonly(box, true);
    memory_region_set_readonly(window, true);
    check_view(bus.as, "ram[0,0x1000) ro, ram[0x1000,0x2000) ro");
    check_write(bus.as, 0, 4, 0x10, OK);
    check_store(address_space_stb, bus.as, 4, 0x14, OK);
    check_write(bus.as, 0x1005, 1, 0x15, OK);
    check_bytes(ram_bytes(ram), 7, "10 11 12 13 14 15 00");
    mapped = address_space_map(bus.as, 0x1000, &plen, WRITE, PLAIN);
    check_pointer(mapped, ram_bytes(ram));
    address_space_unmap(bus.as, mapped, plen, WRITE, 0);
    check_number(address_space_cache_init(&cache, bus.as, 0, 0x1000, WRITE), 0x1000);
    check_number(address_space_write_cached(&cache, 6, "\x16", 1), OK);
    check_number(ram_bytes(ram)[6], 0x16);
    address_space_cache_destroy(&cache);
}

static void reservation_occupies_and_refuses(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0x10), *mine = stage_io_ops("mine", 8, NULL, NULL);

    stage_add(bus.root, 0, ram);
    stage_add_overlap(bus.root, 4, mine, 1);
    check_view(bus.as, "ram[0,0x4), mine[0x4,0xc), ram[0xc,0x1000)@0xc");
    check_find(bus.root, 4, 1, "mine[0x4,0x5)");
    check_read(bus.as, 4, 8, DECODE, "00 00 00 00 00 00 00 00");
    check_write(bus.as, 4, 8, 0x80, DECODE);
    check_load(address_space_ldl_le, bus.as, 4, 0, DECODE);
    check_store(address_space_stl_le, bus.as, 4, 1, DECODE);
    check_bytes(ram_bytes(ram) + 4, 8, "14 15 16 17 18 19 1a 1b");
}

static void romd_toggle_is_about_reads(void)
{
    Bus bus = bus_new("as");
    Device *d = device_rom("flash", 0x1000, (DeviceOptions) { .order = DEVICE_LITTLE_ENDIAN });

    fill_counting(ram_bytes(d->mr), 0x1000, 0x40);
    stage_add(bus.root, 0, d->mr);
    check_read(bus.as, 0, 4, OK, "40 41 42 43");
    check_load(address_space_ldl_le, bus.as, 0, 0x43424140, OK);
    check_calls(d, "");
    check_write(bus.as, 0, 4, 0x10, OK);
    check_store(address_space_stl_le, bus.as, 8, 1, OK);
    check_calls(d, "write 0x0+4=0x13121110\nwrite 0x8+4=0x1\n");
    check_read(bus.as, 0, 4, OK, "40 41 42 43");
    memory_region_rom_device_set_romd(d->mr, false);
    check_read(bus.as, 0, 4, OK, "10 11 12 13");
    check_load(address_space_ldl_le, bus.as, 0, 0x13121110, OK);
    check_calls(d, "read 0x0+4\nread 0x0+4\n");
    check_write(bus.as, 0, 4, 0x20, OK);
    check_calls(d, "write 0x0+4=0x23222120\n");
    check_bytes(ram_bytes(d->mr), 4, "40 41 42 43");
}

/*
 *   0x1000           0x2000           0x3000           0x4000
 *   | flash          | cover          | flash          |
 */
static Device *half_hidden_flash(Bus bus, MemoryRegion *cover)
{
    Device *d = device_rom("flash", 0x3000, (DeviceOptions) { .order = DEVICE_LITTLE_ENDIAN });

    fill_counting(ram_bytes(d->mr), 0x3000, 0);
    stage_add(bus.root, 0x1000, d->mr);
    stage_add_overlap(bus.root, 0x2000, cover, 1);
    return d;
}

static void romd_reads_end_with_the_range(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0x80);
    Device *d = half_hidden_flash(bus, ram);
    MemoryRegionCache cache;
    hwaddr plen = 0x4000;
    void *mapped;

    check_read(bus.as, 0x1ffc, 8, OK, "fc fd fe ff 80 81 82 83");
    check_translate(bus.as, 0x1ffc, 8, READ, "flash@0xffc+0x4");
    check_load(address_space_ldl_le, bus.as, 0x1ffe, 0, DECODE);
    check_load(address_space_ldl_le, bus.as, 0x1ffc, 0xfffefdfc, OK);
    mapped = address_space_map(bus.as, 0x1000, &plen, READ, PLAIN);
    check_number(plen, 0x1000);
    check_pointer(mapped, ram_bytes(d->mr));
    address_space_unmap(bus.as, mapped, plen, READ, plen);
    check_number(address_space_cache_init(&cache, bus.as, 0x1000, 0x4000, READ), 0x1000);
    check_load(address_space_ldl_le_cached, &cache, 4, 0x07060504, OK);
    address_space_cache_destroy(&cache);
    check_calls(d, "");
}

static void romd_write_rom_ends_with_the_range(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0x80);
    Device *d = half_hidden_flash(bus, ram);

    check_number(address_space_write_rom(bus.as, 0x1ffc, PLAIN, "abcdefgh", 8), OK);
    check_bytes(ram_bytes(d->mr) + 0xffc, 8, "61 62 63 64 00 01 02 03");
    check_bytes(ram_bytes(ram), 5, "65 66 67 68 84");
    /* ... and with the memory behind the region. */
    check_number(address_space_write_rom(bus.as, 0x3ffe, PLAIN, "ijkl", 4), OK);
    check_bytes(ram_bytes(d->mr) + 0x2ffe, 2, "69 6a");
}

static void romd_access_valid_ends_with_the_range(void)
{
    Bus bus = bus_new("as");

    half_hidden_flash(bus, stage_io_ops("refusing", 0x1000, NULL, NULL));
    check(address_space_access_valid(bus.as, 0x1000, 0x1000, READ, PLAIN));
    check(!address_space_access_valid(bus.as, 0x1ffc, 8, READ, PLAIN));
    check(address_space_access_valid(bus.as, 0x3000, 0x1000, READ, PLAIN));
    check(!address_space_access_valid(bus.as, 0x3000, 0x1001, READ, PLAIN));
}

static MemoryRegion *ram_device(const char *name, uint64_t size, void *host)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_device_ptr(mr, NULL, name, size, host);
    return stage_adopt(mr, NULL);
}

static void ram_device_in_any_size_and_place(void)
{
    Bus bus = bus_new("as");
    uint8_t *host = stage_storage(0x1000);
    hwaddr plen = 0x1000;
    void *mapped;

    fill_counting(host, 0x1000, 0);
    stage_add(bus.root, 0, ram_device("bar", 0x1000, host));
    check_read(bus.as, 1, 7, OK, "01 02 03 04 05 06 07");
    check_write(bus.as, 0x11, 7, 0xa0, OK);
    check_bytes(host + 0x10, 9, "10 a0 a1 a2 a3 a4 a5 a6 18");
    check_load(address_space_ldub, bus.as, 0x21, 0x21, OK);
    check_load(address_space_lduw_be, bus.as, 0x21, 0x2122, OK);
    check_load(address_space_ldl_le, bus.as, 0x21, 0x24232221, OK);
    check_load(address_space_ldq_le, bus.as, 0x23, 0x2a29282726252423, OK);
    check_load(address_space_ldq_be, bus.as, 0x23, 0x232425262728292a, OK);
    check_store(address_space_stq_le, bus.as, 0x31, 0x0807060504030201, OK);
    check_store(address_space_stw_be, bus.as, 0x39, 0x090a, OK);
    check_bytes(host + 0x30, 12, "30 01 02 03 04 05 06 07 08 09 0a 3b");
    mapped = address_space_map(bus.as, 0x40, &plen, READ, PLAIN);
    check(mapped != host + 0x40);
    check_number(plen, 0xfc0);
    check_bytes(mapped, 4, "40 41 42 43");
    address_space_unmap(bus.as, mapped, plen, READ, plen);
}

static void ram_device_by_dispatch(void)
{
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *bar = ram_device("bar", 0x1000, host);
    uint64_t value = 0;

    fill_counting(host, 0x1000, 0);
    check_number(memory_region_dispatch_read(bar, 3, &value, MO_LE | MO_64, PLAIN), OK);
    check_number(value, 0x0a09080706050403);
    check_number(memory_region_dispatch_read(bar, 3, &value, MO_BE | MO_16, PLAIN), OK);
    check_number(value, 0x0304);
    check_number(memory_region_dispatch_write(bar, 5, 0x55667788, MO_LE | MO_32, PLAIN), OK);
    check_bytes(host + 4, 6, "04 88 77 66 55 09");
}

/* The end is that of the region, and of the memory where the region was made larger. */
static void ram_device_ends_by_dispatch(void)
{
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *bar = ram_device("bar", 0x1000, host);
    const MemOp op = MO_LE | MO_32;
    static const struct { uint64_t size; hwaddr last; } ends[] = {
        { 0x1000, 0xffc }, { 0x800, 0x7fc }, { 0x2000, 0xffc },
    };

    fill_counting(host, 0x1000, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        const hwaddr last = ends[i].last;
        uint64_t value = 0x55;

        memory_region_set_size(bar, ends[i].size);
        check_number(memory_region_dispatch_read(bar, last, &value, op, PLAIN), OK);
        check_number(value, 0xfffefdfc);
        check_number(memory_region_dispatch_read(bar, last + 1, &value, op, PLAIN), DECODE);
        check_number(value, 0);
        check_number(memory_region_dispatch_write(bar, last + 1, 0, op, PLAIN), DECODE);
        check_number(memory_region_dispatch_write(bar, UINT64_MAX, 0, op, PLAIN), DECODE);
        check_bytes(host + last, 4, "fc fd fe ff");
    }
}

/* Nothing behind the region: the address sanitizer watches the host's buffer. */
static void ram_device_scalars_end_with_it(void)
{
    Bus bus = bus_new("as");
    uint8_t *host = stage_storage(0x1000);

    fill_counting(host, 0x1000, 0);
    stage_add(bus.root, 0, ram_device("bar", 0x1000, host));
    check_load(address_space_ldl_le, bus.as, 0xffe, 0, DECODE);
    check_load(address_space_ldq_be, bus.as, 0xff9, 0, DECODE);
    check_load(address_space_lduw_le, bus.as, 0xfff, 0, DECODE);
    check_load(address_space_lduw_le, bus.as, 0xffe, 0xfffe, OK);
    check_store(address_space_stl_le, bus.as, 0xffe, 0, DECODE);
    check_store(address_space_stq_le, bus.as, 0xffc, 0, DECODE);
    check_bytes(host + 0xff8, 8, "f8 f9 fa fb fc fd fe ff");
}

static void regions_decode_by_the_byte(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 3, .order = DEVICE_LITTLE_ENDIAN);

    stage_add(bus.root, 0x1000, ram_counting("ram", 0x10, 0x80));
    stage_add_overlap(bus.root, 0x1005, d->mr, 1);
    check_read(bus.as, 0x1004, 1, OK, "84");
    check_read(bus.as, 0x1005, 1, OK, "00");
    check_read(bus.as, 0x1007, 1, OK, "02");
    check_read(bus.as, 0x1008, 1, OK, "88");
    check_read(bus.as, 0x100f, 1, OK, "8f");
    check_read(bus.as, 0x1010, 1, DECODE, "00");
    check_read(bus.as, 0xfff, 1, DECODE, "00");
}

static void holes_and_containers_refuse(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0x1000, stage_container("box", 0x1000));
    check_read(bus.as, 0x1000, 4, DECODE, "00 00 00 00");
    check_write(bus.as, 0x1000, 4, 0, DECODE);
    check_load(address_space_ldq_le, bus.as, 0x1000, 0, DECODE);
    check_store(address_space_stq_le, bus.as, 0, 1, DECODE);
}

/* The last column of the table of kinds. */
static void dispatch_straight_on_it(void)
{
    Device *d = device_rom("flash", 0x1000, (DeviceOptions) { .order = DEVICE_LITTLE_ENDIAN });
    MemoryRegion *refusing[] = {
        ram_counting("ram", 0x1000, 1),
        stage_rom("rom", 0x1000),
        stage_io_ops("mine", 0x1000, NULL, NULL),
        table_region(table_new("iommu", 0x1000, TABLE_PLAIN)),
        stage_container("box", 0x1000),
    };
    uint64_t value;

    for (size_t i = 0; i < G_N_ELEMENTS(refusing); i++) {
        value = 0x55;
        check_number(memory_region_dispatch_read(refusing[i], 0, &value, MO_LE | MO_32, PLAIN), DECODE);
        check_number(value, 0);
        check_number(memory_region_dispatch_write(refusing[i], 0, 0xff, MO_LE | MO_32, PLAIN), DECODE);
    }
    check_bytes(ram_bytes(refusing[0]), 4, "01 02 03 04");
    /* The callbacks even in ROMD mode. */
    check_number(memory_region_dispatch_read(d->mr, 4, &value, MO_LE | MO_32, PLAIN), OK);
    check_number(value, 0x07060504);
    check_number(memory_region_dispatch_write(d->mr, 4, 1, MO_LE | MO_32, PLAIN), OK);
    check_calls(d, "read 0x4+4\nwrite 0x4+4=0x1\n");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-TYP-1/results-are-united", results_are_united);
    conformance_case("/R-TYP-1/devices-bits-pass", results_of_devices_pass_unchanged);
    conformance_case("/R-TYP-2/core-never-says-error", core_never_says_error);
    conformance_case("/R-TYP-2/plain-callbacks-cannot-fail", plain_callbacks_cannot_fail);
    conformance_case("/R-TYP-3/attributes-travel-unchanged", attributes_travel_unchanged);
    conformance_case("/R-TYP-3/attributes-choose-the-table", attributes_choose_the_table);
    conformance_case("/R-TYP-3/unspecified-is-one-bit", unspecified_is_one_bit);
    conformance_case("/R-TYP-4/sign-and-alignment-are-ignored", sign_and_alignment_are_ignored);
    conformance_case("/R-TYP-4/orders", orders_of_memop);
    conformance_case("/R-TYP-5/sizes", sizes_of_memop);
    conformance_case("/R-TYP-6/orders-of-devices", orders_of_devices);
    conformance_case("/R-TYP-7/silent-tables-are-native", silent_tables_are_native);
    conformance_case("/R-RGN-1/rom-refuses-writes", rom_refuses_writes);
    conformance_case("/R-RGN-2/inherited-readonly-stops-nothing", inherited_readonly_stops_nothing);
    conformance_case("/R-RGN-3/reservation", reservation_occupies_and_refuses);
    conformance_case("/R-RGN-3/hole-and-container", holes_and_containers_refuse);
    conformance_case("/R-RGN-4/toggle-is-about-reads", romd_toggle_is_about_reads);
    conformance_case("/R-RGN-4/dispatch-straight-on-each-kind", dispatch_straight_on_it);
    conformance_case("/R-RGN-5/reads-maps-caches-scalars", romd_reads_end_with_the_range);
    conformance_case("/R-RGN-5/write-rom", romd_write_rom_ends_with_the_range);
    conformance_case("/R-RGN-5/access-valid", romd_access_valid_ends_with_the_range);
    conformance_case_4k("/R-RGN-6/any-size-and-place", ram_device_in_any_size_and_place);
    conformance_case("/R-RGN-6/by-dispatch", ram_device_by_dispatch);
    conformance_case("/R-RGN-6/ends-by-dispatch", ram_device_ends_by_dispatch);
    conformance_case("/R-RGN-7/scalars-end-with-it", ram_device_scalars_end_with_it);
    conformance_case("/R-RGN-8/by-the-byte", regions_decode_by_the_byte);
    return g_test_run();
}
