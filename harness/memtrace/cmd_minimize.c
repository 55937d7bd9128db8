/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memtrace minimize: the smallest trace that still fails in the same way.
 */
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "memtrace/commands.h"
#include "memtrace/files.h"
#include "memtrace/input.h"
#include "memtrace/option.h"
#include "memtrace/restart.h"
#include "minimize/minimize.h"

static const char help[] =
    "Usage: memtrace minimize [OPTION]... FILE\n"
    "\n"
    "Remove steps and simplify operands of a failing trace (text or binary) as\n"
    "long as it fails in the same way: same rule and same thing that differs, same\n"
    "misuse, or same sanitizer report.\n"
    "\n"
    "  -o, --output OUT     write the small trace there (default: standard output)\n"
    "  -p, --profile NAME   memcore or qemu-7.2\n"
    "  -n, --tries N        give up after N attempts, 1 or more (default 3000)\n"
    "  -w, --wide           as memtrace run --wide\n"
    "  -q, --quiet          no progress\n"
    "      --binary         the file is binary, whatever it looks like\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 minimized, 1 the trace does not fail (or not twice the same way),\n"
    "2 usage or an unreadable file; nothing is written then.\n"
    "\n"
    "Example: memtrace minimize crash-1234 -o small.trace\n";

enum { TRIES_MAX = 1000 * 1000 * 1000 };

static void on_progress(void *opaque, const struct minimize_progress *p)
{
    (void)opaque;
    fprintf(stderr, "\r\033[K%zu of %zu steps left, %u tries: fewer %s", p->steps, p->steps_before, p->tries,
            p->phase);
    fflush(stderr);
}

static bool write_trace(const struct trace *t, const char *path, const struct failure_signature *s,
                        const char *origin, size_t steps_before)
{
    FILE *out = output_open(path, "memtrace minimize");

    if (!out) {
        return false;
    }
    fprintf(out, "# fails: %s\n# minimized from %s (%zu steps)\n", s->summary, origin, steps_before);
    trace_print(t, out);
    return output_close(out, path, "memtrace minimize");
}

static int minimize_file(const struct minimize_options *minimize, const char *path, unsigned flags,
                         const char *output, bool quiet)
{
    struct failure_signature signature;
    size_t steps_before;
    unsigned tries = 0;
    struct input in;
    bool minimized;
    int status = 1;

    if (!input_load(&in, path, flags)) {
        return 2;
    }
    steps_before = in.trace.count;
    minimized = minimize_trace(&in.trace, minimize, &signature, &tries);
    if (minimize->progress) {
        fprintf(stderr, "\r\033[K");
    }
    if (!minimized && !signature.text[0]) {
        fprintf(stderr, "memtrace minimize: %s does not fail: core and model agree on all %zu steps\n", path,
                steps_before);
    } else if (!minimized) {
        fprintf(stderr, "memtrace minimize: %s fails differently from time to time, last: %s\n", path,
                signature.summary);
    } else if (!write_trace(&in.trace, output, &signature, input_base_name(path), steps_before)) {
        status = 2;
    } else {
        status = 0;
        if (!quiet) {
            fprintf(stderr, "%zu steps from %zu, %u tries: %s\n", in.trace.count, steps_before, tries,
                    signature.summary);
        }
    }
    input_free(&in);
    return status;
}

int cmd_minimize(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "profile", required_argument, NULL, 'p' },
        { "tries", required_argument, NULL, 'n' }, { "wide", no_argument, NULL, 'w' },
        { "quiet", no_argument, NULL, 'q' }, { "binary", no_argument, NULL, 'B' },
        { "help", no_argument, NULL, 'h' }, { 0 },
    };
    struct minimize_options minimize = { .tries_max = 3000 };
    const char *output = "-";
    unsigned flags = 0;
    bool quiet = false;
    const struct option_target target = {
        .command = "memtrace minimize", .help = help, .run = &minimize.run, .input_flags = &flags,
    };
    int option, status;

    run_options_default(&minimize.run);
    while ((option = getopt_long(argc, argv, "o:p:n:wqh", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            output = optarg;
            break;
        case 'n':
            if (!option_number("memtrace minimize", "--tries", optarg, 1, TRIES_MAX, &minimize.tries_max)) {
                return 2;
            }
            break;
        case 'q':
            quiet = true;
            break;
        default:
            if (!option_shared(option, &target, &status)) {
                return status;
            }
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "memtrace minimize: takes one trace, see memtrace minimize --help\n");
        return 2;
    }
    if (!output_check(output, "memtrace minimize")) {
        return 2;
    }
    restart_without_symbols();
    minimize.progress = !quiet && isatty(STDERR_FILENO) ? on_progress : NULL;
    return minimize_file(&minimize, argv[optind], flags, output, quiet);
}
