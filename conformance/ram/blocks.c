/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapter 1.1 to 1.6: sizes and flags, coming and going, names, placement, msync. */
#include "common/ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/wrapped.h"

/* ---- 1.1 ---- */

static void rounding(void)
{
    MemoryRegion *ram = stage_ram("ram", 5000), *r = stage_resizeable("r", 1, 9000, NULL);
    const uint64_t up = (5000 + host_page() - 1) / host_page() * host_page();

    check_number(memory_region_size(ram), 5000);
    check_number(block_of(ram)->used_length, up);
    check_number(block_of(ram)->max_length, up);
    check_number(memory_region_size(r), 1);
    check_number(block_of(r)->used_length, host_page());
    check_number(block_of(r)->max_length, (9000 + host_page() - 1) / host_page() * host_page());
    check_number(qemu_ram_get_used_length(block_of(ram)), up);
}

static void refused_sizes(void)
{
    static const struct { uint64_t size, maximum; } table[] = { { 0, 0 }, { 0x3001, 0x3000 }, { UINT64_MAX, 0x1000 } };
    char *before = text_of_blocks();

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        memory_region_init_resizeable_ram(mr, NULL, "shy", table[i].size, table[i].maximum, NULL, &error);
        check_init_refused(mr, error, before, "RAM of ", NULL);
    }
    g_free(before);
    /* Compared after rounding; and nothing used is fine. */
    check_number(block_of(stage_resizeable("rounds", 5001, 5000, NULL))->used_length, 8192);
    check_number(block_of(stage_resizeable("empty", 0, 5000, NULL))->used_length, 0);
}

/* Sizes that no host can have, and sizes that become 0 by rounding up. */
static void too_large(void)
{
    static const uint64_t sizes[] = { UINT64_MAX - 1, UINT64_MAX - 4094, 1ull << 62, UINT64_MAX };
    char *before = text_of_blocks();

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        memory_region_init_ram_nomigrate(mr, NULL, "huge", sizes[i], &error);
        check_init_refused(mr, error, before, "bytes", NULL);
        error = NULL;
        memory_region_init_resizeable_ram(mr, NULL, "huge", 0x1000, sizes[i], NULL, &error);
        check_init_refused(mr, error, before, "bytes", NULL);
    }
    g_free(before);
}

static void flags(void)
{
    MemoryRegion *shared = stage_storage(sizeof(*shared)), *plain = stage_ram("plain", PAGES(4));
    MemoryRegion *ptr = stage_ram_ptr("ptr", PAGES(4), stage_storage(PAGES(4)));
    RAMBlock *block;

    memory_region_init_ram_flags_nomigrate(shared, NULL, "shared", PAGES(4), RAM_SHARED | RAM_NORESERVE, &error_fatal);
    stage_adopt(shared, NULL);
    block = block_of(shared);
    check(qemu_ram_is_shared(block) && qemu_ram_is_noreserve(block));
    check(!qemu_ram_is_migratable(block) && !qemu_ram_is_uf_zeroable(block));
    check_number(block_of(plain)->flags, 0);
    check_number(block_of(ptr)->flags, RAM_PREALLOC);
    check_number(block_of(stage_resizeable("r", 1, 2, NULL))->flags & RAM_RESIZEABLE, RAM_RESIZEABLE);
    check(qemu_ram_is_migratable(block_of(stage_ram_migratable("migratable", PAGES(4)))));
}

static void unknown_flags(void)
{
    char *before = text_of_blocks();

    for (unsigned bit = 0; bit < 32; bit++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        if (((1u << bit) & (RAM_SHARED | RAM_NORESERVE)) == 0) {
            memory_region_init_ram_flags_nomigrate(mr, NULL, "odd", PAGES(4), 1u << bit | RAM_SHARED, &error);
            check_init_refused(mr, error, before, "odd", "flag");
        }
    }
    g_free(before);
}

static void alignment_and_pages(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(4));
    MemoryRegion *ptr = stage_ram_ptr("ptr", PAGES(4), stage_storage(PAGES(4)));
    const uint64_t align = memory_region_get_alignment(ram);

    check(align >= host_page());
    check_number((uintptr_t)memory_region_get_ram_ptr(ram) % align, 0);
    check_number(qemu_ram_pagesize(block_of(ram)), host_page());
    check_number(qemu_ram_get_fd(block_of(ram)), (uint64_t)-1);
    check_number(memory_region_get_alignment(ptr), 0);
    check_number(memory_region_get_alignment(stage_alias("alias", ram, 0, PAGES(4))), 0);
    check_number(memory_region_get_alignment(stage_container("c", PAGES(4))), 0);
}

static uint8_t *address_behind;

static void write_behind(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(16));
    unsigned char resident;

    address_behind = (uint8_t *)memory_region_get_ram_ptr(ram) + memory_region_size(ram);
    /* There is a mapping, and nobody may touch it: the kernel refuses to copy from it. */
    check_number((uint64_t)mincore(address_behind, host_page(), &resident), 0);
    int pipes[2];
    g_assert_true(pipe(pipes) == 0);
    check_number((uint64_t)write(pipes[1], address_behind, 1), (uint64_t)-1);
    check_number((uint64_t)write(pipes[1], address_behind - 1, 1), 1);
    close(pipes[0]);
    close(pipes[1]);
}

static void class_flags(void)
{
    MemoryRegion *rom = stage_rom("rom", PAGES(4)), *romd = stage_rom_device("romd", PAGES(4));
    MemoryRegion *bar = stage_storage(sizeof(*bar));

    memory_region_init_ram_device_ptr(bar, NULL, "bar", PAGES(4), stage_storage(PAGES(4)));
    stage_adopt(bar, NULL);
    check(memory_region_is_ram(rom) && memory_region_is_rom(rom));
    check(!memory_region_is_ram(romd) && !memory_region_is_rom(romd) && !memory_region_is_protected(romd));
    check(block_of(romd) != NULL);
    check(memory_region_is_ram(bar) && memory_region_is_ram_device(bar));
}

/* ASan stops whoever touches what lies behind the caller's 100 bytes. */
static void small_ptr(void)
{
    uint8_t *bytes = stage_storage(100);
    MemoryRegion *ptr = stage_ram_ptr("ptr", 100, bytes);
    ram_addr_t offset;

    check_number(block_of(ptr)->used_length, host_page());
    check_number(memory_region_size(ptr), 100);
    check_pointer(memory_region_from_host(bytes + 200, &offset), ptr);
    check_number(offset, 200);
}

static void all_is_mapped(void)
{
    MemoryRegion *r = stage_resizeable("r", host_page(), 4 * host_page(), NULL);
    uint8_t *host = memory_region_get_ram_ptr(r);

    for (size_t i = 0; i < 4 * host_page(); i++) {
        g_assert_cmpuint(host[i], ==, 0);
    }
    memory_region_ram_resize(r, 3 * host_page(), &error_fatal);
    check_pointer(memory_region_get_ram_ptr(r), host);
}

/* ---- 1.2, 1.3 ---- */

static unsigned added, removed;
static RAMBlock *found_while_told;

static void at_added(RAMBlockNotifier *notifier, void *host, size_t size)
{
    ram_addr_t offset;
    RAMBlock *block = qemu_ram_block_from_host(host, false, &offset);

    (void)notifier;
    added++;
    (void)size;
    /* Steps (1) to (7) are done. */
    check(block && cpu_physical_memory_all_dirty(block->offset, block->used_length, VGA));
    qemu_mutex_lock_ramlist();      /* R-LOCK-1 */
    qemu_mutex_unlock_ramlist();
}

static void at_removed(RAMBlockNotifier *notifier, void *host, size_t size)
{
    ram_addr_t offset;

    (void)notifier;
    (void)size;
    removed++;
    found_while_told = qemu_ram_block_from_host(host, false, &offset);
    qemu_mutex_lock_ramlist();
    qemu_mutex_unlock_ramlist();
}

static void birth_and_death(void)
{
    RAMBlockNotifier notifier = { .ram_block_added = at_added, .ram_block_removed = at_removed };
    uint32_t version = ram_list.version;
    MemoryRegion *ram;
    uint8_t *host;

    added = removed = 0;
    ram_block_notifier_add(&notifier);
    ram = stage_ram("ram", PAGES(4));
    check_number(added, 1);
    check_number(ram_list.version - version, 1);
    check_pointer(ram_list.mru_block, NULL);
    host = memory_region_get_ram_ptr(ram);
    RAMBlock *block = block_of(ram);
    stage_release(ram);
    check_number(removed, 1);
    check_pointer(found_while_told, block);
    check_number(ram_list.version - version, 2);
    check_pointer(ram_list.mru_block, NULL);
    /* R-RAM-9: mapped until the grace period's end. */
    host[0] = 1;
    memcore_drain();
    ram_block_notifier_remove(&notifier);
}

static void version_counts(void)
{
    uint32_t version = ram_list.version;
    MemoryRegion *r = stage_resizeable("r", host_page(), 4 * host_page(), NULL);

    memory_region_ram_resize(r, 2 * host_page(), &error_fatal);
    qemu_ram_set_idstr(block_of(r), "other", NULL);
    qemu_ram_unset_idstr(block_of(r));
    check_number(ram_list.version - version, 1);
}

/* Linked with --wrap: memcore's own calls come by here. */
static unsigned unmaps;
static size_t unmapped;         /* bytes */

WRAPPED(int, munmap, void *place, size_t length)
{
    unmaps++;
    unmapped += length;
    return __real_munmap(place, length);
}

/* R-RAM-10: whatever the host refuses; the bits of the neighbours as they were, nobody told. */
static void host_refuses_ram(void)
{
    RAMBlockNotifier notifier = { .ram_block_added = at_added };
    MemoryRegion *other = stage_ram("other", PAGES(4));
    static const MemcoreFault kinds[] = { MEMCORE_FAULT_MMAP, MEMCORE_FAULT_ALLOCATION };
    char *before;

    ram_block_notifier_add(&notifier);
    clean(other);
    added = 0;
    before = text_of_blocks();
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        /* So large that the bitmaps must grow. */
        host_refuses(kinds[i], ENOMEM);
        unmapped = 0;
        memory_region_init_ram_flags_nomigrate(mr, NULL, "unlucky", kinds[i] == MEMCORE_FAULT_MMAP ? PAGES(8)
                                               : 40 * BITMAP_SPAN, RAM_NORESERVE, &error);
        check_init_refused(mr, error, before, strerror(ENOMEM), NULL);
        check(kinds[i] == MEMCORE_FAULT_MMAP || unmapped >= 40 * BITMAP_SPAN);      /* what was mapped already */
    }
    host_agrees();
    check_number(added, 0);
    check_dirty_all(other, "");
    ram_block_notifier_remove(&notifier);
    g_free(before);
}

static void registration(void)
{
    Object *owner = stage_owner("dev0");
    MemoryRegion *ram, *global = stage_ram_migratable("global", PAGES(4));

    stage_set_owner(owner);
    ram = stage_ram_migratable("ram", PAGES(4));
    stage_set_owner(NULL);
    check_text(qemu_ram_get_idstr(block_of(global)), "global");
    check(g_str_has_suffix(qemu_ram_get_idstr(block_of(ram)), "ram"));
    check_pointer(qemu_ram_block_by_name("global"), block_of(global));
    check_text(qemu_ram_get_idstr(block_of(stage_ram("nomigrate", PAGES(4)))), "");
}

static void empty_names(void)
{
    stage_ram("one", PAGES(4));
    check_pointer(qemu_ram_block_by_name(""), NULL);
}

static void long_names(void)
{
    MemoryRegion *ram = stage_ram("ram", PAGES(4));
    char *name = g_strnfill(400, 'n'), *cut = g_strnfill(255, 'n');

    qemu_ram_set_idstr(block_of(ram), name, NULL);
    check_text(qemu_ram_get_idstr(block_of(ram)), cut);
    g_free(name);
    g_free(cut);
}

static void names_come_back(void)
{
    RAMBlock *first = block_of(stage_ram("first", PAGES(4))), *second = block_of(stage_ram("second", PAGES(4)));

    qemu_ram_set_idstr(first, "name", NULL);
    qemu_ram_unset_idstr(first);
    qemu_ram_unset_idstr(NULL);
    check_pointer(qemu_ram_block_by_name("name"), NULL);
    qemu_ram_set_idstr(second, "name", NULL);
    check_pointer(qemu_ram_block_by_name("name"), second);
    check_pointer(qemu_ram_block_by_name("nam"), NULL);
    check_pointer(qemu_ram_block_by_name("names"), NULL);
}

static void duplicate_names(void)
{
    static void (*const inits[])(MemoryRegion *, Object *, const char *, uint64_t, Error **) = {
        memory_region_init_ram, memory_region_init_rom,
    };
    char *before;

    stage_ram_migratable("twin", PAGES(4));
    before = text_of_blocks();
    for (size_t i = 0; i < G_N_ELEMENTS(inits); i++) {
        MemoryRegion *mr = stage_storage(sizeof(*mr));
        Error *error = NULL;

        inits[i](mr, NULL, "twin", PAGES(4), &error);
        check_init_refused(mr, error, before, "twin", NULL);
    }
    g_free(before);
}

/* ---- 1.4, 1.5 ---- */

#define check_offset(mr, page) check_number(ram_addr((mr), 0), PAGES(page))

/* The worked example of R-RAM-18. */
static void placement(void)
{
    MemoryRegion *a = stage_ram("A", PAGES(100)), *c;

    check_offset(a, 0);
    check_offset(stage_ram("B", PAGES(10)), 0x80);
    c = stage_ram("C", PAGES(70));
    check_offset(c, 0xc0);
    check_offset(stage_ram("D", PAGES(10)), 0x140);
    stage_release(a);
    check_offset(stage_ram("E", PAGES(60)), 0x180);
    stage_release(c);
    check_offset(stage_ram("F", PAGES(3)), 0xc0);
    check_text_taken(text_of_block_order(), "E B D F");
}

/* A gap that is just wide enough is the tightest there can be; one that is narrower by a unit is none. */
static void exact_gaps(void)
{
    MemoryRegion *a = stage_ram("A", 4 * UNIT), *b = stage_ram("B", 2 * UNIT), *c, *d;

    c = stage_ram("C", UNIT);
    d = stage_ram("D", 3 * UNIT);
    stage_ram("E", UNIT);
    check_number(ram_addr(a, 0), 0);
    stage_release(b);
    stage_release(d);
    check_number(ram_addr(stage_ram("F", 3 * UNIT), 0), 7 * UNIT);
    check_number(ram_addr(stage_ram("G", 2 * UNIT), 0), 4 * UNIT);
    check_number(ram_addr(c, 0), 6 * UNIT);
}

/* O(n^2), from the rule's text; offsets of what stands, in list order. */
static ram_addr_t predicted(uint64_t length)
{
    RAMBlock *b, *other;
    ram_addr_t best = 0, smallest = RAM_ADDR_MAX;
    bool any = false;

    RAMBLOCK_FOREACH(b) {
        ram_addr_t c = (b->offset + b->max_length + UNIT - 1) / UNIT * UNIT, next = RAM_ADDR_MAX;

        RAMBLOCK_FOREACH(other) {
            if (other->offset >= c) {
                next = MIN(next, other->offset);
            }
        }
        if (next - c >= length && (!any || next - c < smallest)) {
            any = true;
            smallest = next - c;
            best = c;
        }
    }
    return best;
}

static void placement_at_random(void)
{
    MemoryRegion *live[12] = { NULL };
    GRand *random = g_rand_new_with_seed(20);

    for (unsigned step = 0; step < 400; step++) {
        const int slot = g_rand_int_range(random, 0, G_N_ELEMENTS(live));

        if (live[slot]) {
            stage_release(live[slot]);
            live[slot] = NULL;
        } else {
            const uint64_t size = MAX(PAGES(g_rand_int_range(random, 1, 200)), host_page()) / host_page() * host_page();
            const ram_addr_t expected = predicted(size);
            RAMBlock *block, *last = NULL;

            live[slot] = stage_ram(NULL, size);
            check_number(ram_addr(live[slot], 0), expected);
            check_number(expected % UNIT, 0);
            RAMBLOCK_FOREACH(block) {
                check(!last || last->max_length >= block->max_length);
                last = block;
            }
        }
    }
    g_rand_free(random);
}

/* ---- 1.6 ---- */

static MemoryRegion *in_file(const char *name, uint64_t size, uint32_t flags)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_from_file(mr, NULL, name, size, 0, flags, file_path(name), false, &error_fatal);
    return stage_adopt(mr, NULL);
}

static void msync_where_there_is_a_file(void)
{
    MemoryRegion *file = in_file("sync", PAGES(16), RAM_SHARED), *ram = stage_ram("ram", PAGES(16));

    host_refuses(MEMCORE_FAULT_MSYNC, 0);
    memory_region_msync(ram, 0, PAGES(16));
    memory_region_msync(stage_io("io", PAGES(16)), 0, PAGES(99));
    memory_region_msync(stage_alias("alias", file, 0, PAGES(16)), 0, PAGES(99));
    memory_region_msync(stage_container("c", PAGES(16)), 0, PAGES(99));
    check_number(host_was_asked(), 0);
    memory_region_msync(file, 5, 10);
    check_number(host_was_asked(), 1);
    memory_region_msync(file, 0, PAGES(16));
    qemu_ram_block_writeback(block_of(file));
    check_number(host_was_asked(), 3);
    host_agrees();
}

/* Whether or not the VGA log is on. */
static void writeback(void)
{
    MemoryRegion *file = in_file("back", PAGES(16), RAM_SHARED);

    host_refuses(MEMCORE_FAULT_MSYNC, 0);
    memory_region_set_log(file, true, DIRTY_MEMORY_VGA);
    memory_region_writeback(file, 0, PAGES(1));
    check_number(host_was_asked(), 1);
    host_agrees();
}

static void msync_of_nothing(void)
{
    MemoryRegion *file = in_file("sync0", PAGES(16), RAM_SHARED);

    memory_region_msync(file, PAGES(16), 0);
    memory_region_msync(stage_ram("ram", PAGES(16)), PAGES(16), 0);
    memory_region_writeback(file, 0, 0);
}

/* "In place": where something else could come in between, another thread's mapping would be destroyed. */
static void never_unmapped(void)
{
    MemoryRegion *ram = stage_ram("ram", 2 * host_page());

    unmaps = 0;
    qemu_ram_remap(ram_addr(ram, 0), host_page());
    check_number(unmaps, 0);
    stage_release(ram);
    memcore_drain();
    check_number(unmaps, 1);    /* so they are counted */
}

static void remap(void)
{
    MemoryRegion *ram = stage_ram("ram", 8 * host_page()), *ptr;
    uint8_t *host = memset(memory_region_get_ram_ptr(ram), 5, 8 * host_page()), *own;

    qemu_ram_remap(ram_addr(ram, 2 * host_page()), host_page());
    check_number(host[2 * host_page() - 1], 5);
    check_number(host[2 * host_page()], 0);
    check_number(host[3 * host_page() - 1], 0);
    check_number(host[3 * host_page()], 5);
    own = stage_storage(4 * host_page());
    ptr = stage_ram_ptr("ptr", 4 * host_page(), own);
    own[0] = 7;
    qemu_ram_remap(ram_addr(ptr, 0), host_page());
    check_number(own[0], 7);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case_4k("/R-RAM-1/rounding", rounding);
    conformance_case_4k("/R-RAM-2/refused", refused_sizes);
    conformance_case("/R-RAM-2/too-large", too_large);
    conformance_case("/R-RAM-3/unknown-flags", unknown_flags);
    conformance_case("/R-RAM-4/flags", flags);
    conformance_case("/R-RAM-5/alignment", alignment_and_pages);
    conformance_case("/R-RAM-5/guard-page", write_behind);
    conformance_case("/R-RAM-6/classes", class_flags);
    conformance_case("/R-RAM-7/small", small_ptr);
    conformance_case("/R-RAM-8/order", birth_and_death);
    conformance_case("/R-RAM-9/order", birth_and_death);
    conformance_case("/R-LOCK-1/ramlist-mutex-is-free", birth_and_death);
    conformance_case("/R-RAM-10/host-refuses", host_refuses_ram);
    conformance_case("/R-RAM-11/version", version_counts);
    conformance_case("/R-RAM-12/registration", registration);
    conformance_case("/R-RAM-13/long", long_names);
    conformance_case("/R-RAM-14/again-after-unset", names_come_back);
    conformance_case("/R-RAM-14/duplicate", duplicate_names);
    conformance_case("/R-RAM-15/empty-names", empty_names);
    conformance_case_4k("/R-RAM-16/random", placement_at_random);
    conformance_case_4k("/R-RAM-17/random", placement_at_random);
    conformance_case("/R-RAM-18/worked-example", placement);
    conformance_case("/R-RAM-18/exact-gaps", exact_gaps);
    conformance_case("/R-RAM-27/only-own-blocks", msync_where_there_is_a_file);
    conformance_case("/R-RAM-28/only-files", msync_where_there_is_a_file);
    conformance_case("/R-RAM-29/nothing", msync_of_nothing);
    conformance_case("/R-RAM-30/logged", writeback);
    conformance_case("/R-RAM-31/writeback", msync_where_there_is_a_file);
    conformance_case("/R-RAM-32/remap", remap);
    conformance_case("/R-RAM-32/never-unmapped", never_unmapped);
    conformance_case("/R-RAM-34/all-is-mapped", all_is_mapped);
    return ram_run();
}
