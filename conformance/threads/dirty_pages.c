/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writers mark pages, a collector takes the marks, and the main thread adds and
 * frees blocks so that the bitmaps grow under both (R-DMB-9, R-DMB-3); a passer-by
 * looks at each block that he finds (R-RAM-9).
 *
 * Two kinds of pages, two ways to lose something:
 *
 *   handed over   a writer fills a page by plain stores, marks it, and waits until it was
 *                 collected.  Nothing but the dirty bit orders the filling before the
 *                 collector's plain loads: a bit that is set or taken without
 *                 release or acquire is a race for TSan, stale data for everybody
 *   free running  a writer stores and marks again and again, as a guest does, without
 *                 looking at the collector.  `done` is what a writer had finished before a
 *                 round began: after the round the collector's copy is at least as new
 *
 * What the collector takes it takes in every way there is, in turn.
 */
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "exec/ram_addr.h"

enum {
    WRITERS = 3,
    HANDED = 1024,                  /* pages; whole cache lines of bitmap, and so many that all of one can be dirty */
    STRIPE = 64,
    FREE = 70,                      /* not a multiple of a word */
    TOTAL = HANDED + FREE,
    GROWTHS = 16,
    SECONDS = 2,                    /* a run; what was lost in it is known at its end */
    RUNS = 30,                      /* with MEMCORE_TEST_FULL */
};

#define PAGES(n) ((ram_addr_t)(n) << TARGET_PAGE_BITS)

typedef struct {
    pthread_t thread;
    unsigned number;
    uint64_t stores;
} Writer;

static struct {
    MemoryRegion *ram;
    AddressSpace *as;
    RAMBlock *block;
    ram_addr_t start;
    uint8_t *host;
    bool by_lebitmap;               /* a bit of it is a target page */
    bool written[HANDED];           /* filled, not collected yet; atomic */
    uint64_t expected[HANDED];      /* of the collector */
    uint64_t done[FREE];            /* atomic */
    uint64_t copy[FREE];            /* of the collector */
    uint64_t rounds, taken;
    bool enough;                    /* of both, to mean something; atomic */
    bool over;                      /* atomic */
    Writer writers[WRITERS];
    pthread_t collector, passer_by;
} field;

static uint64_t *word_of(unsigned page)
{
    return (uint64_t *)(field.host + PAGES(page));
}

/* ---- writers ---- */

static bool fill(unsigned page)
{
    if (__atomic_load_n(&field.written[page], __ATOMIC_ACQUIRE)) {
        return false;
    }
    ++*word_of(page);
    return true;
}

static void mark(unsigned first, unsigned count)
{
    for (unsigned page = first; page < first + count; page++) {
        __atomic_store_n(&field.written[page], true, __ATOMIC_RELAXED);
    }
    if (count == STRIPE && field.by_lebitmap && *word_of(first) % 2) {
        unsigned long word = ~0ul;

        cpu_physical_memory_set_dirty_lebitmap(&word, field.start + PAGES(first), STRIPE);
    } else if (count == 1 && first % 2) {
        cpu_physical_memory_set_dirty_flag(field.start + PAGES(first), DIRTY_MEMORY_MIGRATION);
    } else {
        cpu_physical_memory_set_dirty_range(field.start + PAGES(first), PAGES(count),
                                            1 << DIRTY_MEMORY_MIGRATION | 1 << DIRTY_MEMORY_VGA);
    }
}

/* Stripes belong to one writer each.  Half of the time one page of a stripe, else as much of it as is free. */
static void hand_over(Writer *writer, GRand *random)
{
    const unsigned stripes = HANDED / STRIPE / WRITERS;
    const unsigned first = (writer->number + WRITERS * (unsigned)g_rand_int_range(random, 0, (int)stripes)) * STRIPE;
    unsigned page = first + (unsigned)g_rand_int_range(random, 0, STRIPE), count = 0;
    const unsigned end = g_rand_boolean(random) ? page + 1 : first + STRIPE;

    if (end == first + STRIPE && g_rand_boolean(random)) {
        page = first;
    }
    while (page + count < end && fill(page + count)) {
        count++;
    }
    if (count > 0) {
        mark(page, count);
        writer->stores += count;
    }
}

static void run_free(Writer *writer, GRand *random)
{
    const unsigned page = (unsigned)g_rand_int_range(random, 0, FREE / WRITERS) * WRITERS + writer->number;
    const uint64_t value = field.done[page] + 1;

    if (page >= FREE) {
        return;
    }
#ifdef UNDER_TSAN
    /* What the guest does with its memory is not the core's to order. */
    __atomic_store_n(word_of(HANDED + page), value, __ATOMIC_RELAXED);
    memory_region_set_dirty(field.ram, PAGES(HANDED + page), 8);
#else
    address_space_stq_le(field.as, PAGES(HANDED + page), value, MEMTXATTRS_UNSPECIFIED, NULL);
#endif
    __atomic_store_n(&field.done[page], value, __ATOMIC_RELEASE);
    writer->stores++;
}

static void *write_pages(void *opaque)
{
    Writer *writer = opaque;
    GRand *random = g_rand_new_with_seed(writer->number + 1);

    memcore_thread_register();
    while (!LOAD(field.over)) {
        for (unsigned i = 0; i < 64; i++) {
            hand_over(writer, random);
            run_free(writer, random);
        }
    }
    memcore_thread_unregister();
    g_rand_free(random);
    return NULL;
}

/* ---- the collector ---- */

static void trouble(const char *what, unsigned page)
{
    g_printerr("%s: %s: page %u, round %" G_GINT64_MODIFIER "u\n", g_test_get_path(), what, page, field.rounds);
    g_test_fail();
    STORE(field.over, true);
}

static void collect(unsigned page)
{
    field.taken++;
    if (page >= HANDED) {
        field.copy[page - HANDED] = __atomic_load_n(word_of(page), __ATOMIC_RELAXED);
        return;
    }
    if (!__atomic_load_n(&field.written[page], __ATOMIC_RELAXED)) {
        trouble("reported, but nobody wrote it", page);
        return;
    }
    if (*word_of(page) != ++field.expected[page]) {
        trouble("reported with stale data, or a report is missing", page);
    }
    __atomic_store_n(&field.written[page], false, __ATOMIC_RELEASE);
}

static bool in_bmap(unsigned page)
{
    return field.block->bmap[page / 64] >> page % 64 & 1;
}

static void take_by_sync(bool whole_words)
{
    const ram_addr_t used = field.block->used_length, cut = whole_words ? PAGES(HANDED) : PAGES(HANDED / 2 + 1);

    rcu_read_lock();
    cpu_physical_memory_sync_dirty_bitmap(field.block, 0, cut);
    cpu_physical_memory_sync_dirty_bitmap(field.block, cut, used - cut);
    rcu_read_unlock();
    for (unsigned page = 0; page < TOTAL; page++) {
        if (in_bmap(page)) {
            field.block->bmap[page / 64] &= ~(1ul << page % 64);
            collect(page);
        }
    }
}

static void take_by_snapshot(void)
{
    DirtyBitmapSnapshot *snap =
        memory_region_snapshot_and_clear_dirty(field.ram, 0, PAGES(TOTAL), DIRTY_MEMORY_MIGRATION);

    for (unsigned page = 0; page < TOTAL; page++) {
        if (memory_region_snapshot_get_dirty(field.ram, snap, PAGES(page), 1)) {
            collect(page);
        }
    }
    free(snap);
}

static void take_one_by_one(void)
{
    for (unsigned page = 0; page < TOTAL; page++) {
        if (cpu_physical_memory_test_and_clear_dirty(field.start + PAGES(page), PAGES(1), DIRTY_MEMORY_MIGRATION)) {
            collect(page);
        }
    }
}

static void take(void)
{
    uint64_t floor[FREE];

    for (unsigned page = 0; page < FREE; page++) {
        floor[page] = __atomic_load_n(&field.done[page], __ATOMIC_ACQUIRE);
    }
    switch (field.rounds % 4) {
    case 0:
        take_by_sync(true);
        break;
    case 1:
        take_by_snapshot();
        break;
    case 2:
        take_by_sync(false);
        break;
    default:
        take_one_by_one();
        break;
    }
    for (unsigned page = 0; page < FREE; page++) {
        if (field.copy[page] < floor[page]) {
            trouble("a write that was finished is neither reported nor copied", HANDED + page);
        }
    }
    field.rounds++;
    STORE(field.enough, field.rounds > 10 && field.taken > 1000);
}

static void *collect_pages(void *opaque)
{
    (void)opaque;
    memcore_thread_register();
    while (!LOAD(field.over)) {
        take();
    }
    memcore_thread_unregister();
    return NULL;
}

/* ---- a passer-by, who knows no lock ---- */

/* R-RAM-9: who found a block may use it, its memory and its bits until his section ends, whoever frees it meanwhile. */
static void *pass_by(void *opaque)
{
    (void)opaque;
    memcore_thread_register();
    while (!LOAD(field.over)) {
        RAMBlock *each;

        rcu_read_lock();
        RAMBLOCK_FOREACH(each) {
            const ram_addr_t last = qemu_ram_get_offset(each) + qemu_ram_get_max_length(each) - 1;

            (void)cpu_physical_memory_get_dirty_flag(last, DIRTY_MEMORY_VGA);
            if (each != field.block) {      /* whose bytes are the writers' */
                (void)*(const volatile uint8_t *)qemu_ram_get_host_addr(each);
            }
        }
        rcu_read_unlock();
        g_usleep(100);                      /* few processors are for all of us */
    }
    memcore_thread_unregister();
    return NULL;
}

/* ---- the main thread ---- */

static MemoryRegion *reservation(uint64_t size)
{
    MemoryRegion *mr = stage_storage(sizeof(*mr));

    memory_region_init_ram_flags_nomigrate(mr, NULL, "extra", size, RAM_NORESERVE, &error_fatal);
    return stage_adopt(mr, NULL);
}

static void start(void)
{
    MemoryRegion *root = stage_container("root", UINT64_MAX);

    memset(&field, 0, sizeof(field));
    field.ram = stage_ram_migratable("field", PAGES(TOTAL));
    stage_add(root, 0, field.ram);
    field.as = stage_space(root, "as");
    field.block = qemu_ram_block_by_name("field");
    field.start = memory_region_get_ram_addr(field.ram);
    field.host = memory_region_get_ram_ptr(field.ram);
    field.by_lebitmap = qemu_ram_pagesize(field.block) == TARGET_PAGE_SIZE;
    field.block->bmap = g_new0(unsigned long, (TOTAL + 63) / 64);
    memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION);
    cpu_physical_memory_clear_dirty_range(field.start, PAGES(TOTAL));
    for (unsigned i = 0; i < WRITERS; i++) {
        field.writers[i].number = i;
        g_assert_true(pthread_create(&field.writers[i].thread, NULL, write_pages, &field.writers[i]) == 0);
    }
    g_assert_true(pthread_create(&field.collector, NULL, collect_pages, NULL) == 0);
    g_assert_true(pthread_create(&field.passer_by, NULL, pass_by, NULL) == 0);
}

/* Everybody has gone: what was not taken is still there. */
static void finish(void)
{
    STORE(field.over, true);
    qemu_mutex_unlock_iothread();
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(field.writers[i].thread, NULL);
    }
    pthread_join(field.collector, NULL);
    pthread_join(field.passer_by, NULL);
    qemu_mutex_lock_iothread();
    if (!g_test_failed()) {
        take();
        for (unsigned page = 0; page < HANDED; page++) {
            if (field.written[page]) {
                trouble("written, and never reported", page);
            }
        }
    }
    g_test_message("%" G_GINT64_MODIFIER "u rounds, %" G_GINT64_MODIFIER "u pages", field.rounds, field.taken);
    memory_global_dirty_log_stop(GLOBAL_DIRTY_MIGRATION);
    g_free(field.block->bmap);
    field.block->bmap = NULL;
}

static void nothing_is_lost(void)
{
    const gint64 end = g_get_monotonic_time() + SECONDS * G_USEC_PER_SEC;
    unsigned growths = 0;

    start();
    /* A busy machine needs longer for what the run is about. */
    while (!LOAD(field.over) && (g_get_monotonic_time() < end || growths < 2 || !LOAD(field.enough))) {
        /* Each longer than all before it, until they are large enough; and freed again. */
        MemoryRegion *extra = reservation(PAGES(DIRTY_MEMORY_BLOCK_SIZE) * (1 + growths % GROWTHS));

        growths++;
        stage_release(extra);
        memcore_drain();
        qemu_mutex_unlock_iothread();
        g_usleep(SECONDS * G_USEC_PER_SEC / 100);
        qemu_mutex_lock_iothread();
    }
    finish();
}

int main(int argc, char **argv)
{
    threads_start(&argc, &argv, MEMCORE_RECLAIM_MANUAL);
    threads_case("/R-DMB-9/nothing-is-lost", nothing_is_lost);
    for (unsigned run = 2; g_getenv("MEMCORE_TEST_FULL") && run <= RUNS; run++) {
        char *path = g_strdup_printf("/R-DMB-9/nothing-is-lost-%u", run);

        threads_case(path, nothing_is_lost);
        g_free(path);
    }
    return g_test_run();
}
