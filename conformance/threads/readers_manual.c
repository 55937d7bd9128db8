/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "threads.h"

int main(int argc, char **argv)
{
    threads_start(&argc, &argv, MEMCORE_RECLAIM_MANUAL);
    threads_vigil_cases();
    threads_storm_cases(16);    /* nothing is freed but by the drain */
    return g_test_run();
}
