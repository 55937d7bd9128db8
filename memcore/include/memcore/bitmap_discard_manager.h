/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A RamDiscardManager (exec/memory_discard.h) with one bit a granule: memory
 * that is plugged and unplugged while the machine runs (R-BDM).
 *
 * Offsets and lengths are bytes of the region.  Needs the big lock.
 */
#ifndef MEMCORE_BITMAP_DISCARD_MANAGER_H
#define MEMCORE_BITMAP_DISCARD_MANAGER_H

#include "exec/memory.h"

#pragma GCC visibility push(default)

#define TYPE_BITMAP_DISCARD_MANAGER "memcore-bitmap-discard-manager"
typedef struct BitmapDiscardManager BitmapDiscardManager;
DECLARE_INSTANCE_CHECKER(BitmapDiscardManager, BITMAP_DISCARD_MANAGER, TYPE_BITMAP_DISCARD_MANAGER)

typedef enum {
    BITMAP_DISCARD_DISCARDED,
    BITMAP_DISCARD_POPULATED,
    BITMAP_DISCARD_MIXED,
} BitmapDiscardState;

/* The programs' side of a manager; every member may be left out. */
typedef struct {
    /* Plugging must wait, for a migration say: -EBUSY (R-BDM-2). */
    bool (*busy)(void *opaque);
    /* Puts memory behind [host, host + length), before anybody is told; 0 or -errno. */
    int (*preallocate)(void *opaque, void *host, uint64_t length);
    void *opaque;
} BitmapDiscardHooks;

/*
 * Discards all of the region's memory and becomes its manager.  `hooks` is
 * copied; NULL: none.  The caller owns the one reference; destroy drops it.
 *
 * NULL and an Error, everything as before (R-BDM-1): granularity not a power of
 * two, smaller than the backing's page, or no divisor of the region's size; a region
 * that is not RAM, read-only, without memory of its own, mapped, or managed; discarding
 * disabled by somebody; a host that cannot discard.
 */
BitmapDiscardManager *bitmap_discard_manager_new(MemoryRegion *mr, uint64_t granularity,
                                                 const BitmapDiscardHooks *hooks, Error **errp);

/* False and an Error: the region is mapped, or there are listeners. */
bool bitmap_discard_manager_destroy(BitmapDiscardManager *manager, Error **errp);

/*
 * 0, or with nothing changed: -EINVAL if the range is empty, not whole granules,
 * not inside the region, or not all discarded (plug) or populated (unplug);
 * -EBUSY if hooks->busy, a listener's objection, preallocation or the host is
 * against it (R-BDM-2, R-BDM-3).  After a failed plug the range is discarded again.
 */
int bitmap_discard_manager_plug(BitmapDiscardManager *manager, uint64_t offset, uint64_t length);
int bitmap_discard_manager_unplug(BitmapDiscardManager *manager, uint64_t offset, uint64_t length);
/* Everything; 0 or -EBUSY (R-BDM-4). */
int bitmap_discard_manager_unplug_all(BitmapDiscardManager *manager);

/* Of the granules the range touches; misuse: an empty range, or one that is not inside the region. */
BitmapDiscardState bitmap_discard_manager_state(const BitmapDiscardManager *manager, uint64_t offset,
                                                uint64_t length);
uint64_t bitmap_discard_manager_populated_bytes(const BitmapDiscardManager *manager);

/* The state as an incoming migration finds it: bit n % 64 of word n / 64 stands for granule n. */
const unsigned long *bitmap_discard_manager_bits(const BitmapDiscardManager *manager);
uint64_t bitmap_discard_manager_granules(const BitmapDiscardManager *manager);

/*
 * Takes the bits over, tells every listener of the populated parts, and discards the
 * rest; the first error of either is returned, 0 without (R-BDM-5).  Bits behind
 * the last granule are ignored.
 */
int bitmap_discard_manager_load(BitmapDiscardManager *manager, const unsigned long *bits);

#pragma GCC visibility pop

#endif
