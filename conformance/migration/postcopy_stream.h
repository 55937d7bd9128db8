/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams with postcopy, written and read byte by byte after the specification (R-WIRE-*). */
#ifndef CONFORMANCE_MIGRATION_POSTCOPY_STREAM_H
#define CONFORMANCE_MIGRATION_POSTCOPY_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "migration/migration.h"

/* Adds `size` bytes, highest first; a counted name; hex digits with spaces. */
void put(GByteArray *bytes, uint64_t value, unsigned size);
void put_name(GByteArray *bytes, const char *name);
void put_hex(GByteArray *bytes, const char *hex);

void put_begin(GByteArray *bytes, const char *machine);
void put_command(GByteArray *bytes, uint16_t command, const void *payload, size_t length);
void put_command_u32(GByteArray *bytes, uint16_t command, uint32_t value);
void put_advise(GByteArray *bytes, uint64_t page_sizes, uint64_t target_page);
void put_discard(GByteArray *bytes, const char *name, uint64_t start, uint64_t length);
void put_package(GByteArray *bytes, const char *devices);
/* START with one block, or with those that `list` has after the first word. */
void put_start(GByteArray *bytes, const char *name, uint64_t length);
void put_section(GByteArray *bytes, uint8_t type);
void put_section_end(GByteArray *bytes);
/* `fill` < 0: a zero page; `name` NULL: CONTINUE. */
void put_page(GByteArray *bytes, const char *name, uint64_t offset, int fill);

/* A transport that receives `in`, to its end, and keeps what is sent. */
typedef struct {
    GByteArray *in, *out;
    size_t at;
    bool shut;
} Tape;
MigrationTransport tape_transport(Tape *tape);
void tape_start(Tape *tape);
void tape_end(Tape *tape);

/* The bytes in hex, groups of them as they come; g_free. */
char *hex_of(const GByteArray *bytes);

/*
 * What a source sent, in a letter each: C and the number of a command, S[tart], P[art], E[nd], F (EOF); pages are told
 * to `page`.  False: it is no stream of R-WIRE-6.
 */
typedef struct {
    GString *records;
    void (*page)(void *opaque, const char *name, uint64_t offset, const uint8_t *data);     /* data NULL: zeroes */
    void (*discard)(void *opaque, const char *name, uint64_t start, uint64_t length);
    void *opaque;
    GArray *discard_lengths;    /* of guint16: the commands' payloads */
    GString *pings;             /* their numbers, each with a space behind it */
} StreamReading;
bool read_stream(const GByteArray *bytes, StreamReading *reading);

#endif
