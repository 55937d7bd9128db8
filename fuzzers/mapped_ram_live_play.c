/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mapped_ram_live_play.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "model/mapped_ram.h"
#include "model/ram_save.h"
#define FUZZ_TARGET "mapped_ram_live"
#include "run/fuzz_check.h"
#include "run/subject.h"
#include "target.h"

enum { BLOCKS = 3, FLASH = 1, STEPS_MAX = 64, SAVES_MAX = 4 };
#define APART (UINT64_C(64) << 20)      /* of the blocks in the address space */
#define FILE_MAX (UINT64_C(64) << 20)

/* --- the machine: in the order of the block list, longest first (R-RAM-19) --- */

static const char *const names[BLOCKS] = { "big", "flash", "small" };

static struct {
    MemoryRegion root, mr[BLOCKS], extra;
    AddressSpace as;
    RAMBlock *block[BLOCKS];
    uint64_t unit;              /* of lengths */
    bool has_extra;
    int fd;
    const uint8_t *file;        /* mapped; as far as the file goes */
    uint8_t *at_stop[BLOCKS];
} machine;

/* --- the input that is played --- */

static struct {
    RamSaveParameters parameters;
    RamSave *save;
    struct save_model model;
    unsigned saves;
    bool blocks_changed, cancelled, stopped, resumed;
    bool in_the_middle;         /* the guest wrote during a step: what the step saw is not known */
    /* steps 7, 14, 15 */
    size_t fail_in;
    int error;
    struct {
        bool cancels;
        uint8_t block, page;
        size_t in;
    } interruption;
    uint8_t last_block, last_page;      /* of step 12 */
} play;

static unsigned pages_of(unsigned block)
{
    return (unsigned)(machine.block[block]->used_length / TARGET_PAGE_SIZE);
}

static void guest_writes(unsigned block, unsigned page, unsigned count, uint8_t value)
{
    page %= pages_of(block);
    count = MIN(count, pages_of(block) - page);
    memset(machine.block[block]->host + page * TARGET_PAGE_SIZE, value, count * TARGET_PAGE_SIZE);
    memory_region_set_dirty(&machine.mr[block], page * TARGET_PAGE_SIZE, count * TARGET_PAGE_SIZE);
    /* A block that was resized is no longer the save's. */
    if (global_dirty_tracking && page + count <= play.model.blocks[block].pages) {
        save_model_write(&play.model, block, page, count);
    }
}

static void guest_stores(unsigned block, unsigned page, unsigned byte)
{
    const uint64_t offset = (page % pages_of(block)) * TARGET_PAGE_SIZE + byte * 16 % TARGET_PAGE_SIZE;
    const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

    REQUIRE(address_space_write(&machine.as, block * APART + offset, MEMTXATTRS_UNSPECIFIED, bytes, 8) == MEMTX_OK,
            "the guest cannot store");
    if (global_dirty_tracking && page % pages_of(block) < play.model.blocks[block].pages) {
        save_model_write(&play.model, block, page % pages_of(block), 1);
    }
}

static void stop_writers(void *opaque)
{
    (void)opaque;
    guest_writes(play.last_block % BLOCKS, play.last_page, 1, play.last_page / 64);
    for (unsigned b = 0; b < BLOCKS; b++) {
        memcpy(machine.at_stop[b], machine.block[b]->host, machine.block[b]->used_length);
    }
    play.stopped = true;
}

static void resume_writers(void *opaque)
{
    (void)opaque;
    REQUIRE(play.stopped, "writers resume that were not stopped");
    play.resumed = true;
}

static void interrupt(void *opaque)
{
    (void)opaque;
    /* Until dirty logging runs all is dirty anyway, and from the stop on nobody writes. */
    if (!global_dirty_tracking || play.stopped || !play.save || play.interruption.in-- != 0) {
        return;
    }
    play.interruption.in = SIZE_MAX;
    if (play.interruption.cancels) {
        ram_save_cancel(play.save);
        play.cancelled = true;
    } else {
        guest_writes(play.interruption.block % BLOCKS, play.interruption.page, 1, play.interruption.page / 64);
        play.in_the_middle = true;
    }
}

/* --- a save --- */

static bool file_is_marked(void)
{
    struct stat status;

    REQUIRE(fstat(machine.fd, &status) == 0 && (uint64_t)status.st_size <= FILE_MAX, "the file is too large");
    return (uint64_t)status.st_size >= play.parameters.base + 8 &&
           memcmp(machine.file + play.parameters.base, "QEVM\0\0\0\3", 8) == 0;
}

static void check_counters(void)
{
    const struct save_model *model = &play.model;
    RamSaveCounters counters;

    ram_save_counters(play.save, &counters);
    fuzz_hash_number(counters.normal << 32 | counters.zero);
    fuzz_hash_number(counters.remaining << 32 | counters.dirty_sync_count);
    REQUIRE(counters.remaining == model->remaining, "remaining is not the model's");
    REQUIRE(counters.dirty_sync_count == model->dirty_sync_count, "looks for dirty pages are not the model's");
    REQUIRE(counters.normal + counters.zero == model->normal + model->zero, "taken pages are not the model's");
    REQUIRE(play.in_the_middle || counters.normal == model->normal, "written pages are not the model's");
}

static void check_active(void)
{
    REQUIRE(global_dirty_tracking, "no dirty logging during a save");
    REQUIRE(!file_is_marked(), "an unfinished file has its magic number");
    check_counters();
    for (unsigned b = 0; b < BLOCKS; b++) {
        const RAMBlock *block = machine.block[b];
        const struct save_model_block *m = &play.model.blocks[b];

        for (unsigned page = 0; page < m->pages; page++) {
            REQUIRE((block->bmap[page / 64] >> page % 64 & 1) == m->dirty[page], "a page's dirtiness is not the model's");
            REQUIRE(play.in_the_middle || (block->file_bmap[page / 64] >> page % 64 & 1) == m->present[page],
                    "a page's presence is not the model's");
        }
    }
}

static void check_left(bool complete)
{
    REQUIRE(!global_dirty_tracking, "dirty logging goes on behind a save");
    REQUIRE(play.resumed == (play.stopped && !complete), "writers stay stopped, or run though all is saved");
    for (unsigned b = 0; b < BLOCKS; b++) {
        const RAMBlock *block = machine.block[b];

        REQUIRE(!block->bmap && !block->file_bmap && !block->clear_bmap && !block->pages_offset && !block->bitmap_offset,
                "a save leaves something behind");
    }
    REQUIRE(complete == file_is_marked(), complete ? "a complete file has no magic number" : "a failed save looks complete");
}

static void check_complete(void)
{
    const struct mapped_ram_leave leave = { .page_size = TARGET_PAGE_SIZE, .machine = "none" };
    static uint8_t *loaded;
    struct mapped_ram_seen seen;
    struct stat status;
    MappedRamFile *file;

    fstat(machine.fd, &status);
    const struct mapped_ram_bytes bytes = {
        .bytes = machine.file, .length = (uint64_t)status.st_size, .size = (uint64_t)status.st_size,
    };
    loaded = loaded ? loaded : g_malloc(machine.block[0]->max_length);
    REQUIRE(mapped_ram_model_probe(&bytes, play.parameters.base, &leave, &seen), "a complete file is not sound");
    REQUIRE(seen.blocks->len == play.model.count, "a complete file has not all blocks");
    for (unsigned b = 0; b < BLOCKS; b++) {
        const struct mapped_ram_seen_block *block = mapped_ram_model_block(&seen, b);

        REQUIRE(strcmp(block->name, names[b]) == 0 && block->used_length == machine.block[b]->used_length,
                "a complete file has other blocks");
        mapped_ram_model_fill(&bytes, block, loaded);
        REQUIRE(memcmp(loaded, machine.at_stop[b], block->used_length) == 0, "a complete file has other memory than at the stop");
        for (unsigned page = 0; page < play.model.blocks[b].pages; page++) {
            REQUIRE(mapped_ram_model_present(&bytes, block, page) == play.model.blocks[b].present[page],
                    "a complete file's page is present though zero, or absent though not");
        }
    }
    mapped_ram_model_free(&seen);
    file = mapped_ram_probe(machine.fd, play.parameters.base, 0, "none", NULL);
    REQUIRE(file && file->complete, "memcore does not take its own file");
    mapped_ram_free(file);
}

/* What a step must answer, by what happened before and during it; `good`: if nothing did. */
static void check_result(int result, int good, bool failed, Error *error)
{
    fuzz_hash_number((uint64_t)result);
    REQUIRE((result < 0) == (error != NULL), "a result without its Error, or the other way round");
    error_free(error);
    if (failed && play.error != EINTR) {
        REQUIRE(result == -play.error || (play.cancelled && result == -ECANCELED), "a failed call is not the result");
    } else if (play.blocks_changed) {
        REQUIRE(result == -EBUSY || (play.cancelled && result == -ECANCELED), "a save goes on with other blocks");
    } else if (play.cancelled) {
        /* A cancellation in the middle of a step may come too late for it. */
        REQUIRE(result == -ECANCELED || result == good, "a cancelled save has another result");
    } else {
        REQUIRE(result == good, "a step's answer is not the model's");
    }
}

static void begin_call(void)
{
    subject_plant_failure(play.fail_in, play.error);
}

/* Whether a call failed since. */
static bool end_call(void)
{
    const size_t calls = subject_plant_failure(SIZE_MAX, 0);
    const bool failed = calls > play.fail_in;

    play.fail_in = play.fail_in == SIZE_MAX || failed ? SIZE_MAX : play.fail_in - calls;
    return failed;
}

static void forget(void)
{
    ram_save_free(play.save);
    play.save = NULL;
    play.cancelled = play.blocks_changed = play.stopped = play.resumed = play.in_the_middle = false;
}

static void setup_model(void)
{
    struct save_model *model = &play.model;

    memset(model, 0, sizeof(*model));
    model->count = BLOCKS;
    model->page_size = TARGET_PAGE_SIZE;
    model->enough = play.parameters.enough;
    model->max_rounds = play.parameters.max_rounds;
    model->keep_zero_pages = play.parameters.keep_zero_pages;
    for (unsigned b = 0; b < BLOCKS; b++) {
        model->blocks[b].memory = machine.block[b]->host;
        model->blocks[b].pages = pages_of(b);
        REQUIRE(pages_of(b) <= SAVE_MODEL_PAGES_MAX, "the model has too little room");
    }
    save_model_start(model);
}

/* Whether there is a save to go on with. */
static bool have_save(void)
{
    Error *error = NULL;
    bool failed;
    int result;

    if (play.save) {
        return true;
    }
    if (machine.has_extra || play.saves++ == SAVES_MAX) {
        return false;
    }
    setup_model();
    if (file_is_marked()) {
        /* A save that cannot cut the file leaves it as it is: the file of the last one, sound. */
        REQUIRE(ftruncate(machine.fd, 0) == 0, "no file");
    }
    begin_call();
    play.save = ram_save_new(&play.parameters, &error_abort);
    result = ram_save_setup(play.save, &error);
    failed = end_call();
    check_result(result, 0, failed, error);
    if (result < 0) {
        check_left(false);
        forget();
        return false;
    }
    check_active();
    return true;
}

static void iterate(uint64_t pages)
{
    Error *error = NULL;
    bool failed, more;
    int result;

    begin_call();
    result = ram_save_iterate(play.save, pages, &error);
    failed = end_call();
    more = result >= 0 && save_model_iterate(&play.model, pages);
    check_result(result, more, failed, error);
    if (result < 0) {
        check_left(false);
        forget();
    } else {
        check_active();
    }
}

static void complete(void)
{
    Error *error = NULL;
    bool failed;
    int result;

    begin_call();
    result = ram_save_complete(play.save, &error);
    failed = end_call();
    check_result(result, 0, failed, error);
    if (result == 0) {
        save_model_complete(&play.model);
        check_counters();
        check_complete();
    }
    check_left(result == 0);
    forget();
}

/* --- steps --- */

static void toggle_extra(void)
{
    if (machine.has_extra) {
        object_unparent(OBJECT(&machine.extra));
        subject_drain();
    } else {
        memory_region_init_ram_nomigrate(&machine.extra, NULL, "extra", machine.unit, &error_abort);
    }
    machine.has_extra = !machine.has_extra;
    play.blocks_changed = play.save != NULL;
}

static void second_save(void)
{
    RamSave *second = ram_save_new(&play.parameters, &error_abort);
    Error *error = NULL;

    REQUIRE(ram_save_setup(second, &error) == -EBUSY, "two saves at once");
    REQUIRE(error, "a failure without an Error");
    error_free(error);
    ram_save_free(second);
}

static void resize(uint64_t pages)
{
    if (machine.block[FLASH]->used_length != pages * machine.unit) {
        qemu_ram_resize(machine.block[FLASH], pages * machine.unit, &error_abort);
        play.blocks_changed = play.save != NULL;
    }
}

static void step(uint8_t what, uint8_t a, uint8_t b, uint8_t c)
{
    static const int errors[] = { EIO, ENOSPC, EINTR, EINVAL };

    what %= 16;
    if (what <= 2) {
        guest_writes(a % BLOCKS, b, 1 + c % 8, c / 8);
    } else if (what == 3) {
        guest_stores(a % BLOCKS, b, c);
    } else if (what == 7) {
        play.fail_in = a;
        play.error = errors[b % 4];
    } else if (what == 9) {
        resize(1 + a % 8);
    } else if (what == 10) {
        toggle_extra();
    } else if (what >= 14) {
        play.interruption.cancels = what == 15;
        play.interruption.block = a;
        play.interruption.page = b;
        play.interruption.in = c;
    } else if (!have_save()) {
        return;
    } else if (what <= 6) {
        iterate(a);
    } else if (what == 8) {
        ram_save_cancel(play.save);
        play.cancelled = true;
    } else if (what == 11) {
        second_save();
    } else if (what == 12) {
        play.last_block = a;
        play.last_page = b;
        complete();
    } else {
        ram_save_free(play.save);
        play.save = NULL;
        check_left(false);
        forget();
    }
}

/* --- inputs --- */

/* All that an input changes is as it was before it. */
static void restore(void)
{
    if (machine.has_extra) {
        toggle_extra();
    }
    resize(3);
    for (unsigned b = 0; b < BLOCKS; b++) {
        RAMBlock *block = machine.block[b];

        /* Also what growing would bring back (R-RES-5). */
        for (uint64_t page = 0; page < block->max_length / TARGET_PAGE_SIZE; page++) {
            memset(block->host + page * TARGET_PAGE_SIZE, page % 3 ? (int)page + 1 : 0, TARGET_PAGE_SIZE);
        }
        cpu_physical_memory_clear_dirty_range(block->offset, block->used_length);
    }
    /* A new view, which remembers nothing of what was found in the last one. */
    memory_region_set_enabled(&machine.mr[0], false);
    memory_region_set_enabled(&machine.mr[0], true);
    subject_drain();
}

void live_warm_up(void)
{
    subject_start();
    machine.unit = MAX((uint64_t)sysconf(_SC_PAGESIZE), TARGET_PAGE_SIZE);
    memory_region_init(&machine.root, NULL, "root", UINT64_MAX);
    memory_region_init_ram_nomigrate(&machine.mr[0], NULL, names[0], 70 * machine.unit, &error_abort);
    memory_region_init_resizeable_ram(&machine.mr[1], NULL, names[1], 3 * machine.unit, 8 * machine.unit, NULL, &error_abort);
    memory_region_init_ram_nomigrate(&machine.mr[2], NULL, names[2], 2 * machine.unit, &error_abort);
    for (unsigned b = 0; b < BLOCKS; b++) {
        ram_addr_t offset;

        machine.block[b] = qemu_ram_block_from_host(memory_region_get_ram_ptr(&machine.mr[b]), false, &offset);
        qemu_ram_set_idstr(machine.block[b], names[b], NULL);
        qemu_ram_set_migratable(machine.block[b]);
        memory_region_add_subregion(&machine.root, b * APART, &machine.mr[b]);
        machine.at_stop[b] = g_malloc(machine.block[b]->max_length);
    }
    address_space_init(&machine.as, &machine.root, "live");
    machine.fd = memfd_create("live", MFD_CLOEXEC);
    machine.file = mmap(NULL, FILE_MAX, PROT_READ, MAP_SHARED, machine.fd, 0);
    REQUIRE(machine.fd >= 0 && machine.file != MAP_FAILED, "no file");
    subject_set_interruption(interrupt, NULL);
    play.fail_in = SIZE_MAX;
    toggle_extra();             /* restore() takes it away */
    restore();
}

void live_play(const uint8_t *data, size_t size)
{
    uint8_t head[4] = { 0 };

    fuzz_hash_begin();
    memset(&play, 0, sizeof(play));
    play.fail_in = play.interruption.in = SIZE_MAX;
    memcpy(head, data, MIN(size, sizeof(head)));
    play.parameters = (RamSaveParameters){
        .fd = machine.fd,
        .base = head[3] * 0x1c,
        .machine = "none",
        .alignment = TARGET_PAGE_SIZE << head[2] / 16 % 4,
        .keep_zero_pages = head[0] & 1,
        .enough = head[1] % 16,
        .punch_holes = head[0] & 4,
        .clear_bmap_shift = head[0] & 8 ? CLEAR_BITMAP_SHIFT_MIN : 0,
        .max_rounds = head[2] % 16,
        .stop_writers = stop_writers,
        .resume_writers = resume_writers,
    };
    REQUIRE(ftruncate(machine.fd, 0) == 0, "no file");
    if (head[0] & 2) {
        uint8_t old[0x3000];

        memset(old, 'x', sizeof(old));
        REQUIRE(pwrite(machine.fd, old, sizeof(old), 0) == sizeof(old), "no room for the file");
    }
    for (size_t at = 4, steps = 0; at + 4 <= size && steps < STEPS_MAX; at += 4, steps++) {
        step(data[at], data[at + 1], data[at + 2], data[at + 3]);
    }
    if (play.save) {
        complete();
    }
    restore();
}
