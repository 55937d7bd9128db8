/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs, cases, death tests and comparisons. */
#include "conformance.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIED_BY_ABORT "conformance: died by abort"
#define SURVIVED "conformance: survived the misuse"
enum { MISUSE_TIMEOUT_US = 60 * 1000 * 1000 };

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
/* What ThreadSanitizer must not report, and why.  Here, because every program has this file. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return
        /*
         * liburcu is not built with it: of the blocks that rcu_barrier() and call_rcu allocate in one thread and free
         * in another it sees malloc and free, and not what lies between.  Only what liburcu itself calls is left out;
         * code that its threads call is watched.
         */
        "called_from_lib:liburcu.so\n"
        /* Locks that glib makes when they are first used; it is not built with it either. */
        "race:g_rw_lock_reader_lock\n"
        "race:g_rw_lock_writer_lock\n"
        /* A page is read while the guest writes to it: it is dirty again, what was read is thrown away (R-SAVE-4). */
        "race:zero_page_test\n"
        "race:write_all\n";
}
#endif
#endif

typedef struct {
    void (*test)(void);
    const char *function;   /* NULL: an ordinary case */
    const char *says;
} Case;

void conformance_start(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    if (*argc > 1) {    /* glib takes out what it knows, and is silent about the rest */
        char *name = g_path_get_basename(**argv);

        fprintf(stderr, "%s: unknown argument %s; --help lists the options\n", name, (*argv)[1]);
        g_free(name);
        exit(2);
    }
    /* What a death test's child said wrongly fails its case, and leaves the others to run. */
    g_test_set_nonfatal_assertions();
    memcore_init(MEMCORE_RECLAIM_MANUAL);
}

static void run_ordinary(gconstpointer data)
{
    const Case *c = data;

    c->test();
    stage_strike();
}

/* Only what is safe in a signal handler: stdout is the parent's pipe, stderr stays as the core left it. */
static void say_died_by_abort(int signal_number)
{
    (void)signal_number;
    ssize_t written = write(STDOUT_FILENO, DIED_BY_ABORT "\n", strlen(DIED_BY_ABORT "\n"));
    _exit(written > 0 ? 134 : 135);
}

static bool names_rule(const char *says)
{
    return (strstr(says, "(R-") && g_str_has_suffix(says, ")")) || g_str_has_suffix(says, ".h)");
}

static void run_misuse(gconstpointer data)
{
    const Case *c = data;

    if (g_test_subprocess()) {
        struct sigaction action = { .sa_handler = say_died_by_abort };

        sigaction(SIGABRT, &action, NULL);
        c->test();
        g_print("%s\n", SURVIVED);
        fflush(stdout);
        _exit(0);
    }
    g_test_trap_subprocess(NULL, MISUSE_TIMEOUT_US, 0);
    g_test_trap_assert_stdout_unmatched("*" SURVIVED "*");
    g_test_trap_assert_stdout("*" DIED_BY_ABORT "*");
    /* One line: function, text, and the rule or the header whose promise it is; no other follows or precedes it. */
    char *pattern = g_strdup_printf("memcore: %s: *%s%s\n", c->function, c->says, names_rule(c->says) ? "" : "*.h)");
    g_test_trap_assert_stderr(pattern);
    g_test_trap_assert_stderr_unmatched("*\n?*");
    g_free(pattern);
}

static void add_case(const char *path, void (*test)(void), const char *function, const char *says)
{
    /* Kept for good: glib frees only what it runs, which with -p is not everything. */
    static GPtrArray *cases;
    Case *c = g_new(Case, 1);

    if (!cases) {
        cases = g_ptr_array_new();
    }
    g_ptr_array_add(cases, c);
    *c = (Case) { test, function, says };
    g_test_add_data_func(path, c, function ? run_misuse : run_ordinary);
}

void conformance_case(const char *path, void (*test)(void))
{
    add_case(path, test, NULL, NULL);
}

static void skip_other_pages(void)
{
    g_test_skip("its numbers are for 4 KiB target pages");
}

void conformance_case_4k(const char *path, void (*test)(void))
{
    if (TARGET_PAGE_SIZE == 0x1000) {
        conformance_case(path, test);
    } else {
        g_test_add_func(path, skip_other_pages);
    }
}

void conformance_misuse(const char *path, void (*test)(void), const char *function, const char *says)
{
    if (!names_rule(says) && !g_str_has_prefix(path, "/base/")) {
        g_error("%s: what the message says ends with the rule, (R-...), not \"%s\"", path, says);
    }
    add_case(path, test, function, says);
}

void conformance_misuses_in(const Misuse *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        conformance_misuse(table[i].path, table[i].test, table[i].function, table[i].says);
    }
}

/* ---- comparisons ---- */

static void report(const char *where, const char *what)
{
    g_printerr("\n%s: %s: %s differs\n", where, g_test_get_path(), what);
    g_test_fail();
}

bool check_condition_at(const char *where, const char *what, bool condition)
{
    if (!condition) {
        g_printerr("\n%s: %s: expected to be true: %s\n", where, g_test_get_path(), what);
        g_test_fail();
    }
    return condition;
}

bool check_number_at(const char *where, const char *what, uint64_t actual, uint64_t expected)
{
    if (actual != expected) {
        report(where, what);
        g_printerr("  expected 0x%" PRIx64 " (%" PRIu64 ")\n  actual   0x%" PRIx64 " (%" PRIu64 ")\n",
                   expected, expected, actual, actual);
    }
    return actual == expected;
}

bool check_pointer_at(const char *where, const char *what, const void *actual, const void *expected)
{
    if (actual != expected) {
        report(where, what);
        g_printerr("  expected %p\n  actual   %p\n", expected, actual);
    }
    return actual == expected;
}

bool check_init_failed_at(const char *where, MemoryRegion *mr, Object *owner, const Error *error)
{
    if (!check_condition_at(where, "an error with a text", error && *error_get_pretty(error))) {
        stage_adopt(mr, owner);         /* so that the end of the case gives it back */
        return false;
    }
    check_number_at(where, "size of the region", memory_region_size(mr), 0);
    check_pointer_at(where, "name of the region", memory_region_name(mr), NULL);
    return check_pointer_at(where, "owner of the region", memory_region_owner(mr), NULL);
}

/* Views are one long line; split at the commas they read, and differ, like logs. */
static char **pieces_of(const char *text)
{
    char *lines = g_strdup(text);
    char **pieces;

    if (!strchr(lines, '\n')) {
        char **parts = g_strsplit(lines, ", ", -1);
        g_free(lines);
        lines = g_strjoinv("\n", parts);
        g_strfreev(parts);
    }
    pieces = g_strsplit(lines, "\n", -1);
    g_free(lines);
    return pieces;
}

/* Common head and tail, and between them what only one side has: enough for lists of a few dozen lines. */
static void print_difference(const char *actual, const char *expected)
{
    char **a = pieces_of(actual);
    char **e = pieces_of(expected);
    size_t a_end = g_strv_length(a);
    size_t e_end = g_strv_length(e);
    size_t head = 0;

    while (head < a_end && head < e_end && g_str_equal(a[head], e[head])) {
        head++;
    }
    while (a_end > head && e_end > head && g_str_equal(a[a_end - 1], e[e_end - 1])) {
        a_end--;
        e_end--;
    }
    for (size_t i = 0; i < head; i++) {
        g_printerr("    %s\n", e[i]);
    }
    for (size_t i = head; i < e_end; i++) {
        g_printerr("  - %s\n", e[i]);
    }
    for (size_t i = head; i < a_end; i++) {
        g_printerr("  + %s\n", a[i]);
    }
    for (size_t i = e_end; e[i]; i++) {
        g_printerr("    %s\n", e[i]);
    }
    g_printerr("  (- expected, + actual)\n");
    g_strfreev(a);
    g_strfreev(e);
}

bool check_text_at(const char *where, const char *what, const char *actual, const char *expected)
{
    bool equal = g_strcmp0(actual, expected) == 0;

    if (!equal) {
        report(where, what);
        if (!actual || !expected) {
            g_printerr("  expected %s\n  actual   %s\n", expected ? expected : "NULL",
                       actual ? actual : "NULL");
        } else {
            print_difference(actual, expected);
        }
    }
    return equal;
}

bool check_text_taken_at(const char *where, const char *what, char *actual, const char *expected)
{
    bool equal = check_text_at(where, what, actual, expected);

    g_free(actual);
    return equal;
}

/* `text` without the words that flatview_for_each_range cannot know. */
static char *without_words(const char *text)
{
    char **ranges = g_strsplit(text, ", ", -1);
    char *bare;

    for (size_t i = 0; ranges[i]; i++) {
        char *bracket = strrchr(ranges[i], ')');
        char *word = bracket ? strchr(bracket, ' ') : NULL;

        if (word) {
            *word = '\0';
        }
    }
    bare = g_strjoinv(", ", ranges);
    g_strfreev(ranges);
    return bare;
}

bool check_view_at(const char *where, const char *what, AddressSpace *as, const char *expected)
{
    char *told = text_of_view(as);
    char *bare = without_words(told);
    char *walked = text_of_flatview(address_space_to_flatview(as));
    bool equal = check_text_at(where, what, told, expected);

    if (g_strcmp0(bare, walked) != 0) {
        g_printerr("\n%s: %s: a listener's replay and flatview_for_each_range disagree about %s\n", where,
                   g_test_get_path(), what);
        print_difference(walked, bare);
        g_test_fail();
        equal = false;
    }
    g_free(told);
    g_free(bare);
    g_free(walked);
    return equal;
}

bool check_log_at(const char *where, GString *log, const char *expected)
{
    bool equal = check_text_at(where, "the log", log->str, expected);

    g_string_truncate(log, 0);
    return equal;
}
