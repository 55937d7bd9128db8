/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model against the worked examples of chapters 5 and 6: who hears what, in which order. */
#include <glib.h>
#include <string.h>

#include "exec/cpu-common.h"
#include "model_world.h"

static struct world w;

#define MEMCORE MODEL_PROFILE_MEMCORE

/* R-LST-11 without a space: a = r1, b = r2, P0 = l0, x = l1, y = l2. */
#define REFERENCE_TREE \
    CONTAINER("r0", "0x10000") IO("r1", "0x1000") IO("r2", "0x1000") ADD("r0", "r1", "0x1000", "0") \
    ADD("r0", "r2", "0x2000", "0") "coalesce r2 0x10 size 0x20\n" \
    "eventfd r2 at 0x8 width 4 data 0x0 notify e0\n" "eventfd r2 at 0x0 width 4 data 0x0 notify e0\n"

static void test_reference_trace(void)
{
    world_begin(&w, MEMCORE);
    play(&w, REFERENCE_TREE "space as0 root r0 bare\n" "listen l1 as0 priority 10 hears " HEARS_ALL "\n"
         "listen l0 as0 priority 0 hears " HEARS_ALL "\n" "listen l2 as0 priority 10 hears " HEARS_ALL "\n");
    play(&w, "address r2 0x3000\n");
    assert_heard(&w,
        "begin l0\n" "begin l1\n" "begin l2\n"
        "coalesced_io_del l2 0x2010+0x20 in as0 0x2000+0x1000 r2@0x0\n"
        "coalesced_io_del l1 0x2010+0x20 in as0 0x2000+0x1000 r2@0x0\n"
        "coalesced_io_del l0 0x2010+0x20 in as0 0x2000+0x1000 r2@0x0\n"
        "region_del l2 as0 0x2000+0x1000 r2@0x0\n"
        "region_del l1 as0 0x2000+0x1000 r2@0x0\n"
        "region_del l0 as0 0x2000+0x1000 r2@0x0\n"
        "region_nop l0 as0 0x1000+0x1000 r1@0x0\n"
        "region_nop l1 as0 0x1000+0x1000 r1@0x0\n"
        "region_nop l2 as0 0x1000+0x1000 r1@0x0\n"
        "region_add l0 as0 0x3000+0x1000 r2@0x0\n"
        "region_add l1 as0 0x3000+0x1000 r2@0x0\n"
        "region_add l2 as0 0x3000+0x1000 r2@0x0\n"
        "coalesced_io_add l0 0x3010+0x20 in as0 0x3000+0x1000 r2@0x0\n"
        "coalesced_io_add l1 0x3010+0x20 in as0 0x3000+0x1000 r2@0x0\n"
        "coalesced_io_add l2 0x3010+0x20 in as0 0x3000+0x1000 r2@0x0\n"
        "eventfd_del l0 as0 0x2000+0x4 data 0x0 e0\n"
        "eventfd_del l1 as0 0x2000+0x4 data 0x0 e0\n"
        "eventfd_del l2 as0 0x2000+0x4 data 0x0 e0\n"
        "eventfd_del l0 as0 0x2008+0x4 data 0x0 e0\n"
        "eventfd_del l1 as0 0x2008+0x4 data 0x0 e0\n"
        "eventfd_del l2 as0 0x2008+0x4 data 0x0 e0\n"
        "eventfd_add l2 as0 0x3000+0x4 data 0x0 e0\n"
        "eventfd_add l1 as0 0x3000+0x4 data 0x0 e0\n"
        "eventfd_add l0 as0 0x3000+0x4 data 0x0 e0\n"
        "eventfd_add l2 as0 0x3008+0x4 data 0x0 e0\n"
        "eventfd_add l1 as0 0x3008+0x4 data 0x0 e0\n"
        "eventfd_add l0 as0 0x3008+0x4 data 0x0 e0\n"
        "commit l0\n" "commit l1\n" "commit l2\n");
    g_assert_cmpuint(flushes(&w), ==, 1);
    g_assert_cmpint(w.last.events.events[0].kind, ==, EVENT_COALESCED_FLUSH);

    /* Down: the add at the lower address comes before the del at the higher one (R-EFD-4). */
    play(&w, "unlisten l0\n" "unlisten l2\n" "uncoalesce r2\n"
         "eventfd_del r2 at 0x8 width 4 data 0x0 notify e0\n");
    play(&w, "address r2 0x2000\n");
    assert_heard(&w, "begin l1\n" "region_del l1 as0 0x3000+0x1000 r2@0x0\n"
                 "region_nop l1 as0 0x1000+0x1000 r1@0x0\n" "region_add l1 as0 0x2000+0x1000 r2@0x0\n"
                 "eventfd_add l1 as0 0x2000+0x4 data 0x0 e0\n" "eventfd_del l1 as0 0x3000+0x4 data 0x0 e0\n"
                 "commit l1\n");
    world_end(&w);
}

/* R-LST-1: priorities are unsigned, so "negative" ones come last; deaf listeners hear nothing. */
static void test_order(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") "space as0 root r0 bare\n"
         "listen l0 as0 priority -1 hears begin+log_global_stop\n" "listen l1 as0 priority 5 hears begin\n"
         "listen l2 as0 priority 5 hears begin+log_global_stop\n" "listen l3 as0 priority 0 hears none\n");
    play(&w, "enabled r1 off\n");
    assert_heard(&w, "begin l1\n" "begin l2\n" "begin l0\n");
    play(&w, "log_start migration\n");
    play(&w, "log_stop migration\n");
    assert_heard(&w, "begin l1\n" "begin l2\n" "begin l0\n" "log_global_stop l0\n" "log_global_stop l2\n");
    world_end(&w);
}

#define CARVE CONTAINER("r0", "0x10000") RAM("r1", "0x1000") IO("r2", "0x10") RAM("r3", "0x1000") \
    ADD("r0", "r1", "0x1000", "0") ADD("r0", "r3", "0x3000", "0")

static void test_carving(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CARVE "space as0 root r0 watched\n");
    play(&w, ADD("r0", "r2", "0x1400", "1"));
    assert_heard(&w, "begin w0\n" "region_del w0 as0 0x1000+0x1000 r1@0x0\n"
                 "region_add w0 as0 0x1000+0x400 r1@0x0\n" "region_add w0 as0 0x1400+0x10 r2@0x0\n"
                 "region_add w0 as0 0x1410+0xbf0 r1@0x410\n" "region_nop w0 as0 0x3000+0x1000 r3@0x0\n"
                 "commit w0\n");
    /* R-TREE-9: the mode of a rom device is part of a range's identity, whatever the region's kind. */
    play(&w, "romd r2 off\n");
    assert_heard(&w, "begin w0\n" "region_del w0 as0 0x1400+0x10 r2@0x0\n"
                 "region_nop w0 as0 0x1000+0x400 r1@0x0\n" "region_add w0 as0 0x1400+0x10 r2@0x0\n"
                 "region_nop w0 as0 0x1410+0xbf0 r1@0x410\n" "region_nop w0 as0 0x3000+0x1000 r3@0x0\n"
                 "commit w0\n");
    world_end(&w);
}

/* R-TREE-8: which setter commits when; R-TREE-11: reachability does not matter. */
static void test_pending(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") ALIAS("r2", "r1", "0x0", "0x100")
         CONTAINER("r3", "0x1000") "space as0 root r0 bare\n"
         "listen l0 as0 priority 0 hears begin+commit\n");
    static const struct {
        const char *step;
        bool commits;
    } cases[] = {
        { "enabled r2 off\n", true }, { "enabled r2 off\n", false }, { "size r2 0x80\n", true },
        { "size r2 0x80\n", false }, { "alias_offset r2 0x10\n", false }, { "readonly r2 on\n", false },
        { "nonvolatile r2 on\n", false }, { "romd r2 off\n", false }, { "log r2 on\n", false },
        { ADD("r3", "r2", "0x0", "0"), false }, { "address r2 0x10\n", false }, { "del r2\n", false },
        { "enabled r2 on\n", true }, { "alias_offset r2 0x20\n", true }, { "alias_offset r2 0x20\n", false },
        { "readonly r2 off\n", true }, { "readonly r2 off\n", false }, { "nonvolatile r2 off\n", true },
        { "romd r2 on\n", true }, { "romd r2 on\n", false }, { "log r2 on\n", false },
        { "log r2 off\n", false },
        { "log r2 off\n", true }, { ADD("r3", "r2", "0x0", "0"), true }, { "address r2 0x8\n", true },
        { "address r2 0x8\n", false }, { "enabled r3 off\n", true }, { "address r2 0x20\n", false },
        { "del r2\n", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        play(&w, cases[i].step);
        g_test_message("%s", cases[i].step);
        assert_heard(&w, cases[i].commits ? "begin l0\n" "commit l0\n" : "");
    }
    /* R-TX-3: pending stays though nothing has changed in the end; R-TX-2: empty transactions are silent. */
    play(&w, "begin\n" "enabled r1 off\n" "begin\n" "enabled r1 on\n" "commit\n");
    assert_heard(&w, "");
    play(&w, "commit\n");
    assert_heard(&w, "begin l0\n" "commit l0\n");
    g_assert_cmpuint(flushes(&w), ==, 0);
    play(&w, "begin\n" "begin\n" "commit\n" "commit\n");
    assert_heard(&w, "");
    g_assert_cmpuint(flushes(&w), ==, 2);
    world_end(&w);
}

static void test_replay(void)
{
    world_begin(&w, MEMCORE);
    play(&w, REFERENCE_TREE RAM("r3", "0x1000") "log r3 on\n" ADD("r0", "r3", "0x4000", "0")
         "space as0 root r0 bare\n" "log_start dirty_rate\n" "begin\n" "enabled r1 off\n");
    /* What is published counts; eventfds and coalesced ranges are not replayed (R-LST-4). */
    play(&w, "listen l0 as0 priority 0 hears " HEARS_ALL "\n");
    assert_heard(&w, "begin l0\n" "log_global_start l0\n" "region_add l0 as0 0x1000+0x1000 r1@0x0\n"
                 "region_add l0 as0 0x2000+0x1000 r2@0x0\n" "region_add l0 as0 0x4000+0x1000 r3@0x0\n"
                 "log_start l0 as0 0x4000+0x1000 r3@0x0 mask 0 to 5\n" "commit l0\n");
    play(&w, "listen l1 as0 priority 0 hears begin\n" "unlisten l1\n" "commit\n");
    /* R-LST-5 */
    play(&w, "unlisten l0\n");
    assert_heard(&w, "begin l0\n" "region_del l0 as0 0x2000+0x1000 r2@0x0\n"
                 "log_stop l0 as0 0x4000+0x1000 r3@0x0 mask 5 to 0\n"
                 "region_del l0 as0 0x4000+0x1000 r3@0x0\n" "commit l0\n");
    play(&w, "unlisten l0\n");
    assert_heard(&w, "");
    world_end(&w);
}

/* R-LST-6, R-TX-9: from the lowest priority up; the destruction itself is silent. */
static void test_destroy(void)
{
    world_begin(&w, MEMCORE);
    play(&w, IO("r0", "0x1000") "space as0 root r0 watched\n" "space as1 root r0 watched\n"
         "listen l0 as0 priority -5 hears region_del+commit\n" "listen l1 as0 priority 7 hears region_del\n");
    play(&w, "destroy as0\n");
    assert_heard(&w, "begin w0\n" "region_del w0 as0 0x0+0x1000 r0@0x0\n" "commit w0\n"
                 "region_del l1 as0 0x0+0x1000 r0@0x0\n" "region_del l0 as0 0x0+0x1000 r0@0x0\n"
                 "commit l0\n");
    g_assert_cmpuint(flushes(&w), ==, 1);
    play(&w, "enabled r0 off\n");
    assert_heard(&w, "begin w1\n" "region_del w1 as1 0x0+0x1000 r0@0x0\n" "commit w1\n");
    world_end(&w);
}

/* R-TX-2, I-22: all of one space before the next; an empty one hears begin and commit only (R-FV-12). */
static void test_spaces_in_turn(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") ADD("r0", "r1", "0x0", "0") CONTAINER("r2", "0x10")
         "space as2 root r0 watched\n" "space as1 root r2 watched\n" "space as0 root r0 watched\n");
    play(&w, "address r1 0x100\n");
    assert_heard(&w, "begin w2\n" "begin w1\n" "begin w0\n" "region_del w2 as2 0x0+0x100 r1@0x0\n"
                 "region_add w2 as2 0x100+0x100 r1@0x0\n" "region_del w0 as0 0x0+0x100 r1@0x0\n"
                 "region_add w0 as0 0x100+0x100 r1@0x0\n" "commit w2\n" "commit w1\n" "commit w0\n");
    world_end(&w);
}

static void test_reentrancy(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x1000") IO("r1", "0x100") IO("r2", "0x100") ADD("r0", "r1", "0x0", "0")
         ADD("r0", "r2", "0x200", "0") "space as0 root r0 watched\n"
         "listen l0 as0 priority 1 hears begin+commit+region_del\n" "listen l1 as0 priority 2 hears commit\n"
         "arm l0 toggles r2\n");
    g_assert_cmpint(model_listener_armed(w.model, 0), ==, 2);
    play(&w, "enabled r1 off\n");
    assert_heard(&w, "begin w0\n" "begin l0\n" "region_del l0 as0 0x0+0x100 r1@0x0\n"
                 "region_del w0 as0 0x0+0x100 r1@0x0\n" "region_nop w0 as0 0x200+0x100 r2@0x0\n"
                 "commit w0\n" "commit l0\n"
                 "begin w0\n" "begin l0\n" "region_del l0 as0 0x200+0x100 r2@0x0\n"
                 "region_del w0 as0 0x200+0x100 r2@0x0\n" "commit w0\n" "commit l0\n" "commit l1\n"
                 "commit l1\n");
    g_assert_cmpuint(flushes(&w), ==, 2);
    assert_view(&w, 0, "");
    g_assert_cmpint(model_listener_armed(w.model, 0), ==, OBSERVED_NONE);

    /* Leaving drops the arming before the commit that is heard then; so does the region's end. */
    play(&w, "arm l0 toggles r2\n" "unlisten l0\n");
    assert_view(&w, 0, "");
    play(&w, IO("r3", "0x1") "arm l1 toggles r3\n" "unparent r3\n");
    g_assert_cmpint(model_listener_armed(w.model, 1), ==, OBSERVED_NONE);
    world_end(&w);
}

/* R-LST-8 and R-LST-10: masks of kept ranges, of appearing and of vanishing ones. */
static void test_masks(void)
{
    world_begin(&w, MEMCORE);
    play(&w, RAM("r0", "0x1000") "log r0 on\n" "space as0 root r0 watched\n");
    play(&w, "begin\n" "log r0 off\n" "log_start migration\n");
    assert_heard(&w, "log_global_start w0\n");
    play(&w, "commit\n");
    assert_heard(&w, "begin w0\n" "region_nop w0 as0 0x0+0x1000 r0@0x0\n"
                 "log_start w0 as0 0x0+0x1000 r0@0x0 mask 1 to 4\n"
                 "log_stop w0 as0 0x0+0x1000 r0@0x0 mask 1 to 4\n" "commit w0\n");
    play(&w, "enabled r0 off\n");
    assert_heard(&w, "begin w0\n" "region_del w0 as0 0x0+0x1000 r0@0x0\n" "commit w0\n");
    play(&w, "enabled r0 on\n");
    assert_heard(&w, "begin w0\n" "region_add w0 as0 0x0+0x1000 r0@0x0\n" "commit w0\n");
    play(&w, "begin\n" "log_stop migration\n");
    assert_heard(&w, "log_global_stop w0\n");
    play(&w, "log_start migration\n" "commit\n");
    assert_heard(&w, "log_global_start w0\n" "begin w0\n" "region_nop w0 as0 0x0+0x1000 r0@0x0\n"
                 "commit w0\n");
    world_end(&w);
}

#define STOPPED "begin w0\n" "region_nop w0 as0 0x0+0x1000 r0@0x0\n" \
    "log_stop w0 as0 0x0+0x1000 r0@0x0 mask 4 to 0\n" "commit w0\n" "log_global_stop w0\n"

static void test_postponed_stop(void)
{
    world_begin(&w, MEMCORE);
    play(&w, RAM("r0", "0x1000") "space as0 root r0 watched\n");
    play(&w, "log_start migration+dirty_rate\n");
    assert_heard(&w, "log_global_start w0\n" "begin w0\n" "region_nop w0 as0 0x0+0x1000 r0@0x0\n"
                 "log_start w0 as0 0x0+0x1000 r0@0x0 mask 0 to 4\n" "commit w0\n");
    play(&w, "vm off\n" "log_stop migration+dirty_rate\n");
    assert_heard(&w, "");
    g_assert_cmpuint(model_log_flags(w.model), ==, 3);
    g_assert_cmpuint(model_log_postponed(w.model), ==, 3);
    play(&w, "log_start migration\n");
    assert_heard(&w, "");
    g_assert_cmpuint(model_log_flags(w.model), ==, 1);
    g_assert_cmpuint(model_log_postponed(w.model), ==, 0);
    play(&w, "log_stop migration\n");
    assert_heard(&w, "");
    play(&w, "vm on\n");
    assert_heard(&w, STOPPED);
    g_assert_cmpuint(model_log_flags(w.model), ==, 0);

    /* Running: one stop undoes any number of starts (R-DLOG-8). */
    play(&w, "log_start dirty_rate\n" "log_start dirty_rate\n");
    play(&w, "log_stop dirty_rate\n");
    assert_heard(&w, STOPPED);
    world_end(&w);
}

/*
 * The text for this build's pages: it is written for pages of 4 KiB.  Places shortly before the end of a page stay
 * there.
 */
static const char *paged(const char *text)
{
    static GString *scaled;

    scaled = scaled ? g_string_truncate(scaled, 0) : g_string_new(NULL);
    while (*text) {
        if (strncmp(text, "0x", 2) == 0) {
            char *end;
            const guint64 number = g_ascii_strtoull(text, &end, 16), inside = number % 0x1000;
            const guint64 page = number / 0x1000, size = TARGET_PAGE_SIZE;

            g_string_append_printf(scaled, "0x%" G_GINT64_MODIFIER "x",
                                   inside < 0x800 ? page * size + inside : (page + 1) * size - (0x1000 - inside));
            text = end;
        } else {
            g_string_append_c(scaled, *text++);
        }
    }
    return scaled->str;
}

/* R-CODE-2, R-CODE-3: in masks from the next commit on, where there is a block; the hook hears what was written. */
static void test_code_tracking(void)
{
    world_begin(&w, MEMCORE);
    play(&w, paged(CONTAINER("r0", "0x10000") RAM("r1", "0x4000") IO("r2", "0x1000") ADD("r0", "r1", "0x0", "0")
         ADD("r0", "r2", "0x8000", "0") "space as0 root r0 watched\n"));
    play(&w, paged("dirty_take r1 0x2000 size 0x1000 client code\n" "code_tracking on\n" "log_sync\n"));
    assert_heard(&w, "");
    play(&w, paged("write as0 0x1000 length 0x400 attrs plain by write data 1\n"));
    assert_heard(&w, "");
    play(&w, paged("write as0 0x1ff8 length 0x10 attrs plain by write data 1\n"
                   "dirty_written r1 0x1000 size 0x1000\n"));
    assert_heard(&w, paged("code_written r1@0x1ff8 size 0x10\n"));
    play(&w, paged("enabled r2 off\n"));
    assert_heard(&w, paged("begin w0\n" "region_del w0 as0 0x8000+0x1000 r2@0x0\n"
                           "region_nop w0 as0 0x0+0x4000 r1@0x0\n"
                           "log_start w0 as0 0x0+0x4000 r1@0x0 mask 0 to 2\n" "commit w0\n"));
    play(&w, paged("dirty_flag r1 0x0 client vga\n"));
    assert_text(&w, "page 0+2 vcm-\n" "page 2+1 v-m-\n" "page 3+1 vcm-\n");
    play(&w, paged("code_tracking dropping\n" "store as0 0x2000 b value 0x1 attrs plain by plain\n"
         "store as0 0x2000 b value 0x2 attrs plain by plain\n"));
    assert_heard(&w, paged("code_written r1@0x2000 size 0x1\n"));
    play(&w, paged("dirty_clear r1 0x0 size 0x4000\n" "code_tracking off\n" "log_start migration\n"));
    play(&w, paged("write as0 0x1000 length 0x8 attrs plain by write data 1\n"));
    assert_heard(&w, "");
    play(&w, paged("dirty_ask r1 0x0 size 0x0 client code\n"));
    g_assert_nonnull(strstr(w.last.text, "page 1+1 --m-\n"));
    world_end(&w);
}

static void test_sync_and_clear(void)
{
    world_begin(&w, MEMCORE);
    play(&w, CONTAINER("r0", "0x10000") RAM("r1", "0x2000") IO("r2", "0x10") "ram r3 size 0x1000 owner none "
         "kind ram_nomigrate\n" ADD("r0", "r1", "0x1000", "0") ADD("r0", "r2", "0x1800", "1")
         ADD("r0", "r3", "0x8000", "0") "space as0 root r0 bare\n" "space as1 root r1 bare\n"
         "listen l0 as1 priority 9 hears log_sync+log_clear\n" "listen l1 as0 priority 1 hears log_sync\n"
         "listen l2 as0 priority 0 hears log_sync_global+log_global_after_sync\n");
    play(&w, "log_sync\n" "after_sync\n");
    assert_heard(&w, "log_sync_global l2\n" "log_global_after_sync l2\n");
    play(&w, "log_start migration\n");
    play(&w, "log_sync\n");
    /* Listener by listener (R-LOG-4); as1 shows r1 at its own address (R-FV-2). */
    assert_heard(&w, "log_sync_global l2\n" "log_sync l1 as0 0x1000+0x800 r1@0x0\n"
                 "log_sync l1 as0 0x1810+0x17f0 r1@0x810\n" "log_sync l0 as1 0x1000+0x2000 r1@0x0\n");
    play(&w, "listen l3 as0 priority 2 hears log_clear\n");
    play(&w, "log_clear r1 0x7ff size 0x20\n");
    assert_heard(&w, "log_clear l3 as0 0x17ff+0x1 r1@0x7ff\n" "log_clear l3 as0 0x1810+0xf r1@0x810\n"
                 "log_clear l0 as1 0x17ff+0x20 r1@0x7ff\n");
    play(&w, "log_clear r1 0x800 size 0x10\n");
    assert_heard(&w, "log_clear l0 as1 0x1800+0x10 r1@0x800\n");
    play(&w, "log_clear r3 0x0 size 0x1000\n" "log_clear r1 0x2000 size 0x10\n"
         "log_clear r1 0x0 size 0x0\n");
    assert_heard(&w, "");
    world_end(&w);
}

/* R-TREE-10 in 7.2: the counter wraps. */
static void test_log_counter_quirk(void)
{
    world_begin(&w, MODEL_PROFILE_QEMU_7_2);
    play(&w, RAM("r0", "0x1000") "space as0 root r0 watched\n");
    play(&w, "log r0 off\n");
    assert_heard(&w, "begin w0\n" "region_nop w0 as0 0x0+0x1000 r0@0x0\n" "commit w0\n");
    play(&w, "query r0\n");
    g_assert_cmpuint(w.last.facts.dirty_log_mask, ==, 0);
    play(&w, "log r0 on\n" "query r0\n");
    g_assert_cmpuint(w.last.facts.dirty_log_mask, ==, 1);
    g_assert_true(w.last.facts.logging[0]);
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/R-LST-11/reference-trace", test_reference_trace);
    g_test_add_func("/model/R-LST-1/order", test_order);
    g_test_add_func("/model/R-LST-9/carving", test_carving);
    g_test_add_func("/model/R-TREE-8/pending", test_pending);
    g_test_add_func("/model/R-LST-4/replay", test_replay);
    g_test_add_func("/model/R-LST-6/destroy", test_destroy);
    g_test_add_func("/model/R-TX-2/spaces-in-turn", test_spaces_in_turn);
    g_test_add_func("/model/R-LST-13/reentrancy", test_reentrancy);
    g_test_add_func("/model/R-LST-8/masks", test_masks);
    g_test_add_func("/model/R-LOG-3/postponed-stop", test_postponed_stop);
    g_test_add_func("/model/R-LOG-4/code-tracking", test_code_tracking);
    g_test_add_func("/model/R-LOG-4/sync-and-clear", test_sync_and_clear);
    g_test_add_func("/model/R-TREE-10/counter-wraps", test_log_counter_quirk);
    return g_test_run();
}
