/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mutexes. */
#ifndef QEMU_THREAD_H
#define QEMU_THREAD_H

#include <pthread.h>

#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

struct QemuMutex {
    /* private: */
    pthread_mutex_t lock;
};

/* VERIFY builds notice who unlocks what he did not lock, or locks it again: it is misuse. */
#if defined(MEMCORE_VERIFY) && defined(PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP)
#define QEMU_MUTEX_INITIALIZER { .lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP }
#else
#define QEMU_MUTEX_INITIALIZER { .lock = PTHREAD_MUTEX_INITIALIZER }
#endif

/* None of these can fail on a live mutex; where the system says otherwise they abort. */
void qemu_mutex_init(QemuMutex *mutex);
void qemu_mutex_destroy(QemuMutex *mutex);
void qemu_mutex_lock(QemuMutex *mutex);
int qemu_mutex_trylock(QemuMutex *mutex);   /* 0 if locked now, else -EBUSY */
void qemu_mutex_unlock(QemuMutex *mutex);

#pragma GCC visibility pop

#endif
