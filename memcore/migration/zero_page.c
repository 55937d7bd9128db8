/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four vectors at a time, as wide as the processor has them; which width that is gets
 * asked once.  Pages that are not zero mostly differ in their first bytes, so these
 * are looked at before anything else.
 */
#include "migration/zero_page.h"

#include <stdint.h>
#include <string.h>

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
 * A function that tests `blocks` pieces of four vectors.  Vector types are the compiler's own:
 * they load unaligned, and become whatever `attributes` allow.
 */
#define DEFINE_ZERO_BLOCKS(name, vector_bytes, attributes) \
    typedef uint64_t name##_vector __attribute__((vector_size(vector_bytes), aligned(1), may_alias)); \
    attributes static bool name(const uint8_t *place, size_t blocks) \
    { \
        for (; blocks > 0; blocks--, place += 4 * (vector_bytes)) { \
            const name##_vector *v = (const name##_vector *)place; \
            const name##_vector sum = (v[0] | v[1]) | (v[2] | v[3]); \
            uint64_t all = 0; \
            for (unsigned i = 0; i < (vector_bytes) / sizeof(uint64_t); i++) { \
                all |= sum[i]; \
            } \
            if (all) { \
                return false; \
            } \
        } \
        return true; \
    }

DEFINE_ZERO_BLOCKS(zero_blocks_16, 16, )
#if defined(__x86_64__)
DEFINE_ZERO_BLOCKS(zero_blocks_32, 32, __attribute__((target("avx2"))))
#endif

static struct {
    bool (*test)(const uint8_t *place, size_t blocks);
    size_t block_bytes;
} widest = { zero_blocks_16, 64 };

/* Before main(), so that no thread ever sees the choice being made. */
__attribute__((constructor)) static void choose_widest(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) {
        widest.test = zero_blocks_32;
        widest.block_bytes = 128;
    }
#endif
}

bool zero_page_test(const void *memory, size_t length)
{
    const uint8_t *place = memory;
    size_t blocks, done;

    if (length >= sizeof(uint64_t) && load_word(place) != 0) {
        return false;
    }
    blocks = length / widest.block_bytes;
    done = blocks * widest.block_bytes;
    return widest.test(place, blocks) && zero_bytes(place + done, length - done);
}
