/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "access.h"

#include <errno.h>

static const char *flag_text(IOMMUAccessFlags flag)
{
    static const char *const texts[] = { "-", "r", "w", "rw" };

    return texts[flag & IOMMU_RW];
}

static IOMMUTLBEntry table_translate(IOMMUMemoryRegion *iommu, hwaddr addr, IOMMUAccessFlags flag, int index)
{
    TableIommu *t = (TableIommu *)iommu;

    t->translations++;
    if (t->log_translate) {
        g_string_append_printf(t->log, "translate 0x%" PRIx64 " %s %d%s\n", (uint64_t)addr, flag_text(flag),
                               index,
                               !t->show_lock ? "" : qemu_mutex_iothread_locked() ? " locked" : " unlocked");
    }
    for (unsigned i = 0; i < t->count; i++) {
        const TableEntry *e = &t->entries[i];

        if (addr - e->iova < e->size && e->index == index) {
            return (IOMMUTLBEntry) {
                .target_as = e->as,
                .iova = t->sloppy ? 0x123456 : addr & ~e->mask,
                .translated_addr = ((e->to + (addr - e->iova)) & ~e->mask) | (t->sloppy ? e->mask & 0xabc : 0),
                .addr_mask = e->mask,
                .perm = e->perm,
            };
        }
    }
    return (IOMMUTLBEntry) { .perm = IOMMU_NONE };
}

static uint64_t table_min_page_size(IOMMUMemoryRegion *iommu)
{
    return ((TableIommu *)iommu)->min_page_size;
}

static int table_flag_changed(IOMMUMemoryRegion *iommu, IOMMUNotifierFlag old_flags,
                              IOMMUNotifierFlag new_flags,
                              Error **errp)
{
    TableIommu *t = (TableIommu *)iommu;

    g_string_append_printf(t->log, "flags %d->%d\n", old_flags, new_flags);
    if (t->flag_changed_hook) {
        t->flag_changed_hook(t->opaque);
    }
    if (t->flag_changed_result) {
        error_setg(errp, "the table does not like these flags");
    }
    return t->flag_changed_result;
}

static void table_replay(IOMMUMemoryRegion *iommu, IOMMUNotifier *notifier)
{
    TableIommu *t = (TableIommu *)iommu;

    g_string_append_printf(t->log, "replay %d\n", notifier->notifier_flags);
}

static int table_attr(IOMMUMemoryRegion *iommu, enum IOMMUMemoryRegionAttr attr, void *data)
{
    g_string_append_printf(((TableIommu *)iommu)->log, "attr %d\n", attr);
    *(int *)data = 17;
    return -ENOENT;
}

static int table_attrs_to_index(IOMMUMemoryRegion *iommu, MemTxAttrs attrs)
{
    const TableIommu *t = (TableIommu *)iommu;

    return t->index ? t->index : attrs.secure;
}

static int table_num_indexes(IOMMUMemoryRegion *iommu)
{
    (void)iommu;
    return 2;
}

static int table_page_size_mask(IOMMUMemoryRegion *iommu, uint64_t mask, Error **errp)
{
    g_string_append_printf(((TableIommu *)iommu)->log, "page_mask 0x%" PRIx64 "\n", mask);
    error_setg(errp, "not these sizes");
    return -EDOM;
}

static void plain_class_init(ObjectClass *class, void *data)
{
    (void)data;
    IOMMU_MEMORY_REGION_CLASS(class)->translate = table_translate;
}

static void full_class_init(ObjectClass *class, void *data)
{
    IOMMUMemoryRegionClass *c = IOMMU_MEMORY_REGION_CLASS(class);

    (void)data;
    c->get_min_page_size = table_min_page_size;
    c->notify_flag_changed = table_flag_changed;
    c->get_attr = table_attr;
    c->attrs_to_index = table_attrs_to_index;
    c->num_indexes = table_num_indexes;
    c->iommu_set_page_size_mask = table_page_size_mask;
}

static void replay_class_init(ObjectClass *class, void *data)
{
    (void)data;
    IOMMU_MEMORY_REGION_CLASS(class)->replay = table_replay;
}

static void mute_class_init(ObjectClass *class, void *data)
{
    (void)data;
    IOMMU_MEMORY_REGION_CLASS(class)->translate = NULL;
}

static const TypeInfo table_types[] = {
    [TABLE_PLAIN] = {
        .name = "conformance-table",
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .instance_size = sizeof(TableIommu),
        .class_init = plain_class_init,
    },
    [TABLE_FULL] = {
        .name = "conformance-table-full",
        .parent = "conformance-table",
        .class_init = full_class_init,
    },
    [TABLE_REPLAY] = {
        .name = "conformance-table-replay",
        .parent = "conformance-table-full",
        .class_init = replay_class_init,
    },
    [TABLE_MUTE] = {
        .name = "conformance-table-mute",
        .parent = "conformance-table",
        .class_init = mute_class_init,
    },
};

static void register_table_types(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table_types); i++) {
        type_register_static(&table_types[i]);
    }
}
type_init(register_table_types)

TableIommu *table_new(const char *name, uint64_t size, TableKind kind)
{
    TableIommu *t = stage_storage(sizeof(*t));

    memory_region_init_iommu(t, sizeof(*t), table_types[kind].name, NULL, name, size);
    stage_adopt(table_region(t), NULL);
    t->log = stage_log();
    t->log_translate = t->show_lock = t->sloppy = false;
    t->count = t->translations = 0;
    t->min_page_size = 0x1000;
    t->index = 0;
    t->flag_changed_result = 0;
    t->flag_changed_hook = NULL;
    t->opaque = NULL;
    return t;
}

void table_map(TableIommu *t, hwaddr iova, hwaddr size, AddressSpace *as, hwaddr to, hwaddr mask,
               IOMMUAccessFlags perm)
{
    g_assert_cmpuint(t->count, <, G_N_ELEMENTS(t->entries));
    t->entries[t->count++] = (TableEntry) { iova, size, as, to, mask, perm, 0 };
}
