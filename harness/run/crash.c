/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/crash.h"

#include <signal.h>
#include <string.h>

/* Sanitizers call this before they end the process; absent without them. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static struct {
    const struct runner *runner;    /* NULL: nothing is being played */
    const struct trace *trace;
    const char *replay;
    struct sigaction abort_before;
} watch;

enum { PRINTED_STEPS_MAX = 64 };

static void on_death(void)
{
    const struct runner *runner = watch.runner;

    if (runner) {
        watch.runner = NULL;    /* once */
        run_report_crash(stderr, runner, watch.replay);
        if (watch.trace && watch.trace->count <= PRINTED_STEPS_MAX) {
            fprintf(stderr, "  the trace:\n");
            trace_print(watch.trace, stderr);
        }
    }
}

/* The core stops on misuse with abort(). */
static void on_abort(int signal_number)
{
    on_death();
    sigaction(SIGABRT, &watch.abort_before, NULL);
    raise(signal_number);
}

void crash_watch_sanitizers(void)
{
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(on_death);
    }
}

void crash_watch_abort(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_abort;
    sigaction(SIGABRT, &action, &watch.abort_before);
}

void crash_watch_install(void)
{
    crash_watch_sanitizers();
    crash_watch_abort();
}

void crash_watch_begin(const struct runner *r, const struct trace *trace, const char *replay)
{
    watch.trace = trace;
    watch.replay = replay;
    watch.runner = r;
}

void crash_watch_end(void)
{
    watch.runner = NULL;
}
