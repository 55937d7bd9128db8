/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of a migration with postcopy as bytes (R-WIRE-*): no state, no transport.  Encoders add
 * to what is there; names have 1 to 255 bytes.
 */
#ifndef MEMCORE_MIGRATION_POSTCOPY_WIRE_H
#define MEMCORE_MIGRATION_POSTCOPY_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "migration/stream_writer.h"
#include "qapi/error.h"

#define WIRE_MAGIC 0x5145564du          /* "QEVM" */

enum { WIRE_VERSION = 3, WIRE_RAM_VERSION = 4, WIRE_RAM_SECTION = 1 };

/* Records (R-STRM-4). */
enum {
    WIRE_EOF = 0x00,
    WIRE_START = 0x01,
    WIRE_PART = 0x02,
    WIRE_END = 0x03,
    WIRE_FULL = 0x04,
    WIRE_SUBSECTION = 0x05,
    WIRE_CONFIGURATION = 0x07,
    WIRE_COMMAND = 0x08,
    WIRE_FOOTER = 0x7e,
};

/* Commands (R-WIRE-1). */
enum {
    WIRE_OPEN_RETURN_PATH = 1,
    WIRE_PING = 2,
    WIRE_ADVISE = 3,
    WIRE_LISTEN = 4,
    WIRE_RUN = 5,
    WIRE_DISCARD = 6,
    WIRE_PACKAGED = 7,
    WIRE_SWITCHOVER_START = 11,
};

/* Low bits of the words in ram sections (R-WIRE-4). */
enum {
    WIRE_FLAG_ZERO = 0x02,
    WIRE_FLAG_MEM_SIZE = 0x04,
    WIRE_FLAG_PAGE = 0x08,
    WIRE_FLAG_EOS = 0x10,
    WIRE_FLAG_CONTINUE = 0x20,
};

/* Messages of the return path (R-WIRE-2). */
enum {
    WIRE_SHUT = 1,
    WIRE_PONG = 2,
    WIRE_REQ_PAGES_ID = 3,
    WIRE_REQ_PAGES = 4,
    WIRE_RETURN_HEADER = 4,
    WIRE_RETURN_MAX = 512,
};

enum { WIRE_DISCARD_RANGES = 12 };      /* in a command, at most, as QEMU sends them (R-PC-41) */

typedef struct {
    uint64_t start, length;             /* bytes */
} WireRange;

/* --- source to destination ----------------------------------------------------------------- */

void wire_begin(GByteArray *bytes, const WriterConfiguration *configuration);
void wire_command(GByteArray *bytes, uint16_t command, const void *payload, size_t length);
void wire_ping(GByteArray *bytes, uint32_t value);
void wire_advise(GByteArray *bytes, uint64_t page_sizes, uint64_t target_page);
void wire_discard(GByteArray *bytes, const char *name, const WireRange *ranges, size_t count);
/* LISTEN, the devices, RUN, behind the command that says how long they are. */
void wire_package(GByteArray *bytes, const void *devices, size_t length);

void wire_ram_start(GByteArray *bytes, uint64_t total);
void wire_ram_block(GByteArray *bytes, const char *name, uint64_t used_length, uint64_t page_size);
void wire_section(GByteArray *bytes, uint8_t type);
/* `name` NULL: the block of the page before; `data` NULL: zeroes. */
void wire_page(GByteArray *bytes, const char *name, uint64_t offset, const void *data);
void wire_end_of_section(GByteArray *bytes);

/* A payload of DISCARD (R-WIRE-3): `name` has room for 256 bytes; returns the number of ranges, 0 and an Error. */
size_t wire_parse_discard(const uint8_t *payload, size_t length, char *name, Error **errp);
WireRange wire_discard_range(const uint8_t *payload, size_t length, size_t count, size_t index);

/* Whether the page size goes with the block in the list (R-WIRE-4). */
bool wire_lists_page_size(uint64_t page_size, uint64_t host_page);

/* --- destination to source ----------------------------------------------------------------- */

void wire_return_u32(GByteArray *bytes, uint16_t type, uint32_t value);
/* `name` NULL: the block of the request before. */
void wire_request(GByteArray *bytes, const char *name, uint64_t start, uint32_t length);

typedef struct {
    uint16_t type;
    uint32_t value;                     /* SHUT, PONG */
    uint64_t start;                     /* REQ_PAGES*, bytes */
    uint32_t length;
    char name[256];                     /* "": not said */
} WireReturn;

/* A whole message.  False and an Error: it is wrong, or of a type that no source expects. */
bool wire_parse_return(const uint8_t *message, size_t length, WireReturn *out, Error **errp);

#endif
