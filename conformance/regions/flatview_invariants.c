/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification part 1, section 12: invariants of views that hold for every tree
 * (I-7 to I-12, I-21), on a few hundred small trees each.
 *
 * The trees come from a seeded generator: the same on every run.  A failing one
 * is named by its seed in the check's text.
 */
#include "common/conformance.h"

#include <limits.h>
#include <string.h>

/*
 * Regions are made leaves first, and a region only ever contains or names older
 * ones, so that no circle can arise.  The last is the root.
 */
enum { REGIONS = 9, WORLD = 64, TREES = 150 };

typedef struct {
    bool unique_priorities;     /* distinct among siblings, hence independent of the order of insertion */
    bool no_aliases;
    bool add_newest_first;
    int priority_factor;        /* 0: 1 */
    int split_region;           /* if this one terminates: a container with a full child instead; 0: none */
} Shape;

typedef struct {
    MemoryRegion *regions[REGIONS];
    int parent[REGIONS];        /* index, -1: none */
    hwaddr address[REGIONS];
    int priority[REGIONS];
    bool alias[REGIONS], terminates[REGIONS], readonly[REGIONS];
    MemoryRegion *root;
    AddressSpace *as;
} Forest;

static MemoryRegion *make_region(GRand *random, Forest *f, int i, const Shape *shape)
{
    bool root = i == REGIONS - 1;
    char name[8];
    /* Every number is drawn whether it is used or not: shapes of one seed differ in nothing else. */
    int kind = g_rand_int_range(random, 0, 4);
    int target = g_rand_int_range(random, 0, i ? i : 1);
    uint64_t size = root ? 40 : (uint64_t)g_rand_int_range(random, 0, 24);
    uint64_t offset = (uint64_t)g_rand_int_range(random, 0, 8);

    g_snprintf(name, sizeof(name), "r%d", i);
    if (kind == 3 && i > 0 && !root && !shape->no_aliases) {
        f->alias[i] = true;
        return stage_alias(name, f->regions[target], offset, size);
    }
    f->terminates[i] = kind == 1 || kind == 2;
    if (f->terminates[i] && shape->split_region == i) {
        MemoryRegion *c = stage_container("shell", size);

        stage_add_overlap(c, 0, stage_io(name, size), INT_MIN);
        return c;
    }
    return f->terminates[i] ? stage_io(name, size) : stage_container(name, size);
}

static void place(Forest *f, int i)
{
    if (f->parent[i] >= 0) {
        stage_add_overlap(f->regions[f->parent[i]], f->address[i], f->regions[i], f->priority[i]);
    }
}

static Forest forest_new(guint32 seed, const Shape *shape)
{
    GRand *random = g_rand_new_with_seed(seed);
    int factor = shape->priority_factor ? shape->priority_factor : 1;
    Forest f = { 0 };

    memory_region_transaction_begin();
    for (int i = 0; i < REGIONS; i++) {
        f.regions[i] = make_region(random, &f, i, shape);
        memory_region_set_enabled(f.regions[i], g_rand_int_range(random, 0, 8) || i == REGIONS - 1);
        f.readonly[i] = !g_rand_int_range(random, 0, 8);
        memory_region_set_readonly(f.regions[i], f.readonly[i]);
        memory_region_set_nonvolatile(f.regions[i], !g_rand_int_range(random, 0, 8));
    }
    for (int i = 0; i < REGIONS; i++) {
        int parent = g_rand_int_range(random, i + 1, REGIONS + 1);
        int priority = g_rand_int_range(random, -1, 2);

        /* Aliases hold nothing; nearly everything else that is left goes to the root. */
        while (parent < REGIONS && f.alias[parent]) {
            parent++;
        }
        f.address[i] = (hwaddr)g_rand_int_range(random, 0, 28);
        f.priority[i] = (shape->unique_priorities ? (i * 5 + 3) % REGIONS : priority) * factor;
        f.parent[i] = i == REGIONS - 1 ? -1 : MIN(parent, REGIONS - 1);
    }
    for (int k = 0; k < REGIONS; k++) {
        place(&f, shape->add_newest_first ? REGIONS - 1 - k : k);
    }
    memory_region_transaction_commit();
    g_rand_free(random);
    f.root = f.regions[REGIONS - 1];
    f.as = stage_space(f.root, "forest");
    return f;
}

static char *view(const Forest *f)
{
    return text_of_view(f->as);
}

static void check_same(const char *where, guint32 seed, const char *what, const Forest *f,
                       const char *expected)
{
    char *title = g_strdup_printf("tree %u, %s", seed, what);

    check_text_taken_at(where, title, view(f), expected);
    g_free(title);
}
#define check_same_view(seed, what, f, expected) check_same(G_STRLOC, (seed), (what), (f), (expected))

/* Runs `body` on many trees, each on an empty stage. */
static void on_many_trees(void (*body)(guint32 seed))
{
    for (guint32 seed = 1; seed <= TREES && !g_test_failed(); seed++) {
        body(seed);
        stage_strike();
    }
}

/* ---- I-7 ---- */

static void repeat_setters(guint32 seed)
{
    Forest f = forest_new(seed, &(Shape) { 0 });
    GString *log = stage_log();
    char *before = view(&f);

    recorder_watch(f.as, NULL, 0, log);
    for (int i = 0; i < REGIONS; i++) {
        MemoryRegion *mr = f.regions[i];

        memory_region_set_size(mr, memory_region_size(mr));
        memory_region_set_readonly(mr, f.readonly[i]);
        memory_region_set_nonvolatile(mr, memory_region_is_nonvolatile(mr));
        memory_region_rom_device_set_romd(mr, true);
        if (f.parent[i] >= 0) {
            memory_region_set_address(mr, f.address[i]);
        }
    }
    check_log(log, "");
    stage_force_commit();
    check_same_view(seed, "after a forced commit", &f, before);
    /* begin and commit, and between them nothing but nops */
    check(g_str_has_prefix(log->str, "begin\n"));
    check(g_str_has_suffix(log->str, "commit\n"));
    check(!strstr(log->str, "region_add") && !strstr(log->str, "region_del") && !strstr(log->str, "log_st"));
    g_free(before);
}

static void setters_are_idempotent(void)
{
    on_many_trees(repeat_setters);
}

/* ---- I-8 ---- */

static void there_and_back(guint32 seed)
{
    Forest f = forest_new(seed, &(Shape) { .unique_priorities = true });
    char *before = view(&f);

    for (int i = 0; i < REGIONS; i++) {
        MemoryRegion *mr = f.regions[i];
        uint64_t size = memory_region_size(mr);
        bool nonvolatile = memory_region_is_nonvolatile(mr);

        memory_region_set_size(mr, size + 5);
        memory_region_set_size(mr, UINT64_MAX);
        memory_region_set_size(mr, size);
        check_same_view(seed, "size", &f, before);
        memory_region_set_readonly(mr, !f.readonly[i]);
        memory_region_set_readonly(mr, f.readonly[i]);
        check_same_view(seed, "readonly", &f, before);
        memory_region_set_nonvolatile(mr, !nonvolatile);
        memory_region_set_nonvolatile(mr, nonvolatile);
        check_same_view(seed, "nonvolatile", &f, before);
        memory_region_rom_device_set_romd(mr, false);
        memory_region_rom_device_set_romd(mr, true);
        check_same_view(seed, "romd", &f, before);
        if (f.parent[i] < 0) {
            continue;
        }
        memory_region_set_address(mr, f.address[i] + 3);
        memory_region_set_address(mr, f.address[i]);
        check_same_view(seed, "address", &f, before);
        stage_del(f.regions[f.parent[i]], mr);
        place(&f, i);
        check_same_view(seed, "del and add", &f, before);
    }
    g_free(before);
}

static void inverse_pairs_restore_the_view(void)
{
    on_many_trees(there_and_back);
}

static void enabled_and_offset_there_and_back(void)
{
    MemoryRegion *root = stage_container("root", 0x1000);
    MemoryRegion *io = stage_io("io", 0x400);
    MemoryRegion *alias = stage_alias("alias", io, 0x10, 0x100);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x100, io);
    stage_add(root, 0x800, alias);
    check_view(as, "io[0x100,0x500), io[0x800,0x900)@0x10");
    memory_region_set_alias_offset(alias, UINT64_MAX);
    check_view(as, "io[0x100,0x500)");
    memory_region_set_alias_offset(alias, 0x10);
    check_view(as, "io[0x100,0x500), io[0x800,0x900)@0x10");
    memory_region_set_enabled(io, false);
    check_view(as, "");
    memory_region_set_enabled(io, true);
    check_view(as, "io[0x100,0x500), io[0x800,0x900)@0x10");
}

/* ---- I-9 ---- */

static void disable_against_remove(guint32 seed)
{
    Forest f = forest_new(seed, &(Shape) { .unique_priorities = true, .no_aliases = true });

    for (int i = 0; i < REGIONS - 1; i++) {
        stage_del(f.regions[f.parent[i]], f.regions[i]);
        char *removed = view(&f);
        place(&f, i);
        memory_region_set_enabled(f.regions[i], false);
        check_same_view(seed, "disabled against removed", &f, removed);
        memory_region_set_enabled(f.regions[i], true);
        g_free(removed);
    }
}

static void disabled_is_removed(void)
{
    on_many_trees(disable_against_remove);
}

static void readonly_above_and_below(guint32 seed)
{
    Forest f = forest_new(seed, &(Shape) { .no_aliases = true });

    for (int i = 0; i < REGIONS; i++) {
        if (f.terminates[i]) {
            continue;
        }
        memory_region_transaction_begin();
        memory_region_set_readonly(f.regions[i], true);
        memory_region_transaction_commit();
        char *above = view(&f);
        memory_region_transaction_begin();
        memory_region_set_readonly(f.regions[i], false);
        for (int k = 0; k < REGIONS; k++) {
            if (f.parent[k] == i) {
                memory_region_set_readonly(f.regions[k], true);
            }
        }
        memory_region_transaction_commit();
        check_same_view(seed, "readonly on the children", &f, above);
        for (int k = 0; k < REGIONS; k++) {
            memory_region_set_readonly(f.regions[k], f.readonly[k]);
        }
        g_free(above);
    }
}

static void readonly_container_is_readonly_children(void)
{
    on_many_trees(readonly_above_and_below);
}

static void split_each_terminating_region(guint32 seed)
{
    for (int i = 1; i < REGIONS; i++) {
        Forest whole = forest_new(seed, &(Shape) { 0 });
        Forest split = forest_new(seed, &(Shape) { .split_region = i });
        char *expected = view(&whole);

        check_same_view(seed, "a container with a lowest child", &split, expected);
        g_free(expected);
        stage_strike();
    }
}

static void terminating_is_a_lowest_child(void)
{
    on_many_trees(split_each_terminating_region);
}

/* ---- I-10 ---- */

static void replace_by_aliases(guint32 seed)
{
    Forest f = forest_new(seed, &(Shape) { .unique_priorities = true });
    char *before = view(&f);

    for (int i = 0; i < REGIONS - 1; i++) {
        MemoryRegion *parent = f.regions[f.parent[i]];
        uint64_t size = memory_region_size(f.regions[i]);
        MemoryRegion *alias = stage_alias("full", f.regions[i], 0, size);

        stage_del(parent, f.regions[i]);
        stage_add_overlap(parent, f.address[i], alias, f.priority[i]);
        check_same_view(seed, "a full alias instead", &f, before);
        for (uint64_t cut = 0; cut <= size; cut++) {
            MemoryRegion *low, *high;

            stage_del(parent, alias);
            low = stage_alias("low", f.regions[i], 0, cut);
            high = stage_alias("high", f.regions[i], cut, size - cut);
            stage_add_overlap(parent, f.address[i], low, f.priority[i]);
            stage_add_overlap(parent, f.address[i] + cut, high, f.priority[i]);
            check_same_view(seed, "two halves instead", &f, before);
            stage_del(parent, low);
            stage_del(parent, high);
            memcore_drain();    /* a view may have one of them as its D */
            stage_release(low);
            stage_release(high);
            stage_add_overlap(parent, f.address[i], alias, f.priority[i]);
        }
        stage_del(parent, alias);
        memcore_drain();
        stage_release(alias);
        place(&f, i);
    }
    g_free(before);
}

static void aliases_are_transparent(void)
{
    on_many_trees(replace_by_aliases);
}

/* alias(alias(t, a), b) against alias(t, a + b) cut to what the inner one has left. */
static void offsets_add_up(void)
{
    enum { TARGET = 12 };
    MemoryRegion *chained_root = stage_container("chained root", WORLD);
    MemoryRegion *direct_root = stage_container("direct root", WORLD);
    MemoryRegion *target = stage_container("target", TARGET);
    AddressSpace *chained_as = stage_space(chained_root, "chained");
    AddressSpace *direct_as = stage_space(direct_root, "direct");

    stage_add(target, 1, stage_io("x", 4));
    stage_add(target, 6, stage_io("y", 5));
    for (uint64_t a = 0; a <= TARGET + 1; a++) {
        for (uint64_t inner_size = 0; inner_size <= TARGET; inner_size += 3) {
            for (uint64_t b = 0; b <= TARGET + 1; b++) {
                uint64_t size = 7;
                uint64_t left = b < inner_size ? inner_size - b : 0;
                MemoryRegion *inner = stage_alias("inner", target, a, inner_size);
                MemoryRegion *chained = stage_alias("chained", inner, b, size);
                MemoryRegion *direct = stage_alias("direct", target, a + b, MIN(size, left));

                stage_add(chained_root, 3, chained);
                stage_add(direct_root, 3, direct);
                char *expected = text_of_view(direct_as);
                check_view(chained_as, expected);
                g_free(expected);
                stage_del(chained_root, chained);
                stage_del(direct_root, direct);
                memcore_drain();
                stage_release(chained);
                stage_release(inner);
                stage_release(direct);
            }
        }
    }
}

/* ---- I-11 ---- */

typedef struct {
    struct {
        Int128 start, size;
        const MemoryRegion *mr;
        hwaddr offset;
    } ranges[WORLD];
    int count;
} Ranges;

static bool collect_range(Int128 start, Int128 size, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    Ranges *r = opaque;

    g_assert_cmpint(r->count, <, WORLD);
    r->ranges[r->count].start = start;
    r->ranges[r->count].size = size;
    r->ranges[r->count].mr = mr;
    r->ranges[r->count].offset = offset;
    r->count++;
    return false;
}

static void move_all_children(guint32 seed)
{
    static const uint64_t distances[] = { 1, 0x1000, 1ull << 32, 1ull << 63, UINT64_MAX - WORLD };
    Forest f = forest_new(seed, &(Shape) { .unique_priorities = true });
    Ranges before = { .count = 0 };

    memory_region_set_size(f.root, UINT64_MAX);
    /* A terminating root answers everywhere, so that nothing could move with the children. */
    if (f.terminates[REGIONS - 1]) {
        return;
    }
    flatview_for_each_range(address_space_to_flatview(f.as), collect_range, &before);
    for (size_t d = 0; d < G_N_ELEMENTS(distances); d++) {
        Ranges after = { .count = 0 };

        memory_region_transaction_begin();
        for (int i = 0; i < REGIONS - 1; i++) {
            if (f.parent[i] == REGIONS - 1) {
                memory_region_set_address(f.regions[i], f.address[i] + distances[d]);
            }
        }
        memory_region_transaction_commit();
        flatview_for_each_range(address_space_to_flatview(f.as), collect_range, &after);
        check_number(after.count, before.count);
        for (int i = 0; i < MIN(after.count, before.count); i++) {
            check(int128_eq(after.ranges[i].start,
                            int128_add(before.ranges[i].start, int128_make64(distances[d]))));
            check(int128_eq(after.ranges[i].size, before.ranges[i].size));
            check_pointer(after.ranges[i].mr, before.ranges[i].mr);
            check_number(after.ranges[i].offset, before.ranges[i].offset);
        }
    }
}

static void moving_all_children_moves_all_ranges(void)
{
    on_many_trees(move_all_children);
}

static void stretch_priorities(guint32 seed)
{
    Forest plain = forest_new(seed, &(Shape) { 0 });
    Forest stretched = forest_new(seed, &(Shape) { .priority_factor = INT_MAX });
    char *expected = view(&plain);

    check_same_view(seed, "priorities times INT_MAX", &stretched, expected);
    g_free(expected);
}

static void only_the_order_of_priorities_counts(void)
{
    on_many_trees(stretch_priorities);
}

static void insert_backwards(guint32 seed)
{
    Forest forwards = forest_new(seed, &(Shape) { .unique_priorities = true });
    Forest backwards = forest_new(seed, &(Shape) { .unique_priorities = true, .add_newest_first = true });
    char *expected = view(&forwards);

    check_same_view(seed, "added in reverse order", &backwards, expected);
    g_free(expected);
}

static void insertion_order_counts_among_equals_only(void)
{
    on_many_trees(insert_backwards);
}

/* ---- I-12 ---- */

static bool cover(Int128 start, Int128 size, const MemoryRegion *mr, hwaddr offset, void *opaque)
{
    uint64_t *covered = opaque;

    (void)mr;
    (void)offset;
    for (uint64_t a = int128_get64(start); a < int128_get64(int128_add(start, size)); a++) {
        g_assert_cmpuint(a, <, WORLD);
        *covered |= 1ull << a;
    }
    return false;
}

static uint64_t covered_bytes(const Forest *f)
{
    uint64_t covered = 0;

    flatview_for_each_range(address_space_to_flatview(f->as), cover, &covered);
    return covered;
}

static void grow_and_lower(guint32 seed)
{
    Forest f = forest_new(seed, &(Shape) { .unique_priorities = true });

    for (int i = 0; i < REGIONS - 1; i++) {
        MemoryRegion *mr = f.regions[i];
        uint64_t size = memory_region_size(mr);

        memory_region_set_enabled(mr, false);
        uint64_t without = covered_bytes(&f);
        memory_region_set_enabled(mr, true);
        uint64_t with = covered_bytes(&f);
        check_number(without & ~with, 0);
        memory_region_set_size(mr, size + 4);
        check_number(with & ~covered_bytes(&f), 0);
        memory_region_set_size(mr, size);
        stage_del(f.regions[f.parent[i]], mr);
        stage_add_overlap(f.regions[f.parent[i]], f.address[i], mr, f.priority[i] - REGIONS);
        check_number(covered_bytes(&f), with);
    }
}

static void coverage_is_monotone(void)
{
    on_many_trees(grow_and_lower);
}

/* ---- I-21 ---- */

static void alone_and_in_company(guint32 seed)
{
    Forest f = forest_new(seed, &(Shape) { 0 });
    AddressSpace *together[REGIONS];
    char *alone[REGIONS];

    stage_space_destroy(f.as);
    for (int i = 0; i < REGIONS; i++) {
        AddressSpace *as = stage_space(f.regions[i], "alone");

        alone[i] = text_of_view(as);
        stage_space_destroy(as);
        memcore_drain();
    }
    for (int i = 0; i < REGIONS; i++) {
        together[i] = stage_space(f.regions[i], "together");
        recorder_watch(together[i], NULL, (unsigned)i, stage_log());
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < REGIONS; i++) {
            char *title = g_strdup_printf("tree %u, the view of %s, round %d", seed,
                                          memory_region_name(f.regions[i]), round);

            check_text_taken_at(G_STRLOC, title, text_of_view(together[i]), alone[i]);
            g_free(title);
        }
        stage_force_commit();
    }
    for (int i = 0; i < REGIONS; i++) {
        g_free(alone[i]);
    }
}

static void spaces_do_not_influence_each_other(void)
{
    on_many_trees(alone_and_in_company);
}

/*
 * One region is the collapsed root of both: through an alias, hence based at 0, and
 * directly, hence based at its address (R-FV-10).  Neither may show the other's view.
 */
static void one_collapsed_root_two_bases(void)
{
    MemoryRegion *other = stage_container("other", 0x10000);
    MemoryRegion *a = stage_io("a", 0x1000);
    MemoryRegion *alias = stage_alias("alias", a, 0, 0x1000);

    stage_add(other, 0x4000, a);
    AddressSpace *based_at_0 = stage_space(alias, "first");
    AddressSpace *based_at_address = stage_space(a, "second");
    AddressSpace *again_at_0 = stage_space(alias, "third");

    for (int round = 0; round < 2; round++) {
        check_view(based_at_0, "a[0,0x1000)");
        check_view(based_at_address, "a[0x4000,0x5000)");
        check_view(again_at_0, "a[0,0x1000)");
        stage_force_commit();
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/I-7/setters-are-idempotent", setters_are_idempotent);
    conformance_case("/I-8/inverse-pairs", inverse_pairs_restore_the_view);
    conformance_case("/I-8/enabled-and-offset", enabled_and_offset_there_and_back);
    conformance_case("/I-9/disabled-is-removed", disabled_is_removed);
    conformance_case("/I-9/readonly-container", readonly_container_is_readonly_children);
    conformance_case("/I-9/terminating-is-a-lowest-child", terminating_is_a_lowest_child);
    conformance_case("/I-10/aliases-are-transparent", aliases_are_transparent);
    conformance_case("/I-10/offsets-add-up", offsets_add_up);
    conformance_case("/I-11/translation", moving_all_children_moves_all_ranges);
    conformance_case("/I-11/order-of-priorities", only_the_order_of_priorities_counts);
    conformance_case("/I-11/insertion-order", insertion_order_counts_among_equals_only);
    conformance_case("/I-12/coverage-is-monotone", coverage_is_monotone);
    conformance_case("/I-21/alone-and-in-company", spaces_do_not_influence_each_other);
    conformance_case("/I-21/one-root-two-bases", one_collapsed_root_two_bases);
    return g_test_run();
}
