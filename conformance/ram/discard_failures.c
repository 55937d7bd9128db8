/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapters 7 and 8: giving memory back on a host that refuses its n-th call. */
#include "common/ram.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "memcore/bitmap_discard_manager.h"

#define H host_page()

/* ---- ram_block_discard_range ---- */

typedef enum { PRIVATE, SHARED, POINTER, FILE_SHARED, FILE_PRIVATE } Backing;

static const char *path;

static MemoryRegion *backed(Backing backing)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    switch (backing) {
    case PRIVATE:
    case SHARED:
        memory_region_init_ram_flags_nomigrate(mr, NULL, "ram", 8 * H, backing == SHARED ? RAM_SHARED : 0,
                                               &error_fatal);
        break;
    case POINTER: {
        static void *memory;

        if (!memory) {
            memory = mmap(NULL, 8 * H, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        }
        memory_region_init_ram_ptr(mr, NULL, "ram", 8 * H, memory);
        break;
    }
    default:
        path = file_made("backing", 8 * H);
        memory_region_init_ram_from_file(mr, NULL, "ram", 8 * H, 0, backing == FILE_SHARED ? RAM_SHARED : 0, path,
                                         false, &error_fatal);
        break;
    }
    stage_adopt(mr, NULL);
    memset(memory_region_get_ram_ptr(mr), 7, 8 * H);
    return mr;
}

static void check_bytes(MemoryRegion *mr, size_t first, size_t end)
{
    const uint8_t *bytes = memory_region_get_ram_ptr(mr);

    for (size_t page = 0; page < 8; page++) {
        check_number(bytes[page * H], page >= first && page < end ? 0 : 7);
        check_number(bytes[page * H + H - 1], page >= first && page < end ? 0 : 7);
    }
}

/* What the file has, behind a private mapping too. */
static void check_file(size_t first, size_t end, bool written)
{
    for (size_t page = 0; page < 8; page++) {
        const int expected = page >= first && page < end ? 0 : written ? 7 : (int)page + 1;

        check_number((uint64_t)file_byte(path, (off_t)(page * H)), (uint64_t)expected);
    }
}

static void each_call(void)
{
    static const struct { Backing backing; unsigned calls; } table[] = {
        { PRIVATE, 1 }, { SHARED, 1 }, { POINTER, 1 }, { FILE_SHARED, 2 }, { FILE_PRIVATE, 2 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        MemoryRegion *mr = backed(table[i].backing);
        const bool has_file = table[i].backing >= FILE_SHARED, shared = table[i].backing == FILE_SHARED;
        char *before = text_of_blocks();

        clean(mr);
        for (unsigned nth = 0; nth < table[i].calls; nth++) {
            host_refuses_nth(ANYTHING, EIO, nth);
            check_number((uint64_t)ram_block_discard_range(block_of(mr), 2 * H, 3 * H), (uint64_t)-EIO);
            check_number(host_agrees(), nth + 1);
            if (nth == 0) {
                check_bytes(mr, 0, 0);
            }
            if (has_file) {     /* the hole comes first, and may be there although the call failed */
                check_file(2, nth == 0 ? 2 : 5, shared);
            }
        }
        host_refuses_nth(ANYTHING, EIO, table[i].calls);
        check_number((uint64_t)ram_block_discard_range(block_of(mr), 2 * H, 3 * H), 0);
        check_number(host_agrees(), table[i].calls);
        check_bytes(mr, 2, 5);
        check_dirty_all(mr, "");
        check_text_taken(text_of_blocks(), before);
        g_free(before);
        stage_release(mr);
        memcore_drain();
    }
}

/* ---- the manager ---- */

enum { GRANULES = 8 };

typedef struct {
    RamDiscardListener listener;
    GString *log;
    bool objects;
} Ear;

static void note(Ear *ear, const char *what, const MemoryRegionSection *section)
{
    g_string_append_printf(ear->log, "%s %" PRIu64 "-%" PRIu64 "\n", what, section->offset_within_region / H,
                           (section->offset_within_region + int128_get64(section->size)) / H);
}

static int heard_populate(RamDiscardListener *listener, MemoryRegionSection *section)
{
    Ear *ear = caa_container_of(listener, Ear, listener);

    note(ear, "populate", section);
    return ear->objects ? -EBUSY : 0;
}

static void heard_discard(RamDiscardListener *listener, MemoryRegionSection *section)
{
    note(caa_container_of(listener, Ear, listener), "discard", section);
}

typedef struct {
    MemoryRegion *ram;
    BitmapDiscardManager *manager;
    Ear ear;
} Plant;

static void plant_new(Plant *p)
{
    MemoryRegionSection all;

    *p = (Plant) { .ram = stage_ram("ram", GRANULES * H), .ear.log = stage_log() };
    p->manager = bitmap_discard_manager_new(p->ram, H, NULL, &error_fatal);
    all = (MemoryRegionSection) { .mr = p->ram, .size = int128_make64(GRANULES * H) };
    ram_discard_listener_init(&p->ear.listener, heard_populate, heard_discard, true);
    ram_discard_manager_register_listener(RAM_DISCARD_MANAGER(p->manager), &p->ear.listener, &all);
}

static void plant_end(Plant *p)
{
    ram_discard_manager_unregister_listener(RAM_DISCARD_MANAGER(p->manager), &p->ear.listener);
    check(bitmap_discard_manager_destroy(p->manager, &error_fatal));
}

static void check_state(Plant *p, unsigned long bits, const char *heard)
{
    check_number(bitmap_discard_manager_bits(p->manager)[0], bits);
    check_number(bitmap_discard_manager_populated_bytes(p->manager), (uint64_t)__builtin_popcountl(bits) * H);
    check_log(p->ear.log, heard);
}

/* R-BDM-1: no manager, and the counter is as it was. */
static void creation(void)
{
    MemoryRegion *ram = stage_ram("victim", GRANULES * H);
    Error *error = NULL;
    char *before = text_of_blocks();
    BitmapDiscardManager *manager;

    memset(memory_region_get_ram_ptr(ram), 7, GRANULES * H);
    host_refuses_nth(ANYTHING, EIO, 0);
    check_pointer(bitmap_discard_manager_new(ram, H, NULL, &error), NULL);
    check_number(host_agrees(), 1);
    check_refused(error, before, "victim", strerror(EIO));
    check(!ram_block_discard_is_required());
    check_bytes(ram, 0, 0);
    manager = bitmap_discard_manager_new(ram, H, NULL, &error_fatal);      /* so none was left */
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
    g_free(before);
}

/* R-BDM-2: plugging asks the host for something only to undo what was objected to; it stays undone. */
static void plugging(void)
{
    Plant p;

    plant_new(&p);
    host_refuses_nth(ANYTHING, EIO, 0);
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 0, 2 * H), 0);
    check_number(host_agrees(), 0);
    check_state(&p, 0x3, "populate 0-2\n");
    p.ear.objects = true;
    host_refuses_nth(ANYTHING, EIO, 0);
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 2 * H, 2 * H), (uint64_t)-EBUSY);
    check_number(host_agrees(), 1);
    check_state(&p, 0x3, "populate 2-4\n");
    p.ear.objects = false;
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 2 * H, 2 * H), 0);
    check_state(&p, 0xf, "populate 2-4\n");
    plant_end(&p);
}

/* R-BDM-3, R-BDM-4: nobody is told of what did not happen. */
static void unplugging(void)
{
    Plant p;

    plant_new(&p);
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 0, 4 * H), 0);
    check_state(&p, 0xf, "populate 0-4\n");
    memset(memory_region_get_ram_ptr(p.ram), 7, GRANULES * H);
    host_refuses_nth(ANYTHING, EIO, 0);
    check_number((uint64_t)bitmap_discard_manager_unplug(p.manager, H, H), (uint64_t)-EBUSY);
    check_number(host_agrees(), 1);
    check_state(&p, 0xf, "");
    host_refuses_nth(ANYTHING, EIO, 0);
    check_number((uint64_t)bitmap_discard_manager_unplug_all(p.manager), (uint64_t)-EBUSY);
    check_number(host_agrees(), 1);
    check_state(&p, 0xf, "");
    check_bytes(p.ram, 0, 0);
    check_number((uint64_t)bitmap_discard_manager_unplug_all(p.manager), 0);
    check_state(&p, 0, "discard 0-8\n");
    check_bytes(p.ram, 0, GRANULES);
    plant_end(&p);
}

/* R-BDM-5: the first error is returned; the bits, who is told, and the other runs are what they are without it. */
static void loading(void)
{
    const unsigned long bits = 0x2c;    /* runs 0-2, 4-5, 6-8 go */

    for (unsigned nth = 0; nth < 3; nth++) {
        static const size_t runs[3][2] = { { 0, 2 }, { 4, 5 }, { 6, 8 } };
        const uint8_t *bytes;
        Plant p;

        plant_new(&p);
        bytes = memset(memory_region_get_ram_ptr(p.ram), 7, GRANULES * H);
        host_refuses_nth(ANYTHING, EIO, nth);
        check_number((uint64_t)bitmap_discard_manager_load(p.manager, &bits), (uint64_t)-EIO);
        check_number(host_agrees(), 3);
        check_state(&p, bits, "populate 2-4\npopulate 5-6\n");
        for (unsigned run = 0; run < 3; run++) {
            for (size_t page = runs[run][0]; page < runs[run][1]; page++) {
                check_number(bytes[page * H], run == nth ? 7 : 0);
            }
        }
        check_number(bytes[2 * H], 7);
        check_number(bytes[5 * H], 7);
        plant_end(&p);
        g_string_truncate(p.ear.log, 0);
    }
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-DISC-5/each-call", each_call);
    conformance_case("/R-BDM-1/refused", creation);
    conformance_case("/R-BDM-2/refused", plugging);
    conformance_case("/R-BDM-3/refused", unplugging);
    conformance_case("/R-BDM-4/refused", unplugging);
    conformance_case("/R-BDM-5/refused", loading);
    return ram_run();
}
