/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/fuzz.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "run/crash.h"
#include "run/fuzz_check.h"
#include "run/run.h"
#include "run/subject.h"

enum {
    STEPS_MAX = 256,                /* a step's cost is bounded by resolve_limits_fuzz: so is an input's */
    STEPS_PER_STATS = 1 << 16,
};

static struct {
    struct runner *runner;
    struct trace trace;
    struct run_totals totals, reported;
    uint64_t execs, execs_reported;
    uint32_t groups_allowed;
    int stats_fd;
    bool watched;               /* crash_watch_abort() was called */
} fuzz = { .stats_fd = -1 };

/* The input as text, so that a log alone is enough to go on. */
static void print_trace(void)
{
    if (fuzz.trace.count <= 64) {
        fprintf(stderr, "  the trace:\n");
        trace_print(&fuzz.trace, stderr);
    }
}

/*
 * What was done since the last line: the lines add up, also when an engine kills this process and starts
 * another, or forks many from one.
 */
static void write_stats(void)
{
    char line[160];
    int length = snprintf(line, sizeof(line),
                          "execs %" PRIu64 " steps %" PRIu64 " skipped %" PRIu64 " checked %" PRIu64 "\n",
                          fuzz.execs - fuzz.execs_reported, fuzz.totals.steps - fuzz.reported.steps,
                          fuzz.totals.skipped - fuzz.reported.skipped, fuzz.totals.checked - fuzz.reported.checked);

    fuzz.execs_reported = fuzz.execs;
    fuzz.reported = fuzz.totals;
    if (write(fuzz.stats_fd, line, (size_t)length) != length) {
        close(fuzz.stats_fd);       /* statistics are not worth stopping for */
        fuzz.stats_fd = -1;
    }
}

static void start(void)
{
    const char *stats = getenv("HARNESS_STATS_FILE");
    struct run_options options;

    subject_start();
    run_options_default(&options);
    fuzz.runner = runner_new(&options);
    trace_init(&fuzz.trace);
    if (stats) {
        fuzz.stats_fd = open(stats, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
}

static void fail(const struct fuzz_options *options)
{
    crash_watch_end();
    fprintf(stderr, "\n%s on %s:", options->target, subject_name());
    run_report(stderr, fuzz.runner, NULL);
    print_trace();
    abort();
}

int fuzz_run_trace(const uint8_t *data, size_t size, const struct fuzz_options *options)
{
    if (!fuzz.runner) {
        start();
        if (options->warm_up) {
            crash_watch_sanitizers();
        }
    }
    if (!fuzz.watched && !options->warm_up) {
        /* libFuzzer leaves handlers alone that it finds, so ours go in front of its own, not before. */
        fuzz.watched = true;
        crash_watch_abort();
    }
    fuzz.groups_allowed = options->warm_up ? 0 : options->groups_allowed;
    trace_decode(&fuzz.trace, data, size);
    if (fuzz.trace.groups & ~options->groups_allowed) {
        fuzz_hash_is(0);
        return 0;
    }
    if (fuzz.trace.count > STEPS_MAX) {
        fuzz.trace.count = STEPS_MAX;
    }
    crash_watch_begin(fuzz.runner, &fuzz.trace, NULL);
    if (runner_run(fuzz.runner, &fuzz.trace, &fuzz.totals) != RUN_OK) {
        fail(options);
    }
    crash_watch_end();
    fuzz_hash_is(fuzz.totals.hash);
    fuzz.totals.hash = 0;
    fuzz.execs++;
    if (fuzz.stats_fd >= 0 && fuzz.totals.steps - fuzz.reported.steps >= STEPS_PER_STATS) {
        write_stats();
    }
    return 0;
}

uint32_t fuzz_groups_allowed(void)
{
    return fuzz.groups_allowed;
}
