/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Size, sign, byte order and alignment of one access in one word (R-TYP-4, R-TYP-5). */
#ifndef EXEC_MEMOP_H
#define EXEC_MEMOP_H

/*
 *   bit  7 6 5    4     3    2 1 0
 *       alignment swap sign log2(size)
 *
 * Swap means: opposite to the HOST's order.  Dispatch looks at size and swap
 * only; results are zero-extended whatever the sign bit says.
 */
typedef enum MemOp {
    MO_8 = 0,
    MO_16 = 1,
    MO_32 = 2,
    MO_64 = 3,
    MO_SIZE = 7,

    MO_SIGN = 1 << 3,

    MO_BSWAP = 1 << 4,
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    MO_LE = MO_BSWAP,
    MO_BE = 0,
#else
    MO_LE = 0,
    MO_BE = MO_BSWAP,
#endif
    MO_TE = MO_LE,

    MO_ASHIFT = 5,
    MO_AMASK = 7 << MO_ASHIFT,

    MO_UB = MO_8,
    MO_UW = MO_16,
    MO_UL = MO_32,
    MO_UQ = MO_64,
    MO_SB = MO_SIGN | MO_8,
    MO_SW = MO_SIGN | MO_16,
    MO_SL = MO_SIGN | MO_32,

    MO_LEUW = MO_LE | MO_UW,
    MO_LEUL = MO_LE | MO_UL,
    MO_LEUQ = MO_LE | MO_UQ,
    MO_BEUW = MO_BE | MO_UW,
    MO_BEUL = MO_BE | MO_UL,
    MO_BEUQ = MO_BE | MO_UQ,
    MO_TEUW = MO_TE | MO_UW,
    MO_TEUL = MO_TE | MO_UL,
    MO_TEUQ = MO_TE | MO_UQ,
} MemOp;

/* Bytes of the access. */
static inline unsigned memop_size(MemOp op)
{
    return 1u << (op & MO_SIZE);
}

/* The MemOp of an access of 1, 2, 4 or 8 bytes: nothing but its size. */
static inline MemOp size_memop(unsigned size)
{
    return (MemOp)__builtin_ctz(size);
}

#endif
