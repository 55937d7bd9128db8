/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that RAM lives in (R-FILE). */
#ifndef MEMCORE_RAM_HOST_FILE_H
#define MEMCORE_RAM_HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qapi/error.h"

/*
 * Opens or creates what `path` names (R-FILE-1); `region_name` becomes part of the
 * name of a file in a directory.  *created, false before: there is a new name to be
 * removed if something fails later.  -1 and an Error.
 */
int host_file_open(const char *path, const char *region_name, bool readonly, bool *created, Error **errp);

/* Page size of the file system's huge pages, or of the host. */
size_t host_file_page_size(int fd);

/* An open file that is to hold [offset, offset + size) and be mapped. */
typedef struct {
    int fd;
    const char *path;       /* for messages; NULL: the caller's fd */
    uint64_t offset;
    uint64_t size;          /* in whole host pages */
    uint64_t align;
    bool readonly;
    size_t page_size;       /* in: host_file_page_size */
    bool extended;          /* out: it was empty */
} HostFile;

/* The checks of R-FILE-2, except for mapping; then an empty file is made long enough. */
bool host_file_prepare(HostFile *file, Error **errp);

/* As it was before host_file_prepare. */
void host_file_restore(const HostFile *file);

#endif
