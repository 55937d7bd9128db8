/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work that must wait until every RCU reader of today has left its read section. */
#ifndef MEMCORE_BASE_DEFER_H
#define MEMCORE_BASE_DEFER_H

#include "qemu/rcu.h"

/*
 * Runs function(head) after a grace period, under the big lock, in the order
 * of deferral.  `head` lies in the object to be released and must not be in
 * use already.  Manual mode: in memcore_drain() only; background mode: on a
 * liburcu worker thread.  `function` may free the object and defer more.
 */
void memcore_defer(struct rcu_head *head, void (*function)(struct rcu_head *head));

#endif
