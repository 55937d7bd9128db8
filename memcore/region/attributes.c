/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Setters of single properties (R-TREE-8): one transaction, or nothing if the value is there already. */
#include "base/state.h"
#include "exec/ramblock.h"
#include "region/internal.h"

/* Views depend on what was changed: `visible` says whether they could show it. */
static void changed(bool visible)
{
    memory_region_transaction_begin();
    if (visible) {
        transaction_topology_changed();
    }
    memory_region_transaction_commit();
}

void memory_region_set_enabled(MemoryRegion *mr, bool enabled)
{
    transaction_require_change_allowed(mr);
    if (mr->enabled != enabled) {
        mr->enabled = enabled;
        changed(true);
    }
}

void memory_region_set_size(MemoryRegion *mr, uint64_t size)
{
    const Int128 bytes = region_decode_size(size);

    transaction_require_change_allowed(mr);
    if (mr->size != bytes) {
        mr->size = bytes;
        changed(true);
    }
}

void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset)
{
    transaction_require_change_allowed(mr);
    memcore_require(mr->alias, "R-TREE-8",
                    "region '%s' is not an alias: it has no offset to set to 0x%" PRIx64, region_label(mr),
                    offset);
    if (mr->alias_offset != offset) {
        mr->alias_offset = offset;
        changed(mr->enabled);
    }
}

void memory_region_set_readonly(MemoryRegion *mr, bool readonly)
{
    transaction_require_change_allowed(mr);
    memcore_require(readonly || !mr->ram_block || !mr->ram_block->readonly, "R-FILE-6",
                    "region '%s' cannot become writable: its file is mapped for reading only", region_label(mr));
    if (mr->readonly != readonly) {
        mr->readonly = readonly;
        changed(mr->enabled);
    }
}

void memory_region_set_nonvolatile(MemoryRegion *mr, bool nonvolatile)
{
    transaction_require_change_allowed(mr);
    if (mr->nonvolatile != nonvolatile) {
        mr->nonvolatile = nonvolatile;
        changed(mr->enabled);
    }
}

void memory_region_rom_device_set_romd(MemoryRegion *mr, bool romd_mode)
{
    transaction_require_change_allowed(mr);
    if (mr->romd_mode != romd_mode) {
        mr->romd_mode = romd_mode;
        changed(mr->enabled);
    }
}

void memory_region_set_log(MemoryRegion *mr, bool log, unsigned client)
{
    const uint8_t vga = 1 << DIRTY_MEMORY_VGA;

    transaction_require_change_allowed(mr);
    memcore_require(client == DIRTY_MEMORY_VGA, "R-DLOG-2", "region '%s': client %u cannot be set, only "
                    "DIRTY_MEMORY_VGA", region_label(mr), client);
    memcore_require(log || mr->vga_logging_count > 0, "R-DLOG-3",
                    "region '%s': VGA logging is switched off more often than on", region_label(mr));
    memcore_require(!log || mr->vga_logging_count < UINT8_MAX, "R-DLOG-3",
                    "region '%s': VGA logging is on for %u users already, the most there can be",
                    region_label(mr), mr->vga_logging_count);

    if (log) {
        if (mr->vga_logging_count++ == 0) {
            mr->dirty_log_mask |= vga;
            changed(mr->enabled);
        }
    } else if (--mr->vga_logging_count == 0) {
        mr->dirty_log_mask &= (uint8_t)~vga;
        changed(mr->enabled);
    }
}
