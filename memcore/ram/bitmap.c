/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ram/bitmap.h"

/* A line of the cache: what is looked at in one go. */
enum { CHUNK = 8 };

/* A range of bits as a part of a first word, full words, and a part of a last one; masks 0: there is none. */
typedef struct {
    size_t head;
    unsigned long head_mask;
    size_t full;
    size_t full_end;
    unsigned long tail_mask;    /* of word full_end */
} Split;

static inline Split split(size_t first, size_t count)
{
    const size_t end = first + count, shift = first % WORD_BITS;
    Split parts = { .head = first / WORD_BITS };

    if (count == 0) {
        parts.full = parts.full_end = parts.head;
        return parts;
    }
    if (shift > 0) {
        const size_t in_head = count < WORD_BITS - shift ? count : WORD_BITS - shift;

        parts.head_mask = ~0ul >> (WORD_BITS - in_head) << shift;
    }
    parts.full = (first + WORD_BITS - 1) / WORD_BITS;
    parts.full_end = end / WORD_BITS;
    if (parts.full_end < parts.full) {
        parts.full_end = parts.full;        /* all in the head */
    } else if (end % WORD_BITS) {
        parts.tail_mask = ~0ul >> (WORD_BITS - end % WORD_BITS);
    }
    return parts;
}

static inline unsigned long load(const unsigned long *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

typedef enum {
    CHUNK_CLEAR,
    CHUNK_FULL,
    CHUNK_MIXED,
} ChunkState;

#ifdef MEMCORE_THREAD_SANITIZER
static inline ChunkState chunk_state(const unsigned long *words)
{
    for (unsigned i = 0; i < CHUNK; i++) {
        if (load(&words[i])) {
            return CHUNK_MIXED;
        }
    }
    return CHUNK_CLEAR;
}

static inline void fill(unsigned long *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        __atomic_fetch_or(&words[i], ~0ul, __ATOMIC_SEQ_CST);
    }
}
#else
typedef unsigned long Vector __attribute__((vector_size(16), aligned(8), may_alias));

/*
 * Words are not torn by vector loads and stores on the machines there are; and if
 * one were, its bytes would be taken one by one, which is as good.
 */
static inline ChunkState chunk_state(const unsigned long *words)
{
    const volatile Vector *v = (const volatile Vector *)words;
    const Vector v0 = v[0], v1 = v[1], v2 = v[2], v3 = v[3];
    const Vector any = (v0 | v1) | (v2 | v3);
    const Vector all = (v0 & v1) & (v2 & v3);

    if (!(any[0] | any[1])) {
        return CHUNK_CLEAR;
    }
    return (all[0] & all[1]) == ~0ul ? CHUNK_FULL : CHUNK_MIXED;
}

static inline void fill(unsigned long *words, size_t count)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memset(words, 0xff, count * sizeof(*words));
    __asm__ volatile("" ::: "memory");
}
#endif

#ifdef MEMCORE_THREAD_SANITIZER
static inline void chunk_clear(unsigned long *words)
{
    memset(words, 0, CHUNK * sizeof(*words));   /* not reached: no chunk is called full */
}
#else
static inline void chunk_clear(unsigned long *words)
{
    volatile Vector *v = (volatile Vector *)words;
    const Vector zero = { 0 };

    v[0] = zero;
    v[1] = zero;
    v[2] = zero;
    v[3] = zero;
}
#endif

/* Chunks are aligned, so that none straddles a line. */
static inline bool starts_chunk(const unsigned long *word, size_t rest)
{
    return (uintptr_t)word % (CHUNK * sizeof(*word)) == 0 && rest >= CHUNK;
}

static inline unsigned long take_word(unsigned long *word)
{
    return load(word) ? __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) : 0;
}

static inline unsigned long take_part(unsigned long *word, unsigned long mask)
{
    return load(word) & mask ? __atomic_fetch_and(word, ~mask, __ATOMIC_SEQ_CST) & mask : 0;
}

bool bitmap_any(const unsigned long *words, size_t first, size_t count)
{
    const Split parts = split(first, count);
    size_t i = parts.full;

    if (parts.head_mask && load(&words[parts.head]) & parts.head_mask) {
        return true;
    }
    while (i < parts.full_end) {
        if (starts_chunk(&words[i], parts.full_end - i)) {
            if (chunk_state(&words[i]) != CHUNK_CLEAR) {
                return true;
            }
            i += CHUNK;
        } else if (load(&words[i++])) {
            return true;
        }
    }
    return parts.tail_mask && load(&words[i]) & parts.tail_mask;
}

bool bitmap_all(const unsigned long *words, size_t first, size_t count)
{
    const Split parts = split(first, count);

    if (~load(&words[parts.head]) & parts.head_mask) {
        return false;
    }
    for (size_t i = parts.full; i < parts.full_end; i++) {
        if (~load(&words[i])) {
            return false;
        }
    }
    return !parts.tail_mask || !(~load(&words[parts.full_end]) & parts.tail_mask);
}

void bitmap_set(unsigned long *words, size_t first, size_t count)
{
    const Split parts = split(first, count);

    if (parts.head_mask) {
        __atomic_fetch_or(&words[parts.head], parts.head_mask, __ATOMIC_SEQ_CST);
    }
    if (parts.full < parts.full_end) {
        fill(&words[parts.full], parts.full_end - parts.full);
    }
    if (parts.tail_mask) {
        __atomic_fetch_or(&words[parts.full_end], parts.tail_mask, __ATOMIC_SEQ_CST);
    }
}

void bitmap_clear(unsigned long *words, size_t first, size_t count)
{
    const Split parts = split(first, count);

    if (parts.head_mask) {
        __atomic_fetch_and(&words[parts.head], ~parts.head_mask, __ATOMIC_SEQ_CST);
    }
    for (size_t i = parts.full; i < parts.full_end; i++) {
        __atomic_store_n(&words[i], 0, __ATOMIC_SEQ_CST);
    }
    if (parts.tail_mask) {
        __atomic_fetch_and(&words[parts.full_end], ~parts.tail_mask, __ATOMIC_SEQ_CST);
    }
}

bool bitmap_take(unsigned long *words, size_t first, size_t count)
{
    const Split parts = split(first, count);
    unsigned long taken = 0;
    size_t i = parts.full;

    if (parts.head_mask) {
        taken = take_part(&words[parts.head], parts.head_mask);
    }
    while (i < parts.full_end) {
        if (starts_chunk(&words[i], parts.full_end - i)) {
            switch (chunk_state(&words[i])) {
            case CHUNK_CLEAR:
                break;
            case CHUNK_FULL:
                chunk_clear(&words[i]);
                taken = 1;
                break;
            case CHUNK_MIXED:
                for (unsigned k = 0; k < CHUNK; k++) {
                    taken |= take_word(&words[i + k]);
                }
                break;
            }
            i += CHUNK;
        } else {
            taken |= take_word(&words[i++]);
        }
    }
    if (parts.tail_mask) {
        taken |= take_part(&words[parts.full_end], parts.tail_mask);
    }
    return taken != 0;
}

void bitmap_move_words(unsigned long *to, unsigned long *from, size_t words)
{
    size_t i = 0;

    while (i < words) {
        if (starts_chunk(&from[i], words - i)) {
            switch (chunk_state(&from[i])) {
            case CHUNK_CLEAR:
                memset(&to[i], 0, CHUNK * sizeof(*to));
                break;
            case CHUNK_FULL:
                chunk_clear(&from[i]);
                memset(&to[i], 0xff, CHUNK * sizeof(*to));
                break;
            case CHUNK_MIXED:
                for (unsigned k = 0; k < CHUNK; k++) {
                    to[i + k] = take_word(&from[i + k]);
                }
                break;
            }
            i += CHUNK;
        } else {
            to[i] = take_word(&from[i]);
            i++;
        }
    }
}

/* The instruction for it is not there on the oldest machines, and a function call is not worth it. */
static inline unsigned count_word(unsigned long word)
{
    const unsigned long m1 = ~0ul / 3, m2 = ~0ul / 15 * 3, m4 = ~0ul / 255 * 15, ones = ~0ul / 255;

    word -= word >> 1 & m1;
    word = (word & m2) + (word >> 2 & m2);
    word = (word + (word >> 4)) & m4;
    return (unsigned)(word * ones >> (WORD_BITS - 8));
}

static inline uint64_t merge_word(unsigned long *to, unsigned long dirty)
{
    const unsigned long new = dirty & ~*to;

    if (!new) {
        return 0;
    }
    *to |= dirty;
    return new == ~0ul ? WORD_BITS : count_word(new);
}

/* All ones into `to`; how many were not there. */
static inline uint64_t merge_full_chunk(unsigned long *to)
{
    uint64_t new = 0;

    switch (chunk_state(to)) {
    case CHUNK_FULL:
        return 0;
    case CHUNK_CLEAR:
        memset(to, 0xff, CHUNK * sizeof(*to));
        return CHUNK * WORD_BITS;
    case CHUNK_MIXED:
        for (unsigned k = 0; k < CHUNK; k++) {
            new += merge_word(&to[k], ~0ul);
        }
    }
    return new;
}

/* Chunks with some bits, whose lines of `to` are on their way: each take waits for the stores before it. */
typedef struct {
    unsigned long *from, *to;
} Found;
enum { FOUND_MAX = 16 };

static uint64_t merge_found(const Found *found, unsigned count)
{
    uint64_t new = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned left = 0;

        for (unsigned k = 0; k < CHUNK; k++) {
            left |= (unsigned)(load(&found[i].from[k]) != 0) << k;
        }
        for (; left; left &= left - 1) {
            const unsigned k = (unsigned)__builtin_ctz(left);

            new += merge_word(&found[i].to[k], take_word(&found[i].from[k]));
        }
    }
    return new;
}

/* Whole chunks; *any as for bitmap_merge. */
static uint64_t merge_chunks(unsigned long *to, unsigned long *from, size_t chunks, bool *any)
{
    Found found[FOUND_MAX];
    unsigned count = 0;
    uint64_t new = 0;

    for (; chunks > 0; chunks--, from += CHUNK, to += CHUNK) {
        const ChunkState state = chunk_state(from);

        if (state == CHUNK_CLEAR) {
            continue;
        }
        *any = true;
        if (state == CHUNK_FULL) {
            chunk_clear(from);
            new += merge_full_chunk(to);
            continue;
        }
        __builtin_prefetch(to, 1);
        found[count++] = (Found) { from, to };
        if (count == FOUND_MAX) {
            new += merge_found(found, count);
            count = 0;
        }
    }
    return new + merge_found(found, count);
}

static inline uint64_t merge_part(unsigned long *to, unsigned long *from, unsigned long mask, bool *any)
{
    const unsigned long dirty = take_part(from, mask);

    *any |= dirty != 0;
    return merge_word(to, dirty);
}

uint64_t bitmap_merge(unsigned long *to, unsigned long *from, size_t first, size_t count, bool *taken)
{
    const Split parts = split(first, count);
    const size_t head = parts.head;
    uint64_t new = 0;
    size_t i = parts.full;

    if (parts.head_mask) {
        new += merge_part(to, &from[parts.head], parts.head_mask, taken);
    }
    while (i < parts.full_end) {
        if (starts_chunk(&from[i], parts.full_end - i)) {
            const size_t chunks = (parts.full_end - i) / CHUNK;

            new += merge_chunks(&to[i - head], &from[i], chunks, taken);
            i += chunks * CHUNK;
        } else {
            new += merge_part(&to[i - head], &from[i], ~0ul, taken);
            i++;
        }
    }
    if (parts.tail_mask) {
        new += merge_part(&to[i - head], &from[i], parts.tail_mask, taken);
    }
    return new;
}

/* --- the barrier ---------------------------------------------------------------- */

/*
 *   writer: store data; bit set? leave it          taker: clear bit; barrier; read data
 *
 * Without order between the writer's two steps his store may still wait in the
 * CPU when the taker reads: the page would be neither dirty nor up to date.  A
 * fence in every store costs more than the store; so the taker, who comes by
 * rarely, makes all threads pass one.
 */
int bitmap_writers_fence = 1;

void bitmap_barrier_init(void)
{
    if (bitmap_writers_fence &&
        syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0) {
        bitmap_writers_fence = 0;
    }
}

void bitmap_barrier(void)
{
    __sync_synchronize();
    if (!bitmap_writers_fence) {
        (void)syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);  /* registered: cannot fail */
    }
}
