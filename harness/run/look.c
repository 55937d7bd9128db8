/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/look.h"

#include "exec/cpu-common.h"
#include "exec/memory.h"
#include "model/access.h"

/* Words of operand.def's `attrs`. */
enum { ATTRS_MEMORY_ONLY = 2, ATTRS_SECURE_ONLY = 3 };

static bool play(const struct look *look, struct trace_step step)
{
    return look->play(look->opaque, &step);
}

/* So that it shows what is marked there, and by whom: RAM begins dirty (R-DIRTY-10). */
static bool clean_and_log(const struct look *look, int region, uint64_t offset)
{
    const struct trace_step log = { .op = TRACE_OP_LOG, .a = (uint16_t)region, .n = 1 };
    const struct trace_step clear = {
        .op = TRACE_OP_DIRTY_CLEAR, .a = (uint16_t)region, .v.absolute = offset, .w.absolute = 1,
    };
    struct model_region facts;

    if (!model_region(look->model, (unsigned)region, &facts) || facts.block_max == 0) {
        return true;
    }
    return play(look, log) && play(look, clear);
}

/* At the offset that is a multiple of the most: of a device nothing but its sizes limits what goes there at once. */
static bool look_at_aligned(const struct look *look, unsigned space, const struct view_range *range)
{
    struct trace_step step = { .op = TRACE_OP_READ, .a = (uint16_t)space, .w.absolute = 16 };
    uint64_t offset = range->offset + ((uint64_t)range->size - 1);

    while (offset & (offset - 1)) {
        offset &= offset - 1;
    }
    step.v.absolute = range->address + (offset - range->offset);
    return offset < range->offset || play(look, step);
}

/* The last byte, and over it, by all the ways that differ. */
static bool look_at_end_of(const struct look *look, unsigned space, const struct view_range *range)
{
    const uint64_t left = (uint64_t)range->size - 1;
    struct trace_step step = { .op = TRACE_OP_LOAD, .a = (uint16_t)space, .v.absolute = range->address + left };

    if (!play(look, step)) {
        return false;
    }
    step.op = TRACE_OP_STORE;
    step.w.absolute = 0x5a;
    if (!play(look, step)) {
        return false;
    }
    step.op = TRACE_OP_WRITE_ROM;
    step.v.absolute -= 1;
    step.w.absolute = 4;
    if (!play(look, step)) {
        return false;
    }
    step.op = TRACE_OP_SET;     /* in pieces of 512 bytes, of which attributes may refuse the first (R-ACC-17) */
    step.c = ATTRS_MEMORY_ONLY;
    step.v.absolute -= 0x80;
    step.w.absolute = 0x300;
    return play(look, step) && look_at_aligned(look, space, range);
}

/* Where IOMMUs have most of their blocks, some of which allow one direction only. */
static bool look_at_start_of(const struct look *look, unsigned space, const struct view_range *range)
{
    struct trace_step step = {
        .op = TRACE_OP_VALID, .a = (uint16_t)space, .n = DIRECTION_WRITING, .v.absolute = range->address,
        .w.absolute = 4,
    };

    if (!play(look, step)) {
        return false;
    }
    step.n = DIRECTION_READING;
    return play(look, step);
}

/* R-IOM-9: an event of which a notifier's range holds one byte. */
static bool look_at_iommu(const struct look *look)
{
    enum { DEVIOTLB_UNMAPS = 1 << 2, DEVIOTLB_UNMAP = 1 };      /* of operand.def's `iommuevents`, `iommuevent` */
    const uint16_t *slots;
    const size_t count = model_regions(look->model, &slots);

    for (size_t i = 0; i < count; i++) {
        const uint16_t slot = slots[(look->turn + i) % count];
        struct model_iommu iommu;

        if (model_iommu(look->model, slot, &iommu)) {
            const struct trace_step notifier = {
                .op = TRACE_OP_NOTIFIER, .b = slot, .n = DEVIOTLB_UNMAPS, .w.absolute = iommu.granule,
            };
            const struct trace_step notify = {
                .op = TRACE_OP_NOTIFY, .a = slot, .n = DEVIOTLB_UNMAP, .v.absolute = iommu.granule,
            };

            return play(look, notifier) && play(look, notify);
        }
    }
    return true;
}

/* For the table of an IOMMU that few accesses choose; who undoes the trace unmaps. */
static bool look_through_map(const struct look *look, unsigned space, const struct view_range *range)
{
    const struct trace_step step = {
        .op = TRACE_OP_MAP, .b = (uint16_t)space, .c = ATTRS_SECURE_ONLY, .v.absolute = range->address,
        .w.absolute = 3 * TARGET_PAGE_SIZE,
    };

    return play(look, step);
}

/* R-REG-7: what regions say while dirty pages are logged for migration. */
static bool look_at_regions(const struct look *look)
{
    enum { REGIONS_MOST = 8 };
    const struct trace_step start = { .op = TRACE_OP_LOG_START, .n = GLOBAL_DIRTY_MIGRATION };
    const uint16_t *slots;
    const size_t count = model_regions(look->model, &slots);
    bool good = play(look, start);

    for (size_t i = 0; good && i < count && i < REGIONS_MOST; i++) {
        const struct trace_step query = { .op = TRACE_OP_QUERY, .a = slots[(look->turn + i) % count] };

        good = play(look, query);
    }
    return good;
}

/* R-TREE-9: a region may be larger than its memory, here by a byte; accesses there take QEMU's down. */
static bool look_behind_memory(const struct look *look, unsigned space, int region)
{
    struct trace_step step = { .op = TRACE_OP_SIZE, .a = (uint16_t)region };
    struct model_region facts;
    const struct view *view;

    if (model_profile(look->model) != MODEL_PROFILE_MEMCORE ||
        !model_region(look->model, (unsigned)region, &facts) || facts.block_max == 0) {
        return true;
    }
    step.v.absolute = facts.block_max + 1;
    if (!play(look, step)) {
        return false;
    }
    view = model_view(look->model, space);
    for (size_t i = view->count; i > 0; i--) {
        if (view->ranges[i - 1].region == region) {
            const struct view_range last = view->ranges[i - 1];     /* a step may replace the view */

            return look_at_end_of(look, space, &last);
        }
    }
    return true;
}

/* R-CCH-4: the last place where a store fits.  R-CCH-6: a load by the table of an IOMMU that few accesses choose. */
static bool look_at_cache(const struct look *look)
{
    enum { SCALARS = 10 };      /* the words of operand.def's `scalar` */
    struct trace_step step = { .op = TRACE_OP_CACHE_STORE, .n = (int32_t)(look->turn % SCALARS) };
    const uint16_t *slots;
    struct model_cache cache;

    if (model_caches(look->model, &slots) == 0 || !model_cache(look->model, slots[0], &cache)) {
        return true;
    }
    step.a = slots[0];
    step.v.absolute = UINT64_MAX;
    if (!clean_and_log(look, cache.region, cache.offset + cache.length - 1) || !play(look, step)) {
        return false;
    }
    step.op = TRACE_OP_CACHE_LOAD;
    step.c = ATTRS_SECURE_ONLY;
    step.v.absolute = 0;
    return play(look, step);
}

bool look_at_ends(const struct look *look)
{
    enum { RANGES_MOST = 2 };
    struct view_range ranges[RANGES_MOST];
    const uint16_t *slots;
    const size_t spaces = model_spaces(look->model, &slots);
    const struct view *view;
    size_t count = 0;
    unsigned space;

    if (!look_at_cache(look) || !look_at_regions(look) || !look_at_iommu(look)) {
        return false;
    }
    if (spaces == 0) {
        return true;
    }
    space = slots[look->turn % spaces];
    view = model_view(look->model, space);
    while (count < RANGES_MOST && count < view->count) {
        ranges[count] = view->ranges[(look->turn + count) % view->count];       /* a step may replace the view */
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        const uint64_t last = ranges[i].offset + ((uint64_t)ranges[i].size - 1);

        if (!look_at_start_of(look, space, &ranges[i]) || !clean_and_log(look, ranges[i].region, last) ||
            !look_at_end_of(look, space, &ranges[i])) {
            return false;
        }
    }
    return count == 0 ||
           (look_through_map(look, space, &ranges[0]) && look_behind_memory(look, space, ranges[0].region));
}
