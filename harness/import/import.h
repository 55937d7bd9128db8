/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's `info mtree` text, read back into the regions it describes.
 *
 * The text leaves things out.  It does not tell
 *   - a container from a device region (both print as i/o),
 *   - which of several regions of one name an alias means,
 *   - that two printed subtrees are one region (a tree and an alias target's block),
 *   - which of two siblings of equal priority is the newer one,
 *   - read-only flags, except on RAM,
 *   - no bytes from one byte.
 * Each of these is inferred only where it must be, and each inference is a note
 * with the line it is about.  When the text goes on with `info mtree -f` of the
 * same moment, the flat views serve as evidence; without them defaults are taken.
 *
 * This part knows nothing of the core; build.h makes the regions with its API.
 */
#ifndef HARNESS_IMPORT_IMPORT_H
#define HARNESS_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "trace/trace.h"

enum {
    IMPORT_NONE = -1,
    IMPORT_LEVELS_MAX = 64,         /* nesting of one tree */
    IMPORT_LINES_MAX = 1 << 16,     /* region lines; range lines likewise */
    IMPORT_TEXT_MAX = 8 << 20,     /* bytes */
    IMPORT_NOTES_MAX = 1000,        /* more are only counted */
};

enum import_kind {
    IMPORT_IO,              /* container or device region: see `terminating` */
    IMPORT_RAM,
    IMPORT_ROM,             /* read-only RAM */
    IMPORT_ROM_DEVICE,      /* in its read mode; else it prints, and is imported, as i/o */
    IMPORT_RAM_DEVICE,
    IMPORT_KINDS,
};
extern const char *const import_kind_names[IMPORT_KINDS];   /* as in the text: "i/o", "ram", ... */

/* What a hidden property is known to be. */
enum import_answer {
    IMPORT_UNKNOWN,
    IMPORT_NO,
    IMPORT_YES,
};

struct import_region {
    const char *name;               /* NULL: the region has no name */
    enum import_kind kind;          /* of an alias: what the text says, its target's */
    uint64_t size;                  /* UINT64_MAX: 2^64 */
    uint64_t address;               /* in the container, or kept from one that is not shown */
    uint64_t alias_offset;
    int32_t priority;
    int container;                  /* index of a region or IMPORT_NONE */
    int target;                     /* of an alias: index of a region; else IMPORT_NONE */
    int *children;                  /* indices in sibling order, R-TREE-2: the first wins */
    size_t child_count;
    unsigned line;                  /* where the text mentions it first; 0: only the import needs it */
    bool enabled, nonvolatile;
    bool terminating;               /* answers accesses itself */
    bool maybe_empty;               /* an alias that prints as one byte, which one of none does too */
    bool readonly;                  /* memory_region_set_readonly; for IMPORT_ROM true */
    /* What a flat view proved, of this text or an earlier one; UNKNOWN: the above is a default. */
    enum import_answer proved_terminating, proved_readonly;
    enum import_answer proved_empty;    /* never taken from an earlier text: windows open and close */
};

struct import_space {
    const char *name;
    int root;
    unsigned line;
};

/* One line of a flat view. */
struct import_range {
    const char *name;               /* NULL: the region has no name */
    enum import_kind kind;          /* R-MT-12: IMPORT_ROM for everything read-only */
    bool nonvolatile;
    int32_t priority;
    uint64_t first, last;
    uint64_t offset;
    unsigned line;
};

struct import_view {
    const char *root;               /* NULL: "(none)", the permanent empty view */
    const char **spaces;            /* names, with repetitions if spaces share a name */
    size_t space_count;
    struct import_range *ranges;
    size_t range_count;
    unsigned line;
};

struct import_note {
    unsigned line;                  /* 0: about the whole text */
    char *text;
};

struct import {
    struct import_region *regions;  /* an alias's target comes before the alias, a container anywhere */
    size_t region_count;
    struct import_space *spaces;    /* in the text's order */
    size_t space_count;
    struct import_view *views;      /* none without `info mtree -f` */
    size_t view_count;
    struct import_note *notes;      /* ascending by line */
    size_t note_count, notes_left_out;
    int cycle;                      /* an alias that shows a region around it (R-TREE-5), or IMPORT_NONE */
    char *text;                     /* holds all names */
};

/* Where the text is broken.  `message` says what was expected. */
struct import_error {
    unsigned line, column;          /* from 1; line 0: about the whole text */
    char message[240];
};

/*
 * Reads a text.  `earlier` may be an import of an earlier text of the same
 * running machine: what that one proved of a region is then known, and needs no
 * note, of the region of that name in that container here.  NULL otherwise.
 * Returns NULL with *error filled if the text is not one that QEMU prints.
 * The result is freed with import_free().
 */
struct import *import_read(const char *text, size_t size, const struct import *earlier,
                           struct import_error *error);
void import_free(struct import *im);    /* NULL-safe */

/* The same for a file, "-" for standard input.  NULL after one line on stderr (FILE:LINE:COLUMN: ...). */
struct import *import_load(const char *path);

/* Which spaces go into a trace. */
enum import_choice {
    IMPORT_AS_FITS,     /* the first ones, as many as the limits of a trace allow */
    IMPORT_ALL,         /* every one, or fail */
    IMPORT_NAMED,       /* those of the given name, or whose root has it */
};

/*
 * Appends the steps that build the chosen spaces to *trace (initialised and empty).
 * regions[slot] tells which region of *im became which slot (array of *region_count
 * numbers, to be freed with free()).  Returns false with *error filled when the
 * choice names nothing or does not fit into TRACE_REGIONS, TRACE_SPACES and TRACE_STEPS_MAX.
 */
bool import_trace(const struct import *im, enum import_choice choice, const char *name, struct trace *trace,
                  int **regions, size_t *region_count, struct import_error *error);

/* The same as text: notes as comments at the head, QEMU's name after each region's and space's line. */
bool import_print(const struct import *im, enum import_choice choice, const char *name, const char *source,
                  FILE *out, struct import_error *error);

#endif
