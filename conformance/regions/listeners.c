/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MemoryListener, first part of chapter 6: who is called, in which order, with
 * what section; registration and its replay (R-LST-1 to R-LST-7).  What a commit
 * tells them is in listener_diffs.c, what they may do in listener_nesting.c.
 */
#include "world.h"

#include <limits.h>

/* Three listeners whose F order (P0 x y) is not the order they were registered in. */
static void watch_three(AddressSpace *as, GString *log)
{
    recorder_watch(as, "x", 10, log);
    recorder_watch(as, "P0", 0, log);
    recorder_watch(as, "y", 10, log);
}

/* A whole commit in which nothing changes (R-TREE-11): a detached region is toggled. */
static void idle_commit(void)
{
    MemoryRegion *spare = stage_io("spare", 1);

    memory_region_set_enabled(spare, false);
}

/* ---- R-LST-1: the lists ---- */

static void ascending_priority(void)
{
    World w = world_new(0x2000);

    recorder_watch(w.as, "z10", 10, w.log);
    recorder_watch(w.as, "a0", 0, w.log);
    recorder_watch(w.as, "y10", 10, w.log);
    recorder_watch(w.as, "m5", 5, w.log);
    stage_del(w.root, w.a);
    check_log(w.log,
              "begin : a0 m5 z10 y10\n"
              "region_del a[0x1000,0x2000) : y10 z10 m5 a0\n"
              "region_nop b[0x2000,0x3000) : a0 m5 z10 y10\n"
              "commit : a0 m5 z10 y10\n");
}

static void priorities_are_unsigned(void)
{
    World w = world_new(0x2000);

    recorder_watch(w.as, "max", UINT_MAX, w.log);
    recorder_watch(w.as, "half", 0x80000000, w.log);
    recorder_watch(w.as, "below", 0x7fffffff, w.log);
    recorder_watch(w.as, "zero", 0, w.log);
    stage_del(w.root, w.b);
    check_log(w.log,
              "begin : zero below half max\n"
              "region_del b[0x2000,0x3000) : max half below zero\n"
              "region_nop a[0x1000,0x2000) : zero below half max\n"
              "commit : zero below half max\n");
}

static void registering_again_goes_behind_equals(void)
{
    World w = world_new(0x2000);
    Recorder *first = recorder_watch(w.as, "first", 7, w.log);

    recorder_watch(w.as, "second", 7, w.log);
    recorder_watch(w.as, "third", 7, w.log);
    first->quiet = true;
    recorder_unregister(first);
    recorder_register(first, w.as);
    first->quiet = false;
    idle_commit();
    check_log(w.log,
              "begin : second third first\n"
              "region_nop a[0x1000,0x2000) : second third first\n"
              "region_nop b[0x2000,0x3000) : second third first\n"
              "commit : second third first\n");
}

static void one_list_for_all_spaces_and_one_each(void)
{
    World w = world_new(0x2000);
    MemoryRegion *other_root = stage_container("other root", 0x10000);
    MemoryRegion *c = stage_io("c", 0x1000);
    AddressSpace *other;

    stage_add(other_root, 0, c);
    other = stage_space(other_root, "other");
    recorder_watch(w.as, "p20", 20, w.log);
    recorder_watch(w.as, "p5", 5, w.log);
    recorder_watch(other, "q10", 10, w.log);
    recorder_watch(other, "q5", 5, w.log);
    stage_del(w.root, w.b);
    check_log(w.log,
              "begin : p5 q5 q10 p20\n"
              "region_del b[0x2000,0x3000) : p20 p5\n"
              "region_nop a[0x1000,0x2000) : p5 p20\n"
              "region_nop c[0,0x1000) : q5 q10\n"
              "commit : p5 q5 q10 p20\n");
}

/* ---- R-LST-2: directions ---- */

static void directions_of_region_callbacks(void)
{
    World w = world_new(0x2000);

    watch_three(w.as, w.log);
    memory_region_set_enabled(w.b, false);
    memory_region_set_enabled(w.b, true);
    check_log(w.log,
              "begin : P0 x y\n"
              "region_del b[0x2000,0x3000) : y x P0\n"
              "region_nop a[0x1000,0x2000) : P0 x y\n"
              "commit : P0 x y\n"
              "begin : P0 x y\n"
              "region_nop a[0x1000,0x2000) : P0 x y\n"
              "region_add b[0x2000,0x3000) : P0 x y\n"
              "commit : P0 x y\n");
}

static void directions_of_log_callbacks(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);
    GString *log = stage_log();
    AddressSpace *as;

    stage_add(root, 0x1000, ram);
    as = stage_space(root, "as");
    watch_three(as, log);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    check_log(log,
              "log_global_start : P0 x y\n"
              "begin : P0 x y\n"
              "region_nop ram[0x1000,0x2000) : P0 x y\n"
              "log_start ram[0x1000,0x2000) 0->4 : P0 x y\n"
              "commit : P0 x y\n");
    memory_global_dirty_log_sync();
    memory_global_after_dirty_log_sync();
    memory_region_clear_dirty_bitmap(ram, 0, 0x1000);
    check_log(log,
              "log_sync ram[0x1000,0x2000) : P0 x y\n"
              "log_global_after_sync : P0 x y\n"
              "log_clear ram[0x1000,0x2000) : P0 x y\n");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    check_log(log,
              "begin : P0 x y\n"
              "region_nop ram[0x1000,0x2000) : P0 x y\n"
              "log_stop ram[0x1000,0x2000) 4->0 : y x P0\n"
              "commit : P0 x y\n"
              "log_global_stop : y x P0\n");
}

static void directions_of_eventfd_callbacks(void)
{
    World w = world_new(0x2000);
    EventNotifier *e = stage_notifier("e");

    watch_three(w.as, w.log);
    memory_region_add_eventfd(w.a, 8, 4, false, 0, e);
    memory_region_del_eventfd(w.a, 8, 4, false, 0, e);
    check_log(w.log,
              "eventfd_add 0x1008+0x4 data 0x0 e : y x P0\n"
              "eventfd_del 0x1008+0x4 data 0x0 e : P0 x y\n");
}

static void directions_of_coalesced_callbacks(void)
{
    World w = world_new(0x2000);

    watch_three(w.as, w.log);
    memory_region_add_coalescing(w.a, 0x10, 0x20);
    memory_region_clear_coalescing(w.a);
    check_log(w.log,
              "coalesced_io_add 0x1010+0x20 in a[0x1000,0x2000) : P0 x y\n"
              "coalesced_io_del 0x1010+0x20 in a[0x1000,0x2000) : y x P0\n");
}

/* Everything that a listener can hear, log_sync_global excepted, at least once. */
static void make_every_event(const World *w, MemoryRegion *ram, EventNotifier *e)
{
    memory_region_add_coalescing(w->a, 0, 8);
    memory_region_add_eventfd(w->a, 0, 4, false, 0, e);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    memory_region_set_enabled(w->a, false);
    memory_global_dirty_log_sync();
    memory_region_clear_dirty_bitmap(ram, 0, 0x1000);
    memory_global_after_dirty_log_sync();
    memory_region_set_enabled(w->a, true);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    memory_region_del_eventfd(w->a, 0, 4, false, 0, e);
    memory_region_clear_coalescing(w->a);
}

/* `text` without the lines of one event. */
static char *without_event(const char *text, const char *event)
{
    char *prefix = g_strdup_printf("%s ", event);
    char **lines = g_strsplit(text, "\n", -1);
    GString *rest = g_string_new(NULL);
    bool found = false;

    for (size_t i = 0; lines[i] && *lines[i]; i++) {
        if (g_str_has_prefix(lines[i], prefix) || g_str_equal(lines[i], event)) {
            found = true;
        } else {
            g_string_append_printf(rest, "%s\n", lines[i]);
        }
    }
    check(found);
    g_strfreev(lines);
    g_free(prefix);
    return g_string_free(rest, FALSE);
}

/* One listener lacks one callback: it hears everything else, and the other listeners everything. */
static void missing_callbacks_are_skipped(void)
{
#define LISTENER_EVENTS(X) \
    X(begin) X(commit) X(region_add) X(region_del) X(region_nop) X(log_start) X(log_stop) X(log_sync) \
    X(log_clear) X(log_global_start) X(log_global_stop) X(log_global_after_sync) X(eventfd_add) \
    X(eventfd_del) X(coalesced_io_add) X(coalesced_io_del)
#define COUNT(event) + 1
    enum { EVENTS = 0 LISTENER_EVENTS(COUNT) };
    World w = world_new(0x2000);
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);
    EventNotifier *e = stage_notifier("e");
    GString *whole = stage_log();
    GString *logs[EVENTS];
    const char *names[EVENTS];
    MemoryListener *deaf = stage_storage(sizeof(*deaf));
    int n = 0;

    stage_add(w.root, 0x3000, ram);
    *deaf = (MemoryListener) { .name = "deaf", .priority = 1 };
    memory_listener_register(deaf, w.as);
#define LISTEN_WITHOUT(event) \
    { \
        Recorder *recorder = recorder_new(NULL, (unsigned)n % 3, logs[n] = stage_log()); \
        recorder->listener.event = NULL; \
        names[n++] = #event; \
        recorder_register(recorder, w.as); \
    }
    LISTENER_EVENTS(LISTEN_WITHOUT)
    recorder_register(recorder_new(NULL, 1, whole), w.as);

    g_string_truncate(whole, 0);
    for (int i = 0; i < EVENTS; i++) {
        g_string_truncate(logs[i], 0);
    }
    make_every_event(&w, ram, e);
    for (int i = 0; i < EVENTS; i++) {
        char *expected = without_event(whole->str, names[i]);
        check_log(logs[i], expected);
        g_free(expected);
    }
    memory_listener_unregister(deaf);
}

/* ---- R-LST-3: for one range all listeners, then the next range ---- */

static void range_major_delivery(void)
{
    World w = world_new(0x2000);

    watch_three(w.as, w.log);
    memory_region_transaction_begin();
    memory_region_set_readonly(w.a, true);
    memory_region_set_readonly(w.b, true);
    memory_region_transaction_commit();
    check_log(w.log,
              "begin : P0 x y\n"
              "region_del a[0x1000,0x2000) : y x P0\n"
              "region_del b[0x2000,0x3000) : y x P0\n"
              "region_add a[0x1000,0x2000) ro : P0 x y\n"
              "region_add b[0x2000,0x3000) ro : P0 x y\n"
              "commit : P0 x y\n");
}

/* ---- R-LST-4: registration ---- */

static void register_replays_the_view(void)
{
    World w = world_new(0x2000);
    MemoryRegion *screen = stage_ram("screen", 0x1000);
    MemoryRegion *rom = stage_rom("rom", 0x1000);

    stage_add(w.root, 0x8000, screen);
    stage_add(w.root, 0, rom);
    memory_region_set_log(screen, true, DIRTY_MEMORY_VGA);
    memory_region_set_nonvolatile(w.b, true);
    recorder_watch(w.as, "old", 0, w.log);
    recorder_register(recorder_new("new", 3, w.log), w.as);
    check_log(w.log,
              "begin : new\n"
              "region_add rom[0,0x1000) ro : new\n"
              "region_add a[0x1000,0x2000) : new\n"
              "region_add b[0x2000,0x3000) nv : new\n"
              "region_add screen[0x8000,0x9000) : new\n"
              "log_start screen[0x8000,0x9000) 0->1 : new\n"
              "commit : new\n");
    memory_region_set_log(screen, false, DIRTY_MEMORY_VGA);
}

/* A callback that is not there is not called; the others are. */
static void register_without_log_callbacks(void)
{
    World w = world_new(0x2000);
    MemoryRegion *screen = stage_ram("screen", 0x1000);
    Recorder *recorder = recorder_new(NULL, 0, w.log);

    stage_add(w.root, 0x8000, screen);
    memory_region_set_log(screen, true, DIRTY_MEMORY_VGA);
    recorder->listener.log_start = NULL;
    recorder->listener.log_stop = NULL;
    recorder_register(recorder, w.as);
    check_log(w.log,
              "begin\nregion_add a[0x1000,0x2000)\nregion_add b[0x2000,0x3000)\nregion_add screen[0x8000,0x9000)\n"
              "commit\n");
    recorder_unregister(recorder);
    check_log(w.log,
              "begin\nregion_del a[0x1000,0x2000)\nregion_del b[0x2000,0x3000)\nregion_del screen[0x8000,0x9000)\n"
              "commit\n");
    memory_region_set_log(screen, false, DIRTY_MEMORY_VGA);
}

static void register_during_global_logging(void)
{
    World w = world_new(0x2000);
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);
    MemoryRegion *scratch = stage_ram("scratch", 0x1000);

    stage_add(w.root, 0, ram);
    stage_add(w.root, 0x3000, scratch);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_global_dirty_log_start(GLOBAL_DIRTY_DIRTY_RATE);
    recorder_register(recorder_new(NULL, 0, w.log), w.as);
    check_log(w.log,
              "begin\n"
              "log_global_start\n"
              "region_add ram[0,0x1000)\n"
              "log_start ram[0,0x1000) 0->5\n"
              "region_add a[0x1000,0x2000)\n"
              "region_add b[0x2000,0x3000)\n"
              "region_add scratch[0x3000,0x4000)\n"
              "commit\n");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_DIRTY_RATE);
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

static void register_inside_a_transaction(void)
{
    World w = world_new(0x2000);

    memory_region_transaction_begin();
    memory_region_set_enabled(w.a, false);
    memory_region_set_address(w.b, 0x5000);
    recorder_register(recorder_new(NULL, 0, w.log), w.as);
    check_log(w.log,
              "begin\n"
              "region_add a[0x1000,0x2000)\n"
              "region_add b[0x2000,0x3000)\n"
              "commit\n");
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_del b[0x2000,0x3000)\n"
              "region_add b[0x5000,0x6000)\n"
              "commit\n");
}

static void register_on_an_empty_view(void)
{
    GString *log = stage_log();
    AddressSpace *as = stage_space(stage_container("root", 0x1000), "as");

    recorder_register(recorder_new(NULL, 0, log), as);
    check_log(log, "begin\ncommit\n");
}

/* Nothing of eventfds and coalesced ranges is replayed; their ends are heard nevertheless. */
static void register_replays_neither_eventfds_nor_coalescing(void)
{
    World w = world_new(0x2000);
    EventNotifier *e = stage_notifier("e");

    memory_region_add_eventfd(w.a, 0, 4, false, 0, e);
    memory_region_add_coalescing(w.a, 0x100, 0x100);
    recorder_register(recorder_new(NULL, 0, w.log), w.as);
    check_log(w.log,
              "begin\n"
              "region_add a[0x1000,0x2000)\n"
              "region_add b[0x2000,0x3000)\n"
              "commit\n");
    stage_del(w.root, w.a);
    check_log(w.log,
              "begin\n"
              "coalesced_io_del 0x1100+0x100 in a[0x1000,0x2000)\n"
              "region_del a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "eventfd_del 0x1000+0x4 data 0x0 e\n"
              "commit\n");
}

/* ---- R-LST-5: unregistration ---- */

static void unregister_never_registered(void)
{
    World w = world_new(0x2000);
    Recorder *r = recorder_new(NULL, 0, w.log);

    memory_listener_unregister(&r->listener);
    check_log(w.log, "");
}

static void unregister_twice(void)
{
    World w = world_new(0x2000);
    Recorder *r = recorder_watch(w.as, NULL, 0, w.log);

    memory_listener_unregister(&r->listener);
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_del b[0x2000,0x3000)\n"
              "commit\n");
    memory_listener_unregister(&r->listener);
    check_log(w.log, "");
    idle_commit();
    check_log(w.log, "");
    recorder_unregister(r);
}

static void unregister_takes_the_view_away(void)
{
    World w = world_new(0x2000);
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);
    EventNotifier *e = stage_notifier("e");
    Recorder *leaver;

    stage_add(w.root, 0, ram);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_region_add_eventfd(w.a, 0, 4, false, 0, e);
    memory_region_add_coalescing(w.a, 0x100, 0x100);
    recorder_watch(w.as, "stays", 0, w.log);
    leaver = recorder_watch(w.as, "leaver", 0, w.log);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    g_string_truncate(w.log, 0);

    recorder_unregister(leaver);
    check_log(w.log,
              "begin : leaver\n"
              "log_stop ram[0,0x1000) 5->0 : leaver\n"
              "region_del ram[0,0x1000) : leaver\n"
              "region_del a[0x1000,0x2000) : leaver\n"
              "region_del b[0x2000,0x3000) : leaver\n"
              "commit : leaver\n");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

static void unregister_inside_a_transaction(void)
{
    World w = world_new(0x2000);
    Recorder *r = recorder_watch(w.as, NULL, 0, w.log);

    memory_region_transaction_begin();
    memory_region_set_enabled(w.a, false);
    recorder_unregister(r);
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_del b[0x2000,0x3000)\n"
              "commit\n");
    memory_region_transaction_commit();
    check_log(w.log, "");
}

static void unregistered_listener_joins_another_space(void)
{
    World w = world_new(0x2000);
    AddressSpace *other = stage_space(w.b, "other");
    Recorder *r = recorder_watch(w.as, NULL, 0, w.log);

    recorder_unregister(r);
    g_string_truncate(w.log, 0);
    recorder_register(r, other);
    check_log(w.log, "begin\nregion_add b[0x2000,0x3000)\ncommit\n");
    memory_region_set_enabled(w.a, false);
    check_log(w.log, "begin\nregion_nop b[0x2000,0x3000)\ncommit\n");
}

/* ---- R-LST-6: one listener, one address space ---- */

static void register_without_a_space(void)
{
    Recorder *r = recorder_new("nobody", 0, stage_log());

    memory_listener_register(&r->listener, NULL);
}

static void remove_listeners_goes_up_the_priorities(void)
{
    World w = world_new(0x2000);
    AddressSpace *other = stage_space(w.root, "other");

    stage_del(w.root, w.b);
    recorder_watch(other, "elsewhere", 0, w.log);
    watch_three(w.as, w.log);
    address_space_remove_listeners(w.as);
    check_log(w.log,
              "begin : P0\n"
              "region_del a[0x1000,0x2000) : P0\n"
              "commit : P0\n"
              "begin : x\n"
              "region_del a[0x1000,0x2000) : x\n"
              "commit : x\n"
              "begin : y\n"
              "region_del a[0x1000,0x2000) : y\n"
              "commit : y\n");
    idle_commit();
    check_log(w.log,
              "begin : elsewhere\n"
              "region_nop a[0x1000,0x2000) : elsewhere\n"
              "commit : elsewhere\n");
    address_space_remove_listeners(w.as);
    check_log(w.log, "");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-LST-1/ascending-priority-ties-by-registration", ascending_priority);
    conformance_case("/R-LST-1/priorities-are-unsigned", priorities_are_unsigned);
    conformance_case("/R-LST-1/registering-again-goes-behind-equals", registering_again_goes_behind_equals);
    conformance_case("/R-LST-1/a-global-list-and-one-a-space", one_list_for_all_spaces_and_one_each);
    conformance_case("/R-LST-2/regions", directions_of_region_callbacks);
    conformance_case("/R-LST-2/logging", directions_of_log_callbacks);
    conformance_case("/R-LST-2/eventfds-have-the-opposite-sense", directions_of_eventfd_callbacks);
    conformance_case("/R-LST-2/coalesced", directions_of_coalesced_callbacks);
    conformance_case("/R-LST-2/missing-callbacks-are-skipped", missing_callbacks_are_skipped);
    conformance_case("/R-LST-3/range-major", range_major_delivery);
    conformance_case("/R-LST-4/replay", register_replays_the_view);
    conformance_case("/R-LST-4/without-log-callbacks", register_without_log_callbacks);
    conformance_case("/R-LST-4/replay-during-global-logging", register_during_global_logging);
    conformance_case("/R-LST-4/inside-a-transaction-the-published-view", register_inside_a_transaction);
    conformance_case("/R-LST-4/empty-view", register_on_an_empty_view);
    conformance_case("/R-LST-4/no-replay-of-eventfds-and-coalescing",
                     register_replays_neither_eventfds_nor_coalescing);
    conformance_case("/R-LST-5/never-registered", unregister_never_registered);
    conformance_case("/R-LST-5/twice", unregister_twice);
    conformance_case("/R-LST-5/takes-the-view-away-ascending", unregister_takes_the_view_away);
    conformance_case("/R-LST-5/inside-a-transaction-the-published-view", unregister_inside_a_transaction);
    conformance_case("/R-LST-5/free-for-another-space", unregistered_listener_joins_another_space);
    conformance_misuse("/R-LST-6/no-space", register_without_a_space, "memory_listener_register",
                       "'nobody': no address space given*(R-LST-6)");
    conformance_case("/R-LST-6/remove-listeners", remove_listeners_goes_up_the_priorities);
    return g_test_run();
}
