/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads and stores of 1, 2, 4 and 8 bytes, of address spaces and of caches that have no pointer (R-SCL). */
#include "access/access.h"

/*
 * All of them are these few functions with `op` constant; inlined, so that
 * RAM costs a lookup and a move.
 */
#define FOR_EACH_WIDTH static inline __attribute__((always_inline))

FOR_EACH_WIDTH uint64_t load_host(const uint8_t *host, MemOp op)
{
    const bool big = (op & MO_BSWAP) == MO_BE;

    switch (op & MO_SIZE) {
    case MO_8:
        return *host;
    case MO_16:
        return (uint16_t)(big ? lduw_be_p(host) : lduw_le_p(host));
    case MO_32:
        return (uint32_t)(big ? ldl_be_p(host) : ldl_le_p(host));
    default:
        return big ? ldq_be_p(host) : ldq_le_p(host);
    }
}

FOR_EACH_WIDTH void store_host(uint8_t *host, uint64_t value, MemOp op)
{
    const bool big = (op & MO_BSWAP) == MO_BE;

    switch (op & MO_SIZE) {
    case MO_8:
        *host = (uint8_t)value;
        break;
    case MO_16:
        (big ? stw_be_p : stw_le_p)(host, (uint16_t)value);
        break;
    case MO_32:
        (big ? stl_be_p : stl_le_p)(host, (uint32_t)value);
        break;
    default:
        (big ? stq_be_p : stq_le_p)(host, value);
        break;
    }
}

/* Memory that ends before the access does rejects it as a whole (R-SCL-3, R-RGN-7). */
static bool cut_short(const Place *place, MemOp op, bool is_write)
{
    return place->length < memop_size(op) &&
           (place->mr->ram || (!is_write && memory_region_is_romd(place->mr)));
}

static MemTxResult load_from_device(MemoryRegion *mr, hwaddr offset, uint64_t *value, MemOp op, MemTxAttrs attrs)
{
    const DeviceSection section = device_enter(mr);
    const MemTxResult result = memory_region_dispatch_read(mr, offset, value, op, attrs);

    device_leave(section);
    return result;
}

static MemTxResult store_to_device(MemoryRegion *mr, hwaddr offset, uint64_t value, MemOp op, MemTxAttrs attrs)
{
    const DeviceSection section = device_enter(mr);
    const MemTxResult result = memory_region_dispatch_write(mr, offset, value, op, attrs);

    device_leave(section);
    return result;
}

/* Nobody is asked, but what was buffered is out all the same (R-EVM-10). */
static MemTxResult reject(MemoryRegion *mr)
{
    device_leave(device_enter(mr));
    return MEMTX_DECODE_ERROR;
}

static MemTxResult load_from_place(const Place *place, uint64_t *value, MemOp op, MemTxAttrs attrs)
{
    if (place->length == memop_size(op) && memory_access_is_direct(place->mr, false)) {
        *value = load_host(place_host(place), op);
        return MEMTX_OK;
    }
    *value = 0;
    return cut_short(place, op, false) ? reject(place->mr)
                                       : load_from_device(place->mr, place->offset, value, op, attrs);
}

static MemTxResult store_to_place(const Place *place, uint64_t value, MemOp op, MemTxAttrs attrs)
{
    if (place->length == memop_size(op) && memory_access_is_direct(place->mr, true)) {
        store_host(place_host(place), value, op);
        mark_written(place->mr, place->offset, memop_size(op));
        return MEMTX_OK;
    }
    return cut_short(place, op, true) ? reject(place->mr)
                                      : store_to_device(place->mr, place->offset, value, op, attrs);
}

/* --- the range found last ---------------------------------------------------------- */

/* RAM that holds the whole access. */
FOR_EACH_WIDTH bool holds_all(const FlatRange *range, hwaddr addr, MemOp op)
{
    return range && range->host && range->last - addr >= memop_size(op) - 1;
}

FOR_EACH_WIDTH uint64_t load_from_range(const FlatRange *range, hwaddr addr, MemOp op)
{
    fuzz_dma_read_cb(addr, memop_size(op), range->mr);
    return load_host(range->host + (addr - range->start), op);
}

FOR_EACH_WIDTH void store_to_range(const FlatRange *range, hwaddr addr, uint64_t value, MemOp op)
{
    store_host(range->host + (addr - range->start), value, op);
    mark_written(range->mr, addr - range->start + range->offset, memop_size(op));
}

/*
 * If the thread has the big lock: what is deferred runs under that lock, so
 * nothing goes away meanwhile, without a read section.  Never for devices:
 * their callbacks may let go of the lock.
 */
FOR_EACH_WIDTH const FlatRange *range_under_big_lock(AddressSpace *as, hwaddr addr)
{
    FlatView *view = memcore_big_lock_held && as ? address_space_to_flatview(as) : NULL;

    return view ? flatview_recent(view, addr) : NULL;
}

/* --- where the place comes from -------------------------------------------------- */

/* Under RCU. */
static uint64_t load_from_view(FlatView *view, hwaddr addr, MemOp op, MemTxAttrs attrs, MemTxResult *outcome)
{
    const Place place = place_translate(view, addr, memop_size(op), false, attrs);
    uint64_t value;

    if (place.length == memop_size(op) && memory_access_is_direct(place.mr, false)) {
        fuzz_dma_read_cb(addr, memop_size(op), place.mr);
    }
    *outcome = load_from_place(&place, &value, op, attrs);
    return value;
}

static MemTxResult store_to_view(FlatView *view, hwaddr addr, uint64_t value, MemOp op, MemTxAttrs attrs)
{
    const Place place = place_translate(view, addr, memop_size(op), true, attrs);

    return store_to_place(&place, value, op, attrs);
}

static inline hwaddr offset_in_region(const FlatRange *range, hwaddr addr)
{
    return addr - range->start + range->offset;
}

FOR_EACH_WIDTH uint64_t load_under_rcu(const char *function, AddressSpace *as, hwaddr addr, MemOp op,
                                       MemTxAttrs attrs, MemTxResult *result)
{
    MemTxResult outcome = MEMTX_OK;
    const FlatRange *range;
    FlatView *view;
    uint64_t value;

    rcu_read_lock();
    view = view_of(as, function, "R-SCL-1");
    range = flatview_recent(view, addr);
    if (holds_all(range, addr, op)) {
        value = load_from_range(range, addr, op);
    } else if (range && range->quick == FLAT_RANGE_DEVICE) {
        outcome = load_from_device(range->mr, offset_in_region(range, addr), &value, op, attrs);
    } else {
        value = load_from_view(view, addr, op, attrs, &outcome);
    }
    rcu_read_unlock();
    if (result) {
        *result = outcome;
    }
    return value;
}

FOR_EACH_WIDTH void store_under_rcu(const char *function, AddressSpace *as, hwaddr addr, uint64_t value,
                                    MemOp op, MemTxAttrs attrs, MemTxResult *result)
{
    MemTxResult outcome = MEMTX_OK;
    const FlatRange *range;
    FlatView *view;

    rcu_read_lock();
    view = view_of(as, function, "R-SCL-1");
    range = flatview_recent(view, addr);
    if (holds_all(range, addr, op) && !range->mr->readonly) {
        store_to_range(range, addr, value, op);
    } else if (range && range->quick == FLAT_RANGE_DEVICE) {
        outcome = store_to_device(range->mr, offset_in_region(range, addr), value, op, attrs);
    } else {
        outcome = store_to_view(view, addr, value, op, attrs);
    }
    rcu_read_unlock();
    if (result) {
        *result = outcome;
    }
}

FOR_EACH_WIDTH uint64_t load_from_cache(const char *function, MemoryRegionCache *cache, hwaddr addr, MemOp op,
                                        MemTxAttrs attrs, MemTxResult *result)
{
    MemTxResult outcome;
    uint64_t value;
    Place place;

    memory_region_cache_check(cache, addr, memop_size(op), false, function);
    rcu_read_lock();
    place = place_in_cache(cache, addr, memop_size(op), false, attrs);
    outcome = load_from_place(&place, &value, op, attrs);
    rcu_read_unlock();
    if (result) {
        *result = outcome;
    }
    return value;
}

FOR_EACH_WIDTH void store_to_cache(const char *function, MemoryRegionCache *cache, hwaddr addr,
                                   uint64_t value, MemOp op, MemTxAttrs attrs, MemTxResult *result)
{
    MemTxResult outcome;
    Place place;

    memory_region_cache_check(cache, addr, memop_size(op), true, function);
    rcu_read_lock();
    place = place_in_cache(cache, addr, memop_size(op), true, attrs);
    outcome = store_to_place(&place, value, op, attrs);
    rcu_read_unlock();
    if (result) {
        *result = outcome;
    }
}

/* --- the family ------------------------------------------------------------------ */

/* Two functions each, so that the quick way needs no registers but those it is called with. */
#define DEFINE_LOAD(type, name, op) \
    static __attribute__((noinline)) type name##_under_rcu(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, \
                                                           MemTxResult *result) \
    { \
        return (type)load_under_rcu("address_space_" #name, as, addr, op, attrs, result); \
    } \
    type address_space_##name(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, MemTxResult *result) \
    { \
        const FlatRange *range = range_under_big_lock(as, addr); \
        if (__builtin_expect(!holds_all(range, addr, op), 0)) { \
            return name##_under_rcu(as, addr, attrs, result); \
        } \
        if (result) { \
            *result = MEMTX_OK; \
        } \
        return (type)load_from_range(range, addr, op); \
    } \
    type address_space_##name##_cached_slow(MemoryRegionCache *cache, hwaddr addr, MemTxAttrs attrs, \
                                            MemTxResult *result) \
    { \
        return (type)load_from_cache(__func__, cache, addr, op, attrs, result); \
    }

#define DEFINE_STORE(type, name, op) \
    static __attribute__((noinline)) void name##_under_rcu(AddressSpace *as, hwaddr addr, type val, \
                                                           MemTxAttrs attrs, MemTxResult *result) \
    { \
        store_under_rcu("address_space_" #name, as, addr, val, op, attrs, result); \
    } \
    void address_space_##name(AddressSpace *as, hwaddr addr, type val, MemTxAttrs attrs, \
                              MemTxResult *result) \
    { \
        const FlatRange *range = range_under_big_lock(as, addr); \
        if (__builtin_expect(!holds_all(range, addr, op) || range->mr->readonly, 0)) { \
            name##_under_rcu(as, addr, val, attrs, result); \
            return; \
        } \
        store_to_range(range, addr, val, op); \
        if (result) { \
            *result = MEMTX_OK; \
        } \
    } \
    void address_space_##name##_cached_slow(MemoryRegionCache *cache, hwaddr addr, type val, \
                                            MemTxAttrs attrs, MemTxResult *result) \
    { \
        store_to_cache(__func__, cache, addr, val, op, attrs, result); \
    }

DEFINE_LOAD(uint8_t, ldub, MO_UB)
DEFINE_LOAD(uint16_t, lduw, MO_TEUW)
DEFINE_LOAD(uint16_t, lduw_le, MO_LEUW)
DEFINE_LOAD(uint16_t, lduw_be, MO_BEUW)
DEFINE_LOAD(uint32_t, ldl, MO_TEUL)
DEFINE_LOAD(uint32_t, ldl_le, MO_LEUL)
DEFINE_LOAD(uint32_t, ldl_be, MO_BEUL)
DEFINE_LOAD(uint64_t, ldq, MO_TEUQ)
DEFINE_LOAD(uint64_t, ldq_le, MO_LEUQ)
DEFINE_LOAD(uint64_t, ldq_be, MO_BEUQ)

DEFINE_STORE(uint8_t, stb, MO_UB)
DEFINE_STORE(uint16_t, stw, MO_TEUW)
DEFINE_STORE(uint16_t, stw_le, MO_LEUW)
DEFINE_STORE(uint16_t, stw_be, MO_BEUW)
DEFINE_STORE(uint32_t, stl, MO_TEUL)
DEFINE_STORE(uint32_t, stl_le, MO_LEUL)
DEFINE_STORE(uint32_t, stl_be, MO_BEUL)
DEFINE_STORE(uint64_t, stq, MO_TEUQ)
DEFINE_STORE(uint64_t, stq_le, MO_LEUQ)
DEFINE_STORE(uint64_t, stq_be, MO_BEUQ)
