/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of which parts are not there: R-RDM, R-BDM, and who tolerates it, R-DISC-1. */
#include "model/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A run of bytes of a region, [start, end). */
struct part {
    uint64_t start, end;
};

static struct part meet(struct part a, struct part b)
{
    const struct part both = {a.start > b.start ? a.start : b.start, a.end < b.end ? a.end : b.end};

    return both.start < both.end ? both : (struct part){0, 0};
}

static bool is_empty(struct part p)
{
    return p.start == p.end;
}

static struct part part_of_granules(const struct manager *d, size_t first, size_t end)
{
    return (struct part){first * d->granule, end * d->granule};
}

/* R-RDM-7 */
static bool is_populated(const struct manager *d, struct part p)
{
    if (is_empty(p) || p.end > d->count * d->granule) {
        return false;
    }
    for (size_t g = p.start / d->granule; g * d->granule < p.end; g++) {
        if (!d->populated[g]) {
            return false;
        }
    }
    return true;
}

static bool any_populated(const struct manager *d, struct part p)
{
    for (size_t g = p.start / d->granule; g < d->count && g * d->granule < p.end; g++) {
        if (d->populated[g]) {
            return true;
        }
    }
    return false;
}

static struct part whole(const struct manager *d)
{
    return part_of_granules(d, 0, d->count);
}

/* R-RDM-8: the next maximal run of that state at or behind granule *at, cut to the section; empty: none is left. */
static struct part next_run(const struct manager *d, bool populated, struct part section, size_t *at)
{
    while (*at < d->count) {
        const size_t first = *at;
        while (*at < d->count && d->populated[*at] == d->populated[first]) {
            ++*at;
        }
        const struct part run = meet(part_of_granules(d, first, *at), section);
        if (d->populated[first] == populated && !is_empty(run)) {
            return run;
        }
    }
    return (struct part){0, 0};
}

/* --- listeners --------------------------------------------------------------------- */

static struct part section_of(const struct discard_listener *l)
{
    return (struct part){l->offset, l->offset + l->size};
}

/* Returns what the listener does. */
static int tell(struct model *m, unsigned listener, enum event_kind kind, struct part p)
{
    struct discard_listener *const l = &m->discard_listeners[listener];
    struct event e;

    event_init(&e, kind);
    e.number = (int)listener;
    e.section.region = (int)l->region;
    e.section.offset = p.start;
    e.section.address = DISCARD_SECTION_ADDRESS + p.start;
    e.section.size = p.end - p.start;
    e.result = is_populated(m->regions[l->region].manager, p);  /* R-RDM-12 */
    if (kind == EVENT_POPULATE && l->objects_at && --l->objects_at == 0) {
        e.data = (uint64_t)(int64_t)-EBUSY;
    }
    event_log_append(m->out, &e);
    return (int)(int64_t)e.data;
}

/* R-RDM-8, R-RDM-9: until it objects. */
static int replay_to(struct model *m, unsigned listener)
{
    const struct discard_listener *const l = &m->discard_listeners[listener];
    const struct manager *const d = m->regions[l->region].manager;
    size_t at = 0;
    int result = 0;

    for (struct part p; !result && !is_empty(p = next_run(d, true, section_of(l), &at));) {
        result = tell(m, listener, EVENT_POPULATE, p);
    }
    return result;
}

/* R-RDM-10: nothing is there any more. */
static void tell_all_gone(struct model *m, unsigned listener)
{
    const struct discard_listener *const l = &m->discard_listeners[listener];
    const struct manager *const d = m->regions[l->region].manager;
    size_t at = 0;

    if (!any_populated(d, whole(d))) {
        return;
    }
    if (l->twice) {
        tell(m, listener, EVENT_DISCARD, section_of(l));
        return;
    }
    for (struct part p; !is_empty(p = next_run(d, true, section_of(l), &at));) {
        tell(m, listener, EVENT_DISCARD, p);
    }
}

static void listen(struct model *m, const struct trace_step *s)
{
    m->discard_listeners[s->a] = (struct discard_listener){
        .live = true, .twice = s->n == DISCARD_DOUBLE, .region = s->b, .offset = s->v.absolute, .size = s->w.absolute,
    };
    slot_list_insert_sorted(&m->live_discard_listeners, s->a);
    slot_list_insert(&m->discard_listener_order, 0, s->a);
    replay_to(m, s->a);         /* objecting changes nothing, R-RDM-9 */
}

static void unlisten(struct model *m, unsigned listener)
{
    tell_all_gone(m, listener);
    m->discard_listeners[listener].live = false;
    slot_list_remove(&m->live_discard_listeners, listener);
    slot_list_remove(&m->discard_listener_order, listener);
    owners_bury(m);
}

/* The region's listeners, newest first. */
static size_t listeners_of(const struct model *m, unsigned region, unsigned found[TRACE_DISCARD_LISTENERS])
{
    size_t count = 0;

    for (size_t i = 0; i < m->discard_listener_order.count; i++) {
        const unsigned slot = m->discard_listener_order.slots[i];
        if (m->discard_listeners[slot].region == region) {
            found[count++] = slot;
        }
    }
    return count;
}

/* --- changes ------------------------------------------------------------------------ */

static void forget_bytes(struct model *m, unsigned region, struct part p, struct observation *expected)
{
    struct region *const r = &m->regions[region];

    if (is_empty(p)) {
        return;
    }
    memory_zero(m, region, p.start, p.end - p.start);
    observation_touch(expected, (int)region, p.start, 1);
    observation_touch(expected, (int)region, p.end - 1, 1);
    for (unsigned page = 0; r->file.there && page < BLOCK_FILE_MARKS; page++) {
        const uint64_t at = page * HOST_PAGE;
        if (at >= r->file.offset + p.start && at < r->file.offset + p.end) {
            r->file.marks[page] = 0;
        }
    }
}

/* R-BDM-1 */
static bool manage(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct region *const r = &m->regions[s->a];
    const uint64_t granule = block_granule((unsigned)s->n);

    if (granule < HOST_PAGE || (granule & (granule - 1)) || !region_is_ram(r) || r->readonly || !r->has_block ||
        r->manager || region_is_mapped(m, s->a) || (uint64_t)r->size % granule || m->policy[POLICY_DISABLE]) {
        return false;
    }
    const size_t count = (size_t)((uint64_t)r->size / granule);
    r->manager = calloc(1, sizeof(*r->manager) + count);
    if (!r->manager) {
        abort();
    }
    r->manager->granule = granule;
    r->manager->count = count;
    slot_list_insert_sorted(&m->live_managers, s->a);
    forget_bytes(m, s->a, (struct part){0, r->block_length}, expected);
    return true;
}

static bool unmanage(struct model *m, unsigned region)
{
    unsigned listeners[TRACE_DISCARD_LISTENERS];

    if (region_is_mapped(m, region) || listeners_of(m, region, listeners)) {
        return false;
    }
    free(m->regions[region].manager);
    m->regions[region].manager = NULL;
    slot_list_remove(&m->live_managers, region);
    return true;
}

/* R-BDM-2, R-BDM-3: whole granules of the region, all of them in that state. */
static bool can_change(const struct manager *d, uint64_t offset, uint64_t length, bool populated)
{
    const struct part p = {offset, offset + length};

    if (!length || offset % d->granule || length % d->granule || offset > d->count * d->granule ||
        length > d->count * d->granule - offset) {
        return false;
    }
    return populated ? is_populated(d, p) : !any_populated(d, p);
}

static void set(struct manager *d, struct part p, bool populated)
{
    for (size_t g = p.start / d->granule; g * d->granule < p.end; g++) {
        d->populated[g] = populated;
    }
}

/* R-RDM-11, R-RDM-13: those that agreed before the objection are told, each of its own part. */
static bool populate(struct model *m, unsigned region, struct part p)
{
    unsigned listeners[TRACE_DISCARD_LISTENERS];
    const size_t count = listeners_of(m, region, listeners);

    for (size_t i = 0; i < count; i++) {
        const struct part its = meet(p, section_of(&m->discard_listeners[listeners[i]]));
        if (is_empty(its) || tell(m, listeners[i], EVENT_POPULATE, its) == 0) {
            continue;
        }
        for (size_t k = 0; k < i; k++) {
            const struct part back = meet(p, section_of(&m->discard_listeners[listeners[k]]));
            if (!is_empty(back)) {
                tell(m, listeners[k], EVENT_DISCARD, back);
            }
        }
        return false;
    }
    return true;
}

static int plug(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct manager *const d = m->regions[s->a].manager;
    const struct part p = {s->v.absolute, s->v.absolute + s->w.absolute};

    if (!can_change(d, s->v.absolute, s->w.absolute, false)) {
        return -EINVAL;
    }
    if (d->hooks == HOOKS_BUSY) {
        return -EBUSY;
    }
    if (d->hooks == HOOKS_NO_MEMORY || !populate(m, s->a, p)) {
        forget_bytes(m, s->a, p, expected);
        return -EBUSY;
    }
    set(d, p, true);
    return 0;
}

static int unplug(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct manager *const d = m->regions[s->a].manager;
    const struct part p = {s->v.absolute, s->v.absolute + s->w.absolute};
    unsigned listeners[TRACE_DISCARD_LISTENERS];
    size_t count;

    if (!can_change(d, s->v.absolute, s->w.absolute, true)) {
        return -EINVAL;
    }
    if (d->hooks == HOOKS_BUSY) {
        return -EBUSY;
    }
    forget_bytes(m, s->a, p, expected);
    count = listeners_of(m, s->a, listeners);
    for (size_t i = 0; i < count; i++) {
        const struct part its = meet(p, section_of(&m->discard_listeners[listeners[i]]));
        if (!is_empty(its)) {
            tell(m, listeners[i], EVENT_DISCARD, its);
        }
    }
    set(d, p, false);
    return 0;
}

/* R-BDM-4 */
static int unplug_all(struct model *m, unsigned region, struct observation *expected)
{
    struct manager *const d = m->regions[region].manager;
    unsigned listeners[TRACE_DISCARD_LISTENERS];
    const size_t count = listeners_of(m, region, listeners);

    forget_bytes(m, region, (struct part){0, m->regions[region].block_length}, expected);
    for (size_t i = 0; i < count; i++) {
        tell_all_gone(m, listeners[i]);
    }
    set(d, whole(d), false);
    return 0;
}

/* R-BDM-5 */
static int load_bits(struct model *m, const struct trace_step *s, struct observation *expected)
{
    struct manager *const d = m->regions[s->a].manager;
    unsigned listeners[TRACE_DISCARD_LISTENERS];
    const size_t count = listeners_of(m, s->a, listeners);
    int first_error = 0;
    size_t at = 0;

    for (size_t g = 0; g < d->count; g++) {
        d->populated[g] = s->w.absolute >> g % 64 & 1;
    }
    for (size_t i = 0; i < count; i++) {
        const int result = replay_to(m, listeners[i]);
        first_error = first_error ? first_error : result;
    }
    for (struct part p; !is_empty(p = next_run(d, false, whole(d), &at));) {
        forget_bytes(m, s->a, p, expected);
    }
    return first_error;
}

/* --- questions ----------------------------------------------------------------------- */

static void print_runs(const struct manager *d, bool populated, struct part section, unsigned stop, FILE *out)
{
    size_t at = 0;
    unsigned calls = 0;

    for (struct part p; !is_empty(p = next_run(d, populated, section, &at));) {
        calls++;
        fprintf(out, " 0x%" PRIx64 "+0x%" PRIx64 "%s", p.start, p.end - p.start, calls == stop ? " stopped" : "");
        if (calls == stop) {
            break;
        }
    }
}

static void print_parts(const struct model *m, const struct trace_step *s, FILE *out)
{
    const struct manager *const d = m->regions[s->a].manager;
    const struct part p = {s->v.absolute, s->v.absolute + s->w.absolute}, more = {p.start, p.end + d->granule};
    uint64_t bytes = 0;

    for (size_t g = 0; g < d->count; g++) {
        bytes += d->populated[g] ? d->granule : 0;
    }
    fprintf(out, "granule 0x%" PRIx64 " populated 0x%" PRIx64 " found %d whole %d %d state %s\npopulated", d->granule,
            bytes, region_is_mapped(m, s->a), is_populated(d, p), is_populated(d, more),
            is_populated(d, p) ? "populated" : any_populated(d, p) ? "mixed" : "discarded");
    print_runs(d, true, p, (unsigned)s->n, out);
    fprintf(out, "\ndiscarded");
    print_runs(d, false, p, 0, out);
    fprintf(out, "\n");
}

static int policy(struct model *m, unsigned which, bool on)
{
    const bool managed = m->live_managers.count > 0;    /* each counts as coordinated, R-BDM-1 */
    const unsigned *const counted = m->policy;
    const bool coordinated = counted[POLICY_COORDINATED] || managed;
    const bool busy[POLICIES] = {
        [POLICY_DISABLE] = counted[POLICY_REQUIRE] || coordinated,
        [POLICY_UNCOORDINATED] = counted[POLICY_REQUIRE],
        [POLICY_REQUIRE] = counted[POLICY_DISABLE] || counted[POLICY_UNCOORDINATED],
        [POLICY_COORDINATED] = counted[POLICY_DISABLE],
    };

    if (!on) {
        m->policy[which]--;
        return 0;
    }
    if (busy[which]) {
        return -EBUSY;
    }
    m->policy[which]++;
    return 0;
}

static void print_policy(const struct model *m, int result, FILE *out)
{
    fprintf(out, "returned %d disabled %d required %d\n", result,
            m->policy[POLICY_DISABLE] || m->policy[POLICY_UNCOORDINATED],
            m->policy[POLICY_REQUIRE] || m->policy[POLICY_COORDINATED] || m->live_managers.count > 0);
}

static void apply(struct model *m, const struct trace_step *s, struct observation *expected, FILE *out)
{
    switch ((enum trace_op)s->op) {
    case TRACE_OP_MANAGE:
        fprintf(out, "%s\n", manage(m, s, expected) ? "managed" : "refused");
        break;
    case TRACE_OP_UNMANAGE:
        fprintf(out, "%s\n", unmanage(m, s->a) ? "gone" : "refused");
        break;
    case TRACE_OP_PLUG:
        fprintf(out, "returned %d\n", plug(m, s, expected));
        break;
    case TRACE_OP_UNPLUG:
        fprintf(out, "returned %d\n", unplug(m, s, expected));
        break;
    case TRACE_OP_UNPLUG_ALL:
        fprintf(out, "returned %d\n", unplug_all(m, s->a, expected));
        break;
    case TRACE_OP_LOAD_BITS:
        fprintf(out, "returned %d\n", load_bits(m, s, expected));
        break;
    case TRACE_OP_MANAGER_HOOKS:
        m->regions[s->a].manager->hooks = (unsigned)s->n;
        break;
    case TRACE_OP_PARTS:
        print_parts(m, s, out);
        break;
    case TRACE_OP_DISCARD_LISTEN:
        listen(m, s);
        break;
    case TRACE_OP_DISCARD_UNLISTEN:
        unlisten(m, s->a);
        break;
    case TRACE_OP_OBJECT:
        m->discard_listeners[s->a].objects_at = (unsigned)s->n;
        break;
    case TRACE_OP_DISCARD_POLICY: {
        const int result = policy(m, (unsigned)s->n, s->c);
        print_policy(m, result, out);
        break;
    }
    default:
        abort();
    }
}

void discard_apply(struct model *m, const struct trace_step *s, struct observation *expected)
{
    apply(m, s, expected, observation_text(expected));
    observation_text_end(expected);
}
