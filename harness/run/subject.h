/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place where the harness uses what an implementation of the API
 * offers beyond the seeds' headers.  Another implementation is tested by
 * writing this file for it: cmake -DHARNESS_SUBJECT=DIR takes DIR/subject.c,
 * DIR/subject.cmake (include folders, libraries) instead of memcore.
 */
#ifndef HARNESS_RUN_SUBJECT_H
#define HARNESS_RUN_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "exec/memory.h"
#include "qom/object.h"

/* For the first lines of reports: "memcore 0.1 (VERIFY)". */
const char *subject_name(void);
/* "memcore" or "qemu-7.2": the profile the model takes unless told otherwise. */
const char *subject_default_profile(void);

/* Once per process, before anything else; deferred work waits for subject_drain from then on. */
void subject_start(void);

/* A grace period ends and everything deferred until now runs, in the order it was deferred. */
void subject_drain(void);
size_t subject_deferred(void);          /* pieces of work waiting */

/*
 * A device object that can own regions; its path is `id`, too.  `finalized(opaque)` is called from its
 * finalizer, after its regions were released (R-OBJ-8); the object's memory is
 * gone when it returns.  The caller holds the one reference.
 */
Object *subject_owner_new(const char *id, void (*finalized)(void *opaque), void *opaque);
unsigned subject_owner_references(Object *owner);

void subject_set_coalesced_flush_hook(void (*hook)(void));
void subject_set_vm_running(bool running);

/*
 * R-CODE.  The hook hears of writes to ram_addrs [start, end).  Traces of the profile qemu-7.2 never switch tracking
 * on: a core of that profile may leave both empty.
 */
void subject_set_code_tracking(bool on);
void subject_set_code_hook(void (*hook)(uint64_t start, uint64_t end));

void subject_run_bottom_halves(void);

/*
 * The `nth` call of the host that may fail from now on (0: the next) fails with
 * the errno `error`; SIZE_MAX: none.  Returns how many there were since the last
 * call of this function.
 */
size_t subject_plant_failure(size_t nth, int error);

/*
 * What comes with the core as a RamDiscardManager: one bit a granule (R-BDM).  The callbacks are asked by `plug` and
 * `unplug`, as that rule says.  load: every 64 granules have these bits.
 */
struct subject_manager;
struct subject_manager_hooks {
    bool (*busy)(void *opaque);
    int (*preallocate)(void *opaque, void *host, uint64_t length);
    void *opaque;
};
struct subject_manager *subject_manager_new(MemoryRegion *mr, uint64_t granularity,
                                            const struct subject_manager_hooks *hooks, Error **errp);
bool subject_manager_destroy(struct subject_manager *manager, Error **errp);
RamDiscardManager *subject_manager_object(struct subject_manager *manager);
int subject_manager_plug(struct subject_manager *manager, uint64_t offset, uint64_t length);
int subject_manager_unplug(struct subject_manager *manager, uint64_t offset, uint64_t length);
int subject_manager_unplug_all(struct subject_manager *manager);
int subject_manager_load(struct subject_manager *manager, uint64_t bits);
const char *subject_manager_state(struct subject_manager *manager, uint64_t offset, uint64_t length);
uint64_t subject_manager_populated_bytes(struct subject_manager *manager);

/* Called before each call of the host that may fail: what other threads do in the middle of a step.  NULL: nothing. */
void subject_set_interruption(void (*interrupt)(void *opaque), void *opaque);

/*
 * Where a core tells that another thread may come in between: `play` is called the next time a call gets to such a
 * place, once.  NULL: it is not called any more.  false: this core cannot tell, and `play` is never called.
 */
bool subject_set_meanwhile(void (*play)(void *opaque), void *opaque);

/* mtree_info's text, to be freed with free(). */
char *subject_mtree(bool flatview, bool dispatch_tree, bool owner, bool disabled);

/* ram_block_dump's text, to be freed with free(). */
char *subject_ram_dump(void);

/* Live FlatViews without the permanent empty one; SIZE_MAX if the implementation cannot tell. */
size_t subject_live_views(void);
/* Live RAM blocks; SIZE_MAX if the implementation cannot tell. */
size_t subject_live_blocks(void);

#endif
