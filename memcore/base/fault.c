/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"
#include "base/state.h"

FaultHook memcore_fault_hook;

void memcore_set_fault(int (*fault)(void *opaque, MemcoreFault kind), void *opaque)
{
    memcore_require_big_lock("memcore.h");
    memcore_fault_hook = (FaultHook) { .ask = fault, .opaque = opaque };
}
