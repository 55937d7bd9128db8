/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mappings of what is no memory: a buffer that is filled and written back (R-MAP-3 to 6, 9, 10; INV-11). */
#include "common/access.h"

#include <string.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

/* ---- R-MAP-3 to R-MAP-6: mapped ---- */

static void what_is_bounced(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    MemoryRegion *rom = stage_rom("rom", 0x1000), *bar = stage_storage(sizeof(*bar));
    uint8_t *host = stage_storage(0x1000);
    static const struct {
        hwaddr addr, wanted;
        bool is_write;
        hwaddr got;
    } cases[] = {
        { 0x0, 0x10000, READ, 0x1000 },         /* a hole, a page of it */
        { 0x0ff0, 0x100, READ, 0x100 },         /* unclamped: on into the device */
        { 0x1010, 0x20, READ, 0x20 },
        { 0x1ff0, 0x10000, WRITE, 0x1000 },
        { 0x2ff0, 0x10000, WRITE, 0x10 },       /* ROM for writing ends */
        { 0x3f00, 0x10000, READ, 0x100 },       /* so does a RAM device */
        { 0x41010, 0x3000, READ, 0x1000 },      /* a denied page */
        { 0x42010, 0x3000, WRITE, 0x1000 },     /* one that may be read only */
    };

    memory_region_init_ram_device_ptr(bar, NULL, "bar", 0x1000, host);
    stage_adopt(bar, NULL);
    stage_add(bus.root, 0x1000, device("dev", 0x1000, LITTLE)->mr);
    stage_add(bus.root, 0x2000, rom);
    stage_add(bus.root, 0x3000, bar);
    stage_add(bus.root, 0x40000, table_region(t));
    table_map(t, 0x2000, 0x1000, target.as, 0, 0xfff, IOMMU_RO);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        hwaddr got;
        uint8_t *p = bus_map(bus, cases[i].addr, cases[i].wanted, cases[i].is_write, &got);

        check(p != NULL);
        check(p != ram_bytes(rom) + (cases[i].addr & 0xfff) && p != host + (cases[i].addr & 0xfff));
        check_number((uintptr_t)p & (TARGET_PAGE_SIZE - 1), 0);
        if (!check_number(got, cases[i].got)) {
            g_printerr("  case %zu\n", i);
        }
        address_space_unmap(bus.as, p, got, cases[i].is_write, 0);
    }
}

static void one_buffer_for_all(void)
{
    Bus bus = bus_new("as"), other = bus_new("other");
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    hwaddr got, direct, failed = 0x10;
    void *p, *q;

    stage_add(bus.root, 0x1000, ram);
    p = bus_map(bus, 0x2000, 0x10, READ, &got);
    check(p != NULL);
    check_pointer(bus_map(bus, 0x4000, 0x10, READ, &failed), NULL);
    check_number(failed, 0);
    check_pointer(bus_map(other, 0x4000, 0x10, WRITE, &failed), NULL);
    check_number(failed, 0);
    q = bus_map(bus, 0x1000, 0x1000, WRITE, &direct);
    check_pointer(q, ram_bytes(ram));
    check_number(direct, 0x1000);
    address_space_unmap(bus.as, q, direct, WRITE, 0);
    check_pointer(bus_map(bus, 0x4000, 0x10, READ, &failed), NULL);
    address_space_unmap(bus.as, p, got, READ, got);
    p = bus_map(other, 0x4000, 0x10, READ, &got);
    check(p != NULL);
    address_space_unmap(other.as, p, got, READ, got);
}

static void filled_when_mapped(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, LITTLE, .with_attrs = true, .valid_max = 2);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, d->mr);
    device_answer(d, 0x1110, OK);
    device_answer(d, 0x1312, FAILED);
    p = bus_map(bus, 0, 6, READ, &got);
    check_bytes(p, 6, "10 11 12 13 04 05");
    check_calls(d, "read 0x0+2\nread 0x2+2\nread 0x4+2\n");
    address_space_unmap(bus.as, p, got, READ, got);
    check_calls(d, "");
    p = bus_map(bus, 0, 6, WRITE, &got);
    check_calls(d, "");
    fill_counting(p, 6, 0x40);
    address_space_unmap(bus.as, p, got, WRITE, 6);
    check_calls(d, "write 0x0+2=0x4140\nwrite 0x2+2=0x4342\nwrite 0x4+2=0x4544\n");
    p = bus_map(bus, 0x100, 6, READ, &got);
    check_bytes(p, 6, "00 00 00 00 00 00");
    address_space_unmap(bus.as, p, got, READ, got);
}

/* The rest of a failed fill is zeros, whatever was in the buffer before. */
static void failed_fill_is_zeros(void)
{
    Bus bus = bus_new("as");
    hwaddr got;
    uint8_t *p = bus_map(bus, 0, TARGET_PAGE_SIZE, WRITE, &got);

    check_number(got, TARGET_PAGE_SIZE);
    memset(p, 0xff, got);
    address_space_unmap(bus.as, p, got, WRITE, got);
    p = bus_map(bus, 0, TARGET_PAGE_SIZE, READ, &got);
    check_bytes(p, 4, "00 00 00 00");
    check_bytes(p + got - 4, 4, "00 00 00 00");
    address_space_unmap(bus.as, p, got, READ, got);
}

/* Unspecified in 7.2, the caller's if better: but the same way in and out. */
static void attributes_of_transfers(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, LITTLE, .with_attrs = true);
    const MemTxAttrs secure = { .secure = 1, .requester_id = 3 };
    hwaddr got = 4;
    uint8_t *p;
    bool kept;

    stage_add(bus.root, 0, d->mr);
    d->show_attrs = true;
    p = address_space_map(bus.as, 0, &got, READ, secure);
    kept = g_str_equal(d->log->str, "read 0x0+4 attrs(secure 3)\n");
    check(kept || g_str_equal(d->log->str, "read 0x0+4 attrs(unspecified 0)\n"));
    address_space_unmap(bus.as, p, got, READ, got);
    g_string_truncate(d->log, 0);
    p = address_space_map(bus.as, 0, &got, WRITE, secure);
    memset(p, 0, 4);
    address_space_unmap(bus.as, p, got, WRITE, got);
    check_calls(d, kept ? "write 0x0+4=0x0 attrs(secure 3)\n" : "write 0x0+4=0x0 attrs(unspecified 0)\n");
}

/* ---- R-MAP-9, R-MAP-10: unmapped ---- */

static void written_back_to_what_is_there_now(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, d->mr);
    p = bus_map(bus, 0x10, 0x10, WRITE, &got);
    fill_counting(p, 0x10, 0x70);
    stage_add_overlap(bus.root, 0, ram, 1);
    address_space_unmap(bus.as, p, got, WRITE, 6);
    check_calls(d, "");
    check_bytes(ram_bytes(ram) + 0x0f, 8, "00 70 71 72 73 74 75 00");
}

/* The space given to unmap counts, and is_write there; access_len bounds it. */
static void unmap_decides(void)
{
    Bus bus = bus_new("as"), other = bus_new("other");
    Device *d = device("dev", 0x100, LITTLE, .with_attrs = true), *e = device("other-dev", 0x100, LITTLE);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, d->mr);
    stage_add(other.root, 0, e->mr);
    d->result = FAILED;
    p = bus_map(bus, 0, 8, READ, &got);
    g_string_truncate(d->log, 0);
    fill_counting(p, 8, 0x10);
    address_space_unmap(bus.as, p, got, WRITE, 4);
    check_calls(d, "write 0x0+4=0x13121110\n");
    p = bus_map(bus, 0, 8, WRITE, &got);
    fill_counting(p, 8, 0x20);
    address_space_unmap(bus.as, p, got, READ, 8);
    check_calls(d, "");
    p = bus_map(bus, 0, 8, WRITE, &got);
    fill_counting(p, 8, 0x30);
    address_space_unmap(bus.as, p, got, WRITE, 0);
    check_calls(d, "");
    p = bus_map(bus, 4, 8, WRITE, &got);
    fill_counting(p, 8, 0x40);
    address_space_unmap(other.as, p, got, WRITE, 4);
    check_calls(d, "");
    check_calls(e, "write 0x4+4=0x43424140\n");
}

static void maps_are_writes(void)
{
    uint64_t state = 11;

    for (int round = 0; round < 30; round++) {
        Bus mapped = bus_new("mapped"), written = bus_new("written");
        GString *by_map = stage_log(), *by_write = stage_log();
        hwaddr end = 0;

        for (int i = 0; i < 8; i++) {
            uint64_t size = 1 + random_below(&state, 40);

            if (random_below(&state, 2)) {
                stage_add(mapped.root, end, ram_counting("ram", size, 0));
                stage_add(written.root, end, ram_counting("ram", size, 0));
            } else {
                Device *m = device("dev", size, LITTLE), *w = device("dev", size, LITTLE);

                stage_add(mapped.root, end, m->mr);
                stage_add(written.root, end, w->mr);
                m->log = by_map;
                w->log = by_write;
            }
            end += size;
        }
        for (int i = 0; i < 40; i++) {
            hwaddr addr = random_below(&state, end), size = 1 + random_below(&state, 50), got, used;
            uint8_t data[64], seen[2][512];
            uint8_t *p = bus_map(mapped, addr, size, WRITE, &got);

            g_assert_nonnull(p);
            check(got >= 1 && got <= size);
            check_number(by_map->len, by_write->len);
            used = random_below(&state, got + 1);
            fill_counting(data, sizeof(data), (unsigned)random_next(&state));
            memcpy(p, data, used);
            address_space_unmap(mapped.as, p, got, WRITE, used);
            address_space_write(written.as, addr, PLAIN, data, used);
            check_text(by_map->str, by_write->str);
            g_string_truncate(by_map, 0);
            g_string_truncate(by_write, 0);
            address_space_rw(mapped.as, 0, PLAIN, seen[0], end, READ);
            address_space_rw(written.as, 0, PLAIN, seen[1], end, READ);
            check(memcmp(seen[0], seen[1], end) == 0);
            g_string_truncate(by_map, 0);
            g_string_truncate(by_write, 0);
        }
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case_4k("/R-MAP-3/what-is-bounced", what_is_bounced);
    conformance_case("/R-MAP-4/one-buffer-for-all", one_buffer_for_all);
    conformance_case("/R-MAP-5/filled-when-mapped", filled_when_mapped);
    conformance_case("/R-MAP-5/failed-fill", failed_fill_is_zeros);
    conformance_case("/R-MAP-6/attributes", attributes_of_transfers);
    conformance_case("/R-MAP-9/what-is-there-now", written_back_to_what_is_there_now);
    conformance_case("/R-MAP-10/unmap-decides", unmap_decides);
    conformance_case("/INV-11/maps-are-writes", maps_are_writes);
    return g_test_run();
}
