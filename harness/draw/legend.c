/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draw/parts.h"

enum { SAMPLE_WIDTH = 26, SAMPLE_HEIGHT = 14, ENTRY_GAP = 26 };

/* A sample with words to its right; returns where the next may begin. */
static int entry(struct canvas *c, const char *style, const char *attributes, const char *words, int x, int y)
{
    canvas_rectangle(c, style, x, y, SAMPLE_WIDTH, SAMPLE_HEIGHT, attributes);
    canvas_text(c, "note", x + SAMPLE_WIDTH + 8, y + 11, "%s", words);
    return x + SAMPLE_WIDTH + 8 + (int)g_utf8_strlen(words, -1) * 6 + ENTRY_GAP;
}

void legend_draw(struct canvas *c, bool compared, int x, int y)
{
    struct colour colour = colour_by_number(0);
    char attributes[64];
    int at = x;

    snprintf(attributes, sizeof(attributes), "rx=\"3\" fill=\"%s\" stroke=\"%s\"", colour.fill, colour.line);
    at = entry(c, "container", "rx=\"3\"", "container", at, y);
    at = entry(c, "region", attributes, "region that answers, in its colour", at, y);
    at = entry(c, "alias", "rx=\"3\"", "alias, with its target's colour", at, y);
    at = entry(c, "gap", NULL, "nothing answers", at, y);
    if (compared) {
        entry(c, "hatch", NULL, "core and model differ", at, y);
    }
    canvas_text(c, "note", x, y + 34, "Siblings: the upper one wins where they overlap.  "
                "Addresses are not to scale: every start and end of a range gets its own line.");
    canvas_text(c, "note", x, y + 52, "ro read-only, nv non-volatile, log dirty logging, oN owner; "
                "rN + 0xM: offset 0xM in region rN; sizes in hexadecimal.");
}
