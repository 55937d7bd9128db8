/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to a block's memory later: written to its file, mapped afresh, given back to the host. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/state.h"
#include "exec/memory.h"
#include "ram/host_memory.h"
#include "ram/ram_block.h"

void qemu_ram_msync(RAMBlock *block, ram_addr_t start, ram_addr_t length)
{
    if (length == 0) {
        return;
    }
    memcore_require(ram_block_range_used(block, start, length), "R-RAM-27", "0x%" PRIx64 " bytes at 0x%" PRIx64
                    " of block \"%s\", of which 0x%" PRIx64 " bytes are used", length, start, ram_block_label(block),
                    block->used_length);
    if (block->fd < 0) {
        return;
    }

    const uintptr_t mask = host_page_size() - 1;
    const uintptr_t first = (uintptr_t)(block->host + start) & ~mask;
    const uintptr_t end = ((uintptr_t)(block->host + start + length) + mask) & ~mask;

    if (memcore_fault(MEMCORE_FAULT_MSYNC) || msync((void *)first, end - first, MS_SYNC) != 0) {
        Error *warning = NULL;

        error_setg_errno(&warning, errno, "block \"%s\": 0x%" PRIx64 " bytes at 0x%" PRIx64
                         " are not known to be in its file", ram_block_label(block), length, start);
        warn_report_err(warning);
    }
}

void qemu_ram_block_writeback(RAMBlock *block)
{
    qemu_ram_msync(block, 0, block->used_length);
}

void qemu_ram_remap(ram_addr_t addr, ram_addr_t length)
{
    RAMBlock *block = ram_block_find(addr);
    const ram_addr_t offset = block ? addr - block->offset : 0;

    memcore_require(block && length <= block->max_length - offset, "R-RAM-32",
                    "no RAM block holds 0x%" PRIx64 " bytes at ram_addr 0x%" PRIx64, length, addr);
    if (length == 0 || block->flags & RAM_PREALLOC) {
        return;
    }
    memcore_require(offset % block->page_size == 0 && length % block->page_size == 0, "R-RAM-32",
                    "0x%" PRIx64 " bytes at 0x%" PRIx64 " of block \"%s\" are not whole pages of 0x%zx", length, offset,
                    ram_block_label(block), block->page_size);

    const HostMemoryRequest request = ram_block_request(block, offset, length);

    if (!host_memory_renew(block->host + offset, &request)) {
        Error *error = NULL;

        error_setg_errno(&error, errno, "block \"%s\": cannot map 0x%" PRIx64 " bytes at 0x%" PRIx64 " again",
                         ram_block_label(block), length, offset);
        error_report_err(error);
        exit(EXIT_FAILURE);
    }
}

/* R-DISC-4; NULL: fine. */
static const char *why_not_discard(const RAMBlock *block, uint64_t start, size_t length)
{
    if (((uintptr_t)block->host + start) % block->page_size) {
        return "the start is not at a page of the backing";
    }
    if (start > block->max_length || length > block->max_length - start) {
        return "the range ends behind the block";
    }
    if (length % block->page_size) {
        return "the length is not a multiple of the backing's page size";
    }
    if (block->readonly) {
        return "the memory is mapped for reading only";
    }
    return NULL;
}

static void warn_of_hole(RAMBlock *block)
{
    if (!(block->flags & RAM_SHARED) && !block->hole_warned) {
        Error *warning = NULL;

        block->hole_warned = true;
        error_setg(&warning, "block \"%s\": discarding makes holes in its file although it is mapped privately",
                   ram_block_label(block));
        warn_report_err(warning);
    }
}

int ram_block_discard_range(RAMBlock *block, uint64_t start, size_t length)
{
    const char *why = why_not_discard(block, start, length);

    if (why) {
        Error *error = NULL;

        error_setg(&error, "block \"%s\": cannot discard 0x%zx bytes at 0x%" PRIx64 ": %s", ram_block_label(block),
                   length, start, why);
        error_report_err(error);
        return -1;
    }
    if (length == 0) {
        return 0;
    }
    if (block->fd >= 0) {
        warn_of_hole(block);
        if (memcore_fault(MEMCORE_FAULT_FALLOCATE) ||
            fallocate(block->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(block->fd_offset + start),
                      (off_t)length) != 0) {
            return -errno;
        }
    }
    if (block->page_size == host_page_size()) {
        /* without a file, shared memory goes when its file does, so to say; private pages with the mapping's */
        const int advice = block->fd < 0 && block->flags & RAM_SHARED ? MADV_REMOVE : MADV_DONTNEED;

        if (memcore_fault(MEMCORE_FAULT_MADVISE) || madvise(block->host + start, length, advice) != 0) {
            return -errno;
        }
    }
    return 0;
}
