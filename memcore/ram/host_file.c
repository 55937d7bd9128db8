/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/misuse.h"
#include "ram/host_file.h"
#include "ram/host_memory.h"

/* A name that comes and goes between two calls; anything that takes longer is no accident. */
enum { OPEN_ATTEMPTS = 100 };

static int open_file(const char *path, int flags)
{
    return memcore_fault(MEMCORE_FAULT_OPEN) ? -1 : open(path, flags | O_CLOEXEC, 0644);
}

/* A file without a name, in the directory `path`. */
static int open_in_directory(const char *path, const char *region_name)
{
    char *name = g_strdup(region_name ? region_name : "");
    char *template;
    int fd;

    for (char *c = name; *c; c++) {
        if (*c == '/') {
            *c = '_';
        }
    }
    template = g_strdup_printf("%s/qemu_back_mem.%s.XXXXXX", path, name);
    fd = memcore_fault(MEMCORE_FAULT_OPEN) ? -1 : mkostemp(template, O_CLOEXEC);
    if (fd >= 0) {
        unlink(template);
    }
    g_free(template);
    g_free(name);
    return fd;
}

static bool is_directory(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

static int open_or_create(const char *path, const char *region_name, bool readonly, bool *created)
{
    const int fd = open_file(path, readonly ? O_RDONLY : O_RDWR);

    if (fd < 0 && errno == EISDIR) {
        return open_in_directory(path, region_name);
    }
    if (fd < 0 && errno == ENOENT) {
        const int new_fd = open_file(path, O_RDWR | O_CREAT | O_EXCL);

        *created = new_fd >= 0;
        return new_fd;
    }
    return fd;
}

int host_file_open(const char *path, const char *region_name, bool readonly, bool *created, Error **errp)
{
    unsigned attempts = 0;
    int fd;

    do {
        fd = open_or_create(path, region_name, readonly, created);
    } while (fd < 0 && (errno == EEXIST || errno == EINTR) && ++attempts < OPEN_ATTEMPTS);
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot open '%s' for RAM", path);
        return -1;
    }
    if (is_directory(fd)) {
        error_setg(errp, "cannot use '%s' for RAM: read-only RAM cannot live in a directory (R-FILE-8)", path);
        close(fd);
        return -1;
    }
    return fd;
}

size_t host_file_page_size(int fd)
{
    struct statfs status;
    int result;

    do {
        result = fstatfs(fd, &status);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && (unsigned long)status.f_type == HUGETLBFS_MAGIC) {
        return (size_t)status.f_bsize;
    }
    return host_page_size();
}

/* A number from the description of a character device that is persistent memory. */
static bool dax_attribute(const struct stat *status, const char *attribute, uint64_t *value)
{
    char *base = g_strdup_printf("/sys/dev/char/%u:%u", major(status->st_rdev), minor(status->st_rdev));
    char *subsystem = g_strdup_printf("%s/subsystem", base);
    char *name = g_strdup_printf("%s/%s", base, attribute);
    char *kind = realpath(subsystem, NULL);
    bool found = false;

    if (kind && g_str_has_suffix(kind, "/dax")) {
        FILE *file = fopen(name, "re");

        found = file && fscanf(file, "%" SCNi64, (int64_t *)value) == 1;
        if (file) {
            fclose(file);
        }
    }
    free(kind);
    g_free(name);
    g_free(subsystem);
    g_free(base);
    return found;
}

typedef struct {
    int error;              /* errno of asking */
    bool mappable;          /* a file or a device */
    bool regular;
    bool size_known;
    uint64_t size;
    uint64_t dax_align;     /* 0: no DAX device */
} FileFacts;

static FileFacts look_at(int fd)
{
    FileFacts facts = { 0 };
    struct stat status;

    if (fstat(fd, &status) != 0) {
        facts.error = errno;
        return facts;
    }
    facts.mappable = S_ISREG(status.st_mode) || S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
    if (S_ISREG(status.st_mode)) {
        facts.regular = facts.size_known = true;
        facts.size = (uint64_t)status.st_size;
    } else if (S_ISCHR(status.st_mode)) {
        facts.size_known = dax_attribute(&status, "size", &facts.size);
        if (!dax_attribute(&status, "device/align", &facts.dax_align)) {
            facts.dax_align = 0;
        }
    } else if (S_ISBLK(status.st_mode)) {
        const off_t here = lseek(fd, 0, SEEK_CUR), end = lseek(fd, 0, SEEK_END);

        facts.size_known = end >= 0;
        facts.size = end >= 0 ? (uint64_t)end : 0;
        (void)lseek(fd, here, SEEK_SET);
    }
    return facts;
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static bool check(const HostFile *file, const FileFacts *facts, const char *label, Error **errp)
{
    const uint64_t page = file->page_size;

    if (facts->error) {
        error_setg_errno(errp, facts->error, "%s cannot be used for RAM", label);
    } else if (!facts->mappable) {
        error_setg(errp, "%s is not a file that RAM can live in", label);
    } else if (file->offset % page) {
        error_setg(errp, "%s: offset 0x%" PRIx64 " is not a multiple of its page size 0x%" PRIx64, label,
                   file->offset, page);
    } else if (file->size > (uint64_t)INT64_MAX - page || file->offset > (uint64_t)INT64_MAX - page - file->size) {
        error_setg(errp, "%s: 0x%" PRIx64 " bytes at 0x%" PRIx64 " are more than a file can have", label, file->size,
                   file->offset);
    } else if (facts->size_known && facts->size > 0 && facts->size < file->offset + file->size) {
        error_setg(errp, "%s: has 0x%" PRIx64 " bytes, RAM needs 0x%" PRIx64 " from 0x%" PRIx64, label, facts->size,
                   file->size, file->offset);
    } else if (facts->dax_align > file->align) {
        error_setg(errp, "%s: the device wants alignment 0x%" PRIx64 ", not 0x%" PRIx64, label, facts->dax_align,
                   file->align);
    } else if (file->align % page) {
        error_setg(errp, "%s: alignment 0x%" PRIx64 " is not a multiple of its page size 0x%" PRIx64, label,
                   file->align, page);
    } else if (file->align & (file->align - 1)) {
        error_setg(errp, "%s: alignment 0x%" PRIx64 " is not a power of two", label, file->align);
    } else if (file->size < page) {
        error_setg(errp, "%s: RAM of 0x%" PRIx64 " bytes is less than its page size 0x%" PRIx64, label, file->size,
                   page);
    } else {
        return true;
    }
    return false;
}

bool host_file_prepare(HostFile *file, Error **errp)
{
    const FileFacts facts = look_at(file->fd);
    char *label = file->path ? g_strdup_printf("file '%s'", file->path) : g_strdup_printf("fd %d", file->fd);
    bool possible = check(file, &facts, label, errp);

    file->extended = false;
    if (possible && facts.regular && facts.size == 0) {
        const off_t length = (off_t)(file->offset + round_up(file->size, file->page_size));

        if (memcore_fault(MEMCORE_FAULT_FTRUNCATE) || ftruncate(file->fd, length) != 0) {
            error_setg_errno(errp, errno, "%s: is empty, and cannot be made 0x%" PRIx64 " bytes long", label,
                             (uint64_t)length);
            possible = false;
        } else {
            file->extended = true;
        }
    }
    g_free(label);
    return possible;
}

void host_file_restore(const HostFile *file)
{
    if (file->extended && ftruncate(file->fd, 0) != 0) {
        Error *warning = NULL;

        error_setg_errno(&warning, errno, "fd %d cannot be made empty again", file->fd);
        warn_report_err(warning);
    }
}
