/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared inside access/.  Every access goes the same way:
 *
 *   address --translate--> Place --direct?--> memory of the host, marked dirty if written
 *                                \----------> device: under the big lock, by dispatch
 */
#ifndef MEMCORE_ACCESS_ACCESS_H
#define MEMCORE_ACCESS_ACCESS_H

#include "base/misuse.h"
#include "base/state.h"
#include "exec/memory.h"
#include "exec/ramblock.h"
#include "flatview/flatview.h"
#include "ram/ram_dirty.h"
#include "region/region.h"

/* --- where an access ends up ------------------------------------------------- */

typedef struct {
    MemoryRegion *mr;           /* never NULL, an alias or an IOMMU */
    hwaddr offset;              /* in it */
    hwaddr length;              /* of what was asked for, as much as is there in one piece */
} Place;

/* Whose length ends where the view shows no more of it (R-TRN-3); ROMD mode counts too (R-RGN-5). */
static inline bool is_ram_kind(const MemoryRegion *mr)
{
    return mr->ram || (mr->rom_device && mr->romd_mode);
}

/* length, but not more than `rest` + 1, which may be 2^64. */
static inline hwaddr cut_length(hwaddr length, hwaddr rest)
{
    return length > rest && length - 1 > rest ? rest + 1 : length;
}

/* Nobody answers: there `length` has no end (R-LKP-2). */
static inline Place hole(hwaddr offset, hwaddr length)
{
    return (Place) { .mr = &region_unassigned, .offset = offset, .length = length };
}

/* One lookup; the region may be an IOMMU. */
static inline Place place_in_view(FlatView *view, hwaddr address, hwaddr length)
{
    const FlatRange *range = flatview_find(view, address);
    Place place;

    if (!range) {
        return hole(address, length);
    }
    place = (Place) {
        .mr = range->mr,
        .offset = address - range->start + range->offset,
        .length = length,
    };
    if (is_ram_kind(place.mr)) {
        const ram_addr_t memory = place.mr->ram_block->max_length;

        place.length = cut_length(length, range->last - address);
        if (__builtin_expect(place.offset >= memory, 0)) {
            return hole(address, place.length);     /* region made larger than its memory (R-TREE-9) */
        }
        place.length = cut_length(place.length, memory - 1 - place.offset);
    }
    return place;
}

/* What a walk through IOMMUs found out besides; for address_space_get_iotlb_entry(). */
typedef struct {
    AddressSpace *target_as;    /* of the last one; NULL: there was none */
    hwaddr address;             /* in it */
    hwaddr mask;                /* the blocks of all of them have in common */
    hwaddr shifted;             /* bits in which the address and the offset in some IOMMU differ */
} IommuPath;

/* From an offset in an IOMMU to what is behind it, and behind others (R-TRN-5..9).  `path` may be NULL. */
Place place_through_iommus(Place place, hwaddr address, bool is_write, MemTxAttrs attrs, IommuPath *path);

/* What place_translate() does where nothing is quick. */
Place place_translate_slowly(FlatView *view, hwaddr address, hwaddr length, bool is_write, MemTxAttrs attrs);

/* In a quick range: no IOMMU, and memory as long as the range. */
static inline Place place_in_range(const FlatRange *range, hwaddr address, hwaddr length)
{
    return (Place) {
        .mr = range->mr,
        .offset = address - range->start + range->offset,
        .length = range->quick == FLAT_RANGE_MEMORY ? cut_length(length, range->last - address) : length,
    };
}

static inline Place place_translate(FlatView *view, hwaddr address, hwaddr length, bool is_write,
                                    MemTxAttrs attrs)
{
    const FlatRange *range = flatview_recent(view, address);

    return range && range->quick ? place_in_range(range, address, length)
                                 : place_translate_slowly(view, address, length, is_write, attrs);
}

/*
 * The view to access now, under RCU even with the big lock: devices may let go of that.  `function` is the public one,
 * `rule` what it goes by.
 */
static inline FlatView *view_of(AddressSpace *as, const char *function, const char *rule)
{
    FlatView *view = as ? address_space_to_flatview(as) : NULL;

    memcore_verify(rcu_read_ongoing());
    if (__builtin_expect(!view, 0)) {
        memcore_misuse_at(function, rule, "%p is not an address space: address_space_init was not "
                          "called, or address_space_destroy was", (void *)as);
    }
    return view;
}

/* Where the bytes of an access are counted from. */
typedef struct {
    FlatView *view;
    const MemoryRegionCache *cache;     /* not NULL: addresses are relative to it, and `view` is not used */
} Origin;

/* At a cached region, which may be an IOMMU, as it was when the cache was made (R-CCH-6). */
Place place_in_cache(const MemoryRegionCache *cache, hwaddr offset, hwaddr length, bool is_write,
                     MemTxAttrs attrs);

static inline Place place_from(const Origin *origin, hwaddr address, hwaddr length, bool is_write,
                               MemTxAttrs attrs)
{
    return origin->cache ? place_in_cache(origin->cache, address, length, is_write, attrs)
                         : place_translate(origin->view, address, length, is_write, attrs);
}

/*
 * From a direct place at `address`: how many of `wanted` bytes follow in the
 * same region, byte by byte, over seams of ranges and IOMMU pages (R-MAP-2).
 */
hwaddr place_extend(FlatView *view, hwaddr address, const Place *place, hwaddr wanted, bool is_write,
                    MemTxAttrs attrs);

/* --- memory of the host -------------------------------------------------------- */

static inline uint8_t *place_host(const Place *place)
{
    return place->mr->ram_block->host + place->offset;
}

/* False: nobody logs, and memory_region_get_dirty_log_mask() would say 0. */
static inline bool may_log(const MemoryRegion *mr)
{
    return (mr->dirty_log_mask | __atomic_load_n(&global_dirty_tracking, __ATOMIC_RELAXED) |
            memcore_state.code_tracking) != 0;
}

/* After writing there: whoever logs is told (R-ACC-9). */
static inline void mark_written(MemoryRegion *mr, hwaddr offset, hwaddr length)
{
    uint8_t clients;

    if (__builtin_expect(!may_log(mr), 1)) {
        return;
    }
    clients = memory_region_get_dirty_log_mask(mr);
    if (clients && length > 0) {
        ram_block_mark_written(mr->ram_block, offset, length, clients);
    }
}

/* --- devices ------------------------------------------------------------------- */

/* R-DSP-2. */
bool region_accepts(MemoryRegion *mr, hwaddr offset, unsigned size, bool is_write, MemTxAttrs attrs);

/* How much of a buffer access goes to the device at once: 1, 2, 4 or 8, not more than length (R-ACC-3). */
unsigned chunk_size(const MemoryRegion *mr, hwaddr offset, hwaddr length);

/*
 * Brackets every access that is not direct: the big lock is held, and buffered
 * writes are out (R-LCK-1, R-EVM-10).
 */
typedef struct {
    bool release;               /* this thread did not have the lock before */
} DeviceSection;

static inline DeviceSection device_enter(const MemoryRegion *mr)
{
    const DeviceSection section = { .release = !memcore_big_lock_held };

    if (section.release) {
        qemu_mutex_lock_iothread();
    }
    if (__builtin_expect(mr->flush_coalesced_mmio, 0)) {
        memcore_flush_coalesced();
    }
    return section;
}

static inline void device_leave(DeviceSection section)
{
    memcore_verify(memcore_big_lock_held);
    if (section.release) {
        qemu_mutex_unlock_iothread();
    }
}

/* --- buffers ------------------------------------------------------------------- */

/* The loop of R-ACC-2 for length > 0, beginning with a place found already. */
MemTxResult read_from_place(const Origin *origin, Place place, hwaddr address, MemTxAttrs attrs,
                            uint8_t *buffer, hwaddr length);
MemTxResult write_from_place(const Origin *origin, Place place, hwaddr address, MemTxAttrs attrs,
                             const uint8_t *buffer, hwaddr length);

/* How map fills its bounce buffer, and unmap empties it: a whole access in a given view, of at least one byte. */
MemTxResult view_read(FlatView *view, hwaddr address, MemTxAttrs attrs, void *buffer, hwaddr length);
MemTxResult view_write(FlatView *view, hwaddr address, MemTxAttrs attrs, const void *buffer, hwaddr length);

/* --- owners -------------------------------------------------------------------- */

/* Drops a reference that outlived its read section: it may be the last, whose end needs the big lock. */
void release_region(MemoryRegion *mr);

#endif
