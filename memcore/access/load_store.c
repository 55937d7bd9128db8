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

/* Memory that ends before the access does rejects it, whoever would serve its first byte (R-SCL-3, R-RGN-7). */
static bool cut_short(const Place *place, MemOp op, bool is_write)
{
    return place->length < memop_size(op) &&
           (place->mr->ram || (!is_write && memory_region_is_romd(place->mr)));
}

static __attribute__((noinline)) MemTxResult load_from_device(const Place *place, uint64_t *value, MemOp op,
                                                              MemTxAttrs attrs)
{
    const DeviceSection section = device_enter(place->mr);
    MemTxResult result = MEMTX_DECODE_ERROR;

    *value = 0;
    if (!cut_short(place, op, false)) {
        result = memory_region_dispatch_read(place->mr, place->offset, value, op, attrs);
    }
    device_leave(section);
    return result;
}

static __attribute__((noinline)) MemTxResult store_to_device(const Place *place, uint64_t value, MemOp op,
                                                             MemTxAttrs attrs)
{
    const DeviceSection section = device_enter(place->mr);
    MemTxResult result = MEMTX_DECODE_ERROR;

    if (!cut_short(place, op, true)) {
        result = memory_region_dispatch_write(place->mr, place->offset, value, op, attrs);
    }
    device_leave(section);
    return result;
}

FOR_EACH_WIDTH MemTxResult load_from_place(const Place *place, uint64_t *value, MemOp op, MemTxAttrs attrs)
{
    if (__builtin_expect(place->length == memop_size(op) && memory_access_is_direct(place->mr, false), 1)) {
        *value = load_host(place_host(place), op);
        return MEMTX_OK;
    }
    return load_from_device(place, value, op, attrs);
}

FOR_EACH_WIDTH MemTxResult store_to_place(const Place *place, uint64_t value, MemOp op, MemTxAttrs attrs)
{
    if (__builtin_expect(place->length == memop_size(op) && memory_access_is_direct(place->mr, true), 1)) {
        store_host(place_host(place), value, op);
        mark_written(place->mr, place->offset, memop_size(op));
        return MEMTX_OK;
    }
    return store_to_device(place, value, op, attrs);
}

/* --- where the place comes from -------------------------------------------------- */

FOR_EACH_WIDTH uint64_t load_from_space(const char *function, AddressSpace *as, hwaddr addr, MemOp op,
                                        MemTxAttrs attrs, MemTxResult *result)
{
    MemTxResult outcome;
    uint64_t value;
    Place place;

    rcu_read_lock();
    place = place_translate(view_of(as, function), addr, memop_size(op), false, attrs);
#ifdef CONFIG_FUZZ
    if (place.length == memop_size(op) && memory_access_is_direct(place.mr, false)) {
        fuzz_dma_read_cb(addr, memop_size(op), place.mr);
    }
#endif
    outcome = load_from_place(&place, &value, op, attrs);
    rcu_read_unlock();
    if (result) {
        *result = outcome;
    }
    return value;
}

FOR_EACH_WIDTH void store_to_space(const char *function, AddressSpace *as, hwaddr addr, uint64_t value,
                                   MemOp op, MemTxAttrs attrs, MemTxResult *result)
{
    MemTxResult outcome;
    Place place;

    rcu_read_lock();
    place = place_translate(view_of(as, function), addr, memop_size(op), true, attrs);
    outcome = store_to_place(&place, value, op, attrs);
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

#define DEFINE_LOAD(type, name, op) \
    type address_space_##name(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, MemTxResult *result) \
    { \
        return (type)load_from_space(__func__, as, addr, op, attrs, result); \
    } \
    type address_space_##name##_cached_slow(MemoryRegionCache *cache, hwaddr addr, MemTxAttrs attrs, \
                                            MemTxResult *result) \
    { \
        return (type)load_from_cache(__func__, cache, addr, op, attrs, result); \
    }

#define DEFINE_STORE(type, name, op) \
    void address_space_##name(AddressSpace *as, hwaddr addr, type val, MemTxAttrs attrs, \
                              MemTxResult *result) \
    { \
        store_to_space(__func__, as, addr, val, op, attrs, result); \
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
