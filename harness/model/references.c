/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 1: who keeps an owner alive, counted anew each time, and what happens when nobody does. */
#include "model/state.h"

static bool owned(const struct model *m, unsigned owner, int region)
{
    return region != NO_SLOT && m->regions[region].owner == (int)owner;
}

/* R-OBJ-7: 7.2 lets an owner keep itself alive through its own containers; memcore does not. */
static bool counts_membership(const struct model *m, const struct region *r)
{
    return r->container != NO_SLOT &&
           !(m->profile == MODEL_PROFILE_MEMCORE && m->regions[r->container].owner == r->owner);
}

/* R-OBJ-6 */
unsigned model_owner_references(const struct model *m, unsigned slot)
{
    unsigned n = !m->owners[slot].released;

    for (size_t i = 0; i < m->live_regions.count; i++) {
        const unsigned region = m->live_regions.slots[i];
        const struct region *const r = &m->regions[region];
        if (!owned(m, slot, (int)region)) {
            continue;
        }
        n += counts_membership(m, r);
        n += r->references;
        n += r->waiting;
        for (size_t k = 0; k < m->view_count; k++) {
            n += m->views[k]->used ? view_mentions(&m->views[k]->view, region) : 0;
        }
    }
    for (size_t i = 0; i < m->live_spaces.count; i++) {
        n += owned(m, slot, m->spaces[m->live_spaces.slots[i]].root);
    }
    for (size_t i = 0; i < m->doomed_roots.count; i++) {
        n += owned(m, slot, m->doomed_roots.slots[i]);
    }
    for (size_t i = 0; i < m->live_copies.count; i++) {
        n += owned(m, slot, m->copies[m->live_copies.slots[i]].region);
    }
    for (size_t i = 0; i < m->live_mappings.count; i++) {
        n += owned(m, slot, m->mappings[m->live_mappings.slots[i]].region);     /* R-MAP-7 */
    }
    for (size_t i = 0; i < m->live_caches.count; i++) {
        n += owned(m, slot, m->caches[m->live_caches.slots[i]].region);         /* R-CCH-3 */
    }
    for (size_t i = 0; i < m->live_discard_listeners.count; i++) {
        n += owned(m, slot, (int)m->discard_listeners[m->live_discard_listeners.slots[i]].region);  /* R-RDM-9 */
    }
    return n;
}

/* R-OBJ-9: the subregions are let go without a pending flag, since the region is disabled by then. */
void region_finalize(struct model *m, unsigned slot)
{
    struct region *const r = &m->regions[slot];

    transaction_begin(m);
    r->enabled = false;
    while (r->children.count > 0) {
        region_detach(m, r->children.slots[0]);
    }
    transaction_commit(m);
    block_removed(m, slot);
    region_forget(m, slot);
}

static int next_owned(const struct model *m, unsigned owner, bool only_aliases)
{
    for (size_t i = 0; i < m->live_regions.count; i++) {
        const unsigned slot = m->live_regions.slots[i];
        if (owned(m, owner, (int)slot) && (!only_aliases || m->regions[slot].kind == KIND_ALIAS)) {
            return (int)slot;
        }
    }
    return NO_SLOT;
}

/*
 * R-OBJ-8: the regions go first, then the owner's own finalizer speaks.
 * R-OBJ-7: those in containers of the same owner are taken out before; nobody
 * can see them there, so no commit follows.  Aliases go before their targets.
 */
static void die(struct model *m, unsigned owner)
{
    int slot;

    for (size_t i = 0; i < m->live_regions.count; i++) {
        const unsigned region = m->live_regions.slots[i];
        struct region *const r = &m->regions[region];
        if (!owned(m, owner, (int)region)) {
            continue;
        }
        if (r->container != NO_SLOT) {
            region_detach(m, region);
        }
        if (r->naming == NAMING_UNNAMED) {
            r->owner = NO_SLOT;         /* R-OBJ-3: it stays */
        }
    }
    while ((slot = next_owned(m, owner, true)) != NO_SLOT) {
        region_finalize(m, (unsigned)slot);
    }
    while ((slot = next_owned(m, owner, false)) != NO_SLOT) {
        region_finalize(m, (unsigned)slot);
    }
    m->owners[owner].live = false;
    slot_list_remove(&m->live_owners, owner);

    struct event e;
    event_init(&e, EVENT_OWNER_FINALIZED);
    e.number = (int)owner;
    event_log_append(m->out, &e);
}

void owners_bury(struct model *m)
{
    for (unsigned i = 0; i < TRACE_OWNERS; i++) {
        if (m->owners[i].live && m->owners[i].released && model_owner_references(m, i) == 0) {
            die(m, i);
            i = (unsigned)-1;   /* its children may have been the last that kept another one */
        }
    }
}
