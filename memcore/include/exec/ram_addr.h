/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty pages by ram_addr: for migration and accelerators.  Programs that think
 * in regions use exec/memory_dirty.h.
 *
 * `client` is one of DIRTY_MEMORY_*, a `mask` a set of bits 1 << client.  Bits
 * stand for target pages; a range of bytes means every page it touches, an empty one
 * nothing.  Bits are set and taken atomically, one word at a time: data stored
 * before a bit was set is visible to whoever takes the bit (R-DMB-9).
 *
 * Any thread, unless said otherwise.  Misuse: a client that does not exist; setting
 * where no block is; looking where no block ever was.
 */
#ifndef EXEC_RAM_ADDR_H
#define EXEC_RAM_ADDR_H

#include "exec/memory.h"
#include "exec/ramblock.h"

#pragma GCC visibility push(default)

/* --- looking ------------------------------------------------------------------- */

/* Whether some page, or every page, of the range is dirty.  Of none: false, and true. */
bool cpu_physical_memory_get_dirty(ram_addr_t start, ram_addr_t length, unsigned client);
bool cpu_physical_memory_all_dirty(ram_addr_t start, ram_addr_t length, unsigned client);

/* Of the page that `addr` is in. */
bool cpu_physical_memory_get_dirty_flag(ram_addr_t addr, unsigned client);

/* Whether the page is clean for at least one client (R-DIRTY-5). */
bool cpu_physical_memory_is_clean(ram_addr_t addr);

/* The part of `mask` that has a clean page in the range (R-DIRTY-6). */
uint8_t cpu_physical_memory_range_includes_clean(ram_addr_t start, ram_addr_t length, uint8_t mask);

/* --- setting --------------------------------------------------------------------- */

/* The page that `addr` is in, for one client; all pages of the range, for the clients of `mask`. */
void cpu_physical_memory_set_dirty_flag(ram_addr_t addr, unsigned client);
void cpu_physical_memory_set_dirty_range(ram_addr_t start, ram_addr_t length, uint8_t mask);

/*
 * Takes over a log of the hardware: bit k of the little-endian words stands for
 * *host* page k from `start` on.  Dirty for VGA, for MIGRATION while there is global
 * logging, for CODE while code is tracked; regions are not asked (R-LEB-2).
 *
 * Whole words are used, also their bits behind `pages`, as far as they are in the
 * block of `start` (R-LEB-3).  Returns how many bits were set in the words.  Needs
 * the big lock while GLOBAL_DIRTY_DIRTY_RATE is on.
 */
uint64_t cpu_physical_memory_set_dirty_lebitmap(unsigned long *bitmap, ram_addr_t start, ram_addr_t pages);

/* Grows by what set_dirty_lebitmap returns, while GLOBAL_DIRTY_DIRTY_RATE is on; never reset (R-LEB-6). */
extern uint64_t total_dirty_pages;

/* --- taking ---------------------------------------------------------------------- */

/*
 * These tell listeners with log_clear, whether a page was dirty or not: call them under
 * the big lock, or where no listener comes or goes.  Data read after the call is at
 * least as new as the bits taken.  Misuse: a range that is not inside the used part of
 * one block.
 */

/* Whether a page was dirty; none is now (R-DIRTY-8).  An empty range: false, and nobody is told. */
bool cpu_physical_memory_test_and_clear_dirty(ram_addr_t start, ram_addr_t length, unsigned client);

/* Clean for everyone: MIGRATION, VGA, CODE, in this order. */
void cpu_physical_memory_clear_dirty_range(ram_addr_t start, ram_addr_t length);

/*
 * memory_region_snapshot_and_clear_dirty() without its first and last step: no
 * listener is asked to bring the bitmap up to date.
 */
DirtyBitmapSnapshot *cpu_physical_memory_snapshot_and_clear_dirty(MemoryRegion *mr, hwaddr offset,
                                                                  hwaddr length, unsigned client);
bool cpu_physical_memory_snapshot_get_dirty(DirtyBitmapSnapshot *snap, ram_addr_t start, ram_addr_t length);

/* Layout of R-SNAP-3: ram_addrs [start, end), and a bit for each page. */
struct DirtyBitmapSnapshot {
    ram_addr_t start;
    ram_addr_t end;
    unsigned long dirty[];
};

/*
 * Moves dirty MIGRATION pages of the block's bytes [start, start + length), whole
 * pages, into block->bmap; returns how many were not there before (R-SYNC-1).
 *
 * Where both ends lie on whole words (R-SYNC-2) and block->clear_bmap exists, the chunks
 * are marked in it, and whoever sends a page tells listeners later; else they are
 * told now.  Needs the mutex that guards bmap.  Misuse: no bmap; not whole pages.
 */
uint64_t cpu_physical_memory_sync_dirty_bitmap(RAMBlock *block, ram_addr_t start, ram_addr_t length);

/* --- clear_bmap: telling listeners later ----------------------------------------------- */

#define CLEAR_BITMAP_SHIFT_MIN 6
#define CLEAR_BITMAP_SHIFT_MAX 31
#define CLEAR_BITMAP_SHIFT_DEFAULT 18

/* Chunks of 1 << shift pages that `pages` pages touch. */
uint64_t clear_bmap_size(uint64_t pages, uint8_t shift);

/*
 * Marks every chunk that pages [start, start + npages) of the block touch (R-CLR-2);
 * whether the chunk of a page is marked, which ends it (R-CLR-3).  Under the mutex
 * that guards bmap.  Misuse: no clear_bmap; a page behind the block.
 */
void clear_bmap_set(RAMBlock *block, uint64_t start, uint64_t npages);
bool clear_bmap_test_and_clear(RAMBlock *block, uint64_t page);

/* --- receivedmap: what has arrived ---------------------------------------------------- */

/*
 * One bit a target page of the block, on the receiving side of a migration
 * (R-RECV-1); atomic, from any thread.  init starts all clear, free accepts that
 * there is none.  Misuse elsewhere: no map, or a place that is not in the block.
 */
void ramblock_recv_bitmap_init(RAMBlock *block);
void ramblock_recv_bitmap_free(RAMBlock *block);
bool ramblock_recv_bitmap_test(RAMBlock *block, void *host_addr);
bool ramblock_recv_bitmap_test_byte_offset(RAMBlock *block, uint64_t byte_offset);
void ramblock_recv_bitmap_set(RAMBlock *block, void *host_addr);
/* `nr` target pages from host_addr on. */
void ramblock_recv_bitmap_set_range(RAMBlock *block, void *host_addr, size_t nr);
void ramblock_recv_bitmap_clear_range(RAMBlock *block, void *host_addr, size_t nr);

#pragma GCC visibility pop

#endif
