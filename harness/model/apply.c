/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One resolved step: which chapter's function it calls, and what it answers. */
#include "model/state.h"

#include <stdlib.h>

#include "model/block.h"

/* Anonymous memory, R-RAM-5. */
#define ANONYMOUS_ALIGNMENT (UINT64_C(2) << 20)

/* Indices of operand.def's words. */
enum { PTR_RAM, PTR_DEVICE };
enum { ROMD_MIGRATABLE, ROMD_NOMIGRATE };
enum { ENDIAN_NATIVE, ENDIAN_BIG, ENDIAN_LITTLE };
enum { MTREE_FLATVIEW = 1 << 0, MTREE_DISPATCH_TREE = 1 << 1, MTREE_OWNER = 1 << 2, MTREE_DISABLED = 1 << 3 };

static void apply_new_region(struct model *m, const struct trace_step *s)
{
    struct region *r;
    struct ram_sizes sizes;

    switch (s->op) {
    case TRACE_OP_CONTAINER:
        region_new(m, s->a, KIND_CONTAINER, s->v.absolute, s->b, s->c);
        break;
    case TRACE_OP_IO:
        r = region_new(m, s->a, KIND_IO, s->v.absolute, s->b, s->c);
        r->big_endian = s->n == ENDIAN_BIG;
        r->shape.traits = s->n == ENDIAN_BIG ? DEVICE_BIG : 0;
        break;
    case TRACE_OP_RESERVATION:
        region_new(m, s->a, KIND_RESERVATION, s->v.absolute, s->b, s->c);
        break;
    case TRACE_OP_ALIAS:
        r = region_new(m, s->a, KIND_ALIAS, s->w.absolute, s->c, (enum naming)s->n);
        r->target = s->b;
        r->alias_offset = s->v.absolute;
        break;
    case TRACE_OP_RAM:
        if ((s->n == KIND_WORD_RAM || s->n == KIND_WORD_ROM) && block_refused_by_name(m, s->a, s->b)) {
            return;
        }
        sizes = block_ram_sizes((unsigned)s->n, s->v.absolute);
        r = region_new(m, s->a, KIND_RAM, sizes.used, s->b, NAMING_PLAIN);
        r->readonly = s->n == KIND_WORD_ROM || s->n == KIND_WORD_ROM_NOMIGRATE;
        r->shared = s->n == KIND_WORD_SHARED;
        r->noreserve = s->n == KIND_WORD_NORESERVE;
        region_give_block(m, s->a, sizes.max, s->n == KIND_WORD_RAM || s->n == KIND_WORD_ROM, ANONYMOUS_ALIGNMENT);
        break;
    case TRACE_OP_RAM_PTR:
        r = region_new(m, s->a, s->n == PTR_DEVICE ? KIND_RAM_DEVICE : KIND_RAM_PTR, s->v.absolute, s->b,
                       NAMING_PLAIN);
        region_give_block(m, s->a, 0, false, 0);
        break;
    case TRACE_OP_ROM_DEVICE:
        if (s->n == ROMD_MIGRATABLE && block_refused_by_name(m, s->a, s->b)) {
            return;
        }
        r = region_new(m, s->a, KIND_ROM_DEVICE, s->v.absolute, s->b, NAMING_PLAIN);
        region_give_block(m, s->a, 0, s->n == ROMD_MIGRATABLE, ANONYMOUS_ALIGNMENT);
        break;
    default:
        abort();
    }
    if (m->regions[s->a].has_block) {
        block_added(m, s->a);
    }
}

static void apply_space(struct model *m, const struct trace_step *s)
{
    /* A witness hears everything that can be heard together (R-LST-6, R-LOG-4). */
    const uint32_t everything = (UINT32_C(1) << EVENT_LISTENER_KINDS) - 1;

    space_new(m, s->a, s->b);
    if (s->n) {
        listener_register(m, TRACE_LISTENERS + s->a, s->a, 0,
                          everything & ~(UINT32_C(1) << EVENT_LOG_SYNC_GLOBAL));
    }
}

static void apply_find(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct flat_view *view;

    expected->section = find(m, s->a, s->v.absolute, s->w.absolute, &view);
    expected->view_published = view != NULL;
}

/* R-FIND-6 */
static void apply_present(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct flat_view *view;
    const struct observed_section hit = find(m, s->a, s->v.absolute, 1, &view);

    expected->truth = hit.region != OBSERVED_NONE && hit.region != s->a;
}

/* R-SEC-3: the copy keeps the region's owner and the view. */
static void apply_copy(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct copy *const c = &m->copies[s->a];
    struct flat_view *view;

    expected->section = find(m, s->b, s->v.absolute, s->w.absolute, &view);
    expected->view_published = view != NULL;
    if (view) {
        *c = (struct copy) { .live = true, .region = expected->section.region, .view = view };
        slot_list_insert_sorted(&m->live_copies, s->a);
    }
}

static void apply_free_copy(struct model *m, const struct trace_step *s)
{
    m->copies[s->a].live = false;
    slot_list_remove(&m->live_copies, s->a);
    views_let_go(m);
    owners_bury(m);
}

static void apply_owner(struct model *m, const struct trace_step *s)
{
    m->owners[s->a] = (struct owner) { .live = true };
    slot_list_insert_sorted(&m->live_owners, s->a);
}

/* R-TX-6, R-TX-9: everything deferred, and what that defers in turn. */
static void apply_grace(struct model *m)
{
    m->doomed_roots.count = 0;
    views_grace(m);
    owners_bury(m);
}

static void apply_to_memory(struct model *m, const struct trace_step *s, struct observation *expected)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_SPACE:
        apply_space(m, s);
        break;
    case TRACE_OP_ADD:
        region_add(m, s->a, s->b, s->v.absolute, s->n);
        break;
    case TRACE_OP_DEL:
        region_del(m, s->a);
        break;
    case TRACE_OP_ENABLED:
        region_set_enabled(m, s->a, s->n);
        break;
    case TRACE_OP_ADDRESS:
        region_set_address(m, s->a, s->v.absolute);
        break;
    case TRACE_OP_SIZE:
        region_set_size(m, s->a, s->v.absolute);
        break;
    case TRACE_OP_ALIAS_OFFSET:
        region_set_alias_offset(m, s->a, s->v.absolute);
        break;
    case TRACE_OP_READONLY:
        region_set_readonly(m, s->a, s->n);
        break;
    case TRACE_OP_NONVOLATILE:
        region_set_nonvolatile(m, s->a, s->n);
        break;
    case TRACE_OP_ROMD:
        region_set_romd(m, s->a, s->n);
        break;
    case TRACE_OP_FIND:
        apply_find(m, s, expected);
        break;
    case TRACE_OP_PRESENT:
        apply_present(m, s, expected);
        break;
    case TRACE_OP_QUERY:
        region_describe(m, s->a, &expected->facts);
        break;
    case TRACE_OP_DESTROY:
        space_destroy(m, s->a);
        break;
    case TRACE_OP_BEGIN:
        transaction_begin(m);
        break;
    case TRACE_OP_COMMIT:
        transaction_commit(m);
        break;
    case TRACE_OP_MTREE:
        print_mtree(m, s->n & MTREE_FLATVIEW, s->n & MTREE_OWNER, s->n & MTREE_DISABLED, observation_text(expected));
        observation_text_end(expected);
        break;
    default:
        apply_new_region(m, s);
        break;
    }
}

/* Groups with a file of their own. */
static void apply_by_group(struct model *m, const struct trace_step *s, struct observation *expected)
{
    switch (trace_op_table[s->op].group) {
    case TRACE_GROUP_DEVICE:
    case TRACE_GROUP_ACCESS:
    case TRACE_GROUP_MAP:
    case TRACE_GROUP_CACHE:
    case TRACE_GROUP_IOMMU:
        access_apply(m, s, expected);
        break;
    case TRACE_GROUP_DIRTY:
        dirty_apply(m, s, expected);
        break;
    case TRACE_GROUP_BLOCK:
        block_apply(m, s, expected);
        break;
    case TRACE_GROUP_DISCARD:
        discard_apply(m, s, expected);
        break;
    case TRACE_GROUP_FAULT:     /* what becomes of it is the next steps' */
        break;
    default:
        apply_to_memory(m, s, expected);
        break;
    }
}

void model_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    m->out = &expected->events;
    switch ((enum trace_op)s->op) {
    case TRACE_OP_LISTEN:
        listener_register(m, s->a, s->b, (unsigned)s->n, (uint32_t)s->v.absolute);
        break;
    case TRACE_OP_UNLISTEN:
        listener_unregister(m, s->a);
        break;
    case TRACE_OP_UNLISTEN_ALL:
        listeners_remove(m, s->a);
        break;
    case TRACE_OP_ARM:
        m->listeners[s->a].armed = hears(m, s->a, EVENT_COMMIT) ? s->b : NO_SLOT;
        break;
    case TRACE_OP_LOG:
        region_set_log(m, s->a, s->n);
        break;
    case TRACE_OP_LOG_START:
        log_start(m, (unsigned)s->n);
        break;
    case TRACE_OP_LOG_STOP:
        log_stop(m, (unsigned)s->n);
        break;
    case TRACE_OP_LOG_SYNC:
        log_sync(m, NO_SLOT);
        break;
    case TRACE_OP_AFTER_SYNC:
        tell_all(m, EVENT_LOG_GLOBAL_AFTER_SYNC, FORWARD);
        break;
    case TRACE_OP_LOG_CLEAR:
        log_clear(m, s->a, s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_VM:
        log_vm_state(m, s->n);
        break;
    case TRACE_OP_CODE_TRACKING:
        m->code_tracking = (enum code_tracking)s->n;
        break;
    case TRACE_OP_EVENTFD:
        eventfd_add(m, s->a, eventfd_from_step(s));
        break;
    case TRACE_OP_EVENTFD_DEL:
        eventfd_del(m, s->a, eventfd_from_step(s));
        break;
    case TRACE_OP_COALESCE:
        coalesced_add(m, s->a, s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_COALESCE_ALL:
        coalesced_set_all(m, s->a);
        break;
    case TRACE_OP_UNCOALESCE:
        coalesced_clear(m, s->a);
        break;
    case TRACE_OP_FLUSH_SET:
        m->regions[s->a].flushes = true;
        break;
    case TRACE_OP_FLUSH_CLEAR:
        coalesced_flush(m);     /* R-COAL-2: whatever the flag */
        m->regions[s->a].flushes = m->regions[s->a].coalesced.count > 0;
        break;
    case TRACE_OP_OWNER:
        apply_owner(m, s);
        break;
    case TRACE_OP_RELEASE:
        m->owners[s->a].released = true;
        owners_bury(m);
        break;
    case TRACE_OP_UNPARENT:
        region_finalize(m, s->a);
        owners_bury(m);
        break;
    case TRACE_OP_REF:
        m->regions[s->a].references++;
        break;
    case TRACE_OP_UNREF:
        m->regions[s->a].references--;
        owners_bury(m);
        break;
    case TRACE_OP_COPY:
        apply_copy(m, s, expected);
        break;
    case TRACE_OP_FREE_COPY:
        apply_free_copy(m, s);
        break;
    case TRACE_OP_GRACE:
        apply_grace(m);
        break;
    case TRACE_OP_READER:
        m->reading = true;      /* holds no reference: no grace period ends meanwhile */
        break;
    case TRACE_OP_READER_END:
        m->reading = false;
        expected->truth = true; /* I-15 */
        break;
    default:
        apply_by_group(m, s, expected);
        break;
    }
    m->out = NULL;
}
