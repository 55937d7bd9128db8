/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "single_step.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

#include "threads.h"

#if !defined(__x86_64__)
#define MISSING "the trap flag is the x86's"
#elif defined(UNDER_TSAN)
#define MISSING "ThreadSanitizer's own code would be stepped, which holds its locks"
#endif

#ifdef MISSING
const char *single_step_missing(void)
{
    return MISSING;
}

uint64_t single_step(void (*run)(void), void (*between)(void))
{
    (void)between;
    run();
    return 0;
}
#else
enum { TRAP_FLAG = 0x100 };

static struct {
    void (*between)(void);
    uint64_t steps;
    volatile sig_atomic_t on;
} stepper;

/* The processor clears the flag for the handler, and the return from it sets it again. */
static void trap(int number, siginfo_t *info, void *context)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
    const int error = errno;

    (void)number;
    (void)info;
    if (!stepper.on) {
        *flags &= ~(greg_t)TRAP_FLAG;
        return;
    }
    if (*flags & TRAP_FLAG) {
        stepper.steps++;
        stepper.between();
    }
    *flags |= TRAP_FLAG;
    errno = error;
}

const char *single_step_missing(void)
{
    return NULL;
}

uint64_t single_step(void (*run)(void), void (*between)(void))
{
    struct sigaction action = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO }, before;

    sigemptyset(&action.sa_mask);
    g_assert_true(sigaction(SIGTRAP, &action, &before) == 0);
    stepper.between = between;
    stepper.steps = 0;
    stepper.on = true;
    raise(SIGTRAP);
    run();
    stepper.on = false;
    /* and the trap after that has cleared the flag */
    g_assert_true(sigaction(SIGTRAP, &before, NULL) == 0);
    return stepper.steps;
}
#endif
