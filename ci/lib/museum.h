/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What patches of ci/plants may say.  Every C file of a copy that bugs are put into begins with this
 * (ci/cmake/museum.cmake); no other build knows it.
 *
 *   MUSEUM_REACHED()            control is where the mistake is
 *   MUSEUM_TRIGGERED(condition) and, if the condition holds, what is done now differs from what is right
 *
 * The first time each comes true, an empty file appears: $MUSEUM_NOTES.reached, $MUSEUM_NOTES.triggered; its time
 * tells when.
 *
 * Engines must not be led there: nothing in here counts as coverage.  A condition is best written with & and | instead
 * of && and ||, which would be branches of the code under test.
 */
#ifndef CI_LIB_MUSEUM_H
#define CI_LIB_MUSEUM_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __clang__
#define MUSEUM_UNSEEN __attribute__((unused, noinline, no_sanitize("coverage")))
#else
#define MUSEUM_UNSEEN __attribute__((unused, noinline))
#endif

/* AFL++ (4.04) knows no such attribute, but does not instrument functions that are named like its own. */
#define museum_note __afl_museum_note
#define museum_passed __afl_museum_passed

static MUSEUM_UNSEEN void museum_note(const char *what, int *noted)
{
    const char *notes = getenv("MUSEUM_NOTES");
    const int error = errno;
    char path[4096];
    int fd;

    __atomic_store_n(noted, 1, __ATOMIC_RELAXED);
    if (notes && snprintf(path, sizeof(path), "%s.%s", notes, what) < (int)sizeof(path)) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd >= 0) {
            close(fd);
        }
    }
    errno = error;
}

static MUSEUM_UNSEEN void museum_passed(int triggered)
{
    static int reached_noted, triggered_noted;

    if (!__atomic_load_n(&reached_noted, __ATOMIC_RELAXED)) {
        museum_note("reached", &reached_noted);
    }
    if (triggered && !__atomic_load_n(&triggered_noted, __ATOMIC_RELAXED)) {
        museum_note("triggered", &triggered_noted);
    }
}

#define MUSEUM_REACHED() museum_passed(0)
#define MUSEUM_TRIGGERED(condition) museum_passed(!!(condition))

#endif
