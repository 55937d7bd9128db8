/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that access memory through the public functions, while the main thread changes what is beside it.
 *
 *   accesses    RAM that no change ever takes away is found by every access (R-TX-6: the old view or the new one)
 *   waiting     who registers for the bounce buffer while it is given back is woken, once (R-MAP-11)
 *   leaving     who stops waiting at that moment is not called any more
 *
 * In `waiting` and `leaving` every round ends before it is looked at: what is checked has happened or never will.
 */
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum {
    READERS = 3,
    CHANGES = 2000,
    CHANGES_A_DRAIN = 8,
    PAGE = 0x1000,
    ROUNDS = 4000,
};

static uint8_t pattern(hwaddr address)
{
    return (uint8_t)(address * 7 + 3);
}

/* ---- accesses ---- */

static struct {
    AddressSpace *as;
    bool over, failed;          /* atomic */
    unsigned accesses;          /* atomic */
} traffic;

static bool read_is_right(hwaddr address)
{
    uint8_t bytes[16];
    MemTxResult result;

    memset(bytes, 0, sizeof(bytes));
    if (address_space_read_full(traffic.as, address, MEMTXATTRS_UNSPECIFIED, bytes, sizeof(bytes)) != MEMTX_OK) {
        return false;
    }
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        if (bytes[i] != pattern(address + i)) {
            return false;
        }
    }
    return address_space_ldub(traffic.as, address, MEMTXATTRS_UNSPECIFIED, &result) == pattern(address) &&
           result == MEMTX_OK;
}

static void *read_all_the_time(void *opaque)
{
    hwaddr address = PAGE;

    (void)opaque;
    memcore_thread_register();
    while (!LOAD(traffic.over)) {
        if (!read_is_right(address)) {
            STORE(traffic.failed, true);
        }
        ADD(traffic.accesses, 1);
        address = address + 16 < 2 * PAGE ? address + 16 : PAGE;
    }
    memcore_thread_unregister();
    return NULL;
}

/* The neighbours come and go, together and alone; what lies between them stays. */
static void what_stays_is_found(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX), *ram = stage_ram("ram", PAGE);
    MemoryRegion *below = stage_io("below", PAGE), *above = stage_io("above", PAGE);
    pthread_t threads[READERS];

    stage_add(root, 0, below);
    stage_add(root, PAGE, ram);
    stage_add(root, 2 * PAGE, above);
    for (hwaddr i = 0; i < PAGE; i++) {
        ((uint8_t *)memory_region_get_ram_ptr(ram))[i] = pattern(PAGE + i);
    }
    memset(&traffic, 0, sizeof(traffic));
    traffic.as = stage_space(root, "as");
    recorder_watch(traffic.as, NULL, 0, stage_log())->quiet = true;
    for (unsigned i = 0; i < READERS; i++) {
        g_assert_true(pthread_create(&threads[i], NULL, read_all_the_time, NULL) == 0);
    }
    WAIT_UNTIL(LOAD(traffic.accesses) > READERS);       /* they are at it before anything changes */
    for (unsigned change = 0; change < CHANGES && !LOAD(traffic.failed); change++) {
        memory_region_set_enabled(change & 1 ? above : below, change & 2);
        if (change % CHANGES_A_DRAIN == 0) {
            memcore_drain();
        }
    }
    STORE(traffic.over, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    check(!traffic.failed);
}

/* ---- the bounce buffer ---- */

static struct {
    AddressSpace *as;
    unsigned begin, mapped, go, off, given_back;    /* rounds, atomic; each waits for the one before it */
    unsigned woken;
} bounce;

/* Nothing is there, so the buffer is mapped for writing, and nothing written. */
static void *map_and_give_back(void *opaque)
{
    (void)opaque;
    memcore_thread_register();
    for (unsigned round = 1; round <= ROUNDS; round++) {
        hwaddr length = 16;
        void *buffer;

        WAIT_UNTIL(LOAD(bounce.begin) == round);
        buffer = address_space_map(bounce.as, 0, &length, true, MEMTXATTRS_UNSPECIFIED);
        g_assert_true(buffer != NULL);
        STORE(bounce.mapped, round);
        WAIT_UNTIL(LOAD(bounce.go) == round);
        STORE(bounce.off, round);
        address_space_unmap(bounce.as, buffer, length, true, 0);
        STORE(bounce.given_back, round);
    }
    memcore_thread_unregister();
    return NULL;
}

static void wake(void *opaque)
{
    (void)opaque;
    bounce.woken++;
}

static pthread_t start_bouncing(void)
{
    pthread_t thread;

    memset(&bounce, 0, sizeof(bounce));
    bounce.as = stage_space(stage_container("root", UINT64_MAX), "as");
    g_assert_true(pthread_create(&thread, NULL, map_and_give_back, NULL) == 0);
    return thread;
}

static void begin(unsigned round)
{
    STORE(bounce.begin, round);
    WAIT_UNTIL(LOAD(bounce.mapped) == round);
}

/* Gives the other thread its start, now early, now late. */
static void let_go(unsigned round)
{
    STORE(bounce.go, round);
    for (unsigned pause = round % 4; pause > 0; pause--) {
        sched_yield();
    }
}

static void who_waits_is_woken_once(void)
{
    pthread_t thread = start_bouncing();
    QEMUBH *bh = qemu_bh_new(wake, NULL);
    unsigned missed = 0;

    for (unsigned round = 1; round <= ROUNDS; round++) {
        begin(round);
        let_go(round);
        cpu_register_map_client(bh);
        WAIT_UNTIL(LOAD(bounce.given_back) == round);
        memcore_run_bottom_halves();
        if (bounce.woken != round) {
            missed++;
            cpu_unregister_map_client(bh);
            bounce.woken = round;
        }
    }
    pthread_join(thread, NULL);
    check_number(missed, 0);
    qemu_bh_delete(bh);
}

static void who_leaves_is_not_called(void)
{
    pthread_t thread = start_bouncing();

    for (unsigned round = 1; round <= ROUNDS; round++) {
        QEMUBH *bh = qemu_bh_new(wake, NULL);

        begin(round);
        cpu_register_map_client(bh);
        let_go(round);
        WAIT_UNTIL(LOAD(bounce.off) == round);      /* else it would hardly ever be in the middle of it */
        cpu_unregister_map_client(bh);
        qemu_bh_delete(bh);
        WAIT_UNTIL(LOAD(bounce.given_back) == round);
        memcore_run_bottom_halves();
    }
    pthread_join(thread, NULL);
    check_number(bounce.woken, 0);
}

int main(int argc, char **argv)
{
    threads_start(&argc, &argv, MEMCORE_RECLAIM_MANUAL);
    threads_case("/R-TX-6/what-stays-is-found", what_stays_is_found);
    threads_case("/R-MAP-11/who-waits-is-woken-once", who_waits_is_woken_once);
    threads_case("/R-MAP-11/who-leaves-is-not-called", who_leaves_is_not_called);
    return g_test_run();
}
