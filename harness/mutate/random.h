/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that depend on a seed and nothing else (SplitMix64). */
#ifndef HARNESS_MUTATE_RANDOM_H
#define HARNESS_MUTATE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_bits(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* From 0 to limit - 1; limit is not 0. */
static inline size_t random_below(struct random *r, size_t limit)
{
    return (size_t)((unsigned __int128)random_bits(r) * limit >> 64);
}

static inline bool random_one_in(struct random *r, size_t n)
{
    return random_below(r, n) == 0;
}

#endif
