/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOMMU regions: their type, their class's methods with defaults, and what is expected of an answer. */
#include <errno.h>

#include "base/state.h"
#include "iommu/iommu.h"
#include "region/region.h"

void memory_region_init_iommu(void *iommu_mr, size_t instance_size, const char *mrtypename, Object *owner,
                              const char *name, uint64_t size)
{
    MemoryRegion *mr = iommu_mr;

    memcore_require(object_class_dynamic_cast(object_class_by_name(mrtypename), TYPE_IOMMU_MEMORY_REGION),
                    "R-IOM-1", "region '%s': type \"%s\" does not descend from \"%s\"",
                    name_label(name), mrtypename ? mrtypename : "(null)", TYPE_IOMMU_MEMORY_REGION);
    region_create(__func__, mr, instance_size, mrtypename, owner, name, size);
    mr->terminates = true;
    mr->is_iommu = true;
}

static IOMMUMemoryRegionClass *class_of(IOMMUMemoryRegion *iommu)
{
    return memory_region_get_iommu_class_nocheck(iommu);
}

uint64_t memory_region_iommu_get_min_page_size(IOMMUMemoryRegion *iommu_mr)
{
    const IOMMUMemoryRegionClass *class = class_of(iommu_mr);

    return class->get_min_page_size ? class->get_min_page_size(iommu_mr) : TARGET_PAGE_SIZE;
}

int memory_region_iommu_get_attr(IOMMUMemoryRegion *iommu_mr, enum IOMMUMemoryRegionAttr attr, void *data)
{
    const IOMMUMemoryRegionClass *class = class_of(iommu_mr);

    return class->get_attr ? class->get_attr(iommu_mr, attr, data) : -EINVAL;
}

int memory_region_iommu_attrs_to_index(IOMMUMemoryRegion *iommu_mr, MemTxAttrs attrs)
{
    const IOMMUMemoryRegionClass *class = class_of(iommu_mr);

    return class->attrs_to_index ? class->attrs_to_index(iommu_mr, attrs) : 0;
}

int memory_region_iommu_num_indexes(IOMMUMemoryRegion *iommu_mr)
{
    const IOMMUMemoryRegionClass *class = class_of(iommu_mr);

    return class->num_indexes ? class->num_indexes(iommu_mr) : 1;
}

int memory_region_iommu_set_page_size_mask(IOMMUMemoryRegion *iommu_mr, uint64_t page_size_mask,
                                           Error **errp)
{
    const IOMMUMemoryRegionClass *class = class_of(iommu_mr);

    return class->iommu_set_page_size_mask
               ? class->iommu_set_page_size_mask(iommu_mr, page_size_mask, errp) : 0;
}

/* Every IOMMU has table 0, so the usual answer costs no second question. */
static int index_for(IOMMUMemoryRegion *iommu, MemTxAttrs attrs)
{
    const int index = memory_region_iommu_attrs_to_index(iommu, attrs);

    if (index != 0 && (index < 0 || index >= memory_region_iommu_num_indexes(iommu))) {
        memcore_misuse_at("attrs_to_index", "R-TRN-5", "IOMMU '%s' has %d indexes and chose index %d",
                          region_label(&iommu->parent_obj), memory_region_iommu_num_indexes(iommu), index);
    }
    return index;
}

/* The mistake is the IOMMU's, so the message speaks in the name of its method. */
static void require_sound(const IOMMUMemoryRegion *iommu, hwaddr offset, const IOMMUTLBEntry *entry)
{
    const char *name = region_label(&iommu->parent_obj);

    if (entry->addr_mask & (entry->addr_mask + 1)) {
        memcore_misuse_at("translate", "R-TRN-5", "IOMMU '%s', offset 0x%" PRIx64 ": addr_mask 0x%" PRIx64
                          " is not one less than a power of two", name, offset, entry->addr_mask);
    }
    if (!entry->target_as) {
        memcore_misuse_at("translate", "R-TRN-5", "IOMMU '%s', offset 0x%" PRIx64
                          ": access is granted, but target_as is NULL", name, offset);
    }
    if (!address_space_to_flatview(entry->target_as)) {
        memcore_misuse_at("translate", "R-TRN-5", "IOMMU '%s', offset 0x%" PRIx64
                          ": target_as %p is not an initialised address space", name, offset,
                          (void *)entry->target_as);
    }
}

bool iommu_translate(IOMMUMemoryRegion *iommu, hwaddr offset, bool is_write, MemTxAttrs attrs,
                     IOMMUTLBEntry *entry)
{
    const IOMMUAccessFlags needed = is_write ? IOMMU_WO : IOMMU_RO;
    const IOMMUMemoryRegionClass *class = class_of(iommu);

    if (!class->translate) {
        memcore_misuse_at("translate", "R-IOM-1", "IOMMU '%s': type \"%s\" has no translate method",
                          region_label(&iommu->parent_obj), object_get_typename(OBJECT(iommu)));
    }
    *entry = class->translate(iommu, offset, needed, index_for(iommu, attrs));
    if (!(entry->perm & needed)) {
        return false;
    }
    require_sound(iommu, offset, entry);
    return true;
}

static void iommu_instance_init(Object *object)
{
    IOMMUMemoryRegion *iommu = (IOMMUMemoryRegion *)object;

    CDS_INIT_LIST_HEAD(&iommu->iommu_notify);
}

/* Notifiers belong to others, who may look at them after the region is gone. */
static void iommu_instance_finalize(Object *object)
{
    IOMMUMemoryRegion *iommu = (IOMMUMemoryRegion *)object;
    IOMMUNotifier *n, *next;

    cds_list_for_each_entry_safe(n, next, &iommu->iommu_notify, node) {
        cds_list_del(&n->node);
        n->iommu = NULL;
    }
}

static const TypeInfo iommu_type = {
    .name = TYPE_IOMMU_MEMORY_REGION,
    .parent = TYPE_MEMORY_REGION,
    .instance_size = sizeof(IOMMUMemoryRegion),
    .instance_init = iommu_instance_init,
    .instance_finalize = iommu_instance_finalize,
    .class_size = sizeof(IOMMUMemoryRegionClass),
    .abstract = true,
};

static void register_types(void)
{
    type_register_static(&iommu_type);
}
type_init(register_types)
