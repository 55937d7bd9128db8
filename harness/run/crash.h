/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the core crashes, stops on misuse or trips a sanitizer, say which step
 * did it.  The handlers print and then leave the end to whoever had it before
 * (the fuzzing engine, the sanitizer, the default action).
 */
#ifndef HARNESS_RUN_CRASH_H
#define HARNESS_RUN_CRASH_H

#include "run/run.h"

/* Install once: for programs that are their own main(). */
void crash_watch_install(void);

/*
 * Under an engine the two halves have different times.
 * Sanitizers call one function only before they end the process, and libFuzzer's
 * writes the artifact: ours must be set before it, so that its own replaces it.
 * abort() goes from handler to handler: ours must be set after the engine's.
 */
void crash_watch_sanitizers(void);
void crash_watch_abort(void);

/* From here on a crash is reported with this runner's last steps; `replay` and `trace` may be NULL. */
void crash_watch_begin(const struct runner *r, const struct trace *trace, const char *replay);
void crash_watch_end(void);

#endif
