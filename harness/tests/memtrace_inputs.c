/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What memtrace is given and cannot use, what it writes when something fails, and what is in the corpora. */
#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "memtrace_tool.h"

static const char example[] =
    "container r0 size 0x10000 owner none named plain\n"
    "space as0 root r0 watched\n"
    "ram r1 size 0x2000 owner none kind ram\n"
    "add r0 r1 at 0x1000 priority 0\n";

/* Every way to hand over a file; with -o, something is to be written. */
static const char *const uses[] = {
    "run %s", "run --repeat 2 %s", "show %s", "show -n %s", "pack %s", "pack -o out %s", "pack -d out %s",
    "minimize %s", "minimize -o out %s", "emit-c %s", "emit-c -o out %s", "draw %s", "draw -o out %s",
    "import %s", "import -o out %s", "stats %s", "stats --played %s",
};

static void test_unusable_files(void)
{
    /* broken text: mistakes in the first and in a later line, which leave a step to be freed */
    static const struct {
        const char *name, *content;
        size_t size;
    } files[] = {
        { "broken.trace", "ram r1 size 0x2000 owner none kind ram\nadde\n", 44 },
        { "broken", "ram r1 size 0x2000 owner none kind ram\nadde\n", 44 },
        { "swapped", "r0 add\n", 7 },
        { "marked", "\xef\xbb\xbfgrace\n", 9 },
        { "latin", "grace # \xe4\n", 10 },
        { "page.md", "# A page\n\nIt has words.\n", 24 },
        { "empty", "", 0 },
        { "empty.trace", "", 0 },
        { "garbage", "\x01\x02\x03\xff\xfe\x80\x81\x00\x01\x02\x03\xff", 12 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        char *listing = g_strdup_printf("%s ", files[i].name);

        put_file(files[i].name, files[i].content, files[i].size);
        for (size_t use = 0; use < G_N_ELEMENTS(uses); use++) {
            char **parts = g_strsplit(uses[use], "%s", 2);
            char *arguments = g_strconcat(parts[0], files[i].name, parts[1], NULL);
            struct result r = tool_run(arguments);

            if (strcmp(files[i].name, "garbage") != 0 || !g_str_has_prefix(arguments, "stats")) {
                g_assert_true(g_str_has_prefix(r.error, files[i].name));
            }
            assert_result(r, 2, "", NULL);
            assert_files(listing);
            g_strfreev(parts);
            g_free(arguments);
        }
        remove_file(files[i].name);
        g_free(listing);
    }
}

static void test_missing_and_folders(void)
{
    make_folder("folder");
    for (size_t use = 0; use < G_N_ELEMENTS(uses); use++) {
        for (int missing = 0; missing < 2; missing++) {
            char **parts = g_strsplit(uses[use], "%s", 2);
            char *arguments = g_strconcat(parts[0], missing ? "missing" : "folder", parts[1], NULL);

            assert_output(arguments, 2, "", NULL);
            assert_files("folder ");
            g_strfreev(parts);
            g_free(arguments);
        }
    }
    remove_file("folder");
}

static void test_either_form(void)
{
    struct result r;

    put_file("x.trace", example, strlen(example));
    assert_output("pack x.trace -o x", 0, "", "");
    r = tool_run("run x.trace");
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "ok  x.trace  4 steps, "));
    result_free(&r);
    r = tool_run("run x");
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "ok  x (binary)  4 steps, "));
    result_free(&r);
    r = tool_run_with("run -", example);
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "ok  -  4 steps, "));
    result_free(&r);
    remove_file("x");
    remove_file("x.trace");
}

static void test_forced_binary(void)
{
    static const char *const forced[] = {"run", "show", "pack -o out", "minimize", "emit-c", "draw", "stats"};
    char bytes[64];
    struct result r;

    memset(bytes, ' ', sizeof(bytes));
    bytes[63] = 1;
    put_file("input.trace", bytes, sizeof(bytes));
    for (size_t i = 0; i < G_N_ELEMENTS(forced); i++) {
        char *arguments = g_strdup_printf("%s --binary input.trace", forced[i]);
        char *guessing = g_strdup_printf("%s input.trace", forced[i]);

        assert_output(guessing, 2, "", "input.trace:1:64: expected text, not the byte 0x01\n");
        r = tool_run(arguments);
        /* a trace of two steps, which do not fail */
        g_assert_cmpint(r.status, ==, strcmp(forced[i], "minimize") == 0);
        result_free(&r);
        g_free(arguments);
        g_free(guessing);
    }
    r = tool_run("run --binary input.trace");
    g_assert_true(g_str_has_prefix(r.out, "ok  input.trace (binary)  2 steps, "));
    result_free(&r);
    remove_file("out");
    remove_file("input.trace");
}

static void test_no_steps(void)
{
    struct result r;

    put_file("x", "# nothing yet\n", 14);
    assert_output("run x", 2, "", "x: no steps: it has only comments and blank lines, or \"uses\"\n");
    assert_output("stats x", 2, "", "memtrace stats: no steps in 1 file\n");
    assert_output("pack x -o y", 0, "", "");    /* a seed for engines all the same */
    assert_output("run y", 2, "",
                  "y: no steps: not text, and in binary the first ends at byte 36, the file at 8\n");
    r = tool_run("show -b y");
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "y: binary, 8 bytes\n"));
    result_free(&r);
    remove_file("x");
    put_file("x", example, strlen(example));
    r = tool_run("stats x y");                  /* engines keep inputs without steps */
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "2 traces, 4 steps"));
    result_free(&r);
    remove_file("x");
    remove_file("y");
}

static void test_numbers(void)
{
    static const char *const wrong[] = {"abc", "0", "-1", "1x", "+1", "99999999999999999999", "4294967297"};

    put_file("x.trace", example, strlen(example));
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        char *tries = g_strdup_printf("minimize -n %s x.trace", wrong[i]);
        char *repeat = g_strdup_printf("run --repeat %s x.trace", wrong[i]);
        char *about_tries = g_strdup_printf("memtrace minimize: --tries takes a number from 1 to 1000000000, not "
                                            "'%s'\n", wrong[i]);
        char *about_repeat = g_strdup_printf("memtrace run: --repeat takes a number from 1 to 1000000000, not '%s'\n",
                                             wrong[i]);

        assert_output(tries, 2, "", about_tries);
        assert_output(repeat, 2, "", about_repeat);
        g_free(tries);
        g_free(repeat);
        g_free(about_tries);
        g_free(about_repeat);
    }
    assert_output("run -q --repeat 3 x.trace", 0, "", "");
    assert_output("minimize -n 1 x.trace", 1, "", NULL);
    remove_file("x.trace");
}

/* What can be written; %s: the file.  minimize writes of traces that fail only, but looks before it tries. */
static const struct {
    const char *arguments, *command;
} writers[] = {
    { "emit-c x.trace -o %s", "emit-c" },
    { "draw x.trace -o %s", "draw" },
    { "pack x.trace -o %s", "pack" },
    { "import map.txt -o %s", "import" },
    { "minimize x.trace -o %s", "minimize" },
};

static char *writing(size_t writer, const char *path)
{
    char **parts = g_strsplit(writers[writer].arguments, "%s", 2);
    char *whole = g_strconcat(parts[0], path, parts[1], NULL);

    g_strfreev(parts);
    return whole;
}

static void put_inputs(void)
{
    static const char map[] =
        "address-space: memory\n"
        "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
        "    0000000000000000-000000000000ffff (prio 0, ram): ram\n";

    put_file("x.trace", example, strlen(example));
    put_file("map.txt", map, strlen(map));
}

static void test_written_whole_or_not_at_all(void)
{
    put_inputs();
    put_file("old", "old", 3);
    for (size_t i = 0; i < G_N_ELEMENTS(writers); i++) {
        bool looks_only = strcmp(writers[i].command, "minimize") == 0;
        char *to_old = writing(i, "old"), *to_new = writing(i, "new"), *into_folder = writing(i, "no/such");
        char *expected = g_strdup_printf("memtrace %s: cannot write old: File too large\n", writers[i].command);
        char *no_folder =
            g_strdup_printf("memtrace %s: cannot write no/such: No such file or directory\n", writers[i].command);
        char *content;
        size_t size;

        assert_result(tool_run_full_disk(to_old), looks_only ? 1 : 2, "", looks_only ? NULL : expected);
        assert_files("map.txt old x.trace ");
        content = get_file("old", &size);
        g_assert_cmpstr(content, ==, "old");
        g_free(content);
        assert_result(tool_run_full_disk(to_new), looks_only ? 1 : 2, "", NULL);
        assert_output(into_folder, 2, "", no_folder);
        assert_files("map.txt old x.trace ");
        if (!looks_only) {
            assert_output(to_new, 0, "", "");
            assert_files("map.txt new old x.trace ");
            content = get_file("new", &size);
            g_assert_cmpuint(size, >, 40);
            g_free(content);
            remove_file("new");
        }
        g_free(to_old);
        g_free(to_new);
        g_free(into_folder);
        g_free(expected);
        g_free(no_folder);
    }
    assert_output("emit-c x.trace -o /dev/full", 2, "",
                  "memtrace emit-c: cannot write /dev/full: No space left on device\n");
    assert_output("emit-c x.trace -o .", 2, "", "memtrace emit-c: cannot write .: Is a directory\n");
    assert_output("emit-c x.trace -o old", 0, "", "");
    assert_files("map.txt old x.trace ");
    remove_file("old");
    remove_file("map.txt");
    remove_file("x.trace");
}

static void test_import_complaints(void)
{
    char *large = g_malloc((8 << 20) + 1);
    struct result r = tool_run_with("import -", "nonsense\n");

    g_assert_true(g_str_has_prefix(r.error, "<stdin>:1:"));
    assert_result(r, 2, "", NULL);
    memset(large, '\n', (8 << 20) + 1);
    put_file("large", large, (8 << 20) + 1);
    assert_output("import large", 2, "", "large: longer than 8 MiB, which no text of info mtree is\n");
    remove_file("large");
    g_free(large);
}

static void test_played(void)
{
    GString *text = g_string_new(example);
    struct result r;

    for (int i = 0; i < 20; i++) {
        g_string_append(text, i < 16 ? "begin\ncommit\n" : "commit\n");     /* 4 of 20: just a fifth */
    }
    put_file("x.trace", text->str, text->len);
    r = tool_run("stats --played x.trace");
    g_assert_cmpstr(r.error, ==, "");
    g_assert_nonnull(strstr(r.out, "\nadd                    1          0    0.0%\n"));
    g_assert_nonnull(strstr(r.out, "\ncommit                20          4   20.0%\n"));
    g_assert_nonnull(strstr(r.out, "\ntotal                 40          4   10.0%\n"));
    g_assert_nonnull(strstr(r.out, "\ndel                    0          0       -\n"));
    g_assert_cmpint(r.status, ==, 0);
    result_free(&r);
    g_string_append(text, "commit\n");
    put_file("x.trace", text->str, text->len);
    r = tool_run("stats --played x.trace");
    g_assert_cmpstr(r.error, ==, "memtrace stats: commit: 5 of 21 steps skipped, more than one in 5\n");
    g_assert_nonnull(strstr(r.out, "\ncommit                21          5   23.8%  too many\n"));
    g_assert_cmpint(r.status, ==, 1);
    result_free(&r);
    put_file("x.trace", "commit\ncommit\n", 14);     /* too few to judge by */
    r = tool_run("stats --played x.trace");
    g_assert_cmpint(r.status, ==, 0);
    result_free(&r);
    remove_file("x.trace");
    g_string_free(text, TRUE);
}

/* Seeds whose steps are skipped test less than they say. */
static void test_corpora_are_played(void)
{
    static const char *const targets[] = {"region_tree", "transactions"};

    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        char *arguments = g_strdup_printf("stats --played " CORPORA "/%s", targets[i]);

        assert_output(arguments, 0, NULL, "");
        g_free(arguments);
    }
}

int main(int argc, char **argv)
{
    int result;

    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    tool_start(argv[0]);
    g_test_add_func("/memtrace/inputs/unusable-files", test_unusable_files);
    g_test_add_func("/memtrace/inputs/missing-and-folders", test_missing_and_folders);
    g_test_add_func("/memtrace/inputs/either-form", test_either_form);
    g_test_add_func("/memtrace/inputs/forced-binary", test_forced_binary);
    g_test_add_func("/memtrace/inputs/no-steps", test_no_steps);
    g_test_add_func("/memtrace/inputs/numbers", test_numbers);
    g_test_add_func("/memtrace/inputs/written-whole-or-not-at-all", test_written_whole_or_not_at_all);
    g_test_add_func("/memtrace/inputs/import-complaints", test_import_complaints);
    g_test_add_func("/memtrace/inputs/played", test_played);
    g_test_add_func("/memtrace/inputs/corpora-are-played", test_corpora_are_played);
    result = g_test_run();
    tool_stop();
    return result;
}
