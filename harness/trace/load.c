/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of either form. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "trace/load.h"
#include "trace/table.h"

/* The longest trace is a quarter of a megabyte in binary and some 3 in text: the rest is for comments. */
enum { FILE_SIZE_MAX = 16 << 20 };

/* Printable, or what divides words and lines. */
static bool is_text_byte(uint8_t byte)
{
    return (byte >= ' ' && byte < 0x7f) || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Bytes that no text has: control characters, and what is not UTF-8. */
static size_t count_strange_bytes(const uint8_t *bytes, size_t size)
{
    size_t strange = 0, length;

    for (size_t at = 0; at < size; at += length) {
        const char *character = (const char *)bytes + at;

        length = 1;
        if (bytes[at] < 0x80) {
            strange += !is_text_byte(bytes[at]);
        } else if ((gint32)g_utf8_get_char_validated(character, (gssize)(size - at)) < 0) {
            strange++;
        } else {
            length = (size_t)(g_utf8_next_char(character) - character);
        }
    }
    return strange;
}

/*
 * Broken text must be complained about, not run as garbage, so a few strange
 * bytes do not make a file binary.  Binary does not look like text by chance: of
 * random bytes some 40 % are printable, and records as written are mostly zeros.
 */
static bool looks_like_text(const char *path, const uint8_t *data, size_t size)
{
    return size > 0 && (g_str_has_suffix(path, ".trace") || count_strange_bytes(data, size) <= size / 4);
}

/* To the end of the file.  Otherwise one line on stderr and false. */
static bool read_all(FILE *file, const char *name, size_t size_max, const char *what, GByteArray *content)
{
    size_t got;

    do {
        uint8_t block[65536];

        got = fread(block, 1, sizeof(block), file);
        g_byte_array_append(content, block, (guint)got);
    } while (got > 0 && content->len <= size_max);
    if (ferror(file)) {
        fprintf(stderr, "%s: cannot be read: %s\n", name, g_strerror(errno));
        return false;
    }
    if (content->len > size_max) {
        fprintf(stderr, "%s: longer than %zu MiB, which no %s is\n", name, size_max >> 20, what);
        return false;
    }
    return true;
}

const char *load_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

bool load_file(const char *path, size_t size_max, const char *what, uint8_t **data, size_t *size)
{
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "rb");
    GByteArray *content;
    bool read;

    *data = NULL;
    *size = 0;
    if (!file) {
        fprintf(stderr, "%s: cannot be opened: %s\n", path, g_strerror(errno));
        return false;
    }
    content = g_byte_array_new();
    read = read_all(file, load_name(path), size_max, what, content);
    if (read) {
        *size = content->len;
    }
    *data = g_byte_array_free(content, !read);
    if (!standard_input) {
        fclose(file);
    }
    return read;
}

bool trace_read_file(const char *path, uint8_t **data, size_t *size)
{
    return load_file(path, FILE_SIZE_MAX, "trace", data, size);
}

bool trace_from_file(struct trace *t, const char *path, const uint8_t *data, size_t size,
                     enum trace_form *form)
{
    struct trace_error error;

    if (*form == TRACE_FORM_GUESS) {
        *form = looks_like_text(path, data, size) ? TRACE_FORM_TEXT : TRACE_FORM_BINARY;
    }
    if (*form == TRACE_FORM_BINARY) {
        trace_decode(t, data, size);
        return true;
    }
    if (!trace_parse(t, (const char *)data, size, &error)) {
        fprintf(stderr, "%s:%u:%u: %s\n", load_name(path), error.line, error.column, error.message);
        return false;
    }
    return true;
}

bool trace_load(struct trace *t, const char *path)
{
    enum trace_form form = TRACE_FORM_GUESS;
    uint8_t *data;
    size_t size;
    bool loaded;

    t->count = 0;
    t->groups = TRACE_GROUP_BIT(TRACE_GROUP_TREE);
    loaded = trace_read_file(path, &data, &size) && trace_from_file(t, path, data, size, &form);
    g_free(data);
    return loaded;
}
