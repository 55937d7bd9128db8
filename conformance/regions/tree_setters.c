/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 3: the setters, and when they commit (R-TREE-7 to R-TREE-11). */
#include "world.h"

/* ---- R-TREE-7 ---- */

static void moving_goes_to_the_front_of_the_equals(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *b = stage_io("b", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, a);
    stage_add(root, 0x800, b);
    check_view(as, "a[0,0x800), b[0x800,0x1800)");
    memory_region_set_address(a, 0);
    check_view(as, "a[0,0x800), b[0x800,0x1800)");
    memory_region_set_address(a, 0x10);
    memory_region_set_address(a, 0);
    check_view(as, "a[0,0x1000), b[0x1000,0x1800)@0x800");
}

static void moving_keeps_the_priority(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *low = stage_io("low", 0x1000);
    MemoryRegion *high = stage_io("high", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(root, 0, low, -1);
    stage_add_overlap(root, 0x800, high, 3);
    memory_region_set_address(low, 0x400);
    check_view(as, "low[0x400,0x800), high[0x800,0x1800)");
    memory_region_set_address(high, 0x600);
    memory_region_set_address(low, 0);
    check_view(as, "low[0,0x600), high[0x600,0x1600)");
}

static void moving_is_one_transaction(void)
{
    GString *log = witness();
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);

    stage_add(c, 0, a);
    g_string_truncate(log, 0);
    memory_region_set_address(a, 0x1000);
    check_log(log, COMMITTED);
    memory_region_set_address(a, 0x1000);
    check_log(log, NOTHING);
    memory_region_set_enabled(a, false);
    g_string_truncate(log, 0);
    memory_region_set_address(a, 0x2000);
    check_log(log, NOTHING);
    memory_region_set_enabled(a, true);
    memory_region_set_enabled(c, false);
    g_string_truncate(log, 0);
    memory_region_set_address(a, 0x3000);
    check_log(log, NOTHING);
}

static void moving_a_root_waits_for_the_next_commit(void)
{
    GString *log = stage_log();
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *b = stage_io("b", 0x1000);

    stage_add(root, 0x1000, a);
    stage_add(root, 0x3000, b);
    AddressSpace *as = stage_space(root, "as");
    recorder_watch(as, NULL, 0, log);
    memory_region_set_address(root, 0x100000);
    check_log(log, NOTHING);
    check_view(as, "a[0x1000,0x2000), b[0x3000,0x4000)");
    stage_force_commit();
    check_view(as, "a[0x101000,0x102000), b[0x103000,0x104000)");
    check_log(log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_del b[0x3000,0x4000)\n"
              "region_add a[0x101000,0x102000)\n"
              "region_add b[0x103000,0x104000)\n"
              "commit\n");
}

/* ---- R-TREE-8: each setter, twice; and once on a disabled region ---- */

static void check_commits(const char *what, GString *log, bool expected)
{
    check_text_at(G_STRLOC, what, log->str, expected ? COMMITTED : NOTHING);
    g_string_truncate(log, 0);
}

typedef struct {
    GString *log;
    MemoryRegion *mr;       /* in no container: pending is decided from its own flag alone */
} SetterCase;

static SetterCase setter_case(MemoryRegion *mr)
{
    return (SetterCase) { witness(), mr };
}

static void set_enabled_always_commits(void)
{
    SetterCase s = setter_case(stage_io("a", 0x1000));

    memory_region_set_enabled(s.mr, true);
    check_commits("same", s.log, false);
    memory_region_set_enabled(s.mr, false);
    check_commits("off", s.log, true);
    memory_region_set_enabled(s.mr, false);
    check_commits("off again", s.log, false);
    memory_region_set_enabled(s.mr, true);
    check_commits("on", s.log, true);
}

static void set_size_always_commits(void)
{
    SetterCase s = setter_case(stage_io("a", 0x1000));

    memory_region_set_size(s.mr, 0x1000);
    check_commits("same", s.log, false);
    memory_region_set_size(s.mr, UINT64_MAX);
    check_commits("2^64", s.log, true);
    memory_region_set_size(s.mr, UINT64_MAX);
    check_commits("2^64 again", s.log, false);
    memory_region_set_size(s.mr, UINT64_MAX - 1);
    check_commits("2^64 - 2", s.log, true);
    memory_region_set_size(s.mr, 0);
    check_commits("0", s.log, true);
    memory_region_set_enabled(s.mr, false);
    g_string_truncate(s.log, 0);
    memory_region_set_size(s.mr, 0x2000);
    check_commits("while disabled", s.log, true);
}

static void set_alias_offset_commits_if_enabled(void)
{
    SetterCase s = setter_case(stage_alias("a", stage_io("target", 0x1000), 0x100, 0x1000));

    memory_region_set_alias_offset(s.mr, 0x100);
    check_commits("same", s.log, false);
    memory_region_set_alias_offset(s.mr, UINT64_MAX);
    check_commits("changed", s.log, true);
    memory_region_set_enabled(s.mr, false);
    g_string_truncate(s.log, 0);
    memory_region_set_alias_offset(s.mr, 0);
    check_commits("while disabled", s.log, false);
}

static void check_flag_setter(void (*set)(MemoryRegion *mr, bool value), MemoryRegion *mr, bool start)
{
    SetterCase s = setter_case(mr);

    set(s.mr, start);
    check_commits("same", s.log, false);
    set(s.mr, !start);
    check_commits("changed", s.log, true);
    set(s.mr, !start);
    check_commits("same again", s.log, false);
    set(s.mr, start);
    check_commits("back", s.log, true);
    memory_region_set_enabled(s.mr, false);
    g_string_truncate(s.log, 0);
    set(s.mr, !start);
    check_commits("while disabled", s.log, false);
}

static void set_readonly_commits_if_enabled(void)
{
    check_flag_setter(memory_region_set_readonly, stage_io("a", 0x1000), false);
}

static void set_nonvolatile_commits_if_enabled(void)
{
    check_flag_setter(memory_region_set_nonvolatile, stage_io("a", 0x1000), false);
}

static void set_romd_commits_if_enabled(void)
{
    check_flag_setter(memory_region_rom_device_set_romd, stage_rom_device("a", 0x1000), true);
}

static void set_log_commits_on_edges(void)
{
    SetterCase s = setter_case(stage_ram("a", 0x1000));

    memory_region_set_log(s.mr, true, DIRTY_MEMORY_VGA);
    check_commits("0 to 1", s.log, true);
    memory_region_set_log(s.mr, true, DIRTY_MEMORY_VGA);
    check_commits("1 to 2", s.log, false);
    memory_region_set_log(s.mr, false, DIRTY_MEMORY_VGA);
    check_commits("2 to 1", s.log, false);
    memory_region_set_log(s.mr, false, DIRTY_MEMORY_VGA);
    check_commits("1 to 0", s.log, true);
    memory_region_set_enabled(s.mr, false);
    g_string_truncate(s.log, 0);
    memory_region_set_log(s.mr, true, DIRTY_MEMORY_VGA);
    check_commits("while disabled", s.log, false);
    check_number(memory_region_get_dirty_log_mask(s.mr), 1 << DIRTY_MEMORY_VGA);
}

/* ---- R-TREE-9 ---- */

static void set_size_leaves_the_ram_alone(void)
{
    MemoryRegion *root = stage_container("root", 0x100000);
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    AddressSpace *as = stage_space(root, "as");
    uint8_t *host = memory_region_get_ram_ptr(ram);
    ram_addr_t offset = 0;

    stage_add(root, 0, ram);
    host[0x1fff] = 0x77;
    memory_region_set_size(ram, 0x80000);
    check_view(as, "ram[0,0x80000)");
    check_number(memory_region_size(ram), 0x80000);
    check_pointer(memory_region_get_ram_ptr(ram), host);
    memory_region_set_size(ram, 0x10);
    check_view(as, "ram[0,0x10)");
    check_number(host[0x1fff], 0x77);
    check_pointer(memory_region_from_host(host + 0x1fff, &offset), ram);
    check_number(offset, 0x1fff);
}

static void flags_are_inherited(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *c = stage_container("c", 0x2000);
    MemoryRegion *io = stage_io("io", 0x1000);
    MemoryRegion *other = stage_io("other", 0x1000);
    MemoryRegion *alias = stage_alias("alias", io, 0, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, c);
    stage_add(c, 0, io);
    stage_add(root, 0x4000, alias);
    stage_add(root, 0x6000, other);
    memory_region_set_readonly(c, true);
    memory_region_set_nonvolatile(alias, true);
    check_view(as, "io[0,0x1000) ro, io[0x4000,0x5000) nv, other[0x6000,0x7000)");
    memory_region_set_readonly(alias, true);
    memory_region_set_readonly(c, false);
    check_view(as, "io[0,0x1000), io[0x4000,0x5000) ro nv, other[0x6000,0x7000)");
    memory_region_set_nonvolatile(root, true);
    check_view(as, "io[0,0x1000) nv, io[0x4000,0x5000) ro nv, other[0x6000,0x7000) nv");
    /* Of the region itself nothing changed (R-REG-6). */
    check(!memory_region_is_nonvolatile(io));
}

static void romd_of_plain_ram_replaces_the_range(void)
{
    GString *log = stage_log();
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *other = stage_io("other", 0x1000);

    stage_add(root, 0, ram);
    stage_add(root, 0x2000, other);
    AddressSpace *as = stage_space(root, "as");
    recorder_watch(as, NULL, 0, log);
    memory_region_rom_device_set_romd(ram, false);
    check_log(log,
              "begin\n"
              "region_del ram[0,0x1000)\n"
              "region_add ram[0,0x1000)\n"
              "region_nop other[0x2000,0x3000)\n"
              "commit\n");
    check(!memory_region_is_romd(ram));
    check(memory_region_is_ram(ram));
    check_view(as, "ram[0,0x1000), other[0x2000,0x3000)");
}

/* ---- R-TREE-10 ---- */

static void logging_is_counted(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    enum { LIMIT = 255 };

    for (int i = 0; i < LIMIT; i++) {
        memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
        check(memory_region_is_logging(ram, DIRTY_MEMORY_VGA));
    }
    for (int i = 0; i < LIMIT; i++) {
        check(memory_region_is_logging(ram, DIRTY_MEMORY_VGA));
        memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    }
    check(!memory_region_is_logging(ram, DIRTY_MEMORY_VGA));
    check_number(memory_region_get_dirty_log_mask(ram), 0);
}

static void logging_underflow(void)
{
    MemoryRegion *ram = stage_ram("screen", 0x1000);

    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

static void logging_overflow(void)
{
    MemoryRegion *ram = stage_ram("screen", 0x1000);

    for (int i = 0; i < 256; i++) {
        memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    }
}

/* ---- R-TREE-11 ---- */

static void detached_work_commits_everywhere(void)
{
    GString *log = stage_log();
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *second_root = stage_container("second root", 0x10000);
    MemoryRegion *detached = stage_container("detached", 0x10000);

    stage_add(root, 0, stage_io("a", 0x1000));
    stage_add(root, 0x2000, stage_io("b", 0x1000));
    stage_add(second_root, 0, stage_io("c", 0x1000));
    stage_add(second_root, 0x8000, stage_io("d", 0x1000));
    recorder_watch(stage_space(root, "first"), "first", 0, log);
    recorder_watch(stage_space(second_root, "second"), "second", 0, log);
    stage_add(detached, 0, stage_io("nowhere", 0x1000));
    check_log(log,
              "begin : first second\n"
              "region_nop a[0,0x1000) : first\n"
              "region_nop b[0x2000,0x3000) : first\n"
              "region_nop c[0,0x1000) : second\n"
              "region_nop d[0x8000,0x9000) : second\n"
              "commit : first second\n");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-TREE-7/to-the-front-of-the-equals", moving_goes_to_the_front_of_the_equals);
    conformance_case("/R-TREE-7/keeps-the-priority", moving_keeps_the_priority);
    conformance_case("/R-TREE-7/one-transaction", moving_is_one_transaction);
    conformance_case("/R-TREE-7/a-root-waits-for-the-next-commit", moving_a_root_waits_for_the_next_commit);
    conformance_case("/R-TREE-8/set-enabled", set_enabled_always_commits);
    conformance_case("/R-TREE-8/set-size", set_size_always_commits);
    conformance_case("/R-TREE-8/set-alias-offset", set_alias_offset_commits_if_enabled);
    conformance_case("/R-TREE-8/set-readonly", set_readonly_commits_if_enabled);
    conformance_case("/R-TREE-8/set-nonvolatile", set_nonvolatile_commits_if_enabled);
    conformance_case("/R-TREE-8/set-romd", set_romd_commits_if_enabled);
    conformance_case("/R-TREE-8/set-log", set_log_commits_on_edges);
    conformance_case("/R-TREE-9/set-size-leaves-the-ram-alone", set_size_leaves_the_ram_alone);
    conformance_case("/R-TREE-9/flags-are-inherited", flags_are_inherited);
    conformance_case("/R-TREE-9/romd-of-plain-ram", romd_of_plain_ram_replaces_the_range);
    conformance_case("/R-TREE-10/counted", logging_is_counted);
    conformance_misuse("/R-TREE-10/underflow", logging_underflow, "memory_region_set_log",
                       "'screen'*off more often than on*(R-DLOG-3)");
    conformance_misuse("/R-TREE-10/overflow", logging_overflow, "memory_region_set_log",
                       "'screen'*255 users*(R-DLOG-3)");
    conformance_case("/R-TREE-11/detached-work-commits-everywhere", detached_work_commits_everywhere);
    return g_test_run();
}
