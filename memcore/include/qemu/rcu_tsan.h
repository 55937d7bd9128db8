/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ThreadSanitizer has to know of liburcu.  Included by qemu/rcu.h, in builds with TSan only.
 *
 * liburcu before 0.15 orders by inline assembly and by membarrier(2), of which
 * TSan sees nothing.  Told here, and no more than liburcu promises:
 *
 *   publishing    a pointer is stored with release, fetched with acquire
 *   grace period  what a reader did before its rcu_read_unlock() comes before
 *                 what follows synchronize_rcu(), or a call_rcu() callback
 *   call_rcu      what its caller did comes before the callback
 *
 * rcu_read_lock() orders nothing: a reader that sees data without having
 * fetched a pointer to it is reported, as is one that looks after its section.
 * What is lost: an access behind the last rcu_read_unlock() of its thread but
 * one passes for ordered if the thread unlocks once more before the free.
 */
#include "qemu/rcu.h"         /* before the guard: it includes this file at the right place, if at all */

#if !defined(QEMU_RCU_TSAN_H) && (defined(__SANITIZE_THREAD__) || defined(MEMCORE_TSAN))
#define QEMU_RCU_TSAN_H

#include <sanitizer/tsan_interface.h>

/* The functions of the library: inlined ones share a word with it that only the library accesses atomically. */
#undef urcu_memb_read_lock
#undef urcu_memb_read_unlock
extern void urcu_memb_read_lock(void);
extern void urcu_memb_read_unlock(void);

/* Stands for "all readers have left". */
#pragma GCC visibility push(default)
extern char memcore_rcu_readers_left;
#pragma GCC visibility pop

static inline void memcore_tsan_read_unlock(void)
{
    __tsan_release(&memcore_rcu_readers_left);
    urcu_memb_read_unlock();
}
#undef rcu_read_unlock
#define rcu_read_unlock memcore_tsan_read_unlock

static inline void memcore_tsan_synchronize(void)
{
    urcu_memb_synchronize_rcu();
    __tsan_acquire(&memcore_rcu_readers_left);
}
#undef synchronize_rcu
#define synchronize_rcu memcore_tsan_synchronize

static inline void memcore_tsan_call_rcu(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
    __tsan_release(head);
    urcu_memb_call_rcu(head, function);
}
#undef call_rcu
#define call_rcu memcore_tsan_call_rcu

#define RCU_CALLBACK_BEGINS(head) (__tsan_acquire(head), __tsan_acquire(&memcore_rcu_readers_left))

#undef rcu_dereference
#undef rcu_set_pointer
#undef CMM_LOAD_SHARED
#undef CMM_STORE_SHARED
#define rcu_dereference(pointer) __atomic_load_n(&(pointer), __ATOMIC_ACQUIRE)
#define rcu_set_pointer(place, value) __atomic_store_n((place), (value), __ATOMIC_RELEASE)
#define CMM_LOAD_SHARED(object) __atomic_load_n(&(object), __ATOMIC_RELAXED)
#define CMM_STORE_SHARED(object, value) __atomic_store_n(&(object), (value), __ATOMIC_RELAXED)

#endif
