/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's educational device as far as it does nothing but hold numbers: its
 * documentation (docs/specs/edu) says 4-byte accesses below 0x80, 4 or 8 bytes above.
 *
 *   0x00  identification, read-only
 *   0x04  the complement of what was written
 *   0x80, 0x88, 0x90  source, destination and length of a transfer: 64 bits
 *
 * Any other register computes, interrupts or transfers; nobody should access those.
 */
#ifndef CONFORMANCE_QEMU_EDU_H
#define CONFORMANCE_QEMU_EDU_H

#include "exec/memory.h"

/* The name of its region in `info mtree`. */
#define EDU_NAME "edu-mmio"

/* First and last bytes that are as above. */
enum {
    EDU_LOW_LAST = 0x07,
    EDU_HIGH_FIRST = 0x80,
    EDU_HIGH_LAST = 0x97,
};

struct edu {
    uint32_t liveness;
    uint64_t transfer[3];
};

extern const MemoryRegionOps edu_ops;       /* their opaque is a struct edu, all zeros after a reset */

#endif
