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

void threads_case(const char *path, void (*test)(void))
{
    conformance_case(path, test);
}
