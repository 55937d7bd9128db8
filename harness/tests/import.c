/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's texts: what is read, what is inferred and said to be, what is refused; nothing breaks the reader. */
#include "import/import.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "import/build.h"
#include "run/subject.h"

/* The example of section 10.1, with a second space and a child beyond the end of its container. */
static const char example[] =
    "address-space: alpha\n"
    "address-space: zed\n"
    "  0000000000000000-ffffffffffffffff (prio 0, i/o): root\n"
    "    0000000000000000-0000000000000fff (prio 0, ram): alias al0 @ram0 0000000000001000-0000000000001fff\n"
    "    0000000000000010-000000000000050f (prio -3, ram): alias al1 @al0 0000000000000000-00000000000004ff "
    "[disabled]\n"
    "    0000000000009000-0000000000009fff (prio 0, nv-rom): rom\n"
    "[DETECTED OVERFLOW!]     fffffffffffff000-0000000000000fff (prio 0, i/o): over\n"
    "\n"
    "address-space: held\n"
    "  0000000000004000-0000000000004fff (prio 7, i/o): leaf\n"
    "\n"
    "memory-region: ram0\n"
    "  0000000000000000-0000000000001fff (prio 0, ram): ram0\n"
    "\n"
    "memory-region: al0\n"
    "  0000000000000000-0000000000000fff (prio 0, ram): alias al0 @ram0 0000000000001000-0000000000001fff\n"
    "\n";

static struct import *read_text(const char *text)
{
    struct import_error error;
    struct import *im = import_read(text, strlen(text), NULL, &error);

    if (!im) {
        g_error("line %u, column %u: %s", error.line, error.column, error.message);
    }
    return im;
}

static const struct import_region *find(const struct import *im, const char *name)
{
    for (size_t i = 0; i < im->region_count; i++) {
        if (im->regions[i].name && strcmp(im->regions[i].name, name) == 0) {
            return &im->regions[i];
        }
    }
    g_error("no region '%s'", name);
    return NULL;
}

static bool has_note(const struct import *im, unsigned line, const char *part)
{
    for (size_t i = 0; i < im->note_count; i++) {
        if (im->notes[i].line == line && strstr(im->notes[i].text, part)) {
            return true;
        }
    }
    return false;
}

static void test_regions(void)
{
    struct import *im = read_text(example);
    const struct import_region *root = find(im, "root"), *al0 = find(im, "al0"), *al1 = find(im, "al1");
    const struct import_region *rom = find(im, "rom"), *over = find(im, "over"), *leaf = find(im, "leaf");

    /* al0, printed in the tree and as a block, is one region; `leaf` needs a container for its priority. */
    g_assert_cmpuint(im->region_count, ==, 8);
    g_assert_cmpuint(im->space_count, ==, 3);
    g_assert_cmpint(im->spaces[0].root, ==, im->spaces[1].root);
    g_assert_cmpuint(root->size, ==, UINT64_MAX);
    g_assert_cmpuint(root->child_count, ==, 4);
    g_assert_false(root->terminating);
    g_assert_true(al0 - im->regions == al1->target);
    g_assert_cmphex(al0->alias_offset, ==, 0x1000);
    g_assert_cmphex(al1->size, ==, 0x500);
    g_assert_cmpint(al1->priority, ==, -3);
    g_assert_false(al1->enabled);
    g_assert_cmpint(rom->kind, ==, IMPORT_ROM);
    g_assert_true(rom->nonvolatile && rom->readonly && rom->terminating);
    g_assert_cmphex(over->size, ==, 0x2000);
    g_assert_true(over->terminating);
    g_assert_cmphex(leaf->address, ==, 0x4000);
    g_assert_cmpint(leaf->priority, ==, 7);
    g_assert_true(has_note(im, 3, "'root' has children, taken as a container"));
    g_assert_true(has_note(im, 16, "'al0 @ram0' reads like line 4"));
    g_assert_true(has_note(im, 10, "a container of its own"));
    for (size_t i = 0; i < im->region_count; i++) {
        g_assert_cmpint(im->regions[i].target, <, (int)i);
    }
    import_free(im);
}

/* What goes in comes out, letter by letter. */
static void test_round_trip(void)
{
    struct import *im = read_text(example);

    for (int order = 0; order < IMPORT_BUILD_ORDERS; order++) {
        char *why = NULL;
        struct import_machine *machine = import_build(im, (enum import_build_order)order, &why);
        char *text;

        g_assert_nonnull(machine);
        text = subject_mtree(false, false, false, true);
        import_unbuild(machine);
        g_assert_cmpstr(text, ==, example);
        free(text);
    }
    import_free(im);
}

/* --- evidence of flat views ---------------------------------------------------------- */

static const char tree[] = "address-space: a\n"
                           "  0000000000000000-ffffffffffffffff (prio 0, i/o): root\n"
                           "    0000000000000000-000000000000ffff (prio 0, i/o): ports\n" /* line 3 */
                           "      0000000000000060-0000000000000060 (prio 0, i/o): key\n"
                           "    0000000000010000-0000000000013fff (prio 0, i/o): empty\n" /* line 5 */
                           "    0000000000020000-0000000000020fff (prio 0, ram): low\n"
                           "    0000000000020800-00000000000217ff (prio 0, ram): high\n" /* line 7 */
                           "    0000000000030000-0000000000030fff (prio 0, ram): alias shadow @low "
                           "0000000000000000-0000000000000fff\n"
                           "    0000000000040000-0000000000040000 (prio 1, ram): alias window @low "
                           "0000000000000000-0000000000000000\n"
                           "    0000000000040000-0000000000040fff (prio 0, i/o): behind\n"
                           "\n"
                           "memory-region: low\n"
                           "  0000000000020000-0000000000020fff (prio 0, ram): low\n"
                           "\n";

static const char views[] =
    "FlatView #0\n"
    " AS \"a\", root: root\n"
    " Root memory region: root\n"
    "  0000000000000000-000000000000005f (prio 0, i/o): ports\n"
    "  0000000000000060-0000000000000060 (prio 0, i/o): key\n"
    "  0000000000000061-000000000000ffff (prio 0, i/o): ports @0000000000000061\n"
    "  0000000000020000-00000000000207ff (prio 0, ram): low\n"
    "  0000000000020800-00000000000217ff (prio 0, ram): high\n"
    "  0000000000030000-0000000000030fff (prio 0, rom): low\n"
    "  0000000000040000-0000000000040fff (prio 0, i/o): behind\n"
    "\n";

static void test_evidence(void)
{
    char *text = g_strconcat(tree, views, NULL);
    struct import *im = read_text(text);
    const struct import_region *root = find(im, "root");

    g_assert_true(find(im, "ports")->terminating);
    g_assert_true(has_note(im, 3, "'ports' has children, but a flat view shows it"));
    g_assert_false(find(im, "empty")->terminating);
    g_assert_true(has_note(im, 5, "'empty' is not in the flat views where it would answer"));
    g_assert_true(find(im, "behind")->terminating);
    g_assert_true(find(im, "shadow")->readonly);
    g_assert_false(find(im, "low")->readonly);
    g_assert_true(has_note(im, 8, "'shadow' is taken to be read-only"));
    g_assert_cmpuint(find(im, "window")->size, ==, 0);
    g_assert_true(has_note(im, 9, "'window' has no bytes or one"));
    /* `high` wins where both are, so it comes first. */
    for (size_t i = 0; i < root->child_count; i++) {
        g_assert_true(root->children[i] != find(im, "low") - im->regions);
        if (root->children[i] == find(im, "high") - im->regions) {
            break;
        }
    }
    g_assert_true(has_note(im, 7, "'high' and 'low' (line 6) overlap at equal priority; the former"));
    import_free(im);
    g_free(text);
}

static void test_defaults(void)
{
    struct import *im = read_text(tree);

    g_assert_false(find(im, "ports")->terminating);
    g_assert_true(find(im, "empty")->terminating);
    g_assert_false(find(im, "shadow")->readonly);
    g_assert_true(has_note(im, 3, "'ports' has children, taken as a container"));
    g_assert_true(has_note(im, 7, "overlap at equal priority; the latter"));
    import_free(im);
}

/* What one text proved needs no evidence in the next one of the same machine. */
static void test_earlier(void)
{
    char *text = g_strconcat(tree, views, NULL);
    struct import_error error;
    struct import *first = read_text(text), *second = import_read(tree, strlen(tree), first, &error);

    g_assert_true(find(second, "ports")->terminating);
    g_assert_false(find(second, "empty")->terminating);
    g_assert_true(find(second, "shadow")->readonly);
    g_assert_false(has_note(second, 3, "ports"));
    import_free(second);
    import_free(first);
    g_free(text);
}

/* Two targets of one name: blocks come in the order in which aliases first name them, and owners tell. */
static void test_equal_names(void)
{
    static const char format[] = "address-space: a\n"
                                 "  0000000000000000-ffffffffffffffff (prio 0, i/o): root\n"
                                 "    0000000000001000-0000000000001fff (prio 0, i/o): alias w1 @bus "
                                 "0000000000000000-0000000000000fff%s\n"
                                 "    0000000000002000-0000000000002fff (prio 0, i/o): alias w2 @bus "
                                 "0000000000000000-0000000000000fff%s\n"
                                 "    0000000000003000-0000000000003fff (prio 0, i/o): alias w3 @bus "
                                 "0000000000000000-0000000000000fff%s\n"
                                 "\n"
                                 "memory-region: bus\n"
                                 "  0000000000000000-0000000000003fff (prio 0, i/o): bus%s\n"
                                 "\n"
                                 "memory-region: bus\n"
                                 "  0000000000000000-0000000000005fff (prio 0, i/o): bus%s\n"
                                 "\n";
    char *plain = g_strdup_printf(format, "", "", "", "", "");
    char *owned = g_strdup_printf(format, " owner:{dev id=x}", " owner:{dev id=y}", " owner:{dev id=x}",
                                  " owner:{dev id=x} parent:{obj path=/m}", " owner:{dev id=y}");
    char *same = g_strdup_printf(format, " owner:{dev id=x}", " owner:{dev id=y}", " owner:{dev id=x}",
                                 " owner:{dev id=x}", " owner:{dev id=y}");
    struct import *im = read_text(plain);

    g_assert_cmphex(im->regions[find(im, "w1")->target].size, ==, 0x4000);
    g_assert_cmphex(im->regions[find(im, "w2")->target].size, ==, 0x6000);
    g_assert_true(has_note(im, 4, "alias 'w2' may mean 2 regions named 'bus'"));
    g_assert_true(has_note(im, 5, "alias 'w3' may mean 2 regions named 'bus'"));
    import_free(im);
    im = read_text(same);
    g_assert_cmphex(im->regions[find(im, "w3")->target].size, ==, 0x4000);
    g_assert_false(has_note(im, 5, "may mean"));
    import_free(im);
    im = read_text(owned);      /* owners of another form do not count, and are no part of a name */
    g_assert_nonnull(find(im, "bus"));
    import_free(im);
    g_free(same);
    g_free(owned);
    g_free(plain);
}

/* Without -D a disabled container is missing, its child two levels deeper than the line before (R-MT-8). */
static void test_hidden(void)
{
    struct import *im = read_text("(qemu) info mtree\r\n"
                                  "address-space: a\r\n"
                                  "  0000000000000000-000000000000ffff (prio 0, i/o): root\r\n"
                                  "      0000000000008010-000000000000801f (prio 0, i/o): child\r\n"
                                  "\r\n");
    const struct import_region *child = find(im, "child");

    g_assert_false(im->regions[child->container].enabled);
    g_assert_cmphex(child->address, ==, 0x8010);
    g_assert_true(has_note(im, 4, "two levels deeper"));
    import_free(im);
}

/* Real boards show another window of a container inside of it. */
static void test_cycle(void)
{
    struct import *im = read_text("address-space: a\n"
                                  "  0000000000000000-ffffffffffffffff (prio 0, i/o): bus\n"
                                  "    0000000000000000-0000000000000fff (prio 0, ram): ram\n"
                                  "    0000000000001000-0000000000001fff (prio 0, i/o): alias again @bus "
                                  "0000000000000000-0000000000000fff\n"
                                  "\n"
                                  "memory-region: bus\n"
                                  "  0000000000000000-ffffffffffffffff (prio 0, i/o): bus\n"
                                  "    0000000000000000-0000000000000fff (prio 0, ram): ram\n"
                                  "    0000000000001000-0000000000001fff (prio 0, i/o): alias again @bus "
                                  "0000000000000000-0000000000000fff\n");

    g_assert_cmpint(im->cycle, ==, (int)(find(im, "again") - im->regions));
    g_assert_true(has_note(im, 4, "R-TREE-5"));
    import_free(im);
}

/* --- traces ------------------------------------------------------------------------------ */

static void test_trace(void)
{
    struct import *im = read_text(example);
    struct import_error error;
    struct trace_error trace_error;
    struct trace trace, again;
    char *text = NULL;
    size_t size, count;
    int *regions;
    FILE *out = open_memstream(&text, &size);

    trace_init(&trace);
    trace_init(&again);
    g_assert_true(import_trace(im, IMPORT_ALL, NULL, &trace, &regions, &count, &error));
    g_assert_cmpuint(count, ==, im->region_count);
    g_assert_true(import_print(im, IMPORT_ALL, NULL, "example", out, &error));
    fclose(out);
    if (!trace_parse(&again, text, size, &trace_error)) {
        g_error("%u:%u: %s in\n%s", trace_error.line, trace_error.column, trace_error.message, text);
    }
    g_assert_true(trace_equal(&trace, &again));
    g_assert_nonnull(strstr(text, "# over\n"));
    g_assert_nonnull(strstr(text, "priority -3\n"));
    g_assert_nonnull(strstr(text, "line 10: 'leaf'"));
    free(regions);
    trace_free(&trace);
    trace_free(&again);
    free(text);
    import_free(im);
}

static void test_choice(void)
{
    GString *text = g_string_new(NULL);
    struct import_error error;
    struct trace trace;
    struct import *im;
    size_t count;
    int *regions;

    for (int i = 0; i < 9; i++) {
        g_string_append_printf(
            text, "address-space: s%d\n  0000000000000000-000000000000ffff (prio 0, i/o): root%d\n\n", i, i);
    }
    im = read_text(text->str);
    trace_init(&trace);
    g_assert_false(import_trace(im, IMPORT_ALL, NULL, &trace, &regions, &count, &error));
    g_assert_cmpuint(error.line, ==, 25);
    g_assert_true(import_trace(im, IMPORT_AS_FITS, NULL, &trace, &regions, &count, &error));
    g_assert_cmpuint(count, ==, 8);
    free(regions);
    trace_free(&trace);
    trace_init(&trace);
    g_assert_true(import_trace(im, IMPORT_NAMED, "root4", &trace, &regions, &count, &error));
    g_assert_cmpuint(count, ==, 1);
    g_assert_cmpstr(im->regions[regions[0]].name, ==, "root4");
    free(regions);
    trace_free(&trace);
    trace_init(&trace);
    g_assert_false(import_trace(im, IMPORT_NAMED, "nobody", &trace, &regions, &count, &error));
    g_assert_nonnull(strstr(error.message, "nobody"));
    trace_free(&trace);
    import_free(im);
    g_string_free(text, TRUE);
}

/* --- broken texts ------------------------------------------------------------------------------ */

#define SPACE "address-space: a\n"
#define ROOT SPACE "  0000000000000000-000000000000ffff (prio 0, i/o): root\n"

static const struct {
    const char *text;
    unsigned line, column;
    const char *expected;
} broken[] = {
    { "", 1, 1, "no address space" },
    { "hello\n", 1, 1, "expected `address-space: NAME`" },
    { "\001", 1, 1, "byte 0x01" },
    { "address-space: \377\n", 1, 16, "byte 0xff" },
    { SPACE "  000000000000000-ffff\n", 2, 3, "16 hexadecimal digits" },
    { SPACE "  0000000000000000+000000000000ffff (prio 0, i/o): root\n", 2, 19, "expected `-`" },
    { SPACE "  0000000000000000-000000000000ffff (prio x, i/o): root\n", 2, 43, "priority" },
    { SPACE "  0000000000000000-000000000000ffff (prio 2147483648, i/o): root\n", 2, 43, "priority" },
    { SPACE "  0000000000000000-000000000000ffff (prio 0, rum): root\n", 2, 46, "a kind" },
    { SPACE "  0000000000000000-fffffffffffffffe (prio 0, i/o): root\n", 2, 52, "2^64 - 1" },
    { SPACE " 0000000000000000-000000000000ffff (prio 0, i/o): root\n", 2, 1, "two spaces a level" },
    { ROOT "  0000000000000000-000000000000ffff (prio 0, i/o): second\n", 3, 1, "one root region" },
    { ROOT "address-space: b\n", 3, 16, "blank line" },
    { ROOT
      "    0000000000000000-000000000000ffff (prio 0, i/o): alias x @y 0000000000000000-00000000000000ff\n",
      3, 54, "as many bytes as it has" },
    { ROOT
      "    0000000000000000-000000000000ffff (prio 0, i/o): alias x @y 0000000000000000-000000000000ffff\n",
      3, 1, "expected a block `memory-region: ...` for the target of alias 'x @y'" },
    { ROOT
      "    0000000000000000-000000000000ffff (prio 0, ram): alias x @y 0000000000000000-000000000000ffff\n"
      "\nmemory-region: y\n  0000000000000000-000000000000ffff (prio 0, i/o): y\n",
      3, 1, "kind of the alias's target 'y'" },
    { ROOT "\nFlatView #x\n", 4, 11, "number of a flat view" },
    { ROOT "\nFlatView #0\n\n", 5, 1, "expected `Root memory region: `" },
    { ROOT "\nFlatView #0\n AS a\n", 5, 1, "expected ` AS \"`" },
    { ROOT "\nFlatView #0\n AS \"a\", root: root\n Root memory region: root\n"
           "  0000000000001000-0000000000000fff (prio 0, i/o): root\n",
      7, 52, "cannot end before it starts" },
    { ROOT "\nFlatView #0\n AS \"a\", root: root\n Root memory region: root\n"
           "  0000000000000000-0000000000000fff (prio 0, i/o): root\n"
           "  0000000000000fff-0000000000001fff (prio 0, i/o): root\n",
      8, 1, "behind the one before it" },
    { "memory-region: y\n  0000000000000000-000000000000ffff (prio 0, i/o): y\n", 3, 1, "no address space" },
};

static void test_broken(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        struct import_error error;
        struct import *im = import_read(broken[i].text, strlen(broken[i].text), NULL, &error);

        if (im || error.line != broken[i].line || error.column != broken[i].column ||
            !strstr(error.message, broken[i].expected)) {
            g_test_message("%s\nexpected %u:%u: ...%s...\ngot %s%u:%u: %s", broken[i].text, broken[i].line,
                           broken[i].column, broken[i].expected, im ? "an import, " : "", error.line,
                           error.column, error.message);
            g_test_fail();
        }
        import_free(im);
    }
}

/* Texts as large as they may be, and made to be slow: levels, equal lines, aliases that multiply. */
static void test_limits(void)
{
    GString *text = g_string_new(SPACE);
    struct import_error error;
    struct import *im;

    for (int level = 1; level <= 65; level++) {
        g_string_append_printf(text, "%*s0000000000000000-000000000000ffff (prio 0, i/o): r\n", 2 * level,
                               "");
    }
    g_assert_null(import_read(text->str, text->len, NULL, &error));
    g_assert_cmpuint(error.line, ==, 66);
    g_assert_nonnull(strstr(error.message, "64 levels"));

    g_string_assign(text, ROOT);
    for (int i = 0; i < 70000; i++) {
        g_string_append(text, "    0000000000000000-000000000000ffff (prio 0, i/o): r\n");
    }
    g_assert_null(import_read(text->str, text->len, NULL, &error));
    g_assert_nonnull(strstr(error.message, "65000 region lines"));

    /* x0 shows x1 twice, x1 shows x2 twice, ...: 2^40 ways to the last one. */
    g_string_assign(text, ROOT);
    for (int i = 0; i < 2; i++) {
        g_string_append(text, "    0000000000000000-000000000000ffff (prio 0, i/o): alias a @x0 "
                        "0000000000000000-000000000000ffff\n");
    }
    for (int i = 0; i < 40; i++) {
        g_string_append_printf(
            text, "\nmemory-region: x%d\n  0000000000000000-000000000000ffff (prio 0, i/o): x%d\n", i, i);
        for (int k = 0; k < 2 && i < 39; k++) {
            g_string_append_printf(text, "    0000000000000000-000000000000ffff (prio 0, i/o): alias a @x%d "
                                   "0000000000000000-000000000000ffff\n", i + 1);
        }
    }
    g_string_append(text, "\nFlatView #0\n AS \"a\", root: root\n Root memory region: root\n"
                    "  0000000000000000-000000000000ffff (prio 0, i/o): x39\n");
    im = read_text(text->str);
    g_assert_true(has_note(im, 0, "too many ways"));
    import_free(im);
    g_string_free(text, TRUE);
}

/* Bytes changed, lines dropped, doubled and swapped: an import or a message, nothing else. */
static void test_mutations(void)
{
    char *whole = g_strconcat(example, tree, views, NULL);
    GRand *random = g_rand_new_with_seed(7);
    unsigned good = 0;

    for (int round = 0; round < 4000; round++) {
        GString *text = g_string_new(whole);
        struct import_error error;
        struct import *im;

        for (int i = g_rand_int_range(random, 1, 4); i > 0; i--) {
            gsize at = (gsize)g_rand_int_range(random, 0, (gint32)text->len - 100);
            gsize size = (gsize)g_rand_int_range(random, 1, 100);

            switch (g_rand_int_range(random, 0, 4)) {
            case 0:
                text->str[at] = " 0f\n@(ax"[g_rand_int_range(random, 0, 8)];
                break;
            case 1:
                g_string_erase(text, (gssize)at, (gssize)size);
                break;
            case 2: {
                char *copy = g_strndup(text->str + at, size);

                g_string_insert(text, g_rand_int_range(random, 0, (gint32)text->len), copy);
                g_free(copy);
                break;
            }
            default: {
                char *line = strchr(text->str + at, '\n');
                char *end = line ? strchr(line + 1, '\n') : NULL;

                if (end) {
                    g_string_erase(text, line - text->str, end - line);
                }
                break;
            }
            }
        }
        im = import_read(text->str, text->len, NULL, &error);
        if (im) {
            struct trace trace;
            size_t count;
            int *regions;

            good++;
            trace_init(&trace);
            if (import_trace(im, IMPORT_AS_FITS, NULL, &trace, &regions, &count, &error)) {
                free(regions);
            }
            trace_free(&trace);
        } else {
            g_assert_cmpstr(error.message, !=, "");
        }
        import_free(im);
        g_string_free(text, TRUE);
    }
    /* Neither outcome may be so rare that it is not tested. */
    g_assert_cmpuint(good, >, 100);
    g_assert_cmpuint(good, <, 3900);
    g_rand_free(random);
    g_free(whole);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    subject_start();
    g_test_add_func("/import/regions", test_regions);
    g_test_add_func("/import/round-trip", test_round_trip);
    g_test_add_func("/import/evidence", test_evidence);
    g_test_add_func("/import/defaults", test_defaults);
    g_test_add_func("/import/earlier", test_earlier);
    g_test_add_func("/import/equal-names", test_equal_names);
    g_test_add_func("/import/hidden", test_hidden);
    g_test_add_func("/import/cycle", test_cycle);
    g_test_add_func("/import/trace", test_trace);
    g_test_add_func("/import/choice", test_choice);
    g_test_add_func("/import/broken", test_broken);
    g_test_add_func("/import/limits", test_limits);
    g_test_add_func("/import/mutations", test_mutations);
    return g_test_run();
}
