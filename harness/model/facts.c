/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to `query`: getters and predicates, which see the newest state at once (R-TX-5). */
#include "model/state.h"

#include <stdio.h>

/* R-RAM-24: where an alias chain ends, and the sum of the offsets on the way. */
static int chain_end(const struct model *m, unsigned slot, wide *offset)
{
    int at = (int)slot;

    for (*offset = 0; m->regions[at].kind == KIND_ALIAS; at = m->regions[at].target) {
        *offset += m->regions[at].alias_offset;
    }
    return at;
}

static bool is_caller_memory(const struct region *r)
{
    return r->kind == KIND_RAM_PTR || r->kind == KIND_RAM_DEVICE;
}

/*
 * R-RAM-22: blocks over caller memory may overlap (the player puts all of them
 * at one address), then any of them may be the answer.
 */
static bool is_only_block_at(const struct model *m, unsigned slot, uint64_t offset)
{
    for (size_t i = 0; i < m->live_regions.count && is_caller_memory(&m->regions[slot]); i++) {
        const unsigned other = m->live_regions.slots[i];
        const struct region *const r = &m->regions[other];
        if (other != slot && is_caller_memory(r) && offset < r->block_length) {
            return false;
        }
    }
    return true;
}

void region_describe(const struct model *m, unsigned slot, struct region_facts *facts)
{
    const struct region *const r = &m->regions[slot];
    wide offset;
    const int end = chain_end(m, slot, &offset);
    char buffer[16];
    const char *const name = region_name(m, (int)slot, buffer);

    facts->size = r->size == WHOLE_SPACE ? UINT64_MAX : (uint64_t)r->size;     /* R-REG-2 */
    /* R-REG-6: the region's own kind and flags. */
    facts->is_ram = region_is_ram(r);
    facts->is_rom = region_is_ram(r) && r->readonly;
    facts->is_protected = region_is_ram(r) && r->protected;
    facts->is_romd = r->kind == KIND_ROM_DEVICE && r->romd;
    facts->is_ram_device = r->kind == KIND_RAM_DEVICE;
    facts->is_iommu = region_is_iommu(m, slot);
    facts->is_nonvolatile = r->nonvolatile;
    facts->is_mapped = region_is_mapped(m, slot);
    facts->dirty_log_mask = region_dirty_log_mask(m, slot);
    for (int client = 0; client < 3; client++) {
        facts->logging[client] = facts->dirty_log_mask >> client & 1;
    }
    facts->has_name = name != NULL;
    snprintf(facts->name, sizeof(facts->name), "%s", name ? name : "");
    facts->has_ram_addr = r->has_block;     /* R-RAM-26: aliases are not followed */
    facts->alignment = r->alignment;        /* nor here (R-RAM-5) */
    facts->fd = m->regions[end].file.there ? 0 : -1;        /* R-RAM-26, block.h */
    if (m->regions[end].has_block && offset < m->regions[end].block_length) {
        facts->has_ram_ptr = true;
        facts->ram_ptr_offset = (uint64_t)offset;
        if (is_only_block_at(m, (unsigned)end, (uint64_t)offset)) {
            facts->from_host_region = end;  /* R-RAM-21: the block's own region */
            facts->from_host_offset = (uint64_t)offset;
        }
    }
    /* R-OBJ-4: the parent, not the given owner. */
    facts->owner = !name ? OBSERVED_NONE : r->owner == NO_SLOT ? OBSERVED_UNATTACHED : r->owner;
}
