/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two of the three kinds of trouble (the third, bad input, is an Error).
 *
 * Misuse by the embedding program prints exactly one line on stderr,
 *     memcore: FUNCTION: what is wrong, with which object and value (RULE)
 * and aborts, in every build type.  Corruption of memcore's own state is a
 * failed assertion; the expensive ones are compiled with -DMEMCORE_VERIFY only.
 */
#ifndef MEMCORE_BASE_MISUSE_H
#define MEMCORE_BASE_MISUSE_H

/* Control characters in the text (they come from names) are printed as \xNN, so that it stays one line. */
_Noreturn void memcore_misuse_at(const char *function, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

_Noreturn void memcore_assertion_failed(const char *condition, const char *file, int line,
                                        const char *function) __attribute__((cold));

/* For the public function the caller called; where a helper finds the trouble, it gets the name passed in. */
#define memcore_misuse(rule, ...) memcore_misuse_at(__func__, (rule), __VA_ARGS__)

#define memcore_require(condition, rule, ...) \
    do { \
        if (__builtin_expect(!(condition), 0)) { \
            memcore_misuse((rule), __VA_ARGS__); \
        } \
    } while (0)

/*
 * A tree that measures coverage takes assertions for true without evaluating
 * them: a branch that only a wrong core takes is none that tests leave out.
 * Misuse counts: tests must commit it.
 */
#ifdef MEMCORE_COVERAGE
#define memcore_assert(condition) ((void)sizeof(condition))
#else
#define memcore_assert(condition) \
    do { \
        if (__builtin_expect(!(condition), 0)) { \
            memcore_assertion_failed(#condition, __FILE__, __LINE__, __func__); \
        } \
    } while (0)
#endif

/* Without VERIFY the condition is still compiled, never evaluated. */
#ifdef MEMCORE_VERIFY
#define memcore_verify(condition) memcore_assert(condition)
#else
#define memcore_verify(condition) \
    do { \
        if (0) { \
            memcore_assert(condition); \
        } \
    } while (0)
#endif

#endif
