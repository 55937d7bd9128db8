/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told that translations changed (R-IOM-4..12), and replay (R-IOM-14). */
#include "base/state.h"
#include "iommu/iommu.h"
#include "qapi/error.h"
#include "region/region.h"

static IOMMUMemoryRegion *require_iommu(const char *function, const char *rule, MemoryRegion *mr)
{
    IOMMUMemoryRegion *iommu = memory_region_get_iommu(mr);

    if (!iommu) {
        memcore_misuse_at(function, rule, "region '%s' is not an IOMMU", region_label(mr));
    }
    return iommu;
}

static bool is_registered(const IOMMUMemoryRegion *iommu, const IOMMUNotifier *wanted)
{
    const IOMMUNotifier *n;

    IOMMU_NOTIFIER_FOREACH(n, iommu) {
        if (n == wanted) {
            return true;
        }
    }
    return false;
}

static IOMMUNotifierFlag wanted_by_all(const IOMMUMemoryRegion *iommu)
{
    unsigned flags = IOMMU_NOTIFIER_NONE;
    const IOMMUNotifier *n;

    IOMMU_NOTIFIER_FOREACH(n, iommu) {
        flags |= n->notifier_flags;
    }
    return (IOMMUNotifierFlag)flags;
}

/* Asks the class, if anything changes; its consent makes the new flags valid. */
static int update_flags(IOMMUMemoryRegion *iommu, Error **errp)
{
    const IOMMUMemoryRegionClass *class = memory_region_get_iommu_class_nocheck(iommu);
    const IOMMUNotifierFlag old = iommu->iommu_notify_flags, new = wanted_by_all(iommu);
    int result = 0;

    if (new != old && class->notify_flag_changed) {
        result = class->notify_flag_changed(iommu, old, new, errp);
    }
    if (result == 0) {
        iommu->iommu_notify_flags = new;
    }
    return result;
}

/* Each notifier belongs here, and F is what they want together: also after a refusal (R-IOM-4, R-IOM-7). */
static void verify(const IOMMUMemoryRegion *iommu)
{
    const IOMMUNotifier *n;

    IOMMU_NOTIFIER_FOREACH(n, iommu) {
        memcore_verify(n->iommu == iommu && n->notifier_flags != IOMMU_NOTIFIER_NONE && n->start <= n->end);
    }
    memcore_verify(iommu->iommu_notify_flags == wanted_by_all(iommu));
}

static void take_off(IOMMUNotifier *n)
{
    cds_list_del(&n->node);
    n->iommu = NULL;
}

int memory_region_register_iommu_notifier(MemoryRegion *mr, IOMMUNotifier *n, Error **errp)
{
    IOMMUMemoryRegion *iommu = require_iommu(__func__, "R-IOM-4", mr);
    const char *name = region_label(&iommu->parent_obj);
    int result;

    memcore_require_big_lock("R-IOM-4");
    memcore_require(n->notifier_flags != IOMMU_NOTIFIER_NONE, "R-IOM-4",
                    "IOMMU '%s': notifier %p wants no events (flags 0)", name, (void *)n);
    memcore_require(n->start <= n->end, "R-IOM-4",
                    "IOMMU '%s': notifier %p begins at 0x%" PRIx64 ", behind its end 0x%" PRIx64, name,
                    (void *)n, n->start, n->end);
    memcore_require(n->iommu_idx >= 0 && n->iommu_idx < memory_region_iommu_num_indexes(iommu), "R-IOM-4",
                    "IOMMU '%s' has %d indexes, notifier %p wants index %d", name,
                    memory_region_iommu_num_indexes(iommu), (void *)n, n->iommu_idx);
    memcore_require(!n->iommu && !is_registered(iommu, n), "R-IOM-4",
                    "IOMMU '%s': notifier %p is registered already", name, (void *)n);

    cds_list_add(&n->node, &iommu->iommu_notify);
    n->iommu = iommu;
    result = update_flags(iommu, errp);
    if (result != 0) {
        take_off(n);
    }
    verify(iommu);
    return result;
}

void memory_region_unregister_iommu_notifier(MemoryRegion *mr, IOMMUNotifier *n)
{
    IOMMUMemoryRegion *iommu = require_iommu(__func__, "R-IOM-7", mr);
    const char *name = region_label(&iommu->parent_obj);
    Error *ignored = NULL;

    memcore_require_big_lock("R-IOM-7");
    memcore_require(is_registered(iommu, n), "R-IOM-7", "IOMMU '%s': notifier %p is not registered", name,
                    (void *)n);
    memcore_require(iommu->notifying == 0, "R-IOM-8",
                    "IOMMU '%s': notifier %p cannot leave while notifiers are being called", name, (void *)n);
    take_off(n);
    if (update_flags(iommu, &ignored) != 0) {
        error_free(ignored);
        iommu->iommu_notify_flags = wanted_by_all(iommu);   /* R-IOM-7: the truth counts */
    }
    verify(iommu);
}

/* --- events ------------------------------------------------------------------ */

/* A notifier that is told alone need not be registered. */
static const char *label(const IOMMUMemoryRegion *iommu)
{
    return iommu ? region_label(&iommu->parent_obj) : "(none)";
}

static void require_sound_event(const char *function, const IOMMUMemoryRegion *iommu, const IOMMUTLBEvent *event)
{
    const IOMMUTLBEntry *entry = &event->entry;

    if (event->type != IOMMU_NOTIFIER_UNMAP && event->type != IOMMU_NOTIFIER_MAP &&
        event->type != IOMMU_NOTIFIER_DEVIOTLB_UNMAP) {
        memcore_misuse_at(function, "R-IOM-9", "IOMMU '%s': event type 0x%x is not exactly one flag", label(iommu),
                          (unsigned)event->type);
    }
    if (entry->addr_mask > HWADDR_MAX - entry->iova) {
        memcore_misuse_at(function, "R-IOM-9", "IOMMU '%s': event at 0x%" PRIx64 " with addr_mask 0x%" PRIx64
                          " passes 2^64", label(iommu), entry->iova, entry->addr_mask);
    }
}

/*
 *   event            ----------------
 *   range       n.start ======= n.end
 *   delivered           -------          only to those who want DEVIOTLB_UNMAP
 */
static IOMMUTLBEntry crop(const IOMMUTLBEntry *entry, const IOMMUNotifier *n, IOMMUNotifierFlag type)
{
    const hwaddr last = entry->iova + entry->addr_mask;
    IOMMUTLBEntry part = *entry;

    if (part.iova < n->start) {
        part.iova = n->start;
        if (type == IOMMU_NOTIFIER_MAP) {
            part.translated_addr += n->start - entry->iova;     /* R-IOM-11 */
        }
    }
    part.addr_mask = (last < n->end ? last : n->end) - part.iova;
    return part;
}

/* R-IOM-9; what the notifier does not want is not looked at any closer (R-IOM-12). */
static void notify_one(const char *function, IOMMUNotifier *n, const IOMMUTLBEvent *event)
{
    IOMMUTLBEntry entry = event->entry;
    const hwaddr last = entry.iova + entry.addr_mask;

    if (!(event->type & n->notifier_flags)) {
        return;
    }
    if (event->type == IOMMU_NOTIFIER_UNMAP && entry.perm != IOMMU_NONE) {
        memcore_misuse_at(function, "R-IOM-9", "IOMMU '%s': UNMAP of 0x%" PRIx64 " has perm %d, not IOMMU_NONE",
                          label(n->iommu), entry.iova, (int)entry.perm);
    }
    if (last < n->start || entry.iova > n->end) {
        return;
    }
    if (n->notifier_flags & IOMMU_NOTIFIER_DEVIOTLB_UNMAP) {
        entry = crop(&entry, n, event->type);
    } else if (entry.iova < n->start || last > n->end) {
        memcore_misuse_at(function, "R-IOM-9", "IOMMU '%s': event at 0x%" PRIx64 " to 0x%" PRIx64
                          " is only partly in the range 0x%" PRIx64 " to 0x%" PRIx64 " of notifier %p",
                          label(n->iommu), entry.iova, last, n->start, n->end, (void *)n);
    }
    n->notify(n, &entry);
}

void memory_region_notify_iommu_one(IOMMUNotifier *notifier, IOMMUTLBEvent *event)
{
    IOMMUMemoryRegion *iommu = notifier->iommu;     /* NULL: not registered, which is fine here */

    memcore_require_big_lock("R-IOM-9");
    require_sound_event(__func__, iommu, event);
    if (iommu) {
        iommu->notifying++;
    }
    notify_one(__func__, notifier, event);
    if (iommu) {
        iommu->notifying--;
    }
}

void memory_region_notify_iommu(IOMMUMemoryRegion *iommu_mr, int iommu_idx, IOMMUTLBEvent event)
{
    IOMMUNotifier *n;

    memcore_require_big_lock("R-IOM-8");
    memcore_require(memory_region_is_iommu(&iommu_mr->parent_obj), "R-IOM-8", "region '%s' is not an IOMMU",
                    region_label(&iommu_mr->parent_obj));
    require_sound_event(__func__, iommu_mr, &event);
    iommu_mr->notifying++;
    IOMMU_NOTIFIER_FOREACH(n, iommu_mr) {
        if (n->iommu_idx == iommu_idx) {
            notify_one(__func__, n, &event);
        }
    }
    iommu_mr->notifying--;
}

/* --- replay ------------------------------------------------------------------ */

static void replay_by_translating(IOMMUMemoryRegion *iommu, IOMMUNotifier *n, uint64_t granule)
{
    const IOMMUMemoryRegionClass *class = memory_region_get_iommu_class_nocheck(iommu);
    hwaddr offset = 0;

    while (offset < iommu->parent_obj.size) {
        IOMMUTLBEntry entry = class->translate(iommu, offset, IOMMU_NONE, n->iommu_idx);

        if (entry.perm != IOMMU_NONE) {
            n->notify(n, &entry);
        }
        if (offset > HWADDR_MAX - granule) {
            return;     /* the end of a region of 2^64 bytes */
        }
        offset += granule;
    }
}

void memory_region_iommu_replay(IOMMUMemoryRegion *iommu_mr, IOMMUNotifier *n)
{
    const IOMMUMemoryRegionClass *class = memory_region_get_iommu_class_nocheck(iommu_mr);
    const char *name = region_label(&iommu_mr->parent_obj);
    uint64_t granule;

    memcore_require_big_lock("R-IOM-14");
    if (class->replay) {
        class->replay(iommu_mr, n);
        return;
    }
    granule = memory_region_iommu_get_min_page_size(iommu_mr);
    memcore_require(n->notify, "R-IOM-14", "IOMMU '%s': notifier %p has no notify function", name, (void *)n);
    memcore_require(class->translate, "R-IOM-1", "IOMMU '%s' has no translate method", name);
    memcore_require(granule > 0, "R-IOM-14", "IOMMU '%s': its smallest page has 0 bytes", name);
    replay_by_translating(iommu_mr, n, granule);
}
