/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model's life, its arrays, and what others may ask. */
#include "model/state.h"

#include <stdlib.h>
#include <string.h>

void *array_reserve(void *array, size_t *capacity, size_t needed, size_t element_size)
{
    if (needed <= *capacity) {
        return array;
    }
    *capacity = needed > 4 ? 2 * needed : 8;
    array = realloc(array, *capacity * element_size);
    if (!array) {
        abort();
    }
    return array;
}

void slot_list_insert(struct slot_list *l, size_t index, unsigned slot)
{
    l->slots = array_reserve(l->slots, &l->capacity, l->count + 1, sizeof(l->slots[0]));
    memmove(&l->slots[index + 1], &l->slots[index], (l->count - index) * sizeof(l->slots[0]));
    l->slots[index] = (uint16_t)slot;
    l->count++;
}

void slot_list_append(struct slot_list *l, unsigned slot)
{
    slot_list_insert(l, l->count, slot);
}

void slot_list_insert_sorted(struct slot_list *l, unsigned slot)
{
    size_t i = l->count;

    while (i > 0 && l->slots[i - 1] > slot) {
        i--;
    }
    slot_list_insert(l, i, slot);
}

void slot_list_remove(struct slot_list *l, unsigned slot)
{
    size_t i = l->count - 1;    /* from the end: that is where model_reset takes away */

    while (l->slots[i] != slot) {
        i--;
    }
    l->count--;
    memmove(&l->slots[i], &l->slots[i + 1], (l->count - i) * sizeof(l->slots[0]));
}

bool slot_list_has(const struct slot_list *l, unsigned slot)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->slots[i] == slot) {
            return true;
        }
    }
    return false;
}

void slot_list_free(struct slot_list *l)
{
    free(l->slots);
    *l = (struct slot_list) { 0 };
}

struct model *model_new(enum model_profile profile)
{
    struct model *const m = calloc(1, sizeof(*m));

    if (!m) {
        abort();
    }
    m->profile = profile;
    m->empty_view.view.root = NO_SLOT;
    return m;
}

void model_free(struct model *m)
{
    if (!m) {
        return;
    }
    for (size_t i = 0; i < TRACE_REGIONS; i++) {
        slot_list_free(&m->regions[i].children);
        free(m->regions[i].coalesced.ranges);
        free(m->regions[i].eventfds.entries);
        free(m->regions[i].pages);
        free(m->regions[i].manager);
        stored_free(&m->regions[i].memory);
    }
    for (size_t i = 0; i < TRACE_SPACES; i++) {
        free(m->spaces[i].eventfds.entries);
    }
    for (size_t i = 0; i < m->view_count; i++) {
        free(m->views[i]->view.ranges);
        free(m->views[i]);
    }
    stored_free(&m->shared_memory);
    slot_list_free(&m->live_regions);
    slot_list_free(&m->live_spaces);
    slot_list_free(&m->live_listeners);
    slot_list_free(&m->live_owners);
    slot_list_free(&m->live_copies);
    slot_list_free(&m->live_mappings);
    slot_list_free(&m->live_caches);
    slot_list_free(&m->live_iommu_notifiers);
    slot_list_free(&m->live_ram_notifiers);
    slot_list_free(&m->live_discard_listeners);
    slot_list_free(&m->live_managers);
    slot_list_free(&m->ram_notifier_order);
    slot_list_free(&m->discard_listener_order);
    slot_list_free(&m->block_order);
    slot_list_free(&m->notifier_order);
    slot_list_free(&m->space_order);
    slot_list_free(&m->listener_order);
    slot_list_free(&m->cache);
    slot_list_free(&m->doomed_roots);
    free(m->views);
    free(m->breakpoints);
    free(m->resolved.entries);
    free(m->event_list);
    free(m);
}

/* What is live is listed, so only what was used is touched. */
void model_reset(struct model *m)
{
    stored_forget(&m->shared_memory);
    while (m->live_listeners.count > 0) {
        m->listeners[m->live_listeners.slots[--m->live_listeners.count]].registered = false;
    }
    while (m->live_regions.count > 0) {
        region_forget(m, m->live_regions.slots[m->live_regions.count - 1]);
    }
    while (m->live_spaces.count > 0) {
        m->spaces[m->live_spaces.slots[--m->live_spaces.count]].live = false;
    }
    while (m->live_owners.count > 0) {
        m->owners[m->live_owners.slots[--m->live_owners.count]].live = false;
    }
    while (m->live_copies.count > 0) {
        m->copies[m->live_copies.slots[--m->live_copies.count]].live = false;
    }
    while (m->live_mappings.count > 0) {
        m->mappings[m->live_mappings.slots[--m->live_mappings.count]].live = false;
    }
    while (m->live_caches.count > 0) {
        m->caches[m->live_caches.slots[--m->live_caches.count]].live = false;
    }
    while (m->live_iommu_notifiers.count > 0) {
        m->iommu_notifiers[m->live_iommu_notifiers.slots[--m->live_iommu_notifiers.count]].live = false;
    }
    for (size_t i = 0; i < m->view_count; i++) {
        m->views[i]->used = false;
    }
    while (m->live_ram_notifiers.count > 0) {
        m->ram_notifiers[m->live_ram_notifiers.slots[--m->live_ram_notifiers.count]].live = false;
    }
    while (m->live_discard_listeners.count > 0) {
        m->discard_listeners[m->live_discard_listeners.slots[--m->live_discard_listeners.count]].live = false;
    }
    m->live_managers.count = 0;
    m->ram_notifier_order.count = 0;
    m->discard_listener_order.count = 0;
    m->block_version = 0;
    memset(m->policy, 0, sizeof(m->policy));
    memset(m->clients_waiting, 0, sizeof(m->clients_waiting));
    m->notifier_order.count = 0;
    m->space_order.count = 0;
    m->listener_order.count = 0;
    m->cache.count = 0;
    m->doomed_roots.count = 0;
    m->view_serial = 0;
    m->waiting_views = 0;
    m->reading = false;
    m->depth = 0;
    m->topology_pending = false;
    m->eventfds_pending = false;
    m->log_flags = 0;
    m->dirty_rate_pages = 0;
    m->log_postponed = 0;
    m->vm_paused = false;
    m->code_tracking = CODE_TRACKING_OFF;
}

enum model_profile model_profile(const struct model *m)
{
    return m->profile;
}

static size_t give(const struct slot_list *l, const uint16_t **slots)
{
    if (slots) {
        *slots = l->slots;
    }
    return l->count;
}

size_t model_regions(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_regions, slots);
}

size_t model_spaces(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_spaces, slots);
}

size_t model_listeners(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_listeners, slots);
}

size_t model_owners(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_owners, slots);
}

size_t model_copies(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_copies, slots);
}

size_t model_ram_notifiers(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_ram_notifiers, slots);
}

size_t model_managers(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_managers, slots);
}

size_t model_discard_listeners(const struct model *m, const uint16_t **slots)
{
    return give(&m->live_discard_listeners, slots);
}

int model_discard_listener_region(const struct model *m, unsigned slot)
{
    return m->discard_listeners[slot].live ? (int)m->discard_listeners[slot].region : OBSERVED_NONE;
}

unsigned model_policy(const struct model *m, unsigned which)
{
    return m->policy[which];
}

bool model_region(const struct model *m, unsigned slot, struct model_region *out)
{
    if (slot >= TRACE_REGIONS || !m->regions[slot].live) {
        return false;
    }
    const struct region *const r = &m->regions[slot];
    *out = (struct model_region) {
        .kind = r->kind,
        .size = r->size,
        .address = r->address,
        .priority = r->priority,
        .container = r->container,
        .target = r->target,
        .alias_offset = r->alias_offset,
        .block_length = r->block_length,
        .block_max = r->block_max,
        .resizeable = r->resizeable,
        .block_has_name = r->id != ID_NONE,
        .file = r->file.there,
        .mapped_readonly = r->mapped_readonly,
        .granule = r->manager ? r->manager->granule : 0,
        .pages = r->has_block ? r->page_count : 0,
        .has_bmap = r->has_bmap,
        .has_chunks = r->chunk_shift != 0,
        .owner = r->owner,
        .enabled = r->enabled,
        .readonly = r->readonly,
        .nonvolatile = r->nonvolatile,
        .romd = r->romd,
        .terminating = r->terminating,
        .has_block = r->has_block,
        .migratable = r->migratable,
        .named = r->naming != NAMING_UNNAMED,
        .vga_log_count = r->vga_log_count,
        .references = r->references,
        .children = r->children.count,
        .coalesced = r->coalesced.count,
        .eventfds = r->eventfds.count,
    };
    return true;
}

int model_child(const struct model *m, unsigned slot, size_t index)
{
    const struct slot_list *const children = &m->regions[slot].children;

    return index < children->count ? children->slots[index] : OBSERVED_NONE;
}

bool model_eventfd(const struct model *m, unsigned slot, size_t index, struct trace_step *out)
{
    const struct region *const r = &m->regions[slot];

    if (index >= r->eventfds.count) {
        return false;
    }
    const struct eventfd *const e = &r->eventfds.entries[index];
    int width = 0;
    for (unsigned size = e->size; size > 0; size /= 2) {
        width++;
    }
    *out = (struct trace_step) {
        .op = TRACE_OP_EVENTFD,
        .a = (uint16_t)slot,
        .b = (uint16_t)e->notifier,
        .n = width + (e->match_data ? 5 : 0),
        .v = { .mode = TRACE_VALUE_ABSOLUTE, .absolute = e->address },
        /* Swapping once more gives what was asked for, but for bits that do not count (R-EFD-2). */
        .w = { .mode = TRACE_VALUE_ABSOLUTE, .absolute = eventfd_data(r, e->size, e->data) },
    };
    return true;
}

bool model_eventfd_matches(const struct model *m, const struct trace_step *step)
{
    return eventfd_index(m, step->a, eventfd_from_step(step)) >= 0;
}

unsigned model_transaction_depth(const struct model *m)
{
    return m->depth;
}

bool model_space_live(const struct model *m, unsigned slot)
{
    return slot < TRACE_SPACES && m->spaces[slot].live;
}

int model_space_root(const struct model *m, unsigned slot)
{
    return model_space_live(m, slot) ? m->spaces[slot].root : OBSERVED_NONE;
}

int model_listener_space(const struct model *m, unsigned slot)
{
    return slot < LISTENER_SLOTS && m->listeners[slot].registered ? m->listeners[slot].space : OBSERVED_NONE;
}

int model_listener_armed(const struct model *m, unsigned slot)
{
    return slot < LISTENER_SLOTS && m->listeners[slot].registered ? m->listeners[slot].armed : OBSERVED_NONE;
}

bool model_owner_released(const struct model *m, unsigned slot)
{
    return m->owners[slot].released;
}

enum code_tracking model_code_tracking(const struct model *m)
{
    return m->code_tracking;
}

unsigned model_log_flags(const struct model *m)
{
    return m->log_flags;
}

unsigned model_log_postponed(const struct model *m)
{
    return m->log_postponed;
}

bool model_vm_running(const struct model *m)
{
    return !m->vm_paused;
}

bool model_reader_active(const struct model *m)
{
    return m->reading;
}

bool model_in_live_view(const struct model *m, unsigned slot)
{
    for (size_t i = 0; i < m->view_count; i++) {
        if (m->views[i]->used && view_mentions(&m->views[i]->view, slot)) {
            return true;
        }
    }
    return m->regions[slot].waiting > 0;
}

bool model_is_space_root(const struct model *m, unsigned slot)
{
    for (size_t i = 0; i < m->live_spaces.count; i++) {
        if (m->spaces[m->live_spaces.slots[i]].root == (int)slot) {
            return true;
        }
    }
    return slot_list_has(&m->doomed_roots, slot);
}

const struct view *model_view(const struct model *m, unsigned space)
{
    return model_space_live(m, space) ? &m->spaces[space].view->view : NULL;
}

size_t model_live_views(const struct model *m)
{
    size_t n = m->waiting_views;

    for (size_t i = 0; i < m->view_count; i++) {
        n += m->views[i]->used;
    }
    return n;
}

size_t model_space_eventfds(const struct model *m, unsigned space, const struct event **list)
{
    struct model *const scratch = (struct model *)m;    /* only the scratch memory changes */
    const struct eventfd_list *const l = &m->spaces[space].eventfds;

    scratch->event_list = array_reserve(m->event_list, &scratch->event_list_capacity, l->count,
                                        sizeof(m->event_list[0]));
    for (size_t i = 0; i < l->count; i++) {
        event_for_eventfd(&scratch->event_list[i], EVENT_EVENTFD_ADD, space, &l->entries[i]);
    }
    *list = m->event_list;
    return l->count;
}
