/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wake-up that crosses threads and processes: an eventfd. */
#ifndef QEMU_EVENT_NOTIFIER_H
#define QEMU_EVENT_NOTIFIER_H

#include <stdbool.h>

#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

struct EventNotifier {
    /* private: both name the same eventfd, -1 when there is none */
    int rfd;
    int wfd;
    bool initialized;
};

/* Opens a non-blocking, close-on-exec eventfd, signalled already if `active`.  0, or -errno and no fd. */
int event_notifier_init(EventNotifier *notifier, int active);

/* Takes over an eventfd that somebody else opened; cleanup will close it. */
void event_notifier_init_fd(EventNotifier *notifier, int fd);

/* Closes the fd; harmless on a notifier that was cleaned up already. */
void event_notifier_cleanup(EventNotifier *notifier);

/* The fd to poll for reading; owned by the notifier. */
int event_notifier_get_fd(const EventNotifier *notifier);

/* Signals.  Signals that nobody has taken yet add up to one.  0 or -errno. */
int event_notifier_set(EventNotifier *notifier);

/* Takes the signal: 1 if there was one, else 0.  Never blocks. */
int event_notifier_test_and_clear(EventNotifier *notifier);

#pragma GCC visibility pop

#endif
