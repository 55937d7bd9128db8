/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace stats: what traces are made of.
 */
#include <getopt.h>
#include <glib.h>

#include "memtrace/commands.h"
#include "memtrace/files.h"
#include "trace/statistics.h"

static const char help[] =
    "Usage: memtrace stats [OPTION]... FILE-OR-FOLDER...\n"
    "\n"
    "Count the operations of traces (text or binary): how often each occurs and in how\n"
    "many traces, how addresses and sizes are given, which groups are in use.\n"
    "Folders are read with all folders in them.\n"
    "\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 counted, 2 usage or an unreadable file (the others are counted).\n"
    "\n"
    "Example: memtrace stats corpora/region_tree\n";

int cmd_stats(int argc, char **argv)
{
    static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
    struct trace_statistics statistics = { 0 };
    GPtrArray *files;
    struct trace t;
    int option, status = 0;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option != 'h') {
            return 2;
        }
        fputs(help, stdout);
        return 0;
    }
    if (optind == argc) {
        fprintf(stderr, "memtrace stats: which files or folders? See memtrace stats --help\n");
        return 2;
    }
    files = g_ptr_array_new_with_free_func(g_free);
    for (int i = optind; i < argc; i++) {
        if (!files_add(files, argv[i], "memtrace stats")) {
            status = 2;
        }
    }
    trace_init(&t);
    for (guint i = 0; i < files->len; i++) {
        if (trace_load(&t, g_ptr_array_index(files, i))) {
            trace_statistics_add(&statistics, &t);
        } else {
            status = 2;
        }
    }
    trace_free(&t);
    g_ptr_array_unref(files);
    trace_statistics_print(&statistics, stdout);
    return status;
}
