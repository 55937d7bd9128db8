/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/places.h"

#include <string.h>

enum { NEAR = 16, EDGE = 8, KIND_TRIES = 100 /* a machine may have no place of that kind */ };

/* splitmix64, as in changes.c. */
static uint64_t next_random(struct places *p)
{
    uint64_t z = p->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t places_random(struct places *p, uint64_t limit)
{
    return (uint64_t)((unsigned __int128)next_random(p) * limit >> 64);
}

/* --- cutting ----------------------------------------------------------------------- */

static const struct import_view *find_view(const struct import *im, const char *space)
{
    for (size_t i = 0; i < im->view_count; i++) {
        for (size_t k = 0; k < im->views[i].space_count; k++) {
            if (strcmp(im->views[i].spaces[k], space) == 0) {
                return &im->views[i];
            }
        }
    }
    return NULL;
}

/* The region of a range; IMPORT_NONE if the text leaves open which one it is. */
static int find_region(const struct import *im, const struct import_range *range)
{
    int found = IMPORT_NONE;

    for (size_t i = 0; i < im->region_count; i++) {
        const struct import_region *r = &im->regions[i];

        if (r->target == IMPORT_NONE && range->name && g_strcmp0(r->name, range->name) == 0) {
            if (found != IMPORT_NONE) {
                return IMPORT_NONE;
            }
            found = (int)i;
        }
    }
    return found;
}

static uint8_t *find_memory(const struct import *im, struct import_machine *built,
                            const struct import_range *range)
{
    int region = find_region(im, range);
    uint64_t size = 0;
    uint8_t *memory = region == IMPORT_NONE ? NULL : import_built_memory(built, (size_t)region, &size);

    return memory && range->offset < size && range->last - range->first < size - range->offset
               ? memory + range->offset
               : NULL;
}

static void add(struct places *p, enum place_kind kind, const char *name, uint64_t first, uint64_t last,
                uint64_t offset)
{
    struct place place = { kind, first, last, name, offset, NULL };

    g_array_append_val(p->all, place);
}

/* A device: those of its registers that are known, and what is between them. */
static void add_device(struct places *p, const struct import_range *range,
                       const struct place_registers *registers)
{
    uint64_t length = range->last - range->first, next = 0;

    for (; registers->name; registers++) {
        uint64_t first, last;

        if (g_strcmp0(registers->name, range->name) != 0 || registers->last < range->offset ||
            registers->first > range->offset + length) {
            continue;
        }
        first = MAX(registers->first, range->offset) - range->offset;
        last = MIN(registers->last - range->offset, length);
        if (first > next) {
            add(p, PLACE_OTHER, range->name, range->first + next, range->first + first - 1,
                range->offset + next);
        }
        add(p, PLACE_DEVICE, range->name, range->first + first, range->first + last, range->offset + first);
        next = last + 1;
    }
    if (next <= length) {
        add(p, PLACE_OTHER, range->name, range->first + next, range->last, range->offset + next);
    }
}

static void add_range(struct places *p, const struct import *im, struct import_machine *built,
                      const struct import_range *range, const struct place_registers *registers)
{
    uint8_t *memory = NULL;

    if (range->kind == IMPORT_IO && find_region(im, range) != IMPORT_NONE) {
        add_device(p, range, registers);
        return;
    }
    if (range->kind == IMPORT_RAM || range->kind == IMPORT_ROM) {
        memory = find_memory(im, built, range);
    }
    add(p, !memory ? PLACE_OTHER : range->kind == IMPORT_RAM ? PLACE_RAM : PLACE_ROM, range->name,
        range->first, range->last, range->offset);
    g_array_index(p->all, struct place, p->all->len - 1).memory = memory;
}

static void add_edges(struct places *p)
{
    for (guint i = 1; i < p->all->len; i++) {
        const struct place *below = &g_array_index(p->all, struct place, i - 1), *above = below + 1;

        if (below->kind != PLACE_OTHER || above->kind != PLACE_OTHER) {
            g_array_append_val(p->edges, above->first);
        }
    }
}

bool places_init(struct places *p, const struct import *im, struct import_machine *built, const char *space,
                 const struct place_registers *registers, uint64_t seed)
{
    const struct import_view *view = find_view(im, space);
    uint64_t next = 0;
    bool ram = false, full = false;

    *p = (struct places){
        .all = g_array_new(FALSE, FALSE, sizeof(struct place)),
        .edges = g_array_new(FALSE, FALSE, sizeof(uint64_t)), .random = seed,
    };
    for (size_t i = 0; view && i < view->range_count; i++) {
        const struct import_range *range = &view->ranges[i];

        if (range->first > next) {
            add(p, PLACE_HOLE, NULL, next, range->first - 1, 0);
        }
        add_range(p, im, built, range, registers);
        ram |= g_array_index(p->all, struct place, p->all->len - 1).kind == PLACE_RAM;
        full = range->last == UINT64_MAX;
        next = range->last + 1;
    }
    if (!full) {
        add(p, PLACE_HOLE, NULL, next, UINT64_MAX, 0);
    }
    add_edges(p);
    return ram;
}

void places_free(struct places *p)
{
    g_array_free(p->all, TRUE);
    g_array_free(p->edges, TRUE);
}

/* --- asking ------------------------------------------------------------------------- */

const struct place *places_at(const struct places *p, uint64_t address)
{
    guint low = 0, high = p->all->len - 1;

    while (low < high) {
        guint middle = (low + high + 1) / 2;

        if (g_array_index(p->all, struct place, middle).first <= address) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &g_array_index(p->all, struct place, low);
}

bool places_allow(const struct places *p, uint64_t address, uint64_t size)
{
    uint64_t last = address + size - 1;

    if (last < address) {
        return false;
    }
    for (const struct place *place = places_at(p, address); place->kind != PLACE_OTHER; place++) {
        if (place->last >= last) {
            return true;
        }
    }
    return false;
}

/* --- choosing ------------------------------------------------------------------------ */

/* Each kind as often as any other, within it each place, large or small, then each address. */
static uint64_t pick_anywhere(struct places *p)
{
    enum place_kind kind = (enum place_kind)places_random(p, PLACE_OTHER);
    const struct place *place;
    unsigned tries = 0;
    uint64_t length;

    do {
        place = &g_array_index(p->all, struct place, places_random(p, p->all->len));
    } while (place->kind != kind && ++tries < KIND_TRIES);
    length = place->last - place->first;

    return place->first + (length == UINT64_MAX ? next_random(p) : places_random(p, length + 1));
}

/* Such that the access begins at most `distance` below (with its end) or above `around`. */
static uint64_t pick_around(struct places *p, uint64_t around, unsigned distance, unsigned size)
{
    return around - distance - size + places_random(p, 2 * distance + size + 1);
}

uint64_t places_pick(struct places *p, unsigned size, enum place_choice *choice)
{
    for (;;) {
        uint64_t address;

        *choice = (enum place_choice)places_random(p, CHOICES);
        if (*choice == CHOICE_NEAR && p->writes) {
            size_t kept = MIN(p->writes, G_N_ELEMENTS(p->written));

            address = pick_around(p, p->written[places_random(p, kept)], NEAR, size);
        } else if (*choice == CHOICE_EDGE && p->edges->len) {
            uint64_t edge = g_array_index(p->edges, uint64_t, places_random(p, p->edges->len));

            address = pick_around(p, edge, EDGE, size);
        } else {
            *choice = CHOICE_ANYWHERE;
            address = pick_anywhere(p);
        }
        if (places_allow(p, address, size)) {
            return address;
        }
    }
}

void places_note_write(struct places *p, uint64_t address)
{
    p->written[p->writes++ % G_N_ELEMENTS(p->written)] = address;
}
