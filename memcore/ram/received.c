/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that an incoming migration has placed (R-RECV). */
#include <glib.h>

#include "exec/ram_addr.h"
#include "ram/dirty_memory.h"
#include "ram/ram_block.h"

void ramblock_recv_bitmap_init(RAMBlock *block)
{
    const uint64_t pages = pages_of(0, block->max_length).end;

    memcore_require(!block->receivedmap, "R-RECV-1", "block \"%s\" has a receivedmap already",
                    ram_block_label(block));
    block->receivedmap = g_new0(unsigned long, (pages + WORD_BITS - 1) / WORD_BITS);
}

void ramblock_recv_bitmap_free(RAMBlock *block)
{
    g_free(block->receivedmap);
    block->receivedmap = NULL;
}

/* The page of a byte, `nr` of which are there. */
static uint64_t require_pages(const char *function, const RAMBlock *block, uint64_t byte_offset, size_t nr)
{
    const uint64_t pages = pages_of(0, block->max_length).end, page = byte_offset >> TARGET_PAGE_BITS;

    if (!block->receivedmap) {
        memcore_misuse_at(function, "R-RECV-1", "block \"%s\" has no receivedmap", ram_block_label(block));
    }
    if (page >= pages || nr > pages - page) {
        memcore_misuse_at(function, "R-RECV-1", "%zu pages from byte 0x%" PRIx64 " of block \"%s\", which has 0x%"
                          PRIx64 " pages", nr, byte_offset, ram_block_label(block), pages);
    }
    return page;
}

static uint64_t place(const RAMBlock *block, const void *host_addr)
{
    return (uint64_t)((uintptr_t)host_addr - (uintptr_t)block->host);
}

bool ramblock_recv_bitmap_test_byte_offset(RAMBlock *block, uint64_t byte_offset)
{
    return bitmap_test(block->receivedmap, require_pages(__func__, block, byte_offset, 1));
}

bool ramblock_recv_bitmap_test(RAMBlock *block, void *host_addr)
{
    const uint64_t page = require_pages(__func__, block, place(block, host_addr), 1);

    return bitmap_test(block->receivedmap, page);
}

void ramblock_recv_bitmap_set(RAMBlock *block, void *host_addr)
{
    bitmap_set_one(block->receivedmap, require_pages(__func__, block, place(block, host_addr), 1));
}

void ramblock_recv_bitmap_set_range(RAMBlock *block, void *host_addr, size_t nr)
{
    bitmap_set(block->receivedmap, require_pages(__func__, block, place(block, host_addr), nr), nr);
}

void ramblock_recv_bitmap_clear_range(RAMBlock *block, void *host_addr, size_t nr)
{
    bitmap_take(block->receivedmap, require_pages(__func__, block, place(block, host_addr), nr), nr);
}
