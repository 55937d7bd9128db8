/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every load and store there is, at every kind of place, on every way there:
 * with the big lock and without, as first access and right after another to
 * the same range, with a result and without (R-SCL-1, R-SCL-3 to R-SCL-7, R-CCH-4 to R-CCH-6, R-CCH-11).
 *
 *   0x1000 RAM   0x2000 device   0x3000 ROM   0x4000 nothing   0x5000 ROM device in romd mode
 */
#include "common/access.h"

#include <string.h>

#include "qemu/main-loop.h"

#define LOADS(X) \
    X(ldub, 1, false) X(lduw, 2, false) X(lduw_le, 2, false) X(lduw_be, 2, true) X(ldl, 4, false) X(ldl_le, 4, false) \
    X(ldl_be, 4, true) X(ldq, 8, false) X(ldq_le, 8, false) X(ldq_be, 8, true)
#define STORES(X) \
    X(stb, 1, false, uint8_t) X(stw, 2, false, uint16_t) X(stw_le, 2, false, uint16_t) X(stw_be, 2, true, uint16_t) \
    X(stl, 4, false, uint32_t) X(stl_le, 4, false, uint32_t) X(stl_be, 4, true, uint32_t) X(stq, 8, false, uint64_t) \
    X(stq_le, 8, false, uint64_t) X(stq_be, 8, true, uint64_t)

typedef struct {
    const char *name;
    unsigned size;
    bool big;
    uint64_t (*plain)(AddressSpace *as, hwaddr addr, MemTxResult *result);
    uint64_t (*phys)(AddressSpace *as, hwaddr addr);
    uint64_t (*cached)(MemoryRegionCache *cache, hwaddr addr, MemTxResult *result);
    uint64_t (*slow)(MemoryRegionCache *cache, hwaddr addr, MemTxResult *result);
    uint64_t (*phys_cached)(MemoryRegionCache *cache, hwaddr addr);
} Load;

#define DEFINE_LOAD(name, size, big) \
    static uint64_t name##_plain(AddressSpace *as, hwaddr addr, MemTxResult *result) \
    { return address_space_##name(as, addr, PLAIN, result); } \
    static uint64_t name##_at(AddressSpace *as, hwaddr addr) { return name##_phys(as, addr); } \
    static uint64_t name##_fast(MemoryRegionCache *cache, hwaddr addr, MemTxResult *result) \
    { return address_space_##name##_cached(cache, addr, PLAIN, result); } \
    static uint64_t name##_slow(MemoryRegionCache *cache, hwaddr addr, MemTxResult *result) \
    { return address_space_##name##_cached_slow(cache, addr, PLAIN, result); } \
    static uint64_t name##_at_cached(MemoryRegionCache *cache, hwaddr addr) { return name##_phys_cached(cache, addr); }
LOADS(DEFINE_LOAD)

#define LOAD_ROW(name, size, big) \
    { #name, size, big, name##_plain, name##_at, name##_fast, name##_slow, name##_at_cached },
static const Load loads[] = { LOADS(LOAD_ROW) };

typedef struct {
    const char *name;
    unsigned size;
    bool big;
    void (*plain)(AddressSpace *as, hwaddr addr, uint64_t value, MemTxResult *result);
    void (*phys)(AddressSpace *as, hwaddr addr, uint64_t value);
    void (*cached)(MemoryRegionCache *cache, hwaddr addr, uint64_t value, MemTxResult *result);
    void (*slow)(MemoryRegionCache *cache, hwaddr addr, uint64_t value, MemTxResult *result);
    void (*phys_cached)(MemoryRegionCache *cache, hwaddr addr, uint64_t value);
} Store;

#define DEFINE_STORE(name, size, big, type) \
    static void name##_plain(AddressSpace *as, hwaddr addr, uint64_t value, MemTxResult *result) \
    { address_space_##name(as, addr, (type)value, PLAIN, result); } \
    static void name##_at(AddressSpace *as, hwaddr addr, uint64_t value) { name##_phys(as, addr, (type)value); } \
    static void name##_fast(MemoryRegionCache *cache, hwaddr addr, uint64_t value, MemTxResult *result) \
    { address_space_##name##_cached(cache, addr, (type)value, PLAIN, result); } \
    static void name##_slow(MemoryRegionCache *cache, hwaddr addr, uint64_t value, MemTxResult *result) \
    { address_space_##name##_cached_slow(cache, addr, (type)value, PLAIN, result); } \
    static void name##_at_cached(MemoryRegionCache *cache, hwaddr addr, uint64_t value) \
    { name##_phys_cached(cache, addr, (type)value); }
STORES(DEFINE_STORE)

#define STORE_ROW(name, size, big, type) \
    { #name, size, big, name##_plain, name##_at, name##_fast, name##_slow, name##_at_cached },
static const Store stores[] = { STORES(STORE_ROW) };

/* ---- the world ---- */

enum { PART = 0x1000 };

typedef struct {
    Bus bus;
    MemoryRegion *ram, *rom;
    Device *device, *flash;
} World;

static World world_new(void)
{
    World w = { .bus = bus_new("as"), .ram = ram_counting("ram", PART, 0x10) };

    w.rom = stage_rom("rom", PART);
    fill_counting(ram_bytes(w.rom), PART, 0x30);
    w.device = device("dev", PART, .order = DEVICE_LITTLE_ENDIAN, .valid_unaligned = true, .impl_unaligned = true,
                      .valid_max = 8, .impl_max = 8);
    w.device->quiet = true;
    w.flash = device_rom("flash", PART, (DeviceOptions) { .order = DEVICE_LITTLE_ENDIAN, .valid_max = 8, .impl_max = 8,
                                                          .valid_unaligned = true });
    w.flash->quiet = true;
    fill_counting(memory_region_get_ram_ptr(w.flash->mr), PART, 0x50);
    stage_add(w.bus.root, 0x1000, w.ram);
    stage_add(w.bus.root, 0x2000, w.device->mr);
    stage_add(w.bus.root, 0x3000, w.rom);
    stage_add(w.bus.root, 0x5000, w.flash->mr);
    return w;
}

/* Where to, and what a load finds there: bytes `first`, first + 1, ... */
typedef struct {
    hwaddr addr;
    unsigned first;
    MemTxResult load, store;
} Place;

static const Place places[] = {
    { 0x1004, 0x14, MEMTX_OK, MEMTX_OK },
    { 0x2004, 0x04, MEMTX_OK, MEMTX_OK },
    { 0x3004, 0x34, MEMTX_OK, MEMTX_DECODE_ERROR },
    { 0x4004, 0, MEMTX_DECODE_ERROR, MEMTX_DECODE_ERROR },
    { 0x5004, 0x54, MEMTX_OK, MEMTX_OK },
};

static uint64_t assembled(unsigned first, unsigned size, bool big)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)((first + i) & 0xff) << 8 * (big ? size - 1 - i : i);
    }
    return value;
}

/* As it was before a store. */
static void restore(World *w)
{
    fill_counting(ram_bytes(w->ram), PART, 0x10);
    fill_counting(w->device->bytes, PART, 0);
    fill_counting(w->flash->bytes, PART, 0);
}

static void complain(const char *name, hwaddr addr, const char *what)
{
    g_printerr("\n%s: %s at 0x%" PRIx64 ": %s\n", g_test_get_path(), name, addr, what);
    g_test_fail();
}

/* result: NULL where there is none.  It is looked at here, after the load that is another argument. */
static void expect_load(const char *name, hwaddr addr, uint64_t value, uint64_t expected, const MemTxResult *result,
                        MemTxResult wanted)
{
    if (value != expected) {
        complain(name, addr, "another value");
    }
    if (result && *result != wanted) {
        complain(name, addr, "another result");
    }
}

static void load_everything(bool locked)
{
    World w = world_new();

    restore(&w);
    if (!locked) {
        qemu_mutex_unlock_iothread();
    }
    for (size_t i = 0; i < G_N_ELEMENTS(loads) * G_N_ELEMENTS(places); i++) {
        const Load *l = &loads[i / G_N_ELEMENTS(places)];
        const Place *p = &places[i % G_N_ELEMENTS(places)];
        const uint64_t expected = p->load == MEMTX_OK ? assembled(p->first, l->size, l->big) : 0;
        const hwaddr end = (p->addr & ~(hwaddr)(PART - 1)) + PART - 1;

        for (unsigned again = 0; again < 2; again++) {
            MemTxResult result = 0x1234;

            expect_load(l->name, p->addr, l->plain(w.bus.as, p->addr, &result), expected, &result, p->load);
            expect_load(l->name, p->addr, l->plain(w.bus.as, p->addr, NULL), expected, NULL, 0);
            expect_load(l->name, p->addr, l->phys(w.bus.as, p->addr), expected, NULL, 0);
            check(qemu_mutex_iothread_locked() == locked);      /* R-LCK-2 */
        }
        /* Memory that ends before the access does rejects it. */
        if (l->size > 1 && (p->addr == 0x1004 || p->addr == 0x3004 || p->addr == 0x5004)) {
            MemTxResult result = 0x1234;

            expect_load(l->name, end, l->plain(w.bus.as, end, &result), 0, &result, MEMTX_DECODE_ERROR);
        }
        address_space_ldub(w.bus.as, 0x4000, PLAIN, NULL);      /* what was found last is something else now */
    }
    if (!locked) {
        qemu_mutex_lock_iothread();
    }
}

static void loads_with_the_lock(void)
{
    load_everything(true);
}

static void loads_without_the_lock(void)
{
    load_everything(false);
}

/* The bytes at the place now. */
static const uint8_t *bytes_at(const World *w, hwaddr addr)
{
    switch (addr >> 12) {
    case 1:
        return ram_bytes(w->ram) + addr % PART;
    case 2:
        return w->device->bytes + addr % PART;
    case 3:
        return ram_bytes(w->rom) + addr % PART;
    case 5:
        return w->flash->bytes + addr % PART;
    default:
        return NULL;
    }
}

static void expect_store(World *w, const Store *s, const Place *p, MemTxResult result, MemTxResult wanted)
{
    const uint8_t *now = bytes_at(w, p->addr);

    if (result != wanted) {
        complain(s->name, p->addr, "another result");
    }
    for (unsigned i = 0; now && i < s->size + 1; i++) {
        /* The value stored is bytes 0x80, 0x81, ... in the order of addresses. */
        const bool changed = p->store == MEMTX_OK && i < s->size;
        const unsigned before = p->addr == 0x5004 ? 4 : p->first;

        if (now[i] != (changed ? 0x80 + i : ((before + i) & 0xff))) {
            complain(s->name, p->addr + i, "another byte");
        }
    }
    restore(w);
}

static void store_everything(bool locked)
{
    World w = world_new();

    restore(&w);
    if (!locked) {
        qemu_mutex_unlock_iothread();
    }
    for (size_t i = 0; i < G_N_ELEMENTS(stores) * G_N_ELEMENTS(places); i++) {
        const Store *s = &stores[i / G_N_ELEMENTS(places)];
        const Place *p = &places[i % G_N_ELEMENTS(places)];
        const uint64_t value = assembled(0x80, s->size, s->big);
        const hwaddr end = (p->addr & ~(hwaddr)(PART - 1)) + PART - 1;

        for (unsigned again = 0; again < 2; again++) {
            MemTxResult result = 0x1234;

            s->plain(w.bus.as, p->addr, value, &result);
            expect_store(&w, s, p, result, p->store);
            s->plain(w.bus.as, p->addr, value, NULL);
            expect_store(&w, s, p, 0, 0);
            s->phys(w.bus.as, p->addr, value);
            expect_store(&w, s, p, 0, 0);
        }
        if (s->size > 1 && p->addr == 0x1004) {
            MemTxResult result = 0x1234;

            s->plain(w.bus.as, end, value, &result);
            check_number(result, MEMTX_DECODE_ERROR);
            check_number(ram_bytes(w.ram)[PART - 1], (0x10 + PART - 1) & 0xff);
        }
        address_space_ldub(w.bus.as, 0x4000, PLAIN, NULL);
    }
    if (!locked) {
        qemu_mutex_lock_iothread();
    }
}

static void stores_with_the_lock(void)
{
    store_everything(true);
}

static void stores_without_the_lock(void)
{
    store_everything(false);
}

/* ---- through a cache ---- */

static void loads_of_caches(void)
{
    World w = world_new();

    restore(&w);
    for (size_t i = 0; i < G_N_ELEMENTS(loads) * G_N_ELEMENTS(places); i++) {
        const Load *l = &loads[i / G_N_ELEMENTS(places)];
        const Place *p = &places[i % G_N_ELEMENTS(places)];
        const uint64_t expected = p->load == MEMTX_OK ? assembled(p->first, l->size, l->big) : 0;
        MemoryRegionCache cache = MEMORY_REGION_CACHE_INVALID;
        MemTxResult result = 0x1234, slow = 0x1234;

        rcu_read_lock();
        address_space_cache_init(&cache, w.bus.as, p->addr - 4, 0x100, false);
        expect_load(l->name, p->addr, l->cached(&cache, 4, &result), expected, &result, p->load);
        expect_load(l->name, p->addr, l->cached(&cache, 4, NULL), expected, NULL, 0);
        expect_load(l->name, p->addr, l->slow(&cache, 4, &slow), expected, &slow, p->load);
        expect_load(l->name, p->addr, l->slow(&cache, 4, NULL), expected, NULL, 0);
        expect_load(l->name, p->addr, l->phys_cached(&cache, 4), expected, NULL, 0);
        address_space_cache_destroy(&cache);
        rcu_read_unlock();
    }
}

static void stores_to_caches(void)
{
    World w = world_new();

    restore(&w);
    for (size_t i = 0; i < G_N_ELEMENTS(stores) * G_N_ELEMENTS(places); i++) {
        const Store *s = &stores[i / G_N_ELEMENTS(places)];
        const Place *p = &places[i % G_N_ELEMENTS(places)];
        const uint64_t value = assembled(0x80, s->size, s->big);
        MemoryRegionCache cache = MEMORY_REGION_CACHE_INVALID;
        MemTxResult result = 0x1234, slow = 0x1234;

        rcu_read_lock();
        address_space_cache_init(&cache, w.bus.as, p->addr - 4, 0x100, true);
        s->cached(&cache, 4, value, &result);
        expect_store(&w, s, p, result, p->store);
        s->cached(&cache, 4, value, NULL);
        expect_store(&w, s, p, 0, 0);
        s->slow(&cache, 4, value, &slow);
        expect_store(&w, s, p, slow, p->store);
        s->slow(&cache, 4, value, NULL);
        expect_store(&w, s, p, 0, 0);
        s->phys_cached(&cache, 4, value);
        expect_store(&w, s, p, 0, 0);
        address_space_cache_destroy(&cache);
        rcu_read_unlock();
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-SCL-1/every-load", loads_with_the_lock);
    conformance_case("/R-SCL-1/every-load-unlocked", loads_without_the_lock);
    conformance_case("/R-SCL-1/every-store", stores_with_the_lock);
    conformance_case("/R-SCL-1/every-store-unlocked", stores_without_the_lock);
    conformance_case("/R-CCH-11/every-load", loads_of_caches);
    conformance_case("/R-CCH-11/every-store", stores_to_caches);
    return g_test_run();
}
