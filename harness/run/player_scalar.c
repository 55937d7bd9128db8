/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/player_scalar.h"

/*
 * One switch for each family of functions: words of `scalar` in their order.
 * `call` is a macro of (suffix of the name).
 */
#define LOADS(call) \
    case 0: return call(ldub); \
    case 1: return call(lduw); \
    case 2: return call(lduw_le); \
    case 3: return call(lduw_be); \
    case 4: return call(ldl); \
    case 5: return call(ldl_le); \
    case 6: return call(ldl_be); \
    case 7: return call(ldq); \
    case 8: return call(ldq_le); \
    default: return call(ldq_be);
#define STORES(call) \
    case 0: call(stb, uint8_t); break; \
    case 1: call(stw, uint16_t); break; \
    case 2: call(stw_le, uint16_t); break; \
    case 3: call(stw_be, uint16_t); break; \
    case 4: call(stl, uint32_t); break; \
    case 5: call(stl_le, uint32_t); break; \
    case 6: call(stl_be, uint32_t); break; \
    case 7: call(stq, uint64_t); break; \
    case 8: call(stq_le, uint64_t); break; \
    default: call(stq_be, uint64_t); break;

uint64_t scalar_load(AddressSpace *as, hwaddr a, int word, MemTxAttrs attrs, MemTxResult *result)
{
#define CALL(name) address_space_##name(as, a, attrs, result)
    switch (word) { LOADS(CALL) }
#undef CALL
}

void scalar_store(AddressSpace *as, hwaddr a, int word, uint64_t value, MemTxAttrs attrs, MemTxResult *result)
{
#define CALL(name, type) address_space_##name(as, a, (type)value, attrs, result)
    switch (word) { STORES(CALL) }
#undef CALL
}

uint64_t scalar_load_phys(AddressSpace *as, hwaddr a, int word)
{
#define CALL(name) name##_phys(as, a)
    switch (word) { LOADS(CALL) }
#undef CALL
}

void scalar_store_phys(AddressSpace *as, hwaddr a, int word, uint64_t value)
{
#define CALL(name, type) name##_phys(as, a, (type)value)
    switch (word) { STORES(CALL) }
#undef CALL
}

uint64_t scalar_load_cached(MemoryRegionCache *k, hwaddr a, int word, MemTxAttrs attrs, MemTxResult *result)
{
#define CALL(name) address_space_##name##_cached(k, a, attrs, result)
    switch (word) { LOADS(CALL) }
#undef CALL
}

void scalar_store_cached(MemoryRegionCache *k, hwaddr a, int word, uint64_t value, MemTxAttrs attrs,
                         MemTxResult *result)
{
#define CALL(name, type) address_space_##name##_cached(k, a, (type)value, attrs, result)
    switch (word) { STORES(CALL) }
#undef CALL
}

uint64_t scalar_load_slow(MemoryRegionCache *k, hwaddr a, int word, MemTxAttrs attrs, MemTxResult *result)
{
#define CALL(name) address_space_##name##_cached_slow(k, a, attrs, result)
    switch (word) { LOADS(CALL) }
#undef CALL
}

void scalar_store_slow(MemoryRegionCache *k, hwaddr a, int word, uint64_t value, MemTxAttrs attrs,
                       MemTxResult *result)
{
#define CALL(name, type) address_space_##name##_cached_slow(k, a, (type)value, attrs, result)
    switch (word) { STORES(CALL) }
#undef CALL
}
