/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HARNESS_EMIT_EMIT_C_H
#define HARNESS_EMIT_EMIT_C_H

#include <stdio.h>

#include "run/run.h"

struct emit_options {
    const char *origin;         /* name of the trace, for the comment on top */
    const char *failure;        /* how it fails; NULL: it does not */
    size_t failing_step;        /* index, by the trace's own steps; at or above the count: while everything is undone */
    bool every_step;            /* compare after every step */
    const bool *refused;        /* which steps the host refuses; NULL: none */
};

/* Predicts with the model alone: the core is not called.  What planted failures struck has to be known. */
void emit_c(FILE *out, const struct trace *t, const struct run_options *run, const struct emit_options *options);

#endif
