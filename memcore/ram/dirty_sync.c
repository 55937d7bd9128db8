/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty bits that leave their bitmap for good: into a snapshot, or into what migration still has to send. */
#include <glib.h>

#include "exec/ram_addr.h"
#include "ram/dirty_memory.h"
#include "ram/ram_block.h"
#include "ram/ram_dirty.h"

/* What one word stands for: a block begins with one, so none holds bits of two blocks (R-RAM-17). */
static const ram_addr_t word_bytes = TARGET_PAGE_SIZE * WORD_BITS;

static void require_client(const char *function, unsigned client)
{
    if (client >= DIRTY_MEMORY_NUM) {
        memcore_misuse_at(function, "R-DIRTY-2", "there is no client %u, only 0 to %u", client,
                          DIRTY_MEMORY_NUM - 1);
    }
}

/* --- snapshots (R-SNAP) ------------------------------------------------------------ */

DirtyBitmapSnapshot *cpu_physical_memory_snapshot_and_clear_dirty(MemoryRegion *mr, hwaddr offset,
                                                                  hwaddr length, unsigned client)
{
    RAMBlock *block = mr->ram_block;
    DirtyBitmapSnapshot *snapshot;
    unsigned long *to;
    DirtyPiece piece;
    PageRange pages;

    require_client(__func__, client);
    memcore_require(block, "R-SNAP-1", "region '%s' has no RAM of its own", mr->name ? mr->name : "(unnamed)");
    memcore_require(ram_block_range_used(block, offset, length), "R-SNAP-7", "0x%" PRIx64 " bytes at 0x%" PRIx64
                    " of block \"%s\", of which 0x%" PRIx64 " bytes are used", length, offset,
                    ram_block_label(block), block->used_length);

    const ram_addr_t start = (block->offset + offset) & ~(word_bytes - 1);
    const ram_addr_t end = (block->offset + offset + length + word_bytes - 1) & ~(word_bytes - 1);

    snapshot = g_malloc(sizeof(*snapshot) + (end - start) / word_bytes * sizeof(unsigned long));
    snapshot->start = start;
    snapshot->end = end;
    to = snapshot->dirty;
    pages = (PageRange) { start >> TARGET_PAGE_BITS, end >> TARGET_PAGE_BITS };
    WITH_RCU_READ_LOCK_GUARD() {
        DIRTY_FOREACH_PIECE(piece, client, pages) {
            bitmap_move_words(to, piece.words + piece.first / WORD_BITS, piece.count / WORD_BITS);
            to += piece.count / WORD_BITS;
        }
        bitmap_barrier();
    }
    ram_block_log_clear_bytes(block, offset, length);
    return snapshot;
}

bool cpu_physical_memory_snapshot_get_dirty(DirtyBitmapSnapshot *snap, ram_addr_t start, ram_addr_t length)
{
    const PageRange pages = pages_of(start, length);

    memcore_require(start >= snap->start && start <= snap->end && length <= snap->end - start, "R-SNAP-6",
                    "0x%" PRIx64 " bytes at ram_addr 0x%" PRIx64 " are not in the snapshot of 0x%" PRIx64
                    " to 0x%" PRIx64, length, start, snap->start, snap->end);
    return length > 0 &&
           bitmap_any(snap->dirty, pages.first - (snap->start >> TARGET_PAGE_BITS), pages.end - pages.first);
}

/* --- into bmap (R-SYNC) ------------------------------------------------------------- */

static void require_syncable(const char *function, const RAMBlock *block, ram_addr_t start, ram_addr_t length)
{
    const ram_addr_t page_bits = TARGET_PAGE_SIZE - 1;

    if (!block->bmap) {
        memcore_misuse_at(function, "R-SYNC-1", "block \"%s\" has no bmap", ram_block_label(block));
    }
    /* the last page of a block may be a part of one, where target pages are larger than the host's */
    if (!ram_block_range_used(block, start, length) || start & page_bits ||
        (length & page_bits && start + length != block->used_length)) {
        memcore_misuse_at(function, "R-SYNC-4", "0x%" PRIx64 " bytes at 0x%" PRIx64 " of block \"%s\" are not whole "
                          "pages among the 0x%" PRIx64 " bytes used", length, start, ram_block_label(block),
                          block->used_length);
    }
}

uint64_t cpu_physical_memory_sync_dirty_bitmap(RAMBlock *block, ram_addr_t start, ram_addr_t length)
{
    const PageRange pages = pages_of(block->offset + start, length);
    const bool whole_words = (block->offset + start) % word_bytes == 0 && length % word_bytes == 0;
    uint64_t page = start >> TARGET_PAGE_BITS, found = 0;
    bool taken = false;
    DirtyPiece piece;

    require_syncable(__func__, block, start, length);
    if (length == 0) {
        return 0;
    }
    RCU_READ_LOCK_GUARD();
    DIRTY_FOREACH_PIECE(piece, DIRTY_MEMORY_MIGRATION, pages) {
        found += bitmap_merge(block->bmap + page / WORD_BITS, piece.words, piece.first, piece.count, &taken);
        page += piece.count;
    }
    if (taken) {
        bitmap_barrier();
    }
    if (whole_words && block->clear_bmap) {
        clear_bmap_set(block, start >> TARGET_PAGE_BITS, length >> TARGET_PAGE_BITS);
    } else {
        ram_block_log_clear(block, start, length);      /* once for all pages (R-SYNC-3) */
    }
    return found;
}

/* --- clear_bmap (R-CLR) ------------------------------------------------------------- */

uint64_t clear_bmap_size(uint64_t pages, uint8_t shift)
{
    return (pages >> shift) + ((pages & (((uint64_t)1 << shift) - 1)) != 0);
}

static void require_clear_bmap(const char *function, const char *rule, const RAMBlock *block, uint64_t start,
                               uint64_t npages)
{
    const uint64_t pages = pages_of(0, block->max_length).end;

    if (!block->clear_bmap) {
        memcore_misuse_at(function, rule, "block \"%s\" has no clear_bmap", ram_block_label(block));
    }
    if (start > pages || npages > pages - start) {
        memcore_misuse_at(function, rule, "0x%" PRIx64 " pages from page 0x%" PRIx64 " of block \"%s\", which has 0x%"
                          PRIx64 " pages", npages, start, ram_block_label(block), pages);
    }
}

void clear_bmap_set(RAMBlock *block, uint64_t start, uint64_t npages)
{
    const uint8_t shift = block->clear_bmap_shift;

    require_clear_bmap(__func__, "R-CLR-2", block, start, npages);
    if (npages > 0) {
        const uint64_t first = start >> shift, last = (start + npages - 1) >> shift;

        bitmap_set(block->clear_bmap, first, last - first + 1);
    }
}

bool clear_bmap_test_and_clear(RAMBlock *block, uint64_t page)
{
    require_clear_bmap(__func__, "R-CLR-3", block, page, 1);
    return bitmap_take(block->clear_bmap, page >> block->clear_bmap_shift, 1);
}
