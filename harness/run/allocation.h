/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory a piece of code had allocated at its worst moment, where a sanitizer is
 * there to count: for promises such as "no more than the file has bytes".  One watch at a time.
 */
#ifndef HARNESS_RUN_ALLOCATION_H
#define HARNESS_RUN_ALLOCATION_H

#include <stddef.h>

void allocation_watch_begin(void);
/* Bytes above what there were at the beginning; 0 without a sanitizer. */
size_t allocation_watch_end(void);

#endif
