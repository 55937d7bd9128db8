/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/block.h"
#include "qapi/error.h"
#include "run/player_block.h"

/* --- listeners ----------------------------------------------------------------------- */

static int record(RamDiscardListener *rdl, enum event_kind kind, const MemoryRegionSection *section)
{
    struct player_discard_listener *l = (struct player_discard_listener *)rdl;
    struct event e;

    event_init(&e, kind);
    e.number = (int)l->slot;
    player_observe_section(l->player, section, OBSERVED_NONE, &e.section);
    e.result = ram_discard_manager_is_populated(subject_manager_object(l->player->managers[l->region].manager),
                                                section);
    if (kind == EVENT_POPULATE && l->objects_at && --l->objects_at == 0) {
        e.data = (uint64_t)(int64_t)-EBUSY;
    }
    player_record(l->player, &e);
    return (int)(int64_t)e.data;
}

static int on_populate(RamDiscardListener *rdl, MemoryRegionSection *section)
{
    return record(rdl, EVENT_POPULATE, section);
}

static void on_discard(RamDiscardListener *rdl, MemoryRegionSection *section)
{
    record(rdl, EVENT_DISCARD, section);
}

static MemoryRegionSection section_of(struct player *p, unsigned region, const struct trace_step *s)
{
    return (MemoryRegionSection){
        .mr = &p->regions[region].mr,
        .offset_within_region = s->v.absolute,
        .offset_within_address_space = DISCARD_SECTION_ADDRESS + s->v.absolute,
        .size = int128_make64(s->w.absolute),
    };
}

static void listen(struct player *p, const struct trace_step *s)
{
    struct player_discard_listener *l = &p->discard_listeners[s->a];
    MemoryRegionSection section = section_of(p, s->b, s);

    *l = (struct player_discard_listener){ .player = p, .slot = s->a, .region = s->b };
    ram_discard_listener_init(&l->listener, on_populate, on_discard, s->n == DISCARD_DOUBLE);
    ram_discard_manager_register_listener(subject_manager_object(p->managers[s->b].manager), &l->listener, &section);
}

static void unlisten(struct player *p, unsigned slot)
{
    struct player_discard_listener *l = &p->discard_listeners[slot];

    ram_discard_manager_unregister_listener(subject_manager_object(p->managers[l->region].manager), &l->listener);
}

/* --- managers -------------------------------------------------------------------------- */

static bool is_busy(void *opaque)
{
    return ((const struct player_manager *)opaque)->hooks == HOOKS_BUSY;
}

/* Where memory runs out, both ends have been allocated: that has to go again (R-BDM-2). */
static int preallocate(void *opaque, void *host, uint64_t length)
{
    uint8_t *bytes = host;

    if (((const struct player_manager *)opaque)->hooks != HOOKS_NO_MEMORY) {
        return 0;
    }
    bytes[0] = bytes[length - 1] = 0x77;
    return -ENOMEM;
}

static bool manage(struct player *p, const struct trace_step *s, FILE *out)
{
    struct player_manager *mine = &p->managers[s->a];
    const struct subject_manager_hooks hooks = { is_busy, preallocate, mine };
    Error *error = NULL;

    player_reserved_use(p);     /* preallocate() writes there */
    struct subject_manager *made =
        subject_manager_new(&p->regions[s->a].mr, block_granule((unsigned)s->n), &hooks, &error);

    fprintf(out, "%s\n", made ? "managed" : error ? "refused" : "refused without an error");
    error_free(error);
    if (made) {
        mine->manager = made;
        mine->hooks = HOOKS_WILLING;
    }
    return made != NULL;
}

static bool unmanage(struct player *p, unsigned slot, FILE *out)
{
    Error *error = NULL;
    const bool gone = subject_manager_destroy(p->managers[slot].manager, &error);

    fprintf(out, "%s\n", gone ? "gone" : error ? "refused" : "refused without an error");
    error_free(error);
    if (gone) {
        p->managers[slot].manager = NULL;
    }
    return gone;
}

/* --- questions ---------------------------------------------------------------------------- */

struct printing {
    FILE *out;
    unsigned calls, stop;
    bool strange;
};

static int print_run(MemoryRegionSection *section, void *opaque)
{
    struct printing *printing = opaque;

    printing->calls++;
    printing->strange |=
        section->offset_within_address_space != DISCARD_SECTION_ADDRESS + section->offset_within_region;
    fprintf(printing->out, " 0x%" PRIx64 "+0x%" PRIx64 "%s", section->offset_within_region, (uint64_t)section->size,
            printing->calls == printing->stop ? " stopped" : "");
    return printing->calls == printing->stop ? 77 : 0;
}

static void print_discarded(MemoryRegionSection *section, void *opaque)
{
    print_run(section, opaque);
}

static void print_parts(struct player *p, const struct trace_step *s, FILE *out)
{
    struct subject_manager *manager = p->managers[s->a].manager;
    MemoryRegion *mr = &p->regions[s->a].mr;
    RamDiscardManager *rdm = subject_manager_object(manager);
    const uint64_t granule = ram_discard_manager_get_min_granularity(rdm, mr);
    MemoryRegionSection section = section_of(p, s->a, s), more = section;
    struct printing printing = { .out = out, .stop = (unsigned)s->n };
    int result;

    more.size = int128_make64(s->w.absolute + granule);
    fprintf(out, "granule 0x%" PRIx64 " populated 0x%" PRIx64 " found %d whole %d %d state %s\npopulated", granule,
            subject_manager_populated_bytes(manager), memory_region_get_ram_discard_manager(mr) == rdm,
            ram_discard_manager_is_populated(rdm, &section), ram_discard_manager_is_populated(rdm, &more),
            subject_manager_state(manager, s->v.absolute, s->w.absolute));
    result = ram_discard_manager_replay_populated(rdm, &section, print_run, &printing);
    if (result != (printing.stop && printing.calls == printing.stop ? 77 : 0)) {
        fprintf(out, " returned %d", result);
    }
    fprintf(out, "\ndiscarded");
    printing.calls = printing.stop = 0;
    ram_discard_manager_replay_discarded(rdm, &section, print_discarded, &printing);
    fprintf(out, "%s\n", printing.strange ? " at another address" : "");
}

static void policy(struct player *p, const struct trace_step *s, FILE *out)
{
    static int (*const counts[])(bool state) = {
        [POLICY_DISABLE] = ram_block_discard_disable,
        [POLICY_UNCOORDINATED] = ram_block_uncoordinated_discard_disable,
        [POLICY_REQUIRE] = ram_block_discard_require,
        [POLICY_COORDINATED] = ram_block_coordinated_discard_require,
    };
    const int result = counts[s->n](s->c);

    (void)p;
    fprintf(out, "returned %d disabled %d required %d\n", result, ram_block_discard_is_disabled(),
            ram_block_discard_is_required());
}

static bool print_result(int result, FILE *out)
{
    fprintf(out, "returned %d\n", result);
    return result == 0;
}

bool player_discard_step(struct player *p, const struct trace_step *s, FILE *out)
{
    struct subject_manager *manager = p->managers[s->a].manager;

    switch ((enum trace_op)s->op) {
    case TRACE_OP_MANAGE:
        return manage(p, s, out);
    case TRACE_OP_UNMANAGE:
        return unmanage(p, s->a, out);
    case TRACE_OP_PLUG:
        return print_result(subject_manager_plug(manager, s->v.absolute, s->w.absolute), out);
    case TRACE_OP_UNPLUG:
        return print_result(subject_manager_unplug(manager, s->v.absolute, s->w.absolute), out);
    case TRACE_OP_UNPLUG_ALL:
        return print_result(subject_manager_unplug_all(manager), out);
    case TRACE_OP_LOAD_BITS:
        return print_result(subject_manager_load(manager, s->w.absolute), out);
    case TRACE_OP_MANAGER_HOOKS:
        p->managers[s->a].hooks = (unsigned)s->n;
        return true;
    case TRACE_OP_PARTS:
        print_parts(p, s, out);
        return true;
    case TRACE_OP_DISCARD_LISTEN:
        listen(p, s);
        return true;
    case TRACE_OP_DISCARD_UNLISTEN:
        unlisten(p, s->a);
        return true;
    case TRACE_OP_OBJECT:
        p->discard_listeners[s->a].objects_at = (unsigned)s->n;
        return true;
    case TRACE_OP_DISCARD_POLICY:
        policy(p, s, out);
        return true;
    default:
        abort();
    }
}
