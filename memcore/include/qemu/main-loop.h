/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The big lock.  Everything that changes regions, address spaces, listeners
 * or RAM blocks runs under it; readers need RCU only.  memcore_init() leaves
 * its caller holding it.
 */
#ifndef QEMU_MAIN_LOOP_H
#define QEMU_MAIN_LOOP_H

#include <stdbool.h>

#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

/* Does not nest: locking it twice from one thread is misuse, so is unlocking what another holds. */
void qemu_mutex_lock_iothread(void);
void qemu_mutex_unlock_iothread(void);

/* Whether the calling thread holds it. */
bool qemu_mutex_iothread_locked(void);

/*
 * Bottom halves: calls put off until the program's event loop comes by, which
 * runs them with memcore_run_bottom_halves() (memcore/memcore.h).
 */
typedef void QEMUBHFunc(void *opaque);

/* Not scheduled yet.  The caller ends it with qemu_bh_delete(). */
QEMUBH *qemu_bh_new(QEMUBHFunc *function, void *opaque);

/* The next run calls it, once, however often it was scheduled.  Any thread. */
void qemu_bh_schedule(QEMUBH *bh);

/* Also takes back what was scheduled.  Misuse: registered with cpu_register_map_client().  Needs the big lock. */
void qemu_bh_delete(QEMUBH *bh);

#pragma GCC visibility pop

#endif
