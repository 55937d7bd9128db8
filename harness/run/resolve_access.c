/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses, maps, caches and IOMMUs: the preconditions of section 15. */
#include "model/access.h"
#include "run/resolve_operand.h"

/* --- what suits ------------------------------------------------------------------- */

static bool is_kind(const struct query *q, unsigned slot, bool (*accepted)(enum region_kind kind))
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && accepted(region.kind);
}

static bool kind_answers(enum region_kind kind)
{
    return kind == KIND_IO || kind == KIND_ROM_DEVICE;
}

static bool has_callbacks(const struct query *q, unsigned slot)
{
    return is_kind(q, slot, kind_answers);
}

static bool kind_iommu(enum region_kind kind)
{
    return kind == KIND_IOMMU;
}

static bool is_iommu(const struct query *q, unsigned slot)
{
    return is_kind(q, slot, kind_iommu);
}

static bool is_romd(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.kind == KIND_ROM_DEVICE && region.romd;
}

/* The end of an alias chain. */
static unsigned end_of_chain(const struct model *m, unsigned slot, uint64_t *offset)
{
    struct model_region region;

    while (model_region(m, slot, &region) && region.target != OBSERVED_NONE) {
        *offset += region.alias_offset;
        slot = (unsigned)region.target;
    }
    return slot;
}

/* An IOMMU or an alias of one, that a notifier may be registered on. */
static bool takes_notifier(const struct query *q, unsigned slot)
{
    uint64_t offset = 0;
    unsigned end = end_of_chain(q->r->model, slot, &offset);

    return is_iommu(q, end) && resolve_stays_alive(q, end);
}

/* Nothing is checked against the size of the region (R-DSP-14): a RAM device would be accessed beyond its memory. */
static bool can_be_dispatched(const struct query *q, unsigned slot)
{
    struct model_region region;
    uint64_t offset = q->step->v.absolute;
    unsigned size = access_memop((unsigned)q->step->n).size;

    slot = end_of_chain(q->r->model, slot, &offset);
    return model_region(q->r->model, slot, &region) &&
           (region.kind != KIND_RAM_DEVICE || model_ram(q->r->model, slot, offset, size, (uint8_t[8]){ 0 }));
}

static bool mapping_free(const struct query *q, unsigned slot)
{
    struct model_mapping mapping;

    return !model_mapping(q->r->model, slot, &mapping);
}

static bool cache_free(const struct query *q, unsigned slot)
{
    struct model_cache cache;

    return !model_cache(q->r->model, slot, &cache);
}

static bool notifier_free(const struct query *q, unsigned slot)
{
    struct model_iommu_notifier notifier;

    return !model_iommu_notifier(q->r->model, slot, &notifier);
}

static bool cache_writes(const struct query *q, unsigned slot)
{
    struct model_cache cache;

    return model_cache(q->r->model, slot, &cache) && cache.is_write;
}

static bool cache_has_room(const struct query *q, unsigned slot)
{
    struct model_cache cache;

    return model_cache(q->r->model, slot, &cache) && cache.length >= access_scalar((unsigned)q->step->n).size;
}

static bool cache_stores(const struct query *q, unsigned slot)
{
    return cache_writes(q, slot) && cache_has_room(q, slot);
}

bool resolve_unmapped_space(const struct query *q, unsigned slot)
{
    const uint16_t *slots;
    size_t count = model_mappings(q->r->model, &slots);

    for (size_t i = 0; i < count; i++) {
        struct model_mapping mapping;

        if (model_mapping(q->r->model, slots[i], &mapping) && mapping.space == (int)slot) {
            return false;
        }
    }
    return true;
}

bool resolve_is_mapped(const struct model *m, unsigned region)
{
    const uint16_t *slots;
    size_t count = model_mappings(m, &slots);

    for (size_t i = 0; i < count; i++) {
        struct model_mapping mapping;

        if (model_mapping(m, slots[i], &mapping) && mapping.region == (int)region) {
            return true;
        }
    }
    count = model_caches(m, &slots);
    for (size_t i = 0; i < count; i++) {
        struct model_cache cache;

        if (model_cache(m, slots[i], &cache) && cache.region == (int)region) {
            return true;
        }
    }
    return false;
}

static bool any_notifier(const struct model *m, bool (*on)(const struct model *m, int region, unsigned what),
                         unsigned what)
{
    const uint16_t *slots;
    size_t count = model_iommu_notifiers(m, &slots);

    for (size_t i = 0; i < count; i++) {
        struct model_iommu_notifier notifier;

        if (model_iommu_notifier(m, slots[i], &notifier) && on(m, notifier.region, what)) {
            return true;
        }
    }
    return false;
}

static bool is_same(const struct model *m, int region, unsigned what)
{
    (void)m;
    return region == (int)what;
}

static bool is_owned(const struct model *m, int region, unsigned what)
{
    struct model_region of;

    return model_region(m, (unsigned)region, &of) && of.owner == (int)what;
}

bool resolve_has_notifiers(const struct model *m, unsigned region)
{
    return any_notifier(m, is_same, region);
}

bool resolve_owner_has_notifiers(const struct model *m, unsigned owner)
{
    return any_notifier(m, is_owned, owner);
}

/* --- steps ------------------------------------------------------------------------ */

static bool space_operand(const struct query *q, uint16_t *operand, const char **reason)
{
    *reason = "no address space";
    return resolve_take(resolve_pick_listed(q, *operand, NULL, model_spaces), operand);
}

static bool buffer_operand(const struct query *q, struct trace_step *out, const char **reason)
{
    resolve_bound_value(&out->w, 0, TRACE_BUFFER_MAX);
    if (out->op == TRACE_OP_READ && out->n == READ_8) {
        out->w.absolute = 8;
    } else if (out->op == TRACE_OP_READ && out->n == READ_TRANSLATED) {
        resolve_bound_value(&out->w, 1, TRACE_BUFFER_MAX);      /* R-ACC-18 */
    }
    return space_operand(q, &out->a, reason);
}

static bool is_buffer(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.has_block && !region.mapped_readonly;
}

static bool resolve_move(const struct query *q, struct trace_step *out, const char **reason)
{
    struct model_region region;

    *reason = "QEMU 7.2 says nothing of buffers in guest memory";
    if (model_profile(q->r->model) != MODEL_PROFILE_MEMCORE) {
        return false;
    }
    *reason = "no region with memory of its own";
    if (!resolve_take(resolve_pick_region(q, out->b, is_buffer), &out->b) ||
        !model_region(q->r->model, out->b, &region)) {
        return false;
    }
    if (region.block_max == 0) {
        *reason = "the block is empty";
        return false;
    }
    out->w.absolute %= region.block_max;
    if ((uint64_t)out->n > region.block_max - out->w.absolute) {
        out->n = (int32_t)(region.block_max - out->w.absolute);
    }
    return space_operand(q, &out->a, reason);
}

static bool resolve_flush_rom(const struct query *q, struct trace_step *out, const char **reason)
{
    struct model_region region;

    *reason = "no ROM device in romd mode";
    if (!resolve_take(resolve_pick_region(q, out->a, is_romd), &out->a) ||
        !model_region(q->r->model, out->a, &region)) {
        return false;
    }
    *reason = "the ROM device is empty";
    if (!model_ram(q->r->model, out->a, 0, 1, (uint8_t[1]){ 0 })) {
        return false;
    }
    out->v.absolute %= region.block_length;
    resolve_bound_value(&out->w, 0, TRACE_BUFFER_MAX);
    if (out->w.absolute > region.block_length - out->v.absolute) {
        out->w.absolute = region.block_length - out->v.absolute;
    }
    return true;
}

static bool is_bounced(const struct query *q, unsigned slot)
{
    struct model_mapping mapping;

    return model_mapping(q->r->model, slot, &mapping) && mapping.bounced;
}

/* Threads meet at the bounce buffer: who has it, else any. */
static bool bounced_operand(const struct query *q, uint16_t *slot, const char **reason)
{
    *reason = "nothing is mapped";
    return resolve_take(resolve_pick_listed(q, *slot, is_bounced, model_mappings), slot) ||
           resolve_take(resolve_pick_listed(q, *slot, NULL, model_mappings), slot);
}

/* Who leaves, if anybody waits, is one of those. */
static void leaver_operand(const struct query *q, uint16_t *slot)
{
    for (unsigned i = 0; i < TRACE_CLIENTS; i++) {
        const unsigned next = (*slot + i) % TRACE_CLIENTS;

        if (model_client_waits(q->r->model, next)) {
            *slot = (uint16_t)next;
            return;
        }
    }
}

static bool resolve_unmap(const struct query *q, struct trace_step *out, const char **reason)
{
    uint16_t *const slot = out->op == TRACE_OP_MEANWHILE ? &out->b : &out->a;
    struct model_mapping mapping;

    *reason = "nothing is mapped";
    if (!(out->op != TRACE_OP_UNMAP ? bounced_operand(q, slot, reason)
                    : resolve_take(resolve_pick_listed(q, *slot, NULL, model_mappings), slot)) ||
        !model_mapping(q->r->model, *slot, &mapping)) {
        return false;
    }
    resolve_bound_value(&out->w, 0, mapping.length < TRACE_BUFFER_MAX ? mapping.length : TRACE_BUFFER_MAX);
    if (out->op != TRACE_OP_UNMAP_INTO) {
        return true;
    }
    if (!mapping.bounced) {         /* memory that two spaces map is told apart by them (R-MAP-12) */
        out->b = (uint16_t)mapping.space;
        return true;
    }
    return space_operand(q, &out->b, reason);
}

/* Small values count from the first of so many places, large ones from the last: both ends are near. */
static uint64_t from_either_end(uint64_t value, uint64_t places)
{
    return value >> 63 ? places - 1 - ~value % places : value % places;
}

static bool resolve_cached(const struct query *q, struct trace_step *out, const char **reason)
{
    struct model_cache cache;
    uint64_t least = 1;
    suits_fn suits = NULL;

    *reason = "no cache that suits";
    switch (out->op) {
    case TRACE_OP_CACHE_WRITE:
    case TRACE_OP_CACHE_INVALIDATE:
        suits = cache_writes;
        break;
    case TRACE_OP_CACHE_LOAD:
        suits = cache_has_room;
        break;
    case TRACE_OP_CACHE_STORE:
        suits = cache_stores;
        break;
    default:
        break;
    }
    if (!resolve_take(resolve_pick_listed(q, out->a, suits, model_caches), &out->a) ||
        !model_cache(q->r->model, out->a, &cache)) {
        return false;
    }
    if (out->op == TRACE_OP_CACHE_DESTROY) {
        return true;
    }
    if (out->op == TRACE_OP_CACHE_LOAD || out->op == TRACE_OP_CACHE_STORE) {
        least = access_scalar((unsigned)out->n).size;
        if (out->op == TRACE_OP_CACHE_STORE) {
            out->w.absolute = access_cut(out->w.absolute, (unsigned)least);
        }
        out->v.absolute = from_either_end(out->v.absolute, cache.length - least + 1);
        return true;
    }
    out->v.absolute = from_either_end(out->v.absolute, cache.length);
    resolve_bound_value(&out->w, 0, TRACE_BUFFER_MAX);
    if (out->w.absolute > cache.length - out->v.absolute) {
        out->w.absolute = cache.length - out->v.absolute;
    }
    return true;
}

static bool resolve_notifier(const struct query *q, struct trace_step *out, const char **reason)
{
    struct model_iommu iommu;
    uint64_t offset = 0;

    *reason = "no free notifier, or no IOMMU";
    if (!resolve_take(resolve_next_free(out->a, TRACE_IOMMU_NOTIFIERS, q, notifier_free), &out->a) ||
        !resolve_take(resolve_pick_region(q, out->b, takes_notifier), &out->b) ||
        !model_iommu(q->r->model, end_of_chain(q->r->model, out->b, &offset), &iommu)) {
        return false;
    }
    if (out->v.absolute > out->w.absolute) {
        struct trace_value v = out->v;

        out->v = out->w;
        out->w = v;
    }
    out->n = out->n ? out->n : 1;
    out->c = (uint16_t)(out->c % iommu_indexes(iommu.traits));
    return true;
}

/* An interested notifier must not be cut by an event, unless it takes such (R-IOM-9, R-IOM-12). */
static bool would_cut(const struct model_iommu_notifier *n, const struct trace_step *s, uint64_t mask)
{
    enum { DEVIOTLB_UNMAP = 4 };
    uint64_t first = s->v.absolute & ~mask, last = first + mask;
    unsigned type, perm;

    iommu_event((unsigned)s->n, &type, &perm);
    return n->flags & type && !(n->flags & DEVIOTLB_UNMAP) && first <= n->end && last >= n->start &&
           (first < n->start || last > n->end);
}

static bool resolve_notify(const struct query *q, struct trace_step *out, const char **reason)
{
    const struct model *m = q->r->model;
    struct model_iommu_notifier n;
    struct model_iommu iommu;
    const uint16_t *slots;
    size_t count = model_iommu_notifiers(m, &slots);

    *reason = "the event would cut the range of a notifier that takes it whole";
    if (out->op == TRACE_OP_NOTIFY_ONE) {
        return resolve_take(resolve_pick_listed(q, out->a, NULL, model_iommu_notifiers), &out->a) &&
               model_iommu_notifier(m, out->a, &n) && model_iommu(m, (unsigned)n.region, &iommu) &&
               !would_cut(&n, out, iommu_block_mask(iommu.granule, out->b));
    }
    if (!resolve_take(resolve_pick_region(q, out->a, is_iommu), &out->a) || !model_iommu(m, out->a, &iommu)) {
        return false;
    }
    out->c = (uint16_t)(out->c % iommu_indexes(iommu.traits));
    for (size_t i = 0; i < count; i++) {
        if (model_iommu_notifier(m, slots[i], &n) && n.region == out->a && n.index == out->c &&
            would_cut(&n, out, iommu_block_mask(iommu.granule, out->b))) {
            return false;
        }
    }
    return true;
}

static bool resolve_replay(const struct query *q, struct trace_step *out, const char **reason)
{
    const struct model *m = q->r->model;
    struct model_iommu_notifier n;
    struct model_iommu iommu;
    struct model_region region;

    *reason = "no notifier, or its region has too many pages";
    return resolve_take(resolve_pick_listed(q, out->a, NULL, model_iommu_notifiers), &out->a) &&
           model_iommu_notifier(m, out->a, &n) && model_iommu(m, (unsigned)n.region, &iommu) &&
           model_region(m, (unsigned)n.region, &region) && region.size <= iommu.page_size * (wide)IOMMU_REPLAY_MAX;
}

static bool resolve_iommu(const struct query *q, struct trace_step *out, const char **reason)
{
    if (!(out->w.absolute & IOMMU_METHODS)) {
        out->w.absolute &= IOMMU_IDENTITY;
    }
    out->b = resolve_owner(q, out->b);
    return resolve_new_region(q, out, reason) && space_operand(q, &out->c, reason);
}

static bool resolve_iommu_table(const struct query *q, struct trace_step *out, const char **reason)
{
    struct model_iommu iommu;

    *reason = "no IOMMU";
    if (!resolve_take(resolve_pick_region(q, out->a, is_iommu), &out->a) ||
        !model_iommu(q->r->model, out->a, &iommu)) {
        return false;
    }
    if (out->op == TRACE_OP_IOMMU_UNMAP) {
        out->c = (uint16_t)(out->c % iommu_indexes(iommu.traits));
    }
    return out->op != TRACE_OP_IOMMU_MAP || space_operand(q, &out->b, reason);
}

bool resolve_access(struct query *q, struct trace_step *out, const char **reason)
{
    const struct query found = { .r = q->r, .step = out, .other = q->other };  /* its values are absolute */

    q->step = out;
    switch ((enum trace_op)out->op) {
    case TRACE_OP_DEVICE:
        out->b = resolve_owner(q, out->b);
        return resolve_new_region(q, out, reason);
    case TRACE_OP_SCRIPT:
        *reason = "no region that calls back";
        return resolve_take(resolve_pick_region(q, out->a, has_callbacks), &out->a) &&
               resolve_take(resolve_pick_region(q, out->b, NULL), &out->b) && space_operand(q, &out->c, reason);
    case TRACE_OP_FLUSH_ROM:
        return resolve_flush_rom(q, out, reason);
    case TRACE_OP_READ:
    case TRACE_OP_WRITE:
    case TRACE_OP_WRITE_ROM:
    case TRACE_OP_SET:
    case TRACE_OP_VALID:
        return buffer_operand(q, out, reason);
    case TRACE_OP_STORE:
        out->w.absolute = access_cut(out->w.absolute, access_scalar((unsigned)out->n).size);
        return space_operand(q, &out->a, reason);
    case TRACE_OP_LOAD:
    case TRACE_OP_TRANSLATE:
    case TRACE_OP_IOTLB:
        return space_operand(q, &out->a, reason);
    case TRACE_OP_DISPATCH_READ:
    case TRACE_OP_DISPATCH_WRITE:
        *reason = "no region";
        out->w.absolute = access_cut(out->w.absolute, access_memop((unsigned)out->n).size);
        return resolve_take(resolve_pick_region(&found, out->a, can_be_dispatched), &out->a);
    case TRACE_OP_MOVE:
        return resolve_move(q, out, reason);
    case TRACE_OP_MAP:
    case TRACE_OP_MAP_MEANWHILE:
        *reason = "no free mapping";
        return resolve_take(resolve_next_free(out->a, TRACE_MAPPINGS, q, mapping_free), &out->a) &&
               space_operand(q, &out->b, reason) &&
               (out->op == TRACE_OP_MAP || bounced_operand(q, &out->c, reason));
    case TRACE_OP_MEANWHILE:
        if (out->n == UNMAP_IN_CANCEL || out->n == CANCEL_IN_UNMAP) {
            leaver_operand(q, &out->a);
        }
        return resolve_unmap(q, out, reason);
    case TRACE_OP_UNMAP:
    case TRACE_OP_UNMAP_INTO:
        return resolve_unmap(q, out, reason);
    case TRACE_OP_MAP_CLIENT:
    case TRACE_OP_MAP_CLIENT_CANCEL:
        return true;
    case TRACE_OP_CACHE:
        *reason = "no free cache";
        out->w.absolute += out->w.absolute == 0;
        if (out->w.absolute > INT64_MAX && model_profile(q->r->model) != MODEL_PROFILE_MEMCORE) {
            out->w.absolute = INT64_MAX;        /* 7.2 returns what is more as an int64_t (R-CCH-1) */
        }
        return resolve_take(resolve_next_free(out->a, TRACE_CACHES, q, cache_free), &out->a) &&
               space_operand(q, &out->b, reason);
    case TRACE_OP_CACHE_READ:
    case TRACE_OP_CACHE_WRITE:
    case TRACE_OP_CACHE_LOAD:
    case TRACE_OP_CACHE_STORE:
    case TRACE_OP_CACHE_INVALIDATE:
    case TRACE_OP_CACHE_DESTROY:
        return resolve_cached(q, out, reason);
    case TRACE_OP_IOMMU:
        return resolve_iommu(q, out, reason);
    case TRACE_OP_IOMMU_MAP:
    case TRACE_OP_IOMMU_UNMAP:
    case TRACE_OP_IOMMU_QUERY:
        return resolve_iommu_table(q, out, reason);
    case TRACE_OP_NOTIFIER:
        return resolve_notifier(q, out, reason);
    case TRACE_OP_NOTIFIER_DEL:
        *reason = "no notifier";
        return resolve_take(resolve_pick_listed(q, out->a, NULL, model_iommu_notifiers), &out->a);
    case TRACE_OP_NOTIFY:
    case TRACE_OP_NOTIFY_ONE:
        return resolve_notify(q, out, reason);
    case TRACE_OP_REPLAY:
        return resolve_replay(q, out, reason);
    default:
        return false;
    }
}
