/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "snapshot/hex.h"

#include <stdint.h>
#include <string.h>

enum { REPEATED_MAX = 1 << 20 };

/* Behind the word at `text`, whose bytes are added; NULL: it is none. */
static const char *word(GByteArray *bytes, const char *text)
{
    if (*text == '"') {
        const char *end = strchr(text + 1, '"');

        if (end) {
            g_byte_array_append(bytes, (const guint8 *)text + 1, (guint)(end - text - 1));
        }
        return end ? end + 1 : NULL;
    }
    if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1])) {
        return NULL;
    }
    const guint8 value = (guint8)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
    gint64 count = 1;

    text += 2;
    if (*text == '*') {
        char *end;

        count = g_ascii_strtoll(text + 1, &end, 10);
        if (end == text + 1 || count < 1 || count > REPEATED_MAX) {
            return NULL;
        }
        text = end;
    }
    for (; count > 0; count--) {
        g_byte_array_append(bytes, &value, 1);
    }
    return text;
}

GByteArray *hex_parse(const char *text, unsigned *line)
{
    GByteArray *bytes = g_byte_array_new();

    *line = 1;
    while (*text) {
        if (*text == '#') {
            text += strcspn(text, "\n");
        } else if (g_ascii_isspace(*text)) {
            *line += *text++ == '\n';
        } else {
            text = word(bytes, text);
            if (!text) {
                g_byte_array_unref(bytes);
                return NULL;
            }
        }
    }
    return bytes;
}
