/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "snapshot/build.h"

#include <string.h>

#include "snapshot/recipe.h"

void build_number(Build *build, unsigned width, uint64_t value)
{
    const uint64_t offset = build->bytes->len;

    if (build->field_count < BUILD_FIELDS_MAX) {
        build->fields[build->field_count++] = (BuildField){ .offset = offset, .width = width };
    }
    g_byte_array_set_size(build->bytes, (guint)(offset + width));
    build_put(build, offset, width, value);
}

void build_put(Build *build, uint64_t offset, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width && offset + i < build->bytes->len; i++) {
        build->bytes->data[offset + i] = (uint8_t)(value >> 8 * (width - 1 - i));
    }
}

uint64_t build_get(const Build *build, uint64_t offset, unsigned width)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++) {
        value = value << 8 | (offset + i < build->bytes->len ? build->bytes->data[offset + i] : 0);
    }
    return value;
}

void build_counted(Build *build, const char *text, size_t length)
{
    build_number(build, 1, length);
    g_byte_array_append(build->bytes, (const guint8 *)text, (guint)length);
}

static void text(Build *build, const char *word)
{
    build_counted(build, word, strlen(word));
}

static void subsection(Build *build, const char *name)
{
    build_number(build, 1, 5);
    text(build, name);
    build_number(build, 4, 1);
}

void build_configuration(Build *build, unsigned bits)
{
    const char *machine = bits & RECIPE_OTHER_MACHINE ? "pc" : "none";

    build_number(build, 4, 0x5145564d);
    build_number(build, 4, 3);
    build_number(build, 1, 7);
    build_number(build, 4, strlen(machine));
    g_byte_array_append(build->bytes, (const guint8 *)machine, (guint)strlen(machine));
    if (bits & RECIPE_PAGE_BITS) {
        subsection(build, "configuration/target-page-bits");
        build_number(build, 4, (uint64_t)__builtin_ctzll(build->page_size));
    }
    subsection(build, "configuration/capabilities");
    build_number(build, 4, bits & RECIPE_IGNORE_SHARED ? 2 : 1);
    if (bits & RECIPE_IGNORE_SHARED) {
        text(build, "x-ignore-shared");
    }
    text(build, "mapped-ram");
    if (bits & RECIPE_UUID) {
        subsection(build, "configuration/uuid");
        build_number(build, 8, 0x0123456789abcdef);
        build_number(build, 8, 0xfedcba9876543210);
    }
}

void build_start(Build *build, uint32_t section)
{
    build_number(build, 1, 1);
    build_number(build, 4, section);
    text(build, "ram");
    build_number(build, 4, 0);
    build_number(build, 4, 4);
    build->total = build->bytes->len;
    build_number(build, 8, 4);
}

void build_block(Build *build, const char *name, size_t length, uint64_t pages, uint8_t presence, unsigned gap,
                 bool gpa)
{
    BuildBlock *block = &build->blocks[build->block_count++];
    const uint64_t bytes = pages * build->page_size;

    block->name = build->bytes->len;
    block->pages = pages;
    block->bitmap_bytes = (pages + 63) / 64 * 8;
    build_counted(build, name, length);
    block->length = build->bytes->len;
    build_number(build, 8, bytes);
    if (gpa) {
        build_number(build, 8, 0x100000);
    }
    block->header_end = build->bytes->len + 28;
    block->bitmap = block->header_end;
    block->pages_offset = (block->bitmap + block->bitmap_bytes + build->page_size - 1) & ~(build->page_size - 1);
    block->pages_offset += gap * build->page_size;
    build_number(build, 4, 1);
    build_number(build, 8, build->page_size);
    build_number(build, 8, block->bitmap);
    build_number(build, 8, block->pages_offset);
    g_byte_array_set_size(build->bytes, (guint)(block->pages_offset + bytes));
    memset(build->bytes->data + block->bitmap, 0, (size_t)(block->pages_offset - block->bitmap));
    for (uint64_t page = 0; page < pages; page++) {
        const bool present = presence >> page % 8 & 1;
        uint8_t *place = build->bytes->data + block->pages_offset + page * build->page_size;

        build->bytes->data[block->bitmap + page / 8] |= (uint8_t)(present << page % 8);
        /* What an absent page has in the file means nothing, so it is not zero (R-MRAM-7). */
        memset(place, present ? (int)(build->block_count << 5 | (page & 0x1f)) : 0xee, build->page_size);
        /* As a bitmap that runs into its pages would like it. */
        memset(place, 0, 2 * sizeof(uint64_t));
    }
    build_put(build, build->total, 8, build_get(build, build->total, 8) + bytes);
}

void build_end_of_section(Build *build, uint32_t section)
{
    build_number(build, 8, 0x10);
    build_number(build, 1, 0x7e);
    build_number(build, 4, section);
}
