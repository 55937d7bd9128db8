/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two built-in sets of device callbacks, and the region that is everywhere else. */
#include "exec/ramblock.h"
#include "region/internal.h"

static bool accepts_nothing(void *opaque, hwaddr addr, unsigned size, bool is_write, MemTxAttrs attrs)
{
    (void)opaque;
    (void)addr;
    (void)size;
    (void)is_write;
    (void)attrs;
    return false;
}

const MemoryRegionOps region_unassigned_ops = {
    .valid.accepts = accepts_nothing,
    .endianness = DEVICE_NATIVE_ENDIAN,
};

MemoryRegion region_unassigned;

/* When the first region is made: the types exist by then, and nobody has accessed anything yet. */
void region_prepare_unassigned(void)
{
    MemoryRegion *mr = &region_unassigned;

    if (mr->terminates) {
        return;
    }
    object_initialize(mr, sizeof(*mr), TYPE_MEMORY_REGION);
    mr->size = int128_2_64();
    mr->terminates = true;
}

/* volatile: each chunk is one access of exactly its width (R-RGN-6). */
typedef volatile uint8_t device_8;
typedef volatile uint16_t device_16 __attribute__((aligned(1), may_alias));
typedef volatile uint32_t device_32 __attribute__((aligned(1), may_alias));
typedef volatile uint64_t device_64 __attribute__((aligned(1), may_alias));

/* Offsets that no space shows can come from whoever dispatches by himself (R-DSP-14). */
static bool ram_device_accepts(void *opaque, hwaddr addr, unsigned size, bool is_write, MemTxAttrs attrs)
{
    const MemoryRegion *mr = opaque;
    const Int128 end = (Int128)addr + size;

    (void)is_write;
    (void)attrs;
    return end <= mr->size && end <= mr->ram_block->used_length;
}

static uint64_t ram_device_read(void *opaque, hwaddr addr, unsigned size)
{
    const MemoryRegion *mr = opaque;
    const uint8_t *place = mr->ram_block->host + addr;

    switch (size) {
    case 1:
        return *(const device_8 *)place;
    case 2:
        return *(const device_16 *)place;
    case 4:
        return *(const device_32 *)place;
    default:        /* 8: valid.* rejects all others */
        return *(const device_64 *)place;
    }
}

static void ram_device_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    const MemoryRegion *mr = opaque;
    uint8_t *place = mr->ram_block->host + addr;

    switch (size) {
    case 1:
        *(device_8 *)place = (uint8_t)data;
        return;
    case 2:
        *(device_16 *)place = (uint16_t)data;
        return;
    case 4:
        *(device_32 *)place = (uint32_t)data;
        return;
    default:
        *(device_64 *)place = data;
        return;
    }
}

const MemoryRegionOps region_ram_device_ops = {
    .read = ram_device_read,
    .write = ram_device_write,
    .endianness = DEVICE_HOST_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
        .accepts = ram_device_accepts,
    },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
