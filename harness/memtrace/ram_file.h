/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapped-ram files on the command line: what the parts of `memtrace ram` share. */
#ifndef HARNESS_MEMTRACE_RAM_FILE_H
#define HARNESS_MEMTRACE_RAM_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "migration/mapped-ram.h"

typedef struct {
    const char *path;
    int fd;
    MappedRamFile *ram;
} RamFile;

/*
 * Opens and probes; `flags` are those of the probe besides ANY_PAGE_SIZE.  The exit status: 0, or
 * after one line on stderr 1 (not a sound file) or 2 (cannot be opened).  Close in any case.
 */
int ram_file_open(RamFile *file, const char *path, uint64_t base, unsigned flags);
void ram_file_close(RamFile *file);

/* "64 MiB", in the largest unit that leaves nothing over; g_free. */
char *ram_size_text(uint64_t bytes);

/* One line on stderr, and frees the Error. */
void ram_complain(const RamFile *file, Error *error);

/* Pages that are read in one go: at most a MiB of them. */
uint64_t ram_chunk(const MappedRamBlock *block, uint64_t page);

/* The exit status. */
int ram_info(const RamFile *file);
int ram_diff(const RamFile *a, const RamFile *b);

#endif
