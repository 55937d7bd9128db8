/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapped-ram files of the tests' own making, byte by byte after the specification, with
 * a note of where everything is so that cases can spoil it.
 *
 * image_sound() is magic, configuration "none" with mapped-ram, START, two blocks, PART,
 * command 0x0b, END, EOF.  "first" has IMAGE_PAGES pages, "second" eight.  Which pages are present:
 * image_present(); present page p of block b is filled with image_byte(b, p).
 */
#ifndef CONFORMANCE_MIGRATION_IMAGE_H
#define CONFORMANCE_MIGRATION_IMAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "exec/cpu-common.h"
#include "migration/mapped-ram.h"

#define PAGE TARGET_PAGE_SIZE
enum { IMAGE_PAGES = 72, IMAGE_BLOCKS_MAX = 4 };       /* one word of the bitmap and a bit; whole host pages */

typedef struct {
    size_t entry, length, header, bitmap, pages;        /* offsets: length byte of the name, ... */
    uint64_t page_count;
} ImageBlock;

typedef struct {
    GByteArray *bytes;
    int fd;
    size_t configuration;       /* byte 07 */
    size_t subsection;          /* the first byte 05 */
    size_t start;               /* byte 01 */
    size_t total;               /* word */
    size_t list_end;            /* the word 0x10 of START; the footer is 8 behind it */
    size_t part, command, end;  /* bytes 02, 08, 03 */
    size_t after;               /* behind END's footer */
    ImageBlock blocks[IMAGE_BLOCKS_MAX];
    unsigned block_count;
} Image;

bool image_present(unsigned block, uint64_t page);
uint8_t image_byte(unsigned block, uint64_t page);

/* Free with image_free. */
Image *image_new(void);
Image *image_configured(const char *machine);          /* magic and configuration, without subsections */
Image *image_begun(uint64_t total);                     /* up to the first block: "none" with mapped-ram, START */
Image *image_sound(void);
void image_free(Image *image);

/* Pieces, each behind the last one. */
void image_u8(Image *image, uint8_t value);
void image_be16(Image *image, uint16_t value);
void image_be32(Image *image, uint32_t value);
void image_be64(Image *image, uint64_t value);
void image_counted(Image *image, const char *text);
void image_magic(Image *image);
void image_configuration(Image *image, const char *machine);            /* without subsections */
void image_capabilities(Image *image, const char *first, const char *second);
void image_page_bits(Image *image, uint32_t version, uint32_t bits);
void image_start(Image *image, uint64_t total);
/* `name` may hold NUL bytes; `gpa`: with a guest address. */
void image_block_named(Image *image, const char *name, size_t name_length, uint64_t pages, bool gpa);
void image_block(Image *image, const char *name, uint64_t pages);
void image_end_of_section(Image *image, uint32_t id);
void image_part(Image *image);
void image_command(Image *image);
void image_end(Image *image);
/* PART, command, END, EOF. */
void image_tail(Image *image);

/* Changes bytes that are there. */
void image_put_u8(Image *image, size_t offset, uint8_t value);
void image_put_be32(Image *image, size_t offset, uint32_t value);
void image_put_be64(Image *image, size_t offset, uint64_t value);
uint64_t image_get_be64(const Image *image, size_t offset);

/* Writes the bytes to an unnamed file, which replaces the last one; its descriptor. */
int image_write(Image *image);

MappedRamFile *image_probe(Image *image, unsigned flags, Error **errp);

/* Probes: must be sound; or must be refused with a message that contains `text` (NULL: any). */
#define check_accepted(image, flags) check_accepted_at(G_STRLOC, (image), (flags))
#define check_refused(image, flags, text) check_refused_at(G_STRLOC, (image), (flags), (text))
void check_accepted_at(const char *where, Image *image, unsigned flags);
void check_refused_at(const char *where, Image *image, unsigned flags, const char *text);
/* Takes the Error. */
void check_error_at(const char *where, Error *error, const char *text);
#define check_error(error, text) check_error_at(G_STRLOC, (error), (text))

#endif
