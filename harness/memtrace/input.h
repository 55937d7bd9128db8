/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces that are named on the command line. */
#ifndef HARNESS_MEMTRACE_INPUT_H
#define HARNESS_MEMTRACE_INPUT_H

#include "trace/trace.h"

struct input {
    struct trace trace;
    uint8_t *data;              /* the file */
    size_t size;
    bool binary;                /* of the two forms */
};

enum input_flags {
    INPUT_BINARY = 1,           /* the file is binary, whatever it looks like */
    INPUT_NEEDS_STEPS = 2,      /* text without steps is refused too */
    INPUT_ANY_SIZE = 4,         /* binary without steps is not refused: engines keep such inputs */
};

/*
 * Reads a trace of either form.  A file that is empty, or neither text nor long enough for
 * a step in binary, is no trace to people, although engines run it.  False after one line
 * on stderr; then nothing is to be freed.
 */
bool input_load(struct input *in, const char *path, unsigned flags);
void input_free(struct input *in);

/* What follows the last slash. */
const char *input_base_name(const char *path);

#endif
