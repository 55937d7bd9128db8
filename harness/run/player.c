/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/player.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "exec/ram_addr.h"
#include "qemu/event_notifier.h"
#include "run/player_block.h"
#include "run/player_dirty.h"
#include "run/player_parts.h"
#include "run/subject.h"

#ifdef HARNESS_POISONS      /* the core is built with AddressSanitizer; this file may not be */
void __asan_poison_memory_region(void const volatile *address, size_t size);
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#else                       /* not even named then: fuzzing services refuse such programs */
#define __asan_poison_memory_region(address, size) ((void)(address), (void)(size))
#define __asan_unpoison_memory_region(address, size) ((void)(address), (void)(size))
#endif

void player_poison(const void *address, size_t size)
{
    __asan_poison_memory_region(address, size);
}

void player_unpoison(const void *address, size_t size)
{
    __asan_unpoison_memory_region(address, size);
}

/* The hooks of the subject have no argument: there is one player at a time that plays. */
static struct player *playing;

static void on_coalesced_flush(void)
{
    struct event e;

    if (playing && playing->seen) {
        event_init(&e, EVENT_COALESCED_FLUSH);
        player_record(playing, &e);
    }
}

/* By the block that begins last at or below that address. */
static int region_of_address(struct player *p, ram_addr_t address, ram_addr_t *offset)
{
    int found = OBSERVED_NONE;

    for (unsigned i = 0; i < p->region_limit; i++) {
        const ram_addr_t base =
            p->region_live[i] ? memory_region_get_ram_addr(&p->regions[i].mr) : RAM_ADDR_INVALID;

        if (base != RAM_ADDR_INVALID && base <= address && (found == OBSERVED_NONE || address - base < *offset)) {
            found = (int)i;
            *offset = address - base;
        }
    }
    return found;
}

/* Also heard while tracking is off: R-CODE-1 says that nothing comes then. */
static void on_code_written(uint64_t start, uint64_t end)
{
    RAMBlock *block;
    struct event e;

    if (!playing || !playing->seen) {
        return;
    }
    event_init(&e, EVENT_CODE_WRITTEN);
    e.offset = start;
    e.region = region_of_address(playing, start, &e.offset);
    e.length = end - start;
    player_record(playing, &e);
    if (!playing->drops_code || e.region == OBSERVED_NONE) {
        return;
    }
    /* A region may be larger than what its block uses (R-RAM-34); beyond its maximum the range differs already. */
    block = player_block(playing, (unsigned)e.region);
    if (e.length > qemu_ram_get_max_length(block) || e.offset > qemu_ram_get_max_length(block) - e.length) {
        return;
    }
    for (ram_addr_t a = start - start % TARGET_PAGE_SIZE; a < end; a += TARGET_PAGE_SIZE) {
        cpu_physical_memory_set_dirty_flag(a, DIRTY_MEMORY_CODE);
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
        player_poison(&p->regions[i], sizeof(p->regions[i]));
    }
    for (unsigned i = 0; i < PLAYER_LISTENERS; i++) {
        snprintf(p->recorder_names[i], sizeof(p->recorder_names[i]), i < TRACE_LISTENERS ? "l%u" : "w%u",
                 i < TRACE_LISTENERS ? i : i - TRACE_LISTENERS);
    }
    for (unsigned i = 0; i < TRACE_SPACES; i++) {
        player_poison(&p->spaces[i], sizeof(p->spaces[i]));
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
    subject_set_code_hook(on_code_written);
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
    player_unpoison(p, sizeof(*p));
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
    total_dirty_pages = 0;      /* never reset otherwise (R-LEB-6): it would tell of earlier traces */
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

/* --- the steps --------------------------------------------------------------- */

static void apply_block(struct player *p, const struct trace_step *s, struct observation *seen)
{
    player_step_failing(p, s, observation_text(seen),
                        s->op == TRACE_OP_RAM_FILE ? player_region_init
                        : trace_op_table[s->op].group == TRACE_GROUP_BLOCK ? player_block_step : player_discard_step);
    observation_text_end(seen);
}

static void apply_fail(struct player *p, const struct trace_step *s)
{
    p->failure.times = block_how_often(s->b);
    p->failure.nth = p->failure.left = (size_t)s->n;
    p->failure.error = block_host_error(s->c);
}

/* Steps whose whole answer is a new region; `ram_file` says more, so it is a step of blocks. */
static bool makes_region(enum trace_op op)
{
    switch (op) {
    case TRACE_OP_CONTAINER:
    case TRACE_OP_IO:
    case TRACE_OP_RESERVATION:
    case TRACE_OP_ALIAS:
    case TRACE_OP_RAM:
    case TRACE_OP_RAM_PTR:
    case TRACE_OP_ROM_DEVICE:
    case TRACE_OP_DEVICE:
    case TRACE_OP_IOMMU:
        return true;
    default:
        return false;
    }
}

static void apply_by_group(struct player *p, const struct trace_step *s, const struct observation *expected)
{
    switch (trace_op_table[s->op].group) {
    case TRACE_GROUP_TREE:
    case TRACE_GROUP_MEMORY:
    case TRACE_GROUP_LIFETIME:
        player_region(p, s);
        break;
    case TRACE_GROUP_SPACES:
    case TRACE_GROUP_TRANSACTION:
    case TRACE_GROUP_LISTENER:
    case TRACE_GROUP_LOGGING:
    case TRACE_GROUP_EVENTFD:
    case TRACE_GROUP_COALESCE:
        player_space(p, s);
        break;
    case TRACE_GROUP_QUERY:
    case TRACE_GROUP_RECLAIM:
    case TRACE_GROUP_PRINT:
        player_query(p, s, expected);
        break;
    case TRACE_GROUP_DIRTY:
        player_apply_dirty(p, s, p->seen);
        break;
    case TRACE_GROUP_DEVICE:
    case TRACE_GROUP_ACCESS:
    case TRACE_GROUP_MAP:
    case TRACE_GROUP_CACHE:
    case TRACE_GROUP_IOMMU:
        player_access(p, s, expected);
        break;
    case TRACE_GROUP_BLOCK:
    case TRACE_GROUP_DISCARD:
        apply_block(p, s, p->seen);
        break;
    case TRACE_GROUP_FAULT:
        apply_fail(p, s);
        break;
    case TRACE_GROUP_COUNT:
        abort();
    }
}

void player_apply(struct player *p, const struct trace_step *s, const struct observation *expected,
                  struct observation *seen)
{
    playing = p;
    p->seen = seen;
    if (makes_region((enum trace_op)s->op)) {
        player_step_failing(p, s, NULL, player_region_init);
    } else {
        apply_by_group(p, s, expected);
    }
    p->seen = NULL;
}
