/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planted failures: memcore_fault(kind) || mmap(...) == MAP_FAILED.  One load
 * and a predicted branch while nobody plants any.
 */
#ifndef MEMCORE_BASE_FAULT_H
#define MEMCORE_BASE_FAULT_H

#include <errno.h>
#include <stdbool.h>

#include "memcore/memcore.h"

typedef struct {
    int (*ask)(void *opaque, MemcoreFault kind);
    void *opaque;
} FaultHook;
extern FaultHook memcore_fault_hook;

/* True: the call is to fail, and errno is set. */
static inline bool memcore_fault(MemcoreFault kind)
{
    int error;

    if (__builtin_expect(!memcore_fault_hook.ask, 1)) {
        return false;
    }
    error = memcore_fault_hook.ask(memcore_fault_hook.opaque, kind);
    if (error) {
        errno = error;
    }
    return error != 0;
}

#endif
