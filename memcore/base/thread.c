/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/misuse.h"
#include "qemu/thread.h"

void qemu_mutex_init(QemuMutex *mutex)
{
    pthread_mutexattr_t attributes;
    int error;

    pthread_mutexattr_init(&attributes);
#ifdef MEMCORE_VERIFY
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
#endif
    error = pthread_mutex_init(&mutex->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    memcore_require(error == 0, "qemu/thread.h", "pthread_mutex_init failed with error %d", error);
}

void qemu_mutex_destroy(QemuMutex *mutex)
{
    int error = pthread_mutex_destroy(&mutex->lock);

    memcore_require(error == 0, "qemu/thread.h", "the mutex is in use (error %d)", error);
}

void qemu_mutex_lock(QemuMutex *mutex)
{
    int error = pthread_mutex_lock(&mutex->lock);

    memcore_require(error == 0, "qemu/thread.h", "pthread_mutex_lock failed with error %d", error);
}

int qemu_mutex_trylock(QemuMutex *mutex)
{
    int error = pthread_mutex_trylock(&mutex->lock);

    memcore_require(error == 0 || error == EBUSY, "qemu/thread.h",
                    "pthread_mutex_trylock failed with error %d", error);
    return -error;
}

void qemu_mutex_unlock(QemuMutex *mutex)
{
    int error = pthread_mutex_unlock(&mutex->lock);

    memcore_require(error == 0, "qemu/thread.h", "pthread_mutex_unlock failed with error %d", error);
}
