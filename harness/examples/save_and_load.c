/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that is saved while it runs, and a second one that goes on from the file; --help says how.
 *
 * The guest goes round its memory, in leaps, and adds one to a number in each page, which must be that of the
 * rounds before.  A page that was lost, or is not the newest, is noticed at once, by the guest itself.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exec/memory.h"
#include "migration/mapped-ram.h"
#include "migration/ram-save.h"
#include "qemu/rcu.h"
#include "run/subject.h"

enum { MIB = 64, LEAP = 5081, PASSES = 4 };     /* LEAP is odd: the guest comes to every page */

/* --- the guest -------------------------------------------------------------------------------- */

static struct {
    MemoryRegion ram;
    uint8_t *memory;
    uint64_t pages;
    uint64_t round, next;       /* where it is: what a device's state would be */
    uint64_t last_round;        /* it ends there; 0: only when it is stopped */
    uint64_t wrong;             /* pages that were not as it left them */
    bool stop;                  /* atomic */
    pthread_t thread;
} guest;

static void *guest_run(void *opaque)
{
    (void)opaque;
    rcu_register_thread();
    while (!__atomic_load_n(&guest.stop, __ATOMIC_RELAXED) && guest.round != guest.last_round) {
        const uint64_t offset = guest.next * LEAP % guest.pages * TARGET_PAGE_SIZE;
        uint64_t number;

        memcpy(&number, guest.memory + offset, sizeof(number));
        guest.wrong += number != guest.round - 1;
        memcpy(guest.memory + offset, &guest.round, sizeof(guest.round));
        memory_region_set_dirty(&guest.ram, offset, sizeof(number));
        if (++guest.next == guest.pages) {
            guest.next = 0;
            guest.round++;
        }
    }
    rcu_unregister_thread();
    return NULL;
}

static void guest_start(uint64_t last_round)
{
    guest.stop = false;
    guest.last_round = last_round;
    if (pthread_create(&guest.thread, NULL, guest_run, NULL) != 0) {
        g_error("no thread for the guest");
    }
}

static void guest_stop(void *opaque)
{
    (void)opaque;
    __atomic_store_n(&guest.stop, true, __ATOMIC_RELAXED);
    pthread_join(guest.thread, NULL);
}

/* The save came to nothing: the guest goes on as if there had been none. */
static void guest_resume(void *opaque)
{
    (void)opaque;
    guest_start(0);
}

/* --- saving and loading ------------------------------------------------------------------------ */

static bool progress(void *opaque, const RamSaveCounters *counters)
{
    (void)opaque;
    printf("  look %" PRIu64 ": %" PRIu64 " pages written, %" PRIu64 " were zero, %" PRIu64 " are dirty\n",
           counters->dirty_sync_count, counters->normal, counters->zero, counters->remaining);
    return true;
}

static bool save(const char *path)
{
    const RamSaveParameters parameters = {
        .path = path,
        .machine = "none",
        .workers = 2,
        .enough = guest.pages / 16,
        .max_rounds = PASSES,           /* this guest is faster than any disk: it has to be stopped some time */
        .stop_writers = guest_stop,
        .resume_writers = guest_resume,
        .progress = progress,
    };
    Error *error = NULL;
    RamSave *ram_save = ram_save_new(&parameters, &error_fatal);
    const int result = ram_save_run(ram_save, &error);
    RamSaveCounters counters;

    ram_save_counters(ram_save, &counters);
    ram_save_free(ram_save);
    if (result < 0) {
        fprintf(stderr, "the guest could not be saved: %s\n", error_get_pretty(error));
        error_free(error);
        return false;
    }
    printf("saved in %" PRIu64 " ms, of which the guest stood still for %" PRIu64 "; "
           "round %" PRIu64 ", page %" PRIu64 "\n", counters.total_ms, counters.downtime_ms, guest.round, guest.next);
    return true;
}

static bool load(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    Error *error = NULL;
    MappedRamFile *file = mapped_ram_probe(fd, 0, 0, "none", &error);
    const bool loaded = file && mapped_ram_load(file, 0, &error) == 0;

    if (!loaded) {
        fprintf(stderr, "%s cannot be loaded: %s\n", path, error_get_pretty(error));
        error_free(error);
    }
    mapped_ram_free(file);
    close(fd);
    return loaded;
}

/* Whether memory is `before`, once loaded over something else; and the guest goes on in it. */
static bool load_and_go_on(const char *path, const uint8_t *before)
{
    const uint64_t rounds = guest.round + 2;

    memset(guest.memory, 0x55, guest.pages * TARGET_PAGE_SIZE);
    subject_set_vm_running(false);
    if (!load(path)) {
        return false;
    }
    subject_set_vm_running(true);
    if (memcmp(guest.memory, before, guest.pages * TARGET_PAGE_SIZE) != 0) {
        printf("memory is not what it was\n");
        return false;
    }
    guest_start(rounds);
    pthread_join(guest.thread, NULL);
    printf("loaded, equal; it went on to round %" PRIu64 ", %" PRIu64 " pages were wrong\n", guest.round, guest.wrong);
    return guest.wrong == 0;
}

static const char help[] =
    "usage: example_save_and_load [FILE]\n"
    "Saves a guest that keeps writing, loads it over other bytes, compares, and lets it go on.  Without FILE the file\n"
    "is a temporary one.\n"
    "Exit status: 0 it was right, 1 it was not, 2 wrong use.\n"
    "Example: example_save_and_load guest.mig && memtrace ram info guest.mig\n";

int main(int argc, char **argv)
{
    char *folder = NULL, *path;
    uint8_t *before;
    bool right;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return 0;
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fputs(help, stderr);
        return 2;
    }
    folder = argc == 2 ? NULL : g_dir_make_tmp("save-and-load-XXXXXX", NULL);
    path = argc == 2 ? g_strdup(argv[1]) : g_build_filename(folder, "guest.mig", NULL);
    subject_start();
    memory_region_init_ram(&guest.ram, NULL, "ram", (uint64_t)MIB << 20, &error_fatal);
    guest.memory = memory_region_get_ram_ptr(&guest.ram);
    guest.pages = ((uint64_t)MIB << 20) / TARGET_PAGE_SIZE;
    guest.round = 1;
    guest_start(2);             /* once around, so that there is something in each page */
    pthread_join(guest.thread, NULL);
    guest_start(0);
    right = save(path);
    if (!right) {
        guest_stop(NULL);
    } else {
        before = g_memdup2(guest.memory, guest.pages * TARGET_PAGE_SIZE);
        right = load_and_go_on(path, before);
        g_free(before);
    }
    if (folder) {
        g_unlink(path);
        g_rmdir(folder);
    }
    object_unparent(OBJECT(&guest.ram));
    subject_drain();
    g_free(folder);
    g_free(path);
    return right ? 0 : 1;
}
