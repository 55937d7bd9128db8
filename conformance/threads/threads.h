/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cases of readers_manual and readers_background: two programs, because a
 * process chooses its way of reclaiming once.  Every case here holds in both.
 */
#ifndef THREADS_H
#define THREADS_H

#include "common/conformance.h"
#include "qemu/main-loop.h"

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

/* As conformance_start and conformance_case. */
void threads_start(int *argc, char ***argv, MemcoreReclaim mode);
void threads_case(const char *path, void (*test)(void));

/* vigil.c: one reader, one death; without chance. */
void threads_vigil_cases(void);
/* storm.c: readers and finders while the main thread changes everything; it drains now and then. */
void threads_storm_cases(unsigned rounds_a_drain);

/* The thread that called threads_start. */
bool threads_on_main(void);
/* For another thread; it yields, so that one processor is enough. */
#define WAIT_UNTIL(condition) \
    do { \
        while (!(condition)) { \
            sched_yield(); \
        } \
    } while (0)

#define LOAD(place) __atomic_load_n(&(place), __ATOMIC_SEQ_CST)
#define STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_SEQ_CST)
#define ADD(place, value) __atomic_add_fetch(&(place), (value), __ATOMIC_SEQ_CST)

#endif
