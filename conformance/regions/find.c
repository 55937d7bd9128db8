/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 3: memory_region_find and memory_region_present (R-FIND-*), and I-14. */
#include "common/conformance.h"

#include <string.h>

/*
 * The tree of R-FIND-3.
 *
 *     r  [---------------------------------------------------------------------)
 *     c              [0x10000 ------------- 0x20000)
 *     a                 [0x10800 - 0x11800)
 *     b                       [0x14000 - 0x15000)      a child of r, lying over c
 *     top                                                          [2^64-0x1000 -)
 */
typedef struct {
    MemoryRegion *r, *c, *a, *b, *top;
    AddressSpace *as;
} World;

static World world_new(void)
{
    World w = {
        .r = stage_container("r", UINT64_MAX),
        .c = stage_container("c", 0x10000),
        .a = stage_io("a", 0x1000),
        .b = stage_io("b", 0x1000),
        .top = stage_io("top", 0x1000),
    };

    stage_add(w.c, 0x800, w.a);
    stage_add(w.r, 0x10000, w.c);
    stage_add(w.r, 0x14000, w.b);
    stage_add(w.r, 0xfffffffffffff000, w.top);
    w.as = stage_space(w.r, "as");
    return w;
}

/* ---- R-FIND-1 ---- */

static void addresses_add_up_to_the_top(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *outer = stage_container("outer", 0x100000);
    MemoryRegion *inner = stage_container("inner", 0x10000);
    MemoryRegion *leaf = stage_io("leaf", 0x100);

    stage_add(root, 0x200000, outer);
    stage_add(outer, 0x3000, inner);
    stage_add(inner, 0x40, leaf);
    stage_space(root, "as");
    check_find(leaf, 0, 0x100, "leaf[0x203040,0x203140)");
    check_find(inner, 0x40, 1, "leaf[0x203040,0x203041)");
    check_find(outer, 0x3041, 1, "leaf[0x203041,0x203042)@0x1");
    check_find(root, 0x20313f, 1, "leaf[0x20313f,0x203140)@0xff");
    check_find(root, 0x203140, 1, "-");
}

/* The root's own address counts too, and the sum wraps. */
static void address_of_the_root_counts(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);

    stage_add(root, 0x100, stage_io("a", 0x100));
    stage_add(root, 0x400, stage_io("b", 0x100));
    memory_region_set_address(root, 0x5000);
    AddressSpace *as = stage_space(root, "as");
    check_view(as, "a[0x5100,0x5200), b[0x5400,0x5500)");
    check_find(root, 0, 0x1000, "a[0x5100,0x5200)");
    check_find(root, 0x110, 1, "a[0x5110,0x5111)@0x10");
    check_find(root, (hwaddr)-0x10, 0x111, "a[0x5100,0x5101)");
    check_find(root, (hwaddr)-0x5000, 0x5200, "a[0x5100,0x5200)");
}

static void sum_wraps_query_does_not(void)
{
    World w = world_new();

    /* -0x10000 relative to c is 0 in the address space. */
    check_find(w.c, (hwaddr)-0x10000, 0x10801, "a[0x10800,0x10801)");
    check_find(w.c, (hwaddr)-0x10001, 1, "top[0xffffffffffffffff,0x10000000000000000)@0xfff");
    /* From the last byte on, 2^64 - 1 bytes: what is behind the end is not at 0. */
    stage_add(w.r, 0, stage_io("bottom", 1));
    memory_region_set_size(w.top, 0x800);
    check_find(w.r, UINT64_MAX, UINT64_MAX, "-");
    check_find(w.r, 0, 1, "bottom[0,0x1)");
}

static void needs_an_address_space_on_the_top(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *middle = stage_container("middle", 0x8000);
    MemoryRegion *leaf = stage_io("leaf", 0x1000);

    stage_add(root, 0x1000, middle);
    stage_add(middle, 0x100, leaf);
    check_find(root, 0, 0x10000, "-");
    check_find(leaf, 0, 0x1000, "-");
    AddressSpace *as = stage_space(root, "as");
    check_find(leaf, 0, 0x1000, "leaf[0x1100,0x2100)");
    stage_space_destroy(as);
    /* Off the list at once (R-TX-9), though its view still lives. */
    check_find(leaf, 0, 0x1000, "-");
}

static MemoryRegion *asked_leaf;

static void ask_in_callback(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    const char *expected = recorder->opaque;

    (void)section;
    if (g_str_has_prefix(event, "region_")) {
        MemoryRegionSection found = memory_region_find(asked_leaf, 0, 1);

        check_text_taken(text_of_section(&found), expected);
        memory_region_unref(found.mr);
    }
}

/*
 * Two spaces with one root.  While the second is told of a change, the first has
 * published already: an answer with the new state comes from the first.
 */
static void first_space_in_creation_order(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *leaf = stage_io("leaf", 0x1000);

    stage_add(root, 0x1000, leaf);
    AddressSpace *first = stage_space(root, "first");
    AddressSpace *second = stage_space(root, "second");
    Recorder *on_first = recorder_watch(first, NULL, 0, stage_log());
    Recorder *on_second = recorder_watch(second, NULL, 0, stage_log());

    asked_leaf = leaf;
    on_first->hook = ask_in_callback;
    on_first->opaque = "-[0,0)";
    on_second->hook = ask_in_callback;
    on_second->opaque = "leaf[0x4000,0x4001)";
    memory_region_set_address(leaf, 0x4000);
    check(on_first->log->len > 0);
    check(on_second->log->len > 0);
}

static void published_view_is_searched(void)
{
    World w = world_new();

    memory_region_transaction_begin();
    memory_region_set_address(w.b, 0x16000);
    stage_del(w.c, w.a);
    /* The path is the new one already, the view still the old one. */
    check_find(w.r, 0x10000, 0x10000, "a[0x10800,0x11800)");
    check_find(w.r, 0x14000, 1, "b[0x14000,0x14001)");
    check_find(w.b, 0, 1, "-");
    check_find(w.a, 0, 1, "-");
    memory_region_transaction_commit();
    check_find(w.r, 0x10000, 0x10000, "b[0x16000,0x17000)");
    check_find(w.b, 0, 1, "b[0x16000,0x16001)");
}

/* ---- R-FIND-2 ---- */

static void every_field_of_the_result(void)
{
    World w = world_new();

    memory_region_set_readonly(w.c, true);
    memory_region_set_nonvolatile(w.a, true);
    MemoryRegionSection found = memory_region_find(w.r, 0x10880, 0x10);
    check_pointer(found.mr, w.a);
    check_number(found.offset_within_region, 0x80);
    check_number(found.offset_within_address_space, 0x10880);
    check(int128_eq(found.size, int128_make64(0x10)));
    check(found.readonly);
    check(found.nonvolatile);
    check_pointer(found.fv, address_space_to_flatview(w.as));
    memory_region_unref(found.mr);
    check_find(w.r, 0x14000, 1, "b[0x14000,0x14001)");
}

static void lowest_range_clipped_to_the_query(void)
{
    World w = world_new();

    check_find(w.r, 0, UINT64_MAX, "a[0x10800,0x11800)");
    check_find(w.r, 0x11000, 0x10000, "a[0x11000,0x11800)@0x800");
    check_find(w.r, 0x11800, 0x10000, "b[0x14000,0x15000)");
    check_find(w.r, 0x11800, 0x2801, "b[0x14000,0x14001)");
    check_find(w.r, 0x11800, 0x2800, "-");
    check_find(w.r, 0x15000, UINT64_MAX, "top[0xfffffffffffff000,0x10000000000000000)");
}

static void result_of_a_2_to_the_64_range(void)
{
    MemoryRegion *io = stage_io("io", UINT64_MAX);

    stage_space(io, "as");
    check_find(io, 0, UINT64_MAX, "io[0,0xffffffffffffffff)");
    check_find(io, 1, UINT64_MAX, "io[0x1,0x10000000000000000)@0x1");
    check_find(io, UINT64_MAX, 1, "io[0xffffffffffffffff,0x10000000000000000)@0xffffffffffffffff");
}

static void view_is_not_referenced(void)
{
    World w = world_new();
    size_t before;

    memcore_drain();
    before = stage_statistics().flat_views;
    MemoryRegionSection found = memory_region_find(w.r, 0x10800, 1);
    stage_force_commit();
    memcore_drain();
    check_number(stage_statistics().flat_views, before);
    memory_region_unref(found.mr);
}

/* ---- R-FIND-3 ---- */

static void worked_example(void)
{
    World w = world_new();

    check_find(w.c, 0, 0x800, "-");
    check_find(w.c, 0, 0x801, "a[0x10800,0x10801)");
    check_find(w.c, 0x900, 0x10000, "a[0x10900,0x11800)@0x100");
    check_find(w.a, (hwaddr)-0x10, 0x20, "a[0x10800,0x10810)");
    check_find(w.top, 0xf00, UINT64_MAX, "top[0xffffffffffffff00,0x10000000000000000)@0xf00");
    check_find(w.top, 0x1000, 0x100, "-");
    check_find(w.top, 0x1000, UINT64_MAX, "a[0x10800,0x11800)");
}

/* Only the wrap makes the last of them empty: with something at 0, that is found. */
static void wrapped_start_finds_what_is_at_zero(void)
{
    World w = world_new();

    stage_add(w.r, 0, stage_io("bottom", 0x10));
    check_find(w.top, 0x1000, 1, "bottom[0,0x1)");
    check_find(w.top, 0x1008, 0x100, "bottom[0x8,0x10)@0x8");
}

/* ---- R-FIND-4 ---- */

static void hit_may_lie_outside(void)
{
    World w = world_new();

    check_find(w.c, 0x4000, 4, "b[0x14000,0x14004)");
    check_find(w.a, 0x3800, 1, "b[0x14000,0x14001)");
    memory_region_set_enabled(w.c, false);
    check_find(w.c, 0x900, 0x10000, "b[0x14000,0x15000)");
    check_find(w.c, 0x900, 1, "-");
    check_find(w.a, 0, 0x1000, "-");
}

static void alias_links_are_not_followed(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *alias = stage_alias("alias", ram, 0, 0x1000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x2000, alias);
    check_view(as, "ram[0x2000,0x3000)");
    check_find(ram, 0, 0x1000, "-");
    check_find(alias, 0, 0x1000, "ram[0x2000,0x3000)");
}

static void space_half_way_up_does_not_help(void)
{
    MemoryRegion *top = stage_container("top", 0x10000);
    MemoryRegion *half = stage_container("half", 0x8000);
    MemoryRegion *leaf = stage_io("leaf", 0x1000);

    stage_add(half, 0x100, leaf);
    AddressSpace *as = stage_space(half, "as");
    check_find(leaf, 0, 0x1000, "leaf[0x100,0x1100)");
    stage_add(top, 0, half);
    check_view(as, "leaf[0x100,0x1100)");
    check_find(leaf, 0, 0x1000, "-");
    check_find(half, 0, 0x8000, "-");
}

/* ---- R-FIND-5: the better behaviour ---- */

static void size_zero_finds_nothing(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    World w = world_new();
    static const hwaddr addresses[] = { 0, 0x10800, 0x10801, 0x10fff, 0x11800, 0x14001, UINT64_MAX };
    unsigned references = stage_owner_references(owner);

    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        check_find(w.r, addresses[i], 0, "-");
    }
    check_find(w.a, 0x10, 0, "-");
    check_number(stage_owner_references(owner), references);
}

/* ---- R-FIND-6 ---- */

static void present_means_another_region(void)
{
    World w = world_new();

    check(memory_region_present(w.c, 0x800));
    check(memory_region_present(w.c, 0x17ff));
    check(!memory_region_present(w.c, 0x7ff));
    check(!memory_region_present(w.c, 0x1800));
    check(memory_region_present(w.r, 0x14fff));
    check(memory_region_present(w.r, UINT64_MAX));
    /* A region is no other region in itself. */
    check(!memory_region_present(w.a, 0));
    check(!memory_region_present(w.a, 0xfff));
    /* Satisfied from outside (R-FIND-4). */
    check(memory_region_present(w.c, 0x4000));
    check(memory_region_present(w.a, 0x3800));
}

static void present_in_a_terminating_container(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x4000);

    stage_add(ram, 0x1000, stage_io("child", 0x100));
    stage_space(ram, "as");
    check(!memory_region_present(ram, 0xfff));
    check(memory_region_present(ram, 0x1000));
    check(memory_region_present(ram, 0x10ff));
    check(!memory_region_present(ram, 0x1100));
    check(!memory_region_present(ram, 0x4000));
}

static void present_takes_no_reference(void)
{
    Object *owner = stage_owner("dev");

    stage_set_owner(owner);
    World w = world_new();
    unsigned references = stage_owner_references(owner);

    check(memory_region_present(w.c, 0x800));
    check(!memory_region_present(w.a, 0));
    check(!memory_region_present(w.c, 0));
    check_number(stage_owner_references(owner), references);
}

/* ---- I-14: find and present against the view, at every address of a small world ---- */

enum { WORLD = 48 };

typedef struct {
    const MemoryRegion *mr[WORLD];      /* who serves each byte */
    hwaddr offset[WORLD];
    hwaddr start[WORLD];                /* where its range starts, and ends */
    hwaddr end[WORLD];
} Bytes;

static bool note_bytes(Int128 start, Int128 len, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    Bytes *bytes = opaque;
    hwaddr first = int128_get64(start);
    hwaddr end = first + int128_get64(len);

    for (hwaddr a = first; a < end && a < WORLD; a++) {
        bytes->mr[a] = mr;
        bytes->offset[a] = offset + (a - first);
        bytes->start[a] = first;
        bytes->end[a] = end;
    }
    return false;
}

static void agrees_with_the_view_everywhere(void)
{
    MemoryRegion *root = stage_io("root", WORLD);
    MemoryRegion *c = stage_container("c", 20);
    MemoryRegion *leaf = stage_io("leaf", 7);
    Bytes bytes = { 0 };

    stage_add(root, 3, stage_io("x", 5));
    stage_add(root, 8, stage_io("y", 2));
    stage_add(root, 15, c);
    stage_add(c, 2, leaf);
    stage_add_overlap(c, 8, stage_io("z", 30), -1);
    stage_add_overlap(root, 40, stage_alias("alias", leaf, 3, 4), 2);
    AddressSpace *as = stage_space(root, "as");
    flatview_for_each_range(address_space_to_flatview(as), note_bytes, &bytes);
    for (hwaddr a = 0; a < WORLD; a++) {
        for (uint64_t n = 1; n <= WORLD; n++) {
            MemoryRegionSection found = memory_region_find(root, a, n);
            hwaddr first = a;

            while (first < WORLD && first < a + n && !bytes.mr[first]) {
                first++;
            }
            if (first == WORLD || first == a + n) {
                check_pointer(found.mr, NULL);
                continue;
            }
            check_pointer(found.mr, bytes.mr[first]);
            check_number(found.offset_within_region, bytes.offset[first]);
            check_number(found.offset_within_address_space, first);
            check_number(int128_get64(found.size), MIN(bytes.end[first], a + n) - first);
            memory_region_unref(found.mr);
        }
        check_number(memory_region_present(root, a), bytes.mr[a] && bytes.mr[a] != root);
    }
}

static void visible_leaf_finds_itself(void)
{
    World w = world_new();
    MemoryRegion *leaves[] = { w.a, w.b, w.top };

    for (size_t i = 0; i < G_N_ELEMENTS(leaves); i++) {
        MemoryRegionSection found = memory_region_find(leaves[i], 0, memory_region_size(leaves[i]));

        check_pointer(found.mr, leaves[i]);
        check_number(found.offset_within_region, 0);
        check_number(int128_get64(found.size), memory_region_size(leaves[i]));
        memory_region_unref(found.mr);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-FIND-1/addresses-add-up", addresses_add_up_to_the_top);
    conformance_case("/R-FIND-1/address-of-the-root", address_of_the_root_counts);
    conformance_case("/R-FIND-1/sum-wraps-query-does-not", sum_wraps_query_does_not);
    conformance_case("/R-FIND-1/needs-a-space-on-the-top", needs_an_address_space_on_the_top);
    conformance_case("/R-FIND-1/first-space-in-creation-order", first_space_in_creation_order);
    conformance_case("/R-FIND-1/published-view", published_view_is_searched);
    conformance_case("/R-FIND-2/every-field", every_field_of_the_result);
    conformance_case("/R-FIND-2/lowest-range-clipped", lowest_range_clipped_to_the_query);
    conformance_case("/R-FIND-2/range-of-2-to-the-64", result_of_a_2_to_the_64_range);
    conformance_case("/R-FIND-2/view-is-not-referenced", view_is_not_referenced);
    conformance_case("/R-FIND-3/worked-example", worked_example);
    conformance_case("/R-FIND-3/wrapped-start", wrapped_start_finds_what_is_at_zero);
    conformance_case("/R-FIND-4/hit-may-lie-outside", hit_may_lie_outside);
    conformance_case("/R-FIND-4/alias-links", alias_links_are_not_followed);
    conformance_case("/R-FIND-4/space-half-way-up", space_half_way_up_does_not_help);
    conformance_case("/R-FIND-5/size-zero", size_zero_finds_nothing);
    conformance_case("/R-FIND-6/present", present_means_another_region);
    conformance_case("/R-FIND-6/terminating-container", present_in_a_terminating_container);
    conformance_case("/R-FIND-6/takes-no-reference", present_takes_no_reference);
    conformance_case("/I-14/agrees-with-the-view", agrees_with_the_view_everywhere);
    conformance_case("/I-14/visible-leaf-finds-itself", visible_leaf_finds_itself);
    return g_test_run();
}
