/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/save_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "qapi/error.h"

static int cut(const SaveFile *file, uint64_t length)
{
    int result;

    do {
        result = memcore_fault(MEMCORE_FAULT_FTRUNCATE) || ftruncate(file->fd, (off_t)length) != 0 ? -errno : 0;
    } while (result == -EINTR);
    return result;
}

static int synchronize(int fd)
{
    int result;

    do {
        result = memcore_fault(MEMCORE_FAULT_FSYNC) || fsync(fd) != 0 ? -errno : 0;
    } while (result == -EINTR);
    return result;
}

int save_file_open(SaveFile *file, const char *path, int fd, uint64_t base)
{
    int result;

    *file = (SaveFile){ .fd = fd, .direct_fd = -1, .base = base };
    if (path) {
        char *temporary = g_strconcat(path, ".tmp-XXXXXX", NULL);

        /* Exclusive, mode 0600. */
        file->fd = memcore_fault(MEMCORE_FAULT_OPEN) ? -1 : mkostemp(temporary, O_CLOEXEC);
        if (file->fd < 0) {
            const int error = errno;

            g_free(temporary);
            return -error;
        }
        file->path = g_strdup(path);
        file->temporary = temporary;
    }
    result = cut(file, base);
    /* Else, where the power fails, a file that was there before might have pages of the new one (R-SAVE-9). */
    return result < 0 || path ? result : synchronize(fd);
}

static int write_all(int fd, const void *from, size_t length, uint64_t offset)
{
    const uint8_t *place = from;

    while (length > 0) {
        const ssize_t put = memcore_fault(MEMCORE_FAULT_PWRITE) ? -1 : pwrite(fd, place, length, (off_t)offset);

        if (put > 0) {
            place += put;
            offset += (size_t)put;
            length -= (size_t)put;
        } else if (put == 0) {
            return -EIO;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int save_file_write(SaveFile *file, const void *from, size_t length, uint64_t offset)
{
    return write_all(file->fd, from, length, offset);
}

/* --- past the host's cache --- */

/* Of addresses, offsets and lengths: the largest block that disks have. */
enum { DIRECT_ALIGNMENT = 4096 };

static void warn_not_direct(int error)
{
    Error *warning = NULL;

    error_setg_errno(&warning, error, "pages cannot be written past the host's cache, so they go through it");
    warn_report_err(warning);
}

void save_file_go_direct(SaveFile *file)
{
    char *path = file->temporary ? g_strdup(file->temporary) : g_strdup_printf("/proc/self/fd/%d", file->fd);

    file->direct_fd = memcore_fault(MEMCORE_FAULT_OPEN) ? -1 : open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
    if (file->direct_fd < 0) {
        warn_not_direct(errno);
    }
    g_free(path);
}

bool save_file_is_direct(const SaveFile *file)
{
    return file->direct_fd >= 0 && !__atomic_load_n(&file->direct_failed, __ATOMIC_RELAXED);
}

int save_file_write_pages(SaveFile *file, const void *from, size_t length, uint64_t offset)
{
    if (save_file_is_direct(file) && ((uintptr_t)from | length | offset) % DIRECT_ALIGNMENT == 0) {
        const int result = write_all(file->direct_fd, from, length, offset);

        if (result != -EINVAL) {
            return result;
        }
        if (!__atomic_exchange_n(&file->direct_failed, true, __ATOMIC_RELAXED)) {
            warn_not_direct(EINVAL);
        }
    }
    return write_all(file->fd, from, length, offset);
}

void save_file_punch(SaveFile *file, uint64_t offset, uint64_t length)
{
    /* Nobody needs the hole, so nobody asks whether there is one (R-SAVE-8). */
    fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length);
}

static int sync_directory(const char *path)
{
    char *folder = g_path_get_dirname(path);
    const int fd = memcore_fault(MEMCORE_FAULT_OPEN) ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int result = fd < 0 ? -errno : synchronize(fd);

    if (fd >= 0) {
        close(fd);
    }
    g_free(folder);
    return result;
}

int save_file_finish(SaveFile *file, const uint8_t magic[8], uint64_t end)
{
    int result = cut(file, end);

    result = result < 0 ? result : synchronize(file->fd);
    if (result < 0) {
        return result;
    }
    /* Everything else is on the disk: the next 8 bytes make it a file. */
    result = save_file_write(file, magic, 8, file->base);
    result = result < 0 ? result : synchronize(file->fd);
    if (result < 0) {
        static const uint8_t zeroes[8];

        save_file_write(file, zeroes, sizeof(zeroes), file->base);
        return result;
    }
    if (!file->path) {
        return 0;
    }
    if (memcore_fault(MEMCORE_FAULT_RENAME) || rename(file->temporary, file->path) != 0) {
        return -errno;
    }
    g_free(file->temporary);
    file->temporary = NULL;
    return sync_directory(file->path);
}

void save_file_close(SaveFile *file)
{
    if (file->direct_fd >= 0) {
        close(file->direct_fd);
        file->direct_fd = -1;
    }
    if (file->temporary) {
        unlink(file->temporary);
        g_free(file->temporary);
        file->temporary = NULL;
    }
    if (file->path) {
        close(file->fd);
        g_free(file->path);
        file->path = NULL;
    }
    file->fd = -1;
}
