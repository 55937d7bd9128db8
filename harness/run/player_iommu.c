/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test IOMMUs as model/access.h describes them, and the steps that concern them. */
#include <errno.h>
#include <stdlib.h>

#include "qapi/error.h"
#include "run/player_parts.h"

#define TYPE_BARE_IOMMU "harness-iommu-bare"
#define TYPE_FULL_IOMMU "harness-iommu-full"
#define TYPE_REPLAY_IOMMU "harness-iommu-replays"

static struct player *playing;      /* an IOMMU region has no opaque pointer */

static struct player_iommu *iommu_of(IOMMUMemoryRegion *region)
{
    return &playing->iommus[player_region_slot(playing, (MemoryRegion *)region)];
}

static AddressSpace *space_of(const struct player *p, int slot, bool *alive)
{
    *alive = slot != OBSERVED_NONE && p->space_live[slot];
    return *alive ? (AddressSpace *)&p->spaces[slot] : NULL;
}

static IOMMUTLBEntry translate(IOMMUMemoryRegion *region, hwaddr offset, IOMMUAccessFlags flag, int index)
{
    const struct player_iommu *u = iommu_of(region);
    const uint64_t mask = u->granule - 1;
    IOMMUTLBEntry entry = { .addr_mask = mask, .iova = offset & ~mask, .translated_addr = offset & ~mask,
                            .perm = u->traits & IOMMU_IDENTITY ? IOMMU_RW : IOMMU_NONE };
    int space = u->space;
    bool alive;

    (void)flag;
    for (size_t i = 0; i < u->count; i++) {
        const struct player_iommu_block *b = &u->blocks[i];

        if ((int)b->index == index && (offset & ~b->mask) == b->iova) {
            space = b->space;
            entry = (IOMMUTLBEntry){ .iova = b->iova, .translated_addr = b->to, .addr_mask = b->mask,
                                     .perm = (IOMMUAccessFlags)b->perm };
            break;
        }
    }
    entry.target_as = space_of(u->player, space, &alive);
    if (!alive) {
        entry.perm = IOMMU_NONE;
    }
    return entry;
}

static uint64_t get_min_page_size(IOMMUMemoryRegion *region)
{
    return iommu_of(region)->granule;
}

static int num_indexes(IOMMUMemoryRegion *region)
{
    return (int)iommu_indexes(iommu_of(region)->traits);
}

static int attrs_to_index(IOMMUMemoryRegion *region, MemTxAttrs attrs)
{
    return (int)iommu_index(iommu_of(region)->traits, player_attrs_packed(attrs));
}

static int get_attr(IOMMUMemoryRegion *region, enum IOMMUMemoryRegionAttr attr, void *data)
{
    (void)region;
    (void)attr;
    (void)data;
    return 7;
}

static int set_page_size_mask(IOMMUMemoryRegion *region, uint64_t mask, Error **errp)
{
    (void)region;
    if (mask & 1) {
        error_setg(errp, "blocks of one byte");
        return -EINVAL;
    }
    return 0;
}

static int notify_flag_changed(IOMMUMemoryRegion *region, IOMMUNotifierFlag old_flags, IOMMUNotifierFlag new_flags,
                               Error **errp)
{
    const struct player_iommu *u = iommu_of(region);
    const bool refused = new_flags & IOMMU_NOTIFIER_DEVIOTLB_UNMAP || old_flags & ~new_flags & IOMMU_NOTIFIER_MAP;
    const int result = u->traits & IOMMU_STRICT && refused ? -EINVAL : 0;
    struct event e;

    event_init(&e, EVENT_IOMMU_FLAGS);
    e.region = (int)u->slot;
    e.old_mask = (int)old_flags;
    e.new_mask = (int)new_flags;
    e.number = result;
    player_record(u->player, &e);
    if (result) {
        error_setg(errp, "no device caches here, and who was told of mappings stays");
    }
    return result;
}

static void class_replay(IOMMUMemoryRegion *region, IOMMUNotifier *notifier)
{
    IOMMUTLBEntry entry = { .iova = 0x123000, .addr_mask = 0xfff, .perm = IOMMU_RO };

    (void)region;
    notifier->notify(notifier, &entry);
}

static void bare_class(ObjectClass *class, void *data)
{
    (void)data;
    IOMMU_MEMORY_REGION_CLASS(class)->translate = translate;
}

static void full_class(ObjectClass *class, void *data)
{
    IOMMUMemoryRegionClass *c = IOMMU_MEMORY_REGION_CLASS(class);

    bare_class(class, data);
    c->get_min_page_size = get_min_page_size;
    c->num_indexes = num_indexes;
    c->attrs_to_index = attrs_to_index;
    c->get_attr = get_attr;
    c->iommu_set_page_size_mask = set_page_size_mask;
    c->notify_flag_changed = notify_flag_changed;
}

static void replay_class(ObjectClass *class, void *data)
{
    full_class(class, data);
    IOMMU_MEMORY_REGION_CLASS(class)->replay = class_replay;
}

static void register_types(void)
{
    static const TypeInfo types[] = {
        { .name = TYPE_BARE_IOMMU, .parent = TYPE_IOMMU_MEMORY_REGION, .instance_size = sizeof(IOMMUMemoryRegion),
          .class_init = bare_class },
        { .name = TYPE_FULL_IOMMU, .parent = TYPE_IOMMU_MEMORY_REGION, .instance_size = sizeof(IOMMUMemoryRegion),
          .class_init = full_class },
        { .name = TYPE_REPLAY_IOMMU, .parent = TYPE_IOMMU_MEMORY_REGION,
          .instance_size = sizeof(IOMMUMemoryRegion), .class_init = replay_class },
    };
    static bool registered;

    for (size_t i = 0; !registered && i < sizeof(types) / sizeof(types[0]); i++) {
        type_register_static(&types[i]);
    }
    registered = true;
}

void player_iommu_init(struct player *p, unsigned slot, const struct trace_step *s, Object *owner, const char *name)
{
    const uint32_t traits = (uint32_t)s->w.absolute;
    const char *type = traits & IOMMU_REPLAYS ? TYPE_REPLAY_IOMMU
                     : traits & IOMMU_METHODS ? TYPE_FULL_IOMMU : TYPE_BARE_IOMMU;

    register_types();
    playing = p;
    p->iommus[slot] = (struct player_iommu){
        .player = p, .slot = slot, .space = s->c, .granule = iommu_granule((unsigned)s->n), .traits = traits,
    };
    memory_region_init_iommu(&p->regions[slot].iommu, sizeof(IOMMUMemoryRegion), type, owner, name, s->v.absolute);
}

/* --- steps ---------------------------------------------------------------------------------- */

static void play_table_map(struct player_iommu *u, const struct trace_step *s)
{
    struct player_iommu_block block = {
        .mask = iommu_block_mask(u->granule, (unsigned)s->n), .perm = s->c & 3u, .space = s->b,
        .index = iommu_perm_index(s->c, u->traits),
    };

    block.iova = s->v.absolute & ~block.mask;
    block.to = s->w.absolute & ~block.mask;
    if (u->count < IOMMU_BLOCKS) {
        u->count++;
    }
    for (size_t i = u->count - 1; i > 0; i--) {
        u->blocks[i] = u->blocks[i - 1];
    }
    u->blocks[0] = block;
}

static void play_table_unmap(struct player_iommu *u, const struct trace_step *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < u->count; i++) {
        const struct player_iommu_block *b = &u->blocks[i];

        if (b->index != s->c || (s->v.absolute & ~b->mask) != b->iova) {
            u->blocks[kept++] = *b;
        }
    }
    u->count = kept;
}

static void on_notify(IOMMUNotifier *notifier, IOMMUTLBEntry *entry)
{
    struct player_notifier *n = (struct player_notifier *)notifier;
    struct event e;

    event_init(&e, EVENT_IOMMU_NOTIFIED);
    e.number = (int)n->slot;
    e.address = entry->iova;
    e.length = entry->addr_mask;
    e.data = entry->translated_addr;
    e.new_mask = (int)entry->perm;
    e.section.space = player_space_slot(n->player, entry->target_as);
    player_record(n->player, &e);
    entry->iova = entry->addr_mask = UINT64_MAX;    /* it is a copy (R-IOM-9): nobody else may notice */
}

static void play_notifier(struct player *p, const struct trace_step *s)
{
    struct player_notifier *n = &p->iommu_notifiers[s->a];
    Error *error = NULL;
    int result;

    n->player = p;
    n->slot = s->a;
    n->region = &p->regions[s->b].mr;
    n->iommu = memory_region_get_iommu(n->region);
    iommu_notifier_init(&n->notifier, on_notify, (IOMMUNotifierFlag)s->n, s->v.absolute, s->w.absolute, s->c);
    result = memory_region_register_iommu_notifier(n->region, &n->notifier, &error);
    p->seen->value = (uint64_t)(int64_t)result;
    if ((result != 0) != (error != NULL)) {
        p->seen->violation = "an Error without a result, or the other way round (R-IOM-4)";
    }
    error_free(error);
}

void player_forget_alias(struct player *p, unsigned slot)
{
    for (unsigned i = 0; i < TRACE_IOMMU_NOTIFIERS; i++) {
        if (p->iommu_notifiers[i].region == &p->regions[slot].mr) {
            p->iommu_notifiers[i].region = (MemoryRegion *)p->iommu_notifiers[i].iommu;
        }
    }
}

static void play_notify(struct player *p, const struct trace_step *s)
{
    struct player_notifier *n = &p->iommu_notifiers[s->a % TRACE_IOMMU_NOTIFIERS];
    IOMMUMemoryRegion *region = s->op == TRACE_OP_NOTIFY ? &p->regions[s->a].iommu : n->iommu;
    const struct player_iommu *u = iommu_of(region);
    const uint64_t mask = iommu_block_mask(u->granule, s->b);
    IOMMUTLBEvent event = { .entry = { .iova = s->v.absolute & ~mask, .translated_addr = s->w.absolute & ~mask,
                                       .addr_mask = mask } };
    unsigned type, perm;
    bool alive;

    iommu_event((unsigned)s->n, &type, &perm);
    event.type = (IOMMUNotifierFlag)type;
    event.entry.perm = (IOMMUAccessFlags)perm;
    event.entry.target_as = space_of(p, u->space, &alive);
    if (s->op == TRACE_OP_NOTIFY) {
        memory_region_notify_iommu(region, s->c, event);
    } else {
        memory_region_notify_iommu_one(&n->notifier, &event);
    }
}

static void play_query(struct player *p, const struct trace_step *s)
{
    IOMMUMemoryRegion *region = &p->regions[s->a].iommu;
    struct observation *seen = p->seen;
    Error *error = NULL;
    uint32_t masks[2];

    seen->value = memory_region_iommu_get_min_page_size(region);
    seen->numbers[0] = (uint64_t)memory_region_iommu_num_indexes(region);
    seen->numbers[1] = (uint64_t)memory_region_iommu_attrs_to_index(region, player_attrs(access_attrs(s->c)));
    seen->numbers[2] = (uint64_t)(int64_t)memory_region_iommu_get_attr(region, IOMMU_ATTR_SPAPR_TCE_FD, NULL);
    masks[0] = (uint32_t)memory_region_iommu_set_page_size_mask(region, 0x1000, &error);
    masks[1] = error ? 1 : (uint32_t)memory_region_iommu_set_page_size_mask(region, 0x1001, &error);
    error_free(error);
    seen->numbers[3] = (uint64_t)masks[1] << 32 | masks[0];
}

void player_iommu(struct player *p, const struct trace_step *s)
{
    struct player_notifier *n = &p->iommu_notifiers[s->a % TRACE_IOMMU_NOTIFIERS];

    playing = p;
    switch ((enum trace_op)s->op) {
    case TRACE_OP_IOMMU_MAP:
        play_table_map(&p->iommus[s->a], s);
        break;
    case TRACE_OP_IOMMU_UNMAP:
        play_table_unmap(&p->iommus[s->a], s);
        break;
    case TRACE_OP_NOTIFIER:
        play_notifier(p, s);
        break;
    case TRACE_OP_NOTIFIER_DEL:
        memory_region_unregister_iommu_notifier(n->region, &n->notifier);
        break;
    case TRACE_OP_NOTIFY:
    case TRACE_OP_NOTIFY_ONE:
        play_notify(p, s);
        break;
    case TRACE_OP_REPLAY:
        memory_region_iommu_replay(memory_region_get_iommu(n->region), &n->notifier);
        break;
    case TRACE_OP_IOMMU_QUERY:
        play_query(p, s);
        break;
    default:
        abort();
    }
}
