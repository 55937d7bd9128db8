/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that several commands have, and their values.  What is wrong is said in one line on stderr. */
#ifndef HARNESS_MEMTRACE_OPTION_H
#define HARNESS_MEMTRACE_OPTION_H

#include "run/run.h"

/* What the options change that commands share: -p, -w, --binary ('B') and -h. */
struct option_target {
    const char *command;        /* "memtrace run" */
    const char *help;
    struct run_options *run;    /* NULL: the command has neither -p nor -w */
    unsigned *input_flags;      /* NULL: nor --binary */
};

/*
 * For what getopt_long() found and the command's own switch has no case for.  False: the command ends with *status,
 * after --help or after a complaint.
 */
bool option_shared(int option, const struct option_target *target, int *status);

/* A number from `least` to `most`; false: `text` is none. */
bool option_number(const char *command, const char *option, const char *text, unsigned least, unsigned most,
                   unsigned *number);

#endif
