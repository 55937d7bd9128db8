/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 3: what stands where in the region tree (R-TREE-1 to -6, -12, -13). */
#include "world.h"

#include <limits.h>
#include <string.h>

/* ---- R-TREE-1 ---- */

static void plain_add_forgets_the_priority(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *b = stage_io("b", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(root, 0, a, 5);
    stage_add_overlap(root, 0x800, b, 1);
    check_view(as, "a[0,0x1000), b[0x1000,0x1800)@0x800");
    stage_del(root, a);
    stage_add(root, 0, a);
    check_view(as, "a[0,0x800), b[0x800,0x1800)");
}

static void overlap_takes_the_given_priority(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *b = stage_io("b", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, a);
    stage_add_overlap(root, 0x800, b, -1);
    check_view(as, "a[0,0x1000), b[0x1000,0x1800)@0x800");
    stage_del(root, b);
    stage_add_overlap(root, 0x800, b, 1);
    check_view(as, "a[0,0x800), b[0x800,0x1800)");
}

static void adding_commits_if_both_are_enabled(void)
{
    GString *log = witness();
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);

    stage_add(c, 0, a);
    check_log(log, COMMITTED);
    stage_del(c, a);
    check_log(log, COMMITTED);
    memory_region_set_enabled(c, false);
    g_string_truncate(log, 0);
    stage_add(c, 0, a);
    check_log(log, NOTHING);
    stage_del(c, a);
    check_log(log, NOTHING);
    memory_region_set_enabled(c, true);
    memory_region_set_enabled(a, false);
    g_string_truncate(log, 0);
    stage_add_overlap(c, 0, a, 1);
    check_log(log, NOTHING);
    stage_del(c, a);
    check_log(log, NOTHING);
}

static void one_region_two_places_through_aliases(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *alias = stage_alias("alias", ram, 0, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x1000, ram);
    stage_add(root, 0x8000, alias);
    check_view(as, "ram[0x1000,0x2000), ram[0x8000,0x9000)");
    stage_del(root, ram);
    check_view(as, "ram[0x8000,0x9000)");
}

/* ---- R-TREE-2 ---- */

static void newest_wins_among_equals(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0, stage_io("a", 0x1000));
    stage_add(root, 0x800, stage_io("b", 0x1000));
    check_view(as, "a[0,0x800), b[0x800,0x1800)");
    stage_add(root, 0x700, stage_io("c", 0x200));
    check_view(as, "a[0,0x700), c[0x700,0x900), b[0x900,0x1800)@0x100");
}

/* Each is inserted before the first whose priority is not above its own, whatever came before. */
static void insertion_in_a_mixed_list(void)
{
    static const struct {
        const char *name;
        int priority;
    } order[] = { { "m", 1 }, { "n", -1 }, { "o", 1 }, { "p", 0 }, { "q", -1 }, { "r", 2 }, { "s", 0 } };
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *regions[G_N_ELEMENTS(order)];
    AddressSpace *as = stage_space(root, "as");
    const char *winners[] = { "r", "o", "m", "s", "p", "q", "n" };

    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        regions[i] = stage_io(order[i].name, 0x100);
        stage_add_overlap(root, 0x1000, regions[i], order[i].priority);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(winners); i++) {
        char *expected = g_strdup_printf("%s[0x1000,0x1100)", winners[i]);

        check_view(as, expected);
        g_free(expected);
        for (size_t k = 0; k < G_N_ELEMENTS(order); k++) {
            if (g_str_equal(order[k].name, winners[i])) {
                stage_del(root, regions[k]);
            }
        }
    }
    check_view(as, "");
}

static void extreme_priorities(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *highest = stage_io("highest", 0x400);
    MemoryRegion *middle = stage_io("middle", 0x800);
    MemoryRegion *lowest = stage_io("lowest", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(root, 0, highest, INT_MAX);
    stage_add_overlap(root, 0, lowest, INT_MIN);
    stage_add_overlap(root, 0, middle, 0);
    check_view(as, "highest[0,0x400), middle[0x400,0x800)@0x400, lowest[0x800,0x1000)@0x800");
    /* The difference of the extremes does not fit into 32 bits. */
    stage_del(root, middle);
    stage_del(root, lowest);
    stage_add_overlap(root, 0, lowest, INT_MIN);
    check_view(as, "highest[0,0x400), lowest[0x400,0x1000)@0x400");
}

/* A high priority inside a low container does not reach out of it. */
static void priorities_count_among_siblings_only(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *low = stage_container("low", 0x1000);
    MemoryRegion *inner = stage_io("inner", 0x1000);
    MemoryRegion *sibling = stage_io("sibling", 0x800);
    AddressSpace *as = stage_space(root, "as");

    stage_add_overlap(low, 0, inner, INT_MAX);
    stage_add_overlap(root, 0, sibling, 1);
    stage_add_overlap(root, 0, low, 0);
    check_view(as, "sibling[0,0x800), inner[0x800,0x1000)@0x800");
}

/* ---- R-TREE-3 ---- */

static void overlap_and_bounds_are_not_errors(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *c = stage_container("c", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x10000, c);
    stage_add(c, 0xfff, stage_io("sticks out", 0x1000));
    stage_add(c, 0x1000, stage_io("just outside", 0x1000));
    stage_add(c, UINT64_MAX, stage_io("far outside", 0x1000));
    stage_add(c, 0x800, stage_io("overlapped", 0x800));
    check_view(as, "overlapped[0x10800,0x11000)");
    memory_region_set_size(c, 0x2000);
    check_view(as, "overlapped[0x10800,0x11000), just outside[0x11000,0x12000)");
    memory_region_set_size(c, 0x801);
    check_view(as, "overlapped[0x10800,0x10801)");
}

/* ---- R-TREE-4, R-TREE-5: the better behaviour ---- */

static void child_of_an_alias(void)
{
    MemoryRegion *target = stage_container("target", 0x1000);
    MemoryRegion *alias = stage_alias("the alias", target, 0, 0x1000);

    memory_region_add_subregion(alias, 0, stage_io("the child", 0x100));
}

static void child_of_an_alias_overlap(void)
{
    MemoryRegion *target = stage_container("target", 0x1000);
    MemoryRegion *alias = stage_alias("the alias", target, 0, 0x1000);

    memory_region_add_subregion_overlap(alias, 0, stage_io("the child", 0x100), 1);
}

static void cycle_self(void)
{
    MemoryRegion *c = stage_container("myself", 0x1000);

    memory_region_add_subregion(c, 0, c);
}

static void cycle_parent(void)
{
    MemoryRegion *upper = stage_container("upper", 0x1000);
    MemoryRegion *lower = stage_container("lower", 0x1000);

    memory_region_add_subregion(upper, 0, lower);
    memory_region_add_subregion(lower, 0, upper);
}

static void cycle_grandparent(void)
{
    MemoryRegion *upper = stage_container("upper", 0x1000);
    MemoryRegion *middle = stage_container("middle", 0x1000);
    MemoryRegion *lower = stage_container("lower", 0x1000);

    memory_region_add_subregion(upper, 0, middle);
    memory_region_add_subregion(middle, 0, lower);
    memory_region_add_subregion(lower, 0, upper);
}

static void cycle_alias_in_its_target(void)
{
    MemoryRegion *c = stage_container("circle", 0x1000);
    MemoryRegion *alias = stage_alias("the alias", c, 0, 0x1000);

    memory_region_add_subregion(c, 0, alias);
}

static void cycle_alias_chain(void)
{
    MemoryRegion *c = stage_container("circle", 0x1000);
    MemoryRegion *first = stage_alias("first", c, 0, 0x1000);
    MemoryRegion *second = stage_alias("second", first, 0, 0x1000);

    memory_region_add_subregion(c, 0, second);
}

static void cycle_alias_of_an_ancestor(void)
{
    MemoryRegion *upper = stage_container("upper", 0x1000);
    MemoryRegion *lower = stage_container("lower", 0x1000);
    MemoryRegion *alias = stage_alias("the alias", upper, 0, 0x1000);

    memory_region_add_subregion(upper, 0, lower);
    memory_region_add_subregion_overlap(lower, 0, alias, -3);
}

/* The alias stands in a detached tree already; mounting that tree closes the circle. */
static void cycle_closed_from_above(void)
{
    MemoryRegion *upper = stage_container("upper", 0x1000);
    MemoryRegion *lower = stage_container("lower", 0x1000);
    MemoryRegion *alias = stage_alias("the alias", upper, 0, 0x1000);

    memory_region_add_subregion(lower, 0, alias);
    memory_region_add_subregion(upper, 0, lower);
}

/* Two trees that look into each other: neither alias is below its own target until the second is added. */
static void cycle_of_two_windows(void)
{
    MemoryRegion *left = stage_container("left", 0x1000);
    MemoryRegion *right = stage_container("right", 0x1000);
    MemoryRegion *to_right = stage_alias("to right", right, 0, 0x1000);
    MemoryRegion *to_left = stage_alias("to left", left, 0, 0x1000);

    memory_region_add_subregion(left, 0, to_right);
    memory_region_add_subregion(right, 0, to_left);
}

/* Nothing is shown (disabled, zero size, out of range), and yet the circle is there. */
static void cycle_that_shows_nothing(void)
{
    MemoryRegion *c = stage_container("circle", 0x1000);
    MemoryRegion *alias = stage_alias("the alias", c, 0x5000, 0);

    memory_region_set_enabled(alias, false);
    memory_region_add_subregion(c, UINT64_MAX, alias);
}

static void alias_of_itself(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_alias(mr, NULL, "serpent", mr, 0, 0x1000);
}

/* What meets again lower down is no circle. */
static void no_false_alarm(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *c = stage_container("c", 0x2000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *first = stage_alias("first", ram, 0, 0x1000);
    MemoryRegion *second = stage_alias("second", first, 0x800, 0x800);
    MemoryRegion *window = stage_alias("window", c, 0, 0x2000);
    MemoryRegion *again = stage_alias("again", c, 0x1000, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(c, 0, ram);
    stage_add(c, 0x1000, first);        /* an alias beside its own target */
    stage_add(root, 0, c);
    stage_add(root, 0x4000, window);    /* an alias of its sibling */
    stage_add(root, 0x8000, again);
    stage_add(root, 0xa000, second);
    check_view(as, "ram[0,0x1000), ram[0x1000,0x2000), ram[0x4000,0x5000), ram[0x5000,0x6000), "
                   "ram[0x8000,0x9000), ram[0xa000,0xa800)@0x800");
}

static void former_ancestor_may_come_below(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *upper = stage_container("upper", 0x2000);
    MemoryRegion *lower = stage_container("lower", 0x2000);
    MemoryRegion *io = stage_io("io", 0x100);
    MemoryRegion *window = stage_alias("window", upper, 0, 0x2000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(upper, 0x100, io);
    stage_add(upper, 0x1000, lower);
    stage_del(upper, lower);
    stage_add(lower, 0x1000, upper);
    stage_add(root, 0, lower);
    check_view(as, "io[0x1100,0x1200)");
    /* So may an alias of what was above it. */
    stage_del(lower, upper);
    stage_add(lower, 0, window);
    check_view(as, "io[0x100,0x200)");
}

/* ---- R-TREE-6 ---- */

static void removal_keeps_address_and_priority(void)
{
    MemoryRegion *c = stage_container("c", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);

    stage_add_overlap(c, 0x4000, a, -7);
    stage_del(c, a);
    check(!memory_region_is_mapped(a));
    AddressSpace *as = stage_space(a, "as");
    /* R-FV-2: D is a itself, and its address still counts. */
    check_view(as, "a[0x4000,0x5000)");
    char *tree = stage_mtree(false, false, false, false);
    check_text(tree,
               "address-space: as\n"
               "  0000000000004000-0000000000004fff (prio -7, i/o): a\n"
               "\n");
    g_free(tree);
}

static MemoryRegion *dying_region;

static void overwrite_region(void *opaque)
{
    (void)opaque;
    memset(dying_region, 0, sizeof(*dying_region));
}

/*
 * The last reference to the owner is the membership: the region is finalized inside
 * the call, and here its memory is overwritten as well.  That it was enabled must
 * have been read before, else the commit is lost.
 */
static void removal_may_end_the_region(void)
{
    GString *log = witness();
    Object *owner = stage_owner_watched("dev", overwrite_region, NULL);
    MemoryRegion *c = stage_container("c", 0x10000);

    stage_set_owner(owner);
    dying_region = stage_io("dying", 0x1000);
    stage_add(c, 0, dying_region);
    stage_owner_drop(owner);
    g_string_truncate(log, 0);
    stage_del(c, dying_region);
    check(stage_owner_gone(owner));
    check_log(log, COMMITTED);
}

static void remove_from_the_wrong_container(void)
{
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *other = stage_container("other", 0x1000);
    MemoryRegion *stray = stage_io("stray", 0x100);

    memory_region_add_subregion(c, 0, stray);
    memory_region_del_subregion(other, stray);
}

/* ---- R-TREE-12 ---- */

static void mapped_through_an_alias_chain(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *c = stage_io("C", 0x1000);
    MemoryRegion *b = stage_alias("B", c, 0, 0x1000);
    MemoryRegion *a = stage_alias("A", b, 0, 0x1000);

    check(!memory_region_is_mapped(a) && !memory_region_is_mapped(b) && !memory_region_is_mapped(c));
    stage_add(root, 0, a);
    check(memory_region_is_mapped(a) && memory_region_is_mapped(b) && memory_region_is_mapped(c));
    stage_add(root, 0x1000, b);
    stage_del(root, a);
    check(!memory_region_is_mapped(a) && memory_region_is_mapped(b) && memory_region_is_mapped(c));
    stage_add(root, 0, a);
    stage_del(root, b);
    check(memory_region_is_mapped(a) && memory_region_is_mapped(b) && memory_region_is_mapped(c));
    stage_del(root, a);
    check(!memory_region_is_mapped(a) && !memory_region_is_mapped(b) && !memory_region_is_mapped(c));
}

static void mapped_needs_a_container(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *target = stage_io("target", 0x1000);
    MemoryRegion *alias = stage_alias("alias", target, 0, 0x1000);

    stage_space(root, "as");
    stage_space(alias, "through the alias");
    check(!memory_region_is_mapped(root));
    check(!memory_region_is_mapped(alias));
    check(!memory_region_is_mapped(target));
    /* A detached container is a container; nothing need be visible. */
    MemoryRegion *detached = stage_container("detached", 0);
    memory_region_set_enabled(detached, false);
    stage_add(detached, 0x8000, alias);
    check(memory_region_is_mapped(alias));
    check(memory_region_is_mapped(target));
    check(!memory_region_is_mapped(detached));
}

/* The alias of a container maps the container, and says nothing about what was taken out of it. */
static void mapping_does_not_propagate_down(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *c = stage_container("c", 0x1000);
    MemoryRegion *child = stage_io("child", 0x1000);

    stage_add(c, 0, child);
    check(memory_region_is_mapped(child));
    check(!memory_region_is_mapped(c));
    stage_add(root, 0, stage_alias("window", c, 0, 0x1000));
    check(memory_region_is_mapped(c));
    stage_del(c, child);
    check(!memory_region_is_mapped(child));
}

static void moving_keeps_the_alias_count(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *target = stage_io("target", 0x1000);
    MemoryRegion *alias = stage_alias("alias", target, 0, 0x1000);

    stage_add(root, 0, alias);
    memory_region_set_address(alias, 0x1000);
    memory_region_set_address(alias, 0x2000);
    check(memory_region_is_mapped(target));
    stage_del(root, alias);
    check(!memory_region_is_mapped(target));
}

/* ---- R-TREE-13 ---- */

static void alias_shows_a_clipped_window(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *target = stage_io("target", 0x2000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x10000, stage_alias("within", target, 0x800, 0x1000));
    stage_add(root, 0x20000, stage_alias("cut", target, 0x1800, 0x1000));
    stage_add(root, 0x30000, stage_alias("at the end", target, 0x2000, 0x1000));
    stage_add(root, 0x40000, stage_alias("behind the end", target, 0x2001, 0x1000));
    stage_add(root, 0x50000, stage_alias("last byte", target, 0x1fff, UINT64_MAX));
    stage_add(root, 0x60000, stage_alias("nothing", target, 0, 0));
    check_view(as, "target[0x10000,0x11000)@0x800, target[0x20000,0x20800)@0x1800, "
                   "target[0x50000,0x50001)@0x1fff");
}

static void alias_ignores_where_its_target_is(void)
{
    MemoryRegion *root = stage_container("root", 0x100000);
    MemoryRegion *elsewhere = stage_container("elsewhere", 0x800);
    MemoryRegion *target = stage_io("target", 0x1000);
    MemoryRegion *sibling = stage_io("sibling", 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(elsewhere, 0x7000, target);
    memory_region_set_enabled(elsewhere, false);
    memory_region_set_readonly(elsewhere, true);
    memory_region_set_nonvolatile(elsewhere, true);
    stage_add(root, 0x1000, stage_alias("alias", target, 0, 0x1000));
    stage_add(root, 0x4000, sibling);
    check_view(as, "target[0x1000,0x2000), sibling[0x4000,0x5000)");
    /* Its own flags do apply. */
    memory_region_set_readonly(target, true);
    memory_region_set_nonvolatile(target, true);
    check_view(as, "target[0x1000,0x2000) ro nv, sibling[0x4000,0x5000)");
    memory_region_set_enabled(target, false);
    check_view(as, "sibling[0x4000,0x5000)");
}

static void alias_offset_is_unsigned(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *small = stage_io("small", 0x1000);
    MemoryRegion *whole = stage_io("whole", UINT64_MAX);
    MemoryRegion *sibling = stage_io("sibling", 0x1000);
    MemoryRegion *window = stage_alias("window", small, 0, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x100000, sibling);
    stage_add(root, 0x1000, window);
    stage_add(root, 0x8000, stage_alias("top", whole, UINT64_MAX, 0x1000));
    check_view(as, "small[0x1000,0x2000), whole[0x8000,0x8001)@0xffffffffffffffff, "
                   "sibling[0x100000,0x101000)");
    /* -1 would show small from the window's second byte on. */
    memory_region_set_alias_offset(window, UINT64_MAX);
    check_view(as, "whole[0x8000,0x8001)@0xffffffffffffffff, sibling[0x100000,0x101000)");
}

static void add_cases_of_cycles(void)
{
    static const Misuse cycles[] = {
        { "/R-TREE-5/self", cycle_self, "memory_region_add_subregion", "myself*myself*(R-TREE-5)" },
        { "/R-TREE-5/parent", cycle_parent, "memory_region_add_subregion", "lower*upper*(R-TREE-5)" },
        { "/R-TREE-5/grandparent", cycle_grandparent, "memory_region_add_subregion", "lower*upper*(R-TREE-5)" },
        { "/R-TREE-5/alias-in-its-target", cycle_alias_in_its_target, "memory_region_add_subregion",
          "the alias*circle*(R-TREE-5)" },
        { "/R-TREE-5/alias-chain", cycle_alias_chain, "memory_region_add_subregion", "second*circle*(R-TREE-5)" },
        { "/R-TREE-5/alias-of-an-ancestor", cycle_alias_of_an_ancestor, "memory_region_add_subregion_overlap",
          "the alias*lower*(R-TREE-5)" },
        { "/R-TREE-5/closed-from-above", cycle_closed_from_above, "memory_region_add_subregion",
          "lower*upper*(R-TREE-5)" },
        { "/R-TREE-5/two-windows", cycle_of_two_windows, "memory_region_add_subregion", "to left*right*(R-TREE-5)" },
        { "/R-TREE-5/shows-nothing", cycle_that_shows_nothing, "memory_region_add_subregion",
          "the alias*circle*(R-TREE-5)" },
    };

    conformance_misuses(cycles);
    conformance_misuse("/R-TREE-5/its-own-target", alias_of_itself, "memory_region_init_alias", "serpent*(R-TREE-5)");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-TREE-1/plain-add-forgets-the-priority", plain_add_forgets_the_priority);
    conformance_case("/R-TREE-1/overlap-takes-the-given-priority", overlap_takes_the_given_priority);
    conformance_case("/R-TREE-1/adding-commits-if-both-are-enabled", adding_commits_if_both_are_enabled);
    conformance_case("/R-TREE-1/two-places-through-aliases", one_region_two_places_through_aliases);
    conformance_case("/R-TREE-2/newest-wins-among-equals", newest_wins_among_equals);
    conformance_case("/R-TREE-2/insertion-in-a-mixed-list", insertion_in_a_mixed_list);
    conformance_case("/R-TREE-2/extreme-priorities", extreme_priorities);
    conformance_case("/R-TREE-2/priorities-count-among-siblings-only", priorities_count_among_siblings_only);
    conformance_case("/R-TREE-3/overlap-and-bounds-are-not-errors", overlap_and_bounds_are_not_errors);
    conformance_misuse("/R-TREE-4/child-of-an-alias", child_of_an_alias, "memory_region_add_subregion",
                       "the child*the alias*(R-TREE-4)");
    conformance_misuse("/R-TREE-4/child-of-an-alias-overlap", child_of_an_alias_overlap,
                       "memory_region_add_subregion_overlap", "the child*the alias*(R-TREE-4)");
    add_cases_of_cycles();
    conformance_case("/R-TREE-5/no-false-alarm", no_false_alarm);
    conformance_case("/R-TREE-5/former-ancestor-may-come-below", former_ancestor_may_come_below);
    conformance_case("/R-TREE-6/removal-keeps-address-and-priority", removal_keeps_address_and_priority);
    conformance_case("/R-TREE-6/removal-may-end-the-region", removal_may_end_the_region);
    conformance_misuse("/R-TREE-6/wrong-container", remove_from_the_wrong_container, "memory_region_del_subregion",
                       "'stray' is not in*(R-TREE-6)");
    conformance_case("/R-TREE-12/alias-chain", mapped_through_an_alias_chain);
    conformance_case("/R-TREE-12/needs-a-container", mapped_needs_a_container);
    conformance_case("/R-TREE-12/does-not-propagate-down", mapping_does_not_propagate_down);
    conformance_case("/R-TREE-12/moving-keeps-the-count", moving_keeps_the_alias_count);
    conformance_case("/R-TREE-13/clipped-window", alias_shows_a_clipped_window);
    conformance_case("/R-TREE-13/where-the-target-is", alias_ignores_where_its_target_is);
    conformance_case("/R-TREE-13/offset-is-unsigned", alias_offset_is_unsigned);
    return g_test_run();
}
