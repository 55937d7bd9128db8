/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memcore offers beyond the physical-memory API of the other headers:
 * set-up, deferred work, hooks of the embedding program, kinds of trouble.
 *
 * Three kinds of trouble, three mechanisms:
 *   misuse        by the embedding program stops at once, in every build type, with
 *                 one line on stderr naming function, object, value and rule, then abort()
 *   bad input     is an Error (qapi/error.h); everything stays as it was
 *   corruption    of memcore's own state is an assertion; VERIFY builds look for it
 */
#ifndef MEMCORE_MEMCORE_H
#define MEMCORE_MEMCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qom/object.h"

#pragma GCC visibility push(default)

#define MEMCORE_VERSION "0.1.0"

/* How work that must wait for an RCU grace period gets done. */
typedef enum {
    MEMCORE_RECLAIM_BACKGROUND,     /* a liburcu call_rcu thread runs it; the default */
    MEMCORE_RECLAIM_MANUAL,         /* it queues until memcore_drain(): deterministic, no thread */
} MemcoreReclaim;

/*
 * Call once, before any other function and before threads start; the calling
 * thread is registered as an RCU reader and holds the big lock on return.
 * Calling any API function without it does the same with the default mode.
 */
void memcore_init(MemcoreReclaim mode);

/* Other threads: before their first and after their last use of memcore. */
void memcore_thread_register(void);
void memcore_thread_unregister(void);

/*
 * Waits for a grace period, then runs everything deferred before the call, and
 * what that defers in turn, until nothing is left; in the order of deferral.
 * Manual mode: the only place where deferred work runs.  Background mode:
 * rcu_barrier.  Must not be called from inside an RCU read section.  While it
 * waits it lets go of the big lock, for which readers may be waiting.
 */
void memcore_drain(void);
size_t memcore_deferred(void);      /* manual mode: pieces of work waiting */

/*
 * QEMU 7.2 simplifies the root of an address space at the price of losing
 * read-only and non-volatile flags and of shifting views (R-FV-10).  memcore
 * does not; `true` brings the exact 7.2 behaviour back for differential tests.
 * Set it before the first address space exists.
 */
void memcore_set_collapse_compat(bool compat);

/* The virtual machine runs (the default) or is paused: postponed log stops (R-LOG-3) happen when it resumes. */
void memcore_set_vm_running(bool running);
bool memcore_vm_running(void);

/* The accelerator's request to flush buffered coalesced MMIO (R-COAL-3); NULL: none. */
void memcore_set_coalesced_flush(void (*flush)(void *opaque), void *opaque);

/* TCG-like tracking of pages that hold translated code (bit 1 of dirty log masks, R-REG-7); off by default. */
void memcore_set_code_tracking(bool on);

/*
 * With tracking on: called after a write to ram_addrs [start, end) of which a
 * page has no CODE bit, which means that code was translated from it (R-CODE-3).
 * On the writing thread, in a read section; it sets the bit itself, with
 * cpu_physical_memory_set_dirty_flag(), once the page holds no such code any more.
 * Set it before other threads run.
 */
void memcore_set_code_invalidate(void (*invalidate)(void *opaque, uint64_t start, uint64_t end),
                                 void *opaque);

/* --- planted failures -------------------------------------------------------- */

/* What the host may refuse. */
typedef enum {
    MEMCORE_FAULT_MMAP,
    MEMCORE_FAULT_OPEN,         /* and creation of files */
    MEMCORE_FAULT_FTRUNCATE,
    MEMCORE_FAULT_FALLOCATE,
    MEMCORE_FAULT_MADVISE,      /* where failing matters: plain advice is not asked about */
    MEMCORE_FAULT_MSYNC,
    MEMCORE_FAULT_EVENTFD,
    MEMCORE_FAULT_ALLOCATION,   /* those whose failure is an Error */
    MEMCORE_FAULT_PREAD,        /* of files of RAM (migration/), as the next three */
    MEMCORE_FAULT_PWRITE,
    MEMCORE_FAULT_FSYNC,
    MEMCORE_FAULT_RENAME,
    MEMCORE_FAULT_KINDS,
} MemcoreFault;

/*
 * For tests: `fault` is asked before each such call and answers 0 (go on) or
 * the errno the call is to fail with instead of being made.  NULL, the
 * default: nobody is asked.  Under the big lock, before other threads run.
 */
void memcore_set_fault(int (*fault)(void *opaque, MemcoreFault kind), void *opaque);

/* --- other threads, played in this one ----------------------------------------- */

/* Where another thread may come in between: the call has begun, and takes its lock next. */
typedef enum {
    MEMCORE_PLACE_MAP,              /* address_space_map(), for the bounce buffer; in a read section */
    MEMCORE_PLACE_UNMAP,            /* address_space_unmap(), of that buffer; its bytes are written back */
    MEMCORE_PLACE_WAIT,             /* cpu_register_map_client() */
    MEMCORE_PLACE_CANCEL,           /* cpu_unregister_map_client() */
    MEMCORE_PLACES,
} MemcorePlace;

/*
 * For tests: `play` is called at each such place, on the thread that is there, and does what another thread would, so
 * that a race happens every time.  What it does is over before the call that is under way looks at anything under its
 * lock.  It may make any call that the locks held there allow, in a read section not memcore_drain(); where such a
 * call gets to a place, `play` is called again.  NULL, the default: nothing is played.  Under the big lock, before
 * other threads run.
 */
void memcore_set_meanwhile(void (*play)(void *opaque, MemcorePlace place), void *opaque);

/*
 * For tests: memory is searched for zeroes with vectors of `bytes` at most, not as wide as the processor has them; 0:
 * word by word.  Returns the width that is used from now on.  Under the big lock, before other threads run.
 */
size_t memcore_limit_vectors(size_t bytes);

/* Where mtree_info writes, one call per piece of text; NULL: stdout. */
void memcore_set_print(void (*print)(void *opaque, const char *text), void *opaque);

/* How many references an object has now: for leak checks, not for decisions. */
unsigned memcore_object_references(const Object *object);

/*
 * Calls the bottom halves (qemu/main-loop.h) that are scheduled, in the order
 * they were; those they schedule wait for the next time.  Needs the big lock.
 * Returns how many it called.  `wake`, which may run on any thread, is called
 * when there is something to run, so that an event loop need not poll; NULL: nobody is.
 */
size_t memcore_run_bottom_halves(void);
void memcore_set_wake(void (*wake)(void *opaque), void *opaque);

/* Counts for leak checks; all are 0 (views: the permanent empty one is not counted) when everything was given back. */
typedef struct {
    size_t flat_views;
    size_t ram_blocks;
    size_t address_spaces;  /* including those whose deferred destruction has not run */
    size_t listeners;
    size_t deferred;
} MemcoreStatistics;
void memcore_statistics(MemcoreStatistics *out);

#pragma GCC visibility pop

#endif
