/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers and finders, while the main thread changes everything.
 *
 *   main      | wait until all are inside | changes | step++ | drain at times | ...
 *   reader    | lock RCU, take view, look |  . . .  .  look again, unlock | ...
 *   finder    | find, copy section, look  |  . . .  .  look again, free   | ...
 *
 * Every round finds every thread inside, with a view that the round replaces: by
 * construction, not by luck.  What comes after step++ (who frees, who still
 * looks) is left to the scheduler; the changes come from a fixed seed.
 *
 * A finder has a reference to the view, and readers of the same view would live on
 * that: in every fourth round, among them those that drain, readers are alone.
 *
 * Views must be well formed, must not change while they are held, and show
 * exactly one of the twins, which swap in a transaction of their own each round
 * (R-TX-6: the old view or the new one).
 */
#include "board.h"

#include <pthread.h>
#include <sched.h>

enum {
    READERS = 3,
    FINDERS = 1,
    WATCHERS = READERS + FINDERS,
    SLOTS = 6,
    ROUNDS = 2000,
    SEED = 0x7e57,
    ROUNDS_A_SOLO = 4,
    LOOKS_MAX = 16,
    SLOT_DISTANCE = 0x3000,         /* less than a board: neighbours overlap */
    TWIN_ADDRESS = 0x100000,
};

typedef struct {
    pthread_t thread;
    GRand *random;
    unsigned inside;                /* 1 + the step at which it entered; 0: outside; atomic */
    unsigned looks;
    unsigned outlived;              /* views held until another one was published */
} Watcher;

static struct {
    MemoryRegion *system;
    AddressSpace *system_as;
    Leaf twins[2];
    Board *slots[SLOTS];            /* read under RCU */
    GRand *random;
    Watcher watchers[WATCHERS];
    unsigned step;                  /* atomic, as are the next two */
    bool draining;                  /* everyone leaves at once: the main thread may wait for readers */
    bool over;
    unsigned rounds_a_drain;
} storm;

/* ---- those who look ---- */

static bool readers_alone(unsigned step)
{
    return step % ROUNDS_A_SOLO == 0;
}

static bool time_to_leave(unsigned step)
{
    return LOAD(storm.step) != step || LOAD(storm.draining) || LOAD(storm.over);
}

/* The view is kept alive by the caller's read section or reference. */
static void hold_view(Watcher *watcher, FlatView *view, bool has_twins, unsigned step)
{
    Seen first, last;

    look(view, &first);
    if (has_twins && seen_of(&first, &storm.twins[0]) + seen_of(&first, &storm.twins[1]) != 1) {
        storm_trouble("a view shows half of a transaction");
    }
    seen_hold(&first);
    STORE(watcher->inside, step + 1);
    WAIT_UNTIL(time_to_leave(step));
    /* Lingers: the round is over, and by now somebody may be waiting to free all this. */
    for (int looks = g_rand_int_range(watcher->random, 1, LOOKS_MAX); looks > 0; looks--) {
        sched_yield();
        look(view, &last);
        if (!seen_equal(&first, &last)) {
            storm_trouble("a view changed while it was held");
        }
    }
    seen_let_go(&first);
    watcher->looks++;
}

static void read_once(Watcher *watcher)
{
    AddressSpace *as = storm.system_as;
    bool has_twins = true;
    unsigned step;
    FlatView *view;
    Board *board;

    rcu_read_lock();
    step = LOAD(storm.step);
    board = qatomic_rcu_read(&storm.slots[g_rand_int_range(watcher->random, 0, SLOTS)]);
    if (board && g_rand_boolean(watcher->random)) {
        as = &board->as;
        has_twins = board->shows_system;
    }
    view = address_space_to_flatview(as);
    hold_view(watcher, view, has_twins, step);
    watcher->outlived += address_space_to_flatview(as) != view;
    STORE(watcher->inside, 0);
    rcu_read_unlock();
}

static void *read_views(void *opaque)
{
    Watcher *watcher = opaque;

    memcore_thread_register();
    while (!LOAD(storm.over)) {
        read_once(watcher);
    }
    memcore_thread_unregister();
    return NULL;
}

/* Outside of RCU: the copy of the section keeps owner and view alive (R-OBJ-6). */
static void find_once(Watcher *watcher)
{
    hwaddr addr = g_rand_int_range(watcher->random, 0, SLOTS * SLOT_DISTANCE);
    MemoryRegionSection section;
    MemoryRegionSection *copy;
    unsigned step;

    qemu_mutex_lock_iothread();
    step = LOAD(storm.step);
    if (readers_alone(step)) {
        qemu_mutex_unlock_iothread();
        sched_yield();
        return;
    }
    section = memory_region_find(storm.system, addr, 0x100);
    if (!section.mr) {
        section = memory_region_find(storm.system, TWIN_ADDRESS, 1);
    }
    copy = memory_region_section_new_copy(&section);
    memory_region_unref(section.mr);
    qemu_mutex_unlock_iothread();

    hold_view(watcher, copy->fv, true, step);
    watcher->outlived += LOAD(storm.step) != step;

    qemu_mutex_lock_iothread();
    memory_region_section_free_copy(copy);      /* may be the end of the region's owner */
    qemu_mutex_unlock_iothread();
    STORE(watcher->inside, 0);
}

static void *find_sections(void *opaque)
{
    Watcher *watcher = opaque;

    memcore_thread_register();
    while (!LOAD(storm.over)) {
        find_once(watcher);
    }
    memcore_thread_unregister();
    return NULL;
}

/* ---- the one who changes ---- */

static void lock(void)
{
    qemu_mutex_lock_iothread();
    STORE(main_holds_the_lock, true);
}

static void unlock(void)
{
    STORE(main_holds_the_lock, false);
    qemu_mutex_unlock_iothread();
}

/* In background mode the drain drops the lock. */
static void drain(void)
{
    STORE(storm.draining, true);
    STORE(main_holds_the_lock, false);
    memcore_drain();
    STORE(main_holds_the_lock, true);
    STORE(storm.draining, false);
}

static int chance(int below)
{
    return g_rand_int_range(storm.random, 0, below);
}

static hwaddr slot_address(unsigned slot)
{
    return (hwaddr)slot * SLOT_DISTANCE + (hwaddr)chance(4) * 0x400;
}

static void plug(unsigned slot)
{
    static uint8_t tag;
    Board *board = board_new(chance(2) ? storm.system : NULL, ++tag);

    memory_region_add_subregion_overlap(storm.system, slot_address(slot), &board->bar, chance(3) - 1);
    board->plugged = true;
    qatomic_rcu_set(&storm.slots[slot], board);
}

/* After this only views, readers' sections and copies keep the board. */
static void unplug(unsigned slot)
{
    Board *board = storm.slots[slot];

    qatomic_rcu_set(&storm.slots[slot], NULL);
    board->plugged = false;
    if (chance(2)) {
        address_space_destroy(&board->as);
        memory_region_del_subregion(storm.system, &board->bar);
    } else {
        memory_region_del_subregion(storm.system, &board->bar);
        address_space_destroy(&board->as);
    }
    object_unref(OBJECT(board));
}

static void disturb(unsigned slot)
{
    Board *board = storm.slots[slot];
    MemoryRegion *leaf = &board->leaves[chance(BOARD_LEAVES)].mr;

    switch (chance(6)) {
    case 0:
        memory_region_set_enabled(&board->bar, chance(3) > 0);
        break;
    case 1:
        memory_region_set_address(&board->bar, slot_address(slot));
        break;
    case 2:
        memory_region_set_enabled(leaf, chance(2));
        break;
    case 3:
        memory_region_set_size(leaf, 0x400 + (uint64_t)chance(4) * 0x400);
        break;
    case 4:
        memory_region_set_address(leaf, (hwaddr)chance(BOARD_SIZE / 0x400) * 0x400);
        break;
    default:
        memory_region_del_subregion(storm.system, &board->bar);
        memory_region_add_subregion_overlap(storm.system, slot_address(slot), &board->bar, chance(3) - 1);
        break;
    }
}

static void swap_twins(void)
{
    unsigned shown = LOAD(storm.step) % 2;

    memory_region_transaction_begin();
    memory_region_set_enabled(&storm.twins[shown].mr, false);
    memory_region_set_enabled(&storm.twins[!shown].mr, true);
    memory_region_transaction_commit();
}

static void change_something(void)
{
    unsigned slot = (unsigned)chance(SLOTS);

    if (!storm.slots[slot]) {
        plug(slot);
    } else if (chance(3) == 0) {
        unplug(slot);
    } else {
        disturb(slot);
    }
}

/* What is watched at this moment, and goes with the drain at the end of the round if nothing stops it. */
static void end_someone(void)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (storm.slots[slot]) {
            unplug(slot);
            return;
        }
    }
}

static void play_round(void)
{
    const unsigned step = LOAD(storm.step);
    const bool together = chance(3) == 0;
    const bool drains = step % storm.rounds_a_drain == 0;

    unlock();
    for (unsigned i = 0; i < WATCHERS; i++) {
        const bool wanted = i < READERS || !readers_alone(step);

        WAIT_UNTIL(LOAD(storm.watchers[i].inside) == (wanted ? step + 1 : 0));
    }
    lock();
    if (together) {
        memory_region_transaction_begin();
    }
    for (int changes = chance(3); changes >= 0; changes--) {
        change_something();
    }
    if (drains) {
        end_someone();
    }
    if (together) {
        memory_region_transaction_commit();
    }
    swap_twins();
    ADD(storm.step, 1);
    if (drains) {
        drain();
    }
}

static void start_watchers(void)
{
    for (unsigned i = 0; i < WATCHERS; i++) {
        Watcher *watcher = &storm.watchers[i];

        watcher->random = g_rand_new_with_seed(SEED + 1 + i);
        g_assert_true(pthread_create(&watcher->thread, NULL, i < READERS ? read_views : find_sections,
                                     watcher) == 0);
    }
}

/* They must have been there: a storm that nobody watches finds nothing. */
static void end_watchers(void)
{
    STORE(storm.over, true);
    unlock();
    for (unsigned i = 0; i < WATCHERS; i++) {
        pthread_join(storm.watchers[i].thread, NULL);
        g_rand_free(storm.watchers[i].random);
    }
    lock();
    for (unsigned i = 0; i < WATCHERS && !storm_first_trouble(); i++) {
        check(storm.watchers[i].looks >= ROUNDS / 2);
        check(storm.watchers[i].outlived >= ROUNDS / 2);
    }
}

static void readers_in_the_storm(void)
{
    storm.step = 1;     /* the first drain comes when there is something to free */
    storm.random = g_rand_new_with_seed(SEED);
    storm.system = stage_container("system", UINT64_MAX);
    for (unsigned i = 0; i < 2; i++) {
        leaf_init(&storm.twins[i], i ? "heads" : "tails", 0x1000);
        memory_region_set_enabled(&storm.twins[i].mr, i == 1);
        memory_region_add_subregion_overlap(storm.system, TWIN_ADDRESS, &storm.twins[i].mr, 1);
    }
    storm.system_as = stage_space(storm.system, "system");
    STORE(main_holds_the_lock, true);
    start_watchers();
    for (unsigned i = 0; i < ROUNDS && !storm_first_trouble(); i++) {
        play_round();
    }
    end_watchers();

    check_text(storm_first_trouble(), NULL);
    for (unsigned i = 0; i < SLOTS; i++) {
        if (storm.slots[i]) {
            unplug(i);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        memory_region_del_subregion(storm.system, &storm.twins[i].mr);
    }
    drain();
    check_number(LOAD(boards_alive), 0);
    for (unsigned i = 0; i < 2; i++) {
        object_unparent(OBJECT(&storm.twins[i].mr));
    }
    g_rand_free(storm.random);
    STORE(main_holds_the_lock, false);  /* what the stage drops it drops under the lock, but unannounced */
}

void threads_storm_cases(unsigned rounds_a_drain)
{
    g_assert_true(rounds_a_drain % ROUNDS_A_SOLO == 0);
    storm.rounds_a_drain = rounds_a_drain;
    threads_case("/R-TX-6/readers-in-the-storm", readers_in_the_storm);
}
