/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The player's part for RAM blocks and discard managers: steps of the groups `block`, `discard` and `fault`. */
#ifndef HARNESS_RUN_PLAYER_BLOCK_H
#define HARNESS_RUN_PLAYER_BLOCK_H

#include "run/player_parts.h"

/* Plays the step; what the calls returned goes to `out`.  False: the core says that it failed. */
bool player_block_step(struct player *p, const struct trace_step *s, FILE *out);
bool player_discard_step(struct player *p, const struct trace_step *s, FILE *out);

/* memory_region_init_ram_from_fd or _from_file. */
bool player_file_init(MemoryRegion *mr, Object *owner, const char *name, const struct trace_step *s, FILE *out);
void player_file_print(int fd, FILE *out);

/* `resized` of blocks. */
void player_on_resized(const char *idstr, uint64_t length, void *host);
/* Whose block that is; OBSERVED_NONE where blocks may overlap (R-RAM-22). */
int player_region_at(const struct player *p, void *host);

/* Steps that ask the host for something: a waiting failure strikes them.  `out`: observation_text's. */
bool player_step_failing(struct player *p, const struct trace_step *s, FILE *out,
                         bool (*step)(struct player *p, const struct trace_step *s, FILE *out));

#endif
