/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of runs: what rendering works on before it becomes a view.
 *
 * A list is ascending and its runs are disjoint; it may be empty.  Runs live
 * in a pool and are given back all at once.
 */
#ifndef MEMCORE_FLATVIEW_RUN_H
#define MEMCORE_FLATVIEW_RUN_H

#include "exec/memory.h"

typedef struct Run Run;
struct Run {
    Run *next;
    MemoryRegion *mr;
    hwaddr start;
    hwaddr last;
    hwaddr offset;              /* in mr, of the byte at start */
    bool readonly;
    bool nonvolatile;
};

typedef struct {
    Run *first;                 /* NULL: empty */
    Run *final;
} RunList;

/* The first runs come from the pool itself, so that small views cost no allocation. */
typedef struct {
    struct RunChunk *chunks;
    Run *free;
    size_t free_count;
    size_t chunk_size;          /* runs of the chunk to be allocated next */
    Run own[96];
} RunPool;

void run_pool_init(RunPool *pool);
void run_pool_release(RunPool *pool);

/* Not initialised. */
Run *run_new(RunPool *pool);

static inline RunList run_list_of(Run *run)
{
    run->next = NULL;
    return (RunList) { .first = run, .final = run };
}

/* All of `upper`, and of `lower` what that leaves uncovered.  Uses both up. */
RunList run_list_over(RunPool *pool, RunList upper, RunList lower);

/* Joins neighbours that continue each other (R-FV-3); returns how many runs are left. */
size_t run_list_join(RunList *list);

#endif
