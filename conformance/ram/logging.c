/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3, chapter 5: who logs, and who is told.  The order of events in a commit
 * and the postponed stops are cases of part 1 as well (regions/logging.c,
 * listener_diffs.c); here with the bits.
 */
#include "common/ram.h"

#define START(flags) memory_global_dirty_log_start(flags)
#define STOP(flags) memory_global_dirty_log_stop(flags)
enum { MIG = GLOBAL_DIRTY_MIGRATION, RATE = GLOBAL_DIRTY_DIRTY_RATE };

typedef struct {
    MemoryRegion *root, *ram, *silent;
    AddressSpace *as;
    Recorder *recorder;
    GString *log;
} World;

/*  ram (migratable) at 0x10000, silent (not) at 0x20000  */
static World world_new(void)
{
    World w = { .root = stage_container("root", UINT64_MAX), .ram = stage_ram_migratable("ram", 0x4000),
                .silent = stage_ram("silent", 0x4000), .log = stage_log() };

    stage_add(w.root, 0x10000, w.ram);
    stage_add(w.root, 0x20000, w.silent);
    w.as = stage_space(w.root, "as");
    w.recorder = recorder_watch(w.as, NULL, 0, w.log);
    clean(w.ram);
    clean(w.silent);
    g_string_truncate(w.log, 0);
    return w;
}

static void masks(void)
{
    World w = world_new();
    MemoryRegion *alias = stage_alias("alias", w.ram, 0, 0x1000), *io = stage_io("io", 0x1000);

    check_number(memory_region_get_dirty_log_mask(w.ram), 0);
    START(RATE);
    check_number(memory_region_get_dirty_log_mask(w.ram), ON_MIGRATION);
    check_number(memory_region_get_dirty_log_mask(w.silent), 0);
    check_number(memory_region_get_dirty_log_mask(io), 0);
    check_number(memory_region_get_dirty_log_mask(alias), 0);
    check(memory_region_is_logging(w.ram, MIGRATION));
    check(!memory_region_is_logging(w.ram, VGA));
    check(!memory_region_is_logging(w.ram, 8));
    check(!memory_region_is_logging(w.ram, 34));
    memory_region_set_log(alias, true, VGA);
    check_number(memory_region_get_dirty_log_mask(alias), ON_VGA);
    check_number(memory_region_get_dirty_log_mask(w.ram), ON_MIGRATION);
    memory_region_set_log(w.ram, true, VGA);
    check_number(memory_region_get_dirty_log_mask(w.ram), ON_VGA | ON_MIGRATION);
    qemu_ram_unset_migratable(block_of(w.ram));
    check_number(memory_region_get_dirty_log_mask(w.ram), ON_VGA);
    qemu_ram_set_migratable(block_of(w.ram));
    STOP(RATE);
    check_number(memory_region_get_dirty_log_mask(w.ram), ON_VGA);
}

/* Only the first and the last user make a difference: 255 of them. */
static void counted(void)
{
    World w = world_new();

    for (unsigned i = 0; i < 255; i++) {
        memory_region_set_log(w.ram, true, VGA);
    }
    check_log(w.log, "begin\nregion_nop ram[0x10000,0x14000)\nlog_start ram[0x10000,0x14000) 0->1\n"
                     "region_nop silent[0x20000,0x24000)\ncommit\n");
    for (unsigned i = 0; i < 254; i++) {
        memory_region_set_log(w.ram, false, VGA);
    }
    check_log(w.log, "");
    check(memory_region_is_logging(w.ram, VGA));
    memory_region_set_log(w.ram, false, VGA);
    check_log(w.log, "begin\nregion_nop ram[0x10000,0x14000)\nlog_stop ram[0x10000,0x14000) 1->0\n"
                     "region_nop silent[0x20000,0x24000)\ncommit\n");
}

static void aliases_do_not_count(void)
{
    World w = world_new();
    MemoryRegion *alias = stage_alias("alias", w.silent, 0, 0x1000);

    stage_add(w.root, 0x30000, alias);
    g_string_truncate(w.log, 0);
    memory_region_set_log(alias, true, VGA);
    memory_region_set_log(w.root, true, VGA);
    check(!g_strrstr(w.log->str, "log_start"));
    g_string_truncate(w.log, 0);
    check_number(address_space_write(w.as, 0x30000, MEMTXATTRS_UNSPECIFIED, "a", 1), MEMTX_OK);
    check_dirty_all(w.silent, "");
}

static void appears_without_log_start(void)
{
    World w = world_new();

    memory_region_transaction_begin();
    memory_region_set_log(w.ram, true, VGA);
    memory_region_set_address(w.ram, 0x18000);
    memory_region_transaction_commit();
    check_log(w.log, "begin\nregion_del ram[0x10000,0x14000)\nregion_add ram[0x18000,0x1c000)\n"
                     "region_nop silent[0x20000,0x24000)\ncommit\n");
    recorder_unregister(w.recorder);
    check_log(w.log, "begin\nlog_stop ram[0x18000,0x1c000) 1->0\nregion_del ram[0x18000,0x1c000)\n"
                     "region_del silent[0x20000,0x24000)\ncommit\n");
    recorder_register(w.recorder, w.as);
    check_log(w.log, "begin\nregion_add ram[0x18000,0x1c000)\nlog_start ram[0x18000,0x1c000) 0->1\n"
                     "region_add silent[0x20000,0x24000)\ncommit\n");
}

static void starts_and_stops(void)
{
    World w = world_new();

    START(MIG);
    check_log(w.log, "log_global_start\nbegin\nregion_nop ram[0x10000,0x14000)\n"
                     "log_start ram[0x10000,0x14000) 0->4\nregion_nop silent[0x20000,0x24000)\ncommit\n");
    START(MIG);
    START(MIG | RATE);
    check_log(w.log, "");
    check_number(global_dirty_tracking, 3);
    STOP(RATE);
    check_log(w.log, "");
    STOP(MIG);
    check_log(w.log, "begin\nregion_nop ram[0x10000,0x14000)\nlog_stop ram[0x10000,0x14000) 4->0\n"
                     "region_nop silent[0x20000,0x24000)\ncommit\nlog_global_stop\n");
}

static void paused(void)
{
    World w = world_new();

    START(MIG | RATE);
    memcore_set_vm_running(false);
    g_string_truncate(w.log, 0);
    STOP(MIG);
    check_number(global_dirty_tracking, 3);
    START(MIG);
    check_number(global_dirty_tracking, 3);
    check_log(w.log, "");
    STOP(MIG);
    STOP(RATE);
    check_number(global_dirty_tracking, 3);
    check(memory_region_is_logging(w.ram, MIGRATION));
    memcore_set_vm_running(true);
    check_number(global_dirty_tracking, 0);
    check(g_str_has_suffix(w.log->str, "log_global_stop\n"));
}

static void sync_asks(void)
{
    World w = world_new();

    memory_global_dirty_log_sync();
    check_log(w.log, "");
    START(MIG);
    memory_region_set_log(w.silent, true, VGA);
    g_string_truncate(w.log, 0);
    memory_global_dirty_log_sync();
    check_log(w.log, "log_sync ram[0x10000,0x14000)\nlog_sync silent[0x20000,0x24000)\n");
    memory_global_after_dirty_log_sync();
    check_log(w.log, "log_global_after_sync\n");
    STOP(MIG);
}

static void late_listeners(void)
{
    World w = world_new();

    START(MIG);
    recorder_unregister(w.recorder);
    g_string_truncate(w.log, 0);
    recorder_register(w.recorder, w.as);
    check_log(w.log, "begin\nlog_global_start\nregion_add ram[0x10000,0x14000)\n"
                     "log_start ram[0x10000,0x14000) 0->4\nregion_add silent[0x20000,0x24000)\ncommit\n");
    STOP(MIG);
}

/* Mapped twice: told for each; trimmed, both offsets along; byte-exact. */
static void clears(void)
{
    World w = world_new();
    MemoryRegion *alias = stage_alias("alias", w.ram, 0x1000, 0x1000), *unmapped = stage_ram("unmapped", 0x1000);

    stage_add(w.root, 0x30000, alias);
    memory_region_set_log(w.ram, true, VGA);
    memory_region_set_log(unmapped, true, VGA);
    g_string_truncate(w.log, 0);
    memory_region_clear_dirty_bitmap(w.ram, 0xff0, 0x20);
    check_log(w.log, "log_clear ram[0x10ff0,0x11010)@0xff0\nlog_clear ram[0x30000,0x30010)@0x1000\n");
    memory_region_clear_dirty_bitmap(w.ram, 0x3fff, 0x1000);
    check_log(w.log, "log_clear ram[0x13fff,0x14000)@0x3fff\n");
    /* Where the range would end is no address any more: it ends with the region. */
    memory_region_clear_dirty_bitmap(w.ram, 0x1ff0, UINT64_MAX);
    check_log(w.log, "log_clear ram[0x11ff0,0x14000)@0x1ff0\nlog_clear ram[0x30ff0,0x31000)@0x1ff0\n");
    memory_region_clear_dirty_bitmap(unmapped, 0, 0x1000);
    memory_region_clear_dirty_bitmap(w.silent, 0, 0x1000);
    memory_region_clear_dirty_bitmap(alias, 0, 0x1000);
    check_log(w.log, "");
}

static void bits_stay(void)
{
    World w = world_new();

    dirty(w.ram, 1, 2, EVERYBODY);
    START(MIG);
    memory_region_set_log(w.ram, true, VGA);
    check_dirty_all(w.ram, "1-2");
    memory_region_set_log(w.ram, false, VGA);
    STOP(MIG);
    check_dirty_all(w.ram, "1-2");
    check_number(address_space_write(w.as, 0x10000, MEMTXATTRS_UNSPECIFIED, "a", 1), MEMTX_OK);
    START(MIG);
    check_dirty_all(w.ram, "1-2");
    STOP(MIG);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-DLOG-1/masks", masks);
    conformance_case("/R-DLOG-2/first-and-last", counted);
    conformance_case("/R-DLOG-3/all-255", counted);
    conformance_case("/R-DLOG-4/aliases", aliases_do_not_count);
    conformance_case("/R-DLOG-5/nop-then-log", starts_and_stops);
    conformance_case("/R-DLOG-6/appears", appears_without_log_start);
    conformance_case("/R-DLOG-7/start", starts_and_stops);
    conformance_case("/R-DLOG-8/stop", starts_and_stops);
    conformance_case("/R-DLOG-9/paused", paused);
    conformance_case("/R-DLOG-10/sync", sync_asks);
    conformance_case("/R-DLOG-11/after-sync", sync_asks);
    conformance_case("/R-DLOG-12/late-listeners", late_listeners);
    conformance_case_4k("/R-DLOG-13/clears", clears);
    conformance_case_4k("/R-DLOG-14/no-call", clears);
    conformance_case_4k("/R-DLOG-15/bits-stay", bits_stay);
    return ram_run();
}
