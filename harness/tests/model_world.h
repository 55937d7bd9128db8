/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A model to play with in the trace language; used by the model_* tests. */
#ifndef HARNESS_TESTS_MODEL_WORLD_H
#define HARNESS_TESTS_MODEL_WORLD_H

#include "model/model.h"

struct world {
    struct model *model;
    struct observation last;    /* of the last step played; `events` are those of the whole last play */
};

void world_begin(struct world *w, enum model_profile profile);
void world_end(struct world *w);

/*
 * Plays steps written as text.  They must be resolved: exact slots, numbers,
 * preconditions met.
 */
void play(struct world *w, const char *text);

/* What the last play was heard to do, one callback a line, flushes left out. */
void assert_heard(const struct world *w, const char *expected);
unsigned flushes(const struct world *w);

/* The space's published view, one range a line. */
void assert_view(const struct world *w, unsigned space, const char *expected);

/* What the last step found: as in a callback, "nothing" for nothing. */
void assert_found(const struct world *w, const char *expected);

void assert_text(const struct world *w, const char *expected);

/* Shorthands for the most common steps. */
#define CONTAINER(r, size) "container " r " size " size " owner none named plain\n"
#define IO(r, size) "io " r " size " size " owner none named plain endian native\n"
#define RAM(r, size) "ram " r " size " size " owner none kind ram\n"
#define ALIAS(r, target, offset, size) \
    "alias " r " of " target " offset " offset " size " size " owner none named plain\n"
#define ADD(container, r, address, priority) "add " container " " r " at " address " priority " priority "\n"
#define WHOLE "0xffffffffffffffff"      /* 2^64 as a size, R-REG-2 */
#define HEARS_ALL "begin+commit+region_add+region_del+region_nop+log_start+log_stop+log_sync+log_clear+" \
    "log_global_start+log_global_stop+log_global_after_sync+eventfd_add+eventfd_del+" \
    "coalesced_io_add+coalesced_io_del"

#endif
