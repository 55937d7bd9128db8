/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification part 1, section 2: region kinds and init functions (R-REG-*).
 * IOMMU regions and RAM in files are in the chapters that specify them.
 */
#include "common/conformance.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static MemoryRegion *ram_with_flags(const char *name, uint64_t size, uint32_t flags)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_flags_nomigrate(mr, NULL, name, size, flags, &error_fatal);
    return stage_adopt(mr, NULL);
}

static MemoryRegion *ram_device(const char *name, uint64_t size, void *host)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_device_ptr(mr, NULL, name, size, host);
    return stage_adopt(mr, NULL);
}

static MemoryRegion *rom_migratable(const char *name, uint64_t size)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_rom(mr, NULL, name, size, &error_fatal);
    return stage_adopt(mr, NULL);
}

static MemoryRegion *rom_device_migratable(const char *name, uint64_t size)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_rom_device(mr, NULL, &stage_ops, NULL, name, size, &error_fatal);
    return stage_adopt(mr, NULL);
}

/* One region of every kind, and what the table of R-REG-3 says of it. */
typedef struct {
    MemoryRegion *mr;
    bool terminates, ram, readonly, rom_device, ram_device, has_block, migratable;
    MemoryRegion *alias_of;
} Kind;

enum { KINDS = 16 };

static void make_all_kinds(Kind kinds[KINDS])
{
    uint8_t *host = stage_storage(0x2000);
    MemoryRegion *target = stage_ram("target", 0x1000);
    Kind all[KINDS] = {
        { .mr = stage_container("container", 0x1000) },
        { stage_io("io", 0x1000), .terminates = true },
        { stage_io_ops("reservation", 0x1000, NULL, NULL), .terminates = true },
        { stage_ram("ram", 0x1000), .terminates = true, .ram = true, .has_block = true },
        { ram_with_flags("flags 0", 0x1000, 0), .terminates = true, .ram = true, .has_block = true },
        { ram_with_flags("shared", 0x1000, RAM_SHARED), .terminates = true, .ram = true, .has_block = true },
        { ram_with_flags("noreserve", 0x1000, RAM_NORESERVE), .terminates = true, .ram = true,
          .has_block = true },
        { stage_resizeable("resizeable", 0x1000, 0x4000, NULL), .terminates = true, .ram = true, .has_block = true },
        { stage_ram_ptr("ram_ptr", 0x1000, host), .terminates = true, .ram = true, .has_block = true },
        { ram_device("ram_device", 0x1000, host + 0x1000), .terminates = true, .ram = true,
          .ram_device = true, .has_block = true },
        { stage_rom("rom", 0x1000), .terminates = true, .ram = true, .readonly = true, .has_block = true },
        { stage_rom_device("romd", 0x1000), .terminates = true, .rom_device = true, .has_block = true },
        { .mr = stage_alias("alias", target, 0, 0x1000), .alias_of = target },
        { stage_ram_migratable("ram, migratable", 0x1000), .terminates = true, .ram = true, .has_block = true,
          .migratable = true },
        { rom_migratable("rom, migratable", 0x1000), .terminates = true, .ram = true, .readonly = true,
          .has_block = true, .migratable = true },
        { rom_device_migratable("romd, migratable", 0x1000), .terminates = true, .rom_device = true,
          .has_block = true, .migratable = true },
    };

    memcpy(kinds, all, sizeof(all));
}

static bool check_fact(const char *where, MemoryRegion *mr, const char *fact, uint64_t actual,
                       uint64_t expected)
{
    char *what = g_strdup_printf("%s of region \"%s\"", fact, memory_region_name(mr));
    bool equal = check_number_at(where, what, actual, expected);

    g_free(what);
    return equal;
}
#define check_of(mr, actual, expected) check_fact(G_STRLOC, (mr), #actual, (actual), (expected))

/* ---- R-REG-1 ---- */

static void defaults_of_every_kind(void)
{
    Kind kinds[KINDS];

    make_all_kinds(kinds);
    for (int i = 0; i < KINDS; i++) {
        MemoryRegion *mr = kinds[i].mr;

        check_of(mr, memory_region_size(mr), 0x1000);
        check_of(mr, memory_region_is_mapped(mr), false);
        check_of(mr, memory_region_is_nonvolatile(mr), false);
        check_of(mr, memory_region_is_protected(mr), false);
        check_of(mr, memory_region_is_iommu(mr), false);
        check_of(mr, memory_region_get_dirty_log_mask(mr), 0);
        check_of(mr, memory_region_is_logging(mr, DIRTY_MEMORY_VGA), false);
    }
}

/* R-REG-6: only RAM whose block is so, and nothing that merely leads there. */
static void protected_memory(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    const uint64_t size = 0x10000;
    int fd = memfd_create("protected", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
    memory_region_init_ram_from_fd(mr, NULL, "secret", size, RAM_SHARED | RAM_PROTECTED, fd, 0, &error_fatal);
    stage_adopt(mr, NULL);
    check(memory_region_is_protected(mr));
    check(!memory_region_is_protected(stage_alias("alias", mr, 0, size)));
}

/* Enabled, at address 0, writable: seen when an address space is rooted on the bare region. */
static void default_is_enabled_at_zero(void)
{
    Kind kinds[KINDS];

    make_all_kinds(kinds);
    for (int i = 0; i < KINDS; i++) {
        MemoryRegion *mr = kinds[i].mr;
        AddressSpace *as = stage_space(mr, "as");
        MemoryRegion *seen = kinds[i].alias_of ? kinds[i].alias_of : kinds[i].terminates ? mr : NULL;
        char *expected = seen ? g_strdup_printf("%s[0,0x1000)%s", memory_region_name(seen),
                                                kinds[i].readonly ? " ro" : "")
                              : g_strdup("");

        check_view(as, expected);
        g_free(expected);
        stage_space_destroy(as);
    }
}

/* Priority 0: in front of -1, behind 1, for a region that was never given one. */
static void default_priority(void)
{
    MemoryRegion *root = stage_container("root", 0x10000);
    AddressSpace *as = stage_space(root, "as");

    stage_add(root, 0x1000, stage_io("default", 0x1000));
    stage_add_overlap(root, 0x1000, stage_io("above", 0x400), 1);
    stage_add_overlap(root, 0x1000, stage_io("below", 0x2000), -1);
    check_view(as, "above[0x1000,0x1400), default[0x1400,0x2000)@0x400, below[0x2000,0x3000)@0x1000");
}

/* ---- R-REG-2 ---- */

static void uint64_max_means_2_to_the_64(void)
{
    MemoryRegion *io = stage_io("io", UINT64_MAX);
    MemoryRegion *grown = stage_io("grown", 0x1000);
    MemoryRegion *largest = stage_io("largest", UINT64_MAX - 1);

    check_number(memory_region_size(io), UINT64_MAX);
    check_view(stage_space(io, "as"), "io[0,0x10000000000000000)");
    memory_region_set_size(grown, UINT64_MAX);
    check_number(memory_region_size(grown), UINT64_MAX);
    check_view(stage_space(grown, "grown"), "grown[0,0x10000000000000000)");
    check_number(memory_region_size(largest), UINT64_MAX - 1);
    check_view(stage_space(largest, "largest"), "largest[0,0xfffffffffffffffe)");
}

static void boundary_sizes(void)
{
    static const uint64_t sizes[] = {
        0, 1, 0xfff, 0x1000, 0xffffffff, 0x100000000, 0x100000001, 1ull << 63, UINT64_MAX - 0xfff,
        UINT64_MAX - 1,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        MemoryRegion *kinds[] = {
            stage_container("container", sizes[i]),
            stage_io("io", sizes[i]),
            stage_alias("alias", stage_io("target", UINT64_MAX), 0, sizes[i]),
        };

        for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
            check_number(memory_region_size(kinds[k]), sizes[i]);
            memory_region_set_size(kinds[k], 7);
            check_number(memory_region_size(kinds[k]), 7);
            memory_region_set_size(kinds[k], sizes[i]);
            check_number(memory_region_size(kinds[k]), sizes[i]);
        }
    }
}

/* A query of UINT64_MAX bytes from 0 leaves out the last byte. */
static void find_takes_uint64_max_literally(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    stage_add(root, UINT64_MAX, stage_io("last", 1));
    stage_space(root, "as");
    check_find(root, 0, UINT64_MAX, "-");
    check_find(root, 1, UINT64_MAX, "last[0xffffffffffffffff,0x10000000000000000)");
}

static void coalescing_takes_uint64_max_literally(void)
{
    GString *log = stage_log();
    MemoryRegion *io = stage_io("io", UINT64_MAX);

    recorder_watch(stage_space(io, "as"), NULL, 0, log);
    memory_region_add_coalescing(io, 0, UINT64_MAX);
    check_log(log, "coalesced_io_add 0x0+0xffffffffffffffff in io[0,0x10000000000000000)\n");
    memory_region_clear_coalescing(io);
}

/* ---- R-REG-3 ---- */

static void flags_of_every_kind(void)
{
    Kind kinds[KINDS];

    make_all_kinds(kinds);
    for (int i = 0; i < KINDS; i++) {
        MemoryRegion *mr = kinds[i].mr;

        check_of(mr, memory_region_is_ram(mr), kinds[i].ram);
        check_of(mr, memory_region_is_rom(mr), kinds[i].ram && kinds[i].readonly);
        check_of(mr, memory_region_is_romd(mr), kinds[i].rom_device);
        check_of(mr, memory_region_is_ram_device(mr), kinds[i].ram_device);
        check_of(mr, memory_region_get_ram_addr(mr) != RAM_ADDR_INVALID, kinds[i].has_block);
    }
    check_number(stage_statistics().ram_blocks, 12 + 1);
}

/* Terminating kinds answer for every byte that no child covers; containers and aliases do not. */
static void terminating_kinds_show_themselves(void)
{
    Kind kinds[KINDS];

    make_all_kinds(kinds);
    for (int i = 0; i < KINDS; i++) {
        MemoryRegion *mr = kinds[i].mr;
        const char *name = memory_region_name(mr);
        const char *ro = kinds[i].readonly ? " ro" : "";
        char *expected;

        if (kinds[i].alias_of) {
            continue;       /* has no children (R-TREE-4) */
        }
        stage_add(mr, 0x800, stage_io("child", 0x400));
        AddressSpace *as = stage_space(mr, "as");
        if (kinds[i].terminates) {
            expected = g_strdup_printf("%s[0,0x800)%s, child[0x800,0xc00)%s, %s[0xc00,0x1000)@0xc00%s",
                                       name, ro, ro, name, ro);
        } else {
            expected = g_strdup("child[0x800,0xc00)");
        }
        check_view(as, expected);
        g_free(expected);
        stage_space_destroy(as);
    }
}

static void memory_behind_the_kinds(void)
{
    uint8_t *host = stage_storage(0x2000);
    MemoryRegion *pointer = stage_ram_ptr("ram_ptr", 0x800, host + 3);
    MemoryRegion *device = ram_device("ram_device", 0x800, host + 0x1000);
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    MemoryRegion *romd = stage_rom_device("romd", 0x1000);
    uint8_t *contents = memory_region_get_ram_ptr(stage_ram("ram", 0x3000));

    check_pointer(memory_region_get_ram_ptr(pointer), host + 3);
    check_pointer(memory_region_get_ram_ptr(device), host + 0x1000);
    check(memory_region_get_ram_ptr(rom) != memory_region_get_ram_ptr(romd));
    for (int i = 0; i < 0x3000; i++) {
        if (contents[i]) {
            check(!"new RAM is all zero");
            break;
        }
    }
    memset(memory_region_get_ram_ptr(rom), 1, 0x1000);
    memset(memory_region_get_ram_ptr(romd), 1, 0x1000);
    memset(contents, 1, 0x3000);
    check_number(host[0], 0xa5);
}

/* The block of a migratable kind has an id string, the region's name; its twin's has none (R-RAM-12). */
static void id_strings_of_migratable_kinds(void)
{
    Kind kinds[KINDS];

    make_all_kinds(kinds);
    for (int i = 0; i < KINDS; i++) {
        const char *name = memory_region_name(kinds[i].mr);
        RAMBlock *block = qemu_ram_block_by_name(name);

        check_of(kinds[i].mr, block != NULL, kinds[i].migratable);
        if (block) {
            check_text(qemu_ram_get_idstr(block), name);
            check(qemu_ram_is_migratable(block));
            check_number(qemu_ram_get_offset(block), memory_region_get_ram_addr(kinds[i].mr));
        }
    }
}

static void id_string_of_an_owned_region(void)
{
    Object *owner = stage_owner("dev");

    device_set_path(DEVICE(owner), "0000:00:02.0");
    stage_set_owner(owner);
    stage_ram_migratable("vram", 0x1000);
    check(qemu_ram_block_by_name("0000:00:02.0/vram") != NULL);
    check(qemu_ram_block_by_name("vram") == NULL);
}

/* ---- R-REG-4 ---- */

enum { IMPOSSIBLE_SHIFT = 62 };     /* more than any address space of a process */

typedef enum {
    RAM_NOMIGRATE, RAM_FLAGS, RESIZEABLE, ROM_NOMIGRATE, ROM_DEVICE_NOMIGRATE, RAM, ROM, ROM_DEVICE,
    ALLOCATING_KINDS,
} Allocating;

static void init_allocating(Allocating kind, MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            Error **errp)
{
    switch (kind) {
    case RAM_NOMIGRATE:
        memory_region_init_ram_nomigrate(mr, owner, name, size, errp);
        return;
    case RAM_FLAGS:
        memory_region_init_ram_flags_nomigrate(mr, owner, name, size, 0, errp);
        return;
    case RESIZEABLE:
        memory_region_init_resizeable_ram(mr, owner, name, size, size, NULL, errp);
        return;
    case ROM_NOMIGRATE:
        memory_region_init_rom_nomigrate(mr, owner, name, size, errp);
        return;
    case ROM_DEVICE_NOMIGRATE:
        memory_region_init_rom_device_nomigrate(mr, owner, &stage_ops, NULL, name, size, errp);
        return;
    case RAM:
        memory_region_init_ram(mr, owner, name, size, errp);
        return;
    case ROM:
        memory_region_init_rom(mr, owner, name, size, errp);
        return;
    case ROM_DEVICE:
        memory_region_init_rom_device(mr, owner, &stage_ops, NULL, name, size, errp);
        return;
    case ALLOCATING_KINDS:
        break;
    }
    g_assert_not_reached();
}

/* What a failed init leaves: an Error with text, and a struct that is fit for another init only. */
static void check_init_fails(Allocating kind, uint64_t size)
{
    Object *owner = stage_owner("dev");
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    Error *error = NULL;

    init_allocating(kind, mr, owner, "failing", size, &error);
    if (!check_init_failed(mr, owner, error)) {
        return;
    }
    error_free(error);
    check_number(stage_statistics().ram_blocks, 0);
    check_pointer(object_resolve_path_component(owner, "failing[0]"), NULL);
    check_number(stage_owner_references(owner), 1);

    error = NULL;
    init_allocating(kind, mr, owner, "failing", 0x1000, &error);
    check(error == NULL);
    stage_adopt(mr, owner);
    check_number(memory_region_size(mr), 0x1000);
    check_text(object_get_canonical_path_component(OBJECT(mr)), "failing[0]");
    check_number(stage_statistics().ram_blocks, 1);
    stage_owner_drop(owner);
    check(stage_owner_gone(owner));
    check_number(stage_statistics().ram_blocks, 0);
}

static void allocation_failure(void)
{
    for (Allocating kind = 0; kind < ALLOCATING_KINDS; kind++) {
        check_init_fails(kind, 1ull << IMPOSSIBLE_SHIFT);
    }
}

static void allocation_failure_without_errp(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_nomigrate(mr, NULL, "failing", 1ull << IMPOSSIBLE_SHIFT, NULL);
    check_number(memory_region_size(mr), 0);
    check_pointer(memory_region_name(mr), NULL);
    check_number(stage_statistics().ram_blocks, 0);
}

/* There is no parent to leave: the reference stays the caller's. */
static void allocation_failure_of_an_unnamed_region(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));
    Error *error = NULL;

    memory_region_init_ram_nomigrate(mr, NULL, NULL, 1ull << IMPOSSIBLE_SHIFT, &error);
    check(error != NULL);
    error_free(error);
    check_number(memory_region_size(mr), 0);
    check_number(stage_statistics().ram_blocks, 0);
    stage_adopt(mr, NULL);
}

/* ---- R-REG-5 ---- */

static void exact_size_in_a_rounded_block(void)
{
    MemoryRegion *root = stage_container("root", 0x100000);
    MemoryRegion *ram = stage_ram("ram", 0x1234);
    AddressSpace *as = stage_space(root, "as");
    uint8_t *host = memory_region_get_ram_ptr(ram);
    ram_addr_t offset = 0;

    stage_add(root, 0x10, ram);
    check_number(memory_region_size(ram), 0x1234);
    check_view(as, "ram[0x10,0x1244)");
    /* The rest of the page is there, and belongs to the block. */
    memset(host, 1, 0x2000);
    check_pointer(memory_region_from_host(host + 0x1fff, &offset), ram);
    check_number(offset, 0x1fff);
    RAMBlock *block = qemu_ram_block_from_host(host, false, &offset);
    check(block != NULL);
    check_number(qemu_ram_get_used_length(block), 0x2000);
    check_number(qemu_ram_get_max_length(block), 0x2000);
}

static void one_byte_of_ram(void)
{
    MemoryRegion *ram = stage_ram("ram", 1);

    check_number(memory_region_size(ram), 1);
    check_view(stage_space(ram, "as"), "ram[0,0x1)");
}

/* The better behaviour: an Error, not an abort.  Sizes that round up to 2^64 wrap to 0 in a careless sum. */
static void impossible_sizes(void)
{
    static const uint64_t sizes[] = { 0, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 0xffe, UINT64_MAX - 0xfff };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (Allocating kind = 0; kind < ALLOCATING_KINDS; kind++) {
            /* R-RAM-2: a resizeable block may have nothing used; here its maximum is 0 too. */
            check_init_fails(kind, sizes[i]);
        }
    }
}

/* ---- R-REG-6 ---- */

static void alias_is_not_what_it_shows(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x4000);
    MemoryRegion *rom = stage_rom("rom", 0x1000);
    MemoryRegion *romd = stage_rom_device("romd", 0x1000);
    MemoryRegion *first = stage_alias("first", ram, 0x1000, 0x3000);
    MemoryRegion *second = stage_alias("second", first, 0x200, 0x100);
    MemoryRegion *of_rom = stage_alias("of rom", rom, 0, 0x1000);
    MemoryRegion *of_romd = stage_alias("of romd", romd, 0, 0x1000);
    uint8_t *host = memory_region_get_ram_ptr(ram);
    ram_addr_t offset = 0;

    memory_region_set_nonvolatile(ram, true);
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    check(!memory_region_is_ram(first));
    check(!memory_region_is_nonvolatile(first));
    check(!memory_region_is_rom(of_rom));
    check(!memory_region_is_romd(of_romd));
    check(memory_region_get_ram_addr(first) == RAM_ADDR_INVALID);
    check_number(memory_region_get_alignment(first), 0);
    check_number(memory_region_get_dirty_log_mask(first), 0);
    check(!memory_region_is_logging(first, DIRTY_MEMORY_VGA));
    /* These follow the chain, and the offsets add up. */
    check_pointer(memory_region_get_ram_ptr(first), host + 0x1000);
    check_pointer(memory_region_get_ram_ptr(second), host + 0x1200);
    check_number((uint64_t)memory_region_get_fd(second), (uint64_t)-1);
    check_pointer(memory_region_get_ram_ptr(of_romd), memory_region_get_ram_ptr(romd));
    /* A pointer belongs to RAM, never to an alias of it. */
    check_pointer(memory_region_from_host(host + 0x1200, &offset), ram);
    check_number(offset, 0x1200);
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
}

static void predicates_follow_the_setters(void)
{
    MemoryRegion *ram = stage_ram("ram", 0x1000);
    MemoryRegion *io = stage_io("io", 0x1000);
    MemoryRegion *romd = stage_rom_device("romd", 0x1000);
    MemoryRegion *c = stage_container("c", 0x10000);

    memory_region_set_readonly(ram, true);
    check(memory_region_is_ram(ram) && memory_region_is_rom(ram));
    memory_region_set_readonly(io, true);
    check(!memory_region_is_rom(io));
    memory_region_set_readonly(romd, true);
    check(memory_region_is_romd(romd) && !memory_region_is_rom(romd));
    memory_region_rom_device_set_romd(romd, false);
    check(!memory_region_is_romd(romd));
    memory_region_rom_device_set_romd(romd, true);
    check(memory_region_is_romd(romd));
    /* Only the region itself is looked at, not what contains it. */
    stage_add(c, 0, io);
    memory_region_set_nonvolatile(c, true);
    check(memory_region_is_nonvolatile(c));
    check(!memory_region_is_nonvolatile(io));
}

/* ---- R-REG-7 ---- */

static void check_masks(MemoryRegion *const regions[6], const uint8_t expected[6])
{
    for (int i = 0; i < 6; i++) {
        check_fact(G_STRLOC, regions[i], "dirty log mask", memory_region_get_dirty_log_mask(regions[i]),
                   expected[i]);
        for (uint8_t client = 0; client < DIRTY_MEMORY_NUM; client++) {
            check_fact(G_STRLOC, regions[i], "is_logging", memory_region_is_logging(regions[i], client),
                       (expected[i] >> client) & 1);
        }
    }
}

static void dirty_log_masks(void)
{
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);
    MemoryRegion *nomigrate = stage_ram("nomigrate", 0x1000);
    MemoryRegion *regions[6] = {
        ram,
        nomigrate,
        stage_alias("alias", ram, 0, 0x1000),
        rom_device_migratable("romd", 0x1000),
        stage_io("io", 0x1000),
        stage_container("c", 0x1000),
    };

    check_masks(regions, (uint8_t[]) { 0, 0, 0, 0, 0, 0 });
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    check_masks(regions, (uint8_t[]) { 4, 0, 0, 4, 0, 0 });
    memory_region_set_log(ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(nomigrate, true, DIRTY_MEMORY_VGA);
    check_masks(regions, (uint8_t[]) { 5, 1, 0, 4, 0, 0 });
    memory_region_set_log(ram, false, DIRTY_MEMORY_VGA);
    memory_region_set_log(nomigrate, false, DIRTY_MEMORY_VGA);
    memcore_set_code_tracking(true);
    check_masks(regions, (uint8_t[]) { 6, 2, 0, 6, 0, 0 });
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    check_masks(regions, (uint8_t[]) { 2, 2, 0, 2, 0, 0 });
    memcore_set_code_tracking(false);
    check_masks(regions, (uint8_t[]) { 0, 0, 0, 0, 0, 0 });
}

/* Any purpose of global tracking sets the bit, not migration only. */
static void any_global_flag_counts(void)
{
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);

    memory_global_dirty_log_start(GLOBAL_DIRTY_DIRTY_RATE);
    check_number(memory_region_get_dirty_log_mask(ram), 1 << DIRTY_MEMORY_MIGRATION);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_DIRTY_RATE);
    check_number(memory_region_get_dirty_log_mask(ram), 1 << DIRTY_MEMORY_MIGRATION);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    check_number(memory_region_get_dirty_log_mask(ram), 0);
}

/* What may migrate can change during the life of a block. */
static void migratable_is_asked_each_time(void)
{
    MemoryRegion *ram = stage_ram_migratable("ram", 0x1000);
    RAMBlock *block = qemu_ram_block_by_name("ram");

    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    qemu_ram_unset_migratable(block);
    check_number(memory_region_get_dirty_log_mask(ram), 0);
    qemu_ram_set_migratable(block);
    check_number(memory_region_get_dirty_log_mask(ram), 1 << DIRTY_MEMORY_MIGRATION);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-REG-1/every-kind", defaults_of_every_kind);
    conformance_case("/R-REG-1/enabled-at-zero", default_is_enabled_at_zero);
    conformance_case("/R-REG-1/priority", default_priority);
    conformance_case("/R-REG-2/uint64-max-means-2-to-the-64", uint64_max_means_2_to_the_64);
    conformance_case("/R-REG-2/boundary-sizes", boundary_sizes);
    conformance_case("/R-REG-2/find-takes-it-literally", find_takes_uint64_max_literally);
    conformance_case("/R-REG-2/coalescing-takes-it-literally", coalescing_takes_uint64_max_literally);
    conformance_case("/R-REG-3/flags", flags_of_every_kind);
    conformance_case("/R-REG-3/terminating", terminating_kinds_show_themselves);
    conformance_case("/R-REG-3/memory", memory_behind_the_kinds);
    conformance_case("/R-REG-3/id-strings", id_strings_of_migratable_kinds);
    conformance_case("/R-REG-3/id-string-of-an-owned-region", id_string_of_an_owned_region);
    conformance_case("/R-REG-4/allocation-failure", allocation_failure);
    conformance_case("/R-REG-4/without-errp", allocation_failure_without_errp);
    conformance_case("/R-REG-4/unnamed", allocation_failure_of_an_unnamed_region);
    conformance_case("/R-REG-5/rounded-block", exact_size_in_a_rounded_block);
    conformance_case("/R-REG-5/one-byte", one_byte_of_ram);
    conformance_case("/R-REG-5/impossible-sizes", impossible_sizes);
    conformance_case("/R-REG-6/protected", protected_memory);
    conformance_case("/R-REG-6/alias-is-not-what-it-shows", alias_is_not_what_it_shows);
    conformance_case("/R-REG-6/setters", predicates_follow_the_setters);
    conformance_case("/R-REG-7/masks", dirty_log_masks);
    conformance_case("/R-REG-7/any-global-flag", any_global_flag_counts);
    conformance_case("/R-REG-7/migratable-is-asked-each-time", migratable_is_asked_each_time);
    return g_test_run();
}
