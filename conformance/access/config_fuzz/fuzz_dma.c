/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fuzzer is told before a device's data is read (R-FUZ): built, with the core, with CONFIG_FUZZ. */
#include "../common/access.h"

#include <string.h>

#ifndef CONFIG_FUZZ
#error "this program belongs to a build of the core with CONFIG_FUZZ"
#endif

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

static GString *told;
static uint8_t *to_change;

void fuzz_dma_read_cb(size_t addr, size_t len, MemoryRegion *mr)
{
    if (to_change) {
        *to_change = 0x99;
    }
    if (told) {
        g_string_append_printf(told, "0x%zx+0x%zx %s\n", addr, len, memory_region_name(mr));
    }
}

typedef struct {
    Bus bus;
    MemoryRegion *ram;
    Device *device;
} World;

/* ram[0x1000,0x2000), dev[0x2000,0x3000) */
static World world_new(void)
{
    World w = { bus_new("as"), ram_counting("ram", 0x1000, 0), device("dev", 0x1000, LITTLE) };

    stage_add(w.bus.root, 0x1000, w.ram);
    stage_add(w.bus.root, 0x2000, w.device->mr);
    told = stage_log();
    to_change = NULL;
    return w;
}

static void over(void)
{
    told = NULL;
    to_change = NULL;
}

static void before_data_moves(void)
{
    World w = world_new();

    to_change = ram_bytes(w.ram) + 0x10;
    check_read(w.bus.as, 0x1010, 2, OK, "99 11");
    *to_change = 0;
    check_load(address_space_lduw_le, w.bus.as, 0x1010, 0x1199, OK);
    over();
}

static void buffers_and_loads(void)
{
    World w = world_new();

    check_read(w.bus.as, 0x1ffc, 0x10, OK, "fc fd fe ff 00 01 02 03 04 05 06 07 08 09 0a 0b");
    check_log(told, "0x1ffc+0x10 ram\n");
    check_read(w.bus.as, 0x2004, 8, OK, "04 05 06 07 08 09 0a 0b");
    check_log(told, "0x2004+0x8 dev\n");
    check_load(address_space_ldl_le, w.bus.as, 0x1010, 0x13121110, OK);
    check_load(address_space_ldub, w.bus.as, 0x1011, 0x11, OK);
    check_log(told, "0x1010+0x4 ram\n0x1011+0x1 ram\n");
    over();
}

static void maps(void)
{
    World w = world_new();
    hwaddr got = 0x10000;
    void *p = address_space_map(w.bus.as, 0x1100, &got, READ, PLAIN);

    address_space_unmap(w.bus.as, p, got, READ, got);
    check_log(told, "0x1100+0xf00 ram\n");
    got = 8;
    p = address_space_map(w.bus.as, 0x1100, &got, WRITE, PLAIN);
    address_space_unmap(w.bus.as, p, got, WRITE, 0);
    check_log(told, "0x1100+0x8 ram\n");
    p = address_space_map(w.bus.as, 0x2100, &got, READ, PLAIN);
    address_space_unmap(w.bus.as, p, got, READ, got);
    check_log(told, "0x2100+0x8 dev\n");
    over();
}

static void caches(void)
{
    World w = world_new();
    MemoryRegionCache fast, slow;
    uint8_t bytes[4];

    check_number(address_space_cache_init(&fast, w.bus.as, 0x1100, 0x10, READ), 0x10);
    check_number(address_space_cache_init(&slow, w.bus.as, 0x2100, 0x10, READ), 0x10);
    check_log(told, "");
    address_space_read_cached(&fast, 4, bytes, 4);
    address_space_lduw_le_cached(&fast, 2, PLAIN, NULL);
    address_space_ldq_be_cached(&fast, 8, PLAIN, NULL);
    check_log(told, "0x104+0x4 ram\n0x102+0x2 ram\n0x108+0x8 ram\n");
    address_space_ldl_le_cached(&slow, 4, PLAIN, NULL);
    check_log(told, "0x104+0x4 dev\n");
    address_space_read_cached(&slow, 4, bytes, 4);
    /* A second call is free to say what it wants. */
    check(g_str_has_prefix(told->str, "0x104+0x4 dev\n"));
    address_space_cache_destroy(&fast);
    address_space_cache_destroy(&slow);
    over();
}

static void not_called(void)
{
    World w = world_new();
    MemoryRegionCache cache;
    uint8_t bytes[4];

    check_number(address_space_cache_init(&cache, w.bus.as, 0x1100, 0x10, WRITE), 0x10);
    address_space_ldub_cached(&cache, 0, PLAIN, NULL);
    address_space_stl_le_cached(&cache, 0, 0, PLAIN, NULL);
    address_space_write_cached(&cache, 0, "ab", 2);
    address_space_cache_destroy(&cache);
    check_load(address_space_ldl_le, w.bus.as, 0x2004, 0x07060504, OK);
#ifdef __OPTIMIZE__     /* else the inline function cannot see that the length is constant */
    check_number(address_space_read(w.bus.as, 0x1010, PLAIN, bytes, 4), OK);
#else
    (void)bytes;
#endif
    check_write(w.bus.as, 0x1ffc, 8, 0, OK);
    check_store(address_space_stl_le, w.bus.as, 0x1010, 0, OK);
    check_number(address_space_write_rom(w.bus.as, 0x1010, PLAIN, "ab", 2), OK);
    check_number(address_space_set(w.bus.as, 0x1010, 0, 2, PLAIN), OK);
    check(address_space_access_valid(w.bus.as, 0x1010, 2, READ, PLAIN));
    check_log(told, "");
    over();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-FUZ-1/before-data-moves", before_data_moves);
    conformance_case("/R-FUZ-2/buffers-and-loads", buffers_and_loads);
    conformance_case("/R-FUZ-2/maps", maps);
    conformance_case("/R-FUZ-2/caches", caches);
    conformance_case("/R-FUZ-3/not-called", not_called);
    return g_test_run();
}
