/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked into every program of a tree that measures coverage: counters are also
 * written where a program ends by _exit() or abort().  Most misuse is tested by
 * children that end so; without this its code would count as never executed.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef MEMCORE_COVERAGE_MCDC
int __llvm_profile_write_file(void);
static void write_counters(void)
{
    (void)__llvm_profile_write_file();
}
#else
void __gcov_dump(void);
static void write_counters(void)
{
    __gcov_dump();
}
#endif

/* In place of libc's, for calls from the program itself. */
void _exit(int status)
{
    write_counters();
    syscall(SYS_exit_group, status);
    __builtin_unreachable();
}

/* abort() kills by the default action after the handler has returned. */
static void on_abort(int number)
{
    (void)number;
    write_counters();
}

__attribute__((constructor)) static void catch_abort(void)
{
    struct sigaction action = { .sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND };

    sigaction(SIGABRT, &action, NULL);
}
