/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/edu.h"

enum { IDENTIFICATION = 0x010000ed };

/* Sizes and places that have no register read all ones and ignore writes. */
static uint64_t *transfer_register(struct edu *edu, hwaddr address)
{
    return address >= EDU_HIGH_FIRST && address <= EDU_HIGH_LAST && address % 8 == 0
               ? &edu->transfer[(address - EDU_HIGH_FIRST) / 8]
               : NULL;
}

static uint64_t edu_read(void *opaque, hwaddr address, unsigned size)
{
    struct edu *edu = opaque;
    const uint64_t *transfer = transfer_register(edu, address);

    if (transfer) {
        return *transfer;
    }
    return size != 4        ? UINT64_MAX
           : address == 0x0 ? IDENTIFICATION
           : address == 0x4 ? edu->liveness
                            : UINT64_MAX;
}

static void edu_write(void *opaque, hwaddr address, uint64_t value, unsigned size)
{
    struct edu *edu = opaque;
    uint64_t *transfer = transfer_register(edu, address);

    if (transfer) {
        *transfer = value;
    } else if (size == 4 && address == 0x4) {
        edu->liveness = ~(uint32_t)value;
    }
}

const MemoryRegionOps edu_ops = {
    .read = edu_read,
    .write = edu_write,
    .endianness = DEVICE_NATIVE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};
