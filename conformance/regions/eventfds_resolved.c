/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioeventfds: where in a space they are, and what its listeners are told (R-EFD-4 to 7, I-17).
 * What a write matches is in part 2 of the specification.
 */
#include "eventfd_world.h"

/* ---- R-EFD-4: resolution ---- */

static void moving_up_and_down(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_set_address(w.a, 0x2000);
    memory_region_add_eventfd(w.a, 0, 4, false, 0, w.e0);
    stage_del(w.root, w.b);
    g_string_truncate(w.log, 0);
    memory_region_set_address(w.a, 0x3000);
    check_log(w.log,
              "begin\n"
              "region_del a[0x2000,0x3000)\n"
              "region_add a[0x3000,0x4000)\n"
              "eventfd_del 0x2000+0x4 data 0x0 e0\n"
              "eventfd_add 0x3000+0x4 data 0x0 e0\n"
              "commit\n");
    memory_region_set_address(w.a, 0x2000);
    check_log(w.log,
              "begin\n"
              "region_del a[0x3000,0x4000)\n"
              "region_add a[0x2000,0x3000)\n"
              "eventfd_add 0x2000+0x4 data 0x0 e0\n"
              "eventfd_del 0x3000+0x4 data 0x0 e0\n"
              "commit\n");
}

static void dels_and_adds_interleave(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_add_eventfd(w.a, 0x10, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x14, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.b, 0x10, 4, false, 0, w.e0);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_del_eventfd(w.b, 0x10, 4, false, 0, w.e0);
    memory_region_del_eventfd(w.a, 0x10, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.b, 0x18, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x18, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x10, 4, true, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x8, 4, false, 0, w.e0);
    memory_region_transaction_commit();
    check_log(w.log,
              "eventfd_add 0x1008+0x4 data 0x0 e0\n"
              "eventfd_del 0x1010+0x4 data 0x0 e0\n"
              "eventfd_add 0x1010+0x4 data 0x0 match e0\n"
              "eventfd_add 0x1018+0x4 data 0x0 e0\n"
              "eventfd_del 0x4010+0x4 data 0x0 e0\n"
              "eventfd_add 0x4018+0x4 data 0x0 e0\n");
}

/* The last byte still counts, the first one behind the region does not; what is reported is never cut. */
static void entries_at_the_end_of_a_range(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0xffe, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0xfff, 1, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0xfff, 0, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x1000, 1, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x1000, 0, false, 0, w.e0);
    memory_region_transaction_commit();
    check_log(w.log,
              "eventfd_add 0x1ffe+0x4 data 0x0 e0\n"
              "eventfd_add 0x1fff+0 data 0x0 e0\n"
              "eventfd_add 0x1fff+0x1 data 0x0 e0\n");
}

/*
 *  a      |00 01 02 03 04 05 06 07 ...
 *  cover  |00 01 02 03|
 *  8@0     ^--------------------^      reaches into the visible part
 *  4@0     ^--------^                  does not
 */
static void entries_at_the_start_of_a_range(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *cover = stage_io("cover", 4);

    stage_add_overlap(w.root, 0x1000, cover, 1);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0, 8, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0, 0, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 3, 0, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 3, 1, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 3, 2, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 0, false, 0, w.e0);
    memory_region_transaction_commit();
    check_log(w.log,
              "eventfd_add 0x1000+0x8 data 0x0 e0\n"
              "eventfd_add 0x1003+0x2 data 0x0 e0\n"
              "eventfd_add 0x1004+0 data 0x0 e0\n");
}

static void through_aliases(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *window = stage_alias("window", w.a, 0x800, 0x100);

    stage_add(w.root, 0x9000, window);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(w.a, 0x810, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x910, 4, false, 0, w.e1);
    check_log(w.log,
              "eventfd_add 0x1810+0x4 data 0x0 e0\n"
              "eventfd_add 0x9010+0x4 data 0x0 e0\n"
              "eventfd_add 0x1910+0x4 data 0x0 e1\n");
    memory_region_set_alias_offset(window, 0x900);
    check_log(w.log,
              "begin\n"
              "region_del a[0x9000,0x9100)@0x800\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x4000,0x5000)\n"
              "region_add a[0x9000,0x9100)@0x900\n"
              "eventfd_del 0x9010+0x4 data 0x0 e0\n"
              "eventfd_add 0x9010+0x4 data 0x0 e1\n"
              "commit\n");
}

static void every_space_in_its_turn(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *bus = stage_container("bus", 0x10000);

    stage_add(bus, 0x100, stage_alias("window", w.root, 0, 0x8000));
    w.recorder->name = "cpu";
    recorder_watch(stage_space(bus, "dma"), "dma", 0, w.log);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(w.b, 0, 4, false, 0, w.e0);
    check_log(w.log,
              "eventfd_add 0x4000+0x4 data 0x0 e0 : cpu\n"
              "eventfd_add 0x4100+0x4 data 0x0 e0 : dma\n");
}

/* The resolved list is kept up without listeners: a later one hears of what goes, not of what was. */
static void resolved_without_listeners(void)
{
    EventfdWorld w = eventfd_world_new();

    recorder_unregister(w.recorder);
    memory_region_add_eventfd(w.a, 0, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, false, 0, w.e0);
    recorder_register(w.recorder, w.as);
    g_string_truncate(w.log, 0);
    idle_commit();
    check_log(w.log, IDLE);
    memory_region_del_eventfd(w.a, 4, 4, false, 0, w.e0);
    check_log(w.log, "eventfd_del 0x1004+0x4 data 0x0 e0\n");
}

/* ---- R-EFD-5: an entry that straddles a hole ---- */

/*
 *  a       ... 0f 10 11 12 13 14 ...
 *  hole             11                 so a is two ranges, and 4@0x10 touches both
 */
static void straddling_a_hole_is_reported_once(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *hole = stage_io("hole", 1);

    stage_add_overlap(w.root, 0x1011, hole, 1);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(w.a, 0x10, 4, false, 0, w.e0);
    check_log(w.log, "eventfd_add 0x1010+0x4 data 0x0 e0\n");
    memory_region_set_enabled(hole, false);
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x1011)\n"
              "region_del hole[0x1011,0x1012)\n"
              "region_del a[0x1012,0x2000)@0x12\n"
              "region_add a[0x1000,0x2000)\n"
              "region_nop b[0x4000,0x5000)\n"
              "commit\n");
    memory_region_set_enabled(hole, true);
    g_string_truncate(w.log, 0);
    memory_region_del_eventfd(w.a, 0x10, 4, false, 0, w.e0);
    check_log(w.log, "eventfd_del 0x1010+0x4 data 0x0 e0\n");
}

static void straddling_duplicates_are_reported_each(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *hole = stage_io("hole", 1);

    stage_add_overlap(w.root, 0x1011, hole, 1);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(w.a, 0x10, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x10, 4, false, 0, w.e0);
    check_log(w.log, "eventfd_add 0x1010+0x4 data 0x0 e0\neventfd_add 0x1010+0x4 data 0x0 e0\n");
}

/* Three pieces, and an entry that touches the outer two and the middle one. */
static void straddling_two_holes(void)
{
    EventfdWorld w = eventfd_world_new();

    stage_add_overlap(w.root, 0x1011, stage_io("h1", 1), 1);
    stage_add_overlap(w.root, 0x1015, stage_io("h2", 1), 1);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0x10, 8, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x12, 2, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0x14, 2, false, 0, w.e0);
    memory_region_transaction_commit();
    check_log(w.log,
              "eventfd_add 0x1010+0x8 data 0x0 e0\n"
              "eventfd_add 0x1012+0x2 data 0x0 e0\n"
              "eventfd_add 0x1014+0x2 data 0x0 e0\n");
    idle_commit();
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(w.b, 0, 2, false, 0, w.e0);
    check_log(w.log, "eventfd_add 0x4000+0x2 data 0x0 e0\n");
}

/*
 * What lies below is another mapping of the same region, not another piece of this one:
 *
 *   address   100 101 | 102 103 104 ...
 *   shows mr    0   1 |  12  13  14         4@0x10 starts at 0x100 of the right one
 */
static void another_mapping_below_is_no_piece(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *mr = stage_io("mr", 0x100);

    stage_add(w.root, 0x100, stage_alias("left", mr, 0, 2));
    stage_add(w.root, 0x102, stage_alias("right", mr, 0x12, 0x20));
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(mr, 0x10, 4, false, 0, w.e0);
    check_log(w.log, "eventfd_add 0x100+0x4 data 0x0 e0\n");
}

/*
 * The later range has the entry that starts earlier:
 *
 *  a   ..... 1ff8 ...... 1ffe 1fff|          4@0xffe starts at 0x1ffe
 *  c         |1ff8 .. 1ffc ....... 2000 ...  below a up to 0x2000; 8@4 starts at 0x1ffc
 */
static void resolved_list_is_sorted(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *c = stage_io("c", 0x100);

    stage_add_overlap(w.root, 0x1ff8, c, -1);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0xffe, 4, false, 0, w.e0);
    memory_region_add_eventfd(c, 4, 8, false, 0, w.e0);
    memory_region_transaction_commit();
    check_log(w.log,
              "eventfd_add 0x1ffc+0x8 data 0x0 e0\n"
              "eventfd_add 0x1ffe+0x4 data 0x0 e0\n");
    memory_region_add_eventfd(w.b, 0, 4, false, 0, w.e0);
    check_log(w.log, "eventfd_add 0x4000+0x4 data 0x0 e0\n");
    memory_region_del_eventfd(c, 4, 8, false, 0, w.e0);
    check_log(w.log, "eventfd_del 0x1ffc+0x8 data 0x0 e0\n");
}

/* ---- R-EFD-6: an entry that would start below address 0 ---- */

static void negative_start_is_dropped(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *mr = stage_io("mr", 0x100);
    MemoryRegion *alias = stage_alias("alias", mr, 2, 0x80);
    EventNotifier *e = stage_notifier("e");
    GString *log = stage_log();

    stage_add(root, 0, alias);
    recorder_watch(stage_space(root, "as"), NULL, 0, log);
    memory_region_add_eventfd(mr, 1, 4, false, 0, e);
    check_log(log, "");
    memory_region_add_eventfd(mr, 2, 4, false, 0, e);
    check_log(log, "eventfd_add 0+0x4 data 0x0 e\n");
    memory_region_set_address(alias, 1);
    check_log(log,
              "begin\n"
              "region_del mr[0,0x80)@0x2\n"
              "region_add mr[0x1,0x81)@0x2\n"
              "eventfd_add 0x1+0x4 data 0x0 e\n"      /* e at 0 is now the entry at 1: the same as before */
              "commit\n");
}

/* ---- R-EFD-7: aliases, disabled regions ---- */

static void entries_of_an_alias_region(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *window = stage_alias("window", w.a, 0, 0x1000);

    stage_add(w.root, 0x9000, window);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(window, 0, 4, false, 0, w.e0);
    check_log(w.log, "");
    memory_region_del_eventfd(window, 0, 4, false, 0, w.e0);
    check_log(w.log, "");
}

static void entries_of_a_disabled_region(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_set_enabled(w.a, false);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(w.a, 0, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, false, 0, w.e0);
    memory_region_del_eventfd(w.a, 4, 4, false, 0, w.e0);
    check_log(w.log, "");
    memory_region_set_enabled(w.a, true);
    check_log(w.log,
              "begin\n"
              "region_add a[0x1000,0x2000)\n"
              "region_nop b[0x4000,0x5000)\n"
              "eventfd_add 0x1000+0x4 data 0x0 e0\n"
              "commit\n");
}

/* A flag that a disabled region did not set is not set by its container either: nothing is re-resolved. */
static void entries_of_an_invisible_region(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *loose = stage_io("loose", 0x1000);

    memory_region_add_eventfd(loose, 0, 4, false, 0, w.e0);
    check_log(w.log, "");
    stage_add(w.root, 0x8000, loose);
    check_log(w.log,
              "begin\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x4000,0x5000)\n"
              "region_add loose[0x8000,0x9000)\n"
              "eventfd_add 0x8000+0x4 data 0x0 e0\n"
              "commit\n");
    stage_del(w.root, loose);
    check_log(w.log,
              "begin\n"
              "region_del loose[0x8000,0x9000)\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x4000,0x5000)\n"
              "eventfd_del 0x8000+0x4 data 0x0 e0\n"
              "commit\n");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-EFD-4/moving-up-and-down", moving_up_and_down);
    conformance_case("/R-EFD-4/dels-and-adds-interleave", dels_and_adds_interleave);
    conformance_case("/R-EFD-4/end-of-a-range", entries_at_the_end_of_a_range);
    conformance_case("/R-EFD-4/start-of-a-range", entries_at_the_start_of_a_range);
    conformance_case("/R-EFD-4/through-aliases", through_aliases);
    conformance_case("/R-EFD-4/every-space", every_space_in_its_turn);
    conformance_case("/R-EFD-4/without-listeners", resolved_without_listeners);
    conformance_case("/R-EFD-5/straddling-a-hole", straddling_a_hole_is_reported_once);
    conformance_case("/R-EFD-5/straddling-duplicates", straddling_duplicates_are_reported_each);
    conformance_case("/R-EFD-5/straddling-two-holes", straddling_two_holes);
    conformance_case("/R-EFD-5/another-mapping-below", another_mapping_below_is_no_piece);
    conformance_case("/R-EFD-5/resolved-list-is-sorted", resolved_list_is_sorted);
    conformance_case("/R-EFD-6/negative-start", negative_start_is_dropped);
    conformance_case("/R-EFD-7/alias", entries_of_an_alias_region);
    conformance_case("/R-EFD-7/disabled", entries_of_a_disabled_region);
    conformance_case("/R-EFD-7/detached", entries_of_an_invisible_region);
    return g_test_run();
}
