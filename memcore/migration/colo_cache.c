/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache of RAM (R-COLO-*).  block->bmap has the pages that the guest wrote to, as dirty logging
 * reports them, since cache and RAM were the same; `put` has those that came into the cache.
 */
#include "migration/colo-cache.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/misuse.h"
#include "base/state.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/zero_page.h"

#define WORD_BITS (8 * sizeof(unsigned long))

/* As they were at init, so that they can be given back when the block has gone. */
typedef struct {
    RAMBlock *block;
    uint8_t *cache;
    uint64_t max_length, pages;
    uint64_t length;            /* bytes that are memcore's (R-RAM-7) */
    unsigned long *written, *put;
} CachedBlock;

static struct {
    bool on;
    bool resized;
    uint32_t version;           /* of ram_list at init */
    RAMBlockNotifierExtended notifier;
    GArray *blocks;             /* of CachedBlock */
} caches;                       /* under the big lock */

static CachedBlock *cached(guint index)
{
    return &g_array_index(caches.blocks, CachedBlock, index);
}

static void on_resize(RAMBlockNotifierExtended *notifier, void *host, size_t old_length, size_t new_length)
{
    (void)notifier;
    (void)host;
    (void)old_length;
    (void)new_length;
    caches.resized = true;
}

/* Of the page, bytes that are memcore's. */
static uint64_t bytes_of(const CachedBlock *c, uint64_t page)
{
    const uint64_t start = page * TARGET_PAGE_SIZE;

    return start < c->length ? MIN(c->length - start, TARGET_PAGE_SIZE) : 0;
}

static void look_for_dirty(void)
{
    memory_global_dirty_log_sync();
    for (guint i = 0; i < caches.blocks->len; i++) {
        CachedBlock *c = cached(i);

        cpu_physical_memory_sync_dirty_bitmap(c->block, 0, c->pages * TARGET_PAGE_SIZE);
    }
    memory_global_after_dirty_log_sync();
}

/* --- beginning and end --- */

static int check_block(const RAMBlock *block, Error **errp)
{
    if (block->bmap || block->colo_cache) {
        error_setg(errp, "block \"%s\" is being migrated, or has a cache already", block->idstr);
        return -EBUSY;
    }
    if (block->used_length % TARGET_PAGE_SIZE || memory_region_get_ram_discard_manager(block->mr)) {
        error_setg(errp, "block \"%s\" of 0x%" PRIx64 " bytes cannot have a cache: %s", block->idstr,
                   block->used_length,
                   block->used_length % TARGET_PAGE_SIZE ? "no whole pages" : "parts of it come and go");
        return -EINVAL;
    }
    return 0;
}

static int add_block(RAMBlock *block, Error **errp)
{
    const size_t words = (size_t)(block->max_length / TARGET_PAGE_SIZE / WORD_BITS + 1);
    CachedBlock c = {
        .block = block,
        .max_length = block->max_length,
        .pages = block->used_length / TARGET_PAGE_SIZE,
        .length = block->flags & RAM_PREALLOC ? MIN(block->used_length, memory_region_size(block->mr))
                                              : block->used_length,
    };

    c.cache = memcore_fault(MEMCORE_FAULT_MMAP)
                  ? MAP_FAILED
                  : mmap(NULL, c.max_length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c.cache == MAP_FAILED) {
        const int error = errno;

        error_setg_errno(errp, error, "no memory for the cache of block \"%s\"", block->idstr);
        return -error;
    }
    c.written = g_new0(unsigned long, words);
    c.put = g_new0(unsigned long, words);
    block->colo_cache = c.cache;
    block->bmap = c.written;
    g_array_append_val(caches.blocks, c);
    return 0;
}

static void fill(CachedBlock *c)
{
    for (uint64_t page = 0; page < c->pages; page++) {
        const uint64_t start = page * TARGET_PAGE_SIZE, length = bytes_of(c, page);

        /* The cache is zero, and takes no memory where it is not written to. */
        if (!zero_page_test(c->block->host + start, length)) {
            memcpy(c->cache + start, c->block->host + start, length);
        }
    }
    memset(c->written, 0, (size_t)(c->max_length / TARGET_PAGE_SIZE / WORD_BITS + 1) * sizeof(unsigned long));
}

static void require(const char *function)
{
    memcore_require_big_lock_of(function, "R-COLO-1");
    if (memcore_vm_running()) {
        memcore_misuse_at(function, "R-COLO-1", "the machine runs; pause it with memcore_set_vm_running()");
    }
}

int colo_cache_init(Error **errp)
{
    RAMBlock *block;
    int result = 0;

    require(__func__);
    if (caches.on) {
        error_setg(errp, "there are caches already");
        return -EBUSY;
    }
    RAMBLOCK_FOREACH(block) {
        result = result == 0 && qemu_ram_is_migratable(block) ? check_block(block, errp) : result;
    }
    if (result < 0) {
        return result;
    }
    caches.on = true;
    caches.resized = false;
    caches.version = ram_list.version;
    caches.blocks = g_array_new(FALSE, FALSE, sizeof(CachedBlock));
    caches.notifier = (RAMBlockNotifierExtended){ .ram_block_resized = on_resize };
    ram_block_notifier_add_extended(&caches.notifier);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    RAMBLOCK_FOREACH(block) {
        result = result == 0 && qemu_ram_is_migratable(block) ? add_block(block, errp) : result;
    }
    if (result < 0) {
        colo_cache_release();
        return result;
    }
    /* What was dirty before is in the copy. */
    look_for_dirty();
    for (guint i = 0; i < caches.blocks->len; i++) {
        fill(cached(i));
    }
    return 0;
}

void colo_cache_release(void)
{
    RAMBlock *block;

    if (!caches.on) {
        return;
    }
    memcore_require_big_lock("R-COLO-5");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    ram_block_notifier_remove_extended(&caches.notifier);
    for (guint i = 0; i < caches.blocks->len; i++) {
        CachedBlock *c = cached(i);

        RAMBLOCK_FOREACH(block) {
            if (block == c->block && block->colo_cache == c->cache) {
                block->colo_cache = NULL;
                block->bmap = NULL;
            }
        }
        munmap(c->cache, c->max_length);
        g_free(c->written);
        g_free(c->put);
    }
    g_array_unref(caches.blocks);
    caches.blocks = NULL;
    caches.on = false;
}

/* --- between checkpoints --- */

static int check(const char *function, Error **errp)
{
    if (!caches.on) {
        memcore_misuse_at(function, "R-COLO-1", "there are no caches: colo_cache_init was not called, or "
                          "colo_cache_release was");
    }
    if (caches.resized || caches.version != ram_list.version) {
        error_setg(errp, "RAM blocks came, went or were resized: the caches are worth nothing any more");
        return -EBUSY;
    }
    return 0;
}

int colo_cache_put(RAMBlock *block, uint64_t offset, const void *from, size_t length, Error **errp)
{
    CachedBlock *c = NULL;
    int result;

    memcore_require_big_lock("R-COLO-2");
    result = check(__func__, errp);
    if (result < 0) {
        return result;
    }
    for (guint i = 0; i < caches.blocks->len; i++) {
        c = cached(i)->block == block ? cached(i) : c;
    }
    if (!c || offset % TARGET_PAGE_SIZE || length % TARGET_PAGE_SIZE || offset > block->used_length ||
        length > block->used_length - offset || block->readonly) {
        error_setg(errp, "0x%zx bytes at 0x%" PRIx64 " are not whole pages of block \"%s\" and its cache", length,
                   offset, block->idstr);
        return -EINVAL;
    }
    memcpy(c->cache + offset, from, length);
    for (uint64_t page = offset / TARGET_PAGE_SIZE; page < (offset + length) / TARGET_PAGE_SIZE; page++) {
        c->put[page / WORD_BITS] |= 1ul << page % WORD_BITS;
    }
    return 0;
}

/* --- checkpoints --- */

static int64_t write_block_through(CachedBlock *c)
{
    int64_t copied = 0;

    for (uint64_t page = 0; page < c->pages; page++) {
        const unsigned long bit = 1ul << page % WORD_BITS;

        if ((c->written[page / WORD_BITS] & ~c->put[page / WORD_BITS]) & bit) {
            memcpy(c->cache + page * TARGET_PAGE_SIZE, c->block->host + page * TARGET_PAGE_SIZE, bytes_of(c, page));
            c->written[page / WORD_BITS] &= ~bit;
            copied++;
        }
    }
    return copied;
}

static int64_t flush_block(CachedBlock *c)
{
    int64_t copied = 0;

    for (uint64_t page = 0; page < c->pages; page++) {
        const unsigned long bit = 1ul << page % WORD_BITS;
        const uint64_t start = page * TARGET_PAGE_SIZE;

        if ((c->written[page / WORD_BITS] | c->put[page / WORD_BITS]) & bit) {
            memcpy(c->block->host + start, c->cache + start, bytes_of(c, page));
            /* Screens and translated code; not the log that the cache itself lives on. */
            cpu_physical_memory_set_dirty_range(c->block->offset + start, TARGET_PAGE_SIZE,
                                                1 << DIRTY_MEMORY_VGA | 1 << DIRTY_MEMORY_CODE);
            c->written[page / WORD_BITS] &= ~bit;
            c->put[page / WORD_BITS] &= ~bit;
            copied++;
        }
    }
    return copied;
}

static int64_t checkpoint(const char *function, int64_t (*each)(CachedBlock *c), Error **errp)
{
    int64_t copied = check(function, errp);

    if (copied < 0) {
        return copied;
    }
    look_for_dirty();
    for (guint i = 0; i < caches.blocks->len; i++) {
        copied += each(cached(i));
    }
    return copied;
}

int64_t colo_cache_write_through(Error **errp)
{
    require(__func__);
    return checkpoint(__func__, write_block_through, errp);
}

int64_t colo_cache_flush(Error **errp)
{
    require(__func__);
    return checkpoint(__func__, flush_block, errp);
}
