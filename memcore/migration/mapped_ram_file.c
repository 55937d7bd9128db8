/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about a probed file, and its pages. */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/misuse.h"
#include "migration/mapped_ram.h"

#define WORD_BITS (8 * sizeof(unsigned long))

void mapped_ram_free(MappedRamFile *file)
{
    if (!file) {
        return;
    }
    for (size_t i = 0; i < file->block_count; i++) {
        g_free(file->blocks[i].idstr);
        g_free(file->blocks[i].bitmap);
    }
    g_free(file->blocks);
    g_free(file->by_name);
    g_free(file->machine);
    g_free(file->incomplete);
    g_free(file);
}

static int compare_name(const void *idstr, const void *block)
{
    const MappedRamBlock *const *candidate = block;

    return strcmp(idstr, (*candidate)->idstr);
}

const MappedRamBlock *mapped_ram_find_block(const MappedRamFile *file, const char *idstr)
{
    const MappedRamBlock *const *found = NULL;

    if (file->block_count > 0) {        /* else by_name may be NULL, which bsearch() does not take */
        found = bsearch(idstr, file->by_name, file->block_count, sizeof(*file->by_name), compare_name);
    }
    return found ? *found : NULL;
}

static void require_pages(const char *function, const char *rule, const MappedRamBlock *block, uint64_t page,
                          uint64_t count)
{
    if (page > block->pages || count > block->pages - page) {
        memcore_misuse_at(function, rule, "%" PRIu64 " pages from page %" PRIu64 " of block \"%s\", which has %"
                          PRIu64 " pages", count, page, block->idstr, block->pages);
    }
}

static bool present(const MappedRamBlock *block, uint64_t page)
{
    return block->bitmap[page / WORD_BITS] >> page % WORD_BITS & 1;
}

bool mapped_ram_page_present(const MappedRamBlock *block, uint64_t page)
{
    require_pages(__func__, "R-MRAM-5", block, page, 1);
    return present(block, page);
}

uint64_t mapped_ram_run(const MappedRamBlock *block, uint64_t page)
{
    unsigned long ends;
    uint64_t word = page / WORD_BITS;
    bool set;

    require_pages(__func__, "R-MLD-4", block, page, 1);
    set = present(block, page);
    /* Bits that differ from the first page's, from that page on. */
    ends = (set ? ~block->bitmap[word] : block->bitmap[word]) >> page % WORD_BITS << page % WORD_BITS;
    while (!ends) {
        word++;
        if (word * WORD_BITS >= block->pages) {
            return block->pages - page;
        }
        ends = set ? ~block->bitmap[word] : block->bitmap[word];
    }
    return MIN(word * WORD_BITS + (uint64_t)__builtin_ctzl(ends), block->pages) - page;
}

static bool read_run(const MappedRamFile *file, const MappedRamBlock *block, uint64_t page, uint64_t count, void *to,
                     Error **errp)
{
    const uint64_t offset = block->pages_offset + page * block->page_size;
    const int result = file_read_at(file->fd, to, (size_t)(count * block->page_size), offset);

    if (result < 0) {
        char *name = printable(block->idstr);

        error_setg_errno(errp, result == -ENODATA ? 0 : -result,
                         "block \"%s\": cannot read %" PRIu64 " pages at 0x%" PRIx64 "%s", name, count, offset,
                         result == -ENODATA ? ": the file has shrunk since it was probed" : "");
        g_free(name);
    }
    return result == 0;
}

bool mapped_ram_read_pages(const MappedRamFile *file, const MappedRamBlock *block, uint64_t page, uint64_t count,
                           void *buffer, Error **errp)
{
    uint8_t *to = buffer;

    require_pages(__func__, "R-MLD-4", block, page, count);
    while (count > 0) {
        const uint64_t run = MIN(mapped_ram_run(block, page), count);

        if (!present(block, page)) {
            memset(to, 0, run * block->page_size);
        } else if (!read_run(file, block, page, run, to, errp)) {
            return false;
        }
        to += run * block->page_size;
        page += run;
        count -= run;
    }
    return true;
}
