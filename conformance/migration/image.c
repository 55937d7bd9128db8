/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/image.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/conformance.h"
#include "qemu/bswap.h"

bool image_present(unsigned block, uint64_t page)
{
    return block == 0 ? page < 3 || page == 63 || page == 64 || page == IMAGE_PAGES - 1 : page == 5;
}

uint8_t image_byte(unsigned block, uint64_t page)
{
    return (uint8_t)(0x40 * (block + 1) + page % 0x3f + 1);
}

Image *image_new(void)
{
    Image *image = g_new0(Image, 1);

    image->bytes = g_byte_array_new();
    image->fd = -1;
    return image;
}

void image_free(Image *image)
{
    if (image->fd >= 0) {
        close(image->fd);
    }
    g_byte_array_unref(image->bytes);
    g_free(image);
}

void image_u8(Image *image, uint8_t value)
{
    g_byte_array_append(image->bytes, &value, 1);
}

void image_be16(Image *image, uint16_t value)
{
    value = cpu_to_be16(value);
    g_byte_array_append(image->bytes, (const guint8 *)&value, sizeof(value));
}

void image_be32(Image *image, uint32_t value)
{
    value = cpu_to_be32(value);
    g_byte_array_append(image->bytes, (const guint8 *)&value, sizeof(value));
}

void image_be64(Image *image, uint64_t value)
{
    value = cpu_to_be64(value);
    g_byte_array_append(image->bytes, (const guint8 *)&value, sizeof(value));
}

void image_counted(Image *image, const char *text)
{
    image_u8(image, (uint8_t)strlen(text));
    g_byte_array_append(image->bytes, (const guint8 *)text, (guint)strlen(text));
}

void image_magic(Image *image)
{
    image_be32(image, 0x5145564d);
    image_be32(image, 3);
}

void image_configuration(Image *image, const char *machine)
{
    image->configuration = image->bytes->len;
    image_u8(image, 7);
    image_be32(image, (uint32_t)strlen(machine));
    g_byte_array_append(image->bytes, (const guint8 *)machine, (guint)strlen(machine));
    image->subsection = image->bytes->len;
}

void image_capabilities(Image *image, const char *first, const char *second)
{
    image_u8(image, 5);
    image_counted(image, "configuration/capabilities");
    image_be32(image, 1);
    image_be32(image, (first != NULL) + (second != NULL));
    if (first) {
        image_counted(image, first);
    }
    if (second) {
        image_counted(image, second);
    }
}

void image_page_bits(Image *image, uint32_t version, uint32_t bits)
{
    image_u8(image, 5);
    image_counted(image, "configuration/target-page-bits");
    image_be32(image, version);
    image_be32(image, bits);
}

void image_start(Image *image, uint64_t total)
{
    image->start = image->bytes->len;
    image_u8(image, 1);
    image_be32(image, 1);
    image_counted(image, "ram");
    image_be32(image, 0);
    image_be32(image, 4);
    image->total = image->bytes->len;
    image_be64(image, total | 4);
}

void image_block_named(Image *image, const char *name, size_t name_length, uint64_t pages, bool gpa)
{
    const unsigned index = image->block_count++;
    ImageBlock *block = &image->blocks[index];
    const size_t bitmap_bytes = (pages + 63) / 64 * 8;

    g_assert_cmpuint(index, <, IMAGE_BLOCKS_MAX);
    block->page_count = pages;
    block->entry = image->bytes->len;
    image_u8(image, (uint8_t)name_length);
    g_byte_array_append(image->bytes, (const guint8 *)name, (guint)name_length);
    block->length = image->bytes->len;
    image_be64(image, pages * PAGE);
    if (gpa) {
        image_be64(image, 0x123000);
    }
    block->header = image->bytes->len;
    block->bitmap = block->header + 28;
    block->pages = (block->bitmap + bitmap_bytes + PAGE - 1) / PAGE * PAGE;
    image_be32(image, 1);
    image_be64(image, PAGE);
    image_be64(image, block->bitmap);
    image_be64(image, block->pages);
    g_byte_array_set_size(image->bytes, (guint)(block->pages + pages * PAGE));
    memset(image->bytes->data + block->bitmap, 0, image->bytes->len - block->bitmap);
    for (uint64_t page = 0; page < pages; page++) {
        /* What lies in the file for an absent page means nothing (R-MRAM-7). */
        memset(image->bytes->data + block->pages + page * PAGE,
               image_present(index, page) ? image_byte(index, page) : 0xee, PAGE);
        if (image_present(index, page)) {
            image->bytes->data[block->bitmap + page / 8] |= (uint8_t)(1 << page % 8);
        }
    }
}

void image_block(Image *image, const char *name, uint64_t pages)
{
    image_block_named(image, name, strlen(name), pages, false);
}

void image_end_of_section(Image *image, uint32_t id)
{
    image_be64(image, 0x10);
    image_u8(image, 0x7e);
    image_be32(image, id);
}

void image_part(Image *image)
{
    image->part = image->bytes->len;
    image_u8(image, 2);
    image_be32(image, 1);
    image_end_of_section(image, 1);
}

void image_command(Image *image)
{
    image->command = image->bytes->len;
    image_u8(image, 8);
    image_be16(image, 0xb);
    image_be16(image, 0);
}

void image_end(Image *image)
{
    image->end = image->bytes->len;
    image_u8(image, 3);
    image_be32(image, 1);
    image_end_of_section(image, 1);
    image->after = image->bytes->len;
}

void image_tail(Image *image)
{
    image->list_end = image->bytes->len;
    image_end_of_section(image, 1);
    image_part(image);
    image_command(image);
    image_end(image);
    image_u8(image, 0);
}

Image *image_configured(const char *machine)
{
    Image *image = image_new();

    image_magic(image);
    image_configuration(image, machine);
    return image;
}

Image *image_begun(uint64_t total)
{
    Image *image = image_configured("none");

    image_capabilities(image, "mapped-ram", NULL);
    image_start(image, total);
    return image;
}

Image *image_sound(void)
{
    Image *image = image_begun((IMAGE_PAGES + 8) * PAGE);

    image_block(image, "first", IMAGE_PAGES);
    image_block(image, "second", 8);
    image_tail(image);
    return image;
}

void image_put_u8(Image *image, size_t offset, uint8_t value)
{
    g_assert_cmpuint(offset, <, image->bytes->len);
    image->bytes->data[offset] = value;
}

void image_put_be32(Image *image, size_t offset, uint32_t value)
{
    g_assert_cmpuint(offset + 4, <=, image->bytes->len);
    stl_be_p(image->bytes->data + offset, value);
}

void image_put_be64(Image *image, size_t offset, uint64_t value)
{
    g_assert_cmpuint(offset + 8, <=, image->bytes->len);
    stq_be_p(image->bytes->data + offset, value);
}

uint64_t image_get_be64(const Image *image, size_t offset)
{
    g_assert_cmpuint(offset + 8, <=, image->bytes->len);
    return ldq_be_p(image->bytes->data + offset);
}

int image_write(Image *image)
{
    if (image->fd >= 0) {
        close(image->fd);
    }
    image->fd = memfd_create("image", MFD_CLOEXEC);
    g_assert_cmpint(image->fd, >=, 0);
    g_assert_cmpint(write(image->fd, image->bytes->data, image->bytes->len), ==, (gssize)image->bytes->len);
    return image->fd;
}

MappedRamFile *image_probe(Image *image, unsigned flags, Error **errp)
{
    return mapped_ram_probe(image_write(image), 0, flags, NULL, errp);
}

void check_accepted_at(const char *where, Image *image, unsigned flags)
{
    Error *error = NULL;
    MappedRamFile *file = image_probe(image, flags, &error);

    check_text_at(where, "refused with", error ? error_get_pretty(error) : "nothing", "nothing");
    check_condition_at(where, "the probe accepts the file", file != NULL);
    error_free(error);
    mapped_ram_free(file);
}

void check_error_at(const char *where, Error *error, const char *text)
{
    if (!check_condition_at(where, "there is an Error", error != NULL)) {
        return;
    }
    if (text && !strstr(error_get_pretty(error), text)) {
        check_text_at(where, "message", error_get_pretty(error), text);
    }
    error_free(error);
}

void check_refused_at(const char *where, Image *image, unsigned flags, const char *text)
{
    Error *error = NULL;
    MappedRamFile *file = image_probe(image, flags, &error);

    check_condition_at(where, "the probe refuses the file", file == NULL);
    mapped_ram_free(file);
    check_error_at(where, error, text);
}
