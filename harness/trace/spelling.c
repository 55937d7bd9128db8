/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/spelling.h"

#include <string.h>

enum { WORD_MAX = 32 };     /* longer words are nobody's typing mistake */

static unsigned least(unsigned x, unsigned y)
{
    return x < y ? x : y;
}

/*
 * Edits that turn one word into the other: a letter more, less or different, or
 * two neighbours swapped, each counts 1.
 */
static unsigned distance(const char *x, size_t x_length, const char *y, size_t y_length)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *current = rows[2];

    for (size_t j = 0; j <= y_length; j++) {
        above[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= x_length; i++) {
        unsigned *spare = before;

        current[0] = (unsigned)i;
        for (size_t j = 1; j <= y_length; j++) {
            unsigned change = above[j - 1] + (x[i - 1] != y[j - 1]);

            current[j] = least(change, least(above[j], current[j - 1]) + 1);
            if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1]) {
                current[j] = least(current[j], before[j - 2] + 1);
            }
        }
        before = above;
        above = current;
        current = spare;
    }
    return above[y_length];
}

void spelling_start(struct spelling *s, const char *word, size_t length)
{
    *s = (struct spelling){ .word = word, .length = length, .distance = (unsigned)-1 };
}

void spelling_try(struct spelling *s, const char *candidate)
{
    size_t length = strlen(candidate);

    if (s->length <= WORD_MAX && length <= WORD_MAX) {
        unsigned d = distance(s->word, s->length, candidate, length);

        if (d < s->distance) {
            s->distance = d;
            s->best = candidate;
        }
    }
}

const char *spelling_nearest(const struct spelling *s)
{
    /* a third of the letters may be wrong, but never all of them */
    unsigned allowed = (unsigned)(s->length + 2) / 3;

    return s->best && s->distance <= allowed && s->distance < s->length ? s->best : NULL;
}

const char *spelling_quote(char buffer[SPELLING_QUOTED], const char *word, size_t length)
{
    size_t room = SPELLING_QUOTED - sizeof("'...'");
    size_t shown = length <= room ? length : room;
    size_t used = 0;

    buffer[used++] = '\'';
    for (size_t i = 0; i < shown; i++) {
        buffer[used++] = word[i] > ' ' && word[i] < 0x7f ? word[i] : '?';
    }
    if (shown < length) {
        memcpy(buffer + used, "...", 3);
        used += 3;
    }
    buffer[used++] = '\'';
    buffer[used] = '\0';
    return buffer;
}
