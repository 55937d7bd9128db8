/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part 3, chapter 7: managers of discarded parts, and the one that comes with memcore. */
#include "common/ram.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "memcore/bitmap_discard_manager.h"

enum { GRANULES = 16 };
#define G (2 * host_page())

typedef struct {
    MemoryRegion *root, *ram;
    BitmapDiscardManager *manager;
    RamDiscardManager *rdm;
    GString *log;
} Plant;

static Plant plant_new(void)
{
    Plant p = { .root = stage_container("root", UINT64_MAX), .ram = stage_ram("ram", GRANULES * G),
                .log = stage_log() };

    p.manager = bitmap_discard_manager_new(p.ram, G, NULL, &error_fatal);
    p.rdm = RAM_DISCARD_MANAGER(p.manager);
    stage_add(p.root, 0x10000000, p.ram);
    return p;
}

static void plant_end(Plant *p)
{
    stage_del(p->root, p->ram);
    check(bitmap_discard_manager_destroy(p->manager, &error_fatal));
}

static MemoryRegionSection section(Plant *p, uint64_t offset, uint64_t size)
{
    return (MemoryRegionSection) { .mr = p->ram, .offset_within_region = offset, .size = int128_make64(size),
                                   .offset_within_address_space = 0x10000000 + offset, .readonly = true,
                                   .nonvolatile = true };
}

static int plug(Plant *p, unsigned granule, unsigned count)
{
    return bitmap_discard_manager_plug(p->manager, granule * G, count * G);
}

static int unplug(Plant *p, unsigned granule, unsigned count)
{
    return bitmap_discard_manager_unplug(p->manager, granule * G, count * G);
}

/* In half granules; the other fields of the section must go along. */
static void append(GString *log, const char *what, const MemoryRegionSection *s)
{
    g_string_append_printf(log, "%s %" PRIu64 "-%" PRIu64 "%s\n", what, s->offset_within_region * 2 / G,
                           (s->offset_within_region + int128_get64(s->size)) * 2 / G,
                           s->offset_within_address_space == 0x10000000 + s->offset_within_region && s->readonly &&
                                   s->nonvolatile ? "" : " with other fields");
}

typedef struct {
    RamDiscardListener listener;
    const char *name;
    Plant *plant;
    int answer;
    bool *populated;        /* the listener's own account, by half granules */
} Ear;

static void note(Ear *ear, const char *what, MemoryRegionSection *s)
{
    char *text = g_strdup_printf("%s %s", ear->name, what);

    append(ear->plant->log, text, s);
    g_free(text);
}

static int heard_populate(RamDiscardListener *rdl, MemoryRegionSection *s)
{
    Ear *ear = caa_container_of(rdl, Ear, listener);

    /* R-RDM-12: the old state, in both. */
    note(ear, ram_discard_manager_is_populated(ear->plant->rdm, s) ? "has" : "populate", s);
    return ear->answer;
}

static void heard_discard(RamDiscardListener *rdl, MemoryRegionSection *s)
{
    note(caa_container_of(rdl, Ear, listener), "discard", s);
}

static void listen(Ear *ear, Plant *p, const char *name, bool twice, MemoryRegionSection s)
{
    *ear = (Ear) { .name = name, .plant = p };
    ram_discard_listener_init(&ear->listener, heard_populate, heard_discard, twice);
    ram_discard_manager_register_listener(p->rdm, &ear->listener, &s);
}

static void leave(Ear *ear)
{
    ram_discard_manager_unregister_listener(ear->plant->rdm, &ear->listener);
}

static int replayed(MemoryRegionSection *s, void *opaque)
{
    append(opaque, "populated", s);
    return 0;
}

static void replayed_discarded(MemoryRegionSection *s, void *opaque)
{
    append(opaque, "discarded", s);
}

static int stop_at_second(MemoryRegionSection *s, void *opaque)
{
    append(opaque, "populated", s);
    return strchr(((GString *)opaque)->str, '\n')[1] ? -3 : 0;
}

static void set_and_get(void)
{
    MemoryRegion *ram = stage_ram("ram", GRANULES * G), *root = stage_container("root", UINT64_MAX);
    BitmapDiscardManager *manager = bitmap_discard_manager_new(ram, G, NULL, &error_fatal);

    check_pointer(memory_region_get_ram_discard_manager(ram), NULL);
    stage_add(root, 0, ram);
    check_pointer(memory_region_get_ram_discard_manager(ram), manager);
    check(memory_region_has_ram_discard_manager(ram));
    check_number(ram_discard_manager_get_min_granularity(RAM_DISCARD_MANAGER(manager), ram), G);
    stage_del(root, ram);
    check(!memory_region_has_ram_discard_manager(ram));
    /* R-RDM-4: an alias in a container maps it, whatever stands between. */
    MemoryRegion *inner = stage_alias("inner", ram, 0, G), *outer = stage_alias("outer", inner, 0, G);
    check(!memory_region_has_ram_discard_manager(ram));
    stage_add(root, 0, outer);
    check(memory_region_has_ram_discard_manager(ram));
    stage_del(root, outer);
    memory_region_set_ram_discard_manager(ram, NULL);
    memory_region_set_ram_discard_manager(ram, NULL);
    memory_region_set_ram_discard_manager(ram, RAM_DISCARD_MANAGER(manager));
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
}

static void is_populated(void)
{
    Plant p = plant_new();
    static const struct { unsigned from, to; bool expected; } table[] = {
        { 2, 6, true }, { 3, 5, true }, { 1, 3, false }, { 5, 7, false },
        { 4, 4, false }, { 30, 32, true }, { 30, 33, false }, { 32, 33, false },
    };

    plug(&p, 1, 2);
    plug(&p, 15, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        MemoryRegionSection s = section(&p, table[i].from * (G / 2), (table[i].to - table[i].from) * (G / 2));

        check_number(ram_discard_manager_is_populated(p.rdm, &s), table[i].expected);
    }
    plant_end(&p);
}

/* The worked example, in half granules: populated {1,2,4}, section [1.5,4.5). */
static void replays(void)
{
    Plant p = plant_new();
    MemoryRegionSection s = section(&p, 3 * (G / 2), 6 * (G / 2));

    plug(&p, 1, 2);
    plug(&p, 4, 1);
    check_number((uint64_t)ram_discard_manager_replay_populated(p.rdm, &s, replayed, p.log), 0);
    check_log(p.log, "populated 3-6\npopulated 8-9\n");
    ram_discard_manager_replay_discarded(p.rdm, &s, replayed_discarded, p.log);
    check_log(p.log, "discarded 6-8\n");
    check_number((uint64_t)ram_discard_manager_replay_populated(p.rdm, &s, stop_at_second, p.log), (uint64_t)-3);
    check_log(p.log, "populated 3-6\npopulated 8-9\n");
    /* R-RDM-14: far from the region's start. */
    plug(&p, 14, 2);
    s = section(&p, 13 * G, 3 * G);
    ram_discard_manager_replay_populated(p.rdm, &s, replayed, p.log);
    ram_discard_manager_replay_discarded(p.rdm, &s, replayed_discarded, p.log);
    check_log(p.log, "populated 28-32\ndiscarded 26-28\n");
    plant_end(&p);
}

static void registering(void)
{
    Plant p = plant_new();
    Ear x, y;

    plug(&p, 1, 2);
    plug(&p, 4, 1);
    listen(&x, &p, "x", false, section(&p, 0, 9 * (G / 2)));
    check_log(p.log, "x has 2-6\nx has 8-9\n");
    check(x.listener.section != NULL);
    y = (Ear) { .name = "y", .plant = &p, .answer = -5 };
    ram_discard_listener_init(&y.listener, heard_populate, heard_discard, false);
    MemoryRegionSection all = section(&p, 0, GRANULES * G);
    ram_discard_manager_register_listener(p.rdm, &y.listener, &all);
    check_log(p.log, "y has 2-6\n");
    y.answer = 0;
    check_number((uint64_t)plug(&p, 8, 1), 0);
    check_log(p.log, "y populate 16-18\n");
    leave(&y);
    check_log(p.log, "y discard 2-6\ny discard 8-10\ny discard 16-18\n");
    check_pointer(y.listener.section, NULL);
    leave(&x);
    check_log(p.log, "x discard 2-6\nx discard 8-9\n");
    plant_end(&p);
}

static void leaving(void)
{
    Plant p = plant_new();
    Ear x;

    listen(&x, &p, "x", true, section(&p, 0, 8 * G));
    leave(&x);
    check_log(p.log, "");
    plug(&p, 15, 1);        /* in the region, outside of the section */
    listen(&x, &p, "x", true, section(&p, 0, 8 * G));
    leave(&x);
    check_log(p.log, "x discard 0-16\n");
    listen(&x, &p, "x", false, section(&p, 0, 8 * G));
    leave(&x);
    check_log(p.log, "");
    plant_end(&p);
}

/* z, y, x in the walk; y objects; z is told back, with its own part; x hears nothing. */
static void objections(void)
{
    Plant p = plant_new();
    Ear x, y, z;

    listen(&x, &p, "x", false, section(&p, 0, GRANULES * G));
    listen(&y, &p, "y", false, section(&p, 5 * G, 2 * G));
    listen(&z, &p, "z", false, section(&p, 4 * G, G));
    y.answer = -1;
    check_number((uint64_t)plug(&p, 2, 6), (uint64_t)-EBUSY);
    check_log(p.log, "z populate 8-10\ny populate 10-14\nz discard 8-10\n");
    check_number(bitmap_discard_manager_populated_bytes(p.manager), 0);
    check_number(bitmap_discard_manager_state(p.manager, 0, GRANULES * G), BITMAP_DISCARD_DISCARDED);
    check_number((uint64_t)plug(&p, 2, 2), 0);
    check_log(p.log, "x populate 4-8\n");
    check_number((uint64_t)unplug(&p, 2, 2), 0);
    check_log(p.log, "x discard 4-8\n");
    leave(&z);
    leave(&y);
    leave(&x);
    plant_end(&p);
}

/* ---- R-BDM ---- */

static void refuse(MemoryRegion *mr, uint64_t granularity)
{
    Error *error = NULL;
    char *before = text_of_blocks();
    const bool required = ram_block_discard_is_required();

    check_pointer(bitmap_discard_manager_new(mr, granularity, NULL, &error), NULL);
    check_refused(error, before, NULL, NULL);
    check_number(ram_block_discard_is_required(), required);
    g_free(before);
}

static void creation(void)
{
    MemoryRegion *ram = stage_ram("ram", 16 * G), *root = stage_container("root", UINT64_MAX);
    uint8_t *host = memset(memory_region_get_ram_ptr(ram), 7, 16 * G);
    BitmapDiscardManager *manager;
    Error *error = NULL;

    refuse(ram, 3 * host_page());
    refuse(ram, host_page() / 2);
    refuse(ram, 32 * G);
    refuse(ram, 0);
    refuse(stage_rom("rom", 16 * G), G);
    refuse(stage_io("io", 16 * G), G);
    refuse(stage_alias("alias", ram, 0, 16 * G), G);
    refuse(stage_rom_device("romd", 16 * G), G);
    check_number((uint64_t)ram_block_discard_disable(true), 0);
    refuse(ram, G);
    ram_block_discard_disable(false);
    stage_add(root, 0, ram);
    refuse(ram, G);
    stage_del(root, ram);
    check_number(host[5], 7);
    manager = bitmap_discard_manager_new(ram, G, NULL, &error_fatal);
    check_number(host[5], 0);
    check(ram_block_discard_is_required());
    check_number(bitmap_discard_manager_granules(manager), 16);
    refuse(ram, G);
    stage_add(root, 0, ram);
    check(!bitmap_discard_manager_destroy(manager, &error));
    error_free(error);
    stage_del(root, ram);
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
    check(!ram_block_discard_is_required());
}

static bool always_busy(void *opaque)
{
    return *(bool *)opaque;
}

static void plugging(void)
{
    Plant p = plant_new();
    uint8_t *host = memory_region_get_ram_ptr(p.ram);

    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, G / 2, G), (uint64_t)-EINVAL);
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 0, G / 2), (uint64_t)-EINVAL);
    check_number((uint64_t)plug(&p, 0, 0), (uint64_t)-EINVAL);
    check_number((uint64_t)plug(&p, 15, 2), (uint64_t)-EINVAL);
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, G, UINT64_MAX - G + 1), (uint64_t)-EINVAL);
    check_number((uint64_t)plug(&p, 3, 2), 0);
    check_number((uint64_t)plug(&p, 4, 2), (uint64_t)-EINVAL);
    check_number((uint64_t)unplug(&p, 4, 2), (uint64_t)-EINVAL);
    check_number(bitmap_discard_manager_populated_bytes(p.manager), 2 * G);
    check_number(bitmap_discard_manager_state(p.manager, 3 * G, 2 * G), BITMAP_DISCARD_POPULATED);
    check_number(bitmap_discard_manager_state(p.manager, 3 * G, 3 * G), BITMAP_DISCARD_MIXED);
    check_number(bitmap_discard_manager_state(p.manager, 5 * G, 3 * G), BITMAP_DISCARD_DISCARDED);
    memset(host, 7, GRANULES * G);
    check_number((uint64_t)unplug(&p, 3, 1), 0);
    check_number(host[3 * G], 0);
    check_number(host[4 * G - 1], 0);
    check_number(host[3 * G - 1], 7);
    check_number(host[4 * G], 7);
    plant_end(&p);
}

static void busy(void)
{
    MemoryRegion *ram = stage_ram("ram", 16 * G);
    bool is_busy = false;
    BitmapDiscardHooks hooks = { .busy = always_busy, .opaque = &is_busy };
    BitmapDiscardManager *manager = bitmap_discard_manager_new(ram, G, &hooks, &error_fatal);

    check_number((uint64_t)bitmap_discard_manager_plug(manager, 0, 2 * G), 0);
    is_busy = true;
    check_number((uint64_t)bitmap_discard_manager_plug(manager, 4 * G, G), (uint64_t)-EBUSY);
    check_number((uint64_t)bitmap_discard_manager_unplug(manager, 0, G), (uint64_t)-EBUSY);
    check_number(bitmap_discard_manager_populated_bytes(manager), 2 * G);
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
}

/* The host is asked before anybody is told. */
static void host_refuses_unplug(void)
{
    Plant p = plant_new();
    Ear x;

    plug(&p, 0, 4);
    listen(&x, &p, "x", false, section(&p, 0, GRANULES * G));
    g_string_truncate(p.log, 0);
    host_refuses(MEMCORE_FAULT_MADVISE, EIO);
    check_number((uint64_t)unplug(&p, 1, 1), (uint64_t)-EBUSY);
    check_log(p.log, "");
    check_number(bitmap_discard_manager_populated_bytes(p.manager), 4 * G);
    host_agrees();
    leave(&x);
    plant_end(&p);
}

static void unplug_everything(void)
{
    Plant p = plant_new();
    Ear x, y;

    check_number((uint64_t)bitmap_discard_manager_unplug_all(p.manager), 0);
    plug(&p, 1, 1);
    plug(&p, 3, 1);
    listen(&x, &p, "x", false, section(&p, 0, GRANULES * G));
    listen(&y, &p, "y", true, section(&p, 0, 4 * G));
    g_string_truncate(p.log, 0);
    check_number((uint64_t)bitmap_discard_manager_unplug_all(p.manager), 0);
    check_log(p.log, "y discard 0-8\nx discard 2-4\nx discard 6-8\n");
    check_number(bitmap_discard_manager_populated_bytes(p.manager), 0);
    check_number((uint64_t)bitmap_discard_manager_unplug_all(p.manager), 0);
    check_log(p.log, "");
    leave(&x);
    leave(&y);
    plant_end(&p);
}

static void loading(void)
{
    Plant p = plant_new();
    unsigned long bits = 0x6 | 1ul << 15;
    uint8_t *host = memset(memory_region_get_ram_ptr(p.ram), 7, GRANULES * G);
    Ear x;

    listen(&x, &p, "x", false, section(&p, 0, GRANULES * G));
    check_number((uint64_t)bitmap_discard_manager_load(p.manager, &bits), 0);
    check_log(p.log, "x has 2-6\nx has 30-32\n");
    check_number(bitmap_discard_manager_populated_bytes(p.manager), 3 * G);
    check_number(bitmap_discard_manager_bits(p.manager)[0], bits);
    check_number(host[0], 0);
    check_number(host[G], 7);
    check_number(host[3 * G], 0);
    check_number(host[15 * G], 7);
    leave(&x);
    plant_end(&p);
}

/* The bits are there, whoever objects: so everybody hears of them, and what is not populated goes. */
static void loading_objected(void)
{
    Plant p = plant_new();
    unsigned long bits = 0x6;
    uint8_t *host = memset(memory_region_get_ram_ptr(p.ram), 7, GRANULES * G);
    Ear x, y;

    listen(&x, &p, "x", false, section(&p, 0, GRANULES * G));
    listen(&y, &p, "y", false, section(&p, 0, GRANULES * G));
    y.answer = -3;
    check_number((uint64_t)bitmap_discard_manager_load(p.manager, &bits), (uint64_t)-3);
    check_log(p.log, "y has 2-6\nx has 2-6\n");
    check_number(bitmap_discard_manager_bits(p.manager)[0], bits);
    check_number(host[0], 0);
    check_number(host[G], 7);
    check_number(host[3 * G], 0);
    leave(&x);
    leave(&y);
    plant_end(&p);
}

/* All that is used of the block, also what the region does not show. */
static void used_range(void)
{
    MemoryRegion *ram = stage_ram("ram", 4 * G);
    uint8_t *host = memset(memory_region_get_ram_ptr(ram), 7, 4 * G);
    BitmapDiscardManager *manager;

    memory_region_set_size(ram, 2 * G);
    manager = bitmap_discard_manager_new(ram, G, NULL, &error_fatal);
    check_number(bitmap_discard_manager_granules(manager), 2);
    check_number(host[3 * G], 0);
    host[3 * G] = 7;
    check_number((uint64_t)bitmap_discard_manager_unplug_all(manager), 0);
    check_number(host[3 * G], 0);
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
}

/* Whatever is plugged, unplugged or refused: what a listener was told is what is populated in its section. */
static void folds(void)
{
    Plant p = plant_new();
    GRand *random = g_rand_new_with_seed(7);
    bool model[GRANULES] = { false };
    Ear x;

    listen(&x, &p, "x", false, section(&p, 0, GRANULES * G));
    for (unsigned step = 0; step < 500; step++) {
        const unsigned from = (unsigned)g_rand_int_range(random, 0, GRANULES),
                       count = (unsigned)g_rand_int_range(random, 1, 6);
        const bool plugging_now = g_rand_boolean(random);
        bool fits = from + count <= GRANULES;
        GString *expected = g_string_new(NULL);

        x.answer = g_rand_int_range(random, 0, 4) ? 0 : -1;
        for (unsigned g = from; fits && g < from + count; g++) {
            fits = model[g] != plugging_now;
        }
        const bool works = fits && !(plugging_now && x.answer);
        const int result = plugging_now ? plug(&p, from, count) : unplug(&p, from, count);

        check_number((uint64_t)result, works ? 0 : fits ? (uint64_t)-EBUSY : (uint64_t)-EINVAL);
        if (fits) {
            g_string_append_printf(expected, "x %s %u-%u\n", plugging_now ? "populate" : "discard", 2 * from,
                                   2 * (from + count));
        }
        check_log(p.log, expected->str);
        g_string_free(expected, TRUE);
        for (unsigned g = 0; g < GRANULES; g++) {
            if (works && g >= from && g < from + count) {
                model[g] = plugging_now;
            }
            check_number(bitmap_discard_manager_state(p.manager, g * G, G),
                         model[g] ? BITMAP_DISCARD_POPULATED : BITMAP_DISCARD_DISCARDED);
        }
    }
    leave(&x);
    plant_end(&p);
    g_rand_free(random);
}

/* ---- misuse ---- */

static void second_manager(void)
{
    MemoryRegion *ram = stage_ram("ram", 16 * G);
    BitmapDiscardManager *manager = bitmap_discard_manager_new(ram, G, NULL, &error_fatal);

    memory_region_set_ram_discard_manager(ram, RAM_DISCARD_MANAGER(manager));
}

static void set_while_mapped(void)
{
    Plant p = plant_new();

    memory_region_set_ram_discard_manager(p.ram, NULL);
}

static void set_on_io(void)
{
    Plant p = plant_new();

    memory_region_set_ram_discard_manager(stage_io("io", G), p.rdm);
}

static void foreign_section(void)
{
    Plant p = plant_new();
    MemoryRegionSection s = section(&p, 0, G);

    s.mr = stage_ram("foreign", G);
    ram_discard_manager_is_populated(p.rdm, &s);
}

static void state_behind_the_end(void)
{
    Plant p = plant_new();

    bitmap_discard_manager_state(p.manager, memory_region_size(p.ram) - G, G + 1);
}

static void state_of_nothing(void)
{
    Plant p = plant_new();

    bitmap_discard_manager_state(p.manager, 0, 0);
}

static void not_registered(void)
{
    Plant p = plant_new();
    Ear x = { .plant = &p };

    ram_discard_manager_unregister_listener(p.rdm, &x.listener);
}

int main(int argc, char **argv)
{
    ram_start(&argc, &argv);
    conformance_case("/R-RDM-3/set-and-get", set_and_get);
    conformance_case("/R-RDM-4/mapped", set_and_get);
    conformance_case("/R-RDM-5/unmapped", set_and_get);
    conformance_case("/R-RDM-7/is-populated", is_populated);
    conformance_case("/R-RDM-8/worked-example", replays);
    conformance_case("/R-RDM-9/registering", registering);
    conformance_case("/R-RDM-10/leaving", leaving);
    conformance_case("/R-RDM-11/objections", objections);
    conformance_case("/R-RDM-12/old-state-while-told", objections);
    conformance_case("/R-RDM-13/each-its-own-part", objections);
    conformance_case("/R-RDM-14/far-from-the-start", replays);
    conformance_case("/R-RDM-1/granules", objections);
    conformance_case("/R-RDM-2/folds", folds);
    conformance_case("/R-BDM-1/creation", creation);
    conformance_case("/R-BDM-2/plug", plugging);
    conformance_case("/R-BDM-2/busy", busy);
    conformance_case("/R-BDM-3/host-refuses", host_refuses_unplug);
    conformance_case("/R-BDM-4/unplug-all", unplug_everything);
    conformance_case("/R-BDM-4/used-range", used_range);
    conformance_case("/R-BDM-5/load", loading);
    conformance_case("/R-BDM-5/load-objected", loading_objected);
    conformance_misuse("/R-RDM-3/second", second_manager, "memory_region_set_ram_discard_manager",
                       "'ram' has a manager already*(R-RDM-3)");
    conformance_misuse("/R-RDM-3/while-mapped", set_while_mapped, "memory_region_set_ram_discard_manager",
                       "'ram' is mapped*(R-RDM-3)");
    conformance_misuse("/R-RDM-3/not-ram", set_on_io, "memory_region_set_ram_discard_manager",
                       "'io' is not RAM*(R-RDM-3)");
    conformance_misuse("/R-BDM-5/behind-the-end", state_behind_the_end, "bitmap_discard_manager_state",
                       "'ram' has*(R-BDM-5)");
    conformance_misuse("/R-BDM-5/nothing", state_of_nothing, "bitmap_discard_manager_state", "'ram' has*(R-BDM-5)");
    conformance_misuse("/R-RDM-6/foreign-section", foreign_section, "ram_discard_manager_is_populated",
                       "foreign*(R-RDM-6)");
    conformance_misuse("/R-RDM-10/not-registered", not_registered, "ram_discard_manager_unregister_listener",
                       "is not registered (R-RDM-10)");
    return ram_run();
}
