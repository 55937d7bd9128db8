/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 1: objects, names, owners (R-OBJ-1 to R-OBJ-5). */
#include "common/conformance.h"

#include <string.h>

/* Finalized: R-OBJ-9 (6), "afterwards parent is NULL". */
static bool finalized(MemoryRegion *mr)
{
    return !memory_region_name(mr) && !memory_region_owner(mr);
}

static const char *key_of(MemoryRegion *mr)
{
    return object_get_canonical_path_component(OBJECT(mr));
}

static Object *unattached(void)
{
    return object_resolve_path_component(qdev_get_machine(), "unattached");
}

/* ---- R-OBJ-1 ---- */

/* Every field is set whatever the storage held before: nothing of the garbage shines through. */
static void storage_full_of_garbage(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *io = stage_io("io", 0x1000);
    MemoryRegion *over = stage_io("over", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    check(!memory_region_is_ram(root));
    check(!memory_region_is_rom(root));
    check(!memory_region_is_romd(root));
    check(!memory_region_is_ram_device(root));
    check(!memory_region_is_nonvolatile(root));
    check(!memory_region_is_protected(root));
    check(!memory_region_is_iommu(root));
    check(!memory_region_is_mapped(root));
    check_number(memory_region_get_dirty_log_mask(root), 0);
    check_number(memory_region_get_alignment(root), 0);
    check_number(memory_region_size(root), 0x10000);
    stage_add(root, 0x1000, io);
    check_view(as, "io[0x1000,0x2000)");
    /* Priority 0 of its own: a newer equal comes first. */
    stage_add(root, 0x1800, over);
    check_view(as, "io[0x1000,0x1800), over[0x1800,0x2800)");
}

static void one_reference_held_by_the_parent(void)
{
    MemoryRegion *mr = stage_container("c", 0x1000);

    object_ref(OBJECT(mr));
    object_unparent(OBJECT(mr));
    check_text(memory_region_name(mr), "c");
    check_pointer(memory_region_owner(mr), NULL);
    stage_forget(mr);
    object_unref(OBJECT(mr));
    check(finalized(mr));
}

/* The storage is part of something else: the core must neither free it nor touch what is around it. */
static void embedded_storage_survives(void)
{
    struct {
        uint8_t before[64];
        MemoryRegion mr;
        uint8_t after[64];
    } *host = stage_storage(sizeof(*host));
    uint8_t expected[64];

    memset(expected, 0x3c, sizeof(expected));
    memset(host->before, 0x3c, sizeof(host->before));
    memset(host->after, 0x3c, sizeof(host->after));
    for (int round = 0; round < 3; round++) {
        memset(&host->mr, 0xa5, sizeof(host->mr));
        memory_region_init_io(&host->mr, NULL, &stage_ops, NULL, "inner", 0x100);
        check_text(memory_region_name(&host->mr), "inner");
        check_text(key_of(&host->mr), "inner[0]");
        object_unparent(OBJECT(&host->mr));
        check(finalized(&host->mr));
    }
    check(!memcmp(host->before, expected, sizeof(expected)));
    check(!memcmp(host->after, expected, sizeof(expected)));
}

/* ---- R-OBJ-2 ---- */

static void escaped_key(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *first = stage_container("a/[b]", 0x1000);
    MemoryRegion *second = stage_io("a/[b]", 0x1000);
    MemoryRegion *backslash = stage_io("x\\y", 0x1000);

    check_text(key_of(first), "a\\x2f\\x5bb\\x5d[0]");
    check_text(key_of(second), "a\\x2f\\x5bb\\x5d[1]");
    check_text(key_of(backslash), "x\\x5cy[0]");
    check_text(memory_region_name(first), "a/[b]");
    check_text(memory_region_name(second), "a/[b]");
    check_text(memory_region_name(backslash), "x\\y");
    check_pointer(object_resolve_path_component(owner, "a\\x2f\\x5bb\\x5d[1]"), second);
}

/* Keys that somebody else gave, written as [*] would: they are used, so the next free number is another. */
static void numbers_in_use(void)
{
    static const char *const given[] = { "ram[0]", "ram[2]", "ram[10]", "ram[03]", "ram[]", "ram[x]", "am[1]",
                                         "ram[1]x" };
    Object *owner = stage_owner("dev");
    Object *children[G_N_ELEMENTS(given)];
    static const char *const expected[] = { "ram[1]", "ram[3]", "ram[4]", "ram[5]", "ram[6]", "ram[7]", "ram[8]",
                                            "ram[9]", "ram[11]" };

    for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
        children[i] = stage_owner("other");
        object_property_add_child(owner, given[i], children[i]);
    }
    stage_set_owner(owner);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        check_text(key_of(stage_container("ram", 0x1000)), expected[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(given); i++) {
        check_pointer(object_resolve_path_component(owner, given[i]), children[i]);
    }
    /* One that goes is free again. */
    object_unparent(children[1]);
    check_text(key_of(stage_container("ram", 0x1000)), "ram[2]");
}

/* What looks like a key already, or like its escaped form, is a name like any other. */
static void names_that_look_like_keys(void)
{
    stage_set_owner(stage_owner("dev"));
    MemoryRegion *plain = stage_container("ram", 0x1000);
    MemoryRegion *key = stage_container("ram[0]", 0x1000);
    MemoryRegion *star = stage_container("ram[*]", 0x1000);
    MemoryRegion *empty = stage_container("", 0x1000);
    MemoryRegion *other = stage_container("r%s m.", 0x1000);

    check_text(key_of(plain), "ram[0]");
    check_text(key_of(key), "ram\\x5b0\\x5d[0]");
    check_text(key_of(star), "ram\\x5b*\\x5d[0]");
    check_text(key_of(empty), "[0]");
    check_text(key_of(other), "r%s m.[0]");
    check_text(memory_region_name(empty), "");
    check_text(memory_region_name(star), "ram[*]");
}

static void smallest_unused_number(void)
{
    stage_set_owner(stage_owner("dev"));
    MemoryRegion *a[4];

    for (int i = 0; i < 4; i++) {
        a[i] = stage_container("a", 0x1000);
    }
    check_text(key_of(a[3]), "a[3]");
    stage_release(a[2]);
    stage_release(a[0]);
    check_text(key_of(stage_container("a", 0x1000)), "a[0]");
    check_text(key_of(stage_container("a", 0x1000)), "a[2]");
    check_text(key_of(stage_container("a", 0x1000)), "a[4]");
    check_text(key_of(stage_container("b", 0x1000)), "b[0]");
    /* Each parent counts for itself. */
    stage_set_owner(stage_owner("other"));
    check_text(key_of(stage_container("a", 0x1000)), "a[0]");
}

static void unowned_is_unattached(void)
{
    MemoryRegion *mr = stage_io("lonely", 0x1000);
    char *path = object_get_canonical_path(OBJECT(mr));

    check_text(path, "/machine/unattached/lonely[0]");
    check_pointer(object_resolve_path_component(unattached(), "lonely[0]"), mr);
    free(path);
}

static void path_below_the_owner(void)
{
    Object *owner = stage_owner("dev");

    object_property_add_child(qdev_get_machine(), "dev", owner);
    stage_set_owner(owner);
    MemoryRegion *mr = stage_io("bar", 0x1000);
    char *path = object_get_canonical_path(OBJECT(mr));

    check_text(path, "/machine/dev/bar[0]");
    free(path);
    object_unparent(owner);
    path = object_get_canonical_path(OBJECT(mr));
    check_pointer(path, NULL);
}

/* The name is copied: the caller's buffer may go. */
static void name_is_copied(void)
{
    char buffer[] = "volatile/name";
    MemoryRegion *mr = stage_container(buffer, 0x1000);

    memset(buffer, '#', sizeof(buffer) - 1);
    check_text(memory_region_name(mr), "volatile/name");
}

/* ---- R-OBJ-3 ---- */

static void unnamed_has_no_parent(void)
{
    stage_set_owner(stage_owner("dev"));
    MemoryRegion *mr = stage_container(NULL, 0x1000);

    check_pointer(memory_region_name(mr), NULL);
    check_pointer(memory_region_owner(mr), NULL);
    check_pointer(key_of(mr), NULL);
}

static void unnamed_outlives_its_owner(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *unnamed = stage_ram(NULL, 0x1000);
    MemoryRegion *named = stage_ram("named", 0x1000);

    check_number(stage_statistics().ram_blocks, 2);
    stage_owner_drop(owner);
    check(stage_owner_gone(owner));
    check(finalized(named));
    check_number(stage_statistics().ram_blocks, 1);
    check_number(memory_region_size(unnamed), 0x1000);
    /* The initial reference was the caller's all the time, and it is the only one. */
    stage_release(unnamed);
    check_number(stage_statistics().ram_blocks, 0);
}

static void unnamed_prints_null(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *unnamed = stage_io(NULL, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x1000, unnamed);
    check_view(as, "(null)[0x1000,0x2000)");
    char *tree = stage_mtree(false, false, false, false);
    check_text(tree,
               "address-space: as\n"
               "  0000000000000000-000000000000ffff (prio 0, i/o): root\n"
               "    0000000000001000-0000000000001fff (prio 0, i/o): (null)\n"
               "\n");
    g_free(tree);
}

/* ---- R-OBJ-4 ---- */

static void owner_is_the_parent_object(void)
{
    Object *owner = stage_owner("dev");

    check_pointer(memory_region_owner(stage_container("unowned", 0x1000)), unattached());
    check_pointer(memory_region_owner(stage_container(NULL, 0x1000)), NULL);
    stage_set_owner(owner);
    check_pointer(memory_region_owner(stage_container("owned", 0x1000)), owner);
    check_pointer(memory_region_owner(stage_container(NULL, 0x1000)), NULL);
}

/* The parent is gone, the given owner still counts. */
static void given_owner_counts_without_parent(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *unnamed = stage_container(NULL, 0x1000);
    MemoryRegion *mr = stage_container("c", 0x1000);

    object_ref(OBJECT(mr));
    object_unparent(OBJECT(mr));
    check_pointer(memory_region_owner(mr), NULL);
    check_number(stage_owner_references(owner), 1);
    memory_region_ref(mr);
    memory_region_ref(unnamed);
    check_number(stage_owner_references(owner), 3);
    memory_region_unref(unnamed);
    memory_region_unref(mr);
    check_number(stage_owner_references(owner), 1);
    stage_forget(mr);
    object_unref(OBJECT(mr));
}

/* ---- R-OBJ-5 ---- */

static void references_go_to_the_owner(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *mr = stage_io("io", 0x1000);

    memory_region_ref(mr);
    memory_region_ref(mr);
    check_number(stage_owner_references(owner), 3);
    memory_region_unref(mr);
    check_number(stage_owner_references(owner), 2);
    memory_region_unref(mr);
    check_number(stage_owner_references(owner), 1);
}

static void null_and_unowned_do_nothing(void)
{
    MemoryRegion *mr = stage_container("c", 0x1000);

    memory_region_ref(NULL);
    memory_region_unref(NULL);
    memory_region_ref(mr);
    /* Not the region's own count either: taking it off its parent ends it in spite of the reference. */
    stage_release(mr);
    check(finalized(mr));
    MemoryRegion *again = stage_container("d", 0x1000);
    memory_region_unref(again);
    check_text(memory_region_name(again), "d");
}

static void last_reference_ends_owner_and_region(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *mr = stage_ram("ram", 0x1000);

    memory_region_ref(mr);
    stage_owner_drop(owner);
    check(!stage_owner_gone(owner));
    check_text(memory_region_name(mr), "ram");
    memory_region_unref(mr);
    check(stage_owner_gone(owner));
    check(finalized(mr));
    check_number(stage_statistics().ram_blocks, 0);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-OBJ-1/storage-full-of-garbage", storage_full_of_garbage);
    conformance_case("/R-OBJ-1/one-reference-held-by-the-parent", one_reference_held_by_the_parent);
    conformance_case("/R-OBJ-1/embedded-storage-survives", embedded_storage_survives);
    conformance_case("/R-OBJ-2/escaped-key", escaped_key);
    conformance_case("/R-OBJ-2/names-that-look-like-keys", names_that_look_like_keys);
    conformance_case("/R-OBJ-2/smallest-unused-number", smallest_unused_number);
    conformance_case("/R-OBJ-2/numbers-in-use", numbers_in_use);
    conformance_case("/R-OBJ-2/unowned-is-unattached", unowned_is_unattached);
    conformance_case("/R-OBJ-2/path-below-the-owner", path_below_the_owner);
    conformance_case("/R-OBJ-2/name-is-copied", name_is_copied);
    conformance_case("/R-OBJ-3/unnamed-has-no-parent", unnamed_has_no_parent);
    conformance_case("/R-OBJ-3/unnamed-outlives-its-owner", unnamed_outlives_its_owner);
    conformance_case("/R-OBJ-3/unnamed-prints-null", unnamed_prints_null);
    conformance_case("/R-OBJ-4/owner-is-the-parent-object", owner_is_the_parent_object);
    conformance_case("/R-OBJ-4/given-owner-counts-without-parent", given_owner_counts_without_parent);
    conformance_case("/R-OBJ-5/references-go-to-the-owner", references_go_to_the_owner);
    conformance_case("/R-OBJ-5/null-and-unowned-do-nothing", null_and_unowned_do_nothing);
    conformance_case("/R-OBJ-5/last-reference-ends-owner-and-region", last_reference_ends_owner_and_region);
    return g_test_run();
}
