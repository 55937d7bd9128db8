/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the storm plugs and unplugs: a device as real ones are, with regions and
 * an address space inside, all of which are freed when its last reference goes.
 *
 *   bar ---+-- leaf io0   [0,0x1000)        in the system's space, while plugged
 *          +-- leaf io1   [0x800,0x1800)
 *          +-- leaf ram   [0x2000,0x4000)
 *
 *   window ---- alias of bar, or of the system: the root of the device's own space
 */
#ifndef THREADS_BOARD_H
#define THREADS_BOARD_H

#include "threads.h"

enum { BOARD_LEAVES = 3, BOARD_RAM = 2, BOARD_SIZE = 0x4000, LEAF_ALIVE = 0x1eaf, LEAF_DEAD = 0xdead };

typedef struct Board Board;

/* A region that can be seen: every range of every view of the storm is one. */
typedef struct {
    MemoryRegion mr;
    unsigned state;             /* LEAF_ALIVE until its board is finalized */
    const char *name;
    uint64_t size;              /* the largest it ever has */
    const uint8_t *ram;         /* every byte is `tag`; NULL: none */
    uint8_t tag;
    Board *board;               /* NULL: lives as long as the storm */
} Leaf;

struct Board {
    DeviceState parent;
    MemoryRegion bar;
    Leaf leaves[BOARD_LEAVES];
    MemoryRegion window;
    MemoryRegion window_alias;
    AddressSpace as;
    bool shows_system;          /* through window */
    bool plugged;
    unsigned held;              /* ranges in views that threads hold; atomic */
};

/* The first thing that went wrong, in any thread; NULL: nothing yet.  `text` must be a literal. */
void storm_trouble(const char *text);
const char *storm_first_trouble(void);

/* What finalizers compare with: boards that live, and whether the main thread has the big lock now. */
extern unsigned boards_alive;
extern bool main_holds_the_lock;

/* A leaf that belongs to no board, in storage that the caller frees after the storm. */
void leaf_init(Leaf *leaf, const char *name, uint64_t size);

/* Its one reference is the caller's; nothing is mapped.  NULL `system`: the window shows the bar. */
Board *board_new(MemoryRegion *system, uint8_t tag);

/* ---- looking ---- */

enum { SEEN_MAX = 160 };

typedef struct {
    Int128 start;
    Int128 size;
    hwaddr offset;
    Leaf *leaf;
} SeenRange;

typedef struct {
    size_t count;
    SeenRange ranges[SEEN_MAX];
} Seen;

/* Walks the view, touches all it leads to, and checks that it is well formed (I-2). */
void look(FlatView *view, Seen *seen);
bool seen_equal(const Seen *left, const Seen *right);
size_t seen_of(const Seen *seen, const Leaf *leaf);     /* how many ranges of it */
/* From the first to the second call none of the boards seen may end. */
void seen_hold(const Seen *seen);
void seen_let_go(const Seen *seen);

#endif
