/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/import.h"

#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "import/mtree.h"

void *import_calloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);

    if (!memory) {
        fputs("import: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *import_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity ? *capacity * 2 : 16;
    array = realloc(array, *capacity * size);
    if (!array) {
        fputs("import: out of memory\n", stderr);
        abort();
    }
    return array;
}

const char *import_shown_name(const char *name)
{
    return name ? name : "(null)";
}

void import_note(struct import *im, unsigned line, const char *format, ...)
{
    char text[400];
    va_list arguments;

    if (im->note_count == IMPORT_NOTES_MAX) {
        im->notes_left_out++;
        return;
    }
    if (!im->notes) {
        im->notes = import_calloc(IMPORT_NOTES_MAX, sizeof(*im->notes));
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    im->notes[im->note_count] = (struct import_note){ line, import_calloc(1, strlen(text) + 1) };
    strcpy(im->notes[im->note_count++].text, text);
}

/* By line, equal lines in the order in which they were made. */
static void sort_notes(struct import *im)
{
    for (size_t i = 1; i < im->note_count; i++) {
        struct import_note note = im->notes[i];
        size_t k = i;

        for (; k > 0 && im->notes[k - 1].line > note.line; k--) {
            im->notes[k] = im->notes[k - 1];
        }
        im->notes[k] = note;
    }
}

/* Names end up in traces and on terminals: UTF-8, and no control characters but tabs. */
static bool is_text(const char *text, size_t size, struct import_error *error)
{
    unsigned line = 1, column = 1;
    const char *valid_end;

    g_utf8_validate_len(text, size, &valid_end);
    for (size_t i = 0; i < size; i++, column++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte == '\n') {
            line++;
            column = 0;
        } else if (byte == '\r' && (i + 1 == size || text[i + 1] == '\n')) {
            continue;
        } else if (byte == 0x7f || (byte < ' ' && byte != '\t') || text + i == valid_end) {
            *error = (struct import_error){ .line = line, .column = column };
            snprintf(error->message, sizeof(error->message),
                     "expected text as `info mtree` prints it, found a byte 0x%02x", byte);
            return false;
        }
    }
    return true;
}

struct import *import_read(const char *text, size_t size, const struct import *earlier,
                           struct import_error *error)
{
    struct mtree t = { .nodes = NULL };
    struct import *im;
    bool good;

    *error = (struct import_error){ .line = 0 };
    if (size > IMPORT_TEXT_MAX) {
        snprintf(error->message, sizeof(error->message), "expected at most %d bytes, found %zu",
                 IMPORT_TEXT_MAX, size);
        return NULL;
    }
    if (!is_text(text, size, error)) {
        return NULL;
    }
    im = import_calloc(1, sizeof(*im));
    im->text = import_calloc(size + 1, 1);
    memcpy(im->text, text, size);
    good = mtree_parse(&t, im, error) && mtree_identify(&t, im, error);
    mtree_free(&t);
    if (!good) {
        import_free(im);
        return NULL;
    }
    import_explain(im, earlier);
    sort_notes(im);
    return im;
}

void import_free(struct import *im)
{
    if (!im) {
        return;
    }
    for (size_t i = 0; i < im->region_count; i++) {
        free(im->regions[i].children);
    }
    for (size_t i = 0; i < im->view_count; i++) {
        free(im->views[i].spaces);
        free(im->views[i].ranges);
    }
    for (size_t i = 0; i < im->note_count; i++) {
        free(im->notes[i].text);
    }
    free(im->regions);
    free(im->spaces);
    free(im->views);
    free(im->notes);
    free(im->text);
    free(im);
}
