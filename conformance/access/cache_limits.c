/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where accesses to a cache may begin and end: the last place of each width is a fast one, and there is none behind. */
#include "common/access.h"

#include "exec/ram_addr.h"

enum { LENGTH = 0x10 };

/* RAM at 0, logged and clean; an IOMMU that leads to it at 0x10000, whose caches are slow. */
typedef struct {
    Bus bus;
    MemoryRegion *ram;
    MemoryRegionCache cache;
} Bench;

static Bench bench_new(hwaddr address, bool is_write)
{
    Bench b = { .bus = bus_new("as"), .ram = ram_counting("ram", 0x10000, 0) };
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);

    stage_add(b.bus.root, 0, b.ram);
    stage_add(b.bus.root, 0x10000, table_region(t));
    table_map(t, 0, 0x10000, b.bus.as, 0, 0xfff, IOMMU_RW);
    memory_region_set_log(b.ram, true, DIRTY_MEMORY_VGA);
    memory_region_reset_dirty(b.ram, 0, 0x10000, DIRTY_MEMORY_VGA);
    check_number(address_space_cache_init(&b.cache, b.bus.as, address, LENGTH, is_write), LENGTH);
    return b;
}

static void check_clean(Bench *b)
{
    check(!cpu_physical_memory_get_dirty(memory_region_get_ram_addr(b->ram), 0x10000, DIRTY_MEMORY_VGA));
}

/* A slow store would have marked its page (R-CCH-6). */
static void the_last_place_is_fast(void)
{
    Bench b = bench_new(0, WRITE);
    MemoryRegionCache *c = &b.cache;

    check_store(address_space_stb_cached, c, 0, 0x10, OK);
    check_store(address_space_stb_cached, c, LENGTH - 1, 0x11, OK);
    check_store(address_space_stw_le_cached, c, LENGTH - 2, 0x1312, OK);
    check_store(address_space_stl_le_cached, c, LENGTH - 4, 0x17161514, OK);
    check_store(address_space_stq_le_cached, c, LENGTH - 8, 0x1f1e1d1c1b1a1918, OK);
    check_clean(&b);
    check_bytes(ram_bytes(b.ram), 0x11, "10 01 02 03 04 05 06 07 18 19 1a 1b 1c 1d 1e 1f 10");
    address_space_cache_destroy(c);
    /* As long as one access. */
    check_number(address_space_cache_init(c, b.bus.as, 0x20, 8, WRITE), 8);
    check_store(address_space_stq_le_cached, c, 0, 0, OK);
    check_clean(&b);
    address_space_cache_destroy(c);
}

/* R-CCH-9: the whole of it, or nothing at its end. */
static void invalidate_to_the_end(void)
{
    Bench b = bench_new(0, WRITE);

    address_space_cache_invalidate(&b.cache, LENGTH, 0);
    check_clean(&b);
    address_space_cache_invalidate(&b.cache, 0, LENGTH);
    check(cpu_physical_memory_get_dirty(memory_region_get_ram_addr(b.ram), 1, DIRTY_MEMORY_VGA));
    address_space_cache_destroy(&b.cache);
}

/* R-RGN-4: all of a ROM device's memory, or nothing at its end. */
static void flush_to_the_end(void)
{
    Device *d = device_rom("flash", 0x10000, (DeviceOptions) { .order = DEVICE_LITTLE_ENDIAN });
    const ram_addr_t start = memory_region_get_ram_addr(d->mr);

    memory_region_set_log(d->mr, true, DIRTY_MEMORY_VGA);
    memory_region_reset_dirty(d->mr, 0, 0x10000, DIRTY_MEMORY_VGA);
    memory_region_flush_rom_device(d->mr, 0x10000, 0);
    check(!cpu_physical_memory_get_dirty(start, 0x10000, DIRTY_MEMORY_VGA));
    memory_region_flush_rom_device(d->mr, 0, 0x10000);
    check(cpu_physical_memory_all_dirty(start, 0x10000, DIRTY_MEMORY_VGA));
    memory_region_set_log(d->mr, false, DIRTY_MEMORY_VGA);
}

/* ---- just behind; and what the message says of it ---- */

static uint8_t bytes[2 * LENGTH];

#define CASE(name, address, is_write, call) \
    static void name(void) \
    { \
        Bench b = bench_new((address), (is_write)); \
        MemoryRegionCache *c = &b.cache; \
        call; \
    }
enum { FAST = 0, SLOW = 0x10000 };

CASE(load_1, FAST, READ, address_space_ldub_cached(c, LENGTH, PLAIN, NULL))
CASE(load_2, FAST, READ, address_space_lduw_le_cached(c, LENGTH - 1, PLAIN, NULL))
CASE(load_4, FAST, READ, address_space_ldl_le_cached(c, LENGTH - 3, PLAIN, NULL))
CASE(load_8, FAST, READ, address_space_ldq_le_cached(c, LENGTH - 7, PLAIN, NULL))
CASE(store_1, FAST, WRITE, address_space_stb_cached(c, LENGTH, 0, PLAIN, NULL))
CASE(store_2, FAST, WRITE, address_space_stw_le_cached(c, LENGTH - 1, 0, PLAIN, NULL))
CASE(store_4, FAST, WRITE, address_space_stl_le_cached(c, LENGTH - 3, 0, PLAIN, NULL))
CASE(store_8, FAST, WRITE, address_space_stq_le_cached(c, LENGTH - 7, 0, PLAIN, NULL))
CASE(slow_load, SLOW, READ, address_space_ldl_le_cached_slow(c, LENGTH - 3, PLAIN, NULL))
CASE(slow_store, SLOW, WRITE, address_space_stl_le_cached_slow(c, LENGTH - 3, 0, PLAIN, NULL))
CASE(slow_store_for_reading, SLOW, READ, address_space_stl_le_cached_slow(c, LENGTH - 4, 0, PLAIN, NULL))
CASE(slow_read, SLOW, READ, address_space_read_cached_slow(c, 1, bytes, LENGTH))
CASE(slow_read_of_nothing, SLOW, READ, address_space_read_cached_slow(c, LENGTH, bytes, 0))
CASE(slow_write, SLOW, WRITE, address_space_write_cached_slow(c, 1, bytes, LENGTH))
CASE(slow_write_for_reading, SLOW, READ, address_space_write_cached_slow(c, 0, bytes, LENGTH))
CASE(slow_write_of_nothing_for_reading, SLOW, READ, address_space_write_cached_slow(c, 0, bytes, 0))
CASE(invalidate_behind, FAST, WRITE, address_space_cache_invalidate(c, LENGTH, 1))
CASE(invalidate_nothing_behind, FAST, WRITE, address_space_cache_invalidate(c, LENGTH + 1, 0))

int main(int argc, char **argv)
{
    static const Misuse cases[] = {
        { "/R-CCH-1/load-1", load_1, "address_space_ldub_cached",
          "0x1 bytes at 0x10 are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/load-2", load_2, "address_space_lduw_le_cached",
          "0x2 bytes at 0xf are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/load-4", load_4, "address_space_ldl_le_cached",
          "0x4 bytes at 0xd are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/load-8", load_8, "address_space_ldq_le_cached",
          "0x8 bytes at 0x9 are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/store-1", store_1, "address_space_stb_cached",
          "0x1 bytes at 0x10 are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/store-2", store_2, "address_space_stw_le_cached",
          "0x2 bytes at 0xf are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/store-4", store_4, "address_space_stl_le_cached",
          "0x4 bytes at 0xd are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/store-8", store_8, "address_space_stq_le_cached",
          "0x8 bytes at 0x9 are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/slow-load", slow_load, "address_space_ldl_le_cached_slow", "are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/slow-store", slow_store, "address_space_stl_le_cached_slow", "are not in the cache*(R-CCH-1)" },
        { "/R-CCH-4/slow-store-for-reading", slow_store_for_reading, "address_space_stl_le_cached_slow",
          "writing 0x4 bytes at 0xc: the cache*(R-CCH-4)" },
        { "/R-CCH-1/slow-read", slow_read, "address_space_read_cached_slow", "are not in the cache*(R-CCH-1)" },
        { "/R-CCH-8/slow-read-of-nothing", slow_read_of_nothing, "address_space_read_cached_slow",
          "0x0 bytes at 0x10 are not in the cache*(R-CCH-1)" },
        { "/R-CCH-1/slow-write", slow_write, "address_space_write_cached_slow", "are not in the cache*(R-CCH-1)" },
        { "/R-CCH-4/slow-write-for-reading", slow_write_for_reading, "address_space_write_cached_slow",
          "writing 0x10 bytes at 0x0: the cache*(R-CCH-4)" },
        { "/R-CCH-4/slow-write-of-nothing", slow_write_of_nothing_for_reading, "address_space_write_cached_slow",
          "writing 0x0 bytes*(R-CCH-4)" },
        { "/R-CCH-9/just-behind", invalidate_behind, "address_space_cache_invalidate",
          "0x1 bytes at 0x10*(R-CCH-9)" },
        { "/R-CCH-9/nothing-behind", invalidate_nothing_behind, "address_space_cache_invalidate",
          "0x0 bytes at 0x11*(R-CCH-9)" },
    };

    conformance_start(&argc, &argv);
    conformance_case("/R-CCH-4/the-last-place-is-fast", the_last_place_is_fast);
    conformance_case("/R-CCH-9/to-the-end", invalidate_to_the_end);
    conformance_case("/R-RGN-4/flush-to-the-end", flush_to_the_end);
    conformance_misuses(cases);
    return g_test_run();
}
