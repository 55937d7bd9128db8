/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part 3, chapter 7, beyond discard.c: runs over many words of bits, sections that are odd, and everything that
 * managers refuse.
 */
#include "common/ram.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "memcore/bitmap_discard_manager.h"
#include "qemu/main-loop.h"

#define G (2 * host_page())

typedef struct {
    MemoryRegion *root, *ram;
    BitmapDiscardManager *manager;
    RamDiscardManager *rdm;
} Plant;

static Plant plant_of(unsigned granules)
{
    Plant p = { .root = stage_container("root", UINT64_MAX), .ram = stage_ram("ram", granules * G) };

    p.manager = bitmap_discard_manager_new(p.ram, G, NULL, &error_fatal);
    p.rdm = RAM_DISCARD_MANAGER(p.manager);
    stage_add(p.root, 0, p.ram);
    return p;
}

static void plant_end(Plant *p)
{
    stage_del(p->root, p->ram);
    check(bitmap_discard_manager_destroy(p->manager, &error_fatal));
}

static MemoryRegionSection section_of(MemoryRegion *mr, uint64_t offset, uint64_t size)
{
    return (MemoryRegionSection) { .mr = mr, .offset_within_region = offset, .offset_within_address_space = offset,
                                   .size = int128_make64(size) };
}

static int count_call(MemoryRegionSection *s, void *opaque)
{
    (void)s;
    ++*(unsigned *)opaque;
    return 0;
}

static int note_populated(MemoryRegionSection *s, void *opaque)
{
    g_string_append_printf(opaque, "populated %" PRIu64 "-%" PRIu64 "\n", s->offset_within_region / G,
                           (s->offset_within_region + int128_get64(s->size)) / G);
    return 0;
}

static void note_discarded(MemoryRegionSection *s, void *opaque)
{
    g_string_append_printf(opaque, "discarded %" PRIu64 "-%" PRIu64 "\n", s->offset_within_region / G,
                           (s->offset_within_region + int128_get64(s->size)) / G);
}

/* ---- runs ---- */

/* [from, to) of 256 is populated: every walk must stop exactly there, whole words or not. */
static void check_runs(Plant *p, unsigned from, unsigned to)
{
    enum { END = 256 };
    MemoryRegionSection all = section_of(p->ram, 0, END * G), inner = section_of(p->ram, from * G, (to - from) * G);
    GString *log = stage_log();
    char *populated = g_strdup_printf("populated %u-%u\n", from, to);
    GString *discarded = g_string_new(NULL);

    check_number((uint64_t)bitmap_discard_manager_plug(p->manager, from * G, (to - from) * G), 0);
    check_number((uint64_t)ram_discard_manager_replay_populated(p->rdm, &all, note_populated, log), 0);
    check_log(log, populated);
    if (from > 0) {
        g_string_append_printf(discarded, "discarded 0-%u\n", from);
    }
    if (to < END) {
        g_string_append_printf(discarded, "discarded %u-%u\n", to, END);
    }
    ram_discard_manager_replay_discarded(p->rdm, &all, note_discarded, log);
    check_log(log, discarded->str);
    check(ram_discard_manager_is_populated(p->rdm, &inner));
    check_number(bitmap_discard_manager_state(p->manager, from * G, (to - from) * G), BITMAP_DISCARD_POPULATED);
    if (from > 0) {
        check_number(bitmap_discard_manager_state(p->manager, from * G - 1, 2), BITMAP_DISCARD_MIXED);
        check_number(bitmap_discard_manager_state(p->manager, 0, from * G), BITMAP_DISCARD_DISCARDED);
    }
    if (to < END) {
        check_number(bitmap_discard_manager_state(p->manager, from * G, (to - from) * G + 1), BITMAP_DISCARD_MIXED);
        check_number(bitmap_discard_manager_state(p->manager, to * G, (END - to) * G), BITMAP_DISCARD_DISCARDED);
    }
    check_number((uint64_t)bitmap_discard_manager_unplug(p->manager, from * G, (to - from) * G), 0);
    g_string_free(discarded, TRUE);
    g_free(populated);
}

static void runs_over_words(void)
{
    static const unsigned edges[] = { 0, 1, 63, 64, 65, 127, 128, 129, 191, 192, 255, 256 };
    Plant p = plant_of(256);

    for (size_t i = 0; i < G_N_ELEMENTS(edges); i++) {
        for (size_t k = i + 1; k < G_N_ELEMENTS(edges); k++) {
            check_runs(&p, edges[i], edges[k]);
        }
    }
    plant_end(&p);
}

/* ---- sections ---- */

static void empty_sections(void)
{
    Plant p = plant_of(4);
    GString *log = stage_log();

    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, G, G), 0);
    for (uint64_t at = 0; at <= 4 * G; at += G / 2) {
        MemoryRegionSection nothing = section_of(p.ram, at, 0);

        check_number((uint64_t)ram_discard_manager_replay_populated(p.rdm, &nothing, note_populated, log), 0);
        ram_discard_manager_replay_discarded(p.rdm, &nothing, note_discarded, log);
        check_log(log, "");
        check(!ram_discard_manager_is_populated(p.rdm, &nothing));
    }
    plant_end(&p);
}

/* A region made longer than its memory (R-TREE-9): what is managed ends with the memory. */
static void section_behind_the_memory(void)
{
    Plant p = plant_of(4);
    MemoryRegionSection all = section_of(p.ram, 0, 6 * G);
    GString *log = stage_log();

    memory_region_set_size(p.ram, 6 * G);
    ram_discard_manager_replay_discarded(p.rdm, &all, note_discarded, log);
    check_log(log, "discarded 0-4\n");
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 0, 4 * G), 0);
    ram_discard_manager_replay_discarded(p.rdm, &all, note_discarded, log);
    check_log(log, "");
    check_number((uint64_t)ram_discard_manager_replay_populated(p.rdm, &all, note_populated, log), 0);
    check_log(log, "populated 0-4\n");
    check(!ram_discard_manager_is_populated(p.rdm, &all));
    memory_region_set_size(p.ram, 4 * G);
    plant_end(&p);
}

/* ---- creation and end ---- */

static void check_not_managed(MemoryRegion *mr, const char *why)
{
    Error *error = NULL;

    check_pointer(bitmap_discard_manager_new(mr, G, NULL, &error), NULL);
    if (check(error != NULL)) {
        check(strstr(error_get_pretty(error), "'ram'") != NULL);
        check(strstr(error_get_pretty(error), why) != NULL);
        error_free(error);
    }
    check(!ram_block_discard_is_required());
}

static void size_is_not_that_of_the_memory(void)
{
    MemoryRegion *mr = stage_ram("ram", 4 * G);

    memory_region_set_size(mr, 5 * G);
    check_not_managed(mr, "more than its memory");
    memory_region_set_size(mr, 4 * G - 1);
    check_not_managed(mr, "not a multiple of the granularity");
    memory_region_set_size(mr, 3 * G);
    check(bitmap_discard_manager_destroy(bitmap_discard_manager_new(mr, G, NULL, &error_fatal), &error_fatal));
}

/* The host can only take back whole pages. */
static void memory_that_cannot_be_discarded(void)
{
    uint8_t *host = stage_storage(6 * G);

    host += host_page() - (uintptr_t)host % host_page();
    check_not_managed(stage_ram_ptr("ram", 4 * G, host + 1), "Invalid argument");
}

/* What the host says is passed on, and the next try may succeed. */
static void host_refuses_creation(void)
{
    MemoryRegion *mr = stage_ram("ram", 4 * G);

    host_refuses(MEMCORE_FAULT_MADVISE, EIO);
    check_not_managed(mr, "Input/output error");
    host_agrees();
    check(bitmap_discard_manager_destroy(bitmap_discard_manager_new(mr, G, NULL, &error_fatal), &error_fatal));
}

static int agree(RamDiscardListener *listener, MemoryRegionSection *s)
{
    (void)listener;
    (void)s;
    return 0;
}

static int never_told(RamDiscardListener *listener, MemoryRegionSection *s)
{
    (void)listener;
    (void)s;
    check(!"told of what could not be allocated");
    return 0;
}

static void hear_discard(RamDiscardListener *listener, MemoryRegionSection *s)
{
    (void)listener;
    (void)s;
}

static void needed_by_listeners(void)
{
    Plant p = plant_of(4);
    MemoryRegionSection all = section_of(p.ram, 0, 4 * G);
    RamDiscardListener listener;
    Error *error = NULL;

    ram_discard_listener_init(&listener, agree, hear_discard, false);
    ram_discard_manager_register_listener(p.rdm, &listener, &all);
    stage_del(p.root, p.ram);
    check(!bitmap_discard_manager_destroy(p.manager, &error));
    if (check(error != NULL)) {
        check(strstr(error_get_pretty(error), "has listeners") != NULL);
        error_free(error);
    }
    check(ram_block_discard_is_required());
    stage_add(p.root, 0, p.ram);
    ram_discard_manager_unregister_listener(p.rdm, &listener);
    plant_end(&p);
}

static void outside(void)
{
    Plant p = plant_of(4);
    static const struct { unsigned offset, length; } halves[] = {
        { 10, 2 }, { 8, 2 }, { 6, 4 }, { 1, 2 }, { 0, 1 }, { 2, 0 }, { 2, 3 },
    };

    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 0, 2 * G), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++) {
        const uint64_t offset = halves[i].offset * (G / 2), length = halves[i].length * (G / 2);

        check_number((uint64_t)bitmap_discard_manager_plug(p.manager, offset, length), (uint64_t)-EINVAL);
        check_number((uint64_t)bitmap_discard_manager_unplug(p.manager, offset, length), (uint64_t)-EINVAL);
    }
    check_number(bitmap_discard_manager_populated_bytes(p.manager), 2 * G);
    check_number((uint64_t)bitmap_discard_manager_plug(p.manager, 2 * G, 2 * G), 0);
    check_number((uint64_t)bitmap_discard_manager_unplug(p.manager, 0, 4 * G), 0);
    plant_end(&p);
}

/* Asked for the memory itself, after all checks and before anybody is told; its error ends it. */
typedef struct {
    void *host;
    uint64_t length;
    unsigned calls;
    int result;
} Allocation;

static int preallocate(void *opaque, void *host, uint64_t length)
{
    Allocation *a = opaque;

    a->host = host;
    a->length = length;
    a->calls++;
    memset(host, 5, length);
    return a->result;
}

static void preallocation(void)
{
    MemoryRegion *mr = stage_ram("ram", 4 * G);
    uint8_t *host = memory_region_get_ram_ptr(mr);
    Allocation a = { .result = 0 };
    const BitmapDiscardHooks hooks = { .preallocate = preallocate, .opaque = &a };
    BitmapDiscardManager *manager = bitmap_discard_manager_new(mr, G, &hooks, &error_fatal);
    MemoryRegionSection all = section_of(mr, 0, 4 * G);
    RamDiscardListener listener;

    check_number((uint64_t)bitmap_discard_manager_plug(manager, 4 * G, G), (uint64_t)-EINVAL);
    check_number(a.calls, 0);
    check_number((uint64_t)bitmap_discard_manager_plug(manager, G, 2 * G), 0);
    check_number(a.calls, 1);
    check_pointer(a.host, host + G);
    check_number(a.length, 2 * G);
    check_number(host[G], 5);
    a.result = -ENOMEM;
    ram_discard_listener_init(&listener, never_told, hear_discard, false);
    ram_discard_manager_register_listener(RAM_DISCARD_MANAGER(manager), &listener, &(MemoryRegionSection) {
        .mr = mr, .offset_within_region = 3 * G, .size = int128_make64(G),
    });
    check_number((uint64_t)bitmap_discard_manager_plug(manager, 3 * G, G), (uint64_t)-EBUSY);
    check_number(a.calls, 2);
    check_number(host[3 * G], 0);       /* taken back */
    check_number(host[G], 5);
    check_number(bitmap_discard_manager_populated_bytes(manager), 2 * G);
    check(!ram_discard_manager_is_populated(RAM_DISCARD_MANAGER(manager), &all));
    ram_discard_manager_unregister_listener(RAM_DISCARD_MANAGER(manager), &listener);
    check(bitmap_discard_manager_destroy(manager, &error_fatal));
}

/* ---- misuse ---- */

static void registered_twice(void)
{
    Plant p = plant_of(4);
    MemoryRegionSection all = section_of(p.ram, 0, 4 * G);
    RamDiscardListener listener;

    ram_discard_listener_init(&listener, agree, hear_discard, false);
    ram_discard_manager_register_listener(p.rdm, &listener, &all);
    ram_discard_manager_register_listener(p.rdm, &listener, &all);
}

#define CASE(name, ...) static void name(void) { __VA_ARGS__; }

CASE(granularity_of_nothing, ram_discard_manager_get_min_granularity(plant_of(4).rdm, NULL))
CASE(granularity_of_another, ram_discard_manager_get_min_granularity(plant_of(4).rdm, stage_ram("other", G)))

/* A manager whose class says nothing. */
static const TypeInfo mute_type = { .name = "conformance-mute-manager", .parent = TYPE_RAM_DISCARD_MANAGER,
                                    .instance_size = sizeof(RamDiscardManager) };

static void register_types(void)
{
    type_register_static(&mute_type);
}
type_init(register_types)

static RamDiscardManager *mute(void)
{
    return RAM_DISCARD_MANAGER(object_new(mute_type.name));
}

static RamDiscardListener somebody;
static MemoryRegionSection nothing;
static unsigned calls;

static void never(MemoryRegionSection *s, void *opaque)
{
    count_call(s, opaque);
}

CASE(no_granularity, ram_discard_manager_get_min_granularity(mute(), stage_ram("ram", G)))
CASE(no_is_populated, ram_discard_manager_is_populated(mute(), &nothing))
CASE(no_replay_populated, ram_discard_manager_replay_populated(mute(), &nothing, count_call, &calls))
CASE(no_replay_discarded, ram_discard_manager_replay_discarded(mute(), &nothing, never, &calls))
CASE(no_register, ram_discard_manager_register_listener(mute(), &somebody, &nothing))
CASE(no_unregister, ram_discard_manager_unregister_listener(mute(), &somebody))

#define UNLOCKED(name, call) \
    static void name(void) \
    { \
        Plant p = plant_of(4); \
        MemoryRegion *other = stage_ram("other", 4 * G); \
        qemu_mutex_unlock_iothread(); \
        (void)p, (void)other; \
        call; \
    }

UNLOCKED(set_unlocked, memory_region_set_ram_discard_manager(other, NULL))
UNLOCKED(register_unlocked, ram_discard_manager_register_listener(p.rdm, &somebody, &nothing))
UNLOCKED(unregister_unlocked, ram_discard_manager_unregister_listener(p.rdm, &somebody))
UNLOCKED(new_unlocked, bitmap_discard_manager_new(other, G, NULL, &error_fatal))
UNLOCKED(destroy_unlocked, bitmap_discard_manager_destroy(p.manager, &error_fatal))
UNLOCKED(plug_unlocked, bitmap_discard_manager_plug(p.manager, 0, G))
UNLOCKED(unplug_unlocked, bitmap_discard_manager_unplug(p.manager, 0, G))
UNLOCKED(unplug_all_unlocked, bitmap_discard_manager_unplug_all(p.manager))
UNLOCKED(load_unlocked, unsigned long bits = 0; bitmap_discard_manager_load(p.manager, &bits))

/* The least there is: pages of the backing, one by one, to the last. */
static void pieces_of_one_page(void)
{
    const uint64_t page = host_page();
    MemoryRegion *ram = stage_ram("ram", 4 * page);
    BitmapDiscardManager *manager = bitmap_discard_manager_new(ram, page, NULL, &error_abort);

    check_number(bitmap_discard_manager_granules(manager), 4);
    check_number((uint64_t)bitmap_discard_manager_plug(manager, 3 * page, page), 0);
    check_number(bitmap_discard_manager_state(manager, 3 * page, page), BITMAP_DISCARD_POPULATED);
    check_number(bitmap_discard_manager_state(manager, 0, 4 * page), BITMAP_DISCARD_MIXED);
    check_number(bitmap_discard_manager_populated_bytes(manager), page);
    check_number((uint64_t)bitmap_discard_manager_plug(manager, 4 * page, page), (uint64_t)-EINVAL);
    check_number((uint64_t)bitmap_discard_manager_unplug(manager, 3 * page, page), 0);
    check(bitmap_discard_manager_destroy(manager, &error_abort));
}

int main(int argc, char **argv)
{
    static const Misuse table[] = {
        { "/R-RDM-9/twice", registered_twice, "ram_discard_manager_register_listener",
          "registered already*(R-RDM-9)" },
        { "/R-RDM-6/of-nothing", granularity_of_nothing, "ram_discard_manager_get_min_granularity",
          "'(none)'*(R-RDM-6)" },
        { "/R-RDM-6/of-another", granularity_of_another, "ram_discard_manager_get_min_granularity",
          "'other'*(R-RDM-6)" },
        { "/R-RDM-6/no-granularity", no_granularity, "ram_discard_manager_get_min_granularity",
          "conformance-mute-manager has no method get_min_granularity (R-RDM-6)" },
        { "/R-RDM-6/no-is-populated", no_is_populated, "ram_discard_manager_is_populated",
          "conformance-mute-manager has no method is_populated (R-RDM-6)" },
        { "/R-RDM-6/no-replay-populated", no_replay_populated, "ram_discard_manager_replay_populated",
          "conformance-mute-manager has no method replay_populated (R-RDM-6)" },
        { "/R-RDM-6/no-replay-discarded", no_replay_discarded, "ram_discard_manager_replay_discarded",
          "conformance-mute-manager has no method replay_discarded (R-RDM-6)" },
        { "/R-RDM-6/no-register", no_register, "ram_discard_manager_register_listener",
          "conformance-mute-manager has no method register_listener (R-RDM-6)" },
        { "/R-RDM-6/no-unregister", no_unregister, "ram_discard_manager_unregister_listener",
          "conformance-mute-manager has no method unregister_listener (R-RDM-6)" },
#define LOCK(rule, test, function) \
        { "/" rule "/unlocked/" #test, test##_unlocked, function, "without the big lock*(" rule ")" }
        LOCK("R-RDM-3", set, "memory_region_set_ram_discard_manager"),
        LOCK("R-RDM-9", register, "ram_discard_manager_register_listener"),
        LOCK("R-RDM-10", unregister, "ram_discard_manager_unregister_listener"),
        LOCK("R-BDM-1", new, "bitmap_discard_manager_new"),
        LOCK("R-BDM-1", destroy, "bitmap_discard_manager_destroy"),
        LOCK("R-BDM-2", plug, "bitmap_discard_manager_plug"),
        LOCK("R-BDM-3", unplug, "bitmap_discard_manager_unplug"),
        LOCK("R-BDM-4", unplug_all, "bitmap_discard_manager_unplug_all"),
        LOCK("R-BDM-5", load, "bitmap_discard_manager_load"),
    };

    ram_start(&argc, &argv);
    conformance_misuses(table);
    conformance_case("/R-RDM-8/runs-over-words", runs_over_words);
    conformance_case("/R-RDM-8/section-behind-the-memory", section_behind_the_memory);
    conformance_case("/R-BDM-1/pieces-of-one-page", pieces_of_one_page);
    conformance_case("/R-RDM-7/empty-sections", empty_sections);
    conformance_case("/R-BDM-1/size-is-not-that-of-the-memory", size_is_not_that_of_the_memory);
    conformance_case("/R-BDM-1/memory-that-cannot-be-discarded", memory_that_cannot_be_discarded);
    conformance_case("/R-BDM-1/host-refuses", host_refuses_creation);
    conformance_case("/R-BDM-1/needed-by-listeners", needed_by_listeners);
    conformance_case("/R-BDM-2/outside", outside);
    conformance_case("/R-BDM-2/preallocation", preallocation);
    return ram_run();
}
