/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block list of a mapped-ram file: names, headers and bitmaps, checked
 * (R-MRAM-*, R-MLD-3).
 *
 * Each block's pages end where the next entry begins, and a bitmap lies between its
 * header and its pages; so once these three are checked for each block, no two pieces of
 * the file overlap.  Nothing is allocated before the file was seen to be large enough.
 */
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "exec/cpu-common.h"
#include "migration/mapped_ram.h"
#include "qemu/bswap.h"

#define WORD_BITS (8 * sizeof(unsigned long))

enum { PAGE_SIZE_MIN = 1 << 10, PAGE_SIZE_MAX = 1 << 16 };

/* "block "NAME" at 0xOFFSET: ", what every message here begins with. */
static void name_block(Error *const *errp, const MappedRamBlock *block, uint64_t entry)
{
    char *name = printable(block->idstr);

    error_prepend(errp, "block \"%s\" at 0x%" PRIx64 ": ", name, entry);
    g_free(name);
}

static bool check_page_size(const MappedRamFile *file, const MappedRamBlock *block, unsigned flags, Error **errp)
{
    const uint64_t size = block->page_size;

    if (!(flags & MAPPED_RAM_ANY_PAGE_SIZE) && size != TARGET_PAGE_SIZE) {
        error_setg(errp, "its page size is 0x%" PRIx64 ", the target's 0x%llx", size, TARGET_PAGE_SIZE);
        return false;
    }
    if (size < PAGE_SIZE_MIN || size > PAGE_SIZE_MAX || (size & (size - 1))) {
        error_setg(errp, "its page size is 0x%" PRIx64 ", not a power of two from 1 KiB to 64 KiB", size);
        return false;
    }
    if (file->page_bits && size != 1ull << file->page_bits) {
        error_setg(errp, "its page size is 0x%" PRIx64 ", but the configuration's target-page-bits are %" PRIu32, size,
                   file->page_bits);
        return false;
    }
    if (file->block_count > 0 && size != file->blocks[0].page_size) {
        error_setg(errp, "its page size is 0x%" PRIx64 ", that of the first block 0x%" PRIx64, size,
                   file->blocks[0].page_size);
        return false;
    }
    return true;
}

/* Everything that can be said without the bitmap; `header_end` is the offset behind the header. */
static bool check_layout(const MappedRamFile *file, const MappedRamBlock *block, uint64_t bitmap_bytes,
                         uint64_t header_end, unsigned flags, Error **errp)
{
    const uint64_t bitmap = block->bitmap_offset, pages = block->pages_offset;

    if (flags & MAPPED_RAM_LAX ? bitmap < header_end : bitmap != header_end) {
        error_setg(errp, "bitmap_offset is 0x%" PRIx64 ", but the header ends at 0x%" PRIx64, bitmap, header_end);
        return false;
    }
    if (bitmap > pages || bitmap_bytes > pages - bitmap) {
        error_setg(errp, "its bitmap of 0x%" PRIx64 " bytes at 0x%" PRIx64 " runs into its pages at 0x%" PRIx64,
                   bitmap_bytes, bitmap, pages);
        return false;
    }
    if (pages % block->page_size) {
        error_setg(errp, "pages_offset is 0x%" PRIx64 ", not a multiple of the page size 0x%" PRIx64, pages,
                   block->page_size);
        return false;
    }
    if (pages > INT64_MAX || block->used_length > INT64_MAX - pages) {
        error_setg(errp, "0x%" PRIx64 " bytes of pages at 0x%" PRIx64 " are beyond the largest file",
                   block->used_length, pages);
        return false;
    }
    /* What follows the last page must be read: so all pages, and hence the bitmap, are inside the file. */
    if (pages + block->used_length > file->size) {
        error_setg(errp, "its pages end at 0x%" PRIx64 ", but the file at 0x%" PRIx64, pages + block->used_length,
                   file->size);
        return false;
    }
    return true;
}

static bool read_bitmap(StreamReader *reader, MappedRamBlock *block, size_t words, Error **errp)
{
    const uint64_t padding = block->pages % WORD_BITS;

    reader->position = block->bitmap_offset;
    if (words == 0) {
        return true;
    }
    block->bitmap = memcore_fault(MEMCORE_FAULT_ALLOCATION) ? NULL : g_try_new(unsigned long, words);
    if (!block->bitmap) {
        error_setg(errp, "no memory for its bitmap of %zu bytes", words * sizeof(unsigned long));
        return false;
    }
    if (!stream_read(reader, block->bitmap, words * sizeof(unsigned long), "bitmap", errp)) {
        return false;
    }
    for (size_t i = 0; i < words; i++) {
        block->bitmap[i] = le64_to_cpu(block->bitmap[i]);
        block->present += (uint64_t)__builtin_popcountl(block->bitmap[i]);
    }
    if (padding && block->bitmap[words - 1] >> padding) {
        error_setg(errp, "its bitmap has bits behind the last of %" PRIu64 " pages: the last word is 0x%lx",
                   block->pages, block->bitmap[words - 1]);
        return false;
    }
    return true;
}

static bool read_header(StreamReader *reader, MappedRamFile *file, MappedRamBlock *block, unsigned flags, Error **errp)
{
    uint32_t version;
    uint64_t gpa, words;

    if (file->ignore_shared && !stream_read_be64(reader, &gpa, "guest address", errp)) {
        return false;
    }
    if (!stream_read_be32(reader, &version, "header version", errp)) {
        return false;
    }
    if (version != MAPPED_RAM_VERSION) {
        error_setg(errp, "its header has version %" PRIu32 ", not 1", version);
        return false;
    }
    if (!stream_read_be64(reader, &block->page_size, "page size", errp) ||
        !stream_read_be64(reader, &block->bitmap_offset, "bitmap offset", errp) ||
        !stream_read_be64(reader, &block->pages_offset, "pages offset", errp) ||
        !check_page_size(file, block, flags, errp)) {
        return false;
    }
    if (block->used_length % block->page_size) {
        error_setg(errp, "its length 0x%" PRIx64 " is not a multiple of its page size 0x%" PRIx64, block->used_length,
                   block->page_size);
        return false;
    }
    block->pages = block->used_length / block->page_size;
    words = block->pages / WORD_BITS + (block->pages % WORD_BITS != 0);
    if (!check_layout(file, block, words * sizeof(unsigned long), reader->position, flags, errp) ||
        !read_bitmap(reader, block, (size_t)words, errp)) {
        return false;
    }
    reader->position = block->pages_offset + block->used_length;
    return true;
}

static bool read_block(StreamReader *reader, MappedRamFile *file, MappedRamBlock *block, uint64_t remaining,
                       unsigned flags, Error **errp)
{
    const uint64_t entry = reader->position;
    bool sound = false;

    if (!stream_read_counted(reader, &block->idstr, "name of a block", errp)) {
        return false;
    }
    if (!stream_read_be64(reader, &block->used_length, "length", errp)) {
        /* the Error says it */
    } else if (block->used_length > remaining) {
        error_setg(errp, "its length is 0x%" PRIx64 ", but of the total 0x%" PRIx64 " only 0x%" PRIx64 " are left",
                   block->used_length, file->total, remaining);
    } else {
        sound = read_header(reader, file, block, flags, errp);
    }
    if (!sound) {
        name_block(errp, block, entry);
    }
    return sound;
}

/* Entries begin with a length that is not 0, the EOS word behind them with 0: so empty blocks may come last. */
static bool another_block(StreamReader *reader, uint64_t remaining, bool *another, Error **errp)
{
    uint8_t next = 1;

    if (remaining == 0 && !stream_peek(reader, &next, "end of the block list", errp)) {
        return false;
    }
    *another = next != 0;
    return true;
}

/* By name; those of one name as they are in the file. */
static int compare_blocks(const void *a, const void *b)
{
    const MappedRamBlock *const *left = a, *const *right = b;
    const int order = strcmp((*left)->idstr, (*right)->idstr);

    return order ? order : *left < *right ? -1 : *left > *right;
}

/*
 * By name, for look-ups; none is there twice.  Sorted, not hashed: the names are the file's, and 65,536 that collide
 * would keep a hash table busy for half a minute.
 */
static bool sort_names(MappedRamFile *file, Error **errp)
{
    const size_t count = file->block_count;
    const MappedRamBlock **sorted = g_new(const MappedRamBlock *, count), *twice = NULL;

    file->by_name = sorted;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &file->blocks[i];
    }
    if (count > 0) {
        qsort(sorted, count, sizeof(*sorted), compare_blocks);
    }
    for (size_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1]->idstr, sorted[i]->idstr) == 0 && (!twice || sorted[i] < twice)) {
            twice = sorted[i];
        }
    }
    if (twice) {        /* not the first block: its entry is where the one before ends */
        error_setg(errp, "there is a block of this name already");
        name_block(errp, twice, twice[-1].pages_offset + twice[-1].used_length);
    }
    return !twice;
}

bool mapped_ram_read_blocks(StreamReader *reader, MappedRamFile *file, unsigned flags, Error **errp)
{
    uint64_t remaining = file->total;
    size_t room = 0;
    bool another = false, sound = another_block(reader, remaining, &another, errp);

    while (sound && another) {
        MappedRamBlock *block;

        if (file->block_count == MAPPED_RAM_BLOCKS_MAX) {
            error_setg(errp, "block list at 0x%" PRIx64 ": more than %d blocks", reader->position,
                       MAPPED_RAM_BLOCKS_MAX);
            sound = false;
            break;
        }
        if (file->block_count == room) {
            room = room ? 2 * room : 4;
            file->blocks = g_renew(MappedRamBlock, file->blocks, room);
        }
        block = &file->blocks[file->block_count];
        *block = (MappedRamBlock){ 0 };
        sound = read_block(reader, file, block, remaining, flags, errp);
        file->block_count++;
        remaining -= sound ? block->used_length : 0;
        sound = sound && another_block(reader, remaining, &another, errp);
    }
    return sound && sort_names(file, errp);
}
