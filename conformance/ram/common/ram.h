/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of part 3, spec/ram-and-dirty.md, share.
 *
 *   page_*     addresses in units of target pages
 *   block_*    the RAMBlock behind a region, and the whole list as text
 *   dirty_*    pages of one client as text: "0 3-5"
 *   bits_*     the same for the bitmaps in RAMBlock
 *   file_*     files that are gone after the case
 */
#ifndef CONFORMANCE_RAM_H
#define CONFORMANCE_RAM_H

#include "common/conformance.h"

#include "exec/ram_addr.h"
#include "exec/ramblock.h"

enum { VGA = DIRTY_MEMORY_VGA, CODE = DIRTY_MEMORY_CODE, MIGRATION = DIRTY_MEMORY_MIGRATION };
enum { ON_VGA = 1 << VGA, ON_CODE = 1 << CODE, ON_MIGRATION = 1 << MIGRATION, EVERYBODY = 7 };
enum { WORD = 8 * sizeof(unsigned long) };

#define PAGES(n) ((ram_addr_t)(n) << TARGET_PAGE_BITS)
/* What one word of a dirty bitmap covers: blocks start at a multiple of it (R-RAM-17). */
#define UNIT PAGES(WORD)
/* What one bitmap of the dirty memory covers. */
#define BITMAP_SPAN PAGES(DIRTY_MEMORY_BLOCK_SIZE)

size_t host_page(void);

/* ---- blocks ---- */

/* The region's own block; also of a region whose used length is 0. */
RAMBlock *block_of(MemoryRegion *mr);

/*
 * "version 3: big[0,0x10000)/0x10000 [0x40000,...)/...": every block in list order by the name of its region.
 * Two equal texts: no block came, went, moved or was resized in between.
 */
char *text_of_blocks(void);
/* The names alone, in list order: "big small". */
char *text_of_block_order(void);

/*
 * The error must be there and contain `first` and `second` (NULL: nothing more); it is freed.  `blocks` is
 * text_of_blocks() from before, which must still hold (R-RAM-10); it stays the caller's.
 */
#define check_refused(error, blocks, first, second) check_refused_at(G_STRLOC, (error), (blocks), (first), (second))
bool check_refused_at(const char *where, Error *error, const char *blocks, const char *first,
                      const char *second);
/* As check_refused, and `mr` was finalized again. */
#define check_init_refused(mr, error, blocks, first, second) \
    check_init_refused_at(G_STRLOC, (mr), (error), (blocks), (first), (second))
bool check_init_refused_at(const char *where, MemoryRegion *mr, Error *error, const char *blocks,
                           const char *first, const char *second);

/* ---- dirty pages ---- */

/* Clears all clients over the used part. */
void clean(MemoryRegion *mr);
/* Pages of the block up to max_length, by asking for one page at a time. */
char *text_of_dirty(MemoryRegion *mr, unsigned client);
char *text_of_bits(const unsigned long *bits, size_t count);
#define check_dirty(mr, client, expected) \
    check_text_taken_at(G_STRLOC, #client " of " #mr, text_of_dirty((mr), (client)), (expected))
/* All three clients alike. */
#define check_dirty_all(mr, expected) \
    (check_dirty((mr), VGA, (expected)), check_dirty((mr), CODE, (expected)), \
     check_dirty((mr), MIGRATION, (expected)))
#define check_bits(bits, count, expected) \
    check_text_taken_at(G_STRLOC, #bits, text_of_bits((bits), (count)), (expected))

/* Sets pages [first, last] of the region for the clients of the mask. */
void dirty(MemoryRegion *mr, unsigned first, unsigned last, uint8_t mask);
ram_addr_t ram_addr(MemoryRegion *mr, hwaddr offset);

unsigned long *bits_new(size_t count);      /* all zero; freed after the program */
bool bit_is_set(const unsigned long *bits, size_t bit);
void bit_set(unsigned long *bits, size_t bit);

/* ---- files ---- */

/* A path in a new directory which is removed, with all in it, at the end of the program; nothing is there yet. */
const char *file_path(const char *name);
/* Makes the file: `size` bytes, each its page's number plus 1. */
const char *file_made(const char *name, size_t size);
/* -1: there is none. */
int64_t file_size(const char *path);
/* Byte `at` of the file; -1 behind its end. */
int file_byte(const char *path, off_t at);

/*
 * For the child of a case (g_test_subprocess): a new file system on `folder`, which nobody else sees and which goes
 * with the process.  False: not permitted.  file_system_possible asks the same in a child of its own.
 */
bool file_system_mount(const char *folder, const char *type, const char *options);
bool file_system_possible(const char *type, const char *options);

void ram_start(int *argc, char ***argv);
int ram_run(void);

#endif
