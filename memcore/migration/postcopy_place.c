/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that arrive while the guest runs: each is placed once, whoever brings it (R-PC-30..32). */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/misuse.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/postcopy_incoming.h"
#include "ram/ram_block.h"

PostcopyBlock *postcopy_find(PostcopyIncoming *postcopy, const void *address)
{
    for (size_t i = 0; i < postcopy->block_count; i++) {
        const RAMBlock *block = postcopy->blocks[i].block;

        if ((uintptr_t)address - (uintptr_t)block->host < block->max_length) {
            return &postcopy->blocks[i];
        }
    }
    return NULL;
}

bool postcopy_is_discarded(const RAMBlock *block, uint64_t offset)
{
    RamDiscardManager *manager = memory_region_get_ram_discard_manager(block->mr);
    const uint64_t start = offset / block->page_size * block->page_size, size = memory_region_size(block->mr);
    const MemoryRegionSection page = {
        .mr = block->mr,
        .offset_within_region = start,
        .size = int128_make64(MIN(block->page_size, size > start ? size - start : 0)),
    };

    return manager && start < size && !ram_discard_manager_is_populated(manager, &page);
}

void *postcopy_map(size_t length)
{
    void *page;

    if (memcore_fault(MEMCORE_FAULT_MMAP)) {
        return NULL;
    }
    page = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

void *postcopy_get_tmp_page(MigrationIncomingState *mis)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    void *page;

    if (!postcopy) {
        return NULL;
    }
    qemu_mutex_lock(&postcopy->page_request_mutex);
    if (!postcopy->tmp_page) {
        postcopy->tmp_page = postcopy_map(postcopy->largest_page);
    }
    page = postcopy->tmp_page;
    qemu_mutex_unlock(&postcopy->page_request_mutex);
    return page;
}

/* The system calls of one page; the kernel may stop half-way. */
static int install(const PostcopyIncoming *postcopy, const RAMBlock *block, uint8_t *host, const uint8_t *from)
{
    const PostcopyHost *calls = postcopy->host;
    uint64_t done = 0;

    while (done < block->page_size) {
        const uint64_t rest = block->page_size - done;
        const int64_t result = from ? calls->copy(calls->opaque, postcopy->fd, host + done, from + done, rest)
                                    : calls->zero(calls->opaque, postcopy->fd, host + done, rest);

        memcore_assert(result <= (int64_t)rest);
        if (result > 0) {
            done += (uint64_t)result;
        } else if (result != -EAGAIN) {
            return result ? (int)result : -EIO;
        }
    }
    return 0;
}

/* Whether the page is this thread's to place; else it is here, or another's (R-PC-31). */
static bool claim(PostcopyIncoming *postcopy, PostcopyBlock *entry, uint64_t offset)
{
    const uint64_t page = offset / entry->block->page_size;
    bool ours;

    qemu_mutex_lock(&postcopy->page_request_mutex);
    ours = !ramblock_recv_bitmap_test_byte_offset(entry->block, offset) && !bitmap_test(entry->claimed, page);
    if (ours) {
        bitmap_set_one(entry->claimed, page);
    }
    qemu_mutex_unlock(&postcopy->page_request_mutex);
    return ours;
}

static void settle(PostcopyIncoming *postcopy, PostcopyBlock *entry, uint64_t offset, bool placed)
{
    RAMBlock *block = entry->block;
    const uint64_t page = offset / block->page_size;

    qemu_mutex_lock(&postcopy->page_request_mutex);
    bitmap_clear(entry->claimed, page, 1);
    if (placed) {
        ramblock_recv_bitmap_set_range(block, block->host + offset, block->page_size / TARGET_PAGE_SIZE);
        bitmap_clear(entry->requested, page, 1);
    }
    qemu_mutex_unlock(&postcopy->page_request_mutex);
}

int postcopy_place(MigrationIncomingState *mis, uint8_t *host, const void *from, Error **errp)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    PostcopyBlock *entry = postcopy ? postcopy_find(postcopy, host) : NULL;
    RAMBlock *block = entry ? entry->block : NULL;
    const uint64_t offset = block ? (uint64_t)(host - block->host) : 0;
    const bool enrolled = entry && __atomic_load_n(&entry->enrolled, __ATOMIC_ACQUIRE);
    int result;

    if (!enrolled || offset >= block->postcopy_length || offset % block->page_size) {
        error_setg(errp, "block \"%s\": no page can be placed at 0x%" PRIx64 ": %s",
                   block ? ram_block_label(block) : "(none)", offset,
                   !block                             ? "no block is there"
                   : !enrolled                        ? "nobody waits for missing pages yet"
                   : offset >= block->postcopy_length ? "it is behind the end"
                                                      : "a page of the backing does not start there");
        return -EINVAL;
    }
    if (!claim(postcopy, entry, offset)) {
        postcopy_count(mis->counters.duplicates, 1);
        postcopy->host->wake(postcopy->host->opaque, postcopy->fd, host, block->page_size);
        return 0;
    }
    result = install(postcopy, block, host,
                     from || __atomic_load_n(&entry->zeroable, __ATOMIC_ACQUIRE) ? from : postcopy->zero_page);
    settle(postcopy, entry, offset, result == 0);
    if (result < 0) {
        if (result == -EEXIST) {
            postcopy->host->wake(postcopy->host->opaque, postcopy->fd, host, block->page_size);
        }
        error_setg_errno(errp, -result, "block \"%s\": the page at 0x%" PRIx64 " cannot be placed%s",
                         ram_block_label(block), offset,
                         result == -EEXIST ? ": it was written to, and not by the migration" : "");
        return result;
    }
    if (from) {
        postcopy_count(mis->counters.placed, 1);
    } else {
        postcopy_count(mis->counters.zero_placed, 1);
    }
    return 0;
}

static int told(int result, Error *error)
{
    if (result < 0) {
        error_prepend(&error, "postcopy: ");
        error_report_err(error);
    }
    return result;
}

int postcopy_place_page(MigrationIncomingState *mis, void *host, void *from)
{
    Error *error = NULL;

    if (!from) {
        error_setg(&error, "a page is to be placed from nowhere");
        return told(-EINVAL, error);
    }
    const int result = postcopy_place(mis, host, from, &error);

    return told(result, error);
}

int postcopy_place_page_zero(MigrationIncomingState *mis, void *host)
{
    Error *error = NULL;
    const int result = postcopy_place(mis, host, NULL, &error);

    return told(result, error);
}
