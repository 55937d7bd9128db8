/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/lib/testdev.h"

enum { WIDTH = 0x1, OFFSET = 0x4, VALUE = 0x8, COUNT = 0xc, NAME = 0x10, DATA = 0x800, COUNTED = 0xfa };

static uint64_t testdev_read(void *opaque, hwaddr address, unsigned size)
{
    static const char name[] = "mmio-no-eventfd";
    const struct testdev *testdev = opaque;

    (void)size;
    if (!testdev->selected) {
        return 0;
    }
    if (address >= NAME) {
        return address < NAME + sizeof(name) ? (uint8_t)name[address - NAME] : 0;
    }
    if (address >= COUNT) {
        return (uint8_t)(testdev->count >> 8 * (address - COUNT));
    }
    return address == WIDTH ? 1 : address == VALUE ? COUNTED : address == OFFSET + 1 ? DATA >> 8 : 0;
}

static void testdev_write(void *opaque, hwaddr address, uint64_t value, unsigned size)
{
    struct testdev *testdev = opaque;

    (void)size;
    testdev->count += testdev->selected && address == DATA && value == COUNTED;
}

const MemoryRegionOps testdev_ops = {
    .read = testdev_read,
    .write = testdev_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};
