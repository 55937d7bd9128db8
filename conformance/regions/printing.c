/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mtree_info's tree form (R-MT-1 to R-MT-10, I-20).  The flat form is in printing_flat.c. */
#include "../common/conformance.h"

#include <string.h>

#include "hw/qdev-core.h"

static char *tree(void)
{
    return stage_mtree(false, false, false, false);
}

static char *tree_with_disabled(void)
{
    return stage_mtree(false, false, false, true);
}

static char *tree_with_owners(void)
{
    return stage_mtree(false, false, true, false);
}

#define ROOT_LINE "  0000000000000000-ffffffffffffffff (prio 0, i/o): root\n"

/* ---- the worked example of section 10.1 ---- */

static void worked_example(void)
{
    /* Word for word; R-MT-9 adds a block for the target of al1, with which the example does not go on. */
    static const char example[] =
        "address-space: alpha\n"
        "address-space: zed\n"
        "  0000000000000000-ffffffffffffffff (prio 0, i/o): root\n"
        "    0000000000000000-0000000000000fff (prio 0, ram): alias al0 @ram0 "
        "0000000000001000-0000000000001fff\n"
        "    0000000000000010-000000000000050f (prio -3, ram): alias al1 @al0 "
        "0000000000000000-00000000000004ff [disabled]\n"
        "    0000000000009000-0000000000009fff (prio 0, nv-rom): rom\n"
        "[DETECTED OVERFLOW!]     fffffffffffff000-0000000000000fff (prio 0, i/o): over\n"
        "\n"
        "memory-region: ram0\n"
        "  0000000000000000-0000000000001fff (prio 0, ram): ram0\n"
        "\n";
    static const char rest[] =
        "memory-region: al0\n"
        "  0000000000000000-0000000000000fff (prio 0, ram): alias al0 @ram0 "
        "0000000000001000-0000000000001fff\n"
        "\n";
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *ram0 = stage_ram("ram0", 0x2000);
    MemoryRegion *al0 = stage_alias("al0", ram0, 0x1000, 0x1000);
    MemoryRegion *al1 = stage_alias("al1", al0, 0, 0x500);
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    MemoryRegion *over = stage_io("over", 0x2000);
    char *expected = g_strconcat(example, rest, NULL);

    stage_add(root, 0, al0);
    stage_add_overlap(root, 0x10, al1, -3);
    memory_region_set_enabled(al1, false);
    stage_add(root, 0x9000, rom);
    memory_region_set_nonvolatile(rom, true);
    stage_add(root, 0xfffffffffffff000, over);
    stage_space(root, "zed");
    stage_space(root, "alpha");
    check_text_taken(tree_with_disabled(), expected);
    g_free(expected);
}

/* ---- R-MT-1: which flags count ---- */

static void flags_that_do_not_count(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *off = stage_io("off", 0x1000);

    stage_add(root, 0, stage_io("on", 0x1000));
    stage_add(root, 0x1000, off);
    memory_region_set_enabled(off, false);
    stage_space(root, "as");
    for (int i = 0; i < 4; i++) {
        char *without = stage_mtree(false, false, i & 1, i & 2);
        char *with = stage_mtree(false, true, i & 1, i & 2);

        check_text(with, without);
        check(strstr(without, ": on") != NULL);
        check_number(strstr(without, ": off") != NULL, (i & 2) != 0);
        check_number(strstr(without, "parent:{") != NULL, (i & 1) != 0);
        check(strstr(without, "FlatView") == NULL);
        g_free(without);
        g_free(with);
        without = stage_mtree(true, i & 2, i & 1, false);
        with = stage_mtree(true, i & 2, i & 1, true);
        check_text(with, without);
        check(g_str_has_prefix(without, "FlatView #0\n"));
        check(strstr(without, ": off") == NULL);
        check_number(strstr(without, "parent:{") != NULL, (i & 1) != 0);
        check_number(strstr(without, "  Dispatch\n") != NULL, (i & 2) != 0);
        g_free(without);
        g_free(with);
    }
}

/* ---- R-MT-2: kinds ---- */

static void kinds(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *device = stage_storage(sizeof(*device));
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *ro_io = stage_io("ro io", 0x1000);
    MemoryRegion *ro_ram = stage_ram("ro ram", 0x1000);
    MemoryRegion *ro_box = stage_container("ro box", 0x1000);
    MemoryRegion *romd = stage_rom_device("romd", 0x1000);
    MemoryRegion *romd_off = stage_rom_device("romd off", 0x1000);
    MemoryRegion *alias, *ram = stage_ram("ram", 0x1000);
    hwaddr at = 0;

    memory_region_init_ram_device_ptr(device, NULL, "device", 0x1000, host);
    stage_adopt(device, NULL);
    memory_region_set_readonly(ro_io, true);
    memory_region_set_readonly(ro_ram, true);
    memory_region_set_readonly(ro_box, true);
    memory_region_set_readonly(device, true);
    memory_region_set_readonly(romd, true);
    memory_region_rom_device_set_romd(romd_off, false);
    memory_region_rom_device_set_romd(ram, false);
    alias = stage_alias("alias", device, 0, 0x1000);
    memory_region_set_readonly(alias, true);
    MemoryRegion *children[] = {
        stage_container("box", 0x1000), stage_io("io", 0x1000),
        stage_io_ops("reservation", 0x1000, NULL, NULL), ram, stage_rom("rom", 0x1000), ro_ram, device, romd,
        romd_off, ro_io, ro_box,
        stage_ram_ptr("ram ptr", 0x1000, host), alias, stage_alias("alias of alias", alias, 0, 0x1000),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(children); i++) {
        stage_add(root, at, children[i]);
        at += 0x1000;
    }
    stage_space(root, "as");
    check_text_taken(
        tree(),
        "address-space: as\n" ROOT_LINE
        "    0000000000000000-0000000000000fff (prio 0, i/o): box\n"
        "    0000000000001000-0000000000001fff (prio 0, i/o): io\n"
        "    0000000000002000-0000000000002fff (prio 0, i/o): reservation\n"
        "    0000000000003000-0000000000003fff (prio 0, ram): ram\n"
        "    0000000000004000-0000000000004fff (prio 0, rom): rom\n"
        "    0000000000005000-0000000000005fff (prio 0, rom): ro ram\n"
        "    0000000000006000-0000000000006fff (prio 0, ramd): device\n"
        "    0000000000007000-0000000000007fff (prio 0, romd): romd\n"
        "    0000000000008000-0000000000008fff (prio 0, i/o): romd off\n"
        "    0000000000009000-0000000000009fff (prio 0, i/o): ro io\n"
        "    000000000000a000-000000000000afff (prio 0, i/o): ro box\n"
        "    000000000000b000-000000000000bfff (prio 0, ram): ram ptr\n"
        "    000000000000c000-000000000000cfff (prio 0, ramd): alias alias @device "
        "0000000000000000-0000000000000fff\n"
        "    000000000000d000-000000000000dfff (prio 0, ramd): alias alias of alias @alias "
        "0000000000000000-0000000000000fff\n"
        "\n"
        "memory-region: device\n"
        "  0000000000006000-0000000000006fff (prio 0, ramd): device\n"
        "\n"
        "memory-region: alias\n"
        "  000000000000c000-000000000000cfff (prio 0, ramd): alias alias @device "
        "0000000000000000-0000000000000fff\n"
        "\n");
}

/* ---- R-MT-3: owners ---- */

#define OWNER_TEXT(line, owner) "    000000000000" line owner "\n"

static void owners_of_devices(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *on_dev, *unnamed_on_dev, *on_nameless;

    stage_set_owner(stage_owner("nic0"));
    on_dev = stage_io("a", 0x1000);
    unnamed_on_dev = stage_io(NULL, 0x1000);
    stage_set_owner(stage_owner(NULL));
    on_nameless = stage_io("c", 0x1000);
    stage_set_owner(NULL);
    stage_add(root, 0, on_dev);
    stage_add(root, 0x1000, unnamed_on_dev);
    stage_add(root, 0x2000, on_nameless);
    stage_add(root, 0x3000, stage_io("d", 0x1000));
    stage_add(root, 0x4000, stage_io(NULL, 0x1000));
    stage_space(root, "as");
    check_text_taken(tree_with_owners(),
                     "address-space: as\n"
                     "  0000000000000000-ffffffffffffffff (prio 0, i/o): root "
                     "parent:{obj path=/machine/unattached}\n"
                     OWNER_TEXT("0000-0000000000000fff (prio 0, i/o): a", " owner:{dev id=nic0}")
                     OWNER_TEXT("1000-0000000000001fff (prio 0, i/o): (null)", " owner:{dev id=nic0}")
                     OWNER_TEXT("2000-0000000000002fff (prio 0, i/o): c",
                                " owner:{dev type=conformance-owner}")
                     OWNER_TEXT("3000-0000000000003fff (prio 0, i/o): d",
                                " parent:{obj path=/machine/unattached}")
                     OWNER_TEXT("4000-0000000000004fff (prio 0, i/o): (null)", " orphan")
                     "\n");
}

/* An owner that is no device, or a device without id: its path if it hangs in the tree, else its type. */
static void owners_by_path_and_type(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    Object *loose = object_new(TYPE_CONTAINER);
    Object *board = object_new(TYPE_CONTAINER);
    Object *card = object_new(TYPE_DEVICE);
    MemoryRegion *a, *b, *c;

    object_property_add_child(qdev_get_machine(), "board", board);
    object_property_add_child(board, "card", card);
    stage_set_owner(loose);
    a = stage_io("a", 0x1000);
    stage_set_owner(board);
    b = stage_io("b", 0x1000);
    stage_set_owner(card);
    c = stage_io("c", 0x1000);
    stage_set_owner(NULL);
    stage_add(root, 0, a);
    stage_add(root, 0x1000, b);
    stage_add(root, 0x2000, c);
    stage_space(root, "as");
    check_text_taken(tree_with_owners(),
                     "address-space: as\n"
                     "  0000000000000000-ffffffffffffffff (prio 0, i/o): root "
                     "parent:{obj path=/machine/unattached}\n"
                     OWNER_TEXT("0000-0000000000000fff (prio 0, i/o): a", " owner:{obj type=container}")
                     OWNER_TEXT("1000-0000000000001fff (prio 0, i/o): b", " owner:{obj path=/machine/board}")
                     OWNER_TEXT("2000-0000000000002fff (prio 0, i/o): c",
                                " owner:{dev path=/machine/board/card}")
                     "\n");
    stage_del(root, a);
    stage_del(root, b);
    stage_del(root, c);
    memcore_drain();
    stage_forget(a);
    stage_forget(b);
    stage_forget(c);
    object_unref(loose);
    object_unref(card);
    object_unparent(board);
    object_unref(board);
}

/* After [disabled], and for aliases too. */
static void owner_stands_last(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *alias;

    stage_set_owner(stage_owner("gpu"));
    alias = stage_alias("alias", ram, 0, 0x1000);
    stage_set_owner(NULL);
    stage_add(root, 0, alias);
    memory_region_set_enabled(alias, false);
    stage_space(root, "as");
    check_text_taken(
        stage_mtree(false, false, true, true),
        "address-space: as\n"
        "  0000000000000000-ffffffffffffffff (prio 0, i/o): root parent:{obj path=/machine/unattached}\n"
        "    0000000000000000-0000000000000fff (prio 0, ram): alias alias @ram "
        "0000000000000000-0000000000000fff [disabled] owner:{dev id=gpu}\n"
        "\n"
        "memory-region: ram\n"
        "  0000000000000000-0000000000000fff (prio 0, ram): ram parent:{obj path=/machine/unattached}\n"
        "\n");
}

/* ---- R-MT-4: places ---- */

/* Nested ones add up, size 0 ends where it starts, and a block stands at its region's own address. */
static void places(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *bus = stage_container("bus", 0x10000);
    MemoryRegion *card = stage_container("card", 0x100);
    MemoryRegion *reg = stage_io("reg", 4);

    stage_add(root, 0xc0000000, bus);
    stage_add_overlap(bus, 0x2000, card, INT32_MAX);
    stage_add_overlap(card, 0x10, reg, INT32_MIN);
    stage_add(card, 0x20, stage_io("none", 0));
    stage_add(root, 0, stage_alias("window", card, 0, 0x80));
    stage_space(root, "as");
    check_text_taken(tree(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000000000-000000000000007f (prio 0, i/o): alias window @card "
                     "0000000000000000-000000000000007f\n"
                     "    00000000c0000000-00000000c000ffff (prio 0, i/o): bus\n"
                     "      00000000c0002000-00000000c00020ff (prio 2147483647, i/o): card\n"
                     "        00000000c0002010-00000000c0002013 (prio -2147483648, i/o): reg\n"
                     "        00000000c0002020-00000000c0002020 (prio 0, i/o): none\n"
                     "\n"
                     "memory-region: card\n"
                     "  0000000000002000-00000000000020ff (prio 2147483647, i/o): card\n"
                     "    0000000000002010-0000000000002013 (prio -2147483648, i/o): reg\n"
                     "    0000000000002020-0000000000002020 (prio 0, i/o): none\n"
                     "\n");
}

/* A root stands at its own address, not at 0. */
static void root_with_an_address(void)
{
    MemoryRegion *sys = stage_container("sys", UINT64_MAX);
    MemoryRegion *bus = stage_container("bus", 0x10000);

    stage_add(sys, 0x4000, bus);
    stage_add(bus, 0x10, stage_io("io", 0x10));
    stage_space(bus, "as");
    check_text_taken(tree(),
                     "address-space: as\n"
                     "  0000000000004000-0000000000013fff (prio 0, i/o): bus\n"
                     "    0000000000004010-000000000000401f (prio 0, i/o): io\n"
                     "\n");
}

/* ---- R-MT-5: aliases ---- */

static void aliases(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *nv_ram = stage_ram("nv ram", 0x1000);
    MemoryRegion *nv_alias = stage_alias("nv alias", ram, 0xfffffffffffffff0, 0x20);

    memory_region_set_nonvolatile(nv_ram, true);
    memory_region_set_nonvolatile(nv_alias, true);
    stage_add(root, 0, stage_alias("long", nv_ram, 0x800, 0x100000));
    stage_add(root, 0x200000, nv_alias);
    stage_add(root, 0x300000, stage_alias("empty", ram, 0x10, 0));
    stage_add(root, 0x400000, stage_alias(NULL, ram, 0, UINT64_MAX));
    stage_space(root, "as");
    check_text_taken(tree(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000000000-00000000000fffff (prio 0, ram): alias long @nv ram "
                     "0000000000000800-00000000001007ff\n"
                     "    0000000000200000-000000000020001f (prio 0, nv-ram): alias nv alias @ram "
                     "fffffffffffffff0-000000000000000f\n"
                     "    0000000000300000-0000000000300000 (prio 0, ram): alias empty @ram "
                     "0000000000000010-0000000000000010\n"
                     "[DETECTED OVERFLOW!]     0000000000400000-00000000003fffff (prio 0, ram): "
                     "alias (null) @ram 0000000000000000-ffffffffffffffff\n"
                     "\n"
                     "memory-region: nv ram\n"
                     "  0000000000000000-0000000000000fff (prio 0, nv-ram): nv ram\n"
                     "\n"
                     "memory-region: ram\n"
                     "  0000000000000000-0000000000000fff (prio 0, ram): ram\n"
                     "\n");
}

/* ---- R-MT-6: groups ---- */

static void groups(void)
{
    MemoryRegion *first = stage_container("first", 0x1000);
    MemoryRegion *second = stage_io("second", 0x1000);

    stage_space(second, "m");
    stage_space(first, "b");
    stage_space(second, "Z");
    stage_space(first, NULL);
    stage_space(second, "m0");
    stage_space(second, "a");
    check_text_taken(tree(),
                     "address-space: Z\n"
                     "address-space: a\n"
                     "address-space: m\n"
                     "address-space: m0\n"
                     "  0000000000000000-0000000000000fff (prio 0, i/o): second\n"
                     "\n"
                     "address-space: anonymous\n"
                     "address-space: b\n"
                     "  0000000000000000-0000000000000fff (prio 0, i/o): first\n"
                     "\n");
}

static void no_spaces(void)
{
    check_text_taken(tree(), "");
}

/* ---- R-MT-7: order of children ---- */

static void children(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    stage_add(root, 0x1000, stage_io("older", 1));
    stage_add_overlap(root, 0x1000, stage_io("low", 1), -1);
    stage_add(root, 0x1000, stage_io("newer", 1));
    stage_add_overlap(root, 0x1000, stage_io("high", 1), 1);
    stage_add_overlap(root, 0x2000, stage_io("far", 1), 5);
    stage_add_overlap(root, 0, stage_io("near", 1), -5);
    stage_add(root, 0xffffffffffff0000, stage_io("top", 1));
    stage_space(root, "as");
    check_text_taken(tree(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000000000-0000000000000000 (prio -5, i/o): near\n"
                     "    0000000000001000-0000000000001000 (prio 1, i/o): high\n"
                     "    0000000000001000-0000000000001000 (prio 0, i/o): newer\n"
                     "    0000000000001000-0000000000001000 (prio 0, i/o): older\n"
                     "    0000000000001000-0000000000001000 (prio -1, i/o): low\n"
                     "    0000000000002000-0000000000002000 (prio 5, i/o): far\n"
                     "    ffffffffffff0000-ffffffffffff0000 (prio 0, i/o): top\n"
                     "\n");
}

/* ---- R-MT-8: disabled regions ---- */

static void children_of_a_hidden_region(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *box = stage_container("box", 0x1000);

    stage_add(root, 0x4000, stage_io("before", 0x1000));
    stage_add(root, 0x8000, box);
    stage_add(box, 0x10, stage_io("child", 0x10));
    memory_region_set_enabled(box, false);
    stage_space(root, "as");
    check_text_taken(tree(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000004000-0000000000004fff (prio 0, i/o): before\n"
                     "      0000000000008010-000000000000801f (prio 0, i/o): child\n"
                     "\n");
    check_text_taken(tree_with_disabled(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000004000-0000000000004fff (prio 0, i/o): before\n"
                     "    0000000000008000-0000000000008fff (prio 0, i/o): box [disabled]\n"
                     "      0000000000008010-000000000000801f (prio 0, i/o): child\n"
                     "\n");
}

static void hidden_root(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    stage_add(root, 0x10, stage_io("io", 0x10));
    memory_region_set_enabled(root, false);
    stage_space(root, "as");
    check_text_taken(tree(),
                     "address-space: as\n"
                     "    0000000000000010-000000000000001f (prio 0, i/o): io\n"
                     "\n");
}

/* ---- R-MT-9: blocks ---- */

static void blocks(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *twin1 = stage_ram("twin", 0x1000);
    MemoryRegion *twin2 = stage_ram("twin", 0x1000);
    MemoryRegion *deep = stage_ram("deep", 0x1000);
    MemoryRegion *box = stage_container("box", 0x1000);
    MemoryRegion *hidden = stage_alias("hidden", box, 0, 0x1000);

    stage_add(box, 0x100, stage_alias("into deep", deep, 0, 0x10));
    stage_add(box, 0x200, stage_alias("into twin", twin1, 0, 0x10));
    memory_region_set_enabled(hidden, false);
    stage_add(root, 0x1000, hidden);
    stage_add(root, 0x2000, stage_alias("one", twin1, 0, 0x1000));
    stage_add(root, 0x3000, stage_alias("two", twin2, 0, 0x1000));
    stage_add(root, 0x4000, stage_alias("three", twin1, 0, 0x1000));
    stage_space(root, "as");
    check_text_taken(tree(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000002000-0000000000002fff (prio 0, ram): alias one @twin "
                     "0000000000000000-0000000000000fff\n"
                     "    0000000000003000-0000000000003fff (prio 0, ram): alias two @twin "
                     "0000000000000000-0000000000000fff\n"
                     "    0000000000004000-0000000000004fff (prio 0, ram): alias three @twin "
                     "0000000000000000-0000000000000fff\n"
                     "\n"
                     "memory-region: box\n"
                     "  0000000000000000-0000000000000fff (prio 0, i/o): box\n"
                     "    0000000000000100-000000000000010f (prio 0, ram): alias into deep @deep "
                     "0000000000000000-000000000000000f\n"
                     "    0000000000000200-000000000000020f (prio 0, ram): alias into twin @twin "
                     "0000000000000000-000000000000000f\n"
                     "\n"
                     "memory-region: twin\n"
                     "  0000000000000000-0000000000000fff (prio 0, ram): twin\n"
                     "\n"
                     "memory-region: twin\n"
                     "  0000000000000000-0000000000000fff (prio 0, ram): twin\n"
                     "\n"
                     "memory-region: deep\n"
                     "  0000000000000000-0000000000000fff (prio 0, ram): deep\n"
                     "\n");
}

/* One list for all groups: the second group's alias does not repeat the first one's block. */
static void blocks_follow_all_groups(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x1000);

    stage_space(stage_alias("one", ram, 0, 0x1000), "a");
    stage_space(stage_alias("two", ram, 0x10, 0x10), "b");
    check_text_taken(tree(),
                     "address-space: a\n"
                     "  0000000000000000-0000000000000fff (prio 0, ram): alias one @ram "
                     "0000000000000000-0000000000000fff\n"
                     "\n"
                     "address-space: b\n"
                     "  0000000000000000-000000000000000f (prio 0, ram): alias two @ram "
                     "0000000000000010-000000000000001f\n"
                     "\n"
                     "memory-region: ram\n"
                     "  0000000000000000-0000000000000fff (prio 0, ram): ram\n"
                     "\n");
}

/* ---- R-MT-10: overflow ---- */

static void overflow(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *box = stage_container("box", 0x1000);
    MemoryRegion *hidden = stage_io("hidden", 0x2000);

    stage_add(root, 0x1000, box);
    stage_add(box, 0xfffffffffffff800, stage_io("below", 0x10));
    stage_add(root, 0xfffffffffffff000, hidden);
    stage_add_overlap(root, 0xfffffffffffff000, stage_io("fits", 0x1000), -1);
    memory_region_set_enabled(hidden, false);
    stage_space(root, "as");
    check_text_taken(tree(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000001000-0000000000001fff (prio 0, i/o): box\n"
                     "[DETECTED OVERFLOW!]       0000000000000800-000000000000080f (prio 0, i/o): below\n"
                     "    fffffffffffff000-ffffffffffffffff (prio -1, i/o): fits\n"
                     "\n");
    check_text_taken(tree_with_disabled(),
                     "address-space: as\n" ROOT_LINE
                     "    0000000000001000-0000000000001fff (prio 0, i/o): box\n"
                     "[DETECTED OVERFLOW!]       0000000000000800-000000000000080f (prio 0, i/o): below\n"
                     "[DETECTED OVERFLOW!]     fffffffffffff000-0000000000000fff (prio 0, i/o): hidden "
                     "[disabled]\n"
                     "    fffffffffffff000-ffffffffffffffff (prio -1, i/o): fits\n"
                     "\n");
}

/* ---- I-20 ---- */

static unsigned count_of(const char *text, const char *what)
{
    unsigned count = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

static void every_region_once(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *box = stage_container("box", 0x1000);
    char *text;

    stage_add(root, 0, box);
    for (unsigned i = 0; i < 20; i++) {
        char name[8];
        MemoryRegion *mr;

        g_snprintf(name, sizeof(name), "<%u>", i);
        mr = stage_io(name, i);
        memory_region_set_enabled(mr, i % 3);
        stage_add_overlap(i % 2 ? root : box, i * 7 % 5, mr, (int)(i % 4));
    }
    memory_region_set_enabled(box, false);
    stage_add(root, 0x1000, stage_alias("alias", box, 0, 0x1000));
    stage_space(root, "one");
    stage_space(root, "two");
    text = tree_with_disabled();
    for (unsigned i = 0; i < 20; i++) {
        char name[8];

        g_snprintf(name, sizeof(name), "<%u>", i);
        /* In the group; those of the box also in the block of the alias's target. */
        check_number(count_of(text, name), i % 2 ? 1 : 2);
    }
    check_number(count_of(text, "address-space: one\n"), 1);
    check_number(count_of(text, "address-space: two\n"), 1);
    g_free(text);
}

/* Two trees that differ in nothing but the places of their structs: made in another order. */
static void independent_of_addresses(void)
{
    char *texts[2];

    for (int i = 0; i < 2; i++) {
        MemoryRegion *late = i ? NULL : stage_ram("ram", 0x100);
        MemoryRegion *box = stage_container("box", 0x100);
        MemoryRegion *root = stage_container("root", 0x10000);
        MemoryRegion *ram = late ? late : stage_ram("ram", 0x100);
        AddressSpace *one, *two;
        char *tree_text, *flat_text;

        stage_add(root, 0x100, stage_alias("x", ram, 0, 0x80));
        stage_add(root, 0x100, stage_alias("y", box, 0, 0x10));
        stage_add(root, 0x4000, stage_io("z", 8));
        stage_add(box, 0, stage_io("w", 8));
        one = stage_space(root, "b");
        two = stage_space(ram, "a");
        tree_text = tree();
        flat_text = stage_mtree(true, true, true, false);
        check(*tree_text && *flat_text);
        texts[i] = g_strconcat(tree_text, flat_text, NULL);
        g_free(tree_text);
        g_free(flat_text);
        stage_space_destroy(one);
        stage_space_destroy(two);
        memcore_drain();
    }
    check_text(texts[0], texts[1]);
    g_free(texts[0]);
    g_free(texts[1]);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MT-1/flags-that-do-not-count", flags_that_do_not_count);
    conformance_case("/R-MT-2/kinds", kinds);
    conformance_case("/R-MT-3/devices", owners_of_devices);
    conformance_case("/R-MT-3/path-and-type", owners_by_path_and_type);
    conformance_case("/R-MT-3/stands-last", owner_stands_last);
    conformance_case("/R-MT-4/places", places);
    conformance_case("/R-MT-4/root-with-an-address", root_with_an_address);
    conformance_case("/R-MT-5/aliases", aliases);
    conformance_case("/R-MT-6/groups", groups);
    conformance_case("/R-MT-6/no-spaces", no_spaces);
    conformance_case("/R-MT-7/children", children);
    conformance_case("/R-MT-8/children-of-a-hidden-region", children_of_a_hidden_region);
    conformance_case("/R-MT-8/hidden-root", hidden_root);
    conformance_case("/R-MT-9/blocks", blocks);
    conformance_case("/R-MT-9/after-all-groups", blocks_follow_all_groups);
    conformance_case("/R-MT-10/overflow", overflow);
    conformance_case("/R-MT-10/worked-example", worked_example);
    conformance_case("/I-20/regions-every-region-once", every_region_once);
    conformance_case("/I-20/regions-independent-of-addresses", independent_of_addresses);
    return g_test_run();
}
