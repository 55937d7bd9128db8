/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers and their subregions (R-TREE).
 *
 * Siblings hang in one list, in sibling order.  So that a container may have
 * many, the first of each priority hangs in a second list too; a new sibling
 * finds its place in as many steps as there are different priorities:
 *
 *   subregions        c9 - b9 - a9 - e0 - d0 - f-2
 *   priority_groups   c9 ----------- e0 ------ f-2
 */
#include "base/state.h"
#include "region/internal.h"

static bool first_of_priority(const MemoryRegion *mr)
{
    return !list_is_empty(&mr->priority_group_link);
}

/* Before the first sibling whose priority is not higher: the newest of equals is in front (R-TREE-2). */
static void link_sibling(MemoryRegion *container, MemoryRegion *mr)
{
    MemoryRegion *group;

    cds_list_for_each_entry(group, &container->priority_groups, priority_group_link) {
        if (group->priority <= mr->priority) {
            cds_list_add_tail(&mr->subregions_link, &group->subregions_link);
            cds_list_add_tail(&mr->priority_group_link, &group->priority_group_link);
            if (group->priority == mr->priority) {
                cds_list_del_init(&group->priority_group_link);
            }
            return;
        }
    }
    cds_list_add_tail(&mr->subregions_link, &container->subregions);
    cds_list_add_tail(&mr->priority_group_link, &container->priority_groups);
}

static void unlink_sibling(MemoryRegion *container, MemoryRegion *mr)
{
    if (first_of_priority(mr)) {
        if (mr->subregions_link.next != &container->subregions) {
            MemoryRegion *next = cds_list_entry(mr->subregions_link.next, MemoryRegion, subregions_link);

            if (next->priority == mr->priority) {
                cds_list_add(&next->priority_group_link, &mr->priority_group_link);
            }
        }
        cds_list_del_init(&mr->priority_group_link);
    }
    cds_list_del_init(&mr->subregions_link);
}

/* Everything an alias in a container leads to counts as mapped (R-TREE-12). */
static void count_alias_mapping(const MemoryRegion *mr, int change)
{
    for (MemoryRegion *target = mr->alias; target; target = target->alias) {
        target->mapped_via_alias += (unsigned)change;
    }
}

/*
 * Is `goal` the region itself, or one of those through which it is seen: its
 * container, aliases that name it, and so on up?  Searching up is short where
 * searching down would pass a whole machine.
 */
static bool seen_through(MemoryRegion *mr, const MemoryRegion *goal, uint64_t visit)
{
    MemoryRegion *alias;

    if (mr == goal) {
        return true;
    }
    if (mr->visit == visit) {
        return false;
    }
    mr->visit = visit;
    if (mr->container && seen_through(mr->container, goal, visit)) {
        return true;
    }
    cds_list_for_each_entry(alias, &mr->aliases, aliases_link) {
        if (seen_through(alias, goal, visit)) {
            return true;
        }
    }
    return false;
}

static bool would_contain_itself(MemoryRegion *container, const MemoryRegion *subregion)
{
    static uint64_t visits;

    if (!subregion->alias && list_is_empty(&subregion->subregions)) {
        return container == subregion;
    }
    return seen_through(container, subregion, ++visits);
}

static void put_in(MemoryRegion *container, hwaddr offset, MemoryRegion *subregion)
{
    subregion->container = container;
    subregion->addr = offset;
    if (!region_same_owner(container, subregion)) {
        object_ref(subregion->owner);
    }
    link_sibling(container, subregion);
    count_alias_mapping(subregion, 1);
}

void region_take_out(MemoryRegion *subregion)
{
    MemoryRegion *container = subregion->container;

    count_alias_mapping(subregion, -1);
    unlink_sibling(container, subregion);
    subregion->container = NULL;
    region_verify(container);
    region_verify(subregion);
    if (!region_same_owner(container, subregion)) {
        object_unref(subregion->owner);     /* subregion may be gone now (R-TREE-6) */
    }
}

static void add_subregion(const char *function, MemoryRegion *container, hwaddr offset,
                          MemoryRegion *subregion, int priority)
{
    const char *child = region_label(subregion), *parent = region_label(container);

    if (subregion->container) {
        memcore_misuse_at(function, "R-TREE-1",
                          "region '%s' cannot be added to '%s': it is in container '%s' already; an alias "
                          "can show it in a second place", child, parent, region_label(subregion->container));
    }
    if (container->alias) {
        memcore_misuse_at(function, "R-TREE-4",
                          "region '%s' cannot be added to '%s', which is an alias of '%s'; add it to that",
                          child, parent, region_label(container->alias));
    }
    if (would_contain_itself(container, subregion)) {
        memcore_misuse_at(function, "R-TREE-5",
                          "region '%s' cannot be added to '%s': '%s' is seen through '%s', so it would "
                          "contain itself", child, parent, parent, child);
    }
    region_verify(container);
    region_verify(subregion);

    memory_region_transaction_begin();
    subregion->priority = priority;
    put_in(container, offset, subregion);
    if (container->enabled && subregion->enabled) {
        transaction_topology_changed();
    }
    region_verify(container);
    region_verify(subregion);
    memory_region_transaction_commit();
}

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *subregion)
{
    transaction_require_change_allowed(subregion);
    add_subregion(__func__, mr, offset, subregion, 0);
}

void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset, MemoryRegion *subregion,
                                         int priority)
{
    transaction_require_change_allowed(subregion);
    add_subregion(__func__, mr, offset, subregion, priority);
}

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *subregion)
{
    transaction_require_change_allowed(subregion);
    memcore_require(subregion->container == mr, "R-TREE-6",
                    "region '%s' is not in '%s'; its container is '%s'", region_label(subregion),
                    region_label(mr), subregion->container ? region_label(subregion->container) : "(none)");
    region_verify(mr);
    region_verify(subregion);

    memory_region_transaction_begin();
    if (mr->enabled && subregion->enabled) {
        transaction_topology_changed();
    }
    region_take_out(subregion);
    memory_region_transaction_commit();
}

void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    MemoryRegion *container = mr->container;

    transaction_require_change_allowed(mr);
    if (mr->addr == addr) {
        return;
    }
    if (!container) {
        mr->addr = addr;
        return;
    }
    region_verify(container);

    memory_region_transaction_begin();
    unlink_sibling(container, mr);
    mr->addr = addr;
    link_sibling(container, mr);        /* to the front of its equals (R-TREE-7) */
    if (container->enabled && mr->enabled) {
        transaction_topology_changed();
    }
    region_verify(container);
    memory_region_transaction_commit();
}

bool memory_region_is_mapped(MemoryRegion *mr)
{
    return mr->container || mr->mapped_via_alias > 0;
}
