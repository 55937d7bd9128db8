/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of a region were written.  A part of exec/memory.h; include that.
 * The same questions by ram_addr: exec/ram_addr.h.
 *
 * Dirty bits stand for target pages; a range means all pages it touches.
 * Addresses are relative to the region, which must have a block of its own:
 * aliases are not followed.  A range that ends behind the used part of the block,
 * and a client that does not exist, are misuse.
 */
#include "exec/memory.h"      /* before the guard: it includes this file at the right place */

#ifndef EXEC_MEMORY_DIRTY_H
#define EXEC_MEMORY_DIRTY_H

#pragma GCC visibility push(default)

/* As if the bytes had been written, for everyone who logs the region now (R-DIRTY-11).  Any thread. */
void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size);

/*
 * Clean for one client; listeners are told (log_clear, R-DIRTY-12).  Needs the
 * big lock, or the certainty that no listener comes or goes.
 */
void memory_region_reset_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size, unsigned client);

/*
 * Takes the dirty bits of one client out of the bitmap: asks listeners to bring
 * it up to date (log_sync), moves the bits, tells listeners (log_clear, for
 * exactly the range asked for), and waits for writers that saw a bit still set
 * (log_global_after_sync).  A write during the call is in this snapshot or in the
 * next (R-SNAP-4).
 *
 * Whole words are moved, 64 pages at a time: bits around the range go too, and
 * may be asked for (R-SNAP-2).  Release it with g_free() or free().  Locking
 * as for reset_dirty.
 */
DirtyBitmapSnapshot *memory_region_snapshot_and_clear_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size,
                                                            unsigned client);

/* Whether one of the range's pages is dirty in the snapshot.  Misuse: a range outside it (R-SNAP-6). */
bool memory_region_snapshot_get_dirty(MemoryRegion *mr, DirtyBitmapSnapshot *snap, hwaddr addr, hwaddr size);

#pragma GCC visibility pop

#endif
