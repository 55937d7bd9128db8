/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

World world_new(hwaddr b_start)
{
    World w = {
        .root = stage_container("root", UINT64_MAX),
        .a = stage_io("a", 0x1000),
        .b = stage_io("b", 0x1000),
        .log = stage_log(),
    };

    stage_add(w.root, 0x1000, w.a);
    stage_add(w.root, b_start, w.b);
    w.as = stage_space(w.root, "as");
    return w;
}

World world_watched(hwaddr b_start)
{
    World w = world_new(b_start);

    w.recorder = recorder_watch(w.as, NULL, 0, w.log);
    return w;
}

GString *witness(void)
{
    GString *log = stage_log();
    MemoryRegion *root = stage_container("witness root", 0x2000);

    stage_add(root, 0, stage_io("witness", 0x1000));
    recorder_watch(stage_space(root, "witness"), NULL, 0, log);
    return log;
}
