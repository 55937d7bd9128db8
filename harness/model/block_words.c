/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the words of `block`, `discard` and `fault` steps stand for. */
#include "model/block.h"

#include <errno.h>

#include "model/model.h"

uint8_t block_file_mark(unsigned page)
{
    return (uint8_t)(29 * page + 1);
}

bool block_file_has_path(unsigned kind)
{
    return kind >= FILE_PATH_EMPTY && kind <= FILE_DIRECTORY;
}

uint64_t block_file_length(unsigned kind, uint64_t offset, uint64_t size)
{
    const uint64_t needed = offset + (size + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE;

    switch (kind) {
    case FILE_EXACT:
    case FILE_PATH_EXACT:
        return needed;
    case FILE_LONGER:
    case FILE_PATH_LONGER:
        return needed + 2 * HOST_PAGE;
    case FILE_SHORT:
    case FILE_PATH_SHORT:
        return needed - 1;
    default:
        return 0;
    }
}

struct file_flags block_file_flags(unsigned word)
{
    static const struct file_flags flags[] = {
        { 0 },
        { .shared = true },
        { .noreserve = true },
        { .shared = true, .noreserve = true },
        { .protected = true },
        { .shared = true, .protected = true },
        { .readonly = true },
        { .shared = true, .readonly = true },
        { .alignment = UINT64_C(2) << 20 },
        { .shared = true, .alignment = UINT64_C(2) << 20 },
        { .alignment = 3 * HOST_PAGE },
        { .alignment = 6000 },
        { .unknown = true },
    };

    return flags[word];
}

#define TEN(text) text text text text text text text text text text
#define LONG_ID TEN(TEN("ram")) /* 300 bytes */

const char *block_id_given(enum id_name name)
{
    static const char *const given[] = {
        [ID_NONE] = NULL, [ID_A] = "a", [ID_A_B] = "a/b", [ID_TOO_LONG] = LONG_ID, [ID_LONGER_STILL] = LONG_ID "!",
        [ID_R1] = "r1", [ID_O1_R1] = "o1/r1",
    };

    return given[name];
}

struct ram_sizes block_ram_sizes(unsigned kind, uint64_t size)
{
    switch (kind) {
    case KIND_WORD_RESIZEABLE:
        return (struct ram_sizes){ size, 2 * size };
    case KIND_WORD_EMPTY:
        return (struct ram_sizes){ 0, size };
    case KIND_WORD_FULL:
        return (struct ram_sizes){ size, (size - 1) / HOST_PAGE * HOST_PAGE + 1 };
    default:
        return (struct ram_sizes){ size, 0 };
    }
}

uint64_t block_granule(unsigned word)
{
    static const uint64_t granules[] = { 0x1000, 0x2000, 0x4000, 0x10000, 0x200000, 0x3000, 0x800 };

    return granules[word];
}

bool block_may_fail(unsigned op)
{
    switch ((enum trace_op)op) {
    case TRACE_OP_RAM:
    case TRACE_OP_ROM_DEVICE:
    case TRACE_OP_RAM_FILE:
    case TRACE_OP_RESIZE:
    case TRACE_OP_MSYNC:
    case TRACE_OP_PLUG:
        return true;
    default:
        return block_is_repeated(op);
    }
}

bool block_is_repeated(unsigned op)
{
    return op == TRACE_OP_DISCARD_RANGE || op == TRACE_OP_MANAGE || op == TRACE_OP_UNPLUG ||
           op == TRACE_OP_UNPLUG_ALL || op == TRACE_OP_LOAD_BITS;
}

int block_host_error(unsigned word)
{
    static const int errors[] = { ENOMEM, ENOSPC, EIO, EMFILE };

    return errors[word];
}

unsigned block_how_often(unsigned word)
{
    static const unsigned times[] = { 1, 4, 16 };

    return times[word];
}
