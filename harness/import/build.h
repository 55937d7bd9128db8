/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An import made real with the memory API: regions with QEMU's own names, for
 * comparing what the core prints with what QEMU printed.
 */
#ifndef HARNESS_IMPORT_BUILD_H
#define HARNESS_IMPORT_BUILD_H

#include "exec/memory.h"
#include "import/import.h"

/* In what order things come to be; the views must not depend on it (I-6). */
enum import_build_order {
    IMPORT_TREE_FIRST,          /* regions, then the tree, then spaces */
    IMPORT_SPACES_FIRST,        /* spaces on bare roots, then the tree, in one transaction */
    IMPORT_STEP_BY_STEP,        /* spaces on bare roots, then the tree, each change committed */
    IMPORT_BUILD_ORDERS,
};

struct import_machine;

/*
 * Makes all regions and spaces of *im (which must outlive the result), spaces in the text's order.
 * RAM is reserved address space that nobody may touch before import_open_memory().
 * Returns NULL, with *why a sentence to be freed with free(), if address space
 * runs out or the text asks for what the core refuses (im->cycle).
 */
struct import_machine *import_build(const struct import *im, enum import_build_order order, char **why);

/* What a device region of a name does instead of reading zeros; `name` NULL ends an array of them. */
struct import_device {
    const char *name;
    const MemoryRegionOps *ops;
    void *opaque;
};

/* The same with devices, whose `ops` and `opaque` must outlive the machine. */
struct import_machine *import_build_with(const struct import *im, enum import_build_order order,
                                         const struct import_device *devices, char **why);

/*
 * From now on the machine's RAM and ROM are memory, all zeros, that accesses may reach.
 * Returns false with *why as above.
 */
bool import_open_memory(struct import_machine *machine, char **why);

/* The space of im->spaces[space], alive as long as the machine. */
AddressSpace *import_built_space(struct import_machine *machine, size_t space);

/* The memory of im->regions[region] and its size in bytes; NULL if that is no RAM, ROM or RAM device. */
uint8_t *import_built_memory(struct import_machine *machine, size_t region, uint64_t *size);

/* Takes all of it down again and drains deferred work.  NULL-safe. */
void import_unbuild(struct import_machine *machine);

#endif
