/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bitmap manager's life, and plugging and unplugging (R-BDM, R-RDM-11..13). */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "base/state.h"
#include "exec/ramblock.h"
#include "qapi/error.h"
#include "topology/bitmap_discard.h"
#include "topology/topology.h"

enum { WORD_BITS = 8 * sizeof(unsigned long) };

/* Callbacks see the old state, so bits change last (R-RDM-12). */
static void set_state(BitmapDiscardManager *manager, uint64_t first, uint64_t end, bool populated)
{
    for (uint64_t granule = first; granule < end; granule++) {
        const unsigned long bit = 1ul << granule % WORD_BITS;
        unsigned long *word = &manager->bits[granule / WORD_BITS];

        *word = populated ? *word | bit : *word & ~bit;
    }
}

static uint64_t region_bytes(const BitmapDiscardManager *manager)
{
    return manager->granules * manager->granularity;
}

static int discard(BitmapDiscardManager *manager, uint64_t offset, uint64_t length)
{
    return ram_block_discard_range(manager->mr->ram_block, offset, length);
}

/* --- life ---------------------------------------------------------------------------- */

static const char *why_not_managed(MemoryRegion *mr, uint64_t granularity)
{
    if (!memory_region_is_ram(mr)) {
        return "it is not RAM";
    }
    if (mr->readonly) {
        return "it is read-only";
    }
    if (memory_region_is_mapped(mr)) {
        return "it is mapped";
    }
    if (mr->rdm) {
        return "it has a manager already";
    }
    if (granularity == 0 || granularity & (granularity - 1)) {
        return "the granularity is not a power of two";
    }
    if (granularity < mr->ram_block->page_size) {
        return "the granularity is smaller than a page of the backing";
    }
    if (memory_region_size(mr) % granularity || memory_region_size(mr) > mr->ram_block->used_length) {
        return "its size is not a multiple of the granularity, or more than its memory";
    }
    return NULL;
}

BitmapDiscardManager *bitmap_discard_manager_new(MemoryRegion *mr, uint64_t granularity,
                                                 const BitmapDiscardHooks *hooks, Error **errp)
{
    BitmapDiscardManager *manager;
    const char *why;
    int result;

    memcore_require_big_lock("R-BDM-1");
    why = why_not_managed(mr, granularity);
    if (why) {
        error_setg(errp, "region '%s' cannot be plugged in pieces of 0x%" PRIx64 " bytes: %s", region_label(mr),
                   granularity, why);
        return NULL;
    }
    if (ram_block_coordinated_discard_require(true) != 0) {
        error_setg(errp, "region '%s' cannot be plugged in pieces: discarding RAM is disabled", region_label(mr));
        return NULL;
    }
    result = ram_block_discard_range(mr->ram_block, 0, mr->ram_block->used_length);
    if (result != 0) {
        ram_block_coordinated_discard_require(false);
        error_setg_errno(errp, result == -1 ? EINVAL : -result, "region '%s': its memory cannot be discarded",
                         region_label(mr));
        return NULL;
    }

    manager = BITMAP_DISCARD_MANAGER(object_new(TYPE_BITMAP_DISCARD_MANAGER));
    manager->mr = mr;
    manager->granularity = granularity;
    manager->granules = memory_region_size(mr) / granularity;
    manager->bits = g_new0(unsigned long, manager->granules / WORD_BITS + 1);
    if (hooks) {
        manager->hooks = *hooks;
    }
    memory_region_set_ram_discard_manager(mr, &manager->parent_obj);
    return manager;
}

bool bitmap_discard_manager_destroy(BitmapDiscardManager *manager, Error **errp)
{
    memcore_require_big_lock("R-BDM-1");
    if (memory_region_is_mapped(manager->mr) || !list_is_empty(&manager->listeners)) {
        error_setg(errp, "region '%s' still needs its discard manager: it %s", region_label(manager->mr),
                   memory_region_is_mapped(manager->mr) ? "is mapped" : "has listeners");
        return false;
    }
    memory_region_set_ram_discard_manager(manager->mr, NULL);
    ram_block_coordinated_discard_require(false);
    object_unref(OBJECT(manager));
    return true;
}

static void instance_init(Object *object)
{
    CDS_INIT_LIST_HEAD(&((BitmapDiscardManager *)object)->listeners);
}

static void instance_finalize(Object *object)
{
    g_free(((BitmapDiscardManager *)object)->bits);
}

static const TypeInfo bitmap_manager_type = {
    .name = TYPE_BITMAP_DISCARD_MANAGER,
    .parent = TYPE_RAM_DISCARD_MANAGER,
    .instance_size = sizeof(BitmapDiscardManager),
    .instance_init = instance_init,
    .instance_finalize = instance_finalize,
    .class_init = bitmap_discard_class_init,
};

static void register_types(void)
{
    type_register_static(&bitmap_manager_type);
}
type_init(register_types)

/* --- plugging and unplugging ---------------------------------------------------------- */

/* The listener's part of [offset, offset + length); false: none. */
static bool part_of(const RamDiscardListener *listener, uint64_t offset, uint64_t length,
                    MemoryRegionSection *part)
{
    *part = *listener->section;
    return section_cut(part, offset, (Int128)offset + length);
}

/* Up to `stop`, which is the list itself or the listener that objected. */
static void tell_discard_until(BitmapDiscardManager *manager, const struct cds_list_head *stop, uint64_t offset,
                               uint64_t length)
{
    struct cds_list_head *link;

    for (link = manager->listeners.next; link != stop; link = link->next) {
        RamDiscardListener *listener = cds_list_entry(link, RamDiscardListener, next);
        MemoryRegionSection part;

        if (part_of(listener, offset, length, &part)) {
            listener->notify_discard(listener, &part);
        }
    }
}

/* R-RDM-11; each listener's own part counts, also on the way back (R-RDM-13). */
static int tell_populate(BitmapDiscardManager *manager, uint64_t offset, uint64_t length)
{
    RamDiscardListener *listener;

    cds_list_for_each_entry(listener, &manager->listeners, next) {
        MemoryRegionSection part;
        int result;

        if (!part_of(listener, offset, length, &part)) {
            continue;
        }
        result = listener->notify_populate(listener, &part);
        if (result != 0) {
            tell_discard_until(manager, &listener->next, offset, length);
            return result;
        }
    }
    return 0;
}

static bool range_is_valid(const BitmapDiscardManager *manager, uint64_t offset, uint64_t length)
{
    const uint64_t bytes = region_bytes(manager);

    return length > 0 && offset % manager->granularity == 0 && length % manager->granularity == 0 &&
           offset <= bytes && length <= bytes - offset;
}

/* 0, -EINVAL, -EBUSY: what both directions check first. */
static int check(const BitmapDiscardManager *manager, uint64_t offset, uint64_t length, bool populated)
{
    const uint64_t first = offset / manager->granularity;

    if (!range_is_valid(manager, offset, length) ||
        !bitmap_discard_all(manager, first, first + length / manager->granularity, populated)) {
        return -EINVAL;
    }
    return manager->hooks.busy && manager->hooks.busy(manager->hooks.opaque) ? -EBUSY : 0;
}

int bitmap_discard_manager_plug(BitmapDiscardManager *manager, uint64_t offset, uint64_t length)
{
    const uint64_t first = offset / manager->granularity;
    int result;

    memcore_require_big_lock("R-BDM-2");
    result = check(manager, offset, length, false);
    if (result != 0) {
        return result;
    }
    if (manager->hooks.preallocate) {
        result = manager->hooks.preallocate(manager->hooks.opaque, manager->mr->ram_block->host + offset, length);
    }
    if (result == 0) {
        result = tell_populate(manager, offset, length);
    }
    if (result != 0) {
        (void)discard(manager, offset, length);     /* what was allocated meanwhile; if it stays nothing is wrong */
        return -EBUSY;
    }
    set_state(manager, first, first + length / manager->granularity, true);
    manager->populated += length;
    return 0;
}

int bitmap_discard_manager_unplug(BitmapDiscardManager *manager, uint64_t offset, uint64_t length)
{
    const uint64_t first = offset / manager->granularity;
    int result;

    memcore_require_big_lock("R-BDM-3");
    result = check(manager, offset, length, true);
    if (result != 0) {
        return result;
    }
    if (discard(manager, offset, length) != 0) {
        return -EBUSY;
    }
    tell_discard_until(manager, &manager->listeners, offset, length);
    set_state(manager, first, first + length / manager->granularity, false);
    manager->populated -= length;
    return 0;
}

int bitmap_discard_manager_unplug_all(BitmapDiscardManager *manager)
{
    RamDiscardListener *listener;

    memcore_require_big_lock("R-BDM-4");
    if (discard(manager, 0, manager->mr->ram_block->used_length) != 0) {
        return -EBUSY;
    }
    cds_list_for_each_entry(listener, &manager->listeners, next) {
        bitmap_discard_tell_all_gone(manager, listener);
    }
    set_state(manager, 0, manager->granules, false);
    manager->populated = 0;
    return 0;
}

/* --- the state -------------------------------------------------------------------------- */

BitmapDiscardState bitmap_discard_manager_state(const BitmapDiscardManager *manager, uint64_t offset,
                                                uint64_t length)
{
    const uint64_t bytes = region_bytes(manager), unit = manager->granularity;
    uint64_t first, end;

    memcore_require(length > 0 && offset <= bytes && length <= bytes - offset, "R-BDM-5",
                    "region '%s' has 0x%" PRIx64 " bytes, not 0x%" PRIx64 " at 0x%" PRIx64, region_label(manager->mr),
                    bytes, length, offset);
    first = offset / unit;
    end = (offset + length - 1) / unit + 1;
    if (bitmap_discard_all(manager, first, end, true)) {
        return BITMAP_DISCARD_POPULATED;
    }
    return bitmap_discard_all(manager, first, end, false) ? BITMAP_DISCARD_DISCARDED : BITMAP_DISCARD_MIXED;
}

uint64_t bitmap_discard_manager_populated_bytes(const BitmapDiscardManager *manager)
{
    return manager->populated;
}

const unsigned long *bitmap_discard_manager_bits(const BitmapDiscardManager *manager)
{
    return manager->bits;
}

uint64_t bitmap_discard_manager_granules(const BitmapDiscardManager *manager)
{
    return manager->granules;
}

static void take_over(BitmapDiscardManager *manager, const unsigned long *bits)
{
    manager->populated = 0;
    for (uint64_t granule = 0; granule < manager->granules; granule++) {
        const bool populated = bits[granule / WORD_BITS] >> granule % WORD_BITS & 1;

        set_state(manager, granule, granule + 1, populated);
        manager->populated += populated ? manager->granularity : 0;
    }
}

int bitmap_discard_manager_load(BitmapDiscardManager *manager, const unsigned long *bits)
{
    const uint64_t unit = manager->granularity;
    RamDiscardListener *listener;
    int first_error = 0;
    uint64_t next;

    memcore_require_big_lock("R-BDM-5");
    take_over(manager, bits);
    /* An error does not keep the bits away, so everybody has to hear of them, and what they lack has to go. */
    cds_list_for_each_entry(listener, &manager->listeners, next) {
        const int result = bitmap_discard_tell_populated(manager, listener);

        first_error = first_error ? first_error : result;
    }
    for (uint64_t granule = 0; granule < manager->granules; granule = next) {
        next = bitmap_discard_run(manager, granule, manager->granules);
        if (bitmap_discard_all(manager, granule, granule + 1, false)) {
            const int result = discard(manager, granule * unit, (next - granule) * unit);

            first_error = first_error ? first_error : result;
        }
    }
    return first_error;
}
