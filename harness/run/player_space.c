/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces, transactions, and all that listeners are told of: logging, ioeventfds, coalesced ranges. */
#include <stdlib.h>

#include "run/player_parts.h"
#include "run/subject.h"

/* --- spaces and listeners ---------------------------------------------------- */

static void listen(struct player *p, unsigned slot, unsigned space, uint64_t mask, unsigned priority)
{
    struct recorder *r = &p->recorders[slot];

    recorder_init(r, p, slot, space, mask, priority, p->recorder_names[slot]);
    r->registered = true;
    p->replaying = true;
    memory_listener_register(&r->listener, &p->spaces[space]);
    p->replaying = false;
}

static void unlisten(struct player *p, unsigned slot)
{
    p->replaying = true;
    memory_listener_unregister(&p->recorders[slot].listener);
    p->replaying = false;
    p->recorders[slot].registered = false;
    p->recorders[slot].armed = OBSERVED_NONE;
}

static void unlisten_all(struct player *p, unsigned space)
{
    p->replaying = true;
    address_space_remove_listeners(&p->spaces[space]);
    p->replaying = false;
    for (unsigned i = 0; i < PLAYER_LISTENERS; i++) {
        if (p->recorders[i].registered && p->recorders[i].space == (int)space) {
            p->recorders[i].registered = false;
            p->recorders[i].armed = OBSERVED_NONE;
        }
    }
}

enum { WITNESS_HEARS = ((1 << EVENT_LISTENER_KINDS) - 1) & ~(1 << EVENT_LOG_SYNC_GLOBAL) };

static void apply_space(struct player *p, const struct trace_step *s)
{
    static const char *const names[TRACE_SPACES] = { "as0", "as1", "as2", "as3", "as4", "as5", "as6", "as7" };

    player_unpoison(&p->spaces[s->a], sizeof(p->spaces[s->a]));
    address_space_init(&p->spaces[s->a], &p->regions[s->b].mr, names[s->a]);
    p->space_live[s->a] = true;
    if (s->n) {
        listen(p, TRACE_LISTENERS + s->a, s->a, WITNESS_HEARS, 0);
    }
}

/* Its struct stays in use until the deferred part ran (R-TX-9): poisoned after the next grace period only. */
static void apply_destroy(struct player *p, unsigned space)
{
    unlisten_all(p, space);
    address_space_destroy(&p->spaces[space]);
    p->space_live[space] = false;
}

static void apply_grace(struct player *p)
{
    subject_drain();
    for (unsigned i = 0; i < TRACE_SPACES; i++) {
        if (!p->space_live[i]) {
            player_poison(&p->spaces[i], sizeof(p->spaces[i]));
        }
    }
}

/* --- the steps --------------------------------------------------------------- */

static const unsigned eventfd_widths[] = { 0, 1, 2, 4, 8 };

static void apply_eventfd(struct player *p, const struct trace_step *s)
{
    p->eventfds_used = true;
    (s->op == TRACE_OP_EVENTFD ? memory_region_add_eventfd : memory_region_del_eventfd)(
        &p->regions[s->a].mr, s->v.absolute, eventfd_widths[s->n % 5], s->n >= 5, s->w.absolute,
        &p->notifiers[s->b]);
}

void player_space(struct player *p, const struct trace_step *s)
{
    MemoryRegion *mr = s->a < TRACE_REGIONS ? &p->regions[s->a].mr : NULL;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_SPACE:
        apply_space(p, s);
        break;
    case TRACE_OP_DESTROY:
        apply_destroy(p, s->a);
        break;
    case TRACE_OP_BEGIN:
        memory_region_transaction_begin();
        break;
    case TRACE_OP_COMMIT:
        memory_region_transaction_commit();
        break;
    case TRACE_OP_LISTEN:
        listen(p, s->a, s->b, s->v.absolute, (unsigned)s->n);
        break;
    case TRACE_OP_UNLISTEN:
        unlisten(p, s->a);
        break;
    case TRACE_OP_UNLISTEN_ALL:
        unlisten_all(p, s->a);
        break;
    case TRACE_OP_ARM:
        p->recorders[s->a].armed = p->recorders[s->a].listener.commit ? s->b : OBSERVED_NONE;
        break;
    case TRACE_OP_LOG:
        memory_region_set_log(mr, s->n, DIRTY_MEMORY_VGA);
        break;
    case TRACE_OP_LOG_START:
        memory_global_dirty_log_start((unsigned)s->n);
        break;
    case TRACE_OP_LOG_STOP:
        memory_global_dirty_log_stop((unsigned)s->n);
        break;
    case TRACE_OP_LOG_SYNC:
        memory_global_dirty_log_sync();
        break;
    case TRACE_OP_AFTER_SYNC:
        memory_global_after_dirty_log_sync();
        break;
    case TRACE_OP_LOG_CLEAR:
        memory_region_clear_dirty_bitmap(mr, s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_VM:
        subject_set_vm_running(s->n);
        break;
    case TRACE_OP_CODE_TRACKING:
        p->drops_code = s->n == CODE_TRACKING_DROPPING;
        subject_set_code_tracking(s->n != CODE_TRACKING_OFF);
        break;
    case TRACE_OP_EVENTFD:
    case TRACE_OP_EVENTFD_DEL:
        apply_eventfd(p, s);
        break;
    case TRACE_OP_COALESCE:
        memory_region_add_coalescing(mr, s->v.absolute, s->w.absolute);
        break;
    case TRACE_OP_COALESCE_ALL:
        memory_region_set_coalescing(mr);
        break;
    case TRACE_OP_UNCOALESCE:
        memory_region_clear_coalescing(mr);
        break;
    case TRACE_OP_FLUSH_SET:
        memory_region_set_flush_coalesced(mr);
        break;
    case TRACE_OP_FLUSH_CLEAR:
        memory_region_clear_flush_coalesced(mr);
        break;
    case TRACE_OP_GRACE:
        apply_grace(p);
        break;
    default:
        abort();
    }
}
