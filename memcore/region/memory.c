/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to the memory of a region: marked dirty or clean, resized, written to its file. */
#include <errno.h>

#include "exec/ram_addr.h"
#include "qapi/error.h"
#include "ram/ram_block.h"
#include "region/internal.h"

RAMBlock *region_require_block(const char *function, const char *rule, const MemoryRegion *mr)
{
    if (!mr->ram_block) {
        memcore_misuse_at(function, rule, "region '%s' has no RAM of its own", region_label(mr));
    }
    return mr->ram_block;
}

RAMBlock *region_require_used(const char *function, const char *rule, const MemoryRegion *mr, hwaddr addr, hwaddr size)
{
    RAMBlock *block = region_require_block(function, rule, mr);

    if (!ram_block_range_used(block, addr, size)) {
        memcore_misuse_at(function, rule, "region '%s': 0x%" PRIx64 " bytes at 0x%" PRIx64 " of its RAM, of which 0x%"
                          PRIx64 " bytes are used", region_label(mr), size, addr, block->used_length);
    }
    return block;
}

void region_require_client(const char *function, const MemoryRegion *mr, unsigned client)
{
    if (client >= DIRTY_MEMORY_NUM) {
        memcore_misuse_at(function, "R-DIRTY-2", "region '%s': there is no client %u, only 0 to %u", region_label(mr),
                          client, DIRTY_MEMORY_NUM - 1);
    }
}

void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size)
{
    const RAMBlock *block = region_require_used(__func__, "R-DIRTY-11", mr, addr, size);

    cpu_physical_memory_set_dirty_range(block->offset + addr, size, memory_region_get_dirty_log_mask(mr));
}

void memory_region_reset_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size, unsigned client)
{
    const RAMBlock *block = region_require_used(__func__, "R-DIRTY-12", mr, addr, size);

    region_require_client(__func__, mr, client);
    cpu_physical_memory_test_and_clear_dirty(block->offset + addr, size, client);
}

bool memory_region_snapshot_get_dirty(MemoryRegion *mr, DirtyBitmapSnapshot *snap, hwaddr addr, hwaddr size)
{
    const RAMBlock *block = region_require_block(__func__, "R-SNAP-6", mr);
    const bool in_block = addr <= block->max_length && size <= block->max_length - addr;
    const ram_addr_t start = block->offset + addr;

    memcore_require(in_block && start >= snap->start && start + size <= snap->end, "R-SNAP-6",
                    "region '%s': 0x%" PRIx64 " bytes at 0x%" PRIx64 " of its RAM, which begins at ram_addr 0x%" PRIx64
                    ", are not in the snapshot of 0x%" PRIx64 " to 0x%" PRIx64, region_label(mr), size, addr,
                    block->offset, snap->start, snap->end);
    return cpu_physical_memory_snapshot_get_dirty(snap, start, size);
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

/* Size 0 is fine anywhere (R-RAM-29). */
static void write_to_file(const char *function, const char *rule, const MemoryRegion *region, hwaddr start,
                          hwaddr bytes)
{
    if (region->ram_block && bytes > 0) {
        qemu_ram_msync(region_require_used(function, rule, region, start, bytes), start, bytes);
    }
}

void memory_region_msync(MemoryRegion *region, hwaddr start, hwaddr bytes)
{
    write_to_file(__func__, "R-RAM-27", region, start, bytes);
}

/* Whether somebody logs does not matter (R-RAM-30). */
void memory_region_writeback(MemoryRegion *region, hwaddr start, hwaddr bytes)
{
    write_to_file(__func__, "R-RAM-30", region, start, bytes);
}
