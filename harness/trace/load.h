/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_load in its two halves, for tools that also need the file's bytes. */
#ifndef HARNESS_TRACE_LOAD_H
#define HARNESS_TRACE_LOAD_H

#include "trace/trace.h"

/* The whole file, to be freed with g_free(); "-" is the standard input.  False after one line on stderr. */
bool trace_read_file(const char *path, uint8_t **data, size_t *size);

/* Which of the two forms a file of that name and content has; trace_load says how that is decided. */
bool trace_looks_like_text(const char *path, const uint8_t *data, size_t size);

/* The trace of what was read.  False after one line on stderr; *t is then empty. */
bool trace_from_file(struct trace *t, const char *path, const uint8_t *data, size_t size);

#endif
