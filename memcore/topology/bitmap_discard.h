/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bitmap manager's two halves: what it says of its state, and who changes it. */
#ifndef MEMCORE_TOPOLOGY_BITMAP_DISCARD_H
#define MEMCORE_TOPOLOGY_BITMAP_DISCARD_H

#include "memcore/bitmap_discard_manager.h"

struct BitmapDiscardManager {
    RamDiscardManager parent_obj;
    MemoryRegion *mr;
    uint64_t granularity;
    uint64_t granules;
    unsigned long *bits;            /* 1: populated; bits behind the last granule are 0 */
    uint64_t populated;             /* bytes */
    BitmapDiscardHooks hooks;
    struct cds_list_head listeners; /* the newest first */
};

/* Granules [first, end) all have this state. */
bool bitmap_discard_all(const BitmapDiscardManager *manager, uint64_t first, uint64_t end, bool populated);

/* The end of the run of equal granules that `first` belongs to; not beyond `end`. */
uint64_t bitmap_discard_run(const BitmapDiscardManager *manager, uint64_t first, uint64_t end);

/* R-RDM-10: what a listener hears when everything goes. */
void bitmap_discard_tell_all_gone(BitmapDiscardManager *manager, RamDiscardListener *listener);

/* R-RDM-9, for one listener. */
int bitmap_discard_tell_populated(BitmapDiscardManager *manager, RamDiscardListener *listener);

/* The methods of the class. */
void bitmap_discard_class_init(ObjectClass *class, void *data);

#endif
