/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/poll_budget.h"

#include <glib.h>
#include <sched.h>

void poll_budget_start(PollBudget *budget, bool never_poll)
{
    cpu_set_t processors;
    /* With more processors than the set has room for, the call fails. */
    const bool alone = sched_getaffinity(0, sizeof(processors), &processors) == 0 && CPU_COUNT(&processors) < 2;

    budget->rounds = never_poll || alone ? 0 : POLL_ROUNDS_MAX;
}

void poll_budget_learn(PollBudget *budget, unsigned left)
{
    if (budget->rounds > 0) {
        budget->rounds = left > 0 ? POLL_ROUNDS_MAX : MAX(budget->rounds / 2, POLL_ROUNDS_MIN);
    }
}
