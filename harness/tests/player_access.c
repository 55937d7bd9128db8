/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The player of accesses against the specification's worked examples, written
 * out by hand: what fuzzing compares is only as good as what is recorded.
 */
#include <glib.h>
#include <string.h>

#include "model/access.h"
#include "run/player.h"
#include "run/subject.h"

static struct player *player;
static struct observation seen, expected;

/* Plays steps whose operands are live slots and absolute values; `seen` is of the last one. */
static void play(const char *text)
{
    struct trace_error error;
    struct trace t;

    trace_init(&t);
    if (!trace_parse(&t, text, strlen(text), &error)) {
        g_error("%u:%u: %s", error.line, error.column, error.message);
    }
    for (size_t i = 0; i < t.count; i++) {
        observation_clear(&expected);
        observation_clear(&seen);
        player_apply(player, &t.steps[i], &expected, &seen);
        g_assert_cmpstr(seen.violation, ==, NULL);
    }
    trace_free(&t);
}

/* The events of the last step, one line each. */
static void assert_events(const char *lines)
{
    GString *text = g_string_new("");

    for (size_t i = 0; i < seen.events.count; i++) {
        char line[256];

        if (seen.events.events[i].kind != EVENT_COALESCED_FLUSH) {
            event_print(&seen.events.events[i], line, sizeof(line));
            g_string_append_printf(text, "%s\n", line);
        }
    }
    g_assert_cmpstr(text->str, ==, lines);
    g_string_free(text, TRUE);
}

static void begin(const char *text)
{
    player_reset(player);
    play("container r0 size 2^64 owner none named plain\nspace as0 root r0 bare\n");
    play(text);
}

static void end(unsigned regions)
{
    play("destroy as0\ngrace\n");
    for (unsigned i = 1; i < regions; i++) {
        g_autofree char *text = g_strdup_printf("del r%u\ngrace\nunparent r%u\n", i, i);

        play(text);
    }
    play("unparent r0\ngrace\n");
}

/* R-ACC-3: 7 bytes at 1 are 1, 2, 4; what was written is read again. */
static void test_chunks(void)
{
    begin("device r1 size 0x1000 owner none valid any impl any traits bytes+attrs_read\n"
          "add r0 r1 at 0x1000 priority 0\n"
          "write as0 0x1001 length 0x7 attrs plain by rw data 5\n");
    g_assert_cmpuint(seen.events.count, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(seen.events.events[i].offset, ==, 1u << i);
        g_assert_cmpuint(seen.events.events[i].size, ==, 1u << i);
    }
    play("read as0 0x1001 length 0x7 attrs secure by unlocked\n");
    assert_events("device_read r1@0x1 size 1 attrs 0x2\ndevice_read r1@0x2 size 2 attrs 0x2\n"
                  "device_read r1@0x4 size 4 attrs 0x2\n");
    g_assert_cmpuint(seen.byte_count, ==, 7);
    for (unsigned i = 0; i < 7; i++) {
        g_assert_cmphex(seen.bytes[i], ==, access_data_byte(5, i));
    }
    end(2);
}

/* R-DSP-7's example, and the same store on a big device (R-DSP-12). */
static void test_split(void)
{
    begin("device r1 size 0x1000 owner none valid 1_8 impl any traits little\nadd r0 r1 at 0x1000 priority 0\n"
          "device r2 size 0x1000 owner none valid 1_8 impl any traits big\nadd r0 r2 at 0x2000 priority 0\n"
          "store as0 0x1000 q value 0x1122334455667788 attrs plain by unlocked\n");
    assert_events("device_write r1@0x0 size 4 attrs 0x0 value 0x55667788\n"
                  "device_write r1@0x4 size 4 attrs 0x0 value 0x11223344\n");
    play("store as0 0x2000 q_be value 0x1122334455667788 attrs plain by phys\n");
    assert_events("device_write r2@0x0 size 4 attrs 0x0 value 0x11223344\n"
                  "device_write r2@0x4 size 4 attrs 0x0 value 0x55667788\n");
    play("load as0 0x1001 l attrs plain by plain\n");       /* R-SCL-2 */
    assert_events("");
    g_assert_cmphex(seen.result, ==, MEMTX_DECODE_ERROR);
    g_assert_cmphex(seen.value, ==, 0);
    end(3);
}

/* R-DSP-11: the second callback fails and says so, the data count all the same; R-ACC-12: refused, untouched. */
static void test_failing(void)
{
    begin("device r1 size 0x1000 owner none valid 1_4 impl 1_2 traits attrs_read+failing\n"
          "add r0 r1 at 0x1000 priority 0\nload as0 0x1000 l attrs plain by plain\n");
    g_assert_cmphex(seen.result, ==, 0x41);
    g_assert_cmphex(seen.value, ==, access_cut(device_value(1, 0, 2, 0), 2) |
                                    access_cut(device_value(1, 2, 2, 1), 2) << 16);
    play("read as0 0x1000 length 0x4 attrs memory by full\n");
    g_assert_cmphex(seen.result, ==, MEMTX_ACCESS_ERROR);
    g_assert_cmphex(seen.bytes[3], ==, ACCESS_UNTOUCHED);
    end(2);
}

/* R-LCK-4: RAM enabled over the device during the first chunk; the rest still goes to the device. */
static void test_scripts(void)
{
    begin("device r1 size 0x1000 owner none valid any impl any traits attrs_write\nadd r0 r1 at 0x1000 priority 0\n"
          "ram r2 size 0x1000 owner none kind ram\nenabled r2 off\nadd r0 r2 at 0x1000 priority 1\n"
          "script r1 toggle r2 space as0 0x0\nwrite as0 0x1000 length 0xc attrs plain by write data 0\n");
    g_assert_cmpuint(seen.events.count, >=, 3);
    g_assert_cmpuint(seen.events.events[seen.events.count - 1].offset, ==, 8);
    play("write as0 0x1000 length 0xc attrs plain by write data 0\n");
    assert_events("");
    g_assert_cmphex(player_ram(player, 2)[11], ==, access_data_byte(0, 11));
    play("enabled r2 off\nscript r1 fail r2 space as0 0x8\nstore as0 0x1000 l value 0x1 attrs plain by plain\n");
    g_assert_cmphex(seen.result, ==, 8);
    end(3);
}

/* R-EVM-1, R-EVM-2 */
static void test_signal(void)
{
    begin("io r1 size 0x1000 owner none named plain endian little\nadd r0 r1 at 0x1000 priority 0\n"
          "eventfd r1 at 0x8 width 4_match data 0x7 notify e3\n"
          "store as0 0x1008 l_le value 0x7 attrs plain by plain\n");
    assert_events("eventfd_signal e3 1 times\n");
    play("store as0 0x1008 l_le value 0x8 attrs plain by plain\n");
    assert_events("device_write r1@0x8 size 4 attrs 0x0 value 0x8\n");
    play("eventfd_del r1 at 0x8 width 4_match data 0x7 notify e3\n");
    end(2);
}

/* R-MAP-2, R-MAP-4, R-MAP-9, R-MAP-11 */
static void test_map(void)
{
    begin("ram r1 size 0x1000 owner none kind ram\nadd r0 r1 at 0x1000 priority 0\n"
          "device r2 size 0x1000 owner none valid any impl any traits bytes\nadd r0 r2 at 0x2000 priority 0\n");
    expected.place_region = 1;
    play("map m0 as0 0x1010 size 0x4000 attrs plain for writing\n");
    g_assert_cmphex(seen.value, ==, 0xff0);
    g_assert_cmpint(seen.place_region, ==, 1);
    g_assert_cmphex(seen.place_offset, ==, 0x10);
    play("map m1 as0 0x2000 size 0x4 attrs plain for writing\n");
    g_assert_true(seen.bounced);
    play("map m2 as0 0x2000 size 0x4 attrs plain for writing\n");
    g_assert_true(!seen.bounced && seen.value == 0);
    play("map_client q1\nmap_client q0\n");
    assert_events("");
    play("unmap m1 length 0x2 for writing data 0x9\n");
    g_assert_cmpint(seen.events.count, ==, 3);
    g_assert_cmpint(seen.events.events[0].kind, ==, EVENT_DEVICE_WRITE);
    g_assert_cmpint(seen.events.events[1].number, ==, 0);
    g_assert_cmpint(seen.events.events[2].number, ==, 1);
    play("unmap m0 length 0x3 for writing data 0x4\n");
    g_assert_cmphex(player_ram(player, 1)[0x12], ==, access_data_byte(4, 2));
    end(3);
}

/* R-MAP-4, R-MAP-11: the second call has begun when the first is made, and nobody misses anything. */
static void test_meanwhile(void)
{
    begin("device r1 size 0x1000 owner none valid any impl any traits bytes\nadd r0 r1 at 0x1000 priority 0\n");
    play("map m0 as0 0x1000 size 0x4 attrs plain for writing\n"
         "meanwhile unmap_in_wait q0 m0 length 0x2 for writing data 0x9\n");
    g_assert_cmpuint(seen.events.count, ==, 2);
    g_assert_cmpint(seen.events.events[0].kind, ==, EVENT_DEVICE_WRITE);
    g_assert_cmpint(seen.events.events[1].kind, ==, EVENT_MAP_CLIENT);
    play("map m0 as0 0x1000 size 0x4 attrs plain for writing\nmap_client q1\n"
         "meanwhile unmap_in_cancel q1 m0 length 0x0 for writing data 0x0\n");
    assert_events("map_client q1\n");
    play("map m0 as0 0x1000 size 0x4 attrs plain for writing\n"
         "meanwhile wait_in_unmap q2 m0 length 0x0 for writing data 0x0\n");
    assert_events("map_client q2\n");
    play("map m0 as0 0x1000 size 0x4 attrs plain for writing\nmap_client q3\n"
         "meanwhile cancel_in_unmap q3 m0 length 0x0 for writing data 0x0\n");
    assert_events("");
    play("map m0 as0 0x1000 size 0x4 attrs plain for writing\n"
         "map_meanwhile m1 as0 0x1000 size 0x8 for writing unmap m0\n");
    g_assert_true(seen.bounced && seen.value == 8);
    play("unmap m1 length 0x0 for writing data 0x0\n");
    end(2);
}

/* Whether the player's order is the core's: `map_meanwhile` of a direct map makes the unmap when the map is over. */
static void test_meanwhile_nowhere(void)
{
    begin("ram r1 size 0x1000 owner none kind ram\nadd r0 r1 at 0x1000 priority 0\n"
          "device r2 size 0x1000 owner none valid any impl any traits bytes\nadd r0 r2 at 0x2000 priority 0\n"
          "map m0 as0 0x2000 size 0x4 attrs plain for writing\nmap_client q0\n");
    expected.place_region = 1;
    play("map_meanwhile m1 as0 0x1000 size 0x8 for writing unmap m0\n");
    assert_events("map_client q0\n");
    g_assert_cmpint(seen.place_region, ==, 1);
    play("map m2 as0 0x2000 size 0x4 attrs plain for writing\n");
    g_assert_true(seen.bounced);
    play("meanwhile wait_in_unmap q1 m1 length 0x0 for writing data 0x0\n");
    assert_events("");
    play("unmap m2 length 0x0 for writing data 0x0\n");
    assert_events("map_client q1\n");
    end(3);
}

/* R-CODE: heard with the range as it was written, of whichever block; also if tracking is off but the core calls. */
static void test_code(void)
{
    begin("ram r1 size 0x4000 owner none kind ram\nadd r0 r1 at 0x0 priority 0\n"
          "ram r2 size 0x4000 owner none kind ram\nadd r0 r2 at 0x10000 priority 0\n"
          "dirty_take r2 0x2000 size 0x1000 client code\n"
          "write as0 0x11ff8 length 0x10 attrs plain by write data 1\n");
    assert_events("");
    play("code_tracking on\nwrite as0 0x11ff8 length 0x10 attrs plain by write data 1\n");
    assert_events("code_written r2@0x1ff8 size 0x10\n");
    play("code_tracking dropping\nwrite as0 0x11ff8 length 0x10 attrs plain by write data 1\n");
    assert_events("code_written r2@0x1ff8 size 0x10\n");
    play("write as0 0x11ff8 length 0x10 attrs plain by write data 1\n");
    assert_events("");
    play("code_tracking off\n");
    end(3);
}

/* R-CCH-7 */
static void test_cache(void)
{
    begin("device r1 size 0x1000 owner none valid any impl any traits none\nadd r0 r1 at 0x4000 priority 0\n"
          "cache k0 as0 0x4000 size 0x5000 for reading\n");
    g_assert_cmphex(seen.value, ==, 0x1000);
    play("cache_read k0 0x0 length 0xc by cached\n");
    assert_events("device_read r1@0x0 size 4 attrs 0x0\ndevice_read r1@0x4 size 4 attrs 0x0\n"
                  "device_read r1@0x8 size 4 attrs 0x0\n");
    play("cache_destroy k0\n");
    end(2);
}

/* R-TRN-5, R-IOM-4, R-IOM-10, R-IOM-15 */
static void test_iommu(void)
{
    begin("ram r1 size 0x2000 owner none kind ram\nadd r0 r1 at 0x1000 priority 0\n"
          "iommu r2 size 0x10000 owner none to as0 granule 0x1000 traits methods+strict\n"
          "add r0 r2 at 0x40000 priority 0\niommu_map r2 at 0x3000 to 0x1000 in as0 block granule perm read\n"
          "translate as0 0x43010 size 0x4000 attrs plain for reading\n");
    g_assert_cmpint(seen.place_region, ==, 1);
    g_assert_cmphex(seen.place_offset, ==, 0x10);
    g_assert_cmphex(seen.place_length, ==, 0xff0);
    play("translate as0 0x43010 size 0x4000 attrs plain for writing\n");
    g_assert_cmpint(seen.place_region, ==, OBSERVED_NONE);
    play("notifier n0 on r2 from 0x1000 to 0x2fff events deviotlb_unmap index 0\n");
    g_assert_cmpint((int64_t)seen.value, ==, -22);
    assert_events("iommu_flags r2 returned -22 mask 0 to 4\n");
    play("del r2\ngrace\nunparent r2\n"
         "iommu r2 size 0x10000 owner none to as0 granule 0x1000 traits methods\nadd r0 r2 at 0x40000 priority 0\n"
         "notifier n0 on r2 from 0x1000 to 0x2fff events deviotlb_unmap index 0\n"
         "notify r2 at 0x0 to 0x5000 block everything event deviotlb_unmap index 0\n");
    assert_events("iommu_notified n0 iova 0x1000 mask 0x1fff to 0x0 perm 0 as0\n");
    play("iommu_map r2 at 0x0 to 0x0 in as0 block 4_granules perm read\nreplay n0\n");
    g_assert_cmpuint(seen.events.count, ==, 4);
    play("notifier_del n0\n");
    end(3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    subject_start();
    player = player_new();
    g_test_add_func("/player-access/chunks", test_chunks);
    g_test_add_func("/player-access/split", test_split);
    g_test_add_func("/player-access/failing", test_failing);
    g_test_add_func("/player-access/scripts", test_scripts);
    g_test_add_func("/player-access/signal", test_signal);
    g_test_add_func("/player-access/map", test_map);
    g_test_add_func("/player-access/meanwhile", test_meanwhile);
    g_test_add_func("/player-access/meanwhile-nowhere", test_meanwhile_nowhere);
    g_test_add_func("/player-access/code", test_code);
    g_test_add_func("/player-access/cache", test_cache);
    g_test_add_func("/player-access/iommu", test_iommu);
    return g_test_run();
}
