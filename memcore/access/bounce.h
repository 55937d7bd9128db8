/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one bounce buffer of the process, and those who wait for it (R-MAP-4, R-MAP-11). */
#ifndef MEMCORE_ACCESS_BOUNCE_H
#define MEMCORE_ACCESS_BOUNCE_H

#include <stddef.h>

/* A target page of zeros, aligned like one; `size` of it may be used.  NULL: somebody has it. */
void *bounce_take(size_t size);

/* Gives it back and schedules all who wait. */
void bounce_release(void *buffer);

#endif
