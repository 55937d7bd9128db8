/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared inside region/. */
#ifndef MEMCORE_REGION_INTERNAL_H
#define MEMCORE_REGION_INTERNAL_H

#include "region/region.h"
#include "region/transaction.h"

/* UINT64_MAX means 2^64 (R-REG-2). */
static inline Int128 region_decode_size(uint64_t size)
{
    return size == UINT64_MAX ? int128_2_64() : (Int128)size;
}

/* Rejects every access; the ops of regions that were given none. */
extern const MemoryRegionOps region_unassigned_ops;
/* Makes region_unassigned, unless that is done. */
void region_prepare_unassigned(void);

/* Sized accesses to the memory of a device; opaque is the region (R-RGN-6). */
extern const MemoryRegionOps region_ram_device_ops;

/* Out of its container, whatever that means for views; the reference of the membership goes (R-OBJ-6). */
void region_take_out(MemoryRegion *subregion);

/* Such a membership takes no reference: the owner would keep itself alive (R-OBJ-7). */
static inline bool region_same_owner(const MemoryRegion *left, const MemoryRegion *right)
{
    return left->owner && left->owner == right->owner;
}

#endif
