/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving RAM into a mapped-ram file while the guest writes to it
 * (conformance/spec/migration.md, chapters 4 and 5).
 *
 *     save = ram_save_new(&parameters, &error_fatal);
 *     result = ram_save_setup(save, errp);
 *     while (result >= 0 && (result = ram_save_iterate(save, pages, errp)) > 0)
 *         ... the guest runs ...
 *     if (result == 0)
 *         result = ram_save_complete(save, errp);
 *     ram_save_free(save);
 *
 * ram_save_run() is all of that.  A file is sound or not there: until the last step its
 * first 8 bytes are zero, and with a path it has another name (R-SAVE-9).
 *
 * Everything needs the big lock, except ram_save_cancel(); other threads may write to
 * RAM all the time, until stop_writers.  Workers are at work during a step only: between two
 * of them blocks may come and go.
 */
#ifndef MIGRATION_RAM_SAVE_H
#define MIGRATION_RAM_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qapi/error.h"

#pragma GCC visibility push(default)

typedef struct RamSave RamSave;

typedef struct {
    uint64_t total;             /* bytes of RAM */
    uint64_t normal;            /* pages written */
    uint64_t zero;              /* pages found to be zero */
    uint64_t transferred;       /* bytes of pages written */
    uint64_t remaining;         /* pages known to be dirty and not taken yet (R-ITER-3) */
    uint64_t dirty_sync_count;  /* looks for dirty pages, the first one included */
    uint64_t dirty_pages_rate;  /* pages a second that became dirty, over the last second or more (R-ITER-10) */
    uint64_t bandwidth;         /* bytes of pages written a second, over the last 100 ms or more; 0: not known */
    uint64_t total_ms;          /* since setup */
    uint64_t downtime_ms;       /* since the writers were stopped */
    unsigned throttle_percent;  /* what throttle() was told last */
    bool direct_io;             /* pages go past the host's cache: asked for, and possible */
} RamSaveCounters;

typedef struct {
    const char *path;           /* where the file is to be when it is complete; or NULL, and */
    int fd;                     /* a descriptor of the caller's, which is cut to `base` first */
    uint64_t base;              /* where the stream starts; 0 with a path */
    const char *machine;        /* 1 to 255 bytes; QEMU loads the file into this machine type only */
    const uint8_t *uuid;        /* 16 bytes: the machine's, which QEMU compares with its own; NULL: none in the file */
    /* Bits of the CPU family's smallest page, if the target's has more: the file says them (R-STRM-2); or 0. */
    unsigned family_page_bits;
    uint64_t alignment;         /* of pages in the file: a power of two, TARGET_PAGE_SIZE or more; 0: 1 MiB */
    bool keep_zero_pages;       /* write all pages, without looking whether they are zero */
    uint64_t enough;            /* with fewer dirty pages than that iterating has converged; 0: after one pass */
    unsigned max_rounds;        /* iterating has also converged after so many more looks for dirty pages; 0: no limit */
    unsigned downtime_limit_ms; /* ... and with what takes no longer than this to write, as measured; 0: not asked */
    uint64_t bandwidth;         /* bytes a second that iterating (not completing) writes at most; 0: no limit */
    unsigned workers;           /* threads that look at pages and write them, up to 16; 0: the calling thread does */
    bool direct_io;             /* past the host's cache, where file system and alignment allow it (R-SAVE-7) */
    bool punch_holes;           /* pages that became zero leave no old bytes in the file, where it can have holes */
    uint8_t clear_bmap_shift;   /* listeners are told to clear 1 << shift pages at once (R-CLR-1), 6 to 31; 0: 18 */
    void (*stop_writers)(void *opaque);     /* returns when nobody writes any more; or NULL */
    void (*resume_writers)(void *opaque);   /* after stop_writers, if the save failed all the same; or NULL */
    /*
     * After stop_writers: what goes between the END of the RAM and the end of the stream, whole records (R-STRM-4),
     * which stay the caller's; or NULL.  Where it cannot be had: ram_save_cancel().
     */
    const void *(*save_devices)(void *opaque, size_t *length);
    /* At each step, and during long ones; false cancels; or NULL. */
    bool (*progress)(void *opaque, const RamSaveCounters *counters);
    /*
     * The guest dirties more than half of what is written, again and again: it is to lose that share of its time;
     * or NULL.
     */
    void (*throttle)(void *opaque, unsigned percent);
    void *opaque;
} RamSaveParameters;

/* The parameters' strings, and the uuid, are copied.  NULL and an Error: a parameter that cannot be. */
RamSave *ram_save_new(const RamSaveParameters *parameters, Error **errp);

/*
 * Creates the file, lays it out, starts dirty logging.  0; or -errno and an Error, with
 * nothing left behind: -EBUSY while another save is active.
 */
int ram_save_setup(RamSave *save, Error **errp);

/*
 * Saves up to `pages` dirty pages, fewer if `bandwidth` says so, and looks for new ones when few are left.
 *
 *    1      more is dirty; there is room for it in ram_save_wait_ms()
 *    0      converged: complete it
 *   -errno  an Error; the save has failed and nothing of it is left: -ECANCELED if it was
 *           cancelled, -EBUSY if RAM blocks came, went or changed their length (R-ITER-11)
 */
int ram_save_iterate(RamSave *save, uint64_t pages, Error **errp);

/* How long the bandwidth limit leaves nothing to do for ram_save_iterate(); 0: it can go on. */
unsigned ram_save_wait_ms(const RamSave *save);

/* Stops the writers and saves the rest.  0, and the writers stay stopped; or -errno as above. */
int ram_save_complete(RamSave *save, Error **errp);

/* setup, iterate, complete; sleeps, and lets go of the big lock meanwhile, where bandwidth is limited. */
int ram_save_run(RamSave *save, Error **errp);

/* Any thread, any time between new and free: the step that runs, or the next one, fails soon. */
void ram_save_cancel(RamSave *save);

/* As of the last step. */
void ram_save_counters(const RamSave *save, RamSaveCounters *counters);

/* An active save fails silently.  NULL: nothing. */
void ram_save_free(RamSave *save);

#pragma GCC visibility pop

#endif
