/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification part 1, section 4: what a view shows (R-FV-1 to R-FV-8, R-FV-14,
 * R-FV-15).  Collapsed roots and sharing are in flatview_sharing.c, the
 * invariants in flatview_invariants.c.
 */
#include "common/conformance.h"

#include <string.h>

/* ---- R-FV-1, step by step ---- */

static void disabled_shows_nothing(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    MemoryRegion *child = stage_io("child", 0x800);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, stage_io("behind", 0x4000));
    stage_add(root, 0x1000, ram);
    stage_add(ram, 0x400, child);
    check_view(as, "behind[0,0x1000), ram[0x1000,0x1400), child[0x1400,0x1c00), ram[0x1c00,0x3000)@0xc00, "
                   "behind[0x3000,0x4000)@0x3000");
    memory_region_set_enabled(child, false);
    check_view(as, "behind[0,0x1000), ram[0x1000,0x3000), behind[0x3000,0x4000)@0x3000");
    memory_region_set_enabled(child, true);
    /* The children go with it. */
    memory_region_set_enabled(ram, false);
    check_view(as, "behind[0,0x4000)");
    memory_region_set_enabled(root, false);
    check_view(as, "");
}

static void bytes_outside_are_cut_at_every_level(void)
{
    MemoryRegion *root = stage_container("root", 0x100);
    MemoryRegion *outer = stage_container("outer", 0x40);
    MemoryRegion *inner = stage_container("inner", 0x1000);
    MemoryRegion *leaf = stage_io("leaf", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x20, outer);
    stage_add(outer, 0x8, inner);
    stage_add(inner, 0x4, leaf);
    check_view(as, "leaf[0x2c,0x60)");
    memory_region_set_size(root, 0x50);
    check_view(as, "leaf[0x2c,0x50)");
    memory_region_set_size(inner, 0x5);
    check_view(as, "leaf[0x2c,0x2d)");
    memory_region_set_size(inner, 0x4);
    check_view(as, "");
}

static void flags_are_the_union_of_the_path(void)
{
    MemoryRegion *root = stage_container("root", 0x100000);
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *leaf = stage_io("leaf", 0x1000);
    MemoryRegion *bystander = stage_io("bystander", 0x1000);
    MemoryRegion *alias = stage_alias("alias", c, 0, 0x10000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(c, 0x100, leaf);
    stage_add(c, 0x8000, bystander);
    stage_add(root, 0x20000, alias);
    stage_add(root, 0x40000, c);
    memory_region_set_readonly(alias, true);
    check_view(as, "leaf[0x20100,0x21100) ro, bystander[0x28000,0x29000) ro, "
                   "leaf[0x40100,0x41100), bystander[0x48000,0x49000)");
    memory_region_set_nonvolatile(c, true);
    memory_region_set_readonly(leaf, true);
    check_view(as, "leaf[0x20100,0x21100) ro nv, bystander[0x28000,0x29000) ro nv, "
                   "leaf[0x40100,0x41100) ro nv, bystander[0x48000,0x49000) nv");
    memory_region_set_readonly(alias, false);
    memory_region_set_readonly(root, true);
    memory_region_set_nonvolatile(c, false);
    check_view(as, "leaf[0x20100,0x21100) ro, bystander[0x28000,0x29000) ro, "
                   "leaf[0x40100,0x41100) ro, bystander[0x48000,0x49000) ro");
}

/* A child's flag is the child's alone: neither its siblings nor its terminating container get it. */
static void flags_do_not_spread_sideways(void)
{
    MemoryRegion *root = stage_ram("root", 0x3000);
    MemoryRegion *child = stage_io("child", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    memory_region_set_readonly(child, true);
    memory_region_set_nonvolatile(child, true);
    stage_add(root, 0x1000, child);
    stage_add(root, 0x2800, stage_io("sibling", 0x400));
    check_view(as, "root[0,0x1000), child[0x1000,0x2000) ro nv, root[0x2000,0x2800)@0x2000, "
                   "sibling[0x2800,0x2c00), root[0x2c00,0x3000)@0x2c00");
}

/* What an alias answers is what its target answers there, holes included. */
static void alias_shows_the_targets_holes(void)
{
    MemoryRegion *root = stage_container("root", 0x100000);
    MemoryRegion *target = stage_container("target", 0x4000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(target, 0x1000, stage_io("x", 0x400));
    stage_add(target, 0x3000, stage_io("y", 0x400));
    stage_add(root, 0, stage_io("behind", 0x8000));
    stage_add(root, 0x2000, stage_alias("alias", target, 0x800, 0x3000));
    check_view(as, "behind[0,0x2800), x[0x2800,0x2c00), behind[0x2c00,0x4800)@0x2c00, y[0x4800,0x4c00), "
                   "behind[0x4c00,0x8000)@0x4c00");
}

/* Terminating is all that counts: a read-only, reserved or device region shows like any other. */
static void kind_does_not_matter(void)
{
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *romd = stage_rom_device("romd", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, stage_io_ops("reservation", 0x1000, NULL, NULL));
    stage_add(root, 0x1000, stage_ram("ram", 0x1000));
    stage_add(root, 0x2000, stage_rom("rom", 0x1000));
    stage_add(root, 0x3000, romd);
    stage_add(root, 0x4000, stage_ram_ptr("ram_ptr", 0x1000, host));
    memory_region_rom_device_set_romd(romd, false);
    stage_add_overlap(root, 0, stage_io("behind", 0x6000), -1);
    check_view(as, "reservation[0,0x1000), ram[0x1000,0x2000), rom[0x2000,0x3000) ro, romd[0x3000,0x4000), "
                   "ram_ptr[0x4000,0x5000), behind[0x5000,0x6000)@0x5000");
}

static void first_answer_in_sibling_order(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *hollow = stage_container("hollow", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(root, 0, stage_io("last", 0x1000), -5);
    stage_add_overlap(root, 0x100, stage_io("middle", 0x600), 0);
    stage_add_overlap(root, 0, hollow, 7);
    stage_add(hollow, 0x200, stage_io("first", 0x100));
    check_view(as, "last[0,0x100), middle[0x100,0x200), first[0x200,0x300), middle[0x300,0x700)@0x200, "
                   "last[0x700,0x1000)@0x700");
}

/* ---- R-FV-2 ---- */

static void view_is_based_at_the_roots_address(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);

    stage_add(root, 0, stage_io("a", 0x10));
    stage_add(root, 0xff0, stage_io("b", 0x100));
    memory_region_set_address(root, 0x7000);
    check_view(stage_space(root, "as"), "a[0x7000,0x7010), b[0x7ff0,0x8000)");
    memory_region_set_address(root, 0xfffffffffffff800);
    stage_force_commit();
    check_view(stage_space(root, "at the end"), "a[0xfffffffffffff800,0xfffffffffffff810)");
}

static void bare_terminating_root(void)
{
    check_view(stage_space(stage_io("io", 1), "as"), "io[0,0x1)");
}

/* ---- R-FV-3 ---- */

static void merge_aliases(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    MemoryRegion *lo = stage_alias("lo", ram, 0, 0x1000);
    MemoryRegion *hi = stage_alias("hi", ram, 0x1000, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x1000, lo);
    stage_add(root, 0x2000, hi);
    check_view(as, "ram[0x1000,0x3000)");
    memory_region_set_readonly(hi, true);
    check_view(as, "ram[0x1000,0x2000), ram[0x2000,0x3000)@0x1000 ro");
    memory_region_set_nonvolatile(lo, true);
    memory_region_set_readonly(hi, false);
    check_view(as, "ram[0x1000,0x2000) nv, ram[0x2000,0x3000)@0x1000");
    memory_region_set_nonvolatile(hi, true);
    check_view(as, "ram[0x1000,0x3000) nv");
}

/* Joined whatever order the pieces were added in, and across levels of the tree. */
static void merge_many_pieces(void)
{
    enum { PIECES = 8 };
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *ram = stage_ram("ram", PIECES * 0x100);
    MemoryRegion *pieces[PIECES];
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x4000, c);
    for (int i = 0; i < PIECES; i++) {
        int which = (i * 3 + 1) % PIECES;

        pieces[which] = stage_alias("piece", ram, which * 0x100, 0x100);
        if (which & 1) {
            stage_add(c, which * 0x100, pieces[which]);
        } else {
            stage_add_overlap(root, 0x4000 + which * 0x100, pieces[which], which - 4);
        }
    }
    check_view(as, "ram[0x4000,0x4800)");
    memory_region_set_enabled(pieces[3], false);
    check_view(as, "ram[0x4000,0x4300), ram[0x4400,0x4800)@0x400");
    memory_region_set_enabled(pieces[3], true);
    check_view(as, "ram[0x4000,0x4800)");
}

static void neighbours_that_are_not_joined(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram("ram", 0x3000);
    AddressSpace *as = stage_space(root, "as");

    /* The offset goes on elsewhere, starts again, or there is a gap of one byte. */
    stage_add(root, 0, stage_alias("0", ram, 0, 0x1000));
    stage_add(root, 0x1000, stage_alias("1", ram, 0x2000, 0x1000));
    stage_add(root, 0x2000, stage_alias("2", ram, 0x2000, 0x1000));
    stage_add(root, 0x3000, stage_alias("3", ram, 0x2fff, 0x1));
    stage_add(root, 0x3002, stage_alias("4", ram, 0, 0x800));
    stage_add(root, 0x3802, stage_alias("5", ram, 0x801, 0x10));
    check_view(as, "ram[0,0x1000), ram[0x1000,0x2000)@0x2000, ram[0x2000,0x3000)@0x2000, "
                   "ram[0x3000,0x3001)@0x2fff, ram[0x3002,0x3802), ram[0x3802,0x3812)@0x801");
}

static void two_regions_are_not_joined(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *a = stage_io("twin", 0x1000);
    MemoryRegion *b = stage_io("twin", 0x2000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x1000, a);
    stage_add(root, 0x2000, stage_alias("alias", b, 0x1000, 0x1000));
    check_view(as, "twin[0x1000,0x2000), twin[0x2000,0x3000)@0x1000");
}

/* A hole that is filled again leaves one range, as if it had never been. */
static void same_map_same_list(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram("ram", 0x4000);
    MemoryRegion *hole = stage_io("hole", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x1000, ram);
    stage_add(root, 0x2000, hole);
    check_view(as, "ram[0x1000,0x2000), hole[0x2000,0x3000), ram[0x3000,0x5000)@0x2000");
    stage_add(root, 0x2000, stage_alias("plug", ram, 0x1000, 0x1000));
    check_view(as, "ram[0x1000,0x5000)");
}

/* ---- R-FV-4 ---- */

static void plain_container_in_front(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *container = stage_container("H", 0x20);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(root, 0, stage_io("L", 0x40), 0);
    stage_add(container, 8, stage_io("h", 8));
    stage_add_overlap(root, 0x10, container, 1);
    check_view(as, "L[0,0x18), h[0x18,0x20), L[0x20,0x40)@0x20");
}

static void terminating_container_in_front(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *container = stage_io("H", 0x20);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(root, 0, stage_io("L", 0x40), 0);
    stage_add(container, 8, stage_io("h", 8));
    stage_add_overlap(root, 0x10, container, 1);
    check_view(as, "L[0,0x10), H[0x10,0x18), h[0x18,0x20), H[0x20,0x30)@0x10, L[0x30,0x40)@0x30");
}

/* ---- R-FV-5, R-FV-6 ---- */

static void terminating_container_example(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *m = stage_ram("m", 0x4000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(m, 0x1000, stage_io("s", 0x800));
    stage_add(m, 0x3800, stage_io("k", 0x1000));
    stage_add(root, 0x1000, m);
    check_view(as, "m[0x1000,0x2000), s[0x2000,0x2800), m[0x2800,0x4800)@0x1800, k[0x4800,0x5000)");
}

static void alias_chain_example(void)
{
    MemoryRegion *root = stage_container("root", 0x1000000);
    MemoryRegion *tgt = stage_container("tgt", 0x4000);
    MemoryRegion *a, *b;
    AddressSpace *as = stage_space(root, "as");

    stage_add(tgt, 0, stage_io("i0", 0x1000));
    stage_add(tgt, 0x2000, stage_io("i2", 0x1000));
    a = stage_alias("A", tgt, 0x800, 0x3000);
    b = stage_alias("B", a, 0x400, 0x10000);
    stage_add(root, 0x100000, b);
    check_view(as, "i0[0x100000,0x100400)@0xc00, i2[0x101400,0x102400)");
    /* The same at 0: the base of tgt is negative. */
    memory_region_set_address(b, 0);
    check_view(as, "i0[0,0x400)@0xc00, i2[0x1400,0x2400)");
}

/* Further below zero than any 64 bits reach. */
static void very_negative_base(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *whole = stage_io("whole", UINT64_MAX);
    MemoryRegion *one = stage_alias("one", whole, 1ull << 63, UINT64_MAX);
    MemoryRegion *two = stage_alias("two", one, (1ull << 63) - 1, UINT64_MAX);
    MemoryRegion *three = stage_alias("three", two, 0x10, UINT64_MAX);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, one);
    check_view(as, "whole[0,0x8000000000000000)@0x8000000000000000");
    stage_del(root, one);
    stage_add(root, 5, two);
    check_view(as, "whole[0x5,0x6)@0xffffffffffffffff");
    stage_del(root, two);
    stage_add(root, 0, three);
    check_view(as, "");
}

/* ---- R-FV-7 ---- */

static void zero_size_is_not_there(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *c = stage_container("c", 0);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, ram);
    stage_add_overlap(root, 0x800, stage_io("nothing", 0), 9);
    stage_add(c, 0, stage_io("child", 0x100));
    stage_add_overlap(root, 0x400, c, 9);
    stage_add_overlap(root, 0x2000, stage_alias("none of ram", ram, 0, 0), 9);
    check_view(as, "ram[0,0x1000)");
    memory_region_set_size(ram, 0);
    check_view(as, "");
    memory_region_set_size(c, 1);
    check_view(as, "child[0x400,0x401)");
}

static void cut_at_2_to_the_64(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *io = stage_io("io", 0x2000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0xfffffffffffff000, io);
    check_view(as, "io[0xfffffffffffff000,0x10000000000000000)");
    memory_region_set_address(io, UINT64_MAX);
    check_view(as, "io[0xffffffffffffffff,0x10000000000000000)");
    memory_region_set_address(io, UINT64_MAX - 0x1fff);
    check_view(as, "io[0xffffffffffffe000,0x10000000000000000)");
    memory_region_set_size(io, UINT64_MAX);
    check_view(as, "io[0xffffffffffffe000,0x10000000000000000)");
    /* Nothing of it comes round to 0: one byte there is still free. */
    stage_add_overlap(root, 0, stage_io("bottom", 1), -1);
    check_view(as, "bottom[0,0x1), io[0xffffffffffffe000,0x10000000000000000)");
}

/* I-23: starts, ends and offsets where narrow arithmetic goes wrong, one byte on each side. */
static void boundary_addresses(void)
{
    static const uint64_t places[] = {
        0, 1, 0xfff, 0x1000, 0xffffffff, 0x100000000, 0x100000001, 0x7fffffffffffffff, 1ull << 63,
        0xfffffffffffff000, UINT64_MAX,
    };
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *under = stage_io("under", UINT64_MAX);
    MemoryRegion *byte = stage_io("byte", 1);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(root, 0, under, -1);
    stage_add(root, 0, byte);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        GString *expected = g_string_new(NULL);
        uint64_t at = places[i];

        memory_region_set_address(byte, at);
        if (at) {
            g_string_append_printf(expected, "under[0,0x%" PRIx64 "), ", at);
        }
        if (at == UINT64_MAX) {
            g_string_append(expected, "byte[0xffffffffffffffff,0x10000000000000000)");
        } else {
            g_string_append_printf(expected, "byte[%s0x%" PRIx64 ",0x%" PRIx64 "), "
                                   "under[0x%" PRIx64 ",0x10000000000000000)@0x%" PRIx64,
                                   at ? "" : "=", at, at + 1, at + 1, at + 1);
        }
        /* The start 0 is written without 0x. */
        g_string_replace(expected, "=0x0", "0", 0);
        check_view(as, expected->str);
        g_string_free(expected, TRUE);
    }
}

/* ---- R-FV-8 ---- */

static void recorded_at_render_time(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, stage_io("io", 0x800));
    stage_add(root, 0x1000, ram);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    check_view(as, "io[0,0x800), ram[0x1000,0x2000) log=1");
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    check_view(as, "io[0,0x800), ram[0x1000,0x2000) log=5");
    memory_region_transaction_begin();
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    memory_region_set_readonly(ram, true);
    /* Not the mask of now, but that of the last rendering. */
    check_number(memory_region_get_dirty_log_mask(ram), 4);
    check_view(as, "io[0,0x800), ram[0x1000,0x2000) log=5");
    memory_region_transaction_commit();
    check_view(as, "io[0,0x800), ram[0x1000,0x2000) ro log=4");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    check_view(as, "io[0,0x800), ram[0x1000,0x2000) ro");
}

/* ---- R-FV-14, R-FV-15: the better behaviour ---- */

static void whole_space_hidden_by_whole_space(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *old = stage_io("old", UINT64_MAX);
    MemoryRegion *new = stage_io("new", UINT64_MAX);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, old);
    check_view(as, "old[0,0x10000000000000000)");
    stage_add(root, 0, new);
    check_view(as, "new[0,0x10000000000000000)");
    memory_region_set_address(new, 1);
    check_view(as, "old[0,0x1), new[0x1,0x10000000000000000)");
    memory_region_set_address(new, 0);
    memory_region_set_size(new, UINT64_MAX - 1);
    check_view(as, "new[0,0xfffffffffffffffe), "
                   "old[0xfffffffffffffffe,0x10000000000000000)@0xfffffffffffffffe");
}

static void whole_space_hidden_by_two(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, stage_io("hidden", UINT64_MAX));
    stage_add(root, 0, stage_io("lower", 1ull << 63));
    stage_add(root, 1ull << 63, stage_io("upper", 1ull << 63));
    check_view(as, "lower[0,0x8000000000000000), upper[0x8000000000000000,0x10000000000000000)");
}

/* More ranges than any dispatch table of 4096 sections holds, each smaller than a page. */
static void thousands_of_small_ranges(void)
{
    enum { RANGES = 6000 };
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    GString *expected = g_string_new(NULL);
    AddressSpace *as = stage_space(root, "as");

    memory_region_transaction_begin();
    for (uint64_t i = 1; i <= RANGES; i++) {
        stage_add(root, i * 0x800 + 3, stage_io("s", 0x10 + i % 7));
        g_string_append_printf(expected, "%ss[0x%" PRIx64 ",0x%" PRIx64 ")", i > 1 ? ", " : "", i * 0x800 + 3,
                               i * 0x800 + 0x13 + i % 7);
    }
    memory_region_transaction_commit();
    check_view(as, expected->str);
    check_find(root, RANGES * 0x800 + 3, 1, "s[0xbb8003,0xbb8004)");
    g_string_free(expected, TRUE);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-FV-1/disabled", disabled_shows_nothing);
    conformance_case("/R-FV-1/cut-at-every-level", bytes_outside_are_cut_at_every_level);
    conformance_case("/R-FV-1/flags-of-the-path", flags_are_the_union_of_the_path);
    conformance_case("/R-FV-1/flags-do-not-spread", flags_do_not_spread_sideways);
    conformance_case("/R-FV-1/alias-holes", alias_shows_the_targets_holes);
    conformance_case("/R-FV-1/kind-does-not-matter", kind_does_not_matter);
    conformance_case("/R-FV-1/sibling-order", first_answer_in_sibling_order);
    conformance_case("/R-FV-2/based-at-the-roots-address", view_is_based_at_the_roots_address);
    conformance_case("/R-FV-2/bare-terminating-root", bare_terminating_root);
    conformance_case("/R-FV-3/merge-aliases", merge_aliases);
    conformance_case("/R-FV-3/merge-many-pieces", merge_many_pieces);
    conformance_case("/R-FV-3/neighbours-not-joined", neighbours_that_are_not_joined);
    conformance_case("/R-FV-3/two-regions-not-joined", two_regions_are_not_joined);
    conformance_case("/R-FV-3/same-map-same-list", same_map_same_list);
    conformance_case("/R-FV-4/plain-container-in-front", plain_container_in_front);
    conformance_case("/R-FV-4/terminating-container-in-front", terminating_container_in_front);
    conformance_case("/R-FV-5/terminating-container", terminating_container_example);
    conformance_case("/R-FV-6/alias-chain", alias_chain_example);
    conformance_case("/R-FV-6/very-negative-base", very_negative_base);
    conformance_case("/R-FV-7/zero-size", zero_size_is_not_there);
    conformance_case("/R-FV-7/cut-at-2-to-the-64", cut_at_2_to_the_64);
    conformance_case("/R-FV-7/boundary-addresses", boundary_addresses);
    conformance_case("/R-FV-8/recorded-at-render-time", recorded_at_render_time);
    conformance_case("/R-FV-14/hidden-by-one", whole_space_hidden_by_whole_space);
    conformance_case("/R-FV-14/hidden-by-two", whole_space_hidden_by_two);
    conformance_case("/R-FV-15/thousands-of-ranges", thousands_of_small_ranges);
    return g_test_run();
}
