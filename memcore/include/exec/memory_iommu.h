/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMU regions: what is accessed in them is looked up in a table and
 * accessed elsewhere.  A part of exec/memory.h; include that.
 *
 *   device --> address space --> IOMMU region --translate--> another address space --> RAM
 *
 * An IOMMU is a type below TYPE_IOMMU_MEMORY_REGION whose class has a
 * `translate` method.  It may have several tables, called indexes, among which
 * the attributes of the access choose.  Who keeps translations registers a
 * notifier and is told of every change.
 */
#include "exec/memory.h"      /* before the guard: it includes this file at the right place */

#ifndef EXEC_MEMORY_IOMMU_H
#define EXEC_MEMORY_IOMMU_H

#pragma GCC visibility push(default)

DECLARE_OBJ_CHECKERS(IOMMUMemoryRegion, IOMMUMemoryRegionClass, IOMMU_MEMORY_REGION, TYPE_IOMMU_MEMORY_REGION)

/* What a translation allows. */
typedef enum {
    IOMMU_NONE = 0,
    IOMMU_RO = 1,
    IOMMU_WO = 2,
    IOMMU_RW = 3,
} IOMMUAccessFlags;

#define IOMMU_ACCESS_FLAG(r, w) (((r) ? IOMMU_RO : 0) | ((w) ? IOMMU_WO : 0))

/*
 * One translation: the block of addr_mask + 1 bytes around iova, an offset in
 * the IOMMU region, is found at translated_addr of target_as.  addr_mask is
 * one less than a power of two; bits of both addresses below it mean nothing.
 * perm IOMMU_NONE: nothing is mapped there, the other fields do not matter.
 */
typedef struct IOMMUTLBEntry {
    AddressSpace *target_as;
    hwaddr iova;
    hwaddr translated_addr;
    hwaddr addr_mask;
    IOMMUAccessFlags perm;
} IOMMUTLBEntry;

/* The kinds of events, and which of them a notifier wants. */
typedef enum {
    IOMMU_NOTIFIER_NONE = 0,
    IOMMU_NOTIFIER_UNMAP = 0x1,             /* what was translated is not any more */
    IOMMU_NOTIFIER_MAP = 0x2,               /* a translation came into being */
    IOMMU_NOTIFIER_DEVIOTLB_UNMAP = 0x4,    /* a device must drop what it cached; such notifiers get events
                                               cropped to their range */
} IOMMUNotifierFlag;

#define IOMMU_NOTIFIER_IOTLB_EVENTS (IOMMU_NOTIFIER_MAP | IOMMU_NOTIFIER_UNMAP)
#define IOMMU_NOTIFIER_DEVIOTLB_EVENTS IOMMU_NOTIFIER_DEVIOTLB_UNMAP
#define IOMMU_NOTIFIER_ALL (IOMMU_NOTIFIER_IOTLB_EVENTS | IOMMU_NOTIFIER_DEVIOTLB_EVENTS)

typedef struct IOMMUNotifier IOMMUNotifier;

/* Called under the big lock; `data` is valid during the call only.  Must not unregister a notifier. */
typedef void (*IOMMUNotify)(IOMMUNotifier *notifier, IOMMUTLBEntry *data);

/* Fill it with iommu_notifier_init(); it must stay until unregistered. */
struct IOMMUNotifier {
    IOMMUNotify notify;
    IOMMUNotifierFlag notifier_flags;
    hwaddr start;                           /* the offsets it is interested in: */
    hwaddr end;                             /* both included */
    int iommu_idx;
    /* private: */
    IOMMUMemoryRegion *iommu;               /* where it is registered; NULL: nowhere */
    struct cds_list_head node;
};

static inline void iommu_notifier_init(IOMMUNotifier *n, IOMMUNotify fn, IOMMUNotifierFlag flags,
                                       hwaddr start, hwaddr end, int iommu_idx)
{
    *n = (IOMMUNotifier) {
        .notify = fn,
        .notifier_flags = flags,
        .start = start,
        .end = end,
        .iommu_idx = iommu_idx,
    };
}

/* What the IOMMU reports.  `type` is exactly one flag; the entry of an UNMAP has perm IOMMU_NONE. */
typedef struct IOMMUTLBEvent {
    IOMMUNotifierFlag type;
    IOMMUTLBEntry entry;
} IOMMUTLBEvent;

/* Embedded in the caller's storage, perhaps as the first member of a larger struct. */
struct IOMMUMemoryRegion {
    MemoryRegion parent_obj;
    /* private: */
    struct cds_list_head iommu_notify;      /* newest first */
    IOMMUNotifierFlag iommu_notify_flags;   /* what any of them wants, as notify_flag_changed agreed to */
    unsigned notifying;                     /* callbacks of these notifiers under way */
};

#define IOMMU_NOTIFIER_FOREACH(n, mr) cds_list_for_each_entry(n, &(mr)->iommu_notify, node)

enum IOMMUMemoryRegionAttr {
    IOMMU_ATTR_SPAPR_TCE_FD,
};

/* Offsets of an IOMMU region that are never translated; `type` is the IOMMU's own. */
struct ReservedRegion {
    hwaddr low;
    hwaddr high;                            /* included */
    unsigned type;
};

/* All methods but translate may be NULL (R-IOM-1). */
struct IOMMUMemoryRegionClass {
    /* private: */
    MemoryRegionClass parent_class;
    /* public: */

    /*
     * The translation of `addr`, an offset in the region, in table iommu_idx.
     * `flag` says what the access needs, and the search may end early if that
     * is not allowed; IOMMU_NONE asks for the whole truth.  Called for each
     * piece of an access, inside an RCU read section and maybe without the big
     * lock: it must not block on anything whose owner waits for that.
     *
     * The core relies on the answer: where the needed permission is granted,
     * a mask that is not 2^n - 1 and a target_as that is not an initialised
     * address space are misuse.  A loop of translations ends at nothing (R-TRN-9).
     */
    IOMMUTLBEntry (*translate)(IOMMUMemoryRegion *iommu, hwaddr addr, IOMMUAccessFlags flag, int iommu_idx);

    /* Bytes of the smallest block it maps.  Without: TARGET_PAGE_SIZE. */
    uint64_t (*get_min_page_size)(IOMMUMemoryRegion *iommu);

    /*
     * The union of what all notifiers want is about to change; the notifier
     * concerned is on the list already, or off it.  0, or a negative errno and
     * *errp set: the registration fails.  Whether it fails is ignored when a
     * notifier leaves (R-IOM-7).
     */
    int (*notify_flag_changed)(IOMMUMemoryRegion *iommu, IOMMUNotifierFlag old_flags,
                               IOMMUNotifierFlag new_flags, Error **errp);

    /* Instead of the default of memory_region_iommu_replay(). */
    void (*replay)(IOMMUMemoryRegion *iommu, IOMMUNotifier *notifier);

    /* What *data is depends on attr.  0 or a negative errno.  Without: -EINVAL. */
    int (*get_attr)(IOMMUMemoryRegion *iommu, enum IOMMUMemoryRegionAttr attr, void *data);

    /* Which table serves accesses with these attributes, from 0 to num_indexes() - 1.  Without: 0. */
    int (*attrs_to_index)(IOMMUMemoryRegion *iommu, MemTxAttrs attrs);

    /* How many tables there are, at least 1.  Without: 1. */
    int (*num_indexes)(IOMMUMemoryRegion *iommu);

    /* From now on only blocks of these sizes (a set of powers of two).  Without: accepted and ignored. */
    int (*iommu_set_page_size_mask)(IOMMUMemoryRegion *iommu, uint64_t page_size_mask, Error **errp);
};

/*
 * Makes an IOMMU region in `iommu_mr`, storage of `instance_size` bytes for an
 * instance of the type `mrtypename`, which must descend from
 * TYPE_IOMMU_MEMORY_REGION; the rest as for the functions of "making regions".
 */
void memory_region_init_iommu(void *iommu_mr, size_t instance_size, const char *mrtypename, Object *owner,
                              const char *name, uint64_t size);

/* --- asking ---------------------------------------------------------------- */

/*
 * What the class's methods say.  Without the method: pages of TARGET_PAGE_SIZE bytes, -EINVAL for every attribute,
 * index 0 for all accesses, one index.
 */
uint64_t memory_region_iommu_get_min_page_size(IOMMUMemoryRegion *iommu_mr);
int memory_region_iommu_get_attr(IOMMUMemoryRegion *iommu_mr, enum IOMMUMemoryRegionAttr attr, void *data);
int memory_region_iommu_attrs_to_index(IOMMUMemoryRegion *iommu_mr, MemTxAttrs attrs);
int memory_region_iommu_num_indexes(IOMMUMemoryRegion *iommu_mr);

/* Asks it to map blocks of these sizes only.  0, or a negative errno and *errp set by the class. */
int memory_region_iommu_set_page_size_mask(IOMMUMemoryRegion *iommu_mr, uint64_t page_size_mask,
                                           Error **errp);

/* --- notifiers: all need the big lock ---------------------------------------- */

/*
 * From now on `n` hears of events of its index that touch its range.  Aliases
 * are followed, the range is not shifted by their offset.  0, or what the
 * class said against it, with *errp set and nothing changed (R-IOM-4).
 * Misuse: mr is no IOMMU; n is registered; no flags; start > end; no such index.
 */
int memory_region_register_iommu_notifier(MemoryRegion *mr, IOMMUNotifier *n, Error **errp);

/* Misuse: n is not registered there; called from a notifier of the same region. */
void memory_region_unregister_iommu_notifier(MemoryRegion *mr, IOMMUNotifier *n);

/*
 * Tells every notifier of the index, newest first, as memory_region_notify_iommu_one()
 * would.  A change of a translation is two events: UNMAP, then MAP.
 */
void memory_region_notify_iommu(IOMMUMemoryRegion *iommu_mr, int iommu_idx, IOMMUTLBEvent event);

/*
 * Calls one notifier if it wants this type and the event touches its range.  The
 * event must lie inside the range, unless the notifier wants DEVIOTLB_UNMAP:
 * then it gets the part that does, and addr_mask is that part's size less 1 (R-IOM-10).
 * Misuse: a type that is not one flag; an event that passes 2^64; an UNMAP with permissions.
 */
void memory_region_notify_iommu_one(IOMMUNotifier *notifier, IOMMUTLBEvent *event);

/*
 * Calls n->notify for what is mapped now: the class's own way, or by asking
 * translate for every smallest block of the region (R-IOM-14, R-IOM-15: range
 * and flags of n do not matter, a large entry is reported once per block).
 * n need not be registered.
 */
void memory_region_iommu_replay(IOMMUMemoryRegion *iommu_mr, IOMMUNotifier *n);

#pragma GCC visibility pop

#endif
