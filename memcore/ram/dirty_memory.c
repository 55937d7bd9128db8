/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bitmaps that grow and never move, shrink or go away (R-DMB-3). */
#include <glib.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "base/defer.h"
#include "base/fault.h"
#include "ram/dirty_memory.h"

static uint64_t pieces;         /* in each client's array; written under ram_list.mutex after the arrays */

/* Smaller bitmaps would waste more than they win. */
enum { HUGE_FROM = 8 << 20 };

static const size_t piece_bytes = DIRTY_MEMORY_BLOCK_SIZE / 8;

uint64_t dirty_memory_pages(void)
{
    return __atomic_load_n(&pieces, __ATOMIC_ACQUIRE) * DIRTY_MEMORY_BLOCK_SIZE;
}

static void free_array(struct rcu_head *head)
{
    g_free(caa_container_of(head, DirtyMemoryBlocks, rcu));
}

/* Never freed, mostly never touched: memory that is the host's until then. */
static unsigned char *map_zeroes(uint64_t length)
{
    void *memory = MAP_FAILED;

    if (!memcore_fault(MEMCORE_FAULT_ALLOCATION)) {
        memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (memory != MAP_FAILED && length >= HUGE_FROM) {
        (void)madvise(memory, length, MADV_HUGEPAGE);       /* bits are searched from end to end */
    }
    return memory == MAP_FAILED ? NULL : memory;
}

static DirtyMemoryBlocks *longer_array(const DirtyMemoryBlocks *old, uint64_t count, unsigned char *memory)
{
    DirtyMemoryBlocks *blocks = g_malloc(sizeof(*blocks) + count * sizeof(blocks->blocks[0]));

    for (uint64_t i = 0; i < count; i++) {
        blocks->blocks[i] = i < pieces ? old->blocks[i]
                                       : (unsigned long *)(void *)(memory + (i - pieces) * piece_bytes);
    }
    return blocks;
}

bool dirty_memory_grow(ram_addr_t end, Error **errp)
{
    const uint64_t pages = pages_of(0, end).end;
    const uint64_t count = pages / DIRTY_MEMORY_BLOCK_SIZE + (pages % DIRTY_MEMORY_BLOCK_SIZE > 0);
    unsigned char *memory;
    uint64_t length;

    if (count <= pieces) {
        return true;
    }
    bitmap_barrier_init();
    length = (count - pieces) * piece_bytes;    /* of one client; at most 2^(64 - 10 - 3) */
    memory = map_zeroes(length * DIRTY_MEMORY_NUM);
    if (!memory) {
        error_setg_errno(errp, errno, "no memory for dirty bitmaps of 0x%" PRIx64 " bytes of RAM", end);
        return false;
    }
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        DirtyMemoryBlocks *old = ram_list.dirty_memory[client];

        qatomic_rcu_set(&ram_list.dirty_memory[client], longer_array(old, count, memory + client * length));
        if (old) {
            memcore_defer(&old->rcu, free_array);
        }
    }
    __atomic_store_n(&pieces, count, __ATOMIC_RELEASE);
    return true;
}

void dirty_memory_set(PageRange pages, uint8_t clients)
{
    DirtyPiece piece;

    memcore_verify(pages.end <= dirty_memory_pages());
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        if (clients >> client & 1) {
            DIRTY_FOREACH_PIECE(piece, client, pages) {
                bitmap_set(piece.words, piece.first, piece.count);
            }
        }
    }
}

bool dirty_memory_take(PageRange pages, unsigned client)
{
    bool taken = false;
    DirtyPiece piece;

    memcore_verify(pages.end <= dirty_memory_pages());
    DIRTY_FOREACH_PIECE(piece, client, pages) {
        taken |= bitmap_take(piece.words, piece.first, piece.count);
    }
    return taken;
}

void dirty_memory_clear(PageRange pages, unsigned client)
{
    DirtyPiece piece;

    memcore_verify(pages.end <= dirty_memory_pages());
    DIRTY_FOREACH_PIECE(piece, client, pages) {
        bitmap_clear(piece.words, piece.first, piece.count);
    }
}

bool dirty_memory_any(PageRange pages, unsigned client)
{
    DirtyPiece piece;

    DIRTY_FOREACH_PIECE(piece, client, pages) {
        if (bitmap_any(piece.words, piece.first, piece.count)) {
            return true;
        }
    }
    return false;
}

bool dirty_memory_all(PageRange pages, unsigned client)
{
    DirtyPiece piece;

    DIRTY_FOREACH_PIECE(piece, client, pages) {
        if (!bitmap_all(piece.words, piece.first, piece.count)) {
            return false;
        }
    }
    return true;
}
