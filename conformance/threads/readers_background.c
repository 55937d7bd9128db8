/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "threads.h"

int main(int argc, char **argv)
{
    threads_start(&argc, &argv, MEMCORE_RECLAIM_BACKGROUND);
    threads_vigil_cases();
    threads_storm_cases(200);   /* the worker frees all the time; liburcu's barrier takes 10 ms or more */
    return g_test_run();
}
