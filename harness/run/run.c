/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "run/check.h"
#include "run/look.h"
#include "run/player.h"
#include "run/subject.h"

enum { RECENT = 6 };    /* the step and the five before it */

struct runner {
    struct run_options options;
    struct model *model;
    struct player *player;      /* NULL: predict only */
    struct resolver resolver;
    struct shadow *shadow;
    struct observation expected, seen;
    struct view scratch;
    struct run_totals totals;
    struct run_failure failure;
    size_t next;                /* index of the next step */
    bool undoing;
    unsigned open_files;        /* before the first step that opens one; 0: there was none */
    bool accessed;              /* a step of the trace may have written memory */
    struct {
        struct trace_step step;
        bool skipped;
    } recent[RECENT];           /* by index modulo RECENT; the newest is being played or was last */
};

void run_options_default(struct run_options *options)
{
    *options = (struct run_options){ .limits = resolve_limits_fuzz, .play = true };
    if (!run_profile_parse(subject_default_profile(), &options->profile)) {
        options->profile = MODEL_PROFILE_MEMCORE;
    }
}

static const char *const profile_names[] = {
    [MODEL_PROFILE_MEMCORE] = "memcore",
    [MODEL_PROFILE_QEMU_7_2] = "qemu-7.2",
};

bool run_profile_parse(const char *name, enum model_profile *profile)
{
    for (size_t i = 0; i < sizeof(profile_names) / sizeof(profile_names[0]); i++) {
        if (!strcmp(name, profile_names[i])) {
            *profile = (enum model_profile)i;
            return true;
        }
    }
    return false;
}

const char *run_profile_name(enum model_profile profile)
{
    return profile_names[profile];
}

struct runner *runner_new(const struct run_options *options)
{
    struct runner *r = calloc(1, sizeof(*r));

    if (!r) {
        abort();
    }
    r->options = *options;
    r->model = model_new(options->profile);
    if (options->play) {
        r->player = player_new();
        r->shadow = shadow_new();
    }
    runner_begin(r);
    return r;
}

void runner_free(struct runner *r)
{
    if (!r) {
        return;
    }
    model_free(r->model);
    player_free(r->player);
    shadow_free(r->shadow);
    observation_free(&r->expected);
    observation_free(&r->seen);
    free(r->scratch.ranges);
    free(r->failure.core);
    free(r->failure.model);
    free(r);
}

void runner_begin(struct runner *r)
{
    model_reset(r->model);
    resolver_reset(&r->resolver, r->model, &r->options.limits);
    if (r->player) {
        player_reset(r->player);
        shadow_reset(r->shadow);
    }
    memset(&r->totals, 0, sizeof(r->totals));
    r->next = 0;
    r->undoing = r->accessed = false;
    r->open_files = 0;
}

const struct model *runner_model(const struct runner *r)
{
    return r->model;
}

const struct run_failure *runner_failure(const struct runner *r)
{
    return &r->failure;
}

void runner_core_view(struct runner *r, unsigned space, struct view *out)
{
    memset(out, 0, sizeof(*out));
    player_view(r->player, space, out);
}

size_t runner_recent(const struct runner *r, struct trace_step *steps, size_t capacity, size_t *first_index)
{
    size_t count = r->next < RECENT ? r->next : RECENT;

    if (count > capacity) {
        count = capacity;
    }
    *first_index = r->next - count;
    for (size_t i = 0; i < count; i++) {
        steps[i] = r->recent[(*first_index + i) % RECENT].step;
    }
    return count;
}

/* --- one step -------------------------------------------------------------------- */

static bool compare(struct runner *r, const struct trace_step *step)
{
    struct run_failure *failure = &r->failure;

    check_normalize(&r->expected.events);
    check_normalize(&r->seen.events);
    if (step->op != TRACE_OP_RAM_UNNOTIFY) {
        check_sort_deaths(&r->expected.events);
        check_sort_deaths(&r->seen.events);
    }
    if (step->op == TRACE_OP_BMAP_SYNC) {
        check_merge_cleared(&r->expected.events);
        check_merge_cleared(&r->seen.events);
    }
    if (!check_observation(step, &r->expected, &r->seen, failure) ||
        !shadow_follow(r->shadow, &r->seen.events, failure)) {
        return false;
    }
    if (trace_op_table[step->op].group == TRACE_GROUP_QUERY || trace_op_table[step->op].group == TRACE_GROUP_PRINT) {
        return true;            /* questions change nothing: the next other step looks at the rest */
    }
    if (trace_op_table[step->op].group >= TRACE_GROUP_DEVICE) {
        if (!check_touched(r->player, r->model, &r->expected, failure)) {
            return false;
        }
        if (trace_op_table[step->op].group < TRACE_GROUP_BLOCK && !r->expected.events.count &&
            trace_op_table[step->op].group != TRACE_GROUP_MAP && step->op != TRACE_OP_CACHE &&
            step->op != TRACE_OP_CACHE_DESTROY) {
            return true;        /* nothing that could have changed the rest */
        }
    }
    return check_views(r->player, r->model, &r->scratch, failure) &&
           shadow_check(r->shadow, r->model, failure) &&
           check_references(r->player, r->model, failure);
}

/* A waiting failure: whether it strikes is not the model's to know, that the step then did nothing is. */
static void play_failing(struct runner *r, const struct trace_step *resolved)
{
    player_apply(r->player, resolved, &r->expected, &r->seen);
    (r->seen.refused ? model_refuse : model_apply)(r->model, resolved, &r->expected);
}

static bool may_write(enum trace_op op)
{
    return trace_op_table[op].group >= TRACE_GROUP_DEVICE && op != TRACE_OP_DEVICE && op != TRACE_OP_IOMMU;
}

static enum run_outcome play(struct runner *r, const struct trace_step *written, const struct trace_step *resolved)
{
    enum run_outcome outcome = RUN_OK;

    observation_clear(&r->expected);
    observation_clear(&r->seen);
    r->accessed |= may_write(resolved->op);
    if (r->player && !r->open_files && resolved->op == TRACE_OP_RAM_FILE) {
        r->open_files = check_open_files();
    }
    if (r->player && player_may_fail(r->player, resolved)) {
        play_failing(r, resolved);
    } else {
        const bool refused = !r->player && r->options.refused && r->options.refused(r->options.opaque, r->next - 1);

        (refused ? model_refuse : model_apply)(r->model, resolved, &r->expected);
        if (r->player) {
            player_apply(r->player, resolved, &r->expected, &r->seen);
        }
    }
    if (r->player) {
        r->totals.checked++;
        if (!compare(r, resolved)) {
            outcome = RUN_FAILED;
            r->failure.step = r->next - 1;
            r->failure.written = *written;
            r->failure.resolved = *resolved;
        }
        r->totals.hash = check_hash(r->totals.hash, &r->seen);
    }
    resolver_played(&r->resolver, resolved);
    if (r->options.on_step) {
        r->options.on_step(r->options.opaque, r->next - 1, written, resolved, &r->expected,
                           r->player ? &r->seen : NULL, outcome);
    }
    return outcome;
}

static void remember(struct runner *r, const struct trace_step *step, bool skipped)
{
    r->recent[r->next % RECENT].step = *step;
    r->recent[r->next % RECENT].skipped = skipped;
    r->next++;
    r->totals.steps++;
}

enum run_outcome runner_step(struct runner *r, const struct trace_step *step)
{
    struct trace_step resolved;
    const char *reason;

    r->totals.op_steps[step->op]++;
    if (!resolve_step(&r->resolver, step, &resolved, &reason)) {
        remember(r, step, true);
        r->totals.skipped++;
        r->totals.op_skipped[step->op]++;
        if (r->options.on_step) {
            r->options.on_step(r->options.opaque, r->next - 1, step, NULL, NULL, NULL, RUN_SKIPPED);
        }
        return RUN_SKIPPED;
    }
    remember(r, &resolved, false);
    return play(r, step, &resolved);
}

/* --- the end ----------------------------------------------------------------------- */

static bool undo(struct runner *r, enum trace_op op, unsigned a, int n)
{
    struct trace_step step = { .op = (uint8_t)op, .a = (uint16_t)a, .n = n };

    remember(r, &step, false);
    return play(r, &step, &step) == RUN_OK;
}

/* The list shrinks while it is worked on: always the first that is left. */
static bool undo_listed(struct runner *r, enum trace_op op,
                        size_t (*list)(const struct model *m, const uint16_t **slots))
{
    const uint16_t *slots;

    while (list(r->model, &slots) > 0) {
        if (!undo(r, op, slots[0], 0)) {
            return false;
        }
    }
    return true;
}

/* QEMU 7.2 keeps views of spaces that are gone until the next topology commit (R-TX-8). */
static bool drop_view_cache(struct runner *r)
{
    const uint16_t *slots;
    struct model_region region;

    if (r->options.profile != MODEL_PROFILE_QEMU_7_2 || !model_regions(r->model, &slots) ||
        !model_region(r->model, slots[0], &region)) {
        return true;
    }
    return undo(r, TRACE_OP_ENABLED, slots[0], !region.enabled);
}

/*
 * The public walk shows no flags of a range, and a bare space has no witness:
 * what is printed does.  (In another implementation the order of printed views
 * is its own, R-MT-11.)
 */
static bool look_at_flags(struct runner *r)
{
    const uint16_t *slots;

    return r->options.profile != MODEL_PROFILE_MEMCORE || !model_spaces(r->model, &slots) ||
           undo(r, TRACE_OP_MTREE, 0, 1);
}

static bool undo_policy(struct runner *r)
{
    for (unsigned which = 0; which < POLICIES; which++) {
        while (model_policy(r->model, which)) {
            if (!undo(r, TRACE_OP_DISCARD_POLICY, 0, (int)which)) {
                return false;
            }
        }
    }
    return true;
}

/* What keeps regions and spaces alive, or must not be there when they die. */
static bool undo_accesses(struct runner *r)
{
    return undo_listed(r, TRACE_OP_RAM_UNNOTIFY, model_ram_notifiers) &&
           undo_listed(r, TRACE_OP_DISCARD_UNLISTEN, model_discard_listeners) && undo_policy(r) &&
           undo_listed(r, TRACE_OP_NOTIFIER_DEL, model_iommu_notifiers) &&
           undo_listed(r, TRACE_OP_UNMAP, model_mappings) && undo_listed(r, TRACE_OP_CACHE_DESTROY, model_caches);
}

/* As one of the trace, if it can be played now. */
static bool try_step(void *opaque, const struct trace_step *step)
{
    struct runner *r = opaque;
    struct trace_step resolved;
    const char *reason;

    if (!resolve_step(&r->resolver, step, &resolved, &reason)) {
        return true;
    }
    remember(r, &resolved, false);
    return play(r, step, &resolved) == RUN_OK;
}

static bool look_around(struct runner *r)
{
    const struct look look = { .model = r->model, .turn = (unsigned)r->next, .play = try_step, .opaque = r };

    return !r->accessed || look_at_ends(&look);
}

static bool look_at_ram(struct runner *r)
{
    if (!r->player || !r->accessed || check_ram(r->player, r->model, &r->failure)) {
        return true;
    }
    r->failure.step = r->next - 1;
    r->failure.written = r->failure.resolved = r->recent[(r->next - 1) % RECENT].step;
    return false;
}

static bool undo_spaces(struct runner *r)
{
    const struct model *m = r->model;

    if (model_reader_active(m) && !undo(r, TRACE_OP_READER_END, 0, 0)) {
        return false;
    }
    while (model_transaction_depth(m)) {
        if (!undo(r, TRACE_OP_COMMIT, 0, 0)) {
            return false;
        }
    }
    if (!model_vm_running(m) && !undo(r, TRACE_OP_VM, 0, 1)) {
        return false;
    }
    if (model_code_tracking(m) != CODE_TRACKING_OFF && !undo(r, TRACE_OP_CODE_TRACKING, 0, CODE_TRACKING_OFF)) {
        return false;
    }
    if (model_log_flags(m) && !undo(r, TRACE_OP_LOG_STOP, 0, (int)model_log_flags(m))) {
        return false;
    }
    return undo_accesses(r) && undo_listed(r, TRACE_OP_DESTROY, model_spaces) &&
           undo_listed(r, TRACE_OP_FREE_COPY, model_copies) && drop_view_cache(r) && undo(r, TRACE_OP_GRACE, 0, 0);
}

/* Regions out of their containers, references dropped. */
static bool undo_tree(struct runner *r)
{
    const struct model *m = r->model;
    const uint16_t *slots;
    struct model_region region;

    for (size_t i = 0; i < model_regions(m, &slots); i++) {
        unsigned slot = slots[i];

        if (model_region(m, slot, &region) && region.container != OBSERVED_NONE) {
            if (!undo(r, TRACE_OP_DEL, slot, 0)) {
                return false;
            }
            i = (size_t)-1;     /* an owner may have died with many regions: start again */
            continue;
        }
        if (model_region(m, slot, &region) && region.references) {
            if (!undo(r, TRACE_OP_UNREF, slot, 0)) {
                return false;
            }
            i = (size_t)-1;
        }
    }
    return undo(r, TRACE_OP_GRACE, 0, 0);
}

/* First the regions that nobody owns, aliases before what they name; then the owners. */
static bool undo_objects(struct runner *r)
{
    const struct model *m = r->model;
    bool again = true;

    if (!undo_listed(r, TRACE_OP_UNMANAGE, model_managers)) {
        return false;
    }
    while (again) {
        const uint16_t *slots;
        size_t count = model_regions(m, &slots);

        again = false;
        for (size_t i = 0; i < count && !again; i++) {
            struct trace_step step = { .op = TRACE_OP_UNPARENT, .a = slots[i] }, resolved;
            struct model_region region;
            const char *reason;

            /* Owned aliases go early too: their targets may belong to somebody else. */
            if (!model_region(m, slots[i], &region) ||
                (region.owner != OBSERVED_NONE && region.kind != KIND_ALIAS)) {
                continue;
            }
            again = resolve_step(&r->resolver, &step, &resolved, &reason) && resolved.a == slots[i];
            if (again && !undo(r, TRACE_OP_UNPARENT, slots[i], 0)) {
                return false;
            }
        }
    }
    for (;;) {
        const uint16_t *slots;
        size_t count = model_owners(m, &slots), i = 0;

        while (i < count && model_owner_released(m, slots[i])) {
            i++;
        }
        if (i == count) {
            break;
        }
        if (!undo(r, TRACE_OP_RELEASE, slots[i], 0)) {
            return false;
        }
    }
    return undo(r, TRACE_OP_GRACE, 0, 0);
}

enum run_outcome runner_end(struct runner *r, struct run_totals *totals)
{
    bool good;

    r->undoing = true;
    if (r->player) {
        player_forget_failure(r->player);
    }
    good = look_around(r) && look_at_ram(r) && look_at_flags(r) && undo_spaces(r) && undo_tree(r) && undo_objects(r);
    if (good && r->player && !check_empty(r->open_files, &r->failure)) {
        good = false;
        r->failure.step = r->next - 1;
        r->failure.written = r->failure.resolved = r->recent[(r->next - 1) % RECENT].step;
    }
    if (totals) {
        totals->steps += r->totals.steps;
        totals->skipped += r->totals.skipped;
        totals->checked += r->totals.checked;
        totals->hash = r->totals.hash ^ (totals->hash * 31);
        for (unsigned i = 0; i < TRACE_OP_COUNT; i++) {
            totals->op_steps[i] += r->totals.op_steps[i];
            totals->op_skipped[i] += r->totals.op_skipped[i];
        }
    }
    return good ? RUN_OK : RUN_FAILED;
}

void runner_abandon(struct runner *r)
{
    model_free(r->model);
    r->model = model_new(r->options.profile);
    resolver_reset(&r->resolver, r->model, &r->options.limits);
}

enum run_outcome runner_run(struct runner *r, const struct trace *t, struct run_totals *totals)
{
    runner_begin(r);
    for (size_t i = 0; i < t->count; i++) {
        if (runner_step(r, &t->steps[i]) == RUN_FAILED) {
            return RUN_FAILED;
        }
    }
    return runner_end(r, totals);
}
