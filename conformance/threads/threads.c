/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "threads.h"

#include <pthread.h>

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

static pthread_t main_thread;

bool threads_on_main(void)
{
    return pthread_equal(pthread_self(), main_thread);
}

void threads_start(int *argc, char ***argv, MemcoreReclaim mode)
{
    g_test_init(argc, argv, NULL);
    g_test_set_nonfatal_assertions();
    main_thread = pthread_self();
    memcore_init(mode);
}

#ifdef UNDER_TSAN
static void skip(void)
{
    g_test_skip("TSan does not know the fences of liburcu before 0.15: it would report correct programs");
}
#endif

void threads_case(const char *path, void (*test)(void))
{
#ifdef UNDER_TSAN
    if (!g_getenv("THREADS_DESPITE_TSAN")) {
        test = skip;
    }
#endif
    conformance_case(path, test);
}
