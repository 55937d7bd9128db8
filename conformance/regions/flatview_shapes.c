/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification part 1, section 4: the same rules on trees that are deep, or wide, or live long. */
#include "common/conformance.h"

#include <string.h>

static void append_range(GString *expected, const char *name, uint64_t start, uint64_t end, uint64_t offset)
{
    g_string_append_printf(expected, "%s%s[", expected->len ? ", " : "", name);
    g_string_append_printf(expected, start ? "0x%" PRIx64 : "0", start);
    g_string_append_printf(expected, ",0x%" PRIx64 ")", end);
    if (offset) {
        g_string_append_printf(expected, "@0x%" PRIx64, offset);
    }
}

static void check_expected(AddressSpace *as, GString *expected)
{
    check_view(as, expected->str);
    g_string_free(expected, TRUE);
}

/*
 * Each container lies one byte further in than the one around it, beside a leaf.
 *
 *     c0 [leaf][c1 [leaf][c2 [leaf] ...
 */
static void nested_deeply(void)
{
    enum { LEVELS = 1000 };
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *around = root;
    GString *expected = g_string_new(NULL);
    AddressSpace *as = stage_space(root, "as");

    memory_region_transaction_begin();
    for (uint64_t i = 0; i < LEVELS; i++) {
        MemoryRegion *c = stage_container("c", 0x10000);

        stage_add(around, 0, stage_io("leaf", 1));
        stage_add_overlap(around, 1, c, i & 1 ? 1 : -1);
        append_range(expected, "leaf", i, i + 1, 0);
        around = c;
    }
    memory_region_transaction_commit();
    check_expected(as, expected);
    /* The flag of the outermost is that of the innermost. */
    memory_region_set_readonly(root, true);
    check_find(root, LEVELS - 1, 1, "leaf[0x3e7,0x3e8) ro");
    memory_region_set_enabled(root, false);
    check_view(as, "");
}

/* Terminating all the way: each level fills what the levels inside it leave, on both sides. */
static void onion_of_terminating_containers(void)
{
    enum { LEVELS = 300 };
    static char names[LEVELS][8];
    MemoryRegion *around = NULL, *outermost = NULL;
    GString *expected = g_string_new(NULL);

    for (int i = 0; i < LEVELS; i++) {
        MemoryRegion *shell;

        g_snprintf(names[i], sizeof(names[i]), "s%d", i);
        shell = stage_io(names[i], 2 * LEVELS - 2 * (uint64_t)i);
        if (around) {
            stage_add(around, 1, shell);
        } else {
            outermost = shell;
        }
        around = shell;
    }
    for (int i = 0; i < LEVELS - 1; i++) {
        append_range(expected, names[i], (uint64_t)i, (uint64_t)i + 1, 0);
    }
    append_range(expected, names[LEVELS - 1], LEVELS - 1, LEVELS + 1, 0);
    for (int i = LEVELS - 2; i >= 0; i--) {
        uint64_t last = 2 * LEVELS - 1 - (uint64_t)i;

        append_range(expected, names[i], last, last + 1, last - (uint64_t)i);
    }
    check_expected(stage_space(outermost, "as"), expected);
}

/* The same picture by priorities, the innermost sibling in front; with the outermost in front, one range. */
static void staircase_of_siblings(void)
{
    enum { STEPS = 300 };
    static char names[STEPS][8];
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *steps[STEPS];
    GString *expected = g_string_new(NULL);
    AddressSpace *as = stage_space(root, "as");

    memory_region_transaction_begin();
    for (int k = 0; k < STEPS; k++) {
        int i = k * 7 % STEPS;      /* in no particular order */

        g_snprintf(names[i], sizeof(names[i]), "s%d", i);
        steps[i] = stage_io(names[i], 2 * STEPS - 2 * (uint64_t)i);
        stage_add_overlap(root, (hwaddr)i, steps[i], i);
    }
    memory_region_transaction_commit();
    for (int i = 0; i < STEPS - 1; i++) {
        append_range(expected, names[i], (uint64_t)i, (uint64_t)i + 1, 0);
    }
    append_range(expected, names[STEPS - 1], STEPS - 1, STEPS + 1, 0);
    for (int i = STEPS - 2; i >= 0; i--) {
        uint64_t last = 2 * STEPS - 1 - (uint64_t)i;

        append_range(expected, names[i], last, last + 1, last - (uint64_t)i);
    }
    check_expected(as, expected);
    memory_region_transaction_begin();
    for (int i = 0; i < STEPS; i++) {
        stage_del(root, steps[i]);
        stage_add_overlap(root, (hwaddr)i, steps[i], -i);
    }
    memory_region_transaction_commit();
    check_view(as, "s0[0,0x258)");
}

/* One wide region behind many narrow ones: every gap is a range; without them they are one. */
static void comb_over_one_region(void)
{
    enum { TEETH = 500 };
    MemoryRegion *root = stage_container("root", 0x100000);
    MemoryRegion *teeth[TEETH];
    GString *expected = g_string_new(NULL);
    AddressSpace *as = stage_space(root, "as");

    memory_region_transaction_begin();
    stage_add(root, 0, stage_io("behind", TEETH * 8));
    for (uint64_t i = 0; i < TEETH; i++) {
        teeth[i] = stage_io("tooth", 3);
        stage_add_overlap(root, i * 8 + 2, teeth[i], (int)(i % 3) + 1);
    }
    memory_region_transaction_commit();
    append_range(expected, "behind", 0, 2, 0);
    for (uint64_t i = 0; i < TEETH; i++) {
        uint64_t next = i == TEETH - 1 ? TEETH * 8 : i * 8 + 10;

        append_range(expected, "tooth", i * 8 + 2, i * 8 + 5, 0);
        append_range(expected, "behind", i * 8 + 5, next, i * 8 + 5);
    }
    check_expected(as, expected);
    memory_region_transaction_begin();
    for (uint64_t i = 0; i < TEETH; i++) {
        memory_region_set_enabled(teeth[i], false);
    }
    memory_region_transaction_commit();
    check_view(as, "behind[0,0xfa0)");
}

static void long_chain_of_aliases(void)
{
    enum { LINKS = 1000 };
    MemoryRegion *root = stage_container("root", 0x10000);
    MemoryRegion *target = stage_io("target", 0x1000);
    MemoryRegion *link = target;
    AddressSpace *as = stage_space(root, "as");

    for (int i = 0; i < LINKS; i++) {
        link = stage_alias("link", link, 1, 0x1000);
    }
    stage_add(root, 0x4000, link);
    check_view(as, "target[0x4000,0x4c18)@0x3e8");
    check(memory_region_is_mapped(target));
    memory_region_set_readonly(target, true);
    check_view(as, "target[0x4000,0x4c18)@0x3e8 ro");
}

/* Each level shows the one below twice: 2^12 windows onto one byte. */
static void doubled_and_doubled_again(void)
{
    enum { LEVELS = 12 };
    MemoryRegion *shown = stage_io("byte", 1);
    uint64_t size = 1;
    GString *expected = g_string_new(NULL);

    for (int i = 0; i < LEVELS; i++) {
        MemoryRegion *pair = stage_container("pair", 2 * size);

        stage_add(pair, 0, stage_alias("left", shown, 0, size));
        stage_add(pair, size, stage_alias("right", shown, 0, size));
        shown = pair;
        size *= 2;
    }
    for (uint64_t a = 0; a < size; a++) {
        append_range(expected, "byte", a, a + 1, 0);
    }
    check_expected(stage_space(shown, "as"), expected);
}

/* ---- R-TREE-2 through a long life of additions, removals and moves ---- */

enum { SIBLINGS = 7 };

typedef struct {
    MemoryRegion *root, *regions[SIBLINGS];
    AddressSpace *as;
    int order[SIBLINGS], count;     /* the rule, applied by hand: indices, front first */
    int priority[SIBLINGS];
} Siblings;

static void model_remove(Siblings *s, int which)
{
    int kept = 0;

    for (int i = 0; i < s->count; i++) {
        if (s->order[i] != which) {
            s->order[kept++] = s->order[i];
        }
    }
    s->count = kept;
}

static void model_insert(Siblings *s, int which)
{
    int place = 0;

    while (place < s->count && s->priority[s->order[place]] > s->priority[which]) {
        place++;
    }
    memmove(&s->order[place + 1], &s->order[place], sizeof(s->order[0]) * (size_t)(s->count - place));
    s->order[place] = which;
    s->count++;
}

/* All of them overlap: the front one is seen, then, with it disabled, the next. */
static void check_order(Siblings *s, int step)
{
    GString *seen = g_string_new(NULL);
    GString *expected = g_string_new(NULL);

    for (int i = 0; i < s->count; i++) {
        MemoryRegionSection found = memory_region_find(s->root, 0x100, 1);

        g_string_append_printf(expected, " r%d", s->order[i]);
        g_string_append_printf(seen, " %s", found.mr ? memory_region_name(found.mr) : "-");
        memory_region_unref(found.mr);
        memory_region_set_enabled(s->regions[s->order[i]], false);
    }
    check(!memory_region_present(s->root, 0x100));
    char *title = g_strdup_printf("the order after step %d", step);
    check_text_at(G_STRLOC, title, seen->str, expected->str);
    g_free(title);
    memory_region_transaction_begin();
    for (int i = 0; i < s->count; i++) {
        memory_region_set_enabled(s->regions[s->order[i]], true);
    }
    memory_region_transaction_commit();
    g_string_free(seen, TRUE);
    g_string_free(expected, TRUE);
}

static void order_of_siblings_over_time(void)
{
    enum { STEPS = 400 };
    GRand *random = g_rand_new_with_seed(2);
    Siblings s = { .root = stage_container("root", 0x10000), .count = 0 };

    for (int i = 0; i < SIBLINGS; i++) {
        char name[4];

        g_snprintf(name, sizeof(name), "r%d", i);
        s.regions[i] = stage_io(name, 0x200);
    }
    s.as = stage_space(s.root, "as");
    for (int step = 0; step < STEPS && !g_test_failed(); step++) {
        int which = g_rand_int_range(random, 0, SIBLINGS);
        bool present = false;

        for (int i = 0; i < s.count; i++) {
            present |= s.order[i] == which;
        }
        if (!present) {
            s.priority[which] = g_rand_int_range(random, -1, 2);
            stage_add_overlap(s.root, 1, s.regions[which], s.priority[which]);
            model_insert(&s, which);
        } else if (g_rand_int_range(random, 0, 2)) {
            stage_del(s.root, s.regions[which]);
            model_remove(&s, which);
        } else {
            memory_region_set_address(s.regions[which], (hwaddr)(step % 0x80) + 2);
            model_remove(&s, which);
            model_insert(&s, which);
        }
        check_order(&s, step);
    }
    g_rand_free(random);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-FV-1/nested-deeply", nested_deeply);
    conformance_case("/R-FV-1/long-chain-of-aliases", long_chain_of_aliases);
    conformance_case("/R-FV-1/doubled-and-doubled-again", doubled_and_doubled_again);
    conformance_case("/R-FV-4/onion-of-terminating-containers", onion_of_terminating_containers);
    conformance_case("/R-FV-4/staircase-of-siblings", staircase_of_siblings);
    conformance_case("/R-FV-3/comb-over-one-region", comb_over_one_region);
    conformance_case("/R-TREE-2/over-time", order_of_siblings_over_time);
    return g_test_run();
}
