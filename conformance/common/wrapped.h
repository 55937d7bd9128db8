/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of the host that go through a program (linked with --wrap=NAME): a case says what differs, the rest is the
 * host's own, by __real_NAME.
 *
 *     WRAPPED(int, fsync, int fd)
 *     {
 *         return host.fsync_fails ? failed(host.fsync_fails) : __real_fsync(fd);
 *     }
 */
#ifndef CONFORMANCE_WRAPPED_H
#define CONFORMANCE_WRAPPED_H

#include <errno.h>
#include <stdarg.h>
#include <sys/types.h>

#define WRAPPED(type, name, ...) \
    type __real_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)

/* open: the body sees `path`, `flags` and, whether it means something or not, `mode`. */
#define WRAPPED_OPEN \
    int __real_open(const char *path, int flags, ...); \
    int __wrap_open(const char *path, int flags, ...); \
    static int wrapped_open(const char *path, int flags, mode_t mode); \
    int __wrap_open(const char *path, int flags, ...) \
    { \
        va_list arguments; \
        va_start(arguments, flags); \
        const mode_t mode = va_arg(arguments, mode_t); \
        va_end(arguments); \
        return wrapped_open(path, flags, mode); \
    } \
    static int wrapped_open(const char *path, int flags, mode_t mode)

/* syscall: the body sees `number` and `a`, six arguments of which it knows how many there are. */
#define WRAPPED_SYSCALL \
    long __real_syscall(long number, ...); \
    long __wrap_syscall(long number, ...); \
    static long wrapped_syscall(long number, const long *a); \
    long __wrap_syscall(long number, ...) \
    { \
        va_list arguments; \
        long a[6]; \
        va_start(arguments, number); \
        for (unsigned i = 0; i < 6; i++) { \
            a[i] = va_arg(arguments, long); \
        } \
        va_end(arguments); \
        return wrapped_syscall(number, a); \
    } \
    static long wrapped_syscall(long number, const long *a)
#define real_syscall(number, a) __real_syscall(number, (a)[0], (a)[1], (a)[2], (a)[3], (a)[4], (a)[5])

/* What a call gives that fails. */
static inline int failed(int number)
{
    errno = number;
    return -1;
}

#endif
