/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty pages: ranges are part of the bytes of a block that are in use. */
#include "exec/cpu-common.h"
#include "run/resolve_operand.h"

static bool has_pages(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.pages > 0;
}

/* Which block a pointer given by the caller belongs to is not always known (R-RAM-22). */
static bool can_have_bmap(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.pages > 0 &&
           (region.kind == KIND_RAM || region.kind == KIND_ROM_DEVICE);
}

static bool has_bmap(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.has_bmap;
}

/* [v, v + w) becomes a part of the block's bytes in use, of whole units. */
static bool resolve_pages(struct query *q, struct trace_step *out, suits_fn suits, uint64_t unit, const char **reason)
{
    struct model_region region;

    *reason = "no region with modelled dirty pages";
    if (!resolve_take(resolve_pick_region(q, out->a, suits), &out->a)) {
        return false;
    }
    model_region(q->r->model, out->a, &region);
    if (!region.block_length) {
        *reason = "the block is empty";
        return false;
    }
    out->v.absolute = out->v.absolute % region.block_length / unit * unit;
    if (out->w.absolute > region.block_length - out->v.absolute) {
        out->w.absolute = region.block_length - out->v.absolute;
    }
    out->w.absolute = out->w.absolute / unit * unit;
    return true;
}

bool resolve_dirty(struct query *q, struct trace_step *out, const char **reason)
{
    const uint64_t log = out->w.absolute;   /* of a lebitmap: bits, not a length */
    struct model_region region;

    switch ((enum trace_op)out->op) {
    case TRACE_OP_LEBITMAP:
        if (!resolve_pages(q, out, has_pages, HOST_PAGE, reason)) {
            return false;
        }
        out->w.absolute = log;
        model_region(q->r->model, out->a, &region);
        if ((uint64_t)out->n > (region.block_length - out->v.absolute) / HOST_PAGE) {
            out->n = (int32_t)((region.block_length - out->v.absolute) / HOST_PAGE);
        }
        return true;
    case TRACE_OP_BMAP:
        return resolve_pages(q, out, can_have_bmap, 1, reason);
    case TRACE_OP_BMAP_SYNC:
        return resolve_pages(q, out, has_bmap, TARGET_PAGE_SIZE, reason);
    case TRACE_OP_BMAP_SEND:
        return resolve_pages(q, out, has_bmap, 1, reason);
    default:
        return resolve_pages(q, out, has_pages, 1, reason);
    }
}
