/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memtrace ram info: what is in the file, one line a block. */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "memtrace/ram_file.h"

enum { BAR = 32 };

char *ram_size_text(uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    size_t unit = 0;

    while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < G_N_ELEMENTS(units)) {
        bytes /= 1024;
        unit++;
    }
    return g_strdup_printf("%" PRIu64 " %s", bytes, units[unit]);
}

/* How many of the pages [from, to) are present. */
static uint64_t count_present(const MappedRamBlock *block, uint64_t from, uint64_t to)
{
    uint64_t present = 0, run;

    for (; from < to; from += run) {
        run = MIN(mapped_ram_run(block, from), to - from);
        present += mapped_ram_page_present(block, from) ? run : 0;
    }
    return present;
}

/* Each character stands for the same number of pages; in small blocks for one. */
static void print_bar(const MappedRamBlock *block)
{
    static const char shades[] = ".:+#";
    const uint64_t columns = MIN(block->pages, BAR);

    putchar('[');
    for (uint64_t i = 0; i < columns; i++) {
        /* i * pages / columns without overflow */
        const uint64_t width = block->pages / columns, rest = block->pages % columns;
        const uint64_t from = i * width + i * rest / columns, to = (i + 1) * width + (i + 1) * rest / columns;
        const uint64_t present = count_present(block, from, to);

        putchar(present == 0 ? ' ' : present == to - from ? '@' : shades[present * 4 / (to - from)]);
    }
    puts("]");
}

static int name_width(const RamFile *file)
{
    size_t width = strlen("block");

    for (size_t i = 0; i < file->ram->block_count; i++) {
        char *name = g_strescape(file->ram->blocks[i].idstr, NULL);

        width = MAX(width, strlen(name));
        g_free(name);
    }
    return (int)width;
}

/* What the stream says of the machine, and how much of the file is not RAM's. */
static void print_configuration(const MappedRamFile *ram)
{
    if (ram->incomplete) {
        printf("  %s\n", ram->incomplete);
    }
    if (ram->page_bits) {
        printf("  target-page-bits %" PRIu32 "\n", ram->page_bits);
    }
    if (ram->has_uuid) {
        printf("  uuid ");
        for (size_t i = 0; i < sizeof(ram->uuid); i++) {
            printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", ram->uuid[i]);
        }
        putchar('\n');
    }
    if (ram->ignore_shared) {
        puts("  x-ignore-shared: blocks have a guest address, which QEMU writes but does not load");
    }
    if (ram->complete) {
        printf("  RAM ends at %#" PRIx64 ", then %" PRIu64 " byte%s of devices and description\n", ram->end,
               ram->size - ram->end, ram->size - ram->end == 1 ? "" : "s");
    }
}

int ram_info(const RamFile *file)
{
    const MappedRamFile *ram = file->ram;
    const int width = name_width(file);
    char *machine = g_strescape(ram->machine, NULL), *total = ram_size_text(ram->total);

    printf("%s: %s, machine %s, %s of RAM in %zu block%s\n", file->path, ram->complete ? "complete" : "INCOMPLETE",
           machine, total, ram->block_count, ram->block_count == 1 ? "" : "s");
    g_free(machine);
    g_free(total);
    print_configuration(ram);
    printf("%-*s %10s %7s %14s %14s %10s %10s  where\n", width, "block", "length", "page", "bitmap at", "pages at",
           "present", "zero");
    for (size_t i = 0; i < ram->block_count; i++) {
        const MappedRamBlock *block = &ram->blocks[i];
        char *name = g_strescape(block->idstr, NULL), *length = ram_size_text(block->used_length);
        char *page = ram_size_text(block->page_size);

        printf("%-*s %10s %7s %#14" PRIx64 " %#14" PRIx64 " %10" PRIu64 " %10" PRIu64 "  ", width, name, length, page,
               block->bitmap_offset, block->pages_offset, block->present, block->pages - block->present);
        print_bar(block);
        g_free(name);
        g_free(length);
        g_free(page);
    }
    return ram->complete ? 0 : 1;
}
