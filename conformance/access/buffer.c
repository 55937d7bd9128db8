/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing any number of bytes (R-ACC).  What becomes dirty is in dirty.c. */
#include "common/access.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN
static const MemTxAttrs memory_only = { .memory = 1 };

static Device *device_at(Bus bus, hwaddr addr, Device *d)
{
    stage_add(bus.root, addr, d->mr);
    return d;
}

/* ---- R-ACC-1, R-ACC-2 ---- */

static void the_functions_are_one(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 0x1000, device("dev", 0x10, LITTLE, .with_attrs = true));
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0);
    uint8_t by_rw[8], by_full[8], by_inline[8];
    volatile hwaddr length = 8;

    stage_add(bus.root, 0, ram);
    d->result = FAILED;
    check_number(address_space_rw(bus.as, 0xffc, PLAIN, by_rw, 8, READ), FAILED);
    check_number(address_space_read_full(bus.as, 0xffc, PLAIN, by_full, 8), FAILED);
    check_bytes(by_rw, 8, "fc fd fe ff 00 01 02 03");
    check_bytes(by_full, 8, "fc fd fe ff 00 01 02 03");
    check_number(address_space_read(bus.as, 0xffc, PLAIN, by_inline, 8), FAILED);
    check_bytes(by_inline, 8, "fc fd fe ff 00 01 02 03");
    check_number(address_space_read(bus.as, 0xffc, PLAIN, by_inline, length), FAILED);
    check_calls(d, "read 0x0+4\nread 0x0+4\nread 0x0+4\nread 0x0+4\n");
    check_number(address_space_rw(bus.as, 0xffe, PLAIN, "abcd", 4, WRITE), FAILED);
    check_number(address_space_write(bus.as, 0xffe, PLAIN, "abcd", 4), FAILED);
    check_calls(d, "write 0x0+2=0x6463\nwrite 0x0+2=0x6463\n");
    check_bytes(ram_bytes(ram) + 0xffd, 3, "fd 61 62");
    check_number(address_space_read(bus.as, 0x10, PLAIN, by_inline, 8), OK);
    check_bytes(by_inline, 8, "10 11 12 13 14 15 16 17");
}

/* Pieces in ascending order, each from what serves its address. */
static void ascending_over_many_ranges(void)
{
    Bus bus = bus_new("as");
    GString *log = stage_log();
    Device *a = device_at(bus, 4, device("a", 4, LITTLE)), *b = device_at(bus, 8, device("b", 4, LITTLE));

    stage_add(bus.root, 0, ram_counting("low", 4, 0x40));
    stage_add(bus.root, 12, ram_counting("high", 4, 0x50));
    a->log = b->log = log;
    a->show_name = b->show_name = true;
    check_read(bus.as, 1, 14, OK, "41 42 43 00 01 02 03 00 01 02 03 50 51 52");
    check_log(log, "a: read 0x0+4\nb: read 0x0+4\n");
    check_write(bus.as, 1, 14, 1, OK);
    check_log(log, "a: write 0x0+4=0x7060504\nb: write 0x0+4=0xb0a0908\n");
}

static void switch_space(Device *d, hwaddr addr, unsigned size, bool is_write)
{
    (void)addr;
    (void)size;
    (void)is_write;
    memory_region_set_enabled(d->opaque, true);
}

/* The view is taken once; the view behind an IOMMU is fetched for each piece. */
static void views_during_an_access(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    Device *d = device("dev", 0x1000, LITTLE);
    TableIommu *t = table_new("iommu", 0x1000, TABLE_PLAIN);
    MemoryRegion *cover = ram_counting("cover", 0x1000, 0xc0);

    stage_add(target.root, 0, d->mr);
    stage_add_overlap(target.root, 0, cover, 1);
    memory_region_set_enabled(cover, false);
    stage_add(bus.root, 0, table_region(t));
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RW);
    d->hook = switch_space;
    d->opaque = cover;
    check_read(bus.as, 0, 12, OK, "00 01 02 03 c4 c5 c6 c7 c8 c9 ca cb");
    check_calls(d, "read 0x0+4\n");
    memory_region_set_enabled(cover, false);
    check_read(target.as, 0, 12, OK, "00 01 02 03 04 05 06 07 08 09 0a 0b");
    check_calls(d, "read 0x0+4\nread 0x4+4\nread 0x8+4\n");
}

/* A device that reads its buffers where it writes, as a loopback network card may. */
static void from_the_memory_itself(void)
{
    Bus bus = bus_new("as");
    hwaddr length = 8;
    uint8_t *mapped;

    stage_add(bus.root, 0, ram_counting("ram", 0x1000, 0));
    mapped = address_space_map(bus.as, 0, &length, READ, PLAIN);
    check_number(address_space_write(bus.as, 2, PLAIN, mapped, 8), OK);
    check_read(bus.as, 0, 12, OK, "00 01 00 01 02 03 04 05 06 07 0a 0b");
    check_number(address_space_read(bus.as, 2, PLAIN, mapped, 8), OK);
    check_read(bus.as, 0, 12, OK, "00 01 02 03 04 05 06 07 06 07 0a 0b");
    check_number(address_space_write_rom(bus.as, 1, PLAIN, mapped, 7), OK);
    check_read(bus.as, 0, 12, OK, "00 00 01 02 03 04 05 06 06 07 0a 0b");
    address_space_unmap(bus.as, mapped, length, READ, 0);
}

/* The memory is there twice: what goes to its end comes from before, what goes to its beginning from there. */
static void chunks_of_the_memory_itself(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0);
    uint8_t *host = memory_region_get_ram_ptr(ram);

    stage_add(bus.root, 0, ram);
    stage_add(bus.root, 0x1000, stage_alias("again", ram, 0, 0x1000));
    check_number(address_space_write(bus.as, 0xffc, PLAIN, host + 0xff8, 8), OK);
    check_read(bus.as, 0xff8, 12, OK, "f8 f9 fa fb f8 f9 fa fb f8 f9 fa fb");
    check_number(address_space_read(bus.as, 0xffd, PLAIN, host, 6), OK);
    check_read(bus.as, 0, 8, OK, "f9 fa fb f9 fa fb 06 07");
}

/* ---- R-ACC-3 to R-ACC-5: chunks ---- */

static void chunks(void)
{
    static const struct {
        DeviceOptions options;
        hwaddr offset;
        unsigned size;
        const char *calls;
    } cases[] = {
        { { LITTLE }, 0, 12, "read 0x0+4\nread 0x4+4\nread 0x8+4\n" },
        { { LITTLE }, 1, 7, "read 0x1+1\nread 0x2+2\nread 0x4+4\n" },
        { { LITTLE }, 0x1fd, 8, "read 0x1fd+1\nread 0x1fe+2\nread 0x200+4\nread 0x204+1\n" },
        { { LITTLE, .impl_unaligned = true, .valid_unaligned = true, .valid_max = 8, .impl_max = 8 }, 1, 15,
          "read 0x1+8\nread 0x9+4\nread 0xd+2\nread 0xf+1\n" },
        { { LITTLE, .valid_max = 8, .impl_max = 8 }, 8, 8, "read 0x8+8\n" },
        { { LITTLE, .valid_max = 8, .impl_max = 8 }, 4, 8, "read 0x4+4\nread 0x8+4\n" },
        { { LITTLE, .valid_max = 2 }, 0, 5, "read 0x0+2\nread 0x2+2\nread 0x4+1\n" },
        { { LITTLE, .valid_max = 1 }, 0, 2, "read 0x0+1\nread 0x1+1\n" },
        { { LITTLE }, 0, 3, "read 0x0+2\nread 0x2+1\n" },
        { { LITTLE, .valid_unaligned = true }, 3, 4, "read 0x3+1\nread 0x4+2\nread 0x6+1\n" },
        { { LITTLE, .impl_min = 1, .impl_max = 2 }, 0, 4, "read 0x0+2\nread 0x2+2\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Bus bus = bus_new("as");
        /* At an address whose alignment says something else than the offset's. */
        Device *d = device_at(bus, 0x1003, device_new("dev", 0x1000, cases[i].options));
        uint8_t buffer[16], expected[16];

        fill_counting(expected, cases[i].size, (unsigned)cases[i].offset);
        check_number(address_space_rw(bus.as, 0x1003 + cases[i].offset, PLAIN, buffer, cases[i].size, READ),
                     OK);
        check(memcmp(buffer, expected, cases[i].size) == 0);
        if (!check_calls(d, cases[i].calls)) {
            g_printerr("  case %zu\n", i);
        }
    }
}

/* INV-1 for random ops tables. */
static void chunk_law(void)
{
    uint64_t state = 1;

    for (int round = 0; round < 100; round++) {
        Bus bus = bus_new("as");
        unsigned max = (1u << random_below(&state, 4)) * (random_below(&state, 4) != 0);
        unsigned limit = max ? max : 4;
        bool unaligned = random_below(&state, 2);
        Device *d = device_at(bus, 0, device("dev", 0x1000, LITTLE, .valid_max = max,
                                             .impl_unaligned = unaligned,
                                             .valid_unaligned = true, .impl_max = 8, .accepts = true));
        hwaddr offset = random_below(&state, 0x40), next = offset;
        unsigned size = 1 + (unsigned)random_below(&state, 40);
        uint8_t buffer[40];

        check_number(address_space_rw(bus.as, offset, PLAIN, buffer, size, READ), OK);
        char **lines = g_strsplit(d->log->str, "\n", -1);
        for (int i = 0; lines[i]; i++) {
            uint64_t addr;
            unsigned width;

            if (sscanf(lines[i], "accepts read %" SCNx64 "+%u", &addr, &width) != 2) {
                continue;
            }
            check_number(addr, next);
            check((width & (width - 1)) == 0 && width <= limit && width <= offset + size - next);
            check(unaligned || addr % width == 0);
            next += width;
        }
        check_number(next, offset + size);
        g_strfreev(lines);
    }
}

static void short_tail(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 0, device("dev", 0x10, LITTLE, .valid_min = 2, .valid_max = 2));

    check_write(bus.as, 0, 5, 0x30, DECODE);
    check_calls(d, "write 0x0+2=0x3130\nwrite 0x2+2=0x3332\n");
    check_read(bus.as, 0, 5, DECODE, "30 31 32 33 00");
}

static void chunks_run_over_the_edge(void)
{
    Bus bus = bus_new("as"), holes = bus_new("holes");
    Device *d = device_at(bus, 0x1000, device("dev", 6, LITTLE));

    stage_add(bus.root, 0x1006, ram_counting("ram", 0x100, 0x86));
    check_read(bus.as, 0x1000, 12, OK, "00 01 02 03 04 05 06 07 88 89 8a 8b");
    check_calls(d, "read 0x0+4\nread 0x4+4\n");
    stage_add(holes.root, 0x1002, ram_counting("more", 0x100, 0x90));
    check_read(holes.as, 0xff8, 12, DECODE, "00 00 00 00 00 00 00 00 00 00 00 00");
}

/* ---- R-ACC-6 to R-ACC-8: when parts fail ---- */

static void denied_pages_read_as_zeros(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, ram_counting("ram", 0x10000, 0));
    table_map(t, 0x2000, 0x1000, target.as, 0x1100, 0xff, IOMMU_RW);
    check_read(bus.as, 0x1ff8, 16, DECODE, "00 00 00 00 00 00 00 00 00 01 02 03 04 05 06 07");
    check_read(bus.as, 0x2ffc, 8, DECODE, "fc fd fe ff 00 00 00 00");
}

static bool refuse_middle(Device *device, hwaddr addr, unsigned size, bool is_write)
{
    (void)device;
    (void)size;
    (void)is_write;
    return addr == 4;
}

static void rejected_chunks_do_not_end_it(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 0, device("dev", 0x10, LITTLE, .accepts = true));

    d->refuses = refuse_middle;
    check_read(bus.as, 0, 12, DECODE, "00 01 02 03 00 00 00 00 08 09 0a 0b");
    check_calls(d, "accepts read 0x0+4\nread 0x0+4\naccepts read 0x4+4\naccepts read 0x8+4\nread 0x8+4\n");
    check_write(bus.as, 0, 12, 0x60, DECODE);
    check_bytes(d->bytes, 12, "60 61 62 63 04 05 06 07 68 69 6a 6b");
}

static void failed_reads_give_data(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 0, device("dev", 0x10, LITTLE, .with_attrs = true));

    d->result = FAILED;
    check_read(bus.as, 0, 6, FAILED, "00 01 02 03 04 05");
}

static void nothing_is_undone(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 4, device("dev", 4, LITTLE, .with_attrs = true));
    MemoryRegion *low = stage_ram("low", 4), *high = stage_ram("high", 4);

    stage_add(bus.root, 0, low);
    stage_add(bus.root, 8, high);
    d->result = FAILED;
    check_write(bus.as, 0, 14, 1, FAILED | DECODE);
    check_bytes(ram_bytes(low), 4, "01 02 03 04");
    check_bytes(d->bytes, 4, "05 06 07 08");
    check_bytes(ram_bytes(high), 4, "09 0a 0b 0c");
}

/* 2^32 bytes left, which 32 bits cannot count: the device ends the access. */
static void stop_after_three(Device *d, hwaddr addr, unsigned size, bool is_write)
{
    (void)addr;
    (void)size;
    (void)is_write;
    if (d->calls == 3) {
        /* Ends the run: what is under test has been seen. */
        g_print("three chunks\n");
        fflush(stdout);
        _exit(0);
    }
}

static void four_gigabytes_left(void)
{
    if (g_test_subprocess()) {
        Bus bus = bus_new("as");
        Device *d = device_at(bus, 0, device("dev", UINT64_MAX, LITTLE, .impl_max = 8));

        d->hook = stop_after_three;
        /* The buffer is never behind the 12 bytes that the device takes. */
        static uint8_t bytes[64];
        address_space_write(bus.as, 0, PLAIN, bytes, (hwaddr)1 << 32);
        _exit(1);
    }
    g_test_trap_subprocess(NULL, 20 * 1000 * 1000, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*three chunks*");
}

/* ---- R-ACC-12, R-ACC-13: attrs.memory ---- */

static void memory_only_skips_devices(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 8, device("dev", 16, LITTLE, .accepts = true));

    stage_add(bus.root, 0, ram_counting("low", 8, 0x10));
    stage_add(bus.root, 24, ram_counting("high", 0x100, 0x40));
    check_read_attrs(bus.as, 0, memory_only, 32, FORBIDDEN,
                     "10 11 12 13 14 15 16 17 cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc");
    check_read_attrs(bus.as, 8, memory_only, 4, FORBIDDEN, "cc cc cc cc");
    check_write_at(G_STRLOC, bus.as, 6, memory_only, 4, 0x99, FORBIDDEN);
    check_read(bus.as, 6, 2, OK, "99 9a");
    check_read_attrs(bus.as, 0x1000, memory_only, 2, FORBIDDEN, "cc cc");
    check_read_attrs(bus.as, 24, memory_only, 2, OK, "40 41");
    check_calls(d, "");
}

static void what_memory_only_forbids(void)
{
    Bus bus = bus_new("as");
    Device *flash = device_rom("flash", 0x1000, (DeviceOptions) { LITTLE });
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *bar = stage_storage(sizeof(*bar));
    volatile hwaddr length = 2;
    uint8_t buffer[2] = { 0xcc, 0xcc };

    memset(host, 7, 0x1000);
    memory_region_init_ram_device_ptr(bar, NULL, "bar", 0x1000, host);
    stage_adopt(bar, NULL);
    stage_add(bus.root, 0, stage_rom("rom", 0x1000));
    stage_add(bus.root, 0x1000, bar);
    stage_add(bus.root, 0x2000, stage_io_ops("mine", 0x1000, NULL, NULL));
    stage_add(bus.root, 0x3000, flash->mr);
    check_read_attrs(bus.as, 0, memory_only, 2, OK, "00 00");
    check_write_at(G_STRLOC, bus.as, 0, memory_only, 2, 0, DECODE);
    check_read_attrs(bus.as, 0x1000, memory_only, 2, OK, "07 07");
    check_write_at(G_STRLOC, bus.as, 0x1000, memory_only, 2, 0, OK);
    check_read_attrs(bus.as, 0x2000, memory_only, 2, FORBIDDEN, "cc cc");
    check_read_attrs(bus.as, 0x3000, memory_only, 2, FORBIDDEN, "cc cc");
    check_number(address_space_read(bus.as, 0x3000, memory_only, buffer, length), FORBIDDEN);
    check_bytes(buffer, 2, "cc cc");
}

/* In 7.2 these do not look at attrs.memory; nothing says that memcore does, or does not. */
static void where_memory_only_is_not_asked(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 0, device("dev", 0x1000, LITTLE));
    MemTxResult result = 0x55;
    uint32_t value = address_space_ldl_le(bus.as, 0, memory_only, &result);

    check((result == OK && value == 0x03020100 && d->calls == 1) ||
          (result == FORBIDDEN && value == 0 && d->calls == 0));
    check(address_space_access_valid(bus.as, 0, 4, READ, memory_only));
    check_number(address_space_write_rom(bus.as, 0, memory_only, "a", 1), OK);
}

/* ---- R-ACC-14 to R-ACC-18 ---- */

static void write_rom_reaches_memory_only(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    Device *d = device_at(bus, 0x10, device("dev", 0x10, LITTLE, .accepts = true));
    Device *flash = device_rom("flash", 0x10, (DeviceOptions) { LITTLE });
    MemoryRegion *ram = stage_ram("ram", 0x10), *rom = stage_rom("rom", 0x10), *far = stage_rom("far", 0x10);
    TableIommu *t = table_new("iommu", 0x20, TABLE_PLAIN);
    uint8_t data[0x70];

    d->show_lock = true;
    stage_add(bus.root, 0, ram);
    stage_add(bus.root, 0x20, rom);
    stage_add(bus.root, 0x30, flash->mr);
    stage_add(bus.root, 0x50, table_region(t));
    stage_add(target.root, 0, far);
    table_map(t, 0x10, 0x10, target.as, 0, 0xf, IOMMU_WO);
    fill_counting(data, sizeof(data), 0);
    qemu_mutex_unlock_iothread();
    check_number(address_space_write_rom(bus.as, 0, PLAIN, data, sizeof(data)), OK);
    check(!qemu_mutex_iothread_locked());
    qemu_mutex_lock_iothread();
    check_bytes(ram_bytes(ram) + 0xe, 2, "0e 0f");
    check_bytes(ram_bytes(rom), 2, "20 21");
    check_bytes(ram_bytes(flash->mr), 2, "30 31");
    check_bytes(ram_bytes(far), 2, "60 61");
    check_calls(d, "");
    check_calls(flash, "");
    memory_region_rom_device_set_romd(flash->mr, false);
    fill_counting(data, sizeof(data), 0x80);
    check_number(address_space_write_rom(bus.as, 0x30, PLAIN, data, 0x10), OK);
    check_bytes(ram_bytes(flash->mr), 2, "30 31");
    check_calls(flash, "");
}

static void write_rom_reaches_memory_of_devices(void)
{
    Bus bus = bus_new("as");
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *bar = stage_storage(sizeof(*bar));

    fill_counting(host, 0x1000, 0);
    memory_region_init_ram_device_ptr(bar, NULL, "bar", 0x1000, host);
    stage_adopt(bar, NULL);
    stage_add(bus.root, 0, bar);
    check_number(address_space_write_rom(bus.as, 1, PLAIN, "abc", 3), OK);
    check_bytes(host, 5, "00 61 62 63 04");
}

/* Translated for writing, so that an IOMMU which allows reads only refuses. */
static void write_rom_translates_for_writing(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x1000, TABLE_PLAIN);
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, ram);
    table_map(t, 0, 0x1000, target.as, 0, 0xfff, IOMMU_RO);
    t->log_translate = true;
    check_number(address_space_write_rom(bus.as, 0, PLAIN, "a", 1), OK);
    check_log(t->log, "translate 0x0 w 0\n");
    check_bytes(ram_bytes(ram), 1, "00");
}

static void set_is_writes_of_512(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 0, device("dev", 0x1000, LITTLE, .valid_max = 4));
    MemoryRegion *ram = stage_ram("ram", 0x1000);

    stage_add(bus.root, 0x2000, ram);
    d->quiet = true;
    check_number(address_space_set(bus.as, 1, 0x5a, 515, PLAIN), OK);
    check_bytes(d->bytes, 2, "00 5a");
    check_bytes(d->bytes + 514, 4, "5a 5a 04 05");
    d->quiet = false;
    check_number(address_space_set(bus.as, 3, 0, 512 + 3, PLAIN), OK);
    /* 3: 1, 4 ... 4, then 3 bytes at 512; a new piece at 515: 1, 2 */
    check(g_str_has_prefix(d->log->str, "write 0x3+1=0x0\nwrite 0x4+4=0x0\n"));
    check(g_str_has_suffix(d->log->str,
                           "write 0x200+2=0x0\nwrite 0x202+1=0x0\nwrite 0x203+1=0x0\nwrite 0x204+2=0x0\n"));
    check_number(address_space_set(bus.as, 0x2ff0, 0x33, 0x20, PLAIN), DECODE);
    check_bytes(ram_bytes(ram) + 0xfef, 2, "00 33");
    check_number(address_space_set(bus.as, 0x2000, 0x44, 0x1000, PLAIN), OK);
    check_number(ram_bytes(ram)[0xfff], 0x44);
}

static void set_goes_on_after_a_refusal(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x200);

    device_at(bus, 0, device("dev", 0x200, LITTLE));
    stage_add(bus.root, 0x200, ram);
    check_number(address_space_set(bus.as, 0, 0x77, 0x400, memory_only), FORBIDDEN);
    check_bytes(ram_bytes(ram) + 0x1ff, 1, "77");
}

static void cover_device(Device *d, hwaddr addr, unsigned size, bool is_write)
{
    (void)addr;
    (void)size;
    (void)is_write;
    memory_region_set_enabled(d->opaque, true);
}

static void set_looks_anew_every_512(void)
{
    Bus bus = bus_new("as");
    Device *d = device_at(bus, 0, device("dev", 0x1000, LITTLE, .valid_max = 8, .impl_max = 8));
    MemoryRegion *cover = stage_ram("cover", 0x1000);

    stage_add_overlap(bus.root, 0, cover, 1);
    memory_region_set_enabled(cover, false);
    d->hook = cover_device;
    d->opaque = cover;
    check_number(address_space_set(bus.as, 0, 1, 1024, PLAIN), OK);
    check_number(d->calls, 64);
    check_number(ram_bytes(cover)[511], 0);
    check_number(ram_bytes(cover)[512], 1);
}

static void continued_reads(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 8, 0);
    Device *d = device_at(bus, 8, device("dev", 8, LITTLE));
    FlatView *view = address_space_to_flatview(bus.as);
    uint8_t buffer[12];

    stage_add(bus.root, 0, ram);
    view = address_space_to_flatview(bus.as);
    rcu_read_lock();
    check_number(flatview_read_continue(view, 4, PLAIN, buffer, 12, 4, 4, ram), OK);
    check_bytes(buffer, 12, "04 05 06 07 00 01 02 03 04 05 06 07");
    memset(buffer, 0xcc, sizeof(buffer));
    check_number(flatview_read_continue(view, 4, memory_only, buffer, 12, 4, 4, ram), FORBIDDEN);
    check_bytes(buffer, 8, "04 05 06 07 cc cc cc cc");
    check_number(flatview_read_continue(view, 8, memory_only, buffer, 4, 0, 4, d->mr), FORBIDDEN);
    rcu_read_unlock();
    check_calls(d, "read 0x0+4\nread 0x4+4\n");
}

/* ---- INV-3, INV-16 ---- */

/* RAM, ROM, devices and holes of random sizes; returns the end. */
static hwaddr random_map(Bus bus, uint64_t *state, bool ram_only)
{
    hwaddr end = 0;

    for (int i = 0; i < 12; i++) {
        uint64_t size = 1 + random_below(state, 60);

        switch (ram_only ? random_below(state, 2) : random_below(state, 5)) {
        case 0:
        case 1:
            stage_add(bus.root, end, ram_counting("ram", size, (unsigned)random_next(state)));
            break;
        case 2:
            stage_add(bus.root, end, stage_rom("rom", size));
            break;
        case 3:
            stage_add(bus.root, end, device("dev", size, LITTLE)->mr);
            break;
        default:
            break;
        }
        end += size;
    }
    return end;
}

static void ram_may_be_split_anywhere(void)
{
    uint64_t state = 3;

    for (int round = 0; round < 20; round++) {
        Bus bus = bus_new("as");
        hwaddr end = random_map(bus, &state, true);

        for (int i = 0; i < 50; i++) {
            uint8_t whole[1024], parts[1024];
            hwaddr from = random_below(&state, end), size = 1 + random_below(&state, end - from);
            hwaddr cut = random_below(&state, size + 1);

            check_number(address_space_rw(bus.as, from, PLAIN, whole, size, READ), OK);
            check_number(address_space_rw(bus.as, from, PLAIN, parts, cut, READ) |
                         address_space_rw(bus.as, from + cut, PLAIN, parts + cut, size - cut, READ), OK);
            check(memcmp(whole, parts, size) == 0);
            fill_counting(parts, size, (unsigned)i);
            check_number(address_space_write(bus.as, from, PLAIN, parts, cut), OK);
            check_number(address_space_write(bus.as, from + cut, PLAIN, parts + cut, size - cut), OK);
            check_number(address_space_rw(bus.as, from, PLAIN, whole, size, READ), OK);
            check(memcmp(whole, parts, size) == 0);
        }
    }
}

typedef struct {
    uint8_t *expected;
    hwaddr from, to;
    const uint8_t *data;
} RomCheck;

static bool check_written_range(Int128 start, Int128 len, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    RomCheck *c = opaque;
    hwaddr first = int128_get64(start), size = int128_get64(len);
    MemoryRegion *region = (MemoryRegion *)mr;

    for (hwaddr i = 0; memory_region_is_ram(region) && i < size; i++) {
        hwaddr addr = first + i;
        uint8_t now = ram_bytes(region)[offset + i];

        check_number(now, addr >= c->from && addr < c->to ? c->data[addr - c->from] : c->expected[addr]);
        c->expected[addr] = now;
    }
    return false;
}

static bool remember_range(Int128 start, Int128 len, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    RomCheck *c = opaque;

    if (memory_region_is_ram((MemoryRegion *)mr)) {
        memcpy(c->expected + int128_get64(start), ram_bytes((MemoryRegion *)mr) + offset, int128_get64(len));
    }
    return false;
}

/* Against what was there before, byte for byte. */
static void write_rom_writes_memory_and_nothing_else(void)
{
    uint64_t state = 16;

    for (int round = 0; round < 30; round++) {
        Bus bus = bus_new("as");
        uint8_t expected[1024], data[1024];
        RomCheck c = { .expected = expected, .data = data };
        hwaddr end = 0;

        /* Devices of multiples of 4 bytes at such addresses, so that no step runs over an edge. */
        for (int i = 0; i < 12; i++) {
            uint64_t size = 4 + 4 * random_below(&state, 12);

            switch (random_below(&state, 3)) {
            case 0:
                stage_add(bus.root, end, ram_counting("ram", size, (unsigned)i * 16));
                break;
            case 1:
                stage_add(bus.root, end, stage_rom("rom", size));
                break;
            default:
                stage_add(bus.root, end, device("dev", size, LITTLE, .accepts = true)->mr);
                break;
            }
            end += size;
        }
        flatview_for_each_range(address_space_to_flatview(bus.as), remember_range, &c);
        for (int i = 0; i < 30; i++) {
            c.from = 4 * random_below(&state, end / 4);
            c.to = c.from + 1 + random_below(&state, end - c.from);
            fill_counting(data, c.to - c.from, (unsigned)random_next(&state));
            check_number(address_space_write_rom(bus.as, c.from, PLAIN, data, c.to - c.from), OK);
            flatview_for_each_range(address_space_to_flatview(bus.as), check_written_range, &c);
        }
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-ACC-1/one-function", the_functions_are_one);
    conformance_case("/R-ACC-2/ascending", ascending_over_many_ranges);
    conformance_case("/R-ACC-2/views-during-an-access", views_during_an_access);
    conformance_case("/R-ACC-19/from-the-memory-itself", from_the_memory_itself);
    conformance_case("/R-ACC-19/chunks-of-the-memory-itself", chunks_of_the_memory_itself);
    conformance_case("/R-ACC-3/chunks", chunks);
    conformance_case("/INV-1/chunk-law", chunk_law);
    conformance_case("/R-ACC-4/short-tail", short_tail);
    conformance_case("/R-ACC-5/over-the-edge", chunks_run_over_the_edge);
    conformance_case("/R-ACC-6/denied-pages", denied_pages_read_as_zeros);
    conformance_case("/R-ACC-6/rejected-chunks", rejected_chunks_do_not_end_it);
    conformance_case("/R-ACC-7/failed-reads-give-data", failed_reads_give_data);
    conformance_case("/R-ACC-8/nothing-is-undone", nothing_is_undone);
    g_test_add_func("/R-ACC-11/four-gigabytes-left", four_gigabytes_left);
    conformance_case("/R-ACC-12/skips-devices", memory_only_skips_devices);
    conformance_case("/R-ACC-12/what-is-forbidden", what_memory_only_forbids);
    conformance_case("/R-ACC-13/where-it-is-not-asked", where_memory_only_is_not_asked);
    conformance_case("/R-ACC-14/memory-only", write_rom_reaches_memory_only);
    conformance_case("/R-ACC-15/memory-of-devices", write_rom_reaches_memory_of_devices);
    conformance_case("/R-ACC-16/translated-for-writing", write_rom_translates_for_writing);
    conformance_case("/R-ACC-17/writes-of-512", set_is_writes_of_512);
    conformance_case("/R-ACC-17/goes-on-after-a-refusal", set_goes_on_after_a_refusal);
    conformance_case("/R-ACC-17/looks-anew", set_looks_anew_every_512);
    conformance_case("/R-ACC-18/continued-reads", continued_reads);
    conformance_case("/INV-3/split-anywhere", ram_may_be_split_anywhere);
    conformance_case("/INV-16/write-rom", write_rom_writes_memory_and_nothing_else);
    return g_test_run();
}
