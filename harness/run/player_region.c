/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions and their owners: made, changed, put into containers, given back. */
#include <stdlib.h>

#include "model/block.h"
#include "qapi/error.h"
#include "run/player_block.h"
#include "run/player_dirty.h"
#include "run/player_parts.h"
#include "run/subject.h"

/* `io` and `rom_device`: the plainest device of that byte order. */
static const MemoryRegionOps *plain_device(struct player *p, unsigned slot, int endian)
{
    const struct device_shape shape = {
        .traits = endian == 1 ? DEVICE_BIG : endian == 2 ? DEVICE_LITTLE : 0,
    };

    return player_device_init(p, slot, &shape);
}

enum { NAMING_PLAIN, NAMING_SHARED, NAMING_ESCAPED, NAMING_UNNAMED };

static const char *region_name(struct player *p, unsigned slot, unsigned naming)
{
    return naming == NAMING_SHARED ? "shared" : naming == NAMING_ESCAPED ? "a/[b]\\c"
         : naming == NAMING_UNNAMED ? NULL : p->region_names[slot];
}

static MemoryRegion *region_occupy(struct player *p, unsigned slot, unsigned owner, bool named)
{
    player_unpoison(&p->regions[slot], sizeof(p->regions[slot]));
    p->region_live[slot] = true;
    if (slot >= p->region_limit) {
        p->region_limit = slot + 1;
    }
    p->region_named[slot] = named;
    p->region_enabled[slot] = true;
    p->region_owner[slot] = owner < TRACE_OWNERS ? (int)owner : OBSERVED_NONE;
    p->region_container[slot] = OBSERVED_NONE;
    p->region_target[slot] = OBSERVED_NONE;
    return &p->regions[slot].mr;
}

static void region_vacate(struct player *p, unsigned slot)
{
    p->region_live[slot] = false;
    player_forget_bmap(p, slot);
    player_poison(&p->regions[slot], sizeof(p->regions[slot]));
    for (unsigned i = 0; i < PLAYER_LISTENERS; i++) {
        if (p->recorders[i].armed == (int)slot) {
            p->recorders[i].armed = OBSERVED_NONE;
        }
    }
    player_forget_alias(p, slot);
    for (unsigned i = 0; i < p->region_limit; i++) {
        if (p->region_live[i] && p->region_container[i] == (int)slot) {
            p->region_container[i] = OBSERVED_NONE;     /* R-OBJ-9: its subregions were taken out */
        }
    }
}

static Object *owner_object(struct player *p, unsigned owner)
{
    return owner < TRACE_OWNERS ? p->owners[owner].object : NULL;
}

static void init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size, int kind,
                     Error **errp)
{
    const struct ram_sizes sizes = block_ram_sizes((unsigned)kind, size);

    switch (kind) {
    case KIND_WORD_RAM:
        memory_region_init_ram(mr, owner, name, size, errp);
        break;
    case KIND_WORD_NOMIGRATE:
        memory_region_init_ram_nomigrate(mr, owner, name, size, errp);
        break;
    case KIND_WORD_ROM:
        memory_region_init_rom(mr, owner, name, size, errp);
        break;
    case KIND_WORD_ROM_NOMIGRATE:
        memory_region_init_rom_nomigrate(mr, owner, name, size, errp);
        break;
    case KIND_WORD_SHARED:
        memory_region_init_ram_flags_nomigrate(mr, owner, name, size, RAM_SHARED, errp);
        break;
    case KIND_WORD_NORESERVE:
        memory_region_init_ram_flags_nomigrate(mr, owner, name, size, RAM_NORESERVE, errp);
        break;
    default:
        memory_region_init_resizeable_ram(mr, owner, name, sizes.used, sizes.max, player_on_resized, errp);
        break;
    }
}

static void *reserved_for(struct player *p)
{
    /* Blocks over one pointer may overlap: nothing of part 1 looks through it, and R-RAM-22 leaves it open. */
    return p->reserved;
}

bool player_region_init(struct player *p, const struct trace_step *s, FILE *out)
{
    Error *error = NULL;
    uint64_t size = s->v.absolute;
    unsigned naming = s->op == TRACE_OP_ALIAS ? (unsigned)s->n : s->c;
    unsigned owner = s->op == TRACE_OP_ALIAS ? s->c : s->b;
    const char *name;
    MemoryRegion *mr;
    Object *object = owner_object(p, owner);
    bool made = true;

    if (s->op == TRACE_OP_RAM || s->op == TRACE_OP_RAM_PTR || s->op == TRACE_OP_ROM_DEVICE ||
        s->op == TRACE_OP_DEVICE || s->op == TRACE_OP_IOMMU || s->op == TRACE_OP_RAM_FILE) {
        naming = NAMING_PLAIN;
    }
    if (s->op == TRACE_OP_RAM) {
        size = block_ram_sizes((unsigned)s->n, s->v.absolute).used;
    }
    p->region_block_length[s->a] = (size + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE;    /* R-RAM-1 */
    name = region_name(p, s->a, naming);
    mr = region_occupy(p, s->a, owner, name != NULL);
    switch ((enum trace_op)s->op) {
    case TRACE_OP_CONTAINER:
        memory_region_init(mr, object, name, size);
        break;
    case TRACE_OP_IO:
        memory_region_init_io(mr, object, plain_device(p, s->a, s->n), &p->devices[s->a], name, size);
        break;
    case TRACE_OP_DEVICE: {
        const struct device_shape shape = device_shape((unsigned)s->n, s->c, s->w.absolute);

        memory_region_init_io(mr, object, player_device_init(p, s->a, &shape), &p->devices[s->a], name, size);
        break;
    }
    case TRACE_OP_IOMMU:
        player_iommu_init(p, s->a, s, object, name);
        break;
    case TRACE_OP_RESERVATION:
        memory_region_init_io(mr, object, NULL, NULL, name, size);
        break;
    case TRACE_OP_ALIAS:
        memory_region_init_alias(mr, object, name, &p->regions[s->b].mr, s->v.absolute, s->w.absolute);
        p->region_target[s->a] = s->b;
        break;
    case TRACE_OP_RAM:
        init_ram(mr, object, name, s->v.absolute, s->n, &error);
        break;
    case TRACE_OP_RAM_FILE:
        made = player_file_init(mr, object, name, s, out);
        break;
    case TRACE_OP_RAM_PTR:
        if (s->n) {
            memory_region_init_ram_device_ptr(mr, object, name, size, reserved_for(p));
        } else {
            memory_region_init_ram_ptr(mr, object, name, size, reserved_for(p));
        }
        break;
    case TRACE_OP_ROM_DEVICE:
        if (s->n) {
            memory_region_init_rom_device_nomigrate(mr, object, plain_device(p, s->a, 2), &p->devices[s->a], name, size,
                                                    &error);
        } else {
            memory_region_init_rom_device(mr, object, plain_device(p, s->a, 2), &p->devices[s->a], name, size,
                                                    &error);
        }
        break;
    default:
        abort();
    }
    if (error) {
        error_free(error);
        made = false;
    }
    if (!made) {
        if (memory_region_size(mr)) {
            p->seen->violation = "a region whose initialiser failed has a size (R-RAM-10)";
        }
        region_vacate(p, s->a);
    }
    return made;
}

static void apply_del(struct player *p, unsigned slot)
{
    unsigned container = (unsigned)p->region_container[slot];

    p->region_container[slot] = OBSERVED_NONE;
    memory_region_del_subregion(&p->regions[container].mr, &p->regions[slot].mr);
}

static void apply_unparent(struct player *p, unsigned slot)
{
    MemoryRegion *mr = &p->regions[slot].mr;

    if (p->region_named[slot]) {
        object_unparent(OBJECT(mr));
    } else {
        object_unref(OBJECT(mr));       /* R-OBJ-3: the one reference is the creator's */
    }
    region_vacate(p, slot);
}

void player_toggle(struct player *p, unsigned slot)
{
    p->region_enabled[slot] = !p->region_enabled[slot];
    memory_region_set_enabled(&p->regions[slot].mr, p->region_enabled[slot]);
}

const uint8_t *player_ram(struct player *p, unsigned region)
{
    return qemu_ram_get_host_addr(player_block(p, region));     /* get_ram_ptr wants a used byte */
}

/* --- owners ------------------------------------------------------------------ */

static void on_owner_finalized(void *opaque)
{
    struct player_owner *owner = opaque;
    struct player *p = owner->player;
    struct event e;

    owner->object = NULL;
    event_init(&e, EVENT_OWNER_FINALIZED);
    e.number = owner->slot;
    player_record(p, &e);
    for (unsigned i = 0; i < p->region_limit; i++) {
        if (p->region_live[i] && p->region_owner[i] == owner->slot) {
            region_vacate(p, i);        /* R-OBJ-8: its regions were released before */
        }
    }
}

unsigned player_owner_references(struct player *p, unsigned owner)
{
    return p->owners[owner].object ? subject_owner_references(p->owners[owner].object) : 0;
}

/* --- the steps --------------------------------------------------------------- */

void player_region(struct player *p, const struct trace_step *s)
{
    MemoryRegion *mr = s->a < TRACE_REGIONS ? &p->regions[s->a].mr : NULL;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_ADD:
        p->region_container[s->b] = s->a;
        if (s->n) {
            memory_region_add_subregion_overlap(mr, s->v.absolute, &p->regions[s->b].mr, s->n);
        } else {
            memory_region_add_subregion(mr, s->v.absolute, &p->regions[s->b].mr);
        }
        break;
    case TRACE_OP_DEL:
        apply_del(p, s->a);
        break;
    case TRACE_OP_ENABLED:
        p->region_enabled[s->a] = s->n;
        memory_region_set_enabled(mr, s->n);
        break;
    case TRACE_OP_ADDRESS:
        memory_region_set_address(mr, s->v.absolute);
        break;
    case TRACE_OP_SIZE:
        memory_region_set_size(mr, s->v.absolute);
        break;
    case TRACE_OP_ALIAS_OFFSET:
        memory_region_set_alias_offset(mr, s->v.absolute);
        break;
    case TRACE_OP_READONLY:
        memory_region_set_readonly(mr, s->n);
        break;
    case TRACE_OP_NONVOLATILE:
        memory_region_set_nonvolatile(mr, s->n);
        break;
    case TRACE_OP_ROMD:
        memory_region_rom_device_set_romd(mr, s->n);
        break;
    case TRACE_OP_OWNER:
        p->owners[s->a].object = subject_owner_new(p->owners[s->a].name, on_owner_finalized, &p->owners[s->a]);
        break;
    case TRACE_OP_RELEASE:
        object_unref(p->owners[s->a].object);
        break;
    case TRACE_OP_UNPARENT:
        apply_unparent(p, s->a);
        break;
    case TRACE_OP_REF:
        memory_region_ref(mr);
        break;
    case TRACE_OP_UNREF:
        memory_region_unref(mr);
        break;
    case TRACE_OP_SPACE:        /* of this group, as every trace needs one */
        player_space(p, s);
        break;
    case TRACE_OP_COPY:
    case TRACE_OP_FREE_COPY:
        player_query(p, s, NULL);
        break;
    default:
        abort();
    }
}
