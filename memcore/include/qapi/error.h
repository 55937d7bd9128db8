/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that a person can act on.
 *
 * A function that can fail on bad input takes `Error **errp` last:
 *   NULL           the caller does not want to know
 *   &error_abort   an error here is a bug of the caller: message, then abort()
 *   &error_fatal   the program cannot go on: message, then exit(1)
 *   &pointer       (pointer is NULL before) gets the Error, which the caller frees
 */
#ifndef QAPI_ERROR_H
#define QAPI_ERROR_H

#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

extern Error *error_abort;
extern Error *error_fatal;

/* Stores a new Error with this message: no newline, no full stop at the end. */
#define error_setg(errp, ...) \
    error_setg_internal((errp), __FILE__, __LINE__, __func__, __VA_ARGS__)
/* The same, with ": " and the text of the errno value `number` added, unless it is 0. */
#define error_setg_errno(errp, number, ...) \
    error_setg_errno_internal((errp), __FILE__, __LINE__, __func__, (number), __VA_ARGS__)

void error_setg_internal(Error **errp, const char *file, int line, const char *function, const char *format,
                         ...)
    __attribute__((format(printf, 5, 6)));
void error_setg_errno_internal(Error **errp, const char *file, int line, const char *function, int number,
                               const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The message; belongs to the Error. */
const char *error_get_pretty(const Error *error);

/* The copy is the caller's. */
Error *error_copy(const Error *error);
void error_free(Error *error);                  /* accepts NULL */
/* Frees *errp and clears it; aborts if there is none: for tests that expect an error. */
void error_free_or_abort(Error **errp);

/* Puts text before the message. */
void error_prepend(Error *const *errp, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands `error` to the caller's errp, by the rules above.  NULL: nothing.  Of two errors the first wins. */
void error_propagate(Error **errp, Error *error);

/* Prints the message on stderr and frees the Error. */
void error_report_err(Error *error);
void warn_report_err(Error *error);

#pragma GCC visibility pop

#endif
