/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapped-ram files from short recipes, for fuzzing: a sound file of a few pages, then
 * changes that are hostile in the ways real files could be (conformance/spec/migration.md,
 * section 7, H1 to H13).  Engines mutate the recipe, of which any bytes are one; the file
 * follows from it, with consistent offsets wherever no change says otherwise.
 *
 * A recipe, by bytes (what is missing reads as 0):
 *
 *   0     configuration: see RECIPE_* below; never 'Q', with which files themselves begin
 *   1     low 3 bits: blocks; high 5 bits: records behind START
 *   2     where the stream starts, in units of 0x1c bytes
 *   3     low 4 bits: what is opened (H13): 0 pipe, 1 folder, 2 device, else the file; high 4 bits: for the reader
 *   4     probe flags (enum MappedRamFlags), load flags in the same place
 *   ...   4 bytes a block: name, pages, which are present, gap before the pages
 *   ...   1 byte a record: which
 *   ...   4 bytes a change, to the end: what, where, how, how much
 */
#ifndef HARNESS_SNAPSHOT_RECIPE_H
#define HARNESS_SNAPSHOT_RECIPE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    RECIPE_PAGE_BITS = 1 << 0,          /* subsection target-page-bits */
    RECIPE_UUID = 1 << 1,               /* subsection uuid */
    RECIPE_IGNORE_SHARED = 1 << 2,      /* capability x-ignore-shared (H11) */
    RECIPE_GPA = 1 << 3,                /* blocks have a guest address: sound with the capability only (H11) */
    RECIPE_EXPECT_MACHINE = 1 << 4,     /* the reader demands the machine's name */
    RECIPE_OTHER_MACHINE = 1 << 5,      /* "pc" instead of "none" */
    RECIPE_KIBIBYTE_PAGES = 1 << 6,     /* pages of 1 KiB, as of another target */
};

typedef enum { SNAPSHOT_FILE, SNAPSHOT_PIPE, SNAPSHOT_FOLDER, SNAPSHOT_DEVICE } SnapshotKind;

typedef struct {
    GByteArray *bytes;
    uint64_t size;              /* of the file: behind its bytes it has a hole */
    uint64_t base;              /* where the reader is told that the stream starts */
    uint64_t shrunk;            /* the file's size after the probe; >= size: does not shrink (H13) */
    SnapshotKind kind;
    unsigned flags;             /* for the reader */
    bool expect_machine;        /* "none" */
    unsigned reader;            /* 4 bits: in what state the reader is */
    uint64_t fail_read;         /* the read with this number fails; UINT64_MAX: none */
} Snapshot;

/* The longest hole behind the bytes, and so about the largest file. */
#define SNAPSHOT_HOLE_MAX (64 << 20)

/*
 * `page_size`: the target's.  `names`: of blocks that the reader knows, NULL at the end.
 * Bytes that begin with 'Q' are a file themselves, with nothing special about it.  `bytes`
 * is reused by the next call; not for threads.
 */
void snapshot_make(Snapshot *snapshot, const uint8_t *recipe, size_t length, uint64_t page_size,
                   const char *const *names);

#endif
