/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace stats: what traces are made of, and how much of them is played.
 */
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <unistd.h>

#include "memtrace/commands.h"
#include "memtrace/files.h"
#include "memtrace/input.h"
#include "memtrace/option.h"
#include "run/crash.h"
#include "run/run.h"
#include "run/subject.h"
#include "trace/statistics.h"

static const char help[] =
    "Usage: memtrace stats [OPTION]... FILE-OR-FOLDER...\n"
    "\n"
    "Count the operations of traces (text or binary): how often each occurs and in\n"
    "how many traces, how addresses and sizes are given, which groups are in use.\n"
    "Folders are read with all folders in them.\n"
    "\n"
    "      --played         play the traces on core and model and print instead, for\n"
    "                       each operation, how many of its steps were skipped,\n"
    "                       because nothing suited an operand.  More than a fifth of\n"
    "                       20 steps or more is too many: the traces test less of\n"
    "                       the operation than it seems\n"
    "  -p, --profile NAME   with --played: memcore or qemu-7.2\n"
    "  -w, --wide           with --played: as memtrace run --wide\n"
    "      --binary         the files are binary, whatever they look like: for an\n"
    "                       engine's corpus\n"
    "  -h, --help           this text\n"
    "\n"
    "Nothing is printed unless all files could be read.\n"
    "Exit status: 0 counted, 1 --played: too many steps skipped, or core and model\n"
    "differ, 2 usage, an unreadable file or no steps in all files.\n"
    "\n"
    "Example: memtrace stats corpora/region_tree\n";

/* Too many skipped steps are MANY_STEPS or more of an operation, of which more than one in ONE_IN is skipped. */
enum { MANY_STEPS = 20, ONE_IN = 5 };

struct stats_command {
    bool played;
    unsigned flags;
    struct run_options run;
    struct trace_statistics statistics;
    struct run_totals totals;
};

static void print_played_line(const char *name, uint64_t steps, uint64_t skipped, const char *mark)
{
    printf("%-13s %10" PRIu64 " %10" PRIu64 " ", name, steps, skipped);
    if (steps) {
        printf("%6.1f%%%s\n", 100.0 * (double)skipped / (double)steps, mark);
    } else {
        printf("%7s\n", "-");
    }
}

/* True if no operation is skipped too often. */
static bool print_played(const struct stats_command *command)
{
    const struct run_totals *totals = &command->totals;
    uint64_t steps = 0, skipped = 0;
    bool good = true;

    printf("%-13s %10s %10s %7s\n", "operation", "steps", "skipped", "rate");
    for (enum trace_op op = 0; op < TRACE_OP_COUNT; op++) {
        bool too_many = totals->op_steps[op] >= MANY_STEPS &&
                        totals->op_skipped[op] * ONE_IN > totals->op_steps[op];

        print_played_line(trace_op_table[op].mnemonic, totals->op_steps[op], totals->op_skipped[op],
                          too_many ? "  too many" : "");
        if (too_many) {
            fprintf(stderr, "memtrace stats: %s: %" PRIu64 " of %" PRIu64 " steps skipped, more than one in %d\n",
                    trace_op_table[op].mnemonic, totals->op_skipped[op], totals->op_steps[op], ONE_IN);
            good = false;
        }
        steps += totals->op_steps[op];
        skipped += totals->op_skipped[op];
    }
    print_played_line("total", steps, skipped, "");
    return good;
}

/* Core and model must agree: else the core may be unsound, and nothing more can be played. */
static void play(struct stats_command *command, struct runner *runner, const struct trace *t, const char *path)
{
    crash_watch_begin(runner, NULL, path);
    if (runner_run(runner, t, &command->totals) != RUN_OK) {
        crash_watch_end();
        run_report(stderr, runner, path);
        fflush(NULL);
        _exit(1);
    }
    crash_watch_end();
}

/* False if any could not be read; what can be is examined all the same. */
static bool examine(struct stats_command *command, struct runner *runner, const GPtrArray *files)
{
    bool all = true;

    for (guint i = 0; i < files->len; i++) {
        const char *path = g_ptr_array_index(files, i);
        struct input in;

        /* Corpora of engines have inputs too short for a step. */
        if (!input_load(&in, path, command->flags | INPUT_ANY_SIZE)) {
            all = false;
            continue;
        }
        trace_statistics_add(&command->statistics, &in.trace);
        if (runner && all) {
            play(command, runner, &in.trace, path);
        }
        input_free(&in);
    }
    return all;
}

static int report(const struct stats_command *command, guint files)
{
    if (command->statistics.steps == 0) {
        fprintf(stderr, "memtrace stats: no steps in %u file%s\n", files, files == 1 ? "" : "s");
        return 2;
    }
    if (command->played) {
        return print_played(command) ? 0 : 1;
    }
    trace_statistics_print(&command->statistics, stdout);
    return 0;
}

static int count(struct stats_command *command, const GPtrArray *files)
{
    struct runner *runner = NULL;
    bool all;

    if (command->played) {
        subject_start();
        runner = runner_new(&command->run);
        crash_watch_install();
    }
    all = examine(command, runner, files);
    if (runner) {
        runner_free(runner);
    }
    return all ? report(command, files->len) : 2;
}

static int count_all(struct stats_command *command, char **paths, int path_count)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    bool all = true;
    int status = 2;

    for (int i = 0; i < path_count; i++) {
        all = files_add(files, paths[i], "memtrace stats") && all;
    }
    if (all) {
        status = count(command, files);
    }
    g_ptr_array_unref(files);
    return status;
}

int cmd_stats(int argc, char **argv)
{
    static const struct option options[] = {
        { "played", no_argument, NULL, 'P' }, { "profile", required_argument, NULL, 'p' },
        { "wide", no_argument, NULL, 'w' }, { "binary", no_argument, NULL, 'B' },
        { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct stats_command command = { .played = false };
    const struct option_target target = {
        .command = "memtrace stats", .help = help, .run = &command.run, .input_flags = &command.flags,
    };
    int option, status;

    run_options_default(&command.run);
    while ((option = getopt_long(argc, argv, "p:wh", options, NULL)) != -1) {
        switch (option) {
        case 'P':
            command.played = true;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind == argc) {
        fprintf(stderr, "memtrace stats: which files or folders? See memtrace stats --help\n");
        return 2;
    }
    return count_all(&command, argv + optind, argc - optind);
}
