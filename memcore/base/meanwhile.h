/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where tests play another thread: memcore_meanwhile(place) directly before a lock is taken, outside of all others
 * but the big one.  One load and a predicted branch while nobody plays; for cold paths.
 */
#ifndef MEMCORE_BASE_MEANWHILE_H
#define MEMCORE_BASE_MEANWHILE_H

#include "memcore/memcore.h"

typedef struct {
    void (*play)(void *opaque, MemcorePlace place);
    void *opaque;
} MeanwhileHook;
extern MeanwhileHook memcore_meanwhile_hook;

static inline void memcore_meanwhile(MemcorePlace place)
{
    if (__builtin_expect(memcore_meanwhile_hook.play != NULL, 0)) {
        memcore_meanwhile_hook.play(memcore_meanwhile_hook.opaque, place);
    }
}

#endif
