/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "base/bottom_half.h"
#include "base/state.h"
#include "qemu/thread.h"

static QemuMutex mutex = QEMU_MUTEX_INITIALIZER;
static struct cds_list_head scheduled = CDS_LIST_HEAD_INIT(scheduled);
/* Taken from `scheduled` by the run under way; here they can still be deleted. */
static struct cds_list_head due = CDS_LIST_HEAD_INIT(due);

static struct {
    void (*function)(void *opaque);
    void *opaque;
} wake;

void memcore_set_wake(void (*function)(void *opaque), void *opaque)
{
    memcore_require_big_lock("memcore.h");
    qemu_mutex_lock(&mutex);
    wake.function = function;
    wake.opaque = opaque;
    qemu_mutex_unlock(&mutex);
}

QEMUBH *qemu_bh_new(QEMUBHFunc *function, void *opaque)
{
    QEMUBH *bh = g_new0(QEMUBH, 1);

    memcore_require(function, "qemu/main-loop.h", "no function given (NULL)");
    bh->function = function;
    bh->opaque = opaque;
    CDS_INIT_LIST_HEAD(&bh->link);
    return bh;
}

void qemu_bh_schedule(QEMUBH *bh)
{
    void (*function)(void *) = NULL;
    void *opaque = NULL;

    qemu_mutex_lock(&mutex);
    if (cds_list_empty(&bh->link)) {
        cds_list_add_tail(&bh->link, &scheduled);
        function = wake.function;
        opaque = wake.opaque;
    }
    qemu_mutex_unlock(&mutex);
    if (function) {
        function(opaque);
    }
}

void qemu_bh_delete(QEMUBH *bh)
{
    memcore_require_big_lock("qemu/main-loop.h");
    memcore_require(__atomic_load_n(&bh->waiting, __ATOMIC_RELAXED) == 0, "R-MAP-11",
                    "bottom half %p is registered with cpu_register_map_client %u times", (void *)bh,
                    bh->waiting);
    qemu_mutex_lock(&mutex);
    cds_list_del(&bh->link);
    qemu_mutex_unlock(&mutex);
    g_free(bh);
}

/* NULL: none is left. */
static QEMUBH *take_due(void)
{
    QEMUBH *bh = NULL;

    qemu_mutex_lock(&mutex);
    if (!cds_list_empty(&due)) {
        bh = cds_list_first_entry(&due, QEMUBH, link);
        cds_list_del_init(&bh->link);
    }
    qemu_mutex_unlock(&mutex);
    return bh;
}

size_t memcore_run_bottom_halves(void)
{
    size_t count = 0;
    QEMUBH *bh;

    memcore_require_big_lock("memcore.h");
    qemu_mutex_lock(&mutex);
    while (!cds_list_empty(&scheduled)) {
        struct cds_list_head *link = scheduled.next;

        cds_list_del(link);
        cds_list_add_tail(link, &due);
    }
    qemu_mutex_unlock(&mutex);
    while ((bh = take_due()) != NULL) {
        bh->function(bh->opaque);       /* which may delete bh */
        count++;
    }
    return count;
}
