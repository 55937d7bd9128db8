/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapters 1 to 3: region objects, their kinds, and the tree. */
#include "model/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static wide decoded_size(uint64_t size)
{
    return size == UINT64_MAX ? WHOLE_SPACE : size;     /* R-REG-2 */
}

struct region *region_new(struct model *m, unsigned slot, enum region_kind kind, uint64_t size,
                          unsigned owner, enum naming naming)
{
    struct region *const r = &m->regions[slot];
    /* The lists are empty (region_forget); their memory is used again. */
    const struct slot_list children = r->children;
    const struct coalesced_list coalesced = r->coalesced;
    const struct eventfd_list eventfds = r->eventfds;
    uint8_t *const pages = r->pages;
    const size_t page_capacity = r->page_capacity;
    const struct stored memory = r->memory;

    *r = (struct region) {      /* R-REG-1 */
        .live = true,
        .enabled = true,
        .romd = true,
        .terminating = kind != KIND_CONTAINER && kind != KIND_ALIAS,
        .kind = kind,
        .size = decoded_size(size),
        .target = NO_SLOT,
        .container = NO_SLOT,
        .owner = owner < TRACE_OWNERS ? (int)owner : NO_SLOT,
        .naming = naming,
        .children = children,
        .coalesced = coalesced,
        .eventfds = eventfds,
        .pages = pages,
        .page_capacity = page_capacity,
        .memory = memory,
        .script = { .kind = SCRIPT_NONE },
    };
    slot_list_insert_sorted(&m->live_regions, slot);
    return r;
}

void region_give_block(struct model *m, unsigned slot, uint64_t max, bool migratable, uint64_t alignment)
{
    struct region *const r = &m->regions[slot];
    size_t i = 0;

    r->has_block = true;
    r->resizeable = max > 0;
    r->migratable = migratable;
    r->id = migratable ? ID_OWN : ID_NONE;      /* R-RAM-12 */
    r->alignment = alignment;
    r->block_length = ((uint64_t)r->size + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE;  /* R-RAM-1 */
    r->block_max = max ? (max + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE : r->block_length;
    r->block_offset = block_place(m, r->block_max);
    while (i < m->block_order.count && m->regions[m->block_order.slots[i]].block_max >= r->block_max) {
        i++;                                    /* R-RAM-19 */
    }
    slot_list_insert(&m->block_order, i, slot);
    m->block_version++;
    dirty_new_block(r);
}

void region_forget(struct model *m, unsigned slot)
{
    struct region *const r = &m->regions[slot];

    r->live = false;
    r->children.count = 0;
    r->coalesced.count = 0;
    r->eventfds.count = 0;
    stored_forget(&r->memory);
    free(r->manager);
    r->manager = NULL;
    if (r->has_block) {
        slot_list_remove(&m->block_order, slot);
        m->block_version++;
    }
    slot_list_remove(&m->live_regions, slot);
    listeners_disarm(m, slot);
}

/* A rom device has a block, but its `ram` flag stays false (R-REG-3). */
bool region_is_ram(const struct region *r)
{
    return r->kind == KIND_RAM || r->kind == KIND_RAM_PTR || r->kind == KIND_RAM_DEVICE;
}

/* R-REG-6: aliases are followed. */
bool region_is_iommu(const struct model *m, unsigned slot)
{
    while (m->regions[slot].kind == KIND_ALIAS) {
        slot = (unsigned)m->regions[slot].target;
    }
    return m->regions[slot].kind == KIND_IOMMU;
}

/* R-REG-7, R-CODE-2 */
uint8_t region_dirty_log_mask(const struct model *m, unsigned slot)
{
    const struct region *const r = &m->regions[slot];
    const bool migration = m->log_flags && ((r->has_block && r->migratable) || region_is_iommu(m, slot));

    const bool code = m->code_tracking != CODE_TRACKING_OFF && r->has_block;

    return (uint8_t)((r->vga_logged ? 1 << 0 : 0) | (code ? 1 << 1 : 0) | (migration ? 1 << 2 : 0));
}

/* R-TREE-12 */
bool region_is_mapped(const struct model *m, unsigned slot)
{
    if (m->regions[slot].container != NO_SLOT) {
        return true;
    }
    for (size_t i = 0; i < m->live_regions.count; i++) {
        const struct region *const alias = &m->regions[m->live_regions.slots[i]];
        if (alias->kind != KIND_ALIAS || alias->container == NO_SLOT) {
            continue;
        }
        for (int t = alias->target; t != NO_SLOT; t = m->regions[t].target) {
            if (t == (int)slot) {
                return true;
            }
        }
    }
    return false;
}

const char *region_name(const struct model *m, int slot, char buffer[16])
{
    switch (m->regions[slot].naming) {
    case NAMING_SHARED:
        return "shared";
    case NAMING_ESCAPED:
        return "a/[b]\\c";      /* what memory_region_name() gives back, R-OBJ-2 */
    case NAMING_UNNAMED:
        return NULL;            /* R-OBJ-3 */
    case NAMING_PLAIN:
        break;
    }
    snprintf(buffer, 16, "r%d", slot);
    return buffer;
}

/* R-TREE-2: before the first sibling whose priority is not greater. */
static void insert_child(struct model *m, unsigned container, unsigned slot)
{
    struct slot_list *const siblings = &m->regions[container].children;
    size_t i = 0;

    while (i < siblings->count && m->regions[siblings->slots[i]].priority > m->regions[slot].priority) {
        i++;
    }
    slot_list_insert(siblings, i, slot);
}

static bool both_enabled(const struct model *m, unsigned container, unsigned slot)
{
    return m->regions[container].enabled && m->regions[slot].enabled;
}

/* R-TREE-1 */
void region_add(struct model *m, unsigned container, unsigned slot, uint64_t address, int32_t priority)
{
    struct region *const r = &m->regions[slot];

    transaction_begin(m);
    r->container = (int)container;
    r->address = address;
    r->priority = priority;
    insert_child(m, container, slot);
    m->topology_pending |= both_enabled(m, container, slot);
    transaction_commit(m);
}

/* Out of its container; address and priority are kept (R-TREE-6). */
void region_detach(struct model *m, unsigned slot)
{
    struct region *const r = &m->regions[slot];

    slot_list_remove(&m->regions[r->container].children, slot);
    r->container = NO_SLOT;
}

/* R-TREE-6: if this was the owner's last reference, the region is gone before the commit. */
void region_del(struct model *m, unsigned slot)
{
    transaction_begin(m);
    m->topology_pending |= both_enabled(m, (unsigned)m->regions[slot].container, slot);
    region_detach(m, slot);
    owners_bury(m);
    transaction_commit(m);
}

/* R-TREE-7 */
void region_set_address(struct model *m, unsigned slot, uint64_t address)
{
    struct region *const r = &m->regions[slot];

    if (r->address == address) {
        return;
    }
    if (r->container == NO_SLOT) {
        r->address = address;
        return;
    }
    const unsigned container = (unsigned)r->container;
    transaction_begin(m);
    region_detach(m, slot);
    r->container = (int)container;
    r->address = address;
    insert_child(m, container, slot);
    m->topology_pending |= both_enabled(m, container, slot);
    transaction_commit(m);
}

/* R-TREE-8: a setter that changes something is one transaction. */
static void topology_changed(struct model *m, bool pending)
{
    transaction_begin(m);
    m->topology_pending |= pending;
    transaction_commit(m);
}

void region_set_enabled(struct model *m, unsigned slot, bool on)
{
    struct region *const r = &m->regions[slot];

    if (r->enabled != on) {
        r->enabled = on;
        topology_changed(m, true);
    }
}

void region_set_size(struct model *m, unsigned slot, uint64_t size)
{
    struct region *const r = &m->regions[slot];

    if (r->size != decoded_size(size)) {
        r->size = decoded_size(size);
        topology_changed(m, true);
    }
}

void region_set_alias_offset(struct model *m, unsigned slot, uint64_t offset)
{
    struct region *const r = &m->regions[slot];

    if (r->alias_offset != offset) {
        r->alias_offset = offset;
        topology_changed(m, r->enabled);
    }
}

static void set_flag(struct model *m, const struct region *r, bool *flag, bool on)
{
    if (*flag != on) {
        *flag = on;
        topology_changed(m, r->enabled);
    }
}

void region_set_readonly(struct model *m, unsigned slot, bool on)
{
    set_flag(m, &m->regions[slot], &m->regions[slot].readonly, on);
}

void region_set_nonvolatile(struct model *m, unsigned slot, bool on)
{
    set_flag(m, &m->regions[slot], &m->regions[slot].nonvolatile, on);
}

void region_set_romd(struct model *m, unsigned slot, bool on)
{
    set_flag(m, &m->regions[slot], &m->regions[slot].romd, on);
}

/*
 * R-TREE-10: only edges of the 8-bit counter do anything.  The quirk follows:
 * "off" at 0 wraps to 255, an edge; the next "on" wraps to 0, an edge that
 * *sets* the bit.  (For memcore such steps are misuse and do not come here.)
 */
void region_set_log(struct model *m, unsigned slot, bool on)
{
    struct region *const r = &m->regions[slot];
    const uint8_t before = r->vga_log_count;

    r->vga_log_count = (uint8_t)(on ? before + 1 : before - 1);
    if ((before != 0) != (r->vga_log_count != 0)) {
        r->vga_logged = on;
        topology_changed(m, r->enabled);
    }
}
