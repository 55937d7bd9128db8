/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error: a message (held in a GError) and the place that raised it. */
#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/misuse.h"
#include "qapi/error.h"

struct Error {
    GError *text;
    const char *file;
    int line;
    const char *function;
};

Error *error_abort;
Error *error_fatal;

static GQuark error_domain(void)
{
    static GQuark cached;       /* atomic */
    GQuark domain = __atomic_load_n(&cached, __ATOMIC_RELAXED);

    if (!domain) {
        domain = g_quark_from_static_string("memcore");
        __atomic_store_n(&cached, domain, __ATOMIC_RELAXED);
    }
    return domain;
}

/* The two special destinations never get as far as storing. */
static void end_program_if_asked(Error **errp, const Error *error)
{
    if (errp == &error_abort) {
        fflush(NULL);
        fprintf(stderr, "memcore: unexpected error in %s() at %s:%d: %s\n", error->function, error->file,
                error->line, error->text->message);
        abort();
    }
    if (errp == &error_fatal) {
        fprintf(stderr, "memcore: %s\n", error->text->message);
        exit(1);
    }
}

static void deliver(Error **errp, Error *error)
{
    end_program_if_asked(errp, error);
    if (*errp) {
        memcore_misuse_at(error->function, "qapi/error.h", "error \"%s\" on top of another: \"%s\"",
                          error_get_pretty(error), error_get_pretty(*errp));
    }
    *errp = error;
}

static __attribute__((format(printf, 6, 0)))
void set_error(Error **errp, const char *file, int line, const char *function, int number, const char *format,
               va_list arguments)
{
    int saved_errno = errno;    /* callers report errno after storing the error */
    Error *error;

    if (!errp) {
        return;
    }
    error = g_new0(Error, 1);
    error->text = g_error_new_valist(error_domain(), number, format, arguments);
    error->file = file;
    error->line = line;
    error->function = function;
    if (number != 0) {
        char *message = g_strdup_printf("%s: %s", error->text->message, strerror(number));

        g_free(error->text->message);
        error->text->message = message;
    }
    deliver(errp, error);
    errno = saved_errno;
}

void error_setg_internal(Error **errp, const char *file, int line, const char *function, const char *format,
                         ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_error(errp, file, line, function, 0, format, arguments);
    va_end(arguments);
}

void error_setg_errno_internal(Error **errp, const char *file, int line, const char *function, int number,
                               const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_error(errp, file, line, function, number, format, arguments);
    va_end(arguments);
}

const char *error_get_pretty(const Error *error)
{
    return error->text->message;
}

Error *error_copy(const Error *error)
{
    Error *copy = g_new(Error, 1);

    *copy = *error;
    copy->text = g_error_copy(error->text);
    return copy;
}

void error_free(Error *error)
{
    if (error) {
        g_error_free(error->text);
        g_free(error);
    }
}

void error_free_or_abort(Error **errp)
{
    memcore_require(errp && *errp, "qapi/error.h", "an error was expected and there is none");
    error_free(*errp);
    *errp = NULL;
}

void error_prepend(Error *const *errp, const char *format, ...)
{
    va_list arguments;
    char *prefix;

    if (!errp || !*errp) {
        return;
    }
    va_start(arguments, format);
    prefix = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_prefix_error(&(*errp)->text, "%s", prefix);
    g_free(prefix);
}

void error_propagate(Error **errp, Error *error)
{
    if (!error) {
        return;
    }
    if (errp) {
        end_program_if_asked(errp, error);
        if (!*errp) {
            *errp = error;
            return;
        }
    }
    error_free(error);
}

void error_report_err(Error *error)
{
    fprintf(stderr, "memcore: %s\n", error->text->message);
    error_free(error);
}

void warn_report_err(Error *error)
{
    fprintf(stderr, "memcore: warning: %s\n", error->text->message);
    error_free(error);
}
