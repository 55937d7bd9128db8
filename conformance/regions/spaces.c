/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 5: spaces that come and go (R-TX-7 to R-TX-9). */
#include "world.h"

#include <string.h>

/* ---- R-TX-7 ---- */

static void new_space_publishes_at_once(void)
{
    World w = world_watched(0x4000);
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *root = stage_container("second root", 0x10000);
    stage_add(root, 0x100, stage_io("c", 0x100));
    g_string_truncate(w.log, 0);
    AddressSpace *as = stage_space(root, "second");
    check_log(w.log, "");
    check_view(as, "c[0x100,0x200)");
    check_find(root, 0x100, 1, "c[0x100,0x101)");
    /* Root, D and the range; container and child have one owner (R-OBJ-7). */
    check_number(stage_owner_references(owner), 1 + 3);
}

static void new_space_inside_a_transaction(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);

    memory_region_transaction_begin();
    memory_region_transaction_begin();
    stage_add(root, 0x100, stage_io("c", 0x100));
    AddressSpace *as = stage_space(root, "as");
    check_view(as, "c[0x100,0x200)");
    memory_region_transaction_commit();
    memory_region_transaction_commit();
    check_view(as, "c[0x100,0x200)");
}

static void space_without_a_name(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);

    stage_space(root, NULL);
    char *tree = stage_mtree(false, false, false, false);
    check_text(tree,
               "address-space: anonymous\n"
               "  0000000000000000-0000000000000fff (prio 0, i/o): root\n"
               "\n");
    g_free(tree);
}

static void name_of_a_space_is_copied(void)
{
    char name[] = "volatile";
    MemoryRegion *root = stage_container("root", 0x1000);

    stage_space(root, name);
    memset(name, '#', sizeof(name) - 1);
    char *tree = stage_mtree(false, false, false, false);
    check(g_str_has_prefix(tree, "address-space: volatile\n"));
    g_free(tree);
}

/* D is the root of a published view: the new space shares it, although c is in the tree already. */
static void new_space_shares_a_published_view(void)
{
    World w = world_watched(0x4000);

    memory_region_transaction_begin();
    stage_add(w.root, 0x8000, stage_io("c", 0x1000));
    AddressSpace *as = stage_space(w.root, "second");
    check_view(as, "a[0x1000,0x2000), b[0x4000,0x5000)");
    check_pointer(address_space_to_flatview(as), address_space_to_flatview(w.as));
    memory_region_transaction_commit();
    check_view(as, "a[0x1000,0x2000), b[0x4000,0x5000), c[0x8000,0x9000)");
    check_pointer(address_space_to_flatview(as), address_space_to_flatview(w.as));
}

/* No published view has this D: the tree is rendered as it is now, before the commit. */
static void new_space_renders_an_unknown_root(void)
{
    World w = world_watched(0x4000);

    stage_space_destroy(w.as);
    memory_region_transaction_begin();
    stage_add(w.root, 0x8000, stage_io("c", 0x1000));
    AddressSpace *as = stage_space(w.root, "second");
    check_view(as, "a[0x1000,0x2000), b[0x4000,0x5000), c[0x8000,0x9000)");
    memory_region_transaction_commit();
    check_view(as, "a[0x1000,0x2000), b[0x4000,0x5000), c[0x8000,0x9000)");
}

/* ---- R-TX-8: the better behaviour ---- */

static void reused_address_shows_the_new_region(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    AddressSpace *as = stage_storage(sizeof(*as));

    for (uint64_t size = 0x1000; size <= 0x3000; size += 0x1000) {
        char *expected = g_strdup_printf("same place[0,0x%" PRIx64 ")", size);

        memory_region_init_io(mr, NULL, &stage_ops, NULL, "same place", size);
        address_space_init(as, mr, "as");
        check_view(as, expected);
        address_space_destroy(as);
        memcore_drain();
        object_unparent(OBJECT(mr));
        g_free(expected);
    }
}

/* ---- R-TX-9 ---- */

static void destroyed_space_leaves_at_once(void)
{
    World w = world_watched(0x4000);
    GString *log = stage_log();
    MemoryRegion *root = stage_container("second root", 0x10000);
    MemoryRegion *c = stage_io("c", 0x100);

    stage_add(root, 0x100, c);
    AddressSpace *as = stage_space(root, "second");
    Recorder *recorder = recorder_watch(as, NULL, 0, log);
    recorder_unregister(recorder);
    g_string_truncate(w.log, 0);
    stage_space_destroy(as);
    check_log(w.log, "");
    check_find(c, 0, 1, "-");
    char *tree = stage_mtree(false, false, false, false);
    check(!strstr(tree, "second"));
    g_free(tree);
    check_number(stage_statistics().address_spaces, 2);
    memcore_drain();
    check_number(stage_statistics().address_spaces, 1);
}

/* Destroying looks at no listener; unregistering later, before the deferred part, is in time. */
static void destroying_calls_no_listener(void)
{
    World w = world_watched(0x4000);
    GString *log = stage_log();
    Recorder *recorder = recorder_new(NULL, 0, log);

    recorder_register(recorder, w.as);
    g_string_truncate(log, 0);
    g_string_truncate(w.log, 0);
    stage_space_destroy(w.as);
    check_log(log, "");
    check_log(w.log, "");
    stage_force_commit();
    check_log(w.log, "begin\ncommit\n");
    address_space_remove_listeners(w.as);
    memcore_drain();
    check_number(stage_statistics().address_spaces, 0);
}

static void destroy_with_a_listener(void)
{
    AddressSpace *as = stage_space(stage_io("root", 0x1000), "doomed");

    recorder_watch(as, NULL, 0, stage_log());
    stage_space_destroy(as);
    memcore_drain();
}

static void root_is_released_late(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    MemoryRegion *root = stage_io("root", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_owner_drop(owner);
    stage_space_destroy(as);
    check(!stage_owner_gone(owner));
    check_text(memory_region_name(root), "root");
    memcore_drain();
    check(stage_owner_gone(owner));
    check_pointer(memory_region_name(root), NULL);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-TX-7/publishes-at-once", new_space_publishes_at_once);
    conformance_case("/R-TX-7/inside-a-transaction", new_space_inside_a_transaction);
    conformance_case("/R-TX-7/anonymous", space_without_a_name);
    conformance_case("/R-TX-7/name-is-copied", name_of_a_space_is_copied);
    conformance_case("/R-TX-7/shares-a-published-view", new_space_shares_a_published_view);
    conformance_case("/R-TX-7/renders-an-unknown-root", new_space_renders_an_unknown_root);
    conformance_case("/R-TX-8/reused-address", reused_address_shows_the_new_region);
    conformance_case("/R-TX-9/leaves-at-once", destroyed_space_leaves_at_once);
    conformance_case("/R-TX-9/calls-no-listener", destroying_calls_no_listener);
    conformance_misuse("/R-TX-9/listener-still-there", destroy_with_a_listener, "address_space_destroy",
                       "doomed*(R-TX-9)");
    conformance_case("/R-TX-9/root-is-released-late", root_is_released_late);
    return g_test_run();
}
