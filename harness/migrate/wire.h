/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of a postcopy stream as bytes (R-WIRE-1 to 4), of the machine of postcopy_parts.h. */
#ifndef HARNESS_MIGRATE_WIRE_H
#define HARNESS_MIGRATE_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A number of `size` bytes, at most 8, the first one most significant. */
void wire_put(GByteArray *bytes, uint64_t value, unsigned size);
/* The same back; moves `at` on. */
uint64_t wire_get(const uint8_t **at, unsigned size);

void wire_put_name(GByteArray *bytes, const char *name);
void wire_put_command(GByteArray *bytes, unsigned command, unsigned length);    /* its payload comes next */
/* With a payload of 4 bytes. */
void wire_put_u32_command(GByteArray *bytes, unsigned command, uint32_t value);
/* The beginning of a stream: magic number, version, configuration. */
void wire_put_begin(GByteArray *bytes);
/* The list of blocks.  `other_lengths`: each a page shorter than the machine's. */
void wire_put_list(GByteArray *bytes, bool other_lengths);
/* All parts of a page that has `value` in each byte (0: a zero page); `name` NULL: CONTINUE. */
void wire_put_page(GByteArray *bytes, const char *name, unsigned page, uint8_t value);
void wire_put_section_end(GByteArray *bytes);

#endif
