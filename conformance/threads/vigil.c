/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reader, one death, no chance: the reader leaves its section only when it
 * has seen that a grace period is waiting for it, or that none was waited for.
 */
#include "board.h"

#include <pthread.h>
#include <sched.h>

typedef struct {
    AddressSpace *as;
    char *seen_first;
    char *seen_last;            /* NULL: the owner was gone by then */
    bool inside;
    bool left;
    bool finalized;
    bool left_when_finalized;
    bool locked_when_finalized;
    bool owner_was_gone_inside;
} Vigil;

static void owner_ends(void *opaque)
{
    Vigil *vigil = opaque;

    vigil->locked_when_finalized = qemu_mutex_iothread_locked();
    vigil->left_when_finalized = LOAD(vigil->left);
    STORE(vigil->finalized, true);
}

/*
 * liburcu turns a page of this counter in every grace period, and after that
 * waits for those who came before.  Its own readers load it, inlined, so it is as
 * stable as any of its interface; liburcu 0.13 has no function that tells.
 */
static unsigned long grace_period(void)
{
    return LOAD(urcu_memb_gp.ctr);
}

static void *keep_vigil(void *opaque)
{
    Vigil *vigil = opaque;
    unsigned long page;
    FlatView *view;

    memcore_thread_register();
    rcu_read_lock();
    page = grace_period();
    view = address_space_to_flatview(vigil->as);
    vigil->seen_first = text_of_flatview(view);
    STORE(vigil->inside, true);

    WAIT_UNTIL(grace_period() != page || LOAD(vigil->finalized));
    vigil->owner_was_gone_inside = LOAD(vigil->finalized);
    if (!vigil->owner_was_gone_inside) {
        vigil->seen_last = text_of_flatview(view);
    }
    STORE(vigil->left, true);
    rcu_read_unlock();
    memcore_thread_unregister();
    return NULL;
}

/* Starts the reader and, once it is inside, takes away what it looks at; drains; checks. */
static void check_vigil(Vigil *vigil, void (*take_away)(void *opaque), void *opaque)
{
    pthread_t reader;

    memcore_drain();    /* no grace period but our own from here on */
    g_assert_true(pthread_create(&reader, NULL, keep_vigil, vigil) == 0);
    WAIT_UNTIL(LOAD(vigil->inside));
    take_away(opaque);
    memcore_drain();

    check(qemu_mutex_iothread_locked());
    check(vigil->finalized);
    check(vigil->left_when_finalized);
    check(vigil->locked_when_finalized);
    pthread_join(reader, NULL);
    check(!vigil->owner_was_gone_inside);
    check_text(vigil->seen_first, "doomed[0x1000,0x2000), other[0x2000,0x3000)");
    check_text(vigil->seen_last, vigil->seen_first);
    g_free(vigil->seen_first);
    g_free(vigil->seen_last);
}

typedef struct {
    MemoryRegion *system;
    MemoryRegion *doomed;
    Object *owner;
    AddressSpace *as;
} World;

static World build_world(Vigil *vigil)
{
    World world = {
        .system = stage_container("system", UINT64_MAX),
        .owner = stage_owner_watched("owner", owner_ends, vigil),
    };

    stage_add(world.system, 0x2000, stage_io("other", 0x1000));
    stage_set_owner(world.owner);
    world.doomed = stage_io("doomed", 0x1000);
    stage_set_owner(NULL);
    stage_add(world.system, 0x1000, world.doomed);
    world.as = stage_space(world.system, "as");
    vigil->as = world.as;
    return world;
}

static void remove_region(void *opaque)
{
    World *world = opaque;

    stage_owner_drop(world->owner);
    stage_del(world->system, world->doomed);
    check_view(world->as, "other[0x2000,0x3000)");
}

static void drain_waits_for_readers(void)
{
    Vigil vigil = { .as = NULL };
    World world = build_world(&vigil);

    check_vigil(&vigil, remove_region, &world);
}

/* The reader keeps the view of a space that goes altogether, with the storage that it was found in. */
static void destroy_space(void *opaque)
{
    World *world = opaque;

    stage_space_destroy(world->as);
    stage_owner_drop(world->owner);
    stage_del(world->system, world->doomed);
}

static void destruction_waits_for_readers(void)
{
    Vigil vigil = { .as = NULL };
    World world = build_world(&vigil);

    check_vigil(&vigil, destroy_space, &world);
}

/* ---- who runs it ---- */

typedef struct {
    unsigned died;
    unsigned unlocked;
} Deaths;

static void count_death(void *opaque)
{
    Deaths *deaths = opaque;

    deaths->unlocked += !qemu_mutex_iothread_locked();
    deaths->died++;
}

/* Deferred work ends owners, whose finalizers change regions: it needs what every change needs. */
static void finalizers_hold_the_big_lock(void)
{
    enum { OWNERS = 8 };
    Deaths deaths = { 0 };
    MemoryRegion *system = stage_container("system", UINT64_MAX);
    AddressSpace *as = stage_space(system, "as");

    for (unsigned i = 0; i < OWNERS; i++) {
        Object *owner = stage_owner_watched("owner", count_death, &deaths);
        MemoryRegion *mr;

        stage_set_owner(owner);
        mr = stage_io("doomed", 0x1000);
        stage_set_owner(NULL);
        stage_add(system, 0x1000, mr);
        check_view(as, "doomed[0x1000,0x2000)");
        stage_owner_drop(owner);
        stage_del(system, mr);
        check_number(deaths.died, i);
        memcore_drain();
        check_number(deaths.died, i + 1);
    }
    check_number(deaths.unlocked, 0);
}

/*
 * The last reference may be the space's own to its root, and with it goes the
 * storage of the space: a device that has its bus master space inside.
 */
static void space_inside_the_owner_of_its_root(void)
{
    Board *board = board_new(NULL, 0);

    memory_region_set_enabled(&board->window_alias, false);     /* an empty view refers to nothing */
    memcore_drain();
    check_number(memcore_object_references(OBJECT(board)), 2);
    address_space_destroy(&board->as);
    object_unref(OBJECT(board));
    check_number(LOAD(boards_alive), 1);
    memcore_drain();
    check_number(LOAD(boards_alive), 0);
    check_text(storm_first_trouble(), NULL);
}

void threads_vigil_cases(void)
{
    threads_case("/R-TX-6/drain-waits-for-readers", drain_waits_for_readers);
    threads_case("/R-TX-6/finalizers-hold-the-big-lock", finalizers_hold_the_big_lock);
    threads_case("/R-TX-9/destruction-waits-for-readers", destruction_waits_for_readers);
    threads_case("/R-TX-9/space-inside-the-owner-of-its-root", space_inside_the_owner_of_its_root);
}
