/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fault.h"
#include "qemu/event_notifier.h"

int event_notifier_init(EventNotifier *notifier, int active)
{
    int fd = memcore_fault(MEMCORE_FAULT_EVENTFD) ? -1 : eventfd(active ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0) {
        notifier->rfd = notifier->wfd = -1;
        notifier->initialized = false;
        return -errno;
    }
    event_notifier_init_fd(notifier, fd);
    return 0;
}

void event_notifier_init_fd(EventNotifier *notifier, int fd)
{
    notifier->rfd = fd;
    notifier->wfd = fd;
    notifier->initialized = true;
}

void event_notifier_cleanup(EventNotifier *notifier)
{
    if (!notifier->initialized) {
        return;
    }
    close(notifier->rfd);
    notifier->rfd = notifier->wfd = -1;
    notifier->initialized = false;
}

int event_notifier_get_fd(const EventNotifier *notifier)
{
    return notifier->rfd;
}

int event_notifier_set(EventNotifier *notifier)
{
    static const uint64_t one = 1;
    ssize_t written;

    if (!notifier->initialized) {
        return -EBADF;
    }
    do {
        written = write(notifier->wfd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);

    /* EAGAIN: the counter is full, so the signal is there already */
    if (written < 0 && errno != EAGAIN) {
        return -errno;
    }
    return 0;
}

int event_notifier_test_and_clear(EventNotifier *notifier)
{
    uint64_t count = 0;
    ssize_t got;

    if (!notifier->initialized) {
        return 0;
    }
    do {
        got = read(notifier->rfd, &count, sizeof(count));
    } while (got < 0 && errno == EINTR);
    return got == sizeof(count) && count > 0;
}
