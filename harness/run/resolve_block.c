/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks and discard managers: preconditions, and values that mean something.  A value whose low three bits are
 * all set is taken as it is, so that what has to be refused is asked for now and then.
 */
#include "model/block.h"
#include "run/resolve_operand.h"

enum { POLICY_MAX = 3, FILE_PAGES = 5 };

static bool is_raw(uint64_t value)
{
    return value % 8 == 7;
}

static uint64_t round_up(uint64_t x, uint64_t to)
{
    return (x + to - 1) / to * to;
}

/* --- what suits ------------------------------------------------------------------- */

static bool has_block(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.has_block;
}

/* Memory of the core's own, which is found by its host address (R-RAM-22). */
static bool has_own_memory(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && (region.kind == KIND_RAM || region.kind == KIND_ROM_DEVICE);
}

static bool can_be_written(const struct query *q, unsigned slot)
{
    struct model_region region;

    return has_own_memory(q, slot) && model_region(q->r->model, slot, &region) && !region.mapped_readonly;
}

static bool has_no_name(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.has_block && !region.block_has_name;
}

bool resolve_is_managed(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.granule;
}

bool resolve_keeps_size(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && !region.granule && !resolve_is_mapped(q->r->model, slot);
}

static bool keeps_block_size(const struct query *q, unsigned slot)
{
    return has_block(q, slot) && resolve_keeps_size(q, slot);
}

static bool can_be_resized(const struct query *q, unsigned slot)
{
    struct model_region region;

    return keeps_block_size(q, slot) && model_region(q->r->model, slot, &region) && region.resizeable;
}

static bool can_be_managed(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.kind != KIND_RAM_PTR && region.kind != KIND_RAM_DEVICE &&
           !(region.size >> 64) && (!region.has_block || region.size <= region.block_length) &&
           resolve_stays_alive(q, slot);
}

static bool is_managed_and_large(const struct query *q, unsigned slot)
{
    struct model_region region;

    return model_region(q->r->model, slot, &region) && region.granule && region.size;
}

static bool in_list(const struct query *q, unsigned slot,
                    size_t (*list)(const struct model *m, const uint16_t **slots))
{
    const uint16_t *slots;
    const size_t count = list(q->r->model, &slots);

    for (size_t i = 0; i < count; i++) {
        if (slots[i] == slot) {
            return true;
        }
    }
    return false;
}

static bool notifier_free(const struct query *q, unsigned slot)
{
    return !in_list(q, slot, model_ram_notifiers);
}

static bool discard_listener_free(const struct query *q, unsigned slot)
{
    return !in_list(q, slot, model_discard_listeners);
}

bool resolve_owner_has_managers(const struct model *m, unsigned owner)
{
    const uint16_t *slots;
    const size_t count = model_managers(m, &slots);
    struct model_region region;

    for (size_t i = 0; i < count; i++) {
        if (model_region(m, slots[i], &region) && region.owner == (int)owner) {
            return true;
        }
    }
    return false;
}

/* --- blocks ------------------------------------------------------------------------ */

static bool pick(struct query *q, struct trace_step *out, suits_fn suits, struct model_region *region)
{
    const int picked = resolve_pick_region(q, out->a, suits);

    return picked != OBSERVED_NONE && resolve_take(picked, &out->a) && model_region(q->r->model, out->a, region);
}

static bool resolve_file(struct query *q, struct trace_step *out, const char **reason)
{
    if (!resolve_new_region(q, out, reason)) {
        return false;
    }
    resolve_bound_value(&out->v, 1, TRACE_FILE_SIZE_MAX);
    out->b = resolve_owner(q, out->b);
    if (block_file_has_path((unsigned)out->n)) {
        out->w.absolute = 0;
    } else {
        /* 4096 is 1 modulo 5: the first five pages stay what they are, and small numbers are all of them. */
        out->w.absolute = is_raw(out->w.absolute) ? out->w.absolute % (FILE_PAGES * HOST_PAGE)
                                                  : out->w.absolute % FILE_PAGES * HOST_PAGE;
    }
    return true;
}

/* One that can be resized, if there is any, but for raw values. */
static bool resolve_resize(struct query *q, struct trace_step *out)
{
    struct model_region region;
    const bool any = is_raw(out->v.absolute);

    if ((any || !pick(q, out, can_be_resized, &region)) &&
        !pick(q, out, out->n == RESIZE_BLOCK ? keeps_block_size : resolve_keeps_size, &region)) {
        return false;
    }
    if (region.has_block && out->v.absolute > region.block_max + HOST_PAGE && !is_raw(out->v.absolute)) {
        out->v.absolute %= region.block_max + HOST_PAGE + 1;
    }
    return true;
}

static bool resolve_idstr(struct query *q, struct trace_step *out, const char **reason)
{
    struct model_region region;

    if (out->n == ID_NONE) {
        return pick(q, out, has_block, &region);
    }
    *reason = "a block has this name, or all have names";
    return !model_id_taken(q->r->model, (unsigned)out->n) && pick(q, out, has_no_name, &region);
}

static void bound_whole_pages(struct trace_step *out, const struct model_region *region)
{
    const uint64_t max = region->block_max;

    if (!is_raw(out->v.absolute)) {
        out->v.absolute = out->v.absolute % (max + HOST_PAGE) / HOST_PAGE * HOST_PAGE;
    }
    if (!is_raw(out->w.absolute)) {
        out->w.absolute = round_up(out->w.absolute % (max + HOST_PAGE), HOST_PAGE);
    }
}

/* [v, v + w) becomes a part of [0, length). */
static void bound_range(struct trace_step *out, uint64_t length)
{
    out->v.absolute %= length + 1;
    if (out->w.absolute > length - out->v.absolute) {
        out->w.absolute = length - out->v.absolute;
    }
}

static bool resolve_remap(struct query *q, struct trace_step *out)
{
    struct model_region region;

    if (!pick(q, out, has_block, &region)) {
        return false;
    }
    out->v.absolute = out->v.absolute % region.block_max / HOST_PAGE * HOST_PAGE;
    out->w.absolute = round_up(out->w.absolute % (region.block_max - out->v.absolute) + 1, HOST_PAGE);
    return true;
}

static bool resolve_msync(struct query *q, struct trace_step *out)
{
    struct model_region region;
    const bool of_block = out->n == MSYNC_BLOCK || out->n == MSYNC_WHOLE_BLOCK;

    if (!pick(q, out, of_block ? has_block : NULL, &region)) {
        return false;
    }
    if (region.has_block) {
        bound_range(out, region.block_length);
    }
    return true;
}

static bool resolve_lookup(struct query *q, struct trace_step *out)
{
    struct model_region region;

    if (!pick(q, out, has_own_memory, &region)) {
        return false;
    }
    /* Only anonymous memory is known to have nothing right behind it (R-RAM-5). */
    out->v.absolute %= region.file ? region.block_max : region.block_max + 1;
    return true;
}

static bool resolve_block(struct query *q, struct trace_step *out, const char **reason)
{
    struct model_region region;

    *reason = "no such block";
    switch ((enum trace_op)out->op) {
    case TRACE_OP_RAM_FILE:
        return resolve_file(q, out, reason);
    case TRACE_OP_RESIZE:
        return resolve_resize(q, out);
    case TRACE_OP_IDSTR:
        return resolve_idstr(q, out, reason);
    case TRACE_OP_BLOCK_FLAG:
    case TRACE_OP_BLOCK:
        return pick(q, out, has_block, &region);
    case TRACE_OP_LOOKUP:
        return resolve_lookup(q, out);
    case TRACE_OP_POKE:
        if (!pick(q, out, can_be_written, &region)) {
            return false;
        }
        resolve_bound_value(&out->w, 0, TRACE_BUFFER_MAX);
        bound_range(out, region.block_max);
        return true;
    case TRACE_OP_MSYNC:
        return resolve_msync(q, out);
    case TRACE_OP_DISCARD_RANGE:
        if (!pick(q, out, has_block, &region)) {
            return false;
        }
        bound_whole_pages(out, &region);
        if (region.mapped_readonly && !out->w.absolute) {
            out->w.absolute = HOST_PAGE;        /* which of the two rules wins is nobody's business */
        }
        return true;
    case TRACE_OP_REMAP:
        return resolve_remap(q, out);
    case TRACE_OP_RAM_NOTIFY:
        *reason = "no free notifier";
        return resolve_take(resolve_next_free(out->a, TRACE_RAM_NOTIFIERS, q, notifier_free), &out->a);
    case TRACE_OP_RAM_UNNOTIFY:
        *reason = "no notifier";
        return resolve_take(resolve_pick_listed(q, out->a, NULL, model_ram_notifiers), &out->a);
    case TRACE_OP_RAM_TELL:
        resolve_bound_value(&out->v, 1, TRACE_PTR_SIZE_MAX);
        return true;
    default:
        return true;
    }
}

/* --- discard ------------------------------------------------------------------------- */

static bool resolve_plug(struct query *q, struct trace_step *out)
{
    struct model_region region;
    uint64_t size;

    if (!pick(q, out, is_managed_and_large, &region)) {
        return false;
    }
    size = (uint64_t)region.size;
    if (out->n == ROUNDING_RAW) {
        out->v.absolute = is_raw(out->v.absolute) ? out->v.absolute : out->v.absolute % (size + 1);
        out->w.absolute = is_raw(out->w.absolute) ? out->w.absolute : out->w.absolute % (size + 1);
    } else {
        out->v.absolute = out->v.absolute % size / region.granule * region.granule;
        out->w.absolute = round_up(out->w.absolute % (size - out->v.absolute) + 1, region.granule);
    }
    return true;
}

/* At least one byte of the region. */
static bool resolve_section(struct query *q, uint16_t *name, struct trace_step *out)
{
    struct model_region region;

    if (!resolve_take(resolve_pick_region(q, *name, is_managed_and_large), name) ||
        !model_region(q->r->model, *name, &region)) {
        return false;
    }
    out->v.absolute %= (uint64_t)region.size;
    if (!out->w.absolute || out->w.absolute > (uint64_t)region.size - out->v.absolute) {
        out->w.absolute = (uint64_t)region.size - out->v.absolute;
    }
    return true;
}

static bool resolve_discard(struct query *q, struct trace_step *out, const char **reason)
{
    struct model_region region;

    *reason = "no region with a discard manager";
    switch ((enum trace_op)out->op) {
    case TRACE_OP_MANAGE:
        *reason = "no region that could have a discard manager";
        return pick(q, out, can_be_managed, &region);
    case TRACE_OP_PLUG:
    case TRACE_OP_UNPLUG:
        return resolve_plug(q, out);
    case TRACE_OP_PARTS:
        return resolve_section(q, &out->a, out);
    case TRACE_OP_DISCARD_LISTEN:
        return resolve_section(q, &out->b, out) &&
               resolve_take(resolve_next_free(out->a, TRACE_DISCARD_LISTENERS, q, discard_listener_free), &out->a);
    case TRACE_OP_DISCARD_UNLISTEN:
    case TRACE_OP_OBJECT:
        *reason = "no discard listener";
        return resolve_take(resolve_pick_listed(q, out->a, NULL, model_discard_listeners), &out->a);
    case TRACE_OP_DISCARD_POLICY:
        *reason = "the counter is as high, or as low, as a trace may bring it";
        return out->c ? model_policy(q->r->model, (unsigned)out->n) < POLICY_MAX
                      : model_policy(q->r->model, (unsigned)out->n) > 0;
    default:
        return pick(q, out, resolve_is_managed, &region);
    }
}

bool resolve_blocks(struct query *q, struct trace_step *out, const char **reason)
{
    switch (trace_op_table[out->op].group) {
    case TRACE_GROUP_BLOCK:
        return resolve_block(q, out, reason);
    case TRACE_GROUP_DISCARD:
        return resolve_discard(q, out, reason);
    default:
        return true;
    }
}
