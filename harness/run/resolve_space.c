/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces, transactions, listeners and what they are told of, readers: which of them suit a step. */
#include <stdlib.h>

#include "run/resolve_operand.h"

/* --- what suits ------------------------------------------------------------ */

static bool space_free(const struct query *q, unsigned slot)
{
    return !model_space_live(q->r->model, slot) && !q->r->space_pending[slot];
}

static bool listener_free(const struct query *q, unsigned slot)
{
    return model_listener_space(q->r->model, slot) == OBSERVED_NONE;
}

/* The VGA counter is 8 bits wide and guarded (R-TREE-10). */
static bool can_log(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) &&
           (q->step->n ? region.vga_log_count < 255 : region.vga_log_count > 0);
}

static bool takes_eventfd(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.eventfds < q->r->limits.per_region;
}

static bool has_eventfd(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.eventfds > 0;
}

static bool takes_coalesced(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.coalesced < q->r->limits.per_region;
}

static bool size_below_2_64(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && !(region.size >> 64);    /* R-COAL-5 */
}

static bool ordinary_listener(const struct query *q, unsigned slot)
{
    (void)q;
    return slot < TRACE_LISTENERS;
}

static bool can_be_armed(const struct query *q, unsigned slot)
{
    return slot < TRACE_LISTENERS && model_listener_armed(q->r->model, slot) == OBSERVED_NONE;
}

/* --- steps ----------------------------------------------------------------- */

/* [v, v + w) is cut at 2^64: what a range past the end means is not specified. */
static void cut_length(struct trace_step *step)
{
    if (step->v.absolute > 0 && step->w.absolute > -step->v.absolute) {
        step->w.absolute = -step->v.absolute;
    }
}

static bool resolve_eventfd_del(struct query *q, struct trace_step *out, const char **reason)
{
    struct model_region region;
    struct trace_step entry;

    *reason = "no region with an ioeventfd";
    if (!resolve_take(resolve_pick_region(q, out->a, has_eventfd), &out->a)) {
        return false;
    }
    if (!model_eventfd_matches(q->r->model, out) && model_region(q->r->model, out->a, &region) &&
        model_eventfd(q->r->model, out->a, out->v.absolute % region.eventfds, &entry)) {
        out->b = entry.b;
        out->n = entry.n;
        out->v = entry.v;
        if (entry.n >= 5) {
            out->w = entry.w;       /* else the data are no part of what is named (R-EFD-3) */
        }
    }
    return true;
}

static bool resolve_log_flags(struct query *q, struct trace_step *out, const char **reason)
{
    if (!out->n) {
        out->n = 1;
    }
    if (out->op == TRACE_OP_LOG_STOP) {
        /* Flags that are not active would be misuse, at once or when the VM resumes (R-LOG-2, R-LOG-3). */
        *reason = "none of the flags is active";
        out->n &= (int32_t)model_log_flags(q->r->model);
        return out->n != 0;
    }
    return true;
}

enum { BOTH_SYNCS = 1 << EVENT_LOG_SYNC | 1 << EVENT_LOG_SYNC_GLOBAL };

static bool resolve_listen(struct query *q, struct trace_step *out, const char **reason)
{
    *reason = "no free listener";
    if (!resolve_take(resolve_next_free(out->a, TRACE_LISTENERS, q, listener_free), &out->a)) {
        return false;
    }
    if ((out->v.absolute & BOTH_SYNCS) == BOTH_SYNCS) {
        out->v.absolute &= ~(UINT64_C(1) << EVENT_LOG_SYNC_GLOBAL);     /* having both is misuse, R-LOG-4 */
    }
    *reason = "no address space";
    return resolve_take(resolve_pick_listed(q, out->b, NULL, model_spaces), &out->b);
}

bool resolve_spaces(struct query *q, struct trace_step *out, const char **reason)
{
    const struct model *m = q->r->model;

    switch ((enum trace_op)out->op) {
    case TRACE_OP_SPACE:
        *reason = "no free address space, or no region for its root";
        return resolve_take(resolve_next_free(out->a, TRACE_SPACES, q, space_free), &out->a) &&
               resolve_take(resolve_pick_region(q, out->b, NULL), &out->b);
    case TRACE_OP_LOG_CLEAR:
        return resolve_region_operand(q, out, NULL, reason, "no region");
    case TRACE_OP_DESTROY:
    case TRACE_OP_UNLISTEN_ALL:
        *reason = "no address space";
        return resolve_take(resolve_pick_listed(q, out->a,
                                                out->op == TRACE_OP_DESTROY ? resolve_unmapped_space : NULL,
                                                model_spaces), &out->a);
    case TRACE_OP_BEGIN:
        *reason = "transactions are nested as deep as a trace may";
        return model_transaction_depth(m) < q->r->limits.depth;
    case TRACE_OP_COMMIT:
        *reason = "no transaction is open";
        return model_transaction_depth(m) > 0;
    case TRACE_OP_LISTEN:
        return resolve_listen(q, out, reason);
    case TRACE_OP_UNLISTEN:
        *reason = "no listener";
        return resolve_take(resolve_pick_listed(q, out->a, ordinary_listener, model_listeners), &out->a);
    case TRACE_OP_ARM:
        *reason = "no listener to arm, or no region";
        return resolve_take(resolve_pick_listed(q, out->a, can_be_armed, model_listeners), &out->a) &&
               resolve_take(resolve_pick_region(q, out->b, NULL), &out->b);
    case TRACE_OP_LOG:
        return resolve_region_operand(q, out, can_log, reason, "no region whose log could be turned so");
    case TRACE_OP_LOG_START:
    case TRACE_OP_LOG_STOP:
        return resolve_log_flags(q, out, reason);
    case TRACE_OP_LOG_SYNC:
    case TRACE_OP_AFTER_SYNC:
    case TRACE_OP_VM:
        return true;
    case TRACE_OP_CODE_TRACKING:
        *reason = "QEMU 7.2 has no such switch";
        return model_profile(m) != MODEL_PROFILE_QEMU_7_2;
    case TRACE_OP_EVENTFD:
        return resolve_region_operand(q, out, takes_eventfd, reason, "no region with room for an ioeventfd");
    case TRACE_OP_EVENTFD_DEL:
        return resolve_eventfd_del(q, out, reason);
    case TRACE_OP_COALESCE:
        cut_length(out);
        return resolve_region_operand(q, out, takes_coalesced, reason, "no region with room for a coalesced range");
    case TRACE_OP_COALESCE_ALL:
        return resolve_region_operand(q, out, size_below_2_64, reason, "no region below 2^64 bytes");
    case TRACE_OP_UNCOALESCE:
    case TRACE_OP_FLUSH_SET:
    case TRACE_OP_FLUSH_CLEAR:
        return resolve_region_operand(q, out, NULL, reason, "no region");
    case TRACE_OP_GRACE:
        *reason = "a reader is active: no grace period can end";
        return !model_reader_active(m);
    case TRACE_OP_READER:
        *reason = "a reader is active already, or there is no address space";
        return !model_reader_active(m) && resolve_take(resolve_pick_listed(q, out->a, NULL, model_spaces), &out->a);
    case TRACE_OP_READER_END:
        *reason = "no reader";
        return model_reader_active(m);
    default:
        abort();
    }
}
