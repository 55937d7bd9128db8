/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NULL pointers and lengths that are one off, beyond preconditions.c; and what is fine next to them. */
#include "common/access.h"

#include <string.h>
#include <unistd.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN
#define CASE(name, ...) static void name(void) { __VA_ARGS__; }

static uint8_t bytes[64];

/* ram[0,0x1000), dev[0x1000,0x2000) */
typedef struct {
    Bus bus;
    MemoryRegion *ram;
    Device *device;
} World;

static World world_new(void)
{
    World w = { bus_new("as"), stage_ram("ram", 0x1000), device("dev", 0x1000, LITTLE) };

    stage_add(w.bus.root, 0, w.ram);
    stage_add(w.bus.root, 0x1000, w.device->mr);
    return w;
}

/* ---- no space, no view, no cache ---- */

CASE(read_of_no_space, address_space_rw(NULL, 0, PLAIN, bytes, 4, READ))
CASE(load_of_no_space, address_space_ldl_le(NULL, 0, PLAIN, NULL))
CASE(store_to_no_space, address_space_stw_be(NULL, 0, 0, PLAIN, NULL))
CASE(no_cache, address_space_cache_init(NULL, world_new().bus.as, 0, 4, READ))
CASE(no_view, hwaddr xlat; flatview_translate(NULL, 0, &xlat, NULL, READ, PLAIN))

/* Nothing is asked of the space, so nothing is missing. */
static void nothing_of_no_space(void)
{
    check_number(address_space_rw(NULL, 0, PLAIN, NULL, 0, READ), OK);
    check_number(address_space_write(NULL, 0, PLAIN, NULL, 0), OK);
    check_number(address_space_write_rom(NULL, 0, PLAIN, NULL, 0), OK);
    check(address_space_access_valid(NULL, 0, 0, WRITE, PLAIN));
}

/* ---- flatview_read_continue ---- */

static void continue_with(hwaddr length, hwaddr translated, void *buffer)
{
    World w = world_new();

    flatview_read_continue(address_space_to_flatview(w.bus.as), 0x1000, PLAIN, buffer, length, 0, translated,
                           w.device->mr);
}

CASE(continue_with_nothing_translated, continue_with(4, 0, bytes))
CASE(continue_with_more_translated, continue_with(4, 5, bytes))
CASE(continue_without_buffer, continue_with(4, 4, NULL))

static void continue_with_all_translated(void)
{
    continue_with(4, 4, bytes);
    check_bytes(bytes, 4, "00 01 02 03");
}

/* ---- translation without a length ---- */

static void no_length_to_cut(void)
{
    World w = world_new();
    Bus pages = bus_new("pages");
    TableIommu *t = table_new("iommu", 0x1000, TABLE_PLAIN);
    FlatView *view;
    hwaddr xlat = 0;

    stage_add(pages.root, 0x5000, table_region(t));
    table_map(t, 0, 0x1000, w.bus.as, 0, 0xff, IOMMU_RO);
    view = address_space_to_flatview(pages.as);
    rcu_read_lock();
    check_pointer(flatview_translate(view, 0x5123, &xlat, NULL, READ, PLAIN), w.ram);
    check_number(xlat, 0x123);
    check(is_unassigned(flatview_translate(view, 0x5123, &xlat, NULL, WRITE, PLAIN)));
    check_number(xlat, 0x123);
    rcu_read_unlock();
}

/* ---- flush_rom_device, cache_invalidate ---- */

static Device *flash(void)
{
    return device_rom("flash", 0x1000, (DeviceOptions) { LITTLE });
}

CASE(flush_nothing_behind_the_end, memory_region_flush_rom_device(flash()->mr, 0x1001, 0))

static void flush_nothing_at_the_end(void)
{
    Device *d = flash();

    memory_region_flush_rom_device(d->mr, 0x1000, 0);
    memory_region_flush_rom_device(d->mr, 0, 0x1000);
    check_calls(d, "");
}

static MemoryRegionCache cache_of_16(void)
{
    MemoryRegionCache cache;

    address_space_cache_init(&cache, world_new().bus.as, 0, 0x10, WRITE);
    return cache;
}

CASE(invalidate_nothing_behind_the_end, MemoryRegionCache c = cache_of_16();
     address_space_cache_invalidate(&c, 0x11, 0))

static void invalidate_nothing_at_the_end(void)
{
    MemoryRegionCache cache = cache_of_16();

    address_space_cache_invalidate(&cache, 0x10, 0);
    address_space_cache_invalidate(&cache, 0, 0x10);
    check_number(address_space_write_cached(&cache, 0xf, "x", 1), OK);
    address_space_cache_destroy(&cache);
}

/* ---- unmap, while other mappings are there ---- */

static void *map(Bus bus, hwaddr addr, hwaddr length)
{
    hwaddr got = length;
    void *host = address_space_map(bus.as, addr, &got, READ, PLAIN);

    check_number(got, length);
    return host;
}

CASE(unmap_null_of_some, World w = world_new(); map(w.bus, 0, 8); address_space_unmap(w.bus.as, NULL, 0, READ, 0))
CASE(unmap_another_of_some, World w = world_new(); uint8_t *p = map(w.bus, 0, 8);
     address_space_unmap(w.bus.as, p + 1, 8, READ, 8))

/* One memory, two regions, two spaces: each unmap ends the mapping of its own space, not the newest. */
static void each_space_ends_its_own(void)
{
    Object *owners[2] = { stage_owner("a"), stage_owner("b") };
    Bus buses[2] = { bus_new("first"), bus_new("second") };
    uint8_t *host = stage_storage(0x1000);
    unsigned before[2];

    for (int i = 0; i < 2; i++) {
        stage_set_owner(owners[i]);
        stage_add(buses[i].root, 0, stage_ram_ptr("ram", 0x1000, host));
        stage_set_owner(NULL);
    }
    memcore_drain();
    for (int i = 0; i < 2; i++) {
        before[i] = stage_owner_references(owners[i]);
        check_pointer(map(buses[i], 0, 0x10), host);
        check_number(stage_owner_references(owners[i]), before[i] + 1);
    }
    address_space_unmap(buses[0].as, host, 0x10, READ, 0);
    check_number(stage_owner_references(owners[0]), before[0]);
    check_number(stage_owner_references(owners[1]), before[1] + 1);
    address_space_unmap(buses[1].as, host, 0x10, READ, 0);
    check_number(stage_owner_references(owners[1]), before[1]);
}

/* Of several mappings at one place the one with this length ends; who is left may still be used in full. */
static void each_length_ends_its_own(void)
{
    World w = world_new();
    static const hwaddr lengths[] = { 0x10, 0x20, 0x30 };
    void *p = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        p = map(w.bus, 0, lengths[i]);
        check_pointer(p, ram_bytes(w.ram));
    }
    address_space_unmap(w.bus.as, p, 0x20, READ, 0x20);
    address_space_unmap(w.bus.as, p, 0x30, READ, 0x30);
    address_space_unmap(w.bus.as, p, 0x10, READ, 0x10);
}

/* A longer one is left, but this one is not that long. */
static void unmap_more_than_is_left(void)
{
    World w = world_new();
    void *p = map(w.bus, 0, 0x10);

    map(w.bus, 0, 0x20);
    address_space_unmap(w.bus.as, p, 0x20, READ, 0x20);
    address_space_unmap(w.bus.as, p, 0x10, READ, 0x11);
}

/* ---- memory that ends before its region ---- */

/* What the region was made larger by is a hole, for every way to access it (R-TREE-9). */
static void behind_the_memory(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x10000, 0);
    MemoryRegionCache cache;
    hwaddr got = 0x10;
    void *host;

    stage_add(bus.root, 0, ram);
    memory_region_set_size(ram, 0x20000);
    check_translate(bus.as, 0xfffe, 0x10, READ, "ram@0xfffe+0x2");
    check_translate(bus.as, 0x10000, 0x10, READ, "U@0x10000+0x10");
    check_translate(bus.as, 0x1fff8, 0x10, READ, "U@0x1fff8+0x8");
    check_read(bus.as, 0xfffe, 4, DECODE, "fe ff 00 00");
    check_write(bus.as, 0xfffe, 4, 0x70, DECODE);
    check_bytes(ram_bytes(ram) + 0xfffc, 4, "fc fd 70 71");
    check_load(address_space_ldl_le, bus.as, 0xfffe, 0, DECODE);
    check_load(address_space_lduw_le, bus.as, 0xfffe, 0x7170, OK);
    check_store(address_space_stl_le, bus.as, 0xfffe, 0, DECODE);
    check_bytes(ram_bytes(ram) + 0xfffe, 2, "70 71");
    check(address_space_access_valid(bus.as, 0xfff0, 0x10, WRITE, PLAIN));
    check(!address_space_access_valid(bus.as, 0xfff0, 0x11, WRITE, PLAIN));
    host = address_space_map(bus.as, 0xfff8, &got, WRITE, PLAIN);
    check_pointer(host, ram_bytes(ram) + 0xfff8);
    check_number(got, 8);
    address_space_unmap(bus.as, host, got, READ, 0);
    check_number(address_space_cache_init(&cache, bus.as, 0xfff8, 0x10, WRITE), 8);
    address_space_cache_destroy(&cache);
}

/* Longer by one byte is enough, and as long as it is not. */
static void one_byte_behind_the_memory(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x10000, 0);

    stage_add(bus.root, 0, ram);
    for (unsigned longer = 0; longer < 2; longer++) {
        memory_region_set_size(ram, 0x10000 + longer);
        check_load(address_space_ldub, bus.as, 0xffff, 0xff, OK);
        check_load(address_space_ldub, bus.as, 0x10000, 0, DECODE);
        check_load(address_space_lduw_le, bus.as, 0xffff, 0, DECODE);
        check_store(address_space_stb, bus.as, 0x10000, 0, DECODE);
        check_translate(bus.as, 0xffff, 2, READ, "ram@0xffff+0x1");
    }
}

/* ---- memory that nobody may write ---- */

/* A file mapped for reading only is skipped, as far as it reaches and no further. */
static void write_rom_skips_what_the_host_protects(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr)), *ram = stage_ram("ram", 0x1000);
    Bus bus = bus_new("as");
    char *path = NULL;
    int fd = g_file_open_tmp("memcore-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, (off_t)0x10000), ==, 0);
    memory_region_init_ram_from_file(mr, NULL, "file", 0x10000, 0, RAM_SHARED, path, true, &error_fatal);
    stage_adopt(mr, NULL);
    close(fd);
    unlink(path);
    g_free(path);
    stage_add(bus.root, 0, mr);
    stage_add(bus.root, 0x10000, ram);
    check_number(address_space_write_rom(bus.as, 0xfffe, PLAIN, "abcd", 4), OK);
    check_read(bus.as, 0xfffe, 4, OK, "00 00 63 64");
}

int main(int argc, char **argv)
{
    static const Misuse cases[] = {
        { "/R-ACC-1/no-space", read_of_no_space, "address_space_rw", "(nil) is not an address space*(R-ACC-1)" },
        { "/R-SCL-1/load-of-no-space", load_of_no_space, "address_space_ldl_le",
          "(nil) is not an address space*(R-SCL-1)" },
        { "/R-SCL-1/store-to-no-space", store_to_no_space, "address_space_stw_be",
          "(nil) is not an address space*(R-SCL-1)" },
        { "/R-CCH-1/no-cache", no_cache, "address_space_cache_init", "no cache*(R-CCH-1)" },
        { "/R-TRN-1/no-view", no_view, "flatview_translate", "no view*(R-TRN-1)" },
        { "/R-ACC-18/nothing-translated", continue_with_nothing_translated, "flatview_read_continue",
          "0x0 are*(R-ACC-18)" },
        { "/R-ACC-18/more-translated", continue_with_more_translated, "flatview_read_continue",
          "0x5 are*(R-ACC-18)" },
        { "/R-ACC-18/no-buffer", continue_without_buffer, "flatview_read_continue", "no buffer*(R-LKP-5)" },
        { "/R-RGN-4/flush-nothing-behind-the-end", flush_nothing_behind_the_end, "memory_region_flush_rom_device",
          "flash*(R-DIRTY-14)" },
        { "/R-CCH-9/nothing-behind-the-end", invalidate_nothing_behind_the_end, "address_space_cache_invalidate",
          "0x11*(R-CCH-9)" },
        { "/R-MAP-8/null-of-some", unmap_null_of_some, "address_space_unmap", "(R-MAP-8)" },
        { "/R-MAP-8/another-of-some", unmap_another_of_some, "address_space_unmap", "(R-MAP-8)" },
        { "/R-MAP-8/more-than-is-left", unmap_more_than_is_left, "address_space_unmap", "0x11*(R-MAP-8)" },
    };

    conformance_start(&argc, &argv);
    conformance_misuses(cases);
    conformance_case("/R-LKP-5/nothing-of-no-space", nothing_of_no_space);
    conformance_case("/R-ACC-18/all-translated", continue_with_all_translated);
    conformance_case("/R-TRN-1/no-length", no_length_to_cut);
    conformance_case("/R-RGN-4/flush-nothing-at-the-end", flush_nothing_at_the_end);
    conformance_case("/R-CCH-9/nothing-at-the-end", invalidate_nothing_at_the_end);
    conformance_case("/R-MAP-12/each-space-its-own", each_space_ends_its_own);
    conformance_case("/R-MAP-8/each-length-its-own", each_length_ends_its_own);
    conformance_case("/R-TREE-9/behind-the-memory", behind_the_memory);
    conformance_case("/R-TREE-9/one-byte-behind-the-memory", one_byte_behind_the_memory);
    conformance_case("/R-ACC-14/what-the-host-protects", write_rom_skips_what_the_host_protects);
    return g_test_run();
}
