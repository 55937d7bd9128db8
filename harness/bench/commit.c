/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a change of the tree costs among N siblings: N devices of 4 KiB, every
 * 8 KiB, in one container that is the root of one address space, heard by one
 * listener with region_add, region_del and region_nop.
 */
#include <stdlib.h>

#include "bench/bench.h"
#include "exec/memory.h"
#include "memcore/memcore.h"
#include "qemu/rcu.h"

enum { SIZE = 0x1000, STRIDE = 0x2000 };

static const unsigned sibling_counts[] = { 10, 100, 1000, 4000, 20000 };

struct world {
    unsigned count;
    MemoryRegion root;
    MemoryRegion *siblings;
    AddressSpace space;
    MemoryListener listener;
    uint64_t heard;
};

static uint64_t io_read(void *opaque, hwaddr address, unsigned size)
{
    (void)opaque;
    (void)address;
    (void)size;
    return 0;
}

static void io_write(void *opaque, hwaddr address, uint64_t data, unsigned size)
{
    (void)opaque;
    (void)address;
    (void)data;
    (void)size;
}

static const MemoryRegionOps ops = { .read = io_read, .write = io_write, .endianness = DEVICE_LITTLE_ENDIAN };

static void on_section(MemoryListener *listener, MemoryRegionSection *section)
{
    struct world *world = (struct world *)((char *)listener - offsetof(struct world, listener));

    world->heard += section->offset_within_address_space + 1;
}

static void add_all(struct world *world)
{
    memory_region_transaction_begin();
    for (unsigned i = 0; i < world->count; i++) {
        memory_region_add_subregion(&world->root, (hwaddr)i * STRIDE, &world->siblings[i]);
    }
    memory_region_transaction_commit();
}

static void del_all(struct world *world)
{
    memory_region_transaction_begin();
    for (unsigned i = 0; i < world->count; i++) {
        memory_region_del_subregion(&world->root, &world->siblings[i]);
    }
    memory_region_transaction_commit();
    memcore_drain();
}

static struct world *world_new(unsigned count)
{
    struct world *world = calloc(1, sizeof(*world));

    world->count = count;
    world->siblings = calloc(count, sizeof(*world->siblings));
    memory_region_init(&world->root, NULL, "root", UINT64_MAX);
    for (unsigned i = 0; i < count; i++) {
        memory_region_init_io(&world->siblings[i], NULL, &ops, NULL, "sibling", SIZE);
    }
    address_space_init(&world->space, &world->root, "bench");
    world->listener = (MemoryListener){
        .name = "bench", .region_add = on_section, .region_del = on_section, .region_nop = on_section,
    };
    memory_listener_register(&world->listener, &world->space);
    return world;
}

static void world_free(struct world *world)
{
    memory_listener_unregister(&world->listener);
    address_space_destroy(&world->space);
    memcore_drain();
    for (unsigned i = 0; i < world->count; i++) {
        object_unparent(OBJECT(&world->siblings[i]));
    }
    object_unparent(OBJECT(&world->root));
    free(world->siblings);
    free(world);
}

static void measure_add_all(struct world *world)
{
    struct bench_series series = { 0 };

    do {
        double start = bench_seconds();

        add_all(world);
        bench_series_add(&series, bench_seconds() - start);
        del_all(world);
    } while (!bench_series_enough(&series));
    bench_result("commit.add_all_us", world->count, bench_series_median(&series) * 1e6);
}

static void measure_toggle(struct world *world)
{
    struct bench_series series = { 0 };
    MemoryRegion *middle = &world->siblings[world->count / 2];
    unsigned batch = world->count >= 1000 ? 2 : 2000 / world->count;

    do {
        double start = bench_seconds();

        for (unsigned i = 0; i < batch; i++) {
            memory_region_set_enabled(middle, false);
            memory_region_set_enabled(middle, true);
        }
        memcore_drain();        /* the old views' end is part of the price */
        bench_series_add(&series, (bench_seconds() - start) / (2 * batch));
    } while (!bench_series_enough(&series));
    bench_result("commit.toggle_us", world->count, bench_series_median(&series) * 1e6);
}

static void measure_lookup(struct world *world)
{
    struct bench_series series = { 0 };
    uint64_t random = 1, found = 0;
    enum { LOOKUPS = 20000 };

    do {
        double start = bench_seconds();

        for (unsigned i = 0; i < LOOKUPS; i++) {
            found += memory_region_present(&world->root,
                                           bench_random(&random) % ((uint64_t)world->count * STRIDE));
        }
        bench_series_add(&series, (bench_seconds() - start) / LOOKUPS);
    } while (!bench_series_enough(&series));
    bench_keep(found);
    bench_result("commit.lookup_ns", world->count, bench_series_median(&series) * 1e9);
}

void bench_commit(void)
{
    for (size_t i = 0; i < sizeof(sibling_counts) / sizeof(sibling_counts[0]); i++) {
        struct world *world = world_new(sibling_counts[i]);

        measure_add_all(world);
        add_all(world);
        measure_toggle(world);
        measure_lookup(world);
        del_all(world);
        bench_keep(world->heard);
        world_free(world);
    }
}
