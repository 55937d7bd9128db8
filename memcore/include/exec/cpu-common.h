/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Constants of the emulated machine, and the questions anybody may ask about RAM blocks. */
#ifndef EXEC_CPU_COMMON_H
#define EXEC_CPU_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "exec/hwaddr.h"
#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

/*
 * The one knob of a build: the target's page is 1 << TARGET_PAGE_BITS bytes.
 * -DMEMCORE_TARGET_PAGE_BITS=n must be the same for memcore and for every
 * program linked with it.
 */
#ifndef MEMCORE_TARGET_PAGE_BITS
#define MEMCORE_TARGET_PAGE_BITS 12
#endif
#define TARGET_PAGE_BITS MEMCORE_TARGET_PAGE_BITS
#if TARGET_PAGE_BITS < 10 || TARGET_PAGE_BITS > 16
#error "TARGET_PAGE_BITS must be 10 to 16"
#endif
#define TARGET_PAGE_SIZE (1ull << TARGET_PAGE_BITS)
#define TARGET_PAGE_MASK (~(TARGET_PAGE_SIZE - 1))
#define TARGET_PAGE_ALIGN(address) (((address) + TARGET_PAGE_SIZE - 1) & TARGET_PAGE_MASK)

/* R-TYP-7: an ops table that says nothing means the target's own order, and the target is little-endian. */
enum device_endian {
    DEVICE_NATIVE_ENDIAN,
    DEVICE_BIG_ENDIAN,
    DEVICE_LITTLE_ENDIAN,
};

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define DEVICE_HOST_ENDIAN DEVICE_BIG_ENDIAN
#else
#define DEVICE_HOST_ENDIAN DEVICE_LITTLE_ENDIAN
#endif

/*
 * A place in the one linear space in which all RAM blocks lie side by side
 * (R-RAM-16): an index for dirty bitmaps and migration, not a guest address.
 */
typedef uint64_t ram_addr_t;
#define RAM_ADDR_MAX UINT64_MAX
#define RAM_ADDR_FMT "%" PRIx64

/*
 * The block whose memory holds `host`, or NULL; `*offset` (untouched without
 * a hit) is the place in the block, rounded down to a target page if asked
 * (R-RAM-21).  Call it under RCU or the big lock; the block is not referenced.
 */
RAMBlock *qemu_ram_block_from_host(void *host, bool round_offset, ram_addr_t *offset);

/* The block with this id string, compared exactly; NULL: none.  "" never matches (R-RAM-15, R-RAM-23). */
RAMBlock *qemu_ram_block_by_name(const char *name);

/* host - block->host; misuse unless host points into the block (R-RAM-23). */
ram_addr_t qemu_ram_block_host_offset(RAMBlock *block, void *host);

/* The ram_addr behind a host pointer.  No block holds it: RAM_ADDR_INVALID, misuse for _nofail (R-RAM-23). */
ram_addr_t qemu_ram_addr_from_host(void *host);
ram_addr_t qemu_ram_addr_from_host_nofail(void *host);

/*
 * Names a block for migration: "<device path>/<name>", or "<name>" without
 * device or path, cut to 255 bytes (R-RAM-13).  Misuse, before anything
 * changes: the block already has a name, another block has this one, it is
 * empty (R-RAM-14, R-RAM-15).  unset accepts NULL.  Both under the big lock.
 */
void qemu_ram_set_idstr(RAMBlock *block, const char *name, DeviceState *device);
void qemu_ram_unset_idstr(RAMBlock *block);
const char *qemu_ram_get_idstr(RAMBlock *block);     /* "" until it is named; the block's own */

/*
 * What a block has.  Lengths and offsets are bytes: used_length is what the guest sees, max_length what it may grow
 * to; get_offset is the first ram_addr.  get_fd: -1 without a file; the fd stays the block's.  pagesize: of the
 * backing memory, more than the host's with huge pages.  Under RCU or the big lock, which keep the block alive.
 */
void *qemu_ram_get_host_addr(RAMBlock *block);
ram_addr_t qemu_ram_get_offset(RAMBlock *block);
ram_addr_t qemu_ram_get_used_length(RAMBlock *block);
ram_addr_t qemu_ram_get_max_length(RAMBlock *block);
int qemu_ram_get_fd(RAMBlock *block);
size_t qemu_ram_pagesize(RAMBlock *block);
size_t qemu_ram_pagesize_largest(void);     /* over all blocks; 0 without any */

/* Readers of the RAM_* flags (R-RAM-4), and, under the big lock, the writers of those that may change. */
bool qemu_ram_is_shared(RAMBlock *block);
bool qemu_ram_is_noreserve(RAMBlock *block);
bool qemu_ram_is_uf_zeroable(RAMBlock *block);
void qemu_ram_set_uf_zeroable(RAMBlock *block);
bool qemu_ram_is_migratable(RAMBlock *block);
void qemu_ram_set_migratable(RAMBlock *block);
void qemu_ram_unset_migratable(RAMBlock *block);

/* Calls `function` for each block in list order until it returns non-zero; returns that (R-RAM-23). */
typedef int RAMBlockIterFunc(RAMBlock *block, void *opaque);
int qemu_ram_foreach_block(RAMBlockIterFunc *function, void *opaque);

/*
 * Changes the used part of a block (R-RES): `newsize` bytes, rounded up to the
 * host page.  What was dirty in the old part is forgotten, all of the new one
 * is dirty for everybody; bytes stay as they are.  The region gets `newsize`,
 * in one transaction, and then the block's `resized` is called.  A size that
 * rounds to the current one changes at most the region's size (R-RES-2).
 *
 * 0, or -EINVAL and an Error with nothing changed: not RAM_RESIZEABLE, larger
 * than max_length, too large to be rounded.  Needs the big lock.
 */
int qemu_ram_resize(RAMBlock *block, ram_addr_t newsize, Error **errp);

/*
 * Brings [start, start + length) of the block into its file, synchronously and
 * in whole host pages; without a file nothing happens, a failure is a warning
 * (R-RAM-28).  Misuse: the range ends behind the used part.  writeback takes
 * all of the used part.
 */
void qemu_ram_msync(RAMBlock *block, ram_addr_t start, ram_addr_t length);
void qemu_ram_block_writeback(RAMBlock *block);

/*
 * Maps the pages [addr, addr + length), ram_addrs, afresh where they are: what
 * a hardware error spoiled is lost, the rest of the block stays.  Memory of the
 * caller (RAM_PREALLOC) is left alone.  Misuse: no block holds the range; not
 * whole pages of the backing.  A host that cannot map ends the program (R-RAM-32).
 */
void qemu_ram_remap(ram_addr_t addr, ram_addr_t length);

/*
 * Gives [start, start + length) of the block back to the host; the bytes read
 * as zero afterwards.  A file gets a hole, also if it is mapped privately
 * (R-DISC-5..8).  Neither dirty bits nor the discard counters matter (R-DISC-3,
 * R-DISC-9).  The caller keeps the block alive.
 *
 * 0; -1 if the range is not whole pages of the backing inside the block, or the
 * block is mapped read-only; -errno if the host failed, maybe half-way.
 */
int ram_block_discard_range(RAMBlock *block, uint64_t start, size_t length);

/*
 * Schedules `bh` (qemu/main-loop.h) once, as soon as the bounce buffer of
 * address_space_map() is free: at once if it is now.  By the time the bh runs
 * somebody else may have it again.  Registered twice it waits twice.
 * unregister ends one waiting, if there is any.  Any thread (R-MAP-11).
 */
void cpu_register_map_client(QEMUBH *bh);
void cpu_unregister_map_client(QEMUBH *bh);

#pragma GCC visibility pop

#endif
