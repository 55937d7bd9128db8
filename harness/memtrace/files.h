/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and folders named on the command line. */
#ifndef HARNESS_MEMTRACE_FILES_H
#define HARNESS_MEMTRACE_FILES_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Adds the path, or for a folder all files in it and below, sorted by name,
 * names that begin with a dot left out.  A path that does not exist or a folder without
 * files is a mistake: one line on stderr that begins with `command`, and false.
 */
bool files_add(GPtrArray *files, const char *path, const char *command);

/*
 * For writing, "-" for standard output: NULL after one line on stderr.  A file appears,
 * or is replaced, when output_close() has written all of it; until then it is a
 * temporary one in the same folder.  One at a time.
 */
FILE *output_open(const char *path, const char *command);

/* Everything written?  Closes the file; false after one line on stderr. */
bool output_close(FILE *out, const char *path, const char *command);

/* Can it be written?  For commands that work long before they do; false after one line on stderr. */
bool output_check(const char *path, const char *command);

#endif
