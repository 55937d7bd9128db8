/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a probed file into the RAM blocks of this process (R-MLD-*). */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/misuse.h"
#include "base/state.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/mapped_ram.h"
#include "migration/zero_page.h"

enum { READ_MAX = 1 << 20 };            /* bytes a read, so that one failure names a small place */

static bool check_block(const MappedRamBlock *from, RAMBlock *block, Error **errp)
{
    if (!block) {
        error_setg(errp, "there is no block of this name here");
    } else if (!qemu_ram_is_migratable(block)) {
        error_setg(errp, "the block of this name here is not migratable");
    } else if (from->page_size != TARGET_PAGE_SIZE) {
        error_setg(errp, "its page size is 0x%" PRIx64 ", the target's 0x%llx", from->page_size, TARGET_PAGE_SIZE);
    } else if (from->used_length % (uint64_t)sysconf(_SC_PAGESIZE)) {
        error_setg(errp, "its length 0x%" PRIx64 " is not a multiple of the host page", from->used_length);
    } else if (from->used_length != block->used_length && !(block->flags & RAM_RESIZEABLE)) {
        error_setg(errp, "its length is 0x%" PRIx64 ", here it is 0x%" PRIx64 " and fixed", from->used_length,
                   block->used_length);
    } else if (from->used_length > block->max_length) {
        error_setg(errp, "its length is 0x%" PRIx64 ", here it is at most 0x%" PRIx64, from->used_length,
                   block->max_length);
    } else if (block->readonly && from->present) {
        error_setg(errp, "the block of this name here is mapped read-only");
    } else {
        return true;
    }
    return false;
}

/* Whether the file fits this process.  Changes nothing. */
static bool check_fit(const MappedRamFile *file, unsigned flags, Error **errp)
{
    RAMBlock *block;

    if (!file->complete) {
        error_setg(errp, "the file is incomplete: %s", file->incomplete);
        return false;
    }
    for (size_t i = 0; i < file->block_count; i++) {
        if (!check_block(&file->blocks[i], qemu_ram_block_by_name(file->blocks[i].idstr), errp)) {
            char *name = printable(file->blocks[i].idstr);

            error_prepend(errp, "block \"%s\": ", name);
            g_free(name);
            return false;
        }
    }
    if (flags & MAPPED_RAM_PARTIAL) {
        return true;
    }
    RAMBLOCK_FOREACH(block) {
        if (qemu_ram_is_migratable(block) && !mapped_ram_find_block(file, block->idstr)) {
            char *name = printable(block->idstr);

            error_setg(errp, "block \"%s\" is here, but not in the file", name);
            g_free(name);
            return false;
        }
    }
    return true;
}

/* R-RAM-7: behind the caller's own memory there are bytes which are not memcore's to write. */
static uint64_t writable_length(const RAMBlock *block)
{
    return block->flags & RAM_PREALLOC ? MIN(block->used_length, memory_region_size(block->mr)) : block->used_length;
}

/*
 * Makes bytes read as zero without touching those that do.  Looking at a page of shared memory
 * that is not there would allocate it, so there the host is told to drop the range, which
 * fails for memory it cannot drop: then looking is all that is left.
 */
static void clear_range(RAMBlock *block, uint64_t start, uint64_t length)
{
    const uint64_t mask = block->page_size - 1, first = (start + mask) & ~mask, end = (start + length) & ~mask;

    if ((block->flags & RAM_SHARED) && !(block->flags & RAM_PREALLOC) && block->fd < 0 && first < end &&
        madvise(block->host + first, end - first, MADV_REMOVE) == 0) {
        clear_range(block, start, first - start);
        clear_range(block, end, start + length - end);
        return;
    }
    while (length > 0) {
        const uint64_t part = MIN(length, TARGET_PAGE_SIZE);

        if (!zero_page_test(block->host + start, part)) {
            memset(block->host + start, 0, part);
        }
        start += part;
        length -= part;
    }
}

static bool load_run(const MappedRamFile *file, const MappedRamBlock *from, RAMBlock *block, uint64_t start,
                     uint64_t length, Error **errp)
{
    while (length > 0) {
        const uint64_t part = MIN(length, READ_MAX);
        const int result = file_read_at(file->fd, block->host + start, part, from->pages_offset + start);

        if (result < 0) {
            char *name = printable(from->idstr);

            error_setg_errno(errp, result == -ENODATA ? 0 : -result,
                             "block \"%s\": RAM is damaged: cannot read 0x%" PRIx64 " bytes at 0x%" PRIx64 "%s", name,
                             part, from->pages_offset + start,
                             result == -ENODATA ? ": the file has shrunk since it was probed" : "");
            g_free(name);
            return false;
        }
        start += part;
        length -= part;
    }
    return true;
}

static bool load_pages(const MappedRamFile *file, const MappedRamBlock *from, RAMBlock *block, Error **errp)
{
    const uint64_t writable = writable_length(block);
    uint64_t run;

    for (uint64_t page = 0; page < from->pages; page += run) {
        const uint64_t start = page * from->page_size;
        uint64_t length;

        run = mapped_ram_run(from, page);
        if (start >= writable) {
            break;
        }
        length = MIN(run * from->page_size, writable - start);
        if (!mapped_ram_page_present(from, page)) {
            clear_range(block, start, length);
        } else if (!load_run(file, from, block, start, length, errp)) {
            return false;
        }
    }
    return true;
}

static bool load_block(const MappedRamFile *file, const MappedRamBlock *from, RAMBlock *block, Error **errp)
{
    bool loaded;

    block->file_bmap = from->bitmap;
    block->bitmap_offset = (off_t)from->bitmap_offset;
    block->pages_offset = from->pages_offset;
    loaded = load_pages(file, from, block, errp);
    block->file_bmap = NULL;
    block->bitmap_offset = 0;
    block->pages_offset = 0;

    /* Also after a failure: what was written is no longer what anybody saw last. */
    cpu_physical_memory_set_dirty_range(block->offset, block->used_length, (1 << DIRTY_MEMORY_NUM) - 1);
    if (loaded && block->receivedmap) {
        ramblock_recv_bitmap_set_range(block, block->host, from->pages);
    }
    return loaded;
}

int mapped_ram_load(const MappedRamFile *file, unsigned flags, Error **errp)
{
    memcore_require_big_lock("R-MLD-6");
    memcore_require(!memcore_vm_running(), "R-MLD-6", "the machine runs; pause it with memcore_set_vm_running()");
    if (!check_fit(file, flags, errp)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < file->block_count; i++) {
        RAMBlock *block = qemu_ram_block_by_name(file->blocks[i].idstr);

        if (file->blocks[i].used_length != block->used_length &&
            qemu_ram_resize(block, file->blocks[i].used_length, errp) < 0) {
            return -EIO;
        }
    }
    for (size_t i = 0; i < file->block_count; i++) {
        const MappedRamBlock *from = &file->blocks[i];

        if (from->pages > 0 && !load_block(file, from, qemu_ram_block_by_name(from->idstr), errp)) {
            return -EIO;
        }
    }
    return 0;
}
