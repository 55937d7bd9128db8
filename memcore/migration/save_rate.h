/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast a save goes: the limit on bytes a second, what was measured, and how much the guest is
 * to be slowed down (R-ITER-7, R-ITER-8, R-ITER-10).  Times are milliseconds of a clock that
 * never goes back; the caller asks it, nothing here does.
 */
#ifndef MEMCORE_MIGRATION_SAVE_RATE_H
#define MEMCORE_MIGRATION_SAVE_RATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t limit;             /* bytes a second; 0: none */
    uint64_t window_start, window_bytes;        /* of 100 ms or more */
    uint64_t bandwidth;         /* of the last full window; 0: there was none */
    uint64_t period_start, period_bytes, period_dirtied;        /* of a second or more; bytes */
    uint64_t dirty_bytes_rate;
    unsigned strikes, throttle_percent;
} SaveRate;

void save_rate_start(SaveRate *rate, uint64_t limit, uint64_t now);

/* Bytes that may be written now; UINT64_MAX: any number. */
uint64_t save_rate_room(SaveRate *rate, uint64_t now);
/* Until there is room again. */
unsigned save_rate_wait(const SaveRate *rate, uint64_t now);
void save_rate_written(SaveRate *rate, uint64_t bytes);

/* After a look that found so much newly dirty.  True: throttle_percent has grown. */
bool save_rate_looked(SaveRate *rate, uint64_t dirtied, uint64_t now);

#endif
