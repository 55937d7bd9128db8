/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small world: every tree of up to three regions in an address space of four
 * bytes, numbered, and every single change to it as a trace.
 *
 * A tree is a structure and a geometry.
 *
 *   structure   for each region: its kind, what contains it, what it aliases,
 *               and its priority among its siblings.  Regions are numbered in
 *               the order in which they are added, r1, r2, r3 (r0 is the root,
 *               a container of size 4), so different insertion orders are
 *               different structures.
 *   geometry    for each region: place 0..4, size 0..4, flags, alias offset 0..4
 *
 * Place 3 and size 4 sticks out of the space, place 4 lies beside it.  Trees of
 * one region are tried with every kind that the trace language can make.
 */
#ifndef CONFORMANCE_EXHAUSTIVE_WORLD_H
#define CONFORMANCE_EXHAUSTIVE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

enum {
    WORLD_REGIONS = 3,
    WORLD_SIZE = 4,             /* bytes of the space */
    WORLD_DETACHED = -1,        /* in no container: seen through an alias only */
    WORLD_NO_TARGET = -1,
};

enum world_kind {
    WORLD_CONTAINER, WORLD_DEVICE, WORLD_ALIAS,     /* trees of two and three regions use these only */
    WORLD_RESERVATION, WORLD_RAM, WORLD_RAM_NOMIGRATE, WORLD_ROM, WORLD_RAM_PTR, WORLD_RAM_DEVICE,
    WORLD_ROM_DEVICE,
    WORLD_KINDS,
};

struct world_region {
    enum world_kind kind;
    int parent;                 /* WORLD_DETACHED, 0 (the root), or a region */
    int target;                 /* of an alias: a region; else WORLD_NO_TARGET */
    int priority;
};

struct world_structure {
    unsigned regions;           /* 1 to 3: its level */
    struct world_region region[WORLD_REGIONS + 1];  /* [0] is the root */
    uint64_t geometries;
};

/* All structures of `regions` regions.  Free *out with free(). */
size_t world_structures(unsigned regions, struct world_structure **out);

/* A tree with all its changes, ready to be played; reused from case to case. */
struct world_case {
    struct trace trace;
    size_t base;                /* so many steps build the tree; then come groups: a change and its undoing */
    size_t *group;              /* for each step behind `base`: the first step of its group */
    size_t group_capacity;
    uint64_t changes;           /* how many groups */
};

void world_case_init(struct world_case *c);
void world_case_free(struct world_case *c);

/*
 * `dressed` trees have more to tell: their devices have an ioeventfd and a coalesced
 * range, everything has an owner, and r1 is also the root of a second address space.
 */
void world_case_build(struct world_case *c, const struct world_structure *s, uint64_t geometry, bool dressed);

/* The shortest trace that does what step `at` of the case did: the tree, and its group up to that step. */
void world_case_excerpt(const struct world_case *c, size_t at, struct trace *out);

/* One line: "r1 device in r0 priority 0, r2 alias of r1 in r0 priority 1". */
void world_structure_print(const struct world_structure *s, char *buffer, size_t capacity);

#endif
