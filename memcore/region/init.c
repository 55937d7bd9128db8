/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of regions that need no memory of the host (R-REG-3). */
#include "region/internal.h"

void memory_region_init(MemoryRegion *region, Object *owner, const char *name, uint64_t size)
{
    region_create(__func__, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, size);
}

void memory_region_init_io(MemoryRegion *region, Object *owner, const MemoryRegionOps *ops, void *device,
                           const char *name, uint64_t size)
{
    region_create(__func__, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, size);
    region->terminates = true;
    region->opaque = device;
    if (ops) {
        region->ops = ops;
    }
}

void memory_region_init_alias(MemoryRegion *region, Object *owner, const char *name, MemoryRegion *target,
                              hwaddr offset, uint64_t size)
{
    memcore_require(target, "R-TREE-13", "alias '%s' has no target (NULL)", name_label(name));
    memcore_require(target != region, "R-TREE-5", "alias '%s' is its own target", name_label(name));
    region_create(__func__, region, sizeof(*region), TYPE_MEMORY_REGION, owner, name, size);
    region->alias = target;
    region->alias_offset = offset;
    cds_list_add(&region->aliases_link, &target->aliases);
}
