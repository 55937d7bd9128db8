/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model against chapter 1 and R-TX-6: references, deaths, grace periods. */
#include <glib.h>

#include "model_world.h"

static struct world w;

#define MEMCORE MODEL_PROFILE_MEMCORE
#define QEMU MODEL_PROFILE_QEMU_7_2

static unsigned references(unsigned owner)
{
    return model_owner_references(w.model, owner);
}

#define OWNED_IO(r, owner) "io " r " size 0x100 owner " owner " named plain endian native\n"
#define OWNED_CONTAINER(r, owner) "container " r " size 0x1000 owner " owner " named plain\n"

static void test_counting(void)
{
    world_begin(&w, MEMCORE);
    play(&w, "owner o0\n" OWNED_IO("r1", "o0"));
    g_assert_cmpuint(references(0), ==, 1);
    play(&w, CONTAINER("r0", "0x1000") ADD("r0", "r1", "0x0", "0"));
    g_assert_cmpuint(references(0), ==, 2);             /* in a container */
    play(&w, "space as0 root r0 bare\n");
    g_assert_cmpuint(references(0), ==, 4);             /* D and range; 7.2 has 5, with its dispatch */
    g_assert_cmpuint(model_live_views(w.model), ==, 1);
    play(&w, "space as1 root r1 bare\n");
    g_assert_cmpuint(references(0), ==, 5);             /* root of a space; the view is shared */
    g_assert_cmpuint(model_live_views(w.model), ==, 1);
    play(&w, "ref r1\n" "ref r1\n");
    g_assert_cmpuint(references(0), ==, 7);
    play(&w, "copy c0 r0 0x10 size 0x4\n");
    assert_found(&w, "0x10+0x4 r1@0x10");
    g_assert_cmpuint(references(0), ==, 8);             /* the copied section */
    play(&w, "find r0 0x10 size 0x4\n");
    g_assert_cmpuint(references(0), ==, 8);

    /* A commit: the old view is held by the copy, the new one by the spaces. */
    play(&w, "readonly r1 on\n");
    g_assert_cmpuint(model_live_views(w.model), ==, 2);
    g_assert_cmpuint(references(0), ==, 10);
    play(&w, "readonly r1 off\n");
    g_assert_cmpuint(model_live_views(w.model), ==, 3);
    g_assert_cmpuint(references(0), ==, 12);
    play(&w, "grace\n");
    g_assert_cmpuint(model_live_views(w.model), ==, 2);
    g_assert_cmpuint(references(0), ==, 10);
    play(&w, "free_copy c0\n");
    g_assert_cmpuint(references(0), ==, 9);             /* the view still waits */
    g_assert_true(model_in_live_view(w.model, 1));
    play(&w, "grace\n");
    g_assert_cmpuint(references(0), ==, 7);

    play(&w, "unref r1\n" "unref r1\n" "destroy as0\n" "destroy as1\n");
    g_assert_cmpuint(references(0), ==, 5);             /* R-TX-9: root and view until the grace period */
    g_assert_true(model_is_space_root(w.model, 1));
    g_assert_false(model_space_live(w.model, 1));
    play(&w, "del r1\n");
    g_assert_cmpuint(references(0), ==, 4);
    play(&w, "grace\n");
    g_assert_cmpuint(references(0), ==, 1);
    g_assert_cmpuint(model_live_views(w.model), ==, 0);
    g_assert_false(model_in_live_view(w.model, 1));
    g_assert_false(model_is_space_root(w.model, 1));
    world_end(&w);
}

static void test_copy_of_nothing(void)
{
    world_begin(&w, MEMCORE);
    play(&w, IO("r0", "0x100") "space as0 root r0 bare\n" "copy c0 r0 0x100 size 0x1\n");
    assert_found(&w, "nothing");
    g_assert_cmpuint(model_copies(w.model, NULL), ==, 0);
    world_end(&w);
}

/* The owner dies with the last reference: now, or after the grace period if a view shows its region. */
static void test_death(void)
{
    struct model_region r;

    world_begin(&w, MEMCORE);
    play(&w, "owner o0\n" "owner o1\n" OWNED_IO("r1", "o0") OWNED_IO("r2", "o1") CONTAINER("r0", "0x1000")
         ADD("r0", "r1", "0x0", "0") ADD("r0", "r2", "0x100", "0") "space as0 root r0 watched\n"
         "release o0\n" "release o1\n");
    assert_heard(&w, "begin w0\n" "region_add w0 as0 0x0+0x100 r1@0x0\n"
                 "region_add w0 as0 0x100+0x100 r2@0x0\n"
                 "commit w0\n");
    play(&w, "del r1\n" "begin\n" "del r2\n" "enabled r0 off\n" "commit\n");
    g_assert_cmpuint(model_owners(w.model, NULL), ==, 2);
    g_assert_cmpuint(references(0), ==, 1);
    play(&w, "grace\n");
    assert_heard(&w, "owner_finalized o0\n" "owner_finalized o1\n");
    g_assert_cmpuint(flushes(&w), ==, 2);
    g_assert_cmpuint(model_owners(w.model, NULL), ==, 0);
    g_assert_false(model_region(w.model, 1, &r));
    g_assert_false(model_region(w.model, 2, &r));

    /* A dead owner's slot is free again. */
    play(&w, "owner o1\n" OWNED_IO("r2", "o1") "ref r2\n" "release o1\n");
    g_assert_true(model_owner_released(w.model, 1));
    play(&w, "unref r2\n");
    assert_heard(&w, "owner_finalized o1\n");
    world_end(&w);
}

/* R-TREE-6: the region is gone before the commit, which its flags still asked for. */
static void test_death_in_del(void)
{
    world_begin(&w, MEMCORE);
    play(&w, "owner o0\n" OWNED_IO("r1", "o0") CONTAINER("r0", "0x1000") ADD("r0", "r1", "0x0", "0")
         IO("r2", "0x100") "space as0 root r2 watched\n" "listen l0 as0 priority 0 hears commit\n"
         "arm l0 toggles r1\n" "release o0\n");
    play(&w, "del r1\n");
    assert_heard(&w, "owner_finalized o0\n" "begin w0\n" "region_nop w0 as0 0x0+0x100 r2@0x0\n" "commit w0\n"
                 "commit l0\n");
    world_end(&w);
}

/* R-OBJ-7 */
static void test_own_container(enum model_profile profile, unsigned count, const char *heard)
{
    world_begin(&w, profile);
    play(&w, "owner o0\n" OWNED_CONTAINER("r0", "o0") OWNED_IO("r1", "o0") ADD("r0", "r1", "0x0", "0")
         "alias r2 of r1 offset 0x0 size 0x10 owner o0 named plain\n" IO("r3", "0x100")
         "space as0 root r3 watched\n");
    g_assert_cmpuint(references(0), ==, count);
    play(&w, "release o0\n");
    assert_heard(&w, heard);
    if (profile == QEMU) {
        play(&w, "begin\n" "del r1\n");
        assert_heard(&w, "owner_finalized o0\n");
    }
    world_end(&w);
}

static void test_own_containers(void)
{
    test_own_container(MEMCORE, 1, "owner_finalized o0\n");
    test_own_container(QEMU, 2, "");
}

/* R-OBJ-9: the subregions of what dies are let go silently, and may be the next to die. */
static void test_chain(void)
{
    struct model_region r;

    world_begin(&w, MEMCORE);
    play(&w, "owner o0\n" "owner o1\n" "owner o2\n" OWNED_CONTAINER("r0", "o0") OWNED_CONTAINER("r1", "o1")
         OWNED_IO("r2", "o2") IO("r3", "0x100") ADD("r0", "r1", "0x0", "0") ADD("r1", "r2", "0x0", "0")
         ADD("r1", "r3", "0x40", "5") "space as0 root r3 watched\n" "release o2\n" "release o1\n");
    assert_heard(&w, "begin w0\n" "region_add w0 as0 0x40+0x100 r3@0x0\n" "commit w0\n");
    play(&w, "release o0\n");
    assert_heard(&w, "owner_finalized o0\n" "owner_finalized o1\n" "owner_finalized o2\n");
    g_assert_cmpuint(model_owners(w.model, NULL), ==, 0);
    g_assert_cmpuint(model_regions(w.model, NULL), ==, 1);
    g_assert_true(model_region(w.model, 3, &r));
    g_assert_cmpint(r.container, ==, OBSERVED_NONE);
    g_assert_cmpint(r.priority, ==, 5);
    world_end(&w);

    /* The other way round. */
    world_begin(&w, MEMCORE);
    play(&w, "owner o0\n" "owner o1\n" OWNED_IO("r0", "o0") OWNED_CONTAINER("r1", "o1")
         ADD("r1", "r0", "0x0", "0") "release o0\n");
    play(&w, "release o1\n");
    assert_heard(&w, "owner_finalized o1\n" "owner_finalized o0\n");
    world_end(&w);
}

static void test_unparent(void)
{
    struct model_region r;

    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x1000") CONTAINER("r1", "0x1000") IO("r2", "0x100") IO("r3", "0x100")
         ADD("r0", "r1", "0x0", "0") ADD("r1", "r2", "0x10", "0") ADD("r0", "r3", "0x400", "0")
         "space as0 root r0 watched\n" "begin\n" "del r1\n");
    /* Plain containers are in no view; their children are shown until the commit. */
    g_assert_false(model_in_live_view(w.model, 1));
    play(&w, "unparent r1\n");
    assert_heard(&w, "");
    g_assert_cmpuint(flushes(&w), ==, 1);
    g_assert_false(model_region(w.model, 1, &r));
    g_assert_true(model_region(w.model, 2, &r));
    g_assert_cmpint(r.container, ==, OBSERVED_NONE);
    g_assert_true(model_in_live_view(w.model, 2));
    play(&w, "commit\n");
    assert_heard(&w, "begin w0\n" "region_del w0 as0 0x10+0x100 r2@0x0\n"
                 "region_nop w0 as0 0x400+0x100 r3@0x0\n" "commit w0\n");
    g_assert_true(model_in_live_view(w.model, 2));
    play(&w, "grace\n");
    g_assert_false(model_in_live_view(w.model, 2));
    world_end(&w);
}

/* A reader keeps nothing alive by itself: grace periods do not end while it reads. */
static void test_reader(void)
{
    world_begin(&w, MEMCORE);
    play(&w, IO("r0", "0x100") "space as0 root r0 bare\n" "reader as0\n" "enabled r0 off\n");
    g_assert_true(model_reader_active(w.model));
    g_assert_cmpuint(model_live_views(w.model), ==, 1);
    g_assert_true(model_in_live_view(w.model, 0));
    play(&w, "reader_end\n");
    g_assert_true(w.last.truth);
    g_assert_false(model_reader_active(w.model));
    play(&w, "grace\n");
    g_assert_cmpuint(model_live_views(w.model), ==, 0);
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/R-OBJ-6/counting", test_counting);
    g_test_add_func("/model/R-SEC-3/copy-of-nothing", test_copy_of_nothing);
    g_test_add_func("/model/R-OBJ-8/death", test_death);
    g_test_add_func("/model/R-TREE-6/death-in-del", test_death_in_del);
    g_test_add_func("/model/R-OBJ-7/own-containers", test_own_containers);
    g_test_add_func("/model/R-OBJ-9/chain", test_chain);
    g_test_add_func("/model/R-OBJ-9/unparent", test_unparent);
    g_test_add_func("/model/R-TX-6/reader", test_reader);
    return g_test_run();
}
