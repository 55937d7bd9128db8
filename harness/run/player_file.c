/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM with a file behind it: files as model/block.h describes them.  None outlives the step but as the block's. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/ramblock.h"
#include "model/block.h"
#include "qapi/error.h"
#include "run/player_block.h"

static _Noreturn void cannot(const char *what)
{
    perror(what);
    abort();
}

static int new_file(uint64_t length)
{
    const int fd = memfd_create("harness", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, (off_t)length)) {
        cannot("harness: cannot make a memfd");
    }
    for (unsigned page = 0; page < BLOCK_FILE_MARKS && page * HOST_PAGE < length; page++) {
        const uint8_t mark = block_file_mark(page);

        if (pwrite(fd, &mark, 1, (off_t)(page * HOST_PAGE)) != 1) {
            cannot("harness: cannot write to a memfd");
        }
    }
    return fd;
}

static int new_pipe(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC)) {
        cannot("harness: cannot make a pipe");
    }
    close(ends[1]);
    return ends[0];
}

static uint64_t length_of(int fd)
{
    struct stat status;

    return fd >= 0 && !fstat(fd, &status) && S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
}

static uint32_t ram_flags(const struct file_flags *flags)
{
    return (flags->shared ? RAM_SHARED : 0) | (flags->noreserve ? RAM_NORESERVE : 0) |
           (flags->protected ? RAM_PROTECTED : 0) | (flags->unknown ? RAM_RESIZEABLE : 0);
}

/* Where files come and go quickly: making one on a disk's file system costs more than all the rest of a step. */
static const char *folder(void)
{
    static const char in_memory[] = "/dev/shm";
    static const char *chosen;

    if (!chosen) {
        chosen = access(in_memory, W_OK | X_OK) == 0 ? in_memory : P_tmpdir;
    }
    return chosen;
}

/* One path a process: each file is gone from it before the step ends. */
static const char *new_path(void)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s/memcore-harness-%d", folder(), (int)getpid());
    return path;
}

static bool from_path(MemoryRegion *mr, Object *owner, const char *name, const struct trace_step *s, int fd)
{
    const struct file_flags flags = block_file_flags(s->c);
    const bool there = s->n != FILE_PATH_NEW && s->n != FILE_DIRECTORY;
    char path[64];
    Error *error = NULL;

    snprintf(path, sizeof(path), "%s", s->n == FILE_DIRECTORY ? folder() : new_path());
    if (there) {
        char target[32];

        snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
        if (symlink(target, path)) {
            cannot("harness: cannot name a file");
        }
    }
    memory_region_init_ram_from_file(mr, owner, name, s->v.absolute, flags.alignment, ram_flags(&flags), path,
                                     flags.readonly, &error);
    if (s->n != FILE_DIRECTORY && (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) != (there || !error)) {
        fprintf(stderr, "harness: a file was left behind, or is not there (R-FILE-5)\n");
        abort();
    }
    if (s->n != FILE_DIRECTORY && (there || !error)) {
        unlink(path);
    }
    if (error) {
        error_free(error);
        return false;
    }
    return true;
}

bool player_file_init(MemoryRegion *mr, Object *owner, const char *name, const struct trace_step *s, FILE *out)
{
    const struct file_flags flags = block_file_flags(s->c);
    const bool path = block_file_has_path((unsigned)s->n);
    const bool file = !path || (s->n != FILE_PATH_NEW && s->n != FILE_DIRECTORY);
    const int fd = s->n == FILE_PIPE ? new_pipe()
                 : file ? new_file(block_file_length((unsigned)s->n, s->w.absolute, s->v.absolute)) : -1;
    Error *error = NULL;
    bool made;

    if (path) {
        made = from_path(mr, owner, name, s, fd);
    } else {
        memory_region_init_ram_from_fd(mr, owner, name, s->v.absolute, ram_flags(&flags), fd, s->w.absolute, &error);
        made = !error;
        error_free(error);
    }
    if (made) {
        fprintf(out, "made, the file has 0x%" PRIx64 " bytes\n", length_of(memory_region_get_fd(mr)));
    } else {
        fprintf(out, "refused, the file has 0x%" PRIx64 " bytes\n", length_of(fd));
    }
    if (fd >= 0 && !(made && !path) && close(fd)) {
        cannot("harness: the core closed a file that was not its own (R-FILE-5)");
    }
    return made;
}

void player_file_print(int fd, FILE *out)
{
    const uint64_t length = length_of(fd);

    fprintf(out, "file 0x%" PRIx64 " bytes:", length);
    for (unsigned page = 0; page < BLOCK_FILE_MARKS && page * HOST_PAGE < length; page++) {
        uint8_t byte = 0;

        if (pread(fd, &byte, 1, (off_t)(page * HOST_PAGE)) != 1) {
            cannot("harness: cannot read the file of a block");
        }
        fprintf(out, " %02x", byte);
    }
    fprintf(out, "\n");
}
