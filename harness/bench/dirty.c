/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty bitmaps of a block of 4 GiB (128 KiB for each client), of one of 1 TiB
 * (32 MiB) in which one page of 10,000 is dirty, and what logging adds to a
 * store.  Each next to memset or memcpy of as many bytes of bitmap.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "exec/ram_addr.h"
#include "memcore/memcore.h"
#include "qapi/error.h"

enum { SPARSE = 10000, STORES = 4096 };
#define GIB (1ull << 30)

/* What is measured; what is done before each time, unmeasured. */
struct job {
    void (*prepare)(void *opaque);
    void (*run)(void *opaque);
};

static double measure(struct job job, void *opaque)
{
    struct bench_series series = { 0 };

    do {
        double start;

        if (job.prepare) {
            job.prepare(opaque);
        }
        start = bench_seconds();
        job.run(opaque);
        bench_series_add(&series, bench_seconds() - start);
    } while (!bench_series_enough(&series));
    return bench_series_median(&series);
}

struct world {
    MemoryRegion mr;
    RAMBlock *block;
    ram_addr_t length;
    size_t bitmap_bytes;
    unsigned char *from, *to;       /* as many bytes as the bitmap, for the comparison */
};

static void world_start(struct world *world, uint64_t length)
{
    memory_region_init_ram_flags_nomigrate(&world->mr, NULL, "ram", length, RAM_NORESERVE, &error_fatal);
    world->block = world->mr.ram_block;
    world->length = length;
    world->bitmap_bytes = length >> TARGET_PAGE_BITS >> 3;
    world->block->bmap = calloc(1, world->bitmap_bytes);
    world->from = malloc(world->bitmap_bytes);
    world->to = malloc(world->bitmap_bytes);
    memset(world->from, 1, world->bitmap_bytes);
    memset(world->to, 1, world->bitmap_bytes);
}

static void world_end(struct world *world)
{
    free(world->block->bmap);
    world->block->bmap = NULL;
    free(world->from);
    free(world->to);
    object_unparent(OBJECT(&world->mr));
}

static void set_range(void *opaque)
{
    struct world *world = opaque;

    cpu_physical_memory_set_dirty_range(world->block->offset, world->length, 1 << DIRTY_MEMORY_MIGRATION);
}

static void clear_bmap_of(void *opaque)
{
    struct world *world = opaque;

    memset(world->block->bmap, 0, world->bitmap_bytes);
}

static void set_range_anew(void *opaque)
{
    clear_bmap_of(opaque);
    set_range(opaque);
}

static void test_and_clear(void *opaque)
{
    struct world *world = opaque;

    bench_keep(cpu_physical_memory_test_and_clear_dirty(world->block->offset, world->length,
                                                        DIRTY_MEMORY_MIGRATION));
}

static void sync_bitmap(void *opaque)
{
    struct world *world = opaque;

    bench_keep(cpu_physical_memory_sync_dirty_bitmap(world->block, 0, world->length));
}

static void set_sparse(void *opaque)
{
    struct world *world = opaque;

    clear_bmap_of(opaque);
    for (ram_addr_t page = 0; page < world->length >> TARGET_PAGE_BITS; page += SPARSE) {
        cpu_physical_memory_set_dirty_flag(world->block->offset + (page << TARGET_PAGE_BITS), DIRTY_MEMORY_MIGRATION);
    }
}

static void raw_set(void *opaque)
{
    struct world *world = opaque;

    memset(world->to, 0xff, world->bitmap_bytes);
    bench_keep(world->to[world->bitmap_bytes / 2]);
}

static void raw_copy(void *opaque)
{
    struct world *world = opaque;

    memcpy(world->to, world->from, world->bitmap_bytes);
    bench_keep(world->to[world->bitmap_bytes / 2]);
}

static void raw_search(void *opaque)
{
    struct world *world = opaque;

    bench_keep(memchr(world->from, 0, world->bitmap_bytes) == NULL);
}

static void ranges(void)
{
    struct world world;

    world_start(&world, 4 * GIB);
    bench_result("dirty.memset_us", 4, measure((struct job) { NULL, raw_set }, &world) * 1e6);
    bench_result("dirty.memcpy_us", 4, measure((struct job) { NULL, raw_copy }, &world) * 1e6);
    bench_result("dirty.set_range_us", 4, measure((struct job) { NULL, set_range }, &world) * 1e6);
    bench_result("dirty.test_and_clear_us", 4, measure((struct job) { set_range, test_and_clear }, &world) * 1e6);
    bench_result("dirty.test_and_clear_clean_us", 4, measure((struct job) { NULL, test_and_clear }, &world) * 1e6);
    bench_result("dirty.sync_all_dirty_us", 4, measure((struct job) { set_range_anew, sync_bitmap }, &world) * 1e6);
    bench_result("dirty.sync_again_us", 4, measure((struct job) { set_range, sync_bitmap }, &world) * 1e6);
    bench_result("dirty.sync_clean_us", 4, measure((struct job) { NULL, sync_bitmap }, &world) * 1e6);
    world_end(&world);
}

static void huge(void)
{
    struct world world;
    double found;

    world_start(&world, 1024 * GIB);
    test_and_clear(&world);
    bench_result("dirty.memchr_us", 1024, measure((struct job) { NULL, raw_search }, &world) * 1e6);
    bench_result("dirty.memcpy_us", 1024, measure((struct job) { NULL, raw_copy }, &world) * 1e6);
    found = measure((struct job) { set_sparse, sync_bitmap }, &world);
    bench_result("dirty.sync_sparse_us", 1024, found * 1e6);
    bench_result("dirty.sync_sparse_gbytes_per_s", 1024, (double)world.bitmap_bytes / found / 1e9);
    bench_result("dirty.sync_clean_us", 1024, measure((struct job) { NULL, sync_bitmap }, &world) * 1e6);
    world_end(&world);
}

/* One store a page, over and over: logged and dirty already, which is what logging costs in the long run. */
static void stores(void *opaque)
{
    AddressSpace *as = opaque;

    for (unsigned i = 0; i < STORES; i++) {
        address_space_stl_le(as, (hwaddr)(i % 1024) << TARGET_PAGE_BITS, i, MEMTXATTRS_UNSPECIFIED, NULL);
    }
}

static void logging(void)
{
    MemoryRegion root, ram;
    AddressSpace as;

    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_init_ram_nomigrate(&ram, NULL, "ram", 1024 << TARGET_PAGE_BITS, &error_fatal);
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root, "bench");
    stores(&as);
    bench_result("dirty.store_ns", 0, measure((struct job) { NULL, stores }, &as) / STORES * 1e9);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    bench_result("dirty.store_ns", 1, measure((struct job) { NULL, stores }, &as) / STORES * 1e9);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
    memory_region_del_subregion(&root, &ram);
    address_space_destroy(&as);
    memcore_drain();
    object_unparent(OBJECT(&ram));
    object_unparent(OBJECT(&root));
}

void bench_dirty(void)
{
    ranges();
    huge();
    logging();
}
