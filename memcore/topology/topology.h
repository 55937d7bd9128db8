/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared inside topology/: the lists of spaces and listeners, and how listeners are called. */
#ifndef MEMCORE_TOPOLOGY_TOPOLOGY_H
#define MEMCORE_TOPOLOGY_TOPOLOGY_H

#include "exec/memory.h"
#include "flatview/flatview.h"
#include "region/region.h"
#include "region/transaction.h"

/* In the order of address_space_init; destroyed ones have left it. */
extern struct cds_list_head address_spaces;
#define ADDRESS_SPACE_FOREACH(as) cds_list_for_each_entry(as, &address_spaces, address_spaces_link)

/* Every listener of every space, in the order of R-LST-1; AddressSpace.listeners is the part of one space. */
extern struct cds_list_head memory_listeners;

/*
 * Calls `callback` of all listeners on a list, if they have it: forward in
 * list order, reverse against it (R-LST-2).  `link` is the member by which
 * they hang there.  To be called between callback_enter and callback_leave.
 */
#define DELIVER_FORWARD(list, link, callback, ...) \
    do { \
        MemoryListener *receiver_; \
        cds_list_for_each_entry(receiver_, list, link) { \
            DELIVER_TO(receiver_, callback, ##__VA_ARGS__); \
        } \
    } while (0)
#define DELIVER_REVERSE(list, link, callback, ...) \
    do { \
        MemoryListener *receiver_; \
        cds_list_for_each_entry_reverse(receiver_, list, link) { \
            DELIVER_TO(receiver_, callback, ##__VA_ARGS__); \
        } \
    } while (0)
#define DELIVER_TO(listener, callback, ...) \
    do { \
        if ((listener)->callback) { \
            (listener)->callback((listener), ##__VA_ARGS__); \
        } \
    } while (0)

/* What the outermost transaction runs (R-TX-2). */
void topology_commit(bool topology);

/* Resolves the space's ioeventfds against its published view and announces the difference (R-EFD-4). */
void address_space_update_ioeventfds(AddressSpace *as);

/* Coalesced parts of a range that goes or comes with a commit (R-COAL-4). */
void coalesced_range_gone(AddressSpace *as, FlatView *view, const FlatRange *range);
void coalesced_range_came(AddressSpace *as, FlatView *view, const FlatRange *range);

/* log_sync for the ranges of one region, or all (NULL); log_sync_global where that is wanted (R-LOG-4). */
void listeners_sync_dirty_log(MemoryRegion *mr);

/* Cuts a section to bytes [start, end) of its region; false, and nothing changed: none of them is in it. */
bool section_cut(MemoryRegionSection *section, Int128 start, Int128 end);

/* Unless `as` is a live space: misuse in the name of `function`. */
void address_space_require_live(const AddressSpace *as, const char *function, const char *rule);

#ifdef MEMCORE_VERIFY
void topology_verify(void);
#else
static inline void topology_verify(void)
{
}
#endif

#endif
