/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process-wide state behind memcore/memcore.h: set-up, switches, hooks,
 * counters.  Everything here is written under the big lock.
 */
#ifndef MEMCORE_BASE_STATE_H
#define MEMCORE_BASE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "memcore/memcore.h"
#include "qemu/main-loop.h"
#include "qemu/typedefs.h"
#include "base/misuse.h"

struct MemcoreState {
    bool ready;                         /* memcore_init ran */
    MemcoreReclaim reclaim;
    bool collapse_compat;               /* R-FV-10 as QEMU 7.2 does it */
    bool vm_running;
    bool code_tracking;
    void (*code_invalidate)(void *opaque, uint64_t start, uint64_t end);
    void *code_invalidate_opaque;
    void (*coalesced_flush)(void *opaque);
    void *coalesced_flush_opaque;
    void (*vm_change)(bool running);
    void (*owner_dying)(Object *owner);
    MemcoreStatistics statistics;       /* `deferred` is kept by base/defer.c */
};
extern struct MemcoreState memcore_state;

/* First thing in every entry point that can be the first one called. */
static inline void memcore_ensure_init(void)
{
    if (__builtin_expect(!memcore_state.ready, 0)) {
        memcore_init(MEMCORE_RECLAIM_BACKGROUND);
    }
}

/* What qemu_mutex_iothread_locked() says, without a call. */
extern _Thread_local bool memcore_big_lock_held;

/* Misuse, naming `function`, or the calling one, unless this thread holds the big lock. */
#define memcore_require_big_lock_of(function, rule) \
    do { \
        if (__builtin_expect(!qemu_mutex_iothread_locked(), 0)) { \
            memcore_misuse_at((function), (rule), "called without the big lock (qemu_mutex_lock_iothread)"); \
        } \
    } while (0)
#define memcore_require_big_lock(rule) memcore_require_big_lock_of(__func__, (rule))

/* Counters of MemcoreStatistics: &memcore_state.statistics.ram_blocks and so on. */
static inline void memcore_count_up(size_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static inline void memcore_count_down(size_t *counter)
{
    size_t before = __atomic_fetch_sub(counter, 1, __ATOMIC_RELAXED);

    memcore_assert(before > 0);
}

/* The accelerator writes out the coalesced MMIO it holds back (R-COAL-3); no effect without a hook. */
static inline void memcore_flush_coalesced(void)
{
    if (memcore_state.coalesced_flush) {
        memcore_state.coalesced_flush(memcore_state.coalesced_flush_opaque);
    }
}

/*
 * `changed` is called, under the big lock, each time the machine goes from
 * paused to running or back; it may set another hook or NULL.  One hook: the
 * postponed log stop of R-LOG-3.
 */
void memcore_set_vm_change_hook(void (*changed)(bool running));

/*
 * `dying` is called for an object whose last reference went, before its
 * children are released: region/ takes regions out of sibling containers and
 * releases aliases early (R-OBJ-7).  It may unparent any child.
 */
void memcore_set_owner_dying_hook(void (*dying)(Object *owner));

/* "/machine/unattached", parent of named regions without owner (R-OBJ-2). */
Object *memcore_unattached(void);

/* Text for memcore_set_print's function or stdout; one call, one piece. */
void memcore_print(const char *text);

#endif
