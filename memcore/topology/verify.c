/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VERIFY builds: what must always be true of the spaces and listeners together. */
#include "base/state.h"
#include "topology/topology.h"

#ifdef MEMCORE_VERIFY

/* In the order of R-LST-1, and each hangs in the list of its own space. */
static size_t verify_listeners(void)
{
    const MemoryListener *listener, *before = NULL;
    size_t count = 0;

    cds_list_for_each_entry(listener, &memory_listeners, link) {
        memcore_verify(listener->address_space);
        memcore_verify(!before || before->priority <= listener->priority);
        before = listener;
        count++;
    }
    return count;
}

/* The part of one space: the global list without the others. */
static size_t verify_listeners_of(const AddressSpace *as)
{
    const MemoryListener *all, *listener;
    const struct cds_list_head *place = &as->listeners;
    size_t count = 0;

    cds_list_for_each_entry(all, &memory_listeners, link) {
        if (all->address_space == as) {
            place = place->next;
            memcore_verify(place == &all->link_as);
        }
    }
    memcore_verify(place->next == &as->listeners);
    cds_list_for_each_entry(listener, &as->listeners, link_as) {
        memcore_verify(listener->address_space == as);
        count++;
    }
    return count;
}

static void verify_ioeventfds(const AddressSpace *as)
{
    for (int i = 1; i < as->ioeventfd_nb; i++) {
        memcore_verify(region_ioeventfd_compare(&as->ioeventfds[i - 1], &as->ioeventfds[i]) <= 0);
    }
}

void topology_verify(void)
{
    size_t listeners = verify_listeners(), listeners_of_spaces = 0, spaces = 0;
    const AddressSpace *as;

    ADDRESS_SPACE_FOREACH(as) {
        memcore_verify(as->root && as->root->space_uses > 0);
        memcore_verify(as->current_map && !as->next_map);
        flatview_verify(as->current_map);
        verify_ioeventfds(as);
        listeners_of_spaces += verify_listeners_of(as);
        spaces++;
    }
    /* Spaces that wait for their grace period have left the list; their listeners may still be there. */
    memcore_verify(spaces <= memcore_state.statistics.address_spaces);
    memcore_verify(listeners == memcore_state.statistics.listeners);
    memcore_verify(listeners_of_spaces <= listeners);
}

#endif
