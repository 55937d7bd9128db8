/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The base on a host whose calls fail or are interrupted; the core's calls go through here (--wrap). */
#include "common/conformance.h"
#include "common/wrapped.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/ramlist.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"

static struct {
    int mutex_result;               /* of every call, instead of it */
    unsigned interrupted;           /* reads and writes of eight bytes, so many times */
    bool silent;                    /* nothing can be written */
    bool full;                      /* nothing is written, and that is no error */
    bool slow;                      /* what is written goes out byte by byte */
} host;

WRAPPED(int, pthread_mutex_init, pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    return host.mutex_result ? host.mutex_result : __real_pthread_mutex_init(mutex, attributes);
}

WRAPPED(int, pthread_mutex_lock, pthread_mutex_t *mutex)
{
    return host.mutex_result ? host.mutex_result : __real_pthread_mutex_lock(mutex);
}

WRAPPED(int, pthread_mutex_trylock, pthread_mutex_t *mutex)
{
    return host.mutex_result ? host.mutex_result : __real_pthread_mutex_trylock(mutex);
}

WRAPPED(int, pthread_mutex_unlock, pthread_mutex_t *mutex)
{
    return host.mutex_result ? host.mutex_result : __real_pthread_mutex_unlock(mutex);
}

static bool interrupted(size_t length)
{
    if (length != sizeof(uint64_t) || host.interrupted == 0) {
        return false;
    }
    host.interrupted--;
    errno = EINTR;
    return true;
}

WRAPPED(ssize_t, read, int fd, void *to, size_t length)
{
    return interrupted(length) ? -1 : __real_read(fd, to, length);
}

WRAPPED(ssize_t, write, int fd, const void *from, size_t length)
{
    if (interrupted(length) || (host.silent && fd == STDERR_FILENO)) {
        return -1;
    }
    if (host.full && fd == STDERR_FILENO) {
        return 0;
    }
    return __real_write(fd, from, host.slow && fd == STDERR_FILENO ? 1 : length);
}

/* ---- mutexes ---- */

static QemuMutex mutex;

#define FAILING(name, ...) static void name(void) { host.mutex_result = EINVAL; __VA_ARGS__; }
FAILING(init_fails, qemu_mutex_init(&mutex))
FAILING(lock_fails, qemu_mutex_lock(&mutex))
FAILING(trylock_fails, qemu_mutex_trylock(&mutex))
FAILING(unlock_fails, qemu_mutex_unlock(&mutex))

/* ---- eventfds ---- */

static void no_notifier(void)
{
    EventNotifier notifier;

    host_refuses(MEMCORE_FAULT_EVENTFD, EMFILE);
    check_number((uint64_t)event_notifier_init(&notifier, 0), (uint64_t)-EMFILE);
    host_agrees();
    check_number((uint64_t)event_notifier_get_fd(&notifier), (uint64_t)-1);
    check_number((uint64_t)event_notifier_set(&notifier), (uint64_t)-EBADF);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 0);
    event_notifier_cleanup(&notifier);
}

static void interrupted_notifier(void)
{
    EventNotifier notifier;

    check_number((uint64_t)event_notifier_init(&notifier, 0), 0);
    host.interrupted = 2;
    check_number((uint64_t)event_notifier_set(&notifier), 0);
    check_number(host.interrupted, 0);
    host.interrupted = 3;
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 1);
    check_number(host.interrupted, 0);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 0);
    event_notifier_cleanup(&notifier);
}

/* A descriptor of the caller's that has something to read, but no signal. */
static void notifier_without_signal(void)
{
    static const uint64_t zero;
    EventNotifier notifier;
    int fd = memfd_create("zero", MFD_CLOEXEC);

    g_assert_true(write(fd, &zero, sizeof(zero)) == sizeof(zero));
    lseek(fd, 0, SEEK_SET);
    event_notifier_init_fd(&notifier, fd);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 0);
    event_notifier_cleanup(&notifier);
}

/* Nothing to read is no reason to wait, whatever errno is left from before; and 0 is a descriptor like any other. */
static void notifier_at_the_end_of_a_file(void)
{
    const int input = dup(STDIN_FILENO);
    EventNotifier notifier;

    event_notifier_init_fd(&notifier, memfd_create("empty", MFD_CLOEXEC));
    errno = EINTR;
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 0);
    event_notifier_cleanup(&notifier);

    close(STDIN_FILENO);
    check_number((uint64_t)event_notifier_init(&notifier, 1), 0);
    check_number((uint64_t)event_notifier_get_fd(&notifier), STDIN_FILENO);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 1);
    event_notifier_cleanup(&notifier);
    check(fcntl(STDIN_FILENO, F_GETFD) < 0);
    dup2(input, STDIN_FILENO);
    close(input);
}

/* ---- what is printed ---- */

static void long_name(void)
{
    char *name = g_strnfill(5000, 'x');

    memory_region_get_ram_ptr(stage_io(name, 1));
}

/* Misuse ends the program whether it can be told or not. */
static void cannot_be_told(void)
{
    if (g_test_subprocess()) {
        host.silent = true;
        qemu_mutex_lock_iothread();
        _exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("");
}

static void give_up(int number)
{
    (void)number;
    _exit(0);       /* which is no failure */
}

static void nothing_is_written(void)
{
    if (g_test_subprocess()) {
        signal(SIGALRM, give_up);
        alarm(20);
        host.full = true;
        qemu_mutex_lock_iothread();
        _exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("");
}

/* What the program said before comes out before. */
static void said_before(void)
{
    if (g_test_subprocess()) {
        printf("said before");
        qemu_mutex_lock_iothread();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stdout("*said before*");
    g_test_trap_assert_stderr("memcore: qemu_mutex_lock_iothread: *\n");
}

static void told_slowly(void)
{
    host.slow = true;
    qemu_mutex_lock_iothread();
}

/* What a terminal would take for itself, up to the last such byte and no further. */
static void strange_name(void)
{
    memory_region_get_ram_ptr(stage_io("\x01\x1f\x20~\x7f", 1));
}

static void to_stdout(void)
{
    if (g_test_subprocess()) {
        memcore_set_print(NULL, NULL);
        ram_block_dump(NULL);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*Block Name*Total*");
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    qemu_mutex_init(&mutex);
    conformance_misuse("/base/thread/init-fails", init_fails, "qemu_mutex_init", "22");
    conformance_misuse("/base/thread/lock-fails", lock_fails, "qemu_mutex_lock", "22");
    conformance_misuse("/base/thread/trylock-fails", trylock_fails, "qemu_mutex_trylock", "22");
    conformance_misuse("/base/thread/unlock-fails", unlock_fails, "qemu_mutex_unlock", "22");
    conformance_case("/base/eventfd/none", no_notifier);
    conformance_case("/base/eventfd/interrupted", interrupted_notifier);
    conformance_case("/base/eventfd/no-signal", notifier_without_signal);
    conformance_case("/base/eventfd/end-of-a-file", notifier_at_the_end_of_a_file);
    conformance_misuse("/R-RAM-24/long-name", long_name, "memory_region_get_ram_ptr", "xxxxxxxxxx*(R-RAM-24)");
    conformance_case("/base/misuse/cannot-be-told", cannot_be_told);
    conformance_case("/base/misuse/nothing-is-written", nothing_is_written);
    conformance_case("/base/misuse/said-before", said_before);
    conformance_misuse("/base/misuse/told-slowly", told_slowly, "qemu_mutex_lock_iothread",
                       "this thread holds the big lock already (qemu/main-loop.h)");
    conformance_misuse("/R-RAM-24/strange-bytes", strange_name, "memory_region_get_ram_ptr",
                       "'?x01?x1f ~?x7f'*(R-RAM-24)");
    conformance_case("/base/print/stdout", to_stdout);
    return g_test_run();
}
