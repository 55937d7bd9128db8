/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deferred work is a first-in first-out queue of rcu_heads, linked through
 * their own `next` field, in front of liburcu's grace periods.
 *
 *   memcore_defer --> queue --(manual: memcore_drain: synchronize_rcu)--> run
 *                       |
 *                       +--(background)--> batch --(call_rcu, worker)--> run
 *
 * One batch is under way at a time: the order of deferral is kept although a
 * program has many threads, and a burst of frees costs one grace period.
 */
#include "base/defer.h"
#include "base/state.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"

/* `last` points at the link that the next head is hung on. */
typedef struct {
    struct cds_wfcq_node *first;
    struct cds_wfcq_node **last;
} DeferQueue;

static struct {
    QemuMutex mutex;                    /* guards queue and batch_under_way */
    DeferQueue queue;
    bool batch_under_way;
    DeferQueue batch;                   /* background: owned by the worker while under way */
    struct rcu_head batch_head;
    size_t waiting;                     /* not finished yet; atomic */
} defer = {
    .mutex = QEMU_MUTEX_INITIALIZER,
    .queue = { .last = &defer.queue.first },
};

static _Thread_local bool running_deferred;

char memcore_rcu_readers_left;      /* here in every build: a program may have TSan, and the library not */

static void queue_append(DeferQueue *queue, struct rcu_head *head)
{
    head->next.next = NULL;
    *queue->last = &head->next;
    queue->last = &head->next.next;
}

/* Moves everything to `to`, leaving `from` empty. */
static void queue_take_all(DeferQueue *to, DeferQueue *from)
{
    to->first = from->first;
    to->last = NULL;    /* nothing is added to what was taken */
    from->first = NULL;
    from->last = &from->first;
}

static void run_all(DeferQueue *queue)
{
    struct cds_wfcq_node *node = queue->first;

    running_deferred = true;
    while (node) {
        struct rcu_head *head = caa_container_of(node, struct rcu_head, next);

        node = node->next;      /* the function may free the head */
        head->func(head);
        /* only now: with what the function deferred already counted, 0 means that all is done */
        __atomic_fetch_sub(&defer.waiting, 1, __ATOMIC_RELEASE);
    }
    running_deferred = false;
}

static void run_batch(struct rcu_head *head);

/* With defer.mutex held: what has queued up becomes the next batch. */
static void start_batch(void)
{
    queue_take_all(&defer.batch, &defer.queue);
    defer.batch_under_way = true;
    call_rcu(&defer.batch_head, run_batch);
}

static void run_batch(struct rcu_head *head)
{
    RCU_CALLBACK_BEGINS(head);
    memcore_assert(head == &defer.batch_head);
    qemu_mutex_lock_iothread();
    run_all(&defer.batch);
    qemu_mutex_unlock_iothread();

    qemu_mutex_lock(&defer.mutex);
    defer.batch_under_way = false;
    if (defer.queue.first) {
        start_batch();
    }
    qemu_mutex_unlock(&defer.mutex);
}

void memcore_defer(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
    memcore_ensure_init();
    head->func = function;
    __atomic_fetch_add(&defer.waiting, 1, __ATOMIC_RELAXED);

    qemu_mutex_lock(&defer.mutex);
    queue_append(&defer.queue, head);
    if (memcore_state.reclaim == MEMCORE_RECLAIM_BACKGROUND && !defer.batch_under_way) {
        start_batch();
    }
    qemu_mutex_unlock(&defer.mutex);
}

/*
 * A reader may be waiting for the big lock inside its read section, to call a
 * device: whoever waits for the reader must not have it.
 */
static void drain_manually(void)
{
    while (memcore_deferred() > 0) {
        DeferQueue taken;

        qemu_mutex_lock(&defer.mutex);
        queue_take_all(&taken, &defer.queue);
        qemu_mutex_unlock(&defer.mutex);
        qemu_mutex_unlock_iothread();
        synchronize_rcu();
        qemu_mutex_lock_iothread();
        run_all(&taken);
    }
}

/* The worker runs its batch under the big lock, so whoever waits for it must not hold it. */
static void drain_in_background(void)
{
    bool locked = qemu_mutex_iothread_locked();

    if (locked) {
        qemu_mutex_unlock_iothread();
    }
    do {
        rcu_barrier();
    } while (memcore_deferred() > 0);
    if (locked) {
        qemu_mutex_lock_iothread();
    }
}

void memcore_drain(void)
{
    memcore_ensure_init();
    memcore_require(!rcu_read_ongoing(), "memcore.h",
                    "called inside an RCU read section, which then never ends");
    memcore_require(!running_deferred, "memcore.h", "called from deferred work (a finalizer, perhaps)");
    if (memcore_state.reclaim == MEMCORE_RECLAIM_MANUAL) {
        memcore_require_big_lock("memcore.h");
        drain_manually();
    } else {
        drain_in_background();
    }
}

size_t memcore_deferred(void)
{
    return __atomic_load_n(&defer.waiting, __ATOMIC_ACQUIRE);
}
