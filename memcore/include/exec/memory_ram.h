/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM that lives in files, changes its size or wants to be written back.  A
 * part of exec/memory.h; include that.
 *
 * All of this needs the big lock, unless said otherwise.
 */
#include "exec/memory.h"      /* before the guard: it includes this file at the right place */

#ifndef EXEC_MEMORY_RAM_H
#define EXEC_MEMORY_RAM_H

#pragma GCC visibility push(default)

/*
 * RAM whose bytes are those of a file (R-FILE).  `path` names
 *   a file           which must be empty or at least `size` bytes long; an empty one is made
 *                    long enough, no other is changed
 *   nothing          a file of that name is created
 *   a directory      a file without a name is made in it (a hugetlbfs mount, usually)
 *
 * `alignment`: 0, or a power of two and multiple of the file's page size, at which
 * the memory starts at least.  `flags`: RAM_SHARED (writes reach the file),
 * RAM_PMEM, RAM_NORESERVE, RAM_PROTECTED.  readonly: the memory is mapped for
 * reading only, and the region is ROM; a file that exists must have its bytes.
 *
 * Errors, after which neither region nor file system is changed (R-FILE-5): other
 * flags, size 0 or less than a page of the file, a bad alignment, a file that is too
 * short, cannot be opened or cannot be mapped.
 */
void memory_region_init_ram_from_file(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                      uint64_t alignment, uint32_t flags, const char *path, bool readonly,
                                      Error **errp);

/*
 * The same with an open file: bytes from `offset` (whole pages of the file) on.
 * An empty file is made offset + size bytes long, any other must have them.  The
 * region takes `fd` over if it succeeds and closes it when the memory goes; on
 * errors it stays the caller's.  Always mapped for writing (R-FILE-6).
 */
void memory_region_init_ram_from_fd(MemoryRegion *region, Object *owner, const char *name, uint64_t size,
                                    uint32_t flags, int fd, ram_addr_t offset, Error **errp);

/* qemu_ram_resize() for the region's own block; without one an Error. */
void memory_region_ram_resize(MemoryRegion *mr, ram_addr_t newsize, Error **errp);

/*
 * Brings bytes [addr, addr + size) into the file behind the region's own block
 * (R-RAM-27..29); without block, file or bytes nothing happens.  writeback is
 * the same under another name (R-RAM-30).  Misuse: the range ends behind the
 * block's used part.  Any thread that keeps the region alive.
 */
void memory_region_msync(MemoryRegion *mr, hwaddr addr, hwaddr size);
void memory_region_writeback(MemoryRegion *mr, hwaddr addr, hwaddr size);

#pragma GCC visibility pop

#endif
