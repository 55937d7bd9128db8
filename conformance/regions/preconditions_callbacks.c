/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification part 1, section 11, row "listener callbacks": every function that
 * changes something is refused there, not only the most common one.  Which callbacks
 * refuse is in listener_nesting.c.
 */
#include "common/conformance.h"

static MemoryRegion *loose, *placed, *container, *memory;
static EventNotifier *notifier;
static AddressSpace *other, *late;
static void (*act)(void);

static void act_in_region_nop(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    (void)recorder;
    (void)section;
    if (g_str_equal(event, "region_nop")) {
        act();
    }
}

/* A commit that changes nothing, to a listener that does, with things at hand that nobody sees. */
static void act_in_a_commit(void (*what)(void))
{
    MemoryRegion *ram = stage_ram("ram", 0x1000);

    loose = stage_alias("the victim", ram, 0, 0x100);
    placed = stage_io("the placed victim", 0x100);
    container = stage_container("container", 0x1000);
    memory = stage_ram("the memory", 0x1000);
    notifier = stage_notifier("e");
    stage_add(container, 0x100, placed);
    memory_region_add_eventfd(placed, 0, 4, false, 0, notifier);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    other = stage_space(container, "the other space");
    late = stage_storage(sizeof(*late));
    act = what;
    recorder_watch(stage_space(ram, "as"), "listener", 0, stage_log())->hook = act_in_region_nop;
    stage_force_commit();
}

#define FORBIDDEN(name, call) \
    static void name##_it(void) \
    { \
        call; \
    } \
    static void name(void) \
    { \
        act_in_a_commit(name##_it); \
    }

FORBIDDEN(add, memory_region_add_subregion(container, 0, loose))
FORBIDDEN(add_overlap, memory_region_add_subregion_overlap(container, 0, loose, 1))
FORBIDDEN(take_out, memory_region_del_subregion(container, placed))
FORBIDDEN(move, memory_region_set_address(placed, 7))
FORBIDDEN(disable, memory_region_set_enabled(loose, false))
FORBIDDEN(resize, memory_region_set_size(loose, 7))
FORBIDDEN(shift, memory_region_set_alias_offset(loose, 7))
FORBIDDEN(set_readonly, memory_region_set_readonly(loose, true))
FORBIDDEN(set_nonvolatile, memory_region_set_nonvolatile(loose, true))
FORBIDDEN(set_romd, memory_region_rom_device_set_romd(loose, false))
FORBIDDEN(set_log, memory_region_set_log(loose, true, DIRTY_MEMORY_VGA))
FORBIDDEN(add_eventfd, memory_region_add_eventfd(loose, 8, 4, false, 0, notifier))
FORBIDDEN(del_eventfd, memory_region_del_eventfd(placed, 0, 4, false, 0, notifier))
FORBIDDEN(coalesce_some, memory_region_add_coalescing(placed, 8, 4))
FORBIDDEN(coalesce_all, memory_region_set_coalescing(placed))
FORBIDDEN(coalesce_none, memory_region_clear_coalescing(placed))
FORBIDDEN(resize_memory, memory_region_ram_resize(memory, 0xfff, &error_abort))
FORBIDDEN(init_space, address_space_init(late, container, "late"))
FORBIDDEN(destroy, address_space_destroy(other))
FORBIDDEN(log_start, memory_global_dirty_log_start(GLOBAL_DIRTY_DIRTY_RATE))
FORBIDDEN(log_stop, memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION))

int main(int argc, char **argv)
{
    static const Misuse cases[] = {
        { "/R-LST-13/nop/add", add, "memory_region_add_subregion",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/add-overlap", add_overlap, "memory_region_add_subregion_overlap",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/take-out", take_out, "memory_region_del_subregion",
          "'the placed victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/move", move, "memory_region_set_address",
          "'the placed victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/disable", disable, "memory_region_set_enabled",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/resize", resize, "memory_region_set_size",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/alias-offset", shift, "memory_region_set_alias_offset",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/readonly", set_readonly, "memory_region_set_readonly",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/nonvolatile", set_nonvolatile, "memory_region_set_nonvolatile",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/romd", set_romd, "memory_region_rom_device_set_romd",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/log", set_log, "memory_region_set_log", "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/add-eventfd", add_eventfd, "memory_region_add_eventfd",
          "'the victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/del-eventfd", del_eventfd, "memory_region_del_eventfd",
          "'the placed victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/add-coalescing", coalesce_some, "memory_region_add_coalescing",
          "'the placed victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/set-coalescing", coalesce_all, "memory_region_set_coalescing",
          "'the placed victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/clear-coalescing", coalesce_none, "memory_region_clear_coalescing",
          "'the placed victim': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/resize-memory", resize_memory, "qemu_ram_resize",
          "'the memory': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/init-space", init_space, "address_space_init",
          "'container': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/destroy", destroy, "address_space_destroy",
          "'container': nothing may be changed*(R-LST-13)" },
        { "/R-LST-13/nop/dirty-log-start", log_start, "memory_global_dirty_log_start",
          "flags 0x2*must not be started or stopped*(R-LST-13)" },
        { "/R-LST-13/nop/dirty-log-stop", log_stop, "memory_global_dirty_log_stop",
          "flags 0x1*must not be started or stopped*(R-LST-13)" },
    };

    conformance_start(&argc, &argv);
    conformance_misuses(cases);
    return g_test_run();
}
