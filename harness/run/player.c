/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/player.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "qemu/rcu.h"
#include "run/player_block.h"
#include "run/player_dirty.h"
#include "run/subject.h"

/* Present when anything in the program is built with AddressSanitizer; the core may be while this file is not. */
__attribute__((weak)) void __asan_poison_memory_region(void const volatile *address, size_t size);
__attribute__((weak)) void __asan_unpoison_memory_region(void const volatile *address, size_t size);

static void poison(const void *address, size_t size)
{
    if (__asan_poison_memory_region) {
        __asan_poison_memory_region(address, size);
    }
}

static void unpoison(const void *address, size_t size)
{
    if (__asan_unpoison_memory_region) {
        __asan_unpoison_memory_region(address, size);
    }
}

/* The flush hook of the subject has no argument: there is one player at a time that plays. */
static struct player *playing;

static void on_coalesced_flush(void)
{
    struct event e;

    if (playing && playing->seen) {
        event_init(&e, EVENT_COALESCED_FLUSH);
        player_record(playing, &e);
    }
}

struct player *player_new(void)
{
    struct player *p = calloc(1, sizeof(*p));
    size_t reserve = (size_t)TRACE_PTR_SIZE_MAX;

    if (!p) {
        abort();
    }
    p->reserved = mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p->reserved == MAP_FAILED) {
        perror("harness: cannot reserve address space for ram_ptr regions");
        abort();
    }
    for (unsigned i = 0; i < TRACE_REGIONS; i++) {
        snprintf(p->region_names[i], sizeof(p->region_names[i]), "r%u", i);
        poison(&p->regions[i], sizeof(p->regions[i]));
    }
    for (unsigned i = 0; i < PLAYER_LISTENERS; i++) {
        snprintf(p->recorder_names[i], sizeof(p->recorder_names[i]), i < TRACE_LISTENERS ? "l%u" : "w%u",
                 i < TRACE_LISTENERS ? i : i - TRACE_LISTENERS);
    }
    for (unsigned i = 0; i < TRACE_SPACES; i++) {
        poison(&p->spaces[i], sizeof(p->spaces[i]));
    }
    for (unsigned i = 0; i < TRACE_NOTIFIERS; i++) {
        if (event_notifier_init(&p->notifiers[i], 0) < 0) {
            perror("harness: cannot create an eventfd");
            abort();
        }
    }
    for (int i = 0; i < TRACE_OWNERS; i++) {
        p->owners[i] = (struct player_owner){ .player = p, .slot = i };
        snprintf(p->owners[i].name, sizeof(p->owners[i].name), "o%d", i);
    }
    player_access_init(p);
    subject_set_coalesced_flush_hook(on_coalesced_flush);
    return p;
}

void player_free(struct player *p)
{
    if (!p) {
        return;
    }
    for (unsigned i = 0; i < TRACE_NOTIFIERS; i++) {
        event_notifier_cleanup(&p->notifiers[i]);
    }
    player_access_free(p);
    unpoison(p, sizeof(*p));
    munmap(p->reserved, (size_t)TRACE_PTR_SIZE_MAX);
    free(p->reader_saw.ranges);
    if (playing == p) {
        playing = NULL;
    }
    free(p);
}

void player_reset(struct player *p)
{
    p->region_limit = 0;
    p->eventfds_used = false;
    p->failure.times = 0;
    p->block_version = ram_list.version;
    if (p->reserved_used) {     /* back to zeros, and out of reach */
        p->reserved_used = false;
        if (mmap(p->reserved, (size_t)TRACE_PTR_SIZE_MAX, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != p->reserved) {
            abort();
        }
    }
    for (unsigned i = 0; i < PLAYER_LISTENERS; i++) {
        p->recorders[i].armed = OBSERVED_NONE;
    }
}

void player_forget_failure(struct player *p)
{
    p->failure.times = 0;
}

void player_record(struct player *p, const struct event *e)
{
    if (p->seen) {
        event_log_append(&p->seen->events, e);
    }
}

int player_region_slot(const struct player *p, const MemoryRegion *mr)
{
    size_t offset = (size_t)((const char *)mr - (const char *)p->regions);

    return mr && offset < sizeof(p->regions) && offset % sizeof(p->regions[0]) == 0
         ? (int)(offset / sizeof(p->regions[0])) : OBSERVED_NONE;
}

int player_notifier_slot(const struct player *p, const EventNotifier *e)
{
    size_t offset = (size_t)((const char *)e - (const char *)p->notifiers);

    return e && offset < sizeof(p->notifiers) ? (int)(offset / sizeof(*e)) : OBSERVED_NONE;
}

void player_observe_section(const struct player *p, const MemoryRegionSection *section, int space,
                            struct observed_section *out)
{
    out->region = player_region_slot(p, section->mr);
    out->space = space;
    out->offset = section->offset_within_region;
    out->address = section->offset_within_address_space;
    out->size = (wide)section->size;
    out->readonly = section->readonly;
    out->nonvolatile = section->nonvolatile;
}

/* --- regions ----------------------------------------------------------------- */

/* `io` and `rom_device`: the plainest device of that byte order. */
static const MemoryRegionOps *plain_device(struct player *p, unsigned slot, int endian)
{
    const struct device_shape shape = {
        .traits = endian == 1 ? DEVICE_BIG : endian == 2 ? DEVICE_LITTLE : 0,
    };

    return player_device_init(p, slot, &shape);
}

enum { NAMING_PLAIN, NAMING_SHARED, NAMING_ESCAPED, NAMING_UNNAMED };

static const char *region_name(struct player *p, unsigned slot, unsigned naming)
{
    return naming == NAMING_SHARED ? "shared" : naming == NAMING_ESCAPED ? "a/[b]\\c"
         : naming == NAMING_UNNAMED ? NULL : p->region_names[slot];
}

static MemoryRegion *region_occupy(struct player *p, unsigned slot, unsigned owner, bool named)
{
    unpoison(&p->regions[slot], sizeof(p->regions[slot]));
    p->region_live[slot] = true;
    if (slot >= p->region_limit) {
        p->region_limit = slot + 1;
    }
    p->region_named[slot] = named;
    p->region_enabled[slot] = true;
    p->region_owner[slot] = owner < TRACE_OWNERS ? (int)owner : OBSERVED_NONE;
    p->region_container[slot] = OBSERVED_NONE;
    p->region_target[slot] = OBSERVED_NONE;
    return &p->regions[slot].mr;
}

static void region_vacate(struct player *p, unsigned slot)
{
    p->region_live[slot] = false;
    player_forget_bmap(p, slot);
    poison(&p->regions[slot], sizeof(p->regions[slot]));
    for (unsigned i = 0; i < PLAYER_LISTENERS; i++) {
        if (p->recorders[i].armed == (int)slot) {
            p->recorders[i].armed = OBSERVED_NONE;
        }
    }
    player_forget_alias(p, slot);
    for (unsigned i = 0; i < p->region_limit; i++) {
        if (p->region_live[i] && p->region_container[i] == (int)slot) {
            p->region_container[i] = OBSERVED_NONE;     /* R-OBJ-9: its subregions were taken out */
        }
    }
}

static Object *owner_object(struct player *p, unsigned owner)
{
    return owner < TRACE_OWNERS ? p->owners[owner].object : NULL;
}

static void init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size, int kind,
                     Error **errp)
{
    switch (kind) {
    case 0:
        memory_region_init_ram(mr, owner, name, size, errp);
        break;
    case 1:
        memory_region_init_ram_nomigrate(mr, owner, name, size, errp);
        break;
    case 2:
        memory_region_init_rom(mr, owner, name, size, errp);
        break;
    case 3:
        memory_region_init_rom_nomigrate(mr, owner, name, size, errp);
        break;
    case 4:
        memory_region_init_ram_flags_nomigrate(mr, owner, name, size, RAM_SHARED, errp);
        break;
    case 5:
        memory_region_init_ram_flags_nomigrate(mr, owner, name, size, RAM_NORESERVE, errp);
        break;
    default:
        memory_region_init_resizeable_ram(mr, owner, name, size, 2 * size, player_on_resized, errp);
        break;
    }
}

static void *reserved_for(struct player *p)
{
    /* Blocks over one pointer may overlap: nothing of part 1 looks through it, and R-RAM-22 leaves it open. */
    return p->reserved;
}

/* False: the initialiser reported an Error. */
static bool init_region(struct player *p, const struct trace_step *s, FILE *out)
{
    Error *error = NULL;
    uint64_t size = s->v.absolute;
    unsigned naming = s->op == TRACE_OP_ALIAS ? (unsigned)s->n : s->c;
    unsigned owner = s->op == TRACE_OP_ALIAS ? s->c : s->b;
    const char *name;
    MemoryRegion *mr;
    Object *object = owner_object(p, owner);
    bool made = true;

    if (s->op == TRACE_OP_RAM || s->op == TRACE_OP_RAM_PTR || s->op == TRACE_OP_ROM_DEVICE ||
        s->op == TRACE_OP_DEVICE || s->op == TRACE_OP_IOMMU || s->op == TRACE_OP_RAM_FILE) {
        naming = NAMING_PLAIN;
    }
    p->region_block_length[s->a] = (size + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE;    /* R-RAM-1 */
    name = region_name(p, s->a, naming);
    mr = region_occupy(p, s->a, owner, name != NULL);
    switch ((enum trace_op)s->op) {
    case TRACE_OP_CONTAINER:
        memory_region_init(mr, object, name, size);
        break;
    case TRACE_OP_IO:
        memory_region_init_io(mr, object, plain_device(p, s->a, s->n), &p->devices[s->a], name, size);
        break;
    case TRACE_OP_DEVICE: {
        const struct device_shape shape = device_shape((unsigned)s->n, s->c, s->w.absolute);

        memory_region_init_io(mr, object, player_device_init(p, s->a, &shape), &p->devices[s->a], name, size);
        break;
    }
    case TRACE_OP_IOMMU:
        player_iommu_init(p, s->a, s, object, name);
        break;
    case TRACE_OP_RESERVATION:
        memory_region_init_io(mr, object, NULL, NULL, name, size);
        break;
    case TRACE_OP_ALIAS:
        memory_region_init_alias(mr, object, name, &p->regions[s->b].mr, s->v.absolute, s->w.absolute);
        p->region_target[s->a] = s->b;
        break;
    case TRACE_OP_RAM:
        init_ram(mr, object, name, size, s->n, &error);
        break;
    case TRACE_OP_RAM_FILE:
        made = player_file_init(mr, object, name, s, out);
        break;
    case TRACE_OP_RAM_PTR:
        if (s->n) {
            memory_region_init_ram_device_ptr(mr, object, name, size, reserved_for(p));
        } else {
            memory_region_init_ram_ptr(mr, object, name, size, reserved_for(p));
        }
        break;
    case TRACE_OP_ROM_DEVICE:
        if (s->n) {
            memory_region_init_rom_device_nomigrate(mr, object, plain_device(p, s->a, 2), &p->devices[s->a], name, size,
                                                    &error);
        } else {
            memory_region_init_rom_device(mr, object, plain_device(p, s->a, 2), &p->devices[s->a], name, size,
                                                    &error);
        }
        break;
    default:
        abort();
    }
    if (error) {
        error_free(error);
        made = false;
    }
    if (!made) {
        if (memory_region_size(mr)) {
            p->seen->violation = "a region whose initialiser failed has a size (R-RAM-10)";
        }
        region_vacate(p, s->a);
    }
    return made;
}

static void apply_del(struct player *p, unsigned slot)
{
    unsigned container = (unsigned)p->region_container[slot];

    p->region_container[slot] = OBSERVED_NONE;
    memory_region_del_subregion(&p->regions[container].mr, &p->regions[slot].mr);
}

static void apply_unparent(struct player *p, unsigned slot)
{
    MemoryRegion *mr = &p->regions[slot].mr;

    if (p->region_named[slot]) {
        object_unparent(OBJECT(mr));
    } else {
        object_unref(OBJECT(mr));       /* R-OBJ-3: the one reference is the creator's */
    }
    region_vacate(p, slot);
}

void player_toggle(struct player *p, unsigned slot)
{
    p->region_enabled[slot] = !p->region_enabled[slot];
    memory_region_set_enabled(&p->regions[slot].mr, p->region_enabled[slot]);
}

const uint8_t *player_ram(struct player *p, unsigned region)
{
    return qemu_ram_get_host_addr(player_block(p, region));     /* get_ram_ptr wants a used byte */
}

/* --- owners ------------------------------------------------------------------ */

static void on_owner_finalized(void *opaque)
{
    struct player_owner *owner = opaque;
    struct player *p = owner->player;
    struct event e;

    owner->object = NULL;
    event_init(&e, EVENT_OWNER_FINALIZED);
    e.number = owner->slot;
    player_record(p, &e);
    for (unsigned i = 0; i < p->region_limit; i++) {
        if (p->region_live[i] && p->region_owner[i] == owner->slot) {
            region_vacate(p, i);        /* R-OBJ-8: its regions were released before */
        }
    }
}

unsigned player_owner_references(struct player *p, unsigned owner)
{
    return p->owners[owner].object ? subject_owner_references(p->owners[owner].object) : 0;
}

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

    unpoison(&p->spaces[s->a], sizeof(p->spaces[s->a]));
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
            poison(&p->spaces[i], sizeof(p->spaces[i]));
        }
    }
}

/* --- views ------------------------------------------------------------------- */

struct walk {
    struct player *player;
    struct view *view;
};

static bool walk_range(Int128 start, Int128 size, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    struct walk *walk = opaque;
    struct view *view = walk->view;

    if (view->count == view->capacity) {
        view->capacity = view->capacity ? 2 * view->capacity : 32;
        view->ranges = realloc(view->ranges, view->capacity * sizeof(*view->ranges));
        if (!view->ranges) {
            abort();
        }
    }
    view->ranges[view->count++] = (struct view_range){
        .address = (uint64_t)start,
        .size = (wide)size,
        .region = player_region_slot(walk->player, mr),
        .offset = offset,
    };
    return false;
}

static void walk_view(struct player *p, FlatView *fv, struct view *out)
{
    struct walk walk = { .player = p, .view = out };

    out->count = 0;
    out->root = OBSERVED_NONE;
    out->identity = 0;
    flatview_for_each_range(fv, walk_range, &walk);
}

void player_view(struct player *p, unsigned space, struct view *out)
{
    rcu_read_lock();
    walk_view(p, address_space_to_flatview(&p->spaces[space]), out);
    rcu_read_unlock();
}

const void *player_view_identity(struct player *p, unsigned space)
{
    return address_space_to_flatview(&p->spaces[space]);
}

static void apply_reader(struct player *p, unsigned space)
{
    rcu_read_lock();
    p->reader_view = address_space_to_flatview(&p->spaces[space]);
    walk_view(p, p->reader_view, &p->reader_saw);
}

/* I-15: a reader sees its view unchanged, bit for bit, whatever was committed meanwhile. */
static bool apply_reader_end(struct player *p)
{
    struct view now = { 0 };
    bool same;

    walk_view(p, p->reader_view, &now);
    same = now.count == p->reader_saw.count;
    for (size_t i = 0; same && i < now.count; i++) {
        const struct view_range *x = &now.ranges[i], *y = &p->reader_saw.ranges[i];

        same = x->address == y->address && x->size == y->size && x->region == y->region && x->offset == y->offset;
    }
    free(now.ranges);
    p->reader_view = NULL;
    rcu_read_unlock();
    return same;
}

/* --- questions --------------------------------------------------------------- */

static bool found_in_published_view(const struct player *p, const MemoryRegionSection *section)
{
    for (unsigned i = 0; i < TRACE_SPACES; i++) {
        if (p->space_live[i] && section->fv == address_space_to_flatview((AddressSpace *)&p->spaces[i])) {
            return true;
        }
    }
    return false;
}

static void apply_find(struct player *p, unsigned region, const struct trace_step *s, int copy,
                       struct observation *seen)
{
    MemoryRegionSection section = memory_region_find(&p->regions[region].mr, s->v.absolute, s->w.absolute);

    player_observe_section(p, &section, OBSERVED_NONE, &seen->section);
    if (section.mr) {
        seen->view_published = found_in_published_view(p, &section);
        if (copy != OBSERVED_NONE) {
            p->copies[copy] = memory_region_section_new_copy(&section);
            seen->truth = MemoryRegionSection_eq(p->copies[copy], &section);
        }
        memory_region_unref(section.mr);
    }
}

static unsigned end_of_chain(const struct player *p, unsigned slot)
{
    while (p->region_target[slot] != OBSERVED_NONE) {
        slot = (unsigned)p->region_target[slot];
    }
    return slot;
}

static void apply_query(struct player *p, unsigned slot, const struct region_facts *expected,
                        struct region_facts *facts)
{
    MemoryRegion *mr = &p->regions[slot].mr;
    const char *name = memory_region_name(mr);
    Object *owner = memory_region_owner(mr);

    facts->size = memory_region_size(mr);
    facts->is_ram = memory_region_is_ram(mr);
    facts->is_rom = memory_region_is_rom(mr);
    facts->is_romd = memory_region_is_romd(mr);
    facts->is_ram_device = memory_region_is_ram_device(mr);
    facts->is_nonvolatile = memory_region_is_nonvolatile(mr);
    facts->is_protected = memory_region_is_protected(mr);
    facts->is_iommu = memory_region_is_iommu(mr);
    facts->is_mapped = memory_region_is_mapped(mr);
    facts->dirty_log_mask = memory_region_get_dirty_log_mask(mr);
    for (unsigned client = 0; client < 3; client++) {
        facts->logging[client] = memory_region_is_logging(mr, (uint8_t)client);
    }
    facts->has_name = name != NULL;
    snprintf(facts->name, sizeof(facts->name), "%s", name ? name : "");
    facts->has_ram_addr = memory_region_get_ram_addr(mr) != RAM_ADDR_INVALID;
    facts->alignment = memory_region_get_alignment(mr);
    facts->from_host_region = OBSERVED_NONE;
    /* R-RAM-26: without a block not everybody can be asked. */
    facts->fd = player_block(p, end_of_chain(p, slot)) && memory_region_get_fd(mr) >= 0 ? 0 : -1;
    if (expected->has_ram_ptr) {
        uint8_t *host = memory_region_get_ram_ptr(mr);
        MemoryRegion *block_region = &p->regions[end_of_chain(p, slot)].mr;
        ram_addr_t offset = 0;

        facts->has_ram_ptr = true;
        facts->ram_ptr_offset = (uint64_t)(host - (uint8_t *)memory_region_get_ram_ptr(block_region));
        if (expected->from_host_region != OBSERVED_NONE) {
            facts->from_host_region = player_region_slot(p, memory_region_from_host(host, &offset));
            facts->from_host_offset = offset;
        }
    }
    facts->owner = owner ? OBSERVED_UNATTACHED : OBSERVED_NONE;
    for (int i = 0; owner && i < TRACE_OWNERS; i++) {
        if (p->owners[i].object == owner) {
            facts->owner = i;
        }
    }
}

/*
 * The dispatch part of mtree_info mirrors an implementation (R-MT-13): it is
 * taken out, from its heading up to the blank line that ends the view.
 */
static void strip_dispatch(char *text)
{
    char *from = text, *to = text;
    bool inside = false;

    while (*from) {
        size_t length = strcspn(from, "\n");
        size_t whole = length + (from[length] == '\n');

        if (length == 10 && !memcmp(from, "  Dispatch", 10)) {
            inside = true;
        } else if (length == 0) {
            inside = false;
        }
        if (!inside) {
            memmove(to, from, whole);
            to += whole;
        }
        from += whole;
    }
    *to = '\0';
}

static void apply_mtree(int flags, struct observation *seen)
{
    char *text = subject_mtree(flags & 1, flags & 2, flags & 4, flags & 8);

    if ((flags & 3) == 3) {
        strip_dispatch(text);
    }
    fputs(text, observation_text(seen));
    observation_text_end(seen);
    free(text);
}

/* --- blocks and discard managers ------------------------------------------------------ */

static void apply_block(struct player *p, const struct trace_step *s, struct observation *seen)
{
    player_step_failing(p, s, observation_text(seen),
                        s->op == TRACE_OP_RAM_FILE ? init_region
                        : trace_op_table[s->op].group == TRACE_GROUP_BLOCK ? player_block_step : player_discard_step);
    observation_text_end(seen);
}

static void apply_fail(struct player *p, const struct trace_step *s)
{
    p->failure.times = block_how_often(s->b);
    p->failure.nth = p->failure.left = (size_t)s->n;
    p->failure.error = block_host_error(s->c);
}

/* What no case of player_apply names. */
static void apply_by_group(struct player *p, const struct trace_step *s, const struct observation *expected)
{
    switch (trace_op_table[s->op].group) {
    case TRACE_GROUP_DIRTY:
        player_apply_dirty(p, s, p->seen);
        break;
    case TRACE_GROUP_BLOCK:
    case TRACE_GROUP_DISCARD:
        apply_block(p, s, p->seen);
        break;
    case TRACE_GROUP_FAULT:
        apply_fail(p, s);
        break;
    default:
        player_access(p, s, expected);
        break;
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

void player_apply(struct player *p, const struct trace_step *s, const struct observation *expected,
                  struct observation *seen)
{
    MemoryRegion *mr = s->a < TRACE_REGIONS ? &p->regions[s->a].mr : NULL;

    playing = p;
    p->seen = seen;
    switch ((enum trace_op)s->op) {
    case TRACE_OP_CONTAINER:
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_ALIAS:
    case TRACE_OP_RAM:
    case TRACE_OP_RAM_PTR:
    case TRACE_OP_ROM_DEVICE:
    case TRACE_OP_DEVICE:
    case TRACE_OP_IOMMU:
        player_step_failing(p, s, NULL, init_region);
        break;
    case TRACE_OP_SPACE:
        apply_space(p, s);
        break;
    case TRACE_OP_ADD:
        p->region_container[s->b] = s->a;
        if (s->n) {
            memory_region_add_subregion_overlap(mr, s->v.absolute, &p->regions[s->b].mr, s->n);
        } else {
            memory_region_add_subregion(mr, s->v.absolute, &p->regions[s->b].mr);
        }
        break;
    case TRACE_OP_DEL:
        apply_del(p, s->a);
        break;
    case TRACE_OP_ENABLED:
        p->region_enabled[s->a] = s->n;
        memory_region_set_enabled(mr, s->n);
        break;
    case TRACE_OP_ADDRESS:
        memory_region_set_address(mr, s->v.absolute);
        break;
    case TRACE_OP_SIZE:
        memory_region_set_size(mr, s->v.absolute);
        break;
    case TRACE_OP_ALIAS_OFFSET:
        memory_region_set_alias_offset(mr, s->v.absolute);
        break;
    case TRACE_OP_READONLY:
        memory_region_set_readonly(mr, s->n);
        break;
    case TRACE_OP_NONVOLATILE:
        memory_region_set_nonvolatile(mr, s->n);
        break;
    case TRACE_OP_ROMD:
        memory_region_rom_device_set_romd(mr, s->n);
        break;
    case TRACE_OP_FIND:
        apply_find(p, s->a, s, OBSERVED_NONE, seen);
        break;
    case TRACE_OP_PRESENT:
        seen->truth = memory_region_present(mr, s->v.absolute);
        break;
    case TRACE_OP_QUERY:
        apply_query(p, s->a, &expected->facts, &seen->facts);
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
    case TRACE_OP_OWNER:
        p->owners[s->a].object = subject_owner_new(p->owners[s->a].name, on_owner_finalized, &p->owners[s->a]);
        break;
    case TRACE_OP_RELEASE:
        object_unref(p->owners[s->a].object);
        break;
    case TRACE_OP_UNPARENT:
        apply_unparent(p, s->a);
        break;
    case TRACE_OP_REF:
        memory_region_ref(mr);
        break;
    case TRACE_OP_UNREF:
        memory_region_unref(mr);
        break;
    case TRACE_OP_COPY:
        apply_find(p, s->b, s, s->a, seen);
        break;
    case TRACE_OP_FREE_COPY:
        memory_region_section_free_copy(p->copies[s->a]);
        p->copies[s->a] = NULL;
        break;
    case TRACE_OP_GRACE:
        apply_grace(p);
        break;
    case TRACE_OP_READER:
        apply_reader(p, s->a);
        break;
    case TRACE_OP_READER_END:
        seen->truth = apply_reader_end(p);
        break;
    case TRACE_OP_MTREE:
        apply_mtree(s->n, seen);
        break;
    default:
        apply_by_group(p, s, expected);
        break;
    }
    p->seen = NULL;
}
