/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that moves to another process while it runs; --help says how.
 *
 * The guest goes round its memory, in leaps, and adds one to a number in each page, which must be that of the
 * rounds before.  Where it is goes to the destination as the state of its only device.  A page that was
 * lost, or is not the newest, is noticed at once.
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/memory.h"
#include "migration/postcopy-host.h"
#include "migration/postcopy-ram.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "run/subject.h"

enum { MIB = 32, LEAP = 5081, SKIPPED = 77, STEP_US = 50000 };     /* LEAP is odd: it comes to every page */

/* --- the guest -------------------------------------------------------------------------------- */

static struct {
    MemoryRegion ram;
    uint8_t *memory;
    uint64_t pages;
    uint64_t round, next;       /* where it is */
    uint64_t last_round;        /* it ends there; only the destination knows */
    uint64_t wrong;             /* pages that were not as it left them */
    bool stop;                  /* atomic */
    pthread_t thread;
} guest;

static void *guest_run(void *opaque)
{
    (void)opaque;
    rcu_register_thread();
    while (!__atomic_load_n(&guest.stop, __ATOMIC_RELAXED) && guest.round < guest.last_round) {
        const uint64_t offset = guest.next * LEAP % guest.pages * TARGET_PAGE_SIZE;
        uint64_t *number = (uint64_t *)(void *)(guest.memory + offset);

        guest.wrong += *number != guest.round;
        *number = guest.round + 1;
        memory_region_set_dirty(&guest.ram, offset, sizeof(*number));
        if (++guest.next == guest.pages) {
            guest.next = 0;
            guest.round++;
        }
        if (guest.next % 512 == 0) {
            g_usleep(1);        /* it has other things to do, too */
        }
    }
    rcu_unregister_thread();
    return NULL;
}

static void guest_start(uint64_t last_round)
{
    guest.last_round = last_round;
    if (pthread_create(&guest.thread, NULL, guest_run, NULL) != 0) {
        abort();
    }
}

static void machine_start(void)
{
    subject_start();
    memory_region_init_ram(&guest.ram, NULL, "ram", (uint64_t)MIB << 20, &error_fatal);
    guest.memory = memory_region_get_ram_ptr(&guest.ram);
    guest.pages = ((uint64_t)MIB << 20) / TARGET_PAGE_SIZE;
}

/* --- what can be seen --------------------------------------------------------------------------- */

typedef struct {
    const char *who;
    const uint64_t *faults, *pages, *zero_pages;
    bool end;                   /* atomic */
    pthread_t thread;
} Counter;

static void show(const Counter *counter, const char *end)
{
    fprintf(stderr, "%s%s: %" PRIu64 " %s, %" PRIu64 " pages%s", isatty(2) ? "\r" : "", counter->who,
            __atomic_load_n(counter->faults, __ATOMIC_RELAXED),
            counter->zero_pages ? "faults" : "requests",
            __atomic_load_n(counter->pages, __ATOMIC_RELAXED) +
                (counter->zero_pages ? __atomic_load_n(counter->zero_pages, __ATOMIC_RELAXED) : 0), end);
}

static void *count(void *opaque)
{
    const Counter *counter = opaque;

    while (!__atomic_load_n(&counter->end, __ATOMIC_RELAXED)) {
        if (isatty(2)) {
            show(counter, "");
        }
        g_usleep(STEP_US);
    }
    return NULL;
}

static void counter_start(Counter *counter)
{
    if (pthread_create(&counter->thread, NULL, count, counter) != 0) {
        abort();
    }
}

static void counter_end(Counter *counter)
{
    __atomic_store_n(&counter->end, true, __ATOMIC_RELAXED);
    pthread_join(counter->thread, NULL);
    show(counter, "\n");
}

/* --- source -------------------------------------------------------------------------------------- */

static struct {
    uint64_t round, next;       /* big-endian */
} device;                       /* as it travels */

static void stop_guest(void *opaque)
{
    (void)opaque;
    __atomic_store_n(&guest.stop, true, __ATOMIC_RELAXED);
    pthread_join(guest.thread, NULL);
}

static const void *save_device(void *opaque, size_t *length)
{
    (void)opaque;
    device.round = GUINT64_TO_BE(guest.round);
    device.next = GUINT64_TO_BE(guest.next);
    *length = sizeof(device);
    return &device;
}

static int be_source(int fd)
{
    MigrationState ms = {
        .transport = migration_transport_socket(fd),
        .stop_writers = stop_guest,
        .save_devices = save_device,
        .start_postcopy = true,     /* hardly anything goes before the guest does: there is more to see */
    };
    Counter counter = { .who = "source", .faults = &ms.counters.requests, .pages = &ms.counters.sent };
    int result;

    guest_start(UINT64_MAX);
    g_usleep(2 * STEP_US);
    counter_start(&counter);
    qemu_mutex_unlock_iothread();
    result = ram_migrate_source(&ms);
    qemu_mutex_lock_iothread();
    counter_end(&counter);
    if (result != 0) {
        fprintf(stderr, "source: %s\n", error_get_pretty(ms.error));
        error_free(ms.error);
    } else {
        fprintf(stderr, "source: the guest left in round %" PRIu64 ", after %" PRIu64 " pages of it\n", guest.round,
                guest.next);
    }
    migration_transport_free(&ms.transport);
    return result == 0 && guest.wrong == 0 ? 0 : 1;
}

/* --- destination ----------------------------------------------------------------------------------- */

static bool load_device(const void *state, size_t length)
{
    if (length != sizeof(device)) {
        return false;
    }
    memcpy(&device, state, sizeof(device));
    guest.round = GUINT64_FROM_BE(device.round);
    guest.next = GUINT64_FROM_BE(device.next);
    return guest.next < guest.pages;
}

static void run_guest(void *opaque, const void *devices, size_t length)
{
    (void)opaque;
    if (!load_device(devices, length)) {
        fprintf(stderr, "destination: the guest's device has no such state\n");
        exit(1);
    }
    guest_start(guest.round + 2);
}

static int be_destination(int fd)
{
    MigrationIncomingState mis = { .transport = migration_transport_socket(fd), .run = run_guest };
    Counter counter = {
        .who = "destination", .faults = &mis.counters.faults, .pages = &mis.counters.placed,
        .zero_pages = &mis.counters.zero_placed,
    };
    int result;

    counter_start(&counter);
    qemu_mutex_unlock_iothread();
    result = ram_migrate_incoming(&mis);
    qemu_mutex_lock_iothread();
    counter_end(&counter);
    migration_transport_free(&mis.transport);
    if (result != 0) {
        /* The guest may be waiting for pages that will never come: the end of the process is its end. */
        fprintf(stderr, "destination: %s\n", error_get_pretty(mis.error));
        error_free(mis.error);
        return 1;
    }
    pthread_join(guest.thread, NULL);
    fprintf(stderr, "destination: the guest ended in round %" PRIu64 "; %" PRIu64 " of %" PRIu64 " pages were wrong\n",
            guest.round, guest.wrong, guest.pages);
    return guest.wrong == 0 ? 0 : 1;
}

/* --- sockets and processes --------------------------------------------------------------------------- */

static void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int socket_at(const char *path, struct sockaddr_un *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (fd < 0 || g_strlcpy(address->sun_path, path, sizeof(address->sun_path)) >= sizeof(address->sun_path)) {
        errno = fd < 0 ? errno : ENAMETOOLONG;
        give_up(path);
    }
    return fd;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address;
    const int fd = socket_at(path, &address);

    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1) != 0) {
        give_up(path);
    }
    return fd;
}

static int accept_one(int listener)
{
    const int fd = accept(listener, NULL, NULL);

    if (fd < 0) {
        give_up("accept");
    }
    close(listener);
    return fd;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address;
    const int fd = socket_at(path, &address);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        give_up(path);
    }
    return fd;
}

static int be_both(void)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)], path[sizeof(folder)];
    int listener, status = 0, result;
    pid_t child;

    /* A socket's path is short; where the usual folder's is too long for it there is still /tmp. */
    if (g_snprintf(path, sizeof(path), "%s/postcopy-XXXXXX/socket", g_get_tmp_dir()) >= (int)sizeof(path)) {
        g_snprintf(path, sizeof(path), "/tmp/postcopy-XXXXXX/socket");
    }
    g_strlcpy(folder, path, strlen(path) - strlen("socket"));
    if (!g_mkdtemp(folder)) {
        give_up("a temporary folder");
    }
    memcpy(path, folder, strlen(folder));
    listener = listen_at(path);
    child = fork();
    if (child < 0) {
        give_up("fork");
    }
    machine_start();
    if (child == 0) {
        exit(be_destination(accept_one(listener)));
    }
    close(listener);
    result = be_source(connect_to(path));
    waitpid(child, &status, 0);
    g_unlink(path);
    g_rmdir(folder);
    return result == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static bool host_can(void)
{
    PostcopyHostAbilities abilities;
    const int fd = postcopy_userfaultfd.open(NULL, 0, &abilities);

    if (fd >= 0) {
        postcopy_userfaultfd.close(NULL, fd);
    }
    return fd >= 0 && TARGET_PAGE_SIZE <= (uint64_t)sysconf(_SC_PAGESIZE);
}

static const char help[] =
    "usage: example_postcopy [destination PATH | source PATH]\n"
    "Moves a guest that keeps writing to another process, and counts faults and pages meanwhile.\n"
    "  (nothing)          both processes, over a socket in a temporary folder\n"
    "  destination PATH   waits at the Unix socket PATH for a guest; runs it to its end\n"
    "  source PATH        starts the guest, and sends it there after a while\n"
    "Exit status: 0 it arrived and was right, 1 it was not, 2 wrong use, 77 the host cannot do it.\n"
    "Example: example_postcopy destination /tmp/s, and in another terminal: example_postcopy source /tmp/s\n";

int main(int argc, char **argv)
{
    if (!host_can()) {
        fprintf(stderr, "postcopy: this host cannot do it, or this process may not: userfaultfd "
                "(vm.unprivileged_userfaultfd, /dev/userfaultfd)\n");
        return SKIPPED;
    }
    if (argc == 1) {
        return be_both();
    }
    if (argc == 3 && strcmp(argv[1], "destination") == 0) {
        machine_start();
        return be_destination(accept_one(listen_at(argv[2])));
    }
    if (argc == 3 && strcmp(argv[1], "source") == 0) {
        machine_start();
        return be_source(connect_to(argv[2]));
    }
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return 0;
    }
    fputs(help, stderr);
    return 2;
}
