/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same accesses in a running QEMU and in the core.
 *
 * Strategy: start a machine, change its memory map as firmware and guests do,
 * rebuild it from `info mtree` with real memory, copy what QEMU's memory holds,
 * and let both read and write the same random addresses: through integers of each
 * byte order, buffers, caches and maps; in RAM, ROM and holes and across their edges.
 * Invariants: every read gives the same bytes (R-ACC, R-SCL, R-MAP, R-CCH, R-TRN);
 * in the end the core's memory, looked at directly, holds what QEMU reads around every write.
 *
 * Equal seeds give equal accesses.  Exit status: 0 equal, 1 a difference, 2
 * usage, 77 QEMU is not installed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu/lib/edu.h"
#include "qemu/lib/machines.h"
#include "qemu/lib/options.h"
#include "qemu/lib/peer_access.h"
#include "qemu/lib/places.h"
#include "qemu/lib/testdev.h"
#include "qemu/rcu.h"
#include "run/subject.h"

enum {
    SKIPPED = 77,
    STATES = 4,                 /* of each machine: for each, QEMU is started anew */
    CHANGES = 30,               /* before a state is taken, see change() */
    ATTEMPTS = 3,               /* at a state in which QEMU ends, see run_state() */
    BATCH = 250,
    SHOWN_MAX = 10,             /* differences of one state */
    AROUND = 16,                /* bytes on either side of a write that are looked at in the end */
    CHUNK = 48 << 10,
    COPY = 1 << 20,             /* of each place: before a guest runs, RAM behind that is all zeros */
};

static const char help[] = "Usage: qemu.access [--machine NAME]... [--accesses N] [--seed N] [-v]\n"
                           "\n"
                           "  --machine NAME  only this one (may be repeated; qemu.live --list names them)\n"
                           "  --accesses N    in each of a machine's four states (default 3000)\n"
                           "  --seed N        other changes and accesses (default 1)\n"
                           "  -v              say every change and every place\n";

struct options {
    GPtrArray *names;
    uint64_t accesses, seed;
    bool verbose;
};

struct total {
    size_t states, accesses, differences;
    size_t choices[CHOICES], kinds[PLACE_OTHER + 1], across;
    bool trouble, qemu_ended;
};

/* One state of one machine. */
struct peer {
    const struct machine *machine;
    unsigned state;
    uint64_t seed;              /* as given on the command line */
    struct qemu *qemu;
    struct import *im;
    struct import_machine *built;
    AddressSpace *space;
    struct places places;
    struct edu edu;             /* of the one such device that a machine has */
    struct testdev testdev;     /* likewise */
    GArray *writes;             /* struct peer_access without data: what to look at in the end */
    size_t shown;
};

/* qtest accesses what the first processor sees. */
static const char space_name[] = "cpu-memory-0";

static const struct place_registers registers[] = {
    { EDU_NAME, 0, EDU_LOW_LAST }, { EDU_NAME, EDU_HIGH_FIRST, EDU_HIGH_LAST },
    { TESTDEV_NAME, TESTDEV_HEADER_FIRST, TESTDEV_HEADER_LAST },
    { TESTDEV_NAME, TESTDEV_DATA_FIRST, TESTDEV_DATA_LAST }, { 0 },
};

static const char *const place_kind_names[] = {
    [PLACE_RAM] = "ram", [PLACE_ROM] = "rom", [PLACE_HOLE] = "hole", [PLACE_DEVICE] = "device",
    [PLACE_OTHER] = "(not accessed)",
};

/* --- differences ---------------------------------------------------------------------- */

static void print_bytes(const char *whose, const uint8_t *bytes, unsigned size)
{
    printf("    %-5s", whose);
    for (unsigned i = 0; i < size; i++) {
        printf(" %02x", bytes[i]);
    }
    putchar('\n');
}

static void print_region(AddressSpace *space, uint64_t address, bool is_write)
{
    hwaddr offset, length = 1;
    MemoryRegion *mr;

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(space, address, &offset, &length, is_write, MEMTXATTRS_UNSPECIFIED);
    printf("    the core takes 0x%" PRIx64 " to '%s' at 0x%" PRIx64 " (%s)\n", address,
           memory_region_name(mr) ? memory_region_name(mr) : "(no name)", offset,
           !memory_region_is_ram(mr) ? "i/o" : mr->readonly ? "rom" : "ram");
}

static void show(struct peer *p, const struct peer_access *a, const char *what, const uint8_t *core)
{
    const struct place *place;
    unsigned first = 0;

    if (p->shown++ >= SHOWN_MAX) {
        return;
    }
    while (first + 1 < a->size && a->qemu[first] == core[first]) {
        first++;
    }
    printf("%s, state %u, seed %" PRIu64 ": %s of %u bytes at 0x%" PRIx64 " (%s) differs from byte %u on\n",
           p->machine->name, p->state, p->seed, what, a->size, a->address, peer_way_names[a->way], first);
    print_bytes("QEMU", a->qemu, a->size);
    print_bytes("core", core, a->size);
    print_region(p->space, a->address, a->is_write);
    if (first) {
        print_region(p->space, a->address + first, a->is_write);
    }
    place = places_at(&p->places, a->address + first);
    printf("    QEMU has %s %s there\n    again: qemu.access --machine %s --seed %" PRIu64 " -v\n",
           place_kind_names[place->kind], place->name ? place->name : "", p->machine->name, p->seed);
}

/* --- a machine twice ------------------------------------------------------------------ */

static bool copy_memory(struct peer *p)
{
    for (guint i = 0; i < p->places.all->len; i++) {
        const struct place *place = &g_array_index(p->places.all, struct place, i);
        uint64_t size = MIN(place->last - place->first, COPY - 1) + 1;

        for (uint64_t at = 0; place->memory && at < size; at += CHUNK) {
            if (!peer_read_memory(p->qemu, place->first + at, place->memory + at, MIN(size - at, CHUNK))) {
                return false;
            }
        }
    }
    return true;
}

/* Only a test that is selected has a header. */
static void select_test(struct peer *p)
{
    for (guint i = 1; i < p->places.all->len; i++) {
        const struct place *place = &g_array_index(p->places.all, struct place, i);

        if (g_strcmp0(place->name, TESTDEV_NAME) == 0 && place->kind == PLACE_DEVICE && place->offset == 1 &&
            g_strcmp0(place[-1].name, TESTDEV_NAME) == 0) {
            qemu_write(p->qemu, 1, place->first - 1, 0);
            p->testdev.selected = true;
        }
    }
}

static char *take_text(struct qemu *q)
{
    char *tree = qemu_human(q, "info mtree -o -D"), *flat = qemu_human(q, "info mtree -f");
    char *text = g_strconcat(tree, "\n", flat, NULL);

    g_free(tree);
    g_free(flat);
    return text;
}

static AddressSpace *find_space(struct peer *p)
{
    for (size_t i = 0; i < p->im->space_count; i++) {
        if (strcmp(p->im->spaces[i].name, space_name) == 0) {
            return import_built_space(p->built, i);
        }
    }
    return NULL;
}

/* NULL, or why this cannot be compared, to be freed with free(). */
static char *rebuild(struct peer *p, const char *text, uint64_t seed)
{
    const struct import_device devices[] = {
        { EDU_NAME, &edu_ops, &p->edu }, { TESTDEV_NAME, &testdev_ops, &p->testdev }, { 0 },
    };
    struct import_error error;
    char *why = NULL;

    p->im = import_read(text, strlen(text), NULL, &error);
    if (!p->im) {
        return g_strdup_printf("line %u, column %u: %s", error.line, error.column, error.message);
    }
    p->built = import_build_with(p->im, p->state % IMPORT_BUILD_ORDERS, devices, &why);
    if (!p->built || !import_open_memory(p->built, &why)) {
        return why;
    }
    p->space = find_space(p);
    if (!places_init(&p->places, p->im, p->built, space_name, registers, seed) || !p->space) {
        return g_strdup_printf("there is no RAM in a space '%s'", space_name);
    }
    select_test(p);
    return copy_memory(p) ? NULL : g_strdup("QEMU's memory cannot be read");
}

/* --- accesses -------------------------------------------------------------------------- */

static unsigned pick_size(struct places *places, enum peer_way way)
{
    static const unsigned limits[] = { 8, 8, 64, PEER_ACCESS_MAX };

    if (way <= WAY_NATIVE) {
        return 1U << places_random(places, 4);
    }
    return 1 + (unsigned)places_random(places, limits[places_random(places, G_N_ELEMENTS(limits))]);
}

static bool is_across(const struct peer *p, const struct peer_access *a)
{
    return places_at(&p->places, a->address)->last - a->address < a->size - 1;
}

/*
 * Integers and caches take one range: what leaves it is R-SCL-3 and R-CCH, which qtest does not show.
 * Nor does it show integers that a device refuses because they are unaligned (R-SCL-2): it splits them.
 */
static bool is_shown_by_qtest(const struct peer *p, const struct peer_access *a)
{
    if (a->way == WAY_BUFFER || a->way == WAY_MAP) {
        return true;
    }
    return !is_across(p, a) && (a->way == WAY_CACHE || a->address % a->size == 0 ||
                                places_at(&p->places, a->address)->kind != PLACE_DEVICE);
}

static void pick_access(struct peer *p, struct peer_access *a, struct total *t)
{
    enum place_choice choice;

    a->way = (enum peer_way)places_random(&p->places, WAYS);
    a->size = pick_size(&p->places, a->way);
    a->is_write = places_random(&p->places, 2);
    do {
        a->address = places_pick(&p->places, a->size, &choice);
    } while (!is_shown_by_qtest(p, a));
    for (unsigned i = 0; a->is_write && i < a->size; i++) {
        a->data[i] = (uint8_t)places_random(&p->places, 256);
    }
    if (a->is_write) {
        places_note_write(&p->places, a->address);
        g_array_append_val(p->writes, *a);
    }
    t->choices[choice]++;
    t->kinds[places_at(&p->places, a->address)->kind]++;
    t->across += is_across(p, a);
}

static bool run_accesses(struct peer *p, uint64_t count, struct total *t)
{
    struct peer_access *batch = g_new0(struct peer_access, BATCH);
    bool good = true;

    while (good && count && p->shown < SHOWN_MAX) {
        size_t size = MIN(count, BATCH);

        for (size_t i = 0; i < size; i++) {
            pick_access(p, &batch[i], t);
        }
        good = peer_access_qemu(p->qemu, batch, size);
        for (size_t i = 0; good && i < size; i++) {
            peer_access_core(p->space, &batch[i]);
            t->accesses++;
            if (!batch[i].is_write && memcmp(batch[i].qemu, batch[i].core, batch[i].size) != 0) {
                t->differences++;
                show(p, &batch[i], "read", batch[i].core);
            }
        }
        count -= size;
    }
    g_free(batch);
    return good;
}

/* The core's memory itself, without its translation; bytes that are nowhere are taken from QEMU's answer. */
static void look_at_memory(const struct peer *p, const struct peer_access *a, uint8_t *bytes)
{
    for (unsigned i = 0; i < a->size; i++) {
        const struct place *place = places_at(&p->places, a->address + i);

        bytes[i] = place->memory ? place->memory[a->address + i - place->first] : a->qemu[i];
    }
}

/* Around every write: did it land there, and nowhere close by? */
static bool look_at_writes(struct peer *p, struct total *t)
{
    struct peer_access *writes = (struct peer_access *)p->writes->data;
    uint8_t core[PEER_ACCESS_MAX];
    bool good = true;

    for (guint i = 0; i < p->writes->len; i++) {
        struct peer_access *a = &writes[i];
        unsigned before = AROUND, whole = MIN(a->size + 2 * AROUND, PEER_ACCESS_MAX);

        a->is_write = false;
        a->way = WAY_BUFFER;
        if (a->address >= before && places_allow(&p->places, a->address - before, whole)) {
            a->address -= before;
            a->size = whole;
        }
    }
    for (guint i = 0; good && i < p->writes->len && p->shown < SHOWN_MAX; i += BATCH) {
        guint size = MIN(p->writes->len - i, (guint)BATCH);

        good = peer_access_qemu(p->qemu, writes + i, size);
        for (guint k = i; good && k < i + size; k++) {
            look_at_memory(p, &writes[k], core);
            if (memcmp(core, writes[k].qemu, writes[k].size) != 0) {
                t->differences++;
                show(p, &writes[k], "memory in the end", core);
            }
        }
    }
    return good;
}

static void report_trouble(const struct peer *p, struct total *t, const char *what)
{
    t->trouble = true;
    t->qemu_ended = qemu_trouble(p->qemu) && g_str_has_prefix(qemu_trouble(p->qemu), "QEMU ended");
    printf("%s, state %u, seed %" PRIu64 ": %s\n", p->machine->name, p->state, p->seed,
           qemu_trouble(p->qemu) ? qemu_trouble(p->qemu) : what);
}

static void print_state(const struct peer *p, const char *changes)
{
    printf("%s, state %u:\n%s", p->machine->name, p->state, changes);
    for (guint i = 0; p->places.all && i < p->places.all->len; i++) {
        const struct place *place = &g_array_index(p->places.all, struct place, i);

        printf("  %016" PRIx64 "-%016" PRIx64 " %s %s\n", place->first, place->last,
               place_kind_names[place->kind], place->name ? place->name : "");
    }
}

static void compare_state(const struct options *o, struct peer *p, uint64_t seed, struct total *t)
{
    char *before = take_text(p->qemu), *why = rebuild(p, before, seed), *after = NULL;

    if (why) {
        report_trouble(p, t, why);
    } else if (!run_accesses(p, o->accesses, t) || !look_at_writes(p, t)) {
        report_trouble(p, t, "QEMU's answers make no sense");
    } else {
        after = take_text(p->qemu);
        if (strcmp(before, after) != 0) {
            report_trouble(p, t, "the accesses changed the memory map");
        }
        t->states++;
    }
    free(why);
    g_free(before);
    g_free(after);
}

/* The machine as it starts; as firmware leaves it; after random changes; both. */
static void change(struct changer *c, unsigned state)
{
    for (unsigned i = 0; state & 2 && i < CHANGES; i++) {
        changer_step(c);
    }
    if (state & 1) {
        changer_place_all(c);
    }
}

static void try_state(const struct options *o, const char *path, const struct machine *m, unsigned state,
                      struct total *t)
{
    struct peer p = {
        .machine = m, .state = state, .seed = o->seed, .qemu = qemu_start(path, m->arguments),
        .writes = g_array_new(FALSE, FALSE, sizeof(struct peer_access)),
    };
    uint64_t seed = o->seed * STATES + state;
    struct changer c;

    changer_start(&c, m, p.qemu, seed);
    c.stay_plugged = true;
    change(&c, state);
    compare_state(o, &p, seed, t);
    if (o->verbose) {
        print_state(&p, c.log->str);
    }
    if (p.places.all) {
        places_free(&p.places);
    }
    import_unbuild(p.built);
    import_free(p.im);
    g_array_free(p.writes, TRUE);
    changer_end(&c);
    qemu_stop(p.qemu);
}

static void add(struct total *sum, const struct total *t)
{
    sum->states += t->states;
    sum->accesses += t->accesses;
    sum->differences += t->differences;
    sum->across += t->across;
    sum->trouble |= t->trouble;
    for (size_t i = 0; i < G_N_ELEMENTS(sum->choices); i++) {
        sum->choices[i] += t->choices[i];
    }
    for (size_t i = 0; i < G_N_ELEMENTS(sum->kinds); i++) {
        sum->kinds[i] += t->kinds[i];
    }
}

/*
 * After devices left and windows of bridges moved, QEMU 7.2 sometimes aborts in its RCU thread
 * (object_finalize, memory_region_finalize): rare without the former, and not the same from run to run.
 * What it answered until then is thrown away.
 */
static void run_state(const struct options *o, const char *path, const struct machine *m, unsigned state,
                      struct total *t)
{
    for (unsigned attempt = 1;; attempt++) {
        struct total once = { .states = 0 };

        try_state(o, path, m, state, &once);
        if (!once.qemu_ended || once.differences || attempt == ATTEMPTS) {
            add(t, &once);
            return;
        }
        printf("  attempt %u of %d: the state is started again\n", attempt, ATTEMPTS);
    }
}

/* --- all of them ------------------------------------------------------------------------ */

static void print_total(const char *name, const struct total *t)
{
    printf("%-14s %6zu %9zu %7zu %7zu %7zu %7zu %7zu %7zu %7zu %11zu\n", name, t->states, t->accesses,
           t->kinds[PLACE_RAM], t->kinds[PLACE_ROM], t->kinds[PLACE_HOLE], t->kinds[PLACE_DEVICE], t->across,
           t->choices[CHOICE_EDGE], t->choices[CHOICE_NEAR], t->differences);
    fflush(stdout);
}

static bool wanted(const struct options *o, const struct machine *m)
{
    /* A machine without a processor has nobody whose accesses qtest could make. */
    return options_wanted(o->names, m->name) && !g_str_has_prefix(m->name, "none");
}

static int run(const struct options *o)
{
    char *path = qemu_find("x86_64");
    struct total all = { .states = 0 };
    unsigned compared = 0;

    if (!path) {
        printf("skipped: qemu-system-x86_64 is not installed (apt-get install --no-install-recommends "
               "qemu-system-x86)\n");
        return SKIPPED;
    }
    subject_start();
    printf("seed %" PRIu64
           "; where accesses begin, how many leave that range, are at edges, near earlier writes\n"
           "%-14s %6s %9s %7s %7s %7s %7s %7s %7s %7s %11s\n",
           o->seed, "machine", "states", "accesses", "ram", "rom", "holes", "devices", "leave", "edges",
           "near", "differences");
    for (size_t i = 0; i < machine_count; i++) {
        struct total t = { .states = 0 };

        if (!wanted(o, &machines[i])) {
            continue;
        }
        for (unsigned state = 0; state < STATES && !t.differences && !t.trouble; state++) {
            run_state(o, path, &machines[i], state, &t);
        }
        print_total(machines[i].name, &t);
        add(&all, &t);
        compared++;
    }
    print_total("all", &all);
    printf("%zu accesses compared on %u machines in %zu states: %zu differences\n", all.accesses, compared,
           all.states, all.differences);
    g_free(path);
    /* A run that compares nothing is no success. */
    return all.differences || all.trouble || all.accesses != o->accesses * STATES * compared || !compared;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        { "machine", required_argument, NULL, 'm' }, { "accesses", required_argument, NULL, 'a' },
        { "seed", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct options o = { .names = g_ptr_array_new(), .accesses = 3000, .seed = 1 };
    int option, status = 2;

    while ((option = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
        switch (option) {
        case 'm':
            if (!options_machine("qemu.access", optarg, o.names)) {
                goto end;
            }
            break;
        case 'a':
            if (!options_number("qemu.access", optarg, 1000000, &o.accesses)) {
                goto end;
            }
            break;
        case 'r':
            if (!options_number("qemu.access", optarg, UINT64_MAX, &o.seed)) {
                goto end;
            }
            break;
        case 'v':
            o.verbose = true;
            break;
        case 'h':
            fputs(help, stdout);
            status = 0;
            goto end;
        default:
            goto end;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "qemu.access: unexpected argument '%s'\n", argv[optind]);
        goto end;
    }
    status = run(&o);
end:
    g_ptr_array_free(o.names, TRUE);
    return status;
}
