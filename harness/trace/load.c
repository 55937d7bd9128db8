/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of either form. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "trace/load.h"
#include "trace/table.h"

/* The longest trace is a quarter of a megabyte in binary and some 3 in text: the rest is for comments. */
enum { FILE_SIZE_MAX = 16 << 20 };

static bool is_text_byte(unsigned char byte)
{
    return (byte >= ' ' && byte != 0x7f) || byte == '\t' || byte == '\n' || byte == '\r';
}

static const char *skip_blank_space(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at)) {
        at++;
    }
    return at;
}

/*
 * Does the text begin with a comment or with a word of two letters or more, set
 * off from what follows?  Not only known words: a first operation that
 * is misspelt is to be complained about, not run as garbage.
 */
static bool starts_like_trace(const char *text, const char *end)
{
    const char *word = skip_blank_space(text, end);
    const char *at = word;

    if (at == end) {
        return false;
    }
    if (*at == '#') {
        return true;
    }
    while (at < end && (g_ascii_islower(*at) || *at == '_')) {
        at++;
    }
    return at - word >= 2 && (at == end || strchr(" \t\r\n#", *at));
}

bool trace_looks_like_text(const char *path, const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;

    if (size == 0 || g_str_has_suffix(path, ".trace")) {
        return size > 0;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_text_byte(bytes[i])) {
            return false;
        }
    }
    return g_utf8_validate(data, (gssize)size, NULL) && starts_like_trace(data, data + size);
}

/* To the end of the file.  Otherwise one line on stderr and false. */
static bool read_all(FILE *file, const char *name, GByteArray *content)
{
    size_t got;

    do {
        uint8_t block[65536];

        got = fread(block, 1, sizeof(block), file);
        g_byte_array_append(content, block, (guint)got);
    } while (got > 0 && content->len <= FILE_SIZE_MAX);
    if (ferror(file)) {
        fprintf(stderr, "%s: cannot be read: %s\n", name, g_strerror(errno));
        return false;
    }
    if (content->len > FILE_SIZE_MAX) {
        fprintf(stderr, "%s: longer than %d MiB, which no trace is\n", name, FILE_SIZE_MAX >> 20);
        return false;
    }
    return true;
}

static const char *name_of(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

bool trace_read_file(const char *path, uint8_t **data, size_t *size)
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
    read = read_all(file, name_of(path), content);
    if (read) {
        *size = content->len;
    }
    *data = g_byte_array_free(content, !read);
    if (!standard_input) {
        fclose(file);
    }
    return read;
}

bool trace_from_file(struct trace *t, const char *path, const uint8_t *data, size_t size)
{
    struct trace_error error;

    if (!trace_looks_like_text(path, data, size)) {
        trace_decode(t, data, size);
        return true;
    }
    if (!trace_parse(t, (const char *)data, size, &error)) {
        fprintf(stderr, "%s:%u:%u: %s\n", name_of(path), error.line, error.column, error.message);
        return false;
    }
    return true;
}

bool trace_load(struct trace *t, const char *path)
{
    uint8_t *data;
    size_t size;
    bool loaded;

    t->count = 0;
    t->groups = TRACE_GROUP_BIT(TRACE_GROUP_TREE);
    loaded = trace_read_file(path, &data, &size) && trace_from_file(t, path, data, size);
    g_free(data);
    return loaded;
}
