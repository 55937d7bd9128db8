/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapters 3 and 4: the bitmaps, and what sets, tests and clears bits. */
#include "common/ram.h"

/* ---- R-DMB ---- */

static bool bit_in_storage(ram_addr_t addr, unsigned client)
{
    const uint64_t page = addr >> TARGET_PAGE_BITS;
    bool set;

    rcu_read_lock();
    DirtyMemoryBlocks *all = qatomic_rcu_read(&ram_list.dirty_memory[client]);
    set = bit_is_set(all->blocks[page / DIRTY_MEMORY_BLOCK_SIZE], page % DIRTY_MEMORY_BLOCK_SIZE);
    rcu_read_unlock();
    return set;
}

/* A reader that walks the arrays itself, as exec/ramlist.h says, sees what the functions see. */
static void storage_layout(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(130));

    clean(ram);
    dirty(ram, 63, 64, ON_CODE);
    for (unsigned page = 0; page < 130; page++) {
        check_number(bit_in_storage(ram_addr(ram, PAGES(page)), CODE), page == 63 || page == 64);
        check_number(bit_in_storage(ram_addr(ram, PAGES(page)), VGA), 0);
    }
}

static MemoryRegion *reservation(const char *name, uint64_t size)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_flags_nomigrate(mr, NULL, name, size, RAM_NORESERVE, &error_fatal);
    return stage_adopt(mr, NULL);
}

/* The worked example: a second bitmap for the page behind the first one's last; the first stays where it was. */
static void grows(void)
{
    MemoryRegion *large = reservation("large", BITMAP_SPAN);
    unsigned long *first = ram_list.dirty_memory[VGA]->blocks[0];
    MemoryRegion *small = stage_ram("small", PAGES(4));     /* a host page, at least (R-RAM-1) */

    check_number(ram_addr(large, 0), 0);
    check_number(ram_addr(small, 0), BITMAP_SPAN);
    check_pointer(ram_list.dirty_memory[VGA]->blocks[0], first);
    check(ram_list.dirty_memory[VGA]->blocks[1] != first);
    check_dirty_all(small, "0-3");
    /* Nobody has been behind it yet. */
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        check(!cpu_physical_memory_get_dirty(BITMAP_SPAN + PAGES(64), PAGES(1024), client));
    }
}

static void published_arrays_stay(void)
{
    MemoryRegion *small = stage_ram("small", PAGES(1));
    DirtyMemoryBlocks *before;
    unsigned long *piece;

    rcu_read_lock();
    before = qatomic_rcu_read(&ram_list.dirty_memory[MIGRATION]);
    piece = before->blocks[0];
    reservation("large", 3 * BITMAP_SPAN);
    clean(small);
    /* R-LOCK-2: bits set by way of the old array are everybody's. */
    bit_set(before->blocks[0], ram_addr(small, 0) >> TARGET_PAGE_BITS);
    check_pointer(before->blocks[0], piece);
    rcu_read_unlock();
    check_dirty(small, MIGRATION, "0");
}

/* The page that a block's end is in, whatever the size of a target page. */
static void last_page(void)
{
    MemoryRegion *ram = stage_ram("ram", 1);

    clean(ram);
    cpu_physical_memory_set_dirty_range(ram_addr(ram, host_page() - 1), 1, ON_VGA);
    check(cpu_physical_memory_get_dirty(ram_addr(ram, host_page() - 1), 1, VGA));
    check(cpu_physical_memory_test_and_clear_dirty(ram_addr(ram, 0), host_page(), VGA));
    check(!cpu_physical_memory_get_dirty(ram_addr(ram, 0), host_page(), VGA));
}

/* What the topmost block left behind is neither leaked nor replaced. */
static void remembers_the_count(void)
{
    MemoryRegion *low = stage_ram("low", PAGES(1));
    unsigned long *upper;

    stage_release(reservation("high", 2 * BITMAP_SPAN));
    upper = ram_list.dirty_memory[VGA]->blocks[1];
    memcore_drain();
    reservation("again", 2 * BITMAP_SPAN);
    check_pointer(ram_list.dirty_memory[VGA]->blocks[1], upper);
    clean(low);
}

static void across_bitmaps(void)
{
    MemoryRegion *large = reservation("large", 2 * BITMAP_SPAN);
    const ram_addr_t edge = ram_addr(large, BITMAP_SPAN);

    clean(large);
    cpu_physical_memory_set_dirty_range(edge - PAGES(1), PAGES(2), ON_VGA | ON_MIGRATION);
    check(bit_in_storage(edge - PAGES(1), VGA));
    check(bit_in_storage(edge, VGA));
    check(!bit_in_storage(edge - PAGES(2), VGA));
    check(!bit_in_storage(edge + PAGES(1), VGA));
    check(cpu_physical_memory_all_dirty(edge - PAGES(1), PAGES(2), VGA));
    check(!cpu_physical_memory_all_dirty(edge - PAGES(1), PAGES(3), VGA));
    check(!cpu_physical_memory_get_dirty(edge + PAGES(1), PAGES(100), VGA));
    check(!cpu_physical_memory_get_dirty(edge - PAGES(101), PAGES(100), VGA));
    check(cpu_physical_memory_get_dirty(edge - PAGES(101), PAGES(101), VGA));
    check(cpu_physical_memory_test_and_clear_dirty(edge - PAGES(5), PAGES(10), VGA));
    check(!cpu_physical_memory_get_dirty(edge - PAGES(5), PAGES(10), VGA));
    check(cpu_physical_memory_get_dirty(edge - PAGES(5), PAGES(10), MIGRATION));
}

/* All-or-nothing at every pair of word edges, and both neighbours untouched (R-DMB-10's mask is one way to fail). */
static void partial_words(void)
{
    enum { COUNT = 3 * 64 };
    static const unsigned edges[] = { 0, 1, 60, 62, 63, 64, 65, 70, 127, 128, 129, 190, 191 };
    MemoryRegion *ram = stage_ram("ram", PAGES(COUNT));

    for (size_t i = 0; i < G_N_ELEMENTS(edges); i++) {
        for (size_t j = i; j < G_N_ELEMENTS(edges); j++) {
            dirty(ram, 0, COUNT - 1, EVERYBODY);
            check(cpu_physical_memory_test_and_clear_dirty(ram_addr(ram, PAGES(edges[i])),
                                                           PAGES(edges[j] - edges[i] + 1), VGA));
            for (unsigned page = 0; page < COUNT; page++) {
                check_number(cpu_physical_memory_get_dirty_flag(ram_addr(ram, PAGES(page)), VGA),
                             page < edges[i] || page > edges[j]);
            }
            check(cpu_physical_memory_all_dirty(ram_addr(ram, 0), PAGES(COUNT), MIGRATION));
            clean(ram);
            dirty(ram, edges[i], edges[j], ON_VGA);
            for (unsigned page = 0; page < COUNT; page++) {
                check_number(cpu_physical_memory_get_dirty_flag(ram_addr(ram, PAGES(page)), VGA),
                             page >= edges[i] && page <= edges[j]);
            }
        }
    }
}

/* Clearing is not part of a block's end, and a new one overwrites its used part only. */
static void stale_bits(void)
{
    MemoryRegion *old = stage_ram("old", PAGES(8)), *keeper = stage_ram("keeper", PAGES(1)), *mr;
    const ram_addr_t at = ram_addr(old, 0);
    char *reserved;

    clean(old);
    clean(keeper);
    dirty(old, 6, 6, ON_VGA);
    stage_release(old);
    memcore_drain();
    check(cpu_physical_memory_get_dirty_flag(at + PAGES(6), VGA));
    stage_release(keeper);
    memcore_drain();
    mr = stage_resizeable("new", PAGES(4), PAGES(8), NULL);
    check_number(ram_addr(mr, 0), at);
    reserved = text_of_dirty(mr, VGA);
    /* MAY clear the rest when the block is added. */
    check(g_str_equal(reserved, "0-3 6") || g_str_equal(reserved, "0-3"));
    g_free(reserved);
    check_dirty(mr, CODE, "0-3");
}

/* ---- R-DIRTY ---- */

static void cover(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(8));

    clean(ram);
    cpu_physical_memory_set_dirty_range(ram_addr(ram, PAGES(2) - 1), 2, ON_VGA);
    check_dirty(ram, VGA, "1-2");
    cpu_physical_memory_set_dirty_range(ram_addr(ram, PAGES(4)), PAGES(1), ON_VGA);
    check_dirty(ram, VGA, "1-2 4");
    cpu_physical_memory_set_dirty_range(ram_addr(ram, PAGES(6)), 0, ON_VGA);
    check_dirty(ram, VGA, "1-2 4");
    cpu_physical_memory_set_dirty_range(ram_addr(ram, PAGES(7)), 1, ON_VGA);
    check_dirty(ram, VGA, "1-2 4 7");
    check_dirty(ram, CODE, "");
    check(cpu_physical_memory_get_dirty(ram_addr(ram, PAGES(3) + 1), PAGES(1), VGA));
    check(!cpu_physical_memory_get_dirty(ram_addr(ram, PAGES(3) + 1), PAGES(1) - 1, VGA));
    check(!cpu_physical_memory_get_dirty(ram_addr(ram, PAGES(3)), PAGES(1), VGA));
}

static void get_and_all(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(200));

    clean(ram);
    dirty(ram, 3, 150, ON_MIGRATION);
    check(cpu_physical_memory_all_dirty(ram_addr(ram, PAGES(3)), PAGES(148), MIGRATION));
    check(!cpu_physical_memory_all_dirty(ram_addr(ram, PAGES(2)), PAGES(148), MIGRATION));
    check(!cpu_physical_memory_all_dirty(ram_addr(ram, PAGES(3)), PAGES(149), MIGRATION));
    check(cpu_physical_memory_all_dirty(ram_addr(ram, PAGES(199)), 0, MIGRATION));
    check(!cpu_physical_memory_get_dirty(ram_addr(ram, PAGES(3)), 0, MIGRATION));
    check(!cpu_physical_memory_get_dirty(ram_addr(ram, PAGES(151)), PAGES(49), MIGRATION));
    check(cpu_physical_memory_get_dirty(ram_addr(ram, 0), PAGES(4), MIGRATION));
    check(!cpu_physical_memory_get_dirty(ram_addr(ram, 0), PAGES(3), MIGRATION));
    check(cpu_physical_memory_get_dirty_flag(ram_addr(ram, PAGES(150) + 17), MIGRATION));
    check(!cpu_physical_memory_get_dirty_flag(ram_addr(ram, PAGES(150) + 17), VGA));
}

static void is_clean(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(4));

    check(!cpu_physical_memory_is_clean(ram_addr(ram, 0)));
    for (unsigned client = 0; client < DIRTY_MEMORY_NUM; client++) {
        dirty(ram, 0, 3, EVERYBODY);
        cpu_physical_memory_test_and_clear_dirty(ram_addr(ram, PAGES(1)), 1, client);
        check(cpu_physical_memory_is_clean(ram_addr(ram, PAGES(1))));
        check(!cpu_physical_memory_is_clean(ram_addr(ram, PAGES(2))));
    }
}

/* The worked example. */
static void includes_clean(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(4));

    clean(ram);
    dirty(ram, 1, 1, ON_VGA);
    check_number(cpu_physical_memory_range_includes_clean(ram_addr(ram, PAGES(1)), PAGES(1), EVERYBODY), 6);
    check_number(cpu_physical_memory_range_includes_clean(ram_addr(ram, 0), PAGES(2), ON_VGA), 1);
    check_number(cpu_physical_memory_range_includes_clean(ram_addr(ram, PAGES(1)), PAGES(1), ON_VGA), 0);
    check_number(cpu_physical_memory_range_includes_clean(ram_addr(ram, 0), PAGES(2), 0), 0);
}

static void flags_and_masks(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(4));

    clean(ram);
    cpu_physical_memory_set_dirty_flag(ram_addr(ram, PAGES(3) + 5), CODE);
    check_dirty(ram, CODE, "3");
    check_dirty(ram, VGA, "");
    check_dirty(ram, MIGRATION, "");
    cpu_physical_memory_set_dirty_range(ram_addr(ram, 0), PAGES(4), 0);
    check_dirty(ram, VGA, "");
    cpu_physical_memory_set_dirty_range(ram_addr(ram, 0), PAGES(1), ON_VGA | ON_MIGRATION);
    check_dirty(ram, VGA, "0");
    check_dirty(ram, CODE, "3");
    check_dirty(ram, MIGRATION, "0");
}

typedef struct {
    MemoryRegion *ram;
    GString *log;
    Recorder *recorder;
} Heard;

/* Mapped and logged, so that log_clear is heard; all clean and the log empty. */
static Heard heard_new(unsigned pages)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    Heard h = { .ram = stage_ram("ram", PAGES(pages)), .log = stage_log() };

    stage_add(root, PAGES(0x100), h.ram);
    memory_region_set_log(h.ram, true, DIRTY_MEMORY_VGA);
    h.recorder = recorder_watch(stage_space(root, "as"), NULL, 0, h.log);
    clean(h.ram);
    g_string_truncate(h.log, 0);
    return h;
}

/* Clean pages make no difference to who is told. */
static void test_and_clear(void)
{
    Heard h = heard_new(8);

    dirty(h.ram, 0, 7, EVERYBODY);
    check(cpu_physical_memory_test_and_clear_dirty(ram_addr(h.ram, 0x1800), 0x1000, VGA));
    check_dirty(h.ram, VGA, "0 3-7");
    check_dirty(h.ram, MIGRATION, "0-7");
    check_log(h.log, "log_clear ram[0x101000,0x103000)@0x1000\n");
    check(!cpu_physical_memory_test_and_clear_dirty(ram_addr(h.ram, 0x1800), 0x1000, VGA));
    check_log(h.log, "log_clear ram[0x101000,0x103000)@0x1000\n");
    check(!cpu_physical_memory_test_and_clear_dirty(ram_addr(h.ram, 0x3800), 0, VGA));
    check_log(h.log, "");
    check_dirty(h.ram, VGA, "0 3-7");
    check(cpu_physical_memory_test_and_clear_dirty(ram_addr(h.ram, 0x7fff), 1, VGA));
    check_dirty(h.ram, VGA, "0 3-6");
    check_log(h.log, "log_clear ram[0x107000,0x108000)@0x7000\n");
}

static void look_while_told(Recorder *recorder, const char *event, MemoryRegionSection *section)
{
    unsigned *dirty_then = recorder->opaque;

    if (g_str_equal(event, "log_clear")) {
        MemoryRegion *mr = section->mr;

        *dirty_then = *dirty_then * 8 + (cpu_physical_memory_get_dirty(ram_addr(mr, 0), PAGES(8), VGA) |
                                         cpu_physical_memory_get_dirty(ram_addr(mr, 0), PAGES(8), CODE) << 1 |
                                         cpu_physical_memory_get_dirty(ram_addr(mr, 0), PAGES(8), MIGRATION) << 2);
    }
}

/* Told after the clearing: of MIGRATION first (what is left: 3), of VGA (2), of CODE (0). */
static void clear_range_order(void)
{
    Heard h = heard_new(8);
    unsigned dirty_then = 0;

    dirty(h.ram, 0, 7, EVERYBODY);
    h.recorder->hook = look_while_told;
    h.recorder->opaque = &dirty_then;
    cpu_physical_memory_clear_dirty_range(ram_addr(h.ram, 0), PAGES(8));
    check_number(dirty_then, 0320);
    check_dirty_all(h.ram, "");
    h.recorder->hook = NULL;
}

static void new_ram(void)
{
    check_dirty_all(stage_ram("ram", PAGES(72)), "0-71");
    check_dirty_all(stage_rom("rom", PAGES(4)), "0-3");
    check_dirty_all(stage_rom_device("romd", PAGES(4)), "0-3");
    check_dirty_all(stage_resizeable("resizeable", PAGES(4), PAGES(200), NULL), "0-3");
    check_dirty_all(stage_ram_ptr("ptr", PAGES(4), stage_storage(PAGES(4))), "0-3");
}

static void set_dirty_needs_a_log(void)
{
    MemoryRegion *ram = stage_ram_migratable("ram", PAGES(8)), *silent = stage_ram("silent", PAGES(8));

    clean(ram);
    clean(silent);
    memory_region_set_dirty(ram, 0, PAGES(8));
    check_dirty_all(ram, "");
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_dirty(ram, PAGES(1) - 1, 2);
    check_dirty(ram, VGA, "0-1");
    check_dirty(ram, MIGRATION, "");
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    clean(ram);
    memory_region_set_dirty(ram, PAGES(7), PAGES(1));
    memory_region_set_dirty(silent, 0, PAGES(1));
    check_dirty(ram, VGA, "7");
    check_dirty(ram, MIGRATION, "7");
    check_dirty(ram, CODE, "");
    check_dirty_all(silent, "");
    memory_region_set_dirty(ram, 3, 0);
    check_dirty(ram, VGA, "7");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
}

static void reset_dirty(void)
{
    Heard h = heard_new(8);

    dirty(h.ram, 0, 7, EVERYBODY);
    memory_region_reset_dirty(h.ram, PAGES(2), 1, MIGRATION);
    check_dirty(h.ram, MIGRATION, "0-1 3-7");
    check_dirty(h.ram, VGA, "0-7");
    check_log(h.log, "log_clear ram[0x102000,0x103000)@0x2000\n");
}

/* Only who logs, whether or not other bits are set already. */
static void notified_writes(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX), *ram = stage_ram_migratable("ram", PAGES(4));
    AddressSpace *as;

    stage_add(root, 0, ram);
    as = stage_space(root, "as");
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    clean(ram);
    dirty(ram, 1, 1, ON_VGA);
    check_number(address_space_write(as, PAGES(1), MEMTXATTRS_UNSPECIFIED, "ab", 2), MEMTX_OK);
    check_dirty(ram, VGA, "1");
    check_dirty(ram, MIGRATION, "1");
    check_dirty(ram, CODE, "");
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    clean(ram);
    check_number(address_space_write(as, PAGES(1), MEMTXATTRS_UNSPECIFIED, "ab", 2), MEMTX_OK);
    check_dirty_all(ram, "");
}

static void flush_rom_device(void)
{
    MemoryRegion *flash = stage_rom_device("flash", PAGES(8));

    clean(flash);
    memory_region_flush_rom_device(flash, 0, PAGES(8));
    check_dirty_all(flash, "");
    memory_region_set_log(flash, true, DIRTY_MEMORY_VGA);
    memory_region_flush_rom_device(flash, PAGES(3) - 1, 2);
    check_dirty(flash, VGA, "2-3");
    check_dirty(flash, MIGRATION, "");
}

static void zero_length_writes(void)
{
    MemoryRegion *flash = stage_rom_device("flash", PAGES(8));
    char *text;

    clean(flash);
    memory_region_set_log(flash, true, DIRTY_MEMORY_VGA);
    memory_region_flush_rom_device(flash, PAGES(2) + 1, 0);
    text = text_of_dirty(flash, VGA);
    check(g_str_equal(text, "") || g_str_equal(text, "2"));
    g_free(text);
    clean(flash);
    memory_region_flush_rom_device(flash, PAGES(2), 0);
    check_dirty(flash, VGA, "");
}

/* ---- R-CODE ---- */

typedef struct {
    unsigned calls;
    uint64_t start, end;
    bool marks;             /* the last code of the page is dropped */
} Invalidations;

static void invalidate(void *opaque, uint64_t start, uint64_t end)
{
    Invalidations *i = opaque;

    i->calls++;
    i->start = start;
    i->end = end;
    if (i->marks) {
        cpu_physical_memory_set_dirty_flag(start, CODE);
    }
}

typedef struct {
    MemoryRegion *ram;
    AddressSpace *as;
} Coded;

static Coded coded_new(Invalidations *invalidations)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);
    Coded c = { .ram = stage_ram("ram", PAGES(8)) };

    stage_add(root, 0, c.ram);
    c.as = stage_space(root, "as");
    memcore_set_code_invalidate(invalidate, invalidations);
    return c;
}

static void code_off(void)
{
    Invalidations seen = { 0 };
    Coded c = coded_new(&seen);
    unsigned long words[1] = { 2 };

    check_number(memory_region_get_dirty_log_mask(c.ram), 0);
    check_dirty(c.ram, CODE, "0-7");
    clean(c.ram);
    check_number(address_space_write(c.as, 0, MEMTXATTRS_UNSPECIFIED, "ab", 2), MEMTX_OK);
    cpu_physical_memory_set_dirty_lebitmap(words, ram_addr(c.ram, 0), MIN(8, PAGES(8) / host_page()));
    check_dirty(c.ram, CODE, "");
    check_number(seen.calls, 0);
    memcore_set_code_invalidate(NULL, NULL);
}

static void code_on(void)
{
    Invalidations seen = { 0 };
    Coded c = coded_new(&seen);
    unsigned long words[1] = { 2 };
    const ram_addr_t one = ram_addr(c.ram, 0);

    memcore_set_code_tracking(true);
    check_number(memory_region_get_dirty_log_mask(c.ram), ON_CODE);
    check_number(memory_region_get_dirty_log_mask(stage_io("io", PAGES(1))), 0);
    check_number(memory_region_get_dirty_log_mask(stage_alias("alias", c.ram, 0, PAGES(1))), 0);
    clean(c.ram);
    cpu_physical_memory_set_dirty_lebitmap(words, one, MIN(8, PAGES(8) / host_page()));
    /* host page 1: the target page that holds it (R-LEB-5), or those in it */
    check_dirty(c.ram, CODE, host_page() == TARGET_PAGE_SIZE ? "1" : host_page() < TARGET_PAGE_SIZE ? "0" : "4-7");
    memcore_set_code_invalidate(NULL, NULL);
}

/* Once a range, with the range; never by the core's own hand; not for pages without code. */
static void code_hook(void)
{
    Invalidations seen = { 0 };
    Coded c = coded_new(&seen);
    const ram_addr_t base = ram_addr(c.ram, 0);

    memcore_set_code_tracking(true);
    check_number(address_space_write(c.as, PAGES(1), MEMTXATTRS_UNSPECIFIED, "ab", 2), MEMTX_OK);
    check_number(seen.calls, 0);
    check(cpu_physical_memory_test_and_clear_dirty(base + PAGES(2), PAGES(1), CODE));
    check_number(address_space_write(c.as, PAGES(1) + 8, MEMTXATTRS_UNSPECIFIED, stage_storage(PAGES(3)), PAGES(3)),
                 MEMTX_OK);
    check_number(seen.calls, 1);
    check_number(seen.start, base + PAGES(1) + 8);
    check_number(seen.end, base + PAGES(4) + 8);
    check_dirty(c.ram, CODE, "0-1 3-7");
    seen.marks = true;
    check_number(address_space_write(c.as, PAGES(2), MEMTXATTRS_UNSPECIFIED, "ab", 2), MEMTX_OK);
    check_number(seen.calls, 2);
    check_dirty(c.ram, CODE, "0-7");
    check_number(address_space_write(c.as, PAGES(2), MEMTXATTRS_UNSPECIFIED, "ab", 2), MEMTX_OK);
    check_number(seen.calls, 2);
    memcore_set_code_invalidate(NULL, NULL);
}

/* Bits of much memory, which nobody touches here: they are asked of the host in a piece large enough for huge pages. */
static void much_memory(void)
{
    const uint64_t size = 24 * BITMAP_SPAN;
    MemoryRegion *much = stage_ram_ptr("much", size, stage_storage(1));

    clean(much);
    cpu_physical_memory_set_dirty_range(ram_addr(much, size - PAGES(1)), PAGES(1), ON_VGA);
    check(cpu_physical_memory_get_dirty(ram_addr(much, size / 2), size / 2, VGA));
    check(!cpu_physical_memory_get_dirty(ram_addr(much, 0), size - PAGES(1), VGA));
    clean(much);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-DMB-1/layout", storage_layout);
    conformance_case("/R-DMB-2/grows", grows);
    conformance_case("/R-DMB-2/much-memory", much_memory);
    conformance_case("/R-DMB-3/published-arrays-stay", published_arrays_stay);
    conformance_case("/R-LOCK-2/old-arrays", published_arrays_stay);
    conformance_case("/R-DMB-4/remembers-the-count", remembers_the_count);
    conformance_case("/R-DMB-5/across-bitmaps", across_bitmaps);
    conformance_case("/R-DMB-7/last-page", last_page);
    conformance_case("/R-DMB-8/stale-bits", stale_bits);
    conformance_case("/R-DMB-10/partial-words", partial_words);
    conformance_case("/R-DIRTY-1/cover", cover);
    conformance_case("/R-DIRTY-3/get", get_and_all);
    conformance_case("/R-DIRTY-4/all", get_and_all);
    conformance_case("/R-DIRTY-5/some-client", is_clean);
    conformance_case("/R-DIRTY-6/worked-example", includes_clean);
    conformance_case("/R-DIRTY-7/flags-and-masks", flags_and_masks);
    conformance_case_4k("/R-DIRTY-8/told-always", test_and_clear);
    conformance_case("/R-DIRTY-9/order", clear_range_order);
    conformance_case("/R-DIRTY-10/new-ram", new_ram);
    conformance_case("/R-DIRTY-11/needs-a-log", set_dirty_needs_a_log);
    conformance_case_4k("/R-DIRTY-12/one-client", reset_dirty);
    conformance_case("/R-DIRTY-13/only-who-logs", notified_writes);
    conformance_case("/R-DIRTY-14/flush", flush_rom_device);
    conformance_case("/R-DIRTY-15/nothing-written", zero_length_writes);
    conformance_case("/R-CODE-1/off", code_off);
    conformance_case("/R-CODE-2/on", code_on);
    conformance_case("/R-CODE-3/hook", code_hook);
    return ram_run();
}
