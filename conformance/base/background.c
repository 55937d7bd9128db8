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

static void init_after_use(void)
{
    qemu_mutex_iothread_locked();
    memcore_init(MEMCORE_RECLAIM_MANUAL);
}

static void no_such_mode(void)
{
    memcore_init((MemcoreReclaim)7);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    conformance_misuse("/base/mode/init-after-use", init_after_use, "memcore_init", "background");
    conformance_misuse("/base/mode/unknown", no_such_mode, "memcore_init", "7");
    conformance_case("/base/mode/starts-by-itself", starts_by_itself);
    conformance_case("/base/mode/drains", drains);
    return g_test_run();
}
