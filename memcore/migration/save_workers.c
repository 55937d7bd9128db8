/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "migration/save_workers.h"

#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

enum { QUEUE = 64 };            /* jobs that wait */

struct SaveWorkers {
    SaveWork work;
    void *opaque;
    unsigned count;
    pthread_t threads[SAVE_WORKERS_MAX];
    /* under the mutex */
    pthread_mutex_t mutex;
    pthread_cond_t wanted;      /* there is a job, or the end */
    pthread_cond_t progress;    /* there is room, or nothing is left */
    SaveJob queue[QUEUE];
    unsigned first, waiting, running;
    int error;
    bool end;
};

static void *run(void *opaque)
{
    SaveWorkers *workers = opaque;

    pthread_mutex_lock(&workers->mutex);
    for (;;) {
        SaveJob job;
        int result;

        while (!workers->waiting && !workers->end) {
            pthread_cond_wait(&workers->wanted, &workers->mutex);
        }
        if (!workers->waiting) {
            break;
        }
        job = workers->queue[workers->first];
        workers->first = (workers->first + 1) % QUEUE;
        workers->waiting--;
        workers->running++;
        result = workers->error;
        pthread_cond_signal(&workers->progress);
        pthread_mutex_unlock(&workers->mutex);
        result = result < 0 ? result : workers->work(workers->opaque, &job);
        pthread_mutex_lock(&workers->mutex);
        workers->error = workers->error < 0 ? workers->error : result;
        workers->running--;
        if (!workers->waiting && !workers->running) {
            pthread_cond_signal(&workers->progress);
        }
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

int save_workers_new(SaveWorkers **result, unsigned count, SaveWork work, void *opaque)
{
    SaveWorkers *workers = g_new0(SaveWorkers, 1);
    sigset_t all, before;

    workers->work = work;
    workers->opaque = opaque;
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->wanted, NULL);
    pthread_cond_init(&workers->progress, NULL);
    /* Signals are the embedding program's threads' to handle. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; workers->count < count; workers->count++) {
        const int error = pthread_create(&workers->threads[workers->count], NULL, run, workers);

        if (error) {
            pthread_sigmask(SIG_SETMASK, &before, NULL);
            save_workers_free(workers);
            return -error;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *result = workers;
    return 0;
}

int save_workers_submit(SaveWorkers *workers, const SaveJob *job)
{
    int error;

    if (workers->count == 0) {
        workers->error = workers->error < 0 ? workers->error : workers->work(workers->opaque, job);
        return workers->error;
    }
    pthread_mutex_lock(&workers->mutex);
    while (workers->waiting == QUEUE) {
        pthread_cond_wait(&workers->progress, &workers->mutex);
    }
    workers->queue[(workers->first + workers->waiting++) % QUEUE] = *job;
    error = workers->error;
    pthread_cond_signal(&workers->wanted);
    pthread_mutex_unlock(&workers->mutex);
    return error;
}

int save_workers_drain(SaveWorkers *workers)
{
    int error;

    pthread_mutex_lock(&workers->mutex);
    while (workers->waiting || workers->running) {
        pthread_cond_wait(&workers->progress, &workers->mutex);
    }
    error = workers->error;
    pthread_mutex_unlock(&workers->mutex);
    return error;
}

void save_workers_free(SaveWorkers *workers)
{
    if (!workers) {
        return;
    }
    pthread_mutex_lock(&workers->mutex);
    workers->end = true;
    pthread_cond_broadcast(&workers->wanted);
    pthread_mutex_unlock(&workers->mutex);
    for (unsigned i = 0; i < workers->count; i++) {
        pthread_join(workers->threads[i], NULL);
    }
    pthread_mutex_destroy(&workers->mutex);
    pthread_cond_destroy(&workers->wanted);
    pthread_cond_destroy(&workers->progress);
    g_free(workers);
}
