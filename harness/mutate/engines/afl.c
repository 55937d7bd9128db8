/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mutation, splicing and trimming for AFL++ (AFL_CUSTOM_MUTATOR_LIBRARY).  Its own havoc
 * goes on beside it.  Distributions ship no header for this interface; the
 * prototypes are those of its documentation, afl_state_t being opaque.
 *
 * HARNESS_MAX_LEN: the longest input to make, in bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutate/mutate.h"
#include "mutate/random.h"

enum { SIZE_MAX_OF_A_TRACE = 1 << 16 };

struct mutator {
    struct random random;
    size_t longest; /* the target's max_len */
    uint8_t out[SIZE_MAX_OF_A_TRACE];
    /* trimming */
    uint8_t trimmed[SIZE_MAX_OF_A_TRACE];
    size_t trimmed_size, from, piece;
    size_t candidate_size;
};

void *afl_custom_init(void *afl, unsigned int seed);
void afl_custom_deinit(struct mutator *m);
size_t afl_custom_fuzz(struct mutator *m, uint8_t *data, size_t size, uint8_t **out, uint8_t *add,
                       size_t add_size, size_t max_size);
int32_t afl_custom_init_trim(struct mutator *m, uint8_t *data, size_t size);
size_t afl_custom_trim(struct mutator *m, uint8_t **out);
int32_t afl_custom_post_trim(struct mutator *m, uint8_t success);

void *afl_custom_init(void *afl, unsigned int seed)
{
    const char *longest = getenv("HARNESS_MAX_LEN");
    struct mutator *m = calloc(1, sizeof(*m));

    (void)afl;
    if (!m) {
        perror("trace mutator");
        abort();
    }
    m->random.state = seed;
    m->longest = longest ? strtoul(longest, NULL, 10) : sizeof(m->out);
    m->longest = m->longest && m->longest < sizeof(m->out) ? m->longest : sizeof(m->out);
    return m;
}

void afl_custom_deinit(struct mutator *m)
{
    free(m);
}

/* max_size is AFL++'s limit on files, whatever -G says. */
size_t afl_custom_fuzz(struct mutator *m, uint8_t *data, size_t size, uint8_t **out, uint8_t *add,
                       size_t add_size, size_t max_size)
{
    const uint32_t seed = (uint32_t)random_bits(&m->random);
    const size_t max = m->longest < max_size ? m->longest : max_size;

    *out = m->out;
    if (add && add_size && seed % 4 == 0) {
        return mutate_splice(data, size, add, add_size, m->out, max, seed);
    }
    size = size < max ? size : max;
    memcpy(m->out, data, size);
    return mutate_trace(m->out, size, max, seed, 0); /* the committed corpus uses all groups */
}

/* --- trimming: ever smaller runs of steps go, from the back ------------------------ */

int32_t afl_custom_init_trim(struct mutator *m, uint8_t *data, size_t size)
{
    if (size > sizeof(m->trimmed)) {
        return 0;
    }
    memcpy(m->trimmed, data, size);
    m->trimmed_size = size;
    m->from = mutate_steps(data, size);
    m->piece = (m->from + 1) / 2;
    return m->piece ? 1 : 0;
}

size_t afl_custom_trim(struct mutator *m, uint8_t **out)
{
    m->from = m->from > m->piece ? m->from - m->piece : 0;
    m->candidate_size = mutate_without(m->trimmed, m->trimmed_size, m->from, m->piece, m->out);
    *out = m->out;
    return m->candidate_size;
}

/* 0: another try; 1: done. */
int32_t afl_custom_post_trim(struct mutator *m, uint8_t success)
{
    if (success) {
        memcpy(m->trimmed, m->out, m->candidate_size);
        m->trimmed_size = m->candidate_size;
    }
    if (m->from > 0) {
        return 0;
    }
    m->from = mutate_steps(m->trimmed, m->trimmed_size);
    m->piece /= 2;
    return m->piece && m->from ? 0 : 1;
}
