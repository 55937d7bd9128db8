/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw/draw.h"

#include "draw/parts.h"

enum {
    LEFT = 28,
    TOP = 24,
    TITLE_HEIGHT = 56,
    BETWEEN = 26,
    LEAST_HEIGHT = 760,     /* panels are stacked to this depth, or to that of the tree */
};

/* Panels are stacked under one another as long as the picture does not get longer by it. */
static void draw_panels(struct canvas *c, const struct model *m, const struct palette *p,
                        const struct view *const core_views[TRACE_SPACES], int x, int top, int tree_height)
{
    int longest = MAX(tree_height, LEAST_HEIGHT), y = top, stack_width = 0, address_width = 0;
    struct scale scales[TRACE_SPACES];
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);

    for (size_t i = 0; i < count; i++) {
        scale_init(&scales[i], model_view(m, spaces[i]), core_views[spaces[i]]);
        address_width = MAX(address_width, panel_address_width(&scales[i]));
    }
    for (size_t i = 0; i < count; i++) {
        const struct view *core = core_views[spaces[i]];

        if (y > top && y + panel_height(&scales[i]) > top + longest) {
            x += stack_width + BETWEEN;
            y = top;
            stack_width = 0;
        }
        panel_draw(c, m, p, spaces[i], &scales[i], core, address_width, x, y);
        stack_width = MAX(stack_width, panel_width(&scales[i], core, address_width));
        y += panel_height(&scales[i]) + 26;
        scale_free(&scales[i]);
    }
}

static bool any_core_view(const struct model *m, const struct view *const core_views[TRACE_SPACES])
{
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);

    for (size_t i = 0; i < count; i++) {
        if (core_views[spaces[i]]) {
            return true;
        }
    }
    return false;
}

void draw_svg(FILE *out, const struct model *m, const struct view *const core_views[TRACE_SPACES],
              const struct draw_options *options)
{
    struct palette *palette = g_new(struct palette, 1);
    struct canvas c;
    int y = TOP, tree_height;

    canvas_init(&c);
    palette_init(palette, m);
    canvas_text(&c, "title", LEFT, y + 16, "%s", options->title);
    if (options->subtitle) {
        canvas_text(&c, "subtitle", LEFT, y + 36, "%s", options->subtitle);
    }
    y += TITLE_HEIGHT;
    if (model_transaction_depth(m) > 0) {
        canvas_text(&c, "note", LEFT, y,
                    "Inside a transaction: the boxes show the tree as it is, the columns what was "
                    "published before it began.");
        y += 22;
    }
    tree_height = tree_draw(&c, m, palette, LEFT, y);
    draw_panels(&c, m, palette, core_views, LEFT + tree_width(m) + BETWEEN, y, tree_height);
    legend_draw(&c, any_core_view(m, core_views), LEFT, c.bottom + 30);
    canvas_finish(&c, out);
    g_free(palette);
}
