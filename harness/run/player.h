/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays resolved steps on the core through its public API and records what is
 * seen.  Storage of regions, spaces and listeners is one fixed place a slot, so
 * that a new region sits at the address of the one it follows (R-TX-8); a slot
 * that is not in use is poisoned, so that a core that still touches it is
 * caught by AddressSanitizer.
 */
#ifndef HARNESS_RUN_PLAYER_H
#define HARNESS_RUN_PLAYER_H

#include "model/model.h"
#include "trace/trace.h"

struct player;

struct player *player_new(void);
void player_free(struct player *p);
void player_reset(struct player *p);    /* after everything was given back */

/*
 * Plays one resolved step and fills *seen (cleared by the caller).  The model's
 * prediction says which getters may be asked (their preconditions); nothing
 * else of it is used.
 */
void player_apply(struct player *p, const struct trace_step *step, const struct observation *expected,
                  struct observation *seen);

/* A failure that waits is given up. */
void player_forget_failure(struct player *p);
/* Whether a waiting failure may strike this step, which then has to be played before the model's answer is known. */
bool player_may_fail(const struct player *p, const struct trace_step *step);

/* The published view of a space: ranges and offsets; flags are not in reach of the public walk. */
void player_view(struct player *p, unsigned space, struct view *out);
/* The FlatView object, to compare identities only. */
const void *player_view_identity(struct player *p, unsigned space);
unsigned player_owner_references(struct player *p, unsigned owner);

/* What the RAM of a region that has a block holds. */
const uint8_t *player_ram(struct player *p, unsigned region);

#endif
