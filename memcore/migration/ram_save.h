/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The save engine, between its files: ram_save.c has the states, save_pages.c the pages. */
#ifndef MEMCORE_MIGRATION_RAM_SAVE_H
#define MEMCORE_MIGRATION_RAM_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exec/ramblock.h"
#include "exec/ramlist.h"
#include "migration/ram-save.h"
#include "migration/save_file.h"
#include "migration/save_rate.h"
#include "migration/save_workers.h"

/* A block as it was at setup; the bitmaps are the engine's, so that they outlive a block that goes. */
typedef struct {
    RAMBlock *block;
    uint8_t *host;
    uint64_t used_length, pages, pages_offset, bitmap_offset;
    uint64_t readable;          /* bytes that are memcore's to read, from the start (R-RAM-7) */
    unsigned long *bmap, *clear_bmap;
    unsigned long *file_bmap;   /* atomic: workers share words */
    unsigned long *written;     /* with punch_holes: what was ever written; atomic too */
} SavedBlock;

typedef enum { SAVE_NEW, SAVE_ACTIVE, SAVE_DONE, SAVE_FAILED } SaveState;

struct RamSave {
    RamSaveParameters parameters;
    char *path, *machine;
    uint8_t uuid[16];
    SaveState state;
    bool cancelled;             /* atomic */
    bool writers_stopped;
    uint32_t version;           /* of ram_list at setup */
    RAMBlockNotifierExtended notifier;
    bool resized;               /* a block was, perhaps back again since (R-ITER-11) */
    SaveFile file;
    SaveWorkers *workers;
    SaveRate rate;
    uint64_t started, stopped;  /* milliseconds */
    uint64_t end;               /* where the next piece of the stream goes */
    SavedBlock *blocks;
    size_t block_count;
    size_t next_block;          /* where the scan goes on */
    uint64_t next_page;
    uint64_t remaining, dirty_sync_count;
    uint64_t normal, zero;      /* atomic */
    RamSaveCounters counters;
};

/* Takes up to `pages` dirty pages, from where the last call ended, and has them written; returns when they are. */
int save_pages(RamSave *save, uint64_t pages);

/* A worker's work. */
int save_pages_write(void *opaque, const SaveJob *job);

/* Takes what a RamDiscardManager has discarded out of the dirty pages (R-ITER-1, R-RDM-15). */
void save_pages_drop_discarded(RamSave *save);

/* Pages that are absent and once were written leave holes (R-SAVE-8). */
void save_pages_punch_holes(RamSave *save);

/* Counters for everybody to see; false: the embedding program cancels. */
bool save_progress(RamSave *save);

#endif
