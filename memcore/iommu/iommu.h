/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What iommu/ offers to access/. */
#ifndef MEMCORE_IOMMU_IOMMU_H
#define MEMCORE_IOMMU_IOMMU_H

#include "exec/memory.h"

/*
 * What the IOMMU makes of one access at `offset` of its region.  False: it
 * does not allow it.  An entry that does is sound: its mask is 2^n - 1 and its
 * target_as is there.  Under RCU.
 */
bool iommu_translate(IOMMUMemoryRegion *iommu, hwaddr offset, bool is_write, MemTxAttrs attrs,
                     IOMMUTLBEntry *entry);

#endif
