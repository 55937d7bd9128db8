/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VERIFY builds: what must always be true of a region and its near relatives. */
#include "exec/ramblock.h"
#include "region/internal.h"

#ifdef MEMCORE_VERIFY

/* Lists are walked this far only, so that a step on many siblings stays cheap. */
enum { VERIFY_DISTANCE = 64 };

static void verify_children(const MemoryRegion *mr)
{
    const struct cds_list_head *group = &mr->priority_groups;
    const MemoryRegion *child, *before = NULL;
    unsigned distance = 0;

    REGION_FOREACH_CHILD(child, mr) {
        const bool first = !before || before->priority != child->priority;

        memcore_verify(child->container == mr);
        memcore_verify(!before || before->priority >= child->priority);
        memcore_verify(first == !list_is_empty(&child->priority_group_link));
        if (first) {
            group = group->next;
            memcore_verify(group == &child->priority_group_link);
        }
        before = child;
        if (++distance == VERIFY_DISTANCE) {
            return;
        }
    }
    memcore_verify(group->next == &mr->priority_groups);
}

static void verify_aliases(const MemoryRegion *mr)
{
    const MemoryRegion *alias;
    unsigned distance = 0, mappings = 0;

    cds_list_for_each_entry(alias, &mr->aliases, aliases_link) {
        memcore_verify(alias->alias == mr);
        mappings += (alias->container != NULL) + alias->mapped_via_alias;
        if (++distance == VERIFY_DISTANCE) {
            return;
        }
    }
    memcore_verify(mr->mapped_via_alias == mappings);
}

void region_verify(const MemoryRegion *mr)
{
    const CoalescedMemoryRange *range;

    memcore_verify(mr->size >= 0 && mr->size <= int128_2_64());
    memcore_verify(mr->container != mr);
    memcore_verify((mr->container == NULL) == list_is_empty(&mr->subregions_link));
    memcore_verify(mr->container || list_is_empty(&mr->priority_group_link));
    memcore_verify(!mr->alias || (!mr->terminates && list_is_empty(&mr->subregions)));
    memcore_verify((mr->alias == NULL) == list_is_empty(&mr->aliases_link));
    memcore_verify(!mr->ram_block || (mr->terminates && mr->ram_block->mr == mr));
    memcore_verify(!(mr->ram && mr->rom_device));
    memcore_verify(!mr->ram || mr->ram_block);
    memcore_verify((mr->vga_logging_count > 0) == (mr->dirty_log_mask != 0));
    memcore_verify(mr->dirty_log_mask <= 1);
    memcore_verify((mr->ioeventfd_nb == 0) == (mr->ioeventfds == NULL));
    for (unsigned i = 1; i < mr->ioeventfd_nb && i < VERIFY_DISTANCE; i++) {
        memcore_verify(region_ioeventfd_compare(&mr->ioeventfds[i - 1], &mr->ioeventfds[i]) <= 0);
    }
    cds_list_for_each_entry(range, &mr->coalesced, link) {
        memcore_verify(range->size > 0);
        memcore_verify(mr->flush_coalesced_mmio);
    }
    verify_children(mr);
    verify_aliases(mr);
}

#endif
