/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where rendering starts: levels that only pass everything through are left
 * out, so that address spaces which show the same share one view (R-FV-9,
 * R-FV-11).
 *
 *   device space:  container --only child, at 0--> alias --all of--> system
 *   system space:                                                   system
 */
#include "base/state.h"
#include "flatview/flatview.h"
#include "region/region.h"

/* The only enabled subregion; NULL if there is none, or (then *several) more than one. */
static MemoryRegion *only_enabled_child(const MemoryRegion *mr, bool *several)
{
    MemoryRegion *child, *found = NULL;

    *several = false;
    REGION_FOREACH_CHILD(child, mr) {
        if (!child->enabled) {
            continue;
        }
        if (found) {
            *several = true;
            return NULL;
        }
        found = child;
    }
    return found;
}

MemoryRegion *flatview_collapse(MemoryRegion *root, hwaddr *base)
{
    const bool compat = memcore_state.collapse_compat;
    bool through_alias = false;
    MemoryRegion *mr = root;

    while (mr->enabled) {
        MemoryRegion *below;

        if (!compat && (mr->readonly || mr->nonvolatile)) {
            break;      /* what is seen through it would lose the attribute (R-FV-10) */
        }
        if (mr->alias) {
            if (mr->alias_offset != 0 || mr->size < mr->alias->size) {
                break;
            }
            below = mr->alias;
            through_alias = true;
        } else {
            bool several;

            if (mr->terminates) {
                break;
            }
            below = only_enabled_child(mr, &several);
            if (!below && !several) {
                return NULL;
            }
            if (several || below->addr != 0 || below->size > mr->size) {
                break;
            }
        }
        mr = below;
    }
    if (!mr->enabled) {
        return NULL;
    }
    /* An alias shows its target from byte 0 on, wherever the target itself is mapped (R-FV-10). */
    *base = through_alias && !compat ? 0 : mr->addr;
    return mr;
}
