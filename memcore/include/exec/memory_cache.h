/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A piece of an address space prepared for being accessed often.  A part of
 * exec/memory.h; include that.
 *
 * RAM is accessed as fast as a pointer.  Everything else works too, slowly,
 * as an ordinary access that begins at the cached region.  The cache keeps
 * showing what was there when it was made; only behind an IOMMU each access is
 * translated anew (R-CCH-3).
 *
 * Misuse, everywhere: bytes outside [0, L), L being what init returned, so any
 * access after destroy; writing although the cache was made for reading.
 *
 * Locking: a live cache is enough.
 */
#include "exec/memory.h"      /* before the guard: it includes this file at the right place */

#ifndef EXEC_MEMORY_CACHE_H
#define EXEC_MEMORY_CACHE_H

#pragma GCC visibility push(default)

struct MemoryRegionCache {
    /* private: */
    void *ptr;                  /* NULL: slow */
    hwaddr xlat;                /* of byte 0, in mrs.mr */
    hwaddr len;
    FlatView *fv;               /* referenced, like the region */
    MemoryRegionSection mrs;
    bool is_write;
    /* How many offsets a load, a store of 1, 2, 4, 8 bytes may begin at to need nothing but `ptr`. */
    hwaddr load_starts[4];
    hwaddr store_starts[4];
};

/* An empty one: every access to it is misuse, destroying it is fine. */
#define MEMORY_REGION_CACHE_INVALID ((MemoryRegionCache) { .mrs.mr = NULL })

/*
 * Prepares [addr, addr + len), or as much from the start as is in one piece,
 * in `cache`, which must not be live.  Returns how much, at least 1 and at most
 * INT64_MAX; never an error.  Needs RCU or the big lock.  Misuse: len 0.
 */
int64_t address_space_cache_init(MemoryRegionCache *cache, AddressSpace *as, hwaddr addr, hwaddr len,
                                 bool is_write);

/*
 * To be called after [addr, addr + access_len) was written: fast writes mark
 * nothing dirty by themselves (R-CCH-9).  Misuse: not made for writing.
 */
void address_space_cache_invalidate(MemoryRegionCache *cache, hwaddr addr, hwaddr access_len);

/* Empties it.  May finalize the owner of the region, and takes the big lock for that. */
void address_space_cache_destroy(MemoryRegionCache *cache);

_Noreturn void memory_region_cache_misused(const MemoryRegionCache *cache, hwaddr addr, hwaddr len,
                                           const char *function);

/* Inside the functions below.  addr == L is outside even for length 0 (R-CCH-8). */
static inline void memory_region_cache_check(const MemoryRegionCache *cache, hwaddr addr, hwaddr len,
                                             bool is_write, const char *function)
{
    const bool inside = addr < cache->len && len <= cache->len - addr;

    if (__builtin_expect(!inside || (is_write && !cache->is_write), 0)) {
        memory_region_cache_misused(cache, addr, len, function);
    }
}

/* As the functions of exec/memory_access.h, without the fast way. */
#define SUFFIX _cached_slow
#define ARG1 cache
#define ARG1_DECL MemoryRegionCache *cache
#include "exec/memory_ldst.h.inc"
MemTxResult address_space_read_cached_slow(MemoryRegionCache *cache, hwaddr addr, void *buf, hwaddr len);
MemTxResult address_space_write_cached_slow(MemoryRegionCache *cache, hwaddr addr, const void *buf,
                                            hwaddr len);

/* As address_space_ldub() and so on, `addr` counting from the start of the cache. */
static inline uint8_t address_space_ldub_cached(MemoryRegionCache *cache, hwaddr addr, MemTxAttrs attrs,
                                                MemTxResult *result)
{
    if (__builtin_expect(addr >= cache->load_starts[0], 0)) {
        memory_region_cache_check(cache, addr, 1, false, __func__);
        return address_space_ldub_cached_slow(cache, addr, attrs, result);
    }
    if (result) {
        *result = MEMTX_OK;
    }
    return (uint8_t)ldub_p((const uint8_t *)cache->ptr + addr);
}

static inline void address_space_stb_cached(MemoryRegionCache *cache, hwaddr addr, uint8_t val,
                                            MemTxAttrs attrs, MemTxResult *result)
{
    if (__builtin_expect(addr >= cache->store_starts[0], 0)) {
        memory_region_cache_check(cache, addr, 1, true, __func__);
        address_space_stb_cached_slow(cache, addr, val, attrs, result);
        return;
    }
    if (result) {
        *result = MEMTX_OK;
    }
    stb_p((uint8_t *)cache->ptr + addr, val);
}

#define ENDIANNESS
#include "exec/memory_ldst_cached.h.inc"

#define ENDIANNESS _le
#include "exec/memory_ldst_cached.h.inc"

#define ENDIANNESS _be
#include "exec/memory_ldst_cached.h.inc"

#define SUFFIX _cached
#define ARG1 cache
#define ARG1_DECL MemoryRegionCache *cache
#include "exec/memory_ldst_phys.h.inc"

/* Attributes are MEMTXATTRS_UNSPECIFIED (R-CCH-6). */
static inline MemTxResult address_space_read_cached(MemoryRegionCache *cache, hwaddr addr, void *buf,
                                                    hwaddr len)
{
    memory_region_cache_check(cache, addr, len, false, __func__);
    fuzz_dma_read_cb(cache->xlat + addr, len, cache->mrs.mr);
    if (__builtin_expect(!cache->ptr, 0)) {
        return address_space_read_cached_slow(cache, addr, buf, len);
    }
    memmove(buf, (const uint8_t *)cache->ptr + addr, len);
    return MEMTX_OK;
}

static inline MemTxResult address_space_write_cached(MemoryRegionCache *cache, hwaddr addr, const void *buf,
                                                     hwaddr len)
{
    memory_region_cache_check(cache, addr, len, true, __func__);
    if (__builtin_expect(!cache->ptr, 0)) {
        return address_space_write_cached_slow(cache, addr, buf, len);
    }
    memmove((uint8_t *)cache->ptr + addr, buf, len);
    return MEMTX_OK;
}

#pragma GCC visibility pop

#endif
