/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "postcopy_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exec/cpu-common.h"

void put(GByteArray *bytes, uint64_t value, unsigned size)
{
    while (size-- > 0) {
        const guint8 byte = (guint8)(value >> (8 * size));

        g_byte_array_append(bytes, &byte, 1);
    }
}

static void put_bytes(GByteArray *bytes, const void *from, size_t length)
{
    if (length) {
        g_byte_array_append(bytes, from, (guint)length);
    }
}

void put_name(GByteArray *bytes, const char *name)
{
    put(bytes, strlen(name), 1);
    put_bytes(bytes, name, strlen(name));
}

void put_hex(GByteArray *bytes, const char *hex)
{
    while (*hex) {
        const char digits[3] = { hex[0], hex[1], 0 };

        put(bytes, strtoul(digits, NULL, 16), 1);
        hex += 2 + strspn(hex + 2, " ");
    }
}

void put_begin(GByteArray *bytes, const char *machine)
{
    put_hex(bytes, "51 45 56 4d 00 00 00 03 07");
    put(bytes, strlen(machine), 4);
    put_bytes(bytes, machine, strlen(machine));
}

void put_command(GByteArray *bytes, uint16_t command, const void *payload, size_t length)
{
    put(bytes, 8, 1);
    put(bytes, command, 2);
    put(bytes, length, 2);
    put_bytes(bytes, payload, length);
}

void put_command_u32(GByteArray *bytes, uint16_t command, uint32_t value)
{
    put_command(bytes, command, NULL, 0);
    bytes->data[bytes->len - 1] = 4;
    put(bytes, value, 4);
}

void put_advise(GByteArray *bytes, uint64_t page_sizes, uint64_t target_page)
{
    put_command(bytes, 3, NULL, 0);
    bytes->data[bytes->len - 1] = 16;
    put(bytes, page_sizes, 8);
    put(bytes, target_page, 8);
}

void put_discard(GByteArray *bytes, const char *name, uint64_t start, uint64_t length)
{
    put(bytes, 8, 1);
    put(bytes, 6, 2);
    put(bytes, 3 + strlen(name) + 16, 2);
    put(bytes, 0, 1);
    put_name(bytes, name);
    put(bytes, 0, 1);
    put(bytes, start, 8);
    put(bytes, length, 8);
}

void put_package(GByteArray *bytes, const char *devices)
{
    put_command_u32(bytes, 7, (uint32_t)(10 + strlen(devices)));
    put_command(bytes, 4, NULL, 0);
    put_bytes(bytes, devices, strlen(devices));
    put_command(bytes, 5, NULL, 0);
}

void put_section(GByteArray *bytes, uint8_t type)
{
    put(bytes, type, 1);
    put(bytes, 1, 4);
}

void put_section_end(GByteArray *bytes)
{
    put_hex(bytes, "00 00 00 00 00 00 00 10 7e 00 00 00 01");
}

void put_start(GByteArray *bytes, const char *name, uint64_t length)
{
    put_section(bytes, 1);
    put_name(bytes, "ram");
    put(bytes, 0, 4);
    put(bytes, 4, 4);
    put(bytes, length | 4, 8);
    put_name(bytes, name);
    put(bytes, length, 8);
    put_section_end(bytes);
}

void put_page(GByteArray *bytes, const char *name, uint64_t offset, int fill)
{
    put(bytes, offset | (fill < 0 ? 2 : 8) | (name ? 0 : 0x20), 8);
    if (name) {
        put_name(bytes, name);
    }
    if (fill < 0) {
        put(bytes, 0, 1);
        return;
    }
    for (uint64_t i = 0; i < TARGET_PAGE_SIZE; i++) {
        put(bytes, (uint64_t)fill, 1);
    }
}

/* --- tapes ---------------------------------------------------------------------------------- */

static int tape_send(void *opaque, const void *from, size_t length)
{
    Tape *tape = opaque;

    put_bytes(tape->out, from, length);
    return tape->shut ? -EPIPE : 0;
}

static int tape_recv(void *opaque, void *to, size_t length)
{
    Tape *tape = opaque;

    if (tape->shut || tape->in->len - tape->at < length) {
        return -EPIPE;
    }
    if (length) {
        memcpy(to, tape->in->data + tape->at, length);
    }
    tape->at += length;
    return 0;
}

static void tape_shutdown(void *opaque)
{
    ((Tape *)opaque)->shut = true;
}

MigrationTransport tape_transport(Tape *tape)
{
    return (MigrationTransport){
        .send = tape_send, .recv = tape_recv, .shutdown = tape_shutdown, .opaque = tape,
    };
}

void tape_start(Tape *tape)
{
    *tape = (Tape){ .in = g_byte_array_new(), .out = g_byte_array_new() };
}

void tape_end(Tape *tape)
{
    g_byte_array_unref(tape->in);
    g_byte_array_unref(tape->out);
}

char *hex_of(const GByteArray *bytes)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < bytes->len; i++) {
        g_string_append_printf(text, "%02x", bytes->data[i]);
    }
    return g_string_free(text, FALSE);
}

/* --- reading -------------------------------------------------------------------------------- */

typedef struct {
    const guint8 *at;
    size_t left;
    bool broken;
} Cursor;

static const guint8 *take(Cursor *cursor, size_t length)
{
    const guint8 *at = cursor->at;

    if (cursor->broken || cursor->left < length) {
        cursor->broken = true;
        return NULL;
    }
    cursor->at += length;
    cursor->left -= length;
    return at;
}

static uint64_t take_number(Cursor *cursor, unsigned size)
{
    const guint8 *at = take(cursor, size);
    uint64_t value = 0;

    while (at && size-- > 0) {
        value = value << 8 | *at++;
    }
    return value;
}

static void take_name(Cursor *cursor, char *name)
{
    const size_t length = take_number(cursor, 1);
    const guint8 *at = take(cursor, length);

    name[0] = 0;
    if (at) {
        memcpy(name, at, length);
        name[length] = 0;
    }
}

static void take_end(Cursor *cursor)
{
    cursor->broken = cursor->broken || take_number(cursor, 1) != 0x7e || take_number(cursor, 4) != 1;
}

static void take_start(Cursor *cursor)
{
    char name[256];
    uint64_t total;

    take_number(cursor, 4);
    take_name(cursor, name);
    cursor->broken = cursor->broken || strcmp(name, "ram") != 0 || take_number(cursor, 4) != 0 ||
                     take_number(cursor, 4) != 4;
    total = take_number(cursor, 8) & ~7ull;
    while (total > 0 && !cursor->broken) {
        take_name(cursor, name);
        total -= take_number(cursor, 8);
    }
    cursor->broken = cursor->broken || take_number(cursor, 8) != 0x10;
    take_end(cursor);
}

static void take_pages(Cursor *cursor, StreamReading *reading, char *name)
{
    take_number(cursor, 4);
    while (!cursor->broken) {
        const uint64_t word = take_number(cursor, 8), flags = word & (TARGET_PAGE_SIZE - 1);
        const guint8 *data;

        if (word == 0x10) {
            break;
        }
        if (!(flags & 0x20)) {
            take_name(cursor, name);
        }
        data = take(cursor, flags & 8 ? TARGET_PAGE_SIZE : 1);
        cursor->broken = cursor->broken || !name[0] || ((flags & ~0x20ull) != 8 && (flags & ~0x20ull) != 2);
        if (!cursor->broken && reading->page) {
            reading->page(reading->opaque, name, word - flags, flags & 8 ? data : NULL);
        }
    }
    take_end(cursor);
}

static uint64_t take_command(Cursor *cursor, StreamReading *reading)
{
    const uint64_t command = take_number(cursor, 2), length = take_number(cursor, 2);
    Cursor payload = { .left = length };
    char name[256];

    payload.at = take(cursor, length);
    g_string_append_printf(reading->records, "C%u", (unsigned)command);
    if (!cursor->broken && command == 2 && reading->pings) {
        g_string_append_printf(reading->pings, "%" PRIu64 " ", take_number(&payload, 4));
        cursor->broken = payload.broken || payload.left > 0;
    }
    if (cursor->broken || command != 6) {
        return command;
    }
    if (reading->discard_lengths) {
        const guint16 told = (guint16)length;

        g_array_append_val(reading->discard_lengths, told);
    }
    take_number(&payload, 1);
    take_name(&payload, name);
    take_number(&payload, 1);
    while (payload.left > 0 && !payload.broken) {
        const uint64_t start = take_number(&payload, 8), bytes = take_number(&payload, 8);

        if (reading->discard) {
            reading->discard(reading->opaque, name, start, bytes);
        }
    }
    cursor->broken = payload.broken;
    return command;
}

bool read_stream(const GByteArray *bytes, StreamReading *reading)
{
    Cursor cursor = { .at = bytes->data, .left = bytes->len };
    char name[256] = "";
    bool end = false;

    cursor.broken = take_number(&cursor, 4) != 0x5145564d || take_number(&cursor, 4) != 3 ||
                    take_number(&cursor, 1) != 7;
    take(&cursor, take_number(&cursor, 4));
    while (!cursor.broken && !end && cursor.left > 0) {
        switch (take_number(&cursor, 1)) {
        case 0:
            g_string_append_c(reading->records, 'F');
            end = true;
            break;
        case 1:
            g_string_append_c(reading->records, 'S');
            take_start(&cursor);
            break;
        case 2:
            g_string_append_c(reading->records, 'P');
            take_pages(&cursor, reading, name);
            break;
        case 3:
            g_string_append_c(reading->records, 'E');
            take_pages(&cursor, reading, name);
            break;
        case 8:
            if (take_command(&cursor, reading) == 7) {
                name[0] = 0;    /* the first page after the switch names its block (R-WIRE-4) */
            }
            break;
        default:
            cursor.broken = true;
        }
    }
    return !cursor.broken && cursor.left == 0;
}
