/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The left part of the picture: every live region as a box inside its container's, first sibling on top. */
#include "draw/parts.h"

#include <inttypes.h>
#include <string.h>

enum {
    BASE_WIDTH = 400,
    INDENT = 14,            /* what a box is narrower than the one around it, on the left */
    INSET = 8,              /* and on the right */
    HEADER_HEIGHT = 38,     /* two lines of text */
    SPACING = 6,
    STRIP_WIDTH = 7,
};

static const char *const kind_names[] = {
    [KIND_CONTAINER] = "container",
    [KIND_IO] = "io",
    [KIND_RESERVATION] = "reservation",
    [KIND_ALIAS] = "alias",
    [KIND_RAM] = "ram",
    [KIND_RAM_PTR] = "ram ptr",
    [KIND_RAM_DEVICE] = "ram device",
    [KIND_ROM_DEVICE] = "rom device",
    [KIND_IOMMU] = "iommu",
};

struct tree {
    struct canvas *canvas;
    const struct model *model;
    const struct palette *palette;
    int heights[TRACE_REGIONS];     /* of boxes, once known */
};

/* --- colours --------------------------------------------------------------- */

void palette_init(struct palette *p, const struct model *m)
{
    const uint16_t *slots;
    size_t count = model_regions(m, &slots);
    unsigned number = 0;

    memset(p, 0, sizeof(*p));
    for (size_t i = 0; i < count; i++) {
        struct model_region region;

        if (model_region(m, slots[i], &region) && region.kind != KIND_CONTAINER &&
            region.kind != KIND_ALIAS) {
            p->coloured[slots[i]] = true;
            p->colours[slots[i]] = colour_by_number(number++);
        }
    }
}

const struct colour *palette_find(const struct palette *p, const struct model *m, int region)
{
    static const struct colour plain = { "#f1f5f9", "#94a3b8" };

    /* a chain of aliases is no longer than there are regions */
    for (int links = 0; links < TRACE_REGIONS && region >= 0 && region < TRACE_REGIONS; links++) {
        struct model_region facts;

        if (p->coloured[region]) {
            return &p->colours[region];
        }
        if (!model_region(m, (unsigned)region, &facts) || facts.kind != KIND_ALIAS) {
            break;
        }
        region = facts.target;
    }
    return &plain;
}

/* --- measuring ------------------------------------------------------------- */

static int depth_of(const struct model *m, unsigned slot)
{
    struct model_region region;
    int depth = 0;

    while (model_region(m, slot, &region) && region.container != OBSERVED_NONE) {
        slot = (unsigned)region.container;
        depth++;
    }
    return depth;
}

int tree_width(const struct model *m)
{
    const uint16_t *slots;
    size_t count = model_regions(m, &slots);
    int deepest = 0;

    for (size_t i = 0; i < count; i++) {
        deepest = MAX(deepest, depth_of(m, slots[i]));
    }
    return BASE_WIDTH + deepest * (INDENT + INSET);
}

static int box_height(struct tree *t, unsigned slot)
{
    struct model_region region;
    int height = HEADER_HEIGHT;

    if (t->heights[slot] == 0 && model_region(t->model, slot, &region)) {
        for (size_t i = 0; i < region.children; i++) {
            height += box_height(t, (unsigned)model_child(t->model, slot, i)) + SPACING;
        }
        t->heights[slot] = height + (region.children ? SPACING : 0);
    }
    return t->heights[slot];
}

/* --- drawing --------------------------------------------------------------- */

/* Spaces whose root this is, and the priority, on the first line. */
static void draw_upper_chips(struct tree *t, unsigned slot, const struct model_region *region, int right,
                             int y)
{
    enum { NAMED_MAX = 2 };     /* a box has no room for more */
    const uint16_t *spaces;
    size_t count = model_spaces(t->model, &spaces);
    unsigned rooted = 0;
    char text[32];
    GString *names = g_string_new("root of");

    if (region->container != OBSERVED_NONE) {
        snprintf(text, sizeof(text), "priority %" PRId32, region->priority);
        right = canvas_chip(t->canvas, "chip", right, y, text) - 4;
    }
    for (size_t i = 0; i < count; i++) {
        if (model_space_root(t->model, spaces[i]) == (int)slot && ++rooted <= NAMED_MAX) {
            g_string_append_printf(names, " as%u", spaces[i]);
        }
    }
    if (rooted > NAMED_MAX) {
        g_string_append_printf(names, " +%u", rooted - NAMED_MAX);
    }
    if (rooted) {
        canvas_chip(t->canvas, "space", right, y, names->str);
    }
    g_string_free(names, TRUE);
}

/* What is set on the region, on the second line. */
static void draw_lower_chips(struct tree *t, const struct model_region *region, int right, int y)
{
    char owner[16];
    const struct {
        bool shown;
        const char *text;
    } chips[] = {
        { region->owner != OBSERVED_NONE, owner },
        { region->readonly, "ro" },
        { region->nonvolatile, "nv" },
        { region->kind == KIND_ROM_DEVICE && !region->romd, "romd off" },
        { region->vga_log_count > 0, "log" },
        { region->eventfds > 0, "eventfds" },
        { region->coalesced > 0, "coalesced" },
        { region->references > 0, "ref" },
    };

    snprintf(owner, sizeof(owner), "o%d", region->owner);
    if (!region->enabled) {
        right = canvas_chip(t->canvas, "off", right, y, "disabled") - 4;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(chips); i++) {
        if (chips[i].shown) {
            right = canvas_chip(t->canvas, "chip", right, y, chips[i].text) - 4;
        }
    }
}

static void draw_frame(struct tree *t, unsigned slot, const struct model_region *region, int x, int y,
                       int width, int height)
{
    const struct colour *colour = palette_find(t->palette, t->model, (int)slot);
    const char *faded = region->enabled ? "" : " opacity=\"0.45\"";
    char attributes[96];

    if (region->kind == KIND_CONTAINER) {
        snprintf(attributes, sizeof(attributes), "rx=\"5\"%s", faded);
        canvas_rectangle(t->canvas, "container", x, y, width, height, attributes);
        return;
    }
    if (region->kind == KIND_ALIAS) {
        snprintf(attributes, sizeof(attributes), "rx=\"5\"%s", faded);
        canvas_rectangle(t->canvas, "alias", x, y, width, height, attributes);
        snprintf(attributes, sizeof(attributes), "rx=\"2\" fill=\"%s\" stroke=\"%s\"", colour->fill,
                 colour->line);
        canvas_rectangle(t->canvas, "region", x + 4, y + 5, STRIP_WIDTH, HEADER_HEIGHT - 10, attributes);
        return;
    }
    snprintf(attributes, sizeof(attributes), "rx=\"5\" fill=\"%s\" stroke=\"%s\"%s", colour->fill,
             colour->line, faded);
    canvas_rectangle(t->canvas, "region", x, y, width, height, attributes);
}

static void draw_text(struct tree *t, unsigned slot, const struct model_region *region, int x, int y)
{
    char address[HEX_TEXT], size[SIZE_TEXT];
    int left = x + (region->kind == KIND_ALIAS ? 18 : 10);

    canvas_text(t->canvas, "name", left, y + 16, "r%u", slot);
    if (region->kind == KIND_ALIAS) {
        canvas_text(t->canvas, "kind", left + 50, y + 16, "alias \xe2\x86\x92 r%d + %s", region->target,
                    hex_text(address, region->alias_offset));
    } else {
        canvas_text(t->canvas, "kind", left + 50, y + 16, "%s%s", kind_names[region->kind],
                    region->named ? "" : ", unnamed");
    }
    size_text(size, region->size);
    if (region->container != OBSERVED_NONE) {
        canvas_text(t->canvas, "fine", left, y + 31, "at %s size %s", hex_text(address, region->address),
                    size);
    } else {
        canvas_text(t->canvas, "fine", left, y + 31, "size %s", size);
    }
}

static void draw_box(struct tree *t, unsigned slot, int x, int y, int width)
{
    struct model_region region;
    int inner = y + HEADER_HEIGHT;

    if (!model_region(t->model, slot, &region)) {
        return;
    }
    canvas_group_begin(t->canvas, "r%u: %s%s", slot, kind_names[region.kind],
                       region.enabled ? "" : ", disabled");
    draw_frame(t, slot, &region, x, y, width, box_height(t, slot));
    canvas_group_end(t->canvas);
    draw_text(t, slot, &region, x, y);
    draw_upper_chips(t, slot, &region, x + width - 6, y + 4);
    draw_lower_chips(t, &region, x + width - 6, y + 21);
    for (size_t i = 0; i < region.children; i++) {
        unsigned child = (unsigned)model_child(t->model, slot, i);

        draw_box(t, child, x + INDENT, inner, width - INDENT - INSET);
        inner += box_height(t, child) + SPACING;
    }
}

static bool roots_a_space(const struct model *m, unsigned slot)
{
    const uint16_t *spaces;
    size_t count = model_spaces(m, &spaces);

    for (size_t i = 0; i < count; i++) {
        if (model_space_root(m, spaces[i]) == (int)slot) {
            return true;
        }
    }
    return false;
}

/* The boxes that are in no other; those of spaces come first. */
static int draw_top_level(struct tree *t, bool of_spaces, int x, int y, int width)
{
    const uint16_t *slots;
    size_t count = model_regions(t->model, &slots);
    int top = y;

    for (size_t i = 0; i < count; i++) {
        struct model_region region;

        if (model_region(t->model, slots[i], &region) && region.container == OBSERVED_NONE &&
            roots_a_space(t->model, slots[i]) == of_spaces) {
            draw_box(t, slots[i], x, y, width);
            y += box_height(t, slots[i]) + SPACING;
        }
    }
    return y - top;
}

int tree_draw(struct canvas *c, const struct model *m, const struct palette *p, int x, int y)
{
    struct tree *t = g_new0(struct tree, 1);
    int width = tree_width(m), top = y, loose;

    t->canvas = c;
    t->model = m;
    t->palette = p;
    canvas_text(c, "heading", x, y + 14, "Regions");
    y += 26;
    y += draw_top_level(t, true, x, y, width);
    canvas_text(c, "note", x, y + 16, "in no container, root of no space:");
    loose = draw_top_level(t, false, x, y + 24, width);
    if (loose == 0) {
        canvas_text(c, "note", x + 205, y + 16, "none");
    }
    y += 24 + loose;
    g_free(t);
    return y - top;
}
