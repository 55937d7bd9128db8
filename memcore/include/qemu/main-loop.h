/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The big lock.  Everything that changes regions, address spaces, listeners
 * or RAM blocks runs under it; readers need RCU only.  memcore_init() leaves
 * its caller holding it.
 */
#ifndef QEMU_MAIN_LOOP_H
#define QEMU_MAIN_LOOP_H

#include <stdbool.h>

/* Does not nest: locking it twice from one thread is misuse, so is unlocking what another holds. */
void qemu_mutex_lock_iothread(void);
void qemu_mutex_unlock_iothread(void);

/* Whether the calling thread holds it. */
bool qemu_mutex_iothread_locked(void);

#endif
