/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of `memtrace triage`:
 *
 *   inputs --replay--> failures --group--> bugs --explain--> a folder for each bug
 *
 * Everything is played in child processes, several at a time; what they find
 * is written to memory shared with them.
 */
#ifndef HARNESS_MEMTRACE_TRIAGE_H
#define HARNESS_MEMTRACE_TRIAGE_H

#include <glib.h>

#include "minimize/minimize.h"

enum triage_state {
    TRIAGE_NOT_REPLAYED, /* its process was killed */
    TRIAGE_UNREADABLE,   /* complained about on stderr */
    TRIAGE_PASSES,       /* fails no more, in three runs */
    TRIAGE_UNSTABLE,     /* failed in some of them */
    TRIAGE_FAILS,
};

struct triage_input {
    enum triage_state state;
    size_t steps;
    struct failure_signature signature;
};

/* One bug, as far as its symptoms tell. */
struct triage_group {
    guint id;         /* what triage.group_of calls it, wherever sorting puts it */
    char key[400];    /* rule and what differs; misuse; or kind of report and top frames of the project */
    char title[200];  /* for people */
    char rule[24];    /* "R-LST-8", or "" */
    char folder[100]; /* its name in the output folder */
    guint smallest;   /* the input with the fewest steps */
    guint count;
    enum {
        TRIAGE_OPEN, /* not looked at, or interrupted */
        TRIAGE_WRITTEN,
        TRIAGE_KEPT,   /* was there already from an earlier run */
        TRIAGE_FLAKY,  /* does not fail twice in the same way: written, but not minimized */
        TRIAGE_FAILED, /* could not be written; said why on stderr */
    } outcome;
    size_t steps;      /* of the minimized trace */
    char adopted[300]; /* path of the regression, or "" */
};

struct triage {
    GPtrArray *paths;            /* of char: the inputs */
    struct triage_input *inputs; /* shared memory */
    struct triage_group *groups; /* shared memory, room for as many as there are inputs */
    guint group_count;
    guint *group_of; /* input -> id of its group, only where it fails */
    const char *output, *spec, *corpora, *target;
    struct run_options run;
    const char *profile; /* as given, NULL: the default */
    bool wide, adopt;
    unsigned jobs;
    bool quiet;
};

/* Zeroed memory that child processes share. */
void *triage_shared(size_t size);

/*
 * work(i) for each i below count, in `jobs` processes.  What work() leaves in
 * shared memory stays; a process that dies takes the index it was at with it.
 */
void triage_each(struct triage *t, guint count, const char *phase,
                 void (*work)(struct triage *t, guint index));

/* Is the file a binary trace whatever it looks like?  All are, unless they are called *.trace. */
bool triage_is_binary(const char *path);

/* Replays every input. */
void triage_replay(struct triage *t);

/* Sorts those that fail into groups, the most frequent first. */
void triage_sort(struct triage *t);

/* Writes each group's folder, and the index. */
bool triage_write(struct triage *t);

/*
 * This program with other arguments (the command's name first, NULL last), addresses in sanitizer reports resolved.
 * Returns its exit status, or -1 if it was ended by a signal; *text (may be NULL) is what it printed,
 * to be freed with g_free.
 */
int triage_run_self(const char *const *arguments, char **text);

#endif
