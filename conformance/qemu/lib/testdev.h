/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory BAR of QEMU's pci-testdev with its first test selected, which has no eventfd
 * (docs/specs/pci-testdev): registers of bytes, in which larger accesses are taken apart.
 *
 *   0x000  writing selects a test: nobody should
 *   0x001  width, 1; 0x004 offset and 0x008 value of the write that the test counts;
 *          0x00c the count; from 0x010 the test's name
 *   0x800  where that write goes
 */
#ifndef CONFORMANCE_QEMU_TESTDEV_H
#define CONFORMANCE_QEMU_TESTDEV_H

#include <stdbool.h>

#include "exec/memory.h"

/* The name of its region in `info mtree`. */
#define TESTDEV_NAME "pci-testdev-mmio"

/* First and last bytes that are as above. */
enum {
    TESTDEV_HEADER_FIRST = 0x001,
    TESTDEV_HEADER_LAST = 0x02f,
    TESTDEV_DATA_FIRST = 0x7f8,
    TESTDEV_DATA_LAST = 0x80f,
};

struct testdev {
    bool selected;              /* before, everything reads zeros */
    uint32_t count;
};

extern const MemoryRegionOps testdev_ops;       /* their opaque is a struct testdev */

#endif
