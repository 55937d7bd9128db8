/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which writes signal an ioeventfd instead of the device, and when coalesced writes are flushed (R-EVM). */
#include "common/access.h"

#define LITTLE .order = DEVICE_LITTLE_ENDIAN
#define BIG .order = DEVICE_BIG_ENDIAN

/* A device at 0 whose eventfds go away with the case. */
typedef struct {
    Bus bus;
    Device *device;
} Board;

static Board board_of(Device *d)
{
    Board b = { bus_new("as"), d };

    stage_add(b.bus.root, 0, d->mr);
    return b;
}

#define board(...) board_of(device("dev", 0x1000, __VA_ARGS__))

static bool fired(EventNotifier *e)
{
    return event_notifier_test_and_clear(e) == 1;
}

static EventNotifier *doorbell(Board *b, hwaddr addr, unsigned size, bool match, uint64_t data,
                               const char *name)
{
    EventNotifier *e = stage_notifier(name);

    memory_region_add_eventfd(b->device->mr, addr, size, match, data, e);
    return e;
}

/* ---- R-EVM-1 ---- */

static void writes_signal_and_do_not_call(void)
{
    Board b = board(LITTLE, .with_attrs = true, .impl_max = 1);
    EventNotifier *e = doorbell(&b, 8, 4, false, 0, "e");

    b.device->result = FAILED;
    check_store(address_space_stl_le, b.bus.as, 8, 1, OK);
    check(fired(e));
    check_calls(b.device, "");
    check_load(address_space_ldub, b.bus.as, 8, 8, FAILED);
    check(!fired(e));
    check_store(address_space_stb, b.bus.as, 9, 1, FAILED);
    check(!fired(e));
    check_calls(b.device, "read 0x8+1\nwrite 0x9+1=0x1\n");
    check_write(b.bus.as, 8, 4, 0, OK);
    check(fired(e));
    check_number(memory_region_dispatch_write(b.device->mr, 8, 0, MO_LE | MO_32, PLAIN), OK);
    check(fired(e));
    check_calls(b.device, "");
}

static void one_notifier_only(void)
{
    Board b = board(LITTLE);
    EventNotifier *any = doorbell(&b, 0, 0, false, 0, "any"), *wild = doorbell(&b, 0, 4, false, 0, "wild");
    EventNotifier *match = doorbell(&b, 0, 4, true, 7, "match");

    check_store(address_space_stl_le, b.bus.as, 0, 7, OK);
    check_number(fired(any) + fired(wild) + fired(match), 1);
}

/* ---- R-EVM-2, R-EVM-3 ---- */

static void what_hits(void)
{
    static const struct {
        hwaddr addr;
        unsigned size;
        bool match;
        uint64_t data;
        hwaddr written_addr;
        unsigned written_size;
        uint64_t written;
        bool hit;
    } cases[] = {
        { 8, 4, false, 0, 8, 4, 0x99, true },
        { 8, 4, false, 5, 8, 4, 0x99, true },
        { 8, 4, true, 0x99, 8, 4, 0x99, true },
        { 8, 4, true, 0x98, 8, 4, 0x99, false },
        { 8, 4, false, 0, 8, 2, 0x99, false },
        { 8, 2, false, 0, 8, 4, 0x99, false },
        { 8, 4, false, 0, 0xc, 4, 0x99, false },
        { 9, 4, false, 0, 8, 4, 0x99, false },
        { 8, 0, false, 0, 8, 1, 0x99, true },
        { 8, 0, false, 0, 8, 8, 0x99, true },
        { 8, 0, true, 0x12, 8, 2, 0x99, true },
        { 8, 0, false, 0, 4, 4, 0x99, false },
        { 8, 8, true, 0x1122334455667788, 8, 8, 0x1122334455667788, true },
        { 8, 1, true, 0x99, 8, 1, 0x99, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Board b = board(LITTLE);
        EventNotifier *e = doorbell(&b, cases[i].addr, cases[i].size, cases[i].match, cases[i].data, "e");
        const MemTxAttrs odd = { .secure = 1, .requester_id = (uint16_t)i };

        check_number(memory_region_dispatch_write(b.device->mr, cases[i].written_addr, cases[i].written,
                                                  MO_LE | size_memop(cases[i].written_size), odd), OK);
        if (!check_number(fired(e), cases[i].hit) || !check_number(b.device->calls == 0, cases[i].hit)) {
            g_printerr("  case %zu\n", i);
        }
    }
}

static void data_is_what_the_target_stores(void)
{
    Board big = board(BIG), little = board(LITTLE);
    EventNotifier *b = doorbell(&big, 0, 4, true, 0x11223344, "b");
    EventNotifier *l = doorbell(&little, 0, 4, true, 0x11223344, "l");

    address_space_stl_le(big.bus.as, 0, 0x11223344, PLAIN, NULL);
    check(fired(b));
    address_space_stl_be(big.bus.as, 0, 0x11223344, PLAIN, NULL);
    check(!fired(b));
    check_calls(big.device, "write 0x0+4=0x11223344\n");
    address_space_stl_be(big.bus.as, 0, 0x44332211, PLAIN, NULL);
    check(fired(b));
    check_write(big.bus.as, 0, 4, 0x11, OK);
    check(!fired(b));
    address_space_stl_le(little.bus.as, 0, 0x11223344, PLAIN, NULL);
    check(fired(l));
    address_space_stl_be(little.bus.as, 0, 0x44332211, PLAIN, NULL);
    check(fired(l));
    address_space_stl_be(little.bus.as, 0, 0x11223344, PLAIN, NULL);
    check(!fired(l));
}

/* Either the low bits count or nothing hits; but 0x2345 alone and other values behave the same in both. */
static void data_wider_than_the_size(void)
{
    Board b = board(LITTLE);
    EventNotifier *e = doorbell(&b, 0, 2, true, 0x12345, "e");

    address_space_stw_le(b.bus.as, 0, 0x2345, PLAIN, NULL);
    check_number(fired(e) + b.device->calls, 1);
    address_space_stw_le(b.bus.as, 0, 0x2344, PLAIN, NULL);
    check(!fired(e));
    memory_region_del_eventfd(b.device->mr, 0, 2, true, 0x12345, e);
}

/* ---- R-EVM-5 to R-EVM-9 ---- */

static void first_in_order_wins(void)
{
    Board b = board(LITTLE);
    /* Added in the opposite of the order in which they are tried. */
    EventNotifier *nine = doorbell(&b, 0, 4, true, 9, "nine");
    EventNotifier *two = doorbell(&b, 0, 2, true, 9, "two");
    EventNotifier *wild = doorbell(&b, 0, 4, false, 0, "wild");

    address_space_stl_le(b.bus.as, 0, 9, PLAIN, NULL);
    check(fired(wild) && !fired(nine) && !fired(two));
    address_space_stw_le(b.bus.as, 0, 9, PLAIN, NULL);
    check(!fired(wild) && !fired(nine) && fired(two));
    EventNotifier *any = doorbell(&b, 0, 0, true, 0x33, "any");
    address_space_stl_le(b.bus.as, 0, 9, PLAIN, NULL);
    check(fired(any) && !fired(wild));
    address_space_stw_le(b.bus.as, 0, 9, PLAIN, NULL);
    check(fired(any) && !fired(two));
    memory_region_del_eventfd(b.device->mr, 0, 0, true, 0x33, any);
    memory_region_del_eventfd(b.device->mr, 0, 4, false, 0, wild);
    address_space_stl_le(b.bus.as, 0, 9, PLAIN, NULL);
    check(fired(nine));
}

static void notifier_breaks_ties(void)
{
    Board b = board(LITTLE);
    EventNotifier *x = doorbell(&b, 0, 4, false, 0, "x"), *y = doorbell(&b, 0, 4, false, 0, "y");
    bool x_fired, y_fired;

    address_space_stl_le(b.bus.as, 0, 9, PLAIN, NULL);
    x_fired = fired(x);
    y_fired = fired(y);
    check(x_fired != y_fired);
    address_space_stl_le(b.bus.as, 0, 9, PLAIN, NULL);
    check_number(fired(x), x_fired);
    check_number(fired(y), y_fired);
}

static void granularity_is_the_dispatch(void)
{
    Board b = board(LITTLE);
    EventNotifier *e = doorbell(&b, 8, 4, false, 0, "e");

    check_write(b.bus.as, 8, 8, 0x10, OK);
    check(fired(e));
    check_calls(b.device, "write 0xc+4=0x17161514\n");
    check_store(address_space_stq_le, b.bus.as, 8, 0x1122334455667788, OK);
    check(!fired(e));
    check_calls(b.device, "write 0x8+4=0x55667788\nwrite 0xc+4=0x11223344\n");
}

/* Pieces of the device's own width are not asked. */
static void pieces_do_not_hit(void)
{
    Board b = board(LITTLE, .impl_max = 2);
    EventNotifier *e = doorbell(&b, 8, 2, false, 0, "e");
    EventNotifier *whole = doorbell(&b, 4, 4, true, 0x11223344, "whole");

    check_store(address_space_stl_le, b.bus.as, 8, 0, OK);
    check(!fired(e));
    check_store(address_space_stl_le, b.bus.as, 4, 0x11223344, OK);
    check(fired(whole));
    check_calls(b.device, "write 0x8+2=0x0\nwrite 0xa+2=0x0\n");
}

static bool refuse_writes(Device *device, hwaddr addr, unsigned size, bool is_write)
{
    (void)device;
    (void)addr;
    (void)size;
    return is_write;
}

static void rejected_writes_do_not_signal(void)
{
    Board b = board(LITTLE, .valid_max = 2, .accepts = true);
    EventNotifier *four = doorbell(&b, 0, 4, false, 0, "four"), *two = doorbell(&b, 0, 2, false, 0, "two");

    check_store(address_space_stl_le, b.bus.as, 0, 0, DECODE);
    check(!fired(four));
    check_store(address_space_stw_le, b.bus.as, 0, 0, OK);
    check(fired(two));
    b.device->refuses = refuse_writes;
    check_store(address_space_stw_le, b.bus.as, 0, 0, DECODE);
    check(!fired(two));
}

/* Five fields first, in memcore: the other entries stay. */
static void deletion_is_exact(void)
{
    Board b = board(LITTLE);
    EventNotifier *two = doorbell(&b, 0, 2, false, 0, "two"), *any = doorbell(&b, 0, 0, false, 0, "any");
    EventNotifier *four = doorbell(&b, 0, 4, true, 3, "four");

    memory_region_del_eventfd(b.device->mr, 0, 4, true, 3, four);
    address_space_stb(b.bus.as, 0, 0, PLAIN, NULL);
    check(fired(any));
    memory_region_del_eventfd(b.device->mr, 0, 0, false, 0, any);
    address_space_stw_le(b.bus.as, 0, 0, PLAIN, NULL);
    check(fired(two));
    check(!fired(any));
    address_space_stl_le(b.bus.as, 0, 3, PLAIN, NULL);
    check(!fired(four));
}

static void uninitialised_notifier_counts_as_hit(void)
{
    Board b = board(LITTLE);
    EventNotifier *e = stage_storage(sizeof(*e));

    *e = (EventNotifier) { 0 };
    memory_region_add_eventfd(b.device->mr, 0, 4, false, 0, e);
    check_store(address_space_stl_le, b.bus.as, 0, 1, OK);
    check_calls(b.device, "");
    memory_region_del_eventfd(b.device->mr, 0, 4, false, 0, e);
}

/* ---- R-EVM-10: flushes ---- */

static void note_flush(void *opaque)
{
    g_string_append(opaque, "flush\n");
}

static void flush_before_each_chunk(void)
{
    Board b = board(LITTLE);
    GString *log = b.device->log;

    memory_region_set_flush_coalesced(b.device->mr);
    memcore_set_coalesced_flush(note_flush, log);
    check_write(b.bus.as, 0, 6, 0x10, OK);
    check_calls(b.device, "flush\nwrite 0x0+4=0x13121110\nflush\nwrite 0x4+2=0x1514\n");
    check_read(b.bus.as, 2, 6, OK, "12 13 14 15 06 07");
    check_calls(b.device, "flush\nread 0x2+2\nflush\nread 0x4+4\n");
    check_load(address_space_ldl_le, b.bus.as, 8, 0x0b0a0908, OK);
    check_store(address_space_stb, b.bus.as, 9, 1, OK);
    check_calls(b.device, "flush\nread 0x8+4\nflush\nwrite 0x9+1=0x1\n");
    memory_region_clear_flush_coalesced(b.device->mr);          /* R-COAL-2 */
    check_calls(b.device, "flush\n");
    check_store(address_space_stb, b.bus.as, 9, 2, OK);
    check_calls(b.device, "write 0x9+1=0x2\n");
    memcore_set_coalesced_flush(NULL, NULL);
}

static void flush_in_maps_and_caches(void)
{
    Board b = board(LITTLE);
    MemoryRegionCache cache;
    hwaddr plen = 4;
    void *mapped;

    memory_region_set_flush_coalesced(b.device->mr);
    memcore_set_coalesced_flush(note_flush, b.device->log);
    mapped = address_space_map(b.bus.as, 0, &plen, READ, PLAIN);
    check_calls(b.device, "flush\nread 0x0+4\n");
    address_space_unmap(b.bus.as, mapped, plen, READ, plen);
    check_calls(b.device, "");
    check_number(address_space_cache_init(&cache, b.bus.as, 0, 0x10, WRITE), 0x10);
    rcu_read_lock();
    check_load(address_space_lduw_le_cached, &cache, 2, 0x0302, OK);
    check_number(address_space_write_cached(&cache, 4, "\1", 1), OK);
    rcu_read_unlock();
    check_calls(b.device, "flush\nread 0x2+2\nflush\nwrite 0x4+1=0x1\n");
    address_space_cache_destroy(&cache);
    memcore_set_coalesced_flush(NULL, NULL);
}

static void no_flush_without_the_flag_or_for_ram(void)
{
    Board b = board(LITTLE);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    uint64_t value;

    stage_add(b.bus.root, 0x1000, ram);
    memory_region_set_flush_coalesced(ram);
    memcore_set_coalesced_flush(note_flush, b.device->log);
    check_read(b.bus.as, 0, 4, OK, "00 01 02 03");
    check_calls(b.device, "read 0x0+4\n");
    check_read(b.bus.as, 0x1000, 4, OK, "00 00 00 00");
    check_store(address_space_stl_le, b.bus.as, 0x1000, 4, OK);
    check_calls(b.device, "");
    memory_region_set_flush_coalesced(b.device->mr);
    memory_region_dispatch_read(b.device->mr, 0, &value, MO_LE | MO_32, PLAIN);
    check_calls(b.device, "read 0x0+4\n");
    memcore_set_coalesced_flush(NULL, NULL);
}

static void flush_with_coalesced_ranges(void)
{
    Board b = board(LITTLE);

    memory_region_add_coalescing(b.device->mr, 0x10, 4);
    memcore_set_coalesced_flush(note_flush, b.device->log);
    check_load(address_space_ldub, b.bus.as, 8, 8, OK);
    check_calls(b.device, "flush\nread 0x8+1\n");
    memory_region_transaction_begin();
    check_calls(b.device, "flush\n");
    memory_region_transaction_commit();
    g_string_truncate(b.device->log, 0);
    memory_region_clear_coalescing(b.device->mr);
    check(g_str_has_prefix(b.device->log->str, "flush\n"));
    g_string_truncate(b.device->log, 0);
    check_load(address_space_ldub, b.bus.as, 8, 8, OK);
    check_calls(b.device, "read 0x8+1\n");
    memcore_set_coalesced_flush(NULL, NULL);
}

/* ---- INV-18 ---- */

static void eventfds_conserve_writes(void)
{
    static const unsigned sizes[] = { 0, 1, 2, 4, 8 };
    uint64_t state = 18;

    for (int round = 0; round < 40; round++) {
        Board b = board(.order = (enum device_endian)random_below(&state, 3), .impl_max = 8, .valid_max = 8);
        EventNotifier *e[4];
        struct { hwaddr addr; unsigned size; bool match; uint64_t data; } f[4];

        for (int i = 0; i < 4; i++) {
            f[i].addr = random_below(&state, 4) * 4;
            f[i].size = sizes[random_below(&state, 5)];
            f[i].match = random_below(&state, 2);
            f[i].data = random_below(&state, 2);
            e[i] = doorbell(&b, f[i].addr, f[i].size, f[i].match, f[i].data, "e");
        }
        for (int i = 0; i < 20; i++) {
            unsigned size = sizes[1 + random_below(&state, 4)], signals = 0;
            hwaddr addr = random_below(&state, 16 / size) * size;
            uint64_t value = 0;

            b.device->calls = 0;
            check_number(memory_region_dispatch_write(b.device->mr, addr, random_below(&state, 2),
                                                      MO_LE | size_memop(size), PLAIN), OK);
            for (int j = 0; j < 4; j++) {
                signals += fired(e[j]);
            }
            check_number(signals + b.device->calls, 1);
            b.device->calls = 0;
            memory_region_dispatch_read(b.device->mr, addr, &value, MO_LE | size_memop(size), PLAIN);
            check_number(b.device->calls, 1);
        }
        for (int i = 0; i < 4; i++) {
            memory_region_del_eventfd(b.device->mr, f[i].addr, f[i].size, f[i].match, f[i].data, e[i]);
        }
        b.device->calls = 0;
        memory_region_dispatch_write(b.device->mr, f[0].addr, 0, MO_LE | MO_8, PLAIN);
        check_number(b.device->calls, 1);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-EVM-1/signal-instead-of-call", writes_signal_and_do_not_call);
    conformance_case("/R-EVM-1/one-notifier-only", one_notifier_only);
    conformance_case("/R-EVM-2/what-hits", what_hits);
    conformance_case("/R-EVM-3/data-in-target-order", data_is_what_the_target_stores);
    conformance_case("/R-EVM-4/data-wider-than-size", data_wider_than_the_size);
    conformance_case("/R-EVM-5/first-in-order-wins", first_in_order_wins);
    conformance_case("/R-EVM-5/notifier-breaks-ties", notifier_breaks_ties);
    conformance_case("/R-EVM-6/granularity", granularity_is_the_dispatch);
    conformance_case("/R-EVM-6/pieces-do-not-hit", pieces_do_not_hit);
    conformance_case("/R-EVM-7/rejected-writes", rejected_writes_do_not_signal);
    conformance_case("/R-EVM-8/deletion-is-exact", deletion_is_exact);
    conformance_case("/R-EVM-9/uninitialised-notifier", uninitialised_notifier_counts_as_hit);
    conformance_case("/R-EVM-10/before-each-chunk", flush_before_each_chunk);
    conformance_case("/R-EVM-10/maps-and-caches", flush_in_maps_and_caches);
    conformance_case("/R-EVM-10/not-without-the-flag", no_flush_without_the_flag_or_for_ram);
    conformance_case("/R-EVM-10/coalesced-ranges", flush_with_coalesced_ranges);
    conformance_case("/INV-18/writes-are-conserved", eventfds_conserve_writes);
    return g_test_run();
}
