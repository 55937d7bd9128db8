/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small worlds that several programs of this folder begin with. */
#ifndef CONFORMANCE_REGIONS_WORLD_H
#define CONFORMANCE_REGIONS_WORLD_H

#include "common/conformance.h"

/* One space: a[0x1000,0x2000) and b[b_start,+0x1000) in a root that spans everything. */
typedef struct {
    MemoryRegion *root, *a, *b;
    AddressSpace *as;
    Recorder *recorder;         /* NULL: nobody listens yet */
    GString *log;
} World;

World world_new(hwaddr b_start);
World world_watched(hwaddr b_start);    /* by a recorder that hears everything */

/*
 * An address space that has nothing to do with what the case changes.  Every
 * topology commit delivers one nop there (R-TREE-11), so its log tells whether
 * a call committed, and how often.
 */
GString *witness(void);
#define COMMITTED "begin\nregion_nop witness[0,0x1000)\ncommit\n"
#define NOTHING ""

#endif
