/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the core crashes, stops on misuse or trips a sanitizer, say which step
 * did it.  The handlers print and then leave the end to whoever had it before
 * (the fuzzing engine, the sanitizer, the default action).
 */
#ifndef HARNESS_RUN_CRASH_H
#define HARNESS_RUN_CRASH_H

#include "run/run.h"

/* Install once, after the engine installed its own handlers: at the first input is early enough. */
void crash_watch_install(void);

/* From here on a crash is reported with this runner's last steps; `replay` and `trace` may be NULL. */
void crash_watch_begin(const struct runner *r, const struct trace *trace, const char *replay);
void crash_watch_end(void);

#endif
