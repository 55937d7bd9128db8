/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coalesced MMIO: ranges, notifications, flushes of the accelerator's buffer
 * (R-COAL-1 to R-COAL-6, I-18).  The flush before accesses is R-EVM-10, in
 * part 2 of the specification.
 */
#include "../common/conformance.h"

/* One space with one listener, and mr at [0x1000,0x2000). */
typedef struct {
    MemoryRegion *root, *mr;
    AddressSpace *as;
    Recorder *recorder;
    GString *log;
} World;

static void write_flush(void *opaque)
{
    g_string_append(opaque, "flush\n");
}

static World world_new(void)
{
    World w = {
        .root = stage_container("root", UINT64_MAX),
        .mr = stage_io("mr", 0x1000),
        .log = stage_log(),
    };

    stage_add(w.root, 0x1000, w.mr);
    w.as = stage_space(w.root, "as");
    w.recorder = recorder_watch(w.as, NULL, 0, w.log);
    return w;
}

/* ---- R-COAL-1: adding ---- */

static void add_notifies_at_once(void)
{
    World w = world_new();
    FlatView *view = address_space_to_flatview(w.as);

    memory_region_add_coalescing(w.mr, 0x100, 0x10);
    check_log(w.log, "coalesced_io_add 0x1100+0x10 in mr[0x1000,0x2000)\n");
    memory_region_add_coalescing(w.mr, 0, 1);
    check_log(w.log, "coalesced_io_add 0x1000+0x1 in mr[0x1000,0x2000)\n");
    check_pointer(address_space_to_flatview(w.as), view);
}

/* Not even inside a transaction is there a wait; and the view that counts is the published one. */
static void add_works_on_the_published_view(void)
{
    World w = world_new();

    memory_region_transaction_begin();
    memory_region_set_address(w.mr, 0x8000);
    memory_region_add_coalescing(w.mr, 0x100, 0x10);
    check_log(w.log, "coalesced_io_add 0x1100+0x10 in mr[0x1000,0x2000)\n");
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "coalesced_io_del 0x1100+0x10 in mr[0x1000,0x2000)\n"
              "region_del mr[0x1000,0x2000)\n"
              "region_add mr[0x8000,0x9000)\n"
              "coalesced_io_add 0x8100+0x10 in mr[0x8000,0x9000)\n"
              "commit\n");
}

static void ranges_append(void)
{
    World w = world_new();

    memory_region_add_coalescing(w.mr, 0x80, 0x10);
    memory_region_add_coalescing(w.mr, 0x20, 0x10);
    memory_region_add_coalescing(w.mr, 0x80, 0x10);
    memory_region_add_coalescing(w.mr, 0x88, 0x10);
    g_string_truncate(w.log, 0);
    memory_region_clear_coalescing(w.mr);
    check_log(w.log,
              "coalesced_io_del 0x1080+0x10 in mr[0x1000,0x2000)\n"
              "coalesced_io_del 0x1020+0x10 in mr[0x1000,0x2000)\n"
              "coalesced_io_del 0x1080+0x10 in mr[0x1000,0x2000)\n"
              "coalesced_io_del 0x1088+0x10 in mr[0x1000,0x2000)\n");
}

static void set_replaces_all_ranges(void)
{
    World w = world_new();

    memory_region_set_coalescing(w.mr);
    check_log(w.log, "coalesced_io_add 0x1000+0x1000 in mr[0x1000,0x2000)\n");
    memory_region_add_coalescing(w.mr, 4, 4);
    memory_region_set_coalescing(w.mr);
    check_log(w.log,
              "coalesced_io_add 0x1004+0x4 in mr[0x1000,0x2000)\n"
              "coalesced_io_del 0x1000+0x1000 in mr[0x1000,0x2000)\n"
              "coalesced_io_del 0x1004+0x4 in mr[0x1000,0x2000)\n"
              "coalesced_io_add 0x1000+0x1000 in mr[0x1000,0x2000)\n");
}

/* ---- R-COAL-2 and R-COAL-3: clearing and flushing ---- */

static void clear_without_ranges(void)
{
    World w = world_new();

    memcore_set_coalesced_flush(write_flush, w.log);
    memory_region_clear_coalescing(w.mr);
    check_log(w.log, "");
    memory_region_set_flush_coalesced(w.mr);
    memory_region_clear_coalescing(w.mr);
    check_log(w.log, "");
}

static void clear_flushes_first(void)
{
    World w = world_new();

    memory_region_add_coalescing(w.mr, 0, 0x10);
    memory_region_add_coalescing(w.mr, 0x20, 0x10);
    g_string_truncate(w.log, 0);
    memcore_set_coalesced_flush(write_flush, w.log);
    memory_region_clear_coalescing(w.mr);
    check_log(w.log,
              "flush\n"
              "coalesced_io_del 0x1000+0x10 in mr[0x1000,0x2000)\n"
              "coalesced_io_del 0x1020+0x10 in mr[0x1000,0x2000)\n");
    memory_region_clear_coalescing(w.mr);
    check_log(w.log, "");
}

static void the_flag_alone_flushes_nothing(void)
{
    World w = world_new();

    memcore_set_coalesced_flush(write_flush, w.log);
    memory_region_set_flush_coalesced(w.mr);
    check_log(w.log, "");
    memory_region_clear_flush_coalesced(w.mr);
    check_log(w.log, "flush\n");
    memory_region_clear_flush_coalesced(w.mr);
    check_log(w.log, "flush\n");
}

static void clear_flush_keeps_the_ranges(void)
{
    World w = world_new();

    memory_region_add_coalescing(w.mr, 0, 0x10);
    g_string_truncate(w.log, 0);
    memcore_set_coalesced_flush(write_flush, w.log);
    memory_region_clear_flush_coalesced(w.mr);
    check_log(w.log, "flush\n");
    memory_region_clear_coalescing(w.mr);
    check_log(w.log, "flush\ncoalesced_io_del 0x1000+0x10 in mr[0x1000,0x2000)\n");
}

static void adding_flushes_nothing(void)
{
    World w = world_new();

    memcore_set_coalesced_flush(write_flush, w.log);
    memory_region_add_coalescing(w.mr, 0, 0x10);
    check_log(w.log, "coalesced_io_add 0x1000+0x10 in mr[0x1000,0x2000)\n");
    memory_region_set_coalescing(w.mr);
    check_log(w.log,
              "flush\n"
              "coalesced_io_del 0x1000+0x10 in mr[0x1000,0x2000)\n"
              "coalesced_io_add 0x1000+0x1000 in mr[0x1000,0x2000)\n");
}

/* Every begin flushes, at every depth, before anything else; commit and no-op setters do not. */
static void transaction_begin_flushes(void)
{
    World w = world_new();

    memcore_set_coalesced_flush(write_flush, w.log);
    memory_region_transaction_begin();
    check_log(w.log, "flush\n");
    memory_region_transaction_begin();
    check_log(w.log, "flush\n");
    memory_region_set_enabled(w.mr, false);
    check_log(w.log, "flush\n");
    memory_region_set_enabled(w.mr, false);
    check_log(w.log, "");
    memory_region_transaction_commit();
    memory_region_transaction_commit();
    check_log(w.log, "begin\nregion_del mr[0x1000,0x2000)\ncommit\n");
    memory_region_set_enabled(w.mr, true);
    check_log(w.log, "flush\nbegin\nregion_add mr[0x1000,0x2000)\ncommit\n");
    memcore_set_coalesced_flush(NULL, NULL);
    memory_region_set_enabled(w.mr, false);
    check_log(w.log, "begin\nregion_del mr[0x1000,0x2000)\ncommit\n");
}

/* ---- R-COAL-4: what is notified ---- */

static void worked_example(void)
{
    World w = world_new();
    MemoryRegion *hole = stage_io("hole", 0x100);

    stage_add_overlap(w.root, 0x1400, hole, 1);
    g_string_truncate(w.log, 0);
    memory_region_set_coalescing(w.mr);
    check_log(w.log,
              "coalesced_io_add 0x1000+0x400 in mr[0x1000,0x1400)\n"
              "coalesced_io_add 0x1500+0xb00 in mr[0x1500,0x2000)@0x500\n");
    memory_region_add_coalescing(w.mr, 0xff0, 0x100);
    check_log(w.log, "coalesced_io_add 0x1ff0+0x10 in mr[0x1500,0x2000)@0x500\n");
    memory_region_add_coalescing(w.mr, 0x3ff, 1);
    memory_region_add_coalescing(w.mr, 0x400, 0x100);
    memory_region_add_coalescing(w.mr, 0x4ff, 2);
    memory_region_add_coalescing(w.mr, 0x1000, 0x10);
    memory_region_add_coalescing(w.mr, 0x3ff, UINT64_MAX - 0x3ff);
    check_log(w.log,
              "coalesced_io_add 0x13ff+0x1 in mr[0x1000,0x1400)\n"
              "coalesced_io_add 0x1500+0x1 in mr[0x1500,0x2000)@0x500\n"
              "coalesced_io_add 0x13ff+0x1 in mr[0x1000,0x1400)\n"
              "coalesced_io_add 0x1500+0xb00 in mr[0x1500,0x2000)@0x500\n");
}

/* The shift may be negative: the alias starts behind the coalesced range's first byte. */
static void clipped_to_an_alias(void)
{
    World w = world_new();

    stage_add(w.root, 0, stage_alias("window", w.mr, 0x800, 0x100));
    g_string_truncate(w.log, 0);
    memory_region_add_coalescing(w.mr, 0x7f0, 0x20);
    check_log(w.log,
              "coalesced_io_add 0x0+0x10 in mr[0,0x100)@0x800\n"
              "coalesced_io_add 0x17f0+0x20 in mr[0x1000,0x2000)\n");
}

static void direct_calls_visit_all_spaces(void)
{
    World w = world_new();
    MemoryRegion *bus = stage_container("bus", 0x10000);
    MemoryRegion *hole = stage_io("hole", 0x100);
    AddressSpace *dma;

    stage_add_overlap(w.root, 0x1400, hole, 1);
    stage_add(bus, 0x100, stage_alias("window", w.root, 0x1000, 0x1000));
    dma = stage_space(bus, "dma");
    w.recorder->name = "x";
    recorder_watch(w.as, "y", 0, w.log);
    recorder_watch(dma, "z", 0, w.log);
    g_string_truncate(w.log, 0);
    memory_region_add_coalescing(w.mr, 0x3f0, 0x200);
    memory_region_clear_coalescing(w.mr);
    check_log(w.log,
              "coalesced_io_add 0x13f0+0x10 in mr[0x1000,0x1400) : x y\n"
              "coalesced_io_add 0x1500+0xf0 in mr[0x1500,0x2000)@0x500 : x y\n"
              "coalesced_io_add 0x4f0+0x10 in mr[0x100,0x500) : z\n"
              "coalesced_io_add 0x600+0xf0 in mr[0x600,0x1100)@0x500 : z\n"
              "coalesced_io_del 0x13f0+0x10 in mr[0x1000,0x1400) : y x\n"
              "coalesced_io_del 0x1500+0xf0 in mr[0x1500,0x2000)@0x500 : y x\n"
              "coalesced_io_del 0x4f0+0x10 in mr[0x100,0x500) : z\n"
              "coalesced_io_del 0x600+0xf0 in mr[0x600,0x1100)@0x500 : z\n");
}

/* A commit speaks of ranges that come and go; a kept one says nothing. */
static void commits_notify_for_changed_ranges_only(void)
{
    World w = world_new();
    MemoryRegion *other = stage_io("other", 0x10);

    memory_region_add_coalescing(w.mr, 0x10, 0x20);
    g_string_truncate(w.log, 0);
    stage_add(w.root, 0x8000, other);
    check_log(w.log, "begin\nregion_nop mr[0x1000,0x2000)\nregion_add other[0x8000,0x8010)\ncommit\n");
    memory_region_set_size(w.mr, 0x18);
    check_log(w.log,
              "begin\n"
              "coalesced_io_del 0x1010+0x20 in mr[0x1000,0x2000)\n"
              "region_del mr[0x1000,0x2000)\n"
              "region_add mr[0x1000,0x1018)\n"
              "coalesced_io_add 0x1010+0x8 in mr[0x1000,0x1018)\n"
              "region_nop other[0x8000,0x8010)\n"
              "commit\n");
}

/* ---- R-COAL-5: extremes ---- */

static void size_zero_is_ignored(void)
{
    World w = world_new();

    memcore_set_coalesced_flush(write_flush, w.log);
    memory_region_add_coalescing(w.mr, 0x10, 0);
    check_log(w.log, "");
    memory_region_clear_coalescing(w.mr);
    check_log(w.log, "");
}

static void set_on_an_empty_region(void)
{
    World w = world_new();
    MemoryRegion *none = stage_io("none", 0);

    stage_add(w.root, 0x5000, none);
    g_string_truncate(w.log, 0);
    memory_region_set_coalescing(none);
    memory_region_set_size(none, 0x10);
    check_log(w.log,
              "begin\n"
              "region_nop mr[0x1000,0x2000)\n"
              "region_add none[0x5000,0x5010)\n"
              "commit\n");
}

static void set_on_the_whole_space(void)
{
    memory_region_set_coalescing(stage_io("everything", UINT64_MAX));
}

/* add_coalescing takes UINT64_MAX literally (R-REG-2): one byte is left out. */
static void almost_the_whole_space(void)
{
    MemoryRegion *all = stage_io("all", UINT64_MAX);
    GString *log = stage_log();

    recorder_watch(stage_space(all, "as"), NULL, 0, log);
    memory_region_add_coalescing(all, 0, UINT64_MAX);
    memory_region_add_coalescing(all, 1, UINT64_MAX);
    check_log(log,
              "coalesced_io_add 0x0+0xffffffffffffffff in all[0,0x10000000000000000)\n"
              "coalesced_io_add 0x1+0xffffffffffffffff in all[0,0x10000000000000000)\n");
}

/* ---- R-COAL-6: inside a transaction ---- */

static void del_then_clear(void)
{
    World w = world_new();

    memory_region_add_coalescing(w.mr, 0x10, 0x20);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    stage_del(w.root, w.mr);
    memory_region_clear_coalescing(w.mr);
    check_log(w.log, "coalesced_io_del 0x1010+0x20 in mr[0x1000,0x2000)\n");
    memory_region_transaction_commit();
    check_log(w.log, "begin\nregion_del mr[0x1000,0x2000)\ncommit\n");
}

static void add_then_coalesce(void)
{
    World w = world_new();
    MemoryRegion *late = stage_io("late", 0x100);

    memory_region_transaction_begin();
    stage_add(w.root, 0x4000, late);
    memory_region_add_coalescing(late, 0, 8);
    check_log(w.log, "");
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "region_nop mr[0x1000,0x2000)\n"
              "region_add late[0x4000,0x4100)\n"
              "coalesced_io_add 0x4000+0x8 in late[0x4000,0x4100)\n"
              "commit\n");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-COAL-1/notifies-at-once", add_notifies_at_once);
    conformance_case("/R-COAL-1/published-view", add_works_on_the_published_view);
    conformance_case("/R-COAL-1/ranges-append", ranges_append);
    conformance_case("/R-COAL-1/set-replaces-all", set_replaces_all_ranges);
    conformance_case("/R-COAL-2/clear-without-ranges", clear_without_ranges);
    conformance_case("/R-COAL-2/clear-flushes-first", clear_flushes_first);
    conformance_case("/R-COAL-2/flag-alone", the_flag_alone_flushes_nothing);
    conformance_case("/R-COAL-2/clear-flush-keeps-ranges", clear_flush_keeps_the_ranges);
    conformance_case("/R-COAL-3/adding-does-not-flush", adding_flushes_nothing);
    conformance_case("/R-COAL-3/transaction-begin", transaction_begin_flushes);
    conformance_case("/R-COAL-4/worked-example", worked_example);
    conformance_case("/R-COAL-4/clipped-to-an-alias", clipped_to_an_alias);
    conformance_case("/R-COAL-4/all-spaces", direct_calls_visit_all_spaces);
    conformance_case("/R-COAL-4/commits-changed-ranges-only", commits_notify_for_changed_ranges_only);
    conformance_case("/R-COAL-5/size-zero", size_zero_is_ignored);
    conformance_case("/R-COAL-5/set-on-an-empty-region", set_on_an_empty_region);
    conformance_misuse("/R-COAL-5/set-on-two-to-the-64", set_on_the_whole_space,
                       "memory_region_set_coalescing", "everything*(R-COAL-5)");
    conformance_case("/R-COAL-5/two-to-the-64-less-one", almost_the_whole_space);
    conformance_case("/R-COAL-6/del-then-clear", del_then_clear);
    conformance_case("/R-COAL-6/add-then-coalesce", add_then_coalesce);
    return g_test_run();
}
