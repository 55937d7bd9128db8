/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bank of 16-bit registers: start from here for a device that wants its
 * accesses in one size, whatever the guest uses.
 *
 * The guest may use 1, 2, 4 or 8 bytes, aligned (valid).  The callbacks only
 * ever see 2 (impl): the core splits what is wider, and widens what is
 * narrower.  That is why a register that changes when it is read, like
 * REGISTER_BANK_COUNTER, changes twice if its bytes are read one by one.
 *
 *   offset   0        2         4 ... 14
 *            status   counter   scratch 0 ... 5
 *
 * A write of one byte reaches the device as a write of the whole register, the
 * other byte being 0: there is no read-modify-write (R-DSP-8).
 */
#ifndef HARNESS_EXAMPLES_REGISTER_BANK_H
#define HARNESS_EXAMPLES_REGISTER_BANK_H

#include "exec/memory.h"

enum {
    REGISTER_BANK_STATUS = 0,           /* bits stay set until 1 is written to them */
    REGISTER_BANK_COUNTER = 2,          /* how often it was read; writing fails: MEMTX_ERROR */
    REGISTER_BANK_SCRATCH = 4,
    REGISTER_BANK_SIZE = 16,
};

typedef struct {
    MemoryRegion region;                /* to be added to a container by the user */
    uint16_t status;
    uint16_t counter;
    uint16_t scratch[6];
} RegisterBank;

void register_bank_init(RegisterBank *bank, Object *owner, const char *name);

/* The device side: something happened. */
void register_bank_raise(RegisterBank *bank, uint16_t status_bits);

#endif
