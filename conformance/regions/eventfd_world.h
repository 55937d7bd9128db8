/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs about ioeventfds begin with. */
#ifndef CONFORMANCE_REGIONS_EVENTFD_WORLD_H
#define CONFORMANCE_REGIONS_EVENTFD_WORLD_H

#include "common/conformance.h"

/* One space with one listener and two regions, a[0x1000,0x2000) and b[0x4000,0x5000). */
typedef struct {
    MemoryRegion *root, *a, *b;
    AddressSpace *as;
    Recorder *recorder;
    GString *log;
    EventNotifier *e0, *e1, *e2;    /* ascending in memory, which is how they sort */
} EventfdWorld;

EventfdWorld eventfd_world_new(void);

/* A whole commit in which nothing changes (R-TREE-11), and what is heard of it. */
void idle_commit(void);
#define IDLE "begin\nregion_nop a[0x1000,0x2000)\nregion_nop b[0x4000,0x5000)\ncommit\n"

#endif
