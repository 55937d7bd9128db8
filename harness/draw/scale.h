/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address scale of one space.  Real maps have a page here and a gap of
 * exabytes there, so addresses are not drawn to scale: the scale is cut at every start
 * and end of a range in either view, and each piece gets room for its label
 * and a little more the larger it is.
 *
 *   address   0        0x1000    0x3000               2^64
 *   model     |.........|  r1    |.....................|
 *   core      |.........|  r1 |r2|.....................|
 *   pieces    |    0    |  1  |2 |          3          |
 *
 * A piece is covered by at most one range of each view.
 */
#ifndef HARNESS_DRAW_SCALE_H
#define HARNESS_DRAW_SCALE_H

#include "model/observation.h"

struct piece {
    wide start, end;                        /* end is not part of it */
    const struct view_range *model, *core;  /* what covers it; NULL: nothing */
    bool differs;                           /* in region or offset */
    bool continues;                         /* differs in the same way as the piece before */
    bool split_in_model, split_in_core;     /* only there a range ends and begins where this piece begins */
    int y, height;                          /* from the top of the column */
};

struct scale {
    struct piece *pieces;
    size_t count;
    bool compact;           /* many pieces: one line of text each */
    unsigned differences;   /* stretches that differ, and splits */
    int height;
};

/* `core` may be NULL.  The views must stay while the scale is used. */
void scale_init(struct scale *s, const struct view *model, const struct view *core);
void scale_free(struct scale *s);

#endif
