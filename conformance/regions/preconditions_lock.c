/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who changes a tree, a space, a listener or logging has the big lock (R-TX-1): every function that does is refused
 * without it, before it changes anything.
 */
#include "common/conformance.h"

#include "qemu/main-loop.h"

static MemoryRegion *loose, *placed, *container, *memory;
static EventNotifier *notifier;
static AddressSpace *space, *late;
static Recorder *recorder;

/* Each call is one that would be fine with the lock. */
static void set_the_stage(void)
{
    loose = stage_alias("loose", stage_ram("ram", 0x1000), 0, 0x100);
    placed = stage_io("placed", 0x100);
    container = stage_container("container", 0x1000);
    memory = stage_ram("memory", 0x1000);
    notifier = stage_notifier("e");
    stage_add(container, 0x100, placed);
    memory_region_add_eventfd(placed, 0, 4, false, 0, notifier);
    memory_region_add_coalescing(placed, 0, 4);
    space = stage_space(container, "as");
    late = stage_storage(sizeof(*late));
    recorder = recorder_watch(space, "listener", 0, stage_log());
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
}

#define UNLOCKED(name, call) \
    static void name(void) \
    { \
        set_the_stage(); \
        qemu_mutex_unlock_iothread(); \
        call; \
    }

UNLOCKED(add, memory_region_add_subregion(container, 0, loose))
UNLOCKED(add_overlap, memory_region_add_subregion_overlap(container, 0, loose, 1))
UNLOCKED(take_out, memory_region_del_subregion(container, placed))
UNLOCKED(move, memory_region_set_address(placed, 7))
UNLOCKED(disable, memory_region_set_enabled(loose, false))
UNLOCKED(resize, memory_region_set_size(loose, 7))
UNLOCKED(shift, memory_region_set_alias_offset(loose, 7))
UNLOCKED(set_readonly, memory_region_set_readonly(loose, true))
UNLOCKED(set_nonvolatile, memory_region_set_nonvolatile(loose, true))
UNLOCKED(set_romd, memory_region_rom_device_set_romd(loose, false))
UNLOCKED(set_log, memory_region_set_log(loose, true, DIRTY_MEMORY_VGA))
UNLOCKED(add_eventfd, memory_region_add_eventfd(loose, 8, 4, false, 0, notifier))
UNLOCKED(del_eventfd, memory_region_del_eventfd(placed, 0, 4, false, 0, notifier))
UNLOCKED(coalesce_some, memory_region_add_coalescing(placed, 8, 4))
UNLOCKED(coalesce_all, memory_region_set_coalescing(placed))
UNLOCKED(coalesce_none, memory_region_clear_coalescing(placed))
UNLOCKED(resize_memory, memory_region_ram_resize(memory, 0xfff, &error_abort))
UNLOCKED(init_space, address_space_init(late, container, "late"))
UNLOCKED(destroy_space, address_space_destroy(space))
UNLOCKED(join, memory_listener_register(&recorder_new("new", 0, stage_log())->listener, space))
UNLOCKED(leave, memory_listener_unregister(&recorder->listener))
UNLOCKED(start_logging, memory_global_dirty_log_start(GLOBAL_DIRTY_DIRTY_RATE))
UNLOCKED(stop_logging, memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION))
UNLOCKED(commit, memory_region_transaction_begin(); memory_region_transaction_commit())
UNLOCKED(print, mtree_info(false, false, false, false))

int main(int argc, char **argv)
{
    static const Misuse cases[] = {
#define CASE(name, test, function) \
        { "/R-TX-1/unlocked/" name, test, function, "without the big lock*(R-TX-1)" }
        CASE("add", add, "memory_region_add_subregion"),
        CASE("add-overlap", add_overlap, "memory_region_add_subregion_overlap"),
        CASE("take-out", take_out, "memory_region_del_subregion"),
        CASE("move", move, "memory_region_set_address"),
        CASE("disable", disable, "memory_region_set_enabled"),
        CASE("resize", resize, "memory_region_set_size"),
        CASE("alias-offset", shift, "memory_region_set_alias_offset"),
        CASE("readonly", set_readonly, "memory_region_set_readonly"),
        CASE("nonvolatile", set_nonvolatile, "memory_region_set_nonvolatile"),
        CASE("romd", set_romd, "memory_region_rom_device_set_romd"),
        CASE("log", set_log, "memory_region_set_log"),
        CASE("add-eventfd", add_eventfd, "memory_region_add_eventfd"),
        CASE("del-eventfd", del_eventfd, "memory_region_del_eventfd"),
        CASE("add-coalescing", coalesce_some, "memory_region_add_coalescing"),
        CASE("set-coalescing", coalesce_all, "memory_region_set_coalescing"),
        CASE("clear-coalescing", coalesce_none, "memory_region_clear_coalescing"),
        CASE("resize-memory", resize_memory, "qemu_ram_resize"),
        CASE("init-space", init_space, "address_space_init"),
        CASE("destroy-space", destroy_space, "address_space_destroy"),
        CASE("join", join, "memory_listener_register"),
        CASE("leave", leave, "memory_listener_unregister"),
        CASE("start-logging", start_logging, "memory_global_dirty_log_start"),
        CASE("stop-logging", stop_logging, "memory_global_dirty_log_stop"),
        CASE("commit", commit, "memory_region_transaction_commit"),
        CASE("print", print, "mtree_info"),
    };

    conformance_start(&argc, &argv);
    conformance_misuses(cases);
    return g_test_run();
}
