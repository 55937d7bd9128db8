/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of regions that need no memory of the host (R-REG-3). */
#include "region/internal.h"

void memory_region_init(MemoryRegion *mr, Object *owner, const char *name, uint64_t size)
{
    region_create(__func__, mr, sizeof(*mr), TYPE_MEMORY_REGION, owner, name, size);
}

void memory_region_init_io(MemoryRegion *mr, Object *owner, const MemoryRegionOps *ops, void *opaque,
                           const char *name, uint64_t size)
{
    region_create(__func__, mr, sizeof(*mr), TYPE_MEMORY_REGION, owner, name, size);
    mr->terminates = true;
    mr->opaque = opaque;
    if (ops) {
        mr->ops = ops;
    }
}

void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name, MemoryRegion *orig, hwaddr offset,
                              uint64_t size)
{
    memcore_require(orig, "R-TREE-13", "alias '%s' has no target (NULL)", name ? name : "(unnamed)");
    memcore_require(orig != mr, "R-TREE-5", "alias '%s' is its own target", name ? name : "(unnamed)");
    region_create(__func__, mr, sizeof(*mr), TYPE_MEMORY_REGION, owner, name, size);
    mr->alias = orig;
    mr->alias_offset = offset;
    cds_list_add(&mr->aliases_link, &orig->aliases);
}
