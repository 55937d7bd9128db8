/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with one block, "ram", and where it is saved to: an unnamed file, and a path in a folder of its own. */
#ifndef CONFORMANCE_MIGRATION_SAVE_STAGE_H
#define CONFORMANCE_MIGRATION_SAVE_STAGE_H

#include "common/conformance.h"
#include "exec/ramblock.h"
#include "migration/ram-save.h"

#define PAGE TARGET_PAGE_SIZE

extern struct save_stage {
    MemoryRegion *ram;
    uint64_t pages;             /* of the block */
    uint8_t *at_stop;           /* memory when the writers were stopped last */
    unsigned stopped, resumed;
    int fd;                     /* the unnamed file */
    char *folder, *path;        /* nothing is there yet */
} stage;

/* RAM is zero. */
void save_begin(uint64_t pages);
/* The folder must be empty, but for what is at the path. */
void save_end(void);

RAMBlock *save_block(void);
/* What a store of the guest does. */
void guest_writes(uint64_t page, uint8_t value);
unsigned files_in_folder(void);

/* Of the machine "none", with hooks that count and keep, to the path or to the file. */
RamSaveParameters parameters_to_path(void);
RamSaveParameters parameters_to_fd(void);
RamSave *save_new(const RamSaveParameters *parameters);
/* A whole save, which must succeed. */
void save_run(const RamSaveParameters *parameters);

/* The file holds exactly stage.at_stop; all of it, if `all_present`, or its non-zero pages only. */
void check_file(int fd, bool all_present);
/* The same of the file at the path. */
void check_path(bool all_present);
/* R-ITER-3. */
void check_remaining(const RamSave *save);
/* Nothing of a save is left in the block. */
void check_left(void);

#endif
