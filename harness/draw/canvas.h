/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SVG by the piece.  Pieces are kept until the end, when the size of the picture is known. */
#ifndef HARNESS_DRAW_CANVAS_H
#define HARNESS_DRAW_CANVAS_H

#include <glib.h>
#include <stdio.h>

#include "model/observation.h"

struct canvas {
    GString *body;
    int right, bottom;      /* the farthest that was drawn */
};

void canvas_init(struct canvas *c);
/* Writes the document and gives the memory back. */
void canvas_finish(struct canvas *c, FILE *out);

struct colour {
    char fill[8], line[8];  /* "#a0b0c0" */
};

/* `style` names a class of canvas.c's style sheet; further attributes may be NULL. */
void canvas_rectangle(struct canvas *c, const char *style, int x, int y, int width, int height,
                      const char *attributes);
void canvas_line(struct canvas *c, const char *style, int x1, int y1, int x2, int y2);

/* Text with its baseline at y; the text may contain anything.  `style` decides the anchor. */
__attribute__((format(printf, 5, 6)))
void canvas_text(struct canvas *c, const char *style, int x, int y, const char *format, ...);

/* What a pointer that rests on the pieces in between is told. */
__attribute__((format(printf, 2, 3)))
void canvas_group_begin(struct canvas *c, const char *tooltip, ...);
void canvas_group_end(struct canvas *c);

/* A small label in a rounded box whose right edge is at `right`; returns its left edge. */
int canvas_chip(struct canvas *c, const char *style, int right, int y, const char *text);

/* Width that text of that many characters takes at most in the fixed-width font of that size. */
int text_width(size_t characters, int font_size);

/* The i-th colour; after 32 they come again. */
struct colour colour_by_number(unsigned i);

/* "0x1000", "2^64"; "0x1000 (4 KiB)".  Buffers hold at least HEX_TEXT and SIZE_TEXT bytes. */
enum { HEX_TEXT = 24, SIZE_TEXT = 48 };
const char *hex_text(char *buffer, wide number);
const char *size_text(char *buffer, wide size);

#endif
