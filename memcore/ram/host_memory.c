/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/misuse.h"
#include "ram/host_memory.h"

enum { OVERCOMMIT_NEVER = '2' };

size_t host_page_size(void)
{
    static size_t size;

    if (!size) {
        size = (size_t)sysconf(_SC_PAGESIZE);
    }
    return size;
}

bool host_page_round_up(uint64_t size, uint64_t *rounded)
{
    uint64_t mask = host_page_size() - 1;

    if (size > UINT64_MAX - mask) {
        return false;
    }
    *rounded = (size + mask) & ~mask;
    return true;
}

/* Where the kernel never overcommits it ignores MAP_NORESERVE, and promising it would be a lie (R-RAM-4). */
static bool no_reserve_possible(Error **errp)
{
    static const char path[] = "/proc/sys/vm/overcommit_memory";
    int fd = memcore_fault(MEMCORE_FAULT_OPEN) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    char policy = OVERCOMMIT_NEVER;
    bool known = fd >= 0 && read(fd, &policy, 1) == 1;

    if (!known) {
        error_setg_errno(errp, errno, "RAM without reservation: cannot read %s to see whether the host allows it",
                         path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (!known) {
        return false;
    }
    if (policy == OVERCOMMIT_NEVER) {
        error_setg(errp, "RAM without reservation: the host never overcommits memory (%s is 2)", path);
        return false;
    }
    return true;
}

/* Not the first choice for a small block: touching one byte would clear the whole huge page. */
static void advise_huge_pages(void *start, size_t length, size_t alignment)
{
    if (length >= alignment) {
        int saved_errno = errno;

        (void)madvise(start, length, MADV_HUGEPAGE);    /* advice: a host without huge pages may refuse */
        errno = saved_errno;
    }
}

/*
 * Without MAP_SYNC, which few file systems know, what was written is durable after msync only.
 * EOPNOTSUPP, and EINVAL on old kernels, mean that and nothing else here.
 */
static bool map_at(void *place, const HostMemoryRequest *request)
{
    const int protection = PROT_READ | (request->readonly ? 0 : PROT_WRITE);
    const int flags = MAP_FIXED | (request->fd < 0 ? MAP_ANONYMOUS : 0) |
                      (request->shared ? MAP_SHARED : MAP_PRIVATE) | (request->no_reserve ? MAP_NORESERVE : 0);

    if (memcore_fault(MEMCORE_FAULT_MMAP)) {
        return false;
    }
    if (request->persistent && request->shared && request->fd >= 0) {
        const int synchronous = (flags & ~MAP_SHARED) | MAP_SHARED_VALIDATE | MAP_SYNC;
        Error *warning = NULL;

        if (mmap(place, request->length, protection, synchronous, request->fd, (off_t)request->offset) != MAP_FAILED) {
            return true;
        }
        if (errno != EOPNOTSUPP && errno != EINVAL) {
            return false;
        }
        error_setg(&warning, "persistent memory: the file cannot be mapped with MAP_SYNC, so writes are durable "
                   "only after a writeback");
        warn_report_err(warning);
    }
    return mmap(place, request->length, protection, flags, request->fd, (off_t)request->offset) != MAP_FAILED;
}

bool host_memory_renew(void *place, const HostMemoryRequest *request)
{
    return map_at(place, request);
}

/* Address space that holds nothing yet. */
static void *reserve(size_t length)
{
    if (memcore_fault(MEMCORE_FAULT_MMAP)) {
        return MAP_FAILED;
    }
    return mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* The kernel ignores MAP_NORESERVE for what it accounts: private memory, and shared memory without a file (R-RAM-4). */
static bool reserves_anyway(const HostMemoryRequest *request)
{
    return request->no_reserve && request->page_size == host_page_size() && !request->readonly &&
           !(request->shared && request->fd >= 0);
}

bool host_memory_new(HostMemory *memory, const HostMemoryRequest *request, Error **errp)
{
    const size_t page = request->page_size, alignment = request->alignment;
    const size_t slack = (alignment - page) + page;     /* the most before an aligned start; the guard page */
    const uint64_t length = request->length;
    void *mapping, *start;

    if (reserves_anyway(request) && !no_reserve_possible(errp)) {
        return false;
    }
    if (length > SIZE_MAX - slack) {        /* with a file's offset: host_file.c has looked */
        error_setg(errp, "cannot map 0x%llx bytes of RAM: more than the host can address",
                   (unsigned long long)length);
        return false;
    }

    /* address space first, then memory inside it: the kernel has no flag for alignment */
    mapping = reserve(length + slack);
    if (mapping == MAP_FAILED) {
        error_setg_errno(errp, errno, "cannot map 0x%llx bytes of RAM", (unsigned long long)length);
        return false;
    }
    start = (void *)(((uintptr_t)mapping + alignment - 1) & ~((uintptr_t)alignment - 1));
    if (!map_at(start, request)) {
        error_setg_errno(errp, errno, "cannot map 0x%llx bytes of RAM", (unsigned long long)length);
        host_memory_free(mapping, length + slack);
        return false;
    }
    memcore_verify((uintptr_t)start + length + host_page_size() <= (uintptr_t)mapping + length + slack);
    if (request->fd < 0) {
        advise_huge_pages(start, length, alignment);
    }
    memory->start = start;
    memory->mapping = mapping;
    memory->mapping_length = length + slack;
    return true;
}

void host_memory_free(void *mapping, size_t mapping_length)
{
    int result = munmap(mapping, mapping_length);

    memcore_assert(result == 0);
}
