/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux's userfaultfd, in the mode for missing pages. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "migration/postcopy-host.h"

#if defined(__linux__) && __has_include(<linux/userfaultfd.h>)
#include <linux/userfaultfd.h>

#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

/* The device first, as who may open it may also wait for faults in the kernel; never user mode only (R-PC-10). */
static int new_descriptor(void)
{
    const int flags = O_CLOEXEC | O_NONBLOCK, device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    int fd = -1;

    if (device >= 0) {
        fd = ioctl(device, USERFAULTFD_IOC_NEW, flags);
        close(device);
    }
    if (fd < 0) {
        fd = (int)syscall(__NR_userfaultfd, flags);
    }
    return fd < 0 ? -errno : fd;
}

static int host_open(void *opaque, uint64_t features, PostcopyHostAbilities *abilities)
{
    struct uffdio_api api = { .api = UFFD_API, .features = features };
    const int fd = new_descriptor();

    (void)opaque;
    if (fd < 0) {
        return fd;
    }
    if (ioctl(fd, UFFDIO_API, &api) != 0) {
        const int error = errno;

        close(fd);
        return -error;
    }
    *abilities = (PostcopyHostAbilities){ .features = api.features, .ioctls = api.ioctls };
    return fd;
}

static void host_close(void *opaque, int fd)
{
    (void)opaque;
    close(fd);
}

static int host_enroll(void *opaque, int fd, void *start, uint64_t length, uint64_t *ioctls)
{
    struct uffdio_register range = {
        .range = { .start = (uintptr_t)start, .len = length },
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };

    (void)opaque;
    if (ioctl(fd, UFFDIO_REGISTER, &range) != 0) {
        return -errno;
    }
    *ioctls = range.ioctls;
    return 0;
}

static int host_dismiss(void *opaque, int fd, void *start, uint64_t length)
{
    struct uffdio_range range = { .start = (uintptr_t)start, .len = length };

    (void)opaque;
    return ioctl(fd, UFFDIO_UNREGISTER, &range) == 0 ? 0 : -errno;
}

/* What the kernel reports back is bytes done, or -errno; with nothing done, the call's own errno. */
static int64_t outcome(int result, int64_t done)
{
    return result == 0 || done > 0 ? done : -errno;
}

static int64_t host_copy(void *opaque, int fd, void *to, const void *from, uint64_t length)
{
    struct uffdio_copy copy = { .dst = (uintptr_t)to, .src = (uintptr_t)from, .len = length };

    (void)opaque;

    const int result = ioctl(fd, UFFDIO_COPY, &copy);

    return outcome(result, copy.copy);
}

static int64_t host_zero(void *opaque, int fd, void *to, uint64_t length)
{
    struct uffdio_zeropage zero = { .range = { .start = (uintptr_t)to, .len = length } };

    (void)opaque;

    const int result = ioctl(fd, UFFDIO_ZEROPAGE, &zero);

    return outcome(result, zero.zeropage);
}

static int host_wake(void *opaque, int fd, void *start, uint64_t length)
{
    struct uffdio_range range = { .start = (uintptr_t)start, .len = length };

    (void)opaque;
    return ioctl(fd, UFFDIO_WAKE, &range) == 0 ? 0 : -errno;
}

static int host_wait(void *opaque, int fd, int quit_fd, void **address)
{
    struct pollfd waits[] = { { .fd = fd, .events = POLLIN }, { .fd = quit_fd, .events = POLLIN } };

    (void)opaque;
    for (;;) {
        struct uffd_msg message;

        if (poll(waits, 2, -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return -errno;
        }
        if (waits[0].revents & (POLLERR | POLLNVAL)) {
            return -EIO;
        }
        /* The page may have come meanwhile, which takes its message away: then there is nothing to read. */
        if (waits[0].revents && read(fd, &message, sizeof(message)) == (ssize_t)sizeof(message) &&
            message.event == UFFD_EVENT_PAGEFAULT) {
            *address = (void *)(uintptr_t)message.arg.pagefault.address;
            return 1;
        }
        if (waits[1].revents) {
            return 0;
        }
    }
}

#else

static int host_open(void *opaque, uint64_t features, PostcopyHostAbilities *abilities)
{
    (void)opaque;
    (void)features;
    (void)abilities;
    return -ENOSYS;
}

/* Nothing else is called without a descriptor. */
#define host_close NULL
#define host_enroll NULL
#define host_dismiss NULL
#define host_copy NULL
#define host_zero NULL
#define host_wake NULL
#define host_wait NULL

#endif

const PostcopyHost postcopy_userfaultfd = {
    .open = host_open,
    .close = host_close,
    .enroll = host_enroll,
    .dismiss = host_dismiss,
    .copy = host_copy,
    .zero = host_zero,
    .wake = host_wake,
    .wait = host_wait,
};
