/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory map as a picture: on the left the regions as boxes within boxes, on
 * the right the address spaces, each with the model's view and, where there is one,
 * the core's next to it.  Where the two differ the columns are hatched in red.
 */
#ifndef HARNESS_DRAW_DRAW_H
#define HARNESS_DRAW_DRAW_H

#include <stdio.h>

#include "model/model.h"

struct draw_options {
    const char *title;          /* UTF-8 */
    const char *subtitle;       /* UTF-8; may be NULL */
};

/*
 * Writes a whole SVG document of the model's state.  `core_views[s]` is the
 * core's view of space s, compared by regions and offsets; NULL: the model's
 * alone is drawn.  The caller keeps everything and checks `out` for errors.
 */
void draw_svg(FILE *out, const struct model *m, const struct view *const core_views[TRACE_SPACES],
              const struct draw_options *options);

#endif
