/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command-line tool, run as people run it: exit status, output, complaints. */
#include <glib.h>
#include <string.h>

#include "memtrace_tool.h"
#include "trace/table.h"

static const char example[] =
    "container r0 size 0xffffffffffffffff owner none named plain\n"
    "space as0 root r0 watched\n"
    "ram r1 size 0x2000 owner none kind ram\n"
    "add r0 r1 at 0x1000 priority 0\n";

static const char *const commands[] = {
    "run", "show", "pack", "minimize", "emit-c", "draw", "import", "stats", "triage",
#ifdef MEMTRACE_RAM
    "ram",
#endif
};

/* Nothing of it is folded by a terminal of 80 columns. */
static void assert_narrow(const char *text)
{
    char **lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (strlen(*line) > 80) {
            g_test_message("%zu columns: %s", strlen(*line), *line);
            g_test_fail();
        }
    }
    g_strfreev(lines);
}

static void test_help(void)
{
    struct result general = tool_run("--help"), bare = tool_run("");

    g_assert_cmpint(general.status, ==, 0);
    g_assert_cmpstr(general.error, ==, "");
    g_assert_nonnull(strstr(general.out, "Example"));
    assert_narrow(general.out);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        char *option = g_strdup_printf("%s --help", commands[i]),
             *word = g_strdup_printf("help %s", commands[i]);
        char *usage = g_strdup_printf("Usage: memtrace %s ", commands[i]);
        char *listed = g_strdup_printf("\n  %s ", commands[i]);
        struct result by_option = tool_run(option), by_word = tool_run(word);

        g_assert_nonnull(strstr(general.out, listed));
        g_assert_cmpint(by_option.status, ==, 0);
        g_assert_cmpstr(by_option.error, ==, "");
        g_assert_true(g_str_has_prefix(by_option.out, usage));
        g_assert_nonnull(strstr(by_option.out, "\nExample: "));
        g_assert_nonnull(strstr(strstr(by_option.out, "\nExample: "), usage + strlen("Usage: ")));
        g_assert_cmpstr(by_option.out, ==, by_word.out);
        assert_narrow(by_option.out);
        result_free(&by_option);
        result_free(&by_word);
        g_free(option);
        g_free(word);
        g_free(usage);
        g_free(listed);
    }
    result_free(&general);
    result_free(&bare);
}

static void test_wrong_usage(void)
{
    assert_output("shwo", 2, "", "memtrace: unknown command 'shwo'; did you mean 'show'?\n");
    assert_output("xyzzy", 2, "", "memtrace: unknown command 'xyzzy'; memtrace --help lists them\n");
    assert_output("help xyzzy", 2, "", "memtrace: unknown command 'xyzzy'; memtrace --help lists them\n");
    assert_output("-o x show", 2, "",
                  "memtrace: unknown option '-o'; the command comes first, see memtrace --help\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        char *arguments = g_strdup_printf("%s --no-such-option", commands[i]);
        char *expected =
            g_strdup_printf("memtrace %s: unrecognized option '--no-such-option'\n", commands[i]);

        assert_output(arguments, 2, "", expected);
        assert_output(commands[i], 2, "", NULL);
        g_free(arguments);
        g_free(expected);
    }
}

static void test_show_and_pack(void)
{
    char *binary, *again;
    size_t size, again_size;

    put_file("x.trace", example, strlen(example));
    assert_output("show x.trace", 0, example, "");
    assert_output("pack x.trace -o x", 0, "", "");
    assert_output("show x", 0, example, "");
    assert_output("show -n x", 0,
                  "    1  container r0 size 0xffffffffffffffff owner none named plain\n"
                  "    2  space as0 root r0 watched\n"
                  "    3  ram r1 size 0x2000 owner none kind ram\n"
                  "    4  add r0 r1 at 0x1000 priority 0\n", "");
    binary = get_file("x", &size);
    g_assert_cmpuint(size, ==, TRACE_HEADER_SIZE + 4 * TRACE_RECORD_SIZE);
    assert_output("pack x -o y", 0, "", "");
    again = get_file("y", &again_size);
    g_assert_cmpmem(binary, size, again, again_size);
    g_free(again);
    g_free(binary);
    assert_output("pack x x.trace -d made/folder", 2, "",
                  "memtrace pack: x and x.trace would both become made/folder/x\n");
    assert_output("pack y x.trace -d made/folder", 0, "", "");
    again = get_file("made/folder/x", &again_size);
    g_assert_cmpuint(again_size, ==, size);
    g_free(again);
    assert_output("pack x -o a -d b", 2, "",
                  "memtrace pack: -o OUT is for one file, -d FOLDER for many; not both\n");
    assert_output("pack x y", 2, "", "memtrace pack: for more than one file give -d FOLDER\n");
    assert_output("pack x -o /dev/full", 2, "",
                  "memtrace pack: cannot write /dev/full: No space left on device\n");
    assert_output("pack x -o no/such/folder", 2, "",
                  "memtrace pack: cannot write no/such/folder: No such file or directory\n");
    assert_output("show x missing", 2, NULL, "missing: cannot be opened: No such file or directory\n");
    remove_file("made/folder/x");
    remove_file("made/folder/y");
    remove_file("made/folder");
    remove_file("made");
    remove_file("x");
    remove_file("y");
    remove_file("x.trace");
}

/* Nothing is written when one of many files is broken. */
static void test_pack_is_all_or_nothing(void)
{
    put_file("good.trace", example, strlen(example));
    put_file("bad.trace", "adde", 4);
    assert_output("pack good.trace bad.trace -d out", 2, "",
                  "bad.trace:1:1: unknown operation 'adde'; did you mean 'add'?\n");
    assert_files("bad.trace good.trace ");
    remove_file("good.trace");
    remove_file("bad.trace");
}

static void test_binary_info(void)
{
    uint8_t data[TRACE_HEADER_SIZE + TRACE_RECORD_SIZE + 5] = { 0x10, [8] = 4, [9] = 0x80, [12] = 0xff };
    struct result r;
    char *expected;

    put_file("raw", data, sizeof(data));
    r = tool_run("show --binary-info raw");
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "raw: binary, 41 bytes\n"
                                   "  groups 0x00000011: tree transaction\n"
                                   "  1 records of 28 bytes, 5 bytes after them\n"));
    g_assert_nonnull(strstr(r.out, " * space as0 root r255 bare\n"));
    g_assert_nonnull(strstr(r.out, "1 records have other bytes when they are packed again"));
    result_free(&r);
    put_file("x.trace", example, strlen(example));
    r = tool_run("show -b x.trace");
    expected = g_strdup_printf("x.trace: text, %zu bytes; packed 120 bytes\n", strlen(example));
    g_assert_true(g_str_has_prefix(r.out, expected));
    g_free(expected);
    g_assert_null(strstr(r.out, "other bytes"));
    result_free(&r);
    remove_file("x.trace");
    remove_file("raw");
}

static void test_operations(void)
{
    struct result r = tool_run("show --operations");

    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "# Operations of the trace language\n"));
    result_free(&r);
}

static void test_stats(void)
{
    struct result r;

    make_folder("d/e");
    assert_output("stats d", 2, NULL, "memtrace stats: d: no files in this folder\n");
    put_file("d/x.trace", example, strlen(example));
    put_file("d/e/y", example, strlen(example));
    put_file("d/e/.hidden", "not a trace", 11);
    r = tool_run("stats d");
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "2 traces, 8 steps, longest trace 4 steps\n"));
    result_free(&r);
    assert_output("stats missing", 2, NULL, "memtrace stats: missing: no such file or folder\n");
    put_file("d/broken.trace", "del", 3);
    assert_output("stats d", 2, "", "d/broken.trace:1:4: expected r0 to r1023, not the end of the line\n");
    assert_output("stats --played d", 2, "",
                  "d/broken.trace:1:4: expected r0 to r1023, not the end of the line\n");
    assert_output("stats d/x.trace missing", 2, "", "memtrace stats: missing: no such file or folder\n");
    remove_file("d/broken.trace");
    remove_file("d/x.trace");
    remove_file("d/e/y");
    remove_file("d/e/.hidden");
    remove_file("d/e");
    remove_file("d");
}

static void test_draw(void)
{
    struct result r;
    char *picture;
    size_t size;

    put_file("x.trace", example, strlen(example));
    r = tool_run("draw --model x.trace");
    g_assert_cmpint(r.status, ==, 0);
    g_assert_true(g_str_has_prefix(r.out, "<svg "));
    g_assert_nonnull(strstr(r.out, ">after step 4 of 4: add r0 r1 at 0x1000 priority 0 "));
    g_assert_nonnull(strstr(r.out, ">r1 + 0x0<"));
    g_assert_null(strstr(r.out, ">core<"));
    result_free(&r);
    r = tool_run("draw --step 3 x.trace -o x.svg");
    g_assert_cmpint(r.status, ==, 0);
    g_assert_cmpstr(r.out, ==, "");
    picture = get_file("x.svg", &size);
    g_assert_nonnull(strstr(picture, ">after step 3 of 4: "));
    g_assert_nonnull(strstr(picture, ">core<"));
    g_assert_null(strstr(picture, ">r1 + 0x0<"));
    g_free(picture);
    result_free(&r);
    assert_output("draw --step 5 x.trace", 2, "", "memtrace draw: x.trace has 4 steps, there is no step 5\n");
    assert_output("draw --step five x.trace", 2, "",
                  "memtrace draw: --step takes a number from 0 to 8192, not 'five'\n");
    assert_output("draw x.trace -o /dev/full", 2, "",
                  "memtrace draw: cannot write /dev/full: No space left on device\n");
    remove_file("x.svg");
    remove_file("x.trace");
}

int main(int argc, char **argv)
{
    int result;

    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    tool_start(argv[0]);
    g_test_add_func("/memtrace/help", test_help);
    g_test_add_func("/memtrace/wrong-usage", test_wrong_usage);
    g_test_add_func("/memtrace/show-and-pack", test_show_and_pack);
    g_test_add_func("/memtrace/pack-is-all-or-nothing", test_pack_is_all_or_nothing);
    g_test_add_func("/memtrace/binary-info", test_binary_info);
    g_test_add_func("/memtrace/operations", test_operations);
    g_test_add_func("/memtrace/stats", test_stats);
    g_test_add_func("/memtrace/draw", test_draw);
    result = g_test_run();
    tool_stop();
    return result;
}
