/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache of RAM against arrays: what memory and cache hold, and for each page whether it was written, put, and is
 * marked for screens and code (R-COLO).
 */
#include "migrate/colo.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "migration/colo-cache.h"
#include "qapi/error.h"
#include "run/region_block.h"
#include "run/subject.h"

#define FUZZ_TARGET "colo_cache"
#include "run/fuzz_check.h"

#define PAGE TARGET_PAGE_SIZE
enum { FIXED, RESIZEABLE, CALLERS, BLOCKS, PAGES_MAX = 8, STEPS_MAX = 96, FOREIGN = 0x5a, ABOVE = 250 };
#define APART (UINT64_C(1) << 24)       /* of the blocks in the address space */

/* What a block has to be like. */
struct block {
    unsigned pages;             /* used */
    uint64_t own;               /* bytes that are memcore's (R-RAM-7) */
    uint8_t *memory, *cache;
    bool written[PAGES_MAX], put[PAGES_MAX], marked[PAGES_MAX];
};

static struct {
    MemoryRegion root, mr[BLOCKS], extra;
    AddressSpace as;
    RAMBlock *block[BLOCKS];
    uint64_t unit;              /* of lengths */
    uint8_t *callers;           /* the memory, of which the region has not got the last bytes */
    struct block model[BLOCKS];
    bool on, changed, has_extra;
} machine;

/* --- the machine -------------------------------------------------------------------------------- */

static unsigned pages_of(uint64_t bytes)
{
    return (unsigned)((bytes + PAGE - 1) / PAGE);
}

/* All is as it was, and nothing is remembered of what was found last. */
static void end(void)
{
    if (machine.has_extra) {
        object_unparent(OBJECT(&machine.extra));
        machine.has_extra = false;
    }
    qemu_ram_resize(machine.block[RESIZEABLE], machine.unit, &error_abort);
    for (unsigned b = 0; b < BLOCKS; b++) {
        cpu_physical_memory_clear_dirty_range(machine.block[b]->offset, machine.block[b]->used_length);
    }
    memory_region_set_enabled(&machine.mr[FIXED], false);
    memory_region_set_enabled(&machine.mr[FIXED], true);
    subject_set_vm_running(true);
    subject_drain();
    (void)qemu_map_ram_ptr(NULL, machine.block[FIXED]->offset);
}

void colo_warm_up(void)
{
    static const char *const names[BLOCKS] = { "fixed", "resizeable", "callers" };
    const uint64_t unit = MAX((uint64_t)PAGE, (uint64_t)sysconf(_SC_PAGESIZE));
    const uint64_t lengths[BLOCKS] = { PAGES_MAX / (unit / PAGE) * unit, unit, 2 * unit - 100 };
    void *memory = NULL;

    subject_start();
    machine.unit = unit;
    REQUIRE(PAGES_MAX * PAGE >= 2 * unit, "host pages are too large");
    REQUIRE(posix_memalign(&memory, unit, 2 * unit) == 0, "no memory");
    machine.callers = memory;
    memory_region_init(&machine.root, NULL, "root", UINT64_MAX);
    memory_region_init_ram_nomigrate(&machine.mr[FIXED], NULL, "fixed", lengths[FIXED], &error_abort);
    memory_region_init_resizeable_ram(&machine.mr[RESIZEABLE], NULL, "resizeable", unit, lengths[FIXED], NULL,
                                      &error_abort);
    memory_region_init_ram_ptr(&machine.mr[CALLERS], NULL, "callers", lengths[CALLERS], machine.callers);
    for (unsigned b = 0; b < BLOCKS; b++) {
        machine.block[b] = region_block(&machine.mr[b]);
        if (!machine.block[b]->idstr[0]) {
            qemu_ram_set_idstr(machine.block[b], names[b], NULL);
        }
        qemu_ram_set_migratable(machine.block[b]);
        memory_region_add_subregion(&machine.root, b * APART, &machine.mr[b]);
        machine.model[b].memory = g_malloc(PAGES_MAX * PAGE);
        machine.model[b].cache = g_malloc(PAGES_MAX * PAGE);
    }
    address_space_init(&machine.as, &machine.root, "colo");
    end();
}

static void set_length(unsigned b)
{
    machine.model[b].pages = pages_of(machine.block[b]->used_length);
    machine.model[b].own = MIN(machine.block[b]->used_length, memory_region_size(&machine.mr[b]));
}

static void begin(uint8_t first)
{
    subject_set_vm_running(false);
    memset(machine.callers, FOREIGN, 2 * machine.unit);
    for (unsigned b = 0; b < BLOCKS; b++) {
        struct block *model = &machine.model[b];

        set_length(b);
        for (unsigned page = 0; page < pages_of(machine.block[b]->max_length); page++) {
            memset(model->memory + page * PAGE, page % 3 ? (uint8_t)(first + page) : 0, PAGE);
            model->written[page] = model->put[page] = model->marked[page] = false;
        }
        memcpy(machine.block[b]->host, model->memory, b == CALLERS ? model->own : machine.block[b]->max_length);
    }
    machine.on = machine.changed = false;
}

/* --- what has to be ------------------------------------------------------------------------------- */

static void check_block(unsigned b)
{
    const RAMBlock *block = machine.block[b];
    const struct block *model = &machine.model[b];
    const uint64_t known = b == CALLERS ? model->own : block->max_length;

    REQUIRE(memcmp(block->host, model->memory, known) == 0, "memory differs (R-COLO-2, R-COLO-4)");
    REQUIRE(!block->colo_cache == !machine.on && !block->bmap == !machine.on, "a cache is left, or lost (R-COLO-5)");
    REQUIRE(!machine.on || memcmp(block->colo_cache, model->cache, block->max_length) == 0,
            "the cache differs (R-COLO-1 to R-COLO-4)");
    for (unsigned page = 0; page < model->pages; page++) {
        const ram_addr_t start = block->offset + page * PAGE;

        REQUIRE(cpu_physical_memory_get_dirty(start, PAGE, DIRTY_MEMORY_VGA) == model->marked[page] &&
                    cpu_physical_memory_get_dirty(start, PAGE, DIRTY_MEMORY_CODE) == model->marked[page],
                "pages are marked that did not change, or are not that did (R-COLO-4)");
    }
}

static void check_all(void)
{
    if (!machine.on) {          /* a stop is put off until the machine runs (R-DLOG-9) */
        subject_set_vm_running(true);
        subject_set_vm_running(false);
    }
    for (unsigned b = 0; b < BLOCKS; b++) {
        check_block(b);
    }
    for (uint64_t i = machine.model[CALLERS].own; i < 2 * machine.unit; i++) {
        REQUIRE(machine.callers[i] == FOREIGN, "bytes behind the caller's memory changed (R-RAM-7)");
    }
    REQUIRE(!!global_dirty_tracking == machine.on, "logging is on without caches, or off with them (R-COLO-5)");
}

static void check_answer(int64_t answer, int64_t expected, Error *error)
{
    REQUIRE(answer == expected, "the answer differs (R-COLO-1 to R-COLO-5)");
    REQUIRE(!error == (expected >= 0), "an Error without failure, or a failure without one");
    error_free(error);
    fuzz_hash_number((uint64_t)answer);
}

/* --- steps ----------------------------------------------------------------------------------------- */

static void write_pages(unsigned b, unsigned page, unsigned count, uint8_t value)
{
    struct block *model = &machine.model[b];
    const uint64_t start = page * PAGE, end = MIN((page + count) * (uint64_t)PAGE, model->own);

    memset(machine.block[b]->host + start, value, end - start);
    memory_region_set_dirty(&machine.mr[b], start, end - start);
    memset(model->memory + start, value, end - start);
    for (; page * (uint64_t)PAGE < end; page++) {
        model->written[page] = true;
    }
}

static void store(unsigned b, unsigned page, unsigned byte)
{
    struct block *model = &machine.model[b];
    const uint64_t offset = page * PAGE + byte * 16 % PAGE;
    const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

    if (offset + 8 > model->own) {
        return;
    }
    REQUIRE(address_space_write(&machine.as, b * APART + offset, MEMTXATTRS_UNSPECIFIED, bytes, 8) == MEMTX_OK,
            "the guest cannot store");
    memcpy(model->memory + offset, bytes, 8);
    model->written[page] = true;
}

static void put(unsigned b, unsigned page, unsigned count, uint8_t value, bool within)
{
    struct block *model = &machine.model[b];
    const bool fits = page + count <= model->pages && !within;
    uint8_t *bytes;
    Error *error = NULL;
    int answer;

    if (!machine.on) {
        return;
    }
    bytes = g_malloc(count * PAGE);
    memset(bytes, value, count * PAGE);
    answer = colo_cache_put(machine.block[b], page * PAGE + (within ? 8 : 0), bytes, count * PAGE, &error);
    g_free(bytes);
    check_answer(answer, machine.changed ? -EBUSY : fits ? 0 : -EINVAL, error);
    for (unsigned i = page; answer == 0 && i < page + count; i++) {
        memset(model->cache + i * PAGE, value, PAGE);
        model->put[i] = true;
    }
}

static int64_t model_checkpoint(bool flush)
{
    int64_t count = 0;

    for (unsigned b = 0; b < BLOCKS; b++) {
        struct block *model = &machine.model[b];

        for (unsigned page = 0; page < model->pages; page++) {
            const uint64_t start = page * PAGE, length = MIN(model->own - start, PAGE);

            if (flush && (model->written[page] || model->put[page])) {
                memcpy(model->memory + start, model->cache + start, length);
                model->marked[page] = true;
            } else if (!flush && model->written[page] && !model->put[page]) {
                memcpy(model->cache + start, model->memory + start, length);
            } else {
                continue;
            }
            model->written[page] = model->put[page] = false;
            count++;
        }
    }
    return count;
}

static void checkpoint(bool flush)
{
    Error *error = NULL;
    int64_t answer;

    if (!machine.on) {
        return;
    }
    answer = flush ? colo_cache_flush(&error) : colo_cache_write_through(&error);
    check_answer(answer, machine.changed ? -EBUSY : model_checkpoint(flush), error);
}

static void release(void)
{
    colo_cache_release();
    machine.on = machine.changed = false;
}

/* The `nth` of three mappings fails. */
static void init(size_t nth, bool bitmap)
{
    unsigned long bits = 0;
    Error *error = NULL;
    int answer, expected = machine.on || bitmap ? -EBUSY : nth < BLOCKS ? -ENOMEM : 0;

    if (bitmap && !machine.on) {
        machine.block[CALLERS]->bmap = &bits;
    }
    subject_plant_failure(nth, ENOMEM);
    answer = colo_cache_init(&error);
    subject_plant_failure(SIZE_MAX, 0);
    if (bitmap && !machine.on) {
        REQUIRE(machine.block[CALLERS]->bmap == &bits, "a bitmap of somebody else's is gone (R-COLO-1)");
        machine.block[CALLERS]->bmap = NULL;
    }
    check_answer(answer, expected, error);
    if (answer < 0) {
        return;
    }
    machine.on = true;
    for (unsigned b = 0; b < BLOCKS; b++) {
        struct block *model = &machine.model[b];

        memset(model->cache, 0, PAGES_MAX * PAGE);
        memcpy(model->cache, model->memory, model->own);
        memset(model->written, 0, sizeof(model->written));
        memset(model->put, 0, sizeof(model->put));
    }
}

static void resize(unsigned units)
{
    struct block *model = &machine.model[RESIZEABLE];
    RAMBlock *block = machine.block[RESIZEABLE];

    if (units * machine.unit > block->max_length || units * machine.unit == block->used_length) {
        return;
    }
    qemu_ram_resize(block, units * machine.unit, &error_abort);
    set_length(RESIZEABLE);
    machine.changed = machine.on;
    for (unsigned page = 0; page < PAGES_MAX; page++) {
        model->marked[page] = page < model->pages;      /* R-RES-4 */
    }
}

static void toggle_extra(void)
{
    if (machine.has_extra) {
        object_unparent(OBJECT(&machine.extra));
        subject_drain();
    } else {
        memory_region_init_ram_nomigrate(&machine.extra, NULL, "extra", machine.unit, &error_abort);
    }
    machine.has_extra = !machine.has_extra;
    machine.changed = machine.on;
}

static void step(uint8_t what, uint8_t a, uint8_t b, uint8_t c)
{
    const unsigned block = a % BLOCKS, pages = machine.model[block].pages;
    const unsigned page = b % pages, count = 1 + c % 4;

    switch (what % 16) {
    case 0: case 1: case 2: case 3:
        write_pages(block, page, MIN(count, pages - page), c / 4);
        break;
    case 4:
        store(block, page, c);
        break;
    case 5: case 6: case 7: case 8:
        put(block, page, count, c / 4, b > ABOVE);
        break;
    case 9: case 10: case 11:
        checkpoint(what % 16 != 9);
        break;
    case 12:
        machine.on ? release() : init(SIZE_MAX, false);
        break;
    case 13:
        init(a > ABOVE ? SIZE_MAX : a, a > ABOVE);
        break;
    case 14:
        resize(1 + a % PAGES_MAX);
        break;
    default:
        toggle_extra();
        break;
    }
}

void colo_play(const uint8_t *data, size_t size)
{
    fuzz_hash_begin();
    begin(size > 0 ? data[0] : 0);
    for (size_t at = 4, steps = 0; at + 4 <= size && steps < STEPS_MAX; at += 4, steps++) {
        step(data[at], data[at + 1], data[at + 2], data[at + 3]);
        check_all();
    }
    release();
    check_all();
    fuzz_hash_bytes(machine.model[FIXED].memory, machine.block[FIXED]->max_length);
    end();
}
