/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mtree_info's tree form where there is much to print: nothing is lost, nothing twice, the order stays. */
#include "../common/conformance.h"

#include <inttypes.h>
#include <string.h>

enum { MANY = 300 };

static char *tree(void)
{
    return stage_mtree(false, false, false, false);
}

static void append_io(GString *text, unsigned level, unsigned at, const char *name)
{
    g_string_append_printf(text, "%*s%016x-%016x (prio 0, i/o): %s\n", (int)(2 * level), "", at, at + 0xf, name);
}

static void many_children(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    GString *expected = g_string_new("address-space: as\n"
                                     "  0000000000000000-000000000000ffff (prio 0, i/o): root\n");

    /* Upwards by address, whatever the order in which they came. */
    for (unsigned i = 0; i < MANY; i++) {
        const unsigned place = i * 7 % MANY;
        char *name = g_strdup_printf("io%u", place);

        stage_add(root, place * 0x10, stage_io(name, 0x10));
        g_free(name);
    }
    for (unsigned i = 0; i < MANY; i++) {
        char *name = g_strdup_printf("io%u", i);

        append_io(expected, 2, i * 0x10, name);
        g_free(name);
    }
    g_string_append(expected, "\n");
    stage_space(root, "as");
    check_text_taken(tree(), expected->str);
    g_string_free(expected, TRUE);
}

/* Each target once, in the order they are met, however many wait. */
static void many_targets(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    GString *expected = g_string_new("address-space: as\n"
                                     "  0000000000000000-000000000000ffff (prio 0, i/o): root\n");
    GString *blocks = g_string_new("\n");

    for (unsigned i = 0; i < MANY; i++) {
        char *target_name = g_strdup_printf("target%u", i), *alias_name = g_strdup_printf("alias%u", i);
        MemoryRegion *target = stage_io(target_name, 0x10);

        stage_add(root, i * 0x20, stage_alias(alias_name, target, 0, 0x10));
        stage_add(root, i * 0x20 + 0x10, stage_alias("again", target, 0, 0x10));
        g_string_append_printf(expected, "    %016x-%016x (prio 0, i/o): alias %s @%s "
                               "0000000000000000-000000000000000f\n"
                               "    %016x-%016x (prio 0, i/o): alias again @%s "
                               "0000000000000000-000000000000000f\n", i * 0x20, i * 0x20 + 0xf, alias_name, target_name,
                               i * 0x20 + 0x10, i * 0x20 + 0x1f, target_name);
        g_string_append_printf(blocks, "memory-region: %s\n", target_name);
        append_io(blocks, 1, 0, target_name);
        g_string_append(blocks, "\n");
        g_free(target_name);
        g_free(alias_name);
    }
    g_string_append(expected, blocks->str);
    stage_space(root, "as");
    check_text_taken(tree(), expected->str);
    g_string_free(expected, TRUE);
    g_string_free(blocks, TRUE);
}

/* Names need not differ: each space has its line. */
static void spaces_of_one_name(void)
{
    MemoryRegion *one = stage_io("one", 0x10), *two = stage_io("two", 0x10);

    stage_space(one, "same");
    stage_space(two, "same");
    stage_space(one, "same");
    stage_space(one, "other");
    check_text_taken(tree(),
                     "address-space: other\n"
                     "address-space: same\n"
                     "address-space: same\n"
                     "  0000000000000000-000000000000000f (prio 0, i/o): one\n"
                     "\n"
                     "address-space: same\n"
                     "  0000000000000000-000000000000000f (prio 0, i/o): two\n"
                     "\n");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MT-7/many-children", many_children);
    conformance_case("/R-MT-9/many-targets", many_targets);
    conformance_case("/R-MT-6/spaces-of-one-name", spaces_of_one_name);
    return g_test_run();
}
