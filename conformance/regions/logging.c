/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty logging as listeners hear it (R-LOG-1 to R-LOG-5, I-19).  What the
 * dirty bits themselves do is part 3 of the specification.
 */
#include "../common/conformance.h"

enum { MIGRATION = GLOBAL_DIRTY_MIGRATION, RATE = GLOBAL_DIRTY_DIRTY_RATE };

/*
 *   0x1000 ram      migratable: bit 2 of its mask follows global tracking
 *   0x2000 screen   not migratable, its own VGA bit is set
 *   0x3000 io       never has a mask
 */
typedef struct {
    MemoryRegion *root, *ram, *screen, *io;
    AddressSpace *as;
    Recorder *recorder;
    GString *log;
} World;

static World world_new(void)
{
    World w = {
        .root = stage_container("root", UINT64_MAX),
        .ram = stage_ram_migratable("ram", 0x1000),
        .screen = stage_ram("screen", 0x1000),
        .io = stage_io("io", 0x1000),
        .log = stage_log(),
    };

    stage_add(w.root, 0x1000, w.ram);
    stage_add(w.root, 0x2000, w.screen);
    stage_add(w.root, 0x3000, w.io);
    memory_region_set_log(w.screen, true, DIRTY_MEMORY_VGA);
    w.as = stage_space(w.root, "as");
    w.recorder = recorder_watch(w.as, NULL, 0, w.log);
    return w;
}

#define CYCLE(event) \
    "begin\n" \
    "region_nop ram[0x1000,0x2000)\n" \
    event \
    "region_nop screen[0x2000,0x3000)\n" \
    "region_nop io[0x3000,0x4000)\n" \
    "commit\n"
#define STARTED "log_global_start\n" CYCLE("log_start ram[0x1000,0x2000) 0->4\n")
#define STOPPED CYCLE("log_stop ram[0x1000,0x2000) 4->0\n") "log_global_stop\n"

/* ---- R-LOG-1: start ---- */

static void start_is_heard_before_the_commit(void)
{
    World w = world_new();

    memory_global_dirty_log_start(MIGRATION);
    check_log(w.log, STARTED);
    check_number(global_dirty_tracking, MIGRATION);
    check_number(memory_region_get_dirty_log_mask(w.ram), 4);
    check_view(w.as, "ram[0x1000,0x2000) log=4, screen[0x2000,0x3000) log=1, io[0x3000,0x4000)");
    memory_global_dirty_log_stop(MIGRATION);
}

static void start_of_active_flags(void)
{
    World w = world_new();

    memory_global_dirty_log_start(RATE);
    check_log(w.log, STARTED);
    memory_global_dirty_log_start(RATE);
    check_log(w.log, "");
    check_number(global_dirty_tracking, RATE);
    memory_global_dirty_log_start(RATE | MIGRATION);
    check_log(w.log, "");
    check_number(global_dirty_tracking, RATE | MIGRATION);
    memory_global_dirty_log_stop(RATE | MIGRATION);
}

static void start_both_at_once(void)
{
    World w = world_new();

    memory_global_dirty_log_start(RATE | MIGRATION);
    check_log(w.log, STARTED);
    check_number(global_dirty_tracking, RATE | MIGRATION);
    memory_global_dirty_log_stop(RATE | MIGRATION);
    check_log(w.log, STOPPED);
}

static void start_keeps_other_bits(void)
{
    World w = world_new();

    memory_region_set_log(w.ram, true, DIRTY_MEMORY_VGA);
    g_string_truncate(w.log, 0);
    memory_global_dirty_log_start(MIGRATION);
    memory_global_dirty_log_stop(MIGRATION);
    check_log(w.log,
              "log_global_start\n" CYCLE("log_start ram[0x1000,0x2000) 1->5\n")
              CYCLE("log_stop ram[0x1000,0x2000) 5->1\n") "log_global_stop\n");
}

static void start_inside_a_transaction(void)
{
    World w = world_new();

    memory_region_transaction_begin();
    memory_global_dirty_log_start(MIGRATION);
    check_log(w.log, "log_global_start\n");
    memory_region_transaction_commit();
    check_log(w.log, CYCLE("log_start ram[0x1000,0x2000) 0->4\n"));
    memory_region_transaction_begin();
    memory_global_dirty_log_stop(MIGRATION);
    check_log(w.log, "log_global_stop\n");
    memory_region_transaction_commit();
    check_log(w.log, CYCLE("log_stop ram[0x1000,0x2000) 4->0\n"));
}

/* Forced: also where no range has anything to log. */
static void start_without_any_ram(void)
{
    GString *log = stage_log();

    recorder_watch(stage_space(stage_io("io", 0x1000), "as"), NULL, 0, log);
    memory_global_dirty_log_start(MIGRATION);
    memory_global_dirty_log_stop(MIGRATION);
    check_log(log,
              "log_global_start\nbegin\nregion_nop io[0,0x1000)\ncommit\n"
              "begin\nregion_nop io[0,0x1000)\ncommit\nlog_global_stop\n");
}

/* ---- R-LOG-2: stop while the machine runs ---- */

static void stop_is_heard_after_the_commit(void)
{
    World w = world_new();

    memory_global_dirty_log_start(MIGRATION);
    g_string_truncate(w.log, 0);
    memory_global_dirty_log_stop(MIGRATION);
    check_log(w.log, STOPPED);
    check_number(global_dirty_tracking, 0);
    check_number(memory_region_get_dirty_log_mask(w.ram), 0);
}

static void stop_of_some_flags(void)
{
    World w = world_new();

    memory_global_dirty_log_start(MIGRATION | RATE);
    g_string_truncate(w.log, 0);
    memory_global_dirty_log_stop(MIGRATION);
    check_log(w.log, "");
    check_number(global_dirty_tracking, RATE);
    memory_global_dirty_log_stop(RATE);
    check_log(w.log, STOPPED);
    check_number(global_dirty_tracking, 0);
}

static void stop_of_an_inactive_flag(void)
{
    memory_global_dirty_log_start(MIGRATION);
    memory_global_dirty_log_stop(RATE);
}

static void stop_of_an_active_and_an_inactive_flag(void)
{
    memory_global_dirty_log_start(RATE);
    memory_global_dirty_log_stop(RATE | MIGRATION);
}

/* ---- R-LOG-3: stop while the machine is paused ---- */

static void worked_example(void)
{
    World w = world_new();

    memory_global_dirty_log_start(MIGRATION | RATE);
    g_string_truncate(w.log, 0);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(MIGRATION | RATE);
    check_log(w.log, "");
    check_number(global_dirty_tracking, MIGRATION | RATE);
    memory_global_dirty_log_start(MIGRATION);
    check_log(w.log, "");
    check_number(global_dirty_tracking, MIGRATION);
    memory_global_dirty_log_stop(MIGRATION);
    check_log(w.log, "");
    check_number(global_dirty_tracking, MIGRATION);
    memcore_set_vm_running(true);
    check_log(w.log, STOPPED);
    check_number(global_dirty_tracking, 0);
}

static void postponed_stops_add_up(void)
{
    World w = world_new();

    memory_global_dirty_log_start(MIGRATION | RATE);
    g_string_truncate(w.log, 0);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(MIGRATION);
    memory_global_dirty_log_stop(RATE);
    memory_global_dirty_log_stop(RATE);
    check_log(w.log, "");
    check_number(global_dirty_tracking, MIGRATION | RATE);
    memcore_set_vm_running(true);
    check_log(w.log, STOPPED);
}

static void start_withdraws_a_postponed_stop(void)
{
    World w = world_new();

    memory_global_dirty_log_start(RATE);
    g_string_truncate(w.log, 0);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(RATE);
    memory_global_dirty_log_start(RATE);
    memcore_set_vm_running(true);
    check_log(w.log, "");
    check_number(global_dirty_tracking, RATE);
    memcore_set_vm_running(false);
    memcore_set_vm_running(true);
    check_log(w.log, "");
    memory_global_dirty_log_stop(RATE);
    check_log(w.log, STOPPED);
}

/* The rest of the postponed set ends at once, and with it tracking; then it begins anew. */
static void start_of_another_flag_stops_the_postponed_ones(void)
{
    World w = world_new();

    memory_global_dirty_log_start(RATE);
    g_string_truncate(w.log, 0);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(RATE);
    memory_global_dirty_log_start(MIGRATION);
    check_log(w.log, STOPPED STARTED);
    check_number(global_dirty_tracking, MIGRATION);
    memcore_set_vm_running(true);
    check_log(w.log, "");
    memory_global_dirty_log_stop(MIGRATION);
}

static void start_while_paused(void)
{
    World w = world_new();

    memcore_set_vm_running(false);
    memory_global_dirty_log_start(MIGRATION);
    check_log(w.log, STARTED);
    memcore_set_vm_running(true);
    check_log(w.log, "");
    memory_global_dirty_log_stop(MIGRATION);
}

/* A hook that is gone does not fire at the next resume. */
static void postponed_stop_happens_once(void)
{
    World w = world_new();

    memory_global_dirty_log_start(RATE);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(RATE);
    memcore_set_vm_running(true);
    memory_global_dirty_log_start(RATE);
    g_string_truncate(w.log, 0);
    memcore_set_vm_running(false);
    memcore_set_vm_running(true);
    check_log(w.log, "");
    check_number(global_dirty_tracking, RATE);
    memory_global_dirty_log_stop(RATE);
}

static void postponed_stop_of_an_inactive_flag(void)
{
    memory_global_dirty_log_start(MIGRATION);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(RATE);
    memcore_set_vm_running(true);
}

/* It is not checked before the machine runs: nothing happens until then. */
static void postponed_stop_is_not_checked_early(void)
{
    World w = world_new();

    memory_global_dirty_log_start(MIGRATION);
    g_string_truncate(w.log, 0);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(RATE);
    check_log(w.log, "");
    check_number(global_dirty_tracking, MIGRATION);
    memory_global_dirty_log_start(RATE);
    memcore_set_vm_running(true);
    check_log(w.log, "");
    check_number(global_dirty_tracking, MIGRATION | RATE);
    memory_global_dirty_log_stop(MIGRATION | RATE);
}

/* ---- R-LOG-4: sync ---- */

static void heard_sync_global(MemoryListener *listener)
{
    Recorder *recorder = (Recorder *)listener;

    g_string_append_printf(recorder->log, "log_sync_global : %s\n", recorder->name);
}

static void watch_globally(AddressSpace *as, const char *name, unsigned priority, GString *log)
{
    Recorder *recorder = recorder_new(name, priority, log);

    recorder->listener.log_sync = NULL;
    recorder->listener.log_clear = NULL;
    recorder->listener.log_sync_global = heard_sync_global;
    recorder->quiet = true;
    recorder_register(recorder, as);
    recorder->quiet = false;
}

/* Listener after listener, each its own space; ranges without a mask are left out. */
static void sync_asks_for_every_logged_range(void)
{
    World w = world_new();
    MemoryRegion *bus = stage_container("bus", 0x10000);
    MemoryRegion *window = stage_alias("window", w.root, 0x2000, 0x2000);
    AddressSpace *dma;

    stage_add(bus, 0x800, window);
    dma = stage_space(bus, "dma");
    recorder_watch(dma, "dma", 3, w.log);
    watch_globally(dma, "whole", 5, w.log);
    recorder_watch(w.as, "cpu", 8, w.log);
    memory_global_dirty_log_start(MIGRATION);
    g_string_truncate(w.log, 0);
    w.recorder->name = "first";
    memory_global_dirty_log_sync();
    check_log(w.log,
              "log_sync ram[0x1000,0x2000) : first\n"
              "log_sync screen[0x2000,0x3000) : first\n"
              "log_sync screen[0x800,0x1800) : dma\n"
              "log_sync_global : whole\n"
              "log_sync ram[0x1000,0x2000) : cpu\n"
              "log_sync screen[0x2000,0x3000) : cpu\n");
    memory_global_dirty_log_stop(MIGRATION);
    g_string_truncate(w.log, 0);
    memory_region_set_log(w.screen, false, DIRTY_MEMORY_VGA);
    g_string_truncate(w.log, 0);
    memory_global_dirty_log_sync();
    check_log(w.log, "log_sync_global : whole\n");
}

/* For a snapshot of one region the others are not asked for; who only knows everything is. */
static void sync_for_a_snapshot_asks_for_one_region(void)
{
    World w = world_new();

    memory_region_set_log(w.ram, true, DIRTY_MEMORY_VGA);
    watch_globally(w.as, "whole", 5, w.log);
    w.recorder->name = "first";
    w.recorder->listener.log_clear = NULL;
    g_string_truncate(w.log, 0);
    g_free(memory_region_snapshot_and_clear_dirty(w.ram, 0, 0x1000, DIRTY_MEMORY_VGA));
    check_log(w.log,
              "log_sync ram[0x1000,0x2000) : first\n"
              "log_sync_global : whole\n"
              "log_global_after_sync : first whole\n");
    memory_region_set_log(w.ram, false, DIRTY_MEMORY_VGA);
    g_string_truncate(w.log, 0);
    g_free(memory_region_snapshot_and_clear_dirty(w.ram, 0, 0x1000, DIRTY_MEMORY_VGA));
    check_log(w.log, "log_sync_global : whole\nlog_global_after_sync : first whole\n");
}

/* The mask is the range's, as rendered: a change that waits for its commit does not count yet. */
static void sync_uses_the_published_masks(void)
{
    World w = world_new();

    memory_region_transaction_begin();
    memory_region_set_log(w.screen, false, DIRTY_MEMORY_VGA);
    memory_region_set_log(w.ram, true, DIRTY_MEMORY_VGA);
    memory_global_dirty_log_sync();
    check_log(w.log, "log_sync screen[0x2000,0x3000)\n");
    memory_region_transaction_commit();
    g_string_truncate(w.log, 0);
    memory_global_dirty_log_sync();
    check_log(w.log, "log_sync ram[0x1000,0x2000)\n");
}

static void after_sync_goes_to_everybody(void)
{
    World w = world_new();
    AddressSpace *empty = stage_space(stage_container("empty", 0x1000), "empty");

    w.recorder->name = "as";
    recorder_watch(empty, "empty", 0, w.log);
    recorder_watch(w.as, "late", 7, w.log);
    memory_global_after_dirty_log_sync();
    check_log(w.log, "log_global_after_sync : as empty late\n");
}

static void both_kinds_of_sync(void)
{
    World w = world_new();
    Recorder *recorder = recorder_new("both", 0, w.log);

    recorder->listener.log_sync_global = heard_sync_global;
    memory_listener_register(&recorder->listener, w.as);
}

/* ---- R-LOG-5: clear ---- */

/*
 *  screen   |0 ......... 0x1000|
 *  cover          |0x400,0x500)      so the region is two ranges
 *  clear     0x100 ..... 0x480       ends inside the hole: only the first range is cut
 */
static void clear_cuts_the_ranges(void)
{
    World w = world_new();
    MemoryRegion *cover = stage_io("cover", 0x100);

    stage_add_overlap(w.root, 0x2400, cover, 1);
    g_string_truncate(w.log, 0);
    memory_region_clear_dirty_bitmap(w.screen, 0x100, 0x380);
    check_log(w.log, "log_clear screen[0x2100,0x2400)@0x100\n");
    memory_region_clear_dirty_bitmap(w.screen, 0x3ff, 0x102);
    check_log(w.log, "log_clear screen[0x23ff,0x2400)@0x3ff\nlog_clear screen[0x2500,0x2501)@0x500\n");
    memory_region_clear_dirty_bitmap(w.screen, 0x400, 0x100);
    check_log(w.log, "");
    memory_region_clear_dirty_bitmap(w.screen, 0, 0x1000);
    check_log(w.log, "log_clear screen[0x2000,0x2400)\nlog_clear screen[0x2500,0x3000)@0x500\n");
    memory_region_clear_dirty_bitmap(w.screen, 0x200, 0);
    check_log(w.log, "");
}

static void clear_needs_a_mask(void)
{
    World w = world_new();

    memory_region_clear_dirty_bitmap(w.ram, 0, 0x1000);
    check_log(w.log, "");
    memory_global_dirty_log_start(MIGRATION);
    g_string_truncate(w.log, 0);
    memory_region_clear_dirty_bitmap(w.ram, 0, 0x1000);
    check_log(w.log, "log_clear ram[0x1000,0x2000)\n");
    memory_global_dirty_log_stop(MIGRATION);
}

static void clear_goes_to_every_space(void)
{
    World w = world_new();
    MemoryRegion *bus = stage_container("bus", 0x10000);
    AddressSpace *dma;

    stage_add(bus, 0x800, stage_alias("upper", w.screen, 0x800, 0x800));
    stage_add(bus, 0x4000, stage_alias("lower", w.screen, 0, 0x900));
    dma = stage_space(bus, "dma");
    recorder_watch(dma, "dma", 0, w.log);
    recorder_watch(w.as, "last", 2, w.log);
    w.recorder->name = "as";
    g_string_truncate(w.log, 0);
    memory_region_clear_dirty_bitmap(w.screen, 0x880, 0x100);
    check_log(w.log,
              "log_clear screen[0x2880,0x2980)@0x880 : as\n"
              "log_clear screen[0x880,0x980)@0x880 : dma\n"
              "log_clear screen[0x4880,0x4900)@0x880 : dma\n"
              "log_clear screen[0x2880,0x2980)@0x880 : last\n");
}

/* ---- I-19: starting and stopping restores every mask ---- */

static void start_and_stop_restore_masks(void)
{
    World w = world_new();
    char *before = text_of_view(w.as);

    memory_global_dirty_log_start(MIGRATION);
    memory_global_dirty_log_start(RATE);
    memory_global_dirty_log_stop(MIGRATION);
    memory_global_dirty_log_stop(RATE);
    check_view(w.as, before);
    g_free(before);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-LOG-1/heard-before-the-commit", start_is_heard_before_the_commit);
    conformance_case("/R-LOG-1/active-flags-are-ignored", start_of_active_flags);
    conformance_case("/R-LOG-1/both-at-once", start_both_at_once);
    conformance_case("/R-LOG-1/other-bits-stay", start_keeps_other_bits);
    conformance_case("/R-LOG-1/inside-a-transaction", start_inside_a_transaction);
    conformance_case("/R-LOG-1/forced-commit", start_without_any_ram);
    conformance_case("/R-LOG-2/heard-after-the-commit", stop_is_heard_after_the_commit);
    conformance_case("/R-LOG-2/some-flags", stop_of_some_flags);
    conformance_misuse("/R-LOG-2/inactive-flag", stop_of_an_inactive_flag,
                       "memory_global_dirty_log_stop", "are not active*(R-LOG-2)");
    conformance_misuse("/R-LOG-2/active-and-inactive-flag", stop_of_an_active_and_an_inactive_flag,
                       "memory_global_dirty_log_stop", "are not active*(R-LOG-2)");
    conformance_case("/R-LOG-3/worked-example", worked_example);
    conformance_case("/R-LOG-3/postponed-stops-add-up", postponed_stops_add_up);
    conformance_case("/R-LOG-3/start-withdraws", start_withdraws_a_postponed_stop);
    conformance_case("/R-LOG-3/start-stops-the-rest", start_of_another_flag_stops_the_postponed_ones);
    conformance_case("/R-LOG-3/start-is-not-postponed", start_while_paused);
    conformance_case("/R-LOG-3/happens-once", postponed_stop_happens_once);
    conformance_misuse("/R-LOG-3/inactive-flag-on-resume", postponed_stop_of_an_inactive_flag,
                       "memory_global_dirty_log_stop", "are not active*(R-LOG-2)");
    conformance_case("/R-LOG-3/not-checked-early", postponed_stop_is_not_checked_early);
    conformance_case("/R-LOG-4/one-region-for-a-snapshot", sync_for_a_snapshot_asks_for_one_region);
    conformance_case("/R-LOG-4/every-logged-range", sync_asks_for_every_logged_range);
    conformance_case("/R-LOG-4/published-masks", sync_uses_the_published_masks);
    conformance_case("/R-LOG-4/after-sync", after_sync_goes_to_everybody);
    conformance_misuse("/R-LOG-4/both-kinds-of-sync", both_kinds_of_sync, "memory_listener_register",
                       "'both' has both log_sync and log_sync_global*(R-LOG-4)");
    conformance_case("/R-LOG-5/cuts-the-ranges", clear_cuts_the_ranges);
    conformance_case("/R-LOG-5/needs-a-mask", clear_needs_a_mask);
    conformance_case("/R-LOG-5/every-space", clear_goes_to_every_space);
    conformance_case("/I-19/regions-start-and-stop-restore-masks", start_and_stop_restore_masks);
    return g_test_run();
}
