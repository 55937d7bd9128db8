/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What host and blocks must be able to do (R-PC-10, R-PC-11). */
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "base/fault.h"
#include "base/state.h"
#include "exec/memory.h"
#include "migration/postcopy_incoming.h"
#include "migration/postcopy_uffd.h"
#include "ram/host_memory.h"
#include "ram/ram_block.h"

bool postcopy_takes_part(const RAMBlock *block)
{
    return block->flags & RAM_MIGRATABLE;
}

/* R-RAM-7: whole pages would be discarded and placed. */
bool postcopy_sticks_out(const RAMBlock *block)
{
    return block->flags & RAM_PREALLOC && memory_region_size(block->mr) % block->page_size;
}

static bool check_block(const RAMBlock *block, Error **errp)
{
    struct statfs file_system;

    if (block->flags & RAM_PMEM) {
        error_setg(errp, "block \"%s\" is persistent memory", ram_block_label(block));
    } else if (block->used_length % block->page_size) {
        error_setg(errp, "block \"%s\" has 0x%" PRIx64 " bytes, no whole number of its pages of 0x%zx",
                   ram_block_label(block), block->used_length, block->page_size);
    } else if (postcopy_sticks_out(block)) {
        error_setg(errp, "block \"%s\" is the caller's memory, of which the last page has bytes of others",
                   ram_block_label(block));
    } else if (block->fd >= 0 && fstatfs(block->fd, &file_system) != 0) {
        error_setg_errno(errp, errno, "block \"%s\": cannot ask for its file system", ram_block_label(block));
    } else if (block->fd >= 0 && file_system.f_type != TMPFS_MAGIC && file_system.f_type != HUGETLBFS_MAGIC) {
        error_setg(errp, "block \"%s\" is a file of a file system without missing pages (0x%lx); tmpfs and hugetlbfs "
                   "have them", ram_block_label(block), (unsigned long)file_system.f_type);
    } else {
        return true;
    }
    return false;
}

/* Whether a block has pages larger than the host's. */
static bool any_huge(void)
{
    RAMBlock *block;

    RAMBLOCK_FOREACH(block) {
        if (postcopy_takes_part(block) && block->page_size != host_page_size()) {
            return true;
        }
    }
    return false;
}

/* One page, as a block would be. */
static bool try_page(const PostcopyHost *host, int fd, Error **errp)
{
    const size_t length = host_page_size();
    void *page = postcopy_map(length);
    uint64_t ioctls = 0;
    int result, undone = 0;

    if (!page) {
        error_setg_errno(errp, errno, "no memory for a page to try");
        return false;
    }
    result = host->enroll(host->opaque, fd, page, length, &ioctls);
    if (result == 0) {
        undone = host->dismiss(host->opaque, fd, page, length);
    }
    munmap(page, length);
    if (result < 0 || undone < 0) {
        error_setg_errno(errp, result < 0 ? -result : -undone, "the host cannot %s memory",
                         result < 0 ? "register" : "unregister");
        return false;
    }
    if ((ioctls & UFFD_RANGE_NEEDS) != UFFD_RANGE_NEEDS) {
        error_setg(errp, "the host can do 0x%" PRIx64 " to registered memory; copy, zero page and wake are needed",
                   ioctls);
        return false;
    }
    return true;
}

static bool check_descriptor(const PostcopyHost *host, int fd, const PostcopyHostAbilities *abilities, Error **errp)
{
    RAMBlock *block;

    if ((abilities->ioctls & UFFD_NEEDS) != UFFD_NEEDS) {
        error_setg(errp, "the host's userfaultfd can do 0x%" PRIx64 "; register and unregister are needed",
                   abilities->ioctls);
        return false;
    }
    if (any_huge() && !(abilities->features & UFFD_MISSING_HUGETLBFS)) {
        error_setg(errp, "the host's userfaultfd has no huge pages, and a block has");
        return false;
    }
    RAMBLOCK_FOREACH(block) {
        if (postcopy_takes_part(block) && !check_block(block, errp)) {
            return false;
        }
    }
    if (munlockall() != 0) {
        error_setg_errno(errp, errno, "cannot unlock memory");
        return false;
    }
    return try_page(host, fd, errp);
}

bool postcopy_supported(Error **errp)
{
    const PostcopyHost *host = postcopy_host();
    PostcopyHostAbilities abilities;
    bool supported;
    int fd;

    if (TARGET_PAGE_SIZE > host_page_size()) {
        error_setg(errp, "the target's pages of 0x%llx are larger than the host's of 0x%zx", TARGET_PAGE_SIZE,
                   host_page_size());
        return false;
    }
    fd = memcore_fault(MEMCORE_FAULT_OPEN) ? -errno : host->open(host->opaque, 0, &abilities);
    if (fd < 0) {
        error_setg_errno(errp, -fd, "the host has no userfaultfd for us");
        return false;
    }
    supported = check_descriptor(host, fd, &abilities, errp);
    host->close(host->opaque, fd);
    return supported;
}

bool postcopy_ram_supported_by_host(void)
{
    Error *error = NULL;

    memcore_ensure_init();
    memcore_require_big_lock("R-PC-10");
    if (!postcopy_supported(&error)) {
        error_prepend(&error, "postcopy is not supported: ");
        error_report_err(error);
        return false;
    }
    return true;
}
