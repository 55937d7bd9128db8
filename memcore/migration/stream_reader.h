/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the small pieces of a migration stream in a regular file: numbers, strings,
 * skips.  Every function returns false with an Error when the file ends too early or
 * cannot be read; `what` names the piece in it.
 */
#ifndef MEMCORE_MIGRATION_STREAM_READER_H
#define MEMCORE_MIGRATION_STREAM_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qapi/error.h"

typedef struct {
    int fd;
    uint64_t size;              /* of the file */
    uint64_t position;          /* of the next byte; never beyond size */
    uint64_t window_start;      /* what `window` holds */
    size_t window_length;
    uint8_t window[4096];
} StreamReader;

/* Refuses what is not a regular file, which might block or have no size. */
bool stream_reader_start(StreamReader *reader, int fd, uint64_t position, Error **errp);

bool stream_read(StreamReader *reader, void *to, size_t length, const char *what, Error **errp);
bool stream_read_u8(StreamReader *reader, uint8_t *value, const char *what, Error **errp);
bool stream_read_be16(StreamReader *reader, uint16_t *value, const char *what, Error **errp);
bool stream_read_be32(StreamReader *reader, uint32_t *value, const char *what, Error **errp);
bool stream_read_be64(StreamReader *reader, uint64_t *value, const char *what, Error **errp);

/* `length` bytes without NUL among them, as a new string (g_free); length 1 to 255. */
bool stream_read_text(StreamReader *reader, uint32_t length, char **text, const char *what, Error **errp);
/* A length byte, then that many bytes. */
bool stream_read_counted(StreamReader *reader, char **text, const char *what, Error **errp);

/* The next byte, which stays the next one. */
bool stream_peek(StreamReader *reader, uint8_t *value, const char *what, Error **errp);

/*
 * `length` bytes at `offset` of the file: loops over short reads and interruptions
 * (R-MLD-4).  0, -errno, or -ENODATA where the file ends.
 */
int file_read_at(int fd, void *to, size_t length, uint64_t offset);

/* Names come from the file: what is not printable ASCII becomes an escape.  g_free. */
char *printable(const char *name);

#endif
