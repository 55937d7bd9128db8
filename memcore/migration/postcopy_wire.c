/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/postcopy_wire.h"

#include <string.h>

#include "base/misuse.h"
#include "exec/cpu-common.h"
#include "qemu/bswap.h"

/* The `size` low bytes of the value, highest first. */
static void add(GByteArray *bytes, uint64_t value, size_t size)
{
    uint8_t all[8];

    stq_be_p(all, value);
    g_byte_array_append(bytes, all + sizeof(all) - size, (guint)size);
}

static void add_bytes(GByteArray *bytes, const void *from, size_t length)
{
    if (length > 0) {
        g_byte_array_append(bytes, from, (guint)length);
    }
}

static void add_counted(GByteArray *bytes, const char *name)
{
    add(bytes, strlen(name), 1);
    add_bytes(bytes, name, strlen(name));
}

/* --- source to destination ----------------------------------------------------------------- */

void wire_begin(GByteArray *bytes, const WriterConfiguration *configuration)
{
    add(bytes, WIRE_MAGIC, 4);
    add(bytes, WIRE_VERSION, 4);
    writer_configuration(bytes, configuration);
}

void wire_command(GByteArray *bytes, uint16_t command, const void *payload, size_t length)
{
    add(bytes, WIRE_COMMAND, 1);
    add(bytes, command, 2);
    add(bytes, length, 2);
    add_bytes(bytes, payload, length);
}

void wire_ping(GByteArray *bytes, uint32_t value)
{
    uint8_t payload[4];

    stl_be_p(payload, value);
    wire_command(bytes, WIRE_PING, payload, sizeof(payload));
}

void wire_advise(GByteArray *bytes, uint64_t page_sizes, uint64_t target_page)
{
    uint8_t payload[16];

    stq_be_p(payload, page_sizes);
    stq_be_p(payload + 8, target_page);
    wire_command(bytes, WIRE_ADVISE, payload, sizeof(payload));
}

void wire_discard(GByteArray *bytes, const char *name, const WireRange *ranges, size_t count)
{
    GByteArray *payload = g_byte_array_new();

    add(payload, 0, 1);
    add_counted(payload, name);
    add(payload, 0, 1);
    for (size_t i = 0; i < count; i++) {
        add(payload, ranges[i].start, 8);
        add(payload, ranges[i].length, 8);
    }
    wire_command(bytes, WIRE_DISCARD, payload->data, payload->len);
    g_byte_array_unref(payload);
}

void wire_package(GByteArray *bytes, const void *devices, size_t length)
{
    uint8_t payload[4];

    stl_be_p(payload, (uint32_t)(length + 10));     /* LISTEN and RUN have five bytes each */
    wire_command(bytes, WIRE_PACKAGED, payload, sizeof(payload));
    wire_command(bytes, WIRE_LISTEN, NULL, 0);
    add_bytes(bytes, devices, length);
    wire_command(bytes, WIRE_RUN, NULL, 0);
}

void wire_section(GByteArray *bytes, uint8_t type)
{
    add(bytes, type, 1);
    add(bytes, WIRE_RAM_SECTION, 4);
}

void wire_ram_start(GByteArray *bytes, uint64_t total)
{
    wire_section(bytes, WIRE_START);
    add_counted(bytes, "ram");
    add(bytes, 0, 4);
    add(bytes, WIRE_RAM_VERSION, 4);
    add(bytes, total | WIRE_FLAG_MEM_SIZE, 8);
}

bool wire_lists_page_size(uint64_t page_size, uint64_t host_page)
{
    return page_size != MAX(host_page, TARGET_PAGE_SIZE);
}

void wire_ram_block(GByteArray *bytes, const char *name, uint64_t used_length, uint64_t page_size)
{
    add_counted(bytes, name);
    add(bytes, used_length, 8);
    if (page_size) {
        add(bytes, page_size, 8);
    }
}

void wire_page(GByteArray *bytes, const char *name, uint64_t offset, const void *data)
{
    add(bytes, offset | (data ? WIRE_FLAG_PAGE : WIRE_FLAG_ZERO) | (name ? 0 : WIRE_FLAG_CONTINUE), 8);
    if (name) {
        add_counted(bytes, name);
    }
    if (data) {
        add_bytes(bytes, data, TARGET_PAGE_SIZE);
    } else {
        add(bytes, 0, 1);
    }
}

void wire_end_of_section(GByteArray *bytes)
{
    add(bytes, WIRE_FLAG_EOS, 8);
    add(bytes, WIRE_FOOTER, 1);
    add(bytes, WIRE_RAM_SECTION, 4);
}

size_t wire_parse_discard(const uint8_t *payload, size_t length, char *name, Error **errp)
{
    const size_t name_length = payload[1], head = name_length + 3;

    /* a version, a name of one byte with its count and a terminator, a range */
    memcore_assert(length >= 20);       /* no shorter command is handled */
    if (payload[0] != 0) {
        error_setg(errp, "a discard command has version %u, not 0", payload[0]);
    } else if (name_length == 0) {
        error_setg(errp, "a discard command has an empty block name");
    } else if (head >= length || (length - head) % 16) {
        error_setg(errp, "a discard command of %zu bytes with a block name of %zu has no whole number of ranges",
                   length, name_length);
    } else if (memchr(payload + 2, 0, name_length)) {
        error_setg(errp, "a discard command has a block name with a NUL byte in it");
    } else if (payload[head - 1] != 0) {
        error_setg(errp, "a discard command's block name ends with 0x%02x, not 0", payload[head - 1]);
    } else {
        memcpy(name, payload + 2, name_length);
        name[name_length] = '\0';
        return (length - head) / 16;
    }
    return 0;
}

WireRange wire_discard_range(const uint8_t *payload, size_t length, size_t count, size_t index)
{
    const uint8_t *place = payload + length - (count - index) * 16;

    return (WireRange){ .start = ldq_be_p(place), .length = ldq_be_p(place + 8) };
}

/* --- destination to source ----------------------------------------------------------------- */

void wire_return_u32(GByteArray *bytes, uint16_t type, uint32_t value)
{
    add(bytes, type, 2);
    add(bytes, 4, 2);
    add(bytes, value, 4);
}

void wire_request(GByteArray *bytes, const char *name, uint64_t start, uint32_t length)
{
    add(bytes, name ? WIRE_REQ_PAGES_ID : WIRE_REQ_PAGES, 2);
    add(bytes, 12 + (name ? 1 + strlen(name) : 0), 2);
    add(bytes, start, 8);
    add(bytes, length, 4);
    if (name) {
        add_counted(bytes, name);
    }
}

bool wire_parse_return(const uint8_t *message, size_t length, WireReturn *out, Error **errp)
{
    const uint8_t *payload = message + WIRE_RETURN_HEADER;
    size_t expected;

    *out = (WireReturn){ 0 };
    if (length < WIRE_RETURN_HEADER || length > WIRE_RETURN_HEADER + WIRE_RETURN_MAX ||
        (size_t)lduw_be_p(message + 2) != length - WIRE_RETURN_HEADER) {
        error_setg(errp, "a message of %zu bytes on the return path has another length in it", length);
        return false;
    }
    length -= WIRE_RETURN_HEADER;
    out->type = (uint16_t)lduw_be_p(message);
    switch (out->type) {
    case WIRE_SHUT:
    case WIRE_PONG:
        expected = 4;
        break;
    case WIRE_REQ_PAGES:
        expected = 12;
        break;
    case WIRE_REQ_PAGES_ID:
        expected = length > 13 ? 13 + (size_t)payload[12] : 14;
        break;
    default:
        error_setg(errp, "message %u on the return path is not known", out->type);
        return false;
    }
    if (length != expected) {
        error_setg(errp, "message %u on the return path has %zu bytes, not %zu", out->type, length, expected);
        return false;
    }
    if (out->type == WIRE_SHUT || out->type == WIRE_PONG) {
        out->value = (uint32_t)ldl_be_p(payload);
        return true;
    }
    out->start = ldq_be_p(payload);
    out->length = (uint32_t)ldl_be_p(payload + 8);
    if (out->type == WIRE_REQ_PAGES_ID) {
        memcpy(out->name, payload + 13, payload[12]);
        if (strlen(out->name) != payload[12]) {
            error_setg(errp, "a request for pages names a block with a NUL byte in it");
            return false;
        }
    }
    return true;
}
