/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 1: who keeps whom alive, how a region ends (R-OBJ-6 to R-OBJ-10); I-16. */
#include "common/conformance.h"

#include <string.h>

/* Finalized: R-OBJ-9 (6), "afterwards parent is NULL". */
static bool finalized(MemoryRegion *mr)
{
    return !memory_region_name(mr) && !memory_region_owner(mr);
}

/* Writes "NAME gone" into a log when its owner dies. */
typedef struct {
    const char *name;
    GString *log;
} Epitaph;

static void write_epitaph(void *opaque)
{
    Epitaph *e = opaque;

    g_string_append_printf(e->log, "%s gone\n", e->name);
}

/* ---- R-OBJ-6: memcore counts exactly, nothing but what is named there ---- */

static void membership_counts_one(void)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *c = stage_container("c", 0x10000);

    stage_set_owner(owner);
    MemoryRegion *io = stage_io("io", 0x1000);

    /* No address space anywhere: there is no view that could count too. */
    stage_add(c, 0, io);
    check_number(stage_owner_references(owner), 2);
    memory_region_set_address(io, 0x800);
    check_number(stage_owner_references(owner), 2);
    stage_del(c, io);
    check_number(stage_owner_references(owner), 1);
}

/*
 * The example of R-OBJ-6.  The root collapses onto io, so io counts as member, as
 * D and as range.  QEMU shows 5: its dispatch structures hold one more.
 */
static void only_child_of_a_root(void)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *root = stage_container("root", 0x1000);

    stage_set_owner(owner);
    MemoryRegion *io = stage_io("io", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    check_number(stage_owner_references(owner), 1);
    stage_add(root, 0, io);
    memcore_drain();
    check_view(as, "io[0,0x1000)");
    check_number(stage_owner_references(owner), 1 + 3);
    stage_del(root, io);
    /* The membership goes at once, the view's part after a grace period (R-TX-6). */
    check_number(stage_owner_references(owner), 1 + 2);
    memcore_drain();
    check_number(stage_owner_references(owner), 1);
}

static void root_of_an_address_space(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *root = stage_container("root", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    /* D = none: the root counts alone. */
    check_number(stage_owner_references(owner), 1 + 1);
    stage_space_destroy(as);
    check_number(stage_owner_references(owner), 1 + 1);
    memcore_drain();
    check_number(stage_owner_references(owner), 1);
}

static void root_and_collapsed_root(void)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *a = stage_io("a", 0x100);
    MemoryRegion *b = stage_io("b", 0x100);

    stage_set_owner(owner);
    MemoryRegion *root = stage_container("root", 0x1000);

    stage_add(root, 0x100, a);
    stage_add(root, 0x200, b);
    AddressSpace *as = stage_space(root, "as");
    check_number(stage_owner_references(owner), 1 + 2);
    AddressSpace *second = stage_space(root, "second");
    /* The same view object: D is counted once. */
    check_number(stage_owner_references(owner), 1 + 3);
    stage_space_destroy(second);
    memcore_drain();
    check_number(stage_owner_references(owner), 1 + 2);
    stage_space_destroy(as);
    memcore_drain();
    check_number(stage_owner_references(owner), 1);
}

static void every_range_counts(void)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *other = stage_io("other", 0x1000);
    MemoryRegion *hole = stage_io("hole", 0x100);

    stage_set_owner(owner);
    MemoryRegion *io = stage_io("io", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x8000, other);
    stage_add(root, 0, io);
    memcore_drain();
    check_number(stage_owner_references(owner), 1 + 1 + 1);
    stage_add_overlap(root, 0x100, hole, 1);
    memcore_drain();
    check_view(as, "io[0,0x100), hole[0x100,0x200), io[0x200,0x1000)@0x200, other[0x8000,0x9000)");
    check_number(stage_owner_references(owner), 1 + 1 + 2);
    memory_region_set_enabled(io, false);
    memcore_drain();
    check_number(stage_owner_references(owner), 1 + 1);
}

/* A range counts on the terminating region's owner; the alias counts only as a member. */
static void alias_counts_as_member_only(void)
{
    Object *device = stage_owner("device");
    Object *bus = stage_owner("bus");
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *other = stage_io("other", 0x1000);

    stage_set_owner(device);
    MemoryRegion *io = stage_io("io", 0x1000);
    stage_set_owner(bus);
    MemoryRegion *alias = stage_alias("alias", io, 0, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x8000, other);
    stage_add(root, 0, alias);
    memcore_drain();
    check_view(as, "io[0,0x1000), other[0x8000,0x9000)");
    check_number(stage_owner_references(device), 1 + 1);
    check_number(stage_owner_references(bus), 1 + 1);
}

static void find_result_counts(void)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *other = stage_io("other", 0x1000);

    stage_set_owner(owner);
    MemoryRegion *io = stage_io("io", 0x1000);
    stage_add(root, 0, io);
    stage_add(root, 0x8000, other);
    stage_space(root, "as");

    unsigned before = stage_owner_references(owner);
    MemoryRegionSection found = memory_region_find(root, 0x10, 4);
    check_pointer(found.mr, io);
    check_number(stage_owner_references(owner), before + 1);
    memory_region_unref(found.mr);
    check_number(stage_owner_references(owner), before);
    memory_region_find(root, 0x4000, 4);
    check_number(stage_owner_references(owner), before);
    check(memory_region_present(root, 0x10));
    check_number(stage_owner_references(owner), before);
}

/* ---- R-OBJ-7: the better behaviour ---- */

static void container_and_child_of_one_owner(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *io = stage_io("io", 0x1000);

    stage_add(c, 0, io);
    check_number(stage_owner_references(owner), 1);
    stage_del(c, io);
    check_number(stage_owner_references(owner), 1);
    stage_add(c, 0, io);
    memory_region_set_address(io, 0x100);
    check_number(stage_owner_references(owner), 1);
    stage_owner_drop(owner);
    check(stage_owner_gone(owner));
    check(finalized(c));
    check(finalized(io));
}

/* Whatever was made first, and aliases among the members: all is taken out before anything is finalized. */
static void family_dies_in_any_order(void)
{
    for (int order = 0; order < 2; order++) {
        Object *owner = stage_owner("dev");
        MemoryRegion *outer, *inner, *ram;

        stage_set_owner(owner);
        if (order) {
            ram = stage_ram("ram", 0x1000);
            inner = stage_container("inner", 0x8000);
            outer = stage_container("outer", 0x10000);
        } else {
            outer = stage_container("outer", 0x10000);
            inner = stage_container("inner", 0x8000);
            ram = stage_ram("ram", 0x1000);
        }
        MemoryRegion *alias = stage_alias("alias", ram, 0, 0x1000);
        MemoryRegion *second = stage_alias("second", alias, 0, 0x800);

        stage_add(outer, 0, inner);
        stage_add(inner, 0, ram);
        stage_add(inner, 0x1000, alias);
        stage_add(outer, 0x8000, second);
        check_number(stage_owner_references(owner), 1);
        stage_owner_drop(owner);
        check(stage_owner_gone(owner));
        check(finalized(outer) && finalized(inner) && finalized(ram));
        check(finalized(alias) && finalized(second));
        check_number(stage_statistics().ram_blocks, 0);
    }
}

/* Two owners: the membership is a reference, and keeps the child's owner alive. */
static void foreign_container_keeps_the_owner(void)
{
    Object *bus = stage_owner("bus");
    Object *device = stage_owner("device");

    stage_set_owner(bus);
    MemoryRegion *c = stage_container("c", 0x10000);
    stage_set_owner(device);
    MemoryRegion *io = stage_io("io", 0x1000);

    stage_add(c, 0, io);
    check_number(stage_owner_references(bus), 1);
    check_number(stage_owner_references(device), 2);
    stage_owner_drop(device);
    check(!stage_owner_gone(device));
    stage_del(c, io);
    check(stage_owner_gone(device));
}

/* No owner on either side is not "the same owner": nothing is counted, nothing dies. */
static void no_owner_is_not_a_common_owner(void)
{
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *io = stage_io("io", 0x1000);

    stage_add(c, 0, io);
    stage_release(c);
    check(finalized(c));
    check_text(memory_region_name(io), "io");
    check(!memory_region_is_mapped(io));
}

/* ---- R-OBJ-8 ---- */

static MemoryRegion *watched_regions[2];

static void regions_are_gone_already(void *opaque)
{
    (void)opaque;
    check(finalized(watched_regions[0]));
    check(finalized(watched_regions[1]));
    check_number(stage_statistics().ram_blocks, 0);
}

static void regions_before_the_owners_finalizer(void)
{
    Object *owner = stage_owner_watched("dev", regions_are_gone_already, NULL);

    stage_set_owner(owner);
    watched_regions[0] = stage_ram("ram", 0x1000);
    watched_regions[1] = stage_io("io", 0x1000);
    stage_owner_drop(owner);
    check(stage_owner_gone(owner));
}

static void containers_and_aliases_may_go_early(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *alias = stage_alias("alias", ram, 0, 0x1000);

    stage_add(c, 0, alias);
    stage_del(c, alias);
    stage_release(alias);
    check(finalized(alias));
    check_text(memory_region_name(ram), "ram");
    stage_release(c);
    check(finalized(c));
    check_number(stage_owner_references(owner), 1);
    check(!stage_owner_gone(owner));
}

/* ---- R-OBJ-9 ---- */

static void children_are_removed(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *b = stage_alias("b", a, 0, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(c, 0, a);
    stage_add(c, 0x1000, b);
    stage_release(c);
    check(finalized(c));
    check(!memory_region_is_mapped(a));
    check(!memory_region_is_mapped(b));
    stage_add(root, 0x4000, a);
    stage_add(root, 0x6000, b);
    check_view(as, "a[0x4000,0x5000), a[0x6000,0x7000)");
}

/* Each child's owner lives on the membership alone: the order of removal is the order of their deaths. */
static void children_go_front_to_back(void)
{
    GString *log = stage_log();
    Epitaph epitaphs[] = { { "low", log }, { "old", log }, { "new", log }, { "high", log } };
    int priorities[] = { -1, 0, 0, 1 };
    Object *owners[G_N_ELEMENTS(epitaphs)];
    MemoryRegion *c = stage_container("c", 0x10000);

    for (size_t i = 0; i < G_N_ELEMENTS(epitaphs); i++) {
        owners[i] = stage_owner_watched(epitaphs[i].name, write_epitaph, &epitaphs[i]);
        stage_set_owner(owners[i]);
        stage_add_overlap(c, 0, stage_io(epitaphs[i].name, 0x1000), priorities[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(epitaphs); i++) {
        stage_owner_drop(owners[i]);
    }
    check_log(log, "");
    stage_release(c);
    check_log(log, "high gone\nnew gone\nold gone\nlow gone\n");
}

/* The dying container counts as disabled while its children leave. */
static void finalizing_commits_nothing(void)
{
    GString *log = stage_log();
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *visible = stage_io("visible", 0x1000);
    MemoryRegion *c = stage_container("c", 0x10000);

    stage_add(root, 0, visible);
    stage_add(c, 0, stage_io("a", 0x1000));
    stage_add(c, 0x1000, stage_io("b", 0x1000));
    recorder_watch(stage_space(root, "as"), NULL, 0, log);
    stage_release(c);
    check_log(log, "");
}

static void own_ram_is_freed_the_callers_is_not(void)
{
    uint8_t *host = stage_storage(0x2000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    MemoryRegion *rom_device = stage_rom_device("romd", 0x1000);
    MemoryRegion *foreign = stage_ram_ptr("foreign", 0x1000, host);
    MemoryRegion *device = stage_storage(sizeof(MemoryRegion));

    memory_region_init_ram_device_ptr(device, NULL, "device", 0x1000, host + 0x1000);
    stage_adopt(device, NULL);
    check_number(stage_statistics().ram_blocks, 5);
    stage_release(ram);
    stage_release(rom);
    stage_release(rom_device);
    check_number(stage_statistics().ram_blocks, 2);
    stage_release(foreign);
    stage_release(device);
    memcore_drain();
    check_number(stage_statistics().ram_blocks, 0);
    memset(host, 0x5a, 0x2000);
    check_number(host[0x1fff], 0x5a);
}

/* Leaks show in a sanitizer build. */
static void lists_are_freed(void)
{
    MemoryRegion *io = stage_io("io", 0x1000);
    EventNotifier *e = stage_notifier("e");

    memory_region_add_eventfd(io, 0, 4, false, 0, e);
    memory_region_add_eventfd(io, 8, 4, true, 1, e);
    memory_region_add_coalescing(io, 0x10, 0x10);
    memory_region_add_coalescing(io, 0x30, 0x10);
    stage_release(io);
    check(finalized(io));
}

/* ---- R-OBJ-10: the better behaviour ---- */

static void target_may_go_after_its_aliases(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    MemoryRegion *first = stage_alias("first", ram, 0, 0x1000);
    MemoryRegion *second = stage_alias("second", ram, 0x1000, 0x1000);
    MemoryRegion *chained = stage_alias("chained", first, 0, 0x1000);

    stage_release(chained);
    stage_release(first);
    stage_release(second);
    stage_release(ram);
    check(finalized(ram));
    check_number(stage_statistics().ram_blocks, 0);
}

static void release_target_of_alias(void)
{
    MemoryRegion *target = stage_container("target", 0x1000);

    stage_alias("alias", target, 0, 0x1000);
    object_unparent(OBJECT(target));
}

static void release_target_of_second_alias(void)
{
    MemoryRegion *target = stage_container("target", 0x1000);
    MemoryRegion *first = stage_alias("first", target, 0, 0x1000);

    stage_alias("second", target, 0, 0x1000);
    stage_release(first);
    object_unparent(OBJECT(target));
}

static void release_alias_of_alias(void)
{
    MemoryRegion *target = stage_container("target", 0x1000);
    MemoryRegion *middle = stage_alias("middle", target, 0, 0x1000);

    stage_alias("outer", middle, 0, 0x1000);
    object_unparent(OBJECT(middle));
}

/* ---- I-16 ---- */

/* A busy life, then everything is given back: each count is what it was. */
static void counts_return_to_the_start(void)
{
    Object *a = stage_owner("a");
    Object *b = stage_owner("b");
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    stage_set_owner(a);
    MemoryRegion *ram = stage_ram("ram", 0x4000);
    stage_set_owner(b);
    MemoryRegion *c = stage_container("c", 0x8000);
    MemoryRegion *io = stage_io("io", 0x1000);
    MemoryRegion *alias = stage_alias("alias", ram, 0x1000, 0x2000);
    AddressSpace *as = stage_space(root, "as");
    AddressSpace *narrow = stage_space(c, "narrow");

    stage_add(c, 0x800, io);
    stage_add(c, 0, alias);
    stage_add(root, 0x10000, c);
    stage_add(root, 0, ram);
    for (int i = 0; i < 5; i++) {
        memory_region_set_enabled(io, i & 1);
        memory_region_set_address(c, 0x10000 * (i + 1));
        memory_region_set_size(ram, 0x1000 * (i + 1));
    }
    MemoryRegionSection found = memory_region_find(root, 0, 1);
    check_pointer(found.mr, ram);
    stage_del(root, ram);
    stage_del(root, c);
    stage_del(c, alias);
    stage_del(c, io);
    stage_space_destroy(as);
    stage_space_destroy(narrow);
    memcore_drain();
    check_number(stage_statistics().flat_views, 0);
    check_number(stage_owner_references(b), 1);
    check_number(stage_owner_references(a), 1 + 1);
    memory_region_unref(found.mr);
    check_number(stage_owner_references(a), 1);
}

/* The copy holds its region's owner, and the view with all that this shows. */
static void section_copy_keeps_one_more(void)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *other = stage_io("other", 0x1000);

    stage_set_owner(owner);
    MemoryRegion *io = stage_io("io", 0x1000);
    stage_add(root, 0, io);
    stage_add(root, 0x8000, other);
    AddressSpace *as = stage_space(root, "as");
    MemoryRegionSection found = memory_region_find(root, 0, 1);
    MemoryRegionSection *copy = memory_region_section_new_copy(&found);

    memory_region_unref(found.mr);
    check_number(stage_owner_references(owner), 1 + 1 + 1 + 1);
    stage_del(root, io);
    stage_space_destroy(as);
    memcore_drain();
    /* The copy's own, and the range in the view that the copy keeps. */
    check_number(stage_owner_references(owner), 1 + 2);
    check_number(stage_statistics().flat_views, 1);
    char *kept = text_of_flatview(copy->fv);
    check_text(kept, "io[0,0x1000), other[0x8000,0x9000)");
    g_free(kept);
    memory_region_section_free_copy(copy);
    memcore_drain();
    check_number(stage_owner_references(owner), 1);
    check_number(stage_statistics().flat_views, 0);
}

/* Dropped while visible: alive until the view that shows it is gone. */
static void no_end_while_in_a_live_view(void)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *other = stage_io("other", 0x1000);

    stage_set_owner(owner);
    MemoryRegion *io = stage_io("io", 0x1000);
    stage_add(root, 0, io);
    stage_add(root, 0x8000, other);
    stage_space(root, "as");
    stage_owner_drop(owner);
    check(!stage_owner_gone(owner));
    stage_del(root, io);
    check(!stage_owner_gone(owner));
    check_text(memory_region_name(io), "io");
    memcore_drain();
    check(stage_owner_gone(owner));
    check(finalized(io));
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-OBJ-6/membership-counts-one", membership_counts_one);
    conformance_case("/R-OBJ-6/only-child-of-a-root", only_child_of_a_root);
    conformance_case("/R-OBJ-6/root-of-an-address-space", root_of_an_address_space);
    conformance_case("/R-OBJ-6/root-and-collapsed-root", root_and_collapsed_root);
    conformance_case("/R-OBJ-6/every-range-counts", every_range_counts);
    conformance_case("/R-OBJ-6/alias-counts-as-member-only", alias_counts_as_member_only);
    conformance_case("/R-OBJ-6/find-result-counts", find_result_counts);
    conformance_case("/R-OBJ-7/container-and-child-of-one-owner", container_and_child_of_one_owner);
    conformance_case("/R-OBJ-7/family-dies-in-any-order", family_dies_in_any_order);
    conformance_case("/R-OBJ-7/foreign-container-keeps-the-owner", foreign_container_keeps_the_owner);
    conformance_case("/R-OBJ-7/no-owner-is-not-a-common-owner", no_owner_is_not_a_common_owner);
    conformance_case("/R-OBJ-8/regions-before-the-owners-finalizer", regions_before_the_owners_finalizer);
    conformance_case("/R-OBJ-8/containers-and-aliases-may-go-early", containers_and_aliases_may_go_early);
    conformance_case("/R-OBJ-9/children-are-removed", children_are_removed);
    conformance_case("/R-OBJ-9/children-go-front-to-back", children_go_front_to_back);
    conformance_case("/R-OBJ-9/finalizing-commits-nothing", finalizing_commits_nothing);
    conformance_case("/R-OBJ-9/own-ram-is-freed-the-callers-is-not", own_ram_is_freed_the_callers_is_not);
    conformance_case("/R-OBJ-9/lists-are-freed", lists_are_freed);
    conformance_case("/R-OBJ-10/target-may-go-after-its-aliases", target_may_go_after_its_aliases);
    conformance_misuse("/R-OBJ-10/target-of-an-alias", release_target_of_alias, "memory_region_finalize",
                       "target*(R-OBJ-10)");
    conformance_misuse("/R-OBJ-10/target-of-another-alias", release_target_of_second_alias, "memory_region_finalize",
                       "target*(R-OBJ-10)");
    conformance_misuse("/R-OBJ-10/alias-of-an-alias", release_alias_of_alias, "memory_region_finalize",
                       "middle*(R-OBJ-10)");
    conformance_case("/I-16/counts-return-to-the-start", counts_return_to_the_start);
    conformance_case("/I-16/section-copy-keeps-one-more", section_copy_keeps_one_more);
    conformance_case("/I-16/no-end-while-in-a-live-view", no_end_while_in_a_live_view);
    return g_test_run();
}
