/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The destination's half of postcopy, between the files of this folder.  Where a function of
 * migration/postcopy-ram.h prints a message, its twin here returns it as an Error.
 */
#ifndef MEMCORE_MIGRATION_POSTCOPY_INCOMING_H
#define MEMCORE_MIGRATION_POSTCOPY_INCOMING_H

#include <pthread.h>

#include "exec/ramblock.h"
#include "migration/postcopy-host.h"
#include "migration/postcopy-ram.h"
#include "migration/poll_budget.h"
#include "ram/bitmap.h"

/* A block that takes part.  Bitmaps have a bit for each page of the backing. */
typedef struct {
    RAMBlock *block;
    unsigned long *requested;           /* asked for and not here yet; under page_request_mutex, as claimed */
    unsigned long *claimed;             /* a placer is at it */
    bool enrolled;                      /* atomic: missing pages make threads wait */
    bool zeroable;                      /* atomic: as RAM_UF_ZEROPAGE */
} PostcopyBlock;

struct PostcopyIncoming {
    const PostcopyHost *host;
    PostcopyBlock *blocks;              /* fixed from init to cleanup, so that no thread needs RCU to look at it */
    size_t block_count;
    size_t largest_page;
    RAMBlockNotifierExtended notifier;
    QemuMutex page_request_mutex;       /* a leaf: nothing else is locked under it (R-PC-50) */
    QemuMutex rp_mutex;                 /* likewise; sends on the return path */
    const RAMBlock *last_requested;     /* under rp_mutex: what the short form of a request means */
    int fd, quit_fd;                    /* -1: not listening */
    pthread_t fault_thread;
    bool fault_thread_runs;
    bool receiver_serves;               /* there is none: the receiver looks for faults, and quit_fd can be read */
    PollBudget polling;                 /* the receiver's, as what follows */
    unsigned unlooked;                  /* pieces of the stream since it looked for faults */
    void *tmp_page;                     /* under page_request_mutex until it is there */
    void *zero_page;
};
typedef struct PostcopyIncoming PostcopyIncoming;

#define postcopy_count(counter, by) ((void)__atomic_fetch_add(&(counter), (uint64_t)(by), __ATOMIC_RELAXED))

/* --- postcopy_state.c --- */

const PostcopyHost *postcopy_host(void);

/* What may happen to a destination (R-PC-1).  False and an Error that names the state: not now. */
typedef enum {
    POSTCOPY_EVENT_ADVISE,
    POSTCOPY_EVENT_BLOCK_LIST,
    POSTCOPY_EVENT_DISCARD,
    POSTCOPY_EVENT_LISTEN,
    POSTCOPY_EVENT_RUN,
    POSTCOPY_EVENT_END,
} PostcopyEvent;
bool postcopy_event_allowed(PostcopyEvent event, Error **errp);

/* Takes the Error: status FAILED, and it is the migration's if it is the first. */
void postcopy_source_fail(MigrationState *ms, Error *error);

MigrationStatus migration_status_get(const MigrationStatus *status);
void migration_status_set(MigrationStatus *status, MigrationStatus value);

/* --- postcopy_support.c --- */

bool postcopy_supported(Error **errp);
bool postcopy_takes_part(const RAMBlock *block);        /* MIGRATABLE */
bool postcopy_sticks_out(const RAMBlock *block);        /* its last page is not all memcore's */

/* --- postcopy_incoming.c --- */

bool postcopy_incoming_init(MigrationIncomingState *mis, Error **errp);
bool postcopy_prepare_discard(MigrationIncomingState *mis, Error **errp);
bool postcopy_discard_range(MigrationIncomingState *mis, uint8_t *start, size_t length, Error **errp);
bool postcopy_enable_notify(MigrationIncomingState *mis, Error **errp);
bool postcopy_cleanup(MigrationIncomingState *mis, Error **errp);

/* Takes the Error: status FAILED, and it is the migration's if it is the first.  Not under page_request_mutex. */
void postcopy_fail(MigrationIncomingState *mis, Error *error);

/* --- postcopy_place.c --- */

/* The block that takes part and holds `address`; NULL: none. */
PostcopyBlock *postcopy_find(PostcopyIncoming *postcopy, const void *address);
/* `from` NULL: zeroes.  0, or -errno and an Error. */
int postcopy_place(MigrationIncomingState *mis, uint8_t *host, const void *from, Error **errp);
/* Whether a RamDiscardManager says that nothing is there (R-PC-21). */
bool postcopy_is_discarded(const RAMBlock *block, uint64_t offset);
/* Anonymous memory; NULL: errno. */
void *postcopy_map(size_t length);

/* --- postcopy_fault.c --- */

/* Where mis->receiver_serves, no thread: see below. */
bool postcopy_fault_thread_start(MigrationIncomingState *mis, Error **errp);
void postcopy_fault_thread_stop(PostcopyIncoming *postcopy);
/*
 * The receiver, before it reads the next piece: serves all faults that there are, and where the stream has nothing yet
 * those that come until it has.  With a fault thread it does nothing.  false: the host has failed.
 */
bool postcopy_serve_until_stream(MigrationIncomingState *mis, Error **errp);
/* The receiver ends before its time: a thread for the faults, on which guest threads go on waiting (R-PC-25). */
void postcopy_hand_over_faults(MigrationIncomingState *mis);
/* A message on the return path, if there is one; 0 or -errno.  Before init: by one thread at a time. */
int postcopy_send_shut(MigrationIncomingState *mis, bool failed);
int postcopy_send_pong(MigrationIncomingState *mis, uint32_t value);

#endif
