/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memcore/memcore.h for programs that never call memcore_init(): deferred work has a thread. */
#include "common/conformance.h"

#include <stdio.h>
#include <string.h>

#include "exec/ramlist.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"

/* Not conformance_start(), which chooses the other mode; and what is first called takes the big lock. */
static void starts_by_itself(void)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init(mr, NULL, "container", 1);
    check(qemu_mutex_iothread_locked());
    object_unparent(OBJECT(mr));
}

/* With the lock, which the worker needs meanwhile, and without. */
static void drains(void)
{
    AddressSpace *as = g_new0(AddressSpace, 1);

    for (unsigned round = 0; round < 2; round++) {
        MemoryRegion *root = stage_container("root", 1);

        address_space_init(as, root, "as");
        address_space_destroy(as);
        if (round) {
            qemu_mutex_unlock_iothread();
        }
        memcore_drain();
        check_number(qemu_mutex_iothread_locked(), round == 0);
        if (round) {
            qemu_mutex_lock_iothread();
        }
        check_number(stage_statistics().deferred, 0);
        check_number(stage_statistics().address_spaces, 0);
        stage_release(root);
    }
    g_free(as);
}

/* Whatever a program calls first is its set-up: after it, it is too late for memcore_init(). */
#define FIRST_USE(name, call) \
    static void name(void) \
    { \
        call; \
        memcore_init(MEMCORE_RECLAIM_MANUAL); \
    }
FIRST_USE(first_locked, qemu_mutex_iothread_locked())
FIRST_USE(first_unlock, qemu_mutex_unlock_iothread())
FIRST_USE(first_thread, memcore_thread_register())
FIRST_USE(first_drain, memcore_drain())
FIRST_USE(first_object, object_new(TYPE_DEVICE))
FIRST_USE(first_in_place, object_initialize(stage_storage(sizeof(DeviceState)), sizeof(DeviceState), TYPE_DEVICE))
FIRST_USE(first_begin, memory_region_transaction_begin())
FIRST_USE(first_sync, memory_global_dirty_log_sync())
FIRST_USE(first_after_sync, memory_global_after_dirty_log_sync())
FIRST_USE(first_setter, memcore_set_vm_running(true))
FIRST_USE(first_start, memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION))

static void first_lock(void) { qemu_mutex_lock_iothread(); }

static void no_such_mode(void)
{
    memcore_init((MemcoreReclaim)7);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    static const Misuse first[] = {
#define FIRST(name, test) { "/base/mode/init-after-" name, test, "memcore_init", "background mode" }
        FIRST("locked", first_locked),
        FIRST("unlock", first_unlock),
        FIRST("thread", first_thread),
        FIRST("drain", first_drain),
        FIRST("object", first_object),
        FIRST("object-in-place", first_in_place),
        FIRST("begin", first_begin),
        FIRST("sync", first_sync),
        FIRST("after-sync", first_after_sync),
        FIRST("setter", first_setter),
        FIRST("start", first_start),
        { "/base/mode/lock-first", first_lock, "qemu_mutex_lock_iothread", "holds the big lock already" },
    };

    conformance_misuses(first);
    conformance_misuse("/base/mode/unknown", no_such_mode, "memcore_init", "7");
    conformance_case("/base/mode/starts-by-itself", starts_by_itself);
    conformance_case("/base/mode/drains", drains);
    return g_test_run();
}
