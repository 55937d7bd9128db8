/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fixed walk through trees, flags, eventfds, coalesced ranges and dirty logging
 * in spaces of about a hundred bytes (see shadows.c), and listeners that keep a
 * shadow of what they are told.
 *
 *   walk.c            the regions, and what is done to them
 *   walk_watchers.c   the listeners, and what must be true of what they heard
 *
 * The shadows work on text, so that a difference can be read.
 */
#ifndef CONFORMANCE_REGIONS_WALK_H
#define CONFORMANCE_REGIONS_WALK_H

#include "../common/conformance.h"

enum {
    WALK_SPACES = 3, WALK_BOXES = 4, WALK_LEAVES = 8, WALK_ALIASES = 6,
    WALK_REGIONS = WALK_SPACES + WALK_BOXES + WALK_LEAVES + WALK_ALIASES,
    WALK_WATCHERS = 5, WALK_NOTIFIERS = 3,
    WALK_EXTENT = 96,           /* bytes of a space */
};

typedef struct {
    uint64_t at;
    unsigned size;
    bool match;
    uint64_t data;
    unsigned notifier;
} WalkEntry;

typedef struct {
    uint64_t at, size;
} WalkSpan;

typedef struct {
    MemoryRegion *mr;
    int container;              /* index, -1: in none */
    bool enabled, readonly, nonvolatile;
    uint64_t address, size;
    unsigned log_users;
    GArray *entries, *spans;
} WalkRegion;

typedef struct {
    MemoryListener listener;
    unsigned space;
    GHashTable *ranges;         /* text -> mask + 1 */
    GHashTable *eventfds, *coalesced;   /* text -> how many */
    GHashTable *gone;           /* ranges deleted in the cycle that runs */
    bool in_cycle, told_new;
    Int128 last;                /* end of the last range deleted, then of the last one added or kept */
    char *logged;               /* the range of the log_start just heard, and its old mask */
    int logged_old;
} WalkWatcher;

typedef struct {
    char *text;
    unsigned watcher;
    char direction;             /* F, R */
    bool to_all;
} WalkEvent;

/* One walk at a time: callbacks have no other way to it. */
struct walk {
    GRand *random;
    WalkRegion regions[WALK_REGIONS];    /* spaces' roots, boxes, leaves, aliases */
    AddressSpace *spaces[WALK_SPACES];
    WalkWatcher watchers[WALK_WATCHERS];
    GArray *events;
    EventNotifier *notifiers[WALK_NOTIFIERS];
    unsigned depth, tracking;
};
extern struct walk walk;


/* Roots, boxes, leaves and aliases, all detached, every space with its watchers; and the end of all that. */
void walk_new(guint32 seed);
void walk_end(void);
void walk_step(void);                   /* one change, of whatever kind */
uint32_t walk_below(uint32_t limit);    /* the walk's random numbers */

void walk_watch(void);                  /* registers the watchers */
void walk_unwatch(void);                /* I-4: leaving takes everything away */
void walk_forget_events(void);

/* I-3, I-4, I-19: the ranges and masks that were told are those a late listener is told. */
void walk_check_ranges(WalkWatcher *w);
/* I-17, I-18: eventfds (if nothing waits for a commit) and coalesced ranges are those of view and lists. */
void walk_check_lists(WalkWatcher *w, bool committed);
/* I-5, I-6: events reached whom they concern, in order (R-LST-2).  Empties the list, returns its cycles. */
unsigned walk_check_order(void);
char *walk_text_of_counts(GHashTable *table);

#endif
