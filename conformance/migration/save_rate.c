/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapters 4 and 5: how fast a save goes, when it has converged, what it tells: limits
 * and measurements (R-ITER-7, 8, 10, R-SAVE-12).  Linked with --wrap for the clock, which these cases move on.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/wrapped.h"
#include "exec/ram_addr.h"
#include "migration/mapped-ram.h"
#include "save_stage.h"

enum { PAGES = 640 };                   /* ten words of a bitmap: whole words take the fast path (R-SYNC-2) */

static uint64_t clock_ms;               /* 0: the real one */
static uint64_t clock_ns;               /* behind the milliseconds */
static unsigned sleeps;

WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *time)
{
    if (!clock_ms) {
        return __real_clock_gettime(clock, time);
    }
    time->tv_sec = (time_t)(clock_ms / 1000);
    time->tv_nsec = (long)(clock_ms % 1000 * 1000000 + clock_ns);
    return 0;
}

WRAPPED(int, nanosleep, const struct timespec *time, struct timespec *left)
{
    if (!clock_ms) {
        return __real_nanosleep(time, left);
    }
    sleeps++;
    check_number(time->tv_nsec % 1000000, 0);
    clock_ms += (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_nsec / 1000000;
    return 0;
}

static void begin(void)
{
    clock_ms = clock_ns = sleeps = 0;
    save_begin(PAGES);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page % 3) {
            memset(save_block()->host + page * PAGE, (int)(page % 255 + 1), PAGE);
        }
    }
}

static void end(void)
{
    clock_ms = 0;
    save_end();
}

static void bandwidth_limit(void)
{
    RamSaveParameters p;
    RamSaveCounters counters;
    RamSave *save;
    uint64_t windows = 0;
    int more = 1;

    begin();
    clock_ms = 5000;
    memset(save_block()->host, 1, PAGES * PAGE);
    p = parameters_to_fd();
    p.bandwidth = 10 * 40 * PAGE;               /* 40 pages in 100 ms */
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    for (; more > 0; windows++) {
        check_number(ram_save_wait_ms(save), 0);
        more = ram_save_iterate(save, PAGES, &error_abort);
        ram_save_counters(save, &counters);
        check_number(counters.normal, 40 * (windows + 1));
        check_number(counters.transferred, 40 * (windows + 1) * PAGE);
        if (more > 0) {
            check_number(ram_save_iterate(save, PAGES, &error_abort), 1);       /* too early: nothing */
            check_number(ram_save_wait_ms(save), 100);
            clock_ms += 30;
            check_number(ram_save_wait_ms(save), 70);
            clock_ms += 70;
        }
    }
    check_number(windows, PAGES / 40);
    check_number(counters.bandwidth, 10 * 40 * PAGE);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_file(stage.fd, false);
    ram_save_free(save);

    /* ram_save_run sleeps through it. */
    clock_ms = 5000;
    save_run(&p);
    check_number(clock_ms, 5000 + 100 * (PAGES / 40 - 1));
    check_number(sleeps, PAGES / 40 - 1);
    end();
}

/* A limit that is no whole number of pages: the page that was begun is written, and nothing on top of that. */
static void odd_limits(void)
{
    static const struct {
        uint64_t bandwidth, pages;      /* in 100 ms */
    } rows[] = {
        { 1, 1 }, { 10 * PAGE - 10, 1 }, { 10 * PAGE, 1 }, { 10 * PAGE + 10, 2 }, { 50 * PAGE + 10, 6 },
    };

    begin();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        RamSaveParameters p = parameters_to_fd();
        RamSaveCounters counters;
        RamSave *save;

        clock_ms = 5000;
        memset(save_block()->host, 1, PAGES * PAGE);
        p.bandwidth = rows[i].bandwidth;
        save = save_new(&p);
        check_number(ram_save_setup(save, &error_abort), 0);
        for (unsigned window = 1; window < 4; window++) {
            check_number(ram_save_wait_ms(save), 0);
            check_number(ram_save_iterate(save, PAGES, &error_abort), 1);
            ram_save_counters(save, &counters);
            check_number(counters.normal, window * rows[i].pages);
            check_number(ram_save_wait_ms(save), 100);
            clock_ms += 99;
            check_number(ram_save_wait_ms(save), 1);
            check_number(ram_save_iterate(save, PAGES, &error_abort), 1);       /* too early */
            ram_save_counters(save, &counters);
            check_number(counters.normal, window * rows[i].pages);
            clock_ms++;
        }
        ram_save_free(save);
    }
    end();
}

static uint64_t round_ms;        /* what each round takes, by the clock */

static bool take_round_ms(void *opaque, const RamSaveCounters *counters)
{
    (void)opaque;
    (void)counters;
    clock_ms += round_ms;
    return true;
}

/* Saves all pages, none of them zero, 160 in a window of 100 ms, each in a round that takes `ms`. */
static void save_in_rounds(uint64_t ms)
{
    RamSaveParameters p;

    begin();
    clock_ms = 5000;
    round_ms = ms;
    memset(save_block()->host, 1, PAGES * PAGE);
    p = parameters_to_fd();
    p.bandwidth = 10 * 160 * PAGE;
    p.progress = take_round_ms;
    save_run(&p);
}

/* The shortest sleep there is. */
static void sleeps_1_ms(void)
{
    save_in_rounds(99);
    check_number(sleeps, PAGES / 160 - 1);
    end();
}

/* Who need not wait keeps the big lock: not even the shortest sleep. */
static void does_not_sleep(void)
{
    save_in_rounds(100);
    check(clock_ms >= 5000 + 100 * (PAGES / 160 - 1));
    check_number(sleeps, 0);
    end();
}

/* As pages of zeroes cost nothing, a step has room for one more: for the last one, too. */
static void to_the_last_page(void)
{
    RamSaveParameters p;
    RamSave *save;

    begin();
    clock_ms = 5000;
    memset(save_block()->host, 0, PAGES * PAGE);
    memset(save_block()->host + (PAGES - 1) * PAGE, 1, PAGE);
    p = parameters_to_fd();
    p.bandwidth = 10 * (PAGES - 1) * PAGE;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    ram_save_free(save);
    end();
}

/* Zero pages cost nothing. */
static void zero_pages_are_free(void)
{
    RamSaveParameters p;
    RamSave *save;

    begin();
    clock_ms = 5000;
    memset(save_block()->host, 0, PAGES * PAGE);
    p = parameters_to_fd();
    p.bandwidth = 10 * 40 * PAGE;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    ram_save_free(save);
    end();
}

/* What takes no longer than the downtime limit to write is little enough. */
static void downtime_limit(void)
{
    RamSaveParameters p;
    RamSave *save;

    begin();
    clock_ms = 5000;
    memset(save_block()->host, 1, PAGES * PAGE);
    p = parameters_to_fd();
    p.downtime_limit_ms = 300;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, 100, &error_abort), 1);         /* bandwidth is not known yet */
    clock_ms += 100;                                                    /* 1000 pages/s */
    check_number(ram_save_iterate(save, 239, &error_abort), 1);         /* 301 left: 301 ms */
    check_number(ram_save_iterate(save, 1, &error_abort), 1);           /* 300: not less */
    check_number(ram_save_iterate(save, 1, &error_abort), 0);
    guest_writes(0, 5);
    guest_writes(1, 5);
    check_number(ram_save_iterate(save, 1, &error_abort), 1);           /* a look found two more: 300 again */
    check_number(ram_save_iterate(save, 1, &error_abort), 0);
    check_number(ram_save_complete(save, &error_abort), 0);
    check_file(stage.fd, false);
    ram_save_free(save);
    end();
}

static const void *save_devices_slowly(void *opaque, size_t *length)
{
    (void)opaque;
    *length = 0;
    clock_ms += 40;
    return NULL;
}

/* Whole milliseconds, from setup on, and from when the writers stood still. */
static void times(void)
{
    RamSaveParameters p;
    RamSaveCounters counters;
    RamSave *save;

    begin();
    clock_ms = 5900;
    p = parameters_to_fd();
    p.save_devices = save_devices_slowly;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    check_number(counters.total_ms, 0);
    clock_ms += 250;
    clock_ns = 999999;
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    ram_save_counters(save, &counters);
    check_number(counters.total_ms, 250);
    check_number(counters.downtime_ms, 0);
    clock_ms += 3;
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    check_number(counters.total_ms, 293);
    check_number(counters.downtime_ms, 40);
    ram_save_free(save);
    end();
}

static unsigned throttled[32], throttle_calls;

static void throttle(void *opaque, unsigned percent)
{
    (void)opaque;
    g_assert_cmpuint(throttle_calls, <, G_N_ELEMENTS(throttled));
    throttled[throttle_calls++] = percent;
}

/* Twice more than half of what was sent: 20 %, then 10 % more each time, to 99 %. */
static void throttle_grows(void)
{
    RamSaveParameters p;
    RamSaveCounters counters;
    RamSave *save;

    begin();
    throttle_calls = 0;
    clock_ms = 5000;
    memset(save_block()->host, 1, PAGES * PAGE);
    p = parameters_to_fd();
    p.throttle = throttle;
    p.enough = PAGES + 1;               /* a look at each step */
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    /* First what the guest may do: half of what is sent in the same second, which it wrote in the last one. */
    for (uint64_t count = PAGES / 2; count >= PAGES / 16; count /= 2) {
        for (uint64_t page = 0; page < count; page++) {
            guest_writes(page, 2);
        }
        clock_ms += 1000;
        check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    }
    check_number(throttle_calls, 0);
    for (unsigned second = 0; second < 22; second++) {
        for (uint64_t page = 0; page < 60; page++) {
            guest_writes(page, 2);
        }
        clock_ms += 1000;
        check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
        check_number(throttle_calls, MIN((second + 1) / 2, 9));
    }
    for (unsigned i = 0; i < throttle_calls; i++) {
        check_number(throttled[i], i == 8 ? 99 : 20 + 10 * i);
    }
    ram_save_counters(save, &counters);
    check_number(counters.throttle_percent, 99);
    check_number(counters.dirty_pages_rate, 60);
    check_number(counters.total_ms, 26000);
    ram_save_free(save);
    end();
}

/* Two busy periods count, though a quiet one lies between them: only acting forgets them. */
static void throttle_remembers(void)
{
    static const struct {
        uint64_t pages;
        unsigned calls;
    } seconds[] = { { 0, 0 }, { 60, 0 }, { 0, 0 }, { 0, 0 }, { 60, 1 }, { 0, 1 }, { 60, 1 }, { 60, 2 } };
    RamSaveParameters p;
    RamSave *save;

    begin();
    throttle_calls = 0;
    clock_ms = 5000;
    p = parameters_to_fd();
    p.throttle = throttle;
    p.enough = PAGES + 1;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++) {
        for (uint64_t page = 0; page < seconds[i].pages; page++) {
            guest_writes(page, 2);
        }
        clock_ms += 1000;
        check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
        check_number(throttle_calls, seconds[i].calls);
    }
    ram_save_free(save);
    end();
}

static unsigned progress_calls, progress_limit;
static uint64_t pages_to_save;          /* over all passes, as far as is known */

static bool progress(void *opaque, const RamSaveCounters *counters)
{
    (void)opaque;
    check_number(counters->total, PAGES * PAGE);
    check_number(counters->normal + counters->zero + counters->remaining, pages_to_save);
    return ++progress_calls != progress_limit;
}

static void progress_is_told(void)
{
    RamSaveParameters p;
    Error *error = NULL;
    RamSave *save;

    begin();
    p = parameters_to_fd();
    p.progress = progress;
    pages_to_save = PAGES;
    progress_calls = progress_limit = 0;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, 100, &error_abort), 1);
    check_number(progress_calls, 1);
    check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
    check_number(progress_calls, 2);
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);

    progress_calls = 0;
    progress_limit = 2;
    save = save_new(&p);
    check_number(ram_save_setup(save, &error_abort), 0);
    check_number(ram_save_iterate(save, 100, &error_abort), 1);
    check_number(ram_save_iterate(save, 100, &error), -ECANCELED);
    check_text(error_get_pretty(error), "the save was cancelled");
    error_free(error);
    check(mapped_ram_probe(stage.fd, 0, 0, NULL, NULL) == NULL);
    ram_save_free(save);
    end();
}

/* Also during a step that is long: here of many short runs of pages. */
static void progress_in_long_steps(void)
{
    enum { RUNS = 5 * 64 - 1, RUNS_TOLD = 4 };
    RamSaveParameters p;
    Error *error = NULL;
    RamSave *save;

    begin();
    p = parameters_to_fd();
    p.progress = progress;
    p.enough = PAGES + 1;               /* a look at each step */
    for (unsigned limit = 0; limit < 2; limit++) {
        progress_limit = 0;
        pages_to_save = PAGES;
        save = save_new(&p);
        check_number(ram_save_setup(save, &error_abort), 0);
        check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
        for (uint64_t run = 0; run < RUNS; run++) {
            guest_writes(2 * run, 2);
        }
        pages_to_save += RUNS;
        check_number(ram_save_iterate(save, 0, &error_abort), 0);       /* looks */
        progress_calls = 0;
        if (limit) {
            progress_limit = 2;
            check_number(ram_save_iterate(save, PAGES, &error), -ECANCELED);
            check_text(error_get_pretty(error), "the save was cancelled");
            error_free(error);
            check_number(progress_calls, 2);
        } else {
            check_number(ram_save_iterate(save, PAGES, &error_abort), 0);
            check_number(progress_calls, RUNS_TOLD + 1);
        }
        ram_save_free(save);
    }
    end();
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-ITER-7/downtime-limit", downtime_limit);
    conformance_case("/R-ITER-8/bandwidth-limit", bandwidth_limit);
    conformance_case("/R-ITER-8/odd-limits", odd_limits);
    conformance_case("/R-ITER-8/sleeps-1-ms", sleeps_1_ms);
    conformance_case("/R-ITER-8/does-not-sleep", does_not_sleep);
    conformance_case("/R-ITER-8/to-the-last-page", to_the_last_page);
    conformance_case("/R-ITER-8/zero-pages-are-free", zero_pages_are_free);
    conformance_case("/R-ITER-10/throttle", throttle_grows);
    conformance_case("/R-ITER-10/strikes", throttle_remembers);
    conformance_case("/R-SAVE-2/progress", progress_is_told);
    conformance_case("/R-SAVE-2/progress-in-long-steps", progress_in_long_steps);
    conformance_case("/R-SAVE-12/times", times);
    conformance_case("/R-SAVE-12/throttle", throttle_grows);
    return g_test_run();
}
