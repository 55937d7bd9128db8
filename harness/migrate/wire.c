/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migrate/wire.h"

#include <string.h>

#include "exec/ram_addr.h"
#include "migrate/postcopy_parts.h"

void wire_put(GByteArray *bytes, uint64_t value, unsigned size)
{
    guint8 all[8];

    for (unsigned i = 0; i < size; i++) {
        all[i] = (guint8)(value >> (8 * (size - 1 - i)));
    }
    g_byte_array_append(bytes, all, size);
}

uint64_t wire_get(const uint8_t **at, unsigned size)
{
    uint64_t value = 0;

    while (size-- > 0) {
        value = value << 8 | *(*at)++;
    }
    return value;
}

void wire_put_name(GByteArray *bytes, const char *name)
{
    wire_put(bytes, strlen(name), 1);
    g_byte_array_append(bytes, (const guint8 *)name, (guint)strlen(name));
}

void wire_put_command(GByteArray *bytes, unsigned command, unsigned length)
{
    wire_put(bytes, 8, 1);
    wire_put(bytes, command, 2);
    wire_put(bytes, length, 2);
}

void wire_put_u32_command(GByteArray *bytes, unsigned command, uint32_t value)
{
    wire_put_command(bytes, command, 4);
    wire_put(bytes, value, 4);
}

void wire_put_begin(GByteArray *bytes)
{
    wire_put(bytes, 0x5145564d, 4);
    wire_put(bytes, 3, 4);
    wire_put(bytes, 7, 1);
    wire_put(bytes, 4, 4);
    g_byte_array_append(bytes, (const guint8 *)"none", 4);
}

void wire_put_list(GByteArray *bytes, bool other_lengths)
{
    uint64_t total = 0;

    for (unsigned b = 0; b < BLOCKS; b++) {
        total += guest.pages[b] * guest.page_size;
    }
    wire_put(bytes, 1, 1);
    wire_put(bytes, 1, 4);
    wire_put_name(bytes, "ram");
    wire_put(bytes, 0, 4);
    wire_put(bytes, 4, 4);
    wire_put(bytes, total | 4, 8);
    for (unsigned b = 0; b < BLOCKS; b++) {
        wire_put_name(bytes, postcopy_names[b]);
        wire_put(bytes, (guest.pages[b] - other_lengths) * guest.page_size, 8);
    }
    wire_put_section_end(bytes);
}

void wire_put_page(GByteArray *bytes, const char *name, unsigned page, uint8_t value)
{
    for (size_t offset = 0; offset < guest.page_size; offset += TARGET_PAGE_SIZE) {
        const bool named = name && offset == 0;

        wire_put(bytes, (page * guest.page_size + offset) | (value ? 8 : 2) | (named ? 0 : 0x20), 8);
        if (named) {
            wire_put_name(bytes, name);
        }
        g_byte_array_set_size(bytes, bytes->len + (value ? (guint)TARGET_PAGE_SIZE : 1));
        memset(bytes->data + bytes->len - (value ? TARGET_PAGE_SIZE : 1), value, value ? TARGET_PAGE_SIZE : 1);
    }
}

void wire_put_section_end(GByteArray *bytes)
{
    wire_put(bytes, 0x10, 8);
    wire_put(bytes, 0x7e, 1);
    wire_put(bytes, 1, 4);
}
