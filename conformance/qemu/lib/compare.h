/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's texts of one moment against those of the core for the same regions.
 *
 * Trees must be equal letter by letter: groups, blocks, order and all.  Flat
 * views are compared as a set: their order and numbers, and the order of the
 * address spaces inside of one, tell in what order QEMU made them, which no text shows.
 */
#ifndef CONFORMANCE_QEMU_COMPARE_H
#define CONFORMANCE_QEMU_COMPARE_H

#include <glib.h>
#include <stdbool.h>

#include "import/build.h"
#include "import/import.h"

enum comparison {
    COMPARED_EQUAL,
    COMPARED_DIFFERENT,
    COMPARED_SKIPPED,       /* the core refuses such regions by its specification */
    COMPARED_BROKEN,        /* the text could not be imported */
};

struct comparison_report {
    GString *text;          /* the differences, or why there are none to be seen */
    size_t views, ranges, regions;
    size_t inferences;      /* notes of the import */
    bool quirk;             /* equal only with QEMU 7.2's collapse, R-FV-10 */
};

/*
 * `text` is `info mtree -D` followed by `info mtree -f`.  Builds it with the core in the
 * given order, compares, and takes everything down again.  `earlier` as for import_read().
 * Where R-FV-10 allows the core to be better than QEMU 7.2, both are right: a text that differs and
 * in which the rule can matter is compared once more with the exact rule of 7.2.
 * *import gets the import if there is one (import_free() it), also for a mismatch.
 */
enum comparison compare_with_core(const char *text, const struct import *earlier,
                                  enum import_build_order order, struct comparison_report *report,
                                  struct import **import);

#endif
