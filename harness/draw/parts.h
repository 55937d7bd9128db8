/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the picture.  Each is drawn with its top left corner at x, y and returns its height. */
#ifndef HARNESS_DRAW_PARTS_H
#define HARNESS_DRAW_PARTS_H

#include "draw/canvas.h"
#include "draw/scale.h"
#include "model/model.h"

/* Colours of the regions that can be ranges of a view; containers and aliases have none. */
struct palette {
    bool coloured[TRACE_REGIONS];
    struct colour colours[TRACE_REGIONS];
};
void palette_init(struct palette *p, const struct model *m);
/* The colour of what the region shows in a view: an alias has that of its target's end. */
const struct colour *palette_find(const struct palette *p, const struct model *m, int region);

/* The regions as boxes within boxes. */
int tree_width(const struct model *m);
int tree_draw(struct canvas *c, const struct model *m, const struct palette *p, int x, int y);

/*
 * One address space: the model's view and, if not NULL, the core's.  Panels under
 * one another are given the same address_width, so that their columns are aligned.
 */
int panel_address_width(const struct scale *scale);     /* for its longest address and the ticks */
int panel_width(const struct scale *scale, const struct view *core, int address_width);
int panel_height(const struct scale *scale);
void panel_draw(struct canvas *c, const struct model *m, const struct palette *p, unsigned space,
                const struct scale *scale, const struct view *core, int address_width, int x, int y);

void legend_draw(struct canvas *c, bool compared, int x, int y);

#endif
