/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HARNESS_MUTATE_NEEDS_H
#define HARNESS_MUTATE_NEEDS_H

#include "trace/trace.h"

/*
 * The operation that has to come before `op` may stand at index `at`, because it makes what `op` works on and none of
 * the steps before does: a `map` for an `unmap`.  TRACE_OP_COUNT: none is missing.
 */
enum trace_op mutate_needs(const struct trace *t, size_t at, enum trace_op op);

#endif
