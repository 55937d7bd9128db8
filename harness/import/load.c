/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "import/mtree.h"

/* The whole stream, or NULL with errno set; EFBIG when it is longer than a text may be. */
static char *read_stream(FILE *in, size_t *size)
{
    size_t capacity = 0;
    char *text = import_grow(NULL, 0, &capacity, 1);

    *size = 0;
    for (;;) {
        *size += fread(text + *size, 1, capacity - *size, in);
        if (ferror(in) || *size > IMPORT_TEXT_MAX) {
            errno = ferror(in) ? errno : EFBIG;
            free(text);
            return NULL;
        }
        if (*size < capacity) {
            return text;
        }
        text = import_grow(text, *size, &capacity, 1);
    }
}

struct import *import_load(const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "rb");
    struct import_error error;
    struct import *im;
    char *text;
    size_t size;

    text = in ? read_stream(in, &size) : NULL;
    if (!text) {
        fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
    }
    if (in && !standard) {
        fclose(in);
    }
    if (!text) {
        return NULL;
    }
    im = import_read(text, size, NULL, &error);
    free(text);
    if (!im && error.line) {
        fprintf(stderr, "%s:%u:%u: %s\n", path, error.line, error.column, error.message);
    } else if (!im) {
        fprintf(stderr, "%s: %s\n", path, error.message);
    }
    return im;
}
