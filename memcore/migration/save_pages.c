/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty pages: taken, looked at, written (R-ITER-4, R-ITER-6, R-SAVE-4).
 *
 * Whoever takes a page tells listeners to clear their logs around it first, then clears its
 * bit, and only then is its memory read: a store that comes meanwhile is found by the next
 * look.  A page's bit in file_bmap is set after its bytes are in the file, and only the last
 * bitmaps are ever written.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "base/misuse.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/ram_save.h"
#include "migration/zero_page.h"

#define WORD_BITS (8 * sizeof(unsigned long))

enum {
    BATCH = 256,                        /* pages a job, and a write, at most */
    BATCHES_PER_PROGRESS = 64,
};

static unsigned long bit_of(uint64_t page)
{
    return 1ul << page % WORD_BITS;
}

/* --- writing: on any thread --------------------------------------------------------------- */

static void mark(unsigned long *bitmap, uint64_t page, bool set)
{
    if (set) {
        __atomic_fetch_or(&bitmap[page / WORD_BITS], bit_of(page), __ATOMIC_RELAXED);
    } else {
        __atomic_fetch_and(&bitmap[page / WORD_BITS], ~bit_of(page), __ATOMIC_RELAXED);
    }
}

/* Bytes of pages from `page` on that may be looked at (R-RAM-7). */
static uint64_t readable(const SavedBlock *saved, uint64_t page, uint64_t count)
{
    const uint64_t start = page * TARGET_PAGE_SIZE;

    return start < saved->readable ? MIN(saved->readable - start, count * TARGET_PAGE_SIZE) : 0;
}

static int write_run(RamSave *save, const SavedBlock *saved, uint64_t page, uint64_t count)
{
    const uint64_t start = page * TARGET_PAGE_SIZE, length = count * TARGET_PAGE_SIZE;
    const uint64_t there = readable(saved, page, count);
    int result;

    for (uint64_t i = 0; saved->written && i < count; i++) {
        mark(saved->written, page + i, true);
    }
    if (there == length) {
        result = save_file_write_pages(&save->file, saved->host + start, length, saved->pages_offset + start);
    } else {
        /* What is behind the caller's memory reads as zero. */
        uint8_t *whole = g_malloc0(length);

        memcpy(whole, saved->host + start, there);
        result = save_file_write(&save->file, whole, length, saved->pages_offset + start);
        g_free(whole);
    }
    for (uint64_t i = 0; result == 0 && i < count; i++) {
        mark(saved->file_bmap, page + i, true);
    }
    if (result == 0) {
        __atomic_fetch_add(&save->normal, count, __ATOMIC_RELAXED);
    }
    return result;
}

int save_pages_write(void *opaque, const SaveJob *job)
{
    RamSave *save = opaque;
    const SavedBlock *saved = &save->blocks[job->block];
    const uint64_t end = job->page + job->count;
    uint64_t run = 0, zero = 0;
    int result = __atomic_load_n(&save->cancelled, __ATOMIC_RELAXED) ? -ECANCELED : 0;

    for (uint64_t page = job->page; page < end && result == 0; page++) {
        if (!save->parameters.keep_zero_pages &&
            zero_page_test(saved->host + page * TARGET_PAGE_SIZE, readable(saved, page, 1))) {
            mark(saved->file_bmap, page, false);
            zero++;
            result = run ? write_run(save, saved, page - run, run) : 0;
            run = 0;
        } else {
            run++;
        }
    }
    if (result == 0 && run) {
        result = write_run(save, saved, end - run, run);
    }
    __atomic_fetch_add(&save->zero, zero, __ATOMIC_RELAXED);
    return result;
}

/* --- taking: under the big lock ----------------------------------------------------------- */

/* Late is data loss, early is harmless (R-CLR-3). */
static void clear_remote_log(const SavedBlock *saved, uint64_t page)
{
    if (clear_bmap_test_and_clear(saved->block, page)) {
        const uint64_t chunk = (uint64_t)TARGET_PAGE_SIZE << saved->block->clear_bmap_shift;

        memory_region_clear_dirty_bitmap(saved->block->mr, page * TARGET_PAGE_SIZE & -chunk, chunk);
    }
}

static void drop_range(MemoryRegionSection *section, void *opaque)
{
    RamSave *save = opaque;
    const SavedBlock *saved = &save->blocks[save->next_block];
    const uint64_t start = section->offset_within_region / TARGET_PAGE_SIZE;
    const uint64_t end = (section->offset_within_region + int128_get64(section->size)) / TARGET_PAGE_SIZE;

    for (uint64_t page = start; page < MIN(end, saved->pages); page++) {
        unsigned long *word = &saved->bmap[page / WORD_BITS];

        clear_remote_log(saved, page);
        save->remaining -= (*word & bit_of(page)) != 0;
        *word &= ~bit_of(page);
    }
}

void save_pages_drop_discarded(RamSave *save)
{
    for (save->next_block = 0; save->next_block < save->block_count; save->next_block++) {
        MemoryRegion *mr = save->blocks[save->next_block].block->mr;
        RamDiscardManager *manager = memory_region_get_ram_discard_manager(mr);
        MemoryRegionSection all = { .mr = mr, .size = int128_make64(memory_region_size(mr)) };

        if (manager) {
            ram_discard_manager_replay_discarded(manager, &all, drop_range, save);
        }
    }
    save->next_block = 0;
}

static uint64_t next_dirty(const SavedBlock *saved, uint64_t page)
{
    while (page < saved->pages) {
        const unsigned long word = saved->bmap[page / WORD_BITS] >> page % WORD_BITS;

        if (word) {
            return MIN(page + (uint64_t)__builtin_ctzl(word), saved->pages);
        }
        page = (page / WORD_BITS + 1) * WORD_BITS;
    }
    return saved->pages;
}

/* The dirty pages that follow each other from `page` on, at most `limit`; returns how many. */
static uint32_t take_run(RamSave *save, const SavedBlock *saved, uint64_t page, uint64_t limit)
{
    const uint64_t chunk = (uint64_t)1 << saved->block->clear_bmap_shift;
    uint32_t taken = 0;

    for (; taken < limit && page < saved->pages; page++, taken++) {
        unsigned long *word = &saved->bmap[page / WORD_BITS];

        if (!(*word & bit_of(page))) {
            break;
        }
        if (taken == 0 || page % chunk == 0) {
            clear_remote_log(saved, page);
        }
        *word &= ~bit_of(page);
    }
    save->remaining -= taken;
    return taken;
}

int save_pages(RamSave *save, uint64_t pages)
{
    size_t without_hit = 0;
    unsigned batches = 0;
    int result = 0, drained;

    while (result == 0 && pages > 0 && save->remaining > 0 && without_hit <= save->block_count) {
        const SavedBlock *saved = &save->blocks[save->next_block];

        save->next_page = next_dirty(saved, save->next_page);
        if (save->next_page == saved->pages) {
            save->next_block = (save->next_block + 1) % save->block_count;
            save->next_page = 0;
            without_hit++;
        } else {
            const uint32_t taken = take_run(save, saved, save->next_page, MIN(pages, BATCH));
            const SaveJob job = { .block = (uint32_t)save->next_block, .page = save->next_page, .count = taken };

            save->next_page += taken;
            pages -= taken;
            without_hit = 0;
            result = save_workers_submit(save->workers, &job);
            if (result == 0 && ++batches % BATCHES_PER_PROGRESS == 0 && !save_progress(save)) {
                result = -ECANCELED;
            }
        }
    }
    /* Before a page can be taken a second time, or a block go (R-SAVE-6). */
    drained = save_workers_drain(save->workers);
    return result < 0 ? result : drained;
}

void save_pages_punch_holes(RamSave *save)
{
    for (size_t i = 0; i < save->block_count; i++) {
        const SavedBlock *saved = &save->blocks[i];

        for (uint64_t word = 0; word * WORD_BITS < saved->pages; word++) {
            unsigned long stale = saved->written[word] & ~saved->file_bmap[word];

            for (; stale; stale &= stale - 1) {
                const uint64_t page = word * WORD_BITS + (uint64_t)__builtin_ctzl(stale);

                save_file_punch(&save->file, saved->pages_offset + page * TARGET_PAGE_SIZE, TARGET_PAGE_SIZE);
            }
        }
    }
}
