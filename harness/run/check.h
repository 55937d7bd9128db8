/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing what was seen with what was expected.  Each check returns true, or
 * fills the failure (rule, what, and both sides as text) and returns false.
 */
#ifndef HARNESS_RUN_CHECK_H
#define HARNESS_RUN_CHECK_H

#include "run/player.h"
#include "run/run.h"

/*
 * Bring an event log into the form that is compared:
 *  - how often a step flushes the accelerator's buffer is not specified, that
 *    it does so before anything else is (R-TX-1): one flush event or none, first;
 *    and one before a device is called, where there was any (R-EVM-10);
 *  - the order in which owners die in one go is not specified: by number.
 */
void check_normalize(struct event_log *log);

/*
 * In which order regions and owners die that die together is not specified: blocks by region, those of none by
 * length, then owners by number.
 */
void check_sort_deaths(struct event_log *log);

/*
 * R-SYNC-3: what bmap_sync tells listeners, whatever its pieces; telling page by page that a range was cleared, and
 * telling it in one go, are both right.
 */
void check_merge_cleared(struct event_log *log);

/* Results and callbacks of a step. */
bool check_observation(const struct trace_step *step, const struct observation *expected,
                       const struct observation *seen, struct run_failure *failure);

/* I-1: the published view of each space is the list of maximal runs; R-FV-11: who shares a view with whom. */
bool check_views(struct player *p, const struct model *m, struct view *scratch, struct run_failure *failure);

/* I-3: sets kept from region_add and region_del alone equal the published views. */
struct shadow;
struct shadow *shadow_new(void);
void shadow_free(struct shadow *s);
void shadow_reset(struct shadow *s);
bool shadow_follow(struct shadow *s, const struct event_log *seen, struct run_failure *failure);
bool shadow_check(const struct shadow *s, const struct model *m, struct run_failure *failure);

/* R-OBJ-6: owners' reference counts; live views. */
bool check_references(struct player *p, const struct model *m, struct run_failure *failure);

/* The RAM that the step wrote, with some around it, holds what the model says. */
bool check_touched(struct player *p, const struct model *m, const struct observation *expected,
                   struct run_failure *failure);
/* All RAM of regions that have little; for the end of a trace. */
bool check_ram(struct player *p, const struct model *m, struct run_failure *failure);

/* check_events.c: callbacks in order; part of check_observation. */
bool check_events(const struct event_log *expected, const struct event_log *seen, struct run_failure *failure);

/* check_access.c: the results of accesses; part of check_observation. */
bool check_access(const struct trace_step *step, const struct observation *expected, const struct observation *seen,
                  struct run_failure *failure);
uint64_t check_access_hash(uint64_t hash, const struct observation *seen);

/* Descriptors of the process that are open, as far as a trace can bring them. */
unsigned check_open_files(void);

/* Everything was given back; `open_files`: as many are open as then, 0: not to be looked at. */
bool check_empty(unsigned open_files, struct run_failure *failure);

/* Mix what was seen into a hash: equal runs have equal hashes. */
uint64_t check_hash(uint64_t hash, const struct observation *seen);

__attribute__((format(printf, 4, 5)))
bool check_fail(struct run_failure *failure, const char *rule, const char *what, const char *core_format, ...);
void check_model_says(struct run_failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
