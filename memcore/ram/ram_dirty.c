/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes, births and resizes as dirty bits see them. */
#include "base/state.h"
#include "exec/ram_addr.h"
#include "ram/dirty_memory.h"
#include "ram/ram_dirty.h"

/* Changed under the big lock; atomic, as writers to RAM ask it without. */
unsigned int global_dirty_tracking;

static RamLogClear *log_clear_hook;

void ram_set_log_clear(RamLogClear *log_clear)
{
    __atomic_store_n(&log_clear_hook, log_clear, __ATOMIC_RELEASE);
}

void ram_block_log_clear_bytes(RAMBlock *block, ram_addr_t offset, ram_addr_t length)
{
    RamLogClear *log_clear = __atomic_load_n(&log_clear_hook, __ATOMIC_ACQUIRE);

    if (log_clear && length > 0) {
        log_clear(block->mr, offset, length);
    }
}

void ram_block_log_clear(RAMBlock *block, ram_addr_t offset, ram_addr_t length)
{
    const PageRange pages = pages_of(offset, length);

    ram_block_log_clear_bytes(block, pages.first << TARGET_PAGE_BITS,
                              (pages.end - pages.first) << TARGET_PAGE_BITS);
}

/* Page by page: hardly any write has more than a few. */
static inline bool has_clean_page(PageRange pages, unsigned client)
{
    const DirtyMemoryBlocks *blocks = qatomic_rcu_read(&ram_list.dirty_memory[client]);

    for (uint64_t page = pages.first; page < pages.end; page++) {
        if (!bitmap_test_written(blocks->blocks[page / DIRTY_MEMORY_BLOCK_SIZE], page % DIRTY_MEMORY_BLOCK_SIZE)) {
            return true;
        }
    }
    return false;
}

void ram_block_mark_written(RAMBlock *block, ram_addr_t offset, ram_addr_t length, uint8_t clients)
{
    const PageRange pages = pages_of(block->offset + offset, length);
    uint8_t clean = 0;

    memcore_verify(clients != 0 && length > 0);
    memcore_verify(offset < block->max_length && length <= block->max_length - offset);
    bitmap_writer_barrier();
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        if (clients >> client & 1 && has_clean_page(pages, client)) {
            clean |= (uint8_t)(1 << client);
        }
    }
    if (__builtin_expect(!clean, 1)) {
        return;
    }
    if (clean & 1 << DIRTY_MEMORY_CODE) {
        clean &= (uint8_t)~(1 << DIRTY_MEMORY_CODE);    /* never set here (R-CODE-3) */
        if (memcore_state.code_invalidate) {
            memcore_state.code_invalidate(memcore_state.code_invalidate_opaque, block->offset + offset,
                                          block->offset + offset + length);
        }
    }
    dirty_memory_set(pages, clean);
}

void ram_block_dirty_used(RAMBlock *block)
{
    dirty_memory_set(pages_of(block->offset, block->used_length), DIRTY_CLIENTS_ALL);
}

void ram_block_dirty_all(RAMBlock *block)
{
    const PageRange all = pages_of(block->offset, block->max_length);
    const PageRange used = pages_of(block->offset, block->used_length);
    /* no other block has bits in the last word (R-RAM-17) */
    const uint64_t word_end = (all.end + WORD_BITS - 1) / WORD_BITS * WORD_BITS;

    /* What a block that was there before has left behind (R-DMB-8), also where only snapshots come (R-SNAP-2). */
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        const PageRange rest = { used.end > all.first ? used.end : all.first, word_end };

        dirty_memory_clear(rest, client);
    }
    ram_block_dirty_used(block);
}

void ram_block_clean_used(RAMBlock *block)
{
    cpu_physical_memory_clear_dirty_range(block->offset, block->used_length);
}
