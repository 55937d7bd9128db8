/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses that no trace asked for. */
#ifndef HARNESS_RUN_LOOK_H
#define HARNESS_RUN_LOOK_H

#include <stdbool.h>

#include "model/model.h"

struct look {
    const struct model *model;
    unsigned turn;              /* any number: which space, which ranges */
    /* Plays a step on core and model if it can be played; false: they differ. */
    bool (*play)(void *opaque, const struct trace_step *step);
    void *opaque;
};

/*
 * Where a range ends is where things go wrong, and few traces access just that place: for the end of a trace, a look
 * at the ends of a few ranges of one space, of a cache, and of memory that is shorter than its region.
 * False: a step failed.
 */
bool look_at_ends(const struct look *look);

#endif
