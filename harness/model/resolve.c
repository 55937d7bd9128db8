/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 4, the meaning: who answers at one address. */
#include "model/state.h"

/* R-FV-1, word for word. */
bool resolve(const struct model *m, unsigned slot, place x, bool readonly, bool nonvolatile,
             struct answer *out)
{
    const struct region *const r = &m->regions[slot];

    if (!r->enabled || x < 0 || x >= (place)r->size) {
        return false;
    }
    readonly |= r->readonly;
    nonvolatile |= r->nonvolatile;
    if (r->kind == KIND_ALIAS) {
        return resolve(m, (unsigned)r->target, x + r->alias_offset, readonly, nonvolatile, out);
    }
    for (size_t i = 0; i < r->children.count; i++) {
        const unsigned child = r->children.slots[i];
        if (resolve(m, child, x - m->regions[child].address, readonly, nonvolatile, out)) {
            return true;
        }
    }
    if (r->terminating) {
        *out = (struct answer) {
            .region = slot,
            .offset = (uint64_t)x,
            .readonly = readonly,
            .nonvolatile = nonvolatile,
        };
        return true;
    }
    return false;
}

/* The only enabled child, NO_SLOT if there is none; *count says how many there are. */
static int enabled_child(const struct model *m, const struct region *r, size_t *count)
{
    int found = NO_SLOT;

    *count = 0;
    for (size_t i = 0; i < r->children.count; i++) {
        if (m->regions[r->children.slots[i]].enabled) {
            found = r->children.slots[i];
            ++*count;
        }
    }
    return found;
}

/*
 * R-FV-9 and R-FV-2: the collapsed root and where its byte 0 lies.
 *
 * R-FV-10: 7.2 loses the read-only and non-volatile flags of levels it goes
 * through and always shifts by D's own address.  memcore stops at a level with
 * such a flag, and puts what was reached through an alias at 0.
 */
struct collapsed collapse(const struct model *m, unsigned root)
{
    const bool improved = m->profile == MODEL_PROFILE_MEMCORE;
    bool through_alias = false;
    unsigned at = root;

    for (;;) {
        const struct region *const r = &m->regions[at];
        if (!r->enabled) {
            return (struct collapsed) { .root = NO_SLOT };
        }
        if (improved && (r->readonly || r->nonvolatile)) {
            break;
        }
        if (r->kind == KIND_ALIAS) {
            if (r->alias_offset != 0 || r->size < m->regions[r->target].size) {
                break;
            }
            through_alias = true;
            at = (unsigned)r->target;
            continue;
        }
        if (r->terminating) {
            break;
        }
        size_t count;
        const int child = enabled_child(m, r, &count);
        if (count == 0) {
            return (struct collapsed) { .root = NO_SLOT };
        }
        if (count > 1 || m->regions[child].address != 0 || m->regions[child].size > r->size) {
            break;
        }
        at = (unsigned)child;
    }
    return (struct collapsed) {
        .root = (int)at,
        .base = improved && through_alias ? 0 : m->regions[at].address,
    };
}

bool model_resolve(const struct model *m, unsigned space, uint64_t address, struct view_range *byte)
{
    if (!model_space_live(m, space)) {
        return false;
    }
    const struct collapsed d = collapse(m, (unsigned)m->spaces[space].root);
    struct answer a;
    if (d.root == NO_SLOT || !resolve(m, (unsigned)d.root, (place)address - d.base, false, false, &a)) {
        return false;
    }
    if (byte) {
        *byte = (struct view_range) {
            .address = address,
            .size = 1,
            .region = (int)a.region,
            .offset = a.offset,
            .readonly = a.readonly,
            .nonvolatile = a.nonvolatile,
            .romd = m->regions[a.region].romd,
            .dirty_log_mask = region_dirty_log_mask(m, a.region),
        };
    }
    return true;
}
