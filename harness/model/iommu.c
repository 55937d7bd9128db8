/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test IOMMUs of access.h, their notifiers and replays: R-IOM. */
#include <errno.h>
#include <stdlib.h>

#include "exec/cpu-common.h"
#include "model/access_state.h"

enum { UNMAP = 1, MAP = 2, DEVIOTLB_UNMAP = 4 };

/* --- the table --------------------------------------------------------------------------- */

static int living(const struct model *m, unsigned space)
{
    return space < TRACE_SPACES && m->spaces[space].live ? (int)space : NO_SLOT;
}

struct iommu_entry table_translate(const struct model *m, unsigned region, uint64_t offset, unsigned index)
{
    const struct iommu *const u = &m->iommus[region];
    const uint64_t mask = u->granule - 1;
    struct iommu_entry e = {
        .space = living(m, u->space), .iova = offset & ~mask, .to = offset & ~mask, .mask = mask,
        .perm = u->traits & IOMMU_IDENTITY ? IOMMU_READ | IOMMU_WRITE : 0,
    };

    for (size_t i = 0; i < u->count; i++) {
        const struct iommu_block *const b = &u->blocks[i];

        if (b->index == index && (offset & ~b->mask) == b->iova) {
            e = (struct iommu_entry){
                .space = living(m, b->space), .iova = b->iova, .to = b->to, .mask = b->mask, .perm = b->perm,
            };
            break;
        }
    }
    e.perm = e.space == NO_SLOT ? 0 : e.perm;
    return e;
}

static void table_map(struct iommu *u, const struct trace_step *s)
{
    const uint64_t mask = iommu_block_mask(u->granule, (unsigned)s->n);

    u->count += u->count < IOMMU_BLOCKS;
    for (size_t i = u->count - 1; i > 0; i--) {
        u->blocks[i] = u->blocks[i - 1];
    }
    u->blocks[0] = (struct iommu_block){
        .index = iommu_perm_index(s->c, u->traits), .iova = s->v.absolute & ~mask, .mask = mask,
        .to = s->w.absolute & ~mask, .space = s->b, .perm = s->c & 3u,
    };
}

static void table_unmap(struct iommu *u, const struct trace_step *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < u->count; i++) {
        const struct iommu_block *const b = &u->blocks[i];

        if (!(b->index == s->c && (s->v.absolute & ~b->mask) == b->iova)) {
            u->blocks[kept++] = *b;
        }
    }
    u->count = kept;
}

/* --- notifiers --------------------------------------------------------------------------- */

static unsigned flags_of_all(const struct model *m, int region)
{
    unsigned flags = 0;

    for (size_t i = 0; i < m->notifier_order.count; i++) {
        const struct iommu_notifier *const n = &m->iommu_notifiers[m->notifier_order.slots[i]];

        flags |= n->region == region ? n->flags : 0;
    }
    return flags;
}

/* R-IOM-4 to R-IOM-6: what the class says to the flags that all notifiers together want now. */
static int flags_changed(struct model *m, int region)
{
    struct iommu *const u = &m->iommus[region];
    const unsigned flags = flags_of_all(m, region);
    struct event e;

    if (flags == u->flags || !(u->traits & IOMMU_METHODS)) {
        u->flags = flags;
        return 0;
    }
    event_init(&e, EVENT_IOMMU_FLAGS);
    e.region = region;
    e.old_mask = (int)u->flags;
    e.new_mask = (int)flags;
    e.number = u->traits & IOMMU_STRICT && (flags & DEVIOTLB_UNMAP || u->flags & ~flags & MAP) ? -EINVAL : 0;
    event_log_append(m->out, &e);
    if (e.number == 0) {
        u->flags = flags;
    }
    return e.number;
}

static void forget_notifier(struct model *m, unsigned slot)
{
    m->iommu_notifiers[slot].live = false;
    slot_list_remove(&m->live_iommu_notifiers, slot);
    slot_list_remove(&m->notifier_order, slot);
}

static int register_notifier(struct model *m, const struct trace_step *s)
{
    int region = s->b, result;

    while (m->regions[region].kind == KIND_ALIAS) {     /* R-IOM-4: the range is not shifted */
        region = m->regions[region].target;
    }
    m->iommu_notifiers[s->a] = (struct iommu_notifier){
        .live = true, .region = region, .start = s->v.absolute, .end = s->w.absolute, .flags = (unsigned)s->n,
        .index = s->c,
    };
    slot_list_insert_sorted(&m->live_iommu_notifiers, s->a);
    slot_list_append(&m->notifier_order, s->a);
    result = flags_changed(m, region);
    if (result) {
        forget_notifier(m, s->a);
    }
    return result;
}

static void unregister_notifier(struct model *m, unsigned slot)
{
    const int region = m->iommu_notifiers[slot].region;

    forget_notifier(m, slot);
    if (flags_changed(m, region) && m->profile == MODEL_PROFILE_MEMCORE) {
        m->iommus[region].flags = flags_of_all(m, region);      /* R-IOM-7 */
    }
}

static void deliver(struct model *m, unsigned slot, const struct iommu_entry *entry)
{
    struct event e;

    event_init(&e, EVENT_IOMMU_NOTIFIED);
    e.number = (int)slot;
    e.address = entry->iova;
    e.length = entry->mask;
    e.data = entry->to;
    e.new_mask = (int)entry->perm;
    e.section.space = entry->space;
    event_log_append(m->out, &e);
}

/* R-IOM-9 to R-IOM-12 */
static void notify_one(struct model *m, unsigned slot, unsigned type, const struct iommu_entry *whole)
{
    const struct iommu_notifier *const n = &m->iommu_notifiers[slot];
    const uint64_t last = whole->iova + whole->mask;
    struct iommu_entry entry = *whole;

    if (!(type & n->flags) || whole->iova > n->end || last < n->start) {
        return;
    }
    if (n->flags & DEVIOTLB_UNMAP) {
        entry.iova = whole->iova > n->start ? whole->iova : n->start;
        entry.mask = (last < n->end ? last : n->end) - entry.iova;
        if (type == MAP && m->profile == MODEL_PROFILE_MEMCORE) {
            entry.to += entry.iova - whole->iova;               /* R-IOM-11 */
        }
    }
    deliver(m, slot, &entry);
}

static void notify(struct model *m, const struct trace_step *s)
{
    const int region = s->op == TRACE_OP_NOTIFY ? s->a : m->iommu_notifiers[s->a].region;
    const struct iommu *const u = &m->iommus[region];
    const uint64_t mask = iommu_block_mask(u->granule, s->b);
    struct iommu_entry entry = {
        .space = living(m, u->space), .iova = s->v.absolute & ~mask, .to = s->w.absolute & ~mask, .mask = mask,
    };
    unsigned type;

    iommu_event((unsigned)s->n, &type, &entry.perm);
    if (s->op == TRACE_OP_NOTIFY_ONE) {
        notify_one(m, s->a, type, &entry);
        return;
    }
    for (size_t i = m->notifier_order.count; i-- > 0;) {        /* R-IOM-8: newest first */
        const struct iommu_notifier *const n = &m->iommu_notifiers[m->notifier_order.slots[i]];

        if (n->region == region && n->index == s->c) {
            notify_one(m, m->notifier_order.slots[i], type, &entry);
        }
    }
}

/* R-IOM-1 */
static uint64_t page_size(const struct iommu *u)
{
    return u->traits & IOMMU_METHODS ? u->granule : TARGET_PAGE_SIZE;
}

/* R-IOM-14, R-IOM-15 */
static void replay(struct model *m, unsigned slot)
{
    const struct iommu_notifier *const n = &m->iommu_notifiers[slot];
    const struct iommu *const u = &m->iommus[n->region];

    if (u->traits & IOMMU_REPLAYS) {
        deliver(m, slot, &(struct iommu_entry){
                    .space = NO_SLOT, .iova = 0x123000, .mask = 0xfff, .perm = IOMMU_READ });
        return;
    }
    for (wide at = 0; at < m->regions[n->region].size; at += page_size(u)) {
        const struct iommu_entry e = table_translate(m, (unsigned)n->region, (uint64_t)at, n->index);

        if (e.perm) {
            deliver(m, slot, &e);
        }
    }
}

/* --- steps ------------------------------------------------------------------------------- */

static void query(const struct model *m, const struct trace_step *s, struct observation *expected)
{
    const struct iommu *const u = &m->iommus[s->a];
    const bool methods = u->traits & IOMMU_METHODS;

    expected->value = page_size(u);
    expected->numbers[0] = iommu_indexes(u->traits);
    expected->numbers[1] = iommu_index(u->traits, access_attrs(s->c));
    expected->numbers[2] = methods ? 7 : (uint64_t)(int64_t)-EINVAL;
    expected->numbers[3] = methods ? (uint64_t)(uint32_t)-EINVAL << 32 : 0;
}

void iommu_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_IOMMU:
        region_new(m, s->a, KIND_IOMMU, s->v.absolute, s->b, NAMING_PLAIN);
        m->iommus[s->a] = (struct iommu){
            .space = s->c, .granule = iommu_granule((unsigned)s->n), .traits = (uint32_t)s->w.absolute,
        };
        break;
    case TRACE_OP_IOMMU_MAP:
        table_map(&m->iommus[s->a], s);
        break;
    case TRACE_OP_IOMMU_UNMAP:
        table_unmap(&m->iommus[s->a], s);
        break;
    case TRACE_OP_NOTIFIER:
        expected->value = (uint64_t)(int64_t)register_notifier(m, s);
        break;
    case TRACE_OP_NOTIFIER_DEL:
        unregister_notifier(m, s->a);
        break;
    case TRACE_OP_NOTIFY:
    case TRACE_OP_NOTIFY_ONE:
        notify(m, s);
        break;
    case TRACE_OP_REPLAY:
        replay(m, s->a);
        break;
    case TRACE_OP_IOMMU_QUERY:
        query(m, s, expected);
        break;
    default:
        abort();
    }
}

size_t model_iommu_notifiers(const struct model *m, const uint16_t **slots)
{
    *slots = m->live_iommu_notifiers.slots;
    return m->live_iommu_notifiers.count;
}

bool model_iommu(const struct model *m, unsigned region, struct model_iommu *out)
{
    if (region >= TRACE_REGIONS || !m->regions[region].live || m->regions[region].kind != KIND_IOMMU) {
        return false;
    }
    *out = (struct model_iommu){
        .granule = m->iommus[region].granule,
        .page_size = page_size(&m->iommus[region]),
        .traits = m->iommus[region].traits,
    };
    return true;
}

bool model_iommu_notifier(const struct model *m, unsigned slot, struct model_iommu_notifier *out)
{
    const struct iommu_notifier *const n = slot < TRACE_IOMMU_NOTIFIERS ? &m->iommu_notifiers[slot] : NULL;

    if (!n || !n->live) {
        return false;
    }
    *out = (struct model_iommu_notifier){
        .region = n->region, .start = n->start, .end = n->end, .flags = n->flags, .index = n->index,
    };
    return true;
}
