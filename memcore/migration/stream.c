/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream around the RAM: magic, configuration, records up to the END of the ram
 * section (R-STRM-*).  A reader of RAM cannot step over records of devices, whose
 * payloads have no length (R-STRM-10).
 */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "migration/mapped_ram.h"

#define STREAM_MAGIC 0x5145564du        /* "QEVM" */

enum { STREAM_VERSION = 3, RAM_SECTION_VERSION = 4, CAPABILITIES_MAX = 64 };

enum {
    RECORD_EOF = 0x00,
    RECORD_START = 0x01,
    RECORD_PART = 0x02,
    RECORD_END = 0x03,
    RECORD_FULL = 0x04,
    RECORD_SUBSECTION = 0x05,
    RECORD_CONFIGURATION = 0x07,
    RECORD_COMMAND = 0x08,
    RECORD_FOOTER = 0x7e,
};

enum { COMMAND_SWITCHOVER_START = 0x0b };

static bool read_magic(StreamReader *reader, Error **errp)
{
    const uint64_t start = reader->position;
    uint32_t magic, version;

    if (!stream_read_be32(reader, &magic, "magic number", errp)) {
        return false;
    }
    if (magic != STREAM_MAGIC) {
        error_setg(errp, "magic number at 0x%" PRIx64 " is 0x%08" PRIx32 ", not 0x%08x (\"QEVM\")%s", start, magic,
                   STREAM_MAGIC, magic == 0 ? ": a save that was not finished?" : "");
        return false;
    }
    if (!stream_read_be32(reader, &version, "stream version", errp)) {
        return false;
    }
    if (version != STREAM_VERSION) {
        error_setg(errp, "stream version at 0x%" PRIx64 " is %" PRIu32 ", not 3", start + 4, version);
        return false;
    }
    return true;
}

static bool read_page_bits(StreamReader *reader, MappedRamFile *file, Error **errp)
{
    const uint64_t start = reader->position;

    if (!stream_read_be32(reader, &file->page_bits, "target-page-bits", errp)) {
        return false;
    }
    if (file->page_bits < 10 || file->page_bits > 16) {
        error_setg(errp, "target-page-bits at 0x%" PRIx64 " are %" PRIu32 ", not 10 to 16", start, file->page_bits);
        return false;
    }
    return true;
}

static bool read_capabilities(StreamReader *reader, MappedRamFile *file, unsigned flags, Error **errp)
{
    const uint64_t start = reader->position;
    bool mapped_ram = false;
    uint32_t count;

    if (!stream_read_be32(reader, &count, "number of capabilities", errp)) {
        return false;
    }
    if (count > CAPABILITIES_MAX) {
        error_setg(errp, "%" PRIu32 " capabilities at 0x%" PRIx64 ", more than %d", count, start, CAPABILITIES_MAX);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t place = reader->position;
        char *name, *readable;
        bool *known;

        if (!stream_read_counted(reader, &name, "name of a capability", errp)) {
            return false;
        }
        known = strcmp(name, "mapped-ram") == 0        ? &mapped_ram
                : strcmp(name, "x-ignore-shared") == 0 ? &file->ignore_shared
                                                       : NULL;
        readable = printable(name);
        g_free(name);
        if (!known || *known) {
            error_setg(errp, "capability \"%s\" at 0x%" PRIx64 " is %s", readable, place,
                       known ? "listed twice" : "not known");
            g_free(readable);
            return false;
        }
        g_free(readable);
        *known = true;
    }
    if (!mapped_ram) {
        error_setg(errp, "capabilities at 0x%" PRIx64 " are without mapped-ram: not a mapped-ram file", start);
        return false;
    }
    if (file->ignore_shared && !(flags & MAPPED_RAM_SKIP_GPA)) {
        error_setg(errp, "capabilities at 0x%" PRIx64 " have x-ignore-shared: not all RAM is in the file", start);
        return false;
    }
    return true;
}

enum { HAVE_PAGE_BITS = 1 << 0, HAVE_CAPABILITIES = 1 << 1, HAVE_UUID = 1 << 2 };

static bool read_subsection(StreamReader *reader, MappedRamFile *file, unsigned *have, unsigned flags, Error **errp)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = {
        { "configuration/target-page-bits", HAVE_PAGE_BITS },
        { "configuration/capabilities", HAVE_CAPABILITIES },
        { "configuration/uuid", HAVE_UUID },
    };
    const uint64_t start = reader->position;
    unsigned bit = 0;
    uint32_t version;
    char *name, *readable;

    if (!stream_read_counted(reader, &name, "name of a subsection", errp)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        bit |= strcmp(name, known[i].name) == 0 ? known[i].bit : 0;
    }
    readable = printable(name);
    g_free(name);
    if (bit == 0 || (*have & bit)) {
        error_setg(errp, "subsection \"%s\" at 0x%" PRIx64 " is %s", readable, start,
                   bit == 0 ? "not known and cannot be skipped" : "there twice");
        g_free(readable);
        return false;
    }
    *have |= bit;
    if (!stream_read_be32(reader, &version, readable, errp)) {
        g_free(readable);
        return false;
    }
    if (version != 1) {
        error_setg(errp, "subsection \"%s\" at 0x%" PRIx64 " has version %" PRIu32 ", not 1", readable, start, version);
        g_free(readable);
        return false;
    }
    g_free(readable);
    if (bit == HAVE_PAGE_BITS) {
        return read_page_bits(reader, file, errp);
    }
    if (bit == HAVE_CAPABILITIES) {
        return read_capabilities(reader, file, flags, errp);
    }
    file->has_uuid = true;
    return stream_read(reader, file->uuid, sizeof(file->uuid), "uuid", errp);
}

static bool read_configuration(StreamReader *reader, MappedRamFile *file, unsigned flags, const char *machine,
                               Error **errp)
{
    const uint64_t start = reader->position;
    unsigned have = 0;
    uint32_t length;
    uint8_t type;

    if (!stream_read_u8(reader, &type, "configuration", errp)) {
        return false;
    }
    if (type != RECORD_CONFIGURATION) {
        error_setg(errp, "record at 0x%" PRIx64 " is 0x%02x, not the configuration (0x07)", start, type);
        return false;
    }
    if (!stream_read_be32(reader, &length, "machine name", errp) ||
        !stream_read_text(reader, length, &file->machine, "machine name", errp)) {
        return false;
    }
    if (machine && strcmp(machine, file->machine) != 0) {
        char *readable = printable(file->machine);

        error_setg(errp, "machine name at 0x%" PRIx64 " is \"%s\", not \"%s\"", start + 5, readable, machine);
        g_free(readable);
        return false;
    }
    for (;;) {
        if (!stream_peek(reader, &type, "record", errp)) {
            return false;
        }
        if (type != RECORD_SUBSECTION) {
            break;
        }
        reader->position++;
        if (!read_subsection(reader, file, &have, flags, errp)) {
            return false;
        }
    }
    if (!(have & HAVE_CAPABILITIES)) {
        error_setg(errp, "configuration at 0x%" PRIx64 " lists no capabilities: not a mapped-ram file", start);
        return false;
    }
    return true;
}

static bool read_end_of_section(StreamReader *reader, uint32_t id, Error **errp)
{
    const uint64_t start = reader->position;
    uint64_t word;
    uint32_t footer_id;
    uint8_t footer;

    if (!stream_read_be64(reader, &word, "ram word", errp)) {
        return false;
    }
    if (word != RAM_FLAG_EOS) {
        error_setg(errp, "ram word at 0x%" PRIx64 " is 0x%" PRIx64 ", not 0x10 (end of section)", start, word);
        return false;
    }
    if (!stream_read_u8(reader, &footer, "footer", errp) || !stream_read_be32(reader, &footer_id, "footer", errp)) {
        return false;
    }
    if (footer != RECORD_FOOTER || footer_id != id) {
        error_setg(errp, "footer at 0x%" PRIx64 " is 0x%02x of section %" PRIu32 ", not 0x7e of section %" PRIu32,
                   start + 8, footer, footer_id, id);
        return false;
    }
    return true;
}

/* The setup section: version, total, all blocks. */
static bool read_ram_start(StreamReader *reader, MappedRamFile *file, uint32_t *id, unsigned flags, Error **errp)
{
    const uint64_t start = reader->position - 1;
    uint32_t instance, version;
    uint64_t word;
    char *name, *readable;
    bool ram;

    if (!stream_read_be32(reader, id, "section", errp) ||
        !stream_read_counted(reader, &name, "name of a section", errp)) {
        return false;
    }
    ram = strcmp(name, "ram") == 0;
    readable = printable(name);
    g_free(name);
    if (!stream_read_be32(reader, &instance, "section", errp) || !stream_read_be32(reader, &version, "section", errp)) {
        g_free(readable);
        return false;
    }
    if (!ram || instance != 0) {
        error_setg(errp, "foreign section \"%s\", instance %" PRIu32 ", at 0x%" PRIx64, readable, instance, start);
        g_free(readable);
        return false;
    }
    g_free(readable);
    if (version != RAM_SECTION_VERSION) {
        error_setg(errp, "section \"ram\" at 0x%" PRIx64 " has version %" PRIu32 ", not 4", start, version);
        return false;
    }
    if (!stream_read_be64(reader, &word, "total length", errp)) {
        return false;
    }
    if ((word & RAM_FLAG_MASK) != RAM_FLAG_MEM_SIZE) {
        error_setg(errp, "ram word at 0x%" PRIx64 " is 0x%" PRIx64 ", not the total length with flag 0x4",
                   reader->position - 8, word);
        return false;
    }
    file->total = word & ~RAM_FLAG_MASK;
    return mapped_ram_read_blocks(reader, file, flags, errp) && read_end_of_section(reader, *id, errp);
}

static bool read_command(StreamReader *reader, Error **errp)
{
    const uint64_t start = reader->position - 1;
    uint16_t command, length;

    if (!stream_read_be16(reader, &command, "command", errp) || !stream_read_be16(reader, &length, "command", errp)) {
        return false;
    }
    if (command != COMMAND_SWITCHOVER_START || length != 0) {
        error_setg(errp, "command at 0x%" PRIx64 " is 0x%x with %u bytes; only 0xb with none is allowed", start,
                   command, length);
        return false;
    }
    return true;
}

static void set_foreign_section(StreamReader *reader, uint8_t type, Error **errp)
{
    const uint64_t start = reader->position - 1;
    char *name = NULL, *readable;
    uint32_t id;

    if (!stream_read_be32(reader, &id, "section", errp)) {
        return;
    }
    if (type == RECORD_PART || type == RECORD_END) {
        error_setg(errp, "foreign section %" PRIu32 " at 0x%" PRIx64 ": it was not started", id, start);
        return;
    }
    if (stream_read_counted(reader, &name, "name of a section", errp)) {
        readable = printable(name);
        error_setg(errp, "foreign section \"%s\" (%" PRIu32 ") at 0x%" PRIx64 ", before the end of the RAM", readable,
                   id, start);
        g_free(readable);
        g_free(name);
    }
}

/* One record; *id is that of the ram section, -1 until it was started. */
static bool read_record(StreamReader *reader, MappedRamFile *file, int64_t *id, unsigned flags, Error **errp)
{
    const uint64_t start = reader->position;
    uint32_t section;
    uint8_t type;

    if (!stream_read_u8(reader, &type, "record", errp)) {
        return false;
    }
    switch (type) {
    case RECORD_START:
        if (*id >= 0) {
            set_foreign_section(reader, type, errp);
            return false;
        }
        if (!read_ram_start(reader, file, &section, flags, errp)) {
            return false;
        }
        *id = section;
        return true;
    case RECORD_PART:
    case RECORD_END:
        if (*id < 0 || !stream_read_be32(reader, &section, "section", NULL) || section != *id) {
            reader->position = start + 1;
            set_foreign_section(reader, type, errp);
            return false;
        }
        if (!read_end_of_section(reader, section, errp)) {
            return false;
        }
        file->complete = type == RECORD_END;
        return true;
    case RECORD_FULL:
        set_foreign_section(reader, type, errp);
        return false;
    case RECORD_COMMAND:
        return read_command(reader, errp);
    case RECORD_EOF:
        error_setg(errp, "end of the stream at 0x%" PRIx64 " without an END of the RAM: the file is incomplete", start);
        return false;
    default:
        error_setg(errp, "record at 0x%" PRIx64 " is 0x%02x, which is not known", start, type);
        return false;
    }
}

/* Up to the END of the RAM, or with UNVERIFIED as far as it is sound behind the block list. */
static bool read_records(StreamReader *reader, MappedRamFile *file, unsigned flags, Error **errp)
{
    int64_t id = -1;
    Error *error = NULL;

    while (!file->complete) {
        const bool optional = id >= 0 && (flags & MAPPED_RAM_UNVERIFIED);

        if (!read_record(reader, file, &id, flags, &error)) {
            if (!optional) {
                error_propagate(errp, error);
                return false;
            }
            file->incomplete = g_strdup(error_get_pretty(error));
            error_free(error);
            return true;
        }
        file->end = reader->position;
    }
    return true;
}

MappedRamFile *mapped_ram_probe(int fd, uint64_t base, unsigned flags, const char *machine, Error **errp)
{
    MappedRamFile *file = g_new0(MappedRamFile, 1);
    StreamReader reader;

    file->fd = fd;
    if (!stream_reader_start(&reader, fd, base, errp)) {
        mapped_ram_free(file);
        return NULL;
    }
    file->size = reader.size;
    if (!read_magic(&reader, errp) || !read_configuration(&reader, file, flags, machine, errp) ||
        !read_records(&reader, file, flags, errp)) {
        mapped_ram_free(file);
        return NULL;
    }
    return file;
}
