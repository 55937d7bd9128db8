/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/save_rate.h"

#include <glib.h>

enum { WINDOW_MS = 100, PERIOD_MS = 1000 };
enum { THROTTLE_FIRST = 20, THROTTLE_STEP = 10, THROTTLE_MAX = 99, STRIKES = 2 };

void save_rate_start(SaveRate *rate, uint64_t limit, uint64_t now)
{
    *rate = (SaveRate){ .limit = limit, .window_start = now, .period_start = now };
}

static uint64_t per_second(uint64_t amount, uint64_t ms)
{
    return (uint64_t)((unsigned __int128)amount * 1000 / ms);
}

static uint64_t window_limit(const SaveRate *rate)
{
    return MAX(rate->limit / (1000 / WINDOW_MS), 1);
}

uint64_t save_rate_room(SaveRate *rate, uint64_t now)
{
    if (now - rate->window_start >= WINDOW_MS) {
        rate->bandwidth = per_second(rate->window_bytes, now - rate->window_start);
        rate->window_start = now;
        rate->window_bytes = 0;
    }
    if (!rate->limit) {
        return UINT64_MAX;
    }
    return window_limit(rate) - MIN(rate->window_bytes, window_limit(rate));
}

unsigned save_rate_wait(const SaveRate *rate, uint64_t now)
{
    const uint64_t passed = now - rate->window_start;

    if (!rate->limit || rate->window_bytes < window_limit(rate) || passed >= WINDOW_MS) {
        return 0;
    }
    return (unsigned)(WINDOW_MS - passed);
}

void save_rate_written(SaveRate *rate, uint64_t bytes)
{
    rate->window_bytes += bytes;
    rate->period_bytes += bytes;
}

bool save_rate_looked(SaveRate *rate, uint64_t dirtied, uint64_t now)
{
    bool grown = false;

    rate->period_dirtied += dirtied;
    if (now - rate->period_start < PERIOD_MS) {
        return false;
    }
    rate->dirty_bytes_rate = per_second(rate->period_dirtied, now - rate->period_start);
    if (rate->period_dirtied > rate->period_bytes / 2 && ++rate->strikes == STRIKES) {
        rate->strikes = 0;
        grown = rate->throttle_percent < THROTTLE_MAX;
        rate->throttle_percent = rate->throttle_percent ? MIN(rate->throttle_percent + THROTTLE_STEP, THROTTLE_MAX)
                                                        : THROTTLE_FIRST;
    }
    rate->period_start = now;
    rate->period_bytes = 0;
    rate->period_dirtied = 0;
    return grown;
}
