/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification part 1, section 11, rows of the init functions and of finalize, in full: storage that is in use for
 * each reason there can be, and what has no name, which messages call "(unnamed)".
 */
#include "common/conformance.h"

#include <string.h>

static MemoryRegion *new_storage(void)
{
    return stage_storage(sizeof(MemoryRegion));
}

#define CASE(name, ...) static void name(void) { __VA_ARGS__; }

/* ---- storage ---- */

CASE(no_storage, memory_region_init(NULL, NULL, "nowhere", 0x1000))
CASE(no_storage_unnamed, memory_region_init_io(NULL, NULL, &stage_ops, NULL, NULL, 0x1000))

/* A region without name and owner has no parent that would keep it: only its place in the world does. */
static void again(MemoryRegion *mr)
{
    memory_region_init(mr, NULL, "reborn", 0x1000);
}

CASE(in_a_container, MemoryRegion *mr = stage_io(NULL, 0x100);
     stage_add(stage_container("c", 0x1000), 0, mr); again(mr))
CASE(a_container, MemoryRegion *mr = stage_container(NULL, 0x100);
     stage_add(mr, 0, stage_io("child", 0x100)); again(mr))
CASE(a_root, MemoryRegion *mr = stage_container(NULL, 0x100); stage_space(mr, "as"); again(mr))
CASE(a_target, MemoryRegion *mr = stage_io(NULL, 0x100); stage_alias("alias", mr, 0, 0x100); again(mr))
CASE(a_child, again(stage_io("still alive", 0x100)))
CASE(a_child_unnamed, memory_region_init(stage_io("still alive", 0x100), NULL, NULL, 0x1000))

/* Out of all uses: its memory may have been given back, and be a region again. */
static void unused_storage(void)
{
    MemoryRegion *mr = new_storage(), *c = stage_container("c", 0x1000);
    AddressSpace *as = stage_space(c, "as");

    memory_region_init(mr, NULL, NULL, 0x10);
    memory_region_add_subregion(c, 0, mr);
    memory_region_set_enabled(mr, false);
    memory_region_del_subregion(c, mr);
    memory_region_init_io(mr, NULL, &stage_ops, mr, "reborn", 0x1000);
    stage_adopt(mr, NULL);
    check_text(memory_region_name(mr), "reborn");
    check_number(memory_region_size(mr), 0x1000);
    stage_add(c, 0x100, mr);
    check_view(as, "reborn[0x100,0x1000)");
}

/* ---- the rest of init, without a name ---- */

static void make_an_unnamed_child_of_the_dying(void *opaque)
{
    static MemoryRegion late;
    Object **owner = opaque;

    memory_region_init(&late, *owner, NULL, 0x1000);
}

static void owner_is_dying(void)
{
    static Object *owner;

    owner = stage_owner_watched("dev", make_an_unnamed_child_of_the_dying, &owner);
    stage_owner_drop(owner);
}

CASE(alias_of_nothing, memory_region_init_alias(new_storage(), NULL, NULL, NULL, 0, 0x1000))
CASE(alias_of_itself, MemoryRegion *mr = stage_io("mirror", 0x100);
     memory_region_init_alias(mr, NULL, "mirror", mr, 0, 0x1000))
CASE(alias_of_itself_unnamed, MemoryRegion *mr = new_storage();
     memory_region_init_alias(mr, NULL, NULL, mr, 0, 0x1000))
CASE(ram_ptr_null, memory_region_init_ram_ptr(new_storage(), NULL, NULL, 0x1000, NULL))
CASE(rom_device_without_ops,
     memory_region_init_rom_device_nomigrate(new_storage(), NULL, NULL, NULL, NULL, 0x1000, &error_fatal))
CASE(no_path,
     memory_region_init_ram_from_file(new_storage(), NULL, "pathless", 0x1000, 0, 0, NULL, false, &error_fatal))
CASE(no_path_unnamed,
     memory_region_init_ram_from_file(new_storage(), NULL, NULL, 0x1000, 0, 0, NULL, false, &error_fatal))

/* ---- the end ---- */

/* A parent is not always the owner: it cannot take out what stands where others put it. */
static void parent_dies_before_the_container(void)
{
    Object *parent = stage_owner("parent");
    MemoryRegion *mr = new_storage();

    memory_region_init(mr, NULL, NULL, 0x100);
    object_property_add_child(parent, "adopted", OBJECT(mr));
    object_unref(OBJECT(mr));
    memory_region_add_subregion(stage_container("the container", 0x1000), 0, mr);
    stage_owner_drop(parent);
}

/* ---- memory that is not there ---- */

/* What the offsets of two aliases add up to is no address of the memory, though its lower half is. */
static void ram_ptr_behind_all_addresses(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *inner = stage_alias("inner", ram, UINT64_C(1) << 63, 0x1000);

    memory_region_get_ram_ptr(stage_alias("far away", inner, UINT64_C(1) << 63, 0x1000));
}

/* The last byte is memory still, and reached by two steps. */
static void ram_ptr_of_the_last_byte(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *inner = stage_alias("inner", ram, 0xff0, 0x10);

    check_pointer(memory_region_get_ram_ptr(stage_alias("outer", inner, 0xf, 1)),
                  (uint8_t *)memory_region_get_ram_ptr(ram) + 0xfff);
}

/* ---- spaces, listeners, sections ---- */

CASE(destroy_nothing, address_space_destroy(NULL))

static void unnamed_listener_twice(void)
{
    AddressSpace *as = stage_space(stage_container("root", 0x1000), "as");
    Recorder *recorder = recorder_new("r", 0, stage_log());

    recorder->listener.name = NULL;
    memory_listener_register(&recorder->listener, as);
    memory_listener_register(&recorder->listener, as);
}

static void unnamed_listener_of_a_destroyed_space(void)
{
    AddressSpace *as = stage_space(stage_container("root", 0x1000), "as");
    Recorder *recorder = recorder_new("r", 0, stage_log());

    recorder->listener.name = NULL;
    memory_listener_register(&recorder->listener, as);
    stage_space_destroy(as);
    memcore_drain();
}

static void copy_of_nothing_in_a_dead_view(void)
{
    MemoryRegion *root = stage_container("root", 0x10000), *mr = stage_io("mr", 0x1000);
    MemoryRegionSection found;

    stage_add(root, 0x1000, mr);
    stage_space(root, "as");
    found = memory_region_find(mr, 0, 0x1000);
    found.mr = NULL;
    stage_del(root, mr);
    memory_region_section_new_copy(&found);
}

int main(int argc, char **argv)
{
    static const Misuse cases[] = {
        { "/R-OBJ-1/no-storage", no_storage, "memory_region_init", "nowhere*(R-OBJ-1)" },
        { "/R-OBJ-1/no-storage-unnamed", no_storage_unnamed, "memory_region_init_io", "'(unnamed)'*(R-OBJ-1)" },
        { "/R-OBJ-1/again/in-a-container", in_a_container, "memory_region_init", "reborn*(R-OBJ-1)" },
        { "/R-OBJ-1/again/a-container", a_container, "memory_region_init", "reborn*(R-OBJ-1)" },
        { "/R-OBJ-1/again/a-root", a_root, "memory_region_init", "reborn*(R-OBJ-1)" },
        { "/R-OBJ-1/again/a-target", a_target, "memory_region_init", "reborn*(R-OBJ-1)" },
        { "/R-OBJ-1/again/a-child", a_child, "memory_region_init", "still alive*(R-OBJ-1)" },
        { "/R-OBJ-1/again/a-child-unnamed", a_child_unnamed, "memory_region_init",
          "'(unnamed)'*still alive*(R-OBJ-1)" },
        { "/R-OBJ-2/unnamed-and-owner-is-dying", owner_is_dying, "memory_region_init", "'(unnamed)'*(R-OBJ-2)" },
        { "/R-TREE-13/unnamed-of-nothing", alias_of_nothing, "memory_region_init_alias",
          "'(unnamed)'*(R-TREE-13)" },
        { "/R-TREE-5/alias-of-itself", alias_of_itself, "memory_region_init_alias", "mirror*(R-TREE-5)" },
        { "/R-TREE-5/unnamed-alias-of-itself", alias_of_itself_unnamed, "memory_region_init_alias",
          "'(unnamed)'*(R-TREE-5)" },
        { "/R-REG-3/unnamed-ram-ptr-null", ram_ptr_null, "memory_region_init_ram_ptr", "'(unnamed)'*(R-RAM-7)" },
        { "/R-REG-3/unnamed-rom-device-without-ops", rom_device_without_ops,
          "memory_region_init_rom_device_nomigrate", "'(unnamed)'*(R-REG-3)" },
        { "/R-REG-3/no-path", no_path, "memory_region_init_ram_from_file", "pathless*(R-FILE-1)" },
        { "/R-REG-3/unnamed-no-path", no_path_unnamed, "memory_region_init_ram_from_file",
          "'(unnamed)'*(R-FILE-1)" },
        { "/R-OBJ-9/parent-is-not-the-owner", parent_dies_before_the_container, "memory_region_finalize",
          "the container*(R-OBJ-9)" },
        { "/R-REG-6/ram-ptr-behind-all-addresses", ram_ptr_behind_all_addresses, "memory_region_get_ram_ptr",
          "far away*(R-RAM-24)" },
        { "/R-TX-9/destroy-nothing", destroy_nothing, "address_space_destroy", "NULL*(R-TX-9)" },
        { "/R-LST-4/unnamed-twice", unnamed_listener_twice, "memory_listener_register", "'(unnamed)'*(R-LST-4)" },
        { "/R-TX-9/unnamed-listener-left", unnamed_listener_of_a_destroyed_space, "address_space_destroy",
          "'(unnamed)'*(R-TX-9)" },
        { "/R-SEC-3/nothing-of-a-dead-view", copy_of_nothing_in_a_dead_view, "memory_region_section_new_copy",
          "'(none)'*(R-SEC-3)" },
    };

    conformance_start(&argc, &argv);
    conformance_misuses(cases);
    conformance_case("/R-OBJ-1/unused-storage", unused_storage);
    conformance_case("/R-REG-6/ram-ptr-of-the-last-byte", ram_ptr_of_the_last_byte);
    return g_test_run();
}
