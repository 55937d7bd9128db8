/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots with the listeners' part (R-SNAP-1). */
#include "exec/ram_addr.h"
#include "topology/topology.h"

DirtyBitmapSnapshot *memory_region_snapshot_and_clear_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size,
                                                            unsigned client)
{
    DirtyBitmapSnapshot *snapshot;

    region_require_block(__func__, "R-SNAP-1", mr);
    region_require_used(__func__, "R-SNAP-7", mr, addr, size);
    region_require_client(__func__, mr, client);
    listeners_sync_dirty_log(mr);
    snapshot = cpu_physical_memory_snapshot_and_clear_dirty(mr, addr, size, client);
    memory_global_after_dirty_log_sync();
    return snapshot;
}
