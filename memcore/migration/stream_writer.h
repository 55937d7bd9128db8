/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pieces of a mapped-ram stream as bytes, each added behind what is there (R-STRM-*, R-MRAM-2). */
#ifndef MEMCORE_MIGRATION_STREAM_WRITER_H
#define MEMCORE_MIGRATION_STREAM_WRITER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { WRITER_HEADER_SIZE = 28 };

typedef struct {
    const char *machine;
    unsigned family_page_bits;  /* of the CPU family's smallest page; 0: of ours */
    bool mapped_ram;            /* the capability */
    const uint8_t *uuid;        /* 16 bytes; NULL: not said */
} WriterConfiguration;

/* The record and the subsections that it needs (R-STRM-2). */
void writer_configuration(GByteArray *bytes, const WriterConfiguration *configuration);
void writer_section_start(GByteArray *bytes, uint32_t id, uint64_t total);
void writer_block(GByteArray *bytes, const char *idstr, uint64_t used_length);
void writer_header(GByteArray *bytes, uint64_t bitmap_offset, uint64_t pages_offset);
void writer_end_of_section(GByteArray *bytes, uint32_t id);
void writer_part(GByteArray *bytes, uint32_t id);
/* The END of a section, behind which devices may come. */
void writer_end(GByteArray *bytes, uint32_t id);
/* EOF, and the description that QEMU expects behind it (R-SAVE-11). */
void writer_description(GByteArray *bytes);

#endif
