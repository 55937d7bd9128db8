/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a machine an access means the same to QEMU and to the core: a space
 * cut into places, from the flat view that QEMU printed, and random addresses in them.
 */
#ifndef CONFORMANCE_QEMU_PLACES_H
#define CONFORMANCE_QEMU_PLACES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "import/build.h"
#include "import/import.h"

enum place_kind {
    PLACE_RAM,
    PLACE_ROM,
    PLACE_HOLE,         /* no region */
    PLACE_DEVICE,       /* registers of which places_init() was told */
    PLACE_OTHER,        /* what may have side effects: keep off */
};

struct place {
    enum place_kind kind;
    uint64_t first, last;
    const char *name;   /* of the region, as in the text; of a hole NULL */
    uint64_t offset;    /* of `first` in the region; of a hole 0 */
    uint8_t *memory;    /* of RAM and ROM: what the core holds for `first` */
};

struct places {
    GArray *all;        /* struct place, ascending, from 0 to UINT64_MAX without gaps */
    GArray *edges;      /* uint64_t: first addresses of places of which at least one side may be accessed */
    uint64_t random;    /* state of the generator */
    uint64_t written[64];       /* addresses of the last writes */
    size_t writes;
};

/* Registers that behave alike on both sides: bytes of a device region.  `name` NULL ends an array of them. */
struct place_registers {
    const char *name;
    uint64_t first, last;
};

/*
 * Cuts the space called `space` of the import that `built` was made of.  RAM and devices
 * that the text does not identify (two regions have the name) become PLACE_OTHER.
 * Returns false if there is no such space or no RAM in it.
 */
bool places_init(struct places *p, const struct import *im, struct import_machine *built, const char *space,
                 const struct place_registers *registers, uint64_t seed);
void places_free(struct places *p);

/* The place of an address. */
const struct place *places_at(const struct places *p, uint64_t address);

/* May all of these bytes be accessed?  They may lie in several places. */
bool places_allow(const struct places *p, uint64_t address, uint64_t size);

enum place_choice {
    CHOICE_NEAR,        /* an earlier write */
    CHOICE_EDGE,
    CHOICE_ANYWHERE,
    CHOICES,
};

/* Where the next access goes, and why there; places_allow() it. */
uint64_t places_pick(struct places *p, unsigned size, enum place_choice *choice);

/* That there was a write. */
void places_note_write(struct places *p, uint64_t address);

/* A number below `limit`, which is not 0. */
uint64_t places_random(struct places *p, uint64_t limit);

#endif
