/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 6: pages are waited for, placed, and all there at the end. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "postcopy_stage.h"

/* --- faults ------------------------------------------------------------------------------------- */

static void fault_is_served(void)
{
    GuestRead read;

    destination_listen(KIND_ANONYMOUS);
    guest_read(&read, destination_page(5) + host_page - 1);
    WAIT_FOR(READ_COUNTER(destination_asked.count) == 1);
    check_number(destination_asked.pages[0], 5);
    g_usleep(20000);
    check(!guest_has_read(&read));
    check_number(destination_place(5, 0x5a), 0);
    check_number(guest_read_end(&read), 0x5a);
    check_number(READ_COUNTER(mis.counters.faults), 1);
    check_number(READ_COUNTER(mis.counters.requests), 1);
    destination_complete();
}

static void fault_is_asked_once(void)
{
    GuestRead reads[3];

    destination_listen(KIND_ANONYMOUS);
    for (unsigned i = 0; i < 3; i++) {
        guest_read(&reads[i], destination_page(1) + i);
    }
    WAIT_FOR(READ_COUNTER(mis.counters.faults) == 3);
    check_number(READ_COUNTER(destination_asked.count), 1);
    check_number(READ_COUNTER(mis.counters.suppressed), 2);
    check_number(destination_place(1, 1), 0);
    for (unsigned i = 0; i < 3; i++) {
        check_number(guest_read_end(&reads[i]), 1);
    }
    /* What is here is not destination_asked for: whoever still waits is woken. */
    lying.wakes = 0;
    check_number(postcopy_ram_fault(&mis, destination_page(1)), 0);
    check_number(READ_COUNTER(destination_asked.count), 1);
    check_number(lying.wakes, 1);
    destination_complete();
}

/* Page by page: what is asked for and claimed next to a page that comes stays so. */
static void place_neighbour(void)
{
    check_number(destination_place(4, 4), 0);
    check_number(destination_place(5, 0xee), 0);        /* it is being placed */
    check_number(READ_COUNTER(mis.counters.duplicates), 1);
}

static void neighbours(void)
{
    uint8_t *from = g_malloc(host_page);

    destination_listen(KIND_ANONYMOUS);
    check_number(postcopy_ram_fault(&mis, destination_page(1)), 0);
    check_number(postcopy_ram_fault(&mis, destination_page(2)), 0);
    check_number(destination_place(1, 1), 0);
    check_number(postcopy_ram_fault(&mis, destination_page(2)), 0);
    check_number(READ_COUNTER(destination_asked.count), 2);
    check_number(READ_COUNTER(mis.counters.suppressed), 1);
    check_number(destination_place(2, 2), 0);
    lying.before_copy = place_neighbour;
    memset(from, 5, host_page);
    check_number(postcopy_place_page(&mis, destination_page(5), from), 0);
    check_number(*destination_page(4), 4);
    check_number(*destination_page(5), 5);
    check_number(READ_COUNTER(mis.counters.placed), 4);
    g_free(from);
    destination_complete();
}

/* What came, and was discarded again, is asked for again. */
static void asked_for_again(void)
{
    destination_listen(KIND_ANONYMOUS);
    check_number(postcopy_ram_fault(&mis, destination_page(1)), 0);
    check_number(destination_place(1, 1), 0);
    check_number(postcopy_ram_discard_range(&mis, destination_page(1), host_page), 0);
    check_number(postcopy_ram_fault(&mis, destination_page(1)), 0);
    check_number(READ_COUNTER(destination_asked.count), 2);
    check_number(destination_place(1, 2), 0);
    check_number(*destination_page(1), 2);
    destination_complete();
}

static void cannot_be_asked_for(void)
{
    GuestRead read;

    destination_listen(KIND_ANONYMOUS);
    __atomic_store_n(&destination_asked.result, -EPIPE, __ATOMIC_SEQ_CST);
    guest_read(&read, destination_page(1));
    WAIT_FOR(__atomic_load_n(&mis.status, __ATOMIC_SEQ_CST) == MIGRATION_STATUS_FAILED);
    g_usleep(20000);
    check(!guest_has_read(&read));              /* no silent zero */
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check(!guest_has_read(&read));
    check(strstr(error_get_pretty(mis.error), "\"ram\"") != NULL);
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    check_number(guest_read_end(&read), 0);
    destination_end();
}

static void fault_outside(void)
{
    destination_listen(KIND_ANONYMOUS);
    check(postcopy_ram_fault(&mis, destination_page(DESTINATION_PAGES)) < 0);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);
    check(strstr(error_get_pretty(mis.error), "block \"(none)\": a thread waits for a page at 0x0") != NULL);
    check_number(READ_COUNTER(destination_asked.count), 0);
    destination_end();
    stage_release(ram->mr);
    memcore_drain();
    destination_listen(KIND_ANONYMOUS);
    check(postcopy_ram_fault(&mis, &mis) < 0);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);
    destination_end();
}

static void discarded_by_manager(void)
{
    BitmapDiscardManager *manager;
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    GuestRead read;

    destination_begin(KIND_ANONYMOUS);
    manager = bitmap_discard_manager_new(ram->mr, host_page, NULL, &error_fatal);
    stage_add(root, 0, ram->mr);
    check_number(bitmap_discard_manager_plug(manager, 0, host_page), 0);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    guest_read(&read, destination_page(3));
    check_number(guest_read_end(&read), 0);
    check_number(READ_COUNTER(destination_asked.count), 0);
    /* The thread that placed the page counts it after the guest has gone on. */
    WAIT_FOR(READ_COUNTER(mis.counters.zero_placed) == 1);
    check(destination_received(3));
    /* Only what is populated has to come. */
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check_number(destination_place(0, 7), 0);
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    destination_end();
    stage_del(root, ram->mr);
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
}

/* A manager of which everything is there, but for what sticks out (R-RDM-7). */
static bool inside_the_region(const RamDiscardManager *rdm, const MemoryRegionSection *section)
{
    (void)rdm;
    return section->size > 0 &&
           section->offset_within_region + (Int128)section->size <= (Int128)memory_region_size(section->mr);
}

static void whole_class_init(ObjectClass *class, void *data)
{
    (void)data;
    RAM_DISCARD_MANAGER_CLASS(class)->is_populated = inside_the_region;
}

static const TypeInfo whole_type = {
    .name = "whole-manager", .parent = TYPE_RAM_DISCARD_MANAGER, .class_init = whole_class_init,
};

static void register_whole_type(void)
{
    type_register_static(&whole_type);
}
type_init(register_whole_type)

/* The region ends in the middle of the block's last page, which is there nevertheless. */
static void manager_of_an_odd_size(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    RamDiscardManager *manager = RAM_DISCARD_MANAGER(object_new("whole-manager"));
    RAMBlock *odd;
    GuestRead read;

    destination_begin(KIND_ANONYMOUS);
    odd = stage_block(KIND_ANONYMOUS, "odd", host_page + host_page / 2);
    memory_region_set_ram_discard_manager(odd->mr, manager);
    stage_add(root, 0, odd->mr);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_prepare_discard(&mis), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    guest_read(&read, odd->host + host_page + 1);
    WAIT_FOR(READ_COUNTER(destination_asked.count) == 1);
    check_number(destination_asked.pages[0], 1);
    check_number(postcopy_place_page(&mis, odd->host + host_page, memset(postcopy_get_tmp_page(&mis), 3, host_page)),
                 0);
    check_number(guest_read_end(&read), 3);
    destination_end();
    stage_del(root, odd->mr);
    memory_region_set_ram_discard_manager(odd->mr, NULL);
    object_unref(OBJECT(manager));
}

/* A page that comes while it is being destination_asked for: the thread goes on, and nobody asks again. */
static int ask_and_get(void *opaque, RAMBlock *block, uint64_t start, uint64_t length)
{
    check_number(destination_place((unsigned)(start / length), 0x3d), 0);
    return destination_ask(opaque, block, start, length);
}

static void comes_while_asked_for(void)
{
    GuestRead read;

    destination_begin(KIND_ANONYMOUS);
    mis.request_page = ask_and_get;
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    guest_read(&read, destination_page(3));
    check_number(guest_read_end(&read), 0x3d);
    WAIT_FOR(READ_COUNTER(destination_asked.count) == 1);
    check_number(postcopy_ram_fault(&mis, destination_page(3)), 0);
    check_number(READ_COUNTER(destination_asked.count), 1);
    destination_complete();
}

static GuestRead early;

static void touch_now(void)
{
    guest_read(&early, destination_page(6));
    WAIT_FOR(READ_COUNTER(mis.counters.faults) == 1);
}

/* The first block is registered, and waited for, before the last one is. */
static void fault_while_registering(void)
{
    destination_begin(KIND_ANONYMOUS);
    stage_block(KIND_ANONYMOUS, "small", host_page);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    lying.after_enroll = touch_now;
    check_number(postcopy_ram_enable_notify(&mis), 0);
    WAIT_FOR(READ_COUNTER(destination_asked.count) == 1);
    check_number(mis.status, MIGRATION_STATUS_NONE);
    check_number(destination_place(6, 0x66), 0);
    check_number(guest_read_end(&early), 0x66);
    destination_end();
}

/* --- placing ----------------------------------------------------------------------------------- */

static void tmp_page(void)
{
    destination_begin(KIND_ANONYMOUS);
    check_pointer(postcopy_get_tmp_page(&mis), NULL);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    host_refuses_nth(ANYTHING, EMFILE, 0);
    check_pointer(postcopy_get_tmp_page(&mis), NULL);
    host_agrees();

    uint8_t *page = postcopy_get_tmp_page(&mis);

    check(page != NULL);
    page[0] = 1;
    page[host_page - 1] = 2;
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check_pointer(postcopy_get_tmp_page(&mis), page);
    check_number(postcopy_place_page(&mis, destination_page(0), page), 0);
    check_number(page[0], 1);                   /* it is copied, not moved */
    page[0] = 3;
    check_number(*destination_page(0), 1);
    check_number(*(destination_page(1) - 1), 2);
    destination_complete();
}

static void place_refused(void)
{
    static uint8_t from[1 << 16];

    destination_listen(KIND_ANONYMOUS);
    check_number(postcopy_place_page(&mis, destination_page(1) + TARGET_PAGE_SIZE / 2, from), (uint64_t)-EINVAL);
    check_number(postcopy_place_page(&mis, destination_page(DESTINATION_PAGES), from), (uint64_t)-EINVAL);
    check_number(postcopy_place_page(&mis, from, from), (uint64_t)-EINVAL);
    check_number(postcopy_place_page(&mis, destination_page(1), NULL), (uint64_t)-EINVAL);
    check_number(postcopy_place_page_zero(&mis, destination_page(1) + 1), (uint64_t)-EINVAL);
    check_number(mis.counters.placed + mis.counters.zero_placed + mis.counters.duplicates, 0);
    check_number(lying.copies + lying.zeroes, 0);
    destination_end();
    stage_release(ram->mr);
    memcore_drain();
    destination_begin(KIND_ANONYMOUS);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_place_page(&mis, destination_page(1), from), (uint64_t)-EINVAL);      /* nobody listens */
    destination_end();
}

/* The host stops half-way, or is busy: the rest is tried again. */
static void place_again(void)
{
    destination_listen(KIND_ANONYMOUS);
    lying.script[0] = lying.script[1] = -EAGAIN;
    check_number(destination_place(1, 0x1c), 0);
    check_number(lying.copies, 3);
    check_number(*destination_page(1), 0x1c);
    memset(lying.script, 0, sizeof(lying.script));
    lying.script_at = 0;
    lying.script[0] = -EAGAIN;
    check_number(postcopy_place_page_zero(&mis, destination_page(2)), 0);
    check_number(lying.zeroes, 2);
    lying.script_at = 0;
    lying.script[0] = -ENOSPC;
    check_number(destination_place(3, 3), (uint64_t)-ENOSPC);
    check(!destination_received(3));
    check_number(destination_place(3, 3), 0);               /* it was not lost */
    check(destination_received(3));
    destination_complete();
}

static void duplicates(void)
{
    destination_listen(KIND_ANONYMOUS);
    check_number(destination_place(1, 0x1d), 0);
    lying.wakes = 0;
    check_number(destination_place(1, 0x2d), 0);
    check_number(postcopy_place_page_zero(&mis, destination_page(1)), 0);
    check_number(*destination_page(1), 0x1d);
    check_number(READ_COUNTER(mis.counters.placed), 1);
    check_number(READ_COUNTER(mis.counters.zero_placed), 0);
    check_number(READ_COUNTER(mis.counters.duplicates), 2);
    check_number(lying.wakes, 2);
    destination_complete();
}

static void place_other(void)
{
    check_number(postcopy_place_page_zero(&mis, destination_page(1)), 0);
}

/* While a page is being placed, it comes on another channel: that one is too late already. */
static void claimed(void)
{
    destination_listen(KIND_ANONYMOUS);
    lying.before_copy = place_other;
    check_number(destination_place(1, 0x1d), 0);
    check_number(*destination_page(1), 0x1d);
    check_number(mis.counters.placed, 1);
    check_number(mis.counters.zero_placed, 0);
    check_number(mis.counters.duplicates, 1);
    destination_complete();
}

static void written_past_us(void)
{
    destination_listen(KIND_ANONYMOUS);
    lying.script[0] = -EEXIST;
    lying.wakes = 0;
    check_number(destination_place(1, 0x1d), (uint64_t)-EEXIST);
    check(!destination_received(1));
    check_number(lying.wakes, 1);
    check_number(READ_COUNTER(mis.counters.duplicates), 0);
    destination_end();
}

static void *place_all(void *opaque)
{
    const uint8_t *from = opaque;

    for (unsigned page = 0; page < DESTINATION_PAGES; page++) {
        check_number(*from ? postcopy_place_page(&mis, destination_page(page), opaque)
                           : postcopy_place_page_zero(&mis, destination_page(page)), 0);
    }
    return NULL;
}

static void placed_by_many(void)
{
    for (unsigned round = 0; round < 50; round++) {
        static uint8_t from[3][1 << 16];
        pthread_t threads[3];

        destination_listen(KIND_ANONYMOUS);
        for (unsigned i = 0; i < 3; i++) {
            memset(from[i], (int)i, sizeof(from[i]));
            g_assert_cmpint(pthread_create(&threads[i], NULL, place_all, from[i]), ==, 0);
        }
        for (unsigned i = 0; i < 3; i++) {
            pthread_join(threads[i], NULL);
        }
        check_number(mis.counters.placed + mis.counters.zero_placed, DESTINATION_PAGES);
        check_number(READ_COUNTER(mis.counters.duplicates), 2 * DESTINATION_PAGES);
        destination_complete();
        stage_release(ram->mr);
        memcore_drain();
    }
}

static void zero_pages(void)
{
    destination_listen(KIND_ANONYMOUS);
    check(qemu_ram_is_uf_zeroable(ram));
    check_number(postcopy_place_page_zero(&mis, destination_page(1)), 0);
    check_number(lying.zeroes, 1);
    check_number(lying.copies, 0);
    check_number(READ_COUNTER(mis.counters.zero_placed), 1);
    destination_end();
    check(!qemu_ram_is_uf_zeroable(ram));
    stage_release(ram->mr);
    memcore_drain();
    /* As on hugetlb memory: zeroes are copied. */
    destination_begin(KIND_ANONYMOUS);
    lying.range_without = 1ull << 0x04;
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    check(!qemu_ram_is_uf_zeroable(ram));
    check_number(postcopy_place_page_zero(&mis, destination_page(1)), 0);
    check_number(lying.zeroes, 0);
    check_number(lying.copies, 1);
    check_number(*destination_page(1), 0);
    check_number(READ_COUNTER(mis.counters.zero_placed), 1);
    destination_complete();
}

static void kinds(void)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        GuestRead data, zero;

        g_test_message("%s", ram_kinds[kind]);
        destination_listen((RamKind)kind);
        guest_read(&data, destination_page(2) + 3);
        guest_read(&zero, destination_page(6));
        WAIT_FOR(READ_COUNTER(destination_asked.count) == 2);
        check_number(destination_place(2, 0x99), 0);
        check_number(postcopy_place_page_zero(&mis, destination_page(6)), 0);
        check_number(guest_read_end(&data), 0x99);
        check_number(guest_read_end(&zero), 0);
        destination_complete();
        check_number(*destination_page(2), 0x99);
        stage_release(ram->mr);
        memcore_drain();
    }
}

/* --- the end ------------------------------------------------------------------------------------ */

static void cleanup_nothing(void)
{
    MigrationIncomingState nothing = { 0 };

    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    check_number(postcopy_ram_incoming_cleanup(&nothing), 0);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_NONE);
}

static void cleanup_gives_back(void)
{
    const unsigned descriptors = count_descriptors(), tasks = count_tasks();

    destination_listen(KIND_ANONYMOUS);
    check_number(count_tasks(), tasks + 1);
    destination_complete();
    check_number(count_descriptors(), descriptors);
    check_number(count_tasks(), tasks);
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);       /* again */
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
}

/* A range that the host does not let go of: the others go all the same. */
static void cleanup_cannot_unregister(void)
{
    destination_begin(KIND_ANONYMOUS);
    stage_block(KIND_ANONYMOUS, "other", host_page);
    check_number(postcopy_ram_incoming_init(&mis, 0), 0);
    check_number(postcopy_ram_enable_notify(&mis), 0);
    lying.calls = 0;
    lying.fail_at = 1;
    lying.fail_with = -EIO;
    mis.abandon = true;
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check_number(lying.calls, 2);
    check_number(lying.opened, lying.closed);
    destination_end();
}

static void missing_page(void)
{
    GuestRead read;

    destination_listen(KIND_ANONYMOUS);
    postcopy_state_set(POSTCOPY_INCOMING_RUNNING);
    for (unsigned page = 0; page < DESTINATION_PAGES; page++) {
        if (page != 4 && page != 6) {
            check_number(destination_place(page, 9), 0);
        }
    }
    guest_read(&read, destination_page(4));
    WAIT_FOR(READ_COUNTER(destination_asked.count) == 1);
    check_number(postcopy_ram_incoming_cleanup(&mis), (uint64_t)-1);
    check_number(postcopy_state_get(), POSTCOPY_INCOMING_RUNNING);
    check_number(READ_COUNTER(mis.status), MIGRATION_STATUS_FAILED);

    char *where = g_strdup_printf("block \"ram\": page at 0x%zx is missing", 4 * host_page);

    check_text(error_get_pretty(mis.error), where);
    g_free(where);
    g_usleep(20000);
    check(!guest_has_read(&read));
    check_number(destination_place(4, 0x4c), 0);            /* it may still come */
    check_number(guest_read_end(&read), 0x4c);
    check_number(destination_place(6, 0x6c), 0);
    check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    destination_end();
}
int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    postcopy_case("/R-PC-21/served", fault_is_served);
    postcopy_case("/R-PC-21/outside", fault_outside);
    postcopy_case("/R-PC-21/discarded-by-manager", discarded_by_manager);
    postcopy_case("/R-PC-21/manager-of-an-odd-size", manager_of_an_odd_size);
    postcopy_case("/R-PC-22/once", fault_is_asked_once);
    postcopy_case("/R-PC-22/again", asked_for_again);
    postcopy_case("/R-PC-22/cannot-be-asked-for", cannot_be_asked_for);
    postcopy_case("/R-PC-20/fault-while-registering", fault_while_registering);
    postcopy_case("/R-PC-22/comes-while-asked-for", comes_while_asked_for);
    postcopy_case("/R-PC-23/tmp-page", tmp_page);
    postcopy_case("/R-PC-24/nothing", cleanup_nothing);
    postcopy_case("/R-PC-24/gives-back", cleanup_gives_back);
    postcopy_case("/R-PC-24/cannot-unregister", cleanup_cannot_unregister);
    postcopy_case("/R-PC-25/missing-page", missing_page);
    postcopy_case("/R-PC-30/refused", place_refused);
    postcopy_case("/R-PC-30/again", place_again);
    postcopy_case("/R-PC-31/duplicates", duplicates);
    postcopy_case("/R-PC-31/neighbours", neighbours);
    postcopy_case("/R-PC-31/claimed", claimed);
    postcopy_case("/R-PC-31/written-past-us", written_past_us);
    postcopy_case("/R-PC-31/many-threads", placed_by_many);
    postcopy_case("/R-PC-32/zero", zero_pages);
    postcopy_case("/R-PC-33/kinds", kinds);
    return g_test_run();
}
