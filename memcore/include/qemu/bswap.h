/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte order: swapping values, and loading and storing them at addresses that
 * need not be aligned.  _le and _be name the order in memory; without either
 * it is the target's, which is little-endian.
 */
#ifndef QEMU_BSWAP_H
#define QEMU_BSWAP_H

#include <stdint.h>
#include <string.h>

static inline uint16_t bswap16(uint16_t value) { return __builtin_bswap16(value); }
static inline uint32_t bswap32(uint32_t value) { return __builtin_bswap32(value); }
static inline uint64_t bswap64(uint64_t value) { return __builtin_bswap64(value); }

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BSWAP_UNLESS_LE_(bits, value) bswap##bits(value)
#define BSWAP_UNLESS_BE_(bits, value) (value)
#else
#define BSWAP_UNLESS_LE_(bits, value) (value)
#define BSWAP_UNLESS_BE_(bits, value) bswap##bits(value)
#endif

#define DECLARE_CPU_ORDER_(bits, order, ORDER) \
static inline uint##bits##_t cpu_to_##order##bits(uint##bits##_t value) \
{ \
    return BSWAP_UNLESS_##ORDER##_(bits, value); \
} \
static inline uint##bits##_t order##bits##_to_cpu(uint##bits##_t value) \
{ \
    return BSWAP_UNLESS_##ORDER##_(bits, value); \
}

DECLARE_CPU_ORDER_(16, le, LE)
DECLARE_CPU_ORDER_(32, le, LE)
DECLARE_CPU_ORDER_(64, le, LE)
DECLARE_CPU_ORDER_(16, be, BE)
DECLARE_CPU_ORDER_(32, be, BE)
DECLARE_CPU_ORDER_(64, be, BE)

static inline int ldub_p(const void *place) { return *(const uint8_t *)place; }
static inline int ldsb_p(const void *place) { return *(const int8_t *)place; }
static inline void stb_p(void *place, uint8_t value) { *(uint8_t *)place = value; }

#define DECLARE_LOAD_STORE_(bits, letter, result, order, load) \
static inline result load##_##order##_p(const void *place) \
{ \
    uint##bits##_t value; \
    memcpy(&value, place, sizeof(value)); \
    return (result)order##bits##_to_cpu(value); \
} \
static inline void st##letter##_##order##_p(void *place, uint##bits##_t value) \
{ \
    value = cpu_to_##order##bits(value); \
    memcpy(place, &value, sizeof(value)); \
}

DECLARE_LOAD_STORE_(16, w, int, le, lduw)
DECLARE_LOAD_STORE_(32, l, int, le, ldl)
DECLARE_LOAD_STORE_(64, q, uint64_t, le, ldq)
DECLARE_LOAD_STORE_(16, w, int, be, lduw)
DECLARE_LOAD_STORE_(32, l, int, be, ldl)
DECLARE_LOAD_STORE_(64, q, uint64_t, be, ldq)

static inline int ldsw_le_p(const void *place) { return (int16_t)lduw_le_p(place); }
static inline int ldsw_be_p(const void *place) { return (int16_t)lduw_be_p(place); }

#define lduw_p lduw_le_p
#define ldsw_p ldsw_le_p
#define ldl_p ldl_le_p
#define ldq_p ldq_le_p
#define stw_p stw_le_p
#define stl_p stl_le_p
#define stq_p stq_le_p

#endif
