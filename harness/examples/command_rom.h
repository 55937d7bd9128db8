/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flash memory with a command mode: start from here for a device that is memory
 * most of the time.
 *
 *   array mode (at first)   reads come from the memory, at its speed; no callback
 *   command mode            reads ask the device
 *
 * Writes always ask the device, which takes bytes as commands:
 *
 *   any mode      0x90 IDENTIFY   command mode; reads give the two bytes of the id over and over
 *                 0x40 PROGRAM    the next byte written goes into the memory, there: bits can only be cleared
 *                 0xff ARRAY      back to array mode
 */
#ifndef HARNESS_EXAMPLES_COMMAND_ROM_H
#define HARNESS_EXAMPLES_COMMAND_ROM_H

#include "exec/memory.h"
#include "qapi/error.h"

enum {
    COMMAND_ROM_IDENTIFY = 0x90,
    COMMAND_ROM_PROGRAM = 0x40,
    COMMAND_ROM_ARRAY = 0xff,
    COMMAND_ROM_ID = 0x89a5,            /* little-endian */
};

typedef struct {
    MemoryRegion region;
    uint8_t *memory;
    bool programming;                   /* the next byte is data */
} CommandRom;

/* The memory is 0xff, as if erased.  False and *errp: there is no memory for it. */
bool command_rom_init(CommandRom *rom, Object *owner, const char *name, uint64_t size, Error **errp);

#endif
