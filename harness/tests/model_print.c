/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model against chapter 10: the text of mtree_info. */
#include <glib.h>

#include "model_world.h"

static struct world w;

#define MEMCORE MODEL_PROFILE_MEMCORE
#define QEMU MODEL_PROFILE_QEMU_7_2

/* The printed example of the chapter, with slots for names. */
static void test_example(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", WHOLE) RAM("r1", "0x2000") ALIAS("r2", "r1", "0x1000", "0x1000")
         ALIAS("r3", "r2", "0x0", "0x500") "ram r4 size 0x1000 owner none kind rom\n" IO("r5", "0x2000")
         ADD("r0", "r2", "0x0", "0") ADD("r0", "r3", "0x10", "-3") ADD("r0", "r4", "0x9000", "0")
         ADD("r0", "r5", "0xfffffffffffff000", "0") "enabled r3 off\n" "nonvolatile r4 on\n"
         "space as5 root r0 bare\n" "space as1 root r0 bare\n" "mtree disabled\n");
    assert_text(&w,
        "address-space: as1\n"
        "address-space: as5\n"
        "  0000000000000000-ffffffffffffffff (prio 0, i/o): r0\n"
        "    0000000000000000-0000000000000fff (prio 0, ram): alias r2 @r1 0000000000001000-"
        "0000000000001fff\n"
        "    0000000000000010-000000000000050f (prio -3, ram): alias r3 @r2 0000000000000000-00000000000004ff"
        " [disabled]\n"
        "    0000000000009000-0000000000009fff (prio 0, nv-rom): r4\n"
        "[DETECTED OVERFLOW!]     fffffffffffff000-0000000000000fff (prio 0, i/o): r5\n"
        "\n"
        "memory-region: r1\n"
        "  0000000000000000-0000000000001fff (prio 0, ram): r1\n"
        "\n"
        "memory-region: r2\n"
        "  0000000000000000-0000000000000fff (prio 0, ram): alias r2 @r1 0000000000001000-0000000000001fff\n"
        "\n");
    world_end(&w);
}

/* R-MT-8 and R-MT-10: children of hidden regions show; hidden overflows show in 7.2 only. */
static void test_hidden(enum model_profile profile, const char *expected)
{
    world_begin(&w, profile);
    play(&w, CONTAINER("r0", "0x10000") CONTAINER("r1", WHOLE) IO("r2", "0x0") IO("r3", "0x10")
         IO("r4", "0x10")
         ADD("r0", "r1", "0x8000", "0") ADD("r1", "r2", "0x10", "0") ADD("r0", "r3", "0x8000", "1")
         ADD("r0", "r4", "0x20", "0") IO("r5", "0x8") ADD("r3", "r5", "0xfffffffffffffff0", "0")
         "enabled r1 off\n" "space as0 root r0 bare\n" "mtree none\n");
    assert_text(&w, expected);
    world_end(&w);
}

static void test_disabled(void)
{
    test_hidden(MEMCORE,
        "address-space: as0\n"
        "  0000000000000000-000000000000ffff (prio 0, i/o): r0\n"
        "    0000000000000020-000000000000002f (prio 0, i/o): r4\n"
        "    0000000000008000-000000000000800f (prio 1, i/o): r3\n"
        "[DETECTED OVERFLOW!]       0000000000007ff0-0000000000007ff7 (prio 0, i/o): r5\n"
        "      0000000000008010-0000000000008010 (prio 0, i/o): r2\n"
        "\n");
    test_hidden(QEMU,
        "address-space: as0\n"
        "  0000000000000000-000000000000ffff (prio 0, i/o): r0\n"
        "    0000000000000020-000000000000002f (prio 0, i/o): r4\n"
        "    0000000000008000-000000000000800f (prio 1, i/o): r3\n"
        "[DETECTED OVERFLOW!]       0000000000007ff0-0000000000007ff7 (prio 0, i/o): r5\n"
        "[DETECTED OVERFLOW!]       0000000000008010-0000000000008010 (prio 0, i/o): r2\n"
        "\n");
}

/* R-MT-3, R-MT-7 (newest first among equals), a block at its own container's address (R-MT-4). */
static void test_owners(void)
{
    world_begin(&w, MEMCORE);
    play(&w, "owner o3\n" "container r0 size 0x1000 owner o3 named shared\n"
         "io r1 size 0x10 owner none named unnamed endian native\n"
         "ram_ptr r2 size 0x10 owner o3 kind device\n" "rom_device r3 size 0x10 owner none kind rom_device\n"
         ADD("r0", "r1", "0x40", "0") ADD("r0", "r2", "0x40", "0") ADD("r0", "r3", "0x40", "0")
         CONTAINER("r4", "0x1000") ALIAS("r5", "r3", "0x8", "0x0") ADD("r4", "r5", "0x0", "0")
         "space as1 root r4 bare\n" "space as0 root r0 bare\n" "mtree owner\n");
    assert_text(&w,
        "address-space: as1\n"
        "  0000000000000000-0000000000000fff (prio 0, i/o): r4 parent:{obj path=/machine/unattached}\n"
        "    0000000000000000-0000000000000000 (prio 0, romd): alias r5 @r3 0000000000000008-0000000000000008"
        " parent:{obj path=/machine/unattached}\n"
        "\n"
        "address-space: as0\n"
        "  0000000000000000-0000000000000fff (prio 0, i/o): shared owner:{dev id=o3}\n"
        "    0000000000000040-000000000000004f (prio 0, romd): r3 parent:{obj path=/machine/unattached}\n"
        "    0000000000000040-000000000000004f (prio 0, ramd): r2 owner:{dev id=o3}\n"
        "    0000000000000040-000000000000004f (prio 0, i/o): (null) orphan\n"
        "\n"
        "memory-region: r3\n"
        "  0000000000000040-000000000000004f (prio 0, romd): r3 parent:{obj path=/machine/unattached}\n"
        "\n");
    world_end(&w);
}

static void test_flat_views(void)
{
    world_begin(&w, MEMCORE);
    play(&w, "owner o0\n" CONTAINER("r0", WHOLE) "io r1 size 0x2000 owner o0 named plain endian native\n"
         ALIAS("r2", "r1", "0x800", "0x1000") "readonly r2 on\n" "nonvolatile r2 on\n" RAM("r3", "0x1000")
         ALIAS("r4", "r0", "0x0", WHOLE) CONTAINER("r5", "0x100") IO("r6", "0x0")
         ADD("r0", "r2", "0x1000", "0") ADD("r0", "r3", "0xfffffffffffff000", "-7")
         "space as2 root r5 bare\n" "space as1 root r0 bare\n" "space as0 root r4 bare\n"
         "space as4 root r6 bare\n" "mtree flatview+dispatch_tree+disabled\n");
    assert_text(&w,
        "FlatView #0\n"
        " AS \"as2\", root: r5\n"
        " Root memory region: (none)\n"
        "  No rendered FlatView\n"
        "\n"
        "FlatView #1\n"
        " AS \"as1\", root: r0\n"
        " AS \"as0\", root: r4, alias r0\n"
        " Root memory region: r0\n"
        "  0000000000001000-0000000000001fff (prio 0, nv-rom): r1 @0000000000000800\n"
        "  fffffffffffff000-ffffffffffffffff (prio -7, ram): r3\n"
        "\n"
        "FlatView #2\n"
        " AS \"as4\", root: r6\n"
        " Root memory region: r6\n"
        "  No rendered FlatView\n"
        "\n");
    play(&w, "destroy as1\n" "destroy as0\n" "destroy as2\n" "enabled r6 off\n" "readonly r1 on\n"
         "size r1 0x10\n"
         "space as0 root r1 bare\n" "mtree flatview+owner\n");
    assert_text(&w,
        "FlatView #0\n"
        " AS \"as4\", root: r6\n"
        " Root memory region: (none)\n"
        "  No rendered FlatView\n"
        "\n"
        "FlatView #1\n"
        " AS \"as0\", root: r1\n"
        " Root memory region: r1\n"
        "  0000000000000000-000000000000000f (prio 0, rom): r1 owner:{dev id=o0}\n"
        "\n");
    play(&w, "mtree none\n");
    assert_text(&w, "address-space: as4\n\n"
        "address-space: as0\n"
        "  0000000000000000-000000000000000f (prio 0, i/o): r1\n"
        "\n");
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/R-MT-4/example", test_example);
    g_test_add_func("/model/R-MT-8/disabled", test_disabled);
    g_test_add_func("/model/R-MT-3/owners", test_owners);
    g_test_add_func("/model/R-MT-11/flat-views", test_flat_views);
    return g_test_run();
}
