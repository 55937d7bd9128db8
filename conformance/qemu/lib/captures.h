/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Committed texts of real machines: captures/ARCHITECTURE-NAME.mtree holds a
 * few remarks (#), the output of `info mtree -D` and that of `info mtree -f`.
 */
#ifndef CONFORMANCE_QEMU_CAPTURES_H
#define CONFORMANCE_QEMU_CAPTURES_H

#include <stddef.h>

struct capture {
    const char *architecture;   /* qemu-system-ARCHITECTURE */
    const char *name;
    const char *arguments;
};

extern const struct capture captures[];
extern const size_t capture_count;

#endif
