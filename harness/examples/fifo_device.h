/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of bytes: start from here for a device where every access counts.
 *
 * The data register is the same wherever in its 8 bytes it is accessed; each
 * access moves as many bytes as it is wide, the first one in the low end.  impl
 * allows all widths, so the core never splits nor widens what the guest does.
 *
 *   offset   0 ............. 7    8
 *            data, any width      level: bytes in the queue, 4 bytes, read-only
 *
 * Reading more than there is gives zeros and MEMTX_ERROR; of a write the bytes
 * that do not fit are lost, with MEMTX_ERROR.  Which accesses are allowed
 * depends on the register: valid.accepts decides.
 */
#ifndef HARNESS_EXAMPLES_FIFO_DEVICE_H
#define HARNESS_EXAMPLES_FIFO_DEVICE_H

#include "exec/memory.h"

enum {
    FIFO_DEVICE_DATA = 0,
    FIFO_DEVICE_LEVEL = 8,
    FIFO_DEVICE_SIZE = 12,
    FIFO_DEVICE_CAPACITY = 64,
};

typedef struct {
    MemoryRegion region;
    uint8_t bytes[FIFO_DEVICE_CAPACITY];
    unsigned first;
    unsigned level;
} FifoDevice;

void fifo_device_init(FifoDevice *fifo, Object *owner, const char *name);

#endif
