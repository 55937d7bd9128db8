/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help for people who mistype: the nearest known word, and safe quoting of what they wrote. */
#ifndef HARNESS_TRACE_SPELLING_H
#define HARNESS_TRACE_SPELLING_H

#include <stddef.h>

/* The candidate that differs least from the word, or NULL if none is close enough to be meant. */
struct spelling {
    const char *word;
    size_t length;
    const char *best;
    unsigned distance;
};
void spelling_start(struct spelling *s, const char *word, size_t length);
void spelling_try(struct spelling *s, const char *candidate);
const char *spelling_nearest(const struct spelling *s);

/* The word in quotes, cut when long, unprintable bytes as '?'.  Returns the buffer. */
enum { SPELLING_QUOTED = 36 };
const char *spelling_quote(char buffer[SPELLING_QUOTED], const char *word, size_t length);

#endif
