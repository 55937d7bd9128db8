/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An import made real with the memory API: regions with QEMU's own names, for
 * comparing what the core prints with what QEMU printed.
 */
#ifndef HARNESS_IMPORT_BUILD_H
#define HARNESS_IMPORT_BUILD_H

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
 * RAM is reserved address space that nobody may touch.
 * Returns NULL, with *why a sentence to be freed with free(), if address space
 * runs out or the text asks for what the core refuses (im->cycle).
 */
struct import_machine *import_build(const struct import *im, enum import_build_order order, char **why);

/* Takes all of it down again and drains deferred work.  NULL-safe. */
void import_unbuild(struct import_machine *machine);

#endif
