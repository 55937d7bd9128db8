/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 1: the stream around the RAM (R-STRM-*). */
#include "migration/image.h"

#include <string.h>

#include "common/conformance.h"

static void magic_and_version(void)
{
    Image *image = image_sound();

    check_accepted(image, 0);
    image_put_be32(image, 4, 2);
    check_refused(image, 0, "stream version at 0x4 is 2, not 3");
    image_put_be32(image, 4, 4);
    check_refused(image, 0, "stream version at 0x4 is 4, not 3");
    image_put_be32(image, 4, 3);
    image_put_be32(image, 0, 0x5145564c);
    check_refused(image, 0, "magic number at 0x0 is 0x5145564c");
    image_put_be64(image, 0, 0);
    check_refused(image, 0, "a save that was not finished?");
    image_free(image);
}

/* Offsets stay those of the file: so the header says where it is, and the pages are moved with it. */
static void other_base(void)
{
    Image *image = image_new();
    Error *error = NULL;
    MappedRamFile *file;

    g_byte_array_set_size(image->bytes, 0x234);
    memset(image->bytes->data, 0x5a, 0x234);
    image_magic(image);
    image_configuration(image, "none");
    image_capabilities(image, "mapped-ram", NULL);
    image_start(image, 8 * PAGE);
    image_block(image, "ram", 8);
    image_tail(image);
    file = mapped_ram_probe(image_write(image), 0x234, 0, NULL, &error);
    if (check(file != NULL)) {
        check_number(file->blocks[0].bitmap_offset, image->blocks[0].bitmap);
        check_number(file->end, image->after);
    }
    mapped_ram_free(file);
    check(mapped_ram_probe(image->fd, 0, 0, NULL, &error) == NULL);
    check_error(error, "magic number at 0x0");
    error = NULL;
    check(mapped_ram_probe(image->fd, UINT64_MAX, 0, NULL, &error) == NULL);
    check_error(error, "the stream is to start at 0xffffffffffffffff");
    image_free(image);
}

/* A sound list behind whatever `image` has; refused with the text, or accepted. */
static void finish(Image *image, unsigned flags, const char *text)
{
    image_start(image, 8 * PAGE);
    image_block_named(image, "ram", 3, 8, (flags & MAPPED_RAM_SKIP_GPA) != 0);
    image_tail(image);
    if (text) {
        check_refused(image, flags, text);
    } else {
        check_accepted(image, flags);
    }
    image_free(image);
}

static void subsections(void)
{
    Image *image = image_configured("pc-i440fx-10.0");
    Error *error = NULL;
    MappedRamFile *file;

    image_page_bits(image, 1, TARGET_PAGE_BITS);
    image_capabilities(image, "mapped-ram", NULL);
    image_u8(image, 5);
    image_counted(image, "configuration/uuid");
    image_be32(image, 1);
    image_be64(image, 0x0102030405060708);
    image_be64(image, 0x090a0b0c0d0e0f10);
    image_start(image, 8 * PAGE);
    image_block(image, "ram", 8);
    image_tail(image);
    file = image_probe(image, 0, &error);
    if (check(file != NULL)) {
        check_text(file->machine, "pc-i440fx-10.0");
        check_number(file->page_bits, TARGET_PAGE_BITS);
        check(file->has_uuid && file->uuid[0] == 1 && file->uuid[15] == 0x10);
        check(!file->ignore_shared);
        check(file->complete);
    }
    mapped_ram_free(file);
    image_free(image);
}

static void wrong_subsections(void)
{
    Image *image = image_configured("none");

    finish(image, 0, "lists no capabilities");

    image = image_configured("none");
    image_capabilities(image, NULL, NULL);
    finish(image, 0, "without mapped-ram");

    image = image_configured("none");
    image_capabilities(image, "mapped-ram", "mapped-ram");
    finish(image, 0, "capability \"mapped-ram\" at 0x40 is listed twice");

    image = image_configured("none");
    image_capabilities(image, "mapped-ram", "xbzrle");
    finish(image, 0, "capability \"xbzrle\" at 0x40 is not known");

    image = image_configured("none");
    image_capabilities(image, "mapped-ram", NULL);
    image_capabilities(image, "mapped-ram", NULL);
    finish(image, 0, "subsection \"configuration/capabilities\" at 0x41 is there twice");

    image = image_configured("none");
    image_u8(image, 5);
    image_counted(image, "configuration/new\n");
    image_be32(image, 1);
    finish(image, 0, "subsection \"configuration/new\\n\" at 0x12 is not known and cannot be skipped");

    image = image_configured("none");
    image_page_bits(image, 2, TARGET_PAGE_BITS);
    finish(image, 0, "has version 2, not 1");

    for (uint32_t bits = 0; bits < 10; bits++) {
        image = image_configured("none");
        image_page_bits(image, 1, bits);
        finish(image, 0, "not 10 to 16");
    }
    image = image_configured("none");
    image_page_bits(image, 1, UINT32_MAX);
    finish(image, 0, "are 4294967295, not 10 to 16");

    image = image_configured("none");
    image_capabilities(image, "mapped-ram", NULL);
    image_put_be32(image, image->subsection + 1 + 27 + 4, 65);
    finish(image, 0, "65 capabilities at 0x31, more than 64");

    image = image_configured("none");
    image_capabilities(image, "mapped-ram", NULL);
    image_put_be32(image, image->subsection + 1 + 27 + 4, UINT32_MAX);
    finish(image, 0, "4294967295 capabilities");
}

static void machine_name(void)
{
    Image *image = image_sound();
    Error *error = NULL;
    MappedRamFile *file;

    image_write(image);
    file = mapped_ram_probe(image->fd, 0, 0, "none", &error);
    check(file != NULL);
    mapped_ram_free(file);
    check(mapped_ram_probe(image->fd, 0, 0, "non", &error) == NULL);
    check_error(error, "machine name at 0xd is \"none\", not \"non\"");
    error = NULL;
    check(mapped_ram_probe(image->fd, 0, 0, "none2", &error) == NULL);
    check_error(error, "not \"none2\"");

    image_put_be32(image, image->configuration + 1, 0);
    check_refused(image, 0, "machine name at 0xd has 0 bytes");
    image_put_be32(image, image->configuration + 1, 256);
    check_refused(image, 0, "machine name at 0xd has 256 bytes");
    image_put_be32(image, image->configuration + 1, UINT32_MAX);
    check_refused(image, 0, "machine name at 0xd has 4294967295 bytes");
    image_put_be32(image, image->configuration + 1, 4);
    image_put_u8(image, image->configuration + 6, 0);
    check_refused(image, 0, "has a NUL byte");
    image_put_u8(image, image->configuration, 5);
    check_refused(image, 0, "record at 0x8 is 0x05, not the configuration");
    image_free(image);
}

static void unknown_records(void)
{
    Image *image = image_sound();

    for (unsigned type = 0; type < 256; type++) {
        if (type == 2) {
            continue;
        }
        image_put_u8(image, image->part, (uint8_t)type);
        if (type == 3) {        /* an early END; what follows is not looked at */
            check_accepted(image, 0);
        } else {
            check_refused(image, 0, NULL);
        }
    }
    image_free(image);
}

static void footers(void)
{
    Image *image = image_sound();
    const size_t places[] = { image->list_end + 8, image->part + 13, image->end + 13 };

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        image_put_u8(image, places[i], 0x7f);
        check_refused(image, 0, "footer at 0x");
        image_put_u8(image, places[i], 0x7e);
        image_put_be32(image, places[i] + 1, 2);
        check_refused(image, 0, "0x7e of section 2, not 0x7e of section 1");
        image_put_be32(image, places[i] + 1, 1);
    }
    check_accepted(image, 0);
    image_free(image);
}

static void ram_section(void)
{
    Image *image = image_sound();

    image_put_be32(image, image->start + 9, 1);
    check_refused(image, 0, "foreign section \"ram\", instance 1");
    image_put_be32(image, image->start + 9, 0);
    image_put_be32(image, image->start + 13, 3);
    check_refused(image, 0, "has version 3, not 4");
    image_put_be32(image, image->start + 13, 5);
    check_refused(image, 0, "has version 5, not 4");
    image_free(image);
}

/* Readers accept any id, also 0, as long as it is the same all the time. */
static void any_section_id(void)
{
    const uint32_t ids[] = { 0, 2, UINT32_MAX };
    Image *image = image_sound();

    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        image_put_be32(image, image->start + 1, ids[i]);
        check_refused(image, 0, "footer at");
        image_put_be32(image, image->list_end + 9, ids[i]);
        check_refused(image, 0, "foreign section 1 at");
        image_put_be32(image, image->part + 1, ids[i]);
        image_put_be32(image, image->part + 14, ids[i]);
        image_put_be32(image, image->end + 1, ids[i]);
        image_put_be32(image, image->end + 14, ids[i]);
        check_accepted(image, 0);
        image_free(image);
        image = image_sound();
    }
    image_free(image);
}

static void commands(void)
{
    Image *image = image_sound();

    for (unsigned command = 0; command < 0x20; command++) {
        image_put_u8(image, image->command + 2, (uint8_t)command);
        if (command == 0xb) {
            check_accepted(image, 0);
        } else {
            check_refused(image, 0, "only 0xb with none is allowed");
        }
    }
    image_put_u8(image, image->command + 2, 0xb);
    image_put_u8(image, image->command + 4, 1);
    check_refused(image, 0, "is 0xb with 1 bytes");
    image_free(image);

    image = image_configured("none");
    image_capabilities(image, "mapped-ram", NULL);
    image_command(image);
    finish(image, 0, NULL);
}

/* Nothing but START, END. */
static void ram_only(void)
{
    Image *image = image_configured("none");
    Error *error = NULL;
    MappedRamFile *file;

    image_capabilities(image, "mapped-ram", NULL);
    image_start(image, 8 * PAGE);
    image_block(image, "ram", 8);
    image_end_of_section(image, 1);
    image_end(image);
    file = image_probe(image, 0, &error);
    if (check(file != NULL)) {
        check_number(file->end, image->bytes->len);
    }
    mapped_ram_free(file);
    image_put_u8(image, image->end, 2);
    check_refused(image, 0, "record at");
    image_u8(image, 0);
    check_refused(image, 0, "without an END of the RAM");
    image_free(image);

    image = image_sound();
    image_put_u8(image, image->start, 4);
    check_refused(image, 0, "foreign section \"ram\" (1)");
    image_free(image);
}

static void words(void)
{
    const uint64_t flags[] = { 0, 1, 2, 4, 8, 0x14, 0x20, 0x30, 0x40, 0x80, 0x200, 0x210, 0x1010, 1ull << 63 };
    Image *image = image_sound();
    const size_t places[] = { image->list_end, image->part + 5, image->end + 5 };

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(flags); k++) {
            image_put_be64(image, places[i], flags[k]);
            check_refused(image, 0, NULL);
        }
        image_put_be64(image, places[i], 0x10);
    }
    for (size_t k = 0; k < G_N_ELEMENTS(flags); k++) {
        if (flags[k] != 4) {
            image_put_be64(image, image->total, ((IMAGE_PAGES + 8) * PAGE) | flags[k]);
            check_refused(image, 0, NULL);
        }
    }
    image_free(image);
}

static void foreign_sections(void)
{
    Image *image = image_sound();
    Error *error = NULL;
    MappedRamFile *file;

    image_put_u8(image, image->start + 6, 'R');
    check_refused(image, 0, "foreign section \"Ram\", instance 0, at 0x");
    check_refused(image, MAPPED_RAM_UNVERIFIED, "foreign section \"Ram\"");
    image_free(image);

    image = image_configured("none");
    image_capabilities(image, "mapped-ram", NULL);
    image_start(image, 8 * PAGE);
    image_block(image, "ram", 8);
    image_end_of_section(image, 1);
    image->list_end = image->bytes->len;
    image_u8(image, 4);
    image_be32(image, 7);
    image_counted(image, "timer");
    check_refused(image, 0, "foreign section \"timer\" (7) at 0x");
    file = image_probe(image, MAPPED_RAM_UNVERIFIED, &error);
    if (check(file != NULL)) {
        check(!file->complete);
        check_number(file->end, image->list_end);
        check(file->incomplete && strstr(file->incomplete, "foreign section \"timer\""));
        check_number(file->block_count, 1);
    }
    mapped_ram_free(file);
    image_free(image);

    image = image_sound();
    image_put_u8(image, image->part, 1);
    check_refused(image, 0, NULL);
    image_free(image);
}

/* The specification's worked example, cut behind END. */
static void worked_example(void)
{
    Image *image = image_configured("none");
    Error *error = NULL;
    MappedRamFile *file;
    ImageBlock *block;

    image_capabilities(image, "mapped-ram", NULL);
    check_number(image->subsection, 0x11);
    check_number(image->bytes->len, 0x40);
    image_start(image, 64 << 20);
    check_number(image->total, 0x51);
    image_counted(image, "ram");
    image_be64(image, 64 << 20);
    check_number(image->bytes->len, 0x65);
    image_be32(image, 1);
    image_be64(image, 0x1000);
    image_be64(image, 0x81);
    image_be64(image, 0x100000);
    block = &image->blocks[0];
    block->bitmap = image->bytes->len;
    check_number(block->bitmap, 0x81);
    g_byte_array_set_size(image->bytes, 0x4100000);
    memset(image->bytes->data + 0x81, 0, image->bytes->len - 0x81);
    image_put_u8(image, 0x81, 0x61);
    image_put_u8(image, 0x89, 0x01);
    image_put_u8(image, 0x100, 0x80);
    image_end_of_section(image, 1);
    check_number(image->bytes->len, 0x410000d);
    image_part(image);
    check_number(image->bytes->len, 0x410001f);
    image_command(image);
    image_end(image);
    check_number(image->after, 0x4100036);
    file = image_probe(image, 0, &error);
    if (check(file != NULL)) {
        const MappedRamBlock *ram = mapped_ram_find_block(file, "ram");

        check_number(file->end, 0x4100036);
        check_number(ram->present, 5);
        check(mapped_ram_page_present(ram, 0) && mapped_ram_page_present(ram, 5) && mapped_ram_page_present(ram, 6) &&
              mapped_ram_page_present(ram, 64) && mapped_ram_page_present(ram, 1023));
        check_number(mapped_ram_run(ram, 0), 1);
        check_number(mapped_ram_run(ram, 1), 4);
        check_number(mapped_ram_run(ram, 5), 2);
        check_number(mapped_ram_run(ram, 7), 57);
        check_number(mapped_ram_run(ram, 65), 958);
        check_number(mapped_ram_run(ram, 1024), 16384 - 1024);
    }
    mapped_ram_free(file);
    image_free(image);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-STRM-1/magic-and-version", magic_and_version);
    conformance_case("/R-STRM-1/other-base", other_base);
    conformance_case("/R-STRM-2/subsections", subsections);
    conformance_case("/R-STRM-3/subsections", wrong_subsections);
    conformance_case("/R-STRM-3/machine-name", machine_name);
    conformance_case("/R-STRM-4/unknown-records", unknown_records);
    conformance_case("/R-STRM-4/footers", footers);
    conformance_case("/R-STRM-5/ram-section", ram_section);
    conformance_case("/R-STRM-6/any-id", any_section_id);
    conformance_case("/R-STRM-7/commands", commands);
    conformance_case("/R-STRM-8/ram-only", ram_only);
    conformance_case("/R-STRM-9/words", words);
    conformance_case_4k("/R-STRM-9/worked-example", worked_example);
    conformance_case("/R-STRM-10/foreign-sections", foreign_sections);
    return g_test_run();
}
