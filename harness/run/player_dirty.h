/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The player's part for dirty pages: steps of the group `dirty`. */
#ifndef HARNESS_RUN_PLAYER_DIRTY_H
#define HARNESS_RUN_PLAYER_DIRTY_H

#include "model/observation.h"
#include "trace/trace.h"

struct player;

/* Plays the step; seen->text says what came of it, and which pages around are dirty. */
void player_apply_dirty(struct player *p, const struct trace_step *s, struct observation *seen);

/* Which pages around that offset of the region's block are dirty, and for whom. */
void player_show_pages(struct player *p, unsigned region, uint64_t around, FILE *out);

/* The region is gone, and its block's migration bitmaps with it: they are the harness's (R-BMAP-1). */
void player_forget_bmap(struct player *p, unsigned region);

#endif
