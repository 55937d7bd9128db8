/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Birth, resize and death of RAM blocks. */
#include <glib.h>
#include <unistd.h>

#include "base/defer.h"
#include "base/state.h"
#include "exec/memory.h"
#include "ram/dirty_memory.h"
#include "ram/host_file.h"
#include "ram/host_memory.h"
#include "ram/ram_block.h"
#include "ram/ram_block_notifier.h"
#include "ram/ram_dirty.h"
#include "ram/ram_list.h"
#include "ram/ram_name.h"

/* R-RAM-1 and R-RAM-2: what the caller asked for, in whole host pages. */
static bool round_sizes(uint64_t size, uint64_t max_size, ram_addr_t *used_length, ram_addr_t *max_length,
                        Error **errp)
{
    if (max_size == 0) {
        error_setg(errp, "RAM of size 0 is not possible");
        return false;
    }
    if (!host_page_round_up(max_size, max_length)) {
        error_setg(errp, "RAM of 0x%" PRIx64 " bytes is more than the host can address", max_size);
        return false;
    }
    if (!host_page_round_up(size, used_length) || *used_length > *max_length) {
        error_setg(errp, "RAM of 0x%" PRIx64 " bytes is larger than its maximum of 0x%" PRIx64, size,
                   max_size);
        return false;
    }
    return true;
}

static RAMBlock *block_new(MemoryRegion *mr, ram_addr_t used_length, ram_addr_t max_length, uint32_t flags)
{
    RAMBlock *block = g_new0(RAMBlock, 1);

    block->mr = mr;
    block->used_length = used_length;
    block->max_length = max_length;
    block->flags = flags;
    block->fd = -1;
    block->page_size = host_page_size();
    CDS_INIT_LIST_HEAD(&block->ramblock_notifiers);
    return block;
}

HostMemoryRequest ram_block_request(const RAMBlock *block, ram_addr_t offset, ram_addr_t length)
{
    return (HostMemoryRequest) {
        .length = length,
        .alignment = block->page_size,
        .page_size = block->page_size,
        .fd = block->fd,
        .offset = block->fd < 0 ? 0 : block->fd_offset + offset,
        .shared = block->flags & RAM_SHARED,
        .no_reserve = block->flags & RAM_NORESERVE,
        .readonly = block->readonly,
        .persistent = block->flags & RAM_PMEM,
    };
}

/* Step 2 of R-RAM-8.  On failure nothing is left of the block. */
static bool map(RAMBlock *block, uint64_t length, size_t alignment, Error **errp)
{
    HostMemoryRequest request = ram_block_request(block, 0, length);
    HostMemory memory;

    request.alignment = alignment;
    if (!host_memory_new(&memory, &request, errp)) {
        g_free(block);
        return false;
    }
    block->host = memory.start;
    block->mapping = memory.mapping;
    block->mapping_length = memory.mapping_length;
    return true;
}

/* Steps 1, 3 to 7 and 9 of R-RAM-8.  Takes the block over: on failure nothing is left of it. */
static RAMBlock *publish(RAMBlock *block, Error **errp)
{
    bool possible;

    qemu_mutex_lock_ramlist();
    possible = ram_list_place(block->max_length, &block->offset);
    if (!possible) {
        error_setg(errp, "no room in ram_addr space for a block of 0x%" PRIx64 " bytes", block->max_length);
    } else {
        possible = dirty_memory_grow(block->offset + block->max_length, errp);
    }
    if (possible) {
        ram_list_add(block);
    }
    qemu_mutex_unlock_ramlist();

    if (!possible) {
        if (block->mapping) {
            host_memory_free(block->mapping, block->mapping_length);
        }
        g_free(block);
        return NULL;
    }
    memcore_count_up(&memcore_state.statistics.ram_blocks);
    ram_block_dirty_all(block);
    ram_block_tell_added(block);
    return block;
}

RAMBlock *ram_block_new_anonymous(uint64_t size, uint64_t max_size, uint32_t flags, RamBlockResized *resized,
                                  MemoryRegion *mr, Error **errp)
{
    const uint32_t known = RAM_SHARED | RAM_NORESERVE | RAM_RESIZEABLE;
    ram_addr_t used_length, max_length;
    RAMBlock *block;

    memcore_assert(memcore_big_lock_held);      /* region/ has told the caller (R-RAM-8) */
    memcore_assert((flags & ~known) == 0);      /* region/ has told the caller (R-RAM-3) */
    if (!round_sizes(size, max_size, &used_length, &max_length, errp)) {
        return NULL;
    }
    memcore_assert((flags & RAM_RESIZEABLE) || used_length == max_length);
    block = block_new(mr, used_length, max_length, flags);
    block->resized = resized;
    return map(block, max_length, RAM_BLOCK_ALIGNMENT, errp) ? publish(block, errp) : NULL;
}

RAMBlock *ram_block_new_from_fd(const RamFile *file, MemoryRegion *mr, Error **errp)
{
    const uint32_t known = RAM_SHARED | RAM_PMEM | RAM_NORESERVE | RAM_PROTECTED;
    HostFile host = {
        .fd = file->fd,
        .path = file->path,
        .offset = file->offset,
        .align = file->align,
        .readonly = file->readonly,
        .page_size = host_file_page_size(file->fd),
    };
    RAMBlock *block;

    memcore_assert(memcore_big_lock_held);      /* region/ has told the caller (R-RAM-8) */
    memcore_assert((file->flags & ~known) == 0);
    if (!host_page_round_up(file->size, &host.size)) {
        error_setg(errp, "RAM of 0x%" PRIx64 " bytes is more than the host can address", file->size);
        return NULL;
    }
    if (!host_file_prepare(&host, errp)) {
        return NULL;
    }

    block = block_new(mr, host.size, host.size, file->flags);
    block->fd = file->fd;
    block->fd_offset = file->offset;
    block->page_size = host.page_size;
    block->readonly = file->readonly;
    mr->align = file->align > host.page_size ? file->align : host.page_size;
    if (!map(block, (host.size + host.page_size - 1) & ~(host.page_size - 1), mr->align, errp) ||
        !publish(block, errp)) {
        host_file_restore(&host);
        return NULL;
    }
    return block;
}

RAMBlock *ram_block_new_from_path(const RamFile *file, const char *path, MemoryRegion *mr, Error **errp)
{
    RamFile opened = *file;
    RAMBlock *block;
    bool created = false;

    opened.path = path;
    opened.fd = host_file_open(path, mr->name, file->readonly, &created, errp);
    if (opened.fd < 0) {
        return NULL;
    }
    block = ram_block_new_from_fd(&opened, mr, errp);
    if (!block) {
        if (created) {
            unlink(path);
        }
        close(opened.fd);
    }
    return block;
}

RAMBlock *ram_block_new_from_pointer(uint64_t size, void *pointer, MemoryRegion *mr, Error **errp)
{
    ram_addr_t used_length, max_length;
    RAMBlock *block;

    memcore_assert(memcore_big_lock_held);      /* region/ has told the caller (R-RAM-8) */
    memcore_assert(pointer);
    if (!round_sizes(size, size, &used_length, &max_length, errp)) {
        return NULL;
    }
    if (max_length > UINTPTR_MAX - (uintptr_t)pointer) {
        error_setg(errp, "RAM of 0x%" PRIx64 " bytes at %p is more than the host can address", size, pointer);
        return NULL;
    }
    block = block_new(mr, used_length, max_length, RAM_PREALLOC);
    block->host = pointer;
    return publish(block, errp);
}

static void reclaim(struct rcu_head *head)
{
    RAMBlock *block = caa_container_of(head, RAMBlock, rcu);

    if (block->mapping) {
        host_memory_free(block->mapping, block->mapping_length);
    }
    if (block->fd >= 0) {
        close(block->fd);
    }
    g_free(block);
}

void ram_block_free(RAMBlock *block)
{
    if (!block) {
        return;
    }
    memcore_assert(qemu_mutex_iothread_locked());
    ram_block_tell_removed(block);
    ram_block_name_forget(block);
    qemu_mutex_lock_ramlist();
    ram_list_remove(block);
    qemu_mutex_unlock_ramlist();
    memcore_count_down(&memcore_state.statistics.ram_blocks);
    memcore_defer(&block->rcu, reclaim);
}

bool ram_block_resize(RAMBlock *block, uint64_t newsize, Error **errp)
{
    const char *name = ram_block_label(block);
    ram_addr_t length;

    memcore_assert(qemu_mutex_iothread_locked());
    if (!host_page_round_up(newsize, &length)) {
        error_setg(errp, "RAM block \"%s\" cannot have 0x%" PRIx64 " bytes", name, newsize);
        return false;
    }
    if (length == block->used_length) {
        return true;
    }
    if (!(block->flags & RAM_RESIZEABLE)) {
        error_setg(errp, "RAM block \"%s\" has a fixed size: 0x%" PRIx64 " bytes, asked for 0x%" PRIx64, name,
                   block->used_length, newsize);
        return false;
    }
    if (length > block->max_length) {
        error_setg(errp, "RAM block \"%s\" can have 0x%" PRIx64 " bytes at most, asked for 0x%" PRIx64, name,
                   block->max_length, newsize);
        return false;
    }
    ram_block_tell_resized(block, length);
    ram_block_clean_used(block);
    CMM_STORE_SHARED(block->used_length, length);
    ram_block_dirty_used(block);
    return true;
}
