/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One access to one region: is it allowed, in which pieces does the device want
 * it, and how are they put together (R-DSP).
 *
 *   8 bytes to a device that takes 4 (w = 4), by the device's order:
 *
 *     value    0x1122334455667788
 *     little   ........ 55667788 @0    11223344 @4
 *     big      ........ 11223344 @0    55667788 @4
 */
#include "access/access.h"
#include "qemu/event_notifier.h"

/* The region, and the offset in it, that the aliases lead to; nothing else is asked on the way (R-DSP-1). */
static MemoryRegion *follow_aliases(MemoryRegion *mr, hwaddr *offset)
{
    while (mr->alias) {
        *offset += mr->alias_offset;
        mr = mr->alias;
    }
    return mr;
}

/* The order of the questions can be seen by `accepts` (R-DSP-2). */
static inline bool accepts(MemoryRegion *mr, hwaddr offset, unsigned size, bool is_write, MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;

    if (ops->valid.accepts && !ops->valid.accepts(mr->opaque, offset, size, is_write, attrs)) {
        return false;
    }
    if (!ops->valid.unaligned && (offset & (size - 1))) {
        return false;
    }
    return ops->valid.max_access_size == 0 ||
           (size <= ops->valid.max_access_size && size >= ops->valid.min_access_size);
}

bool region_accepts(MemoryRegion *mr, hwaddr offset, unsigned size, bool is_write, MemTxAttrs attrs)
{
    return accepts(mr, offset, size, is_write, attrs);
}

static uint64_t mask_of(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

static uint64_t shift_left(uint64_t value, int bits)
{
    return bits >= 0 ? value << bits : value >> -bits;
}

static uint64_t swap(uint64_t value, unsigned size)
{
    return bswap64(value) >> (64 - 8 * size);
}

static bool needs_swap(const MemoryRegion *mr, MemOp op)
{
    return (op & MO_BSWAP) != (unsigned)devend_memop(mr->ops->endianness);
}

static __attribute__((cold)) void bad_piece(const MemoryRegion *mr, unsigned piece)
{
    memcore_misuse_at("MemoryRegionOps", "R-DSP-6",
                      "region '%s': impl.min_access_size %u and impl.max_access_size %u make pieces of %u "
                      "bytes, which is not 1, 2, 4 or 8", region_label(mr), mr->ops->impl.min_access_size,
                      mr->ops->impl.max_access_size, piece);
}

/* R-DSP-6. */
static inline unsigned piece_size(const MemoryRegion *mr, unsigned size)
{
    const unsigned least = mr->ops->impl.min_access_size ? mr->ops->impl.min_access_size : 1;
    const unsigned most = mr->ops->impl.max_access_size ? mr->ops->impl.max_access_size : 4;
    unsigned piece = size < most ? size : most;

    if (__builtin_expect(size >= least && size <= most, 1)) {
        return size;
    }
    piece = piece > least ? piece : least;
    if (__builtin_expect(piece > 8 || (piece & (piece - 1)), 0)) {
        bad_piece(mr, piece);
    }
    return piece;
}

/* How far the piece at `at` is shifted in the value; negative if the piece is wider than that (R-DSP-7). */
static int piece_shift(const MemoryRegion *mr, unsigned size, unsigned piece, unsigned at)
{
    return mr->ops->endianness == DEVICE_BIG_ENDIAN ? 8 * ((int)size - (int)piece - (int)at) : 8 * (int)at;
}

static void require_size(const char *function, const MemoryRegion *mr, unsigned size)
{
    if (__builtin_expect(size > 8, 0)) {
        memcore_misuse_at(function, "R-TYP-5", "region '%s': an access of %u bytes, more than 8",
                          region_label(mr), size);
    }
}

static __attribute__((cold)) void no_callback(const MemoryRegion *mr, const char *kind, hwaddr offset,
                                              unsigned size)
{
    memcore_misuse_at("MemoryRegionOps", "R-DSP-5", "region '%s' accepts a %s of %u bytes at 0x%" PRIx64
                      " and has no callback for it", region_label(mr), kind, size, offset);
}

/* --- reading ------------------------------------------------------------------- */

static MemTxResult read_piece(MemoryRegion *mr, hwaddr offset, unsigned size, uint64_t *data,
                              MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;

    if (ops->read) {
        *data = ops->read(mr->opaque, offset, size);
        return MEMTX_OK;
    }
    if (!ops->read_with_attrs) {
        no_callback(mr, "read", offset, size);
    }
    *data = 0;
    return ops->read_with_attrs(mr->opaque, offset, data, size, attrs);
}

MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr, uint64_t *pval, MemOp op,
                                        MemTxAttrs attrs)
{
    const unsigned size = memop_size(op);
    MemTxResult result = MEMTX_OK;
    uint64_t value = 0;
    unsigned piece;

    memcore_require(pval, "R-DSP-3", "region '%s': no place for the value (pval is NULL)", region_label(mr));
    mr = follow_aliases(mr, &addr);
    require_size(__func__, mr, size);
    if (!accepts(mr, addr, size, false, attrs)) {
        *pval = 0;
        return MEMTX_DECODE_ERROR;
    }
    piece = piece_size(mr, size);
    if (piece == size) {
        result = read_piece(mr, addr, size, &value, attrs);     /* what follows, for speed */
    } else {
        for (unsigned at = 0; at < size; at += piece) {
            uint64_t data;

            result |= read_piece(mr, addr + at, piece, &data, attrs);
            value |= shift_left(data & mask_of(piece), piece_shift(mr, size, piece, at));
        }
    }
    value &= mask_of(size);     /* a wider piece brings more (R-DSP-9) */
    *pval = needs_swap(mr, op) ? swap(value, size) : value;
    return result;
}

/* --- writing ------------------------------------------------------------------- */

/* Instead of the device: the first entry that fits, in the order of R-EFD-1 (R-EVM-2..5). */
static __attribute__((noinline)) bool signal_eventfd(const MemoryRegion *mr, hwaddr offset, unsigned size,
                                                     uint64_t data)
{
    for (unsigned i = 0; i < mr->ioeventfd_nb; i++) {
        const MemoryRegionIoeventfd *entry = &mr->ioeventfds[i];

        if (entry->addr != offset || (entry->size != 0 && entry->size != size)) {
            continue;
        }
        if (entry->size == 0 || !entry->match_data || ((entry->data ^ data) & mask_of(size)) == 0) {
            event_notifier_set(entry->e);
            return true;
        }
    }
    return false;
}

static MemTxResult write_piece(MemoryRegion *mr, hwaddr offset, uint64_t data, unsigned size,
                               MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;

    if (ops->write) {
        ops->write(mr->opaque, offset, data, size);
        return MEMTX_OK;
    }
    if (!ops->write_with_attrs) {
        no_callback(mr, "write", offset, size);
    }
    return ops->write_with_attrs(mr->opaque, offset, data, size, attrs);
}

MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr, uint64_t data, MemOp op,
                                         MemTxAttrs attrs)
{
    const unsigned size = memop_size(op);
    MemTxResult result = MEMTX_OK;
    unsigned piece;

    mr = follow_aliases(mr, &addr);
    require_size(__func__, mr, size);
    if (!accepts(mr, addr, size, true, attrs)) {
        return MEMTX_DECODE_ERROR;
    }
    data &= mask_of(size);      /* R-DSP-9 */
    if (needs_swap(mr, op)) {
        data = swap(data, size);
    }
    if (mr->ioeventfd_nb > 0 && signal_eventfd(mr, addr, size, data)) {
        return MEMTX_OK;
    }
    piece = piece_size(mr, size);
    if (piece == size) {
        return write_piece(mr, addr, data, size, attrs);        /* what follows, for speed */
    }
    for (unsigned at = 0; at < size; at += piece) {
        const uint64_t part = shift_left(data, -piece_shift(mr, size, piece, at)) & mask_of(piece);

        result |= write_piece(mr, addr + at, part, piece, attrs);
    }
    return result;
}
