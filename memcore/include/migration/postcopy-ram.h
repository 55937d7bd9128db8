/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Postcopy of RAM, piece by piece: what the drivers of migration/migration.h are made of
 * (conformance/spec/migration.md, chapter 6).
 *
 * The destination's calls, with the state each leaves:
 *
 *     postcopy_ram_supported_by_host()
 *     postcopy_ram_incoming_init()       ADVISE      RAM is empty
 *         ... precopied pages are written to RAM ...
 *     postcopy_ram_prepare_discard()     DISCARD
 *     postcopy_ram_discard_range()                   what changed since it was sent
 *     postcopy_ram_enable_notify()       LISTENING   who touches what is missing waits
 *         ... the guest may run: the caller sets RUNNING ...
 *     postcopy_place_page()
 *     postcopy_ram_incoming_cleanup()    END
 *
 * Blocks that are not migratable take no part.  RAM blocks must neither come nor go between init and
 * cleanup.  Other processes that map the same shared memory do not wait: they read zeroes.
 *
 * All functions print a message where they fail.  Unless said otherwise they need the big lock.
 */
#ifndef MIGRATION_POSTCOPY_RAM_H
#define MIGRATION_POSTCOPY_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "migration/migration.h"

#pragma GCC visibility push(default)

/* Of this process (R-PC-1). */
typedef enum PostcopyState {
    POSTCOPY_INCOMING_NONE = 0,
    POSTCOPY_INCOMING_ADVISE,
    POSTCOPY_INCOMING_DISCARD,
    POSTCOPY_INCOMING_LISTENING,
    POSTCOPY_INCOMING_RUNNING,
    POSTCOPY_INCOMING_END,
} PostcopyState;

/* Atomic, any thread.  set returns the state before; between migrations anybody may set NONE. */
PostcopyState postcopy_state_get(void);
PostcopyState postcopy_state_set(PostcopyState state);
const char *postcopy_state_name(PostcopyState state);

/*
 * Whether this host, with the present RAM blocks, can do it (R-PC-10).  Side effect: memory of the process is
 * unlocked, as locked memory cannot be discarded (R-PC-12).
 */
bool postcopy_ram_supported_by_host(void);

/*
 * Before any page is received: empties RAM and forgets what was received.  `ram_pages` is ignored.  0; -1: not in
 * state NONE, another one is active, or memory cannot be discarded, and then part of it may be empty.
 */
int postcopy_ram_incoming_init(MigrationIncomingState *mis, size_t ram_pages);

/*
 * Before the first discard: huge pages must not bring pages back (R-PC-14).  0; -1: not in state ADVISE.
 */
int postcopy_ram_prepare_discard(MigrationIncomingState *mis);

/*
 * Makes [start, start + length), host addresses, missing again.  0; -1: not whole pages of the backing inside one
 * block's postcopy_length, which changes nothing; the guest runs; the host cannot.
 */
int postcopy_ram_discard_range(MigrationIncomingState *mis, uint8_t *start, size_t length);

/*
 * From now on threads that touch a missing page wait, and the fault thread asks the source for it.  0; -1, with
 * nothing changed: not in state ADVISE or DISCARD, or the host cannot.
 */
int postcopy_ram_enable_notify(MigrationIncomingState *mis);

/*
 * A page of the block's backing (qemu_ram_pagesize), at `host` and complete, from `from`: not guest RAM.  Whoever
 * waits for it goes on.  A page that is there already stays as it is, which is counted (R-PC-31).  0; -EINVAL: no
 * place for a page; -EEXIST: it was written to by somebody else; or the host's -errno.  Any thread, no locks needed.
 */
int postcopy_place_page(MigrationIncomingState *mis, void *host, void *from);
int postcopy_place_page_zero(MigrationIncomingState *mis, void *host);

/*
 * A buffer for one page of the largest backing, for place_page: the same until cleanup, for one user at a time.
 * NULL: no memory, or nothing is set up.  Any thread between init and cleanup.
 */
void *postcopy_get_tmp_page(MigrationIncomingState *mis);

/*
 * The end.  0, also where nothing was set up.  -1 and everything stays, status FAILED: a page is missing, and
 * not mis->abandon (R-PC-25).  -1 and all is gone: the host could not let go of a range.
 */
int postcopy_ram_incoming_cleanup(MigrationIncomingState *mis);

/* --- source: which pages the destination has to forget (R-PC-41) ------------------------------ */

typedef struct PostcopyDiscardState PostcopyDiscardState;

/*
 * Ranges of one block: `offset` is what its first page counts as in the ranges below, in target pages: 0 for
 * bitmaps by block.  The name is copied.  12 ranges make a command, which goes out through ms->transport at once;
 * finish sends the rest and frees.  Ranges in front of `offset`, empty ones, those beyond 2^64 bytes, and
 * calls without a state are dropped and set ms->discard_error.  No locks needed, one thread at a time.
 */
PostcopyDiscardState *postcopy_discard_send_init(MigrationState *ms, unsigned long offset, const char *name);
void postcopy_discard_send_range(MigrationState *ms, PostcopyDiscardState *pds, unsigned long start,
                                 unsigned long length);
void postcopy_discard_send_finish(MigrationState *ms, PostcopyDiscardState *pds);

#pragma GCC visibility pop

#endif
