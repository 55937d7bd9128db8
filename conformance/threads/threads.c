/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "threads.h"

#include <pthread.h>

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
/*
 * liburcu is not built with TSan: of the blocks that rcu_barrier() and call_rcu allocate in one thread and free in
 * another TSan sees malloc and free, and not what lies between.  Only what liburcu itself calls is left out; code
 * that its threads call is watched.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:liburcu.so\n";
}
#endif

void threads_case(const char *path, void (*test)(void))
{
    conformance_case(path, test);
}
