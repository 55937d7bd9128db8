/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of devices from accesses to address spaces: in which pieces, and under which locks. */
#include "access/access.h"
#include "base/state.h"

static unsigned power_of_two_up_to(hwaddr limit)
{
    return 1u << (63 - __builtin_clzll(limit));
}

unsigned chunk_size(const MemoryRegion *mr, hwaddr offset, hwaddr length)
{
    const MemoryRegionOps *ops = mr->ops;
    hwaddr limit = ops->valid.max_access_size ? ops->valid.max_access_size : 4;

    if (__builtin_expect(limit > 8, 0)) {
        memcore_misuse_at("MemoryRegionOps", "R-ACC-3", "region '%s': valid.max_access_size is %u, more than 8",
                          region_label(mr), ops->valid.max_access_size);
    }
    if (!ops->impl.unaligned && offset != 0) {
        const hwaddr alignment = offset & -offset;

        limit = alignment < limit ? alignment : limit;
    }
    return power_of_two_up_to(length < limit ? length : limit);
}

DeviceSection device_enter(const MemoryRegion *mr)
{
    DeviceSection section = { .release = !qemu_mutex_iothread_locked() };

    if (section.release) {
        qemu_mutex_lock_iothread();
    }
    if (__builtin_expect(mr->flush_coalesced_mmio, 0)) {
        memcore_flush_coalesced();
    }
    return section;
}

void device_leave(DeviceSection section)
{
    memcore_verify(qemu_mutex_iothread_locked());
    if (section.release) {
        qemu_mutex_unlock_iothread();
    }
}

void release_region(MemoryRegion *mr)
{
    if (!mr->owner || qemu_mutex_iothread_locked()) {
        memory_region_unref(mr);
        return;
    }
    qemu_mutex_lock_iothread();
    memory_region_unref(mr);
    qemu_mutex_unlock_iothread();
}
