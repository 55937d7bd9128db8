/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What serves an address (R-TRN). */
#include "access/access.h"
#include "iommu/iommu.h"

/* Longer chains are taken for a loop: each level is a device that people built (R-TRN-9). */
enum { IOMMU_LEVELS_MAX = 64 };

Place place_through_iommus(Place place, hwaddr address, bool is_write, MemTxAttrs attrs, IommuPath *path)
{
    for (unsigned level = 0; place.mr->is_iommu; level++) {
        IOMMUTLBEntry entry;
        hwaddr target;

        if (level == IOMMU_LEVELS_MAX ||
            !iommu_translate((IOMMUMemoryRegion *)place.mr, place.offset, is_write, attrs, &entry)) {
            return hole(place.offset, place.length);        /* R-TRN-7 */
        }
        target = (entry.translated_addr & ~entry.addr_mask) | (place.offset & entry.addr_mask);
        place.length = cut_length(place.length, (target | entry.addr_mask) - target);
        if (path) {
            path->target_as = entry.target_as;
            path->address = target;
            path->mask &= entry.addr_mask;
            path->shifted |= address ^ place.offset;
        }
        place = place_in_view(address_space_to_flatview(entry.target_as), target, place.length);
    }
    return place;
}

Place place_translate_slowly(FlatView *view, hwaddr address, hwaddr length, bool is_write, MemTxAttrs attrs)
{
    const Place place = place_in_view(view, address, length);

    return place.mr->is_iommu ? place_through_iommus(place, address, is_write, attrs, NULL) : place;
}

Place place_in_cache(const MemoryRegionCache *cache, hwaddr offset, hwaddr length, bool is_write,
                     MemTxAttrs attrs)
{
    const Place place = { .mr = cache->mrs.mr, .offset = cache->xlat + offset, .length = length };

    return place.mr->is_iommu ? place_through_iommus(place, offset, is_write, attrs, NULL) : place;
}

hwaddr place_extend(FlatView *view, hwaddr address, const Place *place, hwaddr wanted, bool is_write,
                    MemTxAttrs attrs)
{
    hwaddr done = place->length;

    while (done < wanted) {
        const Place next = place_translate(view, address + done, wanted - done, is_write, attrs);

        if (next.mr != place->mr || next.offset != place->offset + done) {
            break;
        }
        done += next.length;
    }
    return done;
}

/* All of flatview_translate() but what is quick. */
static __attribute__((noinline)) MemoryRegion *translate_slowly(FlatView *fv, hwaddr addr, hwaddr *xlat,
                                                               hwaddr *len, bool is_write, MemTxAttrs attrs)
{
    Place place;

    if (!fv || !xlat) {
        memcore_misuse_at("flatview_translate", "R-TRN-1", "address 0x%" PRIx64 ": %s", addr,
                          fv ? "no place for the offset (xlat is NULL)" : "no view given (NULL)");
    }
    place = place_translate_slowly(fv, addr, len ? *len : HWADDR_MAX, is_write, attrs);
    memcore_verify(!place.mr->alias && !place.mr->is_iommu);
    memcore_verify(!len || (place.length <= *len && (place.length > 0 || *len == 0)));
    *xlat = place.offset;
    if (len) {
        *len = place.length;
    }
    return place.mr;
}

/* Two functions, so that the quick way needs no registers but those it is called with, and no stack. */
MemoryRegion *flatview_translate(FlatView *fv, hwaddr addr, hwaddr *xlat, hwaddr *len, bool is_write,
                                 MemTxAttrs attrs)
{
    const FlatRange *range = fv ? flatview_quick(fv, addr) : NULL;

    if (__builtin_expect(!range || !xlat, 0)) {
        return translate_slowly(fv, addr, xlat, len, is_write, attrs);
    }
    if (range->quick == FLAT_RANGE_MEMORY && len) {
        *len = cut_length(*len, range->last - addr);
    }
    *xlat = addr - range->start + range->offset;
    return range->mr;
}

IOMMUTLBEntry address_space_get_iotlb_entry(AddressSpace *as, hwaddr addr, bool is_write, MemTxAttrs attrs)
{
    IommuPath path = { .address = addr, .mask = HWADDR_MAX };
    Place place;

    RCU_READ_LOCK_GUARD();
    place = place_in_view(view_of(as, __func__, "R-TRN-11"), addr, HWADDR_MAX);
    if (place.mr->is_iommu) {
        place = place_through_iommus(place, addr, is_write, attrs, &path);
    }
    if (place.mr == &region_unassigned) {
        return (IOMMUTLBEntry) { .perm = IOMMU_NONE };
    }
    if (!path.target_as) {
        path.target_as = as;
        path.mask = TARGET_PAGE_SIZE - 1;
    }
    /*
     * An IOMMU that does not begin at a multiple of its blocks cuts them
     * differently than the address space does.  Smaller blocks fit (R-TRN-15).
     */
    while (path.shifted & path.mask) {
        path.mask >>= 1;
    }
    return (IOMMUTLBEntry) {
        .target_as = path.target_as,
        .iova = addr & ~path.mask,
        .translated_addr = path.address & ~path.mask,
        .addr_mask = path.mask,
        .perm = IOMMU_RW,
    };
}
