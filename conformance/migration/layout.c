/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Specification "RAM migration", chapter 2 and the checks of R-MLD-3: the block list, headers and bitmaps. */
#include "migration/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/conformance.h"

static void layout_reported(void)
{
    Image *image = image_sound();
    Error *error = NULL;
    MappedRamFile *file = image_probe(image, 0, &error);

    if (check(file != NULL)) {
        check_number(file->block_count, 2);
        check_number(file->total, (IMAGE_PAGES + 8) * PAGE);
        check_number(file->size, image->bytes->len);
        check_number(file->end, image->after);
        for (unsigned b = 0; b < 2; b++) {
            const MappedRamBlock *block = &file->blocks[b];
            uint64_t count = 0;

            check_text(block->idstr, b == 0 ? "first" : "second");
            check_number(block->used_length, image->blocks[b].page_count * PAGE);
            check_number(block->page_size, PAGE);
            check_number(block->bitmap_offset, image->blocks[b].bitmap);
            check_number(block->pages_offset, image->blocks[b].pages);
            check_number(block->pages, image->blocks[b].page_count);
            for (uint64_t page = 0; page < block->pages; page++) {
                uint64_t run = 1;

                check(mapped_ram_page_present(block, page) == image_present(b, page));
                count += image_present(b, page);
                while (page + run < block->pages && image_present(b, page + run) == image_present(b, page)) {
                    run++;
                }
                check_number(mapped_ram_run(block, page), run);
            }
            check_number(block->present, count);
        }
        check(mapped_ram_find_block(file, "firs") == NULL);
        check_pointer(mapped_ram_find_block(file, "second"), &file->blocks[1]);
    }
    mapped_ram_free(file);
    image_free(image);
}

static void pages_read(void)
{
    Image *image = image_sound();
    Error *error = NULL;
    MappedRamFile *file = image_probe(image, 0, &error);
    uint8_t *buffer = g_malloc(IMAGE_PAGES * PAGE);

    memset(buffer, 0xaa, IMAGE_PAGES * PAGE);
    check(mapped_ram_read_pages(file, &file->blocks[0], 0, IMAGE_PAGES, buffer, &error));
    for (uint64_t page = 0; page < IMAGE_PAGES; page++) {
        const uint8_t expected = image_present(0, page) ? image_byte(0, page) : 0;

        check_number(buffer[page * PAGE], expected);
        check_number(buffer[page * PAGE + PAGE - 1], expected);
    }
    g_assert_cmpint(ftruncate(image->fd, (off_t)(image->blocks[0].pages + 2 * PAGE + 1)), ==, 0);
    check(mapped_ram_read_pages(file, &file->blocks[0], 0, 2, buffer, &error));
    check(!mapped_ram_read_pages(file, &file->blocks[0], 1, 2, buffer, &error));
    check_error(error, "block \"first\": cannot read 2 pages at 0x");
    g_free(buffer);
    mapped_ram_free(file);
    image_free(image);
}

static void empty_blocks(void)
{
    Image *image = image_begun(8 * PAGE);

    image_block(image, "empty", 0);
    image_block(image, "ram", 8);
    image_block(image, "none", 0);
    image_tail(image);
    check_accepted(image, 0);
    image_free(image);

    image = image_begun(0);
    image_tail(image);
    check_accepted(image, 0);
    image_free(image);
}

static void guest_addresses(void)
{
    for (unsigned gpa = 0; gpa < 2; gpa++) {
        Image *image = image_configured("none");

        image_capabilities(image, "x-ignore-shared", "mapped-ram");
        image_start(image, 8 * PAGE);
        image_block_named(image, "ram", 3, 8, gpa);
        image_tail(image);
        check_refused(image, 0, "have x-ignore-shared");
        if (gpa) {
            check_accepted(image, MAPPED_RAM_SKIP_GPA);
        } else {
            check_refused(image, MAPPED_RAM_SKIP_GPA, "block \"ram\" at 0x");
        }
        image_free(image);
    }

    {
        Image *image = image_begun(8 * PAGE);   /* an address nobody announced */

        image_block_named(image, "ram", 3, 8, true);
        image_tail(image);
        check_refused(image, MAPPED_RAM_SKIP_GPA, "block \"ram\" at 0x");
        image_free(image);
    }
}

static void sparse_present_pages(void)
{
    Image *image = image_sound();
    Error *error = NULL;
    const ImageBlock *block = &image->blocks[1];
    MappedRamFile *file;
    uint8_t *page = g_malloc(PAGE);

    image_write(image);
    g_assert_cmpint(fallocate(image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              (off_t)(block->pages + 5 * PAGE), PAGE), ==, 0);
    file = mapped_ram_probe(image->fd, 0, 0, NULL, &error);
    if (check(file != NULL)) {
        check(mapped_ram_page_present(&file->blocks[1], 5));
        check(mapped_ram_read_pages(file, &file->blocks[1], 5, 1, page, &error));
        check_number(page[0], 0);
    }
    mapped_ram_free(file);
    g_free(page);
    image_free(image);
}

/* Which block is the first whose name was there before; 0: none. */
static void check_twice(const char *const name[4], unsigned twice)
{
    Image *image = image_begun(32 * PAGE);
    char *text;

    for (unsigned i = 0; i < 4; i++) {
        image_block(image, name[i], 8);
    }
    image_tail(image);
    if (twice) {
        text = g_strdup_printf("block \"%s\" at 0x%zx: there is a block of this name already", name[twice],
                               image->blocks[twice].entry);
        check_refused(image, 0, text);
        g_free(text);
    } else {
        check_accepted(image, 0);
    }
    image_free(image);
}

static void repeated_names(void)
{
    check_twice((const char *const[]){ "b", "aa", "ab", "a" }, 0);
    check_twice((const char *const[]){ "a", "a", "b", "b" }, 1);
    check_twice((const char *const[]){ "b", "a", "b", "a" }, 2);
    check_twice((const char *const[]){ "b", "a", "c", "b" }, 3);
}

static void names(void)
{
    char longest[256];
    Image *image = image_begun(8 * PAGE);

    memset(longest, 'x', sizeof(longest));
    image_block_named(image, longest, 255, 8, false);
    image_tail(image);
    check_accepted(image, 0);
    image_free(image);

    image = image_begun(8 * PAGE);
    image_block_named(image, "a\0b", 3, 8, false);
    image_tail(image);
    check_refused(image, 0, "has a NUL byte as number 1 of 3");
    image_free(image);

    image = image_begun(8 * PAGE);
    image_block_named(image, "", 0, 8, false);
    image_tail(image);
    check_refused(image, 0, "name of a block at 0x5a has 0 bytes");
    image_free(image);
}

static void total(void)
{
    const uint64_t sum = (IMAGE_PAGES + 8) * PAGE;
    const uint64_t wrong[] = { 0, sum - PAGE, sum + PAGE, 2 * sum, 0 - PAGE, 1ull << 63, 8 * PAGE };
    Image *image = image_sound();

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        image_put_be64(image, image->total, wrong[i] | 4);
        check_refused(image, 0, NULL);
    }
    image_put_be64(image, image->total, sum | 4);
    image_put_be64(image, image->blocks[1].length, 9 * PAGE);
    check_refused(image, 0, "of the total 0x");
    image_put_be64(image, image->blocks[1].length, 0 - (uint64_t)PAGE);
    check_refused(image, 0, "of the total 0x");
    image_free(image);
}

/* Every field of a header with values that hostile files have (H3). */
static void header_fields(void)
{
    static const struct {
        unsigned offset, width;
    } fields[] = { { 0, 4 }, { 4, 8 }, { 12, 8 }, { 20, 8 } };
    Image *image = image_sound();

    for (size_t f = 0; f < G_N_ELEMENTS(fields); f++) {
        for (unsigned b = 0; b < 2; b++) {
            const size_t place = image->blocks[b].header + fields[f].offset;
            const uint64_t good = image_get_be64(image, place);
            const uint64_t value = fields[f].width == 8 ? good : good >> 32;
            const uint64_t size = image->bytes->len;
            const uint64_t wrong[] = {
                0, 1, value + 1, value - 1, PAGE - 1, 2 * PAGE, PAGE / 2, size, size + 1, size - 1, size / PAGE * PAGE,
                1ull << 31, 1ull << 32, INT64_MAX, 1ull << 63, 0 - (uint64_t)PAGE, UINT64_MAX, INT64_MAX / PAGE * PAGE,
            };

            for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
                const uint64_t now = fields[f].width == 8 ? wrong[i] : wrong[i] << 32 | (good & UINT32_MAX);

                if (now != good) {
                    image_put_be64(image, place, now);
                    /* Moved pages: what is found behind them is no entry. */
                    check_refused(image, 0, f == 3    ? NULL
                                            : b == 0 ? "block \"first\" at 0x59: "
                                                     : "block \"second\" at 0x");
                    check_refused(image, MAPPED_RAM_ANY_PAGE_SIZE | MAPPED_RAM_UNVERIFIED | MAPPED_RAM_SKIP_GPA, NULL);
                }
            }
            image_put_be64(image, place, good);
        }
    }
    check_accepted(image, 0);
    image_free(image);
}

static void messages(void)
{
    Image *image = image_sound();
    const ImageBlock *block = &image->blocks[0];

    image_put_be32(image, block->header, 0);
    check_refused(image, 0, "its header has version 0, not 1");
    image_put_be32(image, block->header, 1);
    image_put_be64(image, block->header + 4, PAGE / 2);
    check_refused(image, 0, "its page size is 0x");
    image_put_be64(image, block->header + 4, 3 * PAGE);
    check_refused(image, MAPPED_RAM_ANY_PAGE_SIZE, "not a power of two from 1 KiB to 64 KiB");
    image_put_be64(image, block->header + 4, PAGE);
    image_put_be64(image, block->header + 12, block->bitmap + 1);
    check_refused(image, 0, "but the header ends at 0x");
    image_put_be64(image, block->header + 12, block->bitmap - 1);
    check_refused(image, MAPPED_RAM_LAX, "but the header ends at 0x");
    image_put_be64(image, block->header + 12, block->pages - 8);
    check_refused(image, MAPPED_RAM_LAX, "runs into its pages at 0x");
    image_put_be64(image, block->header + 12, block->bitmap);
    image_put_be64(image, block->header + 20, block->pages + 1);
    check_refused(image, 0, "not a multiple of the page size");
    image_put_be64(image, block->header + 20, INT64_MAX / PAGE * PAGE);
    check_refused(image, 0, "beyond the largest file");
    image_put_be64(image, block->header + 20, image->bytes->len / PAGE * PAGE);
    check_refused(image, 0, "but the file at 0x");
    image_put_be64(image, block->header + 20, block->pages);
    image_put_be64(image, block->length, IMAGE_PAGES * PAGE - 1);
    check_refused(image, 0, "is not a multiple of its page size");
    image_free(image);
}

/* The bitmap where the format's own rules leave room for it. */
static void lax(void)
{
    Image *image = image_sound();
    const ImageBlock *block = &image->blocks[1];

    memmove(image->bytes->data + block->bitmap + 16, image->bytes->data + block->bitmap, 8);
    image_put_be64(image, block->header + 12, block->bitmap + 16);
    check_refused(image, 0, "but the header ends at 0x");
    check_accepted(image, MAPPED_RAM_LAX);
    image_free(image);
}

static void page_sizes_agree(void)
{
    Image *image = image_configured("none");

    image_capabilities(image, "mapped-ram", NULL);
    image_page_bits(image, 1, TARGET_PAGE_BITS == 16 ? 15 : TARGET_PAGE_BITS + 1);
    image_start(image, 8 * PAGE);
    image_block(image, "ram", 8);
    image_tail(image);
    check_refused(image, 0, "but the configuration's target-page-bits are");
    image_free(image);
}

static void padding_bits(void)
{
    Image *image = image_sound();

    for (unsigned bit = IMAGE_PAGES; bit < 128; bit++) {
        const size_t place = image->blocks[0].bitmap + bit / 8;
        const uint8_t good = image->bytes->data[place];

        image_put_u8(image, place, (uint8_t)(good | 1 << bit % 8));
        check_refused(image, 0, "block \"first\" at 0x59: its bitmap has bits behind the last of 72 pages");
        image_put_u8(image, place, good);
    }
    check_accepted(image, 0);
    image_free(image);
}

/* With nothing behind the cut, and with a tail of zeroes. */
static void check_cut(const Image *image, size_t cut, unsigned flags)
{
    for (unsigned zeroes = 0; zeroes < 2; zeroes++) {
        Error *error = NULL;
        MappedRamFile *file;

        g_assert_cmpint(ftruncate(image->fd, (off_t)cut), ==, 0);
        g_assert_cmpint(ftruncate(image->fd, (off_t)(cut + zeroes * (image->bytes->len + 4096))), ==, 0);
        file = mapped_ram_probe(image->fd, 0, flags, NULL, &error);
        check_number(file != NULL, false);
        mapped_ram_free(file);
        check_error(error, NULL);
    }
}

/* Cut at every byte (H1, H2; R-SAVE-10). */
static void truncated(void)
{
    Image *image = image_sound();
    const size_t page_data = image->blocks[0].pages, tail = image->list_end;
    size_t cuts = 0;

    image_write(image);
    for (size_t cut = image->after; cut-- > 0; cuts++) {
        check_cut(image, cut, 0);
        if (cut < tail && cut > page_data) {            /* inside pages: one cut a page is enough */
            cut = (cut - 1) / PAGE * PAGE + 1;
            cut = MAX(cut, page_data + 1);
        }
    }
    check(cuts > 300);
    image_free(image);
}

/* The same for what QEMU writes less often: each of its subsections, guest addresses, a list without blocks. */
static void truncated_configuration(void)
{
    Image *image = image_new();

    image_magic(image);
    image_configuration(image, "none");
    image_page_bits(image, 1, TARGET_PAGE_BITS);
    image_capabilities(image, "mapped-ram", "x-ignore-shared");
    image_u8(image, 5);
    image_counted(image, "configuration/uuid");
    image_be32(image, 1);
    for (unsigned i = 0; i < 16; i++) {
        image_u8(image, (uint8_t)(0xa0 + i));
    }
    image_start(image, 8 * PAGE);
    image_block_named(image, "ram", 3, 8, true);
    image_tail(image);
    check_accepted(image, MAPPED_RAM_SKIP_GPA);
    for (size_t cut = image->blocks[0].bitmap; cut-- > 0;) {
        check_cut(image, cut, MAPPED_RAM_SKIP_GPA);
    }
    image_free(image);
    image = image_begun(0);
    image_tail(image);
    check_accepted(image, 0);
    check_cut(image, image->total + 8, 0);
    image_free(image);
}

static void lengths_of_the_universe(void)
{
    Image *image = image_begun(1ull << 62);
    struct rusage before, after;

    image_block(image, "ram", 8);
    image_tail(image);
    image_put_be64(image, image->blocks[0].length, 1ull << 62);
    getrusage(RUSAGE_SELF, &before);
    check_refused(image, 0, "its bitmap of 0x");
    image_put_be64(image, image->blocks[0].header + 20, 1ull << 61);
    check_refused(image, 0, "but the file at 0x");
    getrusage(RUSAGE_SELF, &after);
    check(after.ru_maxrss - before.ru_maxrss < 8 << 10);
    image_free(image);
}

/* One more than there may be; none has pages, so each takes a header and the hole up to the next boundary. */
static void too_many_blocks(void)
{
    Image *image = image_begun(PAGE);
    uint8_t entry[1 + 8 + 8 + 28] = { 8 };
    uint64_t at = image->bytes->len;
    const uint32_t version = GUINT32_TO_BE(1);
    const uint64_t page_size = GUINT64_TO_BE(PAGE);
    const int fd = image_write(image);
    Error *error = NULL;

    memcpy(entry + 17, &version, sizeof(version));
    memcpy(entry + 21, &page_size, sizeof(page_size));
    for (unsigned block = 0; block <= MAPPED_RAM_BLOCKS_MAX; block++) {
        const uint64_t bitmap = at + sizeof(entry), pages = (bitmap + PAGE - 1) / PAGE * PAGE;
        const uint64_t places[] = { GUINT64_TO_BE(bitmap), GUINT64_TO_BE(pages) };
        char name[9];

        snprintf(name, sizeof(name), "%08x", block);
        memcpy(entry + 1, name, 8);
        memcpy(entry + 29, places, sizeof(places));
        g_assert_cmpint(pwrite(fd, entry, sizeof(entry), (off_t)at), ==, sizeof(entry));
        at = pages;
    }
    g_assert_cmpint(ftruncate(fd, (off_t)at + 1), ==, 0);
    check_pointer(mapped_ram_probe(fd, 0, 0, NULL, &error), NULL);
    check_error(error, "more than 65536 blocks");
    image_free(image);
}

/* As QEMU leaves a background snapshot: it says "completed", but there are neither bitmaps nor an END. */
static void background_snapshot(void)
{
    Image *image = image_sound();
    Error *error = NULL;

    for (unsigned b = 0; b < image->block_count; b++) {
        memset(image->bytes->data + image->blocks[b].bitmap, 0, (image->blocks[b].page_count + 63) / 64 * 8);
    }
    check_accepted(image, 0);
    image_write(image);
    g_assert_cmpint(ftruncate(image->fd, (off_t)image->end), ==, 0);
    check_pointer(mapped_ram_probe(image->fd, 0, 0, NULL, &error), NULL);
    check_error(error, NULL);
    image_free(image);
}

static void not_regular_files(void)
{
    const char *const paths[] = { "/", "/dev/zero" };
    Error *error = NULL;
    int ends[2];

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        const int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        error = NULL;
        check(mapped_ram_probe(fd, 0, 0, NULL, &error) == NULL);
        check_error(error, "not a regular file");
        close(fd);
    }
    g_assert_cmpint(pipe(ends), ==, 0);
    error = NULL;
    check(mapped_ram_probe(ends[0], 0, 0, NULL, &error) == NULL);
    check_error(error, "not a regular file");
    close(ends[0]);
    close(ends[1]);
    error = NULL;
    check(mapped_ram_probe(-1, 0, 0, NULL, &error) == NULL);
    check_error(error, "cannot read the file: Bad file descriptor");
}

static MappedRamBlock eight_pages;

static void page_behind_the_block(void)
{
    eight_pages = (MappedRamBlock){ .idstr = (char *)"ram", .pages = 8 };
    mapped_ram_page_present(&eight_pages, 8);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/R-MRAM-1/layout", layout_reported);
    conformance_case("/R-MRAM-2/fields", header_fields);
    conformance_case("/R-MRAM-3/padding", padding_bits);
    conformance_case("/R-MRAM-5/pages", pages_read);
    conformance_case("/R-MRAM-5/empty-blocks", empty_blocks);
    conformance_misuse("/R-MRAM-5/no-such-page", page_behind_the_block, "mapped_ram_page_present",
                       "block \"ram\", which has*(R-MRAM-5)");
    conformance_case("/R-MRAM-7/present-hole", sparse_present_pages);
    conformance_case("/R-MRAM-9/page-bits", page_sizes_agree);
    conformance_case("/R-MRAM-10/guest-address", guest_addresses);
    conformance_case("/R-MLD-2/offline", layout_reported);
    conformance_case("/R-MLD-3/names", names);
    conformance_case("/R-MLD-3/repeated-names", repeated_names);
    conformance_case("/R-MLD-3/total", total);
    conformance_case("/R-MLD-3/messages", messages);
    conformance_case("/R-MLD-3/lax", lax);
    conformance_case("/R-MLD-3/memory", lengths_of_the_universe);
    conformance_case("/R-MLD-3/too-many-blocks", too_many_blocks);
    conformance_case("/R-MRAM-11/background-snapshot", background_snapshot);
    conformance_case("/R-MLD-3/not-regular", not_regular_files);
    conformance_case("/R-MLD-3/truncated", truncated);
    conformance_case("/R-MLD-3/truncated-configuration", truncated_configuration);
    conformance_case("/R-SAVE-10/truncated", truncated);
    return g_test_run();
}
