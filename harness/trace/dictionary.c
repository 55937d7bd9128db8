/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record's op byte counts among the groups of the input's header, so most op
 * bytes mean something else in every input.  The tree's operations are the
 * exception: always in use and first in the table, they have the same numbers
 * everywhere, so for them whole records are given.  For all others the useful
 * strings are parts: headers, values, edges, modes.
 */
#include <assert.h>
#include <string.h>

#include "trace/operand.h"
#include "trace/reference.h"
#include "trace/table.h"

static void write_entry(FILE *out, const char *name, const uint8_t *bytes, size_t size)
{
    assert(size <= 64);     /* what libFuzzer takes */
    fprintf(out, "%s=\"", name);
    for (size_t i = 0; i < size; i++) {
        fprintf(out, "\\x%02x", bytes[i]);
    }
    fputs("\"\n", out);
}

static void write_number(FILE *out, const char *name, uint64_t number, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
    }
    write_entry(out, name, bytes, size);
}

static void write_headers(FILE *out)
{
    char name[40];

    fputs("# the first four bytes: groups in use\n", out);
    for (enum trace_group group = 0; group < TRACE_GROUP_COUNT; group++) {
        snprintf(name, sizeof(name), "header_%s", trace_group_names[group]);
        write_number(out, name, TRACE_GROUP_BIT(group) | TRACE_GROUP_BIT(TRACE_GROUP_TREE), 4);
    }
    write_number(out, "header_all", TRACE_GROUPS_ALL, 4);
    write_number(out, "header_tree_memory_transaction", TRACE_GROUP_BIT(TRACE_GROUP_TREE) |
                 TRACE_GROUP_BIT(TRACE_GROUP_MEMORY) | TRACE_GROUP_BIT(TRACE_GROUP_TRANSACTION), 4);
}

static void write_values(FILE *out)
{
    static const char *const where[] = { "before", "at", "after" };
    char name[40];

    fputs("# addresses and sizes of the boundary set\n", out);
    for (size_t i = 0; i < TRACE_BOUNDARY_COUNT; i++) {
        snprintf(name, sizeof(name), "value_%zu", i);
        write_number(out, name, trace_boundary_values[i], 8);
    }
    fputs("# edges of regions: number and distance\n", out);
    for (uint16_t region = 0; region < 4; region++) {
        for (int32_t delta = -1; delta <= 1; delta++) {
            struct trace_value value = { .mode = TRACE_VALUE_END, .region = region, .delta = delta };

            if (delta == 0 && region <= 1) {
                continue;       /* the same bytes as the numbers 0 and 1 */
            }
            snprintf(name, sizeof(name), "edge_r%u_%s", region, where[delta + 1]);
            write_number(out, name, operand_value_to_bits(&value), 8);
        }
    }
    fputs("# priorities\n", out);
    write_number(out, "priority_minus_1", UINT32_MAX, 4);
    write_number(out, "priority_lowest", UINT32_C(1) << 31, 4);
    write_number(out, "priority_highest", INT32_MAX, 4);
}

static void write_modes(FILE *out)
{
    static const char *const names[] = {
        "absolute", "start", "end", "size", "tiny", "grid", "boundary", "power",
    };
    char name[40];

    fputs("# mode bytes: how v and w are given, n as it is\n", out);
    for (unsigned mode = 0; mode < 8; mode++) {
        snprintf(name, sizeof(name), "mode_%s", names[mode]);
        write_number(out, name, 3u << 6 | mode << 3 | mode, 1);
    }
}

/* Steps of the kind that make something happen, one for each operation of the tree. */
static void write_records(FILE *out)
{
    static const char text[] =
        "container r0 size 2^64 owner none named plain\n"
        "io r1 size 0x1000 owner none named plain endian native\n"
        "reservation r2 size 0x1000 owner none named plain\n"
        "alias r3 of r1 offset 0x0 size size(r1) owner none named plain\n"
        "space as0 root r0 watched\n"
        "add r0 r1 at 0x1000 priority 0\n"
        "add r0 r3 at end(r1)-0x1 priority 1\n"
        "del r1\n"
        "enabled r1 off\n"
        "address r1 end(r2)\n"
        "size r1 size(r1)+0x1\n"
        "alias_offset r3 size(r1)-0x1\n"
        "readonly r1 on\n"
        "nonvolatile r1 on\n";
    struct trace t;
    struct trace_error error;
    bool parsed;

    trace_init(&t);
    parsed = trace_parse(&t, text, sizeof(text) - 1, &error);
    if (!parsed) {
        fprintf(stderr, "dictionary: line %u:%u: %s\n", error.line, error.column, error.message);
    }
    assert(parsed);
    fputs("# records of operations that have the same number in every input\n", out);
    for (size_t i = 0; i < t.count; i++) {
        uint8_t bytes[TRACE_HEADER_SIZE + TRACE_RECORD_SIZE];
        char name[40];
        struct trace one = { .groups = t.groups, .count = 1, .steps = &t.steps[i] };

        assert(trace_op_table[t.steps[i].op].group == TRACE_GROUP_TREE);
        trace_encode(&one, bytes, sizeof(bytes));
        snprintf(name, sizeof(name), "record_%zu_%s", i, trace_op_table[t.steps[i].op].mnemonic);
        write_entry(out, name, bytes + TRACE_HEADER_SIZE, TRACE_RECORD_SIZE);
    }
    trace_free(&t);
}

void trace_write_dictionary(FILE *out)
{
    fputs("# Parts of the binary form of traces (harness/trace/trace.h).\n", out);
    write_headers(out);
    write_values(out);
    write_modes(out);
    write_records(out);
}
