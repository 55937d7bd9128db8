/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pieces of a mapped-ram file, one behind the other (chapters 1 and 2), with a note of
 * where each number is, so that changes have places to go to.
 */
#ifndef HARNESS_SNAPSHOT_BUILD_H
#define HARNESS_SNAPSHOT_BUILD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { BUILD_FIELDS_MAX = 256, BUILD_BLOCKS_MAX = 7 };

typedef struct {
    uint64_t offset;
    unsigned width;             /* bytes: 1, 2, 4 or 8; big-endian */
} BuildField;

typedef struct {
    uint64_t name, length, header_end, bitmap, bitmap_bytes, pages_offset, pages;      /* `pages`: how many */
} BuildBlock;

typedef struct {
    GByteArray *bytes;
    uint64_t page_size;
    BuildField fields[BUILD_FIELDS_MAX];
    unsigned field_count;
    BuildBlock blocks[BUILD_BLOCKS_MAX];
    unsigned block_count;
    uint64_t total;             /* the word behind START */
} Build;

void build_number(Build *build, unsigned width, uint64_t value);
void build_counted(Build *build, const char *text, size_t length);
/* An existing number. */
void build_put(Build *build, uint64_t offset, unsigned width, uint64_t value);
uint64_t build_get(const Build *build, uint64_t offset, unsigned width);

/* Magic, version, configuration; `bits` of RECIPE_*. */
void build_configuration(Build *build, unsigned bits);
/* Up to the MEM_SIZE word, whose total build_block() keeps up to date. */
void build_start(Build *build, uint32_t section);
/* Page i is present if bit i % 8 of `presence` is set, and filled with a value that names it. */
void build_block(Build *build, const char *name, size_t length, uint64_t pages, uint8_t presence, unsigned gap,
                 bool gpa);
void build_end_of_section(Build *build, uint32_t section);

#endif
