/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memtrace ram diff: in which pages two snapshots differ, whichever way they say that a page is zero. */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "memtrace/ram_file.h"

enum { CHUNK = 1 << 20 };

uint64_t ram_chunk(const MappedRamBlock *block, uint64_t page)
{
    return MIN(CHUNK / block->page_size, block->pages - page);
}

typedef struct {
    const char *name;           /* readable */
    uint64_t page_size;
    uint64_t first, count;      /* the run of differing pages so far */
    uint64_t total;
} Difference;

static void print_run(Difference *difference)
{
    if (difference->count > 0) {
        printf("%s: %" PRIu64 " page%s from %#" PRIx64 " to %#" PRIx64 "\n", difference->name, difference->count,
               difference->count == 1 ? "" : "s", difference->first * difference->page_size,
               (difference->first + difference->count) * difference->page_size);
    }
    difference->count = 0;
}

static void add_page(Difference *difference, uint64_t page)
{
    if (difference->count == 0 || difference->first + difference->count != page) {
        print_run(difference);
        difference->first = page;
    }
    difference->count++;
    difference->total++;
}

/* Pages from `page` on that are in neither file: nothing to read. */
static uint64_t absent_run(const MappedRamBlock *a, const MappedRamBlock *b, uint64_t page)
{
    if (mapped_ram_page_present(a, page) || mapped_ram_page_present(b, page)) {
        return 0;
    }
    return MIN(mapped_ram_run(a, page), mapped_ram_run(b, page));
}

static bool diff_block(const RamFile *a, const RamFile *b, const MappedRamBlock *of_a, const MappedRamBlock *of_b,
                       Difference *difference)
{
    uint8_t *bytes_a = g_malloc(CHUNK), *bytes_b = g_malloc(CHUNK);
    uint64_t page = 0;
    bool read = true;

    while (read && page < of_a->pages) {
        const uint64_t absent = absent_run(of_a, of_b, page);
        const uint64_t count = absent ? absent : ram_chunk(of_a, page);
        Error *error = NULL;

        if (!absent && !mapped_ram_read_pages(a->ram, of_a, page, count, bytes_a, &error)) {
            ram_complain(a, error);
            read = false;
        } else if (!absent && !mapped_ram_read_pages(b->ram, of_b, page, count, bytes_b, &error)) {
            ram_complain(b, error);
            read = false;
        } else if (!absent) {
            for (uint64_t i = 0; i < count; i++) {
                if (memcmp(bytes_a + i * of_a->page_size, bytes_b + i * of_a->page_size, of_a->page_size) != 0) {
                    add_page(difference, page + i);
                }
            }
        }
        page += count;
    }
    g_free(bytes_a);
    g_free(bytes_b);
    return read;
}

/* Blocks that only `a` has. */
static bool print_lonely(const RamFile *a, const RamFile *b)
{
    bool any = false;

    for (size_t i = 0; i < a->ram->block_count; i++) {
        if (!mapped_ram_find_block(b->ram, a->ram->blocks[i].idstr)) {
            char *name = g_strescape(a->ram->blocks[i].idstr, NULL);

            printf("%s: only in %s\n", name, a->path);
            g_free(name);
            any = true;
        }
    }
    return any;
}

int ram_diff(const RamFile *a, const RamFile *b)
{
    bool differ = print_lonely(a, b), read = true;
    uint64_t pages = 0, total = 0;

    differ |= print_lonely(b, a);
    for (size_t i = 0; i < a->ram->block_count && read; i++) {
        const MappedRamBlock *of_a = &a->ram->blocks[i], *of_b = mapped_ram_find_block(b->ram, of_a->idstr);
        char *name;
        Difference difference;

        if (!of_b) {
            continue;
        }
        name = g_strescape(of_a->idstr, NULL);
        difference = (Difference){ .name = name, .page_size = of_a->page_size };
        if (of_a->used_length != of_b->used_length || of_a->page_size != of_b->page_size) {
            printf("%s: %#" PRIx64 " bytes in pages of %#" PRIx64 " against %#" PRIx64 " in pages of %#" PRIx64 "\n",
                   name, of_a->used_length, of_a->page_size, of_b->used_length, of_b->page_size);
            differ = true;
        } else {
            read = diff_block(a, b, of_a, of_b, &difference);
            print_run(&difference);
            pages += of_a->pages;
            total += difference.total;
        }
        g_free(name);
    }
    if (!read) {
        return 1;
    }
    printf("%" PRIu64 " of %" PRIu64 " pages differ\n", total, pages);
    return differ || total > 0 ? 1 : 0;
}
