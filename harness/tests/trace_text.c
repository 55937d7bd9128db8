/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text form of traces: lossless, one canonical spelling, and helpful about mistakes. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "trace/table.h"
#include "trace_random.h"

enum { ROUNDS = 1000 };

/* From an exact-size copy without a final NUL, so that AddressSanitizer sees a byte read too far. */
static bool parse(struct trace *t, const char *text, size_t size, struct trace_error *error)
{
    char *copy = g_memdup2(text, size);
    bool parsed = trace_parse(t, copy, size, error);

    g_free(copy);
    return parsed;
}

static void assert_parses(struct trace *t, const char *text)
{
    struct trace_error error;

    if (!parse(t, text, strlen(text), &error)) {
        g_test_message("%s: %u:%u: %s", text, error.line, error.column, error.message);
        g_test_fail();
    }
}

static void assert_prints(const struct trace *t, const char *expected)
{
    size_t size;
    char *text = trace_text(t, &size);

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

static void test_round_trip(void)
{
    struct trace written, read;

    trace_init(&written);
    trace_init(&read);
    for (int i = 0; i < ROUNDS; i++) {
        struct trace_error error;
        size_t size, again_size;
        char *text, *again;

        random_trace(&written, 40);
        text = trace_text(&written, &size);
        if (!parse(&read, text, size, &error)) {
            g_error("%u:%u: %s in:\n%s", error.line, error.column, error.message, text);
        }
        g_assert_true(trace_equal(&written, &read));
        again = trace_text(&read, &again_size);
        g_assert_cmpmem(text, size, again, again_size);
        free(text);
        free(again);
    }
    trace_free(&written);
    trace_free(&read);
}

/* One line an operation, in its one spelling; every operand type and every kind of value occurs. */
static const char *const canonical_lines[] = {
    "container r0 size 0xffffffffffffffff owner none named plain",
    "io r1023 size 0x1000 owner o7 named escaped endian little",
    "reservation r2 size 0x0 owner o0 named shared",
    "alias r3 of r1 offset 0x800 size size(r1)-0x800 owner none named unnamed",
    "space as7 root r0 watched",
    "add r0 r1 at end(r2)-0x1 priority -2147483648",
    "del r1",
    "enabled r1 off",
    "address r1 start(r2)+0x7fff",
    "size r1 size(r1)-0x8000",
    "alias_offset r3 0xfffffffffffff000",
    "readonly r1 on",
    "nonvolatile r1 on",
    "ram r4 size 0x4000000 owner none kind resizeable",
    "ram_ptr r5 size 0x100000 owner none kind device",
    "rom_device r6 size 0x1 owner none kind rom_device_nomigrate",
    "romd r6 off",
    "find r0 0x0 size 0x1",
    "present r0 0xfff",
    "query r0",
    "destroy as0",
    "begin",
    "commit",
    "listen l7 as0 priority 10 hears begin+commit+region_add+region_del+region_nop+log_start+log_stop"
    "+log_sync+log_sync_global+log_clear+log_global_start+log_global_stop+log_global_after_sync"
    "+eventfd_add+eventfd_del+coalesced_io_add+coalesced_io_del",
    "unlisten l0",
    "unlisten_all as0",
    "arm l0 toggles r1",
    "log r4 on",
    "log_start migration+dirty_rate",
    "log_stop none",
    "log_sync",
    "after_sync",
    "log_clear r4 0x0 size 0x1000",
    "vm off",
    "code_tracking dropping",
    "eventfd r1 at 0x10 width 4_match data 0xffffffff notify e7",
    "eventfd_del r1 at 0x10 width any data 0x0 notify e0",
    "coalesce r1 0x0 size 0x100",
    "coalesce_all r1",
    "uncoalesce r1",
    "flush_set r1",
    "flush_clear r1",
    "owner o0",
    "release o0",
    "unparent r1",
    "ref r1",
    "unref r1",
    "copy c7 r0 0x1000 size 0x1",
    "free_copy c7",
    "grace",
    "reader as0",
    "reader_end",
    "mtree flatview+dispatch_tree+owner+disabled",
    "dirty_set r4 0x0 size 0x1000 clients vga+code+migration",
    "dirty_flag r4 end(r4)-0x1 client code",
    "dirty_written r4 0x0 size 0x1",
    "dirty_ask r4 0x0 size 0x1 client vga",
    "dirty_take r4 0x0 size 0x0 client migration",
    "dirty_clear r4 0x0 size 0x1000",
    "dirty_reset r4 0x0 size 0x1000 client vga",
    "snapshot r4 0x0 size 0x1000 client vga",
    "lebitmap r4 0x0 pages 300 bits 0xffffffffffffffff",
    "bmap r4 ones_chunks",
    "bmap_sync r4 0x0 size 0x40000",
    "bmap_send r4 0x0",
    "device r1 size 0x1000 owner none valid 4_0 impl 8_2 traits big+unaligned+failing",
    "script r1 toggle r2 space as0 0x1000",
    "flush_rom r6 0x0 size 0x10",
    "read as0 0x1000 length 0x1040 attrs memory by unlocked",
    "write as0 0xffffffffffffffff length 0x8 attrs unspecified by write data -1",
    "write_rom as0 0x0 length 0x0 attrs plain data 0",
    "set as0 0x0 length 0x201 attrs all byte 255",
    "load as0 end(r1)-0x1 q_be attrs user by phys",
    "store as0 0x0 w_le value 0xffff attrs secure by plain",
    "valid as0 0x0 length 0x10 attrs swap_tlb for writing",
    "translate as7 0x0 size 0xffffffffffffffff attrs requester1 for reading",
    "iotlb as0 0x0 attrs requester2 for writing",
    "dispatch_read r1 0x3 8_swap attrs plain",
    "dispatch_write r1 0x3 1 value 0x12 attrs plain",
    "move as0 0x1001 length 4160 by write_rom buffer r1 at 0x1000",
    "map m7 as0 0x0 size 0x2000 attrs plain for reading",
    "unmap m0 length 0x0 for writing data 0x7",
    "map_client q3",
    "map_client_cancel q0",
    "meanwhile cancel_in_unmap q2 m3 length 0x3 for writing data 0x9",
    "map_meanwhile m7 as1 0x2000 size 0x40 for reading unmap m1",
    "unmap_into m2 space as1 length 0x8 for writing data 0x5",
    "cache k7 as0 0x0 size 0x1 for writing",
    "cache_read k0 0x0 length 0xc by slow",
    "cache_write k0 0x0 length 0xc by cached data 3",
    "cache_load k0 0x0 b attrs plain by cached",
    "cache_store k0 0x0 l value 0x0 attrs plain by slow",
    "cache_invalidate k0 0x0 length 0x0",
    "cache_destroy k0",
    "iommu r2 size 0x10000 owner none to as1 granule 0x1000 traits identity+methods",
    "iommu_map r2 at 0x0 to 0x2000 in as1 block everything perm read+write+index2",
    "iommu_unmap r2 at 0x0 index 2",
    "notifier n7 on r2 from 0x0 to 0xffff events unmap+deviotlb_unmap index 0",
    "notifier_del n0",
    "notify r2 at 0x0 to 0x0 block 16_granules event map_both index 1",
    "notify_one n0 at 0x0 to 0x0 block granule event unmap",
    "replay n0",
    "iommu_query r2 attrs secure",
    "ram_file r1 size 0x3000 owner o0 offset 0x1000 file longer flags shared",
    "resize r1 0x2001 by block",
    "idstr r1 a/b",
    "block_flag r1 not_migratable",
    "block r1",
    "blocks",
    "lookup r1 0x1001 rounded on",
    "poke r1 0xfff length 0x2 data 7",
    "msync r1 0x0 size 0x1000 by writeback",
    "discard_range r1 0x1000 size 0x1000",
    "remap r1 0x0 size 0x2000",
    "ram_notify b3 kind extended_once",
    "ram_unnotify b0",
    "ram_tell 0x1000 goes",
    "manage r1 granule 0x1000",
    "unmanage r1",
    "plug r1 0x0 size 0x2000 whole",
    "unplug r1 0x800 size 0x1000 raw",
    "unplug_all r1",
    "load_bits r1 0x5",
    "manager_hooks r1 busy",
    "parts r1 0x0 size 0x3000 stop 2",
    "discard_listen d7 on r1 0x800 size 0x1000 kind double",
    "discard_unlisten d0",
    "object d0 at 1",
    "discard_policy coordinated_require on",
    "fail 3 with enospc 4_times",
};

static void test_every_operation(void)
{
    struct trace t;
    char line[400];

    trace_init(&t);
    G_STATIC_ASSERT(G_N_ELEMENTS(canonical_lines) == TRACE_OP_COUNT);
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        assert_parses(&t, canonical_lines[op]);
        g_assert_cmpuint(t.count, ==, 1);
        g_assert_cmpuint(t.steps[0].op, ==, op);
        g_assert_cmpuint(t.steps[0].line, ==, 1);
        g_assert_cmpuint(trace_print_step(&t.steps[0], line, sizeof(line)), ==, strlen(canonical_lines[op]));
        g_assert_cmpstr(line, ==, canonical_lines[op]);
    }
    trace_free(&t);
}

/* Every word of every type that has words survives, in every operation that takes it. */
static void test_every_word(void)
{
    struct trace first, second;
    unsigned checked = 0;

    trace_init(&first);
    trace_init(&second);
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        for (enum trace_slot slot = 0; slot < TRACE_SLOT_COUNT; slot++) {
            const struct trace_operand_type *type = trace_operand_of(op, slot);

            for (uint32_t i = 0; type && i < type->word_count; i++) {
                uint32_t number = type->kind == TRACE_KIND_FLAGS ? UINT32_C(1) << i : i;
                struct trace_step step = { .op = (uint8_t)op, .n = (int32_t)number, .a = (uint16_t)number,
                                           .b = (uint16_t)number, .c = (uint16_t)number,
                                           .v = { .absolute = number }, .w = { .absolute = number } };
                char line[400];

                trace_step_canonicalize(&step);
                trace_print_step(&step, line, sizeof(line));
                g_assert_nonnull(strstr(line, type->words[i]));
                trace_free(&first);
                trace_append(&first, &step);
                assert_parses(&second, line);
                g_assert_true(trace_equal(&first, &second));
                checked++;
            }
        }
    }
    g_assert_cmpuint(checked, >, 50);
    trace_free(&first);
    trace_free(&second);
}

static void test_example(void)
{
    static const char text[] =
        "uses listener transaction\n"
        "container r0 size 0xffffffffffffffff owner none named plain\n"
        "space as0 root r0 watched\n"
        "ram r1 size 0x2000 owner o0 kind ram\n"
        "add r0 r1 at 0x1000 priority 0       # comment\n"
        "alias r2 of r1 offset 0x800 size size(r1)-0x800 owner none named plain\n"
        "add r0 r2 at end(r1)-0x1 priority 1\n"
        "listen l0 as0 priority 10 hears begin+commit+region_add\n";
    struct trace t;

    trace_init(&t);
    assert_parses(&t, text);
    g_assert_cmphex(t.groups, ==, TRACE_GROUP_BIT(TRACE_GROUP_TREE) | TRACE_GROUP_BIT(TRACE_GROUP_MEMORY) |
                    TRACE_GROUP_BIT(TRACE_GROUP_TRANSACTION) | TRACE_GROUP_BIT(TRACE_GROUP_LISTENER));
    g_assert_cmpuint(t.steps[4].line, ==, 6);
    g_assert_cmpuint(t.steps[4].w.mode, ==, TRACE_VALUE_SIZE);
    g_assert_cmpuint(t.steps[4].w.region, ==, 1);
    g_assert_cmpint(t.steps[4].w.delta, ==, -0x800);
    g_assert_cmphex(t.steps[6].v.absolute, ==, 7);
    assert_prints(&t,
        "uses memory transaction listener\n"
        "container r0 size 0xffffffffffffffff owner none named plain\n"
        "space as0 root r0 watched\n"
        "ram r1 size 0x2000 owner o0 kind ram\n"
        "add r0 r1 at 0x1000 priority 0\n"
        "alias r2 of r1 offset 0x800 size size(r1)-0x800 owner none named plain\n"
        "add r0 r2 at end(r1)-0x1 priority 1\n"
        "listen l0 as0 priority 10 hears begin+commit+region_add\n");
    trace_free(&t);
}

/* Other spellings that are understood. */
static void test_accepted(void)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        { "", "" },
        { "\n\n \t\n", "" },
        { "# only a comment", "" },
        { "   del\tr1   ", "del r1\n" },
        { "del r1#at once", "del r1\n" },
        { "del r1\r\ndel r2\r\n", "del r1\ndel r2\n" },
        { "del r1\ndel r2", "del r1\ndel r2\n" },
        { "# \xc2\xb5s and \xe2\x80\x9cquotes\xe2\x80\x9d\ndel r1\n", "del r1\n" },
        { "size r1 2^64", "size r1 0xffffffffffffffff\n" },
        { "size r1 4096", "size r1 0x1000\n" },
        { "size r1 0XaBcD", "size r1 0xabcd\n" },
        { "size r1 18446744073709551615", "size r1 0xffffffffffffffff\n" },
        { "address r1 end(r2)+16", "address r1 end(r2)+0x10\n" },
        { "address r1 end(r2)-32768", "address r1 end(r2)-0x8000\n" },
        { "address r1 end(r2)+0", "address r1 end(r2)\n" },
        { "address r1 start(r0)-0", "address r1 start(r0)\n" },
        { "add r0 r1 at 0 priority 0x10", "add r0 r1 at 0x0 priority 16\n" },
        { "add r0 r1 at 0 priority -0x80000000", "add r0 r1 at 0x0 priority -2147483648\n" },
        { "add r0 r1 at 0 priority -0", "add r0 r1 at 0x0 priority 0\n" },
        { "log_start dirty_rate+migration", "log_start migration+dirty_rate\n" },
        { "uses tree", "" },
        { "uses print\n", "uses print\n" },
        { "# first\n\nuses print query print\ndel r1\n", "uses query print\ndel r1\n" },
        { "uses transaction\nbegin\n", "begin\n" },
    };
    struct trace t;

    trace_init(&t);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_parses(&t, cases[i].text);
        assert_prints(&t, cases[i].canonical);
    }
    trace_free(&t);
}

static void test_mistakes(void)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *message;
    } cases[] = {
        { "adde r0 r1", 1, 1, "unknown operation 'adde'; did you mean 'add'?" },
        { "\n  ramptr r0", 2, 3, "unknown operation 'ramptr'; did you mean 'ram_ptr'?" },
        { "comit", 1, 1, "unknown operation 'comit'; did you mean 'commit'?" },
        { "ADD r0 r1", 1, 1, "expected an operation, not 'ADD'" },
        { "zzzzzzzz", 1, 1, "expected an operation, not 'zzzzzzzz'" },
        { "-", 1, 1, "expected an operation, not '-'" },
        { "del r1\nuses print", 2, 1, "'uses' comes before the first operation, once" },
        { "uses print\nuses print", 2, 1, "'uses' comes before the first operation, once" },
        { "uses", 1, 5, "expected a group of operations such as listener, not the end of the line" },
        { "uses listner", 1, 6, "unknown group 'listner'; did you mean 'listener'?" },
        { "uses print 17", 1, 12, "expected a group of operations such as listener, not '17'" },
        { "del", 1, 4, "expected r0 to r1023, not the end of the line" },
        { "del   # r1", 1, 4, "expected r0 to r1023, not the end of the line" },
        { "del 1", 1, 5, "expected r0 to r1023, not '1'" },
        { "del r", 1, 5, "expected r0 to r1023, not 'r'" },
        { "del r1024", 1, 5, "expected r0 to r1023, not 'r1024'" },
        { "del r01", 1, 5, "expected r0 to r1023, not 'r01'" },
        { "del r-1", 1, 5, "expected r0 to r1023, not 'r-1'" },
        { "del r99999999999999999999", 1, 5, "expected r0 to r1023, not 'r99999999999999999999'" },
        { "del as0", 1, 5, "expected r0 to r1023, not 'as0'" },
        { "destroy a0", 1, 9, "expected as0 to as7, not 'a0'" },
        { "del r1 r2", 1, 8, "expected the end of the line, not 'r2'" },
        { "begin 1", 1, 7, "expected the end of the line, not '1'" },
        { "add r0 r1 0x10 priority 0", 1, 11, "expected 'at', not '0x10'" },
        { "add r0 r1", 1, 10, "expected 'at', not the end of the line" },
        { "add r0 r1 at end(r1) - 1 priority 0", 1, 22, "expected 'priority', not '-'" },
        { "add r0 r1 at x priority 0", 1, 14, "expected a number or an edge such as end(r1)-0x1, not 'x'" },
        { "add r0 r1 at -1 priority 0", 1, 14, "expected a number or an edge such as end(r1)-0x1, not '-1'" },
        { "add r0 r1 at 0x priority 0", 1, 14, "expected a decimal or 0x number, not '0x'" },
        { "add r0 r1 at 010 priority 0", 1, 14, "expected a decimal or 0x number, not '010'" },
        { "add r0 r1 at 12a priority 0", 1, 14, "expected a decimal or 0x number, not '12a'" },
        { "add r0 r1 at 0x1g priority 0", 1, 14, "expected a decimal or 0x number, not '0x1g'" },
        { "add r0 r1 at 2^64 priority 0", 1, 14, "expected a decimal or 0x number, not '2^64'" },
        { "add r0 r1 at 0x10000000000000000 priority 0", 1, 14,
          "'0x10000000000000000' does not fit 64 bits" },
        { "add r0 r1 at 18446744073709551616 priority 0", 1, 14,
          "'18446744073709551616' does not fit 64 bits" },
        { "address r1 end(r2", 1, 18, "expected ')'" },
        { "address r1 end(x2)", 1, 16, "expected r0 to r1023, not 'x2'" },
        { "address r1 end()", 1, 16, "expected r0 to r1023, not ''" },
        { "address r1 end(r2)1", 1, 19, "expected +N or -N after the edge, not '1'" },
        { "address r1 end(r2)-", 1, 20, "expected a decimal or 0x number, not ''" },
        { "address r1 end(r2)-0x8001", 1, 19,
          "the distance from an edge is -0x8000 to 0x7fff, not '-0x8001'" },
        { "address r1 end(r2)+0x8000", 1, 19,
          "the distance from an edge is -0x8000 to 0x7fff, not '+0x8000'" },
        { "address r1 middle(r2)", 1, 12,
          "expected a number or an edge such as end(r1)-0x1, not 'middle(r2)'" },
        { "ram r1 size 0 owner none kind ram", 1, 13,
          "expected a number from 0x1 to 0x4000000 or an edge such as end(r1)-0x1, not '0'" },
        { "ram r1 size 0x4000001 owner none kind ram", 1, 13,
          "expected a number from 0x1 to 0x4000000 or an edge such as end(r1)-0x1, not '0x4000001'" },
        { "ram r1 size 1 owner o8 kind ram", 1, 21, "expected o0 to o7 or none, not 'o8'" },
        { "ram r1 size 1 owner none kind rm", 1, 31, "unknown word 'rm'; did you mean 'ram'?" },
        { "add r0 r1 at 0 priority 2147483648", 1, 25,
          "expected a number from -2147483648 to 2147483647, not '2147483648'" },
        { "add r0 r1 at 0 priority -2147483649", 1, 25,
          "expected a number from -2147483648 to 2147483647, not '-2147483649'" },
        { "add r0 r1 at 0 priority --1", 1, 25,
          "expected a number from -2147483648 to 2147483647, not '--1'" },
        { "add r0 r1 at 0 priority -", 1, 25, "expected a number from -2147483648 to 2147483647, not '-'" },
        { "enabled r1 maybe", 1, 12, "expected off or on, not 'maybe'" },
        { "enabled r1", 1, 11, "expected off or on, not the end of the line" },
        { "log_start migration+dirtyrate", 1, 21, "unknown word 'dirtyrate'; did you mean 'dirty_rate'?" },
        { "log_start migration+migration", 1, 21, "'migration' is named twice" },
        { "log_start migration+none", 1, 21, "expected none or some of migration+dirty_rate, not 'none'" },
        { "log_start migration+", 1, 21, "expected none or some of migration+dirty_rate, not ''" },
        { "listen l0 as0 priority 0 hears everything", 1, 32,
          "expected none or some of begin+commit+region_add+region_del+region_nop+log_start+log_stop+log_sync"
          "+log_sync_globa..., not 'everything'" },
        { "del r1\x01", 1, 7, "expected text, not the byte 0x01" },
        { "del r1 # \x7f", 1, 10, "expected text, not the byte 0x7f" },
        { "del r\xc2\xb5", 1, 6, "expected text, not the byte 0xc2" },
        { "del r1 # \xc2", 1, 10, "expected UTF-8 text, not the byte 0xc2" },
        { "del r1 \r x", 1, 8, "expected text, not the byte 0x0d" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, 1,
          "expected an operation, not 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'" },
    };
    struct trace t;

    trace_init(&t);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct trace_error error;

        trace_append(&t, &(struct trace_step){ .op = TRACE_OP_GRACE });
        if (parse(&t, cases[i].text, strlen(cases[i].text), &error)) {
            g_error("no complaint about: %s", cases[i].text);
        }
        g_test_message("%s", cases[i].text);
        g_assert_cmpstr(error.message, ==, cases[i].message);
        g_assert_cmpuint(error.line, ==, cases[i].line);
        g_assert_cmpuint(error.column, ==, cases[i].column);
        g_assert_cmpuint(t.count, ==, 0);
        g_assert_cmpuint(t.groups, ==, TRACE_GROUP_BIT(TRACE_GROUP_TREE));
    }
    trace_free(&t);
}

static void test_nul_bytes(void)
{
    static const char in_operation[] = "del\0 r1", in_operand[] = "del r1\0";
    struct trace_error error;
    struct trace t;

    trace_init(&t);
    g_assert_false(parse(&t, in_operation, sizeof(in_operation) - 1, &error));
    g_assert_cmpstr(error.message, ==, "expected text, not the byte 0x00");
    g_assert_cmpuint(error.column, ==, 4);
    g_assert_false(parse(&t, in_operand, sizeof(in_operand) - 1, &error));
    g_assert_cmpuint(error.column, ==, 7);
    trace_free(&t);
}

static void test_too_long(void)
{
    GString *text = g_string_new("# as many as there may be, and one more\n");
    struct trace_error error;
    struct trace t;

    trace_init(&t);
    for (int i = 0; i < TRACE_STEPS_MAX; i++) {
        g_string_append(text, "begin\n");
    }
    g_assert_true(parse(&t, text->str, text->len, &error));
    g_assert_cmpuint(t.count, ==, TRACE_STEPS_MAX);
    g_string_append(text, " begin\n");
    g_assert_false(parse(&t, text->str, text->len, &error));
    g_assert_cmpuint(error.line, ==, TRACE_STEPS_MAX + 2);
    g_assert_cmpuint(error.column, ==, 2);
    g_assert_cmpstr(error.message, ==, "expected the end: a trace has at most 8192 operations");
    g_string_free(text, TRUE);
    trace_free(&t);
}

/* Valid text with a few bytes changed: parsed or refused with a message, never anything else. */
static void test_damaged(void)
{
    static const char bytes[] = " \n\t#+-()0x9r\r\0^\xff_";
    struct trace t;
    unsigned refused = 0;

    trace_init(&t);
    for (int i = 0; i < 20000; i++) {
        const char *line = canonical_lines[random_32() % TRACE_OP_COUNT];
        size_t length = strlen(line);
        char *text = g_memdup2(line, length);
        struct trace_error error;

        for (uint32_t changes = random_32() % 3; changes > 0; changes--) {
            text[random_32() % length] =
                random_32() % 2 ? bytes[random_32() % sizeof(bytes)] : (char)random_32();
        }
        if (!parse(&t, text, length, &error)) {
            refused++;
            g_assert_cmpuint(error.line, >=, 1);
            g_assert_cmpuint(error.column, >=, 1);
            g_assert_cmpuint(error.column, <=, length + 1);
            g_assert_cmpuint(strlen(error.message), >, 5);
            for (const char *p = error.message; *p; p++) {
                g_assert_true(*p >= ' ' && *p < 0x7f);
            }
            g_assert_cmpuint(t.count, ==, 0);
        }
        g_free(text);
    }
    g_assert_cmpuint(refused, >, 5000);
    g_assert_cmpuint(refused, <, 19000);
    trace_free(&t);
}

/* snprintf's contract, for every capacity. */
static void test_print_step_capacity(void)
{
    struct trace t;
    const char *line = canonical_lines[TRACE_OP_ALIAS];
    size_t length = strlen(line);

    trace_init(&t);
    assert_parses(&t, line);
    g_assert_cmpuint(trace_print_step(&t.steps[0], NULL, 0), ==, length);
    for (size_t capacity = 1; capacity < length + 5; capacity++) {
        char *buffer = g_malloc(capacity);

        g_assert_cmpuint(trace_print_step(&t.steps[0], buffer, capacity), ==, length);
        g_assert_cmpuint(strlen(buffer), ==, MIN(capacity - 1, length));
        g_assert_true(g_str_has_prefix(line, buffer));
        g_free(buffer);
    }
    trace_free(&t);
}

static void test_parse_object(void)
{
    unsigned slot = 99;

    g_assert_true(trace_parse_object("r1023", "r", &slot));
    g_assert_cmpuint(slot, ==, 1023);
    g_assert_true(trace_parse_object("as0", "as", &slot));
    g_assert_cmpuint(slot, ==, 0);
    g_assert_true(trace_parse_object("l7", "l", &slot));
    g_assert_cmpuint(slot, ==, 7);
    g_assert_true(trace_parse_object("o3", "o", &slot));
    g_assert_cmpuint(slot, ==, 3);
    g_assert_false(trace_parse_object("r1024", "r", &slot));
    g_assert_false(trace_parse_object("r", "r", &slot));
    g_assert_false(trace_parse_object("", "r", &slot));
    g_assert_false(trace_parse_object("r3x", "r", &slot));
    g_assert_false(trace_parse_object("as8", "as", &slot));
    g_assert_false(trace_parse_object("a0", "as", &slot));
    g_assert_false(trace_parse_object("o0", "r", &slot));
    g_assert_false(trace_parse_object("x0", "x", &slot));
    g_assert_cmpuint(slot, ==, 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/text/round-trip", test_round_trip);
    g_test_add_func("/trace/text/every-operation", test_every_operation);
    g_test_add_func("/trace/text/every-word", test_every_word);
    g_test_add_func("/trace/text/example", test_example);
    g_test_add_func("/trace/text/accepted", test_accepted);
    g_test_add_func("/trace/text/mistakes", test_mistakes);
    g_test_add_func("/trace/text/nul-bytes", test_nul_bytes);
    g_test_add_func("/trace/text/too-long", test_too_long);
    g_test_add_func("/trace/text/damaged", test_damaged);
    g_test_add_func("/trace/text/print-step-capacity", test_print_step_capacity);
    g_test_add_func("/trace/text/parse-object", test_parse_object);
    return g_test_run();
}
