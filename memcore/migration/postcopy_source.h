/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source's half of postcopy, between the files of this folder. */
#ifndef MEMCORE_MIGRATION_POSTCOPY_SOURCE_H
#define MEMCORE_MIGRATION_POSTCOPY_SOURCE_H

#include <glib.h>

#include "exec/ramblock.h"
#include "migration/migration.h"
#include "qemu/thread.h"

typedef struct {
    RAMBlock *block;
    unsigned long *bmap;        /* to be sent; also block->bmap */
    uint64_t used_length, pages;
    uint64_t whole;             /* target pages of a page of the backing */
} SourceBlock;

/* What the destination waits for: pages of the backing, by their first target page. */
typedef struct {
    SourceBlock *block;
    uint64_t page, end;
} SourceRequest;

typedef struct PostcopySource {
    SourceBlock *blocks;
    size_t block_count;
    uint64_t pages, remaining;
    uint32_t version;           /* of ram_list when it began */
    bool logging, stopped;      /* dirty pages; the writers */
    bool announced;             /* the switch: what is asked for has its turn first */
    size_t next_block;          /* where the scan goes on */
    uint64_t next_page;
    const RAMBlock *last_sent;  /* what CONTINUE means; NULL: nothing */
    GByteArray *bytes;          /* not sent yet */

    QemuMutex mutex;            /* for what follows, and ms->error */
    pthread_cond_t changed;
    GQueue requests;            /* of SourceRequest *, first come first served (R-PC-42) */
    SourceBlock *last_request;  /* what the short form means */
    bool ended;                 /* END is on its way */
    bool shut;                  /* the destination has said its last */
    bool broken;                /* the return path is bad: the migration cannot complete */
    pthread_t return_thread;
    bool return_thread_runs;
} PostcopySource;

/* --- postcopy_source_pages.c --- */

bool source_blocks_init(MigrationState *ms, Error **errp);
void source_blocks_free(PostcopySource *source);

/* Dirty pages since the last look, under the big lock; false: blocks came, went or changed (R-ITER-11). */
bool source_look_for_dirty(MigrationState *ms, Error **errp);

/* Writers have stopped: whole pages of the backing, announced to the destination (R-PC-40). */
void source_announce(MigrationState *ms);

/*
 * Adds a page of the backing, with all its target pages, to the bytes: what is asked for first, then where the scan
 * is (R-PC-42).  Before the switch nobody can wait for a page.  false: none is left.
 */
bool source_add_page(MigrationState *ms);

/* --- postcopy_source_return.c --- */

bool source_return_start(MigrationState *ms, Error **errp);
void source_return_stop(MigrationState *ms);
/* The next one; false: none. */
bool source_next_request(PostcopySource *source, SourceRequest *request);
/* Whether the return path is as it should be. */
bool source_return_fine(PostcopySource *source);
/* Waits for SHUT; false: it will not come, or is bad. */
bool source_wait_shut(MigrationState *ms);

#endif
