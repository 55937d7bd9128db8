/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a probed file into the RAM blocks of this process (R-MLD-*). */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/misuse.h"
#include "base/state.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/mapped_ram.h"
#include "migration/zero_page.h"

enum { READ_MAX = 1 << 20 };            /* bytes a read, so that one failure names a small place */

/* R-RAM-7: behind the caller's own memory there are bytes which are not memcore's to write. */
static uint64_t writable_length(const RAMBlock *block)
{
    return block->flags & RAM_PREALLOC ? MIN(block->used_length, memory_region_size(block->mr)) : block->used_length;
}

static void clear_nonzero(RAMBlock *block, uint64_t start, uint64_t length)
{
    while (length > 0) {
        const uint64_t part = MIN(length, TARGET_PAGE_SIZE);

        if (!zero_page_test(block->host + start, part)) {
            memset(block->host + start, 0, part);
        }
        start += part;
        length -= part;
    }
}

/*
 * Whether whole pages may be given back to the host (R-MLD-5).  Not the caller's own memory, nor
 * a private mapping, behind which the file's bytes would come up or be destroyed; nor memory
 * that a device has pinned.
 */
static bool may_discard(const RAMBlock *block)
{
    return !(block->flags & RAM_PREALLOC) && (block->fd < 0 || (block->flags & RAM_SHARED)) && !block->readonly &&
           !ram_block_discard_is_disabled();
}

/*
 * Makes bytes read as zero, and lets no memory come into being: in shared memory even a look
 * at a page that is not there would make it.
 */
static void clear_range(RAMBlock *block, uint64_t start, uint64_t length)
{
    const uint64_t mask = block->page_size - 1, first = (start + mask) & ~mask, end = (start + length) & ~mask;

    if (first < end && may_discard(block) && ram_block_discard_range(block, first, end - first) == 0) {
        clear_nonzero(block, start, first - start);
        clear_nonzero(block, end, start + length - end);
    } else {
        clear_nonzero(block, start, length);
    }
}

/* --- blocks of which parts are not there (R-MLD-7) --- */

typedef struct {
    const MappedRamBlock *from;
    uint64_t present;           /* first present page in a discarded part */
    bool found;
} DiscardedPresent;

static void look_for_present(MemoryRegionSection *section, void *opaque)
{
    DiscardedPresent *search = opaque;
    const uint64_t start = section->offset_within_region / search->from->page_size;
    const uint64_t end = (section->offset_within_region + int128_get64(section->size) + search->from->page_size - 1) /
                         search->from->page_size;
    uint64_t run;

    for (uint64_t page = start; page < MIN(end, search->from->pages) && !search->found; page += run) {
        run = mapped_ram_run(search->from, page);
        if (mapped_ram_page_present(search->from, page)) {
            search->found = true;
            search->present = page;
        }
    }
}

static MemoryRegionSection section_of(MemoryRegion *mr, uint64_t start, uint64_t length)
{
    return (MemoryRegionSection){ .mr = mr, .offset_within_region = start, .size = int128_make64(length) };
}

static bool check_discarded(const MappedRamBlock *from, RAMBlock *block, Error **errp)
{
    RamDiscardManager *manager = memory_region_get_ram_discard_manager(block->mr);
    MemoryRegionSection all = section_of(block->mr, 0, memory_region_size(block->mr));
    DiscardedPresent search = { .from = from };

    if (manager) {
        ram_discard_manager_replay_discarded(manager, &all, look_for_present, &search);
    }
    if (search.found) {
        error_setg(errp, "page %" PRIu64 " is present, but discarded here", search.present);
    }
    return !search.found;
}

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
    } else if (block->readonly && (from->present || !zero_page_test(block->host, block->used_length))) {
        error_setg(errp, "the block of this name here is mapped read-only");
    } else {
        return check_discarded(from, block, errp);
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

static int clear_populated(MemoryRegionSection *section, void *opaque)
{
    clear_range(opaque, section->offset_within_region, int128_get64(section->size));
    return 0;
}

/* An absent run: what is discarded stays so. */
static void load_absent(RAMBlock *block, uint64_t start, uint64_t length)
{
    RamDiscardManager *manager = memory_region_get_ram_discard_manager(block->mr);
    MemoryRegionSection section = section_of(block->mr, start, length);

    if (manager) {
        ram_discard_manager_replay_populated(manager, &section, clear_populated, block);
    } else {
        clear_range(block, start, length);
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
            load_absent(block, start, length);
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
    if (block->flags & RAM_PMEM) {
        qemu_ram_block_writeback(block);
    }
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
