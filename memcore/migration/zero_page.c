/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four vectors at a time, as wide as the processor has them; which width that is gets
 * asked once.  Pages that are not zero mostly differ in their first bytes, so these
 * are looked at before anything else.
 */
#include "migration/zero_page.h"

#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "memcore/memcore.h"

static uint64_t load_word(const uint8_t *place)
{
    uint64_t word;

    memcpy(&word, place, sizeof(word));
    return word;
}

static bool zero_bytes(const uint8_t *place, size_t length)
{
    uint64_t sum = 0;

    for (; length >= sizeof(sum); place += sizeof(sum), length -= sizeof(sum)) {
        sum |= load_word(place);
    }
    for (; length > 0; place++, length--) {
        sum |= *place;
    }
    return sum == 0;
}

/*
 * A function that tests `blocks` pieces of four vectors.  Vector types are the compiler's own: they load unaligned,
 * and become whatever `attributes` allow.  Only is_zero, of a vector, is the processor's: taking one apart into words
 * instead costs a seventh of the speed at which memory is read.
 */
#define DEFINE_ZERO_BLOCKS(name, vector_bytes, attributes, is_zero) \
    typedef uint64_t name##_vector __attribute__((vector_size(vector_bytes), aligned(1), may_alias)); \
    attributes static bool name(const uint8_t *place, size_t blocks) \
    { \
        for (; blocks > 0; blocks--, place += 4 * (vector_bytes)) { \
            const name##_vector *v = (const name##_vector *)place; \
            const name##_vector sum = (v[0] | v[1]) | (v[2] | v[3]); \
            if (!is_zero(sum)) { \
                return false; \
            } \
        } \
        return true; \
    }

static bool zero_words(const uint8_t *place, size_t blocks)
{
    return zero_bytes(place, blocks * 64);
}

#define IS_ZERO_16(sum) ((sum[0] | sum[1]) == 0)
DEFINE_ZERO_BLOCKS(zero_blocks_16, 16, , IS_ZERO_16)
#if defined(__x86_64__)
#define IS_ZERO_32(sum) _mm256_testz_si256((__m256i)sum, (__m256i)sum)
DEFINE_ZERO_BLOCKS(zero_blocks_32, 32, __attribute__((target("avx2"))), IS_ZERO_32)
#define IS_ZERO_64(sum) (_mm512_test_epi64_mask((__m512i)sum, (__m512i)sum) == 0)
DEFINE_ZERO_BLOCKS(zero_blocks_64, 64, __attribute__((target("avx512f"))), IS_ZERO_64)
#endif

typedef struct {
    size_t vector_bytes;
    size_t block_bytes;
    bool (*test)(const uint8_t *place, size_t blocks);
} Width;

static const Width widths[] = {
    { 0, 64, zero_words },
    { 16, 64, zero_blocks_16 },
#if defined(__x86_64__)
    { 32, 128, zero_blocks_32 },
    { 64, 256, zero_blocks_64 },
#endif
};

static Width width;

static bool processor_has(size_t vector_bytes)
{
#if defined(__x86_64__)
    if (vector_bytes > 16) {
        return vector_bytes == 64 ? __builtin_cpu_supports("avx512f") : __builtin_cpu_supports("avx2");
    }
#endif
    return vector_bytes <= 16;
}

size_t memcore_limit_vectors(size_t bytes)
{
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        if (widths[i].vector_bytes <= bytes && processor_has(widths[i].vector_bytes)) {
            width = widths[i];
        }
    }
    return width.vector_bytes;
}

/* Before main(), so that no thread ever sees the choice being made. */
__attribute__((constructor)) static void choose_widest(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    memcore_limit_vectors(SIZE_MAX);
}

bool zero_page_test(const void *memory, size_t length)
{
    const uint8_t *place = memory;
    size_t blocks, done;

    if (length >= sizeof(uint64_t) && load_word(place) != 0) {
        return false;
    }
    blocks = length / width.block_bytes;
    done = blocks * width.block_bytes;
    return width.test(place, blocks) && zero_bytes(place + done, length - done);
}
