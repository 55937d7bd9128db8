/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-copy-update: liburcu's "memb" flavour under the names of the API.
 *
 * Gives struct rcu_head, rcu_read_lock(), rcu_read_unlock() (both nest),
 * rcu_register_thread(), rcu_unregister_thread() and synchronize_rcu().  A
 * thread must be registered while it reads; memcore_init() does it for its
 * caller, memcore_thread_register() for others.
 */
#ifndef QEMU_RCU_H
#define QEMU_RCU_H

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE    /* read_lock and dereference inline */
#endif
#ifndef URCU_API_MAP
#define URCU_API_MAP
#endif
#include <stdbool.h>

#include <urcu/urcu-memb.h>

/* The first line of a callback given to call_rcu(). */
#define RCU_CALLBACK_BEGINS(head) ((void)(head))

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MEMCORE_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(MEMCORE_TSAN)
#undef RCU_CALLBACK_BEGINS
#include "qemu/rcu_tsan.h"
#endif

/* They publish and fetch by the macros that rcu_tsan.h replaces. */
#include <urcu/list.h>
#include <urcu/rculist.h>

/*
 * Fetches the pointer at `place`, to be followed until the read section ends, or while the big lock is held.  With
 * neither it may go away at once: misuse, which VERIFY builds stop in the name of the function that fetches.
 */
#ifdef MEMCORE_VERIFY
#pragma GCC visibility push(default)
void memcore_verify_reader(const char *function);
#pragma GCC visibility pop
#define qatomic_rcu_read(place) (memcore_verify_reader(__func__), rcu_dereference(*(place)))
#else
#define qatomic_rcu_read(place) rcu_dereference(*(place))
#endif
/* Publishes `value` at `place`: whoever fetches it sees what was stored before. */
#define qatomic_rcu_set(place, value) rcu_set_pointer(place, value)

typedef struct RCUReadAuto {
    bool inside;
} RCUReadAuto;

static inline RCUReadAuto rcu_read_auto_lock(void)
{
    rcu_read_lock();
    return (RCUReadAuto) { .inside = true };
}

static inline void rcu_read_auto_unlock(RCUReadAuto *section)
{
    if (section->inside) {
        rcu_read_unlock();
        section->inside = false;
    }
}

#define RCU_READ_AUTO_PASTE_(prefix, line) prefix##line
#define RCU_READ_AUTO_NAME_(prefix, line) RCU_READ_AUTO_PASTE_(prefix, line)
#define RCU_READ_SECTION_ RCU_READ_AUTO_NAME_(rcu_read_section_, __LINE__)

/* From here to the end of the enclosing block is a read section, whatever way control leaves it. */
#define RCU_READ_LOCK_GUARD() \
    __attribute__((cleanup(rcu_read_auto_unlock), unused)) \
    RCUReadAuto RCU_READ_AUTO_NAME_(rcu_read_guard_, __LINE__) = rcu_read_auto_lock()

/* The statement that follows is a read section. */
#define WITH_RCU_READ_LOCK_GUARD() \
    for (__attribute__((cleanup(rcu_read_auto_unlock))) \
             RCUReadAuto RCU_READ_SECTION_ = rcu_read_auto_lock(); \
         RCU_READ_SECTION_.inside; \
         rcu_read_auto_unlock(&RCU_READ_SECTION_))

#endif
