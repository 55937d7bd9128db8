/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sub-commands of memtrace, and what they have in common.
 *
 * A command gets its own arguments; argv[0] is "memtrace NAME", so that
 * getopt_long's complaints begin with it.  It returns the exit status: 0 done,
 * 1 what was examined failed, 2 wrong usage or a file that cannot be read or written.
 */
#ifndef HARNESS_MEMTRACE_COMMANDS_H
#define HARNESS_MEMTRACE_COMMANDS_H

#include <stdio.h>

int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_pack(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_emit_c(int argc, char **argv);
int cmd_minimize(int argc, char **argv);
int cmd_draw(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_triage(int argc, char **argv);
int cmd_ram(int argc, char **argv);          /* not with HARNESS_SUBJECT: it reads files with memcore */

#endif
