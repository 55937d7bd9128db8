/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration": what is done for a block is done for each, also for the last of several. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "migration/colo-cache.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "postcopy_peer.h"
#include "qemu/main-loop.h"

enum { BLOCKS = 3, UNITS = 4 };         /* units in a block: pages of target and host */
static const char *const names[BLOCKS] = { "first", "second", "third" };
static RAMBlock *blocks[BLOCKS];
static uint64_t unit;

static uint8_t value_of(unsigned block, uint64_t number)
{
    return (uint8_t)(0x10 * (block + 1) + number);
}

static void begin(void)
{
    unit = MAX(TARGET_PAGE_SIZE, (uint64_t)sysconf(_SC_PAGESIZE));
    for (unsigned b = 0; b < BLOCKS; b++) {
        blocks[b] = stage_block(KIND_ANONYMOUS, names[b], UNITS * unit);
        for (uint64_t i = 0; i < UNITS; i++) {
            memset(blocks[b]->host + i * unit, value_of(b, i), unit);
        }
    }
}

static void guest_writes(unsigned block, uint64_t number, uint8_t value)
{
    memset(blocks[block]->host + number * unit, value, unit);
    memory_region_set_dirty(blocks[block]->mr, number * unit, unit);
}

static bool unit_is(const void *memory, uint64_t number, uint8_t value)
{
    const uint8_t *place = (const uint8_t *)memory + number * unit;

    return place[0] == value && memcmp(place, place + 1, unit - 1) == 0;
}

/* --- files --- */

/* In each block a unit becomes zero, and another is written to, while it is saved; then it is loaded. */
static void saved_and_loaded(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    RamSaveParameters parameters = { .fd = fd, .machine = "none", .punch_holes = true };
    RamSaveCounters counters;
    MappedRamFile *file;
    uint8_t *bytes;
    uint64_t pages;
    RamSave *save;

    begin();
    pages = UNITS * unit / TARGET_PAGE_SIZE;
    bytes = g_malloc(unit);
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_setup(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    check_number(counters.total, BLOCKS * UNITS * unit);
    check_number(counters.remaining, BLOCKS * pages);
    check_number(ram_save_iterate(save, UINT64_MAX, &error_abort), 0);
    for (unsigned b = 0; b < BLOCKS; b++) {
        guest_writes(b, 1, 0);
        guest_writes(b, 2, (uint8_t)(0xf0 + b));
    }
    check_number(ram_save_complete(save, &error_abort), 0);
    ram_save_free(save);
    file = mapped_ram_probe(fd, 0, 0, "none", &error_abort);
    check_number(file->block_count, BLOCKS);
    for (unsigned b = 0; b < BLOCKS; b++) {
        const MappedRamBlock *saved = mapped_ram_find_block(file, names[b]);

        check_number(saved->present, pages / UNITS * (UNITS - 1));
        g_assert_cmpint(pread(fd, bytes, unit, (off_t)(saved->pages_offset + unit)), ==, (ssize_t)unit);
        check(unit_is(bytes, 0, 0));                    /* a hole */
        check_pointer(blocks[b]->bmap, NULL);
        check_pointer(blocks[b]->clear_bmap, NULL);
        check_pointer(blocks[b]->file_bmap, NULL);
        check_number(blocks[b]->bitmap_offset, 0);
        check_number(blocks[b]->pages_offset, 0);
        memset(blocks[b]->host, 0x55, UNITS * unit);
        cpu_physical_memory_clear_dirty_range(blocks[b]->offset, blocks[b]->used_length);
    }
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    memcore_set_vm_running(true);
    for (unsigned b = 0; b < BLOCKS; b++) {
        check(unit_is(blocks[b]->host, 0, value_of(b, 0)));
        check(unit_is(blocks[b]->host, 1, 0));
        check(unit_is(blocks[b]->host, 2, (uint8_t)(0xf0 + b)));
        check(unit_is(blocks[b]->host, 3, value_of(b, 3)));
        check(cpu_physical_memory_all_dirty(blocks[b]->offset, blocks[b]->used_length, DIRTY_MEMORY_VGA));
    }
    mapped_ram_free(file);
    g_free(bytes);
    close(fd);
}

/* And for none, which is a file, too. */
static void without_blocks(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    const RamSaveParameters parameters = { .fd = fd, .machine = "none" };
    RamSave *save = ram_save_new(&parameters, &error_abort);
    MappedRamFile *file;

    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_free(save);
    file = mapped_ram_probe(fd, 0, 0, "none", &error_abort);
    check_number(file->block_count, 0);
    check(file->complete);
    memcore_set_vm_running(false);
    check_number(mapped_ram_load(file, 0, &error_abort), 0);
    check_number(colo_cache_init(&error_abort), 0);
    check_number(colo_cache_flush(&error_abort), 0);
    colo_cache_release();
    memcore_set_vm_running(true);
    mapped_ram_free(file);
    close(fd);
}

/* Of each block a unit is there. */
static void discarded(void)
{
    const int fd = memfd_create("save", MFD_CLOEXEC);
    const RamSaveParameters parameters = { .fd = fd, .machine = "none" };
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    BitmapDiscardManager *managers[BLOCKS];
    RamSaveCounters counters;
    RamSave *save;

    begin();
    for (unsigned b = 0; b < BLOCKS; b++) {
        managers[b] = bitmap_discard_manager_new(blocks[b]->mr, unit, NULL, &error_abort);
        stage_add(root, b * UNITS * unit, blocks[b]->mr);
        check_number(bitmap_discard_manager_plug(managers[b], b * unit, unit), 0);
        memset(blocks[b]->host + b * unit, value_of(b, b), unit);
    }
    save = ram_save_new(&parameters, &error_abort);
    check_number(ram_save_run(save, &error_abort), 0);
    ram_save_counters(save, &counters);
    check_number(counters.normal, BLOCKS * unit / TARGET_PAGE_SIZE);
    check_number(counters.zero, 0);
    ram_save_free(save);
    for (unsigned b = 0; b < BLOCKS; b++) {
        stage_del(root, blocks[b]->mr);
        check(bitmap_discard_manager_destroy(managers[b], &error_abort));
    }
    close(fd);
}

/* --- the cache --- */

static void cached(void)
{
    const void *caches[BLOCKS];

    begin();
    memcore_set_vm_running(false);
    check_number(colo_cache_init(&error_abort), 0);
    for (unsigned b = 0; b < BLOCKS; b++) {
        check(memcmp(blocks[b]->colo_cache, blocks[b]->host, UNITS * unit) == 0);
        guest_writes(b, b, 0xaa);
    }
    check_number(colo_cache_write_through(&error_abort), BLOCKS * unit / TARGET_PAGE_SIZE);
    for (unsigned b = 0; b < BLOCKS; b++) {
        check(unit_is(blocks[b]->colo_cache, b, 0xaa));
        guest_writes(b, b + 1, 0xbb);
    }
    check_number(colo_cache_flush(&error_abort), BLOCKS * unit / TARGET_PAGE_SIZE);
    for (unsigned b = 0; b < BLOCKS; b++) {
        check(unit_is(blocks[b]->host, b, 0xaa));
        check(unit_is(blocks[b]->host, b + 1, value_of(b, b + 1)));
    }
    for (unsigned b = 0; b < BLOCKS; b++) {
        caches[b] = blocks[b]->colo_cache;
    }
    colo_cache_release();
    for (unsigned b = 0; b < BLOCKS; b++) {
        check_unmapped(caches[b]);
        check_pointer(blocks[b]->colo_cache, NULL);
        check_pointer(blocks[b]->bmap, NULL);
    }
    memcore_set_vm_running(true);
}

/* --- a source --- */

static struct {
    GString *discards;
    uint64_t pages[BLOCKS];
} log_of_source;

static void note_page(void *opaque, const char *name, uint64_t offset, const uint8_t *data)
{
    (void)opaque;
    (void)offset;
    (void)data;
    for (unsigned b = 0; b < BLOCKS; b++) {
        log_of_source.pages[b] += strcmp(name, names[b]) == 0;
    }
}

static void note_discard(void *opaque, const char *name, uint64_t start, uint64_t length)
{
    (void)opaque;
    g_string_append_printf(log_of_source.discards, "%s %" PRIu64 "+%" PRIu64 ", ", name, start / host_page,
                           length / host_page);
}

static void write_to_each(void)
{
    qemu_mutex_lock_iothread();
    for (unsigned b = 0; b < BLOCKS; b++) {
        guest_writes(b, b + 1, 0xee);
    }
    qemu_mutex_unlock_iothread();
}

static void ask_for_each(void)
{
    for (unsigned b = 0; b < BLOCKS; b++) {
        check_number(peer_say(3, names[b], (b + 1) * host_page, (uint32_t)host_page), 0);
    }
}

static void sent(void)
{
    const uint64_t whole = host_page / TARGET_PAGE_SIZE;
    StreamReading reading = { .records = g_string_new(NULL), .page = note_page, .discard = note_discard };

    source_begin();
    begin();
    source.start_postcopy = false;
    peer.at_stop = write_to_each;
    peer.requests = ask_for_each;
    check_number(source_migrate(), 0);
    check_number(source.counters.sent, SOURCE_PAGES + BLOCKS * UNITS * whole + BLOCKS * whole);
    check_number(source.counters.requests, BLOCKS);
    memset(&log_of_source, 0, sizeof(log_of_source));
    log_of_source.discards = g_string_new(NULL);
    check(read_stream(peer.stream, &reading));
    check_text(log_of_source.discards->str, "first 1+1, second 2+1, third 3+1, ");
    for (unsigned b = 0; b < BLOCKS; b++) {
        check_number(log_of_source.pages[b], (UNITS + 1) * whole);
        check_pointer(blocks[b]->bmap, NULL);
    }
    g_string_free(log_of_source.discards, TRUE);
    g_string_free(reading.records, TRUE);
    source_end();
}

static void note_block(void *opaque, const char *name, uint64_t offset, const uint8_t *data)
{
    GPtrArray *order = opaque;

    (void)offset;
    (void)data;
    if (order->len == 0 || strcmp(g_ptr_array_index(order, order->len - 1), name) != 0) {
        g_ptr_array_add(order, g_strdup(name));
    }
}

static void ask_for_the_second(void)
{
    check_number(peer_say(3, "second", host_page, (uint32_t)host_page), 0);
}

/* The largest block is the first of the list, then the oldest (R-RAM-19); behind the last one it goes on there. */
static void sent_in_list_order(void)
{
    static const char *const expected[] = {
        "pc.ram first second third ",
        "pc.ram second third pc.ram first second ",
    };

    for (unsigned asks = 0; asks < 2; asks++) {
        GPtrArray *order = g_ptr_array_new_with_free_func(g_free);
        StreamReading reading = { .records = g_string_new(NULL), .page = note_block, .opaque = order };
        GString *text = g_string_new(NULL);

        source_begin();
        begin();
        peer.request_after = 96;
        peer.requests = asks ? ask_for_the_second : NULL;
        check_number(source_migrate(), 0);
        check(read_stream(peer.stream, &reading));
        for (guint i = 0; i < order->len; i++) {
            g_string_append_printf(text, "%s ", (const char *)g_ptr_array_index(order, i));
        }
        check_text(text->str, expected[asks]);
        g_string_free(text, TRUE);
        g_string_free(reading.records, TRUE);
        g_ptr_array_unref(order);
        for (unsigned b = 0; b < BLOCKS; b++) {
            stage_release(blocks[b]->mr);
        }
        source_end();
    }
}

/* --- a destination --- */

/* All that `missing` (UINT_MAX: nothing) does not leave out comes after the switch. */
static void receive(unsigned missing)
{
    MigrationIncomingState mis = { .machine = "none" };
    Tape tape;
    int result;

    begin();
    tape_start(&tape);
    mis.transport = tape_transport(&tape);
    put_begin(tape.in, "none");
    put_command(tape.in, 1, NULL, 0);
    put_advise(tape.in, host_page, TARGET_PAGE_SIZE);
    put_section(tape.in, 1);
    put_name(tape.in, "ram");
    put(tape.in, 0, 4);
    put(tape.in, 4, 4);
    put(tape.in, BLOCKS * UNITS * host_page | 4, 8);
    for (unsigned b = 0; b < BLOCKS; b++) {
        put_name(tape.in, names[b]);
        put(tape.in, UNITS * host_page, 8);
    }
    put_section_end(tape.in);
    put_section(tape.in, 2);
    for (unsigned b = 0; b < BLOCKS; b++) {
        for (uint64_t at = 0; at < 2 * host_page; at += TARGET_PAGE_SIZE) {
            put_page(tape.in, names[b], at, value_of(b, 9));
        }
    }
    put_section_end(tape.in);
    for (unsigned b = 0; b < BLOCKS; b++) {
        put_discard(tape.in, names[b], host_page, host_page);
    }
    put_package(tape.in, "");
    put_section(tape.in, 2);
    for (unsigned b = 0; b < BLOCKS; b++) {
        for (uint64_t at = host_page; at < (missing == b ? UNITS - 1 : UNITS) * host_page; at += TARGET_PAGE_SIZE) {
            put_page(tape.in, at % host_page ? NULL : names[b], at, value_of(b, at / host_page));
        }
    }
    put_section_end(tape.in);
    put_section(tape.in, 3);
    put_section_end(tape.in);
    put(tape.in, 0, 1);
    qemu_mutex_unlock_iothread();
    result = ram_migrate_incoming(&mis);
    qemu_mutex_lock_iothread();
    if (missing == UINT_MAX) {
        check_number(result, 0);
    } else {
        char *text = g_strdup_printf("block \"%s\": page at 0x%zx is missing", names[missing], 3 * host_page);

        check_number(result, (uint64_t)-1);
        check(mis.error && strstr(error_get_pretty(mis.error), text));
        g_free(text);
        error_free(mis.error);
        mis.abandon = true;
        check_number(postcopy_ram_incoming_cleanup(&mis), 0);
    }
    for (unsigned b = 0; b < BLOCKS; b++) {
        check_number(blocks[b]->postcopy_length, 0);
        check_number(blocks[b]->flags & RAM_UF_ZEROPAGE, 0);
        check_pointer(blocks[b]->receivedmap, NULL);
        check(unit_is(blocks[b]->host, 0, value_of(b, 9)));
        check(unit_is(blocks[b]->host, 1, value_of(b, 1)));
        check(unit_is(blocks[b]->host, 2, value_of(b, 2)));
        check(unit_is(blocks[b]->host, 3, missing == b ? 0 : value_of(b, 3)));
    }
    tape_end(&tape);
    postcopy_state_set(POSTCOPY_INCOMING_NONE);
    for (unsigned b = 0; b < BLOCKS; b++) {
        stage_release(blocks[b]->mr);
    }
    memcore_drain();
}

static void received(void)
{
    receive(UINT_MAX);
    for (unsigned b = 0; b < BLOCKS; b++) {
        receive(b);
    }
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-SAVE-1/each-block", saved_and_loaded);
    conformance_case("/R-SAVE-1/no-block", without_blocks);
    conformance_case("/R-ITER-1/each-block", discarded);
    conformance_case("/R-COLO-1/each-block", cached);
    postcopy_case("/R-PC-40/each-block", sent);
    postcopy_case("/R-PC-25/each-block", received);
    postcopy_case("/R-PC-42/list-order", sent_in_list_order);
    return g_test_run();
}
