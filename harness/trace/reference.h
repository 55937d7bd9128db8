/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from the table for other tools and readers. */
#ifndef HARNESS_TRACE_REFERENCE_H
#define HARNESS_TRACE_REFERENCE_H

#include "trace/trace.h"

/*
 * Byte strings that help an engine which knows nothing of the format, in the
 * dictionary syntax that libFuzzer and AFL++ share (name="\x..", at most 64
 * bytes each): headers, values, edges, modes, whole records of tree operations.
 */
void trace_write_dictionary(FILE *out);

/* The operations and operand types as a Markdown page. */
void trace_write_operations(FILE *out);

#endif
