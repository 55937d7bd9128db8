/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second copy of RAM, as a machine keeps it that stands in for another one
 * (conformance/spec/migration.md, chapter 9): what the other has sent is in the cache, what this
 * one has done itself is in RAM, and at each checkpoint one of them wins.
 *
 *     colo_cache_init(errp);                               cache = RAM
 *     ... the guest runs; colo_cache_put() of pages that come from the other machine ...
 *     colo_cache_flush(errp);                              a checkpoint: RAM = cache
 *     ... or colo_cache_write_through(errp);               what the guest did is kept: cache = RAM
 *     colo_cache_release();
 *
 * Everything needs the big lock; all but put and release a paused machine (memcore_set_vm_running()).
 */
#ifndef MIGRATION_COLO_CACHE_H
#define MIGRATION_COLO_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "exec/ramblock.h"
#include "qapi/error.h"

#pragma GCC visibility push(default)

/*
 * Gives each migratable block its colo_cache, max_length bytes, filled with the block's memory, and starts dirty
 * logging.  0; or -errno and an Error, and nothing is left behind: -EBUSY if there are caches, or a migration, already.
 */
int colo_cache_init(Error **errp);

/* Writes whole pages of a block into its cache: 0; -EINVAL if they are none of the block's, or -EBUSY as below. */
int colo_cache_put(RAMBlock *block, uint64_t offset, const void *from, size_t length, Error **errp);

/*
 * How many pages were copied; or -EBUSY and an Error once blocks came, went or changed their
 * length: nothing is left to do then but to release.  Write-through leaves pages alone that were
 * put since; a flush copies them, and those the guest wrote to.
 */
int64_t colo_cache_write_through(Error **errp);
int64_t colo_cache_flush(Error **errp);

/* Takes the caches away and stops logging.  RAM stays as it is.  Without caches: nothing. */
void colo_cache_release(void);

#pragma GCC visibility pop

#endif
