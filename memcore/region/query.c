/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Getters and predicates (R-REG-6, R-REG-7): they show changes at once, also in transactions (R-TX-5). */
#include "base/state.h"
#include "exec/ramblock.h"
#include "ram/ram_block.h"
#include "region/internal.h"

Object *memory_region_owner(MemoryRegion *mr)
{
    return OBJECT(mr)->parent;
}

const char *memory_region_name(const MemoryRegion *mr)
{
    return mr->name;
}

uint64_t memory_region_size(MemoryRegion *mr)
{
    return mr->size == int128_2_64() ? UINT64_MAX : (uint64_t)mr->size;
}

uint8_t memory_region_get_dirty_log_mask(MemoryRegion *mr)
{
    uint8_t mask = mr->dirty_log_mask;

    if (__atomic_load_n(&global_dirty_tracking, __ATOMIC_RELAXED) &&
        ((mr->ram_block && qemu_ram_is_migratable(mr->ram_block)) || memory_region_is_iommu(mr))) {
        mask |= 1 << DIRTY_MEMORY_MIGRATION;
    }
    if (memcore_state.code_tracking && mr->ram_block) {
        mask |= 1 << DIRTY_MEMORY_CODE;
    }
    return mask;
}

bool memory_region_is_logging(MemoryRegion *mr, uint8_t client)
{
    return client < 8 && (memory_region_get_dirty_log_mask(mr) >> client & 1);
}

bool memory_region_is_ram_device(MemoryRegion *mr)
{
    return mr->ram_device;
}

uint64_t memory_region_get_alignment(const MemoryRegion *mr)
{
    return mr->align;
}

ram_addr_t memory_region_get_ram_addr(MemoryRegion *mr)
{
    return mr->ram_block ? mr->ram_block->offset : RAM_ADDR_INVALID;
}

bool memory_region_is_protected(MemoryRegion *mr)
{
    return mr->ram && (mr->ram_block->flags & RAM_PROTECTED);
}

/* Where a chain of aliases ends; *offset is that of mr's first byte there, which may lie anywhere. */
static MemoryRegion *chain_end(MemoryRegion *mr, Int128 *offset)
{
    *offset = 0;
    while (mr->alias) {
        *offset += mr->alias_offset;
        mr = mr->alias;
    }
    return mr;
}

void *memory_region_get_ram_ptr(MemoryRegion *mr)
{
    Int128 offset;
    const MemoryRegion *end = chain_end(mr, &offset);
    const RAMBlock *block = end->ram_block;

    memcore_require(block, "R-RAM-24", "region '%s' has no memory%s%s%s", region_label(mr),
                    end == mr ? "" : ": it leads to '", end == mr ? "" : region_label(end),
                    end == mr ? "" : "'");
    memcore_require(offset <= UINT64_MAX && ram_block_holds(block, (ram_addr_t)offset), "R-RAM-24",
                    "region '%s' starts at 0x%" PRIx64 "%016" PRIx64
                    " in the memory of '%s', of which 0x%" PRIx64 " bytes are used",
                    region_label(mr), (uint64_t)(offset >> 64), (uint64_t)offset, region_label(end),
                    block->used_length);
    return block->host + (ram_addr_t)offset;
}

int memory_region_get_fd(MemoryRegion *mr)
{
    Int128 offset;
    const MemoryRegion *end = chain_end(mr, &offset);

    return end->ram_block ? end->ram_block->fd : -1;
}

MemoryRegion *memory_region_from_host(void *ptr, ram_addr_t *offset)
{
    RAMBlock *block = qemu_ram_block_from_host(ptr, false, offset);

    return block ? block->mr : NULL;
}
