/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flatview/run.h"

#include <glib.h>

#include "base/misuse.h"

struct RunChunk {
    struct RunChunk *next;
    Run runs[];
};

void run_pool_init(RunPool *pool)
{
    pool->chunks = NULL;
    pool->free = pool->own;
    pool->free_count = G_N_ELEMENTS(pool->own);
    pool->chunk_size = 4 * G_N_ELEMENTS(pool->own);
}

void run_pool_release(RunPool *pool)
{
    while (pool->chunks) {
        struct RunChunk *chunk = pool->chunks;

        pool->chunks = chunk->next;
        g_free(chunk);
    }
}

Run *run_new(RunPool *pool)
{
    if (pool->free_count == 0) {
        struct RunChunk *chunk = g_malloc(sizeof(*chunk) + pool->chunk_size * sizeof(Run));

        chunk->next = pool->chunks;
        pool->chunks = chunk;
        pool->free = chunk->runs;
        pool->free_count = pool->chunk_size;
        pool->chunk_size *= 2;
    }
    pool->free_count--;
    return pool->free++;
}

/* `first` to `final` hang together already. */
static void append_all(RunList *list, Run *first, Run *final)
{
    if (list->first) {
        list->final->next = first;
    } else {
        list->first = first;
    }
    list->final = final;
}

static void append(RunList *list, Run *run)
{
    append_all(list, run, run);
}

static RunList concatenate(RunList low, RunList high)
{
    low.final->next = high.first;
    return (RunList) { .first = low.first, .final = high.final };
}

/* Cuts off what lies below `start`. */
static void trim_to(Run *run, hwaddr start)
{
    run->offset += start - run->start;
    run->start = start;
}

/*
 *   upper         ======     ==
 *   lower     --------- ---------- ---
 *   result    ----======-----==--- ---
 *
 * One pass over both, since each step uses up a run of one of them.
 */
RunList run_list_over(RunPool *pool, RunList upper, RunList lower)
{
    Run *front = upper.first, *behind = lower.first;
    RunList result = { NULL, NULL };

    memcore_assert(front);
    if (!behind) {
        return upper;
    }
    if (upper.final->last < behind->start) {
        return concatenate(upper, lower);
    }
    if (lower.final->last < front->start) {
        return concatenate(lower, upper);
    }

    while (front && behind) {
        if (behind->last < front->start) {
            Run *next = behind->next;

            append(&result, behind);
            behind = next;
        } else if (front->last < behind->start) {
            Run *next = front->next;

            append(&result, front);
            front = next;
        } else {
            if (behind->start < front->start) {
                Run *visible = run_new(pool);

                *visible = *behind;
                visible->last = front->start - 1;
                append(&result, visible);
            }
            if (behind->last > front->last) {
                trim_to(behind, front->last + 1);
            } else {
                behind = behind->next;
            }
        }
    }
    if (front) {
        append_all(&result, front, upper.final);
    } else {
        append_all(&result, behind, lower.final);
    }
    return result;
}

/* Exact: after the last byte of a 2^64 region its byte 0 does not continue it. */
static Int128 shift(const Run *run)
{
    return (Int128)run->start - run->offset;
}

static bool continues(const Run *low, const Run *high)
{
    return low->mr == high->mr && low->last + 1 == high->start && shift(low) == shift(high) &&
           low->readonly == high->readonly && low->nonvolatile == high->nonvolatile;
}

size_t run_list_join(RunList *list)
{
    size_t count = 0;

    for (Run *run = list->first; run; run = run->next) {
        while (run->next && continues(run, run->next)) {
            run->last = run->next->last;
            run->next = run->next->next;
        }
        list->final = run;
        count++;
    }
    return count;
}
