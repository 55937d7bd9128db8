/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/places.h"

#include <string.h>

enum { NEAR = 16, EDGE = 8 };

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

/* The memory behind a range; NULL if the text leaves open which region it belongs to. */
static uint8_t *find_memory(const struct import *im, struct import_machine *built, const struct import_range *range)
{
    uint8_t *found = NULL;

    for (size_t i = 0; i < im->region_count; i++) {
        uint64_t size;
        uint8_t *memory = import_built_memory(built, i, &size);

        if (!memory || !range->name || g_strcmp0(im->regions[i].name, range->name) != 0) {
            continue;
        }
        if (found || range->offset > size || range->last - range->first >= size - range->offset) {
            return NULL;
        }
        found = memory + range->offset;
    }
    return found;
}

static struct place place_of_range(const struct import *im, struct import_machine *built,
                                   const struct import_range *range)
{
    struct place place = { PLACE_OTHER, range->first, range->last, range->name, NULL };

    if (range->kind == IMPORT_RAM || range->kind == IMPORT_ROM) {
        place.memory = find_memory(im, built, range);
    }
    if (place.memory) {
        place.kind = range->kind == IMPORT_RAM ? PLACE_RAM : PLACE_ROM;
    }
    return place;
}

static void add_hole(struct places *p, uint64_t first, uint64_t last)
{
    struct place hole = { PLACE_HOLE, first, last, NULL, NULL };

    g_array_append_val(p->all, hole);
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
                 uint64_t seed)
{
    const struct import_view *view = find_view(im, space);
    uint64_t next = 0;
    bool ram = false, full = false;

    *p = (struct places){
        .all = g_array_new(FALSE, FALSE, sizeof(struct place)),
        .edges = g_array_new(FALSE, FALSE, sizeof(uint64_t)), .random = seed,
    };
    for (size_t i = 0; view && i < view->range_count; i++) {
        struct place place = place_of_range(im, built, &view->ranges[i]);

        if (place.first > next) {
            add_hole(p, next, place.first - 1);
        }
        g_array_append_val(p->all, place);
        ram |= place.kind == PLACE_RAM;
        full = place.last == UINT64_MAX;
        next = place.last + 1;
    }
    if (!full) {
        add_hole(p, next, UINT64_MAX);
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

/* A place that is picked as often as any other, large or small, and an address in it. */
static uint64_t pick_anywhere(struct places *p)
{
    const struct place *place = &g_array_index(p->all, struct place, places_random(p, p->all->len));
    uint64_t length = place->last - place->first;

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

        *choice = places_random(p, CHOICES);
        if (*choice == CHOICE_NEAR && p->writes) {
            size_t kept = MIN(p->writes, G_N_ELEMENTS(p->written));

            address = pick_around(p, p->written[places_random(p, kept)], NEAR, size);
        } else if (*choice == CHOICE_EDGE && p->edges->len) {
            address = pick_around(p, g_array_index(p->edges, uint64_t, places_random(p, p->edges->len)), EDGE, size);
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
