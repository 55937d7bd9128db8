/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that wait for a page, and the return path on which it is asked for (R-PC-21, R-PC-22, R-WIRE-2). */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "base/misuse.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "memcore/memcore.h"
#include "migration/postcopy_incoming.h"
#include "migration/postcopy_wire.h"
#include "ram/ram_block.h"

/* --- return path ---------------------------------------------------------------------------- */

/* Under rp_mutex. */
static int send_return(const MigrationIncomingState *mis, GByteArray *message)
{
    return mis->transport.send(mis->transport.opaque, message->data, message->len);
}

static int send_u32(MigrationIncomingState *mis, uint16_t type, uint32_t value)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    GByteArray *message;
    int result;

    if (!mis->transport.send || mis->return_path_closed) {
        return 0;
    }
    message = g_byte_array_new();
    wire_return_u32(message, type, value);
    if (postcopy) {
        qemu_mutex_lock(&postcopy->rp_mutex);
    }
    result = send_return(mis, message);
    if (postcopy) {
        qemu_mutex_unlock(&postcopy->rp_mutex);
    }
    g_byte_array_unref(message);
    return result;
}

int postcopy_send_shut(MigrationIncomingState *mis, bool failed)
{
    return send_u32(mis, WIRE_SHUT, failed);
}

int postcopy_send_pong(MigrationIncomingState *mis, uint32_t value)
{
    return send_u32(mis, WIRE_PONG, value);
}

/* The name goes along where the block is not that of the request before. */
static int send_request(MigrationIncomingState *mis, RAMBlock *block, uint64_t start, uint64_t length)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    GByteArray *message = g_byte_array_new();
    int result;

    qemu_mutex_lock(&postcopy->rp_mutex);
    wire_request(message, postcopy->last_requested == block ? NULL : block->idstr, start, (uint32_t)length);
    result = mis->transport.send ? send_return(mis, message) : -ENOTCONN;
    if (result == 0) {
        postcopy->last_requested = block;
    }
    qemu_mutex_unlock(&postcopy->rp_mutex);
    g_byte_array_unref(message);
    return result;
}

/* --- faults ---------------------------------------------------------------------------------- */

typedef enum { PAGE_RECEIVED, PAGE_REQUESTED, PAGE_NEW } PageWas;

/* Notes that the page is asked for, and says what it was before. */
static PageWas note_request(PostcopyIncoming *postcopy, PostcopyBlock *entry, uint64_t offset)
{
    const uint64_t page = offset / entry->block->page_size;
    PageWas was = PAGE_NEW;

    qemu_mutex_lock(&postcopy->page_request_mutex);
    if (ramblock_recv_bitmap_test_byte_offset(entry->block, offset)) {
        was = PAGE_RECEIVED;
    } else if (bitmap_test(entry->requested, page)) {
        was = PAGE_REQUESTED;
    } else {
        bitmap_set_one(entry->requested, page);
    }
    qemu_mutex_unlock(&postcopy->page_request_mutex);
    return was;
}

static int ask_for(MigrationIncomingState *mis, PostcopyBlock *entry, uint64_t offset, Error **errp)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    RAMBlock *block = entry->block;
    int result;

    switch (note_request(postcopy, entry, offset)) {
    case PAGE_RECEIVED:
        postcopy->host->wake(postcopy->host->opaque, postcopy->fd, block->host + offset, block->page_size);
        return 0;
    case PAGE_REQUESTED:
        postcopy_count(mis->counters.suppressed, 1);
        return 0;
    case PAGE_NEW:
        break;
    }
    if (migration_status_get(&mis->status) == MIGRATION_STATUS_FAILED) {
        return 0;       /* nobody will send it: who waits, waits (R-PC-25) */
    }
    postcopy_count(mis->counters.requests, 1);
    result = mis->request_page ? mis->request_page(mis->opaque, block, offset, block->page_size)
                               : send_request(mis, block, offset, block->page_size);
    if (result < 0) {
        error_setg_errno(errp, -result, "block \"%s\": the page at 0x%" PRIx64 " cannot be asked for",
                         ram_block_label(block), offset);
    }
    return result;
}

static int serve(MigrationIncomingState *mis, const void *address, Error **errp)
{
    PostcopyBlock *entry = postcopy_find(mis->postcopy, address);
    const uint64_t inside = entry ? (uint64_t)((const uint8_t *)address - entry->block->host) : 0;
    uint64_t offset;

    if (!entry || inside >= entry->block->postcopy_length) {
        error_setg(errp, "block \"%s\": a thread waits for a page at 0x%" PRIx64 ", which the source does not have",
                   entry ? ram_block_label(entry->block) : "(none)", inside);
        return -EFAULT;
    }
    offset = inside / entry->block->page_size * entry->block->page_size;
    if (postcopy_is_discarded(entry->block, offset)) {
        return postcopy_place(mis, entry->block->host + offset, NULL, errp);
    }
    return ask_for(mis, entry, offset, errp);
}

int postcopy_ram_fault(MigrationIncomingState *mis, void *address)
{
    Error *error = NULL;
    int result;

    if (!mis->postcopy || mis->postcopy->fd < 0) {
        return -EINVAL;
    }
    postcopy_count(mis->counters.faults, 1);
    result = serve(mis, address, &error);
    if (result < 0) {
        postcopy_fail(mis, error);
    }
    return result;
}

/* --- the thread --------------------------------------------------------------------------------- */

typedef struct {
    MigrationIncomingState *mis;
    sem_t *runs;
} FaultThread;

static void set_host_error(int result, Error **errp)
{
    error_setg_errno(errp, -result, "the host does not tell which pages are missing any more");
}

static void *fault_thread(void *opaque)
{
    FaultThread *thread = opaque;
    MigrationIncomingState *mis = thread->mis;
    PostcopyIncoming *postcopy = mis->postcopy;
    void *address;
    int result;

    memcore_thread_register();
    sem_post(thread->runs);         /* `thread` is gone from here on */
    while ((result = postcopy->host->wait(postcopy->host->opaque, postcopy->fd, postcopy->quit_fd, &address)) > 0) {
        postcopy_ram_fault(mis, address);
    }
    if (result < 0) {
        Error *error = NULL;

        set_host_error(result, &error);
        postcopy_fail(mis, error);
    }
    memcore_thread_unregister();
    return NULL;
}

static void ring(int eventfd)
{
    const uint64_t one = 1;
    ssize_t put;

    do {
        put = write(eventfd, &one, sizeof(one));
    } while (put < 0 && errno == EINTR);
    memcore_assert(put == (ssize_t)sizeof(one));
}

bool postcopy_fault_thread_start(MigrationIncomingState *mis, Error **errp)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    sigset_t all, before;
    sem_t runs;
    FaultThread thread = { .mis = mis, .runs = &runs };
    int result;

    if (!postcopy->host->wait) {
        return true;
    }
    if (mis->receiver_serves) {
        ring(postcopy->quit_fd);        /* for good: who waits for it too only looks, and does not sleep */
        poll_budget_start(&postcopy->polling, mis->never_poll);
        postcopy->receiver_serves = true;
        return true;
    }
    sem_init(&runs, 0, 0);
    /* Signals are the program's: a handler must not run here, where it might touch guest RAM. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&postcopy->fault_thread, NULL, fault_thread, &thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        error_setg_errno(errp, result, "no fault thread");
    } else {
        while (sem_wait(&runs) != 0) {
            memcore_assert(errno == EINTR);
        }
        postcopy->fault_thread_runs = true;
    }
    sem_destroy(&runs);
    return result == 0;
}

void postcopy_fault_thread_stop(PostcopyIncoming *postcopy)
{
    if (postcopy->fault_thread_runs) {
        ring(postcopy->quit_fd);
        pthread_join(postcopy->fault_thread, NULL);
        postcopy->fault_thread_runs = false;
    }
    postcopy->receiver_serves = false;
}

/* --- without one: the receiver ------------------------------------------------------------------ */

/* While pages come without a pause, a look costs as much as a tenth of a page. */
enum { PIECES_UNLOOKED_MAX = 8 };

/*
 * Who waits for a page is waiting for the receiver anyway.  That it hears of the fault itself saves a thread, and for
 * each fault the time to get from one to the other.
 */
bool postcopy_serve_until_stream(MigrationIncomingState *mis, Error **errp)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    unsigned rounds = 0;        /* in which it does not sleep */

    if (!postcopy || !postcopy->receiver_serves) {
        return true;
    }
    for (;;) {
        const int fd = mis->transport.ready(mis->transport.opaque, rounds > 0);
        const bool sleeps = fd >= 0 && rounds == 0;
        void *address;
        int result;

        if (fd < 0 && ++postcopy->unlooked < PIECES_UNLOOKED_MAX) {
            break;
        }
        postcopy->unlooked = 0;
        result = postcopy->host->wait(postcopy->host->opaque, postcopy->fd, sleeps ? fd : postcopy->quit_fd, &address);
        if (result < 0) {
            set_host_error(result, errp);
            return false;
        }
        if (result > 0) {
            postcopy_ram_fault(mis, address);
            rounds = postcopy->polling.rounds;
            continue;
        }
        if (fd < 0 || sleeps) {
            break;
        }
        if (--rounds == 0) {
            poll_budget_learn(&postcopy->polling, 0);
        }
    }
    if (rounds > 0) {
        poll_budget_learn(&postcopy->polling, rounds);
    }
    return true;
}

void postcopy_hand_over_faults(MigrationIncomingState *mis)
{
    PostcopyIncoming *postcopy = mis->postcopy;
    Error *error = NULL;
    uint64_t rings;
    ssize_t got;

    if (!postcopy || !postcopy->receiver_serves) {
        return;
    }
    mis->receiver_serves = postcopy->receiver_serves = false;
    got = read(postcopy->quit_fd, &rings, sizeof(rings));       /* never blocks */
    memcore_assert(got == (ssize_t)sizeof(rings));
    if (!postcopy_fault_thread_start(mis, &error)) {
        postcopy_fail(mis, error);      /* what waits, waits */
    }
}
