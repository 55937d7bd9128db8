/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification part 1, section 11: broken preconditions.
 *
 * Each row of its table that the core can notice is a case: here, or with its
 * rule's other cases (R-OBJ-10, R-TREE-4 to -6 and -10, R-TX-1 and -9, R-EFD-3,
 * R-COAL-5, R-LST-6 and -13, R-LOG-*, R-SEC-*).  The core cannot notice these, and they
 * have no case:
 *   an owner whose memory is gone, a container that was never initialised
 *   an address space whose struct was freed before the deferred part ran
 *   a find result that is never unreferenced
 * Where memcore reports an Error instead of stopping (part 3, section 11 says where),
 * the case checks that nothing is left behind.
 */
#include "common/conformance.h"

#include <string.h>

#include "exec/cpu-common.h"

/* ---- init ---- */

static void too_many_equal_names(void)
{
    enum { LIMIT = 32767 };
    Object *owner = stage_owner("dev");
    MemoryRegion *regions = g_new(MemoryRegion, LIMIT + 1);

    for (int i = 0; i <= LIMIT; i++) {
        memory_region_init(&regions[i], owner, "crowd", 1);
        if (i == LIMIT - 1) {
            /* So many are fine: nothing may have been written up to here. */
            g_assert_cmpstr(object_get_canonical_path_component(OBJECT(&regions[i])), ==, "crowd[32766]");
        }
    }
}

static void init_in_a_container(void)
{
    MemoryRegion *mr = stage_io("still alive", 0x100);

    memory_region_add_subregion(stage_container("c", 0x1000), 0, mr);
    memory_region_init(mr, NULL, "reborn", 0x1000);
}

static void init_in_a_view(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *mr = stage_io(NULL, 0x100);

    memory_region_add_subregion(root, 0x100, mr);
    stage_space(root, "as");
    memory_region_del_subregion(root, mr);
    memory_region_init_io(mr, NULL, &stage_ops, NULL, "reborn", 0x1000);
}

static void init_of_an_alias_target(void)
{
    MemoryRegion *mr = stage_io(NULL, 0x100);

    stage_alias("alias", mr, 0, 0x100);
    memory_region_init_ram(mr, NULL, "reborn", 0x1000, &error_fatal);
}

static void init_of_a_child(void)
{
    MemoryRegion *mr = stage_io("still alive", 0x100);

    memory_region_init_alias(mr, NULL, "reborn", stage_io("target", 0x100), 0, 0x100);
}

static void make_a_child_of_the_dying(void *opaque)
{
    static MemoryRegion late;
    Object **owner = opaque;

    memory_region_init(&late, *owner, "late", 0x1000);
}

static void owner_is_dying(void)
{
    static Object *owner;

    owner = stage_owner_watched("dev", make_a_child_of_the_dying, &owner);
    stage_owner_drop(owner);
}

static void check_bad_input(MemoryRegion *mr, Error *error)
{
    if (check_init_failed(mr, NULL, error)) {
        error_free(error);
        check_number(stage_statistics().ram_blocks, 0);
    }
}

static void ram_flags_outside_the_table(void)
{
    static const uint32_t flags[] = {
        RAM_PREALLOC, RAM_RESIZEABLE, RAM_UF_ZEROPAGE, RAM_MIGRATABLE, RAM_PMEM, RAM_UF_WRITEPROTECT,
        RAM_PROTECTED, RAM_SHARED | RAM_PMEM, 1u << 9, 1u << 31,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        memory_region_init_ram_flags_nomigrate(mr, NULL, "ram", 0x1000, flags[i], &error);
        check_bad_input(mr, error);
    }
}

static void maximum_below_the_size(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    Error *error = NULL;

    memory_region_init_resizeable_ram(mr, NULL, "ram", 0x3000, 0x2000, NULL, &error);
    check_bad_input(mr, error);
}

static void ram_ptr_null(void)
{
    MemoryRegion mr;

    memory_region_init_ram_ptr(&mr, NULL, "pointless", 0x1000, NULL);
}

static void ram_device_ptr_null(void)
{
    MemoryRegion mr;

    memory_region_init_ram_device_ptr(&mr, NULL, "pointless", 0x1000, NULL);
}

static void ram_ptr_of_no_size(void)
{
    static uint8_t host[0x1000];
    MemoryRegion mr;

    memory_region_init_ram_ptr(&mr, NULL, "empty memory", 0, host);
}

static void ram_ptr_of_all_sizes(void)
{
    static uint8_t host[0x1000];
    MemoryRegion mr;

    memory_region_init_ram_ptr(&mr, NULL, "all memory", UINT64_MAX, host);
}

static void ram_device_ptr_of_no_size(void)
{
    static uint8_t host[0x1000];
    MemoryRegion mr;

    memory_region_init_ram_device_ptr(&mr, NULL, "empty memory", 0, host);
}

/* The block's id string would have no path to begin with; the kinds that need none do not mind. */
static void owner_is_no_device(void)
{
    for (int kind = 0; kind < 3; kind++) {
        Object *owner = object_new(TYPE_CONTAINER);
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        switch (kind) {
        case 0: memory_region_init_ram(mr, owner, "misowned", 0x1000, &error); break;
        case 1: memory_region_init_rom(mr, owner, "misowned", 0x1000, &error); break;
        case 2: memory_region_init_rom_device(mr, owner, &stage_ops, NULL, "misowned", 0x1000, &error); break;
        }
        check_bad_input(mr, error);
        memory_region_init_ram_nomigrate(mr, owner, "misowned", 0x1000, &error_fatal);
        check_number(stage_statistics().ram_blocks, 1);
        object_unref(owner);
        check_number(stage_statistics().ram_blocks, 0);
    }
}

static void rom_device_without_ops(void)
{
    MemoryRegion mr;

    memory_region_init_rom_device(&mr, NULL, NULL, NULL, "unanswered", 0x1000, &error_fatal);
}

static void rom_device_nomigrate_without_ops(void)
{
    MemoryRegion mr;

    memory_region_init_rom_device_nomigrate(&mr, NULL, NULL, NULL, "unanswered", 0x1000, &error_fatal);
}

static void alias_of_nothing(void)
{
    MemoryRegion mr;

    memory_region_init_alias(&mr, NULL, "window", NULL, 0, 0x1000);
}

/* ---- the tree ---- */

static void add_twice(void)
{
    MemoryRegion *c = stage_container("first place", 0x1000);
    MemoryRegion *mr = stage_io("double", 0x100);

    memory_region_add_subregion(c, 0, mr);
    memory_region_add_subregion(c, 0x100, mr);
}

static void add_overlap_elsewhere(void)
{
    MemoryRegion *first = stage_container("first place", 0x1000);
    MemoryRegion *second = stage_container("second place", 0x1000);
    MemoryRegion *mr = stage_alias("double", stage_io("target", 0x100), 0, 0x100);

    memory_region_add_subregion(first, 0, mr);
    memory_region_add_subregion_overlap(second, 0, mr, 1);
}

/* Messages print names, they do not interpret them. */
static void name_with_conversions(void)
{
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *mr = stage_io("100%s%n%d", 0x100);

    memory_region_add_subregion(c, 0, mr);
    memory_region_add_subregion(c, 0, mr);
}

/* And one line stays one line. */
static void name_with_a_newline(void)
{
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *mr = stage_io("two\nlines", 0x100);

    memory_region_add_subregion(c, 0, mr);
    memory_region_add_subregion(c, 0, mr);
}

static void name_is_null(void)
{
    MemoryRegion *c = stage_container("first place", 0x1000);
    MemoryRegion *mr = stage_io(NULL, 0x100);

    memory_region_add_subregion(c, 0, mr);
    memory_region_add_subregion(c, 0, mr);
}

static void del_from_nowhere(void)
{
    memory_region_del_subregion(stage_container("c", 0x1000), stage_io("homeless", 0x100));
}

static void del_twice(void)
{
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *mr = stage_io("homeless", 0x100);

    memory_region_add_subregion(c, 0, mr);
    memory_region_del_subregion(c, mr);
    memory_region_del_subregion(c, mr);
}

static void alias_offset_of_a_container(void)
{
    memory_region_set_alias_offset(stage_container("no window", 0x1000), 0x10);
}

/* Also where it would change nothing. */
static void same_alias_offset_of_a_container(void)
{
    memory_region_set_alias_offset(stage_container("no window", 0x1000), 0);
}

static void log_for_migration(void)
{
    memory_region_set_log(stage_ram("screen", 0x1000), true, DIRTY_MEMORY_MIGRATION);
}

static void log_for_code(void)
{
    memory_region_set_log(stage_ram("screen", 0x1000), true, DIRTY_MEMORY_CODE);
}

static void log_for_nobody(void)
{
    memory_region_set_log(stage_ram("screen", 0x1000), false, 77);
}

/* ---- the end of a region ---- */

static void finalize_in_a_container(void)
{
    MemoryRegion *mr = stage_io("still inside", 0x100);

    memory_region_add_subregion(stage_container("c", 0x1000), 0, mr);
    object_unparent(OBJECT(mr));
}

static void finalize_unnamed_in_a_container(void)
{
    MemoryRegion *mr = stage_io(NULL, 0x100);

    memory_region_add_subregion(stage_container("the container", 0x1000), 0, mr);
    object_unref(OBJECT(mr));
}

static void finalize_root_of_a_space(void)
{
    MemoryRegion *root = stage_container("still a root", 0x1000);

    stage_space(root, "as");
    object_unparent(OBJECT(root));
}

/* The space is off the list, but holds its root until the deferred part has run. */
static void finalize_root_of_a_dying_space(void)
{
    MemoryRegion *root = stage_container("still a root", 0x1000);

    stage_space_destroy(stage_space(root, "as"));
    object_unparent(OBJECT(root));
}

/* Taken out of its container, but a view that shows it awaits its grace period. */
static void finalize_in_an_old_view(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *mr = stage_io("still shown", 0x100);

    memory_region_add_subregion(root, 0x100, mr);
    stage_space(root, "as");
    memory_region_del_subregion(root, mr);
    object_unparent(OBJECT(mr));
}

static void finalize_in_the_published_view(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *mr = stage_io("still shown", 0x100);

    memory_region_add_subregion(root, 0x100, mr);
    stage_space(root, "as");
    memory_region_transaction_begin();
    memory_region_del_subregion(root, mr);
    object_unparent(OBJECT(mr));
    memory_region_transaction_commit();
}

/* ---- eventfds, spaces, listeners ---- */

static void add_eventfd_of_size_3(void)
{
    memory_region_add_eventfd(stage_io("doorbell", 0x100), 0, 3, false, 0, stage_notifier("e"));
}

static void add_eventfd_of_size_16(void)
{
    memory_region_add_eventfd(stage_io("doorbell", 0x100), 0, 16, true, 1, stage_notifier("e"));
}

static void del_eventfd_of_size_5(void)
{
    MemoryRegion *io = stage_io("doorbell", 0x100);
    EventNotifier *e = stage_notifier("e");

    memory_region_add_eventfd(io, 0, 4, false, 0, e);
    memory_region_del_eventfd(io, 0, 5, false, 0, e);
}

static void space_without_root(void)
{
    AddressSpace as;

    address_space_init(&as, NULL, "rootless");
}

static void space_made_twice(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);

    address_space_init(stage_space(root, "the first"), root, "the second");
}

/* Off the list, but in use until the deferred part has run. */
static void space_made_again_too_early(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    AddressSpace *as = stage_space(root, "the first");

    stage_space_destroy(as);
    address_space_init(as, root, "the second");
}

static void destroyed_twice(void)
{
    AddressSpace *as = stage_space(stage_container("root", 0x1000), "the doomed");

    stage_space_destroy(as);
    address_space_destroy(as);
}

static void register_twice(void)
{
    AddressSpace *as = stage_space(stage_container("root", 0x1000), "as");
    Recorder *recorder = recorder_new("eager", 0, stage_log());

    recorder_register(recorder, as);
    recorder_register(recorder, as);
}

static void register_on_two_spaces(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    AddressSpace *first = stage_space(root, "first");
    AddressSpace *second = stage_space(root, "second");
    Recorder *recorder = recorder_new("eager", 0, stage_log());

    recorder_register(recorder, first);
    recorder_register(recorder, second);
}

/* ---- dirty logging ---- */

static void log_start_without_flags(void)
{
    memory_global_dirty_log_start(0);
}

static void log_start_with_an_unknown_flag(void)
{
    memory_global_dirty_log_start(GLOBAL_DIRTY_MASK + 1);
}

static void log_start_with_a_known_and_an_unknown_flag(void)
{
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION | 1u << 31);
}

static void log_stop_without_flags(void)
{
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    memory_global_dirty_log_stop(0);
}

static void log_stop_with_an_unknown_flag(void)
{
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION | (GLOBAL_DIRTY_MASK + 1));
}

/* At the call, although the stop itself waits: the machine never runs again here. */
static void log_stop_while_paused_with_an_unknown_flag(void)
{
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MASK + 1);
}

static void log_stop_while_paused_without_flags(void)
{
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    memcore_set_vm_running(false);
    memory_global_dirty_log_stop(0);
}

/* ---- memory that is not there ---- */

static void ram_ptr_of_io(void)
{
    memory_region_get_ram_ptr(stage_io("no memory", 0x1000));
}

static void ram_ptr_of_an_alias_of_io(void)
{
    MemoryRegion *io = stage_io("target", 0x1000);

    memory_region_get_ram_ptr(stage_alias("no memory", io, 0, 0x1000));
}

static void ram_ptr_of_a_container_of_ram(void)
{
    MemoryRegion *c = stage_container("no memory", 0x1000);

    memory_region_add_subregion(c, 0, stage_ram("ram", 0x1000));
    memory_region_get_ram_ptr(c);
}

static void ram_ptr_behind_the_end(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x1000);

    memory_region_get_ram_ptr(stage_alias("no memory", ram, 0x1000, 0x1000));
}

/* This one has an answer for everything (R-RAM-26). */
static void fd_of_anything(void)
{
    MemoryRegion *io = stage_io("io", 0x1000);

    check_number((uint64_t)memory_region_get_fd(io), (uint64_t)-1);
    check_number((uint64_t)memory_region_get_fd(stage_container("c", 0x1000)), (uint64_t)-1);
    check_number((uint64_t)memory_region_get_fd(stage_alias("alias", io, 0, 0x1000)), (uint64_t)-1);
    check_number((uint64_t)memory_region_get_fd(stage_ram("ram", 0x1000)), (uint64_t)-1);
}

static void add_cases_of_regions(void)
{
    static const Misuse cases[] = {
        { "/R-OBJ-2/too-many-equal-names", too_many_equal_names, "object_property_add_child", "crowd*(R-OBJ-2)" },
        { "/R-OBJ-1/init-in-a-container", init_in_a_container, "memory_region_init",
          "'reborn'*the live region 'still alive'*(R-OBJ-1)" },
        { "/R-OBJ-1/init-in-a-view", init_in_a_view, "memory_region_init_io",
          "'reborn'*the live region '(unnamed)'*(R-OBJ-1)" },
        { "/R-OBJ-1/init-of-an-alias-target", init_of_an_alias_target, "memory_region_init_ram",
          "'reborn'*the live region '(unnamed)'*(R-OBJ-1)" },
        { "/R-OBJ-1/init-of-a-child", init_of_a_child, "memory_region_init_alias",
          "'reborn'*the live region 'still alive'*(R-OBJ-1)" },
        { "/R-OBJ-2/owner-is-dying", owner_is_dying, "memory_region_init",
          "'late': its owner*is being finalized (R-OBJ-2)" },
        { "/R-REG-3/ram-ptr-null", ram_ptr_null, "memory_region_init_ram_ptr",
          "'pointless': no memory given (NULL) (R-RAM-7)" },
        { "/R-REG-3/ram-device-ptr-null", ram_device_ptr_null, "memory_region_init_ram_device_ptr",
          "'pointless': no memory given (NULL) (R-RAM-7)" },
        { "/R-REG-5/ram-ptr-of-no-size", ram_ptr_of_no_size, "memory_region_init_ram_ptr",
          "'empty memory', size 0x0*(R-REG-5)" },
        { "/R-REG-5/ram-ptr-of-all-sizes", ram_ptr_of_all_sizes, "memory_region_init_ram_ptr",
          "'all memory', size 0xffffffffffffffff*(R-REG-5)" },
        { "/R-REG-5/ram-device-ptr-of-no-size", ram_device_ptr_of_no_size, "memory_region_init_ram_device_ptr",
          "'empty memory', size 0x0*(R-REG-5)" },
        { "/R-REG-3/rom-device-without-ops", rom_device_without_ops, "memory_region_init_rom_device",
          "'unanswered'*need ops (NULL) (R-REG-3)" },
        { "/R-REG-3/rom-device-nomigrate-without-ops", rom_device_nomigrate_without_ops,
          "memory_region_init_rom_device_nomigrate",
          "'unanswered'*need ops (NULL) (R-REG-3)" },
        { "/R-TREE-13/alias-of-nothing", alias_of_nothing, "memory_region_init_alias",
          "'window' has no target (NULL) (R-TREE-13)" },
        { "/R-TREE-1/added-twice", add_twice, "memory_region_add_subregion",
          "'double' cannot be added to 'first place'*(R-TREE-1)" },
        { "/R-TREE-1/added-elsewhere", add_overlap_elsewhere, "memory_region_add_subregion_overlap",
          "'double' cannot be added to 'second place'*in container 'first place'*(R-TREE-1)" },
        { "/R-TREE-1/name-with-conversions", name_with_conversions, "memory_region_add_subregion",
          "'100%s%n%d'*(R-TREE-1)" },
        { "/R-TREE-1/name-with-a-newline", name_with_a_newline, "memory_region_add_subregion",
          "'two\\x0alines'*(R-TREE-1)" },
        { "/R-TREE-1/name-is-null", name_is_null, "memory_region_add_subregion",
          "'(unnamed)' cannot be added to 'first place'*(R-TREE-1)" },
        { "/R-TREE-6/from-nowhere", del_from_nowhere, "memory_region_del_subregion",
          "'homeless' is not in 'c'; its container is '(none)' (R-TREE-6)" },
        { "/R-TREE-6/twice", del_twice, "memory_region_del_subregion",
          "'homeless' is not in 'c'; its container is '(none)' (R-TREE-6)" },
        { "/R-TREE-8/offset-of-a-container", alias_offset_of_a_container, "memory_region_set_alias_offset",
          "'no window' is not an alias*0x10 (R-TREE-8)" },
        { "/R-TREE-8/same-offset-of-a-container", same_alias_offset_of_a_container, "memory_region_set_alias_offset",
          "'no window' is not an alias*0x0 (R-TREE-8)" },
        { "/R-TREE-10/for-migration", log_for_migration, "memory_region_set_log",
          "'screen': client 2 cannot be set, only DIRTY_MEMORY_VGA (R-DLOG-2)" },
        { "/R-TREE-10/for-code", log_for_code, "memory_region_set_log",
          "'screen': client 1 cannot be set, only DIRTY_MEMORY_VGA (R-DLOG-2)" },
        { "/R-TREE-10/for-nobody", log_for_nobody, "memory_region_set_log",
          "'screen': client 77 cannot be set, only DIRTY_MEMORY_VGA (R-DLOG-2)" },
        { "/R-OBJ-9/in-a-container", finalize_in_a_container, "memory_region_finalize", "still inside*(R-OBJ-9)" },
        { "/R-OBJ-9/unnamed-in-a-container", finalize_unnamed_in_a_container, "memory_region_finalize",
          "the container*(R-OBJ-9)" },
        { "/R-OBJ-9/root-of-a-space", finalize_root_of_a_space, "memory_region_finalize", "still a root*(R-TX-9)" },
        { "/R-OBJ-9/root-of-a-dying-space", finalize_root_of_a_dying_space, "memory_region_finalize",
          "still a root*(R-TX-9)" },
        { "/R-OBJ-9/in-an-old-view", finalize_in_an_old_view, "memory_region_finalize", "still shown*(R-TX-6)" },
        { "/R-OBJ-9/in-the-published-view", finalize_in_the_published_view, "memory_region_finalize",
          "still shown*(R-TX-6)" },
        { "/R-REG-6/ram-ptr-of-io", ram_ptr_of_io, "memory_region_get_ram_ptr",
          "'no memory' has no memory (R-RAM-24)" },
        { "/R-REG-6/ram-ptr-of-an-alias-of-io", ram_ptr_of_an_alias_of_io, "memory_region_get_ram_ptr",
          "'no memory' has no memory: it leads to 'target' (R-RAM-24)" },
        { "/R-REG-6/ram-ptr-of-a-container", ram_ptr_of_a_container_of_ram, "memory_region_get_ram_ptr",
          "'no memory' has no memory (R-RAM-24)" },
        { "/R-REG-6/ram-ptr-behind-the-end", ram_ptr_behind_the_end, "memory_region_get_ram_ptr",
          "'no memory' starts at*of 'ram', of which*(R-RAM-24)" },
    };

    conformance_misuses(cases);
    conformance_case("/R-REG-3/ram-flags-outside-the-table", ram_flags_outside_the_table);
    conformance_case("/R-REG-3/maximum-below-the-size", maximum_below_the_size);
    conformance_case("/R-REG-3/owner-is-no-device", owner_is_no_device);
    conformance_case("/R-REG-6/fd-of-anything", fd_of_anything);
}

static void add_cases_of_topology(void)
{
    static const Misuse cases[] = {
        { "/R-EFD-1/add-of-size-3", add_eventfd_of_size_3, "memory_region_add_eventfd",
          "'doorbell', address 0x0: size 3 is not*(R-EFD-1)" },
        { "/R-EFD-1/add-of-size-16", add_eventfd_of_size_16, "memory_region_add_eventfd",
          "'doorbell', address 0x0: size 16 is not*(R-EFD-1)" },
        { "/R-EFD-1/del-of-size-5", del_eventfd_of_size_5, "memory_region_del_eventfd",
          "'doorbell', address 0x0: size 5 is not*(R-EFD-1)" },
        { "/R-TX-7/no-root", space_without_root, "address_space_init",
          "'rootless' has no root region (NULL) (R-TX-7)" },
        { "/R-TX-7/made-twice", space_made_twice, "address_space_init",
          "'the second'*the live address space 'the first' (R-TX-7)" },
        { "/R-TX-9/made-again-too-early", space_made_again_too_early, "address_space_init",
          "'the second'*'the first'*waits for a grace period (R-TX-9)" },
        { "/R-TX-9/destroyed-twice", destroyed_twice, "address_space_destroy", "is not an address space*(R-TX-9)" },
        { "/R-LST-4/registered-twice", register_twice, "memory_listener_register",
          "'eager' is registered already, with address space 'as' (R-LST-4)" },
        { "/R-LST-4/registered-on-two-spaces", register_on_two_spaces, "memory_listener_register",
          "'eager' is registered already, with address space 'first' (R-LST-4)" },
        { "/R-LOG-1/start-without-flags", log_start_without_flags, "memory_global_dirty_log_start",
          "flags 0x0 are not*GLOBAL_DIRTY_MASK, 0x3 (R-DLOG-7)" },
        { "/R-LOG-1/unknown-flag", log_start_with_an_unknown_flag, "memory_global_dirty_log_start",
          "flags 0x4 are not*GLOBAL_DIRTY_MASK, 0x3 (R-DLOG-7)" },
        { "/R-LOG-1/known-and-unknown-flag", log_start_with_a_known_and_an_unknown_flag,
          "memory_global_dirty_log_start",
          "flags 0x80000001 are not*GLOBAL_DIRTY_MASK, 0x3 (R-DLOG-7)" },
        { "/R-LOG-2/stop-without-flags", log_stop_without_flags, "memory_global_dirty_log_stop",
          "flags 0x0 are not*GLOBAL_DIRTY_MASK, 0x3 (R-DLOG-8)" },
        { "/R-LOG-2/unknown-flag", log_stop_with_an_unknown_flag, "memory_global_dirty_log_stop",
          "flags 0x5 are not*GLOBAL_DIRTY_MASK, 0x3 (R-DLOG-8)" },
        { "/R-LOG-3/unknown-flag", log_stop_while_paused_with_an_unknown_flag, "memory_global_dirty_log_stop",
          "flags 0x4 are not*GLOBAL_DIRTY_MASK, 0x3 (R-DLOG-8)" },
        { "/R-LOG-3/without-flags", log_stop_while_paused_without_flags, "memory_global_dirty_log_stop",
          "flags 0x0 are not*GLOBAL_DIRTY_MASK, 0x3 (R-DLOG-8)" },
    };

    conformance_misuses(cases);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    add_cases_of_regions();
    add_cases_of_topology();
    return g_test_run();
}
