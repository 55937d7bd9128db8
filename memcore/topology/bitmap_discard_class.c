/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a bitmap manager answers, and whom it knows (R-RDM-6..10, R-RDM-14). */
#include "qapi/error.h"
#include "topology/bitmap_discard.h"
#include "topology/topology.h"

enum { WORD_BITS = 8 * sizeof(unsigned long) };

static bool is_populated_granule(const BitmapDiscardManager *manager, uint64_t granule)
{
    return manager->bits[granule / WORD_BITS] >> granule % WORD_BITS & 1;
}

uint64_t bitmap_discard_run(const BitmapDiscardManager *manager, uint64_t first, uint64_t end)
{
    const bool populated = is_populated_granule(manager, first);
    const unsigned long uniform = populated ? ~0ul : 0;
    uint64_t granule = first + 1;

    while (granule < end) {
        if (granule % WORD_BITS == 0 && end - granule >= WORD_BITS &&
            manager->bits[granule / WORD_BITS] == uniform) {
            granule += WORD_BITS;
        } else if (is_populated_granule(manager, granule) == populated) {
            granule++;
        } else {
            break;
        }
    }
    return granule;
}

bool bitmap_discard_all(const BitmapDiscardManager *manager, uint64_t first, uint64_t end, bool populated)
{
    memcore_assert(first < end);
    return is_populated_granule(manager, first) == populated && bitmap_discard_run(manager, first, end) == end;
}

static BitmapDiscardManager *managing(const char *function, const RamDiscardManager *rdm, const MemoryRegion *mr)
{
    BitmapDiscardManager *manager = BITMAP_DISCARD_MANAGER(rdm);

    if (mr != manager->mr) {
        memcore_misuse_at(function, "R-RDM-6", "region '%s' is managed, not '%s'", region_label(manager->mr),
                          mr ? region_label(mr) : "(none)");
    }
    return manager;
}

static uint64_t get_min_granularity(const RamDiscardManager *rdm, const MemoryRegion *mr)
{
    return managing("ram_discard_manager_get_min_granularity", rdm, mr)->granularity;
}

static bool is_populated(const RamDiscardManager *rdm, const MemoryRegionSection *section)
{
    const BitmapDiscardManager *manager = managing("ram_discard_manager_is_populated", rdm, section->mr);
    const uint64_t unit = manager->granularity;
    const Int128 end = (Int128)section->offset_within_region + section->size;

    if (section->size == 0 || end > (Int128)manager->granules * unit) {
        return false;
    }
    return bitmap_discard_all(manager, section->offset_within_region / unit, ((uint64_t)end - 1) / unit + 1, true);
}

/* Every maximal run of one state that the section touches, cut to it, until `function` is not 0. */
static int replay(const BitmapDiscardManager *manager, const MemoryRegionSection *section, bool populated,
                  int (*function)(MemoryRegionSection *part, void *opaque), void *opaque)
{
    const uint64_t unit = manager->granularity;
    const Int128 section_end = (Int128)section->offset_within_region + section->size;
    const Int128 bytes = int128_min(section_end, (Int128)manager->granules * unit);
    const uint64_t end = (uint64_t)((bytes + unit - 1) / unit);
    uint64_t granule = section->offset_within_region / unit, next;
    int result = 0;

    for (; granule < end && result == 0; granule = next) {
        next = bitmap_discard_run(manager, granule, end);
        if (is_populated_granule(manager, granule) == populated) {
            MemoryRegionSection part = *section;

            if (section_cut(&part, (Int128)granule * unit, (Int128)next * unit)) {
                result = function(&part, opaque);
            }
        }
    }
    return result;
}

static int replay_populated(const RamDiscardManager *rdm, MemoryRegionSection *section,
                            ReplayRamPopulate replay_fn, void *opaque)
{
    const BitmapDiscardManager *manager = managing("ram_discard_manager_replay_populated", rdm, section->mr);

    return replay(manager, section, true, replay_fn, opaque);
}

typedef struct {
    ReplayRamDiscard function;
    void *opaque;
} DiscardCall;

static int call_discard(MemoryRegionSection *part, void *opaque)
{
    const DiscardCall *call = opaque;

    call->function(part, call->opaque);
    return 0;
}

static void replay_discarded(const RamDiscardManager *rdm, MemoryRegionSection *section,
                             ReplayRamDiscard replay_fn, void *opaque)
{
    const BitmapDiscardManager *manager = managing("ram_discard_manager_replay_discarded", rdm, section->mr);
    DiscardCall call = { replay_fn, opaque };

    replay(manager, section, false, call_discard, &call);
}

/* --- listeners --------------------------------------------------------------------- */

static int tell_populate(MemoryRegionSection *part, void *opaque)
{
    RamDiscardListener *listener = opaque;

    return listener->notify_populate(listener, part);
}

static int tell_discard(MemoryRegionSection *part, void *opaque)
{
    RamDiscardListener *listener = opaque;

    listener->notify_discard(listener, part);
    return 0;
}

int bitmap_discard_tell_populated(BitmapDiscardManager *manager, RamDiscardListener *listener)
{
    return replay(manager, listener->section, true, tell_populate, listener);
}

void bitmap_discard_tell_all_gone(BitmapDiscardManager *manager, RamDiscardListener *listener)
{
    if (manager->populated == 0) {
        return;
    }
    if (listener->double_discard_supported) {
        MemoryRegionSection all = *listener->section;

        listener->notify_discard(listener, &all);
    } else {
        replay(manager, listener->section, true, tell_discard, listener);
    }
}

static bool registered(const BitmapDiscardManager *manager, const RamDiscardListener *listener)
{
    const RamDiscardListener *other;

    cds_list_for_each_entry(other, &manager->listeners, next) {
        if (other == listener) {
            return true;
        }
    }
    return false;
}

static void register_listener(RamDiscardManager *rdm, RamDiscardListener *listener, MemoryRegionSection *section)
{
    static const char function[] = "ram_discard_manager_register_listener";
    BitmapDiscardManager *manager = managing(function, rdm, section->mr);
    int result;

    if (registered(manager, listener)) {
        memcore_misuse_at(function, "R-RDM-9", "listener %p is registered already", (void *)listener);
    }
    listener->section = memory_region_section_new_copy(section);
    cds_list_add(&listener->next, &manager->listeners);
    result = bitmap_discard_tell_populated(manager, listener);
    if (result != 0) {
        Error *warning = NULL;

        error_setg_errno(&warning, result < 0 ? -result : result, "region '%s': a new listener objects to memory "
                         "that is populated", region_label(manager->mr));
        warn_report_err(warning);
    }
}

static void unregister_listener(RamDiscardManager *rdm, RamDiscardListener *listener)
{
    BitmapDiscardManager *manager = BITMAP_DISCARD_MANAGER(rdm);

    if (!registered(manager, listener)) {
        memcore_misuse_at("ram_discard_manager_unregister_listener", "R-RDM-10", "listener %p is not registered",
                          (void *)listener);
    }
    bitmap_discard_tell_all_gone(manager, listener);
    memory_region_section_free_copy(listener->section);
    listener->section = NULL;
    cds_list_del(&listener->next);
}

void bitmap_discard_class_init(ObjectClass *class, void *data)
{
    RamDiscardManagerClass *methods = RAM_DISCARD_MANAGER_CLASS(class);

    (void)data;
    methods->get_min_granularity = get_min_granularity;
    methods->is_populated = is_populated;
    methods->replay_populated = replay_populated;
    methods->replay_discarded = replay_discarded;
    methods->register_listener = register_listener;
    methods->unregister_listener = unregister_listener;
}
