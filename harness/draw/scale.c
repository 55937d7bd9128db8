/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw/scale.h"

#include <glib.h>
#include <stdlib.h>

enum {
    MANY_PIECES = 90,
    COMPACT_HEIGHT = 16,
    CALLOUT_HEIGHT = 38,    /* two lines that say what differs */
};
static const wide space_end = (wide)1 << 64;

static int by_number(const void *x, const void *y)
{
    const wide p = *(const wide *)x, q = *(const wide *)y;

    return p < q ? -1 : p > q;
}

static wide range_end(const struct view_range *range)
{
    return (wide)range->address + range->size;
}

static size_t add_ends(wide *cuts, size_t count, const struct view *view)
{
    for (size_t i = 0; view && i < view->count; i++) {
        cuts[count++] = view->ranges[i].address;
        cuts[count++] = range_end(&view->ranges[i]);
    }
    return count;
}

/* The range that holds the address: the first, for a broken core's ranges may overlap, in any order. */
static const struct view_range *range_at(const struct view *view, wide address)
{
    for (size_t i = 0; view && i < view->count; i++) {
        if (address >= view->ranges[i].address && address < range_end(&view->ranges[i])) {
            return &view->ranges[i];
        }
    }
    return NULL;
}

/* The offset in the range's region that the address has, modulo 2^64. */
static uint64_t offset_at(const struct view_range *range, wide address)
{
    return range->offset + (uint64_t)address - range->address;
}

static bool same_memory(const struct view_range *x, const struct view_range *y, wide address)
{
    if (!x || !y) {
        return x == y;
    }
    return x->region == y->region && offset_at(x, address) == offset_at(y, address);
}

static int logarithm(wide size)
{
    int bits = 0;

    while (size > 1) {
        size >>= 1;
        bits++;
    }
    return bits;
}

static int piece_height(const struct piece *piece, bool compact)
{
    int bits = logarithm(piece->end - piece->start);
    int height;

    if (compact) {
        height = COMPACT_HEIGHT;
    } else if (!piece->model && !piece->core) {
        height = 20 + bits / 3;
    } else {
        height = 24 + (bits < 32 ? bits : 32);
    }
    return piece->differs && !piece->continues && height < CALLOUT_HEIGHT ? CALLOUT_HEIGHT : height;
}

/* Does the column's text break between the two pieces? */
static bool splits(const struct view_range *before, const struct view_range *after, wide address)
{
    return before != after && before && after && address == after->address;
}

static void compare(struct scale *s, const struct view *core)
{
    for (size_t i = 0; core && i < s->count; i++) {
        struct piece *piece = &s->pieces[i];
        const struct piece *before = i > 0 ? piece - 1 : NULL;

        piece->differs = !same_memory(piece->model, piece->core, piece->start);
        if (before && piece->differs && before->differs) {
            piece->continues = same_memory(before->model, piece->model, piece->start) &&
                               same_memory(before->core, piece->core, piece->start);
        }
        if (before && !piece->differs && !before->differs) {
            bool in_model = splits(before->model, piece->model, piece->start);
            bool in_core = splits(before->core, piece->core, piece->start);

            piece->split_in_model = in_model && !in_core;
            piece->split_in_core = in_core && !in_model;
        }
        s->differences += piece->differs && !piece->continues;
        s->differences += piece->split_in_model || piece->split_in_core;
    }
}

void scale_init(struct scale *s, const struct view *model, const struct view *core)
{
    size_t most = 2 * (model->count + (core ? core->count : 0)) + 2;
    wide *cuts = g_new(wide, most);
    size_t count = 0;

    *s = (struct scale){ .pieces = g_new0(struct piece, most) };
    cuts[count++] = 0;
    cuts[count++] = space_end;
    count = add_ends(cuts, count, model);
    count = add_ends(cuts, count, core);
    qsort(cuts, count, sizeof(*cuts), by_number);
    for (size_t i = 0; i + 1 < count; i++) {
        if (cuts[i] < cuts[i + 1]) {
            struct piece *piece = &s->pieces[s->count++];

            piece->start = cuts[i];
            piece->end = cuts[i + 1];
            piece->model = range_at(model, cuts[i]);
            piece->core = range_at(core, cuts[i]);
        }
    }
    g_free(cuts);
    compare(s, core);
    s->compact = s->count > MANY_PIECES;
    for (size_t i = 0; i < s->count; i++) {
        s->pieces[i].y = s->height;
        s->pieces[i].height = piece_height(&s->pieces[i], s->compact);
        s->height += s->pieces[i].height;
    }
}

void scale_free(struct scale *s)
{
    g_free(s->pieces);
    *s = (struct scale){ 0 };
}
