/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the destination says to the source: requests, and how it ended (R-PC-44, R-WIRE-2). */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "migration/poll_budget.h"
#include "migration/postcopy_incoming.h"
#include "migration/postcopy_source.h"
#include "migration/postcopy_wire.h"
#include "migration/stream_reader.h"
#include "qemu/bswap.h"

/* Needs the mutex. */
static void fail_locked(MigrationState *ms, Error *error)
{
    if (ms->error) {
        error_free(error);
    } else {
        ms->error = error;
    }
    migration_status_set(&ms->status, MIGRATION_STATUS_FAILED);
}

void postcopy_source_fail(MigrationState *ms, Error *error)
{
    if (ms->source) {
        qemu_mutex_lock(&ms->source->mutex);
    }
    fail_locked(ms, error);
    if (ms->source) {
        qemu_mutex_unlock(&ms->source->mutex);
    }
}

/* --- requests ------------------------------------------------------------------------------- */

static SourceBlock *find_block(PostcopySource *source, const char *name)
{
    for (size_t i = 0; i < source->block_count; i++) {
        if (strcmp(source->blocks[i].block->idstr, name) == 0) {
            return &source->blocks[i];
        }
    }
    return NULL;
}

static bool check_request(const PostcopySource *source, const WireReturn *message, const SourceBlock *entry,
                          Error **errp)
{
    char *name = printable(message->name);
    uint64_t page_size = entry ? entry->whole * TARGET_PAGE_SIZE : 0;
    bool fine = false;

    if (!entry) {
        error_setg(errp, "a request for 0x%" PRIx32 " bytes at 0x%" PRIx64 " of block \"%s\", which %s",
                   message->length, message->start, name, name[0] ? "is not here" : "no request has named before");
    } else if (message->length == 0 || message->start % page_size || message->length % page_size ||
               message->start > entry->used_length || message->length > entry->used_length - message->start) {
        error_setg(errp, "a request for 0x%" PRIx32 " bytes at 0x%" PRIx64 " of block \"%s\", which has 0x%" PRIx64
                   " in pages of 0x%" PRIx64, message->length, message->start, entry->block->idstr, entry->used_length,
                   page_size);
    } else if (g_queue_get_length((GQueue *)&source->requests) > source->pages) {
        error_setg(errp, "more requests than there are pages");
    } else {
        fine = true;
    }
    g_free(name);
    return fine;
}

/* Needs the mutex. */
static bool queue_request(PostcopySource *source, const WireReturn *message, Error **errp)
{
    SourceBlock *entry = message->type == WIRE_REQ_PAGES ? source->last_request : find_block(source, message->name);
    SourceRequest *request;

    if (!check_request(source, message, entry, errp)) {
        return false;
    }
    source->last_request = entry;
    request = g_new(SourceRequest, 1);
    *request = (SourceRequest){
        .block = entry,
        .page = message->start / TARGET_PAGE_SIZE,
        .end = (message->start + message->length) / TARGET_PAGE_SIZE,
    };
    g_queue_push_tail(&source->requests, request);
    return true;
}

bool source_next_request(PostcopySource *source, SourceRequest *request)
{
    SourceRequest *first;

    qemu_mutex_lock(&source->mutex);
    first = g_queue_peek_head(&source->requests);
    if (first) {
        *request = *first;
        first->page += first->block->whole;
        if (first->page >= first->end) {
            g_free(g_queue_pop_head(&source->requests));
        }
    }
    qemu_mutex_unlock(&source->mutex);
    return first != NULL;
}

static bool handle(MigrationState *ms, const WireReturn *message, Error **errp)
{
    switch (message->type) {
    case WIRE_SHUT:
        ms->source->shut = true;
        if (message->value != 0) {
            error_setg(errp, "the destination has failed (%" PRIu32 ")", message->value);
        } else if (!ms->source->ended) {
            error_setg(errp, "the destination says that it has everything, and it has not");
        }
        return message->value == 0 && ms->source->ended;
    case WIRE_REQ_PAGES_ID:
    case WIRE_REQ_PAGES:
        postcopy_count(ms->counters.requests, 1);
        return queue_request(ms->source, message, errp);
    default:        /* WIRE_PONG: nobody waits for it */
        return true;
    }
}

int ram_migrate_return(MigrationState *ms, const void *message, size_t length)
{
    PostcopySource *source = ms->source;
    Error *error = NULL;
    WireReturn parsed;
    bool fine;

    if (!source) {
        return -EINVAL;
    }
    qemu_mutex_lock(&source->mutex);
    fine = wire_parse_return(message, length, &parsed, &error) && handle(ms, &parsed, &error);
    if (!fine) {
        source->broken = true;
        fail_locked(ms, error);
    }
    pthread_cond_broadcast(&source->changed);
    qemu_mutex_unlock(&source->mutex);
    return fine ? 0 : -EINVAL;
}

/* --- the thread ------------------------------------------------------------------------------ */

/* A message: 0, or what recv said. */
static int receive_message(const MigrationTransport *transport, uint8_t *message, size_t *length)
{
    int result = transport->recv(transport->opaque, message, WIRE_RETURN_HEADER);
    size_t payload;

    if (result < 0) {
        return result;
    }
    payload = (size_t)lduw_be_p(message + 2);
    if (payload > WIRE_RETURN_MAX) {
        return -EMSGSIZE;
    }
    *length = WIRE_RETURN_HEADER + payload;
    return payload ? transport->recv(transport->opaque, message + WIRE_RETURN_HEADER, payload) : 0;
}

static void break_off(MigrationState *ms, int result)
{
    Error *error = NULL;

    error_setg_errno(&error, -result, "the destination's messages cannot be read");
    qemu_mutex_lock(&ms->source->mutex);
    ms->source->broken = true;
    fail_locked(ms, error);
    pthread_cond_broadcast(&ms->source->changed);
    qemu_mutex_unlock(&ms->source->mutex);
}

/* Looks for the next message a while, as who asked for a page may soon ask for another. */
static void look_for_message(const MigrationTransport *transport, PollBudget *polling)
{
    unsigned left = polling->rounds;
    bool there = false;

    while (left > 0 && !(there = transport->ready(transport->opaque, true) < 0)) {
        left--;
    }
    poll_budget_learn(polling, there ? left : 0);
}

static void *return_thread(void *opaque)
{
    MigrationState *ms = opaque;
    PollBudget polling;
    uint8_t message[WIRE_RETURN_HEADER + WIRE_RETURN_MAX];
    size_t length = 0;
    bool shut = false;
    int result = 0;

    poll_budget_start(&polling, ms->never_poll || !ms->transport.ready);
    while (!shut && result == 0) {
        if (length > 0 && lduw_be_p(message) != WIRE_PONG) {
            look_for_message(&ms->transport, &polling);
        }
        result = receive_message(&ms->transport, message, &length);
        if (result < 0) {
            break_off(ms, result);
        } else {
            result = ram_migrate_return(ms, message, length);
            shut = lduw_be_p(message) == WIRE_SHUT;
        }
    }
    if (result < 0) {
        /* The main thread may be waiting in send. */
        ms->transport.shutdown(ms->transport.opaque);
    }
    return NULL;
}

bool source_return_start(MigrationState *ms, Error **errp)
{
    sigset_t all, before;
    int result;

    if (!ms->transport.recv) {
        return true;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&ms->source->return_thread, NULL, return_thread, ms);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        error_setg_errno(errp, result, "no thread for the destination's messages");
    }
    ms->source->return_thread_runs = result == 0;
    return result == 0;
}

void source_return_stop(MigrationState *ms)
{
    if (ms->source->return_thread_runs) {
        if (migration_status_get(&ms->status) == MIGRATION_STATUS_FAILED) {
            ms->transport.shutdown(ms->transport.opaque);
        }
        pthread_join(ms->source->return_thread, NULL);
    }
}

bool source_return_fine(PostcopySource *source)
{
    bool fine;

    qemu_mutex_lock(&source->mutex);
    fine = !source->broken;
    qemu_mutex_unlock(&source->mutex);
    return fine;
}

bool source_wait_shut(MigrationState *ms)
{
    PostcopySource *source = ms->source;
    bool fine;

    qemu_mutex_lock(&source->mutex);
    while (source->return_thread_runs && !source->shut && !source->broken) {
        pthread_cond_wait(&source->changed, &source->mutex.lock);
    }
    fine = source->shut && !source->broken;
    qemu_mutex_unlock(&source->mutex);
    return fine;
}
