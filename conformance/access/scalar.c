/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads and stores of 1 to 8 bytes (R-SCL). */
#include "common/access.h"

#include <string.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN
#define BIG .order = DEVICE_BIG_ENDIAN

static void loads_of_ram(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, ram_counting("ram", 0x1000, 0));
    check_load(address_space_ldub, bus.as, 1, 0x01, OK);
    check_load(address_space_lduw_le, bus.as, 1, 0x0201, OK);
    check_load(address_space_lduw_be, bus.as, 1, 0x0102, OK);
    check_load(address_space_lduw, bus.as, 1, 0x0201, OK);
    check_load(address_space_ldl_le, bus.as, 0xfe, 0x0100fffe, OK);
    check_load(address_space_ldl_be, bus.as, 0xfe, 0xfeff0001, OK);
    check_load(address_space_ldl, bus.as, 0xfe, 0x0100fffe, OK);
    check_load(address_space_ldq_le, bus.as, 3, 0x0a09080706050403, OK);
    check_load(address_space_ldq_be, bus.as, 3, 0x030405060708090a, OK);
    check_load(address_space_ldq, bus.as, 3, 0x0a09080706050403, OK);
}

static void stores_of_ram(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x1000);

    stage_add(bus.root, 0, ram);
    check_store(address_space_stb, bus.as, 0, 0x11, OK);
    check_store(address_space_stw_le, bus.as, 1, 0x2221, OK);
    check_store(address_space_stw_be, bus.as, 3, 0x3132, OK);
    check_store(address_space_stw, bus.as, 5, 0x4241, OK);
    check_store(address_space_stl_le, bus.as, 7, 0x54535251, OK);
    check_store(address_space_stl_be, bus.as, 11, 0x61626364, OK);
    check_store(address_space_stl, bus.as, 15, 0x74737271, OK);
    check_bytes(ram_bytes(ram), 20, "11 21 22 31 32 41 42 51 52 53 54 61 62 63 64 71 72 73 74 00");
    check_store(address_space_stq_le, bus.as, 0, 0x0807060504030201, OK);
    check_store(address_space_stq_be, bus.as, 8, 0x1112131415161718, OK);
    check_store(address_space_stq, bus.as, 16, 0x2827262524232221, OK);
    check_bytes(ram_bytes(ram), 25,
                "01 02 03 04 05 06 07 08 11 12 13 14 15 16 17 18 21 22 23 24 25 26 27 28 00");
}

/*
 * A view's range that does not begin where its RAM does: behind a window, and behind what covers the start.  Each
 * access is made twice, since the second one may know the range of the first.
 */
static void ram_from_an_offset_on(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x3000, 0);
    static const hwaddr starts[] = { 0x10000, 0x21234 };        /* where the byte at 0x1234 is */

    stage_add(bus.root, 0x10000, stage_alias("window", ram, 0x1234, 0x1000));
    stage_add(bus.root, 0x20000, stage_alias("whole", ram, 0, 0x3000));
    stage_add_overlap(bus.root, 0x20000, stage_io("cover", 0x1230), 1);
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(starts); i++) {
        const hwaddr start = starts[i / 2];

        check_load(address_space_ldub, bus.as, start, 0x34, OK);
        check_load(address_space_lduw_le, bus.as, start + 1, 0x3635, OK);
        check_load(address_space_ldl_be, bus.as, start + 4, 0x38393a3b, OK);
        check_load(address_space_ldq_le, bus.as, start + 8, 0x434241403f3e3d3c, OK);
        check_store(address_space_stb, bus.as, start + 0x100, 0x11 + i, OK);
        check_store(address_space_stw_be, bus.as, start + 0x101, 0x2233, OK);
        check_store(address_space_stl_le, bus.as, start + 0x103, 0x47464544, OK);
        check_store(address_space_stq_be, bus.as, start + 0x107, 0x5152535455565758, OK);
        check_number(ram_bytes(ram)[0x1334], 0x11 + i);
        check_bytes(ram_bytes(ram) + 0x1335, 15, "22 33 44 45 46 47 51 52 53 54 55 56 57 58 43");
        memset(ram_bytes(ram) + 0x1334, 0, 15);
    }
}

static void device_from_an_offset_on(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE);

    stage_add(bus.root, 0x10000, stage_alias("window", d->mr, 0x234, 0x100));
    for (unsigned i = 0; i < 3; i++) {
        check_load(address_space_ldl_le, bus.as, 0x10004, 0x3b3a3938, OK);
        check_store(address_space_stw_le, bus.as, 0x10010, 0x1234, OK);
        check_calls(d, "read 0x238+4\nwrite 0x244+2=0x1234\n");
    }
}

static void one_dispatch_each(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x100, LITTLE, .accepts = true, .valid_max = 8, .impl_max = 8);

    stage_add(bus.root, 0x1001, d->mr);
    check_load(address_space_ldq_le, bus.as, 0x1009, 0x0f0e0d0c0b0a0908, OK);
    check_store(address_space_stl_be, bus.as, 0x1005, 0x11223344, OK);
    check_store(address_space_stb, bus.as, 0x1008, 0x99, OK);
    check_calls(d, "accepts read 0x8+8\nread 0x8+8\naccepts write 0x4+4\nwrite 0x4+4=0x44332211\n"
                "accepts write 0x7+1\nwrite 0x7+1=0x99\n");
}

static void rom_and_romd_are_direct_for_loads(void)
{
    Bus bus = bus_new("as");
    Device *flash = device_rom("flash", 0x1000, (DeviceOptions) { LITTLE });

    fill_counting(ram_bytes(flash->mr), 0x1000, 0x20);
    stage_add(bus.root, 0, flash->mr);
    check_load(address_space_ldl_le, bus.as, 1, 0x24232221, OK);
    check_calls(flash, "");
    check_store(address_space_stw_le, bus.as, 2, 0x1234, OK);
    check_calls(flash, "write 0x2+2=0x1234\n");
}

static void never_split(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, LITTLE);

    stage_add(bus.root, 0, d->mr);
    check_load(address_space_ldl_le, bus.as, 1, 0, DECODE);
    check_store(address_space_stl_le, bus.as, 1, 0x99, DECODE);
    check_load(address_space_lduw_be, bus.as, 3, 0, DECODE);
    check_calls(d, "");
    check_read(bus.as, 1, 4, OK, "01 02 03 04");
    check_calls(d, "read 0x1+1\nread 0x2+2\nread 0x4+1\n");
}

static void memory_that_ends(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *a = ram_counting("a", 0x1000, 0), *b = ram_counting("b", 0x1000, 0x80);

    stage_add(bus.root, 0x1000, a);
    stage_add(bus.root, 0x2000, b);
    check_load(address_space_ldl_le, bus.as, 0x1ffe, 0, DECODE);
    check_store(address_space_stl_le, bus.as, 0x1ffe, 0x11223344, DECODE);
    check_load(address_space_ldq_be, bus.as, 0x1ff9, 0, DECODE);
    check_load(address_space_lduw_le, bus.as, 0x1fff, 0, DECODE);
    check_load(address_space_ldl_le, bus.as, 0x1ffc, 0xfffefdfc, OK);
    check_read(bus.as, 0x1ffe, 4, OK, "fe ff 80 81");
    check_load(address_space_ldl_le, bus.as, 0x2ffe, 0, DECODE);
}

static void rom_that_ends(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, stage_rom("rom", 0x1000));
    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    check_load(address_space_ldl_le, bus.as, 0xffe, 0, DECODE);
    check_load(address_space_ldl_le, bus.as, 0xffc, 0, OK);
}

static void page_that_ends(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    MemoryRegion *ram = ram_counting("ram", 0x10000, 0);
    Device *d = device("dev", 0x1000, LITTLE, .valid_unaligned = true);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, ram);
    stage_add(target.root, 0x20000, d->mr);
    table_map(t, 0, 0x8000, target.as, 0, 0xfff, IOMMU_RW);
    table_map(t, 0x8000, 0x1000, target.as, 0x20000, 0xfff, IOMMU_RW);
    check_load(address_space_ldl_le, bus.as, 0xffe, 0, DECODE);
    check_store(address_space_stl_le, bus.as, 0xffe, 0x11223344, DECODE);
    check_bytes(ram_bytes(ram) + 0xffe, 4, "fe ff 00 01");
    check_read(bus.as, 0xffe, 4, OK, "fe ff 00 01");
    /* A device gets it whole, the next page's target nothing. */
    check_load(address_space_ldl_le, bus.as, 0x8ffe, 0x0100fffe, OK);
    check_store(address_space_stl_le, bus.as, 0x8ffe, 0x11223344, OK);
    check_calls(d, "read 0xffe+4\nwrite 0xffe+4=0x11223344\n");
}

static void devices_are_asked_past_their_end(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 6, LITTLE, .impl_max = 8);

    stage_add(bus.root, 0, d->mr);
    stage_add(bus.root, 6, ram_counting("ram", 0x100, 0x80));
    check_load(address_space_ldl_le, bus.as, 4, 0x07060504, OK);
    check_store(address_space_stq_le, bus.as, 0, 0x1122334455667788, OK);
    check_calls(d, "read 0x4+4\nwrite 0x0+8=0x1122334455667788\n");
    check_read(bus.as, 6, 2, OK, "80 81");
}

static void results(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, LITTLE, .with_attrs = true);

    stage_add(bus.root, 0, d->mr);
    d->result = FAILED;
    check_load(address_space_ldl_le, bus.as, 4, 0x07060504, FAILED);
    check_store(address_space_stl_le, bus.as, 4, 1, FAILED);
    check_load(address_space_lduw_be, bus.as, 8, 0x0809, FAILED);
    device_answer(d, 0x123456789abcdef0, OK);
    check_load(address_space_lduw_le, bus.as, 0, 0xdef0, OK);
    device_answer(d, 0x123456789abcdef0, OK);
    check_load(address_space_ldub, bus.as, 0, 0xf0, OK);
    check_load(address_space_ldl_le, bus.as, 0x100, 0, DECODE);
    check_number(address_space_ldl_le(bus.as, 8, PLAIN, NULL), 0x0b0a0908);
    address_space_stb(bus.as, 8, 0x99, PLAIN, NULL);
    check_number(d->bytes[8], 0x99);
    check_number(address_space_ldl_le(bus.as, 0x100, PLAIN, NULL), 0);
}

static void orders_are_mirrors(void)
{
    Bus bus = bus_new("as");

    stage_add(bus.root, 0, device("little", 0x100, LITTLE)->mr);
    stage_add(bus.root, 0x100, device("big", 0x100, BIG)->mr);
    stage_add(bus.root, 0x200, ram_counting("ram", 0x100, 0));
    for (hwaddr base = 0; base <= 0x200; base += 0x100) {
        check_number(address_space_lduw_le(bus.as, base + 2, PLAIN, NULL), 0x0302);
        check_number(address_space_lduw_be(bus.as, base + 2, PLAIN, NULL), 0x0203);
        check_number(address_space_lduw(bus.as, base + 2, PLAIN, NULL), 0x0302);
        check_number(address_space_ldl_le(bus.as, base + 4, PLAIN, NULL), 0x07060504);
        check_number(address_space_ldl_be(bus.as, base + 4, PLAIN, NULL), 0x04050607);
        check_number(address_space_ldl(bus.as, base + 4, PLAIN, NULL), 0x07060504);
        check_number(address_space_ldq_le(bus.as, base + 8, PLAIN, NULL), 0x0f0e0d0c0b0a0908);
        check_number(address_space_ldq_be(bus.as, base + 8, PLAIN, NULL), 0x08090a0b0c0d0e0f);
        check_number(address_space_ldq(bus.as, base + 8, PLAIN, NULL), 0x0f0e0d0c0b0a0908);
        address_space_stl(bus.as, base + 0x10, 0x11223344, PLAIN, NULL);
        address_space_stw(bus.as, base + 0x14, 0x5566, PLAIN, NULL);
        address_space_stq(bus.as, base + 0x18, 0x0102030405060708, PLAIN, NULL);
        check_read(bus.as, base + 0x10, 6, OK, "44 33 22 11 66 55");
        check_read(bus.as, base + 0x18, 8, OK, "08 07 06 05 04 03 02 01");
    }
}

static void short_forms(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, BIG, .with_attrs = true, .impl_max = 8);

    stage_add(bus.root, 0, d->mr);
    d->show_attrs = true;
    d->result = FAILED;
    check_number(ldub_phys(bus.as, 1), 1);
    check_number(lduw_le_phys(bus.as, 2), 0x0302);
    check_number(lduw_be_phys(bus.as, 2), 0x0203);
    check_number(lduw_phys(bus.as, 2), 0x0302);
    check_number(ldl_le_phys(bus.as, 4), 0x07060504);
    check_number(ldl_be_phys(bus.as, 4), 0x04050607);
    check_number(ldl_phys(bus.as, 4), 0x07060504);
    check_number(ldq_le_phys(bus.as, 8), 0x0f0e0d0c0b0a0908);
    check_number(ldq_be_phys(bus.as, 8), 0x08090a0b0c0d0e0f);
    check_number(ldq_phys(bus.as, 8), 0x0f0e0d0c0b0a0908);
    check_number(ldl_le_phys(bus.as, 0x100), 0);
    check(g_str_has_prefix(d->log->str, "read 0x1+1 attrs(unspecified 0)\n"));
    g_string_truncate(d->log, 0);
    stb_phys(bus.as, 0, 0xab);
    stw_le_phys(bus.as, 2, 0x1122);
    stw_be_phys(bus.as, 2, 0x1122);
    stl_le_phys(bus.as, 4, 0x11223344);
    stl_be_phys(bus.as, 4, 0x11223344);
    stl_phys(bus.as, 4, 0x11223344);
    stq_le_phys(bus.as, 8, 0x1122334455667788);
    stq_be_phys(bus.as, 8, 0x1122334455667788);
    check_calls(d,
                "write 0x0+1=0xab attrs(unspecified 0)\n"
                "write 0x2+2=0x2211 attrs(unspecified 0)\n"
                "write 0x2+2=0x1122 attrs(unspecified 0)\n"
                "write 0x4+4=0x44332211 attrs(unspecified 0)\n"
                "write 0x4+4=0x11223344 attrs(unspecified 0)\n"
                "write 0x4+4=0x44332211 attrs(unspecified 0)\n"
                "write 0x8+8=0x8877665544332211 attrs(unspecified 0)\n"
                "write 0x8+8=0x1122334455667788 attrs(unspecified 0)\n");
}

static uint64_t load(AddressSpace *as, hwaddr addr, unsigned size, MemTxResult *result)
{
    switch (size) {
    case 1:
        return address_space_ldub(as, addr, PLAIN, result);
    case 2:
        return address_space_lduw_le(as, addr, PLAIN, result);
    case 4:
        return address_space_ldl_le(as, addr, PLAIN, result);
    default:
        return address_space_ldq_le(as, addr, PLAIN, result);
    }
}

/* INV-7, over RAM, ROM and devices that restrict sizes. */
static void scalars_against_buffers(void)
{
    uint64_t state = 7;

    for (int round = 0; round < 30; round++) {
        Bus bus = bus_new("as");
        hwaddr end = 0;

        for (int i = 0; i < 10; i++) {
            uint64_t size = 1 + random_below(&state, 30);

            if (random_below(&state, 3)) {
                stage_add(bus.root, end, ram_counting("ram", size, (unsigned)random_next(&state)));
            } else {
                stage_add(bus.root, end, stage_rom("rom", size));
            }
            end += size;
        }
        for (int i = 0; i < 200; i++) {
            unsigned size = 1u << random_below(&state, 4);
            hwaddr addr = random_below(&state, end), xlat, plen = size;
            uint8_t bytes[8] = { 0 };
            MemTxResult result = 0x55, by_buffer = address_space_rw(bus.as, addr, PLAIN, bytes, size, READ);
            uint64_t value = load(bus.as, addr, size, &result);

            address_space_translate(bus.as, addr, &xlat, &plen, READ, PLAIN);
            if (result == OK) {
                check_number(value, ldq_le_p(bytes));
                check_number(by_buffer, OK);
                check_number(plen, size);
            } else {
                check_number(result, DECODE);
                check_number(value, 0);
                /* R-SCL-3; pages (R-TRN-4) end nothing here, everything lies in one. */
                check(plen < size || by_buffer != OK);
            }
        }
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-SCL-1/loads-of-ram", loads_of_ram);
    conformance_case("/R-SCL-1/stores-of-ram", stores_of_ram);
    conformance_case("/R-SCL-1/ram-from-an-offset-on", ram_from_an_offset_on);
    conformance_case("/R-SCL-1/device-from-an-offset-on", device_from_an_offset_on);
    conformance_case("/R-SCL-1/one-dispatch", one_dispatch_each);
    conformance_case("/R-SCL-1/rom-device", rom_and_romd_are_direct_for_loads);
    conformance_case("/R-SCL-2/never-split", never_split);
    conformance_case("/R-SCL-3/memory-that-ends", memory_that_ends);
    conformance_case("/R-SCL-3/rom-that-ends", rom_that_ends);
    conformance_case("/R-SCL-3/page-that-ends", page_that_ends);
    conformance_case("/R-SCL-4/past-the-end", devices_are_asked_past_their_end);
    conformance_case("/R-SCL-5/results", results);
    conformance_case("/R-SCL-6/mirrors", orders_are_mirrors);
    conformance_case("/R-SCL-7/short-forms", short_forms);
    conformance_case("/INV-7/scalars-against-buffers", scalars_against_buffers);
    return g_test_run();
}
