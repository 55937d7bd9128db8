/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memtrace as people run it, in a folder of the test's own. */
#ifndef HARNESS_TESTS_MEMTRACE_TOOL_H
#define HARNESS_TESTS_MEMTRACE_TOOL_H

#include <glib.h>

struct result {
    int status;
    char *out, *error;
};

/* The program next to this one, or $MEMTRACE.  tool_stop() complains of files that a test left. */
void tool_start(const char *own_path);
void tool_stop(void);

/* Arguments are divided by blanks. */
struct result tool_run(const char *arguments);
/* The same, unable to write a byte to any file, as on a full disk. */
struct result tool_run_full_disk(const char *arguments);
/* The same with this on standard input. */
struct result tool_run_with(const char *arguments, const char *input);
void result_free(struct result *r);

/* `out` NULL: anything; `error` NULL: one line of anything. */
void assert_result(struct result r, int status, const char *out, const char *error);
void assert_output(const char *arguments, int status, const char *out, const char *error);

/* All names in the folder, sorted, with a blank after each. */
void assert_files(const char *names);

void put_file(const char *name, const void *content, size_t size);
char *get_file(const char *name, size_t *size);
void remove_file(const char *name);         /* or an empty folder */
void make_folder(const char *name);

#endif
