/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to the memory of a region: marked dirty or clean, resized, written to its file. */
#include <errno.h>

#include "exec/ram_addr.h"
#include "qapi/error.h"
#include "ram/ram_block.h"
#include "region/internal.h"

static RAMBlock *require_used(const char *function, const MemoryRegion *mr, hwaddr addr, hwaddr size)
{
    RAMBlock *block = mr->ram_block;

    if (!block) {
        memcore_misuse_at(function, "R-DIRTY-11", "region '%s' has no RAM of its own", region_label(mr));
    }
    if (!ram_block_range_used(block, addr, size)) {
        memcore_misuse_at(function, "R-DIRTY-11", "region '%s': 0x%" PRIx64 " bytes at 0x%" PRIx64 " of its RAM, of "
                          "which 0x%" PRIx64 " bytes are used", region_label(mr), size, addr, block->used_length);
    }
    return block;
}

void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size)
{
    const RAMBlock *block = require_used(__func__, mr, addr, size);

    cpu_physical_memory_set_dirty_range(block->offset + addr, size, memory_region_get_dirty_log_mask(mr));
}

void memory_region_reset_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size, unsigned client)
{
    const RAMBlock *block = require_used(__func__, mr, addr, size);

    cpu_physical_memory_test_and_clear_dirty(block->offset + addr, size, client);
}

bool memory_region_snapshot_get_dirty(MemoryRegion *mr, DirtyBitmapSnapshot *snap, hwaddr addr, hwaddr size)
{
    const RAMBlock *block = mr->ram_block;

    memcore_require(block, "R-SNAP-6", "region '%s' has no RAM of its own", region_label(mr));
    memcore_require(addr <= block->max_length && size <= block->max_length - addr, "R-SNAP-6",
                    "region '%s' has 0x%" PRIx64 " bytes of RAM, not 0x%" PRIx64 " at 0x%" PRIx64, region_label(mr),
                    block->max_length, size, addr);
    return cpu_physical_memory_snapshot_get_dirty(snap, block->offset + addr, size);
}

int qemu_ram_resize(RAMBlock *block, ram_addr_t newsize, Error **errp)
{
    MemoryRegion *mr = block->mr;

    transaction_require_change_allowed(mr);
    const bool changes = newsize != memory_region_size(mr);
    const ram_addr_t old_length = block->used_length;

    if (!ram_block_resize(block, newsize, errp)) {
        return -EINVAL;
    }
    if (changes || block->used_length != old_length) {
        memory_region_set_size(mr, newsize);
        if (block->resized) {
            block->resized(block->idstr, newsize, block->host);
        }
    }
    return 0;
}

void memory_region_ram_resize(MemoryRegion *mr, ram_addr_t newsize, Error **errp)
{
    if (!mr->ram_block) {
        error_setg(errp, "region '%s' has no RAM of its own to resize", region_label(mr));
        return;
    }
    qemu_ram_resize(mr->ram_block, newsize, errp);
}

void memory_region_msync(MemoryRegion *region, hwaddr start, hwaddr bytes)
{
    RAMBlock *block = region->ram_block;

    if (block) {
        qemu_ram_msync(block, start, bytes);
    }
}

/* Whether somebody logs does not matter (R-RAM-30). */
void memory_region_writeback(MemoryRegion *region, hwaddr start, hwaddr bytes)
{
    memory_region_msync(region, start, bytes);
}
