/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables themselves, and what is derived from them: spelling, dictionary, statistics, operations page. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "trace/reference.h"
#include "trace/spelling.h"
#include "trace/statistics.h"
#include "trace/table.h"
#include "trace_random.h"

static void test_operations(void)
{
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        const struct trace_op_info *info = &trace_op_table[op];
        char *lower = g_ascii_strdown(info->name, -1);
        unsigned operands = 0, used = 0;
        size_t count;
        const struct trace_piece *pieces = trace_pattern_of(op, &count);

        g_assert_cmpstr(info->mnemonic, ==, lower);
        g_assert_cmpuint(trace_op_by_mnemonic(info->mnemonic, strlen(info->mnemonic)), ==, op);
        g_assert_cmpuint(trace_op_by_mnemonic(info->mnemonic, strlen(info->mnemonic) - 1), !=, op);
        g_assert_cmpuint(strlen(info->summary), >, 10);
        /* groups are contiguous, the tree's first: op bytes of the tree are the same in every input */
        g_assert_true(op == 0 ? info->group == TRACE_GROUP_TREE
                              : info->group >= trace_op_table[op - 1].group);
        for (size_t i = 0; i < count; i++) {
            operands += !pieces[i].word;
            g_assert_true(pieces[i].word || trace_operand_of(op, pieces[i].slot) == pieces[i].type);
        }
        for (enum trace_slot slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
            used += trace_operand_of(op, slot) != NULL;
        }
        g_assert_cmpuint(operands, ==, used);
        g_free(lower);
    }
    g_assert_cmpuint(trace_op_by_mnemonic("add\0", 4), ==, TRACE_OP_COUNT);
    g_assert_cmpuint(trace_op_by_mnemonic("", 0), ==, TRACE_OP_COUNT);
}

/* Every operand type is used by some operation, every group has a name and an operation. */
static void test_nothing_unused(void)
{
    bool used[TRACE_TYPE_COUNT] = { false };
    uint32_t groups = 0;

    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        groups |= TRACE_GROUP_BIT(trace_op_table[op].group);
        for (enum trace_slot slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
            const struct trace_operand_type *type = trace_operand_of(op, slot);

            if (type) {
                used[type->type] = true;
            }
        }
    }
    for (size_t i = 0; i < TRACE_TYPE_COUNT; i++) {
        g_test_message("%s", trace_operand_types[i].name);
        g_assert_true(used[i]);
        g_assert_cmpuint(trace_operand_types[i].type, ==, i);
    }
    g_assert_cmphex(groups, ==, TRACE_GROUPS_ALL);
    for (size_t i = 0; i < TRACE_GROUP_COUNT; i++) {
        g_assert_nonnull(trace_group_names[i]);
    }
}

static void test_spelling(void)
{
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        { "adde", "add" }, { "ad", "add" }, { "dad", "add" }, { "comit", "commit" }, { "ocmmit", "commit" },
        { "committ", "commit" }, { "x", NULL }, { "", NULL }, { "container", NULL }, { "abcdef", NULL },
        { "commitcommitcommitcommitcommitcommitcommit", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct spelling spelling;

        spelling_start(&spelling, cases[i].word, strlen(cases[i].word));
        spelling_try(&spelling, "add");
        spelling_try(&spelling, "commit");
        g_assert_cmpstr(spelling_nearest(&spelling), ==, cases[i].nearest);
    }
}

static void test_quote(void)
{
    char buffer[SPELLING_QUOTED];

    g_assert_cmpstr(spelling_quote(buffer, "add", 3), ==, "'add'");
    g_assert_cmpstr(spelling_quote(buffer, "", 0), ==, "''");
    g_assert_cmpstr(spelling_quote(buffer, "a\0\x80\x1b", 4), ==, "'a?" "?" "?'");
    for (size_t length = 0; length < 100; length++) {
        char *word = g_strnfill(length, 'x');

        g_assert_cmpuint(strlen(spelling_quote(buffer, word, length)), <, SPELLING_QUOTED);
        g_assert_true(g_str_has_suffix(buffer, length > 30 ? "...'" : "'"));
        g_free(word);
    }
}

/* Reads what is written by one of the writers; free with g_free. */
static char *written(void (*write)(FILE *out))
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    g_assert_nonnull(out);
    write(out);
    fclose(out);
    return text;
}

static size_t unhex(const char *quoted, uint8_t *bytes, size_t capacity)
{
    size_t count = 0;

    while (strncmp(quoted, "\\x", 2) == 0) {
        g_assert_cmpuint(count, <, capacity);
        bytes[count++] = (uint8_t)(g_ascii_xdigit_value(quoted[2]) << 4 | g_ascii_xdigit_value(quoted[3]));
        quoted += 4;
    }
    g_assert_cmpstr(quoted, ==, "\"");
    return count;
}

/* Well-formed, no name or string twice; records decode to the operations they are called after. */
static void test_dictionary(void)
{
    char *text = written(trace_write_dictionary);
    char **lines = g_strsplit(text, "\n", -1);
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTable *strings = g_hash_table_new(g_str_hash, g_str_equal);
    unsigned records = 0, headers = 0;

    for (char **line = lines; *line; line++) {
        uint8_t bytes[TRACE_HEADER_SIZE + 64] = { 0xff, 0xff, 0xff, 0xff };
        char *equals = strchr(*line, '=');
        size_t count;

        if (**line == '\0' || **line == '#') {
            continue;
        }
        g_assert_nonnull(equals);
        g_assert_cmpint(equals[1], ==, '"');
        *equals = '\0';
        for (const char *p = *line; *p; p++) {
            g_assert_true(g_ascii_isalnum(*p) || *p == '_');
        }
        g_assert_true(g_hash_table_add(names, *line));
        g_assert_true(g_hash_table_add(strings, equals + 2));
        count = unhex(equals + 2, bytes + TRACE_HEADER_SIZE, 64);
        g_assert_cmpuint(count, >, 0);
        if (g_str_has_prefix(*line, "record_")) {
            struct trace t;

            g_assert_cmpuint(count, ==, TRACE_RECORD_SIZE);
            trace_init(&t);
            trace_decode(&t, bytes, TRACE_HEADER_SIZE + count);
            g_assert_true(g_str_has_suffix(*line, trace_op_table[t.steps[0].op].mnemonic));
            trace_free(&t);
            records++;
        }
        headers += g_str_has_prefix(*line, "header_");
    }
    g_assert_cmpuint(records, >=, TRACE_OP_NONVOLATILE + 1);
    g_assert_cmpuint(headers, >=, TRACE_GROUP_COUNT + 1);
    g_hash_table_unref(names);
    g_hash_table_unref(strings);
    g_strfreev(lines);
    free(text);
}

static void test_operations_page(void)
{
    char *text = written(trace_write_operations);

    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        char *start = g_strdup_printf("\n| `%s%s", trace_op_table[op].mnemonic,
                                      *trace_op_table[op].pattern ? " " : "` |");

        g_assert_nonnull(strstr(text, start));
        g_assert_nonnull(strstr(text, trace_op_table[op].summary));
        g_free(start);
    }
    for (size_t i = 0; i < TRACE_TYPE_COUNT; i++) {
        char *start = g_strdup_printf("\n| `%s` | ", trace_operand_types[i].name);

        g_assert_nonnull(strstr(text, start));
        g_free(start);
    }
    g_assert_nonnull(strstr(text, "coalesced_io_del |"));
    free(text);
}

static void test_statistics(void)
{
    static const char text[] =
        "uses print\n"
        "add r0 r1 at end(r1) priority 0\n"
        "add r0 r1 at 0 priority 0\n"
        "find r0 start(r1) size size(r1)\n"
        "listen l0 as0 priority 0 hears none\n";
    struct trace_statistics statistics = { 0 };
    struct trace_error error;
    struct trace t;
    char *table;
    size_t size;
    FILE *out;

    trace_init(&t);
    g_assert_true(trace_parse(&t, text, strlen(text), &error));
    trace_statistics_add(&statistics, &t);
    g_assert_true(trace_parse(&t, "del r1", 6, &error));
    trace_statistics_add(&statistics, &t);
    g_assert_cmpuint(statistics.traces, ==, 2);
    g_assert_cmpuint(statistics.steps, ==, 5);
    g_assert_cmpuint(statistics.steps_most, ==, 4);
    g_assert_cmpuint(statistics.op_steps[TRACE_OP_ADD], ==, 2);
    g_assert_cmpuint(statistics.op_traces[TRACE_OP_ADD], ==, 1);
    g_assert_cmpuint(statistics.op_traces[TRACE_OP_DEL], ==, 1);
    g_assert_cmpuint(statistics.group_traces[TRACE_GROUP_TREE], ==, 2);
    g_assert_cmpuint(statistics.group_traces[TRACE_GROUP_PRINT], ==, 1);
    g_assert_cmpuint(statistics.group_traces[TRACE_GROUP_MEMORY], ==, 0);
    for (size_t i = 0; i <= TRACE_VALUE_SIZE; i++) {
        g_assert_cmpuint(statistics.value_modes[i], ==, 1);     /* the set of callbacks is not one */
    }
    out = open_memstream(&table, &size);
    trace_statistics_print(&statistics, out);
    fclose(out);
    g_assert_true(g_str_has_prefix(table, "2 traces, 5 steps, longest trace 4 steps\n"));
    g_assert_nonnull(strstr(table, " add                    2   40.0%         1  ####################\n"));
    g_assert_nonnull(strstr(table, " del                    1   20.0%         1  ##########\n"));
    g_assert_nonnull(strstr(table, " space                  0    0.0%         0  \n"));
    free(table);
    /* no traces: nothing is divided by zero */
    out = open_memstream(&table, &size);
    trace_statistics_print(&(struct trace_statistics){ 0 }, out);
    fclose(out);
    g_assert_nonnull(strstr(table, " add                    0    0.0%         0  \n"));
    free(table);
    trace_free(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/tables/operations", test_operations);
    g_test_add_func("/trace/tables/nothing-unused", test_nothing_unused);
    g_test_add_func("/trace/tables/spelling", test_spelling);
    g_test_add_func("/trace/tables/quote", test_quote);
    g_test_add_func("/trace/tables/dictionary", test_dictionary);
    g_test_add_func("/trace/tables/operations-page", test_operations_page);
    g_test_add_func("/trace/tables/statistics", test_statistics);
    return g_test_run();
}
