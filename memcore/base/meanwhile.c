/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/meanwhile.h"
#include "base/state.h"

MeanwhileHook memcore_meanwhile_hook;

void memcore_set_meanwhile(void (*play)(void *opaque, MemcorePlace place), void *opaque)
{
    memcore_require_big_lock("memcore.h");
    memcore_meanwhile_hook = (MeanwhileHook) { .play = play, .opaque = opaque };
}
