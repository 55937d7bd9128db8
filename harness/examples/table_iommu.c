/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "examples/table_iommu.h"

#include <glib.h>

/* Sparse: most of a large region is never mapped. */
struct TableIommuPages {
    GHashTable *pages;                  /* page number -> Page; only ever looked up */
};

typedef struct {
    uint64_t number;                    /* first: it is its own key */
    hwaddr address;
    IOMMUAccessFlags permissions;
} Page;

static TableIommu *table_iommu(IOMMUMemoryRegion *region)
{
    return (TableIommu *)region;
}

static hwaddr page_mask(const TableIommu *iommu)
{
    return ((hwaddr)1 << iommu->page_bits) - 1;
}

static const Page *page_at(const TableIommu *iommu, unsigned index, uint64_t number)
{
    return g_hash_table_lookup(iommu->tables[index].pages, &number);
}

/* --- what the core calls ------------------------------------------------------- */

/*
 * Says what is there, whatever `flag` needs: the core compares.  Runs in any
 * thread, and for every piece of an access.
 */
static IOMMUTLBEntry translate(IOMMUMemoryRegion *region, hwaddr offset, IOMMUAccessFlags flag, int index)
{
    TableIommu *iommu = table_iommu(region);
    IOMMUTLBEntry entry = {
        .target_as = iommu->target,
        .iova = offset & ~page_mask(iommu),
        .addr_mask = page_mask(iommu),
        .perm = IOMMU_NONE,
    };
    const Page *page;

    (void)flag;
    qemu_mutex_lock(&iommu->mutex);
    iommu->translations++;
    page = page_at(iommu, (unsigned)index, offset >> iommu->page_bits);
    if (page) {
        entry.translated_addr = page->address;
        entry.perm = page->permissions;
    }
    qemu_mutex_unlock(&iommu->mutex);
    return entry;
}

static uint64_t get_min_page_size(IOMMUMemoryRegion *region)
{
    return page_mask(table_iommu(region)) + 1;
}

static int attrs_to_index(IOMMUMemoryRegion *region, MemTxAttrs attrs)
{
    return attrs.unspecified ? 0 : (int)(attrs.requester_id % table_iommu(region)->indexes);
}

static int num_indexes(IOMMUMemoryRegion *region)
{
    return (int)table_iommu(region)->indexes;
}

/* --- what the owner of the IOMMU calls ------------------------------------------- */

/* Both kinds of notifiers that keep translations must forget this one. */
static void tell_unmapped(TableIommu *iommu, unsigned index, const Page *page)
{
    IOMMUTLBEvent event = {
        .type = IOMMU_NOTIFIER_UNMAP,
        .entry = {
            .target_as = iommu->target,
            .iova = page->number << iommu->page_bits,
            .translated_addr = page->address,
            .addr_mask = page_mask(iommu),
            .perm = IOMMU_NONE,
        },
    };

    memory_region_notify_iommu(&iommu->parent_obj, (int)index, event);
    event.type = IOMMU_NOTIFIER_DEVIOTLB_UNMAP;
    memory_region_notify_iommu(&iommu->parent_obj, (int)index, event);
}

static void tell_mapped(TableIommu *iommu, unsigned index, const Page *page)
{
    const IOMMUTLBEvent event = {
        .type = IOMMU_NOTIFIER_MAP,
        .entry = {
            .target_as = iommu->target,
            .iova = page->number << iommu->page_bits,
            .translated_addr = page->address,
            .addr_mask = page_mask(iommu),
            .perm = page->permissions,
        },
    };

    memory_region_notify_iommu(&iommu->parent_obj, (int)index, event);
}

/* The table changes before anybody hears of it: a notifier may ask. */
static void unmap_page(TableIommu *iommu, unsigned index, uint64_t number)
{
    const Page *page = page_at(iommu, index, number);
    Page old;

    if (page) {
        old = *page;
        qemu_mutex_lock(&iommu->mutex);
        g_hash_table_remove(iommu->tables[index].pages, &number);
        qemu_mutex_unlock(&iommu->mutex);
        tell_unmapped(iommu, index, &old);
    }
}

static void map_page(TableIommu *iommu, unsigned index, const Page *page)
{
    Page *copy = g_new(Page, 1);

    *copy = *page;
    unmap_page(iommu, index, page->number);
    qemu_mutex_lock(&iommu->mutex);
    g_hash_table_add(iommu->tables[index].pages, copy);
    qemu_mutex_unlock(&iommu->mutex);
    tell_mapped(iommu, index, page);
}

static bool is_range(const TableIommu *iommu, unsigned index, hwaddr iova, uint64_t length)
{
    const Int128 end = (Int128)iova + length;

    return index < iommu->indexes && ((iova | length) & page_mask(iommu)) == 0 &&
           end <= iommu->parent_obj.parent_obj.size;
}

bool table_iommu_map(TableIommu *iommu, unsigned index, hwaddr iova, hwaddr address, uint64_t length,
                     IOMMUAccessFlags permissions)
{
    if (!is_range(iommu, index, iova, length) || (address & page_mask(iommu)) ||
        permissions == IOMMU_NONE) {
        return false;
    }
    for (uint64_t done = 0; done < length; done += page_mask(iommu) + 1) {
        const Page page = {
            .number = (iova + done) >> iommu->page_bits,
            .address = address + done,
            .permissions = permissions,
        };

        map_page(iommu, index, &page);
    }
    return true;
}

bool table_iommu_unmap(TableIommu *iommu, unsigned index, hwaddr iova, uint64_t length)
{
    if (!is_range(iommu, index, iova, length)) {
        return false;
    }
    for (uint64_t done = 0; done < length; done += page_mask(iommu) + 1) {
        unmap_page(iommu, index, (iova + done) >> iommu->page_bits);
    }
    return true;
}

/* --- the type -------------------------------------------------------------------- */

void table_iommu_init(TableIommu *iommu, Object *owner, const char *name, uint64_t size, unsigned page_bits,
                      unsigned indexes, AddressSpace *target)
{
    /* Zeroes the whole struct, so everything of ours comes after. */
    memory_region_init_iommu(iommu, sizeof(*iommu), TYPE_TABLE_IOMMU, owner, name, size);
    iommu->target = target;
    iommu->page_bits = page_bits;
    iommu->indexes = indexes;
    qemu_mutex_init(&iommu->mutex);
    iommu->tables = g_new(TableIommuPages, indexes);
    for (unsigned i = 0; i < indexes; i++) {
        iommu->tables[i].pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    }
}

static void finalize(Object *object)
{
    TableIommu *iommu = (TableIommu *)object;

    for (unsigned i = 0; i < iommu->indexes; i++) {
        g_hash_table_destroy(iommu->tables[i].pages);
    }
    g_free(iommu->tables);
    qemu_mutex_destroy(&iommu->mutex);
}

static void class_init(ObjectClass *class, void *data)
{
    IOMMUMemoryRegionClass *iommu_class = IOMMU_MEMORY_REGION_CLASS(class);

    (void)data;
    iommu_class->translate = translate;
    iommu_class->get_min_page_size = get_min_page_size;
    iommu_class->attrs_to_index = attrs_to_index;
    iommu_class->num_indexes = num_indexes;
}

static const TypeInfo table_iommu_type = {
    .name = TYPE_TABLE_IOMMU,
    .parent = TYPE_IOMMU_MEMORY_REGION,
    .instance_size = sizeof(TableIommu),
    .instance_finalize = finalize,
    .class_init = class_init,
};

static void register_types(void)
{
    type_register_static(&table_iommu_type);
}
type_init(register_types)
