/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages an access marks dirty (INV-14 and the rules that name R-ACC-9).
 *
 * The bitmaps are read where exec/ramlist.h says they are.
 */
#include "common/access.h"

#include <string.h>
#include <unistd.h>

#define LITTLE .order = DEVICE_LITTLE_ENDIAN
enum { PAGES = 8, SIZE = PAGES << TARGET_PAGE_BITS };

static unsigned long *dirty_word(unsigned client, uint64_t page, unsigned long *bit)
{
    const uint64_t in_block = page % DIRTY_MEMORY_BLOCK_SIZE, bits = 8 * sizeof(unsigned long);
    DirtyMemoryBlocks *blocks = qatomic_rcu_read(&ram_list.dirty_memory[client]);

    *bit = 1UL << in_block % bits;
    return &blocks->blocks[page / DIRTY_MEMORY_BLOCK_SIZE][in_block / bits];
}

/* New RAM is dirty (R-DIRTY-10). */
static void clean(MemoryRegion *mr)
{
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        for (unsigned page = 0; page < PAGES; page++) {
            unsigned long bit;
            unsigned long *word = dirty_word(client,
                                             (memory_region_get_ram_addr(mr) >> TARGET_PAGE_BITS) + page,
                                             &bit);

            *word &= ~bit;
        }
    }
}

/* "vga 0 1, migration 3": the dirty pages; cleans them. */
static char *text_of_dirty(MemoryRegion *mr)
{
    static const char *const names[] = { "vga", "code", "migration" };
    GString *text = g_string_new(NULL);

    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        bool named = false;

        for (unsigned page = 0; page < PAGES; page++) {
            unsigned long bit;

            if (*dirty_word(client, (memory_region_get_ram_addr(mr) >> TARGET_PAGE_BITS) + page,
                            &bit) & bit) {
                g_string_append_printf(text, "%s%s %u", text->len && !named ? ", " : "",
                                       named ? "" : names[client], page);
                named = true;
            }
        }
    }
    clean(mr);
    return g_string_free(text, FALSE);
}

#define check_dirty(mr, expected) check_text_taken(text_of_dirty(mr), (expected))

/* At 0, its VGA log on. */
static MemoryRegion *logged(Bus bus, MemoryRegion *mr)
{
    stage_add(bus.root, 0, mr);
    memory_region_set_log(mr, true, DIRTY_MEMORY_VGA);
    clean(mr);
    return mr;
}

static void pages_overlapped(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = logged(bus, stage_ram("ram", SIZE));

    check_write(bus.as, 0xff0, 0x20, 0, OK);
    check_dirty(ram, "vga 0 1");
    check_write(bus.as, 0x1000, 0x1000, 0, OK);
    check_dirty(ram, "vga 1");
    check_write(bus.as, 0x3fff, 1, 0, OK);
    check_dirty(ram, "vga 3");
    check_number(address_space_set(bus.as, 0x4800, 0, 0x1000, PLAIN), OK);
    check_dirty(ram, "vga 4 5");
    check_number(address_space_write_rom(bus.as, 0x2ffc, PLAIN, "abcdefgh", 8), OK);
    check_dirty(ram, "vga 2 3");
    check_read(bus.as, 0, 4, OK, "00 00 00 00");
    address_space_ldl_le(bus.as, 0, PLAIN, NULL);
    check_dirty(ram, "");
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    check_write(bus.as, 0, 1, 0, OK);
    check_dirty(ram, "");
}

/* R-ACC-14: what the host maps for reading only keeps its bytes and its pages; what lies around is written. */
static void write_rom_where_the_host_cannot(void)
{
    static const uint32_t flags[] = { 0, RAM_SHARED };
    char *path = g_build_filename(g_get_tmp_dir(), "conformance-rom-XXXXXX", NULL);
    const int fd = g_mkstemp(path);

    g_assert_true(fd >= 0 && pwrite(fd, "the end", 7, SIZE - 7) == 7);
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        Bus bus = bus_new(i ? "shared" : "private");
        MemoryRegion *file = stage_storage(sizeof(*file)), *after = stage_ram("after", 0x10);

        memory_region_init_ram_from_file(file, NULL, "file", SIZE, 0, flags[i], path, true, &error_fatal);
        logged(bus, stage_adopt(file, NULL));
        stage_add(bus.root, SIZE, after);
        check_number(address_space_write_rom(bus.as, SIZE - 4, PLAIN, "abcdefgh", 8), OK);
        check_bytes(ram_bytes(file) + SIZE - 7, 7, "74 68 65 20 65 6e 64");
        check_bytes(ram_bytes(after), 5, "65 66 67 68 00");
        check_dirty(file, "");
        memory_region_set_log(file, false, DIRTY_MEMORY_VGA);
    }
    close(fd);
    unlink(path);
    g_free(path);
}

/* R-MAP-12: regions over one memory, both mapped at one pointer.  The end of either map marks that region alone. */
static void maps_of_one_pointer(void)
{
    uint8_t *host = stage_storage(SIZE);
    Bus buses[] = { bus_new("first"), bus_new("second") };
    MemoryRegion *mrs[2];

    for (unsigned i = 0; i < 2; i++) {
        mrs[i] = logged(buses[i], stage_ram_ptr("ram", SIZE, host));
    }
    for (unsigned own = 0; own < 2; own++) {
        for (unsigned i = 0; i < 2; i++) {
            hwaddr got = 0x10;

            check_pointer(address_space_map(buses[i].as, 0, &got, WRITE, PLAIN), host);
        }
        address_space_unmap(buses[own].as, host, 0x10, WRITE, 1);
        check_dirty(mrs[!own], "");
        check_dirty(mrs[own], "vga 0");
        address_space_unmap(buses[!own].as, host, 0x10, WRITE, 1);
        check_dirty(mrs[own], "");
        check_dirty(mrs[!own], "vga 0");
    }
}

static void clients(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = logged(bus, stage_ram_migratable("ram", SIZE)), *other = stage_ram("other", SIZE);

    stage_add(bus.root, 0x100000, other);
    memcore_set_code_tracking(true);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    clean(ram);
    clean(other);
    check_write(bus.as, 0x1000, 1, 0, OK);
    check_dirty(ram, "vga 1, migration 1");
    check_write(bus.as, 0x100000, 1, 0, OK);
    check_dirty(other, "");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    check_write(bus.as, 0x1000, 1, 0, OK);
    check_dirty(ram, "vga 1");
}

static void zero_bytes(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = logged(bus, stage_ram("ram", SIZE));
    MemoryRegionCache cache;
    hwaddr got = 0x10;
    char *dirty;
    void *p = address_space_map(bus.as, 0x2008, &got, WRITE, PLAIN);

    address_space_unmap(bus.as, p, got, WRITE, 0);
    dirty = text_of_dirty(ram);
    check(g_str_equal(dirty, "") || g_str_equal(dirty, "vga 2"));
    g_free(dirty);
    p = address_space_map(bus.as, 0x2000, &got, WRITE, PLAIN);
    address_space_unmap(bus.as, p, got, WRITE, 0);
    check_dirty(ram, "");
    address_space_cache_init(&cache, bus.as, 0x3000, 0x10, WRITE);
    address_space_cache_invalidate(&cache, 0, 0);
    check_dirty(ram, "");
    address_space_cache_destroy(&cache);
}

static void stores(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = logged(bus, stage_ram("ram", SIZE));

    check_store(address_space_stb, bus.as, 0x1000, 0, OK);
    check_dirty(ram, "vga 1");
    check_store(address_space_stl_be, bus.as, 0x1ffe, 0, OK);
    check_dirty(ram, "vga 1 2");
    check_store(address_space_stq_le, bus.as, 0x2ff8, 0, OK);
    check_dirty(ram, "vga 2");
    check_store(address_space_stq_le, bus.as, SIZE - 4, 0, DECODE);
    check_dirty(ram, "");
}

static void unmaps(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = logged(bus, stage_ram("ram", SIZE));
    hwaddr got = 0x3000;
    void *p = address_space_map(bus.as, 0x1800, &got, WRITE, PLAIN);

    check_dirty(ram, "");
    address_space_unmap(bus.as, p, got, WRITE, 0x801);
    check_dirty(ram, "vga 1 2");
    p = address_space_map(bus.as, 0x1800, &got, WRITE, PLAIN);
    address_space_unmap(bus.as, p, got, READ, got);
    check_dirty(ram, "");
    p = address_space_map(bus.as, 0x1800, &got, READ, PLAIN);
    address_space_unmap(bus.as, p, got, WRITE, got);
    check_dirty(ram, "vga 1 2 3 4");
}

static void invalidations(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = logged(bus, stage_ram("ram", SIZE));
    MemoryRegionCache cache;

    address_space_cache_init(&cache, bus.as, 0x1800, 0x3000, WRITE);
    address_space_write_cached(&cache, 0, "abc", 3);
    address_space_stl_le_cached(&cache, 0x1000, 0, PLAIN, NULL);
    check_dirty(ram, "");
    address_space_cache_invalidate(&cache, 0x7ff, 2);
    check_dirty(ram, "vga 1 2");
    address_space_cache_invalidate(&cache, 0x1000, 4);
    check_dirty(ram, "vga 2");
    address_space_stl_le_cached_slow(&cache, 0x2000, 0, PLAIN, NULL);
    check_dirty(ram, "vga 3");
    address_space_cache_destroy(&cache);
}

static void what_marks_nothing(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *rom = logged(bus, stage_rom("rom", SIZE)), *bar = stage_storage(sizeof(*bar));
    Device *flash = device_rom("flash", SIZE, (DeviceOptions) { LITTLE });

    memory_region_init_ram_device_ptr(bar, NULL, "bar", SIZE, stage_storage(SIZE));
    stage_adopt(bar, NULL);
    stage_add(bus.root, 0x100000, bar);
    stage_add(bus.root, 0x200000, flash->mr);
    memory_region_set_log(bar, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(flash->mr, true, DIRTY_MEMORY_VGA);
    clean(bar);
    clean(flash->mr);
    check_write(bus.as, 0, 4, 0, DECODE);
    check_dirty(rom, "");
    check_write(bus.as, 0x100000, 4, 0, OK);
    check_store(address_space_stl_le, bus.as, 0x100000, 0, OK);
    check_dirty(bar, "");
    check_write(bus.as, 0x200000, 4, 0, OK);
    check_dirty(flash->mr, "");
    check_number(address_space_write_rom(bus.as, 0x1000, PLAIN, "a", 1), OK);
    check_dirty(rom, "vga 1");
    check_number(address_space_write_rom(bus.as, 0x102000, PLAIN, "a", 1), OK);
    check_dirty(bar, "vga 2");
    memory_region_flush_rom_device(flash->mr, 0x1fff, 2);
    check_dirty(flash->mr, "vga 1 2");
}

/* The page of the region's own memory, wherever it is seen. */
static void through_aliases(void)
{
    Bus bus = bus_new("as");
    MemoryRegion *ram = stage_ram("ram", SIZE);

    stage_add(bus.root, 0x800, stage_alias("window", ram, 0x3000, 0x2000));
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    clean(ram);
    check_write(bus.as, 0x1000, 0x1000, 0, OK);
    check_dirty(ram, "vga 3 4");
}

/* What devices behind an IOMMU write is logged by others, who have to be asked for it. */
static void iommus_are_logged(void)
{
    Bus bus = bus_new("as");
    TableIommu *t = table_new("iommu", 0x1000, TABLE_PLAIN);
    MemoryRegion *alias = stage_alias("alias", table_region(t), 0, 0x1000);
    GString *log = stage_log();

    stage_add(bus.root, 0, table_region(t));
    check_number(memory_region_get_dirty_log_mask(table_region(t)), 0);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    check_number(memory_region_get_dirty_log_mask(table_region(t)), 1 << DIRTY_MEMORY_MIGRATION);
    check_number(memory_region_get_dirty_log_mask(alias), 1 << DIRTY_MEMORY_MIGRATION);
    recorder_watch(bus.as, NULL, 0, log);
    memory_global_dirty_log_sync();
    check_log(log, "log_sync iommu[0,0x1000)\n");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case_4k("/R-ACC-9/pages-overlapped", pages_overlapped);
    conformance_case_4k("/R-ACC-9/clients", clients);
    conformance_case("/R-ACC-14/where-the-host-cannot", write_rom_where_the_host_cannot);
    conformance_case_4k("/R-ACC-9/through-aliases", through_aliases);
    conformance_case("/R-ACC-10/zero-bytes", zero_bytes);
    conformance_case_4k("/R-SCL-8/stores", stores);
    conformance_case_4k("/R-MAP-8/marks", unmaps);
    conformance_case("/R-MAP-12/marks-its-own", maps_of_one_pointer);
    conformance_case_4k("/R-CCH-9/fast-cache", invalidations);
    conformance_case_4k("/R-ACC-15/what-marks-nothing", what_marks_nothing);
    conformance_case("/R-REG-7/iommus", iommus_are_logged);
    return g_test_run();
}
