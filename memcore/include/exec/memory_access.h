/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading, writing and mapping what is at an address.  A part of
 * exec/memory.h; include that.
 *
 * Addresses go on at 0 behind 2^64 - 1 (R-LKP-4).  An access of length 0 is
 * fine and does nothing.  An access may have many parts, each served by what
 * is at its address: the result is the union of theirs, and nothing is undone.
 *
 * Locking: unless said otherwise the caller needs nothing.  Accesses enter an
 * RCU read section by themselves and take the big lock, if the thread does not
 * have it, around each call of a device (R-LCK-1): so never wait for a grace
 * period under the big lock while other threads run.  Devices may access
 * memory again and may change the map: the access under way goes on in the
 * view it began with, the next one sees the change (R-LCK-4).
 *
 * Misuse, everywhere: an address space that is not initialised; no buffer for
 * a length that is not 0; a device without a callback for what its valid.*
 * accepts, or whose sizes are not powers of two up to 8.
 */
#include "exec/memory.h"      /* before the guard: it includes this file at the right place */

#ifndef EXEC_MEMORY_ACCESS_H
#define EXEC_MEMORY_ACCESS_H

#pragma GCC visibility push(default)

/*
 * With -DCONFIG_FUZZ: called before data is read on behalf of a device, so
 * that a fuzzer can put something there; defined by the program (a definition
 * that does nothing is there for programs without).  Which calls, and what
 * `addr` is for each: R-FUZ.
 */
#ifdef CONFIG_FUZZ
void fuzz_dma_read_cb(size_t addr, size_t len, MemoryRegion *mr);
#else
static inline void fuzz_dma_read_cb(size_t addr, size_t len, MemoryRegion *mr)
{
    (void)addr;
    (void)len;
    (void)mr;
}
#endif

/* --- one region -------------------------------------------------------------- */

/* What a device's byte order means for a MemOp: MO_BSWAP where it is not the host's (R-TYP-6). */
static inline MemOp devend_memop(enum device_endian end)
{
    const enum device_endian order = end == DEVICE_NATIVE_ENDIAN ? DEVICE_LITTLE_ENDIAN : end;

    return order == DEVICE_HOST_ENDIAN ? MO_8 : MO_BSWAP;
}

/*
 * One access of memop_size(op) bytes at offset `addr` of the region, or of
 * what it is an alias of, straight to its callbacks: RAM rejects it (R-RGN).
 * The value is in the order that `op` says; bits above its size are 0 after a
 * read, and of no account in a write (R-DSP-9).  Rejected: MEMTX_DECODE_ERROR, and
 * *pval is 0 (R-DSP).
 *
 * Needs RCU or the big lock to keep the region alive; and the big lock if the
 * device does, or if the region has ioeventfds.  Nothing is checked against
 * the region's size.  Misuse: an op of more than 8 bytes; pval NULL.
 */
MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr, uint64_t *pval, MemOp op,
                                        MemTxAttrs attrs);
MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr, uint64_t data, MemOp op,
                                         MemTxAttrs attrs);

/* Whether the region's bytes are read or written in memory, not by callbacks.  Not for aliases. */
static inline bool memory_access_is_direct(MemoryRegion *mr, bool is_write)
{
    const bool plain_ram = mr->ram && !mr->ram_device;

    return is_write ? plain_ram && !mr->readonly : plain_ram || memory_region_is_romd(mr);
}

/*
 * Marks bytes [addr, addr + size) of a ROM device dirty: for the device, after
 * it changed the memory itself.  Needs the big lock.  Misuse: not a ROM device
 * in ROMD mode; bytes outside its memory.
 */
void memory_region_flush_rom_device(MemoryRegion *mr, hwaddr addr, hwaddr size);

/* --- translation ------------------------------------------------------------- */

/*
 * What serves `addr`, for reading or writing, behind all aliases and IOMMUs:
 * the region, *xlat the offset in it, and *len (may be NULL) cut down to the
 * bytes that follow there without a break.  Devices and holes never cut it, memory
 * and IOMMUs do (R-TRN-3, R-TRN-5).  Never NULL: where nothing answers, and
 * where an IOMMU says no, it is a region that rejects every access.
 *
 * Needs RCU or the big lock, under which the result is valid.  Misuse: xlat NULL.
 */
MemoryRegion *flatview_translate(FlatView *fv, hwaddr addr, hwaddr *xlat, hwaddr *len, bool is_write,
                                 MemTxAttrs attrs);

static inline MemoryRegion *address_space_translate(AddressSpace *as, hwaddr addr, hwaddr *xlat, hwaddr *len,
                                                    bool is_write, MemTxAttrs attrs)
{
    return flatview_translate(address_space_to_flatview(as), addr, xlat, len, is_write, attrs);
}

/*
 * The same as one entry a device may cache: the largest block around `addr`
 * that all IOMMUs on the way map as one, or a target page without IOMMU.  perm
 * is always IOMMU_RW, whatever is_write says (R-TRN-13).  Nothing there, or not
 * allowed: all zero.  Needs RCU or the big lock.
 */
IOMMUTLBEntry address_space_get_iotlb_entry(AddressSpace *as, hwaddr addr, bool is_write, MemTxAttrs attrs);

/* --- bytes ------------------------------------------------------------------- */

/*
 * Moves `len` bytes between `buf` and the address space.  Reading, a part that
 * is rejected gives zeros, and one that a device failed gives what the device
 * said (R-ACC-6, R-ACC-7).  If attrs.memory is set and something other than
 * RAM or ROM is met, that is left out, with MEMTX_ACCESS_ERROR (R-ACC-12).
 */
MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, void *buf, hwaddr len,
                             bool is_write);
MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const void *buf, hwaddr len);
MemTxResult address_space_read_full(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, void *buf, hwaddr len);

/*
 * Writes RAM, ROM, ROM devices in ROMD mode and the memory of devices, past
 * anybody who would refuse, and leaves out the rest.  Always MEMTX_OK (R-ACC-14).
 */
MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, const void *buf,
                                    hwaddr len);

/* Writes `len` bytes `c`, in pieces of 512 bytes (R-ACC-17). */
MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c, hwaddr len, MemTxAttrs attrs);

/*
 * Whether address_space_rw() would be served throughout, asked without touching
 * data: valid.accepts is called, under whatever locks the caller has (R-VAL).
 * attrs.memory is not looked at.
 */
bool address_space_access_valid(AddressSpace *as, hwaddr addr, hwaddr len, bool is_write, MemTxAttrs attrs);

/*
 * Inside address_space_read(), and for whoever translated himself: reads `len`
 * bytes, the first `l` of which are at offset `addr1` of `mr` as
 * flatview_translate(fv, addr, ...) said.  Under RCU.  Misuse: len or l is 0.
 */
MemTxResult flatview_read_continue(FlatView *fv, hwaddr addr, MemTxAttrs attrs, void *buf, hwaddr len,
                                   hwaddr addr1, hwaddr l, MemoryRegion *mr);

/*
 * Host address of byte `addr` of a block; ram_block NULL: of the byte at this
 * ram_addr (R-RAM-25).  Under RCU or the big lock.  Misuse: outside the used part.
 */
void *qemu_map_ram_ptr(RAMBlock *ram_block, ram_addr_t addr);

/* Inside address_space_read(): the host address of a place that is direct, from flatview_translate(). */
void *memory_access_host(MemoryRegion *mr, hwaddr offset);

/* As address_space_read_full(); a length that the compiler knows, in RAM, costs no loop. */
static inline __attribute__((always_inline)) MemTxResult
address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, void *buf, hwaddr len)
{
    if (__builtin_constant_p(len) && len > 0 && as && buf) {
        hwaddr offset, there = len;
        MemoryRegion *mr;
        FlatView *view;
        RCU_READ_LOCK_GUARD();

        view = address_space_to_flatview(as);
        mr = flatview_translate(view, addr, &offset, &there, false, attrs);
        if (attrs.memory && !mr->ram) {
            return MEMTX_ACCESS_ERROR;
        }
        if (there < len || !memory_access_is_direct(mr, false)) {
            return flatview_read_continue(view, addr, attrs, buf, len, offset, there, mr);
        }
        memmove(buf, memory_access_host(mr, offset), len);
        return MEMTX_OK;
    }
    return address_space_read_full(as, addr, attrs, buf, len);
}

/* --- loads and stores ---------------------------------------------------------- */

/*
 * One access of exactly that width, never split by the rules for buffers: a
 * device sees it as a whole or rejects it.  Memory that ends, or is translated
 * elsewhere, before the access does rejects it too (R-SCL-3).
 *
 * _le and _be say in which order the bytes stand in memory, without either it
 * is the target's, which is little-endian.  *result, unless NULL, says how it
 * went.  A load returns 0 if rejected and what the device said if it failed.
 */
#define SUFFIX
#define ARG1 as
#define ARG1_DECL AddressSpace *as
#include "exec/memory_ldst.h.inc"

#define SUFFIX
#define ARG1 as
#define ARG1_DECL AddressSpace *as
#include "exec/memory_ldst_phys.h.inc"

/* --- mapping ------------------------------------------------------------------- */

/*
 * A pointer to *plen bytes at `addr`, *plen cut down to what can be had in one
 * piece.  RAM is there itself, as far as it is one region without a break; it
 * is kept alive.  Anything else goes through the one bounce buffer of the
 * process: at most a target page, filled now if not is_write, written back by
 * unmap.  NULL and *plen 0: the bounce buffer is taken (R-MAP-4), wait with
 * cpu_register_map_client(); or *plen was 0.  Misuse: plen NULL.
 */
void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen, bool is_write, MemTxAttrs attrs);

/*
 * Ends it.  `len` is what map said; is_write: the first `access_len` bytes were
 * written: memory is marked dirty, the bounce buffer is written to what is at
 * the address now.  Of several maps with this pointer (regions may share memory)
 * one of `as` and `len` ends, the newest if there are more (R-MAP-12).  May
 * finalize the owner of the region, and takes the big lock for that.  Misuse: not a
 * pointer that map gave; given back before; access_len more than was mapped.
 */
void address_space_unmap(AddressSpace *as, void *buffer, hwaddr len, bool is_write, hwaddr access_len);

#pragma GCC visibility pop

#endif
