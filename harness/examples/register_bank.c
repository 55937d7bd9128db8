/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "examples/register_bank.h"

/* The size is always 2.  A high byte alone comes with an odd offset, and is data's low byte. */
static MemTxResult bank_read(void *opaque, hwaddr offset, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    RegisterBank *bank = opaque;

    (void)size;
    (void)attrs;
    switch (offset & ~(hwaddr)1) {
    case REGISTER_BANK_STATUS:
        *data = bank->status;
        break;
    case REGISTER_BANK_COUNTER:
        *data = bank->counter++;
        break;
    default:
        *data = bank->scratch[(offset - REGISTER_BANK_SCRATCH) / 2 % 6];
        break;
    }
    if (offset & 1) {
        *data >>= 8;
    }
    return MEMTX_OK;
}

static MemTxResult bank_write(void *opaque, hwaddr offset, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    RegisterBank *bank = opaque;

    (void)size;
    (void)attrs;
    if (offset & 1) {
        data = data << 8 & 0xffff;
    }
    switch (offset & ~(hwaddr)1) {
    case REGISTER_BANK_STATUS:
        bank->status &= (uint16_t)~data;
        return MEMTX_OK;
    case REGISTER_BANK_COUNTER:
        return MEMTX_ERROR;
    default:
        bank->scratch[(offset - REGISTER_BANK_SCRATCH) / 2 % 6] = (uint16_t)data;
        return MEMTX_OK;
    }
}

static const MemoryRegionOps bank_ops = {
    .read_with_attrs = bank_read,
    .write_with_attrs = bank_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 2, .max_access_size = 2 },
};

void register_bank_init(RegisterBank *bank, Object *owner, const char *name)
{
    *bank = (RegisterBank) { .status = 0 };
    memory_region_init_io(&bank->region, owner, &bank_ops, bank, name, REGISTER_BANK_SIZE);
}

void register_bank_raise(RegisterBank *bank, uint16_t status_bits)
{
    bank->status |= status_bits;
}
