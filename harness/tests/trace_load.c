/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading trace files of either form, and what is said when that cannot be done. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "trace/table.h"
#include "trace_random.h"

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* Loads the path with stderr caught in *complaint (g_free). */
static bool load(struct trace *t, const char *path, char **complaint)
{
    char *catch_name = in_folder("stderr");
    int saved = dup(STDERR_FILENO);
    int catch_file = open(catch_name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    bool loaded;

    g_assert_cmpint(saved, >=, 0);
    g_assert_cmpint(catch_file, >=, 0);
    fflush(stderr);
    dup2(catch_file, STDERR_FILENO);
    loaded = trace_load(t, path);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(catch_file);
    g_assert_true(g_file_get_contents(catch_name, complaint, NULL, NULL));
    g_unlink(catch_name);
    g_free(catch_name);
    return loaded;
}

static void assert_loads(struct trace *t, const char *name, const void *content, size_t size)
{
    char *path = in_folder(name), *complaint;

    g_assert_true(g_file_set_contents(path, content, (gssize)size, NULL));
    if (!load(t, path, &complaint)) {
        g_error("%s: %s", name, complaint);
    }
    g_assert_cmpstr(complaint, ==, "");
    g_unlink(path);
    g_free(path);
    g_free(complaint);
}

/* The complaint is one line that begins with the path. */
static void assert_refused(const char *path, const char *expected)
{
    struct trace t;
    char *complaint, *whole = g_strdup_printf("%s%s\n", path, expected);

    trace_init(&t);
    trace_append(&t, &(struct trace_step){ .op = TRACE_OP_GRACE });
    g_assert_false(load(&t, path, &complaint));
    g_assert_cmpstr(complaint, ==, whole);
    g_assert_cmpuint(t.count, ==, 0);
    g_assert_cmpuint(t.groups, ==, TRACE_GROUP_BIT(TRACE_GROUP_TREE));
    g_free(complaint);
    g_free(whole);
    trace_free(&t);
}

static void assert_content_refused(const char *name, const void *content, size_t size, const char *expected)
{
    char *path = in_folder(name);

    g_assert_true(g_file_set_contents(path, content, (gssize)size, NULL));
    assert_refused(path, expected);
    g_unlink(path);
    g_free(path);
}

static void test_missing(void)
{
    char *path = in_folder("nothing.trace");

    assert_refused(path, ": cannot be opened: No such file or directory");
    g_free(path);
}

static void test_directory(void)
{
    assert_refused(folder, ": cannot be read: Is a directory");
}

static void test_huge(void)
{
    char *path = in_folder("huge");
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    g_assert_cmpint(file, >=, 0);
    g_assert_cmpint(ftruncate(file, (off_t)1 << 40), ==, 0);     /* a hole: it takes no space */
    close(file);
    assert_refused(path, ": longer than 16 MiB, which no trace is");
    g_unlink(path);
    g_free(path);
}

static void test_endless(void)
{
    assert_refused("/dev/zero", ": longer than 16 MiB, which no trace is");
}

static void test_text_mistakes(void)
{
    /* called .trace: text, whatever it looks like */
    assert_content_refused("x.trace", "\x01\x02", 2, ":1:1: expected text, not the byte 0x01");
    assert_content_refused("x.trace", "del r1\n\0", 8, ":2:1: expected text, not the byte 0x00");
    assert_content_refused("x.trace", "1\n", 2, ":1:1: expected an operation, not '1'");
    /* a first operation that is misspelt does not make a text file binary */
    assert_content_refused("x", "adde r0 r1\n", 11, ":1:1: unknown operation 'adde'; did you mean 'add'?");
    assert_content_refused("x", "# c\n\nqqqqqq\n", 12, ":3:1: expected an operation, not 'qqqqqq'");
    assert_content_refused("x", "del r1\ndel\n", 11, ":2:4: expected r0 to r1023, not the end of the line");
}

static void test_either_form(void)
{
    struct trace written, read;
    uint8_t *binary;
    char *text;
    size_t size;

    trace_init(&written);
    trace_init(&read);
    for (int i = 0; i < 50; i++) {
        do {
            random_trace(&written, 30);
        } while (written.count == 0);
        text = trace_text(&written, &size);
        assert_loads(&read, "any name", text, size);
        g_assert_true(trace_equal(&written, &read));
        assert_loads(&read, "a.trace", text, size);
        g_assert_true(trace_equal(&written, &read));
        g_free(text);
        size = trace_encode(&written, NULL, 0);
        binary = g_malloc(size);
        trace_encode(&written, binary, size);
        assert_loads(&read, "any name", binary, size);
        g_assert_true(trace_equal(&written, &read));
        g_free(binary);
    }
    trace_free(&written);
    trace_free(&read);
}

/* A few strange bytes do not make a text binary: its first mistake is told. */
static void test_broken_text(void)
{
    static const struct {
        const char *content, *expected;
    } cases[] = {
        { "\xef\xbb\xbf" "del r1\n", ":1:1: expected text, not the byte 0xef" },
        { "del r1\n# Gr\xf6\xdf" "e\n", ":2:5: expected UTF-8 text, not the byte 0xf6" },
        { "r0 add\n", ":1:1: expected an operation, not 'r0'" },
        { "r0", ":1:1: expected an operation, not 'r0'" },
        { "Add", ":1:1: unknown operation 'Add'; did you mean 'add'?" },
        { "a", ":1:1: expected an operation, not 'a'" },
        { "<!-- a page -->\n", ":1:1: expected an operation, not '<!--'" },
        { "memory-region: memory\n", ":1:1: expected an operation, not 'memory-region:'" },
        { "del r1\x1b\n", ":1:7: expected text, not the byte 0x1b" },
        { "\xd0\xbf\xd1\x80", ":1:1: expected text, not the byte 0xd0" },      /* UTF-8, not ASCII */
        { "del r1\n\x01\x01\n", ":2:1: expected text, not the byte 0x01" },      /* a quarter not, less two bytes */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_content_refused("x", cases[i].content, strlen(cases[i].content), cases[i].expected);
    }
    assert_content_refused("x", "del\0", 4, ":1:4: expected text, not the byte 0x00");
}

/* More than a quarter strange: binary, although some of it could be read. */
static void test_binary(void)
{
    static const struct {
        const char *content;
        size_t size;
        uint32_t groups;
    } cases[] = {
        { "", 0, 0x001 },
        { "\x0b", 1, 0x00b },
        { "de\x80", 3, 0x6565 },
        { "del\0\0", 5, 0xc6565 },
        { "del r1\x80\xff\xfe", 9, 0xc6565 },
    };
    struct trace t;

    trace_init(&t);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_loads(&t, "input", cases[i].content, cases[i].size);
        g_assert_cmphex(t.groups, ==, cases[i].groups);
        g_assert_cmpuint(t.count, ==, 0);
    }
    assert_loads(&t, "empty.trace", "", 0);
    g_assert_cmpuint(t.count, ==, 0);
    trace_free(&t);
}

/* Bytes of an engine do not look like text by chance. */
static void test_random_bytes(void)
{
    uint8_t data[TRACE_HEADER_SIZE + 2 * TRACE_RECORD_SIZE];
    struct trace t;

    trace_init(&t);
    for (int i = 0; i < 500; i++) {
        for (size_t at = 0; at < sizeof(data); at++) {
            data[at] = (uint8_t)g_test_rand_int();
        }
        assert_loads(&t, "input", data, sizeof(data));
        g_assert_cmpuint(t.count, ==, 2);
    }
    trace_free(&t);
}

static void test_only_comments(void)
{
    struct trace t;

    trace_init(&t);
    assert_loads(&t, "x", "\n# nothing yet\n", 15);
    g_assert_cmphex(t.groups, ==, TRACE_GROUP_BIT(TRACE_GROUP_TREE));
    g_assert_cmpuint(t.count, ==, 0);
    trace_free(&t);
}

int main(int argc, char **argv)
{
    int result;

    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("trace-load-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_func("/trace/load/missing", test_missing);
    g_test_add_func("/trace/load/directory", test_directory);
    g_test_add_func("/trace/load/huge", test_huge);
    g_test_add_func("/trace/load/endless", test_endless);
    g_test_add_func("/trace/load/text-mistakes", test_text_mistakes);
    g_test_add_func("/trace/load/either-form", test_either_form);
    g_test_add_func("/trace/load/broken-text", test_broken_text);
    g_test_add_func("/trace/load/binary", test_binary);
    g_test_add_func("/trace/load/random-bytes", test_random_bytes);
    g_test_add_func("/trace/load/only-comments", test_only_comments);
    result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
