/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Misuse of the access functions: section 15.  Each case must die with one line that names what it names.
 * IOMMUs and their notifiers: preconditions_iommu.c.
 */
#include "common/access.h"

#include <string.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

/* ram[0,0x1000), dev[0x1000,0x2000) */
typedef struct {
    Bus bus;
    MemoryRegion *ram;
    Device *device;
} World;

static World world_with(DeviceOptions options)
{
    World w = { bus_new("as"), stage_ram("ram", 0x1000), device_new("dev", 0x1000, options) };

    stage_add(w.bus.root, 0, w.ram);
    stage_add(w.bus.root, 0x1000, w.device->mr);
    return w;
}

static World world_new(void)
{
    return world_with((DeviceOptions) { LITTLE });
}

static uint8_t bytes[64];
static uint64_t value;

/* ---- any access ---- */

static AddressSpace nowhere;

static void rw_nowhere(void)
{
    address_space_rw(&nowhere, 0, PLAIN, bytes, 4, READ);
}

static void write_nowhere(void)
{
    address_space_write(&nowhere, 0, PLAIN, bytes, 4);
}

static void load_nowhere(void)
{
    address_space_ldl_le(&nowhere, 0, PLAIN, NULL);
}

static void store_nowhere(void)
{
    address_space_stq_be(&nowhere, 0, 0, PLAIN, NULL);
}

static void map_nowhere(void)
{
    hwaddr got = 4;

    address_space_map(&nowhere, 0, &got, READ, PLAIN);
}

static void cache_nowhere(void)
{
    MemoryRegionCache cache;

    address_space_cache_init(&cache, &nowhere, 0, 4, READ);
}

static void valid_nowhere(void)
{
    address_space_access_valid(&nowhere, 0, 4, READ, PLAIN);
}

static void write_rom_nowhere(void)
{
    address_space_write_rom(&nowhere, 0, PLAIN, bytes, 4);
}

static void entry_nowhere(void)
{
    address_space_get_iotlb_entry(&nowhere, 0, READ, PLAIN);
}

static void read_to_null(void)
{
    address_space_rw(world_new().bus.as, 0, PLAIN, NULL, 4, READ);
}

static void read_constant_to_null(void)
{
    address_space_read(world_new().bus.as, 0, PLAIN, NULL, 4);
}

static void write_from_null(void)
{
    address_space_write(world_new().bus.as, 0x1000, PLAIN, NULL, 4);
}

static void write_rom_from_null(void)
{
    address_space_write_rom(world_new().bus.as, 0, PLAIN, NULL, 4);
}

/* ---- dispatch ---- */

static void read_without_callback(void)
{
    World w = world_new();

    w.device->ops.read = NULL;
    memory_region_dispatch_read(w.device->mr, 0, &value, MO_32, PLAIN);
}

static void load_without_callback(void)
{
    World w = world_new();

    w.device->ops.read = NULL;
    address_space_ldl_le(w.bus.as, 0x1000, PLAIN, NULL);
}

static void write_without_callback(void)
{
    World w = world_new();

    w.device->ops.write = NULL;
    memory_region_dispatch_write(w.device->mr, 0, 0, MO_32, PLAIN);
}

static void dispatch_of_sixteen_bytes(void)
{
    memory_region_dispatch_read(world_new().device->mr, 0, &value, (MemOp)4, PLAIN);
}

static void dispatch_write_of_sixteen_bytes(void)
{
    memory_region_dispatch_write(world_new().device->mr, 0, 0, (MemOp)(4 | MO_BE), PLAIN);
}

static void dispatch_to_null(void)
{
    memory_region_dispatch_read(world_new().device->mr, 0, NULL, MO_32, PLAIN);
}

static void valid_sizes_too_large(void)
{
    address_space_rw(world_with((DeviceOptions) { LITTLE, .valid_max = 16 }).bus.as, 0x1000, PLAIN, bytes,
                     16, READ);
}

static void impl_min_too_large(void)
{
    address_space_ldl_le(world_with((DeviceOptions) { LITTLE, .impl_min = 16 }).bus.as, 0x1000, PLAIN, NULL);
}

static void impl_max_no_power_of_two(void)
{
    address_space_ldl_le(world_with((DeviceOptions) { LITTLE, .impl_max = 3 }).bus.as, 0x1000, PLAIN, NULL);
}

/* ---- translation ---- */

static void translate_to_null(void)
{
    hwaddr size = 4;

    address_space_translate(world_new().bus.as, 0, NULL, &size, READ, PLAIN);
}

static void continue_with_nothing(void)
{
    World w = world_new();

    flatview_read_continue(address_space_to_flatview(w.bus.as), 0x1000, PLAIN, bytes, 0, 0, 4, w.device->mr);
}

/* ---- map ---- */

static void map_without_length(void)
{
    address_space_map(world_new().bus.as, 0, NULL, READ, PLAIN);
}

static void unmap_of_something(void)
{
    address_space_unmap(world_new().bus.as, bytes, 4, READ, 4);
}

static void unmap_of_ram_not_mapped(void)
{
    World w = world_new();

    address_space_unmap(w.bus.as, ram_bytes(w.ram), 4, READ, 4);
}

static void unmap_of_null(void)
{
    address_space_unmap(world_new().bus.as, NULL, 0, READ, 0);
}

static void unmap_of_too_much(hwaddr addr)
{
    World w = world_new();
    hwaddr got = 8;
    void *p = address_space_map(w.bus.as, addr, &got, WRITE, PLAIN);

    address_space_unmap(w.bus.as, p, got, WRITE, 9);
}

static void unmap_of_too_much_memory(void)
{
    unmap_of_too_much(0);
}

static void unmap_of_too_much_device(void)
{
    unmap_of_too_much(0x1000);
}

static void unmap_twice(hwaddr addr)
{
    World w = world_new();
    hwaddr got = 8;
    void *p = address_space_map(w.bus.as, addr, &got, READ, PLAIN);

    address_space_unmap(w.bus.as, p, got, READ, 0);
    address_space_unmap(w.bus.as, p, got, READ, 0);
}

static void unmap_memory_twice(void)
{
    unmap_twice(0);
}

static void unmap_device_twice(void)
{
    unmap_twice(0x1000);
}

static void unmap_to_nowhere(void)
{
    hwaddr got = 8;
    void *p = address_space_map(world_new().bus.as, 0x1000, &got, WRITE, PLAIN);

    address_space_unmap(&nowhere, p, got, WRITE, got);
}

static void nothing(void *opaque)
{
    (void)opaque;
}

static void waiting_client_deleted(void)
{
    World w = world_new();
    hwaddr got = 8;
    QEMUBH *bh = qemu_bh_new(nothing, NULL);

    address_space_map(w.bus.as, 0x1000, &got, READ, PLAIN);
    cpu_register_map_client(bh);
    qemu_bh_delete(bh);
}

/* ---- caches ---- */

static void cache_of_nothing(void)
{
    MemoryRegionCache cache;

    address_space_cache_init(&cache, world_new().bus.as, 0, 0, READ);
}

static MemoryRegionCache cache_at(hwaddr addr, bool is_write)
{
    MemoryRegionCache cache;

    address_space_cache_init(&cache, world_new().bus.as, addr, 0x10, is_write);
    return cache;
}

static void cached_load_outside(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_ldl_le_cached(&cache, 0xd, PLAIN, NULL);
}

static void cached_byte_outside(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_ldub_cached(&cache, 0x10, PLAIN, NULL);
}

static void slow_cached_load_outside(void)
{
    MemoryRegionCache cache = cache_at(0x1000, READ);

    address_space_ldq_be_cached_slow(&cache, 9, PLAIN, NULL);
}

static void cached_load_far_outside(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_ldl_le_cached(&cache, UINT64_MAX - 1, PLAIN, NULL);
}

static void cached_store_outside(void)
{
    MemoryRegionCache cache = cache_at(0, WRITE);

    address_space_stw_be_cached(&cache, 0xf, 0, PLAIN, NULL);
}

static void cached_read_outside(void)
{
    MemoryRegionCache cache = cache_at(0x1000, READ);

    address_space_read_cached(&cache, 8, bytes, 9);
}

static void cached_read_of_nothing_at_the_end(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_read_cached(&cache, 0x10, bytes, 0);
}

static void cached_write_outside(void)
{
    MemoryRegionCache cache = cache_at(0, WRITE);

    address_space_write_cached(&cache, 0, bytes, 0x11);
}

static void cached_store_for_reading(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_stb_cached(&cache, 0, 0, PLAIN, NULL);
}

static void slow_cached_store_for_reading(void)
{
    MemoryRegionCache cache = cache_at(0x1000, READ);

    address_space_stl_le_cached(&cache, 0, 0, PLAIN, NULL);
}

static void cached_write_for_reading(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_write_cached(&cache, 0, bytes, 1);
}

static void cached_load_after_the_end(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_cache_destroy(&cache);
    address_space_ldub_cached(&cache, 0, PLAIN, NULL);
}

static void invalidate_for_reading(void)
{
    MemoryRegionCache cache = cache_at(0, READ);

    address_space_cache_invalidate(&cache, 0, 1);
}

static void invalidate_outside(void)
{
    MemoryRegionCache cache = cache_at(0, WRITE);

    address_space_cache_invalidate(&cache, 8, 9);
}

/* ---- ROM devices ---- */

static void flush_of_ram(void)
{
    memory_region_flush_rom_device(world_new().ram, 0, 1);
}

static void flush_of_mmio_mode(void)
{
    Device *d = device_rom("flash", 0x1000, (DeviceOptions) { LITTLE });

    memory_region_rom_device_set_romd(d->mr, false);
    memory_region_flush_rom_device(d->mr, 0, 1);
}

static void flush_outside(void)
{
    memory_region_flush_rom_device(device_rom("flash", 0x1000, (DeviceOptions) { LITTLE })->mr, 0xfff, 2);
}

int main(int argc, char **argv)
{
    static const Misuse cases[] = {
        { "/R-ACC-1/rw-nowhere", rw_nowhere, "address_space_rw", "is not an address space*(R-ACC-1)" },
        { "/R-ACC-1/write-nowhere", write_nowhere, "address_space_write", "is not an address space*(R-ACC-1)" },
        { "/R-SCL-1/load-nowhere", load_nowhere, "address_space_ldl_le", "is not an address space*(R-SCL-1)" },
        { "/R-SCL-1/store-nowhere", store_nowhere, "address_space_stq_be", "is not an address space*(R-SCL-1)" },
        { "/R-MAP-1/map-nowhere", map_nowhere, "address_space_map", "is not an address space*(R-MAP-1)" },
        { "/R-CCH-1/cache-nowhere", cache_nowhere, "address_space_cache_init", "is not an address space*(R-CCH-1)" },
        { "/R-VAL-1/valid-nowhere", valid_nowhere, "address_space_access_valid",
          "is not an address space*(R-VAL-1)" },
        { "/R-ACC-14/write-rom-nowhere", write_rom_nowhere, "address_space_write_rom",
          "is not an address space*(R-ACC-14)" },
        { "/R-TRN-11/entry-nowhere", entry_nowhere, "address_space_get_iotlb_entry",
          "is not an address space*(R-TRN-11)" },
        { "/R-ACC-1/read-to-null", read_to_null, "address_space_rw",
          "address 0x0: no buffer (NULL) for 0x4 bytes (R-LKP-5)" },
        { "/R-ACC-1/read-constant-to-null", read_constant_to_null, "address_space_read_full",
          "address 0x0: no buffer (NULL) for 0x4 bytes (R-LKP-5)" },
        { "/R-ACC-1/write-from-null", write_from_null, "address_space_write",
          "address 0x1000: no buffer (NULL) for 0x4 bytes (R-LKP-5)" },
        { "/R-ACC-14/write-rom-from-null", write_rom_from_null, "address_space_write_rom",
          "address 0x0: no buffer (NULL) for 0x4 bytes (R-LKP-5)" },
        { "/R-DSP-5/read-without-callback", read_without_callback, "MemoryRegionOps", "dev*read*(R-DSP-5)" },
        { "/R-DSP-5/load-without-callback", load_without_callback, "MemoryRegionOps", "dev*read*(R-DSP-5)" },
        { "/R-DSP-5/write-without-callback", write_without_callback, "MemoryRegionOps", "dev*write*(R-DSP-5)" },
        { "/R-DSP-2/sixteen-bytes", dispatch_of_sixteen_bytes, "memory_region_dispatch_read",
          "'dev': an access of 16 bytes, more than 8 (R-TYP-5)" },
        { "/R-DSP-2/write-of-sixteen-bytes", dispatch_write_of_sixteen_bytes, "memory_region_dispatch_write",
          "'dev': an access of 16 bytes, more than 8 (R-TYP-5)" },
        { "/R-DSP-3/to-null", dispatch_to_null, "memory_region_dispatch_read", "'dev'*pval is NULL*(R-DSP-3)" },
        { "/R-ACC-3/valid-sizes-too-large", valid_sizes_too_large, "MemoryRegionOps",
          "'dev': valid.max_access_size is 16*(R-ACC-3)" },
        { "/R-DSP-6/impl-min-too-large", impl_min_too_large, "MemoryRegionOps",
          "'dev': impl.min_access_size 16*pieces of 16 bytes*(R-DSP-6)" },
        { "/R-DSP-6/impl-max-no-power-of-two", impl_max_no_power_of_two, "MemoryRegionOps",
          "'dev'*impl.max_access_size 3 make pieces of 3 bytes*(R-DSP-6)" },
        { "/R-TRN-1/to-null", translate_to_null, "flatview_translate", "address 0x0*xlat is NULL*(R-TRN-1)" },
        { "/R-ACC-18/length-zero", continue_with_nothing, "flatview_read_continue",
          "0x0 bytes, of which 0x4 are translated*at least 1 must be*(R-ACC-18)" },
        { "/R-MAP-1/without-length", map_without_length, "address_space_map", "plen is NULL*(R-MAP-1)" },
        { "/R-MAP-8/unmap-of-something", unmap_of_something, "address_space_unmap",
          "0x*is not what address_space_map returned*(R-MAP-8)" },
        { "/R-MAP-8/unmap-of-ram-not-mapped", unmap_of_ram_not_mapped, "address_space_unmap",
          "0x*is not what address_space_map returned*(R-MAP-8)" },
        { "/R-MAP-8/unmap-of-null", unmap_of_null, "address_space_unmap",
          "is not what address_space_map returned*(R-MAP-8)" },
        { "/R-MAP-8/too-much-memory", unmap_of_too_much_memory, "address_space_unmap",
          "access_len 0x9 is more than the 0x8 bytes*(R-MAP-8)" },
        { "/R-MAP-9/too-much-device", unmap_of_too_much_device, "address_space_unmap",
          "access_len 0x9 is more than the 0x8 bytes*(R-MAP-9)" },
        { "/R-MAP-8/memory-twice", unmap_memory_twice, "address_space_unmap",
          "0x*is not what address_space_map returned*(R-MAP-8)" },
        { "/R-MAP-9/device-twice", unmap_device_twice, "address_space_unmap",
          "0x*is not what address_space_map returned*(R-MAP-8)" },
        { "/R-MAP-9/to-nowhere", unmap_to_nowhere, "address_space_unmap", "is not an address space*(R-MAP-9)" },
        { "/R-MAP-11/waiting-client-deleted", waiting_client_deleted, "qemu_bh_delete",
          "registered with cpu_register_map_client 1 times (R-MAP-11)" },
        { "/R-LKP-5/cache-of-nothing", cache_of_nothing, "address_space_cache_init",
          "length 0; a cache has at least 1 byte (R-LKP-5)" },
        { "/R-CCH-1/load-outside", cached_load_outside, "address_space_ldl_le_cached",
          "0x4 bytes at 0xd are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-1/byte-outside", cached_byte_outside, "address_space_ldub_cached",
          "0x1 bytes at 0x10 are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-1/slow-load-outside", slow_cached_load_outside, "address_space_ldq_be_cached_slow",
          "0x8 bytes at 0x9 are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-1/load-far-outside", cached_load_far_outside, "address_space_ldl_le_cached",
          "0x4 bytes at 0xfffffffffffffffe are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-1/store-outside", cached_store_outside, "address_space_stw_be_cached",
          "0x2 bytes at 0xf are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-1/read-outside", cached_read_outside, "address_space_read_cached",
          "0x9 bytes at 0x8 are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-8/nothing-at-the-end", cached_read_of_nothing_at_the_end, "address_space_read_cached",
          "0x0 bytes at 0x10 are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-1/write-outside", cached_write_outside, "address_space_write_cached",
          "0x11 bytes at 0x0 are not in the cache*of 0x10 (R-CCH-1)" },
        { "/R-CCH-4/store-for-reading", cached_store_for_reading, "address_space_stb_cached",
          "writing 0x1 bytes at 0x0*not made for writing (R-CCH-4)" },
        { "/R-CCH-6/slow-store-for-reading", slow_cached_store_for_reading, "address_space_stl_le_cached",
          "writing 0x4 bytes at 0x0*not made for writing (R-CCH-4)" },
        { "/R-CCH-4/write-for-reading", cached_write_for_reading, "address_space_write_cached",
          "writing 0x1 bytes at 0x0*not made for writing (R-CCH-4)" },
        { "/R-CCH-10/load-after-the-end", cached_load_after_the_end, "address_space_ldub_cached",
          "is not live*(R-CCH-10)" },
        { "/R-CCH-9/for-reading", invalidate_for_reading, "address_space_cache_invalidate",
          "was not made for writing*(R-CCH-9)" },
        { "/R-CCH-9/outside", invalidate_outside, "address_space_cache_invalidate",
          "0x9 bytes at 0x8 are not in the cache*of 0x10 (R-CCH-9)" },
        { "/R-RGN-4/flush-of-ram", flush_of_ram, "memory_region_flush_rom_device",
          "'ram' is not a ROM device in ROMD mode (R-DIRTY-14)" },
        { "/R-RGN-4/flush-of-mmio-mode", flush_of_mmio_mode, "memory_region_flush_rom_device",
          "'flash' is not a ROM device in ROMD mode (R-DIRTY-14)" },
        { "/R-RGN-4/flush-outside", flush_outside, "memory_region_flush_rom_device",
          "'flash' has 0x*not 0x2 at 0x*(R-DIRTY-14)" },
    };

    conformance_start(&argc, &argv);
    conformance_misuses(cases);
    return g_test_run();
}
