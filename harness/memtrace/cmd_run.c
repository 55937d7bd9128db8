/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace run: play traces on the core and the model and compare.
 */
#include <getopt.h>
#include <inttypes.h>
#include <unistd.h>

#include "memtrace/commands.h"
#include "memtrace/input.h"
#include "memtrace/option.h"
#include "run/crash.h"
#include "run/run.h"
#include "run/subject.h"

static const char help[] =
    "Usage: memtrace run [OPTION]... FILE...\n"
    "\n"
    "Play each trace (text or binary) on the core and on the reference model and\n"
    "compare them after every step.\n"
    "\n"
    "  -v, --verbose        print every step as it is played, and its callbacks\n"
    "  -p, --profile NAME   memcore (the default: documented improvements) or\n"
    "                       qemu-7.2 (its quirks)\n"
    "  -r, --repeat N       play each trace N times, 1 or more: hashes must be equal\n"
    "  -w, --wide           lift the limits on size that fuzzing needs: for traces of\n"
    "                       whole machines\n"
    "  -q, --quiet          print failures only\n"
    "      --binary         the file is binary, whatever it looks like\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 all agree, 1 a difference or a crash, 2 usage, an unreadable file\n"
    "or a trace without steps.\n"
    "\n"
    "Example: memtrace run -v corpora/region_tree/seeds/equal-priority.trace\n";

enum { REPEAT_MAX = 1000 * 1000 * 1000 };

struct run_command {
    bool verbose, quiet;
    unsigned repeat;
    struct run_options options;
    const struct trace *trace;
};

static void print_step(const char *mark, size_t index, const struct trace_step *step)
{
    char line[256];

    trace_print_step(step, line, sizeof(line));
    printf("%s%4zu  %s\n", mark, index + 1, line);
}

static void on_step(void *opaque, size_t index, const struct trace_step *written,
                    const struct trace_step *resolved, const struct observation *expected,
                    const struct observation *seen, enum run_outcome outcome)
{
    const struct run_command *command = opaque;

    (void)expected;
    if (!command->verbose) {
        return;
    }
    if (outcome == RUN_SKIPPED) {
        print_step("  - ", index, written);
        return;
    }
    if (index == command->trace->count) {
        printf("    everything is undone:\n");
    }
    print_step(outcome == RUN_FAILED ? "  ! " : "    ", index, resolved);
    for (size_t i = 0; seen && i < seen->events.count; i++) {
        char line[256];

        event_print(&seen->events.events[i], line, sizeof(line));
        printf("            %s\n", line);
    }
    fflush(stdout);
}

/* False: a failure was reported; the core may be unsound, nothing more can be played. */
static bool run_file(struct run_command *command, struct runner *runner, const struct input *in, const char *path)
{
    uint64_t first_hash = 0;

    for (unsigned round = 0; round < command->repeat; round++) {
        struct run_totals totals = { 0 };

        crash_watch_begin(runner, NULL, path);
        if (runner_run(runner, &in->trace, &totals) != RUN_OK) {
            crash_watch_end();
            fflush(stdout);
            run_report(stderr, runner, path);
            return false;
        }
        crash_watch_end();
        if (round == 0) {
            first_hash = totals.hash;
            if (!command->quiet) {
                printf("ok  %s%s  %zu steps, %" PRIu64 " skipped, %" PRIu64 " compared, hash %016" PRIx64 "\n", path,
                       in->binary ? " (binary)" : "", in->trace.count, totals.skipped, totals.checked, totals.hash);
                fflush(stdout);
            }
        } else if (totals.hash != first_hash) {
            fprintf(stderr, "%s: not deterministic: hash %016" PRIx64 " in the first run, %016" PRIx64
                    " in run %u\n", path, first_hash, totals.hash, round + 1);
            return false;
        }
    }
    return true;
}

int cmd_run(int argc, char **argv)
{
    static const struct option options[] = {
        { "verbose", no_argument, NULL, 'v' }, { "profile", required_argument, NULL, 'p' },
        { "repeat", required_argument, NULL, 'r' }, { "wide", no_argument, NULL, 'w' },
        { "quiet", no_argument, NULL, 'q' }, { "binary", no_argument, NULL, 'B' },
        { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct run_command command = { .repeat = 1 };
    struct runner *runner;
    unsigned flags = INPUT_NEEDS_STEPS;
    const struct option_target target = {
        .command = "memtrace run", .help = help, .run = &command.options, .input_flags = &flags,
    };
    int option, status = 0;

    run_options_default(&command.options);
    while ((option = getopt_long(argc, argv, "vp:r:wqh", options, NULL)) != -1) {
        switch (option) {
        case 'v':
            command.verbose = true;
            break;
        case 'r':
            if (!option_number("memtrace run", "--repeat", optarg, 1, REPEAT_MAX, &command.repeat)) {
                return 2;
            }
            break;
        case 'q':
            command.quiet = true;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind == argc) {
        fprintf(stderr, "memtrace run: which trace? See memtrace run --help\n");
        return 2;
    }

    subject_start();
    command.options.on_step = on_step;
    command.options.opaque = &command;
    runner = runner_new(&command.options);
    crash_watch_install();
    for (int i = optind; i < argc && status == 0; i++) {
        struct input in;

        if (!input_load(&in, argv[i], flags)) {
            status = 2;
            break;
        }
        command.trace = &in.trace;
        if (!run_file(&command, runner, &in, argv[i])) {
            status = 1;
        }
        input_free(&in);
    }
    if (status != 1) {      /* after a failure the core holds what it holds */
        runner_free(runner);
    } else {
        fflush(NULL);
        _exit(1);
    }
    return status;
}
