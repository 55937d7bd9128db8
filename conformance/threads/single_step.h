/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every interleaving of two threads, of which one acts at once: the processor's trap flag instead of chance. */
#ifndef SINGLE_STEP_H
#define SINGLE_STEP_H

#include <stdint.h>

/* NULL, or why this program cannot be stepped. */
const char *single_step_missing(void);

/*
 * Calls run(), and between() after each of its instructions; not from several threads at a time.  between() acts in a
 * signal handler, in the midst of whatever run() is at: it may neither lock nor allocate.
 * Returns the number of instructions.
 */
uint64_t single_step(void (*run)(void), void (*between)(void));

#endif
