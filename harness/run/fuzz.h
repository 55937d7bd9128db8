/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets call: one input is decoded, played, compared, and
 * everything is given back.  A failure is reported on stderr and aborts; a
 * crash of the core reports the steps that led to it.
 *
 * Environment: HARNESS_STATS_FILE names a file that is rewritten now and then
 * with one line, "execs N steps N skipped N checked N".
 */
#ifndef HARNESS_RUN_FUZZ_H
#define HARNESS_RUN_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_options {
    const char *target;         /* for the report */
    uint32_t groups_allowed;    /* bits of enum trace_group; inputs that use others are rejected at once */
    bool warm_up;               /* before the engine starts: its crash handlers are not in place yet */
};

/* Always returns 0. */
int fuzz_run_trace(const uint8_t *data, size_t size, const struct fuzz_options *options);

/* What the target allows, known from its first input on; 0 before. */
uint32_t fuzz_groups_allowed(void);

#endif
