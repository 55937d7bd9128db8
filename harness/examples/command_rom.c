/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "examples/command_rom.h"

#include <string.h>

/* Only in command mode. */
static uint64_t rom_read(void *opaque, hwaddr offset, unsigned size)
{
    (void)opaque;
    (void)size;
    return COMMAND_ROM_ID >> 8 * (offset & 1) & 0xff;
}

/* The device changes the memory behind the core's back, so it must say so. */
static void program(CommandRom *rom, hwaddr offset, uint8_t byte)
{
    rom->programming = false;
    memory_region_rom_device_set_romd(&rom->region, true);
    if (offset >= memory_region_size(&rom->region)) {
        return;                         /* dispatch does not check offsets */
    }
    rom->memory[offset] &= byte;
    memory_region_flush_rom_device(&rom->region, offset, 1);
}

/* Changing the mode changes the map: allowed here, the next access sees it. */
static void rom_write(void *opaque, hwaddr offset, uint64_t data, unsigned size)
{
    CommandRom *rom = opaque;

    (void)size;
    if (rom->programming) {
        program(rom, offset, (uint8_t)data);
        return;
    }
    switch (data) {
    case COMMAND_ROM_IDENTIFY:
        memory_region_rom_device_set_romd(&rom->region, false);
        break;
    case COMMAND_ROM_PROGRAM:
        rom->programming = true;
        break;
    case COMMAND_ROM_ARRAY:
        memory_region_rom_device_set_romd(&rom->region, true);
        break;
    }
}

static const MemoryRegionOps rom_ops = {
    .read = rom_read,
    .write = rom_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

bool command_rom_init(CommandRom *rom, Object *owner, const char *name, uint64_t size, Error **errp)
{
    Error *error = NULL;

    *rom = (CommandRom) { .programming = false };
    memory_region_init_rom_device_nomigrate(&rom->region, owner, &rom_ops, rom, name, size, &error);
    if (error) {
        error_propagate(errp, error);
        return false;
    }
    rom->memory = memory_region_get_ram_ptr(&rom->region);
    memset(rom->memory, 0xff, size);
    return true;
}
