/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a save, from its creation under another name to the moment it is sound
 * (R-SAVE-9).  Functions return 0 or -errno.
 */
#ifndef MEMCORE_MIGRATION_SAVE_FILE_H
#define MEMCORE_MIGRATION_SAVE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int fd;             /* -1: closed */
    int direct_fd;      /* the same file past the host's cache; -1: none */
    bool direct_failed; /* atomic: it is there, but does not work */
    uint64_t base;
    char *path;         /* the final one; NULL: the caller's descriptor */
    char *temporary;    /* the present one; NULL: none, or renamed */
} SaveFile;

/* Creates PATH.tmp-XXXXXX, or takes the caller's descriptor, and cuts it to `base`. */
int save_file_open(SaveFile *file, const char *path, int fd, uint64_t base);

/* All of it: loops over short writes and interruptions (R-SAVE-5). */
int save_file_write(SaveFile *file, const void *from, size_t length, uint64_t offset);

/*
 * Whole pages, past the host's cache if that works (R-SAVE-7): from then on where the pieces are aligned
 * for it.  If it does not, there is a warning, and they are written like everything else.
 */
void save_file_go_direct(SaveFile *file);
int save_file_write_pages(SaveFile *file, const void *from, size_t length, uint64_t offset);
bool save_file_is_direct(const SaveFile *file);

/* A hole where the file system can have one; nothing else changes. */
void save_file_punch(SaveFile *file, uint64_t offset, uint64_t length);

/* Cuts the file to `end`; everything, then the magic, reaches the disk; then it gets its name. */
int save_file_finish(SaveFile *file, const uint8_t magic[8], uint64_t end);

/* What is not finished goes away; the caller's descriptor stays as it is, with zero magic. */
void save_file_close(SaveFile *file);

#endif
