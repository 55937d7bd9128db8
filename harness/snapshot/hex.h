/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes as text, for corpora that people review: two hexadecimal digits a byte, XX*N for N
 * times the same, "..." for characters; blanks and line ends between; `#` to the end of a line
 * is a comment.
 */
#ifndef HARNESS_SNAPSHOT_HEX_H
#define HARNESS_SNAPSHOT_HEX_H

#include <glib.h>

/* To be freed with g_byte_array_unref(); NULL, and the number of the bad line, if `text` is anything else. */
GByteArray *hex_parse(const char *text, unsigned *line);

#endif
