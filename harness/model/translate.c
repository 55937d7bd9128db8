/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is at an address, through whatever IOMMUs: R-LKP, R-TRN. */
#include "model/access_state.h"

/* Longer ways than this are taken for loops (R-TRN-9). */
enum { LEVELS_MAX = 64 };

/* R-TRN-3, and R-RGN-5: a ROM device that shows its memory ends where its range ends, too. */
bool is_memory(const struct model *m, int region)
{
    const struct region *const r = region == NO_SLOT ? NULL : &m->regions[region];

    return r && (region_is_ram(r) || (r->kind == KIND_ROM_DEVICE && r->romd));
}

/* "direct" of section 0: only the region's own flags count. */
bool is_direct(const struct model *m, int region, bool write)
{
    const struct region *const r = region == NO_SLOT ? NULL : &m->regions[region];

    if (!r) {
        return false;
    }
    if (r->kind == KIND_ROM_DEVICE) {
        return !write && r->romd;
    }
    return (r->kind == KIND_RAM || r->kind == KIND_RAM_PTR) && !(write && r->readonly);
}

/* RAM made larger than its memory ends at the memory; the rest is a hole (R-TREE-9). */
static uint64_t memory_left(const struct model *m, int region, uint64_t offset)
{
    const struct region *const r = &m->regions[region];

    return offset < r->block_max ? r->block_max - offset : 0;
}

struct place_found place_before(const struct model *m, const struct view *v, uint64_t address, uint64_t length,
                                enum purpose purpose)
{
    struct place_found found = {            /* R-LKP-2 */
        .region = NO_SLOT, .offset = address, .length = length, .space = NO_SLOT, .address = address,
        .mask = UINT64_MAX,
    };

    for (size_t i = 0; i < v->count; i++) {
        const struct view_range *const range = &v->ranges[i];
        const wide into = (wide)address - range->address;
        const uint64_t offset = range->offset + (uint64_t)into;

        if (address < range->address || into >= range->size) {
            continue;
        }
        if (is_memory(m, range->region)) {
            const wide rest = range->size - into;
            const uint64_t left = memory_left(m, range->region, offset);
            const uint64_t clamped = rest < length ? (uint64_t)rest : length;

            if (left == 0) {
                found.length = clamped;
                return found;
            }
            if (!(purpose == TO_STORE && m->regions[range->region].kind == KIND_ROM_DEVICE)) {
                found.length = clamped < left ? clamped : left;
            }
        }
        found.region = range->region;
        found.offset = offset;
        return found;
    }
    return found;
}

struct place_found place_behind(const struct model *m, struct place_found p, enum purpose purpose, uint32_t attrs)
{
    const unsigned wanted = purpose == TO_READ ? IOMMU_READ : IOMMU_WRITE;

    for (unsigned level = 0; p.region != NO_SLOT && m->regions[p.region].kind == KIND_IOMMU; level++) {
        const unsigned index = iommu_index(m->iommus[p.region].traits, attrs);
        const struct iommu_entry e = table_translate(m, (unsigned)p.region, p.offset, index);
        const uint64_t address = (e.to & ~e.mask) | (p.offset & e.mask);
        const wide rest = (wide)(address | e.mask) - address + 1;       /* R-TRN-8 */
        struct place_found next;

        p.loop = level == LEVELS_MAX;
        if (p.loop || !(e.perm & wanted)) {         /* R-TRN-7 */
            p.region = NO_SLOT;
            return p;
        }
        next = place_before(m, &m->spaces[e.space].view->view, address, rest < p.length ? (uint64_t)rest : p.length,
                            purpose);
        next.space = e.space;
        next.mask = p.mask & e.mask;
        while (m->profile == MODEL_PROFILE_MEMCORE && (p.address ^ address) & next.mask) {
            next.mask >>= 1;            /* R-TRN-15, at each level: else a block could leave that of an earlier one */
        }
        p = next;
    }
    return p;
}

struct place_found place_find(const struct model *m, const struct view *v, uint64_t address, uint64_t length,
                              enum purpose purpose, uint32_t attrs)
{
    return place_behind(m, place_before(m, v, address, length, purpose), purpose, attrs);
}

uint64_t place_whole(const struct model *m, const struct view *v, struct place_found p, uint64_t address,
                     uint64_t length, bool write, uint32_t attrs)
{
    uint64_t done = p.length;

    while (done < length) {
        const struct place_found next =
            place_find(m, v, address + done, length - done, write ? TO_WRITE : TO_READ, attrs);

        if (next.region != p.region || next.offset != p.offset + done) {
            break;
        }
        done += next.length;
    }
    return done;
}
