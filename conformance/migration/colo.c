/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 9: the cache of RAM (R-COLO-*). */
#include "migration/colo-cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/conformance.h"
#include "exec/ram_addr.h"
#include "memcore/bitmap_discard_manager.h"
#include "migration/ram-save.h"

#define PAGE TARGET_PAGE_SIZE
enum { PAGES = 128 };

static MemoryRegion *ram;

static RAMBlock *block(void)
{
    return qemu_ram_block_by_name("ram");
}

static void guest_writes(uint64_t page, uint8_t value)
{
    memset(block()->host + page * PAGE, value, PAGE);
    memory_region_set_dirty(ram, page * PAGE, PAGE);
}

static void begin(void)
{
    ram = stage_ram_migratable("ram", PAGES * PAGE);
    for (uint64_t page = 0; page < PAGES; page++) {
        memset(block()->host + page * PAGE, page % 4 ? (int)page : 0, PAGE);
    }
    memcore_set_vm_running(false);
}

static void end(void)
{
    colo_cache_release();
    memcore_set_vm_running(true);
}

static bool page_is(const uint8_t *memory, uint64_t page, uint8_t value)
{
    const uint8_t *place = memory + page * PAGE;

    return place[0] == value && memcmp(place, place + 1, PAGE - 1) == 0;
}

static void put(uint64_t page, uint8_t value)
{
    uint8_t *bytes = g_malloc(PAGE);

    memset(bytes, value, PAGE);
    check_number(colo_cache_put(block(), page * PAGE, bytes, PAGE, &error_abort), 0);
    g_free(bytes);
}

static void filled(void)
{
    begin();
    guest_writes(3, 99);                    /* logged by nobody, and in the copy all the same */
    check_number(colo_cache_init(&error_abort), 0);
    check(memcmp(block()->colo_cache, block()->host, PAGES * PAGE) == 0);
    check_number(colo_cache_flush(&error_abort), 0);
    check_number(colo_cache_write_through(&error_abort), 0);
    end();
}

static void written_through(void)
{
    begin();
    check_number(colo_cache_init(&error_abort), 0);
    guest_writes(5, 77);
    guest_writes(64, 0);
    check(page_is(block()->colo_cache, 5, 5));
    check_number(colo_cache_write_through(&error_abort), 2);
    check(page_is(block()->colo_cache, 5, 77));
    check(memcmp(block()->colo_cache, block()->host, PAGES * PAGE) == 0);
    check_number(colo_cache_write_through(&error_abort), 0);
    /* Pending: the cache has the newer version. */
    guest_writes(5, 78);
    put(5, 79);
    guest_writes(6, 80);
    check_number(colo_cache_write_through(&error_abort), 1);
    check(page_is(block()->colo_cache, 5, 79));
    check(page_is(block()->host, 5, 78));
    check_number(colo_cache_flush(&error_abort), 1);
    check(page_is(block()->host, 5, 79));
    end();
}

static unsigned syncs, after_syncs;

/* What an accelerator knew by itself until now. */
static void on_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    (void)listener;
    check_pointer(section->mr, ram);
    check_number(after_syncs, syncs++);
    memory_region_set_dirty(ram, 7 * PAGE, PAGE);
}

static void on_after_sync(MemoryListener *listener)
{
    (void)listener;
    check_number(++after_syncs, syncs);
}

/* Each look for what the guest wrote asks those who log, and tells them when it is over. */
static void asks_listeners(void)
{
    MemoryListener listener = { .name = "accelerator", .log_sync = on_sync, .log_global_after_sync = on_after_sync };
    MemoryRegion *root = stage_container("root", PAGES * PAGE);

    begin();
    stage_add(root, 0, ram);
    syncs = after_syncs = 0;
    memory_listener_register(&listener, stage_space(root, "as"));
    check_number(colo_cache_init(&error_abort), 0);
    check_number(after_syncs, 1);
    memset(block()->host + 7 * PAGE, 0x77, PAGE);
    check_number(colo_cache_write_through(&error_abort), 1);
    check_number(after_syncs, 2);
    check(page_is(block()->colo_cache, 7, 0x77));
    memset(block()->host + 7 * PAGE, 0x78, PAGE);
    check_number(colo_cache_flush(&error_abort), 1);
    check_number(after_syncs, 3);
    check(page_is(block()->host, 7, 0x77));
    memory_listener_unregister(&listener);
    end();
}

static void flushed(void)
{
    begin();
    check_number(colo_cache_init(&error_abort), 0);
    cpu_physical_memory_clear_dirty_range(block()->offset, block()->used_length);
    guest_writes(5, 77);
    put(9, 42);
    put(127, 43);
    check(page_is(block()->host, 9, 9));    /* a put does not change RAM */
    cpu_physical_memory_test_and_clear_dirty(block()->offset, block()->used_length, DIRTY_MEMORY_VGA);
    check_number(colo_cache_flush(&error_abort), 3);
    check(page_is(block()->host, 5, 5));    /* what the guest did is undone */
    check(page_is(block()->host, 9, 42));
    check(page_is(block()->host, 127, 43));
    check(memcmp(block()->colo_cache, block()->host, PAGES * PAGE) == 0);
    for (uint64_t page = 0; page < PAGES; page++) {
        check(cpu_physical_memory_get_dirty(block()->offset + page * PAGE, PAGE, DIRTY_MEMORY_VGA) ==
              (page == 5 || page == 9 || page == 127));
    }
    check_number(colo_cache_flush(&error_abort), 0);
    end();
}

/* Two arrays and two sets. */
static void random_order(void)
{
    GRand *random = g_rand_new_with_seed(3);
    uint8_t memory[PAGES], cache[PAGES];
    bool written[PAGES] = { false }, pending[PAGES] = { false };

    begin();
    check_number(colo_cache_init(&error_abort), 0);
    for (uint64_t page = 0; page < PAGES; page++) {
        memory[page] = cache[page] = page % 4 ? (uint8_t)page : 0;
    }
    for (unsigned step = 0; step < 2000; step++) {
        const uint64_t page = (uint64_t)g_rand_int_range(random, 0, PAGES);
        const uint8_t value = (uint8_t)g_rand_int_range(random, 0, 4);
        int64_t copied = 0;

        switch (g_rand_int_range(random, 0, 12)) {
        case 0:
            for (uint64_t i = 0; i < PAGES; i++) {
                copied += written[i] || pending[i];
                memory[i] = cache[i];
                written[i] = pending[i] = false;
            }
            check_number(colo_cache_flush(&error_abort), copied);
            break;
        case 1:
            for (uint64_t i = 0; i < PAGES; i++) {
                if (written[i] && !pending[i]) {
                    copied++;
                    cache[i] = memory[i];
                    written[i] = false;
                }
            }
            check_number(colo_cache_write_through(&error_abort), copied);
            break;
        case 2: case 3: case 4: case 5: case 6:
            put(page, value);
            cache[page] = value;
            pending[page] = true;
            break;
        default:
            guest_writes(page, value);
            memory[page] = value;
            written[page] = true;
            break;
        }
        for (uint64_t i = 0; i < PAGES; i++) {
            check(block()->host[i * PAGE] == memory[i] && block()->colo_cache[i * PAGE + PAGE - 1] == cache[i]);
        }
    }
    g_rand_free(random);
    end();
}

static void refused_pages(void)
{
    uint8_t *bytes = g_malloc0(2 * PAGE);
    const struct {
        uint64_t offset;
        size_t length;
    } wrong[] = {
        { 1, PAGE }, { 0, 1 }, { PAGES * PAGE, PAGE }, { (PAGES - 1) * PAGE, 2 * PAGE }, { -PAGE, 2 * PAGE },
    };

    begin();
    check_number(colo_cache_init(&error_abort), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        Error *error = NULL;

        check_number(colo_cache_put(block(), wrong[i].offset, bytes, wrong[i].length, &error), -EINVAL);
        check(error != NULL);
        error_free(error);
    }
    check_number(colo_cache_flush(&error_abort), 0);
    g_free(bytes);
    end();
}

static void refuse_init(int expected, const char *text)
{
    Error *error = NULL;

    check_number(colo_cache_init(&error), expected);
    check(error && strstr(error_get_pretty(error), text));
    error_free(error);
}

/* All or none: what the first block gets it gives back if another cannot have one. */
static void refused_blocks(void)
{
    RamSaveParameters parameters = { .fd = memfd_create("save", MFD_CLOEXEC), .machine = "none" };
    RamSave *save = ram_save_new(&parameters, &error_abort);
    BitmapDiscardManager *manager;
    uint8_t cache[1];
    MemoryRegion *other, *root = stage_container("root", PAGES * PAGE);

    begin();
    stage_ram("not migrated", PAGES * PAGE);
    other = stage_ram_migratable("smaller", PAGES / 2 * PAGE);
    host_refuses_nth(MEMCORE_FAULT_MMAP, ENOMEM, 1);
    refuse_init(-ENOMEM, "smaller");
    host_agrees();
    check_pointer(block()->colo_cache, NULL);
    check_pointer(block()->bmap, NULL);
    /* Somebody else's: the first block, then the second. */
    check_number(ram_save_setup(save, &error_abort), 0);
    refuse_init(-EBUSY, "\"ram\" is being migrated");
    ram_save_free(save);
    other->ram_block->colo_cache = cache;
    refuse_init(-EBUSY, "\"smaller\"");
    other->ram_block->colo_cache = NULL;
    manager = bitmap_discard_manager_new(ram, MAX(PAGE, (uint64_t)sysconf(_SC_PAGESIZE)), NULL, &error_abort);
    stage_add(root, 0, ram);
    refuse_init(-EINVAL, "come and go");
    stage_del(root, ram);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
    close(parameters.fd);
    end();
}

/* R-RAM-7: bytes behind the caller's memory are read by nobody, and stay as they are. */
static void callers_memory(void)
{
    const uint64_t page = MAX(PAGE, (uint64_t)sysconf(_SC_PAGESIZE)), length = 2 * page + 100;
    uint8_t *memory = stage_storage(5 * page), *bytes = g_malloc0(4 * page);
    MemoryRegion *mr;
    RAMBlock *b;

    memory = (uint8_t *)(((uintptr_t)memory + page - 1) / page * page);
    memset(memory, 0x11, 4 * page);
    mr = stage_ram_ptr("callers", 4 * page, memory);
    b = stage_migratable(mr, "callers");
    memory_region_set_size(mr, length);
    begin();
    check_number(colo_cache_init(&error_abort), 0);
    check_number(((uint8_t *)b->colo_cache)[length - 1], 0x11);
    check_number(((uint8_t *)b->colo_cache)[length], 0);
    check_number(colo_cache_put(b, 0, bytes, 4 * page, &error_abort), 0);
    check_number(colo_cache_flush(&error_abort), 4 * page / PAGE);
    check_number(memory[length - 1], 0);
    check_number(memory[length], 0x11);
    check_number(memory[3 * page], 0x11);
    b->colo_cache = NULL;                   /* whoever takes it over looks after it */
    end();
    check(b->bmap != NULL);
    b->bmap = NULL;
    g_free(bytes);
}

/* Blocks that have no cache, or that nothing can be written to. */
static void refused_puts(void)
{
    const int fd = memfd_create("rom", MFD_CLOEXEC);
    char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    MemoryRegion *rom = stage_storage(sizeof(*rom)), *plain = stage_ram("not migrated", PAGES * PAGE);
    RAMBlock *blocks[2];

    g_assert_true(ftruncate(fd, PAGES * PAGE) == 0);
    memory_region_init_ram_from_file(rom, NULL, "rom", PAGES * PAGE, 0, RAM_SHARED, path, true, &error_fatal);
    stage_adopt(rom, NULL);
    blocks[0] = plain->ram_block;
    blocks[1] = stage_migratable(rom, "rom");
    begin();
    check_number(colo_cache_init(&error_abort), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++) {
        Error *error = NULL;

        check_number(colo_cache_put(blocks[i], 0, block()->host, PAGE, &error), -EINVAL);
        check(error != NULL);
        error_free(error);
    }
    end();
    g_free(path);
    close(fd);
}

static void check_nothing_left(void)
{
    check_pointer(block()->colo_cache, NULL);
    check_pointer(block()->bmap, NULL);
    /* A paused machine stops logging when it goes on (R-LOG-3). */
    check(!memcore_vm_running() || !global_dirty_tracking);
}

static void refused_caches(void)
{
    RamSaveParameters parameters = { .machine = "none", .path = "/nonexistent/ram.mig" };
    Error *error = NULL;
    RamSave *save;

    begin();
    host_refuses(MEMCORE_FAULT_MMAP, ENOMEM);
    check_number(colo_cache_init(&error), -ENOMEM);
    host_agrees();
    check(error != NULL);
    error_free(error);
    check_nothing_left();
    check_number(colo_cache_init(&error_abort), 0);
    error = NULL;
    check_number(colo_cache_init(&error), -EBUSY);
    error_free(error);
    /* Nor a save at the same time: it would take the pages away. */
    error = NULL;
    save = ram_save_new(&parameters, &error_abort);
    check(ram_save_setup(save, &error) < 0);
    check(error != NULL && strstr(error_get_pretty(error), "being migrated"));
    error_free(error);
    ram_save_free(save);
    end();
    check_nothing_left();
}

static void blocks_change(void)
{
    MemoryRegion *other;
    Error *error = NULL;

    begin();
    other = stage_ram_migratable("other", PAGES * PAGE);
    check_number(colo_cache_init(&error_abort), 0);
    guest_writes(5, 77);
    stage_release(other);
    memcore_drain();                        /* its memory is gone */
    check_number(colo_cache_flush(&error), -EBUSY);
    check(error != NULL);
    error_free(error);
    error = NULL;
    check_number(colo_cache_put(block(), 0, block()->host, PAGE, &error), -EBUSY);
    error_free(error);
    check(page_is(block()->host, 5, 77));
    end();
    check_nothing_left();
    colo_cache_release();                   /* nothing */
}

static void resized(void)
{
    RAMBlock *flash = stage_migratable(stage_resizeable("flash", 64 * PAGE, 128 * PAGE, NULL), "flash");
    Error *error = NULL;

    begin();
    check_number(colo_cache_init(&error_abort), 0);
    check_number(qemu_ram_resize(flash, 128 * PAGE, &error_abort), 0);
    check_number(qemu_ram_resize(flash, 64 * PAGE, &error_abort), 0);   /* and back */
    check_number(colo_cache_write_through(&error), -EBUSY);
    check(error != NULL);
    error_free(error);
    end();
    check_pointer(flash->colo_cache, NULL);
}

static void running(void)
{
    begin();
    memcore_set_vm_running(true);
    colo_cache_init(&error_abort);
}

static void written_while_running(void)
{
    begin();
    check_number(colo_cache_init(&error_abort), 0);
    memcore_set_vm_running(true);
    colo_cache_write_through(&error_abort);
}

static void flushed_while_running(void)
{
    begin();
    check_number(colo_cache_init(&error_abort), 0);
    memcore_set_vm_running(true);
    colo_cache_flush(&error_abort);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-COLO-1/filled", filled);
    conformance_case("/R-COLO-1/asks-listeners", asks_listeners);
    conformance_case("/R-COLO-1/refused", refused_caches);
    conformance_case("/R-COLO-1/refused-blocks", refused_blocks);
    conformance_case("/R-COLO-1/callers-memory", callers_memory);
    conformance_case("/R-COLO-2/refused-puts", refused_puts);
    conformance_misuse("/R-COLO-1/running", running, "colo_cache_init", "the machine runs*(R-COLO-1)");
    conformance_misuse("/R-COLO-1/written-while-running", written_while_running, "colo_cache_write_through",
                       "the machine runs*(R-COLO-1)");
    conformance_misuse("/R-COLO-1/flushed-while-running", flushed_while_running, "colo_cache_flush",
                       "the machine runs*(R-COLO-1)");
    conformance_case("/R-COLO-2/refused", refused_pages);
    conformance_case("/R-COLO-3/written-through", written_through);
    conformance_case("/R-COLO-4/flushed", flushed);
    conformance_case("/R-COLO-4/random-order", random_order);
    conformance_case("/R-COLO-5/blocks-change", blocks_change);
    conformance_case("/R-COLO-5/resized", resized);
    return g_test_run();
}
