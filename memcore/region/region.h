/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What region/ offers to the layers above it. */
#ifndef MEMCORE_REGION_REGION_H
#define MEMCORE_REGION_REGION_H

#include "base/misuse.h"
#include "exec/memory.h"

/* As cds_list_empty, which does not take const. */
static inline bool list_is_empty(const struct cds_list_head *list)
{
    return list->next == list;
}

/* A name for messages: of what may have none. */
static inline const char *name_label(const char *name)
{
    return name ? name : "(unnamed)";
}

static inline const char *region_label(const MemoryRegion *mr)
{
    return name_label(mr->name);
}

/* In sibling order, the front one first (R-TREE-2). */
#define REGION_FOREACH_CHILD(child, mr) cds_list_for_each_entry(child, &(mr)->subregions, subregions_link)

/*
 * Makes `mr` an instance of `type_name` with the given owner, name and size
 * (R-OBJ-1, R-OBJ-2); `function` is whom to name if the caller misuses it.
 */
void region_create(const char *function, MemoryRegion *mr, size_t storage, const char *type_name,
                   Object *owner, const char *name, uint64_t size);

/*
 * What is found where nothing is: 2^64 bytes that reject every access.  In no
 * tree, without owner, and never finalized.  Exists as soon as a region does.
 */
extern MemoryRegion region_unassigned;

/*
 * Misuse of `function`, which goes by `rule`: no block; a range that ends behind its used part; no such client.
 * Returns the block.
 */
RAMBlock *region_require_block(const char *function, const char *rule, const MemoryRegion *mr);
RAMBlock *region_require_used(const char *function, const char *rule, const MemoryRegion *mr, hwaddr addr, hwaddr size);
void region_require_client(const char *function, const MemoryRegion *mr, unsigned client);

/*
 * Uses that finalization must not find (section 11): live views count each
 * range and their root, address spaces count their root.  Each holds a
 * reference to the owner (R-OBJ-6).
 */
void region_use_in_view(MemoryRegion *mr);
void region_unuse_in_view(MemoryRegion *mr);
void region_use_as_root(MemoryRegion *mr);
void region_unuse_as_root(MemoryRegion *mr);

/* --- ioeventfds -------------------------------------------------------------- */

struct MemoryRegionIoeventfd {
    hwaddr addr;                /* in the region; in a resolved list: in the address space */
    unsigned size;
    bool match_data;
    uint64_t data;              /* in the device's byte order (R-EFD-2) */
    EventNotifier *e;
};

/* The order of R-EFD-1: negative, 0 or positive; 0 means that nobody can tell them apart. */
int region_ioeventfd_compare(const MemoryRegionIoeventfd *left, const MemoryRegionIoeventfd *right);

/* Entries of all regions together: while it is 0 there is nothing to resolve. */
extern size_t region_ioeventfd_total;

/* --- coalesced ranges -------------------------------------------------------- */

struct CoalescedMemoryRange {
    struct cds_list_head link;
    hwaddr offset;              /* in the region */
    uint64_t size;
};

/* The list only; topology/ tells the listeners.  size is not 0. */
CoalescedMemoryRange *region_coalesced_append(MemoryRegion *mr, hwaddr offset, uint64_t size);
/* Takes the first range off the list; NULL: there is none.  To be freed with g_free(). */
CoalescedMemoryRange *region_coalesced_take_first(MemoryRegion *mr);

#ifdef MEMCORE_VERIFY
/* The region's own invariants, and those between it and its near relatives. */
void region_verify(const MemoryRegion *mr);
#else
static inline void region_verify(const MemoryRegion *mr)
{
    (void)mr;
}
#endif

#endif
