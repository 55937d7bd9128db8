/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ram/ and the layers above tell each other about written pages (R-DIRTY). */
#ifndef MEMCORE_RAM_RAM_DIRTY_H
#define MEMCORE_RAM_RAM_DIRTY_H

#include "exec/ramblock.h"

/*
 * Bytes [offset, offset + length) of the block have just been written;
 * `clients` (a set of bits 1 << DIRTY_MEMORY_*) want to know (R-DIRTY-13).
 * The range lies in the block's memory, and neither length nor clients is 0.
 * Any thread, in a read section or under the big lock.
 */
void ram_block_mark_written(RAMBlock *block, ram_addr_t offset, ram_addr_t length, uint8_t clients);

/*
 * Calls log_clear of the listeners that see bytes [start, start + length) of the
 * region (R-DLOG-13).  Installed by topology/ with the first listener that wants
 * it; NULL until then.
 */
typedef void RamLogClear(struct MemoryRegion *mr, hwaddr start, hwaddr length);
void ram_set_log_clear(RamLogClear *log_clear);

/* For bytes of a block, grown to whole pages or as they are; nothing while nobody listens. */
void ram_block_log_clear(RAMBlock *block, ram_addr_t offset, ram_addr_t length);
void ram_block_log_clear_bytes(RAMBlock *block, ram_addr_t offset, ram_addr_t length);

/* A new block: the used part dirty for everybody, the rest clean (R-DIRTY-10). */
void ram_block_dirty_all(RAMBlock *block);

/* R-RES-4: the used part clean for everybody, listeners are told; and dirty for everybody. */
void ram_block_clean_used(RAMBlock *block);
void ram_block_dirty_used(RAMBlock *block);

#endif
