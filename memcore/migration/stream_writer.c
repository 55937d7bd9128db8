/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/stream_writer.h"

#include <string.h>

#include "exec/cpu-common.h"

static void add_u8(GByteArray *bytes, uint8_t value)
{
    g_byte_array_append(bytes, &value, 1);
}

static void add_be32(GByteArray *bytes, uint32_t value)
{
    value = GUINT32_TO_BE(value);
    g_byte_array_append(bytes, (const guint8 *)&value, sizeof(value));
}

static void add_be64(GByteArray *bytes, uint64_t value)
{
    value = GUINT64_TO_BE(value);
    g_byte_array_append(bytes, (const guint8 *)&value, sizeof(value));
}

static void add_text(GByteArray *bytes, const char *text)
{
    g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text));
}

static void add_counted(GByteArray *bytes, const char *text)
{
    add_u8(bytes, (uint8_t)strlen(text));
    add_text(bytes, text);
}

static void add_subsection(GByteArray *bytes, const char *name)
{
    add_u8(bytes, 0x05);
    add_counted(bytes, name);
    add_be32(bytes, 1);
}

void writer_configuration(GByteArray *bytes, const WriterConfiguration *configuration)
{
    add_u8(bytes, 0x07);
    add_be32(bytes, (uint32_t)strlen(configuration->machine));
    add_text(bytes, configuration->machine);
    if (configuration->family_page_bits && configuration->family_page_bits < TARGET_PAGE_BITS) {
        add_subsection(bytes, "configuration/target-page-bits");
        add_be32(bytes, TARGET_PAGE_BITS);
    }
    if (configuration->mapped_ram) {
        add_subsection(bytes, "configuration/capabilities");
        add_be32(bytes, 1);
        add_counted(bytes, "mapped-ram");
    }
    if (configuration->uuid) {
        add_subsection(bytes, "configuration/uuid");
        g_byte_array_append(bytes, configuration->uuid, 16);
    }
}

void writer_section_start(GByteArray *bytes, uint32_t id, uint64_t total)
{
    add_u8(bytes, 0x01);
    add_be32(bytes, id);
    add_counted(bytes, "ram");
    add_be32(bytes, 0);
    add_be32(bytes, 4);
    add_be64(bytes, total | 4);
}

void writer_block(GByteArray *bytes, const char *idstr, uint64_t used_length)
{
    add_counted(bytes, idstr);
    add_be64(bytes, used_length);
}

void writer_header(GByteArray *bytes, uint64_t bitmap_offset, uint64_t pages_offset)
{
    add_be32(bytes, 1);
    add_be64(bytes, TARGET_PAGE_SIZE);
    add_be64(bytes, bitmap_offset);
    add_be64(bytes, pages_offset);
}

void writer_end_of_section(GByteArray *bytes, uint32_t id)
{
    add_be64(bytes, 0x10);
    add_u8(bytes, 0x7e);
    add_be32(bytes, id);
}

void writer_part(GByteArray *bytes, uint32_t id)
{
    add_u8(bytes, 0x02);
    add_be32(bytes, id);
    writer_end_of_section(bytes, id);
}

void writer_end(GByteArray *bytes, uint32_t id)
{
    add_u8(bytes, 0x03);
    add_be32(bytes, id);
    writer_end_of_section(bytes, id);
}

void writer_description(GByteArray *bytes)
{
    char *json = g_strdup_printf("{\"configuration\": {\"vmsd_name\": \"configuration\", \"version\": 1, "
                                 "\"fields\": []}, \"page_size\": %d, \"devices\": []}", (int)TARGET_PAGE_SIZE);

    add_u8(bytes, 0x00);
    add_u8(bytes, 0x06);
    add_be32(bytes, (uint32_t)strlen(json));
    add_text(bytes, json);
    g_free(json);
}
