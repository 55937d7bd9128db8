/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "postcopy_play.h"

void put(GByteArray *bytes, uint64_t value, unsigned size)
{
    guint8 all[8];

    for (unsigned i = 0; i < size; i++) {
        all[i] = (guint8)(value >> (8 * (size - 1 - i)));
    }
    g_byte_array_append(bytes, all, size);
}

uint64_t get(const uint8_t **at, unsigned size)
{
    uint64_t value = 0;

    while (size-- > 0) {
        value = value << 8 | *(*at)++;
    }
    return value;
}

void put_name(GByteArray *bytes, const char *name)
{
    put(bytes, strlen(name), 1);
    g_byte_array_append(bytes, (const guint8 *)name, (guint)strlen(name));
}

void put_command(GByteArray *bytes, unsigned command, unsigned length)
{
    put(bytes, 8, 1);
    put(bytes, command, 2);
    put(bytes, length, 2);
}

void put_begin(GByteArray *bytes)
{
    put(bytes, 0x5145564d, 4);
    put(bytes, 3, 4);
    put(bytes, 7, 1);
    put(bytes, 4, 4);
    g_byte_array_append(bytes, (const guint8 *)"none", 4);
}

void put_list(GByteArray *bytes, bool other_lengths)
{
    uint64_t total = 0;

    for (unsigned b = 0; b < BLOCKS; b++) {
        total += machine.pages[b] * machine.page_size;
    }
    put(bytes, 1, 1);
    put(bytes, 1, 4);
    put_name(bytes, "ram");
    put(bytes, 0, 4);
    put(bytes, 4, 4);
    put(bytes, total | 4, 8);
    for (unsigned b = 0; b < BLOCKS; b++) {
        put_name(bytes, postcopy_names[b]);
        put(bytes, (machine.pages[b] - other_lengths) * machine.page_size, 8);
    }
    put_section_end(bytes);
}

void put_page(GByteArray *bytes, const char *name, unsigned page, uint8_t value)
{
    for (size_t offset = 0; offset < machine.page_size; offset += TARGET_PAGE_SIZE) {
        const bool named = name && offset == 0;

        put(bytes, (page * machine.page_size + offset) | (value ? 8 : 2) | (named ? 0 : 0x20), 8);
        if (named) {
            put_name(bytes, name);
        }
        g_byte_array_set_size(bytes, bytes->len + (value ? (guint)TARGET_PAGE_SIZE : 1));
        memset(bytes->data + bytes->len - (value ? TARGET_PAGE_SIZE : 1), value, value ? TARGET_PAGE_SIZE : 1);
    }
}

void put_section_end(GByteArray *bytes)
{
    put(bytes, 0x10, 8);
    put(bytes, 0x7e, 1);
    put(bytes, 1, 4);
}
