/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioeventfds: a region's list of them, what is added to it and what is taken out (R-EFD-1 to 3). */
#include "eventfd_world.h"

/* ---- R-EFD-1: the list ---- */

static void sorted_by_all_fields(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 8, 1, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0, 8, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 0, 4, true, 5, w.e0);
    memory_region_add_eventfd(w.a, 0, 4, true, 3, w.e1);
    memory_region_add_eventfd(w.a, 0, 4, true, 3, w.e0);
    memory_region_add_eventfd(w.a, 0, 4, false, 7, w.e1);
    memory_region_add_eventfd(w.a, 0, 4, false, 99, w.e0);      /* data does not count without match */
    memory_region_add_eventfd(w.a, 0, 0, true, 0xffff, w.e2);
    memory_region_add_eventfd(w.a, 0, 2, true, 0xffff, w.e1);
    memory_region_transaction_commit();
    check_log(w.log,
              "eventfd_add 0x1000+0 data 0xffff match e2\n"
              "eventfd_add 0x1000+0x2 data 0xffff match e1\n"
              "eventfd_add 0x1000+0x4 data 0x63 e0\n"
              "eventfd_add 0x1000+0x4 data 0x7 e1\n"
              "eventfd_add 0x1000+0x4 data 0x3 match e0\n"
              "eventfd_add 0x1000+0x4 data 0x3 match e1\n"
              "eventfd_add 0x1000+0x4 data 0x5 match e0\n"
              "eventfd_add 0x1000+0x8 data 0x0 e0\n"
              "eventfd_add 0x1008+0x1 data 0x0 e0\n");
}

/* 2^63 and more: addresses and data are unsigned. */
static void sorted_unsigned(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0, 8, true, UINT64_MAX, w.e0);
    memory_region_add_eventfd(w.a, 0, 8, true, 1, w.e0);
    memory_region_add_eventfd(w.a, 0, 8, true, UINT64_C(1) << 63, w.e0);
    memory_region_transaction_commit();
    check_log(w.log,
              "eventfd_add 0x1000+0x8 data 0x1 match e0\n"
              "eventfd_add 0x1000+0x8 data 0x8000000000000000 match e0\n"
              "eventfd_add 0x1000+0x8 data 0xffffffffffffffff match e0\n");
}

static void duplicates_are_reported_each(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 4, 2, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 2, false, 0, w.e0);
    memory_region_transaction_commit();
    check_log(w.log, "eventfd_add 0x1004+0x2 data 0x0 e0\neventfd_add 0x1004+0x2 data 0x0 e0\n");
    memory_region_add_eventfd(w.a, 4, 2, false, 0, w.e0);
    check_log(w.log, "eventfd_add 0x1004+0x2 data 0x0 e0\n");
    memory_region_del_eventfd(w.a, 4, 2, false, 0, w.e0);
    memory_region_del_eventfd(w.a, 4, 2, false, 0, w.e0);
    check_log(w.log, "eventfd_del 0x1004+0x2 data 0x0 e0\neventfd_del 0x1004+0x2 data 0x0 e0\n");
    idle_commit();
    check_log(w.log, IDLE);
    memory_region_del_eventfd(w.a, 4, 2, false, 0, w.e0);
    check_log(w.log, "eventfd_del 0x1004+0x2 data 0x0 e0\n");
}

/* Data tells them apart, which does not count without match. */
static void equals_go_behind(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 4, 2, false, 7, w.e0);
    memory_region_add_eventfd(w.a, 4, 2, false, 3, w.e0);
    memory_region_add_eventfd(w.a, 4, 2, false, 5, w.e0);
    memory_region_transaction_commit();
    check_log(w.log, "eventfd_add 0x1004+0x2 data 0x7 e0\neventfd_add 0x1004+0x2 data 0x3 e0\n"
              "eventfd_add 0x1004+0x2 data 0x5 e0\n");
}

/* The topology flag is not set: no begin, no nop, no commit; and a disabled region sets no flag at all. */
static void no_topology_commit(void)
{
    EventfdWorld w = eventfd_world_new();
    FlatView *view = address_space_to_flatview(w.as);

    memory_region_add_eventfd(w.a, 0, 4, false, 0, w.e0);
    memory_region_del_eventfd(w.a, 0, 4, false, 0, w.e0);
    check_log(w.log, "eventfd_add 0x1000+0x4 data 0x0 e0\neventfd_del 0x1000+0x4 data 0x0 e0\n");
    check_pointer(address_space_to_flatview(w.as), view);
    memory_region_transaction_begin();
    memory_region_add_eventfd(w.a, 0, 4, false, 0, w.e0);
    memory_region_del_eventfd(w.a, 0, 4, false, 0, w.e0);
    memory_region_transaction_commit();
    check_log(w.log, "");
}

/* ---- R-EFD-2: byte order of data ---- */

static const MemoryRegionOps big_ops = { .endianness = DEVICE_BIG_ENDIAN };
static const MemoryRegionOps native_ops = { .endianness = DEVICE_NATIVE_ENDIAN };

static void big_endian_data_is_reversed(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *big = stage_io_ops("big", 0x1000, &big_ops, NULL);

    stage_add(w.root, 0x8000, big);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(big, 0, 4, true, 0x11223344, w.e0);
    memory_region_add_eventfd(big, 4, 2, true, 0x11223344, w.e0);
    memory_region_add_eventfd(big, 8, 4, false, 0x11223344, w.e0);
    memory_region_add_eventfd(big, 12, 1, true, 0x11223344, w.e0);
    memory_region_add_eventfd(big, 16, 8, true, 0x11223344, w.e0);
    memory_region_add_eventfd(big, 24, 0, true, 0x11223344, w.e0);
    memory_region_add_eventfd(big, 32, 4, true, UINT64_C(0xaabbccdd11223344), w.e0);
    check_log(w.log,
              "eventfd_add 0x8000+0x4 data 0x44332211 match e0\n"
              "eventfd_add 0x8004+0x2 data 0x4433 match e0\n"
              "eventfd_add 0x8008+0x4 data 0x44332211 e0\n"
              "eventfd_add 0x800c+0x1 data 0x44 match e0\n"
              "eventfd_add 0x8010+0x8 data 0x4433221100000000 match e0\n"
              "eventfd_add 0x8018+0 data 0x11223344 match e0\n"
              "eventfd_add 0x8020+0x4 data 0x44332211 match e0\n");
}

/* del converts its argument likewise, or it would not find the entry. */
static void big_endian_data_is_found_again(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *big = stage_io_ops("big", 0x1000, &big_ops, NULL);

    stage_add(w.root, 0x8000, big);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(big, 0, 4, true, 0x44332211, w.e0);
    memory_region_add_eventfd(big, 0, 4, true, 0x11223344, w.e0);
    check_log(w.log,
              "eventfd_add 0x8000+0x4 data 0x11223344 match e0\n"
              "eventfd_add 0x8000+0x4 data 0x44332211 match e0\n");
    memory_region_del_eventfd(big, 0, 4, true, 0x11223344, w.e0);
    check_log(w.log, "eventfd_del 0x8000+0x4 data 0x44332211 match e0\n");
    memory_region_del_eventfd(big, 0, 4, true, UINT64_C(0x9944332211), w.e0);
    check_log(w.log, "eventfd_del 0x8000+0x4 data 0x11223344 match e0\n");
}

static void little_endian_data_is_kept(void)
{
    EventfdWorld w = eventfd_world_new();
    MemoryRegion *native = stage_io_ops("native", 0x1000, &native_ops, NULL);
    MemoryRegion *reservation = stage_io_ops("reservation", 0x1000, NULL, NULL);

    stage_add(w.root, 0x8000, native);
    stage_add(w.root, 0xa000, reservation);
    g_string_truncate(w.log, 0);
    memory_region_add_eventfd(w.a, 0, 4, true, 0x11223344, w.e0);
    memory_region_add_eventfd(w.a, 4, 2, true, 0x11223344, w.e0);
    memory_region_add_eventfd(w.a, 8, 1, false, UINT64_MAX, w.e0);
    memory_region_add_eventfd(native, 0, 2, true, 0x11223344, w.e0);
    memory_region_add_eventfd(reservation, 0, 2, true, 0x11223344, w.e0);
    check_log(w.log,
              "eventfd_add 0x1000+0x4 data 0x11223344 match e0\n"
              "eventfd_add 0x1004+0x2 data 0x11223344 match e0\n"
              "eventfd_add 0x1008+0x1 data 0xffffffffffffffff e0\n"
              "eventfd_add 0x8000+0x2 data 0x11223344 match e0\n"
              "eventfd_add 0xa000+0x2 data 0x11223344 match e0\n");
}

/* ---- R-EFD-3: which entry del takes ---- */

static void size_zero_is_a_wildcard(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_add_eventfd(w.a, 4, 0, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, true, 0x1234, w.e1);
    g_string_truncate(w.log, 0);
    memory_region_del_eventfd(w.a, 4, 4, true, 0x777, w.e2);
    check_log(w.log, "eventfd_del 0x1004+0 data 0x0 e0\n");
    memory_region_del_eventfd(w.a, 4, 0, true, 0x777, w.e2);
    check_log(w.log, "eventfd_del 0x1004+0x4 data 0x0 e0\n");
    memory_region_del_eventfd(w.a, 4, 0, false, 0, w.e2);
    check_log(w.log, "eventfd_del 0x1004+0x4 data 0x1234 match e1\n");
}

/* memcore: an exact match wins over a wildcard that stands before it. */
static void exact_match_comes_first(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_add_eventfd(w.a, 4, 0, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 0, false, 0, w.e1);
    memory_region_add_eventfd(w.a, 4, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, true, 1, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, true, 2, w.e0);
    g_string_truncate(w.log, 0);
    memory_region_del_eventfd(w.a, 4, 4, true, 2, w.e0);
    memory_region_del_eventfd(w.a, 4, 4, false, 0x99, w.e0);    /* data counts with match only */
    memory_region_del_eventfd(w.a, 4, 0, false, 0, w.e1);
    check_log(w.log,
              "eventfd_del 0x1004+0x4 data 0x2 match e0\n"
              "eventfd_del 0x1004+0x4 data 0x0 e0\n"
              "eventfd_del 0x1004+0 data 0x0 e1\n");
}

static void every_field_tells_entries_apart(void)
{
    EventfdWorld w = eventfd_world_new();

    memory_region_add_eventfd(w.a, 4, 2, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, false, 0, w.e0);
    memory_region_add_eventfd(w.a, 4, 4, false, 0, w.e1);
    memory_region_add_eventfd(w.a, 4, 4, true, 0, w.e0);
    memory_region_add_eventfd(w.a, 8, 4, false, 0, w.e0);
    g_string_truncate(w.log, 0);
    memory_region_del_eventfd(w.a, 4, 4, true, 0, w.e0);
    memory_region_del_eventfd(w.a, 8, 4, false, 0, w.e0);
    memory_region_del_eventfd(w.a, 4, 4, false, 0, w.e1);
    memory_region_del_eventfd(w.a, 4, 4, false, 0, w.e0);
    memory_region_del_eventfd(w.a, 4, 2, false, 0, w.e0);
    check_log(w.log,
              "eventfd_del 0x1004+0x4 data 0x0 match e0\n"
              "eventfd_del 0x1008+0x4 data 0x0 e0\n"
              "eventfd_del 0x1004+0x4 data 0x0 e1\n"
              "eventfd_del 0x1004+0x4 data 0x0 e0\n"
              "eventfd_del 0x1004+0x2 data 0x0 e0\n");
}

static void del_without_an_entry(void)
{
    MemoryRegion *mr = stage_io("doorbell", 0x1000);

    memory_region_del_eventfd(mr, 4, 4, false, 0, stage_notifier("e"));
}

static void del_at_another_address(void)
{
    MemoryRegion *mr = stage_io("doorbell", 0x1000);
    EventNotifier *e = stage_notifier("e");

    memory_region_add_eventfd(mr, 4, 0, false, 0, e);
    memory_region_del_eventfd(mr, 8, 0, false, 0, e);
}

static void del_with_other_data(void)
{
    MemoryRegion *mr = stage_io("doorbell", 0x1000);
    EventNotifier *e = stage_notifier("e");

    memory_region_add_eventfd(mr, 4, 4, true, 1, e);
    memory_region_del_eventfd(mr, 4, 4, true, 2, e);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-EFD-1/sorted-by-all-fields", sorted_by_all_fields);
    conformance_case("/R-EFD-1/data-is-unsigned", sorted_unsigned);
    conformance_case("/R-EFD-1/duplicates", duplicates_are_reported_each);
    conformance_case("/R-EFD-1/behind-equals", equals_go_behind);
    conformance_case("/R-EFD-1/no-topology-commit", no_topology_commit);
    conformance_case("/R-EFD-2/big-endian", big_endian_data_is_reversed);
    conformance_case("/R-EFD-2/big-endian-del", big_endian_data_is_found_again);
    conformance_case("/R-EFD-2/little-endian-and-native", little_endian_data_is_kept);
    conformance_case("/R-EFD-3/size-zero-is-a-wildcard", size_zero_is_a_wildcard);
    conformance_case("/R-EFD-3/exact-match-first", exact_match_comes_first);
    conformance_case("/R-EFD-3/every-field", every_field_tells_entries_apart);
    conformance_misuse("/R-EFD-3/no-entry", del_without_an_entry, "memory_region_del_eventfd", "doorbell*(R-EFD-3)");
    conformance_misuse("/R-EFD-3/other-address", del_at_another_address,
                       "memory_region_del_eventfd", "doorbell*(R-EFD-3)");
    conformance_misuse("/R-EFD-3/other-data", del_with_other_data, "memory_region_del_eventfd", "doorbell*(R-EFD-3)");
    return g_test_run();
}
