/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving RAM to another process while the guest runs: what source and destination share, and
 * the two drivers (conformance/spec/migration.md, chapter 6).
 *
 * The destination's process has the same RAM blocks, by name and length, as the source's.
 *
 *     source                                      destination
 *     ms = { .transport = ..., ... };             mis = { .transport = ..., .run = start_guest };
 *     ram_migrate_source(&ms);                    ram_migrate_incoming(&mis);
 *
 * Pages go first while the guest runs at the source (precopy); then it stops there, goes on at
 * the destination, and fetches what it misses when it touches it (postcopy).  From `run` on there
 * is no way back: where a transport fails then, the guest's threads wait for their pages.
 */
#ifndef MIGRATION_MIGRATION_H
#define MIGRATION_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qapi/error.h"
#include "qemu/typedefs.h"

#pragma GCC visibility push(default)

typedef enum MigrationStatus {
    MIGRATION_STATUS_NONE,
    MIGRATION_STATUS_SETUP,
    MIGRATION_STATUS_ACTIVE,            /* precopy */
    MIGRATION_STATUS_POSTCOPY_ACTIVE,
    MIGRATION_STATUS_POSTCOPY_PAUSED,   /* recovery is not built: never set */
    MIGRATION_STATUS_POSTCOPY_RECOVER,  /* likewise */
    MIGRATION_STATUS_COMPLETED,
    MIGRATION_STATUS_FAILED,
    MIGRATION_STATUS_CANCELLING,
    MIGRATION_STATUS_CANCELLED,
} MigrationStatus;

/* "postcopy-active" and so on. */
const char *migration_status_name(MigrationStatus status);

/* --- transport ------------------------------------------------------------------------- */

/*
 * One reliable connection in both directions (R-PC-50).  send and recv move all of `length`
 * bytes and return 0, or -errno, where the end of the stream is -EPIPE.  Each is called by one
 * thread at a time, send and recv at the same time; without memcore's locks.  shutdown, from any
 * thread, makes both fail from now on, also those that wait: that is how a migration is cancelled.
 */
typedef struct MigrationTransport {
    int (*send)(void *opaque, const void *from, size_t length);
    int (*recv)(void *opaque, void *to, size_t length);
    void (*shutdown)(void *opaque);

    /*
     * Optional.  On the thread that calls recv, without waiting: -1, bytes are there that the next recv takes; else
     * the descriptor that poll() calls readable when there are.  `look`: not only among what was read ahead.  With it
     * a destination needs no thread of its own for faults, and both ends may look for a message for a few
     * microseconds before they sleep.
     */
    int (*ready)(void *opaque, bool look);
    void *opaque;
} MigrationTransport;

/*
 * A transport over a connected stream socket (TCP, Unix, socketpair), which stays the caller's.  Reads
 * ahead.  SIGPIPE is not raised.  free accepts an empty transport; nobody may use it any more.
 */
MigrationTransport migration_transport_socket(int fd);
void migration_transport_free(MigrationTransport *transport);

/* --- destination ----------------------------------------------------------------------- */

/*
 * The caller fills in the first part, zeroes the rest, and keeps it until postcopy_ram_incoming_cleanup()
 * or ram_migrate_incoming() has returned 0.  One is active at a time (R-PC-51).
 */
struct MigrationIncomingState {
    MigrationTransport transport;

    /*
     * Asks the source for [start, start + length) of the block, one page of its backing; 0 or -errno.  On a thread
     * for faults.  NULL: a message of R-WIRE-2 through `transport`.
     */
    int (*request_page)(void *opaque, RAMBlock *block, uint64_t start, uint64_t length);

    /*
     * The guest may run from now on; on the receiver's thread, which has to come back without touching guest
     * RAM (R-PC-53).  `devices` are the bytes between LISTEN and RUN in the package, and go with the call.
     */
    void (*run)(void *opaque, const void *devices, size_t length);
    void *opaque;

    const char *machine;        /* the name the stream must have; NULL: any */
    const uint8_t *uuid;        /* 16 bytes, those of the stream if it has any; NULL: any */
    bool lock_memory;           /* the process had locked its memory: cleanup locks it again (R-PC-12) */
    bool never_poll;            /* the receiver sleeps at once, whenever it waits (memcore/migration/poll_budget.h) */
    bool abandon;               /* nobody touches guest RAM any more: cleanup drops what is missing (R-PC-25) */

    MigrationStatus status;     /* atomic */
    struct {
        uint64_t faults;        /* pages of the backing that a thread waited for, as the host told them */
        uint64_t requests;      /* asked for */
        uint64_t suppressed;    /* not asked for again */
        uint64_t placed;        /* with data; each page of the backing once */
        uint64_t zero_placed;   /* with zeroes */
        uint64_t duplicates;    /* that came although they were there */
        uint64_t discarded;     /* target pages, by order of the source */
    } counters;                 /* atomic */
    Error *error;               /* the first one, the caller's to free; read it when the driver has returned */

    /* private: */
    struct PostcopyIncoming *postcopy;
    bool receiver_serves;       /* ram_migrate_incoming() looks for faults itself */
    bool return_path_closed;    /* the source has not said that it listens to us */
};

/*
 * Receives a migration to its end: reads the stream from `transport`, and returns when all pages are there
 * (0) or it failed (-1, ->error).  Call it without the big lock, which it takes now and then, from a registered
 * thread (memcore_thread_register); RAM blocks must neither come nor go meanwhile.
 *
 * After a failure in state RUNNING (postcopy_state_get()) guest threads that touch missing pages wait: end the
 * process, or see to it that they touch RAM no more, set `abandon`, call postcopy_ram_incoming_cleanup().  In any
 * other state everything has been taken down.
 */
int ram_migrate_incoming(MigrationIncomingState *mis);

/* --- source ---------------------------------------------------------------------------- */

struct MigrationState {
    MigrationTransport transport;       /* recv NULL: requests come through ram_migrate_return() */

    /* When it returns nobody writes to guest RAM; or NULL.  resume_writers: it failed before the guest ran there. */
    void (*stop_writers)(void *opaque);
    void (*resume_writers)(void *opaque);
    /* After stop_writers: bytes for the destination's `run`, which stay the caller's; or NULL. */
    const void *(*save_devices)(void *opaque, size_t *length);
    void *opaque;

    const char *machine;        /* 1 to 255 bytes; NULL: "none" */
    const uint8_t *uuid;        /* 16 bytes: the machine's, which must be the destination's too; NULL: not said */
    unsigned family_page_bits;  /* as in RamSaveParameters */
    bool never_poll;            /* as in MigrationIncomingState, for requests */
    bool start_postcopy;        /* atomic; true: stop precopy as soon as may be */
    unsigned max_rounds;        /* looks for dirty pages, after which precopy stops; 0: when few are left, or 30 */

    MigrationStatus status;     /* atomic */
    struct {
        uint64_t sent;              /* target pages, zero ones included */
        uint64_t requests;          /* taken from the queue */
        uint64_t ignored;           /* target pages asked for that had been sent */
        uint64_t discard_commands;
        uint64_t discard_ranges;
        uint64_t syncs;             /* looks for dirty pages */
    } counters;                 /* atomic */
    bool discard_error;         /* misuse of postcopy_discard_send_*: a range was dropped (R-PC-41) */
    Error *error;               /* the first one, the caller's to free */

    /* private: */
    struct PostcopySource *source;
};

/*
 * Sends all migratable RAM (R-PC-40..44): precopy until it has converged or start_postcopy, then postcopy.  0 when
 * the destination has confirmed that it has everything; -1 and ->error.  Called, like ram_migrate_incoming(),
 * without the big lock.
 */
int ram_migrate_source(MigrationState *ms);

/*
 * For transports without recv: one message that the destination sent (R-WIRE-2), from any thread while
 * ram_migrate_source() runs, from the transport's send too.  -EINVAL: it is wrong, and the migration will fail.
 */
int ram_migrate_return(MigrationState *ms, const void *message, size_t length);

#pragma GCC visibility pop

#endif
