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
 * RAM all the time, until stop_writers.
 */
#ifndef MIGRATION_RAM_SAVE_H
#define MIGRATION_RAM_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qapi/error.h"

typedef struct RamSave RamSave;

typedef struct {
    const char *path;           /* where the file is to be when it is complete; or NULL, and */
    int fd;                     /* a descriptor of the caller's, which is cut to `base` first */
    uint64_t base;              /* where the stream starts; 0 with a path */
    const char *machine;        /* 1 to 255 bytes; QEMU loads the file into this machine type only */
    uint64_t alignment;         /* of pages in the file: a power of two, TARGET_PAGE_SIZE or more; 0: 1 MiB */
    bool keep_zero_pages;       /* write all pages, without looking whether they are zero */
    uint64_t enough;            /* with fewer dirty pages than that iterating has converged; 0: after one pass */
    unsigned max_rounds;        /* iterating has also converged after so many looks for dirty pages; 0: no limit */
    void (*stop_writers)(void *opaque);     /* returns when nobody writes any more; or NULL */
    void (*resume_writers)(void *opaque);   /* after stop_writers, if the save failed all the same; or NULL */
    void *opaque;
} RamSaveParameters;

typedef struct {
    uint64_t total;             /* bytes of RAM */
    uint64_t normal;            /* pages written */
    uint64_t zero;              /* pages found to be zero */
    uint64_t remaining;         /* pages known to be dirty and not taken yet (R-ITER-3) */
    uint64_t dirty_sync_count;  /* looks for dirty pages, the first one included */
} RamSaveCounters;

/* The parameters' strings are copied.  NULL and an Error: a parameter that cannot be. */
RamSave *ram_save_new(const RamSaveParameters *parameters, Error **errp);

/*
 * Creates the file, lays it out, starts dirty logging.  0; or -errno and an Error, with
 * nothing left behind: -EBUSY while another save is active.
 */
int ram_save_setup(RamSave *save, Error **errp);

/*
 * Saves up to `pages` dirty pages, and looks for new ones when few are left.
 *
 *    1      more is dirty
 *    0      converged: complete it
 *   -errno  an Error; the save has failed and nothing of it is left: -ECANCELED if it was
 *           cancelled, -EBUSY if RAM blocks came, went or changed their length (R-ITER-11)
 */
int ram_save_iterate(RamSave *save, uint64_t pages, Error **errp);

/* Stops the writers and saves the rest.  0, and the writers stay stopped; or -errno as above. */
int ram_save_complete(RamSave *save, Error **errp);

/* setup, iterate, complete. */
int ram_save_run(RamSave *save, Error **errp);

/* Any thread, any time between new and free: the step that runs, or the next one, fails soon. */
void ram_save_cancel(RamSave *save);

void ram_save_counters(const RamSave *save, RamSaveCounters *counters);

/* An active save fails silently.  NULL: nothing. */
void ram_save_free(RamSave *save);

#endif
