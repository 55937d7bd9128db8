/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What postcopy asks of the host's kernel: that a thread which touches a missing page waits until it
 * is there (userfaultfd; R-PC 6.1 has the facts).  A table, so that tests can be the kernel.
 */
#ifndef MIGRATION_POSTCOPY_HOST_H
#define MIGRATION_POSTCOPY_HOST_H

#include <stdint.h>

#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

/* What a descriptor, or a registered range, can do: the bits of <linux/userfaultfd.h>, features and 1 << _UFFDIO_*. */
typedef struct {
    uint64_t features;
    uint64_t ioctls;
} PostcopyHostAbilities;

/* Functions return 0, or what they say, or -errno. */
typedef struct PostcopyHost {
    /* A new descriptor that asks for `features`, after the handshake; it does not block. */
    int (*open)(void *opaque, uint64_t features, PostcopyHostAbilities *abilities);
    void (*close)(void *opaque, int fd);
    /* Missing pages of the range make threads wait, until unregister; `ioctls` for the range. */
    int (*enroll)(void *opaque, int fd, void *start, uint64_t length, uint64_t *ioctls);
    int (*dismiss)(void *opaque, int fd, void *start, uint64_t length);
    /* Fills missing pages and wakes who waits; returns the bytes done, which may be fewer.  -EEXIST: not missing. */
    int64_t (*copy)(void *opaque, int fd, void *to, const void *from, uint64_t length);
    int64_t (*zero)(void *opaque, int fd, void *to, uint64_t length);
    int (*wake)(void *opaque, int fd, void *start, uint64_t length);
    /*
     * The next place that a thread waits at: 1 and *address; 0: there is none, and quit_fd, an eventfd or a
     * transport's descriptor, can be read.  NULL: nobody looks for faults, and postcopy_ram_fault() is called instead.
     */
    int (*wait)(void *opaque, int fd, int quit_fd, void **address);
    void *opaque;
} PostcopyHost;

/* Linux's userfaultfd. */
extern const PostcopyHost postcopy_userfaultfd;

/* For tests, while no migration is active.  NULL: postcopy_userfaultfd, the default.  Not copied. */
void postcopy_set_host(const PostcopyHost *host);

/*
 * What the fault thread does for a thread that waits at `address` (R-PC-21, R-PC-22).  0; or -errno, and the
 * migration has failed.  Any thread, while one is listening.
 */
int postcopy_ram_fault(MigrationIncomingState *mis, void *address);

#pragma GCC visibility pop

#endif
