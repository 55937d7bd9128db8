/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the dirty bits of all blocks are (R-DMB). */
#ifndef MEMCORE_RAM_DIRTY_MEMORY_H
#define MEMCORE_RAM_DIRTY_MEMORY_H

#include "base/misuse.h"
#include "exec/ramblock.h"
#include "qapi/error.h"
#include "ram/bitmap.h"

enum { DIRTY_CLIENTS_ALL = (1 << DIRTY_MEMORY_NUM) - 1 };

/* Pages that have bits; grows only (R-DMB-4). */
uint64_t dirty_memory_pages(void);

/* Bits for ram_addrs up to `end`; false and an Error, with nothing changed.  Needs ram_list.mutex. */
bool dirty_memory_grow(ram_addr_t end, Error **errp);

/* Pages [first, end) of ram_addr space. */
typedef struct {
    uint64_t first;
    uint64_t end;
} PageRange;

/* The pages that a range of bytes, which does not wrap, touches. */
static inline PageRange pages_of(ram_addr_t start, ram_addr_t length)
{
    const PageRange none = { 0, 0 };

    if (length == 0) {
        return none;
    }
    return (PageRange) {
        .first = start >> TARGET_PAGE_BITS,
        .end = ((start + (length - 1)) >> TARGET_PAGE_BITS) + 1,
    };
}

/* The part of a range that lies in one bitmap. */
typedef struct {
    unsigned long *words;
    size_t first;
    size_t count;
} DirtyPiece;

static inline DirtyPiece dirty_piece(const DirtyMemoryBlocks *blocks, uint64_t page, uint64_t end)
{
    const uint64_t first = page % DIRTY_MEMORY_BLOCK_SIZE;
    const uint64_t rest = DIRTY_MEMORY_BLOCK_SIZE - first;

    return (DirtyPiece) {
        .words = blocks->blocks[page / DIRTY_MEMORY_BLOCK_SIZE],
        .first = first,
        .count = end - page < rest ? end - page : rest,
    };
}

/* Each piece of a range, for one client; in a read section, or under the big lock. */
#define DIRTY_FOREACH_PIECE(piece, client, range) \
    for (struct { const DirtyMemoryBlocks *blocks; uint64_t page; } at_ = \
             { qatomic_rcu_read(&ram_list.dirty_memory[client]), (range).first }; \
         at_.page < (range).end && (piece = dirty_piece(at_.blocks, at_.page, (range).end), true); \
         at_.page += piece.count)

/* Without asking whether there is a block, or telling anybody. */
void dirty_memory_set(PageRange pages, uint8_t clients);
bool dirty_memory_take(PageRange pages, unsigned client);

/* Of pages that nobody uses yet: what they were before makes no difference, not even to coverage. */
void dirty_memory_clear(PageRange pages, unsigned client);
bool dirty_memory_any(PageRange pages, unsigned client);
bool dirty_memory_all(PageRange pages, unsigned client);

#endif
