/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often a thread looks for a message before it sleeps.
 *
 * Who has just asked for a page, or sent one that was asked for, will most likely hear from the other side within
 * microseconds.  To be woken takes longer than that: 2 us, and 30 us and more on a virtual machine whose processor has
 * gone to sleep meanwhile.  So it looks POLL_ROUNDS_MAX times first, which is 50 us of looking in vain at most.  When
 * nothing came, it looks half as often the next time, and never less than POLL_ROUNDS_MIN times; when something came,
 * as often as it may.  Without a message before it nobody polls: who is idle sleeps.
 *
 * Nobody polls who may run on one processor only, as it could be the one that the other side needs, nor where
 * `never_poll` is set.  Rounds are counted, so that no clock gets into what a migration does.
 */
#ifndef MEMCORE_MIGRATION_POLL_BUDGET_H
#define MEMCORE_MIGRATION_POLL_BUDGET_H

#include <stdbool.h>

enum { POLL_ROUNDS_MIN = 8, POLL_ROUNDS_MAX = 100 };

typedef struct {
    unsigned rounds;        /* the next time; 0: always */
} PollBudget;

/* For the thread that calls it. */
void poll_budget_start(PollBudget *budget, bool never_poll);
/* A message came after `left` rounds had been left, or none did, which is 0. */
void poll_budget_learn(PollBudget *budget, unsigned left);

#endif
