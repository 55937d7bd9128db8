/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plays accesses, maps and caches. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/cpu-common.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "run/player_parts.h"
#include "run/player_scalar.h"
#include "run/subject.h"

enum { GUARD = 32, GUARD_BYTE = 0xc7, PLAYED_MAX = 0x10000 };

int player_space_slot(const struct player *p, const AddressSpace *as)
{
    for (int i = 0; as && i < TRACE_SPACES; i++) {
        if (as == &p->spaces[i]) {
            return i;
        }
    }
    return OBSERVED_NONE;
}

/* --- map clients ---------------------------------------------------------------------- */

static void on_map_client(void *opaque)
{
    struct player_client *client = opaque;
    struct event e;

    event_init(&e, EVENT_MAP_CLIENT);
    e.number = (int)client->slot;
    player_record(client->player, &e);
}

void player_access_init(struct player *p)
{
    for (unsigned i = 0; i < TRACE_CLIENTS; i++) {
        p->clients[i] = (struct player_client){ .player = p, .slot = i };
        p->clients[i].bottom_half = qemu_bh_new(on_map_client, &p->clients[i]);
    }
}

void player_access_free(struct player *p)
{
    for (unsigned i = 0; i < TRACE_CLIENTS; i++) {
        qemu_bh_delete(p->clients[i].bottom_half);
    }
}

/* --- buffers -------------------------------------------------------------------------- */

/* A read into guarded memory: bytes past the end that change are a violation (INV-25). */
static uint8_t *guarded(void)
{
    static uint8_t buffer[GUARD + TRACE_BUFFER_MAX + GUARD];

    return buffer + GUARD;
}

static uint8_t *before_read(size_t length)
{
    uint8_t *buffer = guarded();

    memset(buffer - GUARD, GUARD_BYTE, GUARD);
    memset(buffer, ACCESS_UNTOUCHED, length);
    memset(buffer + length, GUARD_BYTE, GUARD);
    return buffer;
}

static void after_read(struct player *p, const uint8_t *buffer, size_t length)
{
    uint8_t *observed;

    for (unsigned i = 0; i < GUARD; i++) {
        if (buffer[-1 - (int)i] != GUARD_BYTE || buffer[length + i] != GUARD_BYTE) {
            p->seen->violation = "a read wrote outside of its buffer (INV-25)";
        }
    }
    observed = observation_bytes(p->seen, length);
    if (length) {
        memcpy(observed, buffer, length);
    }
}

static const uint8_t *fill(int64_t seed, size_t length)
{
    uint8_t *buffer = guarded();

    for (size_t i = 0; i < length; i++) {
        buffer[i] = access_data_byte(seed, i);
    }
    return buffer;
}

static void unlock_if(bool wanted)
{
    if (wanted) {
        qemu_mutex_unlock_iothread();
    }
}

/* The call must have left the lock as it was (R-LCK-2). */
static void lock_again(struct player *p, bool unlocked)
{
    if (qemu_mutex_iothread_locked() == unlocked) {
        p->seen->violation = "the call changed who holds the big lock (R-LCK-2)";
    }
    if (unlocked && !qemu_mutex_iothread_locked()) {
        qemu_mutex_lock_iothread();
    }
}

/* R-ACC-18: what reads go on with, after a translation of the caller's own. */
static MemTxResult read_translated(AddressSpace *as, hwaddr address, MemTxAttrs attrs, uint8_t *buffer, hwaddr length)
{
    hwaddr offset, translated = length;
    MemoryRegion *mr;
    MemTxResult result;
    FlatView *view;

    rcu_read_lock();
    view = address_space_to_flatview(as);
    mr = flatview_translate(view, address, &offset, &translated, false, attrs);
    result = flatview_read_continue(view, address, attrs, buffer, length, offset, translated, mr);
    rcu_read_unlock();
    return result;
}

static void play_read(struct player *p, const struct trace_step *s)
{
    AddressSpace *as = &p->spaces[s->a];
    const MemTxAttrs attrs = player_attrs(access_attrs(s->c));
    const size_t length = (size_t)s->w.absolute;
    uint8_t *buffer = before_read(length);

    unlock_if(s->n == READ_UNLOCKED);
    switch (s->n) {
    case READ_FULL:
        p->seen->result = address_space_read_full(as, s->v.absolute, attrs, buffer, length);
        break;
    case READ_8:
        p->seen->result = address_space_read(as, s->v.absolute, attrs, buffer, 8);
        break;
    case READ_TRANSLATED:
        p->seen->result = read_translated(as, s->v.absolute, attrs, buffer, length);
        break;
    default:
        p->seen->result = address_space_rw(as, s->v.absolute, attrs, buffer, length, false);
        break;
    }
    lock_again(p, s->n == READ_UNLOCKED);
    after_read(p, buffer, length);
}

static void play_write(struct player *p, const struct trace_step *s)
{
    AddressSpace *as = &p->spaces[s->a];
    const MemTxAttrs attrs = player_attrs(access_attrs(s->c));
    const size_t length = (size_t)s->w.absolute;
    const uint8_t *buffer = fill(s->n, length);

    unlock_if(s->b == WRITE_UNLOCKED);
    if (s->b == WRITE_RW) {
        p->seen->result = address_space_rw(as, s->v.absolute, attrs, (void *)buffer, length, true);
    } else {
        p->seen->result = address_space_write(as, s->v.absolute, attrs, buffer, length);
    }
    lock_again(p, s->b == WRITE_UNLOCKED);
}

/* The bytes that are moved are seen where they arrive, in RAM. */
static void play_move(struct player *p, const struct trace_step *s)
{
    AddressSpace *as = &p->spaces[s->a];
    uint8_t *buffer = (uint8_t *)qemu_ram_get_host_addr(player_block(p, s->b)) + s->w.absolute;
    const MemTxAttrs attrs = player_attrs(0);
    const hwaddr length = (hwaddr)s->n;

    switch (s->c) {
    case MOVE_READ:
        p->seen->result = address_space_read_full(as, s->v.absolute, attrs, buffer, length);
        break;
    case MOVE_WRITE:
        p->seen->result = address_space_write(as, s->v.absolute, attrs, buffer, length);
        break;
    case MOVE_WRITE_ROM:
        p->seen->result = address_space_write_rom(as, s->v.absolute, attrs, buffer, length);
        break;
    default:
        p->seen->result = address_space_rw(as, s->v.absolute, attrs, buffer, length, s->c == MOVE_WRITE_RW);
        break;
    }
}

/* --- scalars --------------------------------------------------------------------------- */

static void play_scalar(struct player *p, const struct trace_step *s)
{
    AddressSpace *as = &p->spaces[s->a];
    const MemTxAttrs attrs = player_attrs(access_attrs(s->c));
    const bool unlocked = s->b == SCALAR_UNLOCKED;

    unlock_if(unlocked);
    if (s->op == TRACE_OP_LOAD) {
        p->seen->value = s->b == SCALAR_PHYS ? scalar_load_phys(as, s->v.absolute, s->n)
                                             : scalar_load(as, s->v.absolute, s->n, attrs, &p->seen->result);
    } else if (s->b == SCALAR_PHYS) {
        scalar_store_phys(as, s->v.absolute, s->n, s->w.absolute);
    } else {
        scalar_store(as, s->v.absolute, s->n, s->w.absolute, attrs, &p->seen->result);
    }
    lock_again(p, unlocked);
}

/* --- one region, translation ------------------------------------------------------------- */

static void play_dispatch(struct player *p, const struct trace_step *s)
{
    MemoryRegion *mr = &p->regions[s->a].mr;
    const struct scalar scalar = access_memop((unsigned)s->n);
    const MemOp op = size_memop(scalar.size) | (scalar.order == SCALAR_BIG ? MO_BSWAP : 0);
    const MemTxAttrs attrs = player_attrs(access_attrs(s->c));

    p->straight = true;
    rcu_read_lock();
    if (s->op == TRACE_OP_DISPATCH_READ) {
        uint64_t value = UINT64_MAX;

        p->seen->result = memory_region_dispatch_read(mr, s->v.absolute, &value, op, attrs);
        p->seen->value = value;     /* whole: what is above the width is checked, too (R-DSP-9) */
    } else {
        p->seen->result = memory_region_dispatch_write(mr, s->v.absolute, s->w.absolute, op, attrs);
    }
    rcu_read_unlock();
    p->straight = false;
}

static void play_translate(struct player *p, const struct trace_step *s)
{
    struct observation *seen = p->seen;
    hwaddr offset = 0, length = s->w.absolute;
    MemoryRegion *mr;

    rcu_read_lock();
    mr = address_space_translate(&p->spaces[s->a], s->v.absolute, &offset, &length, s->n,
                                 player_attrs(access_attrs(s->c)));
    seen->place_region = player_region_slot(p, mr);
    rcu_read_unlock();
    seen->place_offset = offset;
    seen->place_length = length;
}

static void play_iotlb(struct player *p, const struct trace_step *s)
{
    struct observation *seen = p->seen;
    IOMMUTLBEntry entry;

    rcu_read_lock();
    entry = address_space_get_iotlb_entry(&p->spaces[s->a], s->v.absolute, s->n, player_attrs(access_attrs(s->c)));
    rcu_read_unlock();
    seen->target_space = player_space_slot(p, entry.target_as);
    seen->value = entry.addr_mask;
    seen->numbers[0] = entry.iova;
    seen->numbers[1] = entry.translated_addr;
    seen->numbers[2] = entry.perm;
}

/* --- maps ---------------------------------------------------------------------------------- */

/* Whose memory a pointer is in: the region the model expects, if it can be that one. */
static void find_pointer(struct player *p, const uint8_t *pointer, const struct observation *expected)
{
    struct observation *seen = p->seen;
    ram_addr_t offset;

    if (expected->place_region != OBSERVED_NONE) {
        if (pointer == player_ram(p, (unsigned)expected->place_region) + expected->place_offset) {
            seen->place_region = expected->place_region;
            seen->place_offset = expected->place_offset;
            return;
        }
    }
    seen->place_region = player_region_slot(p, memory_region_from_host((void *)pointer, &offset));
    seen->bounced = seen->place_region == OBSERVED_NONE;
    if (!seen->bounced) {
        seen->place_offset = offset;
    }
}

static void play_map(struct player *p, const struct trace_step *s, const struct observation *expected)
{
    hwaddr length = s->w.absolute;
    uint8_t *pointer = address_space_map(&p->spaces[s->b], s->v.absolute, &length, s->n,
                                         player_attrs(access_attrs(s->c)));

    p->seen->value = length;
    if (!pointer) {
        return;
    }
    p->mappings[s->a].pointer = pointer;
    p->mappings[s->a].space = &p->spaces[s->b];
    p->mappings[s->a].length = length;
    find_pointer(p, pointer, expected);
    if (p->seen->bounced && !s->n && length <= PLAYED_MAX) {
        memcpy(observation_bytes(p->seen, (size_t)length), pointer, (size_t)length);
    }
}

static void play_unmap(struct player *p, const struct trace_step *s)
{
    uint8_t *pointer = p->mappings[s->a].pointer;
    AddressSpace *space = s->op == TRACE_OP_UNMAP_INTO ? &p->spaces[s->b] : p->mappings[s->a].space;

    if (s->n) {
        for (uint64_t i = 0; i < s->w.absolute; i++) {
            pointer[i] = access_data_byte((int64_t)s->v.absolute, i);
        }
    }
    p->mappings[s->a].pointer = NULL;
    address_space_unmap(space, pointer, p->mappings[s->a].length, s->n, s->w.absolute);
}

/* --- another thread -------------------------------------------------------------------------- */

static void play(struct player *p, const struct trace_step *s, const struct observation *expected);

struct other_thread {
    struct player *player;
    const struct trace_step *step;      /* NULL: it has been played */
    const struct observation *expected;
};

static void play_other_thread(void *opaque)
{
    struct other_thread *const other = opaque;

    if (other->step) {
        play(other->player, other->step, other->expected);
        other->step = NULL;
    }
}

/* A core that cannot tell where others come in between gets both calls in order. */
static void play_meanwhile(struct player *p, const struct trace_step *s, const struct observation *expected)
{
    struct trace_step steps[2];
    struct other_thread other = { .player = p, .step = &steps[0], .expected = expected };

    access_meanwhile(s, steps);
    if (!subject_set_meanwhile(play_other_thread, &other)) {
        play_other_thread(&other);
    }
    play(p, &steps[1], expected);
    subject_set_meanwhile(NULL, NULL);
    play_other_thread(&other);
}

/* --- caches ---------------------------------------------------------------------------------- */

static void play_cache_access(struct player *p, const struct trace_step *s)
{
    MemoryRegionCache *k = &p->caches[s->a];
    const MemTxAttrs attrs = player_attrs(access_attrs(s->c));
    struct observation *seen = p->seen;
    const size_t length = (size_t)s->w.absolute;
    uint8_t *buffer;

    rcu_read_lock();
    switch ((enum trace_op)s->op) {
    case TRACE_OP_CACHE_READ:
        buffer = before_read(length);
        seen->result = s->n == CACHE_SLOW ? address_space_read_cached_slow(k, s->v.absolute, buffer, length)
                                          : address_space_read_cached(k, s->v.absolute, buffer, length);
        after_read(p, buffer, length);
        break;
    case TRACE_OP_CACHE_WRITE:
        seen->result = (s->b == CACHE_SLOW ? address_space_write_cached_slow : address_space_write_cached)(
            k, s->v.absolute, fill(s->n, length), length);
        break;
    case TRACE_OP_CACHE_LOAD:
        seen->value = (s->b == CACHE_SLOW ? scalar_load_slow : scalar_load_cached)(k, s->v.absolute, s->n, attrs,
                                                                                   &seen->result);
        break;
    default:
        (s->b == CACHE_SLOW ? scalar_store_slow : scalar_store_cached)(k, s->v.absolute, s->n, s->w.absolute, attrs,
                                                         &seen->result);
        break;
    }
    rcu_read_unlock();
}

/* --- the steps -------------------------------------------------------------------------------- */

/* Who was signalled is seen when the step is over (R-EVM-1). */
static void collect_signals(struct player *p)
{
    for (int i = 0; p->eventfds_used && i < TRACE_NOTIFIERS; i++) {
        uint64_t count;
        struct event e;

        if (read(event_notifier_get_fd(&p->notifiers[i]), &count, sizeof(count)) == (ssize_t)sizeof(count)) {
            event_init(&e, EVENT_EVENTFD_SIGNAL);
            e.notifier = i;
            e.number = (int)count;
            player_record(p, &e);
        }
    }
}

static void play(struct player *p, const struct trace_step *s, const struct observation *expected)
{
    const uint64_t v = s->v.absolute, w = s->w.absolute;
    const MemTxAttrs attrs = player_attrs(access_attrs(s->c));

    switch ((enum trace_op)s->op) {
    case TRACE_OP_SCRIPT:
        p->devices[s->a].script.kind = (enum script_kind)s->n;
        p->devices[s->a].script.region = s->b;
        p->devices[s->a].script.space = s->c;
        p->devices[s->a].script.value = v;
        break;
    case TRACE_OP_FLUSH_ROM:
        memory_region_flush_rom_device(&p->regions[s->a].mr, v, w);
        break;
    case TRACE_OP_READ:
        play_read(p, s);
        break;
    case TRACE_OP_WRITE:
        play_write(p, s);
        break;
    case TRACE_OP_WRITE_ROM:
        p->seen->result = address_space_write_rom(&p->spaces[s->a], v, attrs, fill(s->n, (size_t)w), w);
        break;
    case TRACE_OP_SET:
        p->seen->result = address_space_set(&p->spaces[s->a], v, (uint8_t)s->n, w, attrs);
        break;
    case TRACE_OP_LOAD:
    case TRACE_OP_STORE:
        play_scalar(p, s);
        break;
    case TRACE_OP_VALID:
        p->seen->truth = address_space_access_valid(&p->spaces[s->a], v, w, s->n, attrs);
        break;
    case TRACE_OP_TRANSLATE:
        play_translate(p, s);
        break;
    case TRACE_OP_IOTLB:
        play_iotlb(p, s);
        break;
    case TRACE_OP_DISPATCH_READ:
    case TRACE_OP_DISPATCH_WRITE:
        play_dispatch(p, s);
        break;
    case TRACE_OP_MOVE:
        play_move(p, s);
        break;
    case TRACE_OP_MAP:
        play_map(p, s, expected);
        break;
    case TRACE_OP_UNMAP:
    case TRACE_OP_UNMAP_INTO:
        play_unmap(p, s);
        break;
    case TRACE_OP_MAP_CLIENT:
        cpu_register_map_client(p->clients[s->a].bottom_half);
        break;
    case TRACE_OP_MAP_CLIENT_CANCEL:
        cpu_unregister_map_client(p->clients[s->a].bottom_half);
        break;
    case TRACE_OP_MEANWHILE:
    case TRACE_OP_MAP_MEANWHILE:
        play_meanwhile(p, s, expected);
        break;
    case TRACE_OP_CACHE:
        p->seen->value = (uint64_t)address_space_cache_init(&p->caches[s->a], &p->spaces[s->b], v, w, s->n);
        break;
    case TRACE_OP_CACHE_READ:
    case TRACE_OP_CACHE_WRITE:
    case TRACE_OP_CACHE_LOAD:
    case TRACE_OP_CACHE_STORE:
        play_cache_access(p, s);
        break;
    case TRACE_OP_CACHE_INVALIDATE:
        address_space_cache_invalidate(&p->caches[s->a], v, w);
        break;
    case TRACE_OP_CACHE_DESTROY:
        address_space_cache_destroy(&p->caches[s->a]);
        address_space_cache_destroy(&p->caches[s->a]);      /* R-CCH-10: again is nothing */
        break;
    default:
        player_iommu(p, s);
        break;
    }
}

/* The runner's order of number. */
static void run_bottom_halves(struct player *p)
{
    size_t first = p->seen->events.count;
    struct event *events;

    subject_run_bottom_halves();
    events = p->seen->events.events;
    for (size_t i = first + 1; i < p->seen->events.count; i++) {
        for (size_t k = i; k > first && events[k - 1].number > events[k].number; k--) {
            struct event e = events[k];

            events[k] = events[k - 1];
            events[k - 1] = e;
        }
    }
}

void player_reserved_use(struct player *p)
{
    if (!p->reserved_used) {
        p->reserved_used = true;
        if (mprotect(p->reserved, (size_t)TRACE_PTR_SIZE_MAX, PROT_READ | PROT_WRITE)) {
            perror("harness: cannot make the memory of ram_ptr regions accessible");
            abort();
        }
    }
}

void player_access(struct player *p, const struct trace_step *s, const struct observation *expected)
{
    player_reserved_use(p);
    play(p, s, expected);
    collect_signals(p);
    run_bottom_halves(p);
}
