/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making, finding, resizing and releasing RAM blocks: what region/ uses.
 * All functions that change something need the big lock.
 */
#ifndef MEMCORE_RAM_RAM_BLOCK_H
#define MEMCORE_RAM_RAM_BLOCK_H

#include "exec/ramblock.h"
#include "qapi/error.h"
#include "ram/host_memory.h"

/* R-RAM-5: anonymous blocks start at a multiple of this, which is also their region's alignment. */
#define RAM_BLOCK_ALIGNMENT ((size_t)2 << 20)

typedef void RamBlockResized(const char *idstr, uint64_t length, void *host);

/*
 * Zero-filled memory of the host (R-RAM-34).  Sizes are in bytes and rounded
 * up to the host page (R-RAM-1); `flags` are RAM_SHARED and RAM_NORESERVE at
 * most, plus RAM_RESIZEABLE, which is required exactly if size and max_size
 * may differ; `resized` may be NULL.  The block is listed on return.
 *
 * NULL and an Error, with nothing changed (R-RAM-10): max_size is 0 or rounds
 * to more than the host can address; size exceeds max_size after rounding
 * (R-RAM-2); no memory; no room for it in ram_addr space (R-RAM-16).
 */
RAMBlock *ram_block_new_anonymous(uint64_t size, uint64_t max_size, uint32_t flags, RamBlockResized *resized,
                                  MemoryRegion *mr, Error **errp);

/*
 * Memory of the caller, who keeps owning it (RAM_PREALLOC).  The block's
 * length is rounded up to the host page, behind the caller's buffer
 * (R-RAM-7); memcore never touches bytes there on its own.  NULL and an Error
 * as above; pointer NULL is misuse.
 */
RAMBlock *ram_block_new_from_pointer(uint64_t size, void *pointer, MemoryRegion *mr, Error **errp);

/* A file as RAM: bytes [offset, offset + size) of an open one. */
typedef struct {
    int fd;
    const char *path;       /* for messages; NULL: the caller's fd */
    uint64_t offset;
    uint64_t size;
    uint64_t align;
    uint32_t flags;         /* RAM_SHARED, RAM_PMEM, RAM_NORESERVE, RAM_PROTECTED at most */
    bool readonly;
} RamFile;

/*
 * Takes the fd over if it succeeds.  NULL and an Error, the file as before
 * (R-FILE-2): too short, bad alignment or offset, less than a page, no memory, no room.
 */
RAMBlock *ram_block_new_from_fd(const RamFile *file, MemoryRegion *mr, Error **errp);

/*
 * Opens `path` or creates it (R-FILE-1), with file->path and ->fd ignored; what
 * was created is removed if it fails.
 */
RAMBlock *ram_block_new_from_path(const RamFile *file, const char *path, MemoryRegion *mr, Error **errp);

/* How [offset, offset + length) of the block was mapped. */
HostMemoryRequest ram_block_request(const RAMBlock *block, ram_addr_t offset, ram_addr_t length);

/*
 * Takes the block off the list at once; its memory goes after a grace period
 * (R-RAM-9).  NULL: nothing.  `block->mr` is not used after the call.
 */
void ram_block_free(RAMBlock *block);

/*
 * Id string from the region's name (R-RAM-13) and RAM_MIGRATABLE (R-RAM-12);
 * device NULL: global.  Misuse: name NULL or "", or the id string is taken
 * (R-RAM-14).
 */
bool ram_block_name_taken(const char *name, DeviceState *device);   /* by a listed block */
void ram_block_register(RAMBlock *block, const char *name, DeviceState *device);

/*
 * The block's half of a resize (R-RES-1..4): checks, then used_length.  The
 * caller sets the region's size and calls block->resized afterwards, both
 * only if newsize differs from the region's size.  False and an Error, with
 * nothing changed: newsize rounds beyond 2^64 or max_length, or the block is
 * not RAM_RESIZEABLE and the rounded size differs.
 */
bool ram_block_resize(RAMBlock *block, uint64_t newsize, Error **errp);

/* Whether `offset` lies in the part the guest may see (R-RAM-25). */
static inline bool ram_block_holds(const RAMBlock *block, ram_addr_t offset)
{
    return offset < block->used_length;
}

/* Whether bytes [offset, offset + length) lie in that part; length 0 at its end does. */
static inline bool ram_block_range_used(const RAMBlock *block, ram_addr_t offset, ram_addr_t length)
{
    return offset <= block->used_length && length <= block->used_length - offset;
}

/* For messages. */
static inline const char *ram_block_label(const RAMBlock *block)
{
    return block->idstr[0] ? block->idstr : "(unnamed)";
}

/* The block that holds a ram_addr, reserved space included (R-RAM-20); NULL: none. */
RAMBlock *ram_block_find(ram_addr_t address);

#endif
