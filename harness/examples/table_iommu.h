/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IOMMU with page tables: start from here for one of your own.
 *
 *   offset in the region --[table: one entry a page]--> address in the target space
 *
 * It has one or more tables ("indexes"); requester_id of an access, modulo
 * their number, chooses, and accesses without attributes use table 0.  Every
 * change is told to the notifiers of its table.  Programs that keep a
 * translation, a device with its own TLB say, register one.
 *
 *     TableIommu iommu;
 *     table_iommu_init(&iommu, owner, "iommu", 1 << 30, 12, 1, &system_memory);
 *     memory_region_add_subregion(device_root, 0, MEMORY_REGION(&iommu));
 *     table_iommu_map(&iommu, 0, 0x1000, 0x80000000, 0x2000, IOMMU_RW);
 *
 * Locking: all functions need the big lock.  The device side, translation,
 * runs without it, so the tables have a lock of their own.
 */
#ifndef HARNESS_EXAMPLES_TABLE_IOMMU_H
#define HARNESS_EXAMPLES_TABLE_IOMMU_H

#include "exec/memory.h"
#include "qemu/thread.h"

#define TYPE_TABLE_IOMMU "table-iommu"

typedef struct TableIommuPages TableIommuPages;

/* Fields are private, except that counters may be read. */
typedef struct {
    IOMMUMemoryRegion parent_obj;
    AddressSpace *target;
    unsigned page_bits;
    unsigned indexes;
    QemuMutex mutex;                    /* guards the tables, and `translations` */
    TableIommuPages *tables;            /* one for each index */
    uint64_t translations;              /* how often the core asked */
} TableIommu;

/*
 * Makes one in the caller's storage.  It translates offsets [0, size), in pages
 * of 1 << page_bits bytes (page_bits 1 to 63), to addresses of `target`, which
 * must outlive it.  indexes is at least 1.  Nothing is mapped yet.
 */
void table_iommu_init(TableIommu *iommu, Object *owner, const char *name, uint64_t size, unsigned page_bits,
                      unsigned indexes, AddressSpace *target);

/*
 * [iova, iova + length) of a table becomes [address, ...), with `permissions`
 * (IOMMU_RO, IOMMU_WO or IOMMU_RW).  All three are multiples of a page.  What was mapped
 * there is unmapped first: notifiers hear UNMAP, then MAP, page by page.
 * False, nothing changed: not such multiples, outside the region, no such
 * table, no permission.
 */
bool table_iommu_map(TableIommu *iommu, unsigned index, hwaddr iova, hwaddr address, uint64_t length,
                     IOMMUAccessFlags permissions);

/* Unmaps what is mapped in the range, telling both kinds of UNMAP notifiers.  False as above. */
bool table_iommu_unmap(TableIommu *iommu, unsigned index, hwaddr iova, uint64_t length);

#endif
