/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One address space: columns of ranges over a common scale of addresses. */
#include "draw/parts.h"

#include <string.h>

enum {
    HEAD_HEIGHT = 44,       /* name of the space, names of the columns */
    COLUMN_WIDTH = 168,
    COLUMN_GAP = 12,
    CALLOUT_WIDTH = 212,
    FOOT_HEIGHT = 14,
};

int panel_address_width(const struct scale *scale)
{
    size_t longest = 0;
    char hex[HEX_TEXT];

    for (size_t i = 0; i < scale->count; i++) {
        longest = MAX(longest, strlen(hex_text(hex, scale->pieces[i].start)));
        longest = MAX(longest, strlen(hex_text(hex, scale->pieces[i].end)));
    }
    return text_width(longest, 11) + 10;
}

int panel_width(const struct scale *scale, const struct view *core, int address_width)
{
    int width = address_width + COLUMN_WIDTH;

    if (core) {
        width += COLUMN_GAP + COLUMN_WIDTH;
    }
    return width + (scale->differences ? COLUMN_GAP + CALLOUT_WIDTH : 0);
}

int panel_height(const struct scale *scale)
{
    return HEAD_HEIGHT + scale->height + FOOT_HEIGHT;
}

static void describe_memory(const struct view_range *range, wide address, char *text, size_t capacity)
{
    char hex[HEX_TEXT];

    if (!range) {
        g_strlcpy(text, "nothing", capacity);
        return;
    }
    snprintf(text, capacity, "r%d + %s", range->region,
             hex_text(hex, (uint64_t)(range->offset + (uint64_t)address - range->address)));
}

/* Words for what is not the rule: the core's views, whose flags cannot be seen, never have any. */
static void describe_flags(const struct view_range *range, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s%s%s", range->readonly ? " ro" : "", range->nonvolatile ? " nv" : "",
             range->dirty_log_mask ? " log" : "");
}

/* Pieces of the scale that one range, or one gap, of a column consists of. */
struct stretch {
    const struct view_range *range;     /* NULL: a gap */
    const struct piece *first, *last;
    bool differs;                       /* in some piece */
    int y, height;
};

/* The stretch that begins with piece `index`; returns the index after it. */
static size_t next_stretch(const struct scale *scale, bool core, size_t index, struct stretch *out)
{
    const struct piece *piece = &scale->pieces[index];

    *out = (struct stretch){ .range = core ? piece->core : piece->model, .first = piece, .y = piece->y };
    for (; index < scale->count; index++) {
        piece = &scale->pieces[index];
        if ((core ? piece->core : piece->model) != out->range) {
            break;
        }
        out->last = piece;
        out->differs |= piece->differs;
    }
    out->height = out->last->y + out->last->height - out->y;
    return index;
}

static void draw_box(struct canvas *c, const struct model *m, const struct palette *p,
                     const struct stretch *stretch, int x, int y)
{
    const struct view_range *range = stretch->range;
    char attributes[64], memory[64], flags[16], size[SIZE_TEXT], start[HEX_TEXT], end[HEX_TEXT];
    const struct colour *colour;

    if (!range) {
        canvas_rectangle(c, "gap", x, y + stretch->y, COLUMN_WIDTH, stretch->height, NULL);
        return;
    }
    colour = palette_find(p, m, range->region);
    snprintf(attributes, sizeof(attributes), "fill=\"%s\" stroke=\"%s\"", colour->fill, colour->line);
    describe_memory(range, range->address, memory, sizeof(memory));
    describe_flags(range, flags, sizeof(flags));
    canvas_group_begin(c, "%s to %s: %s%s, size %s", hex_text(start, range->address),
                       hex_text(end, (wide)range->address + range->size), memory, flags,
                       size_text(size, range->size));
    canvas_rectangle(c, "range", x, y + stretch->y, COLUMN_WIDTH, stretch->height, attributes);
    canvas_group_end(c);
}

static void draw_label(struct canvas *c, const struct stretch *stretch, int x, int y)
{
    const struct view_range *range = stretch->range;
    const char *name_style = stretch->differs ? "name middle halo" : "name middle";
    char memory[64], flags[16], size[SIZE_TEXT];
    int middle = y + stretch->y + stretch->height / 2;

    x += COLUMN_WIDTH / 2;
    if (!range) {
        canvas_text(c, stretch->differs ? "nothing halo" : "nothing", x, middle + 4, "%s",
                    size_text(size, stretch->last->end - stretch->first->start));
        return;
    }
    describe_memory(range, range->address, memory, sizeof(memory));
    describe_flags(range, flags, sizeof(flags));
    if (stretch->height >= 34) {
        canvas_text(c, name_style, x, middle - 2, "%s%s", memory, flags);
        canvas_text(c, stretch->differs ? "fine middle halo" : "fine middle", x, middle + 13, "%s",
                    size_text(size, range->size));
    } else {
        canvas_text(c, name_style, x, middle + 4, "%s%s", memory, flags);
    }
}

static void draw_boxes(struct canvas *c, const struct model *m, const struct palette *p,
                       const struct scale *scale, bool core, int x, int y)
{
    struct stretch stretch;

    for (size_t i = 0; i < scale->count; ) {
        i = next_stretch(scale, core, i, &stretch);
        draw_box(c, m, p, &stretch, x, y);
    }
    canvas_rectangle(c, "frame", x, y, COLUMN_WIDTH, scale->height, NULL);
}

static void draw_labels(struct canvas *c, const struct scale *scale, bool core, int x, int y)
{
    struct stretch stretch;

    for (size_t i = 0; i < scale->count; ) {
        i = next_stretch(scale, core, i, &stretch);
        draw_label(c, &stretch, x, y);
    }
}

static void draw_address(struct canvas *c, wide address, int right, int y)
{
    char hex[HEX_TEXT];

    canvas_text(c, "address", right - 8, y + 4, "%s", hex_text(hex, address));
    canvas_line(c, "tick", right - 5, y, right, y);
}

/* To the left of the column at `right`. */
static void draw_addresses(struct canvas *c, const struct scale *scale, int right, int y)
{
    for (size_t i = 0; i < scale->count; i++) {
        draw_address(c, scale->pieces[i].start, right, y + scale->pieces[i].y);
    }
    draw_address(c, scale->pieces[scale->count - 1].end, right, y + scale->height);
}

/* A stretch that differs, from piece `first` to `last`, and next to it what each says. */
static void draw_difference(struct canvas *c, const struct piece *first, const struct piece *last, int x,
                            int y)
{
    int columns = 2 * COLUMN_WIDTH + COLUMN_GAP;
    int height = last->y + last->height - first->y;
    int middle = y + first->y + height / 2;
    int left = x + columns + COLUMN_GAP;
    char model[64], core[64];

    describe_memory(first->model, first->start, model, sizeof(model));
    describe_memory(first->core, first->start, core, sizeof(core));
    canvas_rectangle(c, "hatch", x, y + first->y, COLUMN_WIDTH, height, NULL);
    canvas_rectangle(c, "hatch", x + COLUMN_WIDTH + COLUMN_GAP, y + first->y, COLUMN_WIDTH, height, NULL);
    canvas_line(c, "lead", x + columns, middle, left, middle);
    canvas_rectangle(c, "callout", left, middle - 17, CALLOUT_WIDTH, 34, "rx=\"4\"");
    canvas_text(c, "wrong", left + 8, middle - 4, "model");
    canvas_text(c, "wrong-name", left + 48, middle - 4, "%s", model);
    canvas_text(c, "wrong", left + 8, middle + 10, "core");
    canvas_text(c, "wrong-name", left + 48, middle + 10, "%s", core);
}

static void draw_split(struct canvas *c, const struct piece *piece, int x, int y)
{
    int left = x + (piece->split_in_core ? COLUMN_WIDTH + COLUMN_GAP : 0);
    int columns = 2 * COLUMN_WIDTH + COLUMN_GAP;

    canvas_line(c, "split", left, y + piece->y, left + COLUMN_WIDTH, y + piece->y);
    canvas_text(c, "wrong", x + columns + COLUMN_GAP, y + piece->y + 4, "split only in the %s",
                piece->split_in_core ? "core" : "model");
}

static void draw_differences(struct canvas *c, const struct scale *scale, int x, int y)
{
    for (size_t i = 0; i < scale->count; i++) {
        const struct piece *piece = &scale->pieces[i];

        if (piece->split_in_core || piece->split_in_model) {
            draw_split(c, piece, x, y);
        }
        if (piece->differs && !piece->continues) {
            const struct piece *last = piece;

            while (last + 1 < scale->pieces + scale->count && last[1].continues) {
                last++;
            }
            draw_difference(c, piece, last, x, y);
        }
    }
}

/* Spaces with equal roots share one FlatView object (R-FV-11). */
static int shares_view_with(const struct model *m, unsigned space)
{
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);
    unsigned identity = model_view(m, space)->identity;

    for (size_t i = 0; i < count && identity != 0; i++) {
        if (spaces[i] < space && model_view(m, spaces[i])->identity == identity) {
            return spaces[i];
        }
    }
    return OBSERVED_NONE;
}

void panel_draw(struct canvas *c, const struct model *m, const struct palette *p, unsigned space,
                const struct scale *scale, const struct view *core, int address_width, int x, int y)
{
    int model_x = x + address_width;
    int core_x = model_x + COLUMN_WIDTH + COLUMN_GAP;
    int other = shares_view_with(m, space);

    canvas_text(c, "heading", model_x, y + 14, "as%u", space);
    if (other != OBSERVED_NONE) {
        canvas_text(c, "note", model_x + 44, y + 14, "root r%d, same view as as%d",
                    model_space_root(m, space), other);
    } else {
        canvas_text(c, "note", model_x + 44, y + 14, "root r%d", model_space_root(m, space));
    }
    if (scale->differences) {
        canvas_text(c, "wrong-name", core_x, y + 14, "%u difference%s", scale->differences,
                    scale->differences == 1 ? "" : "s");
    }
    canvas_text(c, "head", model_x + COLUMN_WIDTH / 2, y + 36, "%s", core ? "model" : "model's view");
    y += HEAD_HEIGHT;
    draw_boxes(c, m, p, scale, false, model_x, y);
    if (core) {
        canvas_text(c, "head", core_x + COLUMN_WIDTH / 2, y - 8, "core");
        draw_boxes(c, m, p, scale, true, core_x, y);
        draw_differences(c, scale, model_x, y);
        draw_labels(c, scale, true, core_x, y);
    }
    draw_labels(c, scale, false, model_x, y);
    draw_addresses(c, scale, model_x, y);
}
