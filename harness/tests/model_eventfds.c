/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model against the worked examples of chapters 7 and 8: ioeventfds and coalesced MMIO. */
#include <glib.h>

#include "model_world.h"

static struct world w;

#define MEMCORE MODEL_PROFILE_MEMCORE
#define QEMU MODEL_PROFILE_QEMU_7_2

static const enum model_profile profiles[] = { MEMCORE, QEMU };

/* What the witness of as0 hears of an eventfd with this data, once on. */
static void assert_data(const char *region, const char *endian, const char *width, const char *data,
                        const char *heard)
{
    g_autofree char *setup = g_strdup_printf("io %s size 0x100 owner none named plain endian %s\n"
                                             "space as0 root %s watched\n", region, endian, region);
    g_autofree char *add = g_strdup_printf("eventfd %s at 0x10 width %s data %s notify e1\n", region, width,
                                           data);
    g_autofree char *del = g_strdup_printf("eventfd_del %s at 0x10 width %s data %s notify e1\n", region,
                                           width, data);
    struct trace_step step;

    world_begin(&w, MEMCORE);
    play(&w, setup);
    play(&w, add);
    assert_heard(&w, heard);
    /* An eventfd-only commit has no begin and commit (R-EFD-7), but its transaction flushes. */
    g_assert_cmpuint(flushes(&w), ==, 1);
    g_assert_true(model_eventfd(w.model, 0, 0, &step));
    g_assert_true(model_eventfd_matches(w.model, &step));
    g_assert_false(model_eventfd(w.model, 0, 1, &step));
    play(&w, del);
    g_assert_false(model_eventfd_matches(w.model, &step));
    world_end(&w);
}

static void test_endianness(void)
{
    assert_data("r0", "big", "4", "0x11223344", "eventfd_add w0 as0 0x10+0x4 data 0x44332211 e1\n");
    assert_data("r0", "big", "2", "0x11223344", "eventfd_add w0 as0 0x10+0x2 data 0x4433 e1\n");
    assert_data("r0", "big", "2_match", "0x11223344", "eventfd_add w0 as0 0x10+0x2 match 0x4433 e1\n");
    assert_data("r0", "big", "8", "0x1122334455667788",
                "eventfd_add w0 as0 0x10+0x8 data 0x8877665544332211 e1\n");
    assert_data("r0", "big", "any", "0x11223344", "eventfd_add w0 as0 0x10+0x0 data 0x11223344 e1\n");
    assert_data("r0", "little", "4", "0x11223344", "eventfd_add w0 as0 0x10+0x4 data 0x11223344 e1\n");
    assert_data("r0", "little", "2", "0x11223344", "eventfd_add w0 as0 0x10+0x2 data 0x11223344 e1\n");
    assert_data("r0", "native", "1_match", "0x11223344", "eventfd_add w0 as0 0x10+0x1 match 0x11223344 e1\n");
}

/* R-EFD-3: entries (any, e0), (4, no match, e0), (4, match 0x1234, e1) at 4. */
static void test_wildcard(void)
{
    static const char entries[] = "eventfd r0 at 0x4 width 4_match data 0x1234 notify e1\n"
        "eventfd r0 at 0x4 width any data 0x0 notify e0\n" "eventfd r0 at 0x4 width 4 data 0x0 notify e0\n";
    static const char foreign[] = "eventfd_del r0 at 0x4 width 4_match data 0x777 notify e2\n";
    static const char exact[] = "eventfd_del r0 at 0x4 width 4_match data 0x1234 notify e1\n";

    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        world_begin(&w, profiles[i]);
        play(&w, IO("r0", "0x100") "space as0 root r0 watched\n");
        play(&w, entries);
        play(&w, foreign);
        assert_heard(&w, "eventfd_del w0 as0 0x4+0x0 data 0x0 e0\n");
        world_end(&w);

        world_begin(&w, profiles[i]);
        play(&w, IO("r0", "0x100") "space as0 root r0 watched\n");
        play(&w, entries);
        play(&w, exact);
        assert_heard(&w, profiles[i] == MEMCORE ? "eventfd_del w0 as0 0x4+0x4 match 0x1234 e1\n"
                                                : "eventfd_del w0 as0 0x4+0x0 data 0x0 e0\n");
        /* Size 0 in the argument names the first entry there is. */
        play(&w, "eventfd_del r0 at 0x4 width any data 0x9 notify e7\n");
        g_assert_cmpuint(w.last.events.count, ==, 2);
        world_end(&w);
    }
}

/* R-EFD-1: order, duplicates, disabled regions. */
static void test_list_order(void)
{
    struct trace_step step;
    static const struct {
        int width;
        int notifier;
        uint64_t data;
    } expected[] = { { 0, 2, 0 }, { 2, 0, 9 }, { 2, 0, 5 }, { 2, 1, 3 }, { 7, 5, 1 }, { 7, 4, 2 } };

    world_begin(&w, MEMCORE);
    play(&w, IO("r0", "0x100") "space as0 root r0 watched\n" "enabled r0 off\n");
    play(&w, "eventfd r0 at 0x4 width 2_match data 0x2 notify e4\n"
         "eventfd r0 at 0x4 width 2 data 0x9 notify e0\n"
         "eventfd r0 at 0x4 width 2_match data 0x1 notify e5\n"
         "eventfd r0 at 0x4 width 2 data 0x3 notify e1\n"
         "eventfd r0 at 0x4 width any data 0x0 notify e2\n" "eventfd r0 at 0x4 width 2 data 0x5 notify e0\n");
    assert_heard(&w, "");
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_true(model_eventfd(w.model, 0, i, &step));
        g_assert_cmpint(step.n, ==, expected[i].width);
        g_assert_cmpint(step.b, ==, expected[i].notifier);
        g_assert_cmphex(step.w.absolute, ==, expected[i].data);
    }
    /* R-EFD-7: they appear with the region. */
    play(&w, "enabled r0 on\n");
    g_assert_cmpuint(w.last.events.count, ==, 1 + 2 + 1 + G_N_ELEMENTS(expected));
    world_end(&w);
}

/* R-EFD-5: entry @0x10 size 4, another region covers byte 0x11. */
static void test_hole(void)
{
    const struct event *list;

    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        const bool improved = profiles[i] == MEMCORE;
        world_begin(&w, profiles[i]);
        play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") IO("r2", "0x1") ADD("r0", "r1", "0x0", "0")
             ADD("r0", "r2", "0x11", "1") "space as0 root r0 watched\n");
        play(&w, "eventfd r1 at 0x10 width 4 data 0x7 notify e0\n");
        assert_heard(&w, improved ? "eventfd_add w0 as0 0x10+0x4 data 0x7 e0\n"
                                  : "eventfd_add w0 as0 0x10+0x4 data 0x7 e0\n"
                                    "eventfd_add w0 as0 0x10+0x4 data 0x7 e0\n");
        g_assert_cmpuint(model_space_eventfds(w.model, 0, &list), ==, improved ? 1 : 2);
        g_assert_cmphex(list[0].section.address, ==, 0x10);
        /* Two registrations of the same are two, even in memcore. */
        play(&w, "eventfd r1 at 0x10 width 4 data 0x7 notify e0\n");
        g_assert_cmpuint(model_space_eventfds(w.model, 0, &list), ==, improved ? 2 : 4);
        world_end(&w);
    }
}

/* Two windows side by side on one region: what touches the second is not the first's (R-EFD-4). */
static void test_two_windows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        world_begin(&w, profiles[i]);
        play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x10") ALIAS("r2", "r1", "0x0", "0x4")
             ALIAS("r3", "r1", "0x8", "0x8") ADD("r0", "r2", "0x0", "0") ADD("r0", "r3", "0x4", "0")
             "space as0 root r0 watched\n");
        play(&w, "eventfd r1 at 0x6 width 4 data 0x0 notify e0\n");
        assert_heard(&w, "eventfd_add w0 as0 0x2+0x4 data 0x0 e0\n");
        world_end(&w);
    }
}

/* R-EFD-4: the whole interval is reported, also where a window shows a part; R-EFD-6: not below 0. */
static void test_straddling(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        world_begin(&w, profiles[i]);
        play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") ALIAS("r2", "r1", "0x2", "0x10")
             "eventfd r1 at 0x1 width 4 data 0x0 notify e0\n"
             "eventfd r1 at 0x11 width 4 data 0x0 notify e1\n"
             "eventfd r1 at 0x12 width 4 data 0x0 notify e2\n"
             "eventfd r1 at 0x1 width 1 data 0x0 notify e3\n"
             "eventfd r2 at 0x0 width 1 data 0x0 notify e4\n"   /* R-EFD-7: never resolved */
             "eventfd r1 at 0x2 width any data 0x0 notify e5\n"
             "eventfd r1 at 0x1 width any data 0x0 notify e6\n"
             "space as0 root r0 watched\n");
        play(&w, ADD("r0", "r2", "0x20", "0"));
        assert_heard(&w, "begin w0\n" "region_add w0 as0 0x20+0x10 r1@0x2\n"
                     "eventfd_add w0 as0 0x1f+0x4 data 0x0 e0\n" "eventfd_add w0 as0 0x20+0x0 data 0x0 e5\n"
                     "eventfd_add w0 as0 0x2f+0x4 data 0x0 e1\n" "commit w0\n");
        play(&w, "address r2 0x0\n");
        assert_heard(&w, "begin w0\n" "region_del w0 as0 0x20+0x10 r1@0x2\n"
                     "region_add w0 as0 0x0+0x10 r1@0x2\n" "eventfd_add w0 as0 0x0+0x0 data 0x0 e5\n"
                     "eventfd_add w0 as0 0xf+0x4 data 0x0 e1\n" "eventfd_del w0 as0 0x1f+0x4 data 0x0 e0\n"
                     "eventfd_del w0 as0 0x20+0x0 data 0x0 e5\n" "eventfd_del w0 as0 0x2f+0x4 data 0x0 e1\n"
                     "commit w0\n");
        world_end(&w);
    }
}

/* Kept without listeners, never replayed to one that comes later. */
static void test_unheard(void)
{
    const struct event *list;

    world_begin(&w, MEMCORE);
    play(&w, IO("r0", "0x100") "eventfd r0 at 0x8 width 4 data 0x0 notify e0\n" "space as0 root r0 bare\n");
    g_assert_cmpuint(model_space_eventfds(w.model, 0, &list), ==, 1);
    play(&w, "listen l0 as0 priority 0 hears eventfd_add+eventfd_del\n");
    assert_heard(&w, "");
    play(&w, "readonly r0 on\n");
    assert_heard(&w, "");
    play(&w, "enabled r0 off\n");
    assert_heard(&w, "eventfd_del l0 as0 0x8+0x4 data 0x0 e0\n");
    world_end(&w);
}

static void test_coalesced_clipping(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") IO("r1", "0x1000") IO("r2", "0x100") ADD("r0", "r1", "0x1000", "0")
         ADD("r0", "r2", "0x1400", "1") "space as0 root r0 watched\n" "space as1 root r0 bare\n"
         "listen l0 as1 priority 3 hears coalesced_io_add+coalesced_io_del\n"
         "listen l1 as1 priority 4 hears coalesced_io_add+coalesced_io_del\n");
    play(&w, "coalesce_all r1\n");
    assert_heard(&w, "coalesced_io_add w0 0x1000+0x400 in as0 0x1000+0x400 r1@0x0\n"
                 "coalesced_io_add w0 0x1500+0xb00 in as0 0x1500+0xb00 r1@0x500\n"
                 "coalesced_io_add l0 0x1000+0x400 in as1 0x1000+0x400 r1@0x0\n"
                 "coalesced_io_add l1 0x1000+0x400 in as1 0x1000+0x400 r1@0x0\n"
                 "coalesced_io_add l0 0x1500+0xb00 in as1 0x1500+0xb00 r1@0x500\n"
                 "coalesced_io_add l1 0x1500+0xb00 in as1 0x1500+0xb00 r1@0x500\n");
    g_assert_cmpuint(flushes(&w), ==, 0);
    play(&w, "unlisten l0\n" "unlisten l1\n");
    play(&w, "coalesce r1 0xff0 size 0x100\n");
    assert_heard(&w, "coalesced_io_add w0 0x1ff0+0x10 in as0 0x1500+0xb00 r1@0x500\n");
    play(&w, "coalesce r1 0x400 size 0x100\n");
    assert_heard(&w, "");
    play(&w, "listen l0 as0 priority 1 hears coalesced_io_del\n");
    /* Front to back; every del in reverse (R-COAL-2, R-COAL-4). */
    play(&w, "coalesce_all r1\n");
    assert_heard(&w, "coalesced_io_del l0 0x1000+0x400 in as0 0x1000+0x400 r1@0x0\n"
                 "coalesced_io_del w0 0x1000+0x400 in as0 0x1000+0x400 r1@0x0\n"
                 "coalesced_io_del l0 0x1500+0xb00 in as0 0x1500+0xb00 r1@0x500\n"
                 "coalesced_io_del w0 0x1500+0xb00 in as0 0x1500+0xb00 r1@0x500\n"
                 "coalesced_io_del l0 0x1ff0+0x10 in as0 0x1500+0xb00 r1@0x500\n"
                 "coalesced_io_del w0 0x1ff0+0x10 in as0 0x1500+0xb00 r1@0x500\n"
                 "coalesced_io_add w0 0x1000+0x400 in as0 0x1000+0x400 r1@0x0\n"
                 "coalesced_io_add w0 0x1500+0xb00 in as0 0x1500+0xb00 r1@0x500\n");
    g_assert_cmpint(w.last.events.events[0].kind, ==, EVENT_COALESCED_FLUSH);
    world_end(&w);
}

static void test_coalesced_in_transaction(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") IO("r1", "0x1000") ADD("r0", "r1", "0x1000", "0")
         "coalesce r1 0x0 size 0x10\n" "space as0 root r0 watched\n" "begin\n" "del r1\n");
    assert_heard(&w, "begin w0\n" "region_add w0 as0 0x1000+0x1000 r1@0x0\n" "commit w0\n");
    play(&w, "uncoalesce r1\n");
    assert_heard(&w, "coalesced_io_del w0 0x1000+0x10 in as0 0x1000+0x1000 r1@0x0\n");
    play(&w, "uncoalesce r1\n");
    g_assert_cmpuint(w.last.events.count, ==, 0);
    play(&w, "commit\n");
    assert_heard(&w, "begin w0\n" "region_del w0 as0 0x1000+0x1000 r1@0x0\n" "commit w0\n");
    play(&w, "flush_set r1\n");
    g_assert_cmpuint(flushes(&w), ==, 0);
    play(&w, "flush_clear r1\n");
    g_assert_cmpuint(flushes(&w), ==, 1);
    world_end(&w);
}

/* R-COAL-5 */
static void test_coalesced_nothing(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        world_begin(&w, profiles[i]);
        play(&w, IO("r0", "0x1000") "space as0 root r0 watched\n");
        play(&w, "coalesce r0 0x20 size 0x0\n");
        assert_heard(&w, profiles[i] == MEMCORE ? ""
                         : "coalesced_io_add w0 0x20+0x0 in as0 0x0+0x1000 r0@0x0\n");
        world_end(&w);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/R-EFD-2/endianness", test_endianness);
    g_test_add_func("/model/R-EFD-3/wildcard", test_wildcard);
    g_test_add_func("/model/R-EFD-1/list-order", test_list_order);
    g_test_add_func("/model/R-EFD-5/hole", test_hole);
    g_test_add_func("/model/R-EFD-4/two-windows", test_two_windows);
    g_test_add_func("/model/R-EFD-6/straddling", test_straddling);
    g_test_add_func("/model/R-EFD-4/unheard", test_unheard);
    g_test_add_func("/model/R-COAL-4/clipping", test_coalesced_clipping);
    g_test_add_func("/model/R-COAL-6/in-transaction", test_coalesced_in_transaction);
    g_test_add_func("/model/R-COAL-5/nothing", test_coalesced_nothing);
    return g_test_run();
}
