/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapped-ram files: snapshots of RAM in which each page has a fixed place
 * (conformance/spec/migration.md, chapters 1 to 3).
 *
 * Reading goes in two steps (R-MLD-1).  A probe reads the layout and all bitmaps and
 * checks everything that can be checked without page data; it needs no RAM blocks and
 * no memcore_init().  A load then moves pages into the RAM blocks of this process.
 *
 * Files are hostile until they are probed: whatever their bytes, a probe ends with a
 * description or with an Error, and takes memory in proportion to the file's size.
 */
#ifndef MIGRATION_MAPPED_RAM_H
#define MIGRATION_MAPPED_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qapi/error.h"

#pragma GCC visibility push(default)

/* What a probe tolerates, and a load. */
typedef enum {
    MAPPED_RAM_ANY_PAGE_SIZE = 1 << 0,  /* any power of two from 1 KiB to 64 KiB, not TARGET_PAGE_SIZE only */
    MAPPED_RAM_LAX = 1 << 1,            /* a gap between a header and its bitmap */
    MAPPED_RAM_UNVERIFIED = 1 << 2,     /* anything behind the block list, a missing END too (R-STRM-10) */
    MAPPED_RAM_SKIP_GPA = 1 << 3,       /* capability x-ignore-shared, whose blocks have a guest address */
    MAPPED_RAM_PARTIAL = 1 << 4,        /* load: local migratable blocks may be missing in the file */
} MappedRamFlags;

#define MAPPED_RAM_BLOCKS_MAX 65536

/* One block of the file.  All offsets are of bytes, from the start of the file. */
typedef struct MappedRamBlock {
    char *idstr;                /* any bytes but NUL; 1 to 255 of them */
    uint64_t used_length;
    uint64_t page_size;
    uint64_t bitmap_offset;
    uint64_t pages_offset;      /* page i is at pages_offset + i * page_size */
    uint64_t pages;             /* used_length / page_size */
    uint64_t present;           /* pages whose bit is set; the others are zero (R-MRAM-7) */
    unsigned long *bitmap;      /* one bit a page; NULL: no pages */
} MappedRamBlock;

/* What a probe found.  Read-only for everybody but the functions below. */
typedef struct MappedRamFile {
    char *machine;              /* name of the machine type */
    uint32_t page_bits;         /* 0: the file does not say */
    bool ignore_shared;         /* capability x-ignore-shared */
    bool has_uuid;
    uint8_t uuid[16];
    bool complete;              /* the RAM has an END section: the bitmaps are final */
    char *incomplete;           /* UNVERIFIED only: why not; else NULL */
    uint64_t size;              /* of the file when it was probed */
    uint64_t end;               /* offset behind the last footer that was read */
    uint64_t total;             /* sum of all used_length */
    size_t block_count;
    MappedRamBlock *blocks;     /* in the order of the file */
    /* private: */
    int fd;
    const MappedRamBlock **by_name;     /* all blocks, sorted by name */
} MappedRamFile;

/*
 * Reads the layout of the stream that starts at `base` (0, except for files written
 * with an offset) of the regular file `fd`.  `machine`: the name the file must have,
 * or NULL.  The descriptor stays the caller's, and open as long as the result is
 * used; its position does not matter and does not change.  Any thread, no locks.
 *
 * NULL and an Error that names block, offset and value, if the file is not sound.
 */
MappedRamFile *mapped_ram_probe(int fd, uint64_t base, unsigned flags, const char *machine, Error **errp);

/* NULL: nothing. */
void mapped_ram_free(MappedRamFile *file);

/* By exact name; NULL: none. */
const MappedRamBlock *mapped_ram_find_block(const MappedRamFile *file, const char *idstr);

/* Misuse: a page the block does not have. */
bool mapped_ram_page_present(const MappedRamBlock *block, uint64_t page);

/*
 * The pages from `page` on that are all present, or all absent: how many, at
 * most to the end of the block.  Misuse as above.
 */
uint64_t mapped_ram_run(const MappedRamBlock *block, uint64_t page);

/*
 * Reads `count` pages into `buffer`, absent ones as zero.  False and an Error if the
 * file cannot be read, or has shrunk since the probe; the buffer is then undefined.
 */
bool mapped_ram_read_pages(const MappedRamFile *file, const MappedRamBlock *block, uint64_t page, uint64_t count,
                           void *buffer, Error **errp);

/*
 * Fills all RAM blocks named in the file: present pages from the file, absent ones
 * with zero; RESIZEABLE blocks get the file's length first.  All of them are dirty for
 * everybody afterwards, and received where there is a receivedmap (R-MLD-6).
 *
 *    0        loaded
 *   -EINVAL   an Error; the file does not fit, and nothing has changed
 *   -EIO      an Error; RAM is damaged: part of it may be the file's (R-MLD-8)
 *
 * Needs the big lock and a paused machine (memcore_set_vm_running()).  `flags` is
 * MAPPED_RAM_PARTIAL or 0.
 */
int mapped_ram_load(const MappedRamFile *file, unsigned flags, Error **errp);

#pragma GCC visibility pop

#endif
