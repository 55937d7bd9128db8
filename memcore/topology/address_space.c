/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces come and go (R-TX-7, R-TX-9). */
#include <glib.h>

#include "base/defer.h"
#include "base/state.h"
#include "topology/topology.h"

struct cds_list_head address_spaces = CDS_LIST_HEAD_INIT(address_spaces);

/* Destroyed, but their storage is in use until a grace period has passed. */
static struct cds_list_head dying_spaces = CDS_LIST_HEAD_INIT(dying_spaces);

static bool is_on(struct cds_list_head *list, const AddressSpace *as)
{
    const AddressSpace *other;

    cds_list_for_each_entry(other, list, address_spaces_link) {
        if (other == as) {
            return true;
        }
    }
    return false;
}

void address_space_require_live(const AddressSpace *as, const char *function, const char *rule)
{
    if (!as) {
        memcore_misuse_at(function, rule, "no address space given (NULL)");
    }
    if (!is_on(&address_spaces, as)) {
        memcore_misuse_at(function, rule, "%p is not an address space: address_space_init was not called, or "
                          "address_space_destroy was", (const void *)as);
    }
}

/* What a live space with the same collapsed root shows already, or the tree as it is now. */
static FlatView *first_view(MemoryRegion *root)
{
    hwaddr base = 0;
    MemoryRegion *collapsed = flatview_collapse(root, &base);
    AddressSpace *as;

    ADDRESS_SPACE_FOREACH(as) {
        FlatView *view = as->current_map;

        if (collapsed && flatview_root(view) == collapsed && flatview_base(view) == base) {
            flatview_ref(view);
            return view;
        }
    }
    return flatview_build(collapsed, base);
}

void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name)
{
    const char *label = name ? name : "anonymous";

    memcore_require(root, "R-TX-7", "address space '%s' has no root region (NULL)", label);
    transaction_require_change_allowed(root);
    memcore_require(!is_on(&address_spaces, as), "R-TX-7",
                    "address space '%s': its storage still is the live address space '%s'", label, as->name);
    memcore_require(!is_on(&dying_spaces, as), "R-TX-9",
                    "address space '%s': its storage still is the address space '%s', which waits for a "
                    "grace period", label, as->name);

    transaction_install_commit(topology_commit);
    *as = (AddressSpace) {
        .name = g_strdup(label),
        .root = root,
    };
    region_use_as_root(root);
    CDS_INIT_LIST_HEAD(&as->listeners);
    qatomic_rcu_set(&as->current_map, first_view(root));
    cds_list_add_tail(&as->address_spaces_link, &address_spaces);
    memcore_count_up(&memcore_state.statistics.address_spaces);
    address_space_update_ioeventfds(as);
    topology_verify();
}

static void release(struct rcu_head *head)
{
    AddressSpace *as = caa_container_of(head, AddressSpace, rcu);

    if (!list_is_empty(&as->listeners)) {
        const MemoryListener *listener = cds_list_entry(as->listeners.next, MemoryListener, link_as);

        memcore_misuse_at("address_space_destroy", "R-TX-9",
                          "address space '%s': listener '%s' is still registered after the grace period",
                          as->name, name_label(listener->name));
    }
    cds_list_del(&as->address_spaces_link);
    flatview_unref(as->current_map);
    as->current_map = NULL;     /* who accesses it now is told so */
    g_free(as->ioeventfds);
    g_free(as->name);
    as->name = NULL;
    memcore_count_down(&memcore_state.statistics.address_spaces);
    /* Last: it may end root's owner, which as a rule is the device that `as` is a part of. */
    region_unuse_as_root(as->root);
}

void address_space_destroy(AddressSpace *as)
{
    address_space_require_live(as, __func__, "R-TX-9");
    transaction_require_change_allowed(as->root);

    memory_region_transaction_begin();
    cds_list_move(&as->address_spaces_link, &dying_spaces);
    memory_region_transaction_commit();
    memcore_defer(&as->rcu, release);
    topology_verify();
}
