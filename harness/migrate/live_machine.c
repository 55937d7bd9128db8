/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that is saved, and what its guest does meanwhile. */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ram_addr.h"
#include "migrate/live_parts.h"
#include "qapi/error.h"
#include "run/region_block.h"
#include "run/subject.h"

struct live_machine live_machine;
const char *const live_names[BLOCKS] = { "big", "flash", "callers", "plugged" };

unsigned live_pages_of(unsigned block)
{
    return (unsigned)(live_machine.block[block]->used_length / TARGET_PAGE_SIZE);
}

/* The caller's memory ends in a page, where there are bytes of others (R-RAM-7). */
uint64_t live_bytes_of(unsigned block)
{
    return block == CALLERS ? memory_region_size(&live_machine.mr[block]) : live_machine.block[block]->used_length;
}

static uint64_t bytes_in_page(unsigned block, unsigned page)
{
    const uint64_t start = page * TARGET_PAGE_SIZE, end = live_bytes_of(block);

    return start < end ? MIN(end - start, TARGET_PAGE_SIZE) : 0;
}

static void fill_page(unsigned block, unsigned page, int value)
{
    memset(live_machine.block[block]->host + page * TARGET_PAGE_SIZE, value, bytes_in_page(block, page));
}

/* Nobody writes to what is not plugged. */
static bool is_there(unsigned block, unsigned page, unsigned count)
{
    for (unsigned i = 0; block == PLUGGED && i < count; i++) {
        if (!(live.plugged >> (page + i) * TARGET_PAGE_SIZE / live_machine.unit & 1)) {
            return false;
        }
    }
    return true;
}

void live_guest_writes(unsigned block, unsigned page, unsigned count, uint8_t value)
{
    page %= live_pages_of(block);
    count = MIN(count, live_pages_of(block) - page);
    if (!is_there(block, page, count)) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        fill_page(block, page + i, value);
    }
    memory_region_set_dirty(&live_machine.mr[block], page * TARGET_PAGE_SIZE, count * TARGET_PAGE_SIZE);
    /* A block that was resized is no longer the save's. */
    if (global_dirty_tracking && page + count <= live.model.blocks[block].pages) {
        save_model_write(&live.model, block, page, count);
    }
}

void live_guest_stores(unsigned block, unsigned page, unsigned byte)
{
    const uint64_t room = bytes_in_page(block, page % live_pages_of(block));
    const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    uint64_t offset;

    if (!room || !is_there(block, page % live_pages_of(block), 1)) {
        return;
    }
    offset = (page % live_pages_of(block)) * TARGET_PAGE_SIZE + (byte & 1 ? room - 8 : byte * 16 % room);
    REQUIRE(address_space_write(&live_machine.as, block * APART + offset, MEMTXATTRS_UNSPECIFIED, bytes, 8) ==
                MEMTX_OK,
            "the guest cannot store");
    if (global_dirty_tracking && page % live_pages_of(block) < live.model.blocks[block].pages) {
        save_model_write(&live.model, block, page % live_pages_of(block), 1);
    }
}

void live_toggle_extra(void)
{
    if (live_machine.has_extra) {
        object_unparent(OBJECT(&live_machine.extra));
        subject_drain();
    } else {
        memory_region_init_ram_nomigrate(&live_machine.extra, NULL, "extra", live_machine.unit, &error_abort);
    }
    live_machine.has_extra = !live_machine.has_extra;
    live.blocks_changed = live.save != NULL;
}

void live_resize(uint64_t pages)
{
    if (live_machine.block[FLASH]->used_length != pages * live_machine.unit) {
        qemu_ram_resize(live_machine.block[FLASH], pages * live_machine.unit, &error_abort);
        live.blocks_changed = live.save != NULL;
    }
}

void live_plug(unsigned pages)
{
    if (pages != live.plugged) {
        REQUIRE(subject_manager_load(live_machine.manager, pages) == 0, "pages cannot be unplugged");
        live.plugged = pages;
    }
}

void live_restore(void)
{
    if (live_machine.has_extra) {
        live_toggle_extra();
    }
    live_resize(3);
    live_plug(PLUGGED_ALL);
    for (unsigned b = 0; b < BLOCKS; b++) {
        RAMBlock *block = live_machine.block[b];

        /* Also what growing would bring back (R-RES-5). */
        for (unsigned page = 0; page < block->max_length / TARGET_PAGE_SIZE; page++) {
            const int value = page % 3 ? (int)page + 1 : 0;

            if (b == FLASH) {
                memset(block->host + page * TARGET_PAGE_SIZE, value, TARGET_PAGE_SIZE);
            } else {
                fill_page(b, page, value);
            }
        }
        cpu_physical_memory_clear_dirty_range(block->offset, block->used_length);
    }
    /* A new view, which remembers nothing of what was found in the last one. */
    memory_region_set_enabled(&live_machine.mr[0], false);
    memory_region_set_enabled(&live_machine.mr[0], true);
    subject_drain();
}

/* --- the log ----------------------------------------------------------------------------------- */

static void log_looked_at(MemoryListener *listener)
{
    (void)listener;
    live_check_logs();
    memset(live.uncleared, 0xff, sizeof(live.uncleared));
}

/* What was not found needs no clearing. */
static void looked(MemoryListener *listener)
{
    (void)listener;
    for (unsigned b = 0; b < BLOCKS; b++) {
        const unsigned long *bmap = live_machine.block[b]->bmap;

        for (unsigned word = 0; bmap && word * 64 < live.model.blocks[b].pages; word++) {
            live.uncleared[b][word] &= bmap[word];
        }
    }
}

static void log_cleared(MemoryListener *listener, MemoryRegionSection *section)
{
    const unsigned block = (unsigned)(section->mr - live_machine.mr) % BLOCKS;
    const uint64_t start = section->offset_within_region / TARGET_PAGE_SIZE;
    uint64_t end = section->offset_within_region + int128_get64(section->size);

    (void)listener;
    /* No log has what is behind the region. */
    end = end == live_bytes_of(block) ? live_pages_of(block) : end / TARGET_PAGE_SIZE;
    REQUIRE(section->mr == &live_machine.mr[block] && end <= SAVE_MODEL_PAGES_MAX, "another log is cleared");
    for (uint64_t page = start; page < end; page++) {
        live.uncleared[block][page / 64] &= ~(UINT64_C(1) << page % 64);
    }
}

/* --- the machine ------------------------------------------------------------------------------- */

void live_build(void)
{
    static const struct subject_manager_hooks never_busy;
    uint8_t *callers;

    subject_start();
    live_machine.unit = MAX((uint64_t)sysconf(_SC_PAGESIZE), TARGET_PAGE_SIZE);
    memory_region_init(&live_machine.root, NULL, "root", UINT64_MAX);
    memory_region_init_ram_nomigrate(&live_machine.mr[0], NULL, live_names[0], 128 * live_machine.unit,
                                     &error_abort);
    memory_region_init_resizeable_ram(&live_machine.mr[1], NULL, live_names[1], 3 * live_machine.unit,
                                      8 * live_machine.unit, NULL, &error_abort);
    callers = g_malloc(4 * live_machine.unit);
    memset(callers, BEHIND, 4 * live_machine.unit);
    memory_region_init_ram_ptr(&live_machine.mr[CALLERS], NULL, live_names[CALLERS],
                               4 * live_machine.unit - (uint64_t)sysconf(_SC_PAGESIZE) + CALLERS_LAST, callers);
    memory_region_init_ram_nomigrate(&live_machine.mr[3], NULL, live_names[3], 2 * live_machine.unit,
                                     &error_abort);
    live_machine.manager = subject_manager_new(&live_machine.mr[PLUGGED], live_machine.unit, &never_busy,
                                               &error_abort);
    for (unsigned b = 0; b < BLOCKS; b++) {
        live_machine.block[b] = region_block(&live_machine.mr[b]);
        qemu_ram_set_idstr(live_machine.block[b], live_names[b], NULL);
        qemu_ram_set_migratable(live_machine.block[b]);
        memory_region_add_subregion(&live_machine.root, b * APART, &live_machine.mr[b]);
        live_machine.at_stop[b] = g_malloc(live_machine.block[b]->max_length);
    }
    address_space_init(&live_machine.as, &live_machine.root, "live");
    live_machine.log = (MemoryListener){ .name = "log", .log_sync_global = log_looked_at,
                                         .log_global_after_sync = looked, .log_clear = log_cleared };
    memory_listener_register(&live_machine.log, &live_machine.as);
    live_machine.fd = memfd_create("live", MFD_CLOEXEC);
    live_machine.file = mmap(NULL, FILE_MAX, PROT_READ, MAP_SHARED, live_machine.fd, 0);
    REQUIRE(live_machine.fd >= 0 && live_machine.file != MAP_FAILED, "no file");
}
