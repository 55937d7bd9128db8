/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker of small_world does: it plays its part of the trees, and says in
 * shared memory how far it is.  The parent never calls the core, so that it can
 * still speak, and fork a clean process, when a worker has died.
 */
#ifndef CONFORMANCE_EXHAUSTIVE_WORK_H
#define CONFORMANCE_EXHAUSTIVE_WORK_H

#include "run/run.h"
#include "world.h"

enum {
    LEVELS = WORLD_REGIONS,     /* a level: the trees of so many regions */
    JOBS_MAX = 64,
    REPORT_SIZE = 16384,
    HANG_SECONDS = 60,          /* no tree takes that long: the core hangs */
    EXIT_DIFFERENCE = 1, EXIT_USAGE = 2, EXIT_BROKEN = 3,
};

/* What one worker writes and the parent reads. */
struct post {
    uint64_t trees[LEVELS + 1], changes, steps;
    /* the case being played */
    unsigned level;
    size_t structure;
    uint64_t geometry;
    bool dressed;
    size_t step;
    bool failed;                /* the runner said so; else the process died in this step */
    char report[REPORT_SIZE];   /* the runner's */
};

struct level {
    struct world_structure *structures;
    size_t count;
    uint64_t trees, largest;    /* all, and of the structure that has most */
    uint64_t *stride;           /* per structure: how far to the next geometry, modulo their number */
};

struct campaign {
    unsigned jobs;
    double seconds;             /* negative: no limit */
    double started;             /* campaign_now() then */
    struct level level[LEVELS + 1];
    struct post *posts;
};
extern struct campaign campaign;

double campaign_now(void);
void campaign_number(void);     /* fills in the levels */

/* Plays the trees of one worker; returns if all agree, else leaves the process. */
void work(unsigned worker);

/* A new process needs one; also checks that steps are played as they are written. */
struct runner *work_start_runner(void);
void work_keep_report(char *report, struct runner *r);

#endif
