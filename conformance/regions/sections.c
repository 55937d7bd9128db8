/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walking a FlatView, comparing and copying sections (R-SEC-1 to R-SEC-3), and
 * which spaces share one view object (I-13).
 */
#include "../common/conformance.h"

#include <inttypes.h>

/* ---- R-SEC-1: flatview_for_each_range ---- */

typedef struct {
    unsigned calls, stop_after;
    GString *text;
    Int128 last_start, last_size;
    const MemoryRegion *last_mr;
} Walk;

static bool walk_range(Int128 start, Int128 len, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    Walk *walk = opaque;
    char *from = text_of_int128(start);
    char *size = text_of_int128(len);

    g_string_append_printf(walk->text, "%s %s+%s @0x%" PRIx64 "\n", memory_region_name(mr), from, size,
                           offset);
    g_free(from);
    g_free(size);
    walk->last_start = start;
    walk->last_size = len;
    walk->last_mr = mr;
    walk->calls++;
    return walk->calls == walk->stop_after;
}

/* io r0 with a hole that ram fills: three ranges. */
static AddressSpace *three_ranges(MemoryRegion **ram)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *io = stage_io("io", 0x3000);

    *ram = stage_ram("ram", 0x1000);
    stage_add(root, 0x1000, io);
    stage_add(io, 0x1000, *ram);
    return stage_space(root, "as");
}

static void walks_ascending(void)
{
    MemoryRegion *ram;
    AddressSpace *as = three_ranges(&ram);
    Walk walk = { .text = stage_log() };

    flatview_for_each_range(address_space_to_flatview(as), walk_range, &walk);
    check_log(walk.text, "io 0x1000+0x1000 @0x0\nram 0x2000+0x1000 @0x0\nio 0x3000+0x1000 @0x2000\n");
    check_number(walk.calls, 3);
}

static void stops_when_told(void)
{
    MemoryRegion *ram;
    AddressSpace *as = three_ranges(&ram);
    Walk walk = { .text = stage_log(), .stop_after = 2 };

    flatview_for_each_range(address_space_to_flatview(as), walk_range, &walk);
    check_log(walk.text, "io 0x1000+0x1000 @0x0\nram 0x2000+0x1000 @0x0\n");
    check_number(walk.calls, 2);
    check_pointer(walk.last_mr, ram);
}

static void walks_128_bits(void)
{
    AddressSpace *all = stage_space(stage_io("all", UINT64_MAX), "all");
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    AddressSpace *top;
    Walk walk = { .text = stage_log() };

    flatview_for_each_range(address_space_to_flatview(all), walk_range, &walk);
    check(int128_eq(walk.last_size, int128_2_64()));
    stage_add(root, UINT64_MAX, stage_io("last", 0x1000));
    top = stage_space(root, "top");
    flatview_for_each_range(address_space_to_flatview(top), walk_range, &walk);
    check_log(walk.text, "all 0+0x10000000000000000 @0x0\nlast 0xffffffffffffffff+0x1 @0x0\n");
    check(int128_eq(walk.last_start, int128_make64(UINT64_MAX)));
    check(int128_eq(walk.last_size, int128_one()));
}

static void walks_an_empty_view(void)
{
    AddressSpace *as = stage_space(stage_container("root", 0x1000), "as");
    Walk walk = { .text = stage_log() };

    flatview_for_each_range(address_space_to_flatview(as), walk_range, &walk);
    check_number(walk.calls, 0);
}

static void walk_without_view(void)
{
    Walk walk = { .text = stage_log() };

    flatview_for_each_range(NULL, walk_range, &walk);
}

static void walk_without_callback(void)
{
    MemoryRegion *ram;
    AddressSpace *as = three_ranges(&ram);

    flatview_for_each_range(address_space_to_flatview(as), NULL, NULL);
}

/* ---- R-SEC-2: equality ---- */

static void equality_takes_every_field(void)
{
    MemoryRegion *ram;
    AddressSpace *as = three_ranges(&ram);
    MemoryRegionSection s = memory_region_find(ram, 0x10, 0x100);
    MemoryRegionSection t = s;

    check(MemoryRegionSection_eq(&s, &t));
    t.mr = NULL;
    check(!MemoryRegionSection_eq(&s, &t));
    t = s;
    t.fv = NULL;
    check(!MemoryRegionSection_eq(&s, &t));
    t = s;
    t.offset_within_region++;
    check(!MemoryRegionSection_eq(&s, &t));
    t = s;
    t.offset_within_address_space++;
    check(!MemoryRegionSection_eq(&s, &t));
    t = s;
    t.size = int128_add(t.size, int128_one());
    check(!MemoryRegionSection_eq(&s, &t));
    t = s;
    t.size = int128_add(t.size, int128_2_64());
    check(!MemoryRegionSection_eq(&s, &t));
    t = s;
    t.readonly = true;
    check(!MemoryRegionSection_eq(&s, &t));
    t = s;
    t.nonvolatile = true;
    check(!MemoryRegionSection_eq(&s, &t));
    check_pointer(s.fv, address_space_to_flatview(as));
    memory_region_unref(s.mr);
}

/* The same place before and after a commit that changed something else: the view is another one. */
static void equality_includes_the_view(void)
{
    MemoryRegion *ram;
    AddressSpace *as = three_ranges(&ram);
    MemoryRegionSection before = memory_region_find(ram, 0, 0x10);
    MemoryRegionSection after;
    MemoryRegion *root = stage_container("other root", 0x10000);

    check_pointer(before.fv, address_space_to_flatview(as));
    stage_add(root, 0, stage_alias("window", ram, 0, 0x1000));
    memory_region_set_nonvolatile(ram, true);
    memory_region_set_nonvolatile(ram, false);
    after = memory_region_find(ram, 0, 0x10);
    check_pointer(after.mr, before.mr);
    check_number(after.offset_within_address_space, before.offset_within_address_space);
    check(!MemoryRegionSection_eq(&before, &after));
    memory_region_unref(before.mr);
    memory_region_unref(after.mr);
}

/* ---- R-SEC-3: copies ---- */

static void copy_equals_and_owns(void)
{
    Object *dev = stage_owner("dev");
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *mr;
    MemoryRegionSection found;
    MemoryRegionSection *copy;
    unsigned references;

    stage_set_owner(dev);
    mr = stage_io("mr", 0x1000);
    stage_set_owner(NULL);
    stage_add(root, 0x1000, mr);
    stage_space(root, "as");
    memcore_drain();
    found = memory_region_find(mr, 0x10, 0x20);
    memory_region_unref(found.mr);
    references = stage_owner_references(dev);
    copy = memory_region_section_new_copy(&found);
    check(copy != &found);
    check(MemoryRegionSection_eq(copy, &found));
    check_number(stage_owner_references(dev), references + 1);
    memory_region_section_free_copy(copy);
    check_number(stage_owner_references(dev), references);
}

/* As long as a copy names it, a view that was replaced long ago stays as it was, and so do its regions. */
static void copy_keeps_the_view(void)
{
    Object *dev = stage_owner("dev");
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *mr;
    MemoryRegionSection found;
    MemoryRegionSection *copy;
    AddressSpace *as;

    stage_set_owner(dev);
    mr = stage_io("mr", 0x1000);
    stage_set_owner(NULL);
    stage_add(root, 0x1000, mr);
    as = stage_space(root, "as");
    found = memory_region_find(mr, 0, 0x1000);
    copy = memory_region_section_new_copy(&found);
    memory_region_unref(found.mr);
    stage_del(root, mr);
    stage_owner_drop(dev);
    memcore_drain();
    check(!stage_owner_gone(dev));
    check(copy->fv != address_space_to_flatview(as));
    check_text_taken(text_of_flatview(copy->fv), "mr[0x1000,0x2000)");
    check_section(copy, "mr[0x1000,0x2000)");
    check_number(stage_statistics().flat_views, 1);
    memory_region_section_free_copy(copy);
    memcore_drain();
    check(stage_owner_gone(dev));
    check_number(stage_statistics().flat_views, 0);
}

static void copy_without_region_and_view(void)
{
    MemoryRegionSection none = { .size = int128_zero(), .offset_within_address_space = 5 };
    MemoryRegionSection *copy = memory_region_section_new_copy(&none);

    check(MemoryRegionSection_eq(copy, &none));
    memory_region_section_free_copy(copy);
}

/* R-LST-7: a region_add's section names the outgoing view, which is live during the call. */
static void copy_in_hook(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    MemoryRegionSection **copy = recorder->opaque;

    if (g_str_equal(event, "region_add")) {
        *copy = memory_region_section_new_copy(section);
    }
}

static void copy_of_an_added_section(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *a = stage_io("a", 0x100);
    MemoryRegion *b = stage_io("b", 0x100);
    MemoryRegionSection *copy = NULL;
    AddressSpace *as;
    Recorder *r;

    stage_add(root, 0x1000, a);
    as = stage_space(root, "as");
    r = recorder_watch(as, NULL, 0, stage_log());
    r->hook = copy_in_hook;
    r->opaque = &copy;
    stage_add(root, 0x2000, b);
    memcore_drain();
    check_section(copy, "b[0x2000,0x2100)");
    check_text_taken(text_of_flatview(copy->fv), "a[0x1000,0x1100)");
    check_view(as, "a[0x1000,0x1100), b[0x2000,0x2100)");
    memory_region_section_free_copy(copy);
}

static void copy_of_a_dead_view(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *mr = stage_io("mr", 0x1000);
    MemoryRegionSection found;

    stage_add(root, 0x1000, mr);
    stage_space(root, "as");
    found = memory_region_find(mr, 0, 0x1000);
    stage_del(root, mr);
    /* Dropped, but not reclaimed yet: the object can still be looked at, and its count is 0. */
    memory_region_section_new_copy(&found);
}

/* ---- I-13: who shares a view ---- */

static void same_root_same_view(void)
{
    MemoryRegion *sys = stage_container("sys", UINT64_MAX);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *wrapper = stage_container("wrapper", UINT64_MAX);
    MemoryRegion *full = stage_alias("full", sys, 0, UINT64_MAX);
    AddressSpace *one, *two, *through, *bare, *part;

    stage_add(sys, 0x1000, ram);
    one = stage_space(sys, "one");
    two = stage_space(sys, "two");
    stage_add(wrapper, 0, full);
    through = stage_space(wrapper, "through");
    bare = stage_space(stage_alias("full too", sys, 0, UINT64_MAX), "bare");
    part = stage_space(stage_alias("part", sys, 0, 0x2000), "part");
    for (int round = 0; round < 2; round++) {
        FlatView *view = address_space_to_flatview(one);

        check_pointer(address_space_to_flatview(two), view);
        check_pointer(address_space_to_flatview(through), view);
        check_pointer(address_space_to_flatview(bare), view);
        check(address_space_to_flatview(part) != view);
        check_view(part, round ? "ram[0x1000,0x2000) ro" : "ram[0x1000,0x2000)");
        memory_region_set_readonly(ram, true);
    }
    /* A second child: the wrapper is no longer seen through. */
    stage_add(wrapper, 0x100000, stage_io("extra", 1));
    check_pointer(address_space_to_flatview(two), address_space_to_flatview(one));
    check(address_space_to_flatview(through) != address_space_to_flatview(one));
}

/* The same collapsed root, but shown at its own address by one and from 0 on by the other (R-FV-10). */
static void same_root_at_two_places(void)
{
    MemoryRegion *sys = stage_container("sys", UINT64_MAX);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    AddressSpace *direct, *aliased, *aliased_too;

    stage_add(sys, 0x4000, ram);
    direct = stage_space(ram, "direct");
    aliased = stage_space(stage_alias("full", ram, 0, 0x1000), "aliased");
    aliased_too = stage_space(stage_alias("more", ram, 0, 0x2000), "aliased too");
    for (int round = 0; round < 2; round++) {
        check_view(direct, round ? "ram[0x4000,0x5000) nv" : "ram[0x4000,0x5000)");
        check_view(aliased, round ? "ram[0,0x1000) nv" : "ram[0,0x1000)");
        check_pointer(address_space_to_flatview(aliased_too), address_space_to_flatview(aliased));
        check(address_space_to_flatview(direct) != address_space_to_flatview(aliased));
        memory_region_set_nonvolatile(ram, true);
    }
}

static void one_empty_view_for_all(void)
{
    MemoryRegion *off = stage_io("off", 0x1000);
    MemoryRegion *holder = stage_container("holder", 0x1000);
    AddressSpace *childless = stage_space(stage_container("childless", 0x1000), "childless");
    FlatView *empty = address_space_to_flatview(childless);
    AddressSpace *disabled, *outside;

    memory_region_set_enabled(off, false);
    disabled = stage_space(off, "disabled");
    stage_add(holder, 0x2000, stage_io("beyond", 1));
    outside = stage_space(holder, "outside");
    check_pointer(address_space_to_flatview(disabled), empty);
    check(address_space_to_flatview(outside) != empty);
    check_view(outside, "");
    memory_region_set_enabled(off, true);
    check(address_space_to_flatview(disabled) != empty);
    check_pointer(address_space_to_flatview(childless), empty);
    memory_region_set_enabled(off, false);
    check_pointer(address_space_to_flatview(disabled), empty);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-SEC-1/ascending", walks_ascending);
    conformance_case("/R-SEC-1/stops-when-told", stops_when_told);
    conformance_case("/R-SEC-1/128-bits", walks_128_bits);
    conformance_case("/R-SEC-1/empty-view", walks_an_empty_view);
    conformance_misuse("/R-SEC-1/no-view", walk_without_view, "flatview_for_each_range",
                       "no view given (NULL)*(R-SEC-1)");
    conformance_misuse("/R-SEC-1/no-callback", walk_without_callback, "flatview_for_each_range",
                       "no callback given (NULL)*(R-SEC-1)");
    conformance_case("/R-SEC-2/every-field", equality_takes_every_field);
    conformance_case("/R-SEC-2/the-view-too", equality_includes_the_view);
    conformance_case("/R-SEC-3/equals-and-owns", copy_equals_and_owns);
    conformance_case("/R-SEC-3/keeps-the-view", copy_keeps_the_view);
    conformance_case("/R-SEC-3/without-region-and-view", copy_without_region_and_view);
    conformance_case("/R-SEC-3/of-an-added-section", copy_of_an_added_section);
    conformance_misuse("/R-SEC-3/of-a-dead-view", copy_of_a_dead_view, "memory_region_section_new_copy", "(R-SEC-3)");
    conformance_case("/I-13/regions-same-root-same-view", same_root_same_view);
    conformance_case("/I-13/regions-same-root-at-two-places", same_root_at_two_places);
    conformance_case("/I-13/regions-one-empty-view", one_empty_view_for_all);
    return g_test_run();
}
