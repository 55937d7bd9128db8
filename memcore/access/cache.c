/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prepared pieces of address spaces (R-CCH); the fast half is in exec/memory_cache.h. */
#include "access/access.h"

static void count_starts(MemoryRegionCache *cache)
{
    for (unsigned i = 0; i < sizeof(cache->load_starts) / sizeof(cache->load_starts[0]); i++) {
        const hwaddr size = UINT64_C(1) << i;
        const hwaddr starts = cache->ptr && cache->len >= size ? cache->len - size + 1 : 0;

        cache->load_starts[i] = starts;
        cache->store_starts[i] = cache->is_write ? starts : 0;
    }
}

int64_t address_space_cache_init(MemoryRegionCache *cache, AddressSpace *as, hwaddr addr, hwaddr len,
                                 bool is_write)
{
    const FlatRange *range;
    FlatView *view;
    Place place;

    memcore_require(cache, "R-CCH-1", "address 0x%" PRIx64 ": no cache given (NULL)", addr);
    memcore_require(len > 0, "R-LKP-5", "address 0x%" PRIx64 ": length 0; a cache has at least 1 byte", addr);
    RCU_READ_LOCK_GUARD();
    view_of(as, __func__, "R-CCH-1");
    view = flatview_get(as);
    place = place_in_view(view, addr, cut_length(len, INT64_MAX - 1));
    range = flatview_find(view, addr);
    if (range) {
        place.length = cut_length(place.length, range->last - addr);
    }
    *cache = (MemoryRegionCache) {
        .fv = view,
        .xlat = place.offset,
        .len = place.length,
        .is_write = is_write,
    };
    if (!place.mr->is_iommu && memory_access_is_direct(place.mr, is_write)) {
        cache->ptr = place_host(&place);
        cache->len = place_extend(view, addr, &place, cut_length(len, INT64_MAX - 1), is_write,
                                  MEMTXATTRS_UNSPECIFIED);
    }
    cache->mrs = (MemoryRegionSection) {
        .size = cache->len,
        .mr = place.mr,
        .fv = view,
        .offset_within_region = place.offset,
        .offset_within_address_space = addr,
    };
    count_starts(cache);
    memory_region_ref(place.mr);
    return (int64_t)cache->len;
}

void address_space_cache_invalidate(MemoryRegionCache *cache, hwaddr addr, hwaddr access_len)
{
    memcore_require(cache->is_write, "R-CCH-9", "the cache %p was not made for writing, or is not live",
                    (void *)cache);
    memcore_require(addr <= cache->len && access_len <= cache->len - addr, "R-CCH-9",
                    "0x%" PRIx64 " bytes at 0x%" PRIx64 " are not in the cache %p of 0x%" PRIx64, access_len,
                    addr, (void *)cache, cache->len);
    if (cache->ptr) {
        mark_written(cache->mrs.mr, cache->xlat + addr, access_len);
    }
}

void address_space_cache_destroy(MemoryRegionCache *cache)
{
    MemoryRegion *mr = cache->mrs.mr;
    FlatView *view = cache->fv;

    if (!mr) {
        return;
    }
    *cache = MEMORY_REGION_CACHE_INVALID;
    flatview_unref(view);
    release_region(mr);
}

void memory_region_cache_misused(const MemoryRegionCache *cache, hwaddr addr, hwaddr len, const char *function)
{
    if (cache->len == 0) {
        memcore_misuse_at(function, "R-CCH-10", "the cache %p is not live: address_space_cache_init was not called, or "
                          "address_space_cache_destroy was", (const void *)cache);
    }
    if (addr >= cache->len || len > cache->len - addr) {
        memcore_misuse_at(function, "R-CCH-1", "0x%" PRIx64 " bytes at 0x%" PRIx64
                          " are not in the cache %p of 0x%" PRIx64, len, addr, (const void *)cache,
                          cache->len);
    }
    memcore_misuse_at(function, "R-CCH-4", "writing 0x%" PRIx64 " bytes at 0x%" PRIx64
                      ": the cache %p was not made for writing", len, addr, (const void *)cache);
}

MemTxResult address_space_read_cached_slow(MemoryRegionCache *cache, hwaddr addr, void *buf, hwaddr len)
{
    const Origin origin = { .cache = cache };
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;

    memory_region_cache_check(cache, addr, len, false, __func__);
    if (len == 0) {
        return MEMTX_OK;        /* R-CCH-8 */
    }
    RCU_READ_LOCK_GUARD();
    return read_from_place(&origin, place_in_cache(cache, addr, len, false, attrs), addr, attrs, buf, len);
}

MemTxResult address_space_write_cached_slow(MemoryRegionCache *cache, hwaddr addr, const void *buf,
                                            hwaddr len)
{
    const Origin origin = { .cache = cache };
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;

    memory_region_cache_check(cache, addr, len, true, __func__);
    if (len == 0) {
        return MEMTX_OK;
    }
    RCU_READ_LOCK_GUARD();
    return write_from_place(&origin, place_in_cache(cache, addr, len, true, attrs), addr, attrs, buf, len);
}
