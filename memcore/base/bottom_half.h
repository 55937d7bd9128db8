/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bottom halves, as the layers that schedule them see them. */
#ifndef MEMCORE_BASE_BOTTOM_HALF_H
#define MEMCORE_BASE_BOTTOM_HALF_H

#include "base/misuse.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"

struct QEMUBH {
    QEMUBHFunc *function;
    void *opaque;
    struct cds_list_head link;  /* empty unless scheduled */
    unsigned waiting;           /* places that will schedule it and so need it; atomic */
};

/* For such a place, before it stops counting: then whoever has the big lock may delete it at any moment. */
static inline void bottom_half_wake(QEMUBH *bh)
{
    memcore_verify(__atomic_load_n(&bh->waiting, __ATOMIC_RELAXED) > 0);
    qemu_bh_schedule(bh);
}

#endif
