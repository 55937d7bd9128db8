/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MemoryListener, second part of chapter 6: what a commit tells listeners, and
 * with which sections (R-LST-7 to R-LST-12).
 */
#include "world.h"

/* ---- R-LST-7: sections ---- */

static void keep_section(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    if (g_str_has_prefix(event, "region_add")) {
        *(MemoryRegionSection *)recorder->opaque = *section;
    }
}

static void section_fields(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *ram = stage_ram("ram", 0x4000);
    MemoryRegion *alias = stage_alias("alias", ram, 0x1000, 0x2000);
    GString *log = stage_log();
    MemoryRegionSection seen;
    AddressSpace *as = stage_space(root, "as");
    Recorder *r = recorder_watch(as, NULL, 0, log);

    r->hook = keep_section;
    r->opaque = &seen;
    memory_region_set_readonly(alias, true);
    memory_region_set_nonvolatile(ram, true);
    g_string_truncate(log, 0);
    stage_add(root, 0xfffffffffffff000, alias);
    check_log(log,
              "begin\n"
              "region_add ram[0xfffffffffffff000,0x10000000000000000)@0x1000 ro nv\n"
              "commit\n");
    check_pointer(seen.mr, ram);
    check_number(seen.offset_within_region, 0x1000);
    check_number(seen.offset_within_address_space, 0xfffffffffffff000);
    check(int128_eq(seen.size, int128_make64(0x1000)));
    check(seen.readonly);
    check(seen.nonvolatile);
}

static void section_of_two_to_the_64(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    MemoryRegion *all = stage_io("all", UINT64_MAX);
    GString *log = stage_log();
    MemoryRegionSection seen;
    AddressSpace *as = stage_space(root, "as");
    Recorder *r = recorder_watch(as, NULL, 0, log);

    r->hook = keep_section;
    r->opaque = &seen;
    stage_add(root, 0, all);
    check_log(log, "begin\nregion_add all[0,0x10000000000000000)\ncommit\n");
    check(int128_eq(seen.size, int128_2_64()));
}

/* In a commit, section->fv is the view that is about to be replaced, and still the published one. */
typedef struct {
    AddressSpace *as;
    FlatView *before;
    MemoryRegion *root;
    unsigned outgoing, current;
} Views;

static void check_views(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    Views *v = recorder->opaque;

    if (!section) {
        return;
    }
    check_pointer(section->fv, address_space_to_flatview(v->as));
    if (g_str_has_prefix(event, "eventfd")) {
        check(section->fv != v->before);
        check_find(v->root, 0x1000, 1, "-");
        v->current++;
    } else {
        check_pointer(section->fv, v->before);
        check_find(v->root, 0x1000, 1, "a[0x1000,0x1001)");
        v->outgoing++;
    }
}

static void commit_shows_the_outgoing_view(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *screen = stage_ram("screen", 0x1000);
    EventNotifier *e = stage_notifier("e");
    Views v = { .as = w.as, .root = w.root };

    stage_add(w.root, 0x8000, screen);
    memory_region_add_coalescing(w.a, 0x10, 0x20);
    memory_region_add_eventfd(w.a, 0, 4, false, 0, e);
    v.before = address_space_to_flatview(w.as);
    w.recorder->opaque = &v;
    w.recorder->hook = check_views;
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_set_log(screen, true, DIRTY_MEMORY_VGA);
    memory_region_set_address(w.a, 0x4000);
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "coalesced_io_del 0x1010+0x20 in a[0x1000,0x2000)\n"
              "region_del a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "region_add a[0x4000,0x5000)\n"
              "coalesced_io_add 0x4010+0x20 in a[0x4000,0x5000)\n"
              "region_nop screen[0x8000,0x9000)\n"
              "log_start screen[0x8000,0x9000) 0->1\n"
              "eventfd_del 0x1000+0x4 data 0x0 e\n"
              "eventfd_add 0x4000+0x4 data 0x0 e\n"
              "commit\n");
    check_number(v.outgoing, 7);
    check_number(v.current, 2);
    w.recorder->hook = NULL;
    memory_region_set_log(screen, false, DIRTY_MEMORY_VGA);
}

static void check_current_view(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    AddressSpace *as = recorder->opaque;

    (void)event;
    if (section) {
        check_pointer(section->fv, address_space_to_flatview(as));
    }
}

static void replay_and_direct_calls_show_the_current_view(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    EventNotifier *e = stage_notifier("e");
    Recorder *late = recorder_new(NULL, 0, w.log);

    stage_add(w.root, 0x8000, ram);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    recorder_unregister(w.recorder);
    g_string_truncate(w.log, 0);
    late->hook = check_current_view;
    late->opaque = w.as;
    recorder_register(late, w.as);
    memory_region_add_coalescing(w.a, 0, 4);
    memory_region_clear_coalescing(w.a);
    memory_region_add_eventfd(w.a, 0, 4, false, 0, e);
    memory_region_del_eventfd(w.a, 0, 4, false, 0, e);
    memory_global_dirty_log_sync();
    memory_region_clear_dirty_bitmap(ram, 0, 0x1000);
    recorder_unregister(late);
    check_log(w.log,
              "begin\n"
              "region_add a[0x1000,0x2000)\n"
              "region_add b[0x2000,0x3000)\n"
              "region_add ram[0x8000,0x9000)\n"
              "log_start ram[0x8000,0x9000) 0->1\n"
              "commit\n"
              "coalesced_io_add 0x1000+0x4 in a[0x1000,0x2000)\n"
              "coalesced_io_del 0x1000+0x4 in a[0x1000,0x2000)\n"
              "eventfd_add 0x1000+0x4 data 0x0 e\n"
              "eventfd_del 0x1000+0x4 data 0x0 e\n"
              "log_sync ram[0x8000,0x9000)\n"
              "log_clear ram[0x8000,0x9000)\n"
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_del b[0x2000,0x3000)\n"
              "log_stop ram[0x8000,0x9000) 1->0\n"
              "region_del ram[0x8000,0x9000)\n"
              "commit\n");
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

static void keep_view(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    FlatView **views = recorder->opaque;

    if (g_str_equal(event, "region_add")) {
        views[0] = section->fv;
    } else if (g_str_equal(event, "region_del")) {
        views[1] = section->fv;
    }
}

/* Without a drain between them, both views are still allocated, so their addresses tell them apart. */
static void add_and_del_name_different_views(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *c = stage_io("c", 0x1000);
    FlatView *views[2] = { NULL, NULL };
    FlatView *before = address_space_to_flatview(w.as);
    FlatView *between;

    w.recorder->hook = keep_view;
    w.recorder->opaque = views;
    stage_add(w.root, 0x6000, c);
    between = address_space_to_flatview(w.as);
    stage_del(w.root, c);
    check_pointer(views[0], before);
    check_pointer(views[1], between);
    check(views[0] != views[1]);
}

/* The container's reference is the owner's last; the name must be readable in region_del all the same. */
static void region_lives_through_the_diff(void)
{
    World w = world_watched(0x2000);
    Object *dev = stage_owner("dev");
    MemoryRegion *card;

    stage_set_owner(dev);
    card = stage_io("card", 0x1000);
    stage_set_owner(NULL);
    stage_add(w.root, 0, card);
    memory_region_add_coalescing(card, 0, 4);
    stage_owner_drop(dev);
    memcore_drain();
    check(!stage_owner_gone(dev));
    g_string_truncate(w.log, 0);
    stage_del(w.root, card);
    check_log(w.log,
              "begin\n"
              "coalesced_io_del 0x0+0x4 in card[0,0x1000)\n"
              "region_del card[0,0x1000)\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "commit\n");
    memcore_drain();
    check(stage_owner_gone(dev));
}

/* ---- R-LST-8: the diff of one space ---- */

static void identity_start_and_size(void)
{
    World w = world_watched(0x2000);

    memory_region_set_address(w.b, 0x2800);
    check_log(w.log,
              "begin\n"
              "region_del b[0x2000,0x3000)\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_add b[0x2800,0x3800)\n"
              "commit\n");
    memory_region_set_size(w.b, 0xfff);
    check_log(w.log,
              "begin\n"
              "region_del b[0x2800,0x3800)\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_add b[0x2800,0x37ff)\n"
              "commit\n");
}

static void identity_offset(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *ram = stage_ram("ram", 0x4000);
    MemoryRegion *window = stage_alias("window", ram, 0, 0x1000);

    stage_add(w.root, 0, window);
    g_string_truncate(w.log, 0);
    memory_region_set_alias_offset(window, 0x800);
    check_log(w.log,
              "begin\n"
              "region_del ram[0,0x1000)\n"
              "region_add ram[0,0x1000)@0x800\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "commit\n");
}

static void identity_region(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *other = stage_io("other", 0x1000);

    memory_region_transaction_begin();
    stage_del(w.root, w.a);
    stage_add(w.root, 0x1000, other);
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_add other[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "commit\n");
}

static void identity_flags(void)
{
    World w = world_watched(0x2000);

    stage_del(w.root, w.b);
    g_string_truncate(w.log, 0);
    memory_region_set_readonly(w.a, true);
    memory_region_set_nonvolatile(w.a, true);
    memory_region_rom_device_set_romd(w.a, false);
    check_log(w.log,
              "begin\nregion_del a[0x1000,0x2000)\nregion_add a[0x1000,0x2000) ro\ncommit\n"
              "begin\nregion_del a[0x1000,0x2000) ro\nregion_add a[0x1000,0x2000) ro nv\ncommit\n"
              "begin\nregion_del a[0x1000,0x2000) ro nv\nregion_add a[0x1000,0x2000) ro nv\ncommit\n");
}

/* The flag is set on the container: the range, not the region, is what is compared. */
static void identity_inherited_flags(void)
{
    World w = world_watched(0x2000);

    stage_del(w.root, w.b);
    g_string_truncate(w.log, 0);
    memory_region_set_readonly(w.root, true);
    check_log(w.log, "begin\nregion_del a[0x1000,0x2000)\nregion_add a[0x1000,0x2000) ro\ncommit\n");
    memory_region_set_readonly(w.a, true);
    check_log(w.log, "begin\nregion_nop a[0x1000,0x2000) ro\ncommit\n");
    memory_region_set_readonly(w.root, false);
    check_log(w.log, "begin\nregion_nop a[0x1000,0x2000) ro\ncommit\n");
}

static void mask_is_not_identity(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);

    stage_add(w.root, 0x8000, ram);
    g_string_truncate(w.log, 0);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    check_log(w.log,
              "begin\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "region_nop ram[0x8000,0x9000)\n"
              "log_start ram[0x8000,0x9000) 0->1\n"
              "commit\n"
              "begin\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "region_nop ram[0x8000,0x9000)\n"
              "log_stop ram[0x8000,0x9000) 1->0\n"
              "commit\n");
}

static void log_start_then_log_stop_of_one_range(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);

    stage_add(w.root, 0, ram);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    memory_region_transaction_commit();
    check_log(w.log,
              "log_global_start\n"
              "begin\n"
              "region_nop ram[0,0x1000)\n"
              "log_start ram[0,0x1000) 1->4\n"
              "log_stop ram[0,0x1000) 1->4\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "commit\n");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
}

/*
 *  before   .  a  b  c  d  .      one step is 0x1000
 *  after    b  a  .  .  d  c
 */
static void dels_ascending_then_adds_and_nops_by_address(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *c = stage_io("c", 0x1000);
    MemoryRegion *d = stage_io("d", 0x1000);

    stage_add(w.root, 0x3000, c);
    stage_add(w.root, 0x4000, d);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_set_address(c, 0x5000);
    memory_region_set_address(w.b, 0);
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "region_del b[0x2000,0x3000)\n"
              "region_del c[0x3000,0x4000)\n"
              "region_add b[0,0x1000)\n"
              "region_nop a[0x1000,0x2000)\n"
              "region_nop d[0x4000,0x5000)\n"
              "region_add c[0x5000,0x6000)\n"
              "commit\n");
}

static void coalesced_ranges_come_with_their_range(void)
{
    World w = world_watched(0x2000);

    memory_region_add_coalescing(w.b, 0x80, 0x10);
    memory_region_add_coalescing(w.b, 0x20, 0x10);
    memory_region_add_coalescing(w.a, 0x40, 0x10);
    g_string_truncate(w.log, 0);
    memory_region_transaction_begin();
    memory_region_set_enabled(w.a, false);
    memory_region_set_enabled(w.b, false);
    memory_region_transaction_commit();
    memory_region_transaction_begin();
    memory_region_set_enabled(w.a, true);
    memory_region_set_enabled(w.b, true);
    memory_region_transaction_commit();
    check_log(w.log,
              "begin\n"
              "coalesced_io_del 0x1040+0x10 in a[0x1000,0x2000)\n"
              "region_del a[0x1000,0x2000)\n"
              "coalesced_io_del 0x2080+0x10 in b[0x2000,0x3000)\n"
              "coalesced_io_del 0x2020+0x10 in b[0x2000,0x3000)\n"
              "region_del b[0x2000,0x3000)\n"
              "commit\n"
              "begin\n"
              "region_add a[0x1000,0x2000)\n"
              "coalesced_io_add 0x1040+0x10 in a[0x1000,0x2000)\n"
              "region_add b[0x2000,0x3000)\n"
              "coalesced_io_add 0x2080+0x10 in b[0x2000,0x3000)\n"
              "coalesced_io_add 0x2020+0x10 in b[0x2000,0x3000)\n"
              "commit\n");
}

/* ---- R-LST-9: whole ranges, space after space ---- */

static void carving_a_hole(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *mid = stage_io("mid", 0x10);

    stage_add_overlap(w.root, 0x1400, mid, 1);
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_add a[0x1000,0x1400)\n"
              "region_add mid[0x1400,0x1410)\n"
              "region_add a[0x1410,0x2000)@0x410\n"
              "region_nop b[0x2000,0x3000)\n"
              "commit\n");
    memory_region_set_enabled(mid, false);
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x1400)\n"
              "region_del mid[0x1400,0x1410)\n"
              "region_del a[0x1410,0x2000)@0x410\n"
              "region_add a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "commit\n");
}

static void one_space_is_done_before_the_next(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *bus = stage_container("bus", 0x10000);
    MemoryRegion *window = stage_alias("window", w.root, 0x1000, 0x2000);
    AddressSpace *dma;

    stage_add(bus, 0x100, window);
    dma = stage_space(bus, "dma");
    w.recorder->name = "cpu";
    recorder_watch(dma, "dma", 0, w.log);
    g_string_truncate(w.log, 0);
    memory_region_set_readonly(w.b, true);
    check_log(w.log,
              "begin : cpu dma\n"
              "region_del b[0x2000,0x3000) : cpu\n"
              "region_nop a[0x1000,0x2000) : cpu\n"
              "region_add b[0x2000,0x3000) ro : cpu\n"
              "region_del b[0x1100,0x2100) : dma\n"
              "region_nop a[0x100,0x1100) : dma\n"
              "region_add b[0x1100,0x2100) ro : dma\n"
              "commit : cpu dma\n");
}

/* ---- R-LST-10: no log_start with a range that appears, no log_stop with one that goes ---- */

static void keep_mask(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    if (g_str_equal(event, "region_add")) {
        *(unsigned *)recorder->opaque = memory_region_get_dirty_log_mask(section->mr);
    }
}

static void appearing_with_a_mask(void)
{
    World w = world_watched(0x2000);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    unsigned mask = 0x100;

    stage_add(w.root, 0, ram);
    stage_del(w.root, w.a);
    stage_del(w.root, w.b);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    w.recorder->hook = keep_mask;
    w.recorder->opaque = &mask;
    g_string_truncate(w.log, 0);
    memory_region_set_enabled(ram, false);
    check_log(w.log, "begin\nregion_del ram[0,0x1000)\ncommit\n");
    memory_region_set_enabled(ram, true);
    check_log(w.log, "begin\nregion_add ram[0,0x1000)\ncommit\n");
    check_number(mask, 1);
    w.recorder->hook = NULL;
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

/* ---- R-LST-11 ---- */

static void reference_trace(void)
{
    MemoryRegion *r = stage_container("r", UINT64_MAX);
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *b = stage_io("b", 0x1000);
    EventNotifier *e0 = stage_notifier("e0");
    EventNotifier *e8 = stage_notifier("e8");
    GString *log = stage_log();
    AddressSpace *as;

    stage_add(r, 0x1000, a);
    stage_add(r, 0x2000, b);
    as = stage_space(r, "as");
    memory_region_add_coalescing(b, 0x10, 0x20);
    memory_region_add_eventfd(b, 0, 4, false, 0, e0);
    memory_region_add_eventfd(b, 8, 4, false, 0, e8);
    recorder_watch(as, "P0", 0, log);
    recorder_watch(as, "x", 10, log);
    recorder_watch(as, "y", 10, log);
    memory_region_set_address(b, 0x3000);
    check_log(log,
              "begin : P0 x y\n"
              "coalesced_io_del 0x2010+0x20 in b[0x2000,0x3000) : y x P0\n"
              "region_del b[0x2000,0x3000) : y x P0\n"
              "region_nop a[0x1000,0x2000) : P0 x y\n"
              "region_add b[0x3000,0x4000) : P0 x y\n"
              "coalesced_io_add 0x3010+0x20 in b[0x3000,0x4000) : P0 x y\n"
              "eventfd_del 0x2000+0x4 data 0x0 e0 : P0 x y\n"
              "eventfd_del 0x2008+0x4 data 0x0 e8 : P0 x y\n"
              "eventfd_add 0x3000+0x4 data 0x0 e0 : y x P0\n"
              "eventfd_add 0x3008+0x4 data 0x0 e8 : y x P0\n"
              "commit : P0 x y\n");
}

/* ---- R-LST-12: begin and commit go to everybody ---- */

static void begin_and_commit_reach_unchanged_spaces(void)
{
    World w = world_watched(0x2000);
    GString *quiet_log = stage_log();
    AddressSpace *empty = stage_space(stage_container("empty root", 0x1000), "empty");
    AddressSpace *fixed = stage_space(stage_io("fixed", 0x1000), "fixed");

    recorder_watch(empty, NULL, 0, quiet_log);
    memory_region_set_enabled(w.a, false);
    check_log(quiet_log, "begin\ncommit\n");
    recorder_watch(fixed, "other", 0, w.log);
    recorder_register(recorder_new("another", 0, w.log), w.as);
    check_log(quiet_log, "");
    check_log(w.log,
              "begin\n"
              "region_del a[0x1000,0x2000)\n"
              "region_nop b[0x2000,0x3000)\n"
              "commit\n"
              "begin : another\n"
              "region_add b[0x2000,0x3000) : another\n"
              "commit : another\n");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-LST-7/fields", section_fields);
    conformance_case("/R-LST-7/size-of-two-to-the-64", section_of_two_to_the_64);
    conformance_case("/R-LST-7/commit-shows-the-outgoing-view", commit_shows_the_outgoing_view);
    conformance_case("/R-LST-7/replay-and-direct-calls-show-the-current-view",
                     replay_and_direct_calls_show_the_current_view);
    conformance_case("/R-LST-7/add-and-del-name-different-views", add_and_del_name_different_views);
    conformance_case("/R-LST-7/region-lives-through-the-diff", region_lives_through_the_diff);
    conformance_case("/R-LST-8/identity-start-and-size", identity_start_and_size);
    conformance_case("/R-LST-8/identity-offset", identity_offset);
    conformance_case("/R-LST-8/identity-region", identity_region);
    conformance_case("/R-LST-8/identity-flags", identity_flags);
    conformance_case("/R-LST-8/identity-inherited-flags", identity_inherited_flags);
    conformance_case("/R-LST-8/mask-is-not-identity", mask_is_not_identity);
    conformance_case("/R-LST-8/log-start-then-log-stop", log_start_then_log_stop_of_one_range);
    conformance_case("/R-LST-8/dels-then-adds-and-nops", dels_ascending_then_adds_and_nops_by_address);
    conformance_case("/R-LST-8/coalesced-with-their-range", coalesced_ranges_come_with_their_range);
    conformance_case("/R-LST-9/carving-a-hole", carving_a_hole);
    conformance_case("/R-LST-9/space-after-space", one_space_is_done_before_the_next);
    conformance_case("/R-LST-10/appearing-with-a-mask", appearing_with_a_mask);
    conformance_case("/R-LST-11/reference-trace", reference_trace);
    conformance_case("/R-LST-12/begin-and-commit-reach-everybody", begin_and_commit_reach_unchanged_spaces);
    return g_test_run();
}
