/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block that holds a region's memory, as the API tells it: another core need not have MemoryRegion::ram_block. */
#ifndef HARNESS_RUN_REGION_BLOCK_H
#define HARNESS_RUN_REGION_BLOCK_H

#include "exec/memory.h"
#include "exec/ram_addr.h"

/* `mr` has memory of its own (no alias) that its block uses: qemu_ram_block_from_host finds no empty block. */
static inline RAMBlock *region_block(MemoryRegion *mr)
{
    ram_addr_t offset;

    return qemu_ram_block_from_host(memory_region_get_ram_ptr(mr), false, &offset);
}

#endif
