/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which target pages of RAM were written (R-DIRTY of ram-and-dirty.md).
 *
 * Not there yet: the bitmaps come with issue 4, which fills this function and
 * need not touch its callers.  They call it after every write that goes past
 * the callbacks of devices: stores, buffer writes, write_rom, unmap of direct
 * mappings, cache invalidation, flush_rom_device.
 */
#ifndef MEMCORE_RAM_RAM_DIRTY_H
#define MEMCORE_RAM_RAM_DIRTY_H

#include "exec/ramblock.h"

/*
 * Bytes [offset, offset + length) of the block have just been written;
 * `clients` (a set of bits 1 << DIRTY_MEMORY_*) want to know.  The range lies
 * in the block's memory, and neither length nor clients is 0.  Any thread.
 */
void ram_block_mark_written(RAMBlock *block, ram_addr_t offset, ram_addr_t length, uint8_t clients);

#endif
