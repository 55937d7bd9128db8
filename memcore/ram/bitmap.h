/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps that threads set bits in while others take them out.
 *
 * Setting a bit releases, taking one acquires.  Two shortcuts keep whole words
 * at the speed of memory, and lose nothing:
 *
 *   set a full word     a plain store of all ones is what OR-ing them in does
 *   take a full word    when it is all ones, a plain store of 0 will do: a bit that is
 *                       set between load and store is among those taken
 *
 * The second one does not read what it overwrites, so it acquires nothing by
 * itself: whoever takes bits calls bitmap_barrier() before he reads the data
 * they stand for.  (Under ThreadSanitizer, which cannot follow that, every word
 * is exchanged.)
 *
 * `first` and `count` are bits, count may be 0.
 */
#ifndef MEMCORE_RAM_BITMAP_H
#define MEMCORE_RAM_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_BITS (8 * sizeof(unsigned long))

#if defined(__SANITIZE_THREAD__)
#define MEMCORE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MEMCORE_THREAD_SANITIZER 1
#endif
#endif

static inline unsigned long bitmap_word(const unsigned long *words, uint64_t bit)
{
    return __atomic_load_n(&words[bit / WORD_BITS], __ATOMIC_RELAXED);
}

static inline bool bitmap_test(const unsigned long *words, uint64_t bit)
{
    return bitmap_word(words, bit) >> bit % WORD_BITS & 1;
}

/*
 * By a writer, after bitmap_writer_barrier().  ThreadSanitizer, who does not know what a
 * process-wide barrier orders, sees a write of nothing, which whoever takes the bit acquires.
 */
static inline bool bitmap_test_written(unsigned long *words, uint64_t bit)
{
#ifdef MEMCORE_THREAD_SANITIZER
    return __atomic_fetch_or(&words[bit / WORD_BITS], 0, __ATOMIC_SEQ_CST) >> bit % WORD_BITS & 1;
#else
    return bitmap_test(words, bit);
#endif
}

static inline void bitmap_set_one(unsigned long *words, uint64_t bit)
{
    __atomic_fetch_or(&words[bit / WORD_BITS], 1ul << bit % WORD_BITS, __ATOMIC_SEQ_CST);
}

bool bitmap_any(const unsigned long *words, size_t first, size_t count);
bool bitmap_all(const unsigned long *words, size_t first, size_t count);
void bitmap_set(unsigned long *words, size_t first, size_t count);

/* Clears the bits, whatever they are: in the same steps for the same range. */
void bitmap_clear(unsigned long *words, size_t first, size_t count);

/* Clears the bits; whether one of them was set. */
bool bitmap_take(unsigned long *words, size_t first, size_t count);

/* Moves whole words to memory that only the caller sees, which need not be initialised. */
void bitmap_move_words(unsigned long *to, unsigned long *from, size_t words);

/*
 * Takes bits [first, first + count) of `from` and sets those taken in `to`, which nobody
 * else changes and whose first word is that of bit `first`.  Returns how many were not set
 * in `to`.  *taken becomes true if there were any.
 */
uint64_t bitmap_merge(unsigned long *to, unsigned long *from, size_t first, size_t count, bool *taken);

/*
 * After taking bits: what other threads stored before they set them, or before they
 * saw them set and left it at that (bitmap_writer_barrier), can be read now.
 */
void bitmap_barrier(void);

/* 0: bitmap_barrier makes other threads take part, so that writers need no fence of their own. */
extern int bitmap_writers_fence;
void bitmap_barrier_init(void);     /* once, before other threads use bitmaps */

/* Between storing data and looking whether its bit is set already. */
static inline void bitmap_writer_barrier(void)
{
    __asm__ volatile("" ::: "memory");
    if (__builtin_expect(bitmap_writers_fence, 0)) {
        __sync_synchronize();
    }
}

#endif
