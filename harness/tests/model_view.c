/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model against the worked examples of chapters 3 and 4: the tree and the views it makes. */
#include <glib.h>

#include "model_world.h"

static struct world w;

#define MEMCORE MODEL_PROFILE_MEMCORE
#define QEMU MODEL_PROFILE_QEMU_7_2

static void test_sibling_order(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") IO("r1", "0x1000") IO("r2", "0x1000") "space as0 root r0 bare\n"
         ADD("r0", "r1", "0x0", "0") ADD("r0", "r2", "0x800", "0"));
    assert_view(&w, 0, "0x0+0x800 r1@0x0\n" "0x800+0x1000 r2@0x0\n");
    g_assert_cmpint(model_child(w.model, 0, 0), ==, 2);

    /* R-TREE-7: moving away and back puts a in front of its equals. */
    play(&w, "address r1 0x10\n" "address r1 0x0\n");
    assert_view(&w, 0, "0x0+0x1000 r1@0x0\n" "0x1000+0x800 r2@0x800\n");
    play(&w, "address r1 0x0\n");
    g_assert_cmpuint(flushes(&w), ==, 0);

    /* Priorities use the whole range of their type. */
    play(&w, IO("r3", "0x1000") IO("r4", "0x1000") ADD("r0", "r3", "0x0", "-2147483648")
         ADD("r0", "r4", "0x0", "2147483647"));
    assert_view(&w, 0, "0x0+0x1000 r4@0x0\n" "0x1000+0x800 r2@0x800\n");
    g_assert_cmpint(model_child(w.model, 0, 0), ==, 4);
    g_assert_cmpint(model_child(w.model, 0, 1), ==, 1);
    g_assert_cmpint(model_child(w.model, 0, 2), ==, 2);
    g_assert_cmpint(model_child(w.model, 0, 3), ==, 3);
    g_assert_cmpint(model_child(w.model, 0, 4), ==, OBSERVED_NONE);
    world_end(&w);
}

/* R-TREE-6: address and priority are kept; R-TREE-1: adding again forgets the priority. */
static void test_removal_keeps_place(void)
{
    struct model_region r;

    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") IO("r1", "0x1000") ADD("r0", "r1", "0x2000", "7") "del r1\n");
    g_assert_true(model_region(w.model, 1, &r));
    g_assert_cmpint(r.container, ==, OBSERVED_NONE);
    g_assert_cmpint(r.priority, ==, 7);
    g_assert_cmphex(r.address, ==, 0x2000);
    play(&w, ADD("r0", "r1", "0x2000", "0"));
    g_assert_true(model_region(w.model, 1, &r));
    g_assert_cmpint(r.priority, ==, 0);
    world_end(&w);
}

static bool is_mapped(const char *query)
{
    play(&w, query);
    return w.last.facts.is_mapped;
}

static void test_is_mapped(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") IO("r3", "0x1000") ALIAS("r2", "r3", "0x0", "0x1000")
         ALIAS("r1", "r2", "0x0", "0x1000") "space as0 root r1 bare\n");
    /* An alias that is only the root of a space does not count. */
    g_assert_false(is_mapped("query r3\n"));
    play(&w, ADD("r0", "r1", "0x0", "0"));
    g_assert_true(is_mapped("query r1\n"));
    g_assert_true(is_mapped("query r2\n"));
    g_assert_true(is_mapped("query r3\n"));
    g_assert_false(is_mapped("query r0\n"));
    play(&w, ADD("r0", "r2", "0x0", "0") "del r1\n");
    g_assert_false(is_mapped("query r1\n"));
    g_assert_true(is_mapped("query r3\n"));
    play(&w, "del r2\n");
    g_assert_false(is_mapped("query r3\n"));
    world_end(&w);
}

static void test_canonical_runs(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") RAM("r1", "0x2000") ALIAS("r2", "r1", "0x0", "0x1000")
         ALIAS("r3", "r1", "0x1000", "0x1000") "space as0 root r0 bare\n"
         ADD("r0", "r2", "0x1000", "0") ADD("r0", "r3", "0x2000", "0"));
    assert_view(&w, 0, "0x1000+0x2000 r1@0x0\n");
    play(&w, "readonly r3 on\n");
    assert_view(&w, 0, "0x1000+0x1000 r1@0x0\n" "0x2000+0x1000 r1@0x1000 readonly\n");
    play(&w, "readonly r3 off\n" "nonvolatile r2 on\n");
    assert_view(&w, 0, "0x1000+0x1000 r1@0x0 nonvolatile\n" "0x2000+0x1000 r1@0x1000\n");
    /* Adjacent, but the offset does not continue. */
    play(&w, "nonvolatile r2 off\n" "alias_offset r3 0x800\n");
    assert_view(&w, 0, "0x1000+0x1000 r1@0x0\n" "0x2000+0x1000 r1@0x800\n");
    world_end(&w);
}

static void test_containers_are_transparent(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x100") IO("r1", "0x40") CONTAINER("r2", "0x20") IO("r3", "0x8")
         IO("r4", "0x20") "space as0 root r0 bare\n" ADD("r0", "r1", "0x0", "0") ADD("r0", "r2", "0x10", "1")
         ADD("r2", "r3", "0x8", "0"));
    assert_view(&w, 0, "0x0+0x18 r1@0x0\n" "0x18+0x8 r3@0x0\n" "0x20+0x20 r1@0x20\n");
    /* A terminating region in the container's place. */
    play(&w, "del r2\n" "del r3\n" ADD("r0", "r4", "0x10", "1") ADD("r4", "r3", "0x8", "0"));
    assert_view(&w, 0, "0x0+0x10 r1@0x0\n" "0x10+0x8 r4@0x0\n" "0x18+0x8 r3@0x0\n" "0x20+0x10 r4@0x10\n"
                "0x30+0x10 r1@0x30\n");
    world_end(&w);
}

static void test_terminating_container(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") RAM("r1", "0x4000") IO("r2", "0x800") IO("r3", "0x1000")
         "space as0 root r0 bare\n" ADD("r0", "r1", "0x1000", "0") ADD("r1", "r2", "0x1000", "0")
         ADD("r1", "r3", "0x3800", "0"));
    assert_view(&w, 0, "0x1000+0x1000 r1@0x0\n" "0x2000+0x800 r2@0x0\n" "0x2800+0x2000 r1@0x1800\n"
                "0x4800+0x800 r3@0x0\n");
    world_end(&w);
}

static void test_alias_chain(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", WHOLE) CONTAINER("r1", "0x4000") IO("r2", "0x1000") IO("r3", "0x1000")
         ADD("r1", "r2", "0x0", "0") ADD("r1", "r3", "0x2000", "0") ALIAS("r4", "r1", "0x800", "0x3000")
         ALIAS("r5", "r4", "0x400", "0x10000") "space as0 root r0 bare\n" ADD("r0", "r5", "0x100000", "0"));
    assert_view(&w, 0, "0x100000+0x400 r2@0xc00\n" "0x101400+0x1000 r3@0x0\n");
    /* R-TREE-13: an offset beyond the target shows nothing; it is unsigned. */
    play(&w, "alias_offset r5 0xffffffffffffffff\n");
    assert_view(&w, 0, "");
    world_end(&w);
}

static void test_edges_of_the_space(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", WHOLE) IO("r1", "0x2000") IO("r2", "0x0") CONTAINER("r3", "0x0")
         IO("r4", "0x100") "space as0 root r0 bare\n" ADD("r0", "r1", "0xfffffffffffff000", "0")
         ADD("r0", "r2", "0xfffffffffffff000", "1") ADD("r0", "r3", "0x0", "0") ADD("r3", "r4", "0x0", "0"));
    assert_view(&w, 0, "0xfffffffffffff000+0x1000 r1@0x0\n");
    /* The whole space as one range. */
    play(&w, IO("r5", WHOLE) ADD("r0", "r5", "0x0", "2"));
    assert_view(&w, 0, "0x0+0x10000000000000000 r5@0x0\n");
    /* R-FV-14: a second one, completely hidden. */
    play(&w, IO("r6", WHOLE) ADD("r0", "r6", "0x0", "2"));
    assert_view(&w, 0, "0x0+0x10000000000000000 r6@0x0\n");
    play(&w, "enabled r6 off\n" "address r5 0x1\n");
    assert_view(&w, 0, "0x1+0xffffffffffffffff r5@0x0\n");
    world_end(&w);
}

/* R-FV-10a */
static void test_collapse_flags(enum model_profile profile, const char *alone)
{
    world_begin(&w, profile);
    play(&w, CONTAINER("r0", "0x10000") RAM("r1", "0x1000") IO("r2", "0x1000") "readonly r0 on\n"
         ADD("r0", "r1", "0x0", "0") "space as0 root r0 bare\n");
    assert_view(&w, 0, alone);
    play(&w, ADD("r0", "r2", "0x4000", "0"));
    assert_view(&w, 0, "0x0+0x1000 r1@0x0 readonly\n" "0x4000+0x1000 r2@0x0 readonly\n");
    world_end(&w);
}

/* R-FV-10b: as0 on a itself, as1 on a full-size alias, as2 on a smaller one. */
static void test_collapse_base(enum model_profile profile, const char *through_alias, bool shared)
{
    world_begin(&w, profile);
    play(&w, CONTAINER("r0", "0x10000") RAM("r1", "0x1000") ADD("r0", "r1", "0x4000", "0")
         ALIAS("r2", "r1", "0x0", "0x1000") ALIAS("r3", "r1", "0x0", "0x800")
         "space as0 root r1 bare\n" "space as1 root r2 bare\n" "space as2 root r3 bare\n");
    for (int i = 0; i < 2; i++) {
        assert_view(&w, 0, "0x4000+0x1000 r1@0x0\n");
        assert_view(&w, 1, through_alias);
        assert_view(&w, 2, "0x0+0x800 r1@0x0\n");
        g_assert_cmpint(model_view(w.model, 0)->root, ==, 1);
        g_assert_cmpint(model_view(w.model, 1)->root, ==, 1);
        g_assert_cmpint(model_view(w.model, 2)->root, ==, 3);
        g_assert_true((model_view(w.model, 0)->identity == model_view(w.model, 1)->identity) == shared);
        /* The same after a commit as after address_space_init. */
        play(&w, "readonly r1 on\n" "readonly r1 off\n");
    }
    world_end(&w);
}

/* What is left of R-FV-9 at the levels where both profiles stop or go on alike. */
static void test_collapse_stops(void)
{
    const enum model_profile profiles[] = { MEMCORE, QEMU };

    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        world_begin(&w, profiles[i]);
        play(&w, CONTAINER("r0", "0x1000") CONTAINER("r1", "0x1000") CONTAINER("r2", "0x1001")
             IO("r3", "0x100")
             ALIAS("r4", "r3", "0x8", "0x200") ALIAS("r5", "r3", "0x0", "0x200") IO("r6", "0x10")
             ADD("r0", "r1", "0x0", "0") ADD("r1", "r2", "0x0", "0") ADD("r2", "r3", "0x0", "0")
             "space as0 root r0 bare\n" "space as1 root r4 bare\n" "space as2 root r5 bare\n");
        /* r2 is larger than r1; r4 has an offset; r5 is larger than its target, which is fine. */
        g_assert_cmpint(model_view(w.model, 0)->root, ==, 1);
        g_assert_cmpint(model_view(w.model, 1)->root, ==, 4);
        g_assert_cmpint(model_view(w.model, 2)->root, ==, 3);
        assert_view(&w, 1, "0x0+0xf8 r3@0x8\n");
        play(&w, "size r2 0x1000\n");
        g_assert_cmpint(model_view(w.model, 0)->root, ==, 3);
        play(&w, ADD("r2", "r6", "0x800", "0"));
        g_assert_cmpint(model_view(w.model, 0)->root, ==, 2);
        play(&w, "enabled r6 off\n" "nonvolatile r1 on\n");
        g_assert_cmpint(model_view(w.model, 0)->root, ==, profiles[i] == MEMCORE ? 1 : 3);
        assert_view(&w, 0, profiles[i] == MEMCORE ? "0x0+0x100 r3@0x0 nonvolatile\n" : "0x0+0x100 r3@0x0\n");
        play(&w, "enabled r1 off\n");
        g_assert_cmpint(model_view(w.model, 0)->root, ==, OBSERVED_NONE);
        world_end(&w);
    }
}

static void test_collapse_compat(void)
{
    test_collapse_flags(QEMU, "0x0+0x1000 r1@0x0\n");
    test_collapse_flags(MEMCORE, "0x0+0x1000 r1@0x0 readonly\n");
    test_collapse_base(QEMU, "0x4000+0x1000 r1@0x0\n", true);
    test_collapse_base(MEMCORE, "0x0+0x1000 r1@0x0\n", false);
}

static unsigned identity(unsigned space)
{
    return model_view(w.model, space)->identity;
}

static void test_sharing(void)
{
    const enum model_profile profiles[] = { MEMCORE, QEMU };

    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        world_begin(&w, profiles[i]);
        /* sys; dev: a container with a full alias of sys; bm: such an alias itself; and an empty one. */
        play(&w, CONTAINER("r0", "0x10000") IO("r1", "0x100") IO("r2", "0x100") ADD("r0", "r1", "0x0", "0")
             ADD("r0", "r2", "0x400", "0") CONTAINER("r3", "0x10000") ALIAS("r4", "r0", "0x0", "0x10000")
             ADD("r3", "r4", "0x0", "0") ALIAS("r5", "r0", "0x0", "0x10000") CONTAINER("r6", "0x100")
             "space as0 root r0 bare\n" "space as1 root r3 bare\n" "space as2 root r5 bare\n"
             "space as3 root r6 bare\n");
        for (int round = 0; round < 2; round++) {
            g_assert_cmpuint(identity(0), ==, identity(1));
            g_assert_cmpuint(identity(0), ==, identity(2));
            g_assert_cmpuint(identity(0), !=, 0);
            g_assert_cmpuint(identity(3), ==, 0);       /* R-FV-12 */
            g_assert_cmpint(model_view(w.model, 3)->root, ==, OBSERVED_NONE);
            const unsigned before = identity(0);
            play(&w, "enabled r2 off\n" "enabled r2 on\n");
            g_assert_cmpuint(identity(0), !=, before);  /* R-FV-13 */
        }
        /* D exists, nothing visible: an ordinary view without ranges. */
        play(&w, "size r1 0x0\n" "size r2 0x0\n");
        assert_view(&w, 0, "");
        g_assert_cmpuint(identity(0), !=, 0);
        world_end(&w);
    }
}

/* R-TREE-7: moving a root without container shows at the next unrelated commit. */
static void test_moving_a_root(void)
{
    world_begin(&w, MEMCORE);
    play(&w, IO("r0", "0x100") IO("r1", "0x100") "space as0 root r0 bare\n" "address r0 0x1000\n");
    g_assert_cmpuint(flushes(&w), ==, 0);
    assert_view(&w, 0, "0x0+0x100 r0@0x0\n");
    play(&w, "enabled r1 off\n");
    assert_view(&w, 0, "0x1000+0x100 r0@0x0\n");
    world_end(&w);
}

/* R-TX-7: inside a transaction a new space shows the uncommitted tree, unless D has a view already. */
static void test_new_space_in_transaction(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") IO("r2", "0x100") IO("r3", "0x100")
         ADD("r0", "r1", "0x0", "0") ADD("r0", "r2", "0x100", "0") "space as0 root r0 bare\n"
         "begin\n" ADD("r0", "r3", "0x200", "0") "space as1 root r0 bare\n");
    assert_view(&w, 1, "0x0+0x100 r1@0x0\n" "0x100+0x100 r2@0x0\n");
    g_assert_cmpuint(identity(0), ==, identity(1));
    play(&w, "destroy as0\n" "destroy as1\n" "space as2 root r0 bare\n");
    assert_view(&w, 2, "0x0+0x100 r1@0x0\n" "0x100+0x100 r2@0x0\n" "0x200+0x100 r3@0x0\n");
    play(&w, "commit\n");
    assert_view(&w, 2, "0x0+0x100 r1@0x0\n" "0x100+0x100 r2@0x0\n" "0x200+0x100 r3@0x0\n");
    world_end(&w);

    /* 7.2: the cache outlives the spaces. */
    world_begin(&w, QEMU);
    play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") IO("r2", "0x100") ADD("r0", "r1", "0x0", "0")
         "space as0 root r0 bare\n" "begin\n" ADD("r0", "r2", "0x200", "0") "destroy as0\n"
         "space as1 root r0 bare\n");
    assert_view(&w, 1, "0x0+0x100 r1@0x0\n" "0x200+0x100 r2@0x0\n");
    world_end(&w);
    world_begin(&w, QEMU);
    play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") IO("r2", "0x100") ADD("r0", "r1", "0x8", "0")
         "space as0 root r0 bare\n" "begin\n" ADD("r0", "r2", "0x200", "0") "destroy as0\n"
         "space as1 root r0 bare\n");
    assert_view(&w, 1, "0x8+0x100 r1@0x0\n");
    play(&w, "commit\n");
    assert_view(&w, 1, "0x8+0x100 r1@0x0\n" "0x200+0x100 r2@0x0\n");
    world_end(&w);
}

static void test_reset(void)
{
    const uint16_t *slots;
    struct model_region r;

    world_begin(&w, MEMCORE);
    for (int i = 0; i < 3; i++) {
        play(&w, CONTAINER("r1023", "0x1000") IO("r7", "0x100") ADD("r1023", "r7", "0x0", "0")
             "owner o3\n" "space as7 root r1023 watched\n" "copy c2 r1023 0x0 size 0x10\n" "begin\n"
             "log_start migration\n" "vm off\n" "coalesce r7 0x0 size 0x1\n"
             "log_stop migration\n" "eventfd r7 at 0x0 width 4 data 0x1 notify e0\n" "reader as7\n"
             "destroy as7\n" "space as7 root r7 watched\n");
        g_assert_cmpuint(identity(7), ==, 2);
        g_assert_cmpuint(model_log_postponed(w.model), ==, 1);
        g_assert_true(model_is_space_root(w.model, 1023));
        g_assert_cmpuint(model_regions(w.model, &slots), ==, 2);
        g_assert_cmpuint(slots[0], ==, 7);
        g_assert_cmpuint(slots[1], ==, 1023);
        g_assert_cmpuint(model_listeners(w.model, &slots), ==, 1);
        g_assert_cmpuint(slots[0], ==, TRACE_LISTENERS + 7);
        g_assert_cmpuint(model_copies(w.model, NULL), ==, 1);
        model_reset(w.model);
        g_assert_cmpuint(model_regions(w.model, NULL), ==, 0);
        g_assert_cmpuint(model_spaces(w.model, NULL), ==, 0);
        g_assert_cmpuint(model_listeners(w.model, NULL), ==, 0);
        g_assert_cmpuint(model_owners(w.model, NULL), ==, 0);
        g_assert_cmpuint(model_copies(w.model, NULL), ==, 0);
        g_assert_cmpuint(model_transaction_depth(w.model), ==, 0);
        g_assert_cmpuint(model_live_views(w.model), ==, 0);
        g_assert_cmpuint(model_log_flags(w.model), ==, 0);
        g_assert_cmpuint(model_log_postponed(w.model), ==, 0);
        g_assert_false(model_is_space_root(w.model, 1023));
        g_assert_true(model_vm_running(w.model));
        g_assert_false(model_reader_active(w.model));
        g_assert_false(model_region(w.model, 7, &r));
    }
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/R-TREE-2/sibling-order", test_sibling_order);
    g_test_add_func("/model/R-TREE-6/removal-keeps-place", test_removal_keeps_place);
    g_test_add_func("/model/R-TREE-7/moving-a-root", test_moving_a_root);
    g_test_add_func("/model/R-TREE-12/is-mapped", test_is_mapped);
    g_test_add_func("/model/R-FV-3/canonical-runs", test_canonical_runs);
    g_test_add_func("/model/R-FV-4/containers-are-transparent", test_containers_are_transparent);
    g_test_add_func("/model/R-FV-5/terminating-container", test_terminating_container);
    g_test_add_func("/model/R-FV-6/alias-chain", test_alias_chain);
    g_test_add_func("/model/R-FV-7/edges-of-the-space", test_edges_of_the_space);
    g_test_add_func("/model/R-FV-9/collapse-stops", test_collapse_stops);
    g_test_add_func("/model/R-FV-10/collapse", test_collapse_compat);
    g_test_add_func("/model/R-FV-11/sharing", test_sharing);
    g_test_add_func("/model/R-TX-7/new-space-in-transaction", test_new_space_in_transaction);
    g_test_add_func("/model/reset", test_reset);
    return g_test_run();
}
