/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host pointers to guest memory, and the one bounce buffer (R-MAP). */
#include "common/access.h"

#include <string.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

static void *map(Bus bus, hwaddr addr, hwaddr wanted, bool is_write, hwaddr *got)
{
    *got = wanted;
    return address_space_map(bus.as, addr, got, is_write, PLAIN);
}

/* ---- R-MAP-1, R-MAP-2: direct ---- */

static void wanted_and_mapped(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    hwaddr got;
    void *p;

    stage_add(bus.root, 0x1000, ram);
    p = map(bus, 0x1010, 0x100, READ, &got);
    check_pointer(p, ram_bytes(ram) + 0x10);
    check_number(got, 0x100);
    address_space_unmap(bus.as, p, got, READ, got);
    p = map(bus, 0x1010, 0x10000, WRITE, &got);
    check_pointer(p, ram_bytes(ram) + 0x10);
    check_number(got, 0x1ff0);
    address_space_unmap(bus.as, p, got, WRITE, 0);
    check_pointer(map(bus, 0x1010, 0, WRITE, &got), NULL);
    check_number(got, 0);
    check_pointer(map(bus, 0x9010, 0, READ, &got), NULL);
}

static void mapped_bytes_are_the_memory(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", 0x2000);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, ram);
    p = map(bus, 0x100, 4, WRITE, &got);
    memcpy(p, "abcd", 4);
    check_read(bus.as, 0x100, 4, OK, "61 62 63 64");
    check_write(bus.as, 0x102, 1, 0x11, OK);
    check_number(p[2], 0x11);
    address_space_unmap(bus.as, p, got, WRITE, 4);
    check_read(bus.as, 0x100, 4, OK, "61 62 11 64");
}

static void what_ends_a_mapping(void)
{
    Bus bus = bus_new("as"), pages = bus_new("pages");
    MemoryRegion *a = stage_ram("a", 0x1000), *b = stage_ram("b", 0x1000), *c = stage_ram("c", 0x4000);
    MemoryRegion *firm = stage_alias("firm", c, 0x1000, 0x1000);
    TableIommu *t = table_new("iommu", 0x10000, TABLE_PLAIN);
    hwaddr got;
    void *p;

    stage_add(bus.root, 0, a);
    stage_add(bus.root, 0x1000, b);
    p = map(bus, 0, 0x2000, READ, &got);
    check_pointer(p, ram_bytes(a));
    check_number(got, 0x1000);
    address_space_unmap(bus.as, p, got, READ, got);

    /* Three aliases side by side, the middle one with other attributes. */
    stage_add(bus.root, 0x10000, stage_alias("first", c, 0, 0x1000));
    stage_add(bus.root, 0x11000, firm);
    stage_add(bus.root, 0x12000, stage_alias("third", c, 0x2000, 0x2000));
    memory_region_set_nonvolatile(firm, true);
    memory_region_set_readonly(firm, true);
    check_view(bus.as, "a[0,0x1000), b[0x1000,0x2000), c[0x10000,0x11000), c[0x11000,0x12000)@0x1000 ro nv, "
               "c[0x12000,0x14000)@0x2000");
    p = map(bus, 0x10010, 0x10000, WRITE, &got);
    check_pointer(p, ram_bytes(c) + 0x10);
    check_number(got, 0x3ff0);
    address_space_unmap(bus.as, p, got, WRITE, 0);

    /* The same region, but not its next byte. */
    stage_add(bus.root, 0x14000, stage_alias("again", c, 0x1000, 0x1000));
    p = map(bus, 0x13000, 0x2000, READ, &got);
    check_number(got, 0x1000);
    address_space_unmap(bus.as, p, got, READ, got);

    stage_add(pages.root, 0x40000, table_region(t));
    table_map(t, 0, 0x4000, bus.as, 0x10000, 0xfff, IOMMU_RW);
    p = map(pages, 0x40010, 0x3000, READ, &got);
    check_pointer(p, ram_bytes(c) + 0x10);
    check_number(got, 0x3000);
    address_space_unmap(pages.as, p, got, READ, got);
    t->entries[0].size = 0x2000;
    p = map(pages, 0x40010, 0x3000, READ, &got);
    check_number(got, 0x1ff0);
    address_space_unmap(pages.as, p, got, READ, got);
}

static void rom_may_be_mapped_for_reading(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    hwaddr got;
    void *p;

    stage_add(bus.root, 0, rom);
    p = map(bus, 0, 0x1000, READ, &got);
    check_pointer(p, ram_bytes(rom));
    address_space_unmap(bus.as, p, got, READ, got);
}

/* ---- R-MAP-3 to R-MAP-6: bounced ---- */

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
        uint8_t *p = map(bus, cases[i].addr, cases[i].wanted, cases[i].is_write, &got);

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
    p = map(bus, 0x2000, 0x10, READ, &got);
    check(p != NULL);
    check_pointer(map(bus, 0x4000, 0x10, READ, &failed), NULL);
    check_number(failed, 0);
    check_pointer(map(other, 0x4000, 0x10, WRITE, &failed), NULL);
    check_number(failed, 0);
    q = map(bus, 0x1000, 0x1000, WRITE, &direct);
    check_pointer(q, ram_bytes(ram));
    check_number(direct, 0x1000);
    address_space_unmap(bus.as, q, direct, WRITE, 0);
    check_pointer(map(bus, 0x4000, 0x10, READ, &failed), NULL);
    address_space_unmap(bus.as, p, got, READ, got);
    p = map(other, 0x4000, 0x10, READ, &got);
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
    p = map(bus, 0, 6, READ, &got);
    check_bytes(p, 6, "10 11 12 13 04 05");
    check_calls(d, "read 0x0+2\nread 0x2+2\nread 0x4+2\n");
    address_space_unmap(bus.as, p, got, READ, got);
    check_calls(d, "");
    p = map(bus, 0, 6, WRITE, &got);
    check_calls(d, "");
    fill_counting(p, 6, 0x40);
    address_space_unmap(bus.as, p, got, WRITE, 6);
    check_calls(d, "write 0x0+2=0x4140\nwrite 0x2+2=0x4342\nwrite 0x4+2=0x4544\n");
    p = map(bus, 0x100, 6, READ, &got);
    check_bytes(p, 6, "00 00 00 00 00 00");
    address_space_unmap(bus.as, p, got, READ, got);
}

/* The rest of a failed fill is zeros, whatever was in the buffer before. */
static void failed_fill_is_zeros(void)
{
    Bus bus = bus_new("as");
    hwaddr got;
    uint8_t *p = map(bus, 0, TARGET_PAGE_SIZE, WRITE, &got);

    check_number(got, TARGET_PAGE_SIZE);
    memset(p, 0xff, got);
    address_space_unmap(bus.as, p, got, WRITE, got);
    p = map(bus, 0, TARGET_PAGE_SIZE, READ, &got);
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

/* ---- R-MAP-7 to R-MAP-10: the end ---- */

static void a_map_holds_the_owner(void)
{
    Bus bus = bus_new("as");
    Object *owner = stage_owner("owner");
    MemoryRegion *ram, *io;
    unsigned before;
    hwaddr got, second;
    void *p, *q;

    stage_set_owner(owner);
    ram = stage_ram("ram", 0x1000);
    io = stage_io("io", 0x1000);
    stage_add(bus.root, 0, ram);
    stage_add(bus.root, 0x1000, io);
    before = stage_owner_references(owner);
    p = map(bus, 0, 0x10, READ, &got);
    check_number(stage_owner_references(owner), before + 1);
    q = map(bus, 8, 0x10, READ, &second);
    check_number(stage_owner_references(owner), before + 2);
    address_space_unmap(bus.as, p, got, READ, got);
    address_space_unmap(bus.as, q, second, READ, second);
    check_number(stage_owner_references(owner), before);
    p = map(bus, 0x1000, 0x10, WRITE, &got);
    check_number(stage_owner_references(owner), before + 1);
    address_space_unmap(bus.as, p, got, WRITE, 0);
    check_number(stage_owner_references(owner), before);
}

static void the_last_map_may_end_the_owner(void)
{
    Bus bus = bus_new("as");
    Object *owner = stage_owner("owner");
    MemoryRegion *ram;
    hwaddr got;
    uint8_t *p;

    stage_set_owner(owner);
    ram = ram_counting("ram", 0x1000, 0x20);
    stage_add(bus.root, 0, ram);
    p = map(bus, 0, 0x10, WRITE, &got);
    stage_del(bus.root, ram);
    stage_owner_drop(owner);
    memcore_drain();
    check(!stage_owner_gone(owner));
    p[1] = 0x99;
    check_bytes(p, 2, "20 99");
    address_space_unmap(bus.as, p, got, WRITE, got);
    memcore_drain();
    check(stage_owner_gone(owner));
}

static void written_back_to_what_is_there_now(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x1000, LITTLE);
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, d->mr);
    p = map(bus, 0x10, 0x10, WRITE, &got);
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
    p = map(bus, 0, 8, READ, &got);
    g_string_truncate(d->log, 0);
    fill_counting(p, 8, 0x10);
    address_space_unmap(bus.as, p, got, WRITE, 4);
    check_calls(d, "write 0x0+4=0x13121110\n");
    p = map(bus, 0, 8, WRITE, &got);
    fill_counting(p, 8, 0x20);
    address_space_unmap(bus.as, p, got, READ, 8);
    check_calls(d, "");
    p = map(bus, 0, 8, WRITE, &got);
    fill_counting(p, 8, 0x30);
    address_space_unmap(bus.as, p, got, WRITE, 0);
    check_calls(d, "");
    p = map(bus, 4, 8, WRITE, &got);
    fill_counting(p, 8, 0x40);
    address_space_unmap(other.as, p, got, WRITE, 4);
    check_calls(d, "");
    check_calls(e, "write 0x4+4=0x43424140\n");
}

/* ---- R-MAP-11: who waits for the buffer ---- */

static void note_call(void *opaque)
{
    ++*(unsigned *)opaque;
}

static void clients_are_woken_once(void)
{
    Bus bus = bus_new("as");
    unsigned x_calls = 0, y_calls = 0, z_calls = 0;
    QEMUBH *x = qemu_bh_new(note_call, &x_calls), *y = qemu_bh_new(note_call, &y_calls);
    QEMUBH *z = qemu_bh_new(note_call, &z_calls);
    hwaddr got, failed = 1;
    void *p;

    cpu_register_map_client(x);
    memcore_run_bottom_halves();
    check_number(x_calls, 1);
    p = map(bus, 0, 1, READ, &got);
    cpu_register_map_client(x);
    cpu_register_map_client(y);
    cpu_register_map_client(z);
    cpu_unregister_map_client(z);
    cpu_unregister_map_client(z);
    memcore_run_bottom_halves();
    check_number(x_calls, 1);
    check_pointer(map(bus, 0, 1, READ, &failed), NULL);
    memcore_run_bottom_halves();
    check_number(x_calls + y_calls, 1);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(x_calls, 2);
    check_number(y_calls, 1);
    check_number(z_calls, 0);
    p = map(bus, 0, 1, READ, &got);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(x_calls + y_calls + z_calls, 3);
    qemu_bh_delete(x);
    qemu_bh_delete(y);
    qemu_bh_delete(z);
}

static void registered_twice_waits_twice(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls);
    hwaddr got;
    void *p = map(bus, 0, 1, READ, &got);

    cpu_register_map_client(bh);
    cpu_register_map_client(bh);
    cpu_unregister_map_client(bh);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(calls, 1);
    qemu_bh_delete(bh);
}

static void direct_unmaps_wake_nobody(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls);
    hwaddr got, direct;
    void *p, *q;

    stage_add(bus.root, 0x1000, stage_ram("ram", 0x1000));
    p = map(bus, 0, 1, READ, &got);
    cpu_register_map_client(bh);
    q = map(bus, 0x1000, 1, READ, &direct);
    address_space_unmap(bus.as, q, direct, READ, 1);
    memcore_run_bottom_halves();
    check_number(calls, 0);
    address_space_unmap(bus.as, p, got, READ, 1);
    memcore_run_bottom_halves();
    check_number(calls, 1);
    qemu_bh_delete(bh);
}

/* ---- R-MAP-4, R-MAP-11: two threads, the second played in the middle of the first ---- */

static struct {
    MemcorePlace place;         /* where the other thread comes in; MEMCORE_PLACES: nowhere any more */
    unsigned places;            /* a bit for each place that was told */
    AddressSpace *as;
    void *buffer;               /* it unmaps this, or ... */
    hwaddr length;
    QEMUBH *client;             /* ... this one waits, or leaves */
    bool leaves;
} other;

static void other_thread(void *opaque, MemcorePlace place)
{
    check_pointer(opaque, &other);
    other.places |= 1u << place;
    if (place != other.place) {
        return;
    }
    other.place = MEMCORE_PLACES;
    if (other.buffer) {
        address_space_unmap(other.as, other.buffer, other.length, READ, 0);
    } else if (other.leaves) {
        cpu_unregister_map_client(other.client);
    } else {
        cpu_register_map_client(other.client);
    }
}

static void other_thread_unmaps(MemcorePlace place, Bus bus, void *buffer, hwaddr length)
{
    memset(&other, 0, sizeof(other));
    other.place = place;
    other.as = bus.as;
    other.buffer = buffer;
    other.length = length;
    memcore_set_meanwhile(other_thread, &other);
}

static void other_thread_waits(MemcorePlace place, QEMUBH *client, bool leaves)
{
    memset(&other, 0, sizeof(other));
    other.place = place;
    other.client = client;
    other.leaves = leaves;
    memcore_set_meanwhile(other_thread, &other);
}

/* The places are told; ends the play. */
static void check_places(unsigned places)
{
    memcore_set_meanwhile(NULL, NULL);
    check_number(other.place, MEMCORE_PLACES);
    check_number(other.places, places);
    memcore_run_bottom_halves();
}

static void released_meanwhile(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0, left = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls), *leaver = qemu_bh_new(note_call, &left);
    hwaddr got, next;
    void *p = map(bus, 0, 1, READ, &got);

    other_thread_unmaps(MEMCORE_PLACE_WAIT, bus, p, got);
    cpu_register_map_client(bh);        /* R-MAP-11: it is free by now */
    check_places(1u << MEMCORE_PLACE_WAIT | 1u << MEMCORE_PLACE_UNMAP);
    check_number(calls, 1);

    p = map(bus, 0, 1, READ, &got);
    cpu_register_map_client(leaver);
    other_thread_unmaps(MEMCORE_PLACE_CANCEL, bus, p, got);
    cpu_unregister_map_client(leaver);  /* too late: it is absent */
    check_places(1u << MEMCORE_PLACE_CANCEL | 1u << MEMCORE_PLACE_UNMAP);
    check_number(left, 1);

    p = map(bus, 0, 1, READ, &got);
    other_thread_unmaps(MEMCORE_PLACE_MAP, bus, p, got);
    p = map(bus, 0, 1, READ, &next);    /* R-MAP-4 */
    check_places(1u << MEMCORE_PLACE_MAP | 1u << MEMCORE_PLACE_UNMAP);
    check(p != NULL);
    check_pointer(map(bus, 0, 1, READ, &got), NULL);
    address_space_unmap(bus.as, p, next, READ, 0);
    check_number(calls, 1);
    qemu_bh_delete(bh);
    qemu_bh_delete(leaver);
}

static void waits_and_leaves_meanwhile(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0, left = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls), *leaver = qemu_bh_new(note_call, &left);
    hwaddr got;
    void *p = map(bus, 0, 1, READ, &got);

    other_thread_waits(MEMCORE_PLACE_UNMAP, bh, false);
    address_space_unmap(bus.as, p, got, READ, 0);
    check_places(1u << MEMCORE_PLACE_UNMAP | 1u << MEMCORE_PLACE_WAIT);
    check_number(calls, 1);

    p = map(bus, 0, 1, READ, &got);
    cpu_register_map_client(leaver);
    other_thread_waits(MEMCORE_PLACE_UNMAP, leaver, true);
    address_space_unmap(bus.as, p, got, READ, 0);
    check_places(1u << MEMCORE_PLACE_UNMAP | 1u << MEMCORE_PLACE_CANCEL);
    check_number(left, 0);

    /* Nobody is asked any more. */
    other.places = 0;
    p = map(bus, 0, 1, READ, &got);
    address_space_unmap(bus.as, p, got, READ, 0);
    check_number(other.places, 0);
    qemu_bh_delete(bh);
    qemu_bh_delete(leaver);
}

/* Two regions over one host memory: whichever the buffer is put down to, the counts come out right. */
static void two_regions_over_one_memory(void)
{
    Bus bus = bus_new("as");
    uint8_t *host = stage_storage(0x1000);
    MemoryRegion *one = stage_ram_ptr("one", 0x1000, host), *two = stage_ram_ptr("two", 0x1000, host);
    hwaddr got;
    uint8_t *p;

    stage_add(bus.root, 0, one);
    stage_add(bus.root, 0x1000, two);
    p = map(bus, 0x1000, 0x10, WRITE, &got);
    check_pointer(p, host);
    p[0] = 0x42;
    address_space_unmap(bus.as, p, got, WRITE, 1);
    check_read(bus.as, 0, 1, OK, "42");
}

/* ---- INV-11, INV-12 ---- */

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
            uint8_t *p = map(mapped, addr, size, WRITE, &got);

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

static void the_buffer_is_exclusive(void)
{
    Bus bus = bus_new("as");
    unsigned calls = 0, expected = 0, waiting = 0;
    QEMUBH *bh = qemu_bh_new(note_call, &calls);
    uint64_t state = 12;
    void *held = NULL;
    hwaddr held_size = 0;

    for (int i = 0; i < 400; i++) {
        hwaddr got = 0x10;
        void *p;

        switch (random_below(&state, 4)) {
        case 0:
            p = map(bus, 0x100 * (hwaddr)i, 0x10, READ, &got);
            check((p != NULL) == (held == NULL));
            check_number(got, p ? 0x10 : 0);
            if (p) {
                held = p;
                held_size = got;
            }
            break;
        case 1:
            if (held) {
                address_space_unmap(bus.as, held, held_size, READ, 0);
                held = NULL;
                expected += waiting > 0;
                waiting = 0;
            }
            break;
        case 2:
            if (held) {
                cpu_register_map_client(bh);
                waiting++;
            }
            break;
        default:
            cpu_unregister_map_client(bh);
            waiting -= waiting > 0;
        }
        memcore_run_bottom_halves();
        check_number(calls, expected);
    }
    if (held) {
        address_space_unmap(bus.as, held, held_size, READ, 0);
    }
    memcore_run_bottom_halves();
    qemu_bh_delete(bh);
}

/* ---- INV-24 ---- */

static void references_are_balanced(void)
{
    Object *owner = stage_owner("owner");
    Bus bus = bus_new("as");
    uint64_t state = 24;
    MemoryRegion *ram, *io;
    unsigned before;

    stage_set_owner(owner);
    ram = stage_ram("ram", 0x1000);
    io = stage_io("io", 0x1000);
    memcore_drain();
    before = stage_owner_references(owner);
    for (int round = 0; round < 100; round++) {
        MemoryRegionCache cache[2];
        hwaddr got[2], addr = random_below(&state, 0x2000);
        void *p[2];

        stage_add(bus.root, 0, ram);
        stage_add(bus.root, 0x1000, io);
        p[0] = map(bus, addr, 0x10, WRITE, &got[0]);
        address_space_cache_init(&cache[0], bus.as, addr, 0x10, WRITE);
        p[1] = map(bus, random_below(&state, 0x1000), 0x10, READ, &got[1]);
        address_space_cache_init(&cache[1], bus.as, random_below(&state, 0x2000), 0x10, READ);
        if (random_below(&state, 2)) {
            address_space_cache_destroy(&cache[1]);
            address_space_unmap(bus.as, p[1], got[1], READ, 0);
            stage_del(bus.root, ram);
            stage_del(bus.root, io);
        } else {
            stage_del(bus.root, io);
            stage_del(bus.root, ram);
            address_space_unmap(bus.as, p[1], got[1], READ, 0);
            memcore_drain();
            address_space_cache_destroy(&cache[1]);
        }
        memcore_drain();
        check(stage_owner_references(owner) > before);
        address_space_cache_destroy(&cache[0]);
        address_space_unmap(bus.as, p[0], got[0], WRITE, 0);
        memcore_drain();
        check_number(stage_owner_references(owner), before);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MAP-1/wanted-and-mapped", wanted_and_mapped);
    conformance_case("/R-MAP-2/the-memory-itself", mapped_bytes_are_the_memory);
    conformance_case("/R-MAP-2/what-ends-it", what_ends_a_mapping);
    conformance_case("/R-MAP-2/rom-for-reading", rom_may_be_mapped_for_reading);
    conformance_case_4k("/R-MAP-3/what-is-bounced", what_is_bounced);
    conformance_case("/R-MAP-4/one-buffer-for-all", one_buffer_for_all);
    conformance_case("/R-MAP-5/filled-when-mapped", filled_when_mapped);
    conformance_case("/R-MAP-5/failed-fill", failed_fill_is_zeros);
    conformance_case("/R-MAP-6/attributes", attributes_of_transfers);
    conformance_case("/R-MAP-7/holds-the-owner", a_map_holds_the_owner);
    conformance_case("/R-MAP-8/drops-the-reference", the_last_map_may_end_the_owner);
    conformance_case("/R-MAP-9/what-is-there-now", written_back_to_what_is_there_now);
    conformance_case("/R-MAP-10/unmap-decides", unmap_decides);
    conformance_case("/R-MAP-11/woken-once", clients_are_woken_once);
    conformance_case("/R-MAP-11/registered-twice", registered_twice_waits_twice);
    conformance_case("/R-MAP-11/direct-unmaps", direct_unmaps_wake_nobody);
    conformance_case("/R-MAP-11/released-meanwhile", released_meanwhile);
    conformance_case("/R-MAP-11/waits-and-leaves-meanwhile", waits_and_leaves_meanwhile);
    conformance_case("/R-MAP-12/one-memory", two_regions_over_one_memory);
    conformance_case("/INV-11/maps-are-writes", maps_are_writes);
    conformance_case("/INV-12/exclusive", the_buffer_is_exclusive);
    conformance_case("/INV-24/references", references_are_balanced);
    return g_test_run();
}
