/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "examples/fifo_device.h"

static bool take(FifoDevice *fifo, uint8_t *byte)
{
    if (fifo->level == 0) {
        *byte = 0;
        return false;
    }
    *byte = fifo->bytes[fifo->first];
    fifo->first = (fifo->first + 1) % FIFO_DEVICE_CAPACITY;
    fifo->level--;
    return true;
}

static bool put(FifoDevice *fifo, uint8_t byte)
{
    if (fifo->level == FIFO_DEVICE_CAPACITY) {
        return false;
    }
    fifo->bytes[(fifo->first + fifo->level) % FIFO_DEVICE_CAPACITY] = byte;
    fifo->level++;
    return true;
}

static MemTxResult fifo_read(void *opaque, hwaddr offset, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    FifoDevice *fifo = opaque;
    MemTxResult result = MEMTX_OK;

    (void)attrs;
    if (offset >= FIFO_DEVICE_LEVEL) {
        *data = fifo->level;
        return MEMTX_OK;
    }
    *data = 0;
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte;

        if (!take(fifo, &byte)) {
            result = MEMTX_ERROR;
        }
        *data |= (uint64_t)byte << 8 * i;
    }
    return result;
}

static MemTxResult fifo_write(void *opaque, hwaddr offset, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    FifoDevice *fifo = opaque;
    MemTxResult result = MEMTX_OK;

    (void)offset;                       /* only DATA: fifo_accepts */
    (void)attrs;
    for (unsigned i = 0; i < size; i++) {
        if (!put(fifo, (uint8_t)(data >> 8 * i))) {
            result = MEMTX_ERROR;
        }
    }
    return result;
}

/* Asked once for each access, before it is split; must not change anything, since access_valid asks too. */
static bool fifo_accepts(void *opaque, hwaddr offset, unsigned size, bool is_write, MemTxAttrs attrs)
{
    (void)opaque;
    (void)attrs;
    if (offset < FIFO_DEVICE_LEVEL) {
        return offset + size <= FIFO_DEVICE_LEVEL;
    }
    return !is_write && offset == FIFO_DEVICE_LEVEL && size == 4;
}

static const MemoryRegionOps fifo_ops = {
    .read_with_attrs = fifo_read,
    .write_with_attrs = fifo_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true, .accepts = fifo_accepts },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

void fifo_device_init(FifoDevice *fifo, Object *owner, const char *name)
{
    *fifo = (FifoDevice) { .level = 0 };
    memory_region_init_io(&fifo->region, owner, &fifo_ops, fifo, name, FIFO_DEVICE_SIZE);
}
