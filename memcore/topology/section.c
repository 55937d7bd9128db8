/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walking views and keeping pieces of them (R-SEC). */
#include <glib.h>

#include "topology/topology.h"

void flatview_for_each_range(FlatView *fv, flatview_cb cb, void *opaque)
{
    FlatCursor cursor;
    const FlatRange *range;

    memcore_require(fv, "R-SEC-1", "no view given (NULL)");
    memcore_require(cb, "R-SEC-1", "no callback given (NULL)");
    FLATVIEW_FOREACH(range, &cursor, fv) {
        if (cb(range->start, flat_range_size(range), range->mr, range->offset, opaque)) {
            return;
        }
    }
}

MemoryRegionSection *memory_region_section_new_copy(MemoryRegionSection *s)
{
    MemoryRegionSection *copy = g_new(MemoryRegionSection, 1);

    *copy = *s;
    memory_region_ref(copy->mr);
    if (copy->fv) {
        memcore_require(flatview_try_ref(copy->fv), "R-SEC-3",
                        "section of region '%s' at 0x%" PRIx64 ": its view is not live any more",
                        copy->mr ? region_label(copy->mr) : "(none)", copy->offset_within_address_space);
    }
    return copy;
}

void memory_region_section_free_copy(MemoryRegionSection *s)
{
    if (s->fv) {
        flatview_unref(s->fv);
    }
    memory_region_unref(s->mr);
    g_free(s);
}

bool section_cut(MemoryRegionSection *section, Int128 start, Int128 end)
{
    const Int128 first = int128_max(section->offset_within_region, start);
    const Int128 behind = int128_min(section->offset_within_region + section->size, end);

    if (first >= behind) {
        return false;
    }
    section->offset_within_address_space += (hwaddr)(first - section->offset_within_region);
    section->offset_within_region = (hwaddr)first;
    section->size = behind - first;
    return true;
}
