/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The big lock and threads, errors, notifiers, bottom halves, eventfds, 128-bit numbers, settings. */
#include "common/conformance.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qemu/int128.h"
#include "qemu/main-loop.h"
#include "qemu/notify.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"

/* ---- the big lock, threads ---- */

static void *be_a_thread(void *opaque)
{
    bool *held = opaque;

    memcore_thread_register();
    memcore_thread_register();          /* once more does nothing */
    held[0] = qemu_mutex_iothread_locked();
    qemu_mutex_lock_iothread();
    held[1] = qemu_mutex_iothread_locked();
    qemu_mutex_unlock_iothread();
    memcore_thread_unregister();
    return NULL;
}

static void big_lock_and_threads(void)
{
    bool held[2] = { true, false };
    pthread_t thread;

    check(qemu_mutex_iothread_locked());
    qemu_mutex_unlock_iothread();
    check(!qemu_mutex_iothread_locked());
    g_assert_true(pthread_create(&thread, NULL, be_a_thread, held) == 0);
    pthread_join(thread, NULL);
    qemu_mutex_lock_iothread();
    check(!held[0]);
    check(held[1]);
}

/* What AFL++'s fork server does: the child has the lock that its parent's thread had. */
static void a_child_has_the_big_lock(void)
{
    int status = 0;
    const pid_t child = fork();

    g_assert_true(child >= 0);
    if (child == 0) {
        qemu_mutex_unlock_iothread();
        qemu_mutex_lock_iothread();
        _exit(qemu_mutex_iothread_locked() ? 0 : 1);
    }
    g_assert_true(waitpid(child, &status, 0) == child);
    check_number((uint64_t)status, 0);
    check(qemu_mutex_iothread_locked());
}

static void mutexes(void)
{
    QemuMutex mutex;

    qemu_mutex_init(&mutex);
    check_number((uint64_t)qemu_mutex_trylock(&mutex), 0);
    check_number((uint64_t)(int64_t)qemu_mutex_trylock(&mutex), (uint64_t)-EBUSY);
    qemu_mutex_unlock(&mutex);
    qemu_mutex_lock(&mutex);
    qemu_mutex_unlock(&mutex);
    qemu_mutex_destroy(&mutex);
}

static void read_sections_nest(void)
{
    check(!rcu_read_ongoing());
    {
        RCU_READ_LOCK_GUARD();
        rcu_read_lock();
        rcu_read_unlock();
        check(rcu_read_ongoing());
    }
    check(!rcu_read_ongoing());
    WITH_RCU_READ_LOCK_GUARD() {
        check(rcu_read_ongoing());
    }
    check(!rcu_read_ongoing());
}

/* ---- errors ---- */

static void set_none(Error **errp)
{
    (void)errp;
}

static void errors(void)
{
    Error *error = NULL, *copy, *second = NULL;

    set_none(&error);
    check(error == NULL);
    errno = ENOSPC;
    error_setg(&error, "no %s", "luck");
    check_number((uint64_t)errno, ENOSPC);
    g_assert_cmpstr(error_get_pretty(error), ==, "no luck");
    copy = error_copy(error);
    error_prepend(&error, "%s%%s: ", "today ");
    g_assert_cmpstr(error_get_pretty(error), ==, "today %s: no luck");
    g_assert_cmpstr(error_get_pretty(copy), ==, "no luck");
    error_prepend(NULL, "nobody");
    error_prepend(&second, "nobody");
    error_propagate(&second, copy);
    check(second == copy);
    error_propagate(&second, error_copy(error));        /* of two the first wins */
    check(second == copy);
    error_propagate(NULL, second);
    error_propagate(&error, NULL);
    error_free(error);
    error_free(NULL);
    error = NULL;
    error_setg(NULL, "nobody listens");
    error_setg_errno(&error, ENOENT, "file \"%s\"", "x");
    g_assert_cmpstr(error_get_pretty(error), ==, "file \"x\": No such file or directory");
    error_free_or_abort(&error);
    check(error == NULL);
    error_setg_errno(&error, 0, "no number");
    g_assert_cmpstr(error_get_pretty(error), ==, "no number");
    error_free_or_abort(&error);
}

/* What ends the program, and what is only printed. */
static void errors_are_told(void)
{
    if (g_test_subprocess()) {
        Error *error = NULL;

        error_setg(&error, "one");
        error_report_err(error);
        error = NULL;
        error_setg(&error, "two");
        warn_report_err(error);
        error_setg(&error_fatal, "three");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("memcore: one\nmemcore: warning: two\nmemcore: three\n");
}

static void error_abort_aborts(void)
{
    if (g_test_subprocess()) {
        Error *error = NULL;

        printf("said before");          /* nobody but error_abort gets it out of stdio's buffer */
        error_setg(&error, "surprise");
        error_propagate(&error_abort, error_copy(error));       /* which says where the first came from */
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stdout("*said before*");
    g_test_trap_assert_stderr("memcore: unexpected error in error_abort_aborts() at *services.c:*: surprise\n");
}

/* ---- notifiers, bottom halves, eventfds ---- */

typedef struct {
    Notifier notifier;
    char letter;
    bool leaves;
} Letter;

static void write_letter(Notifier *notifier, void *data)
{
    Letter *letter = (Letter *)notifier;

    g_string_append_c(data, letter->letter);
    if (letter->leaves) {
        notifier_remove(notifier);
    }
}

static void notifiers(void)
{
    Letter a = { { .notify = write_letter }, 'a', false }, b = { { .notify = write_letter }, 'b', true },
           c = { { .notify = write_letter }, 'c', false };
    NotifierList list, ready = NOTIFIER_LIST_INITIALIZER(ready);
    GString *text = g_string_new(NULL);

    notifier_list_init(&list);
    check(notifier_list_empty(&list));
    check(notifier_list_empty(&ready));
    notifier_list_notify(&list, text);
    notifier_list_add(&list, &a.notifier);
    notifier_list_add(&list, &b.notifier);
    notifier_list_add(&list, &c.notifier);
    check(!notifier_list_empty(&list));
    notifier_list_notify(&list, text);
    notifier_list_notify(&list, text);
    g_assert_cmpstr(text->str, ==, "cbaca");
    notifier_remove(&a.notifier);
    notifier_remove(&c.notifier);
    check(notifier_list_empty(&list));
    g_string_free(text, TRUE);
}

static struct {
    unsigned calls, wakes;
    QEMUBH *again, *victim;
} halves;

static void count_call(void *opaque)
{
    ++*(unsigned *)opaque;
    if (halves.again) {
        qemu_bh_schedule(halves.again);
    }
    if (halves.victim) {
        qemu_bh_delete(halves.victim);
        halves.victim = NULL;
    }
}

static void bottom_halves(void)
{
    QEMUBH *one = qemu_bh_new(count_call, &halves.calls), *two = qemu_bh_new(count_call, &halves.calls);

    check_number(memcore_run_bottom_halves(), 0);
    memcore_set_wake(count_call, &halves.wakes);
    qemu_bh_schedule(one);
    qemu_bh_schedule(one);              /* once, however often */
    check_number(halves.wakes, 1);
    qemu_bh_schedule(two);
    check_number(halves.wakes, 2);
    memcore_set_wake(NULL, NULL);
    check_number(memcore_run_bottom_halves(), 2);
    check_number(halves.calls, 2);
    /* What one schedules waits for the next run; what it deletes does not run. */
    halves.again = one;
    qemu_bh_schedule(one);
    check_number(memcore_run_bottom_halves(), 1);
    halves.again = NULL;
    halves.victim = two;
    qemu_bh_schedule(two);
    check_number(memcore_run_bottom_halves(), 1);
    check_number(halves.calls, 4);
    qemu_bh_schedule(one);
    qemu_bh_delete(one);
    check_number(memcore_run_bottom_halves(), 0);
}

static void eventfds(void)
{
    EventNotifier notifier, full;

    g_assert_cmpint(event_notifier_init(&notifier, 1), ==, 0);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 1);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 0);
    g_assert_cmpint(event_notifier_set(&notifier), ==, 0);
    g_assert_cmpint(event_notifier_set(&notifier), ==, 0);
    check(event_notifier_get_fd(&notifier) >= 0);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 1);        /* signals add up to one */
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 0);
    event_notifier_cleanup(&notifier);
    event_notifier_cleanup(&notifier);
    g_assert_cmpint(event_notifier_set(&notifier), ==, -EBADF);
    check_number((uint64_t)event_notifier_test_and_clear(&notifier), 0);
    check_number((uint64_t)(int64_t)event_notifier_get_fd(&notifier), UINT64_MAX);

    /* A counter that is full is a signal that is there; a closed fd is an error. */
    event_notifier_init_fd(&full, eventfd(0, EFD_NONBLOCK));
    g_assert_true(write(event_notifier_get_fd(&full), &(uint64_t){ UINT64_MAX - 1 }, 8) == 8);
    g_assert_cmpint(event_notifier_set(&full), ==, 0);
    check_number((uint64_t)event_notifier_test_and_clear(&full), 1);
    close(event_notifier_get_fd(&full));
    g_assert_cmpint(event_notifier_set(&full), ==, -EBADF);

    host_refuses(MEMCORE_FAULT_EVENTFD, EMFILE);
    g_assert_cmpint(event_notifier_init(&notifier, 0), ==, -EMFILE);
    host_agrees();
    check_number((uint64_t)(int64_t)event_notifier_get_fd(&notifier), UINT64_MAX);
    g_assert_cmpint(event_notifier_set(&notifier), ==, -EBADF);
}

/* ---- numbers ---- */

static void wide_numbers(void)
{
    const Int128 big = int128_2_64(), minus = int128_makes64(-5);
    Int128 sum = int128_zero();

    check(big == int128_lshift(int128_one(), 64));
    check(int128_rshift(big, 60) == 16);
    check(int128_rshift(minus, 1) == -3);
    check(int128_urshift(minus, 127) == 1);
    check(int128_add(big, minus) == (Int128)UINT64_MAX - 4);
    check(int128_sub(minus, big) == -(big + 5));
    check(int128_neg(minus) == 5);
    check(int128_not(0) == -1);
    check(int128_and(big | 3, 1) == 1 && int128_or(big, 1) == big + 1 && int128_xor(big, big) == 0);
    check(int128_nonneg(0) && !int128_nonneg(minus));
    check(int128_nz(minus) && !int128_nz(0));
    check(int128_lt(minus, 0) && int128_le(0, 0) && int128_gt(big, minus) && int128_ge(0, minus));
    check(int128_eq(big, big) && int128_ne(big, minus));
    check(int128_ult(big, minus) && int128_uge(minus, big));
    check(int128_min(big, minus) == minus && int128_max(big, minus) == big);
    check(int128_min(minus, big) == minus && int128_max(minus, big) == big);
    check_number(int128_getlo(minus), UINT64_MAX - 4);
    check_number((uint64_t)int128_gethi(minus), UINT64_MAX);
    check_number((uint64_t)int128_gethi(big), 1);
    check(int128_make128(7, 1) == big + 7);
    check(int128_exts64(-1) == -1 && int128_make64(UINT64_MAX) == (Int128)UINT64_MAX);
    check_number(int128_get64(int128_make64(UINT64_MAX)), UINT64_MAX);
    int128_addto(&sum, big);
    int128_subfrom(&sum, 1);
    check_number(int128_get64(sum), UINT64_MAX);
}

/* ---- misuse ---- */

static void init_twice(void) { memcore_init(MEMCORE_RECLAIM_BACKGROUND); }
static void lock_twice(void) { qemu_mutex_lock_iothread(); }
static void number_too_large(void) { int128_get64(int128_2_64()); }
static void number_negative(void) { int128_get64(-1); }
static void bh_without_function(void) { qemu_bh_new(NULL, NULL); }

static void unlock_twice(void)
{
    qemu_mutex_unlock_iothread();
    qemu_mutex_unlock_iothread();
}

static void unregister_with_the_lock(void) { memcore_thread_unregister(); }

static void unregister_in_a_read_section(void)
{
    qemu_mutex_unlock_iothread();
    rcu_read_lock();
    memcore_thread_unregister();
}

static void unregister_twice(void)
{
    qemu_mutex_unlock_iothread();
    memcore_thread_unregister();
    memcore_thread_unregister();
}

static void error_on_top(void)
{
    Error *error = NULL;

    error_setg(&error, "first");
    error_setg(&error, "second");
}

static void error_expected(void)
{
    Error *error = NULL;

    error_free_or_abort(&error);
}

static void error_expected_nowhere(void) { error_free_or_abort(NULL); }

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
/* Mutexes are misused below, and memcore is to say so first, in a line of its own. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "report_mutex_bugs=0 report_destroy_locked=0";
}
#endif
#endif

static void destroy_a_locked_mutex(void)
{
    QemuMutex mutex;

    qemu_mutex_init(&mutex);
    qemu_mutex_lock(&mutex);
    qemu_mutex_destroy(&mutex);
}

#ifdef MEMCORE_VERIFY
static void lock_a_mutex_twice(void)
{
    static QemuMutex mutex = QEMU_MUTEX_INITIALIZER;

    qemu_mutex_lock(&mutex);
    qemu_mutex_lock(&mutex);
}

static void unlock_what_is_not_locked(void)
{
    QemuMutex mutex;

    qemu_mutex_init(&mutex);
    qemu_mutex_unlock(&mutex);
}
#endif

static void without_the_lock(void (*call)(void))
{
    qemu_mutex_unlock_iothread();
    call();
}

static void set_wake(void) { memcore_set_wake(NULL, NULL); }
static void set_print(void) { memcore_set_print(NULL, NULL); }
static void set_vm_running(void) { memcore_set_vm_running(true); }
static void set_flush(void) { memcore_set_coalesced_flush(NULL, NULL); }
static void set_tracking(void) { memcore_set_code_tracking(true); }
static void set_invalidate(void) { memcore_set_code_invalidate(NULL, NULL); }
static void set_compat(void) { memcore_set_collapse_compat(true); }
static void run_halves(void) { memcore_run_bottom_halves(); }

static void wake_without(void) { without_the_lock(set_wake); }
static void print_without(void) { without_the_lock(set_print); }
static void vm_running_without(void) { without_the_lock(set_vm_running); }
static void flush_without(void) { without_the_lock(set_flush); }
static void tracking_without(void) { without_the_lock(set_tracking); }
static void invalidate_without(void) { without_the_lock(set_invalidate); }
static void compat_without(void) { without_the_lock(set_compat); }
static void halves_without(void) { without_the_lock(run_halves); }

static void set_fault(void) { memcore_set_fault(NULL, NULL); }
static void fault_without(void) { without_the_lock(set_fault); }
static void drain_without(void) { without_the_lock(memcore_drain); }

static void drain_in_a_read_section(void)
{
    rcu_read_lock();
    memcore_drain();
}

static void drain_again(void *opaque)
{
    (void)opaque;
    memcore_drain();
}

/* The old view has the last reference of the region's owner. */
static void drain_in_deferred_work(void)
{
    Object *owner = stage_owner_watched("owner", drain_again, NULL);
    MemoryRegion *root = stage_container("root", 1), *io;

    stage_set_owner(owner);
    io = stage_io("io", 1);
    stage_space(root, "as");
    stage_add(root, 0, io);
    stage_del(root, io);
    stage_owner_drop(owner);
    memcore_drain();
}

static void compat_of_spaces(void)
{
    stage_space(stage_container("root", 1), "as");
    memcore_set_collapse_compat(false);     /* as it is */
    memcore_set_collapse_compat(true);
}

static void delete_half_without(void)
{
    QEMUBH *bh = qemu_bh_new(count_call, &halves.calls);

    qemu_mutex_unlock_iothread();
    qemu_bh_delete(bh);
}

#ifdef MEMCORE_VERIFY
static void fetch_outside_of_a_read_section(void)
{
    AddressSpace *as = stage_space(stage_container("root", 1), "as");

    qemu_mutex_unlock_iothread();
    rcu_read_lock();
    check(address_space_to_flatview(as) != NULL);
    rcu_read_unlock();
    address_space_to_flatview(as);
}
#endif

static void add_misuse(void)
{
    static const Misuse cases[] = {
        { "/base/lock/init-twice", init_twice, "memcore_init", "manual" },
        { "/base/lock/lock-twice", lock_twice, "qemu_mutex_lock_iothread", "holds the big lock already" },
        { "/base/lock/unlock-twice", unlock_twice, "qemu_mutex_unlock_iothread", "does not hold the big lock" },
        { "/base/thread/unregister-with-the-lock", unregister_with_the_lock, "memcore_thread_unregister", "big lock" },
        { "/base/thread/unregister-in-a-read-section", unregister_in_a_read_section, "memcore_thread_unregister",
          "read section" },
        { "/base/thread/unregister-twice", unregister_twice, "memcore_thread_unregister", "not registered" },
        { "/base/thread/destroy-a-locked-mutex", destroy_a_locked_mutex, "qemu_mutex_destroy", "the mutex is in use" },
#ifdef MEMCORE_VERIFY
        { "/base/thread/lock-a-mutex-twice", lock_a_mutex_twice, "qemu_mutex_lock", "pthread_mutex_lock failed" },
        { "/base/thread/unlock-what-is-not-locked", unlock_what_is_not_locked, "qemu_mutex_unlock",
          "pthread_mutex_unlock failed" },
        { "/base/thread/fetch-outside-of-a-read-section", fetch_outside_of_a_read_section, "address_space_to_flatview",
          "read section" },
#endif
        { "/base/error/on-top", error_on_top, "error_on_top", "first" },
        { "/base/error/expected", error_expected, "error_free_or_abort", "an error was expected" },
        { "/base/error/expected-nowhere", error_expected_nowhere, "error_free_or_abort", "an error was expected" },
        { "/base/number/too-large", number_too_large, "int128_get64", "0x10000000000000000" },
        { "/base/number/negative", number_negative, "int128_get64", "0xffffffffffffffff" },
        { "/base/bottom-half/without-function", bh_without_function, "qemu_bh_new", "no function given (NULL)" },
        { "/base/lock/wake", wake_without, "memcore_set_wake", "without the big lock" },
        { "/base/lock/print", print_without, "memcore_set_print", "without the big lock" },
        { "/base/lock/vm-running", vm_running_without, "memcore_set_vm_running", "without the big lock" },
        { "/base/lock/flush", flush_without, "memcore_set_coalesced_flush", "without the big lock" },
        { "/base/lock/code-tracking", tracking_without, "memcore_set_code_tracking", "without the big lock" },
        { "/base/lock/code-invalidate", invalidate_without, "memcore_set_code_invalidate", "without the big lock" },
        { "/base/lock/collapse", compat_without, "memcore_set_collapse_compat", "without the big lock" },
        { "/base/lock/bottom-halves", halves_without, "memcore_run_bottom_halves", "without the big lock" },
        { "/base/lock/fault", fault_without, "memcore_set_fault", "without the big lock" },
        { "/base/lock/drain", drain_without, "memcore_drain", "without the big lock" },
        { "/base/drain/read-section", drain_in_a_read_section, "memcore_drain", "read section" },
        { "/base/drain/deferred-work", drain_in_deferred_work, "memcore_drain", "deferred work" },
        { "/R-FV-10/spaces-exist", compat_of_spaces, "memcore_set_collapse_compat", "1 address spaces*(R-FV-10)" },
        { "/base/lock/bottom-half-delete", delete_half_without, "qemu_bh_delete", "without the big lock" },
    };

    conformance_misuses(cases);
}

int main(int argc, char **argv)
{
    conformance_start(&argc, &argv);
    conformance_case("/base/lock/threads", big_lock_and_threads);
    conformance_case("/base/lock/child", a_child_has_the_big_lock);
    conformance_case("/base/thread/mutexes", mutexes);
    conformance_case("/base/thread/read-sections", read_sections_nest);
    conformance_case("/base/error/values", errors);
    conformance_case("/base/error/told", errors_are_told);
    conformance_case("/base/error/abort", error_abort_aborts);
    conformance_case("/base/notifier/list", notifiers);
    conformance_case("/base/bottom-half/runs", bottom_halves);
    conformance_case("/base/eventfd/signals", eventfds);
    conformance_case("/base/number/arithmetic", wide_numbers);
    add_misuse();
    return g_test_run();
}
