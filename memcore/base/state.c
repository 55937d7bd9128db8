/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Set-up, the big lock, switches and hooks. */
#include <pthread.h>
#include <stdio.h>

#include "base/state.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"

struct MemcoreState memcore_state = { .vm_running = true };

static QemuMutex big_lock = QEMU_MUTEX_INITIALIZER;
_Thread_local bool memcore_big_lock_held;
static _Thread_local bool thread_registered;

static struct {
    void (*function)(void *opaque, const char *text);
    void *opaque;
} print;

static const char *reclaim_name(MemcoreReclaim mode)
{
    return mode == MEMCORE_RECLAIM_MANUAL ? "manual" : "background";
}

#ifdef MEMCORE_VERIFY
/* An error-checking mutex belongs to the parent's thread, and AFL++ forks with the big lock held. */
static void take_over_in_child(void)
{
    if (memcore_big_lock_held) {
        qemu_mutex_init(&big_lock);
        qemu_mutex_lock(&big_lock);
    }
}
#endif

void memcore_init(MemcoreReclaim mode)
{
    memcore_require(!memcore_state.ready, "memcore.h", "called again; memcore runs in %s mode since the "
                    "first call, or since the first use of another function",
                    reclaim_name(memcore_state.reclaim));
    memcore_require(mode == MEMCORE_RECLAIM_BACKGROUND || mode == MEMCORE_RECLAIM_MANUAL, "memcore.h",
                    "there is no mode %d", (int)mode);
    memcore_state.reclaim = mode;
    memcore_state.ready = true;
#ifdef MEMCORE_VERIFY
    memcore_assert(pthread_atfork(NULL, NULL, take_over_in_child) == 0);
#endif
    memcore_thread_register();
    qemu_mutex_lock_iothread();
}

void memcore_thread_register(void)
{
    memcore_ensure_init();
    if (!thread_registered) {
        rcu_register_thread();
        thread_registered = true;
    }
}

void memcore_thread_unregister(void)
{
    memcore_require(thread_registered, "memcore.h", "this thread is not registered");
    memcore_require(!rcu_read_ongoing(), "memcore.h", "the thread is inside an RCU read section");
    memcore_require(!memcore_big_lock_held, "memcore.h", "the thread holds the big lock");
    rcu_unregister_thread();
    thread_registered = false;
}

void qemu_mutex_lock_iothread(void)
{
    memcore_ensure_init();  /* which may have taken the lock for this thread */
    memcore_require(!memcore_big_lock_held, "qemu/main-loop.h", "this thread holds the big lock already");
    qemu_mutex_lock(&big_lock);
    memcore_big_lock_held = true;
}

void qemu_mutex_unlock_iothread(void)
{
    memcore_ensure_init();
    memcore_require(memcore_big_lock_held, "qemu/main-loop.h", "this thread does not hold the big lock");
    memcore_big_lock_held = false;
    qemu_mutex_unlock(&big_lock);
}

bool qemu_mutex_iothread_locked(void)
{
    memcore_ensure_init();
    return memcore_big_lock_held;
}

#ifdef MEMCORE_VERIFY
void memcore_verify_reader(const char *function)
{
    if (!rcu_read_ongoing() && !memcore_big_lock_held) {
        memcore_misuse_at(function, "qemu/rcu.h", "called neither in an RCU read section nor with the big lock");
    }
}
#endif

void memcore_set_collapse_compat(bool compat)
{
    memcore_require_big_lock("memcore.h");
    memcore_require(compat == memcore_state.collapse_compat || memcore_state.statistics.address_spaces == 0,
                    "R-FV-10", "%zu address spaces exist; the rule cannot change under them",
                    memcore_state.statistics.address_spaces);
    memcore_state.collapse_compat = compat;
}

void memcore_set_vm_running(bool running)
{
    memcore_require_big_lock("memcore.h");
    if (running == memcore_state.vm_running) {
        return;
    }
    memcore_state.vm_running = running;
    if (memcore_state.vm_change) {
        memcore_state.vm_change(running);
    }
}

bool memcore_vm_running(void)
{
    return memcore_state.vm_running;
}

void memcore_set_vm_change_hook(void (*changed)(bool running))
{
    memcore_state.vm_change = changed;
}

void memcore_set_owner_dying_hook(void (*dying)(Object *owner))
{
    memcore_state.owner_dying = dying;
}

void memcore_set_coalesced_flush(void (*flush)(void *opaque), void *opaque)
{
    memcore_require_big_lock("memcore.h");
    memcore_state.coalesced_flush = flush;
    memcore_state.coalesced_flush_opaque = opaque;
}

void memcore_set_code_tracking(bool on)
{
    memcore_require_big_lock("memcore.h");
    memcore_state.code_tracking = on;
}

void memcore_set_code_invalidate(void (*invalidate)(void *opaque, uint64_t start, uint64_t end), void *opaque)
{
    memcore_require_big_lock("memcore.h");
    memcore_state.code_invalidate = invalidate;
    memcore_state.code_invalidate_opaque = opaque;
}

void memcore_set_print(void (*function)(void *opaque, const char *text), void *opaque)
{
    memcore_require_big_lock("memcore.h");
    print.function = function;
    print.opaque = opaque;
}

void memcore_print(const char *text)
{
    if (print.function) {
        print.function(print.opaque, text);
    } else {
        fputs(text, stdout);
    }
}

void memcore_statistics(MemcoreStatistics *out)
{
    *out = memcore_state.statistics;
    out->deferred = memcore_deferred();
}
