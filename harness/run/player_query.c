/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions: views, readers of them, what is found where, what getters and mtree_info say. */
#include <stdlib.h>
#include <string.h>

#include "qemu/rcu.h"
#include "run/player_parts.h"
#include "run/subject.h"

/* --- views ------------------------------------------------------------------- */

struct walk {
    struct player *player;
    struct view *view;
};

static bool walk_range(Int128 start, Int128 size, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    struct walk *walk = opaque;
    struct view *view = walk->view;

    if (view->count == view->capacity) {
        view->capacity = view->capacity ? 2 * view->capacity : 32;
        view->ranges = realloc(view->ranges, view->capacity * sizeof(*view->ranges));
        if (!view->ranges) {
            abort();
        }
    }
    view->ranges[view->count++] = (struct view_range){
        .address = (uint64_t)start,
        .size = (wide)size,
        .region = player_region_slot(walk->player, mr),
        .offset = offset,
    };
    return false;
}

static void walk_view(struct player *p, FlatView *fv, struct view *out)
{
    struct walk walk = { .player = p, .view = out };

    out->count = 0;
    out->root = OBSERVED_NONE;
    out->identity = 0;
    flatview_for_each_range(fv, walk_range, &walk);
}

void player_view(struct player *p, unsigned space, struct view *out)
{
    rcu_read_lock();
    walk_view(p, address_space_to_flatview(&p->spaces[space]), out);
    rcu_read_unlock();
}

const void *player_view_identity(struct player *p, unsigned space)
{
    return address_space_to_flatview(&p->spaces[space]);
}

static void apply_reader(struct player *p, unsigned space)
{
    rcu_read_lock();
    p->reader_view = address_space_to_flatview(&p->spaces[space]);
    walk_view(p, p->reader_view, &p->reader_saw);
}

/* I-15: a reader sees its view unchanged, bit for bit, whatever was committed meanwhile. */
static bool apply_reader_end(struct player *p)
{
    struct view now = { 0 };
    bool same;

    walk_view(p, p->reader_view, &now);
    same = now.count == p->reader_saw.count;
    for (size_t i = 0; same && i < now.count; i++) {
        const struct view_range *x = &now.ranges[i], *y = &p->reader_saw.ranges[i];

        same = x->address == y->address && x->size == y->size && x->region == y->region && x->offset == y->offset;
    }
    free(now.ranges);
    p->reader_view = NULL;
    rcu_read_unlock();
    return same;
}

/* --- questions --------------------------------------------------------------- */

static bool found_in_published_view(const struct player *p, const MemoryRegionSection *section)
{
    for (unsigned i = 0; i < TRACE_SPACES; i++) {
        if (p->space_live[i] && section->fv == address_space_to_flatview((AddressSpace *)&p->spaces[i])) {
            return true;
        }
    }
    return false;
}

static void apply_find(struct player *p, unsigned region, const struct trace_step *s, int copy,
                       struct observation *seen)
{
    MemoryRegionSection section = memory_region_find(&p->regions[region].mr, s->v.absolute, s->w.absolute);

    player_observe_section(p, &section, OBSERVED_NONE, &seen->section);
    if (section.mr) {
        seen->view_published = found_in_published_view(p, &section);
        if (copy != OBSERVED_NONE) {
            p->copies[copy] = memory_region_section_new_copy(&section);
            seen->truth = MemoryRegionSection_eq(p->copies[copy], &section);
        }
        memory_region_unref(section.mr);
    }
}

static unsigned end_of_chain(const struct player *p, unsigned slot)
{
    while (p->region_target[slot] != OBSERVED_NONE) {
        slot = (unsigned)p->region_target[slot];
    }
    return slot;
}

static void apply_query(struct player *p, unsigned slot, const struct region_facts *expected,
                        struct region_facts *facts)
{
    MemoryRegion *mr = &p->regions[slot].mr;
    const char *name = memory_region_name(mr);
    Object *owner = memory_region_owner(mr);

    facts->size = memory_region_size(mr);
    facts->is_ram = memory_region_is_ram(mr);
    facts->is_rom = memory_region_is_rom(mr);
    facts->is_romd = memory_region_is_romd(mr);
    facts->is_ram_device = memory_region_is_ram_device(mr);
    facts->is_nonvolatile = memory_region_is_nonvolatile(mr);
    facts->is_protected = memory_region_is_protected(mr);
    facts->is_iommu = memory_region_is_iommu(mr);
    facts->is_mapped = memory_region_is_mapped(mr);
    facts->dirty_log_mask = memory_region_get_dirty_log_mask(mr);
    for (unsigned client = 0; client < 3; client++) {
        facts->logging[client] = memory_region_is_logging(mr, (uint8_t)client);
    }
    facts->has_name = name != NULL;
    snprintf(facts->name, sizeof(facts->name), "%s", name ? name : "");
    facts->has_ram_addr = memory_region_get_ram_addr(mr) != RAM_ADDR_INVALID;
    facts->alignment = memory_region_get_alignment(mr);
    facts->from_host_region = OBSERVED_NONE;
    /* R-RAM-26: without a block not everybody can be asked. */
    facts->fd = player_block(p, end_of_chain(p, slot)) && memory_region_get_fd(mr) >= 0 ? 0 : -1;
    if (expected->has_ram_ptr) {
        uint8_t *host = memory_region_get_ram_ptr(mr);
        MemoryRegion *block_region = &p->regions[end_of_chain(p, slot)].mr;
        ram_addr_t offset = 0;

        facts->has_ram_ptr = true;
        facts->ram_ptr_offset = (uint64_t)(host - (uint8_t *)memory_region_get_ram_ptr(block_region));
        if (expected->from_host_region != OBSERVED_NONE) {
            facts->from_host_region = player_region_slot(p, memory_region_from_host(host, &offset));
            facts->from_host_offset = offset;
        }
    }
    facts->owner = owner ? OBSERVED_UNATTACHED : OBSERVED_NONE;
    for (int i = 0; owner && i < TRACE_OWNERS; i++) {
        if (p->owners[i].object == owner) {
            facts->owner = i;
        }
    }
}

/*
 * The dispatch part of mtree_info mirrors an implementation (R-MT-13): it is
 * taken out, from its heading up to the blank line that ends the view.
 */
static void strip_dispatch(char *text)
{
    char *from = text, *to = text;
    bool inside = false;

    while (*from) {
        size_t length = strcspn(from, "\n");
        size_t whole = length + (from[length] == '\n');

        if (length == 10 && !memcmp(from, "  Dispatch", 10)) {
            inside = true;
        } else if (length == 0) {
            inside = false;
        }
        if (!inside) {
            memmove(to, from, whole);
            to += whole;
        }
        from += whole;
    }
    *to = '\0';
}

static void apply_mtree(int flags, struct observation *seen)
{
    char *text = subject_mtree(flags & 1, flags & 2, flags & 4, flags & 8);

    if ((flags & 3) == 3) {
        strip_dispatch(text);
    }
    fputs(text, observation_text(seen));
    observation_text_end(seen);
    free(text);
}

/* --- the steps --------------------------------------------------------------- */

void player_query(struct player *p, const struct trace_step *s, const struct observation *expected)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_FIND:
        apply_find(p, s->a, s, OBSERVED_NONE, p->seen);
        break;
    case TRACE_OP_PRESENT:
        p->seen->truth = memory_region_present(&p->regions[s->a].mr, s->v.absolute);
        break;
    case TRACE_OP_QUERY:
        apply_query(p, s->a, &expected->facts, &p->seen->facts);
        break;
    case TRACE_OP_COPY:
        apply_find(p, s->b, s, s->a, p->seen);
        break;
    case TRACE_OP_FREE_COPY:
        memory_region_section_free_copy(p->copies[s->a]);
        p->copies[s->a] = NULL;
        break;
    case TRACE_OP_READER:
        apply_reader(p, s->a);
        break;
    case TRACE_OP_READER_END:
        p->seen->truth = apply_reader_end(p);
        break;
    case TRACE_OP_MTREE:
        apply_mtree(s->n, p->seen);
        break;
    case TRACE_OP_GRACE:
        player_space(p, s);
        break;
    default:
        abort();
    }
}
