/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM of which parts are not there at times: who may take them, who must know.
 * A part of exec/memory.h; include that.
 *
 *   RamDiscardManager      knows which parts of one region are populated, tells listeners of changes
 *   RamDiscardListener     pins or maps memory for a device, so it must know
 *   BitmapDiscardManager   the manager that comes with memcore (memcore/bitmap_discard_manager.h)
 *
 * Needs the big lock, except for the counters.
 */
#include "exec/memory.h"      /* before the guard: it includes this file at the right place */

#ifndef EXEC_MEMORY_DISCARD_H
#define EXEC_MEMORY_DISCARD_H

#pragma GCC visibility push(default)

/* --- listeners --------------------------------------------------------------- */

typedef struct RamDiscardListener RamDiscardListener;
typedef int (*NotifyRamPopulate)(RamDiscardListener *rdl, MemoryRegionSection *section);
typedef void (*NotifyRamDiscard)(RamDiscardListener *rdl, MemoryRegionSection *section);

/*
 * Sections handed to the callbacks are whole granules of the region, cut to the
 * section registered; they live during the call only.  While a callback runs
 * the manager still answers with the old state (R-RDM-12).
 */
struct RamDiscardListener {
    /* Before memory can be used.  Negative: an objection, and whoever had agreed hears of a discard. */
    NotifyRamPopulate notify_populate;
    /* After the memory's content went: let go of it. */
    NotifyRamDiscard notify_discard;
    /* One discard may cover parts that are discarded already: saves calls on unregistering (R-RDM-10). */
    bool double_discard_supported;

    /* Of the manager: a copy with references, NULL while not registered. */
    MemoryRegionSection *section;
    struct cds_list_head next;
};

static inline void ram_discard_listener_init(RamDiscardListener *rdl, NotifyRamPopulate populate_fn,
                                             NotifyRamDiscard discard_fn, bool double_discard_supported)
{
    rdl->notify_populate = populate_fn;
    rdl->notify_discard = discard_fn;
    rdl->double_discard_supported = double_discard_supported;
}

/* --- managers ---------------------------------------------------------------- */

/* Non-zero ends the replay. */
typedef int (*ReplayRamPopulate)(MemoryRegionSection *section, void *opaque);
typedef void (*ReplayRamDiscard)(MemoryRegionSection *section, void *opaque);

/* An abstract type: managers derive from it.  (QEMU has it as an interface; memcore's objects have none.) */
#define TYPE_RAM_DISCARD_MANAGER "qemu:ram-discard-manager"
typedef struct RamDiscardManagerClass RamDiscardManagerClass;
DECLARE_OBJ_CHECKERS(RamDiscardManager, RamDiscardManagerClass, RAM_DISCARD_MANAGER, TYPE_RAM_DISCARD_MANAGER)

struct RamDiscardManager {
    Object parent_obj;
};

/* What the functions below of the same names do; all are called through those only. */
struct RamDiscardManagerClass {
    /* private: */
    ObjectClass parent_class;

    /* public: */
    uint64_t (*get_min_granularity)(const RamDiscardManager *rdm, const MemoryRegion *mr);
    bool (*is_populated)(const RamDiscardManager *rdm, const MemoryRegionSection *section);
    int (*replay_populated)(const RamDiscardManager *rdm, MemoryRegionSection *section,
                            ReplayRamPopulate replay_fn, void *opaque);
    void (*replay_discarded)(const RamDiscardManager *rdm, MemoryRegionSection *section,
                             ReplayRamDiscard replay_fn, void *opaque);
    void (*register_listener)(RamDiscardManager *rdm, RamDiscardListener *rdl, MemoryRegionSection *section);
    void (*unregister_listener)(RamDiscardManager *rdm, RamDiscardListener *rdl);
};

/*
 * The manager of a region; NULL without one, and while the region is not mapped
 * (R-RDM-5).  Setting: NULL takes it away.  Misuse: not RAM; mapped, be it through
 * an alias; a second manager (R-RDM-3).  The manager is not referenced: unset it
 * before it goes.
 */
RamDiscardManager *memory_region_get_ram_discard_manager(MemoryRegion *mr);
void memory_region_set_ram_discard_manager(MemoryRegion *mr, RamDiscardManager *rdm);
static inline bool memory_region_has_ram_discard_manager(MemoryRegion *mr)
{
    return memory_region_get_ram_discard_manager(mr) != NULL;
}

/*
 * Misuse, in all of them: a method that the manager's class lacks; a section of
 * another region than the managed one (R-RDM-6).
 */

/* Bytes: parts are multiples of it, counted from the start of the region (R-RDM-1). */
uint64_t ram_discard_manager_get_min_granularity(const RamDiscardManager *rdm, const MemoryRegion *mr);

/* Whether all granules the section touches are populated; false for what sticks out (R-RDM-7). */
bool ram_discard_manager_is_populated(const RamDiscardManager *rdm, const MemoryRegionSection *section);

/*
 * The populated (discarded) parts of the section, ascending, each as large as
 * can be, cut to the section.  populated returns the first non-zero result of
 * replay_fn, which ends it, or 0 (R-RDM-8).
 */
int ram_discard_manager_replay_populated(const RamDiscardManager *rdm, MemoryRegionSection *section,
                                         ReplayRamPopulate replay_fn, void *opaque);
void ram_discard_manager_replay_discarded(const RamDiscardManager *rdm, MemoryRegionSection *section,
                                          ReplayRamDiscard replay_fn, void *opaque);

/*
 * The listener hears at once of all populated parts of the section.  If it
 * objects, a warning is printed and it stays registered all the same (R-RDM-9).
 * unregister: it hears of their discard first (R-RDM-10).  Misuse: registering
 * twice, unregistering what is not registered.
 */
void ram_discard_manager_register_listener(RamDiscardManager *rdm, RamDiscardListener *rdl,
                                           MemoryRegionSection *section);
void ram_discard_manager_unregister_listener(RamDiscardManager *rdm, RamDiscardListener *rdl);

/* --- who tolerates discarding ---------------------------------------------------- */

/*
 * Four counters; a call with true counts up, or returns -EBUSY and changes
 * nothing where somebody else's needs are against it; with false it counts
 * down and returns 0.  Any thread.
 *
 *                            already counted:  disable  uncoordinated  require  coordinated
 *   discard_disable                                                    busy     busy
 *   uncoordinated_discard_disable                                      busy
 *   discard_require                            busy     busy
 *   coordinated_discard_require                busy
 *
 * "Coordinated" discards go through a RamDiscardManager.  Misuse: false more
 * often than true.  ram_block_discard_range() does not look (R-DISC-3).
 */
int ram_block_discard_disable(bool state);
int ram_block_uncoordinated_discard_disable(bool state);
int ram_block_discard_require(bool state);
int ram_block_coordinated_discard_require(bool state);

/* Of either kind. */
bool ram_block_discard_is_disabled(void);
bool ram_block_discard_is_required(void);

#pragma GCC visibility pop

#endif
