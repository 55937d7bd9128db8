/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random traces for tests, from the seed that g_test prints and takes with --seed. */
#ifndef HARNESS_TESTS_TRACE_RANDOM_H
#define HARNESS_TESTS_TRACE_RANDOM_H

#include "trace/trace.h"

uint32_t random_32(void);
uint64_t random_64(void);
void random_bytes(uint8_t *data, size_t size);

/* Any operation with fields of any content, not yet canonical. */
struct trace_step random_step(void);

/* Up to `longest` canonical steps; sometimes with groups in use that no step belongs to. */
void random_trace(struct trace *t, size_t longest);

/* The trace's text; free with g_free. */
char *trace_text(const struct trace *t, size_t *size);

#endif
