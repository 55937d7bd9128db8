/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 5: transactions (R-TX-1 to R-TX-6), and I-15; spaces.c has the rest. */
#include "world.h"

#include <string.h>

#include "qemu/main-loop.h"

/* Every transaction begin flushes (R-TX-1): the count tells who begins one. */
static unsigned flushes;

static void count_flush(void *opaque)
{
    (void)opaque;
    flushes++;
}

static void count_flushes(void)
{
    flushes = 0;
    memcore_set_coalesced_flush(count_flush, NULL);
}

#define ALL_NOPS "begin\nregion_nop a[0x1000,0x2000)\nregion_nop b[0x4000,0x5000)\ncommit\n"

/* ---- R-TX-1 ---- */

static void every_begin_flushes(void)
{
    count_flushes();
    memory_region_transaction_begin();
    check_number(flushes, 1);
    memory_region_transaction_begin();
    check_number(flushes, 2);
    memory_region_transaction_begin();
    check_number(flushes, 3);
    memory_region_transaction_commit();
    memory_region_transaction_commit();
    memory_region_transaction_commit();
    check_number(flushes, 3);
    memcore_set_coalesced_flush(NULL, NULL);
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    check_number(flushes, 3);
}

static void work_at_depth_zero_only(void)
{
    World w = world_watched(0x4000);

    memory_region_transaction_begin();
    memory_region_transaction_begin();
    memory_region_set_enabled(w.a, false);
    memory_region_transaction_commit();
    check_log(w.log, "");
    check_view(w.as, "a[0x1000,0x2000), b[0x4000,0x5000)");
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    check_log(w.log, "");
    memory_region_transaction_commit();
    check_log(w.log, "begin\nregion_del a[0x1000,0x2000)\nregion_nop b[0x4000,0x5000)\ncommit\n");
    check_view(w.as, "b[0x4000,0x5000)");
}

static void commit_without_begin(void)
{
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    memory_region_transaction_commit();
}

static void commit_without_the_lock(void)
{
    memory_region_transaction_begin();
    qemu_mutex_unlock_iothread();
    memory_region_transaction_commit();
}

/* ---- R-TX-2 ---- */

static AddressSpace *seen_spaces[3];

/* Ends the line with the listener's space, and which of the three spaces show the new state: a at 0x2000. */
static void write_states(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    (void)event;
    (void)section;
    g_string_truncate(recorder->log, recorder->log->len - 1);
    g_string_append_printf(recorder->log, " : %s :", (const char *)recorder->opaque);
    for (int i = 0; i < 3; i++) {
        char *view = text_of_flatview(address_space_to_flatview(seen_spaces[i]));

        g_string_append(recorder->log, strstr(view, "a[0x2000,0x3000)") ? " new" : " old");
        g_free(view);
    }
    g_string_append_c(recorder->log, '\n');
}

/*
 * Spaces are done one after the other: diff, publish, eventfds.  All eventfd callbacks
 * of one come before the first region callback of the next.
 */
static void order_of_a_commit(void)
{
    GString *log = stage_log();
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *roots[3];
    EventNotifier *e = stage_notifier("e");

    for (int i = 0; i < 3; i++) {
        roots[i] = stage_container("root", 0x10000);
        if (i == 0) {
            stage_add(roots[i], 0x1000, a);
        } else {
            stage_add(roots[i], 0, stage_alias("window", roots[0], 0, 0x8000));
            stage_add(roots[i], 0x8000, stage_io("other", 0x1000));
        }
    }
    for (int i = 0; i < 3; i++) {
        static char names[][2] = { "0", "1", "2" };
        Recorder *recorder;

        seen_spaces[i] = stage_space(roots[i], names[i]);
        recorder = recorder_watch(seen_spaces[i], NULL, 0, log);
        recorder->hook = write_states;
        recorder->opaque = names[i];
    }
    memory_region_add_eventfd(a, 0x10, 4, false, 0, e);
    g_string_truncate(log, 0);
    memory_region_set_address(a, 0x2000);
    check_log(log,
              "begin : 0 : old old old\n"
              "begin : 1 : old old old\n"
              "begin : 2 : old old old\n"
              "region_del a[0x1000,0x2000) : 0 : old old old\n"
              "region_add a[0x2000,0x3000) : 0 : old old old\n"
              "eventfd_del 0x1010+0x4 data 0x0 e : 0 : new old old\n"
              "eventfd_add 0x2010+0x4 data 0x0 e : 0 : new old old\n"
              "region_del a[0x1000,0x2000) : 1 : new old old\n"
              "region_add a[0x2000,0x3000) : 1 : new old old\n"
              "region_nop other[0x8000,0x9000) : 1 : new old old\n"
              "eventfd_del 0x1010+0x4 data 0x0 e : 1 : new new old\n"
              "eventfd_add 0x2010+0x4 data 0x0 e : 1 : new new old\n"
              "region_del a[0x1000,0x2000) : 2 : new new old\n"
              "region_add a[0x2000,0x3000) : 2 : new new old\n"
              "region_nop other[0x8000,0x9000) : 2 : new new old\n"
              "eventfd_del 0x1010+0x4 data 0x0 e : 2 : new new new\n"
              "eventfd_add 0x2010+0x4 data 0x0 e : 2 : new new new\n"
              "commit : 0 : new new new\n"
              "commit : 1 : new new new\n"
              "commit : 2 : new new new\n");
}

static void eventfds_alone_have_no_begin_and_commit(void)
{
    World w = world_watched(0x4000);
    EventNotifier *e = stage_notifier("e");

    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0, 4, true, 7, e);
    check_log(w.log, "");
    memory_region_transaction_commit();
    check_log(w.log, "eventfd_add 0x1000+0x4 data 0x7 match e\n");
    memory_region_del_eventfd(w.a, 0, 4, true, 7, e);
    check_log(w.log, "eventfd_del 0x1000+0x4 data 0x7 match e\n");
    /* Both flags: it is a topology commit, which includes the eventfds. */
    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0, 4, true, 7, e);
    memory_region_set_enabled(w.b, false);
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "region_del b[0x4000,0x5000)\n"
              "region_nop a[0x1000,0x2000)\n"
              "eventfd_add 0x1000+0x4 data 0x7 match e\n"
              "commit\n");
    stage_force_commit();
    check_log(w.log, "begin\nregion_nop a[0x1000,0x2000)\ncommit\n");
}

static void nothing_pending_nothing_called(void)
{
    World w = world_watched(0x4000);

    memory_region_transaction_begin();
    memory_region_transaction_commit();
    memory_region_transaction_begin();
    memory_region_set_readonly(w.a, false);
    memory_region_set_size(w.b, 0x1000);
    memory_region_transaction_commit();
    check_log(w.log, "");
}

/* The flags are cleared: what one commit did the next does not do again. */
static void pending_is_cleared(void)
{
    World w = world_watched(0x4000);

    stage_force_commit();
    check_log(w.log, ALL_NOPS);
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    check_log(w.log, "");
}

static void many_changes_one_commit(void)
{
    World w = world_watched(0x4000);

    memory_region_transaction_begin();
    memory_region_set_address(w.a, 0x8000);
    memory_region_set_readonly(w.b, true);
    memory_region_set_address(w.a, 0x2000);
    memory_region_set_size(w.a, 0x800);
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_del b[0x4000,0x5000)\n"
              "region_add a[0x2000,0x2800)\n"
              "region_add b[0x4000,0x5000) ro\n"
              "commit\n");
}

/* ---- R-TX-3 ---- */

static void pending_is_sticky(void)
{
    World w = world_watched(0x4000);

    memory_region_transaction_begin();
    memory_region_set_enabled(w.a, false);
    memory_region_set_enabled(w.a, true);
    memory_region_transaction_commit();
    check_log(w.log, ALL_NOPS);
    memory_region_transaction_begin();
    stage_del(w.root, w.b);
    stage_add(w.root, 0x4000, w.b);
    memory_region_transaction_commit();
    check_log(w.log, ALL_NOPS);
}

/* ---- R-TX-4 ---- */

#define check_wraps(call) \
    do { \
        unsigned before = flushes; \
        call; \
        check_condition_at(G_STRLOC, #call " begins a transaction", flushes > before); \
    } while (0)

#define check_wraps_not(call) \
    do { \
        unsigned before = flushes; \
        call; \
        check_condition_at(G_STRLOC, #call " begins no transaction", flushes == before); \
    } while (0)

static void calls_that_wrap_themselves(void)
{
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *a = stage_ram_migratable("a", 0x1000);
    MemoryRegion *io = stage_io("io", 0x1000);
    MemoryRegion *alias = stage_alias("alias", a, 0, 0x1000);
    EventNotifier *e = stage_notifier("e");
    AddressSpace *as = stage_space(c, "as");

    count_flushes();
    check_wraps(stage_add(c, 0, a));
    check_wraps(stage_add_overlap(c, 0x2000, io, 3));
    check_wraps(memory_region_set_address(a, 0x4000));
    check_wraps(memory_region_set_enabled(a, false));
    check_wraps(memory_region_set_enabled(a, true));
    check_wraps(memory_region_set_size(a, 0x800));
    check_wraps(memory_region_set_alias_offset(alias, 0x10));
    check_wraps(memory_region_set_readonly(a, true));
    check_wraps(memory_region_set_nonvolatile(a, true));
    check_wraps(memory_region_rom_device_set_romd(a, false));
    check_wraps(memory_region_set_log(a, true, DIRTY_MEMORY_VGA));
    check_wraps(memory_region_set_log(a, false, DIRTY_MEMORY_VGA));
    check_wraps(memory_region_add_eventfd(io, 0, 4, false, 0, e));
    check_wraps(memory_region_del_eventfd(io, 0, 4, false, 0, e));
    check_wraps(memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION));
    check_wraps_not(memory_global_dirty_log_start(GLOBAL_DIRTY_DIRTY_RATE));
    check_wraps_not(memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION));
    check_wraps(memory_global_dirty_log_stop(GLOBAL_DIRTY_DIRTY_RATE));
    check_wraps(stage_del(c, a));
    check_wraps(stage_release(alias));
    check_wraps(stage_space_destroy(as));
}

static void no_ops_begin_nothing(void)
{
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *a = stage_ram("a", 0x1000);
    MemoryRegion *alias = stage_alias("alias", a, 0x10, 0x1000);

    stage_add(c, 0x100, a);
    memory_region_set_log(a, true, DIRTY_MEMORY_VGA);
    count_flushes();
    check_wraps_not(memory_region_set_address(a, 0x100));
    check_wraps_not(memory_region_set_enabled(a, true));
    check_wraps_not(memory_region_set_size(a, 0x1000));
    check_wraps_not(memory_region_set_alias_offset(alias, 0x10));
    check_wraps_not(memory_region_set_readonly(a, false));
    check_wraps_not(memory_region_set_nonvolatile(a, false));
    check_wraps_not(memory_region_rom_device_set_romd(a, true));
    check_wraps_not(memory_region_set_log(a, true, DIRTY_MEMORY_VGA));
    check_wraps_not(memory_region_set_log(a, false, DIRTY_MEMORY_VGA));
    memory_region_set_log(a, false, DIRTY_MEMORY_VGA);
}

static void calls_without_transaction(void)
{
    MemoryRegion *io = stage_io("io", 0x1000);
    MemoryRegion *mr;
    AddressSpace *as;
    Recorder *recorder = recorder_new(NULL, 0, stage_log());

    count_flushes();
    check_wraps_not(stage_container("c", 0x1000));
    check_wraps_not(stage_io("io", 0x1000));
    check_wraps_not(mr = stage_ram("ram", 0x1000));
    check_wraps_not(stage_rom_device("romd", 0x1000));
    check_wraps_not(stage_alias("alias", mr, 0, 0x1000));
    check_wraps_not(memory_region_set_address(mr, 0x1000));
    check_wraps_not(as = stage_space(io, "as"));
    check_wraps_not(recorder_register(recorder, as));
    check_wraps_not(memory_region_add_coalescing(io, 0, 0x10));
    check_wraps_not(memory_region_set_flush_coalesced(io));
    check_wraps_not(recorder_unregister(recorder));
    /* clear_coalescing flushes itself, once (R-COAL-2): whether it began one cannot be seen here. */
    memory_region_clear_coalescing(io);
}

/* ---- R-TX-5, I-15 ---- */

static void views_are_old_getters_are_new(void)
{
    World w = world_watched(0x4000);
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);

    memory_region_transaction_begin();
    memory_region_set_size(w.a, 0x10);
    memory_region_set_nonvolatile(w.a, true);
    memory_region_set_readonly(ram, true);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    stage_add(c, 0, ram);
    stage_del(w.root, w.b);
    check_number(memory_region_size(w.a), 0x10);
    check(memory_region_is_nonvolatile(w.a));
    check(memory_region_is_rom(ram));
    check_number(memory_region_get_dirty_log_mask(ram), 1);
    check(memory_region_is_mapped(ram));
    check(!memory_region_is_mapped(w.b));
    check_view(w.as, "a[0x1000,0x2000), b[0x4000,0x5000)");
    check_find(w.root, 0x1800, 1, "a[0x1800,0x1801)@0x800");
    check_find(w.root, 0x4000, 1, "b[0x4000,0x4001)");
    check(memory_region_present(w.root, 0x4000));
    check(!memory_region_present(w.root, 0x5000));
    memory_region_transaction_commit();
    check_view(w.as, "a[0x1000,0x1010) nv");
    check(!memory_region_present(w.root, 0x4000));
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

/* Step by step through a long transaction: not one answer changes before its end. */
static void answers_are_constant_inside(void)
{
    World w = world_watched(0x4000);
    MemoryRegion *c = stage_io("c", 0x3000);

    memory_region_transaction_begin();
    for (int step = 0; step < 8; step++) {
        switch (step) {
        case 0: stage_add_overlap(w.root, 0x800, c, 5); break;
        case 1: memory_region_set_enabled(w.a, false); break;
        case 2: memory_region_set_address(w.b, 0); break;
        case 3: memory_region_set_size(w.root, 0x100); break;
        case 4: memory_region_set_readonly(w.root, true); break;
        case 5: stage_del(w.root, w.a); break;
        case 6: memory_region_set_enabled(w.root, false); break;
        case 7: memory_region_set_address(c, UINT64_MAX); break;
        }
        check_view(w.as, "a[0x1000,0x2000), b[0x4000,0x5000)");
        check_find(w.root, 0, UINT64_MAX, "a[0x1000,0x2000)");
        check_find(w.root, 0x2000, UINT64_MAX, "b[0x4000,0x5000)");
    }
    memory_region_transaction_commit();
    check_view(w.as, "");
}

static void reader_keeps_its_view(void)
{
    World w = world_watched(0x4000);

    stage_force_commit();
    memcore_drain();
    FlatView *held = address_space_to_flatview(w.as);
    rcu_read_lock();
    char *before = text_of_flatview(held);
    memory_region_set_address(w.a, 0x8000);
    stage_del(w.root, w.b);
    memory_region_set_readonly(w.a, true);
    check(address_space_to_flatview(w.as) != held);
    char *after = text_of_flatview(held);
    check_text(after, before);
    rcu_read_unlock();
    g_free(before);
    g_free(after);
}

/* ---- R-TX-6 ---- */

static void ranges_go_after_a_grace_period(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *a = stage_io("a", 0x1000);
    stage_set_owner(NULL);
    MemoryRegion *root = stage_container("root", 0x10000);

    stage_add(root, 0x1000, a);
    AddressSpace *as = stage_space(root, "as");
    memcore_drain();
    check_number(stage_owner_references(owner), 1 + 2);
    stage_del(root, a);
    check_view(as, "");
    check_number(stage_owner_references(owner), 1 + 1);
    check(memcore_deferred() > 0);
    memcore_drain();
    check_number(stage_owner_references(owner), 1);
    check_number(memcore_deferred(), 0);
}

/* A reference holds the view, and the view its regions, for any number of commits and grace periods. */
static void referenced_view_outlives_grace_periods(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *a = stage_io("a", 0x1000);
    stage_set_owner(NULL);
    MemoryRegion *root = stage_container("root", 0x10000);

    stage_add(root, 0x1000, a);
    stage_add(root, 0x4000, stage_io("b", 0x1000));
    AddressSpace *as = stage_space(root, "as");
    MemoryRegionSection found = memory_region_find(root, 0x1000, 1);
    MemoryRegionSection *copy = memory_region_section_new_copy(&found);
    memory_region_unref(found.mr);
    stage_del(root, a);
    stage_owner_drop(owner);
    for (int i = 0; i < 3; i++) {
        stage_force_commit();
        memcore_drain();
    }
    check(!stage_owner_gone(owner));
    check_number(stage_statistics().flat_views, 2);
    check_view(as, "b[0x4000,0x5000)");
    char *text = text_of_flatview(copy->fv);
    check_text(text, "a[0x1000,0x2000), b[0x4000,0x5000)");
    g_free(text);
    memory_region_section_free_copy(copy);
    memcore_drain();
    check(stage_owner_gone(owner));
    check_number(stage_statistics().flat_views, 1);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-TX-1/every-begin-flushes", every_begin_flushes);
    conformance_case("/R-TX-1/work-at-depth-zero", work_at_depth_zero_only);
    conformance_misuse("/R-TX-1/commit-without-begin", commit_without_begin, "memory_region_transaction_commit",
                       "no transaction is open*(R-TX-1)");
    conformance_misuse("/R-TX-1/commit-without-the-lock", commit_without_the_lock, "memory_region_transaction_commit",
                       "without the big lock*(R-TX-1)");
    conformance_case("/R-TX-2/order-of-a-commit", order_of_a_commit);
    conformance_case("/R-TX-2/eventfds-alone", eventfds_alone_have_no_begin_and_commit);
    conformance_case("/R-TX-2/nothing-pending", nothing_pending_nothing_called);
    conformance_case("/R-TX-2/pending-is-cleared", pending_is_cleared);
    conformance_case("/R-TX-2/many-changes-one-commit", many_changes_one_commit);
    conformance_case("/R-TX-3/sticky", pending_is_sticky);
    conformance_case("/R-TX-4/wrap-themselves", calls_that_wrap_themselves);
    conformance_case("/R-TX-4/no-ops", no_ops_begin_nothing);
    conformance_case("/R-TX-4/without-transaction", calls_without_transaction);
    conformance_case("/R-TX-5/views-are-old-getters-are-new", views_are_old_getters_are_new);
    conformance_case("/I-15/constant-inside", answers_are_constant_inside);
    conformance_case("/I-15/reader-keeps-its-view", reader_keeps_its_view);
    conformance_case("/R-TX-6/after-a-grace-period", ranges_go_after_a_grace_period);
    conformance_case("/R-TX-6/referenced-view", referenced_view_outlives_grace_periods);
    return g_test_run();
}
