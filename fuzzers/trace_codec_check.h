/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The invariants of trace_codec.c.  A broken one is told in one line on stderr, and aborts. */
#ifndef FUZZERS_TRACE_CODEC_CHECK_H
#define FUZZERS_TRACE_CODEC_CHECK_H

#include "trace/trace.h"

/* A new input: the hash starts again. */
void codec_check_begin(void);

/* Both round trips, in whole and step by step, of a trace that was decoded or parsed. */
void codec_check_trace(const struct trace *t);

/* What trace_parse leaves and says after it refused a text. */
void codec_check_error(const struct trace *t, const char *text, size_t size, const struct trace_error *error);

#endif
