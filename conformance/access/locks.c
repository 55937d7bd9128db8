/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The big lock, RCU, and callbacks that access memory or change the map themselves (R-LCK). */
#include "common/access.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN

/* ---- R-LCK-1, R-LCK-2, INV-23 ---- */

static void without_lock(void (*function)(void *opaque), void *opaque)
{
    qemu_mutex_unlock_iothread();
    function(opaque);
    check(!qemu_mutex_iothread_locked());
    check(!rcu_read_ongoing());
    qemu_mutex_lock_iothread();
}

static void access_device(void *opaque)
{
    Bus *bus = opaque;

    check_read(bus->as, 0, 6, OK, "00 01 02 03 04 05");
    check_write(bus->as, 0, 1, 0, OK);
    check_load(address_space_ldl_le, bus->as, 4, 0x07060504, OK);
    check_store(address_space_stb, bus->as, 9, 9, OK);
}

static void callbacks_run_locked(void)
{
    Bus bus = bus_new("as");
    Device *d = device("dev", 0x10, LITTLE, .accepts = true);

    stage_add(bus.root, 0, d->mr);
    d->show_lock = true;
    without_lock(access_device, &bus);
    check_calls(d,
                "accepts read 0x0+4 locked\nread 0x0+4 locked\naccepts read 0x4+2 locked\nread 0x4+2 locked\n"
                "accepts write 0x0+1 locked\nwrite 0x0+1=0x0 locked\n"
                "accepts read 0x4+4 locked\nread 0x4+4 locked\n"
                "accepts write 0x9+1 locked\nwrite 0x9+1=0x9 locked\n");
    access_device(&bus);
    check(qemu_mutex_iothread_locked());
}

/* The lock is given back after each chunk: the IOMMU in between sees that. */
static void lock_is_given_back_between_chunks(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x10, TABLE_PLAIN);
    Device *d = device("dev", 0x10, LITTLE);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, d->mr);
    table_map(t, 0, 0x10, target.as, 0, 0xf, IOMMU_RW);
    t->log = d->log;
    t->log_translate = t->show_lock = true;
    d->show_lock = true;
    without_lock(access_device, &bus);
    check(g_str_has_prefix(d->log->str,
                           "translate 0x0 r 0 unlocked\nread 0x0+4 locked\n"
                           "translate 0x4 r 0 unlocked\nread 0x4+2 locked\n"));
}

/* Everything there is, where it fails, on a thread without the lock. */
static void fail_everywhere(void *opaque)
{
    Bus *bus = opaque;
    uint8_t bytes[32];
    const MemTxAttrs memory_only = { .memory = 1 };
    const hwaddr places[] = { 0, 0x100, 0x200, 0x300, 0x400, 0x1000 };
    MemTxResult result;

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        hwaddr at = places[i] + 5, got = 16, second_got = 4;
        MemoryRegionCache cache;
        void *p, *second;

        address_space_rw(bus->as, at, PLAIN, bytes, 32, READ);
        address_space_rw(bus->as, at, memory_only, bytes, 32, READ);
        address_space_write(bus->as, at, PLAIN, bytes, 32);
        address_space_write(bus->as, at, memory_only, bytes, 32);
        address_space_write_rom(bus->as, at, PLAIN, bytes, 32);
        address_space_set(bus->as, at, 0, 600, PLAIN);
        address_space_read(bus->as, at, PLAIN, bytes, 8);
        address_space_read(bus->as, at, memory_only, bytes, 8);
        address_space_access_valid(bus->as, at, 32, WRITE, PLAIN);
        address_space_ldq_be(bus->as, at, PLAIN, &result);
        address_space_stq_le(bus->as, at, 0, PLAIN, &result);
        check(!qemu_mutex_iothread_locked() && !rcu_read_ongoing());
        p = address_space_map(bus->as, at, &got, i & 1, PLAIN);
        second = address_space_map(bus->as, 0x5000, &second_got, READ, PLAIN);
        check(!qemu_mutex_iothread_locked() && !rcu_read_ongoing());
        address_space_unmap(bus->as, p, got, i & 1, got);
        if (second) {
            address_space_unmap(bus->as, second, second_got, READ, 0);
        }
        check(!qemu_mutex_iothread_locked() && !rcu_read_ongoing());
        rcu_read_lock();
        address_space_cache_init(&cache, bus->as, at, 16, WRITE);
        address_space_read_cached(&cache, 0, bytes, 1);
        address_space_write_cached(&cache, 0, bytes, 1);
        rcu_read_unlock();
        check(!qemu_mutex_iothread_locked() && !rcu_read_ongoing());
        address_space_cache_destroy(&cache);
        check(!qemu_mutex_iothread_locked() && !rcu_read_ongoing());
    }
}

static void locks_are_left_as_they_were(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    Device *d = device("dev", 0x100, LITTLE, .with_attrs = true, .valid_min = 2, .valid_max = 4);
    TableIommu *t = table_new("iommu", 0x100, TABLE_PLAIN);

    d->result = FAILED;
    d->quiet = true;
    stage_add(bus.root, 0, d->mr);
    stage_add(bus.root, 0x100, stage_rom("rom", 0x100));
    stage_add(bus.root, 0x200, stage_io_ops("mine", 0x100, NULL, NULL));
    stage_add(bus.root, 0x300, table_region(t));
    stage_add(bus.root, 0x400, stage_ram("ram", 0x100));
    stage_add(target.root, 0, stage_ram("far", 0x10));
    table_map(t, 0, 0x80, target.as, 0, 0xf, IOMMU_RO);
    without_lock(fail_everywhere, &bus);
    check(qemu_mutex_iothread_locked());
}

/* Another thread holds the lock meanwhile; who wants it would wait for ever. */
typedef struct {
    pthread_barrier_t held, done;
} Holder;

static void *hold_the_lock(void *opaque)
{
    Holder *h = opaque;

    memcore_thread_register();
    qemu_mutex_lock_iothread();
    pthread_barrier_wait(&h->held);
    pthread_barrier_wait(&h->done);
    qemu_mutex_unlock_iothread();
    memcore_thread_unregister();
    return NULL;
}

static void direct_accesses_do_not_wait(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = ram_counting("ram", 0x1000, 0);
    Holder h;
    pthread_t thread;
    hwaddr got = 0x10;
    void *p;
    MemoryRegionCache cache;

    stage_add(bus.root, 0, ram);
    pthread_barrier_init(&h.held, NULL, 2);
    pthread_barrier_init(&h.done, NULL, 2);
    qemu_mutex_unlock_iothread();
    g_assert_cmpint(pthread_create(&thread, NULL, hold_the_lock, &h), ==, 0);
    pthread_barrier_wait(&h.held);
    alarm(60);
    check_read(bus.as, 0, 4, OK, "00 01 02 03");
    check_write(bus.as, 0, 2, 0x10, OK);
    check_load(address_space_ldl_le, bus.as, 0, 0x03021110, OK);
    check_store(address_space_stl_le, bus.as, 8, 0, OK);
    check_number(address_space_write_rom(bus.as, 0, PLAIN, "a", 1), OK);
    check_number(address_space_set(bus.as, 0, 1, 4, PLAIN), OK);
    check(address_space_access_valid(bus.as, 0, 0x1000, WRITE, PLAIN));
    p = address_space_map(bus.as, 0, &got, READ, PLAIN);
    check_pointer(p, ram_bytes(ram));
    rcu_read_lock();
    check_number(address_space_cache_init(&cache, bus.as, 0, 0x10, WRITE), 0x10);
    rcu_read_unlock();
    check_store(address_space_stb_cached, &cache, 0, 1, OK);
    alarm(0);
    pthread_barrier_wait(&h.done);
    pthread_join(thread, NULL);
    address_space_unmap(bus.as, p, got, READ, 0);
    address_space_cache_destroy(&cache);
    qemu_mutex_lock_iothread();
    pthread_barrier_destroy(&h.held);
    pthread_barrier_destroy(&h.done);
}

/* A thread with neither the lock nor a read section: a VERIFY build stops who follows a view all the same. */
static void use_a_slow_cache(void *opaque)
{
    MemoryRegionCache *cache = opaque;
    uint8_t bytes[8] = { 0 };

    check_number(address_space_write_cached(cache, 0, "abcdefgh", 8), OK);
    check_number(address_space_read_cached(cache, 0, bytes, 8), OK);
    check_bytes(bytes, 8, "61 62 63 64 65 66 67 68");
    check_store(address_space_stb_cached, cache, 1, 1, OK);
    check_store(address_space_stw_le_cached, cache, 2, 0x0302, OK);
    check_store(address_space_stl_le_cached, cache, 4, 0x07060504, OK);
    check_load(address_space_ldub_cached, cache, 1, 1, OK);
    check_load(address_space_lduw_le_cached, cache, 2, 0x0302, OK);
    check_load(address_space_ldl_le_cached, cache, 4, 0x07060504, OK);
    check_store(address_space_stq_le_cached, cache, 8, 0x0f0e0d0c0b0a0908, OK);
    check_load(address_space_ldq_le_cached, cache, 8, 0x0f0e0d0c0b0a0908, OK);
}

static void a_live_cache_is_enough(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x100, TABLE_PLAIN);
    MemoryRegionCache cache;

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, stage_ram("far", 0x100));
    table_map(t, 0, 0x100, target.as, 0, 3, IOMMU_RW);
    check_number(address_space_cache_init(&cache, bus.as, 0, 0x10, WRITE), 0x10);
    table_map(t, 0, 0x100, target.as, 0, 0xff, IOMMU_RW);
    t->entries[0] = t->entries[1];
    without_lock(use_a_slow_cache, &cache);
    address_space_cache_destroy(&cache);
}

/* The same of what takes an address: it reads the view in a section of its own. */
static void ask_the_space(void *opaque)
{
    Bus *bus = opaque;
    IOMMUTLBEntry entry = address_space_get_iotlb_entry(bus->as, 0, READ, PLAIN);
    hwaddr got = 4;
    void *p;

    check_number(entry.perm, IOMMU_RW);
    check(address_space_access_valid(bus->as, 0, 4, WRITE, PLAIN));
    check_number(address_space_write_rom(bus->as, 0, PLAIN, "abcd", 4), OK);
    check_number(address_space_set(bus->as, 4, 0x11, 4, PLAIN), OK);
    check_number(address_space_rw(bus->as, 8, PLAIN, (char[]) { "ijkl" }, 4, WRITE), OK);
    check_read(bus->as, 0, 12, OK, "61 62 63 64 11 11 11 11 69 6a 6b 6c");
    p = address_space_map(bus->as, 0, &got, READ, PLAIN);
    check(p && got == 4);
    address_space_unmap(bus->as, p, got, READ, got);
    check(memory_region_present(bus->root, 0));
    check_find(bus->root, 0, 1, "iommu[0,0x1)");
}

static void spaces_can_be_asked_by_anybody(void)
{
    Bus bus = bus_new("as"), target = bus_new("target");
    TableIommu *t = table_new("iommu", 0x100, TABLE_PLAIN);

    stage_add(bus.root, 0, table_region(t));
    stage_add(target.root, 0, stage_ram("far", 0x100));
    table_map(t, 0, 0x100, target.as, 0, 0xff, IOMMU_RW);
    without_lock(ask_the_space, &bus);
}

/* ---- R-LCK-3 ---- */

static void note_references(Device *d, hwaddr addr, unsigned size, bool is_write)
{
    (void)addr;
    (void)size;
    (void)is_write;
    g_string_append_printf(d->log, "%u references\n", stage_owner_references(d->opaque));
}

static void buffers_take_no_reference(void)
{
    Object *owner = stage_owner("owner");
    Bus bus = bus_new("as");
    Device *d;
    char *expected;

    stage_set_owner(owner);
    d = device("dev", 0x10, LITTLE);
    stage_add(bus.root, 0, d->mr);
    memcore_drain();
    d->opaque = owner;
    d->hook = note_references;
    expected = g_strdup_printf("read 0x0+4\n%u references\nwrite 0x0+4=0x3020100\n%u references\n",
                               stage_owner_references(owner), stage_owner_references(owner));
    check_read(bus.as, 0, 4, OK, "00 01 02 03");
    check_write(bus.as, 0, 4, 0, OK);
    check_calls(d, expected);
    g_free(expected);
}

/* ---- R-LCK-4, R-LCK-5, INV-26 ---- */

typedef struct {
    Bus bus;
    MemoryRegion *cover;
    unsigned depth;
} Nest;

static void read_itself(Device *d, hwaddr addr, unsigned size, bool is_write)
{
    Nest *nest = d->opaque;

    (void)size;
    (void)is_write;
    if (nest->depth < 3) {
        const unsigned at = 1 + ++nest->depth;      /* the nested calls move on */

        check_load(address_space_ldub, nest->bus.as, at, at, OK);
        check_write(nest->bus.as, 0x100, 1, (unsigned)addr, OK);
    }
}

static void nested_accesses(void)
{
    Nest nest = { .bus = bus_new("as") };
    Device *d = device("dev", 0x10, LITTLE);

    stage_add(nest.bus.root, 0, d->mr);
    stage_add(nest.bus.root, 0x100, stage_ram("ram", 0x10));
    d->hook = read_itself;
    d->opaque = &nest;
    check_read(nest.bus.as, 0, 2, OK, "00 01");
    check_calls(d, "read 0x0+2\nread 0x2+1\nread 0x3+1\nread 0x4+1\n");
}

/* Shows the cover at the first chunk, and looks. */
static void enable_cover(Device *d, hwaddr addr, unsigned size, bool is_write)
{
    Nest *nest = d->opaque;

    (void)addr;
    (void)size;
    (void)is_write;
    if (nest->depth++ == 0) {
        memory_region_set_enabled(nest->cover, true);
        check_read(nest->bus.as, 0, 4, OK, "80 81 82 83");
    }
}

static Nest covered(Device *d)
{
    Nest nest = { .bus = bus_new("as"), .cover = ram_counting("cover", 0x10, 0x80) };

    stage_add(nest.bus.root, 0, d->mr);
    stage_add_overlap(nest.bus.root, 0, nest.cover, 1);
    memory_region_set_enabled(nest.cover, false);
    d->hook = enable_cover;
    return nest;
}

static void the_outer_access_keeps_its_view(void)
{
    Device *d = device("dev", 0x10, LITTLE);
    Nest nest = covered(d);

    d->opaque = &nest;
    check_read(nest.bus.as, 0, 12, OK, "00 01 02 03 04 05 06 07 08 09 0a 0b");
    check_calls(d, "read 0x0+4\nread 0x4+4\nread 0x8+4\n");
    check_read(nest.bus.as, 0, 4, OK, "80 81 82 83");
}

static void the_outer_write_keeps_its_view(void)
{
    Device *d = device("dev", 0x10, LITTLE);
    Nest nest = covered(d);

    d->opaque = &nest;
    check_write(nest.bus.as, 0, 12, 0x20, OK);
    check_calls(d, "write 0x0+4=0x23222120\nwrite 0x4+4=0x27262524\nwrite 0x8+4=0x2b2a2928\n");
    check_bytes(ram_bytes(nest.cover), 4, "80 81 82 83");
}

static void leave_the_map(Device *d, hwaddr addr, unsigned size, bool is_write)
{
    Nest *nest = d->opaque;

    (void)addr;
    (void)size;
    (void)is_write;
    if (nest->depth++ == 0) {
        stage_del(nest->bus.root, d->mr);
    }
}

static void a_device_may_leave_the_map(void)
{
    Nest nest = { .bus = bus_new("as") };
    Device *d = device("dev", 0x10, LITTLE);

    stage_add(nest.bus.root, 0, d->mr);
    d->hook = leave_the_map;
    d->opaque = &nest;
    check_read(nest.bus.as, 0, 8, OK, "00 01 02 03 04 05 06 07");
    check_read(nest.bus.as, 0, 8, DECODE, "00 00 00 00 00 00 00 00");
    check_calls(d, "read 0x0+4\nread 0x4+4\n");
}

static void nothing_without_config_fuzz(void)
{
#ifndef CONFIG_FUZZ
    /* A function of the header that does nothing: the program defines none, and links. */
    fuzz_dma_read_cb(1, 2, NULL);
#endif
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-LCK-1/callbacks-run-locked", callbacks_run_locked);
    conformance_case("/R-LCK-1/given-back-between-chunks", lock_is_given_back_between_chunks);
    conformance_case("/R-LCK-2/direct-accesses-do-not-wait", direct_accesses_do_not_wait);
    conformance_case("/INV-23/left-as-they-were", locks_are_left_as_they_were);
    conformance_case("/R-LCK-2/a-live-cache-is-enough", a_live_cache_is_enough);
    conformance_case("/R-LCK-2/spaces-can-be-asked-by-anybody", spaces_can_be_asked_by_anybody);
    conformance_case("/R-LCK-3/buffers-take-no-reference", buffers_take_no_reference);
    conformance_case("/R-LCK-4/nested-accesses", nested_accesses);
    conformance_case("/R-LCK-4/read-keeps-its-view", the_outer_access_keeps_its_view);
    conformance_case("/INV-26/write-keeps-its-view", the_outer_write_keeps_its_view);
    conformance_case("/R-LCK-5/leaving-the-map", a_device_may_leave_the_map);
    conformance_case("/R-FUZ-1/nothing-without-config-fuzz", nothing_without_config_fuzz);
    return g_test_run();
}
