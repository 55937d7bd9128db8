/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "eventfd_world.h"

#include "world.h"

/* Places in memory are up to malloc: try until the new one lies higher. */
static EventNotifier *notifier_above(EventNotifier *lower, const char *name)
{
    for (int i = 0; i < 200; i++) {
        EventNotifier *e = stage_notifier(name);

        if (e > lower) {
            return e;
        }
    }
    g_error("malloc goes downwards only");
}

EventfdWorld eventfd_world_new(void)
{
    const World w = world_watched(0x4000);
    EventNotifier *const e0 = stage_notifier("e0"), *const e1 = notifier_above(e0, "e1");

    return (EventfdWorld) {
        .root = w.root,
        .a = w.a,
        .b = w.b,
        .as = w.as,
        .recorder = w.recorder,
        .log = w.log,
        .e0 = e0,
        .e1 = e1,
        .e2 = notifier_above(e1, "e2"),
    };
}

void idle_commit(void)
{
    MemoryRegion *spare = stage_io("spare", 1);

    memory_region_set_enabled(spare, false);
}
