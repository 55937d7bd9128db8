/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one access costs, as a multiple of a load through a plain pointer.  All
 * loops are the same but for the access: random addresses, aligned to 4 bytes,
 * in 16 MiB.  "raw" loads from the memory that the address space shows there.
 *
 *   address 0        RAM of 16 MiB
 *   4 GiB            one device of 16 MiB
 *   8 GiB            1000 devices, 16 MiB together, of 1 to 7 pages, some followed by a hole
 *
 * The loops take turns, a short while each, and a ratio is the median over
 * turns that lie next to each other: a busy neighbour on the machine then
 * slows down both sides.  Each is preceded by one that is not measured: it
 * brings back what the loops before it have displaced.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "exec/memory.h"
#include "memcore/memcore.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"

enum {
    AREA = 16 << 20,
    PAGE = 4096,
    DEVICES = 1000,
    ACCESSES = 20000,           /* of a turn */
    TURNS = 201,
};

#define RAM_START 0
#define DEVICE_START (4ull << 30)
#define DEVICES_START (8ull << 30)

static struct {
    MemoryRegion root, ram, device;
    MemoryRegion devices[DEVICES];
    AddressSpace space;
    MemoryRegionCache cache;
    uint8_t *host;
    struct {
        uint8_t *host;
        hwaddr end;
    } checked;
    uint8_t page[PAGE];
    uint64_t stored;
} world;

/* --- the loops ------------------------------------------------------------------- */

/* A function LOOP_name() that does `access` at ACCESSES addresses `at`, 0 <= at < AREA; it may add to `sum`. */
#define DEFINE_LOOP(name, access) \
    static __attribute__((noinline)) void loop_##name(uint64_t *random) \
    { \
        uint64_t state = *random; \
        uint32_t sum = 0; \
        for (unsigned i = 0; i < ACCESSES; i++) { \
            const hwaddr at = bench_random(&state) & (AREA - 4); \
            (void)at; \
            access; \
        } \
        bench_keep(sum); \
        *random = state; \
    }

/* As callers write it. */
#define ATTRS MEMTXATTRS_UNSPECIFIED

DEFINE_LOOP(raw, sum += (uint32_t)ldl_le_p(world.host + at))

/* Bound and pointer are in memory, and what is called out of line may have changed them: a cache can do no less. */
static __attribute__((cold, noinline)) uint32_t outside(hwaddr at)
{
    return (uint32_t)(world.stored += at);
}
static inline uint32_t load_checked(hwaddr at)
{
    return __builtin_expect(at < world.checked.end, 1) ? (uint32_t)ldl_le_p(world.checked.host + at) : outside(at);
}
DEFINE_LOOP(raw_checked, sum += load_checked(at))

DEFINE_LOOP(ldl_le, sum += address_space_ldl_le(&world.space, RAM_START + at, ATTRS, NULL))
DEFINE_LOOP(stl_le, address_space_stl_le(&world.space, RAM_START + at, i, ATTRS, NULL))
DEFINE_LOOP(ldl_le_cached, sum += address_space_ldl_le_cached(&world.cache, at, ATTRS, NULL))
DEFINE_LOOP(stl_le_mmio, address_space_stl_le(&world.space, DEVICE_START + at, i, ATTRS, NULL))

static inline uint32_t translate(hwaddr address)
{
    hwaddr offset, length = 4;
    const MemoryRegion *mr = address_space_translate(&world.space, address, &offset, &length, false, ATTRS);

    return (uint32_t)((uintptr_t)mr + offset);
}
DEFINE_LOOP(translate, sum += translate(DEVICES_START + at))

static inline hwaddr page_of(hwaddr at)
{
    return at & ~(hwaddr)(PAGE - 1);
}
DEFINE_LOOP(memcpy_4k, memcpy(world.page, world.host + page_of(at), PAGE); bench_keep(world.page[0]))
DEFINE_LOOP(read_4k, address_space_read(&world.space, RAM_START + page_of(at), ATTRS, world.page, PAGE))
DEFINE_LOOP(read_4k_same, address_space_read(&world.space, RAM_START, ATTRS, world.page, PAGE))

static const struct {
    const char *name;
    void (*loop)(uint64_t *random);
    bool unlocked;              /* as a thread does it that has not the big lock: a vCPU, say */
} figures[] = {
    { "raw", loop_raw, false },         /* the first: what the others are compared with */
    { "ldl_le", loop_ldl_le, false },
    { "ldl_le_unlocked", loop_ldl_le, true },
    { "stl_le", loop_stl_le, false },
    { "stl_le_unlocked", loop_stl_le, true },
    { "raw_checked", loop_raw_checked, false },         /* what bounds the next */
    { "ldl_le_cached", loop_ldl_le_cached, false },
    { "translate_1000", loop_translate, false },
    { "stl_le_mmio", loop_stl_le_mmio, false },
    { "stl_le_mmio_unlocked", loop_stl_le_mmio, true },
    { "memcpy_4k", loop_memcpy_4k, false },     /* what bounds the next */
    { "read_4k", loop_read_4k, false },
    { "read_4k_same", loop_read_4k_same, false },       /* always the same page */
};
enum { FIGURES = sizeof(figures) / sizeof(figures[0]) };

/* --- the map ----------------------------------------------------------------------- */

static uint64_t io_read(void *opaque, hwaddr address, unsigned size)
{
    (void)opaque;
    (void)size;
    return address;
}

static void io_write(void *opaque, hwaddr address, uint64_t data, unsigned size)
{
    uint64_t *stored = opaque;

    (void)size;
    *stored += address ^ data;
}

static const MemoryRegionOps ops = { .read = io_read, .write = io_write, .endianness = DEVICE_LITTLE_ENDIAN };

static void add_devices(void)
{
    uint64_t random = 1;
    hwaddr at = 0;

    for (unsigned i = 0; i < DEVICES; i++) {
        const hwaddr pages = bench_random(&random) % 7 + 1;

        memory_region_init_io(&world.devices[i], NULL, &ops, &world.stored, "one of many", pages * PAGE);
        memory_region_add_subregion(&world.root, DEVICES_START + at, &world.devices[i]);
        at += pages * PAGE + (i % 8 == 0 ? PAGE : 0);
    }
}

static void world_make(void)
{
    memory_region_init(&world.root, NULL, "root", UINT64_MAX);
    memory_region_init_ram_nomigrate(&world.ram, NULL, "ram", AREA, &error_abort);
    memory_region_init_io(&world.device, NULL, &ops, &world.stored, "device", AREA);
    memory_region_transaction_begin();
    memory_region_add_subregion(&world.root, RAM_START, &world.ram);
    memory_region_add_subregion(&world.root, DEVICE_START, &world.device);
    add_devices();
    memory_region_transaction_commit();
    address_space_init(&world.space, &world.root, "bench");
    world.host = memory_region_get_ram_ptr(&world.ram);
    memset(world.host, 1, AREA);
    world.checked.host = world.host;
    world.checked.end = AREA - 3;
    if (address_space_cache_init(&world.cache, &world.space, RAM_START, AREA, false) != AREA) {
        abort();
    }
}

static void end_region(MemoryRegion *mr)
{
    memory_region_del_subregion(&world.root, mr);
    object_unparent(OBJECT(mr));
}

static void world_end(void)
{
    bench_keep(world.stored);
    address_space_cache_destroy(&world.cache);
    address_space_destroy(&world.space);
    memcore_drain();
    for (unsigned i = 0; i < DEVICES; i++) {
        end_region(&world.devices[i]);
    }
    end_region(&world.device);
    end_region(&world.ram);
    object_unparent(OBJECT(&world.root));
    memcore_drain();
}

/* --- measuring ----------------------------------------------------------------------- */

/* Nanoseconds an access. */
static double take_turn(size_t figure, uint64_t *random)
{
    double start, end;

    if (figures[figure].unlocked) {
        qemu_mutex_unlock_iothread();
    }
    figures[figure].loop(random);
    start = bench_seconds();
    figures[figure].loop(random);
    end = bench_seconds();
    if (figures[figure].unlocked) {
        qemu_mutex_lock_iothread();
    }
    return (end - start) * 1e9 / ACCESSES;
}

static void print(const char *name, struct bench_series *ns, struct bench_series *ratio)
{
    char key[64];

    snprintf(key, sizeof(key), "access.%s.ns", name);
    bench_figure(key, bench_series_median(ns), "ns");
    if (ratio) {
        snprintf(key, sizeof(key), "access.%s.ratio", name);
        bench_figure(key, bench_series_median(ratio), "times raw");
    }
}

void bench_access(void)
{
    struct bench_series *ns = calloc(FIGURES, sizeof(*ns)), *ratio = calloc(FIGURES, sizeof(*ratio));
    uint64_t random = 1;

    world_make();
    for (unsigned turn = 0; turn < TURNS; turn++) {
        for (size_t i = 1; i < FIGURES; i++) {
            const double raw = take_turn(0, &random), own = take_turn(i, &random);

            bench_series_add(&ns[i], own);
            bench_series_add(&ratio[i], own / raw);
            if (i == 1) {
                bench_series_add(&ns[0], raw);
            }
        }
    }
    print(figures[0].name, &ns[0], NULL);
    for (size_t i = 1; i < FIGURES; i++) {
        print(figures[i].name, &ns[i], &ratio[i]);
    }
    world_end();
    free(ratio);
    free(ns);
}
