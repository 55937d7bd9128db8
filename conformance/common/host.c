/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host that refuses what memcore asks it for. */
#include "conformance.h"

#include <limits.h>

static struct {
    int kind, number;
    unsigned first, times;
    unsigned asked;             /* atomic: threads of memcore ask too */
} refusal;

static int ask(void *opaque, MemcoreFault kind)
{
    (void)opaque;
    if (refusal.kind != ANYTHING && (int)kind != refusal.kind) {
        return 0;
    }
    return __atomic_fetch_add(&refusal.asked, 1, __ATOMIC_RELAXED) - refusal.first < refusal.times ? refusal.number : 0;
}

static void refuse(int kind, int number, unsigned first, unsigned times)
{
    refusal.kind = kind;
    refusal.number = number;
    refusal.first = first;
    refusal.times = times;
    refusal.asked = 0;
    memcore_set_fault(ask, NULL);
}

void host_refuses(int kind, int number)
{
    refuse(kind, number, 0, UINT_MAX);
}

void host_refuses_nth(int kind, int number, unsigned nth)
{
    refuse(kind, number, nth, 1);
}

void host_refuses_first(int kind, int number, unsigned times)
{
    refuse(kind, number, 0, times);
}

unsigned host_was_asked(void)
{
    return __atomic_load_n(&refusal.asked, __ATOMIC_RELAXED);
}

unsigned host_agrees(void)
{
    memcore_set_fault(NULL, NULL);
    return host_was_asked();
}
