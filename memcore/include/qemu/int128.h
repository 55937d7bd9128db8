/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signed 128-bit integers: sizes of regions go up to 2^64, and the bases met
 * while rendering may be negative.  The compiler's own type, under the names
 * that users of the API write.
 */
#ifndef QEMU_INT128_H
#define QEMU_INT128_H

#include <stdbool.h>
#include <stdint.h>

typedef __int128 Int128;

static inline Int128 int128_make64(uint64_t value) { return value; }
static inline Int128 int128_makes64(int64_t value) { return value; }
static inline Int128 int128_exts64(int64_t value) { return value; }

static inline Int128 int128_make128(uint64_t low, uint64_t high)
{
    return (Int128)(((unsigned __int128)high << 64) | low);
}

#pragma GCC visibility push(default)
_Noreturn void int128_get64_failed(Int128 value);
#pragma GCC visibility pop

/* Only for values known to fit: anything outside [0, 2^64) is misuse. */
static inline uint64_t int128_get64(Int128 value)
{
    if (value < 0 || value > UINT64_MAX) {
        int128_get64_failed(value);
    }
    return (uint64_t)value;
}

static inline uint64_t int128_getlo(Int128 value) { return (uint64_t)value; }
static inline int64_t int128_gethi(Int128 value) { return (int64_t)(value >> 64); }

static inline Int128 int128_zero(void) { return 0; }
static inline Int128 int128_one(void) { return 1; }
static inline Int128 int128_2_64(void) { return (Int128)1 << 64; }

static inline Int128 int128_not(Int128 value) { return ~value; }
static inline Int128 int128_and(Int128 left, Int128 right) { return left & right; }
static inline Int128 int128_or(Int128 left, Int128 right) { return left | right; }
static inline Int128 int128_xor(Int128 left, Int128 right) { return left ^ right; }
static inline Int128 int128_rshift(Int128 value, int count) { return value >> count; }

static inline Int128 int128_urshift(Int128 value, int count)
{
    return (Int128)((unsigned __int128)value >> count);
}

static inline Int128 int128_lshift(Int128 value, int count)
{
    return (Int128)((unsigned __int128)value << count);
}

/* Sums wrap at 128 bits, like the unsigned type: no sum of a few 65-bit values comes near. */
static inline Int128 int128_add(Int128 left, Int128 right)
{
    return (Int128)((unsigned __int128)left + (unsigned __int128)right);
}

static inline Int128 int128_sub(Int128 left, Int128 right)
{
    return (Int128)((unsigned __int128)left - (unsigned __int128)right);
}

static inline Int128 int128_neg(Int128 value) { return int128_sub(0, value); }

static inline bool int128_nonneg(Int128 value) { return value >= 0; }
static inline bool int128_nz(Int128 value) { return value != 0; }
static inline bool int128_eq(Int128 left, Int128 right) { return left == right; }
static inline bool int128_ne(Int128 left, Int128 right) { return left != right; }
static inline bool int128_lt(Int128 left, Int128 right) { return left < right; }
static inline bool int128_le(Int128 left, Int128 right) { return left <= right; }
static inline bool int128_gt(Int128 left, Int128 right) { return left > right; }
static inline bool int128_ge(Int128 left, Int128 right) { return left >= right; }

static inline bool int128_ult(Int128 left, Int128 right)
{
    return (unsigned __int128)left < (unsigned __int128)right;
}

static inline bool int128_uge(Int128 left, Int128 right) { return !int128_ult(left, right); }

static inline Int128 int128_min(Int128 left, Int128 right) { return right < left ? right : left; }
static inline Int128 int128_max(Int128 left, Int128 right) { return right > left ? right : left; }

static inline void int128_addto(Int128 *sum, Int128 value) { *sum = int128_add(*sum, value); }
static inline void int128_subfrom(Int128 *rest, Int128 value) { *rest = int128_sub(*rest, value); }

#endif
