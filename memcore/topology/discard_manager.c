/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RamDiscardManager: which region has one, and the way to the methods of its class (R-RDM-3..6). */
#include "base/state.h"
#include "topology/topology.h"

RamDiscardManager *memory_region_get_ram_discard_manager(MemoryRegion *mr)
{
    return memory_region_is_mapped(mr) ? mr->rdm : NULL;
}

void memory_region_set_ram_discard_manager(MemoryRegion *mr, RamDiscardManager *rdm)
{
    memcore_require_big_lock("R-RDM-3");
    memcore_require(memory_region_is_ram(mr), "R-RDM-3", "region '%s' is not RAM", region_label(mr));
    memcore_require(!memory_region_is_mapped(mr), "R-RDM-3", "region '%s' is mapped", region_label(mr));
    memcore_require(!rdm || !mr->rdm, "R-RDM-3", "region '%s' has a manager already", region_label(mr));
    mr->rdm = rdm;
}

/* The class of a manager that has this method. */
#define CLASS_WITH(rdm, method) \
    ({ \
        const RamDiscardManagerClass *class_ = RAM_DISCARD_MANAGER_GET_CLASS(rdm); \
        memcore_require(class_->method, "R-RDM-6", "a manager of type %s has no method " #method, \
                        object_get_typename(OBJECT(rdm))); \
        class_; \
    })

uint64_t ram_discard_manager_get_min_granularity(const RamDiscardManager *manager, const MemoryRegion *mr)
{
    return CLASS_WITH(manager, get_min_granularity)->get_min_granularity(manager, mr);
}

bool ram_discard_manager_is_populated(const RamDiscardManager *manager, const MemoryRegionSection *section)
{
    return CLASS_WITH(manager, is_populated)->is_populated(manager, section);
}

int ram_discard_manager_replay_populated(const RamDiscardManager *manager, MemoryRegionSection *section,
                                         ReplayRamPopulate function, void *opaque)
{
    return CLASS_WITH(manager, replay_populated)->replay_populated(manager, section, function, opaque);
}

void ram_discard_manager_replay_discarded(const RamDiscardManager *manager, MemoryRegionSection *section,
                                          ReplayRamDiscard function, void *opaque)
{
    CLASS_WITH(manager, replay_discarded)->replay_discarded(manager, section, function, opaque);
}

void ram_discard_manager_register_listener(RamDiscardManager *manager, RamDiscardListener *listener,
                                           MemoryRegionSection *section)
{
    memcore_require_big_lock("R-RDM-9");
    CLASS_WITH(manager, register_listener)->register_listener(manager, listener, section);
}

void ram_discard_manager_unregister_listener(RamDiscardManager *manager, RamDiscardListener *listener)
{
    memcore_require_big_lock("R-RDM-10");
    CLASS_WITH(manager, unregister_listener)->unregister_listener(manager, listener);
}

static const TypeInfo manager_type = {
    .name = TYPE_RAM_DISCARD_MANAGER,
    .parent = TYPE_OBJECT,
    .abstract = true,
    .instance_size = sizeof(RamDiscardManager),
    .class_size = sizeof(RamDiscardManagerClass),
};

static void register_types(void)
{
    type_register_static(&manager_type);
}
type_init(register_types)
