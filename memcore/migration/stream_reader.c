/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/stream_reader.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "qemu/bswap.h"

enum { WINDOW_AFTER_JUMP = 320 };       /* an entry of the block list with the longest name */

bool stream_reader_start(StreamReader *reader, int fd, uint64_t position, Error **errp)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        error_setg_errno(errp, errno, "cannot read the file");
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        error_setg(errp, "not a regular file: mapped-ram needs pages at fixed offsets");
        return false;
    }
    reader->fd = fd;
    reader->size = (uint64_t)status.st_size;
    reader->position = position;
    reader->window_start = 0;
    reader->window_length = 0;
    if (position > reader->size) {
        error_setg(errp, "the stream is to start at 0x%" PRIx64 ", but the file ends at 0x%" PRIx64, position,
                   reader->size);
        return false;
    }
    return true;
}

int file_read_at(int fd, void *to, size_t length, uint64_t offset)
{
    uint8_t *place = to;

    while (length > 0) {
        const ssize_t got = memcore_fault(MEMCORE_FAULT_PREAD) ? -1 : pread(fd, place, length, (off_t)offset);

        if (got > 0) {
            place += got;
            offset += (size_t)got;
            length -= (size_t)got;
        } else if (got == 0) {
            return -ENODATA;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

/*
 * The window, from `position` on.  After a jump it is a small one: what is read there, a block's entry, mostly ends
 * in it, and the next jump is near.
 */
static bool fill_window(StreamReader *reader, const char *what, Error **errp)
{
    const bool goes_on = reader->window_length && reader->position == reader->window_start + reader->window_length;
    const uint64_t rest = reader->size - reader->position, most = goes_on ? sizeof(reader->window) : WINDOW_AFTER_JUMP;
    const size_t length = (size_t)MIN(rest, most);
    const int result = file_read_at(reader->fd, reader->window, length, reader->position);

    if (result == -ENODATA) {
        error_setg(errp, "%s at 0x%" PRIx64 ": the file has shrunk since it was opened", what, reader->position);
        return false;
    }
    if (result < 0) {
        error_setg_errno(errp, -result, "%s at 0x%" PRIx64 ": cannot read the file", what, reader->position);
        return false;
    }
    reader->window_start = reader->position;
    reader->window_length = length;
    return true;
}

bool stream_read(StreamReader *reader, void *to, size_t length, const char *what, Error **errp)
{
    uint8_t *place = to;

    if (length > reader->size - reader->position) {
        error_setg(errp, "%s at 0x%" PRIx64 " needs %zu bytes, but the file ends at 0x%" PRIx64, what, reader->position,
                   length, reader->size);
        return false;
    }
    while (length > 0) {
        const uint64_t inside = reader->position - reader->window_start;
        size_t part;

        if (reader->position < reader->window_start || inside >= reader->window_length) {
            if (!fill_window(reader, what, errp)) {
                return false;
            }
            continue;
        }
        part = MIN(length, reader->window_length - (size_t)inside);
        memcpy(place, reader->window + inside, part);
        place += part;
        reader->position += part;
        length -= part;
    }
    return true;
}

bool stream_peek(StreamReader *reader, uint8_t *value, const char *what, Error **errp)
{
    if (!stream_read(reader, value, 1, what, errp)) {
        return false;
    }
    reader->position--;
    return true;
}

bool stream_read_u8(StreamReader *reader, uint8_t *value, const char *what, Error **errp)
{
    return stream_read(reader, value, 1, what, errp);
}

bool stream_read_be16(StreamReader *reader, uint16_t *value, const char *what, Error **errp)
{
    uint8_t bytes[2];

    if (!stream_read(reader, bytes, sizeof(bytes), what, errp)) {
        return false;
    }
    *value = (uint16_t)lduw_be_p(bytes);
    return true;
}

bool stream_read_be32(StreamReader *reader, uint32_t *value, const char *what, Error **errp)
{
    uint8_t bytes[4];

    if (!stream_read(reader, bytes, sizeof(bytes), what, errp)) {
        return false;
    }
    *value = (uint32_t)ldl_be_p(bytes);
    return true;
}

bool stream_read_be64(StreamReader *reader, uint64_t *value, const char *what, Error **errp)
{
    uint8_t bytes[8];

    if (!stream_read(reader, bytes, sizeof(bytes), what, errp)) {
        return false;
    }
    *value = ldq_be_p(bytes);
    return true;
}

bool stream_read_text(StreamReader *reader, uint32_t length, char **text, const char *what, Error **errp)
{
    char bytes[256];
    const uint64_t start = reader->position;

    if (length == 0 || length > 255) {
        error_setg(errp, "%s at 0x%" PRIx64 " has %" PRIu32 " bytes; 1 to 255 are allowed", what, start, length);
        return false;
    }
    if (!stream_read(reader, bytes, length, what, errp)) {
        return false;
    }
    bytes[length] = '\0';
    if (strlen(bytes) != length) {
        error_setg(errp, "%s at 0x%" PRIx64 " has a NUL byte as number %zu of %" PRIu32, what, start, strlen(bytes),
                   length);
        return false;
    }
    *text = g_strdup(bytes);
    return true;
}

bool stream_read_counted(StreamReader *reader, char **text, const char *what, Error **errp)
{
    uint8_t length;

    return stream_read_u8(reader, &length, what, errp) && stream_read_text(reader, length, text, what, errp);
}

char *printable(const char *name)
{
    return g_strescape(name, NULL);
}
