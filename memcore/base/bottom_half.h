/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bottom halves, as the layers that schedule them see them. */
#ifndef MEMCORE_BASE_BOTTOM_HALF_H
#define MEMCORE_BASE_BOTTOM_HALF_H

#include "qemu/main-loop.h"
#include "qemu/rcu.h"

struct QEMUBH {
    QEMUBHFunc *function;
    void *opaque;
    struct cds_list_head link;  /* empty unless scheduled */
    unsigned waiting;           /* places that will schedule it and so need it; atomic */
};

#endif
