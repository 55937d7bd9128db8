/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that look at pages and write them (R-SAVE-6).  One thread submits and drains; what is
 * submitted before a drain is done, or given up after an error, when the drain returns.
 */
#ifndef MEMCORE_MIGRATION_SAVE_WORKERS_H
#define MEMCORE_MIGRATION_SAVE_WORKERS_H

#include <stdint.h>

enum { SAVE_WORKERS_MAX = 16 };

/* Pages [page, page + count) of the save's block with this number. */
typedef struct {
    uint32_t block;
    uint32_t count;
    uint64_t page;
} SaveJob;

typedef struct SaveWorkers SaveWorkers;
typedef int (*SaveWork)(void *opaque, const SaveJob *job);     /* 0 or -errno */

/* 0 and *workers; or -errno.  `count` 0: submitting is doing. */
int save_workers_new(SaveWorkers **workers, unsigned count, SaveWork work, void *opaque);

/* Waits while the queue is full.  0, or the first error so far. */
int save_workers_submit(SaveWorkers *workers, const SaveJob *job);
int save_workers_drain(SaveWorkers *workers);

/* NULL: nothing.  Joins the threads. */
void save_workers_free(SaveWorkers *workers);

#endif
