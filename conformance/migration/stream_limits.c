/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specification "RAM migration", chapters 1 and 2: of each number in a file the last value that is allowed and the
 * first that is not, and where messages say that it is (R-STRM-*, R-MRAM-*, R-MLD-3).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/conformance.h"
#include "migration/image.h"

static void check_refused_with(Image *image, unsigned flags, char *text)
{
    check_refused(image, flags, text);
    g_free(text);
}

/* --- the stream --- */

static void page_bits(void)
{
    for (uint32_t bits = 9; bits <= 17; bits++) {
        Image *image = image_configured("none");

        image_capabilities(image, "mapped-ram", NULL);
        image_page_bits(image, 1, bits);
        image_start(image, 8 * PAGE);
        image_block(image, "ram", 8);
        image_tail(image);
        if (bits == TARGET_PAGE_BITS) {
            check_accepted(image, 0);
        } else if (bits < 10 || bits > 16) {
            check_refused(image, 0, "not 10 to 16");
        } else {
            check_refused(image, 0, "but the configuration's target-page-bits are");
        }
        image_free(image);
    }
}

/* What is counted is not there: that is seen when it is looked for. */
static void capabilities(void)
{
    Image *image = image_sound();

    image_put_be32(image, image->subsection + 1 + 27 + 4, 64);
    check_refused(image, 0, "name of a capability at 0x");
    image_put_be32(image, image->subsection + 1 + 27 + 4, 65);
    check_refused(image, 0, "65 capabilities");
    image_free(image);

    /* Nor where they are left out, and the rest is sound. */
    image = image_configured("none");
    image_u8(image, 5);
    image_counted(image, "configuration/capabilities");
    image_be32(image, 1);
    image_be32(image, 65);
    image_start(image, 8 * PAGE);
    image_block(image, "ram", 8);
    image_tail(image);
    check_refused(image, 0, "65 capabilities");
    image_free(image);
}

/* Whichever read the host refuses: that is what the message says. */
static void reads_that_fail(void)
{
    Image *image = image_sound();
    MappedRamFile *file = NULL;
    unsigned nth = 0;

    image_write(image);
    while (!file) {
        Error *error = NULL;

        host_refuses_nth(MEMCORE_FAULT_PREAD, EIO, nth++);
        file = mapped_ram_probe(image->fd, 0, 0, NULL, &error);
        host_agrees();
        if (!file) {
            check_error(error, "cannot read the file: Input/output error");
        }
    }
    check(nth > 3);
    mapped_ram_free(file);
    image_free(image);
}

static void machine_names(void)
{
    for (size_t length = 255; length <= 256; length++) {
        char *name = g_strnfill(length, 'm');
        Image *image = image_configured(name);

        image_capabilities(image, "mapped-ram", NULL);
        image_start(image, 8 * PAGE);
        image_block(image, "ram", 8);
        image_tail(image);
        if (length == 255) {
            check_accepted(image, 0);
        } else {
            check_refused(image, 0, "machine name at 0xd has 256 bytes");
        }
        image_free(image);
        g_free(name);
    }
}

/* A stream that starts where the file ends, and one that starts behind that. */
static void bases(void)
{
    Image *image = image_sound();
    const uint64_t size = image->bytes->len;
    Error *error = NULL;

    image_write(image);
    check_pointer(mapped_ram_probe(image->fd, size, 0, NULL, &error), NULL);
    check_error(error, "needs 4 bytes, but the file ends");
    error = NULL;
    check_pointer(mapped_ram_probe(image->fd, size + 1, 0, NULL, &error), NULL);
    check_error(error, "the stream is to start at 0x");
    image_free(image);
}

/* Messages name the offset at which what they are about begins. */
static void places(void)
{
    Image *image = image_sound();

    image_put_be32(image, image->start + 9, 1);
    check_refused_with(image, 0, g_strdup_printf("foreign section \"ram\", instance 1, at 0x%zx", image->start));
    image_put_be32(image, image->start + 9, 0);
    image_put_be32(image, image->start + 13, 3);
    check_refused_with(image, 0, g_strdup_printf("section \"ram\" at 0x%zx has version 3", image->start));
    image_put_be32(image, image->start + 13, 4);
    image_put_u8(image, image->command + 2, 0xa);
    check_refused_with(image, 0, g_strdup_printf("command at 0x%zx is 0xa with 0 bytes", image->command));
    image_put_u8(image, image->command + 2, 0xb);
    image_put_be32(image, image->part + 1, 7);
    check_refused_with(image, 0, g_strdup_printf("foreign section 7 at 0x%zx: it was not started", image->part));
    image_put_be32(image, image->part + 1, 1);
    image_put_u8(image, image->start, 4);
    check_refused_with(image, 0, g_strdup_printf("foreign section \"ram\" (1) at 0x%zx, before", image->start));
    image_free(image);
}

/* --- the block list --- */

static void page_sizes(void)
{
    static const uint64_t sizes[] = { 512, 1024, 3072, 65536, 65537, 131072 };
    Image *image = image_sound();

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const uint64_t size = sizes[i];

        for (unsigned b = 0; b < image->block_count; b++) {
            image_put_be64(image, image->blocks[b].header + 4, size);
        }
        if (size < 1024 || size > 65536 || (size & (size - 1))) {
            check_refused(image, MAPPED_RAM_ANY_PAGE_SIZE, "not a power of two from 1 KiB to 64 KiB");
        } else if (size > PAGE) {
            check_refused(image, MAPPED_RAM_ANY_PAGE_SIZE, "is not a multiple of its page size");
        } else {
            check_accepted(image, MAPPED_RAM_ANY_PAGE_SIZE);
        }
    }
    image_free(image);
}

/* A bitmap may end where the pages begin; of a block without pages it may even begin there. */
static void bitmap_and_pages(void)
{
    Image *image = image_sound();
    const ImageBlock *block = &image->blocks[0];

    memmove(image->bytes->data + block->pages - 16, image->bytes->data + block->bitmap, 16);
    image_put_be64(image, block->header + 12, block->pages - 16);
    check_accepted(image, MAPPED_RAM_LAX);
    for (uint64_t at = block->pages - 15; at <= block->pages + 1; at++) {
        image_put_be64(image, block->header + 12, at);
        check_refused(image, MAPPED_RAM_LAX, "runs into its pages at 0x");
    }
    image_free(image);

    image = image_begun(8 * PAGE);
    image_block(image, "empty", 0);
    image_block(image, "ram", 8);
    image_tail(image);
    image_put_be64(image, image->blocks[0].header + 12, image->blocks[0].pages);
    check_accepted(image, MAPPED_RAM_LAX);
    image_put_be64(image, image->blocks[0].header + 12, image->blocks[0].pages + 1);
    check_refused(image, MAPPED_RAM_LAX, "runs into its pages at 0x");
    image_free(image);
}

/* The file ends with the last page, and one byte before that. */
static void last_page(void)
{
    Image *image = image_sound();
    const ImageBlock *block = &image->blocks[1];
    const uint64_t end = block->pages + block->page_count * PAGE;

    g_byte_array_set_size(image->bytes, (guint)end);
    check_refused_with(image, 0, g_strdup_printf("end of the block list at 0x%" PRIx64 " needs 1 bytes", end));
    g_byte_array_set_size(image->bytes, (guint)end - 1);
    check_refused_with(image, 0, g_strdup_printf("its pages end at 0x%" PRIx64 ", but the file at 0x%" PRIx64, end,
                                                 end - 1));
    image_free(image);
}

/* Lengths that wrap, or nearly do, are not taken for short ones. */
static void largest_file(void)
{
    Image *image = image_sound();
    const ImageBlock *block = &image->blocks[0];
    const uint64_t largest = INT64_MAX / PAGE * PAGE;

    image_put_be64(image, block->header + 20, largest - IMAGE_PAGES * PAGE);
    check_refused(image, 0, "but the file at 0x");
    image_put_be64(image, block->header + 20, largest - (IMAGE_PAGES - 1) * PAGE);
    check_refused(image, 0, "beyond the largest file");
    image_put_be64(image, block->header + 20, 0 - (uint64_t)IMAGE_PAGES * PAGE);
    check_refused(image, 0, "beyond the largest file");
    image_free(image);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-STRM-1/bases", bases);
    conformance_case("/R-STRM-3/page-bits", page_bits);
    conformance_case("/R-STRM-3/capabilities", capabilities);
    conformance_case("/R-STRM-3/machine-names", machine_names);
    conformance_case("/R-STRM-4/places", places);
    conformance_case("/R-MLD-8/reads-that-fail", reads_that_fail);
    conformance_case("/R-MRAM-9/page-sizes", page_sizes);
    conformance_case("/R-MLD-3/bitmap-and-pages", bitmap_and_pages);
    conformance_case("/R-MLD-3/last-page", last_page);
    conformance_case("/R-MLD-3/largest-file", largest_file);
    return g_test_run();
}
