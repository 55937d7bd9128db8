/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_load in its parts, for tools that also need the file's bytes, or are told the form. */
#ifndef HARNESS_TRACE_LOAD_H
#define HARNESS_TRACE_LOAD_H

#include "trace/trace.h"

/*
 * The whole file, to be freed with g_free(); "-" is the standard input.  False after one
 * line on stderr.  `what` the file is, for the complaint about one longer than size_max.
 */
bool load_file(const char *path, size_t size_max, const char *what, uint8_t **data, size_t *size);

/* The same for traces. */
bool trace_read_file(const char *path, uint8_t **data, size_t *size);

enum trace_form {
    TRACE_FORM_GUESS,           /* by name and content: trace_load says how */
    TRACE_FORM_TEXT,
    TRACE_FORM_BINARY,
};

/*
 * The trace of what was read; *form GUESS becomes what it was.  False after one
 * line on stderr; *t is then empty.
 */
bool trace_from_file(struct trace *t, const char *path, const uint8_t *data, size_t size,
                     enum trace_form *form);

/* What complaints call the file: "<stdin>" for "-". */
const char *load_name(const char *path);

#endif
