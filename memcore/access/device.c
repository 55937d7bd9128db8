/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small parts of several kinds of access: chunks for devices, host addresses, the end of references. */
#include "access/access.h"

static unsigned power_of_two_up_to(hwaddr limit)
{
    return 1u << (63 - __builtin_clzll(limit));
}

unsigned chunk_size(const MemoryRegion *mr, hwaddr offset, hwaddr length)
{
    const MemoryRegionOps *ops = mr->ops;
    hwaddr limit = ops->valid.max_access_size ? ops->valid.max_access_size : 4;

    if (__builtin_expect(limit > 8, 0)) {
        memcore_misuse_at("MemoryRegionOps", "R-ACC-3", "region '%s': valid.max_access_size is %u, more than "
                          "8", region_label(mr), ops->valid.max_access_size);
    }
    if (!ops->impl.unaligned && offset != 0) {
        const hwaddr alignment = offset & -offset;

        limit = alignment < limit ? alignment : limit;
    }
    return power_of_two_up_to(length < limit ? length : limit);
}

void *memory_access_host(MemoryRegion *mr, hwaddr offset)
{
    const Place place = { .mr = mr, .offset = offset };

    memcore_verify(memory_access_is_direct(mr, false) && offset < mr->ram_block->max_length);
    return place_host(&place);
}

void release_region(MemoryRegion *mr)
{
    if (!mr->owner || memcore_big_lock_held) {
        memory_region_unref(mr);
        return;
    }
    qemu_mutex_lock_iothread();
    memory_region_unref(mr);
    qemu_mutex_unlock_iothread();
}
